/* The mounted file system: its session with the kernel, from mounting to unmounting. Made before
 * the engine, whose news it takes; freed after it. */
#pragma once

#include "engine/engine.h"

typedef struct Fs Fs;

/* What unlink does to a message. */
typedef enum {
	FS_DELETE_EXPUNGE, /* removes it for good */
	FS_DELETE_TRASH, /* moves it to the mailbox with \Trash; there as above */
	FS_DELETE_MARK, /* flags it \Deleted */
	FS_DELETE_DENY, /* refuses */
} FsDelete;

/* Where a message may be rewritten or replaced. */
typedef enum {
	FS_EDIT_DRAFTS, /* in mailboxes with \Drafts */
	FS_EDIT_ALL,
	FS_EDIT_NONE,
} FsEdit;

/* What messages are called in their folders. */
typedef enum {
	FS_NAMES_UID, /* "57.eml" */
	FS_NAMES_SUBJECT, /* "57 Quarterly report.eml", and found by UID, too */
} FsNames;

typedef struct {
	const char *source; /* what `mount` and `df` show; no secrets */
	const char *account; /* "user@host:port" for the status */
	const char *root; /* a directory of the account ("Archive/2026") as root, or NULL for all */
	bool foreground; /* the process keeps its standard input, output and error */
	bool allow_other; /* also for other users, by owner and mode */
	uid_t owner_uid;
	gid_t owner_gid;
	mode_t fmask, dmask; /* bits that no file, no directory has */
	bool read_only; /* the kernel refuses every change */
	bool sync; /* every change waits for the server's answer */
	bool lists_views; /* the hidden directories are listed */
	FsDelete delete;
	FsEdit edit;
	FsNames names;
	guint poll_s; /* how long what nothing tells of is trusted */
} FsConfig;

/* config is copied. store must outlive it. */
Fs *fs_new(Store *store, const FsConfig *config);

/* After the engine is freed, whether mounted or not. Accepts NULL. */
void fs_free(Fs *fs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Fs, fs_free)

/* What the engine calls, with the Fs as data. */
const EngineEvents *fs_events(void);

/* Whether the mailboxes are known and the root is among them: of an earlier mount. Before
 * fs_mount() and before the engine starts: what it lists otherwise is news.
 */
bool fs_has_root(Fs *fs);

/* Whether the root is among the mailboxes as they are listed; MAIL_ERROR_NOT_FOUND: it is not.
 * Before fs_mount(), which asks this, too. */
bool fs_set_root(Fs *fs, GError **error);

/* Mounts; the mailboxes are listed already. MAIL_ERROR_NOT_FOUND when there is no such root,
 * else MAIL_ERROR_IO with libfuse's reason. */
bool fs_mount(Fs *fs, Engine *engine, const char *mountpoint, GError **error);

/* Serves the kernel until the file system is unmounted or fs_stop(). After fs_mount(), and one
 * thread only; fs_unmount() is for the same. false: libfuse failed. */
bool fs_loop(Fs *fs);

/* Makes fs_loop() return soon. Any thread, once or more; waits for nothing, but for fs_loop() when
 * the system gives no thread more. Not the thread of fs_loop(). */
void fs_stop(Fs *fs);

/* Answers every request still waiting and unmounts, also when the mountpoint is in use. Before
 * engine_free(). Does nothing when not mounted. */
void fs_unmount(Fs *fs);
