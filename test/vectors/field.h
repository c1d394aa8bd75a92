/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structures as JSON and back, by tables of their members.
 *
 * Policy: a number is a string of decimal digits, since JSON's own lose what is beyond 2^53; bytes are a string of
 * hexadecimal digits. Within a structure, what is 0 or false may be left out, and an array may end before its zeroes.
 */
#ifndef TEST_VECTORS_FIELD_H
#define TEST_VECTORS_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_BYTES_MAX 4096u

struct field_bytes {
	size_t size;
	uint8_t data[FIELD_BYTES_MAX] __attribute__((aligned(8)));
};

enum field_kind {
	FIELD_END,
	FIELD_U32, /* enums, too */
	FIELD_U64,
	FIELD_I64,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_BYTES, /* struct field_bytes */
	FIELD_STRUCT,
};

struct field {
	const char *name;
	enum field_kind kind;
	size_t offset;
	size_t size;		    /* of one element */
	size_t count;		    /* 0: no array */
	const struct field *fields; /* of a structure; FIELD_END ends them */
};

#define FIELD(of, member, what)                                                                                        \
	{                                                                                                              \
#member, FIELD_##what, offsetof(struct of, member), sizeof(((struct of *)0)->member), 0, NULL          \
	}
#define FIELD_ARRAY(of, member, what, elements)                                                                        \
	{                                                                                                              \
#member, FIELD_##what, offsetof(struct of, member), sizeof(((struct of *)0)->member[0]), elements,     \
			NULL                                                                                           \
	}
#define FIELD_IN(of, member, table)                                                                                    \
	{                                                                                                              \
#member, FIELD_STRUCT, offsetof(struct of, member), sizeof(((struct of *)0)->member), 0, table         \
	}
#define FIELD_IN_ARRAY(of, member, table, elements)                                                                    \
	{                                                                                                              \
#member, FIELD_STRUCT, offsetof(struct of, member), sizeof(((struct of *)0)->member[0]), elements,     \
			table                                                                                          \
	}

/* The members that `fields` names, of the structure at `base`; with `terse`, without those that are 0. */
json_t *field_encode(const struct field *fields, const void *base, bool terse);

/* The reverse; members that are not there become 0. False if one is not of its kind, or not known. */
bool field_decode(const struct field *fields, const json_t *object, void *base);

#endif
