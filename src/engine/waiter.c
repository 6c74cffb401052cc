#include "engine/private.h"

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
	done(error, waiter->data);
}

void waiters_finish_all(Engine *engine, const GError *error)
{
	for (GList *link; (link = engine->waiting.head);) {
		Waiter *waiter = link->data;
		waiter->refs++;
		waiter_finish(waiter, error);
		waiter_unref(waiter);
	}
}

GPtrArray *waiters_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)waiter_unref);
}

void waiters_finish(GPtrArray *waiters, const GError *error)
{
	/* A completion may ask for more and so add to the very array. */
	g_autoptr(GPtrArray) all = waiters_new();
	while (waiters->len > 0)
		g_ptr_array_add(all, g_ptr_array_steal_index(waiters, 0));
	for (guint i = 0; i < all->len; i++)
		waiter_finish(g_ptr_array_index(all, i), error);
}

/* Ends the waiters for which nothing moved on the wire for the timeout: what was sent is also
 * watched by its session, this is for what never got out. */
static gboolean tick(gpointer data)
{
	Engine *engine = data;
	gint64 limit_us = engine->config.timeout_ms * 1000LL;
	gint64 now = g_get_monotonic_time();
	gint64 progress = pool_progress_time(engine);
	g_autoptr(GError) error =
		g_error_new(MAIL_ERROR, MAIL_ERROR_TIMEOUT, "no answer from %s for %u s",
			engine->config.session.host, engine->config.timeout_ms / 1000);
	for (GList *link; (link = engine->waiting.head);) {
		Waiter *waiter = link->data;
		if (now - MAX(waiter->since_us, progress) < limit_us)
			break;
		waiter->refs++;
		waiter_finish(waiter, error);
		waiter_unref(waiter);
	}
	return G_SOURCE_CONTINUE;
}

void waiters_start_ticking(Engine *engine)
{
	enum { TICK_MS = 250 };
	engine->tick = g_timeout_source_new(TICK_MS);
	g_source_set_callback(engine->tick, tick, engine, NULL);
	g_source_attach(engine->tick, engine->context);
}
