// SPDX-License-Identifier: GPL-2.0-only
/*
 * For tests in the lab: what in a running kernel rests on the counter's rate, as files in /proc/seaclock_inspect.
 *
 *     delay   on each read: 200 calls of udelay(1000) on this CPU; "HZ TICKS": the counter's rate, and the shortest
 *     events  "CPU HZ ENABLED DIVIDER" for each online CPU: its event stream; an event each 2^(DIVIDER + 1) ticks
 *     clock   sched_clock() in ns
 *     rate    what the kernel takes for the counter's rate
 *     raw     "DIFFERENCE WIDTH" in ns: CLOCK_MONOTONIC_RAW less reference time, and within which that is known;
 *             in a guest without a page by calls
 *     asked   SC_ASK_*, what the hypervisor asks of the guest
 *     lock    a write of N keeps this CPU with interrupts off for N ms at most, until what was asked is withdrawn
 *     page    "ADDRESS ENABLED" of the reference TSC page; a write of 1 enables one as another driver would, 0 ends it
 *
 * Policy: it measures and changes nothing but what `lock` and `page` are for. Of the driver it uses the plain hypercall
 * and no state, so that the driver is not judged by what it says of itself.
 */
#include "../seaclock.h"

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kprobes.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/proc_fs.h>
#include <linux/sched.h>
#include <linux/sched/clock.h>
#include <linux/seq_file.h>
#include <linux/smp.h>
#include <linux/timekeeping.h>
#include <clocksource/arm_arch_timer.h>
#include <asm/sysreg.h>
#include <seaclock/page.h>

#define FOLDER "seaclock_inspect"
#define DELAYS 200
#define DELAY_US 1000
#define READINGS 16
#define LOCK_MAX_MS 600000
#define LOCK_POLL_MS 20
/* What ARCH_TIMER_EVT_INTERVAL_SCALE adds to the divider. */
#define EVENT_SCALE 8

static u64 counter_read(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

static u64 delay_once(void)
{
	u64 start = counter_read();

	udelay(DELAY_US);
	return counter_read() - start;
}

/* Interrupts make a delay longer, never shorter, so the least of many counts. */
static u64 delay_shortest(void)
{
	u64 least = U64_MAX;
	int i;

	for (i = 0; i < DELAYS; i++) {
		least = min(least, delay_once());
		cond_resched();
	}
	return least;
}

/* Ticks of two counters cannot be told apart: a measurement that a migration fell into is made anew. */
static int delay_show(struct seq_file *file, void *unused)
{
	u64 hz, ticks;

	do {
		hz = read_sysreg(cntfrq_el0);
		ticks = delay_shortest();
	} while (hz != read_sysreg(cntfrq_el0));
	seq_printf(file, "%llu %llu\n", hz, ticks);
	return 0;
}

struct events {
	u64 hz;
	u64 control;
};

static DEFINE_PER_CPU(struct events, events);

static void events_read(void *unused)
{
	__this_cpu_write(events.hz, read_sysreg(cntfrq_el0));
	__this_cpu_write(events.control, read_sysreg(cntkctl_el1));
}

static unsigned int events_divider(u64 control)
{
	unsigned int divider = (control & ARCH_TIMER_EVT_TRIGGER_MASK) >> ARCH_TIMER_EVT_TRIGGER_SHIFT;

	return control & ARCH_TIMER_EVT_INTERVAL_SCALE ? divider + EVENT_SCALE : divider;
}

static int events_show(struct seq_file *file, void *unused)
{
	int cpu;

	cpus_read_lock();
	on_each_cpu(events_read, NULL, 1);
	for_each_online_cpu(cpu)
	{
		const struct events *seen = per_cpu_ptr(&events, cpu);

		seq_printf(file, "%d %llu %d %u\n", cpu, seen->hz, !!(seen->control & ARCH_TIMER_VIRT_EVT_EN),
			   events_divider(seen->control));
	}
	cpus_read_unlock();
	return 0;
}

static int clock_show(struct seq_file *file, void *unused)
{
	seq_printf(file, "%llu\n", sched_clock());
	return 0;
}

/* Exported to nobody: a disarmed probe learns its address. */
static u32 (*timer_rate)(void);

static int rate_find(void)
{
	struct kprobe probe = { .symbol_name = "arch_timer_get_rate", .flags = KPROBE_FLAG_DISABLED };
	int err = register_kprobe(&probe);

	if (err)
		return err;
	timer_rate = (void *)probe.addr;
	unregister_kprobe(&probe);
	return 0;
}

static int rate_show(struct seq_file *file, void *unused)
{
	seq_printf(file, "%u\n", timer_rate());
	return 0;
}

static const struct sc_reference_tsc_page *reference_page(void)
{
	u64 value;

	if (hypercall_get(SC_REG_REFERENCE_TSC, &value, NULL) || !(value & SC_REFERENCE_TSC_ENABLE))
		return NULL;
	return phys_to_virt(value & SC_REFERENCE_TSC_GPA_MASK);
}

static u64 reference_ns(const struct sc_reference_tsc_page *page)
{
	sc_ref_t now = { 0 };

	if (!page || !sc_page_read(page, &now))
		hypercall_get(SC_REG_TIME_REF_COUNT, &now.v, NULL);
	return now.v * SC_REF_NS;
}

/* The clock between two readings of reference time, which is known to a unit: the pair that lies closest together. */
static int raw_show(struct seq_file *file, void *unused)
{
	const struct sc_reference_tsc_page *page = reference_page();
	u64 before, clock, width, least = U64_MAX;
	s64 difference = 0;
	int i;

	for (i = 0; i < READINGS; i++) {
		before = reference_ns(page);
		clock = ktime_get_raw_ns();
		width = reference_ns(page) + SC_REF_NS - before;
		if (width < least) {
			least = width;
			difference = clock - (before + width / 2);
		}
	}
	seq_printf(file, "%lld %llu\n", difference, least);
	return 0;
}

static u64 asked(void)
{
	u64 value;

	return hypercall_get(SC_REG_MIGRATION, &value, NULL) ? SC_ASK_NOTHING : value & SC_ASK_MASK;
}

static int asked_show(struct seq_file *file, void *unused)
{
	seq_printf(file, "%llu\n", asked());
	return 0;
}

static void lock_cpu(unsigned int ms)
{
	unsigned long flags;
	bool was_asked = false, is_asked = false;
	u64 end;

	local_irq_save(flags);
	end = ktime_get_mono_fast_ns() + (u64)ms * NSEC_PER_MSEC;
	while (ktime_get_mono_fast_ns() < end && (is_asked || !was_asked)) {
		mdelay(LOCK_POLL_MS);
		is_asked = asked() != SC_ASK_NOTHING;
		was_asked |= is_asked;
	}
	local_irq_restore(flags);
}

static ssize_t lock_write(struct file *file, const char __user *text, size_t length, loff_t *position)
{
	unsigned int ms;
	int err = kstrtouint_from_user(text, length, 10, &ms);

	if (err || ms > LOCK_MAX_MS)
		return err ?: -EINVAL;
	lock_cpu(ms);
	return length;
}

static const struct proc_ops lock_ops = {
	.proc_write = lock_write,
};

static int page_show(struct seq_file *file, void *unused)
{
	u64 value;

	if (hypercall_get(SC_REG_REFERENCE_TSC, &value, NULL))
		return -EIO;
	seq_printf(file, "%#llx %llu\n", value & SC_REFERENCE_TSC_GPA_MASK, value & SC_REFERENCE_TSC_ENABLE);
	return 0;
}

static int page_open(struct inode *inode, struct file *file)
{
	return single_open(file, page_show, NULL);
}

/* The page is never given back: the hypervisor may still write to it. */
static ssize_t page_write(struct file *file, const char __user *text, size_t length, loff_t *position)
{
	static unsigned long page;
	bool enable;
	int err = kstrtobool_from_user(text, length, &enable);

	if (!err && !page) {
		page = get_zeroed_page(GFP_KERNEL);
		err = page ? 0 : -ENOMEM;
	}
	if (!err)
		err = hypercall_set(SC_REG_REFERENCE_TSC,
				    enable ? virt_to_phys((void *)page) | SC_REFERENCE_TSC_ENABLE : 0);
	return err ?: length;
}

static const struct proc_ops page_ops = {
	.proc_open = page_open,
	.proc_read = seq_read,
	.proc_lseek = seq_lseek,
	.proc_release = single_release,
	.proc_write = page_write,
};

static int __init inspect_init(void)
{
	struct proc_dir_entry *folder;
	int err = rate_find();

	if (err)
		return err;
	folder = proc_mkdir(FOLDER, NULL);
	if (folder && proc_create_single("delay", 0400, folder, delay_show) &&
	    proc_create_single("events", 0400, folder, events_show) &&
	    proc_create_single("clock", 0400, folder, clock_show) &&
	    proc_create_single("rate", 0400, folder, rate_show) && proc_create_single("raw", 0400, folder, raw_show) &&
	    proc_create_single("asked", 0400, folder, asked_show) && proc_create("lock", 0200, folder, &lock_ops) &&
	    proc_create("page", 0600, folder, &page_ops))
		return 0;
	proc_remove(folder);
	return -ENOMEM;
}
module_init(inspect_init);

MODULE_DESCRIPTION("Shows what in a kernel rests on the counter's rate, for tests");
MODULE_LICENSE("GPL");
