/* SPDX-License-Identifier: BSD-2-Clause */
/* Which hosts may send a machine here: see the header. */
#include "migrate/peers.h"

#include "migrate/transport.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)
#define MEMORY_MAX_MIB (1u << 30)
#define BLANKS " \t\r"

/* ---- A line ---- */

/* The next word, without its end, and how long it is; 0 at the end or before a comment. */
static size_t word_take(const char **line, const char *end, const char **word)
{
	while (*line < end && strchr(BLANKS, **line))
		(*line)++;
	*word = *line;
	if (*line < end && **line == '#') {
		*line = end;
		return 0;
	}
	while (*line < end && !strchr(BLANKS, **line))
		(*line)++;
	return (size_t)(*line - *word);
}

static bool word_copy(const char *word, size_t length, char *place, size_t size)
{
	if (!length || length >= size)
		return false;
	memcpy(place, word, length);
	place[length] = '\0';
	return true;
}

/* What may stand in a DNS name or an address, or in a pattern of machines' names. */
static bool text_has_only(const char *text, const char *others)
{
	for (; *text; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
		      (*text >= '0' && *text <= '9') || strchr(others, *text)))
			return false;
	return true;
}

static bool names_are_valid(const char *names)
{
	size_t length = strlen(names);

	return text_has_only(names, "-_.*,") && names[0] != ',' && names[length - 1] != ',' && !strstr(names, ",,");
}

static bool number_parse(const char *word, size_t length, uint32_t *number)
{
	uint64_t value = 0;

	for (size_t n = 0; n < length; n++) {
		if (word[n] < '0' || word[n] > '9' || value > MEMORY_MAX_MIB)
			return false;
		value = value * 10 + (uint64_t)(word[n] - '0');
	}
	*number = (uint32_t)value;
	return value && value <= MEMORY_MAX_MIB;
}

/* 0, also for a line that says nothing; else -EBADMSG. */
static int line_parse(const char *line, const char *end, struct peers *peers, const char *where, struct error *error)
{
	struct peer peer;
	const char *word;
	size_t length = word_take(&line, end, &word);

	if (!length)
		return 0;
	if (peers->count == PEERS_MAX)
		return error_set(error, EBADMSG, "%s: there can be %u lines with a host", where, PEERS_MAX);
	if (!word_copy(word, length, peer.host, sizeof(peer.host)) || !text_has_only(peer.host, "-.:"))
		return error_set(error, EBADMSG, "%s: a host is a DNS name or an address, as its certificate has it",
				 where);
	length = word_take(&line, end, &word);
	if (!word_copy(word, length, peer.names, sizeof(peer.names)) || !names_are_valid(peer.names))
		return error_set(error, EBADMSG,
				 "%s: behind the host come names of machines with commas between them, in which * "
				 "stands for any characters",
				 where);
	length = word_take(&line, end, &word);
	if (!number_parse(word, length, &peer.memory_mib) || word_take(&line, end, &word))
		return error_set(error, EBADMSG,
				 "%s: behind the names comes how much memory a machine may have, from 1 to %u MiB, and "
				 "nothing else",
				 where, MEMORY_MAX_MIB);
	peers->peer[peers->count++] = peer;
	return 0;
}

/* ---- The file ---- */

int peers_parse(const char *text, size_t size, const char *path, struct peers *peers, struct error *error)
{
	const char *end = text + size;
	char where[128];

	peers->count = 0;
	if (size > PEERS_FILE_MAX || (size && memchr(text, '\0', size)))
		return error_set(error, EBADMSG, "%s is no text of at most %u bytes", path, PEERS_FILE_MAX);
	for (uint32_t number = 1; text < end; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		int result;

		stop = stop ? stop : end;
		snprintf(where, sizeof(where), "line %" PRIu32 " of %.100s", number, path);
		result = line_parse(text, stop, peers, where, error);
		if (result)
			return result;
		text = stop + 1;
	}
	return peers->count ? 0
			    : error_set(error, EBADMSG, "%s names no host, so nobody may send a machine here", path);
}

/* ---- What is allowed ---- */

/* `*` is any characters. The pattern ends with `end`. In time that grows with both lengths multiplied, and no more. */
static bool pattern_matches(const char *pattern, const char *end, const char *name)
{
	const char *star = NULL, *again = NULL;

	while (*name) {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			again = name;
		} else if (pattern < end && *pattern == *name) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++again;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*')
		pattern++;
	return pattern == end;
}

static bool peer_has_name(const struct peer *peer, const char *name)
{
	const char *pattern = peer->names;

	for (;;) {
		const char *end = pattern + strcspn(pattern, ",");

		if (pattern_matches(pattern, end, name))
			return true;
		if (!*end)
			return false;
		pattern = end + 1;
	}
}

const char *peers_find(const struct peers *peers, const char *host)
{
	for (uint32_t n = 0; n < peers->count; n++)
		if (transport_name_equal(peers->peer[n].host, host))
			return peers->peer[n].host;
	return NULL;
}

/* The most that the host may send under this name; 0: nothing. */
static uint32_t peers_memory(const struct peers *peers, const char *host, const char *name)
{
	uint32_t most = 0;

	for (uint32_t n = 0; n < peers->count; n++) {
		const struct peer *peer = &peers->peer[n];

		if (transport_name_equal(peer->host, host) && peer_has_name(peer, name) && peer->memory_mib > most)
			most = peer->memory_mib;
	}
	return most;
}

int peers_check_name(const struct peers *peers, const char *host, const char *name, struct error *error)
{
	if (peers_memory(peers, host, name))
		return 0;
	return error_set(error, EACCES,
			 "%s may send no machine named %s here: the file `peers` of this receiver says so", host, name);
}

int peers_check_memory(const struct peers *peers, const char *host, const char *name, uint64_t bytes,
		       struct error *error)
{
	uint32_t most = peers_memory(peers, host, name);

	if (bytes <= most * MIB)
		return 0;
	return error_set(error, EACCES,
			 "%s has %" PRIu64 " MiB, and %s may send machines of up to %" PRIu32
			 " MiB under this name: the file `peers` of this receiver says so",
			 name, bytes / MIB, host, most);
}
