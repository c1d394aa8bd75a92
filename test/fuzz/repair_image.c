/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel's Image file, as any bytes, and with a banner and a beginning of BTF in front of them: it is refused with a
 * clause and nothing else is said of it, or its layout is whole and not known.
 */
#include "fuzz.h"

#include <seaclock/repair.h>

#include <stdlib.h>
#include <string.h>

#define ARENA 200000u

static void judge(const uint8_t *image, size_t size)
{
	static const struct sc_layout nothing;
	static uint8_t memory[ARENA];
	struct sc_arena arena = { .memory = memory, .size = sizeof(memory) };
	struct sc_refusal why = { 0 };
	struct sc_kernel kernel;

	FUZZ_MUST(sc_kernel_of_image(image, size, &arena, &kernel, &why) < 0);
	FUZZ_MUST(why.text[0] && strlen(why.text) < SC_REFUSAL_MAX && strlen(kernel.release) < SC_RELEASE_MAX);
	if (kernel.layout.series.major)
		FUZZ_MUST(kernel.release[0] && why.reason == SC_REFUSED_UNKNOWN);
	else
		FUZZ_MUST(!kernel.release[0] && !memcmp(&kernel.layout, &nothing, sizeof(nothing)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char before[] = "Linux version 6.12.3 (fuzz)\n";
	uint8_t *image = malloc(sizeof(before) + size);

	if (!image)
		return 0;
	judge(data, size);
	memcpy(image, before, sizeof(before));
	memcpy(image + sizeof(before), data, size);
	judge(image, sizeof(before) + size);
	free(image);
	return 0;
}
