/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake's vCPUs: see the header. Inside the guest a vCPU waits, or plays scripted exits. As with KVM, the answer to
 * an MMIO exit reaches the registers at the next entry and not before, and the PC then passes the access. Where
 * a guest has turns it passes a hypercall, too, at its exit.
 */
#include "host_fake.h"
#include "../wait_scale.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_LIMIT_S 5
#define GUEST_PERIOD_NS 1000000

struct fake_vcpu *fake_vcpu_of(const struct host_vcpu *vcpu)
{
	if (!vcpu->run)
		fake_violation("a vCPU that does not exist");
	return (struct fake_vcpu *)vcpu->run;
}

static struct fake_vcpu *vcpu_lock(const struct host_vcpu *vcpu, enum fake_call call, int *result)
{
	struct fake_vcpu *fake = fake_vcpu_of(vcpu);

	pthread_mutex_lock(&fake_lock);
	fake_host_adopt(fake->vm->host);
	fake->vm->touches += fake->has_thread && !pthread_equal(fake->thread, pthread_self());
	*result = fake_call_fails(fake->vm->host, call);
	return fake;
}

static int vcpu_unlock(int result, struct error *error, const char *what)
{
	pthread_mutex_unlock(&fake_lock);
	if (result)
		error_format(error, "the fake host refuses %s", what);
	return result;
}

static void vcpu_stands_still(const struct fake_vcpu *vcpu)
{
	if (vcpu->inside)
		fake_violation("the state of a vCPU inside the guest is touched");
	if (vcpu->unfinished)
		fake_violation("the state of a vCPU with unfinished work is touched");
}

int host_vcpu_create(struct host_vm *vm, struct host_vcpu *vcpu, uint32_t index, bool on, struct error *error)
{
	struct fake_vm *machine = fake_vm_of(vm);
	int result;

	*vcpu = (struct host_vcpu){ .fd = -1, .index = index };
	if (vm->gic >= 0)
		fake_violation("a vCPU is created after the interrupt controller");
	pthread_mutex_lock(&fake_lock);
	result = fake_call_fails(machine->host, FAKE_VCPU_CREATE);
	if (!result) {
		struct fake_vcpu *fake = calloc(1, sizeof(*fake));

		fake->vm = machine;
		machine->has_vcpus = true;
		fake->index = index;
		fake->on = on;
		fake->registers[FAKE_REGISTER_FEATURES] = machine->host->features;
		fake->guest = machine->host->guest;
		fake->tables = machine->host->tables;
		fake->timers = machine->host->timers;
		vcpu->run = (struct kvm_run *)fake;
	}
	return vcpu_unlock(result, error, "a vCPU");
}

int host_vcpu_reset(struct host_vm *vm, struct host_vcpu *vcpu, bool on, struct error *error)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_VCPU_RESET, &result);

	(void)vm;
	vcpu_stands_still(fake);
	if (!result) {
		memset(fake->registers, 0, sizeof(fake->registers));
		fake->registers[FAKE_REGISTER_FEATURES] = fake->vm->host->features;
		fake->on = on;
	}
	return vcpu_unlock(result, error, "to reset a vCPU");
}

void host_vcpu_destroy(struct host_vcpu *vcpu)
{
	if (vcpu->run && fake_vcpu_of(vcpu)->inside)
		fake_violation("a vCPU inside the guest is destroyed");
	free(vcpu->run);
	*vcpu = (struct host_vcpu){ .fd = -1 };
}

/* ---- Registers ---- */

uint64_t fake_vcpu_register(const struct host_vcpu *vcpu, uint32_t id)
{
	uint64_t value;

	pthread_mutex_lock(&fake_lock);
	value = fake_vcpu_of(vcpu)->registers[id];
	pthread_mutex_unlock(&fake_lock);
	return value;
}

void fake_vcpu_set_register(const struct host_vcpu *vcpu, uint32_t id, uint64_t value)
{
	pthread_mutex_lock(&fake_lock);
	fake_vcpu_of(vcpu)->registers[id] = value;
	pthread_mutex_unlock(&fake_lock);
}

void fake_vcpu_set_tables(const struct host_vcpu *vcpu, const struct host_tables *tables)
{
	pthread_mutex_lock(&fake_lock);
	fake_vcpu_of(vcpu)->tables = *tables;
	pthread_mutex_unlock(&fake_lock);
}

void fake_vcpu_set_timers(const struct host_vcpu *vcpu, const struct host_timers *timers)
{
	pthread_mutex_lock(&fake_lock);
	fake_vcpu_of(vcpu)->timers = *timers;
	pthread_mutex_unlock(&fake_lock);
}

int host_vcpu_set_stolen(struct host_vcpu *vcpu, uint64_t gpa, struct error *error)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_STOLEN, &result);

	if (gpa % HOST_STOLEN_SIZE || fake->stolen || !fake_vm_has(fake->vm, gpa, HOST_STOLEN_SIZE))
		fake_violation("a record of stolen time where none can be");
	if (!result)
		fake->stolen = gpa;
	return vcpu_unlock(result, error, "a record of stolen time");
}

int host_vcpu_set_entry(struct host_vcpu *vcpu, uint64_t pc, uint64_t x0, struct error *error)
{
	(void)error;
	fake_vcpu_set_register(vcpu, FAKE_REGISTER_PC, pc);
	fake_vcpu_set_register(vcpu, FAKE_REGISTER_X0, x0);
	return 0;
}

static uint64_t *register_x(struct fake_vcpu *vcpu, uint32_t n)
{
	if (n > 30)
		fake_violation("a register beyond X30");
	return &vcpu->registers[FAKE_REGISTER_X0 + n];
}

int host_vcpu_get_x(struct host_vcpu *vcpu, uint32_t n, uint64_t *value)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_GET_X, &result);

	fake->accesses++;
	if (!result)
		*value = *register_x(fake, n);
	pthread_mutex_unlock(&fake_lock);
	return result;
}

int host_vcpu_set_x(struct host_vcpu *vcpu, uint32_t n, uint64_t value)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_SET_X, &result);

	fake->accesses++;
	if (!result)
		*register_x(fake, n) = value;
	pthread_mutex_unlock(&fake_lock);
	return result;
}

int host_vcpu_is_on(struct host_vcpu *vcpu, bool *on)
{
	int result;
	const struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_IS_ON, &result);

	if (!result)
		*on = fake->on;
	pthread_mutex_unlock(&fake_lock);
	return result;
}

int host_vcpu_get_tables(struct host_vcpu *vcpu, struct host_tables *tables)
{
	int result;
	const struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_GET_TABLES, &result);

	if (fake->inside)
		fake_violation("the tables of a vCPU inside the guest are asked for");
	if (!result)
		*tables = fake->tables;
	pthread_mutex_unlock(&fake_lock);
	return result;
}

int host_vcpu_get_timers(struct host_vcpu *vcpu, struct host_timers *timers)
{
	int result;
	const struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_GET_TIMERS, &result);

	if (fake->inside)
		fake_violation("the timers of a vCPU inside the guest are asked for");
	if (!result)
		*timers = fake->timers;
	pthread_mutex_unlock(&fake_lock);
	return result;
}

int host_vcpu_set_timers(struct host_vcpu *vcpu, const struct host_timers *timers)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_SET_TIMERS, &result);

	if (fake->inside)
		fake_violation("the timers of a vCPU inside the guest are set");
	if (!result) {
		fake->timers.cntv_cval = timers->cntv_cval;
		fake->timers.cntp_cval = timers->cntp_cval;
		fake->timers.cntkctl = timers->cntkctl;
	}
	pthread_mutex_unlock(&fake_lock);
	return result;
}

/* ---- Running ---- */

void fake_vcpu_push(struct fake_vcpu *vcpu, const struct fake_exit *exit)
{
	pthread_mutex_lock(&fake_lock);
	if (vcpu->count == FAKE_SCRIPT_MAX)
		fake_violation("too many scripted exits");
	vcpu->script[(vcpu->first + vcpu->count++) % FAKE_SCRIPT_MAX] = *exit;
	pthread_cond_broadcast(&fake_changed);
	pthread_mutex_unlock(&fake_lock);
}

void fake_vcpu_script(const struct host_vcpu *vcpu, const struct fake_exit *exit)
{
	fake_vcpu_push(fake_vcpu_of(vcpu), exit);
}

void fake_vcpu_set_guest(const struct host_vcpu *vcpu, fake_guest_fn guest, void *context)
{
	struct fake_vcpu *fake = fake_vcpu_of(vcpu);

	pthread_mutex_lock(&fake_lock);
	fake->guest = guest;
	fake->context = context;
	pthread_cond_broadcast(&fake_changed);
	pthread_mutex_unlock(&fake_lock);
}

static struct timespec time_after(uint64_t ns)
{
	struct timespec then;

	clock_gettime(CLOCK_REALTIME, &then);
	ns += (uint64_t)then.tv_nsec;
	then.tv_sec += (time_t)(ns / 1000000000u);
	then.tv_nsec = (long)(ns % 1000000000u);
	return then;
}

/* With the lock. */
static void vcpu_finish(struct fake_vcpu *vcpu)
{
	uint64_t value;

	if (!vcpu->unfinished)
		return;
	memcpy(&value, vcpu->data, sizeof(value));
	if (vcpu->loads)
		*register_x(vcpu, 0) = le64toh(value);
	vcpu->registers[FAKE_REGISTER_PC] += 4;
	vcpu->unfinished = false;
}

/* With the lock: the next exit is none, since it is a load that memory answers. */
static bool vcpu_loads(struct fake_vcpu *vcpu)
{
	const struct host_exit *exit = &vcpu->script[vcpu->first].exit;
	uint64_t value;

	if (exit->kind != HOST_EXIT_MMIO || exit->write || !fake_vm_load(vcpu->vm, exit->gpa, exit->size, &value))
		return false;
	*register_x(vcpu, 0) = value;
	vcpu->registers[FAKE_REGISTER_PC] += 4;
	vcpu->first = (vcpu->first + 1) % FAKE_SCRIPT_MAX;
	vcpu->count--;
	pthread_cond_broadcast(&fake_changed);
	return true;
}

/* With the lock, which is released while the guest runs. */
static void vcpu_live(struct fake_vcpu *vcpu)
{
	while (!vcpu->kicked) {
		struct timespec then = time_after(GUEST_PERIOD_NS);

		if (vcpu->count) {
			if (!vcpu_loads(vcpu))
				break;
			continue;
		}
		if (!vcpu->guest) {
			pthread_cond_wait(&fake_changed, &fake_lock);
			continue;
		}
		pthread_mutex_unlock(&fake_lock);
		vcpu->guest(vcpu, vcpu->context);
		pthread_mutex_lock(&fake_lock);
		if (!vcpu->kicked && !vcpu->count)
			pthread_cond_timedwait(&fake_changed, &fake_lock, &then);
	}
}

static void vcpu_exit(struct fake_vcpu *vcpu, struct host_exit *exit)
{
	const struct fake_exit *scripted = &vcpu->script[vcpu->first];

	*exit = scripted->exit;
	if (exit->kind == HOST_EXIT_HYPERCALL) {
		exit->w0 = (uint32_t)scripted->x[0];
		memcpy(register_x(vcpu, 0), scripted->x, sizeof(scripted->x));
		if (vcpu->guest)
			vcpu->registers[FAKE_REGISTER_PC] += 4;
	}
	if (exit->kind == HOST_EXIT_MMIO) {
		memcpy(vcpu->data, scripted->data, sizeof(vcpu->data));
		exit->data = vcpu->data;
		vcpu->unfinished = true;
		vcpu->loads = !exit->write;
	}
	vcpu->first = (vcpu->first + 1) % FAKE_SCRIPT_MAX;
	vcpu->count--;
}

int host_vcpu_run(struct host_vcpu *vcpu, struct host_exit *exit)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_VCPU_RUN, &result);

	fake->thread = pthread_self();
	fake->has_thread = true;
	*exit = (struct host_exit){ .kind = HOST_EXIT_INTERRUPTED };
	vcpu_finish(fake);
	if (!result && !fake->kicked) {
		fake->inside = true;
		fake_vm_enter(fake->vm);
		pthread_cond_broadcast(&fake_changed);
		vcpu_live(fake);
		fake->inside = false;
		fake_vm_leave(fake->vm);
		if (!fake->kicked)
			vcpu_exit(fake, exit);
		pthread_cond_broadcast(&fake_changed);
	}
	pthread_mutex_unlock(&fake_lock);
	return result;
}

static bool kicks_allowed;

void host_vcpu_allow_kicks(void)
{
	__atomic_store_n(&kicks_allowed, true, __ATOMIC_SEQ_CST);
}

static void vcpu_set_kicked(struct host_vcpu *vcpu, bool kicked)
{
	pthread_mutex_lock(&fake_lock);
	fake_vcpu_of(vcpu)->kicked = kicked;
	pthread_cond_broadcast(&fake_changed);
	pthread_mutex_unlock(&fake_lock);
}

void host_vcpu_kick(struct host_vcpu *vcpu, pthread_t thread)
{
	(void)thread;
	if (!__atomic_load_n(&kicks_allowed, __ATOMIC_SEQ_CST))
		fake_violation("a vCPU is kicked before kicks are allowed");
	vcpu_set_kicked(vcpu, true);
}

void host_vcpu_unkick(struct host_vcpu *vcpu)
{
	vcpu_set_kicked(vcpu, false);
}

/* ---- Waiting for a vCPU ---- */

static bool vcpu_wait(const struct host_vcpu *vcpu, bool inside, bool played)
{
	const struct fake_vcpu *fake = fake_vcpu_of(vcpu);
	struct timespec then = time_after(wait_scaled(WAIT_LIMIT_S) * 1000000000ull);
	int result = 0;
	bool there;

	pthread_mutex_lock(&fake_lock);
	while (!result && (fake->inside != inside || (played && fake->count)))
		result = pthread_cond_timedwait(&fake_changed, &fake_lock, &then);
	there = fake->inside == inside && !(played && fake->count);
	pthread_mutex_unlock(&fake_lock);
	return there;
}

bool fake_vcpu_wait(const struct host_vcpu *vcpu)
{
	return vcpu_wait(vcpu, true, true);
}

bool fake_vcpu_wait_inside(const struct host_vcpu *vcpu, bool inside)
{
	return vcpu_wait(vcpu, inside, false);
}

/* ---- State ---- */

int host_vcpu_save(struct host_vcpu *vcpu, struct buffer *state, struct error *error)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_VCPU_SAVE, &result);

	vcpu_stands_still(fake);
	buffer_put_u32(state, fake->on);
	for (uint32_t id = 1; !result && id < FAKE_REGISTERS; id++) {
		buffer_put_u32(state, id);
		buffer_put_u64(state, fake->registers[id]);
	}
	buffer_put_u64(state, identity_find(&fake->vm->identity, IDENTITY_MIDR)->value);
	return vcpu_unlock(result, error, "to save a vCPU");
}

/* A host accepts only its own features, as KVM does with most identification registers. */
static int register_load(struct fake_vcpu *vcpu, struct cursor *state, const struct host_rebase *rebase)
{
	uint32_t id = cursor_u32(state);
	uint64_t value = cursor_u64(state);

	if (state->failed || id < 1 || id >= FAKE_REGISTERS)
		return -EPROTO;
	if (id == FAKE_REGISTER_FEATURES && value != vcpu->vm->host->features)
		return -EINVAL;
	if (id == FAKE_REGISTER_CVAL)
		value = sc_rate_convert_deadline(sc_ticks(value), rebase->counter, rebase->from_hz, rebase->counter,
						 rebase->to_hz)
				.v;
	vcpu->registers[id] = value;
	return 0;
}

int host_vcpu_load(struct host_vcpu *vcpu, struct cursor *state, const struct host_rebase *rebase, struct error *error)
{
	int result;
	struct fake_vcpu *fake = vcpu_lock(vcpu, FAKE_VCPU_LOAD, &result);

	vcpu_stands_still(fake);
	fake->on = cursor_u32(state);
	for (uint32_t n = 1; !result && n < FAKE_REGISTERS; n++)
		result = register_load(fake, state, rebase);
	/* Recorded streams have none. */
	if (!result && state->left)
		result = fake_identity_write(fake->vm, IDENTITY_MIDR, cursor_u64(state));
	return vcpu_unlock(result, error, "a vCPU's register");
}
