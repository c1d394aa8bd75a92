/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Series: what the kernels of a series have, by what names, and in what widths.
 *
 * Policy: names only. What the members mean, no table of types can tell: a kernel of a series listed here is still
 * refused unless its layout is in known.c. Sources: Linux, kernel/time/, lib/vdso/,
 * drivers/clocksource/arm_arch_timer.c, arch/arm64/kernel/{cpufeature,cpuinfo}.c.
 */
#ifndef REPAIR_SERIES_H
#define REPAIR_SERIES_H

#include <seaclock/repair.h>

struct series_struct {
	enum sc_struct structure;
	uint8_t in;	  /* a bit for each series that has it so */
	const char *name; /* NULL: it has no name, and these members */
	const char *const *members;
	uint32_t member_count;
};

struct series_field {
	enum sc_field field;
	enum sc_struct structure;
	uint8_t in;
	uint16_t size; /* that it must have, in bytes */
	const char *name;
};

struct series_variable {
	enum sc_variable variable;
	uint8_t in;
	const char *name;
};

struct series_function {
	enum sc_function function;
	uint8_t in;
	const char *name;
};

extern const struct series_struct sc_series_structs[];
extern const struct series_field sc_series_fields[];
extern const struct series_variable sc_series_variables[];
extern const struct series_function sc_series_functions[];
extern const uint32_t sc_series_struct_count, sc_series_field_count, sc_series_variable_count, sc_series_function_count;

/* Reads 6.12 from 6.12.117+deb12-cloud-arm64; false if there is no such beginning. */
bool sc_series_of_release(const char *release, struct sc_series *series);

/* As 6.12. */
#define SERIES_TEXT_MAX 22u
void sc_series_text(const struct sc_series *series, char text[SERIES_TEXT_MAX]);

/* The bit of a series in the tables above; 0 if it is not listed. */
uint8_t sc_series_bit(const struct sc_series *series);

#endif
