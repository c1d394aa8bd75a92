/* SPDX-License-Identifier: BSD-2-Clause */
/* A migration's target and any stream: it is refused with a sentence before the guest runs, or taken and run. */
#include "fuzz.h"
#include "../fake/source_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { .text = "" };
	bool ran;
	int result;

	if (size > SOURCE_SCRIPT_STREAM_MAX)
		return 0;
	fake_reset();
	result = source_script_play(data, size, &ran, &error);
	FUZZ_MUST(ran == !result);
	FUZZ_MUST(!result || error.text[0]);
	return 0;
}
