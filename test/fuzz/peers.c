/* SPDX-License-Identifier: BSD-2-Clause */
/* The file `peers`, as any text: refused with a sentence, or taken, and then it decides about any host and machine. */
#include "fuzz.h"

#include "migrate/peers.h"

#include <string.h>

static struct peers peers;

static void judge(const struct peer *peer)
{
	struct error error;

	FUZZ_MUST(peers_find(&peers, peer->host) && peer->memory_mib);
	/* What has no star stands for itself. */
	if (!strpbrk(peer->names, "*,"))
		FUZZ_MUST(!peers_check_name(&peers, peer->host, peer->names, &error));
	if (peers_check_name(&peers, peer->host, "web-1", &error))
		return;
	/* Who may send a name may send it with some memory, and not with any. */
	FUZZ_MUST(!peers_check_memory(&peers, peer->host, "web-1", 1, &error));
	FUZZ_MUST(peers_check_memory(&peers, peer->host, "web-1", UINT64_MAX, &error));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error = { .text = "" };

	if (peers_parse((const char *)data, size, "peers", &peers, &error)) {
		FUZZ_MUST(error.text[0]);
		return 0;
	}
	FUZZ_MUST(peers.count && peers.count <= PEERS_MAX);
	for (uint32_t n = 0; n < peers.count; n++)
		judge(&peers.peer[n]);
	return 0;
}
