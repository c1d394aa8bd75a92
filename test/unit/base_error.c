/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors: which errno and which code a sentence has. */
#include "unit.h"

#include "base/error.h"

#include <errno.h>
#include <string.h>

/* Programs rest on these words: a change here is a new version of the control protocol. */
static const struct {
	int err;
	const char *code;
} codes[] = {
	{ EINVAL, "invalid" },
	{ ENAMETOOLONG, "invalid" },
	{ EPROTONOSUPPORT, "version" },
	{ ESRCH, "not-running" },
	{ EBUSY, "busy" },
	{ EALREADY, "already" },
	{ ENODATA, "not-migrating" },
	{ EEXIST, "exists" },
	{ ESHUTDOWN, "ended" },
	{ ECANCELED, "cancelled" },
	{ EPERM, "cannot-follow" },
	{ ETIME, "not-in-time" },
	{ ENOBUFS, "not-converging" },
	{ ENOTRECOVERABLE, "undecided" },
	{ EL3HLT, "diskless" },
	{ EL2HLT, "paused" },
	{ EREMOTE, "moved" },
	{ ENOMSG, "unheard" },
	{ ETIMEDOUT, "timeout" },
	{ EHOSTUNREACH, "unreachable" },
	{ ENETUNREACH, "unreachable" },
	{ ECONNREFUSED, "unreachable" },
	{ ECONNABORTED, "peer-refused" },
	{ ECONNRESET, "connection-lost" },
	{ EPIPE, "connection-lost" },
	{ EPROTO, "protocol" },
	{ EOPNOTSUPP, "unsupported" },
	{ EACCES, "denied" },
	{ ENOENT, "not-found" },
	{ ENOMEM, "no-memory" },
	{ ENOSPC, "no-space" },
	{ EDQUOT, "no-space" },
	{ EIO, "io" },
	{ 0, "failed" },
	{ EMFILE, "failed" },
	{ -EBUSY, "failed" },
};

static void test_codes(void **state)
{
	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(codes); n++) {
		const struct error error = { .err = codes[n].err };

		assert_string_equal(error_code(&error), codes[n].code);
	}
}

/* Each code leads to an errno that leads back to it. */
static void test_back(void **state)
{
	const char *code;

	(void)state;
	for (size_t n = 0; (code = error_code_at(n)); n++) {
		const struct error error = { .err = error_of_code(code) };

		assert_string_equal(error_code(&error), code);
		assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), strlen(code));
	}
	assert_int_equal(error_of_code("of-tomorrow"), 0);
}

static void test_sentences(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(error_set(&error, EBUSY, "%s is %s", "boat", "busy"), -EBUSY);
	assert_string_equal(error.text, "boat is busy");
	assert_int_equal(error.err, EBUSY);
	error_explain(&error, "it waits");
	assert_string_equal(error.text, "it waits");
	assert_int_equal(error.err, EBUSY);
	error_format(&error, "it sank");
	assert_string_equal(error.text, "it sank");
	assert_int_equal(error.err, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
