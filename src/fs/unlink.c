/* UNLINK: what becomes of a message is a matter of -o delete. */
#include <errno.h>

#include "fs/op.h"
#include "fs/resolve.h"

/* 0: the account has none. */
static MailboxId find_trash(Fs *fs)
{
	g_autoptr(GArray) mailboxes = store_mailboxes(fs->store);
	for (guint i = 0; i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(mailboxes, StoreMailbox, i);
		if (mailbox->attributes & IMAP_LIST_TRASH)
			return mailbox->id;
	}
	if (g_atomic_int_compare_and_exchange(&fs->told_no_trash, 0, 1))
		g_message("no mailbox is marked as \\Trash: nothing can be deleted (-o delete)");
	return 0;
}

/* false: nothing may be deleted. */
static bool apply_policy(Fs *fs, MailboxId mailbox, EngineChange *change)
{
	switch (fs->delete) {
	case FS_DELETE_EXPUNGE:
		change->kind = INTENT_REMOVE;
		return true;
	case FS_DELETE_MARK:
		change->kind = INTENT_MARK;
		return true;
	case FS_DELETE_TRASH:
		change->target = find_trash(fs);
		change->kind = change->target == mailbox ? INTENT_REMOVE : INTENT_MOVE;
		return change->target != 0;
	case FS_DELETE_DENY:
		break;
	}
	return false;
}

static bool remove_message(Op *op, const Resolved *what)
{
	EngineChange change = {.name = op->name};
	resolved_source(what, &change);
	if (apply_policy(op->fs, what->dir->mailbox, &change))
		return op_change(op, &change);
	kernel_reply_errno(op->req, EPERM);
	return false;
}

static bool advance(Op *op, const GError *error)
{
	if (op->changed) {
		kernel_reply_done(op->req, error);
		return false;
	}
	Fs *fs = op->fs;
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = fs_dir_behind(fs, tree, op->at);
	if (!dir || fs_is_fixed(op->at)) {
		kernel_reply_errno(op->req, fs_is_fixed(op->at) ? EPERM : ESTALE);
		return false;
	}
	bool parked;
	g_auto(Resolved) what = {0};
	if (!resolve_op(op, error, tree, dir, &what, &parked))
		return parked;
	switch (what.kind) {
	case RESOLVED_MESSAGE:
	case RESOLVED_WAITING:
		return remove_message(op, &what);
	case RESOLVED_STAGED:
		staged_unlink(what.staged);
		kernel_reply_errno(op->req, 0);
		break;
	case RESOLVED_DIRECTORY:
		kernel_reply_errno(op->req, EISDIR);
		break;
	case RESOLVED_NOTHING:
	case RESOLVED_UNREAD:
		kernel_reply_errno(op->req, ENOENT);
		break;
	}
	return false;
}

void unlink_request(fuse_req_t req, fuse_ino_t dir, const char *name)
{
	Op op = {.advance = advance, .fs = kernel_owner(req), .req = req, .ino = dir, .name = name};
	op_run(&op);
}
