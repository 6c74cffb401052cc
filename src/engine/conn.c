/* The life of a connection: how it begins, what is heard on it, how it ends, and when the next one
 * is tried. */
#include "engine/private.h"

enum {
	BACKOFF_FIRST_MS = 500,
	BACKOFF_WANTED_MS = 4 * 1000, /* while somebody asks for mail, and at first */
	BACKOFF_LAST_MS = 60 * 1000,
	AWAY_LONG_MS = 10 * 60 * 1000, /* a server that restarts is back by then */
	LOOK_LEAST_MS = 1000, /* between two questions for another password, if it was changed */
	LOOK_FIRST_MS = 30 * 1000, /* and if nobody knows: doubled each time */
	LOOK_LAST_MS = 10 * 60 * 1000,
	LASTED_MS = 10 * 1000, /* a connection that lived so long was a good one */
};

static void conn_free(gpointer data)
{
	Conn *conn = data;
	session_free(conn->session);
	g_ptr_array_unref(conn->arriving);
	imap_set_free(conn->resync.uids);
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
static guint backoff_ms(guint attempts, gint64 away_us)
{
	guint64 delay = (guint64)BACKOFF_FIRST_MS << MIN(attempts - 1, 16);
	guint64 most = away_us < AWAY_LONG_MS * 1000LL ? BACKOFF_WANTED_MS : BACKOFF_LAST_MS;
	delay = MIN(delay, most);
	return (guint)(delay / 2) + (guint)g_random_int_range(0, (gint32)(delay / 2) + 1);
}

/* Not while the server wants a pause. */
static guint after_pause_ms(const Engine *engine, guint delay_ms)
{
	gint64 left_us = engine->paused_us - g_get_monotonic_time();
	return left_us > 0 ? MAX(delay_ms, (guint)(left_us / 1000) + 1) : delay_ms;
}

/* Somebody asks for mail while the account is away: the next attempt comes soon, but the request
 * itself does not wait for it. */
void pool_demand(Engine *engine)
{
	gint64 now = g_get_monotonic_time();
	if (engine_state(engine) == ENGINE_REFUSED) {
		if (now - engine->refused_us > LOOK_FIRST_MS * 1000LL)
			pool_connect(engine);
		return;
	}
	if (!engine->retry)
		return;
	gint64 due = g_source_get_ready_time(engine->retry);
	guint delay_ms = after_pause_ms(engine, BACKOFF_WANTED_MS);
	if (due > now + delay_ms * 1000LL)
		retry_in(engine, delay_ms);
}

void pool_look(Engine *engine)
{
	const EngineConfig *config = &engine->config;
	gint64 since_us = g_get_monotonic_time() - engine->refused_us;
	if (engine_state(engine) == ENGINE_REFUSED && config->secret_changed &&
		since_us > LOOK_LEAST_MS * 1000LL && !pool_connecting(engine) &&
		config->secret_changed(config->session.secret_data))
		pool_connect(engine);
}

/* A look may disturb somebody whom the password command asks, and costs a connection. */
static guint look_ms(guint looks)
{
	return MIN((guint)LOOK_FIRST_MS << MIN(looks, 8), LOOK_LAST_MS);
}

void pool_resume(Engine *engine)
{
	engine->away_us = g_get_monotonic_time();
	engine->attempts = MIN(engine->attempts, 1);
	if (engine->retry)
		retry_in(engine, 0);
}

/* Requests end with this error, and what was to be done for them is forgotten. */
static void end_requests(Engine *engine, const GError *error)
{
	waiters_finish_all(engine, error);
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));)
		box_reset(box);
}

/* Everything that waits ends with this error; new requests fail at once until it is back. */
static void go_offline(Engine *engine, EngineState state, const GError *error)
{
	/* A failed start is told by who started. */
	if (engine_state(engine) != state && !engine->starter)
		g_message("%s", error->message);
	engine_set_state(engine, state, error);
	g_autoptr(GError) reason = g_error_copy(error);
	if (state == ENGINE_OFFLINE && error->code != MAIL_ERROR_TIMEOUT)
		reason->code = MAIL_ERROR_OFFLINE;
	/* Who started judges what it means; to all others the server is away. */
	if (engine->starter)
		waiters_finish(engine->list_waiters, error);
	engine->starter = NULL;
	end_requests(engine, reason);
	list_reset(engine);
}

static GError *overdue_error(const Engine *engine, const Conn *conn)
{
	const SessionConfig *config = &engine->config.session;
	if (conn && session_asks_secret(conn->session))
		return g_error_new_literal(MAIL_ERROR, MAIL_ERROR_TIMEOUT,
			"what is to give the password is still being waited for");
	return g_error_new(MAIL_ERROR, MAIL_ERROR_TIMEOUT, "no answer from %s for %u s",
		config->host, engine->config.timeout_ms / 1000);
}

/* Whether an attempt has taken longer than a request waits, or one waited so long for it. Who
 * started waits for its end alone: as long as nobody else asks the account is not away. */
static bool is_hopeless(Engine *engine, const Conn *conn, gint64 now_us)
{
	if (engine_state(engine) == ENGINE_CONNECTING && engine->expired_us >= now_us)
		return true;
	if (!conn || conn->overdue || (engine->starter && engine->waiting.length == 1))
		return false;
	return now_us - conn->begun_us >= engine->config.timeout_ms * 1000LL;
}

/* The attempt itself goes on: its end decides what is next. */
void pool_break(Engine *engine, gint64 now_us)
{
	EngineState state = engine_state(engine);
	Conn *conn = pool_attempt(engine);
	bool away = state == ENGINE_CONNECTING || state == ENGINE_OFFLINE;
	if (!away || !is_hopeless(engine, conn, now_us))
		return;
	if (conn)
		conn->overdue = true;
	g_autoptr(GError) error = overdue_error(engine, conn);
	if (state == ENGINE_CONNECTING && !engine->starter)
		g_message("%s", error->message);
	engine_set_state(engine, ENGINE_OFFLINE, error);
	end_requests(engine, error);
}

/* Lost, not known to be away: what waits may still be served in time. A server that hangs up soon
 * after each login is not logged in to again at once. */
static void reconnect(Engine *engine, const GError *error)
{
	engine_set_state(engine, ENGINE_CONNECTING, error);
	g_info("%s; reconnecting", error->message);
	bool wanted = engine->waiting.length > 0;
	guint delay_ms = 0;
	if (engine->short_lives > 1)
		delay_ms = backoff_ms(engine->short_lives, wanted ? 0 : AWAY_LONG_MS * 1000LL);
	delay_ms = after_pause_ms(engine, delay_ms);
	if (delay_ms > 0)
		retry_in(engine, delay_ms);
	else
		pool_connect(engine);
}

static void lost_last(Engine *engine, bool was_ready, const GError *error)
{
	if (error->code == MAIL_ERROR_AUTH) {
		secret_refused(engine);
		engine->refused_us = g_get_monotonic_time();
		retry_in(engine, look_ms(engine->looks++));
		go_offline(engine, ENGINE_REFUSED, error);
		return;
	}
	if (was_ready && error->code != MAIL_ERROR_TIMEOUT) {
		reconnect(engine, error);
		return;
	}
	gint64 now = g_get_monotonic_time();
	if (engine->attempts++ == 0)
		engine->away_us = now;
	go_offline(engine, ENGINE_OFFLINE, error);
	guint delay_ms =
		was_ready ? BACKOFF_FIRST_MS : backoff_ms(engine->attempts, now - engine->away_us);
	retry_in(engine, after_pause_ms(engine, delay_ms));
}

/* "Too many connections" and the like: live with those that are there. */
static void limit(Engine *engine, const GError *error)
{
	engine->max_conns = engine->conns->len;
	engine->limited_us = g_get_monotonic_time();
	/* Accounts get locked by clients that repeat a refused login: no other is tried beside the
	 * connections that are there. The secret may be right all the same, so it is not forgotten
	 * for when they are gone. */
	engine->further_refused = error->code == MAIL_ERROR_AUTH && secret_was_tried(engine);
	if (error->code == MAIL_ERROR_AUTH)
		g_message("%s; going on with %u connections", error->message, engine->max_conns);
	else
		g_info("%s; going on with %u connections", error->message, engine->max_conns);
}

static void note_life(Engine *engine, const Conn *conn)
{
	bool lasted = g_get_monotonic_time() - conn->ready_us > LASTED_MS * 1000LL;
	engine->short_lives = lasted ? 0 : engine->short_lives + 1;
}

/* What it means for the account that a connection broke. */
static void go_on_without(Engine *engine, bool was_ready, const GError *error)
{
	enum { SHORT_LIVES = 2 };
	if (!pool_first_ready(engine))
		lost_last(engine, was_ready, error);
	/* A server that hangs up after each further login is not logged in to again and again. */
	else if (!was_ready || engine->short_lives >= SHORT_LIVES)
		limit(engine, error);
}

static void on_closed(const GError *error, gpointer data)
{
	Conn *conn = data;
	Engine *engine = conn->engine;
	bool was_ready = conn->ready;
	conn->ready = false;
	/* A request that got on does not fail because the connection went then. A login alone is
	 * no progress: a server that hangs up after each would keep all waiting. */
	if (conn->box)
		engine->progress_us =
			MAX(engine->progress_us, session_progress_time(conn->session));
	if (was_ready) {
		push_closed(conn, error);
		note_life(engine, conn);
	}
	status_conn_over(engine, conn);
	body_end(conn);
	change_conn_closed(conn);
	drop_conn(engine, conn);
	/* A further one that did not get in is no fault of those that are there: limit(). */
	if (session_take_throttled(conn->session) && (was_ready || !pool_first_ready(engine)))
		pool_slow_down(engine, engine->conns->len);
	if (engine->stopping && engine->conns->len == 0)
		g_main_loop_quit(engine->loop);
	if (!engine->stopping && error)
		go_on_without(engine, was_ready, error);
}

static void on_ready(gpointer data)
{
	Conn *conn = data;
	Engine *engine = conn->engine;
	bool first = !pool_first_ready(engine);
	conn->ready = true;
	conn->ready_us = conn->used_us = g_get_monotonic_time();
	engine->further_refused = false;
	secret_taken(engine);
	engine->totals.logins++;
	if (first) {
		bool back = engine_state(engine) != ENGINE_CONNECTING;
		engine->attempts = engine->looks = 0;
		engine->starter = NULL;
		g_atomic_int_set(&engine->met, 1);
		engine_set_state(engine, ENGINE_ONLINE, NULL);
		if (back)
			g_message("%s is back", engine->config.session.host);
		engine_describe_from(engine, conn->session);
		list_refresh(engine, false);
		quota_ready(conn);
	}
	push_ready(conn);
	engine_pump(engine);
}

/* Whether the UID stands for another message than before although UIDVALIDITY is the same: Dovecot
 * does that to a Maildir that is deleted and made again while a session has it selected, which then
 * brings the old UIDVALIDITY back. INTERNALDATE is the message's for ever (RFC 9051 2.3.3); sizes
 * are not to be relied on. */
static bool is_another(const Conn *conn, guint32 uid, const ImapFetch *fetch)
{
	StoreMessage known;
	return fetch->has & IMAP_FETCH_INTERNALDATE && fetch->internaldate > 0 &&
	       store_peek_message(conn->engine->store, conn->gen, uid, &known) && known.known &&
	       known.date > 0 && known.date != MIN(fetch->internaldate, (gint64)G_MAXUINT32);
}

static void on_fetch(Conn *conn, const ImapFetch *fetch)
{
	guint32 uid =
		fetch->has & IMAP_FETCH_UID ? fetch->uid : session_uid(conn->session, fetch->seq);
	if (conn->gen == 0)
		return;
	/* Behind what the map names are messages of which nothing is known yet. */
	if (uid == 0 && fetch->has & IMAP_FETCH_FLAGS && !session_map(conn->session))
		resync_missed(conn);
	if (uid == 0)
		return;
	if (is_another(conn, uid, fetch) && box_renew(conn->box))
		return;
	look_note(conn, uid, fetch);
	attribute_note(conn, uid, fetch);
	body_note(conn, uid, fetch);
	sizes_note(conn, uid, fetch);
}

static void on_response(const ImapResponse *response, gpointer data)
{
	Conn *conn = data;
	switch (response->kind) {
	case IMAP_RESPONSE_LIST:
		if (!folder_note_list(conn, &response->list)) {
			list_note(conn->engine, conn, &response->list);
			push_note_list(conn);
		}
		break;
	case IMAP_RESPONSE_MAILBOX_STATUS:
		if (!change_note_mailbox_status(conn, &response->mailbox_status) &&
			!folder_note_status(conn, &response->mailbox_status))
			push_note_status(conn, &response->mailbox_status);
		break;
	case IMAP_RESPONSE_STATUS:
		push_note_code(conn, response->status.code);
		change_note_uids(conn, &response->status);
		break;
	case IMAP_RESPONSE_SEARCH:
		if (response->search.mailbox.data)
			multisearch_note(conn, &response->search);
		else
			question_note(conn, &response->search);
		break;
	case IMAP_RESPONSE_EXISTS:
		sync_note_exists(conn);
		break;
	case IMAP_RESPONSE_QUOTA:
		quota_note(conn->engine, &response->quota);
		break;
	case IMAP_RESPONSE_MYRIGHTS:
		rights_note(conn->engine, &response->rights);
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
	return look_body_begin(data, start) || body_begin(data, start);
}

static bool on_body_bytes(const void *bytes, gsize len, gpointer data)
{
	if (!look_body_bytes(data, bytes, len))
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
	if (engine->stopping || pool_connecting(engine))
		return;
	if (engine->retry) {
		g_source_destroy(engine->retry);
		g_clear_pointer(&engine->retry, g_source_unref);
	}
	engine->totals.attempts++;
	Conn *conn = g_new0(Conn, 1);
	conn->engine = engine;
	conn->begun_us = g_get_monotonic_time();
	conn->arriving = g_ptr_array_new_with_free_func(arriving_free);
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
