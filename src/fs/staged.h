/* Staged files: what programs write. Each is a local file (store/unsent.h) until it is closed, or
 * renamed to a name that is no scratch name; then it goes to the server, and its name means the
 * message. Any thread; nothing here waits for the server unless it says so. */
#pragma once

#include "fs/alias.h"
#include "fs/fs.h"

/* Reference counted; the kernel's lookups count as one, and its name does. */
typedef struct Staged Staged;
typedef struct StagedFiles StagedFiles;

StagedFiles *staged_files_new(Fs *fs);

/* What is not sent yet is sent: from here on it is the engine's. Nothing is sent later. When the
 * kernel asks no more, before the engine is freed. */
void staged_files_close(StagedFiles *files);

/* After the engine is freed. Accepts NULL. */
void staged_files_free(StagedFiles *files);

Staged *staged_ref(Staged *staged);
void staged_unref(Staged *staged); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Staged, staged_unref)

/* ---- names ---- */

/* An empty one of this name in a directory (id of fs/tree.h), made by this process: a reference.
 * NULL, and errno: EEXIST, or ENFILE past LIMIT_STAGED. */
Staged *staged_create(StagedFiles *files, guint32 dir, const char *name, pid_t process);

/* The one of this name in a directory, or of this inode's number. A reference; NULL: there is none.
 */
Staged *staged_find(StagedFiles *files, guint32 dir, const char *name);
Staged *staged_get(StagedFiles *files, guint32 number);

/* The one that the engine was asked to bring there: what it replaces may have lost the name before
 * the name is the alias of what comes. A reference; NULL: there is none. */
Staged *staged_going(StagedFiles *files, guint32 dir, const char *name);

/* The text of what an APPEND is to bring, which waits, be it of an earlier mount: the one that it
 * was written as, if that is still there, otherwise one without a name that can be read. A
 * reference; NULL: there is no such text any more. */
Staged *staged_of_text(StagedFiles *files, const Alias *alias);

/* For listings: the named one of the directory with the least number above `after`. A reference,
 * and its name as a new string; NULL: that was the last. */
Staged *staged_after(StagedFiles *files, guint32 dir, guint32 after, char **ret_name);

guint32 staged_number(const Staged *staged);
void staged_attributes(Staged *staged, struct stat *ret);

/* Before the kernel is answered with an entry of it that has its inode's number (not in READDIR,
 * nor in READDIRPLUS with the inode 0); timeouts are 0. Each is given back by a FORGET. */
void staged_looked_up(Staged *staged);
void staged_forget(StagedFiles *files, guint32 number, guint64 lookups);

/* Gives it another name, perhaps in another directory; nothing is sent. A staged file that had the
 * name goes as by staged_unlink(). false: it has no name any more, or is on its way under it. */
bool staged_rename(Staged *staged, guint32 dir, const char *name);

/* Its name goes (unlink), the text when nobody has it open. If it was on its way to the server
 * already the message is removed when it is there. */
void staged_unlink(Staged *staged);

/* ---- text: these touch the disk, and are 0 or an errno ---- */

guint64 staged_size(Staged *staged);

/* Up to len bytes; fewer, or none, at its end. Not of a copy. */
int staged_read(Staged *staged, guint64 offset, char *buf, gsize len, gsize *ret_n);

/* Not of a copy. ENOSPC, without a cache directory past LIMIT_MEMORY_TEXTS of all, EFBIG past
 * LIMIT_STAGED_BYTES, EPERM of one that nobody wrote in this mount. What fails changes nothing. */
int staged_write(Staged *staged, const char *bytes, gsize len, guint64 offset);

/* Of a copy only to 0. To 0 is how a process begins to write: it is the one that closes it last. */
int staged_truncate(Staged *staged, guint64 size, pid_t process);

/* given: the message shall have it as its date; otherwise it is what stat shows until a write. */
void staged_set_date(Staged *staged, struct timespec date, bool given);

/* ---- copies: no bytes of their own, but a message that they shall be a copy of ---- */

/* false: it is not empty, or has a name that may never be sent. */
bool staged_copy(Staged *staged, Gen gen, guint32 uid, guint64 size);
bool staged_is_copy(Staged *staged, Gen *ret_gen, guint32 *ret_uid);

/* Gives it bytes of its own, fetching them if need be; done may be called at once. */
void staged_fill(Staged *staged, EngineDone done, gpointer data);

/* ---- who writes ---- */

/* The handle that CREATE gave, and its end; the latter sends what is unsent. */
void staged_opened(Staged *staged);
void staged_released(Staged *staged);

/* A process closes it. Whether it is to be sent now: not while the one that opened it lives, which
 * has it open, too, and will close it or end. */
bool staged_closes(Staged *staged, pid_t process);

/* Waits until what is written so far was sent, if it is to be sent at all; done as engine_change()
 * has it, perhaps at once. forced: also what was refused already, and what is kept is kept safe
 * (fsync). */
void staged_flush(Staged *staged, bool forced, EngineDone done, gpointer data);

/* ---- messages that are rewritten in place (rewrite.c) ---- */

/* What is shown instead of a message: a reference; NULL: nothing is. Costs nothing while there is
 * none. */
Staged *staged_over(StagedFiles *files, guint64 ino);

/* Begins to be shown instead of a message, as a copy of it so far, and replaces it when it is sent:
 * under the first of these names, which the others will mean as well. frozen: it can be emptied and
 * then become a copy of another message, no more. process: who closes it. A reference; NULL with
 * errno. */
Staged *staged_rewrite(StagedFiles *files, Gen gen, const StoreMessage *message, guint32 dir,
	const GStrv names, bool frozen, pid_t process);

/* The message was renamed in its directory: what is shown instead of it, or became it and is
 * written to still, has its names when it is sent. */
void staged_rename_over(Fs *fs, const TreeDir *dir, Gen gen, guint32 uid);

/* Who writes to the message knows it by this inode, be it the one that it had on its way. */
void staged_cover(Staged *staged, guint64 ino);

bool staged_is_frozen(const Staged *staged);

/* Before the kernel is given bytes of it. */
void staged_note_read(Staged *staged);

/* The kernel has forgotten the message: what is left to send is sent. */
void staged_forget_over(StagedFiles *files, guint64 ino);

/* ---- on the way to the server ---- */

/* The message that became of it (ret_uid), or the change that is to bring it (ret_of; the other is
 * 0). false: the engine was not asked for one. */
bool staged_message(Staged *staged, Gen *ret_gen, guint32 *ret_uid, guint64 *ret_of);

/* Brings it to the server as a message of the mailbox of `dir` that has the name `name`, and
 * replaces the message of (gen, uid), or the one that the change `of` is to bring; 0: none. done as
 * engine_change() has it, in any thread; or at once with MAIL_ERROR_INVALID: it does not begin as a
 * message does. From change_begun() on the name is the alias of the message (fs/alias.h), and it
 * has none of its own; refused it has the one that it had before. What is empty, or open for
 * writing still, gets the name and is sent when it is closed: then done is called at once. */
void staged_upload(Staged *staged, guint32 dir, const char *name, Gen gen, guint32 uid, guint64 of,
	EngineDone done, gpointer data);

/* For fs/events.c, of each APPEND and COPY: change_begun(), after the alias was set, and
 * change_ended(), before it is settled. dir: of the target mailbox, 0: it has none. Engine thread.
 */
void staged_begun(StagedFiles *files, const Intent *intent, guint32 dir);
void staged_ended(StagedFiles *files, const Intent *intent, guint32 dir, Gen gen, guint32 uid,
	const GError *error);

/* What this mount made, a message or a directory, is fresh for a while: programs still set its
 * times and permissions then. */
void staged_freshen(StagedFiles *files, guint64 ino);
bool staged_is_fresh(StagedFiles *files, guint64 ino);
