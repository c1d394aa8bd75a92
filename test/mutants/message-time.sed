# core/message.c: a message says when it was delivered, not when it was due
# conformance: synic.message-times
s/\.expiration_time = .*,$/.expiration_time = now.v,/
