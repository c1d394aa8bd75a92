# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Authorities and hosts' certificates, made with certtool: sourced by lab/lab, and by the scenario that is about whom hosts
# believe. A host's clock begins in 1970 or where this machine's is, so certificates hold for both.

keys_valid=$'activation_date = "1970-01-01 00:00:00 UTC"\nexpiration_date = "2100-01-01 00:00:00 UTC"'

keys_tool() {
	local said
	said=$(certtool "$@" 2>&1) || {
		printf '%s\ncerttool does not make the keys.\n' "$said" >&2
		exit 1
	}
}

# An authority in the new folder $1.
keys_authority() {
	mkdir -p "$1"
	printf '%s\n' "$keys_valid" "cn = \"$(basename "$1")\"" ca cert_signing_key crl_signing_key >"$1/template"
	keys_tool --generate-privkey --key-type ecdsa --outfile "$1/ca-key.pem"
	keys_tool --generate-self-signed --load-privkey "$1/ca-key.pem" --template "$1/template" --outfile "$1/ca.pem"
}

# keys_issue AUTHORITY FOLDER NAME [TIME]: what a host of that name has, who believes that authority.
keys_issue() {
	mkdir -p "$2"
	cp "$1/ca.pem" "$2"
	printf '%s\n' "${4:-$keys_valid}" "cn = \"$3\"" "dns_name = \"$3\"" signing_key tls_www_server tls_www_client \
		>"$1/template"
	keys_tool --generate-privkey --key-type ecdsa --outfile "$2/key.pem"
	keys_tool --generate-certificate --load-ca-certificate "$1/ca.pem" --load-ca-privkey "$1/ca-key.pem" \
		--load-privkey "$2/key.pem" --template "$1/template" --outfile "$2/cert.pem"
}

# keys_revoke AUTHORITY FOLDER LIST: writes the list, in which the folder's certificate is.
keys_revoke() {
	printf '%s\n' 'crl_this_update_date = "1970-01-01 00:00:00 UTC"' 'crl_next_update_date = "2100-01-01 00:00:00 UTC"' \
		>"$1/template"
	keys_tool --generate-crl --load-ca-certificate "$1/ca.pem" --load-ca-privkey "$1/ca-key.pem" \
		--load-certificate "$2/cert.pem" --template "$1/template" --outfile "$3"
}
