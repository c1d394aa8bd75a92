/* SPDX-License-Identifier: BSD-2-Clause */
/* The smaller inputs of the judge: manifest, report of a migration, statistics, and one sleep as the probe judges it.
 */
#include "unit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "../../lab/judge/report.h"
#include "../../lab/judge/manifest.h"
#include "../../lab/judge/statistics.h"
#include "../guest/probe_pattern.h"
#include "../guest/probe_sleep.h"

#define HOSTS "host altra 25000000\nhost grace 1000000000\n"
#define PARTS "\"parts_ms\": {\"hold\": 0, \"pages\": 1, \"state\": 2, \"transfer\": 3.5, \"load\": 4, \"resume\": 5}"
#define CLOCK "\"round_trip_ns\": 200000, \"age_ns\": 400000000, "
#define REST CLOCK "\"rate_ppm\": -3.5, \"rate_ppm_bound\": 60, " PARTS "}"
#define REPORT(from, downtime)                                                                                         \
	"{\"name\": \"guest\", \"from_hz\": " from ", \"to_hz\": 1000000000, \"rounds\": 3, \"bytes\": 12345, "        \
	"\"downtime_ms\": " downtime ", \"stated_bound_ns\": 150000, \"intended_step_ns\": -7, " REST

static void manifest_is_read(void **state)
{
	struct manifest m;
	char error[MANIFEST_ERROR_MAX];

	(void)state;
	assert_int_equal(
		manifest_parse(
			&m,
			HOSTS "truth altra -100 10 0\ntruth altra -40 50 0\ntruth altra -90 90 0\n\nconsole 1.console\n"
			      "migration altra grace 1.json\nmigration grace altra 2.json\nend done",
			error),
		0);
	assert_int_equal(m.host_count, 2);
	assert_int_equal(m.hosts[0].offset, -40);
	assert_int_equal(m.hosts[0].spread, 60);
	assert_int_equal(manifest_host_truth(&m.hosts[0], 1000), 960);
	assert_true(manifest_host_rate(&m.hosts[0]) == 1);
	assert_false(m.has_memory_load);
	assert_int_equal(m.hosts[1].calibrations, 0);
	assert_int_equal(m.migration_count, 2);
	assert_int_equal(m.migrations[1].from, 1);
	assert_int_equal(m.migrations[1].to, 0);
	assert_string_equal(m.migrations[1].path, "2.json");
	assert_string_equal(m.consoles[0], "1.console");
	assert_true(m.ends_by_itself);
	assert_ptr_equal(manifest_host_by_rate(&m, 1000000000), &m.hosts[1]);
	assert_null(manifest_host_by_rate(&m, 1));
	assert_int_equal(m.silence_ns, 0);
	assert_int_equal(manifest_parse(&m, "case ten page\nsilence 12\n", error), 0);
	assert_string_equal(m.case_name, "ten");
	assert_true(m.keeps_page);
	assert_true(m.silence_ns == 12000000000ll);
	assert_int_equal(manifest_parse(&m, "case ten raw", error), 0);
	assert_false(m.keeps_page);
}

static void bad_manifests_are_refused(void **state)
{
	static const char *const bad[] = {
		"host altra",
		"host altra 0",
		"host altra 25MHz",
		HOSTS "host other 25000000",
		HOSTS "host altra 62500000",
		"truth altra 5 0 0",
		HOSTS "truth altra five 0 0",
		HOSTS "truth altra 9223372036854775807 0 0",
		HOSTS "truth altra 5",
		HOSTS "truth altra 5 -1 0",
		HOSTS "truth altra 5 0 100000001",
		HOSTS "truth altra 5 0 0\ntruth altra 5 0 1",
		"load heavy",
		"case ten",
		"case ten other",
		"silence -1",
		"silence long",
		HOSTS "migration altra other 1.json",
		"end never",
		"sail away",
		"host a b c d",
		"host a b c d e f",
	};
	struct manifest m;
	char error[MANIFEST_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		error[0] = '\0';
		assert_int_equal(manifest_parse(&m, bad[i], error), -EINVAL);
		assert_non_null(strstr(error, "of the manifest: "));
	}
}

/* A host whose clock gains 100 ppm: calibrations at different times of it agree. */
static void drift_is_known(void **state)
{
	struct manifest m;
	char error[MANIFEST_ERROR_MAX];

	(void)state;
	assert_int_equal(manifest_parse(&m,
					HOSTS "truth altra 500 1000000000 -100000\n"
					      "truth altra -999480 11000000000 -100000\nload memory\nload idle\n"
					      "load memory",
					error),
			 0);
	assert_int_equal(m.hosts[0].offset, 520);
	assert_int_equal(m.hosts[0].spread, 20);
	assert_int_equal(manifest_host_truth(&m.hosts[0], 1000000000), 1000000520);
	assert_int_equal(manifest_host_truth(&m.hosts[0], 21000000000), 20998000520);
	assert_true(fabs(manifest_host_rate(&m.hosts[0]) - 1.00010001) < 1e-11);
	assert_true(m.has_memory_load);
}

static void manifest_has_limits(void **state)
{
	static char text[MANIFEST_FILES_MAX * 16];
	struct manifest m;
	char error[MANIFEST_ERROR_MAX];

	(void)state;
	for (int i = 0; i <= MANIFEST_FILES_MAX; i++)
		memcpy(text + (size_t)i * 10, "console c\n", 10);
	assert_int_equal(manifest_parse(&m, text, error), -EINVAL);
	memset(text, 'x', 600);
	text[600] = '\0';
	assert_int_equal(manifest_parse(&m, text, error), -EINVAL);
}

static void report_is_read(void **state)
{
	struct report h;
	char error[REPORT_ERROR_MAX];

	(void)state;
	assert_int_equal(report_parse(&h, REPORT("25000000", "85.5"), error), 0);
	assert_int_equal(h.from_hz, 25000000);
	assert_int_equal(h.to_hz, 1000000000);
	assert_int_equal(h.rounds, 3);
	assert_int_equal(h.bytes, 12345);
	assert_int_equal(h.bound_ns, 150000);
	assert_int_equal(h.intended_step_ns, -7);
	assert_int_equal(h.round_trip_ns, 200000);
	assert_int_equal(h.age_ns, 400000000);
	assert_true(h.has_rate && h.rate_ppm == -3.5 && h.rate_ppm_bound == 60);
	assert_false(h.has_hold);
	assert_string_equal(h.level, "");
	assert_true(h.parts_ms[0] == 0 && h.parts_ms[3] == 3.5 && h.parts_ms[5] == 5);
	assert_true(fabs(h.downtime_ms - 85.5) < 1e-9);
	assert_int_equal(report_parse(&h, REPORT("25000000", "85"), error), 0);
}

/* A report with what follows its first numbers. */
#define REPORT_END(end)                                                                                                \
	"{\"from_hz\": 1, \"to_hz\": 2, \"rounds\": 3, \"bytes\": 4, \"downtime_ms\": 5, \"stated_bound_ns\": 6, " end

static void unknown_rate_is_read(void **state)
{
	struct report h;
	char error[REPORT_ERROR_MAX];

	(void)state;
	assert_int_equal(
		report_parse(&h, REPORT_END("\"intended_step_ns\": 0, " CLOCK "\"rate_ppm\": null, " PARTS "}"), error),
		0);
	assert_false(h.has_rate);
}

static void hold_is_read(void **state)
{
	struct report h;
	char error[REPORT_ERROR_MAX];

	(void)state;
	assert_int_equal(report_parse(&h,
				      REPORT_END("\"intended_step_ns\": 0, \"level\": \"cooperative\", "
						 "\"hold_us\": 41.5, " REST),
				      error),
			 0);
	assert_true(h.has_hold && h.hold_us == 41.5);
	assert_string_equal(h.level, "cooperative");
	assert_int_equal(report_parse(&h,
				      REPORT_END("\"intended_step_ns\": 0, \"level\": \"reference\", "
						 "\"hold_us\": null, " REST),
				      error),
			 0);
	assert_false(h.has_hold);
}

static void bad_reports_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"5",
		"{}",
		REPORT("-1", "85"),
		REPORT("\"fast\"", "85"),
		REPORT("25000000.5", "85"),
		REPORT("25000000", "-1"),
		REPORT("25000000", "null"),
		REPORT_END("\"intended_step_ns\": 1, " REST),
		REPORT_END("\"intended_step_ns\": 0.5, " REST),
		REPORT_END("\"intended_step_ns\": 0, \"hold_us\": -1, " REST),
		REPORT_END(REST),
		REPORT_END("\"intended_step_ns\": 0, " CLOCK PARTS "}"),
		REPORT_END("\"intended_step_ns\": 0, " CLOCK "\"rate_ppm\": 1, \"rate_ppm_bound\": -1, " PARTS "}"),
		REPORT_END("\"intended_step_ns\": 0, " CLOCK "\"rate_ppm\": null}"),
		REPORT_END("\"intended_step_ns\": 0, " CLOCK "\"rate_ppm\": null, \"parts_ms\": {\"pages\": 1}}"),
		REPORT_END("\"intended_step_ns\": 0, \"rate_ppm\": null, " PARTS "}"),
	};
	struct report h;
	char error[REPORT_ERROR_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(report_parse(&h, bad[i], error), -EINVAL);
	assert_int_equal(report_parse(&h, "{\"error\": \"the rates differ\"}", error), -EINVAL);
	assert_string_equal(error, "the migration failed: the rates differ");
}

static void statistics_are_right(void **state)
{
	int64_t odd[] = { 5, -1, 3 }, even[] = { 4, 1, 3, 2 };
	int64_t x[] = { 1795000000000000000, 1795000001000000000, 1795000002000000000 };
	int64_t y[] = { 7, 1007, 2007 };

	(void)state;
	assert_int_equal(statistics_median(odd, 3), 3);
	assert_int_equal(statistics_median(even, 4), 2);
	assert_int_equal(statistics_median(odd, 0), 0);
	assert_true(fabs(statistics_slope(x, y, 3) - 1e-6) < 1e-15);
	assert_true(statistics_slope(x, y, 1) == 0);
	assert_true(statistics_slope(odd, y, 0) == 0);
	x[1] = x[2] = x[0];
	assert_true(statistics_slope(x, y, 3) == 0);
}

/* Each stamp may have been taken anywhere in its width: all of them together leave these rates open, and no others. */
static void rates_have_bounds(void **state)
{
	struct statistics_stamp stamps[] = { { 1795000000000000000, 0, 0 },
					     { 1795000001000000000, 400000, 1000100000 },
					     { 1795000002000000000, 100000, 2000000000 } };
	struct statistics_rate rate = statistics_rate(stamps, 2);

	(void)state;
	assert_true(fabs(rate.rate - rate.uncertainty - 1000100000 / 1000200000.0) < 1e-12);
	assert_true(fabs(rate.rate + rate.uncertainty - 1000100000 / 999800000.0) < 1e-12);
	rate = statistics_rate(stamps, 3);
	assert_true(fabs(rate.rate - rate.uncertainty - 2000000000 / 2000050000.0) < 1e-12);
	assert_true(fabs(rate.rate + rate.uncertainty - 2000000000 / 1999950000.0) < 1e-12);
	assert_true(statistics_rate(stamps, 1).rate == 0);
	/* Too near to each other. */
	stamps[1].x = stamps[0].x + 200000;
	assert_true(statistics_rate(stamps, 2).rate == 0);
	/* A step in the middle fits no rate. */
	stamps[1] = (struct statistics_stamp){ 1795000001000000000, 0, 1010000000 };
	assert_true(statistics_rate(stamps, 3).rate == 0);
}

static void sleeps_are_judged(void **state)
{
	struct sleep_record r = { .duration = 1000000000, .mono0 = 5, .mono1 = 1000000005, .hz0 = 1, .hz1 = 1 };

	(void)state;
	r.ptp1 = 1000000000 - SLEEP_TRUTH_TOLERANCE_NS;
	assert_int_equal(sleep_judge(&r), SLEEP_GOOD);
	r.ptp1--;
	assert_int_equal(sleep_judge(&r), SLEEP_EARLY_BY_TRUTH);
	r.hz1 = 2;
	assert_int_equal(sleep_judge(&r), SLEEP_MOVED);
	r.mono1--;
	assert_int_equal(sleep_judge(&r), SLEEP_EARLY);
}

static void lost_sleeps_are_seen(void **state)
{
	const int64_t overdue = 10 + SLEEP_OVERDUE_NS;
	struct sleep_watch watch = { 0 };

	(void)state;
	assert_false(sleep_watch(&watch, 0, INT64_MAX, 0));
	assert_false(sleep_watch(&watch, 10, overdue, 0));
	assert_false(sleep_watch(&watch, 10, overdue + SLEEP_GRACE_NS, 0));
	assert_false(sleep_watch(&watch, 10, overdue + 2 * SLEEP_GRACE_NS - 1, 0));
	assert_true(sleep_watch(&watch, 10, overdue + 2 * SLEEP_GRACE_NS, 0));
	assert_false(sleep_watch(&watch, 10, overdue + 3 * SLEEP_GRACE_NS, 0));
}

/* What the watch finds overdue when all of the guest has stood still ends before the next look, or counts anew. */
static void late_sleeps_are_not_lost(void **state)
{
	const int64_t after = 1000 * SLEEP_GRACE_NS;
	struct sleep_watch watch = { 0 };

	(void)state;
	assert_false(sleep_watch(&watch, 10, after, 0));
	assert_false(sleep_watch(&watch, 0, after + SLEEP_GRACE_NS, 0));
	assert_false(sleep_watch(&watch, 11, after + SLEEP_GRACE_NS, 0));
	assert_false(sleep_watch(&watch, 12, after + 2 * SLEEP_GRACE_NS, 0));
	assert_true(sleep_watch(&watch, 12, after + 3 * SLEEP_GRACE_NS, 0));
}

/* A time in which nothing may have run is not a sleeper's fault. */
static void sleeps_are_not_lost_in_silence(void **state)
{
	const int64_t overdue = 18 + SLEEP_OVERDUE_NS;
	struct sleep_watch watch = { 0 };

	(void)state;
	assert_false(sleep_watch(&watch, 10, overdue, 8));
	assert_false(sleep_watch(&watch, 10, overdue + 1, 8));
	assert_true(sleep_watch(&watch, 10, overdue + 1 + SLEEP_GRACE_NS, 8));
}

/* A page that is another, or one writing too old, is wrong in every word; one damaged word is one. */
static void patterns_differ(void **state)
{
	static uint64_t page[PATTERN_PAGE_WORDS];

	(void)state;
	assert_int_equal(pattern_check(page, 7, 0), 0);
	assert_int_equal(pattern_check(page, 7, 1), PATTERN_PAGE_WORDS);
	pattern_write(page, 7, 3);
	assert_int_equal(pattern_check(page, 7, 3), 0);
	assert_int_equal(pattern_check(page, 7, 2), PATTERN_PAGE_WORDS);
	assert_int_equal(pattern_check(page, 7, 4), PATTERN_PAGE_WORDS);
	assert_int_equal(pattern_check(page, 8, 3), PATTERN_PAGE_WORDS);
	page[511] ^= 1ull << 63;
	assert_int_equal(pattern_check(page, 7, 3), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifest_is_read),
		cmocka_unit_test(bad_manifests_are_refused),
		cmocka_unit_test(manifest_has_limits),
		cmocka_unit_test(report_is_read),
		cmocka_unit_test(hold_is_read),
		cmocka_unit_test(bad_reports_are_refused),
		cmocka_unit_test(statistics_are_right),
		cmocka_unit_test(rates_have_bounds),
		cmocka_unit_test(sleeps_are_judged),
		cmocka_unit_test(drift_is_known),
		cmocka_unit_test(unknown_rate_is_read),
		cmocka_unit_test(patterns_differ),
		cmocka_unit_test(lost_sleeps_are_seen),
		cmocka_unit_test(late_sleeps_are_not_lost),
		cmocka_unit_test(sleeps_are_not_lost_in_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
