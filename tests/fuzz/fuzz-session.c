/* A whole session against a hostile server, without a network: net/stream.h is implemented here.
 *
 * The first byte chooses the configuration. In what follows 0xFF and a letter is something that
 * happens on our side (see happen()), all else is what the server sends; 0xFF also ends a segment.
 */

#include "fuzz.h"

#include <string.h>

#include "session/private.h"

enum { COMMANDS = 64 };

typedef struct {
	Session *session;
	GMainContext *context;
	bool ready, closed;
	bool busy; /* completions ask for more */
	bool closing; /* the next callback closes the session */
	guint submitted, done;
	guint64 body_left;
	bool in_body;
} World;

/* ---- net/stream.h ---- */

struct NetStream {
	const NetStreamEvents *events;
	gpointer data;
	bool clear; /* STARTTLS is demanded and not up */
	bool secure, freed, starting;
	bool stuck; /* nothing leaves */
	gsize queued;
};

static NetStream net; /* of the one session there is */

NetStream *net_stream_open(GMainContext *context, NetTrust *trust, const NetAddress *address,
	const NetStreamEvents *events, gpointer data)
{
	net = (NetStream){.events = events,
		.data = data,
		.clear = trust != NULL,
		.secure = address->tls == NET_TLS_IMPLICIT};
	return &net;
}

void net_stream_free(NetStream *stream)
{
	if (stream)
		stream->freed = true;
}

/* In clear nothing may go out but the way to TLS. */
void net_stream_send(NetStream *stream, GBytes *bytes)
{
	gsize len;
	const char *text = g_bytes_get_data(bytes, &len);

	g_assert_false(stream->freed);
	stream->queued += len;
	g_assert_true(!stream->clear || stream->secure ||
		      g_strstr_len(text, len, " CAPABILITY\r\n") ||
		      g_strstr_len(text, len, " STARTTLS\r\n"));
}

void net_stream_start_tls(NetStream *stream)
{
	g_assert_false(stream->freed || stream->secure || stream->starting);
	stream->starting = true;
}

bool net_stream_is_secure(const NetStream *stream)
{
	g_assert_false(stream->freed);
	return stream->secure;
}

bool net_stream_is_loopback(const NetStream *stream)
{
	return true;
}

char *net_stream_describe(const NetStream *stream)
{
	return g_strdup("");
}

/* ---- the session's callbacks ---- */

static void close_now(World *world)
{
	g_autoptr(GError) error = g_error_new_literal(MAIL_ERROR, MAIL_ERROR_CANCELLED, "closed");

	session_close(world->session, error);
}

static void called_back(World *world)
{
	g_assert_false(world->closed);
	if (!world->closing)
		return;
	world->closing = false;
	close_now(world);
}

static void submit(World *world, SessionNeed need, const char *name);

static void on_done(const ImapStatus *status, const GError *error, gpointer data)
{
	World *world = data;

	g_assert_true(status || error);
	g_assert_false(!error && status->kind != IMAP_STATUS_OK);
	g_assert_cmpuint(world->done, <, world->submitted);
	world->done++;
	if (world->busy)
		submit(world, SESSION_SELECTED, "NOOP");
	if (world->closing && !world->closed)
		called_back(world);
}

static void on_ready(gpointer data)
{
	World *world = data;

	g_assert_false(world->ready);
	g_assert_true(!net.clear || net.secure);
	world->ready = true;
	called_back(world);
}

static void on_response(const ImapResponse *response, gpointer data)
{
	World *world = data;

	g_assert_true(world->ready);
	switch (response->kind) {
	case IMAP_RESPONSE_EXISTS:
	case IMAP_RESPONSE_EXPUNGE:
	case IMAP_RESPONSE_VANISHED:
	case IMAP_RESPONSE_FETCH:
	case IMAP_RESPONSE_SEARCH:
		g_assert_nonnull(session_selected(world->session));
		break;
	default:
		break;
	}
	world->in_body = false;
	called_back(world);
}

static bool on_body_begin(const ImapBodyStart *start, gpointer data)
{
	World *world = data;

	g_assert_nonnull(session_selected(world->session));
	world->body_left = start->size;
	world->in_body = true;
	called_back(world);
	return start->section.len == 0;
}

static bool on_body_bytes(const void *bytes, gsize len, gpointer data)
{
	World *world = data;

	g_assert_true(world->in_body && len > 0 && len <= world->body_left);
	world->body_left -= len;
	called_back(world);
	return true;
}

static void on_expunged(const ImapSet *uids, gpointer data)
{
	World *world = data;

	g_assert_nonnull(session_selected(world->session));
	called_back(world);
}

static void on_closed(const GError *error, gpointer data)
{
	World *world = data;

	g_assert_false(world->closed);
	g_assert_cmpuint(session_pending(world->session), ==, 0);
	world->closed = true;
}

static const SessionEvents events = {
	.ready = on_ready,
	.response = on_response,
	.body_begin = on_body_begin,
	.body_bytes = on_body_bytes,
	.expunged = on_expunged,
	.closed = on_closed,
};

/* ---- our side ---- */

/* Commands may be submitted to a session that is ready, or over. */
static bool may_submit(World *world)
{
	if ((!session_is_ready(world->session) && !world->closed) || world->submitted == COMMANDS)
		return false;
	world->submitted++;
	return true;
}

static void submit(World *world, SessionNeed need, const char *name)
{
	if (may_submit(world))
		session_submit(world->session, need, imap_command_new(name), on_done, world);
}

static void submit_literal(World *world)
{
	if (!may_submit(world))
		return;
	ImapCommand *line = imap_command_new("CREATE");
	imap_command_string(line, "a\r\nb", 4);
	session_submit(world->session, SESSION_ANY, line, on_done, world);
}

static void submit_append(World *world, gsize len)
{
	if (!may_submit(world))
		return;
	g_autoptr(GBytes) message = g_bytes_new_take(g_strnfill(len, 'x'), len);
	ImapCommand *line = imap_command_new("APPEND");
	imap_command_mailbox(line, "A", 1);
	imap_command_literal(line, message, len % 2);
	session_submit(world->session, SESSION_ANY, line, on_done, world);
}

static void select_mailbox(World *world, bool writable)
{
	static const SessionKnown known = {.modseq = true, .uidvalidity = 1, .highestmodseq = 1};

	if (may_submit(world))
		session_select(world->session, "INBOX", writable, &known, on_done, world);
}

static void set_map(World *world)
{
	const SessionMailbox *box = session_selected(world->session);
	g_autoptr(ImapSet) uids = imap_set_new();

	imap_set_add(uids, 1, (guint32)(box ? MIN(box->exists, G_MAXUINT32) : 1));
	if (session_set_map(world->session, uids))
		g_assert_true(session_has_map(world->session));
}

static void end(NetStream *stream, const char *why)
{
	g_autoptr(GError) error = why ? g_error_new_literal(MAIL_ERROR, MAIL_ERROR_IO, why) : NULL;

	if (!stream->freed)
		stream->events->closed(error, stream->data);
	stream->freed = true;
}

static void happen(World *world, char what)
{
	switch (what) {
	case 'e':
	case 'w':
		select_mailbox(world, what == 'w');
		break;
	case 's':
		submit(world, SESSION_SELECTED, "UID SEARCH ALL");
		break;
	case 'a':
		submit(world, SESSION_ANY, "NOOP");
		break;
	case 'x':
		submit(world, SESSION_ALONE, "ENABLE");
		break;
	case 'l':
		submit_literal(world);
		break;
	case 'p':
	case 'P':
		submit_append(world, what == 'p' ? 4 : 5001);
		break;
	case 'k':
		net.stuck = !net.stuck;
		break;
	case 'm':
		set_map(world);
		break;
	case 'b':
		world->busy = !world->busy;
		break;
	case 'o':
		session_logout(world->session);
		break;
	case 'c':
		world->closing = true;
		break;
	case 'f':
		end(&net, NULL);
		break;
	case 't':
		end(&net, "truncated");
		break;
	default:
		break;
	}
}

/* ---- the server's side ---- */

static void let_go(NetStream *stream)
{
	gsize len = stream->queued;

	if (len == 0 || stream->stuck || stream->freed)
		return;
	stream->queued = 0;
	stream->events->sent(len, stream->data);
}

/* What the main loop would do between two segments. */
static void settle(World *world)
{
	while (world->session->secret_job)
		g_main_context_iteration(world->context, TRUE);
	let_go(&net);
	if (net.freed || !net.starting)
		return;
	net.starting = false;
	net.secure = true;
	net.events->secured(net.data);
	settle(world);
}

static void receive(World *world, const uint8_t *bytes, size_t len)
{
	if (len == 0 || net.freed)
		return;
	let_go(&net);
	/* Of its size, so that a sanitizer sees a byte too many. */
	g_autofree guint8 *exact = g_memdup2(bytes, len);
	net.events->received(exact, len, net.data);
	settle(world);
}

static void play(World *world, const uint8_t *bytes, size_t len)
{
	size_t from = 0;

	for (size_t at = 0; at < len; at++) {
		if (bytes[at] != 0xff)
			continue;
		receive(world, bytes + from, at - from);
		if (at + 1 < len)
			happen(world, (char)bytes[++at]);
		from = at + 1;
	}
	if (from < len)
		receive(world, bytes + from, len - from);
}

static char *secret(gpointer data, GCancellable *cancel, GError **error)
{
	return g_strdup("pencil");
}

static GLogWriterOutput drop_log(
	GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
	return level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR | G_LOG_LEVEL_WARNING)
		       ? g_log_writer_default(level, fields, n, NULL)
		       : G_LOG_WRITER_HANDLED;
}

static void quieten(void)
{
	static gsize once;

	if (!g_once_init_enter(&once))
		return;
	g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
	g_log_set_writer_func(drop_log, NULL, NULL);
	g_once_init_leave(&once, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const SessionTls TLS[] = {
		SESSION_TLS_NONE, SESSION_TLS_STARTTLS, SESSION_TLS_IMPLICIT};
	World world = {.context = g_main_context_new()};
	const guint8 choice = len > 0 ? bytes[0] : 0;
	const SessionConfig config = {
		.host = "server",
		.tls = TLS[choice % G_N_ELEMENTS(TLS)],
		.user = choice & 0x40 ? "us\r\ner" : "user",
		.token = choice & 0x80,
		.secret = secret,
		/* No trust is needed here: it tells net_stream_open() that TLS comes later. */
		.trust = TLS[choice % G_N_ELEMENTS(TLS)] == SESSION_TLS_STARTTLS
				 ? (NetTrust *)&world
				 : NULL,
		.timeout_ms = G_MAXINT,
	};

	quieten();
	world.session = session_open(world.context, &config, &events, &world);
	net.events->opened(net.data);
	if (len > 0)
		play(&world, bytes + 1, len - 1);
	world.busy = false;
	if (!world.closed)
		close_now(&world);
	g_assert_true(world.closed && net.freed);
	g_assert_cmpuint(world.done, ==, world.submitted);
	session_free(world.session);
	g_main_context_unref(world.context);
	return 0;
}
