# core/message.c: a slot that is freed while the flag is set stays without a message
s/^	return __atomic_load_n(&slot->type, __ATOMIC_ACQUIRE) == SC_MESSAGE_NONE;/	return false;/
