# core/message.c: a busy slot is not told that a message waits
# conformance: synic.slot-busy
s/slot->flags | SC_MESSAGE_PENDING/slot->flags/
