/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that are repaired: see the header. */
#include "transfer/repair.h"

#include "base/log.h"
#include "host/deadline.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>

/* How long a guest runs on between two tries. */
#define PAUSE_MS 1

bool repair_is_allowed(const struct machine *machine, const struct admission_terms *terms)
{
	return terms->repair || machine->config.repair;
}

bool repair_is_due(const struct machine *machine, const struct admission_terms *terms, uint32_t from_hz, uint32_t to_hz,
		   const struct sc_follow *follow)
{
	return repair_is_allowed(machine, terms) && from_hz != to_hz && follow->level == SC_LEVEL_NONE;
}

void repair_close(struct repair *repair)
{
	if (repair->arena)
		host_memory_free(repair->arena, SC_PLAN_ARENA_SIZE);
	*repair = (struct repair){ .found = false };
}

static int repair_open(struct repair *repair, struct machine *machine, struct error *error)
{
	*repair = (struct repair){ .arena = host_memory_allocate(SC_PLAN_ARENA_SIZE) };
	if (!repair->arena)
		return error_set(error, ENOMEM, "no memory to plan a repair of %s", machine->config.name);
	return kernel_port_open(&repair->port, machine, error);
}

int repair_find(struct repair *repair, struct machine *machine, struct error *error)
{
	const sc_ns_t begin = host_monotonic();
	struct kernel kernel;
	int result;

	repair_close(repair);
	result = repair_open(repair, machine, error);
	if (!result)
		result = kernel_search(&repair->port, &repair->kernel, &kernel, error);
	if (!result && !kernel.known)
		result = error_set(error, ENOTSUP, "%s", kernel.reason);
	if (result)
		repair_close(repair);
	repair->found = !result;
	repair->search.v = host_monotonic().v - begin.v;
	return result;
}

/* What was refused now may be taken a moment later. */
static int refused(const struct sc_refusal *why, struct error *error)
{
	return error_set(error, why->reason == SC_REFUSED_BUSY ? EAGAIN : ENOTSUP, "%s", why->text);
}

static int plan_make(struct repair *repair, uint32_t to_hz, struct error *error)
{
	const struct clock *clock = &repair->port.machine->clock;
	const struct sc_rate_change change = {
		.from_hz = clock_stopped_hz(clock),
		.to_hz = to_hz,
		.from_ticks = clock_stopped_counter(clock).v,
		.to_ticks = clock_stopped_counter(clock).v,
	};
	struct sc_arena arena = { .memory = repair->arena, .size = SC_PLAN_ARENA_SIZE };
	struct sc_refusal why;
	int result = kernel_port_read_timers(&repair->port, error);

	if (!result && sc_plan_make(&repair->kernel, &change, &arena, &repair->plan, &why))
		result = refused(&why, error);
	return result;
}

/* Of a guest that stands still. */
static int repair_plan(struct repair *repair, uint32_t to_hz)
{
	repair->verdict = plan_make(repair, to_hz, &repair->why);
	return repair->verdict;
}

/* Out of a stop that was for a look only; the counter has gone on meanwhile. */
static void repair_let_go(struct machine *machine)
{
	struct error ignored;

	clock_start(&machine->clock, SC_CLOCK_ADVANCE, &ignored);
	vcpus_unpark(&machine->vcpus);
}

sc_ns_t repair_stop(struct repair *repair, struct machine *machine, uint32_t to_hz, int limit_ms)
{
	const sc_ns_t deadline = deadline_after_ms(limit_ms);
	const bool ran = !clock_is_stopped(&machine->clock);

	for (;;) {
		sc_ns_t ordered = host_monotonic();

		vcpus_park(&machine->vcpus);
		clock_stop(&machine->clock);
		if (!repair->found || repair_plan(repair, to_hz) != -EAGAIN || !ran || !deadline_left_ms(deadline))
			return ordered;
		repair_let_go(machine);
		poll(NULL, 0, PAUSE_MS);
	}
}

static int repair_try(struct repair *repair, struct machine *machine, uint32_t to_hz, int limit_ms, struct error *error)
{
	int result = repair_find(repair, machine, error);

	if (result)
		return result;
	repair_stop(repair, machine, to_hz, limit_ms);
	repair_let_go(machine);
	result = repair->verdict;
	if (!result)
		return 0;
	*error = repair->why;
	repair_close(repair);
	return result;
}

int repair_check(struct repair *repair, struct machine *machine, uint32_t to_hz, int limit_ms,
		 const struct admission_terms *terms, struct sc_follow *follow, struct error *error)
{
	const char *name = machine->config.name;
	uint32_t from_hz = clock_hz(&machine->clock);
	struct error why;

	if (!repair_is_due(machine, terms, from_hz, to_hz, follow))
		return 0;
	if (!repair_try(repair, machine, to_hz, limit_ms, &why)) {
		follow->level = SC_LEVEL_TRANSPARENT;
		return 0;
	}
	if (!terms->force)
		return admission_refuse_repair(name, from_hz, to_hz, why.text, error);
	log_line("%s is not repaired: %s; its clock goes wrong, as it was told", name, why.text);
	return 0;
}

int repair_confirm(const struct repair *repair, uint32_t to_hz, struct sc_follow *follow, struct error *error)
{
	const struct machine *machine = repair->port.machine;

	if (!repair->found || follow->level != SC_LEVEL_NONE)
		return 0;
	if (repair->verdict)
		return admission_refuse_repair(machine->config.name, clock_hz(&machine->clock), to_hz, repair->why.text,
					       error);
	follow->level = SC_LEVEL_TRANSPARENT;
	return 0;
}

/* The guest's memory, and then the registers; if those fail it will not run here, and may as well be as it was. */
static int repair_write(struct repair *repair, struct error *error)
{
	const struct sc_guest_port *guest = &repair->port.guest;
	struct sc_refusal why;
	int result;

	if (sc_plan_apply(guest, &repair->plan, &why))
		return refused(&why, error);
	result = kernel_port_set_timers(&repair->port, &repair->plan, error);
	if (result)
		(void)sc_plan_revert(guest, &repair->plan, &why);
	return result;
}

int repair_carry_out(struct repair *repair, struct error *error)
{
	const struct machine *machine = repair->port.machine;
	uint32_t from_hz = clock_stopped_hz(&machine->clock), to_hz = host_counter_hz();
	sc_ns_t begin = host_monotonic();

	if (repair_plan(repair, to_hz) || repair_write(repair, &repair->why))
		return admission_refuse_repair(machine->config.name, from_hz, to_hz, repair->why.text, error);
	log_line("%s: its kernel %s is repaired for a counter of %" PRIu32 " Hz: %" PRIu32 " values in %" PRIu64
		 " us, found in %" PRIu64 " us",
		 machine->config.name, repair->kernel.release, to_hz, repair->plan.write_count,
		 (host_monotonic().v - begin.v) / 1000, repair->search.v / 1000);
	return 0;
}
