/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timer messages: every byte of one, free and busy slots, and a guest that reads and frees while we write.
 *
 * Policy: the layout stands here a second time, as offsets of bytes.
 */
#include <seaclock/core.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unit.h"

#define MESSAGES 40000u
#define DELAYS 256u

static struct sc_message slot;

static int set_up(void **state)
{
	(void)state;
	memset(&slot, 0xee, sizeof(slot));
	slot.type = SC_MESSAGE_NONE;
	slot.flags = 0;
	return 0;
}

static uint64_t at(size_t offset, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)&slot + offset, bytes);
	return value;
}

/* Timer 3 of vCPU 1, due at 500, seen at 700, delivered at 800. */
static struct sc_message message_of_timer(void)
{
	const struct sc_delivery delivery = { .vp = 1, .timer = 3, .message = true };
	struct sc_partition partition;
	struct sc_message message;
	struct sc_stimer *timer = &partition.vcpu[1].timer[3];

	assert_int_equal(sc_partition_init(&partition, 2, 100000000, sc_ticks(0)), 0);
	sc_stimer_set_count(timer, 500, sc_ref(0));
	sc_stimer_set_config(timer, SC_STIMER_ENABLE | 2ull << SC_STIMER_SINT_SHIFT, sc_ref(0));
	assert_true(sc_partition_expire(&partition, sc_ticks(7001)));
	sc_message_fill(&message, &partition, &delivery, sc_ref(800));
	return message;
}

static void every_field_has_its_place(void **state)
{
	struct sc_message message = message_of_timer();

	(void)state;
	sc_message_place(&slot, &message);
	assert_int_equal(at(0, 4), 0x80000010);
	assert_int_equal(at(4, 1), 24);
	assert_int_equal(at(5, 1), 0);
	assert_int_equal(at(6, 2), 0);
	assert_int_equal(at(8, 8), 0);
	assert_int_equal(at(16, 4), 3);
	assert_int_equal(at(20, 4), 0);
	assert_int_equal(at(24, 8), 500);
	assert_int_equal(at(32, 8), 800);
	/* Behind the payload the slot is the guest's. */
	assert_int_equal(at(40, 8), 0xeeeeeeeeeeeeeeee);
	assert_int_equal(at(248, 8), 0xeeeeeeeeeeeeeeee);
}

static void free_slot_is_left_alone(void **state)
{
	struct sc_message before = slot;

	(void)state;
	assert_true(sc_message_slot_free(&slot));
	assert_memory_equal(&slot, &before, sizeof(slot));
	/* What the flag says in a free slot is a message ago. */
	slot.flags = SC_MESSAGE_PENDING;
	assert_true(sc_message_slot_free(&slot));
}

static void busy_slot_gets_the_flag_and_no_more(void **state)
{
	static const uint32_t types[] = { SC_MESSAGE_TIMER_EXPIRED, 1, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct sc_message wanted;

		set_up(state);
		slot.type = types[i];
		slot.flags = 0x40;
		wanted = slot;
		wanted.flags = 0x40 | SC_MESSAGE_PENDING;
		assert_false(sc_message_slot_free(&slot));
		assert_false(sc_message_slot_free(&slot));
		assert_memory_equal(&slot, &wanted, sizeof(slot));
	}
}

static void new_message_drops_the_old_flag(void **state)
{
	struct sc_message message = message_of_timer();

	(void)state;
	slot.flags = SC_MESSAGE_PENDING;
	sc_message_place(&slot, &message);
	assert_int_equal(slot.flags, 0);
	assert_false(sc_message_slot_free(&slot));
	assert_int_equal(slot.flags, SC_MESSAGE_PENDING);
}

/* A slot whose payload lies on a page of its own, and what its type was when that page was first written. */
static struct {
	struct sc_message *slot;
	uint32_t type;
	bool written;
} watched;

static void payload_written(int signal)
{
	(void)signal;
	watched.type = watched.slot->type;
	watched.written = true;
	(void)mprotect(watched.slot->payload, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE);
}

/* The guest may take a message as soon as its type is there, so that everything else has to be there before. */
static void type_is_written_last(void **state)
{
	const struct sigaction watch = { .sa_handler = payload_written };
	struct sc_message message = message_of_timer();
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct sigaction before;
	uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(pages, MAP_FAILED);
	watched.slot = (struct sc_message *)(pages + page - offsetof(struct sc_message, payload));
	assert_int_equal(mprotect(pages + page, page, PROT_READ), 0);
	assert_int_equal(sigaction(SIGSEGV, &watch, &before), 0);
	sc_message_place(watched.slot, &message);
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	assert_true(watched.written);
	assert_int_equal(watched.type, SC_MESSAGE_NONE);
	assert_int_equal(watched.slot->type, message.type);
	assert_int_equal(munmap(pages, 2 * page), 0);
}

struct race {
	struct sc_message slot;
	uint32_t end_of_message; /* how often the guest wrote EOM */
	uint32_t taken;
	uint32_t torn;
};

/* The guest: takes each message, frees the slot, and writes EOM if the flag was set. */
static void *guest(void *context)
{
	struct race *race = context;
	struct sc_message *from = &race->slot;

	while (race->taken < MESSAGES) {
		struct sc_timer_message payload;

		if (__atomic_load_n(&from->type, __ATOMIC_ACQUIRE) == SC_MESSAGE_NONE)
			continue;
		memcpy(&payload, from->payload, sizeof(payload));
		race->torn += payload.expiration_time != race->taken || payload.delivery_time != race->taken + 1;
		race->taken++;
		__atomic_store_n(&from->type, SC_MESSAGE_NONE, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(&from->flags, __ATOMIC_SEQ_CST) & SC_MESSAGE_PENDING)
			__atomic_fetch_add(&race->end_of_message, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

/* Waits for an EOM that is not yet answered; false after far longer than a guest needs. */
static bool wait_end_of_message(struct race *race, uint32_t answered)
{
	for (uint64_t patience = 0; patience < 1ull << 30; patience++)
		if (__atomic_load_n(&race->end_of_message, __ATOMIC_SEQ_CST) != answered)
			return true;
	return false;
}

/* So that the host looks at every moment of the guest's work. */
static void delay(uint32_t loops)
{
	for (volatile uint32_t i = 0; i < loops; i++)
		;
}

/* Whoever finds the slot busy and waits for EOM is told, however host and guest race. */
static void waiting_message_is_never_forgotten(void **state)
{
	static struct race race;
	struct sc_message message = { .type = SC_MESSAGE_TIMER_EXPIRED, .payload_size = 24 };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, guest, &race), 0);
	for (uint32_t n = 0; n < MESSAGES; n++) {
		const struct sc_timer_message payload = { .expiration_time = n, .delivery_time = n + 1 };
		uint32_t answered = __atomic_load_n(&race.end_of_message, __ATOMIC_SEQ_CST);

		memcpy(message.payload, &payload, sizeof(payload));
		while (!sc_message_slot_free(&race.slot)) {
			assert_true(wait_end_of_message(&race, answered));
			answered = __atomic_load_n(&race.end_of_message, __ATOMIC_SEQ_CST);
		}
		sc_message_place(&race.slot, &message);
		delay(n % DELAYS);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(race.torn, 0);
	assert_int_equal(race.slot.type, SC_MESSAGE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_field_has_its_place, set_up),
		cmocka_unit_test_setup(free_slot_is_left_alone, set_up),
		cmocka_unit_test_setup(busy_slot_gets_the_flag_and_no_more, set_up),
		cmocka_unit_test_setup(new_message_drops_the_old_flag, set_up),
		cmocka_unit_test(type_is_written_last),
		cmocka_unit_test(waiting_message_is_never_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
