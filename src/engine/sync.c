/* The sync verb: which messages a mailbox holds, right as of now. */
#include "engine/private.h"

enum { TRIES = 3 };

typedef enum {
	SYNC_CHECK, /* the map is whole: NOOP brings what changed */
	SYNC_SEARCH, /* UID SEARCH names everything */
	SYNC_AGAIN, /* refused, or the numbers do not add up: once more, in the oldest form */
} SyncStep;

typedef struct {
	Box *box;
	Conn *conn;
	SyncStep step;
	guint commands; /* under way */
	ImapSet *all, *deleted;
	GError *error; /* the first */
	bool lost; /* the connection cannot tell: it went away, or has another UIDVALIDITY */
} Sync;

/* A search under way and where its answer goes. */
typedef struct {
	Sync *sync;
	ImapSet **target;
	bool answered;
} Search;

static void advance(Sync *sync);

static void sync_free(Sync *sync)
{
	imap_set_free(sync->all);
	imap_set_free(sync->deleted);
	g_clear_error(&sync->error);
	g_free(sync);
}

static void end(Sync *sync, const GError *error)
{
	Box *box = sync->box;
	box->syncing = false;
	box->trusted = !error;
	if (error && mail_error_grade((MailError)error->code) == MAIL_GRADE_ACCOUNT)
		box->shown_stale = true;
	box->sync_tries = 0;
	waiters_finish(box->sync_waiters, error);
	box_pump(box);
	sync_free(sync);
}

static void command_done(Sync *sync, const ImapStatus *status, const GError *error)
{
	if (status)
		conn_answered(sync->conn, error);
	if (error && !sync->error) {
		sync->error = g_error_copy(error);
		sync->lost = !status;
	}
	if (--sync->commands == 0)
		advance(sync);
}

static void noop_done(const ImapStatus *status, const GError *error, gpointer data)
{
	command_done(data, status, error);
}

static void search_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Search *search = data;
	g_queue_remove(&search->sync->conn->searches, search);
	command_done(search->sync, status, error);
	g_free(search);
}

static void send_search(Sync *sync, const char *key, ImapSet **target)
{
	imap_set_free(*target);
	*target = imap_set_new();
	bool extended = sync->step != SYNC_AGAIN &&
			session_caps(sync->conn->session) &
				(IMAP_CAP_BIT(IMAP_CAP_ESEARCH) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
	ImapCommand *line = imap_command_new("UID SEARCH");
	if (extended)
		imap_command_raw(line, "RETURN (ALL)");
	imap_command_raw(line, key);
	Search *search = g_new0(Search, 1);
	*search = (Search){.sync = sync, .target = target};
	g_queue_push_tail(&sync->conn->searches, search);
	sync->commands++;
	session_submit(sync->conn->session, SESSION_SELECTED, line, search_done, search);
}

static void send_noop(Sync *sync)
{
	sync->commands++;
	session_submit(
		sync->conn->session, SESSION_SELECTED, imap_command_new("NOOP"), noop_done, sync);
}

static void send_searches(Sync *sync, SyncStep step)
{
	sync->step = step;
	sync->box->dirty = false;
	/* One more than the commands: none of them can end the step before all are queued. */
	sync->commands = 1;
	if (step == SYNC_AGAIN)
		send_noop(sync);
	send_search(sync, "ALL", &sync->all);
	send_search(sync, "DELETED", &sync->deleted);
	command_done(sync, NULL, NULL);
}

static void publish(Sync *sync)
{
	Engine *engine = sync->box->engine;
	Gen gen = sync->conn->gen;
	g_autoptr(ImapSet) gone = NULL;
	g_autoptr(ImapSet) fresh = NULL;
	bool first = !store_names_known(engine->store, gen);
	store_set_names(engine->store, gen, sync->all, sync->deleted, &gone, &fresh);
	bool came = imap_set_count(fresh) > 0 && (!first || sync->box->trusted);
	if (imap_set_count(gone) > 0 || came)
		engine->events->names_changed(
			sync->box->id, gen, gone, first ? NULL : fresh, engine->data);
}

/* Whether the answer adds up with what the server said the mailbox holds. */
static bool plausible(const Sync *sync)
{
	const SessionMailbox *mailbox = session_selected(sync->conn->session);
	return mailbox && imap_set_count(sync->all) == mailbox->exists;
}

/* An empty answer for a mailbox that has messages is no reason to forget them all. */
static bool absurd(const Sync *sync)
{
	const SessionMailbox *mailbox = session_selected(sync->conn->session);
	return !mailbox || (imap_set_count(sync->all) == 0 && mailbox->exists > 0);
}

/* What this connection says is about messages that nobody can name any more when another one was
 * told of a new UIDVALIDITY meanwhile. */
static void check_generation(Sync *sync)
{
	Gen gen = sync->conn->gen;
	if (sync->error || (gen != 0 && gen == store_gen(sync->box->engine->store, sync->box->id)))
		return;
	sync->lost = true;
	sync->error = g_error_new(MAIL_ERROR, MAIL_ERROR_STALE,
		"%s: the server gave the mailbox a new UIDVALIDITY", sync->box->name);
}

/* Who still waits is served by another one. */
static void give_up(Sync *sync)
{
	Box *box = sync->box;
	box->syncing = false;
	sync_free(sync);
	box_pump(box);
}

static void advance(Sync *sync)
{
	Box *box = sync->box;
	sync_flush(box);
	if (box->sync_refused) {
		/* Its waiters were told; who came since waits for an EXAMINE of his own. */
		box->sync_refused = false;
		give_up(sync);
		return;
	}
	check_generation(sync);
	if (sync->lost && ++box->sync_tries < TRIES) {
		/* The waiters have time left: once more on the next connection. */
		give_up(sync);
		return;
	}
	if (sync->error && !sync->lost && sync->step == SYNC_SEARCH &&
		session_selected(sync->conn->session)) {
		g_clear_error(&sync->error);
		send_searches(sync, SYNC_AGAIN);
		return;
	}
	if (sync->error) {
		end(sync, sync->error);
		return;
	}
	switch (sync->step) {
	case SYNC_CHECK:
		if (box->dirty || !session_has_map(sync->conn->session)) {
			send_searches(sync, SYNC_SEARCH);
			return;
		}
		store_names_confirm(box->engine->store, sync->conn->gen, true);
		end(sync, NULL);
		return;
	case SYNC_SEARCH:
		if (!plausible(sync)) {
			send_searches(sync, SYNC_AGAIN);
			return;
		}
		break;
	case SYNC_AGAIN:
		if (absurd(sync)) {
			g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
				"%s: the server does not say which messages it holds", box->name);
			end(sync, error);
			return;
		}
		break;
	}
	publish(sync);
	end(sync, NULL);
}

void sync_request(Box *box, Waiter *waiter)
{
	g_ptr_array_add(box->sync_waiters, waiter);
	box_pump(box);
}

void sync_dispatch(Box *box, Conn *conn)
{
	if (box->syncing || (box->sync_waiters->len == 0 && !box->renew))
		return;
	box->syncing = true;
	box->renew = false;
	bool check = conn->box == box && conn->gen != 0 && session_has_map(conn->session) &&
		     store_names_time(box->engine->store, conn->gen) != 0;
	conn_select(conn, box);
	Sync *sync = g_new0(Sync, 1);
	*sync = (Sync){.box = box, .conn = conn, .step = SYNC_CHECK};
	if (check)
		send_noop(sync);
	else
		send_searches(sync, SYNC_SEARCH);
}

/* Searches are answered in the order they were asked (RFC 3501 5.5): the tag of ESEARCH would
 * only say it again. */
void sync_note_search(Conn *conn, const ImapSearch *answer)
{
	for (GList *l = conn->searches.head; l; l = l->next) {
		Search *search = l->data;
		if (search->answered)
			continue;
		search->answered = true;
		imap_set_union(*search->target, answer->all);
		if (search->target == &search->sync->all)
			session_set_map(conn->session, answer->all);
		return;
	}
}

/* The listing is not what it was, and only the server can say what it is. */
static void distrust(Conn *conn)
{
	Box *box = conn->box;
	box->dirty = true;
	/* What the kernel was shown must be taken back, whether somebody lists it again or not. */
	box->renew |= box->trusted;
	box->trusted = false;
	box_pump(box);
	store_names_confirm(conn->engine->store, conn->gen, false);
	conn->engine->events->names_changed(box->id, conn->gen, NULL, NULL, conn->engine->data);
}

void sync_note_expunged(Conn *conn, const ImapSet *uids)
{
	Box *box = conn->box;
	if (!box || conn->gen == 0)
		return;
	if (!uids) {
		distrust(conn);
		return;
	}
	if (conn->gen != store_gen(conn->engine->store, box->id))
		return;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++)
		imap_set_add(box->gone, ranges[i].lo, ranges[i].hi);
	box_pump(box);
}

/* A folder that is emptied elsewhere is reported message by message: the store hears of many at a
 * time. */
void sync_flush(Box *box)
{
	if (imap_set_count(box->gone) == 0)
		return;
	Engine *engine = box->engine;
	Gen gen = store_gen(engine->store, box->id);
	g_autoptr(ImapSet) gone = g_steal_pointer(&box->gone);
	box->gone = imap_set_new();
	store_remove_names(engine->store, gen, gone);
	engine->events->names_changed(box->id, gen, gone, NULL, engine->data);
}

/* More messages than the map has: new mail, to be named at the next access. */
void sync_note_exists(Conn *conn)
{
	Box *box = conn->box;
	if (!box || conn->gen == 0 || session_has_map(conn->session) || box->syncing)
		return;
	distrust(conn);
}

/* Who waits for a listing that is known is shown it as it is. */
static void cut_off(Box *box, const GError *error)
{
	if (box->sync_waiters->len == 0)
		return;
	box->shown_stale = true;
	waiters_finish(box->sync_waiters, error);
}

/* A listing that no push covers is trusted for poll_s; then the kernel must ask at its next access.
 * While the wire is silent an old listing is better than none. */
void sync_age(Engine *engine, gint64 now_us, bool stuck)
{
	enum { RENEW_LEAST_S = 5 };
	g_autoptr(GError) error =
		g_error_new(MAIL_ERROR, MAIL_ERROR_TIMEOUT, "the server does not answer");
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, engine->boxes);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Box *box = value;
		if (!box->trusted && !stuck)
			continue;
		Gen gen = store_gen(engine->store, box->id);
		gint64 right = gen ? store_names_time(engine->store, gen) : 0;
		if (stuck && gen && store_names_known(engine->store, gen))
			cut_off(box, error);
		if (!box->trusted || box->renew || box->syncing ||
			now_us - right < engine->config.poll_s * G_USEC_PER_SEC)
			continue;
		if (engine->config.poll_s >= RENEW_LEAST_S && pool_has(engine, box)) {
			/* A NOOP tells what came and went, for those too who only look up names. */
			box->renew = true;
			box_pump(box);
			continue;
		}
		box->trusted = false;
		engine->events->names_changed(box->id, gen, NULL, NULL, engine->data);
	}
}

/* The wire lives again: what the kernel was shown meanwhile must be asked for anew. */
void sync_forget_shown(Engine *engine)
{
	g_autoptr(ImapSet) unasked = engine_take_shown(engine);
	gsize n;
	const ImapRange *ranges = imap_set_ranges(unasked, &n);
	for (gsize i = 0; i < n; i++)
		for (MailboxId id = ranges[i].lo; id <= ranges[i].hi; id++)
			box_get(engine, id);
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, engine->boxes);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Box *box = value;
		if (!box->shown_stale && !imap_set_contains(unasked, box->id))
			continue;
		Gen gen = store_gen(engine->store, box->id);
		box->shown_stale = false;
		box->trusted = false;
		store_names_confirm(engine->store, gen, false);
		engine->events->names_changed(box->id, gen, NULL, NULL, engine->data);
	}
}
