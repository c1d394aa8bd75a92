// SPDX-License-Identifier: GPL-2.0-only
/*
 * Does this machine have the interface?
 *
 * Policy: make no hypercall before the firmware tables have named the hypervisor, and refuse with one sentence each.
 */
#include "seaclock.h"

#include <linux/acpi.h>
#include <linux/errno.h>
#include <linux/version.h>

/* What the hypervisor specification asks of an open-source guest: vendor Linux in bits 63:48. */
#define GUEST_OS_ID (0x8100ull << 48 | (u64)LINUX_VERSION_CODE << 16)

#define PRIVILEGES (SC_PRIVILEGE_REFERENCE_COUNTER | SC_PRIVILEGE_SYNTHETIC_TIMERS | SC_PRIVILEGE_REFERENCE_TSC)
#define FEATURES SC_FEATURE_DIRECT_TIMERS

static bool detect_vendor(void)
{
	return !acpi_disabled && !memcmp(&acpi_gbl_FADT.hypervisor_id, SC_FADT_VENDOR, sizeof(u64));
}

/*
 * The page and the timers may be used only by a guest that has said what it is. Linux built with Hyper-V support has
 * done so at boot, and what is enabled afterwards is its own. Any other kernel has no driver but this one: what is
 * enabled then is an earlier kernel's, and introducing this one ends it.
 */
static int detect_introduce(void)
{
	u64 id;

	if (hypercall_get(SC_REG_GUEST_OS_ID, &id, NULL))
		return -EIO;
	if (id && IS_ENABLED(CONFIG_HYPERV))
		return 0;
	return hypercall_set(SC_REG_GUEST_OS_ID, GUEST_OS_ID);
}

int detect_machine(void)
{
	u64 privileges, features;

	if (!detect_vendor()) {
		pr_info("not loaded: the ACPI FADT does not name \"" SC_FADT_VENDOR
			"\" as this machine's hypervisor.\n");
		return -ENODEV;
	}
	if (hypercall_get(SC_REG_PRIVILEGES_AND_FEATURES, &privileges, &features) || detect_introduce()) {
		pr_info("not loaded: the hypervisor refuses the calls that every guest may make.\n");
		return -ENODEV;
	}
	if (~privileges & PRIVILEGES || ~features & FEATURES) {
		pr_info("not loaded: reference TSC page or direct timers missing (privileges %#llx, features %#llx).\n",
			privileges, features);
		return -ENODEV;
	}
	return 0;
}
