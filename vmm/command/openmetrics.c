/* SPDX-License-Identifier: BSD-2-Clause */
/* `status` as OpenMetrics: see the header. */
#include "command/openmetrics.h"

#include <stdbool.h>
#include <string.h>

/* A family of one sample for each machine: a number of its status, some members deep. */
struct family {
	const char *name; /* without the prefix; its unit is its last word, if it has one */
	const char *type;
	const char *unit; /* "" if it has none */
	const char *help;
	const char *parent; /* the member that has it; NULL: the status itself */
	const char *member;
	double scale;	    /* to base units */
	const char *result; /* a label besides, or NULL */
};

#define NS 1e-9
#define MS 1e-3
#define MIB 1048576.0

/* Samples of one family follow each other. */
static const struct family families[] = {
	{ "vcpus", "gauge", "", "Virtual CPUs.", NULL, "vcpus", 1, NULL },
	{ "memory_bytes", "gauge", "bytes", "Memory of the guest.", NULL, "memory_mib", MIB, NULL },
	{ "counter_hertz", "gauge", "hertz", "Rate of the host's counter.", NULL, "counter_hz", 1, NULL },
	{ "resets", "counter", "", "How often the guest has started anew.", NULL, "resets", 1, NULL },
	{ "migrations", "counter", "", "Migrations that ended in this process.", "migrations", "arrived", 1,
	  "arrived" },
	{ "migrations", "counter", "", "", "migrations", "failed", 1, "failed" },
	{ "migration_downtime_seconds", "gauge", "seconds", "Downtime of the migration that brought the machine here.",
	  "last_migration", "downtime_ms", MS, NULL },
	{ "migration_gap_seconds", "gauge", "seconds", "How long nobody ran the guest then, by both hosts' clocks.",
	  "last_migration", "gap_ns", NS, NULL },
	{ "clock_step_seconds", "gauge", "seconds",
	  "By how much the guest's clock was to step then: as long as it froze.", "last_migration", "intended_step_ns",
	  NS, NULL },
	{ "clock_bound_seconds", "gauge", "seconds", "How far the guest's clock can be off by it.", "last_migration",
	  "stated_bound_ns", NS, NULL },
};

#define FAMILIES (sizeof(families) / sizeof(families[0]))

static const char *const levels[] = { "none", "reference", "cooperative", NULL };
static const char *const states[] = { "running",   "paused",	"migrating", "saving", "receiving",
				      "resetting", "undecided", "diskless",  "ended",  NULL };

/* A label's value; names of machines need no escape, but a list may come from anywhere. */
static void put_value(FILE *to, const char *text)
{
	for (; *text; text++)
		if (*text == '\n')
			fputs("\\n", to);
		else
			fprintf(to, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
}

static void put_head(FILE *to, const char *name, const char *type, const char *unit, const char *help)
{
	fprintf(to, "# TYPE seaclock_%s %s\n", name, type);
	if (*unit)
		fprintf(to, "# UNIT seaclock_%s %s\n", name, unit);
	fprintf(to, "# HELP seaclock_%s %s\n", name, help);
}

/* Up to the value. NULL for a label leaves it out. */
static void put_name(FILE *to, const char *name, const char *suffix, const json_t *machine, const char *label,
		     const char *value)
{
	fprintf(to, "seaclock_%s%s{machine=\"", name, suffix);
	put_value(to, json_string_value(json_object_get(machine, "name")));
	if (label)
		fprintf(to, "\",%s=\"%s", label, value);
	fputs("\"} ", to);
}

static bool is_machine(const json_t *machine)
{
	return json_is_string(json_object_get(machine, "name"));
}

static void put_family(FILE *to, const struct family *family, const json_t *machines)
{
	const json_t *machine;
	size_t n;

	if (*family->help)
		put_head(to, family->name, family->type, family->unit, family->help);
	json_array_foreach(machines, n, machine)
	{
		const json_t *parent = family->parent ? json_object_get(machine, family->parent) : machine;
		const json_t *value = json_object_get(parent, family->member);

		if (!is_machine(machine) || !json_is_number(value))
			continue;
		put_name(to, family->name, strcmp(family->type, "counter") != 0 ? "" : "_total", machine,
			 family->result ? "result" : NULL, family->result);
		fprintf(to, "%.15g\n", json_number_value(value) * family->scale);
	}
}

/* One sample for each of `words`, 1 for the one that the status has. */
static void put_set(FILE *to, const char *name, const char *help, const char *const *words, const json_t *machines)
{
	char label[32];
	const json_t *machine;
	size_t n;

	snprintf(label, sizeof(label), "seaclock_%s", name);
	put_head(to, name, "stateset", "", help);
	json_array_foreach(machines, n, machine)
	{
		const char *now = json_string_value(json_object_get(machine, name));

		for (const char *const *word = words; is_machine(machine) && now && *word; word++) {
			put_name(to, name, "", machine, label, *word);
			fprintf(to, "%d\n", !strcmp(now, *word));
		}
	}
}

static void put_up(FILE *to, const json_t *machines)
{
	const json_t *machine;
	size_t n;

	put_head(to, "up", "gauge", "", "Whether the machine's monitor answers.");
	json_array_foreach(machines, n, machine)
	{
		if (!is_machine(machine))
			continue;
		put_name(to, "up", "", machine, NULL, NULL);
		fprintf(to, "%d\n", json_is_string(json_object_get(machine, "state")));
	}
}

static void put_late_timers(FILE *to, const json_t *machines)
{
	const json_t *machine;
	size_t n;

	put_head(to, "late_timers", "gauge", "", "Synthetic timers that have been late for a second or longer.");
	json_array_foreach(machines, n, machine)
	{
		const json_t *timers = json_object_get(machine, "late_timers");

		if (!is_machine(machine) || !timers)
			continue;
		put_name(to, "late_timers", "", machine, NULL, NULL);
		fprintf(to, "%zu\n", json_array_size(timers));
	}
}

void openmetrics_print(FILE *to, const json_t *machines)
{
	put_up(to, machines);
	put_set(to, "state", "What the machine is doing.", states, machines);
	put_set(to, "level", "What the guest's clock can follow.", levels, machines);
	for (size_t n = 0; n < FAMILIES; n++)
		put_family(to, &families[n], machines);
	put_late_timers(to, machines);
	fputs("# EOF\n", to);
}
