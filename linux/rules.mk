# SPDX-License-Identifier: BSD-2-Clause
#
# The Linux module, against the packaged kernels' headers. Kbuild writes beside its sources, so it is given links to them
# in out/guest/module. Without pahole there is no type information to add.

MODULE := $(O)/guest/seaclock.ko
MODULE_GENERIC := $(O)/guest/generic/seaclock.ko
MODULE_SRC := $(sort $(wildcard linux/*.c linux/*.h))

# $(call module,FILE,FOLDER,HEADERS): the module as FILE, built in FOLDER.
define module
$(1): linux/Kbuild linux/rules.mk $(MODULE_SRC) $(wildcard include/seaclock/*.h) $(O)/kernel/stamp
	@mkdir -p $$(@D) $(2)/linux
	@ln -sfn $(CURDIR)/include $(2)/include
	@find $(2)/linux -type l -delete
	@ln -sf $(addprefix $(CURDIR)/,linux/Kbuild $(MODULE_SRC)) $(2)/linux
	$$(call say,KBUILD)$$(MAKE) -s -C $(O)/kernel/$(3) M=$(CURDIR)/$(2)/linux \
		CONFIG_DEBUG_INFO_BTF_MODULES= W=1 KCFLAGS=-Werror modules
	@cp $(2)/linux/seaclock.ko $$@
endef
$(eval $(call module,$(MODULE),$(O)/guest/module,headers))
$(eval $(call module,$(MODULE_GENERIC),$(O)/guest/module-generic,generic-headers))

# The modules that are for tests; what the self-test shares with others lies beside it as in the tree.
SELFTEST := $(addprefix $(O)/guest/,seaclock_selftest.ko seaclock_inspect.ko)
SELFTEST_SRC := $(sort linux/selftest/Kbuild $(wildcard linux/selftest/*.c test/conformance/*.[ch])) \
	linux/hypercall.c linux/seaclock.h guest/call.S
SELFTEST_DIR := $(O)/guest/selftest

$(SELFTEST) &: linux/rules.mk $(SELFTEST_SRC) $(wildcard include/seaclock/*.h) $(O)/kernel/stamp
	@mkdir -p $(addprefix $(SELFTEST_DIR)/,$(sort $(dir $(SELFTEST_SRC))))
	@ln -sfn $(CURDIR)/include $(SELFTEST_DIR)/include
	@find $(SELFTEST_DIR) -type l -name '*.[chS]' -delete
	@for source in $(SELFTEST_SRC); do ln -sf $(CURDIR)/$$source $(SELFTEST_DIR)/$$source; done
	$(call say,KBUILD)$(MAKE) -s -C $(O)/kernel/headers M=$(CURDIR)/$(SELFTEST_DIR)/linux/selftest \
		CONFIG_DEBUG_INFO_BTF_MODULES= W=1 KCFLAGS=-Werror modules
	@cp $(addprefix $(SELFTEST_DIR)/linux/selftest/,$(notdir $(SELFTEST))) $(O)/guest

module: $(MODULE) $(MODULE_GENERIC) $(SELFTEST)

.PHONY: module
