#include "store/private.h"
#include "store/db.h"
#include "base/limits.h"

/* A writer that waits goes before new readers: glibc's default, which is GRWLock's too, lets a few
 * busy readers hold the engine off for seconds. */
static void init_lock(pthread_rwlock_t *lock)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	pthread_rwlock_init(lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

/* From the beginning on there is no directory. */
static void do_without(Store *store, const char *why)
{
	g_warning("%s; bodies are kept in memory", why);
	store_disk_lacks(store, DISK_INDEX, why);
}

static void leave_dir(Store *store)
{
	store_unload(store);
	g_clear_pointer(&store->packs, store_packs_free);
	g_clear_pointer(&store->events, store_events_free);
	g_clear_pointer(&store->dir, store_dir_close);
}

/* Without its index file the directory is left as it is: the next mount may read that again, and
 * then knows what is in the files. */
static void open_index(Store *store)
{
	g_autoptr(GError) error = NULL;

	store->saver = store_saver_new(store, &error);
	if (!store->saver) {
		do_without(store, error->message);
		leave_dir(store);
		return;
	}
	store_packs_settle(store->packs, store->last_serial);
	store_dir_sweep(
		store->dir, (guint32)(store->last_serial >> 32), store_bodies_files(store->bodies));
}

Store *store_new(const char *cachedir, guint64 cache_size, bool show_deleted, GError **error)
{
	g_autoptr(GError) local_error = NULL;
	StoreDir *dir = cachedir ? store_dir_open(cachedir, &local_error) : NULL;

	if (local_error && !g_error_matches(local_error, MAIL_ERROR, MAIL_ERROR_IO)) {
		g_propagate_error(error, g_steal_pointer(&local_error));
		return NULL;
	}

	Store *store = g_new0(Store, 1);

	store->dir = dir;
	store->show_deleted = show_deleted;
	init_lock(&store->lock);
	store_disk_init(&store->disk);
	store_mailboxes_init(store);
	store_index_init(store);
	store->packs = dir ? store_packs_new(dir->bodies_fd, cache_size) : NULL;
	store->events = dir ? store_events_new(dir->fd, dir->path) : NULL;
	store->bodies = store_bodies_new(cache_size, MIN(cache_size, LIMIT_MEMORY_BODIES));
	if (local_error)
		do_without(store, local_error->message);
	if (dir)
		open_index(store);
	store->intents = store_intents_new(store->dir, store->last_serial);
	store->unsent = store_unsent_open(store->dir, store->last_serial);
	return store;
}

void store_free(Store *store)
{
	if (!store)
		return;
	store_saver_free(store->saver);
	store->saver = NULL;
	while (store->n_spare > 0)
		g_free(store->spare[--store->n_spare]);
	store_bodies_free(store->bodies);
	store_packs_free(store->packs);
	store_index_clear(store);
	store_mailboxes_clear(store);
	pthread_rwlock_destroy(&store->lock);
	store_events_free(store->events);
	store_unsent_close(store->unsent);
	store_intents_free(store->intents);
	store_dir_close(store->dir);
	store_disk_clear(&store->disk);
	g_free(store);
}

const char *store_directory(Store *store)
{
	return store->dir ? store->dir->path : NULL;
}

Intents *store_intents(Store *store)
{
	return store->intents;
}
