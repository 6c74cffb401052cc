#include "fs/search.h"

#include <errno.h>
#include <string.h>

/* ---- names of queries ---- */

/* The text of a query: a name cannot have a `/`, which is %2F in it, and so what is %25 stands for
 * `%`. NULL: it has a NUL. */
static char *text_of(const char *name)
{
	GString *text = g_string_new(NULL);
	for (const char *at = name; *at; at++) {
		if (*at != '%' || !g_ascii_isxdigit(at[1]) || !g_ascii_isxdigit(at[2])) {
			g_string_append_c(text, *at);
			continue;
		}
		g_string_append_c(text,
			(char)(g_ascii_xdigit_value(at[1]) * 16 + g_ascii_xdigit_value(at[2])));
		at += 2;
	}
	bool whole = strlen(text->str) == text->len;
	return g_string_free(text, !whole);
}

static ImapQuery *parse(const char *name, GError **error)
{
	g_autofree char *text = text_of(name);
	if (text)
		return imap_query_parse(text, error);
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_INVALID, "a NUL cannot be searched for");
	return NULL;
}

static void reply_query(const Op *op, const TreeDir *dir, const Query *query)
{
	Inode inode = {.kind = INODE_QUERY, .id = op->at.id, .uid = query_number(query)};
	struct fuse_entry_param entry = {
		.ino = inode_pack(inode),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = KERNEL_ENDLESS_S,
	};
	attr_of_view(op->fs, dir, inode, &entry.attr);
	kernel_reply_entry(op->req, &entry);
}

/* Programs look for names with a dot wherever they are: .git, .hidden, .Trash. */
bool search_lookup(Op *op, const GError *error, const TreeDir *dir)
{
	Fs *fs = op->fs;
	g_autoptr(GError) why = NULL;
	if (*op->name == '.') {
		kernel_reply_errno(op->req, ENOENT);
		return false;
	}
	g_autoptr(ImapQuery) asked = parse(op->name, &why);
	if (asked) {
		g_autoptr(Query) query = queries_open(
			fs->queries, dir->id, dir->mailbox, op->name, g_steal_pointer(&asked));
		reply_query(op, dir, query);
		return false;
	}
	/* The journal is the engine thread's. */
	if (!op->turned)
		return op_turn(op);
	queries_refuse(fs->queries, op->name, why->message);
	journal_query(fs, dir->id, op->name, why->message);
	kernel_reply_errno(op->req, ENOENT);
	return false;
}

/* ---- what was found ---- */

/* A request that waits for the server. */
typedef struct {
	Fs *fs;
	Query *query;
	guint32 dir;
	gint64 since_us;
	Op *op;
} Search;

static void on_found(const GError *error, const EngineHits *hits, guint n, gpointer data)
{
	g_autofree Search *search = data;
	Fs *fs = search->fs;
	const char *text = imap_query_text(query_asked(search->query));
	if (!error) {
		query_found(fs->queries, search->query, search->since_us, hits, n);
	} else if (error->code == MAIL_ERROR_INVALID) {
		queries_refuse(fs->queries, text, error->message);
		journal_query(fs, search->dir, text, error->message);
	}
	query_unref(search->query);
	op_resume_later(error, search->op);
}

/* Takes query. */
static bool ask(Op *op, Query *query)
{
	Fs *fs = op->fs;
	op->searched = true;
	Search found = {
		.fs = fs,
		.query = query,
		.dir = op->at.id,
		.since_us = g_get_monotonic_time(),
	};
	found.op = op_park(op);
	if (!found.op) {
		query_unref(query);
		return false;
	}
	Search *search = g_memdup2(&found, sizeof(found));
	engine_search(fs->engine, query_mailbox(query), query_asked(query), on_found, search);
	return true;
}

static bool is_new_enough(const Fs *fs, SearchAge age, gint64 since_us, bool doubtful)
{
	gint64 age_us = g_get_monotonic_time() - since_us;
	switch (age) {
	case SEARCH_KEPT:
		return true;
	case SEARCH_RECENT:
		if (age_us < G_USEC_PER_SEC)
			return true;
		break;
	case SEARCH_NOW:
		break;
	}
	return !doubtful && age_us < fs->poll_us;
}

/* false: answered. */
static bool may_show(const Op *op, const GError *error, const QueryResult *result)
{
	bool failed = op->searched && error;
	bool away = failed && mail_error_grade((MailError)error->code) == MAIL_GRADE_ACCOUNT;
	if (result && (!failed || away))
		return true;
	kernel_reply_errno(op->req, failed ? kernel_errno(error) : ESTALE);
	return false;
}

QueryResult *search_result(
	Op *op, const GError *error, const TreeDir *dir, SearchAge age, bool *ret_parked)
{
	Fs *fs = op->fs;
	gint64 since_us;
	bool doubtful;
	*ret_parked = false;
	g_autoptr(Query) query = queries_get(fs->queries, op->at.uid);
	if (!query || query_mailbox(query) != dir->mailbox) {
		kernel_reply_errno(op->req, ESTALE);
		return NULL;
	}
	g_autoptr(QueryResult) result = query_result(fs->queries, query, &since_us, &doubtful);
	if (!op->searched && !(result && is_new_enough(fs, age, since_us, doubtful))) {
		*ret_parked = ask(op, g_steal_pointer(&query));
		return NULL;
	}
	return may_show(op, error, result) ? g_steal_pointer(&result) : NULL;
}
