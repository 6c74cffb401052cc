/* `.imapfs` in the root: a directory of two entries. `status` is a snapshot: each LOOKUP makes one,
 * with a node number of its own that the kernel may not keep for the name. What is behind a number
 * never changes, so that size and pages are right although nothing is ever opened (ops.c). To
 * programs they all are one file: st_ino is the same, since cp compares it before and after open().
 * `events` is a symbolic link to a local file, which programs can wait on. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/op.h"

enum {
	/* The kernel forgets one when the last file is closed. What this leaves out are as many
	 * readers at the same moment. */
	SNAPSHOTS = 64,

	OWN_BLOCK = 512,
	OWN_NEVER = 0222, /* permissions that nothing here has */
	OWN_FILE_MODE = S_IFREG | 0400,
	OWN_LINK_MODE = S_IFLNK | 0777,
};

typedef struct {
	guint32 number;
	gint64 made_at; /* seconds since 1970 */
	GBytes *text;
} Snapshot;

struct Snapshots {
	GMutex lock;
	GQueue all; /* of Snapshot, oldest first; lock */
	guint32 last; /* number; lock */
};

static void snapshot_free(gpointer data)
{
	Snapshot *snapshot = data;
	g_bytes_unref(snapshot->text);
	g_free(snapshot);
}

Snapshots *snapshots_new(void)
{
	Snapshots *snapshots = g_new0(Snapshots, 1);
	g_mutex_init(&snapshots->lock);
	return snapshots;
}

void snapshots_free(Snapshots *snapshots)
{
	if (!snapshots)
		return;
	g_queue_clear_full(&snapshots->all, snapshot_free);
	g_mutex_clear(&snapshots->lock);
	g_free(snapshots);
}

/* Takes text. Returns its number. */
static guint32 snapshot_add(Snapshots *snapshots, char *text)
{
	Snapshot *snapshot = g_new(Snapshot, 1);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&snapshots->lock);
	if (++snapshots->last == G_MAXUINT32)
		snapshots->last = 1;
	*snapshot = (Snapshot){
		.number = snapshots->last,
		.made_at = g_get_real_time() / G_USEC_PER_SEC,
		.text = g_bytes_new_take(text, strlen(text)),
	};
	g_queue_push_tail(&snapshots->all, snapshot);
	if (snapshots->all.length > SNAPSHOTS)
		snapshot_free(g_queue_pop_head(&snapshots->all));
	return snapshot->number;
}

static GList *find_locked(Snapshots *snapshots, guint32 number)
{
	for (GList *l = snapshots->all.tail; l; l = l->prev)
		if (((const Snapshot *)l->data)->number == number)
			return l;
	return NULL;
}

/* The text, a reference; NULL when it is gone. */
static GBytes *snapshot_get(Snapshots *snapshots, guint32 number, gint64 *ret_made_at)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&snapshots->lock);
	GList *link = find_locked(snapshots, number);
	if (!link)
		return NULL;
	const Snapshot *snapshot = link->data;
	*ret_made_at = snapshot->made_at;
	return g_bytes_ref(snapshot->text);
}

/* Each was looked up once, so that the first FORGET is the last. */
static void forget_snapshot(Fs *fs, Inode inode)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->snapshots->lock);
	GList *link = find_locked(fs->snapshots, inode.uid);
	if (!link)
		return;
	snapshot_free(link->data);
	g_queue_delete_link(&fs->snapshots->all, link);
}

static void forget(Fs *fs, fuse_ino_t ino, guint64 lookups)
{
	Inode inode;
	if (!inode_unpack(ino, &inode))
		return;
	if (inode.kind == INODE_STAGED)
		staged_forget(fs->staged, inode.uid, lookups);
	else if (inode.kind == INODE_MESSAGE || inode.kind == INODE_WAITING)
		staged_forget_over(fs->staged, ino);
	else if (inode.kind == INODE_OWN && inode.uid != 0)
		forget_snapshot(fs, inode);
}

/* ---- attributes ---- */

/* What all snapshots are to programs: the number of none. */
static fuse_ino_t status_ino(void)
{
	return inode_own(INODE_OWN_STATUS, G_MAXUINT32);
}

static void set_common(const Fs *fs, Inode inode, gint64 time, struct stat *ret)
{
	ret->st_ino = inode.part == INODE_OWN_STATUS ? status_ino() : inode_pack(inode);
	ret->st_nlink = inode.part == INODE_OWN_DIRECTORY ? 2 : 1;
	ret->st_uid = fs->owner_uid;
	ret->st_gid = fs->owner_gid;
	ret->st_blksize = 4096;
	ret->st_blocks = (ret->st_size + OWN_BLOCK - 1) / OWN_BLOCK;
	ret->st_atim.tv_sec = ret->st_mtim.tv_sec = ret->st_ctim.tv_sec = time;
}

bool own_attributes(Fs *fs, Inode inode, struct stat *ret)
{
	gint64 time = fs->mounted_at;
	*ret = (struct stat){0};
	if (inode.part == INODE_OWN_STATUS) {
		g_autoptr(GBytes) text = snapshot_get(fs->snapshots, inode.uid, &time);
		if (!text)
			return false;
		ret->st_mode = OWN_FILE_MODE;
		ret->st_size = (off_t)g_bytes_get_size(text);
	} else if (inode.part == INODE_OWN_EVENTS) {
		ret->st_mode = OWN_LINK_MODE;
		ret->st_size = (off_t)strlen(store_notes_path(fs->store));
	} else {
		ret->st_mode = S_IFDIR | (fs->dir_mode & ~OWN_NEVER);
	}
	set_common(fs, inode, time, ret);
	return true;
}

bool own_entry(Fs *fs, guint i, const char **ret_name, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){0};
	if (i == 0) {
		/* Its node is made by LOOKUP; a listing shows number and kind only. */
		*ret_name = "status";
		ret->attr.st_mode = OWN_FILE_MODE;
		ret->attr.st_ino = status_ino();
		return true;
	}
	if (i > 1 || !store_notes_path(fs->store))
		return false;
	*ret_name = "events";
	Inode events = {.kind = INODE_OWN, .part = INODE_OWN_EVENTS};
	own_attributes(fs, events, &ret->attr);
	ret->ino = ret->attr.st_ino;
	ret->attr_timeout = ret->entry_timeout = KERNEL_ENDLESS_S;
	return true;
}

/* ---- operations ---- */

static void reply_entry(const Op *op, Inode inode, double entry_timeout)
{
	struct fuse_entry_param entry = {
		.ino = inode_pack(inode),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = entry_timeout,
	};
	if (own_attributes(op->fs, inode, &entry.attr))
		kernel_reply_entry(op->req, &entry);
	else
		kernel_reply_errno(op->req, ESTALE);
}

void own_lookup(const Op *op)
{
	Fs *fs = op->fs;
	Inode inode = {.kind = INODE_OWN};
	if (op->at.kind != INODE_OWN) {
		reply_entry(op, inode, KERNEL_ENDLESS_S);
	} else if (op->at.part != INODE_OWN_DIRECTORY) {
		kernel_reply_errno(op->req, ENOTDIR);
	} else if (strcmp(op->name, "status") == 0) {
		inode.part = INODE_OWN_STATUS;
		inode.uid = snapshot_add(fs->snapshots, status_text(fs));
		reply_entry(op, inode, 0);
	} else if (strcmp(op->name, "events") == 0 && store_notes_path(fs->store)) {
		inode.part = INODE_OWN_EVENTS;
		reply_entry(op, inode, KERNEL_ENDLESS_S);
	} else {
		kernel_reply_errno(op->req, ENOENT);
	}
}

void own_read(const Op *op)
{
	gint64 made_at;
	if (op->at.part != INODE_OWN_STATUS) {
		kernel_reply_errno(op->req, EISDIR);
		return;
	}
	g_autoptr(GBytes) text = snapshot_get(op->fs->snapshots, op->at.uid, &made_at);
	if (!text) {
		kernel_reply_errno(op->req, ESTALE);
		return;
	}
	gsize len;
	const char *bytes = g_bytes_get_data(text, &len);
	gsize from = (gsize)MIN(op->offset, len);
	kernel_reply_bytes(op->req, bytes + from, MIN(op->size, len - from));
}

void link_request(fuse_req_t req, fuse_ino_t ino)
{
	const Fs *fs = kernel_owner(req);
	if (ino == inode_own(INODE_OWN_EVENTS, 0) && store_notes_path(fs->store))
		kernel_reply_link(req, store_notes_path(fs->store));
	else
		kernel_reply_errno(req, EINVAL);
}

void forget_request(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	forget(kernel_owner(req), ino, lookups);
	kernel_reply_forgotten(req);
}

void forget_many_request(fuse_req_t req, size_t count, struct fuse_forget_data *all)
{
	for (size_t i = 0; i < count; i++)
		forget(kernel_owner(req), all[i].ino, all[i].nlookup);
	kernel_reply_forgotten(req);
}
