# SPDX-License-Identifier: BSD-2-Clause
#
# The tables of kernels whose timekeeping is known (repair/known.c, repair/builds.c), from the newest kernels of Debian's
# releases. They are downloaded for that only.

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

$(LAYOUTS): $(call objects,host,lab/kernels/layouts.c $(REPAIR_SRC) $(CORE_SRC))
	$(call say,LD)$(CC) $^ -o $@

kernels: $(LAYOUTS) $(KERNELS) $(KERNEL)
	@lab/packages debug
	@lab/kernels/addresses repair/build_names.c repair/builds.c $(O)/kernels $(O)/packages/archives $(O)/packages/debug-debs
	@lab/kernels/update $(LAYOUTS) repair/known.c $(O)/kernel/Image $(O)/kernel/generic-Image $(O)/kernels/linux-*

# A guest of each of those kernels, with the modules built for it. Of the archives in an initial RAM disk, the last one's
# files count: its own modules are appended. Which kernels there are is known once their headers are there.
HEADERS := $(O)/headers/stamp
HEADERS_PACKAGES := $(O)/packages/headers-debs
KERNEL_GUESTS := $(O)/guest/kernels
KERNEL_RELEASES := $(filter-out tree stamp,$(notdir $(wildcard $(O)/headers/*)))

$(HEADERS_PACKAGES): lab/packages $(KERNELS_PACKAGES)
	lab/packages headers

$(HEADERS): lab/unpack $(HEADERS_PACKAGES)
	lab/unpack headers
	@touch $@

define kernel_guest
$(eval $(call module,$(KERNEL_GUESTS)/$(1)/seaclock.ko,$(KERNEL_GUESTS)/$(1)/module,$(O)/headers/$(1),$(HEADERS)))
$(eval $(call selftest,$(KERNEL_GUESTS)/$(1),$(KERNEL_GUESTS)/$(1)/selftest,$(O)/headers/$(1),$(HEADERS)))
$(KERNEL_GUESTS)/$(1)/initrd.cpio.gz: $(O)/guest/initrd.cpio.gz $(KERNEL_GUESTS)/$(1)/seaclock.ko $(KERNEL_GUESTS)/$(1)/seaclock_inspect.ko
	@mkdir -p $$(@D)/root
	@for name in seaclock.ko seaclock_inspect.ko; do \
		$(ARM64)strip --strip-debug $$(@D)/$$$$name -o $$(@D)/root/$$$$name || exit; done
	$$(call say,CPIO){ cat $$<; cd $$(@D)/root && find . | $$(CPIO); } >$$@
endef
$(foreach release,$(KERNEL_RELEASES),$(eval $(call kernel_guest,$(release))))

kernel-initrds: $(KERNEL_RELEASES:%=$(KERNEL_GUESTS)/%/initrd.cpio.gz)

kernel-guests: $(HEADERS) $(KERNELS)
	@$(MAKE) -o $(HEADERS) kernel-initrds

.PHONY: kernels kernels-look kernel-initrds kernel-guests
