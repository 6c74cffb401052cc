/* The mounted file system: its session with the kernel, from mounting to unmounting. Made before
 * the engine, whose news it takes; freed after it. */
#pragma once

#include "engine/engine.h"

typedef struct Fs Fs;

typedef struct {
	const char *source; /* what `mount` and `df` show; no secrets */
	const char *account; /* "user@host:port" for the status */
	const char *root; /* a directory of the account ("Archive/2026") as root, or NULL for all */
	bool foreground; /* the process keeps its standard input, output and error */
	bool allow_other; /* also for other users, by owner and mode */
	uid_t owner_uid;
	gid_t owner_gid;
	mode_t fmask, dmask; /* bits that no file, no directory has */
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
