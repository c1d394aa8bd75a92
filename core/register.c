/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The registers: which exist, who may touch them when, and what they hold.
 *
 * Policy: one table of rules. Linux panics when an access fails, so an access that its drivers make never does, and
 * values are refused only where taking them would deceive the guest. All registers that can be written have 64 bits;
 * the upper half of a written value is ignored.
 */
#include "hold.h"
#include "stimer.h"
#include "synic.h"

#define READ 0x1u
#define WRITE 0x2u
#define EARLY_READ 0x4u	 /* also before the guest has said what it is */
#define EARLY_WRITE 0x8u /* the same for writes */
#define OWN 0x10u	 /* only of the calling vCPU */

static const struct rule {
	uint32_t first;
	uint32_t last;
	uint32_t flags;
} rules[] = {
	{ SC_REG_HYPERVISOR_VERSION, SC_REG_HYPERVISOR_VERSION, READ | EARLY_READ },
	{ SC_REG_PRIVILEGES_AND_FEATURES, SC_REG_HARDWARE_FEATURES, READ | EARLY_READ },
	{ SC_REG_GUEST_CRASH_P0, SC_REG_GUEST_CRASH_CTL, READ | WRITE | EARLY_READ | EARLY_WRITE },
	{ SC_REG_GUEST_OS_ID, SC_REG_GUEST_OS_ID, READ | WRITE | EARLY_READ | EARLY_WRITE },
	{ SC_REG_VP_INDEX, SC_REG_VP_INDEX, READ },
	{ SC_REG_TIME_REF_COUNT, SC_REG_TIME_REF_COUNT, READ | EARLY_READ },
	{ SC_REG_REFERENCE_TSC, SC_REG_REFERENCE_TSC, READ | WRITE },
	{ SC_REG_SINT0, SC_REG_SCONTROL, READ | WRITE | OWN },
	{ SC_REG_SVERSION, SC_REG_SVERSION, READ | OWN },
	{ SC_REG_SIEFP, SC_REG_EOM, READ | WRITE | OWN },
	{ SC_REG_STIMER0_CONFIG, SC_REG_STIMER3_COUNT, READ | WRITE | OWN },
	{ SC_REG_SEACLOCK, SC_REG_SEACLOCK, READ | EARLY_READ },
	{ SC_REG_GUEST_CLOCK, SC_REG_GUEST_CLOCK, READ | WRITE },
	{ SC_REG_MIGRATION, SC_REG_MIGRATION, READ },
	{ SC_REG_HOLD, SC_REG_HOLD, READ | OWN },
};

static uint64_t refuse(struct sc_register_access *access, uint64_t status, const char *reason)
{
	access->refused = reason;
	return status;
}

static uint64_t check(struct sc_register_access *access, uint32_t kind, uint32_t early)
{
	const struct rule *rule = rules, *end = rules + sizeof(rules) / sizeof(rules[0]);

	while (rule < end && (access->name < rule->first || access->name > rule->last))
		rule++;
	if (rule == end)
		return refuse(access, SC_HV_UNKNOWN_REGISTER_NAME, "no such register");
	if (!(rule->flags & kind))
		return refuse(access, SC_HV_INVALID_PARAMETER, "the register is read-only");
	if (!(rule->flags & early) && !access->partition->guest_os_id)
		return refuse(access, SC_HV_ACCESS_DENIED, "the guest has not written GuestOsId yet");
	if (rule->flags & OWN && access->target != access->caller)
		return refuse(access, SC_HV_ACCESS_DENIED, "what is another vCPU's own is out of reach");
	return SC_HV_SUCCESS;
}

static struct sc_stimer *timer_of(const struct sc_register_access *access)
{
	return &access->partition->vcpu[access->target].timer[(access->name - SC_REG_STIMER0_CONFIG) / 2];
}

static struct sc_synic *synic_of(const struct sc_register_access *access)
{
	return &access->partition->vcpu[access->target].synic;
}

static bool is_synic(uint32_t name)
{
	return name >= SC_REG_SINT0 && name <= SC_REG_EOM;
}

static bool is_timer_count(uint32_t name)
{
	return (name - SC_REG_STIMER0_CONFIG) % 2;
}

/* What the hypervisor is and can do: four 32-bit words a to d, as two halves. */
static bool get_description(uint32_t name, struct sc_register_value *value)
{
	switch (name) {
	case SC_REG_HYPERVISOR_VERSION: /* a: build; b: major, minor */
		value->low = 1ull << 48;
		return true;
	case SC_REG_PRIVILEGES_AND_FEATURES:
		value->low = SC_PRIVILEGE_REFERENCE_COUNTER | SC_PRIVILEGE_SYNIC | SC_PRIVILEGE_SYNTHETIC_TIMERS |
			     SC_PRIVILEGE_HYPERCALL | SC_PRIVILEGE_VP_INDEX | SC_PRIVILEGE_REFERENCE_TSC |
			     SC_PRIVILEGE_VP_REGISTERS;
		value->high = SC_FEATURE_CRASH_REGISTERS | SC_FEATURE_SINT_POLLING | SC_FEATURE_DIRECT_TIMERS;
		return true;
	case SC_REG_FEATURES_INFO: /* b: spinlock retries before a hypercall; all ones: never */
		value->low = 0xffffffffull << 32;
		return true;
	case SC_REG_IMPLEMENTATION_LIMITS: /* a: vCPUs */
		value->low = SC_VCPU_MAX;
		return true;
	case SC_REG_HARDWARE_FEATURES:
		return true;
	case SC_REG_SEACLOCK:
		value->low = SC_SEACLOCK_MAGIC;
		value->high = SC_SEACLOCK_HAS_GUEST_CLOCK | SC_SEACLOCK_HAS_HOLD;
		return true;
	default:
		return false;
	}
}

static uint64_t get_state(const struct sc_register_access *access)
{
	const struct sc_partition *partition = access->partition;

	switch (access->name) {
	case SC_REG_GUEST_OS_ID:
		return partition->guest_os_id;
	case SC_REG_VP_INDEX:
		return access->target;
	case SC_REG_TIME_REF_COUNT:
		return access->now.v;
	case SC_REG_REFERENCE_TSC:
		return partition->reference_tsc;
	case SC_REG_GUEST_CLOCK:
		return partition->guest_clock;
	case SC_REG_GUEST_CRASH_CTL: /* what a crash report may contain, not what was written */
		return SC_CRASH_NOTIFY | SC_CRASH_MESSAGE;
	default:
		break;
	}
	if (access->name <= SC_REG_GUEST_CRASH_P4)
		return partition->crash[access->name - SC_REG_GUEST_CRASH_P0];
	if (is_synic(access->name))
		return sc_synic_get(synic_of(access), access->name);
	return is_timer_count(access->name) ? timer_of(access)->count : timer_of(access)->config;
}

static struct sc_register_value get_migration(const struct sc_partition *partition)
{
	return (struct sc_register_value){
		.low = partition->asked | (uint64_t)partition->clock.hz << SC_MIGRATION_HZ_SHIFT,
		.high = SC_MIGRATION_INTID,
	};
}

static uint64_t get_hold(struct sc_register_access *access, struct sc_register_value *value)
{
	if (!access->alone)
		return refuse(access, SC_HV_INVALID_PARAMETER,
			      "a hold is read alone, in registers, and by HVC #0 with the SMCCC function");
	if (sc_hold_begin(access->partition, access->caller, value))
		access->effects |= SC_EFFECT_HOLD;
	return SC_HV_SUCCESS;
}

uint64_t sc_register_get(struct sc_register_access *access, struct sc_register_value *value)
{
	uint64_t status = check(access, READ, EARLY_READ);

	*value = (struct sc_register_value){ 0 };
	if (status != SC_HV_SUCCESS || get_description(access->name, value))
		return status;
	if (access->name == SC_REG_HOLD)
		return get_hold(access, value);
	if (access->name == SC_REG_MIGRATION)
		*value = get_migration(access->partition);
	else
		value->low = get_state(access);
	return SC_HV_SUCCESS;
}

static void set_reference_tsc(struct sc_register_access *access, uint64_t value)
{
	struct sc_partition *partition = access->partition;

	partition->reference_tsc = value;
	if (value & SC_REFERENCE_TSC_ENABLE)
		partition->page_sequence = sc_page_next_sequence(partition->page_sequence);
	access->effects |= SC_EFFECT_PAGE;
}

/*
 * Another kernel introduces itself, perhaps after a crash of the last one: what that one declared is not true of it,
 * and its page is memory like any other.
 */
static void set_guest_os_id(struct sc_register_access *access, uint64_t value)
{
	struct sc_partition *partition = access->partition;

	partition->guest_os_id = value;
	partition->guest_clock = 0;
	partition->reference_tsc &= ~SC_REFERENCE_TSC_ENABLE;
	access->effects |= SC_EFFECT_GUEST_CLOCK;
}

static uint64_t set_guest_clock(struct sc_register_access *access, uint64_t value)
{
	const struct sc_partition *partition = access->partition;
	uint64_t raw_hz = value >> SC_GUEST_CLOCK_RAW_HZ_SHIFT;

	if (value & ~SC_GUEST_CLOCK_MASK)
		return refuse(access, SC_HV_INVALID_PARAMETER, "unknown bits of the guest clock register are set");
	if (raw_hz && value & SC_GUEST_CLOCK_ON_PAGE)
		return refuse(access, SC_HV_INVALID_PARAMETER, "a clock is on the page or on the raw counter");
	if (raw_hz && raw_hz != partition->clock.hz)
		return refuse(access, SC_HV_INVALID_PARAMETER, "the raw clock's rate is not the counter's");
	if (raw_hz && partition->asked != SC_ASK_NOTHING)
		return refuse(access, SC_HV_INVALID_PARAMETER, "no raw clock while the guest is being prepared");
	access->partition->guest_clock = value;
	access->effects |= SC_EFFECT_GUEST_CLOCK;
	return SC_HV_SUCCESS;
}

static void set_crash_ctl(struct sc_register_access *access, uint64_t value)
{
	access->partition->crash_ctl = value;
	if (value & SC_CRASH_NOTIFY)
		access->effects |= SC_EFFECT_CRASH;
}

static uint64_t set_timer(struct sc_register_access *access, uint64_t value)
{
	const char *reason;

	if (is_timer_count(access->name)) {
		sc_stimer_set_count(timer_of(access), value, access->now);
	} else {
		reason = sc_stimer_config_refused(value);
		if (reason)
			return refuse(access, SC_HV_INVALID_PARAMETER, reason);
		sc_stimer_set_config(timer_of(access), value, access->now);
	}
	access->effects |= SC_EFFECT_TIMER;
	return SC_HV_SUCCESS;
}

static uint64_t set_synic(struct sc_register_access *access, uint64_t value)
{
	const char *reason = sc_synic_set(synic_of(access), access->name, value);

	if (reason)
		return refuse(access, SC_HV_INVALID_PARAMETER, reason);
	access->effects |= SC_EFFECT_SYNIC;
	return SC_HV_SUCCESS;
}

uint64_t sc_register_set(struct sc_register_access *access, uint64_t value)
{
	uint64_t status = check(access, WRITE, EARLY_WRITE);

	if (status != SC_HV_SUCCESS)
		return status;
	switch (access->name) {
	case SC_REG_GUEST_OS_ID:
		set_guest_os_id(access, value);
		return SC_HV_SUCCESS;
	case SC_REG_REFERENCE_TSC:
		set_reference_tsc(access, value);
		return SC_HV_SUCCESS;
	case SC_REG_GUEST_CLOCK:
		return set_guest_clock(access, value);
	case SC_REG_GUEST_CRASH_CTL:
		set_crash_ctl(access, value);
		return SC_HV_SUCCESS;
	default:
		break;
	}
	if (is_synic(access->name))
		return set_synic(access, value);
	if (access->name > SC_REG_GUEST_CRASH_P4)
		return set_timer(access, value);
	access->partition->crash[access->name - SC_REG_GUEST_CRASH_P0] = value;
	return SC_HV_SUCCESS;
}
