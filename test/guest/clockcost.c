// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the time costs in a Linux guest: clock_gettime on the kernel's own clocksource before the module is loaded, then
 * on that, on the module's raw one and on its page in turn, and the change from one to another. Prints "NAME
 * PICOSECONDS".
 *
 *     clockcost MODULE
 *
 * Policy: timed by the counter. The least of many short batches counts, for whatever disturbs a batch makes it longer;
 * the clocksources take turns, so that they meet the same disturbances.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CURRENT "/sys/devices/system/clocksource/clocksource0/current_clocksource"
#define ROUNDS 20
#define BATCHES 20
#define CALLS 500
#define PS_PER_S 1000000000000ll
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint64_t counter(void)
{
	uint64_t count;

	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tisb" : "=r"(count) : : "memory");
	return count;
}

/* Picoseconds of so many ticks. */
static uint64_t ps_of(uint64_t ticks)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return (uint64_t)((unsigned __int128)ticks * PS_PER_S / hz);
}

static void take_least(uint64_t *least, uint64_t value)
{
	*least = value < *least ? value : *least;
}

static uint64_t batch_ticks(void)
{
	struct timespec now;
	uint64_t start = counter();

	for (int i = 0; i < CALLS; i++)
		clock_gettime(CLOCK_MONOTONIC, &now);
	return counter() - start;
}

static void batches_run(uint64_t *least)
{
	for (int i = 0; i < BATCHES; i++)
		take_least(least, batch_ticks());
}

/* Makes a clocksource the current one; returns how long that took, or 0 if it failed. */
static uint64_t select_ticks(const char *name)
{
	int fd = open(CURRENT, O_WRONLY | O_CLOEXEC);
	uint64_t start = counter();
	ssize_t written = fd < 0 ? -1 : write(fd, name, strlen(name));
	uint64_t ticks = counter() - start;

	if (fd >= 0)
		close(fd);
	return written == (ssize_t)strlen(name) ? ticks : 0;
}

static int module_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return err;
}

static void report(const char *name, uint64_t ticks, unsigned int calls)
{
	printf("%s %" PRIu64 "\n", name, ps_of(ticks) / calls);
}

static int compare(void)
{
	static const char *const names[] = { "arch_sys_counter", "seaclock_raw", "seaclock_page" };
	uint64_t reads[COUNT(names)], changes[COUNT(names)];

	memset(reads, 0xff, sizeof(reads));
	memset(changes, 0xff, sizeof(changes));
	for (size_t i = 0; i < ROUNDS * COUNT(names); i++) {
		size_t n = i % COUNT(names);
		uint64_t ticks = select_ticks(names[n]);

		if (!ticks)
			return errno;
		take_least(&changes[n], ticks);
		batches_run(&reads[n]);
	}
	for (size_t n = 0; n < COUNT(names); n++)
		report(names[n], reads[n], CALLS);
	report("to_raw", changes[1], 1);
	report("to_page", changes[2], 1);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t before = UINT64_MAX;

	for (int i = 0; i < ROUNDS; i++)
		batches_run(&before);
	report("before", before, CALLS);
	int err = argc == 2 ? module_load(argv[1]) : EINVAL;

	if (!err)
		err = compare();
	if (err)
		fprintf(stderr, "clockcost: %s: %s\n", argc == 2 ? argv[1] : "usage: clockcost MODULE", strerror(err));
	return err != 0;
}
