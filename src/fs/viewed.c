#include "fs/viewed.h"

struct Viewed {
	GMutex lock;
	GHashTable *known; /* id of a directory to a bit for each ViewKind; lock */
	Shown *shown[VIEW_KINDS_]; /* entries of messages called by their UID */
};

Viewed *viewed_new(void)
{
	Viewed *viewed = g_new0(Viewed, 1);
	g_mutex_init(&viewed->lock);
	viewed->known = g_hash_table_new(NULL, NULL);
	for (guint kind = 0; kind < VIEW_KINDS_; kind++)
		viewed->shown[kind] = shown_new();
	return viewed;
}

void viewed_free(Viewed *viewed)
{
	if (!viewed)
		return;
	for (guint kind = 0; kind < VIEW_KINDS_; kind++)
		shown_free(viewed->shown[kind]);
	g_hash_table_unref(viewed->known);
	g_mutex_clear(&viewed->lock);
	g_free(viewed);
}

static guint known_of(Viewed *viewed, guint32 dir)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&viewed->lock);
	return GPOINTER_TO_UINT(g_hash_table_lookup(viewed->known, GUINT_TO_POINTER(dir)));
}

void viewed_add(Fs *fs, ViewKind kind, guint32 dir)
{
	Viewed *viewed = fs->viewed;
	gpointer key = GUINT_TO_POINTER(dir);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&viewed->lock);
	guint known = GPOINTER_TO_UINT(g_hash_table_lookup(viewed->known, key));
	g_hash_table_insert(viewed->known, key, GUINT_TO_POINTER(known | 1U << kind));
}

bool viewed_shows(Fs *fs, ViewKind kind, Gen gen, guint32 uid)
{
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, uid, uid);
	shown_add(fs->viewed->shown[kind], gen, uids);
	return store_gen_mailbox(fs->store, gen) != 0;
}

static bool is_known(Fs *fs, guint32 dir, guint kind)
{
	return known_of(fs->viewed, dir) & 1U << kind;
}

void viewed_changed(Fs *fs, guint32 dir, Gen gen, const ImapSet *gone)
{
	for (guint kind = 0; kind < VIEW_KINDS_; kind++)
		if (is_known(fs, dir, kind))
			notify_messages(fs->notify, inode_view(kind, dir),
				gone ? shown_among(fs->viewed->shown[kind], gen, gone) : NULL);
}

void viewed_doubted(Fs *fs, guint32 dir, Gen gen)
{
	for (guint kind = 0; kind < VIEW_KINDS_; kind++)
		if (is_known(fs, dir, kind))
			notify_messages(fs->notify, inode_view(kind, dir),
				shown_among(fs->viewed->shown[kind], gen, NULL));
}

void viewed_renumbered(Fs *fs, guint32 dir, Gen gen, bool ended)
{
	for (guint kind = 0; kind < VIEW_KINDS_; kind++) {
		Shown *shown = fs->viewed->shown[kind];
		g_autoptr(ImapSet) uids =
			ended ? shown_take(shown, gen) : shown_among(shown, gen, NULL);
		if (is_known(fs, dir, kind))
			notify_renumbered(
				fs->notify, inode_view(kind, dir), g_steal_pointer(&uids));
	}
}
