/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock map`: which of several hosts a machine can move between, for which guests, and why not.
 *
 * Policy: hosts that are the same for every move are one group, so that a large fleet is a small map. Within a group
 * every guest can move. Of one machine it says where that can move, from this host.
 */
#include "base/json.h"
#include "command/passenger.h"
#include "command/print.h"
#include "command/verb.h"
#include "machine/machine.h"
#include "transfer/facts.h"
#include "transfer/passage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct map_options {
	bool json;
	bool dot;
	const char *machine; /* NULL: for all that there may be */
};

static const struct map_options defaults;

struct map {
	struct host_facts *hosts;
	uint32_t *group; /* of each host, its first host */
	uint32_t count, groups;
};

static bool is_group(const struct map *map, uint32_t n)
{
	return map->group[n] == n;
}

/* What is done for each pair of groups. */
typedef void (*passage_fn)(void *context, const struct map *map, uint32_t from, uint32_t to,
			   const struct passage *passage);

static void for_each_passage(const struct map *map, passage_fn each, void *context)
{
	for (uint32_t from = 0; from < map->count; from++)
		for (uint32_t to = 0; is_group(map, from) && to < map->count; to++)
			if (from != to && is_group(map, to)) {
				struct passage passage = passage_judge(&map->hosts[from], &map->hosts[to]);

				each(context, map, from, to, &passage);
			}
}

/* What is done for each group to which one machine may want to move. */
typedef void (*way_fn)(void *context, const struct passenger *passenger, const struct map *map, uint32_t to,
		       const struct passage *passage);

static void for_each_way(const struct map *map, const struct passenger *passenger, way_fn each, void *context)
{
	const struct passage_machine machine = {
		.cpu = &passenger->cpu,
		.follow = passenger->runs ? &passenger->follow : NULL,
		.obstacle = passenger->obstacle,
	};

	for (uint32_t to = 0; to < map->count; to++)
		if (is_group(map, to)) {
			struct passage passage = passage_judge_machine(&passenger->here, &machine, &map->hosts[to]);

			each(context, passenger, map, to, &passage);
		}
}

/* At which level it would move. */
static const char *level_of_move(const struct passenger *passenger, const struct passage *passage)
{
	return machine_level_name(passenger->runs ? passenger->follow.level : passage->level);
}

static uint32_t group_size(const struct map *map, uint32_t first)
{
	uint32_t size = 0;

	for (uint32_t n = first; n < map->count; n++)
		size += map->group[n] == first;
	return size;
}

/* ---- For a program ---- */

static json_t *group_json(const struct map *map, uint32_t first)
{
	json_t *names = json_array();

	for (uint32_t n = first; n < map->count; n++)
		if (map->group[n] == first)
			json_array_append_new(names, json_string(map->hosts[n].name));
	return json_pack("{s:s, s:I, s:o}", "name", map->hosts[first].name, "counter_hz",
			 (json_int_t)map->hosts[first].counter_hz, "hosts", names);
}

static void passage_add(void *context, const struct map *map, uint32_t from, uint32_t to, const struct passage *passage)
{
	json_array_append_new(context, json_pack("{s:s, s:s, s:b, s:s*, s:s*}", "from", map->hosts[from].name, "to",
						 map->hosts[to].name, "possible", (int)passage->possible, "level",
						 passage->possible ? machine_level_name(passage->level) : NULL,
						 "reason", passage->possible ? NULL : passage->why.text));
}

static void way_add(void *context, const struct passenger *passenger, const struct map *map, uint32_t to,
		    const struct passage *passage)
{
	json_array_append_new(context, json_pack("{s:s, s:b, s:s*, s:s*}", "to", map->hosts[to].name, "possible",
						 (int)passage->possible, "level",
						 passage->possible ? level_of_move(passenger, passage) : NULL, "reason",
						 passage->possible ? NULL : passage->why.text));
}

static json_t *passenger_json(const struct passenger *passenger)
{
	return json_pack("{s:s, s:s, s:I, s:b}", "name", passenger->name, "host", passenger->here.name, "counter_hz",
			 (json_int_t)passenger->here.counter_hz, "runs", (int)passenger->runs);
}

static json_t *map_json(const struct map *map, const struct passenger *passenger)
{
	json_t *groups = json_array(), *passages = json_array();

	for (uint32_t n = 0; n < map->count; n++)
		if (is_group(map, n))
			json_array_append_new(groups, group_json(map, n));
	if (passenger)
		for_each_way(map, passenger, way_add, passages);
	else
		for_each_passage(map, passage_add, passages);
	return json_pack("{s:o, s:o*, s:o}", "groups", groups, "machine", passenger ? passenger_json(passenger) : NULL,
			 "passages", passages);
}

/* ---- For graphviz ---- */

/* A name has no control characters, as it was checked when it was read. */
static void print_quoted(const char *text)
{
	for (; *text; text++)
		printf("%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
}

static void print_node(const struct map *map, uint32_t first)
{
	printf("\tg%" PRIu32 " [label=\"", first);
	for (uint32_t n = first; n < map->count; n++)
		if (map->group[n] == first) {
			print_quoted(map->hosts[n].name);
			fputs("\\n", stdout);
		}
	printf("%.6f MHz\"]\n", map->hosts[first].counter_hz / 1e6);
}

static void print_edge(void *context, const struct map *map, uint32_t from, uint32_t to, const struct passage *passage)
{
	(void)context;
	(void)map;
	if (passage->possible)
		printf("\tg%" PRIu32 " -> g%" PRIu32 " [label=\"%s\"]\n", from, to,
		       passage->level == SC_LEVEL_NONE ? "any guest" : machine_level_name(passage->level));
}

static void print_way_edge(void *context, const struct passenger *passenger, const struct map *map, uint32_t to,
			   const struct passage *passage)
{
	(void)context;
	(void)map;
	if (passage->possible)
		printf("\tmachine -> g%" PRIu32 " [label=\"%s\"]\n", to, level_of_move(passenger, passage));
}

static void print_dot_machine(const struct map *map, const struct passenger *passenger)
{
	fputs("\tmachine [shape=ellipse, label=\"", stdout);
	print_quoted(passenger->name);
	printf("\\n%.6f MHz\"]\n", passenger->here.counter_hz / 1e6);
	for_each_way(map, passenger, print_way_edge, NULL);
}

static void print_dot(const struct map *map, const struct passenger *passenger)
{
	puts("digraph fleet {\n\tnode [shape=box]");
	for (uint32_t n = 0; n < map->count; n++)
		if (is_group(map, n))
			print_node(map, n);
	if (passenger)
		print_dot_machine(map, passenger);
	else
		for_each_passage(map, print_edge, NULL);
	puts("}");
}

/* ---- For a person ---- */

static void print_group(const struct map *map, uint32_t first)
{
	printf("%s (%" PRIu32 " alike, %.6f MHz):", map->hosts[first].name, group_size(map, first),
	       map->hosts[first].counter_hz / 1e6);
	for (uint32_t n = first; n < map->count; n++)
		if (map->group[n] == first)
			printf(" %s", map->hosts[n].name);
	putchar('\n');
}

static void print_passage(void *context, const struct map *map, uint32_t from, uint32_t to,
			  const struct passage *passage)
{
	(void)context;
	printf("%s to %s: ", map->hosts[from].name, map->hosts[to].name);
	if (!passage->possible)
		printf("no guest: %s\n", passage->why.text);
	else if (passage->level == SC_LEVEL_NONE)
		puts("any guest");
	else
		printf("guests at level %s or higher\n", machine_level_name(passage->level));
}

static void print_way(void *context, const struct passenger *passenger, const struct map *map, uint32_t to,
		      const struct passage *passage)
{
	(void)context;
	printf("to %s: ", map->hosts[to].name);
	if (!passage->possible)
		printf("no: %s\n", passage->why.text);
	else if (passage->level == SC_LEVEL_NONE)
		puts("yes, at the same rate");
	else
		printf("yes, at level %s%s\n", level_of_move(passenger, passage), passenger->runs ? "" : " or higher");
}

static void print_ways(const struct map *map, const struct passenger *passenger)
{
	printf("%s, %s on %s (%.6f MHz)%s%s\n", passenger->name, passenger->runs ? "which runs" : "if it runs",
	       passenger->here.name, passenger->here.counter_hz / 1e6, passenger->runs ? ", level " : "",
	       passenger->runs ? machine_level_name(passenger->follow.level) : "");
	for_each_way(map, passenger, print_way, NULL);
}

static void print_map(const struct map *map, const struct passenger *passenger)
{
	printf("%" PRIu32 " hosts, of which %" PRIu32 " differ\n", map->count, map->groups);
	for (uint32_t n = 0; n < map->count; n++)
		if (is_group(map, n))
			print_group(map, n);
	if (passenger)
		print_ways(map, passenger);
	else
		for_each_passage(map, print_passage, NULL);
}

/* ---- The verb ---- */

static int map_print(const struct map *map, const struct map_options *options, const struct passenger *passenger,
		     struct error *error)
{
	if (options->json) {
		json_watch();
		return print_json_whole(map_json(map, passenger), "the map", error);
	}
	if (options->dot)
		print_dot(map, passenger);
	else
		print_map(map, passenger);
	return 0;
}

static int map_answer(const struct map *map, const struct map_options *options, struct error *error)
{
	struct passenger passenger;
	int result = options->machine ? passenger_get(options->machine, &passenger, error) : 0;

	return result ? result : map_print(map, options, options->machine ? &passenger : NULL, error);
}

static int map_run(void *context, char *const *words, struct error *error)
{
	const struct map_options *options = context;
	struct map map = { .hosts = NULL };
	int result = options->json && options->dot
			     ? error_set(error, EINVAL, "--json and --dot are two forms of the map: choose one")
			     : facts_read_all(words, &map.hosts, &map.count, error);

	if (result)
		return result;
	map.group = calloc(map.count, sizeof(*map.group));
	if (!map.group) {
		result = error_set(error, ENOMEM, "no memory for a map of %" PRIu32 " hosts", map.count);
	} else {
		map.groups = passage_group(map.hosts, map.count, map.group);
		result = map_answer(&map, options, error);
	}
	free(map.group);
	free(map.hosts);
	return result;
}

static const struct option_spec table[] = {
	{ OPTION_FLAG("json", struct map_options, json) },
	{ OPTION_FLAG("dot", struct map_options, dot) },
	{ OPTION_TEXT("machine", "NAME|FILE", struct map_options, machine) },
	{ .name = NULL },
};

const struct verb verb_map = {
	.name = "map",
	.words = "HOST.json...",
	.words_min = 1,
	.words_max = FACTS_HOSTS_MAX,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = map_run,
};
