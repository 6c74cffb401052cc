/* What the files of fs/ share. */
#pragma once

#include <pthread.h>

#include "fs/inode.h"
#include "fs/kernel.h"
#include "fs/mount.h"
#include "fs/name.h"
#include "fs/notify.h"
#include "fs/shown.h"
#include "fs/tree.h"

/* The texts of `.imapfs/status` that the kernel has inodes of (own.c). */
typedef struct Snapshots Snapshots;

typedef struct Aliases Aliases; /* alias.h */
typedef struct StagedFiles StagedFiles; /* staged.h */
typedef struct Unlisted Unlisted; /* unlisted.h */
typedef struct Viewed Viewed; /* viewed.h */
typedef struct Named Named; /* named.h */
typedef struct Queries Queries; /* query.h */
typedef struct Trees Trees; /* trees.h */
typedef struct Rendered Rendered; /* rendered.h */
typedef struct Workers Workers; /* workers.h */

/* A mailbox that is to have another name, and where its directory will be then. */
typedef struct {
	MailboxId mailbox;
	char *wire; /* the name it will have */
	guint32 dir, parent; /* ids */
	char *name;
} FsRename;

/* A field without a note never changes after fs_mount(). */
struct Fs {
	Store *store;
	Engine *engine;
	char *source, *account, *root_path;
	bool allow_other, foreground;
	uid_t owner_uid;
	gid_t owner_gid;
	mode_t file_mode, dir_mode;
	bool read_only, sync, lists_views;
	FsDelete delete;
	FsEdit edit;
	FsNames names;
	gint64 poll_us; /* how long what was found is trusted */
	gint64 mounted_at; /* seconds since 1970 */
	bool without_open; /* the kernel needs none; set before any request */
	bool releases; /* the kernel tells when what was opened by CREATE is closed; likewise */

	Kernel *kernel;
	Notify *notify;
	Shown *shown;
	Snapshots *snapshots;
	Aliases *aliases;
	StagedFiles *staged;
	Unlisted *unlisted;
	Viewed *viewed;
	Named *named; /* of entries in folders, with -o names=subject */
	Queries *queries;
	Trees *trees;
	Rendered *rendered;
	Workers *workers; /* go on with requests that the engine is done with */
	Tree *journaled; /* engine thread: the folders as the journal has them; NULL: none yet */
	gint told_no_trash; /* atomic: that was logged */
	bool distrusted; /* engine thread: sizes_distrusted() came */
	gint news; /* atomic: counts changes of entries and listings, see fs_news() */
	gint glances; /* atomic: lengths in views that were found out since a READ (excerpt.c) */

	GMutex open_lock;
	GHashTable *opened; /* open_lock: MailboxId to the Gen that its directory was opened with */

	GMutex update_lock; /* one update of the tree at a time; taken before other locks */
	TreeIds *ids; /* update_lock */
	GArray *renames; /* update_lock: of FsRename, that were asked for and not seen yet */
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

/* Before a mailbox is renamed: its directory keeps its id and with it what the kernel knows of it.
 * Strings are copied. Any thread. */
void fs_expect_rename(Fs *fs, const FsRename *rename);

/* The directory that an inode means; NULL when it is none or gone. */
const TreeDir *fs_dir(const Fs *fs, const Tree *tree, Inode inode);
fuse_ino_t fs_dir_inode(const Fs *fs, const TreeDir *dir);

/* The same, and of a view, or a query, the directory whose messages it shows. */
const TreeDir *fs_dir_behind(const Fs *fs, const Tree *tree, Inode inode);

/* Whether a directory has a view of this name: those with messages have all, and the root of the
 * mount has `.search` in any case. */
bool fs_find_view(const Fs *fs, const TreeDir *dir, const char *name, ViewKind *ret);

/* Whether nothing in there can be changed, and nothing be added: `.imapfs` and some views. */
bool fs_is_fixed(Inode inode);

/* Whether it is a directory of messages that are somewhere else: they can be changed, but nothing
 * can be added. */
bool fs_shows_messages(Inode inode);

/* Whether a name in a directory is one of ours, which cannot be changed. */
bool fs_is_reserved(const Fs *fs, const Tree *tree, Inode dir, const char *name);

/* The path of a mailbox's directory in the mount; NULL: it is not in it. New string. */
char *fs_mailbox_path(Fs *fs, MailboxId mailbox);

/* How far a change is done before its request is answered. Any thread. */
EngineUntil fs_until(const Fs *fs);

/* Whether messages of a directory may be rewritten and replaced (-o edit). Any thread. */
bool fs_may_edit(const Fs *fs, const TreeDir *dir);

/* A counter that grows after the store changed and before the kernel is told. Whoever answers with
 * an entry or a listing reads it before the store and compares after the reply: when it grew, the
 * kernel may have been told before it got the answer, and must be told again. Any thread. */
guint fs_news(Fs *fs);

/* A name in a directory means something else from now on, or nothing any more; NULL: only the
 * listing changed. Any thread. */
void fs_name_changed(Fs *fs, fuse_ino_t dir, const char *name);

/* What the kernel may know these messages by beside their UID (uids NULL: all of the generation)
 * means something else in their folder (0: it is gone) from now on, or nothing. Any thread. */
void fs_names_changed(Fs *fs, fuse_ino_t dir, Gen gen, const ImapSet *uids);

/* Before the kernel is answered with entries of these messages: they are among those that it will
 * be told to forget when the generation ends. false: it has ended, and they must not be shown. Any
 * thread. */
bool fs_shows(Fs *fs, Gen gen, const ImapSet *uids);

/* ---- attributes (attr.c) ---- */

void attr_of_dir(const Fs *fs, const Tree *tree, const TreeDir *dir, struct stat *ret);
void attr_of_message(const Fs *fs, Gen gen, const StoreMessage *message, struct stat *ret);

/* Of a copy on its way, whatever is shown instead of its source. */
void attr_of_copy(const Fs *fs, guint64 ino, const StoreMessage *source, struct stat *ret);
void attr_of_file(const Fs *fs, guint64 ino, guint64 size, struct timespec date, struct stat *ret);

/* Of a view, or a query, in `dir`. */
void attr_of_view(const Fs *fs, const TreeDir *dir, Inode inode, struct stat *ret);

/* Of the directory `.parts/57`. */
void attr_of_parts(const Fs *fs, Gen gen, const StoreMessage *message, struct stat *ret);

/* Of a file made of a message, in a view. */
void attr_of_excerpt(
	const Fs *fs, guint64 ino, guint64 size, const StoreMessage *message, struct stat *ret);

/* ---- .imapfs: what imapfs says of itself (own.c, status.c, journal.c) ---- */

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

/* A change that was refused, or cannot be done any more. */
void journal_refused(Fs *fs, const Intent *intent, const char *why);
void journal_state(Fs *fs, EngineState state, const char *why);

/* What was asked for in the `.search` of a directory (id), and why it cannot be searched. */
void journal_query(Fs *fs, guint32 dir, const char *query, const char *why);

/* The word for a state: "online". */
const char *status_state_name(EngineState state);

/* ---- operations ---- */

void lookup_request(fuse_req_t req, fuse_ino_t parent, const char *name);
void create_request(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	struct fuse_file_info *info);
void mknod_request(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void write_request(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
	struct fuse_file_info *info);
void set_attr_request(fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int which,
	struct fuse_file_info *info);
void flush_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void sync_file_request(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info);
void release_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info);
void copy_request(fuse_req_t req, fuse_ino_t from, off_t from_offset,
	struct fuse_file_info *from_info, fuse_ino_t to, off_t to_offset,
	struct fuse_file_info *to_info, size_t size, int flags);

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

void unlink_request(fuse_req_t req, fuse_ino_t dir, const char *name);
void rename_request(fuse_req_t req, fuse_ino_t dir, const char *name, fuse_ino_t new_dir,
	const char *new_name, unsigned int flags);
void make_dir_request(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode);
void remove_dir_request(fuse_req_t req, fuse_ino_t dir, const char *name);
void sync_dir_request(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *info);
void symlink_request(fuse_req_t req, const char *target, fuse_ino_t dir, const char *name);
void hard_link_request(fuse_req_t req, fuse_ino_t ino, fuse_ino_t dir, const char *name);
void set_xattr_request(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
	size_t size, int flags);
void remove_xattr_request(fuse_req_t req, fuse_ino_t ino, const char *name);

extern const struct fuse_lowlevel_ops ops_table;
