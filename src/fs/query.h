/* Searches: the directories that are in use in `.search`, each with what was found last. They are
 * as many as LIMIT_QUERIES; the one that was used least lately goes for a new one, and whoever
 * still has it is told to look again. Any thread, never blocks. */
#pragma once

#include "engine/engine.h"
#include "imap/query.h"

typedef struct Queries Queries;
typedef struct Query Query;

/* What was found in one mailbox. */
typedef struct {
	Gen gen;
	ImapSet *uids;
} QueryHits;

/* Immutable. */
typedef struct {
	gint refs; /* atomic */
	guint n; /* of hits, ascending by generation */
	QueryHits *hits;
} QueryResult;

QueryResult *query_result_ref(QueryResult *result);
void query_result_unref(QueryResult *result); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QueryResult, query_result_unref)

/* The hits in a generation; NULL: there are none. */
const ImapSet *query_result_in(const QueryResult *result, Gen gen);

Queries *queries_new(void);
void queries_free(Queries *queries); /* accepts NULL */

/* The directory of this name in the `.search` of a directory (its id); it is made if there is none.
 * mailbox: that is searched, 0: all. Takes asked, which is what the name means. A reference. */
Query *queries_open(
	Queries *queries, guint32 dir, MailboxId mailbox, const char *name, ImapQuery *asked);

/* The one of this number, which is in use then; a reference. NULL: it is gone. */
Query *queries_get(Queries *queries, guint32 number);
void query_unref(Query *query); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Query, query_unref)

/* As queries_open() was told, and its number, >= 1. */
guint32 query_number(const Query *query);
MailboxId query_mailbox(const Query *query);
const ImapQuery *query_asked(const Query *query);

/* What the server answered to who asked at this moment of g_get_monotonic_time(); an older answer
 * is dropped. hits are copied. */
void query_found(Queries *queries, Query *query, gint64 since_us, const EngineHits *hits, guint n);

/* What was found last, a reference; NULL: nothing yet. *ret_since_us: when it was asked for;
 * *ret_doubtful: something has happened since. */
QueryResult *query_result(Queries *queries, Query *query, gint64 *ret_since_us, bool *ret_doubtful);

/* A name is no query, for this reason; the last one of these, which is for the status: new strings;
 * false: there was none. */
void queries_refuse(Queries *queries, const char *name, const char *why);
bool queries_refused(Queries *queries, gint64 *ret_real_us, char **ret_name, char **ret_why);

/* Something happened in a mailbox by which a message may match, or match no longer: one came, or
 * its flags changed. */
void queries_doubt(Queries *queries, MailboxId mailbox);
