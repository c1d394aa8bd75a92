/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two periodic timers of 10 ms on each processor: a direct one, whose handler rewrites nothing, and one that sends
 * messages, which say when each expiry was due. No period may be lost or doubled: delivered and coalesced are those
 * that elapsed, and all lie whole periods behind the start.
 *
 * Policy: runs as course.c says; one line per processor and second. An expiry may coalesce only with one before it that
 * was not delivered yet, and each second has an interrupt and a message at least.
 */
#include "bare.h"
#include "reference.h"

#define PERIOD (10 * MS)
#define DIRECT_INTID SC_STIMER0_INTID
#define MESSAGE_INTID 20u
#define SINT 2u

struct train {
	bool wrong;
	uint64_t before, after; /* when the timers were set */
	volatile uint64_t interrupts;
	volatile uint64_t delivered;
	uint64_t coalesced;
	uint64_t start; /* of the first period, by the first message */
	struct sc_timer_message last;
};

static struct train trains[MACHINE_CPUS_MAX];
static struct sc_message slots[MACHINE_CPUS_MAX][SC_SINT_COUNT] __attribute__((aligned(4096)));

static void wrong(struct train *train, const char *what, uint64_t seen, uint64_t limit)
{
	if (!train->wrong)
		print("@periodic bad %s seen=%u limit=%u\n", what, seen, limit);
	train->wrong = true;
}

static void handle_direct(void *argument)
{
	struct train *train = argument;
	uint64_t periods = (reference_now() - train->before) / PERIOD;

	train->interrupts++;
	if (train->interrupts > periods)
		wrong(train, "interrupts", train->interrupts, periods);
}

static void message_first(struct train *train, const struct sc_timer_message *message)
{
	train->start = message->expiration_time - PERIOD;
	if (train->start < train->before)
		wrong(train, "first", train->start, train->before);
}

static void message_next(struct train *train, const struct sc_timer_message *message)
{
	uint64_t distance = message->expiration_time - train->last.expiration_time;

	/* The oldest expiry that the last message did not stand for: what had come when that one was delivered. */
	if (message->expiration_time > train->last.delivery_time + PERIOD)
		wrong(train, "lost", message->expiration_time, train->last.delivery_time + PERIOD);
	if (message->expiration_time <= train->last.expiration_time || distance % PERIOD)
		wrong(train, "phase", message->expiration_time, train->last.expiration_time);
	train->coalesced += distance / PERIOD - 1;
}

static void handle_message(void *argument)
{
	struct train *train = argument;
	struct sc_timer_message message;

	while (sc_guest_message_take(&hypervisor, slots[train - trains], SINT, &message)) {
		if (message.delivery_time < message.expiration_time || reference_now() < message.delivery_time)
			wrong(train, "early", message.delivery_time, message.expiration_time);
		if (train->delivered == 0)
			message_first(train, &message);
		else
			message_next(train, &message);
		train->last = message;
		train->delivered++;
	}
}

static bool start(struct train *train)
{
	struct sc_message *page = slots[train - trains];

	interrupt_enable(DIRECT_INTID, handle_direct, train);
	interrupt_enable(MESSAGE_INTID, handle_message, train);
	if (sc_guest_timer_direct(&hypervisor, 0, SC_GUEST_PERIODIC, DIRECT_INTID) ||
	    sc_guest_messages_enable(&hypervisor, (uintptr_t)page) ||
	    sc_guest_sint_enable(&hypervisor, SINT, MESSAGE_INTID) ||
	    sc_guest_timer_message(&hypervisor, 1, SC_GUEST_PERIODIC, SINT))
		return false;
	train->before = reference_now();
	if (sc_guest_timer_set(&hypervisor, 0, PERIOD) || sc_guest_timer_set(&hypervisor, 1, PERIOD))
		return false;
	train->after = reference_now();
	return true;
}

/* Whether both kinds were new since `seen`, and nothing was wrong. */
static bool check(struct train *train, const struct train *seen)
{
	uint64_t elapsed;

	interrupts_mask();
	elapsed = (train->last.expiration_time - train->start) / PERIOD;
	print("@periodic cpu=%u interrupts=%u messages=%u coalesced=%u elapsed=%u\n", (uint64_t)cpu_self()->index,
	      train->interrupts, train->delivered, train->coalesced, elapsed);
	if (train->start > train->after)
		wrong(train, "first", train->start, train->after);
	if (train->delivered + train->coalesced != elapsed)
		wrong(train, "sum", train->delivered + train->coalesced, elapsed);
	interrupts_unmask();
	return !train->wrong && train->interrupts > seen->interrupts && train->delivered > seen->delivered;
}

static void run(void *argument)
{
	struct train *train = argument, seen = { 0 };
	struct course course = course_start();

	interrupts_unmask();
	if (!start(train))
		verdict(false, "the timers do not start");
	for (uint64_t next = reference_now() + SECOND; !course_over(&course); next = reference_now() + SECOND) {
		while (reference_now() < next)
			__asm__ volatile("wfi");
		if (!check(train, &seen))
			verdict(false, "see above");
		seen = *train;
	}
	sc_guest_timer_stop(&hypervisor, 0);
	sc_guest_timer_stop(&hypervisor, 1);
	interrupts_mask();
}

bool guest_main(void)
{
	bool passed = reference_start();

	for (uint32_t i = 1; passed && i < machine.cpu_count; i++)
		passed = cpu_run(i, run, &trains[i]);
	if (!passed)
		return false;
	run(&trains[0]);
	for (uint32_t i = 1; i < machine.cpu_count; i++)
		passed &= cpu_wait(i, 20000000);
	return passed;
}
