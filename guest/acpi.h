/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk over ACPI tables, for the guest library and for who describes a bare machine.
 *
 * Policy: internal to the library and to test/bare/. Tables are read byte by byte, for they may lie at any address, and
 * are mapped where their physical addresses say. Only lengths are checked: checksums are the caller's matter. Source:
 * Advanced Configuration and Power Interface Specification 6.3.
 */
#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#define ACPI_TABLE_LENGTH 4u

/* A little-endian number of `count` bytes, 8 at the most. */
uint64_t sc_guest_load(const uint8_t *bytes, uint32_t count);

/* True if the bytes begin with the characters of `text`. */
bool sc_guest_same(const uint8_t *bytes, const char *text);

/* The first table with this signature that the XSDT names; NULL if there is none, or no XSDT. */
const uint8_t *sc_guest_table(const void *rsdp, const char *signature);

#endif
