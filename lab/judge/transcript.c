// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reads a console into records. Policy: a line with a missing or impossible field counts as damaged and leaves no
 * trace. An unfinished last line, which the guest was printing when it was stopped, does not count as damaged. Legs are
 * told apart by what one thread of the guest prints. Another thread takes pictures; one that was taken before a
 * migration and printed after it is skipped.
 */
#include "transcript.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

#define RATE_MAX 100000000000ll
#define COUNT_MAX (1ll << 61)
#define HOUR_NS 3600000000000ll
#define CPUS_MAX 512
#define DIVIDER_MAX 63
#define YEAR_NS (366 * 24 * HOUR_NS)
#define DISKS_MAX 256

/* Result of one line's reader: 1 taken, 0 damaged, -errno. */
typedef int (*line_reader)(struct transcript *transcript, const struct line *line);

static int list_add(struct transcript_list *list, const void *item, size_t size)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		void *items = realloc(list->items, room * size);

		if (!items)
			return -ENOMEM;
		list->items = items;
		list->room = room;
	}
	memcpy((char *)list->items + list->count * size, item, size);
	list->count++;
	return 1;
}

/* Does the rate belong to the leg that the lines have reached? */
static bool leg_is_current(const struct transcript *transcript, int64_t hz)
{
	return transcript->legs && transcript->leg_hz[transcript->legs - 1] == hz;
}

/* Sets *leg to the leg of a line; a rate other than the last one begins a new leg. */
static int leg_of(struct transcript *transcript, const struct line *line, size_t *leg)
{
	int64_t hz;

	if (!line_number(line, "hz", 1, RATE_MAX, &hz))
		return 0;
	if (!leg_is_current(transcript, hz)) {
		if (transcript->legs == TRANSCRIPT_LEGS_MAX)
			return -E2BIG;
		transcript->leg_hz[transcript->legs++] = hz;
	}
	*leg = transcript->legs - 1;
	return 1;
}

static bool time_of(const struct line *line, const char *key, int64_t *value)
{
	return line_number(line, key, 0, LINE_TIME_MAX, value);
}

static bool total_of(const struct line *line, const char *key, int64_t *value)
{
	return line_number(line, key, 0, COUNT_MAX, value);
}

static void name_copy(char *to, const struct line *line, const char *key)
{
	const char *text = line_text(line, key);

	to[0] = '\0';
	if (text)
		strncat(to, text, TRANSCRIPT_NAME_MAX - 1);
}

static int read_guest(struct transcript *transcript, const struct line *line)
{
	name_copy(transcript->kernel, line, "kernel");
	name_copy(transcript->clocksource, line, "clocksource");
	name_copy(transcript->clockevent, line, "clockevent");
	return 1;
}

static int read_sample(struct transcript *transcript, const struct line *line)
{
	struct transcript_sample s;

	if (!time_of(line, "ptp", &s.ptp) || !time_of(line, "mono", &s.mono) || !time_of(line, "boot", &s.boot) ||
	    !time_of(line, "real", &s.real) || !line_number(line, "width", 0, HOUR_NS, &s.width) ||
	    !line_count(line, "cnt", &s.cnt))
		return 0;
	int err = leg_of(transcript, line, &s.leg);

	return err > 0 ? list_add(&transcript->samples, &s, sizeof(s)) : err;
}

static int read_sleep(struct transcript *transcript, const struct line *line)
{
	struct transcript_sleep s;

	if (!time_of(line, "ns", &s.duration) || !time_of(line, "mono0", &s.mono0) ||
	    !time_of(line, "mono1", &s.mono1) || !time_of(line, "ptp0", &s.ptp0) || !time_of(line, "ptp1", &s.ptp1) ||
	    !line_number(line, "hz0", 1, RATE_MAX, &s.hz0) || !line_number(line, "hz1", 1, RATE_MAX, &s.hz1))
		return 0;
	/* The two hosts' clocks may differ, but not without limit. */
	if (llabs(s.ptp1 - s.ptp0) > YEAR_NS)
		return 0;
	return list_add(&transcript->sleep, &s, sizeof(s));
}

static int read_sleeps(struct transcript *transcript, const struct line *line)
{
	struct transcript_sleeps s;

	if (!total_of(line, "n", &s.ended) || !total_of(line, "early", &s.early) ||
	    !total_of(line, "truth_early", &s.truth_early) || !total_of(line, "lost", &s.lost) ||
	    !time_of(line, "late", &s.late))
		return 0;
	int err = leg_of(transcript, line, &s.leg);

	return err > 0 ? list_add(&transcript->sleeps, &s, sizeof(s)) : err;
}

static int read_reads(struct transcript *transcript, const struct line *line)
{
	struct transcript_reads r;

	if (!total_of(line, "n0", &r.reads[0]) || !total_of(line, "n1", &r.reads[1]) ||
	    !total_of(line, "back", &r.own) || !total_of(line, "cross", &r.cross) || !time_of(line, "worst", &r.worst))
		return 0;
	int err = leg_of(transcript, line, &r.leg);

	return err > 0 ? list_add(&transcript->reads, &r, sizeof(r)) : err;
}

static int read_busy(struct transcript *transcript, const struct line *line)
{
	struct transcript_busy b;

	if (!time_of(line, "ptp", &b.ptp) || !time_of(line, "cpu", &b.cpu) || !total_of(line, "a", &b.work[0]) ||
	    !total_of(line, "b", &b.work[1]) || !total_of(line, "a_ns", &b.ns[0]) || !total_of(line, "b_ns", &b.ns[1]))
		return 0;
	int err = leg_of(transcript, line, &b.leg);

	return err > 0 ? list_add(&transcript->busy, &b, sizeof(b)) : err;
}

static int read_memory(struct transcript *transcript, const struct line *line)
{
	struct transcript_memory m;

	if (!total_of(line, "pages", &m.pages) || !total_of(line, "written", &m.written) ||
	    !total_of(line, "wrong", &m.wrong) || !total_of(line, "page", &m.page) ||
	    !total_of(line, "generation", &m.generation))
		return 0;
	int err = leg_of(transcript, line, &m.leg);

	return err > 0 ? list_add(&transcript->memory, &m, sizeof(m)) : err;
}

static bool level_rates_of(const struct line *line, struct transcript_level *l)
{
	struct statistics_stamp *sched = &l->stamps[TRANSCRIPT_SCHED_CLOCK], *log = &l->stamps[TRANSCRIPT_LOG];

	return time_of(line, "sp", &sched->x) && time_of(line, "sw", &sched->width) &&
	       time_of(line, "sched", &sched->y) && time_of(line, "lp", &log->x) && time_of(line, "lw", &log->width) &&
	       time_of(line, "log", &log->y) && time_of(line, "cpu", &l->cpu) && time_of(line, "of", &l->truth);
}

static int read_level(struct transcript *transcript, const struct line *line)
{
	struct transcript_level l;
	int64_t hz;

	if (!level_rates_of(line, &l) || !line_number(line, "hz", 1, RATE_MAX, &hz) ||
	    !line_number(line, "vdso", 0, 1, &l.vdso) || !time_of(line, "delay", &l.delay) ||
	    !line_number(line, "rate", 0, RATE_MAX, &l.timer_rate) ||
	    !line_number(line, "lo", -1, DIVIDER_MAX, &l.least) || !line_number(line, "hi", -1, DIVIDER_MAX, &l.most) ||
	    !line_number(line, "cpus", 1, CPUS_MAX, &l.cpus) || !total_of(line, "warn", &l.warnings))
		return 0;
	if (!leg_is_current(transcript, hz))
		return 1;
	l.leg = transcript->legs - 1;
	return list_add(&transcript->level, &l, sizeof(l));
}

static int read_raw(struct transcript *transcript, const struct line *line)
{
	struct transcript_raw r;
	int64_t hz;

	if (!line_number(line, "hz", 1, RATE_MAX, &hz) || !time_of(line, "ptp", &r.ptp) ||
	    !line_number(line, "less", -LINE_TIME_MAX, LINE_TIME_MAX, &r.difference) ||
	    !time_of(line, "width", &r.width))
		return 0;
	if (!leg_is_current(transcript, hz))
		return 1;
	r.leg = transcript->legs - 1;
	return list_add(&transcript->raw, &r, sizeof(r));
}

static int disk_add(struct transcript *transcript, const struct line *line, struct transcript_disk *d)
{
	if (!line_number(line, "disk", 0, DISKS_MAX - 1, &d->disk))
		return 0;
	d->leg = transcript->legs ? transcript->legs - 1 : 0;
	return list_add(&transcript->disks, d, sizeof(*d));
}

static int read_fsync(struct transcript *transcript, const struct line *line)
{
	struct transcript_disk d = { .kind = TRANSCRIPT_DISK_FSYNC };

	return total_of(line, "sequence", &d.sequence) ? disk_add(transcript, line, &d) : 0;
}

static int read_disk(struct transcript *transcript, const struct line *line)
{
	struct transcript_disk d = { .kind = TRANSCRIPT_DISK_LOAD };

	if (!total_of(line, "sequence", &d.sequence) || !total_of(line, "checked", &d.checked) ||
	    !total_of(line, "wrong", &d.wrong))
		return 0;
	return disk_add(transcript, line, &d);
}

static int read_check(struct transcript *transcript, const struct line *line)
{
	struct transcript_disk d = { .kind = TRANSCRIPT_DISK_CHECK };

	if (!total_of(line, "durable", &d.sequence) || !total_of(line, "blocks", &d.checked) ||
	    !total_of(line, "wrong", &d.wrong) || !total_of(line, "lost", &d.lost))
		return 0;
	return disk_add(transcript, line, &d);
}

static int read_error(struct transcript *transcript, const struct line *line)
{
	struct transcript_disk d = { .kind = TRANSCRIPT_DISK_ERROR };

	return total_of(line, "sequence", &d.sequence) ? disk_add(transcript, line, &d) : 0;
}

static int read_sync(struct transcript *transcript, const struct line *line)
{
	struct transcript_sync s;

	if (!line_number(line, "unsync", 0, 1, &s.unsync) || !time_of(line, "monotonic", &s.mono))
		return 0;
	return list_add(&transcript->sync, &s, sizeof(s));
}

/* Lines for a person, or for a script. */
static int read_nothing(struct transcript *transcript, const struct line *line)
{
	(void)transcript;
	(void)line;
	return 1;
}

static int read_done(struct transcript *transcript, const struct line *line)
{
	(void)line;
	transcript->done = true;
	return 1;
}

static line_reader reader_of(const char *kind)
{
	static const struct {
		const char *kind;
		line_reader reader;
	} readers[] = {
		{ "@guest", read_guest },    { "@probe", read_nothing },   { "@sample", read_sample },
		{ "@sleep", read_sleep },    { "@sleeps", read_sleeps },   { "@reads", read_reads },
		{ "@busy", read_busy },	     { "@hotplug", read_nothing }, { "@memory", read_memory },
		{ "@level", read_level },    { "@raw", read_raw },	   { "@module", read_nothing },
		{ "@refuse", read_nothing }, { "@done", read_done },	   { "@fsync", read_fsync },
		{ "@disk", read_disk },	     { "@check", read_check },	   { "@error", read_error },
		{ "@sync", read_sync },
	};

	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (strcmp(readers[i].kind, kind) == 0)
			return readers[i].reader;
	return NULL;
}

static int line_take(struct transcript *transcript, const char *bytes, size_t length)
{
	struct line line;
	enum line_result result = line_parse(&line, bytes, length);

	if (result == LINE_OTHER)
		return 0;
	line_reader reader = result == LINE_TAKEN ? reader_of(line.kind) : NULL;
	int taken = reader ? reader(transcript, &line) : 0;

	if (taken < 0)
		return taken;
	transcript->taken += taken == 1;
	transcript->damaged += taken == 0;
	return 0;
}

int transcript_parse(struct transcript *transcript, const char *bytes, size_t length)
{
	int err = 0;

	memset(transcript, 0, sizeof(*transcript));
	while (length > 0 && !err) {
		const char *newline = memchr(bytes, '\n', length);
		size_t line = newline ? (size_t)(newline - bytes) : length, damaged = transcript->damaged;

		err = line_take(transcript, bytes, line);
		if (!newline)
			transcript->damaged = damaged;
		line += newline != NULL;
		bytes += line;
		length -= line;
	}
	return err;
}

void transcript_free(struct transcript *transcript)
{
	free(transcript->samples.items);
	free(transcript->sleep.items);
	free(transcript->sleeps.items);
	free(transcript->reads.items);
	free(transcript->busy.items);
	free(transcript->memory.items);
	free(transcript->level.items);
	free(transcript->raw.items);
	free(transcript->disks.items);
	free(transcript->sync.items);
	memset(transcript, 0, sizeof(*transcript));
}
