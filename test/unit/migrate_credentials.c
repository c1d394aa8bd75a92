/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that prove who a host is: what is wrong with them, or with the host's clock, is told before anybody calls.
 */
#include "unit.h"
#include "../fake/host_fake.h"
#include "certificate_fixture.h"

#include "migrate/credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define S_NS 1000000000ll

static char top[] = "/tmp/seaclock-credentials-XXXXXX";
static char folder[64], other[64];
static struct authority_pair authority, other_authority;
static struct credentials credentials;
static struct error error;

static int set_up_all(void **state)
{
	(void)state;
	return mkdtemp(top) ? 0 : -1;
}

static int tear_down_all(void **state)
{
	(void)state;
	return rmdir(top);
}

static int set_up(void **state)
{
	struct authority_span span;

	(void)state;
	fake_reset();
	span = certificate_span();
	authority = certificate_authority(&span);
	other_authority = certificate_authority(&span);
	snprintf(folder, sizeof(folder), "%s/altra", top);
	snprintf(other, sizeof(other), "%s/grace", top);
	certificate_folder(folder, &authority, &authority, "altra", &span);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	credentials_close(&credentials);
	certificate_remove(folder);
	certificate_remove(other);
	authority_free(&authority);
	authority_free(&other_authority);
	return 0;
}

static void clock_step(int64_t s)
{
	fake_host_current()->realtime_off_ns += s * S_NS;
}

static void expect_no_credentials(int err, const char *words)
{
	assert_int_equal(credentials_open(&credentials, folder, &error), -err);
	if (!strstr(error.text, words))
		fail_msg("it says: %s", error.text);
	assert_int_equal(error.err, err);
	assert_null(credentials.own);
}

/* ---- Time ---- */

/* A host whose clock has never been set finds it out before it calls anybody. */
static void test_clock_of_1970(void **state)
{
	(void)state;
	clock_step(60 - certificate_now());
	expect_no_credentials(EKEYREJECTED, "this host's certificate ");
	expect_no_credentials(EKEYREJECTED,
			      "cert.pem is not valid yet, by this host's clock, which says 1970-01-01 00:01:00 UTC");
}

static void test_revoked_here(void **state)
{
	(void)state;
	certificate_revoke(&authority, folder, folder);
	expect_no_credentials(EKEYREJECTED, "cert.pem is revoked");
}

/* What was revoked since then is not known. */
static void test_revocations_out_of_date(void **state)
{
	struct authority_span span = certificate_span();

	(void)state;
	span.until += 9 * CERTIFICATE_DAY;
	authority_free(&authority);
	authority = certificate_authority(&span);
	certificate_folder(other, &authority, &authority, "grace", &span);
	certificate_folder(folder, &authority, &authority, "altra", &span);
	certificate_revoke(&authority, other, folder);
	assert_int_equal(credentials_open(&credentials, folder, &error), 0);
	credentials_close(&credentials);
	clock_step(2 * CERTIFICATE_DAY);
	expect_no_credentials(EKEYREJECTED, "out of date");
}

/* ---- Files ---- */

static void test_files(void **state)
{
	const gnutls_datum_t junk = { (unsigned char *)"junk", 4 };

	(void)state;
	assert_int_equal(chmod(certificate_path(folder, "key.pem"), 0644), 0);
	expect_no_credentials(EACCES, "key.pem is open to everybody: chmod 600");
	certificate_write(folder, "key.pem", &authority.key);
	expect_no_credentials(EKEYREJECTED, "key.pem is not the key of ");
	certificate_write(folder, "key.pem", &junk);
	expect_no_credentials(EKEYREJECTED, "are no certificate with its key");
	certificate_write(folder, "ca.pem", &junk);
	expect_no_credentials(EKEYREJECTED, "ca.pem");
	certificate_write(folder, "crl.pem", &junk);
	certificate_write(folder, "ca.pem", &authority.certificate);
	expect_no_credentials(EKEYREJECTED, "crl.pem is not what it should be");
	unlink(certificate_path(folder, "ca.pem"));
	expect_no_credentials(ENOENT, "ca.pem (No such file");
}

/* Files that somebody else has opened, who may have passed on anything. */
static void test_passed(void **state)
{
	struct key_files files;
	int fd;

	(void)state;
	certificate_revoke(&authority, folder, folder);
	assert_int_equal(key_files_open(&files, folder, &error), 0);
	assert_int_equal(credentials_load(&credentials, &files, folder, &error), -EKEYREJECTED);
	assert_non_null(strstr(error.text, "cert.pem is revoked"));
	key_files_close(&files);
	unlink(certificate_path(folder, "crl.pem"));
	assert_int_equal(key_files_open(&files, folder, &error), 0);
	assert_int_equal(files.fd[KEY_FILE_CRL], -1);
	assert_int_equal(credentials_load(&credentials, &files, folder, &error), 0);
	credentials_close(&credentials);
	/* Once more: it stands at its end, where nothing is. */
	assert_int_equal(credentials_load(&credentials, &files, folder, &error), -EIO);
	fd = files.fd[KEY_FILE_CA];
	files.fd[KEY_FILE_CA] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(credentials_load(&credentials, &files, folder, &error), -EINVAL);
	assert_non_null(strstr(error.text, "ca.pem is not a file"));
	assert_null(credentials.own);
	close(fd);
	key_files_close(&files);
}

static void test_own_of_another(void **state)
{
	struct authority_span span = certificate_span();

	(void)state;
	certificate_folder(folder, &authority, &other_authority, "altra", &span);
	expect_no_credentials(EKEYREJECTED, "cert.pem is not from the authority in ca.pem");
}

/* ---- What is spoken ---- */

static bool aes_is_first(bool aes)
{
	gnutls_priority_t priority;
	bool first;
	const unsigned int *ciphers, *versions;

	assert_int_equal(gnutls_priority_init(&priority, credentials_priority(aes), NULL), 0);
	assert_int_equal(gnutls_priority_protocol_list(priority, &versions), 1);
	assert_int_equal(versions[0], GNUTLS_TLS1_3);
	assert_int_equal(gnutls_priority_cipher_list(priority, &ciphers), 3);
	first = ciphers[0] == GNUTLS_CIPHER_AES_128_GCM;
	gnutls_priority_deinit(priority);
	return first;
}

static void test_priority(void **state)
{
	(void)state;
	assert_true(aes_is_first(true));
	assert_false(aes_is_first(false));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_priority),	   TEST(test_clock_of_1970),
		TEST(test_revoked_here),   TEST(test_revocations_out_of_date),
		TEST(test_files),	   TEST(test_passed),
		TEST(test_own_of_another),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
