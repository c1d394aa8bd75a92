/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine's description as JSON: what each field takes, the sentence for what it does not, and that any description
 * comes back as it was.
 */
#include "config_fixture.h"
#include "../property/random.h"

#include "base/layout.h"
#include "machine/description.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <seaclock/core.h>

static struct machine_config config;
static struct error error;

static int parse(const char *text)
{
	config_init(&config);
	strcpy(config.name, "boat");
	return description_parse(text, strlen(text), &config, &error);
}

static void test_all_fields(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"model\": 1, \"vcpus\": 4, \"memory_mib\": 1024, \"kernel\": \"/boot/Image\", \"initrd\": "
		      "\"/boot/initrd\", \"command_line\": \"console=ttyAMA0 \\u00e9\", \"on_reboot\": \"reset\", "
		      "\"on_panic\": \"exit\", \"repair\": true, \"disks\": [{\"where\": \"/srv/a\", \"readonly\": "
		      "true, \"serial\": "
		      "\"A1\", \"reconnect_s\": 5}, {\"where\": \"nbd://store/b\"}]}"),
		0);
	assert_int_equal(config.model, CONFIG_MODEL_UART);
	assert_int_equal(config.vcpus, 4);
	assert_true(config.memory_size == 1ull << 30);
	assert_string_equal(config.kernel, "/boot/Image");
	assert_string_equal(config.initrd, "/boot/initrd");
	assert_string_equal(config.command_line, "console=ttyAMA0 \xc3\xa9");
	assert_int_equal(config.on_reboot, CONFIG_RESET);
	assert_int_equal(config.on_panic, CONFIG_EXIT);
	assert_true(config.repair);
	assert_int_equal(config.disks, 2);
	assert_string_equal(config.disk[0].where, "/srv/a");
	assert_true(config.disk[0].readonly);
	assert_string_equal(config.disk[0].serial, "A1");
	assert_int_equal(config.disk[0].reconnect_s, 5);
	assert_string_equal(config.disk[1].where, "nbd://store/b");
	assert_false(config.disk[1].readonly);
	assert_int_equal(config.disk[1].reconnect_s, 60);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("{}"), 0);
	assert_int_equal(config.model, CONFIG_MODEL_NEW);
	assert_int_equal(config.vcpus, 1);
	assert_true(config.memory_size == 512ull << 20);
	assert_string_equal(config.kernel, "");
	assert_int_equal(config.on_reboot, CONFIG_EXIT);
	assert_int_equal(config.on_panic, CONFIG_EXIT);
	assert_int_equal(config.disks, 0);
	assert_int_equal(config.nets, 0);
}

static const struct {
	const char *text, *sentence;
} bad[] = {
	{ "", "it is not JSON in line 1" },
	{ "{\"vcpus\": 1,\n \"vcpus\": 2}", "it is not JSON in line 2" },
	{ "{\"vcpus\": 1} {}", "it is not JSON in line 1" },
	{ "{\"kernel\": \"/a\\u0000b\"}", "it is not JSON in line 1" },
	{ "{\"kernel\": \"/\xff\"}", "it is not JSON in line 1" },
	{ "[]", "a description is a JSON object" },
	{ "{\"colour\": \"blue\"}", "colour is no field of a description: see seaclock.json(5)" },
	{ "{\"name\": \"boat\"}", "name is no field of a description" },
	{ "{\"model\": 4}", "model takes 1 to 3, not 4" },
	{ "{\"model\": \"2\"}", "model takes a whole number below 2^32" },
	{ "{\"vcpus\": 0}", "vcpus takes 1 to 8, not 0" },
	{ "{\"vcpus\": 9}", "vcpus takes 1 to 8, not 9" },
	{ "{\"vcpus\": -1}", "vcpus takes a whole number below 2^32" },
	{ "{\"vcpus\": 4294967297}", "vcpus takes a whole number below 2^32" },
	{ "{\"vcpus\": 1.5}", "vcpus takes a whole number below 2^32" },
	{ "{\"vcpus\": null}", "vcpus takes a whole number below 2^32" },
	{ "{\"memory_mib\": 63}", "memory_mib takes 64 to 65536, not 63" },
	{ "{\"memory_mib\": 4294967295}", "memory_mib takes 64 to 65536, not 4294967295" },
	{ "{\"memory_mib\": true}", "memory_mib takes a whole number below 2^32" },
	{ "{\"cpu\": \"host\"}", "cpu takes an object with a member for each register" },
	{ "{\"cpu\": {\"CR0\": \"0x1\"}}", "cpu.CR0 is no identification register that Seaclock knows" },
	{ "{\"cpu\": {\"MIDR_EL1\": 17}}", "cpu.MIDR_EL1 takes a text such as \"0x1100\"" },
	{ "{\"cpu\": {\"MIDR_EL1\": \"0x11112222333344445\"}}", "cpu.MIDR_EL1 takes a text such as \"0x1100\"" },
	{ "{\"kernel\": 1}", "kernel takes a text" },
	{ "{\"kernel\": \"Image\"}", "kernel takes an absolute path, not `Image`" },
	{ "{\"initrd\": \"./a\"}", "initrd takes an absolute path, not `./a`" },
	{ "{\"initrd\": \"/a\\nb\"}", "initrd takes text in UTF-8 without control characters" },
	{ "{\"command_line\": [\"a\"]}", "command_line takes a text" },
	{ "{\"on_reboot\": \"halt\"}", "on_reboot takes \"exit\" or \"reset\"" },
	{ "{\"repair\": 1}", "repair takes true or false" },
	{ "{\"on_panic\": 1}", "on_panic takes \"exit\" or \"reset\"" },
	{ "{\"disks\": {}}", "disks takes a list of objects" },
	{ "{\"disks\": [\"/a\"]}", "disks takes a list of objects" },
	{ "{\"disks\": [{},{},{},{},{},{},{},{},{}]}", "disks takes at most 8 disks, not 9" },
	{ "{\"disks\": [{\"where\": \"/a\"}, {}]}", "disks[1].where is missing: it says where the disk is" },
	{ "{\"disks\": [{\"where\": \"a\"}]}", "disks[0].where takes an absolute path or a URI" },
	{ "{\"disks\": [{\"where\": \"/a\"}, {\"where\": \"/b\", \"serial\": \"123456789012345678901\"}]}",
	  "disks[1].serial takes at most 20 bytes, not 21" },
	{ "{\"disks\": [{\"where\": \"/a\", \"serial\": \"a b\"}]}",
	  "disks[0].serial takes up to 20 visible characters of ASCII, without blanks" },
	{ "{\"disks\": [{\"where\": \"/a\", \"readonly\": 1}]}", "disks[0].readonly takes true or false" },
	{ "{\"disks\": [{\"where\": \"/a\", \"reconnect_s\": 86401}]}",
	  "disks[0].reconnect_s takes 0 to 86400, not 86401" },
	{ "{\"disks\": [{\"where\": \"/a\", \"cache\": \"none\"}]}", "disks[0].cache is no field of a description" },
	{ "{\"nets\": {}}", "nets takes a list of objects" },
	{ "{\"nets\": [{},{},{},{},{}]}", "nets takes at most 4 nets, not 5" },
	{ "{\"nets\": [{}]}", "nets[0].where is missing" },
	{ "{\"nets\": [{\"where\": \"tap=a\"}, {\"where\": \"tap\"}]}", "nets[1].where takes tap=NAME" },
	{ "{\"nets\": [{\"where\": \"passt\", \"mac\": 1}]}", "nets[0].mac takes an address such as" },
	{ "{\"nets\": [{\"where\": \"passt\", \"mac\": \"02:00:00:00:00\"}]}", "nets[0].mac takes an address such as" },
	{ "{\"nets\": [{\"where\": \"passt\", \"mac\": \"00:00:00:00:00:00\"}]}",
	  "nets[0].mac takes an address such as" },
	{ "{\"nets\": [{\"where\": \"passt\", \"mac\": \"ff:ff:ff:ff:ff:ff\"}]}",
	  "nets[0].mac takes the address of one interface, not ff:ff:ff:ff:ff:ff" },
	{ "{\"nets\": [{\"where\": \"passt\", \"mtu\": 1500}]}", "nets[0].mtu is no field of a description" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
		error.text[0] = '\0';
		assert_int_equal(parse(bad[n].text), -EINVAL);
		if (strncmp(error.text, bad[n].sentence, strlen(bad[n].sentence)) != 0)
			fail_msg("%s: instead of \"%s\" it says: %s", bad[n].text, bad[n].sentence, error.text);
	}
}

static void test_long_texts(void **state)
{
	char text[CONFIG_COMMAND_LINE_SIZE + 64], words[CONFIG_COMMAND_LINE_SIZE + 1];

	(void)state;
	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	snprintf(text, sizeof(text), "{\"command_line\": \"%s\"}", words);
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(error.text, "command_line takes at most 2047 bytes, not 2048");
	snprintf(text, sizeof(text), "{\"command_line\": \"%s\"}", words + 1);
	assert_int_equal(parse(text), 0);
	assert_string_equal(config.command_line, words + 1);
}

/* ---- There and back ---- */

/* A text of up to size - 1 bytes behind what it begins with, of characters that JSON writes in its own way as well. */
static void random_text(struct random *random, char *text, size_t size, const char *start)
{
	static const char *const pieces[] = {
		"a", "/", " ", "\"", "\\", ",", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x9a\xa2"
	};
	size_t wanted = random_between(random, 0, size - 1);

	snprintf(text, size, "%s", start);
	for (;;) {
		const char *piece = pieces[random_between(random, 0, ARRAY_SIZE(pieces) - 1)];

		if (strlen(text) + strlen(piece) > wanted)
			break;
		strcat(text, piece);
	}
}

/* Each device is at a place of its own, by its number. */
static void random_disk(struct random *random, struct config_disk *disk, uint32_t number)
{
	char start[32];

	snprintf(start, sizeof(start), "%s%" PRIu32, random_chance(random, 2) ? "/" : "nbd://", number);
	*disk = config_disk_default();
	random_text(random, disk->where, sizeof(disk->where), start);
	for (uint64_t n = random_between(random, 0, CONFIG_SERIAL_SIZE - 1); n; n--)
		disk->serial[n - 1] = (char)random_between(random, '!', '~');
	disk->readonly = random_chance(random, 2);
	disk->reconnect_s = (uint32_t)random_between(random, 0, CONFIG_RECONNECT_MAX_S);
}

static void random_net(struct random *random, struct config_net *net, uint32_t number)
{
	char start[32];

	snprintf(start, sizeof(start), "passt=/%" PRIu32, number);
	*net = (struct config_net){ .where = "passt" };
	if (random_chance(random, 2))
		random_text(random, net->where, sizeof(net->where), start);
	else if (random_chance(random, 2))
		snprintf(net->where, sizeof(net->where), "tap=fd:%" PRIu32, 7 + number);
	for (uint32_t n = 0; n < MAC_SIZE && random_chance(random, 8) == 0; n++)
		net->mac[n] = (uint8_t)random_between(random, 0, 255) & 0xfe;
}

static void random_config(struct random *random, struct machine_config *made)
{
	config_init(made);
	strcpy(made->name, "boat");
	made->model = (enum config_model)random_between(random, CONFIG_MODEL_UART, CONFIG_MODEL_NEW);
	made->vcpus = (uint32_t)random_between(random, 1, SC_VCPU_MAX);
	made->memory_size = random_between(random, 64, 65536) << 20;
	made->on_reboot = (enum config_action)random_between(random, CONFIG_EXIT, CONFIG_RESET);
	made->on_panic = (enum config_action)random_between(random, CONFIG_EXIT, CONFIG_RESET);
	made->repair = random_chance(random, 2);
	if (random_chance(random, 2))
		random_text(random, made->kernel, sizeof(made->kernel), "/");
	if (random_chance(random, 2))
		random_text(random, made->initrd, sizeof(made->initrd), "/");
	random_text(random, made->command_line, sizeof(made->command_line), "");
	made->disks = (uint32_t)random_between(random, 0, CONFIG_DISKS_MAX);
	for (uint32_t n = 0; n < made->disks; n++)
		random_disk(random, &made->disk[n], n);
	made->nets = (uint32_t)random_between(random, 0, CONFIG_NETS_MAX);
	for (uint32_t n = 0; n < made->nets; n++)
		random_net(random, &made->net[n], n);
}

static void test_comes_back(void **state)
{
	struct random random = random_start();

	(void)state;
	for (int round = 0; round < 500; round++) {
		struct machine_config made;
		json_t *json;
		char *text;

		random_config(&random, &made);
		assert_int_equal(config_check(&made, &error), 0);
		json = description_json(&made);
		text = json_dumps(json, random_chance(&random, 2) ? JSON_COMPACT : JSON_INDENT(2) | JSON_ENSURE_ASCII);
		assert_non_null(text);
		if (parse(text))
			fail_msg("%s", error.text);
		expect_same(&made, &config);
		free(text);
		json_decref(json);
	}
}

/* What a machine is told of its processor is no part of the bytes, so the test above does not see it. */
static void test_cpu(void **state)
{
	char *text;
	json_t *json;

	(void)state;
	assert_int_equal(parse("{\"cpu\": {\"ID_AA64ISAR0_EL1\": \"0x10\", \"MIDR_EL1\": \"0xFfffFfffFfffFfff\"}}"), 0);
	assert_int_equal(config.cpu.count, 2);
	assert_true(identity_find(&config.cpu, IDENTITY_MIDR)->value == UINT64_MAX);
	json = description_json(&config);
	text = json_dumps(json_object_get(json, "cpu"), JSON_COMPACT);
	assert_string_equal(text, "{\"MIDR_EL1\":\"0xffffffffffffffff\",\"ID_AA64ISAR0_EL1\":\"0x10\"}");
	free(text);
	json_decref(json);
}

/* ---- Files ---- */

static void test_files(void **state)
{
	static char path[] = "/tmp/seaclock-description-XXXXXX";
	int fd = mkstemp(path);
	char sentence[128];

	(void)state;
	assert_int_equal(write(fd, bad[9].text, strlen(bad[9].text)), strlen(bad[9].text));
	close(fd);
	config_init(&config);
	strcpy(config.name, "boat");
	assert_int_equal(description_read(path, &config, &error), -EINVAL);
	snprintf(sentence, sizeof(sentence), "%s: %s", path, bad[9].sentence);
	assert_string_equal(error.text, sentence);
	unlink(path);
	assert_int_equal(description_read(path, &config, &error), -ENOENT);
	assert_non_null(strstr(error.text, path));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_fields), cmocka_unit_test(test_defaults),   cmocka_unit_test(test_bad),
		cmocka_unit_test(test_long_texts), cmocka_unit_test(test_comes_back), cmocka_unit_test(test_cpu),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
