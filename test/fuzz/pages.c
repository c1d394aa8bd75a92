/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory as frames of any contents: what is taken is in memory exactly as the frame has it; what is refused has
 * its sentence and has changed nothing.
 *
 * The input is a row of frames: one byte for the type, two for the size of the content, the content.
 */
#include "fuzz.h"

#include "base/layout.h"
#include "transfer/pages.h"

#include <string.h>

#define FRAME_HEAD 3u

static struct memory memory;

static uint64_t u64_at(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (int n = 7; n >= 0; n--)
		value = value << 8 | bytes[n];
	return value;
}

static void expect_zero(const uint8_t *bytes, uint64_t size)
{
	FUZZ_MUST(!size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1)));
}

/* The frame was taken: its own words say what memory holds now. */
static void expect_taken(const struct frame *frame)
{
	uint64_t place = u64_at(frame->data) - LAYOUT_RAM_BASE;

	FUZZ_MUST(place % MEMORY_PAGE_SIZE == 0 && place <= memory.region[0].size);
	if (frame->type == FRAME_PAGES)
		FUZZ_MUST(!memcmp(memory.region[0].host + place, frame->data + 8, frame->size - 8));
	else
		expect_zero(memory.region[0].host + place, u64_at(frame->data + 8) * MEMORY_PAGE_SIZE);
}

static void load_one(const struct frame *frame)
{
	struct error error = { .text = "" };

	if (pages_load(&memory, frame, &error))
		FUZZ_MUST(error.text[0]);
	else
		expect_taken(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error;

	if (!memory.region[0].host)
		FUZZ_MUST(!memory_create(&memory, LAYOUT_RAM_MIN, &error));
	while (size >= FRAME_HEAD) {
		size_t content = (size_t)(data[1] | data[2] << 8);
		struct frame frame = { .type = data[0] & 1 ? FRAME_ZEROES : FRAME_PAGES, .data = data + FRAME_HEAD };

		frame.size = content < size - FRAME_HEAD ? content : size - FRAME_HEAD;
		load_one(&frame);
		data += FRAME_HEAD + frame.size;
		size -= FRAME_HEAD + frame.size;
	}
	return 0;
}
