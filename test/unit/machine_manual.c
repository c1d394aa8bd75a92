/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * doc/seaclock.json.5 against the code: it has each field of a description and no others, its numbers are those of the
 * checks, and its example is a description.
 *
 * Policy: a field stands there as ".TP", ".B FIELD" and, in the next line, what it takes.
 */
#include "unit.h"

#include "base/layout.h"
#include "machine/description.h"

#include <seaclock/core.h>

#include <stdio.h>
#include <string.h>

#define DOCUMENT "doc/seaclock.json.5"
#define LINE_SIZE 128

static char manual[32768];

static int read_manual(void **state)
{
	FILE *file = fopen(DOCUMENT, "r");

	(void)state;
	if (!file)
		return -1;
	manual[fread(manual, 1, sizeof(manual) - 1, file)] = '\0';
	return fclose(file);
}

/* The section from its heading to the next one. */
static void section_of(const char *heading, const char **start, const char **end)
{
	*start = strstr(manual, heading);
	if (!*start)
		fail_msg("%s has no %s", DOCUMENT, heading + 1);
	*end = strstr(*start + 1, "\n.SH ");
	assert_non_null(*end);
}

static void expect_fields(const char *heading, const char *(*field_at)(size_t n))
{
	const char *place, *end, *name;
	size_t count = 0;

	section_of(heading, &place, &end);
	while ((place = strstr(place, "\n.TP\n.B ")) && place < end) {
		place += strlen("\n.TP\n.B ");
		name = field_at(count++);
		if (!name || strncmp(place, name, strlen(name)) != 0 || place[strlen(name)] != '\n')
			fail_msg("%s tells of %.*s where the code has %s", DOCUMENT, (int)strcspn(place, "\n"), place,
				 name ? name : "no more");
	}
	name = field_at(count);
	if (name)
		fail_msg("%s does not tell of %s", DOCUMENT, name);
}

static void test_fields(void **state)
{
	(void)state;
	expect_fields("\n.SH FIELDS\n", description_field_at);
	expect_fields("\n.SH FIELDS OF A DISK\n", description_disk_field_at);
	expect_fields("\n.SH FIELDS OF A NETWORK DEVICE\n", description_net_field_at);
}

static void expect_line(const char *name, const char *format, unsigned long long low, unsigned long long high)
{
	char line[LINE_SIZE];
	int length = snprintf(line, sizeof(line), "\n.B %s\n", name);

	snprintf(line + length, sizeof(line) - (size_t)length, format, low, high);
	if (!strstr(manual, line))
		fail_msg("%s has no lines%s", DOCUMENT, line);
}

static void test_numbers(void **state)
{
	(void)state;
	expect_line("model", ".I number\\fR, %llu to %llu\n", CONFIG_MODEL_UART, CONFIG_MODEL_NEW);
	expect_line("vcpus", ".I number\\fR, %llu to %llu\n", 1, SC_VCPU_MAX);
	expect_line("memory_mib", ".I number\\fR, %llu to %llu\n", LAYOUT_RAM_MIN >> 20, LAYOUT_RAM_MAX >> 20);
	expect_line("command_line", ".I text\\fR, up to %llu bytes\n", CONFIG_COMMAND_LINE_SIZE - 1, 0);
	expect_line("disks", ".I list\\fR of objects, up to %llu\n", CONFIG_DISKS_MAX, 0);
	expect_line("nets", ".I list\\fR of objects, up to %llu\n", CONFIG_NETS_MAX, 0);
	expect_line("serial", ".I text\\fR, up to %llu visible characters of ASCII, without spaces\n",
		    CONFIG_SERIAL_SIZE - 1, 0);
	expect_line("reconnect_s", ".I number\\fR, %llu to %llu\n", 0, CONFIG_RECONNECT_MAX_S);
}

static void test_example(void **state)
{
	struct machine_config config;
	const char *start, *end;
	struct error error;

	(void)state;
	section_of("\n.SH EXAMPLE\n", &start, &end);
	start = strchr(start, '{');
	end = strstr(start, "\n.fi");
	config_init(&config);
	strcpy(config.name, "web");
	if (description_parse(start, (size_t)(end - start), &config, &error))
		fail_msg("%s: its example is refused: %s", DOCUMENT, error.text);
	assert_int_equal(config.disks, 2);
	assert_int_equal(config.nets, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, read_manual, NULL);
}
