/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The synthetic interrupt controller of a vCPU: its registers, and the way of a message through them.
 *
 * Policy: timers only, no events. A message waits while the controller, its page or its SINT is off or masked, so that
 * no expiry is lost; a polled SINT gets the message without an interrupt. Bits to be preserved (TLFS: RsvdP) are kept
 * as written. There is no automatic end of interrupt on arm64.
 */
#include "synic.h"
#include "intid.h"

#define SINT_REFUSED (SC_SINT_AUTO_EOI | SC_SINT_AS_INTERCEPT | SC_SINT_PROXY)

void sc_synic_reset(struct sc_synic *synic)
{
	*synic = (struct sc_synic){ 0 };
	for (uint32_t n = 0; n < SC_SINT_COUNT; n++)
		synic->sint[n] = SC_SINT_RESET;
}

uint64_t sc_synic_get(const struct sc_synic *synic, uint32_t name)
{
	switch (name) {
	case SC_REG_SCONTROL:
		return synic->control;
	case SC_REG_SVERSION:
		return SC_SVERSION_VALUE;
	case SC_REG_SIEFP:
		return synic->siefp;
	case SC_REG_SIMP:
		return synic->simp;
	case SC_REG_EOM:
		return 0;
	default:
		return synic->sint[name - SC_REG_SINT0];
	}
}

static uint32_t sint_intid(uint64_t sint)
{
	return (uint32_t)(sint & SC_SINT_INTID_MASK);
}

static const char *sint_refused(uint64_t sint)
{
	if (sint & SC_SINT_AUTO_EOI)
		return "there is no automatic end of interrupt on arm64";
	if (sint & SINT_REFUSED)
		return "a SINT is neither an intercept nor a proxy here";
	/* Without interrupts the INTID means nothing. */
	if (sint & (SC_SINT_MASKED | SC_SINT_POLLING))
		return NULL;
	return sc_intid_refused(sint_intid(sint));
}

const char *sc_synic_set(struct sc_synic *synic, uint32_t name, uint64_t value)
{
	const char *reason;

	switch (name) {
	case SC_REG_SCONTROL:
		synic->control = value;
		return NULL;
	case SC_REG_SIEFP:
		synic->siefp = value;
		return NULL;
	case SC_REG_SIMP:
		synic->simp = value;
		return NULL;
	case SC_REG_EOM: /* holds nothing: that it was written is all */
		return NULL;
	default:
		break;
	}
	reason = sint_refused(value);
	if (!reason)
		synic->sint[name - SC_REG_SINT0] = value;
	return reason;
}

bool sc_synic_impossible(const struct sc_synic *synic)
{
	for (uint32_t n = 0; n < SC_SINT_COUNT; n++)
		if (sint_refused(synic->sint[n]))
			return true;
	return false;
}

bool sc_synic_route(const struct sc_synic *synic, uint32_t sint, struct sc_delivery *delivery)
{
	uint64_t value = synic->sint[sint];

	if (!(synic->control & SC_SCONTROL_ENABLE) || !(synic->simp & SC_SIMP_ENABLE) || value & SC_SINT_MASKED)
		return false;
	delivery->message = true;
	delivery->slot_gpa = (synic->simp & SC_SIMP_GPA_MASK) + sint * sizeof(struct sc_message);
	delivery->interrupt = !(value & SC_SINT_POLLING);
	delivery->intid = delivery->interrupt ? sint_intid(value) : 0;
	return true;
}
