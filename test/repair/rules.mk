# SPDX-License-Identifier: BSD-2-Clause
#
# The transparent level on stock kernels under QEMU, on this machine: what its tests share (fixture/), and the tests, each
# test/repair/*.c one cmocka program. A new file there is a new test.

STOCK_SRC := $(sort $(wildcard test/repair/*.c))
STOCK_FIXTURE_SRC := $(filter-out $(STOCK_PURE),$(sort $(wildcard test/repair/fixture/*.c))) test/process/fixture/process.c
STOCK_TEST := $(patsubst %.c,$(O)/san/%,$(STOCK_SRC))

$(STOCK_TEST): %: %.o $(call objects,san,$(STOCK_FIXTURE_SRC)) $(O)/san/test/seaclock.a
	$(call say,LD)$(CC) $(CFLAGS_san) $^ $(TEST_LIBS) -o $@

all: $(STOCK_TEST)

check-repair: $(STOCK_TEST) $(O)/guest/initrd.cpio.gz $(KERNEL)
	@TEST_LIMIT=240 test/run-tests $(STOCK_TEST)

soak-repair: $(STOCK_TEST) $(O)/guest/initrd.cpio.gz $(VMCLOCK_INITRD) $(KERNEL) $(KERNELS)
	@test/repair/soak $(O)/san/test/repair/changes $(O)/repair $(O)/transparent-soak.json

.PHONY: check-repair soak-repair
