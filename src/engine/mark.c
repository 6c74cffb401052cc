/* What is done by UID STORE: flags, and with \Deleted the removal of messages (RFC 3501 6.4.6,
 * 6.4.3; UIDPLUS, RFC 4315 2.1). */
#include "engine/change.h"

typedef enum {
	MARK_STORED, /* STORE, and UID EXPUNGE behind it where it is offered */
	MARK_SEARCH_DUE, /* without: who else is \Deleted is asked when the listing is at rest */
	MARK_SEARCHED,
	MARK_EXPUNGED, /* by EXPUNGE, or by one more UID EXPUNGE */
	MARK_UNDONE, /* the expunge was refused: \Deleted is taken back */
} MarkStep;

bool change_can_expunge_uids(const Conn *conn)
{
	return session_caps(conn->session) &
	       (IMAP_CAP_BIT(IMAP_CAP_UIDPLUS) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
}

/* .SILENT: what the flags are then is known (RFC 3501 6.4.6). */
static void send_store(Batch *batch, char sign, const char *flags)
{
	ImapCommand *line = imap_command_new("UID STORE");
	batch_add_uids(batch, line);
	imap_command_rawf(line, "%cFLAGS.SILENT (%s)", sign, flags);
	batch_send(batch, SESSION_SELECTED, line);
}

static void expunged(const ImapStatus *status, const GError *error, gpointer data)
{
	Batch *batch = data;
	if (status)
		conn_answered(batch->conn, error);
	if (error)
		batch->expunge_error = g_error_copy(error);
	batch->lost |= !status;
	batch_answered(batch);
}

static void send_expunge(Batch *batch, bool uids)
{
	ImapCommand *line = imap_command_new(uids ? "UID EXPUNGE" : "EXPUNGE");
	if (uids)
		batch_add_uids(batch, line);
	batch->commands++;
	session_submit(batch->conn->session, SESSION_SELECTED, line, expunged, batch);
}

static void begin_flags(Batch *batch)
{
	const Intent *intent = ((Change *)g_ptr_array_index(batch->changes, 0))->intent;
	g_autofree char *add = imap_flags_text(intent->flags_add, intent->keywords_add);
	g_autofree char *remove = imap_flags_text(intent->flags_remove, intent->keywords_remove);
	/* One more than the commands: none of them can end the step before all are queued. */
	batch->commands = 1;
	if (*add)
		send_store(batch, '+', add);
	if (*remove)
		send_store(batch, '-', remove);
	batch_answered(batch);
}

/* They are not there any more, whether or not the server says so by itself. */
static void end_expunged(Batch *batch)
{
	imap_set_subtract(batch->box->marked, batch->uids);
	if (batch->gen == batch->conn->gen) {
		sync_note_expunged(batch->conn, batch->uids);
		sync_flush(batch->box);
	}
	while (batch->changes->len > 0)
		change_finish(g_ptr_array_steal_index(batch->changes, 0));
	batch_free(batch);
}

static void end_marked(Batch *batch)
{
	while (batch->changes->len > 0) {
		Change *change = g_ptr_array_steal_index(batch->changes, 0);
		change_set_flags(change, IMAP_FLAG_DELETED, 0, false);
		change_finish(change);
	}
	batch_free(batch);
}

/* Others' \Deleted messages would go with ours: then ours stay, hidden, until they are alone. */
static void expunge_if_alone(Batch *batch)
{
	Box *box = batch->box;
	g_autoptr(ImapSet) others = imap_set_copy(batch->deleted);
	imap_set_union(box->marked, batch->uids);
	imap_set_subtract(others, box->marked);
	if (imap_set_count(others) > 0) {
		g_info("%s: other messages are \\Deleted, ours stay marked", box->name);
		end_marked(batch);
		return;
	}
	imap_set_union(batch->uids, batch->deleted);
	batch->step = MARK_EXPUNGED;
	send_expunge(batch, false);
}

static void searched(const ImapStatus *status, const GError *error, gpointer data)
{
	batch_take_answer(data, status, error);
	batch_answered(data);
}

static void ask_deleted(Batch *batch)
{
	Box *box = batch->box;
	if (!question_is_alone(batch->conn)) {
		box->searches_due += batch->step != MARK_SEARCH_DUE;
		batch->step = MARK_SEARCH_DUE;
		return;
	}
	box->searches_due -= batch->step == MARK_SEARCH_DUE;
	batch->step = MARK_SEARCHED;
	batch->deleted = imap_set_new();
	batch->commands++;
	bool extended = question_can_extend(batch->conn);
	ImapCommand *line = question_command(extended);
	imap_command_raw(line, "DELETED");
	question_ask(batch->conn, line, extended, batch->deleted, NULL, searched, batch);
}

/* Dovecot 2.3 answers OK to the UID EXPUNGE behind a STORE, and may not have done it: when it has
 * to write its index anew in that moment, as after many others went, it does not see what STORE
 * just did. Asked for once more it does. */
static void after_expunge(Batch *batch)
{
	if (batch_is_told(batch) || !batch_holds(batch)) {
		end_expunged(batch);
		return;
	}
	batch->step = MARK_EXPUNGED;
	send_expunge(batch, true);
}

/* STORE was answered, and maybe the expunge. */
static void after_store(Batch *batch)
{
	if (batch->kind == INTENT_MARK)
		end_marked(batch);
	else if (batch->kind != INTENT_REMOVE)
		batch_end(batch, NULL);
	else if (!change_can_expunge_uids(batch->conn))
		ask_deleted(batch);
	else
		after_expunge(batch);
}

/* No other expunge is tried: it might take more than was asked for. Those of earlier batches, which
 * EXPUNGE was for, too, stay marked. */
static void undo(Batch *batch)
{
	imap_set_free(batch->uids);
	batch->uids = imap_set_new();
	for (guint i = 0; i < batch->changes->len; i++) {
		guint32 uid = ((Change *)g_ptr_array_index(batch->changes, i))->intent->uid;
		imap_set_add(batch->uids, uid, uid);
	}
	imap_set_subtract(batch->box->marked, batch->uids);
	batch->step = MARK_UNDONE;
	send_store(batch, '-', "\\Deleted");
}

static void advance(Batch *batch)
{
	if (batch->lost) {
		batch->box->searches_due -= batch->step == MARK_SEARCH_DUE;
		batch_lost(batch);
		return;
	}
	switch ((MarkStep)batch->step) {
	case MARK_STORED:
		if (batch->error)
			batch_refused(batch, batch->error);
		else if (batch->expunge_error)
			undo(batch);
		else
			after_store(batch);
		break;
	case MARK_SEARCH_DUE:
		ask_deleted(batch);
		break;
	case MARK_SEARCHED:
		if (batch->error)
			end_marked(batch);
		else
			expunge_if_alone(batch);
		break;
	case MARK_EXPUNGED:
		if (batch->expunge_error)
			undo(batch);
		else
			end_expunged(batch);
		break;
	case MARK_UNDONE:
		batch_end(batch, batch->expunge_error);
		break;
	}
}

void mark_begin(Batch *batch)
{
	batch->advance = advance;
	batch->step = MARK_STORED;
	if (batch->kind == INTENT_FLAGS) {
		begin_flags(batch);
		return;
	}
	batch->commands = 1;
	send_store(batch, '+', "\\Deleted");
	if (batch->kind == INTENT_REMOVE && change_can_expunge_uids(batch->conn))
		send_expunge(batch, true);
	batch_answered(batch);
}
