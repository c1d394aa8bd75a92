/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Timer messages: what they say, and how they come into a slot of the guest's message page.
 *
 * Policy: the guest may run while we write. It owns a slot while the type is not 0, we own it while the type is 0; the
 * type is therefore written last, and the flag that a message waits is the only thing written into the guest's slot.
 */
#include "port.h"

SC_ABI_ASSERT(message_holds_payload, sizeof(struct sc_timer_message) <= sizeof(((struct sc_message *)0)->payload));

void sc_message_fill(struct sc_message *message, const struct sc_partition *partition,
		     const struct sc_delivery *delivery, sc_ref_t now)
{
	const struct sc_timer_message payload = {
		.timer_index = delivery->timer,
		.expiration_time = partition->vcpu[delivery->vp].timer[delivery->timer].expired.v,
		.delivery_time = now.v,
	};

	*message = (struct sc_message){ .type = SC_MESSAGE_TIMER_EXPIRED, .payload_size = sizeof(payload) };
	memcpy(message->payload, &payload, sizeof(payload));
}

bool sc_message_slot_free(struct sc_message *slot)
{
	if (__atomic_load_n(&slot->type, __ATOMIC_ACQUIRE) == SC_MESSAGE_NONE)
		return true;
	/* No read-modify-write instruction is needed: the guest writes nothing but the type. */
	__atomic_store_n(&slot->flags, (uint8_t)(slot->flags | SC_MESSAGE_PENDING), __ATOMIC_RELAXED);
	/* The guest frees the slot, then reads the flag; here it is the other way round, so one of the two sees it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE) == SC_MESSAGE_NONE;
}

void sc_message_place(struct sc_message *slot, const struct sc_message *message)
{
	slot->payload_size = message->payload_size;
	__atomic_store_n(&slot->flags, message->flags, __ATOMIC_RELAXED);
	slot->reserved = message->reserved;
	slot->origination = message->origination;
	memcpy(slot->payload, message->payload, message->payload_size);
	__atomic_store_n(&slot->type, message->type, __ATOMIC_RELEASE);
}
