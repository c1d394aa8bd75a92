/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of a VMCOREINFO note, as any bytes: refused with a clause, or taken with strings that end. */
#include "fuzz.h"

#include "../../repair/note.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sc_refusal why = { 0 };
	struct note note;

	if (sc_note_parse((const char *)data, size, &note, &why)) {
		FUZZ_MUST(why.text[0] && strlen(why.text) < SC_REFUSAL_MAX);
		return 0;
	}
	FUZZ_MUST(strlen(note.release) < SC_RELEASE_MAX && strlen(note.build_id) < SC_BUILD_ID_MAX);
	return 0;
}
