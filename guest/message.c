/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer messages: the page, the sources, and taking a message out of its slot.
 *
 * Policy: the order of freeing a slot is the specification's (TLFS, inter-partition communication): type 0, full
 * barrier, then look whether another message waits.
 */
#include <seaclock/guest.h>

int sc_guest_messages_enable(const struct sc_guest *guest, uint64_t gpa)
{
	int status;

	if (!(guest->privileges & SC_PRIVILEGE_SYNIC))
		return -SC_GUEST_E_INCOMPLETE;
	if (gpa & ~SC_SIMP_GPA_MASK)
		return -SC_GUEST_E_ARGUMENT;
	status = sc_guest_set(guest, SC_REG_SIMP, gpa | SC_SIMP_ENABLE);
	return status ? status : sc_guest_set(guest, SC_REG_SCONTROL, SC_SCONTROL_ENABLE);
}

int sc_guest_messages_disable(const struct sc_guest *guest)
{
	int status = sc_guest_set(guest, SC_REG_SCONTROL, 0);

	return status ? status : sc_guest_set(guest, SC_REG_SIMP, 0);
}

static int sint_set(const struct sc_guest *guest, uint32_t sint, uint64_t value)
{
	if (sint < 1 || sint >= SC_SINT_COUNT)
		return -SC_GUEST_E_ARGUMENT;
	return sc_guest_set(guest, SC_REG_SINT0 + sint, value);
}

int sc_guest_sint_enable(const struct sc_guest *guest, uint32_t sint, uint32_t intid)
{
	return intid < SC_PPI_FIRST || intid > SC_PPI_LAST ? -SC_GUEST_E_ARGUMENT : sint_set(guest, sint, intid);
}

int sc_guest_sint_poll(const struct sc_guest *guest, uint32_t sint)
{
	/* No interrupt comes of it, but the number must be one that could. */
	return sint_set(guest, sint, SC_SINT_POLLING | SC_STIMER0_INTID);
}

int sc_guest_sint_disable(const struct sc_guest *guest, uint32_t sint)
{
	return sint_set(guest, sint, SC_SINT_RESET);
}

static void timer_message_copy(struct sc_timer_message *to, const struct sc_message *from)
{
	to->timer_index = (uint32_t)from->payload[0];
	to->reserved = 0;
	to->expiration_time = from->payload[1];
	to->delivery_time = from->payload[2];
}

bool sc_guest_message_take(const struct sc_guest *guest, struct sc_message *page, uint32_t sint,
			   struct sc_timer_message *message)
{
	struct sc_message *slot = &page[sint];
	uint32_t type = SC_MESSAGE_NONE;
	bool taken = false;

	if (sint < SC_SINT_COUNT)
		type = __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE);
	if (type == SC_MESSAGE_NONE)
		return false;
	if (type == SC_MESSAGE_TIMER_EXPIRED) {
		timer_message_copy(message, slot);
		taken = true;
	}
	__atomic_store_n(&slot->type, SC_MESSAGE_NONE, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&slot->flags, __ATOMIC_RELAXED) & SC_MESSAGE_PENDING)
		(void)sc_guest_set(guest, SC_REG_EOM, 0);
	return taken;
}
