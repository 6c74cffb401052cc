#include "net/stream.h"

#include <string.h>

#include "base/error.h"
#include "net/connect.h"
#include "net/tls.h"
#include "net/wire.h"

enum {
	/* What one turn of the main loop reads and hands on at most: large, for few calls
	 * upwards, and bounded, for the other connections' turns. */
	IN_BYTES = 256 << 10,

	/* One TLS record (RFC 8446 section 5.1): small commands leave together. */
	OUT_BYTES = 16 << 10,

	/* Written in one turn at most. */
	OUT_TURN_BYTES = 256 << 10,
};

typedef enum {
	STREAM_CONNECTING,
	STREAM_CONNECTED, /* not announced yet */
	STREAM_HANDSHAKE,
	STREAM_OPEN,
	STREAM_ENDED,
} StreamState;

struct NetStream {
	guint refs; /* the owner's, and one of each frame that calls back */
	StreamState state;
	const NetStreamEvents *events;
	gpointer data;

	NetTrust *trust;
	char *host;
	guint16 port;
	NetTls tls;
	guint timeout_ms;
	gint64 deadline_us; /* until STREAM_OPEN */

	GSource *source;
	NetConnect *connect;
	NetWire *wire;
	gpointer fd_tag;
	NetTlsLink *link; /* NULL in clear */
	bool is_loopback;
	GError *failure; /* found outside a turn; reported by the next */

	/* What the next read and write wait for, as the last one said; 0: nothing. TLS may read in
	 * order to write, and the reverse. */
	GIOCondition read_wait;
	GIOCondition write_wait;
	GIOCondition polled;

	guint8 *in;
	GQueue queue; /* GBytes, of the first one head_done bytes are in out already */
	gsize head_done;
	guint8 out[OUT_BYTES]; /* TLS wants a write that waited repeated from the same bytes */
	gsize out_done;
	gsize out_len;
	GError *write_failure; /* reported when all that the server said before was read */
};

typedef struct {
	GSource source;
	NetStream *stream;
} StreamSource;

static void stream_unref(NetStream *self)
{
	if (--self->refs > 0)
		return;
	g_source_unref(self->source);
	g_queue_clear_full(&self->queue, (GDestroyNotify)g_bytes_unref);
	explicit_bzero(self->out, sizeof(self->out));
	g_clear_error(&self->failure);
	g_clear_error(&self->write_failure);
	g_free(self->in);
	g_free(self->host);
	g_free(self);
}

/* Nothing moves and nothing is called back from here on. */
static void stream_shut(NetStream *self)
{
	self->state = STREAM_ENDED;
	g_source_destroy(self->source);
	g_clear_pointer(&self->connect, net_connect_free);
	g_clear_pointer(&self->link, net_tls_link_free);
	g_clear_pointer(&self->wire, net_wire_free);
}

/* Takes error. */
static void stream_end(NetStream *self, GError *error)
{
	g_autoptr(GError) reason = error;

	if (reason)
		g_prefix_error(&reason, "%s: ", self->host);
	stream_shut(self);
	self->events->closed(reason, self->data);
}

static void set_deadline(NetStream *self)
{
	self->deadline_us = g_get_monotonic_time() + (gint64)self->timeout_ms * 1000;
	g_source_set_ready_time(self->source, self->deadline_us);
}

static bool is_opening(const NetStream *self)
{
	return self->state < STREAM_OPEN;
}

static void check_deadline(NetStream *self)
{
	if (!is_opening(self) || g_get_monotonic_time() < self->deadline_us)
		return;
	stream_end(self, g_error_new(MAIL_ERROR, MAIL_ERROR_TIMEOUT,
				 "no answer within %.3g seconds %s", self->timeout_ms / 1000.0,
				 self->wire ? "in the TLS handshake" : "while connecting"));
}

static bool has_output(const NetStream *self)
{
	return !self->write_failure && (self->out_len > 0 || self->queue.length > 0);
}

/* Whether the next turn has something to do that no poll would announce: OpenSSL and the wire hold
 * bytes of which the socket knows nothing. */
static bool is_due(const NetStream *self)
{
	if (self->failure)
		return true;
	switch (self->state) {
	case STREAM_CONNECTING:
	case STREAM_ENDED:
		return false;
	case STREAM_CONNECTED:
		return true;
	case STREAM_HANDSHAKE:
		return !self->read_wait;
	case STREAM_OPEN:
		return !self->read_wait || (has_output(self) && !self->write_wait);
	}
	return false;
}

static GIOCondition wait_of(NetIo io)
{
	if (io == NET_IO_WAIT_READ)
		return G_IO_IN;
	return io == NET_IO_WAIT_WRITE ? G_IO_OUT : 0;
}

/* GLib wakes the context for each change, so this is not called while a turn is due anyway. */
static void poll_for(NetStream *self, GIOCondition wanted)
{
	if (self->polled == wanted)
		return;
	self->polled = wanted;
	g_source_modify_unix_fd(self->source, self->fd_tag, wanted);
}

static void note_events(NetStream *self)
{
	if (!self->wire)
		return;
	GIOCondition seen = g_source_query_unix_fd(self->source, self->fd_tag);
	bool is_broken = seen & (G_IO_HUP | G_IO_ERR | G_IO_NVAL);

	net_wire_wake(self->wire);
	if (is_broken || (seen & self->read_wait))
		self->read_wait = 0;
	if (is_broken || (seen & self->write_wait))
		self->write_wait = 0;
}

static bool begin_tls(NetStream *self, GError **error)
{
	self->link = net_tls_link_new(self->trust, self->wire, self->host, self->port, error);
	if (!self->link)
		return false;
	self->state = STREAM_HANDSHAKE;
	self->read_wait = 0;
	self->write_wait = 0;
	return true;
}

static void turn_connected(NetStream *self)
{
	g_autoptr(GError) error = NULL;

	g_clear_pointer(&self->connect, net_connect_free);
	if (self->tls == NET_TLS_IMPLICIT) {
		if (!begin_tls(self, &error))
			stream_end(self, g_steal_pointer(&error));
		return;
	}
	g_source_set_ready_time(self->source, -1);
	self->state = STREAM_OPEN;
	self->events->opened(self->data);
}

static void turn_handshake(NetStream *self)
{
	GError *error = NULL;
	NetIo io = net_tls_link_handshake(self->link, &error);

	/* Behind the answer to STARTTLS only an attacker goes on in clear (CVE-2021-22947). */
	if (error && self->tls == NET_TLS_LATER && error->code == MAIL_ERROR_PROTOCOL)
		error->code = MAIL_ERROR_TLS;
	self->read_wait = wait_of(io);
	if (io == NET_IO_FAILED)
		stream_end(self, error);
	if (io != NET_IO_DONE)
		return;
	g_source_set_ready_time(self->source, -1);
	self->state = STREAM_OPEN;
	if (self->tls == NET_TLS_IMPLICIT)
		self->events->opened(self->data);
	else
		self->events->secured(self->data);
}

static NetIo read_some(NetStream *self, void *buf, gsize size, gsize *ret_len, GError **error)
{
	if (self->link)
		return net_tls_link_read(self->link, buf, size, ret_len, error);
	return net_wire_read(self->wire, buf, size, ret_len, error);
}

static NetIo write_some(
	NetStream *self, const void *bytes, gsize len, gsize *ret_len, GError **error)
{
	if (self->link)
		return net_tls_link_write(self->link, bytes, len, ret_len, error);
	return net_wire_write(self->wire, bytes, len, ret_len, error);
}

static void turn_read(NetStream *self)
{
	g_autoptr(GError) error = NULL;
	NetIo io = NET_IO_DONE;
	gsize len = 0;

	while (io == NET_IO_DONE && len < IN_BYTES) {
		gsize n = 0;
		io = read_some(self, self->in + len, IN_BYTES - len, &n, &error);
		len += n;
	}
	self->read_wait = wait_of(io);
	if (len > 0)
		self->events->received(self->in, len, self->data);
	/* The callback may have ended the stream, or begun TLS, which meets the same end itself. */
	if (io == NET_IO_DONE || self->state != STREAM_OPEN)
		return;
	if (self->write_failure)
		stream_end(self, g_steal_pointer(&self->write_failure));
	else if (io == NET_IO_END || io == NET_IO_FAILED)
		stream_end(self, g_steal_pointer(&error));
}

/* Moves as much of the queue into out as fits. */
static void fill_out(NetStream *self)
{
	while (self->out_len < OUT_BYTES && !g_queue_is_empty(&self->queue)) {
		gsize size;
		const guint8 *bytes = g_bytes_get_data(g_queue_peek_head(&self->queue), &size);
		gsize n = MIN(size - self->head_done, OUT_BYTES - self->out_len);

		memcpy(self->out + self->out_len, bytes + self->head_done, n);
		self->out_len += n;
		self->head_done += n;
		if (self->head_done < size)
			return;
		g_bytes_unref(g_queue_pop_head(&self->queue));
		self->head_done = 0;
	}
}

/* The bytes may have been a password. */
static void empty_out(NetStream *self)
{
	explicit_bzero(self->out, self->out_len);
	self->out_len = 0;
	self->out_done = 0;
}

static void turn_write(NetStream *self)
{
	NetIo io = NET_IO_DONE;
	gsize sent = 0;

	while (io == NET_IO_DONE && has_output(self) && sent < OUT_TURN_BYTES) {
		gsize n = 0;
		if (self->out_len == 0)
			fill_out(self);
		io = write_some(self, self->out + self->out_done, self->out_len - self->out_done,
			&n, &self->write_failure);
		sent += n;
		self->out_done += n;
		if (self->out_done == self->out_len)
			empty_out(self);
	}
	self->write_wait = wait_of(io);
	if (io == NET_IO_FAILED)
		self->read_wait = 0;
	if (sent > 0)
		self->events->sent(sent, self->data);
}

static void stream_turn(NetStream *self)
{
	if (self->failure) {
		stream_end(self, g_steal_pointer(&self->failure));
		return;
	}
	switch (self->state) {
	case STREAM_CONNECTING:
	case STREAM_ENDED:
		return;
	case STREAM_CONNECTED:
		turn_connected(self);
		return;
	case STREAM_HANDSHAKE:
		if (!self->read_wait)
			turn_handshake(self);
		return;
	case STREAM_OPEN:
		if (!self->read_wait)
			turn_read(self);
		if (self->state == STREAM_OPEN && has_output(self) && !self->write_wait)
			turn_write(self);
		return;
	}
}

static gboolean stream_prepare(GSource *source, gint *timeout_ms)
{
	NetStream *self = ((StreamSource *)source)->stream;

	*timeout_ms = -1;
	if (is_due(self))
		return TRUE;
	if (self->wire)
		poll_for(self, self->read_wait | (has_output(self) ? self->write_wait : 0));
	return FALSE;
}

static gboolean stream_dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
	NetStream *self = ((StreamSource *)source)->stream;

	self->refs++;
	note_events(self);
	stream_turn(self);
	check_deadline(self);
	stream_unref(self);
	return G_SOURCE_CONTINUE;
}

static void on_connected(int fd, bool is_loopback, const GError *error, gpointer data)
{
	NetStream *self = data;

	if (fd < 0) {
		self->failure = g_error_copy(error);
		return;
	}
	self->wire = net_wire_new(fd);
	self->is_loopback = is_loopback;
	self->fd_tag = g_source_add_unix_fd(self->source, fd, 0);
	self->state = STREAM_CONNECTED;
}

NetStream *net_stream_open(GMainContext *context, NetTrust *trust, const NetAddress *address,
	const NetStreamEvents *events, gpointer data)
{
	static GSourceFuncs funcs = {.prepare = stream_prepare, .dispatch = stream_dispatch};
	NetStream *self = g_new0(NetStream, 1);

	self->refs = 1;
	self->events = events;
	self->data = data;
	self->trust = trust;
	self->host = g_strdup(address->host);
	self->port = address->port;
	self->tls = address->tls;
	self->timeout_ms = address->timeout_ms;
	self->in = g_malloc(IN_BYTES);
	g_queue_init(&self->queue);

	self->source = g_source_new(&funcs, sizeof(StreamSource));
	((StreamSource *)self->source)->stream = self;
	g_source_attach(self->source, context);
	set_deadline(self);
	self->connect = net_connect_new(context, self->host, self->port, on_connected, self);
	return self;
}

void net_stream_free(NetStream *self)
{
	if (!self)
		return;
	if (self->state != STREAM_ENDED)
		stream_shut(self);
	stream_unref(self);
}

void net_stream_send(NetStream *self, GBytes *bytes)
{
	if (self->state != STREAM_ENDED && g_bytes_get_size(bytes) > 0)
		g_queue_push_tail(&self->queue, g_bytes_ref(bytes));
}

void net_stream_start_tls(NetStream *self)
{
	if (self->state == STREAM_ENDED)
		return;
	g_return_if_fail(self->state == STREAM_OPEN && !self->link);

	/* An answer to what was not sent yet is a forgery; and clear bytes must not follow. */
	if (has_output(self)) {
		self->failure = g_error_new(
			MAIL_ERROR, MAIL_ERROR_TLS, "STARTTLS was answered before it was sent");
		return;
	}
	if (begin_tls(self, &self->failure))
		set_deadline(self);
}

bool net_stream_is_secure(const NetStream *self)
{
	return self->link && self->state == STREAM_OPEN;
}

bool net_stream_is_loopback(const NetStream *self)
{
	return self->is_loopback;
}

char *net_stream_describe(const NetStream *self)
{
	return net_stream_is_secure(self) ? net_tls_link_describe(self->link) : g_strdup("");
}
