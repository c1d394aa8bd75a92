/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Somebody at a receiver's port who is not seaclock: shows what a receiver says to certificates that no monitor would
 * send, and to words that are out of place.
 *
 *     stranger ADDRESS PORT KEYS silent            connects, and says nothing at all
 *     stranger ADDRESS PORT KEYS hello NAME ID     begins a migration, and no more
 *     stranger ADDRESS PORT KEYS question ID       asks what became of one
 *
 * KEYS is a folder with cert.pem and key.pem, or - for none. Policy: whoever answers is believed. A line says each
 * thing that happens, the last one that the connection is over; status 0 if there was an answer to the question.
 * Whoever starts it bounds its time.
 */
#include "transfer/frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#define HZ 25000000u
#define PAGE 4096u
#define FRAME_MAX 4096u

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "stranger: %s: %s\n", what, why);
	exit(2);
}

static void tell(const char *what, const char *more)
{
	printf("%s%s\n", what, more);
	fflush(stdout);
}

static int call(const char *address, const char *port)
{
	const struct addrinfo wanted = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found;
	int result = getaddrinfo(address, port, &wanted, &found), fd;

	if (result)
		die(address, gai_strerror(result));
	fd = socket(found->ai_family, found->ai_socktype, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen))
		die(address, strerror(errno));
	freeaddrinfo(found);
	return fd;
}

/* ---- Silence ---- */

static int stay_silent(int fd)
{
	struct timespec begin, end;
	char text[32], byte;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	tell("connected", "");
	while (read(fd, &byte, 1) > 0)
		;
	clock_gettime(CLOCK_MONOTONIC, &end);
	snprintf(text, sizeof(text), "%lld ms",
		 (long long)(end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000);
	tell("closed after ", text);
	return 1;
}

/* ---- TLS ---- */

static const char *alert_of(gnutls_session_t session, int status)
{
	const char *name = gnutls_alert_get_name(gnutls_alert_get(session));

	return status == GNUTLS_E_FATAL_ALERT_RECEIVED && name ? name : gnutls_strerror(status);
}

static gnutls_session_t greet(int fd, const char *keys)
{
	gnutls_certificate_credentials_t own;
	char certificate[4096], key[4096];
	gnutls_session_t session;
	int status;

	gnutls_certificate_allocate_credentials(&own);
	snprintf(certificate, sizeof(certificate), "%s/cert.pem", keys);
	snprintf(key, sizeof(key), "%s/key.pem", keys);
	status = strcmp(keys, "-") ? gnutls_certificate_set_x509_key_file(own, certificate, key, GNUTLS_X509_FMT_PEM)
				   : 0;
	if (status < 0)
		die(keys, gnutls_strerror(status));
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_priority_set_direct(session, "NORMAL:-VERS-ALL:+VERS-TLS1.3", NULL);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, own);
	gnutls_transport_set_int(session, fd);
	do
		status = gnutls_handshake(session);
	while (status < 0 && !gnutls_error_is_fatal(status));
	if (status >= 0)
		return session;
	tell("refused: ", alert_of(session, status));
	exit(1);
}

/* ---- Frames ---- */

static void frame_say(gnutls_session_t session, enum frame_type type, const struct buffer *content)
{
	uint8_t bytes[FRAME_MAX];

	frame_put_header(bytes, type, (uint32_t)content->size);
	memcpy(bytes + FRAME_HEADER_SIZE, content->data, content->size);
	gnutls_record_send(session, bytes, FRAME_HEADER_SIZE + content->size);
}

/* False, and a line, if there is nothing more. */
static bool bytes_hear(gnutls_session_t session, void *data, size_t size)
{
	uint8_t *next = data;
	ssize_t got = 1;

	while (size && got > 0) {
		got = gnutls_record_recv(session, next, size);
		next += got > 0 ? got : 0;
		size -= got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		tell("refused: ", alert_of(session, (int)got));
	return got > 0;
}

static bool frame_hear(gnutls_session_t session, enum frame_type *type, char text[FRAME_MAX + 1])
{
	uint8_t header[FRAME_HEADER_SIZE];
	struct error error;
	uint32_t size;

	if (!bytes_hear(session, header, sizeof(header)))
		return false;
	if (frame_get_header(header, type, &size, &error) || size > FRAME_MAX)
		die("a frame", "it is none, or too large");
	memset(text, 0, FRAME_MAX + 1);
	return bytes_hear(session, text, size);
}

/* Tells all that comes. 0 if one was an answer. */
static int listen_on(gnutls_session_t session)
{
	static const char *const answers[] = {
		[FRAME_ANSWER_RUNNING] = "it runs here",
		[FRAME_ANSWER_NEVER] = "never",
		[FRAME_ANSWER_UNKNOWN] = "unknown",
	};
	char text[FRAME_MAX + 1];
	enum frame_answer answer;
	enum frame_type type;
	struct error error;
	int status = 1;

	while (frame_hear(session, &type, text)) {
		tell(type == FRAME_ABORT ? "told: " : "frame: ", type == FRAME_ABORT ? text : frame_name(type));
		if (type != FRAME_ANSWER || frame_get_answer(text, sizeof(uint32_t), &answer, &error))
			continue;
		tell("answer: ", answers[answer]);
		status = 0;
		break;
	}
	tell("over", "");
	return status;
}

static struct frame_id id_parse(const char *text)
{
	struct frame_id id;

	for (size_t n = 0; n < sizeof(id.bytes); n++)
		if (sscanf(text + 2 * n, "%2hhx", &id.bytes[n]) != 1)
			die(text, "it is not 32 hexadecimal digits");
	return id;
}

static int say_hello(int fd, const char *keys, const char *name, const char *id)
{
	struct frame_hello hello = { .id = id_parse(id), .hz = HZ, .page_size = PAGE };
	gnutls_session_t session = greet(fd, keys);
	struct buffer content = { 0 };

	snprintf(hello.name, sizeof(hello.name), "%s", name);
	frame_put_hello(&content, &hello);
	frame_say(session, FRAME_HELLO, &content);
	tell("said", "");
	return listen_on(session);
}

static int ask(int fd, const char *keys, const char *text)
{
	const struct frame_id id = id_parse(text);
	gnutls_session_t session = greet(fd, keys);
	struct buffer content = { 0 };

	frame_put_question(&content, &id);
	frame_say(session, FRAME_QUESTION, &content);
	return listen_on(session);
}

int main(int argc, char **argv)
{
	const char *word = argc > 4 ? argv[4] : "";

	if (argc == 5 && !strcmp(word, "silent"))
		return stay_silent(call(argv[1], argv[2]));
	if (argc == 7 && !strcmp(word, "hello"))
		return say_hello(call(argv[1], argv[2]), argv[3], argv[5], argv[6]);
	if (argc == 6 && !strcmp(word, "question"))
		return ask(call(argv[1], argv[2]), argv[3], argv[5]);
	die("usage", "stranger ADDRESS PORT KEYS|- silent | hello NAME ID | question ID");
}
