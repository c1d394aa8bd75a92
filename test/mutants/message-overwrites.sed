# core/message.c: a message that the guest has not read is overwritten
# conformance: synic.slot-busy
s/^	if (__atomic_load_n(&slot->type, __ATOMIC_ACQUIRE) == SC_MESSAGE_NONE)/	if (1)/
