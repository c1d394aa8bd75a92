/* SPDX-License-Identifier: BSD-2-Clause */
/* What the threads of a monitor may ask of the kernel: see the header. */
#include "host/sandbox.h"

#include "host/calls.h"
#include "host/landlock.h"
#include "host/violation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What is asked for most often comes first: KVM_RUN is an ioctl(), and looked at each time. */
#define PRIORITY_FIRST 255
/* Of seccomp_attr_set(): a tree instead of a list. */
#define OPTIMIZE_TREE 2

static struct sock_fprog filter[THREAD_KINDS];
static struct sandbox_facts facts;
/* Atomic; 0: none, else a descriptor plus 1, so that it starts without any. */
static int reach_rules[SANDBOX_REACHES];

bool sandbox_mode_parse(const char *text, enum sandbox_mode *mode)
{
	static const char *const names[] = { [SANDBOX_ON] = "on", [SANDBOX_STRICT] = "strict", [SANDBOX_OFF] = "off" };

	*mode = SANDBOX_ON;
	if (!text)
		return true;
	for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
		if (!strcmp(text, names[n])) {
			*mode = (enum sandbox_mode)n;
			return true;
		}
	return false;
}

struct sandbox_facts sandbox_facts(void)
{
	return facts;
}

/* ---- Filters ---- */

/* A rule that is there already, or a call that this architecture has not, is none. */
static int filter_add(scmp_filter_ctx rules, uint32_t action, const struct call *call)
{
	struct scmp_arg_cmp condition = { call->argument, SCMP_CMP_MASKED_EQ, call->mask, call->value };
	int number = seccomp_syscall_resolve_name(call->name);
	int result = number < 0 ? 0 : seccomp_rule_add_array(rules, action, number, call->mask ? 1 : 0, &condition);

	return result == -EEXIST ? 0 : result;
}

static int filter_fill(scmp_filter_ctx rules, enum thread_kind kind)
{
	const struct call_refused *refused;
	int result = seccomp_syscall_priority(rules, SCMP_SYS(ioctl), PRIORITY_FIRST);

	for (size_t n = 0; !result && calls_group(kind, n); n++)
		for (const struct call *call = calls_group(kind, n); !result && call->name; call++)
			result = filter_add(rules, SCMP_ACT_ALLOW, call);
	for (size_t n = 0; !result && (refused = calls_refused(n)); n++)
		result = filter_add(rules, SCMP_ACT_ERRNO((uint32_t)refused->err), &refused->call);
	return result;
}

/* What the library writes to a descriptor, in memory. */
static int filter_take(int from, struct sock_fprog *taken)
{
	struct sock_filter *steps = malloc(BPF_MAXINSNS * sizeof(*steps)), *exact;
	ssize_t got;

	if (!steps)
		return -ENOMEM;
	do
		got = read(from, steps, BPF_MAXINSNS * sizeof(*steps));
	while (got < 0 && errno == EINTR);
	exact = got > 0 ? realloc(steps, (size_t)got) : NULL;
	if (!exact) {
		free(steps);
		return got > 0 ? -ENOMEM : -EIO;
	}
	*taken = (struct sock_fprog){ .len = (unsigned short)((size_t)got / sizeof(*steps)), .filter = exact };
	return 0;
}

/* By a pipe, which holds the largest: a file might be too large for this user. */
static int filter_export(scmp_filter_ctx rules, struct sock_fprog *taken)
{
	int ends[2], result;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	result = seccomp_export_bpf(rules, ends[1]);
	if (!result)
		result = filter_take(ends[0], taken);
	close(ends[0]);
	close(ends[1]);
	return result;
}

static int filter_make(enum thread_kind kind)
{
	scmp_filter_ctx rules = seccomp_init(SCMP_ACT_TRAP);
	int result;

	if (!rules)
		return -ENOMEM;
	result = seccomp_attr_set(rules, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!result)
		result = seccomp_attr_set(rules, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE);
	if (!result)
		result = filter_fill(rules, kind);
	if (!result)
		result = filter_export(rules, &filter[kind]);
	seccomp_release(rules);
	return result;
}

static int filters_make(struct error *error)
{
	const uint32_t action = SECCOMP_RET_TRAP;
	int result = syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) ? -errno : 0;

	if (result)
		return error_set(error, EOPNOTSUPP,
				 "this kernel cannot filter system calls (%s): build it with CONFIG_SECCOMP_FILTER, or "
				 "say --sandbox off",
				 strerror(-result));
	for (enum thread_kind kind = THREAD_MAIN; kind < THREAD_KINDS && !result; kind++)
		result = filter_make(kind);
	return result ? error_set(error, error_of_call(-result), "the lists of system calls cannot be made (%s)",
				  strerror(-result))
		      : 0;
}

/* ---- The process ---- */

static int strict_check(int abi, struct error *error)
{
	if (abi >= LANDLOCK_ABI_PORTS)
		return 0;
	return error_set(
		error, EOPNOTSUPP,
		abi ? "this kernel cannot hold a program to TCP ports, which --sandbox strict asks for: Linux "
		      "6.7 or newer can"
		    : "this kernel cannot hold a program to files, which --sandbox strict asks for: its Landlock "
		      "is missing, or switched off (lsm= on its command line)");
}

int sandbox_open(enum sandbox_mode mode, struct error *error)
{
	int abi = mode == SANDBOX_OFF ? 0 : landlock_abi();
	int result = mode == SANDBOX_STRICT ? strict_check(abi, error) : 0;

	if (!result && mode != SANDBOX_OFF)
		result = filters_make(error);
	if (result || mode == SANDBOX_OFF)
		return result;
	violation_open();
	facts = (struct sandbox_facts){
		.calls = true,
		.files = abi >= LANDLOCK_ABI_FILES,
		.ports = abi >= LANDLOCK_ABI_PORTS,
	};
	return 0;
}

/* ---- A thread ---- */

static enum sandbox_reach reach_of(enum thread_kind kind)
{
	switch (kind) {
	case THREAD_NBD:
	case THREAD_LOOKUP:
		return SANDBOX_REACH_SERVERS;
	case THREAD_MIGRATION:
		return SANDBOX_REACH_ANYWHERE;
	default:
		return SANDBOX_REACH_NOTHING;
	}
}

void sandbox_set_reach(enum sandbox_reach reach, int rules)
{
	int before = __atomic_exchange_n(&reach_rules[reach], rules + 1, __ATOMIC_SEQ_CST);

	if (before)
		close(before - 1);
}

static int reach_enter(enum thread_kind kind)
{
	int rules = __atomic_load_n(&reach_rules[reach_of(kind)], __ATOMIC_SEQ_CST);

	return rules ? landlock_enter(rules - 1) : 0;
}

static int filter_enter(enum thread_kind kind)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter[kind]) ? -errno : 0;
}

void sandbox_enter(enum thread_kind kind)
{
	int result = 0;

	if (!facts.calls)
		return;
	/* The maker opens nothing, and whoever it makes has places of their own. */
	if (kind != THREAD_MAKER)
		result = reach_enter(kind);
	if (!result)
		result = filter_enter(kind);
	if (result)
		violation_end_unheld(kind, -result);
}
