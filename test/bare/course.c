/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a guest runs: until it has been moved as often as its command line says, and some seconds more.
 *
 * Policy: a move is seen by the counter's rate, so only those to another rate count. A move that does not come is a
 * verdict, lest a test that did not move its guest pass. The command line is read once: the guest may use its memory.
 */
#include "bare.h"

#define MOVE_LIMIT_US 180000000u

static struct limit course_limit(const struct course *course)
{
	return limit_start(course->moves ? MOVE_LIMIT_US : course->seconds * 1000000);
}

struct course course_start(void)
{
	struct course course = {
		.hz = counter_hz(),
		.moves = machine_option("moves", 0),
		.seconds = machine_option("s", 5),
	};

	course.limit = course_limit(&course);
	return course;
}

bool course_over(struct course *course)
{
	uint64_t hz = counter_hz();

	if (hz != course->hz) {
		course->hz = hz;
		course->moves -= course->moves > 0;
		course->limit = course_limit(course);
	}
	if (!limit_over(&course->limit))
		return false;
	if (course->moves)
		verdict(false, "no migration has come");
	return true;
}
