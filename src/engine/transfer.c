/* UID MOVE (RFC 6851) and UID COPY. Where there is no MOVE, or it is refused, COPY takes its place,
 * and the source is removed when the server has confirmed the copy: never before. */
#include <string.h>

#include "engine/change.h"

typedef enum {
	TRANSFER_ASKED, /* what the target is like, to know what is new there if the answer is lost
			 */
	TRANSFER_SENT,
} TransferStep;

static bool has_move(const Batch *batch)
{
	static const guint64 either =
		IMAP_CAP_BIT(IMAP_CAP_MOVE) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2);
	const Change *first = g_ptr_array_index(batch->changes, 0);
	return session_caps(batch->conn->session) & either && !first->by_copy &&
	       !batch->engine->move_refused;
}

/* ---- on its way ---- */

/* From now on it may be done. What cannot be written was ended and is taken out. */
static void note_sent(Batch *batch)
{
	for (guint i = batch->changes->len; i > 0; i--) {
		Change *change = g_ptr_array_index(batch->changes, i - 1);
		guint32 uid = change->intent->uid;
		change_note_signature(batch->engine, change->intent, batch->gen);
		change->intent->target_uidvalidity = batch->uidvalidity;
		change->intent->target_uidnext = batch->uidnext;
		if (change_note_sent(change))
			continue;
		g_ptr_array_remove_index(batch->changes, i - 1);
		imap_set_remove(batch->uids, uid, uid);
	}
}

static void transferred(const ImapStatus *status, const GError *error, gpointer data)
{
	Batch *batch = data;
	batch_take_answer(batch, status, error);
	if (status && (!error || batch->moves))
		transfer_take_copyuid(batch, status);
	batch_answered(batch);
}

static void send(Batch *batch)
{
	batch->moves = batch->kind == INTENT_MOVE && has_move(batch);
	for (guint i = 0; i < batch->changes->len; i++)
		((Change *)g_ptr_array_index(batch->changes, i))->by_copy = !batch->moves;
	note_sent(batch);
	if (batch->changes->len == 0) {
		batch_free(batch);
		return;
	}
	ImapCommand *line = imap_command_new(batch->moves ? "UID MOVE" : "UID COPY");
	batch_add_uids(batch, line);
	imap_command_mailbox(line, batch->target->name, strlen(batch->target->name));
	batch->step = TRANSFER_SENT;
	batch->commands++;
	session_submit(batch->conn->session, SESSION_QUIET, line, transferred, batch);
}

/* ---- COPYUID ---- */

static bool is_within(const ImapSet *part, const ImapSet *whole)
{
	g_autoptr(ImapSet) outside = imap_set_copy(part);
	imap_set_subtract(outside, whole);
	return imap_set_count(outside) == 0;
}

/* Of other messages, of another UIDVALIDITY than STATUS told, or of messages that were there
 * before: it is not believed. */
static bool fits(const Batch *batch, const ImapStatus *status)
{
	if (!status->uids || !status->target_uids || imap_set_count(status->uids) == 0 ||
		imap_set_count(status->uids) != imap_set_count(status->target_uids))
		return false;
	if (status->number == 0 || status->number > G_MAXUINT32 ||
		(batch->uidvalidity != 0 && status->number != batch->uidvalidity))
		return false;
	return is_within(status->uids, batch->uids) &&
	       imap_set_min(status->target_uids) >= batch->uidnext;
}

static Change *change_of(const Batch *batch, guint32 uid)
{
	guint lo = 0, hi = batch->changes->len;
	while (lo < hi) {
		guint middle = (lo + hi) / 2;
		Change *change = g_ptr_array_index(batch->changes, middle);
		if (change->intent->uid == uid)
			return change;
		if (change->intent->uid < uid)
			lo = middle + 1;
		else
			hi = middle;
	}
	return NULL;
}

/* Members are paired one by one (RFC 4315 3). Now, since the source may go with the next line. */
bool transfer_take_copyuid(Batch *batch, const ImapStatus *status)
{
	if (batch->from || status->code != IMAP_CODE_COPYUID || !fits(batch, status))
		return false;
	Engine *engine = batch->engine;
	batch->from = imap_set_copy(status->uids);
	batch->to = imap_set_copy(status->target_uids);
	batch->uidvalidity = (guint32)status->number;
	batch->to_gen = arrive(engine, batch->target, batch->uidvalidity, batch->to);
	for (guint64 i = 1; i <= imap_set_count(batch->from); i++) {
		guint32 uid = imap_set_nth(batch->from, i), to_uid = imap_set_nth(batch->to, i);
		Change *change = change_of(batch, uid);
		change->intent->target_uid = to_uid;
		if (batch->to_gen != 0)
			arrive_copied(engine, batch->to_gen, to_uid, batch->gen, uid);
	}
	return true;
}

/* ---- the answer ---- */

static void forget_sources(Batch *batch)
{
	const ImapSet *moved = batch->from ? batch->from : batch->uids;
	if (!batch->moves || batch->gen != batch->conn->gen)
		return;
	sync_note_expunged(batch->conn, moved);
	sync_flush(batch->box);
}

/* The server did it, and said what became of the message. */
static void end_told(Batch *batch, Change *change)
{
	change->intent->target_uidvalidity = batch->uidvalidity;
	if (batch->kind == INTENT_COPY || batch->moves) {
		change_finish(change);
		return;
	}
	change_note_step(change, INTENT_COPIED);
	change_queue(change, false);
}

/* It did not say so of this one. Without any COPYUID it has to be found; else it was not there. */
static void end_untold(Batch *batch, Change *change)
{
	if (!batch->from) {
		change->confirmed = true;
		change->by_copy = !batch->moves;
		look_for(change);
		return;
	}
	g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_STALE,
		"%s: message %u is gone", batch->box->name, change->intent->uid);
	g_message("%s", error->message);
	change_fail(change, error);
}

/* Those that COPYUID named are done, whatever the answer is (RFC 6851 3.3: a MOVE that fails may
 * have moved some). The others stay in the batch. */
static void end_named(Batch *batch)
{
	for (guint i = batch->changes->len; batch->from && i > 0; i--) {
		Change *change = g_ptr_array_index(batch->changes, i - 1);
		if (!imap_set_contains(batch->from, change->intent->uid))
			continue;
		g_ptr_array_remove_index(batch->changes, i - 1);
		end_told(batch, change);
	}
}

static void done(Batch *batch)
{
	forget_sources(batch);
	end_named(batch);
	while (batch->changes->len > 0)
		end_untold(batch, g_ptr_array_steal_index(batch->changes, 0));
	batch_free(batch);
}

/* Nothing was done to those that are left. */
static void step_back(Batch *batch, bool by_copy)
{
	for (guint i = 0; i < batch->changes->len; i++) {
		Change *change = g_ptr_array_index(batch->changes, i);
		change->by_copy |= by_copy;
		change_note_step(change, INTENT_QUEUED);
	}
}

static void refused(Batch *batch)
{
	bool cannot = batch->moves && (batch->bad || batch->code == IMAP_CODE_CANNOT);
	batch->engine->move_refused |= batch->moves && batch->bad;
	if (batch->from)
		forget_sources(batch);
	end_named(batch);
	step_back(batch, cannot);
	if (cannot || batch->changes->len == 0) {
		batch_again(batch);
		return;
	}
	if (batch->error->code == MAIL_ERROR_NOT_FOUND)
		batch->engine->list_due = true;
	batch_refused(batch, batch->error);
}

static void lost(Batch *batch)
{
	g_autoptr(GError) error = g_error_copy(batch->error);
	while (batch->changes->len > 0) {
		Change *change = g_ptr_array_steal_index(batch->changes, 0);
		change->timed_out = error->code == MAIL_ERROR_TIMEOUT;
		if (change_survives_loss(change, error))
			look_for(change);
	}
	batch_free(batch);
}

static void advance(Batch *batch)
{
	switch ((TransferStep)batch->step) {
	case TRANSFER_ASKED:
		batch->is_asking = false;
		if (batch->lost || !batch_holds(batch))
			batch_lost(batch);
		else
			send(batch);
		break;
	case TRANSFER_SENT:
		if (batch->lost)
			lost(batch);
		else if (batch->error)
			refused(batch);
		else
			done(batch);
		break;
	}
}

void transfer_begin(Batch *batch)
{
	const Change *first = g_ptr_array_index(batch->changes, 0);
	batch->advance = advance;
	batch->step = TRANSFER_ASKED;
	batch->target = box_get(batch->engine, first->target);
	batch_ask_target(batch);
}
