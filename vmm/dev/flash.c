/* SPDX-License-Identifier: BSD-2-Clause */
/* The flash of the firmware's variables: see the header. */
#include "dev/flash.h"

#include "base/layout.h"
#include "base/log.h"
#include "base/section.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct flash *flash_of(struct device *device)
{
	return (struct flash *)device;
}

/* ---- The file ---- */

/* With the lock, as below. */
static void flash_tell_failure(struct flash *flash, const struct error *error)
{
	flash->changed = true;
	log_guest(&flash->failures_logged, "%s: the firmware's variables are not kept: %s", flash->machine,
		  error->text);
}

/* The contents as they are now are to be written, if they were changed. */
static void flash_put(struct flash *flash)
{
	struct error error;
	uint8_t *copy;

	if (!flash->changed)
		return;
	copy = malloc(flash->used ? flash->used : 1);
	if (!copy) {
		error_record(&error, ENOMEM, "no memory to write %s", flash->file->replace.path);
		flash_tell_failure(flash, &error);
		return;
	}
	memcpy(copy, flash->cfi.bytes, flash->used);
	flash->changed = false;
	flash_file_put(flash->file, copy, flash->used, flash->cfi.size);
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
	flash->patience_end = sc_ns(0);
	lock_drop(&device->lock);
}

/* With the lock: the file shall get what it lacks, and what it could not be given before. */
static void flash_follow(struct flash *flash)
{
	struct error error;
	int result = flash_file_await(flash->file, 0, &error);

	if (result && result != -ETIMEDOUT)
		flash_tell_failure(flash, &error);
	flash_put(flash);
}

static void flash_tick(struct device *device)
{
	struct flash *flash = flash_of(device);

	lock_take(&device->lock);
	if (flash->file && flash->running)
		flash_follow(flash);
	lock_drop(&device->lock);
}

/* With the lock. */
static void flash_begin_patience(struct flash *flash)
{
	if (flash->patience_end.v)
		return;
	flash->patience_end = deadline_after_ms(flash->patience_ms);
	if (flash->running)
		flash_follow(flash);
	flash->running = false;
}

static void flash_halt(struct device *device)
{
	struct flash *flash = flash_of(device);

	lock_take(&device->lock);
	if (flash->file)
		flash_begin_patience(flash);
	lock_drop(&device->lock);
}

static void flash_quiesce(struct device *device)
{
	struct flash *flash = flash_of(device);
	struct error error;
	int result;

	flash_halt(device);
	if (!flash->file)
		return;
	result = flash_file_await(flash->file, deadline_left_ms(flash->patience_end), &error);
	lock_take(&device->lock);
	flash->late = result == -ETIMEDOUT;
	flash->patience_end = sc_ns(0);
	if (result && !flash->late)
		flash_tell_failure(flash, &error);
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
	struct flash *flash = flash_of(device);

	if (flash->file)
		flash_file_close(flash->file);
	lock_destroy(&device->lock);
}

static const struct device_ops flash_ops = {
	.name = "flash",
	.section = SECTION_ID('F', 'L', 'S', 'H'),
	.version = 1,
	.read = flash_read,
	.write = flash_write,
	.start = flash_start,
	.halt = flash_halt,
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
		.shown = true,
		.patience_ms = FLASH_PATIENCE_MS,
	};
	lock_init(&flash->device.lock, LOCK_DEVICE);
	cfi_init(&flash->cfi, bank->host, (uint32_t)bank->size);
	return path[0] ? flash_file_open(&flash->file, path, error) : 0;
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

/* ---- Whose the file is ---- */

static int flash_explain(int result, struct error *error)
{
	struct error reason = *error;

	if (result)
		error_explain(error, "the firmware's variables: %.400s", reason.text);
	return result;
}

int flash_lock(struct flash *flash, int limit_ms, struct error *error)
{
	return flash->file ? flash_explain(flash_file_lock(flash->file, limit_ms, error), error) : 0;
}

int flash_unlock(struct flash *flash, int limit_ms, struct error *error)
{
	return flash->file ? flash_explain(flash_file_unlock(flash->file, limit_ms, error), error) : 0;
}

int flash_settled(struct flash *flash, struct error *error)
{
	bool late;

	lock_take(&flash->device.lock);
	late = flash->late;
	lock_drop(&flash->device.lock);
	if (!late)
		return 0;
	return error_set(error, ETIMEDOUT,
			 "the firmware's variables: the file system of %s does not answer, and has not finished what "
			 "the guest changed: try again once it does",
			 flash->file->replace.path);
}
