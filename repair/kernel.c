/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel: found step by step - note, tables, symbols, types - and judged by its layout.
 *
 * Policy: the first thing that is not right ends it, with the clause. What the guest writes meanwhile does no harm: all
 * that is judged was copied before.
 */
#include "layout.h"
#include "memory.h"
#include "note.h"
#include "refusal.h"
#include "series.h"
#include "space.h"
#include "symbols.h"

#include <string.h>

/* What is looked up besides the variables. */
enum {
	WANTED_BTF_START,
	WANTED_BTF_STOP,
	WANTED_TRAMPOLINE,
	WANTED_FIXED,
};

/* Functions behind the fixed ones, and variables behind those. */
#define WANTED_MAX (WANTED_FIXED + SC_FUNCTION_COUNT + SC_VARIABLE_COUNT)
_Static_assert(WANTED_MAX <= SYMBOLS_WANTED_MAX, "so many symbols are looked up at once");

struct search {
	struct note note;
	bool trampoline;
	struct symbol symbols[WANTED_MAX];
	uint32_t symbol_count;
	uint32_t function_end;		       /* the number of the first variable */
	enum sc_function function[WANTED_MAX]; /* of the symbols that are functions */
	enum sc_variable variable[WANTED_MAX]; /* and of those that are variables */
	char text[NOTE_TEXT_MAX];
};

/* Behind each of what is taken, up to 7 bytes are lost. */
_Static_assert(sizeof(struct search) + SYMBOLS_ARENA_MAX + BTF_SIZE_MAX + TYPES_ARENA_MAX + 64 <= SC_REPAIR_ARENA_SIZE,
	       "the arena has room for any kernel that is taken");

static void want(struct search *search, const char *name)
{
	search->symbols[search->symbol_count++] = (struct symbol){ .name = name };
}

static void want_all(struct search *search, uint8_t series)
{
	want(search, "__start_BTF");
	want(search, "__stop_BTF");
	want(search, "tramp_pg_dir");
	for (uint32_t i = 0; i < sc_series_function_count; i++)
		if (sc_series_functions[i].in & series) {
			search->function[search->symbol_count] = sc_series_functions[i].function;
			want(search, sc_series_functions[i].name);
		}
	search->function_end = search->symbol_count;
	for (uint32_t i = 0; i < sc_series_variable_count; i++)
		if (sc_series_variables[i].in & series) {
			search->variable[search->symbol_count] = sc_series_variables[i].variable;
			want(search, sc_series_variables[i].name);
		}
}

/* Of static variables of one name nothing tells which is which. */
static int check_symbol(const struct symbol *symbol, struct sc_refusal *why)
{
	if (!symbol->count)
		return refusal_set(why, SC_REFUSED_ABSENT, "the kernel has no symbol ", symbol->name, NULL);
	if (symbol->count > 1)
		return refusal_set(why, SC_REFUSED_UNKNOWN, "the kernel has several symbols ", symbol->name, NULL);
	return 0;
}

/* What the vCPU runs by was taken for the tables of user space, two pages before the kernel's: they must lie there. */
static int check_trampoline(const struct search *search, struct sc_refusal *why)
{
	const struct symbol *tramp = &search->symbols[WANTED_TRAMPOLINE];

	if (!search->trampoline ||
	    (tramp->count == 1 && tramp->address == search->note.swapper_pg_dir - 2 * search->note.page_size))
		return 0;
	return refusal_set(why, SC_REFUSED_DAMAGED, "the vCPUs run by other tables than the kernel's note says", NULL,
			   NULL);
}

/* Kernels have no function that goes on beyond the last symbol; one that is longer than this is none of these. */
#define CODE_MAX 4096u

static int take_function(const struct symbol *symbol, struct sc_code *code, struct sc_refusal *why)
{
	int err = check_symbol(symbol, why);

	if (!err && symbol->end - symbol->address > CODE_MAX)
		err = refusal_set(why, SC_REFUSED_DAMAGED, "the kernel's symbol table is damaged: nothing says where ",
				  symbol->name, " ends");
	*code = (struct sc_code){ .start = symbol->address, .end = symbol->end };
	return err;
}

static int find_symbols(struct search *search, struct sc_arena *arena, struct sc_kernel *kernel, uint8_t series,
			struct sc_refusal *why)
{
	int err;

	want_all(search, series);
	err = sc_symbols_find(&kernel->space, &search->note, arena, search->symbols, search->symbol_count, why);
	err = err ? err : check_trampoline(search, why);
	for (uint32_t i = WANTED_FIXED; !err && i < search->function_end; i++)
		err = take_function(&search->symbols[i], &kernel->code[search->function[i]], why);
	for (uint32_t i = search->function_end; !err && i < search->symbol_count; i++) {
		err = check_symbol(&search->symbols[i], why);
		kernel->address[search->variable[i]] = search->symbols[i].address;
	}
	return err;
}

static int read_btf(struct search *search, struct sc_arena *arena, struct sc_kernel *kernel, struct types *btf,
		    struct sc_refusal *why)
{
	const struct symbol *start = &search->symbols[WANTED_BTF_START], *stop = &search->symbols[WANTED_BTF_STOP];
	uint64_t size = stop->address - start->address;
	void *bytes;
	int err;

	if (!start->count || !stop->count)
		return refusal_set(why, SC_REFUSED_ABSENT, "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF is not set)",
				   NULL, NULL);
	err = check_symbol(start, why);
	err = err ? err : check_symbol(stop, why);
	if (err)
		return err;
	if (stop->address < start->address)
		return refusal_set(why, SC_REFUSED_DAMAGED, "the kernel's BTF is damaged: it ends before it begins",
				   NULL, NULL);
	if (size > BTF_SIZE_MAX)
		return refusal_set(why, SC_REFUSED_DAMAGED, "the kernel's BTF is damaged: it is too large", NULL, NULL);
	bytes = sc_arena_take(arena, size, why);
	if (!bytes)
		return -SC_REFUSED_SPACE;
	err = sc_space_read(&kernel->space, start->address, bytes, (size_t)size, why);
	return err ? err : sc_types_open(btf, bytes, (size_t)size, arena, why);
}

static int find(const struct sc_guest_port *guest, struct sc_arena *arena, struct search *search,
		struct sc_kernel *kernel, struct sc_refusal *why)
{
	struct sc_series series;
	struct types btf;
	int err = sc_note_find(guest, search->text, &search->note, &kernel->space, &search->trampoline, why);

	if (err)
		return err;
	memcpy(kernel->release, search->note.release, sizeof(kernel->release));
	memcpy(kernel->build_id, search->note.build_id, sizeof(kernel->build_id));
	if (!sc_series_of_release(kernel->release, &series))
		return refusal_set(why, SC_REFUSED_UNKNOWN, "the kernel's release is not a version: ", kernel->release,
				   NULL);
	/* Before the series is judged: that a kernel has no data symbols is the better reason. */
	err = find_symbols(search, arena, kernel, sc_series_bit(&series), why);
	err = err ? err : read_btf(search, arena, kernel, &btf, why);
	err = err ? err : sc_layout_read(&kernel->layout, &series, &btf, why);
	return err ? err : sc_layout_judge(&kernel->layout, &kernel->known_by, why);
}

int sc_kernel_find(const struct sc_guest_port *guest, struct sc_arena *arena, struct sc_kernel *kernel,
		   struct sc_refusal *why)
{
	struct search *search = sc_arena_take(arena, sizeof(*search), why);
	int err;

	*kernel = (struct sc_kernel){ 0 };
	if (!search)
		return -SC_REFUSED_SPACE;
	search->symbol_count = 0;
	err = find(guest, arena, search, kernel, why);
	if (err)
		*kernel = (struct sc_kernel){ 0 };
	return err;
}
