/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupts of a virtio device whose chains the kernel gives back.
 *
 * Policy: the kernel signals an eventfd, and cannot set a bit of InterruptStatus. A thread that waits for the event
 * could, and would be woken for each interrupt, between the kernel that has the news and the vCPU that wants it. So the
 * event raises the line itself, and InterruptStatus always says that there may be used buffers, which a driver finds
 * out by looking. It acknowledges before it looks, and that lowers the line: what is given back later raises it again,
 * and what was before is seen. The line is as it would be if the bit were set, whether the guest has made its interrupt
 * level-triggered, as the tables say, or edge-triggered. An interrupt costs the guest the same two exits as ever. The
 * configuration's interrupts are the monitor's own.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 4.2.3.4; Linux, drivers/virtio/virtio_mmio.c.
 */
#ifndef VMM_DEV_VIRTIO_CALL_H
#define VMM_DEV_VIRTIO_CALL_H

#include "dev/virtio/virtio.h"

/* With the device's lock: from now on the eventfd interrupts the driver. False: this host cannot do that. */
bool call_begin(struct virtio *virtio, int event);
/* With the lock: no longer. The driver is interrupted once more, for nobody knows what it has heard of. */
void call_end(struct virtio *virtio, int event);

#endif
