/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests on the control socket: which are taken, and in which words and with which code the others are refused. */
#include "unit.h"

#include "control/request.h"

#include <errno.h>
#include <string.h>

static struct error error;

#define NONE "the request names no version of the control protocol; this monitor takes version 1"
#define COMMAND(name, fields) "{\"version\": 1, \"command\": \"" name "\"" fields "}"

static const struct {
	const char *request;
	const char *code; /* NULL: it is taken */
	const char *sentence;
} cases[] = {
	{ "[]", "invalid", "a request is a JSON object" },
	{ "{}", "version", NONE },
	{ "{\"command\": \"stop\"}", "version", NONE },
	{ "{\"version\": \"1\", \"command\": \"stop\"}", "version", NONE },
	{ "{\"version\": null, \"command\": \"stop\"}", "version", NONE },
	{ "{\"version\": 2, \"command\": \"dance\"}", "version",
	  "the request is of version 2 of the control protocol; this monitor takes version 1" },
	{ "{\"version\": 0, \"command\": \"stop\"}", "version",
	  "the request is of version 0 of the control protocol; this monitor takes version 1" },
	{ "{\"version\": 1}", "invalid", "a request has a \"command\", which takes a text" },
	{ "{\"version\": 1, \"command\": 7}", "invalid", "a request has a \"command\", which takes a text" },
	{ COMMAND("sink", ""), "invalid", "the monitor does not know the command `sink`" },
	{ COMMAND("", ""), "invalid", "the monitor does not know the command ``" },
	/* Fields. */
	{ COMMAND("pause", ", \"force\": true"), "invalid", "pause takes no \"force\"" },
	{ COMMAND("pause", ", \"Clock\": \"freeze\""), "invalid", "pause takes no \"Clock\"" },
	{ COMMAND("pause", ", \"\": 0"), "invalid", "pause takes no \"\"" },
	{ COMMAND("shutdown", ", \"wait\": 5"), "invalid", "shutdown takes no \"wait\"" },
	{ COMMAND("console", ", \"virtio\": 1"), "invalid", "\"virtio\" takes true or false" },
	{ COMMAND("console", ", \"force\": true"), "invalid", "console takes no \"force\"" },
	{ COMMAND("status", ", \"json\": true"), "invalid", "status takes no \"json\"" },
	{ COMMAND("pause", ", \"clock\": null"), "invalid", "\"clock\" takes a text" },
	{ COMMAND("pause", ", \"clock\": 0"), "invalid", "\"clock\" takes a text" },
	{ COMMAND("migrate", ", \"host\": []"), "invalid", "\"host\" takes a text" },
	{ COMMAND("resume", ", \"force\": 1"), "invalid", "\"force\" takes true or false" },
	{ COMMAND("stop", ", \"now\": \"no\""), "invalid", "\"now\" takes true or false" },
	{ COMMAND("migrate", ", \"downtime_ms\": 0"), "invalid", "\"downtime_ms\" takes a number from 1 to 10000" },
	{ COMMAND("migrate", ", \"downtime_ms\": 1.5"), "invalid", "\"downtime_ms\" takes a number from 1 to 10000" },
	{ COMMAND("migrate", ", \"max_step_us\": 1000001"), "invalid",
	  "\"max_step_us\" takes a number from 1 to 1000000" },
	{ COMMAND("grow", ", \"disk\": 8"), "invalid", "\"disk\" takes a number from 0 to 7" },
	{ COMMAND("kernel", ", \"json\": true"), "invalid", "kernel takes no \"json\"" },
	/* These are taken. */
	{ COMMAND("status", ""), NULL, NULL },
	{ COMMAND("shutdown", ""), NULL, NULL },
	{ COMMAND("kernel", ""), NULL, NULL },
	{ COMMAND("console", ""), NULL, NULL },
	{ COMMAND("console", ", \"virtio\": true"), NULL, NULL },
	{ COMMAND("grow", ""), NULL, NULL },
	{ COMMAND("grow", ", \"disk\": 7"), NULL, NULL },
	{ COMMAND("pause", ", \"clock\": \"freeze\""), NULL, NULL },
	{ COMMAND("resume", ", \"clock\": \"freeze\", \"force\": false"), NULL, NULL },
	{ COMMAND("stop", ", \"now\": true"), NULL, NULL },
	{ COMMAND("save", ", \"file\": \"/a\", \"clock\": \"advance\", \"force\": true"), NULL, NULL },
	{ COMMAND("migrate", ", \"host\": \"h\", \"downtime_ms\": 10000, \"max_step_us\": 1, \"dry_run\": true"), NULL,
	  NULL },
	{ COMMAND("migrate", ", \"cancel\": true"), NULL, NULL },
};

static void test_check(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		json_t *request = json_loads(cases[n].request, 0, NULL);
		int result = request_check(request, 0, &error);

		json_decref(request);
		if (!cases[n].code) {
			assert_int_equal(result, 0);
			continue;
		}
		assert_int_equal(result, -error.err);
		assert_string_equal(error.text, cases[n].sentence);
		assert_string_equal(error_code(&error), cases[n].code);
	}
}

/* More descriptors than a command takes. */
static void test_descriptors(void **state)
{
	json_t *save = request_make("save"), *pause = request_make("pause");

	(void)state;
	assert_int_equal(request_check(save, 1, &error), 0);
	assert_int_equal(request_check(save, 2, &error), -EINVAL);
	assert_string_equal(error.text, "2 descriptors came with save, which takes at most 1");
	assert_int_equal(request_check(pause, 1, &error), -EINVAL);
	json_decref(save);
	json_decref(pause);
}

/* What the client makes is taken, and read again as it was meant. */
static void test_fields(void **state)
{
	json_t *request = request_make("migrate");
	enum sc_clock_policy policy;

	(void)state;
	assert_true(request_set_text(request, "host", "altra"));
	assert_true(request_set_text(request, "clock", NULL));
	assert_false(request_set_text(request, "host", "\xff"));
	request_set_flag(request, "force", true);
	request_set_flag(request, "inferred", false);
	request_set_number(request, "downtime_ms", 7);
	request_set_number(request, "max_step_us", 0);
	assert_int_equal(request_check(request, 0, &error), 0);
	assert_int_equal(json_object_size(request), 5);
	assert_string_equal(request_text(request, "host"), "altra");
	assert_true(request_flag(request, "force"));
	assert_false(request_flag(request, "inferred"));
	assert_int_equal(request_number(request, "downtime_ms", 300), 7);
	assert_int_equal(request_number(request, "max_step_us", 500), 500);
	assert_int_equal(request_policy(request, SC_CLOCK_FREEZE, &policy, &error), 0);
	assert_int_equal(policy, SC_CLOCK_FREEZE);
	assert_true(request_set_text(request, "clock", "advance"));
	assert_int_equal(request_policy(request, SC_CLOCK_FREEZE, &policy, &error), 0);
	assert_int_equal(policy, SC_CLOCK_ADVANCE);
	json_decref(request);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
