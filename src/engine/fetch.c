/* Bodies on the wire: neighbours share one UID FETCH, what a reader waits for goes before what is
 * only read ahead, and answers are taken for what they prove. */
#include "engine/want.h"

enum {
	TRIES = 3, /* a command that kills the connection so often is given up */
	COMMAND_BYTES = 1 << 20, /* bodies in one command: small enough to overtake */
	COMMANDS_AHEAD = 8, /* read-ahead leaves room in the pipeline */
	NAME_AND_ITEMS = 80, /* of a command line, beside the UIDs */
};

/* ---- commands ---- */

static void fetched(const ImapStatus *status, const GError *error, gpointer data);

static void send_fetch(Fetch *fetch)
{
	Conn *conn = fetch->conn;
	g_autoptr(ImapSet) uids = imap_set_new();
	for (guint i = 0; i < fetch->wants->len; i++) {
		Want *want = g_ptr_array_index(fetch->wants, i);
		imap_set_add(uids, want->uid, want->uid);
		want_enqueue(want, NULL);
		want->fetch = fetch;
		conn->bytes_flying += want->expected;
		conn->wants_flying++;
	}
	const Want *first = g_ptr_array_index(fetch->wants, 0);
	ImapCommand *line = imap_command_new("UID FETCH");
	g_autofree char *text = imap_set_to_string(uids);
	imap_command_raw(line, text);
	/* INTERNALDATE tells whether it is still the same message: see is_another() in conn.c. */
	if (first->whole)
		imap_command_raw(line, "(UID INTERNALDATE BODY.PEEK[])");
	else
		imap_command_rawf(line,
			"(UID INTERNALDATE BODY.PEEK[]<%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT
			">)",
			first->origin, first->asked);
	session_submit(conn->session, SESSION_SELECTED, line, fetched, fetch);
}

/* Moves wants from the front of queue into one command, as many as may share it. */
static Fetch *gather(Box *box, Conn *conn, GQueue *queue)
{
	Fetch *fetch = g_new0(Fetch, 1);
	*fetch = (Fetch){.box = box, .conn = conn, .wants = g_ptr_array_new()};
	guint64 bytes = 0;
	gsize line = 0;
	for (GList *l = queue->head; l; l = l->next) {
		enum { UID_AND_COMMA = 11 };
		Want *want = l->data;
		bool lonely = want->alone || !want->whole;
		if (fetch->wants->len > 0 &&
			(lonely || bytes + want->expected > COMMAND_BYTES ||
				line + UID_AND_COMMA > LIMIT_COMMAND_LINE - NAME_AND_ITEMS))
			break;
		g_ptr_array_add(fetch->wants, want);
		bytes += want->expected;
		line += UID_AND_COMMA;
		if (lonely)
			break;
	}
	return fetch;
}

void body_dispatch(Box *box, Conn *conn)
{
	while (box->urgent.length > 0 && session_pending(conn->session) < LIMIT_PIPELINE) {
		conn_select(conn, box);
		send_fetch(gather(box, conn, &box->urgent));
	}
	while (box->ahead.length > 0 && session_pending(conn->session) < COMMANDS_AHEAD &&
		conn->bytes_flying < LIMIT_WALK_AHEAD) {
		conn_select(conn, box);
		send_fetch(gather(box, conn, &box->ahead));
	}
}

/* What is only read ahead is asked for once more, as it was, if a connection broke: the walk counts
 * on it, and message by message it would cost a turn each. Any other fault may be its own. */
static void try_ahead_again(Want *want, bool answered)
{
	want_recall(want);
	if (answered || ++want->tries > 1)
		g_ptr_array_unref(want_end(want));
	else
		want_enqueue(want, &want->box->ahead);
}

/* Back in the queue for another try; given up after the last. An answer that left it out counts
 * for more than a connection that broke. */
static void try_again(Want *want, bool answered, const GError *error)
{
	want_recall(want);
	want->alone = true;
	want->tries += answered ? 2 : 1;
	if (want->tries >= TRIES)
		want_fail(want, error);
	else
		want_enqueue(want, &want->box->urgent);
}

static void noop_done(const ImapStatus *status, const GError *error, gpointer data)
{
	engine_pump(data);
}

/* What the command left unanswered. */
static void left_out(Fetch *fetch, const ImapStatus *status, const GError *error)
{
	Box *box = fetch->box;
	g_autoptr(GError) missing = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
		"%s: the server does not answer for a message", box->name);
	/* A NOOP makes the server say what was expunged (RFC 3501 7.4.1 forbids it in FETCH). */
	if (status && !error && session_is_ready(fetch->conn->session))
		session_submit(fetch->conn->session, SESSION_SELECTED, imap_command_new("NOOP"),
			noop_done, box->engine);
	bool final = status && error && fetch->wants->len == 1 &&
		     ((Want *)g_ptr_array_index(fetch->wants, 0))->alone;
	while (fetch->wants->len > 0) {
		Want *want = g_ptr_array_index(fetch->wants, 0);
		if (final || g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TIMEOUT))
			want_fail(want, error);
		else if (want->readers->len == 0)
			try_ahead_again(want, status != NULL);
		else
			try_again(want, status && !error, error ? error : missing);
	}
}

static void fetched(const ImapStatus *status, const GError *error, gpointer data)
{
	Fetch *fetch = data;
	if (status)
		conn_answered(fetch->conn, error);
	if (fetch->wants->len > 0)
		left_out(fetch, status, error);
	box_pump(fetch->box);
	g_ptr_array_unref(fetch->wants);
	g_free(fetch);
}

/* ---- answers ---- */

/* The want under way on conn that a body answers: by UID, never by order (some servers answer
 * for another message than was asked). */
static Want *answered_by(Conn *conn, guint32 uid, bool has_origin, guint64 origin)
{
	GPtrArray *wants = conn->box ? want_list(conn->box, uid) : NULL;
	for (guint i = 0; wants && i < wants->len; i++) {
		Want *want = g_ptr_array_index(wants, i);
		if (want->fetch && want->fetch->conn == conn && want->gen == conn->gen &&
			(!has_origin || (!want->whole && want->origin == origin)))
			return want;
	}
	return NULL;
}

bool body_begin(Conn *conn, const ImapBodyStart *start)
{
	if (conn->sink || start->binary || start->section.len > 0 || conn->wants_flying == 0)
		return false;
	const Want *want =
		start->uid ? answered_by(conn, start->uid, start->has_origin, start->origin) : NULL;
	if (start->uid && !want)
		return false;
	/* More than was asked for is not believed, so it need not be kept. */
	if (want && start->has_origin && start->size > want->asked)
		return false;
	conn->sink = store_sink_new(conn->engine->store);
	return true;
}

void body_bytes(Conn *conn, const void *bytes, gsize len)
{
	store_sink_write(conn->sink, bytes, len);
}

/* What readers wait for may be there now, or need another want. */
static void settle(Want *want)
{
	Box *box = want->box;
	Gen gen = want->gen;
	guint32 uid = want->uid;
	g_autoptr(GPtrArray) readers = want_end(want);
	while (readers->len > 0)
		body_serve(box, gen, uid, g_ptr_array_steal_index(readers, readers->len - 1));
}

/* {0} for a message that is said to have bytes is no answer (it would read as an empty file), and
 * neither is more than was asked for. */
static bool believable(Engine *engine, const Want *want, bool whole, guint64 got)
{
	if (!whole && got > want->asked)
		return false;
	if (got > 0 || (!whole && want->origin > 0))
		return true;
	StoreMessage message;
	return store_peek_message(engine->store, want->gen, want->uid, &message) && message.known &&
	       message.size == 0;
}

/* Only all of the message can tell. */
static void ask_whole(Want *want)
{
	want->whole = true;
	want_recall(want);
	want_enqueue(want, &want->box->urgent);
}

static void take_whole(Want *want, StoreSink *sink)
{
	guint64 got = store_sink_size(sink);
	store_sink_commit(sink, want->gen, want->uid, 0, got, true);
	engine_verify_size(want->box->engine, want->gen, want->uid, got);
	settle(want);
}

/* Whether an answer shorter than asked for shows the end of the message: it does where the end was
 * announced, or when an answer before ended there and now there is nothing more. Otherwise one bad
 * answer would cut the message off; it also would where no end was announced. */
static bool shows_end(const Want *want, guint64 got)
{
	Engine *engine = want->box->engine;
	guint64 end = want->origin + got;
	StoreMessage message;
	if (store_peek_message(engine->store, want->gen, want->uid, &message) && message.known &&
		end >= message.size)
		return true;
	return got == 0 && stream_of(engine, want->gen, want->uid)->cut == end;
}

static bool passes_end(const Want *want, guint64 end)
{
	StoreMessage message;
	return store_peek_message(want->box->engine->store, want->gen, want->uid, &message) &&
	       message.known && end > message.size;
}

static void take_range(Want *want, StoreSink *sink)
{
	Engine *engine = want->box->engine;
	guint64 got = store_sink_size(sink);
	guint64 end = want->origin + got;
	bool is_short = got < want->asked;
	bool ends = is_short && shows_end(want, got);
	if (is_short && !ends && got == 0) {
		store_sink_free(sink);
		ask_whole(want);
		return;
	}
	if (passes_end(want, end) && !is_short) {
		/* Longer than announced, and nobody knows by how much. */
		store_sink_free(sink);
		ask_whole(want);
		return;
	}
	if (is_short && !ends)
		stream_of(engine, want->gen, want->uid)->cut = end;
	store_sink_commit(
		sink, want->gen, want->uid, want->origin, ends ? want->asked : got, false);
	/* Nothing at this place says where the end is only if all before it is here. */
	if (ends && (got > 0 || store_has_body(engine->store, want->gen, want->uid)))
		engine_verify_size(engine, want->gen, want->uid, end);
	else if (ends) {
		ask_whole(want);
		return;
	}
	settle(want);
}

static void take_item(Conn *conn, guint32 uid, const ImapBody *body)
{
	g_autoptr(StoreSink) sink = NULL;
	if (body->form == IMAP_BODY_STREAMED)
		sink = g_steal_pointer(&conn->sink);
	Want *want = answered_by(conn, uid, body->has_origin, body->origin);
	if (!want || body->binary || body->section.len > 0)
		return;
	bool whole = !body->has_origin;
	if (body->form == IMAP_BODY_NIL) {
		/* RFC 9051 7.5.2 wants "" for a range behind the end; several servers say NIL. */
		if (!whole && body->origin > 0)
			ask_whole(want);
		return;
	}
	if (!sink) {
		sink = store_sink_new(conn->engine->store);
		if (body->data.len > 0)
			store_sink_write(sink, body->data.data, body->data.len);
	}
	if (!believable(conn->engine, want, whole, store_sink_size(sink)))
		return;
	if (whole)
		take_whole(want, g_steal_pointer(&sink));
	else
		take_range(want, g_steal_pointer(&sink));
}

void body_note(Conn *conn, guint32 uid, const ImapFetch *fetch)
{
	for (gsize i = 0; i < fetch->n_bodies; i++)
		take_item(conn, uid, &fetch->bodies[i]);
	if (fetch->n_bodies > 0)
		box_pump(conn->box);
}

/* A body belongs to the response it came in; what nobody took is dropped. */
void body_end(Conn *conn)
{
	g_clear_pointer(&conn->sink, store_sink_free);
}
