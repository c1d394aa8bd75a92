# SPDX-License-Identifier: BSD-2-Clause
#
# A connection with a fault in it: scenarios push it to a host.
RELAY := $(O)/arm64/lab/relay/relay

$(RELAY): $(call objects,arm64,lab/relay/relay.c)
	$(call say,LD)$(ARM64)gcc -static $^ -o $@
