/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's disks: opened as described, whose they are, where the guest finds them, and what moves. */
#include "machine_fixture.h"
#include "../fake/virtio_driver.h"

#include "machine/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define DISK_SIZE 65536u
#define VERSION_1 (1ull << 32)
#define RING_GPA LAYOUT_RAM_BASE
#define BUFFER_GPA (LAYOUT_RAM_BASE + 0x100000)

static char folder[] = "/tmp/seaclock-disks-XXXXXX";
static struct machine_config described;
static struct disks disks, others;

static int set_up_group(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int tear_down_group(void **state)
{
	(void)state;
	unlink("a");
	unlink("b");
	return chdir("/") || rmdir(folder);
}

static void file_make(const char *name)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_SIZE), 0);
	close(fd);
}

static void describe(const char *first, const char *second)
{
	described = config;
	described.model = CONFIG_MODEL_DEVICES;
	described.disks = 2;
	described.disk[0] = described.disk[1] = config_disk_default();
	snprintf(described.disk[0].where, sizeof(described.disk[0].where), "%s", first);
	snprintf(described.disk[1].where, sizeof(described.disk[1].where), "%s", second);
	snprintf(described.disk[1].serial, sizeof(described.disk[1].serial), "second");
}

static int set_up_disks(void **state)
{
	(void)state;
	alarm(wait_scaled(LIMIT_S));
	fake_reset();
	file_make("a");
	file_make("b");
	console = (struct console){ .in = -1, .out = -1 };
	describe("a", "b");
	return 0;
}

static int tear_down_disks(void **state)
{
	(void)state;
	disks_close(&disks);
	disks_close(&others);
	alarm(0);
	return 0;
}

/* ---- Whose they are ---- */

static void test_opens_all_or_none(void **state)
{
	(void)state;
	describe("a", "c");
	assert_int_equal(disks_open(&disks, &described, &error), -ENOENT);
	assert_string_equal(error.text, "disk 1: there is no disk c");
	assert_int_equal(disks.count, 0);
	assert_int_equal(machine_create(&machine, &described, &console, &error), -ENOENT);
	assert_string_equal(error.text, "disk 1: there is no disk c");
}

static void test_locks_all_or_none(void **state)
{
	struct error reason;

	(void)state;
	assert_int_equal(disks_open(&disks, &described, &error), 0);
	assert_int_equal(disks_open(&others, &described, &error), 0);
	assert_int_equal(disk_lock(others.disk[1], DISKS_LOCK_MS, &error), 0);
	assert_int_equal(disks_lock(&disks, &error), -EBUSY);
	assert_memory_equal(error.text, "disk 1: ", 8);
	assert_non_null(strstr(error.text, "b"));
	/* The first one is free again. */
	assert_int_equal(disk_lock(others.disk[0], DISKS_LOCK_MS, &reason), 0);
	disks_unlock(&others, &error);
	assert_int_equal(disks_lock(&disks, &error), 0);
	assert_int_equal(disks_lock(&others, &error), -EBUSY);
	disks_unlock(&disks, &error);
	assert_int_equal(disks_lock(&others, &error), 0);
}

static void test_checks_that_they_are_locked(void **state)
{
	(void)state;
	assert_int_equal(disks_open(&disks, &described, &error), 0);
	assert_int_equal(disks_open(&others, &described, &error), 0);
	assert_int_equal(disks_check_locked(&disks, NULL, &error), -ENOLCK);
	assert_memory_equal(error.text, "disk 0: ", 8);
	assert_int_equal(disk_lock(others.disk[0], DISKS_LOCK_MS, &error), 0);
	assert_int_equal(disks_check_locked(&disks, NULL, &error), -ENOLCK);
	assert_memory_equal(error.text, "disk 1: ", 8);
	assert_int_equal(disk_lock(others.disk[1], DISKS_LOCK_MS, &error), 0);
	assert_int_equal(disks_check_locked(&disks, NULL, &error), 0);
}

/* A server on this host: whether it is the machine's, only somebody here can know. */
static void test_names_of_one_host(void **state)
{
	struct disk server = { .where = "nbd+unix:///?socket=/run/x", .shared_name = false };
	const struct disk_ops ops = { .close = NULL };
	const struct disks all = { .disk = { &server }, .count = 1 };
	bool named[CONFIG_DISKS_MAX] = { false };

	(void)state;
	server.ops = &ops;
	assert_int_equal(disks_check_locked(&all, NULL, &error), -EPERM);
	assert_non_null(strstr(error.text, "--disk 0=nbd+unix:///?socket=/run/x"));
	assert_int_equal(disks_check_locked(&all, named, &error), -EPERM);
	named[0] = true;
	assert_int_equal(disks_check_locked(&all, named, &error), 0);
	named[0] = false;
	server.shared_name = true;
	assert_int_equal(disks_check_locked(&all, named, &error), 0);
}

/* ---- In a machine ---- */

static struct device *disk_device(uint32_t n)
{
	return devices_find(&machine.devices, SECTION_ID('V', 'B', 'L', 'K'), n);
}

static void test_places(void **state)
{
	struct acpi_node nodes[ACPI_NODES_MAX];

	(void)state;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	assert_true(devices_describe(&machine.devices, nodes, ACPI_NODES_MAX) >= 3);
	for (uint32_t n = 0; n < 2; n++) {
		assert_string_equal(nodes[1 + n].hid, "LNRO0005");
		assert_int_equal(nodes[1 + n].uid, n);
		assert_int_equal(nodes[1 + n].base, 0x0a000000 + 0x200 * n);
		assert_int_equal(nodes[1 + n].intid, 48 + n);
		assert_int_equal(virtio_driver_read(disk_device(n), 0x008), 2);
		assert_int_equal(virtio_driver_read(disk_device(n), 0x100), DISK_SIZE / 512);
	}
	machine_destroy(&machine);
}

/* Writes a byte to the first sector of disk n, as a driver does: the status. */
static uint8_t write_byte(uint32_t n, uint8_t byte)
{
	const struct ring_buffer buffers[] = { { BUFFER_GPA, 16 + 512, false }, { BUFFER_GPA + 1024, 1, true } };
	const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT };
	struct device *device = disk_device(n);
	uint8_t *place = memory_span(&machine.memory, BUFFER_GPA, 2048);
	struct virtio_ring ring;
	uint32_t written;
	uint16_t head;

	assert_true(virtio_driver_begin(device, VERSION_1 | 1 << VIRTIO_BLK_F_FLUSH));
	virtio_ring_init(&ring, &machine.memory, RING_GPA, 16);
	assert_true(virtio_driver_set_queue(device, 0, &ring) && virtio_driver_go(device));
	memcpy(place, &header, sizeof(header));
	memset(place + sizeof(header), byte, 512);
	assert_true(virtio_ring_add(&ring, buffers, 2, false) >= 0);
	/* No exit tells the device, which asks for a notification once it has nothing to do. */
	while (!virtio_ring_wants_kick(&ring))
		usleep(100);
	assert_false(fake_vm_ring(&machine.vm, device->base + 0x050, 1));
	assert_true(fake_vm_ring(&machine.vm, device->base + 0x050, 0));
	while (!virtio_ring_collect(&ring, &head, &written))
		usleep(100);
	return place[1024];
}

static uint8_t file_byte(const char *name)
{
	uint8_t byte = 0;
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 511), 1);
	close(fd);
	return byte;
}

static void test_guest_writes(void **state)
{
	(void)state;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	devices_start(&machine.devices);
	/* Not before the disks are its own. */
	assert_int_equal(write_byte(0, 7), VIRTIO_BLK_S_IOERR);
	assert_int_equal(disks_lock(&machine.disks, &error), 0);
	assert_int_equal(write_byte(0, 7), VIRTIO_BLK_S_OK);
	assert_int_equal(write_byte(1, 8), VIRTIO_BLK_S_OK);
	machine_destroy(&machine);
	assert_int_equal(file_byte("a"), 7);
	assert_int_equal(file_byte("b"), 8);
	/* Nobody has them any more. */
	assert_int_equal(disks_open(&disks, &described, &error), 0);
	assert_int_equal(disks_lock(&disks, &error), 0);
}

static void test_grows(void **state)
{
	struct machine_growth growth = { 0 };

	(void)state;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	assert_int_equal(machine_grow(&machine, 0, &growth, &error), -EBUSY);
	devices_start(&machine.devices);
	assert_int_equal(truncate("a", DISK_SIZE * 2), 0);
	assert_int_equal(machine_grow(&machine, 0, &growth, &error), 0);
	assert_true(growth.before == DISK_SIZE && growth.after == DISK_SIZE * 2);
	assert_int_equal(virtio_driver_read(disk_device(0), 0x100), DISK_SIZE * 2 / 512);
	assert_int_equal(machine_grow(&machine, 1, &growth, &error), 0);
	assert_true(growth.before == DISK_SIZE && growth.after == DISK_SIZE);
	assert_int_equal(virtio_driver_read(disk_device(1), 0x100), DISK_SIZE / 512);
	assert_int_equal(machine_grow(&machine, 2, &growth, &error), -EINVAL);
	assert_string_equal(error.text, "m has no disk 2: it has 2, and the first one is disk 0");
	assert_int_equal(truncate("a", DISK_SIZE), 0);
	assert_true(machine_grow(&machine, 0, &growth, &error) < 0);
	assert_int_equal(virtio_driver_read(disk_device(0), 0x100), DISK_SIZE * 2 / 512);
	machine_destroy(&machine);
}

static bool second_halted;

static void quiesce_first(struct device *device)
{
	second_halted = machine.devices.disk[1].order == BLOCK_STAND;
	machine.devices.disk[0].virtio.ops->quiesce(&machine.devices.disk[0].virtio);
	assert_ptr_equal(device, &machine.devices.disk[0].virtio.device);
}

/* All are told before one is waited for. */
static void test_halts_together(void **state)
{
	(void)state;
	second_halted = false;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	assert_int_equal(disks_lock(&machine.disks, &error), 0);
	machine.devices.disk[0].virtio.device_ops.quiesce = quiesce_first;
	devices_start(&machine.devices);
	devices_quiesce(&machine.devices);
	assert_true(second_halted);
	assert_int_equal(devices_settled(&machine.devices, &error), 0);
	machine_destroy(&machine);
}

static void test_state(void **state)
{
	const struct clock_handoff handoff = { .policy = SC_CLOCK_ADVANCE };
	struct buffer saved = { 0 };
	sc_ns_t gap;

	(void)state;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	assert_int_equal(disks_lock(&machine.disks, &error), 0);
	devices_start(&machine.devices);
	assert_int_equal(write_byte(1, 8), VIRTIO_BLK_S_OK);
	devices_quiesce(&machine.devices);
	assert_int_equal(state_save(&machine, &handoff, &saved, &error), 0);
	devices_reset(&machine.devices);
	assert_int_equal(virtio_driver_read(disk_device(1), 0x070), 0);
	assert_int_equal(state_load(&machine, saved.data, saved.size, &gap, &error), 0);
	assert_int_equal(virtio_driver_read(disk_device(1), 0x070), 15);
	assert_int_equal(virtio_driver_read(disk_device(0), 0x070), 0);
	machine_destroy(&machine);
	buffer_free(&saved);
}

/* ---- Whether another host could have the machine ---- */

static void demand_nothing(struct device *device, struct buffer *demand)
{
	(void)device;
	(void)demand;
}

static void demand_a_byte(struct device *device, struct buffer *demand)
{
	(void)device;
	buffer_put_u32(demand, 1);
}

/* The machine is asked about itself, after `change` of one of the two sides. */
static int try_it(void (*demand)(struct device *device, struct buffer *demand), void (*change)(struct disk *disk))
{
	struct device_ops *ops = &machine.devices.disk[1].virtio.device_ops, before_ops = *ops;
	struct disk *disk = machine.disks.disk[1], before_disk = *disk;
	struct buffer trial = { 0 };
	int result;

	if (demand)
		ops->demand = demand;
	assert_int_equal(state_save_trial(&machine, &trial, &error), 0);
	*ops = before_ops;
	if (change)
		change(disk);
	result = state_try(&machine, trial.data, trial.size, &error);
	*disk = before_disk;
	buffer_free(&trial);
	return result;
}

static void discard_nothing(struct disk *disk)
{
	disk->can_discard = false;
}

static void clear_nothing(struct disk *disk)
{
	disk->can_write_zeroes = false;
}

static void shrink(struct disk *disk)
{
	disk->size /= 2;
}

static void test_demands(void **state)
{
	const uint64_t features = VERSION_1 | 1 << VIRTIO_BLK_F_DISCARD | 1 << VIRTIO_BLK_F_FLUSH;

	(void)state;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	/* The guest has not said yet what it wants. */
	assert_int_equal(try_it(NULL, NULL), 0);
	assert_int_equal(try_it(NULL, discard_nothing), 0);
	assert_true(virtio_driver_begin(disk_device(1), features));
	assert_int_equal(try_it(NULL, NULL), 0);
	assert_int_equal(try_it(NULL, clear_nothing), 0);
	assert_int_equal(try_it(NULL, discard_nothing), -ENOTSUP);
	assert_string_equal(error.text, "the guest could no longer discard what it has deleted on disk 1 (b) here, for "
					"its server cannot: use one that can do all that the source's can");
	assert_int_equal(try_it(NULL, shrink), -EINVAL);
	assert_non_null(strstr(error.text, "disk 1 (b) has 64 sectors here, and the guest knows 128"));
	/* A source of an older version demands nothing. */
	assert_int_equal(try_it(demand_nothing, discard_nothing), 0);
	assert_int_equal(try_it(demand_a_byte, NULL), -EPROTO);
	machine_destroy(&machine);
}

/* As receive --disk 0=b --disk 1=a would have it. */
static void test_exchanged(void **state)
{
	struct buffer trial = { 0 };
	struct disk **disk = machine.disks.disk;
	uint64_t first, second;

	(void)state;
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	first = disk[0]->identity;
	second = disk[1]->identity;
	assert_true(first && second && first != second);
	assert_int_equal(state_save_trial(&machine, &trial, &error), 0);
	assert_int_equal(state_try(&machine, trial.data, trial.size, &error), 0);
	disk[0]->identity = second;
	disk[1]->identity = first;
	assert_int_equal(state_try(&machine, trial.data, trial.size, &error), -EINVAL);
	assert_string_equal(error.text,
			    "a is the machine's disk 1, and b its disk 0: here they are named the other way round");
	/* Numbers of two file systems that the hosts do not share say nothing, nor does none. */
	disk[1]->identity = first + second;
	assert_int_equal(state_try(&machine, trial.data, trial.size, &error), 0);
	disk[0]->identity = disk[1]->identity = 0;
	assert_int_equal(state_try(&machine, trial.data, trial.size, &error), 0);
	buffer_free(&trial);
	machine_destroy(&machine);
}

/* ---- A file system that does not answer ---- */

static struct disk_ops slow_ops;
static bool machine_locked;
static enum machine_state before;
static int (*meanwhile)(struct machine *machine, enum machine_state *before, struct error *error);

/* Of the second disk. */
static int lock_late(struct disk *disk, int limit_ms, struct error *reason)
{
	struct error ignored;

	(void)disk;
	assert_true(limit_ms > 0 && (unsigned int)limit_ms <= DISKS_LOCK_MS);
	machine_locked = pthread_mutex_trylock(&machine.lock.mutex) != 0;
	if (!machine_locked)
		pthread_mutex_unlock(&machine.lock.mutex);
	if (!meanwhile)
		return error_set(reason, ETIMEDOUT, "b does not answer");
	return meanwhile(&machine, &before, &ignored);
}

static void make_late(void)
{
	assert_int_equal(machine_create(&machine, &described, &console, &error), 0);
	/* The thread leaves these alone then. */
	devices_quiesce(&machine.devices);
	slow_ops = *machine.disks.disk[1]->ops;
	slow_ops.lock = lock_late;
	machine.disks.disk[1]->ops = &slow_ops;
	machine_locked = true;
	meanwhile = NULL;
}

/* It holds up nobody who wants something else of the machine, which stays as it is. */
static void test_late_lock(void **state)
{
	(void)state;
	make_late();
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), -ETIMEDOUT);
	assert_string_equal(error.text, "disk 1: b does not answer (it was waited for 4 s)");
	assert_false(machine_locked);
	assert_int_equal(machine_get_state(&machine), MACHINE_PAUSED);
	assert_false(machine_has_disks(&machine));
	assert_int_equal(disks_open(&disks, &described, &error), 0);
	assert_int_equal(disks_lock(&disks, &error), 0);
	machine_destroy(&machine);
}

/* What was to be resumed is something else by then: the disks are given back. */
static void test_lock_comes_too_late(void **state)
{
	(void)state;
	make_late();
	meanwhile = machine_begin_save;
	assert_int_equal(machine_resume(&machine, SC_CLOCK_FREEZE, false, &error), -EBUSY);
	assert_int_equal(machine_get_state(&machine), MACHINE_SAVING);
	assert_false(machine_has_disks(&machine));
	assert_int_equal(disks_open(&disks, &described, &error), 0);
	assert_int_equal(disks_lock(&disks, &error), 0);
	machine_destroy(&machine);
}

#define DISKS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_disks, tear_down_disks)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISKS_TEST(test_opens_all_or_none),
		DISKS_TEST(test_locks_all_or_none),
		DISKS_TEST(test_checks_that_they_are_locked),
		DISKS_TEST(test_names_of_one_host),
		DISKS_TEST(test_places),
		DISKS_TEST(test_guest_writes),
		DISKS_TEST(test_grows),
		DISKS_TEST(test_halts_together),
		DISKS_TEST(test_state),
		DISKS_TEST(test_demands),
		DISKS_TEST(test_exchanged),
		DISKS_TEST(test_late_lock),
		DISKS_TEST(test_lock_comes_too_late),
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
