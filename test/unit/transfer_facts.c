/* SPDX-License-Identifier: BSD-2-Clause */
/* A host's facts as JSON: they come back as they were, and what is wrong in a file is refused by its name. */
#include "unit.h"

#include "../fake/host_fake.h"
#include "base/json.h"
#include "transfer/facts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct host_facts facts, back;
static struct error error;

static int setup(void **state)
{
	(void)state;
	fake_reset();
	return host_get_facts(&facts, &error);
}

static char *text_of(json_t *json)
{
	char *text = json_dumps(json, 0);

	json_decref(json);
	return text;
}

static void test_round_trip(void **state)
{
	char *text = text_of(facts_json(&facts));

	(void)state;
	assert_int_equal(facts_parse(text, strlen(text), &back, &error), 0);
	assert_memory_equal(&facts, &back, sizeof(facts));
	/* A newer version may say more. */
	text[strlen(text) - 1] = '\0';
	{
		char longer[8192];

		snprintf(longer, sizeof(longer), "%s, \"colour\": [\"blue\"]}", text);
		assert_int_equal(facts_parse(longer, strlen(longer), &back, &error), 0);
	}
	free(text);
}

static void test_derived(void **state)
{
	json_t *json = facts_json(&facts);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(json, "midr")), "0x413fd0c1");
	assert_string_equal(json_string_value(json_object_get(json, "psci")), "1.1");
	assert_int_equal(json_integer_value(json_object_get(json, "hafdbs")), 2);
	/* Neoverse N1 r3p1 has two. */
	assert_int_equal(json_array_size(json_object_get(json, "errata")), 2);
	json_decref(json);
}

/* Member, its new value (NULL: none), and words of the sentence. */
static const struct {
	const char *member, *value, *words;
} bad[] = {
	{ "counter_hz", NULL, "counter_hz is a number from " },
	{ "counter_hz", "0", "counter_hz is a number from " },
	{ "counter_hz", "\"25\"", "counter_hz is a number from " },
	{ "counter_hz", "4294967297", "counter_hz is a number from " },
	{ "page_size", "4095", "page_size is a number from 4096 to 65536" },
	{ "address_bits", "-1", "address_bits is a number from 32 to 56" },
	{ "name", "7", "name is a text of at most 64 bytes" },
	{ "name", "\"\\u001b[2J\"", "name is a text of at most 64 bytes without control" },
	{ "kernel", "\"0123456789012345678901234567890123456789012345678901234567890123x\"", "kernel is a text" },
	{ "capabilities", "[]", "capabilities is an object" },
	{ "capabilities", "{\"sve\": -1}", "sve is a number" },
	{ "registers", "{}", "registers is an object" },
	{ "registers", "[1]", "registers is an object" },
	{ "registers", "{\"MIDR_EL1\": \"0x1\"}", "registers.MIDR_EL1 has value and writable" },
	{ "registers", "{\"MIDR_EL1\": {\"value\": \"0x1\", \"writable\": \"1\"}}", "registers.MIDR_EL1 has" },
	{ "registers", "{\"MIDR_EL1\": {\"value\": \"0x11112222333344445\", \"writable\": \"0x0\"}}", "MIDR_EL1 has" },
	{ "registers", "{\"MIDR_EL1\": {\"value\": \"0x-1\", \"writable\": \"0x0\"}}", "registers.MIDR_EL1 has" },
	{ "registers", "{\"SCTLR_EL1\": {\"value\": \"0x1\", \"writable\": \"0x0\"}}",
	  "SCTLR_EL1 is no identification" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		json_t *json = facts_json(&facts);
		char *text;

		if (bad[n].value)
			json_object_set_new(json, bad[n].member, json_loads(bad[n].value, JSON_DECODE_ANY, NULL));
		else
			json_object_del(json, bad[n].member);
		text = text_of(json);
		if (facts_parse(text, strlen(text), &back, &error) != -EINVAL || !strstr(error.text, bad[n].words))
			fail_msg("%s: %s", text, error.text);
		free(text);
	}
	assert_int_equal(facts_parse("[]", 2, &back, &error), -EINVAL);
	assert_int_equal(facts_parse("{", 1, &back, &error), -EINVAL);
}

static void test_large(void **state)
{
	static char blanks[FACTS_SIZE_MAX + 1];

	(void)state;
	memset(blanks, ' ', sizeof(blanks));
	assert_int_equal(facts_parse(blanks, sizeof(blanks), &back, &error), -EINVAL);
	assert_non_null(strstr(error.text, "bytes, and a host's facts at most"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_round_trip, setup),
		cmocka_unit_test_setup(test_derived, setup),
		cmocka_unit_test_setup(test_bad, setup),
		cmocka_unit_test_setup(test_large, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
