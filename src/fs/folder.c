/* MKDIR and RMDIR: CREATE and DELETE of a mailbox; and the barrier of a directory, FSYNCDIR. */
#include "fs/folder.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "fs/name.h"
#include "fs/op.h"
#include "fs/staged.h"

static guint depth_of(const Tree *tree, const TreeDir *dir)
{
	guint depth = 0;
	for (; dir->id != 0; dir = tree_dir(tree, dir->parent))
		depth++;
	return depth;
}

static bool may_have_children(const Fs *fs, const TreeDir *dir)
{
	StoreMailbox mailbox;
	if (dir->id == 0)
		return true;
	if (dir->delimiter == '\0')
		return false;
	return !store_mailbox(fs->store, dir->mailbox, &mailbox) ||
	       !(mailbox.attributes & IMAP_LIST_NOINFERIORS);
}

int folder_wire_name(
	const Fs *fs, const Tree *tree, const TreeDir *parent, const char *name, char **ret_wire)
{
	if (name[0] == '.' || !may_have_children(fs, parent))
		return EPERM;
	if (strlen(name) > NAME_MAX_BYTES || depth_of(tree, parent) + 1 > TREE_DEPTH)
		return ENAMETOOLONG;
	g_autofree char *component = name_to_component(name, parent->delimiter);
	if (!component)
		return EINVAL;
	GString *wire = g_string_new_len(parent->wire, parent->wire_len);
	if (wire->len > 0)
		g_string_append_c(wire, parent->delimiter);
	g_string_append(wire, component);
	bool fits = wire->len <= LIMIT_MAILBOX_NAME;
	char *text = g_string_free(wire, FALSE);
	if (fits)
		*ret_wire = g_steal_pointer(&text);
	g_free(text);
	return fits ? 0 : ENAMETOOLONG;
}

bool folder_is_empty(const Fs *fs, const Tree *tree, const TreeDir *dir)
{
	g_autofree char *name = NULL;
	g_autoptr(Staged) staged = staged_after(fs->staged, dir->id, 0, &name);
	Gen gen = dir->mailbox != 0 ? store_gen(fs->store, dir->mailbox) : 0;
	return !staged && tree_n_children(tree, dir) == 0 &&
	       (gen == 0 || store_count(fs->store, gen) == 0);
}

/* ---- MKDIR ---- */

static void reply_made(const Op *op)
{
	Fs *fs = op->fs;
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *parent = fs_dir(fs, tree, op->at);
	const TreeDir *dir = parent ? tree_child(tree, parent, op->name) : NULL;
	if (!dir) {
		/* It is there, but -o folders or -o subscribed leave it out. */
		kernel_reply_errno(op->req, ENOENT);
		return;
	}
	struct fuse_entry_param entry = {
		.ino = fs_dir_inode(fs, dir),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = KERNEL_ENDLESS_S,
	};
	attr_of_dir(fs, tree, dir, &entry.attr);
	staged_freshen(fs->staged, entry.ino);
	kernel_reply_entry(op->req, &entry);
}

static bool advance_make(Op *op, const GError *error)
{
	Fs *fs = op->fs;
	if (op->changed && error)
		kernel_reply_error(op->req, error);
	else if (op->changed)
		reply_made(op);
	if (op->changed)
		return false;

	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *parent = fs_dir(fs, tree, op->at);
	g_autofree char *wire = NULL;
	int errnum = parent ? folder_wire_name(fs, tree, parent, op->name, &wire) : EPERM;
	if (errnum != 0) {
		kernel_reply_errno(op->req, errnum);
		return false;
	}
	op->changed = true;
	Op *parked = op_park(op);
	if (parked)
		engine_create_mailbox(fs->engine, wire, op_resume, parked);
	return parked != NULL;
}

void make_dir_request(fuse_req_t req, fuse_ino_t dir, const char *name, mode_t mode)
{
	Op op = {
		.advance = advance_make,
		.fs = kernel_owner(req),
		.req = req,
		.ino = dir,
		.name = name,
	};
	op_run(&op);
}

/* ---- RMDIR ---- */

static bool is_inbox(const Fs *fs, const TreeDir *dir)
{
	StoreMailbox mailbox;
	return store_mailbox(fs->store, dir->mailbox, &mailbox) &&
	       strcmp(mailbox.name, "INBOX") == 0;
}

/* 0: it may be asked of the server. */
static int refusal_to_remove(const Fs *fs, const Tree *tree, const TreeDir *dir)
{
	if (is_inbox(fs, dir))
		return EBUSY;
	if (tree_n_children(tree, dir) > 0)
		return ENOTEMPTY;
	if (dir->mailbox == 0 || fs->delete == FS_DELETE_DENY)
		return EPERM;
	return folder_is_empty(fs, tree, dir) ? 0 : ENOTEMPTY;
}

static bool advance_remove(Op *op, const GError *error)
{
	if (op->changed) {
		kernel_reply_done(op->req, error);
		return false;
	}
	Fs *fs = op->fs;
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *parent = fs_dir(fs, tree, op->at);
	const TreeDir *dir = parent ? tree_child(tree, parent, op->name) : NULL;
	int errnum = dir ? refusal_to_remove(fs, tree, dir) : ENOENT;
	if (fs_is_fixed(op->at) || fs_shows_messages(op->at) ||
		fs_is_reserved(fs, tree, op->at, op->name))
		errnum = EPERM;
	if (errnum != 0) {
		kernel_reply_errno(op->req, errnum);
		return false;
	}
	op->changed = true;
	Op *parked = op_park(op);
	if (parked)
		engine_delete_mailbox(fs->engine, dir->mailbox, op_resume, parked);
	return parked != NULL;
}

void remove_dir_request(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	Op op = {
		.advance = advance_remove,
		.fs = kernel_owner(req),
		.req = req,
		.ino = dir,
		.name = name,
	};
	op_run(&op);
}

/* ---- FSYNCDIR ---- */

static bool advance_sync(Op *op, const GError *error)
{
	if (op->settled || fs_is_fixed(op->at)) {
		kernel_reply_done(op->req, error);
		return false;
	}
	g_autoptr(Tree) tree = fs_tree(op->fs);
	const TreeDir *dir = fs_dir_behind(op->fs, tree, op->at);
	if (!dir) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	return op_settle(op, dir->mailbox);
}

/* A directory that is no mailbox stands for all of them. */
void sync_dir_request(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *info)
{
	Op op = {.advance = advance_sync, .fs = kernel_owner(req), .req = req, .ino = ino};
	op_run(&op);
}

/* ---- what no mail server has ---- */

void symlink_request(fuse_req_t req, const char *target, fuse_ino_t dir, const char *name)
{
	kernel_reply_errno(req, EPERM);
}

void hard_link_request(fuse_req_t req, fuse_ino_t ino, fuse_ino_t dir, const char *name)
{
	kernel_reply_errno(req, EPERM);
}
