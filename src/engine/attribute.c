/* The attributes verb: size, date and flags of messages, in windows that grow while a reader goes
 * on through the folder. */
#include <string.h>

#include "engine/private.h"

enum {
	WINDOW_ONE = 256, /* messages around a single stat: one small answer */
	WINDOW_FIRST = LIMIT_COMMAND_UIDS, /* for a reader that begins where the folder does */
	WINDOW_LISTED = 8 * LIMIT_COMMAND_UIDS, /* and has just listed it: ls -l, find -size */
	WINDOW_GROWTH = 32, /* so that a folder of a million is four turns */
	WINDOW_LAST = 1 << 19,
	NEIGHBOURS = 64, /* a reader that skips fewer still goes on */
	COMMANDS_AHEAD = 4, /* under way, so that a body need not wait for all of a window */
};

/* One UID FETCH under way. */
typedef struct {
	Box *box;
	Conn *conn;
	Gen gen;
	ImapSet *uids;
} Ask;

bool attribute_has_work(const Box *box)
{
	return imap_set_count(box->attribute_want) > 0 || imap_set_count(box->attribute_again) > 0;
}

static void ask_free(Ask *ask)
{
	imap_set_free(ask->uids);
	g_free(ask);
}

/* Finishes the waiter if the store can answer, or sends it on to have the size verified. */
static bool settle(Box *box, Gen gen, guint32 uid, Waiter *waiter)
{
	Store *store = box->engine->store;
	StoreMessage message;
	g_autoptr(GError) error = NULL;
	switch (store_try_message(store, gen, uid, &message)) {
	case STORE_HIT:
		break;
	case STORE_ABSENT:
		error = g_error_new(
			MAIL_ERROR, MAIL_ERROR_NOT_FOUND, "%s: no message %u", box->name, uid);
		break;
	case STORE_MISS:
		if (!store_peek_message(store, gen, uid, &message) || !message.known)
			return false;
		waiter->refs++;
		ahead_read(box->engine, box, WALK_BODIES, gen, uid);
		body_request_whole(box, gen, uid, waiter);
		return true;
	}
	waiter_finish(waiter, error);
	return true;
}

static void settle_all(Box *box, Gen gen, guint32 uid)
{
	GPtrArray *waiters = g_hash_table_lookup(box->attribute_waiters, GUINT_TO_POINTER(uid));
	if (!waiters)
		return;
	g_ptr_array_ref(waiters);
	while (waiters->len > 0 && settle(box, gen, uid, g_ptr_array_index(waiters, 0)))
		g_ptr_array_remove_index_fast(waiters, 0);
	if (waiters->len == 0)
		g_hash_table_remove(box->attribute_waiters, GUINT_TO_POINTER(uid));
	g_ptr_array_unref(waiters);
}

static bool goes_on(const Box *box, Gen gen, guint32 uid)
{
	if (box->attribute_window == 0 || uid < box->attribute_next)
		return false;
	g_autoptr(ImapSet) near =
		store_unknown(box->engine->store, gen, box->attribute_next, NEIGHBOURS);
	return imap_set_contains(near, uid);
}

static bool is_first(const Box *box, Gen gen, guint32 uid)
{
	StoreMessage row;
	return store_list(box->engine->store, gen, 0, &row, 1) == 1 && row.uid == uid;
}

/* Wants the next messages without attributes from uid on, as many as the window holds. */
static void want_from(Box *box, Gen gen, guint32 uid)
{
	g_autoptr(ImapSet) window =
		store_unknown(box->engine->store, gen, uid, box->attribute_window);
	imap_set_subtract(window, box->attribute_flying);
	if (imap_set_count(window) == 0)
		return;
	box->attribute_first = uid;
	box->attribute_joined = 0;
	box->attribute_next = imap_set_max(window) + 1;
	imap_set_union(box->attribute_want, window);
}

static void grow_window(Box *box)
{
	box->attribute_window = MIN(box->attribute_window * WINDOW_GROWTH, WINDOW_LAST);
}

static bool just_listed(const Box *box, Gen gen)
{
	gint64 right = store_names_time(box->engine->store, gen);
	return right != 0 && g_get_monotonic_time() - right < 2 * G_USEC_PER_SEC;
}

static void plan_window(Box *box, Gen gen, guint32 uid)
{
	if (goes_on(box, gen, uid))
		grow_window(box);
	else if (is_first(box, gen, uid))
		box->attribute_window = just_listed(box, gen) ? WINDOW_LISTED : WINDOW_FIRST;
	else
		box->attribute_window = WINDOW_ONE;
	want_from(box, gen, uid);
	imap_set_add(box->attribute_want, uid, uid);
	box->attribute_next = MAX(box->attribute_next, uid + 1);
}

/* A reader that moves on inside the latest window while it is on its way will go past it: the next
 * one follows at once, so that no turn is waited for between them. */
static void extend_window(Box *box, Gen gen, guint32 uid)
{
	enum { MOVES = 3 };
	if (uid <= box->attribute_first || uid >= box->attribute_next)
		return;
	box->attribute_first = uid;
	if (++box->attribute_joined < MOVES)
		return;
	grow_window(box);
	want_from(box, gen, box->attribute_next);
}

/* Takes over the caller's reference of waiter. */
void attribute_request(Box *box, Gen gen, guint32 uid, Waiter *waiter)
{
	if (settle(box, gen, uid, waiter)) {
		waiter_unref(waiter);
		return;
	}
	waiters_table_add(box->attribute_waiters, uid, waiter);
	if (imap_set_contains(box->attribute_flying, uid) ||
		imap_set_contains(box->attribute_want, uid) ||
		imap_set_contains(box->attribute_again, uid))
		extend_window(box, gen, uid);
	else
		plan_window(box, gen, uid);
	box_pump(box);
}

static void fill_row(Store *store, Gen gen, guint32 uid)
{
	StoreMessage message;
	if (!store_peek_message(store, gen, uid, &message) || message.known)
		return;
	g_autofree char *text = store_keywords(store, gen, uid);
	g_auto(GStrv) keywords = g_strsplit(text, " ", -1);
	StoreFields all = {true, true, true, (const char *const *)keywords};
	store_set_attributes(store, gen, &message, all, NULL);
}

/* The server answered without one of the fields: what it will not say is shown as none, and a
 * missing size is found out from the body. */
static void fill_partial(const Ask *ask)
{
	Box *box = ask->box;
	Store *store = box->engine->store;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(box->attribute_partial, &n);
	for (gsize i = 0; i < n; i++)
		for (guint64 uid = ranges[i].lo; uid <= ranges[i].hi; uid++) {
			if (imap_set_contains(ask->uids, (guint32)uid))
				fill_row(store, ask->gen, (guint32)uid);
		}
	imap_set_subtract(box->attribute_partial, ask->uids);
}

/* What to do with a message that somebody waits for and the answer left out, or refused: it is
 * asked for again on its own, since another of the window may be at fault. */
static void left_out(const Ask *ask, guint32 uid, const GError *error)
{
	Box *box = ask->box;
	if (!imap_set_contains(box->attribute_retried, uid)) {
		imap_set_add(box->attribute_retried, uid, uid);
		imap_set_add(box->attribute_again, uid, uid);
		return;
	}
	imap_set_remove(box->attribute_retried, uid, uid);
	g_autoptr(GError) missing = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
		"%s: the server does not answer for message %u", box->name, uid);
	waiters_table_end(box->attribute_waiters, uid, error ? error : missing);
	box->dirty = true;
	store_names_confirm(box->engine->store, ask->gen, false);
}

static void settle_asked(const Ask *ask, const GError *error)
{
	Box *box = ask->box;
	guint n;
	g_autofree gpointer *keys = g_hash_table_get_keys_as_array(box->attribute_waiters, &n);
	for (guint i = 0; i < n; i++) {
		guint32 uid = GPOINTER_TO_UINT(keys[i]);
		if (!imap_set_contains(ask->uids, uid) ||
			imap_set_contains(box->attribute_flying, uid))
			continue;
		settle_all(box, ask->gen, uid);
		if (g_hash_table_contains(box->attribute_waiters, keys[i]))
			left_out(ask, uid, error);
		else
			imap_set_remove(box->attribute_retried, uid, uid);
	}
}

static void asked(const ImapStatus *status, const GError *error, gpointer data)
{
	Ask *ask = data;
	Box *box = ask->box;
	box->attribute_commands--;
	if (status)
		conn_answered(ask->conn, error);
	/* Of an old generation nobody waits, and its UIDs mean other messages now. */
	if (ask->gen == store_gen(box->engine->store, box->id)) {
		imap_set_subtract(box->attribute_flying, ask->uids);
		if (status && !error)
			fill_partial(ask);
		settle_asked(ask, error);
	}
	ask_free(ask);
	box_pump(box);
}

static void send_ask(Box *box, Conn *conn, const char *text)
{
	Ask *ask = g_new0(Ask, 1);
	*ask = (Ask){.box = box,
		.conn = conn,
		.gen = store_gen(box->engine->store, box->id),
		.uids = imap_set_parse(text, strlen(text), LIMIT_COMMAND_LINE)};
	imap_set_union(box->attribute_flying, ask->uids);
	box->attribute_commands++;
	ImapCommand *line = imap_command_new("UID FETCH");
	imap_command_raw(line, text);
	imap_command_raw(line, "(UID FLAGS INTERNALDATE RFC822.SIZE)");
	session_submit(conn->session, SESSION_SELECTED, line, asked, ask);
}

void attribute_dispatch(Box *box, Conn *conn)
{
	enum { NAME_AND_ITEMS = 80 };
	while (box->attribute_commands < COMMANDS_AHEAD && attribute_has_work(box)) {
		conn_select(conn, box);
		ImapSet *from = box->attribute_want;
		guint64 many = LIMIT_COMMAND_UIDS;
		if (imap_set_count(from) == 0) {
			from = box->attribute_again;
			many = 1;
		}
		g_autofree char *text =
			imap_set_take(from, LIMIT_COMMAND_LINE - NAME_AND_ITEMS, many);
		send_ask(box, conn, text);
	}
}

/* Somebody else changed flags; \Deleted takes the message out of the listing or brings it back, and
 * then that is the news. */
void attribute_tell(Box *box, Gen gen, guint32 uid, guint before, guint after)
{
	Engine *engine = box->engine;
	bool hidden = box_hides(box, after);
	if (hidden == box_hides(box, before)) {
		if (!hidden)
			engine->events->message_changed(gen, uid, false, engine->data);
		return;
	}
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, uid, uid);
	engine->events->names_changed(
		box->id, gen, hidden ? uids : NULL, hidden ? NULL : uids, engine->data);
}

/* Attributes arrived, asked for or not. */
void attribute_note(Conn *conn, guint32 uid, const ImapFetch *fetch)
{
	StoreFields fields = {
		.has_flags = fetch->has & IMAP_FETCH_FLAGS,
		.has_size = fetch->has & IMAP_FETCH_SIZE,
		/* Beside a body it is there to be compared. */
		.has_date = fetch->has & IMAP_FETCH_INTERNALDATE && fetch->n_bodies == 0,
		.keywords = fetch->flags.keywords,
	};
	if (!fields.has_flags && !fields.has_size && !fields.has_date)
		return;
	Engine *engine = conn->engine;
	Box *box = conn->box;
	StoreMessage message = {
		.uid = uid,
		.flags = fetch->flags.system,
		.size = fetch->size,
		.date = fetch->internaldate,
	};
	g_auto(GStrv) pending = NULL;
	if (fields.has_flags)
		pending = change_overlay(engine, conn->gen, uid, &message.flags, fields.keywords);
	if (pending)
		fields.keywords = (const char *const *)pending;
	StoreMessage before;
	bool listed = box_recall(box, conn->gen, uid, &before);
	bool changed = false;
	store_set_attributes(engine->store, conn->gen, &message, fields, &changed);
	if (fields.has_size)
		change_note_size(engine, conn->gen, uid, fetch->size);
	if (!(fields.has_flags && fields.has_size && fields.has_date) &&
		imap_set_contains(box->attribute_flying, uid))
		imap_set_add(box->attribute_partial, uid, uid);
	/* Whether it is \\Deleted may have been shown before anything else was known of it. What is
	 * leaving was told to be gone. */
	if (listed && changed && !before.leaving &&
		(before.known || (before.flags ^ message.flags) & IMAP_FLAG_DELETED))
		attribute_tell(box, conn->gen, uid, before.flags, message.flags);
	bool asked = imap_set_contains(box->attribute_flying, uid);
	if (listed && fields.has_flags && !before.known && !asked)
		engine->events->flags_told(box->id, engine->data);
	settle_all(box, conn->gen, uid);
	flags_note(conn, uid);
}
