#include "fs/shown.h"

enum { BLOCK_BITS = 8 };

struct Shown {
	GMutex lock;
	GHashTable *blocks; /* gen to ImapSet of block numbers + 1: 0 is no member of a set; lock */
};

Shown *shown_new(void)
{
	Shown *shown = g_new0(Shown, 1);
	g_mutex_init(&shown->lock);
	shown->blocks = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)imap_set_free);
	return shown;
}

void shown_free(Shown *shown)
{
	if (!shown)
		return;
	g_hash_table_unref(shown->blocks);
	g_mutex_clear(&shown->lock);
	g_free(shown);
}

static guint32 block_of(guint32 uid)
{
	return (uid >> BLOCK_BITS) + 1;
}

void shown_add(Shown *shown, Gen gen, guint32 first, guint32 last)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	ImapSet *blocks = g_hash_table_lookup(shown->blocks, GUINT_TO_POINTER(gen));
	if (!blocks) {
		blocks = imap_set_new();
		g_hash_table_insert(shown->blocks, GUINT_TO_POINTER(gen), blocks);
	}
	if (first != last || !imap_set_contains(blocks, block_of(first)))
		imap_set_add(blocks, block_of(first), block_of(last));
}

static ImapSet *uids_of(const ImapSet *blocks)
{
	ImapSet *uids = imap_set_new();
	gsize n;
	const ImapRange *ranges = imap_set_ranges(blocks, &n);
	for (gsize i = 0; i < n; i++) {
		guint32 lo = (ranges[i].lo - 1) << BLOCK_BITS;
		guint32 hi = (ranges[i].hi - 1) << BLOCK_BITS | ((1 << BLOCK_BITS) - 1);
		imap_set_add(uids, MAX(lo, 1), hi);
	}
	return uids;
}

ImapSet *shown_among(Shown *shown, Gen gen, const ImapSet *uids)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	const ImapSet *blocks = g_hash_table_lookup(shown->blocks, GUINT_TO_POINTER(gen));
	if (!blocks)
		return NULL;
	g_autoptr(ImapSet) all = uids_of(blocks);
	if (!uids)
		return g_steal_pointer(&all);
	g_autoptr(ImapSet) others = imap_set_copy(all);
	imap_set_subtract(others, uids);
	imap_set_subtract(all, others);
	return g_steal_pointer(&all);
}

ImapSet *shown_take(Shown *shown, Gen gen)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	ImapSet *blocks = g_hash_table_lookup(shown->blocks, GUINT_TO_POINTER(gen));
	if (!blocks)
		return NULL;
	ImapSet *uids = uids_of(blocks);
	g_hash_table_remove(shown->blocks, GUINT_TO_POINTER(gen));
	return uids;
}

GArray *shown_gens(Shown *shown)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	GArray *gens = g_array_new(FALSE, FALSE, sizeof(guint32));
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, shown->blocks);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		guint32 gen = GPOINTER_TO_UINT(key);
		g_array_append_val(gens, gen);
	}
	return gens;
}
