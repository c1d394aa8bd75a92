# core/synic.c: messages go though the SynIC is off
s/!(synic->control & SC_SCONTROL_ENABLE) || //
