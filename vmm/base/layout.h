/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where everything is in the guest's physical address space, and which interrupt belongs to what.
 *
 * Policy: the addresses of QEMU's `virt` machine, where stock firmware expects them. These numbers are guest visible
 * and part of the migration format: a change is a new machine.
 */
#ifndef VMM_BASE_LAYOUT_H
#define VMM_BASE_LAYOUT_H

#include <stdint.h>

/* Flash of machines with firmware: its code, and behind that its variables. */
#define LAYOUT_FLASH_CODE_BASE 0x00000000ull
#define LAYOUT_FLASH_VARIABLES_BASE 0x04000000ull
#define LAYOUT_FLASH_BANK_SIZE 0x04000000ull /* of each */
#define LAYOUT_GICD_BASE 0x08000000ull
#define LAYOUT_GICD_SIZE 0x00010000ull
#define LAYOUT_GICR_BASE 0x080a0000ull
#define LAYOUT_GICR_VCPU_SIZE 0x00020000ull
#define LAYOUT_UART_BASE 0x09000000ull
#define LAYOUT_UART_SIZE 0x00001000ull
#define LAYOUT_RTC_BASE 0x09010000ull
#define LAYOUT_RTC_SIZE 0x00001000ull
#define LAYOUT_FWCFG_BASE 0x09020000ull
#define LAYOUT_FWCFG_SIZE 0x00000018ull
#define LAYOUT_VIRTIO_BASE 0x0a000000ull
#define LAYOUT_VIRTIO_SIZE 0x00000200ull /* of one device */
#define LAYOUT_VIRTIO_SLOTS 32u
#define LAYOUT_VIRTIO_WINDOW_SIZE 0x00010000ull /* that no other device is in, in a piece that any host can map */
/* Memory that the guest shares with the machine's clocks, each in a piece that pages of 64 KiB can map. */
#define LAYOUT_PLATFORM_BASE 0x0b000000ull
#define LAYOUT_PLATFORM_SIZE 0x00040000ull
#define LAYOUT_VMCLOCK_BASE LAYOUT_PLATFORM_BASE
#define LAYOUT_VMCLOCK_SIZE 0x00010000ull
#define LAYOUT_GENID_BASE (LAYOUT_PLATFORM_BASE + 0x10000)
#define LAYOUT_GENID_SIZE 0x00010000ull
#define LAYOUT_STOLEN_BASE (LAYOUT_PLATFORM_BASE + 0x20000)
#define LAYOUT_STOLEN_SIZE 0x00010000ull
#define LAYOUT_RAM_BASE 0x40000000ull

/* Interrupts, as INTIDs. */
#define LAYOUT_UART_INTID 33u
/* 34 is SC_MIGRATION_INTID. */
#define LAYOUT_RTC_INTID 35u
#define LAYOUT_BUTTON_INTID 36u
#define LAYOUT_GENID_INTID 37u
#define LAYOUT_VMCLOCK_INTID 38u
#define LAYOUT_VIRTIO_INTID 48u /* of the first; one each */
#define LAYOUT_TIMER_SECURE_INTID 29u
#define LAYOUT_TIMER_PHYSICAL_INTID 30u
#define LAYOUT_TIMER_VIRTUAL_INTID 27u
#define LAYOUT_TIMER_HYP_INTID 26u
#define LAYOUT_PMU_INTID 23u
#define LAYOUT_INTERRUPTS 128u /* INTIDs that the GIC has, SPIs included */

#define LAYOUT_RAM_MIN (64ull << 20)
#define LAYOUT_RAM_MAX (64ull << 30)
#define LAYOUT_RAM_UNIT (1ull << 20)

#endif
