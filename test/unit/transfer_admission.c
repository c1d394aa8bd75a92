/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may go to another rate: over all combinations of what a guest follows, how that is known, both rates and what the
 * operator allows; and the sentence of each refusal.
 */
#include "unit.h"

#include "transfer/admission.h"
#include "base/name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint32_t rates[] = { 1000000, SC_REF_HZ, SC_REF_HZ + 1, 25000000, 1000000000 };

/* By the rules of doc/design.md, one after the other. */
static enum admission_verdict expected(const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz,
				       const struct admission_terms *terms)
{
	bool slow_from = from_hz <= SC_REF_HZ, slow_to = to_hz <= SC_REF_HZ;

	if (from_hz == to_hz)
		return ADMISSION_MAY;
	if (terms->force)
		return ADMISSION_MAY;
	if (follow->level == SC_LEVEL_NONE || (follow->inferred && slow_from))
		return ADMISSION_CANNOT;
	if (follow->inferred && slow_to)
		return ADMISSION_NO_RETURN;
	return follow->inferred && !terms->inferred ? ADMISSION_INFERRED : ADMISSION_MAY;
}

static void check(const struct sc_follow *follow, uint32_t from_hz, uint32_t to_hz)
{
	for (int bits = 0; bits < 4; bits++) {
		const struct admission_terms terms = { .inferred = bits & 1, .force = bits & 2 };
		enum admission_verdict verdict = expected(follow, from_hz, to_hz, &terms);
		struct error error = { .text = "" };

		assert_int_equal(admission_judge(follow, from_hz, to_hz, &terms), verdict);
		assert_int_equal(admission_check("n", follow, from_hz, to_hz, &terms, &error),
				 verdict == ADMISSION_MAY ? 0 : -EPERM);
		assert_int_equal(strlen(error.text) > 0, verdict != ADMISSION_MAY);
		/* Whoever is refused is told what to do, within what a sentence may have. */
		assert_true(verdict == ADMISSION_MAY || strstr(error.text, "--force") ||
			    strstr(error.text, "--inferred"));
		assert_true(strlen(error.text) + NAME_SIZE < sizeof(error.text) - 1);
	}
}

static void test_all(void **state)
{
	(void)state;
	for (int obstacle = SC_OBSTACLE_NONE; obstacle <= SC_OBSTACLE_TIMER; obstacle++)
		for (int level = SC_LEVEL_NONE; level <= SC_LEVEL_COOPERATIVE; level++)
			for (size_t n = 0; n < 2 * ARRAY_SIZE(rates) * ARRAY_SIZE(rates); n++) {
				const struct sc_follow follow = {
					.level = obstacle ? SC_LEVEL_NONE : (enum sc_level)level,
					.inferred = n % 2,
					.obstacle =
						obstacle || level ? (enum sc_obstacle)obstacle : SC_OBSTACLE_NO_PAGE,
				};

				check(&follow, rates[n / 2 % ARRAY_SIZE(rates)], rates[n / 2 / ARRAY_SIZE(rates)]);
			}
}

static const char *sentence(enum sc_obstacle obstacle, uint32_t vp, uint32_t from_hz, uint32_t to_hz)
{
	const struct sc_follow follow = {
		.level = obstacle == SC_OBSTACLE_NONE ? SC_LEVEL_REFERENCE : SC_LEVEL_NONE,
		.inferred = obstacle == SC_OBSTACLE_NONE,
		.obstacle = obstacle,
		.vp = vp,
	};
	static struct error error;

	error = (struct error){ .text = "" };
	admission_check("boat", &follow, from_hz, to_hz, &(struct admission_terms){ 0 }, &error);
	return error.text;
}

static void test_sentences(void **state)
{
	(void)state;
	assert_string_equal(
		sentence(SC_OBSTACLE_NO_PAGE, 0, 1000000000, 24997500),
		"boat cannot follow from a counter of 1000 MHz to one of 24.9975 MHz, at 0.02 times the "
		"rate: it is not on the reference clock; load the seaclock module in the guest, have its "
		"kernel repaired with --repair if it is one that is known, or let its clock go wrong with --force");
	assert_non_null(strstr(sentence(SC_OBSTACLE_NO_PAGE, 0, 2000000000, 1999999999), "to one of 1999.999999 MHz"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_NO_PAGE, 0, 1000000, 2000000000), "at 2000.00 times the rate"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_TIMER, 5, 25000000, 1000000000),
			       ": vCPU 5 is on and has no synthetic timer; try again if that vCPU is being taken "
			       "online or offline just now"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_OTHER, 0, 25000000, 1000000000),
			       "neither the reference page nor the raw counter; choose seaclock_raw or seaclock_page"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_RAW, 0, 25000000, 1000000000), "its clock is the raw counter"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_NONE, 0, 25000000, 1000000000), "is inferred"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_NONE, 0, 25000000, 1000000000), "say so with --inferred"));
	assert_null(strstr(sentence(SC_OBSTACLE_NONE, 0, 25000000, 10000000), "--inferred"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_NONE, 0, 25000000, 10000000), "from there it could not be moved"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_NONE, 0, 10000000, 25000000), "the reference page is invalid"));
	assert_non_null(strstr(sentence(SC_OBSTACLE_SLOW, 0, 10000000, 25000000), "the reference page is invalid"));
}

static void test_reasons(void **state)
{
	char text[ADMISSION_REASON_MAX];

	(void)state;
	for (int obstacle = SC_OBSTACLE_NONE; obstacle <= SC_OBSTACLE_TIMER; obstacle++) {
		const struct sc_follow follow = { .obstacle = (enum sc_obstacle)obstacle, .vp = 7 };

		admission_reason(&follow, text);
		assert_int_equal(strlen(text) > 0, obstacle != SC_OBSTACLE_NONE);
		assert_true(strlen(text) < ADMISSION_REASON_MAX - 1);
	}
	assert_string_equal(text, "vCPU 7 is on and has no synthetic timer");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_sentences),
		cmocka_unit_test(test_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
