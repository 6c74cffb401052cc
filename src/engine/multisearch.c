/* One command searches all mailboxes: MULTISEARCH (RFC 7377). What it does not settle is left to
 * search.c. */
#include <string.h>

#include "engine/search.h"

/* Some mailboxes of a search, in one command. */
typedef struct {
	Search *search;
	Conn *conn;
	GArray *targets;
} Chunk;

void search_chunk_free(gpointer data)
{
	Chunk *chunk = data;
	g_array_unref(chunk->targets);
	g_free(chunk);
}

static Target *target_of(const Search *search, MailboxId mailbox)
{
	for (guint c = 0; c < search->chunks->len; c++) {
		const Chunk *chunk = g_ptr_array_index(search->chunks, c);
		for (guint i = 0; i < chunk->targets->len; i++) {
			Target *target = &g_array_index(chunk->targets, Target, i);
			if (target->mailbox == mailbox)
				return target;
		}
	}
	return NULL;
}

void multisearch_note(Conn *conn, const ImapSearch *answer)
{
	g_autofree char *name = g_strndup(answer->mailbox.data, answer->mailbox.len);
	Target *target = conn->search ? target_of(conn->search,
						store_find_mailbox(conn->engine->store, name))
				      : NULL;
	if (!target)
		return;
	guint32 uidvalidity = answer->uid ? answer->uidvalidity : 0;
	bool first = !target->found;
	if (first)
		target->found = imap_set_new();
	target->uidvalidity = first || uidvalidity == target->uidvalidity ? uidvalidity : 0;
	if (imap_set_count(target->found) <= LIMIT_ROWS)
		imap_set_union(target->found, answer->all);
}

/* Refused or lost, for whatever mailbox: each is searched by itself then. */
static void chunk_answered(const ImapStatus *status, const GError *error, gpointer data)
{
	Chunk *chunk = data;
	Search *search = chunk->search;
	Engine *engine = search->engine;
	engine->multisearch_refused |= status && status->kind == IMAP_STATUS_BAD;
	search->answered |= !error;
	for (guint i = 0; i < chunk->targets->len; i++) {
		Target *target = &g_array_index(chunk->targets, Target, i);
		Target left = {.mailbox = target->mailbox};
		if (!error && !target->found)
			continue;
		if (!error) {
			left = *target;
			target->found = NULL;
		}
		g_array_append_val(search->targets, left);
	}
	Conn *conn = chunk->conn;
	g_ptr_array_remove_fast(search->chunks, chunk);
	if (search->chunks->len == 0)
		conn->search = NULL;
	engine_pump(engine);
}

/* They are named: others that the server has are not shown. */
static ImapCommand *multisearch_command(const Search *search, const GArray *targets)
{
	ImapCommand *line = imap_command_new("ESEARCH IN");
	imap_command_open(line);
	imap_command_raw(line, "mailboxes");
	imap_command_open(line);
	for (guint i = 0; i < targets->len; i++) {
		StoreMailbox mailbox;
		if (store_mailbox(search->engine->store, g_array_index(targets, Target, i).mailbox,
			    &mailbox))
			imap_command_mailbox(line, mailbox.name, strlen(mailbox.name));
	}
	imap_command_close(line);
	imap_command_close(line);
	imap_command_raw(line, "RETURN (ALL)");
	imap_query_append(search->query, line);
	return line;
}

static void send_chunk(Search *search, Conn *conn, GArray *targets)
{
	Chunk *chunk = g_new(Chunk, 1);
	*chunk = (Chunk){search, conn, targets};
	g_ptr_array_add(search->chunks, chunk);
	session_submit(conn->session, SESSION_ANY, multisearch_command(search, targets),
		chunk_answered, chunk);
}

/* The next targets that fit a line: at least one. */
static GArray *take_line(Search *search, const GArray *all, guint *at)
{
	enum { NAME_AND_ITEMS = 80, QUOTES = 3, LEAST = 200 };
	gsize query = NAME_AND_ITEMS + strlen(imap_query_text(search->query));
	gsize room = query + LEAST < LIMIT_COMMAND_LINE ? LIMIT_COMMAND_LINE - query : LEAST;
	GArray *targets = search_targets_new();
	for (gsize used = 0; *at < all->len; (*at)++) {
		const Target *target = &g_array_index(all, Target, *at);
		StoreMailbox mailbox;
		if (!store_mailbox(search->engine->store, target->mailbox, &mailbox))
			continue;
		used += strlen(mailbox.name) + QUOTES;
		if (used > room && targets->len > 0)
			break;
		g_array_append_val(targets, *target);
	}
	return targets;
}

static void send_together(Search *search, Conn *conn)
{
	g_autoptr(GArray) all = g_steal_pointer(&search->targets);
	search->targets = search_targets_new();
	search->begun = true;
	conn->search = search;
	conn->search_us = g_get_monotonic_time();
	for (guint at = 0; at < all->len;)
		send_chunk(search, conn, take_line(search, all, &at));
}

void multisearch_decide(Search *search)
{
	Engine *engine = search->engine;
	Conn *conn = pool_paused(engine) ? NULL : pool_any(engine);
	if (search->decided || !conn || search->targets->len == 0)
		return;
	bool together = !engine->multisearch_refused &&
			session_caps(conn->session) & IMAP_CAP_BIT(IMAP_CAP_MULTISEARCH);
	if (together && conn->search)
		return;
	search->decided = true;
	if (together)
		send_together(search, conn);
}
