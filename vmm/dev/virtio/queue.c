/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue: see the header.
 *
 * Indices and what suppresses notifications are read and written with sequentially consistent operations. Both sides
 * store their own index or event and then look at the other's; if a load could pass such a store, both might miss the
 * other's news and wait for ever.
 */
#include "dev/virtio/queue.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

/* The three parts, in bytes: section 2.7. */
#define DESCRIPTOR_SIZE 16u
#define DESCRIPTOR_ALIGNMENT 16u
#define AVAILABLE_ALIGNMENT 2u
#define AVAILABLE_INDEX 2u
#define AVAILABLE_RING 4u
#define USED_ALIGNMENT 4u
#define USED_INDEX 2u
#define USED_RING 4u
#define USED_ELEMENT 8u

#define DESCRIPTOR_NEXT 1u
#define DESCRIPTOR_WRITE 2u
#define DESCRIPTOR_INDIRECT 4u
#define AVAILABLE_NO_INTERRUPT 1u
#define USED_NO_NOTIFY 1u

/* Of one chain: section 2.7.5. */
#define CHAIN_SIZE_MAX (1ull << 32)

#define SAVED_READY 1u
#define SAVED_BROKEN 2u
#define SAVED_EVENT_INDEX 4u
#define SAVED_INDIRECT 8u
#define SAVED_ALL 15u

struct descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

_Static_assert(sizeof(struct descriptor) == DESCRIPTOR_SIZE, "as it is in memory");

/* Descriptors that refer to each other: those of the queue, or a table that one of them names. */
struct table {
	const uint8_t *bytes;
	uint32_t count;
	bool indirect;
};

/* ---- Guest memory ---- */

static uint16_t load(const void *place)
{
	return le16toh(__atomic_load_n((const uint16_t *)place, __ATOMIC_SEQ_CST));
}

static void store(void *place, uint16_t value)
{
	__atomic_store_n((uint16_t *)place, htole16(value), __ATOMIC_SEQ_CST);
}

/* The last 2 bytes of both rings are an event index, whether it was negotiated or not. */
static uint32_t available_event(const struct virtqueue *queue)
{
	return AVAILABLE_RING + 2u * queue->size;
}

static uint32_t used_event(const struct virtqueue *queue)
{
	return USED_RING + USED_ELEMENT * queue->size;
}

static const uint8_t *virtqueue_descriptors(const struct virtqueue *queue, const struct memory *memory)
{
	return memory_span(memory, queue->descriptors, (size_t)DESCRIPTOR_SIZE * queue->size);
}

static const uint8_t *virtqueue_available(const struct virtqueue *queue, const struct memory *memory)
{
	return memory_span(memory, queue->driver, available_event(queue) + 2u);
}

static uint8_t *virtqueue_used(const struct virtqueue *queue, const struct memory *memory)
{
	return memory_span(memory, queue->device, used_event(queue) + 2u);
}

/* A copy that does not change any more, whatever the guest does. */
static struct descriptor descriptor_read(const struct table *table, uint32_t n)
{
	struct descriptor copy;

	memcpy(&copy, table->bytes + (size_t)n * DESCRIPTOR_SIZE, sizeof(copy));
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	return (struct descriptor){ le64toh(copy.address), le32toh(copy.length), le16toh(copy.flags),
				    le16toh(copy.next) };
}

/* ---- Life ---- */

static bool size_is_valid(uint16_t size)
{
	return size && size <= VIRTQUEUE_SIZE_MAX && !(size & (size - 1u));
}

static bool is_aligned(const struct virtqueue *queue)
{
	return queue->descriptors % DESCRIPTOR_ALIGNMENT == 0 && queue->driver % AVAILABLE_ALIGNMENT == 0 &&
	       queue->device % USED_ALIGNMENT == 0;
}

int virtqueue_start(struct virtqueue *queue, const struct memory *memory)
{
	if (!size_is_valid(queue->size) || !is_aligned(queue) || !virtqueue_descriptors(queue, memory) ||
	    !virtqueue_available(queue, memory) || !virtqueue_used(queue, memory))
		return -EINVAL;
	queue->ready = true;
	return 0;
}

void virtqueue_reset(struct virtqueue *queue)
{
	*queue = (struct virtqueue){ .size = 0 };
}

static int virtqueue_break(struct virtqueue *queue, const char *why)
{
	queue->broken = why;
	return -EPROTO;
}

/* ---- What the driver makes available ---- */

static uint64_t taken_bit(uint16_t head)
{
	return 1ull << head % 64;
}

bool virtqueue_has_taken(const struct virtqueue *queue, uint16_t head)
{
	return head < queue->size && queue->taken[head / 64] & taken_bit(head);
}

uint16_t virtqueue_in_flight(const struct virtqueue *queue)
{
	return (uint16_t)(queue->next_available - queue->next_used);
}

/* One more buffer; NULL, or why it cannot be one. */
static const char *chain_add(struct virtqueue_chain *chain, const struct memory *memory, const struct descriptor *part)
{
	void *place = memory_span(memory, part->address, part->length);
	uint32_t count = chain->readable + chain->writable;

	if (!part->length)
		return "a buffer is empty";
	if (!place)
		return "a buffer is not in one piece of memory";
	if (count == VIRTQUEUE_CHAIN_MAX)
		return "a chain has too many buffers";
	if (chain->readable_size + chain->writable_size + part->length > CHAIN_SIZE_MAX)
		return "a chain has more than 4 GiB";
	if (part->flags & DESCRIPTOR_WRITE) {
		chain->writable++;
		chain->writable_size += part->length;
	} else if (chain->writable) {
		return "a buffer to read from follows one to write to";
	} else {
		chain->readable++;
		chain->readable_size += part->length;
	}
	chain->buffer[count] = (struct iovec){ .iov_base = place, .iov_len = part->length };
	return NULL;
}

/* From the queue's descriptors to the table that one of them names. Its other flags do not count: section 2.7.5.3.2. */
static const char *table_enter(struct table *table, const struct virtqueue *queue, const struct memory *memory,
			       const struct descriptor *entry)
{
	if (!queue->indirect)
		return "a descriptor is indirect, which was not negotiated";
	if (table->indirect)
		return "an indirect descriptor names another";
	if (entry->flags & DESCRIPTOR_NEXT)
		return "a chain goes on behind an indirect descriptor";
	if (!entry->length || entry->length % DESCRIPTOR_SIZE)
		return "an indirect table has no whole number of descriptors";
	*table = (struct table){ .bytes = memory_span(memory, entry->address, entry->length),
				 .count = entry->length / DESCRIPTOR_SIZE,
				 .indirect = true };
	return table->bytes ? NULL : "an indirect table is not in one piece of memory";
}

/* Gathers the buffers of a chain; NULL, or why there is none. More steps than its table has entries are a loop. */
static const char *chain_read(struct virtqueue_chain *chain, const struct virtqueue *queue, const struct memory *memory)
{
	struct table table = { .bytes = virtqueue_descriptors(queue, memory), .count = queue->size };
	uint32_t steps = 0, next = chain->head;
	const char *why = table.bytes ? NULL : "the descriptors are not in memory";

	while (!why) {
		struct descriptor part;

		if (next >= table.count)
			return "a chain leads out of its table";
		if (steps++ == table.count)
			return "a chain is a loop";
		part = descriptor_read(&table, next);
		if (part.flags & DESCRIPTOR_INDIRECT) {
			why = table_enter(&table, queue, memory, &part);
			next = steps = 0;
			continue;
		}
		why = chain_add(chain, memory, &part);
		if (!why && !(part.flags & DESCRIPTOR_NEXT))
			break;
		next = part.next;
	}
	return why;
}

static int chain_take(struct virtqueue *queue, const struct memory *memory, uint16_t head,
		      struct virtqueue_chain *chain)
{
	const char *why;

	/* The buffers stay as they are: there are many, and only those that are counted exist. */
	chain->head = head;
	chain->readable = chain->writable = 0;
	chain->readable_size = chain->writable_size = 0;
	why = chain_read(chain, queue, memory);
	return why ? virtqueue_break(queue, why) : 1;
}

int virtqueue_take(struct virtqueue *queue, const struct memory *memory, struct virtqueue_chain *chain)
{
	const uint8_t *available;
	uint16_t waiting, head;
	int result;

	if (!queue->ready || queue->broken)
		return queue->broken ? -EPROTO : 0;
	assert(!queue->lent);
	available = virtqueue_available(queue, memory);
	if (!available)
		return virtqueue_break(queue, "the available ring is not in memory");
	waiting = (uint16_t)(load(available + AVAILABLE_INDEX) - queue->next_available);
	if (!waiting)
		return 0;
	if (waiting + virtqueue_in_flight(queue) > queue->size)
		return virtqueue_break(queue, "more chains are available than the queue has descriptors");
	head = load(available + AVAILABLE_RING + 2u * (queue->next_available & (queue->size - 1u)));
	if (head >= queue->size || virtqueue_has_taken(queue, head))
		return virtqueue_break(queue, "a chain is available that does not exist, or is in use already");
	result = chain_take(queue, memory, head, chain);
	if (result < 0)
		return result;
	queue->taken[head / 64] |= taken_bit(head);
	queue->next_available++;
	return result;
}

int virtqueue_take_again(struct virtqueue *queue, const struct memory *memory, uint16_t head,
			 struct virtqueue_chain *chain)
{
	if (!queue->ready || queue->broken || !virtqueue_has_taken(queue, head))
		return -EPROTO;
	return chain_take(queue, memory, head, chain);
}

/* ---- What the device has used ---- */

/* Element number n behind those that the driver can see. */
static void used_put(struct virtqueue *queue, struct memory *memory, uint8_t *ring, uint16_t n,
		     const struct virtqueue_used *used)
{
	uint32_t place = USED_RING + USED_ELEMENT * ((uint16_t)(queue->next_used + n) & (queue->size - 1u));
	uint32_t element[2] = { htole32(used->head), htole32(used->written) };

	assert(virtqueue_has_taken(queue, used->head));
	queue->taken[used->head / 64] &= ~taken_bit(used->head);
	memcpy(ring + place, element, sizeof(element));
	memory_mark_dirty(memory, queue->device + place, sizeof(element));
}

void virtqueue_give_all(struct virtqueue *queue, struct memory *memory, const struct virtqueue_used *used,
			uint32_t count)
{
	uint8_t *ring;

	if (!count || queue->broken)
		return;
	ring = virtqueue_used(queue, memory);
	if (!ring) {
		virtqueue_break(queue, "the used ring is not in memory");
		return;
	}
	for (uint32_t n = 0; n < count; n++)
		used_put(queue, memory, ring, (uint16_t)n, &used[n]);
	queue->next_used = (uint16_t)(queue->next_used + count);
	store(ring + USED_INDEX, queue->next_used);
	memory_mark_dirty(memory, queue->device + USED_INDEX, 2);
}

void virtqueue_give(struct virtqueue *queue, struct memory *memory, uint16_t head, uint32_t written)
{
	const struct virtqueue_used used = { head, written };

	virtqueue_give_all(queue, memory, &used, 1);
}

void virtqueue_put_back(struct virtqueue *queue, uint16_t head)
{
	assert(virtqueue_has_taken(queue, head));
	queue->taken[head / 64] &= ~taken_bit(head);
	queue->next_available--;
}

bool virtqueue_wants_interrupt(struct virtqueue *queue, const struct memory *memory)
{
	const uint8_t *available = virtqueue_available(queue, memory);
	uint16_t given = (uint16_t)(queue->next_used - queue->signalled);
	uint16_t event;

	queue->signalled = queue->next_used;
	if (!given || !queue->ready || queue->broken || !available)
		return false;
	if (!queue->event_index)
		return !(load(available) & AVAILABLE_NO_INTERRUPT);
	/* Section 2.7.7: when the element of that index, or one behind it, has just become used. */
	event = load(available + available_event(queue));
	return (uint16_t)(queue->next_used - event - 1u) < given;
}

void virtqueue_ask_notification(struct virtqueue *queue, struct memory *memory, bool wanted)
{
	uint8_t *used = virtqueue_used(queue, memory);
	uint32_t place = queue->event_index ? used_event(queue) : 0;

	/* An event that has passed asks for nothing. */
	if (!queue->ready || queue->broken || !used || (queue->event_index && !wanted))
		return;
	if (queue->event_index)
		store(used + place, queue->next_available);
	else
		store(used, wanted ? 0 : USED_NO_NOTIFY);
	memory_mark_dirty(memory, queue->device + place, 2);
}

/* ---- In the kernel's hands ---- */

void virtqueue_lend(struct virtqueue *queue)
{
	assert(queue->ready && !queue->broken && !virtqueue_in_flight(queue));
	queue->lent = true;
}

void virtqueue_return(struct virtqueue *queue, const struct memory *memory, uint16_t next)
{
	const uint8_t *used = virtqueue_used(queue, memory);
	uint16_t done = used ? load(used + USED_INDEX) : next;

	queue->lent = false;
	queue->next_available = queue->next_used = queue->signalled = done;
	if (!used || (uint16_t)(next - done) > queue->size)
		virtqueue_break(queue, "the used ring is not as the kernel left it");
}

void virtqueue_mark_written(struct memory *memory, const struct virtqueue_chain *chain, uint64_t size)
{
	const struct iovec *buffer = chain->buffer + chain->readable;

	for (uint32_t n = 0; n < chain->writable && size; n++) {
		size_t part = buffer[n].iov_len < size ? buffer[n].iov_len : (size_t)size;

		memory_mark_dirty_at(memory, buffer[n].iov_base, part);
		size -= part;
	}
}

/* ---- State ---- */

void virtqueue_save(const struct virtqueue *queue, struct buffer *state)
{
	assert(!queue->lent);
	buffer_put_u8(state,
		      (uint8_t)((queue->ready ? SAVED_READY : 0) | (queue->broken ? SAVED_BROKEN : 0) |
				(queue->event_index ? SAVED_EVENT_INDEX : 0) | (queue->indirect ? SAVED_INDIRECT : 0)));
	buffer_put_u32(state, queue->size);
	buffer_put_u64(state, queue->descriptors);
	buffer_put_u64(state, queue->driver);
	buffer_put_u64(state, queue->device);
	buffer_put_u32(state, queue->next_available);
	buffer_put_u32(state, queue->next_used);
	buffer_put_u32(state, queue->signalled);
	for (uint32_t n = 0; n < VIRTQUEUE_TAKEN_WORDS; n++)
		buffer_put_u64(state, queue->taken[n]);
}

static uint16_t cursor_index(struct cursor *state)
{
	uint32_t value = cursor_u32(state);

	if (value > UINT16_MAX)
		state->failed = true;
	return (uint16_t)value;
}

/* As many chains as the indices say, none of them beyond the queue. */
static bool taken_is_valid(const struct virtqueue *queue)
{
	uint32_t count = 0;

	for (uint32_t head = 0; head < VIRTQUEUE_SIZE_MAX; head++) {
		bool taken = queue->taken[head / 64] & taken_bit((uint16_t)head);

		if (taken && head >= queue->size)
			return false;
		count += taken;
	}
	return count == virtqueue_in_flight(queue);
}

int virtqueue_load(struct virtqueue *queue, struct cursor *state)
{
	uint8_t flags = cursor_u8(state);

	*queue = (struct virtqueue){
		.ready = flags & SAVED_READY,
		.broken = flags & SAVED_BROKEN ? "it was broken when the machine was saved" : NULL,
		.event_index = flags & SAVED_EVENT_INDEX,
		.indirect = flags & SAVED_INDIRECT,
	};
	queue->size = cursor_index(state);
	queue->descriptors = cursor_u64(state);
	queue->driver = cursor_u64(state);
	queue->device = cursor_u64(state);
	queue->next_available = cursor_index(state);
	queue->next_used = cursor_index(state);
	queue->signalled = cursor_index(state);
	for (uint32_t n = 0; n < VIRTQUEUE_TAKEN_WORDS; n++)
		queue->taken[n] = cursor_u64(state);
	if (state->failed || flags & ~SAVED_ALL || queue->size > VIRTQUEUE_SIZE_MAX || !taken_is_valid(queue) ||
	    (queue->ready && (!size_is_valid(queue->size) || !is_aligned(queue))))
		return -EPROTO;
	return 0;
}
