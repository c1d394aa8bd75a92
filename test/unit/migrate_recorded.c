/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams that earlier versions have written are still taken: test/recorded/stream-N.hex is one of version N of the
 * migration protocol, and stays as it was recorded. RECORD=write records the present version's, in the top folder,
 * once.
 */
#include "unit.h"
#include "../fake/source_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_ROOM 64
#define LINE_BYTES 32

static void path_of(char path[PATH_ROOM], unsigned int version)
{
	snprintf(path, PATH_ROOM, "test/recorded/stream-%u.hex", version);
}

static void record(const char *path)
{
	struct buffer stream = { 0 };
	FILE *file = fopen(path, "wx");

	assert_non_null(file);
	source_script_record(&stream);
	for (size_t n = 0; n < stream.size; n++)
		fprintf(file, "%02x%s", stream.data[n], (n + 1) % LINE_BYTES && n + 1 < stream.size ? "" : "\n");
	assert_int_equal(fclose(file), 0);
	buffer_free(&stream);
}

static struct buffer stream_read(const char *path)
{
	struct buffer stream = { 0 };
	FILE *file = fopen(path, "r");
	unsigned int byte;

	if (!file)
		fail_msg("%s is missing: record it with RECORD=write", path);
	while (fscanf(file, "%2x", &byte) == 1)
		buffer_put_u8(&stream, (uint8_t)byte);
	fclose(file);
	return stream;
}

static void set_up_recordings(void)
{
	const char *record_now = getenv("RECORD");
	char path[PATH_ROOM];

	fake_reset();
	path_of(path, FRAME_PROTOCOL);
	if (record_now && !strcmp(record_now, "write") && access(path, F_OK))
		record(path);
}

static void test_recorded_streams_run(void **state)
{
	(void)state;
	set_up_recordings();
	for (unsigned int version = FRAME_PROTOCOL_OLDEST; version <= FRAME_PROTOCOL; version++) {
		char path[PATH_ROOM];
		struct buffer stream;
		struct error error;
		bool ran;

		fake_reset();
		path_of(path, version);
		stream = stream_read(path);
		assert_true(stream.size > FRAME_HEADER_SIZE);
		assert_int_equal(source_script_play(stream.data, stream.size, &ran, &error), 0);
		assert_true(ran);
		buffer_free(&stream);
	}
}

/* The versions before, which had no sections, and the next one, in one sentence that names both sides. */
static void test_other_versions_are_refused(void **state)
{
	static const unsigned int versions[] = { 3, 4, FRAME_PROTOCOL + 1 };
	char path[PATH_ROOM], words[100];
	struct buffer stream;

	(void)state;
	path_of(path, FRAME_PROTOCOL);
	stream = stream_read(path);
	for (size_t n = 0; n < ARRAY_SIZE(versions); n++) {
		struct error error;
		bool ran;

		fake_reset();
		stream.data[FRAME_HEADER_SIZE + sizeof(uint64_t)] = (uint8_t)versions[n];
		assert_int_not_equal(source_script_play(stream.data, stream.size, &ran, &error), 0);
		assert_false(ran);
		snprintf(words, sizeof(words), "speaks version %u of the migration protocol, this one %u to %u",
			 versions[n], FRAME_PROTOCOL_OLDEST, FRAME_PROTOCOL);
		assert_non_null(strstr(error.text, words));
	}
	buffer_free(&stream);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_streams_run),
		cmocka_unit_test(test_other_versions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
