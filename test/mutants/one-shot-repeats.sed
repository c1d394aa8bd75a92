# core/stimer.c: a one-shot timer stays enabled after its expiry
# conformance: direct.oneshot-enable-clears
/} else {/{n;d}
