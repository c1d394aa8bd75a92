# SPDX-License-Identifier: BSD-2-Clause
#
# Tests that need this machine only. Every test/unit/*.c is one cmocka program and every test/property/*.c one plain
# program; all are built with the sanitizers and linked against an archive of everything testable, so that each takes
# what it needs. A new file there is a new test: nothing is listed by hand.

TEST_LIBS := -lcmocka $(VMM_LIBS) -lm
TEST_LIB := $(O)/san/test/seaclock.a
# What programs in a guest print and how they judge, for the tests that hold the judge against it.
PROBE_PURE := $(addprefix test/guest/,disks_check.c disks_order.c iops_walk.c probe_line.c probe_pattern.c probe_sleep.c traffic_exchange.c)
# What judges clocks that no monitor has a hand in (test/repair/).
STOCK_PURE := test/repair/fixture/clocks.c
TEST_LIB_OBJ := $(call objects,san,$(CORE_SRC) $(REPAIR_SRC) $(VMM_TESTABLE_SRC) $(JUDGE_SRC) $(PROBE_PURE) $(RELAY_PURE) \
	$(STOCK_PURE) $(sort $(wildcard test/fake/*.c)))
TEST_OBJ := $(call objects,san,$(sort $(wildcard test/unit/*.c test/property/*.c)))
TEST_UNIT := $(filter $(O)/san/test/unit/%,$(TEST_OBJ:.o=))
TEST_PROPERTY := $(filter $(O)/san/test/property/%,$(TEST_OBJ:.o=))

# The judge of the parser of types.
$(O)/san/test/unit/repair_judge $(O)/tsan/test/unit/repair_judge: TEST_LIBS += -lbpf

# Appended, not replaced: folders may hold files of the same name.
$(TEST_LIB): $(TEST_LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar qcs $@ $^

$(TEST_OBJ:.o=): %: %.o $(TEST_LIB)
	$(call say,LD)$(CC) $(CFLAGS_san) $^ $(TEST_LIBS) -o $@

all: $(TEST_UNIT) $(TEST_PROPERTY)

# The committed inputs of the fuzz targets, a folder each; fuzz-pack takes up what has been put there.
FUZZ_PACKED := $(sort $(wildcard test/fuzz/corpus/*.hex))
FUZZ_CORPORA := $(FUZZ_PACKED:test/fuzz/corpus/%.hex=$(O)/fuzz/corpus/%.stamp)

$(O)/fuzz/corpus/%.stamp: test/fuzz/corpus/%.hex test/fuzz/corpus.sh
	@test/fuzz/corpus.sh unpack $< $(@:.stamp=)
	@touch $@

fuzz-corpus: $(FUZZ_CORPORA)

fuzz-pack: $(FUZZ_CORPORA)
	@set -e; for folder in $(O)/fuzz/corpus/*/; do \
		test/fuzz/corpus.sh pack $$folder test/fuzz/corpus/$$(basename $$folder).hex; done

# The kernels are there for the tests that look for a real one.
unit: $(TEST_UNIT) $(FUZZ_CORPORA) $(KERNEL)
	@test/run-tests $(TEST_UNIT)

property: $(TEST_PROPERTY)
	@test/run-tests $^

# Races between threads: the unit and process tests once more, built for that, which makes them many times slower.
TSAN_LIB := $(O)/tsan/test/seaclock.a
TSAN_TESTS := $(TEST_UNIT:$(O)/san/%=$(O)/tsan/%)

$(TSAN_LIB): $(TEST_LIB_OBJ:$(O)/san/%=$(O)/tsan/%)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar qcs $@ $^

$(TSAN_TESTS): %: %.o $(TSAN_LIB)
	$(call say,LD)$(CC) $(CFLAGS_tsan) $^ $(TEST_LIBS) -o $@

tsan: $(TSAN_TESTS) $(FUZZ_CORPORA) $(KERNEL)
	@WAIT_SCALE=1000 TSAN_OPTIONS=die_after_fork=0 test/run-tests $(TSAN_TESTS)

# Each mutant of the core must be caught: by the conformance suite if it breaks a rule of the guest interface, by a test of
# the core otherwise.
mutants: $(O)/san/test/unit/conformance_core $(filter $(O)/san/test/unit/core_%,$(TEST_UNIT)) $(TEST_PROPERTY) $(TEST_LIB)
	@CC='$(CC)' CFLAGS='$(CFLAGS_san)' LIBS='$(TEST_LIB) $(TEST_LIBS)' test/run-mutants $(O)/mutants \
		$(filter-out $(TEST_LIB),$^)

# The scripts that run tests: what they decide. Those of an installed system: what they do, with the program on a fake
# host where it matters.
check-scripts: $(O)/san/test/process/seaclock $(O)/cluster/stamp
	@test/run-tests $(sort $(wildcard test/script/*))

# The core may need memory functions and nothing else, or a Linux module could not take it; repair/ compares names, too,
# and asks the core for deadlines.
PURE_core := memcmp memcpy memmove memset
PURE_repair := $(PURE_core) strcmp strlen sc_rate_convert_deadline

check-purity: check-purity-core check-purity-repair

check-purity-core check-purity-repair: check-purity-%: $(O)/arm64/%/whole.ro
	@impure=$$($(ARM64)nm -u $< | awk '{ print $$2 }' | grep -vxF $(PURE_$*:%=-e %)); \
		test -z "$$impure" || { echo "$*/ is not pure, it needs:" $$impure; exit 1; }

$(O)/arm64/core/whole.ro: $(call objects,arm64,$(CORE_SRC))
$(O)/arm64/repair/whole.ro: $(call objects,arm64,$(REPAIR_SRC))

$(O)/arm64/%/whole.ro:
	$(call say,LD)$(ARM64)ld -r $^ -o $@

# The protocol of the handover, over all interleavings.
check-model:
	@test/model/check $(O)/model

# Fuzzing: every test/fuzz/*.c is one target of libFuzzer; everything under test is built for it.
CFLAGS_fuzz := $(CFLAGS_COMMON) -DLOCK_CHECK -O2 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
FUZZ_LIB := $(O)/fuzz/test/seaclock.a
# Nothing is opened, and no file written, by a name that a fuzzer has made up: test/fuzz/stub/.
FUZZ_STUBBED := vmm/base/replace.c vmm/dev/disk/disk.c vmm/dev/net/uplink.c
FUZZ_LIB_OBJ := $(call objects,fuzz,$(CORE_SRC) $(REPAIR_SRC) $(filter-out $(FUZZ_STUBBED),$(VMM_TESTABLE_SRC)) \
	$(sort $(wildcard test/fake/*.c test/fuzz/model/*.c test/fuzz/stub/*.c)))
FUZZ_OBJ := $(call objects,fuzz,$(sort $(wildcard test/fuzz/*.c)))

$(O)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CLANG) $(CFLAGS_fuzz) -c $< -o $@

$(FUZZ_LIB): $(FUZZ_LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar qcs $@ $^

$(FUZZ_OBJ:.o=): %: %.o $(FUZZ_LIB)
	$(call say,LD)$(CLANG) $(CFLAGS_fuzz) -fsanitize=fuzzer $^ $(VMM_LIBS) -o $@

fuzz: $(FUZZ_OBJ:.o=) $(FUZZ_CORPORA)
	@test/run-fuzz $(O)/fuzz/found $(FUZZ_OBJ:.o=)

fuzz-short: $(FUZZ_OBJ:.o=) $(FUZZ_CORPORA)
	@FUZZ_RUNS=20000 test/run-fuzz $(O)/fuzz/short $(FUZZ_OBJ:.o=)

-include $(FUZZ_OBJ:.o=.d) $(FUZZ_LIB_OBJ:.o=.d)

.PHONY: unit property tsan check-scripts mutants fuzz fuzz-short fuzz-corpus fuzz-pack check-purity check-purity-core check-purity-repair check-model
