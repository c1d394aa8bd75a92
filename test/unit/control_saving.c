/* SPDX-License-Identifier: BSD-2-Clause */
/* Saves through the control socket: what is answered, how the machine ends, and what it does when the save fails. */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include "command/verb.h"
#include "control/server.h"
#include "snapshot/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_S 60

static char folder[] = "/tmp/seaclock-saving-XXXXXX";
static char file[64];
static struct machine machine;
static struct console console;
static struct control control;
static struct error error;

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof(file), "%s/file", folder);
	return setenv("SEACLOCK_DIR", folder, 1);
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static int set_up(void **state)
{
	const struct machine_config config = {
		.name = "boat",
		.vcpus = 1,
		.memory_size = LAYOUT_RAM_MIN,
		.model = CONFIG_MODEL_NEW,
	};

	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	unlink(file);
	console = (struct console){ .in = -1, .out = -1 };
	if (machine_create(&machine, &config, &console, &error) ||
	    machine_resume(&machine, SC_CLOCK_FREEZE, false, &error))
		return -1;
	return control_open(&control, &machine, false, &error);
}

static int tear_down(void **state)
{
	(void)state;
	control_close(&control);
	machine_destroy(&machine);
	alarm(0);
	return 0;
}

static int client_connect(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&control.naming.name, sizeof(control.naming.name)), 0);
	return fd;
}

/* Sends a request with these. */
static int client_send(const char *request, const struct descriptors *passed)
{
	int fd = client_connect();

	assert_int_equal(descriptors_send(fd, request, strlen(request), passed), strlen(request));
	control_serve(&control);
	return fd;
}

/* The next line of the answer, once it comes. */
static json_t *client_read(int fd)
{
	json_t *line = control_read_line(fd, (int)wait_scaled(10000));

	assert_non_null(line);
	return line;
}

static json_t *client_finish(int fd)
{
	json_t *line = client_read(fd);

	close(fd);
	return line;
}

static json_t *ask(const char *request)
{
	return client_finish(client_send(request, &(struct descriptors){ .count = 0 }));
}

static int save_send(const char *path, const char *more, int file_fd)
{
	const struct descriptors passed = { .fd = { file_fd }, .count = file_fd >= 0 };
	char request[256];

	snprintf(request, sizeof(request), "{\"version\": 1, \"command\": \"save\", \"file\": \"%s\"%s}\n", path, more);
	return client_send(request, &passed);
}

static int file_make(void)
{
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* As a client does it who names the file. */
static json_t *ask_save(const char *more)
{
	int file_fd = file_make(), client = save_send(file, more, file_fd);
	json_t *line = client_read(client);

	assert_true(json_is_true(json_object_get(line, "written")));
	json_decref(line);
	assert_int_equal(control_send_line(client, json_pack("{s:b}", "named", 1)), 0);
	close(file_fd);
	return client_finish(client);
}

static void expect_error(json_t *answer, const char *code, const char *part)
{
	const char *sentence = json_string_value(json_object_get(answer, "error"));

	assert_non_null(sentence);
	assert_non_null(strstr(sentence, part));
	assert_string_equal(json_string_value(json_object_get(answer, "code")), code);
	json_decref(answer);
}

static const char *text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void test_saved(void **state)
{
	json_t *answer = ask_save(""), *ok = json_object_get(answer, "ok");
	struct snapshot_reader reader;

	(void)state;
	assert_string_equal(text(ok, "name"), "boat");
	assert_string_equal(text(ok, "file"), file);
	assert_string_equal(text(ok, "policy"), "freeze");
	assert_string_equal(text(ok, "level"), "none");
	assert_true(json_integer_value(json_object_get(ok, "bytes")) > 100);
	json_decref(answer);
	saving_join(&control.saving);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_SAVED);
	assert_int_equal(snapshot_reader_open(&reader, file, &error), 0);
	snapshot_reader_close(&reader);
}

/* What save says counts, else what pause said. */
static void test_policy(void **state)
{
	json_t *answer;

	(void)state;
	json_decref(ask("{\"version\": 1, \"command\": \"pause\", \"clock\": \"advance\"}\n"));
	answer = ask_save("");
	assert_string_equal(text(json_object_get(answer, "ok"), "policy"), "advance");
	json_decref(answer);
}

static void test_policy_said(void **state)
{
	json_t *answer;

	(void)state;
	json_decref(ask("{\"version\": 1, \"command\": \"pause\", \"clock\": \"advance\"}\n"));
	answer = ask_save(", \"clock\": \"freeze\"");
	assert_string_equal(text(json_object_get(answer, "ok"), "policy"), "freeze");
	json_decref(answer);
}

static void expect_refused(const char *path, const char *more, int file_fd, const char *code, const char *part)
{
	expect_error(client_finish(save_send(path, more, file_fd)), code, part);
	saving_join(&control.saving);
	if (file_fd >= 0)
		close(file_fd);
}

static void test_refused(void **state)
{
	(void)state;
	expect_error(ask("{\"version\": 1, \"command\": \"save\"}\n"), "invalid", "a save needs the name of a file");
	expect_refused("relative", "", file_make(), "invalid", "is not the absolute path");
	expect_refused(file, ", \"clock\": \"stop\"", file_make(), "invalid", "no policy of the clock");
	expect_refused(file, "", -1, "invalid", "a save needs the file's descriptor");
	expect_refused(file, "", open(file, O_RDONLY | O_CLOEXEC), "invalid", "is not open for writing");
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	json_decref(ask("{\"version\": 1, \"command\": \"pause\"}\n"));
	expect_refused(file, "", open("/dev/null", O_WRONLY | O_CLOEXEC), "invalid", "of no new and empty file");
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	machine_end_save(&machine, MACHINE_UNDECIDED);
	expect_refused(file, "", file_make(), "busy", "boat is undecided: it cannot be saved now");
}

static uint32_t descriptors_open(void)
{
	DIR *all = opendir("/proc/self/fd");
	uint32_t count = 0;

	while (readdir(all))
		count++;
	closedir(all);
	return count;
}

/* More than a request takes, or than any does: nothing happens, and nothing stays open. */
static void test_many_descriptors(void **state)
{
	static const char request[] = "{\"version\": 1, \"command\": \"pause\"}\n";
	struct descriptors passed = { .fd = { 0, 0, 0, 0 }, .count = 1 };
	uint32_t before = descriptors_open();
	int fd;

	(void)state;
	expect_error(client_finish(client_send(request, &passed)), "invalid",
		     "1 descriptors came with pause, which takes at most 0");
	assert_int_equal(descriptors_open(), before);
	passed.count = DESCRIPTORS_MAX;
	fd = client_connect();
	for (size_t n = 0; n < 2; n++) {
		assert_int_equal(descriptors_send(fd, " ", 1, &passed), 1);
		control_serve(&control);
	}
	assert_null(control_read_line(fd, (int)wait_scaled(10000)));
	close(fd);
	assert_int_equal(descriptors_open(), before);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
}

/* ---- Clients that do not name it ---- */

static void expect_unsaved(void)
{
	struct snapshot_reader reader;

	saving_join(&control.saving);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	assert_int_equal(snapshot_reader_open(&reader, file, &error), -EPROTO);
}

/* A client that has been asked to name the file, which is open as *file_fd. */
static int save_until_written(int *file_fd)
{
	int client;

	*file_fd = file_make();
	client = save_send(file, "", *file_fd);
	json_decref(client_read(client));
	return client;
}

static void expect_cancelled(int client, int file_fd, const char *part)
{
	expect_error(client_finish(client), "cancelled", part);
	close(file_fd);
	expect_unsaved();
}

static void test_not_named(void **state)
{
	int file_fd, client = save_until_written(&file_fd);

	(void)state;
	shutdown(client, SHUT_WR);
	expect_cancelled(client, file_fd, "was cancelled by who asked for it");
}

static void test_nonsense(void **state)
{
	int file_fd, client = save_until_written(&file_fd);

	(void)state;
	assert_int_equal(control_send_line(client, json_pack("{s:i}", "named", 1)), 0);
	expect_cancelled(client, file_fd, "was cancelled by who asked for it");
}

static void test_gone(void **state)
{
	int file_fd = file_make();

	(void)state;
	close(save_send(file, "", file_fd));
	close(file_fd);
	expect_unsaved();
}

/* One that says nothing cannot keep the machine from ending. */
static void test_silent(void **state)
{
	int file_fd, client = save_until_written(&file_fd);

	(void)state;
	control_call_off(&control);
	expect_cancelled(client, file_fd, "the save was cancelled");
}

/* ---- The verb ---- */

static int save(const char *name, const char *path)
{
	char *const words[] = { (char *)name, (char *)path, NULL };
	void *options = calloc(1, verb_save.size);
	int result = verb_save.run(options, words, &error);

	free(options);
	return result;
}

/* The verb's end: a relative path, and one that no request can hold. */
static void test_client_paths(void **state)
{
	char longest[3000];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(save("boat", longest), -ENAMETOOLONG);
	assert_int_equal(save("boat", "\xff"), -EINVAL);
	assert_int_equal(save("nobody", "file"), -ESRCH);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_saved),
		TEST(test_policy),
		TEST(test_policy_said),
		TEST(test_refused),
		TEST(test_many_descriptors),
		TEST(test_not_named),
		TEST(test_nonsense),
		TEST(test_gone),
		TEST(test_silent),
		TEST(test_client_paths),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
