/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reference clock for chronyd that runs PPM fast: `reference PPM SOCKET` sends it a sample every SAMPLE_MS by its
 * SOCK refclock, until it is killed. Once the kernel's clock has been steered half as far, it prints "@steered ppm=N".
 *
 * Policy: it shows CLOCK_REALTIME's time when it begins, and from then on counts CLOCK_MONOTONIC_RAW, which nobody
 * steers.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

#include "probe_line.h"
#include "probe_truth.h"

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_US 1000
#define PPM 1000000
#define SAMPLE_MS 100
#define SOCK_MAGIC 0x534f434b
#define TICK_US 10000 /* the kernel's, when it is not steered */
#define PPM_PER_TICK_US 100
#define FREQ_PER_PPM 65536

/* chrony's, refclock_sock.c: the offset is in seconds. */
struct sample {
	struct timeval time;
	double offset;
	int pulse;
	int leap;
	int padding;
	int magic;
};

/* The reference shows `real` when the raw clock shows `raw`; ns. */
struct origin {
	int64_t real, raw;
};

static int socket_open(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	while (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		if (errno != ENOENT && errno != ECONNREFUSED)
			return -1;
		usleep(SAMPLE_MS * 1000);
	}
	return fd;
}

static bool sample_send(int fd, const struct origin *origin, int64_t ppm)
{
	int64_t real = truth_clock_ns(CLOCK_REALTIME), raw = truth_clock_ns(CLOCK_MONOTONIC_RAW) - origin->raw;
	int64_t ahead = origin->real + raw + raw / PPM * ppm - real;
	const struct sample sample = {
		.time = { .tv_sec = real / NS_PER_S, .tv_usec = real % NS_PER_S / NS_PER_US },
		.offset = (double)ahead / NS_PER_S,
		.magic = SOCK_MAGIC,
	};

	return send(fd, &sample, sizeof(sample), 0) == (ssize_t)sizeof(sample);
}

static int64_t steered_ppm(void)
{
	struct timex timex = { 0 };

	adjtimex(&timex);
	return (timex.tick - TICK_US) * PPM_PER_TICK_US + timex.freq / FREQ_PER_PPM;
}

int main(int argc, char **argv)
{
	bool said = false;

	if (argc != 3) {
		fprintf(stderr, "usage: reference PPM SOCKET\n");
		return 2;
	}
	int64_t ppm = strtol(argv[1], NULL, 10);
	int fd = socket_open(argv[2]);
	const struct origin origin = { truth_clock_ns(CLOCK_REALTIME), truth_clock_ns(CLOCK_MONOTONIC_RAW) };

	if (fd < 0) {
		fprintf(stderr, "reference: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	while (sample_send(fd, &origin, ppm)) {
		int64_t steered = steered_ppm();

		if (!said && (ppm < 0 ? steered <= ppm / 2 : steered >= ppm / 2)) {
			line_print("@steered ppm=%" PRId64, steered);
			said = true;
		}
		usleep(SAMPLE_MS * 1000);
	}
	fprintf(stderr, "reference: %s: %s\n", argv[2], strerror(errno));
	return 1;
}
