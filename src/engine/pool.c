/* The connections of the account: how many, which one for what, and when to try again. */
#include <string.h>

#include "engine/private.h"

enum {
	BACKOFF_FIRST_MS = 500,
	BACKOFF_LAST_MS = 60 * 1000,
	BACKOFF_WANTED_MS = 4 * 1000, /* while somebody asks for mail */
	REFUSED_MS = 30 * 1000, /* between two questions for another password */
	LIMITED_MS = 5 * 60 * 1000,
	LASTED_MS = 10 * 1000, /* a connection that lived so long was a good one */
	BUSY_BYTES =
		512 << 10, /* a connection with more on its way is no place for a waiting reader */
};

static Conn *first_ready(const Engine *engine)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready)
			return conn;
	}
	return NULL;
}

static bool connecting(const Engine *engine)
{
	for (guint i = 0; i < engine->conns->len; i++)
		if (!((Conn *)g_ptr_array_index(engine->conns, i))->ready)
			return true;
	return false;
}

/* ---- choice ---- */

/* Whether the mailbox is selected there, or about to be, in its present generation: another
 * connection may have been told of a new UIDVALIDITY since. */
static bool conn_has(const Conn *conn, const Box *box)
{
	return conn->box == box && !conn->doubtful &&
	       (conn->gen == 0 || conn->gen == store_gen(conn->engine->store, box->id));
}

/* The connection with this mailbox selected that has the least on its way. */
static Conn *selected_on(const Engine *engine, const Box *box)
{
	Conn *best = NULL;
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready && conn_has(conn, box) &&
			(!conn->reserved || conn->reserved == box) &&
			(!best || conn->bytes_flying < best->bytes_flying))
			best = conn;
	}
	return best;
}

bool pool_has(const Engine *engine, const Box *box)
{
	return selected_on(engine, box) != NULL;
}

/* Whether the connection may change to this mailbox now. */
static bool is_free_for(const Conn *conn, const Box *box)
{
	if (!conn->ready)
		return false;
	if (!conn->box)
		return true;
	if (session_pending(conn->session) > 0)
		return false;
	if (conn->box == box)
		return !conn->reserved || conn->reserved == box;
	return conn->reserved ? conn->reserved == box : !box_has_work(conn->box);
}

/* Of those that may, the one that has done nothing for a mailbox the longest. */
static Conn *idle(const Engine *engine, const Box *box)
{
	Conn *best = NULL;
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (!is_free_for(conn, box))
			continue;
		if (!best || (!conn->box && best->box) ||
			((!conn->box == !best->box) && conn->used_us < best->used_us))
			best = conn;
	}
	return best;
}

/* All connections are busy with other mailboxes: the least busy one gets no more of their work
 * and is this mailbox's next, so that no busy folder starves the others. */
static void reserve(Engine *engine, Box *box)
{
	Conn *best = NULL;
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->reserved == box)
			return;
		if (conn->ready && !conn->reserved &&
			(!best || conn->bytes_flying < best->bytes_flying))
			best = conn;
	}
	if (best)
		best->reserved = box;
}

/* How many connections there may be: fewer for a while after the server refused one. */
static guint allowed(Engine *engine)
{
	if (g_get_monotonic_time() - engine->limited_us > LIMITED_MS * 1000LL)
		engine->max_conns = engine->config.connections;
	return engine->max_conns;
}

Conn *pool_conn(Engine *engine, Box *box)
{
	Conn *conn = selected_on(engine, box);
	bool crowded = conn && conn->bytes_flying > BUSY_BYTES && box->urgent.length > 0;
	if (conn && (!crowded || box->unstable))
		return conn;
	Conn *other = idle(engine, box);
	if (other)
		return other;
	/* With a connection of its own a second reader or a second mailbox need not wait. */
	if (engine->conns->len < allowed(engine) && !connecting(engine) && first_ready(engine))
		pool_connect(engine);
	if (!conn && box_is_urgent(box) && !connecting(engine))
		reserve(engine, box);
	return conn;
}

Conn *pool_any(Engine *engine)
{
	Conn *conn = idle(engine, NULL);
	return conn ? conn : first_ready(engine);
}

static void examined(const ImapStatus *status, const GError *error, gpointer data)
{
	Conn *conn = data;
	Box *box = conn->box;
	if (!error) {
		box_selected(box, conn);
		engine_pump(conn->engine);
		return;
	}
	conn->box = NULL;
	/* The connection is gone: other news follow. Otherwise the mailbox itself is refused. */
	if (status)
		box_refused(box, error);
	engine_pump(conn->engine);
}

void conn_select(Conn *conn, Box *box)
{
	conn->used_us = g_get_monotonic_time();
	for (guint i = 0; i < conn->engine->conns->len; i++) {
		Conn *other = g_ptr_array_index(conn->engine->conns, i);
		if (other->reserved == box)
			other->reserved = NULL;
	}
	if (conn_has(conn, box))
		return;
	conn->box = box;
	conn->doubtful = false;
	conn->refusals = 0;
	conn->gen = 0;
	session_examine(conn->session, box->name, examined, conn);
}

void conn_answered(Conn *conn, const GError *error)
{
	conn->refusals = error ? conn->refusals + 1 : 0;
	conn->doubtful = conn->refusals > 1 && !(conn->box && conn->box->unstable);
}

gint64 pool_progress_time(const Engine *engine)
{
	gint64 last = 0;
	for (guint i = 0; i < engine->conns->len; i++) {
		const Conn *conn = g_ptr_array_index(engine->conns, i);
		last = MAX(last, session_progress_time(conn->session));
	}
	return last;
}

/* ---- life ---- */

static void conn_free(gpointer data)
{
	Conn *conn = data;
	session_free(conn->session);
	store_sink_free(conn->sink);
	g_free(conn);
}

/* Freed from the main loop: the session's callbacks are still on the stack. */
static void drop_conn(Engine *engine, Conn *conn)
{
	g_ptr_array_remove(engine->conns, conn);
	g_ptr_array_add(engine->dead, conn);
	engine_pump(engine);
}

void pool_reap(Engine *engine)
{
	g_ptr_array_set_size(engine->dead, 0);
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->reserved && !box_has_work(conn->reserved))
			conn->reserved = NULL;
	}
}

static gboolean retry_now(gpointer data)
{
	Engine *engine = data;
	g_clear_pointer(&engine->retry, g_source_unref);
	pool_connect(engine);
	return G_SOURCE_REMOVE;
}

static void retry_in(Engine *engine, guint delay_ms)
{
	if (engine->retry)
		g_source_destroy(engine->retry);
	g_clear_pointer(&engine->retry, g_source_unref);
	engine->retry = g_timeout_source_new(delay_ms);
	g_source_set_callback(engine->retry, retry_now, engine, NULL);
	g_source_attach(engine->retry, engine->context);
}

/* Exponential with jitter, so that a thousand clients do not come back at once. */
static guint backoff_ms(guint attempts)
{
	guint64 delay = (guint64)BACKOFF_FIRST_MS << MIN(attempts - 1, 16);
	delay = MIN(delay, (guint64)BACKOFF_LAST_MS);
	return (guint)(delay / 2) + (guint)g_random_int_range(0, (gint32)(delay / 2) + 1);
}

/* Somebody asks for mail while the account is away: the next attempt comes soon, but the request
 * itself does not wait for it. */
void pool_demand(Engine *engine)
{
	gint64 now = g_get_monotonic_time();
	if (engine_state(engine) == ENGINE_REFUSED &&
		now - engine->refused_us > REFUSED_MS * 1000LL)
		pool_connect(engine);
	if (!engine->retry || engine_state(engine) != ENGINE_OFFLINE)
		return;
	gint64 due = g_source_get_ready_time(engine->retry);
	if (due > now + BACKOFF_WANTED_MS * 1000LL)
		retry_in(engine, BACKOFF_WANTED_MS);
}

/* Everything that waits ends with this error; new requests fail at once until it is back. */
static void go_offline(Engine *engine, EngineState state, const GError *error)
{
	/* A failed start is told by who started. */
	if (engine_state(engine) != state && !engine->starting)
		g_message("%s", error->message);
	engine_set_state(engine, state, error);
	g_autoptr(GError) reason = g_error_copy(error);
	if (state == ENGINE_OFFLINE && error->code != MAIL_ERROR_TIMEOUT && !engine->starting)
		reason->code = MAIL_ERROR_OFFLINE;
	waiters_finish_all(engine, reason);
	GHashTableIter iter;
	gpointer box;
	g_hash_table_iter_init(&iter, engine->boxes);
	while (g_hash_table_iter_next(&iter, NULL, &box))
		box_reset(box);
	list_reset(engine);
	engine->starting = false;
}

/* Lost, not known to be away: what waits may still be served in time. A server that hangs up soon
 * after each login is not logged in to again at once. */
static void reconnect(Engine *engine, const Conn *conn, const GError *error)
{
	bool lasted = g_get_monotonic_time() - conn->ready_us > LASTED_MS * 1000LL;
	engine->short_lives = lasted ? 0 : engine->short_lives + 1;
	engine_set_state(engine, ENGINE_CONNECTING, error);
	g_info("%s; reconnecting", error->message);
	if (engine->short_lives > 1)
		retry_in(engine, MIN(backoff_ms(engine->short_lives), BACKOFF_WANTED_MS));
	else if (engine->waiting.length > 0)
		pool_connect(engine);
}

static void lost_last(Engine *engine, const Conn *conn, bool was_ready, const GError *error)
{
	if (error->code == MAIL_ERROR_AUTH) {
		secret_refused(engine);
		go_offline(engine, ENGINE_REFUSED, error);
		engine->refused_us = g_get_monotonic_time();
		return;
	}
	if (was_ready && error->code != MAIL_ERROR_TIMEOUT) {
		reconnect(engine, conn, error);
		return;
	}
	engine->attempts++;
	go_offline(engine, ENGINE_OFFLINE, error);
	retry_in(engine, was_ready ? BACKOFF_FIRST_MS : backoff_ms(engine->attempts));
}

static void on_closed(const GError *error, gpointer data)
{
	Conn *conn = data;
	Engine *engine = conn->engine;
	bool was_ready = conn->ready;
	conn->ready = false;
	status_conn_over(engine, conn);
	body_end(conn);
	list_conn_closed(conn);
	drop_conn(engine, conn);
	if (engine->stopping || !error) {
		if (engine->stopping && engine->conns->len == 0)
			g_main_loop_quit(engine->loop);
		return;
	}
	if (!first_ready(engine)) {
		lost_last(engine, conn, was_ready, error);
	} else if (!was_ready) {
		/* "Too many connections" and the like: live with those that are there. */
		engine->max_conns = engine->conns->len;
		engine->limited_us = g_get_monotonic_time();
		g_info("%s; going on with %u connections", error->message, engine->max_conns);
	}
	engine_pump(engine);
}

static void on_ready(gpointer data)
{
	Conn *conn = data;
	Engine *engine = conn->engine;
	bool first = !first_ready(engine);
	conn->ready = true;
	conn->ready_us = conn->used_us = g_get_monotonic_time();
	secret_taken(engine);
	engine->totals.logins++;
	if (first) {
		bool back = engine_state(engine) != ENGINE_CONNECTING;
		engine->attempts = 0;
		engine->starting = false;
		g_atomic_int_set(&engine->met, 1);
		engine_set_state(engine, ENGINE_ONLINE, NULL);
		if (back)
			g_message("%s is back", engine->config.session.host);
		engine_describe_from(engine, conn->session);
		list_refresh(engine);
	}
	engine_pump(engine);
}

static void on_fetch(Conn *conn, const ImapFetch *fetch)
{
	guint32 uid =
		fetch->has & IMAP_FETCH_UID ? fetch->uid : session_uid(conn->session, fetch->seq);
	if (uid == 0 || conn->gen == 0)
		return;
	attribute_note(conn, uid, fetch);
	body_note(conn, uid, fetch);
}

static void on_response(const ImapResponse *response, gpointer data)
{
	Conn *conn = data;
	switch (response->kind) {
	case IMAP_RESPONSE_LIST:
		list_note(conn->engine, conn, &response->list);
		break;
	case IMAP_RESPONSE_SEARCH:
		sync_note_search(conn, &response->search);
		break;
	case IMAP_RESPONSE_EXISTS:
		sync_note_exists(conn);
		break;
	case IMAP_RESPONSE_FETCH:
		on_fetch(conn, &response->fetch);
		break;
	default:
		break;
	}
	body_end(conn);
}

static bool on_body_begin(const ImapBodyStart *start, gpointer data)
{
	return body_begin(data, start);
}

static bool on_body_bytes(const void *bytes, gsize len, gpointer data)
{
	body_bytes(data, bytes, len);
	return true;
}

static void on_expunged(const ImapSet *uids, gpointer data)
{
	sync_note_expunged(data, uids);
}

static const SessionEvents session_events = {
	.ready = on_ready,
	.response = on_response,
	.body_begin = on_body_begin,
	.body_bytes = on_body_bytes,
	.expunged = on_expunged,
	.closed = on_closed,
};

void pool_connect(Engine *engine)
{
	if (engine->stopping || connecting(engine))
		return;
	if (engine->retry) {
		g_source_destroy(engine->retry);
		g_clear_pointer(&engine->retry, g_source_unref);
	}
	engine->totals.attempts++;
	Conn *conn = g_new0(Conn, 1);
	conn->engine = engine;
	g_ptr_array_add(engine->conns, conn);
	SessionConfig config = engine->config.session;
	config.secret = secret_ask;
	config.secret_data = engine;
	conn->session = session_open(engine->context, &config, &session_events, conn);
}

/* Logs out what can be asked to; on_closed() ends the loop after the last. */
void pool_stop(Engine *engine)
{
	if (engine->retry) {
		g_source_destroy(engine->retry);
		g_clear_pointer(&engine->retry, g_source_unref);
	}
	g_autoptr(GPtrArray) all = g_ptr_array_copy(engine->conns, NULL, NULL);
	for (guint i = 0; i < all->len; i++)
		session_logout(((Conn *)g_ptr_array_index(all, i))->session);
	if (engine->conns->len == 0)
		g_main_loop_quit(engine->loop);
}

void pool_init(Engine *engine)
{
	engine->conns = g_ptr_array_new();
	engine->dead = g_ptr_array_new_with_free_func(conn_free);
	engine->max_conns = engine->config.connections;
}

/* After the loop: what did not answer LOGOUT is closed. The commands that are left end with it,
 * since only their completions free what belongs to them. */
void pool_stop_now(Engine *engine)
{
	g_autoptr(GError) error =
		g_error_new_literal(MAIL_ERROR, MAIL_ERROR_CANCELLED, "the mount ends");
	while (engine->conns->len > 0)
		session_close(((Conn *)g_ptr_array_index(engine->conns, 0))->session, error);
	pool_reap(engine);
}

void pool_free(Engine *engine)
{
	g_ptr_array_unref(engine->conns);
	g_ptr_array_unref(engine->dead);
}
