/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that a machine is saved to: see the header. */
#include "snapshot/writer.h"

#include "snapshot/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fastest: the guest stands still meanwhile. */
#define COMPRESSION_LEVEL 1

/* So much goes to the disk at once: the last of it must not take long, for the client waits without a word. */
#define SYNC_BYTES (64u << 20)

static int writer_failed(const struct snapshot_writer *writer, int err, struct error *error)
{
	return error_set(error, error_of_call(err), "cannot write %s after %llu KiB (%s)", writer->path,
			 (unsigned long long)(writer->written >> 10), strerror(err));
}

/* ---- Bytes ---- */

static int write_all(struct snapshot_writer *writer, const uint8_t *data, size_t size, struct error *error)
{
	while (size) {
		ssize_t done = pwrite(writer->fd, data, size, (off_t)writer->written);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return writer_failed(writer, errno, error);
		data += done;
		size -= (size_t)done;
		writer->written += (size_t)done;
	}
	return 0;
}

static int writer_sync(struct snapshot_writer *writer, struct error *error)
{
	writer->synced = writer->written;
	return fsync(writer->fd) ? writer_failed(writer, errno, error) : 0;
}

static int writer_flush(struct snapshot_writer *writer, struct error *error)
{
	size_t filled = writer->filled;
	int result;

	writer->filled = 0;
	writer->checksum = seal_checksum(writer->checksum, writer->out, filled);
	result = write_all(writer, writer->out, filled, error);
	if (!result && writer->written - writer->synced >= SYNC_BYTES)
		result = writer_sync(writer, error);
	return result;
}

/* Compresses; with ZSTD_e_end to the end of zstd's frame. */
static int writer_compress(struct snapshot_writer *writer, const void *data, size_t size, ZSTD_EndDirective mode,
			   struct error *error)
{
	ZSTD_inBuffer in = { .src = data, .size = size };
	size_t left;

	do {
		ZSTD_outBuffer out = { .dst = writer->out, .size = writer->out_size, .pos = writer->filled };

		left = ZSTD_compressStream2(writer->zstd, &out, &in, mode);
		if (ZSTD_isError(left))
			return error_set(error, ENOMEM, "cannot compress %s (%s)", writer->path,
					 ZSTD_getErrorName(left));
		writer->filled = out.pos;
		if (writer->filled == writer->out_size) {
			int result = writer_flush(writer, error);

			if (result)
				return result;
		}
	} while (in.pos < in.size || (mode == ZSTD_e_end && left));
	return 0;
}

static int writer_put(struct sink *sink, enum frame_type type, const void *head, size_t head_size, const void *data,
		      size_t size, struct error *error)
{
	struct snapshot_writer *writer = (struct snapshot_writer *)sink;
	uint8_t header[FRAME_HEADER_SIZE];
	int result;

	frame_put_header(header, type, (uint32_t)(head_size + size));
	result = writer_compress(writer, header, sizeof(header), ZSTD_e_continue, error);
	if (!result)
		result = writer_compress(writer, head, head_size, ZSTD_e_continue, error);
	if (!result)
		result = writer_compress(writer, data, size, ZSTD_e_continue, error);
	sink->sent += sizeof(header) + head_size + size;
	return result;
}

/* ---- The file ---- */

static int file_check(int fd, const char *path, struct error *error)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat facts;

	if (fstat(fd, &facts) || !S_ISREG(facts.st_mode) || facts.st_size)
		return error_set(error, EINVAL, "the descriptor that goes with %s is of no new and empty file", path);
	/* With O_APPEND Linux does not heed where a write is to go. */
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || flags & (O_APPEND | O_PATH))
		return error_set(error, EINVAL, "the descriptor that goes with %s is not open for writing anywhere",
				 path);
	return 0;
}

int snapshot_writer_open(struct snapshot_writer *writer, int fd, const char *path, struct error *error)
{
	int result = file_check(fd, path, error);

	*writer = (struct snapshot_writer){ .sink = { .put = writer_put }, .path = path, .fd = fd };
	if (result)
		return result;
	writer->zstd = ZSTD_createCCtx();
	writer->out_size = ZSTD_CStreamOutSize();
	writer->out = malloc(writer->out_size);
	if (writer->zstd && writer->out &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1)))
		return 0;
	snapshot_writer_close(writer);
	return error_set(error, ENOMEM, "no memory to compress %s", path);
}

void snapshot_writer_close(struct snapshot_writer *writer)
{
	ZSTD_freeCCtx(writer->zstd);
	free(writer->out);
	writer->zstd = NULL;
	writer->out = NULL;
}

/* Writes what stands where the seal belongs, and waits for the disk. */
static int writer_end(struct snapshot_writer *writer, const uint8_t seal[SEAL_SIZE], struct error *error)
{
	uint64_t place = writer->written;
	int result = write_all(writer, seal, SEAL_SIZE, error);

	if (!result)
		result = writer_sync(writer, error);
	writer->written = place;
	return result;
}

static const uint8_t unsealed[SEAL_SIZE];

int snapshot_writer_finish(struct snapshot_writer *writer, struct error *error)
{
	int result = writer_compress(writer, NULL, 0, ZSTD_e_end, error);

	if (!result)
		result = writer_flush(writer, error);
	/* There is room for the seal from here on. */
	return result ? result : writer_end(writer, unsealed, error);
}

int snapshot_writer_seal(struct snapshot_writer *writer, struct error *error)
{
	uint8_t seal[SEAL_SIZE];
	struct error reason;
	int result;

	seal_put(seal, writer->checksum);
	result = writer_end(writer, seal, error);
	if (!result) {
		writer->written += SEAL_SIZE;
		return 0;
	}
	if (!writer_end(writer, unsealed, &reason) || (!ftruncate(writer->fd, 0) && !fsync(writer->fd)))
		return result;
	reason = *error;
	return error_set(
		error, -result,
		"the save failed (%.300s) and its guest goes on here, but its file may be whole: to restore it "
		"would run the guest twice; remove %s",
		reason.text, writer->path);
}
