/* The operations that the kernel may ask for, and what is agreed with it at the start. What is not
 * here is refused by libfuse with ENOSYS, and for ACCESS, FALLOCATE and LSEEK the kernel then does
 * not ask again. */
#include <errno.h>

#include "fs/fs.h"
#include "fs/name.h"

enum {
	/* Requests that the kernel may have under way for readahead. Those of stuck readers must
	 * not hold up the others', so there is room for many; past the second it reads ahead less.
	 */
	MAX_BACKGROUND = 4096,
	CONGESTED = 3072,

	STATFS_BLOCK = 4096,

	/* Linux 6.9: a handle of CREATE is released also where OPEN is not answered. */
	PROTOCOL_RELEASES = 40,
};

static void init(void *data, struct fuse_conn_info *conn)
{
	Fs *fs = kernel_owner_of(data);
	fs->without_open = conn->capable & FUSE_CAP_NO_OPEN_SUPPORT;
	fs->releases = conn->proto_minor >= PROTOCOL_RELEASES;

	/* Without OPEN nobody would hear of O_TRUNC: the kernel is to send a SETATTR. */
	conn->want &= ~(guint)FUSE_CAP_ATOMIC_O_TRUNC;

	/* Messages never change: pages stay until we say otherwise, also when a size is corrected.
	 */
	conn->want &= ~(guint)FUSE_CAP_AUTO_INVAL_DATA;
	conn->want |= conn->capable &
		      (FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_PARALLEL_DIROPS |
			      FUSE_CAP_ASYNC_READ | FUSE_CAP_EXPLICIT_INVAL_DATA);
	conn->max_background = MAX_BACKGROUND;
	conn->congestion_threshold = CONGESTED;
}

/* ENOSYS to the first OPEN means success, also for all later ones, and the kernel sends no OPEN and
 * RELEASE any more, but for what CREATE opened: a warm `grep -r` then asks for nothing but FLUSH,
 * which tells who writes what became of it. */
static void open_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	const Fs *fs = kernel_owner(req);
	info->keep_cache = 1;
	if (fs->without_open)
		kernel_reply_errno(req, ENOSYS);
	else
		kernel_reply_open(req, info);
}

static guint64 left_of(guint64 used, guint64 limit)
{
	return limit > used ? limit - used : 0;
}

/* Of the account, where the server told its quota, else of the cache; from memory: `df` never waits
 * for the server. Without a quota on messages f_files and f_ffree are 0: nothing bounds the number
 * of files. */
static void statfs_request(fuse_req_t req, fuse_ino_t ino)
{
	const Fs *fs = kernel_owner(req);
	guint64 used, limit, messages = 0, most = 0;
	if (!engine_quota(fs->engine, &used, &limit))
		store_usage(fs->store, &used, &limit);
	engine_quota_messages(fs->engine, &messages, &most);
	guint64 left = left_of(used, limit) / STATFS_BLOCK;
	struct statvfs figures = {
		.f_bsize = STATFS_BLOCK,
		.f_frsize = STATFS_BLOCK,
		.f_blocks = limit / STATFS_BLOCK,
		.f_bfree = left,
		.f_bavail = left,
		.f_files = most,
		.f_ffree = left_of(messages, most),
		.f_favail = left_of(messages, most),
		.f_namemax = NAME_MAX_BYTES,
	};
	kernel_reply_statfs(req, &figures);
}

const struct fuse_lowlevel_ops ops_table = {
	.init = init,
	.lookup = lookup_request,
	.getattr = attr_request,
	.open = open_request,
	.read = read_request,
	.create = create_request,
	.mknod = mknod_request,
	.write = write_request,
	.setattr = set_attr_request,
	.flush = flush_request,
	.fsync = sync_file_request,
	.release = release_request,
	.copy_file_range = copy_request,
	.opendir = open_dir_request,
	.readdir = dir_request,
	.readdirplus = dir_plus_request,
	.readlink = link_request,
	.unlink = unlink_request,
	.rename = rename_request,
	.mkdir = make_dir_request,
	.rmdir = remove_dir_request,
	.fsyncdir = sync_dir_request,
	.symlink = symlink_request,
	.link = hard_link_request,
	.forget = forget_request,
	.forget_multi = forget_many_request,
	.getxattr = xattr_request,
	.listxattr = xattr_list_request,
	.setxattr = set_xattr_request,
	.removexattr = remove_xattr_request,
	.statfs = statfs_request,
};
