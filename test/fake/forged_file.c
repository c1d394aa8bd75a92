/* SPDX-License-Identifier: BSD-2-Clause */
/* Forged save files: see the header. */
#include "forged_file.h"

#include "host_fake.h"
#include "snapshot/seal.h"

#include <stdio.h>
#include <unistd.h>
#include <zstd.h>

void forged_file_store(const char *path, const void *data, size_t size)
{
	FILE *file;

	unlink(path);
	file = fopen(path, "wb");
	if (!file || fwrite(data, 1, size, file) != size || fclose(file))
		fake_violation("a file cannot be written");
}

void forged_file_store_raw(const char *path, const void *data, size_t size)
{
	struct buffer content = { 0 };

	buffer_put(&content, data, size);
	seal_put(buffer_reserve(&content, SEAL_SIZE), seal_checksum(0, data, size));
	forged_file_store(path, content.data, content.size);
	buffer_free(&content);
}

void forged_file_compress(struct buffer *compressed, const void *data, size_t size)
{
	size_t room = ZSTD_compressBound(size);
	size_t used = ZSTD_compress(buffer_reserve(compressed, room), room, data, size, 1);

	if (ZSTD_isError(used))
		fake_violation("zstd does not compress");
	compressed->size -= room - used;
}

void forged_file_store_frames(const char *path, const void *frames, size_t size)
{
	struct buffer compressed = { 0 };

	forged_file_compress(&compressed, frames, size);
	forged_file_store_raw(path, compressed.data, compressed.size);
	buffer_free(&compressed);
}
