/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errata that bear on where a guest can move: see the header. Source: arm64_errata in arch/arm64/kernel/cpu_errata.c of
 * Linux 6.12, and ool_workarounds in drivers/clocksource/arm_arch_timer.c.
 */
#include "transfer/errata.h"

#include <stddef.h>

/* Implementer and part, as in MIDR_EL1. */
#define MODEL_MASK 0xff00fff0u
#define CORTEX_A73 0x4100d090u
#define CORTEX_A76 0x4100d0b0u
#define NEOVERSE_N1 0x4100d0c0u
#define AMPERE_ONE 0xc000ac30u
#define EVERY 0xffu

#define EFFECT_1418040 "32-bit programs of a guest that was booted elsewhere may read a wrong time here"

static const struct {
	uint32_t model;
	uint32_t to; /* variant and revision of the last that has it, a digit each */
	struct erratum erratum;
} table[] = {
	{ CORTEX_A76, 0x31, { "1418040", EFFECT_1418040 } },
	{ NEOVERSE_N1, 0x31, { "1418040", EFFECT_1418040 } },
	{ NEOVERSE_N1, EVERY, { "1542419", "its kernel hides CTR_EL0.DIC, so a guest that has it cannot come" } },
	{ CORTEX_A73, EVERY, { "858921", "every clock of a guest that was booted elsewhere may jump here" } },
	{ AMPERE_ONE, EVERY, { "AC03_CPU_38", "its kernel hides HAFDBS, so a guest that has it cannot come" } },
};

const struct erratum *errata_at(uint64_t midr, uint32_t n)
{
	uint32_t revision = (uint32_t)(midr >> 16 & 0xf0) | (uint32_t)(midr & 0xf);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if ((midr & MODEL_MASK) == table[i].model && revision <= table[i].to && !n--)
			return &table[i].erratum;
	return NULL;
}
