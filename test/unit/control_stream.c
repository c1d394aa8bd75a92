/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of a console's connection: found however it is cut into pieces, and told from what a guest says. */
#include "unit.h"

#include "control/stream.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT_MAX 8192

static struct stream stream;
static char shown[TEXT_MAX + STREAM_END_MAX];
static size_t shown_size;

static int set_up(void **state)
{
	(void)state;
	memset(&stream, 0, sizeof(stream));
	shown_size = 0;
	return 0;
}

static void take(const char *bytes, size_t size)
{
	shown_size += stream_take(&stream, bytes, size, shown + shown_size);
}

static enum machine_end end_of_stream(void)
{
	json_t *line;
	const char *host;
	uint64_t unread;
	enum machine_end end = stream_end(&stream, &line, &host, &unread);

	json_decref(line);
	return end;
}

static const struct {
	const char *bytes;
	size_t size, shown; /* how much of it is */
	enum machine_end end;
} cases[] = {
#define CASE(text, output, outcome) text, sizeof(text) - 1, sizeof(output) - 1, outcome
	{ CASE("", "", MACHINE_END_NONE) },
	{ CASE("hello", "hello", MACHINE_END_NONE) },
	{ CASE("{\"ok\":{\"end\":\"off\"}}\n", "{\"ok\":{\"end\":\"off\"}}\n", MACHINE_END_NONE) },
	{ CASE("hi\0{\"ok\":{\"end\":\"off\",\"unread\":0}}\n", "hi", MACHINE_END_POWER_OFF) },
	{ CASE("\0{\"ok\":{\"end\":\"panic\",\"unread\":0}}\n", "", MACHINE_END_PANIC) },
	{ CASE("\0\0{\"ok\":{\"end\":\"stopped\"}}\n", "\0", MACHINE_END_STOPPED) },
	{ CASE("\0{\0{\"ok\":{\"end\":\"saved\"}}\n", "\0{", MACHINE_END_SAVED) },
	/* A guest that says it, and says more. */
	{ CASE("\0{\"ok\":{\"end\":\"off\"}}\nx", "\0{\"ok\":{\"end\":\"off\"}}\nx", MACHINE_END_NONE) },
	{ CASE("\0{\"ok\":{\"end\":\"off\"}}\n\0{\"ok\":{\"end\":\"moved\"}}\n", "\0{\"ok\":{\"end\":\"off\"}}\n",
	       MACHINE_END_MIGRATED) },
	/* No end that there is. */
	{ CASE("\0x", "\0x", MACHINE_END_NONE) },
	{ CASE("\0{\"ok\":{\"end\":\"well\"}}\n", "", MACHINE_END_NONE) },
	{ CASE("\0{\"ok\":7}\n", "", MACHINE_END_NONE) },
	{ CASE("\0{\"ok\"", "", MACHINE_END_NONE) },
	{ CASE("\0", "", MACHINE_END_NONE) },
};

static void test_pieces(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		for (size_t piece = 1; piece <= cases[n].size + 1; piece++) {
			set_up(state);
			for (size_t from = 0; from < cases[n].size; from += piece)
				take(cases[n].bytes + from,
				     cases[n].size - from < piece ? cases[n].size - from : piece);
			assert_int_equal(shown_size, cases[n].shown);
			assert_memory_equal(shown, cases[n].bytes, shown_size);
			assert_int_equal(end_of_stream(), cases[n].end);
		}
	}
}

/* What is too long for an end is shown, all of it. */
static void test_long(void **state)
{
	static char text[TEXT_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '\0';
	text[1] = '{';
	take(text, STREAM_END_MAX);
	assert_int_equal(shown_size, 0);
	take(text + STREAM_END_MAX, sizeof(text) - STREAM_END_MAX);
	assert_int_equal(shown_size, sizeof(text));
	assert_memory_equal(shown, text, sizeof(text));
}

/* What the monitor sends is what the client finds. */
static void test_ends(void **state)
{
	for (enum machine_end end = MACHINE_END_NONE; end <= MACHINE_END_FAILED; end++) {
		char bytes[STREAM_END_MAX];
		const char *host, *where = end == MACHINE_END_MIGRATED ? "192.0.2.7:5999" : NULL;
		uint64_t unread;
		json_t *line;
		int ends[2];

		set_up(state);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		stream_send_end(ends[0], end, where, 70000);
		take(bytes, (size_t)read(ends[1], bytes, sizeof(bytes)));
		assert_int_equal(shown_size, 0);
		assert_int_equal(stream_end(&stream, &line, &host, &unread),
				 end == MACHINE_END_NONE ? MACHINE_END_FAILED : end);
		assert_int_equal(unread, 70000);
		if (where)
			assert_string_equal(host, where);
		else
			assert_null(host);
		json_decref(line);
		close(ends[0]);
		close(ends[1]);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pieces, set_up),
		cmocka_unit_test_setup(test_long, set_up),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
