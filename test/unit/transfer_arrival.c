/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine that arrives has under another name on this host. */
#include "unit.h"

#include "base/layout.h"
#include "transfer/arrival.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct machine_config config;
static struct arrival_names names;
static struct error error;

static int set_up(void **state)
{
	(void)state;
	config_init(&config);
	strcpy(config.name, "boat");
	strcpy(config.kernel, "/boot/Image");
	config.disks = 2;
	for (uint32_t n = 0; n < config.disks; n++) {
		config.disk[n] = config_disk_default();
		snprintf(config.disk[n].where, sizeof(config.disk[n].where), "/srv/there%" PRIu32, n);
		strcpy(config.disk[n].serial, "A1");
	}
	names = (struct arrival_names){ .name = NULL };
	return 0;
}

static void test_nothing(void **state)
{
	const struct machine_config before = config;

	(void)state;
	assert_int_equal(arrival_rename(&config, &names, &error), 0);
	assert_memory_equal(&before, &config, sizeof(config));
}

static void test_all(void **state)
{
	(void)state;
	names.name = "ship";
	strcpy(names.kernel, "/here/Image");
	strcpy(names.initrd, "/here/initrd");
	strcpy(names.disk[1], "nbd://here/disk");
	assert_int_equal(arrival_rename(&config, &names, &error), 0);
	assert_string_equal(config.name, "ship");
	assert_string_equal(config.kernel, "/here/Image");
	assert_string_equal(config.initrd, "/here/initrd");
	assert_string_equal(config.disk[0].where, "/srv/there0");
	assert_string_equal(config.disk[1].where, "nbd://here/disk");
	assert_string_equal(config.disk[1].serial, "A1");
}

static void test_no_such_disk(void **state)
{
	(void)state;
	strcpy(names.disk[2], "/srv/here");
	assert_int_equal(arrival_rename(&config, &names, &error), -EINVAL);
	assert_string_equal(error.text, "--disk names disk 2 here; the number of boat's disks is 2, and the first is "
					"disk 0");
	config.disks = 0;
	names = (struct arrival_names){ .name = "ship" };
	strcpy(names.disk[0], "/srv/here");
	assert_int_equal(arrival_rename(&config, &names, &error), -EINVAL);
	assert_non_null(strstr(error.text, "the number of boat's disks is 0"));
}

static void test_firmware(void **state)
{
	(void)state;
	strcpy(names.variables, "/here/vars");
	assert_int_equal(arrival_rename(&config, &names, &error), -EINVAL);
	assert_string_equal(error.text, "--firmware names firmware here; boat boots a kernel without it");
	config.kernel[0] = '\0';
	strcpy(config.firmware, "/there/code");
	assert_int_equal(arrival_rename(&config, &names, &error), 0);
	assert_string_equal(config.firmware, "/there/code");
	assert_string_equal(config.variables, "/here/vars");
	strcpy(names.firmware, "/here/code");
	assert_int_equal(arrival_rename(&config, &names, &error), 0);
	assert_string_equal(config.firmware, "/here/code");
	strcpy(names.kernel, "/here/Image");
	assert_int_equal(arrival_rename(&config, &names, &error), -EINVAL);
}

static void test_nets(void **state)
{
	(void)state;
	config.nets = 2;
	strcpy(config.net[0].where, "tap=a");
	strcpy(config.net[1].where, "passt");
	strcpy(names.net[0], "tap=b");
	strcpy(names.net[1], "tap=c");
	assert_int_equal(arrival_rename(&config, &names, &error), 0);
	assert_string_equal(config.net[0].where, "tap=b");
	assert_string_equal(config.net[1].where, "tap=c");
	/* A guest that may leave checksums to a tap. */
	strcpy(names.net[1], "passt=/run/passt");
	assert_int_equal(arrival_rename(&config, &names, &error), -EINVAL);
	assert_string_equal(error.text, "network device 1 is a tap where the machine comes from, and its guest leaves "
					"checksums to it, which passt does not do: name a tap (--net 1=tap=NAME)");
	strcpy(names.net[2], "passt");
	assert_int_equal(arrival_rename(&config, &names, &error), -EINVAL);
	assert_string_equal(error.text,
			    "--net names network device 2 here; the number of boat's is 2, and the first is 0");
}

static void test_bad(void **state)
{
	(void)state;
	strcpy(names.disk[1], "/srv/\n");
	assert_int_equal(arrival_rename(&config, &names, &error), -EINVAL);
	assert_string_equal(error.text, "disks[1].where takes text in UTF-8 without control characters");
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_nothing), TEST(test_all),	 TEST(test_no_such_disk),
		TEST(test_nets),    TEST(test_firmware), TEST(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
