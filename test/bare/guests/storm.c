/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest can cost its host: all processors do one thing without pause, for s= seconds. storm= says which of the
 * table below.
 *
 * Policy: runs as course.c says. Each processor prints how often it has done it. Nothing is checked: what it costs is
 * measured from outside.
 */
#include "bare.h"
#include "reference.h"

#define TIMERS 4u
#define BATCH 1000

/* Units of 100 ns: the shortest period that there is. */
#define SHORTEST 1

struct processor {
	uint64_t done;
	volatile uint64_t interrupts;
};

static struct processor processors[MACHINE_CPUS_MAX];

static void compute(struct processor *processor)
{
	for (volatile int n = 0; n < BATCH; n++)
		;
	processor->done += BATCH;
}

static void call(struct processor *processor)
{
	uint64_t now;

	sc_guest_get(&hypervisor, SC_REG_TIME_REF_COUNT, &now);
	processor->done++;
}

/* A register that no guest may write, with a value that none takes. */
static void ask_for_refusal(struct processor *processor)
{
	sc_guest_set(&hypervisor, SC_REG_HYPERVISOR_VERSION, processor->done++);
}

static void write_console(struct processor *processor)
{
	mmio_write(machine.uart, '.');
	processor->done++;
}

/* Nothing is asked: it says that it has prepared, takes that back, and would hold. */
static void pretend(struct processor *processor)
{
	uint64_t hold;

	sc_guest_set(&hypervisor, SC_REG_GUEST_CLOCK, SC_GUEST_CLOCK_HOLDS);
	sc_guest_get(&hypervisor, SC_REG_HOLD, &hold);
	sc_guest_set(&hypervisor, SC_REG_GUEST_CLOCK, 0);
	processor->done++;
}

static void count_interrupt(void *argument)
{
	struct processor *processor = argument;

	processor->interrupts++;
}

/* Timers of the shortest period, which are set anew all the time. */
static void set_timers(struct processor *processor)
{
	for (uint32_t n = 0; n < TIMERS; n++)
		sc_guest_timer_set(&hypervisor, n, SHORTEST);
	processor->done += TIMERS;
}

/* The same, and the processor only takes what comes. */
static void take_timers(struct processor *processor)
{
	compute(processor);
	processor->done = processor->interrupts;
}

static void (*const storms[])(struct processor *processor) = {
	compute, call, ask_for_refusal, write_console, pretend, set_timers, take_timers,
};

static bool timers_start(struct processor *processor)
{
	bool started = true;

	for (uint32_t n = 0; n < TIMERS; n++) {
		interrupt_enable(SC_STIMER0_INTID, count_interrupt, processor);
		started = started && !sc_guest_timer_direct(&hypervisor, n, SC_GUEST_PERIODIC, SC_STIMER0_INTID) &&
			  !sc_guest_timer_set(&hypervisor, n, SHORTEST);
	}
	interrupts_unmask();
	return started;
}

static void run(void *argument)
{
	struct processor *processor = argument;
	uint64_t which = machine_option("storm", 0);
	struct course course = course_start();

	if (which >= ARRAY_SIZE(storms))
		verdict(false, "there is no such storm");
	if ((storms[which] == set_timers || storms[which] == take_timers) && !timers_start(processor))
		verdict(false, "the timers do not start");
	while (!course_over(&course))
		storms[which](processor);
	interrupts_mask();
	for (uint32_t n = 0; n < TIMERS; n++)
		sc_guest_timer_stop(&hypervisor, n);
	print("\n@storm cpu=%u done=%u\n", (uint64_t)cpu_self()->index, processor->done);
}

bool guest_main(void)
{
	bool passed = reference_start();

	for (uint32_t i = 1; passed && i < machine.cpu_count; i++)
		passed = cpu_run(i, run, &processors[i]);
	if (!passed)
		return false;
	run(&processors[0]);
	for (uint32_t i = 1; i < machine.cpu_count; i++)
		passed &= cpu_wait(i, 20000000);
	return passed;
}
