/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a processor says it is: see the header.
 *
 * Sources: the Arm Architecture Reference Manual (DDI 0487), "Principles of the ID scheme for fields in ID registers":
 * fields have 4 bits and are unsigned, and more is more, but for those that it lists. Which are signed, exact or
 * ordered the other way is as in arch/arm64/kernel/cpufeature.c of Linux 6.12, arm64_ftr_safe_value(), and, where KVM
 * has its own order (DebugVer, PMUVer), as in kvm_arm64_ftr_safe_value(). Firmware registers: Linux's
 * Documentation/virt/kvm/arm/fw-pseudo-registers.rst, by which what is less can always be set.
 */
#include "host/identity.h"

#include <stdio.h>
#include <string.h>

enum shape {
	SHAPE_NIBBLES, /* fields of 4 bits */
	SHAPE_FREE,    /* all of it is one field, of this order */
	SHAPE_EXACT,
	SHAPE_LOWER,
	SHAPE_BITS,   /* a field each */
	SHAPE_CACHES, /* CTR_EL0 */
};

#define NIBBLES 16u

struct known {
	uint64_t id;
	const char *name;
	enum shape shape;
	uint32_t is_signed, exact; /* of nibbles, a bit each */
	const char *field[NIBBLES];
};

#define N(n) (1u << (n))
#define OLD(crm, op2, name)                                                                                            \
	{                                                                                                              \
		IDENTITY_SYSTEM(3, 0, 0, crm, op2), name, SHAPE_NIBBLES, 0, 0,                                         \
		{                                                                                                      \
			NULL                                                                                           \
		}                                                                                                      \
	}

static const struct known known_table[] = {
	{ IDENTITY_MIDR, "MIDR_EL1", SHAPE_FREE, 0, 0, { NULL } },
	{ IDENTITY_REVIDR, "REVIDR_EL1", SHAPE_FREE, 0, 0, { NULL } },
	{ IDENTITY_AIDR, "AIDR_EL1", SHAPE_FREE, 0, 0, { NULL } },
	{ IDENTITY_CTR, "CTR_EL0", SHAPE_CACHES, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 1, 0, 0, 1), "CLIDR_EL1", SHAPE_EXACT, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 4, 0),
	  "ID_AA64PFR0_EL1",
	  SHAPE_NIBBLES,
	  N(4) | N(5),
	  0,
	  { "EL0", "EL1", "EL2", "EL3", "FP", "AdvSIMD", "GIC", "RAS", "SVE", "SEL2", "MPAM", "AMU", "DIT", "RME",
	    "CSV2", "CSV3" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 4, 1),
	  "ID_AA64PFR1_EL1",
	  SHAPE_NIBBLES,
	  0,
	  0,
	  { "BT", "SSBS", "MTE", "RAS_frac", "MPAM_frac", NULL, "SME", "RNDR_trap", "CSV2_frac", "NMI", "MTE_frac",
	    "GCS", "THE", "MTEX", "DF2", "PFAR" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 4, 2), "ID_AA64PFR2_EL1", SHAPE_NIBBLES, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 4, 4),
	  "ID_AA64ZFR0_EL1",
	  SHAPE_NIBBLES,
	  0,
	  0,
	  { "SVEver", "AES", NULL, NULL, "BitPerm", "BF16", "B16B16", NULL, "SHA3", NULL, "SM4", "I8MM", NULL, "F32MM",
	    "F64MM", NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 4, 5), "ID_AA64SMFR0_EL1", SHAPE_BITS, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 4, 7), "ID_AA64FPFR0_EL1", SHAPE_BITS, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 5, 0),
	  "ID_AA64DFR0_EL1",
	  SHAPE_NIBBLES,
	  N(9),
	  0,
	  { "DebugVer", "TraceVer", "PMUVer", "BRPs", "PMSS", "WRPs", "SEBEP", "CTX_CMPs", "PMSVer", "DoubleLock",
	    "TraceFilt", "TraceBuffer", "MTPMU", "BRBE", "ExtTrcBuff", "HPMN0" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 5, 1), "ID_AA64DFR1_EL1", SHAPE_NIBBLES, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 6, 0),
	  "ID_AA64ISAR0_EL1",
	  SHAPE_NIBBLES,
	  0,
	  0,
	  { NULL, "AES", "SHA1", "SHA2", "CRC32", "Atomic", "TME", "RDM", "SHA3", "SM3", "SM4", "DP", "FHM", "TS",
	    "TLB", "RNDR" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 6, 1),
	  "ID_AA64ISAR1_EL1",
	  SHAPE_NIBBLES,
	  0,
	  N(1) | N(2) | N(6) | N(7),
	  { "DPB", "APA", "API", "JSCVT", "FCMA", "LRCPC", "GPA", "GPI", "FRINTTS", "SB", "SPECRES", "BF16", "DGH",
	    "I8MM", "XS", "LS64" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 6, 2),
	  "ID_AA64ISAR2_EL1",
	  SHAPE_NIBBLES,
	  0,
	  N(2) | N(3),
	  { "WFxT", "RPRES", "GPA3", "APA3", "MOPS", "BC", "PAC_frac", "CLRBHB", "SYSREG_128", "SYSINSTR_128",
	    "PRFMSLC", NULL, "RPRFM", "CSSC", "LUT", "ATS1A" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 6, 3), "ID_AA64ISAR3_EL1", SHAPE_NIBBLES, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 7, 0),
	  "ID_AA64MMFR0_EL1",
	  SHAPE_NIBBLES,
	  N(6) | N(7),
	  N(8) | N(9) | N(10),
	  { "PARange", "ASIDBits", "BigEnd", "SNSMem", "BigEndEL0", "TGran16", "TGran64", "TGran4", "TGran16_2",
	    "TGran64_2", "TGran4_2", "ExS", NULL, NULL, "FGT", "ECV" } },
	{ IDENTITY_MMFR1,
	  "ID_AA64MMFR1_EL1",
	  SHAPE_NIBBLES,
	  0,
	  0,
	  { "HAFDBS", "VMIDBits", "VH", "HPDS", "LO", "PAN", "SpecSEI", "XNX", "TWED", "ETS", "HCX", "AFP", "nTLBPA",
	    "TIDCP1", "CMOW", "ECBHB" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 7, 2),
	  "ID_AA64MMFR2_EL1",
	  SHAPE_NIBBLES,
	  0,
	  0,
	  { "CnP", "UAO", "LSM", "IESB", "VARange", "CCIDX", "NV", "ST", "AT", "IDS", "FWB", NULL, "TTL", "BBM", "EVT",
	    "E0PD" } },
	{ IDENTITY_SYSTEM(3, 0, 0, 7, 3), "ID_AA64MMFR3_EL1", SHAPE_NIBBLES, 0, 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 7, 4), "ID_AA64MMFR4_EL1", SHAPE_NIBBLES, N(6), 0, { NULL } },
	OLD(1, 0, "ID_PFR0_EL1"),
	OLD(1, 1, "ID_PFR1_EL1"),
	{ IDENTITY_SYSTEM(3, 0, 0, 1, 2), "ID_DFR0_EL1", SHAPE_NIBBLES, N(7), 0, { NULL } },
	{ IDENTITY_SYSTEM(3, 0, 0, 1, 4), "ID_MMFR0_EL1", SHAPE_NIBBLES, N(7), 0, { NULL } },
	OLD(1, 5, "ID_MMFR1_EL1"),
	OLD(1, 6, "ID_MMFR2_EL1"),
	OLD(1, 7, "ID_MMFR3_EL1"),
	OLD(2, 0, "ID_ISAR0_EL1"),
	OLD(2, 1, "ID_ISAR1_EL1"),
	OLD(2, 2, "ID_ISAR2_EL1"),
	OLD(2, 3, "ID_ISAR3_EL1"),
	OLD(2, 4, "ID_ISAR4_EL1"),
	OLD(2, 5, "ID_ISAR5_EL1"),
	OLD(2, 6, "ID_MMFR4_EL1"),
	OLD(2, 7, "ID_ISAR6_EL1"),
	OLD(3, 0, "MVFR0_EL1"),
	OLD(3, 1, "MVFR1_EL1"),
	OLD(3, 2, "MVFR2_EL1"),
	OLD(3, 4, "ID_PFR2_EL1"),
	OLD(3, 5, "ID_DFR1_EL1"),
	OLD(3, 6, "ID_MMFR5_EL1"),
	{ IDENTITY_PSCI, "PSCI_VERSION", SHAPE_LOWER, 0, 0, { NULL } },
	{ IDENTITY_FIRMWARE(1), "SMCCC_ARCH_WORKAROUND_1", SHAPE_LOWER, 0, 0, { NULL } },
	{ IDENTITY_FIRMWARE(2), "SMCCC_ARCH_WORKAROUND_2", SHAPE_EXACT, 0, 0, { NULL } },
	{ IDENTITY_FIRMWARE(3), "SMCCC_ARCH_WORKAROUND_3", SHAPE_LOWER, 0, 0, { NULL } },
	{ IDENTITY_BITMAP(0), "SMCCC_STD_BITMAP", SHAPE_BITS, 0, 0, { NULL } },
	{ IDENTITY_BITMAP(1), "SMCCC_STD_HYP_BITMAP", SHAPE_BITS, 0, 0, { NULL } },
	{ IDENTITY_BITMAP(2), "SMCCC_VENDOR_HYP_BITMAP", SHAPE_BITS, 0, 0, { NULL } },
	{ IDENTITY_BITMAP(3), "SMCCC_VENDOR_HYP_BITMAP_2", SHAPE_BITS, 0, 0, { NULL } },
};

static const struct known *known_find(uint64_t id)
{
	for (size_t n = 0; n < sizeof(known_table) / sizeof(known_table[0]); n++)
		if (known_table[n].id == id)
			return &known_table[n];
	return NULL;
}

/* ---- Registers ---- */

/* Where the register is, or would be. */
static uint32_t place_of(const struct identity *identity, uint64_t id)
{
	uint32_t low = 0, high = identity->count;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (identity->reg[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct identity_register *identity_find(const struct identity *identity, uint64_t id)
{
	uint32_t n = place_of(identity, id);

	return n < identity->count && identity->reg[n].id == id ? &identity->reg[n] : NULL;
}

bool identity_set(struct identity *identity, const struct identity_register *reg)
{
	uint32_t n = place_of(identity, reg->id);

	if (n == identity->count || identity->reg[n].id != reg->id) {
		if (identity->count == IDENTITY_MAX)
			return false;
		memmove(&identity->reg[n + 1], &identity->reg[n], (identity->count - n) * sizeof(*reg));
		identity->count++;
	}
	identity->reg[n] = *reg;
	return true;
}

/* op0 3, op1 0, 1 or 3, CRn 0, CRm 0 to 7, as KVM_ARM_FEATURE_ID_RANGE; but MPIDR_EL1, which tells vCPUs apart. */
bool identity_is_one(uint64_t id)
{
	uint64_t encoding = id - IDENTITY_SYSTEM(0, 0, 0, 0, 0), op1 = encoding >> 11 & 7;

	if (known_find(id))
		return true;
	return encoding <= 0xffff && encoding >> 14 == 3 && op1 != 2 && op1 < 4 && !(encoding >> 7 & 15) &&
	       (encoding >> 3 & 15) < 8 && id != IDENTITY_SYSTEM(3, 0, 0, 0, 5);
}

bool identity_is_implementation(uint64_t id)
{
	return id == IDENTITY_MIDR || id == IDENTITY_REVIDR || id == IDENTITY_AIDR;
}

const struct identity_register *identity_implementation_at(const struct identity *identity, uint32_t instance)
{
	for (uint32_t n = 0; n < identity->count; n++)
		if (identity_is_implementation(identity->reg[n].id) && !instance--)
			return &identity->reg[n];
	return NULL;
}

bool identity_has_implementation(const struct identity *identity)
{
	return identity_implementation_at(identity, 0);
}

const char *identity_name(uint64_t id, char text[IDENTITY_NAME_SIZE])
{
	const struct known *known = known_find(id);
	unsigned int encoding = (unsigned int)(id & 0xffff);

	if (known)
		snprintf(text, IDENTITY_NAME_SIZE, "%s", known->name);
	else
		snprintf(text, IDENTITY_NAME_SIZE, "S%u_%u_C%u_C%u_%u", encoding >> 14, encoding >> 11 & 7,
			 encoding >> 7 & 15, encoding >> 3 & 15, encoding & 7);
	return text;
}

bool identity_parse(const char *name, uint64_t *id)
{
	unsigned int op0, op1, crn, crm, op2;
	char same[IDENTITY_NAME_SIZE];

	for (size_t n = 0; n < sizeof(known_table) / sizeof(known_table[0]); n++)
		if (!strcmp(known_table[n].name, name)) {
			*id = known_table[n].id;
			return true;
		}
	if (sscanf(name, "S%1u_%1u_C%2u_C%2u_%1u", &op0, &op1, &crn, &crm, &op2) != 5 || op0 > 3 || op1 > 7 ||
	    crn > 15 || crm > 15 || op2 > 7)
		return false;
	*id = IDENTITY_SYSTEM(op0, op1, crn, crm, op2);
	return identity_is_one(*id) && !strcmp(identity_name(*id, same), name);
}

/* ---- Fields ---- */

static bool nibble_at(const struct known *known, uint32_t n, struct identity_field *field)
{
	const char *name = known && n < NIBBLES ? known->field[n] : NULL;

	*field = (struct identity_field){ 4 * n, 4, IDENTITY_LOWER, name ? name : "" };
	if (!known || known->exact & N(n))
		field->order = IDENTITY_EXACT;
	else if (known->is_signed & N(n))
		field->order = IDENTITY_SIGNED;
	return n < NIBBLES;
}

static bool cache_field_at(uint32_t n, struct identity_field *field)
{
	static const struct identity_field fields[] = {
		{ 0, 4, IDENTITY_LOWER, "IminLine" }, { 4, 10, IDENTITY_EXACT, "" },
		{ 14, 2, IDENTITY_EXACT, "L1Ip" },    { 16, 4, IDENTITY_LOWER, "DminLine" },
		{ 20, 4, IDENTITY_HIGHER, "ERG" },    { 24, 4, IDENTITY_HIGHER, "CWG" },
		{ 28, 1, IDENTITY_LOWER, "IDC" },     { 29, 1, IDENTITY_LOWER, "DIC" },
		{ 30, 2, IDENTITY_EXACT, "" },	      { 32, 6, IDENTITY_EXACT, "TminLine" },
		{ 38, 26, IDENTITY_EXACT, "" },
	};

	if (n >= sizeof(fields) / sizeof(fields[0]))
		return false;
	*field = fields[n];
	return true;
}

bool identity_field_at(uint64_t id, uint32_t n, struct identity_field *field)
{
	static const enum identity_order orders[] = {
		[SHAPE_FREE] = IDENTITY_FREE,
		[SHAPE_EXACT] = IDENTITY_EXACT,
		[SHAPE_LOWER] = IDENTITY_LOWER,
	};
	const struct known *known = known_find(id);

	if (!known || known->shape == SHAPE_NIBBLES)
		return nibble_at(known, n, field);
	if (known->shape == SHAPE_CACHES)
		return cache_field_at(n, field);
	if (known->shape == SHAPE_BITS) {
		*field = (struct identity_field){ n, 1, IDENTITY_LOWER, "" };
		return n < 64;
	}
	*field = (struct identity_field){ 0, 64, orders[known->shape], "" };
	return !n;
}

uint64_t identity_field_mask(const struct identity_field *field)
{
	return (field->width < 64 ? (1ull << field->width) - 1 : UINT64_MAX) << field->shift;
}

uint64_t identity_field_get(const struct identity_field *field, uint64_t value)
{
	return (value & identity_field_mask(field)) >> field->shift;
}

const char *identity_field_name(const struct identity_field *field, char text[IDENTITY_NAME_SIZE])
{
	if (field->name[0])
		snprintf(text, IDENTITY_NAME_SIZE, "%s", field->name);
	else if (field->width == 64)
		snprintf(text, IDENTITY_NAME_SIZE, "its value");
	else if (field->width == 1)
		snprintf(text, IDENTITY_NAME_SIZE, "bit %u", field->shift);
	else
		snprintf(text, IDENTITY_NAME_SIZE, "bits %u to %u", field->shift + field->width - 1, field->shift);
	return text;
}

/* As a number that has the field's order, of those that can be compared. */
static uint64_t rank_of(const struct identity_field *field, uint64_t value)
{
	if (field->order == IDENTITY_SIGNED)
		return value ^ 1ull << (field->width - 1);
	if (field->order == IDENTITY_HIGHER)
		return value ? UINT64_MAX - value : 0;
	return value;
}

/* Whether a host that has `most` can offer `value`. */
static bool is_below(const struct identity_field *field, uint64_t value, uint64_t most)
{
	switch (field->order) {
	case IDENTITY_FREE:
		return true;
	case IDENTITY_EXACT:
		return value == most;
	default:
		return rank_of(field, value) <= rank_of(field, most);
	}
}

/* A field of which KVM lets only some bits be written is fixed. */
struct identity_range identity_range_of(const struct identity_field *field, const struct identity_register *reg)
{
	uint64_t mask = identity_field_mask(field), writable = reg->writable & mask;
	bool free = field->order == IDENTITY_FREE ? writable != 0 : writable == mask;

	return (struct identity_range){
		.value = identity_field_get(field, reg->value),
		.fixed = !free || field->order == IDENTITY_EXACT,
	};
}

bool identity_range_has(const struct identity_field *field, struct identity_range range, uint64_t value)
{
	if (range.empty)
		return false;
	return value == range.value || (!range.fixed && is_below(field, value, range.value));
}

static uint64_t lesser(const struct identity_field *field, uint64_t a, uint64_t b)
{
	return rank_of(field, a) <= rank_of(field, b) ? a : b;
}

struct identity_range identity_range_meet(const struct identity_field *field, struct identity_range a,
					  struct identity_range b)
{
	struct identity_range none = { .fixed = true, .empty = true };

	if (a.empty || b.empty)
		return none;
	if (a.fixed)
		return identity_range_has(field, b, a.value) ? a : none;
	if (b.fixed)
		return identity_range_has(field, a, b.value) ? b : none;
	return (struct identity_range){ .value = lesser(field, a.value, b.value) };
}

/* ---- A guest's register at another host ---- */

enum identity_verdict identity_judge(uint64_t value, const struct identity_register *from,
				     const struct identity_register *to, struct identity_field *field)
{
	enum identity_verdict verdict = IDENTITY_FITS;
	struct identity_field at;

	if (value == to->value)
		return IDENTITY_FITS;
	for (uint32_t n = 0; verdict != IDENTITY_NEVER && identity_field_at(to->id, n, &at); n++) {
		struct identity_range there = identity_range_of(&at, to), here = identity_range_of(&at, from);
		enum identity_verdict one;

		if (identity_range_has(&at, there, identity_field_get(&at, value)))
			continue;
		one = identity_range_meet(&at, here, there).empty ? IDENTITY_NEVER : IDENTITY_LEVEL;
		if (one > verdict) {
			verdict = one;
			*field = at;
		}
	}
	return verdict;
}
