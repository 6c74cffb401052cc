/* What the files of fs/ share. */
#pragma once

#include <pthread.h>

#include "fs/inode.h"
#include "fs/kernel.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/shown.h"
#include "fs/tree.h"

/* The texts of `.imapfs/status` that the kernel has inodes of (own.c). */
typedef struct Snapshots Snapshots;

/* A field without a note never changes after fs_mount(). */
struct Fs {
	Store *store;
	Engine *engine;
	char *source, *account, *root_path;
	bool allow_other, foreground;
	uid_t owner_uid;
	gid_t owner_gid;
	mode_t file_mode, dir_mode;
	gint64 mounted_at; /* seconds since 1970 */
	bool without_open; /* the kernel needs none; set before any request */

	Kernel *kernel;
	Notify *notify;
	Shown *shown;
	Snapshots *snapshots;
	Tree *journaled; /* engine thread: the folders as the journal has them; NULL: none yet */
	bool distrusted; /* engine thread: sizes_distrusted() came */
	gint news; /* atomic: counts changes of entries and listings, see fs_news() */

	GMutex open_lock;
	GHashTable *opened; /* open_lock: MailboxId to the Gen that its directory was opened with */

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

/* The path of a mailbox's directory in the mount; NULL: it is not in it. New string. */
char *fs_mailbox_path(Fs *fs, MailboxId mailbox);

/* A counter that grows after the store changed and before the kernel is told. Whoever answers with
 * an entry or a listing reads it before the store and compares after the reply: when it grew, the
 * kernel may have been told before it got the answer, and must be told again. Any thread. */
guint fs_news(Fs *fs);

/* Before the kernel is answered with entries of these messages: they are among those that it will
 * be told to forget when the generation ends. false: it has ended, and they must not be shown. Any
 * thread. */
bool fs_shows(Fs *fs, Gen gen, const ImapSet *uids);

/* ---- attributes (attr.c) ---- */

void attr_of_dir(const Fs *fs, const Tree *tree, const TreeDir *dir, struct stat *ret);
void attr_of_message(const Fs *fs, Gen gen, const StoreMessage *message, struct stat *ret);

/* ---- .imapfs: what imapfs says of itself (own.c, status.c, journal.c) ---- */

#define OWN_NAME ".imapfs"

Snapshots *snapshots_new(void);
void snapshots_free(Snapshots *snapshots); /* accepts NULL */

/* What stat shows of an inode of INODE_OWN; false when the snapshot is gone. */
bool own_attributes(Fs *fs, Inode inode, struct stat *ret);

/* One entry of `.imapfs`, from 0 on, as listings show it; false: there are no more. */
bool own_entry(Fs *fs, guint i, const char **ret_name, struct fuse_entry_param *ret);

/* The JSON text of `.imapfs/status`. New string. */
char *status_text(Fs *fs);

/* Lines of `.imapfs/events`. Engine thread. */
void journal_messages(Fs *fs, const char *kind, MailboxId mailbox, const ImapSet *uids);
void journal_message(Fs *fs, const char *kind, MailboxId mailbox, guint32 uid);
void journal_mailbox(Fs *fs, const char *kind, MailboxId mailbox);
void journal_folders(Fs *fs);
void journal_state(Fs *fs, EngineState state, const char *why);

/* The word for a state: "online". */
const char *status_state_name(EngineState state);

/* ---- operations ---- */

void lookup_request(fuse_req_t req, fuse_ino_t parent, const char *name);
void attr_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void read_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info);
void open_dir_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void dir_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info);
void dir_plus_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info);

void link_request(fuse_req_t req, fuse_ino_t ino);
void forget_request(fuse_req_t req, fuse_ino_t ino, uint64_t lookups);
void forget_many_request(fuse_req_t req, size_t count, struct fuse_forget_data *all);
void xattr_request(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void xattr_list_request(fuse_req_t req, fuse_ino_t ino, size_t size);

extern const struct fuse_lowlevel_ops ops_table;
