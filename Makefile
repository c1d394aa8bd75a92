# SPDX-License-Identifier: BSD-2-Clause
#
# One graph for everything: the host's tests, the arm64 monitor, the Linux module, the lab. Each area describes itself in
# its own rules.mk; nothing recurses but Kbuild, which must.

MAKEFLAGS += --no-builtin-rules
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
# Tools sort, write numbers and read the sources' UTF-8 alike, whatever locale the caller has or lacks.
export LC_ALL := C.UTF-8
.SUFFIXES:
.DELETE_ON_ERROR:

O := out

all: ## build everything: the monitor, the guest with its module, the tests, the benchmarks
module: ## build the guest's module for Debian's arm64 kernels; needs no lab
check: ## a few minutes, no lab: unit, property and process tests, the model, purity of the core, format, lint
lab-test: ## the scenarios: real guests migrate between emulated Arm hosts; ONLY=NAME, FULL=1 for the long form
conformance: ## hold Seaclock, and a machine without it, against the conformance suite; in the lab
mutants: ## break the core on purpose: every mutant must turn a test red
fuzz: ## hostile input for FUZZ_SECONDS (20) a target
fuzz-short: ## a bounded number of hostile inputs for each target
vectors: ## write the core's test vectors, test/vectors/vectors.json, anew
fuzz-pack: ## put the inputs in out/fuzz/corpus/ into the tree
faults: ## FAULTS (10000) broken migrations; each call of the monitor fails, or each STRIDE-th from SEED on; hours
tsan: ## the unit and process tests under ThreadSanitizer
linux-driver: ## in the lab, a guest whose kernel is built with Linux's own driver for the interface; FULL=1: long
vmclock: ## in the lab, a guest whose kernel has a driver for VMClock, held against the truth clock; FULL=1: long
debian: ## make the disk of a Debian from packages, for the lab
kernels: ## bring the table of kernels whose timekeeping is known up to date with Debian's
boots: ## boot a guest BOOTS (50) times in the lab
test: ## every test; the last line is the sum of all tiers
check-time: ## hold the times of the last make test against mk/shares
soak: ## everything long, resumable: PARTS="NAME..." chooses, ROUNDS=N repeats; soak-status prints what was done
install: ## the arm64 monitor, its manual, units and completion, into DESTDIR and PREFIX (/usr/local)
deb: ## Debian packages for arm64, in out/deb
try: ## a Debian on an emulated host, and you at its shell: doc/tutorial.md
demo: ## a guest migrates from a 25 MHz host to a 1 GHz host and back; ends with a table and a report
bench: ## what things cost: the clock on this machine; in the lab that, timers, boot, downtime, disks, networks; SHORT=1: once
bench-compare: ## the same, held against bench/ratios: a loss of speed fails
picture: ## draw who includes whom, doc/architecture.svg; needs graphviz
format: ## clang-format on every C file
clean: ## remove everything built, downloads included
help: ## this list

include mk/flags.mk
include core/rules.mk example/rules.mk repair/rules.mk guest/rules.mk vmm/rules.mk linux/rules.mk lab/rules.mk system/rules.mk test/rules.mk test/process/rules.mk test/repair/rules.mk test/intruder/rules.mk test/bare/rules.mk test/conformance/rules.mk test/vectors/rules.mk bench/rules.mk
include mk/check.mk

# The first run on a machine installs what is missing, before any rule needs it: make remakes an included file first.
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
include $(O)/installed.mk
endif

$(O)/installed.mk: $(PACKAGES)
	@touch $@

# What each object was built from.
-include $(shell find $(wildcard $(addprefix $(O)/,host san tsan arm64 pic bare check)) /dev/null -name '*.d')

test:
	@mk/test-all.sh

clean:
	rm -rf $(O)

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: all check lab-test conformance mutants fuzz fuzz-short test demo bench format clean help
