/* SETATTR. A message has no owner, permissions or times that could be set, and says so with EPERM;
 * but what cannot be kept is no reason to fail for a program that copies a file with all that
 * belongs to it: while a file is staged, and a moment after, it is accepted and forgotten. */
#include <errno.h>
#include <sys/stat.h>

#include "fs/op.h"
#include "fs/process.h"

enum {
	PERMISSIONS = 07777,
	WHICH_TIMES = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW |
		      FUSE_SET_ATTR_MTIME_NOW,
};

static bool is_another_owner(const Fs *fs, const struct stat *attributes, int which)
{
	return (which & FUSE_SET_ATTR_UID && attributes->st_uid != fs->owner_uid) ||
	       (which & FUSE_SET_ATTR_GID && attributes->st_gid != fs->owner_gid);
}

/* Restoring the time that a message has, as after looking at it, changes nothing. */
static bool is_another_time(const Op *op)
{
	StoreMessage message;
	if (!(op->which & WHICH_TIMES))
		return false;
	bool given = op->which & FUSE_SET_ATTR_MTIME && !(op->which & FUSE_SET_ATTR_MTIME_NOW);
	return !given || op->at.kind != INODE_MESSAGE ||
	       !store_peek_message(op->fs->store, op->at.id, op->at.uid, &message) ||
	       message.date != op->date.tv_sec;
}

static bool is_another_mode(const Op *op, const struct stat *attributes, mode_t mode)
{
	return op->which & FUSE_SET_ATTR_MODE && (attributes->st_mode & PERMISSIONS) != mode;
}

/* Of what is no staged file. */
static bool may(const Op *op, const struct stat *attributes)
{
	const Fs *fs = op->fs;
	bool of_message = op->at.kind == INODE_MESSAGE;
	bool of_view = op->at.kind == INODE_VIEW || op->at.kind == INODE_QUERY;
	if (fs_is_fixed(op->at) || of_view || op->which & FUSE_SET_ATTR_SIZE)
		return false;
	if (op->of != 0 || staged_is_fresh(fs->staged, inode_pack(op->at)))
		return true;
	return !is_another_mode(op, attributes, of_message ? fs->file_mode : fs->dir_mode) &&
	       !is_another_owner(fs, attributes, op->which) && !is_another_time(op);
}

/* ---- staged files ---- */

static bool advance_staged(Op *op, const GError *error)
{
	bool parked;
	g_autoptr(Staged) staged = op_writable(op, error, &parked);
	Gen gen;
	guint32 uid;
	if (!staged)
		return parked;
	int failed = 0;
	bool resize = op->which & FUSE_SET_ATTR_SIZE;
	if (resize && op->size > 0 && staged_is_copy(staged, &gen, &uid))
		return op_fill(op, staged);
	if (resize)
		failed = staged_truncate(
			staged, op->size, process_of_thread(fuse_req_ctx(op->req)->pid));
	if (failed != 0) {
		kernel_reply_errno(op->req, failed);
		return false;
	}
	if (op->which & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW))
		staged_set_date(staged, op->date, !(op->which & FUSE_SET_ATTR_MTIME_NOW));
	return attr_advance(op, NULL);
}

void set_attr_request(fuse_req_t req, fuse_ino_t ino, struct stat *attributes, int which,
	struct fuse_file_info *info)
{
	Op op = {
		.advance = advance_staged,
		.fs = kernel_owner(req),
		.req = req,
		.ino = ino,
		.size = (gsize)attributes->st_size,
		.which = which,
		.date = attributes->st_mtim,
	};
	if (which & FUSE_SET_ATTR_MTIME_NOW)
		op.date.tv_sec = g_get_real_time() / G_USEC_PER_SEC;
	if (!op_find(&op)) {
		kernel_reply_errno(req, ESTALE);
		return;
	}
	g_autoptr(Staged) staged = op_staged(&op);
	bool rewrites = op.at.kind == INODE_MESSAGE && which & FUSE_SET_ATTR_SIZE;
	if (!staged && !rewrites && op.at.kind != INODE_STAGED) {
		if (!may(&op, attributes)) {
			kernel_reply_errno(req, EPERM);
			return;
		}
		op.advance = attr_advance;
	}
	op_run(&op);
}
