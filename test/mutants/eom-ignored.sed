# core/register.c: EOM does not make the monitor try again
# conformance: synic.slot-freed
s/	access->effects |= SC_EFFECT_SYNIC;/	if (access->name != SC_REG_EOM)\n		access->effects |= SC_EFFECT_SYNIC;/
