/* A user of net/stream.h for tests: notes every callback and runs its own main context until one
 * comes. */
#pragma once

#include "net/stream.h"

enum { CLIENT_TIMEOUT_MS = 20000 };

typedef struct Client Client;

struct Client {
	GMainContext *context;
	NetTrust *trust;
	NetStream *stream;

	guint opened; /* how often each was called */
	guint secured;
	guint received;
	guint sent;
	guint closed;
	GError *error;
	GString *text; /* the first bytes received */
	guint64 bytes;
	guint64 bytes_sent;
	GChecksum *sum;

	const guint *free_at; /* the stream is freed when that counter is no longer 0 */
	const char *tls_after; /* STARTTLS when the text ends so */
	void (*hook)(Client *client); /* within the first `received` */
	gpointer hook_data;
	bool is_overdue;
};

/* Trusts cafile and fingerprint as net_trust_new() does. */
Client *client_new(const char *cafile, const char *fingerprint);
void client_free(Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Client, client_free)

/* Opens a stream in place of the one before; the notes start anew. */
void client_open(Client *client, const char *host, guint16 port, NetTls tls, guint timeout_ms);
void client_close(Client *client);
void client_send(Client *client, const char *text);

/* Runs until the counter is not 0, or the bytes received are so many. Fails the test in time. */
void client_wait(Client *client, const guint *counter);
void client_wait_bytes(Client *client, guint64 bytes);

/* Fails the test unless the stream closed with that error and a text that has word in it. */
void client_assert_closed(const Client *client, gint code, const char *word);
