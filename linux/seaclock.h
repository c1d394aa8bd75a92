/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module's own header: what its files offer each other, one group per file.
 *
 * Policy: nothing here stops the kernel. A hypercall that fails is an error code, an interface that is absent is a
 * refusal to load, a kernel whose insides are unfamiliar is left alone and the log says what follows from that.
 */
#ifndef SEACLOCK_LINUX_H
#define SEACLOCK_LINUX_H

#define pr_fmt(fmt) "seaclock: " fmt

#include <linux/kernel.h>
#include <linux/types.h>
#include <seaclock/page.h>

/* hypercall.c: one register of the calling CPU. 0, or -EIO if the hypervisor refuses. Callable in any context. */
int hypercall_get(u32 name, u64 *low, u64 *high);
int hypercall_set(u32 name, u64 value);

/* detect.c: 0 if this machine has what the module needs, else -ENODEV, and the log says what is missing. */
int detect_machine(void);

/* page.c: reference time. The two readers are callable in any context, also where nothing may be traced. */
int page_enable(void);
/* The hypervisor writes the page no more. Readers go on with what it holds. */
void page_disable(void);
/* After page_disable, when nobody reads any more. */
void page_free(void);
/* In units of 100 ns, and the same with the fraction of a unit as ns. Neither ever goes back between two migrations. */
u64 page_reference_time(void);
u64 page_reference_ns(void);
/* Changes whenever the hypervisor has written the page anew. */
u32 page_sequence(void);

/* rate.c: tells the log when the page was written anew. The first call is to come from the timer interrupt. */
void rate_init(void);
void rate_watch(void);

/* declaration.c: what the hypervisor knows about this guest. Does nothing on a hypervisor that does not ask. */
void declaration_init(void);
/* True if the hypervisor understands declarations: it is Seaclock's monitor, whose interrupts are levels. */
bool declaration_understood(void);
/* The two halves of SC_GUEST_CLOCK_ON_PAGE. Callable with interrupts off. */
void declaration_set_clocksource(bool on_page);
void declaration_set_sched_clock(bool on_page);
void declaration_withdraw(void);

/* clocksource.c */
int clocksource_init(void);
void clocksource_undo(void);

/* clockevent.c: cannot be undone once it has succeeded. */
int clockevent_init(void);

/* sched_clock.c: cannot be undone. NULL, or a clause that says why this kernel's sched_clock stays as it is. */
const char *sched_clock_follow_page(void);

#endif
