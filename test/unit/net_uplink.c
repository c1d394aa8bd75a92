/* SPDX-License-Identifier: BSD-2-Clause */
/* What is behind a network device: plugs by their names, a passt over a socket, and a tap, where taps can be made. */
#include "unit.h"
#include "../wait_scale.h"

#include "dev/net/passt.h"
#include "dev/net/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER UPLINK_HEADER_SIZE
#define LIMIT_MS 20000

/* ---- Plugs ---- */

static void test_plugs(void **state)
{
	static const struct {
		const char *text;
		enum plug_kind kind;
	} valid[] = { { "tap=tap0", PLUG_TAP },	   { "tap=a23456789012345", PLUG_TAP },
		      { "tap=fd:0", PLUG_TAP_FD }, { "tap=fd:2147483647", PLUG_TAP_FD },
		      { "passt", PLUG_PASST },	   { "passt=/run/a b", PLUG_PASST_SOCKET } };
	static const char *const invalid[] = { "",
					       "tap",
					       "tap=",
					       "tap=a234567890123456",
					       "tap=.",
					       "tap=..",
					       "tap=a/b",
					       "tap=a b",
					       "tap=tap%d",
					       "tap=fd:",
					       "tap=fd:-1",
					       "tap=fd:2147483648",
					       "tap=fd:1x",
					       "tap=fd:1 ",
					       "tap=eth0:1",
					       "tap=fd:99999999999999999999",
					       "passt=",
					       "passt=a",
					       "passtx",
					       "user",
					       "tap=\xc3\xa4" };
	struct plug plug;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(valid); n++) {
		assert_true(plug_parse(valid[n].text, &plug));
		assert_int_equal(plug.kind, valid[n].kind);
		assert_int_equal(plug_is_passt(valid[n].text), valid[n].text[0] == 'p');
	}
	for (size_t n = 0; n < ARRAY_SIZE(invalid); n++)
		if (plug_parse(invalid[n], &plug))
			fail_msg("`%s` is taken", invalid[n]);
}

/* ---- passt ---- */

static struct uplink *uplink;
static int other;

static int set_up(void **state)
{
	struct error error;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	other = pair[1];
	return passt_attach(&uplink, "passt", pair[0], &error);
}

static int tear_down(void **state)
{
	(void)state;
	uplink_close(uplink);
	close(other);
	return 0;
}

static void say(const void *data, size_t size)
{
	assert_int_equal(write(other, data, size), size);
}

static void say_frame(uint32_t size, uint8_t byte)
{
	uint8_t frame[2000];
	uint32_t length = htonl(size);

	say(&length, sizeof(length));
	memset(frame, byte, size);
	say(frame, size);
}

static int64_t hear(uint8_t *data, size_t size)
{
	uint8_t header[HEADER];
	const struct iovec buffer[] = { { header, HEADER }, { data, 1 }, { data + 1, size - 1 } };

	return uplink->ops->receive(uplink, buffer, 3);
}

static void test_passt_receives(void **state)
{
	uint8_t data[1000];

	(void)state;
	assert_int_equal(hear(data, sizeof(data)), 0);
	say_frame(14, 1);
	say_frame(1000, 2);
	assert_int_equal(hear(data, sizeof(data)), HEADER + 14);
	assert_int_equal(data[13], 1);
	assert_int_equal(hear(data, sizeof(data)), HEADER + 1000);
	assert_int_equal(data[999], 2);
	/* What does not fit is left out, and the next frame is whole. */
	say_frame(1000, 3);
	say_frame(20, 4);
	assert_int_equal(hear(data, 100), HEADER + 100);
	assert_int_equal(hear(data, sizeof(data)), HEADER + 20);
	assert_int_equal(data[0], 4);
}

static void test_passt_receives_in_pieces(void **state)
{
	const uint8_t frame[] = { 0, 0, 0, 14, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };
	uint8_t data[100];

	(void)state;
	for (size_t n = 0; n < sizeof(frame); n++) {
		assert_int_equal(hear(data, sizeof(data)), 0);
		say(frame + n, 1);
	}
	assert_int_equal(hear(data, sizeof(data)), HEADER + 14);
	assert_memory_equal(data, frame + 4, 14);
}

static void test_passt_breaks_the_rules(void **state)
{
	static const uint32_t lengths[] = { 0, 13, UPLINK_FRAME_MAX + 1, UINT32_MAX };
	uint8_t data[100];

	for (size_t n = 0; n < ARRAY_SIZE(lengths); n++) {
		uint32_t length = htonl(lengths[n]);

		say(&length, sizeof(length));
		assert_int_equal(hear(data, sizeof(data)), -ENODEV);
		tear_down(state);
		set_up(state);
	}
	close(other);
	assert_int_equal(hear(data, sizeof(data)), -ENODEV);
	other = -1;
}

/* A frame of which the socket takes a part only goes on before the next one. */
static void test_passt_sends(void **state)
{
	static uint8_t frame[HEADER + 60000], heard[70000];
	uint32_t sent = 0, size;
	int result;

	(void)state;
	do {
		struct iovec buffer[] = { { frame, HEADER }, { frame + HEADER, 60000 } };

		memset(frame + HEADER, (int)sent + 1, 60000);
		result = uplink->ops->send(uplink, buffer, 2, sizeof(frame));
		sent += !result;
	} while (!result);
	assert_int_equal(result, -EAGAIN);
	assert_true(uplink->blocked);
	for (uint32_t n = 0; n < sent; n++) {
		for (size = 0; size < 60004;) {
			ssize_t got = recv(other, heard + size, 60004 - size, MSG_DONTWAIT);

			if (got > 0)
				size += (uint32_t)got;
			else
				uplink->ops->flush(uplink);
		}
		assert_memory_equal(heard, "\x00\x00\xea\x60", 4);
		assert_int_equal(heard[4], n + 1);
		assert_int_equal(heard[60003], n + 1);
	}
	assert_false(uplink->blocked);
	assert_int_equal(recv(other, heard, 1, MSG_DONTWAIT), -1);
}

#define LEFT_OPEN 100

/* Says in a frame whether it has inherited that descriptor, until it is killed. */
static const char script[] = "#!/bin/sh\n"
			     "test -e /proc/$$/fd/100 && word=leaks || word=alone\n"
			     "printf '\\000\\000\\000\\016%s---------' $word >&3\n"
			     "exec sleep 600\n";

/* Taps that the monitor was given as descriptors are not passt's. */
static void test_passt_inherits_its_socket(void **state)
{
	char folder[] = "/tmp/passt.XXXXXX", path[64], words[PATH_MAX];
	struct pollfd wait = { .events = POLLIN };
	const char *before = getenv("PATH");
	struct error error;
	uint8_t data[100];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/passt", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	assert_int_equal(write(fd, script, strlen(script)), strlen(script));
	close(fd);
	snprintf(words, sizeof(words), "%s:%s", folder, before);
	setenv("PATH", words, 1);
	assert_int_equal(dup2(STDIN_FILENO, LEFT_OPEN), LEFT_OPEN);
	assert_int_equal(uplink_open(&uplink, "passt", &error), 0);
	wait.fd = uplink->fd;
	assert_int_equal(poll(&wait, 1, wait_scaled(LIMIT_MS)), 1);
	assert_int_equal(hear(data, sizeof(data)), HEADER + 14);
	uplink_close(uplink);
	close(LEFT_OPEN);
	setenv("PATH", strchr(words, ':') + 1, 1);
	unlink(path);
	rmdir(folder);
	assert_memory_equal(data, "alone", 5);
}

/* One of which the socket takes nothing leaves nothing to send on, which is no failure. */
static void test_passt_takes_nothing(void **state)
{
	uint8_t frame[HEADER + 60] = { 0 }, heard[4096];
	struct iovec buffer[2];
	int result;

	(void)state;
	do {
		buffer[0] = (struct iovec){ frame, HEADER };
		buffer[1] = (struct iovec){ frame + HEADER, 60 };
		result = uplink->ops->send(uplink, buffer, 2, sizeof(frame));
	} while (!result);
	assert_int_equal(result, -EAGAIN);
	while (recv(other, heard, sizeof(heard), MSG_DONTWAIT) > 0)
		;
	errno = EPIPE;
	uplink->ops->flush(uplink);
	assert_false(uplink->blocked);
	buffer[0] = (struct iovec){ frame, HEADER };
	assert_int_equal(uplink->ops->send(uplink, buffer, 2, sizeof(frame)), 0);
}

static void test_passt_is_missing(void **state)
{
	struct uplink *none;
	struct error error;

	(void)state;
	assert_int_equal(uplink_open(&none, "passt=/nowhere/at/all", &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nowhere/at/all"));
	setenv("PATH", "/nowhere", 1);
	assert_int_equal(uplink_open(&none, "passt", &error), -ENOENT);
	assert_non_null(strstr(error.text, "install it"));
	assert_int_equal(uplink_open(&none, "user", &error), -EINVAL);
}

/* The real one, where there is one and the host has a network: it answers for an address that is not the guest's. */
static void test_passt_answers(void **state)
{
	static const uint8_t question[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
					      0,    1,	  8,	0,    6,    4,	  0, 1, 2, 0, 0,  0, 0, 1,
					      10,   0,	  2,	15,   0,    0,	  0, 0, 0, 0, 10, 0, 2, 2 };
	struct virtio_net_hdr_v1 header = { .flags = 0 };
	struct iovec sent[] = { { &header, HEADER }, { (void *)question, sizeof(question) } };
	uint8_t answer[2000], head[HEADER];
	const struct iovec heard[] = { { head, HEADER }, { answer, sizeof(answer) } };
	struct error error;
	struct uplink *passt;
	int64_t got = 0;

	(void)state;
	if (uplink_open(&passt, "passt", &error))
		skip();
	assert_int_equal(passt->ops->send(passt, sent, 2, HEADER + sizeof(question)), 0);
	for (unsigned int n = 0; n < wait_scaled(LIMIT_MS) && !got; n++) {
		got = passt->ops->receive(passt, heard, 2);
		usleep(1000);
	}
	uplink_close(passt);
	if (got == -ENODEV)
		skip();
	assert_true(got >= HEADER + 42);
	assert_memory_equal(answer, question + 6, 6);
	assert_memory_equal(answer + 12, "\x08\x06\x00\x01\x08\x00\x06\x04\x00\x02", 10);
}

/* ---- Taps, in a network of their own ---- */

static int tap_make(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	strcpy(request.ifr_name, name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &request)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void tap_raise(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	strcpy(request.ifr_name, name);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

static void expect_refused(const char *where, int result, const char *word)
{
	struct uplink *none;
	struct error error;

	assert_int_equal(uplink_open(&none, where, &error), result);
	if (!strstr(error.text, word))
		fail_msg("`%s` does not say %s", error.text, word);
}

static void tap_refused(void)
{
	int fd = open("/dev/null", O_RDONLY);
	char where[32];

	expect_refused("tap=none", -ENODEV, "there is no tap none");
	expect_refused("tap=lo", -EINVAL, "not a tap");
	expect_refused("tap=used", -EBUSY, "in use");
	expect_refused("tap=fd:999", -EBADF, "999 is not open");
	snprintf(where, sizeof(where), "tap=fd:%d", fd);
	expect_refused(where, -EINVAL, "is not a tap");
	close(fd);
}

/* The interface's own end is a packet socket's; here it is enough that the kernel takes the frame. */
static void tap_works(int fd)
{
	struct virtio_net_hdr_v1 header = { .flags = 0 };
	uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 };
	struct iovec buffer[] = { { &header, HEADER }, { frame, sizeof(frame) } };
	char where[32];
	struct error error;
	struct uplink *tap;

	snprintf(where, sizeof(where), "tap=fd:%d", fd);
	assert_int_equal(uplink_open(&tap, where, &error), 0);
	assert_int_equal(tap->mtu, 1500);
	tap_raise("used");
	tap->ops->negotiate(tap, tap->features);
	assert_int_equal(tap->ops->send(tap, buffer, 2, HEADER + sizeof(frame)), 0);
	while (tap->ops->receive(tap, buffer, 2) > 0)
		;
	uplink_close(tap);
}

static void tap_goes(int fd)
{
	struct virtio_net_hdr_v1 header = { .flags = 0 };
	uint8_t frame[60] = { 0 };
	struct iovec buffer[] = { { &header, HEADER }, { frame, sizeof(frame) } };
	struct error error;
	struct uplink *tap;

	assert_int_equal(ioctl(fd, TUNSETPERSIST, 1), 0);
	close(fd);
	assert_int_equal(uplink_open(&tap, "tap=used", &error), 0);
	assert_int_equal(system("ip link delete used"), 0);
	assert_int_equal(tap->ops->receive(tap, buffer, 2), -ENODEV);
	assert_int_equal(tap->ops->send(tap, buffer, 2, HEADER + sizeof(frame)), -ENODEV);
	uplink_close(tap);
}

static void test_tap(void **state)
{
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		skip();
	fd = tap_make("used");
	if (fd < 0)
		skip();
	tap_refused();
	tap_works(fd);
	tap_goes(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plugs),
		TEST(test_passt_receives),
		TEST(test_passt_receives_in_pieces),
		TEST(test_passt_breaks_the_rules),
		TEST(test_passt_sends),
		TEST(test_passt_takes_nothing),
		cmocka_unit_test(test_passt_answers),
		cmocka_unit_test(test_passt_inherits_its_socket),
		/* It changes PATH, so the tap comes first. */
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_passt_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
