/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole consoles: legs, records, hostile numbers. */
#include "judge_fixture.h"

#include <errno.h>

#include "../../lab/judge/transcript.h"

#define LEVEL "sp=20 sw=29 sched=21 lp=22 lw=30 log=23 vdso=1 delay=24 rate=31 cpus=25 warn=26 cpu=27 of=28"
#define SAMPLE "@sample hz=25000000 ptp=10 mono=20 boot=30 real=40 cnt=18446744073709551615 width=5"

static struct fixture_text text;

static int parse(struct transcript *transcript)
{
	return transcript_parse(transcript, text.bytes, text.length);
}

static int setup(void **state)
{
	(void)state;
	text = (struct fixture_text){ 0 };
	return 0;
}

static void reads_every_kind(void **state)
{
	struct transcript t;

	(void)state;
	fixture_raw(&text, "[    0.0] Booting\r\n@guest kernel=6.12 clocksource=seaclock_page clockevent=seaclock\r\n");
	fixture_line(&text, "@probe seed=1 cpus=2");
	fixture_line(&text, SAMPLE);
	fixture_line(&text, "@sleep kind=timerfd ns=7 mono0=1 mono1=9 hz0=25000000 ptp0=4 hz1=1000000000 ptp1=6");
	fixture_line(&text, "@sleeps hz=25000000 n=1 early=2 truth_early=3 lost=4 late=5");
	fixture_line(&text, "@reads hz=25000000 n0=6 n1=7 back=8 cross=9 worst=10");
	fixture_line(&text, "@busy hz=25000000 ptp=11 cpu=12 a=13 b=14 a_ns=15 b_ns=16");
	fixture_line(&text, "@hotplug hz=25000000 offline=15 online=16 refused=17");
	fixture_line(&text, "@level hz=25000000 " LEVEL " lo=-1 hi=15");
	fixture_line(&text, "@raw hz=25000000 ptp=32 less=-33 width=34");
	fixture_line(&text, "@module hz=25000000 clock=raw");
	fixture_line(&text, "@refuse hz=25000000 n=1 kind=lock state=begin");
	fixture_line(&text, "@done");
	assert_int_equal(parse(&t), 0);
	assert_string_equal(t.kernel, "6.12");
	assert_string_equal(t.clocksource, "seaclock_page");
	assert_string_equal(t.clockevent, "seaclock");
	assert_int_equal(t.taken, 13);
	assert_int_equal(t.damaged, 0);
	assert_int_equal(t.samples.count, 1);
	assert_int_equal(transcript_samples(&t)->real, 40);
	assert_true(transcript_samples(&t)->cnt == UINT64_MAX);
	assert_int_equal(((struct transcript_sleep *)t.sleep.items)->ptp1, 6);
	assert_int_equal(((struct transcript_sleeps *)t.sleeps.items)->late, 5);
	assert_int_equal(((struct transcript_reads *)t.reads.items)->cross, 9);
	assert_int_equal(((struct transcript_busy *)t.busy.items)->work[1], 14);
	assert_int_equal(((struct transcript_busy *)t.busy.items)->ns[1], 16);
	assert_int_equal(((struct transcript_level *)t.level.items)->truth, 28);
	assert_int_equal(((struct transcript_level *)t.level.items)->least, -1);
	assert_int_equal(((struct transcript_raw *)t.raw.items)->ptp, 32);
	assert_int_equal(((struct transcript_raw *)t.raw.items)->difference, -33);
	assert_int_equal(((struct transcript_raw *)t.raw.items)->width, 34);
	assert_true(t.done);
	transcript_free(&t);
}

static void counts_legs_by_rate(void **state)
{
	struct transcript t;

	(void)state;
	fixture_line(&text, "@reads hz=25000000 n0=1 n1=1 back=0 cross=0 worst=0");
	fixture_line(&text, "@reads hz=1000000000 n0=2 n1=2 back=0 cross=0 worst=0");
	fixture_line(&text, SAMPLE);
	assert_int_equal(parse(&t), 0);
	assert_int_equal(t.legs, 3);
	assert_int_equal(t.leg_hz[1], 1000000000);
	assert_int_equal(transcript_samples(&t)->leg, 2);
	transcript_free(&t);
}

/* Neither a picture that a migration delayed, nor one that is ahead of the first line there, begins a leg. */
static void passes_over_pictures_of_other_legs(void **state)
{
	struct transcript t;

	(void)state;
	fixture_line(&text, "@level hz=25000000 " LEVEL " lo=1 hi=1");
	fixture_line(&text, SAMPLE);
	fixture_line(&text, "@level hz=25000000 " LEVEL " lo=2 hi=2");
	fixture_line(&text, "@reads hz=1000000000 n0=2 n1=2 back=0 cross=0 worst=0");
	fixture_line(&text, "@level hz=25000000 " LEVEL " lo=3 hi=3");
	fixture_line(&text, "@level hz=1000000000 " LEVEL " lo=4 hi=4");
	assert_int_equal(parse(&t), 0);
	assert_int_equal(t.damaged, 0);
	assert_int_equal(t.legs, 2);
	assert_int_equal(t.level.count, 2);
	assert_int_equal(((struct transcript_level *)t.level.items)[0].least, 2);
	assert_int_equal(((struct transcript_level *)t.level.items)[1].leg, 1);
	assert_int_equal(((struct transcript_level *)t.level.items)[1].least, 4);
	transcript_free(&t);
}

static void counts_damage_and_goes_on(void **state)
{
	static const char *const damaged[] = {
		"@sample hz=25000000",
		"@sample hz=0 ptp=10 mono=20 boot=30 real=40 cnt=5 width=5",
		"@sample hz=25000000 ptp=-1 mono=20 boot=30 real=40 cnt=5 width=5",
		"@sample hz=25000000 ptp=9223372036854775807 mono=20 boot=30 real=40 cnt=5 width=5",
		"@sample hz=25000000 ptp=10 mono=20 boot=30 real=40 cnt=-5 width=5",
		"@sleep kind=timerfd ns=7 mono0=1 mono1=9 hz0=25000000 ptp0=0 hz1=1 ptp1=2000000000000000000",
		"@reads hz=25000000 n0=1 n1=1 back=0 cross=0",
		"@level hz=25000000 " LEVEL " lo=-2 hi=15",
		"@level hz=25000000 " LEVEL " lo=1",
		"@level hz=25000000 sp=-" LEVEL " lo=1 hi=1",
		"@raw hz=25000000 ptp=1 less=-2",
		"@raw hz=25000000 ptp=1 less=2 width=-3",
		"@unknown hz=25000000",
	};
	struct transcript t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++)
		fixture_line(&text, damaged[i]);
	fixture_line(&text, SAMPLE);
	assert_int_equal(parse(&t), 0);
	assert_int_equal(t.damaged, ARRAY_SIZE(damaged));
	assert_int_equal(t.taken, 1);
	assert_int_equal(t.legs, 1);
	transcript_free(&t);
}

static void joins_a_line_cut_by_a_migration(void **state)
{
	struct transcript t;

	(void)state;
	fixture_line(&text, SAMPLE);
	text.length -= 2;
	assert_int_equal(parse(&t), 0);
	assert_int_equal(t.samples.count, 1);
	transcript_free(&t);
	text.length -= 3;
	assert_int_equal(parse(&t), 0);
	assert_int_equal(t.samples.count, 0);
	/* The guest was stopped in it. */
	assert_int_equal(t.damaged, 0);
	transcript_free(&t);
	fixture_raw(&text, "\r\n");
	assert_int_equal(parse(&t), 0);
	assert_int_equal(t.damaged, 1);
	transcript_free(&t);
}

static void refuses_too_many_legs(void **state)
{
	struct transcript t;

	(void)state;
	for (int i = 0; i <= TRANSCRIPT_LEGS_MAX; i++)
		fixture_line(&text, i % 2 ? SAMPLE : "@reads hz=7 n0=1 n1=1 back=0 cross=0 worst=0");
	assert_int_equal(parse(&t), -E2BIG);
	transcript_free(&t);
}

static void takes_anything_for_bytes(void **state)
{
	struct transcript t;

	(void)state;
	for (unsigned int i = 0; i < 5000; i++)
		text.bytes[i] = (char)(i * 2654435761u >> 13);
	text.length = 5000;
	assert_int_equal(parse(&t), 0);
	assert_int_equal(t.taken, 0);
	transcript_free(&t);
	assert_int_equal(transcript_parse(&t, NULL, 0), 0);
	transcript_free(&t);
}

static void bounds_the_names_of_the_guest(void **state)
{
	struct transcript t;

	(void)state;
	fixture_raw(&text, "@guest kernel=");
	for (int i = 0; i < 150; i++)
		fixture_raw(&text, "k");
	fixture_raw(&text, "\n");
	assert_int_equal(parse(&t), 0);
	assert_int_equal(strlen(t.kernel), TRANSCRIPT_NAME_MAX - 1);
	assert_string_equal(t.clocksource, "");
	transcript_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(reads_every_kind, setup),
		cmocka_unit_test_setup(counts_legs_by_rate, setup),
		cmocka_unit_test_setup(passes_over_pictures_of_other_legs, setup),
		cmocka_unit_test_setup(counts_damage_and_goes_on, setup),
		cmocka_unit_test_setup(joins_a_line_cut_by_a_migration, setup),
		cmocka_unit_test_setup(refuses_too_many_legs, setup),
		cmocka_unit_test_setup(takes_anything_for_bytes, setup),
		cmocka_unit_test_setup(bounds_the_names_of_the_guest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
