/* SPDX-License-Identifier: BSD-2-Clause */
/* Rounds of guest memory: see the header. */
#include "migrate/precopy.h"

#include "host/host.h"
#include "migrate/pages.h"

#include <errno.h>

int precopy_start(struct precopy *precopy, struct channel *channel, struct host_vm *vm, struct memory *memory,
		  struct error *error)
{
	*precopy = (struct precopy){ .channel = channel };
	return dirty_start(&precopy->dirty, vm, memory, error);
}

void precopy_stop(struct precopy *precopy)
{
	dirty_stop(&precopy->dirty);
}

/* The guest may write to the pages meanwhile: what is then sent is stale, and the log has them for the next round. */
static int send_dirty(struct precopy *precopy, struct error *error)
{
	uint64_t page = 0;
	uint32_t count;
	int result = 0;

	for (; !result && dirty_take(&precopy->dirty, &page, FRAME_PAGES_MAX, &count); page += count)
		result = pages_put(&precopy->channel->sink, precopy->dirty.memory, page, count, error);
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
	sc_ns_t start = host_monotonic();
	uint64_t sent = precopy->channel->sink.sent;
	int result = send_dirty(precopy, error);

	if (!result)
		result = sync_target(precopy->channel, error);
	if (result)
		return result;
	precopy->rounds++;
	precopy->round_bytes = precopy->channel->sink.sent - sent;
	precopy->round_ns = host_monotonic().v - start.v;
	return dirty_collect(&precopy->dirty, error);
}

int precopy_check(const struct precopy *precopy, bool *enough, struct error *error)
{
	uint64_t left = precopy->dirty.pages * MEMORY_PAGE_SIZE;
	uint64_t expected_ns = sc_muldiv(left, precopy->round_ns, precopy->round_bytes ? precopy->round_bytes : 1);

	*enough = expected_ns <= PRECOPY_DOWNTIME_NS;
	if (*enough || precopy->rounds < PRECOPY_ROUNDS_MAX)
		return 0;
	return error_set(
		error, ENOBUFS,
		"after %u rounds %llu MiB are still left, %llu ms at this connection's speed: the guest writes faster "
		"than the %llu ms of downtime aimed at allow",
		precopy->rounds, (unsigned long long)(left >> 20), (unsigned long long)(expected_ns / 1000000),
		PRECOPY_DOWNTIME_NS / 1000000);
}

int precopy_finish(struct precopy *precopy, struct error *error)
{
	int result = dirty_collect(&precopy->dirty, error);

	return result ? result : send_dirty(precopy, error);
}
