/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request that comes just before a device asks to be notified: its driver was told not to, so the device has to look
 * once more after it has asked. The moment is that of the question's store. Its page cannot be written at first, and
 * the driver comes in the fault.
 */
#include "unit.h"
#include "../fake/block_driver.h"
#include "../fake/host_fake.h"
#include "../wait_scale.h"

#include "base/layout.h"
#include "dev/virtio/random.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LIMIT_S 60
#define ANSWER_MS 10000
#define HEADS 8u
#define DISK_SIZE (64 * 512ull)
#define EVENT_INDEX (1ull << 29)
#define VERSION_1 (1ull << 32)
#define SLOT 3u
/* The device's part of the ring, which it stores the question into, in pages of its own. */
#define USED (LAYOUT_RAM_BASE + 0x10000)
#define DATA (LAYOUT_RAM_BASE + 0x20000)

/* ---- The moment ---- */

static struct {
	void *page; /* NULL: nothing is waited for */
	size_t size;
	void (*driver)(void);
} trap;

static void on_fault(int number, siginfo_t *info, void *context)
{
	const uint8_t *at = info->si_addr, *page = trap.page;

	(void)context;
	if (!page || at < page || at >= page + trap.size) {
		signal(number, SIG_DFL);
		return;
	}
	trap.page = NULL;
	mprotect((void *)page, trap.size, PROT_READ | PROT_WRITE);
	trap.driver();
}

/* At the first store into these pages the driver comes first. */
static void trap_set(const struct memory *memory, void (*driver)(void))
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	trap.size = (size_t)sysconf(_SC_PAGESIZE);
	trap.page = memory_span(memory, USED, trap.size);
	trap.driver = driver;
	assert_non_null(trap.page);
	assert_int_equal((uintptr_t)trap.page % trap.size, 0);
	assert_int_equal(sigaction(SIGSEGV, &action, NULL), 0);
	assert_int_equal(mprotect(trap.page, trap.size, PROT_READ), 0);
}

static int set_up(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	alarm(0);
	return signal(SIGSEGV, SIG_DFL) == SIG_ERR;
}

/* A driver with such a ring, whose device is live once this returns. */
static void go(struct device *device, struct virtio_ring *ring, struct memory *memory, void (*driver)(void))
{
	assert_true(virtio_driver_begin(device, VERSION_1 | EVENT_INDEX));
	virtio_ring_init(ring, memory, LAYOUT_RAM_BASE + 0x1000, HEADS);
	ring->used = USED;
	ring->event_index = true;
	assert_true(virtio_driver_set_queue(device, 0, ring));
	virtio_ring_ask(ring, true);
	/* The last question was answered long ago. */
	virtio_ring_store(ring, USED + 4 + 8u * HEADS, UINT16_MAX);
	trap_set(memory, driver);
	assert_true(virtio_driver_go(device));
}

/* ---- A device that serves its queue at once ---- */

static struct memory memory;
static struct virtio_ring ring;
static bool told; /* the driver was to notify of its request */

static void set_line(void *context, uint32_t intid, bool level)
{
	(void)context;
	(void)intid;
	(void)level;
}

static void draw(void)
{
	const struct ring_buffer buffer = { DATA, 64, true };

	virtio_ring_add(&ring, &buffer, 1, false);
	told = virtio_ring_wants_kick(&ring);
}

static void test_served_at_once(void **state)
{
	const struct device_line line = { .set = set_line };
	struct virtio_random source;
	struct device *device = &source.virtio.device;
	struct error error;
	uint32_t written;
	uint16_t head;

	(void)state;
	assert_int_equal(memory_create(&memory, 1u << 20, &error), 0);
	virtio_random_init(&source, SLOT, &memory, "m", &line);
	device->ops->reset(device);
	go(device, &ring, &memory, draw);
	/* A notification of what is not there. */
	virtio_driver_write(device, 0x050, 0);
	assert_null(trap.page);
	assert_false(told);
	assert_true(virtio_ring_collect(&ring, &head, &written));
	assert_int_equal(written, 64);
	device->ops->destroy(device);
	memory_destroy(&memory);
}

/* ---- A device with a thread ---- */

static struct fake_disk disk;
static struct block_guest guest;

static void read_sector(void)
{
	const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };

	block_guest_send(&guest, 0, &header, sizeof(header), 513, NULL);
	told = virtio_ring_wants_kick(&guest.ring);
}

static void test_served_by_a_thread(void **state)
{
	struct device *device = &guest.block.virtio.device;

	(void)state;
	fake_disk_init(&disk, DISK_SIZE, DISK_SIZE, (struct random){ 1 });
	block_guest_init(&guest, &disk, "");
	device->ops->start(device);
	go(device, &guest.ring, &guest.memory, read_sector);
	assert_int_equal(block_guest_wait_ms(&guest, wait_scaled(ANSWER_MS)), 0);
	assert_false(told);
	block_guest_destroy(&guest);
	fake_disk_destroy(&disk);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_served_at_once),
		TEST(test_served_by_a_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
