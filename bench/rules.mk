# SPDX-License-Identifier: BSD-2-Clause
#
# Benchmarks: the reader of the page on this machine, and what only a machine in the lab can show. `bench` measures when
# everything is built, for a compiler beside it would be measured too.

BENCH_SRC := bench/page_read.c bench/instructions.c
BENCH_CORE := core/rate.c core/page.c

$(O)/host/bench/page_read: $(call objects,host,$(BENCH_SRC) $(BENCH_CORE))
	$(call say,LD)$(CC) $^ -o $@

$(O)/arm64/bench/page_read: $(call objects,arm64,$(BENCH_SRC) $(BENCH_CORE))
	$(call say,LD)$(ARM64)gcc -static $^ -o $@

$(O)/arm64/bench/stamp: $(call objects,arm64,bench/stamp.c)
	$(call say,LD)$(ARM64)gcc -static $^ -o $@

# A bare guest: nothing of Linux lies between the measurement and the monitor.
$(O)/bare/bench/guest_stimer.o: CFLAGS_bare += $(BARE_CFLAGS)
$(O)/bare/bench/stimer.elf: test/bare/bare.lds $(O)/bare/bench/guest_stimer.o $(BARE_RUNTIME) $(GUEST_LIB)
	$(call say,LD)$(call bare_link,$<,$^) -o $@

# The migration's stream on the fake host, with TLS and without: of everything testable it takes what it needs.
BENCH_LIB := $(O)/host/test/seaclock.a
BENCH_CHANNEL := $(O)/host/bench/channel

$(BENCH_LIB): $(TEST_LIB_OBJ:$(O)/san/%=$(O)/host/%)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar qcs $@ $^

$(BENCH_CHANNEL): $(O)/host/bench/channel.o $(BENCH_LIB)
	$(call say,LD)$(CC) $^ $(VMM_LIBS) -lm -o $@

# A map of many hosts, by the same.
BENCH_MAP := $(O)/host/bench/map

$(BENCH_MAP): $(O)/host/bench/map.o $(BENCH_LIB)
	$(call say,LD)$(CC) $^ $(VMM_LIBS) -lm -o $@

BENCH := $(O)/host/bench/page_read $(addprefix $(O)/arm64/bench/,page_read stamp) $(O)/bare/bench/stimer.Image

all: $(BENCH)

bench: $(BENCH) $(BENCH_CHANNEL) $(BENCH_MAP) $(NEWEST_QEMU) lab-image
	@echo "On this machine:"
	@$<
	@$(BENCH_CHANNEL)
	@$(BENCH_MAP)
	@echo
	@bench/lab-bench

bench-compare: bench
	@bench/compare $(O)/bench.json bench/ratios

.PHONY: bench bench-compare
