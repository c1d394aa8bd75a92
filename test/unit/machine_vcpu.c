/* SPDX-License-Identifier: BSD-2-Clause */
/* Holding vCPUs outside the guest: holds nest, a held vCPU has no unfinished work, and nobody waits for ever. */
#include "unit.h"
#include "../fake/host_fake.h"
#include "../property/random.h"
#include "../wait_scale.h"

#include "machine/vcpu.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

#define VCPUS 3u
#define LIMIT_S 60

static struct host_vm vm;
static struct vcpu_set set;
static struct error error;
static uint32_t exits;

static const struct fake_exit load = { .exit = { .kind = HOST_EXIT_MMIO, .gpa = 4096, .size = 8 } };
static const struct fake_exit power_off = { .exit = { .kind = HOST_EXIT_SHUTDOWN } };

static enum vcpu_next on_exit_count(void *machine, uint32_t vcpu, const struct host_exit *exit)
{
	assert_ptr_equal(machine, &set);
	assert_true(vcpu < VCPUS);
	__atomic_add_fetch(&exits, 1, __ATOMIC_SEQ_CST);
	if (exit->kind == HOST_EXIT_MMIO)
		exit->data[0] = 0x42;
	return exit->kind == HOST_EXIT_MMIO ? VCPU_RUNS : VCPU_HALTS;
}

static int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	exits = 0;
	if (host_vm_create(&vm, FAKE_FUNCTIONS, &error))
		return -1;
	return vcpus_create(&set, &vm, VCPUS, true, on_exit_count, &set, &error);
}

static int tear_down(void **state)
{
	(void)state;
	vcpus_destroy(&set);
	host_vm_destroy(&vm);
	alarm(0);
	return 0;
}

static void expect_inside(bool inside)
{
	for (uint32_t n = 0; n < VCPUS; n++)
		assert_true(fake_vcpu_wait_inside(&set.vcpu[n].host, inside));
}

/* No vCPU is inside, and the state of each can be taken (or the fake ends the program). */
static void expect_held(void)
{
	struct buffer buffer = { 0 };

	for (uint32_t n = 0; n < VCPUS; n++) {
		assert_false(fake_vcpu_of(&set.vcpu[n].host)->inside);
		assert_int_equal(host_vcpu_save(&set.vcpu[n].host, &buffer, &error), 0);
	}
	buffer_free(&buffer);
}

static void test_start_held(void **state)
{
	(void)state;
	assert_int_equal(vcpus_start(&set, &error), 0);
	vcpus_park(&set);
	expect_held();
	vcpus_unpark(&set);
	assert_false(fake_vm_of(&vm)->has_run);
	vcpus_unpark(&set);
	expect_inside(true);
}

static void test_nested(void **state)
{
	(void)state;
	vcpus_start(&set, &error);
	vcpus_unpark(&set);
	expect_inside(true);
	vcpus_park(&set);
	expect_held();
	vcpus_park(&set);
	vcpus_park(&set);
	vcpus_unpark(&set);
	vcpus_unpark(&set);
	expect_held();
	vcpus_unpark(&set);
	expect_inside(true);
}

static void test_online(void **state)
{
	(void)state;
	assert_int_equal(vcpus_online(&set), 1);
	fake_vcpu_of(&set.vcpu[2].host)->on = true;
	assert_int_equal(vcpus_online(&set), 5);
}

/* Known without a call to a vCPU of another thread; what has changed is known after a look. */
static void test_known_online(void **state)
{
	struct host_vcpu *second = &set.vcpu[1].host;
	uint32_t touches;

	(void)state;
	assert_int_equal(vcpus_known_online(&set), 1);
	vcpus_start(&set, &error);
	assert_int_equal(vcpus_known_online(&set), 1);
	vcpus_unpark(&set);
	expect_inside(true);
	touches = fake_vm_touches(&vm);
	/* One that asks for something is on. */
	fake_vcpu_script(second, &load);
	assert_true(fake_vcpu_wait(second));
	assert_int_equal(vcpus_known_online(&set), 3);
	/* The fake's vCPU was off all the time. */
	while (vcpus_known_online(&set) != 1)
		sched_yield();
	expect_inside(true);
	pthread_mutex_lock(&fake_lock);
	fake_vcpu_of(second)->on = true;
	pthread_mutex_unlock(&fake_lock);
	while (vcpus_known_online(&set) != 3)
		sched_yield();
	assert_int_equal(fake_vm_touches(&vm), touches);
	/* The look has left no kick behind. */
	fake_vcpu_script(second, &load);
	assert_true(fake_vcpu_wait(second));
	vcpus_park(&set);
	assert_int_equal(vcpus_online(&set), 3);
	assert_true(fake_vm_touches(&vm) > touches);
	vcpus_unpark(&set);
	expect_inside(true);
}

static void test_exit(void **state)
{
	(void)state;
	vcpus_start(&set, &error);
	vcpus_unpark(&set);
	fake_vcpu_script(&set.vcpu[1].host, &load);
	assert_true(fake_vcpu_wait(&set.vcpu[1].host));
	assert_int_equal(exits, 1);
	assert_int_equal(fake_vcpu_register(&set.vcpu[1].host, FAKE_REGISTER_X0), 0x42);
}

/* The hold comes while the exit is being served: the answer is in the registers before anybody may read them. */
static enum vcpu_next on_exit_slow(void *machine, uint32_t vcpu, const struct host_exit *exit)
{
	const struct fake_vcpu *fake = fake_vcpu_of(&set.vcpu[vcpu].host);
	bool kicked = false;

	while (!kicked) {
		pthread_mutex_lock(&fake_lock);
		kicked = fake->kicked;
		pthread_mutex_unlock(&fake_lock);
		sched_yield();
	}
	return on_exit_count(machine, vcpu, exit);
}

static void test_hold_during_exit(void **state)
{
	(void)state;
	set.on_exit = on_exit_slow;
	vcpus_start(&set, &error);
	vcpus_unpark(&set);
	expect_inside(true);
	fake_vcpu_script(&set.vcpu[0].host, &load);
	assert_true(fake_vcpu_wait_inside(&set.vcpu[0].host, false));
	vcpus_park(&set);
	expect_held();
	assert_int_equal(fake_vcpu_register(&set.vcpu[0].host, FAKE_REGISTER_X0), 0x42);
	assert_int_equal(fake_vcpu_register(&set.vcpu[0].host, FAKE_REGISTER_PC), 4);
	vcpus_unpark(&set);
	expect_inside(true);
	assert_int_equal(fake_vcpu_register(&set.vcpu[0].host, FAKE_REGISTER_PC), 4);
}

/* After the end of the guest nobody goes in again, and holding still works. */
static void test_halted(void **state)
{
	(void)state;
	vcpus_start(&set, &error);
	vcpus_unpark(&set);
	expect_inside(true);
	fake_vcpu_script(&set.vcpu[0].host, &power_off);
	assert_true(fake_vcpu_wait_inside(&set.vcpu[0].host, false));
	vcpus_park(&set);
	expect_held();
	vcpus_unpark(&set);
	vcpus_park(&set);
	vcpus_unpark(&set);
	assert_int_equal(exits, 1);
	assert_int_equal(fake_vm_of(&vm)->inside, 0);
}

static void test_run_fails(void **state)
{
	(void)state;
	fake_fail(fake_host_current(), FAKE_VCPU_RUN, 0, 1, EFAULT);
	vcpus_start(&set, &error);
	vcpus_unpark(&set);
	vcpus_park(&set);
	while (!__atomic_load_n(&exits, __ATOMIC_SEQ_CST)) {
		vcpus_unpark(&set);
		vcpus_park(&set);
	}
	vcpus_unpark(&set);
	assert_int_equal(exits, 1);
}

static void test_create_fails(void **state)
{
	struct host_vm other;
	struct vcpu_set more;

	(void)state;
	for (uint32_t n = 0; n < VCPUS; n++) {
		assert_int_equal(host_vm_create(&other, FAKE_FUNCTIONS, &error), 0);
		fake_fail(fake_host_current(), FAKE_VCPU_CREATE, n, 1, ENOMEM);
		assert_int_equal(vcpus_create(&more, &other, VCPUS, true, on_exit_count, &set, &error), -ENOMEM);
		/* Nothing is left for the caller to destroy. */
		assert_int_equal(more.count, 0);
		host_vm_destroy(&other);
	}
}

/* ---- Several who hold at once, while vCPUs work ---- */

#define HOLDERS 3u
#define ROUNDS 300u

static void *holder_thread(void *argument)
{
	struct random random = { (uintptr_t)argument };

	for (uint32_t n = 0; n < ROUNDS; n++) {
		vcpus_known_online(&set);
		vcpus_park(&set);
		if (random_chance(&random, 2))
			vcpus_park(&set), vcpus_unpark(&set);
		expect_held();
		vcpus_unpark(&set);
		if (random_chance(&random, 3))
			sched_yield();
	}
	return NULL;
}

/* Keeps a vCPU busy with loads. */
static void *feeder_thread(void *argument)
{
	const struct host_vcpu *vcpu = argument;

	for (uint32_t n = 0; n < ROUNDS; n++) {
		fake_vcpu_script(vcpu, &load);
		if (n % 8 == 0 && !fake_vcpu_wait(vcpu))
			return argument;
	}
	return fake_vcpu_wait(vcpu) ? NULL : argument;
}

static void test_storm(void **state)
{
	struct random random = random_start();
	pthread_t holders[HOLDERS], feeders[VCPUS];
	void *failed;

	(void)state;
	vcpus_start(&set, &error);
	vcpus_unpark(&set);
	for (uint32_t n = 0; n < HOLDERS; n++)
		pthread_create(&holders[n], NULL, holder_thread, (void *)(uintptr_t)random_next(&random));
	for (uint32_t n = 0; n < VCPUS; n++)
		pthread_create(&feeders[n], NULL, feeder_thread, &set.vcpu[n].host);
	for (uint32_t n = 0; n < HOLDERS; n++)
		pthread_join(holders[n], NULL);
	for (uint32_t n = 0; n < VCPUS; n++) {
		pthread_join(feeders[n], &failed);
		assert_null(failed);
		assert_int_equal(fake_vcpu_register(&set.vcpu[n].host, FAKE_REGISTER_PC), 4 * ROUNDS);
	}
	assert_int_equal(exits, VCPUS * ROUNDS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_start_held),	 TEST(test_nested),	      TEST(test_online),
		TEST(test_exit),	 TEST(test_hold_during_exit), TEST(test_halted),
		TEST(test_run_fails),	 TEST(test_create_fails),     TEST(test_storm),
		TEST(test_known_online),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
