/* SPDX-License-Identifier: BSD-2-Clause */
/* Guests that work together with the monitor: a good run passes, each fault fails its own criterion and its own row,
 * and the summary keeps what other cases have said.
 */
#include "judge_fixture.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "../../lab/judge/cooperative.h"
#include "../../lab/judge/cooperative_summary.h"
#include "../../lab/judge/kernels_summary.h"

#define OFFSET_ALTRA 812345678ll
#define OFFSET_GRACE (-55512345ll)
#define LEG_S 6

static const char manifest[] =
	"host altra 25000000\nhost grace 1000000000\ntruth altra 812345678 0 0\ntruth grace -55512345 0 0\n"
	"migration altra grace 1.json\nmigration grace altra 2.json\nend stopped\n";

/* What is wrong in the second leg, the one on grace; all zero: nothing. */
struct faults {
	bool page;	 /* the vDSO is never used */
	bool flapping;	 /* not used in the middle of the leg */
	bool no_picture; /* but one */
	bool old_rate;	 /* arch_timer_rate is still altra's */
	bool slow_once;	 /* the first picture found delays too long */
	int divider;	 /* of one vCPU; 0: right */
	int64_t delay;
	double sched, log, cpu; /* deviations of the rates */
	int64_t width;		/* of the stamps of sched_clock */
	int64_t drift;		/* of CLOCK_MONOTONIC_RAW, in one second */
	int64_t raw_width;
	int warnings;
	int64_t step;
	bool user_page; /* the manifest says that the guest keeps the page */
	int gap_s;	/* without any sample */
	int silence_s;	/* in the manifest */
};

static const struct faults none;
static struct fixture_run fixture;
static struct run run;
static int warnings;

/* The vDSO is not used in the first picture of a leg, nor in the last, when the next move is prepared. */
static bool vdso_of(const struct faults *faults, int second)
{
	return second > 0 && second < LEG_S - 1 && !faults->page && !(faults->flapping && second == 2);
}

static int64_t delay_of(const struct faults *faults, int second)
{
	if (faults->slow_once && second == 0)
		return 40000000;
	return faults->delay ? faults->delay : 1000120;
}

static void picture(const struct faults *faults, int second)
{
	int64_t divider = fixture.hz == FIXTURE_ALTRA ? 10 : 15, guest = INT64_C(5000000000) + fixture.truth;
	char line[300];

	snprintf(line, sizeof(line),
		 "@level hz=%" PRId64 " sp=%" PRId64 " sw=%" PRId64 " sched=%" PRId64 " lp=%" PRId64
		 " lw=10000 log=%" PRId64 " vdso=%d delay=%" PRId64 " rate=%" PRId64 " lo=%" PRId64 " hi=%" PRId64
		 " cpus=2 warn=%d cpu=%d of=200000000",
		 fixture.hz, fixture_clock(&fixture, fixture.truth), faults->width ? faults->width : 10000,
		 guest + (int64_t)((double)fixture.truth * faults->sched),
		 fixture_clock(&fixture, fixture.truth + 1000000),
		 guest + 1000000 + (int64_t)((double)fixture.truth * faults->log), vdso_of(faults, second),
		 delay_of(faults, second), faults->old_rate ? (int64_t)FIXTURE_ALTRA : fixture.hz,
		 faults->divider ? faults->divider : divider, divider, warnings, (int)(200000000 * (1 + faults->cpu)));
	fixture_line(&fixture.text, line);
}

static void raw_reading(const struct faults *faults, int second)
{
	char line[100];

	snprintf(line, sizeof(line), "@raw hz=%" PRId64 " ptp=%" PRId64 " less=%" PRId64 " width=%" PRId64, fixture.hz,
		 fixture_clock(&fixture, fixture.truth), faults->drift * second - 777,
		 faults->raw_width ? faults->raw_width : 1000);
	fixture_line(&fixture.text, line);
}

static void leg(const struct faults *faults)
{
	warnings += faults->warnings;
	for (int second = 0; second < LEG_S; second++) {
		fixture_leg(&fixture, 1);
		if (!faults->no_picture || second == 1)
			picture(faults, second);
		raw_reading(faults, second);
	}
	fixture.truth += faults->gap_s * INT64_C(1000000000);
}

static void write_console(const struct faults *faults)
{
	memset(&fixture, 0, sizeof(fixture));
	fixture.hz = FIXTURE_ALTRA;
	fixture.offset = OFFSET_ALTRA;
	fixture.rate = 1;
	warnings = 3;
	leg(&none);
	fixture_move(&fixture, FIXTURE_GRACE, OFFSET_GRACE, 0, 40000 + faults->step, 0);
	leg(faults);
	fixture_move(&fixture, FIXTURE_ALTRA, OFFSET_ALTRA, 0, -30000, 0);
	leg(&none);
}

static void judge(const struct faults *faults)
{
	char error[RUN_ERROR_MAX], text[sizeof(manifest) + 100];

	memset(&run, 0, sizeof(run));
	write_console(faults);
	snprintf(text, sizeof(text), "%scase ten %s\nsilence %d\n", manifest, faults->user_page ? "page" : "raw",
		 faults->silence_s);
	assert_int_equal(manifest_parse(&run.manifest, text, error), 0);
	assert_int_equal(transcript_parse(&run.transcript, fixture.text.bytes, fixture.text.length), 0);
	for (int i = 0; i < 2; i++)
		run.reports[i] = (struct report){ .from_hz = i ? FIXTURE_GRACE : FIXTURE_ALTRA,
						  .to_hz = i ? FIXTURE_ALTRA : FIXTURE_GRACE,
						  .bound_ns = 150000,
						  .level = "cooperative",
						  .has_hold = !i,
						  .hold_us = 123.5,
						  .downtime_ms = 90 };
	assert_int_equal(run_judge(&run, error), 0);
}

static int count_of(const char *text, const char *word)
{
	int count = 0;

	for (; (text = strstr(text, word)); text++)
		count++;
	return count;
}

/* Runs the verdict into text, which the caller frees. */
static bool verdict(char **text)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	bool passed = cooperative_verdict(&run, out);

	fclose(out);
	return passed;
}

/* The stamps of this file are 5 s apart and 10 us wide. */
static bool is_near(const struct statistics_rate *rate)
{
	return fabs(rate->rate - 1) < 1e-9 && rate->uncertainty > 1.9e-6 && rate->uncertainty < 2.1e-6;
}

static void a_good_run_passes(void **state)
{
	char *text;

	(void)state;
	judge(&none);
	assert_true(verdict(&text));
	assert_int_equal(count_of(text, "FAIL"), 0);
	assert_int_equal(count_of(text, "ROW ten "), 11);
	free(text);
	struct cooperative c = cooperative_judge(&run, 0);

	assert_int_equal(c.pictures, LEG_S);
	assert_true(c.vdso_used && c.events_right);
	assert_int_equal(c.udelay_min_ns, 1000120);
	assert_true(is_near(&c.sched) && is_near(&c.log) && c.cpu.rate == 1);
	run_free(&run);
}

/* Exactly one criterion that begins so, and exactly one row. */
static void check_fails(const struct faults *faults, const char *criterion, const char *consumer)
{
	char *text, sought[100];

	judge(faults);
	assert_false(verdict(&text));
	snprintf(sought, sizeof(sought), "FAIL %s", criterion);
	assert_int_equal(count_of(text, sought), 1);
	assert_int_equal(count_of(text, "FAIL "), 1);
	snprintf(sought, sizeof(sought), "ROW ten %s FAIL", consumer);
	assert_int_equal(count_of(text, sought), 1);
	assert_int_equal(count_of(text, " FAIL\n"), 1);
	free(text);
	run_free(&run);
}

static void each_fault_fails_its_criterion(void **state)
{
	(void)state;
	check_fails(&(struct faults){ .page = true }, "vDSO", "vdso");
	check_fails(&(struct faults){ .flapping = true }, "vDSO", "vdso");
	check_fails(&(struct faults){ .user_page = true }, "vDSO", "vdso");
	check_fails(&(struct faults){ .divider = 10 }, "event streams", "event_stream");
	check_fails(&(struct faults){ .divider = -1 }, "event streams", "event_stream");
	check_fails(&(struct faults){ .old_rate = true }, "arch_timer_rate", "arch_timer_rate");
	check_fails(&(struct faults){ .slow_once = true }, "udelay", "udelay");
	check_fails(&(struct faults){ .delay = 989999 }, "udelay", "udelay");
	check_fails(&(struct faults){ .delay = 1100001 }, "udelay", "udelay");
	check_fails(&(struct faults){ .sched = 0.0011 }, "sched_clock", "sched_clock");
	check_fails(&(struct faults){ .sched = 0.0011, .width = 200000 }, "sched_clock", "sched_clock");
	/* Such stamps say nothing: 5 s from the first to the last. */
	check_fails(&(struct faults){ .width = 5100000 }, "sched_clock", "sched_clock");
	check_fails(&(struct faults){ .width = 4100000000 }, "sched_clock", "sched_clock");
	check_fails(&(struct faults){ .log = -0.0011 }, "stamps", "printk");
	check_fails(&(struct faults){ .cpu = 0.051 }, "CLOCK_PROCESS", "cputime");
	check_fails(&(struct faults){ .warnings = 1 }, "kernel's log", "warnings");
	check_fails(&(struct faults){ .step = 51000 }, "steps", "clocksource");
}

/* 5 s from the first reading of a leg to the last, each known within 1 us. */
static void the_raw_clock_goes_with_reference_time(void **state)
{
	static const struct {
		struct faults faults;
		bool passes;
	} cases[] = {
		{ { .drift = 600 }, true },   { { .drift = -600 }, true },	{ { .drift = 601 }, false },
		{ { .drift = -601 }, false }, { { .raw_width = 20000 }, true }, { { .raw_width = 20001 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text;

		judge(&cases[i].faults);
		assert_int_equal(verdict(&text), cases[i].passes);
		assert_int_equal(count_of(text, "FAIL CLOCK_MONOTONIC_RAW"), !cases[i].passes);
		free(text);
		run_free(&run);
	}
}

static void one_picture_is_no_evidence(void **state)
{
	char *text;

	(void)state;
	judge(&(struct faults){ .no_picture = true });
	assert_false(verdict(&text));
	assert_non_null(strstr(text, "FAIL pictures: at least 1"));
	/* Nothing is known of a rate then. */
	assert_non_null(strstr(text, "ROW ten sched_clock FAIL"));
	free(text);
	run_free(&run);
}

static void a_silence_is_allowed_for(void **state)
{
	char *text;

	(void)state;
	judge(&(struct faults){ .gap_s = 12, .silence_s = 12 });
	assert_true(verdict(&text));
	free(text);
	run_free(&run);
	judge(&(struct faults){ .gap_s = 12, .silence_s = 5 });
	assert_false(verdict(&text));
	assert_non_null(strstr(text, "FAIL samples"));
	free(text);
	run_free(&run);
}

static void dividers_are_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(cooperative_divider(25000000), 10);
	assert_int_equal(cooperative_divider(50000000), 11);
	assert_int_equal(cooperative_divider(1000000000), 16);
	assert_int_equal(cooperative_divider(62500000), 12);
	assert_int_equal(cooperative_divider(1000000), 6);
	assert_int_equal(cooperative_divider(10000), 0);
}

static size_t migrations_of(const json_t *summary)
{
	return json_array_size(json_object_get(summary, "migrations"));
}

static void the_summary_is_added_to(void **state)
{
	json_t *other = json_pack("{s:[{s:s}, {s:s}, s]}", "migrations", "case", "other", "case", "ten", "nonsense");

	(void)state;
	judge(&(struct faults){ .divider = 10 });
	json_t *summary = cooperative_summary(other, &run), *again = cooperative_summary(summary, &run);
	const json_t *first = json_array_get(json_object_get(again, "migrations"), 2);
	const json_t *second = json_array_get(json_object_get(again, "migrations"), 3);

	assert_int_equal(migrations_of(summary), 4);
	assert_int_equal(migrations_of(again), 4);
	assert_string_equal(json_string_value(json_object_get(first, "case")), "ten");
	assert_string_equal(json_string_value(json_object_get(first, "level")), "cooperative");
	assert_true(json_is_true(json_object_get(first, "vdso_used")));
	assert_true(json_is_false(json_object_get(first, "evnti_right")));
	assert_true(json_is_true(json_object_get(second, "evnti_right")));
	assert_int_equal(json_integer_value(json_object_get(first, "udelay_min_ns")), 1000120);
	assert_true(json_real_value(json_object_get(first, "hold_us")) == 123.5);
	assert_true(json_is_null(json_object_get(second, "hold_us")));
	assert_true(json_is_real(json_object_get(first, "sched_clock_rate")));
	assert_true(json_is_real(json_object_get(first, "cputime_rate")));
	json_decref(other);
	json_decref(summary);
	json_decref(again);
	summary = cooperative_summary(NULL, &run);
	assert_int_equal(migrations_of(summary), 2);
	json_decref(summary);
	run_free(&run);
}

/* The judge's verdict on the run as one of kernel 6.1.0, whose level is to be this. */
static bool verdict_at(const char *level)
{
	FILE *nowhere = fopen("/dev/null", "w");
	bool passed;

	snprintf(run.manifest.level, sizeof(run.manifest.level), "%s", level);
	passed = kernels_verdict(&run, nowhere);
	fclose(nowhere);
	return passed;
}

static void a_kernel_is_judged_by_its_level(void **state)
{
	char error[MANIFEST_ERROR_MAX];
	struct manifest named;
	json_t *array = json_array();
	const char *kernel, *level;
	int page_size;

	(void)state;
	judge(&none);
	assert_false(verdict_at("cooperative")); /* of no kernel */
	assert_int_equal(manifest_parse(&named, "kernel 6.1.0-arm64 16384 reference\n", error), 0);
	memcpy(run.manifest.kernel, named.kernel, sizeof(named.kernel));
	run.manifest.page_size = named.page_size;
	assert_true(verdict_at("cooperative"));
	assert_false(verdict_at(named.level));
	run.reports[0].level[0] = run.migrations[0].report.level[0] = 'x';
	assert_false(verdict_at("cooperative"));
	assert_true(kernels_add(array, &run));
	assert_int_equal(json_unpack(json_array_get(array, 0), "{s:s, s:i, s:s}", "kernel", &kernel, "page_size",
				     &page_size, "level", &level),
			 0);
	assert_string_equal(kernel, "6.1.0-arm64");
	assert_int_equal(page_size, 16384);
	assert_string_equal(level, "cooperative");
	assert_int_equal(migrations_of(json_array_get(array, 0)), 2);
	json_decref(array);
	run_free(&run);
}

/* Below the cooperative level, what the kernel makes of the rate is not judged. */
static void a_lesser_kernel_keeps_its_clocks(void **state)
{
	(void)state;
	judge(&(struct faults){ .old_rate = true, .divider = 10 });
	snprintf(run.manifest.kernel, sizeof(run.manifest.kernel), "6.1.0-arm64");
	assert_false(verdict_at("cooperative"));
	for (size_t i = 0; i < run.migration_count; i++)
		snprintf(run.migrations[i].report.level, sizeof(run.migrations[i].report.level), "reference");
	assert_true(verdict_at("reference"));
	run_free(&run);
	judge(&(struct faults){ .step = 1000000 });
	snprintf(run.manifest.kernel, sizeof(run.manifest.kernel), "6.1.0-arm64");
	for (size_t i = 0; i < run.migration_count; i++)
		snprintf(run.migrations[i].report.level, sizeof(run.migrations[i].report.level), "reference");
	assert_false(verdict_at("reference"));
	run_free(&run);
}

static void bad_kernels_are_refused(void **state)
{
	static const char *const lines[] = { "kernel 6.1.0 4096\n", "kernel 6.1.0 big reference\n",
					     "kernel 6.1.0 4095 reference\n", "kernel 6.1.0 65537 reference\n" };
	char error[MANIFEST_ERROR_MAX];
	struct manifest named;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(manifest_parse(&named, lines[i], error), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kernel_is_judged_by_its_level),
		cmocka_unit_test(a_lesser_kernel_keeps_its_clocks),
		cmocka_unit_test(bad_kernels_are_refused),
		cmocka_unit_test(a_good_run_passes),
		cmocka_unit_test(each_fault_fails_its_criterion),
		cmocka_unit_test(one_picture_is_no_evidence),
		cmocka_unit_test(a_silence_is_allowed_for),
		cmocka_unit_test(dividers_are_the_kernels),
		cmocka_unit_test(the_summary_is_added_to),
		cmocka_unit_test(the_raw_clock_goes_with_reference_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
