// SPDX-License-Identifier: BSD-2-Clause
/*
 * Judges what followed migrations. Policy: each criterion is held against the worst migration, and is a row of its own.
 */
#include "cooperative.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "criterion.h"
#include "verdict.h"
#include "verdict_raw.h"

#define UDELAY_MIN_NS 990000
#define UDELAY_MAX_NS 1100000
#define RATE_LIMIT 0.001
#define CPU_LIMIT 0.05
#define EVENT_HZ 10000
/* What fits into CNTKCTL_EL1.EVNTI on a processor without a larger unit. */
#define DIVIDER_PLAIN_MAX 15

/* The pictures of one leg. */
struct album {
	const struct transcript_level *first;
	size_t count;
};

static struct album album_of(const struct run *run, size_t leg)
{
	const struct transcript_level *level = run->transcript.level.items;
	struct album album = { .first = level };
	size_t end = 0;

	while (end < run->transcript.level.count && level[end].leg <= leg) {
		if (level[end].leg < leg)
			album.first = &level[end + 1];
		else
			album.count++;
		end++;
	}
	return album;
}

int64_t cooperative_divider(int64_t hz)
{
	int64_t ticks = hz / EVENT_HZ / 2, bit = 0;

	while (ticks >> (bit + 1))
		bit++;
	return bit + (bit > 0 && ticks >> (bit - 1) & 1);
}

static bool divider_is_right(int64_t divider, int64_t hz)
{
	int64_t due = cooperative_divider(hz);

	return divider == due || (due > DIVIDER_PLAIN_MAX && divider == DIVIDER_PLAIN_MAX);
}

static bool events_are_right(const struct album *album, int64_t hz)
{
	bool right = album->count > 0;

	for (size_t i = 0; i < album->count; i++)
		right = right && divider_is_right(album->first[i].least, hz) &&
			divider_is_right(album->first[i].most, hz);
	return right;
}

static bool timer_rate_is_right(const struct album *album, int64_t hz)
{
	bool right = album->count > 0;

	for (size_t i = 0; i < album->count; i++)
		right = right && album->first[i].timer_rate == hz;
	return right;
}

/* Used in some pictures, all of them consecutive. */
static bool vdso_is_used(const struct album *album)
{
	size_t times = 0;

	for (size_t i = 0; i < album->count; i++)
		times += album->first[i].vdso && (i == 0 || !album->first[i - 1].vdso);
	return times == 1;
}

static void delays_find(const struct album *album, int64_t *least, int64_t *most)
{
	*least = *most = album->count ? album->first->delay : 0;
	for (size_t i = 1; i < album->count; i++) {
		*least = album->first[i].delay < *least ? album->first[i].delay : *least;
		*most = album->first[i].delay > *most ? album->first[i].delay : *most;
	}
}

/* Of one of the kernel's clocks. Truth is known as well as the calibrations of the host's clock agree. */
static struct statistics_rate clock_rate(const struct album *album, const struct manifest_host *host,
					 enum transcript_stamp clock)
{
	struct statistics_stamp stamps[TRANSCRIPT_LEVEL_MAX];
	size_t count = album->count < TRANSCRIPT_LEVEL_MAX ? album->count : TRANSCRIPT_LEVEL_MAX;

	for (size_t i = 0; i < count; i++) {
		stamps[i] = album->first[i].stamps[clock];
		stamps[i].x = manifest_host_truth(host, stamps[i].x);
		stamps[i].width += 2 * host->spread;
	}
	return statistics_rate(stamps, count);
}

/* Of processor time, which the guest itself has compared with truth. */
static struct statistics_rate cpu_rate(const struct album *album)
{
	double cpu = 0, truth = 0;

	for (size_t i = 0; i < album->count; i++) {
		cpu += (double)album->first[i].cpu;
		truth += (double)album->first[i].truth;
	}
	return (struct statistics_rate){ .rate = truth > 0 ? cpu / truth : 0 };
}

struct cooperative cooperative_judge(const struct run *run, size_t index)
{
	const struct manifest_host *host = run->migrations[index].to;
	struct album before = album_of(run, index), after = album_of(run, index + 1);
	int64_t least, most;

	delays_find(&after, &least, &most);
	return (struct cooperative){
		.pictures = before.count ? after.count : 0,
		.vdso_used = vdso_is_used(&after),
		.udelay_min_ns = least,
		.udelay_max_ns = most,
		.events_right = events_are_right(&after, host->hz),
		.timer_rate_right = timer_rate_is_right(&after, host->hz),
		.sched = clock_rate(&after, host, TRANSCRIPT_SCHED_CLOCK),
		.log = clock_rate(&after, host, TRANSCRIPT_LOG),
		.cpu = cpu_rate(&after),
		.new_warnings = before.count && after.count ? after.first[after.count - 1].warnings -
								      before.first[before.count - 1].warnings
							    : 0,
	};
}

/* One criterion over all migrations. */
typedef bool (*criterion)(const struct run *run, const struct cooperative *all, FILE *out);

static bool verdict_of_pictures(const struct run *run, const struct cooperative *all, FILE *out)
{
	size_t least = run->migration_count ? all[0].pictures : 0;

	for (size_t i = 1; i < run->migration_count; i++)
		least = all[i].pictures < least ? all[i].pictures : least;
	return criterion_print(out, least >= 2,
			       "pictures: at least %zu of the kernel's state after each of %zu migrations"
			       " (limit 2)",
			       least, run->migration_count);
}

static bool verdict_of_vdso(const struct run *run, const struct cooperative *all, FILE *out)
{
	size_t used = 0, due = run->manifest.keeps_page ? 0 : run->migration_count;

	for (size_t i = 0; i < run->migration_count; i++)
		used += all[i].vdso_used;
	return criterion_print(out, used == due,
			       "vDSO: used after %zu of %zu migrations (must be %zu: the guest's clock is the"
			       " %s)",
			       used, run->migration_count, due, run->manifest.keeps_page ? "page" : "raw counter");
}

static bool verdict_of_delays(const struct run *run, const struct cooperative *all, FILE *out)
{
	int64_t least = INT64_MAX, most = 0;

	for (size_t i = 0; i < run->migration_count; i++) {
		least = all[i].udelay_min_ns < least ? all[i].udelay_min_ns : least;
		most = all[i].udelay_max_ns > most ? all[i].udelay_max_ns : most;
	}
	return criterion_print(
		out, least >= UDELAY_MIN_NS && most <= UDELAY_MAX_NS,
		"udelay(1000): the shortest of each picture took %.4f to %.4f ms (limits %.2f and %.2f ms)",
		(double)least / 1e6, (double)most / 1e6, UDELAY_MIN_NS / 1e6, UDELAY_MAX_NS / 1e6);
}

static bool verdict_of_events(const struct run *run, const struct cooperative *all, FILE *out)
{
	size_t right = 0;

	for (size_t i = 0; i < run->migration_count; i++)
		right += all[i].events_right;
	return criterion_print(out, right == run->migration_count,
			       "event streams: right on every vCPU after %zu of %zu migrations", right,
			       run->migration_count);
}

static bool verdict_of_timer_rate(const struct run *run, const struct cooperative *all, FILE *out)
{
	size_t right = 0;

	for (size_t i = 0; i < run->migration_count; i++)
		right += all[i].timer_rate_right;
	return criterion_print(out, right == run->migration_count,
			       "arch_timer_rate: the counter's after %zu of %zu migrations", right,
			       run->migration_count);
}

/* By how much a rate certainly differs from 1; infinity if it is too uncertain to be compared with the limit. */
static double rate_deviation(const struct statistics_rate *rate, double limit)
{
	if (rate->uncertainty > limit)
		return INFINITY;
	return fmax(fabs(rate->rate - 1) - rate->uncertainty, 0);
}

static bool verdict_of_rate(const struct statistics_rate *rates, size_t count, double limit, const char *name,
			    FILE *out)
{
	struct statistics_rate worst = { .rate = 1 };

	for (size_t i = 0; i < count; i++)
		if (rate_deviation(&rates[i], limit) >= rate_deviation(&worst, limit))
			worst = rates[i];
	return criterion_print(out, rate_deviation(&worst, limit) <= limit,
			       "%s: %.5f +- %.5f of truth after the worst migration (limit 1 +- %.3f)", name,
			       worst.rate, worst.uncertainty, limit);
}

static bool verdict_of_sched_clock(const struct run *run, const struct cooperative *all, FILE *out)
{
	struct statistics_rate rates[MANIFEST_FILES_MAX];

	for (size_t i = 0; i < run->migration_count; i++)
		rates[i] = all[i].sched;
	return verdict_of_rate(rates, run->migration_count, RATE_LIMIT, "sched_clock", out);
}

static bool verdict_of_log(const struct run *run, const struct cooperative *all, FILE *out)
{
	struct statistics_rate rates[MANIFEST_FILES_MAX];

	for (size_t i = 0; i < run->migration_count; i++)
		rates[i] = all[i].log;
	return verdict_of_rate(rates, run->migration_count, RATE_LIMIT, "stamps of the kernel's log", out);
}

static bool verdict_of_cpu_time(const struct run *run, const struct cooperative *all, FILE *out)
{
	struct statistics_rate rates[MANIFEST_FILES_MAX];

	for (size_t i = 0; i < run->migration_count; i++)
		rates[i] = all[i].cpu;
	return verdict_of_rate(rates, run->migration_count, CPU_LIMIT, "CLOCK_PROCESS_CPUTIME_ID of a busy loop", out);
}

static bool verdict_of_warnings(const struct run *run, const struct cooperative *all, FILE *out)
{
	int64_t sum = 0;

	for (size_t i = 0; i < run->migration_count; i++)
		sum += all[i].new_warnings;
	return criterion_print(out, sum == 0, "kernel's log: %" PRId64 " new lines at warning or above (limit 0)", sum);
}

static void row_print(const struct run *run, const char *consumer, bool passed, FILE *out)
{
	fprintf(out, "ROW %s %s %s\n", run->manifest.case_name, consumer, passed ? "PASS" : "FAIL");
}

static bool verdict_of_kernel(const struct run *run, const struct cooperative *all, FILE *out)
{
	static const struct {
		const char *consumer;
		criterion verdict;
	} criteria[] = {
		{ "evidence", verdict_of_pictures },
		{ "vdso", verdict_of_vdso },
		{ "udelay", verdict_of_delays },
		{ "event_stream", verdict_of_events },
		{ "arch_timer_rate", verdict_of_timer_rate },
		{ "sched_clock", verdict_of_sched_clock },
		{ "printk", verdict_of_log },
		{ "cputime", verdict_of_cpu_time },
		{ "warnings", verdict_of_warnings },
	};
	const size_t count = sizeof(criteria) / sizeof(criteria[0]);
	bool passed[sizeof(criteria) / sizeof(criteria[0])], all_passed = true;

	for (size_t i = 0; i < count; i++) {
		passed[i] = run->migration_count && criteria[i].verdict(run, all, out);
		all_passed = all_passed && passed[i];
	}
	for (size_t i = 0; i < count; i++)
		row_print(run, criteria[i].consumer, passed[i], out);
	return all_passed;
}

/* Rows for what verdict_of_clock() has judged in words. */
static void rows_of_clock(const struct run *run, FILE *out)
{
	bool clocks = run->migration_count > 0, timers = clocks;

	for (size_t i = 0; i < run->migration_count; i++) {
		const struct migration *migration = &run->migrations[i];

		clocks = clocks && !migration->backward_steps &&
			 migration_error(migration) <= migration->report.bound_ns;
		timers = timers && !migration_early(migration);
	}
	row_print(run, "clocksource", clocks, out);
	row_print(run, "clockevent", timers, out);
}

static int64_t raw_width(const struct run *run)
{
	return strcmp(run->manifest.level, "transparent") == 0 ? RAW_WIDTH_CALL_NS : RAW_WIDTH_PAGE_NS;
}

bool cooperative_verdict(const struct run *run, FILE *out)
{
	struct cooperative all[MANIFEST_FILES_MAX];

	for (size_t i = 0; i < run->migration_count; i++)
		all[i] = cooperative_judge(run, i);
	bool passed = verdict_of_clock(run, out);

	passed = verdict_of_raw(&run->transcript, 0, raw_width(run), out) && passed;
	passed = verdict_of_kernel(run, all, out) && passed;
	rows_of_clock(run, out);
	return passed;
}
