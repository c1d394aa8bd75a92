# SPDX-License-Identifier: BSD-2-Clause
#
# Tests that need this machine only. Every test/unit/*.c is one cmocka program and every test/property/*.c one plain
# program; all are built with the sanitizers and linked against an archive of everything testable, so that each takes
# what it needs. A new file there is a new test: nothing is listed by hand.

TEST_LIBS := -lcmocka -ljansson -lfdt -lzstd -lpthread -lm
TEST_LIB := $(O)/san/test/seaclock.a
# What the probe prints and how it judges, for the tests that hold the judge against it.
PROBE_PURE := $(addprefix test/guest/,probe_line.c probe_pattern.c probe_sleep.c)
TEST_LIB_OBJ := $(call objects,san,$(CORE_SRC) $(VMM_TESTABLE_SRC) $(JUDGE_SRC) $(PROBE_PURE) $(RELAY_PURE) $(sort $(wildcard test/fake/*.c)))
TEST_OBJ := $(call objects,san,$(sort $(wildcard test/unit/*.c test/property/*.c)))
TEST_UNIT := $(filter $(O)/san/test/unit/%,$(TEST_OBJ:.o=))
TEST_PROPERTY := $(filter $(O)/san/test/property/%,$(TEST_OBJ:.o=))

# Appended, not replaced: folders may hold files of the same name.
$(TEST_LIB): $(TEST_LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar qcs $@ $^

$(TEST_OBJ:.o=): %: %.o $(TEST_LIB)
	$(call say,LD)$(CC) $(CFLAGS_san) $^ $(TEST_LIBS) -o $@

all: $(TEST_UNIT) $(TEST_PROPERTY)

unit: $(TEST_UNIT)
	@test/run-tests $^

property: $(TEST_PROPERTY)
	@test/run-tests $^

# Each mutant of the core must be caught: by the conformance suite if it breaks a rule of the guest interface, by a test of
# the core otherwise.
mutants: $(O)/san/test/unit/conformance_core $(filter $(O)/san/test/unit/core_%,$(TEST_UNIT)) $(TEST_PROPERTY) $(TEST_LIB)
	@CC='$(CC)' CFLAGS='$(CFLAGS_san)' LIBS='$(TEST_LIB) $(TEST_LIBS)' test/run-mutants $(O)/mutants \
		$(filter-out $(TEST_LIB),$^)

# The core may need memory functions and nothing else, or a Linux module could not take it.
PURE_SYMBOLS := memcmp memcpy memmove memset

check-purity: $(O)/arm64/core/core.ro
	@impure=$$($(ARM64)nm -u $< | awk '{ print $$2 }' | grep -vxF $(PURE_SYMBOLS:%=-e %)); \
		test -z "$$impure" || { echo "the core is not pure, it needs:" $$impure; exit 1; }

$(O)/arm64/core/core.ro: $(call objects,arm64,$(CORE_SRC))
	$(call say,LD)$(ARM64)ld -r $^ -o $@

# The protocol of the handover, over all interleavings.
check-model:
	@test/model/check $(O)/model

# Fuzzing: every test/fuzz/*.c is one target of libFuzzer; everything under test is built for it.
CFLAGS_fuzz := $(CFLAGS_COMMON) -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
FUZZ_LIB := $(O)/fuzz/test/seaclock.a
FUZZ_LIB_OBJ := $(call objects,fuzz,$(CORE_SRC) $(VMM_TESTABLE_SRC) $(sort $(wildcard test/fake/*.c test/fuzz/model/*.c)))
FUZZ_OBJ := $(call objects,fuzz,$(sort $(wildcard test/fuzz/*.c)))

$(O)/fuzz/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)$(CLANG) $(CFLAGS_fuzz) -c $< -o $@

$(FUZZ_LIB): $(FUZZ_LIB_OBJ)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar qcs $@ $^

$(FUZZ_OBJ:.o=): %: %.o $(FUZZ_LIB)
	$(call say,LD)$(CLANG) $(CFLAGS_fuzz) -fsanitize=fuzzer $^ -ljansson -lfdt -lzstd -lpthread -o $@

fuzz: $(FUZZ_OBJ:.o=)
	@test/run-fuzz $(O)/fuzz/found $^

fuzz-short: $(FUZZ_OBJ:.o=)
	@FUZZ_RUNS=20000 FUZZ_SECONDS=30 test/run-fuzz $(O)/fuzz/short $^

-include $(FUZZ_OBJ:.o=.d) $(FUZZ_LIB_OBJ:.o=.d)

.PHONY: unit property mutants fuzz fuzz-short check-purity check-model
