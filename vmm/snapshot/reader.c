/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that a machine was saved to: see the header. */
#include "snapshot/reader.h"

#include "base/file.h"
#include "base/signals.h"
#include "snapshot/seal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int reader_failed(const struct snapshot_reader *reader, int err, struct error *error)
{
	return error_set(error, error_of_call(err), "cannot read %s (%s)", reader->path, strerror(err));
}

static int reader_damaged(const struct snapshot_reader *reader, const char *why, struct error *error)
{
	return error_set(error, EPROTO, "%s cannot be restored: %s", reader->path, why);
}

/* ---- The file ---- */

/* Reads exactly so much. */
static int read_all(struct snapshot_reader *reader, uint8_t *place, size_t size, struct error *error)
{
	while (size) {
		ssize_t done = read(reader->fd, place, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done ? reader_failed(reader, errno, error)
				    : reader_damaged(reader, "it became shorter while it was read", error);
		place += done;
		size -= (size_t)done;
	}
	return 0;
}

/* The next piece of what is compressed. */
static int reader_fill(struct snapshot_reader *reader, struct error *error)
{
	size_t room = ZSTD_DStreamInSize();
	size_t size = reader->left < room ? (size_t)reader->left : room;
	int result = signals_check(error);

	if (result)
		return result;
	reader->left -= size;
	reader->input = (ZSTD_inBuffer){ .src = reader->in, .size = size };
	return read_all(reader, reader->in, size, error);
}

static int reader_check_seal(struct snapshot_reader *reader, struct error *error)
{
	uint8_t seal[SEAL_SIZE];
	uint64_t checksum = 0;
	int result = 0;

	while (!result && reader->left) {
		result = reader_fill(reader, error);
		checksum = seal_checksum(checksum, reader->in, reader->input.size);
	}
	if (!result)
		result = read_all(reader, seal, sizeof(seal), error);
	return result ? result : seal_check(seal, checksum, reader->path, error);
}

static int reader_measure(struct snapshot_reader *reader, struct error *error)
{
	struct stat facts;

	if (fstat(reader->fd, &facts))
		return reader_failed(reader, errno, error);
	if (facts.st_size <= (off_t)SEAL_SIZE)
		return error_set(error, EPROTO, "%s is no saved machine: it has %lld bytes", reader->path,
				 (long long)facts.st_size);
	reader->left = (uint64_t)facts.st_size - SEAL_SIZE;
	return 0;
}

static int reader_begin(struct snapshot_reader *reader, struct error *error)
{
	int result = reader_measure(reader, error);

	if (!result)
		result = reader_check_seal(reader, error);
	if (!result)
		result = reader_measure(reader, error);
	if (!result && lseek(reader->fd, 0, SEEK_SET) < 0)
		result = reader_failed(reader, errno, error);
	reader->input = (ZSTD_inBuffer){ .src = reader->in };
	return result;
}

int snapshot_reader_open(struct snapshot_reader *reader, const char *path, struct error *error)
{
	int result;

	*reader = (struct snapshot_reader){ .path = path };
	reader->fd = file_open(path, error);
	if (reader->fd < 0)
		return reader->fd;
	reader->zstd = ZSTD_createDCtx();
	reader->in = malloc(ZSTD_DStreamInSize());
	if (reader->zstd && reader->in)
		result = reader_begin(reader, error);
	else
		result = error_set(error, ENOMEM, "no memory to decompress %s", path);
	if (result)
		snapshot_reader_close(reader);
	return result;
}

void snapshot_reader_close(struct snapshot_reader *reader)
{
	close(reader->fd);
	ZSTD_freeDCtx(reader->zstd);
	free(reader->in);
	buffer_free(&reader->frame);
}

/* ---- Frames ---- */

/* Decompresses at most `room` bytes; *got is their number, 0 at the end. */
static int reader_decompress(struct snapshot_reader *reader, uint8_t *place, size_t room, size_t *got,
			     struct error *error)
{
	ZSTD_outBuffer out = { .dst = place, .size = room };

	while (!out.pos && !reader->ended) {
		bool empty = reader->input.pos == reader->input.size;
		int result = empty && reader->left ? reader_fill(reader, error) : 0;
		size_t want;

		if (result)
			return result;
		want = ZSTD_decompressStream(reader->zstd, &out, &reader->input);
		if (ZSTD_isError(want))
			return reader_damaged(reader, ZSTD_getErrorName(want), error);
		reader->ended = !want;
		if (want && !out.pos && !reader->left && reader->input.pos == reader->input.size)
			return reader_damaged(reader, "it ends within what is compressed", error);
	}
	*got = out.pos;
	return 0;
}

static int reader_take(struct snapshot_reader *reader, uint8_t *place, size_t size, struct error *error)
{
	while (size) {
		size_t got;
		int result = reader_decompress(reader, place, size, &got, error);

		if (result)
			return result;
		if (!got)
			return reader_damaged(reader, "it ends before the machine does", error);
		place += got;
		size -= got;
	}
	return 0;
}

static int reader_check_end(struct snapshot_reader *reader, struct error *error)
{
	uint8_t byte;
	size_t got;
	int result = reader_decompress(reader, &byte, sizeof(byte), &got, error);

	if (!result && (got || reader->left || reader->input.pos < reader->input.size))
		return reader_damaged(reader, "something follows the machine's end", error);
	return result;
}

static int reader_content(struct snapshot_reader *reader, struct frame *frame, uint32_t size, struct error *error)
{
	uint8_t *place;
	int result;

	buffer_clear(&reader->frame);
	place = buffer_reserve(&reader->frame, size);
	if (buffer_failed(&reader->frame))
		return error_set(error, ENOMEM, "no memory for a frame of %u bytes", size);
	frame->data = place;
	frame->size = size;
	result = reader_take(reader, place, size, error);
	return result || frame->type != FRAME_DONE ? result : reader_check_end(reader, error);
}

int snapshot_reader_next(struct snapshot_reader *reader, struct frame *frame, struct error *error)
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct error reason;
	uint32_t size;
	int result = signals_check(error);

	if (!result)
		result = reader_take(reader, header, sizeof(header), error);
	if (result)
		return result;
	if (frame_get_header(header, &frame->type, &size, &reason))
		return reader_damaged(reader, reason.text, error);
	return reader_content(reader, frame, size, error);
}
