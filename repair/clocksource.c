/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clocksource of a kernel: what its clock is computed from at this moment.
 *
 * Policy: it is named as its user sees it in current_clocksource. A name is text, or it is refused.
 */
#include "refusal.h"
#include "space.h"

/* The number of 8 bytes at a kernel address. */
static int read_pointer(struct sc_space *space, uint64_t va, uint64_t *pointer, struct sc_refusal *why)
{
	return sc_space_read(space, va, pointer, sizeof(*pointer), why);
}

/* Byte by byte: behind the end of a name there may be nothing. */
static int read_name(struct sc_space *space, uint64_t va, char name[SC_CLOCKSOURCE_TEXT_MAX], struct sc_refusal *why)
{
	uint32_t length = 0;
	int err = 0;

	while (!err && length < SC_CLOCKSOURCE_TEXT_MAX) {
		err = sc_space_read(space, va + length, &name[length], 1, why);
		if (!err && !name[length] && length)
			return 0;
		if (!err && (name[length] <= ' ' || name[length] > '~'))
			break;
		length++;
	}
	return err ? err
		   : refusal_set(why, SC_REFUSED_DAMAGED, "the kernel's clocksource has a name that is not text", NULL,
				 NULL);
}

int sc_kernel_clocksource(struct sc_kernel *kernel, char name[SC_CLOCKSOURCE_TEXT_MAX], struct sc_refusal *why)
{
	const struct sc_place *field = kernel->layout.field;
	uint64_t clock = kernel->address[SC_VAR_CORE] + field[SC_CORE_TIMEKEEPER].offset + field[SC_TK_MONO].offset +
			 field[SC_READ_BASE_CLOCK].offset;
	uint64_t source, text;
	int err = read_pointer(&kernel->space, clock, &source, why);

	err = err ? err : read_pointer(&kernel->space, source + field[SC_CLOCKSOURCE_NAME].offset, &text, why);
	err = err ? err : read_name(&kernel->space, text, name, why);
	if (err)
		name[0] = '\0';
	return err;
}
