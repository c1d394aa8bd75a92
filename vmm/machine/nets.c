/* SPDX-License-Identifier: BSD-2-Clause */
/* What is behind the network devices of a machine: see the header. */
#include "machine/nets.h"

#include "dev/net/plug.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

/* Which network device a sentence is about. */
static int nets_name(uint32_t n, int result, struct error *error)
{
	struct error reason = *error;

	error_explain(error, "network device %" PRIu32 ": %.400s", n, reason.text);
	return result;
}

static int net_check_mtu(const struct uplink *uplink, const struct config_net *net, struct error *error)
{
	if (!uplink->mtu || uplink->mtu >= net->mtu)
		return 0;
	return error_set(error, EINVAL,
			 "%s carries packets of %" PRIu32 " bytes here, and the guest was told %" PRIu32
			 ": set its MTU to that",
			 uplink->where, uplink->mtu, net->mtu);
}

static int net_open(struct nets *nets, struct config_net *net, struct error *error)
{
	struct uplink **uplink = &nets->uplink[nets->count];
	int result = uplink_open(uplink, net->where, error);

	if (result)
		return result;
	nets->count++;
	if (!net->mtu)
		net->mtu = (*uplink)->mtu;
	return net_check_mtu(*uplink, net, error);
}

int nets_open(struct nets *nets, struct machine_config *config, struct error *error)
{
	*nets = (struct nets){ .count = 0 };
	config_complete_macs(config);
	for (uint32_t n = 0; n < config->nets; n++) {
		int result = net_open(nets, &config->net[n], error);

		if (result) {
			nets_close(nets);
			return nets_name(n, result, error);
		}
	}
	return 0;
}

void nets_close(struct nets *nets)
{
	for (uint32_t n = 0; n < nets->count; n++)
		uplink_close(nets->uplink[n]);
	nets->count = 0;
}

int nets_check_replug(uint32_t n, const char *from, const char *to, struct error *error)
{
	if (plug_is_passt(from) || !plug_is_passt(to))
		return 0;
	return error_set(
		error, EINVAL,
		"network device %" PRIu32
		" is a tap where the machine comes from, and its guest leaves checksums to it, which passt does not "
		"do: name a tap (--net %" PRIu32 "=tap=NAME)",
		n, n);
}

void nets_remark(const struct machine_config *config, char text[NETS_REMARK_MAX])
{
	text[0] = '\0';
	for (uint32_t n = 0; n < config->nets && !text[0]; n++)
		if (plug_is_passt(config->net[n].where))
			snprintf(text, NETS_REMARK_MAX,
				 "connections of the guest through passt (network device %" PRIu32
				 ") end with the move",
				 n);
}
