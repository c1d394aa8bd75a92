# core/message.c: the type is written before the payload
/^void sc_message_place/,/^}/{s/^	slot->payload_size = /	__atomic_store_n(\&slot->type, message->type, __ATOMIC_RELEASE);\n	slot->payload_size = /;/^	__atomic_store_n(&slot->type, message->type, __ATOMIC_RELEASE);$/d}
