/* Changes that go out together: how they are gathered, and what becomes of them when they are
 * refused or cut off. */
#include "engine/change.h"

#include <string.h>

/* ---- one batch ---- */

Batch *batch_new(Engine *engine, IntentKind kind, Conn *conn)
{
	Batch *batch = g_new0(Batch, 1);
	*batch = (Batch){.engine = engine, .kind = kind, .conn = conn, .link.data = batch};
	batch->changes = g_ptr_array_new();
	batch->uids = imap_set_new();
	conn->batches++;
	g_queue_push_tail_link(&engine->changes->batches, &batch->link);
	return batch;
}

void batch_add(Batch *batch, Change *change)
{
	change_wait_in(change, NULL);
	g_ptr_array_add(batch->changes, change);
	imap_set_add(batch->uids, change->intent->uid, change->intent->uid);
}

void batch_free(Batch *batch)
{
	batch->conn->batches--;
	g_queue_unlink(&batch->engine->changes->batches, &batch->link);
	if (batch->box)
		box_pump(batch->box);
	g_ptr_array_unref(batch->changes);
	imap_set_free(batch->uids);
	imap_set_free(batch->deleted);
	imap_set_free(batch->from);
	imap_set_free(batch->to);
	if (batch->text)
		batch->conn->upload_bytes -= g_bytes_get_size(batch->text);
	g_clear_pointer(&batch->text, g_bytes_unref);
	g_clear_error(&batch->error);
	g_clear_error(&batch->expunge_error);
	engine_pump(batch->engine);
	g_free(batch);
}

void batch_add_uids(const Batch *batch, ImapCommand *line)
{
	g_autofree char *text = imap_set_to_string(batch->uids);
	imap_command_raw(line, text);
}

bool batch_is_told(const Batch *batch)
{
	const ImapSet *there = session_map(batch->conn->session);
	if (!there)
		return true;
	g_autoptr(ImapSet) others = imap_set_copy(there);
	imap_set_subtract(others, batch->uids);
	return imap_set_count(others) == imap_set_count(there);
}

bool batch_holds(const Batch *batch)
{
	const Conn *conn = batch->conn;
	return conn->ready && session_is_ready(conn->session) && conn->box == batch->box &&
	       !conn->selecting && conn->gen == batch->gen && !conn->renamed &&
	       batch->gen == store_gen(batch->engine->store, batch->box->id);
}

/* ---- its commands ---- */

void batch_take_answer(Batch *batch, const ImapStatus *status, const GError *error)
{
	if (status && batch->box)
		conn_answered(batch->conn, error);
	if (!error || batch->error)
		return;
	batch->error = g_error_copy(error);
	batch->lost = !status;
	batch->bad = status && status->kind == IMAP_STATUS_BAD;
	batch->code = status ? status->code : IMAP_CODE_NONE;
}

void batch_answered(Batch *batch)
{
	if (--batch->commands == 0)
		batch->advance(batch);
}

static void answered(const ImapStatus *status, const GError *error, gpointer data)
{
	batch_take_answer(data, status, error);
	batch_answered(data);
}

void batch_send(Batch *batch, SessionNeed need, ImapCommand *line)
{
	batch->commands++;
	session_submit(batch->conn->session, need, line, answered, batch);
}

static void target_answered(const ImapStatus *status, const GError *error, gpointer data)
{
	Batch *batch = data;
	/* Who may add to a mailbox need not be allowed to look at it (RFC 4314 4). */
	if (!status)
		batch_take_answer(batch, status, error);
	batch_answered(batch);
}

void batch_ask_target(Batch *batch)
{
	const char *name = batch->target->name;
	ImapCommand *line = imap_command_new("STATUS");
	imap_command_mailbox(line, name, strlen(name));
	imap_command_raw(line, "(UIDNEXT UIDVALIDITY)");
	batch->is_asking = true;
	batch->commands++;
	session_submit(batch->conn->session, SESSION_ANY, line, target_answered, batch);
}

static guint32 in_range(const ImapMailboxStatus *status, guint bit, guint64 number)
{
	return status->has & bit && number <= G_MAXUINT32 ? (guint32)number : 0;
}

bool change_note_mailbox_status(Conn *conn, const ImapMailboxStatus *status)
{
	const Box *box = box_named(conn->engine, status->name);
	bool asked = false;
	for (GList *l = conn->engine->changes->batches.head; l; l = l->next) {
		Batch *batch = l->data;
		if (batch->conn != conn || batch->target != box || !batch->is_asking)
			continue;
		batch->uidvalidity = in_range(status, IMAP_HAS_UIDVALIDITY, status->uidvalidity);
		batch->uidnext = in_range(status, IMAP_HAS_UIDNEXT, status->uidnext);
		asked = true;
	}
	return asked && !(status->has & IMAP_HAS_MESSAGES);
}

/* Ahead of the answer MOVE alone says it (RFC 6851 4.3), and REPLACE (RFC 8508 3.4); COPY did
 * nothing if it fails (RFC 3501 6.4.7). */
static bool take_uids(Batch *batch, const ImapStatus *status)
{
	if (status->code == IMAP_CODE_COPYUID)
		return batch->moves && transfer_take_copyuid(batch, status);
	if (batch->kind != INTENT_APPEND || !batch->box || batch->to)
		return false;
	append_take_appenduid(batch, status);
	return batch->to != NULL;
}

void change_note_uids(Conn *conn, const ImapStatus *status)
{
	if (status->code != IMAP_CODE_COPYUID && status->code != IMAP_CODE_APPENDUID)
		return;
	for (GList *l = conn->engine->changes->batches.head; l; l = l->next) {
		Batch *batch = l->data;
		if (batch->conn == conn && take_uids(batch, status))
			return;
	}
}

/* Those that wait for something else than an answer. */
void change_conn_closed(Conn *conn)
{
	for (GList *l = conn->engine->changes->batches.head, *next; l; l = next) {
		Batch *batch = l->data;
		next = l->next;
		if (batch->conn != conn || batch->commands > 0)
			continue;
		batch->lost = true;
		batch->advance(batch);
	}
}

/* ---- its end ---- */

static const char *const verbs[INTENT_KINDS_] = {
	[INTENT_FLAGS] = "changing the flags",
	[INTENT_REMOVE] = "removing",
	[INTENT_MARK] = "marking as deleted",
	[INTENT_MOVE] = "moving",
	[INTENT_COPY] = "copying",
	[INTENT_APPEND] = "uploading",
};

static void log_refusal(const Batch *batch, const GError *error)
{
	const char *from = batch->box ? batch->box->name : NULL;
	const char *to = batch->target ? batch->target->name : NULL;
	g_message("%s%s%s: %s %u message%s failed: %s", from ? from : "", from && to ? " to " : "",
		to ? to : "", verbs[batch->kind], batch->changes->len,
		batch->changes->len == 1 ? "" : "s", error->message);
}

static void end_one(Change *change, const GError *error)
{
	if (error)
		change_fail(change, error);
	else
		change_finish(change);
}

void batch_end(Batch *batch, const GError *error)
{
	if (error && batch->changes->len > 0)
		log_refusal(batch, error);
	while (batch->changes->len > 0)
		end_one(g_ptr_array_steal_index_fast(batch->changes, 0), error);
	batch_free(batch);
}

void batch_again(Batch *batch)
{
	while (batch->changes->len > 0)
		change_queue(g_ptr_array_steal_index(batch->changes, 0), false);
	batch_free(batch);
}

/* From now on in halves, so that the one that is at fault is alone in the end. */
static void split(const Batch *batch)
{
	for (guint i = 0; i < batch->changes->len; i++)
		((Change *)g_ptr_array_index(batch->changes, i))->most =
			(batch->changes->len + 1) / 2;
}

bool change_survives_loss(Change *change, const GError *error)
{
	enum { LOSSES = 8 };
	if (++change->losses < LOSSES)
		return true;
	g_autoptr(GError) why = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
		"the connection ends each time it is tried: %s", error->message);
	g_message("A change is given up: %s", why->message);
	change_fail(change, why);
	return false;
}

void batch_lost(Batch *batch)
{
	enum { TOGETHER = 2 };
	g_autoptr(GError) error = batch->error ? g_error_copy(batch->error)
					       : g_error_new_literal(MAIL_ERROR,
							 MAIL_ERROR_UNAVAILABLE, "it was closed");
	const Change *first = g_ptr_array_index(batch->changes, 0);
	if (batch->changes->len > 1 && first->losses >= TOGETHER)
		split(batch);
	for (guint i = batch->changes->len; i > 0; i--) {
		Change *change = g_ptr_array_index(batch->changes, i - 1);
		if (!change_survives_loss(change, error))
			g_ptr_array_remove_index(batch->changes, i - 1);
	}
	batch_again(batch);
}

/* What is about all that was asked for, or about the mailbox: others would not fare better. */
static bool is_about_all(MailError code)
{
	switch (code) {
	case MAIL_ERROR_NOT_FOUND:
	case MAIL_ERROR_ACCESS:
	case MAIL_ERROR_READ_ONLY:
	case MAIL_ERROR_QUOTA:
		return true;
	default:
		return false;
	}
}

static bool is_transient(MailError code)
{
	return code == MAIL_ERROR_UNAVAILABLE || code == MAIL_ERROR_BUSY;
}

/* Tried again after a pause, some times. */
static bool put_off(Batch *batch, const GError *error)
{
	enum { TRIES = 3, PAUSE_S = 2 };
	Change *first = g_ptr_array_index(batch->changes, 0);
	gint64 until_us = g_get_monotonic_time() + PAUSE_S * G_USEC_PER_SEC;
	if (!is_transient((MailError)error->code) || first->refusals + 1 >= TRIES)
		return false;
	for (guint i = 0; i < batch->changes->len; i++)
		((Change *)g_ptr_array_index(batch->changes, i))->refusals++;
	if (batch->box)
		batch->box->changes_hold_us = until_us;
	else
		batch->engine->changes->appends_hold_us = until_us;
	batch_again(batch);
	return true;
}

void batch_refused(Batch *batch, const GError *error)
{
	g_autoptr(GError) why = g_error_copy(error);
	if (put_off(batch, why))
		return;
	if (batch->changes->len == 1 || is_about_all((MailError)why->code)) {
		batch_end(batch, why);
		return;
	}
	split(batch);
	batch_again(batch);
}

/* ---- how changes are gathered ---- */

static bool go_together(const Change *a, const Change *b)
{
	const Intent *x = a->intent, *y = b->intent;
	IntentKind kind = change_kind(a);
	if (kind == INTENT_APPEND)
		return a == b;
	if (kind != change_kind(b) || a->most != b->most || a->by_copy != b->by_copy)
		return false;
	if (kind == INTENT_MOVE || kind == INTENT_COPY)
		return a->target == b->target;
	return kind != INTENT_FLAGS ||
	       (x->flags_add == y->flags_add && x->flags_remove == y->flags_remove &&
		       g_strcmp0(x->keywords_add, y->keywords_add) == 0 &&
		       g_strcmp0(x->keywords_remove, y->keywords_remove) == 0);
}

/* As many of the queue as go with its first, and into one command line. */
static Batch *gather(Box *box, Conn *conn)
{
	enum { NAME_AND_ITEMS = 80 };
	const Change *first = box->changes.head->data;
	g_autoptr(ImapSet) all = imap_set_new();
	for (GList *l = box->changes.head; l; l = l->next) {
		const Change *change = l->data;
		if (go_together(first, change))
			imap_set_add(all, change->intent->uid, change->intent->uid);
	}
	guint64 most = first->most ? first->most : LIMIT_COMMAND_UIDS;
	gsize room = LIMIT_COMMAND_LINE - NAME_AND_ITEMS;
	if (first->intent->target)
		room -= MIN(strlen(first->intent->target) + 2, room / 2);
	g_autofree char *text = imap_set_take(all, room, most);
	g_autoptr(ImapSet) uids = imap_set_parse(text, strlen(text), LIMIT_COMMAND_LINE);
	Batch *batch = batch_new(box->engine, change_kind(first), conn);
	batch->box = box;
	batch->gen = conn->gen;
	for (GList *l = box->changes.head, *next; l; l = next) {
		Change *change = l->data;
		next = l->next;
		if (go_together(first, change) && imap_set_contains(uids, change->intent->uid))
			batch_add(batch, change);
	}
	return batch;
}

static int by_uid(gconstpointer a, gconstpointer b)
{
	guint32 x = (*(Change *const *)a)->intent->uid, y = (*(Change *const *)b)->intent->uid;
	return x < y ? -1 : x > y;
}

static void noticed(const ImapStatus *status, const GError *error, gpointer data)
{
	Conn *conn = data;
	conn->notices--;
	if (conn->box)
		box_pump(conn->box);
}

/* What came by another connection a server tells of between two commands (RFC 3501 7), and not
 * between all: before that its UID means nothing there, and OK is all that Dovecot says. */
void change_notice(Conn *conn)
{
	conn->notices++;
	session_submit(conn->session, SESSION_SELECTED, imap_command_new("NOOP"), noticed, conn);
}

void change_notice_last(Conn *conn, guint32 last)
{
	const ImapSet *map = session_map(conn->session);
	guint32 told = MAX(conn->noticed_uid, map ? imap_set_max(map) : 0);
	if (last <= told || last < session_selected(conn->session)->uidnext)
		return;
	conn->noticed_uid = last;
	change_notice(conn);
}

/* Whether what is to be changed may be unknown there before the answer to a NOOP. */
static bool waits_for_notice(const Box *box, Conn *conn)
{
	guint32 last = 0;
	for (const GList *l = box->changes.head; l; l = l->next)
		last = MAX(last, ((const Change *)l->data)->intent->uid);
	change_notice_last(conn, last);
	return conn->notices > 0;
}

static void begin(Batch *batch)
{
	g_ptr_array_sort(batch->changes, by_uid);
	if (batch->kind == INTENT_MOVE || batch->kind == INTENT_COPY)
		transfer_begin(batch);
	else if (batch->kind == INTENT_APPEND)
		append_begin(batch);
	else
		mark_begin(batch);
}

/* ---- what need not go out ---- */

/* It went meanwhile: the server has told of messages behind it on this connection. A listing that
 * another one made may be older than the message. */
static bool is_gone(const Conn *conn, const Change *change)
{
	const ImapSet *map = session_map(conn->session);
	guint32 uid = change->intent->uid;
	return map && session_has_map(conn->session) && uid < imap_set_max(map) &&
	       !imap_set_contains(map, uid);
}

static GError *gone_error(const Box *box, const Change *change)
{
	IntentKind kind = change_kind(change);
	if (kind == INTENT_REMOVE || kind == INTENT_MARK)
		return NULL;
	return g_error_new(MAIL_ERROR, MAIL_ERROR_STALE, "%s: message %u is gone", box->name,
		change->intent->uid);
}

/* What is known by now to be refused, or needless. Whether the change is over. */
static bool is_settled(Box *box, const Conn *conn, Change *change)
{
	g_autoptr(GError) error = NULL;
	const Intent *intent = change->intent;
	bool writes = change_kind(change) != INTENT_COPY;
	if (conn->gen == 0 || change_gen(change) != conn->gen)
		error = g_error_new(MAIL_ERROR, MAIL_ERROR_STALE,
			"%s: the server gave the mailbox a new UIDVALIDITY", box->name);
	else if (is_gone(conn, change)) {
		error = gone_error(box, change);
		if (!error) {
			change_finish(change);
			return true;
		}
	} else if (writes && box->read_only)
		error = g_error_new(MAIL_ERROR, MAIL_ERROR_READ_ONLY,
			"%s: the mailbox is read-only", box->name);
	else if (intent->kind == INTENT_FLAGS)
		change_check_flags(box, intent->flags_add | intent->flags_remove,
			intent->keywords_add, &error);
	bool appends = change_kind(change) == INTENT_APPEND;
	if (appends && (error || !append_replaces(change, conn))) {
		append_plainly(change);
		return true;
	}
	if (!error)
		return false;
	g_message("%s: %s message %u failed: %s", box->name, verbs[intent->kind], intent->uid,
		error->message);
	change_fail(change, error);
	return true;
}

static void settle_known(Box *box, const Conn *conn)
{
	for (GList *l = box->changes.head, *next; l; l = next) {
		next = l->next;
		change_show(l->data);
		is_settled(box, conn, l->data);
	}
}

/* ---- on a mailbox's turn ---- */

bool change_has_work(const Box *box)
{
	if (box->searches_due > 0 && !box->sync)
		return true;
	return (box->changes.length > 0 || look_has_work(box)) &&
	       g_get_monotonic_time() >= box->changes_hold_us;
}

/* Those that wait for a search of the listing to end. */
static void go_on(Box *box)
{
	for (GList *l = box->engine->changes->batches.head, *next; l; l = next) {
		Batch *batch = l->data;
		next = l->next;
		if (batch->box == box && batch->commands == 0)
			batch->advance(batch);
	}
}

/* Without UIDPLUS nothing else may be \Deleted that is not in the batch. */
static bool has_to_wait(const Box *box, const Conn *conn)
{
	if (change_can_expunge_uids(conn))
		return false;
	for (const GList *l = box->engine->changes->batches.head; l; l = l->next) {
		const Batch *batch = l->data;
		if (batch->box == box && batch->kind == INTENT_REMOVE)
			return true;
	}
	return false;
}

void change_dispatch(Box *box, Conn *conn)
{
	enum { DEPTH = 8 };
	go_on(box);
	look_dispatch(box, conn);
	if (box->changes.length == 0 || g_get_monotonic_time() < box->changes_hold_us)
		return;
	conn_select(conn, box);
	/* What changes something waits for UIDVALIDITY: UIDs might be other messages'. */
	if (conn->selecting)
		return;
	/* All that waits is walked through, be it a hundred thousand: not for nothing. */
	if (session_pending(conn->session) >= DEPTH)
		return;
	settle_known(box, conn);
	if (waits_for_notice(box, conn))
		return;
	while (box->changes.length > 0 && session_pending(conn->session) < DEPTH) {
		const Change *first = box->changes.head->data;
		if (change_is_held(first) ||
			(change_kind(first) == INTENT_REMOVE && has_to_wait(box, conn)))
			return;
		begin(gather(box, conn));
	}
}

/* SELECT was answered. */
void change_selected(Box *box, const Conn *conn)
{
	const SessionMailbox *mailbox = session_selected(conn->session);
	box->changes_refused = 0;
	if (!conn->writable)
		return;
	box->was_writable = true;
	box->read_only = mailbox->read_only;
	box->permanent = mailbox->permanent;
	g_strfreev(box->permanent_keywords);
	box->permanent_keywords = g_strdupv((char **)mailbox->permanent_keywords);
}

static void fail_changes(Box *box, const GError *error)
{
	g_autoptr(GError) why = g_error_copy(error);
	why->code = box->missing ? MAIL_ERROR_STALE : why->code;
	g_message(
		"%s: %u changes cannot be made: %s", box->name, box->changes.length, why->message);
	for (guint left = box->changes.length; left > 0 && box->changes.length > 0; left--) {
		Change *change = box->changes.head->data;
		if (change_kind(change) == INTENT_APPEND)
			append_plainly(change);
		else
			change_fail(change, why);
	}
}

/* It cannot be selected: tried again some times, unless it is not there any more. */
void change_box_refused(Box *box, const GError *error)
{
	enum { TRIES = 3, PAUSE_S = 5 };
	guint waiting = box->changes.length + box->finds.length + box->checks.length;
	if (waiting == 0)
		return;
	if (!box->missing && ++box->changes_refused < TRIES) {
		box->changes_hold_us = g_get_monotonic_time() + PAUSE_S * G_USEC_PER_SEC;
		return;
	}
	box->changes_refused = 0;
	look_refused(box, error);
	if (box->changes.length > 0)
		fail_changes(box, error);
}
