/* CREATE and MKNOD: a new file, which is staged until it is a message. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fs/name.h"
#include "fs/op.h"
#include "fs/process.h"

/* An errno; 0: *ret_dir is where it goes. */
static int find_place(
	const Fs *fs, const Tree *tree, fuse_ino_t parent, const char *name, guint32 *ret_dir)
{
	Inode inode;
	if (!inode_unpack(parent, &inode))
		return ESTALE;
	if (fs_is_fixed(inode) || fs_shows_messages(inode))
		return EPERM;
	const TreeDir *dir = fs_dir(fs, tree, inode);
	if (!dir)
		return ESTALE;
	if (dir->mailbox == 0)
		return EPERM;
	if (strlen(name) > NAME_MAX_BYTES)
		return ENAMETOOLONG;
	*ret_dir = dir->id;
	return 0;
}

/* NULL with errno; otherwise a reference, and the entry is looked up. */
static Staged *create(
	fuse_req_t req, fuse_ino_t parent, const char *name, struct fuse_entry_param *ret)
{
	Fs *fs = kernel_owner(req);
	g_autoptr(Tree) tree = fs_tree(fs);
	guint32 dir;
	int failed = find_place(fs, tree, parent, name, &dir);
	if (failed != 0) {
		errno = failed;
		return NULL;
	}
	pid_t process = process_of_thread(fuse_req_ctx(req)->pid);
	Staged *staged = staged_create(fs->staged, dir, name, process);
	if (!staged)
		return NULL;
	*ret = (struct fuse_entry_param){.ino = inode_staged(staged_number(staged))};
	staged_attributes(staged, &ret->attr);
	staged_looked_up(staged);
	return staged;
}

void create_request(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	struct fuse_file_info *info)
{
	struct fuse_entry_param entry;
	g_autoptr(Staged) staged = create(req, parent, name, &entry);
	if (!staged) {
		kernel_reply_errno(req, errno);
		return;
	}
	staged_opened(staged);
	info->keep_cache = 1;
	kernel_reply_create(req, &entry, info);
}

void mknod_request(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
	struct fuse_entry_param entry;
	if (!S_ISREG(mode)) {
		kernel_reply_errno(req, EPERM);
		return;
	}
	g_autoptr(Staged) staged = create(req, parent, name, &entry);
	if (staged)
		kernel_reply_entry(req, &entry);
	else
		kernel_reply_errno(req, errno);
}
