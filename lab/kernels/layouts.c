/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints the row of the table of known layouts (repair/known.c) for each kernel's Image file: what the library itself
 * makes of it.
 *
 * Policy: a kernel that cannot have a row is a line on standard error, with the reason, and no failure. A release goes
 * into C and through update, so it has no character that could mean anything there.
 */
#include <seaclock/repair.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX (256u << 20)
#define RELEASE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._~"

/* The whole file; NULL, and a line on standard error, if that is not possible. The caller frees it. */
static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = file ? malloc(IMAGE_MAX + 1) : NULL;
	bool failed = !bytes;

	*size = bytes ? fread(bytes, 1, IMAGE_MAX + 1, file) : 0;
	failed |= file && ferror(file);
	if (failed)
		perror(path);
	else if (!*size || *size > IMAGE_MAX)
		(void)fprintf(stderr, "%s: it is %s\n", path, *size ? "larger than 256 MiB" : "empty");
	if (failed || !*size || *size > IMAGE_MAX) {
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
	else if (kernel.release[strspn(kernel.release, RELEASE_CHARACTERS)])
		(void)fprintf(stderr, "%s has no row: its release has characters that no table takes: %s\n", path,
			      kernel.release);
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
