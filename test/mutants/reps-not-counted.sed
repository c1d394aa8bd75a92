# core/hypercall.c: the result counts repetitions from the rep start
# conformance: call.rep-start
s/(uint64_t)(start + done)/(uint64_t)(done)/
