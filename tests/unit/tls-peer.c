#include "tls-peer.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_S = 20 };

const PeerIdentity peer_good = {.names = "localhost", .from_days = -1, .to_days = 1};

static struct {
	EVP_PKEY *key;
	X509 *certificate;
	X509 *other;
	char *file;
} authority;

static EVP_PKEY *new_key(void)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	EVP_PKEY *key = NULL;

	g_assert_cmpint(EVP_PKEY_keygen_init(ctx), ==, 1);
	g_assert_cmpint(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, NID_X9_62_prime256v1), ==, 1);
	g_assert_cmpint(EVP_PKEY_keygen(ctx, &key), ==, 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	g_assert_nonnull(extension);
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
}

static X509 *new_certificate(const char *subject, int from_days, int to_days)
{
	static long serial;
	X509 *certificate = X509_new();

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(certificate), from_days * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(certificate), to_days * 86400L);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		(const guchar *)subject, -1, -1, 0);
	X509_set_pubkey(certificate, authority.key);
	return certificate;
}

static void sign(X509 *certificate, X509 *issuer)
{
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	g_assert_cmpint(X509_sign(certificate, authority.key, EVP_sha256()), >, 0);
}

static X509 *new_authority(const char *subject)
{
	X509 *certificate = new_certificate(subject, -10, 10);

	add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
	sign(certificate, certificate);
	return certificate;
}

static char *write_pem(X509 *certificate)
{
	char *path = NULL;
	int fd = g_file_open_tmp("imapfs-XXXXXX.pem", &path, NULL);

	g_assert_cmpint(fd, >=, 0);
	FILE *file = fdopen(fd, "w");
	PEM_write_X509(file, certificate);
	fclose(file);
	return path;
}

static void need_authority(void)
{
	if (authority.key)
		return;
	authority.key = new_key();
	authority.certificate = new_authority("Test Authority");
	authority.other = new_authority("Other Authority");

	authority.file = write_pem(authority.certificate);
}

char *peer_write_certificate(const Peer *peer)
{
	return write_pem(peer->certificate);
}

void peer_forget_authority(void)
{
	if (!authority.key)
		return;
	g_unlink(authority.file);
	g_free(authority.file);
	X509_free(authority.certificate);
	X509_free(authority.other);
	EVP_PKEY_free(authority.key);
	memset(&authority, 0, sizeof(authority));
}

const char *peer_cafile(void)
{
	need_authority();
	return authority.file;
}

static void add_name(GENERAL_NAMES *names, int type, const void *bytes, gsize len)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_STRING *string =
		ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);

	ASN1_STRING_set(string, bytes, (int)len);
	GENERAL_NAME_set0_value(name, type, string);
	sk_GENERAL_NAME_push(names, name);
}

static void add_names(X509 *certificate, const PeerIdentity *identity)
{
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	g_auto(GStrv) list = g_strsplit(identity->names ? identity->names : "", " ", -1);

	for (guint i = 0; list[i] && *list[i]; i++)
		add_name(names, GEN_DNS, list[i], strlen(list[i]));
	if (identity->nul_name) {
		g_autofree char *raw = g_strdelimit(g_strdup(identity->nul_name), "|", '\0');
		add_name(names, GEN_DNS, raw, strlen(identity->nul_name));
	}
	if (identity->address) {
		g_autoptr(GInetAddress) address = g_inet_address_new_from_string(identity->address);
		add_name(names, GEN_IPADD, g_inet_address_to_bytes(address),
			g_inet_address_get_native_size(address));
	}
	if (sk_GENERAL_NAME_num(names) > 0)
		X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT);
	GENERAL_NAMES_free(names);
}

static X509 *new_leaf(const PeerIdentity *identity)
{
	X509 *leaf = new_certificate(identity->subject ? identity->subject : "leaf",
		identity->from_days, identity->to_days);

	add_names(leaf, identity);
	if (identity->is_self_signed)
		sign(leaf, leaf);
	else
		sign(leaf,
			identity->is_of_other_authority ? authority.other : authority.certificate);
	return leaf;
}

static int select_imap(SSL *ssl, const guchar **out, guchar *out_len, const guchar *in,
	unsigned in_len, void *data)
{
	static const guchar imap[] = "\x04imap";
	Peer *peer = data;

	peer->got_imap_alpn = in_len == 5 && memcmp(in, imap, 5) == 0;
	*out = in + 1;
	*out_len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_context(Peer *peer, const PeerIdentity *identity)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	g_assert_cmpint(SSL_CTX_use_certificate(ctx, peer->certificate), ==, 1);
	g_assert_cmpint(SSL_CTX_use_PrivateKey(ctx, authority.key), ==, 1);
	SSL_CTX_set_alpn_select_cb(ctx, select_imap, peer);
	if (identity->max_version)
		SSL_CTX_set_max_proto_version(ctx, identity->max_version);
	if (identity->max_version && identity->max_version < TLS1_2_VERSION) {
		SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
		SSL_CTX_set_security_level(ctx, 0);
	}
	return ctx;
}

static socklen_t loopback(const char *address, guint16 port, struct sockaddr_storage *ret_native)
{
	g_autoptr(GSocketAddress) socket_address =
		g_inet_socket_address_new_from_string(address, port);

	g_assert_nonnull(socket_address);
	g_socket_address_to_native(socket_address, ret_native, sizeof(*ret_native), NULL);
	return (socklen_t)g_socket_address_get_native_size(socket_address);
}

static int bind_to(const char *address, guint16 port, guint16 *ret_port)
{
	struct sockaddr_storage native;
	socklen_t len = loopback(address, port, &native);
	int fd = socket(native.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	g_assert_cmpint(fd, >=, 0);
	if (native.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	g_assert_cmpint(bind(fd, (struct sockaddr *)&native, len), ==, 0);
	g_assert_cmpint(getsockname(fd, (struct sockaddr *)&native, &len), ==, 0);
	*ret_port =
		ntohs(native.ss_family == AF_INET ? ((struct sockaddr_in *)&native)->sin_port
						  : ((struct sockaddr_in6 *)&native)->sin6_port);
	return fd;
}

guint16 closed_port(void)
{
	guint16 port;
	int fd = bind_to("127.0.0.1", 0, &port);

	close(fd);
	return port;
}

int peer_listen(const char *address, guint16 port)
{
	int fd = bind_to(address, port, &port);

	g_assert_cmpint(listen(fd, 8), ==, 0);
	return fd;
}

BlackHole black_hole_open(const char *address, guint16 port)
{
	struct sockaddr_storage native;
	BlackHole hole = {0};

	hole.listener = bind_to(address, port, &hole.port);
	g_assert_cmpint(listen(hole.listener, 0), ==, 0);
	socklen_t len = loopback(address, hole.port, &native);
	for (guint i = 0; i < G_N_ELEMENTS(hole.fillers); i++) {
		hole.fillers[i] =
			socket(native.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		connect(hole.fillers[i], (struct sockaddr *)&native, len);
	}
	return hole;
}

void black_hole_close(BlackHole *hole)
{
	for (guint i = 0; i < G_N_ELEMENTS(hole->fillers); i++)
		close(hole->fillers[i]);
	close(hole->listener);
}

static void be_patient(int fd)
{
	const struct timeval patience = {.tv_sec = PATIENCE_S};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

/* SIGPIPE is blocked in this thread only: net has to do without that. */
static gpointer peer_run(gpointer data)
{
	Peer *peer = data;
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	for (guint i = 0; i < peer->connections; i++) {
		int fd = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			break;
		be_patient(fd);
		peer->script(peer, fd);
		close(fd);
	}
	return NULL;
}

Peer *peer_start(
	const char *address, const PeerIdentity *identity, PeerScript script, guint connections)
{
	Peer *peer = g_new0(Peer, 1);

	need_authority();
	peer->script = script;
	peer->connections = connections;
	peer->got = g_string_new(NULL);
	peer->sum = g_checksum_new(G_CHECKSUM_SHA256);
	peer->certificate = new_leaf(identity);
	peer->ctx = new_context(peer, identity);
	peer->listener = bind_to(address, 0, &peer->port);
	be_patient(peer->listener);
	g_assert_cmpint(listen(peer->listener, 8), ==, 0);
	peer->thread = g_thread_new("peer", peer_run, peer);
	return peer;
}

void peer_join(Peer *peer)
{
	if (peer->thread)
		g_thread_join(g_steal_pointer(&peer->thread));
}

void peer_free(Peer *peer)
{
	/* Ends an accept for a client that never came. */
	shutdown(peer->listener, SHUT_RDWR);
	peer_join(peer);
	close(peer->listener);
	SSL_CTX_free(peer->ctx);
	X509_free(peer->certificate);
	g_string_free(peer->got, TRUE);
	g_checksum_free(peer->sum);
	g_free(peer->server_name);
	g_free(peer);
}

char *peer_fingerprint(const Peer *peer, const char *separator)
{
	guchar digest[32];
	GString *out = g_string_new(NULL);

	X509_digest(peer->certificate, EVP_sha256(), digest, NULL);
	for (guint i = 0; i < sizeof(digest); i++)
		g_string_append_printf(out, "%s%02X", i ? separator : "", digest[i]);
	return g_string_free(out, FALSE);
}

SSL *peer_accept(Peer *peer, int fd)
{
	SSL *ssl = SSL_new(peer->ctx);

	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) != 1) {
		SSL_free(ssl);
		return NULL;
	}
	g_free(peer->server_name);
	peer->server_name = g_strdup(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	return ssl;
}

void peer_write(SSL *ssl, const void *bytes, gsize len)
{
	gsize done;

	SSL_write_ex(ssl, bytes, len, &done);
}

void peer_read_until(Peer *peer, SSL *ssl, const char *end)
{
	char buf[65536];
	gsize n;

	while (!(end && g_str_has_suffix(peer->got->str, end)) &&
		SSL_read_ex(ssl, buf, sizeof(buf), &n) == 1)
		g_string_append_len(peer->got, buf, (gssize)n);
}

void peer_read_to_end(Peer *peer, SSL *ssl)
{
	peer_read_until(peer, ssl, NULL);
	peer->octets = BIO_number_read(SSL_get_rbio(ssl));
	peer->got_close_notify = SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN;
}

void peer_close(SSL *ssl)
{
	SSL_shutdown(ssl);
	SSL_free(ssl);
}
