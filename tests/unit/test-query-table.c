#include "fs/query.h"

#include <string.h>

#include "base/limits.h"

static ImapSet *set_of(const char *text)
{
	return imap_set_parse(text, strlen(text), 100);
}

static Query *open_query(Queries *queries, guint32 dir, MailboxId mailbox, const char *name)
{
	return queries_open(queries, dir, mailbox, name, imap_query_parse(name, NULL));
}

static guint32 number_of(Queries *queries, guint32 dir, MailboxId mailbox, const char *name)
{
	g_autoptr(Query) query = open_query(queries, dir, mailbox, name);
	return query_number(query);
}

static void find(Queries *queries, Query *query, gint64 since_us, Gen gen, const char *uids)
{
	g_autoptr(ImapSet) set = set_of(uids);
	const EngineHits hits = {gen, set};
	query_found(queries, query, since_us, &hits, 1);
}

static void assert_found(Queries *queries, Query *query, Gen gen, const char *wanted)
{
	gint64 since_us;
	bool doubtful;
	g_autoptr(QueryResult) result = query_result(queries, query, &since_us, &doubtful);
	const ImapSet *uids = result ? query_result_in(result, gen) : NULL;
	g_autofree char *text = uids ? imap_set_to_string(uids) : NULL;
	g_assert_cmpstr(text, ==, wanted);
}

static bool is_doubtful(Queries *queries, Query *query)
{
	gint64 since_us;
	bool doubtful;
	g_autoptr(QueryResult) result G_GNUC_UNUSED =
		query_result(queries, query, &since_us, &doubtful);
	return doubtful;
}

/* One directory for one name in one place: the kernel cannot have two names of a directory. */
static void test_places(void)
{
	Queries *queries = queries_new();
	guint32 first = number_of(queries, 1, 1, "unseen");
	g_assert_cmpuint(first, >=, 1);
	g_assert_cmpuint(number_of(queries, 1, 1, "unseen"), ==, first);
	g_assert_cmpuint(number_of(queries, 1, 1, "UNSEEN"), !=, first);
	g_assert_cmpuint(number_of(queries, 2, 2, "unseen"), !=, first);
	g_assert_cmpuint(number_of(queries, 1, 2, "unseen"), !=, first);
	g_autoptr(Query) query = queries_get(queries, first);
	g_assert_cmpuint(query_number(query), ==, first);
	g_assert_cmpuint(query_mailbox(query), ==, 1);
	g_assert_cmpstr(imap_query_text(query_asked(query)), ==, "UNSEEN");
	g_assert_null(queries_get(queries, 1000));
	queries_free(queries);
}

static void test_results(void)
{
	Queries *queries = queries_new();
	g_autoptr(Query) query = open_query(queries, 0, 0, "unseen");
	g_autoptr(ImapSet) some = set_of("1:3"), others = set_of("7");
	const EngineHits hits[] = {{9, some}, {4, others}};
	assert_found(queries, query, 9, NULL);
	query_found(queries, query, 100, hits, 2);
	assert_found(queries, query, 9, "1:3");
	assert_found(queries, query, 4, "7");
	assert_found(queries, query, 5, NULL);
	gint64 since_us;
	bool doubtful;
	g_autoptr(QueryResult) result = query_result(queries, query, &since_us, &doubtful);
	g_assert_cmpint(since_us, ==, 100);
	g_assert_cmpuint(result->hits[0].gen, ==, 4);
	g_assert_cmpuint(result->hits[1].gen, ==, 9);
	/* An answer that was long under way. */
	find(queries, query, 99, 4, "8");
	assert_found(queries, query, 4, "7");
	query_found(queries, query, 101, NULL, 0);
	assert_found(queries, query, 4, NULL);
	g_assert_cmpuint(result->n, ==, 2);
	queries_free(queries);
}

static void test_doubt(void)
{
	Queries *queries = queries_new();
	g_autoptr(Query) here = open_query(queries, 1, 1, "unseen");
	g_autoptr(Query) there = open_query(queries, 2, 2, "unseen");
	g_autoptr(Query) everywhere = open_query(queries, 0, 0, "unseen");
	gint64 now_us = g_get_monotonic_time();
	find(queries, here, now_us, 1, "1");
	find(queries, there, now_us, 2, "1");
	find(queries, everywhere, now_us, 1, "1");
	g_assert_false(is_doubtful(queries, here));
	queries_doubt(queries, 1);
	g_assert_true(is_doubtful(queries, here));
	g_assert_false(is_doubtful(queries, there));
	g_assert_true(is_doubtful(queries, everywhere));
	/* An answer to who asked before does not tell of it. */
	find(queries, here, now_us, 1, "1:2");
	g_assert_true(is_doubtful(queries, here));
	find(queries, here, g_get_monotonic_time() + 1, 1, "1:2");
	g_assert_false(is_doubtful(queries, here));
	queries_free(queries);
}

/* The one used least lately goes, and whoever still has it is told so. */
static void test_bound(void)
{
	Queries *queries = queries_new();
	g_autoptr(Query) held = open_query(queries, 1, 1, "from 0");
	guint32 kept = number_of(queries, 1, 1, "from 1");
	for (guint i = 2; i < LIMIT_QUERIES; i++) {
		g_autofree char *name = g_strdup_printf("from %u", i);
		number_of(queries, 1, 1, name);
	}
	g_autoptr(Query) used G_GNUC_UNUSED = queries_get(queries, kept);
	number_of(queries, 1, 1, "from one more");
	g_assert_null(queries_get(queries, query_number(held)));
	g_autoptr(Query) still = queries_get(queries, kept);
	g_assert_nonnull(still);
	/* What comes for it then is not kept. */
	find(queries, held, 1, 1, "1");
	assert_found(queries, held, 1, NULL);
	g_assert_cmpuint(number_of(queries, 1, 1, "from 0"), !=, query_number(held));
	queries_free(queries);
}

static ImapSet *scattered(guint n)
{
	g_autofree ImapRange *ranges = g_new(ImapRange, n);
	for (guint i = 0; i < n; i++)
		ranges[i] = (ImapRange){2 * i + 1, 2 * i + 1};
	return imap_set_from_ranges(ranges, n);
}

static void test_room(void)
{
	Queries *queries = queries_new();
	g_autoptr(Query) small = open_query(queries, 1, 1, "from small");
	g_autoptr(Query) large = open_query(queries, 1, 1, "from large");
	find(queries, small, 1, 1, "1,3,5");
	g_autoptr(ImapSet) many = scattered(LIMIT_QUERY_RANGES - 3);
	const EngineHits hits = {1, many};
	query_found(queries, large, 1, &hits, 1);
	assert_found(queries, small, 1, "1,3,5");
	/* Too much: the last one stays, how large it is, and can be taken back. */
	g_autoptr(ImapSet) more = scattered(LIMIT_QUERY_RANGES + 1);
	const EngineHits more_hits = {1, more};
	query_found(queries, large, 2, &more_hits, 1);
	assert_found(queries, small, 1, NULL);
	gint64 since_us;
	bool doubtful;
	g_autoptr(QueryResult) result = query_result(queries, large, &since_us, &doubtful);
	g_assert_nonnull(result);
	find(queries, large, 3, 1, "1");
	find(queries, small, 3, 1, "1,3,5");
	assert_found(queries, large, 1, "1");
	assert_found(queries, small, 1, "1,3,5");
	queries_free(queries);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/query-table/places", test_places);
	g_test_add_func("/query-table/results", test_results);
	g_test_add_func("/query-table/doubt", test_doubt);
	g_test_add_func("/query-table/bound", test_bound);
	g_test_add_func("/query-table/room", test_room);
	return g_test_run();
}
