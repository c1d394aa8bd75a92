/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The interrupts of a virtio device.
 *
 * Policy: they are edges, which the tables say. A level would cost the guest two exits each time, one to read
 * InterruptStatus and one to acknowledge what stands there, so that the line falls. With edges there is nothing to
 * lower. The status is read in the window (window.h). While the driver is there it always says that there may be used
 * buffers, which a driver finds out by looking at its queues, and no other device has the same interrupt. To
 * acknowledge used buffers alone has no effect, so that store is one to an eventfd that nobody reads. What still exits
 * is the answer to a changed configuration, for that is news that the driver cannot see otherwise.
 *
 * No edge is lost:
 * - Buffers that are given back after the driver has looked raise another edge, because a driver looks once more after
 *   it has asked for an interrupt (section 2.7.7), and the device reads what it asked after the buffers are there. The
 *   GIC keeps an edge that comes while the interrupt is active, and delivers it after its end.
 * - Edges that meet in one interrupt are no loss: the handler that it brings looks after the last of them.
 * - A change of the configuration sets its bit, then its edge. A driver that acknowledges the bit of a change that has
 *   just come looks at the configuration after that, and finds it; the edge that is left finds the bit cleared, and
 *   the driver looks in vain.
 * - An edge that the guest has not taken moves with the GIC's state. One that was under way when the machine stopped,
 *   or on a host that does not come to an end, does not: so a device that has a driver sends one at each start.
 *
 * KVM takes a raised line of an SPI as an edge if the guest has made it edge-triggered, and knows no level of it. But
 * until the guest has done that, and for one that never does, it has a level. So each edge is two calls, up and down,
 * as many as a level took: a line that stayed up would interrupt such a guest for ever once it enables it, as firmware
 * that polls leaves it to a kernel. It misses interrupts instead, against the tables. What the kernel raises
 * (host_vm_set_call()) comes only to a driver that is there, and is an edge without a second call; a guest with a level
 * would be interrupted again and again, by its own doing and at its own cost, until the device is reset.
 *
 * In machines of older models, whose tables say level, the line is up as long as the status is not 0. There the kernel
 * cannot set the bit of what it raises, so InterruptStatus always has it meanwhile; the driver acknowledges before it
 * looks, and that lowers the line: what is given back later raises it again, and what was before is seen.
 * Source: Virtual I/O Device (VIRTIO) Version 1.2, sections 2.7.7 and 4.2.3.4; Linux, drivers/virtio/virtio_mmio.c and
 * arch/arm64/kvm/vgic/vgic.c.
 */
#ifndef VMM_DEV_VIRTIO_INTERRUPT_H
#define VMM_DEV_VIRTIO_INTERRUPT_H

#include "dev/virtio/virtio.h"

/* All with the device's lock. What InterruptStatus says, and what of that a device may remember. */
uint32_t interrupt_status(const struct virtio *virtio);
bool interrupt_is_valid(const struct virtio *virtio);

/* Interrupts the driver, by what VIRTIO_INTERRUPT_* says. */
void interrupt_raise(struct virtio *virtio, uint32_t why);
void interrupt_acknowledge(struct virtio *virtio, uint32_t why);
/* Of a device that has just been reset. */
void interrupt_clear(struct virtio *virtio);
/* The machine starts, here or after a move. */
void interrupt_start(struct virtio *virtio);

/* From now on the eventfd interrupts the driver, which the kernel signals. False: this host cannot do that. */
bool interrupt_lend(struct virtio *virtio, int event);
/* No longer. The driver is interrupted once more, for nobody knows what it has heard of. */
void interrupt_return(struct virtio *virtio, int event);

#endif
