/* SPDX-License-Identifier: BSD-2-Clause */
/* VMCOREINFO: see the header. */
#include "note.h"
#include "memory.h"
#include "refusal.h"
#include "space.h"

#include <string.h>

#define PAGE 4096u
#define NOTE_NAME "VMCOREINFO"
/* A forged guest can be full of notes; each whose header is right costs the reading of its text. */
#define CANDIDATE_MAX 64u
/* tramp_pg_dir lies so many pages before swapper_pg_dir (arch/arm64/kernel/vmlinux.lds.S). */
#define TRAMPOLINE_PAGES 2u

struct note_header {
	uint32_t name_size;
	uint32_t text_size;
	uint32_t type;
	char name[12];
};

enum value_kind {
	VALUE_DECIMAL, /* or hexadecimal after 0x */
	VALUE_HEX,
};

struct key {
	const char *name;
	size_t offset; /* in struct note */
	enum value_kind kind;
	bool optional;
};

#define KEY(name, member, kind, optional)                                                                              \
	{                                                                                                              \
		name, offsetof(struct note, member), kind, optional                                                    \
	}

static const struct key keys[] = {
	KEY("PAGESIZE", page_size, VALUE_DECIMAL, false),
	KEY("NUMBER(kimage_voffset)", kimage_voffset, VALUE_DECIMAL, false),
	KEY("SYMBOL(swapper_pg_dir)", swapper_pg_dir, VALUE_HEX, false),
	KEY("SYMBOL(_stext)", stext, VALUE_HEX, false),
	KEY("SYMBOL(kallsyms_names)", kallsyms_names, VALUE_HEX, false),
	KEY("SYMBOL(kallsyms_num_syms)", kallsyms_num_syms, VALUE_HEX, false),
	KEY("SYMBOL(kallsyms_token_table)", kallsyms_token_table, VALUE_HEX, false),
	KEY("SYMBOL(kallsyms_token_index)", kallsyms_token_index, VALUE_HEX, false),
	KEY("SYMBOL(kallsyms_offsets)", kallsyms_offsets, VALUE_HEX, false),
	KEY("SYMBOL(kallsyms_relative_base)", kallsyms_relative_base, VALUE_HEX, true),
};

/* The value of the key in [*text, *text + size), up to the end of its line; NULL without such a line. */
static const char *value_of(const char *text, size_t size, const char *key, size_t *length)
{
	size_t key_size = strlen(key), begin = 0, end;

	for (; begin < size; begin = end + 1) {
		for (end = begin; end < size && text[end] != '\n'; end++)
			;
		if (end - begin > key_size && text[begin + key_size] == '=' && !memcmp(text + begin, key, key_size)) {
			*length = end - begin - key_size - 1;
			return text + begin + key_size + 1;
		}
	}
	return NULL;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* The whole of [text, text + length) as a number; false if it is none, or more than 64 bits. */
static bool parse_number(const char *text, size_t length, enum value_kind kind, uint64_t *value)
{
	uint64_t base = kind == VALUE_HEX ? 16 : 10;

	if (length > 2 && text[0] == '0' && text[1] == 'x') {
		base = 16;
		text += 2;
		length -= 2;
	}
	*value = 0;
	for (size_t i = 0; i < length; i++) {
		uint64_t digit = (uint64_t)digit_of(text[i]);

		if (digit >= base || *value > (~0ull - digit) / base)
			return false;
		*value = *value * base + digit;
	}
	return length > 0;
}

/* A value that occurs twice is a forgery, or two notes on top of each other. */
static int find_value(const char *text, size_t size, const struct key *key, const char **value, size_t *length,
		      struct sc_refusal *why)
{
	size_t rest;

	*value = value_of(text, size, key->name, length);
	if (!*value)
		return key->optional
			       ? 0
			       : refusal_set(why, SC_REFUSED_ABSENT, "the VMCOREINFO note has no ", key->name, NULL);
	rest = size - (size_t)(*value - text) - *length;
	if (value_of(*value + *length, rest, key->name, &rest))
		return refusal_set(why, SC_REFUSED_DAMAGED, key->name, " occurs twice in the VMCOREINFO note", NULL);
	return 0;
}

static int parse_key(const char *text, size_t size, const struct key *key, struct note *note, struct sc_refusal *why)
{
	const char *value;
	size_t length = 0;
	uint64_t number = 0;
	int err = find_value(text, size, key, &value, &length, why);

	if (err)
		return err;
	if (value && !parse_number(value, length, key->kind, &number))
		return refusal_set(why, SC_REFUSED_DAMAGED, "the VMCOREINFO note's ", key->name, " is not a number");
	memcpy((uint8_t *)note + key->offset, &number, sizeof(number));
	return 0;
}

static bool is_printable(char c)
{
	return c >= '!' && c <= '~';
}

static bool is_hexadecimal(char c)
{
	return digit_of(c) < 16;
}

static int parse_string(const char *text, size_t size, const struct key *key, bool (*allowed)(char c), size_t room,
			char *to, struct sc_refusal *why)
{
	const char *value;
	size_t length = 0;
	int err = find_value(text, size, key, &value, &length, why);

	if (err)
		return err;
	if (length >= room)
		return refusal_set(why, SC_REFUSED_DAMAGED, "the VMCOREINFO note's ", key->name, " is too long");
	for (size_t i = 0; i < length; i++) {
		if (!allowed(value[i]))
			return refusal_set(why, SC_REFUSED_DAMAGED, "the VMCOREINFO note's ", key->name,
					   " has characters that none has");
		to[i] = value[i];
	}
	to[length] = '\0';
	return 0;
}

int sc_note_parse(const char *text, size_t size, struct note *note, struct sc_refusal *why)
{
	static const struct key release = { .name = "OSRELEASE" }, build_id = { .name = "BUILD-ID", .optional = true };
	int err = parse_string(text, size, &release, is_printable, sizeof(note->release), note->release, why);

	if (!err)
		err = parse_string(text, size, &build_id, is_hexadecimal, sizeof(note->build_id), note->build_id, why);
	for (size_t i = 0; !err && i < sizeof(keys) / sizeof(keys[0]); i++)
		err = parse_key(text, size, &keys[i], note, why);
	return err;
}

/*
 * Whether the kernel's own first table is where the note says by its tables, too. A kernel that was at the same place
 * before (kexec, a reboot that keeps memory) had it at another address, unless nothing tells the two apart.
 */
static bool maps_itself(const struct note *note, struct sc_space *space)
{
	struct sc_refusal ignored;
	uint64_t pa, left;

	return !sc_space_translate(space, note->swapper_pg_dir, &pa, &left, &ignored) &&
	       pa == note->swapper_pg_dir - note->kimage_voffset;
}

/* Whether the tables of a vCPU are the kernel's of the note, or those that it has for user space. */
static bool fits(const struct note *note, struct sc_space *space, bool *trampoline)
{
	uint64_t swapper = note->swapper_pg_dir - note->kimage_voffset;
	uint64_t user = swapper - TRAMPOLINE_PAGES * note->page_size;

	if (note->page_size != 1ull << space->granule_bits)
		return false;
	*trampoline = space->table - user < note->page_size;
	if (*trampoline)
		space->table += TRAMPOLINE_PAGES * note->page_size;
	/* With fewer bits than it was built for the kernel begins in the middle of its first table. */
	return space->table - swapper < note->page_size && maps_itself(note, space);
}

/* Whether two notes say the same of all that is taken from them. */
static bool equal(const struct note *one, const struct note *other)
{
	const size_t numbers = offsetof(struct note, page_size);

	return !strcmp(one->release, other->release) && !strcmp(one->build_id, other->build_id) &&
	       !memcmp((const uint8_t *)one + numbers, (const uint8_t *)other + numbers, sizeof(*one) - numbers);
}

/* Whether any vCPU runs the kernel of the note; opens its address space. */
static bool runs(const struct sc_guest_port *guest, const struct note *note, struct sc_space *space, bool *trampoline)
{
	for (uint32_t vcpu = 0; vcpu < guest->vcpu_count; vcpu++) {
		struct sc_vcpu_tables tables;
		struct sc_refusal why;

		if (guest->tables(guest->context, vcpu, &tables) && !sc_space_open(space, guest, &tables, &why) &&
		    fits(note, space, trampoline))
			return true;
	}
	return false;
}

struct search {
	const struct sc_guest_port *guest;
	char *text;
	uint32_t candidates; /* notes that look like one */
	uint32_t running;    /* of these, what is run; equal ones count as one */
	struct note note;    /* the first of those */
	struct sc_space space;
	bool trampoline;
};

/* Looks at one page. What is damaged is not a note, so that nobody can forge one that keeps the real one out. */
static int look_at(struct search *search, uint64_t address, struct sc_refusal *why)
{
	struct note_header header;
	struct note note;
	struct sc_refusal ignored;
	struct sc_space space;
	bool trampoline;

	if (sc_ram_read(search->guest, address, &header, sizeof(header), &ignored) || header.name_size != 11 ||
	    header.type || memcmp(header.name, NOTE_NAME "\0", sizeof(header.name)) != 0 || !header.text_size ||
	    header.text_size > NOTE_TEXT_MAX)
		return 0;
	if (++search->candidates > CANDIDATE_MAX)
		return refusal_set(why, SC_REFUSED_DAMAGED, "guest memory has more VMCOREINFO notes than are looked at",
				   NULL, NULL);
	if (sc_ram_read(search->guest, address + sizeof(header), search->text, header.text_size, &ignored) ||
	    sc_note_parse(search->text, header.text_size, &note, &ignored) ||
	    !runs(search->guest, &note, &space, &trampoline))
		return 0;
	if (search->running && equal(&search->note, &note))
		return 0;
	if (search->running++)
		return 0;
	search->note = note;
	search->space = space;
	search->trampoline = trampoline;
	return 0;
}

static int look_everywhere(struct search *search, struct sc_refusal *why)
{
	const struct sc_guest_port *guest = search->guest;
	uint64_t from = 0, start, end;

	while (guest->next(guest->context, from, &start, &end) && end > from) {
		uint64_t at = start > from ? start : from;

		/* The last page of the address space cannot be stepped over. */
		for (at = (at + PAGE - 1) & ~(uint64_t)(PAGE - 1); at < end && end - at >= PAGE; at += PAGE) {
			int err = look_at(search, at, why);

			if (err)
				return err;
		}
		from = end;
	}
	return 0;
}

/* That any vCPU translates kernel addresses; else why the last one that is on does not. */
static int check_vcpus(const struct sc_guest_port *guest, struct sc_refusal *why)
{
	int err = refusal_set(why, SC_REFUSED_ABSENT, "all vCPUs are powered off", NULL, NULL);

	for (uint32_t vcpu = 0; err && vcpu < guest->vcpu_count; vcpu++) {
		struct sc_vcpu_tables tables;
		struct sc_space space;

		if (guest->tables(guest->context, vcpu, &tables))
			err = sc_space_open(&space, guest, &tables, why);
	}
	return err;
}

int sc_note_find(const struct sc_guest_port *guest, char *text, struct note *note, struct sc_space *space,
		 bool *trampoline, struct sc_refusal *why)
{
	struct search search = { .guest = guest, .text = text };
	int err = check_vcpus(guest, why);

	err = err ? err : look_everywhere(&search, why);
	if (err)
		return err;
	if (!search.candidates)
		return refusal_set(why, SC_REFUSED_ABSENT, "guest memory has no VMCOREINFO note", NULL, NULL);
	if (!search.running)
		return refusal_set(why, SC_REFUSED_ABSENT,
				   "no VMCOREINFO note is that of the kernel that the vCPUs run", NULL, NULL);
	if (search.running > 1)
		return refusal_set(why, SC_REFUSED_DAMAGED,
				   "several VMCOREINFO notes claim to be of the running kernel", NULL, NULL);
	*note = search.note;
	*space = search.space;
	*trampoline = search.trampoline;
	return 0;
}
