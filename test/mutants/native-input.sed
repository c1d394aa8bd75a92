# core/hypercall.c: HVC #1 has its input where HVC #0 has it
s/call->native ? 1 : 2/2/
