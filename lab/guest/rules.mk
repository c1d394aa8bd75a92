# SPDX-License-Identifier: BSD-2-Clause
#
# The guest: a stock kernel, and an initramfs of busybox, the module, and the programs of test/guest. NAME.c there is a
# program, NAME_*.c are further parts of it. The kernel has console, ptp_kvm and virtual timers built in, but the drivers
# of other devices are modules, which init loads on request.

GUEST_PROGRAMS := $(foreach source,$(sort $(wildcard test/guest/*.c)),$(if $(findstring _,$(source)),,$(notdir $(source:.c=))))
GUEST_BIN := $(addprefix $(O)/guest/bin/,$(GUEST_PROGRAMS))
GUEST_ROOT := $(O)/guest/root
guest_objects = $(call objects,arm64,$(wildcard test/guest/$(1).c test/guest/$(1)_*.c) $(GUEST_PARTS_$(1)))
# Parts of another program.
GUEST_PARTS_disks := test/guest/probe_line.c test/guest/probe_pattern.c
GUEST_PARTS_discipline := test/guest/probe_line.c
GUEST_PARTS_reference := test/guest/probe_line.c test/guest/probe_truth.c

# From the names of files to a compressed archive of them, for an initial RAM disk.
CPIO := sort | cpio -o -H newc -R 0:0 --reproducible --quiet | gzip -9n

# Loaded in this order.
GUEST_DRIVERS := drivers/virtio/virtio_mmio drivers/block/virtio_blk drivers/char/hw_random/virtio-rng \
	net/core/failover drivers/net/net_failover drivers/net/virtio_net

define guest_program
$(call guest_objects,$(1)): | $(SYSROOT)
$(O)/guest/bin/$(1): $(call guest_objects,$(1))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(ARM64)gcc -static $$^ $(SYSROOT_LDFLAGS) -lfdt -o $$@
endef
$(foreach program,$(GUEST_PROGRAMS),$(eval $(call guest_program,$(program))))

# The kernel makes /dev/console by itself, before it unpacks this: no device node and so no root is needed.
$(O)/guest/initrd.cpio.gz: lab/guest/init lab/guest/rules.mk $(MODULE) $(SELFTEST) $(GUEST_BIN) $(KERNEL) | $(SYSROOT)
	@rm -rf $(GUEST_ROOT)
	@mkdir -p $(GUEST_ROOT)/bin $(GUEST_ROOT)/drivers
	@cp lab/guest/init $(GUEST_ROOT)
	@for module in $(MODULE) $(SELFTEST); do \
		$(ARM64)strip --strip-debug $$module -o $(GUEST_ROOT)/$$(basename $$module) || exit; done
	@n=0; for driver in $(GUEST_DRIVERS); do n=$$((n + 1)); \
		xz -dc $(O)/kernel/modules/kernel/$$driver.ko.xz >$(GUEST_ROOT)/drivers/$$n-$$(basename $$driver).ko || exit; done
	@cp $(O)/sysroot/usr/bin/busybox $(GUEST_BIN) $(GUEST_ROOT)/bin
	$(call say,CPIO)cd $(GUEST_ROOT) && find . | $(CPIO) >$(CURDIR)/$@

$(O)/guest/Image: $(KERNEL)
	@mkdir -p $(@D)
	@cp $(O)/kernel/Image $@

# The generic kernel's. Of the archives in an initial RAM disk, the last one's files count: its own module is appended.
GENERIC_INITRD := $(O)/guest/generic/initrd.cpio.gz

$(GENERIC_INITRD): $(O)/guest/initrd.cpio.gz $(MODULE_GENERIC)
	@mkdir -p $(@D)/root
	@$(ARM64)strip --strip-debug $(MODULE_GENERIC) -o $(@D)/root/seaclock.ko
	$(call say,CPIO){ cat $<; cd $(@D)/root && echo seaclock.ko | $(CPIO); } >$@

guest: $(O)/guest/Image $(O)/guest/initrd.cpio.gz

.PHONY: guest
