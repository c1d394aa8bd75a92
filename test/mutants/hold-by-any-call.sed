# core/hypercall.c: a hold is taken in a form that cannot be answered
s/access.alone = .*/access.alone = true;/
