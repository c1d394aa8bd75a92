/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance suite as a guest: one line for each case, `@case NAME PASS|FAIL|SKIP clause: expectation`, a note
 * behind each failure, and the verdict.
 *
 * Policy: every case is run by HVC #0; those of calls and registers by HVC #1 as well, named NAME.hvc1. Options on the
 * command line: migrate=1 if somebody outside migrates the machine whenever it prints @migrate.
 */
#include "bare.h"
#include "conformance.h"

#include <seaclock/page.h>

/* More interrupts in one case than any script can mean: the source is switched off, so that the case can fail. */
#define STORM 200000u

#define OTHER_LIMIT_US 90000000u
#define MIGRATE_LIMIT 900000000u /* reference time */

struct line {
	volatile uint32_t count;
	volatile uint64_t time;
};

static uint8_t pages[PAGES][SC_HV_PAGE_SIZE] __attribute__((aligned(4096)));
static struct line lines[MACHINE_CPUS_MAX][INTERRUPTS];
static struct limit case_limit;
static enum sc_guest_convention convention;
static uint32_t results[3];
static const char *const result_names[] = { "PASS", "FAIL", "SKIP" };

/* ---- The port ---- */

void port_call(struct port_call *call)
{
	call->result = sc_guest_call(call->convention, call->control, call->block);
}

void *port_memory(enum port_page page)
{
	return pages[page];
}

uint64_t port_gpa(enum port_page page)
{
	return (uintptr_t)pages[page];
}

/* Beyond what any of these machines has, within what addresses can say. */
uint64_t port_gpa_nowhere(void)
{
	return 1ull << 46;
}

uint64_t port_counter(void)
{
	return sc_counter_read().v;
}

uint64_t port_counter_hz(void)
{
	return counter_hz();
}

static uint64_t now(void)
{
	const struct sc_guest guest = { .convention = convention };
	sc_ref_t time = { 0 };

	(void)sc_guest_now(&guest, &time);
	return time.v;
}

bool port_wait(uint64_t until)
{
	while (now() < until)
		if (limit_over(&case_limit))
			return false;
	return true;
}

uint32_t port_vcpu(void)
{
	return cpu_self()->index;
}

uint32_t port_vcpus(void)
{
	return machine.cpu_count;
}

uint32_t port_interrupts(uint32_t intid)
{
	return lines[port_vcpu()][intid].count;
}

uint64_t port_interrupt_time(uint32_t intid)
{
	return lines[port_vcpu()][intid].time;
}

void port_mask(bool masked)
{
	if (masked)
		interrupts_mask();
	else
		interrupts_unmask();
}

static void handle(void *argument)
{
	struct line *line = argument;

	line->time = now();
	line->count++;
	if (line->count == STORM)
		interrupt_disable((uint32_t)((line - lines[0]) % INTERRUPTS));
}

static void lines_enable(void)
{
	static const uint32_t intids[] = { INTID_A, INTID_B, INTID_C, INTID_D, 17 };

	for (uint32_t i = 0; i < ARRAY_SIZE(intids); i++)
		interrupt_enable(intids[i], handle, &lines[port_vcpu()][intids[i]]);
}

struct other {
	void (*work)(void *argument);
	void *argument;
};

static void other_run(void *argument)
{
	struct other *other = argument;

	lines_enable();
	other->work(other->argument);
}

bool port_on_other(void (*work)(void *argument), void (*work_here)(void *argument), void *argument)
{
	static struct other other;

	other = (struct other){ work, argument };
	if (!cpu_run(1, other_run, &other))
		return false;
	if (work_here)
		work_here(argument);
	return cpu_wait(1, OTHER_LIMIT_US);
}

/* The page's sequence is new as soon as the machine has moved. */
bool port_migrate(void)
{
	const struct sc_reference_tsc_page *page = port_memory(PAGE_CLOCK);
	uint32_t sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
	uint64_t end = now() + MIGRATE_LIMIT;

	print("@migrate\n");
	while (__atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE) == sequence)
		if (now() >= end || limit_over(&case_limit))
			return false;
	return true;
}

void port_case_begin(uint64_t limit_us)
{
	case_limit = limit_start(limit_us);
}

/* ---- The suite ---- */

static void run(const struct conformance_case *test, void *argument)
{
	const uint32_t *offers = argument;
	struct trial trial;
	enum conformance_result result = conformance_run(&trial, convention, test, *offers);

	results[result]++;
	print("@case %s%s %s ", test->name, convention == SC_GUEST_HVC1 ? ".hvc1" : "", result_names[result]);
	if (result == CONFORMANCE_SKIP)
		print("not offered: ");
	print("%s: %s\n", test->clause, test->expects);
	if (result == CONFORMANCE_FAIL)
		print("@note %s step=%u seen=0x%x expected=0x%x\n", test->name, (uint64_t)trial.step, trial.seen,
		      trial.expected);
}

static void run_calls(const struct conformance_case *test, void *argument)
{
	if (conformance_is_call(test))
		run(test, argument);
}

bool guest_main(void)
{
	bool interrupts, migrations = machine_option("migrate", 0), absent;
	uint32_t offers;

	interrupts = cpu_self()->gicr != 0;
	lines_enable();
	absent = machine.rsdp && !sc_guest_fadt_matches(machine.rsdp);
	offers = absent ? 0 : conformance_offers(SC_GUEST_SMCCC, interrupts, migrations);
	print("@suite hypervisor=%s offers=0x%x vcpus=%u hz=%u\n",
	      offers & NEED_SEACLOCK ? "seaclock" : (offers ? "other" : "none"), (uint64_t)offers,
	      (uint64_t)machine.cpu_count, counter_hz());
	convention = SC_GUEST_SMCCC;
	conformance_each(run, &offers);
	offers = absent ? 0 : conformance_offers(SC_GUEST_HVC1, interrupts, migrations);
	convention = SC_GUEST_HVC1;
	conformance_each(run_calls, &offers);
	interrupts_mask();
	print("@sum %u passed, %u failed, %u skipped\n", (uint64_t)results[CONFORMANCE_PASS],
	      (uint64_t)results[CONFORMANCE_FAIL], (uint64_t)results[CONFORMANCE_SKIP]);
	return results[CONFORMANCE_FAIL] == 0;
}
