// SPDX-License-Identifier: BSD-2-Clause
/*
 * The criteria for a Debian. Policy: a time in which the clock was not synchronised ends with the first line that says
 * otherwise, or with the last line.
 */
#include "verdict_debian.h"

#include <inttypes.h>

#include "criterion.h"

/*
 * chronyd's poll, as lab/debian/ sets it: eight readings, half a second from the end of one to the next. A reading
 * takes some ms on an emulated processor, and discipline looks every 100 ms.
 */
#define POLL_NS 4250000000ll
#define NS_PER_MS 1000000

static int64_t longest_unsync(const struct transcript_list *list)
{
	const struct transcript_sync *sync = list->items, *since = NULL;
	int64_t longest = list->count ? 0 : INT64_MAX;

	for (size_t i = 0; i < list->count; i++) {
		if (since && sync[i].mono - since->mono > longest)
			longest = sync[i].mono - since->mono;
		if (!sync[i].unsync)
			since = NULL;
		else if (!since)
			since = &sync[i];
	}
	return longest;
}

struct debian debian_judge(const struct run *run)
{
	struct debian debian = { .late_ns = INT64_MIN, .unsync_ns = longest_unsync(&run->transcript.sync) };

	for (size_t i = 0; i < run->manifest.ping_count && i < run->migration_count; i++) {
		int64_t downtime = (int64_t)(run->migrations[i].report.downtime_ms * (double)NS_PER_MS);
		int64_t late = run->pings[i].gap_ns - downtime;

		debian.late_ns = late > debian.late_ns ? late : debian.late_ns;
	}
	return debian;
}

static bool verdict_of_pings(const struct run *run, const struct debian *debian, FILE *out)
{
	int64_t doubled = 0;

	for (size_t i = 0; i < run->manifest.ping_count; i++)
		doubled += run->pings[i].doubled;
	bool watched = run->manifest.ping_count == run->migration_count && run->migration_count;

	if (!criterion_print(out, watched, "pings: %zu of %zu migrations watched", run->manifest.ping_count,
			     run->migration_count))
		return false;
	bool in_time = criterion_print(out, debian->late_ns <= run->manifest.late_ms * NS_PER_MS,
				       "pings: none answered for the downtime and %.1f ms (limit %" PRId64 " ms)",
				       (double)debian->late_ns / NS_PER_MS, run->manifest.late_ms);

	return criterion_print(out, !doubled, "pings: %" PRId64 " answered twice (limit 0)", doubled) && in_time;
}

bool verdict_of_debian(const struct run *run, FILE *out)
{
	struct debian debian = debian_judge(run);
	bool reached = verdict_of_pings(run, &debian, out);
	bool stepless = criterion_print(out, run->manifest.chrony[0] && !run->chrony_steps,
					"chronyd: %" PRId64 " steps of the clock (limit 0)%s", run->chrony_steps,
					run->manifest.chrony[0] ? "" : ", without a log");
	bool synced = debian.unsync_ns == INT64_MAX
			      ? criterion_print(out, false, "synchronised: not watched")
			      : criterion_print(out, debian.unsync_ns <= POLL_NS,
						"synchronised: the clock was not for at most %.1f s (limit %.1f s)",
						(double)debian.unsync_ns / 1e9, POLL_NS / 1e9);
	bool clean = criterion_print(out, run->manifest.has_fsck && !run->manifest.fsck,
				     "fsck: exit status %" PRId64 "%s (limit 0)", run->manifest.fsck,
				     run->manifest.has_fsck ? "" : ", not run");

	return reached && stepless && synced && clean;
}
