/* SPDX-License-Identifier: BSD-2-Clause */
/* A file that a machine is saved to: see the header. */
#include "snapshot/writer.h"

#include "snapshot/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The fastest: the guest stands still meanwhile. */
#define COMPRESSION_LEVEL 1
#define TEMPORARY_SUFFIX ".XXXXXX"

static int writer_failed(const struct snapshot_writer *writer, int err, struct error *error)
{
	return error_set(error, err, "cannot write %s after %llu KiB (%s)", writer->path,
			 (unsigned long long)(writer->written >> 10), strerror(err));
}

/* ---- Bytes ---- */

static int write_all(struct snapshot_writer *writer, const uint8_t *data, size_t size, struct error *error)
{
	while (size) {
		ssize_t done = write(writer->fd, data, size);

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

static int writer_flush(struct snapshot_writer *writer, struct error *error)
{
	size_t filled = writer->filled;

	writer->filled = 0;
	writer->checksum = seal_checksum(writer->checksum, writer->out, filled);
	return write_all(writer, writer->out, filled, error);
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

/* ---- Files ---- */

static int writer_check_path(const struct snapshot_writer *writer, struct error *error)
{
	struct stat facts;

	if (!stat(writer->path, &facts) && !S_ISREG(facts.st_mode))
		return error_set(error, EINVAL, "%s is not a file", writer->path);
	return 0;
}

static int writer_create(struct snapshot_writer *writer, struct error *error)
{
	writer->fd = mkostemp(writer->temporary, O_CLOEXEC);
	if (writer->fd < 0)
		return error_set(error, errno, "cannot make a file beside %s (%s)", writer->path, strerror(errno));
	writer->zstd = ZSTD_createCCtx();
	writer->out_size = ZSTD_CStreamOutSize();
	writer->out = malloc(writer->out_size);
	if (writer->zstd && writer->out &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, COMPRESSION_LEVEL)) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1)))
		return 0;
	snapshot_writer_discard(writer);
	return error_set(error, ENOMEM, "no memory to compress %s", writer->path);
}

int snapshot_writer_open(struct snapshot_writer *writer, const char *path, struct error *error)
{
	int result;

	*writer = (struct snapshot_writer){ .sink = { .put = writer_put }, .fd = -1 };
	if (strlen(path) + sizeof(TEMPORARY_SUFFIX) > sizeof(writer->temporary))
		return error_set(error, ENAMETOOLONG, "the path of the file has %zu bytes; at most %zu are possible",
				 strlen(path), sizeof(writer->temporary) - sizeof(TEMPORARY_SUFFIX));
	snprintf(writer->path, sizeof(writer->path), "%s", path);
	snprintf(writer->temporary, sizeof(writer->temporary), "%s" TEMPORARY_SUFFIX, path);
	result = writer_check_path(writer, error);
	return result ? result : writer_create(writer, error);
}

static void writer_close(struct snapshot_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	ZSTD_freeCCtx(writer->zstd);
	free(writer->out);
	writer->fd = -1;
	writer->zstd = NULL;
	writer->out = NULL;
}

void snapshot_writer_discard(struct snapshot_writer *writer)
{
	unlink(writer->temporary);
	writer_close(writer);
}

/* A name that was changed is on the disk once its folder is. */
static int folder_sync(const char *path)
{
	char folder[PATH_MAX];
	int fd, result = 0;

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') + 1 - path), path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* EINVAL: a file system that has no such thing, and nothing to wait for. */
	if (fd < 0 || (fsync(fd) && errno != EINVAL))
		result = errno;
	if (fd >= 0)
		close(fd);
	return result;
}

static int writer_finish(struct snapshot_writer *writer, struct error *error)
{
	uint8_t seal[SEAL_SIZE];
	int result = writer_compress(writer, NULL, 0, ZSTD_e_end, error);

	if (!result)
		result = writer_flush(writer, error);
	if (result)
		return result;
	seal_put(seal, writer->checksum);
	result = write_all(writer, seal, sizeof(seal), error);
	if (!result && (fsync(writer->fd) || rename(writer->temporary, writer->path)))
		result = writer_failed(writer, errno, error);
	return result;
}

int snapshot_writer_commit(struct snapshot_writer *writer, struct error *error)
{
	int result = writer_finish(writer, error), err;

	if (result) {
		snapshot_writer_discard(writer);
		return result;
	}
	err = folder_sync(writer->path);
	if (err) {
		unlink(writer->path);
		result = writer_failed(writer, err, error);
	}
	writer_close(writer);
	return result;
}
