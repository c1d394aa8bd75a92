/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernels that come compressed: see the header. */
#include "boot/expand.h"

#include "base/signals.h"
#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Between two pieces it is seen that an order to end has come. */
#define PIECE ((size_t)1 << 20)

#define GZIP_WINDOW (15 + 16) /* the largest one, and a header of gzip */

/* Up to here a header of zboot has the method's name. */
#define ZBOOT_NAME_SIZE 32

struct stream {
	const uint8_t *in;
	size_t in_size; /* bytes not yet taken */
	uint8_t *out;
	size_t out_size;   /* bytes of room left */
	bool ended;	   /* the last step took the end of a member or frame */
	const char *fault; /* why the last step failed, in the library's words */
	z_stream gzip;
	ZSTD_DCtx *zstd;
};

struct method {
	const char *magic;
	size_t magic_size;
	const char *names[2]; /* in a header of zboot */
	bool (*open)(struct stream *stream);
	/* Takes and puts as much as it can; -EINVAL and the fault, -ENOMEM. */
	int (*step)(struct stream *stream);
	void (*close)(struct stream *stream);
};

/* ---- The methods ---- */

static bool gzip_open(struct stream *stream)
{
	return inflateInit2(&stream->gzip, GZIP_WINDOW) == Z_OK;
}

static int gzip_step(struct stream *stream)
{
	z_stream *gzip = &stream->gzip;
	uInt size = stream->in_size < PIECE ? (uInt)stream->in_size : (uInt)PIECE;
	int result;

	gzip->next_in = (Bytef *)stream->in;
	gzip->avail_in = size;
	gzip->next_out = stream->out;
	gzip->avail_out = (uInt)stream->out_size;
	result = inflate(gzip, Z_NO_FLUSH);
	stream->in += size - gzip->avail_in;
	stream->in_size -= size - gzip->avail_in;
	stream->out_size = gzip->avail_out;
	stream->ended = result == Z_STREAM_END;
	stream->fault = gzip->msg ? gzip->msg : "no reason is known";
	if (stream->ended)
		result = inflateReset(gzip);
	if (result == Z_MEM_ERROR)
		return -ENOMEM;
	/* Z_BUF_ERROR: there is nothing left to take. */
	return result == Z_OK || result == Z_BUF_ERROR ? 0 : -EINVAL;
}

static void gzip_close(struct stream *stream)
{
	inflateEnd(&stream->gzip);
}

static bool zstd_open(struct stream *stream)
{
	stream->zstd = ZSTD_createDCtx();
	return stream->zstd;
}

static int zstd_step(struct stream *stream)
{
	ZSTD_inBuffer in = { .src = stream->in, .size = stream->in_size };
	ZSTD_outBuffer out = { .dst = stream->out, .size = stream->out_size };
	size_t want = ZSTD_decompressStream(stream->zstd, &out, &in);

	stream->in += in.pos;
	stream->in_size -= in.pos;
	stream->out_size -= out.pos;
	stream->ended = !want;
	if (!ZSTD_isError(want))
		return 0;
	stream->fault = ZSTD_getErrorName(want);
	return ZSTD_getErrorCode(want) == ZSTD_error_memory_allocation ? -ENOMEM : -EINVAL;
}

static void zstd_close(struct stream *stream)
{
	ZSTD_freeDCtx(stream->zstd);
}

static const struct method methods[] = {
	{ "\x1f\x8b", 2, { "gzip", NULL }, gzip_open, gzip_step, gzip_close },
	/* The second name is that of older kernels. */
	{ "\x28\xb5\x2f\xfd", 4, { "zstd", "zstd22" }, zstd_open, zstd_step, zstd_close },
};

#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* ---- Which one it is ---- */

static bool stream_begins(const struct stream *stream, const void *bytes, size_t size)
{
	return stream->in_size >= size && memcmp(stream->in, bytes, size) == 0;
}

static const struct method *method_by_magic(const struct stream *stream)
{
	for (size_t i = 0; i < METHODS; i++) {
		if (stream_begins(stream, methods[i].magic, methods[i].magic_size))
			return &methods[i];
	}
	return NULL;
}

static const struct method *method_by_name(const char *name)
{
	for (size_t i = 0; i < METHODS; i++) {
		const char *const *names = methods[i].names;

		if (!strcmp(name, names[0]) || (names[1] && !strcmp(name, names[1])))
			return &methods[i];
	}
	return NULL;
}

/* The stream becomes the part of the file that is compressed. */
static int zboot_find(struct stream *stream, const struct method **method, struct error *error)
{
	struct cursor header = cursor_make(stream->in, stream->in_size);
	char name[ZBOOT_NAME_SIZE + 1] = "";
	const void *name_place;
	uint64_t start, size, end;

	cursor_take(&header, 8);
	start = cursor_u32(&header);
	size = cursor_u32(&header);
	cursor_take(&header, 8);
	name_place = cursor_take(&header, ZBOOT_NAME_SIZE);
	end = start + size;
	if (!name_place || end > stream->in_size)
		return error_set(
			error, EINVAL,
			"the kernel file is cut off: the payload of its EFI image (zboot) ends at byte %" PRIu64
			", the file at %zu; copy it again",
			end, stream->in_size);
	memcpy(name, name_place, ZBOOT_NAME_SIZE);
	*method = method_by_name(name);
	if (!*method)
		return error_set(error, EINVAL,
				 "the kernel is an EFI image (zboot) compressed by %s: give one by gzip or zstd, or "
				 "unpack it first",
				 name[0] && text_is_plain(name) ? name : "no known method");
	stream->in += start;
	stream->in_size = size;
	return 0;
}

/* No method: the file is not compressed. */
static int method_find(struct stream *stream, const struct method **method, struct error *error)
{
	if (stream_begins(stream, "MZ\0\0zimg", 8))
		return zboot_find(stream, method, error);
	*method = method_by_magic(stream);
	return 0;
}

/* ---- All of it ---- */

/* What a step has done, or has left undone. */
static int step_judge(const struct method *method, const struct stream *stream, int result, struct error *error)
{
	const char *name = method->names[0];

	if (result == -ENOMEM)
		return error_set(error, ENOMEM, "no memory to expand the kernel (%s)", name);
	if (result)
		return error_set(error, EINVAL, "the kernel is damaged (%s: %s): copy it again", name, stream->fault);
	if (stream->ended && stream->in_size && !stream_begins(stream, method->magic, method->magic_size))
		return error_set(error, EINVAL,
				 "the kernel is damaged (%s): %zu bytes follow its end; give a file without them", name,
				 stream->in_size);
	if (!stream->ended && !stream->in_size && stream->out_size)
		return error_set(error, EINVAL, "the kernel is cut off (%s): its file ends too early; copy it again",
				 name);
	return 0;
}

static int expand_piece(const struct method *method, struct stream *stream, size_t limit, struct buffer *image,
			struct error *error)
{
	size_t left = limit - image->size;
	size_t room = left < PIECE ? left : PIECE;
	int result = signals_check(error);

	if (result)
		return result;
	stream->out = buffer_reserve(image, room);
	if (!stream->out)
		return step_judge(method, stream, -ENOMEM, error);
	stream->out_size = room;
	result = method->step(stream);
	image->size -= stream->out_size;
	if (image->size == limit)
		return error_set(error, EFBIG, "the kernel expands to %zu bytes or more: give a smaller one", limit);
	return step_judge(method, stream, result, error);
}

static int expand_all(const struct method *method, struct stream *stream, size_t limit, struct buffer *image,
		      struct error *error)
{
	int result = 0;

	if (!method->open(stream))
		return step_judge(method, stream, -ENOMEM, error);
	while (!result && !(stream->ended && !stream->in_size))
		result = expand_piece(method, stream, limit, image, error);
	method->close(stream);
	if (result)
		buffer_free(image);
	return result;
}

int expand_kernel(const void *file, size_t size, size_t limit, struct buffer *image, struct error *error)
{
	struct stream stream = { .in = file, .in_size = size };
	const struct method *method = NULL;
	int result = method_find(&stream, &method, error);

	return result || !method ? result : expand_all(method, &stream, limit, image, error);
}
