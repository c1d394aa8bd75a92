/* SPDX-License-Identifier: BSD-2-Clause */
/* Rounds of guest memory: see the header. */
#include "migrate/precopy.h"

#include "host/host.h"
#include "transfer/pages.h"

#include <errno.h>

/* The operator hears of a long round this often. */
#define PROGRESS_NS 500000000ull

/* A round that sends less shows latency, or how long it takes to look through pages of zeroes. */
#define SPEED_BYTES_MIN (1u << 20)

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull

/* What the kernel writes for devices is seen as well, from before the first page is read. */
static int precopy_watch(struct precopy *precopy, bool on, struct error *error)
{
	return precopy->devices ? devices_set_log(precopy->devices, on, error) : 0;
}

int precopy_start(struct precopy *precopy, struct host_vm *vm, struct memory *memory, struct error *error)
{
	int result = precopy_watch(precopy, true, error);
	struct error ignored;

	precopy->told = host_monotonic();
	if (!result)
		result = dirty_start(&precopy->dirty, vm, memory, error);
	if (result)
		precopy_watch(precopy, false, &ignored);
	return result;
}

void precopy_stop(struct precopy *precopy)
{
	struct error ignored;

	dirty_stop(&precopy->dirty);
	precopy_watch(precopy, false, &ignored);
}

/* ---- Progress ---- */

/*
 * What it takes to send so many pages: no less than what the operator's bound makes of it, though that does not hold
 * any more once the guest is stopped. So the last pages are no more than the bound lets through in the downtime.
 */
static uint64_t precopy_expect_ns(const struct precopy *precopy, uint64_t pages)
{
	const struct precopy_speed *speed = &precopy->speed;
	uint64_t bytes = pages * MEMORY_PAGE_SIZE;
	uint64_t measured = sc_muldiv(bytes, speed->ns, speed->bytes ? speed->bytes : 1);
	uint64_t bounded = precopy->bucket.rate ? sc_muldiv(bytes, NS_PER_S, precopy->bucket.rate) : 0;

	return measured > bounded ? measured : bounded;
}

static bool speed_is_higher(const struct precopy_speed *speed, const struct precopy_speed *than)
{
	return sc_muldiv(speed->bytes, than->ns, speed->ns ? speed->ns : 1) > than->bytes;
}

/* The speed as this round has shown it so far. A small round can only show that it is higher than was thought. */
static void precopy_measure(struct precopy *precopy, sc_ns_t now)
{
	const struct precopy_speed speed = {
		.bytes = precopy->channel->sink.sent - precopy->sent_before,
		.ns = now.v - precopy->began.v,
	};

	if (speed.bytes >= SPEED_BYTES_MIN || precopy->rounds == 1 || speed_is_higher(&speed, &precopy->speed))
		precopy->speed = speed;
}

static void precopy_tell(struct precopy *precopy, sc_ns_t now)
{
	const struct precopy_progress progress = {
		.round = precopy->rounds,
		.bytes_left = precopy->dirty.pages * MEMORY_PAGE_SIZE,
		.bytes_sent = precopy->channel->sink.sent,
		.rate = precopy->speed.ns ? sc_muldiv(precopy->speed.bytes, NS_PER_S, precopy->speed.ns) : 0,
		.downtime_ns = precopy_expect_ns(precopy, precopy->dirty.pages),
	};

	precopy->told = now;
	if (precopy->progress)
		precopy->progress(precopy->context, &progress);
}

static void precopy_tell_again(struct precopy *precopy)
{
	sc_ns_t now = host_monotonic();

	if (now.v - precopy->told.v < PROGRESS_NS)
		return;
	precopy_measure(precopy, now);
	precopy_tell(precopy, now);
}

/* ---- Rounds ---- */

/* Waits until the operator's bound lets more be sent. */
static int precopy_rest(struct precopy *precopy, struct error *error)
{
	uint64_t sent = precopy->channel->sink.sent;
	sc_ns_t wait = bucket_take(&precopy->bucket, sent - precopy->taken, host_monotonic());

	precopy->taken = sent;
	return wait.v ? channel_rest(precopy->channel, wait, error) : 0;
}

/*
 * The guest may write to the pages meanwhile: what is then sent is stale, and the log has them for the next round.
 * Only the first round has pages that were not written to. The last pages are not bounded.
 */
static int send_dirty(struct precopy *precopy, bool bounded, struct error *error)
{
	uint64_t page = 0;
	uint32_t count;
	int result = 0;

	for (; !result && dirty_take(&precopy->dirty, &page, FRAME_PAGES_MAX, &count); page += count) {
		precopy_tell_again(precopy);
		result = channel_glance(precopy->channel, error);
		if (!result)
			result = pages_put(&precopy->channel->sink, precopy->dirty.memory, page, count,
					   precopy->rounds > 1 || !bounded, error);
		if (!result && bounded)
			result = precopy_rest(precopy, error);
	}
	return result;
}

static int sync_target(struct channel *channel, struct error *error)
{
	struct frame frame;
	int result = channel_send(channel, FRAME_SYNC, NULL, 0, error);

	return result ? result : channel_expect(channel, FRAME_SYNCED, &frame, error);
}

int precopy_round(struct precopy *precopy, struct error *error)
{
	int result;

	precopy->rounds++;
	precopy->began = host_monotonic();
	precopy->round_pages = precopy->dirty.pages;
	precopy->sent_before = precopy->channel->sink.sent;
	result = send_dirty(precopy, true, error);
	if (!result)
		result = sync_target(precopy->channel, error);
	if (result)
		return result;
	precopy_measure(precopy, host_monotonic());
	result = dirty_collect(&precopy->dirty, error);
	if (!result)
		precopy_tell(precopy, host_monotonic());
	return result;
}

static bool precopy_fits(const struct precopy *precopy)
{
	return precopy_expect_ns(precopy, precopy->dirty.pages) <= precopy->downtime_ns;
}

/* What is left fits, or not: -ENOBUFS if it did not too many times. */
static int precopy_judge(struct precopy *precopy, bool fits, struct error *error)
{
	if (fits || ++precopy->misses < PRECOPY_MISSES_MAX)
		return 0;
	return error_set(
		error, ENOBUFS,
		"after %u rounds %llu MiB are still left, %llu ms at this connection's speed: the guest writes faster "
		"than the %llu ms of downtime aimed at allow; let it do less, or allow more with --downtime%s",
		precopy->rounds, (unsigned long long)(precopy->dirty.pages * MEMORY_PAGE_SIZE >> 20),
		(unsigned long long)(precopy_expect_ns(precopy, precopy->dirty.pages) / NS_PER_MS),
		(unsigned long long)(precopy->downtime_ns / NS_PER_MS), precopy->bucket.rate ? " or --bandwidth" : "");
}

/* The last round has halved what was left, so the next one may, too; and if it does not, there is another one. */
static bool precopy_gains(const struct precopy *precopy)
{
	return precopy->gains < PRECOPY_GAINS_MAX && precopy->misses + 1 < PRECOPY_MISSES_MAX &&
	       precopy->dirty.pages > PRECOPY_FEW_PAGES && precopy->dirty.pages <= precopy->round_pages / 2;
}

int precopy_check(struct precopy *precopy, bool *enough, struct error *error)
{
	bool fits = precopy_fits(precopy), gains = fits && precopy_gains(precopy);

	*enough = fits && !gains;
	precopy->gains += gains;
	return precopy_judge(precopy, fits, error);
}

int precopy_catch_up(struct precopy *precopy, bool *enough, struct error *error)
{
	int result = dirty_collect(&precopy->dirty, error);

	if (!result)
		result = precopy_round(precopy, error);
	*enough = !result && precopy_fits(precopy);
	return result ? result : precopy_judge(precopy, *enough, error);
}

int precopy_finish(struct precopy *precopy, struct error *error)
{
	int result = dirty_collect(&precopy->dirty, error);

	return result ? result : send_dirty(precopy, false, error);
}
