# SPDX-License-Identifier: BSD-2-Clause
#
# A monitor for the lab with the intruder in it, and what sends it: the program that is shipped, but for its main().
INTRUDED := $(O)/arm64/test/intruder/seaclock
INTRUDE := $(O)/arm64/test/intruder/intrude
INTRUDER_OBJ := $(O)/arm64/test/intruder/intruder.o

$(O)/arm64/test/intruder/main.o: $(O)/arm64/vmm/command/main.o
	@mkdir -p $(@D)
	@$(ARM64)objcopy --redefine-sym main=seaclock_main $< $@

$(INTRUDED): $(filter-out $(O)/arm64/vmm/command/main.o,$(VMM_OBJ)) \
		$(addprefix $(O)/arm64/test/intruder/,main.o monitor.o) $(INTRUDER_OBJ)
	$(call say,LD)$(ARM64)gcc $^ $(SYSROOT_LDFLAGS) $(VMM_LIBS) -o $@

$(INTRUDE): $(O)/arm64/test/intruder/intrude.o $(INTRUDER_OBJ) $(call objects,arm64,vmm/base/thread.c vmm/base/lock.c vmm/base/error.c)
	$(call say,LD)$(ARM64)gcc -static $^ -lpthread -o $@

lab-test: $(INTRUDED) $(INTRUDE)
