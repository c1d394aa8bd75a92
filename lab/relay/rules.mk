# SPDX-License-Identifier: BSD-2-Clause
#
# Connections with a fault in them: scenarios push it to a host.
RELAY := $(O)/arm64/lab/relay/relay
RELAY_PURE := lab/relay/place.c
RELAY_SRC := lab/relay/relay.c $(RELAY_PURE) vmm/transfer/frame.c vmm/base/buffer.c vmm/base/error.c vmm/base/name.c

$(RELAY): $(call objects,arm64,$(RELAY_SRC))
	$(call say,LD)$(ARM64)gcc -static $^ -o $@
