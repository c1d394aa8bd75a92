/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both timers of the architecture, virtual and physical, armed again and again, also across a migration to another
 * counter rate: a deadline must come at the same instant, never before, and none may be lost.
 *
 * Policy: runs as course.c says; ms= is the distance of each deadline (default 100). Time is reference time, which
 * migrations do not bend; the counter's rate is read anew each time. A deadline that was set at one rate and comes at
 * another is judged like any other. Two lines a deadline: when it is armed and when it has come.
 */
#include "bare.h"
#include "reference.h"

#define CNTV_INTID 27u
#define CNTP_INTID 30u

/* A busy machine may hold everything up, but not for this long; wrong by the ratio of two rates is much more. */
#define LATE_MAX (10 * SECOND)

/* The counter and the reference clock are read one after the other: the deadline may seem early by that much. */
#define EARLY_MAX 20ull

static volatile uint64_t came_virtual, came_physical;

static void handle_virtual(void *argument)
{
	(void)argument;
	came_virtual = reference_now();
	__asm__ volatile("msr cntv_ctl_el0, xzr\n\tisb" : : : "memory");
}

static void handle_physical(void *argument)
{
	(void)argument;
	came_physical = reference_now();
	__asm__ volatile("msr cntp_ctl_el0, xzr\n\tisb" : : : "memory");
}

/* Arms both for `distance` units from now; the moment. */
static uint64_t arm(uint64_t distance)
{
	uint64_t ticks, due, counter;
	uint32_t sequence;

	/* Counter and rate must belong together: once more if the machine has moved meanwhile. */
	do {
		sequence = reference_sequence();
		due = reference_now() + distance;
		ticks = distance * counter_hz() / SECOND;
		came_virtual = came_physical = 0;
		__asm__ volatile("msr cntv_cval_el0, %0\n\tmsr cntv_ctl_el0, %1"
				 :
				 : "r"(counter_read() + ticks), "r"(1ull)
				 : "memory");
		__asm__ volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(counter) : : "memory");
		__asm__ volatile("msr cntp_cval_el0, %0\n\tmsr cntp_ctl_el0, %1\n\tisb"
				 :
				 : "r"(counter + ticks), "r"(1ull)
				 : "memory");
	} while (reference_sequence() != sequence);
	return due;
}

static bool in_time(uint64_t came, uint64_t due)
{
	return came + EARLY_MAX >= due && came < due + LATE_MAX;
}

static uint64_t late_us(uint64_t came, uint64_t due)
{
	return came > due ? (came - due) / 10 : 0;
}

static bool deadline_check(uint64_t distance)
{
	uint64_t due = arm(distance), from_hz = counter_hz();

	print("@armed hz=%u\n", from_hz);
	while ((!came_virtual || !came_physical) && reference_now() < due + LATE_MAX)
		;
	print("@cntv armed_hz=%u came_hz=%u virtual_late_us=%u physical_late_us=%u\n", from_hz, counter_hz(),
	      late_us(came_virtual, due), late_us(came_physical, due));
	return in_time(came_virtual, due) && in_time(came_physical, due);
}

bool guest_main(void)
{
	uint64_t distance = machine_option("ms", 100) * MS;
	struct course course;

	if (!reference_start() || !reference_movable())
		return false;
	interrupt_enable(CNTV_INTID, handle_virtual, NULL);
	interrupt_enable(CNTP_INTID, handle_physical, NULL);
	interrupts_unmask();
	for (course = course_start(); !course_over(&course);)
		if (!deadline_check(distance))
			return false;
	interrupts_mask();
	return true;
}
