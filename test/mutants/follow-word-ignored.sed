# core/follow.c: the page counts for more than the driver's word
s/return partition->guest_clock & SC_GUEST_CLOCK_ON_PAGE;/return true;/
