/* SPDX-License-Identifier: BSD-2-Clause */
/* `seaclock receive`: see the header. */
#include "receive.h"

#include "log.h"
#include "migrate/target.h"
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

struct receive {
	const struct receive_options *options;
	struct incoming incoming;
	int signals;
	bool over; /* *end is known */
	enum machine_end end;
};

/* A channel_watch_fn. The signal stays where it is, for the loop that ends with it. */
static int receive_signal(void *context, struct error *error)
{
	(void)context;
	return error_set(error, EINTR, "the receiver was told to end");
}

/* Another: whoever asks for the machine's status need not wait until all of it is here. */
static int receive_control(void *context, struct error *error)
{
	struct serve *serve = context;

	(void)error;
	control_serve(&serve->control);
	return 0;
}

/* ---- One machine ---- */

/* The socket of the name is taken before the guest is, for a running guest must not be lost to a name. */
static int receive_contents(struct receive *receive, struct machine *machine, struct channel *channel,
			    const struct frame_hello *hello, struct serve *serve, struct error *error)
{
	const struct channel_watch signals = { .fd = receive->signals, .fn = receive_signal };
	int result = serve_open(serve, machine, error);
	struct channel_watch control;

	if (result)
		return result;
	control = (struct channel_watch){ serve->control.listener, receive_control, serve };
	channel_watch(channel, &signals);
	channel_watch(channel, &control);
	result = target_run(machine, channel, hello, &receive->incoming, error);
	if (result)
		serve_close(serve);
	return result;
}

static void receive_serve(struct receive *receive, struct serve *serve)
{
	log_line("%s runs here", serve->machine->config.name);
	serve->incoming = &receive->incoming;
	receive->end = serve_run(serve);
	receive->over = true;
	serve_close(serve);
}

static int receive_machine(struct receive *receive, struct channel *channel, const struct frame_hello *hello,
			   struct console *console, struct error *error)
{
	struct machine machine;
	struct serve serve;
	int result = target_begin(&machine, hello, console, receive->options->name, error);

	if (result)
		return result;
	result = receive_contents(receive, &machine, channel, hello, &serve, error);
	if (!result) {
		incoming_await_settled(&receive->incoming, channel);
		receive_serve(receive, &serve);
	}
	machine_destroy(&machine);
	return result;
}

static void receive_refuse(struct receive *receive, struct channel *channel, const struct frame_hello *hello,
			   int result, const struct error *error)
{
	if (result == -ECANCELED && hello->dry_run)
		log_line("asked whether %s could run here: it could", hello->name);
	else
		log_line("%s is not taken: %s", hello->name, error->text);
	incoming_release(&receive->incoming);
	channel_abort(channel, error);
}

static void receive_call(struct receive *receive, struct channel *channel, const struct frame_hello *hello)
{
	struct console console;
	struct error error;
	int result = console_open(&console, receive->options->console, &error);

	if (!result) {
		result = receive_machine(receive, channel, hello, &console, &error);
		console_close(&console);
	}
	if (result)
		receive_refuse(receive, channel, hello, result, &error);
	channel_close(channel);
}

/* ---- All of them ---- */

static void receive_once(struct receive *receive)
{
	struct pollfd wait[2] = {
		{ .fd = receive->incoming.events, .events = POLLIN },
		{ .fd = receive->signals, .events = POLLIN },
	};
	struct channel channel;
	struct frame_hello hello;

	if (poll(wait, 2, -1) < 0)
		return;
	if (wait[1].revents) {
		receive->end = MACHINE_END_STOPPED;
		receive->over = true;
		return;
	}
	incoming_serve(&receive->incoming);
	if (incoming_take(&receive->incoming, &channel, &hello))
		receive_call(receive, &channel, &hello);
}

static int receive_open(struct receive *receive, struct error *error)
{
	int result = host_check(error);

	if (!result)
		result = incoming_open(&receive->incoming, &handover_limits, error);
	if (result)
		return result;
	result = incoming_listen(&receive->incoming, receive->options->listen, error);
	receive->signals = result ? -1 : serve_signals_open();
	if (!result && receive->signals < 0)
		result = error_set(error, errno, "no descriptor for signals (%s)", strerror(errno));
	if (result)
		incoming_close(&receive->incoming);
	return result;
}

int receive_run(const struct receive_options *options, enum machine_end *end, struct error *error)
{
	struct receive receive = { .options = options };
	int result;

	serve_block_signals();
	result = receive_open(&receive, error);
	if (result)
		return result;
	log_line("waiting for a machine on %s", options->listen);
	while (!receive.over)
		receive_once(&receive);
	*end = receive.end;
	close(receive.signals);
	incoming_close(&receive.incoming);
	return 0;
}
