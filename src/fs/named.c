#include "fs/named.h"

#include <string.h>

#include "base/limits.h"

struct Named {
	GMutex lock;
	GHashTable *gens; /* lock: generation to its names: UID to a string */
	guint n; /* lock: of all */
};

Named *named_new(void)
{
	Named *named = g_new0(Named, 1);
	g_mutex_init(&named->lock);
	named->gens = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_hash_table_unref);
	return named;
}

void named_free(Named *named)
{
	if (!named)
		return;
	g_hash_table_unref(named->gens);
	g_mutex_clear(&named->lock);
	g_free(named);
}

static GHashTable *names_locked(Named *named, Gen gen)
{
	return g_hash_table_lookup(named->gens, GUINT_TO_POINTER(gen));
}

static const char *find_locked(Named *named, Gen gen, guint32 uid)
{
	GHashTable *names = names_locked(named, gen);
	return names ? g_hash_table_lookup(names, GUINT_TO_POINTER(uid)) : NULL;
}

bool named_add(Named *named, Gen gen, guint32 uid, const char *name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&named->lock);
	const char *known = find_locked(named, gen, uid);
	if (known || named->n == LIMIT_NAMED)
		return known && strcmp(known, name) == 0;
	GHashTable *names = names_locked(named, gen);
	if (!names) {
		names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
		g_hash_table_insert(named->gens, GUINT_TO_POINTER(gen), names);
	}
	named->n++;
	return g_hash_table_insert(names, GUINT_TO_POINTER(uid), g_strdup(name));
}

bool named_is(Named *named, Gen gen, guint32 uid, const char *name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&named->lock);
	const char *known = find_locked(named, gen, uid);
	return known && strcmp(known, name) == 0;
}

static void take_locked(GHashTable *names, guint32 uid, GPtrArray *to)
{
	gpointer name = NULL;
	if (g_hash_table_steal_extended(names, GUINT_TO_POINTER(uid), NULL, &name))
		g_ptr_array_add(to, name);
}

/* By whichever are fewer: the UIDs of a set, which may be four billion, or the names. */
static void take_some_locked(GHashTable *names, const ImapSet *uids, GPtrArray *to)
{
	if (!uids || imap_set_count(uids) > g_hash_table_size(names)) {
		g_autoptr(GList) keys = g_hash_table_get_keys(names);
		for (const GList *l = keys; l; l = l->next)
			if (!uids || imap_set_contains(uids, GPOINTER_TO_UINT(l->data)))
				take_locked(names, GPOINTER_TO_UINT(l->data), to);
		return;
	}
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++)
		for (guint64 uid = ranges[i].lo; uid <= ranges[i].hi; uid++)
			take_locked(names, (guint32)uid, to);
}

GPtrArray *named_take(Named *named, Gen gen, const ImapSet *uids)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&named->lock);
	GHashTable *names = names_locked(named, gen);
	if (!names)
		return NULL;
	g_autoptr(GPtrArray) taken = g_ptr_array_new_with_free_func(g_free);
	take_some_locked(names, uids, taken);
	named->n -= taken->len;
	if (g_hash_table_size(names) == 0)
		g_hash_table_remove(named->gens, GUINT_TO_POINTER(gen));
	return taken->len > 0 ? g_steal_pointer(&taken) : NULL;
}
