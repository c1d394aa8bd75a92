/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernel symbols: kallsyms, as it lies in the kernel's memory.
 *
 * Policy: names are compressed, each a count and then numbers of tokens; they are expanded one after the other and
 * compared with what is wanted. No token is empty, and the bytes of all names are bounded, so the work is. Addresses
 * are offsets from a base or, where the note has none (Linux 7.x), from the place of the offset itself. The table must
 * have _stext and swapper_pg_dir where the note has them. Sources: Linux, kernel/kallsyms.c, scripts/kallsyms.c.
 */
#ifndef REPAIR_SYMBOLS_H
#define REPAIR_SYMBOLS_H

#include "note.h"

/* Kernels have up to 200,000 symbols (CONFIG_KALLSYMS_ALL); what claims many more is not one. */
#define SYMBOLS_MAX (1u << 20)
#define SYMBOL_NAME_MAX 512u
#define SYMBOLS_WANTED_MAX 64u
/* What a look-up takes from the arena at most, in bytes. */
#define SYMBOLS_ARENA_MAX (16u << 10)

struct symbol {
	const char *name;
	uint64_t address; /* of the last of that name */
	uint32_t count;	  /* how many there are; of those that are static, there may be several */
	uint32_t index;	  /* of the last of that name, if there is one */
	uint64_t end;	  /* where the next symbol lies; 0 if none lies behind it within SYMBOL_ALIASES_MAX */
};

/* So many symbols at most are taken to lie at one address. */
#define SYMBOL_ALIASES_MAX 8u

/*
 * Looks `count` names up, at most SYMBOLS_WANTED_MAX. What is absent has a count of 0: that is the caller's to judge.
 * -SC_REFUSED_DAMAGED, -SC_REFUSED_MEMORY; -SC_REFUSED_ABSENT if it has text symbols only.
 */
int sc_symbols_find(struct sc_space *space, const struct note *note, struct sc_arena *arena, struct symbol *symbols,
		    uint32_t count, struct sc_refusal *why);

#endif
