// SPDX-License-Identifier: BSD-2-Clause
/* A Debian that was moved: what its pinger, its chronyd and fsck say, each fault by its own criterion; the summary. */
#include "judge_fixture.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "../../lab/judge/chrony.h"
#include "../../lab/judge/debian_summary.h"
#include "../../lab/judge/manifest.h"
#include "../../lab/judge/ping.h"
#include "../../lab/judge/verdict_debian.h"

/* As large as all evidence. */
static struct run run;

static const char manifest[] = "host altra 25000000\nhost grace 1000000000\ncase debian raw\n"
			       "migration altra grace 1.json\nmigration grace altra 2.json\nping 1.ping\nping 2.ping\n"
			       "late 100\nchrony chrony.log\nfsck 0\nfirmware edk2-2022.11\nbootloader grub-2.06\n";

static void transcript_set(const char *const *lines, size_t count)
{
	struct fixture_text text = { 0 };

	for (size_t i = 0; i < count; i++)
		fixture_line(&text, lines[i]);
	transcript_free(&run.transcript);
	assert_int_equal(transcript_parse(&run.transcript, text.bytes, text.length), 0);
}

/* A run without a fault. */
static void run_set(void)
{
	static const char *const synced[] = {
		"@sync unsync=0 monotonic=1000000000", "@sync unsync=1 monotonic=5000000000",
		"@sync unsync=1 monotonic=7000000000", "@sync unsync=0 monotonic=8900000000",
		"@sync unsync=1 monotonic=9000000000",
	};
	char error[MANIFEST_ERROR_MAX];

	assert_int_equal(manifest_parse(&run.manifest, manifest, error), 0);
	run.migration_count = 2;
	run.chrony_steps = 0;
	for (size_t i = 0; i < 2; i++) {
		run.migrations[i] = (struct migration){ .from = &run.manifest.hosts[i],
							.to = &run.manifest.hosts[1 - i],
							.report.downtime_ms = 300 };
		run.pings[i] = (struct ping){ .sent = 100, .answered = 90, .gap_ns = 399000000 };
	}
	transcript_set(synced, ARRAY_SIZE(synced));
}

/* Which criteria fail, as the first letters of their words. */
static void fails(const char *expected)
{
	char *output;
	size_t size;
	FILE *out = open_memstream(&output, &size);

	assert_int_equal(verdict_of_debian(&run, out), expected[0] == '\0');
	fclose(out);
	fixture_expect_failed(output, expected);
}

static void a_good_run_passes(void **state)
{
	(void)state;
	run_set();
	fails("");
	assert_true(debian_judge(&run).late_ns == 99000000);
	assert_true(debian_judge(&run).unsync_ns == 3900000000ll);
}

static void each_fault_fails_its_criterion(void **state)
{
	static const char *const lost[] = {
		"@sync unsync=1 monotonic=1000000000",
		"@sync unsync=1 monotonic=5250000001",
	};

	(void)state;
	run_set();
	run.pings[1].gap_ns = 400000001;
	fails("p");
	run_set();
	run.pings[0].doubled = 1;
	fails("p");
	run_set();
	run.manifest.late_ms = 0;
	fails("p");
	run_set();
	run.manifest.ping_count = 1;
	fails("p");
	run_set();
	run.chrony_steps = 1;
	fails("c");
	run_set();
	run.manifest.chrony[0] = '\0';
	fails("c");
	run_set();
	transcript_set(lost, ARRAY_SIZE(lost));
	fails("s");
	transcript_set(NULL, 0);
	fails("s");
	run_set();
	run.manifest.fsck = 4;
	fails("f");
	run_set();
	run.manifest.has_fsck = false;
	fails("f");
}

static void the_summary_has_all(void **state)
{
	struct disks disks = { .checksum_errors = 2, .lost_fsyncs = 3 };
	int clean, steps, errors, lost;
	const char *firmware, *bootloader;
	double gap;

	(void)state;
	run_set();
	run.pings[1].gap_ns = 12500000;
	json_t *summary = debian_summary(&run, &disks);

	assert_int_equal(json_unpack(summary, "{s:i, s:i, s:b, s:i, s:s, s:s}", "checksum_errors", &errors,
				     "lost_fsyncs", &lost, "fsck_clean", &clean, "chrony_steps", &steps, "firmware",
				     &firmware, "bootloader", &bootloader),
			 0);
	assert_int_equal(errors, 2);
	assert_int_equal(lost, 3);
	assert_true(clean);
	assert_int_equal(steps, 0);
	assert_string_equal(firmware, "edk2-2022.11");
	assert_string_equal(bootloader, "grub-2.06");
	json_t *second = json_array_get(json_object_get(summary, "migrations"), 1);

	assert_int_equal(json_unpack(second, "{s:F}", "ping_gap_ms", &gap), 0);
	assert_true(gap == 12.5);
	json_decref(summary);
}

static void what_was_not_watched_is_null(void **state)
{
	struct disks disks = { 0 };

	(void)state;
	run_set();
	run.manifest.ping_count = 1;
	run.manifest.chrony[0] = run.manifest.firmware[0] = '\0';
	run.manifest.has_fsck = false;
	json_t *summary = debian_summary(&run, &disks);
	json_t *second = json_array_get(json_object_get(summary, "migrations"), 1);

	assert_true(json_is_null(json_object_get(second, "ping_gap_ms")));
	assert_true(json_is_null(json_object_get(summary, "chrony_steps")));
	assert_true(json_is_null(json_object_get(summary, "firmware")));
	assert_true(json_is_false(json_object_get(summary, "fsck_clean")));
	json_decref(summary);
}

static void a_pinger_is_read(void **state)
{
	static const char *const bad[] = {
		"",
		"answered\n",
		"sent=1 answered=1 doubled=0 gap_ns=5",
		"sent=1 answered=1 doubled=0 gap_ns=\n",
		"sent=1 answered=0 doubled=0 gap_ns=5\n",
		"sent=1 answered=1 doubled=-1 gap_ns=5\n",
		"sent=1 answered=1 doubled=0 gap_ns=5 \n",
	};
	struct ping ping;

	(void)state;
	assert_int_equal(ping_parse(&ping, "answered\nsent=7 answered=6 doubled=1 gap_ns=50000000\n"), 0);
	assert_int_equal(ping.sent, 7);
	assert_int_equal(ping.answered, 6);
	assert_int_equal(ping.doubled, 1);
	assert_int_equal(ping.gap_ns, 50000000);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(ping_parse(&ping, bad[i]), -EINVAL);
}

static void steps_are_counted(void **state)
{
	(void)state;
	assert_int_equal(chrony_steps(""), 0);
	assert_int_equal(chrony_steps("chronyd[1]: Selected source PHC0\n"), 0);
	assert_int_equal(chrony_steps("chronyd[1]: System clock was stepped by 0.100 seconds\n"
				      "chronyd[1]: System clock was stepped by -0.200 seconds\n"),
			 2);
}

static void bad_items_are_refused(void **state)
{
	char error[MANIFEST_ERROR_MAX], text[2 * MANIFEST_NAME_MAX];

	(void)state;
	assert_int_equal(manifest_parse(&run.manifest, "fsck clean\n", error), -EINVAL);
	assert_int_equal(manifest_parse(&run.manifest, "fsck 256\n", error), -EINVAL);
	assert_int_equal(manifest_parse(&run.manifest, "slew -1\n", error), -EINVAL);
	assert_int_equal(manifest_parse(&run.manifest, "slew 1001\n", error), -EINVAL);
	assert_int_equal(manifest_parse(&run.manifest, "late 0\n", error), -EINVAL);
	assert_int_equal(manifest_parse(&run.manifest, "late 1001\n", error), -EINVAL);
	assert_int_equal(manifest_parse(&run.manifest, "ping\n", error), -EINVAL);
	snprintf(text, sizeof(text), "firmware %0*d\n", MANIFEST_NAME_MAX, 0);
	assert_int_equal(manifest_parse(&run.manifest, text, error), -EINVAL);
}

static int transcript_release(void **state)
{
	(void)state;
	transcript_free(&run.transcript);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_run_passes),	 cmocka_unit_test(each_fault_fails_its_criterion),
		cmocka_unit_test(the_summary_has_all),	 cmocka_unit_test(what_was_not_watched_is_null),
		cmocka_unit_test(a_pinger_is_read),	 cmocka_unit_test(steps_are_counted),
		cmocka_unit_test(bad_items_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, transcript_release);
}
