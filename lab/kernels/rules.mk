# SPDX-License-Identifier: BSD-2-Clause
#
# The table of kernels whose timekeeping is known (repair/known.c), from the newest kernels of Debian's releases. They
# are downloaded for that only.

KERNELS := $(O)/kernels/stamp
KERNELS_PACKAGES := $(O)/packages/kernels-debs
LAYOUTS := $(O)/host/lab/kernels/layouts

# Always looks for newer ones; the list stays as it is without any.
$(KERNELS_PACKAGES): lab/packages $(PACKAGES) kernels-look
	lab/packages kernels

kernels-look:

$(KERNELS): lab/unpack $(KERNELS_PACKAGES)
	lab/unpack kernels
	@touch $@

$(LAYOUTS): $(call objects,host,lab/kernels/layouts.c $(REPAIR_SRC))
	$(call say,LD)$(CC) $^ -o $@

kernels: $(LAYOUTS) $(KERNELS) $(KERNEL)
	@lab/kernels/update $(LAYOUTS) repair/known.c $(O)/kernel/Image $(O)/kernel/generic-Image $(O)/kernels/linux-*

.PHONY: kernels kernels-look
