// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clockevent "seaclock": synthetic timer 0 of each CPU, in direct mode, set in reference time. Each write of it is
 * an exit to the monitor, so a deadline goes to the CPU's comparator first (comparator.c), and here if that does not
 * take it. Only one of the two is ever armed.
 *
 * Policy: Seaclock's monitor asserts the timer's interrupt as a level, and holds it until the timer is written. So the
 * handler never returns without having written COUNT. Before the kernel's own timer is replaced, each CPU's timer must
 * have fired once; if one does not, the module does not load. Registered for good: nothing here can be undone, and the
 * module has no exit. A user may still unbind a device. That CPU is then back on the architectural timer, which is
 * wrong after a move to another rate, and the guest's level falls until the CPU has been offline and online again.
 */
#include "seaclock.h"

#include <linux/acpi.h>
#include <linux/atomic.h>
#include <linux/clockchips.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/jiffies.h>
#include <linux/percpu.h>
#include <linux/smp.h>

/* Armed only by a write to COUNT, never by a value that it still holds from before. */
#define TIMER_CONFIG (SC_STIMER_AUTO_ENABLE | SC_STIMER_DIRECT | (u64)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT)

/* In units of 100 ns. The kernel never asks for less than 1 us; the hypervisor has no limits. */
#define TIMER_DELTA_MIN 1
#define TIMER_DELTA_MAX U32_MAX

/* On trial, a timer is due after this delay, in the same units, and given up after this many seconds. */
#define TRIAL_DELAY 10000
#define TRIAL_LIMIT_S 10

struct timer {
	struct clock_event_device device;
	bool configured;
	bool armed;
	bool written;
	bool started; /* registered, and has not fired since */
	bool fired;   /* on trial, at this reference time or later: */
	u64 due;
};

static DEFINE_PER_CPU(struct timer, timers);
static int timer_irq;
static bool registered; /* on each CPU that was online */

static int timer_write(u32 name, u64 value)
{
	if (!hypercall_set(name, value))
		return 0;
	refusal_note(name);
	return -ETIME;
}

/* Also ends the assertion of the interrupt. 0 stops the timer. */
static int timer_write_count(u64 count)
{
	int err = timer_write(SC_REG_STIMER0_COUNT, count);

	__this_cpu_write(timers.written, true);
	if (!err)
		__this_cpu_write(timers.armed, count != 0);
	return err;
}

static int timer_write_config(u64 config)
{
	int err = timer_write(SC_REG_STIMER0_CONFIG, config);

	if (!err)
		__this_cpu_write(timers.configured, config != 0);
	return err;
}

static int timer_disarm(void)
{
	return __this_cpu_read(timers.armed) ? timer_write_count(0) : 0;
}

/* Where the comparator does not take it the time has been read before it tried: the machine may have moved since. */
static int timer_set_next_event(unsigned long delta, struct clock_event_device *device)
{
	u64 due = page_reference_time() + delta;

	return comparator_set(delta) ? timer_disarm() : timer_write_count(due);
}

static int timer_set_oneshot(struct clock_event_device *device)
{
	return __this_cpu_read(timers.configured) ? 0 : timer_write_config(TIMER_CONFIG);
}

static int timer_stop(struct clock_event_device *device)
{
	comparator_stop();
	return timer_disarm();
}

static int timer_end(void)
{
	int err = timer_write_count(0);

	comparator_stop();
	return err ?: timer_write_config(0);
}

/* Perhaps the device is being unbound, of which there is no other sign. */
static int timer_shut_down(struct clock_event_device *device)
{
	worker_wake_by_interrupt();
	return timer_end();
}

static DECLARE_COMPLETION(trial_over);
static atomic_t trials; /* timers that have not fired yet */

/* An interrupt that comes too early was left pending by an earlier kernel, and proves nothing. */
static irqreturn_t timer_on_trial(struct timer *timer)
{
	if (page_reference_time() < timer->due) {
		timer_write_count(timer->due);
		return IRQ_HANDLED;
	}
	timer_end();
	disable_percpu_irq(timer_irq);
	timer->fired = true;
	if (atomic_dec_and_test(&trials))
		complete(&trial_over);
	return IRQ_HANDLED;
}

static void timer_expire(struct timer *timer)
{
	moved_tick_begin();
	timer->device.event_handler(&timer->device);
	moved_tick_end();
	if (unlikely(timer->started)) {
		timer->started = false;
		worker_wake();
	}
}

static irqreturn_t timer_interrupt(int irq, void *data)
{
	struct timer *timer = data;

	if (unlikely(!timer->device.event_handler))
		return timer_on_trial(timer);
	timer->written = false;
	timer_expire(timer);
	if (!timer->written)
		timer_write_count(0);
	return IRQ_HANDLED;
}

/* Without a clockevent on this CPU there is nothing that it could have been set for. */
static void timer_comparator_expires(void)
{
	struct timer *timer = this_cpu_ptr(&timers);

	if (timer->device.event_handler)
		timer_expire(timer);
}

static void trial_begin(void *unused)
{
	timer_end();
	enable_percpu_irq(timer_irq, IRQ_TYPE_NONE);
	timer_write_config(TIMER_CONFIG);
	__this_cpu_write(timers.due, page_reference_time() + TRIAL_DELAY);
	timer_write_count(__this_cpu_read(timers.due));
}

static void trial_end(void *unused)
{
	disable_percpu_irq(timer_irq);
	timer_end();
}

/* The CPUs' own timers still run, so this wait is certain to end. Called with cpus_read_lock() held. */
static int timer_try_all(void)
{
	unsigned int cpu;

	atomic_set(&trials, num_online_cpus());
	on_each_cpu(trial_begin, NULL, 1);
	if (wait_for_completion_timeout(&trial_over, TRIAL_LIMIT_S * HZ))
		return 0;
	on_each_cpu(trial_end, NULL, 1);
	for_each_online_cpu(cpu)
	{
		if (per_cpu(timers, cpu).fired)
			continue;
		pr_err("not loaded: the synthetic timer of CPU %u has not fired within %u s.\n", cpu, TRIAL_LIMIT_S);
		return -ETIMEDOUT;
	}
	return 0;
}

/*
 * On the CPU itself, with interrupts off, after the kernel's own timer driver. What an earlier kernel has left in the
 * timer is stopped before its interrupt is enabled.
 */
static int timer_starting_cpu(unsigned int cpu)
{
	struct clock_event_device *device = &per_cpu(timers, cpu).device;

	*device = (struct clock_event_device){
		.name = "seaclock",
		.rating = 1000,
		.features = CLOCK_EVT_FEAT_ONESHOT | CLOCK_EVT_FEAT_PERCPU,
		.cpumask = cpumask_of(cpu),
		.irq = timer_irq,
		.set_next_event = timer_set_next_event,
		.set_state_oneshot = timer_set_oneshot,
		.set_state_oneshot_stopped = timer_stop,
		.set_state_shutdown = timer_shut_down,
	};
	counter_check_cpu(NULL);
	repair_cpu(NULL);
	timer_end();
	per_cpu(timers, cpu).started = true;
	enable_percpu_irq(timer_irq, IRQ_TYPE_NONE);
	clockevents_config_and_register(device, SC_REF_HZ, TIMER_DELTA_MIN, TIMER_DELTA_MAX);
	comparator_starting_cpu();
	return 0;
}

/* The tick has already left this CPU, and no other CPU can shut its timer down. */
static int timer_dying_cpu(unsigned int cpu)
{
	disable_percpu_irq(timer_irq);
	timer_end();
	comparator_dying_cpu();
	return 0;
}

static void timer_start(void *unused)
{
	timer_starting_cpu(smp_processor_id());
}

static int holder_set_next_event(unsigned long delta, struct clock_event_device *device)
{
	return 0;
}

/*
 * When our device takes over CPU 0, the kernel looks for another use of that CPU's architectural timer, and would make
 * it the broadcast device. None is needed, since ours runs in every idle state. But when CPU 0 comes back from being
 * offline it would register that timer again, in use as it is, and the machine hangs (tried); and if our device were
 * unbound, there would be no timer to fall back on. This device does nothing but occupy that place. With only one
 * possible CPU it could be taken for that CPU's own timer, so there it is registered after ours, and is rated below it.
 */
static struct clock_event_device broadcast_holder = {
	.name = "seaclock_none",
	.rating = 900,
	.features = CLOCK_EVT_FEAT_ONESHOT | CLOCK_EVT_FEAT_PERIODIC,
	.irq = -1,
	.set_next_event = holder_set_next_event,
};

static void holder_init(void)
{
	broadcast_holder.cpumask = cpu_possible_mask;
	clockevents_config_and_register(&broadcast_holder, SC_REF_HZ, TIMER_DELTA_MIN, TIMER_DELTA_MAX);
}

static void timer_register_all(void)
{
	bool alone = num_possible_cpus() == 1;

	comparator_init(timer_comparator_expires);
	if (!alone)
		holder_init();
	on_each_cpu(timer_start, NULL, 1);
	if (alone)
		holder_init();
	WRITE_ONCE(registered, true);
}

/*
 * The kernel's own hotplug state for these timers, which its driver uses on x86 only: late enough when a CPU comes up,
 * early enough when it goes down. Everything that can fail comes before the first device is registered.
 */
static int timer_start_all(void)
{
	int err;

	cpus_read_lock();
	err = timer_try_all();
	if (!err)
		err = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_AP_HYPERV_TIMER_STARTING,
							   "clockevents/seaclock:starting", timer_starting_cpu,
							   timer_dying_cpu);
	if (!err)
		timer_register_all();
	cpus_read_unlock();
	return err;
}

bool clockevent_watch(void)
{
	static bool lost;
	unsigned int cpu;

	if (!READ_ONCE(registered))
		return true;
	cpus_read_lock();
	for_each_online_cpu(cpu)
	{
		if (clockevent_state_detached(&per_cpu(timers, cpu).device))
			break;
	}
	cpus_read_unlock();
	if (lost == (cpu < nr_cpu_ids))
		return !lost;
	lost = !lost;
	if (lost)
		pr_warn("CPU %u no longer uses its synthetic timer: this machine cannot follow another counter rate "
			"until the CPU has been offline and online again.\n",
			cpu);
	else
		pr_info("all CPUs use their synthetic timers again.\n");
	return !lost;
}

/* Hyper-V itself signals by edges; private interrupts of KVM's virtual GIC are level-triggered. */
static int timer_map_irq(void)
{
	int trigger = declaration_understood() ? ACPI_LEVEL_SENSITIVE : ACPI_EDGE_SENSITIVE;

	return acpi_register_gsi(NULL, SC_STIMER0_INTID, trigger, ACPI_ACTIVE_HIGH);
}

int clockevent_init(void)
{
	int err;

	timer_irq = timer_map_irq();
	if (timer_irq < 0)
		return timer_irq;
	err = request_percpu_irq(timer_irq, timer_interrupt, "seaclock", &timers);
	if (err) {
		/* An interrupt that can be mapped but not requested is another driver's. */
		pr_info("not loaded: cannot request the timers' interrupt %u (%d).\n", SC_STIMER0_INTID, err);
		return err;
	}
	err = timer_start_all();
	if (err) {
		free_percpu_irq(timer_irq, &timers);
		acpi_unregister_gsi(SC_STIMER0_INTID);
	}
	return err;
}
