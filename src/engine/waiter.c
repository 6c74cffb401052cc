#include "engine/private.h"

enum { WAITED_US = 500 * 1000 }; /* what fails at once takes less */

Waiter *waiter_new(Engine *engine, EngineDone done, gpointer data)
{
	Waiter *waiter = g_new0(Waiter, 1);
	*waiter = (Waiter){.refs = 1,
		.engine = engine,
		.done = done,
		.data = data,
		.since_us = g_get_monotonic_time(),
		.link.data = waiter};
	g_queue_push_tail_link(&engine->waiting, &waiter->link);
	return waiter;
}

Waiter *waiter_ref(Waiter *waiter)
{
	waiter->refs++;
	return waiter;
}

void waiter_unref(Waiter *waiter)
{
	if (--waiter->refs == 0)
		g_free(waiter);
}

void waiter_finish(Waiter *waiter, const GError *error)
{
	EngineDone done = waiter->done;
	if (!done)
		return;
	waiter->done = NULL;
	g_queue_unlink(&waiter->engine->waiting, &waiter->link);
	gint64 now = g_get_monotonic_time();
	if (g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TIMEOUT) &&
		now - waiter->since_us >= WAITED_US)
		waiter->engine->expired_us = now;
	done(error, waiter->data);
}

void waiter_fail(Waiter *waiter, MailError code, const char *text)
{
	g_autoptr(GError) error = g_error_new_literal(MAIL_ERROR, (gint)code, text);
	waiter_finish(waiter, error);
	waiter_unref(waiter);
}

/* For the caller's loop: the waiter may be gone afterwards. */
static void finish_link(const GList *link, const GError *error)
{
	Waiter *waiter = link->data;
	waiter->refs++;
	waiter_finish(waiter, error);
	waiter_unref(waiter);
}

void waiters_finish_all(Engine *engine, const GError *error)
{
	/* A completion only posts to the inbox: nothing is added or ended meanwhile. */
	for (GList *link = engine->waiting.head, *next; link; link = next) {
		next = link->next;
		if (link->data != engine->starter)
			finish_link(link, error);
	}
}

GPtrArray *waiters_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)waiter_unref);
}

void waiters_finish(GPtrArray *waiters, const GError *error)
{
	/* A completion only posts to the inbox: nothing is added meanwhile. */
	for (guint i = 0; i < waiters->len; i++)
		waiter_finish(g_ptr_array_index(waiters, i), error);
	g_ptr_array_set_size(waiters, 0);
}

GHashTable *waiters_table_new(void)
{
	return g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_ptr_array_unref);
}

void waiters_table_add(GHashTable *table, guint32 uid, Waiter *waiter)
{
	GPtrArray *waiters = g_hash_table_lookup(table, GUINT_TO_POINTER(uid));
	if (!waiters) {
		waiters = waiters_new();
		g_hash_table_insert(table, GUINT_TO_POINTER(uid), waiters);
	}
	g_ptr_array_add(waiters, waiter);
}

void waiters_table_end(GHashTable *table, guint32 uid, const GError *error)
{
	gpointer waiters;
	if (!g_hash_table_steal_extended(table, GUINT_TO_POINTER(uid), NULL, &waiters))
		return;
	waiters_finish(waiters, error);
	g_ptr_array_unref(waiters);
}

void waiters_table_take(GHashTable *table, GPtrArray *to)
{
	GHashTableIter iter;
	gpointer waiters;
	g_hash_table_iter_init(&iter, table);
	while (g_hash_table_iter_next(&iter, NULL, &waiters))
		while (((GPtrArray *)waiters)->len > 0)
			g_ptr_array_add(to, g_ptr_array_steal_index_fast(waiters, 0));
	g_hash_table_remove_all(table);
}

/* What was sent is watched by its session too; this is also for what never got out. */
bool waiters_expire(Engine *engine, gint64 now_us)
{
	enum { STUCK_US = 1000 * 1000 };
	gint64 limit_us = engine->config.timeout_ms * 1000LL;
	gint64 progress = pool_progress_time(engine);
	g_autoptr(GError) error =
		g_error_new(MAIL_ERROR, MAIL_ERROR_TIMEOUT, "no answer from %s for %u s",
			engine->config.session.host, engine->config.timeout_ms / 1000);
	gint64 silent_us = 0;
	for (GList *link = engine->waiting.head, *next; link; link = next) {
		const Waiter *waiter = link->data;
		next = link->next;
		/* The first login may wait for a person; each of its parts has its own bound. */
		if (waiter == engine->starter)
			continue;
		silent_us = now_us - MAX(waiter->since_us, progress);
		if (silent_us < limit_us)
			break;
		finish_link(link, error);
	}
	return silent_us > STUCK_US;
}
