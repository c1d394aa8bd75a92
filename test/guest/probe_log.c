// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads and writes the kernel's log. Policy: every record is read once, in order, so nothing is counted twice; records
 * that the kernel has overwritten before they were read count as a warning, since nobody knows what they said. Two
 * messages of the kernel are left out: that a timer interrupt took long, and that its scheduler was late by more than a
 * second. They say how long this machine kept an emulated processor from running, and nothing about the guest.
 */
#include "probe_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX 8192
#define LEVEL_MASK 7u
#define LEVEL_WARNING 4u
#define NS_PER_US 1000
/* Facility "user", level "info": neither shown on a console nor a warning. */
#define PRIORITY 14

static int log_fd = -1;
static uint64_t warnings, marks;

/* Otherwise the kernel takes no more than ten lines in five seconds. */
static void log_permit(void)
{
	int fd = open("/proc/sys/kernel/printk_devkmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "on\n", 3) != 3)
		perror("probe: printk_devkmsg");
	if (fd >= 0)
		close(fd);
}

int log_open(void)
{
	log_permit();
	log_fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return log_fd < 0 ? -errno : 0;
}

static bool starts_with(const char *text, const char *begin)
{
	return strncmp(text, begin, strlen(begin)) == 0;
}

static bool is_of_emulation(const char *text)
{
	return starts_with(text, "hrtimer: interrupt took ") ||
	       starts_with(text, "sched: DL replenish lagged too much");
}

/* One record: "PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT". Whether its text is `mark`, and then its stamp. */
static bool record_take(const char *record, const char *mark, int64_t *ns)
{
	unsigned int priority;
	int64_t us;
	const char *text = strchr(record, ';');

	if (!text || sscanf(record, "%u,%*u,%" SCNd64, &priority, &us) != 2)
		return false;
	warnings += (priority & LEVEL_MASK) <= LEVEL_WARNING && !is_of_emulation(text + 1);
	if (!starts_with(text + 1, mark))
		return false;
	*ns = us * NS_PER_US;
	return true;
}

/* Reads new records until the mark is found. */
static bool log_find(const char *mark, int64_t *ns)
{
	char record[RECORD_MAX + 1];
	ssize_t length;

	while ((length = read(log_fd, record, RECORD_MAX)) > 0 || (length < 0 && errno == EPIPE)) {
		warnings += length < 0;
		record[length < 0 ? 0 : length] = '\0';
		if (record_take(record, mark, ns))
			return true;
	}
	return false;
}

bool log_stamp(int64_t *ns)
{
	char line[64];
	/* The log may still hold marks of an earlier probe. */
	int length = snprintf(line, sizeof(line), "<%d>probe %d mark %" PRIu64 ".\n", PRIORITY, getpid(), ++marks);

	if (write(log_fd, line, (size_t)length) != length)
		return false;
	/* Without the priority and the newline. */
	line[length - 1] = '\0';
	return log_find(strchr(line, '>') + 1, ns);
}

uint64_t log_warnings(void)
{
	return warnings;
}
