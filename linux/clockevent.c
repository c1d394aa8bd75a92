// SPDX-License-Identifier: GPL-2.0-only
/*
 * The clockevent "seaclock": synthetic timer 0 of each CPU, in direct mode, set in reference time.
 *
 * Policy: Seaclock's monitor asserts the timer's interrupt as a level, and holds it until the timer is written. So the
 * handler never returns without having written COUNT. Registered for good: an unbound device would leave a CPU with
 * a worse timer or with none, so nothing here has an end, and the module has no exit.
 */
#include "seaclock.h"

#include <linux/acpi.h>
#include <linux/clockchips.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/errno.h>
#include <linux/interrupt.h>
#include <linux/percpu.h>
#include <linux/smp.h>

/* Armed by a write to COUNT alone, and never by what COUNT may still hold from before. */
#define TIMER_CONFIG (SC_STIMER_AUTO_ENABLE | SC_STIMER_DIRECT | (u64)SC_STIMER0_INTID << SC_STIMER_INTID_SHIFT)

/* In units of 100 ns. The kernel never asks for less than 1 us; the hypervisor limits nothing. */
#define TIMER_DELTA_MIN 1
#define TIMER_DELTA_MAX U32_MAX

struct timer {
	struct clock_event_device device;
	bool written;
};

static DEFINE_PER_CPU(struct timer, timers);
static int timer_irq;

/* Also ends the assertion of the interrupt. 0 stops the timer. */
static int timer_write_count(u64 count)
{
	__this_cpu_write(timers.written, true);
	return hypercall_set(SC_REG_STIMER0_COUNT, count) ? -ETIME : 0;
}

static int timer_set_next_event(unsigned long delta, struct clock_event_device *device)
{
	return timer_write_count(page_reference_time() + delta);
}

static int timer_set_oneshot(struct clock_event_device *device)
{
	return hypercall_set(SC_REG_STIMER0_CONFIG, TIMER_CONFIG);
}

static int timer_stop(struct clock_event_device *device)
{
	return timer_write_count(0);
}

static int timer_shut_down(struct clock_event_device *device)
{
	int err = timer_write_count(0);

	return err ?: hypercall_set(SC_REG_STIMER0_CONFIG, 0);
}

static irqreturn_t timer_interrupt(int irq, void *data)
{
	struct timer *timer = data;

	timer->written = false;
	rate_watch();
	timer->device.event_handler(&timer->device);
	if (!timer->written)
		timer_write_count(0);
	return IRQ_HANDLED;
}

/* On the CPU itself, interrupts off, after the kernel's own timer driver. What an earlier kernel left in the timer ends
 * before its interrupt is enabled. */
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
	repair_cpu(NULL);
	timer_shut_down(device);
	enable_percpu_irq(timer_irq, IRQ_TYPE_NONE);
	clockevents_config_and_register(device, SC_REF_HZ, TIMER_DELTA_MIN, TIMER_DELTA_MAX);
	return 0;
}

/* The tick has left this CPU already; nobody else shuts the timer down, for only this CPU can. */
static int timer_dying_cpu(unsigned int cpu)
{
	disable_percpu_irq(timer_irq);
	timer_shut_down(NULL);
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
 * When our device takes over CPU 0, its architectural timer is offered around again, and the kernel would make it the
 * broadcast device. Nothing needs one, since ours runs in every idle state; but CPU 0 would register it once more when
 * it comes back from being offline, in use as it is, and the machine hangs (tried). This device does nothing and holds
 * that place. With one possible CPU it would be taken for that CPU's own timer; then it is not needed either, because
 * the last CPU cannot go offline.
 */
static struct clock_event_device broadcast_holder = {
	.name = "seaclock_none",
	.rating = 1000,
	.features = CLOCK_EVT_FEAT_ONESHOT | CLOCK_EVT_FEAT_PERIODIC,
	.irq = -1,
	.set_next_event = holder_set_next_event,
};

static void holder_init(void)
{
	if (num_possible_cpus() == 1)
		return;
	broadcast_holder.cpumask = cpu_possible_mask;
	clockevents_config_and_register(&broadcast_holder, SC_REF_HZ, TIMER_DELTA_MIN, TIMER_DELTA_MAX);
}

/*
 * The kernel's own state for these timers, which its driver uses on x86 only: late enough when a CPU comes up, early
 * enough when it goes. All that can fail comes before the first device is registered.
 */
static int timer_start_all(void)
{
	int err;

	cpus_read_lock();
	err = cpuhp_setup_state_nocalls_cpuslocked(CPUHP_AP_HYPERV_TIMER_STARTING, "clockevents/seaclock:starting",
						   timer_starting_cpu, timer_dying_cpu);
	if (!err) {
		holder_init();
		on_each_cpu(timer_start, NULL, 1);
	}
	cpus_read_unlock();
	return err;
}

/* Hyper-V itself signals with edges, and private interrupts of KVM's virtual GIC are levels. */
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
	if (err)
		goto unmap;
	err = timer_start_all();
	if (err)
		goto release;
	return 0;

release:
	free_percpu_irq(timer_irq, &timers);
unmap:
	acpi_unregister_gsi(SC_STIMER0_INTID);
	return err;
}
