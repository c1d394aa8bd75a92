/* SPDX-License-Identifier: BSD-2-Clause */
/* The window of the virtio devices: see the header. */
#include "dev/virtio/window.h"

#include "base/layout.h"
#include "dev/virtio/virtio.h"
#include "host/host.h"

#include <endian.h>

#define WORDS (LAYOUT_VIRTIO_SIZE / sizeof(uint32_t))
#define WORDS_OF_REGISTERS (VIRTIO_REGISTERS_SIZE / sizeof(uint32_t))

/* A word of a device, as the guest finds it in memory. */
static uint32_t window_look(struct virtio *virtio, uint32_t word)
{
	return htole32((uint32_t)virtio->device.ops->read(&virtio->device, word * sizeof(uint32_t), sizeof(uint32_t)));
}

static uint32_t *window_words(const struct virtio *virtio)
{
	return (uint32_t *)(virtio->window->memory + (virtio->device.base - LAYOUT_VIRTIO_BASE));
}

/* From the last word on, so that the configuration, which is behind the registers, comes before its generation. */
void window_show(struct virtio *virtio)
{
	if (!virtio->window)
		return;
	for (uint32_t word = WORDS; word-- > 0;) {
		uint32_t *place = &window_words(virtio)[word], value = window_look(virtio, word);

		if (*place == value)
			continue;
		__atomic_store_n(place, value, __ATOMIC_RELEASE);
		host_clean(place, sizeof(*place));
	}
}

static uint32_t window_count_changes(struct virtio *virtio)
{
	uint32_t changes = 0;

	for (uint32_t word = WORDS_OF_REGISTERS; word < WORDS; word++)
		changes += window_words(virtio)[word] != window_look(virtio, word);
	return changes;
}

void window_show_change(struct virtio *virtio)
{
	const struct device_line *line = &virtio->device.line;

	if (!virtio->window || window_count_changes(virtio) <= 1) {
		window_show(virtio);
		return;
	}
	lock_take(&virtio->window->lock);
	line->show_rom(line->context, LAYOUT_VIRTIO_BASE, false);
	window_show(virtio);
	line->show_rom(line->context, LAYOUT_VIRTIO_BASE, true);
	lock_drop(&virtio->window->lock);
}
