/* SPDX-License-Identifier: BSD-2-Clause */
/* The pages that a round has to send: see the header. */
#include "migrate/dirty.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void dirty_count(struct dirty *dirty)
{
	dirty->pages = 0;
	for (size_t n = 0; n < dirty->words; n++)
		dirty->pages += (uint64_t)__builtin_popcountll(dirty->bitmap[n]);
}

int dirty_start(struct dirty *dirty, struct host_vm *vm, struct memory *memory, struct error *error)
{
	int result;

	*dirty = (struct dirty){ .vm = vm, .memory = memory, .words = memory_bitmap_words(memory) };
	dirty->bitmap = malloc(dirty->words * sizeof(uint64_t));
	if (!dirty->bitmap)
		return error_set(error, ENOMEM, "no memory for a map of the guest's pages");
	result = host_vm_set_dirty_log(vm, true, error);
	if (result) {
		free(dirty->bitmap);
		return result;
	}
	/* All pages go out first, so the monitor's own stores until now, a whole load perhaps, need not go again. */
	memory_take_dirty(memory, dirty->bitmap);
	memset(dirty->bitmap, 0xff, dirty->words * sizeof(uint64_t));
	dirty_count(dirty);
	return 0;
}

void dirty_stop(struct dirty *dirty)
{
	struct error ignored;

	host_vm_set_dirty_log(dirty->vm, false, &ignored);
	free(dirty->bitmap);
	*dirty = (struct dirty){ 0 };
}

int dirty_collect(struct dirty *dirty, struct error *error)
{
	uint64_t *seen = calloc(dirty->words, sizeof(uint64_t));
	int result;

	if (!seen)
		return error_set(error, ENOMEM, "no memory for a map of the guest's pages");
	result = host_vm_get_dirty_log(dirty->vm, seen, error);
	if (!result)
		memory_take_dirty(dirty->memory, seen);
	for (size_t n = 0; !result && n < dirty->words; n++)
		dirty->bitmap[n] |= seen[n];
	free(seen);
	dirty_count(dirty);
	return result;
}

static bool dirty_is_set(const struct dirty *dirty, uint64_t page)
{
	return dirty->bitmap[page / 64] >> page % 64 & 1;
}

static bool dirty_find(const struct dirty *dirty, uint64_t *page)
{
	uint64_t end = dirty->words * 64;

	while (*page < end && !dirty_is_set(dirty, *page))
		*page = *page % 64 == 0 && !dirty->bitmap[*page / 64] ? *page + 64 : *page + 1;
	return *page < end;
}

bool dirty_take(struct dirty *dirty, uint64_t *page, uint32_t limit, uint32_t *count)
{
	uint64_t next;

	if (!dirty_find(dirty, page))
		return false;
	for (next = *page; next < dirty->words * 64 && next - *page < limit && dirty_is_set(dirty, next); next++)
		dirty->bitmap[next / 64] &= ~(1ull << next % 64);
	*count = (uint32_t)(next - *page);
	dirty->pages -= *count;
	return true;
}
