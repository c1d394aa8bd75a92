/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an operator can ask of a migration, and what the target refuses: a dry run, a migration called off in time or
 * too late, one under freeze, and the report of each on both hosts.
 */
#include "fixture/crossing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct crossing crossing;
static struct node *const altra = &crossing.altra, *const grace = &crossing.grace;

/* The answer of the last command, as JSON. */
static json_t *said(const struct node *node)
{
	json_error_t error;
	json_t *value = json_loads(node->said, 0, &error);

	if (!value)
		fail_msg("no JSON: %s%s", node->said, node->errors);
	return value;
}

static long long integer(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int migrate(const char *first, const char *second)
{
	return node_command(altra, "migrate", CROSSING_GUEST, grace->address, "--json", "--max-step", "100000", first,
			    second, NULL);
}

/* A refusal in JSON has the sentence twice: on standard output for programs, with a code. */
static void expect_refused(int status, const char *code, const char *words)
{
	json_t *answer = said(altra);

	assert_non_null(strstr(string(answer, "error"), words));
	assert_string_equal(string(answer, "code"), code);
	json_decref(answer);
	node_expect_refused(altra, status, words);
}

/* ---- Dry runs ---- */

static void test_dry_run(void **state)
{
	json_t *verdict;

	(void)state;
	crossing_open(&crossing, "guest=cooperative", "");
	for (int n = 0; n < 2; n++) {
		assert_int_equal(migrate("--dry-run", NULL), 0);
		verdict = said(altra);
		assert_string_equal(string(verdict, "verdict"), "ok");
		assert_string_equal(string(verdict, "level"), "cooperative");
		assert_null(json_object_get(verdict, "kernel"));
		assert_int_equal(integer(verdict, "from_hz"), 25000000);
		assert_int_equal(integer(verdict, "to_hz"), 1000000000);
		json_decref(verdict);
	}
	assert_int_equal(node_command(altra, "migrate", CROSSING_GUEST, grace->address, "--dry-run", NULL), 0);
	assert_non_null(strstr(altra->said, "can move to 127.0.0.1:"));
	assert_int_equal(process_count(node_path(altra, "guest.console"), "declared page"), 0);
	crossing_expect_on_source(&crossing);
	assert_false(process_has_ended(crossing.receiver));
}

/* Of a guest that cannot follow by itself the kernel is looked for, which is none here. */
static void expect_kernel(const char *words, bool expected)
{
	json_t *status = node_status(altra, CROSSING_GUEST);
	const char *reason = json_string_value(json_object_get(json_object_get(status, "kernel"), "reason"));

	assert_int_equal(reason && strstr(reason, words), expected);
	json_decref(status);
}

/* A dry run says what the move would say. */
static void test_dry_run_refused(void **state)
{
	json_t *verdict;

	(void)state;
	crossing_open(&crossing, "guest=printing", "");
	expect_kernel("", false);
	expect_refused(migrate("--dry-run", NULL), "cannot-follow", "from a counter of 25 MHz to one of 1000 MHz");
	expect_kernel("the vCPU translates no kernel addresses", true);
	assert_int_equal(migrate("--dry-run", "--force"), 0);
	verdict = said(altra);
	assert_true(json_is_false(json_object_get(json_object_get(verdict, "kernel"), "known")));
	json_decref(verdict);
	expect_refused(migrate(NULL, NULL), "cannot-follow", "from a counter of 25 MHz to one of 1000 MHz");
	crossing_expect_on_source(&crossing);
}

/* ---- Called off ---- */

static int cancel(const char *option)
{
	return node_command(altra, "migrate", "--cancel", CROSSING_GUEST, option, NULL);
}

static void test_cancel(void **state)
{
	const char *const faults[] = { "swallow", "PAGES:5", NULL };
	json_t *status;

	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	node_expect_refused(altra, cancel(NULL), "guest is not being migrated");
	crossing_begin(&crossing, faults);
	assert_int_equal(cancel(NULL), 0);
	assert_string_equal(altra->said, "the migration of guest was cancelled: it runs on here\n");
	crossing_expect(&crossing, CROSSING_STAYS);
	assert_non_null(strstr(altra->errors, "cancelled"));
	status = node_status(altra, CROSSING_GUEST);
	assert_non_null(strstr(string(json_object_get(status, "last_migration"), "error"), "cancelled"));
	assert_string_equal(string(json_object_get(status, "last_migration"), "code"), "cancelled");
	json_decref(status);
	node_expect_refused(altra, cancel(NULL), "guest is not being migrated");
	assert_int_equal(migrate(NULL, NULL), 0);
	crossing_expect_on_target(&crossing);
}

/* Nobody says any more what came of it. */
static void test_killed(void **state)
{
	const char *const faults[] = { "swallow", "PAGES:5", NULL };

	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	crossing_begin(&crossing, faults);
	process_kill(crossing.monitor);
	node_expect_failed(altra, node_finish(altra, crossing.migrate), NODE_UNHEARD,
			   "the monitor of guest has ended without an answer");
}

static void test_cancel_too_late(void **state)
{
	const char *const faults[] = { "swallow", "DONE", NULL };

	(void)state;
	crossing_open(&crossing, "guest=reference", "stopped_ms=3000,retry_ms=20");
	crossing_begin(&crossing, faults);
	node_expect_refused(altra, cancel(NULL), "it is too late: guest has been handed over to 127.0.0.1");
	crossing_expect(&crossing, CROSSING_MOVES);
}

/* While it migrates nothing else can be asked of it. */
static void test_busy(void **state)
{
	const char *const faults[] = { "swallow", "PAGES:5", NULL };

	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	crossing_begin(&crossing, faults);
	expect_refused(migrate(NULL, NULL), "busy", "guest is migrating: it cannot be migrated now");
	node_expect_refused(altra, node_command(altra, "pause", CROSSING_GUEST, NULL), "it cannot be paused now");
	node_expect_refused(altra, node_command(altra, "stop", CROSSING_GUEST, NULL), "it cannot be stopped now");
	assert_true(node_state_is(altra, CROSSING_GUEST, "migrating"));
	assert_true(node_state_is(grace, CROSSING_GUEST, "receiving"));
	assert_int_equal(cancel("--json"), 0);
	crossing_expect(&crossing, CROSSING_STAYS);
}

/* ---- The network ---- */

#define CONTENT (6u << 20)
#define BOUND_MIB 2
/* What may leave at once: the burst, a frame of pages, the last pages and the state. */
#define AT_ONCE (2u << 20)

/* A guest with memory that is not zero. */
static void open_full(void)
{
	const char *path = process_path("initrd");
	uint8_t *content = malloc(CONTENT);

	assert_non_null(content);
	memset(content, 0xa5, CONTENT);
	process_write(path, content, CONTENT);
	free(content);
	node_make(altra, "altra", "hz=25000000");
	node_make(grace, "grace", "hz=25000000,counter=1234");
	crossing.receiver = node_receive(grace);
	crossing.monitor = node_run_with(altra, CROSSING_GUEST, "guest=reference", "--initrd", path);
	node_runs_on(altra, CROSSING_GUEST);
}

/* However long it takes here, it sends no more than the bound allows for that time. */
static void test_bandwidth(void **state)
{
	unsigned long long began, took_ns;
	json_t *report;

	(void)state;
	open_full();
	began = process_now_ns();
	assert_int_equal(migrate("--bandwidth", "2"), 0);
	took_ns = process_now_ns() - began;
	report = said(altra);
	assert_int_equal(integer(report, "bandwidth_mib"), BOUND_MIB);
	assert_in_range(integer(report, "bytes"), CONTENT, AT_ONCE + (BOUND_MIB << 20) * (took_ns / 1000000) / 1000);
	json_decref(report);
	assert_int_equal(process_wait(crossing.monitor), 5);
	node_runs_on(grace, CROSSING_GUEST);
}

/* `status` says where it goes and with how much, and a cancel does not wait for a turn to send. */
static void test_bandwidth_shown(void **state)
{
	struct process *migrating;
	const json_t *migration;
	json_t *status;

	(void)state;
	open_full();
	migrating = node_start(altra, "migrate", CROSSING_GUEST, grace->address, "--max-step", "100000", "--bandwidth",
			       "1", NULL);
	node_wait_state(altra, CROSSING_GUEST, "migrating");
	status = node_status(altra, CROSSING_GUEST);
	migration = json_object_get(status, "migration");
	assert_string_equal(string(migration, "host"), grace->address);
	assert_int_equal(integer(migration, "bandwidth_mib"), 1);
	json_decref(status);
	assert_int_equal(node_command(altra, "status", CROSSING_GUEST, NULL), 0);
	assert_non_null(strstr(altra->said, "with at most 1 MiB/s\n"));
	assert_int_equal(cancel(NULL), 0);
	node_expect_refused(altra, node_finish(altra, migrating), "cancelled");
	node_runs_on(altra, CROSSING_GUEST);
	status = node_status(altra, CROSSING_GUEST);
	assert_null(json_object_get(status, "migration"));
	json_decref(status);
}

/* ---- The clock and the report ---- */

/* The parts of the downtime are all of it. */
static void expect_parts_add_up(const json_t *report)
{
	const json_t *parts = json_object_get(report, "parts_ms");
	double sum = 0, total = json_number_value(json_object_get(report, "downtime_ms"));
	const char *key;
	json_t *part;

	assert_int_equal(json_object_size(parts), 6);
	json_object_foreach((json_t *)parts, key, part) sum += json_number_value(part);
	assert_true(sum - total < 1e-3 && total - sum < 1e-3);
}

/* The target has the report as well, once the source has settled. */
static bool target_has_report(void *context)
{
	json_t *status = node_status(grace, CROSSING_GUEST);
	bool same = json_equal(json_object_get(status, "last_migration"), context);

	json_decref(status);
	return same;
}

/* Moves the guest; its clock has counted all but what the report says, to within the bound that it states. */
static void expect_step_as_reported(const char *guest, const char *policy, bool counts)
{
	json_t *report;
	long long gap_ns;

	crossing_open(&crossing, guest, "");
	assert_int_equal(migrate("--clock", policy), 0);
	report = said(altra);
	gap_ns = integer(report, "gap_ns");
	assert_true(gap_ns > 0);
	assert_int_equal(integer(report, "intended_step_ns"), counts ? 0 : -gap_ns);
	expect_parts_add_up(report);
	process_wait_until(target_has_report, report, "status on the target has the report");
	node_expect_time(grace, CROSSING_GUEST, &crossing.start, counts ? 0 : (unsigned long long)gap_ns,
			 (unsigned long long)integer(report, "stated_bound_ns"));
	json_decref(report);
	assert_int_equal(process_wait(crossing.monitor), 5);
	node_runs_on(grace, CROSSING_GUEST);
	assert_int_equal(node_command(grace, "status", CROSSING_GUEST, NULL), 0);
	assert_non_null(strstr(grace->said, "clock step intended: "));
}

static void test_freeze(void **state)
{
	(void)state;
	expect_step_as_reported("guest=reference", "freeze", false);
}

static void test_freeze_held(void **state)
{
	(void)state;
	expect_step_as_reported("guest=cooperative", "freeze", false);
}

static void test_advance(void **state)
{
	(void)state;
	expect_step_as_reported("guest=reference", "advance", true);
}

static void test_advance_held(void **state)
{
	(void)state;
	expect_step_as_reported("guest=cooperative", "advance", true);
}

/* ---- What the target refuses ---- */

static void test_no_receiver(void **state)
{
	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	process_kill(crossing.receiver);
	expect_refused(migrate(NULL, NULL), "unreachable", "is `seaclock receive` running there?");
	crossing_expect_on_source(&crossing);
}

/* The receiver of `crossing` gives way to one on another host. */
static void receive_on(const char *host)
{
	process_kill(crossing.receiver);
	grace->host = host;
	crossing.receiver = node_receive(grace);
}

static void expect_target_refuses(const char *code, const char *words)
{
	expect_refused(migrate("--dry-run", NULL), code, words);
	expect_refused(migrate(NULL, NULL), code, words);
	crossing_expect_on_source(&crossing);
	assert_false(process_has_ended(crossing.receiver));
}

static void test_no_memory(void **state)
{
	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	receive_on("hz=1000000000,available_mib=40");
	expect_target_refuses("peer-refused", "the guest has 64 MiB of memory, and this host has 40 MiB available");
}

static void test_other_processor(void **state)
{
	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	receive_on("hz=1000000000,features=7");
	expect_target_refuses("peer-refused", "a vCPU's register");
}

static void test_name_in_use_there(void **state)
{
	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	node_start(grace, "run", CROSSING_GUEST, "--kernel", node_kernel(), "--append", "guest=idle", NULL);
	node_wait_state(grace, CROSSING_GUEST, "running");
	expect_refused(migrate(NULL, NULL), "peer-refused", "a machine named guest is already running");
	node_runs_on(altra, CROSSING_GUEST);
	node_wait_state(altra, CROSSING_GUEST, "running");
	node_wait_state(grace, CROSSING_GUEST, "running");
}

static void test_paused(void **state)
{
	(void)state;
	crossing_open(&crossing, "guest=reference", "");
	assert_int_equal(node_command(altra, "pause", CROSSING_GUEST, NULL), 0);
	expect_refused(migrate(NULL, NULL), "busy", "guest is paused: it cannot be migrated now");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, process_set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_dry_run),	    TEST(test_dry_run_refused),
		TEST(test_cancel),	    TEST(test_killed),
		TEST(test_cancel_too_late), TEST(test_busy),
		TEST(test_bandwidth),	    TEST(test_bandwidth_shown),
		TEST(test_freeze),	    TEST(test_freeze_held),
		TEST(test_advance),	    TEST(test_advance_held),
		TEST(test_no_receiver),	    TEST(test_no_memory),
		TEST(test_other_processor), TEST(test_name_in_use_there),
		TEST(test_paused),
	};

	return process_run_tests(tests, ARRAY_SIZE(tests));
}
