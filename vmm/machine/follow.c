/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest of a machine can follow, by a look at it.
 *
 * Policy: the rule is the core's; what it needs to know of the vCPUs is asked here.
 */
#include "machine/machine.h"

#include <poll.h>
#include <string.h>

/*
 * A vCPU that comes online has no timer for some ms; a loaded host takes longer over it. All vCPUs stop for each look,
 * so the pauses grow: 10 ms, twice that, and so on, 1.3 s together.
 */
#define HOTPLUG_PAUSE_MS 10
#define HOTPLUG_PAUSE_MAX_MS 640

const char *machine_level_name(enum sc_level level)
{
	switch (level) {
	case SC_LEVEL_NONE:
		return "none";
	case SC_LEVEL_TRANSPARENT:
		return "transparent";
	case SC_LEVEL_REFERENCE:
		return "reference";
	case SC_LEVEL_COOPERATIVE:
		return "cooperative";
	}
	return "unknown";
}

bool machine_level_parse(const char *name, enum sc_level *level)
{
	static const enum sc_level levels[] = { SC_LEVEL_NONE, SC_LEVEL_TRANSPARENT, SC_LEVEL_REFERENCE,
						SC_LEVEL_COOPERATIVE };

	for (size_t n = 0; n < sizeof(levels) / sizeof(levels[0]); n++)
		if (!strcmp(machine_level_name(levels[n]), name)) {
			*level = levels[n];
			return true;
		}
	return false;
}

/* With the vCPUs' power states as they are. */
static struct sc_follow machine_look(struct machine *machine, enum sc_move move)
{
	struct sc_follow follow = clock_follow(&machine->clock, 0, move);

	/* A guest whose clock does not follow need not be held to know that. */
	if (follow.level == SC_LEVEL_NONE)
		return follow;
	vcpus_park(&machine->vcpus);
	follow = clock_follow(&machine->clock, vcpus_online(&machine->vcpus), move);
	vcpus_unpark(&machine->vcpus);
	return follow;
}

struct sc_follow machine_follow(struct machine *machine, enum sc_move move)
{
	struct sc_follow follow = machine_look(machine, move);

	for (int pause_ms = HOTPLUG_PAUSE_MS; pause_ms <= HOTPLUG_PAUSE_MAX_MS; pause_ms *= 2) {
		if (follow.obstacle != SC_OBSTACLE_TIMER || move != SC_MOVE_ASKED || clock_is_stopped(&machine->clock))
			break;
		poll(NULL, 0, pause_ms);
		follow = machine_look(machine, move);
	}
	return follow;
}

struct sc_follow machine_known_follow(struct machine *machine)
{
	return clock_follow(&machine->clock, vcpus_known_online(&machine->vcpus), SC_MOVE_ASKED);
}

struct sc_follow machine_follow_moving(struct machine *machine, uint32_t from_hz, uint32_t to_hz)
{
	return machine_follow(machine, from_hz == to_hz ? SC_MOVE_ASKED : SC_MOVE_AS_STANDS);
}
