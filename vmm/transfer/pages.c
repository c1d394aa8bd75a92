/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory as frames: see the header. */
#include "transfer/pages.h"

#include "host/pagemap.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

static_assert(FRAME_PAGES_MAX <= PAGEMAP_PAGES_MAX, "a frame's pages are looked up at once");

/* Bytes that are checked in one step. A page that is not zero usually shows it in the first. */
#define ZERO_STEP 64u

static bool page_is_zero(const uint8_t *page)
{
	uint64_t words[ZERO_STEP / sizeof(uint64_t)], all = 0;

	for (uint32_t at = 0; !all && at < MEMORY_PAGE_SIZE; at += ZERO_STEP) {
		memcpy(words, page + at, sizeof(words));
		for (uint32_t n = 0; n < sizeof(words) / sizeof(words[0]); n++)
			all |= words[n];
	}
	return !all;
}

/* Which of these pages, at most FRAME_PAGES_MAX, are zero: those that are not touched are not even read. */
static uint64_t zeroes_of(const uint8_t *pages, uint32_t count, uint64_t touched)
{
	uint64_t zeroes = 0;

	for (uint32_t n = 0; n < count; n++)
		if (!(touched >> n & 1) || page_is_zero(pages + (size_t)n * MEMORY_PAGE_SIZE))
			zeroes |= 1ull << n;
	return zeroes;
}

/* ---- Out ---- */

/* Pages from the start of a run that are all zero, or all not. */
static uint32_t run_alike(uint64_t zeroes, uint32_t count)
{
	uint32_t n = 1;

	while (n < count && (zeroes >> n & 1) == (zeroes & 1))
		n++;
	return n;
}

static int put_run(struct sink *sink, uint64_t gpa, const uint8_t *pages, uint32_t count, bool zero,
		   struct error *error)
{
	uint64_t head[2] = { htole64(gpa), htole64(count) };

	if (zero)
		return sink->put(sink, FRAME_ZEROES, head, sizeof(head), NULL, 0, error);
	return sink->put(sink, FRAME_PAGES, head, sizeof(head[0]), pages, (size_t)count * MEMORY_PAGE_SIZE, error);
}

/* The same of pages of one region. */
static int put_pages(struct sink *sink, const struct memory *memory, uint64_t page, uint32_t count, bool written,
		     struct error *error)
{
	const uint8_t *pages = memory_page(memory, page);
	uint64_t gpa = memory_page_gpa(memory, page);
	uint64_t touched = written ? UINT64_MAX : memory_touched(memory, pages, count);
	uint64_t zeroes = zeroes_of(pages, count, touched);
	int result = 0;

	for (uint32_t n = 0, alike; !result && n < count; n += alike) {
		size_t offset = (size_t)n * MEMORY_PAGE_SIZE;

		alike = run_alike(zeroes >> n, count - n);
		result = put_run(sink, gpa + offset, pages + offset, alike, zeroes >> n & 1, error);
	}
	return result;
}

int pages_put(struct sink *sink, const struct memory *memory, uint64_t page, uint32_t count, bool written,
	      struct error *error)
{
	int result = 0;

	for (uint32_t part; !result && count; page += part, count -= part) {
		part = memory_run(memory, page, count);
		result = put_pages(sink, memory, page, part, written, error);
	}
	return result;
}

/* ---- In ---- */

static int pages_damaged(struct error *error)
{
	return error_set(error, EPROTO, "the stream names memory that the guest does not have");
}

static int load_contents(struct memory *memory, const struct frame *frame, struct error *error)
{
	struct cursor cursor = cursor_make(frame->data, frame->size);
	uint64_t gpa = cursor_u64(&cursor);
	uint8_t *pages = NULL;

	if (!cursor.failed && gpa % MEMORY_PAGE_SIZE == 0 && cursor.left % MEMORY_PAGE_SIZE == 0)
		pages = memory_place(memory, gpa, cursor.left);
	if (!pages)
		return pages_damaged(error);
	memcpy(pages, cursor.data, cursor.left);
	memory_mark_dirty(memory, gpa, cursor.left);
	return 0;
}

static int load_zeroes(struct memory *memory, const struct frame *frame, struct error *error)
{
	uint8_t *pages = NULL;
	uint64_t gpa, zeroes;
	uint32_t count;

	if (frame_get_zeroes(frame, &gpa, &count) && gpa % MEMORY_PAGE_SIZE == 0)
		pages = memory_place(memory, gpa, (size_t)count * MEMORY_PAGE_SIZE);
	if (!pages)
		return pages_damaged(error);
	zeroes = zeroes_of(pages, count, memory_touched(memory, pages, count));
	for (uint32_t n = 0; n < count; n++)
		if (!(zeroes >> n & 1)) /* memory that was never touched is left so */
			memset(pages + (size_t)n * MEMORY_PAGE_SIZE, 0, MEMORY_PAGE_SIZE);
	return 0;
}

int pages_load(struct memory *memory, const struct frame *frame, struct error *error)
{
	return frame->type == FRAME_ZEROES ? load_zeroes(memory, frame, error) : load_contents(memory, frame, error);
}
