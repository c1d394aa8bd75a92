/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest whose RAM has just what repair/ looks for in a Linux kernel: note, page tables, symbols, types.
 *
 * Policy: its structures have the members that the series needs, in that order and nothing else, so its layout is that
 * of no real kernel and is refused at the end. Tests change what they like between the two calls, or bytes afterwards.
 */
#ifndef FAKE_LINUX_KERNEL_H
#define FAKE_LINUX_KERNEL_H

#include "linux_clock.h"
#include "linux_ram.h"
#include "linux_symbols.h"
#include "linux_types.h"

/* Physical addresses, and what lies how far behind them in the kernel's image. */
#define LINUX_RAM 0x40000000u
#define LINUX_RAM_SIZE (4u << 20)
#define LINUX_IMAGE (LINUX_RAM + 0x100000)
#define LINUX_IMAGE_SIZE 0x100000u
#define LINUX_STEXT 0x10000u
#define LINUX_FUNCTIONS (LINUX_STEXT + 0x200)
#define LINUX_FUNCTION_SIZE 0x80u
#define LINUX_TABLES 0x40000u
#define LINUX_SYMBOLS 0x80000u
#define LINUX_TYPES 0x90000u
#define LINUX_VARIABLES 0xc0000u
#define LINUX_NOTE (LINUX_RAM + 0x201000)
/* The kernel address of the image, which the lowest shape has. */
#define LINUX_BASE_VA 0xfffffff080000000u

#define LINUX_SYMBOLS_MAX 48u

struct linux_kernel {
	struct linux_ram ram;
	struct linux_tables tables;
	struct note note;
	enum linux_encoding encoding;
	struct linux_symbol symbols[LINUX_SYMBOLS_MAX];
	uint32_t symbol_count;
	struct linux_types types;
};

/* Everything a kernel of that release needs, not yet in RAM. */
void linux_kernel_begin(struct linux_kernel *kernel, const struct linux_shape *shape, const char *release);
/* Between the two: its members lie where those of Debian's 6.12 do, and its clocks are these, of a 6.12. */
void linux_kernel_keep_time(struct linux_kernel *kernel, struct linux_clock *clock);
void linux_kernel_write(struct linux_kernel *kernel);
void linux_kernel_end(struct linux_kernel *kernel);

/* The symbol of that name, for a test to change. */
struct linux_symbol *linux_kernel_symbol(struct linux_kernel *kernel, const char *name);

/* Writes a note with these values at a physical address; the length of its text. */
uint32_t linux_note_write(struct linux_ram *ram, uint64_t address, const struct note *note);

#endif
