/* SPDX-License-Identifier: BSD-2-Clause */
/* Kernel symbols: see the header. */
#include "symbols.h"
#include "builds.h"
#include "hash.h"
#include "memory.h"
#include "refusal.h"
#include "space.h"

#include <string.h>

#define TOKENS 256u
/* Where the tokens end nothing says; a kernel's have about a thousand bytes. */
#define TOKEN_BYTES_MAX 4096u
#define WINDOW 4096u
/* Two bytes of length, for names of more than 127 tokens (Linux 6.1). */
#define LONG_NAME 0x80u
/* Of all names, compressed: kernels have 2 to 3 MiB. */
#define NAMES_BYTES_MAX (16u << 20)
#define BUCKETS 256u
/* What is looked up besides what is wanted: _stext and swapper_pg_dir. */
#define ANCHORS 2u
#define LOOKED_UP_MAX (SYMBOLS_WANTED_MAX + ANCHORS)
_Static_assert(LOOKED_UP_MAX <= UINT8_MAX, "a chain's next is a byte");

/* The bytes of the names one after the other, a window at a time. */
struct stream {
	struct sc_space *space;
	uint64_t va; /* behind the window */
	uint32_t at;
	uint32_t end;
	uint32_t read; /* all windows so far */
	uint8_t window[WINDOW];
};

struct tokens {
	uint16_t index[TOKENS];
	char text[TOKEN_BYTES_MAX];
	uint8_t size[TOKENS];
};

/* What is looked for, by the hash of its name: chains through `next`. */
struct wanted {
	struct symbol *symbols;
	uint32_t hash[LOOKED_UP_MAX];
	uint8_t next[LOOKED_UP_MAX]; /* number + 1; 0 ends */
	uint8_t first[BUCKETS];
};

struct search {
	struct stream stream;
	struct tokens tokens;
	struct wanted wanted;
	char name[SYMBOL_NAME_MAX];
	size_t name_size;
};

_Static_assert(sizeof(struct search) + (LOOKED_UP_MAX + 1) * sizeof(struct symbol) <= SYMBOLS_ARENA_MAX,
	       "what is taken from the arena is bounded");

static int damaged(struct sc_refusal *why, const char *what)
{
	return refusal_set(why, SC_REFUSED_DAMAGED, "the kernel's symbol table is damaged: ", what, NULL);
}

/* Up to the end of the window's page, so that the next is whole. */
static int stream_fill(struct stream *stream, struct sc_refusal *why)
{
	uint32_t size = WINDOW - (uint32_t)(stream->va % WINDOW);
	int err;

	if (stream->read > NAMES_BYTES_MAX)
		return damaged(why, "its names are too long");
	err = sc_space_read(stream->space, stream->va, stream->window, size, why);
	stream->va += size;
	stream->read += size;
	stream->at = 0;
	stream->end = err ? 0 : size;
	return err;
}

static int stream_byte(struct stream *stream, uint8_t *byte, struct sc_refusal *why)
{
	int err = stream->at == stream->end ? stream_fill(stream, why) : 0;

	if (!err)
		*byte = stream->window[stream->at++];
	return err;
}

/* The tokens' texts: as much as there can be, or up to the end of the page that can be read. */
static int read_token_text(struct sc_space *space, uint64_t va, char *text, struct sc_refusal *why)
{
	size_t first = WINDOW - (size_t)(va % WINDOW);
	int err = sc_space_read(space, va, text, first, why);
	struct sc_refusal ignored;

	if (err || first >= TOKEN_BYTES_MAX)
		return err;
	(void)sc_space_read(space, va + first, text + first, TOKEN_BYTES_MAX - first, &ignored);
	return 0;
}

static int measure_tokens(struct tokens *tokens, struct sc_refusal *why)
{
	for (uint32_t i = 0; i < TOKENS; i++) {
		size_t at = tokens->index[i], end = at;

		while (end < TOKEN_BYTES_MAX && tokens->text[end])
			end++;
		if (end >= TOKEN_BYTES_MAX || end - at > UINT8_MAX)
			return damaged(why, "a token has no end");
		tokens->size[i] = (uint8_t)(end - at);
	}
	return 0;
}

static int read_tokens(struct sc_space *space, const struct note *note, struct tokens *tokens, struct sc_refusal *why)
{
	int err = sc_space_read(space, note->kallsyms_token_index, tokens->index, sizeof(tokens->index), why);

	memset(tokens->text, 0, sizeof(tokens->text));
	if (!err)
		err = read_token_text(space, note->kallsyms_token_table, tokens->text, why);
	return err ? err : measure_tokens(tokens, why);
}

static int read_length(struct stream *stream, uint32_t *length, struct sc_refusal *why)
{
	uint8_t low, high = 0;
	int err = stream_byte(stream, &low, why);

	if (!err && low & LONG_NAME)
		err = stream_byte(stream, &high, why);
	if (err)
		return err;
	*length = (uint32_t)(low & 0x7f) | (uint32_t)high << 7;
	return *length ? 0 : damaged(why, "a name is empty");
}

/* The next name, which begins with the letter of its kind: into search->name. */
static int read_name(struct search *search, struct sc_refusal *why)
{
	const struct tokens *tokens = &search->tokens;
	uint32_t length;
	int err = read_length(&search->stream, &length, why);

	search->name_size = 0;
	for (uint32_t i = 0; !err && i < length; i++) {
		uint8_t token;

		err = stream_byte(&search->stream, &token, why);
		if (err)
			return err;
		if (!tokens->size[token])
			return damaged(why, "a token is empty");
		if (tokens->size[token] > sizeof(search->name) - search->name_size)
			return damaged(why, "a name is too long");
		memcpy(search->name + search->name_size, tokens->text + tokens->index[token], tokens->size[token]);
		search->name_size += tokens->size[token];
	}
	return err;
}

static uint32_t hash_of(const char *name, size_t size)
{
	return (uint32_t)hash_bytes(HASH_OF_NOTHING, name, size);
}

static void wanted_begin(struct wanted *wanted, struct symbol *symbols, uint32_t count)
{
	memset(wanted, 0, sizeof(*wanted));
	wanted->symbols = symbols;
	for (uint32_t i = 0; i < count; i++) {
		uint8_t *first;

		wanted->hash[i] = hash_of(symbols[i].name, strlen(symbols[i].name));
		first = &wanted->first[wanted->hash[i] % BUCKETS];
		wanted->next[i] = *first;
		*first = (uint8_t)(i + 1);
		symbols[i].address = 0;
		symbols[i].count = 0;
		symbols[i].end = 0;
	}
}

/* Without the letter of its kind, and without what a compiler appends to clones, which are other functions. */
static void wanted_match(struct wanted *wanted, const char *name, size_t size, uint32_t index)
{
	uint32_t hash = hash_of(name, size);

	for (uint8_t n = wanted->first[hash % BUCKETS]; n; n = wanted->next[n - 1]) {
		struct symbol *symbol = &wanted->symbols[n - 1];

		if (wanted->hash[n - 1] == hash && strlen(symbol->name) == size && !memcmp(symbol->name, name, size)) {
			symbol->count++;
			symbol->index = index;
		}
	}
}

static int find_names(struct search *search, uint32_t total, struct sc_refusal *why)
{
	for (uint32_t i = 0; i < total; i++) {
		int err = read_name(search, why);

		if (err)
			return err;
		if (search->name_size > 1)
			wanted_match(&search->wanted, search->name + 1, search->name_size - 1, i);
	}
	return 0;
}

/* Where the offsets count from: a base, or, without one, the place of each itself. */
static int address_of(struct sc_space *space, const struct note *note, uint64_t base, uint32_t index, uint64_t *address,
		      struct sc_refusal *why)
{
	uint64_t place = note->kallsyms_offsets + 4 * (uint64_t)index;
	int32_t offset;
	int err = sc_space_read(space, place, &offset, sizeof(offset), why);

	if (!err)
		*address = note->kallsyms_relative_base ? base + (uint32_t)offset : place + (uint64_t)(int64_t)offset;
	return err;
}

/* The table is in the order of addresses. */
static int find_address(struct sc_space *space, const struct note *note, uint64_t base, uint32_t total,
			struct symbol *symbol, struct sc_refusal *why)
{
	int err = address_of(space, note, base, symbol->index, &symbol->address, why);

	for (uint32_t n = 1; !err && !symbol->end && n <= SYMBOL_ALIASES_MAX && n < total - symbol->index; n++) {
		uint64_t next;

		err = address_of(space, note, base, symbol->index + n, &next, why);
		if (!err && next > symbol->address)
			symbol->end = next;
	}
	return err;
}

static int find_addresses(struct sc_space *space, const struct note *note, uint32_t total, struct symbol *symbols,
			  uint32_t count, struct sc_refusal *why)
{
	uint64_t base = 0;
	int err = 0;

	if (note->kallsyms_relative_base)
		err = sc_space_read(space, note->kallsyms_relative_base, &base, sizeof(base), why);
	for (uint32_t i = 0; !err && i < count; i++)
		if (symbols[i].count)
			err = find_address(space, note, base, total, &symbols[i], why);
	return err;
}

/* One that the note has as well: once, and at the same address. */
static int check_anchor(const struct symbol *anchor, uint64_t address, struct sc_refusal *why)
{
	if (anchor->count != 1)
		return refusal_set(why, SC_REFUSED_DAMAGED,
				   "the kernel's symbol table is damaged: it has not exactly one ", anchor->name, NULL);
	if (anchor->address != address)
		return refusal_set(why, SC_REFUSED_DAMAGED, "the kernel's symbol table is damaged: ", anchor->name,
				   " is elsewhere than its note says");
	return 0;
}

/* Sets it if it is one that tables of functions have not. */
static void set_of_build(struct symbol *symbol, const struct build *build, uint64_t stext)
{
	for (uint32_t i = 0; i < BUILD_SYMBOLS; i++)
		if (!symbol->count && strcmp(sc_build_names[i], symbol->name) == 0) {
			symbol->address = stext + build->offset[i];
			symbol->count = 1;
		}
}

static int fill_in(const struct note *note, struct symbol *symbols, uint32_t count, struct sc_refusal *why)
{
	const struct build *build = sc_build_of(note->build_id);

	if (!build)
		return refusal_set(why, SC_REFUSED_ABSENT,
				   "the kernel's symbol table has functions only (CONFIG_KALLSYMS_ALL is not set), and "
				   "no table has its build: ",
				   note->build_id, NULL);
	for (uint32_t i = 0; i < count; i++)
		set_of_build(&symbols[i], build, note->stext);
	return 0;
}

/* What a table must have to be one: the text's begin, and, with what is known of the build, the kernel's first table.
 */
static int check_anchors(const struct note *note, struct symbol *all, uint32_t count, struct sc_refusal *why)
{
	const struct symbol *stext = &all[count], *swapper = stext + 1;
	int err = check_anchor(stext, note->stext, why);

	if (!err && !swapper->count)
		err = fill_in(note, all, count + ANCHORS, why);
	return err ? err : check_anchor(swapper, note->swapper_pg_dir, why);
}

int sc_symbols_find(struct sc_space *space, const struct note *note, struct sc_arena *arena, struct symbol *symbols,
		    uint32_t count, struct sc_refusal *why)
{
	struct search *search = sc_arena_take(arena, sizeof(*search), why);
	struct symbol *all = sc_arena_take(arena, (count + ANCHORS) * sizeof(*all), why);
	struct symbol *stext = all + count, *swapper = stext + 1;
	uint32_t total = 0;
	int err;

	if (!search || !all)
		return -SC_REFUSED_SPACE;
	memcpy(all, symbols, count * sizeof(*all));
	stext->name = "_stext";
	swapper->name = "swapper_pg_dir";
	search->stream = (struct stream){ .space = space, .va = note->kallsyms_names };
	wanted_begin(&search->wanted, all, count + ANCHORS);
	err = sc_space_read(space, note->kallsyms_num_syms, &total, sizeof(total), why);
	if (!err && (total == 0 || total > SYMBOLS_MAX))
		err = damaged(why, total ? "no kernel has so many symbols" : "it is empty");
	err = err ? err : read_tokens(space, note, &search->tokens, why);
	err = err ? err : find_names(search, total, why);
	err = err ? err : find_addresses(space, note, total, all, count + ANCHORS, why);
	err = err ? err : check_anchors(note, all, count, why);
	if (!err)
		memcpy(symbols, all, count * sizeof(*all));
	return err;
}
