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

static bool midr_is_writable(const struct fake_host *host)
{
	const struct identity_register *midr = identity_find(&host->identity, IDENTITY_MIDR);

	return midr && midr->writable;
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
	facts->capability[FACTS_WRITABLE_MIDR] = midr_is_writable(host);
	return 0;
}

void host_vm_free_implementation(struct host_vm *vm)
{
	struct fake_vm *fake = fake_vm_of(vm);

	pthread_mutex_lock(&fake_lock);
	if (fake->has_vcpus)
		fake_violation("MIDR_EL1 is made writable after a vCPU was made");
	fake->implementation_free = true;
	pthread_mutex_unlock(&fake_lock);
}

/* The host's register, as this machine can have it. */
static struct identity_register offer_of(const struct fake_vm *vm, const struct identity_register *own)
{
	struct identity_register offer = *own;

	if (identity_is_implementation(own->id) && !vm->implementation_free)
		offer.writable = 0;
	return offer;
}

/* Whether KVM would take it. */
static bool can_have(const struct identity_register *offer, uint64_t value)
{
	struct identity_field field;

	for (uint32_t n = 0; identity_field_at(offer->id, n, &field); n++)
		if (!identity_range_has(&field, identity_range_of(&field, offer), identity_field_get(&field, value)))
			return false;
	return true;
}

int fake_identity_write(struct fake_vm *vm, uint64_t id, uint64_t value)
{
	const struct identity_register *own = identity_find(&vm->host->identity, id);
	const struct identity_register *now = identity_find(&vm->identity, id);
	struct identity_register told;

	if (!own || !now)
		return -ENOENT;
	told = offer_of(vm, own);
	if (now->value == value)
		return 0;
	if (vm->has_run)
		return -EBUSY;
	if (!can_have(&told, value))
		return identity_is_implementation(id) ? -EINVAL : -E2BIG;
	told.value = value;
	identity_set(&vm->identity, &told);
	return 0;
}

int host_vcpu_list_identity(const struct host_vm *vm, struct host_vcpu *vcpu, struct identity *identity,
			    struct error *error)
{
	const struct fake_vm *fake = fake_vcpu_of(vcpu)->vm;

	(void)vm;
	(void)error;
	pthread_mutex_lock(&fake_lock);
	*identity = fake->identity;
	for (uint32_t n = 0; n < identity->count; n++)
		identity->reg[n] = offer_of(fake, &identity->reg[n]);
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
	int result;

	pthread_mutex_lock(&fake_lock);
	result = fake_call_fails(vm->host, FAKE_SET_IDENTITY);
	if (!result)
		result = fake_identity_write(vm, id, value);
	pthread_mutex_unlock(&fake_lock);
	return result;
}
