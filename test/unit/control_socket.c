/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket as such: where it is, and the lines that go over it. */
#include "unit.h"
#include "../wait_scale.h"

#include "control/line.h"
#include "control/socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct error error;

static void test_address(void **state)
{
	struct sockaddr_un address;
	char path[256];

	(void)state;
	assert_int_equal(control_address("../etc", &address, &error), -EINVAL);
	assert_string_equal(error.text,
			    "`../etc` cannot be a machine's name: use letters, digits, `-`, `_` and `.`, at "
			    "most 63 of them");
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	setenv("SEACLOCK_DIR", path, 1);
	assert_int_equal(control_address("boat", &address, &error), -ENAMETOOLONG);
	setenv("SEACLOCK_DIR", "", 1);
	assert_string_equal(control_folder(), "/run/seaclock");
}

/* A client that does not read for long, and then finds the result behind the progress that there was room for. */
static void test_late_reader(void **state)
{
	json_t *line, *last = NULL;
	int ends[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	for (int n = 0; n < 100000; n++)
		control_write_progress(ends[0], json_pack("{s:i}", "progress", n));
	control_write_line(ends[0], json_pack("{s:b}", "ok", 1));
	close(ends[0]);
	while ((line = control_read_line(ends[1], (int)wait_scaled(5000)))) {
		json_decref(last);
		last = line;
	}
	assert_true(json_is_true(json_object_get(last, "ok")));
	json_decref(last);
	close(ends[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_late_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
