/* One byte stream to a server: name lookup off the thread, several addresses tried as RFC 8305
 * says, TCP, and TLS from the first byte or after STARTTLS. Nonblocking; every function and every
 * callback runs in the thread that runs the GMainContext. */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* What all streams of one account share: trust, and TLS sessions to resume. */
typedef struct NetTrust NetTrust;

/* cafile: PEM trust anchors instead of the system store, or NULL. fingerprint: SHA-256 of the
 * leaf certificate as 64 hex digits (colons allowed): then that certificate is accepted whatever
 * its chain, name and dates say and no other is; or NULL. MAIL_ERROR_INVALID, MAIL_ERROR_TLS. */
NetTrust *net_trust_new(const char *cafile, const char *fingerprint, GError **error);
void net_trust_free(NetTrust *trust); /* accepts NULL; after all its streams */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetTrust, net_trust_free)

typedef enum {
	NET_TLS_IMPLICIT, /* `opened` comes after a verified handshake */
	NET_TLS_LATER, /* clear until net_stream_start_tls() */
} NetTls;

typedef struct {
	const char *host; /* name, IPv4 or IPv6 address; also what the certificate must be for */
	guint16 port;
	NetTls tls;
	guint timeout_ms; /* lookup, connect, handshake together; progress does not renew it */
} NetAddress;

/* Every callback may close and free the stream: net defers the end of its own frames. */
typedef struct {
	/* TCP is connected and, with NET_TLS_IMPLICIT, TLS is verified. */
	void (*opened)(gpointer data);

	/* STARTTLS is verified and up. */
	void (*secured)(gpointer data);

	/* Bytes arrived, at least one; valid during the call. */
	void (*received)(const void *bytes, gsize len, gpointer data);

	/* So many of the queued bytes, at least one, were handed to the kernel, which takes few
	 * that it cannot put on the wire yet: as long as this comes they leave. */
	void (*sent)(gsize len, gpointer data);

	/* The stream ended, called once; nothing follows. error NULL: an orderly end (close_notify,
	 * or FIN on a stream without TLS). FIN without close_notify is MAIL_ERROR_IO with the
	 * word "truncated"; a failed lookup or connect MAIL_ERROR_OFFLINE; a certificate, name or
	 * protocol failure MAIL_ERROR_TLS with a text that names the reason and the host; who does
	 * not speak TLS at all from the first byte MAIL_ERROR_PROTOCOL; MAIL_ERROR_TIMEOUT. */
	void (*closed)(const GError *error, gpointer data);
} NetStreamEvents;

typedef struct NetStream NetStream;

/* Starts connecting in context's thread; the outcome comes as opened or closed, never before this
 * returns. events and trust must outlive the stream; address is copied. */
NetStream *net_stream_open(GMainContext *context, NetTrust *trust, const NetAddress *address,
	const NetStreamEvents *events, gpointer data);

/* Ends it without a callback: close_notify if TLS is up, then close. Accepts NULL. */
void net_stream_free(NetStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetStream, net_stream_free)

/* Queues bytes; sent as the socket takes them. Bytes are a reference: dropped when sent. */
void net_stream_send(NetStream *stream, GBytes *bytes);

/* Upgrades to TLS; call from within `received` or later, when the server's OK was the last byte
 * received. Anything that arrived after it in clear is the caller's to refuse. timeout_ms begins
 * anew. If queued bytes were not sent yet, the stream closes with MAIL_ERROR_TLS. */
void net_stream_start_tls(NetStream *stream);

/* Whether TLS is up and verified: what the peer says may be believed. */
bool net_stream_is_secure(const NetStream *stream);

/* Whether the peer's address is of the loopback range. */
bool net_stream_is_loopback(const NetStream *stream);

/* For logs and `check`: "TLSv1.3 TLS_AES_256_GCM_SHA384, resumed"; "" without TLS. New string. */
char *net_stream_describe(const NetStream *stream);
