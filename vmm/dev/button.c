/* SPDX-License-Identifier: BSD-2-Clause */
/* The power button: see the header. */
#include "dev/button.h"

#include "base/layout.h"
#include "base/section.h"

static void button_save(struct device *device, struct buffer *state)
{
	(void)device;
	(void)state;
}

static int button_load(struct device *device, struct cursor *state, uint32_t version)
{
	(void)device;
	(void)state;
	(void)version;
	return 0;
}

static void button_reset(struct device *device)
{
	device_set_line(device, false);
}

static void button_destroy(struct device *device)
{
	lock_destroy(&device->lock);
}

static const struct device_ops button_ops = {
	.name = "power button",
	.acpi_id = "PNP0C0C",
	.event = true,
	.section = SECTION_ID('P', 'W', 'R', 'B'),
	.version = 1,
	.save = button_save,
	.load = button_load,
	.reset = button_reset,
	.destroy = button_destroy,
};

void button_init(struct button *button, const struct device_line *line)
{
	*button = (struct button){ .device = { .ops = &button_ops, .intid = LAYOUT_BUTTON_INTID, .line = *line } };
	lock_init(&button->device.lock, LOCK_DEVICE);
}

void button_press(struct button *button)
{
	lock_take(&button->device.lock);
	device_pulse(&button->device);
	lock_drop(&button->device.lock);
}
