/* SPDX-License-Identifier: BSD-2-Clause */
/* The flash of the firmware's variables: see the header. */
#include "dev/flash.h"

#include "base/layout.h"
#include "base/log.h"
#include "base/replace.h"
#include "base/section.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct flash *flash_of(struct device *device)
{
	return (struct flash *)device;
}

/* ---- The file ---- */

/* The contents as they are now, of a size that the caller finds in *size; NULL if there is no memory. With the lock. */
static uint8_t *flash_copy(struct flash *flash, size_t *size)
{
	uint8_t *copy = malloc(flash->used ? flash->used : 1);

	*size = flash->used;
	if (copy)
		memcpy(copy, flash->cfi.bytes, flash->used);
	return copy;
}

/* With the lock, which is dropped meanwhile. */
static void flash_write_file(struct flash *flash)
{
	struct error error;
	size_t size;
	uint8_t *copy = flash_copy(flash, &size);
	int result;

	flash->changed = flash->due = false;
	lock_drop(&flash->device.lock);
	result = copy ? replace_write(flash->path, copy, size, flash->cfi.size, &error)
		      : error_set(&error, ENOMEM, "no memory to write %s", flash->path);
	free(copy);
	lock_take(&flash->device.lock);
	if (!result)
		return;
	flash->changed = true;
	log_guest(&flash->failures_logged, "%s: the firmware's variables are not kept: %s", flash->machine, error.text);
}

static void *flash_thread(void *context)
{
	struct flash *flash = context;

	lock_take(&flash->device.lock);
	while (flash->running) {
		if (flash->due)
			flash_write_file(flash);
		else
			lock_wait(&flash->device.lock, &flash->wake);
	}
	lock_drop(&flash->device.lock);
	return NULL;
}

static void flash_note(struct flash *flash, const struct cfi_change *change)
{
	if (!change->size)
		return;
	memory_mark_dirty(flash->memory, flash->device.base + change->offset, change->size);
	if (change->offset + change->size > flash->used)
		flash->used = change->offset + change->size;
	flash->changed = true;
}

/* ---- The guest ---- */

static void flash_show(struct flash *flash)
{
	bool shown = cfi_is_array(&flash->cfi);

	if (shown == flash->shown)
		return;
	flash->shown = shown;
	flash->device.line.show_rom(flash->device.line.context, flash->device.base, shown);
}

static uint64_t flash_read(struct device *device, uint64_t offset, unsigned int length)
{
	return cfi_read(&flash_of(device)->cfi, (uint32_t)offset, length);
}

static void flash_write(struct device *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct flash *flash = flash_of(device);
	struct cfi_change change = cfi_write(&flash->cfi, (uint32_t)offset, length, value);

	flash_note(flash, &change);
	flash_show(flash);
}

/* ---- Life ---- */

static void flash_start(struct device *device)
{
	struct flash *flash = flash_of(device);

	lock_take(&device->lock);
	flash_show(flash);
	flash->running = true;
	/* Without a thread the file is written in the end. */
	if (flash->path[0] && !flash->has_thread)
		flash->has_thread = !pthread_create(&flash->thread, NULL, flash_thread, flash);
	lock_drop(&device->lock);
}

static void flash_tick(struct device *device)
{
	struct flash *flash = flash_of(device);

	lock_take(&device->lock);
	flash->due = flash->changed && flash->has_thread;
	if (flash->due)
		pthread_cond_signal(&flash->wake);
	lock_drop(&device->lock);
}

static void flash_quiesce(struct device *device)
{
	struct flash *flash = flash_of(device);
	bool has_thread, ran;

	lock_take(&device->lock);
	has_thread = flash->has_thread;
	ran = flash->running;
	flash->has_thread = flash->running = false;
	pthread_cond_signal(&flash->wake);
	lock_drop(&device->lock);
	if (has_thread)
		pthread_join(flash->thread, NULL);
	lock_take(&device->lock);
	if (ran && flash->changed && flash->path[0])
		flash_write_file(flash);
	lock_drop(&device->lock);
}

static void flash_save(struct device *device, struct buffer *state)
{
	struct flash *flash = flash_of(device);

	buffer_put_u32(state, flash->used);
	cfi_save(&flash->cfi, state);
}

/* The file on this host has other contents, if there is one. */
static int flash_load(struct device *device, struct cursor *state, uint32_t version)
{
	struct flash *flash = flash_of(device);

	(void)version;
	flash->used = cursor_u32(state);
	flash->changed = true;
	if (flash->used > flash->cfi.size) {
		flash->used = flash->cfi.size;
		return -EPROTO;
	}
	return cfi_load(&flash->cfi, state);
}

static void flash_reset(struct device *device)
{
	cfi_reset(&flash_of(device)->cfi);
}

static void flash_destroy(struct device *device)
{
	pthread_cond_destroy(&flash_of(device)->wake);
	lock_destroy(&device->lock);
}

static const struct device_ops flash_ops = {
	.name = "flash",
	.section = SECTION_ID('F', 'L', 'S', 'H'),
	.version = 1,
	.read = flash_read,
	.write = flash_write,
	.start = flash_start,
	.quiesce = flash_quiesce,
	.tick = flash_tick,
	.save = flash_save,
	.load = flash_load,
	.reset = flash_reset,
	.destroy = flash_destroy,
};

int flash_init(struct flash *flash, struct memory *memory, const char *path, const char *machine,
	       const struct device_line *line, struct error *error)
{
	const struct memory_region *bank = memory_region(memory, LAYOUT_FLASH_VARIABLES_BASE);

	*flash = (struct flash){
		.device = { .ops = &flash_ops,
			    .base = LAYOUT_FLASH_VARIABLES_BASE,
			    .size = LAYOUT_FLASH_BANK_SIZE,
			    .line = *line },
		.memory = memory,
		.machine = machine,
		.path = path,
		.shown = true,
	};
	lock_init(&flash->device.lock, LOCK_DEVICE);
	pthread_cond_init(&flash->wake, NULL);
	cfi_init(&flash->cfi, bank->host, (uint32_t)bank->size);
	return path[0] ? replace_check(path, error) : 0;
}

void flash_fill(struct flash *flash, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	const uint8_t zero[MEMORY_PAGE_SIZE] = { 0 };
	size_t piece;

	lock_take(&flash->device.lock);
	for (size_t at = 0; at < size; at += piece) {
		piece = size - at < MEMORY_PAGE_SIZE ? size - at : MEMORY_PAGE_SIZE;
		if (!memcmp(bytes + at, zero, piece))
			continue;
		memcpy(flash->cfi.bytes + at, bytes + at, piece);
		memory_mark_dirty(flash->memory, flash->device.base + at, piece);
		flash->used = (uint32_t)(at + piece);
	}
	lock_drop(&flash->device.lock);
}
