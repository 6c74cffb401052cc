#include "fs/shown.h"

enum { BLOCK = GLIB_SIZEOF_VOID_P * 8 }; /* UIDs whose bits fit a value of the table */

struct Shown {
	GMutex lock;
	GHashTable *gens; /* gen to its blocks: UID / BLOCK to a bit for each of them; lock */
};

Shown *shown_new(void)
{
	Shown *shown = g_new0(Shown, 1);
	g_mutex_init(&shown->lock);
	shown->gens = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_hash_table_unref);
	return shown;
}

void shown_free(Shown *shown)
{
	if (!shown)
		return;
	g_hash_table_unref(shown->gens);
	g_mutex_clear(&shown->lock);
	g_free(shown);
}

static gsize bits_of(GHashTable *blocks, guint32 block)
{
	return GPOINTER_TO_SIZE(g_hash_table_lookup(blocks, GUINT_TO_POINTER(block)));
}

static gsize bit_of(guint64 uid)
{
	return (gsize)1 << uid % BLOCK;
}

static void mark(GHashTable *blocks, ImapRange range)
{
	for (guint64 uid = range.lo; uid <= range.hi; uid++) {
		guint32 block = (guint32)(uid / BLOCK);
		gsize bits = bits_of(blocks, block) | bit_of(uid);
		g_hash_table_insert(blocks, GUINT_TO_POINTER(block), GSIZE_TO_POINTER(bits));
	}
}

void shown_add(Shown *shown, Gen gen, const ImapSet *uids)
{
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	if (n == 0)
		return;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	GHashTable *blocks = g_hash_table_lookup(shown->gens, GUINT_TO_POINTER(gen));
	if (!blocks) {
		blocks = g_hash_table_new(NULL, NULL);
		g_hash_table_insert(shown->gens, GUINT_TO_POINTER(gen), blocks);
	}
	for (gsize i = 0; i < n; i++)
		mark(blocks, ranges[i]);
}

/* Adds those of a block from lo to hi whose bits are set. */
static void add_members(ImapSet *uids, guint32 block, gsize bits, guint64 lo, guint64 hi)
{
	guint64 first = (guint64)block * BLOCK;
	for (guint64 uid = MAX(lo, first); uid <= MIN(hi, first + BLOCK - 1); uid++) {
		if (bits & bit_of(uid))
			imap_set_add(uids, (guint32)uid, (guint32)uid);
	}
}

static int compare_blocks(gconstpointer a, gconstpointer b)
{
	const guint32 *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

static ImapSet *all_of(GHashTable *blocks)
{
	g_autoptr(GArray) order = g_array_new(FALSE, FALSE, sizeof(guint32));
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, blocks);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		guint32 block = GPOINTER_TO_UINT(key);
		g_array_append_val(order, block);
	}
	g_array_sort(order, compare_blocks);
	ImapSet *uids = imap_set_new();
	for (guint i = 0; i < order->len; i++) {
		guint32 block = g_array_index(order, guint32, i);
		add_members(uids, block, bits_of(blocks, block), 0, G_MAXUINT32);
	}
	return uids;
}

/* How many blocks the UIDs touch, counted generously. */
static guint64 spanned(const ImapSet *uids)
{
	guint64 blocks = 0;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++)
		blocks += ranges[i].hi / BLOCK - ranges[i].lo / BLOCK + 1;
	return blocks;
}

/* Of a few UIDs: looks only at their blocks. */
static ImapSet *among_few(GHashTable *blocks, const ImapSet *uids)
{
	ImapSet *among = imap_set_new();
	gsize n;
	const ImapRange *ranges = imap_set_ranges(uids, &n);
	for (gsize i = 0; i < n; i++) {
		for (guint32 block = ranges[i].lo / BLOCK; block <= ranges[i].hi / BLOCK; block++)
			add_members(
				among, block, bits_of(blocks, block), ranges[i].lo, ranges[i].hi);
	}
	return among;
}

/* Of more UIDs than were ever shown. */
static ImapSet *among_many(GHashTable *blocks, const ImapSet *uids)
{
	ImapSet *among = all_of(blocks);
	g_autoptr(ImapSet) others = imap_set_copy(among);
	imap_set_subtract(others, uids);
	imap_set_subtract(among, others);
	return among;
}

ImapSet *shown_among(Shown *shown, Gen gen, const ImapSet *uids)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	GHashTable *blocks = g_hash_table_lookup(shown->gens, GUINT_TO_POINTER(gen));
	if (!blocks)
		return NULL;
	if (!uids)
		return all_of(blocks);
	return spanned(uids) > g_hash_table_size(blocks) ? among_many(blocks, uids)
							 : among_few(blocks, uids);
}

ImapSet *shown_take(Shown *shown, Gen gen)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	GHashTable *blocks = g_hash_table_lookup(shown->gens, GUINT_TO_POINTER(gen));
	if (!blocks)
		return NULL;
	ImapSet *uids = all_of(blocks);
	g_hash_table_remove(shown->gens, GUINT_TO_POINTER(gen));
	return uids;
}

GArray *shown_gens(Shown *shown)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&shown->lock);
	GArray *gens = g_array_new(FALSE, FALSE, sizeof(guint32));
	GHashTableIter iter;
	gpointer key;
	g_hash_table_iter_init(&iter, shown->gens);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		guint32 gen = GPOINTER_TO_UINT(key);
		g_array_append_val(gens, gen);
	}
	return gens;
}
