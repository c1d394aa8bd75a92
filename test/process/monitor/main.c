/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program `seaclock` on a fake host: all of the monitor but vmm/host/ as it is, with signals, files, sockets and
 * threads of the machine that it is tested on.
 *
 *     seaclock HOST COMMAND ...
 *
 * HOST describes the host, as in `hz=25000000,counter=77,stopped_ms=500`: names of host_words[] with numbers. Then
 * everything is as in seaclock(1).
 *
 * Policy: no setting comes from the environment, so a command line says all that a test has changed.
 */
#include "fault.h"
#include "guest.h"
#include "limits.h"
#include "../../intruder/intruder.h"
#include "base/journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_SIZE 512
#define DEFAULT_HZ 100000000u

/* vmm/command/main.c's main(). */
int seaclock_main(int argc, char **argv);

struct word {
	const char *name;
	void (*set)(struct fake_host *host, uint64_t value);
	int *limit; /* if there is nothing to call */
};

static void set_hz(struct fake_host *host, uint64_t value)
{
	host->hz = (uint32_t)value;
}

static void set_counter(struct fake_host *host, uint64_t value)
{
	host->counter = value;
}

static void set_features(struct fake_host *host, uint64_t value)
{
	host->features = value;
}

static void set_midr(struct fake_host *host, uint64_t value)
{
	struct identity_register midr = *identity_find(&host->identity, IDENTITY_MIDR);

	midr.value = value;
	identity_set(&host->identity, &midr);
}

static void set_writable_midr(struct fake_host *host, uint64_t value)
{
	struct identity_register midr = *identity_find(&host->identity, IDENTITY_MIDR);

	midr.writable = value;
	identity_set(&host->identity, &midr);
}

static void set_available(struct fake_host *host, uint64_t value)
{
	host->available = value << 20;
}

static void set_without_kvm(struct fake_host *host, uint64_t value)
{
	fake_fail(host, FAKE_CHECK, 0, UINT32_MAX, (int)value);
}

static void set_behind(struct fake_host *host, uint64_t value)
{
	host->realtime_off_ns = -(int64_t)(value * 1000000000u);
}

static void set_faults(struct fake_host *host, uint64_t value)
{
	(void)host;
	fault_open((int)value);
}

static void set_journal(struct fake_host *host, uint64_t value)
{
	(void)host;
	journal_adopt((int)value);
}

static const struct word host_words[] = {
	{ "hz", set_hz, NULL },				/* of the counter */
	{ "counter", set_counter, NULL },		/* at time 0 */
	{ "features", set_features, NULL },		/* of the processor; a vCPU with others is refused */
	{ "midr", set_midr, NULL },			/* MIDR_EL1 of the processor */
	{ "writable_midr", set_writable_midr, NULL },	/* the bits of it that a machine can be told otherwise */
	{ "available_mib", set_available, NULL },	/* memory */
	{ "without_kvm", set_without_kvm, NULL },	/* the error of the check */
	{ "behind_s", set_behind, NULL },		/* how far the clock that tells the date is behind */
	{ "faults", set_faults, NULL },			/* a descriptor: see fault.h */
	{ "journal", set_journal, NULL },		/* a descriptor: a datagram socket, connected */
	{ "frame_ms", NULL, &process_limits.frame_ms }, /* the time limits, by their names in transfer/limits.h */
	{ "prepare_ms", NULL, &process_limits.prepare_ms },
	{ "hold_ms", NULL, &process_limits.hold_ms },
	{ "stopped_ms", NULL, &process_limits.stopped_ms },
	{ "question_ms", NULL, &process_limits.question_ms },
	{ "retry_ms", NULL, &process_limits.retry_ms },
	{ "disks_ms", NULL, &process_limits.disks_ms },
	{ "comparison_ms", NULL, &process_limits.comparison_ms },
	{ "settled_ms", NULL, &process_limits.settled_ms },
	{ "unknown_ms", NULL, &process_limits.unknown_ms },
	{ "linger_ms", NULL, &process_limits.linger_ms },
	{ "rekey_kib", NULL, &process_limits.rekey_kib },
};

static bool word_apply(struct fake_host *host, const char *name, uint64_t value)
{
	for (size_t n = 0; n < sizeof(host_words) / sizeof(host_words[0]); n++) {
		const struct word *word = &host_words[n];

		if (strcmp(word->name, name) != 0)
			continue;
		if (word->set)
			word->set(host, value);
		else
			*word->limit = (int)value;
		return true;
	}
	return false;
}

/* NAME=NUMBER */
static bool word_parse(struct fake_host *host, char *word)
{
	char *value = strchr(word, '='), *end;
	uint64_t number;

	if (!value)
		return false;
	*value++ = '\0';
	errno = 0;
	number = strtoull(value, &end, 0);
	return !errno && *value && !*end && word_apply(host, word, number);
}

static bool host_parse(struct fake_host *host, const char *description)
{
	char text[HOST_SIZE], *rest = text, *word;

	*host = fake_host_make(DEFAULT_HZ, 0);
	if (strlen(description) >= sizeof(text))
		return false;
	memcpy(text, description, strlen(description) + 1);
	while ((word = strsep(&rest, ",")))
		if (*word && !word_parse(host, word))
			return false;
	return true;
}

int main(int argc, char **argv)
{
	struct fake_host *host;

	fake_reset();
	host = fake_host_current();
	if (argc < 2 || !host_parse(host, argv[1])) {
		fprintf(stderr, "usage: seaclock NAME=NUMBER[,NAME=NUMBER]... COMMAND ...\n");
		return EXIT_FAILURE;
	}
	intruder_open();
	host->guest = guest_run;
	fake_time_follow_machine();
	argv[1] = argv[0];
	return seaclock_main(argc - 1, argv + 1);
}
