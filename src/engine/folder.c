/* The folder verbs: mailboxes are made, deleted and renamed (RFC 3501 6.3.3 to 6.3.7). */
#include "engine/folder.h"

#include <string.h>

#include "engine/private.h"

typedef enum {
	FOLDER_CREATE,
	FOLDER_DELETE,
	FOLDER_RENAME,
} FolderKind;

enum { TRIES = 3 }; /* connections that were lost while something harmless was asked */

typedef enum {
	FOLDER_SETTLING, /* what waits to be changed in it goes to the server */
	FOLDER_ASKING, /* what it holds (DELETE), which mailboxes are subscribed (RENAME) */
	FOLDER_ACTING, /* CREATE, DELETE or RENAME itself */
	FOLDER_SUBSCRIBING, /* SUBSCRIBE and UNSUBSCRIBE */
	FOLDER_LISTING, /* the store learns of it */
	FOLDER_OVER,
} FolderStep;

struct Folder {
	Engine *engine;
	FolderKind kind;
	MailboxId mailbox; /* 0 for CREATE */
	char *name; /* of the mailbox that is made, deleted or renamed; NULL: not looked up yet */
	char *target; /* RENAME */
	char delimiter;
	EngineDone done; /* until there is the waiter */
	gpointer data;
	Waiter *waiter;

	FolderStep step;
	bool sent; /* its commands were */
	guint commands; /* and whatever else is being waited for */
	bool settled; /* nothing waited when that was looked at last */
	guint tries;
	Conn *conn; /* that the step is asked on, while there are commands */
	bool lost; /* an answer was, with its connection */
	GError *error; /* why it failed, but for `unsure` */
	bool unsure; /* the server may have done it all the same: LIST tells */
	bool counted; /* how many messages it holds */
	guint64 messages;
	GPtrArray *subscribed; /* names, of it and of those below it */
	guint list; /* the LIST that is being waited for, in Engine.lists; 0: none */
	bool listed; /* one was answered since it was done */
};

void folder_free(Folder *folder)
{
	if (!folder)
		return;
	if (folder->waiter)
		waiter_unref(folder->waiter);
	g_clear_error(&folder->error);
	g_ptr_array_unref(folder->subscribed);
	g_free(folder->name);
	g_free(folder->target);
	g_free(folder);
}

/* Whether it is the mailbox in question or below it. */
static bool concerns(const Folder *folder, const char *name)
{
	return folder_is_within(folder->name, folder->delimiter, name);
}

/* When its turn comes: the verbs before it may have changed what there is. */
static GError *look_up(Folder *folder)
{
	if (folder->kind == FOLDER_CREATE)
		return folder_refuse_name(folder->engine, folder->name);
	StoreMailbox mailbox;
	if (!store_mailbox(folder->engine->store, folder->mailbox, &mailbox))
		return g_error_new_literal(
			MAIL_ERROR, MAIL_ERROR_NOT_FOUND, "there is no such mailbox");
	g_free(folder->name);
	folder->name = g_strdup(mailbox.name);
	folder->delimiter = mailbox.delimiter;
	return folder_refuse_mailbox(folder->engine, &mailbox, folder->target);
}

/* ---- the steps: each sends its commands, whose ends are counted ---- */

/* The end of one of the things that the step waits for. */
static void step_done(Folder *folder, const ImapStatus *status, const GError *error)
{
	bool lost = error && !status;
	folder->commands--;
	folder->lost |= lost;
	if (error && !folder->error)
		folder->error = g_error_copy(error);
	/* A connection that breaks says nothing of the mailbox. */
	if (lost && folder->error->code == MAIL_ERROR_IO)
		folder->error->code = MAIL_ERROR_UNAVAILABLE;
	engine_pump(folder->engine);
}

static void command_done(const ImapStatus *status, const GError *error, gpointer data)
{
	step_done(data, status, error);
}

/* Of what is of use, but not needed. */
static void courtesy_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Folder *folder = data;
	if (status && error)
		g_message("%s: %s", folder->name, error->message);
	step_done(folder, status, status ? NULL : error);
}

static void submit(Folder *folder, ImapCommand *line, SessionDone done)
{
	folder->commands++;
	session_submit(folder->conn->session, SESSION_ANY, line, done, folder);
}

static void submit_named(Folder *folder, const char *command, const char *name, SessionDone done)
{
	ImapCommand *line = imap_command_new(command);
	imap_command_mailbox(line, name, strlen(name));
	submit(folder, line, done);
}

/* What was refused is no reason to leave the mailbox as it is. */
static void settled(const GError *error, gpointer data)
{
	Folder *folder = data;
	bool account = error && mail_error_grade((MailError)error->code) == MAIL_GRADE_ACCOUNT;
	if (account && !folder->error)
		folder->error = g_error_copy(error);
	step_done(folder, NULL, NULL);
}

static void settle_all(Folder *folder)
{
	g_autoptr(GArray) all = store_mailboxes(folder->engine->store);
	for (guint i = 0; i < all->len; i++) {
		const StoreMailbox *other = &g_array_index(all, StoreMailbox, i);
		if (!concerns(folder, other->name))
			continue;
		folder->commands++;
		changes_settle(
			folder->engine, other->id, waiter_new(folder->engine, settled, folder));
	}
}

static void settle(Folder *folder)
{
	folder->error = look_up(folder);
	if (!folder->error && folder->kind != FOLDER_CREATE)
		settle_all(folder);
	folder->settled = folder->commands == 0;
}

static void ask_subscribed(Folder *folder)
{
	guint64 caps = session_caps(folder->conn->session);
	bool extended =
		caps & (IMAP_CAP_BIT(IMAP_CAP_LIST_EXTENDED) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
	ImapCommand *line = imap_command_new(extended ? "LIST (SUBSCRIBED)" : "LSUB");
	imap_command_raw(line, "\"\" \"*\"");
	g_ptr_array_set_size(folder->subscribed, 0);
	submit(folder, line, courtesy_done);
}

static void ask_messages(Folder *folder)
{
	StoreMailbox mailbox;
	/* What cannot be selected has no messages. */
	folder->counted = store_mailbox(folder->engine->store, folder->mailbox, &mailbox) &&
			  mailbox.attributes & IMAP_LIST_NOSELECT;
	if (folder->counted)
		return;
	ImapCommand *line = imap_command_new("STATUS");
	imap_command_mailbox(line, folder->name, strlen(folder->name));
	imap_command_raw(line, "(MESSAGES)");
	submit(folder, line, command_done);
}

static void act(Folder *folder)
{
	static const char *const commands[] = {
		[FOLDER_CREATE] = "CREATE",
		[FOLDER_DELETE] = "DELETE",
		[FOLDER_RENAME] = "RENAME",
	};
	ImapCommand *line = imap_command_new(commands[folder->kind]);
	imap_command_mailbox(line, folder->name, strlen(folder->name));
	if (folder->kind == FOLDER_RENAME)
		imap_command_mailbox(line, folder->target, strlen(folder->target));
	submit(folder, line, command_done);
}

/* Servers leave subscriptions as they were: names of mailboxes that need not exist (RFC 3501
 * 6.3.5, 6.3.6). */
static void subscribe(Folder *folder)
{
	if (folder->kind == FOLDER_CREATE)
		submit_named(folder, "SUBSCRIBE", folder->name, courtesy_done);
	if (folder->kind == FOLDER_DELETE)
		submit_named(folder, "UNSUBSCRIBE", folder->name, courtesy_done);
	for (guint i = 0; i < folder->subscribed->len; i++) {
		const char *old = g_ptr_array_index(folder->subscribed, i);
		g_autofree char *name =
			g_strconcat(folder->target, old + strlen(folder->name), NULL);
		submit_named(folder, "UNSUBSCRIBE", old, courtesy_done);
		submit_named(folder, "SUBSCRIBE", name, courtesy_done);
	}
}

static void list(Folder *folder)
{
	Engine *engine = folder->engine;
	folder->commands++;
	folder->list = engine->lists + 1;
	engine->list_due = true;
}

static void send(Folder *folder)
{
	folder->sent = true;
	folder->conn = pool_any(folder->engine);
	switch (folder->step) {
	case FOLDER_SETTLING:
		settle(folder);
		break;
	case FOLDER_ASKING:
		if (folder->kind == FOLDER_DELETE)
			ask_messages(folder);
		if (folder->kind == FOLDER_RENAME)
			ask_subscribed(folder);
		break;
	case FOLDER_ACTING:
		act(folder);
		break;
	case FOLDER_SUBSCRIBING:
		subscribe(folder);
		/* In the same flight, unless it is about subscriptions itself. */
		if (!folder->engine->config.subscribed && !folder->listed)
			list(folder);
		break;
	case FOLDER_LISTING:
		list(folder);
		break;
	case FOLDER_OVER:
		break;
	}
}

/* ---- what comes after a step ---- */

/* What waited while the mailbox was closed may go on. */
static void reopen(Engine *engine)
{
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));)
		box_pump(box);
}

/* Rights may come from the mailbox above. */
static void follow(Engine *engine)
{
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		StoreMailbox mailbox;
		if (!store_mailbox(engine->store, box->id, &mailbox) ||
			strcmp(box->name, mailbox.name) == 0)
			continue;
		g_free(box->name);
		box->name = g_strdup(mailbox.name);
		g_clear_pointer(&box->rights, g_free);
	}
}

/* The server did it. */
static void take_effect(Folder *folder)
{
	Engine *engine = folder->engine;
	/* Whoever looked at it last needs it no more. */
	const Box *last = folder->kind == FOLDER_DELETE ? engine->last_box : NULL;
	if (last && last->id == folder->mailbox)
		engine->last_box = NULL;
	if (folder->kind == FOLDER_RENAME) {
		store_rename_mailbox(engine->store, folder->mailbox, folder->target);
		follow(engine);
		changes_renamed(engine);
		engine->renamed = true;
	}
}

static GError *refuse_full(const Folder *folder)
{
	if (!folder->counted)
		return folder_refusal(MAIL_ERROR_IO, folder->name,
			"the server does not tell how many messages it holds");
	return folder->messages > 0 ? folder_refusal(MAIL_ERROR_NOT_EMPTY, folder->name,
					      "there are messages in it")
				    : NULL;
}

/* What changes nothing, or the same twice, is said again on the next connection. */
static FolderStep after_loss(Folder *folder)
{
	folder->lost = false;
	folder->unsure = folder->step == FOLDER_ACTING;
	if (folder->unsure)
		return FOLDER_LISTING;
	bool again = ++folder->tries < TRIES;
	if (!again && folder->step != FOLDER_SUBSCRIBING)
		return FOLDER_OVER;
	g_clear_error(&folder->error);
	return again ? folder->step : FOLDER_LISTING;
}

static FolderStep next_step(Folder *folder)
{
	if (folder->lost)
		return after_loss(folder);
	if (folder->error)
		return FOLDER_OVER;
	switch (folder->step) {
	case FOLDER_SETTLING:
		/* More may have been asked for meanwhile; from then on it waits. */
		return folder->settled ? FOLDER_ASKING : FOLDER_SETTLING;
	case FOLDER_ASKING:
		if (folder->kind == FOLDER_DELETE)
			folder->error = refuse_full(folder);
		return folder->error ? FOLDER_OVER : FOLDER_ACTING;
	case FOLDER_ACTING:
		take_effect(folder);
		return FOLDER_SUBSCRIBING;
	case FOLDER_SUBSCRIBING:
		return folder->listed ? FOLDER_OVER : FOLDER_LISTING;
	case FOLDER_LISTING:
		return folder->unsure ? FOLDER_SUBSCRIBING : FOLDER_OVER;
	case FOLDER_OVER:
		break;
	}
	return FOLDER_OVER;
}

/* ---- one verb at a time ---- */

static Folder *current(const Engine *engine)
{
	return g_queue_peek_head((GQueue *)&engine->folders);
}

/* Until the command is answered. */
static bool is_in_hand(const Folder *folder)
{
	return folder && (folder->step == FOLDER_ASKING || folder->step == FOLDER_ACTING);
}

bool folder_holds_list(const Engine *engine)
{
	const Folder *folder = current(engine);
	return is_in_hand(folder) && (folder->sent || folder->step == FOLDER_ACTING);
}

bool folder_closes(const Engine *engine, const char *name)
{
	const Folder *folder = current(engine);
	if (!folder || folder->step == FOLDER_SETTLING)
		return false;
	return concerns(folder, name) ||
	       (folder->target && folder_is_within(folder->target, folder->delimiter, name));
}

/* Servers refuse to delete or rename what is selected, or hang up on whoever has it. Commands that
 * are under way come to their end before; no more are sent. */
static bool is_left(const Folder *folder)
{
	bool left = true;
	for (guint i = 0; i < folder->engine->conns->len; i++) {
		Conn *conn = g_ptr_array_index(folder->engine->conns, i);
		if (!conn->ready)
			continue;
		if (conn->box && concerns(folder, conn->box->name))
			left &= session_pending(conn->session) == 0 && conn->batches == 0 &&
				!conn_leave(conn);
		left &= !conn->leaving;
	}
	return left;
}

static bool may_send(const Folder *folder)
{
	const Engine *engine = folder->engine;
	if (folder->step == FOLDER_SETTLING || folder->step == FOLDER_LISTING)
		return true;
	if (!pool_first_ready(engine))
		return false;
	return !is_in_hand(folder) || (!engine->list_conn && is_left(folder));
}

/* Whether nobody waits for it any more, and nothing was done. */
static bool is_abandoned(const Folder *folder)
{
	bool begun =
		folder->step > FOLDER_ACTING || (folder->step == FOLDER_ACTING && folder->sent);
	return !folder->waiter->done && !begun;
}

static void end(Folder *folder)
{
	Engine *engine = folder->engine;
	g_queue_pop_head(&engine->folders);
	waiter_finish(folder->waiter, folder->error);
	folder_free(folder);
	reopen(engine);
}

/* Whether there may be more to do at once. */
static bool go_on(Folder *folder)
{
	if (folder->commands > 0)
		return false;
	if (is_abandoned(folder))
		folder->step = FOLDER_OVER;
	else if (folder->sent)
		folder->step = next_step(folder);
	folder->sent = false;
	if (folder->step == FOLDER_OVER) {
		end(folder);
		return true;
	}
	if (!may_send(folder))
		return false;
	send(folder);
	return true;
}

void folder_pump(Engine *engine)
{
	for (Folder *folder; (folder = current(engine)) && go_on(folder);)
		;
}

static GError *refuse_all(const Engine *engine)
{
	if (engine->closing)
		return g_error_new_literal(MAIL_ERROR, MAIL_ERROR_CANCELLED, "the mount ends");
	if (engine->config.read_only)
		return g_error_new_literal(
			MAIL_ERROR, MAIL_ERROR_READ_ONLY, "the mount is read-only");
	return NULL;
}

static void take(Engine *engine, gpointer data)
{
	Folder *folder = data;
	g_autoptr(GError) refused = refuse_all(engine);
	if (refused)
		folder->done(refused, folder->data);
	Waiter *waiter = refused ? NULL : waiter_new(engine, folder->done, folder->data);
	if (!waiter || engine_away(engine, waiter)) {
		folder_free(folder);
		return;
	}
	folder->waiter = waiter;
	g_queue_push_tail(&engine->folders, folder);
	engine_pump(engine);
}

static void request(Engine *engine, Folder folder, EngineDone done, gpointer data)
{
	folder.engine = engine;
	folder.done = done;
	folder.data = data;
	folder.subscribed = g_ptr_array_new_with_free_func(g_free);
	engine_call(engine, take, g_memdup2(&folder, sizeof(folder)));
}

void engine_create_mailbox(Engine *engine, const char *name, EngineDone done, gpointer data)
{
	request(engine, (Folder){.kind = FOLDER_CREATE, .name = g_strdup(name)}, done, data);
}

void engine_delete_mailbox(Engine *engine, MailboxId mailbox, EngineDone done, gpointer data)
{
	request(engine, (Folder){.kind = FOLDER_DELETE, .mailbox = mailbox}, done, data);
}

void engine_rename_mailbox(
	Engine *engine, MailboxId mailbox, const char *name, EngineDone done, gpointer data)
{
	Folder folder = {.kind = FOLDER_RENAME, .mailbox = mailbox, .target = g_strdup(name)};
	request(engine, folder, done, data);
}

/* ---- what the server says ---- */

/* The verb that asks on this connection; NULL: none does. */
static Folder *asking(const Conn *conn, FolderKind kind)
{
	Folder *folder = current(conn->engine);
	bool asks = folder && folder->kind == kind && folder->step == FOLDER_ASKING &&
		    folder->sent && folder->conn == conn && folder->commands > 0;
	return asks ? folder : NULL;
}

static bool equal(ImapBytes bytes, const char *name)
{
	return bytes.len == strlen(name) && memcmp(bytes.data, name, bytes.len) == 0;
}

bool folder_note_status(Conn *conn, const ImapMailboxStatus *status)
{
	Folder *folder = asking(conn, FOLDER_DELETE);
	if (!folder || !equal(status->name, folder->name))
		return false;
	folder->counted = status->has & IMAP_HAS_MESSAGES;
	folder->messages = status->messages;
	return true;
}

bool folder_note_list(Conn *conn, const ImapList *list)
{
	Folder *folder = asking(conn, FOLDER_RENAME);
	if (!folder)
		return false;
	g_autofree char *name = g_strndup(list->name.data, list->name.len);
	if (concerns(folder, name))
		g_ptr_array_add(folder->subscribed, g_steal_pointer(&name));
	return true;
}

static bool lists(const GArray *listed, const char *name)
{
	for (guint i = 0; i < listed->len; i++) {
		const ImapList *list = &g_array_index(listed, ImapList, i);
		if (equal(list->name, name) && !(list->attributes & IMAP_LIST_NOSELECT))
			return true;
	}
	return false;
}

static bool was_done(const Folder *folder, const GArray *listed)
{
	bool there = lists(listed, folder->name);
	if (folder->kind == FOLDER_RENAME)
		return !there && lists(listed, folder->target);
	return there == (folder->kind == FOLDER_CREATE);
}

/* The verb for which the LIST that was answered now was sent. */
static Folder *listing(const Engine *engine)
{
	Folder *folder = current(engine);
	return folder && folder->list != 0 && engine->lists >= folder->list ? folder : NULL;
}

bool folder_is_listed(const Engine *engine)
{
	return listing(engine) != NULL;
}

bool folder_explains(const Engine *engine, const char *name)
{
	return folder_is_listed(engine) && folder_closes(engine, name);
}

void folder_judge(Engine *engine, const GArray *listed)
{
	Folder *folder = listing(engine);
	if (!folder || !folder->unsure || !was_done(folder, listed))
		return;
	g_clear_error(&folder->error);
	take_effect(folder);
}

void folder_listed(Engine *engine, const GError *error)
{
	Folder *folder = listing(engine);
	if (!folder)
		return;
	folder->list = 0;
	folder->listed = !error;
	folder->commands--;
	if (error && !folder->error)
		folder->error = g_error_copy(error);
}
