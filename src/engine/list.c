/* The list verb: which mailboxes there are (RFC 3501 6.3.8, RFC 5258). */
#include <string.h>

#include "engine/private.h"
#include "imap/utf7.h"

static void clear_listed(gpointer data)
{
	g_free((char *)((ImapList *)data)->name.data);
}

static void finish(Engine *engine, const GError *error)
{
	engine->list_conn = NULL;
	g_clear_pointer(&engine->listed, g_array_unref);
	waiters_finish(engine->list_waiters, error);
}

void list_reset(Engine *engine)
{
	g_ptr_array_set_size(engine->list_waiters, 0);
	engine->list_conn = NULL;
	g_clear_pointer(&engine->listed, g_array_unref);
}

/* The name as patterns see it: decoded, '/' between its parts. */
static char *readable(const ImapList *list)
{
	char *name = imap_utf7_decode(list->name.data, list->name.len);
	if (!name)
		name = g_strndup(list->name.data, list->name.len);
	if (list->delimiter)
		g_strdelimit(name, (char[]){list->delimiter, 0}, '/');
	return name;
}

static bool is_wildcard(char c)
{
	return c == '*' || c == '%';
}

/* "*" matches zero or more characters, "%" too but for the delimiter (RFC 3501 6.3.8). The name is
 * read once, with all ways through the pattern at the same time: the pattern is short, the name may
 * be made to cost. */
static bool matches(const char *pattern, const char *name)
{
	gsize len = strlen(pattern);
	/* By [i]: whether the first i characters of the pattern match what was read. */
	g_autofree bool *way = g_new0(bool, len + 1);
	way[0] = true;
	for (const char *c = name;; c++) {
		for (gsize i = 0; i < len; i++)
			way[i + 1] |= way[i] && is_wildcard(pattern[i]);
		if (!*c)
			return way[len];
		for (gsize i = len; i > 0; i--) {
			char p = pattern[i - 1];
			way[i] = is_wildcard(p) ? way[i] && (p == '*' || *c != '/')
						: way[i - 1] && p == *c;
		}
		way[0] = false;
	}
}

/* `folders`: a mailbox appears if a pattern matches it, or none is positive, and no negated one
 * matches. */
static bool wanted(const char *patterns, const ImapList *list)
{
	if (!patterns)
		return true;
	g_autofree char *name = readable(list);
	g_auto(GStrv) all = g_strsplit(patterns, ":", -1);
	bool matched = false, positive = false;
	for (char **p = all; *p; p++) {
		if (**p == '!') {
			if (matches(*p + 1, name))
				return false;
			continue;
		}
		positive = true;
		matched |= matches(*p, name);
	}
	return matched || !positive;
}

bool list_shows(const Engine *engine, const char *name, char delimiter)
{
	ImapList list = {.delimiter = delimiter, .name = {name, strlen(name)}};
	return wanted(engine->config.folders, &list);
}

void list_note(Engine *engine, Conn *conn, const ImapList *list)
{
	if (engine->list_conn != conn || list->name.len > LIMIT_MAILBOX_NAME ||
		list->name.len > LIMIT_MAILBOX_NAMES - engine->listed_bytes ||
		engine->listed->len >= LIMIT_MAILBOXES || !wanted(engine->config.folders, list))
		return;
	engine->listed_bytes += list->name.len;
	ImapList copy = *list;
	copy.name.data = g_strndup(list->name.data, list->name.len);
	copy.oldname = (ImapBytes){0};
	g_array_append_val(engine->listed, copy);
}

/* Whether every mailbox that can be selected in one of them alone came, or went, by what we did. */
static bool is_ours(const Engine *engine, const GArray *some, const GArray *others)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	for (guint i = 0; i < others->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(others, StoreMailbox, i);
		if (!(mailbox->attributes & IMAP_LIST_NOSELECT))
			g_hash_table_add(names, (gpointer)mailbox->name);
	}
	for (guint i = 0; i < some->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(some, StoreMailbox, i);
		if (!(mailbox->attributes & IMAP_LIST_NOSELECT) &&
			!g_hash_table_contains(names, mailbox->name) &&
			!folder_explains(engine, mailbox->name))
			return false;
	}
	return true;
}

/* Between two answers a mailbox may have got the name of another: RENAME, or DELETE and CREATE (RFC
 * 3501 6.3.3: a mailbox made again differs by its UIDVALIDITY, which only EXAMINE tells). When
 * nothing changed but by us the others are what they were. */
static void set_changed(Engine *engine, bool ours)
{
	engine->renamed = false;
	if (!ours)
		pool_doubt(engine, NULL);
	engine->events->mailboxes_changed(engine->data);
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));)
		if (!ours || folder_closes(engine, box->name))
			sync_doubt_names(box);
}

static bool is_listed(const GArray *mailboxes, MailboxId id)
{
	for (guint i = 0; i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(mailboxes, StoreMailbox, i);
		if (mailbox->id == id)
			return !(mailbox->attributes & IMAP_LIST_NOSELECT);
	}
	return false;
}

void list_ask_about(Box *box)
{
	box->judged_by = box->engine->lists + 1;
	box->engine->list_due = true;
}

/* What was refused before this LIST went out is told whether it is there. */
static void judge_refused(Engine *engine)
{
	g_autoptr(GArray) mailboxes = store_mailboxes(engine->store);
	GHashTableIter iter;
	g_hash_table_iter_init(&iter, engine->boxes);
	for (Box *box; (box = box_next(&iter));) {
		if (box->refusal && engine->lists >= box->judged_by)
			box_judge(box, is_listed(mailboxes, box->id));
	}
}

static void take_listed(Engine *engine)
{
	const GArray *all = engine->listed;
	g_autoptr(GArray) before = store_mailboxes(engine->store);
	folder_judge(engine, all);
	bool changed =
		store_set_mailboxes(engine->store, (const ImapList *)(void *)all->data, all->len);
	if (!changed && !engine->renamed)
		return;
	g_autoptr(GArray) now = store_mailboxes(engine->store);
	set_changed(engine, folder_is_listed(engine) && is_ours(engine, before, now) &&
				    is_ours(engine, now, before));
}

/* The extended form was not understood, whatever the server offers: from now on without it. */
static bool is_refused(const Engine *engine, const ImapStatus *status)
{
	return engine->list_extended && status && status->kind == IMAP_STATUS_BAD;
}

/* It goes out once more for those who wait for it. */
static void list_again(Engine *engine)
{
	engine->list_due = true;
	engine->list_conn = NULL;
	g_clear_pointer(&engine->listed, g_array_unref);
	engine_pump(engine);
}

static void listed(const ImapStatus *status, const GError *error, gpointer data)
{
	Engine *engine = data;
	if (engine->list_with_status)
		push_polled(engine);
	engine->list_status_refused |= engine->list_with_status && status && error;
	engine->list_with_status = false;
	if (!engine->listed)
		return;
	if (is_refused(engine, status)) {
		engine->list_plain = true;
		list_again(engine);
		return;
	}
	if (!status) {
		/* Lost with its connection: nothing was said of any mailbox. */
		engine->list_due = true;
		finish(engine, error);
		engine_pump(engine);
		return;
	}
	engine->listed_us = g_get_monotonic_time();
	if (!error)
		take_listed(engine);
	judge_refused(engine);
	folder_listed(engine, error);
	if (!error)
		changes_listed(engine);
	finish(engine, error);
	engine_pump(engine);
}

static bool is_extended(const Engine *engine, guint64 caps)
{
	return !engine->list_plain &&
	       caps & (IMAP_CAP_BIT(IMAP_CAP_LIST_EXTENDED) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
}

/* The extended LIST tells only what it is asked for (RFC 5258 3.2, RFC 6154 2), each time the same:
 * what one answer tells and the next does not would be a change of the mailboxes. The server has
 * CHILDREN with LIST-EXTENDED. */
static void add_returns(const Engine *engine, ImapCommand *line, const Conn *conn)
{
	bool uses = session_caps(conn->session) & IMAP_CAP_BIT(IMAP_CAP_SPECIAL_USE);
	g_autofree char *items = engine->list_with_status ? push_status_items(conn) : NULL;
	imap_command_rawf(line, "RETURN (CHILDREN%s%s%s)", uses ? " SPECIAL-USE" : "",
		items ? " STATUS " : "", items ? items : "");
}

static ImapCommand *list_command(const Engine *engine, const Conn *conn)
{
	bool subscribed = engine->config.subscribed;
	ImapCommand *line =
		imap_command_new(subscribed && !engine->list_extended ? "LSUB" : "LIST");
	if (subscribed && engine->list_extended)
		imap_command_raw(line, "(SUBSCRIBED)");
	imap_command_raw(line, "\"\" \"*\"");
	if (engine->list_extended)
		add_returns(engine, line, conn);
	return line;
}

bool list_tells_status(const Engine *engine, const Conn *conn)
{
	guint64 caps = session_caps(conn->session);
	return !engine->list_status_refused && is_extended(engine, caps) &&
	       caps & (IMAP_CAP_BIT(IMAP_CAP_LIST_STATUS) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
}

/* The next answer of LIST finishes the waiter. Takes over the caller's reference. */
void list_wait(Engine *engine, Waiter *waiter)
{
	g_ptr_array_add(engine->list_waiters, waiter);
}

void list_refresh(Engine *engine, bool with_status)
{
	Conn *conn = pool_any(engine);
	if (engine->list_conn || !conn)
		return;
	engine->list_due = folder_holds_list(engine);
	if (engine->list_due)
		return;
	engine->lists++;
	engine->list_conn = conn;
	engine->listed = g_array_new(FALSE, FALSE, sizeof(ImapList));
	engine->listed_bytes = 0;
	g_array_set_clear_func(engine->listed, clear_listed);
	engine->list_extended = is_extended(engine, session_caps(conn->session));
	engine->list_with_status = with_status && list_tells_status(engine, conn);
	ImapCommand *line = list_command(engine, conn);
	session_submit(conn->session, SESSION_ANY, line, listed, engine);
}

void list_pump(Engine *engine)
{
	if (!engine->list_due || engine->list_conn || engine_state(engine) != ENGINE_ONLINE)
		return;
	list_refresh(engine, false);
}

gint64 list_interval_us(const Engine *engine)
{
	enum { LEAST_S = 5 };
	return MAX(engine->config.poll_s, LEAST_S) * G_USEC_PER_SEC;
}

/* Mailboxes that come and go are asked for as often as `poll` says, even if the server tells of
 * them: what it tells while LIST is answered looks like part of the answer. */
void list_age(Engine *engine, gint64 now_us)
{
	if (engine->listed_us != 0 && now_us - engine->listed_us >= list_interval_us(engine))
		list_refresh(engine, false);
}
