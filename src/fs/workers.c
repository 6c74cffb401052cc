#include "fs/workers.h"

#include <stdbool.h>

struct Workers {
	void (*fn)(gpointer item);
	guint most;

	GMutex lock;
	GCond wake;
	GQueue items; /* lock */
	GPtrArray *threads; /* lock: of GThread; they end in workers_free() alone */
	guint idle; /* lock: threads that nothing is queued for yet */
	bool ending; /* lock */
};

Workers *workers_new(guint most, void (*fn)(gpointer item))
{
	Workers *workers = g_new0(Workers, 1);
	workers->fn = fn;
	workers->most = most;
	g_mutex_init(&workers->lock);
	g_cond_init(&workers->wake);
	g_queue_init(&workers->items);
	workers->threads = g_ptr_array_new();
	return workers;
}

void workers_free(Workers *workers)
{
	if (!workers)
		return;
	g_mutex_lock(&workers->lock);
	workers->ending = true;
	g_cond_broadcast(&workers->wake);
	g_mutex_unlock(&workers->lock);
	for (guint i = 0; i < workers->threads->len; i++)
		g_thread_join(g_ptr_array_index(workers->threads, i));
	g_ptr_array_unref(workers->threads);
	g_cond_clear(&workers->wake);
	g_mutex_clear(&workers->lock);
	g_free(workers);
}

/* NULL: there will be none any more. */
static gpointer next_item(Workers *workers)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&workers->lock);
	workers->idle++;
	while (g_queue_is_empty(&workers->items) && !workers->ending)
		g_cond_wait(&workers->wake, &workers->lock);
	workers->idle--;
	return g_queue_pop_head(&workers->items);
}

static gpointer run(gpointer data)
{
	Workers *workers = data;
	for (gpointer item; (item = next_item(workers));)
		workers->fn(item);
	return NULL;
}

/* One more where those that wait have enough to do. */
static void grow_locked(Workers *workers)
{
	if (workers->threads->len == workers->most ||
		g_queue_get_length(&workers->items) < workers->idle)
		return;
	GThread *thread = g_thread_try_new("fs-views", run, workers, NULL);
	if (thread)
		g_ptr_array_add(workers->threads, thread);
}

/* false: there is no thread. */
static bool queue(Workers *workers, gpointer item)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&workers->lock);
	grow_locked(workers);
	if (workers->threads->len == 0)
		return false;
	g_queue_push_tail(&workers->items, item);
	g_cond_signal(&workers->wake);
	return true;
}

void workers_push(Workers *workers, gpointer item)
{
	if (!queue(workers, item))
		workers->fn(item);
}
