// SPDX-License-Identifier: BSD-2-Clause
/*
 * Parses the manifest. Policy: an item that is not understood is an error with its line number.
 */
#include "manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "line.h"

#define WORDS_MAX 5
#define RATE_MAX 100000000000ll
/* A stated rate off by more than 10 % cannot belong to a lab host. */
#define DRIFT_MAX_PPB 100000000ll
#define SILENCE_MAX_S 600
#define PAGE_SIZE_MIN 4096
#define PAGE_SIZE_MAX 65536
#define FSCK_MAX 255
#define SLEW_MAX_PPM 1000
#define LATE_MAX_MS 1000
#define NS_PER_S 1000000000ll

struct words {
	char text[MANIFEST_PATH_MAX];
	char *word[WORDS_MAX];
	size_t count;
};

static bool words_split(struct words *words, const char *line, size_t length)
{
	char *rest;

	words->count = 0;
	if (length >= sizeof(words->text))
		return false;
	memcpy(words->text, line, length);
	words->text[length] = '\0';
	for (char *word = strtok_r(words->text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (words->count == WORDS_MAX)
			return false;
		words->word[words->count++] = word;
	}
	return true;
}

static bool number_parse(const char *text, int64_t min, int64_t max, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	return !errno && end != text && !*end && *value >= min && *value <= max;
}

static struct manifest_host *host_by_name(struct manifest *manifest, const char *name)
{
	for (size_t i = 0; i < manifest->host_count; i++)
		if (strcmp(manifest->hosts[i].name, name) == 0)
			return &manifest->hosts[i];
	return NULL;
}

const struct manifest_host *manifest_host_by_rate(const struct manifest *manifest, int64_t hz)
{
	for (size_t i = 0; i < manifest->host_count; i++)
		if (manifest->hosts[i].hz == hz)
			return &manifest->hosts[i];
	return NULL;
}

static const char *take_host(struct manifest *manifest, const struct words *words)
{
	struct manifest_host *host = &manifest->hosts[manifest->host_count];
	int64_t hz;

	if (manifest->host_count == MANIFEST_HOSTS_MAX)
		return "too many hosts";
	if (!number_parse(words->word[2], 1, RATE_MAX, &hz))
		return "the rate is not a number of Hz";
	if (manifest_host_by_rate(manifest, hz) || host_by_name(manifest, words->word[1]))
		return "hosts need different names and rates, because a sample is known by its rate";
	if (strlen(words->word[1]) >= MANIFEST_NAME_MAX)
		return "the name is too long";
	snprintf(host->name, sizeof(host->name), "%s", words->word[1]);
	host->hz = hz;
	manifest->host_count++;
	return NULL;
}

static int64_t drift_until(const struct manifest_host *host, int64_t clock)
{
	return (int64_t)((double)(clock - host->at) * (double)host->drift_ppb / 1e9);
}

int64_t manifest_host_truth(const struct manifest_host *host, int64_t clock)
{
	return clock + host->offset + drift_until(host, clock);
}

double manifest_host_rate(const struct manifest_host *host)
{
	return 1 / (1 + (double)host->drift_ppb / 1e9);
}

/* Calibrations of one host are compared at the time of the first. */
static void calibration_add(struct manifest_host *host, int64_t offset, int64_t at)
{
	int64_t smallest = host->offset - host->spread, largest = host->offset;

	offset -= drift_until(host, at);
	smallest = offset < smallest ? offset : smallest;
	largest = offset > largest ? offset : largest;
	host->offset = largest;
	host->spread = largest - smallest;
}

static const char *take_truth(struct manifest *manifest, const struct words *words)
{
	struct manifest_host *host = host_by_name(manifest, words->word[1]);
	int64_t offset, at, drift;

	if (!host)
		return "no such host";
	if (!number_parse(words->word[2], -LINE_TIME_MAX, LINE_TIME_MAX, &offset) ||
	    !number_parse(words->word[3], 0, LINE_TIME_MAX, &at))
		return "the offset or its time is not a number of ns";
	if (!number_parse(words->word[4], -DRIFT_MAX_PPB, DRIFT_MAX_PPB, &drift))
		return "the drift is not a number of ppb";
	if (host->calibrations++ == 0) {
		host->offset = offset;
		host->at = at;
		host->drift_ppb = drift;
	} else if (drift != host->drift_ppb) {
		return "the drift of a host cannot change";
	}
	calibration_add(host, offset, at);
	return NULL;
}

static const char *take_console(struct manifest *manifest, const struct words *words)
{
	if (manifest->console_count == MANIFEST_FILES_MAX)
		return "too many consoles";
	snprintf(manifest->consoles[manifest->console_count++], MANIFEST_PATH_MAX, "%s", words->word[1]);
	return NULL;
}

static const char *take_migration(struct manifest *manifest, const struct words *words)
{
	struct manifest_host *from = host_by_name(manifest, words->word[1]),
			     *to = host_by_name(manifest, words->word[2]);
	struct manifest_migration *migration = &manifest->migrations[manifest->migration_count];

	if (!from || !to)
		return "no such host";
	if (manifest->migration_count == MANIFEST_FILES_MAX)
		return "too many migrations";
	migration->from = (size_t)(from - manifest->hosts);
	migration->to = (size_t)(to - manifest->hosts);
	snprintf(migration->path, sizeof(migration->path), "%s", words->word[3]);
	manifest->migration_count++;
	return NULL;
}

static const char *take_end(struct manifest *manifest, const struct words *words)
{
	manifest->ends_by_itself = strcmp(words->word[1], "done") == 0;
	return manifest->ends_by_itself || strcmp(words->word[1], "stopped") == 0 ? NULL : "an end is done or stopped";
}

static const char *take_load(struct manifest *manifest, const struct words *words)
{
	manifest->has_memory_load = strcmp(words->word[1], "memory") == 0;
	return manifest->has_memory_load || strcmp(words->word[1], "idle") == 0 ? NULL : "a load is idle or memory";
}

static const char *name_take(char *name, const char *word)
{
	if (strlen(word) >= MANIFEST_NAME_MAX)
		return "the name is too long";
	snprintf(name, MANIFEST_NAME_MAX, "%s", word);
	return NULL;
}

static const char *take_case(struct manifest *manifest, const struct words *words)
{
	const char *wrong = name_take(manifest->case_name, words->word[1]);

	if (wrong)
		return wrong;
	manifest->keeps_page = strcmp(words->word[2], "page") == 0;
	return manifest->keeps_page || strcmp(words->word[2], "raw") == 0 ? NULL : "a guest's clock is raw or page";
}

static const char *take_kernel(struct manifest *manifest, const struct words *words)
{
	const char *wrong = name_take(manifest->kernel, words->word[1]);

	if (!number_parse(words->word[2], PAGE_SIZE_MIN, PAGE_SIZE_MAX, &manifest->page_size))
		return "the page size is not a number of bytes";
	return wrong ? wrong : name_take(manifest->level, words->word[3]);
}

static const char *take_silence(struct manifest *manifest, const struct words *words)
{
	int64_t seconds;

	if (!number_parse(words->word[1], 0, SILENCE_MAX_S, &seconds))
		return "the silence is not a number of seconds";
	if (seconds * NS_PER_S > manifest->silence_ns)
		manifest->silence_ns = seconds * NS_PER_S;
	return NULL;
}

static const char *take_ping(struct manifest *manifest, const struct words *words)
{
	if (manifest->ping_count == MANIFEST_FILES_MAX)
		return "too many pings";
	snprintf(manifest->pings[manifest->ping_count++], MANIFEST_PATH_MAX, "%s", words->word[1]);
	return NULL;
}

static const char *take_chrony(struct manifest *manifest, const struct words *words)
{
	snprintf(manifest->chrony, sizeof(manifest->chrony), "%s", words->word[1]);
	return NULL;
}

static const char *take_late(struct manifest *manifest, const struct words *words)
{
	return number_parse(words->word[1], 1, LATE_MAX_MS, &manifest->late_ms) ? NULL : "late is not a number of ms";
}

static const char *take_slew(struct manifest *manifest, const struct words *words)
{
	return number_parse(words->word[1], 0, SLEW_MAX_PPM, &manifest->slew_ppm) ? NULL
										  : "the slew is not a number of ppm";
}

static const char *take_fsck(struct manifest *manifest, const struct words *words)
{
	manifest->has_fsck = number_parse(words->word[1], 0, FSCK_MAX, &manifest->fsck);
	return manifest->has_fsck ? NULL : "the status of fsck is not an exit status";
}

static const char *take_firmware(struct manifest *manifest, const struct words *words)
{
	return name_take(manifest->firmware, words->word[1]);
}

static const char *take_bootloader(struct manifest *manifest, const struct words *words)
{
	return name_take(manifest->bootloader, words->word[1]);
}

static const char *take_line(struct manifest *manifest, const char *line, size_t length)
{
	static const struct {
		const char *item;
		size_t words;
		const char *(*take)(struct manifest *manifest, const struct words *words);
	} items[] = {
		{ "host", 3, take_host },	  { "truth", 5, take_truth },
		{ "console", 2, take_console },	  { "migration", 4, take_migration },
		{ "end", 2, take_end },		  { "load", 2, take_load },
		{ "case", 3, take_case },	  { "kernel", 4, take_kernel },
		{ "silence", 2, take_silence },	  { "ping", 2, take_ping },
		{ "late", 2, take_late },	  { "chrony", 2, take_chrony },
		{ "slew", 2, take_slew },	  { "fsck", 2, take_fsck },
		{ "firmware", 2, take_firmware }, { "bootloader", 2, take_bootloader },
	};
	struct words words;

	if (!words_split(&words, line, length))
		return "the line is too long";
	if (words.count == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
		if (strcmp(items[i].item, words.word[0]) == 0)
			return words.count == items[i].words ? items[i].take(manifest, &words)
							     : "wrong number of words";
	return "unknown item";
}

int manifest_parse(struct manifest *manifest, const char *text, char *error)
{
	memset(manifest, 0, sizeof(*manifest));
	for (unsigned int number = 1; *text; number++) {
		size_t length = strcspn(text, "\n");
		const char *wrong = take_line(manifest, text, length);

		if (wrong) {
			snprintf(error, MANIFEST_ERROR_MAX, "line %u of the manifest: %s", number, wrong);
			return -EINVAL;
		}
		text += length + (text[length] == '\n');
	}
	return 0;
}
