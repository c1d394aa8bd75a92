# core/hypercall.c: the value of a register is not fetched
s/return offset >= start \* SET_SIZE && n % 2 == 0;/return offset >= start * SET_SIZE \&\& n % 4 == 2;/
