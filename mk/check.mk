# SPDX-License-Identifier: BSD-2-Clause
#
# What holds for the whole tree: the checks behind `make check`. Each is a target of its own, and fails with the places.

AREAS := include core example repair guest vmm linux lab test bench
CHECK_C := $(shell find $(wildcard $(AREAS)) -name '*.[ch]' | sort)

check: unit property process check-scripts check-purity check-model check-headers check-layers check-calls check-format \
	check-tidy check-size check-text check-tour

# Kernel headers are not at hand outside Kbuild.
check-headers:
	@mk/check-headers.sh $(filter-out linux/%,$(filter %.h,$(CHECK_C)))

# Who may include whom, and whether the picture of it is up to date.
check-layers:
	@mk/check-layers.sh; layers=$$?; mk/picture.sh check && exit $$layers

picture:
	@mk/picture.sh draw

check-format:
	@clang-format --dry-run -Werror $(CHECK_C)

format:
	@clang-format -i $(CHECK_C)

check-size:
	@mk/check-size.sh

check-text:
	@mk/check-text.sh

check-tour:
	@mk/check-tour.sh

# All files of the module include the same header, so only their calls show the layers.
check-calls:
	@mk/check-calls.sh $(wildcard linux/*.c)

# What the last `make test` took.
check-time:
	@mk/check-time.sh mk/shares $(O)/test/times

soak:
	@mk/soak.sh run $(PARTS)

soak-status:
	@mk/soak.sh status

# One stamp per source, so that a second run looks only at what has changed. Sources that run on arm64 only are read as
# such; the module belongs to the kernel's own checkers.
TIDY_ARM64 := $(filter example/% vmm/host/% test/guest/% test/bare/% guest/% lab/% bench/guest%,$(CHECK_C))
TIDY_SRC := $(filter-out linux/%,$(filter %.c,$(CHECK_C)))
TIDY_FLAGS := -std=c11 -D_GNU_SOURCE -DSEACLOCK_VERSION='"$(VERSION)"' -Iinclude -Ivmm -Itest/bare -Itest/conformance

# Assertions of cmocka leave a function by longjmp(), which the analyzer does not know: of tests it follows paths that
# nobody takes, for half of all its time.
TIDY_ASSERTING := $(filter test/unit/% test/property/% test/process/% test/repair/%,$(TIDY_SRC))

check-tidy: $(TIDY_SRC:%.c=$(O)/check/tidy/%.stamp)

$(O)/check/tidy/%.stamp: %.c .clang-tidy
	@mkdir -p $(@D)
	@$(CC) $(TIDY_FLAGS) -MM -MP -MT $@ -MF $(@:.stamp=.d) $<
	@clang-tidy --quiet $(if $(filter $<,$(TIDY_ASSERTING)),'--checks=-clang-analyzer-*') $< -- $(TIDY_FLAGS) \
		$(if $(filter $<,$(TIDY_ARM64)),--target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include) \
		>$(@:.stamp=.log) 2>/dev/null || { cat $(@:.stamp=.log); exit 1; }
	@touch $@

.PHONY: check check-headers check-layers check-calls check-format check-tidy check-size check-text check-tour check-time picture soak soak-status format
