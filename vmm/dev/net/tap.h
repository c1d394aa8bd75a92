/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An uplink that is a tap: an interface of this host, whose frames are the guest's.
 *
 * Policy: the interface was made by somebody who may, with the user as its owner; here it is only opened, and has one
 * user at a time. Frames have virtio's header, so checksums and segments are left to whoever needs them. Frames for an
 * interface that is down are dropped. Source: Linux, Documentation/networking/tuntap.rst, drivers/net/tun.c.
 */
#ifndef VMM_DEV_NET_TAP_H
#define VMM_DEV_NET_TAP_H

#include "dev/net/plug.h"
#include "dev/net/uplink.h"

/* As uplink_open(). A descriptor is duplicated, and stays the caller's. */
int tap_open(struct uplink **uplink, const char *where, const struct plug *plug, struct error *error);

#endif
