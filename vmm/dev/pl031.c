/* SPDX-License-Identifier: BSD-2-Clause */
/* PL031: see the header. */
#include "dev/pl031.h"

#define RTCDR 0x000
#define RTCMR 0x004
#define RTCLR 0x008
#define RTCCR 0x00c
#define RTCIMSC 0x010
#define RTCRIS 0x014
#define RTCMIS 0x018
#define RTCICR 0x01c
#define RTC_ID 0xfe0
#define RTC_ID_REGISTERS 8u

/* RTCPeriphID0 to 3 and RTCPCellID0 to 3. */
static const uint8_t identification[RTC_ID_REGISTERS] = { 0x31, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

/* It shows the time, without an alarm for what was passed on the way. */
static void pl031_follow(struct pl031 *rtc, uint32_t now)
{
	rtc->seen = now + rtc->offset;
	rtc->raw |= rtc->seen == rtc->match;
}

void pl031_init(struct pl031 *rtc, uint32_t now)
{
	*rtc = (struct pl031){ .seen = now };
}

void pl031_reset(struct pl031 *rtc, uint32_t now)
{
	*rtc = (struct pl031){ .offset = rtc->offset, .seen = now + rtc->offset };
}

void pl031_advance(struct pl031 *rtc, uint32_t now)
{
	uint32_t shown = now + rtc->offset, passed = shown - rtc->seen;

	/* What looks like more than 68 years is a clock that was set backwards. */
	if (passed && passed <= INT32_MAX && rtc->match - rtc->seen - 1 < passed)
		rtc->raw = true;
	rtc->seen = shown;
}

uint32_t pl031_read(struct pl031 *rtc, uint32_t now, uint64_t offset)
{
	pl031_advance(rtc, now);
	switch (offset) {
	case RTCDR:
		return rtc->seen;
	case RTCMR:
		return rtc->match;
	case RTCLR:
		return rtc->load;
	case RTCCR:
		return 1; /* enabled, which no write ends */
	case RTCIMSC:
		return rtc->mask;
	case RTCRIS:
		return rtc->raw;
	case RTCMIS:
		return pl031_irq(rtc);
	default:
		break;
	}
	if (offset >= RTC_ID && offset % 4 == 0 && (offset - RTC_ID) / 4 < RTC_ID_REGISTERS)
		return identification[(offset - RTC_ID) / 4];
	return 0;
}

void pl031_write(struct pl031 *rtc, uint32_t now, uint64_t offset, uint32_t value)
{
	pl031_advance(rtc, now);
	switch (offset) {
	case RTCMR:
		rtc->match = value;
		pl031_follow(rtc, now);
		break;
	case RTCLR:
		rtc->load = value;
		rtc->offset = value - now;
		pl031_follow(rtc, now);
		break;
	case RTCIMSC:
		rtc->mask = value & 1;
		break;
	case RTCICR:
		if (value & 1)
			rtc->raw = false;
		break;
	default:
		break;
	}
}

bool pl031_irq(const struct pl031 *rtc)
{
	return rtc->raw && rtc->mask;
}
