// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads the module's files. Policy: opened anew for each reading, because each is made when it is read.
 */
#include "probe_inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "/proc/seaclock_inspect/"
#define NS_PER_S 1000000000ll

static bool pair_read(const char *path, int64_t *first, int64_t *second)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	bool taken = fscanf(file, "%" SCNd64 " %" SCNd64, first, second) == 2;

	fclose(file);
	return taken;
}

bool inspect_delay(int64_t *ns)
{
	int64_t hz, ticks;

	if (!pair_read(FOLDER "delay", &hz, &ticks) || hz <= 0)
		return false;
	*ns = (int64_t)((__int128)ticks * NS_PER_S / hz);
	return true;
}

bool inspect_raw(int64_t *difference, int64_t *width)
{
	return pair_read(FOLDER "raw", difference, width);
}

static void events_add(struct inspect_events *events, int divider)
{
	events->least = !events->cpus || divider < events->least ? divider : events->least;
	events->most = !events->cpus || divider > events->most ? divider : events->most;
	events->cpus++;
}

bool inspect_events(struct inspect_events *events)
{
	FILE *file = fopen(FOLDER "events", "re");
	int enabled, divider;

	if (!file)
		return false;
	*events = (struct inspect_events){ 0 };
	while (fscanf(file, "%*d %*u %d %d", &enabled, &divider) == 2)
		events_add(events, enabled ? divider : -1);
	fclose(file);
	return events->cpus > 0;
}

static bool number_read(const char *path, int64_t *number)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	bool taken = fscanf(file, "%" SCNd64, number) == 1;

	fclose(file);
	return taken;
}

bool inspect_clock(int64_t *ns)
{
	return number_read(FOLDER "clock", ns);
}

bool inspect_rate(int64_t *hz)
{
	return number_read(FOLDER "rate", hz);
}

bool inspect_asked(int64_t *asked)
{
	return number_read(FOLDER "asked", asked);
}

int inspect_lock(unsigned int ms)
{
	int fd = open(FOLDER "lock", O_WRONLY | O_CLOEXEC);
	char text[16];
	int length = snprintf(text, sizeof(text), "%u", ms);

	if (fd < 0)
		return -errno;
	int err = write(fd, text, (size_t)length) == length ? 0 : -errno;

	close(fd);
	return err;
}
