/* SPDX-License-Identifier: BSD-2-Clause */
/* Rounds of guest memory: see the header. */
#include "migrate/precopy.h"

#include "host/host.h"
#include "layout.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

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

static bool page_is_zero(const uint8_t *page)
{
	/* All bytes are equal to the one before, and the first is zero. */
	return !page[0] && !memcmp(page, page + 1, MEMORY_PAGE_SIZE - 1);
}

/* Pages from the start of a run that are all zero, or all not. */
static uint32_t run_alike(const uint8_t *pages, uint32_t count, bool *zero)
{
	uint32_t n = 1;

	*zero = page_is_zero(pages);
	while (n < count && page_is_zero(pages + (size_t)n * MEMORY_PAGE_SIZE) == *zero)
		n++;
	return n;
}

static int send_run(struct channel *channel, uint64_t gpa, const uint8_t *pages, uint32_t count, bool zero,
		    struct error *error)
{
	uint64_t head[2] = { htole64(gpa), htole64(count) };

	if (zero)
		return channel_send(channel, FRAME_ZEROES, head, sizeof(head), error);
	return channel_send_parts(channel, FRAME_PAGES, head, sizeof(head[0]), pages, (size_t)count * MEMORY_PAGE_SIZE,
				  error);
}

/* The guest may write to the pages meanwhile: what is then sent is stale, and the log has them for the next round. */
static int send_pages(struct precopy *precopy, uint64_t page, uint32_t count, struct error *error)
{
	int result = 0;

	while (!result && count) {
		const uint8_t *pages = precopy->dirty.memory->ram + page * MEMORY_PAGE_SIZE;
		bool zero;
		uint32_t alike = run_alike(pages, count, &zero);

		result = send_run(precopy->channel, LAYOUT_RAM_BASE + page * MEMORY_PAGE_SIZE, pages, alike, zero,
				  error);
		page += alike;
		count -= alike;
	}
	return result;
}

static int send_dirty(struct precopy *precopy, struct error *error)
{
	uint64_t page = 0;
	uint32_t count;
	int result = 0;

	for (; !result && dirty_take(&precopy->dirty, &page, FRAME_PAGES_MAX, &count); page += count)
		result = send_pages(precopy, page, count, error);
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
	uint64_t sent = precopy->channel->sent;
	int result = send_dirty(precopy, error);

	if (!result)
		result = sync_target(precopy->channel, error);
	if (result)
		return result;
	precopy->rounds++;
	precopy->round_bytes = precopy->channel->sent - sent;
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
