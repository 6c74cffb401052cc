/* LOOKUP: a name in a directory. */
#include <errno.h>
#include <string.h>

#include "fs/name.h"
#include "fs/op.h"

static void reply_dir(const Op *op, const Tree *tree, const TreeDir *dir)
{
	struct fuse_entry_param entry = {
		.ino = fs_dir_inode(op->fs, dir),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = KERNEL_ENDLESS_S,
	};
	attr_of_dir(op->fs, tree, dir, &entry.attr);
	kernel_reply_entry(op->req, &entry);
}

/* Answers. ESTALE: a generation that ended meanwhile does not tell what the name means, and the
 * kernel asks once more. */
static void reply_failure(const Op *op, Gen gen, int errnum)
{
	bool ended = gen != 0 && store_gen_mailbox(op->fs->store, gen) == 0;
	kernel_reply_errno(op->req, ended ? ESTALE : errnum);
}

/* Answers. The message may have been looked up while the mailbox changed: see fs_news(). */
static void reply_message(const Op *op, Gen gen, const StoreMessage *message, guint news)
{
	Fs *fs = op->fs;
	struct fuse_entry_param entry = {
		.ino = inode_message(gen, message->uid),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = KERNEL_ENDLESS_S,
	};
	attr_of_message(fs, gen, message, &entry.attr);
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, message->uid, message->uid);
	if (!fs_shows(fs, gen, uids)) {
		kernel_reply_errno(op->req, ESTALE);
		return;
	}
	kernel_reply_entry(op->req, &entry);
	if (fs_news(fs) == news)
		return;
	notify_attributes(fs->notify, gen, imap_set_copy(uids));
	notify_messages(fs->notify, op->ino, g_steal_pointer(&uids));
}

/* Whether the server was asked for the names and refused this mailbox. */
static bool refused(const Op *op, const GError *error)
{
	return op->synced && !op->fetched && error &&
	       mail_error_grade((MailError)error->code) != MAIL_GRADE_ACCOUNT;
}

static bool advance_message(Op *op, const GError *error, MailboxId mailbox, guint32 uid)
{
	Fs *fs = op->fs;
	guint news = fs_news(fs);
	Gen gen = store_gen(fs->store, mailbox);
	bool known = gen != 0 && store_names_known(fs->store, gen);
	bool doubtful = known && store_names_time(fs->store, gen) == 0 &&
			!engine_names_fresh(fs->engine, mailbox);
	if ((!known || doubtful) && !op->synced)
		return op_sync(op, mailbox);
	if (!known || (doubtful && refused(op, error))) {
		reply_failure(op, gen, kernel_errno(error));
		return false;
	}

	StoreMessage message;
	switch (store_try_message(fs->store, gen, uid, &message)) {
	case STORE_HIT:
		reply_message(op, gen, &message, news);
		return false;
	case STORE_ABSENT:
		if (!op->synced && !engine_names_fresh(fs->engine, mailbox))
			return op_sync(op, mailbox);
		reply_failure(op, gen, ENOENT);
		return false;
	case STORE_MISS:
		break;
	}
	if (!op->fetched)
		return op_attributes(op, gen, uid);
	reply_failure(op, gen, kernel_errno(error));
	return false;
}

static bool advance(Op *op, const GError *error)
{
	Fs *fs = op->fs;
	if (op->at.kind == INODE_OWN ||
		(op->at.kind == INODE_ROOT_KIND && strcmp(op->name, OWN_NAME) == 0)) {
		own_lookup(op);
		return false;
	}
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = fs_dir(fs, tree, op->at);
	if (!dir) {
		kernel_reply_errno(op->req, op->at.kind == INODE_MESSAGE ? ENOTDIR : ESTALE);
		return false;
	}
	guint32 uid = name_to_uid(op->name);
	if (uid != 0 && dir->mailbox != 0)
		return advance_message(op, error, dir->mailbox, uid);

	/* A name that is not there is not remembered: it may be there the next time. */
	const TreeDir *child = tree_child(tree, dir, op->name);
	if (!child) {
		kernel_reply_errno(op->req, ENOENT);
		return false;
	}
	reply_dir(op, tree, child);
	g_autoptr(Tree) now = fs_tree(fs);
	if (!tree_dir(now, child->id))
		notify_child(fs->notify, op->ino, op->name);
	return false;
}

void lookup_request(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	Op op = {
		.advance = advance,
		.fs = kernel_owner(req),
		.req = req,
		.ino = parent,
		.name = name,
	};
	op_run(&op);
}
