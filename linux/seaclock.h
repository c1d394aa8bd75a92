/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's internal header: what its files offer one another, one group per file.
 *
 * Policy: nothing here stops the kernel. A hypercall that fails is an error code, an interface that is absent is a
 * refusal to load, a kernel whose internals are unfamiliar is left alone and the log says what follows from that.
 */
#ifndef SEACLOCK_LINUX_H
#define SEACLOCK_LINUX_H

#define pr_fmt(fmt) "seaclock: " fmt

#include <linux/kernel.h>
#include <linux/types.h>
#include <vdso/clocksource.h>
#include <seaclock/core.h>

struct seq_file;

/* hypercall.c: one register of the calling CPU. 0, or -EIO if the hypervisor refuses. Callable in any context. */
int hypercall_get(u32 name, u64 *low, u64 *high);
int hypercall_set(u32 name, u64 value);

/* count.c: what happened so far. Counting is possible in any context. */
enum count {
	COUNT_SWITCHES,
	COUNT_HOLDS,
	COUNT_HOLDS_CALLED_OFF,
	COUNT_LATE_REPAIRS,
	COUNT_REPAIRED_DELAY,
	COUNT_REPAIRED_EVENT_STREAM,
	COUNT_REPAIRED_ARCH_TIMER_RATE,
	COUNT_REPAIRED_FEATURE_CHECK,
	COUNTS,
};

void count_add(enum count count);
/* The machine was moved in a hold that took so long by reference time. */
void count_hold(u64 ns);
/* By so much CLOCK_MONOTONIC_RAW has left reference time from before the last preparation to after the hold. */
void count_step(s64 ns);
/* A line for each name and value. */
void count_show(struct seq_file *file);

/* worker.c: a thread that runs the task each time it is woken. */
int worker_init(void (*task)(void));
void worker_undo(void);
/* In any context in which tasks may be woken. Does nothing while there is no worker. */
void worker_wake(void);
/* In any other one: with a lock of the scheduler or of timekeeping held, or in an NMI. */
void worker_wake_by_interrupt(void);
/* Waits until that interrupt has come, if one is due. */
void worker_sync(void);
/* By the worker itself. */
void worker_wake_after(u64 seconds);
/* Waits until it has run for all who woke it before. */
void worker_flush(void);

/* detect.c: 0 if this machine has what the module needs, else -ENODEV, and the log says what is missing. */
int detect_machine(void);

/* counter.c: whether counter_read() in counter.h needs a workaround. counter_check_cpu on each CPU, interrupts off. */
void counter_init(void);
void counter_check_cpu(void *unused);

/*
 * page.c: reference time. The two readers are callable in any context, even where nothing may be traced.
 * page_enable: 0, or -EBUSY, -EIO, -ENOMEM; on an error nothing has changed, and the log says why.
 */
int page_enable(void);
/*
 * The hypervisor stops updating the page, and its register holds what it held before; readers keep using the page's
 * last contents. False if it refuses: it may then still write to the page. A page that is no longer ours is left alone.
 */
bool page_disable(void);
/* After page_disable, once there are no readers left. */
void page_free(void);
/* In units of 100 ns, and in ns with the fraction of a unit. Neither ever goes back between two migrations. */
u64 page_reference_time(void);
u64 page_reference_ns(void);
/*
 * The same for an earlier value of the counter, by the page as it is now. While the page is invalid it is the present
 * time: the hypervisor offers no other.
 */
u64 page_reference_ns_at(u64 counter);
/* Changes whenever the hypervisor has rewritten the page. */
u32 page_sequence(void);

/* declaration.c: what the hypervisor knows about this guest. Does nothing on a hypervisor that does not want it. */
enum clock {
	CLOCK_OTHER,
	CLOCK_PAGE,
	CLOCK_RAW,
};

enum level {
	LEVEL_NONE,	   /* after a move to another rate something important is wrong */
	LEVEL_REFERENCE,   /* clocks and timers follow, the rest is repaired late */
	LEVEL_COOPERATIVE, /* everything is repaired in time */
};

void declaration_init(void);
/* True if the hypervisor understands declarations: it is Seaclock's monitor, whose interrupts are level-triggered. */
bool declaration_understood(void);
/* True if it asks for a hold before it moves the machine, and knows the raw clock. */
bool declaration_has_hold(void);
/* The current clocksource. Set with interrupts off. Raw can be refused; then nothing has changed. */
enum clock declaration_clock(void);
void declaration_set_page(void);
int declaration_set_raw(u32 hz);
/* That clocksource is no longer current. Ignored if another of ours is current already. */
void declaration_unset(enum clock value);
void declaration_set_sched_clock(void);
void declaration_set_holds(void);
/* Whether every online CPU uses its synthetic timer. */
void declaration_set_timers(bool ours);
enum level declaration_level(void);
/* For good: from here on nothing is declared. */
void declaration_withdraw(void);

/* clocksource_page.c: the page as a clocksource. */
int clocksource_page_init(void);
void clocksource_page_undo(void);

/* clocksource_raw.c: the counter as a clocksource. Called by the worker only. */
void clocksource_raw_offer(u32 hz, bool moved);
void clocksource_raw_withdraw(void);
/* Seconds until it must be offered again to stay near reference time; 0: never, or it is not current. */
u64 clocksource_raw_lasts(void);

/* switch.c: the counter stands still for both clocksources from begin to end, which are in stop_machine. */
void switch_begin(void);
void switch_end(void);
/* While it does: true, and its value. */
bool switch_counter(u64 *counter);

/* repair.c: in any context. First repair_global, for what all CPUs share, then repair_cpu on each of them. */
void repair_init(void);
void repair_global(u32 hz);
void repair_cpu(void *unused);
/* The rate that everything was last repaired for. */
u32 repair_hz(void);

/*
 * internals.c: cannot be undone. If something is not as expected, the log says what follows. False if that is the
 * architectural counter's clocksource: nothing else says who may read the counter.
 */
bool internals_init(u32 hz);
/* How the vDSO may read the counter, as the kernel has decided for its own clocksource. */
enum vdso_clock_mode internals_vdso_mode(void);
/* NULL if the kernel does not have the symbol. */
void *internals_find(const char *symbol);
/* In any context, and on all CPUs at once. */
void internals_repair(u32 hz);
/*
 * From open to close, read-only data of the kernel can be written. Only the worker calls these, in process context; a
 * hold may come in between. No such mapping is kept.
 */
void internals_open(void);
void internals_close(void);
void internals_repair_timer_rate(u32 hz);

/* moved.c: finds moves without a hold. */
void moved_init(void);
/* First and last in the timer interrupt: only at its end have jiffies been advanced by the gap as well. */
void moved_tick_begin(void);
void moved_tick_end(void);
/* In the worker. */
void moved_settle(void);
/* On each CPU: what the page says now has been dealt with. */
void moved_seen(u32 hz);

/* watchdog.c: this CPU and its tasks did not hang, the machine stood still. In any context, interrupts off. */
void watchdog_init(void);
void watchdog_excuse(void);

/*
 * discipline.c: around each change of the clocksource, at which the kernel's NTP code forgets most of its state. In the
 * worker, or before the handshake starts. Save waits for up to about 3 s if a leap second is imminent. `moved`: the
 * machine has moved since the state was saved, or before that, so the clock's error is not known.
 */
void discipline_init(void);
void discipline_save(void);
/* In stop_machine, just before or just after the change. NTP state is lost even if the change is refused. */
void discipline_changes(void);
void discipline_restore(bool moved);

/* hibernation.c */
void hibernation_init(void);

/* refusal.c: the hypervisor has refused a call that it must not refuse. Noted in any context, said by the worker. */
void refusal_note(u32 name);
void refusal_say(void);

/* hold.c: false if the hold was called off. */
bool hold_wait(void);

/* handshake.c: handshake_settle is what the worker does each time. */
void handshake_settle(void);
/* From here on the hypervisor gets what it asks for. */
void handshake_start(void);
void handshake_stop(void);

/* state.c: shows the level, the clock and what happened so far. */
void state_init(void);

/*
 * comparator.c: what takes a deadline without an exit to the monitor, where there is such a thing. comparator_init,
 * once the hypervisor has been asked what it can do, cannot be undone; it is told what to do on a CPU when its deadline
 * is over. Those up to comparator_stop are for the CPU itself, with interrupts off.
 */
void comparator_init(void (*on_expiry)(void));
/* The last thing when a CPU's clockevent is registered; it takes deadlines a millisecond later. */
void comparator_starting_cpu(void);
void comparator_dying_cpu(void);
/* In units of 100 ns from now. False if it is not taken, and the deadline must be set elsewhere. */
bool comparator_set(u32 delta);
void comparator_stop(void);
/* In the worker: the counter's rate, which was asked for after this sequence of the page was read. */
void comparator_know(u32 sequence, u32 hz);
/* For good: none takes a deadline any more. In process context, when the worker does not run. */
void comparator_withdraw(void);
/* CPUs that have one; in any context. */
unsigned int comparator_count(void);

/* clockevent.c: cannot be undone once it has succeeded. Takes up to 10 s if a timer does not fire. */
int clockevent_init(void);
/* In the worker. False if an online CPU no longer uses its synthetic timer; the log says which. */
bool clockevent_watch(void);

/* sched_clock.c: cannot be undone. NULL, or a clause that says why this kernel's sched_clock stays as it is. */
const char *sched_clock_follow_page(void);

#endif
