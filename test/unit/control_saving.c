/* SPDX-License-Identifier: BSD-2-Clause */
/* Saves through the control socket: what is answered, how the machine ends, and what it does when the save fails. */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include "command/verb.h"
#include "control/server.h"

#include <errno.h>
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
	return control_open(&control, &machine, &error);
}

static int tear_down(void **state)
{
	(void)state;
	control_close(&control);
	machine_destroy(&machine);
	alarm(0);
	return 0;
}

/* The answer to a request, once it comes. */
static json_t *ask(const char *request)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	json_t *answer;

	assert_int_equal(connect(fd, (struct sockaddr *)&control.address, sizeof(control.address)), 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	control_serve(&control);
	answer = control_read_line(fd, (int)wait_scaled(10000));
	assert_non_null(answer);
	close(fd);
	return answer;
}

static json_t *ask_save(const char *path, const char *more)
{
	char request[256];

	snprintf(request, sizeof(request), "{\"version\": 1, \"command\": \"save\", \"file\": \"%s\"%s}\n", path, more);
	return ask(request);
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
	json_t *answer = ask_save(file, ""), *ok = json_object_get(answer, "ok");

	(void)state;
	assert_string_equal(text(ok, "name"), "boat");
	assert_string_equal(text(ok, "file"), file);
	assert_string_equal(text(ok, "policy"), "freeze");
	assert_string_equal(text(ok, "level"), "none");
	assert_true(json_integer_value(json_object_get(ok, "bytes")) > 100);
	json_decref(answer);
	saving_join(&control.saving);
	assert_int_equal(machine_get_end(&machine), MACHINE_END_SAVED);
	assert_int_equal(access(file, R_OK), 0);
}

/* What save says counts, else what pause said. */
static void test_policy(void **state)
{
	json_t *answer;

	(void)state;
	json_decref(ask("{\"version\": 1, \"command\": \"pause\", \"clock\": \"advance\"}\n"));
	answer = ask_save(file, "");
	assert_string_equal(text(json_object_get(answer, "ok"), "policy"), "advance");
	json_decref(answer);
}

static void test_policy_said(void **state)
{
	json_t *answer;

	(void)state;
	json_decref(ask("{\"version\": 1, \"command\": \"pause\", \"clock\": \"advance\"}\n"));
	answer = ask_save(file, ", \"clock\": \"freeze\"");
	assert_string_equal(text(json_object_get(answer, "ok"), "policy"), "freeze");
	json_decref(answer);
}

static void test_refused(void **state)
{
	(void)state;
	expect_error(ask("{\"version\": 1, \"command\": \"save\"}\n"), "invalid", "a save needs the name of a file");
	expect_error(ask_save("relative", ""), "invalid", "is not the absolute path");
	expect_error(ask_save(file, ", \"clock\": \"stop\""), "invalid", "no policy of the clock");
	expect_error(ask_save("/none/of/this", ""), "not-found", "cannot make a file beside /none/of/this");
	saving_join(&control.saving);
	assert_int_equal(machine_get_state(&machine), MACHINE_RUNNING);
	json_decref(ask("{\"version\": 1, \"command\": \"pause\"}\n"));
	expect_error(ask_save("/none/of/this", ""), "not-found", "cannot make a file beside /none/of/this");
	saving_join(&control.saving);
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	machine_end_save(&machine, MACHINE_UNDECIDED);
	expect_error(ask_save(file, ""), "busy", "boat is undecided: it cannot be saved now");
	assert_int_equal(access(file, F_OK), -1);
}

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
		TEST(test_saved),   TEST(test_policy),	     TEST(test_policy_said),
		TEST(test_refused), TEST(test_client_paths),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
