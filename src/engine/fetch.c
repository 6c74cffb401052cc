/* Items on the wire: those of a kind share one UID FETCH, and what a reader waits for goes before
 * what is only read ahead. */
#include "engine/want.h"

#include <string.h>

#include "mime/fields.h"

enum {
	TRIES = 3, /* a command that kills the connection so often is given up */
	COMMAND_BYTES = 1 << 20, /* bodies in one command: small enough to overtake */
	COMMAND_OUTLINES = 256, /* what they name is asked for when all of them are here */
	COMMANDS_AHEAD = 8, /* read-ahead leaves room in the pipeline */
	NAME = 30, /* of a command line, beside UIDs and items */
};

#define FIELDS "BODY.PEEK[HEADER.FIELDS (" MIME_FIELDS_WANTED ")]"

/* ---- commands ---- */

static void fetched(const ImapStatus *status, const GError *error, gpointer data);

/* INTERNALDATE tells whether it is still the same message: see is_another() in conn.c. */
static char *items_of(const Want *want)
{
	const char *name = want_is_decoded(want) ? "BINARY" : "BODY";
	g_autofree char *range = NULL;
	if (!want->whole)
		range = g_strdup_printf(
			"<%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ">", want->origin, want->asked);
	switch (want->item) {
	case STORE_FIELDS:
		return g_strdup("(UID INTERNALDATE " FIELDS ")");
	case STORE_STRUCTURE:
		return g_strdup("(UID INTERNALDATE BODYSTRUCTURE " FIELDS ")");
	case STORE_HEADER:
		return g_strdup("(UID INTERNALDATE BODY.PEEK[HEADER])");
	default:
		return g_strdup_printf("(UID INTERNALDATE %s.PEEK[%s]%s)", name,
			want->section ? want->section : "", range ? range : "");
	}
}

static void send_fetch(Fetch *fetch, const char *uids, const char *items)
{
	Conn *conn = fetch->conn;
	for (guint i = 0; i < fetch->wants->len; i++) {
		Want *want = g_ptr_array_index(fetch->wants, i);
		want_enqueue(want, NULL);
		want->fetch = fetch;
		conn->bytes_flying += want->expected;
		conn->wants_flying++;
	}
	ImapCommand *line = imap_command_new("UID FETCH");
	imap_command_raw(line, uids);
	imap_command_raw(line, items);
	session_submit(conn->session, SESSION_SELECTED, line, fetched, fetch);
}

/* Whether one command asks for both: the same item of two messages, or the same section, whatever
 * its number is. */
static bool go_together(const Want *a, const Want *b)
{
	if (a == b)
		return true;
	if (!a->whole || !b->whole || a->alone || b->alone)
		return false;
	if (!want_is_part(a) || !want_is_part(b))
		return a->item == b->item;
	return want_is_decoded(a) == want_is_decoded(b) && g_str_equal(a->section, b->section);
}

/* Adds what goes with the first of the queue to the set, so much that others can overtake it. */
static void choose(const GQueue *queue, ImapSet *ret_uids)
{
	const Want *first = queue->head->data;
	guint64 bytes = 0;
	for (const GList *l = queue->head; l && bytes < COMMAND_BYTES; l = l->next) {
		const Want *want = l->data;
		if (!go_together(first, want))
			continue;
		if (bytes > 0 && bytes + want->expected > COMMAND_BYTES)
			return;
		imap_set_add(ret_uids, want->uid, want->uid);
		bytes += want->expected;
	}
}

/* Sends the first of the queue, and with it as many as may share its command. */
static void send_first(Box *box, Conn *conn, const GQueue *queue)
{
	const Want *first = queue->head->data;
	Fetch *fetch = g_new0(Fetch, 1);
	*fetch = (Fetch){.box = box,
		.conn = conn,
		.wants = g_ptr_array_new(),
		.outlines = first->item == STORE_STRUCTURE};
	g_autofree char *items = items_of(first);
	g_autoptr(ImapSet) uids = imap_set_new();
	choose(queue, uids);
	guint64 most = fetch->outlines ? COMMAND_OUTLINES : LIMIT_COMMAND_UIDS;
	g_autofree char *text =
		imap_set_take(uids, LIMIT_COMMAND_LINE - NAME - strlen(items), most);
	g_autoptr(ImapSet) sent = imap_set_parse(text, strlen(text), LIMIT_COMMAND_LINE);
	for (const GList *l = queue->head; l; l = l->next) {
		Want *want = l->data;
		if (go_together(first, want) && imap_set_contains(sent, want->uid))
			g_ptr_array_add(fetch->wants, want);
	}
	send_fetch(fetch, text, items);
}

void body_dispatch(Box *box, Conn *conn)
{
	while (box->urgent.length > 0 && session_pending(conn->session) < LIMIT_PIPELINE) {
		conn_select(conn, box);
		send_first(box, conn, &box->urgent);
	}
	while (box->ahead.length > 0 && session_pending(conn->session) < COMMANDS_AHEAD &&
		conn->bytes_flying < LIMIT_WALK_AHEAD) {
		conn_select(conn, box);
		send_first(box, conn, &box->ahead);
	}
}

/* What is only read ahead is asked for once more, as it was, if a connection broke: the walk counts
 * on it, and message by message it would cost a turn each. Any other fault may be its own. */
static void try_ahead_again(Want *want, bool answered)
{
	want_recall(want);
	if (answered || ++want->tries > 1)
		g_ptr_array_unref(want_end(want));
	else
		want_enqueue(want, &want->box->ahead);
}

/* Whether the server may take the message for what is wrong, and not the moment. The connection
 * that ends each time says so, too. */
static bool is_about_message(const ImapStatus *status, const GError *error)
{
	return !status || error->code == MAIL_ERROR_IO || error->code == MAIL_ERROR_INVALID ||
	       error->code == MAIL_ERROR_LIMIT || error->code == MAIL_ERROR_TOO_BIG;
}

/* NO that says why may be about this part alone; UNKNOWN-CTE (RFC 3516 4.3) is not. */
static bool is_about_part(const ImapStatus *status)
{
	return status && status->kind == IMAP_STATUS_NO && status->code != IMAP_CODE_NONE &&
	       status->code != IMAP_CODE_UNKNOWN_CTE;
}

/* A server that cannot take a message apart can give it away. */
static void give_up(Want *want, const ImapStatus *status, const GError *error)
{
	if (want->item == STORE_MESSAGE || !is_about_message(status, error))
		want_fail(want, error);
	else if (want_is_decoded(want) && is_about_part(status))
		want_fail_decoding(want, error->message);
	else
		want_refuse(want, error->message);
}

/* Back in the queue for another try; given up after the last. An answer that left it out counts
 * for more than a connection that broke. */
static void try_again(Want *want, const ImapStatus *status, const GError *error, bool answered)
{
	want_recall(want);
	want->alone = true;
	want->tries += answered ? 2 : 1;
	if (want->tries >= TRIES)
		give_up(want, status, error);
	else
		want_enqueue(want, &want->box->urgent);
}

/* Some servers end the connection over a part that they cannot decode; that it would have been lost
 * anyway does no harm. */
static bool ends_decoding(const Want *want, const ImapStatus *status)
{
	return !status && want_is_decoded(want);
}

static void noop_done(const ImapStatus *status, const GError *error, gpointer data)
{
	engine_pump(data);
}

/* Of fields and structure one came, and no more will. */
static bool is_half_here(const Want *want, const ImapStatus *status)
{
	return status && want->fields_due != want->structure_due;
}

/* What the command left unanswered. */
static void left_out(Fetch *fetch, const ImapStatus *status, const GError *error)
{
	Box *box = fetch->box;
	g_autoptr(GError) missing = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
		"%s: the server does not answer for a message", box->name);
	/* A NOOP makes the server say what was expunged (RFC 3501 7.4.1 forbids it in FETCH). */
	if (status && !error && session_is_ready(fetch->conn->session))
		session_submit(fetch->conn->session, SESSION_SELECTED, imap_command_new("NOOP"),
			noop_done, box->engine);
	bool final = status && error && fetch->wants->len == 1 &&
		     ((Want *)g_ptr_array_index(fetch->wants, 0))->alone;
	while (fetch->wants->len > 0) {
		Want *want = g_ptr_array_index(fetch->wants, 0);
		if (g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TIMEOUT))
			want_fail(want, error);
		else if (ends_decoding(want, status))
			want_fail_decoding(want, error->message);
		else if (final)
			give_up(want, status, error);
		else if (is_half_here(want, status))
			answer_half(want);
		else if (want->readers->len == 0)
			try_ahead_again(want, status != NULL);
		else
			try_again(want, status, error ? error : missing, status && !error);
	}
}

static void fetched(const ImapStatus *status, const GError *error, gpointer data)
{
	Fetch *fetch = data;
	if (status)
		conn_answered(fetch->conn, error);
	if (fetch->wants->len > 0)
		left_out(fetch, status, error);
	if (fetch->outlines)
		ahead_outlined(fetch->box);
	box_pump(fetch->box);
	g_ptr_array_unref(fetch->wants);
	g_free(fetch);
}
