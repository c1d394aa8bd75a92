/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instead of vmm/dev/net/uplink.c: what a fuzzer writes into a description names no network of this machine.
 */
#include "dev/net/uplink.h"

#include <errno.h>
#include <stdlib.h>

int uplink_open(struct uplink **uplink, const char *where, struct error *error)
{
	*uplink = NULL;
	return error_set(error, ENODEV, "there is no network %s", where);
}

/* Nothing was opened. */
void uplink_close(struct uplink *uplink)
{
	(void)uplink;
	abort();
}
