/* SPDX-License-Identifier: BSD-2-Clause */
/* What a processor says it is: names, fields, what a host can offer of one, and a guest's register at another host. */
#include "unit.h"

#include "host/identity.h"

#include <string.h>

#define PFR0 IDENTITY_SYSTEM(3, 0, 0, 4, 0)
#define ISAR0 IDENTITY_SYSTEM(3, 0, 0, 6, 0)

static void test_names(void **state)
{
	static const uint64_t ids[] = {
		IDENTITY_MIDR,	      IDENTITY_CTR,	 PFR0, IDENTITY_SYSTEM(3, 0, 0, 3, 7), IDENTITY_PSCI,
		IDENTITY_FIRMWARE(3), IDENTITY_BITMAP(2)
	};
	static const char *const bad[] = { "",
					   "midr_el1",
					   "S3_0_C1_C0_0",
					   "S3_0_C0_C9_0",
					   "S3_0_C0_C0_5",
					   "S3_2_C0_C0_0",
					   "S3_0_C0_C3_7x",
					   "S3_00_C0_C3_7" };
	char name[IDENTITY_NAME_SIZE];
	uint64_t id;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(ids); n++) {
		assert_true(identity_parse(identity_name(ids[n], name), &id));
		assert_true(id == ids[n]);
		assert_true(identity_is_one(id));
	}
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++)
		assert_false(identity_parse(bad[n], &id));
	assert_string_equal(identity_name(ISAR0, name), "ID_AA64ISAR0_EL1");
	assert_string_equal(identity_name(IDENTITY_SYSTEM(3, 0, 0, 3, 7), name), "S3_0_C0_C3_7");
	/* Which vCPU it is, and which cache is looked at, are no identity. */
	assert_false(identity_is_one(IDENTITY_SYSTEM(3, 0, 0, 0, 5)));
	assert_false(identity_is_one(IDENTITY_SYSTEM(3, 2, 0, 0, 0)));
}

/* The fields of a register have each bit once, whichever it is. */
static void test_fields_are_whole(void **state)
{
	(void)state;
	for (uint32_t crm = 0; crm < 8; crm++)
		for (uint32_t op2 = 0; op2 < 8; op2++)
			for (uint32_t op1 = 0; op1 < 4; op1++) {
				struct identity_field field;
				uint64_t seen = 0;

				for (uint32_t n = 0; identity_field_at(IDENTITY_SYSTEM(3, op1, 0, crm, op2), n, &field);
				     n++) {
					assert_false(seen & identity_field_mask(&field));
					seen |= identity_field_mask(&field);
				}
				assert_true(seen == UINT64_MAX);
			}
}

static void test_list(void **state)
{
	struct identity identity = { .count = 0 };

	(void)state;
	for (uint32_t n = IDENTITY_MAX; n-- > 0;)
		assert_true(identity_set(&identity, &(struct identity_register){ .id = 2 * n, .value = n }));
	assert_false(identity_set(&identity, &(struct identity_register){ .id = 1 }));
	assert_true(identity_set(&identity, &(struct identity_register){ .id = 8, .value = 77 }));
	assert_int_equal(identity.count, IDENTITY_MAX);
	assert_int_equal(identity_find(&identity, 8)->value, 77);
	assert_int_equal(identity_find(&identity, 10)->value, 5);
	assert_null(identity_find(&identity, 9));
}

static const struct {
	uint64_t id, value, from, from_writable, to, to_writable;
	enum identity_verdict verdict;
	const char *field;
} cases[] = {
	{ ISAR0, 0x1120, 0x1120, UINT64_MAX, 0x1120, 0, IDENTITY_FITS, "" },
	/* Less fits where it can be written, more can be lowered before. */
	{ ISAR0, 0x1110, 0x1120, UINT64_MAX, 0x1120, UINT64_MAX, IDENTITY_FITS, "" },
	{ ISAR0, 0x1120, 0x1120, UINT64_MAX, 0x1110, UINT64_MAX, IDENTITY_LEVEL, "AES" },
	{ ISAR0, 0x1120, 0x1120, UINT64_MAX, 0x1110, 0, IDENTITY_LEVEL, "AES" },
	{ ISAR0, 0x1120, 0x1120, 0, 0x1110, UINT64_MAX, IDENTITY_NEVER, "AES" },
	{ ISAR0, 0x1110, 0x1110, 0, 0x1120, 0, IDENTITY_NEVER, "AES" },
	/* The worst is told. */
	{ ISAR0, 0x2120, 0x2120, 0xff0f, 0x1110, UINT64_MAX, IDENTITY_NEVER, "AES" },
	/* No floating point is all ones, and is least. */
	{ PFR0, 0x10000, 0x10000, UINT64_MAX, 0xf0000, UINT64_MAX, IDENTITY_LEVEL, "FP" },
	{ PFR0, 0xf0000, 0xf0000, UINT64_MAX, 0x10000, UINT64_MAX, IDENTITY_FITS, "" },
	/* Another processor's number fits where it can be written. */
	{ IDENTITY_MIDR, 0x413fd0c1, 0x413fd0c1, 0, 0x414fd0b1, 0xffffffff, IDENTITY_FITS, "" },
	{ IDENTITY_MIDR, 0x413fd0c1, 0x413fd0c1, 0xffffffff, 0x414fd0b1, 0, IDENTITY_LEVEL, "its value" },
	{ IDENTITY_MIDR, 0x413fd0c1, 0x413fd0c1, 0, 0x414fd0b1, 0, IDENTITY_NEVER, "its value" },
	/* The granule of write-backs: more is less, and 0 says nothing. */
	{ IDENTITY_CTR, 0x4000000, 0x4000000, UINT64_MAX, 0x3000000, UINT64_MAX, IDENTITY_FITS, "" },
	{ IDENTITY_CTR, 0x3000000, 0x3000000, UINT64_MAX, 0x4000000, UINT64_MAX, IDENTITY_LEVEL, "CWG" },
	{ IDENTITY_CTR, 0, 0, UINT64_MAX, 0x4000000, UINT64_MAX, IDENTITY_FITS, "" },
	/* What is not known is exact. */
	{ IDENTITY_SYSTEM(3, 0, 0, 3, 7), 1, 1, UINT64_MAX, 2, UINT64_MAX, IDENTITY_NEVER, "bits 3 to 0" },
	{ IDENTITY_BITMAP(2), 1, 3, UINT64_MAX, 3, UINT64_MAX, IDENTITY_FITS, "" },
	{ IDENTITY_BITMAP(2), 3, 3, UINT64_MAX, 1, UINT64_MAX, IDENTITY_LEVEL, "bit 1" },
};

static void test_judge(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		const struct identity_register from = { cases[n].id, cases[n].from, cases[n].from_writable };
		const struct identity_register to = { cases[n].id, cases[n].to, cases[n].to_writable };
		struct identity_field field;
		char name[IDENTITY_NAME_SIZE];

		if (identity_judge(cases[n].value, &from, &to, &field) != cases[n].verdict)
			fail_msg("case %zu", n);
		if (cases[n].verdict != IDENTITY_FITS)
			assert_string_equal(identity_field_name(&field, name), cases[n].field);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_fields_are_whole),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
