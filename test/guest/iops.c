// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a guest's disk gives:
 *
 *     iops read|write random|sequential SIZE DEPTH REQUESTS DISK
 *
 * makes so many requests of SIZE bytes, DEPTH of them at a time, past the kernel's cache, and prints "@iops ns=N", the
 * time that all of them took by the counter. What is on the disk is overwritten.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "iops_walk.h"
#include "iops_queue.h"

#define NS_PER_S 1000000000u
#define SIZE_MAX_BYTES (1u << 20)
#define REQUESTS_MAX 100000000u

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "iops: %s: %s\n", what, why);
	return 1;
}

static uint64_t ns_of(uint64_t ticks)
{
	uint64_t hz;

	__asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hz));
	return (uint64_t)((unsigned __int128)ticks * NS_PER_S / hz);
}

/* From 1 to max. */
static bool number_parse(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return !errno && end != text && !*end && *number && *number <= max;
}

static bool word_parse(const char *text, const char *no, const char *yes, bool *is)
{
	*is = strcmp(text, yes) == 0;
	return *is || strcmp(text, no) == 0;
}

static int disk_measure(struct queue_load *load, bool random, uint64_t size, uint64_t *ticks)
{
	off_t bytes = lseek(load->fd, 0, SEEK_END);
	struct walk walk;

	if (bytes < 0)
		return -errno;
	return walk_begin(&walk, random, size, (uint64_t)bytes) ? queue_run(load, &walk, ticks) : -ENOSPC;
}

int main(int argc, char **argv)
{
	struct queue_load load = { .fd = -1 };
	uint64_t size, depth, ticks = 0;
	bool random;
	int result;

	if (argc != 7 || !word_parse(argv[1], "read", "write", &load.write) ||
	    !word_parse(argv[2], "sequential", "random", &random) || !number_parse(argv[3], SIZE_MAX_BYTES, &size) ||
	    !number_parse(argv[4], QUEUE_DEPTH_MAX, &depth) || !number_parse(argv[5], REQUESTS_MAX, &load.requests))
		return fail("usage", "iops read|write random|sequential SIZE DEPTH REQUESTS DISK");
	load.depth = (uint32_t)depth;
	load.fd = open(argv[6], (load.write ? O_WRONLY : O_RDONLY) | O_DIRECT | O_CLOEXEC);
	if (load.fd < 0)
		return fail(argv[6], strerror(errno));
	result = disk_measure(&load, random, size, &ticks);
	close(load.fd);
	if (result)
		return fail(argv[6], strerror(-result));
	printf("@iops ns=%" PRIu64 "\n", ns_of(ticks));
	return 0;
}
