// SPDX-License-Identifier: BSD-2-Clause
/*
 * The test load of the nested guest: reads clocks on two vCPUs, sleeps, samples truth, and reports on the console.
 *
 *     probe SECONDS|forever [busy] [sample_ms=N] [sleepers=N] [burst=N] [pause_us=N] [hotplug_ms=N] [memory_mib=N]
 *                           [memory_rate=N] [level_ms=N] [silence_s=N] [bracket_ms=N] [seed=N]
 *                           [ptp=PATH|realtime]
 *     probe refuse starve|lock SECONDS
 *
 * memory_rate is in MiB a second. level_ms and lock need seaclock_inspect.ko. silence_s is how long the second form
 * may keep everything else from running, which does not count against a sleep. bracket_ms is for a guest whose counter
 * is truth.
 *
 * Policy: it measures and prints; judging is left to the judge, on the machine that runs the lab. The first thread
 * samples and reports with real-time priority, so the load does not widen its samples. It ends with "@done".
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "probe_bracket.h"
#include "probe_busy.h"
#include "probe_hotplug.h"
#include "probe_level.h"
#include "probe_line.h"
#include "probe_memory.h"
#include "probe_readers.h"
#include "probe_refuse.h"
#include "probe_sleepers.h"
#include "probe_truth.h"

#define NS_PER_S 1000000000ll
#define FOREVER UINT_MAX

struct options {
	unsigned int seconds;
	bool busy;
	unsigned int sample_ms;
	unsigned int sleepers;
	unsigned int burst;
	unsigned int pause_us;
	unsigned int hotplug_ms;
	unsigned int memory_mib;
	unsigned int memory_rate;
	unsigned int level_ms;
	unsigned int silence_s;
	unsigned int bracket_ms;
	unsigned int seed;
	const char *ptp;
};

static bool number_parse(const char *text, unsigned int *value)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);

	if (errno || end == text || *end || number > INT_MAX)
		return false;
	*value = (unsigned int)number;
	return true;
}

static bool option_parse(struct options *options, const char *argument)
{
	const struct {
		const char *name;
		unsigned int *value;
	} numbers[] = {
		{ "sample_ms=", &options->sample_ms },
		{ "sleepers=", &options->sleepers },
		{ "burst=", &options->burst },
		{ "pause_us=", &options->pause_us },
		{ "hotplug_ms=", &options->hotplug_ms },
		{ "memory_mib=", &options->memory_mib },
		{ "memory_rate=", &options->memory_rate },
		{ "level_ms=", &options->level_ms },
		{ "silence_s=", &options->silence_s },
		{ "bracket_ms=", &options->bracket_ms },
		{ "seed=", &options->seed },
	};

	if (strcmp(argument, "busy") == 0)
		return options->busy = true;
	if (strncmp(argument, "ptp=", 4) == 0) {
		options->ptp = argument + 4;
		return true;
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strncmp(argument, numbers[i].name, strlen(numbers[i].name)) == 0)
			return number_parse(argument + strlen(numbers[i].name), numbers[i].value);
	return false;
}

static bool options_parse(struct options *options, int argc, char **argv)
{
	if (argc < 2)
		return false;
	if (strcmp(argv[1], "forever") == 0)
		options->seconds = FOREVER;
	else if (!number_parse(argv[1], &options->seconds))
		return false;
	for (int i = 2; i < argc; i++)
		if (!option_parse(options, argv[i]))
			return false;
	return options->sample_ms > 0 && options->memory_rate > 0;
}

/* The threads that use the clocks all the time. Busy loops have a vCPU to themselves. Returns 0, or -errno. */
static int users_start(const struct options *options, const struct truth *truth)
{
	if (options->busy)
		return busy_start();
	int err = readers_start(options->burst, options->pause_us);

	return err ? err : sleepers_start(truth, options->sleepers, options->seed, options->silence_s * NS_PER_S);
}

/* Returns 0, or -errno. */
static int load_start(const struct options *options, const struct truth *truth)
{
	int err = users_start(options, truth);

	if (!err && options->hotplug_ms)
		err = hotplug_start(options->hotplug_ms);
	if (!err && options->memory_mib)
		err = memory_start(options->memory_mib, options->memory_rate);
	if (!err && options->level_ms)
		err = level_start(truth, options->level_ms);
	if (!err && options->bracket_ms)
		err = bracket_start(options->bracket_ms);
	return err;
}

static void load_report(const struct options *options, const struct truth *truth)
{
	if (options->busy) {
		busy_report(truth);
		return;
	}
	readers_report();
	sleepers_report();
	if (options->hotplug_ms)
		hotplug_report();
	if (options->memory_mib)
		memory_report();
}

static void sample_print(const struct truth *truth)
{
	struct truth_sample s = truth_sample_take(truth);

	line_print("@sample hz=%" PRIu64 " ptp=%" PRId64 " mono=%" PRId64 " boot=%" PRId64 " real=%" PRId64
		   " cnt=%" PRIu64 " width=%" PRId64,
		   s.hz, s.ptp, s.mono, s.boot, s.real, s.cnt, s.width);
}

static void prefer_this_thread(void)
{
	struct sched_param param = { .sched_priority = 50 };

	/* Without permission the samples are wider, and nothing else changes. */
	pthread_setschedparam(pthread_self(), SCHED_FIFO, &param);
}

static bool is_over(const struct options *options, int64_t start)
{
	return options->seconds != FOREVER && truth_clock_ns(CLOCK_MONOTONIC) - start >= options->seconds * NS_PER_S;
}

static void measure(const struct options *options, const struct truth *truth)
{
	const struct timespec pause = { options->sample_ms / 1000, options->sample_ms % 1000 * 1000000l };
	int64_t start = truth_clock_ns(CLOCK_MONOTONIC);
	int64_t reported = start;

	while (!is_over(options, start)) {
		sample_print(truth);
		if (truth_clock_ns(CLOCK_MONOTONIC) - reported >= NS_PER_S) {
			load_report(options, truth);
			reported = truth_clock_ns(CLOCK_MONOTONIC);
		}
		nanosleep(&pause, NULL);
	}
	load_report(options, truth);
}

static int usage(void)
{
	fprintf(stderr, "usage: probe SECONDS|forever [busy] [sample_ms=N] [sleepers=N] [burst=N] [pause_us=N]"
			" [hotplug_ms=N] [memory_mib=N] [memory_rate=N] [level_ms=N] [silence_s=N]"
			" [bracket_ms=N] [seed=N] [ptp=PATH|realtime]\n"
			"       probe refuse starve|lock SECONDS\n");
	return 2;
}

/* The second form. Returns the exit status. */
static int refuse_main(const char *kind, const char *length)
{
	unsigned int seconds;

	if (!number_parse(length, &seconds))
		return usage();
	int err = refuse(kind, seconds);

	if (err)
		fprintf(stderr, "probe: cannot refuse: %s\n", strerror(-err));
	return err ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.sample_ms = 250, .sleepers = 8, .burst = 100, .pause_us = 3000, .memory_rate = 8, .ptp = "/dev/ptp0"
	};
	struct truth truth;

	if (argc == 4 && strcmp(argv[1], "refuse") == 0)
		return refuse_main(argv[2], argv[3]);
	if (getrandom(&options.seed, sizeof(options.seed), 0) < 0)
		options.seed = 1;
	options.seed &= INT_MAX;
	if (!options_parse(&options, argc, argv))
		return usage();
	int err = truth_open(&truth, options.ptp);

	if (err) {
		fprintf(stderr, "probe: no truth clock at %s: %s\n", options.ptp, strerror(-err));
		return 1;
	}
	line_print("@probe seed=%u cpus=%ld", options.seed, sysconf(_SC_NPROCESSORS_ONLN));
	err = load_start(&options, &truth);
	if (err) {
		fprintf(stderr, "probe: cannot start the load: %s\n", strerror(-err));
		return 1;
	}
	prefer_this_thread();
	measure(&options, &truth);
	if (options.busy)
		busy_stop();
	line_print("@done");
	return 0;
}
