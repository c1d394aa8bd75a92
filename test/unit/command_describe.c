/* SPDX-License-Identifier: BSD-2-Clause */
/* A description out of a command line: what options, files and the folder of descriptions say, and which one counts. */
#include "unit.h"

#include "command/describe.h"
#include "command/elsewhere.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/seaclock-describe-XXXXXX";
static char path[128];
static struct machine_config config;
static struct error error;

static int make_folder(void **state)
{
	char machines[64];

	(void)state;
	if (!mkdtemp(folder) || setenv("SEACLOCK_CONFIG_DIR", folder, 1))
		return -1;
	snprintf(machines, sizeof(machines), "%s/machines", folder);
	snprintf(path, sizeof(path), "%s/boat.json", machines);
	return mkdir(machines, 0700);
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	*strrchr(path, '/') = '\0';
	return rmdir(path) || rmdir(folder);
}

static void store(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
}

static int describe_boat(const struct describe_options *options)
{
	return describe(options, "boat", &config, &error);
}

static void test_options(void **state)
{
	const struct describe_options options = {
		.kernel = "/boot/Image",
		.initrd = "initrd",
		.append = "quiet",
		.vcpus = 3,
		.memory_mib = 100,
		.disk = { .text = { "/srv/a,readonly", "nbd://store/b" }, .count = 2 },
		.on_reboot = "reset",
		.on_panic = "exit",
	};
	char here[PATH_MAX], initrd[PATH_MAX + 8];

	(void)state;
	assert_int_equal(describe_boat(&options), 0);
	assert_string_equal(config.name, "boat");
	assert_string_equal(config.kernel, "/boot/Image");
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(initrd, sizeof(initrd), "%s/initrd", here);
	assert_string_equal(config.initrd, initrd);
	assert_string_equal(config.command_line, "quiet");
	assert_int_equal(config.vcpus, 3);
	assert_true(config.memory_size == 100ull << 20);
	assert_int_equal(config.disks, 2);
	assert_true(config.disk[0].readonly);
	assert_string_equal(config.disk[1].where, "nbd://store/b");
	assert_int_equal(config.on_reboot, CONFIG_RESET);
	assert_int_equal(config.on_panic, CONFIG_EXIT);
	assert_int_equal(config.model, CONFIG_MODEL_NEW);
}

static void test_defaults(void **state)
{
	const struct describe_options options = { .kernel = "/boot/Image" };

	(void)state;
	store("{\"vcpus\": 7}");
	assert_int_equal(describe_boat(&options), 0);
	assert_int_equal(config.vcpus, 1);
	assert_true(config.memory_size == 512ull << 20);
	assert_string_equal(config.command_line, "");
	assert_int_equal(config.disks, 0);
	assert_int_equal(config.on_reboot, CONFIG_EXIT);
}

#define DESCRIPTION                                                                                                    \
	"{\"kernel\": \"/srv/Image\", \"initrd\": \"/srv/initrd\", \"command_line\": \"quiet\", \"vcpus\": 2, "        \
	"\"on_reboot\": \"reset\", \"disks\": [{\"where\": \"/srv/a\"}, {\"where\": \"/srv/b\"}]}"

static void test_file_by_name(void **state)
{
	const struct describe_options options = { .kernel = NULL };

	(void)state;
	store(DESCRIPTION);
	assert_int_equal(describe_boat(&options), 0);
	assert_string_equal(config.kernel, "/srv/Image");
	assert_string_equal(config.initrd, "/srv/initrd");
	assert_int_equal(config.vcpus, 2);
	assert_int_equal(config.disks, 2);
	assert_int_equal(config.on_reboot, CONFIG_RESET);
	assert_int_equal(describe(&options, "ship", &config, &error), -ENOENT);
	assert_non_null(strstr(error.text, "a machine needs a kernel or firmware: name it with --kernel FILE or "
					   "--firmware, or describe the machine in /tmp/seaclock-describe-"));
	assert_non_null(strstr(error.text, "/machines/ship.json"));
}

static void test_options_override_file(void **state)
{
	const struct describe_options options = {
		.config = path,
		.kernel = "/boot/Image",
		.append = "",
		.memory_mib = 64,
		.disk = { .text = { "/srv/c" }, .count = 1 },
		.on_reboot = "exit",
	};

	(void)state;
	store(DESCRIPTION);
	assert_int_equal(describe(&options, "ship", &config, &error), 0);
	assert_string_equal(config.name, "ship");
	assert_string_equal(config.kernel, "/boot/Image");
	assert_string_equal(config.initrd, "/srv/initrd");
	assert_string_equal(config.command_line, "");
	assert_int_equal(config.vcpus, 2);
	assert_true(config.memory_size == 64ull << 20);
	assert_int_equal(config.disks, 1);
	assert_string_equal(config.disk[0].where, "/srv/c");
	assert_int_equal(config.on_reboot, CONFIG_EXIT);
}

static void expect_firmware(const char *text, const char *code, const char *variables)
{
	const struct describe_options options = { .firmware = text };

	assert_int_equal(describe_boat(&options), 0);
	assert_string_equal(config.firmware, code);
	assert_string_equal(config.variables, variables);
}

static void test_firmware(void **state)
{
	const struct describe_options by_file = { .config = path, .firmware = ",/v" };

	(void)state;
	expect_firmware("", "/usr/share/AAVMF/AAVMF_CODE.fd", "");
	expect_firmware("/a,,b", "/a,b", "");
	expect_firmware("/a,/v", "/a", "/v");
	expect_firmware(",/v", "/usr/share/AAVMF/AAVMF_CODE.fd", "/v");
	store("{\"firmware\": \"/c\", \"variables\": \"/w\"}");
	assert_int_equal(describe(&by_file, "ship", &config, &error), 0);
	assert_string_equal(config.firmware, "/c");
	assert_string_equal(config.variables, "/v");
}

static void expect_refused(const struct describe_options *options, int err, const char *sentence)
{
	assert_int_equal(describe_boat(options), -err);
	if (!strstr(error.text, sentence))
		fail_msg("instead of \"%s\" it says: %s", sentence, error.text);
}

static void test_bad(void **state)
{
	static char words[CONFIG_COMMAND_LINE_SIZE + 1], folders[CONFIG_PATH_SIZE + 1];
	const struct describe_options by_file = { .config = path }, long_words = { .kernel = "/k", .append = words };
	const struct describe_options control = { .kernel = "/k", .append = "a\x1b" },
				      long_path = { .kernel = folders };
	const struct describe_options three = { .firmware = "/a,/b,/c" }, empty = { .firmware = "/a," },
				      both = { .firmware = "/a", .kernel = "/k" }, long_code = { .firmware = folders };
	const struct describe_options no_file = { .config = "/none/boat.json" }, no_name = { .kernel = "" };
	const struct describe_options disk = { .kernel = "/k", .disk = { .text = { "/a", "/b,c" }, .count = 2 } };

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	memset(folders, '/', sizeof(folders) - 1);
	store("{}");
	expect_refused(&three, EINVAL, "--firmware takes CODE or CODE,VARS, not `/a,/b,/c`");
	expect_refused(&empty, EINVAL, "--firmware takes CODE or CODE,VARS, not `/a,`");
	expect_refused(&both, EINVAL, "firmware goes without kernel, initrd and command_line");
	expect_refused(&long_code, ENAMETOOLONG, "at most 1023 are possible");
	expect_refused(
		&by_file, EINVAL,
		"a machine needs a kernel or firmware: name it with --kernel FILE or --firmware, or as \"kernel\"");
	store("{\"vcpus\": 2, \"kernel\": \"/k\"");
	expect_refused(&by_file, EBADMSG, "boat.json: it is not JSON in line 1");
	store("{\"disks\": [{\"where\": \"/a\", \"serial\": \"a b\"}]}");
	expect_refused(&by_file, EBADMSG, "boat.json: disks[0].serial takes up to 20 visible characters");
	expect_refused(&no_file, ENOENT, "cannot open /none/boat.json");
	expect_refused(&no_name, EINVAL, "a path is empty");
	expect_refused(&long_words, EINVAL, "--append has 2048 bytes; at most 2047 are possible");
	expect_refused(&long_path, ENAMETOOLONG, "has 1024 bytes; at most 1023 are possible");
	expect_refused(&control, EINVAL, "command_line takes text in UTF-8 without control characters");
	expect_refused(&disk, EINVAL, "behind its path --disk takes readonly");
}

/* ---- Names on another host ---- */

static void test_elsewhere(void **state)
{
	const struct elsewhere_options options = {
		.disk = { .text = { "1=/srv/b", "0=nbd://store/a" }, .count = 2 },
		.kernel = "/boot/Image",
	};
	const struct elsewhere_options twice = { .disk = { .text = { "1=/a", "0=/b", "1=/a" }, .count = 3 } };
	const struct elsewhere_options bad = { .disk = { .text = { "/a" }, .count = 1 } };
	struct arrival_names names;

	(void)state;
	assert_int_equal(elsewhere_parse(&options, "ship", &names, &error), 0);
	assert_string_equal(names.name, "ship");
	assert_string_equal(names.kernel, "/boot/Image");
	assert_string_equal(names.initrd, "");
	assert_string_equal(names.disk[0], "nbd://store/a");
	assert_string_equal(names.disk[1], "/srv/b");
	assert_string_equal(names.disk[2], "");
	assert_int_equal(elsewhere_parse(&twice, NULL, &names, &error), -EINVAL);
	assert_string_equal(error.text, "--disk says twice where disk 1 is");
	assert_int_equal(elsewhere_parse(&bad, NULL, &names, &error), -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),	     cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_file_by_name), cmocka_unit_test(test_options_override_file),
		cmocka_unit_test(test_bad),	     cmocka_unit_test(test_elsewhere),
		cmocka_unit_test(test_firmware),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
