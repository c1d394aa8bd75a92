/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network devices of machines: what a description says of them, on this host and on another, what a dry run says, and
 * what announces a guest that has arrived. The taps are real, in a network of the test's own; where that cannot be made
 * the tests with taps are skipped.
 */
#include "fixture/node.h"
#include "../wait_scale.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 20000

static struct node altra, grace;
static bool has_taps;

static int set_up(void **state)
{
	int result = process_set_up(state);

	node_make(&altra, "altra", "hz=25000000");
	node_make(&grace, "grace", "hz=25000000,counter=5000000");
	return result;
}

/* ---- A network ---- */

static bool interface_raise(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool raised;

	strcpy(request.ifr_name, name);
	raised = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return raised;
}

/* One that outlives its maker. */
static bool tap_make(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	bool made;

	strcpy(request.ifr_name, name);
	made = fd >= 0 && !ioctl(fd, TUNSETIFF, &request) && !ioctl(fd, TUNSETPERSIST, 1) && interface_raise(name);
	close(fd);
	return made;
}

static bool network_make(void)
{
	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return false;
	return interface_raise("lo") && tap_make("here") && tap_make("there");
}

/* What comes out of a tap as RARP. */
static int listen_to(const char *tap)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET,
				       .sll_protocol = htons(ETH_P_RARP),
				       .sll_ifindex = (int)if_nametoindex(tap) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_RARP));

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void expect_announcement(int fd, const char *mac)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	uint8_t frame[100];
	char text[18];

	assert_int_equal(poll(&wait, 1, (int)wait_scaled(LIMIT_MS)), 1);
	assert_int_equal(recv(fd, frame, sizeof(frame), 0), 60);
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", frame[6], frame[7], frame[8], frame[9], frame[10],
		 frame[11]);
	assert_string_equal(text, mac);
}

/* ---- Machines ---- */

static struct process *run(const char *net)
{
	struct process *monitor =
		node_start(&altra, "run", "guest", "--kernel", node_kernel(), "--append", "guest=printing", "--memory",
			   "64", "--console", node_path(&altra, "guest.console"), "--net", net, NULL);

	node_wait_state(&altra, "guest", "running");
	return monitor;
}

static void expect_net(const struct node *node, const char *where, char mac[18])
{
	json_t *status = node_status(node, "guest");
	const json_t *net = json_array_get(json_object_get(json_object_get(status, "machine"), "nets"), 0);

	assert_string_equal(json_string_value(json_object_get(net, "where")), where);
	snprintf(mac, 18, "%s", json_string_value(json_object_get(net, "mac")));
	json_decref(status);
}

static void test_migrated(void **state)
{
	struct process *monitor;
	char mac[18], later[18];
	int from, to;

	(void)state;
	if (!has_taps)
		skip();
	from = listen_to("here");
	to = listen_to("there");
	monitor = run("tap=here");
	expect_net(&altra, "tap=here", mac);
	expect_announcement(from, mac);
	node_receive_with(&grace, "--net", "0=tap=there");
	assert_int_equal(
		node_command(&altra, "migrate", "guest", grace.address, "--force", "--max-step", "100000", NULL), 0);
	assert_int_equal(process_wait(monitor), 5);
	node_runs_on(&grace, "guest");
	expect_net(&grace, "tap=there", later);
	assert_string_equal(mac, later);
	expect_announcement(to, mac);
	close(from);
	close(to);
}

static void expect_stays(const char *option, const char *words)
{
	node_receive_with(&grace, "--net", option);
	node_expect_refused(
		&altra,
		node_command(&altra, "migrate", "guest", grace.address, "--force", "--max-step", "100000", NULL),
		words);
	node_runs_on(&altra, "guest");
}

static void test_no_tap(void **state)
{
	(void)state;
	if (!has_taps)
		skip();
	run("tap=here,mac=02:00:00:00:00:07");
	expect_stays("0=tap=none", "there is no tap none on this host");
}

static void test_tap_in_use(void **state)
{
	(void)state;
	if (!has_taps)
		skip();
	run("tap=here");
	expect_stays("0=tap=here", "the tap here is in use");
}

static void test_no_passt_for_a_tap(void **state)
{
	(void)state;
	if (!has_taps)
		skip();
	run("tap=here");
	expect_stays("0=passt", "which passt does not do");
}

/* A socket takes the place of passt. */
static void test_passt(void **state)
{
	const char *path = process_path("passt");
	int passt = process_listen(path);
	char net[PROCESS_PATH_SIZE + 8];

	(void)state;
	snprintf(net, sizeof(net), "passt=%s", path);
	run(net);
	node_receive(&grace);
	assert_int_equal(node_command(&altra, "migrate", "guest", grace.address, "--dry-run", "--force", NULL), 0);
	assert_non_null(
		strstr(altra.said, "connections of the guest through passt (network device 0) end with the move"));
	close(passt);
}

static void test_refused(void **state)
{
	(void)state;
	node_expect_refused(&altra,
			    node_command(&altra, "run", "guest", "--kernel", node_kernel(), "--net", "tap=none", NULL),
			    "network device 0: there is no tap none on this host");
	node_expect_refused(
		&altra, node_command(&altra, "run", "guest", "--kernel", node_kernel(), "--net", "passt=/none", NULL),
		"network device 0: no passt answers at /none");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, process_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_migrated),	       TEST(test_no_tap), TEST(test_tap_in_use),
		TEST(test_no_passt_for_a_tap), TEST(test_passt),  TEST(test_refused),
	};

	has_taps = network_make();
	return process_run_tests(tests, ARRAY_SIZE(tests));
}
