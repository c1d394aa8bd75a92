/* SPDX-License-Identifier: BSD-2-Clause */
/* Which system calls each kind of thread makes: see the header. */
#include "host/calls.h"

#include "host/kvm_api.h"
#include "host/sanitized.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <linux/vhost.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#define ANY(name)                                                                                                      \
	{                                                                                                              \
		name, 0, 0, 0                                                                                          \
	}
#define WITH(name, argument, mask, value)                                                                              \
	{                                                                                                              \
		name, argument, mask, value                                                                            \
	}
/* The kernel looks at 32 bits of a request. */
#define REQUEST(number) WITH("ioctl", 1, 0xffffffffu, (uint32_t)(number))
#define END                                                                                                            \
	{                                                                                                              \
		NULL, 0, 0, 0                                                                                          \
	}

/* ---- What every thread does ---- */

/* The C library's memory, locks, clocks, threads' ends and abort(); waiting; the descriptors that a thread was given.
 */
static const struct call every[] = {
	WITH("mmap", 2, PROT_EXEC, 0),
	WITH("mprotect", 2, PROT_EXEC, 0),
	WITH("prctl", 0, 0xffffffffu, PR_SET_NAME),
	ANY("brk"),
	ANY("munmap"),
	ANY("mremap"),
	ANY("madvise"),
	ANY("futex"),
	ANY("rseq"),
	ANY("set_robust_list"),
	ANY("sched_getaffinity"),
	ANY("sched_yield"),
	ANY("getcpu"),
	ANY("clock_gettime"),
	ANY("clock_nanosleep"),
	ANY("clock_getres"),
	ANY("nanosleep"),
	ANY("gettimeofday"),
	ANY("time"),
	ANY("restart_syscall"),
	ANY("getrandom"),
	ANY("getpid"),
	ANY("gettid"),
	ANY("getpgrp"),
	ANY("getpgid"),
	ANY("getuid"),
	ANY("geteuid"),
	ANY("getgid"),
	ANY("getegid"),
	ANY("rt_sigaction"),
	ANY("rt_sigprocmask"),
	ANY("rt_sigpending"),
	ANY("rt_sigreturn"),
	ANY("sigaltstack"),
	ANY("tgkill"),
	ANY("exit"),
	ANY("exit_group"),
	ANY("poll"),
	ANY("ppoll"),
	ANY("read"),
	ANY("readv"),
	ANY("write"),
	ANY("writev"),
	ANY("lseek"),
	ANY("close"),
	ANY("fstat"),
	ANY("newfstatat"),
	ANY("statx"),
	ANY("fcntl"),
	ANY("eventfd2"),
	/* The terminal as it was, whoever ends the program. */
	REQUEST(TCGETS),
	REQUEST(TCSETS),
	REQUEST(TIOCGPGRP),
	END,
};

static const struct call sanitizer[] = {
#ifdef SANITIZED
	ANY("open"),
	ANY("getdents"),
	ANY("getppid"),
	ANY("stat"),
	ANY("dup"),
	ANY("dup2"),
	ANY("setrlimit"),
	ANY("clone"),
	ANY("wait4"),
	ANY("ptrace"),
	ANY("prctl"),
	ANY("process_vm_readv"),
	ANY("openat"),
	ANY("readlink"),
	ANY("readlinkat"),
	ANY("getdents64"),
	ANY("prlimit64"),
	ANY("getrlimit"),
	ANY("pipe2"),
	ANY("pipe"),
	ANY("kill"),
	ANY("access"),
	ANY("sched_setaffinity"),
	ANY("uname"),
#endif
	END,
};

/* ---- A machine ---- */

/* Interrupts of devices. */
static const struct call interrupts[] = {
	REQUEST(KVM_IRQ_LINE),
	END,
};

/* Of devices whose configuration may change in several words: their registers are hidden meanwhile. */
static const struct call window[] = {
	REQUEST(KVM_SET_USER_MEMORY_REGION),
	END,
};

/* A vCPU and what its guest asks for: registers of hypercalls, ROM that is hidden, timers, the host's clock. */
static const struct call vcpu[] = {
	REQUEST(KVM_RUN),
	REQUEST(KVM_GET_ONE_REG),
	REQUEST(KVM_SET_ONE_REG),
	REQUEST(KVM_GET_MP_STATE),
	REQUEST(KVM_SET_USER_MEMORY_REGION),
	ANY("timerfd_settime"),
	ANY("adjtimex"),
	ANY("clock_adjtime"),
	END,
};

/* A machine that is there: its registers, interrupts, memory, counter and timers, and the state of the host's clock. */
static const struct call machine[] = {
	REQUEST(KVM_IRQ_LINE),
	REQUEST(KVM_IOEVENTFD),
	REQUEST(KVM_GET_ONE_REG),
	REQUEST(KVM_SET_ONE_REG),
	REQUEST(KVM_GET_REG_LIST),
	REQUEST(KVM_GET_MP_STATE),
	REQUEST(KVM_SET_MP_STATE),
	REQUEST(KVM_GET_VCPU_EVENTS),
	REQUEST(KVM_SET_VCPU_EVENTS),
	REQUEST(KVM_GET_DEVICE_ATTR),
	REQUEST(KVM_SET_DEVICE_ATTR),
	REQUEST(KVM_SET_USER_MEMORY_REGION),
	REQUEST(KVM_GET_DIRTY_LOG),
	REQUEST(KVM_ARM_SET_COUNTER_OFFSET),
#ifdef __aarch64__
	REQUEST(KVM_ARM_PREFERRED_TARGET),
	REQUEST(KVM_ARM_VCPU_INIT),
#endif
	ANY("timerfd_settime"),
	ANY("adjtimex"),
	ANY("clock_adjtime"),
	/* Pages that were touched, by /proc/self/pagemap. */
	ANY("pread64"),
	END,
};

/* A machine that is to be. */
static const struct call making[] = {
	REQUEST(KVM_GET_API_VERSION),
	REQUEST(KVM_CHECK_EXTENSION),
	REQUEST(KVM_CREATE_VM),
	REQUEST(KVM_ENABLE_CAP),
#ifdef __aarch64__
	REQUEST(KVM_ARM_GET_REG_WRITABLE_MASKS),
#endif
	REQUEST(KVM_CREATE_VCPU),
	REQUEST(KVM_CREATE_DEVICE),
	REQUEST(KVM_HAS_DEVICE_ATTR),
	REQUEST(KVM_GET_VCPU_MMAP_SIZE),
	REQUEST(TUNSETOFFLOAD),
	REQUEST(TUNGETIFF),
	REQUEST(TUNSETIFF),
	REQUEST(TUNSETVNETHDRSZ),
	REQUEST(SIOCGIFINDEX),
	REQUEST(SIOCGIFMTU),
	REQUEST(VHOST_GET_FEATURES),
	REQUEST(VHOST_SET_OWNER),
	REQUEST(BLKGETSIZE64),
	ANY("io_uring_setup"),
	ANY("io_uring_register"),
	ANY("timerfd_create"),
	ANY("signalfd4"),
	ANY("epoll_create1"),
	ANY("epoll_ctl"),
	ANY("epoll_wait"),
	ANY("epoll_pwait"),
	END,
};

/* ---- Files ---- */

#define READ_ONLY (O_ACCMODE | O_CREAT | O_TRUNC)

static const struct call files_read[] = {
	WITH("openat", 2, READ_ONLY, 0),
	WITH("open", 1, READ_ONLY, 0),
	ANY("pread64"),
	ANY("getdents64"),
	ANY("readlink"),
	ANY("readlinkat"),
	ANY("stat"),
	ANY("lstat"),
	ANY("statfs"),
	ANY("fstatfs"),
	ANY("access"),
	ANY("faccessat"),
	ANY("faccessat2"),
	ANY("getcwd"),
	END,
};

static const struct call files_write[] = {
	ANY("openat"),
	ANY("open"),
	ANY("pwrite64"),
	ANY("fsync"),
	ANY("fdatasync"),
	ANY("syncfs"),
	ANY("ftruncate"),
	ANY("fchmod"),
	ANY("rename"),
	ANY("renameat"),
	ANY("renameat2"),
	ANY("unlink"),
	ANY("unlinkat"),
	ANY("mkdir"),
	ANY("mkdirat"),
	ANY("flock"),
	END,
};

/* A file that is open, and that a machine is saved to. */
static const struct call saved[] = {
	ANY("pwrite64"),
	ANY("fsync"),
	ANY("ftruncate"),
	END,
};

/* A disk that is open. */
static const struct call disk[] = {
	ANY("io_uring_enter"),
	ANY("preadv"),
	ANY("preadv2"),
	ANY("pread64"),
	ANY("pwritev"),
	ANY("pwritev2"),
	ANY("pwrite64"),
	ANY("fdatasync"),
	ANY("fsync"),
	ANY("fallocate"),
	REQUEST(BLKDISCARD),
	REQUEST(BLKGETSIZE64),
	END,
};

/* A tap, whose frames the kernel may move. */
static const struct call network[] = {
	REQUEST(TUNSETOFFLOAD),		REQUEST(KVM_IRQFD),
	REQUEST(VHOST_SET_MEM_TABLE),	REQUEST(VHOST_SET_LOG_BASE),
	REQUEST(VHOST_SET_FEATURES),	REQUEST(VHOST_SET_VRING_NUM),
	REQUEST(VHOST_SET_VRING_BASE),	REQUEST(VHOST_SET_VRING_ADDR),
	REQUEST(VHOST_SET_VRING_KICK),	REQUEST(VHOST_SET_VRING_CALL),
	REQUEST(VHOST_SET_VRING_ERR),	REQUEST(VHOST_GET_VRING_BASE),
	REQUEST(VHOST_NET_SET_BACKEND), END,
};

/* The same while the machine is migrated: what the kernel writes is marked. */
static const struct call network_log[] = {
	REQUEST(VHOST_SET_FEATURES),
	REQUEST(VHOST_SET_VRING_ADDR),
	END,
};

/* ---- Sockets ---- */

/* Those that are connected; GnuTLS draws on the time that was used. */
static const struct call talk[] = {
	ANY("sendto"),
	ANY("sendmsg"),
	ANY("recvfrom"),
	ANY("recvmsg"),
	ANY("setsockopt"),
	ANY("getsockopt"),
	ANY("getsockname"),
	ANY("getpeername"),
	ANY("shutdown"),
	ANY("getrusage"),
	END,
};

static const struct call sockets[] = {
	ANY("socket"),
	ANY("connect"),
	END,
};

static const struct call servers[] = {
	ANY("socketpair"), ANY("bind"), ANY("listen"), ANY("accept4"), END,
};

/* getaddrinfo(3): servers of names, and the kernel, for the host's own addresses. */
static const struct call names[] = {
	ANY("bind"), ANY("sendmmsg"), ANY("uname"), REQUEST(FIONREAD), END,
};

/* ---- Of all threads ---- */

/* Making them, and what each of them does before it has a list of its own. */
static const struct call threads[] = {
	WITH("clone", 0, CLONE_THREAD | CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET, CLONE_THREAD),
	ANY("seccomp"),
	ANY("landlock_restrict_self"),
	END,
};

/* main() says what the threads of a machine may reach. */
static const struct call confinement[] = {
	ANY("landlock_create_ruleset"),
	ANY("landlock_add_rule"),
	ANY("landlock_restrict_self"),
	END,
};

/* ---- Kinds ---- */

#define GROUPS_MAX 16

#define MAIN_GROUPS machine, making, files_read, files_write, talk, sockets, servers, names, confinement

static const struct call *const groups[THREAD_KINDS][GROUPS_MAX] = {
	[THREAD_MAIN] = { every, sanitizer, MAIN_GROUPS },
	/* What a thread may not do, those that it makes may not do either. */
	[THREAD_MAKER] = { vcpu, every, sanitizer, MAIN_GROUPS, disk, network, threads },
	[THREAD_WRITER] = { every, sanitizer },
	[THREAD_VCPU] = { vcpu, interrupts, every, sanitizer },
	[THREAD_TIMERS] = { every, sanitizer, machine, files_read },
	[THREAD_DISK] = { every, sanitizer, interrupts, window, disk },
	[THREAD_NBD] = { every, sanitizer, interrupts, window, files_read, talk, sockets, names },
	[THREAD_NET] = { every, sanitizer, interrupts, network, talk },
	[THREAD_CLAIM] = { every, sanitizer },
	[THREAD_VARIABLES] = { every, sanitizer, files_read, files_write },
	[THREAD_MIGRATION] = { every, sanitizer, machine, network_log, talk, sockets },
	[THREAD_SAVE] = { every, sanitizer, machine, talk, saved },
	[THREAD_GROWTH] = { every, sanitizer, talk },
	[THREAD_KERNEL] = { every, sanitizer, machine, talk },
	[THREAD_LOOKUP] = { every, sanitizer, files_read, talk, sockets, names },
	[THREAD_TEARDOWN] = { every, sanitizer },
};

const struct call *calls_group(enum thread_kind kind, size_t n)
{
	return groups[kind][n];
}

/* ---- What is refused ---- */

static const struct call_refused refused[] = {
	/* What a filter cannot look into. The C library then uses clone(). */
	{ ANY("clone3"), ENOSYS },
	/* A library that is loaded late, as for the names of hosts: the others are asked. */
	{ WITH("mmap", 2, PROT_EXEC, PROT_EXEC), EACCES },
	{ WITH("mprotect", 2, PROT_EXEC, PROT_EXEC), EACCES },
};

const struct call_refused *calls_refused(size_t n)
{
	return n < sizeof(refused) / sizeof(refused[0]) ? &refused[n] : NULL;
}
