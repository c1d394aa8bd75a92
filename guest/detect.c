/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether this is the hypervisor, by ACPI or by asking it.
 *
 * Policy: where there is ACPI, it decides. Source of the FADT's vendor field: TLFS, feature discovery.
 */
#include "acpi.h"

#include <seaclock/guest.h>

bool sc_guest_fadt_matches(const void *rsdp)
{
	const uint8_t *fadt = sc_guest_table(rsdp, "FACP");

	return fadt &&
	       sc_guest_load(fadt + ACPI_TABLE_LENGTH, 4) >= SC_FADT_VENDOR_OFFSET + sizeof(SC_FADT_VENDOR) - 1 &&
	       sc_guest_same(fadt + SC_FADT_VENDOR_OFFSET, SC_FADT_VENDOR);
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
