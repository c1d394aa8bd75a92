# core/hypercall.c: the word that holds the first name and the one before is not fetched
s/return offset + 8 > start \* GET_SIZE;/return offset >= start * GET_SIZE;/
