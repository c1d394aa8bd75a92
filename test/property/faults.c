/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Property: migrations with a fault each, FAULTS of them: the connection is cut before a frame or within one, a byte is
 * wrong, a frame is late, a process is killed, a counter or a clock is stepped. The guest is never lost and never runs
 * twice. It is lost only with the process that was killed, if that held the only copy.
 *
 * Policy: both ends run as in the monitor (test/fake/pair.h), whose fake host ends the program if the guest runs on two
 * hosts at once. A process that is killed is one of which nothing is heard any more, and whose machine counts no more.
 */
#include "../fake/pair.h"
#include "../wait_scale.h"

#include "random.h"

#include <string.h>
#include <unistd.h>

#define FAULTS 40
#define LIMIT_S 100
#define VCPUS 2
#define LATE_NS_MAX 20000000000u

enum fault {
	FAULT_CUT,
	FAULT_CUT_WITHIN,
	FAULT_DAMAGE,
	FAULT_LATE,
	FAULT_KILL_SOURCE,
	FAULT_KILL_TARGET,
	FAULT_STEP_COUNTER,
	FAULT_STEP_CLOCK,
	FAULT_KINDS
};

static const char *const names[FAULT_KINDS] = {
	"cut", "cut within", "damage", "late", "source killed", "target killed", "counter stepped", "clock stepped",
};

struct strike {
	struct random *random;
	enum fault fault;
	enum pair_way way;
	enum frame_type type; /* of the frame; 0: its number counts */
	uint32_t at;
	bool struck;
};

static struct pair pair;

/* How many frames a migration without a fault has, each way. */
static uint32_t frames[PAIR_WAYS];

static struct {
	uint32_t faults, struck[FAULT_KINDS], stayed, moved, paused, lost;
} seen;

/* ---- The fault ---- */

/* The lower bytes of a length are left alone: both sides would wait for what never comes, until a time limit. */
static void damage(struct random *random, uint8_t *frame, size_t size)
{
	uint64_t place = random_between(random, 0, size - 1);

	if (place < 4 || place > 6)
		frame[place] ^= (uint8_t)(1u << random_between(random, 0, 7));
}

static void step_counter(struct random *random)
{
	struct fake_host *host = &pair.host[random_next(random) % 2];

	__atomic_fetch_add(&host->counter, random_wide(random) >> 8, __ATOMIC_RELAXED);
}

static void step_clock(struct random *random)
{
	struct fake_host *host = &pair.host[random_next(random) % 2];
	int64_t by = (int64_t)(random_wide(random) >> 4);

	__atomic_fetch_add(&host->realtime_off_ns, random_chance(random, 2) ? by : -by, __ATOMIC_RELAXED);
}

static size_t strike_frame(struct strike *strike, uint8_t *frame, size_t size)
{
	switch (strike->fault) {
	case FAULT_CUT_WITHIN:
		return random_between(strike->random, 0, size - 1);
	case FAULT_DAMAGE:
		damage(strike->random, frame, size);
		return PAIR_PASS;
	case FAULT_LATE:
		fake_time_advance(random_next(strike->random) % LATE_NS_MAX);
		return PAIR_PASS;
	case FAULT_STEP_COUNTER:
		step_counter(strike->random);
		return PAIR_PASS;
	case FAULT_STEP_CLOCK:
		step_clock(strike->random);
		return PAIR_PASS;
	default:
		return 0;
	}
}

static size_t tap(struct pair *taken, enum pair_way way, uint32_t index, uint8_t *frame, size_t size)
{
	struct strike *strike = taken->context;

	if (!strike || strike->struck || way != strike->way)
		return PAIR_PASS;
	if (strike->type ? frame[0] != strike->type : index != strike->at)
		return PAIR_PASS;
	strike->struck = true;
	return strike_frame(strike, frame, size);
}

/* ---- What must hold ---- */

static bool inside(struct machine *machine)
{
	return fake_vm_of(&machine->vm)->inside > 0;
}

static bool runs(struct machine *machine)
{
	return fake_vcpu_wait_inside(&machine->vcpus.vcpu[0].host, true);
}

/* The target is heard again, or somebody else where it was. */
static void ask_again(void)
{
	const enum pair_asked liars[] = { PAIR_ASKED_NOBODY, PAIR_ASKED_STRANGER };

	for (int n = 0; n < 2; n++) {
		pair.asked = liars[n];
		pair_ask_again(&pair);
		PROPERTY(pair.source_state == SOURCE_UNDECIDED && !inside(&pair.source), "%s", pair.source_error.text);
	}
	pair.asked = PAIR_ASKED_TARGET;
	pair_ask_again(&pair);
	seen.paused++;
}

/* Nobody was killed: one of them has it. */
static void check_both(const struct strike *strike)
{
	if (pair.source_state == SOURCE_UNDECIDED)
		ask_again();
	/* A GO that is too late does not count. */
	PROPERTY(pair.go_passed || !pair.target_lives, "%s: the target runs without GO", names[strike->fault]);
	PROPERTY(pair.target_lives || !pair.go_passed || strike->fault == FAULT_LATE,
		 "%s: the target does not run with GO: %s", names[strike->fault], pair.target_error.text);
	PROPERTY(pair.source_state == (pair.target_lives ? SOURCE_GONE : SOURCE_RUNNING),
		 "%s: source %d (%s), target %d (%s)", names[strike->fault], (int)pair.source_state,
		 pair.source_error.text, pair.target_result, pair.target_error.text);
	if (pair.target_lives)
		PROPERTY(runs(&pair.target) && pair_memory_is_intact(&pair, &pair.target),
			 "the guest is not whole there");
	else
		PROPERTY(pair_stayed(&pair), "%s: the guest is not as it was", names[strike->fault]);
	seen.stayed += !pair.target_lives;
	seen.moved += pair.target_lives;
}

/* The source had the only copy until GO; then the target has it. */
static void check_target_alone(void)
{
	PROPERTY(pair.target_lives == pair.go_passed, "the source was killed, the target: %s", pair.target_error.text);
	PROPERTY(!pair.target_lives || runs(&pair.target), "the guest does not run there");
	seen.moved += pair.target_lives;
	seen.lost += !pair.target_lives;
}

/* The source has it until DONE; from GO on it waits for an operator, who says that there is no target any more. */
static void check_source_alone(void)
{
	struct error error;

	if (pair.source_state == SOURCE_GONE) {
		seen.lost++;
		return;
	}
	PROPERTY(pair.source_error.text[0], "nobody says what became of it");
	if (pair.source_state == SOURCE_RUNNING) {
		PROPERTY(runs(&pair.source) && !pair.go_passed, "the guest does not run here, or there as well");
		seen.stayed++;
		return;
	}
	PROPERTY(pair.source_state == SOURCE_UNDECIDED && !inside(&pair.source), "source %d", (int)pair.source_state);
	PROPERTY(pair_memory_is_intact(&pair, &pair.source), "the guest is not as it was");
	if (pair.target_lives)
		machine_destroy(&pair.target);
	pair.target_lives = false;
	fake_host_use(&pair.host[0]);
	PROPERTY(!machine_resume(&pair.source, SC_CLOCK_ADVANCE, true, &error), "%s", error.text);
	PROPERTY(runs(&pair.source), "the guest does not go on");
	seen.paused++;
}

/* ---- Migrations ---- */

static void open_pair(struct random *random)
{
	fake_reset();
	pair_open(&pair, random_rate(random), random_rate(random), VCPUS, random_next(random));
	pair_load_driver(&pair);
	pair.tap = tap;
}

/* Any frame, or, since most are zeroes, one of those that a handover has once. */
static void choose_frame(struct random *random, struct strike *strike)
{
	static const enum frame_type once[] = { FRAME_HELLO, FRAME_CHECK, FRAME_STATE, FRAME_GO, FRAME_SETTLED };
	static const enum frame_type answers[] = { FRAME_WELCOME, FRAME_CHECKED, FRAME_READY, FRAME_DONE };

	strike->way = random_chance(random, 2) ? PAIR_TO_TARGET : PAIR_TO_SOURCE;
	strike->at = (uint32_t)random_between(random, 0, frames[strike->way] - 1);
	if (random_chance(random, 3))
		return;
	if (strike->way == PAIR_TO_TARGET)
		strike->type = once[random_next(random) % (sizeof(once) / sizeof(once[0]))];
	else
		strike->type = answers[random_next(random) % (sizeof(answers) / sizeof(answers[0]))];
}

static void migrate(struct strike *strike)
{
	pair.context = strike;
	pair.jitter = 1000;
	fake_time_set_step(50);
	pair_migrate(&pair);
	fake_time_set_step(0);
}

static void try_fault(struct random *random)
{
	struct strike strike = { .random = random, .fault = (enum fault)(random_next(random) % FAULT_KINDS) };
	bool killed = strike.fault == FAULT_KILL_SOURCE || strike.fault == FAULT_KILL_TARGET;

	choose_frame(random, &strike);
	pair.asked = killed ? PAIR_ASKED_NOBODY : (enum pair_asked)(random_next(random) % 3);
	migrate(&strike);
	if (!strike.struck || !killed)
		check_both(&strike);
	else if (strike.fault == FAULT_KILL_SOURCE)
		check_target_alone();
	else
		check_source_alone();
	seen.faults++;
	seen.struck[strike.fault] += strike.struck;
}

/* One that nothing happens to tells how many frames there are. */
static void count_frames(struct random *random)
{
	open_pair(random);
	migrate(NULL);
	PROPERTY(pair.source_state == SOURCE_GONE, "%s", pair.source_error.text);
	memcpy(frames, pair.frames, sizeof(frames));
	pair_close(&pair);
}

int main(void)
{
	const char *text = getenv("FAULTS");
	uint64_t faults = text ? strtoull(text, NULL, 0) : FAULTS;
	struct random random = random_start();

	count_frames(&random);
	for (uint64_t n = 0; n < faults; n++) {
		alarm(wait_scaled(LIMIT_S));
		open_pair(&random);
		try_fault(&random);
		pair_close(&pair);
	}
	printf("%u faults: %u stayed, %u moved, %u paused first, %u lost with the process that had them\n", seen.faults,
	       seen.stayed, seen.moved, seen.paused, seen.lost);
	for (int n = 0; n < FAULT_KINDS; n++)
		printf("%s %u\n", names[n], seen.struck[n]);
	printf("[  PASSED  ] 1 test(s).\n");
	return 0;
}
