# core/synic.c: messages go though the SynIC is off
# conformance: synic.scontrol-off-waits
s/!(synic->control & SC_SCONTROL_ENABLE) || //
