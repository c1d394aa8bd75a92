/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of an arm64 kernel's Image file.
 *
 * Policy: the file is the user's and may be anything; whatever would make the guest hang without a word is refused here
 * with a sentence. Sources: Linux, Documentation/arch/arm64/booting.rst; the PE/COFF specification.
 */
#ifndef VMM_BOOT_IMAGE_H
#define VMM_BOOT_IMAGE_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

struct image {
	uint64_t text_offset; /* bytes from an address that is a multiple of 2 MiB to where the image goes */
	uint64_t memory_size; /* bytes that the kernel needs from there on, the file's included */
};

/* -EINVAL: the file is not a whole, uncompressed, little-endian arm64 kernel. */
int image_parse(const void *file, size_t size, struct image *image, struct error *error);

#endif
