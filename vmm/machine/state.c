/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything of a machine that is not memory: see the header. */
#include "machine/state.h"

#include "machine/processor.h"

#include <errno.h>
#include <inttypes.h>

#define ID_HANDOFF SECTION_ID('H', 'A', 'N', 'D')
#define ID_REPAIR SECTION_ID('R', 'P', 'A', 'R')
#define ID_CLOCK SECTION_ID('C', 'L', 'C', 'K')
#define ID_VCPU SECTION_ID('V', 'C', 'P', 'U')
#define ID_GIC SECTION_ID('G', 'I', 'C', '3')

/* Of all sections but the devices', which have their own. */
#define STATE_VERSION 1u

/* Far more than a machine can have: what a peer may make us look through. */
#define SECTIONS_MAX 64u

static int state_damaged(struct error *error)
{
	return error_set(error, EPROTO, "the machine's state in the stream is damaged");
}

/* ---- Saving ---- */

static int registers_put(struct machine *machine, struct buffer *state, struct error *error)
{
	int result = 0;
	size_t begun;

	for (uint32_t n = 0; n < machine->vcpus.count && !result; n++) {
		begun = section_begin(state, ID_VCPU, n, STATE_VERSION, false);
		result = host_vcpu_save(&machine->vcpus.vcpu[n].host, state, error);
		section_end(state, begun);
	}
	if (result)
		return result;
	begun = section_begin(state, ID_GIC, 0, STATE_VERSION, false);
	result = host_gic_save(&machine->vm, machine->vcpus.count, state, error);
	section_end(state, begun);
	return result;
}

static void section_put_empty(struct buffer *state, uint32_t id)
{
	section_end(state, section_begin(state, id, 0, STATE_VERSION, false));
}

void state_put_repair(struct buffer *state)
{
	section_put_empty(state, ID_REPAIR);
}

static void handoff_put(struct buffer *state, const struct clock_handoff *handoff)
{
	size_t begun = section_begin(state, ID_HANDOFF, 0, STATE_VERSION, false);

	buffer_put_u64(state, (uint64_t)handoff->difference_ns);
	buffer_put_u32(state, handoff->policy);
	section_end(state, begun);
	if (handoff->repair)
		state_put_repair(state);
}

static int clock_put(struct machine *machine, struct buffer *state, struct error *error)
{
	size_t begun = section_begin(state, ID_CLOCK, 0, STATE_VERSION, false);
	int result = clock_save(&machine->clock, state, error);

	section_end(state, begun);
	return result;
}

int state_save(struct machine *machine, const struct clock_handoff *handoff, struct buffer *state, struct error *error)
{
	int result = devices_settled(&machine->devices, error);

	if (!result && vcpus_settle(&machine->vcpus))
		result = error_set(error, EBUSY,
				   "a vCPU of %s waits for a device that the guest resets: try again later",
				   machine->config.name);
	if (result)
		return result;
	handoff_put(state, handoff);
	result = clock_put(machine, state, error);
	if (!result)
		result = registers_put(machine, state, error);
	if (result)
		return result;
	devices_save(&machine->devices, state);
	return buffer_failed(state) ? error_set(error, ENOMEM, "no memory for the machine's state") : 0;
}

int state_save_trial(struct machine *machine, struct buffer *state, struct error *error)
{
	int result = registers_put(machine, state, error);

	section_put_empty(state, ID_HANDOFF);
	section_put_empty(state, ID_CLOCK);
	devices_demand(&machine->devices, state);
	return result;
}

/* ---- What is there ---- */

/* The version of such a section that is known here; 0: none. */
static uint32_t version_known(const struct machine *machine, uint32_t id, uint32_t instance)
{
	const struct device *device = devices_find(&machine->devices, id, instance);

	if (device)
		return device->ops->version;
	if (id == ID_VCPU)
		return instance < machine->vcpus.count ? STATE_VERSION : 0;
	return (id == ID_HANDOFF || id == ID_REPAIR || id == ID_CLOCK || id == ID_GIC) && !instance ? STATE_VERSION : 0;
}

static int section_check_version(const struct section *section, uint32_t known, struct error *error)
{
	char name[5];

	if (section->version <= known)
		return 0;
	section_name(section->id, name);
	return error_set(error, ENOTSUP,
			 "the machine's state has a section %s of version %" PRIu32
			 ", of which this version of Seaclock takes up to %" PRIu32,
			 name, section->version, known);
}

static int section_check(const struct machine *machine, const struct section *section, struct error *error)
{
	uint32_t known = version_known(machine, section->id, section->instance);
	char name[5];

	if (known)
		return section_check_version(section, known, error);
	if (section->optional)
		return 0;
	section_name(section->id, name);
	return error_set(error, ENOTSUP,
			 "the machine's state has a section %s of number %" PRIu32
			 ", which this version of Seaclock does not know",
			 name, section->instance);
}

static bool section_is(const struct section *section, uint32_t id, uint32_t instance)
{
	return section->id == id && section->instance == instance;
}

/* All of it is sections, each once, and none that must be known is not. */
static int state_check(const struct machine *machine, const void *data, size_t size, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	struct section seen[SECTIONS_MAX];
	unsigned int count = 0;
	int result = 0;

	while (!result && count < SECTIONS_MAX && section_next(&cursor, &seen[count])) {
		for (unsigned int n = 0; n < count; n++)
			if (section_is(&seen[n], seen[count].id, seen[count].instance))
				return state_damaged(error);
		result = section_check(machine, &seen[count++], error);
	}
	if (!result && !cursor_finish(&cursor))
		return state_damaged(error);
	return result;
}

/* Whether there is one; *damaged if nobody can tell. */
static bool state_has(const void *data, size_t size, uint32_t id, uint32_t instance, struct section *section,
		      bool *damaged)
{
	struct cursor cursor = cursor_make(data, size);
	bool has = false;

	while (!has && section_next(&cursor, section))
		has = section_is(section, id, instance);
	*damaged = !has && cursor.failed;
	return has;
}

static int state_find(const void *data, size_t size, uint32_t id, uint32_t instance, struct section *section,
		      struct error *error)
{
	bool damaged;
	char name[5];

	if (state_has(data, size, id, instance, section, &damaged))
		return 0;
	if (damaged)
		return state_damaged(error);
	section_name(id, name);
	return error_set(error, EPROTO, "the machine's state lacks the section %s of number %" PRIu32, name, instance);
}

/* ---- Loading ---- */

/* After a section was loaded: it must have been taken up to its end. */
static int section_finish(int result, const struct section *section, struct error *error)
{
	return result || cursor_finish(&section->content) ? result : state_damaged(error);
}

static int vcpu_load(struct machine *machine, uint32_t n, const void *data, size_t size,
		     const struct host_rebase *rebase, struct error *error)
{
	struct section section;
	int result = state_find(data, size, ID_VCPU, n, &section, error);

	if (!result)
		result = host_vcpu_load(&machine->vcpus.vcpu[n].host, &section.content, rebase, error);
	return section_finish(result, &section, error);
}

static int registers_load(struct machine *machine, const void *data, size_t size, const struct host_rebase *rebase,
			  struct error *error)
{
	struct section section;
	int result = 0;

	for (uint32_t n = 0; n < machine->vcpus.count && !result; n++)
		result = vcpu_load(machine, n, data, size, rebase, error);
	if (!result)
		result = state_find(data, size, ID_GIC, 0, &section, error);
	if (result)
		return result;
	result = host_gic_load(&machine->vm, machine->vcpus.count, &section.content, error);
	return section_finish(result, &section, error);
}

/* The description says what processor the machine was told it has, whoever told it. */
static int processor_note(struct machine *machine, struct error *error)
{
	struct identity cpu = machine->config.cpu;
	int result = processor_compare(&machine->vcpus, &machine->untold, &cpu, error);

	if (result)
		return result;
	lock_take(&machine->lock);
	machine->config.cpu = cpu;
	lock_drop(&machine->lock);
	return 0;
}

/* What the devices demand that are known on the other side, too. */
static int devices_try(struct machine *machine, const void *data, size_t size, struct error *error)
{
	struct cursor cursor = cursor_make(data, size);
	struct section section;
	int result = 0;

	while (!result && section_next(&cursor, &section)) {
		struct device *device = devices_find(&machine->devices, section.id, section.instance);

		if (device)
			result = devices_examine(device, &section, error);
		if (result == -EPROTO)
			result = state_damaged(error);
	}
	return result ? result : devices_check_places(&machine->devices, error);
}

int state_try(struct machine *machine, const void *data, size_t size, struct error *error)
{
	static const struct host_rebase unmoved = { .from_hz = SC_REF_HZ, .to_hz = SC_REF_HZ };
	int result = state_check(machine, data, size, error);

	if (!result)
		result = registers_load(machine, data, size, &unmoved, error);
	return result ? result : devices_try(machine, data, size, error);
}

static int devices_load_all(struct machine *machine, const void *data, size_t size, struct error *error)
{
	const struct bus *bus = &machine->devices.bus;

	for (unsigned int n = 0; n < bus->count; n++) {
		const struct device *device = bus->devices[n];
		struct section section;
		int result = state_find(data, size, device->ops->section, device->instance, &section, error);

		if (result)
			return result;
		if (devices_load(bus->devices[n], &section))
			return error_set(error, EPROTO, "the state of the machine's %s is damaged", device->ops->name);
	}
	return 0;
}

int state_handoff(const void *data, size_t size, struct clock_handoff *handoff, struct error *error)
{
	struct section section;
	uint32_t policy;
	bool damaged;
	int result = state_find(data, size, ID_HANDOFF, 0, &section, error);

	if (!result)
		result = section_check_version(&section, STATE_VERSION, error);
	if (result)
		return result;
	handoff->difference_ns = (int64_t)cursor_u64(&section.content);
	policy = cursor_u32(&section.content);
	if (!cursor_finish(&section.content) || policy > SC_CLOCK_FREEZE)
		return state_damaged(error);
	handoff->policy = (enum sc_clock_policy)policy;
	handoff->repair = state_has(data, size, ID_REPAIR, 0, &section, &damaged);
	return damaged ? state_damaged(error) : 0;
}

int state_load_with(struct machine *machine, const void *data, size_t size, const struct clock_handoff *handoff,
		    sc_ns_t *gap, struct error *error)
{
	struct host_rebase rebase;
	struct section section;
	int result = state_check(machine, data, size, error);

	if (!result)
		result = state_find(data, size, ID_CLOCK, 0, &section, error);
	if (result)
		return result;
	result = clock_load(&machine->clock, &section.content, handoff, &rebase, gap, error);
	result = section_finish(result, &section, error);
	if (handoff->repair && clock_follow(&machine->clock, 0, SC_MOVE_AS_STANDS).level == SC_LEVEL_NONE)
		rebase.to_hz = rebase.from_hz;
	if (!result)
		result = registers_load(machine, data, size, &rebase, error);
	if (!result)
		result = processor_note(machine, error);
	return result ? result : devices_load_all(machine, data, size, error);
}

int state_load(struct machine *machine, const void *data, size_t size, sc_ns_t *gap, struct error *error)
{
	struct clock_handoff handoff;
	int result = state_handoff(data, size, &handoff, error);

	return result ? result : state_load_with(machine, data, size, &handoff, gap, error);
}
