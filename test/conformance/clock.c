/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference counter and its page.
 *
 * Policy: readers are those of the contract, as any guest would use them.
 */
#include "conformance.h"

/* Readings in a row; enough for a race to show, short enough for a slow machine. */
#define READINGS 2000u

static const struct sc_reference_tsc_page *page_of(enum port_page which)
{
	return port_memory(which);
}

/* Reference time by the page, as <seaclock/page.h> reads it; the counter is the port's. */
static bool page_now(enum port_page which, uint64_t *now)
{
	const struct sc_reference_tsc_page *page = page_of(which);
	uint32_t sequence;

	do {
		sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
		if (sequence == SC_PAGE_SEQUENCE_INVALID)
			return false;
		*now = (uint64_t)(((unsigned __int128)port_counter() *
				   __atomic_load_n(&page->scale, __ATOMIC_RELAXED)) >>
				  64) +
		       (uint64_t)__atomic_load_n(&page->offset, __ATOMIC_RELAXED);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&page->sequence, __ATOMIC_RELAXED) != sequence);
	return true;
}

static bool sequence_valid(enum port_page which)
{
	uint32_t sequence = __atomic_load_n(&page_of(which)->sequence, __ATOMIC_ACQUIRE);

	return sequence != 0 && sequence != UINT32_MAX;
}

static bool page_valid(struct trial *trial)
{
	return expect_true(trial, sequence_valid(PAGE_CLOCK), page_of(PAGE_CLOCK)->sequence);
}

static bool page_kept(struct trial *trial)
{
	return expect(trial, trial_get(trial, SC_REG_REFERENCE_TSC), port_gpa(PAGE_CLOCK) | SC_REFERENCE_TSC_ENABLE);
}

static bool page_preserved_bits(struct trial *trial)
{
	uint64_t value = port_gpa(PAGE_CLOCK) | 0xffe | SC_REFERENCE_TSC_ENABLE;

	return trial_set(trial, SC_REG_REFERENCE_TSC, value) &&
	       expect(trial, trial_get(trial, SC_REG_REFERENCE_TSC), value) && page_valid(trial);
}

static bool page_disabled(struct trial *trial)
{
	return trial_set(trial, SC_REG_REFERENCE_TSC, 0) && expect(trial, trial_get(trial, SC_REG_REFERENCE_TSC), 0);
}

/* All bytes of a page from word `from` on are 0. */
static bool page_is_zero(struct trial *trial, enum port_page which, uint32_t from)
{
	const volatile uint64_t *word = port_memory(which);

	for (uint32_t i = from; i < SC_HV_PAGE_SIZE / sizeof(*word); i++)
		if (!expect(trial, word[i], 0))
			return false;
	return true;
}

static bool page_not_enabled(struct trial *trial)
{
	return trial_set(trial, SC_REG_REFERENCE_TSC, port_gpa(PAGE_CLOCK_MOVED)) &&
	       page_is_zero(trial, PAGE_CLOCK_MOVED, 0);
}

static bool page_move(struct trial *trial)
{
	return trial_set(trial, SC_REG_REFERENCE_TSC, port_gpa(PAGE_CLOCK_MOVED) | SC_REFERENCE_TSC_ENABLE);
}

static bool page_after_disable(struct trial *trial)
{
	volatile uint64_t *word = port_memory(PAGE_CLOCK_MOVED);

	if (!page_move(trial) || !trial_set(trial, SC_REG_REFERENCE_TSC, 0))
		return false;
	for (uint32_t i = 0; i < SC_HV_PAGE_SIZE / sizeof(*word); i++)
		word[i] = 0;
	return port_wait(trial_now(trial) + 100 * MS) && page_is_zero(trial, PAGE_CLOCK_MOVED, 0);
}

static bool page_sequence_new(struct trial *trial)
{
	uint32_t before = page_of(PAGE_CLOCK)->sequence;

	return trial_set(trial, SC_REG_REFERENCE_TSC, 0) &&
	       trial_set(trial, SC_REG_REFERENCE_TSC, port_gpa(PAGE_CLOCK) | SC_REFERENCE_TSC_ENABLE) &&
	       expect_true(trial, page_of(PAGE_CLOCK)->sequence != before, before) && page_valid(trial);
}

static bool page_moved(struct trial *trial)
{
	uint64_t before = trial_now(trial), now = 0;

	return page_move(trial) && expect_true(trial, page_now(PAGE_CLOCK_MOVED, &now), 0) &&
	       expect_true(trial, now >= before && now <= trial_now(trial), now);
}

static bool page_nowhere(struct trial *trial)
{
	uint64_t before = trial_now(trial), value = port_gpa_nowhere() | SC_REFERENCE_TSC_ENABLE;

	return trial_set(trial, SC_REG_REFERENCE_TSC, value) &&
	       expect(trial, trial_get(trial, SC_REG_REFERENCE_TSC), value) &&
	       expect_true(trial, trial_now(trial) >= before, before);
}

static bool page_scale(struct trial *trial)
{
	/* Both sides of the quotient's definition, in 128 bits: scale * hz <= 2^64 * 10^7 < (scale + 1) * hz. */
	unsigned __int128 wanted = (unsigned __int128)SC_REF_HZ << 64;
	uint64_t scale = page_of(PAGE_CLOCK)->scale, hz = port_counter_hz();

	return expect_true(
		trial, (unsigned __int128)scale * hz <= wanted && ((unsigned __int128)scale + 1) * hz > wanted, scale);
}

static bool page_reserved(struct trial *trial)
{
	return page_move(trial) && expect(trial, page_of(PAGE_CLOCK_MOVED)->reserved, 0) &&
	       page_is_zero(trial, PAGE_CLOCK_MOVED, sizeof(struct sc_reference_tsc_page) / 8);
}

static bool register_between(struct trial *trial)
{
	uint64_t first = 0, between, second = 0;
	bool valid = page_now(PAGE_CLOCK, &first);

	between = trial_now(trial);
	valid &= page_now(PAGE_CLOCK, &second);
	return expect_true(trial, valid, 0) && expect_true(trial, first <= between && between <= second, between);
}

static bool register_between_pages(struct trial *trial)
{
	for (uint32_t i = 0; i < READINGS / 10; i++)
		if (!register_between(trial))
			return false;
	return true;
}

/* The best of several, for a machine may stop between the two readings for longer. */
static bool register_near_page(struct trial *trial)
{
	uint64_t page = 0, least = UINT64_MAX;

	for (uint32_t i = 0; i < 20; i++) {
		if (!page_now(PAGE_CLOCK, &page))
			return expect(trial, 0, 1);
		page = trial_now(trial) - page;
		least = page < least ? page : least;
	}
	return expect_true(trial, least < 10 * MS, least);
}

static bool register_rises(struct trial *trial)
{
	uint64_t last = trial_now(trial), now;

	for (uint32_t i = 0; i < READINGS / 10; i++, last = now) {
		now = trial_now(trial);
		if (!expect_true(trial, now >= last, now))
			return false;
	}
	return true;
}

static bool page_rises(struct trial *trial)
{
	uint64_t last = 0, now = 0;

	for (uint32_t i = 0; i < READINGS; i++, last = now)
		if (!page_now(PAGE_CLOCK, &now) || now < last)
			return expect(trial, now, last);
	return true;
}

static bool rate_is_right(struct trial *trial, bool by_page)
{
	uint64_t start = 0, end = 0, low, high, hz = port_counter_hz();

	/* Counter readings before and after each reading of the time bound the interval from both sides. */
	low = port_counter();
	start = by_page ? 0 : trial_now(trial);
	if (by_page && !page_now(PAGE_CLOCK, &start))
		return expect(trial, 0, 1);
	high = port_counter();
	if (!port_wait(trial_now(trial) + SECOND))
		return expect(trial, 0, 1);
	high = port_counter() - high;
	end = by_page ? 0 : trial_now(trial);
	if (by_page && !page_now(PAGE_CLOCK, &end))
		return expect(trial, 0, 1);
	low = port_counter() - low;
	end -= start;
	/* A second or a few, so the products fit. */
	high = high * SC_REF_HZ / hz;
	low = low * SC_REF_HZ / hz;
	return expect_true(trial, end + end / 100 >= high && end - end / 100 <= low, end);
}

static bool register_rate(struct trial *trial)
{
	return rate_is_right(trial, false);
}

static bool page_rate(struct trial *trial)
{
	return rate_is_right(trial, true);
}

static bool page_two_seconds(struct trial *trial)
{
	uint64_t end = trial_now(trial) + 2 * SECOND;

	while (trial_now(trial) < end)
		if (!register_between(trial) || !port_wait(trial_now(trial) + 10 * MS))
			return expect(trial, 0, 1);
	return true;
}

/* ---- Two vCPUs: each takes the latest time that any has seen, reads the clock, and must not be before it ---- */

struct race {
	struct trial *trial;
	uint64_t latest;
	bool by_page, by_register;
};

static void note_latest(uint64_t *latest, uint64_t now)
{
	uint64_t seen = __atomic_load_n(latest, __ATOMIC_RELAXED);

	while (seen < now &&
	       !__atomic_compare_exchange_n(latest, &seen, now, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static void race_run(void *argument)
{
	struct race *race = argument;
	uint32_t readings = race->by_register ? READINGS / 10 : READINGS;
	uint64_t latest, now = 0;

	for (uint32_t i = 0; i < readings; i++) {
		bool by_page = race->by_page && (!race->by_register || (i + port_vcpu()) % 2);

		latest = __atomic_load_n(&race->latest, __ATOMIC_ACQUIRE);
		if (!by_page)
			now = trial_now(race->trial);
		else if (!page_now(PAGE_CLOCK, &now))
			continue;
		if (now < latest)
			expect(race->trial, now, latest);
		note_latest(&race->latest, now);
	}
}

static bool race(struct trial *trial, bool by_page, bool by_register)
{
	struct race both = { .trial = trial, .by_page = by_page, .by_register = by_register };

	return expect_true(trial, port_on_other(race_run, race_run, &both), 0) && trial->passed;
}

static bool vcpus_page(struct trial *trial)
{
	return race(trial, true, false);
}

static bool vcpus_register(struct trial *trial)
{
	return race(trial, false, true);
}

static bool vcpus_mixed(struct trial *trial)
{
	return race(trial, true, true);
}

static const struct conformance_case cases[] = {
	{ .name = "clock.page-valid",
	  .clause = "TLFS reference TSC page",
	  .expects = "the enabled page has a sequence that is neither 0 nor all ones",
	  .needs = NEED_PAGE,
	  .run = page_valid },
	{ .name = "clock.page-kept",
	  .clause = "TLFS reference TSC page",
	  .expects = "ReferenceTsc reads back as written",
	  .needs = NEED_PAGE,
	  .run = page_kept },
	{ .name = "clock.page-preserved-bits",
	  .clause = "TLFS reference TSC page; implementations differ",
	  .expects = "bits 11:1 of ReferenceTsc read back as written",
	  .needs = NEED_PAGE | NEED_SEACLOCK,
	  .run = page_preserved_bits },
	{ .name = "clock.page-disabled",
	  .clause = "TLFS reference TSC page",
	  .expects = "ReferenceTsc reads 0 once 0 is written",
	  .needs = NEED_PAGE,
	  .run = page_disabled },
	{ .name = "clock.page-not-enabled",
	  .clause = "TLFS reference TSC page",
	  .expects = "an address without the enable bit leaves the memory alone",
	  .needs = NEED_PAGE,
	  .run = page_not_enabled },
	{ .name = "clock.page-after-disable",
	  .clause = "TLFS reference TSC page",
	  .expects = "a page that was disabled is not written any more",
	  .needs = NEED_PAGE,
	  .run = page_after_disable },
	{ .name = "clock.page-sequence-new",
	  .clause = "doc/abi.md",
	  .expects = "enabled again, the page has another sequence",
	  .needs = NEED_PAGE | NEED_SEACLOCK,
	  .run = page_sequence_new },
	{ .name = "clock.page-moved",
	  .clause = "TLFS reference TSC page",
	  .expects = "the page can be moved, and is valid where it lies then",
	  .needs = NEED_PAGE,
	  .run = page_moved },
	{ .name = "clock.page-nowhere",
	  .clause = "TLFS reference TSC page; implementations differ",
	  .expects = "a page that is not RAM is taken; the register goes on",
	  .needs = NEED_PAGE | NEED_SEACLOCK,
	  .run = page_nowhere },
	{ .name = "clock.page-scale",
	  .clause = "TLFS reference TSC page",
	  .expects = "scale is 2^64 * 10^7 / rate, rounded down",
	  .needs = NEED_PAGE | NEED_SEACLOCK,
	  .run = page_scale },
	{ .name = "clock.page-reserved",
	  .clause = "TLFS reference TSC page",
	  .expects = "the rest of the page is 0",
	  .needs = NEED_PAGE,
	  .run = page_reserved },
	{ .name = "clock.register-between-pages",
	  .clause = "TLFS reference counter",
	  .expects = "the register lies between two readings of the page",
	  .needs = NEED_PAGE,
	  .run = register_between_pages },
	{ .name = "clock.register-near-page",
	  .clause = "TLFS reference counter",
	  .expects = "register and page differ by less than 10 ms",
	  .needs = NEED_PAGE,
	  .run = register_near_page },
	{ .name = "clock.register-rises",
	  .clause = "TLFS reference counter",
	  .expects = "the register never goes back",
	  .needs = NEED_CLOCK,
	  .run = register_rises },
	{ .name = "clock.register-rate",
	  .clause = "TLFS reference counter",
	  .expects = "the register runs at 10 MHz by the counter, within 1 %",
	  .needs = NEED_CLOCK,
	  .run = register_rate },
	{ .name = "clock.page-rises",
	  .clause = "TLFS reference TSC page",
	  .expects = "page time never goes back",
	  .needs = NEED_PAGE,
	  .run = page_rises },
	{ .name = "clock.page-rate",
	  .clause = "TLFS reference TSC page",
	  .expects = "page time runs at 10 MHz by the counter, within 1 %",
	  .needs = NEED_PAGE,
	  .run = page_rate },
	{ .name = "clock.page-two-seconds",
	  .clause = "TLFS reference TSC page",
	  .expects = "register and page stay together for two seconds",
	  .needs = NEED_PAGE,
	  .run = page_two_seconds },
	{ .name = "clock.vcpus-page",
	  .clause = "TLFS reference TSC page",
	  .expects = "page time never goes back across two vCPUs",
	  .needs = NEED_PAGE | NEED_VCPUS,
	  .run = vcpus_page },
	{ .name = "clock.vcpus-register",
	  .clause = "TLFS reference counter",
	  .expects = "the register never goes back across two vCPUs",
	  .needs = NEED_CLOCK | NEED_VCPUS,
	  .run = vcpus_register },
	{ .name = "clock.vcpus-mixed",
	  .clause = "TLFS reference counter",
	  .expects = "page and register never go back across two vCPUs",
	  .needs = NEED_PAGE | NEED_VCPUS,
	  .run = vcpus_mixed },
	{ .name = "clock.register-other-vcpu",
	  .clause = "TLFS reference counter",
	  .expects = "the register is readable on the second vCPU",
	  .needs = NEED_CLOCK | NEED_VCPUS,
	  .other_vcpu = true,
	  STEPS(GET_WORKS(SC_REG_TIME_REF_COUNT)) },
};

const struct conformance_table conformance_clock = TABLE(cases);
