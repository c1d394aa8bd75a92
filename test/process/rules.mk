# SPDX-License-Identifier: BSD-2-Clause
#
# The monitor as a process, without KVM: the program on a fake host with scripted guests (monitor/), what its tests share
# (fixture/), and the tests, each test/process/*.c one cmocka program. A new file there is a new test.

PROCESS_LIBS := $(VMM_LIBS) -lm
PROCESS_SRC := $(sort $(wildcard test/process/*.c))
PROCESS_FIXTURE_SRC := $(sort $(wildcard test/process/fixture/*.c))
# With the intruder in it, who stands for a guest that has taken over a thread.
PROCESS_MONITOR_SRC := $(sort $(wildcard test/process/monitor/*.c)) test/intruder/intruder.c

# The monitor's own code but its time limits, for which limits.c stands.
PROCESS_VMM_SRC := $(filter-out vmm/transfer/limits.c,$(VMM_TESTABLE_SRC)) vmm/command/main.c

# $(call process_rules,FLAVOUR): in it, the monitor, the relay, and the tests, which run what lies beside them. The fake
# host's main() comes first. In the monitor's code all that fault.c has a faulty_NAME of is called by that name.
define process_rules
PROCESS_TEST_$(1) := $(patsubst %.c,$(O)/$(1)/%,$(PROCESS_SRC))
PROCESS_RUN_$(1) := $(addprefix $(O)/$(1)/test/process/,seaclock relay)

$(O)/$(1)/test/process/vmm.o: $(O)/$(1)/test/process/monitor/fault.o $(call objects,$(1),$(PROCESS_VMM_SRC))
	@mkdir -p $$(@D)
	@$$(CC) -r -nostdlib $$(filter-out $$<,$$^) -o $$@
	@objcopy --redefine-sym main=seaclock_main \
		$$$$(nm $$< | sed -n 's/.* T faulty_\(.*\)/--redefine-sym \1=faulty_\1/p') $$@

$(O)/$(1)/test/process/seaclock: $(call objects,$(1),$(PROCESS_MONITOR_SRC)) \
		$(O)/$(1)/test/process/vmm.o $(O)/$(1)/test/seaclock.a
	$$(call say,LD)$$(CC) $$(CFLAGS_$(1)) $$^ $$(PROCESS_LIBS) -o $$@

$(O)/$(1)/test/process/relay: $(call objects,$(1),$(RELAY_SRC))
	@mkdir -p $$(@D)
	$$(call say,LD)$$(CC) $$(CFLAGS_$(1)) $$^ -o $$@

$$(PROCESS_TEST_$(1)): %: %.o $(call objects,$(1),$(PROCESS_FIXTURE_SRC) test/intruder/intruder.c) $(O)/$(1)/test/seaclock.a
	$$(call say,LD)$$(CC) $$(CFLAGS_$(1)) $$^ $$(TEST_LIBS) -o $$@
endef
$(foreach flavour,san tsan,$(eval $(call process_rules,$(flavour))))

all: $(PROCESS_TEST_san) $(PROCESS_RUN_san)

# Most of these tests wait most of the time.
process: $(PROCESS_TEST_san) $(PROCESS_RUN_san)
	@JOBS=4 test/run-tests $(PROCESS_TEST_san)

# The long forms of two tests: FAULTS migrations with a fault each, and each call that can fail, or each STRIDE-th.
faults: $(O)/san/test/property/faults $(O)/san/test/process/fault_call $(PROCESS_RUN_san)
	@FAULTS=$(or $(FAULTS),10000) $(O)/san/test/property/faults
	@FULL=1 STRIDE=$(or $(STRIDE),1) $(O)/san/test/process/fault_call

TSAN_TESTS += $(PROCESS_TEST_tsan)
tsan: $(PROCESS_TEST_tsan) $(PROCESS_RUN_tsan)

.PHONY: process faults
