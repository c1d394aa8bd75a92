// SPDX-License-Identifier: GPL-2.0-only
/*
 * The conformance suite in a running Linux kernel: loading the module runs every case on CPUs 0 and 1 and logs a line
 * for each, as the bare guest does, then a sum.
 *
 * Policy: for a kernel without seaclock.ko, so that timers, page and interrupts are free; what the kernel itself has
 * set is put back. Cases that need a machine fresh from its reset are skipped, and so are those that ask for a
 * migration. Returns an error if a case has failed.
 */
#include "../seaclock.h"

#include <linux/acpi.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/workqueue.h>
#include <asm/sysreg.h>
#include <seaclock/page.h>

#include "conformance.h"

/* More interrupts in one case than any script can mean: the source is switched off, so that the case can fail. */
#define STORM 200000

/* An interrupt of the scripts on one CPU: those taken since the start, and when the last one was. */
struct line {
	u32 count;
	u64 time;
};

static const u32 intids[] = { INTID_A, INTID_B, INTID_C, INTID_D, 17 };
static DEFINE_PER_CPU(struct line, lines[ARRAY_SIZE(intids)]);
static int irqs[ARRAY_SIZE(intids)];
static u8 *memory;
static ktime_t case_end;
static enum sc_guest_convention convention;
static u32 results[3];
static const char *const result_names[] = { "PASS", "FAIL", "SKIP" };

/* ---- The port ---- */

void port_call(struct port_call *call)
{
	call->result = sc_guest_call(call->convention, call->control, call->block);
}

void *port_memory(enum port_page page)
{
	return memory + page * SC_HV_PAGE_SIZE;
}

uint64_t port_gpa(enum port_page page)
{
	return virt_to_phys(port_memory(page));
}

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
	return read_sysreg(cntfrq_el0);
}

static u64 now(void)
{
	u64 units = 0;

	hypercall_get(SC_REG_TIME_REF_COUNT, &units, NULL);
	return units;
}

bool port_wait(uint64_t until)
{
	while (now() < until) {
		if (ktime_after(ktime_get(), case_end))
			return false;
		if (irqs_disabled())
			cpu_relax();
		else
			usleep_range(20, 50);
	}
	return true;
}

uint32_t port_vcpu(void)
{
	return raw_smp_processor_id();
}

uint32_t port_vcpus(void)
{
	return num_online_cpus();
}

static struct line *line_of(u32 intid)
{
	u32 i = 0;

	while (i < ARRAY_SIZE(intids) - 1 && intids[i] != intid)
		i++;
	return raw_cpu_ptr(&lines[i]);
}

uint32_t port_interrupts(uint32_t intid)
{
	return READ_ONCE(line_of(intid)->count);
}

uint64_t port_interrupt_time(uint32_t intid)
{
	return READ_ONCE(line_of(intid)->time);
}

void port_mask(bool masked)
{
	if (masked)
		local_irq_disable();
	else
		local_irq_enable();
}

struct other {
	struct work_struct work;
	void (*call)(void *argument);
	void *argument;
};

static void other_run(struct work_struct *work)
{
	struct other *other = container_of(work, struct other, work);

	other->call(other->argument);
}

/* Cases have limits of their own, so the wait for the other CPU ends. */
bool port_on_other(void (*work)(void *argument), void (*work_here)(void *argument), void *argument)
{
	struct other other = { .call = work, .argument = argument };

	INIT_WORK_ONSTACK(&other.work, other_run);
	schedule_work_on(1, &other.work);
	if (work_here)
		work_here(argument);
	flush_work(&other.work);
	destroy_work_on_stack(&other.work);
	return true;
}

bool port_migrate(void)
{
	return false;
}

void port_case_begin(uint64_t limit_us)
{
	case_end = ktime_add_us(ktime_get(), limit_us);
}

/* ---- Interrupts ---- */

static irqreturn_t handle(int irq, void *data)
{
	struct line *line = data;

	WRITE_ONCE(line->time, now());
	WRITE_ONCE(line->count, line->count + 1);
	if (line->count == STORM)
		disable_percpu_irq(irq);
	return IRQ_HANDLED;
}

static void lines_enable(void *unused)
{
	for (u32 i = 0; i < ARRAY_SIZE(intids); i++)
		enable_percpu_irq(irqs[i], IRQ_TYPE_NONE);
}

static void lines_disable(void *unused)
{
	for (u32 i = 0; i < ARRAY_SIZE(intids); i++)
		disable_percpu_irq(irqs[i]);
}

static void lines_free(u32 count)
{
	while (count-- > 0) {
		free_percpu_irq(irqs[count], &lines[count]);
		acpi_unregister_gsi(intids[count]);
	}
}

static int lines_request(void)
{
	int err;

	for (u32 i = 0; i < ARRAY_SIZE(intids); i++) {
		irqs[i] = acpi_register_gsi(NULL, intids[i], ACPI_LEVEL_SENSITIVE, ACPI_ACTIVE_HIGH);
		err = irqs[i] < 0 ? irqs[i] : request_percpu_irq(irqs[i], handle, "seaclock-selftest", &lines[i]);
		if (err) {
			pr_err("@note interrupt %u cannot be had (%d)\n", intids[i], err);
			lines_free(i);
			return err;
		}
	}
	return 0;
}

/* ---- The suite ---- */

static void run(const struct conformance_case *test, void *argument)
{
	u32 offers = test->untouched ? 0 : *(u32 *)argument;
	enum conformance_result result;
	struct trial trial;

	result = conformance_run(&trial, convention, test, offers);
	results[result]++;
	pr_info("@case %s%s %s %s%s: %s\n", test->name, convention == SC_GUEST_HVC1 ? ".hvc1" : "",
		result_names[result], result == CONFORMANCE_SKIP ? "not offered: " : "", test->clause, test->expects);
	if (result == CONFORMANCE_FAIL)
		pr_err("@note %s step=%u seen=0x%llx expected=0x%llx\n", test->name, trial.step, trial.seen,
		       trial.expected);
}

static void run_calls(const struct conformance_case *test, void *argument)
{
	if (conformance_is_call(test))
		run(test, argument);
}

/* Bound to CPU 0 by the caller: cases count on their registers being those of one vCPU. */
static long run_all(void *unused)
{
	u32 offers;

	convention = SC_GUEST_SMCCC;
	offers = conformance_offers(convention, true, false);
	conformance_each(run, &offers);
	convention = SC_GUEST_HVC1;
	offers = conformance_offers(convention, true, false);
	conformance_each(run_calls, &offers);
	return 0;
}

static int run_with_lines(void)
{
	int err = lines_request();

	if (err)
		return err;
	on_each_cpu(lines_enable, NULL, 1);
	work_on_cpu(0, run_all, NULL);
	on_each_cpu(lines_disable, NULL, 1);
	lines_free(ARRAY_SIZE(intids));
	pr_notice("@sum %u passed, %u failed, %u skipped\n", results[CONFORMANCE_PASS], results[CONFORMANCE_FAIL],
		  results[CONFORMANCE_SKIP]);
	return results[CONFORMANCE_FAIL] ? -EIO : 0;
}

static int __init selftest_init(void)
{
	u64 os_id, declared;
	int err;

	if (acpi_disabled || memcmp(&acpi_gbl_FADT.hypervisor_id, SC_FADT_VENDOR, sizeof(u64)) ||
	    hypercall_get(SC_REG_GUEST_OS_ID, &os_id, NULL)) {
		pr_err("@note this machine does not have the interface\n");
		return -ENODEV;
	}
	if (!hypercall_get(SC_REG_GUEST_CLOCK, &declared, NULL) && declared) {
		pr_err("@note seaclock.ko is loaded and uses what is to be tested: start without it\n");
		return -EBUSY;
	}
	memory = (u8 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, get_order(PAGES * SC_HV_PAGE_SIZE));
	if (!memory)
		return -ENOMEM;
	err = run_with_lines();
	hypercall_set(SC_REG_REFERENCE_TSC, 0);
	hypercall_set(SC_REG_GUEST_OS_ID, os_id);
	free_pages((unsigned long)memory, get_order(PAGES * SC_HV_PAGE_SIZE));
	return err;
}
module_init(selftest_init);

static void __exit selftest_exit(void)
{
}
module_exit(selftest_exit);

MODULE_DESCRIPTION("The conformance suite of the guest interface");
MODULE_LICENSE("GPL");
