/* What is said to the kernel in answer to a request: every reply, every errno, and the requests
 * parked until the engine has an answer. Any thread, never blocks. */
#pragma once

/* The interface of libfuse 3.12; older headers know it by its earlier parts. */
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>

#include "engine/engine.h"

/* Entries and attributes stay valid until they are invalidated; libfuse and the kernel cut this
 * to what they can hold. */
#define KERNEL_ENDLESS_S 1e9

typedef struct Kernel Kernel;

/* owner: what the operations find with kernel_owner(). */
Kernel *kernel_new(gpointer owner);
void kernel_free(Kernel *kernel); /* accepts NULL; nothing may be parked */

/* The owner of the kernel that is the session's user data. */
gpointer kernel_owner(fuse_req_t req);
gpointer kernel_owner_of(const Kernel *kernel);

/* ---- replies: each ends the request ---- */

/* The one place where an error becomes an errno; never 0. NULL: EIO. */
int kernel_errno(const GError *error);

void kernel_reply_errno(fuse_req_t req, int errnum); /* 0: done */
void kernel_reply_error(fuse_req_t req, const GError *error);
void kernel_reply_done(fuse_req_t req, const GError *error); /* NULL: done */
void kernel_reply_entry(fuse_req_t req, const struct fuse_entry_param *entry);
void kernel_reply_attributes(fuse_req_t req, const struct stat *attributes);
void kernel_reply_attributes_now(fuse_req_t req, const struct stat *attributes); /* not kept */
void kernel_reply_bytes(fuse_req_t req, const void *bytes, gsize len);
void kernel_reply_statfs(fuse_req_t req, const struct statvfs *figures);
void kernel_reply_link(fuse_req_t req, const char *target);

/* The value of an extended attribute, or the list of names, for a caller with room for size bytes;
 * 0: it only asks how long it is. */
void kernel_reply_xattr(fuse_req_t req, const void *value, gsize len, gsize size);

void kernel_reply_forgotten(fuse_req_t req); /* to FORGET, which has no answer */
void kernel_reply_open(fuse_req_t req, const struct fuse_file_info *info);
void kernel_reply_create(
	fuse_req_t req, const struct fuse_entry_param *entry, const struct fuse_file_info *info);
void kernel_reply_written(fuse_req_t req, gsize n);

/* ---- parked requests ---- */

/* Parks req until kernel_unpark(); FUSE_INTERRUPT answers it with EINTR meanwhile. Returns its
 * ticket; from now on only that may be used. 0: it was interrupted already and is answered. */
guint64 kernel_park(Kernel *kernel, fuse_req_t req);

/* Takes it back to be answered by the caller. NULL: it was answered meanwhile. */
fuse_req_t kernel_unpark(Kernel *kernel, guint64 ticket);

/* Around kernel_unpark() and all that follows from it, in threads that the session's loop does not
 * end. false: the mount ends, and what is parked is answered without the caller. Calls may be
 * nested. */
bool kernel_enter(Kernel *kernel);
void kernel_leave(Kernel *kernel);

/* Waits until nobody is within kernel_enter(), lets nobody in any more, and answers what is parked.
 * After the loop's end, before the session's descriptor is closed; once more for each request that
 * came after it. */
void kernel_close(Kernel *kernel);

/* ---- READs that wait ---- */

/* From before a READ is parked until after it is answered. told: the size that the kernel was told.
 */
void kernel_read_begins(Kernel *kernel, fuse_ino_t ino, guint64 told);
void kernel_read_ends(Kernel *kernel, fuse_ino_t ino);

/* Whether there are such READs of the inode, and what the last one was told. ret_told may be NULL.
 */
bool kernel_reading(Kernel *kernel, fuse_ino_t ino, guint64 *ret_told);
