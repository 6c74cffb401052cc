/* The sync verb: which messages a mailbox holds, right as of now. */
#include "engine/private.h"

enum { TRIES = 3 };

typedef enum {
	SYNC_CHECK, /* the map is whole: NOOP brings what changed */
	SYNC_SELECT, /* EXAMINE says what changed */
	SYNC_DELETED, /* the names may be right: which are \Deleted is asked */
	SYNC_FLAGS, /* the names are right: which flags changed is asked */
	SYNC_NEW, /* the map lacks what arrived last */
	SYNC_SEARCH, /* UID SEARCH names everything */
	SYNC_AGAIN, /* refused, or the numbers do not add up: once more, in the oldest form */
} SyncStep;

struct Sync {
	Box *box;
	Conn *conn;
	SyncStep step;
	guint commands; /* under way */
	bool deleted_due; /* its search waits for the other one's end */
	guint64 named; /* by the map before SYNC_NEW */
	guint64 modseq; /* that STATUS told before this began; 0: none */
	ImapSet *all, *deleted;
	bool unasked; /* it is wanted whether or not somebody waits */
	bool untold; /* flags were to be told, and were not: \Deleted among them */
	GError *error; /* the first */
	bool lost; /* the connection cannot tell: it went away, or has another UIDVALIDITY */
};

static void advance(Sync *sync);
static void send_search(Sync *sync, const char *key, ImapSet **target, QuestionHeard heard);
static void send_step(Sync *sync, SyncStep step);

static void sync_free(Sync *sync)
{
	imap_set_free(sync->all);
	imap_set_free(sync->deleted);
	g_clear_error(&sync->error);
	g_free(sync);
}

static void confirmed(Sync *sync)
{
	push_listed(sync->box);
	resync_heard(sync->conn, sync->modseq);
}

static void end(Sync *sync, const GError *error)
{
	Box *box = sync->box;
	Engine *engine = box->engine;
	Gen gen = sync->conn->gen;
	/* Something changed since the answer: it may be shown once, and must be asked for again. */
	bool late = !error && (box->dirty || box->arrived || box->flags_due);
	box->sync = NULL;
	box->trusted = !error && !late;
	box->failed_us = error ? g_get_monotonic_time() : 0;
	/* The map may be of an answer that never got into the store. */
	box->dirty |= error && sync->all;
	if (late)
		store_names_confirm(engine->store, gen, false);
	else if (!error)
		confirmed(sync);
	if (error && mail_error_grade((MailError)error->code) == MAIL_GRADE_ACCOUNT)
		box->shown_stale = true;
	box->sync_tries = 0;
	waiters_finish(box->sync_waiters, error);
	/* At once, unless the numbers do not add up: then it could go on like that for ever. */
	box->renew |= late && session_map(sync->conn->session);
	/* Behind the answer: the kernel keeps what it is shown after the news. */
	if (late)
		engine->events->names_changed(box->id, gen, NULL, NULL, engine->data);
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
		/* A connection that breaks says nothing of the mailbox. */
		if (sync->lost && error->code == MAIL_ERROR_IO)
			sync->error->code = MAIL_ERROR_UNAVAILABLE;
	}
	if (--sync->commands > 0)
		return;
	bool due = sync->deleted_due && !sync->error;
	sync->deleted_due = false;
	if (due)
		send_search(sync, "DELETED", &sync->deleted, NULL);
	else
		advance(sync);
}

static void answered(const ImapStatus *status, const GError *error, gpointer data)
{
	command_done(data, status, error);
}

static bool is_extended(const Sync *sync)
{
	return sync->step != SYNC_AGAIN && question_can_extend(sync->conn);
}

/* It tells what came and went until now. */
static void all_heard(gpointer data)
{
	Sync *sync = data;
	if (sync->step == SYNC_NEW) {
		session_extend_map(sync->conn->session, sync->all);
		return;
	}
	session_set_map(sync->conn->session, sync->all);
	sync->box->dirty = sync->box->arrived = false;
}

static void send_search(Sync *sync, const char *key, ImapSet **target, QuestionHeard heard)
{
	bool extended = is_extended(sync);
	ImapCommand *line = question_command(extended);
	imap_command_raw(line, key);
	imap_set_free(*target);
	*target = imap_set_new();
	sync->commands++;
	question_ask(sync->conn, line, extended, *target, heard, answered, sync);
}

static void send_noop(Sync *sync)
{
	sync->commands++;
	session_submit(
		sync->conn->session, SESSION_SELECTED, imap_command_new("NOOP"), answered, sync);
}

static void flags_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Sync *sync = data;
	resync_flags_done(sync->conn, status, error);
	sync->box->flags_due |= !status;
	sync->untold |= error != NULL;
	command_done(sync, status, status ? NULL : error);
}

static void send_flags(Sync *sync)
{
	if (!sync->box->flags_due)
		return;
	ImapCommand *line = resync_flags_command(sync->conn);
	sync->untold = !line;
	if (!line)
		return;
	sync->commands++;
	session_submit(sync->conn->session, SESSION_SELECTED, line, flags_done, sync);
}

/* What is left to be asked where EXAMINE, be it a reader's who asked for no more, said that the
 * names are right. */
static void send_known(Sync *sync)
{
	send_step(sync, sync->box->flags_due ? SYNC_FLAGS : SYNC_DELETED);
}

/* Names what arrived; costs the change, not the mailbox. */
static void send_new(Sync *sync)
{
	sync->step = SYNC_NEW;
	sync->named = imap_set_count(session_map(sync->conn->session));
	guint32 last = imap_set_max(session_map(sync->conn->session));
	g_autofree char *key = g_strdup_printf("UID %u:*", last + 1);
	sync->commands = 0;
	send_search(sync, key, &sync->all, all_heard);
}

/* What an EXISTS announced is named by the map already if a FETCH came with it (NOTIFY). */
static bool may_send_new(const Sync *sync)
{
	const ImapSet *map = session_map(sync->conn->session);
	return map && !sync->box->dirty && imap_set_max(map) < G_MAXUINT32 &&
	       !session_has_map(sync->conn->session);
}

/* The commands of a step. What is asked first is as old as the answer to it: flags before the
 * search that is the last word on \Deleted. */
static void send_step(Sync *sync, SyncStep step)
{
	sync->step = step;
	/* One more than the commands: none of them can end the step before all are queued. */
	sync->commands = 1;
	if (step == SYNC_AGAIN)
		send_noop(sync);
	if (step == SYNC_FLAGS || step == SYNC_SEARCH)
		send_flags(sync);
	bool names = step == SYNC_SEARCH || step == SYNC_AGAIN;
	if (names) {
		sync->box->dirty = sync->box->arrived = false;
		send_search(sync, "ALL", &sync->all, all_heard);
	}
	/* SEARCH does not say which of two it answers (RFC 3501 5.5), and Dovecot sends both lines
	 * before the first OK. */
	sync->deleted_due = names && !is_extended(sync);
	if (step != SYNC_FLAGS && !sync->deleted_due)
		send_search(sync, "DELETED", &sync->deleted, NULL);
	command_done(sync, NULL, NULL);
}

/* Who listed the mailbox with its attributes will want those of what arrived: now that something is
 * on the wire they cost no turn. */
static void sync_arrived(Box *box, const ImapSet *fresh)
{
	enum { FEW = 256 };
	box->arrived = false;
	if (box->attribute_window > 0 && imap_set_count(fresh) <= FEW)
		imap_set_union(box->attribute_want, fresh);
}

void sync_note_ours(Box *box, const ImapSet *uids)
{
	imap_set_union(box->ours, uids);
	box->ours_us = g_get_monotonic_time();
}

/* UIDs ascend (RFC 3501 2.3.1.1): who is told of one is told of all below it. */
static ImapSet *with_ours(Sync *sync)
{
	enum { TOLD_WITHIN_S = 30 };
	Box *box = sync->box;
	ImapSet *names = imap_set_copy(sync->all);
	gint64 age_us = g_get_monotonic_time() - box->ours_us;
	guint32 last = age_us < TOLD_WITHIN_S * G_USEC_PER_SEC ? imap_set_max(names) : G_MAXUINT32;
	if (last > 0)
		imap_set_remove(box->ours, 1, last);
	imap_set_union(names, box->ours);
	return names;
}

static void publish(Sync *sync)
{
	Engine *engine = sync->box->engine;
	Gen gen = sync->conn->gen;
	g_autoptr(ImapSet) names = with_ours(sync);
	g_autoptr(ImapSet) gone = NULL;
	g_autoptr(ImapSet) fresh = NULL;
	bool first = !store_names_known(engine->store, gen);
	store_set_names(engine->store, gen, names, sync->deleted, &gone, &fresh);
	if (sync->step == SYNC_NEW) {
		sync_arrived(sync->box, fresh);
		resync_arrived(sync->conn);
	} else {
		sync->box->listed_us = g_get_monotonic_time();
		resync_settle(sync->conn);
	}
	bool came = imap_set_count(fresh) > 0 && (!first || sync->box->trusted);
	if (imap_set_count(gone) == 0 && !came)
		return;
	quota_doubt(engine);
	engine->events->names_changed(sync->box->id, gen, gone, first ? NULL : fresh, engine->data);
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

/* Who still waits is served by another one; again: it is wanted although nobody does. */
static void give_up(Sync *sync, bool again)
{
	Box *box = sync->box;
	box->sync = NULL;
	box->renew |= again;
	sync_free(sync);
	box_pump(box);
}

/* Whether the names in the store are those of the server, but for \Deleted. */
static bool names_hold(const Sync *sync)
{
	return !sync->box->dirty && session_has_map(sync->conn->session);
}

/* The server confirmed the names; flags are as good as its answers made them. */
static void confirm(Sync *sync)
{
	store_names_confirm(sync->box->engine->store, sync->conn->gen, true);
	if (sync->step == SYNC_FLAGS)
		resync_settle(sync->conn);
	end(sync, NULL);
}

/* The map is the listing; which of them are \Deleted did not change. */
static void take_map(Sync *sync)
{
	sync->step = SYNC_NEW;
	imap_set_free(sync->all);
	sync->all = imap_set_copy(session_map(sync->conn->session));
	g_clear_pointer(&sync->deleted, imap_set_free);
}

/* All commands of the step were answered. */
static void next_step(Sync *sync)
{
	const Session *session = sync->conn->session;
	bool names = sync->conn->resync.result == RESYNC_NAMES;
	switch (sync->step) {
	case SYNC_SELECT:
		if (names)
			send_known(sync);
		else if (sync->conn->resync.result == RESYNC_ALL)
			end(sync, NULL);
		else
			send_step(sync, SYNC_SEARCH);
		return;
	case SYNC_CHECK:
	case SYNC_NEW:
		if (may_send_new(sync) &&
			(sync->step == SYNC_CHECK ||
				imap_set_count(session_map(session)) > sync->named)) {
			/* Mail arrived, or more of it. */
			send_new(sync);
			return;
		}
		if (!names_hold(sync)) {
			send_step(sync, SYNC_SEARCH);
			return;
		}
		if (sync->step == SYNC_CHECK && !sync->box->arrived) {
			confirm(sync);
			return;
		}
		take_map(sync);
		break;
	case SYNC_FLAGS:
		if (!names_hold(sync) || sync->box->arrived)
			send_step(sync, SYNC_SEARCH);
		else if (sync->untold)
			send_step(sync, SYNC_DELETED);
		else
			confirm(sync);
		return;
	case SYNC_DELETED:
		if (!names_hold(sync) || sync->box->arrived) {
			send_step(sync, SYNC_SEARCH);
			return;
		}
		sync->all = store_names(sync->box->engine->store, sync->conn->gen);
		break;
	case SYNC_SEARCH:
		if (!plausible(sync)) {
			send_step(sync, SYNC_AGAIN);
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

static void advance(Sync *sync)
{
	Box *box = sync->box;
	sync_flush(box);
	if (box->sync_refused) {
		/* Its waiters were told; who came since waits for an EXAMINE of his own. */
		box->sync_refused = false;
		give_up(sync, false);
		return;
	}
	check_generation(sync);
	if (sync->lost && ++box->sync_tries < TRIES) {
		/* The waiters have time left: once more on the next connection. */
		give_up(sync, sync->unasked);
		return;
	}
	bool may_repeat =
		sync->step == SYNC_SEARCH || sync->step == SYNC_DELETED || sync->step == SYNC_NEW;
	if (sync->error && !sync->lost && may_repeat && session_selected(sync->conn->session)) {
		g_clear_error(&sync->error);
		send_step(sync, SYNC_AGAIN);
		return;
	}
	if (sync->error) {
		end(sync, sync->error);
		return;
	}
	next_step(sync);
}

void sync_request(Box *box, Waiter *waiter)
{
	g_ptr_array_add(box->sync_waiters, waiter);
	box_pump(box);
}

/* Behind its EXAMINE goes what must be asked whatever it says. */
static void begin_selected(Sync *sync)
{
	switch (sync->conn->resync.mode) {
	case RESYNC_LIST:
		send_step(sync, SYNC_SEARCH);
		break;
	case RESYNC_PLAIN:
		send_step(sync, SYNC_DELETED);
		break;
	case RESYNC_CONDSTORE:
	case RESYNC_QRESYNC:
		sync->step = SYNC_SELECT;
		sync->commands = 1;
		sync->conn->sync = sync;
		break;
	}
}

void sync_examined(Conn *conn, const GError *error)
{
	Sync *sync = g_steal_pointer(&conn->sync);
	if (sync)
		command_done(sync, NULL, error);
}

void sync_dispatch(Box *box, Conn *conn)
{
	if (box->sync || (box->sync_waiters->len == 0 && !box->renew))
		return;
	/* Without a tag an answer is that of the search that was sent first. */
	if (conn->box == box && conn->questions.length > 0)
		return;
	bool unasked = box->renew;
	box->renew = false;
	conn_select(conn, box);
	Sync *sync = g_new0(Sync, 1);
	*sync = (Sync){.box = box, .conn = conn, .step = SYNC_CHECK, .unasked = unasked};
	/* EXAMINE tells it itself, and maybe of another UIDVALIDITY. */
	sync->modseq = conn->selecting ? 0 : box->told_modseq;
	box->sync = sync;
	if (conn->selecting)
		begin_selected(sync);
	else if (!session_map(conn->session) || !store_names_known(box->engine->store, conn->gen))
		send_step(sync, SYNC_SEARCH);
	else if (conn->resync.result == RESYNC_NAMES || box->flags_due)
		send_known(sync);
	else if (may_send_new(sync))
		send_new(sync);
	else if (box->arrived && !box->dirty)
		advance(sync);
	else
		send_noop(sync);
}

void sync_note_expunged(Conn *conn, const ImapSet *uids)
{
	Box *box = conn->box;
	if (!box || conn->gen == 0)
		return;
	if (conn->gen != store_gen(conn->engine->store, box->id))
		return;
	if (!uids) {
		box->dirty = true;
		sync_doubt(box, true);
		return;
	}
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++)
		imap_set_add(box->gone, ranges[i].lo, ranges[i].hi);
	imap_set_subtract(box->ours, uids);
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
	g_autoptr(ImapSet) expunged = g_steal_pointer(&box->gone);
	g_autoptr(ImapSet) gone = NULL;
	box->gone = imap_set_new();
	store_remove_names(engine->store, gen, expunged, &gone);
	/* Most were \\Deleted before, and two connections may tell of the same one. */
	if (gone && imap_set_count(gone) > 0)
		engine->events->names_changed(box->id, gen, gone, NULL, engine->data);
}

/* More messages than the map has: new mail, to be named at once if somebody looked here. A listing
 * under way may have been answered before it came. */
void sync_note_exists(Conn *conn)
{
	Box *box = conn->box;
	if (!box || conn->gen == 0 || conn->gen != store_gen(conn->engine->store, box->id) ||
		session_has_map(conn->session))
		return;
	box->arrived = true;
	if (!box->sync)
		sync_doubt(box, true);
}
