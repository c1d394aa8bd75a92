# core/partition.c: a direct timer waits for the SynIC
# conformance: direct.without-synic
s/	delivery->interrupt = true;/	if (!(vcpu->synic.control \& SC_SCONTROL_ENABLE))\n		return false;\n	delivery->interrupt = true;/
