/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's description out of a command line: see the header. */
#include "command/describe.h"

#include "base/file.h"
#include "base/log.h"
#include "command/cpu.h"
#include "command/disk.h"
#include "command/firmware.h"
#include "command/net.h"
#include "machine/description.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER_DEFAULT "/etc/seaclock"
#define MIB_SHIFT 20

/* The file that describes machines of this name. */
static int path_of_name(const char *name, char path[PATH_MAX], struct error *error)
{
	const char *folder = getenv("SEACLOCK_CONFIG_DIR");

	if (!folder || !*folder)
		folder = FOLDER_DEFAULT;
	if (snprintf(path, PATH_MAX, "%s/machines/%s.json", folder, name) < PATH_MAX)
		return 0;
	return error_set(error, ENAMETOOLONG, "the folder SEACLOCK_CONFIG_DIR has too long a path for a file");
}

static int read_by_name(const char *name, struct machine_config *config, struct error *error)
{
	char path[PATH_MAX];
	int result = path_of_name(name, path, error);

	if (result)
		return result;
	result = description_read(path, config, error);
	if (result != -ENOENT)
		return result;
	return error_set(
		error, ENOENT,
		"a machine needs a kernel or firmware: name it with --kernel FILE or --firmware, or describe the "
		"machine in %s",
		path);
}

/* With --kernel or --firmware there is no file; whoever has one for this name may have expected that it counts. */
static int tell_unread(const char *name, const char *option, struct error *error)
{
	char path[PATH_MAX];
	int result = path_of_name(name, path, error);

	if (!result && !access(path, F_OK))
		log_line("%s is not read, because --%s is given; with --config it is, and --%s overrides its %s", path,
			 option, option, option);
	return result;
}

/* What a file says, if there is one. */
static int describe_by_file(const struct describe_options *options, const char *name, struct machine_config *config,
			    struct error *error)
{
	const char *given = options->kernel ? "kernel" : options->firmware ? "firmware" : NULL;
	int result = 0;

	if (options->config)
		result = description_read(options->config, config, error);
	else
		result = given ? tell_unread(name, given, error) : read_by_name(name, config, error);
	/* The command line is as it should be. */
	return result == -EINVAL ? -EBADMSG : result;
}

static int command_line_put(const char *text, struct machine_config *config, struct error *error)
{
	size_t length = strlen(text);

	if (length >= sizeof(config->command_line))
		return error_set(error, EINVAL, "--append has %zu bytes; at most %zu are possible: shorten it", length,
				 sizeof(config->command_line) - 1);
	memcpy(config->command_line, text, length + 1);
	return 0;
}

static int disks_put(const struct option_list *list, struct machine_config *config, struct error *error)
{
	int result = 0;

	for (uint32_t n = 0; n < list->count && !result; n++)
		result = disk_parse(list->text[n], &config->disk[n], error);
	if (list->count)
		config->disks = list->count;
	return result;
}

static int nets_put(const struct option_list *list, struct machine_config *config, struct error *error)
{
	int result = 0;

	for (uint32_t n = 0; n < list->count && !result; n++)
		result = net_parse(list->text[n], &config->net[n], error);
	if (list->count)
		config->nets = list->count;
	return result;
}

static void action_put(const char *word, enum config_action *action)
{
	if (word)
		config_action_parse(word, action);
}

static int describe_by_options(const struct describe_options *options, struct machine_config *config,
			       struct error *error)
{
	int result = 0;

	if (options->kernel)
		result = file_path(options->kernel, config->kernel, sizeof(config->kernel), error);
	if (!result && options->initrd)
		result = file_path(options->initrd, config->initrd, sizeof(config->initrd), error);
	if (!result && options->append)
		result = command_line_put(options->append, config, error);
	if (!result && options->firmware)
		result = firmware_describe(options->firmware, config, error);
	if (!result && options->cpu)
		result = cpu_parse(options->cpu, &config->cpu, error);
	if (options->vcpus)
		config->vcpus = options->vcpus;
	if (options->memory_mib)
		config->memory_size = (uint64_t)options->memory_mib << MIB_SHIFT;
	action_put(options->on_reboot, &config->on_reboot);
	action_put(options->on_panic, &config->on_panic);
	config->repair |= options->repair;
	if (!result)
		result = disks_put(&options->disk, config, error);
	return result ? result : nets_put(&options->net, config, error);
}

int describe(const struct describe_options *options, const char *name, struct machine_config *config,
	     struct error *error)
{
	int result;

	config_init(config);
	snprintf(config->name, sizeof(config->name), "%s", name);
	result = describe_by_file(options, name, config, error);
	if (!result)
		result = describe_by_options(options, config, error);
	if (!result)
		result = config_check(config, error);
	if (result || config->kernel[0] || config->firmware[0])
		return result;
	return error_set(
		error, EINVAL,
		"a machine needs a kernel or firmware: name it with --kernel FILE or --firmware, or as \"kernel\" "
		"or \"firmware\" in its description");
}
