/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk over ACPI tables: see the header. */
#include "acpi.h"

#include <stddef.h>

#define RSDP_REVISION 15u
#define RSDP_XSDT 24u
#define TABLE_HEADER 36u
#define TABLES_MAX 256u

uint64_t sc_guest_load(const uint8_t *bytes, uint32_t count)
{
	uint64_t value = 0;

	for (uint32_t i = count; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

bool sc_guest_same(const uint8_t *bytes, const char *text)
{
	while (*text && *bytes == (uint8_t)*text) {
		bytes++;
		text++;
	}
	return !*text;
}

const uint8_t *sc_guest_table(const void *rsdp, const char *signature)
{
	const uint8_t *root = rsdp, *xsdt, *table;
	uint64_t length;

	if (!sc_guest_same(root, "RSD PTR ") || root[RSDP_REVISION] < 2)
		return NULL;
	xsdt = (const uint8_t *)(uintptr_t)sc_guest_load(root + RSDP_XSDT, 8);
	if (!xsdt || !sc_guest_same(xsdt, "XSDT"))
		return NULL;
	length = sc_guest_load(xsdt + ACPI_TABLE_LENGTH, 4);
	if (length > TABLE_HEADER + TABLES_MAX * 8u)
		return NULL;
	for (uint64_t at = TABLE_HEADER; at + 8 <= length; at += 8) {
		table = (const uint8_t *)(uintptr_t)sc_guest_load(xsdt + at, 8);
		if (sc_guest_same(table, signature))
			return table;
	}
	return NULL;
}
