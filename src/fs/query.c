#include "fs/query.h"

#include <string.h>

#include "base/limits.h"

/* Where a directory is, by which it is found. */
typedef struct {
	guint32 dir;
	MailboxId mailbox;
	char *name;
} Place;

struct Query {
	gint refs; /* atomic */
	Place place;
	guint32 number;
	ImapQuery *asked;
	GList link; /* lock: in Queries.used */

	/* Under the lock of Queries. */
	QueryResult *result; /* NULL: none yet, or it had to go */
	gint64 since_us; /* when it was asked for */
	gint64 doubted_us; /* when something happened last */
};

struct Queries {
	GMutex lock;
	GHashTable *by_place; /* lock: of Query, references */
	GHashTable *by_number; /* lock: the same */
	GQueue used; /* lock: the same, the one used last at the head */
	guint32 last; /* lock: number */
	guint64 ranges; /* lock: of all results */
	gint64 refused_us; /* lock: by g_get_real_time(), when the following was; 0: never */
	char *refused, *why; /* lock */
};

/* ---- results ---- */

QueryResult *query_result_ref(QueryResult *result)
{
	g_atomic_int_inc(&result->refs);
	return result;
}

void query_result_unref(QueryResult *result)
{
	if (!result || !g_atomic_int_dec_and_test(&result->refs))
		return;
	for (guint i = 0; i < result->n; i++)
		imap_set_free(result->hits[i].uids);
	g_free(result->hits);
	g_free(result);
}

static int compare_hits(gconstpointer a, gconstpointer b)
{
	const QueryHits *x = a, *y = b;
	return (x->gen > y->gen) - (x->gen < y->gen);
}

static QueryResult *result_new(const EngineHits *hits, guint n)
{
	QueryResult *result = g_new0(QueryResult, 1);
	result->refs = 1;
	result->n = n;
	result->hits = g_new(QueryHits, n);
	for (guint i = 0; i < n; i++)
		result->hits[i] = (QueryHits){hits[i].gen, imap_set_copy(hits[i].uids)};
	if (n > 0)
		qsort(result->hits, n, sizeof(QueryHits), compare_hits);
	return result;
}

const ImapSet *query_result_in(const QueryResult *result, Gen gen)
{
	QueryHits wanted = {.gen = gen};
	if (result->n == 0)
		return NULL;
	const QueryHits *found =
		bsearch(&wanted, result->hits, result->n, sizeof(QueryHits), compare_hits);
	return found ? found->uids : NULL;
}

static guint64 count_ranges(const QueryResult *result)
{
	guint64 ranges = 0;
	for (guint i = 0; result && i < result->n; i++) {
		gsize n;
		imap_set_ranges(result->hits[i].uids, &n);
		ranges += n;
	}
	return ranges;
}

/* ---- queries ---- */

static guint hash_place(gconstpointer key)
{
	const Place *place = &((const Query *)key)->place;
	return g_str_hash(place->name) ^ place->dir ^ place->mailbox << 16;
}

static gboolean equal_places(gconstpointer a, gconstpointer b)
{
	const Place *x = &((const Query *)a)->place, *y = &((const Query *)b)->place;
	return x->dir == y->dir && x->mailbox == y->mailbox && strcmp(x->name, y->name) == 0;
}

void query_unref(Query *query)
{
	if (!query || !g_atomic_int_dec_and_test(&query->refs))
		return;
	query_result_unref(query->result);
	imap_query_free(query->asked);
	g_free(query->place.name);
	g_free(query);
}

static void unref(gpointer query)
{
	query_unref(query);
}

static Query *query_ref(Query *query)
{
	g_atomic_int_inc(&query->refs);
	return query;
}

Queries *queries_new(void)
{
	Queries *queries = g_new0(Queries, 1);
	g_mutex_init(&queries->lock);
	queries->by_place = g_hash_table_new_full(hash_place, equal_places, unref, NULL);
	queries->by_number = g_hash_table_new(NULL, NULL);
	return queries;
}

void queries_free(Queries *queries)
{
	if (!queries)
		return;
	g_hash_table_unref(queries->by_number);
	g_hash_table_unref(queries->by_place);
	g_free(queries->refused);
	g_free(queries->why);
	g_mutex_clear(&queries->lock);
	g_free(queries);
}

static void set_result_locked(Queries *queries, Query *query, QueryResult *result)
{
	queries->ranges -= count_ranges(query->result);
	queries->ranges += count_ranges(result);
	query_result_unref(query->result);
	query->result = result;
}

static bool is_here_locked(const Queries *queries, const Query *query)
{
	return g_hash_table_lookup(queries->by_number, GUINT_TO_POINTER(query->number)) == query;
}

static void use_locked(Queries *queries, Query *query)
{
	g_queue_unlink(&queries->used, &query->link);
	g_queue_push_head_link(&queries->used, &query->link);
}

static void drop_locked(Queries *queries, Query *query)
{
	set_result_locked(queries, query, NULL);
	g_queue_unlink(&queries->used, &query->link);
	g_hash_table_remove(queries->by_number, GUINT_TO_POINTER(query->number));
	g_hash_table_remove(queries->by_place, query);
}

/* Takes asked; its reference is the table's. */
static Query *add_locked(Queries *queries, const Place *place, ImapQuery *asked)
{
	if (queries->used.length == LIMIT_QUERIES)
		drop_locked(queries, queries->used.tail->data);
	Query *query = g_new0(Query, 1);
	query->refs = 1;
	query->place = *place;
	query->place.name = g_strdup(place->name);
	query->number = ++queries->last;
	query->asked = asked;
	query->link.data = query;
	g_hash_table_add(queries->by_place, query);
	g_hash_table_insert(queries->by_number, GUINT_TO_POINTER(query->number), query);
	g_queue_push_head_link(&queries->used, &query->link);
	return query;
}

Query *queries_open(
	Queries *queries, guint32 dir, MailboxId mailbox, const char *name, ImapQuery *asked)
{
	g_autoptr(ImapQuery) owned = asked;
	const Query wanted = {.place = {dir, mailbox, (char *)name}};
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&queries->lock);
	Query *query = g_hash_table_lookup(queries->by_place, &wanted);
	if (!query)
		query = add_locked(queries, &wanted.place, g_steal_pointer(&owned));
	use_locked(queries, query);
	return query_ref(query);
}

Query *queries_get(Queries *queries, guint32 number)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&queries->lock);
	Query *query = g_hash_table_lookup(queries->by_number, GUINT_TO_POINTER(number));
	if (!query)
		return NULL;
	use_locked(queries, query);
	return query_ref(query);
}

guint32 query_number(const Query *query)
{
	return query->number;
}

MailboxId query_mailbox(const Query *query)
{
	return query->place.mailbox;
}

const ImapQuery *query_asked(const Query *query)
{
	return query->asked;
}

/* Those that were not used lately lose their results, so that all together stay small. */
static void make_room_locked(Queries *queries)
{
	for (GList *l = queries->used.tail; l && l->prev && queries->ranges > LIMIT_QUERY_RANGES;
		l = l->prev)
		set_result_locked(queries, l->data, NULL);
}

void query_found(Queries *queries, Query *query, gint64 since_us, const EngineHits *hits, guint n)
{
	QueryResult *result = result_new(hits, n);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&queries->lock);
	if (!is_here_locked(queries, query) || since_us < query->since_us) {
		query_result_unref(result);
		return;
	}
	set_result_locked(queries, query, result);
	query->since_us = since_us;
	use_locked(queries, query);
	make_room_locked(queries);
}

QueryResult *query_result(Queries *queries, Query *query, gint64 *ret_since_us, bool *ret_doubtful)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&queries->lock);
	*ret_since_us = query->since_us;
	*ret_doubtful = query->doubted_us >= query->since_us;
	return query->result ? query_result_ref(query->result) : NULL;
}

void queries_doubt(Queries *queries, MailboxId mailbox)
{
	gint64 now_us = g_get_monotonic_time();
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&queries->lock);
	for (GList *l = queries->used.head; l; l = l->next) {
		Query *query = l->data;
		if (query->place.mailbox == 0 || query->place.mailbox == mailbox)
			query->doubted_us = now_us;
	}
}

void queries_refuse(Queries *queries, const char *name, const char *why)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&queries->lock);
	g_free(queries->refused);
	g_free(queries->why);
	queries->refused_us = g_get_real_time();
	queries->refused = g_strdup(name);
	queries->why = g_strdup(why);
}

bool queries_refused(Queries *queries, gint64 *ret_real_us, char **ret_name, char **ret_why)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&queries->lock);
	if (queries->refused_us == 0)
		return false;
	*ret_real_us = queries->refused_us;
	*ret_name = g_strdup(queries->refused);
	*ret_why = g_strdup(queries->why);
	return true;
}
