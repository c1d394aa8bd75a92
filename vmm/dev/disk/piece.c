/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of a request: see the header. */
#include "dev/disk/piece.h"

#include <string.h>

/* Where byte `finished` of the request lies: *left bytes of the first buffer are from there on. */
static const struct iovec *buffer_find(const struct disk_request *request, uint8_t **place, size_t *left)
{
	const struct iovec *buffer = request->buffer;
	uint64_t skip = request->finished;

	while (skip >= buffer->iov_len) {
		skip -= buffer->iov_len;
		buffer++;
	}
	*place = (uint8_t *)buffer->iov_base + skip;
	*left = buffer->iov_len - skip;
	return buffer;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How much lies in one place from there on. */
static uint64_t place_length(const struct disk_request *request, uint8_t **place)
{
	const struct iovec *end = request->buffer + request->buffers;
	size_t length;
	const struct iovec *buffer = buffer_find(request, place, &length);

	for (buffer++; buffer < end && buffer->iov_base == *place + length; buffer++)
		length += buffer->iov_len;
	return length;
}

struct piece piece_next(const struct disk_request *request, uint32_t max)
{
	uint64_t left = request->length - request->finished, together;
	struct piece piece = { .offset = request->offset + request->finished };
	uint8_t *place;

	if (request->operation != DISK_READ && request->operation != DISK_WRITE) {
		piece.length = (uint32_t)lesser(left, PIECE_RANGE_MAX);
		return piece;
	}
	together = lesser(place_length(request, &place), left);
	if (together == left || together >= PIECE_WORTHWHILE) {
		piece.place = place;
		piece.length = (uint32_t)lesser(lesser(together, PIECE_PLACE_MAX), max);
		piece.length -= piece.length % DISK_SECTOR_SIZE;
		return piece;
	}
	piece.length = (uint32_t)lesser(lesser(left, PIECE_COPY_MAX), max);
	return piece;
}

/* Goes through the buffers of a piece; to or from the copy. */
static void piece_copy(const struct disk_request *request, uint8_t *to, const uint8_t *from, uint32_t length)
{
	uint8_t *place;
	size_t left;
	const struct iovec *buffer = buffer_find(request, &place, &left);

	while (length) {
		size_t size = lesser(left, length);

		if (to) {
			memcpy(to, place, size);
			to += size;
		} else {
			memcpy(place, from, size);
			from += size;
		}
		length -= (uint32_t)size;
		if (!length)
			break;
		buffer++;
		place = buffer->iov_base;
		left = buffer->iov_len;
	}
}

void piece_gather(const struct disk_request *request, void *copy, uint32_t length)
{
	piece_copy(request, copy, NULL, length);
}

void piece_scatter(const struct disk_request *request, const void *copy, uint32_t length)
{
	piece_copy(request, NULL, copy, length);
}
