# core/partition.c: a guest on the raw counter is moved without a hold
s/if (!clock_on_page(partition) || !has_direct_timers(partition, online))/if (!has_direct_timers(partition, online))/
