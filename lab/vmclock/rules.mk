# SPDX-License-Identifier: BSD-2-Clause
#
# A guest whose kernel has a driver for VMClock: the newest of Debian's backports, the module built for it, and chrony. It
# is for one scenario only, which is a part of the soak.

VMCLOCK := $(O)/vmclock
VMCLOCK_PACKAGES := $(O)/packages/vmclock-debs
VMCLOCK_INITRD := $(VMCLOCK)/initrd.cpio.gz
VMCLOCK_MODULE := $(VMCLOCK)/module/linux/seaclock.ko

$(VMCLOCK_PACKAGES): lab/packages $(PACKAGES)
	lab/packages vmclock

$(VMCLOCK)/stamp: lab/unpack $(VMCLOCK_PACKAGES)
	lab/unpack vmclock
	@touch $@

# The kernel's own compiler is newer than that of the oldest release this is built on, which lacks one of its options.
$(VMCLOCK_MODULE): linux/Kbuild lab/vmclock/rules.mk $(MODULE_SRC) $(wildcard include/seaclock/*.h) $(VMCLOCK)/stamp
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR)/include $(VMCLOCK)/module/include
	@find $(@D) -type l -delete
	@ln -sf $(addprefix $(CURDIR)/,linux/Kbuild $(MODULE_SRC)) $(@D)
	$(call say,KBUILD)$(MAKE) -s -C $(VMCLOCK)/headers M=$(CURDIR)/$(@D) CC=$(ARM64)gcc \
		CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= CONFIG_DEBUG_INFO_BTF_MODULES= W=1 KCFLAGS=-Werror modules

# Of the archives in an initial RAM disk, the last one's files count: its own module is appended.
$(VMCLOCK_INITRD): $(O)/guest/initrd.cpio.gz $(VMCLOCK_MODULE) lab/vmclock/chrony lab/vmclock/chrony.conf lab/libraries.sh
	lab/vmclock/chrony $(VMCLOCK)/root
	@$(ARM64)strip --strip-debug $(VMCLOCK_MODULE) -o $(VMCLOCK)/root/seaclock.ko
	$(call say,CPIO){ cat $<; cd $(VMCLOCK)/root && find . | sort | \
		cpio -o -H newc -R 0:0 --reproducible --quiet | gzip -9n; } >$@
