/* SPDX-License-Identifier: BSD-2-Clause */
/* Network devices on the command line: see the header. */
#include "command/net.h"

#include "dev/net/plug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAC "mac="

static int where_put(const char *text, size_t length, char where[CONFIG_PLUG_SIZE], struct error *error)
{
	struct plug plug;

	if (length >= CONFIG_PLUG_SIZE)
		return error_set(error, ENAMETOOLONG, "%.60s... of --net has %zu bytes; at most %u are possible", text,
				 length, CONFIG_PLUG_SIZE - 1);
	snprintf(where, CONFIG_PLUG_SIZE, "%.*s", (int)length, text);
	if (plug_parse(where, &plug))
		return 0;
	return error_set(error, EINVAL, "--net takes " PLUG_FORMS " with a path from the root, not `%.100s`", where);
}

static int mac_put(const char *text, struct config_net *net, struct error *error)
{
	if (!strncmp(text, MAC, strlen(MAC)) && mac_parse(text + strlen(MAC), net->mac) && mac_is_said(net->mac))
		return 0;
	return error_set(
		error, EINVAL,
		"behind where it is plugged in, --net takes mac=ADDRESS, such as 02:00:00:00:00:01, not `%.100s`",
		text);
}

int net_parse(const char *text, struct config_net *net, struct error *error)
{
	size_t length = strcspn(text, ",");
	int result;

	*net = (struct config_net){ .mtu = 0 };
	result = where_put(text, length, net->where, error);
	if (!result && text[length])
		result = mac_put(text + length + 1, net, error);
	return result ? result : config_net_check(net, "--net: ", error);
}

int net_parse_place(const char *text, uint32_t *number, char where[CONFIG_PLUG_SIZE], struct error *error)
{
	*number = (uint32_t)(text[0] - '0');
	if (text[0] >= '0' && *number < CONFIG_NETS_MAX && text[1] == '=')
		return where_put(text + 2, strlen(text + 2), where, error);
	return error_set(error, EINVAL,
			 "--net takes N=" PLUG_FORMS " here, where N is the number of the network device, 0 to %u, not "
			 "`%.100s`",
			 CONFIG_NETS_MAX - 1, text);
}
