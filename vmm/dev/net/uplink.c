/* SPDX-License-Identifier: BSD-2-Clause */
/* What is behind a network device of the guest: see the header. */
#include "dev/net/uplink.h"

#include "dev/net/passt.h"
#include "dev/net/tap.h"

#include <errno.h>

int uplink_open(struct uplink **uplink, const char *where, struct error *error)
{
	struct plug plug;

	if (!plug_parse(where, &plug))
		return error_set(error, EINVAL, "`%.100s` is no network: name " PLUG_FORMS, where);
	if (plug.kind == PLUG_TAP || plug.kind == PLUG_TAP_FD)
		return tap_open(uplink, where, &plug, error);
	return passt_open(uplink, where, &plug, error);
}

void uplink_close(struct uplink *uplink)
{
	uplink->ops->close(uplink);
}
