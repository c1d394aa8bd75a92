/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake's time, counters, timers and memory: see the header. A timer is an event descriptor that time makes
 * readable. */
#include "host_fake.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define TIMERS_MAX 64u
#define GUARD_SIZE 4096u
#define TICK_NS 1000000
#define DEFAULT_HZ 100000000u

pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;

/* `own` is a duplicate, so that a timer whose owner has closed it does not write into somebody else's descriptor. */
struct fake_timer {
	int fd;
	int own;
	bool armed;
	bool readable;
	uint32_t settings;
	uint64_t due;
	struct fake_host *host;
};

static struct fake_timer timers[TIMERS_MAX];
static uint32_t timer_count;
static uint64_t now_ns;
static uint64_t step_ns;
static bool follows_machine;
static uint64_t ahead_ns; /* of the machine's clock, while it is followed */
static struct fake_host default_host;
static _Thread_local struct fake_host *thread_host;
static int (*call_fault)(enum fake_call call);

_Noreturn void fake_violation(const char *what)
{
	fprintf(stderr, "the fake host: %s\n", what);
	abort();
}

/* ---- Hosts ---- */

struct fake_host fake_host_make(uint32_t hz, uint64_t counter)
{
	return (struct fake_host){
		.hz = hz,
		.counter = counter,
		.features = 0x1111,
		.page_size = 4096,
		.address_bits = 48,
		.available = 1ull << 40,
		.identity = fake_identity_make(0x413fd0c1),
	};
}

void fake_host_use(struct fake_host *host)
{
	thread_host = host;
}

struct fake_host *fake_host_current(void)
{
	return thread_host ? thread_host : &default_host;
}

void fake_host_adopt(struct fake_host *host)
{
	if (!thread_host)
		thread_host = host;
}

void fake_fail(struct fake_host *host, enum fake_call call, uint32_t skip, uint32_t times, int err)
{
	pthread_mutex_lock(&fake_lock);
	host->fail[call] = (struct fake_failure){ .skip = skip, .times = times, .err = err };
	pthread_mutex_unlock(&fake_lock);
}

void fake_set_fault(int (*fault)(enum fake_call call))
{
	call_fault = fault;
}

int fake_call_fails(struct fake_host *host, enum fake_call call)
{
	struct fake_failure *failure = &host->fail[call];

	if (!failure->times)
		return call_fault ? call_fault(call) : 0;
	if (failure->skip) {
		failure->skip--;
		return 0;
	}
	failure->times--;
	return -failure->err;
}

void fake_reset(void)
{
	fake_vm_reset();
	pthread_mutex_lock(&fake_lock);
	for (uint32_t n = 0; n < timer_count; n++)
		close(timers[n].own);
	timer_count = 0;
	now_ns = 0;
	step_ns = 0;
	default_host = fake_host_make(DEFAULT_HZ, 5000000);
	thread_host = &default_host;
	pthread_mutex_unlock(&fake_lock);
}

/* ---- Time ---- */

/* With the lock. */
static void time_pass(uint64_t ns)
{
	now_ns += ns;
	for (uint32_t n = 0; n < timer_count; n++) {
		if (!timers[n].armed || timers[n].due > now_ns)
			continue;
		timers[n].armed = false;
		timers[n].readable = true;
		eventfd_write(timers[n].own, 1);
	}
}

/* With the lock. */
static void time_follow(void)
{
	struct timespec now;

	if (!follows_machine)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	time_pass((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec + ahead_ns - now_ns);
}

uint64_t fake_time(void)
{
	uint64_t now;

	pthread_mutex_lock(&fake_lock);
	now = now_ns;
	pthread_mutex_unlock(&fake_lock);
	return now;
}

void fake_time_advance(uint64_t ns)
{
	pthread_mutex_lock(&fake_lock);
	if (follows_machine)
		ahead_ns += ns;
	time_pass(ns);
	pthread_mutex_unlock(&fake_lock);
}

/* Timers expire as time flows. */
static _Noreturn void *time_thread(void *ignored)
{
	const struct timespec pause = { .tv_nsec = TICK_NS };

	(void)ignored;
	/* Of the program's own threads each is one of its kind. */
	prctl(PR_SET_NAME, "time");
	for (;;) {
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&fake_lock);
		time_follow();
		pthread_mutex_unlock(&fake_lock);
	}
}

/* With the lock. Not before there is a timer: a program that has none is one thread, and may fork. */
static void time_start(void)
{
	static bool started;
	sigset_t all, before;
	pthread_t thread;

	if (!follows_machine || started)
		return;
	started = true;
	/* Signals are for the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&thread, NULL, time_thread, NULL))
		fake_violation("no thread for the time");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void fake_time_follow_machine(void)
{
	pthread_mutex_lock(&fake_lock);
	follows_machine = true;
	time_follow();
	if (timer_count)
		time_start();
	pthread_mutex_unlock(&fake_lock);
}

void fake_time_set_step(uint64_t ns)
{
	pthread_mutex_lock(&fake_lock);
	step_ns = ns;
	pthread_mutex_unlock(&fake_lock);
}

static uint64_t time_read(void)
{
	uint64_t now;

	pthread_mutex_lock(&fake_lock);
	time_follow();
	time_pass(step_ns);
	now = now_ns;
	pthread_mutex_unlock(&fake_lock);
	return now;
}

sc_ticks_t host_counter(void)
{
	const struct fake_host *host = fake_host_current();
	__extension__ typedef unsigned __int128 wide;
	wide ticks = (wide)time_read() * host->hz / NS_PER_S;

	ticks += ticks * (uint32_t)abs(host->ppm) / 1000000 * (host->ppm < 0 ? (wide)-1 : 1);
	return sc_ticks(host->counter + (uint64_t)ticks);
}

uint32_t host_counter_hz(void)
{
	return fake_host_current()->hz;
}

sc_ns_t host_counter_ns(void)
{
	return sc_rate_ticks_to_ns(host_counter_hz(), host_counter());
}

sc_ns_t host_monotonic(void)
{
	return sc_ns(time_read());
}

/* What threads do takes no time here. */
sc_ns_t host_thread_time(void)
{
	return sc_ns(0);
}

struct sc_statement host_statement(void)
{
	const struct fake_host *host = fake_host_current();
	struct sc_statement statement = { .error_ns = SC_STATEMENT_UNKNOWN };
	sc_ns_t before = host_counter_ns();
	uint64_t realtime = FAKE_EPOCH_NS + time_read() + (uint64_t)host->realtime_off_ns;
	sc_ns_t after = host_counter_ns();

	sc_statement_make(&statement, host->hz, before, sc_ns(realtime), after,
			  host->synchronised ? host->realtime_error_ns : SC_STATEMENT_UNKNOWN);
	return statement;
}

sc_ns_t host_realtime(void)
{
	return sc_ns(FAKE_EPOCH_NS + time_read() + (uint64_t)fake_host_current()->realtime_off_ns);
}

struct host_discipline host_discipline(void)
{
	struct host_discipline discipline = fake_host_current()->discipline;

	discipline.synchronised = fake_host_current()->synchronised;
	return discipline;
}

/* ---- Timers ---- */

/* With the lock; a number that is used again means that its old owner has closed it. */
static struct fake_timer *timer_find(int fd)
{
	for (uint32_t n = 0; n < timer_count; n++)
		if (timers[n].fd == fd)
			return &timers[n];
	return NULL;
}

static int timer_add(int fd)
{
	struct fake_timer *timer = timer_find(fd);

	if (timer)
		close(timer->own);
	else if (timer_count < TIMERS_MAX)
		timer = &timers[timer_count++];
	else
		fake_violation("too many timers");
	*timer = (struct fake_timer){ .fd = fd, .own = fcntl(fd, F_DUPFD_CLOEXEC, 0), .host = fake_host_current() };
	return fd;
}

int host_timer_create(void)
{
	int result;

	pthread_mutex_lock(&fake_lock);
	result = fake_call_fails(fake_host_current(), FAKE_TIMER_CREATE);
	if (!result)
		time_start();
	if (!result)
		result = timer_add(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	pthread_mutex_unlock(&fake_lock);
	return result;
}

/* With the lock. */
static void timer_clear(struct fake_timer *timer)
{
	eventfd_t ignored;

	if (timer->readable)
		(void)eventfd_read(timer->own, &ignored);
	timer->readable = false;
}

/* With the lock: as timerfd_settime() does, expiries that were not taken are forgotten. */
static void timer_set(int fd, bool armed, uint64_t delay)
{
	struct fake_timer *timer = timer_find(fd);

	if (!timer)
		fake_violation("a timer that does not exist");
	time_follow();
	timer_clear(timer);
	timer->armed = armed;
	timer->settings++;
	timer->due = delay > UINT64_MAX - now_ns ? UINT64_MAX : now_ns + delay;
	time_pass(0);
}

void host_timer_arm(int timer, sc_ns_t delay)
{
	pthread_mutex_lock(&fake_lock);
	timer_set(timer, true, delay.v);
	pthread_mutex_unlock(&fake_lock);
}

void host_timer_disarm(int timer)
{
	pthread_mutex_lock(&fake_lock);
	timer_set(timer, false, 0);
	pthread_mutex_unlock(&fake_lock);
}

void host_timer_acknowledge(int fd)
{
	struct fake_timer *timer;

	pthread_mutex_lock(&fake_lock);
	timer = timer_find(fd);
	if (!timer)
		fake_violation("a timer that does not exist");
	fake_host_adopt(timer->host);
	timer_clear(timer);
	pthread_mutex_unlock(&fake_lock);
}

uint64_t fake_timer_left(int fd)
{
	uint64_t left = UINT64_MAX;
	const struct fake_timer *timer;

	pthread_mutex_lock(&fake_lock);
	timer = timer_find(fd);
	if (timer && timer->armed)
		left = timer->due - now_ns;
	pthread_mutex_unlock(&fake_lock);
	return left;
}

uint32_t fake_timer_settings(int fd)
{
	uint32_t settings = 0;
	const struct fake_timer *timer;

	pthread_mutex_lock(&fake_lock);
	timer = timer_find(fd);
	if (timer)
		settings = timer->settings;
	pthread_mutex_unlock(&fake_lock);
	return settings;
}

/* ---- Memory: zero, lazily, with a page behind it that nobody may touch ---- */

void *host_memory_allocate(uint64_t size)
{
	uint8_t *memory;
	int result;

	pthread_mutex_lock(&fake_lock);
	result = fake_call_fails(fake_host_current(), FAKE_MEMORY);
	pthread_mutex_unlock(&fake_lock);
	if (result)
		return NULL;
	memory = mmap(NULL, size + GUARD_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		      0);
	if (memory == MAP_FAILED)
		return NULL;
	mprotect(memory + size, GUARD_SIZE, PROT_NONE);
	/* A read of all of it need not fault for each page. */
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

void host_memory_free(void *memory, uint64_t size)
{
	munmap(memory, size + GUARD_SIZE);
}

void host_memory_clear(void *memory, uint64_t size)
{
	madvise(memory, size, MADV_DONTNEED);
}

uint32_t host_page_size(void)
{
	return fake_host_current()->page_size;
}

uint64_t host_memory_available(void)
{
	return fake_host_current()->available;
}

void host_random(void *buffer, size_t size)
{
	static uint64_t drawn;
	uint64_t number = __atomic_add_fetch(&drawn, 1, __ATOMIC_RELAXED);

	if (follows_machine) {
		while (getrandom(buffer, size, 0) != (ssize_t)size)
			;
		return;
	}
	/* Never the same twice, and the same in each run. */
	memset(buffer, 0x5c, size);
	memcpy(buffer, &number, size < sizeof(number) ? size : sizeof(number));
}
