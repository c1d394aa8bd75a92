/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The room for frames that a driver has given a network device: chains of its receive queue that were taken, in their
 * order.
 *
 * Policy: pure; the chains' buffers are its only door to guest memory. A frame with its header begins at the first
 * chain; whether it may go on in the next one was negotiated (VIRTIO_NET_F_MRG_RXBUF). What no frame has come into can
 * be put back into the queue, the last chain first.
 */
#ifndef VMM_DEV_VIRTIO_NET_ROOM_H
#define VMM_DEV_VIRTIO_NET_ROOM_H

#include "dev/net/uplink.h"
#include "dev/virtio/queue.h"

/* With the header before and the overflow behind them they are one frame's. */
#define NET_ROOM_BUFFERS (UPLINK_BUFFERS_MAX - 2u)

/* Twice as much as there can be: what is in use moves to the beginning once for as many chains, not for each. */
#define NET_ROOM_PLACES_HELD (2u * VIRTQUEUE_SIZE_MAX)
#define NET_ROOM_BUFFERS_HELD (2u * NET_ROOM_BUFFERS)

struct net_place {
	uint16_t head;
	uint16_t buffers;
	uint64_t size;
};

struct net_room {
	bool merges;	/* a frame may take several */
	uint32_t first; /* of `place`, */
	uint32_t places;
	uint32_t first_buffer; /* and of `buffer` */
	uint32_t buffers;
	uint64_t size; /* bytes of all */
	struct net_place place[NET_ROOM_PLACES_HELD];
	struct iovec buffer[NET_ROOM_BUFFERS_HELD];
};

void net_room_clear(struct net_room *room);

/* Whether one more chain can be added, whatever it is. */
bool net_room_is_open(const struct net_room *room);
/* False if the chain can be none for frames. */
bool net_room_add(struct net_room *room, const struct virtqueue_chain *chain);
/* The head of the last chain, which leaves the room; there is one. */
uint16_t net_room_remove_last(struct net_room *room);

/* Bytes that the next frame can have, with its header. */
uint64_t net_room_next(const struct net_room *room);
/* Where its data go, behind its header, as far as the largest frame needs: how many, and in *size how many bytes more.
 */
uint32_t net_room_list(const struct net_room *room, struct iovec list[NET_ROOM_BUFFERS], uint64_t *size);
/* How many chains it takes if it has `size` bytes, which is at most net_room_next(). */
uint32_t net_room_count(const struct net_room *room, uint64_t size);
/* Writes a part of it, from byte `offset` on. */
void net_room_write(const struct net_room *room, uint64_t offset, const void *data, uint64_t size);
/* Marks as written what its first `size` bytes lie in, whatever becomes of it. */
void net_room_mark(const struct net_room *room, struct memory *memory, uint64_t size);
/* It is complete: its chains leave the room. How many, each in *used. */
uint32_t net_room_use(struct net_room *room, uint64_t size, struct virtqueue_used *used);

#endif
