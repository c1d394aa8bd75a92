# core/register.c: a guest may write the timers of another vCPU unseen by its monitor
# conformance: call.other-timers
s/READ | WRITE | OWN/READ | WRITE/
