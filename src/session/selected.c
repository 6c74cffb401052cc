/* The selected mailbox: its numbers, and the map from sequence numbers to UIDs without which
 * EXPUNGE and FETCH cannot be read. Sequence numbers never leave this file. */
#include <string.h>

#include "base/limits.h"
#include "session/private.h"

void selected_forget_changes(Session *session)
{
	g_clear_pointer(&session->vanished, imap_set_free);
	g_clear_pointer(&session->changed, g_array_unref);
	session->changes = (SessionChanges){0};
}

/* What nothing was said of yet. Without PERMANENTFLAGS all can be changed (RFC 3501 6.3.1). */
static void begin_box(Session *session)
{
	g_clear_pointer(&session->permanent_keywords, g_strfreev);
	session->box = (SessionMailbox){
		.name = session->box_name,
		.read_only = !session->writable,
		.permanent = (IMAP_FLAG_ANY_KEYWORD << 1) - 1,
	};
}

void selected_clear(Session *session)
{
	g_clear_pointer(&session->map, imap_set_free);
	g_clear_pointer(&session->box_name, g_free);
	g_clear_pointer(&session->permanent_keywords, g_strfreev);
	selected_forget_changes(session);
	session->closed_due = false;
	session->box = (SessionMailbox){0};
	session->selection = 0;
	session->selecting = 0;
}

static void clear_change(gpointer change)
{
	g_strfreev(((SessionChange *)change)->keywords);
}

static void expect_changes(Session *session)
{
	selected_forget_changes(session);
	session->vanished = imap_set_new();
	session->changed = g_array_new(FALSE, FALSE, sizeof(SessionChange));
	g_array_set_clear_func(session->changed, clear_change);
	session->changed_keywords = 0;
	session->changes.complete = true;
}

/* The parameters of EXAMINE and SELECT. The UIDs that are known are never named (RFC 7162 3.2.5.1):
 * Dovecot takes them for the only messages of interest and then keeps new ones to itself. */
static void add_parameters(Session *session, const Command *select)
{
	const SessionKnown *known = &select->target->known;
	if (session->qresync && known->uidvalidity != 0 && known->highestmodseq != 0) {
		imap_command_rawf(select->line, "(QRESYNC (%u %" G_GUINT64_FORMAT "))",
			known->uidvalidity, known->highestmodseq);
		expect_changes(session);
	} else if (!session->qresync && known->modseq && session->caps & IMAP_CAPS_MODSEQ) {
		imap_command_raw(select->line, "(CONDSTORE)");
	}
}

void selected_begin(Session *session, const Command *select)
{
	bool closes = session->selection != 0;
	selected_clear(session);
	session->selecting = select->selection;
	if (!select->target)
		return;
	session->box_name = g_strdup(select->target->name);
	session->writable = select->target->writable;
	begin_box(session);
	add_parameters(session, select);
	session->closed_due = session->vanished && closes;
}

/* RFC 3501 7.1: how the mailbox is selected, in the answer or by a change since. What EXAMINE
 * selected nothing makes writable. */
static void note_access(Session *session, ImapCode code)
{
	if (code == IMAP_CODE_READ_ONLY)
		session->box.read_only = true;
	else if (code == IMAP_CODE_READ_WRITE)
		session->box.read_only = !session->writable;
}

void selected_end(Session *session, const Command *select, const ImapStatus *status)
{
	if (session->selecting != select->selection)
		return;
	if (status->kind != IMAP_STATUS_OK || !select->target) {
		/* RFC 3501 6.3.1: no mailbox is selected after a failure. */
		selected_clear(session);
		return;
	}
	session->selection = session->selecting;
	session->selecting = 0;
	note_access(session, status->code);
	/* RFC 7162 3.2.11: without [CLOSED] some of it may be the old mailbox's. A server that made
	 * the UIDs anew knows of no changes. */
	session->changes.complete &= !session->closed_due;
	if (!session->vanished)
		return;
	if (session->box.uidvalidity != select->target->known.uidvalidity) {
		selected_forget_changes(session);
		return;
	}
	session->changes.vanished = session->vanished;
	session->changes.changed = (const SessionChange *)(gpointer)session->changed->data;
	session->changes.n_changed = session->changed->len;
}

static void lose_map(Session *session)
{
	g_clear_pointer(&session->map, imap_set_free);
	if (session->selection)
		session->events->expunged(NULL, session->data);
}

static void note_exists(Session *session, guint64 exists)
{
	/* Only EXPUNGE and VANISHED may lower it (RFC 3501 7.3.1). */
	bool shrunk = exists < session->box.exists;
	session->box.exists = exists;
	if (shrunk)
		lose_map(session);
}

static void note_expunge(Session *session, guint64 seq)
{
	if (seq == 0 || seq > session->box.exists) {
		lose_map(session);
		return;
	}
	session->box.exists--;
	guint32 uid = session->map ? imap_set_remove_nth(session->map, seq) : 0;
	if (uid == 0) {
		lose_map(session);
		return;
	}
	g_autoptr(ImapSet) gone = imap_set_new();
	imap_set_add(gone, uid, uid);
	if (session->selection)
		session->events->expunged(gone, session->data);
}

/* What EXAMINE says of changes (RFC 7162 3.2.5.1); whether it is that. */
static bool collect_vanished(Session *session, const ImapSet *uids, bool earlier)
{
	if (!session->selecting || !session->vanished || !earlier)
		return false;
	gsize n;
	imap_set_ranges(session->vanished, &n);
	session->changes.complete &= n < LIMIT_CHANGES;
	if (session->changes.complete)
		imap_set_union(session->vanished, uids);
	return true;
}

static void collect_change(Session *session, const ImapFetch *fetch)
{
	static const guint needed = IMAP_FETCH_UID | IMAP_FETCH_FLAGS | IMAP_FETCH_MODSEQ;
	SessionChange change = {.uid = fetch->uid, .flags = fetch->flags.system};
	guint n_keywords =
		fetch->has & IMAP_FETCH_FLAGS ? g_strv_length((char **)fetch->flags.keywords) : 0;
	session->changed_keywords += n_keywords;
	session->changes.complete &= (fetch->has & needed) == needed &&
				     session->changed->len < LIMIT_CHANGES &&
				     session->changed_keywords < LIMIT_CHANGES;
	if (!session->changes.complete)
		return;
	if (n_keywords > 0)
		change.keywords = g_strdupv((char **)fetch->flags.keywords);
	g_array_append_val(session->changed, change);
}

/* RFC 7162 3.2.10. Nobody asked for (EARLIER), and an answer that names messages which were never
 * there (seen at a large provider) says nothing reliable about the others. */
static void note_vanished(Session *session, const ImapSet *uids, bool earlier)
{
	if (collect_vanished(session, uids, earlier))
		return;
	guint64 named = imap_set_count(uids);
	if (!earlier)
		session->box.exists -= MIN(named, session->box.exists);
	guint64 before = session->map ? imap_set_count(session->map) : 0;
	if (session->map && !earlier)
		imap_set_subtract(session->map, uids);
	if (!session->map || before - imap_set_count(session->map) != named) {
		lose_map(session);
		return;
	}
	if (session->selection)
		session->events->expunged(uids, session->data);
}

/* A FETCH that names both numbers teaches the map what EXISTS only announced, or proves it wrong:
 * then no EXPUNGE may be read with it. Number 0 is sent by Courier for a message that just went. */
static void note_fetch(Session *session, const ImapFetch *fetch)
{
	if (session->selecting && session->vanished)
		collect_change(session, fetch);
	if (!session->map || !(fetch->has & IMAP_FETCH_UID) || fetch->seq == 0)
		return;
	guint64 known = imap_set_count(session->map);
	bool is_next = fetch->seq == known + 1 && fetch->seq <= session->box.exists;
	if (is_next && fetch->uid > imap_set_max(session->map))
		imap_set_add(session->map, fetch->uid, fetch->uid);
	else if (fetch->seq <= known && imap_set_nth(session->map, fetch->seq) != fetch->uid)
		g_clear_pointer(&session->map, imap_set_free);
}

static void note_uidvalidity(Session *session, guint32 uidvalidity)
{
	if (session->selection == 0)
		session->box.uidvalidity = uidvalidity;
	else if (uidvalidity != 0 && session->box.uidvalidity != 0 &&
		 uidvalidity != session->box.uidvalidity)
		session_failf(session, MAIL_ERROR_UNAVAILABLE,
			"UIDVALIDITY changed while the mailbox was selected");
}

/* NULL: not well formed, which says nothing. EXAMINE gets an empty list from servers, since nothing
 * can be changed then: that says nothing of the mailbox. */
static void note_permanent(Session *session, const ImapFlags *flags)
{
	if (!flags || !session->writable)
		return;
	g_strfreev(session->permanent_keywords);
	session->permanent_keywords = g_strdupv((char **)flags->keywords);
	session->box.permanent = flags->system;
	session->box.permanent_keywords = (const char *const *)session->permanent_keywords;
}

static void note_status(Session *session, const ImapStatus *status)
{
	switch (status->code) {
	case IMAP_CODE_UIDVALIDITY:
		note_uidvalidity(
			session, status->number <= G_MAXUINT32 ? (guint32)status->number : 0);
		break;
	case IMAP_CODE_UIDNEXT:
		session->box.uidnext = status->number <= G_MAXUINT32 ? (guint32)status->number : 0;
		break;
	case IMAP_CODE_HIGHESTMODSEQ:
		session->box.highestmodseq = status->number;
		break;
	case IMAP_CODE_PERMANENTFLAGS:
		note_permanent(session, status->flags);
		break;
	case IMAP_CODE_READ_ONLY:
	case IMAP_CODE_READ_WRITE:
		note_access(session, status->code);
		break;
	case IMAP_CODE_CLOSED:
		/* RFC 7162 3.2.11: all before it was about the mailbox selected before. */
		if (session->selecting)
			begin_box(session);
		session->closed_due = false;
		if (session->selecting && session->vanished)
			expect_changes(session);
		break;
	default:
		break;
	}
}

/* Takes note of untagged data; whether it is for the engine to see. */
bool selected_note(Session *session, const ImapResponse *response)
{
	bool any = session->selection || session->selecting;
	switch (response->kind) {
	case IMAP_RESPONSE_STATUS:
		if (any && response->status.kind == IMAP_STATUS_OK)
			note_status(session, &response->status);
		return true;
	case IMAP_RESPONSE_EXISTS:
		if (any)
			note_exists(session, response->number);
		break;
	case IMAP_RESPONSE_EXPUNGE:
		if (any)
			note_expunge(session, response->number);
		break;
	case IMAP_RESPONSE_VANISHED:
		if (any)
			note_vanished(session, response->vanished, response->earlier);
		break;
	case IMAP_RESPONSE_FETCH:
		if (any)
			note_fetch(session, &response->fetch);
		break;
	case IMAP_RESPONSE_SEARCH:
		if (response->search.mailbox.data)
			return true;
		break;
	default:
		return true;
	}
	return session->selection != 0;
}

const SessionMailbox *session_selected(const Session *session)
{
	return session->selection ? &session->box : NULL;
}

const SessionChanges *session_changes(const Session *session)
{
	return session->selection && session->vanished ? &session->changes : NULL;
}

bool session_set_map(Session *session, const ImapSet *uids)
{
	g_clear_pointer(&session->map, imap_set_free);
	if (!session->selection || imap_set_count(uids) != session->box.exists)
		return false;
	session->map = imap_set_copy(uids);
	return true;
}

bool session_extend_map(Session *session, const ImapSet *uids)
{
	if (!session->map)
		return false;
	guint32 last = imap_set_max(session->map);
	g_autoptr(ImapSet) whole = imap_set_copy(uids);
	/* "8:*" names the last message also when its UID is below 8 (RFC 3501 6.4.8). */
	if (last > 0)
		imap_set_remove(whole, 1, last);
	imap_set_union(whole, session->map);
	if (imap_set_count(whole) == session->box.exists) {
		imap_set_free(session->map);
		session->map = g_steal_pointer(&whole);
	}
	return session_has_map(session);
}

const ImapSet *session_map(const Session *session)
{
	return session->map;
}

bool session_has_map(const Session *session)
{
	return session->map && imap_set_count(session->map) == session->box.exists;
}

guint32 session_uid(const Session *session, guint32 seq)
{
	return session->map ? imap_set_nth(session->map, seq) : 0;
}
