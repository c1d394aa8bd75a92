/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF as a compiler would have made it, for tests of repair/.
 *
 * Policy: types are appended and get the next number; nothing is checked, so that tests can write what is wrong, too.
 * Source: Linux, include/uapi/linux/btf.h.
 */
#ifndef FAKE_LINUX_TYPES_H
#define FAKE_LINUX_TYPES_H

#include <stddef.h>
#include <stdint.h>

#define LINUX_TYPES_MAX 65536u

enum {
	LINUX_KIND_INT = 1,
	LINUX_KIND_PTR = 2,
	LINUX_KIND_ARRAY = 3,
	LINUX_KIND_STRUCT = 4,
	LINUX_KIND_UNION = 5,
	LINUX_KIND_ENUM = 6,
	LINUX_KIND_FWD = 7,
	LINUX_KIND_TYPEDEF = 8,
	LINUX_KIND_CONST = 10,
};

struct linux_types {
	uint8_t types[LINUX_TYPES_MAX];
	char strings[LINUX_TYPES_MAX];
	uint32_t types_size;
	uint32_t strings_size;
	uint32_t count; /* the last type's number */
};

struct linux_member {
	const char *name;
	uint32_t type;
	uint32_t bit_offset;
	uint32_t bits; /* of a bit field; 0: none */
};

void linux_types_begin(struct linux_types *types);

/* All return the new type's number. `size` is that of the type, or the type that it refers to. */
uint32_t linux_type(struct linux_types *types, uint32_t kind, const char *name, uint32_t size);
uint32_t linux_type_int(struct linux_types *types, const char *name, uint32_t size);
uint32_t linux_type_array(struct linux_types *types, uint32_t element, uint32_t count);
uint32_t linux_type_struct(struct linux_types *types, uint32_t kind, const char *name, uint32_t size,
			   const struct linux_member *members, uint32_t count);

/* The whole as bytes, at most `room` of them; how many. */
size_t linux_types_write(const struct linux_types *types, uint8_t *to, size_t room);

#endif
