/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BTF: the kernel's own description of its types.
 *
 * Policy: opening looks at every record once, so that each is known to lie within; what records refer to is checked
 * where it is followed, to a bounded depth, and no name is longer than 511 bytes. Nothing is corrected: a structure of
 * a name that occurs twice, or a member of one, is refused. Source: Linux, Documentation/bpf/btf.rst,
 * include/uapi/linux/btf.h.
 */
#ifndef REPAIR_TYPES_H
#define REPAIR_TYPES_H

#include <seaclock/repair.h>

/* Kernels have up to 6 MiB and 130,000 types. */
#define BTF_SIZE_MAX (16u << 20)
#define BTF_TYPES_MAX (1u << 18)
#define BTF_HEADER_SIZE 24u
/* What the index takes from the arena at most, in bytes: two numbers for each type. */
#define TYPES_ARENA_MAX (2u * BTF_TYPES_MAX * sizeof(uint32_t))

/* Anonymous structs in each other are followed so deep, and so many members are looked at for one question. */
#define TYPES_DEPTH_MAX 6u
#define TYPES_WORK_MAX 8192u

struct types {
	const uint8_t *types;
	const char *strings;
	const uint32_t *index;	 /* where each type lies, in bytes from `types`; type 0 is void and has none */
	const uint32_t *structs; /* the types that are structs */
	uint32_t types_size;
	uint32_t strings_size;
	uint32_t struct_count;
	uint32_t count; /* one more than the last type */
};

/* What a type is once names for types and qualifiers are taken off. */
enum type_class {
	TYPE_VOID,
	TYPE_INTEGER, /* also enumerations and floating-point numbers */
	TYPE_POINTER,
	TYPE_ARRAY,
	TYPE_STRUCT, /* also unions */
	TYPE_OTHER,  /* functions and the like, which have no size */
};

struct type {
	enum type_class class;
	uint32_t kind;	   /* as BTF numbers it */
	uint32_t encoding; /* of a BTF_KIND_INT: its encoding, offset and bits, as BTF has them in one word; else 0 */
	uint32_t id;	   /* of the plain type */
	uint32_t size;	   /* in bytes */
	uint32_t target;   /* of an array: its elements' type; of a pointer: what it leads to */
	uint32_t elements; /* of an array: how many */
	const char *name;  /* of the plain type; empty if it has none */
	uint32_t members;  /* of a struct or union */
};

struct member {
	const char *name; /* empty: an anonymous struct or union */
	uint32_t type;
	uint32_t bit_offset; /* in the struct */
	uint32_t bits;	     /* of a bit field; 0 if it is none */
};

/* `bytes` must stay. The index comes from the arena. -SC_REFUSED_DAMAGED, -SC_REFUSED_SPACE. */
int sc_types_open(struct types *btf, const void *bytes, size_t size, struct sc_arena *arena, struct sc_refusal *why);

/* How long the BTF that begins with these BTF_HEADER_SIZE bytes is; 0 if they are no header. */
size_t sc_types_size(const uint8_t *header);

/* Any id. -SC_REFUSED_DAMAGED if it, or what it leads to, is not a type. */
int sc_types_describe(const struct types *btf, uint32_t id, struct type *type, struct sc_refusal *why);

/* Member n of a struct or union, n < type->members. -SC_REFUSED_DAMAGED. */
int sc_types_member(const struct types *btf, const struct type *type, uint32_t n, struct member *member,
		    struct sc_refusal *why);

/* The one struct of that name, which must have members. -SC_REFUSED_ABSENT, -SC_REFUSED_UNKNOWN, -SC_REFUSED_DAMAGED.
 */
int sc_types_struct(const struct types *btf, const char *name, struct type *type, struct sc_refusal *why);

/* The one struct without a name whose members are called exactly so, in this order. As sc_types_struct(). */
int sc_types_anonymous(const struct types *btf, const char *const *names, uint32_t count, struct type *type,
		       struct sc_refusal *why);

/* What to call it in a clause, behind "the kernel's struct ". */
const char *sc_types_name(const struct type *type);

/*
 * The member `name` of a struct, also of the anonymous structs and unions in it: where it lies, in bytes, and its size.
 * Bit fields, and numbers that are not all of their bytes, are refused. -SC_REFUSED_ABSENT, -SC_REFUSED_DAMAGED.
 */
int sc_types_place(const struct types *btf, const struct type *type, const char *name, struct sc_place *place,
		   struct sc_refusal *why);

#endif
