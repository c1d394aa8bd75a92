// SPDX-License-Identifier: GPL-2.0-only
/*
 * The comparator of each CPU: its architectural physical timer, which a kernel at EL1 leaves alone. A deadline that is
 * set there costs no exit to the monitor, as one of a synthetic timer does: only such as KVM itself answers.
 *
 * Policy: only for deadlines that are computed from the counter's present rate. Those that are pending when the machine
 * is moved the monitor converts, as it does for every guest's architectural timers; but one that is computed from an
 * old rate would be late. So a rate is good for one sequence of the reference TSC page, which changes whenever the
 * machine resumes. A CPU looks at that again once its deadline is written: if it has changed, the deadline is not
 * taken, and the synthetic timer gets it, until the worker has learnt the rate anew. A CPU uses its comparator once a
 * test deadline has fired, and not early; else it has its synthetic timer, as before.
 */
#include "seaclock.h"

#include <linux/acpi.h>
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/percpu.h>
#include <asm/sysreg.h>

#include "conversion.h"
#include "counter.h"

/* As ACPI's GTDT has it in a machine of KVM's. */
#define COMPARATOR_INTID 30

#define CTL_ENABLE 1

/* The test deadline: a thousandth of a second. */
#define TEST_PART 1000

struct comparator {
	u64 deadline; /* ticks */
	bool enabled;
	bool written; /* since the interrupt */
	bool proven;  /* the test deadline has fired */
};

static DEFINE_PER_CPU(struct comparator, comparators);
static int comparator_irq; /* 0: there are none */
static void (*fired)(void);
/* The page's sequence, and below it the rate that is good for it. 0: none is known. */
static u64 known;

static u32 known_hz(u64 rate)
{
	return lower_32_bits(rate);
}

static bool known_is_good(u64 rate)
{
	return rate && upper_32_bits(rate) == page_sequence();
}

void comparator_know(u32 sequence, u32 hz)
{
	WRITE_ONCE(known, sequence ? (u64)sequence << 32 | hz : 0);
}

/* With interrupts off, like all up to comparator_dying_cpu(). */
static void comparator_write(struct comparator *comparator, u64 deadline)
{
	write_sysreg(deadline, cntp_cval_el0);
	if (!comparator->enabled)
		write_sysreg(CTL_ENABLE, cntp_ctl_el0);
	isb();
	comparator->deadline = deadline;
	comparator->enabled = comparator->written = true;
}

static void comparator_clear(struct comparator *comparator)
{
	write_sysreg(0, cntp_ctl_el0);
	isb();
	comparator->enabled = false;
}

/* A processor with an erratum of its counter, which may not compare right either, can come online later. */
bool comparator_set(u32 delta)
{
	struct comparator *comparator = this_cpu_ptr(&comparators);
	u64 rate = READ_ONCE(known);

	if (!comparator->proven || !known_is_good(rate) || counter_unstable)
		return false;
	comparator_write(comparator, counter_read().v + conversion_ticks(delta, known_hz(rate)));
	if (known_is_good(rate))
		return true;
	comparator_clear(comparator);
	return false;
}

void comparator_stop(void)
{
	struct comparator *comparator = this_cpu_ptr(&comparators);

	if (comparator->proven && comparator->enabled)
		comparator_clear(comparator);
}

/* A level, so the line must have fallen when this returns. */
static irqreturn_t comparator_interrupt(int irq, void *data)
{
	struct comparator *comparator = data;

	comparator->written = false;
	if (likely(comparator->proven))
		fired();
	else
		comparator->proven = counter_read().v >= comparator->deadline;
	if (!comparator->written)
		comparator_clear(comparator);
	return IRQ_HANDLED;
}

/* What an earlier kernel has left is cleared before the interrupt is enabled. */
void comparator_starting_cpu(void)
{
	struct comparator *comparator = this_cpu_ptr(&comparators);

	if (!comparator_irq)
		return;
	comparator->proven = false;
	comparator_clear(comparator);
	enable_percpu_irq(comparator_irq, IRQ_TYPE_NONE);
	comparator_write(comparator, counter_read().v + repair_hz() / TEST_PART);
}

void comparator_dying_cpu(void)
{
	struct comparator *comparator = this_cpu_ptr(&comparators);

	if (!comparator_irq)
		return;
	disable_percpu_irq(comparator_irq);
	comparator_clear(comparator);
	comparator->proven = false;
}

/* What is pending is over at once, and then set anew elsewhere. */
static void comparator_hurry(void *unused)
{
	struct comparator *comparator = this_cpu_ptr(&comparators);

	if (comparator->proven && comparator->enabled)
		comparator_write(comparator, counter_read().v);
}

/* An expired comparator that nobody clears would keep its CPU from waiting for interrupts. */
void comparator_withdraw(void)
{
	WRITE_ONCE(known, 0);
	on_each_cpu(comparator_hurry, NULL, 1);
}

unsigned int comparator_count(void)
{
	unsigned int cpu, count = 0;

	for_each_online_cpu(cpu) count += READ_ONCE(per_cpu(comparators, cpu).proven);
	return count;
}

/* The kernel's own timer driver has mapped this interrupt and not requested it. */
static int comparator_request(void)
{
	int irq = acpi_register_gsi(NULL, COMPARATOR_INTID, ACPI_LEVEL_SENSITIVE, ACPI_ACTIVE_HIGH);
	int err = irq < 0 ? irq : request_percpu_irq(irq, comparator_interrupt, "seaclock_comparator", &comparators);

	return err ?: irq;
}

void comparator_init(void (*on_expiry)(void))
{
	int irq;

	/* A counter with an erratum may not be compared right either. */
	if (counter_unstable || !declaration_has_hold())
		return;
	fired = on_expiry;
	irq = comparator_request();
	if (irq > 0)
		comparator_irq = irq;
	else
		pr_info("the architectural physical timer is not free (%d): all deadlines take an exit to the "
			"monitor.\n",
			irq);
}
