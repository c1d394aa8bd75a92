/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines for the operator: see the header. */
#include "base/log.h"

#include "base/lock.h"
#include "base/log_limit.h"
#include "base/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LENGTH 1024
#define LOG_OUTPUT_MAX (1u << 18)

/* Kinds that are bounded at a time. The monitor has fewer formats; another one would take the place of the oldest. */
#define LOG_KINDS 64u
#define SAMPLE_SIZE 100

struct log_kind {
	const char *format; /* NULL: free */
	struct log_limit limit;
	char sample[SAMPLE_SIZE]; /* the last line that was written */
};

/* ---- Writing ---- */

static struct output *log_output;
static bool log_is_open;
static sc_ns_t (*log_now)(void);

/* One write a line, so that the lines of several threads do not mix. */
static void log_put(const char *text, const char *end)
{
	char line[LINE_MAX_LENGTH + 128];
	int length = snprintf(line, sizeof(line), "seaclock: %.*s%s\n", LINE_MAX_LENGTH, text, end);

	if (__atomic_load_n(&log_is_open, __ATOMIC_ACQUIRE))
		output_put(log_output, line, (size_t)length);
	else
		fputs(line, stderr);
}

/* ---- Kinds ---- */

static struct lock kinds_lock = LOCK_INITIALIZER(LOCK_LOG);
static struct log_kind kinds[LOG_KINDS];

static void kind_tell(const struct log_kind *kind, uint64_t left_out)
{
	char text[SAMPLE_SIZE + 64];

	if (!left_out)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " more lines like `%s` were left out", left_out, kind->sample);
	log_put(text, "");
}

/* With the lock. What is over is told of by whatever line comes next. */
static void kinds_expire(sc_ns_t now)
{
	for (uint32_t n = 0; n < LOG_KINDS; n++)
		kind_tell(&kinds[n], log_limit_take(&kinds[n].limit, now));
}

/* With the lock. */
static struct log_kind *kind_find(const char *format)
{
	struct log_kind *best = &kinds[0];

	for (uint32_t n = 0; n < LOG_KINDS; n++) {
		if (kinds[n].format == format)
			return &kinds[n];
		if (!kinds[n].format || (best->format && kinds[n].limit.began.v < best->limit.began.v))
			best = &kinds[n];
	}
	kind_tell(best, log_limit_end(&best->limit));
	*best = (struct log_kind){ .format = format };
	return best;
}

static void log_bounded(const char *format, const char *text)
{
	struct log_kind *kind;
	enum log_verdict verdict;
	sc_ns_t now;

	if (!__atomic_load_n(&log_is_open, __ATOMIC_ACQUIRE)) {
		log_put(text, "");
		return;
	}
	lock_take(&kinds_lock);
	/* With the lock, so that it never goes back from one line to the next. */
	now = log_now();
	kinds_expire(now);
	kind = kind_find(format);
	verdict = log_limit_step(&kind->limit, now);
	if (verdict != LOG_DROP) {
		snprintf(kind->sample, sizeof(kind->sample), "%.*s", SAMPLE_SIZE - 1, text);
		log_put(text, verdict == LOG_WRITE_LAST ? " (more lines like this one are only counted)" : "");
	}
	lock_drop(&kinds_lock);
}

/* ---- For the others ---- */

int log_open(sc_ns_t (*now)(void), struct error *error)
{
	int result = output_open(&log_output, STDERR_FILENO, LOG_OUTPUT_MAX, error);

	log_now = now;
	__atomic_store_n(&log_is_open, !result, __ATOMIC_RELEASE);
	return result;
}

void log_close(void)
{
	if (!__atomic_load_n(&log_is_open, __ATOMIC_ACQUIRE))
		return;
	lock_take(&kinds_lock);
	for (uint32_t n = 0; n < LOG_KINDS; n++)
		kind_tell(&kinds[n], log_limit_end(&kinds[n].limit));
	lock_drop(&kinds_lock);
	__atomic_store_n(&log_is_open, false, __ATOMIC_RELEASE);
	output_close(log_output);
}

void log_line(const char *format, ...)
{
	char text[LINE_MAX_LENGTH];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_bounded(format, text);
}

void log_quote(const char *text)
{
	log_put("  | ", text);
}

void log_guest(uint32_t *count, const char *format, ...)
{
	uint32_t number = __atomic_add_fetch(count, 1, __ATOMIC_RELAXED);
	char text[LINE_MAX_LENGTH];
	va_list arguments;

	if (number > LOG_GUEST_LINES) {
		__atomic_store_n(count, LOG_GUEST_LINES, __ATOMIC_RELAXED);
		return;
	}
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_put(text, number == LOG_GUEST_LINES ? " (more of this is not logged)" : "");
}
