# SPDX-License-Identifier: BSD-2-Clause
#
# A kernel of the lab's own: the source of the guests' kernel, with Linux's own driver for Hyper-V's clock and timers
# (hyperv-timer.patch) and little else (config). It is built for one scenario only, which is a part of the soak.

LINUX := $(O)/linux
LINUX_IMAGE := $(LINUX)/Image
LINUX_SOURCE := $(O)/packages/source-debs
LINUX_FLAGS = -s -C $(LINUX)/source O=$(CURDIR)/$(LINUX)/build ARCH=arm64 CROSS_COMPILE=$(ARM64)

$(LINUX_SOURCE): lab/packages $(PACKAGES)
	lab/packages source

$(LINUX)/source.stamp: lab/unpack lab/linux/hyperv-timer.patch $(LINUX_SOURCE)
	lab/unpack source
	patch -s -p1 -d $(LINUX)/source <lab/linux/hyperv-timer.patch
	@touch $@

# An option that depends on one that is not named would be left out without a word.
$(LINUX)/build/.config: lab/linux/config lab/linux/rules.mk $(LINUX)/source.stamp
	@mkdir -p $(@D)
	$(call say,CONFIG)$(MAKE) $(LINUX_FLAGS) KCONFIG_ALLCONFIG=$(CURDIR)/$< allnoconfig
	@! grep -E '^(CONFIG_|# CONFIG_)' $< | grep -vxFf $@ || \
		{ echo "these lines of $< have no effect: what they depend on is missing" >&2; exit 1; }

$(LINUX_IMAGE): $(LINUX)/build/.config
	$(call say,KERNEL)$(MAKE) $(LINUX_FLAGS) Image
	@cp $(LINUX)/build/arch/arm64/boot/Image $@
