/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands behind options on a command line, as any text: refused with a sentence, or taken; what was taken can be
 * part of a machine's description.
 *
 * The first byte says which option it is.
 */
#include "fuzz.h"

#include "command/disk.h"
#include "command/firmware.h"
#include "command/net.h"

#include <string.h>

static struct machine_config config;

static int parse(uint8_t option, const char *text, struct error *error)
{
	char where[CONFIG_PATH_SIZE], other[CONFIG_PATH_SIZE], plug[CONFIG_PLUG_SIZE];
	uint32_t number = 0;

	switch (option % 5) {
	case 0:
		config.disks = 1;
		return disk_parse(text, &config.disk[0], error);
	case 1:
		return disk_parse_place(text, &number, where, error);
	case 2:
		config.nets = 1;
		return net_parse(text, &config.net[0], error);
	case 3:
		return net_parse_place(text, &number, plug, error);
	default:
		return firmware_parse(text, where, other, error);
	}
}

/* A description that the machine's owner sends elsewhere is taken there. */
static void expect_travels(void)
{
	struct machine_config same;
	struct buffer buffer = { 0 };
	struct error error;

	config_complete_macs(&config);
	if (config_check(&config, &error)) {
		FUZZ_MUST(error.text[0]);
		return;
	}
	config_put(&buffer, &config);
	FUZZ_MUST(!config_get(buffer.data, buffer.size, &same, &error));
	buffer_free(&buffer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { .text = "" };
	char text[4096];

	if (!size || size > sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	config_init(&config);
	strcpy(config.name, "fuzzed");
	if (parse(data[0], text, &error))
		FUZZ_MUST(error.text[0]);
	else
		expect_travels();
	return 0;
}
