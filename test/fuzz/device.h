/* SPDX-License-Identifier: BSD-2-Clause */
/* What fuzz targets do to a device as its machine would. */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

#include "fuzz.h"

#include "dev/device.h"

/* Loads a state of version 1, which `must` be taken whole. */
static inline void device_load(struct device *device, const void *data, size_t size, bool must)
{
	struct cursor cursor = cursor_make(data, size);
	int result;

	lock_take(&device->lock);
	result = device->ops->load(device, &cursor, 1);
	lock_drop(&device->lock);
	FUZZ_MUST(!must || (!result && cursor_finish(&cursor)));
}

#endif
