/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reference time: the page while it is valid, the register otherwise.
 *
 * Policy: the hypervisor may invalidate the page at any moment, so every reading decides anew.
 */
#include <seaclock/guest.h>
#include <seaclock/page.h>

int sc_guest_page_enable(struct sc_guest *guest, const struct sc_reference_tsc_page *page, uint64_t gpa)
{
	int status;

	if (!(guest->privileges & SC_PRIVILEGE_REFERENCE_TSC))
		return -SC_GUEST_E_INCOMPLETE;
	if (!page || (uintptr_t)page % SC_HV_PAGE_SIZE || gpa & ~SC_REFERENCE_TSC_GPA_MASK)
		return -SC_GUEST_E_ARGUMENT;
	status = sc_guest_set(guest, SC_REG_REFERENCE_TSC, gpa | SC_REFERENCE_TSC_ENABLE);
	if (!status)
		guest->page = page;
	return status;
}

int sc_guest_page_disable(struct sc_guest *guest)
{
	guest->page = NULL;
	return sc_guest_set(guest, SC_REG_REFERENCE_TSC, 0);
}

int sc_guest_now(const struct sc_guest *guest, sc_ref_t *now)
{
	if (guest->page && sc_page_read(guest->page, now))
		return 0;
	return sc_guest_get(guest, SC_REG_TIME_REF_COUNT, &now->v);
}
