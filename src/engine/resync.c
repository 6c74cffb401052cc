/* What a selection says of a mailbox that was known before, so that it need not be listed again
 * (RFC 7162). Nothing is taken out of the store before the numbers add up. */
#include "engine/private.h"

/* ---- the choice of how ---- */

static bool is_off(const Engine *engine, ResyncMode mode)
{
	return engine->resync_off & 1u << mode;
}

static void switch_off(Engine *engine, ResyncMode mode, const char *why)
{
	if (is_off(engine, mode))
		return;
	engine->resync_off |= 1u << mode;
	g_message("%s: %s is not used any more: %s", engine->config.session.host,
		mode == RESYNC_QRESYNC ? "QRESYNC" : "CONDSTORE", why);
}

static ResyncMode choose(const Box *box, guint64 caps, const Resync *resync)
{
	static const struct {
		ResyncMode mode;
		guint64 needs; /* one of them */
		bool modseq; /* begins from HIGHESTMODSEQ, else from UIDNEXT */
	} modes[] = {
		{RESYNC_QRESYNC, IMAP_CAP_BIT(IMAP_CAP_QRESYNC), true},
		{RESYNC_CONDSTORE, IMAP_CAPS_MODSEQ, true},
		{RESYNC_PLAIN, ~(guint64)0, false},
	};
	if (!resync->uids)
		return RESYNC_LIST;
	for (guint i = 0; i < G_N_ELEMENTS(modes); i++) {
		bool begins = modes[i].modseq ? resync->mark.highestmodseq && !box->no_modseq
					      : resync->mark.uidnext != 0;
		if (begins && caps & modes[i].needs && !is_off(box->engine, modes[i].mode))
			return modes[i].mode;
	}
	return RESYNC_LIST;
}

void resync_select(Conn *conn, Box *box, SessionDone done)
{
	Store *store = box->engine->store;
	Resync *resync = &conn->resync;
	Gen gen = store_gen(store, box->id);
	imap_set_free(resync->uids);
	*resync = (Resync){.gen = gen, .covered = pool_hears(box->engine, box)};
	/* Who hears of every change makes asking for them again needless, and keeps the mark. */
	if (!resync->covered && store_gen_uidvalidity(store, gen) != 0)
		resync->uids = store_names(store, gen);
	resync->mark = store_mark(store, gen);
	resync->mode = choose(box, session_caps(conn->session), resync);
	SessionKnown known = {
		.modseq = !box->no_modseq && !is_off(box->engine, RESYNC_CONDSTORE),
		.uidvalidity = store_gen_uidvalidity(store, gen),
		.highestmodseq = resync->mode == RESYNC_QRESYNC ? resync->mark.highestmodseq : 0,
	};
	session_select(conn->session, box->name, conn->writable, &known, done, conn);
}

bool resync_refused(Conn *conn, Box *box, const ImapStatus *status)
{
	g_clear_pointer(&conn->resync.uids, imap_set_free);
	if (status->kind != IMAP_STATUS_BAD || box->no_modseq ||
		!(session_caps(conn->session) & IMAP_CAPS_MODSEQ))
		return false;
	box->no_modseq = true;
	return true;
}

/* ---- its answer ---- */

/* No message came and none went: UIDs only ever grow (RFC 3501 2.3.1.1). */
static bool same_names(const Resync *resync, const SessionMailbox *mailbox)
{
	return resync->mark.uidnext != 0 && mailbox->uidnext == resync->mark.uidnext &&
	       mailbox->exists == imap_set_count(resync->uids);
}

/* NOMODSEQ, or numbers that fall: as if there were none (RFC 7162 3.1.2.2). */
static bool modseqs_hold(const Resync *resync)
{
	return resync->now.highestmodseq != 0 &&
	       resync->now.highestmodseq >= resync->mark.highestmodseq;
}

static void confirm(Conn *conn)
{
	Box *box = conn->box;
	g_autoptr(ImapSet) uids = store_names(box->engine->store, conn->gen);
	session_set_map(conn->session, uids);
	box->dirty = false;
}

/* Nothing is left to be asked. */
static void settle_all(Conn *conn)
{
	confirm(conn);
	conn->box->flags_due = false;
	conn->box->trusted = true;
	store_names_confirm(conn->engine->store, conn->gen, true);
	resync_settle(conn);
}

static void take_plain(Conn *conn)
{
	Resync *resync = &conn->resync;
	store_flags_doubt(conn->engine->store, conn->gen);
	if (!same_names(resync, session_selected(conn->session)))
		return;
	confirm(conn);
	resync->result = RESYNC_NAMES;
}

static void take_condstore(Conn *conn)
{
	Resync *resync = &conn->resync;
	bool same = same_names(resync, session_selected(conn->session));
	if (same && resync->now.highestmodseq == resync->mark.highestmodseq) {
		settle_all(conn);
		return;
	}
	conn->box->flags_due = true;
	if (!same)
		return;
	confirm(conn);
	resync->result = RESYNC_NAMES;
}

/* The names after these changes. */
static ImapSet *changed_names(const Resync *resync, const SessionChanges *changes)
{
	ImapSet *uids = imap_set_copy(resync->uids);
	imap_set_subtract(uids, changes->vanished);
	for (gsize i = 0; i < changes->n_changed; i++)
		imap_set_add(uids, changes->changed[i].uid, changes->changed[i].uid);
	return uids;
}

/* Messages came meanwhile, but the answer names none, neither as new nor as gone again. Servers
 * need not remember those (RFC 7162 3.2.5.1), so that it is no fault, but no proof either. */
static bool is_silent(const Resync *resync, const SessionChanges *changes, const ImapSet *uids)
{
	guint32 last = MAX(imap_set_max(uids), imap_set_max(changes->vanished));
	return resync->mark.uidnext != 0 && resync->now.uidnext > resync->mark.uidnext &&
	       last < resync->mark.uidnext;
}

/* Adds to the sets what a change takes out of the listing or brings into it. Flags of a message
 * that nobody looked at come when somebody does. */
static void apply_flags(Conn *conn, const SessionChange *change, ImapSet *gone, ImapSet *fresh)
{
	Engine *engine = conn->engine;
	StoreMessage before = {0};
	StoreMessage message = {.uid = change->uid, .flags = change->flags};
	g_auto(GStrv) pending = change_overlay(engine, conn->gen, change->uid, &message.flags,
		(const char *const *)change->keywords);
	StoreFields fields = {.has_flags = true,
		.keywords = (const char *const *)(pending ? pending : change->keywords)};
	bool changed = false;
	box_recall(conn->box, conn->gen, change->uid, &before);
	bool moved = (before.flags ^ message.flags) & IMAP_FLAG_DELETED;
	if (!before.known)
		engine->events->flags_told(conn->box->id, engine->data);
	if (!before.known && !moved)
		return;
	store_set_attributes(engine->store, conn->gen, &message, fields, &changed);
	if (before.leaving)
		return;
	bool hidden = box_hides(conn->box, message.flags);
	if (hidden == box_hides(conn->box, before.flags)) {
		if (before.known && changed && !hidden)
			engine->events->message_changed(
				conn->gen, change->uid, false, engine->data);
		return;
	}
	if (!hidden)
		imap_set_add(fresh, change->uid, change->uid);
	else if (imap_set_contains(fresh, change->uid))
		imap_set_remove(fresh, change->uid, change->uid);
	else
		imap_set_add(gone, change->uid, change->uid);
}

static void apply(Conn *conn, const ImapSet *uids, const SessionChanges *changes)
{
	Engine *engine = conn->engine;
	g_autoptr(ImapSet) gone = NULL;
	g_autoptr(ImapSet) fresh = NULL;
	store_set_names(engine->store, conn->gen, uids, NULL, &gone, &fresh);
	for (gsize i = 0; i < changes->n_changed; i++)
		apply_flags(conn, &changes->changed[i], gone, fresh);
	if (imap_set_count(gone) > 0 || imap_set_count(fresh) > 0)
		engine->events->names_changed(conn->box->id, conn->gen, gone, fresh, engine->data);
}

static bool adds_up(const Conn *conn, const SessionChanges *changes, const ImapSet *uids)
{
	guint32 uidnext = conn->resync.now.uidnext;
	return changes->complete &&
	       imap_set_count(uids) == session_selected(conn->session)->exists &&
	       (uidnext == 0 || imap_set_max(uids) < uidnext);
}

static void take_qresync(Conn *conn, const SessionChanges *changes)
{
	enum { FAULTS = 2 };
	Engine *engine = conn->engine;
	g_autoptr(ImapSet) uids = changed_names(&conn->resync, changes);
	bool right = adds_up(conn, changes, uids);
	if (right && !is_silent(&conn->resync, changes, uids)) {
		apply(conn, uids, changes);
		settle_all(conn);
		return;
	}
	conn->box->flags_due = true;
	if (!right && ++engine->qresync_faults >= FAULTS)
		switch_off(engine, RESYNC_QRESYNC, "its answers do not add up");
}

static void take(Conn *conn, ResyncMode mode)
{
	const SessionChanges *changes = session_changes(conn->session);
	if (mode >= RESYNC_CONDSTORE && !modseqs_hold(&conn->resync)) {
		conn->box->no_modseq = true;
		mode = RESYNC_PLAIN;
	}
	if (mode == RESYNC_QRESYNC && changes)
		take_qresync(conn, changes);
	else if (mode >= RESYNC_CONDSTORE)
		take_condstore(conn);
	else
		take_plain(conn);
}

void resync_selected(Conn *conn)
{
	Resync *resync = &conn->resync;
	const SessionMailbox *mailbox = session_selected(conn->session);
	g_autoptr(ImapSet) present = store_names(conn->engine->store, conn->gen);
	resync->now = (StoreMark){mailbox->uidnext, mailbox->highestmodseq};
	if (resync->uids && resync->gen == conn->gen) {
		/* What another connection learned meanwhile is not what the answer is about. */
		if (imap_set_equal(resync->uids, present))
			take(conn, resync->mode);
		else
			store_flags_doubt(conn->engine->store, conn->gen);
	}
	g_clear_pointer(&resync->uids, imap_set_free);
}

/* ---- flags ---- */

ImapCommand *resync_flags_command(Conn *conn)
{
	Store *store = conn->engine->store;
	/* EXAMINE need not be answered yet. */
	Gen gen = store_gen(store, conn->box->id);
	g_autoptr(ImapSet) uids = store_names(store, gen);
	StoreMark mark = store_mark(store, gen);
	conn->box->flags_due = false;
	bool can = session_caps(conn->session) & IMAP_CAPS_MODSEQ &&
		   !is_off(conn->engine, RESYNC_CONDSTORE) && !conn->box->no_modseq;
	if (!can || !uids || mark.highestmodseq == 0) {
		store_flags_doubt(store, gen);
		return NULL;
	}
	ImapCommand *line = imap_command_new("UID FETCH");
	/* Those of new messages come when somebody looks. */
	imap_command_rawf(line, "1:%u (UID FLAGS) (CHANGEDSINCE %" G_GUINT64_FORMAT ")",
		MAX(imap_set_max(uids), 1), mark.highestmodseq);
	return line;
}

void resync_flags_done(Conn *conn, const ImapStatus *status, const GError *error)
{
	if (!status || !error)
		return;
	store_flags_doubt(conn->engine->store, conn->gen);
	if (status->kind == IMAP_STATUS_BAD)
		switch_off(conn->engine, RESYNC_CONDSTORE, "FETCH CHANGEDSINCE is refused");
}

void resync_settle(Conn *conn)
{
	Store *store = conn->engine->store;
	Box *box = conn->box;
	const Resync *resync = &conn->resync;
	g_autoptr(ImapSet) uids = store_names(store, conn->gen);
	StoreMark mark = store_mark(store, conn->gen);
	guint32 last = uids ? imap_set_max(uids) : 0;
	/* Who was selected beside another one may know of older changes than that. */
	if (!resync->covered)
		mark.highestmodseq = MAX(mark.highestmodseq, resync->now.highestmodseq);
	if (box->no_modseq)
		mark.highestmodseq = 0;
	/* It is said at EXAMINE alone; messages that came since show that it grew. */
	mark.uidnext =
		resync->now.uidnext && last < G_MAXUINT32 ? MAX(resync->now.uidnext, last + 1) : 0;
	conn->resync.result = RESYNC_ALL;
	conn->resync.settled = !resync->covered && !box->no_modseq;
	store_set_mark(store, conn->gen, mark);
}

void resync_missed(Conn *conn)
{
	if (store_names_known(conn->engine->store, conn->gen))
		conn->box->flags_due = true;
}

void resync_heard(Conn *conn, guint64 modseq)
{
	Store *store = conn->engine->store;
	StoreMark mark = store_mark(store, conn->gen);
	if (!conn->resync.settled || conn->box->flags_due || mark.highestmodseq == 0 ||
		modseq <= mark.highestmodseq)
		return;
	mark.highestmodseq = modseq;
	store_set_mark(store, conn->gen, mark);
}

void resync_arrived(Conn *conn)
{
	Store *store = conn->engine->store;
	g_autoptr(ImapSet) uids = store_names(store, conn->gen);
	StoreMark mark = store_mark(store, conn->gen);
	guint32 last = uids ? imap_set_max(uids) : 0;
	if (mark.uidnext == 0 || last == G_MAXUINT32 || last < mark.uidnext)
		return;
	mark.uidnext = last + 1;
	store_set_mark(store, conn->gen, mark);
}
