/* What the files of fs/ share. */
#pragma once

#include <pthread.h>

#include "fs/inode.h"
#include "fs/kernel.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/shown.h"
#include "fs/tree.h"

/* A field without a note never changes after fs_mount(). */
struct Fs {
	Store *store;
	Engine *engine;
	char *source, *root_path;
	bool allow_other;
	uid_t owner_uid;
	gid_t owner_gid;
	mode_t file_mode, dir_mode;
	gint64 mounted_at; /* seconds since 1970 */
	bool without_open, without_opendir; /* the kernel needs neither; set before any request */

	Kernel *kernel;
	Notify *notify;
	Shown *shown;
	bool distrusted; /* engine thread: sizes_distrusted() came */
	gint news; /* atomic: counts changes of entries and listings, see fs_news() */

	GMutex update_lock; /* one update of the tree at a time; taken before other locks */
	TreeIds *ids; /* update_lock */
	gint root; /* directory id; atomic: news may come while it is being found */
	GMutex tree_lock;
	Tree *tree; /* tree_lock; NULL before fs_mount() */

	struct fuse_session *session; /* loop_lock */
	bool mounted; /* one thread after the other: fs_mount(), fs_loop(), fs_free() */
	GMutex loop_lock;
	GCond loop_ended;
	GThread *waker; /* loop_lock: see fs_stop() */
	pthread_t looper; /* loop_lock: who is in fs_loop() */
	bool looping, stopping; /* loop_lock */
};

/* The snapshot of now, a reference. Any thread. */
Tree *fs_tree(Fs *fs);

/* Rebuilds the snapshot; tells the kernel what went and came. Any thread. */
void fs_tree_update(Fs *fs);

/* The directory that an inode means; NULL when it is none or gone. */
const TreeDir *fs_dir(const Fs *fs, const Tree *tree, Inode inode);
fuse_ino_t fs_dir_inode(const Fs *fs, const TreeDir *dir);

/* A counter that grows after the store changed and before the kernel is told. Whoever answers with
 * an entry or a listing reads it before the store and compares after the reply: when it grew, the
 * kernel may have been told before it got the answer, and must be told again. Any thread. */
guint fs_news(Fs *fs);

/* ---- attributes (attr.c) ---- */

void attr_of_dir(const Fs *fs, const Tree *tree, const TreeDir *dir, struct stat *ret);
void attr_of_message(const Fs *fs, Gen gen, const StoreMessage *message, struct stat *ret);

/* ---- operations ---- */

void lookup_request(fuse_req_t req, fuse_ino_t parent, const char *name);
void attr_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void read_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info);
void dir_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info);
void dir_plus_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info);

extern const struct fuse_lowlevel_ops ops_table;
