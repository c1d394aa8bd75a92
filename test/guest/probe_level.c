// SPDX-License-Identifier: BSD-2-Clause
/*
 * Takes the pictures. Policy: a picture is of one host; if the guest moved meanwhile, it is thrown away. The driver's
 * own state is printed for people and scripts, and judges nothing.
 */
#include "probe_level.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "probe_child.h"
#include "probe_inspect.h"
#include "probe_line.h"
#include "probe_log.h"
#include "probe_stamp.h"

#define STATE "/sys/kernel/debug/seaclock/state"

struct picture {
	uint64_t hz;
	struct stamp sched, log;
	bool vdso;
	int64_t delay_ns, timer_rate;
	int64_t raw_less_reference, raw_width;
	struct inspect_events events;
	struct child_time busy;
};

/* A stamp of the log has whole microseconds. */
#define LOG_UNIT_NS 1000

static unsigned int period;

/* False if something could not be measured, or not on one host. */
static bool picture_take(struct picture *picture, const struct truth *truth)
{
	picture->hz = truth_rate();
	picture->vdso = child_uses_vdso();
	picture->busy = child_time_take(truth);
	if (!stamp_take(&picture->sched, truth, inspect_clock) || !stamp_take(&picture->log, truth, log_stamp))
		return false;
	picture->log.width += 2 * LOG_UNIT_NS;
	return inspect_delay(&picture->delay_ns) && inspect_rate(&picture->timer_rate) &&
	       inspect_raw(&picture->raw_less_reference, &picture->raw_width) && inspect_events(&picture->events) &&
	       truth_rate() == picture->hz;
}

static void picture_print(const struct picture *p)
{
	line_print("@level hz=%" PRIu64 " sp=%" PRId64 " sw=%" PRId64 " sched=%" PRId64 " lp=%" PRId64 " lw=%" PRId64
		   " log=%" PRId64 " vdso=%d delay=%" PRId64 " rate=%" PRId64 " lo=%d hi=%d cpus=%d warn=%" PRIu64
		   " cpu=%" PRId64 " of=%" PRId64,
		   p->hz, p->sched.ptp, p->sched.width, p->sched.value, p->log.ptp, p->log.width, p->log.value, p->vdso,
		   p->delay_ns, p->timer_rate, p->events.least, p->events.most, p->events.cpus, log_warnings(),
		   p->busy.cpu, p->busy.truth);
}

static void raw_print(const struct picture *p)
{
	line_print("@raw hz=%" PRIu64 " ptp=%" PRId64 " less=%" PRId64 " width=%" PRId64, p->hz, p->sched.ptp,
		   p->raw_less_reference, p->raw_width);
}

/* "name value" lines of the driver as fields, as many as a line holds. */
static void state_print(void)
{
	static const char *const wanted[] = { "level", "clock",	       "rate_hz",      "switches",
					      "holds", "late_repairs", "last_hold_us", "last_step_ns" };
	char text[LINE_MAX_LENGTH / 2] = "", name[32], value[32];
	FILE *file = fopen(STATE, "re");

	while (file && fscanf(file, "%31s %31s", name, value) == 2)
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
			if (strcmp(name, wanted[i]) == 0 &&
			    strlen(text) + strlen(name) + strlen(value) + 3 < sizeof(text))
				snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s=%s", name, value);
	if (file)
		fclose(file);
	if (text[0])
		line_print("@module hz=%" PRIu64 "%s", truth_rate(), text);
}

static void *level_run(void *argument)
{
	const struct timespec pause = { period / 1000, period % 1000 * 1000000l };

	for (;;) {
		struct picture picture;

		if (picture_take(&picture, argument)) {
			picture_print(&picture);
			raw_print(&picture);
		}
		state_print();
		nanosleep(&pause, NULL);
	}
	return NULL;
}

int level_start(const struct truth *truth, unsigned int period_ms)
{
	pthread_t thread;
	int err = log_open();

	period = period_ms;
	return err ? err : -pthread_create(&thread, NULL, level_run, (void *)truth);
}
