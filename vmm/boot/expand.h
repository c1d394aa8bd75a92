/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernels that come compressed: a file of gzip or zstd, or an EFI application that carries such a one (zboot).
 *
 * Policy: from bytes to bytes. Only what is whole, right by its checksums, and followed by nothing is taken; what comes
 * out is judged by image_parse(). Several members of gzip, or frames of zstd, follow each other as one. Sources: RFC
 * 1952, RFC 8878; Linux, drivers/firmware/efi/libstub: zboot-header.S, Makefile.zboot.
 */
#ifndef VMM_BOOT_EXPAND_H
#define VMM_BOOT_EXPAND_H

#include "base/buffer.h"
#include "base/error.h"

#include <stddef.h>

/*
 * Puts the kernel into `image`, an empty buffer, in fewer than `limit` bytes; puts nothing there, data NULL, if the
 * file is not compressed. -EINVAL: cut off, damaged, or compressed by another method; -EFBIG: the limit; -ENOMEM;
 * -EINTR if an order to end has come (base/signals.h). The buffer is then empty.
 */
int expand_kernel(const void *file, size_t size, size_t limit, struct buffer *image, struct error *error);

#endif
