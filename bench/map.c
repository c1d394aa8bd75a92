/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a map of a large fleet takes: the facts of 1,000 hosts are read, put into groups, and each group is judged
 * against each other one, as `seaclock map` does before it prints.
 *
 * Policy: the program's own functions, on facts of as many registers as a processor has. Once the hosts are of a few
 * kinds, as in a fleet, and once each differs from all others in the register that is looked at last, which is the most
 * that there can be to do: a million passages. The best of several turns counts, because whatever else runs here only
 * slows.
 */
#include "../test/fake/host_fake.h"

#include "host/host.h"
#include "transfer/facts.h"
#include "transfer/passage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TURNS 3
#define HOSTS 1000u
#define KINDS 10u
#define LAST_CRM 7u /* of the identification registers, 8 for each CRm from 1 */

static struct host_facts hosts[HOSTS];
static uint32_t group[HOSTS];
static char *text[HOSTS]; /* as in the files */

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "bench/map: %s\n", what);
	exit(EXIT_FAILURE);
}

/* ---- A fleet ---- */

static void register_put(struct host_facts *host, uint64_t crm, uint64_t op2, uint64_t value)
{
	const struct identity_register reg = { IDENTITY_SYSTEM(3, 0, 0, crm, op2), value, UINT64_MAX };

	if (!identity_set(&host->identity, &reg))
		fail("too many registers");
}

/* Host n, of kind n % kinds: by the rate if there are few, else by the last register. */
static struct host_facts host_make(uint32_t n, uint32_t kinds)
{
	struct host_facts host;
	struct error error;

	if (host_get_facts(&host, &error))
		fail(error.text);
	snprintf(host.name, sizeof(host.name), "host%" PRIu32, n);
	host.protocol = host.protocol_oldest = 6;
	for (uint64_t crm = 1; crm <= LAST_CRM; crm++)
		for (uint64_t op2 = 0; op2 < 8; op2++)
			register_put(&host, crm, op2, 0x1111);
	if (kinds < HOSTS)
		host.counter_hz += n % kinds;
	else
		register_put(&host, LAST_CRM, 7, 0x1111 + n);
	return host;
}

static void fleet_make(uint32_t kinds)
{
	for (uint32_t n = 0; n < HOSTS; n++) {
		struct host_facts host = host_make(n, kinds);
		json_t *facts = facts_json(&host);

		free(text[n]);
		text[n] = json_dumps(facts, JSON_INDENT(2));
		json_decref(facts);
		if (!text[n])
			fail("no memory");
	}
}

/* ---- Its map ---- */

static void fleet_read(void)
{
	struct error error;

	for (uint32_t n = 0; n < HOSTS; n++)
		if (facts_parse(text[n], strlen(text[n]), &hosts[n], &error))
			fail(error.text);
}

/* How many passages were judged. */
static uint32_t fleet_judge(uint32_t kinds)
{
	uint32_t judged = 0;

	if (passage_group(hosts, HOSTS, group) != kinds)
		fail("the groups are not those of the fleet");
	for (uint32_t from = 0; from < HOSTS; from++)
		for (uint32_t to = 0; group[from] == from && to < HOSTS; to++)
			if (from != to && group[to] == to) {
				struct passage passage = passage_judge(&hosts[from], &hosts[to]);

				judged += passage.possible || passage.why.text[0];
			}
	return judged;
}

static void measure(uint32_t kinds)
{
	uint64_t read_ns = UINT64_MAX, judge_ns = UINT64_MAX;
	uint32_t judged = 0;

	fleet_make(kinds);
	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t began = (uint64_t)host_monotonic().v, read, ended;

		fleet_read();
		read = (uint64_t)host_monotonic().v;
		judged = fleet_judge(kinds);
		ended = (uint64_t)host_monotonic().v;
		if (read - began < read_ns)
			read_ns = read - began;
		if (ended - read < judge_ns)
			judge_ns = ended - read;
	}
	printf("a map of %u hosts of %" PRIu32 " kinds: %" PRIu64 " ms to read them, %" PRIu64 ".%03" PRIu64
	       " ms for %" PRIu32 " passages\n",
	       HOSTS, kinds, read_ns / 1000000, judge_ns / 1000000, judge_ns / 1000 % 1000, judged);
}

int main(void)
{
	fake_reset();
	fake_time_follow_machine();
	measure(KINDS);
	measure(HOSTS);
	for (uint32_t n = 0; n < HOSTS; n++)
		free(text[n]);
	return EXIT_SUCCESS;
}
