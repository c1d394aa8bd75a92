/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compressed kernels as tests need them, made by the libraries' own compressors.
 *
 * Policy: the header of zboot is written from its description, zboot-header.S in Linux, and not from the code under
 * test.
 */
#ifndef TEST_UNIT_COMPRESSED_FIXTURE_H
#define TEST_UNIT_COMPRESSED_FIXTURE_H

#include "boot_fixture.h"

#include "base/buffer.h"

#include <stdbool.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define COMPRESSED_HEADER 64u
#define COMPRESSED_BEHIND 4u /* the size when expanded, which zboot has behind its payload */

static inline void compressed_put_gzip(struct buffer *file, const void *plain, size_t size)
{
	gz_header header = { .name = (Bytef *)"Image", .os = 3 };
	size_t before = file->size;
	z_stream stream = { .next_in = (Bytef *)plain, .avail_in = (uInt)size };

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflateSetHeader(&stream, &header), Z_OK);
	stream.avail_out = (uInt)deflateBound(&stream, size);
	stream.next_out = buffer_reserve(file, stream.avail_out);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	file->size = before + stream.total_out;
	deflateEnd(&stream);
}

static inline void compressed_put_zstd(struct buffer *file, const void *plain, size_t size)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t before = file->size, room = ZSTD_compressBound(size), done;
	void *place = buffer_reserve(file, room);

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	done = ZSTD_compress2(context, place, room, plain, size);
	assert_false(ZSTD_isError(done));
	file->size = before + done;
	ZSTD_freeCCtx(context);
}

/* With a name of up to 32 characters for the method, whatever it is. */
static inline void compressed_put_zboot(struct buffer *file, const char *method, bool zstd, const void *plain,
					size_t size)
{
	uint8_t header[COMPRESSED_HEADER] = "MZ\0\0zimg", end[COMPRESSED_BEHIND];
	size_t start = file->size;

	buffer_put(file, header, sizeof(header));
	if (zstd)
		compressed_put_zstd(file, plain, size);
	else
		compressed_put_gzip(file, plain, size);
	fixture_store(file->data + start + 8, 4, COMPRESSED_HEADER);
	fixture_store(file->data + start + 12, 4, file->size - start - COMPRESSED_HEADER);
	memcpy(file->data + start + 24, method, strlen(method));
	fixture_store(end, sizeof(end), size);
	buffer_put(file, end, sizeof(end));
}

#endif
