# core/page.c: all ones become a valid sequence
s/sequence >= 0xfffffffeu/sequence >= 0xffffffffu/
