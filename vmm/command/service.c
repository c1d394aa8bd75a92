/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `seaclock service`: what the unit of a machine runs (system/seaclock@.service).
 *
 * Policy: the one place that decides how a machine comes to be here. If there is a file that it was saved to, it is
 * restored: that is this machine, whoever calls. Else, if a connection waits at a socket that the service manager has
 * passed on, somebody sends it, and under no other name. Else it is run from its description. If it is here already and
 * is to be renewed, none of this counts.
 */
#include "command/manager.h"
#include "command/monitor.h"
#include "command/receive.h"
#include "command/renew.h"
#include "command/restore.h"
#include "command/run.h"
#include "command/verb.h"
#include "transfer/gap.h"

#include <stdio.h>
#include <unistd.h>

struct service_options {
	struct receive_options receive;
	const char *saved; /* NULL: not said */
	bool renew;
};

static const struct service_options defaults = { .receive = { .console = "-" } };

static int service_receive(struct receive_options *options, int listener, char *const *words, struct error *error)
{
	char listen[sizeof("fd:") + 3 * sizeof(int)];

	snprintf(listen, sizeof(listen), "fd:%d", listener);
	options->listen = listen;
	options->name = words[0];
	options->own_name = true;
	return verb_receive.run(options, words, error);
}

static int service_restore(const struct service_options *options, char *const *words, struct error *error)
{
	char *const both[] = { (char *)options->saved, words[0], NULL };
	struct restoring_options restoring = {
		.elsewhere = options->receive.elsewhere,
		.max_gap_s = options->receive.max_gap_s,
		.console = options->receive.console,
		.sandbox = options->receive.sandbox,
	};

	return verb_restore.run(&restoring, both, error);
}

static int service_verb(void *context, char *const *words, struct error *error)
{
	struct service_options *options = context;
	struct run_options run = {
		.console = options->receive.console,
		.sandbox = options->receive.sandbox,
	};
	struct renew_options renew = {
		.console = options->receive.console,
		.sandbox = options->receive.sandbox,
	};
	int listener, result;

	if (options->renew)
		return verb_renew.run(&renew, words, error);
	result = manager_caller(&listener, error);
	if (result)
		return result;
	if (options->saved && !access(options->saved, F_OK)) {
		if (listener >= 0)
			close(listener);
		return service_restore(options, words, error);
	}
	if (listener >= 0)
		return service_receive(&options->receive, listener, words, error);
	return verb_run.run(&run, words, error);
}

static const struct option_spec table[] = {
	{ OPTION_TEXT("saved", "FILE", struct service_options, saved) },
	{ OPTION_FLAG("renew", struct service_options, renew) },
	{ OPTION_LIST("disk", "N=PATH|URI", CONFIG_DISKS_MAX, struct service_options, receive.elsewhere.disk) },
	{ OPTION_LIST("net", "N=tap=NAME|passt", CONFIG_NETS_MAX, struct service_options, receive.elsewhere.net) },
	{ OPTION_TEXT("kernel", "FILE", struct service_options, receive.elsewhere.kernel) },
	{ OPTION_TEXT("initrd", "FILE", struct service_options, receive.elsewhere.initrd) },
	{ OPTION_TEXT("firmware", "[CODE][,VARS]", struct service_options, receive.elsewhere.firmware) },
	{ OPTION_TEXT("tls", "DIR", struct service_options, receive.tls) },
	{ OPTION_FLAG("plain", struct service_options, receive.plain) },
	{ OPTION_NUMBER("max-gap", "S", 1, GAP_MAX_S, struct service_options, receive.max_gap_s) },
	{ OPTION_TEXT("console", "FILE|-", struct service_options, receive.console) },
	{ MONITOR_SANDBOX(struct service_options, receive.sandbox) },
	{ .name = NULL },
};

const struct verb verb_service = {
	.name = "service",
	.words = "NAME",
	.words_min = 1,
	.words_max = 1,
	.table = table,
	.defaults = &defaults,
	.size = sizeof(defaults),
	.run = service_verb,
};
