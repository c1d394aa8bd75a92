/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints the row of the table of known layouts (repair/known.c) for each kernel's Image file: what the library itself
 * makes of it.
 *
 * Policy: a kernel that cannot have a row is a line on standard error, with the reason, and no failure.
 */
#include <seaclock/repair.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define IMAGE_MAX (256u << 20)

/* The whole file; NULL, and a line on standard error, if that is not possible. The caller frees it. */
static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(IMAGE_MAX);

	*size = file && bytes ? fread(bytes, 1, IMAGE_MAX, file) : 0;
	if (!*size) {
		perror(path);
		free(bytes);
		bytes = NULL;
	}
	if (file)
		(void)fclose(file);
	return bytes;
}

static void print_row(const void *image, size_t size, struct sc_arena *arena, const char *path)
{
	struct sc_kernel kernel;
	struct sc_refusal why;

	if (sc_kernel_of_image(image, size, arena, &kernel, &why) && !kernel.layout.series.major)
		(void)fprintf(stderr, "%s has no row: %s\n", path, why.text);
	else
		printf("\t{ { %" PRIu32 ", %" PRIu32 " }, 0x%016" PRIx64 ", \"%s\" },\n", kernel.layout.series.major,
		       kernel.layout.series.minor, kernel.layout.fingerprint, kernel.release);
}

int main(int argc, char **argv)
{
	struct sc_arena arena = { .memory = malloc(SC_REPAIR_ARENA_SIZE), .size = SC_REPAIR_ARENA_SIZE };
	bool failed = !arena.memory;

	for (int i = 1; arena.memory && i < argc; i++) {
		size_t size;
		uint8_t *image = read_file(argv[i], &size);

		arena.used = 0;
		if (image)
			print_row(image, size, &arena, argv[i]);
		failed |= !image;
		free(image);
	}
	free(arena.memory);
	return failed;
}
