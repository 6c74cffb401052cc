/* The flags verb: the flags of messages that may have changed while nobody could tell, asked for
 * again when somebody looks at them, and for those after it in the same command. */
#include <string.h>

#include "engine/private.h"

enum { WINDOW = 256 };

/* One UID FETCH under way. */
typedef struct {
	Box *box;
	Conn *conn;
	Gen gen;
	ImapSet *uids;
} Ask;

void flags_init(Box *box)
{
	box->flags_waiters = waiters_table_new();
	box->flags_want = imap_set_new();
	box->flags_flying = imap_set_new();
	box->flags_retried = imap_set_new();
}

void flags_clear(Box *box)
{
	g_hash_table_unref(box->flags_waiters);
	imap_set_free(box->flags_want);
	imap_set_free(box->flags_flying);
	imap_set_free(box->flags_retried);
}

bool flags_has_work(const Box *box)
{
	return imap_set_count(box->flags_want) > 0;
}

static bool is_stale(const Box *box, Gen gen, guint32 uid)
{
	StoreMessage message;
	return store_peek_message(box->engine->store, gen, uid, &message) && message.flags_stale;
}

/* The message, and those after it that a reader who goes on will ask for. */
static void want_from(Box *box, Gen gen, guint32 uid)
{
	StoreMessage rows[WINDOW];
	gsize n = store_list_rows(box->engine->store, gen, uid, rows, G_N_ELEMENTS(rows));
	imap_set_add(box->flags_want, uid, uid);
	for (gsize i = 0; i < n; i++)
		if (rows[i].known && rows[i].flags_stale &&
			!imap_set_contains(box->flags_flying, rows[i].uid))
			imap_set_add(box->flags_want, rows[i].uid, rows[i].uid);
}

/* Takes over the caller's reference of waiter. */
void flags_request(Box *box, Gen gen, guint32 uid, Waiter *waiter)
{
	StoreMessage message;
	bool found = store_peek_message(box->engine->store, gen, uid, &message);
	if (!found || !message.known) {
		/* Its attributes bring the flags with them, or the error. */
		attribute_request(box, gen, uid, waiter);
		return;
	}
	if (!message.flags_stale) {
		waiter_finish(waiter, NULL);
		waiter_unref(waiter);
		return;
	}
	waiters_table_add(box->flags_waiters, uid, waiter);
	if (!imap_set_contains(box->flags_flying, uid) && !imap_set_contains(box->flags_want, uid))
		want_from(box, gen, uid);
	box_pump(box);
}

/* Flags arrived, asked for or not: attribute_note() put them into the store. */
void flags_note(Conn *conn, guint32 uid)
{
	if (!is_stale(conn->box, conn->gen, uid))
		waiters_table_end(conn->box->flags_waiters, uid, NULL);
}

void flags_take_all(Box *box, GPtrArray *waiters)
{
	waiters_table_take(box->flags_waiters, waiters);
	imap_set_free(box->flags_want);
	imap_set_free(box->flags_flying);
	imap_set_free(box->flags_retried);
	box->flags_want = imap_set_new();
	box->flags_flying = imap_set_new();
	box->flags_retried = imap_set_new();
}

/* Whom the answer left out: once more if the connection was lost, and else the message went, most
 * likely, which a listing will tell. */
static void left_out(const Ask *ask, bool lost, const GError *error)
{
	Box *box = ask->box;
	g_autoptr(GError) missing = g_error_new(
		MAIL_ERROR, MAIL_ERROR_IO, "%s: the server does not tell the flags", box->name);
	guint n;
	g_autofree gpointer *keys = g_hash_table_get_keys_as_array(box->flags_waiters, &n);
	for (guint i = 0; i < n; i++) {
		guint32 uid = GPOINTER_TO_UINT(keys[i]);
		if (!imap_set_contains(ask->uids, uid))
			continue;
		if (lost && !imap_set_contains(box->flags_retried, uid)) {
			imap_set_add(box->flags_retried, uid, uid);
			imap_set_add(box->flags_want, uid, uid);
			continue;
		}
		imap_set_remove(box->flags_retried, uid, uid);
		waiters_table_end(box->flags_waiters, uid, error ? error : missing);
	}
}

static void asked(const ImapStatus *status, const GError *error, gpointer data)
{
	Ask *ask = data;
	Box *box = ask->box;
	if (status)
		conn_answered(ask->conn, error);
	if (ask->gen == store_gen(box->engine->store, box->id)) {
		imap_set_subtract(box->flags_flying, ask->uids);
		left_out(ask, !status, error);
	}
	imap_set_free(ask->uids);
	g_free(ask);
	box_pump(box);
}

void flags_dispatch(Box *box, Conn *conn)
{
	enum { NAME_AND_ITEMS = 80 };
	while (flags_has_work(box)) {
		conn_select(conn, box);
		g_autofree char *text = imap_set_take(
			box->flags_want, LIMIT_COMMAND_LINE - NAME_AND_ITEMS, LIMIT_COMMAND_UIDS);
		Ask *ask = g_new(Ask, 1);
		*ask = (Ask){.box = box,
			.conn = conn,
			.gen = store_gen(box->engine->store, box->id),
			.uids = imap_set_parse(text, strlen(text), LIMIT_COMMAND_LINE)};
		imap_set_union(box->flags_flying, ask->uids);
		ImapCommand *line = imap_command_new("UID FETCH");
		imap_command_raw(line, text);
		imap_command_raw(line, "(UID FLAGS)");
		session_submit(conn->session, SESSION_SELECTED, line, asked, ask);
	}
}
