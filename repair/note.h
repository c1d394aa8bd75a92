/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMCOREINFO: the ELF note by which a Linux kernel describes itself to whoever reads its memory.
 *
 * Policy: RAM is searched page by page, and only a note counts whose swapper_pg_dir is what a vCPU translates by and
 * where these tables have it: a kernel that was there before, or a crash kernel that waits, may have left one as well.
 * Exactly one must be left; copies of it do no harm.
 * Sources: Linux, kernel/vmcore_info.c, arch/arm64/kernel/vmcore_info.c; include/linux/vmcore_info.h.
 */
#ifndef REPAIR_NOTE_H
#define REPAIR_NOTE_H

#include <seaclock/repair.h>

/* Longer ones are not looked at; Linux has one page, of which it uses about 3 KiB. */
#define NOTE_TEXT_MAX 16384u

struct note {
	char release[SC_RELEASE_MAX];
	char build_id[SC_BUILD_ID_MAX]; /* empty in kernels that have none */
	uint64_t page_size;
	uint64_t kimage_voffset; /* kernel address minus physical address, in the kernel's image */
	uint64_t swapper_pg_dir; /* kernel addresses, as all that follow */
	uint64_t stext;
	uint64_t kallsyms_names;
	uint64_t kallsyms_num_syms;
	uint64_t kallsyms_token_table;
	uint64_t kallsyms_token_index;
	uint64_t kallsyms_offsets;
	uint64_t kallsyms_relative_base; /* 0 if there is none: offsets are relative to their own places */
};

/* Parses the text of a note. Strings have printable characters only, a build id hexadecimal digits. -SC_REFUSED_ABSENT
 * if a key is missing, -SC_REFUSED_DAMAGED if one is not right. */
int sc_note_parse(const char *text, size_t size, struct note *note, struct sc_refusal *why);

/*
 * Finds the note of the kernel that the vCPUs run, and opens its address space by the registers of one of them. With
 * the tables for user space (KPTI) in TTBR1_EL1 those of the kernel are taken, and *trampoline is set: then the symbol
 * tramp_pg_dir must be at note->swapper_pg_dir minus two pages. `text`: room for NOTE_TEXT_MAX.
 */
int sc_note_find(const struct sc_guest_port *guest, char *text, struct note *note, struct sc_space *space,
		 bool *trampoline, struct sc_refusal *why);

#endif
