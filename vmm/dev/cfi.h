/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NOR flash with Intel's command set: two chips of 16 bits side by side, as on QEMU's `virt`.
 *
 * Policy: a pure state machine over bytes that belong to the caller, who also holds the lock, and learns which of them
 * have changed. Both chips get the same commands, so the first one's are taken; a command is done when it comes, no
 * block is ever locked, and what the guest gets wrong it reads in the status, as from a chip. Sources: Common Flash
 * Interface, JEDEC JESD68.01, command set 0x0001; Numonyx StrataFlash Embedded Memory (P30) data sheet, 320002-10.
 */
#ifndef VMM_DEV_CFI_H
#define VMM_DEV_CFI_H

#include "base/buffer.h"

#define CFI_BLOCK_SIZE 0x40000u /* what is erased at once */
#define CFI_BUFFER_SIZE 128u	/* what is written at once at most */
#define CFI_ERASED 0xffu

/* What reads give. */
enum cfi_mode {
	CFI_ARRAY, /* the contents */
	CFI_STATUS,
	CFI_IDENTITY,
	CFI_QUERY,
};

/* What the next write is. */
enum cfi_step {
	CFI_COMMAND,
	CFI_ERASE,   /* the confirmation of an erasure, */
	CFI_LOCK,    /* or of a block's lock */
	CFI_WORD,    /* a word to write */
	CFI_COUNT,   /* the number of words of a buffer, */
	CFI_DATA,    /* a word of it, */
	CFI_CONFIRM, /* its confirmation */
};

struct cfi {
	uint8_t *bytes;
	uint32_t size; /* a multiple of CFI_BLOCK_SIZE */
	enum cfi_mode mode;
	enum cfi_step step;
	uint8_t status;
	uint32_t start;	 /* of the buffer in the array, */
	uint32_t length; /* its size, */
	uint32_t filled; /* and how much of it has come */
	uint8_t buffer[CFI_BUFFER_SIZE];
};

/* Bytes of the array that have changed; none if the size is 0. */
struct cfi_change {
	uint32_t offset;
	uint32_t size;
};

void cfi_init(struct cfi *cfi, uint8_t *bytes, uint32_t size);
/* As at power-on; the bytes stay. */
void cfi_reset(struct cfi *cfi);

/* Whether it reads as memory does. */
bool cfi_is_array(const struct cfi *cfi);

/* `length` bytes, 1 to 8, at an offset that is a multiple of it; all of them are in the array. */
uint64_t cfi_read(const struct cfi *cfi, uint32_t offset, unsigned int length);
struct cfi_change cfi_write(struct cfi *cfi, uint32_t offset, unsigned int length, uint64_t value);

/* All but the bytes. -EPROTO: nothing can have saved it. */
void cfi_save(const struct cfi *cfi, struct buffer *state);
int cfi_load(struct cfi *cfi, struct cursor *state);

#endif
