/* What became of a MOVE, COPY or APPEND whose answer was lost, or did not say it: the source is
 * looked at, and then the target, from what was the next UID there when it was sent. */
#include <string.h>

#include "engine/change.h"
#include "engine/match.h"

enum {
	ROWS_MOST = 1 << 17,
	AGAIN_S = 1, /* the server may be about to finish what it was told; doubled each time */
	TRIES = 2,
	TRIES_SLOW = 6, /* half a minute, where the server had it and did not answer in time */
};

/* One UID FETCH under way. */
struct Look {
	Box *box;
	Conn *conn;
	bool finds; /* in the target, and not whether the source is there */
	guint32 first; /* UIDs from here on count */
	GPtrArray *changes; /* Change*, not owned */
	GArray *rows;
	GString *text; /* of the header that is arriving; NULL: none is */
};

static void look_free(Look *look)
{
	look->conn->batches--;
	look->conn->look = NULL;
	look->box->look = NULL;
	box_pump(look->box);
	g_ptr_array_unref(look->changes);
	g_array_unref(look->rows);
	if (look->text)
		g_string_free(look->text, TRUE);
	g_free(look);
}

/* ---- where it is looked for ---- */

static void find_in_target(Change *change)
{
	Box *box = box_get(change->engine, change->target);
	change_wait_in(change, &box->finds);
	box_pump(box);
}

/* Of what UID MOVE was answered OK nothing is left in the source. */
void look_for(Change *change)
{
	const Intent *intent = change->intent;
	bool moved = change->confirmed && intent->kind == INTENT_MOVE && !change->by_copy;
	change->there = false;
	if (intent->kind == INTENT_APPEND || moved) {
		find_in_target(change);
		return;
	}
	Box *box = box_get(change->engine, change->mailbox);
	change_wait_in(change, &box->checks);
	box_pump(box);
}

bool look_has_work(const Box *box)
{
	if (box->look)
		return false;
	return box->checks.length > 0 ||
	       (box->finds.length > 0 && g_get_monotonic_time() >= box->finds_hold_us);
}

/* ---- the answer ---- */

bool look_body_begin(Conn *conn, const ImapBodyStart *start)
{
	Look *look = conn->look;
	if (!look || look->text || start->section.len < 6 ||
		g_ascii_strncasecmp(start->section.data, "HEADER", 6) != 0 ||
		start->size > MATCH_HEADER_MOST)
		return false;
	look->text = g_string_new(NULL);
	return true;
}

bool look_body_bytes(Conn *conn, const void *bytes, gsize len)
{
	Look *look = conn->look;
	if (!look || !look->text)
		return false;
	g_string_append_len(look->text, bytes, (gssize)len);
	return true;
}

static void take_header(MatchRow *row, const char *text, gsize len)
{
	row->message_id = message_id_of(text, len);
	row->header = g_bytes_new(text, len);
}

void look_note(Conn *conn, guint32 uid, const ImapFetch *fetch)
{
	Look *look = conn->look;
	if (!look)
		return;
	MatchRow row = {.uid = uid, .size = fetch->size, .date = fetch->internaldate};
	for (gsize i = 0; i < fetch->n_bodies && !row.header; i++) {
		const ImapBody *body = &fetch->bodies[i];
		if (body->form == IMAP_BODY_STREAMED && look->text)
			take_header(&row, look->text->str, look->text->len);
		else if (body->form == IMAP_BODY_INLINE)
			take_header(&row, body->data.data ? body->data.data : "", body->data.len);
	}
	if (look->text)
		g_string_free(g_steal_pointer(&look->text), TRUE);
	bool asked = fetch->has & IMAP_FETCH_SIZE && fetch->n_bodies > 0;
	if (asked && uid >= look->first && look->rows->len < ROWS_MOST)
		g_array_append_val(look->rows, row);
	else
		match_row_clear(&row);
}

/* ---- what follows ---- */

static void found(Change *change)
{
	if (change->intent->kind == INTENT_APPEND) {
		append_done(change);
		return;
	}
	if (change->intent->kind == INTENT_COPY || !change->there)
		change_finish(change);
	else {
		change_note_step(change, INTENT_COPIED);
		change_queue(change, false);
	}
}

static GError *gone_error(const Change *change)
{
	return g_error_new(MAIL_ERROR, MAIL_ERROR_STALE, "message %u is gone", change->intent->uid);
}

/* Its UID is no message's any more, but the message may be there. */
static bool is_renumbered(Change *change)
{
	Gen gen = change_gen(change);
	return gen == 0 || gen != store_gen(change->engine->store, change->mailbox);
}

static void send_again(Change *change)
{
	change_note_step(change, INTENT_QUEUED);
	change_queue(change, false);
}

/* The server said that it did it: then it is not done again, and nothing is removed for it. But OK
 * is also what it says when there was nothing to copy (RFC 3501 6.4.8). */
static void not_found_though_confirmed(Change *change)
{
	g_autoptr(GError) gone = gone_error(change);
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
		"the server says that it copied a message to %s, and there is no copy",
		change->intent->target);
	bool copies = change->intent->kind == INTENT_COPY;
	change->alone = true;
	if (change->intent->kind == INTENT_APPEND)
		append_done(change);
	else if (change->there && !copies)
		change_fail(change, error);
	else if (!change->there && copies)
		change_fail(change, gone);
	else
		change_finish(change);
}

static void not_found(Change *change)
{
	g_autoptr(GError) gone = gone_error(change);
	if (++change->looks < (change->timed_out ? TRIES_SLOW : TRIES)) {
		Box *box = box_get(change->engine, change->target);
		gint64 pause_us = (AGAIN_S * G_USEC_PER_SEC) << (change->looks - 1);
		box->finds_hold_us = MAX(box->finds_hold_us, g_get_monotonic_time() + pause_us);
		find_in_target(change);
		return;
	}
	change->looks = 0;
	if (change->confirmed)
		not_found_though_confirmed(change);
	else if (change->intent->kind == INTENT_APPEND || change->there)
		send_again(change);
	else if (change->intent->kind == INTENT_MOVE && !is_renumbered(change))
		change_finish(change);
	else
		change_fail(change, gone);
}

/* Finds those whose source is there, or is not. */
static void find_all(const Look *look, bool there, guint32 uidvalidity, ImapSet *ret)
{
	for (guint i = 0; i < look->changes->len; i++) {
		Change *change = g_ptr_array_index(look->changes, i);
		if (change->there != there)
			continue;
		guint32 uid = match_find(look->rows, change, uidvalidity);
		change->intent->target_uid = uid;
		imap_set_add(ret, uid, uid);
		if (uid != 0)
			change->intent->target_uidvalidity = uidvalidity;
	}
}

/* Of two that look the same the one whose source is gone was moved: the other one's would be
 * removed. */
static void judge_targets(Look *look)
{
	Engine *engine = look->box->engine;
	guint32 uidvalidity = store_gen_uidvalidity(engine->store, look->conn->gen);
	g_autoptr(ImapSet) uids = imap_set_new();
	match_claim(look->rows, engine, look->box->id, look->conn->gen);
	find_all(look, false, uidvalidity, uids);
	find_all(look, true, uidvalidity, uids);
	arrive(engine, look->box, uidvalidity, uids);
	while (look->changes->len > 0) {
		Change *change = g_ptr_array_steal_index(look->changes, 0);
		if (change->intent->target_uid != 0)
			found(change);
		else
			not_found(change);
	}
}

static const MatchRow *row_of(const Look *look, guint32 uid)
{
	for (guint i = 0; i < look->rows->len; i++) {
		const MatchRow *row = &g_array_index(look->rows, MatchRow, i);
		if (row->uid == uid)
			return row;
	}
	return NULL;
}

/* They were asked for, and not answered for: whoever took them away, they are gone. */
static void forget_gone(Look *look)
{
	g_autoptr(ImapSet) gone = imap_set_new();
	for (guint i = 0; i < look->changes->len; i++) {
		Change *change = g_ptr_array_index(look->changes, i);
		guint32 uid = change->intent->uid;
		if (change_gen(change) == look->conn->gen && !row_of(look, uid))
			imap_set_add(gone, uid, uid);
	}
	sync_note_expunged(look->conn, gone);
	sync_flush(look->box);
}

static void judge_sources(Look *look)
{
	forget_gone(look);
	while (look->changes->len > 0) {
		Change *change = g_ptr_array_steal_index(look->changes, 0);
		Intent *intent = change->intent;
		const MatchRow *row =
			change_gen(change) == look->conn->gen ? row_of(look, intent->uid) : NULL;
		change->there = row != NULL;
		if (row) {
			intent->size = row->size;
			intent->date = row->date;
			g_free(intent->message_id);
			intent->message_id = g_strdup(row->message_id);
		}
		find_in_target(change);
	}
}

static void put_back(Look *look, const GError *error)
{
	Box *box = look->box;
	box->finds_hold_us = g_get_monotonic_time() + AGAIN_S * G_USEC_PER_SEC;
	while (look->changes->len > 0) {
		Change *change = g_ptr_array_steal_index(look->changes, 0);
		if (change_survives_loss(change, error))
			change_wait_in(change, look->finds ? &box->finds : &box->checks);
	}
}

static void looked(const ImapStatus *status, const GError *error, gpointer data)
{
	Look *look = data;
	if (status)
		conn_answered(look->conn, error);
	if (error)
		put_back(look, error);
	else if (look->finds)
		judge_targets(look);
	else
		judge_sources(look);
	look_free(look);
}

/* ---- the question ---- */

/* From where on the target is looked at: from its beginning if it is another one now. */
static guint32 first_of(const Look *look)
{
	guint32 uidvalidity = store_gen_uidvalidity(look->box->engine->store, look->conn->gen);
	guint32 first = G_MAXUINT32;
	for (guint i = 0; i < look->changes->len; i++) {
		const Intent *intent = ((Change *)g_ptr_array_index(look->changes, i))->intent;
		bool same = intent->target_uidvalidity == uidvalidity;
		first = MIN(first, same ? MAX(intent->target_uidnext, 1) : 1);
	}
	return first;
}

static bool needs_header(const Look *look)
{
	for (guint i = 0; i < look->changes->len; i++) {
		const Change *change = g_ptr_array_index(look->changes, i);
		const Intent *intent = change->intent;
		if (intent->kind == INTENT_APPEND &&
			(!intent->message_id || match_slack(change) > 0))
			return true;
	}
	return false;
}

static void send(Look *look, const char *uids)
{
	change_notice(look->conn);
	ImapCommand *line = imap_command_new("UID FETCH");
	imap_command_raw(line, uids);
	imap_command_raw(line, needs_header(look) ? "(UID INTERNALDATE RFC822.SIZE"
						    " BODY.PEEK[HEADER])"
						  : "(UID INTERNALDATE RFC822.SIZE"
						    " BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
	session_submit(look->conn->session, SESSION_QUIET, line, looked, look);
}

static void send_sources(Look *look)
{
	enum { NAME_AND_ITEMS = 120 };
	g_autoptr(ImapSet) all = imap_set_new();
	for (GList *l = look->box->checks.head; l; l = l->next) {
		guint32 uid = ((Change *)l->data)->intent->uid;
		imap_set_add(all, uid, uid);
	}
	g_autofree char *text =
		imap_set_take(all, LIMIT_COMMAND_LINE - NAME_AND_ITEMS, LIMIT_COMMAND_UIDS);
	for (GList *l = look->box->checks.head, *next; l; l = next) {
		Change *change = l->data;
		next = l->next;
		if (imap_set_contains(all, change->intent->uid))
			continue;
		change_wait_in(change, NULL);
		g_ptr_array_add(look->changes, change);
	}
	send(look, text);
}

static void send_targets(Look *look)
{
	while (look->box->finds.length > 0) {
		Change *change = look->box->finds.head->data;
		change_wait_in(change, NULL);
		g_ptr_array_add(look->changes, change);
	}
	look->first = first_of(look);
	g_autofree char *text = g_strdup_printf("%u:*", look->first);
	send(look, text);
}

static bool are_twins(const Change *a, const Change *b)
{
	return a != b && b->intent->kind == INTENT_APPEND && a->target == b->target &&
	       a->intent->size == b->intent->size &&
	       g_strcmp0(a->intent->message_id, b->intent->message_id) == 0;
}

bool look_has_twin(const Change *change)
{
	const Box *box = box_get(change->engine, change->target);
	for (const GList *l = change->engine->changes->batches.head; l; l = l->next)
		if (are_twins(change, g_ptr_array_index(((Batch *)l->data)->changes, 0)))
			return true;
	for (const GList *l = box->finds.head; l; l = l->next)
		if (are_twins(change, l->data))
			return true;
	for (guint i = 0; box->look && i < box->look->changes->len; i++)
		if (are_twins(change, g_ptr_array_index(box->look->changes, i)))
			return true;
	return false;
}

void look_dispatch(Box *box, Conn *conn)
{
	if (!look_has_work(box))
		return;
	conn_select(conn, box);
	if (conn->selecting || conn->look)
		return;
	Look *look = g_new0(Look, 1);
	*look = (Look){.box = box, .conn = conn, .finds = box->checks.length == 0};
	look->changes = g_ptr_array_new();
	look->rows = g_array_new(FALSE, FALSE, sizeof(MatchRow));
	g_array_set_clear_func(look->rows, match_row_clear);
	conn->batches++;
	conn->look = box->look = look;
	if (look->finds)
		send_targets(look);
	else
		send_sources(look);
}

/* The mailbox cannot be selected. */
void look_refused(Box *box, const GError *error)
{
	while (box->checks.length > 0)
		find_in_target(box->checks.head->data);
	for (guint left = box->finds.length; left > 0; left--) {
		Change *change = box->finds.head->data;
		change_wait_in(change, NULL);
		if (change->confirmed)
			not_found_though_confirmed(change);
		else
			change_fail(change, error);
	}
}
