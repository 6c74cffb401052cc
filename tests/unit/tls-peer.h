/* The other end for test-net: a listening socket on the loopback, a thread that plays a script with
 * blocking calls, and certificates made at run time. */
#pragma once

#include <glib.h>
#include <openssl/ssl.h>
#include <stdbool.h>

typedef struct {
	const char *names; /* DNS names of the SAN, separated by spaces; may be NULL */
	const char *address; /* IP address of the SAN */
	const char *nul_name; /* DNS name of the SAN in which '|' becomes NUL */
	const char *subject; /* CN */
	int from_days; /* validity, relative to now */
	int to_days;
	bool is_self_signed;
	bool is_of_other_authority;
	int max_version; /* TLS1_1_VERSION and so on; 0: the newest */
} PeerIdentity;

/* A certificate for "localhost" of the authority in peer_cafile(). */
extern const PeerIdentity peer_good;

typedef struct Peer Peer;
typedef void (*PeerScript)(Peer *peer, int fd);

struct Peer {
	int listener;
	guint16 port;
	SSL_CTX *ctx;
	X509 *certificate;
	GThread *thread;
	PeerScript script;
	guint connections;

	/* The scripts' notes; for the test after peer_join(). */
	GString *got;
	guint64 octets; /* off the socket, TLS included, for got */
	char *server_name;
	bool got_imap_alpn;
	bool got_close_notify;
	GChecksum *sum;
};

/* Listens on address and plays script for so many connections one after the other. */
Peer *peer_start(
	const char *address, const PeerIdentity *identity, PeerScript script, guint connections);
void peer_join(Peer *peer);
void peer_free(Peer *peer); /* joins */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)

/* A listening socket that takes port, or any if 0, and answers no SYN: its backlog is full. */
typedef struct {
	int listener;
	guint16 port;
	int fillers[4];
} BlackHole;
BlackHole black_hole_open(const char *address, guint16 port);
void black_hole_close(BlackHole *hole);

/* A listening socket on which nobody answers, but the kernel takes the connection. */
int peer_listen(const char *address, guint16 port);

/* A port of the IPv4 loopback on which nobody listens. */
guint16 closed_port(void);

const char *peer_cafile(void);
char *peer_fingerprint(const Peer *peer, const char *separator);
char *peer_write_certificate(const Peer *peer); /* as PEM; returns the path of a new file */
void peer_forget_authority(void);

/* For scripts. */
SSL *peer_accept(Peer *peer, int fd); /* NULL: the client refused */
void peer_write(SSL *ssl, const void *bytes, gsize len);
void peer_read_until(Peer *peer, SSL *ssl, const char *end); /* or to the end of it all */
void peer_read_to_end(Peer *peer, SSL *ssl);
void peer_close(SSL *ssl); /* close_notify */
