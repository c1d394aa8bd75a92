# SPDX-License-Identifier: BSD-2-Clause
#
# Watches a guest from outside: the host that stores disks carries it.
PINGER := $(O)/arm64/lab/pinger/pinger

$(PINGER): $(call objects,arm64,lab/pinger/pinger.c)
	$(call say,LD)$(ARM64)gcc -static $^ -o $@
