/* What is written, and when it is closed: WRITE, COPY_FILE_RANGE, FLUSH, FSYNC and RELEASE. Only
 * staged files are, and messages as staged files; of a message that is read, which the kernel does
 * not tell apart, closing means nothing. */
#include <errno.h>

#include "fs/op.h"
#include "fs/process.h"

/* ---- WRITE ---- */

static bool advance_write(Op *op, const GError *error)
{
	bool parked;
	g_autoptr(Staged) staged = op_writable(op, error, &parked);
	Gen gen;
	guint32 uid;
	if (!staged)
		return parked;
	if (staged_is_copy(staged, &gen, &uid))
		return op_fill(op, staged);
	int failed = staged_write(staged, op->bytes, op->size, op->offset);
	if (failed == 0)
		kernel_reply_written(op->req, op->size);
	else
		kernel_reply_errno(op->req, failed);
	return false;
}

void write_request(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
	struct fuse_file_info *info)
{
	Op op = {
		.advance = advance_write,
		.fs = kernel_owner(req),
		.req = req,
		.ino = ino,
		.bytes = bytes,
		.size = size,
		.offset = (guint64)offset,
	};
	op_run(&op);
}

/* ---- COPY_FILE_RANGE ---- */

/* EOPNOTSUPP: the kernel reads and writes instead. */
static int copy(const Op *from, const Op *to, guint64 size, guint64 *ret_n)
{
	StoreMessage message;
	Gen gen = from->at.id;
	guint32 uid = from->at.uid;
	/* What is shown instead of it, or is on its way, the server does not have. */
	g_autoptr(Staged) over = op_staged(from);
	if (from->at.kind != INODE_MESSAGE || from->of != 0 || over)
		return EOPNOTSUPP;
	if (store_try_message(from->fs->store, gen, uid, &message) != STORE_HIT ||
		size < message.size || message.size > G_MAXUINT32)
		return EOPNOTSUPP;
	g_autoptr(Staged) staged = op_staged(to);
	if (!staged || !staged_copy(staged, gen, uid, message.size))
		return EOPNOTSUPP;
	*ret_n = message.size;
	return 0;
}

void copy_request(fuse_req_t req, fuse_ino_t from, off_t from_offset,
	struct fuse_file_info *from_info, fuse_ino_t to, off_t to_offset,
	struct fuse_file_info *to_info, size_t size, int flags)
{
	Fs *fs = kernel_owner(req);
	Op source = {.fs = fs, .ino = from}, target = {.fs = fs, .ino = to};
	guint64 n = 0;
	int failed = EOPNOTSUPP;
	if (from_offset == 0 && to_offset == 0 && op_find(&source) && op_find(&target))
		failed = copy(&source, &target, size, &n);
	if (failed == 0)
		kernel_reply_written(req, n);
	else
		kernel_reply_errno(req, failed);
}

/* ---- FLUSH, FSYNC, RELEASE ---- */

static bool advance_flush(Op *op, const GError *error)
{
	g_autoptr(Staged) staged = op->changed ? NULL : op_staged(op);
	if (staged && staged_closes(staged, process_of_thread(fuse_req_ctx(op->req)->pid)))
		return op_flush(op, staged, false);
	if (error)
		kernel_reply_error(op->req, error);
	else
		kernel_reply_errno(op->req, 0);
	return false;
}

void flush_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	Op op = {.advance = advance_flush, .fs = kernel_owner(req), .req = req, .ino = ino};
	/* Nothing can be written: the kernel does not ask again. */
	if (op.fs->read_only)
		kernel_reply_errno(req, ENOSYS);
	else
		op_run(&op);
}

static bool advance_sync(Op *op, const GError *error)
{
	g_autoptr(Staged) staged = op->changed ? NULL : op_staged(op);
	if (staged)
		return op_flush(op, staged, true);
	if (error)
		kernel_reply_error(op->req, error);
	else
		kernel_reply_errno(op->req, 0);
	return false;
}

void sync_file_request(fuse_req_t req, fuse_ino_t ino, int data_only, struct fuse_file_info *info)
{
	Op op = {.advance = advance_sync, .fs = kernel_owner(req), .req = req, .ino = ino};
	op_run(&op);
}

/* Nobody waits for it. */
void release_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	Fs *fs = kernel_owner(req);
	Inode inode;
	if (inode_unpack(ino, &inode) && inode.kind == INODE_STAGED) {
		g_autoptr(Staged) staged = staged_get(fs->staged, inode.uid);
		if (staged)
			staged_released(staged);
	}
	kernel_reply_errno(req, 0);
}
