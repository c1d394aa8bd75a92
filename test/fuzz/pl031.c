/* SPDX-License-Identifier: BSD-2-Clause */
/* The real-time clock: any state, then accesses of the guest at any time; what it shows is always the time. */
#include "fuzz.h"

#include "dev/pl031.h"

#include <string.h>

#define STEP_SIZE 8u

static uint32_t word(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static void expect_true(struct pl031 *rtc, uint32_t now)
{
	FUZZ_MUST(pl031_read(rtc, now, 0x00) == now + rtc->offset);
	FUZZ_MUST(pl031_read(rtc, now, 0x0c) == 1);
	FUZZ_MUST(pl031_read(rtc, now, 0x18) == (pl031_read(rtc, now, 0x10) & pl031_read(rtc, now, 0x14)));
	FUZZ_MUST(pl031_irq(rtc) == pl031_read(rtc, now, 0x18));
}

/* What, where, and with which value; or how far the time goes on, or back. */
static void step(struct pl031 *rtc, uint32_t *now, const uint8_t bytes[STEP_SIZE])
{
	uint64_t offset = (bytes[1] & 0x0fu) * 256 + bytes[2];
	uint32_t value = word(bytes + 4), raw = rtc->raw;

	switch (bytes[0] & 3) {
	case 0:
		pl031_read(rtc, *now, offset);
		break;
	case 1:
		pl031_write(rtc, *now, offset & 0x3f, value);
		break;
	case 2:
		*now += value;
		pl031_advance(rtc, *now);
		FUZZ_MUST(!raw || rtc->raw);
		break;
	default:
		pl031_reset(rtc, *now);
		FUZZ_MUST(!pl031_irq(rtc));
	}
	expect_true(rtc, *now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pl031 rtc;
	uint32_t now = 1700000000;

	pl031_init(&rtc, now);
	for (size_t at = 0; at + STEP_SIZE <= size; at += STEP_SIZE)
		step(&rtc, &now, data + at);
	return 0;
}
