/* SPDX-License-Identifier: BSD-2-Clause */
/* The judge of a stock kernel's clocks: what a guest prints, right but for one thing, and what that is called. */
#include "unit.h"

#include "../guest/probe_line.h"
#include "../repair/fixture/clocks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* 1 s at 25 MHz, then the counter jumps, 1 s at 62.5 MHz, and then as at first. */
static const struct clocks_life lives[] = { { 25000000, 100000000, 125000000, false },
					    { 62500000, 7000000, 69500000, false },
					    { 25000000, 100000000, 125000000, false } };
#define LIVES 2 /* but in one test */
#define AHEAD_0 1000
/* The counter's last tick is the next one's first: 5 s are 0.112 s. */
#define AHEAD_1 (AHEAD_0 + 125000000ll * 40 - 7000000ll * 16)
#define AHEAD_2 (AHEAD_1 + 69500000ll * 16 - 100000000ll * 40)

static const struct clocks_limits limits = { .late = 1000000 };

struct console {
	char text[8192];
};

static void say(struct console *console, const char *text)
{
	size_t used = strlen(console->text);

	assert_true(line_format(console->text + used, sizeof(console->text) - used, text) > 0);
}

/* A kernel's line has no checksum. */
static void say_plainly(struct console *console, const char *text)
{
	strcat(console->text, text);
}

/* What the probe says when all clocks are `low` ns ahead of the counter at least, `width` more at most. */
static void say_bracket(struct console *console, uint32_t hz, uint64_t count, int call, int64_t low, int64_t width)
{
	char text[LINE_MAX_LENGTH];

	snprintf(text, sizeof(text),
		 "@bracket hz=%u cnt=%" PRIu64 " call=%d n=9 mono=%" PRId64 " mono_w=%" PRId64 " raw=%" PRId64
		 " raw_w=%" PRId64 " real=%" PRId64 " real_w=%" PRId64,
		 hz, count, call, low, width, low, width, low, width);
	if (call)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " log=%" PRId64 " log_w=%" PRId64, low,
			 width);
	say(console, text);
}

/* A life that begins and ends with clocks so far ahead. */
static void say_life_of(struct console *console, const struct clocks_life *life, int64_t begin, int64_t end)
{
	say_bracket(console, life->hz, life->first + 1000, 0, begin, 0);
	say_bracket(console, life->hz, life->first + 2000, 1, begin - 5000, 10000);
	say_bracket(console, life->hz, life->last, 0, end, 0);
}

static void say_life(struct console *console, size_t n, int64_t begin, int64_t end)
{
	say_life_of(console, &lives[n], begin, end);
}

static const char reads_right[] = "@reads hz=62500000 n0=5 n1=5 back=0 cross=0 worst=0";
static const char sleeps_right[] = "@sleeps hz=62500000 n=5 early=0 truth_early=0 lost=0 late=900000";

/* Clocks that step by so much between the lives. */
static void begin(struct console *console, int64_t step)
{
	console->text[0] = '\0';
	say_plainly(console, "[    0.000000] before the probe begins\n");
	say(console, "@probe seed=1 cpus=2");
	say_life(console, 0, AHEAD_0, AHEAD_0);
	say_life(console, 1, AHEAD_1 + step, AHEAD_1 + step);
	say(console, reads_right);
	say(console, sleeps_right);
}

static void expect_by(const struct clocks_limits *by, const struct console *console, const struct clocks_life *of,
		      size_t count, unsigned int complaints, const char *one)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	unsigned int found = clocks_judge(console->text, of, count, by, out);

	fclose(out);
	if (found != complaints || !strstr(text, one))
		fail_msg("%u complaints, not %u with \"%s\":\n%s", found, complaints, one, text);
	free(text);
}

static void expect_of(const struct console *console, size_t count, unsigned int complaints, const char *one)
{
	expect_by(&limits, console, lives, count, complaints, one);
}

static void expect(const struct console *console, unsigned int complaints, const char *one)
{
	expect_of(console, LIVES, complaints, one);
}

static void test_what_is_right(void **state)
{
	struct console console;

	(void)state;
	begin(&console, 0);
	expect(&console, 0, "");
}

static void test_lives_at_the_same_counter(void **state)
{
	struct console console;

	(void)state;
	begin(&console, 0);
	say_life(&console, 2, AHEAD_2, AHEAD_2);
	expect_of(&console, 3, 1, "no reads or no sleeps in its last life");
	say(&console, reads_right);
	say(&console, sleeps_right);
	expect_of(&console, 3, 0, "");
}

static void test_steps_of_a_tick(void **state)
{
	static const int64_t steps[] = { 40, -40, 41, -41 };
	struct console console;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(steps); n++) {
		begin(&console, steps[n]);
		if (n < 2)
			expect(&console, 0, "");
		else
			expect(&console, 3, "from life 0 to 1 raw steps");
	}
}

static void test_drift(void **state)
{
	struct console console;

	(void)state;
	begin(&console, 0);
	/* 5 ns, and 50 ns a second. */
	say_life(&console, 1, AHEAD_1, AHEAD_1 + 54);
	expect(&console, 0, "");
	say_life(&console, 1, AHEAD_1, AHEAD_1 + 56);
	expect(&console, 3, "real differs from truth");
}

/* Nothing is heard of the life in the middle. What it has done wrong shows in the one behind it. */
static void test_brief_life(void **state)
{
	static const struct clocks_life brief[] = { { 25000000, 100000000, 125000000, false },
						    { 62500000, 7000000, 69500000, true },
						    { 20000000, 100000000, 120000000, false } };
	static const int64_t ahead = AHEAD_1 + 69500000ll * 16 - 100000000ll * 50;
	static const int64_t steps[] = { 50, -50, 51, -51 };
	struct console console;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(steps); n++) {
		console.text[0] = '\0';
		say(&console, "@probe seed=1 cpus=2");
		say_life_of(&console, &brief[0], AHEAD_0, AHEAD_0);
		say_life_of(&console, &brief[2], ahead + steps[n], ahead + steps[n]);
		say(&console, reads_right);
		say(&console, sleeps_right);
		expect_by(&limits, &console, brief, ARRAY_SIZE(brief), n < 2 ? 0 : 3,
			  n < 2 ? "" : "from life 0 to 2 raw steps");
	}
}

/* 600 ppm of a second, and of two, for the clocks that NTP steers. */
static void test_steered_clocks(void **state)
{
	static const struct clocks_limits steered = { .late = 1000000, .steered_ppm = 600 };
	struct console console;

	(void)state;
	begin(&console, 0);
	say_life(&console, 1, AHEAD_1, AHEAD_1 + 600054);
	expect_by(&steered, &console, lives, LIVES, 1, "raw differs from truth");
	begin(&console, 0);
	say_life(&console, 1, AHEAD_1, AHEAD_1 + 600056);
	expect_by(&steered, &console, lives, LIVES, 3, "mono differs from truth");
	begin(&console, 1200040);
	expect_by(&steered, &console, lives, LIVES, 2, "from life 0 to 1 log steps");
	begin(&console, 1200041);
	expect_by(&steered, &console, lives, LIVES, 4, "from life 0 to 1 real steps");
}

/* A coarse clock that NTP steers may go back by 600 ppm of a tick of 4 ms. */
static void test_steered_coarse_clocks(void **state)
{
	static const struct clocks_limits steered = { .late = 1000000, .steered_ppm = 600 };
	static const char small[] = "@reads hz=1 n0=5 n1=5 back=1 cross=2 coarse=3 worst=2400";
	static const struct {
		const char *line, *complaint;
	} wrong[] = {
		{ "@reads hz=1 n0=5 n1=5 back=1 cross=2 coarse=2 worst=2400", "backward steps on a vCPU: 1" },
		{ "@reads hz=1 n0=5 n1=5 back=1 cross=2 coarse=3 worst=2401", "backward steps on a vCPU: 1" },
		{ "@reads hz=1 n0=5 n1=5 back=1 cross=2 worst=2400", "backward steps on a vCPU: 1" },
	};
	struct console console;

	(void)state;
	begin(&console, 0);
	say(&console, small);
	expect_by(&steered, &console, lives, LIVES, 0, "");
	expect(&console, 2, "from one vCPU to the other: 2");
	for (size_t n = 0; n < ARRAY_SIZE(wrong); n++) {
		begin(&console, 0);
		say(&console, wrong[n].line);
		expect_by(&steered, &console, lives, LIVES, 2, wrong[n].complaint);
	}
}

static void test_kernel_and_vdso_disagree(void **state)
{
	struct console console;

	(void)state;
	begin(&console, 0);
	say_bracket(&console, lives[1].hz, lives[1].last, 1, AHEAD_1 + 100, 1000);
	expect(&console, 3, "mono differs from truth");
}

static void test_totals(void **state)
{
	static const struct {
		const char *line, *complaint;
	} wrong[] = {
		{ "@reads hz=1 n0=5 n1=5 back=1 cross=0 worst=1", "backward steps on a vCPU: 1" },
		{ "@reads hz=1 n0=5 n1=5 back=0 cross=2 worst=1", "from one vCPU to the other: 2" },
		{ "@reads hz=1 n0=5 n1=5 back=0 worst=1", "from one vCPU to the other: not said" },
		{ "@sleeps hz=1 n=5 early=1 truth_early=0 lost=0 late=0", "ended early: 1" },
		{ "@sleeps hz=1 n=5 early=0 truth_early=1 lost=0 late=0", "by CLOCK_REALTIME: 1" },
		{ "@sleeps hz=1 n=5 early=0 truth_early=0 lost=1 late=0", "never ended: 1" },
		{ "@sleeps hz=1 n=5 early=0 truth_early=0 lost=0 late=1000001", "late by 1000001 ns" },
		{ "@bracket hz=25000000 call=0 n=1", "lacks a number" },
		{ "@bracket hz=25000000 cnt=125000001 call=0 n=1", "which it never did" },
	};
	struct console console;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(wrong); n++) {
		begin(&console, 0);
		say(&console, wrong[n].line);
		expect(&console, 1, wrong[n].complaint);
	}
}

static void test_the_kernel_says_something(void **state)
{
	static const char *const messages[] = { "no longer affine", NULL };
	static const struct clocks_limits with_hotplug = { .late = 1000000, .messages = messages };
	struct console console;

	(void)state;
	begin(&console, 0);
	say_plainly(&console, "[   12.345678] WARNING: CPU: 1\r\n");
	expect(&console, 1, "the kernel says [   12.345678] WARNING: CPU: 1\n");
	begin(&console, 0);
	say_plainly(&console, "[   12.345678] hrtimer: interrupt took 19463166 ns\n");
	expect(&console, 0, "");
	say_plainly(&console, "[   12.345678] process 61 (probe) no longer affine to cpu1\n");
	expect(&console, 1, "no longer affine");
	expect_by(&with_hotplug, &console, lives, LIVES, 0, "");
}

static void test_silence(void **state)
{
	struct console console = { "" };

	(void)state;
	say_life(&console, 0, AHEAD_0, AHEAD_0);
	say(&console, reads_right);
	say(&console, sleeps_right);
	expect(&console, 2, "life 1, at 62500000 Hz: the guest has not read its clocks");
	console.text[0] = '\0';
	say_life(&console, 0, AHEAD_0, AHEAD_0);
	say_life(&console, 1, AHEAD_1, AHEAD_1);
	say(&console, reads_right);
	expect(&console, 1, "no reads or no sleeps");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_right),
		cmocka_unit_test(test_lives_at_the_same_counter),
		cmocka_unit_test(test_steps_of_a_tick),
		cmocka_unit_test(test_drift),
		cmocka_unit_test(test_brief_life),
		cmocka_unit_test(test_steered_clocks),
		cmocka_unit_test(test_steered_coarse_clocks),
		cmocka_unit_test(test_kernel_and_vdso_disagree),
		cmocka_unit_test(test_totals),
		cmocka_unit_test(test_the_kernel_says_something),
		cmocka_unit_test(test_silence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
