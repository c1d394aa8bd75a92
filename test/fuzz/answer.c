/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client makes of a monitor that says anything: answers, progress, statuses, and the end of a console. The
 * client fails with a sentence, or prints what there is.
 *
 * The first byte says what is asked for; the others are what the monitor says before it hangs up.
 */
#include "fuzz.h"

#include "command/print.h"
#include "control/request.h"
#include "control/socket.h"
#include "control/stream.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME "fuzzed"
#define CHUNK 7u

static int listener = -1;
static struct {
	const uint8_t *data;
	size_t size;
} said;

/* ---- The monitor ---- */

static void *monitor_thread(void *ignored)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char request[4096];

	(void)ignored;
	FUZZ_MUST(fd >= 0);
	(void)!recv(fd, request, sizeof(request), 0);
	(void)!send(fd, said.data, said.size, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
	return NULL;
}

static char folder[] = "/tmp/seaclock-fuzz-XXXXXX";
static struct sockaddr_un address;

static void folder_remove(void)
{
	unlink(address.sun_path);
	rmdir(folder);
}

static void listener_open(void)
{
	struct error error;

	FUZZ_MUST(mkdtemp(folder) && !setenv("SEACLOCK_DIR", folder, 1) && !atexit(folder_remove));
	FUZZ_MUST(!control_address(NAME, &address, &error));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_MUST(!bind(listener, (struct sockaddr *)&address, sizeof(address)) && !listen(listener, 4));
}

/* ---- The client ---- */

static void print_answer(uint8_t form, const json_t *answer)
{
	switch (form % 6) {
	case 0:
		print_moved(NAME, "there", answer);
		break;
	case 1:
		print_verdict("there", answer);
		break;
	case 2:
		print_saved(NAME, answer);
		break;
	case 3:
		print_growth(NAME, answer);
		break;
	case 4:
		print_status(answer);
		break;
	default:
		print_json(answer);
	}
}

/* Any descriptor will do. */
static int file_name(void *context, struct error *error)
{
	const uint8_t *form = context;

	return *form & 0x20 ? error_set(error, EIO, "it has no name") : 0;
}

static void ask(uint8_t form)
{
	struct print_progress progress = { .shown = true };
	struct client_watch watch = print_progress_watch(&progress);
	const struct client_passed file = {
		.descriptors = { .fd = { listener }, .count = 1 },
		.name = file_name,
		.context = &form,
	};
	struct error error = { .text = "" };
	json_t *answer = NULL;
	pthread_t monitor;
	int result;

	watch.passed = form & 0x40 ? &file : NULL;
	FUZZ_MUST(!pthread_create(&monitor, NULL, monitor_thread, NULL));
	if (form & 0x80)
		result = client_status_all(&answer, &error);
	else
		result = client_ask(NAME, request_make("status"), &watch, &answer, &error);
	pthread_join(monitor, NULL);
	FUZZ_MUST(!result || error.text[0]);
	if (answer && form & 0x80)
		print_status_list(answer);
	else if (answer)
		print_answer(form, answer);
	json_decref(answer);
}

/* All that was said is shown, or is the end. */
static void read_console(const uint8_t *data, size_t size)
{
	struct stream stream = { .held = 0 };
	char shown[CHUNK + STREAM_END_MAX];
	size_t count = 0;
	uint64_t unread;
	const char *host;
	json_t *line;

	for (size_t n = 0; n < size; n += CHUNK)
		count += stream_take(&stream, (const char *)data + n, size - n < CHUNK ? size - n : CHUNK, shown);
	FUZZ_MUST(count + stream.held == size);
	if (stream_end(&stream, &line, &host, &unread) != MACHINE_END_NONE)
		FUZZ_MUST(stream.end[0] == '\0');
	json_decref(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (listener < 0)
		listener_open();
	if (!size)
		return 0;
	said.data = data + 1;
	said.size = size - 1;
	if (data[0] == 0x7f)
		read_console(said.data, said.size);
	else
		ask(data[0]);
	return 0;
}
