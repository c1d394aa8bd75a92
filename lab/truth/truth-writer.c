// SPDX-License-Identifier: BSD-2-Clause
/*
 * The writing side of the truth clock: stores this machine's CLOCK_MONOTONIC, in ns, at the start of a file that the
 * emulated hosts see as the memory of a PCI device. It keeps one processor busy, hence the limit in seconds: it ends by
 * itself even if its caller never comes back.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static _Atomic int64_t *truth_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p = MAP_FAILED;

	if (fd >= 0)
		p = mmap(NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		fprintf(stderr, "truth-writer: cannot map %s: %s\n", path, strerror(errno));
		exit(1);
	}
	close(fd);
	return p;
}

static int64_t seconds_parse(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || n < 1 || n > 3600) {
		fprintf(stderr, "truth-writer: \"%s\" is not a number of seconds from 1 to 3600\n", text);
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	_Atomic int64_t *truth;
	int64_t now, end;

	if (argc != 3) {
		fprintf(stderr, "usage: truth-writer FILE SECONDS\n");
		return 2;
	}
	end = monotonic_ns() + seconds_parse(argv[2]) * INT64_C(1000000000);
	truth = truth_map(argv[1]);
	do {
		now = monotonic_ns();
		atomic_store_explicit(truth, now, memory_order_relaxed);
	} while (now < end);
	return 0;
}
