/* SPDX-License-Identifier: BSD-2-Clause */
/* A request of a block device's driver: see the header. */
#include "dev/virtio/block_request.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

_Static_assert(sizeof(struct virtio_blk_outhdr) == 16, "as in the specification");
_Static_assert(sizeof(struct virtio_blk_discard_write_zeroes) == 16, "as in the specification");

/* What the driver is told was written fits into 32 bits, with the status. */
#define LENGTH_MAX (UINT32_MAX - 1u)

/* ---- Pieces of a chain ---- */

/* Buffers one behind the other, as one run of bytes. */
struct run {
	const struct iovec *buffer;
	uint32_t buffers;
	uint64_t size;
};

static struct run run_readable(const struct virtqueue_chain *chain)
{
	return (struct run){ chain->buffer, chain->readable, chain->readable_size };
}

static struct run run_writable(const struct virtqueue_chain *chain)
{
	return (struct run){ chain->buffer + chain->readable, chain->writable, chain->writable_size };
}

/* The `size` bytes from `skip` on, which are inside, as at most `room` pieces: how many, 0 if they are more. */
static uint32_t run_cut(const struct run *run, uint64_t skip, uint64_t size, struct iovec *piece, uint32_t room)
{
	uint32_t pieces = 0;

	for (uint32_t n = 0; n < run->buffers && size; n++) {
		uint64_t left = run->buffer[n].iov_len;

		if (skip >= left) {
			skip -= left;
			continue;
		}
		if (pieces == room)
			return 0;
		left = left - skip < size ? left - skip : size;
		piece[pieces++] = (struct iovec){ (uint8_t *)run->buffer[n].iov_base + skip, left };
		size -= left;
		skip = 0;
	}
	return pieces;
}

/* Copies up to a header's or a segment's size out of it; false if it is not all there. */
static bool run_read(const struct run *run, uint64_t skip, void *data, size_t size)
{
	struct iovec piece[sizeof(struct virtio_blk_outhdr)];
	uint8_t *to = data;
	uint32_t pieces;

	if (run->size < skip || run->size - skip < size)
		return false;
	pieces = run_cut(run, skip, size, piece, sizeof(struct virtio_blk_outhdr));
	for (uint32_t n = 0; n < pieces; n++) {
		memcpy(to, piece[n].iov_base, piece[n].iov_len);
		to += piece[n].iov_len;
	}
	return true;
}

/* ---- What it asks for ---- */

static enum block_verdict answer(uint8_t *status, uint8_t value)
{
	*status = value;
	return BLOCK_ANSWER;
}

static bool is_inside(const struct block_facts *facts, uint64_t sector, uint64_t sectors)
{
	return sector <= facts->sectors && sectors <= facts->sectors - sector;
}

/* The run has the data from `skip` on, `size` bytes: false if no request can be like this. */
static bool data_take(struct block_request *request, const struct block_facts *facts, uint64_t sector,
		      const struct run *run, uint64_t skip, uint64_t size)
{
	if (!size || size % DISK_SECTOR_SIZE || size > LENGTH_MAX || !is_inside(facts, sector, size / DISK_SECTOR_SIZE))
		return false;
	request->disk.buffers = run_cut(run, skip, size, request->data, BLOCK_SEGMENTS_MAX);
	request->disk.buffer = request->data;
	request->disk.offset = sector * DISK_SECTOR_SIZE;
	request->disk.length = size;
	return request->disk.buffers;
}

static enum block_verdict parse_read(struct block_request *request, const struct virtqueue_chain *chain,
				     const struct block_facts *facts, uint64_t sector, uint8_t *status)
{
	struct run run = run_writable(chain);
	uint64_t size = run.size - 1;

	if (!data_take(request, facts, sector, &run, 0, size))
		return answer(status, VIRTIO_BLK_S_IOERR);
	request->disk.operation = DISK_READ;
	request->success = (uint32_t)size + 1;
	memcpy(request->place, request->data, request->disk.buffers * sizeof(request->data[0]));
	request->place[request->disk.buffers] = (struct iovec){ request->status, 1 };
	request->places = request->disk.buffers + 1;
	return BLOCK_SUBMIT;
}

static enum block_verdict parse_write(struct block_request *request, const struct virtqueue_chain *chain,
				      const struct block_facts *facts, uint64_t sector, uint8_t *status)
{
	struct run run = run_readable(chain);
	uint64_t skip = sizeof(struct virtio_blk_outhdr);

	if (facts->readonly || !data_take(request, facts, sector, &run, skip, run.size - skip))
		return answer(status, VIRTIO_BLK_S_IOERR);
	request->disk.operation = DISK_WRITE;
	return BLOCK_SUBMIT;
}

/* DISCARD and WRITE_ZEROES: one segment that says where. */
static enum block_verdict parse_erase(struct block_request *request, const struct virtqueue_chain *chain,
				      const struct block_facts *facts, enum disk_operation operation, uint8_t *status)
{
	uint32_t known = operation == DISK_WRITE_ZEROES ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;
	struct virtio_blk_discard_write_zeroes segment = { .flags = 0 };
	struct run run = run_readable(chain);
	uint64_t sector;
	uint32_t sectors, flags;

	if (!run_read(&run, sizeof(struct virtio_blk_outhdr), &segment, sizeof(segment)) ||
	    run.size != sizeof(struct virtio_blk_outhdr) + sizeof(segment))
		return answer(status, VIRTIO_BLK_S_IOERR);
	sector = le64toh(segment.sector);
	sectors = le32toh(segment.num_sectors);
	flags = le32toh(segment.flags);
	if (flags & ~known)
		return answer(status, VIRTIO_BLK_S_UNSUPP);
	if (facts->readonly || !sectors || sectors > BLOCK_ERASE_SECTORS_MAX || !is_inside(facts, sector, sectors))
		return answer(status, VIRTIO_BLK_S_IOERR);
	request->disk.operation = operation;
	request->disk.unmap = flags;
	request->disk.offset = sector * DISK_SECTOR_SIZE;
	request->disk.length = (uint64_t)sectors * DISK_SECTOR_SIZE;
	return BLOCK_SUBMIT;
}

/* The serial number, as much of it as there is room for. */
static enum block_verdict parse_id(struct block_request *request, const struct virtqueue_chain *chain,
				   const struct block_facts *facts, uint8_t *status)
{
	struct run run = run_writable(chain);
	uint64_t room = run.size - 1, size = room < VIRTIO_BLK_ID_BYTES ? room : VIRTIO_BLK_ID_BYTES;
	const char *id = facts->id;

	request->places = run_cut(&run, 0, size, request->place, BLOCK_SEGMENTS_MAX);
	for (uint32_t n = 0; n < request->places; n++) {
		memcpy(request->place[n].iov_base, id, request->place[n].iov_len);
		id += request->place[n].iov_len;
	}
	request->place[request->places++] = (struct iovec){ request->status, 1 };
	request->success = (uint32_t)(size == room ? size + 1 : size);
	return answer(status, VIRTIO_BLK_S_OK);
}

static enum block_verdict parse_type(struct block_request *request, const struct virtqueue_chain *chain,
				     const struct block_facts *facts, const struct virtio_blk_outhdr *header,
				     uint8_t *status)
{
	uint64_t sector = le64toh(header->sector);

	switch (le32toh(header->type)) {
	case VIRTIO_BLK_T_IN:
		return parse_read(request, chain, facts, sector, status);
	case VIRTIO_BLK_T_OUT:
		return parse_write(request, chain, facts, sector, status);
	case VIRTIO_BLK_T_FLUSH:
		request->disk.operation = DISK_FLUSH;
		return BLOCK_SUBMIT;
	case VIRTIO_BLK_T_GET_ID:
		return parse_id(request, chain, facts, status);
	case VIRTIO_BLK_T_DISCARD:
		if (facts->features & 1ull << VIRTIO_BLK_F_DISCARD)
			return parse_erase(request, chain, facts, DISK_DISCARD, status);
		break;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		if (facts->features & 1ull << VIRTIO_BLK_F_WRITE_ZEROES)
			return parse_erase(request, chain, facts, DISK_WRITE_ZEROES, status);
		break;
	default:
		break;
	}
	return answer(status, VIRTIO_BLK_S_UNSUPP);
}

enum block_verdict block_request_parse(struct block_request *request, const struct virtqueue_chain *chain,
				       const struct block_facts *facts, uint8_t *status)
{
	struct run readable = run_readable(chain), writable = run_writable(chain);
	struct virtio_blk_outhdr header = { .type = 0 };

	if (!run_cut(&writable, writable.size - 1, 1, request->place, 1))
		return BLOCK_BROKEN;
	request->head = chain->head;
	request->write_through = !(facts->features & 1ull << VIRTIO_BLK_F_FLUSH);
	request->left = false;
	request->status = request->place[0].iov_base;
	request->places = 1;
	/* Never more than what was written from the first byte on; the status is the last one. */
	request->failure = writable.size == 1;
	request->success = request->failure;
	request->disk = (struct disk_request){ .operation = DISK_READ };
	if (!run_read(&readable, 0, &header, sizeof(header)))
		return answer(status, VIRTIO_BLK_S_IOERR);
	return parse_type(request, chain, facts, &header, status);
}

/* ---- What came of it ---- */

uint8_t block_request_status(int result)
{
	if (result == -EOPNOTSUPP || result == -ENOSYS)
		return VIRTIO_BLK_S_UNSUPP;
	return result ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
}

uint32_t block_request_answer(const struct block_request *request, uint8_t status)
{
	*request->status = status;
	return status == VIRTIO_BLK_S_OK ? request->success : request->failure;
}
