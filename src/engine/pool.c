/* The connections of the account: how many there may be, which one for what, and what is selected
 * on them. */
#include <string.h>

#include "engine/private.h"

enum {
	PAUSE_MS = 1000, /* doubled while the server goes on asking for less */
	PAUSES_MOST = 5,
	LIMITED_MS = 5 * 60 * 1000,
	/* A connection with more on its way is no place for a waiting reader. */
	BUSY_BYTES = 512 << 10,
};

/* One that was told to log out takes no more commands. */
static bool is_usable(const Conn *conn)
{
	return conn->ready && session_is_ready(conn->session);
}

Conn *pool_first_ready(const Engine *engine)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (is_usable(conn))
			return conn;
	}
	return NULL;
}

Conn *pool_attempt(const Engine *engine)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (!conn->ready)
			return conn;
	}
	return NULL;
}

bool pool_connecting(const Engine *engine)
{
	return pool_attempt(engine) != NULL;
}

/* Whether the mailbox is selected there, or about to be, in its present generation: another
 * connection may have been told of a new UIDVALIDITY since. */
static bool conn_has(const Conn *conn, const Box *box)
{
	return conn->box == box && !conn->doubtful && !conn->renamed &&
	       (conn->writable || !box->writable) &&
	       (conn->gen == 0 || conn->gen == store_gen(conn->engine->store, box->id));
}

/* What is sent behind a message that is uploaded waits for all of it. */
static bool is_uploading(const Conn *conn)
{
	return conn->upload_bytes > BUSY_BYTES;
}

/* A search that reads the bodies of a large mailbox takes minutes, in which the server does nothing
 * else there. */
static bool is_searching(const Conn *conn)
{
	enum { LONG_US = G_USEC_PER_SEC };
	return conn->search && g_get_monotonic_time() - conn->search_us >= LONG_US;
}

/* What is sent there would wait for too long. */
static bool is_held_up(const Conn *conn)
{
	return is_uploading(conn) || is_searching(conn);
}

static guint64 load(const Conn *conn)
{
	return conn->bytes_flying + conn->upload_bytes;
}

static bool is_better(const Conn *conn, const Conn *other)
{
	if (is_searching(conn) != is_searching(other))
		return is_searching(other);
	return load(conn) < load(other);
}

/* The connection with this mailbox selected that has the least on its way. */
static Conn *selected_on(const Engine *engine, const Box *box)
{
	Conn *best = NULL;
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (is_usable(conn) && conn_has(conn, box) &&
			(!conn->reserved || conn->reserved == box) &&
			(!best || is_better(conn, best)))
			best = conn;
	}
	return best;
}

bool pool_hears(const Engine *engine, const Box *box)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		const Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready && conn->gen != 0 && conn_has(conn, box))
			return true;
	}
	return false;
}

bool pool_has(const Engine *engine, const Box *box)
{
	return selected_on(engine, box) != NULL;
}

/* Whether some connection works for the mailbox, be it reserved for the next one. */
static bool is_served(const Engine *engine, const Box *box)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		const Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready && conn_has(conn, box))
			return true;
	}
	return false;
}

/* Whether the connection may change to this mailbox now. */
static bool is_free_for(const Conn *conn, const Box *box)
{
	if (!is_usable(conn))
		return false;
	if (!conn->box)
		return !is_held_up(conn);
	if (session_pending(conn->session) > 0 || conn->batches > 0)
		return false;
	if (conn->box == box)
		return !conn->reserved || conn->reserved == box;
	return conn->reserved ? conn->reserved == box : !box_has_work(conn->box);
}

/* How much is lost when it leaves its mailbox. */
static int worth(const Conn *conn)
{
	if (!conn->box)
		return 0;
	return push_keeps(conn->box) ? 2 : 1;
}

/* Of those that may, the one that has done nothing for a mailbox the longest. */
static Conn *idle(const Engine *engine, const Box *box)
{
	Conn *best = NULL;
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (!is_free_for(conn, box))
			continue;
		if (!best || worth(conn) < worth(best) ||
			(worth(conn) == worth(best) && conn->used_us < best->used_us))
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

/* One that nobody needs now. */
static Conn *surplus(const Engine *engine)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready && conn->notify == NOTIFY_OFF && worth(conn) < 2 &&
			!conn->reserved && session_pending(conn->session) == 0)
			return conn;
	}
	return NULL;
}

void pool_slow_down(Engine *engine, guint conns)
{
	gint64 now = g_get_monotonic_time();
	bool again = engine->paused_us != 0 && now - engine->paused_us < LIMITED_MS * 1000LL;
	engine->pauses = again ? MIN(engine->pauses + 1, PAUSES_MOST) : 0;
	engine->max_conns = MAX(1, conns);
	engine->limited_us = now;
	engine->paused_us = now + ((gint64)PAUSE_MS << engine->pauses) * 1000;
	g_info("%s asks for less; going on with %u connections after a pause",
		engine->config.session.host, engine->max_conns);
	Conn *conn = engine->conns->len > engine->max_conns ? surplus(engine) : NULL;
	if (conn)
		session_logout(conn->session);
}

bool pool_paused(Engine *engine)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (session_take_throttled(conn->session))
			pool_slow_down(engine, engine->conns->len - 1);
	}
	return g_get_monotonic_time() < engine->paused_us;
}

/* How many connections there may be: fewer for a while after the server refused one. */
static guint allowed(Engine *engine)
{
	bool over = g_get_monotonic_time() - engine->limited_us > LIMITED_MS * 1000LL;
	if (over && !engine->further_refused)
		engine->max_conns = engine->config.connections;
	return engine->max_conns;
}

Conn *pool_conn(Engine *engine, Box *box)
{
	Conn *conn = selected_on(engine, box);
	bool held_up = conn && is_held_up(conn);
	bool crowded =
		held_up || (conn && conn->bytes_flying > BUSY_BYTES && box->urgent.length > 0);
	box->lone = box->lone && is_served(engine, box);
	if (conn && (!crowded || box->unstable || box->lone))
		return conn;
	if (box->lone)
		return NULL;
	Conn *other = idle(engine, box);
	if (other)
		return other;
	/* With a connection of its own a second reader or a second mailbox need not wait. */
	if (engine->conns->len < allowed(engine) && !pool_connecting(engine) &&
		pool_first_ready(engine))
		pool_connect(engine);
	if (!conn && box_is_urgent(box) && !pool_connecting(engine))
		reserve(engine, box);
	return held_up && pool_connecting(engine) ? NULL : conn;
}

bool pool_spare(Engine *engine, const Box *box)
{
	const Conn *conn = idle(engine, box);
	if (conn && worth(conn) < 2)
		return true;
	if (engine->conns->len < allowed(engine) && !pool_connecting(engine))
		pool_connect(engine);
	return false;
}

Conn *pool_other(const Engine *engine, const Box *box)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (is_usable(conn) && conn->box != box)
			return conn;
	}
	return NULL;
}

static Conn *least_busy(const Engine *engine)
{
	Conn *best = NULL;
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (is_usable(conn) &&
			(!best || session_pending(conn->session) < session_pending(best->session)))
			best = conn;
	}
	return best;
}

Conn *pool_for_upload(Engine *engine)
{
	Conn *conn = idle(engine, NULL);
	if (conn)
		return conn;
	if (engine->conns->len < allowed(engine) && !pool_connecting(engine))
		pool_connect(engine);
	return pool_connecting(engine) ? NULL : least_busy(engine);
}

Conn *pool_any(Engine *engine)
{
	Conn *conn = idle(engine, NULL);
	return conn ? conn : pool_first_ready(engine);
}

/* Whether the server lost its way on this connection, as Dovecot does when a mailbox that it had
 * open is deleted and made again, or the index of its mailbox list is: it says that there is no
 * such mailbox, for ever, and goes on listing it. A connection made since the first refusal may
 * know better; what that refuses, too, is refused until mailboxes come or go. Where they do so all
 * the time the account is not reconnected for each. */
static bool is_lost(const Conn *conn, const Box *box, const ImapStatus *status)
{
	gint64 since_us = g_get_monotonic_time() - box->left_us;
	if (!conn->selected_once ||
		(box->left_us != 0 && since_us < list_interval_us(conn->engine)))
		return false;
	return status->code == IMAP_CODE_SERVERBUG ||
	       (box->refused_us != 0 && conn->ready_us < box->refused_us &&
		       conn->engine->listed_us > box->refused_us);
}

static void leave_lost(Conn *conn, Box *box)
{
	box->left_us = g_get_monotonic_time();
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_UNAVAILABLE,
		"%s lists %s and refuses to select it", conn->engine->config.session.host,
		box->name);
	session_close(conn->session, error);
}

/* The connection is gone: other news follow. Or another one serves the mailbox well, and it is this
 * further one that is refused ([INUSE], [LIMIT]): what was sent behind the EXAMINE goes there.
 * Otherwise the mailbox itself is refused, or the connection is no good. */
static void refuse(Conn *conn, Box *box, const ImapStatus *status, const GError *error)
{
	if (!status)
		return;
	if (resync_refused(conn, box, status))
		box_try_again(box);
	else if (is_lost(conn, box, status))
		leave_lost(conn, box);
	else if (is_served(conn->engine, box))
		box->lone = true;
	else
		box_refused(box, error);
}

static void examined(const ImapStatus *status, const GError *error, gpointer data)
{
	Conn *conn = data;
	Box *box = conn->box;
	conn->selecting = conn->leaving = false;
	if (!error) {
		box_selected(box, conn);
		conn->selected_once = true;
	} else {
		conn->box = NULL;
		refuse(conn, box, status, error);
	}
	sync_examined(conn, error);
	engine_pump(conn->engine);
}

void pool_doubt(Engine *engine, const Box *box)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		conn->renamed |= !box || conn->box == box;
	}
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
	conn->doubtful = conn->renamed = false;
	conn->refusals = 0;
	conn->gen = 0;
	conn->noticed_uid = 0;
	conn->selecting = true;
	conn->writable = box->writable;
	resync_select(conn, box, examined);
	rights_ask(conn, box);
}

static void unselected(const ImapStatus *status, const GError *error, gpointer data)
{
	Conn *conn = data;
	conn->leaving = false;
	engine_pump(conn->engine);
}

/* INBOX, or any other that may be selected. */
static Box *elsewhere(Engine *engine)
{
	MailboxId other = 0;
	g_autoptr(GArray) all = store_mailboxes(engine->store);
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(all, StoreMailbox, i);
		bool inbox = strcmp(mailbox->name, "INBOX") == 0;
		if (mailbox->attributes & IMAP_LIST_NOSELECT ||
			folder_closes(engine, mailbox->name))
			continue;
		other = inbox || other == 0 ? mailbox->id : other;
	}
	return other != 0 ? box_get(engine, other) : NULL;
}

bool conn_leave(Conn *conn)
{
	bool unselect = session_caps(conn->session) &
			(IMAP_CAP_BIT(IMAP_CAP_UNSELECT) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
	Box *other = unselect ? NULL : elsewhere(conn->engine);
	if (!unselect && !other)
		return false;
	conn->leaving = true;
	if (other) {
		conn_select(conn, other);
		return true;
	}
	conn->box = NULL;
	conn->gen = 0;
	session_submit(
		conn->session, SESSION_SELECT, imap_command_new("UNSELECT"), unselected, conn);
	return true;
}

void conn_answered(Conn *conn, const GError *error)
{
	conn->refusals = error ? conn->refusals + 1 : 0;
	conn->doubtful = conn->refusals > 1 && !(conn->box && conn->box->unstable);
}

/* That an attempt gets on answers nobody yet. */
gint64 pool_progress_time(const Engine *engine)
{
	gint64 last = engine->progress_us;
	for (guint i = 0; i < engine->conns->len; i++) {
		const Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready)
			last = MAX(last, session_progress_time(conn->session));
	}
	return last;
}
