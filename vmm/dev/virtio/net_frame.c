/* SPDX-License-Identifier: BSD-2-Clause */
/* The header of a frame: see the header. */
#include "dev/virtio/net_frame.h"

#include "dev/net/uplink.h"

#include <endian.h>
#include <stddef.h>

#define FEATURE(name) (1ull << VIRTIO_NET_F_##name)

/* Where the checksum is in a header of TCP. */
#define TCP_CHECKSUM 16u
/* Linux gives this size a meaning of its own. */
#define GSO_SIZE_RESERVED 0xffffu

struct rights {
	uint64_t checksum;
	uint64_t tcp4;
	uint64_t tcp6;
};

static const struct rights going = { FEATURE(CSUM), FEATURE(HOST_TSO4), FEATURE(HOST_TSO6) };
static const struct rights coming = { FEATURE(GUEST_CSUM), FEATURE(GUEST_TSO4), FEATURE(GUEST_TSO6) };

/* The checksum and what it is of are in the frame. */
static bool checksum_fits(const struct virtio_net_hdr_v1 *header, uint64_t size)
{
	uint32_t start = le16toh(header->csum_start), offset = le16toh(header->csum_offset);

	return start >= UPLINK_FRAME_MIN && start + offset + 2u <= size;
}

/* Segments of TCP need its checksum. */
static bool segments_fit(const struct virtio_net_hdr_v1 *header)
{
	uint32_t size = le16toh(header->gso_size);

	return size && size != GSO_SIZE_RESERVED && header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM &&
	       le16toh(header->csum_offset) == TCP_CHECKSUM;
}

static bool is_valid(const struct virtio_net_hdr_v1 *header, uint64_t size, uint64_t features,
		     const struct rights *rights)
{
	bool checksum = header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;

	if (size < UPLINK_FRAME_MIN || size > UPLINK_FRAME_MAX || le16toh(header->hdr_len) > size)
		return false;
	if (checksum && (!(features & rights->checksum) || !checksum_fits(header, size)))
		return false;
	switch (header->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return features & rights->tcp4 && segments_fit(header);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return features & rights->tcp6 && segments_fit(header);
	default:
		return false;
	}
}

/* Fields that nothing refers to. */
static void clear_unused(struct virtio_net_hdr_v1 *header, uint8_t flags)
{
	header->flags &= flags;
	header->num_buffers = 0;
	if (header->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		header->gso_size = header->hdr_len = 0;
	if (!(header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		header->csum_start = header->csum_offset = 0;
}

bool net_frame_may_go(struct virtio_net_hdr_v1 *header, uint64_t size, uint64_t features)
{
	if (!is_valid(header, size, features, &going))
		return false;
	clear_unused(header, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	return true;
}

bool net_frame_may_come(struct virtio_net_hdr_v1 *header, uint64_t size, uint64_t features)
{
	uint8_t flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;

	if (!is_valid(header, size, features, &coming))
		return false;
	/* Section 5.1.6.4.1: only for a driver that knows checksums. */
	if (features & coming.checksum)
		flags |= VIRTIO_NET_HDR_F_DATA_VALID;
	clear_unused(header, flags);
	return true;
}
