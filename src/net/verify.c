#include "net/verify.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

enum {
	/* Names of a certificate that an error text lists. */
	NAMES_SHOWN = 4,

	/* Octets of one of them: the longest name in the DNS has 253. */
	NAME_BYTES = 256,
};

static NetHandshake *handshake_of(X509_STORE_CTX *store)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

	return SSL_get_app_data(ssl);
}

static char *hex_with_colons(const guchar *bytes, gsize len)
{
	GString *out = g_string_sized_new(len * 3);

	for (gsize i = 0; i < len; i++)
		g_string_append_printf(out, "%s%02X", i ? ":" : "", bytes[i]);
	return g_string_free(out, FALSE);
}

static bool leaf_digest(const X509 *leaf, guchar ret_digest[NET_PIN_BYTES])
{
	unsigned len = NET_PIN_BYTES;

	return leaf && X509_digest(leaf, EVP_sha256(), ret_digest, &len) && len == NET_PIN_BYTES;
}

static char *leaf_fingerprint(X509_STORE_CTX *store)
{
	guchar digest[NET_PIN_BYTES];

	if (!leaf_digest(X509_STORE_CTX_get0_cert(store), digest))
		return g_strdup("unknown");
	return hex_with_colons(digest, sizeof(digest));
}

static char *date_text(const ASN1_TIME *time)
{
	struct tm tm;
	char text[sizeof("-2147483648-12-31")];

	if (!time || !ASN1_TIME_to_tm(time, &tm) ||
		strftime(text, sizeof(text), "%Y-%m-%d", &tm) == 0)
		return g_strdup("an unreadable date");
	return g_strdup(text);
}

/* A string of the peer: it may hold NUL, escapes, anything. */
static char *asn1_text(const ASN1_STRING *string)
{
	return log_escape(
		ASN1_STRING_get0_data(string), (gsize)ASN1_STRING_length(string), NAME_BYTES);
}

static char *address_text(const ASN1_OCTET_STRING *address)
{
	char text[INET6_ADDRSTRLEN];
	int len = ASN1_STRING_length(address);

	if (len != 4 && len != 16)
		return g_strdup("a malformed address");
	inet_ntop(
		len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof(text));
	return g_strdup(text);
}

static char *general_name_text(const GENERAL_NAME *name)
{
	if (name->type == GEN_DNS)
		return asn1_text(name->d.dNSName);
	if (name->type == GEN_IPADD)
		return address_text(name->d.iPAddress);
	return NULL;
}

/* "a.example, b.example and 7 more" */
static char *names_text(const X509 *leaf)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	GString *out = g_string_new(NULL);
	int found = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		g_autofree char *text = general_name_text(sk_GENERAL_NAME_value(names, i));
		if (text && found++ < NAMES_SHOWN)
			g_string_append_printf(out, "%s%s", out->len ? ", " : "", text);
	}
	GENERAL_NAMES_free(names);
	if (found > NAMES_SHOWN)
		g_string_append_printf(out, " and %d more", found - NAMES_SHOWN);
	if (found == 0)
		g_string_append(out, "no host at all");
	return g_string_free(out, FALSE);
}

/* The most telling part of a distinguished name: CN, else O. */
static char *issuer_text(const X509 *certificate)
{
	X509_NAME *name = X509_get_issuer_name(certificate);
	int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

	if (at < 0)
		at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);
	if (at < 0)
		return g_strdup("without a name");
	return asn1_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

static char *date_refusal(const X509 *certificate, int depth, const char *what, const ASN1_TIME *at)
{
	g_autofree char *date = date_text(at);
	g_autofree char *issuer = issuer_text(certificate);

	if (depth == 0)
		return g_strdup_printf("the certificate %s %s", what, date);
	return g_strdup_printf(
		"a certificate of the chain, issued by %s, %s %s", issuer, what, date);
}

static char *trust_refusal(X509_STORE_CTX *store, const X509 *certificate, bool self_signed)
{
	g_autofree char *fingerprint = leaf_fingerprint(store);
	g_autofree char *issuer = issuer_text(certificate);

	if (self_signed)
		return g_strdup_printf(
			"the certificate is self-signed and not trusted; its SHA-256 "
			"fingerprint is %s",
			fingerprint);
	return g_strdup_printf("the certificate's issuer %s is not trusted; its SHA-256 "
			       "fingerprint is %s",
		issuer, fingerprint);
}

static char *refusal_text(X509_STORE_CTX *store)
{
	int code = X509_STORE_CTX_get_error(store);
	int depth = X509_STORE_CTX_get_error_depth(store);
	const X509 *at = X509_STORE_CTX_get_current_cert(store);
	const X509 *leaf = X509_STORE_CTX_get0_cert(store);
	g_autofree char *names = NULL;

	if (!at)
		at = leaf;
	switch (code) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		names = names_text(leaf);
		return g_strdup_printf("the certificate is for %s", names);
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return date_refusal(at, depth, "expired on", X509_get0_notAfter(at));
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return date_refusal(at, depth, "is not valid before", X509_get0_notBefore(at));
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return trust_refusal(store, at, true);
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return trust_refusal(store, at, false);
	default:
		return g_strdup_printf(
			"the certificate is refused: %s", X509_verify_cert_error_string(code));
	}
}

int net_verify_chain(int ok, X509_STORE_CTX *store)
{
	NetHandshake *handshake = handshake_of(store);

	if (!ok && !handshake->refusal)
		handshake->refusal = refusal_text(store);
	return ok;
}

int net_verify_pin(X509_STORE_CTX *store, void *pin)
{
	NetHandshake *handshake = handshake_of(store);
	guchar digest[NET_PIN_BYTES];

	if (leaf_digest(X509_STORE_CTX_get0_cert(store), digest) &&
		memcmp(digest, pin, sizeof(digest)) == 0) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (!handshake->refusal) {
		g_autofree char *seen = leaf_fingerprint(store);
		g_autofree char *pinned = hex_with_colons(pin, NET_PIN_BYTES);
		handshake->refusal = g_strdup_printf(
			"the certificate's fingerprint is %s but %s is pinned", seen, pinned);
	}
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}
