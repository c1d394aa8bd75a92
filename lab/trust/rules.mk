# SPDX-License-Identifier: BSD-2-Clause
#
# Somebody at a receiver's port who is not seaclock: scenarios push it to a host, which has GnuTLS for the monitor.
STRANGER := $(O)/arm64/lab/trust/stranger
STRANGER_OBJ := $(O)/arm64/lab/trust/stranger.o
STRANGER_FRAMES := vmm/transfer/frame.c vmm/base/buffer.c vmm/base/error.c vmm/base/name.c

$(STRANGER_OBJ): | $(SYSROOT)

$(STRANGER): $(STRANGER_OBJ) $(call objects,arm64,$(STRANGER_FRAMES))
	$(call say,LD)$(ARM64)gcc $^ $(SYSROOT_LDFLAGS) -lgnutls -o $@
