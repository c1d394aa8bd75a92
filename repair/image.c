/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel's Image file: its release and its types, found by what they begin with.
 *
 * Policy: a file has no symbols that would say where they are, so exactly one must look right.
 */
#include "layout.h"
#include "refusal.h"
#include "series.h"

#include <string.h>

static const char banner[] = "Linux version ";

/* The next place from *at on that begins so; false at the end. */
static bool find_bytes(const uint8_t *image, size_t size, const void *bytes, size_t count, size_t *at)
{
	for (; size >= count && *at <= size - count; (*at)++)
		if (image[*at] == ((const uint8_t *)bytes)[0] && !memcmp(image + *at, bytes, count))
			return true;
	return false;
}

/* The release in the banner, which format strings of it do not have. */
static int find_release(const uint8_t *image, size_t size, struct sc_kernel *kernel, struct sc_series *series,
			struct sc_refusal *why)
{
	for (size_t at = 0; find_bytes(image, size, banner, sizeof(banner) - 1, &at); at++) {
		const uint8_t *from = image + at + sizeof(banner) - 1;
		size_t left = size - at - (sizeof(banner) - 1), length = 0;

		while (length < left && length < SC_RELEASE_MAX && from[length] > ' ' && from[length] <= '~')
			length++;
		/* No kernel can have a longer one. */
		if (length == SC_RELEASE_MAX)
			continue;
		memcpy(kernel->release, from, length);
		kernel->release[length] = '\0';
		if (sc_series_of_release(kernel->release, series))
			return 0;
	}
	return refusal_set(why, SC_REFUSED_ABSENT, "the file does not say of which release it is", NULL, NULL);
}

static int find_btf(const uint8_t *image, size_t size, struct sc_arena *arena, struct types *btf,
		    struct sc_refusal *why)
{
	static const uint8_t magic[] = { 0x9f, 0xeb, 1, 0, BTF_HEADER_SIZE, 0, 0, 0 };
	size_t found = 0, length = 0;

	for (size_t at = 0; find_bytes(image, size, magic, sizeof(magic), &at); at++) {
		size_t here = size - at >= BTF_HEADER_SIZE ? sc_types_size(image + at) : 0;

		if (here && here <= size - at && length)
			return refusal_set(why, SC_REFUSED_DAMAGED, "the file has BTF more than once", NULL, NULL);
		if (here && here <= size - at) {
			found = at;
			length = here;
		}
	}
	if (!length)
		return refusal_set(
			why, SC_REFUSED_ABSENT,
			"the kernel has no BTF (CONFIG_DEBUG_INFO_BTF is not set), or the file is compressed", NULL,
			NULL);
	return sc_types_open(btf, image + found, length, arena, why);
}

int sc_kernel_of_image(const void *image, size_t size, struct sc_arena *arena, struct sc_kernel *kernel,
		       struct sc_refusal *why)
{
	struct sc_series series;
	struct types btf;
	int err;

	*kernel = (struct sc_kernel){ 0 };
	err = find_release(image, size, kernel, &series, why);
	err = err ? err : find_btf(image, size, arena, &btf, why);
	err = err ? err : sc_layout_read(&kernel->layout, &series, &btf, why);
	if (err) {
		*kernel = (struct sc_kernel){ 0 };
		return err;
	}
	return sc_layout_judge(&kernel->layout, &kernel->known_by, why);
}
