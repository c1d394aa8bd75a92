# SPDX-License-Identifier: BSD-2-Clause
#
# A guest whose kernel has a driver for VMClock: the newest of Debian's backports, the module built for it, and chrony. It
# is for one scenario only, which is a part of the soak.

VMCLOCK := $(O)/vmclock
VMCLOCK_PACKAGES := $(O)/packages/vmclock-debs
VMCLOCK_INITRD := $(VMCLOCK)/initrd.cpio.gz
VMCLOCK_MODULE := $(VMCLOCK)/seaclock.ko

$(VMCLOCK_PACKAGES): lab/packages $(PACKAGES)
	lab/packages vmclock

$(VMCLOCK)/stamp: lab/unpack $(VMCLOCK_PACKAGES)
	lab/unpack vmclock
	@touch $@

$(eval $(call module,$(VMCLOCK_MODULE),$(VMCLOCK)/module,$(VMCLOCK)/headers,$(VMCLOCK)/stamp))

# Of the archives in an initial RAM disk, the last one's files count: its own module is appended.
$(VMCLOCK_INITRD): $(O)/guest/initrd.cpio.gz $(VMCLOCK_MODULE) lab/vmclock/chrony lab/vmclock/chrony.conf lab/libraries.sh
	lab/vmclock/chrony $(VMCLOCK)/root
	@$(ARM64)strip --strip-debug $(VMCLOCK_MODULE) -o $(VMCLOCK)/root/seaclock.ko
	$(call say,CPIO){ cat $<; cd $(VMCLOCK)/root && find . | $(CPIO); } >$@
