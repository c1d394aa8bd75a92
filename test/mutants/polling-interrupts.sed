# core/synic.c: a polled SINT raises its interrupt
# conformance: synic.polled
s/delivery->interrupt = !(value & SC_SINT_POLLING)/delivery->interrupt = true/
