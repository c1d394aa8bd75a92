/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of JSON over a control socket: see the header. */
#include "control/line.h"

#include "base/events.h"
#include "base/json.h"
#include "base/log.h"
#include "host/deadline.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

json_t *control_error(const struct error *error)
{
	struct error plain = *error;
	json_t *line = json_pack("{s:s, s:s}", "error", error->text, "code", error_code(error));

	if (line)
		return line;
	for (char *place = plain.text; *place; place++)
		if (*place & 0x80)
			*place = '?';
	return json_pack("{s:s, s:s}", "error", plain.text, "code", error_code(error));
}

/* One byte, or 0 and errno at the end or at the deadline. */
static char read_byte(int fd, sc_ns_t deadline)
{
	struct pollfd item = { .fd = fd, .events = POLLIN };
	ssize_t got;
	char byte;

	do {
		int left_ms = deadline_left_ms(deadline);

		errno = ETIMEDOUT;
		if (!events_await(&item, 1, left_ms) && !left_ms)
			return 0;
		got = item.revents ? read(fd, &byte, 1) : -1;
	} while (got < 0 && (!item.revents || errno == EINTR || errno == EAGAIN));
	errno = ECONNRESET;
	return got == 1 ? byte : 0;
}

static json_t *line_parse(const char *line, size_t length)
{
	json_t *value;

	errno = json_read(line, length, 0, &value, NULL) == -ENOMEM ? ENOMEM : EPROTO;
	return value;
}

json_t *control_read_line(int fd, int timeout_ms)
{
	char line[CONTROL_ANSWER_MAX];
	size_t length = 0;
	sc_ns_t deadline = deadline_after_ms(timeout_ms);

	while (length < sizeof(line)) {
		char byte = read_byte(fd, deadline);

		if (!byte)
			return NULL;
		if (byte == '\n')
			return line_parse(line, length);
		line[length++] = byte;
	}
	errno = EPROTO;
	return NULL;
}

int control_send_request(int fd, json_t *line, const struct descriptors *descriptors)
{
	char *text = json_dumps(line, JSON_COMPACT);
	size_t length;
	int result = 0;

	json_decref(line);
	if (!text)
		return -ENOMEM;
	length = strlen(text);
	text[length] = '\n';
	if (descriptors_send(fd, text, length + 1, descriptors) < 0)
		result = -errno;
	free(text);
	return result;
}

int control_send_line(int fd, json_t *line)
{
	static const struct descriptors none;

	return control_send_request(fd, line, &none);
}

/* A stream is called writable while a quarter of its buffer is in use (unix_writable() in net/unix/af_unix.c). */
void control_write_progress(int fd, json_t *line)
{
	struct pollfd item = { .fd = fd, .events = POLLOUT };

	if (poll(&item, 1, 0) == 1 && item.revents == POLLOUT)
		control_send_line(fd, line);
	else
		json_decref(line);
}

/* The client learns at least that it will not learn more. */
static const char unsaid[] = "{\"error\":\"the monitor has no memory to tell what came of it: `seaclock status` "
			     "tells\",\"code\":\"unheard\"}\n";

void control_write_line(int fd, json_t *line)
{
	int result = control_send_line(fd, line);

	if (result == -ENOMEM && send(fd, unsaid, sizeof(unsaid) - 1, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return;
	/* The client may have gone, or may have stopped reading. What it asked for happens all the same. */
	if (result && result != -EPIPE && result != -EAGAIN)
		log_line("the control socket: %s", strerror(-result));
}
