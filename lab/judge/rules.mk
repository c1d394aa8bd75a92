# SPDX-License-Identifier: BSD-2-Clause
#
# The judge: holds what the guest printed against truth. JUDGE_SRC is its pure part, which the unit tests link.
JUDGE_SRC := $(addprefix lab/judge/,chrony.c cooperative.c cooperative_summary.c criterion.c debian_summary.c \
	disks_summary.c kernels_summary.c line.c manifest.c migration.c offset.c offset_summary.c ping.c plot.c report.c run.c \
	statistics.c summary.c timeline.c transcript.c verdict.c verdict_busy.c verdict_debian.c verdict_disks.c \
	verdict_memory.c verdict_raw.c)
JUDGE_MAIN := lab/judge/main.c lab/judge/evidence.c

$(O)/host/judge: $(call objects,host,$(JUDGE_SRC) $(JUDGE_MAIN))
	$(call say,LD)$(CC) $^ -ljansson -lm -o $@
