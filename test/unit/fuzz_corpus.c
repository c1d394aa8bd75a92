/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fuzzing starts from is still good: where a format has changed and the corpus has not, the targets would see
 * nothing but refusals. CORPUS=write, in the top folder, writes these files anew, for make fuzz-pack.
 */
#include "unit.h"
#include "../fake/source_script.h"
#include "../fake/forged_file.h"

#include "machine/description.h"
#include "migrate/report.h"
#include "snapshot/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (128u << 10)

static struct buffer stream;

static int set_up(void **state)
{
	(void)state;
	fake_reset();
	source_script_record(&stream);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buffer_free(&stream);
	return 0;
}

static void corpus_write(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void expect_in_corpus(const char *path, const void *data, size_t size)
{
	static uint8_t found[FILE_MAX + 1];
	const char *corpus = getenv("CORPUS");
	FILE *file;

	if (corpus && !strcmp(corpus, "write"))
		corpus_write(path, data, size);
	file = fopen(path, "rb");
	assert_non_null(file);
	if (fread(found, 1, sizeof(found), file) != size || memcmp(found, data, size))
		fail_msg("%s is out of date: run this test with CORPUS=write, look at what else is there, make "
			 "fuzz-pack",
			 path);
	fclose(file);
}

/* The first frame of that type in the stream. */
static struct frame find_frame(enum frame_type type)
{
	struct frame frame = { .data = stream.data };
	struct error error;
	uint32_t size;

	for (;;) {
		assert_true(frame.data + FRAME_HEADER_SIZE <= stream.data + stream.size);
		assert_int_equal(frame_get_header(frame.data, &frame.type, &size, &error), 0);
		if (frame.type == type)
			break;
		frame.data += FRAME_HEADER_SIZE + size;
	}
	frame.size = size;
	return frame;
}

static void has_a_good_stream(void **state)
{
	(void)state;
	expect_in_corpus("out/fuzz/corpus/target/good", stream.data, stream.size);
}

static void has_a_good_state(void **state)
{
	struct frame frame = find_frame(FRAME_STATE);

	(void)state;
	expect_in_corpus("out/fuzz/corpus/state/good", frame.data + FRAME_HEADER_SIZE, frame.size);
}

static void put_frame(struct buffer *content, enum frame_type type, const void *data, size_t size)
{
	frame_put_header(buffer_reserve(content, FRAME_HEADER_SIZE), type, (uint32_t)size);
	buffer_put(content, data, size);
}

static void expect_restored(const void *frames, size_t size)
{
	static char path[] = "/tmp/seaclock-corpus-XXXXXX";
	const struct restore_options options = { .path = path, .terms = { .force = true } };
	struct console console = { .in = -1, .out = -1 };
	struct machine machine;
	struct error error;

	close(mkstemp(path));
	forged_file_store_frames(path, frames, size);
	assert_int_equal(restore_load(&machine, &console, &options, &error), 0);
	machine_destroy(&machine);
	unlink(path);
}

/* What a file has of the stream, in its order; the first byte has the frames compressed and sealed. */
static void has_a_good_file(void **state)
{
	static const enum frame_type order[] = { FRAME_HELLO,  FRAME_MACHINE, FRAME_CLOCKED, FRAME_PAGES,
						 FRAME_ZEROES, FRAME_STATE,   FRAME_DONE };
	const struct sc_statement statement = host_statement();
	struct buffer content = { 0 }, stated = { 0 };

	(void)state;
	frame_put_statement(&stated, &statement);
	buffer_put_u8(&content, 2);
	for (size_t n = 0; n < ARRAY_SIZE(order); n++) {
		struct frame frame = { .data = stated.data, .size = stated.size };

		if (order[n] == FRAME_DONE)
			frame.size = 0;
		else if (order[n] != FRAME_CLOCKED)
			frame = find_frame(order[n]);
		put_frame(&content, order[n], order[n] == FRAME_CLOCKED ? frame.data : frame.data + FRAME_HEADER_SIZE,
			  frame.size);
	}
	expect_in_corpus("out/fuzz/corpus/snapshot/good", content.data, content.size);
	expect_restored(content.data + 1, content.size - 1);
	buffer_free(&stated);
	buffer_free(&content);
}

static void expect_small_frame(const char *path, enum frame_type type, struct buffer *content)
{
	struct buffer frame = { 0 };

	frame_put_header(buffer_reserve(&frame, FRAME_HEADER_SIZE), type, (uint32_t)content->size);
	buffer_put(&frame, content->data, content->size);
	expect_in_corpus(path, frame.data, frame.size);
	buffer_free(&frame);
	buffer_free(content);
}

static void has_good_small_frames(void **state)
{
	const struct frame_ready ready = { .gap = sc_ns(1000000), .loading = sc_ns(2000) };
	const struct frame_id id = { { 1, 2, 3, 4 } };
	const struct report report = { .name = "recorded", .id = id, .from_hz = 25000000, .to_hz = 1000000000 };
	struct frame hello = find_frame(FRAME_HELLO), machine;
	struct buffer content = { 0 };

	(void)state;
	expect_in_corpus("out/fuzz/corpus/frame/good-hello", hello.data, FRAME_HEADER_SIZE + hello.size);
	machine = find_frame(FRAME_MACHINE);
	expect_in_corpus("out/fuzz/corpus/frame/good-machine", machine.data, FRAME_HEADER_SIZE + machine.size);
	frame_put_welcome(&content, 25000000);
	expect_small_frame("out/fuzz/corpus/frame/good-welcome", FRAME_WELCOME, &content);
	frame_put_welcome(&content, 25000000);
	content.data[sizeof(uint64_t)] = FRAME_PROTOCOL_OLDEST;
	expect_small_frame("out/fuzz/corpus/frame/older-welcome", FRAME_WELCOME, &content);
	frame_put_ready(&content, &ready);
	expect_small_frame("out/fuzz/corpus/frame/good-ready", FRAME_READY, &content);
	frame_put_question(&content, &id);
	expect_small_frame("out/fuzz/corpus/frame/good-question", FRAME_QUESTION, &content);
	frame_put_answer(&content, FRAME_ANSWER_NEVER);
	expect_small_frame("out/fuzz/corpus/frame/good-answer", FRAME_ANSWER, &content);
	report_put(&content, &report);
	expect_small_frame("out/fuzz/corpus/frame/good-settled", FRAME_SETTLED, &content);
}

/* One caller begins a migration, and another asks about it. */
static void has_good_calls(void **state)
{
	struct frame hello = find_frame(FRAME_HELLO);
	struct buffer calls = { 0 }, question = { 0 };
	struct frame_hello said;
	struct error error;

	(void)state;
	assert_int_equal(frame_get_hello(hello.data + FRAME_HEADER_SIZE, hello.size, &said, &error), 0);
	frame_put_question(&question, &said.id);
	buffer_put_u8(&calls, 0);
	buffer_put_u8(&calls, (uint8_t)(FRAME_HEADER_SIZE + hello.size));
	buffer_put(&calls, hello.data, FRAME_HEADER_SIZE + hello.size);
	buffer_put_u8(&calls, 1);
	buffer_put_u8(&calls, (uint8_t)(FRAME_HEADER_SIZE + question.size));
	frame_put_header(buffer_reserve(&calls, FRAME_HEADER_SIZE), FRAME_QUESTION, (uint32_t)question.size);
	buffer_put(&calls, question.data, question.size);
	expect_in_corpus("out/fuzz/corpus/incoming/good", calls.data, calls.size);
	buffer_free(&calls);
	buffer_free(&question);
}

static void has_good_records(void **state)
{
	struct sc_stop_point stop;
	struct sc_partition partition;
	uint8_t record[SC_RECORD_MAX];
	size_t size;

	(void)state;
	assert_int_equal(sc_partition_init(&partition, 2, 25000000, sc_ticks(0)), 0);
	stop = sc_partition_stop(&partition, sc_ticks(50000));
	assert_int_equal(sc_record_save(&partition, &stop, record, sizeof(record), &size), 0);
	expect_in_corpus("out/fuzz/corpus/record/good", record, size);
}

/* With every field that there is. */
static void has_a_good_description(void **state)
{
	struct machine_config config;
	json_t *json;
	char *text;

	(void)state;
	config_init(&config);
	strcpy(config.kernel, "/boot/Image");
	strcpy(config.initrd, "/boot/initrd");
	strcpy(config.command_line, "console=ttyAMA0");
	config.disks = 1;
	config.disk[0] = config_disk_default();
	strcpy(config.disk[0].where, "nbd://store/web");
	strcpy(config.disk[0].serial, "A1");
	config.nets = 1;
	strcpy(config.net[0].where, "tap=tap0");
	config.net[0].mac[0] = 2;
	json = description_json(&config);
	text = json_dumps(json, JSON_INDENT(1));
	assert_int_equal(json_object_size(json), 11);
	expect_in_corpus("out/fuzz/corpus/description/good", text, strlen(text));
	json_decref(json);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(has_a_good_stream, set_up, tear_down),
		cmocka_unit_test_setup_teardown(has_a_good_state, set_up, tear_down),
		cmocka_unit_test_setup_teardown(has_a_good_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(has_good_small_frames, set_up, tear_down),
		cmocka_unit_test_setup_teardown(has_good_calls, set_up, tear_down),
		cmocka_unit_test(has_good_records),
		cmocka_unit_test(has_a_good_description),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
