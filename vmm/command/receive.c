/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock receive`: see the header. */
#include "command/receive.h"

#include "base/events.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "command/manager.h"
#include "command/monitor.h"
#include "command/serve.h"
#include "command/verb.h"
#include "host/deadline.h"
#include "migrate/entry.h"
#include "migrate/key_files.h"
#include "migrate/linger.h"
#include "migrate/target.h"
#include "transfer/gap.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* How long a receiver without a connection waits for one, if somebody else goes on listening. */
#define RECEIVE_IDLE_MS 3000

struct receive {
	const struct receive_options *options;
	struct arrival_names names;
	struct channel_terms terms;
	struct peers peers;
	struct incoming incoming;
	char peer[CHANNEL_ADDRESS_SIZE]; /* from where the last migration has called */
	int signals;
	sc_ns_t unknown_until; /* with an inherited socket: somebody known has to call until then */
	bool over;	       /* *end is known */
	enum machine_end end;
};

/* A wait_watch_fn. Leaves the signal pending, so that the loop sees it too and ends. */
static int receive_signal(void *context, struct error *error)
{
	(void)context;
	return error_set(error, EINTR, "the receiver was told to end");
}

/* Another wait_watch_fn: clients are served while the machine arrives. */
static int receive_control(void *context, struct error *error)
{
	struct serve *serve = context;

	(void)error;
	serve_control(serve);
	return 0;
}

static void receive_end(struct receive *receive, enum machine_end end)
{
	receive->end = end;
	receive->over = true;
}

/* ---- One machine ---- */

/* Takes the name before the guest, so that a running guest is never lost because its name is taken. */
static int receive_contents(struct target *target, struct serve *serve, bool succeeds, struct teardown *teardown,
			    struct error *error)
{
	int result = serve_open(serve, target->machine, succeeds, error);
	struct wait_watch control;

	if (result)
		return result;
	control = (struct wait_watch){ serve->control.events, receive_control, serve };
	channel_watch(target->channel, &control);
	result = target_run(target, error);
	if (result) {
		monitor_tear_down(teardown, target->machine, MACHINE_END_NONE);
		/* Whoever sees that it is gone finds its disks free. */
		machine_drop_disks(target->machine);
		serve_close(serve);
	}
	return result;
}

static void receive_serve(struct receive *receive, struct serve *serve, struct teardown *teardown)
{
	log_line("%s runs here", serve->machine->config.name);
	serve->incoming = &receive->incoming;
	serve->peer = receive->peer;
	receive_end(receive, serve_run(serve));
	monitor_tear_down(teardown, serve->machine, receive->end);
	serve_close(serve);
}

static int receive_machine(struct receive *receive, struct channel *channel, const struct frame_hello *hello,
			   struct console *console, struct teardown *teardown, struct error *error)
{
	const struct wait_watch signals = { .fd = receive->signals, .fn = receive_signal };
	struct machine machine;
	struct target target;
	struct serve serve;
	int result;

	target_open(&target, channel, hello, &receive->incoming);
	if (receive->options->max_gap_s)
		target.max_gap_s = receive->options->max_gap_s;
	channel_watch(channel, &signals);
	result = target_create(&target, &machine, &receive->names, console, error);
	if (result)
		return result;
	result = receive_contents(&target, &serve, receive->options->succeeds, teardown, error);
	if (!result && receive->options->succeeds)
		manager_tell_main();
	if (!result) {
		incoming_await_settled(&receive->incoming, channel);
		receive_serve(receive, &serve, teardown);
	}
	monitor_tear_down(teardown, &machine, MACHINE_END_NONE);
	machine_destroy(&machine);
	return result;
}

static void receive_tell(const struct receive *receive, const struct frame_hello *hello, int result,
			 const struct error *error)
{
	if (result == -ECANCELED && hello->dry_run)
		log_line("asked whether %s could run here: it could", hello->name);
	else
		log_line("%s is not taken: %s", hello->name, error->text);
	if (!hello->dry_run)
		entry_failed(ENTRY_TARGET, hello->name, receive->peer, &hello->id, error);
}

/* A source that may send one machine shall not send it as another, to what belongs to that one. */
static int receive_check_name(const struct receive_options *options, const struct frame_hello *hello,
			      struct error *error)
{
	if (!options->own_name || !strcmp(hello->name, options->name))
		return 0;
	return error_set(error, EPERM, "only a machine named %s is taken here, and this is %s", options->name,
			 hello->name);
}

static void receive_call(struct receive *receive, struct channel *channel, const struct frame_hello *hello)
{
	struct teardown teardown = { .begun = false };
	struct console console;
	struct error error;
	int result = receive_check_name(receive->options, hello, &error);

	channel_peer(channel, receive->peer);
	if (!result)
		result = console_open(&console, receive->options->console, &error);
	if (!result) {
		result = receive_machine(receive, channel, hello, &console, &teardown, &error);
		console_close(&console);
		teardown_end(&teardown);
	}
	/* Where the source is another process of this host, whoever has asked for it is told by that. */
	if (result && !receive->options->succeeds)
		receive_tell(receive, hello, result, &error);
	if (result)
		incoming_give_up(&receive->incoming, channel, &error);
	channel_close(channel);
}

/* ---- All of them ---- */

/* A source may still have to ask what became of its machine. A second signal ends this wait, too. */
static void receive_linger(struct receive *receive)
{
	const struct wait_watch signals = { .fd = receive->signals, .fn = receive_signal };
	struct pollfd first = { .fd = receive->signals, .events = POLLIN };
	struct signalfd_siginfo info;

	if (!linger_is_due(&receive->incoming))
		return;
	if (poll(&first, 1, 0) > 0 && read(receive->signals, &info, sizeof(info)) < 0)
		return;
	log_line("a source may not know yet what became of its machine: waiting for its question for up to %d s",
		 receive->incoming.limits->linger_ms / 1000);
	linger_run(&receive->incoming, &signals);
}

/* Nobody is here, and no source may still have to ask what became of its machine. */
static bool receive_is_idle(const struct receive *receive)
{
	return incoming_is_idle(&receive->incoming) && !linger_is_due(&receive->incoming);
}

/* Whoever is connected, and does not say who he is, shall not keep a unit from running its machine. */
static bool receive_is_unknown(struct receive *receive)
{
	const struct incoming *incoming = &receive->incoming;

	if (incoming_knows_caller(incoming) || linger_is_due(incoming))
		receive->unknown_until = deadline_after_ms(incoming->limits->unknown_ms);
	return incoming->inherited && !deadline_left_ms(receive->unknown_until);
}

static void receive_once(struct receive *receive)
{
	struct pollfd wait[2] = {
		{ .fd = receive->incoming.events, .events = POLLIN },
		{ .fd = receive->signals, .events = POLLIN },
	};
	struct channel channel;
	struct frame_hello hello;

	if (!events_await(wait, 2, receive->incoming.inherited ? RECEIVE_IDLE_MS : -1) && receive_is_idle(receive)) {
		log_line("nobody sends a machine: whoever has passed the socket on goes on waiting");
		receive_end(receive, MACHINE_END_POWER_OFF);
		return;
	}
	if (wait[1].revents) {
		receive_end(receive, MACHINE_END_STOPPED);
		return;
	}
	if (receive_is_unknown(receive)) {
		log_line("nobody who may send a machine has called in %d s: whoever has passed the socket on goes on "
			 "waiting",
			 receive->incoming.limits->unknown_ms / 1000);
		receive_end(receive, MACHINE_END_POWER_OFF);
		return;
	}
	incoming_serve(&receive->incoming);
	if (incoming_take(&receive->incoming, &channel, &hello)) {
		receive_call(receive, &channel, &hello);
		receive->unknown_until = deadline_after_ms(receive->incoming.limits->unknown_ms);
	}
}

static void receive_close(struct receive *receive)
{
	incoming_close(&receive->incoming);
	channel_terms_close(&receive->terms);
}

static int peers_read(const char *folder, struct peers *peers, struct error *error)
{
	char path[PATH_MAX];
	void *text;
	size_t size;
	int result = key_files_path_of(folder, "peers", path, error);

	if (!result)
		result = file_read(path, &text, &size, error);
	if (result == -ENOENT)
		return error_set(error, ENOENT,
				 "there is no %s, which says who may send which machines here: nobody may", path);
	if (result)
		return result;
	result = peers_parse(text, size, path, peers, error);
	free(text);
	return result;
}

/* What the address asks for, or the operator. */
static int receive_secure(struct receive *receive, struct error *error)
{
	int result;

	if (!channel_terms_secure(&receive->terms, receive->incoming.listener))
		return 0;
	result = channel_terms_open(&receive->terms, error);
	if (!result)
		result = peers_read(channel_terms_folder(&receive->terms), &receive->peers, error);
	if (!result)
		incoming_secure(&receive->incoming, &receive->terms.own, &receive->peers);
	return result;
}

static int receive_open(struct receive *receive, struct error *error)
{
	int result = host_check(error);

	if (!result)
		result = incoming_open(&receive->incoming, &handover_limits, error);
	if (result)
		return result;
	result = incoming_listen(&receive->incoming, receive->options->listen, error);
	if (!result)
		result = receive_secure(receive, error);
	receive->signals = result ? -1 : signals_open();
	if (!result && receive->signals < 0)
		result = error_set(error, errno, "no descriptor for signals (%s)", strerror(errno));
	if (result)
		receive_close(receive);
	return result;
}

int receive_run(const struct receive_options *options, enum machine_end *end, struct error *error)
{
	struct receive receive = {
		.options = options,
		.terms = { .plain = options->plain, .folder = options->tls },
	};
	char address[CHANNEL_ADDRESS_SIZE];
	int result;

	if (options->plain && options->tls)
		return error_set(error, EINVAL, "--plain and --tls exclude each other");
	result = elsewhere_parse(&options->elsewhere, options->name, &receive.names, error);
	if (!result)
		result = receive_open(&receive, error);
	if (result)
		return result;
	channel_address(receive.incoming.listener, address);
	if (options->plain)
		log_line("without TLS, as it was told: whoever reaches %s may send a machine, and others may read it",
			 address);
	/* A machine that is renewed is up already. */
	if (!options->succeeds) {
		log_line("waiting for a machine on %s", address);
		manager_ready();
	}
	receive.unknown_until = deadline_after_ms(receive.incoming.limits->unknown_ms);
	while (!receive.over)
		receive_once(&receive);
	receive_linger(&receive);
	*end = receive.end;
	close(receive.signals);
	receive_close(&receive);
	return 0;
}

/* ---- The command line ---- */

static const struct receive_options defaults = {
	.listen = CHANNEL_ADDRESS_DEFAULT ":" CHANNEL_PORT_DEFAULT,
	.console = "-",
};

static int receive_verb(void *context, char *const *words, struct error *error)
{
	struct receive_options *options = context;
	enum machine_end end = MACHINE_END_NONE;
	int result = monitor_check_name(words[0], error);

	options->name = words[0];
	if (!result)
		result = monitor_begin(options->sandbox, NULL, error);
	if (result)
		return result;
	result = receive_run(options, &end, error);
	if (result != -EINVAL)
		return monitor_end(result, end, error);
	log_close();
	return result;
}

static const struct option_spec table[] = {
	{ OPTION_LIST("disk", "N=PATH|URI", CONFIG_DISKS_MAX, struct receive_options, elsewhere.disk) },
	{ OPTION_LIST("net", "N=tap=NAME|passt", CONFIG_NETS_MAX, struct receive_options, elsewhere.net) },
	{ OPTION_TEXT("kernel", "FILE", struct receive_options, elsewhere.kernel) },
	{ OPTION_TEXT("initrd", "FILE", struct receive_options, elsewhere.initrd) },
	{ OPTION_TEXT("firmware", "[CODE][,VARS]", struct receive_options, elsewhere.firmware) },
	{ OPTION_TEXT("listen", "ADDRESS:PORT|PATH|fd:N", struct receive_options, listen) },
	{ OPTION_TEXT("tls", "DIR", struct receive_options, tls) },
	{ OPTION_FLAG("plain", struct receive_options, plain) },
	{ OPTION_NUMBER("max-gap", "S", 1, GAP_MAX_S, struct receive_options, max_gap_s) },
	{ OPTION_TEXT("console", "FILE|-", struct receive_options, console) },
	{ MONITOR_SANDBOX(struct receive_options, sandbox) },
	{ .name = NULL },
};

const struct verb verb_receive = {
	.name = "receive",
	.words = "[NAME]",
	.words_min = 0,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = receive_verb,
};
