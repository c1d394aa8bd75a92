/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header of a frame: which ones a driver may send, and get.
 *
 * Policy: pure. A header says what is still to be done with its frame, so one that contradicts the frame, or what was
 * negotiated, is refused before a kernel has to make sense of it.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, section 5.1.6; Linux, include/linux/virtio_net.h.
 */
#ifndef VMM_DEV_VIRTIO_NET_FRAME_H
#define VMM_DEV_VIRTIO_NET_FRAME_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

/* With `features` negotiated: whether a frame of `size` bytes, without the header, goes out. What means nothing there
 * is cleared. */
bool net_frame_may_go(struct virtio_net_hdr_v1 *header, uint64_t size, uint64_t features);

/* Whether one may come in. */
bool net_frame_may_come(struct virtio_net_hdr_v1 *header, uint64_t size, uint64_t features);

#endif
