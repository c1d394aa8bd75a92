// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker: the one thread that does whatever changes the clock, so that no two changes meet.
 *
 * Policy: it runs before all ordinary tasks, because a migration waits for it. What it does each time is given to it
 * when it is created: those who wake it need not know what that is. If it is woken while it runs, it runs once more.
 */
#include "seaclock.h"

#include <linux/err.h>
#include <linux/irq_work.h>
#include <linux/jiffies.h>
#include <linux/sched.h>

#include "compat.h"

static struct kthread_worker *worker;
static void (*worker_task)(void);

static void worker_run(struct kthread_work *work)
{
	worker_task();
}

static DEFINE_KTHREAD_WORK(run_now, worker_run);
static DEFINE_KTHREAD_DELAYED_WORK(run_later, worker_run);

void worker_wake(void)
{
	struct kthread_worker *awake = READ_ONCE(worker);

	if (awake)
		kthread_queue_work(awake, &run_now);
}

void worker_wake_after(u64 seconds)
{
	kthread_mod_delayed_work(worker, &run_later, seconds * HZ);
}

static void worker_interrupt(struct irq_work *work)
{
	worker_wake();
}

static DEFINE_IRQ_WORK(wake_by_interrupt, worker_interrupt);

void worker_wake_by_interrupt(void)
{
	irq_work_queue(&wake_by_interrupt);
}

void worker_sync(void)
{
	irq_work_sync(&wake_by_interrupt);
}

int worker_init(void (*task)(void))
{
	struct kthread_worker *created = kthread_run_worker(0, "seaclock");

	if (IS_ERR(created))
		return PTR_ERR(created);
	sched_set_fifo(created->task);
	worker_task = task;
	WRITE_ONCE(worker, created);
	return 0;
}

/* Destroyed once nobody can be about to wake it. */
void worker_undo(void)
{
	struct kthread_worker *former = worker;

	WRITE_ONCE(worker, NULL);
	worker_sync();
	kthread_destroy_worker(former);
}

void worker_flush(void)
{
	kthread_flush_worker(worker);
}
