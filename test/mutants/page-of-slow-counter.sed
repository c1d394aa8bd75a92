# core/page.c: a clock without a scale gets a valid page
/if (!clock->scale)/,+1d
