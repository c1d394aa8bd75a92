# core/hypercall.c: fast output begins right behind the input, as the specification's text has it
s|round_to_pair(call->input_size) / 8|(call->input_size + 7) / 8|
