/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole runs of known errors: what the judge measures, what it lets pass, and that each fault fails its own criterion.
 */
#include "judge_fixture.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "../../lab/judge/plot.h"
#include "../../lab/judge/run.h"
#include "../../lab/judge/summary.h"
#include "../../lab/judge/verdict.h"
#include "../../lab/judge/verdict_busy.h"
#include "../../lab/judge/verdict_memory.h"

#define OFFSET_ALTRA 812345678ll
#define OFFSET_GRACE (-55512345ll)

static const char manifest[] =
	"host altra 25000000\nhost grace 1000000000\ntruth altra 812345678 0 0\ntruth grace -55512345 0 0\n"
	"migration altra grace 1.json\nmigration grace altra 2.json\n";

/* The faults of a run; all zero is a good one. */
struct faults {
	int64_t step;
	int64_t shortfall;
	int64_t back;
	double rate;
	int64_t intended_step;
	double reported_rate;
	bool not_done;
	bool damage;
	bool rates_unknown;
	bool moves_thrice;
};

static struct fixture_run fixture;
static struct run run;

static void write_console(const struct faults *faults)
{
	memset(&fixture, 0, sizeof(fixture));
	fixture.hz = FIXTURE_ALTRA;
	fixture.offset = OFFSET_ALTRA;
	fixture.rate = 1;
	fixture_raw(&fixture.text, "@guest kernel=6.12 clocksource=seaclock_page clockevent=seaclock\n");
	fixture_leg(&fixture, 10);
	fixture_move(&fixture, FIXTURE_GRACE, OFFSET_GRACE, 0, 40000 + faults->step, faults->shortfall);
	fixture.rate = 1 + faults->rate;
	fixture.back = faults->back;
	fixture_leg(&fixture, 10);
	fixture.rate = 1;
	fixture_move(&fixture, FIXTURE_ALTRA, OFFSET_ALTRA, 0, -30000, 0);
	fixture_leg(&fixture, 10);
	if (faults->moves_thrice) {
		fixture_move(&fixture, FIXTURE_GRACE, OFFSET_GRACE, 0, 0, 0);
		fixture_leg(&fixture, 10);
	}
	for (int i = 0; faults->damage && i < 10; i++)
		fixture_raw(&fixture.text, "@sample hz=25\n");
	if (!faults->not_done)
		fixture_line(&fixture.text, "@done");
}

static int parse_manifest(const struct faults *faults, char *error)
{
	char text[sizeof(manifest) + 60];

	snprintf(text, sizeof(text), "%s%send done\n", manifest,
		 faults->moves_thrice ? "migration altra grace 3.json\n" : "");
	return manifest_parse(&run.manifest, text, error);
}

static int judge(const struct faults *faults)
{
	char error[RUN_ERROR_MAX];

	memset(&run, 0, sizeof(run));
	write_console(faults);
	assert_int_equal(parse_manifest(faults, error), 0);
	assert_int_equal(transcript_parse(&run.transcript, fixture.text.bytes, fixture.text.length), 0);
	for (size_t i = 0; i < run.manifest.migration_count; i++) {
		bool back = i == 1;

		run.reports[i] = (struct report){ .from_hz = back ? FIXTURE_GRACE : FIXTURE_ALTRA,
						  .to_hz = back ? FIXTURE_ALTRA : FIXTURE_GRACE,
						  .intended_step_ns = i ? 0 : faults->intended_step,
						  .bound_ns = 150000,
						  .has_rate = !faults->rates_unknown,
						  .rate_ppm = faults->reported_rate,
						  .rate_ppm_bound = 50,
						  .downtime_ms = 90 };
	}
	return run_judge(&run, error);
}

/* Runs the verdict into text, which the caller frees. */
static bool verdict(char **text)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	bool passed = verdict_of_run(&run, out);

	fclose(out);
	return passed;
}

static int lines_with(const char *text, const char *word)
{
	int count = 0;

	for (; (text = strstr(text, word)); text++)
		count++;
	return count;
}

static void a_good_run_passes(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(judge(&(struct faults){ 0 }), 0);
	assert_true(verdict(&text));
	assert_int_equal(lines_with(text, "PASS "), 11);
	free(text);
	assert_int_equal(run.migrations[0].step.size, 40000);
	assert_int_equal(run.migrations[1].step.size, -30000);
	assert_in_range(run.migrations[1].step.uncertainty, 60000, 60010);
	assert_int_equal(run.migrations[0].sleeps_spanning, 1);
	assert_string_equal(run.migrations[1].from->name, "grace");
	assert_true(fabs(run.timeline.legs[1].rate[TIMELINE_RAW] - 40) < 1e-6);
	assert_true(fabs(run.timeline.legs[2].rate[TIMELINE_RAW] - 1) < 1e-6);
	run_free(&run);
}

static void check_fault(const struct faults *faults, const char *criterion)
{
	char failed[100];
	char *text;

	assert_int_equal(judge(faults), 0);
	assert_false(verdict(&text));
	snprintf(failed, sizeof(failed), "FAIL %s", criterion);
	assert_int_equal(lines_with(text, failed), 1);
	assert_true(lines_with(text, "FAIL ") <= 4);
	free(text);
	run_free(&run);
}

static void each_fault_fails_its_criterion(void **state)
{
	(void)state;
	check_fault(&(struct faults){ .step = 51000 }, "steps");
	check_fault(&(struct faults){ .step = -131000 }, "steps");
	check_fault(&(struct faults){ .intended_step = -60000 }, "steps");
	check_fault(&(struct faults){ .reported_rate = 50.1 }, "reported rates");
	check_fault(&(struct faults){ .reported_rate = -50.1 }, "reported rates");
	check_fault(&(struct faults){ .rates_unknown = true, .moves_thrice = true }, "reported rates");
	check_fault(&(struct faults){ .shortfall = 141000 }, "sleeps early by truth");
	check_fault(&(struct faults){ .back = 1 }, "backward steps");
	check_fault(&(struct faults){ .rate = 0.0011 }, "rate of CLOCK_MONOTONIC");
	check_fault(&(struct faults){ .rate = -0.0011 }, "rate of CLOCK_BOOTTIME");
	check_fault(&(struct faults){ .not_done = true }, "log");
	check_fault(&(struct faults){ .damage = true }, "log");
}

static void what_is_allowed_passes(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(
		judge(&(struct faults){ .step = 49000, .shortfall = 180000, .rate = 0.000001, .reported_rate = -49.9 }),
		0);
	assert_true(verdict(&text));
	free(text);
	run_free(&run);
}

/* Two migrations may both be too short to tell the rates. */
static void few_unknown_rates_pass(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(judge(&(struct faults){ .rates_unknown = true }), 0);
	assert_true(verdict(&text));
	free(text);
	run_free(&run);
}

/* What a time service does to the clock on the way to a new frequency is Linux's, but only as far as that can be. */
static void small_steps_of_a_slewed_clock_pass(void **state)
{
	struct transcript_reads *last;
	char *text;

	(void)state;
	assert_int_equal(judge(&(struct faults){ .back = 1 }), 0);
	run.manifest.slew_ppm = 60;
	last = (struct transcript_reads *)run.transcript.reads.items + run.transcript.reads.count - 1;
	last->worst = 600;
	assert_true(verdict(&text));
	free(text);
	last->worst = 601;
	assert_false(verdict(&text));
	free(text);
	run_free(&run);
}

/* A clock that is stopped over the gap, as it was told to. */
static void an_intended_step_passes(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(judge(&(struct faults){ .step = -240000, .intended_step = -200000 }), 0);
	assert_true(verdict(&text));
	free(text);
	run_free(&run);
}

static void samples_that_contradict_each_other_fail(void **state)
{
	char error[RUN_ERROR_MAX];

	(void)state;
	assert_int_equal(judge(&(struct faults){ 0 }), 0);
	((struct transcript_sample *)run.transcript.samples.items)[38].mono += 60010;
	timeline_free(&run.timeline);
	assert_int_equal(run_judge(&run, error), 0);
	assert_int_equal(run.migrations[0].step.uncertainty, TIMELINE_UNCERTAIN);
	assert_true(run.migrations[1].step.uncertainty < TIMELINE_UNCERTAIN);
	/* But not if a time service may have done it. */
	run.manifest.slew_ppm = 1000;
	timeline_free(&run.timeline);
	assert_int_equal(run_judge(&run, error), 0);
	assert_true(run.migrations[0].step.uncertainty < TIMELINE_UNCERTAIN);
	run_free(&run);
}

/* 40 ns a tick, as at 25 MHz, but it says 24997500 Hz: its clocks run 100 ppm too fast. */
static void a_wrong_rate_is_known(void **state)
{
	static const char text_of_manifest[] =
		"host altra 25000000\nhost wrong 24997500\ntruth altra 812345678 0 0\n"
		"truth wrong -55512345 1795000000055512345 -100000\nmigration altra wrong 1.json\nend done\n";
	char error[RUN_ERROR_MAX], *text;

	(void)state;
	memset(&run, 0, sizeof(run));
	memset(&fixture, 0, sizeof(fixture));
	fixture.hz = FIXTURE_ALTRA;
	fixture.offset = OFFSET_ALTRA;
	fixture.rate = 1;
	fixture_leg(&fixture, 10);
	fixture_move(&fixture, 24997500, OFFSET_GRACE, -0.0001, 20000, 200000);
	fixture.rate = 1 / (1 - 0.0001);
	fixture.error += (int64_t)(250000000 * (fixture.rate - 1));
	fixture_leg(&fixture, 10);
	fixture_line(&fixture.text, "@done");
	assert_int_equal(manifest_parse(&run.manifest, text_of_manifest, error), 0);
	assert_int_equal(transcript_parse(&run.transcript, fixture.text.bytes, fixture.text.length), 0);
	run.reports[0] = (struct report){
		.bound_ns = 140000, .has_rate = true, .rate_ppm = 110, .rate_ppm_bound = 20, .downtime_ms = 90
	};
	assert_int_equal(run_judge(&run, error), 0);
	assert_true(llabs(run.migrations[0].step.size - 20000) < run.migrations[0].step.uncertainty - 59990);
	assert_true(run.migrations[0].step.uncertainty < 110000);
	assert_true(fabs(migration_rate_ppm(&run.migrations[0]) - 100.01) < 0.01);
	assert_true(fabs(run.timeline.legs[1].rate[TIMELINE_MONO] - 1.00010001) < 1e-7);
	assert_true(verdict(&text));
	free(text);
	run_free(&run);
}

static void backward_steps_belong_to_their_migration(void **state)
{
	(void)state;
	assert_int_equal(judge(&(struct faults){ .back = 3 }), 0);
	assert_int_equal(run.migrations[0].backward_steps, 3);
	assert_int_equal(run.migrations[1].backward_steps, 0);
	run_free(&run);
}

static void the_summary_has_every_number(void **state)
{
	static const char *const numbers[] = { "from_hz",
					       "to_hz",
					       "downtime_ms",
					       "true_step_ns",
					       "true_step_uncertainty_ns",
					       "intended_step_ns",
					       "stated_bound_ns",
					       "rtt_ns",
					       "age_ns",
					       "rate_ppm",
					       "rate_ppm_bound",
					       "true_rate_ppm",
					       "backward_steps",
					       "early_timers",
					       "bytes",
					       "rounds" };
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(judge(&(struct faults){ 0 }), 0);
	assert_int_equal(summary_write(&run, out), 0);
	fclose(out);
	json_t *summary = json_loads(text, 0, NULL);
	const json_t *migration = json_array_get(json_object_get(summary, "migrations"), 1);

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_true(json_is_number(json_object_get(migration, numbers[i])));
	assert_string_equal(json_string_value(json_object_get(migration, "to")), "altra");
	assert_int_equal(json_integer_value(json_object_get(migration, "true_step_ns")), -30000);
	assert_string_equal(json_string_value(json_object_get(summary, "clocksource")), "seaclock_page");
	json_decref(summary);
	free(text);
	run_free(&run);
}

static void tables_have_a_line_each(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(judge(&(struct faults){ 0 }), 0);
	plot_write_samples(&run, out);
	plot_write_migrations(&run, out);
	plot_write_legs(&run.timeline, out);
	fclose(out);
	assert_int_equal(lines_with(text, "\n"), 3 * 40 + 2 + 3 + 2 + 3);
	free(text);
	run_free(&run);
}

/* Judges `console` and expects a refusal. */
static void check_refused(const char *changed_manifest, const char *line)
{
	char error[RUN_ERROR_MAX] = "";

	memset(&run, 0, sizeof(run));
	fixture.text.length = 0;
	fixture_line(&fixture.text, line);
	assert_int_equal(manifest_parse(&run.manifest, changed_manifest, error), 0);
	assert_int_equal(transcript_parse(&run.transcript, fixture.text.bytes, fixture.text.length), 0);
	assert_int_equal(run_judge(&run, error), -EINVAL);
	assert_true(strlen(error) > 0);
	run_free(&run);
}

static void evidence_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	check_refused(manifest, "@done");
	check_refused(manifest, "@sample hz=25000000 ptp=1 mono=1 boot=1 real=1 cnt=1 width=1");
	check_refused(manifest, "@sample hz=62500000 ptp=1 mono=1 boot=1 real=1 cnt=1 width=1");
	check_refused("host altra 25000000\n", "@sample hz=25000000 ptp=1 mono=1 boot=1 real=1 cnt=1 width=1");
}

static void a_jump_of_more_than_a_year_is_refused(void **state)
{
	char error[RUN_ERROR_MAX];

	(void)state;
	memset(&run, 0, sizeof(run));
	fixture.text.length = 0;
	fixture_line(&fixture.text, "@sample hz=25000000 ptp=0 mono=1 boot=1 real=1 cnt=1 width=1");
	fixture_line(&fixture.text, "@sample hz=25000000 ptp=2305843009213693952 mono=2305843009213693952 boot=0 real=0"
				    " cnt=18446744073709551615 width=1");
	assert_int_equal(manifest_parse(&run.manifest, "host a 25000000\ntruth a 2305843009213693952 0 0\n", error), 0);
	assert_int_equal(transcript_parse(&run.transcript, fixture.text.bytes, fixture.text.length), 0);
	assert_int_equal(run_judge(&run, error), -EINVAL);
	run_free(&run);
}

/* Reports of two loops over `seconds`; processor time, and the second loop's time and work, are scaled. */
static bool judge_busy(int seconds, double cpu, double share, double work)
{
	struct transcript transcript;
	FILE *nowhere = fopen("/dev/null", "w");

	fixture.text.length = 0;
	fixture_line(&fixture.text, "@busy hz=25000000 ptp=0 cpu=5 a=1 b=99 a_ns=1 b_ns=4");
	for (int i = 0; i <= seconds; i++) {
		char line[200];

		snprintf(line, sizeof(line), "@busy hz=1000000000 ptp=%lld cpu=%lld a=%d b=%d a_ns=%d b_ns=%d",
			 i * 1000000000ll, (long long)(i * 1e9 * cpu), i * 1000, (int)(i * 1000 * work), i * 5000,
			 (int)(i * 5000 * share));
		fixture_line(&fixture.text, line);
	}
	assert_int_equal(transcript_parse(&transcript, fixture.text.bytes, fixture.text.length), 0);
	bool passed = verdict_of_busy(&transcript, 300, nowhere);

	fclose(nowhere);
	transcript_free(&transcript);
	return passed;
}

static void busy_loops_are_judged(void **state)
{
	(void)state;
	assert_true(judge_busy(300, 1, 1, 1));
	assert_true(judge_busy(300, 0.96, 0.95, 1));
	assert_true(judge_busy(300, 1.04, 1.05, 1));
	assert_true(judge_busy(300, 1, 1, 0.3));
	assert_true(judge_busy(300, 1, 1, 3));
	assert_false(judge_busy(299, 1, 1, 1));
	assert_false(judge_busy(300, 0.94, 1, 1));
	assert_false(judge_busy(300, 40, 1, 1));
	assert_false(judge_busy(300, 1, 0.5, 1));
	assert_false(judge_busy(300, 1, 0, 1));
	assert_false(judge_busy(300, 1, 1, 0.2));
	assert_false(judge_busy(300, 1, 1, 0));
	assert_false(judge_busy(0, 1, 1, 1));
}

/* Three legs, the memory line of each; judges them and returns whether that passed. */
static bool judge_memory(const char *first, const char *second, const char *third)
{
	static const char *const rates[] = { "25000000", "1000000000", "25000000" };
	const char *const lines[] = { first, second, third };
	struct transcript transcript;
	FILE *nowhere = fopen("/dev/null", "w");

	fixture.text.length = 0;
	for (int i = 0; i < 3; i++) {
		char line[200];

		snprintf(line, sizeof(line), "@reads hz=%s n0=1 n1=1 back=0 cross=0 worst=0", rates[i]);
		fixture_line(&fixture.text, line);
		snprintf(line, sizeof(line), "@memory hz=%s pages=4096 %s", rates[i], lines[i]);
		if (lines[i])
			fixture_line(&fixture.text, line);
	}
	assert_int_equal(transcript_parse(&transcript, fixture.text.bytes, fixture.text.length), 0);
	assert_int_equal(transcript.damaged, 0);
	bool passed = verdict_of_memory(&transcript, nowhere);

	fclose(nowhere);
	transcript_free(&transcript);
	return passed;
}

static void memory_is_judged(void **state)
{
	(void)state;
	assert_true(judge_memory("written=5 wrong=0 page=0 generation=0", "written=6 wrong=0 page=0 generation=0",
				 "written=7 wrong=0 page=0 generation=0"));
	assert_false(judge_memory("written=5 wrong=0 page=0 generation=0", "written=5 wrong=0 page=0 generation=0",
				  "written=7 wrong=0 page=0 generation=0"));
	assert_false(
		judge_memory("written=5 wrong=0 page=0 generation=0", NULL, "written=7 wrong=0 page=0 generation=0"));
	assert_false(judge_memory("written=5 wrong=0 page=0 generation=0", "written=6 wrong=1 page=17 generation=2",
				  "written=7 wrong=1 page=17 generation=2"));
	assert_false(judge_memory(NULL, NULL, NULL));
}

/* A run that was to have the load and has not fails. */
static void missing_memory_fails(void **state)
{
	char *text;

	(void)state;
	assert_int_equal(judge(&(struct faults){ 0 }), 0);
	run.manifest.has_memory_load = true;
	assert_false(verdict(&text));
	assert_int_equal(lines_with(text, "FAIL memory"), 1);
	free(text);
	run_free(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_run_passes),
		cmocka_unit_test(each_fault_fails_its_criterion),
		cmocka_unit_test(what_is_allowed_passes),
		cmocka_unit_test(backward_steps_belong_to_their_migration),
		cmocka_unit_test(the_summary_has_every_number),
		cmocka_unit_test(tables_have_a_line_each),
		cmocka_unit_test(evidence_that_does_not_fit_is_refused),
		cmocka_unit_test(a_jump_of_more_than_a_year_is_refused),
		cmocka_unit_test(busy_loops_are_judged),
		cmocka_unit_test(few_unknown_rates_pass),
		cmocka_unit_test(small_steps_of_a_slewed_clock_pass),
		cmocka_unit_test(an_intended_step_passes),
		cmocka_unit_test(samples_that_contradict_each_other_fail),
		cmocka_unit_test(a_wrong_rate_is_known),
		cmocka_unit_test(memory_is_judged),
		cmocka_unit_test(missing_memory_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
