# SPDX-License-Identifier: BSD-2-Clause
#
# The Linux module, against the packaged kernels' headers. Kbuild writes beside its sources, so it is given links to them
# in out/guest/module. Without pahole there is no type information to add.

MODULE := $(O)/guest/seaclock.ko
MODULE_GENERIC := $(O)/guest/generic/seaclock.ko
MODULE_SRC := $(sort $(wildcard linux/*.c linux/*.h))

# Kbuild, whichever kernel's headers it is for: those of the newest are for a compiler of their own age, and 6.1's do not
# say for which processor they are.
KBUILD = $(MAKE) -s ARCH=arm64 CROSS_COMPILE=$(ARM64) CC=$(ARM64)gcc \
	CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT= CONFIG_DEBUG_INFO_BTF_MODULES= W=1 KCFLAGS=-Werror

# $(call module,FILE,FOLDER,HEADERS,STAMP): the module as FILE, built in FOLDER.
define module
$(1): linux/Kbuild linux/rules.mk $(MODULE_SRC) $(wildcard include/seaclock/*.h) $(4)
	@mkdir -p $$(@D) $(2)/linux
	@ln -sfn $(CURDIR)/include $(2)/include
	@find $(2)/linux -type l -delete
	@ln -sf $(addprefix $(CURDIR)/,linux/Kbuild $(MODULE_SRC)) $(2)/linux
	+$$(call say,KBUILD)$$(KBUILD) -C $(3) M=$(CURDIR)/$(2)/linux modules
	@cp $(2)/linux/seaclock.ko $$@
endef
$(eval $(call module,$(MODULE),$(O)/guest/module,$(O)/kernel/headers,$(O)/kernel/stamp))
$(eval $(call module,$(MODULE_GENERIC),$(O)/guest/module-generic,$(O)/kernel/generic-headers,$(O)/kernel/stamp))

# The modules that are for tests; what the self-test shares with others lies beside it as in the tree.
SELFTEST := $(addprefix $(O)/guest/,seaclock_selftest.ko seaclock_inspect.ko)
SELFTEST_SRC := $(sort linux/selftest/Kbuild $(wildcard linux/selftest/*.c test/conformance/*.[ch])) \
	linux/hypercall.c linux/seaclock.h guest/call.S

# $(call selftest,FOLDER,BUILD,HEADERS,STAMP): both in FOLDER, built in BUILD.
define selftest
$(addprefix $(1)/,$(notdir $(SELFTEST))) &: linux/rules.mk $(SELFTEST_SRC) $(wildcard include/seaclock/*.h) $(4)
	@mkdir -p $(addprefix $(2)/,$(sort $(dir $(SELFTEST_SRC))))
	@ln -sfn $(CURDIR)/include $(2)/include
	@find $(2) -type l -name '*.[chS]' -delete
	@for source in $(SELFTEST_SRC); do ln -sf $(CURDIR)/$$$$source $(2)/$$$$source; done
	+$$(call say,KBUILD)$$(KBUILD) -C $(3) M=$(CURDIR)/$(2)/linux/selftest modules
	@cp $(addprefix $(2)/linux/selftest/,$(notdir $(SELFTEST))) $(1)
endef
$(eval $(call selftest,$(O)/guest,$(O)/guest/selftest,$(O)/kernel/headers,$(O)/kernel/stamp))

module: $(MODULE) $(MODULE_GENERIC) $(SELFTEST)

.PHONY: module
