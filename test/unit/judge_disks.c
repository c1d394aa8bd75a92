// SPDX-License-Identifier: BSD-2-Clause
/* Guests with disks: a good run passes, each fault fails its own criterion, and the summary counts them. */
#include "judge_fixture.h"

#include <jansson.h>
#include <stdlib.h>

#include "../../lab/judge/disks_summary.h"
#include "../../lab/judge/verdict_disks.h"

static struct fixture_text text;
static struct transcript transcript;

/* A leg begins with the first line of another rate. */
static const char first[] = "@raw hz=25000000 ptp=1 less=0 width=1";
static const char altra[] = "@reads hz=25000000 n0=1 n1=1 back=0 cross=0 worst=0";
static const char grace[] = "@reads hz=1000000000 n0=2 n1=2 back=0 cross=0 worst=0";

/* Two disks on two hosts, checked at the end. */
static const char *const good[] = {
	altra,
	"@fsync disk=0 sequence=80",
	"@fsync disk=1 sequence=16",
	"@disk disk=0 sequence=80 checked=32 wrong=0 first=0 errors=0",
	grace,
	"@fsync disk=1 sequence=24",
	"@disk disk=0 sequence=96 checked=64 wrong=0 first=0 errors=0",
	"@fsync disk=0 sequence=96",
	"@check disk=0 durable=96 last=100 blocks=4096 wrong=0 lost=0 first=0",
	"@check disk=1 durable=24 last=24 blocks=4096 wrong=0 lost=0 first=0",
};

/* The lines, those from number `at` on, `count` of them, replaced by `line` unless that is NULL. */
static struct disks judge(size_t at, size_t count, const char *line)
{
	memset(&text, 0, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		if (i == at && line)
			fixture_line(&text, line);
		if (i < at || i >= at + count)
			fixture_line(&text, good[i]);
	}
	assert_int_equal(transcript_parse(&transcript, text.bytes, text.length), 0);
	struct disks disks = disks_judge(&transcript);

	transcript_free(&transcript);
	return disks;
}

/* Which criteria fail, as the first letters of their words. */
static void fails(const struct disks *disks, const char *expected)
{
	char *output;
	size_t size;
	FILE *out = open_memstream(&output, &size);

	assert_int_equal(verdict_of_disks(disks, out), expected[0] == '\0');
	fclose(out);
	fixture_expect_failed(output, expected);
}

static void a_good_run_passes(void **state)
{
	struct disks disks = judge(0, 0, NULL);

	(void)state;
	fails(&disks, "");
	assert_int_equal(disks.count, 2);
	assert_int_equal(disks.fsyncs, 4);
	assert_int_equal(disks.checked, 64 + 2 * 4096);
	assert_int_equal(disks.checksum_errors, 0);
	assert_int_equal(disks.lost_fsyncs, 0);
}

static void each_fault_fails_its_criterion(void **state)
{
	static const struct {
		size_t at, count;
		const char *line;
		const char *fails;
		int64_t checksum_errors, lost_fsyncs;
	} cases[] = {
		/* Found by the guest. */
		{ 6, 1, "@disk disk=0 sequence=96 checked=64 wrong=3 first=7 errors=0", "c", 3, 0 },
		/* Found by the check: damaged, and lost. */
		{ 8, 1, "@check disk=0 durable=96 last=100 blocks=4096 wrong=2 lost=0 first=9", "c", 2, 0 },
		{ 8, 1, "@check disk=0 durable=96 last=100 blocks=4096 wrong=0 lost=5 first=9", "f", 0, 5 },
		/* The check did not know of the last promise, or was not made. */
		{ 8, 1, "@check disk=0 durable=95 last=100 blocks=4096 wrong=0 lost=0 first=0", "c", 0, 0 },
		{ 8, 1, NULL, "c", 0, 0 },
		/* Nothing became durable on one host. */
		{ 5, 1, NULL, "d", 0, 0 },
		{ 1, 0, "@error disk=0 in=fsync errno=5 sequence=88", "r", 0, 0 },
		{ 1, 0, "@fsync disk=8 sequence=88", "d", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct disks disks = judge(cases[i].at, cases[i].count, cases[i].line);

		fails(&disks, cases[i].fails);
		assert_int_equal(disks.checksum_errors, cases[i].checksum_errors);
		assert_int_equal(disks.lost_fsyncs, cases[i].lost_fsyncs);
	}
}

static void a_fsync_after_all_checks_is_not_forgotten(void **state)
{
	struct disks disks;

	(void)state;
	memset(&text, 0, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		fixture_line(&text, good[i]);
	fixture_line(&text, "@fsync disk=1 sequence=24");
	assert_int_equal(transcript_parse(&transcript, text.bytes, text.length), 0);
	disks = disks_judge(&transcript);
	transcript_free(&transcript);
	fails(&disks, "c");
}

/* After a reboot another writer counts from 0. */
static void totals_begin_anew(void **state)
{
	struct disks disks = judge(4, 0, "@disk disk=0 sequence=300 checked=8 wrong=0 first=0 errors=0");

	(void)state;
	assert_int_equal(disks.checked, 32 + 8 + (64 - 8) + 2 * 4096);
	fails(&disks, "");
}

static void a_run_without_disks_is_no_evidence(void **state)
{
	struct disks disks;

	(void)state;
	memset(&text, 0, sizeof(text));
	fixture_line(&text, first);
	assert_int_equal(transcript_parse(&transcript, text.bytes, text.length), 0);
	disks = disks_judge(&transcript);
	transcript_free(&transcript);
	fails(&disks, "dc");
}

/* A guest without a probe has no legs. */
static void a_run_without_samples_is_judged(void **state)
{
	struct disks disks;

	(void)state;
	memset(&text, 0, sizeof(text));
	fixture_line(&text, good[1]);
	fixture_line(&text, good[8]);
	assert_int_equal(transcript_parse(&transcript, text.bytes, text.length), 0);
	disks = disks_judge(&transcript);
	transcript_free(&transcript);
	fails(&disks, "");
}

static void damaged_lines_leave_no_trace(void **state)
{
	static const char *const lines[] = {
		"@fsync disk=0",
		"@fsync disk=-1 sequence=5",
		"@fsync disk=256 sequence=5",
		"@fsync sequence=5",
		"@disk disk=0 sequence=80 checked=32 first=0 errors=0",
		"@check disk=0 durable=96 last=100 blocks=4096 wrong=0 first=0",
		"@error disk=0 in=fsync errno=5",
	};

	(void)state;
	memset(&text, 0, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		fixture_line(&text, lines[i]);
	assert_int_equal(transcript_parse(&transcript, text.bytes, text.length), 0);
	assert_int_equal(transcript.disks.count, 0);
	assert_int_equal(transcript.damaged, ARRAY_SIZE(lines));
	transcript_free(&transcript);
}

static void the_summary_adds_up(void **state)
{
	static struct run run;
	const struct disks one = { .checksum_errors = 2, .lost_fsyncs = 3 }, two = { .lost_fsyncs = 4 };
	json_t *first_summary = disks_summary(NULL, &run, &one);
	json_t *summary = disks_summary(first_summary, &run, &two);
	json_t *expected = json_pack("{s:[], s:i, s:i}", "migrations", "checksum_errors", 2, "lost_fsyncs", 7);

	(void)state;
	assert_true(json_equal(summary, expected));
	json_decref(first_summary);
	json_decref(summary);
	json_decref(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_run_passes),
		cmocka_unit_test(each_fault_fails_its_criterion),
		cmocka_unit_test(a_fsync_after_all_checks_is_not_forgotten),
		cmocka_unit_test(totals_begin_anew),
		cmocka_unit_test(a_run_without_disks_is_no_evidence),
		cmocka_unit_test(a_run_without_samples_is_judged),
		cmocka_unit_test(damaged_lines_leave_no_trace),
		cmocka_unit_test(the_summary_adds_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
