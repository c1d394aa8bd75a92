/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tables of builds have, in their order: all that Linux 6.1 needs and tables of functions have not. */
#include "builds.h"

const char *const sc_build_names[BUILD_SYMBOLS] = {
	"swapper_pg_dir",
	"tramp_pg_dir",
	"__start_BTF",
	"__stop_BTF",
	"tk_core",
	"shadow_timekeeper",
	"timekeeper_lock",
	"tk_fast_mono",
	"tk_fast_raw",
	"timekeeping_suspended",
	"clocksource_counter",
	"cd",
	"vdso_data_store",
	"arch_timer_rate",
	"loops_per_jiffy",
	"lpj_fine",
	"tick_cpu_device",
	"arch_timer_evt",
	"__per_cpu_offset",
	"nr_cpu_ids",
	"__cpu_online_mask",
	"cpu_data",
	"boot_cpu_data",
	"arm64_ftr_regs",
	"arch_timer_kvm_info",
	"cyclecounter",
};
