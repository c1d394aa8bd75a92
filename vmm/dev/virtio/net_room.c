/* SPDX-License-Identifier: BSD-2-Clause */
/* The room for frames that a driver has given: see the header. */
#include "dev/virtio/net_room.h"

#include <assert.h>
#include <string.h>

void net_room_clear(struct net_room *room)
{
	room->first = room->places = 0;
	room->first_buffer = room->buffers = 0;
	room->size = 0;
}

bool net_room_is_open(const struct net_room *room)
{
	return room->places < VIRTQUEUE_SIZE_MAX && room->buffers + VIRTQUEUE_CHAIN_MAX <= NET_ROOM_BUFFERS;
}

/* Moves all of it to the beginning, where there may be no room behind it. */
static void room_compact(struct net_room *room)
{
	memmove(room->place, room->place + room->first, room->places * sizeof(room->place[0]));
	memmove(room->buffer, room->buffer + room->first_buffer, room->buffers * sizeof(room->buffer[0]));
	room->first = room->first_buffer = 0;
}

bool net_room_add(struct net_room *room, const struct virtqueue_chain *chain)
{
	if (chain->readable || chain->writable_size < UPLINK_HEADER_SIZE)
		return false;
	if (room->first + room->places == NET_ROOM_PLACES_HELD ||
	    room->first_buffer + room->buffers + chain->writable > NET_ROOM_BUFFERS_HELD)
		room_compact(room);
	room->place[room->first + room->places++] =
		(struct net_place){ chain->head, chain->writable, chain->writable_size };
	memcpy(room->buffer + room->first_buffer + room->buffers, chain->buffer,
	       chain->writable * sizeof(chain->buffer[0]));
	room->buffers += chain->writable;
	room->size += chain->writable_size;
	return true;
}

uint16_t net_room_remove_last(struct net_room *room)
{
	const struct net_place *last = &room->place[room->first + room->places - 1];

	room->places--;
	room->buffers -= last->buffers;
	room->size -= last->size;
	return last->head;
}

/* ---- The next frame ---- */

uint64_t net_room_next(const struct net_room *room)
{
	if (!room->places)
		return 0;
	return room->merges ? room->size : room->place[room->first].size;
}

/* Buffers that it can have, as the room has them. */
static uint32_t next_buffers(const struct net_room *room)
{
	if (!room->places)
		return 0;
	return room->merges ? room->buffers : room->place[room->first].buffers;
}

uint32_t net_room_list(const struct net_room *room, struct iovec list[NET_ROOM_BUFFERS], uint64_t *size)
{
	const struct iovec *buffer = room->buffer + room->first_buffer;
	uint32_t buffers = next_buffers(room), count = 0;
	size_t skip = UPLINK_HEADER_SIZE;
	uint64_t listed = 0;

	for (uint32_t n = 0; n < buffers && listed < UPLINK_FRAME_MAX; n++) {
		size_t part = skip < buffer[n].iov_len ? skip : buffer[n].iov_len;

		skip -= part;
		if (part == buffer[n].iov_len)
			continue;
		list[count] = (struct iovec){ (uint8_t *)buffer[n].iov_base + part, buffer[n].iov_len - part };
		listed += list[count++].iov_len;
	}
	*size += listed;
	return count;
}

uint32_t net_room_count(const struct net_room *room, uint64_t size)
{
	uint32_t count = 0;

	for (uint64_t here = 0; here < size; here += room->place[room->first + count++].size)
		assert(count < room->places);
	return count;
}

void net_room_write(const struct net_room *room, uint64_t offset, const void *data, uint64_t size)
{
	const struct iovec *buffer = room->buffer + room->first_buffer;
	const uint8_t *from = data;

	for (uint32_t n = 0; n < room->buffers && size; n++) {
		uint64_t skip = offset < buffer[n].iov_len ? offset : buffer[n].iov_len;
		uint64_t part = buffer[n].iov_len - skip < size ? buffer[n].iov_len - skip : size;

		memcpy((uint8_t *)buffer[n].iov_base + skip, from, part);
		from += part;
		size -= part;
		offset -= skip;
	}
}

void net_room_mark(const struct net_room *room, struct memory *memory, uint64_t size)
{
	const struct iovec *buffer = room->buffer + room->first_buffer;

	for (uint32_t n = 0; n < room->buffers && size; n++) {
		uint64_t part = size < buffer[n].iov_len ? size : buffer[n].iov_len;

		memory_mark_dirty_at(memory, buffer[n].iov_base, part);
		size -= part;
	}
}

static void room_remove_first(struct net_room *room)
{
	const struct net_place *first = &room->place[room->first];

	room->first_buffer += first->buffers;
	room->buffers -= first->buffers;
	room->size -= first->size;
	room->first++;
	room->places--;
}

uint32_t net_room_use(struct net_room *room, uint64_t size, struct virtqueue_used *used)
{
	uint32_t count = net_room_count(room, size);

	for (uint32_t n = 0; n < count; n++) {
		const struct net_place *place = &room->place[room->first];
		uint64_t part = size < place->size ? size : place->size;

		used[n] = (struct virtqueue_used){ place->head, (uint32_t)part };
		room_remove_first(room);
		size -= part;
	}
	return count;
}
