/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine's disks: opened as described, whose they are, where the guest finds them, and what moves. */
#include "machine_disks_fixture.h"

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

/* The same to disk n, and waits for it: the status. */
static uint8_t write_byte(uint32_t n, uint8_t byte)
{
	const uint8_t *status = send_byte(disk_device(n), byte);
	uint32_t written;
	uint16_t head;

	while (!virtio_ring_collect(&ring, &head, &written))
		usleep(100);
	return *status;
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
	};

	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
