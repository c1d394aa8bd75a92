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
	return error_set(error, error_of_call(err), "cannot write %s after %llu KiB (%s)", writer->path,
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

static int folder_open(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') + 1 - path), path);
	return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int writer_create(struct snapshot_writer *writer, struct error *error)
{
	writer->fd = mkostemp(writer->temporary, O_CLOEXEC);
	if (writer->fd < 0)
		return error_set(error, errno, "cannot make a file beside %s (%s)", writer->path, strerror(errno));
	writer->folder = folder_open(writer->path);
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

	*writer = (struct snapshot_writer){ .sink = { .put = writer_put }, .fd = -1, .folder = -1 };
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
	if (writer->folder >= 0)
		close(writer->folder);
	ZSTD_freeCCtx(writer->zstd);
	free(writer->out);
	writer->fd = writer->folder = -1;
	writer->zstd = NULL;
	writer->out = NULL;
}

void snapshot_writer_discard(struct snapshot_writer *writer)
{
	unlink(writer->temporary);
	writer_close(writer);
}

int snapshot_writer_finish(struct snapshot_writer *writer, struct error *error)
{
	uint8_t seal[SEAL_SIZE];
	int result = writer_compress(writer, NULL, 0, ZSTD_e_end, error);

	if (!result)
		result = writer_flush(writer, error);
	if (result)
		return result;
	seal_put(seal, writer->checksum);
	result = write_all(writer, seal, sizeof(seal), error);
	if (!result && fsync(writer->fd))
		result = writer_failed(writer, errno, error);
	return result;
}

/* A name that was changed is on the disk once its folder is; one that may not be read, once everything is. */
static int folder_sync(const struct snapshot_writer *writer)
{
	if (writer->folder < 0)
		return syncfs(writer->fd) ? errno : 0;
	/* EINVAL: a file system that has no such thing, and nothing to wait for. */
	return fsync(writer->folder) && errno != EINVAL ? errno : 0;
}

static int writer_exchange(const struct snapshot_writer *writer)
{
	return renameat2(AT_FDCWD, writer->temporary, AT_FDCWD, writer->path, RENAME_EXCHANGE) ? errno : 0;
}

/* For a file system that cannot exchange: the older file, if there is one, gets a name of its own. 0 or an errno. */
static int writer_set_aside(struct snapshot_writer *writer)
{
	int fd, err;

	/* The temporary one is as long, and had room. */
	snprintf(writer->older, sizeof(writer->older), "%.*s" TEMPORARY_SUFFIX,
		 (int)(sizeof(writer->older) - sizeof(TEMPORARY_SUFFIX)), writer->path);
	fd = mkostemp(writer->older, O_CLOEXEC);
	err = fd < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	if (!err && !rename(writer->path, writer->older))
		return 0;
	if (!err) {
		err = errno;
		unlink(writer->older);
	}
	writer->older[0] = '\0';
	return err == ENOENT ? 0 : err;
}

/* What was there before is there again: 0 or an errno. */
static int writer_take_back(const struct snapshot_writer *writer)
{
	return (writer->older[0] ? rename(writer->older, writer->path) : unlink(writer->path)) ? errno : 0;
}

/* Puts the new file in its place, and notes where the older one is: 0 or an errno. */
static int writer_place(struct snapshot_writer *writer)
{
	int err = writer_exchange(writer);

	if (!err) {
		memcpy(writer->older, writer->temporary, sizeof(writer->older));
		return 0;
	}
	err = err == ENOENT ? 0 : writer_set_aside(writer);
	if (!err && rename(writer->temporary, writer->path)) {
		err = errno;
		if (writer->older[0])
			writer_take_back(writer);
	}
	return err;
}

/* The folder could not be synced, for this reason. */
static int writer_withdraw(const struct snapshot_writer *writer, int err, struct error *error)
{
	int kept = writer_take_back(writer);

	if (!kept)
		return writer_failed(writer, err, error);
	/* The paths last, for they may be long. */
	return error_set(error, err,
			 "the save failed (%s) and its guest goes on here, but its file is there and cannot be taken "
			 "back (%s): to restore it would run the guest twice; remove %s%s%s",
			 strerror(err), strerror(kept), writer->path,
			 writer->older[0] ? ", whose older file is now " : "", writer->older);
}

int snapshot_writer_commit(struct snapshot_writer *writer, struct error *error)
{
	int result, err = writer_place(writer);

	if (err) {
		snapshot_writer_discard(writer);
		return writer_failed(writer, err, error);
	}
	err = folder_sync(writer);
	result = err ? writer_withdraw(writer, err, error) : 0;
	if (!err && writer->older[0])
		unlink(writer->older);
	writer_close(writer);
	return result;
}
