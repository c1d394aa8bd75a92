# core/stimer.c: an expiry that waits survives the next setting
# conformance: synic.periodic-busy
/^static void program/,/^}/s/settle(timer);//
