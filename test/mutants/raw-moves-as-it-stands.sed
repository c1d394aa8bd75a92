# core/follow.c: a guest on the raw counter is moved without a hold
s/move == SC_MOVE_ASKED && holds ? /holds ? /
