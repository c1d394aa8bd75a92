/* SPDX-License-Identifier: BSD-2-Clause */
/* What the commands print about a running machine: see the header. */
#include "command/print.h"

#include "base/json.h"
#include "base/text.h"
#include "control/line.h"
#include "control/socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB 1048576.0

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double real(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

/* The monitor's words may be a guest's that has taken it over. NULL: there are none. */
static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return !value || text_is_plain(value) ? value : "(not printable)";
}

/* What follows the name of a level. */
static const char *inferred_text(const json_t *object)
{
	return json_is_true(json_object_get(object, "inferred")) ? " (inferred)" : "";
}

/* ---- For a program ---- */

void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

int print_json_whole(json_t *value, const char *what, struct error *error)
{
	bool whole = json_is_whole();

	if (whole)
		print_json(value);
	json_decref(value);
	return whole ? 0 : error_set(error, ENOMEM, "no memory for %s", what);
}

void print_done(const char *command, const char *name)
{
	json_t *line = json_pack("{s:s, s:s, s:b}", "name", name, "command", command, "ok", 1);

	print_json(line);
	json_decref(line);
}

void print_failure(const struct error *error)
{
	json_t *line = control_error(error);

	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

/* ---- Migrations and saves ---- */

/* The measured rate difference between the two hosts, if known. */
static void print_rate(const json_t *report)
{
	double ppm = real(report, "rate_ppm");

	if (!json_is_null(json_object_get(report, "rate_ppm")))
		printf("  the target's clock runs %.1f ppm %s than the source's, within %.1f ppm\n",
		       ppm < 0 ? -ppm : ppm, ppm < 0 ? "slower" : "faster", real(report, "rate_ppm_bound"));
}

/* What the move ends. */
static void print_remark(const json_t *result)
{
	const char *remark = text(result, "remark");

	if (remark)
		printf("  %s\n", remark);
}

static void print_report(const json_t *report)
{
	const json_t *parts = json_object_get(report, "parts_ms");

	printf("  %.1f ms down: hold %.1f, pages %.1f, state %.1f, transfer %.1f, load %.1f, resume %.1f; "
	       "%" JSON_INTEGER_FORMAT " rounds, %.1f MiB sent%s\n",
	       real(report, "downtime_ms"), real(parts, "hold"), real(parts, "pages"), real(parts, "state"),
	       real(parts, "transfer"), real(parts, "load"), real(parts, "resume"), number(report, "rounds"),
	       real(report, "bytes") / MIB, json_is_true(json_object_get(report, "plain")) ? " without TLS" : "");
	printf("  counter from %.6f MHz to %.6f MHz; clock step intended: %.3f ms, bound: %.1f us (best round trip "
	       "%.1f us, "
	       "%.1f ms old)\n",
	       real(report, "from_hz") / 1e6, real(report, "to_hz") / 1e6, real(report, "intended_step_ns") / 1e6,
	       real(report, "stated_bound_ns") / 1e3, real(report, "round_trip_ns") / 1e3,
	       real(report, "age_ns") / 1e6);
	print_rate(report);
}

void print_moved(const char *name, const char *host, const json_t *report)
{
	printf("%s runs on %s\n", name, host);
	print_report(report);
	print_remark(report);
}

void print_renewed(const char *name, int process, const json_t *report)
{
	printf("%s runs in process %d, of seaclock " SEACLOCK_VERSION "\n", name, process);
	print_report(report);
	print_remark(report);
}

void print_verdict(const char *host, const json_t *verdict)
{
	printf("%s can move to %s: counter from %.6f MHz to %.6f MHz, level %s%s\n", text(verdict, "name"), host,
	       real(verdict, "from_hz") / 1e6, real(verdict, "to_hz") / 1e6, text(verdict, "level"),
	       inferred_text(verdict));
	if (json_object_get(verdict, "kernel"))
		print_kernel("  kernel", json_object_get(verdict, "kernel"));
	print_remark(verdict);
}

void print_saved(const char *name, const json_t *report)
{
	printf("%s is saved in %s: %.1f MiB; it was stopped for %.1f ms; counter %.6f MHz, level %s\n", name,
	       text(report, "file"), real(report, "bytes") / MIB, real(report, "stopped_ms"),
	       real(report, "counter_hz") / 1e6, text(report, "level"));
}

void print_growth(const char *name, const json_t *sizes)
{
	json_int_t before = number(sizes, "bytes_before"), now = number(sizes, "bytes");

	if (now == before)
		printf("disk %" JSON_INTEGER_FORMAT " of %s still has %" JSON_INTEGER_FORMAT " bytes\n",
		       number(sizes, "disk"), name, now);
	else
		printf("disk %" JSON_INTEGER_FORMAT " of %s had %" JSON_INTEGER_FORMAT
		       " bytes, and has %" JSON_INTEGER_FORMAT " now\n",
		       number(sizes, "disk"), name, before, now);
}

void print_kernel(const char *whose, const json_t *kernel)
{
	const char *release = text(kernel, "release"), *clocksource = text(kernel, "clocksource");

	if (json_is_true(json_object_get(kernel, "known")))
		printf("%s: Linux %s is known: its timekeeping has the layout of %s (fingerprint %s)%s%s\n", whose,
		       release, text(kernel, "known_by"), text(kernel, "fingerprint"),
		       clocksource ? "; its clocksource is " : "", clocksource ? clocksource : "");
	else
		printf("%s: %s%s%snot known: %s\n", whose, release ? "Linux " : "", release ? release : "",
		       release ? " is " : "", text(kernel, "reason"));
}

/* ---- Status ---- */

static void print_status_line(const json_t *status)
{
	if (json_object_get(status, "error")) {
		const char *code = text(status, "code");
		bool silent = code && !strcmp(code, "timeout");

		printf("%-20s %s\n", text(status, "name"), silent ? "does not answer" : text(status, "error"));
		return;
	}
	printf("%-20s %-10s %" JSON_INTEGER_FORMAT " vCPUs %6" JSON_INTEGER_FORMAT
	       " MiB  counter %.6f MHz  level %s%s\n",
	       text(status, "name"), text(status, "state"), number(status, "vcpus"), number(status, "memory_mib"),
	       (double)number(status, "counter_hz") / 1e6, text(status, "level"), inferred_text(status));
}

/* What an operator looks for when a guest hangs. */
static void print_late_timers(const json_t *timers)
{
	json_t *timer;
	size_t index;

	json_array_foreach(timers, index, timer)
		printf("  vCPU %" JSON_INTEGER_FORMAT ", timer %" JSON_INTEGER_FORMAT ": %s for %.1f s\n",
		       number(timer, "vcpu"), number(timer, "timer"), text(timer, "state"), real(timer, "ms") / 1e3);
}

static void print_disks(const json_t *disks, const json_t *described)
{
	json_t *disk;
	size_t index;

	json_array_foreach(disks, index, disk)
	{
		const json_t *description = json_array_get(described, index);
		const char *where = text(description, "where"), *state = text(disk, "state");
		bool away = state && !strcmp(state, "server-away");

		printf("  disk %zu: %s, %" JSON_INTEGER_FORMAT " bytes%s%s\n", index, where ? where : "?",
		       number(disk, "bytes"),
		       json_is_true(json_object_get(description, "readonly")) ? ", read-only" : "",
		       away ? ", its server is away" : "");
	}
}

static void print_migration(const json_t *migration)
{
	const char *plain = json_is_true(json_object_get(migration, "plain")) ? " without TLS" : "";
	json_int_t mib = number(migration, "bandwidth_mib");

	if (mib)
		printf("  migrates to %s%s, with at most %" JSON_INTEGER_FORMAT " MiB/s\n", text(migration, "host"),
		       plain, mib);
	else if (migration)
		printf("  migrates to %s%s\n", text(migration, "host"), plain);
}

/* What is missing of it. */
static void print_sandbox(const json_t *sandbox)
{
	if (json_is_false(json_object_get(sandbox, "calls")))
		puts("  there is no sandbox around it");
	else if (json_is_false(json_object_get(sandbox, "files")))
		puts("  its sandbox has no bounds for files and TCP ports: this host's kernel has none");
	else if (json_is_false(json_object_get(sandbox, "ports")))
		puts("  its sandbox has no bounds for TCP ports: this host's kernel has none");
}

void print_status(const json_t *status)
{
	const json_t *last = json_object_get(status, "last_migration");
	const char *failed = text(last, "error");
	const char *reason = text(status, "level_reason");
	const json_t *kernel = json_object_get(status, "kernel");

	print_status_line(status);
	print_migration(json_object_get(status, "migration"));
	print_disks(json_object_get(status, "disks"), json_object_get(json_object_get(status, "machine"), "disks"));
	print_late_timers(json_object_get(status, "late_timers"));
	print_sandbox(json_object_get(status, "sandbox"));
	if (json_is_true(json_object_get(status, "program_replaced")))
		puts("  another program has been installed here: this machine runs on with the one that it was started "
		     "with");
	if (kernel)
		print_kernel("  kernel", kernel);
	if (reason)
		printf("  another counter rate is refused: %s\n", reason);
	if (failed)
		printf("  last migration failed: %s\n", failed);
	else if (last)
		print_report(last);
}

void print_status_list(const json_t *list)
{
	json_t *status;
	size_t index;

	if (!json_array_size(list))
		printf("no machine is running here (%s)\n", control_folder());
	json_array_foreach(list, index, status) print_status_line(status);
}

/* ---- Progress ---- */

static void progress_show(void *context, const json_t *line)
{
	struct print_progress *progress = context;

	if (!isatty(STDERR_FILENO))
		return;
	progress->shown = true;
	if (!number(line, "round"))
		fprintf(stderr, "\r%.1f MiB left \033[K", real(line, "bytes_left") / MIB);
	else
		fprintf(stderr,
			"\rround %" JSON_INTEGER_FORMAT
			", %.1f MiB left of it, %.1f MiB/s, expected downtime %.0f ms \033[K",
			number(line, "round"), real(line, "bytes_left") / MIB, real(line, "rate") / MIB,
			real(line, "expected_downtime_ms"));
}

struct client_watch print_progress_watch(struct print_progress *progress)
{
	return (struct client_watch){ .progress = progress_show, .context = progress };
}

void print_progress_end(struct print_progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
