/* SPDX-License-Identifier: BSD-2-Clause */
/* The real-time clock: see the header. */
#include "dev/rtc.h"

#include "base/layout.h"
#include "base/section.h"
#include "host/host.h"

#include <errno.h>

#define NS_PER_S 1000000000u

static struct rtc *rtc_of(struct device *device)
{
	return (struct rtc *)device;
}

static uint32_t rtc_now(void)
{
	return (uint32_t)(host_realtime().v / NS_PER_S);
}

static uint64_t rtc_read(struct device *device, uint64_t offset, unsigned int length)
{
	struct rtc *rtc = rtc_of(device);
	uint32_t value = pl031_read(&rtc->pl031, rtc_now(), offset);

	(void)length;
	device_set_line(device, pl031_irq(&rtc->pl031));
	return value;
}

static void rtc_write(struct device *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct rtc *rtc = rtc_of(device);

	(void)length;
	pl031_write(&rtc->pl031, rtc_now(), offset, (uint32_t)value);
	device_set_line(device, pl031_irq(&rtc->pl031));
}

static void rtc_tick(struct device *device)
{
	struct rtc *rtc = rtc_of(device);

	lock_take(&device->lock);
	if (rtc->running) {
		pl031_advance(&rtc->pl031, rtc_now());
		device_set_line(device, pl031_irq(&rtc->pl031));
	}
	lock_drop(&device->lock);
}

static void rtc_start(struct device *device)
{
	lock_take(&device->lock);
	rtc_of(device)->running = true;
	lock_drop(&device->lock);
	rtc_tick(device);
}

static void rtc_quiesce(struct device *device)
{
	lock_take(&device->lock);
	rtc_of(device)->running = false;
	lock_drop(&device->lock);
}

static void rtc_save(struct device *device, struct buffer *state)
{
	const struct pl031 *pl031 = &rtc_of(device)->pl031;

	buffer_put_u32(state, pl031->offset);
	buffer_put_u32(state, pl031->seen);
	buffer_put_u32(state, pl031->match);
	buffer_put_u32(state, pl031->load);
	buffer_put_u8(state, pl031->mask);
	buffer_put_u8(state, pl031->raw);
}

static int rtc_load(struct device *device, struct cursor *state, uint32_t version)
{
	struct pl031 *pl031 = &rtc_of(device)->pl031;
	uint8_t mask, raw;

	(void)version;
	pl031->offset = cursor_u32(state);
	pl031->seen = cursor_u32(state);
	pl031->match = cursor_u32(state);
	pl031->load = cursor_u32(state);
	mask = cursor_u8(state);
	raw = cursor_u8(state);
	pl031->mask = mask & 1;
	pl031->raw = raw & 1;
	return mask > 1 || raw > 1 ? -EPROTO : 0;
}

static void rtc_reset(struct device *device)
{
	pl031_reset(&rtc_of(device)->pl031, rtc_now());
	device_set_line(device, false);
}

static void rtc_destroy(struct device *device)
{
	lock_destroy(&device->lock);
}

static const struct device_ops rtc_ops = {
	.name = "real-time clock",
	.section = SECTION_ID('P', 'L', '3', '1'),
	.version = 1,
	.read = rtc_read,
	.write = rtc_write,
	.start = rtc_start,
	.quiesce = rtc_quiesce,
	.tick = rtc_tick,
	.save = rtc_save,
	.load = rtc_load,
	.reset = rtc_reset,
	.destroy = rtc_destroy,
};

void rtc_init(struct rtc *rtc, const struct device_line *line)
{
	*rtc = (struct rtc){
		.device = { .ops = &rtc_ops,
			    .base = LAYOUT_RTC_BASE,
			    .size = LAYOUT_RTC_SIZE,
			    .intid = LAYOUT_RTC_INTID,
			    .line = *line },
	};
	lock_init(&rtc->device.lock, LOCK_DEVICE);
	pl031_init(&rtc->pl031, rtc_now());
}
