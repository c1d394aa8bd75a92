/* SPDX-License-Identifier: BSD-2-Clause */
/* Pieces of a request to a server: what goes from where it lies, what is copied together, and that nothing is missed.
 */
#include "unit.h"

#include "dev/disk/piece.h"

#include <stdlib.h>
#include <string.h>

#define MAX PIECE_PLACE_MAX
#define KIB 1024u

static uint8_t *memory;

static int set_up(void **state)
{
	(void)state;
	memory = malloc(8 * KIB * KIB);
	for (uint32_t n = 0; n < 8 * KIB * KIB; n++)
		memory[n] = (uint8_t)(n * 7 + n / 251);
	return memory ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static struct disk_request request_of(struct iovec *buffer, uint32_t buffers)
{
	struct disk_request request = { .operation = DISK_WRITE, .offset = 512, .buffer = buffer, .buffers = buffers };

	for (uint32_t n = 0; n < buffers; n++)
		request.length += buffer[n].iov_len;
	return request;
}

static void expect(const struct disk_request *request, uint32_t max, const void *place, uint32_t length)
{
	struct piece piece = piece_next(request, max);

	assert_ptr_equal(piece.place, place);
	assert_int_equal(piece.length, length);
	assert_int_equal(piece.offset, 512 + request->finished);
}

static void test_one_place(void **state)
{
	struct iovec one[] = { { memory, 5 * KIB * KIB } };
	struct iovec rows[] = { { memory, 100 }, { memory + 100, 0 }, { memory + 100, 924 } };
	struct disk_request request = request_of(one, 1);

	(void)state;
	expect(&request, MAX, memory, MAX);
	expect(&request, 64 * KIB, memory, 64 * KIB);
	request.finished = 4 * KIB * KIB;
	expect(&request, MAX, memory + 4 * KIB * KIB, KIB * KIB);
	/* Buffers that follow each other. */
	request = request_of(rows, 3);
	expect(&request, MAX, memory, 1024);
}

static void test_several_places(void **state)
{
	struct iovec small[] = { { memory, 512 }, { memory + 8192, 1000 }, { memory + 4096, 24 } };
	struct iovec large[] = { { memory + 4096, 512 }, { memory + 100000, 70000 }, { memory, 512 + 144 } };
	struct disk_request request = request_of(small, 3);

	(void)state;
	expect(&request, MAX, NULL, 1536);
	expect(&request, 1024, NULL, 1024);
	/* The first is small: a part of the second goes with it. */
	request = request_of(large, 3);
	expect(&request, MAX, NULL, 512 + 70000 + 656);
	request.finished = 512;
	expect(&request, MAX, memory + 100000, 70000 / 512 * 512);
	/* What is left of that place is no whole sector: together with the rest. */
	request.finished += 70000 / 512 * 512;
	expect(&request, MAX, NULL, 70000 % 512 + 656);
}

static void test_copies(void **state)
{
	struct iovec buffers[] = {
		{ memory, 700 }, { memory + 5000, 1 }, { memory + 2000, 0 }, { memory + 9000, 1347 }
	};
	struct disk_request request = request_of(buffers, 4);
	uint8_t copy[2048], expected[2048];

	(void)state;
	memcpy(expected, memory, 700);
	memcpy(expected + 700, memory + 5000, 1);
	memcpy(expected + 701, memory + 9000, 1347);
	piece_gather(&request, copy, 1024);
	assert_memory_equal(copy, expected, 1024);
	request.finished = 1024;
	piece_gather(&request, copy, 1024);
	assert_memory_equal(copy, expected + 1024, 1024);
	/* And back, a sector behind the beginning. */
	memset(memory, 0, 10000 + 1347);
	request.finished = 512;
	piece_scatter(&request, expected + 512, 1024);
	assert_memory_equal(memory + 512, expected + 512, 188);
	assert_memory_equal(memory + 5000, expected + 700, 1);
	assert_memory_equal(memory + 9000, expected + 701, 1536 - 701);
	assert_int_equal(memory[511], 0);
	assert_int_equal(memory[700], 0);
	assert_int_equal(memory[9000 + 1536 - 701], 0);
}

static void test_ranges(void **state)
{
	struct disk_request request = { .operation = DISK_WRITE_ZEROES, .offset = 512, .length = 5ull << 30 };

	(void)state;
	expect(&request, MAX, NULL, PIECE_RANGE_MAX);
	request.finished = (5ull << 30) - 512;
	expect(&request, MAX, NULL, 512);
	request = (struct disk_request){ .operation = DISK_FLUSH, .offset = 512 };
	expect(&request, MAX, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_place, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_several_places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_copies, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_ranges, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
