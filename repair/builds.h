/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Known builds: where the variables lie of kernels whose symbol table has functions only (CONFIG_KALLSYMS_ALL is not
 * set), as Debian's 6.1.
 *
 * Policy: a build is told by its ID, which its note has. The table is made from the System.map of the very build by
 * `make kernels`; no address is guessed, so a build that is not there is refused.
 */
#ifndef REPAIR_BUILDS_H
#define REPAIR_BUILDS_H

#include <stdint.h>

#define BUILD_SYMBOLS 26u

struct build {
	const char *id;			/* as the note has it */
	const char *release;		/* for the reader */
	uint32_t offset[BUILD_SYMBOLS]; /* from _stext, in bytes, in the order of sc_build_names */
};

extern const char *const sc_build_names[BUILD_SYMBOLS];
/* The build of that ID; NULL if it is not known. */
const struct build *sc_build_of(const char *id);

#endif
