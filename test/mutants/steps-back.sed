# core/resume.c: a rebase without a gap may lose a unit that the guest has seen
s/== stop->reference.v - 1/== stop->reference.v + 1/
