/* Freshness: how each mailbox that somebody looked at is kept right. IDLE (RFC 2177) tells what
 * happens to the mailboxes that are selected, NOTIFY (RFC 5465) to all. Servers lose some of it, so
 * that all are compared as often as `poll` says, by STATUS where they are not selected. */
#include <string.h>

#include "engine/private.h"

enum {
	ROUND_S = 5 * 60, /* a NOOP renews IDLE (before 29 minutes) and proves it alive */
	PROBE_MS = 3 * 1000, /* to answer after a jump of the clock */
	LEAST_POLL_S = 5, /* below it nothing is asked for, only forgotten */
	LISTED_LAST = 10, /* polls for which STATUS is believed where it cannot tell of flags */
	STATUS_MOST = 16, /* mailboxes asked for one by one */
	STATUS_FEW = 3, /* more than these are asked for with one LIST */
	NEVER_CAME = 2, /* connections in a row lost with IDLE or NOTIFY unanswered */
};

#define STATUS_ITEMS "MESSAGES UIDNEXT UIDVALIDITY"

static guint64 caps_of(const Conn *conn)
{
	return session_caps(conn->session);
}

static gint64 poll_us(const Engine *engine)
{
	return engine->config.poll_s * G_USEC_PER_SEC;
}

/* ---- what is covered ---- */

static const Conn *notifying(const Engine *engine)
{
	for (guint i = 0; i < engine->conns->len; i++) {
		const Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready && conn->notify == NOTIFY_ON)
			return conn;
	}
	return NULL;
}

/* Whether the mailbox is selected where IDLE tells what happens to it, and was listed since: only
 * then every sequence number can be read, and what changed before was asked for. */
static bool idle_covers(const Box *box)
{
	const Engine *engine = box->engine;
	Gen gen = store_gen(engine->store, box->id);
	for (guint i = 0; i < engine->conns->len; i++) {
		const Conn *conn = g_ptr_array_index(engine->conns, i);
		if (conn->ready && conn->box == box && conn->gen == gen && gen != 0 &&
			!conn->doubtful && !conn->renamed && session_has_map(conn->session) &&
			conn->resync.result == RESYNC_ALL && !box->flags_due &&
			session_idle_state(conn->session) == SESSION_IDLE_WORKS)
			return true;
	}
	return false;
}

/* NOTIFY makes news come soon, but what it does not tell of is compared all the same: Dovecot loses
 * the event when a mailbox is renamed, or made anew, at the wrong moment. */
static bool covers(const Box *box)
{
	Gen gen = store_gen(box->engine->store, box->id);
	return gen && store_names_time(box->engine->store, gen) != 0 && idle_covers(box);
}

static void publish_covered(Engine *engine, ImapSet *covered)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	imap_set_free(engine->covered);
	engine->covered = covered;
}

/* A mailbox that is covered no more was right until now. */
static void update(Engine *engine)
{
	ImapSet *covered = imap_set_new();
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		bool now = covers(box);
		Gen gen = store_gen(engine->store, box->id);
		if (box->covered && !now && gen && store_names_time(engine->store, gen) != 0)
			store_names_confirm(engine->store, gen, true);
		box->covered = now;
		if (now)
			imap_set_add(covered, box->id, box->id);
	}
	publish_covered(engine, covered);
	g_atomic_int_set(&engine->notified, notifying(engine) != NULL);
}

void push_listed(Box *box)
{
	Engine *engine = box->engine;
	if (!covers(box))
		return;
	box->covered = true;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	imap_set_add(engine->covered, box->id, box->id);
}

bool engine_covers(Engine *engine, MailboxId mailbox)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	return imap_set_contains(engine->covered, mailbox);
}

bool engine_tells(Engine *engine, MailboxId mailbox)
{
	return g_atomic_int_get(&engine->notified) || engine_covers(engine, mailbox);
}

bool push_trusts(Engine *engine, MailboxId mailbox)
{
	Gen gen = store_gen(engine->store, mailbox);
	gint64 right = gen ? store_names_time(engine->store, gen) : 0;
	if (right == 0)
		return false;
	return g_get_monotonic_time() - right < poll_us(engine) || engine_covers(engine, mailbox);
}

/* It was asked for right after the login, so that it is hardly the network. Nothing else tells:
 * Dovecot keeps back what it answered to the commands before. */
static bool is_deaf_to_notify(const Conn *conn)
{
	return conn->notify == NOTIFY_ASKED && conn->notify_at_login;
}

static void give_notify_up(Engine *engine)
{
	engine->notify_refused |= ++engine->notify_failures >= NEVER_CAME;
	if (engine->notify_refused)
		g_info("%s does not answer NOTIFY; it is done without",
			engine->config.session.host);
}

/* What it covered may have changed unseen: to be compared once there is a connection again. */
void push_closed(Conn *conn, const GError *error)
{
	Engine *engine = conn->engine;
	bool silent = error && error->code == MAIL_ERROR_TIMEOUT;
	if (silent && session_idle_state(conn->session) == SESSION_IDLE_FAILED)
		engine->idle_refused |= ++engine->idle_failures >= NEVER_CAME;
	if (silent && is_deaf_to_notify(conn))
		give_notify_up(engine);
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		bool told = box->covered || box == conn->box || conn->notify == NOTIFY_ON;
		if (!told || covers(box))
			continue;
		box->covered = false;
		store_names_confirm(engine->store, store_gen(engine->store, box->id), false);
	}
	update(engine);
}

/* ---- NOTIFY ---- */

static void notify_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Conn *conn = data;
	if (!status)
		return;
	conn->notify = error ? NOTIFY_OFF : NOTIFY_ON;
	conn->engine->notify_refused |= error != NULL;
	conn->engine->notify_failures = 0;
}

/* One connection hears of all mailboxes; when it is gone another one does. On the selected mailbox
 * EXPUNGE comes when it may (selected-delayed), in IDLE at once. */
static void ask_notify(Conn *conn)
{
	Engine *engine = conn->engine;
	if (!(caps_of(conn) & IMAP_CAP_BIT(IMAP_CAP_NOTIFY)) || engine->notify_refused)
		return;
	for (guint i = 0; i < engine->conns->len; i++)
		if (((Conn *)g_ptr_array_index(engine->conns, i))->notify != NOTIFY_OFF)
			return;
	conn->notify = NOTIFY_ASKED;
	ImapCommand *line = imap_command_new("NOTIFY SET");
	imap_command_raw(line, "(selected-delayed (MessageNew (UID FLAGS) MessageExpunge"
			       " FlagChange))");
	imap_command_raw(line, "(personal (MessageNew MessageExpunge FlagChange MailboxName"
			       " SubscriptionChange))");
	session_submit(conn->session, SESSION_ANY, line, notify_done, conn);
}

void push_ready(Conn *conn)
{
	session_idle(conn->session, !conn->engine->idle_refused);
	ask_notify(conn);
	conn->notify_at_login = conn->notify == NOTIFY_ASKED;
}

/* RFC 5465 5.8: the server stopped telling, of what is selected too, so that IDLE is deaf there. A
 * new connection, which does without, hears; what may have been missed is compared. */
void push_note_code(Conn *conn, ImapCode code)
{
	if (code != IMAP_CODE_NOTIFICATIONOVERFLOW || conn->notify == NOTIFY_OFF)
		return;
	conn->engine->notify_refused = true;
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_UNAVAILABLE,
		"NOTIFY is too much for %s", conn->engine->config.session.host);
	session_close(conn->session, error);
}

/* RFC 5465 5.4: a LIST that nobody asked for is about a mailbox that came, went or was renamed. */
void push_note_list(Conn *conn)
{
	if (conn->notify == NOTIFY_ON && conn->engine->list_conn != conn) {
		conn->engine->list_due = true;
		engine_pump(conn->engine);
	}
}

/* ---- STATUS ---- */

Box *box_named(const Engine *engine, ImapBytes name)
{
	bool inbox = name.len == 5 && g_ascii_strncasecmp(name.data, "INBOX", 5) == 0;
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, (GHashTable *)engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		const char *other = box->name;
		if (inbox ? strcmp(other, "INBOX") == 0
			  : strlen(other) == name.len && memcmp(other, name.data, name.len) == 0)
			return box;
	}
	return NULL;
}

/* Whether the mailbox is as the store has it. */
static bool unchanged(const Box *box, const ImapMailboxStatus *status)
{
	enum { ENOUGH = IMAP_HAS_MESSAGES | IMAP_HAS_UIDNEXT };
	Store *store = box->engine->store;
	Gen gen = store_gen(store, box->id);
	StoreMark mark = store_mark(store, gen);
	g_autoptr(ImapSet) names = store_names(store, gen);
	if (!names || (status->has & ENOUGH) != ENOUGH || mark.uidnext == 0)
		return false;
	if (status->has & IMAP_HAS_UIDVALIDITY &&
		status->uidvalidity != store_gen_uidvalidity(store, gen))
		return false;
	if (status->has & IMAP_HAS_HIGHESTMODSEQ && status->highestmodseq != mark.highestmodseq)
		return false;
	return status->uidnext == mark.uidnext && status->messages == imap_set_count(names);
}

/* Without HIGHESTMODSEQ nobody hears of \Deleted: now and then only a listing will do. */
static bool listed_lately(const Box *box, const ImapMailboxStatus *status)
{
	gint64 last = (gint64)box->engine->config.poll_s * LISTED_LAST * G_USEC_PER_SEC;
	return status->has & IMAP_HAS_HIGHESTMODSEQ ||
	       g_get_monotonic_time() - box->listed_us < last;
}

/* The name is another mailbox's by now, whatever the connection says that has the old one selected:
 * Dovecot goes on in IDLE there as if nothing were. */
static bool is_made_anew(const Box *box, const ImapMailboxStatus *status)
{
	Store *store = box->engine->store;
	guint32 known = store_gen_uidvalidity(store, store_gen(store, box->id));
	return status->has & IMAP_HAS_UIDVALIDITY && known != 0 && status->uidvalidity != known;
}

/* What came in doubt since STATUS was asked for is not right by its answer. */
static void confirm(const Box *box)
{
	Store *store = box->engine->store;
	if (box->trusted)
		store_names_confirm(store, store_gen(store, box->id), true);
}

/* To be listed when somebody looks at it; at once if it changed, or where the next news must be
 * told although nobody does. */
static void doubt(Box *box, bool changed)
{
	if (box->trusted)
		sync_doubt(box, changed || push_keeps(box));
}

/* STATUS, asked for or told by NOTIFY. */
void push_note_status(Conn *conn, const ImapMailboxStatus *status)
{
	Box *box = box_named(conn->engine, status->name);
	if (!box)
		return;
	bool polled = box->polled;
	box->polled = false;
	if (status->has & IMAP_HAS_HIGHESTMODSEQ)
		box->told_modseq = status->highestmodseq;
	bool same = unchanged(box, status);
	if (is_made_anew(box, status)) {
		pool_doubt(conn->engine, box);
	} else if (idle_covers(box)) {
		/* Of what happens there it hears itself; a NOOP brings what is late. */
		if (polled && same)
			confirm(box);
		else if (polled)
			sync_renew(box);
		return;
	}
	if (same && (!polled || listed_lately(box, status)))
		confirm(box);
	else if (box->sync)
		/* Its answers may be from before. */
		box->renew = true;
	else
		doubt(box, !same);
}

/* Nothing was said of it. */
static void not_answered(Box *box)
{
	if (box->polled && idle_covers(box))
		sync_renew(box);
	else if (box->polled)
		doubt(box, false);
	box->polled = false;
}

/* LIST with STATUS need not have named all. */
void push_polled(Engine *engine)
{
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));)
		not_answered(box);
}

static void status_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Box *box = data;
	if (status)
		not_answered(box);
	box->polled = false;
}

char *push_status_items(const Conn *conn)
{
	bool modseq = caps_of(conn) & IMAP_CAPS_MODSEQ;
	return g_strdup_printf("(%s%s)", STATUS_ITEMS, modseq ? " HIGHESTMODSEQ" : "");
}

static void ask_status(Conn *conn, Box *box)
{
	g_autofree char *items = push_status_items(conn);
	ImapCommand *line = imap_command_new("STATUS");
	imap_command_mailbox(line, box->name, strlen(box->name));
	imap_command_raw(line, items);
	session_submit(conn->session, SESSION_ANY, line, status_done, box);
}

/* Whether what the kernel may show of it was right too long ago. */
static bool is_due(const Box *box, gint64 now_us)
{
	if (!box->trusted || box->renew || box->sync || box->polled)
		return false;
	gint64 least_us = box->covered ? LEAST_POLL_S * G_USEC_PER_SEC : 0;
	Gen gen = store_gen(box->engine->store, box->id);
	gint64 right = gen ? store_names_time(box->engine->store, gen) : 0;
	return right == 0 || now_us - right >= MAX(poll_us(box->engine), least_us);
}

/* What is soon due is asked for with what is due, so that one command does for all of them. */
static GPtrArray *due_soon(Engine *engine, gint64 now_us)
{
	GPtrArray *due = g_ptr_array_new();
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		if (!box->covered && !pool_has(engine, box) &&
			is_due(box, now_us + poll_us(engine) / 2))
			g_ptr_array_add(due, box);
	}
	return due;
}

static void poll_all(Engine *engine, gint64 now_us)
{
	Conn *conn = pool_any(engine);
	if (!conn)
		return;
	g_autoptr(GPtrArray) due = due_soon(engine, now_us);
	bool together = due->len > STATUS_FEW && !engine->list_conn && !folder_holds_list(engine) &&
			list_tells_status(engine, conn);
	for (guint i = 0; i < due->len; i++) {
		Box *box = g_ptr_array_index(due, i);
		if (!together && i >= STATUS_MOST) {
			doubt(box, false);
			continue;
		}
		box->polled = true;
		if (!together)
			ask_status(conn, box);
	}
	if (together)
		list_refresh(engine, true);
}

/* IDLE tells what happens to the mailbox that was selected, not that its name has become another
 * one's: Dovecot goes on as if nothing were, and answers STATUS for what it has selected. Another
 * connection knows; where there is none the mailbox is selected anew. */
static void verify(Box *box)
{
	Conn *other = pool_other(box->engine, box);
	if (other) {
		box->polled = true;
		ask_status(other, box);
		return;
	}
	Conn *conn = pool_any(box->engine);
	if (!conn || session_pending(conn->session) > 0)
		return;
	pool_doubt(box->engine, box);
	box->renew = true;
	sync_dispatch(box, conn);
}

static void age(Engine *engine, gint64 now_us)
{
	bool due = false;
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		if (!is_due(box, now_us))
			continue;
		if (box->covered)
			verify(box);
		else if (engine->config.poll_s < LEAST_POLL_S)
			sync_doubt(box, false);
		else if (pool_has(engine, box))
			/* A NOOP tells what came and went. */
			sync_renew(box);
		else
			due = true;
	}
	if (due)
		poll_all(engine, now_us);
}

/* ---- connections ---- */

static void noop_done(const ImapStatus *status, const GError *error, gpointer data)
{
	((Conn *)data)->probed_us = 0;
}

static void send_noop(Conn *conn)
{
	session_submit(conn->session, SESSION_ANY, imap_command_new("NOOP"), noop_done, conn);
}

static void go_round(Conn *conn, gint64 now_us)
{
	gint64 since = session_idle_time(conn->session);
	if (since == 0 && conn->notify == NOTIFY_ON && session_pending(conn->session) == 0)
		since = session_progress_time(conn->session);
	if (since != 0 && now_us - since >= ROUND_S * G_USEC_PER_SEC)
		send_noop(conn);
}

static void judge_idle(Conn *conn)
{
	Engine *engine = conn->engine;
	SessionIdle idle = session_idle_state(conn->session);
	if (idle == SESSION_IDLE_WORKS) {
		engine->idle_failures = 0;
		engine->idle_worked = true;
	}
	/* Once it worked a refusal is about this connection: Exchange has such that are "not
	 * connected" for any command. */
	if (idle != SESSION_IDLE_FAILED || engine->idle_refused || engine->idle_worked)
		return;
	engine->idle_refused = true;
	g_info("%s does not do IDLE; it is polled", engine->config.session.host);
	for (guint i = 0; i < engine->conns->len; i++)
		session_idle(((Conn *)g_ptr_array_index(engine->conns, i))->session, false);
}

/* It was sent a NOOP after a jump of the clock and says nothing: the machine slept, and whoever was
 * between it and the server forgot them. */
static bool is_dead(const Conn *conn, gint64 now_us)
{
	gint64 since = MAX(conn->probed_us, session_progress_time(conn->session));
	return conn->probed_us != 0 && now_us - since >= PROBE_MS * 1000LL;
}

static void watch_connections(Engine *engine, gint64 now_us)
{
	g_autoptr(GPtrArray) all = g_ptr_array_copy(engine->conns, NULL, NULL);
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_UNAVAILABLE,
		"no answer from %s after a jump of the clock", engine->config.session.host);
	for (guint i = 0; i < all->len; i++) {
		Conn *conn = g_ptr_array_index(all, i);
		if (!conn->ready)
			continue;
		judge_idle(conn);
		go_round(conn, now_us);
		if (is_dead(conn, now_us))
			session_close(conn->session, error);
	}
}

/* Nobody looked while the machine slept, however little time the clock counted. */
static void distrust_all(Engine *engine)
{
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		Gen gen = store_gen(engine->store, box->id);
		if (gen && !box->covered)
			store_names_confirm(engine->store, gen, false);
	}
}

void push_probe(Engine *engine)
{
	distrust_all(engine);
	for (guint i = 0; i < engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(engine->conns, i);
		if (!conn->ready || conn->probed_us != 0)
			continue;
		send_noop(conn);
		conn->probed_us = g_get_monotonic_time();
	}
}

/* ---- INBOX and the mailbox used last stay selected ---- */

static bool is_inbox(const Box *box)
{
	return strcmp(box->name, "INBOX") == 0;
}

bool push_keeps(const Box *box)
{
	return is_inbox(box) || box == box->engine->last_box;
}

bool push_failed(const Box *box)
{
	enum { FAILED_S = 60 };
	return box->failed_us != 0 &&
	       g_get_monotonic_time() - box->failed_us < FAILED_S * G_USEC_PER_SEC;
}

static Box *inbox_of(Engine *engine)
{
	if (engine->inbox_id == 0) {
		g_autoptr(GArray) all = store_mailboxes(engine->store);
		for (guint i = 0; i < all->len; i++) {
			const StoreMailbox *mailbox = &g_array_index(all, StoreMailbox, i);
			if (strcmp(mailbox->name, "INBOX") == 0)
				engine->inbox_id = mailbox->id;
		}
	}
	return engine->inbox_id ? box_get(engine, engine->inbox_id) : NULL;
}

static bool may_idle(Engine *engine)
{
	const Conn *conn = pool_any(engine);
	return conn && !engine->idle_refused &&
	       caps_of(conn) & (IMAP_CAP_BIT(IMAP_CAP_IDLE) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
}

/* A refused mailbox is not tried again by itself. */
static void keep(Engine *engine, Box *box)
{
	if (!box || box->refused_us != 0 || push_failed(box) || box->sync || box->renew ||
		pool_has(engine, box))
		return;
	if (pool_spare(engine, box))
		sync_renew(box);
}

/* Only when somebody looked at something. */
static void keep_selected(Engine *engine)
{
	Box *last = engine->last_box;
	if (!last || notifying(engine) || !may_idle(engine))
		return;
	keep(engine, last);
	keep(engine, inbox_of(engine));
}

void push_age(Engine *engine, gint64 now_us)
{
	update(engine);
	watch_connections(engine, now_us);
	if (engine_state(engine) != ENGINE_ONLINE || pool_paused(engine))
		return;
	Conn *conn = pool_any(engine);
	if (conn)
		ask_notify(conn);
	keep_selected(engine);
	age(engine, now_us);
	list_age(engine, now_us);
}
