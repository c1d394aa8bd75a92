/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two fake hosts, a machine on the first, and a migration to the second over two socket pairs with a tap between them.
 *
 * Policy: both ends do what the monitor's own commands do, each in a thread that works for its host. The tap sees every
 * frame of both ways and may change it or end the connection anywhere. The fake watches that the guest never runs on
 * both hosts at once.
 */
#ifndef FAKE_PAIR_H
#define FAKE_PAIR_H

#include "host_fake.h"
#include "machine/machine.h"
#include "migrate/incoming.h"
#include "migrate/source.h"

enum pair_way {
	PAIR_TO_TARGET,
	PAIR_TO_SOURCE,
	PAIR_WAYS
};

#define PAIR_CLOCK_PAGE (LAYOUT_RAM_BASE + 9 * 4096)
#define PAIR_PASS SIZE_MAX
#define PAIR_LOSE (SIZE_MAX - 1) /* the frame is lost, and all that follows on this way; the connection stays */

/* Whom the source finds when it asks what became of a migration; by TCP, past the tap. */
enum pair_asked {
	PAIR_ASKED_TARGET,
	PAIR_ASKED_NOBODY,
	PAIR_ASKED_STRANGER, /* another receiver at the same address */
};

struct pair;

/* How many bytes of the frame pass; fewer than all, and the connection ends there. Or PAIR_PASS, PAIR_LOSE. */
typedef size_t (*pair_tap_fn)(struct pair *pair, enum pair_way way, uint32_t index, uint8_t *frame, size_t size);

struct pair {
	struct fake_host host[2]; /* source, target */
	struct machine source;
	struct machine target; /* if target_lives */
	bool target_lives;
	struct console console;
	struct incoming incoming[2]; /* of the target, and of a stranger */
	char address[3][32];	     /* by enum pair_asked */
	int ports[2];		     /* reserved for them */
	/* What the test may set before a migration. */
	struct channel_terms terms; /* the usual ones */
	struct source_options options;
	struct handover_limits limits;
	enum pair_asked asked;
	bool dry_run;
	uint32_t max_gap_s; /* the receiver's; 0: as it is by default */
	pair_tap_fn tap;
	void (*operator)(struct pair *pair); /* what happens meanwhile, in a thread of its own; NULL: nothing */
	void *context;
	uint64_t jitter; /* a frame takes up to so many ns; 0: none */
	uint64_t seed;
	/* What came of it. */
	struct gate gate;
	enum source_state source_state;
	int dry_run_result;
	struct error source_error;
	struct report report;
	int target_result;
	struct error target_error;
	bool go_passed; /* all of the GO that the source sent, unchanged */
	uint32_t frames[PAIR_WAYS];
	int ends[2][2]; /* of the source and of the target; [1] is the tap's */
	bool over;	/* atomic */
};

/* A running machine of `vcpus` vCPUs on the first host, memory filled from the seed; ends the program on failure. */
void pair_open(struct pair *pair, uint32_t from_hz, uint32_t to_hz, uint32_t vcpus, uint64_t seed);
/* The same, of the machine that is described. */
void pair_open_machine(struct pair *pair, const struct machine_config *config, uint32_t from_hz, uint32_t to_hz,
		       uint64_t seed);
void pair_close(struct pair *pair);

/* The guest's driver: clock on the page, direct timers. */
void pair_load_driver(struct pair *pair);

/* Migrates; the machine's state afterwards is what the monitor's control socket makes it. */
void pair_migrate(struct pair *pair);

/* The operator wants an undecided machine to go on: the source asks `asked` once more. */
void pair_ask_again(struct pair *pair);

/* After a failed migration: the guest still runs on the source, its memory untouched, and never ran on the target. */
bool pair_stayed(struct pair *pair);

/* Whether the memory that pair_open() filled is still as it was. */
bool pair_memory_is_intact(const struct pair *pair, const struct machine *machine);

/* Calls of a machine's clock for one of the hosts, from the test's thread. */
uint64_t pair_reference(struct pair *pair, struct machine *machine);
uint64_t pair_guest_counter(struct pair *pair, struct machine *machine);

#endif
