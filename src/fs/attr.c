/* GETATTR, and what stat shows of a directory and of a message. */
#include <errno.h>
#include <sys/stat.h>

#include "fs/op.h"

enum {
	STAT_BLOCK = 512, /* the unit of st_blocks, whatever st_blksize says */

	/* What programs read at a time: a READ then is as large as readahead makes it. */
	READ_SIZE = 128 << 10,
};

void attr_of_dir(const Fs *fs, const Tree *tree, const TreeDir *dir, struct stat *ret)
{
	*ret = (struct stat){
		.st_ino = fs_dir_inode(fs, dir),
		.st_mode = S_IFDIR | fs->dir_mode,
		.st_nlink = 2 + tree_n_children(tree, dir) +
			    (dir->id == (guint32)g_atomic_int_get(&fs->root) ? 1 : 0),
		.st_uid = fs->owner_uid,
		.st_gid = fs->owner_gid,
		.st_blksize = READ_SIZE,
		.st_atim.tv_sec = fs->mounted_at,
		.st_mtim.tv_sec = fs->mounted_at,
		.st_ctim.tv_sec = fs->mounted_at,
	};
}

void attr_of_message(const Fs *fs, Gen gen, const StoreMessage *message, struct stat *ret)
{
	/* off_t is signed; no body is that long. */
	guint64 size = MIN(message->size, G_MAXINT64 - STAT_BLOCK);
	*ret = (struct stat){
		.st_ino = inode_message(gen, message->uid),
		.st_mode = S_IFREG | fs->file_mode,
		.st_nlink = 1,
		.st_uid = fs->owner_uid,
		.st_gid = fs->owner_gid,
		.st_size = (off_t)size,
		.st_blocks = (blkcnt_t)((size + STAT_BLOCK - 1) / STAT_BLOCK),
		.st_blksize = READ_SIZE,
		.st_atim.tv_sec = message->date,
		.st_mtim.tv_sec = message->date,
		.st_ctim.tv_sec = message->date,
	};
}

static bool advance_message(Op *op, const GError *error)
{
	StoreMessage message;
	struct stat attributes;
	switch (store_try_message(op->fs->store, op->at.id, op->at.uid, &message)) {
	case STORE_HIT:
		attr_of_message(op->fs, op->at.id, &message, &attributes);
		kernel_reply_attributes(op->req, &attributes);
		return false;
	case STORE_ABSENT:
		kernel_reply_errno(op->req, ESTALE);
		return false;
	case STORE_MISS:
		break;
	}
	if (!op->fetched)
		return op_attributes(op, op->at.id, op->at.uid);
	kernel_reply_error(op->req, error);
	return false;
}

static void reply_own(const Op *op)
{
	struct stat attributes;
	if (own_attributes(op->fs, op->at, &attributes))
		kernel_reply_attributes(op->req, &attributes);
	else
		kernel_reply_errno(op->req, ESTALE);
}

static bool advance(Op *op, const GError *error)
{
	if (op->at.kind == INODE_MESSAGE)
		return advance_message(op, error);
	if (op->at.kind == INODE_OWN) {
		reply_own(op);
		return false;
	}

	g_autoptr(Tree) tree = fs_tree(op->fs);
	const TreeDir *dir = fs_dir(op->fs, tree, op->at);
	if (!dir) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	struct stat attributes;
	attr_of_dir(op->fs, tree, dir, &attributes);
	kernel_reply_attributes(op->req, &attributes);
	return false;
}

void attr_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	Op op = {.advance = advance, .fs = kernel_owner(req), .req = req, .ino = ino};
	op_run(&op);
}
