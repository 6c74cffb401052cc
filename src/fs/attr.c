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

void attr_of_file(const Fs *fs, guint64 ino, guint64 size, struct timespec date, struct stat *ret)
{
	*ret = (struct stat){
		.st_ino = ino,
		.st_mode = S_IFREG | fs->file_mode,
		.st_nlink = 1,
		.st_uid = fs->owner_uid,
		.st_gid = fs->owner_gid,
		.st_size = (off_t)size,
		.st_blocks = (blkcnt_t)((size + STAT_BLOCK - 1) / STAT_BLOCK),
		.st_blksize = READ_SIZE,
		.st_atim = date,
		.st_mtim = date,
		.st_ctim = date,
	};
}

void attr_of_copy(const Fs *fs, guint64 ino, const StoreMessage *source, struct stat *ret)
{
	/* off_t is signed; no body is that long. */
	guint64 size = MIN(source->size, G_MAXINT64 - STAT_BLOCK);
	struct timespec date = {.tv_sec = source->date};
	attr_of_file(fs, ino, size, date, ret);
	ret->st_nlink = source->gone ? 0 : 1;
}

void attr_of_message(const Fs *fs, Gen gen, const StoreMessage *message, struct stat *ret)
{
	guint64 ino = inode_message(gen, message->uid);
	attr_of_copy(fs, ino, message, ret);
	g_autoptr(Staged) over = staged_over(fs->staged, ino);
	if (over)
		staged_attributes(over, ret);
}

enum { NEVER = 0222 }; /* permissions that nothing has that is made of messages */

static void attr_of_made_dir(const Fs *fs, guint64 ino, mode_t mode, gint64 date, struct stat *ret)
{
	*ret = (struct stat){
		.st_ino = ino,
		.st_mode = S_IFDIR | mode,
		.st_nlink = 2,
		.st_uid = fs->owner_uid,
		.st_gid = fs->owner_gid,
		.st_blksize = READ_SIZE,
		.st_atim.tv_sec = date,
		.st_mtim.tv_sec = date,
		.st_ctim.tv_sec = date,
	};
}

void attr_of_view(const Fs *fs, const TreeDir *dir, Inode inode, struct stat *ret)
{
	mode_t mode = fs->dir_mode & ~(fs_is_fixed(inode) ? (mode_t)NEVER : 0);
	attr_of_made_dir(fs, inode_pack(inode), mode, fs->mounted_at, ret);
	Gen gen = dir->mailbox != 0 ? store_gen(fs->store, dir->mailbox) : 0;
	if (inode.kind == INODE_VIEW && inode.part == VIEW_PARTS && gen != 0)
		ret->st_nlink += (nlink_t)store_count(fs->store, gen);
}

void attr_of_parts(const Fs *fs, Gen gen, const StoreMessage *message, struct stat *ret)
{
	guint64 ino = inode_parts(gen, message->uid);
	attr_of_made_dir(fs, ino, fs->dir_mode & ~(mode_t)NEVER, message->date, ret);
}

void attr_of_excerpt(
	const Fs *fs, guint64 ino, guint64 size, const StoreMessage *message, struct stat *ret)
{
	struct timespec date = {.tv_sec = message->date};
	attr_of_file(fs, ino, MIN(size, G_MAXINT64 - STAT_BLOCK), date, ret);
	ret->st_mode &= ~(mode_t)NEVER;
	ret->st_nlink = message->gone ? 0 : 1;
}

/* The inode is what it was when the kernel got it: of a message that is moved, or copied. */
static bool reply_message(const Op *op, const StoreMessage *message)
{
	struct stat attributes;
	if (op->of != 0)
		attr_of_copy(op->fs, op->ino, message, &attributes);
	else
		attr_of_message(op->fs, op->at.id, message, &attributes);
	attributes.st_ino = op->ino;
	kernel_reply_attributes(op->req, &attributes);
	return false;
}

static bool advance_message(Op *op, const GError *error)
{
	Store *store = op->fs->store;
	StoreMessage message = {0};
	switch (store_try_message(store, op->at.id, op->at.uid, &message)) {
	case STORE_HIT:
		return reply_message(op, &message);
	case STORE_ABSENT:
		if (op_follow(op))
			return advance_message(op, NULL);
		/* The kernel takes a name that a message was moved to for its old inode's. */
		if (store_peek_message(store, op->at.id, op->at.uid, &message) && message.leaving)
			break;
		/* It is open still, since nothing else asks for an inode without a name. */
		if (store_peek_gone(store, op->at.id, op->at.uid, &message) &&
			message.size_verified)
			return reply_message(op, &message);
		kernel_reply_errno(op->req, ESTALE);
		return false;
	case STORE_MISS:
		break;
	}
	if (message.leaving && message.known)
		return reply_message(op, &message);
	if (!op->fetched)
		return op_attributes(op, op->at.id, op->at.uid);
	kernel_reply_error(op->req, error);
	return false;
}

static bool reply_excerpt(Op *op, const GError *error, const StoreMessage *message)
{
	g_auto(Excerpt) excerpt = {0};
	Lack lack;
	guint64 size;
	struct stat attributes;
	if (!excerpt_open(op->fs, op->at, &excerpt, &lack) ||
		!excerpt_size(&excerpt, message, op->sized, &size, &lack))
		return op_lack(op, error, &excerpt, &lack);
	attr_of_excerpt(op->fs, op->ino, size, message, &attributes);
	if (excerpt.bounded)
		kernel_reply_attributes_now(op->req, &attributes);
	else
		kernel_reply_attributes(op->req, &attributes);
	return false;
}

/* Only the date of the message is needed, so its size may be wrong. */
static bool advance_made(Op *op, const GError *error)
{
	StoreMessage message;
	struct stat attributes;
	Store *store = op->fs->store;
	bool file = op->at.kind != INODE_PARTS;
	bool found = store_peek_message(store, op->at.id, op->at.uid, &message) ||
		     (file && store_peek_gone(store, op->at.id, op->at.uid, &message));
	if (found && !message.known && !op->fetched)
		return op_attributes(op, op->at.id, op->at.uid);
	if (!found) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	if (!message.known) {
		kernel_reply_error(op->req, error);
		return false;
	}
	if (file)
		return reply_excerpt(op, error, &message);
	attr_of_parts(op->fs, op->at.id, &message, &attributes);
	kernel_reply_attributes(op->req, &attributes);
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

static void reply_staged(const Op *op, Staged *staged)
{
	struct stat attributes;
	staged_attributes(staged, &attributes);
	attributes.st_ino = op->ino;
	kernel_reply_attributes_now(op->req, &attributes);
}

bool attr_advance(Op *op, const GError *error)
{
	g_autoptr(Staged) staged = op_staged(op);
	if (staged) {
		reply_staged(op, staged);
		return false;
	}
	if (op->at.kind == INODE_MESSAGE)
		return advance_message(op, error);
	if (op->at.kind == INODE_OWN) {
		reply_own(op);
		return false;
	}

	if (op->at.kind == INODE_TEXT || op->at.kind == INODE_PARTS || op->at.kind == INODE_PART)
		return advance_made(op, error);

	g_autoptr(Tree) tree = fs_tree(op->fs);
	const TreeDir *dir = fs_dir_behind(op->fs, tree, op->at);
	if (!dir) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	struct stat attributes;
	if (op->at.kind == INODE_VIEW || op->at.kind == INODE_QUERY)
		attr_of_view(op->fs, dir, op->at, &attributes);
	else
		attr_of_dir(op->fs, tree, dir, &attributes);
	kernel_reply_attributes(op->req, &attributes);
	return false;
}

void attr_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	Op op = {.advance = attr_advance, .fs = kernel_owner(req), .req = req, .ino = ino};
	op_run(&op);
}
