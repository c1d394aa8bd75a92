// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judges a kernel by the level that it is said to reach. Policy: a run without a migration, or of no kernel, has
 * failed.
 */
#include "kernels_summary.h"

#include <string.h>

#include "cooperative.h"
#include "cooperative_summary.h"
#include "criterion.h"
#include "verdict.h"

static bool verdict_of_level(const struct run *run, FILE *out)
{
	size_t reached = 0;

	for (size_t i = 0; i < run->migration_count; i++)
		reached += strcmp(run->migrations[i].report.level, run->manifest.level) == 0;
	return criterion_print(out, run->manifest.kernel[0] && reached && reached == run->migration_count,
			       "Linux %s: %zu of %zu migrations at level %s", run->manifest.kernel, reached,
			       run->migration_count, run->manifest.level);
}

bool kernels_verdict(const struct run *run, FILE *out)
{
	bool passed = verdict_of_level(run, out);
	bool whole = strcmp(run->manifest.level, "reference") != 0;

	return (whole ? cooperative_verdict(run, out) : verdict_of_run(run, out)) && passed;
}

bool kernels_add(json_t *array, const struct run *run)
{
	json_t *migrations = cooperative_migrations(run);

	return migrations &&
	       json_array_append_new(array, json_pack("{s:s, s:I, s:s, s:o}", "kernel", run->manifest.kernel,
						      "page_size", (json_int_t)run->manifest.page_size, "level",
						      run->manifest.level, "migrations", migrations)) == 0;
}
