#include "net-client.h"

#include <string.h>

#include "base/error.h"

enum {
	PATIENCE_S = 30,
	TEXT_KEPT = 64 << 10,
};

static void note(Client *client, guint *counter)
{
	/* After a free or a close nothing may come. */
	g_assert_nonnull(client->stream);
	g_assert_cmpuint(client->closed, ==, 0);
	++*counter;
	if (client->free_at && *client->free_at > 0)
		client_close(client);
}

static void on_opened(gpointer data)
{
	Client *client = data;

	note(client, &client->opened);
}

static void on_secured(gpointer data)
{
	Client *client = data;

	g_assert_true(net_stream_is_secure(client->stream));
	note(client, &client->secured);
}

static void on_received(const void *bytes, gsize len, gpointer data)
{
	Client *client = data;

	g_assert_cmpuint(len, >, 0);
	note(client, &client->received);
	/* Valid after a free, too: the call is not over. */
	if (client->text->len < TEXT_KEPT)
		g_string_append_len(client->text, bytes, (gssize)MIN(len, TEXT_KEPT));
	g_checksum_update(client->sum, bytes, (gssize)len);
	client->bytes += len;
	if (client->hook)
		g_steal_pointer (&client->hook)(client);
	if (client->stream && client->tls_after &&
		g_str_has_suffix(client->text->str, client->tls_after))
		net_stream_start_tls(client->stream);
}

static void on_sent(gsize len, gpointer data)
{
	Client *client = data;

	g_assert_cmpuint(len, >, 0);
	client->bytes_sent += len;
	note(client, &client->sent);
}

static void on_closed(const GError *error, gpointer data)
{
	Client *client = data;

	client->error = error ? g_error_copy(error) : NULL;
	note(client, &client->closed);
}

Client *client_new(const char *cafile, const char *fingerprint)
{
	g_autoptr(GError) error = NULL;
	Client *client = g_new0(Client, 1);

	client->context = g_main_context_new();
	client->trust = net_trust_new(cafile, fingerprint, &error);
	g_assert_no_error(error);
	client->text = g_string_new(NULL);
	client->sum = g_checksum_new(G_CHECKSUM_SHA256);
	return client;
}

void client_free(Client *client)
{
	client_close(client);
	net_trust_free(client->trust);
	/* A lookup that was given up still ends in this context. */
	while (g_main_context_iteration(client->context, FALSE)) {
	}
	g_main_context_unref(client->context);
	g_string_free(client->text, TRUE);
	g_checksum_free(client->sum);
	g_clear_error(&client->error);
	g_free(client);
}

void client_open(Client *client, const char *host, guint16 port, NetTls tls, guint timeout_ms)
{
	static const NetStreamEvents events = {
		.opened = on_opened,
		.secured = on_secured,
		.received = on_received,
		.sent = on_sent,
		.closed = on_closed,
	};
	const NetAddress address = {
		.host = host, .port = port, .tls = tls, .timeout_ms = timeout_ms};

	client_close(client);
	client->opened = client->secured = client->received = client->sent = client->closed = 0;
	client->bytes = 0;
	g_string_truncate(client->text, 0);
	g_checksum_reset(client->sum);
	g_clear_error(&client->error);
	client->stream = net_stream_open(client->context, client->trust, &address, &events, client);
	g_assert_cmpuint(client->closed, ==, 0);
}

void client_close(Client *client)
{
	net_stream_free(g_steal_pointer(&client->stream));
}

void client_send(Client *client, const char *text)
{
	g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

	net_stream_send(client->stream, bytes);
}

static gboolean on_overdue(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_CONTINUE;
}

static GSource *watchdog(Client *client)
{
	GSource *source = g_timeout_source_new_seconds(PATIENCE_S);

	client->is_overdue = false;
	g_source_set_callback(source, on_overdue, &client->is_overdue, NULL);
	g_source_attach(source, client->context);
	return source;
}

void client_wait(Client *client, const guint *counter)
{
	GSource *source = watchdog(client);

	while (*counter == 0) {
		g_main_context_iteration(client->context, TRUE);
		g_assert_false(client->is_overdue);
		if (client->closed && *counter == 0)
			g_error("closed early: %s",
				client->error ? client->error->message : "in good order");
	}
	g_source_destroy(source);
	g_source_unref(source);
}

void client_wait_bytes(Client *client, guint64 bytes)
{
	while (client->bytes < bytes) {
		client->received = 0;
		client_wait(client, &client->received);
	}
}

void client_assert_closed(const Client *client, gint code, const char *word)
{
	g_assert_cmpuint(client->closed, ==, 1);
	g_assert_error(client->error, MAIL_ERROR, code);
	if (!strstr(client->error->message, word))
		g_error("no \"%s\" in: %s", word, client->error->message);
}
