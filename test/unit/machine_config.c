/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's description: what is taken and what is refused, with the sentence, whole, cut short and damaged. */
#include "config_fixture.h"
#include "../property/random.h"

#include "base/layout.h"
#include "base/section.h"
#include "machine/config.h"

#include <errno.h>
#include <string.h>

#include <seaclock/core.h>

static const struct machine_config good = {
	.name = "n",
	.vcpus = 2,
	.memory_size = LAYOUT_RAM_MIN,
	.address_bits = 40,
	.model = CONFIG_MODEL_DEVICES,
	.on_reboot = CONFIG_RESET,
	.kernel = "/boot/Image",
	.command_line = "console=ttyAMA0",
	.disk = {
		{ .where = "/srv/a, b", .serial = "A1", .readonly = true, .reconnect_s = 60 },
		{ .where = "nbd://store:10809/web", .reconnect_s = CONFIG_RECONNECT_MAX_S },
	},
	.disks = 2,
};

static int travel(const struct machine_config *config, struct machine_config *back, struct error *error)
{
	struct buffer buffer = { 0 };
	int result;

	config_put(&buffer, config);
	assert_true(buffer.size <= CONFIG_SIZE_MAX);
	result = config_get(buffer.data, buffer.size, back, error);
	buffer_free(&buffer);
	return result;
}

static void expect_taken(const struct machine_config *config)
{
	struct machine_config back;
	struct error error;

	assert_int_equal(travel(config, &back, &error), 0);
	expect_same(config, &back);
}

static void test_travels(void **state)
{
	struct machine_config config = good, back;
	struct error error;

	(void)state;
	assert_int_equal(travel(&good, &back, &error), 0);
	assert_string_equal(back.name, "n");
	assert_int_equal(back.vcpus, 2);
	assert_true(back.memory_size == LAYOUT_RAM_MIN);
	assert_int_equal(back.address_bits, 40);
	assert_int_equal(back.model, CONFIG_MODEL_DEVICES);
	assert_int_equal(back.on_reboot, CONFIG_RESET);
	assert_int_equal(back.on_panic, CONFIG_EXIT);
	assert_string_equal(back.kernel, "/boot/Image");
	assert_string_equal(back.initrd, "");
	assert_string_equal(back.command_line, "console=ttyAMA0");
	assert_int_equal(back.disks, 2);
	assert_string_equal(back.disk[0].where, "/srv/a, b");
	assert_string_equal(back.disk[0].serial, "A1");
	assert_true(back.disk[0].readonly);
	assert_int_equal(back.disk[0].reconnect_s, 60);
	assert_string_equal(back.disk[1].where, "nbd://store:10809/web");
	assert_false(back.disk[1].readonly);
	config.vcpus = SC_VCPU_MAX;
	config.memory_size = LAYOUT_RAM_MAX;
	config.disks = 0;
	expect_taken(&config);
}

static void fill(char *text, size_t size)
{
	memset(text, '/', size - 1);
	text[size - 1] = '\0';
}

/* The largest that there is fits. */
static void test_largest(void **state)
{
	struct machine_config config = good;

	(void)state;
	fill(config.name, sizeof(config.name));
	memset(config.name, 'n', sizeof(config.name) - 1);
	fill(config.kernel, sizeof(config.kernel));
	fill(config.initrd, sizeof(config.initrd));
	fill(config.command_line, sizeof(config.command_line));
	config.disks = CONFIG_DISKS_MAX;
	for (uint32_t n = 0; n < CONFIG_DISKS_MAX; n++) {
		config.disk[n] = config_disk_default();
		fill(config.disk[n].where, sizeof(config.disk[n].where));
		config.disk[n].where[1] = (char)('0' + n);
		fill(config.disk[n].serial, sizeof(config.disk[n].serial));
	}
	config.nets = CONFIG_NETS_MAX;
	for (uint32_t n = 0; n < CONFIG_NETS_MAX; n++) {
		fill(config.net[n].where, sizeof(config.net[n].where));
		memcpy(config.net[n].where, "passt=", strlen("passt="));
		config.net[n].where[strlen("passt=/")] = (char)('0' + n);
		config.net[n].mtu = UINT16_MAX;
	}
	expect_taken(&config);
}

static const struct machine_config by_firmware = {
	.name = "n",
	.vcpus = 1,
	.memory_size = LAYOUT_RAM_MIN,
	.model = CONFIG_MODEL_DEVICES,
	.firmware = "/code.fd",
	.variables = "/vars.fd",
};

static void test_firmware(void **state)
{
	struct machine_config config = by_firmware, back;
	struct error error;

	(void)state;
	assert_int_equal(travel(&config, &back, &error), 0);
	assert_string_equal(back.firmware, "/code.fd");
	assert_string_equal(back.variables, "/vars.fd");
	config.variables[0] = '\0';
	expect_taken(&config);
}

static void test_nets(void **state)
{
	struct machine_config config = good, back;
	struct error error;

	(void)state;
	config.nets = 2;
	config.net[0] = (struct config_net){ .where = "tap=tap0", .mac = { 2, 0, 0, 0, 0, 0xff }, .mtu = 1500 };
	config.net[1] = (struct config_net){ .where = "passt" };
	assert_int_equal(travel(&config, &back, &error), 0);
	expect_same(&config, &back);
	assert_int_equal(back.nets, 2);
	assert_string_equal(back.net[0].where, "tap=tap0");
	assert_memory_equal(back.net[0].mac, config.net[0].mac, MAC_SIZE);
	assert_int_equal(back.net[0].mtu, 1500);
	assert_false(mac_is_said(back.net[1].mac));
}

static void test_repair(void **state)
{
	struct machine_config config = good, back;
	struct error error;

	(void)state;
	config.repair = true;
	expect_taken(&config);
	assert_int_equal(travel(&config, &back, &error), 0);
	assert_true(back.repair);
	assert_int_equal(travel(&good, &back, &error), 0);
	assert_false(back.repair);
}

/* The same for the same machine, and another for each device; what was said stays. */
static void test_macs(void **state)
{
	static const uint8_t said[MAC_SIZE] = { 0x52, 0x54, 0, 1, 2, 3 };
	struct machine_config config = good, other = good;
	char text[MAC_TEXT_SIZE];
	uint8_t mac[MAC_SIZE];

	(void)state;
	config.nets = other.nets = 3;
	memcpy(config.net[2].mac, said, sizeof(said));
	other.name[0]++;
	config_complete_macs(&config);
	config_complete_macs(&other);
	assert_memory_equal(config.net[2].mac, said, sizeof(said));
	mac_text(said, text);
	assert_string_equal(text, "52:54:00:01:02:03");
	assert_int_equal(config.net[0].mac[0], 2);
	assert_memory_not_equal(config.net[0].mac, config.net[1].mac, MAC_SIZE);
	assert_memory_not_equal(config.net[0].mac, other.net[0].mac, MAC_SIZE);
	memcpy(mac, config.net[0].mac, sizeof(mac));
	memset(config.net[0].mac, 0, sizeof(mac));
	config_complete_macs(&config);
	assert_memory_equal(config.net[0].mac, mac, sizeof(mac));
}

static void test_mac_texts(void **state)
{
	static const char *const wrong[] = { "",
					     "02:00:00:00:00:0",
					     "02:00:00:00:00:001",
					     "02:00:00:00:00:0g",
					     "02-00-00-00-00-01",
					     "02:00:00:00:00: 1",
					     "02:00:00:00:00:+1",
					     "0x:00:00:00:00:01",
					     "02:00:00:00:0001:" };
	uint8_t mac[MAC_SIZE];
	char text[MAC_TEXT_SIZE];

	(void)state;
	assert_true(mac_parse("0A:bC:00:ff:10:01", mac));
	mac_text(mac, text);
	assert_string_equal(text, "0a:bc:00:ff:10:01");
	for (size_t n = 0; n < ARRAY_SIZE(wrong); n++)
		if (mac_parse(wrong[n], mac))
			fail_msg("`%s` is taken", wrong[n]);
}

/* ---- What no machine is ---- */

static struct machine_config bad;

static void expect_refused(const char *sentence)
{
	struct error error = { .text = "" };
	struct machine_config back;

	assert_int_equal(config_check(&bad, &error), -EINVAL);
	assert_string_equal(error.text, sentence);
	assert_int_equal(travel(&bad, &back, &error), -EPROTO);
	assert_non_null(strstr(error.text, sentence));
	bad = good;
}

static void test_numbers(void **state)
{
	(void)state;
	bad = good;
	bad.vcpus = 0;
	expect_refused("vcpus takes 1 to 8, not 0");
	bad.vcpus = UINT32_MAX;
	expect_refused("vcpus takes 1 to 8, not 4294967295");
	bad.memory_size = 0;
	expect_refused("memory_mib takes 64 to 65536, not 0");
	bad.memory_size = LAYOUT_RAM_MIN - LAYOUT_RAM_UNIT;
	expect_refused("memory_mib takes 64 to 65536, not 63");
	bad.memory_size = LAYOUT_RAM_MAX + LAYOUT_RAM_UNIT;
	expect_refused("memory_mib takes 64 to 65536, not 65537");
	bad.memory_size = LAYOUT_RAM_MIN + 4096;
	expect_refused("memory_mib takes whole MiB, not 67112960 bytes");
	bad.memory_size = UINT64_MAX;
	expect_refused("memory_mib takes whole MiB, not 18446744073709551615 bytes");
	bad.model = (enum config_model)0;
	expect_refused("model takes 1 to 3, not 0");
	bad.model = (enum config_model)4;
	expect_refused("model takes 1 to 3, not 4");
	bad.on_reboot = (enum config_action)2;
	expect_refused("on_reboot takes 0 to 1, not 2");
	bad.on_panic = (enum config_action)7;
	expect_refused("on_panic takes 0 to 1, not 7");
	bad.disk[1].reconnect_s = CONFIG_RECONNECT_MAX_S + 1;
	expect_refused("disks[1].reconnect_s takes 0 to 86400, not 86401");
}

static void test_texts(void **state)
{
	(void)state;
	bad = good;
	strcpy(bad.name, "../boat");
	expect_refused("the name is not one that a machine can have");
	strcpy(bad.kernel, "Image");
	expect_refused("kernel takes an absolute path, not `Image`");
	strcpy(bad.kernel, "/boot/\x1b[2J");
	expect_refused("kernel takes text in UTF-8 without control characters");
	strcpy(bad.initrd, "./initrd");
	expect_refused("initrd takes an absolute path, not `./initrd`");
	strcpy(bad.command_line, "quiet\xff");
	expect_refused("command_line takes text in UTF-8 without control characters");
	strcpy(bad.disk[0].where, "");
	expect_refused("disks[0].where is missing: it says where the disk is");
	strcpy(bad.disk[1].where, "web.img");
	expect_refused("disks[1].where takes an absolute path or a URI (nbd://, nbds://, nbd+unix:// or nbds+unix://), "
		       "not `web.img`");
	strcpy(bad.disk[1].where, "http:/store/web");
	expect_refused(
		"disks[1].where takes an absolute path or a URI (nbd://, nbds://, nbd+unix:// or nbds+unix://), not "
		"`http:/store/web`");
	strcpy(bad.disk[1].where, "nbd://store\n");
	expect_refused("disks[1].where takes text in UTF-8 without control characters");
	strcpy(bad.disk[1].serial, "two words");
	expect_refused("disks[1].serial takes up to 20 visible characters of ASCII, without blanks");
	strcpy(bad.disk[1].serial, "\xc3\xa9");
	expect_refused("disks[1].serial takes up to 20 visible characters of ASCII, without blanks");
}

/* Each device has a place of its own, but for what several may read. */
static void test_places(void **state)
{
	struct error error;

	(void)state;
	bad = good;
	strcpy(bad.disk[1].where, bad.disk[0].where);
	expect_refused("disks 0 and 1 are the same, /srv/a, b: name it once, or make both readonly");
	strcpy(bad.disk[1].where, bad.disk[0].where);
	bad.disk[1].readonly = true;
	assert_int_equal(config_check(&bad, &error), 0);
	/* Its server decides. */
	bad.disk[1] = bad.disk[0] = good.disk[1];
	assert_int_equal(config_check(&bad, &error), 0);
	bad.nets = 3;
	strcpy(bad.net[0].where, "tap=b");
	strcpy(bad.net[1].where, "passt");
	strcpy(bad.net[2].where, "passt");
	assert_int_equal(config_check(&bad, &error), 0);
	strcpy(bad.net[2].where, "tap=b");
	assert_int_equal(config_check(&bad, &error), -EINVAL);
	assert_string_equal(error.text, "network devices 0 and 2 are at the same place, tap=b: give each its own");
	strcpy(bad.net[0].where, "passt=/run/p");
	strcpy(bad.net[2].where, "passt=/run/p");
	assert_int_equal(config_check(&bad, &error), -EINVAL);
	bad = good;
}

static void test_bad_firmware(void **state)
{
	static const char goes_without[] =
		"firmware goes without kernel, initrd and command_line: it boots from a disk";

	struct error error;

	(void)state;
	bad = good;
	strcpy(bad.variables, "/vars.fd");
	assert_int_equal(config_check(&bad, &error), -EINVAL);
	assert_string_equal(error.text, "variables takes a path only beside firmware");
	strcpy(bad.firmware, "/code.fd");
	expect_refused(goes_without);
	bad = by_firmware;
	strcpy(bad.initrd, "/initrd");
	expect_refused(goes_without);
	bad = by_firmware;
	strcpy(bad.command_line, "quiet");
	expect_refused(goes_without);
	bad = by_firmware;
	bad.model = CONFIG_MODEL_UART;
	expect_refused("firmware takes a machine of model 2 or newer, not 1");
	bad = by_firmware;
	strcpy(bad.firmware, "code.fd");
	expect_refused("firmware takes an absolute path, not `code.fd`");
	bad = by_firmware;
	strcpy(bad.variables, "vars.fd");
	expect_refused("variables takes an absolute path, not `vars.fd`");
}

static void test_bad_nets(void **state)
{
	(void)state;
	bad = good;
	bad.nets = 1;
	expect_refused("nets[0].where is missing: it says where the network device is plugged in");
	bad.nets = 2;
	strcpy(bad.net[0].where, "tap=a");
	strcpy(bad.net[1].where, "user");
	expect_refused("nets[1].where takes tap=NAME, tap=fd:N, passt or passt=PATH with a path from the root, not "
		       "`user`");
	bad.nets = 1;
	strcpy(bad.net[0].where, "passt=/a\n");
	expect_refused("nets[0].where takes text in UTF-8 without control characters");
	bad.nets = 1;
	strcpy(bad.net[0].where, "tap=a");
	bad.net[0].mac[0] = 3;
	expect_refused(
		"nets[0].mac takes the address of one interface, not 03:00:00:00:00:00, which is of a group: its "
		"first byte is even");
	bad.nets = 1;
	strcpy(bad.net[0].where, "tap=a");
	bad.net[0].mtu = 67;
	expect_refused("nets[0].mtu takes 68 to 65535, not 67");
}

static void test_words(void **state)
{
	struct machine_config config;
	enum config_action action;

	(void)state;
	for (unsigned int n = CONFIG_EXIT; n <= CONFIG_RESET; n++) {
		assert_true(config_action_parse(config_action_name((enum config_action)n), &action));
		assert_int_equal(action, n);
	}
	assert_false(config_action_parse("halt", &action));
	assert_false(config_action_parse("", &action));
	config_init(&config);
	strcpy(config.disk[0].where, "NBDS+unix:///a?socket=/run/a");
	config.disks = 1;
	strcpy(config.name, "n");
	expect_taken(&config);
}

/* ---- Damage ---- */

/* Where a description of protocol 5 ends, and without its machine's name. */
#define HEAD_SIZE 45u

/* A description of protocol 5 is one that ends there. */
static void test_protocol_5(void **state)
{
	struct buffer buffer = { 0 };
	struct machine_config back;
	struct error error;

	(void)state;
	config_put(&buffer, &good);
	assert_int_equal(config_get(buffer.data, HEAD_SIZE, &back, &error), 0);
	assert_int_equal(back.vcpus, 2);
	assert_int_equal(back.model, CONFIG_MODEL_UART);
	assert_int_equal(back.on_reboot, CONFIG_EXIT);
	assert_int_equal(back.on_panic, CONFIG_EXIT);
	assert_string_equal(back.kernel, "");
	assert_int_equal(back.disks, 0);
	buffer_free(&buffer);
}

static void test_damage(void **state)
{
	struct buffer buffer = { 0 };
	struct machine_config back;
	struct error error;

	(void)state;
	config_put(&buffer, &good);
	for (size_t size = 0; size < buffer.size; size++) {
		if (size == HEAD_SIZE)
			continue;
		assert_int_equal(config_get(buffer.data, size, &back, &error), -EPROTO);
		assert_string_equal(error.text, "the machine's description is damaged");
	}
	buffer_put_u8(&buffer, 0);
	assert_int_equal(config_get(buffer.data, buffer.size, &back, &error), -EPROTO);
	assert_string_equal(error.text, "the machine's description is damaged");
	buffer_free(&buffer);
}

/* A section more, as a later version may have it, or twice, or out of its turn. */
static int take_with_section(uint32_t id, uint32_t instance, uint32_t version, bool optional, struct error *error)
{
	struct buffer buffer = { 0 };
	struct machine_config back;
	int result;

	config_put(&buffer, &good);
	section_end(&buffer, section_begin(&buffer, id, instance, version, optional));
	result = config_get(buffer.data, buffer.size, &back, error);
	if (!result)
		expect_same(&good, &back);
	buffer_free(&buffer);
	return result;
}

static void test_sections(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(take_with_section(SECTION_ID('N', 'E', 'W', '1'), 0, 1, true, &error), 0);
	assert_int_equal(take_with_section(SECTION_ID('N', 'E', 'W', '1'), 0, 1, false, &error), -ENOTSUP);
	assert_string_equal(error.text, "the machine's description has a section NEW1 of version 1, which this version "
					"of Seaclock does not know");
	assert_int_equal(take_with_section(SECTION_ID('D', 'I', 'S', 'K'), 2, 2, false, &error), -ENOTSUP);
	assert_non_null(strstr(error.text, "a section DISK of version 2"));
	assert_int_equal(take_with_section(SECTION_ID('D', 'I', 'S', 'K'), 2, 1, false, &error), -EPROTO);
	assert_int_equal(take_with_section(SECTION_ID('D', 'I', 'S', 'K'), 1, 1, false, &error), -EPROTO);
	assert_int_equal(take_with_section(SECTION_ID('N', 'E', 'T', 'W'), 1, 1, false, &error), -EPROTO);
	assert_int_equal(take_with_section(SECTION_ID('N', 'E', 'T', 'W'), 0, 1, false, &error), -EPROTO);
	assert_int_equal(take_with_section(SECTION_ID('N', 'E', 'T', 'W'), 0, 2, false, &error), -ENOTSUP);
	assert_int_equal(take_with_section(SECTION_ID('B', 'O', 'O', 'T'), 0, 1, false, &error), -EPROTO);
	assert_int_equal(take_with_section(SECTION_ID('M', 'O', 'D', 'L'), 1, 1, false, &error), -EPROTO);
	assert_int_equal(take_with_section(SECTION_ID('F', 'I', 'R', 'M'), 0, 1, false, &error), -EPROTO);
	assert_string_equal(error.text, "the machine's description is damaged");
}

/* More disks than there can be, whole or only said. */
static void test_too_many_disks(void **state)
{
	struct buffer buffer = { 0 };
	struct machine_config back;
	struct error error;

	(void)state;
	config_put(&buffer, &good);
	for (uint32_t disks = 3; disks < 300; disks += 33) {
		buffer.data[HEAD_SIZE + SECTION_HEADER_SIZE + 4] = (uint8_t)disks;
		for (uint32_t n = 2; n < disks; n++) {
			size_t begun = section_begin(&buffer, SECTION_ID('D', 'I', 'S', 'K'), n, 1, false);

			buffer_put_string(&buffer, "/a");
			buffer_put_string(&buffer, "");
			buffer_put_u32(&buffer, 0);
			buffer_put_u32(&buffer, 0);
			buffer_put_u64(&buffer, 0);
			section_end(&buffer, begun);
		}
		assert_int_equal(config_get(buffer.data, buffer.size, &back, &error), disks == 3 ? 0 : -EPROTO);
		buffer_clear(&buffer);
		config_put(&buffer, &good);
	}
	buffer_free(&buffer);
}

/* Whatever a damaged description holds: if it is taken, all of it is in range. */
static void test_random_damage(void **state)
{
	struct random random = random_start();
	struct buffer buffer = { 0 };

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct machine_config back;
		struct error error;

		buffer_clear(&buffer);
		config_put(&buffer, &good);
		for (uint64_t n = random_between(&random, 1, 3); n; n--)
			buffer.data[random_between(&random, 0, buffer.size - 1)] = (uint8_t)random_next(&random);
		if (!config_get(buffer.data, buffer.size, &back, &error))
			assert_int_equal(config_check(&back, &error), 0);
	}
	buffer_free(&buffer);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_travels),	      cmocka_unit_test(test_largest),
		cmocka_unit_test(test_nets),	      cmocka_unit_test(test_repair),
		cmocka_unit_test(test_macs),	      cmocka_unit_test(test_mac_texts),
		cmocka_unit_test(test_bad_nets),      cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),	      cmocka_unit_test(test_words),
		cmocka_unit_test(test_protocol_5),    cmocka_unit_test(test_damage),
		cmocka_unit_test(test_sections),      cmocka_unit_test(test_too_many_disks),
		cmocka_unit_test(test_random_damage), cmocka_unit_test(test_firmware),
		cmocka_unit_test(test_bad_firmware),  cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
