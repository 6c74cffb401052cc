#include "net/trust.h"

#include <openssl/err.h>
#include <string.h>

#include "base/error.h"

/* Two for each of the four connections that an account has by default. */
enum { SESSIONS_KEPT = 8 };

typedef struct {
	char *peer;
	SSL_SESSION *session;
} KeptSession;

struct NetTrust {
	SSL_CTX *ctx;
	BIO_METHOD *bio_method;
	GQueue sessions; /* KeptSession, newest first */
	bool is_pinned;
	guchar pin[NET_PIN_BYTES];
};

static void kept_session_free(gpointer data)
{
	KeptSession *kept = data;

	SSL_SESSION_free(kept->session);
	g_free(kept->peer);
	g_free(kept);
}

const char *net_trust_reason(void)
{
	unsigned long first = ERR_peek_error();
	const char *reason = ERR_GET_LIB(first) == ERR_LIB_SYS
				     ? g_strerror(ERR_GET_REASON(first))
				     : ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason ? reason : "no reason given";
}

/* Takes the reference to session. */
static void remember(NetTrust *trust, const char *peer, SSL_SESSION *session)
{
	KeptSession *kept = g_new0(KeptSession, 1);

	kept->peer = g_strdup(peer);
	kept->session = session;
	g_queue_push_head(&trust->sessions, kept);
	if (g_queue_get_length(&trust->sessions) > SESSIONS_KEPT)
		kept_session_free(g_queue_pop_tail(&trust->sessions));
}

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	const NetHandshake *handshake = SSL_get_app_data(ssl);

	remember(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)), handshake->peer, session);
	return 1;
}

/* RFC 8446 appendix C.4: a ticket is used once. What is taken is gone for TLS 1.2 too, so that a
 * session that makes a handshake fail is not offered again; net_trust_keep_session() puts a good
 * one back. OpenSSL spoils the session of a connection that broke; an older ticket still serves. */
static SSL_SESSION *take_session(NetTrust *trust, const char *peer)
{
	for (GList *l = trust->sessions.head, *next; l; l = next) {
		KeptSession *kept = l->data;
		next = l->next;
		if (strcmp(kept->peer, peer) != 0)
			continue;
		SSL_SESSION *session = g_steal_pointer(&kept->session);
		kept_session_free(kept);
		g_queue_delete_link(&trust->sessions, l);
		if (SSL_SESSION_is_resumable(session))
			return session;
		SSL_SESSION_free(session);
	}
	return NULL;
}

void net_trust_keep_session(NetTrust *trust, SSL *ssl)
{
	const NetHandshake *handshake = SSL_get_app_data(ssl);

	if (SSL_version(ssl) <= TLS1_2_VERSION && SSL_session_reused(ssl))
		remember(trust, handshake->peer, SSL_get1_session(ssl));
}

static bool parse_pin(const char *text, guchar ret_pin[NET_PIN_BYTES])
{
	guchar pin[NET_PIN_BYTES];

	for (gsize i = 0; i < NET_PIN_BYTES; i++) {
		if (i > 0 && *text == ':')
			text++;
		if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
			return false;
		pin[i] = (guchar)(g_ascii_xdigit_value(text[0]) << 4 |
				  g_ascii_xdigit_value(text[1]));
		text += 2;
	}
	if (*text)
		return false;
	memcpy(ret_pin, pin, sizeof(pin));
	return true;
}

static bool load_anchors(SSL_CTX *ctx, const char *cafile, GError **error)
{
	if (!cafile) {
		if (SSL_CTX_set_default_verify_paths(ctx))
			return true;
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_TLS,
			"the system's trusted certificates cannot be read: %s", net_trust_reason());
		return false;
	}
	if (!SSL_CTX_load_verify_locations(ctx, cafile, NULL)) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_TLS, "cafile %s cannot be read: %s",
			cafile, net_trust_reason());
		return false;
	}
	/* Whatever certificate the user put there is an anchor, not only a root. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	return true;
}

/* RFC 8314 section 4.1: TLS 1.2 at least. A renegotiation could change the certificate under way.
 */
static void set_policy(NetTrust *trust)
{
	SSL_CTX *ctx = trust->ctx;

	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, net_verify_chain);
	if (trust->is_pinned)
		SSL_CTX_set_cert_verify_callback(ctx, net_verify_pin, trust->pin);

	SSL_CTX_set_app_data(ctx, trust);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, on_new_session);
}

NetTrust *net_trust_new(const char *cafile, const char *fingerprint, GError **error)
{
	g_autoptr(NetTrust) trust = g_new0(NetTrust, 1);

	g_queue_init(&trust->sessions);
	if (fingerprint && !parse_pin(fingerprint, trust->pin)) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_INVALID,
			"fingerprint is not a SHA-256 in 64 hexadecimal digits");
		return NULL;
	}
	trust->is_pinned = fingerprint != NULL;

	ERR_clear_error();
	trust->ctx = SSL_CTX_new(TLS_client_method());
	trust->bio_method = net_wire_bio_method_new();
	if (!trust->ctx || !trust->bio_method) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_TLS, "OpenSSL does not start: %s",
			net_trust_reason());
		return NULL;
	}
	if (!trust->is_pinned && !load_anchors(trust->ctx, cafile, error))
		return NULL;
	set_policy(trust);
	return g_steal_pointer(&trust);
}

void net_trust_free(NetTrust *trust)
{
	if (!trust)
		return;
	g_queue_clear_full(&trust->sessions, kept_session_free);
	SSL_CTX_free(trust->ctx);
	BIO_meth_free(trust->bio_method);
	g_free(trust);
}

SSL *net_trust_ssl_new(NetTrust *trust, NetWire *wire, NetHandshake *handshake, GError **error)
{
	ERR_clear_error();
	SSL *ssl = SSL_new(trust->ctx);
	BIO *bio = ssl ? net_wire_bio_new(wire, trust->bio_method) : NULL;

	if (!bio) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_TLS, "TLS does not start: %s",
			net_trust_reason());
		SSL_free(ssl);
		return NULL;
	}
	SSL_set_bio(ssl, bio, bio);
	SSL_set_app_data(ssl, handshake);
	SSL_set_connect_state(ssl);

	SSL_SESSION *session = take_session(trust, handshake->peer);
	if (session)
		SSL_set_session(ssl, session);
	SSL_SESSION_free(session);
	return ssl;
}
