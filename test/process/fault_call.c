/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of the monitor fails, or is interrupted: an allocation, a call of the system, one of the fake host. While a
 * guest boots, is saved, restored and moved; the call is one of the source, of the target or of a client's command.
 *
 * Policy: whatever fails, no process crashes or leaks, what was ordered is done or refused in a sentence, and the guest
 * is where it was or where it was to go, on one host. Then the same is ordered once more, without a fault, and done. A
 * run tries a few calls, chosen by its seed; with FULL=1 all of them, or each STRIDE-th from SEED on.
 */
#include "fixture/crossing.h"

#include "../property/random.h"
#include "monitor/fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUEST CROSSING_GUEST
/* Time limits of a migration, ms. */
#define STOPPED_MS 3000
#define QUESTION_MS 500
#define DISKS_MS 2000
#define CASES_MAX 8192
#define HOST_SIZE 160

static struct fault_board *board;
static int board_fd;

/* ---- The board ---- */

static const char *const kind_names[FAULT_KINDS] = {
	[FAULT_ALLOCATION] = "allocation",
	[FAULT_CALL] = "call",
	[FAULT_INTERRUPTION] = "interruption",
	[FAULT_HOST] = "host",
};

/* Children inherit the descriptor. */
static void board_make(void)
{
	board_fd = memfd_create("board", 0);
	assert_true(board_fd >= 0 && !ftruncate(board_fd, sizeof(*board)));
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, board_fd, 0);
	assert_true(board != MAP_FAILED);
}

static void board_set(enum fault_kind kind)
{
	__atomic_store_n(&board->kind, (int)kind, __ATOMIC_RELEASE);
}

static bool board_has_struck(void)
{
	return __atomic_load_n(&board->struck, __ATOMIC_ACQUIRE);
}

/* ---- Hosts and guests ---- */

/* Two hosts; and the operator's terminals on them, where commands never fail but for the fault of another process. */
static struct node altra, grace, altra_operator, grace_operator;
static struct process *monitor, *receiver;

static void make_node(struct node *node, const char *name, char *host, const char *words, bool faulty)
{
	snprintf(host, HOST_SIZE, "%s,stopped_ms=%d,question_ms=%d,retry_ms=20,linger_ms=100,disks_ms=%d", words,
		 (int)wait_scaled(STOPPED_MS), (int)wait_scaled(QUESTION_MS), (int)wait_scaled(DISKS_MS));
	if (faulty)
		snprintf(host + strlen(host), HOST_SIZE - strlen(host), ",faults=%d", board_fd);
	node_make(node, name, host);
}

static void make_nodes(bool altra_is_faulty, bool grace_is_faulty)
{
	static char hosts[3][HOST_SIZE];

	make_node(&altra, "altra", hosts[0], "hz=25000000,counter=998877665544", altra_is_faulty);
	make_node(&grace, "grace", hosts[1], "hz=1000000000,counter=1234", grace_is_faulty);
	make_node(&altra_operator, "altra", hosts[2], "", false);
	make_node(&grace_operator, "grace", hosts[2], "", false);
}

static const char *make_disk(void)
{
	static const char content[4096];
	const char *path = process_path("disk");

	if (access(path, F_OK))
		process_write(path, content, sizeof(content));
	return path;
}

static bool runs(const struct node *node)
{
	return node_state_is(node, GUEST, "running");
}

/* What a process has said last is a sentence, of which it has ended. */
static void expect_last_words(const struct process *process)
{
	const char *text = process_text(process->errors), *last = strrchr(text, '\n');

	assert_non_null(last);
	assert_string_equal(last, "\n");
	while (last > text && last[-1] != '\n')
		last--;
	if (strncmp(last, "seaclock: ", 10) != 0 || process->status == 0)
		fail_msg("it ended with status %d and: %s", process->status, text);
}

/* It ends as it is told to, at the latest by the second signal, and is not known to have crashed or leaked. */
static void end(struct process *process)
{
	process_signal(process, SIGTERM);
	process_wait(process);
}

static int ask(struct node *node, const char *verb)
{
	return node_command(node, verb, GUEST, NULL);
}

/* The status of a command, which says a sentence if it has failed. */
static int judge(struct process *command)
{
	int status = node_finish(&altra_operator, command);

	if (status)
		node_expect_sentence(&altra_operator, "");
	return status;
}

/* ---- Booting, and small orders ---- */

struct start {
	const struct node *node;
	struct process *process;
};

static bool is_decided(void *context)
{
	const struct start *start = context;

	return process_has_ended(start->process) || runs(start->node);
}

/* True if the guest runs; otherwise its monitor has ended with a sentence. */
static bool await_start(const struct node *node, struct process *process)
{
	struct start start = { node, process };

	process_wait_until(is_decided, &start, "the guest runs, or its monitor has ended");
	if (process_has_ended(process)) {
		expect_last_words(process);
		return false;
	}
	return true;
}

static struct process *boot(struct node *node)
{
	return node_start(node, "run", GUEST, "--kernel", node_kernel(), "--memory", "64", "--append",
			  "guest=reference", "--console", node_path(node, "guest.console"), "--disk", make_disk(),
			  NULL);
}

/* Nothing that a client asks for ends a machine, unless it is that. */
static void give_orders(struct node *node, struct process *process)
{
	static const char *const verbs[] = { "status", "pause", "resume" };

	for (size_t n = 0; n < ARRAY_SIZE(verbs); n++) {
		if (ask(node, verbs[n]))
			node_expect_sentence(node, "");
		assert_false(process_has_ended(process));
	}
}

/* The fault may be in the order to end. */
static void end_by_order(struct node *node, struct process *process)
{
	if (ask(node, "stop")) {
		node_expect_sentence(node, "");
		end(process);
	}
	assert_int_equal(process_wait(process), 6);
}

static void course_boot(enum fault_kind kind)
{
	struct process *process;

	make_nodes(true, false);
	board_set(kind);
	process = boot(&altra);
	if (!await_start(&altra, process))
		return;
	give_orders(&altra_operator, process);
	end_by_order(&altra_operator, process);
}

/* ---- Files ---- */

static struct process *restore(struct node *node)
{
	return node_start(node, "restore", process_path("guest.save"), "--console", node_path(node, "guest.console"),
			  NULL);
}

/* The guest in the file is whole. */
static void expect_in_file(void)
{
	struct process *process = restore(&grace);

	node_wait_state(&grace, GUEST, "running");
	node_runs_on(&grace, GUEST);
	assert_int_equal(ask(&grace_operator, "stop"), 0);
	assert_int_equal(process_wait(process), 6);
}

static struct process *start_save(struct node *node)
{
	return node_start(node, "save", GUEST, process_path("guest.save"), NULL);
}

static void boot_and_arm(bool faulty, enum fault_kind kind)
{
	make_nodes(faulty, false);
	monitor = boot(&altra);
	node_wait_state(&altra, GUEST, "running");
	node_wait_level(&altra, GUEST, "reference");
	board_set(kind);
}

static bool is_settled(void *context)
{
	(void)context;
	return process_has_ended(monitor) || runs(&altra);
}

/* A save that has failed leaves the guest running, and the next one takes it. */
static void expect_saved_at_last(int status)
{
	board_set(FAULT_NONE);
	process_wait_until(is_settled, NULL, "the guest runs on, or is in the file");
	if (!process_has_ended(monitor)) {
		assert_int_not_equal(status, 0);
		node_runs_on(&altra, GUEST);
		assert_int_equal(judge(start_save(&altra_operator)), 0);
	}
	assert_int_equal(process_wait(monitor), 7);
	expect_in_file();
}

static void course_save(enum fault_kind kind)
{
	boot_and_arm(true, kind);
	expect_saved_at_last(judge(start_save(&altra_operator)));
}

static void course_save_order(enum fault_kind kind)
{
	struct node faulty;
	char host[HOST_SIZE];

	boot_and_arm(false, kind);
	make_node(&faulty, "altra", host, "hz=25000000", true);
	expect_saved_at_last(judge(start_save(&faulty)));
}

static void course_restore(enum fault_kind kind)
{
	struct process *process;
	struct node other, operator;
	char host[HOST_SIZE], plain[HOST_SIZE];

	boot_and_arm(false, FAULT_NONE);
	assert_int_equal(judge(start_save(&altra_operator)), 0);
	assert_int_equal(process_wait(monitor), 7);
	make_node(&other, "other", host, "hz=100000000", true);
	make_node(&operator, "other", plain, "", false);
	board_set(kind);
	process = restore(&other);
	if (await_start(&other, process)) {
		give_orders(&operator, process);
		end_by_order(&operator, process);
	}
	board_set(FAULT_NONE);
	expect_in_file();
}

/* ---- Moves ---- */

static struct process *start_migrate(struct node *node)
{
	return node_start(node, "migrate", GUEST, grace.address, "--max-step", "1000000", NULL);
}

static void move_begin(bool source_is_faulty, bool target_is_faulty, enum fault_kind kind)
{
	make_nodes(source_is_faulty, target_is_faulty);
	receiver = node_receive(&grace);
	monitor = boot(&altra);
	node_wait_state(&altra, GUEST, "running");
	node_wait_level(&altra, GUEST, "reference");
	board_set(kind);
}

static bool is_paused(void)
{
	return node_state_is(&altra, GUEST, "undecided") || node_state_is(&altra, GUEST, "diskless") ||
	       node_state_is(&altra, GUEST, "paused");
}

/* A guest that is paused on the source, whose operator was told: he can always have it go on where it is whole. */
static bool move_is_settled(void *context)
{
	bool here = !process_has_ended(monitor) && runs(&altra), there = !process_has_ended(receiver) && runs(&grace);

	(void)context;
	assert_false(here && there);
	if (process_has_ended(monitor) || !is_paused())
		return here || there;
	if (ask(&altra_operator, "resume"))
		node_expect_sentence(&altra_operator, "");
	return false;
}

static void move_at_last(void)
{
	if (process_has_ended(receiver)) {
		expect_last_words(receiver);
		receiver = node_receive(&grace);
	}
	node_runs_on(&altra, GUEST);
	assert_int_equal(judge(start_migrate(&altra_operator)), 0);
	node_wait_state(&grace, GUEST, "running");
}

static void expect_moved_at_last(void)
{
	board_set(FAULT_NONE);
	process_wait_until(move_is_settled, NULL, "the guest runs on one host");
	if (!process_has_ended(monitor) && runs(&altra))
		move_at_last();
	assert_int_equal(process_wait(monitor), 5);
	node_runs_on(&grace, GUEST);
	assert_int_equal(ask(&grace_operator, "stop"), 0);
	assert_int_equal(process_wait(receiver), 6);
}

static void course_source(enum fault_kind kind)
{
	move_begin(true, false, kind);
	judge(start_migrate(&altra_operator));
	expect_moved_at_last();
}

static void course_target(enum fault_kind kind)
{
	move_begin(false, true, kind);
	judge(start_migrate(&altra_operator));
	expect_moved_at_last();
}

static void course_move_order(enum fault_kind kind)
{
	struct node faulty;
	char host[HOST_SIZE];

	move_begin(false, false, kind);
	make_node(&faulty, "altra", host, "hz=25000000", true);
	judge(start_migrate(&faulty));
	expect_moved_at_last();
}

/* ---- All of them ---- */

/* `usual`: about so many calls of each kind count. */
static const struct course {
	const char *name;
	void (*run)(enum fault_kind kind);
	uint32_t usual[FAULT_KINDS];
} courses[] = {
	{ "boot", course_boot, { 0, 200, 130, 60, 20 } },
	{ "save", course_save, { 0, 65, 67, 36, 8 } },
	{ "save, client", course_save_order, { 0, 57, 21, 17, 0 } },
	{ "restore", course_restore, { 0, 200, 130, 60, 20 } },
	{ "source", course_source, { 0, 130, 130, 60, 15 } },
	{ "target", course_target, { 0, 110, 90, 60, 20 } },
	{ "migrate, client", course_move_order, { 0, 40, 10, 8, 0 } },
};

struct fault_case {
	const struct course *course;
	enum fault_kind kind;
	uint32_t nth;
	char name[64];
};

static struct fault_case cases[CASES_MAX];
static struct CMUnitTest tests[CASES_MAX];
static size_t case_count;
static uint32_t over[ARRAY_SIZE(courses)][FAULT_KINDS]; /* no call has this number, nor a higher one; 0: unknown */
static uint32_t struck;

static void test_case(void **state)
{
	const struct fault_case *item = *state;
	uint32_t *limit = &over[item->course - courses][item->kind];

	if (*limit && item->nth >= *limit)
		skip();
	memset(board, 0, sizeof(*board));
	board->nth = item->nth;
	item->course->run(item->kind);
	board_set(FAULT_NONE);
	if (board_has_struck())
		struck++;
	else
		*limit = item->nth;
}

/* Where in the program it was, as addr2line takes it, for whoever looks into a failure. */
static int tear_down(void **state)
{
	int result = process_tear_down(state);

	print_message("%s, after %u others, from", board->name, board->nth);
	for (int n = 0; n < FAULT_DEPTH && board->place[n]; n++)
		print_message(" 0x%zx", (size_t)board->place[n] - 1);
	print_message("\n");
	return result;
}

static void add(const struct course *course, enum fault_kind kind, uint32_t nth)
{
	struct fault_case *item = &cases[case_count];

	assert_true(case_count < CASES_MAX);
	*item = (struct fault_case){ .course = course, .kind = kind, .nth = nth };
	snprintf(item->name, sizeof(item->name), "%s: %s %u", course->name, kind_names[kind], nth);
	tests[case_count++] = (struct CMUnitTest){
		.name = item->name,
		.test_func = test_case,
		.setup_func = process_set_up,
		.teardown_func = tear_down,
		.initial_state = item,
	};
}

static void add_all(uint64_t seed, uint32_t stride)
{
	for (size_t n = 0; n < ARRAY_SIZE(courses); n++)
		for (int kind = FAULT_NONE + 1; kind < FAULT_KINDS; kind++)
			for (uint32_t nth = seed % stride; nth < 2 * courses[n].usual[kind]; nth += stride)
				add(&courses[n], (enum fault_kind)kind, nth);
}

static void add_some(struct random *random)
{
	for (size_t n = 0; n < ARRAY_SIZE(courses); n++) {
		int last = courses[n].usual[FAULT_HOST] ? FAULT_HOST : FAULT_INTERRUPTION;
		enum fault_kind kind = (enum fault_kind)random_between(random, FAULT_ALLOCATION, (uint64_t)last);

		add(&courses[n], kind, (uint32_t)random_between(random, 0, courses[n].usual[kind] - 1));
	}
}

int main(void)
{
	const char *stride = getenv("STRIDE");
	struct random random = random_start();
	int result;

	board_make();
	if (getenv("FULL"))
		add_all(random.state, stride ? (uint32_t)strtoul(stride, NULL, 0) : 1);
	else
		add_some(&random);
	result = process_run_tests(tests, case_count);
	if (!result && !struck && !getenv("ONLY")) {
		fprintf(stderr, "no call has failed\n");
		return EXIT_FAILURE;
	}
	return result;
}
