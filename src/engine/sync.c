/* The sync verb: which messages a mailbox holds, right as of now. */
#include "engine/private.h"

enum { TRIES = 3 };

typedef enum {
	SYNC_CHECK, /* the map is whole: NOOP brings what changed */
	SYNC_SEARCH, /* UID SEARCH names everything */
	SYNC_AGAIN, /* refused, or the numbers do not add up: once more, in the oldest form */
} SyncStep;

struct Sync {
	Box *box;
	Conn *conn;
	SyncStep step;
	guint commands; /* under way */
	ImapSet *all, *deleted;
	GError *error; /* the first */
	bool lost; /* the connection cannot tell: it went away, or has another UIDVALIDITY */
};

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
	Engine *engine = box->engine;
	Gen gen = sync->conn->gen;
	/* Something changed since the answer: it may be shown once, and must be asked for again. */
	bool late = !error && box->dirty;
	box->sync = NULL;
	box->trusted = !error && !late;
	if (late)
		store_names_confirm(engine->store, gen, false);
	if (error && mail_error_grade((MailError)error->code) == MAIL_GRADE_ACCOUNT)
		box->shown_stale = true;
	box->sync_tries = 0;
	waiters_finish(box->sync_waiters, error);
	/* Behind the answer: the kernel keeps what it is shown after the news. */
	if (late)
		engine->events->names_changed(box->id, gen, NULL, engine->data);
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
	store_set_names(engine->store, gen, sync->all, sync->deleted, &gone, &fresh);
	if (imap_set_count(gone) > 0 || (sync->box->trusted && imap_set_count(fresh) > 0))
		engine->events->names_changed(sync->box->id, gen, gone, engine->data);
}

/* Whether the answer adds up with what the server said the mailbox holds. */
static bool plausible(const Sync *sync)
{
	const SessionMailbox *mailbox = session_selected(sync->conn->session);
	return mailbox && imap_set_count(sync->all) == mailbox->exists;
}

/* An empty answer for a mailbox that has messages is no reason to forget them all, and one of more
 * than can be kept none to believe that they are there. */
static GError *absurdity(const Sync *sync)
{
	const SessionMailbox *mailbox = session_selected(sync->conn->session);
	if (!mailbox || (imap_set_count(sync->all) == 0 && mailbox->exists > 0))
		return g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
			"%s: the server does not say which messages it holds", sync->box->name);
	if (imap_set_count(sync->all) > LIMIT_ROWS)
		return g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
			"%s: the server names more than %u messages", sync->box->name, LIMIT_ROWS);
	return NULL;
}

/* What this connection says is about messages that nobody can name any more when another one was
 * told of a new UIDVALIDITY meanwhile, or when the name may be another mailbox's. */
static void check_generation(Sync *sync)
{
	if (sync->error)
		return;
	Gen gen = sync->conn->gen;
	if (gen != 0 && gen == store_gen(sync->box->engine->store, sync->box->id) &&
		!sync->conn->renamed)
		return;
	sync->lost = true;
	sync->error = g_error_new(MAIL_ERROR, MAIL_ERROR_STALE,
		"%s: the server gave the mailbox a new UIDVALIDITY", sync->box->name);
}

/* Who still waits is served by another one. */
static void give_up(Sync *sync)
{
	Box *box = sync->box;
	box->sync = NULL;
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
		break;
	}
	g_autoptr(GError) error = absurdity(sync);
	if (!error)
		publish(sync);
	end(sync, error);
}

void sync_request(Box *box, Waiter *waiter)
{
	g_ptr_array_add(box->sync_waiters, waiter);
	box_pump(box);
}

void sync_dispatch(Box *box, Conn *conn)
{
	if (box->sync || (box->sync_waiters->len == 0 && !box->renew))
		return;
	box->renew = false;
	bool check = conn->box == box && conn->gen != 0 && session_has_map(conn->session) &&
		     store_names_time(box->engine->store, conn->gen) != 0;
	conn_select(conn, box);
	Sync *sync = g_new0(Sync, 1);
	*sync = (Sync){.box = box, .conn = conn, .step = SYNC_CHECK};
	box->sync = sync;
	if (check)
		send_noop(sync);
	else
		send_searches(sync, SYNC_SEARCH);
}

/* The search that an answer is for: they are answered in the order they were asked (RFC 3501 5.5).
 * ESEARCH is one response for each, and its tag would only say the order again (RFC 4731 3.1);
 * SEARCH may come in several lines, all of them before the tagged OK. */
static Search *answered_by(const Conn *conn, const ImapSearch *answer)
{
	for (GList *l = conn->searches.head; l; l = l->next) {
		Search *search = l->data;
		if (!search->answered || !answer->tag.data)
			return search;
	}
	return NULL;
}

void sync_note_search(Conn *conn, const ImapSearch *answer)
{
	Search *search = answered_by(conn, answer);
	/* What can be no listing any more need not be kept. */
	if (!search || imap_set_count(*search->target) > LIMIT_ROWS)
		return;
	search->answered = true;
	imap_set_union(*search->target, answer->all);
	if (search->target != &search->sync->all)
		return;
	session_set_map(conn->session, search->sync->all);
	/* It tells what came and went until now. */
	search->sync->box->dirty = false;
}

/* The listing is not what it was, and only the server can say what it is. */
static void distrust(Conn *conn)
{
	Box *box = conn->box;
	box->dirty = true;
	box->trusted = false;
	store_names_confirm(conn->engine->store, conn->gen, false);
	conn->engine->events->names_changed(box->id, conn->gen, NULL, conn->engine->data);
}

void sync_note_expunged(Conn *conn, const ImapSet *uids)
{
	Box *box = conn->box;
	if (!box || conn->gen == 0)
		return;
	if (!uids) {
		/* Messages that the kernel was shown are gone, and must be named to be taken back,
		 * whether somebody lists the mailbox again or not. */
		box->renew |= box->trusted;
		distrust(conn);
		box_pump(box);
		return;
	}
	if (conn->gen != store_gen(conn->engine->store, box->id))
		return;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++)
		imap_set_add(box->gone, ranges[i].lo, ranges[i].hi);
	if (box->sync && box->sync->all)
		imap_set_subtract(box->sync->all, uids);
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
	engine->events->names_changed(box->id, gen, gone, engine->data);
}

/* More messages than the map has: new mail, to be named at the next access. A listing under way may
 * have been answered before it came. */
void sync_note_exists(Conn *conn)
{
	Box *box = conn->box;
	if (!box || conn->gen == 0 || session_has_map(conn->session))
		return;
	if (box->sync)
		box->dirty = true;
	else
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
		if (!box->trusted || box->renew || box->sync ||
			now_us - right < engine->config.poll_s * G_USEC_PER_SEC)
			continue;
		if (engine->config.poll_s >= RENEW_LEAST_S && pool_has(engine, box)) {
			/* A NOOP tells what came and went, for those too who only look up names. */
			box->renew = true;
			box_pump(box);
			continue;
		}
		box->trusted = false;
		engine->events->names_changed(box->id, gen, NULL, engine->data);
	}
}

/* The wire lives again: what the kernel was shown meanwhile must be asked for anew. */
void sync_forget_shown(Engine *engine)
{
	g_autoptr(ImapSet) unasked = engine_take_shown(engine);
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
		engine->events->names_changed(box->id, gen, NULL, engine->data);
	}
}

/* All names are taken back, those of messages that are still there too: a name that the kernel
 * knows is read without asking. */
void sync_doubt(Engine *engine)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, engine->boxes);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Box *box = value;
		Gen gen = store_gen(engine->store, box->id);
		if (gen == 0)
			continue;
		box->trusted = false;
		store_names_confirm(engine->store, gen, false);
		engine->events->names_doubted(box->id, gen, engine->data);
	}
}
