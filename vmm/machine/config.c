/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's description: see the header. */
#include "machine/config.h"

#include "base/layout.h"
#include "base/text.h"
#include "dev/disk/where.h"
#include "dev/net/plug.h"
#include "machine/places.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <seaclock/core.h>

#define MIB_SHIFT 20
#define MEMORY_DEFAULT (512ull << MIB_SHIFT)
#define PREFIX_SIZE 24 /* "disks[N]." */

static const char *const action_names[] = { [CONFIG_EXIT] = "exit", [CONFIG_RESET] = "reset" };

void config_init(struct machine_config *config)
{
	*config = (struct machine_config){
		.vcpus = 1,
		.memory_size = MEMORY_DEFAULT,
		.model = CONFIG_MODEL_NEW,
	};
}

struct config_disk config_disk_default(void)
{
	return (struct config_disk){ .reconnect_s = CONFIG_RECONNECT_DEFAULT_S };
}

const char *config_action_name(enum config_action action)
{
	return action_names[action];
}

bool config_action_parse(const char *name, enum config_action *action)
{
	for (unsigned int n = CONFIG_EXIT; n <= CONFIG_RESET; n++) {
		if (strcmp(action_names[n], name) != 0)
			continue;
		*action = (enum config_action)n;
		return true;
	}
	return false;
}

/* ---- What it may say ---- */

/* One field is wrong: the sentence begins with its name. */
struct field {
	const char *prefix, *name;
};

static int check_number(struct field field, uint64_t value, uint64_t low, uint64_t high, struct error *error)
{
	if (value >= low && value <= high)
		return 0;
	return error_set(error, EINVAL, "%s%s takes %" PRIu64 " to %" PRIu64 ", not %" PRIu64, field.prefix, field.name,
			 low, high, value);
}

static int check_text(struct field field, const char *text, struct error *error)
{
	if (text_is_plain(text))
		return 0;
	return error_set(error, EINVAL, "%s%s takes text in UTF-8 without control characters", field.prefix,
			 field.name);
}

static int check_path(struct field field, const char *path, struct error *error)
{
	int result = check_text(field, path, error);

	if (result || !path[0] || path[0] == '/')
		return result;
	return error_set(error, EINVAL, "%s%s takes an absolute path, not `%.100s`", field.prefix, field.name, path);
}

static int check_memory(uint64_t size, struct error *error)
{
	if (size % LAYOUT_RAM_UNIT)
		return error_set(error, EINVAL, "memory_mib takes whole MiB, not %" PRIu64 " bytes", size);
	return check_number((struct field){ "", "memory_mib" }, size >> MIB_SHIFT, LAYOUT_RAM_MIN >> MIB_SHIFT,
			    LAYOUT_RAM_MAX >> MIB_SHIFT, error);
}

static int check_where(struct field field, const char *where, struct error *error)
{
	if (!where[0])
		return error_set(error, EINVAL, "%s%s is missing: it says where the disk is", field.prefix, field.name);
	if (where_is_remote(where))
		return check_text(field, where, error);
	if (where[0] != '/' && !check_text(field, where, error))
		return error_set(error, EINVAL,
				 "%s%s takes an absolute path or a URI (" WHERE_SCHEMES "), not `%.100s`", field.prefix,
				 field.name, where);
	return check_path(field, where, error);
}

static int check_serial(struct field field, const char *serial, struct error *error)
{
	for (const char *place = serial; *place; place++)
		if (*place <= ' ' || *place > '~')
			return error_set(error, EINVAL,
					 "%s%s takes up to %u visible characters of ASCII, without blanks",
					 field.prefix, field.name, CONFIG_SERIAL_SIZE - 1);
	return 0;
}

int config_disk_check(const struct config_disk *disk, const char *prefix, struct error *error)
{
	int result = check_where((struct field){ prefix, "where" }, disk->where, error);

	if (!result)
		result = check_serial((struct field){ prefix, "serial" }, disk->serial, error);
	if (!result)
		result = check_number((struct field){ prefix, "reconnect_s" }, disk->reconnect_s, 0,
				      CONFIG_RECONNECT_MAX_S, error);
	return result;
}

static int check_disks(const struct machine_config *config, struct error *error)
{
	int result =
		check_number((struct field){ "the number of ", "disks" }, config->disks, 0, CONFIG_DISKS_MAX, error);

	for (uint32_t n = 0; n < config->disks && !result; n++) {
		char prefix[PREFIX_SIZE];

		snprintf(prefix, sizeof(prefix), "disks[%" PRIu32 "].", n);
		result = config_disk_check(&config->disk[n], prefix, error);
	}
	return result;
}

static int check_firmware(const struct machine_config *config, struct error *error)
{
	int result = check_path((struct field){ "", "firmware" }, config->firmware, error);

	if (!result)
		result = check_path((struct field){ "", "variables" }, config->variables, error);
	if (result)
		return result;
	if (!config->firmware[0])
		return config->variables[0] ? error_set(error, EINVAL, "variables takes a path only beside firmware")
					    : 0;
	if (config->kernel[0] || config->initrd[0] || config->command_line[0])
		return error_set(error, EINVAL,
				 "firmware goes without kernel, initrd and command_line: it boots from a disk");
	if (config->model < CONFIG_MODEL_DEVICES)
		return error_set(error, EINVAL, "firmware takes a machine of model %u or newer, not %u",
				 CONFIG_MODEL_DEVICES, config->model);
	return 0;
}

static int check_mac(struct field field, const uint8_t mac[MAC_SIZE], struct error *error)
{
	char text[MAC_TEXT_SIZE];

	if (!(mac[0] & 1))
		return 0;
	mac_text(mac, text);
	return error_set(error, EINVAL,
			 "%s%s takes the address of one interface, not %s, which is of a group: its first byte is even",
			 field.prefix, field.name, text);
}

int config_net_check(const struct config_net *net, const char *prefix, struct error *error)
{
	const struct field where = { prefix, "where" };
	struct plug plug;
	int result = check_text(where, net->where, error);

	if (result)
		return result;
	if (!net->where[0])
		return error_set(error, EINVAL, "%swhere is missing: it says where the network device is plugged in",
				 prefix);
	if (!plug_parse(net->where, &plug))
		return error_set(error, EINVAL, "%swhere takes " PLUG_FORMS " with a path from the root, not `%.100s`",
				 prefix, net->where);
	return check_mac((struct field){ prefix, "mac" }, net->mac, error);
}

/* The device is told 16 bits of it. */
static int check_mtu(const struct config_net *net, const char *prefix, struct error *error)
{
	if (!net->mtu)
		return 0;
	return check_number((struct field){ prefix, "mtu" }, net->mtu, 68, UINT16_MAX, error);
}

static int check_nets(const struct machine_config *config, struct error *error)
{
	int result = check_number((struct field){ "the number of ", "nets" }, config->nets, 0, CONFIG_NETS_MAX, error);

	for (uint32_t n = 0; n < config->nets && !result; n++) {
		char prefix[PREFIX_SIZE];

		snprintf(prefix, sizeof(prefix), "nets[%" PRIu32 "].", n);
		result = config_net_check(&config->net[n], prefix, error);
		if (!result)
			result = check_mtu(&config->net[n], prefix, error);
	}
	return result;
}

/* What the machine boots from. */
static int check_boot(const struct machine_config *config, struct error *error)
{
	int result = check_path((struct field){ "", "kernel" }, config->kernel, error);

	if (!result)
		result = check_path((struct field){ "", "initrd" }, config->initrd, error);
	if (!result)
		result = check_text((struct field){ "", "command_line" }, config->command_line, error);
	return result ? result : check_firmware(config, error);
}

int config_check(const struct machine_config *config, struct error *error)
{
	int result;

	if (!name_is_valid(config->name))
		return error_set(error, EINVAL, "the name is not one that a machine can have");
	result = check_number((struct field){ "", "model" }, config->model, CONFIG_MODEL_UART, CONFIG_MODEL_NEW, error);
	if (!result)
		result = check_number((struct field){ "", "vcpus" }, config->vcpus, 1, SC_VCPU_MAX, error);
	if (!result)
		result = check_memory(config->memory_size, error);
	if (!result)
		result = check_number((struct field){ "", "on_reboot" }, config->on_reboot, CONFIG_EXIT, CONFIG_RESET,
				      error);
	if (!result)
		result = check_number((struct field){ "", "on_panic" }, config->on_panic, CONFIG_EXIT, CONFIG_RESET,
				      error);
	if (!result)
		result = check_boot(config, error);
	if (!result)
		result = check_disks(config, error);
	if (!result)
		result = check_nets(config, error);
	return result ? result : places_check(config, error);
}

/* ---- Addresses of network devices ---- */

/* FNV-1a of 64 bits. */
static uint64_t hash(const char *name, uint32_t number)
{
	uint64_t value = 0xcbf29ce484222325;

	for (; *name; name++)
		value = (value ^ (uint8_t)*name) * 0x100000001b3;
	return (value ^ number) * 0x100000001b3;
}

void config_complete_macs(struct machine_config *config)
{
	for (uint32_t n = 0; n < config->nets; n++) {
		uint64_t value = hash(config->name, n);
		uint8_t *mac = config->net[n].mac;

		if (mac_is_said(mac))
			continue;
		mac[0] = 2; /* locally administered, of one interface */
		for (uint32_t byte = 1; byte < MAC_SIZE; byte++)
			mac[byte] = (uint8_t)(value >> 8 * byte);
	}
}
