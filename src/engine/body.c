/* The body verb: bytes of messages, whole or in ranges. Equal wants are joined, neighbours share
 * one UID FETCH, and what a reader waits for goes before what is only read ahead. */
#include <string.h>

#include "engine/private.h"

enum {
	TRIES = 3, /* a command that kills the connection so often is given up */
	COMMAND_BYTES = 1 << 20, /* bodies in one command: small enough to overtake */
	COMMANDS_AHEAD = 8, /* read-ahead leaves room in the pipeline */
	NAME_AND_ITEMS = 80, /* of a command line, beside the UIDs */
};

/* One UID FETCH under way. */
typedef struct {
	Box *box;
	Conn *conn;
	GPtrArray *wants; /* Want*, not owned; taken out as they are answered */
} Fetch;

/* Bytes wanted of one message. */
typedef struct {
	Box *box;
	Gen gen;
	guint32 uid;
	bool whole;
	guint64 origin, asked; /* of a range */
	guint64 expected; /* octets on the wire, as far as known */
	bool alone; /* gets a command of its own: it may be the one that fails */
	guint tries;
	Fetch *fetch; /* under way in that command; NULL: queued */
	GQueue *queue; /* the queue it is in, NULL while under way */
	GPtrArray *readers;
} Want;

/* Somebody waits for a range of the message; it may need more than one want after another. */
typedef struct {
	Waiter *waiter;
	guint64 offset, len;
	guint rounds;
} Reader;

static void request(Box *box, Gen gen, guint32 uid, Reader *reader);

static void reader_free(gpointer data)
{
	Reader *reader = data;
	waiter_unref(reader->waiter);
	g_free(reader);
}

static void want_free(gpointer data)
{
	Want *want = data;
	g_ptr_array_unref(want->readers);
	g_free(want);
}

static GPtrArray *wants_of(Box *box, guint32 uid)
{
	return g_hash_table_lookup(box->wants, GUINT_TO_POINTER(uid));
}

static void enqueue(Want *want, GQueue *queue)
{
	if (want->queue)
		g_queue_remove(want->queue, want);
	want->queue = queue;
	if (queue)
		g_queue_push_tail(queue, want);
}

static Want *want_new(Box *box, Gen gen, guint32 uid, GQueue *queue)
{
	Want *want = g_new0(Want, 1);
	*want = (Want){.box = box, .gen = gen, .uid = uid};
	want->readers = g_ptr_array_new_with_free_func(reader_free);
	GPtrArray *wants = wants_of(box, uid);
	if (!wants) {
		wants = g_ptr_array_new_with_free_func(want_free);
		g_hash_table_insert(box->wants, GUINT_TO_POINTER(uid), wants);
	}
	g_ptr_array_add(wants, want);
	enqueue(want, queue);
	return want;
}

/* Takes the want out of the command it is under way in, if any. */
static void recall(Want *want)
{
	if (!want->fetch)
		return;
	want->fetch->conn->bytes_flying -= want->expected;
	want->fetch->conn->wants_flying--;
	g_ptr_array_remove_fast(want->fetch->wants, want);
	want->fetch = NULL;
}

/* Takes the want out of everything; returns its readers. */
static GPtrArray *want_end(Want *want)
{
	Box *box = want->box;
	GPtrArray *readers = g_ptr_array_ref(want->readers);
	enqueue(want, NULL);
	recall(want);
	GPtrArray *wants = wants_of(box, want->uid);
	guint32 uid = want->uid;
	g_ptr_array_remove_fast(wants, want);
	if (wants->len == 0)
		g_hash_table_remove(box->wants, GUINT_TO_POINTER(uid));
	return readers;
}

static void readers_finish(GPtrArray *readers, const GError *error)
{
	for (guint i = 0; i < readers->len; i++)
		waiter_finish(((Reader *)g_ptr_array_index(readers, i))->waiter, error);
}

static void want_fail(Want *want, const GError *error)
{
	g_autoptr(GPtrArray) readers = want_end(want);
	readers_finish(readers, error);
}

/* ---- requests ---- */

static bool covers(const Want *want, guint64 offset)
{
	return want->whole || (offset >= want->origin && offset < want->origin + want->asked);
}

static Want *find(Box *box, Gen gen, guint32 uid, guint64 offset)
{
	GPtrArray *wants = wants_of(box, uid);
	for (guint i = 0; wants && i < wants->len; i++) {
		Want *want = g_ptr_array_index(wants, i);
		if (want->gen == gen && covers(want, offset))
			return want;
	}
	return NULL;
}

/* Whether a message of this size travels in one piece. */
static bool goes_whole(const Engine *engine, Gen gen, const StoreMessage *message)
{
	if (!message->known)
		return false;
	if (message->size <= LIMIT_SMALL_BODY)
		return true;
	return message->size <= LIMIT_WALK_BODY && ahead_walking(engine, gen, message->uid);
}

/* The reader of this message; a new one takes the place of the one silent for longest. */
static Stream *stream_of(Engine *engine, Gen gen, guint32 uid)
{
	Stream *oldest = &engine->streams[0];
	for (guint i = 0; i < STREAMS; i++) {
		Stream *stream = &engine->streams[i];
		if (stream->gen == gen && stream->uid == uid)
			return stream;
		if (stream->used_us < oldest->used_us)
			oldest = stream;
	}
	*oldest = (Stream){.gen = gen, .uid = uid, .next = G_MAXUINT64};
	return oldest;
}

/* How much to ask for at offset: little at first, twice as much each time the reader goes on. */
static guint64 next_range(Engine *engine, Gen gen, guint32 uid, guint64 offset, guint64 len)
{
	Stream *stream = stream_of(engine, gen, uid);
	guint64 range = stream->next == offset ? MIN(stream->range * 2, LIMIT_LAST_RANGE)
					       : LIMIT_FIRST_RANGE;
	stream->range = MAX(range, MIN(len, LIMIT_LAST_RANGE));
	stream->next = offset + stream->range;
	stream->used_us = g_get_monotonic_time();
	return stream->range;
}

static void set_range(Want *want, const StoreMessage *message, guint64 origin, guint64 asked)
{
	want->origin = origin;
	want->asked = asked;
	/* The last range reaches past the announced end: only a short answer proves it. */
	if (message->known && origin + asked >= message->size)
		want->asked += LIMIT_FIRST_RANGE;
	want->expected = asked;
}

static Want *plan(Box *box, Gen gen, guint32 uid, guint64 offset, guint64 len)
{
	Engine *engine = box->engine;
	StoreMessage message = {.uid = uid};
	store_peek_message(engine->store, gen, uid, &message);
	Want *want = want_new(box, gen, uid, &box->urgent);
	if (goes_whole(engine, gen, &message)) {
		want->whole = true;
		want->expected = message.size;
		return want;
	}
	guint64 range = next_range(engine, gen, uid, offset, len);
	set_range(want, &message, offset, range);
	guint64 next = offset + range;
	if (range > LIMIT_FIRST_RANGE && next < message.size && !find(box, gen, uid, next)) {
		Want *follow = want_new(box, gen, uid, &box->urgent);
		guint64 more = next_range(engine, gen, uid, next, 0);
		set_range(follow, &message, next, more);
	}
	return want;
}

static void add_reader(Want *want, Reader *reader)
{
	g_ptr_array_add(want->readers, reader);
	if (want->queue && want->queue != &want->box->urgent)
		enqueue(want, &want->box->urgent);
}

static void refuse(Reader *reader, MailError code, const char *name, const char *why)
{
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, (gint)code, "%s: %s", name, why);
	waiter_finish(reader->waiter, error);
	reader_free(reader);
}

/* Finishes the reader if the store has it all, else puts it to the want that brings the first
 * byte it lacks. */
static void request(Box *box, Gen gen, guint32 uid, Reader *reader)
{
	enum { ROUNDS = 64 };
	Store *store = box->engine->store;
	guint64 missing = 0;
	switch (store_first_missing(store, gen, uid, reader->offset, reader->len, &missing)) {
	case STORE_HIT:
		waiter_finish(reader->waiter, NULL);
		reader_free(reader);
		return;
	case STORE_ABSENT:
		refuse(reader, MAIL_ERROR_STALE, box->name, "the message is gone");
		return;
	case STORE_MISS:
		break;
	}
	if (++reader->rounds > ROUNDS) {
		refuse(reader, MAIL_ERROR_IO, box->name, "the cache does not keep the message");
		return;
	}
	Want *want = find(box, gen, uid, missing);
	if (!want) {
		guint64 left = reader->offset + reader->len - missing;
		want = plan(box, gen, uid, missing, left);
	}
	add_reader(want, reader);
	box_pump(box);
}

/* Takes over the caller's reference of waiter. */
void body_request(Box *box, Gen gen, guint32 uid, guint64 offset, guint64 len, Waiter *waiter)
{
	ahead_read(box->engine, box, gen, uid);
	Reader *reader = g_new0(Reader, 1);
	*reader = (Reader){.waiter = waiter, .offset = offset, .len = len};
	request(box, gen, uid, reader);
}

/* As body_request() for all of the message, however large. */
void body_request_whole(Box *box, Gen gen, guint32 uid, Waiter *waiter)
{
	Reader *reader = g_new0(Reader, 1);
	*reader = (Reader){.waiter = waiter, .offset = 0, .len = 1};
	if (store_has_body(box->engine->store, gen, uid)) {
		request(box, gen, uid, reader);
		return;
	}
	GPtrArray *wants = wants_of(box, uid);
	Want *want = NULL;
	for (guint i = 0; wants && i < wants->len; i++)
		if (((Want *)g_ptr_array_index(wants, i))->whole)
			want = g_ptr_array_index(wants, i);
	if (!want) {
		want = want_new(box, gen, uid, &box->urgent);
		want->whole = true;
	}
	add_reader(want, reader);
	box_pump(box);
}

/* A walking reader will want this message soon. */
void body_ahead(Box *box, Gen gen, guint32 uid, guint64 size)
{
	if (find(box, gen, uid, 0))
		return;
	Want *want = want_new(box, gen, uid, &box->ahead);
	want->whole = true;
	want->expected = MAX(size, LIMIT_LEAST_BODY);
}

/* ---- commands ---- */

static void fetched(const ImapStatus *status, const GError *error, gpointer data);

static void send_fetch(Fetch *fetch)
{
	Conn *conn = fetch->conn;
	g_autoptr(ImapSet) uids = imap_set_new();
	for (guint i = 0; i < fetch->wants->len; i++) {
		Want *want = g_ptr_array_index(fetch->wants, i);
		imap_set_add(uids, want->uid, want->uid);
		enqueue(want, NULL);
		want->fetch = fetch;
		conn->bytes_flying += want->expected;
		conn->wants_flying++;
	}
	const Want *first = g_ptr_array_index(fetch->wants, 0);
	ImapCommand *line = imap_command_new("UID FETCH");
	g_autofree char *text = imap_set_to_string(uids);
	imap_command_raw(line, text);
	if (first->whole)
		imap_command_raw(line, "(UID BODY.PEEK[])");
	else
		imap_command_rawf(line,
			"(UID BODY.PEEK[]<%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ">)",
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

/* Back in the queue for another try; given up after the last. An answer that left it out counts
 * for more than a connection that broke. */
static void try_again(Want *want, bool answered, const GError *error)
{
	recall(want);
	want->alone = true;
	want->tries += answered ? 2 : 1;
	if (want->tries >= TRIES)
		want_fail(want, error);
	else if (want->readers->len == 0)
		g_ptr_array_unref(want_end(want));
	else
		enqueue(want, &want->box->urgent);
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
	GPtrArray *wants = conn->box ? wants_of(conn->box, uid) : NULL;
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
	if (start->uid && !answered_by(conn, start->uid, start->has_origin, start->origin))
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
		request(box, gen, uid, g_ptr_array_steal_index(readers, readers->len - 1));
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
	recall(want);
	enqueue(want, &want->box->urgent);
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
 * answer would cut the message off. */
static bool shows_end(const Want *want, guint64 got)
{
	Engine *engine = want->box->engine;
	guint64 end = want->origin + got;
	StoreMessage message;
	if (store_peek_message(engine->store, want->gen, want->uid, &message) && message.known &&
		end < message.size)
		return got == 0 && stream_of(engine, want->gen, want->uid)->cut == end;
	return true;
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

/* ---- the end ---- */

void body_fail_all(Box *box, const GError *error)
{
	GHashTableIter iter;
	gpointer wants;
	g_autoptr(GPtrArray) readers = g_ptr_array_new_with_free_func(reader_free);
	g_hash_table_iter_init(&iter, box->wants);
	while (g_hash_table_iter_next(&iter, NULL, &wants))
		for (guint i = 0; i < ((GPtrArray *)wants)->len; i++) {
			Want *want = g_ptr_array_index((GPtrArray *)wants, i);
			recall(want);
			g_ptr_array_extend_and_steal(readers, g_steal_pointer(&want->readers));
			want->readers = g_ptr_array_new_with_free_func(reader_free);
		}
	g_queue_clear(&box->urgent);
	g_queue_clear(&box->ahead);
	g_hash_table_remove_all(box->wants);
	readers_finish(readers, error);
}

/* Its waiters were finished before. */
void body_reset(Box *box)
{
	body_fail_all(box, NULL);
}
