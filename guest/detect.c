/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether this is the hypervisor, by ACPI or by asking it.
 *
 * Policy: tables are read byte by byte, for they may lie at any address. Source: Advanced Configuration and Power
 * Interface Specification 6.3; the vendor field is TLFS, feature discovery.
 */
#include <seaclock/guest.h>

#define RSDP_REVISION 15u
#define RSDP_XSDT 24u
#define TABLE_LENGTH 4u
#define TABLE_HEADER 36u
#define TABLES_MAX 256u

static uint64_t load(const uint8_t *bytes, uint32_t count)
{
	uint64_t value = 0;

	for (uint32_t i = count; i > 0; i--)
		value = value << 8 | bytes[i - 1];
	return value;
}

static bool same(const uint8_t *bytes, const char *text)
{
	while (*text && *bytes == (uint8_t)*text) {
		bytes++;
		text++;
	}
	return !*text;
}

static bool fadt_names_hypervisor(const uint8_t *table)
{
	return same(table, "FACP") &&
	       load(table + TABLE_LENGTH, 4) >= SC_FADT_VENDOR_OFFSET + sizeof(SC_FADT_VENDOR) - 1 &&
	       same(table + SC_FADT_VENDOR_OFFSET, SC_FADT_VENDOR);
}

bool sc_guest_fadt_matches(const void *rsdp)
{
	const uint8_t *root = rsdp, *xsdt;
	uint64_t length;

	if (!same(root, "RSD PTR ") || root[RSDP_REVISION] < 2)
		return false;
	xsdt = (const uint8_t *)(uintptr_t)load(root + RSDP_XSDT, 8);
	if (!xsdt || !same(xsdt, "XSDT"))
		return false;
	length = load(xsdt + TABLE_LENGTH, 4);
	if (length > TABLE_HEADER + TABLES_MAX * 8u)
		return false;
	for (uint64_t at = TABLE_HEADER; at + 8 <= length; at += 8)
		if (fadt_names_hypervisor((const uint8_t *)(uintptr_t)load(xsdt + at, 8)))
			return true;
	return false;
}

int sc_guest_detect(struct sc_guest *guest, enum sc_guest_convention convention, const void *rsdp)
{
	uint64_t version, features[2];
	int status;

	*guest = (struct sc_guest){ .convention = convention };
	if (rsdp ? !sc_guest_fadt_matches(rsdp) : sc_guest_get(guest, SC_REG_HYPERVISOR_VERSION, &version) != 0)
		return -SC_GUEST_E_ABSENT;
	status = sc_guest_get_wide(guest, SC_REG_PRIVILEGES_AND_FEATURES, features);
	if (status)
		return status;
	guest->privileges = features[0];
	guest->features = features[1];
	return 0;
}

int sc_guest_identify(const struct sc_guest *guest, uint64_t os_id)
{
	return os_id ? sc_guest_set(guest, SC_REG_GUEST_OS_ID, os_id) : -SC_GUEST_E_ARGUMENT;
}
