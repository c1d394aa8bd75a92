/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's firmware configuration device: see the header. */
#include "dev/fwcfg.h"

#include "base/layout.h"
#include "base/section.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Offsets of the registers. */
#define DATA 0u
#define SELECTOR 8u
#define DMA_HIGH 16u
#define DMA_LOW 20u

#define KEY_SIGNATURE 0x00
#define KEY_ID 0x01
#define KEY_VCPUS 0x05
#define KEY_VCPUS_MAX 0x0f
#define KEY_DIRECTORY 0x19
#define KEY_FILE_FIRST 0x20

#define ID_REGISTER 1u
#define ID_DMA 2u

#define DMA_SIGNATURE 0x51454d5520434647ull /* "QEMU CFG" */

#define DMA_ERROR 0x01u
#define DMA_READ 0x02u
#define DMA_SKIP 0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE 0x10u

/* The largest piece that a DMA asks for: firmware does not ask for more than the file that it has found. */
#define DMA_LENGTH_MAX FWCFG_FILE_SIZE_MAX

#define ENTRY_SIZE (8u + FWCFG_NAME_SIZE)
#define DIRECTORY_SIZE (4u + FWCFG_FILES_MAX * ENTRY_SIZE)

static struct fwcfg *fwcfg_of(struct device *device)
{
	return (struct fwcfg *)device;
}

/* ---- Items ---- */

struct item {
	const uint8_t *data;
	uint32_t size;
	uint8_t own[DIRECTORY_SIZE]; /* of one that is made when it is read */
};

static void item_put(struct item *item, const void *data, uint32_t size)
{
	memcpy(item->own + item->size, data, size);
	item->size += size;
}

/* Big-endian, unlike all other items. */
static void item_put_directory(struct item *item, const struct fwcfg *fwcfg)
{
	uint32_t count = htobe32(fwcfg->files);

	item_put(item, &count, sizeof(count));
	for (uint32_t n = 0; n < fwcfg->files; n++) {
		const struct fwcfg_file *file = &fwcfg->file[n];
		uint32_t size = htobe32(file->size);
		uint16_t key[2] = { htobe16((uint16_t)(KEY_FILE_FIRST + n)), 0 };

		item_put(item, &size, sizeof(size));
		item_put(item, key, sizeof(key));
		item_put(item, file->name, sizeof(file->name));
	}
}

static void item_find(const struct fwcfg *fwcfg, struct item *item)
{
	const uint32_t id = htole32(ID_REGISTER | ID_DMA);
	const uint16_t vcpus = htole16((uint16_t)fwcfg->vcpus);
	uint32_t n = (uint32_t)fwcfg->key - KEY_FILE_FIRST;

	item->size = 0;
	item->data = item->own;
	if (fwcfg->key >= KEY_FILE_FIRST && n < fwcfg->files) {
		item->data = fwcfg->file[n].data;
		item->size = fwcfg->file[n].size;
	}
	if (fwcfg->key == KEY_SIGNATURE)
		item_put(item, "QEMU", 4);
	if (fwcfg->key == KEY_ID)
		item_put(item, &id, sizeof(id));
	if (fwcfg->key == KEY_VCPUS || fwcfg->key == KEY_VCPUS_MAX)
		item_put(item, &vcpus, sizeof(vcpus));
	if (fwcfg->key == KEY_DIRECTORY)
		item_put_directory(item, fwcfg);
}

static void item_select(struct fwcfg *fwcfg, uint16_t key)
{
	fwcfg->key = key;
	fwcfg->offset = 0;
}

static void item_skip(struct fwcfg *fwcfg, uint32_t length)
{
	fwcfg->offset = length > UINT32_MAX - fwcfg->offset ? UINT32_MAX : fwcfg->offset + length;
}

/* What is behind the item's end reads as zeroes. */
static void item_take(struct fwcfg *fwcfg, uint8_t *data, uint32_t length)
{
	struct item item;
	uint32_t there = 0;

	item_find(fwcfg, &item);
	if (fwcfg->offset < item.size)
		there = item.size - fwcfg->offset < length ? item.size - fwcfg->offset : length;
	if (there)
		memcpy(data, item.data + fwcfg->offset, there);
	memset(data + there, 0, length - there);
	item_skip(fwcfg, length);
}

/* ---- DMA ---- */

/* As the guest has it, big-endian. */
struct dma_order {
	uint32_t control;
	uint32_t length;
	uint64_t address;
};

/* The control word that says how it ended. */
static uint32_t dma_run(struct fwcfg *fwcfg, uint32_t control, uint32_t length, uint64_t address)
{
	void *place;

	if (control & DMA_SELECT)
		item_select(fwcfg, (uint16_t)(control >> 16));
	if (control & DMA_READ) {
		place = length <= DMA_LENGTH_MAX ? memory_span(fwcfg->memory, address, length) : NULL;
		if (!place)
			return DMA_ERROR;
		item_take(fwcfg, place, length);
		memory_mark_dirty(fwcfg->memory, address, length);
		return 0;
	}
	if (control & DMA_WRITE)
		return DMA_ERROR;
	if (control & DMA_SKIP)
		item_skip(fwcfg, length);
	return 0;
}

/* An order that is not in RAM has no place for an answer. */
static void dma_take(struct fwcfg *fwcfg)
{
	uint64_t place = fwcfg->dma;
	struct dma_order order;

	fwcfg->dma = 0;
	if (!memory_read(fwcfg->memory, place, &order, sizeof(order)))
		return;
	order.control = htobe32(dma_run(fwcfg, be32toh(order.control), be32toh(order.length), be64toh(order.address)));
	memory_write(fwcfg->memory, place, &order.control, sizeof(order.control));
}

/* ---- Registers ---- */

/* The bytes of a register in their order in memory; it is big-endian. */
static uint64_t register_get(uint64_t value, uint64_t offset, unsigned int length)
{
	uint64_t bytes = htobe64(value);
	uint64_t part = 0;

	memcpy(&part, (const uint8_t *)&bytes + offset, length);
	return le64toh(part);
}

static uint64_t fwcfg_read(struct device *device, uint64_t offset, unsigned int length)
{
	uint64_t data = 0;

	if (offset >= DMA_HIGH)
		return register_get(DMA_SIGNATURE, offset - DMA_HIGH, length);
	if (offset >= SELECTOR)
		return 0;
	item_take(fwcfg_of(device), (uint8_t *)&data, length);
	return le64toh(data);
}

static void fwcfg_write(struct device *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct fwcfg *fwcfg = fwcfg_of(device);

	if (offset == SELECTOR && length == 2)
		return item_select(fwcfg, __builtin_bswap16((uint16_t)value));
	if (offset == DMA_HIGH && length == 4)
		fwcfg->dma = (uint64_t)__builtin_bswap32((uint32_t)value) << 32;
	if (offset == DMA_LOW && length == 4)
		fwcfg->dma |= __builtin_bswap32((uint32_t)value);
	if (offset == DMA_HIGH && length == 8)
		fwcfg->dma = __builtin_bswap64(value);
	if ((offset == DMA_LOW && length == 4) || (offset == DMA_HIGH && length == 8))
		dma_take(fwcfg);
}

/* ---- Life ---- */

static void files_free(struct fwcfg *fwcfg)
{
	for (uint32_t n = 0; n < fwcfg->files; n++)
		free(fwcfg->file[n].data);
	fwcfg->files = 0;
}

static void fwcfg_save(struct device *device, struct buffer *state)
{
	struct fwcfg *fwcfg = fwcfg_of(device);

	buffer_put_u32(state, fwcfg->key);
	buffer_put_u32(state, fwcfg->offset);
	buffer_put_u64(state, fwcfg->dma);
	buffer_put_u32(state, fwcfg->files);
	for (uint32_t n = 0; n < fwcfg->files; n++) {
		buffer_put_string(state, fwcfg->file[n].name);
		buffer_put_block(state, fwcfg->file[n].data, fwcfg->file[n].size);
	}
}

/* False if it cannot be. */
static bool file_add(struct fwcfg *fwcfg, const char *name, const void *data, size_t size)
{
	struct fwcfg_file *file = &fwcfg->file[fwcfg->files];

	if (fwcfg->files == FWCFG_FILES_MAX || size > FWCFG_FILE_SIZE_MAX)
		return false;
	*file = (struct fwcfg_file){ .size = (uint32_t)size, .data = malloc(size ? size : 1) };
	if (!file->data)
		return false;
	snprintf(file->name, sizeof(file->name), "%s", name);
	if (size)
		memcpy(file->data, data, size);
	fwcfg->files++;
	return true;
}

static int fwcfg_load(struct device *device, struct cursor *state, uint32_t version)
{
	struct fwcfg *fwcfg = fwcfg_of(device);
	uint32_t key = cursor_u32(state), count;

	(void)version;
	files_free(fwcfg);
	fwcfg->key = (uint16_t)key;
	fwcfg->offset = cursor_u32(state);
	fwcfg->dma = cursor_u64(state);
	count = cursor_u32(state);
	if (key > UINT16_MAX || count > FWCFG_FILES_MAX)
		return -EPROTO;
	for (uint32_t n = 0; n < count; n++) {
		char name[FWCFG_NAME_SIZE];
		const void *data;
		size_t size;

		cursor_string(state, name, sizeof(name));
		data = cursor_block(state, &size);
		if (state->failed || !file_add(fwcfg, name, data, size))
			return -EPROTO;
	}
	return 0;
}

static void fwcfg_reset(struct device *device)
{
	struct fwcfg *fwcfg = fwcfg_of(device);

	item_select(fwcfg, KEY_SIGNATURE);
	fwcfg->dma = 0;
}

static void fwcfg_destroy(struct device *device)
{
	files_free(fwcfg_of(device));
	lock_destroy(&device->lock);
}

static const struct device_ops fwcfg_ops = {
	.name = "firmware configuration",
	.section = SECTION_ID('F', 'W', 'C', 'F'),
	.version = 1,
	.read = fwcfg_read,
	.write = fwcfg_write,
	.save = fwcfg_save,
	.load = fwcfg_load,
	.reset = fwcfg_reset,
	.destroy = fwcfg_destroy,
};

void fwcfg_init(struct fwcfg *fwcfg, struct memory *memory, uint32_t vcpus, const struct device_line *line)
{
	*fwcfg = (struct fwcfg){
		.device = { .ops = &fwcfg_ops, .base = LAYOUT_FWCFG_BASE, .size = LAYOUT_FWCFG_SIZE, .line = *line },
		.memory = memory,
		.vcpus = vcpus,
	};
	lock_init(&fwcfg->device.lock, LOCK_DEVICE);
}

/* Out of the list; the others keep their order. */
static void file_remove(struct fwcfg *fwcfg, const char *name)
{
	uint32_t kept = 0;

	for (uint32_t n = 0; n < fwcfg->files; n++) {
		if (!strcmp(fwcfg->file[n].name, name))
			free(fwcfg->file[n].data);
		else
			fwcfg->file[kept++] = fwcfg->file[n];
	}
	fwcfg->files = kept;
}

int fwcfg_put(struct fwcfg *fwcfg, const char *name, const void *data, size_t size, struct error *error)
{
	bool added;

	assert(strlen(name) < FWCFG_NAME_SIZE && size <= FWCFG_FILE_SIZE_MAX);
	lock_take(&fwcfg->device.lock);
	file_remove(fwcfg, name);
	added = file_add(fwcfg, name, data, size);
	lock_drop(&fwcfg->device.lock);
	return added ? 0 : error_set(error, ENOMEM, "no memory for the firmware's file %s", name);
}
