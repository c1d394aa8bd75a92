/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's power button, which asks the guest to end.
 *
 * Policy: a press is an event of ACPI (PNP0C0C) and no more: what comes of it is the guest's decision. There is nothing
 * to read or to keep: a press that the guest has not yet taken is pending in its interrupt controller.
 */
#ifndef VMM_DEV_BUTTON_H
#define VMM_DEV_BUTTON_H

#include "dev/device.h"

struct button {
	struct device device; /* first, so that it is the device */
};

void button_init(struct button *button, const struct device_line *line);

/* The guest can take it: its interrupt controller is not being saved or loaded. */
void button_press(struct button *button);

#endif
