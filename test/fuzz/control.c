/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket and clients that say anything, in any pieces: each is answered by one line of JSON, with a result
 * or with a sentence and a code, or is dropped; the machine stays what it is.
 *
 * Policy: the machine is receiving, so that no client can have it write a file or call another host. The input is a row
 * of pieces: one byte for the client and for how many descriptors go with it, one for the length, the bytes. A length
 * of 0 hangs up.
 */
#include "fuzz.h"
#include "../fake/host_fake.h"

#include "control/server.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 4u
#define END_OF_LINE 0x80 /* in the byte for the client: the piece ends its line */

static const struct machine_config config = {
	.name = "fuzzed", .vcpus = 1, .memory_size = LAYOUT_RAM_MIN, .model = CONFIG_MODEL_NEW
};
static struct console console = { .in = -1, .out = -1 };
static struct machine machine;
static struct control control;
static bool lives;
static int client[CLIENTS];

static char folder[] = "/tmp/seaclock-fuzz-XXXXXX";

static void folder_remove(void)
{
	rmdir(folder);
}

static void machine_begin(void)
{
	struct error error;

	FUZZ_MUST(mkdtemp(folder) && !setenv("SEACLOCK_DIR", folder, 1) && !atexit(folder_remove));
	fake_reset();
	FUZZ_MUST(!machine_create(&machine, &config, &console, &error));
	machine_begin_receiving(&machine);
	lives = true;
}

static void hang_up(uint32_t n)
{
	if (client[n] >= 0)
		close(client[n]);
	client[n] = -1;
}

static void call_up(uint32_t n)
{
	client[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	FUZZ_MUST(client[n] >= 0);
	FUZZ_MUST(!connect(client[n], (struct sockaddr *)&control.naming.name, sizeof(control.naming.name)));
}

/* Nobody gets more than one line. */
static void expect_answer(const char *line, size_t size)
{
	json_t *answer;

	FUZZ_MUST(line[size - 1] == '\n' && memchr(line, '\n', size) == line + size - 1);
	answer = json_loadb(line, size - 1, 0, NULL);
	FUZZ_MUST(json_is_object(answer));
	if (!json_object_get(answer, "ok")) {
		FUZZ_MUST(json_string_length(json_object_get(answer, "error")));
		FUZZ_MUST(json_string_length(json_object_get(answer, "code")));
	}
	json_decref(answer);
}

static void say(uint32_t n, const uint8_t *bytes, size_t size, uint32_t passed, bool ends)
{
	static char heard[CONTROL_ANSWER_MAX];
	struct descriptors descriptors = { .count = passed < DESCRIPTORS_MAX ? passed : DESCRIPTORS_MAX };
	ssize_t got;

	if (client[n] < 0)
		call_up(n);
	for (uint32_t each = 0; each < DESCRIPTORS_MAX; each++)
		descriptors.fd[each] = client[n];
	if (!size || descriptors_send(client[n], bytes, size, &descriptors) < 0 ||
	    (ends && send(client[n], "\n", 1, MSG_NOSIGNAL) < 0))
		hang_up(n);
	control_serve(&control);
	got = client[n] < 0 ? 0 : recv(client[n], heard, sizeof(heard), 0);
	if (got > 0)
		expect_answer(heard, (size_t)got);
	if (got >= 0)
		hang_up(n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error error;

	if (!lives)
		machine_begin();
	FUZZ_MUST(!control_open(&control, &machine, false, &error));
	for (uint32_t n = 0; n < CLIENTS; n++)
		client[n] = -1;
	while (size >= 2) {
		size_t length = data[1] < size - 2 ? data[1] : size - 2;

		say(data[0] % CLIENTS, data + 2, length, data[0] >> 2 & 7, data[0] & END_OF_LINE);
		data += 2 + length;
		size -= 2 + length;
	}
	for (uint32_t n = 0; n < CLIENTS; n++)
		hang_up(n);
	control_close(&control);
	FUZZ_MUST(machine_get_state(&machine) == MACHINE_RECEIVING);
	return 0;
}
