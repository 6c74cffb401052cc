/* Which servers net/ believes, and what it says of the others. */
#include <glib/gstdio.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/error.h"
#include "net-client.h"
#include "tls-peer.h"

typedef enum { PIN_NONE, PIN_RIGHT, PIN_COLONS, PIN_WRONG } Pin;

typedef struct {
	const char *name;
	const char *host;
	PeerIdentity identity;
	Pin pin;
	const char *refusal; /* a part of the error text, or NULL: accepted */
} Case;

#define WEEK .from_days = -1, .to_days = 6

static const Case cases[] = {
	{"good", "localhost", {.names = "localhost", WEEK}},
	{"second-name", "localhost", {.names = "imap.example.org localhost", WEEK}},
	{"case", "LocalHost", {.names = "lOCALhOST", WEEK}},
	{"final-dot", "localhost.", {.names = "localhost", WEEK}},
	{"idn", "b\303\274cher.localhost", {.names = "xn--bcher-kva.localhost", WEEK}},
	{"wildcard", "imap.a.localhost", {.names = "*.a.localhost", WEEK}},
	{"address", "127.0.0.1", {.address = "127.0.0.1", WEEK}},
	{"tls12", "localhost", {.names = "localhost", .max_version = TLS1_2_VERSION, WEEK}},

	{"wrong-host", "localhost", {.names = "imap.example.org a.example b.example", WEEK},
		.refusal =
			"localhost: the certificate is for imap.example.org, a.example, b.example"},
	{"many-names", "localhost", {.names = "a b c d e f g", WEEK},
		.refusal = "is for a, b, c, d and 3 more"},
	{"wildcard-two-labels", "x.imap.a.localhost", {.names = "*.a.localhost", WEEK},
		.refusal = "is for *.a.localhost"},
	{"wildcard-partial", "imap.a.localhost", {.names = "im*.a.localhost", WEEK},
		.refusal = "is for im*.a.localhost"},
	{"wildcard-top", "imap.localhost", {.names = "*.localhost", WEEK},
		.refusal = "is for *.localhost"},
	{"subject-only", "localhost", {.subject = "localhost", WEEK}, .refusal = "no host at all"},
	{"nul", "localhost", {.nul_name = "localhost|.example.org", WEEK},
		.refusal = "is for localhost\\x00.example.org"},
	{"escapes", "localhost", {.names = "\033[31m", WEEK}, .refusal = "is for \\x1b[31m"},
	{"address-without-san", "127.0.0.1", {.names = "localhost", WEEK},
		.refusal = "127.0.0.1: the certificate is for localhost"},
	{"address-as-name", "127.0.0.1", {.names = "127.0.0.1", WEEK}, .refusal = "is for"},
	{"other-address", "127.0.0.1", {.address = "127.0.0.2", WEEK},
		.refusal = "is for 127.0.0.2"},
	{"name-as-address", "localhost", {.address = "127.0.0.1", WEEK},
		.refusal = "is for 127.0.0.1"},
	{"expired", "localhost", {.names = "localhost", .from_days = -9, .to_days = -1},
		.refusal = "localhost: the certificate expired on 2"},
	{"not-yet", "localhost", {.names = "localhost", .from_days = 1, .to_days = 9},
		.refusal = "the certificate is not valid before 2"},
	{"self-signed", "localhost", {.names = "localhost", .is_self_signed = true, WEEK},
		.refusal = "self-signed and not trusted; its SHA-256 fingerprint is "},
	{"other-authority", "localhost",
		{.names = "localhost", .is_of_other_authority = true, WEEK},
		.refusal = "issuer Other Authority is not trusted"},
	{"tls11", "localhost", {.names = "localhost", .max_version = TLS1_1_VERSION, WEEK},
		.refusal = "the server has no TLS 1.2 or newer"},

	{"pin", "localhost", {.names = "localhost", WEEK}, PIN_RIGHT},
	{"pin-colons", "localhost", {.names = "localhost", WEEK}, PIN_COLONS},
	{"pin-whatever", "localhost",
		{.names = "other", .is_self_signed = true, .from_days = -9, .to_days = -1},
		PIN_RIGHT},
	{"pin-wrong", "localhost", {.names = "localhost", WEEK}, PIN_WRONG,
		.refusal = "but 00:00:00"},
};

static void greet(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);

	if (!ssl)
		return;
	peer_write(ssl, "hello", 5);
	peer_read_to_end(peer, ssl);
	peer_close(ssl);
}

static char *pin_of(const Peer *peer, Pin pin)
{
	switch (pin) {
	case PIN_RIGHT:
		return peer_fingerprint(peer, "");
	case PIN_COLONS: {
		g_autofree char *upper = peer_fingerprint(peer, ":");
		return g_ascii_strdown(upper, -1);
	}
	case PIN_WRONG:
		return g_strnfill(64, '0');
	case PIN_NONE:
		break;
	}
	return NULL;
}

static void test_case(gconstpointer data)
{
	const Case *c = data;
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &c->identity, greet, 1);
	g_autofree char *pin = pin_of(peer, c->pin);
	g_autoptr(Client) client = client_new(pin ? NULL : peer_cafile(), pin);

	client_open(client, c->host, peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	/* Not a byte of this may reach a server that is refused. */
	client_send(client, "secret");
	if (c->refusal) {
		client_wait(client, &client->closed);
		client_assert_closed(client, MAIL_ERROR_TLS, c->refusal);
		g_assert_cmpuint(client->opened, ==, 0);
		g_assert_cmpuint(client->received, ==, 0);
		g_assert_cmpuint(client->sent, ==, 0);
		g_assert_false(net_stream_is_secure(client->stream));
		peer_join(peer);
		g_assert_cmpstr(peer->got->str, ==, "");
		return;
	}
	client_wait(client, &client->opened);
	g_assert_true(net_stream_is_secure(client->stream));
	client_wait_bytes(client, 5);
	client_wait(client, &client->sent);
	client_close(client);
	peer_join(peer);
	g_assert_cmpstr(peer->got->str, ==, "secret");
	g_assert_true(peer->got_close_notify);
	g_assert_true(peer->got_imap_alpn);
}

/* Server names only for names, and as the DNS has them. */
static void test_server_name(void)
{
	static const struct {
		const char *host;
		const char *server_name;
	} names[] = {
		{"localhost", "localhost"},
		{"localhost.", "localhost"},
		{"b\303\274cher.localhost", "xn--bcher-kva.localhost"},
		{"127.0.0.1", NULL},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, greet, 1);
		g_autofree char *pin = peer_fingerprint(peer, "");
		g_autoptr(Client) client = client_new(NULL, pin);
		client_open(client, names[i].host, peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
		client_wait(client, &client->opened);
		client_close(client);
		peer_join(peer);
		g_assert_cmpstr(peer->server_name, ==, names[i].server_name);
	}
}

static void test_v6_address(void)
{
	const PeerIdentity identity = {.address = "::1", WEEK};
	g_autoptr(Peer) peer = peer_start("::1", &identity, greet, 1);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);

	client_open(client, "::1", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->opened);
	g_assert_true(net_stream_is_loopback(client->stream));
}

/* The authority is right, but nobody asked for it. */
static void test_system_store(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, greet, 1);
	g_autoptr(Client) client = client_new(NULL, NULL);

	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_TLS, "issuer Test Authority is not trusted");
}

/* What is in cafile is trusted, also the leaf itself or one between it and a root. */
static void test_cafile_leaf(gconstpointer data)
{
	const PeerIdentity *identity = data;
	g_autoptr(Peer) peer = peer_start("127.0.0.1", identity, greet, 1);
	g_autofree char *cafile = peer_write_certificate(peer);
	g_autoptr(Client) client = client_new(cafile, NULL);

	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->opened);
	g_unlink(cafile);
}

static void test_arguments(void)
{
	static const char *const bad[] = {"", "00", "xyz",
		"000000000000000000000000000000000000000000000000000000000000000",
		"00000000000000000000000000000000000000000000000000000000000000000",
		"000000000000000000000000000000000000000000000000000000000000000g",
		":0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000000:"};

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;
		g_assert_null(net_trust_new(NULL, bad[i], &error));
		g_assert_error(error, MAIL_ERROR, MAIL_ERROR_INVALID);
	}
	g_autoptr(GError) error = NULL;
	g_assert_null(net_trust_new("/nonexistent/ca.pem", NULL, &error));
	g_assert_error(error, MAIL_ERROR, MAIL_ERROR_TLS);
	g_assert_nonnull(strstr(error->message, "/nonexistent/ca.pem"));
}

/* Opens a connection, has the server's word, and says whether the session was resumed. */
static bool is_resumed(Client *client, const char *host, guint16 port)
{
	client_open(client, host, port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait_bytes(client, 5);
	g_autofree char *text = net_stream_describe(client->stream);
	g_assert_true(g_str_has_prefix(text, "TLSv1."));
	client_close(client);
	return g_str_has_suffix(text, ", resumed");
}

static void test_resumption(gconstpointer data)
{
	const PeerIdentity identity = {.names = "localhost",
		.address = "127.0.0.1",
		.max_version = GPOINTER_TO_INT(data),
		WEEK};
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &identity, greet, 5);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);
	g_autoptr(Client) stranger = client_new(peer_cafile(), NULL);

	g_assert_false(is_resumed(client, "localhost", peer->port));
	g_assert_true(is_resumed(client, "localhost", peer->port));
	g_assert_true(is_resumed(client, "localhost", peer->port));
	/* Another name was never verified; another account shares nothing. */
	g_assert_false(is_resumed(client, "127.0.0.1", peer->port));
	g_assert_false(is_resumed(stranger, "localhost", peer->port));
}

static void vanish(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);

	peer_write(ssl, "hello", 5);
	SSL_free(ssl);
}

/* A connection that was lost leaves its session usable. */
static void test_resumption_after_loss(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, vanish, 2);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);

	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_IO, "truncated");
	g_assert_true(is_resumed(client, "localhost", peer->port));
}

int main(int argc, char **argv)
{
	static const PeerIdentity self_signed = {
		.names = "localhost", .is_self_signed = true, WEEK};
	static const PeerIdentity of_another = {
		.names = "localhost", .is_of_other_authority = true, WEEK};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *path = g_strconcat("/verify/case/", cases[i].name, NULL);
		g_test_add_data_func(path, &cases[i], test_case);
	}
	g_test_add_func("/verify/server-name", test_server_name);
	g_test_add_func("/verify/v6-address", test_v6_address);
	g_test_add_func("/verify/system-store", test_system_store);
	g_test_add_data_func("/verify/cafile/self-signed", &self_signed, test_cafile_leaf);
	g_test_add_data_func("/verify/cafile/leaf", &of_another, test_cafile_leaf);
	g_test_add_func("/verify/arguments", test_arguments);
	g_test_add_data_func(
		"/verify/resumption/tls13", GINT_TO_POINTER(TLS1_3_VERSION), test_resumption);
	g_test_add_data_func(
		"/verify/resumption/tls12", GINT_TO_POINTER(TLS1_2_VERSION), test_resumption);
	g_test_add_func("/verify/resumption/after-loss", test_resumption_after_loss);

	int status = g_test_run();
	peer_forget_authority();
	return status;
}
