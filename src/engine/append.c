/* APPEND (RFC 3501 6.3.11): a text of store/unsent.h becomes a message, and then what it replaces
 * is removed; or UID REPLACE (RFC 8508), which is both. */
#include <string.h>

#include "engine/change.h"

typedef enum {
	APPEND_ASKED, /* what the target is like, to know what is new there if the answer is lost */
	APPEND_SENT,
} AppendStep;

enum {
	APPENDS_MOST = 8, /* under way */
	APPENDS_DEPTH = 4, /* on one connection */
};

/* ---- the command ---- */

/* date-time of RFC 3501 9, in whatever language the program runs. */
static char *date_text(gint64 date)
{
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(date);
	if (!time)
		return NULL;
	return g_strdup_printf("\"%2d-%s-%04d %02d:%02d:%02d +0000\"",
		g_date_time_get_day_of_month(time), months[g_date_time_get_month(time) - 1],
		g_date_time_get_year(time), g_date_time_get_hour(time),
		g_date_time_get_minute(time), g_date_time_get_second(time));
}

static bool has_nul(GBytes *text)
{
	gsize len;
	const void *bytes = g_bytes_get_data(text, &len);
	return len > 0 && memchr(bytes, 0, len);
}

/* The arguments of REPLACE behind the UID are those of APPEND (RFC 8508 5). */
static ImapCommand *append_command(const Batch *batch)
{
	const Intent *intent = ((Change *)g_ptr_array_index(batch->changes, 0))->intent;
	const char *name = batch->target->name;
	g_autofree char *flags = imap_flags_text(intent->flags_add, intent->keywords_add);
	g_autofree char *date = intent->date ? date_text(intent->date) : NULL;
	ImapCommand *line = imap_command_new(batch->box ? "UID REPLACE" : "APPEND");
	if (batch->box)
		batch_add_uids(batch, line);
	imap_command_mailbox(line, name, strlen(name));
	if (*flags)
		imap_command_rawf(line, "(%s)", flags);
	if (date)
		imap_command_raw(line, date);
	imap_command_literal(line, batch->text, has_nul(batch->text));
	return line;
}

/* ---- the answer ---- */

/* One message, of the UIDVALIDITY that STATUS told, that was not there before: otherwise it is not
 * believed. Of REPLACE it comes untagged, ahead of EXPUNGE, or with the answer (RFC 8508 4.3). */
void append_take_appenduid(Batch *batch, const ImapStatus *status)
{
	if (batch->step != APPEND_SENT || batch->to || status->code != IMAP_CODE_APPENDUID ||
		!status->uids || imap_set_count(status->uids) != 1 || status->number == 0 ||
		status->number > G_MAXUINT32 ||
		(batch->uidvalidity != 0 && status->number != batch->uidvalidity) ||
		imap_set_min(status->uids) < batch->uidnext)
		return;
	batch->to = imap_set_copy(status->uids);
	batch->uidvalidity = (guint32)status->number;
}

static void appended(const ImapStatus *status, const GError *error, gpointer data)
{
	Batch *batch = data;
	batch_take_answer(batch, status, error);
	if (status && !error)
		append_take_appenduid(batch, status);
	batch_answered(batch);
}

/* It is written before the text goes that the server has it. */
void append_done(Change *change)
{
	Store *store = change->engine->store;
	change_note_step(change, INTENT_COPIED);
	store_unsent_drop(store, change->intent->file);
	if (change->intent->uid != 0 && !change->alone)
		change_queue(change, false);
	else
		change_finish(change);
}

/* Where the server did not tell that the old message is expunged it is removed as after APPEND. */
static void note_replaced(Batch *batch, Change *change)
{
	if (!batch->box || !batch_is_told(batch))
		return;
	change->alone = true;
	if (batch->gen == batch->conn->gen) {
		sync_note_expunged(batch->conn, batch->uids);
		sync_flush(batch->box);
	}
}

static void done(Batch *batch)
{
	Change *change = g_ptr_array_steal_index(batch->changes, 0);
	if (!batch->to) {
		change->confirmed = true;
		look_for(change);
	} else {
		guint32 uid = imap_set_min(batch->to);
		Gen gen = arrive(batch->engine, batch->target, batch->uidvalidity, batch->to);
		change->intent->target_uidvalidity = batch->uidvalidity;
		change->intent->target_uid = uid;
		if (gen != 0)
			arrive_text(batch->engine, gen, uid, batch->text);
		note_replaced(batch, change);
		append_done(change);
	}
	batch_free(batch);
}

static void lost(Batch *batch)
{
	Change *change = g_ptr_array_steal_index(batch->changes, 0);
	change->timed_out = batch->error->code == MAIL_ERROR_TIMEOUT;
	if (change_survives_loss(change, batch->error))
		look_for(change);
	batch_free(batch);
}

/* What need not be wrong with APPEND: the server does not know REPLACE or does not want to, or the
 * old message is gone. */
static bool is_about_replace(const Batch *batch)
{
	if (!batch->box)
		return false;
	if (batch->bad)
		return true;
	switch (batch->code) {
	case IMAP_CODE_NONE:
	case IMAP_CODE_CANNOT:
	case IMAP_CODE_EXPUNGEISSUED:
	case IMAP_CODE_NONEXISTENT:
		return true;
	default:
		return false;
	}
}

/* It said before which message it made: whether that is there has to be seen. */
static void refused_though_made(Batch *batch)
{
	Change *change = g_ptr_array_steal_index(batch->changes, 0);
	change->by_append = true;
	look_for(change);
	batch_free(batch);
}

/* Nothing was made; the text stays where it is. */
static void refused(Batch *batch)
{
	Change *change = g_ptr_array_index(batch->changes, 0);
	bool again = is_about_replace(batch);
	change->by_append |= again;
	batch->engine->replace_refused |= again && batch->bad;
	batch->engine->list_due |= !again && batch->error->code == MAIL_ERROR_NOT_FOUND;
	change_note_step(change, INTENT_QUEUED);
	if (again)
		batch_again(batch);
	else
		batch_refused(batch, batch->error);
}

static void send(Batch *batch)
{
	Change *change = g_ptr_array_index(batch->changes, 0);
	change->intent->target_uidvalidity = batch->uidvalidity;
	change->intent->target_uidnext = batch->uidnext;
	if (!change_note_sent(change)) {
		g_ptr_array_set_size(batch->changes, 0);
		batch_free(batch);
		return;
	}
	batch->step = APPEND_SENT;
	batch->commands++;
	session_submit(batch->conn->session, batch->box ? SESSION_SELECTED : SESSION_ANY,
		append_command(batch), appended, batch);
}

static bool holds(const Batch *batch)
{
	return batch->box ? batch_holds(batch) : session_is_ready(batch->conn->session);
}

static void advance(Batch *batch)
{
	switch ((AppendStep)batch->step) {
	case APPEND_ASKED:
		batch->is_asking = false;
		if (batch->lost || !holds(batch))
			batch_lost(batch);
		else
			send(batch);
		break;
	case APPEND_SENT:
		if (batch->lost)
			lost(batch);
		else if (batch->error && batch->to)
			refused_though_made(batch);
		else if (batch->error)
			refused(batch);
		else
			done(batch);
		break;
	}
}

/* ---- on its way ---- */

static GError *text_error(const Conn *conn, GBytes *text)
{
	bool binary = session_caps(conn->session) & IMAP_CAP_BIT(IMAP_CAP_BINARY);
	if (!text)
		return g_error_new_literal(
			MAIL_ERROR, MAIL_ERROR_IO, "the text of a message cannot be read");
	if (has_nul(text) && !binary)
		return g_error_new_literal(MAIL_ERROR, MAIL_ERROR_INVALID,
			"the server takes no message with NUL bytes");
	return NULL;
}

void append_begin(Batch *batch)
{
	Engine *engine = batch->engine;
	Change *change = g_ptr_array_index(batch->changes, 0);
	g_autoptr(GBytes) text = store_unsent_read(engine->store, change->intent->file);
	g_autoptr(GError) error = text_error(batch->conn, text);
	if (error) {
		g_message("A message cannot be uploaded: %s", error->message);
		g_ptr_array_set_size(batch->changes, 0);
		batch_free(batch);
		change_fail(change, error);
		return;
	}
	batch->advance = advance;
	batch->step = APPEND_ASKED;
	batch->text = g_steal_pointer(&text);
	batch->conn->upload_bytes += g_bytes_get_size(batch->text);
	batch->target = box_get(engine, change->target);
	batch_ask_target(batch);
}

static void begin(Change *change, Conn *conn)
{
	Batch *batch = batch_new(change->engine, INTENT_APPEND, conn);
	batch_add(batch, change);
	append_begin(batch);
}

bool append_replaces(const Change *change, const Conn *conn)
{
	return change->intent->uid != 0 && !change->by_append && !change->engine->replace_refused &&
	       session_caps(conn->session) & IMAP_CAP_BIT(IMAP_CAP_REPLACE);
}

/* REPLACE needs the mailbox of the old message to be selected. */
static void begin_there(Change *change)
{
	Box *box = box_get(change->engine, change->mailbox);
	box->writable = true;
	change_wait_in(change, &box->changes);
	box_pump(box);
}

void append_plainly(Change *change)
{
	change->by_append = true;
	change_wait_in(change, &change->engine->changes->appends);
	engine_pump(change->engine);
}

/* One that uploads already, so that they follow each other without a pause; else one that nobody
 * else needs. */
static Conn *conn_for(Engine *engine, guint *ret_under_way)
{
	Conn *found = NULL;
	*ret_under_way = 0;
	for (const GList *l = engine->changes->batches.head; l; l = l->next) {
		const Batch *batch = l->data;
		if (batch->kind != INTENT_APPEND || batch->box)
			continue;
		++*ret_under_way;
		if (session_is_ready(batch->conn->session) &&
			session_pending(batch->conn->session) < APPENDS_DEPTH)
			found = batch->conn;
	}
	return found ? found : pool_for_upload(engine);
}

static Change *next(const Engine *engine)
{
	if (g_get_monotonic_time() < engine->changes->appends_hold_us)
		return NULL;
	for (const GList *l = engine->changes->appends.head; l; l = l->next)
		if (!change_is_held(l->data) && !look_has_twin(l->data))
			return l->data;
	return NULL;
}

void append_dispatch(Engine *engine)
{
	for (Change *change; (change = next(engine));) {
		guint under_way;
		Conn *conn = conn_for(engine, &under_way);
		if (!conn || under_way >= APPENDS_MOST ||
			session_pending(conn->session) >= APPENDS_DEPTH)
			return;
		if (append_replaces(change, conn))
			begin_there(change);
		else
			begin(change, conn);
	}
}
