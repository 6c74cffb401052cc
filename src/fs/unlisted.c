#include "fs/unlisted.h"

#include "base/limits.h"

struct Unlisted {
	GMutex lock;
	GHashTable *by_gen; /* lock: generation to an ImapSet */
	guint64 added; /* lock: since there were none */
	gint n; /* atomic: generations that have some, for a look without the lock */
};

Unlisted *unlisted_new(void)
{
	Unlisted *unlisted = g_new0(Unlisted, 1);
	g_mutex_init(&unlisted->lock);
	unlisted->by_gen = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)imap_set_free);
	return unlisted;
}

void unlisted_free(Unlisted *unlisted)
{
	if (!unlisted)
		return;
	g_hash_table_unref(unlisted->by_gen);
	g_mutex_clear(&unlisted->lock);
	g_free(unlisted);
}

static ImapSet *of_gen_locked(const Unlisted *unlisted, Gen gen)
{
	return g_hash_table_lookup(unlisted->by_gen, GUINT_TO_POINTER(gen));
}

static void drop_empty_locked(Unlisted *unlisted, Gen gen)
{
	ImapSet *uids = of_gen_locked(unlisted, gen);
	if (uids && imap_set_count(uids) == 0)
		g_hash_table_remove(unlisted->by_gen, GUINT_TO_POINTER(gen));
	if (g_hash_table_size(unlisted->by_gen) == 0)
		unlisted->added = 0;
	g_atomic_int_set(&unlisted->n, (gint)g_hash_table_size(unlisted->by_gen));
}

void unlisted_add(Unlisted *unlisted, Gen gen, const ImapSet *uids)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&unlisted->lock);
	guint64 n = imap_set_count(uids);
	if (unlisted->added + n > LIMIT_UNLISTED) {
		g_hash_table_remove_all(unlisted->by_gen);
		unlisted->added = 0;
	}
	unlisted->added += n;
	ImapSet *there = of_gen_locked(unlisted, gen);
	if (there)
		imap_set_union(there, uids);
	else
		g_hash_table_insert(unlisted->by_gen, GUINT_TO_POINTER(gen), imap_set_copy(uids));
	drop_empty_locked(unlisted, gen);
}

bool unlisted_remove(Unlisted *unlisted, Gen gen, guint32 uid)
{
	if (!unlisted_has(unlisted, gen, uid))
		return false;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&unlisted->lock);
	ImapSet *uids = of_gen_locked(unlisted, gen);
	if (uids)
		imap_set_remove(uids, uid, uid);
	drop_empty_locked(unlisted, gen);
	return true;
}

ImapSet *unlisted_take(Unlisted *unlisted, Gen gen)
{
	gpointer taken = NULL;
	if (g_atomic_int_get(&unlisted->n) == 0)
		return NULL;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&unlisted->lock);
	g_hash_table_steal_extended(unlisted->by_gen, GUINT_TO_POINTER(gen), NULL, &taken);
	drop_empty_locked(unlisted, gen);
	return taken;
}

bool unlisted_has(Unlisted *unlisted, Gen gen, guint32 uid)
{
	if (g_atomic_int_get(&unlisted->n) == 0)
		return false;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&unlisted->lock);
	const ImapSet *uids = of_gen_locked(unlisted, gen);
	return uids && imap_set_contains(uids, uid);
}
