/* The sizes verb: how long parts are once the server decoded them (BINARY.SIZE, RFC 3516 4.3). */
#include <string.h>

#include "engine/private.h"

enum { NAME = 60 };

/* One request. */
typedef struct {
	guint refs; /* its waiter, its place in a queue or its commands */
	Engine *engine;
	Box *box;
	Gen gen;
	guint32 uid;
	char **sections;
	guint n;
	guint64 *sizes;
	Waiter *waiter; /* NULL: moved to who ends it */
	Conn *conn; /* its commands are under way there */
	guint commands;
	GError *error; /* of one of them */
	GList link; /* in Box.sizes or Box.sizes_flying */
	EngineSizesDone done;
	gpointer data;
} Sizes;

static void sizes_unref(Sizes *sizes)
{
	if (--sizes->refs > 0)
		return;
	g_strfreev(sizes->sections);
	g_free(sizes->sizes);
	g_clear_error(&sizes->error);
	g_free(sizes);
}

/* ---- how it ends ---- */

static void on_end(const GError *error, gpointer data)
{
	Sizes *sizes = data;
	sizes->done(error, sizes->sizes, sizes->n, sizes->data);
	sizes_unref(sizes);
}

static void finish(Sizes *sizes, const GError *error)
{
	Waiter *waiter = g_steal_pointer(&sizes->waiter);
	if (waiter) {
		waiter_finish(waiter, error);
		waiter_unref(waiter);
	}
	sizes_unref(sizes);
}

static void take_waiters(GQueue *queue, GPtrArray *waiters)
{
	for (GList *l = queue->head; l; l = l->next) {
		Sizes *sizes = l->data;
		if (sizes->waiter)
			g_ptr_array_add(waiters, g_steal_pointer(&sizes->waiter));
	}
}

void sizes_take_all(Box *box, GPtrArray *waiters)
{
	take_waiters(&box->sizes, waiters);
	take_waiters(&box->sizes_flying, waiters);
	while (box->sizes.length > 0)
		sizes_unref(g_queue_pop_head_link(&box->sizes)->data);
}

/* ---- commands ---- */

/* Some servers end the connection over a part that they cannot decode: it is not asked about
 * twice. */
static void refused(Sizes *sizes, const ImapStatus *status, const GError *error)
{
	bool final = status && (status->kind == IMAP_STATUS_BAD || status->code == IMAP_CODE_NONE ||
				       status->code == IMAP_CODE_UNKNOWN_CTE);
	bool lost = !status && error->code != MAIL_ERROR_TIMEOUT;
	if (final)
		engine_stop_decoding(sizes->engine, error->message);
	sizes->error = g_error_copy(error);
	if (lost || error->code == MAIL_ERROR_IO)
		sizes->error->code = MAIL_ERROR_INVALID;
}

static void settle(Sizes *sizes)
{
	Box *box = sizes->box;
	g_queue_unlink(&box->sizes_flying, &sizes->link);
	finish(sizes, sizes->error);
	box_pump(box);
}

static void answered(const ImapStatus *status, const GError *error, gpointer data)
{
	Sizes *sizes = data;
	if (status)
		conn_answered(sizes->conn, error);
	if (error && !sizes->error)
		refused(sizes, status, error);
	if (--sizes->commands == 0)
		settle(sizes);
}

static void submit(Sizes *sizes, const GString *items)
{
	ImapCommand *line = imap_command_new("UID FETCH");
	imap_command_rawf(line, "%u", sizes->uid);
	imap_command_rawf(line, "(UID INTERNALDATE%s)", items->str);
	sizes->commands++;
	session_submit(sizes->conn->session, SESSION_SELECTED, line, answered, sizes);
}

static void send(Sizes *sizes, Conn *conn)
{
	g_autoptr(GString) items = g_string_new(NULL);
	sizes->conn = conn;
	g_queue_push_tail_link(&sizes->box->sizes_flying, &sizes->link);
	/* Of a connection that is over the answer comes at once. */
	sizes->commands++;
	for (guint i = 0; i < sizes->n; i++) {
		if (items->len + strlen(sizes->sections[i]) + NAME > LIMIT_COMMAND_LINE) {
			submit(sizes, items);
			g_string_truncate(items, 0);
		}
		g_string_append_printf(items, " BINARY.SIZE[%s]", sizes->sections[i]);
	}
	submit(sizes, items);
	if (--sizes->commands == 0)
		settle(sizes);
}

void sizes_dispatch(Box *box, Conn *conn)
{
	while (box->sizes.length > 0 && session_pending(conn->session) < LIMIT_PIPELINE) {
		conn_select(conn, box);
		send(g_queue_pop_head_link(&box->sizes)->data, conn);
	}
}

/* ---- answers ---- */

static void take(Sizes *sizes, const ImapFetch *fetch)
{
	for (gsize i = 0; i < fetch->n_sizes; i++)
		for (guint j = 0; j < sizes->n; j++)
			if (imap_section_is(fetch->sizes[i].section, sizes->sections[j]))
				sizes->sizes[j] = fetch->sizes[i].size;
}

void sizes_note(Conn *conn, guint32 uid, const ImapFetch *fetch)
{
	if (!conn->box || fetch->n_sizes == 0)
		return;
	for (GList *l = conn->box->sizes_flying.head; l; l = l->next) {
		Sizes *sizes = l->data;
		if (sizes->conn == conn && sizes->gen == conn->gen && sizes->uid == uid)
			take(sizes, fetch);
	}
}

/* ---- the request ---- */

static void fail(Sizes *sizes, MailError code, const char *text)
{
	g_autoptr(GError) error = g_error_new_literal(MAIL_ERROR, (gint)code, text);
	finish(sizes, error);
}

static bool is_there(const Sizes *sizes)
{
	guint64 missing;
	return store_first_missing(sizes->engine->store, sizes->gen, sizes->uid, STORE_MESSAGE, 0,
		       1, &missing) != STORE_ABSENT;
}

static void ask(Engine *engine, gpointer data)
{
	Sizes *sizes = data;
	sizes->waiter = waiter_new(engine, on_end, sizes);
	if (engine->closing) {
		fail(sizes, MAIL_ERROR_CANCELLED, "the mount ends");
		return;
	}
	Waiter *waiter = waiter_ref(sizes->waiter);
	if (engine_away(engine, waiter)) {
		finish(sizes, NULL);
		return;
	}
	waiter_unref(waiter);
	MailboxId mailbox = store_gen_mailbox(engine->store, sizes->gen);
	sizes->box = mailbox ? box_get(engine, mailbox) : NULL;
	if (!sizes->box || !is_there(sizes)) {
		fail(sizes, MAIL_ERROR_STALE, "the message is gone");
		return;
	}
	engine->last_box = sizes->box;
	g_queue_push_tail_link(&sizes->box->sizes, &sizes->link);
	box_pump(sizes->box);
}

void engine_sizes(Engine *engine, Gen gen, guint32 uid, const char *const *sections,
	EngineSizesDone done, gpointer data)
{
	Sizes *sizes = g_new0(Sizes, 1);
	*sizes = (Sizes){.refs = 2,
		.engine = engine,
		.gen = gen,
		.uid = uid,
		.sections = g_strdupv((char **)sections),
		.n = g_strv_length((char **)sections),
		.link.data = sizes,
		.done = done,
		.data = data};
	sizes->sizes = g_new(guint64, MAX(sizes->n, 1));
	memset(sizes->sizes, 0xff, sizes->n * sizeof(guint64));
	engine_call(engine, ask, sizes);
}
