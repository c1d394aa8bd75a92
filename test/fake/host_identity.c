/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the fake's processors say they are: see the header. As with KVM a machine has its own copy, of which only what
 * is writable can be lowered, and nothing once a vCPU has run.
 */
#include "host_fake.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct identity fake_identity_make(uint32_t midr)
{
	const struct identity_register registers[] = {
		{ IDENTITY_MIDR, midr, 0 },
		{ IDENTITY_SYSTEM(3, 0, 0, 4, 0), 0x1100000010111112, 0xff0fffff0fffffff },
		{ IDENTITY_SYSTEM(3, 0, 0, 6, 0), 0x0000100010211120, UINT64_MAX },
		{ IDENTITY_MMFR1, 0x0000000010212122, 0x0fffffff0ffff00f },
		{ IDENTITY_CTR, 0x000000008444c004, 0x00000000300f000f },
		{ IDENTITY_PSCI, 0x10001, UINT64_MAX },
	};
	struct identity identity = { .count = 0 };

	for (size_t n = 0; n < sizeof(registers) / sizeof(registers[0]); n++)
		identity_set(&identity, &registers[n]);
	return identity;
}

int host_get_facts(struct host_facts *facts, struct error *error)
{
	const struct fake_host *host = fake_host_current();
	int result = host_check(error);

	if (result)
		return result;
	*facts = (struct host_facts){
		.name = "fake",
		.kernel = "6.12.0",
		.counter_hz = host->hz,
		.page_size = host->page_size,
		.address_bits = host->address_bits,
		.gic = 3,
		.gic_iidr = 0x4b00243b,
		.capability = { [FACTS_COUNTER_OFFSET] = 1, [FACTS_WRITABLE_MASKS] = 1, [FACTS_STOLEN_TIME] = 1 },
		.identity = host->identity,
	};
	return 0;
}

/* Whether KVM would take it. */
static bool can_have(const struct identity_register *own, uint64_t value)
{
	struct identity_field field;

	for (uint32_t n = 0; identity_field_at(own->id, n, &field); n++)
		if (!identity_range_has(&field, identity_range_of(&field, own), identity_field_get(&field, value)))
			return false;
	return true;
}

int host_vcpu_list_identity(const struct host_vm *vm, struct host_vcpu *vcpu, struct identity *identity,
			    struct error *error)
{
	(void)vm;
	(void)error;
	pthread_mutex_lock(&fake_lock);
	*identity = fake_vcpu_of(vcpu)->vm->identity;
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

int host_vcpu_get_identity(struct host_vcpu *vcpu, uint64_t id, uint64_t *value)
{
	const struct identity_register *reg;

	pthread_mutex_lock(&fake_lock);
	reg = identity_find(&fake_vcpu_of(vcpu)->vm->identity, id);
	*value = reg ? reg->value : 0;
	pthread_mutex_unlock(&fake_lock);
	return reg ? 0 : -ENOENT;
}

int host_vcpu_set_identity(struct host_vcpu *vcpu, uint64_t id, uint64_t value)
{
	struct fake_vm *vm = fake_vcpu_of(vcpu)->vm;
	const struct identity_register *own = identity_find(&vm->host->identity, id);
	struct identity_register told = { .id = id, .value = value, .writable = own ? own->writable : 0 };
	int result;

	pthread_mutex_lock(&fake_lock);
	result = fake_call_fails(vm->host, FAKE_SET_IDENTITY);
	if (!result && vm->has_run)
		result = -EBUSY;
	if (!result && (!own || !can_have(own, value)))
		result = own ? -E2BIG : -ENOENT;
	if (!result)
		identity_set(&vm->identity, &told);
	pthread_mutex_unlock(&fake_lock);
	return result;
}
