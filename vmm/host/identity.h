/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a processor says it is: the registers by which a guest learns of it, field by field.
 *
 * Policy: pure. A field is ordered: whoever has more can be told to offer less, if its KVM lets the field be written.
 * So what a host can offer of a field is a range, and what several hosts can is where their ranges meet. How each field
 * is ordered is in the tables of identity.c, with their source; what they do not know is exact, which is the strict
 * reading. KVM has the last word whenever a register is written.
 */
#ifndef VMM_HOST_IDENTITY_H
#define VMM_HOST_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* KVM's numbers of registers: system registers by their encoding, and those of its firmware interface. */
#define IDENTITY_SYSTEM(op0, op1, crn, crm, op2)                                                                       \
	(0x6030000000130000u | (uint64_t)(op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define IDENTITY_FIRMWARE(n) (0x6030000000140000u | (uint64_t)(n))
#define IDENTITY_BITMAP(n) (0x6030000000160000u | (uint64_t)(n))

#define IDENTITY_MIDR IDENTITY_SYSTEM(3, 0, 0, 0, 0)
#define IDENTITY_REVIDR IDENTITY_SYSTEM(3, 0, 0, 0, 6)
#define IDENTITY_AIDR IDENTITY_SYSTEM(3, 1, 0, 0, 7)
#define IDENTITY_CTR IDENTITY_SYSTEM(3, 3, 0, 0, 1)
#define IDENTITY_MMFR1 IDENTITY_SYSTEM(3, 0, 0, 7, 1)
#define IDENTITY_PSCI IDENTITY_FIRMWARE(0)

struct identity_register {
	uint64_t id;
	uint64_t value;	   /* what a guest has that is not told otherwise */
	uint64_t writable; /* the bits that KVM lets a machine have otherwise */
};

#define IDENTITY_MAX 96u

/* By ascending id, each once. */
struct identity {
	struct identity_register reg[IDENTITY_MAX];
	uint32_t count;
};

/* NULL if there is none. */
const struct identity_register *identity_find(const struct identity *identity, uint64_t id);
/* Adds one in its place, or replaces it; false if there is no room. */
bool identity_set(struct identity *identity, const struct identity_register *reg);

/* Whether such a register says what a processor, or KVM's firmware interface, is. */
bool identity_is_one(uint64_t id);

/* Whether it says which implementation of the architecture it is: MIDR_EL1, REVIDR_EL1 or AIDR_EL1. */
#define IDENTITY_IMPLEMENTATION_MAX 3u
bool identity_is_implementation(uint64_t id);
/* Number `instance` of those that are there; NULL after the last. And whether there is one. */
const struct identity_register *identity_implementation_at(const struct identity *identity, uint32_t instance);
bool identity_has_implementation(const struct identity *identity);

/* As the architecture calls it, such as ID_AA64ISAR0_EL1, S3_0_C0_C3_7 or SMCCC_ARCH_WORKAROUND_1; and back. */
#define IDENTITY_NAME_SIZE 32u
const char *identity_name(uint64_t id, char text[IDENTITY_NAME_SIZE]);
bool identity_parse(const char *name, uint64_t *id);

/* ---- Fields ---- */

enum identity_order {
	IDENTITY_LOWER,	 /* less can be offered */
	IDENTITY_SIGNED, /* the same, in two's complement: all ones is none */
	IDENTITY_HIGHER, /* more can be offered, and 0 is most */
	IDENTITY_FREE,	 /* whatever is written */
	IDENTITY_EXACT,	 /* nothing else */
};

struct identity_field {
	uint32_t shift, width; /* bits */
	enum identity_order order;
	const char *name; /* "": it has none here */
};

/* Field number n of a register; false after the last. Together they have all 64 bits, each once. */
bool identity_field_at(uint64_t id, uint32_t n, struct identity_field *field);
uint64_t identity_field_mask(const struct identity_field *field);
uint64_t identity_field_get(const struct identity_field *field, uint64_t value);
/* Such as "SHA2" or "bits 15 to 12". */
const char *identity_field_name(const struct identity_field *field, char text[IDENTITY_NAME_SIZE]);

/* What can be offered of a field: `value` and, unless it is fixed, all that is less in the field's order. */
struct identity_range {
	uint64_t value;
	bool fixed;
	bool empty; /* nothing at all */
};

struct identity_range identity_range_of(const struct identity_field *field, const struct identity_register *reg);
/* What both can. The order does not matter, and a range meets itself in itself. */
struct identity_range identity_range_meet(const struct identity_field *field, struct identity_range a,
					  struct identity_range b);
bool identity_range_has(const struct identity_field *field, struct identity_range range, uint64_t value);

/* ---- A guest's register at another host ---- */

enum identity_verdict {
	IDENTITY_FITS,
	IDENTITY_LEVEL, /* not as it is, but both hosts can offer less */
	IDENTITY_NEVER, /* there is nothing that both can offer */
};

/*
 * A guest that has `value`, from a host whose register is `from`, at one whose register is `to`. Unless it fits, *field
 * is the first that stands in the way, of those that make the verdict.
 */
enum identity_verdict identity_judge(uint64_t value, const struct identity_register *from,
				     const struct identity_register *to, struct identity_field *field);

#endif
