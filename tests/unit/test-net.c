/* The byte stream of net/: how it comes up, carries bytes, and ends. */
#include <dirent.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "net-client.h"
#include "net/wire.h"
#include "tls-peer.h"

enum {
	BLOCK_BYTES = 1 << 20,
	BIG_BLOCKS = 50,
	ECHO_BLOCKS = 8,
	TINY_RECORDS = 2000,
	QUEUED_SENDS = 10000,
};
#define QUEUED_LAST "a9999 NOOP\r\n"

static Client *open_secure(const Peer *peer, const char *host)
{
	Client *client = client_new(peer_cafile(), NULL);

	client_open(client, host, peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->opened);
	return client;
}

static Client *open_clear(guint16 port)
{
	Client *client = client_new(peer_cafile(), NULL);

	client_open(client, "localhost", port, NET_TLS_LATER, CLIENT_TIMEOUT_MS);
	return client;
}

static char *pattern(void)
{
	char *block = g_malloc(BLOCK_BYTES);
	guint32 x = 1;

	for (guint i = 0; i < BLOCK_BYTES; i++) {
		x = x * 1664525 + 1013904223;
		block[i] = (char)(x >> 24);
	}
	return block;
}

static void read_clear_to_end(Peer *peer, int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		g_string_append_len(peer->got, buf, n);
}

static void reset(int fd)
{
	const struct linger now = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* --- bytes --- */

static void play_echo(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);
	char buf[32768];
	gsize n;

	while (SSL_read_ex(ssl, buf, sizeof(buf), &n) == 1)
		peer_write(ssl, buf, n);
	peer->got_close_notify = SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN;
	peer_close(ssl);
}

static void test_echo(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_echo, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");
	g_autofree char *text = net_stream_describe(client->stream);

	g_assert_true(net_stream_is_secure(client->stream));
	g_assert_true(net_stream_is_loopback(client->stream));
	g_assert_true(g_str_has_prefix(text, "TLSv1.3 TLS_"));
	g_assert_null(strchr(text, ','));
	client_send(client, "");
	client_send(client, "hello");
	client_wait(client, &client->sent);
	g_assert_cmpuint(client->sent, ==, 1);
	client_wait_bytes(client, 5);
	g_assert_cmpstr(client->text->str, ==, "hello");
	g_assert_cmpuint(client->opened, ==, 1);
	client_close(client);
	peer_join(peer);
	g_assert_true(peer->got_close_notify);
}

/* The stream reads as fast as it writes, and each may block the other. */
static void test_echo_large(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_echo, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");
	g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autoptr(GBytes) block = g_bytes_new_take(pattern(), BLOCK_BYTES);

	for (guint i = 0; i < ECHO_BLOCKS; i++) {
		net_stream_send(client->stream, block);
		g_checksum_update(sum, g_bytes_get_data(block, NULL), BLOCK_BYTES);
	}
	client_wait_bytes(client, (guint64)ECHO_BLOCKS * BLOCK_BYTES);
	g_assert_cmpstr(g_checksum_get_string(client->sum), ==, g_checksum_get_string(sum));
}

/* Without an end after it: nothing may be left behind in OpenSSL or in the stream. */
static void play_big(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);
	g_autofree char *block = pattern();

	for (guint i = 0; i < BIG_BLOCKS; i++) {
		peer_write(ssl, block, BLOCK_BYTES);
		g_checksum_update(peer->sum, (const guchar *)block, BLOCK_BYTES);
	}
	peer_read_to_end(peer, ssl);
	peer_close(ssl);
}

static void test_big(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_big, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");

	client_wait_bytes(client, (guint64)BIG_BLOCKS * BLOCK_BYTES);
	client_close(client);
	peer_join(peer);
	g_assert_cmpuint(client->bytes, ==, (guint64)BIG_BLOCKS * BLOCK_BYTES);
	g_assert_cmpstr(g_checksum_get_string(client->sum), ==, g_checksum_get_string(peer->sum));
}

static void play_tiny(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);

	for (guint i = 0; i < TINY_RECORDS; i++)
		peer_write(ssl, &"abcdefghij"[i % 10], 1);
	peer_read_to_end(peer, ssl);
	peer_close(ssl);
}

static void test_tiny(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_tiny, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");

	client_wait_bytes(client, TINY_RECORDS);
	g_assert_cmpuint(client->bytes, ==, TINY_RECORDS);
	for (guint i = 0; i < TINY_RECORDS; i++)
		g_assert_cmpint(client->text->str[i], ==, "abcdefghij"[i % 10]);
}

static void play_sink(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);

	/* Whoever closes with something unread (a session ticket) takes back what is under way. */
	peer_read_until(peer, ssl, QUEUED_LAST);
	peer_write(ssl, "+", 1);
	peer_read_to_end(peer, ssl);
	peer_close(ssl);
}

static void test_queue(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_sink, 1);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);
	g_autoptr(GString) all = g_string_new(NULL);

	/* What is queued before the stream is up waits for that. */
	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	for (guint i = 0; i < QUEUED_SENDS; i++) {
		g_autofree char *line = g_strdup_printf("a%u NOOP\r\n", i);
		client_send(client, line);
		g_string_append(all, line);
	}
	client_wait(client, &client->sent);
	g_assert_cmpuint(client->sent, ==, 1);
	client_wait_bytes(client, 1);
	client_close(client);
	peer_join(peer);
	g_assert_cmpstr(peer->got->str, ==, all->str);
	/* Small commands share records: 22 octets of overhead for each would double it. */
	g_assert_cmpuint(peer->octets, <, all->len + 8192);
}

static void play_clear(Peer *peer, int fd)
{
	send(fd, "hello", 5, 0);
	read_clear_to_end(peer, fd);
}

static void test_clear(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_clear, 1);
	g_autoptr(Client) client = open_clear(peer->port);

	client_send(client, "some ");
	client_send(client, "words");
	client_wait(client, &client->sent);
	client_wait_bytes(client, 5);
	g_autofree char *text = net_stream_describe(client->stream);
	g_assert_cmpstr(text, ==, "");
	g_assert_false(net_stream_is_secure(client->stream));
	client_close(client);
	peer_join(peer);
	g_assert_cmpstr(peer->got->str, ==, "some words");
}

/* --- STARTTLS --- */

static void play_starttls(Peer *peer, int fd)
{
	send(fd, "OK\r\n", 4, 0);
	SSL *ssl = peer_accept(peer, fd);
	peer_write(ssl, "hello", 5);
	peer_read_to_end(peer, ssl);
	peer_close(ssl);
}

static void test_starttls(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_starttls, 1);
	g_autoptr(Client) client = open_clear(peer->port);

	client->tls_after = "OK\r\n";
	client_wait(client, &client->secured);
	g_assert_cmpuint(client->opened, ==, 1);
	g_assert_true(net_stream_is_secure(client->stream));
	client_send(client, "secret");
	client_wait(client, &client->sent);
	client_wait_bytes(client, 9);
	g_assert_cmpstr(client->text->str, ==, "OK\r\nhello");
	client_close(client);
	peer_join(peer);
	g_assert_cmpstr(peer->got->str, ==, "secret");
}

static void play_injection(Peer *peer, int fd)
{
	char first;

	send(fd, "OK\r\n", 4, 0);
	recv(fd, &first, 1, MSG_PEEK); /* the client is in its handshake now */
	send(fd, "* BYE you fell for it\r\n", 23, 0);
	read_clear_to_end(peer, fd);
}

static void test_starttls_injection(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_injection, 1);
	g_autoptr(Client) client = open_clear(peer->port);

	client->tls_after = "OK\r\n";
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_TLS, "what the server sent is not TLS");
	g_assert_cmpstr(client->text->str, ==, "OK\r\n");
	g_assert_cmpuint(client->secured, ==, 0);
}

/* The server says OK to a command that has not left yet. */
static void test_starttls_unsent(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_clear, 1);
	g_autoptr(Client) client = open_clear(peer->port);

	client_wait(client, &client->opened);
	client_send(client, "a1 STARTTLS\r\n");
	net_stream_start_tls(client->stream);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_TLS, "before it was sent");
	g_assert_cmpuint(client->received, ==, 0);
	peer_join(peer);
	g_assert_cmpstr(peer->got->str, ==, "");
}

static void play_mute_after_ok(Peer *peer, int fd)
{
	send(fd, "OK\r\n", 4, 0);
	read_clear_to_end(peer, fd);
}

static void test_starttls_timeout(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_mute_after_ok, 1);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);

	client->tls_after = "OK\r\n";
	client_open(client, "localhost", peer->port, NET_TLS_LATER, 500);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_TIMEOUT, "in the TLS handshake");
}

/* --- ends --- */

static void play_truncation(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);

	peer_write(ssl, "half", 4);
	SSL_free(ssl);
}

static void test_end_truncated(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_truncation, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");

	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_IO, "truncated");
	g_assert_cmpstr(client->text->str, ==, "half");
}

static void play_goodbye(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);

	peer_write(ssl, "all", 3);
	peer_close(ssl);
}

static void test_end_close_notify(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_goodbye, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");

	client_wait(client, &client->closed);
	g_assert_no_error(client->error);
	g_assert_cmpstr(client->text->str, ==, "all");
	/* Nothing follows, whatever the owner still does. */
	client_send(client, "late");
	net_stream_start_tls(client->stream);
	g_assert_false(g_main_context_iteration(client->context, FALSE));
}

static void play_fin(Peer *peer, int fd)
{
	send(fd, "all", 3, 0);
}

static void test_end_clear(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_fin, 1);
	g_autoptr(Client) client = open_clear(peer->port);

	client_wait(client, &client->closed);
	g_assert_no_error(client->error);
	g_assert_cmpstr(client->text->str, ==, "all");
}

static void play_reset(Peer *peer, int fd)
{
	SSL *ssl = peer_accept(peer, fd);

	SSL_free(ssl);
	reset(fd);
}

static void test_end_reset(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_reset, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");

	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_IO, "reset");
}

static void play_last_word(Peer *peer, int fd)
{
	char go;

	send(fd, "greeting ", 9, 0);
	recv(fd, &go, 1, 0);
	send(fd, "* BYE", 5, 0);
	reset(fd);
}

static void await_reset_and_send(Client *client)
{
	peer_join(client->hook_data);
	client_send(client, "a1 NOOP\r\n");
}

static void await_second_piece(Client *client)
{
	client->hook = await_reset_and_send;
	client_send(client, "x");
}

/* The write fails before the server's reason was read: that is still handed on. */
static void test_end_last_word(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_last_word, 1);
	g_autoptr(Client) client = open_clear(peer->port);

	client->hook = await_second_piece;
	client->hook_data = peer;
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_IO, "the connection broke");
	g_assert_cmpstr(client->text->str, ==, "greeting * BYE");
}

static void play_hang_up(Peer *peer, int fd)
{
}

static void test_end_in_handshake(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_hang_up, 1);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);

	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->closed);
	g_assert_error(client->error, MAIL_ERROR, MAIL_ERROR_IO);
}

/* The clear port behind an imaps:// address. */
static void test_end_not_tls(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_clear, 1);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);

	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_PROTOCOL, "not TLS");
}

/* SIGPIPE has its default action here and would end the test. */
static void test_no_sigpipe(void)
{
	g_autoptr(GError) error = NULL;
	BIO_METHOD *method = net_wire_bio_method_new();
	gsize n = 0;
	int pair[2];

	g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
	close(pair[1]);
	NetWire *wire = net_wire_new(pair[0]);
	BIO *bio = net_wire_bio_new(wire, method);
	g_assert_cmpint(net_wire_write(wire, "x", 1, &n, &error), ==, NET_IO_FAILED);
	g_assert_error(error, MAIL_ERROR, MAIL_ERROR_IO);
	g_assert_cmpint(BIO_write(bio, "x", 1), <, 0);
	g_assert_false(BIO_should_retry(bio));
	BIO_free(bio);
	BIO_meth_free(method);
	net_wire_free(wire);
}

/* --- free from within each callback --- */

static void test_free(gconstpointer data)
{
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);
	const guint *counter = (const guint *)((char *)client + GPOINTER_TO_SIZE(data));
	bool is_later = counter == &client->secured;
	bool is_goodbye = counter == &client->closed;
	PeerScript script = is_later ? play_starttls : is_goodbye ? play_goodbye : play_echo;
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, script, 1);

	client->free_at = counter;
	client->tls_after = is_later ? "OK\r\n" : NULL;
	client_open(client, "localhost", peer->port, is_later ? NET_TLS_LATER : NET_TLS_IMPLICIT,
		CLIENT_TIMEOUT_MS);
	if (!is_later && !is_goodbye)
		client_send(client, "hello");
	client_wait(client, counter);
	g_assert_null(client->stream);
	g_assert_cmpuint(*counter, ==, 1);
	/* The streams' sources are gone: nothing in the context is ready any more. */
	g_assert_false(g_main_context_iteration(client->context, FALSE));
}

/* Also before anything happened. */
static void test_free_at_once(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_echo, 1);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);

	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_close(client);
	g_assert_false(g_main_context_iteration(client->context, FALSE));
	g_assert_cmpuint(client->opened + client->closed, ==, 0);
	net_stream_free(NULL);
}

/* --- connecting --- */

static void test_refused(void)
{
	g_autoptr(Client) client = client_new(NULL, NULL);

	client_open(client, "localhost", closed_port(), NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_OFFLINE, "localhost: connecting to port ");
	client_assert_closed(client, MAIL_ERROR_OFFLINE, "refused");
}

static void play_mute(Peer *peer, int fd)
{
	read_clear_to_end(peer, fd);
}

static void test_mute_handshake(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_mute, 1);
	g_autoptr(Client) client = client_new(peer_cafile(), NULL);

	client_open(client, "localhost", peer->port, NET_TLS_IMPLICIT, 500);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_TIMEOUT,
		"localhost: no answer within 0.5 seconds in the TLS handshake");
}

static void test_black_hole(void)
{
	g_autoptr(Client) client = client_new(NULL, NULL);
	BlackHole hole = black_hole_open("127.0.0.1", 0);

	client_open(client, "127.0.0.1", hole.port, NET_TLS_LATER, 150);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_TIMEOUT, "while connecting");
	black_hole_close(&hole);
}

static guint open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	guint count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* ::1 swallows everything, 127.0.0.1 answers: the second attempt starts while the first waits. */
static void test_staggered(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_echo, 1);
	BlackHole hole = black_hole_open("::1", peer->port);
	guint files = open_files();
	gint64 start = g_get_monotonic_time();
	Client *client = open_secure(peer, "localhost");
	gint64 waited_ms = (g_get_monotonic_time() - start) / 1000;

	g_assert_cmpint(waited_ms, >=, 250);
	client_free(client);
	peer_join(peer);
	g_assert_cmpuint(open_files(), ==, files);
	black_hole_close(&hole);
}

/* ::1 refuses. */
static void test_second_address(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_echo, 1);
	g_autoptr(Client) client = open_secure(peer, "localhost");

	g_assert_cmpuint(client->opened, ==, 1);
}

/* --- name lookup, with a resolver of our own --- */

/* Addresses separated by spaces; "": never answers; NULL: knows nobody. */
static const char *stub_answer;

typedef GResolver StubResolver;
typedef GResolverClass StubResolverClass;
static GType stub_resolver_get_type(void);
G_DEFINE_TYPE(StubResolver, stub_resolver, G_TYPE_RESOLVER)

static void on_stub_cancelled(GCancellable *cancellable, gpointer data)
{
	g_task_return_error_if_cancelled(data);
}

static void stub_lookup(GResolver *resolver, const char *name, GCancellable *cancellable,
	GAsyncReadyCallback callback, gpointer data)
{
	g_autoptr(GTask) task = g_task_new(resolver, cancellable, callback, data);

	g_assert_nonnull(g_main_context_get_thread_default());
	if (!stub_answer) {
		g_task_return_new_error(
			task, G_RESOLVER_ERROR, G_RESOLVER_ERROR_NOT_FOUND, "never heard of");
		return;
	}
	if (!*stub_answer) {
		g_cancellable_connect(cancellable, G_CALLBACK(on_stub_cancelled),
			g_steal_pointer(&task), g_object_unref);
		return;
	}
	g_auto(GStrv) texts = g_strsplit(stub_answer, " ", -1);
	GList *found = NULL;
	for (guint i = 0; texts[i]; i++)
		found = g_list_append(found, g_inet_address_new_from_string(texts[i]));
	g_task_return_pointer(task, found, NULL);
}

static GList *stub_finish(GResolver *resolver, GAsyncResult *result, GError **error)
{
	return g_task_propagate_pointer(G_TASK(result), error);
}

static void stub_resolver_init(StubResolver *resolver)
{
}

static void stub_resolver_class_init(StubResolverClass *class)
{
	class->lookup_by_name_async = stub_lookup;
	class->lookup_by_name_finish = stub_finish;
}

static void test_lookup(void)
{
	const PeerIdentity identity = {.names = "imap.example.org", .from_days = -1, .to_days = 1};
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &identity, play_echo, 1);

	stub_answer = "127.0.0.1";
	g_autoptr(Client) client = open_secure(peer, "imap.example.org");
	client_close(client);
	peer_join(peer);
	g_assert_cmpstr(peer->server_name, ==, "imap.example.org");
}

/* The first address swallows everything. The turn after it is the other family's, not that of the
 * third address, which would take the connection and say nothing. */
static void test_lookup_interleaved(void)
{
	g_autoptr(Peer) peer = peer_start("::1", &peer_good, play_clear, 1);
	BlackHole hole = black_hole_open("127.0.0.2", peer->port);
	int mute = peer_listen("127.0.0.3", peer->port);
	g_autoptr(Client) client = client_new(NULL, NULL);

	stub_answer = "127.0.0.2 127.0.0.3 ::1";
	client_open(client, "imap.example.org", peer->port, NET_TLS_LATER, CLIENT_TIMEOUT_MS);
	client_wait_bytes(client, 5);
	close(mute);
	black_hole_close(&hole);
}

/* Those that refuse are not waited for: at the pace of a black hole this would take 2.5 s. */
static void test_lookup_many_refuse(void)
{
	g_autoptr(Peer) peer = peer_start("127.0.0.1", &peer_good, play_clear, 1);
	g_autoptr(Client) client = client_new(NULL, NULL);

	stub_answer = "127.0.0.2 127.0.0.3 127.0.0.4 127.0.0.5 127.0.0.6 127.0.0.7 127.0.0.8 "
		      "127.0.0.9 127.0.0.10 127.0.0.11 127.0.0.1";
	gint64 start = g_get_monotonic_time();
	client_open(client, "imap.example.org", peer->port, NET_TLS_LATER, CLIENT_TIMEOUT_MS);
	client_wait_bytes(client, 5);
	g_assert_cmpint(g_get_monotonic_time() - start, <, 2 * G_USEC_PER_SEC);
}

static void test_lookup_fails(void)
{
	g_autoptr(Client) client = client_new(NULL, NULL);

	stub_answer = NULL;
	client_open(client, "imap.example.org", 993, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_wait(client, &client->closed);
	client_assert_closed(
		client, MAIL_ERROR_OFFLINE, "imap.example.org: name lookup: never heard of");
}

static void test_lookup_hangs(void)
{
	g_autoptr(Client) client = client_new(NULL, NULL);

	stub_answer = "";
	client_open(client, "imap.example.org", 993, NET_TLS_IMPLICIT, 150);
	client_wait(client, &client->closed);
	client_assert_closed(client, MAIL_ERROR_TIMEOUT, "while connecting");
}

static void test_lookup_freed(void)
{
	g_autoptr(Client) client = client_new(NULL, NULL);

	stub_answer = "";
	client_open(client, "imap.example.org", 993, NET_TLS_IMPLICIT, CLIENT_TIMEOUT_MS);
	client_close(client);
	while (g_main_context_iteration(client->context, FALSE)) {
	}
	g_assert_cmpuint(client->closed, ==, 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		gsize counter;
	} frees[] = {
		{"/net/free/opened", offsetof(Client, opened)},
		{"/net/free/secured", offsetof(Client, secured)},
		{"/net/free/received", offsetof(Client, received)},
		{"/net/free/sent", offsetof(Client, sent)},
		{"/net/free/closed", offsetof(Client, closed)},
	};
	g_autoptr(GResolver) resolver = NULL;

	g_test_init(&argc, &argv, NULL);
	resolver = g_object_new(stub_resolver_get_type(), NULL);
	g_resolver_set_default(resolver);

	g_test_add_func("/net/bytes/echo", test_echo);
	g_test_add_func("/net/bytes/echo-large", test_echo_large);
	g_test_add_func("/net/bytes/big", test_big);
	g_test_add_func("/net/bytes/tiny", test_tiny);
	g_test_add_func("/net/bytes/queue", test_queue);
	g_test_add_func("/net/bytes/clear", test_clear);
	g_test_add_func("/net/starttls/upgrade", test_starttls);
	g_test_add_func("/net/starttls/injection", test_starttls_injection);
	g_test_add_func("/net/starttls/unsent", test_starttls_unsent);
	g_test_add_func("/net/starttls/timeout", test_starttls_timeout);
	g_test_add_func("/net/end/truncated", test_end_truncated);
	g_test_add_func("/net/end/close-notify", test_end_close_notify);
	g_test_add_func("/net/end/clear", test_end_clear);
	g_test_add_func("/net/end/reset", test_end_reset);
	g_test_add_func("/net/end/last-word", test_end_last_word);
	g_test_add_func("/net/end/in-handshake", test_end_in_handshake);
	g_test_add_func("/net/end/not-tls", test_end_not_tls);
	g_test_add_func("/net/end/no-sigpipe", test_no_sigpipe);
	for (gsize i = 0; i < G_N_ELEMENTS(frees); i++)
		g_test_add_data_func(frees[i].path, GSIZE_TO_POINTER(frees[i].counter), test_free);
	g_test_add_func("/net/free/at-once", test_free_at_once);
	g_test_add_func("/net/connect/refused", test_refused);
	g_test_add_func("/net/connect/mute-handshake", test_mute_handshake);
	g_test_add_func("/net/connect/black-hole", test_black_hole);
	g_test_add_func("/net/connect/staggered", test_staggered);
	g_test_add_func("/net/connect/second-address", test_second_address);
	g_test_add_func("/net/lookup/found", test_lookup);
	g_test_add_func("/net/lookup/interleaved", test_lookup_interleaved);
	g_test_add_func("/net/lookup/many-refuse", test_lookup_many_refuse);
	g_test_add_func("/net/lookup/fails", test_lookup_fails);
	g_test_add_func("/net/lookup/hangs", test_lookup_hangs);
	g_test_add_func("/net/lookup/freed", test_lookup_freed);

	int status = g_test_run();
	peer_forget_authority();
	return status;
}
