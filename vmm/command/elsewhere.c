/* SPDX-License-Identifier: BSD-2-Clause */
/* What a machine that arrives has under another name on this host: see the header. */
#include "command/elsewhere.h"

#include "base/file.h"
#include "command/disk.h"
#include "command/firmware.h"
#include "command/net.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

static int disk_put(const char *text, struct arrival_names *names, struct error *error)
{
	char where[CONFIG_PATH_SIZE];
	uint32_t number;
	int result = disk_parse_place(text, &number, where, error);

	if (result)
		return result;
	if (names->disk[number][0])
		return error_set(error, EINVAL, "--disk says twice where disk %" PRIu32 " is", number);
	memcpy(names->disk[number], where, sizeof(where));
	return 0;
}

static int net_put(const char *text, struct arrival_names *names, struct error *error)
{
	char where[CONFIG_PLUG_SIZE];
	uint32_t number;
	int result = net_parse_place(text, &number, where, error);

	if (result)
		return result;
	if (names->net[number][0])
		return error_set(error, EINVAL, "--net says twice where network device %" PRIu32 " is plugged in",
				 number);
	memcpy(names->net[number], where, sizeof(where));
	return 0;
}

int elsewhere_parse(const struct elsewhere_options *options, const char *name, struct arrival_names *names,
		    struct error *error)
{
	int result = 0;

	*names = (struct arrival_names){ .name = name };
	if (options->kernel)
		result = file_path(options->kernel, names->kernel, sizeof(names->kernel), error);
	if (!result && options->initrd)
		result = file_path(options->initrd, names->initrd, sizeof(names->initrd), error);
	if (!result && options->firmware)
		result = firmware_parse(options->firmware, names->firmware, names->variables, error);
	for (uint32_t n = 0; n < options->disk.count && !result; n++)
		result = disk_put(options->disk.text[n], names, error);
	for (uint32_t n = 0; n < options->net.count && !result; n++)
		result = net_put(options->net.text[n], names, error);
	return result;
}
