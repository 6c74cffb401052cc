#include "net/tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/error.h"
#include "net/trust.h"

struct NetTlsLink {
	NetTrust *trust;
	NetWire *wire;
	SSL *ssl;
	NetHandshake handshake;
	char *peer;
	bool is_up;
	bool is_broken; /* OpenSSL forbids SSL_shutdown() after a fatal error */
};

/* The name as DNS and certificates have it: A-labels, no final dot, no scope. Neither may it be
 * empty, which would turn OpenSSL's check off, nor begin with a dot, which means any subdomain. */
static char *reference_name(const char *host)
{
	if (g_hostname_is_ip_address(host))
		return g_strndup(host, strcspn(host, "%"));

	g_autofree char *name = g_hostname_to_ascii(host);
	if (name && g_str_has_suffix(name, "."))
		name[strlen(name) - 1] = '\0';
	if (!name || !*name || *name == '.')
		return NULL;
	return g_steal_pointer(&name);
}

/* RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
 * RFC 9525 section 6.3: a wildcard is a whole label, and the subject's CN names no host. */
static bool expect_peer(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (g_hostname_is_ip_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(param, name);
	SSL_set_hostflags(
		ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return SSL_set1_host(ssl, name) && SSL_set_tlsext_host_name(ssl, name);
}

NetTlsLink *net_tls_link_new(
	NetTrust *trust, NetWire *wire, const char *host, guint16 port, GError **error)
{
	static const guchar alpn[] = "\x04imap"; /* RFC 7301 section 3.1, IANA's ALPN list */
	g_autoptr(NetTlsLink) link = g_new0(NetTlsLink, 1);
	g_autofree char *name = reference_name(host);

	if (!name) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_TLS,
			"no certificate can be for a host of that name");
		return NULL;
	}
	link->trust = trust;
	link->wire = wire;
	link->peer = g_strdup_printf("%s %u", name, port);
	link->handshake.peer = link->peer;
	link->ssl = net_trust_ssl_new(trust, wire, &link->handshake, error);
	if (!link->ssl)
		return NULL;
	/* SSL_set_alpn_protos() returns 0 for success. */
	if (!expect_peer(link->ssl, name) ||
		SSL_set_alpn_protos(link->ssl, alpn, sizeof(alpn) - 1) != 0) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_TLS, "TLS does not start: %s",
			net_trust_reason());
		return NULL;
	}
	return g_steal_pointer(&link);
}

void net_tls_link_free(NetTlsLink *link)
{
	if (!link)
		return;
	ERR_clear_error();
	if (link->is_up && !link->is_broken)
		SSL_shutdown(link->ssl);
	ERR_clear_error();
	SSL_free(link->ssl);
	g_free(link->handshake.refusal);
	g_free(link->peer);
	g_free(link);
}

static const char *failure_text(unsigned long code)
{
	static const struct {
		int reason;
		const char *text;
	} map[] = {
		{SSL_R_UNSUPPORTED_PROTOCOL, "the server has no TLS 1.2 or newer"},
		{SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server has no TLS 1.2 or newer"},
		{SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the server refused the handshake"},
		{SSL_R_TLSV1_UNRECOGNIZED_NAME, "the server does not know a host of that name"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(map); i++) {
		if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == map[i].reason)
			return map[i].text;
	}
	return ERR_reason_error_string(code);
}

/* Whether the first bytes were another protocol's. */
static bool is_no_tls(const NetTlsLink *link, unsigned long code)
{
	return !link->is_up && ERR_GET_LIB(code) == ERR_LIB_SSL &&
	       (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER ||
		       ERR_GET_REASON(code) == SSL_R_PACKET_LENGTH_TOO_LONG);
}

static void set_failure(NetTlsLink *link, GError **error)
{
	if (link->handshake.refusal) {
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_TLS, link->handshake.refusal);
		return;
	}
	if (net_wire_failure(link->wire, error))
		return;
	unsigned long code = ERR_peek_last_error();
	if (is_no_tls(link, code)) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_PROTOCOL,
			"TLS failed: what the server sent is not TLS");
		return;
	}
	const char *text = failure_text(code);
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_TLS, "TLS failed: %s",
		text ? text : "no reason given");
}

/* What an SSL function that did not succeed wants. The wire knows better than OpenSSL's error queue
 * whether the socket failed or ended, in every version of it. */
static NetIo outcome(NetTlsLink *link, int result, GError **error)
{
	switch (SSL_get_error(link->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return NET_IO_WAIT_READ;
	case SSL_ERROR_WANT_WRITE:
		return NET_IO_WAIT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return NET_IO_END;
	default:
		link->is_broken = true;
		set_failure(link, error);
		ERR_clear_error();
		return NET_IO_FAILED;
	}
}

NetIo net_tls_link_handshake(NetTlsLink *link, GError **error)
{
	ERR_clear_error();
	int result = SSL_do_handshake(link->ssl);

	if (result != 1) {
		NetIo io = outcome(link, result, error);
		if (io != NET_IO_END)
			return io;
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_IO, "the server ended the TLS handshake");
		return NET_IO_FAILED;
	}
	link->is_up = true;
	net_trust_keep_session(link->trust, link->ssl);
	return NET_IO_DONE;
}

NetIo net_tls_link_read(NetTlsLink *link, void *buf, gsize size, gsize *ret_len, GError **error)
{
	ERR_clear_error();
	int result = SSL_read_ex(link->ssl, buf, size, ret_len);

	return result == 1 ? NET_IO_DONE : outcome(link, result, error);
}

NetIo net_tls_link_write(
	NetTlsLink *link, const void *bytes, gsize len, gsize *ret_len, GError **error)
{
	ERR_clear_error();
	int result = SSL_write_ex(link->ssl, bytes, len, ret_len);

	return result == 1 ? NET_IO_DONE : outcome(link, result, error);
}

char *net_tls_link_describe(const NetTlsLink *link)
{
	return g_strdup_printf("%s %s%s", SSL_get_version(link->ssl),
		SSL_get_cipher_name(link->ssl), SSL_session_reused(link->ssl) ? ", resumed" : "");
}
