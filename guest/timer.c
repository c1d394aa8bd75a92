/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Synthetic timers of the calling vCPU.
 *
 * Policy: a timer is set up stopped, with auto-enable, so that each start and re-arm is one write of Count. It is
 * stopped before its configuration changes, because writing that of a running timer may be undefined (TLFS, timers).
 */
#include <seaclock/guest.h>

static uint32_t config_of(uint32_t n)
{
	return SC_REG_STIMER0_CONFIG + 2 * n;
}

static uint32_t count_of(uint32_t n)
{
	return SC_REG_STIMER0_COUNT + 2 * n;
}

static int configure(const struct sc_guest *guest, uint32_t n, uint64_t mode, uint64_t target)
{
	int status;

	if (n >= SC_STIMER_COUNT || mode & ~SC_GUEST_PERIODIC_LAZY)
		return -SC_GUEST_E_ARGUMENT;
	status = sc_guest_set(guest, count_of(n), 0);
	return status ? status : sc_guest_set(guest, config_of(n), SC_STIMER_AUTO_ENABLE | mode | target);
}

int sc_guest_timer_direct(const struct sc_guest *guest, uint32_t n, uint64_t mode, uint32_t intid)
{
	if (!(guest->privileges & SC_PRIVILEGE_SYNTHETIC_TIMERS) || !(guest->features & SC_FEATURE_DIRECT_TIMERS))
		return -SC_GUEST_E_INCOMPLETE;
	if (intid < SC_PPI_FIRST || intid > SC_PPI_LAST)
		return -SC_GUEST_E_ARGUMENT;
	return configure(guest, n, mode, SC_STIMER_DIRECT | (uint64_t)intid << SC_STIMER_INTID_SHIFT);
}

int sc_guest_timer_message(const struct sc_guest *guest, uint32_t n, uint64_t mode, uint32_t sint)
{
	if (!(guest->privileges & SC_PRIVILEGE_SYNTHETIC_TIMERS) || !(guest->privileges & SC_PRIVILEGE_SYNIC))
		return -SC_GUEST_E_INCOMPLETE;
	if (sint < 1 || sint >= SC_SINT_COUNT)
		return -SC_GUEST_E_ARGUMENT;
	return configure(guest, n, mode, (uint64_t)sint << SC_STIMER_SINT_SHIFT);
}

int sc_guest_timer_set(const struct sc_guest *guest, uint32_t n, uint64_t count)
{
	if (n >= SC_STIMER_COUNT || !count)
		return -SC_GUEST_E_ARGUMENT;
	return sc_guest_set(guest, count_of(n), count);
}

int sc_guest_timer_stop(const struct sc_guest *guest, uint32_t n)
{
	int status;

	if (n >= SC_STIMER_COUNT)
		return -SC_GUEST_E_ARGUMENT;
	status = sc_guest_set(guest, count_of(n), 0);
	return status ? status : sc_guest_set(guest, config_of(n), 0);
}
