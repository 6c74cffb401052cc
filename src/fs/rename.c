/* RENAME. To another mailbox a message is moved by the server; within its own it gets an alias, of
 * which the server hears nothing. No message is ever replaced but where -o edit allows it: two that
 * are to have one name both stay. */
#include <errno.h>
#include <string.h>

#include "fs/fields.h"
#include "fs/folder.h"
#include "fs/name.h"
#include "fs/op.h"
#include "fs/resolve.h"

/* Of renameat2(); linux/fs.h has them with much else. */
enum { NO_REPLACE = 1 << 0 };

/* One request, as it is looked at first. */
typedef struct {
	Op *op;
	const Tree *tree;
	const TreeDir *from, *to;
	Resolved what; /* has the old name */
	Resolved there; /* has the new one */
} Rename;

static bool refuse(const Rename *rename, int errnum)
{
	kernel_reply_errno(rename->op->req, errnum);
	return false;
}

static bool is_message(const Resolved *resolved)
{
	return resolved->kind == RESOLVED_MESSAGE || resolved->kind == RESOLVED_WAITING;
}

static bool is_same_message(const Resolved *a, const Resolved *b)
{
	return a->kind == RESOLVED_MESSAGE && b->kind == RESOLVED_MESSAGE && a->gen == b->gen &&
	       a->uid == b->uid;
}

/* ---- a message to another mailbox ---- */

static bool move_message(const Rename *rename)
{
	Op *op = rename->op;
	EngineChange change = {
		.kind = INTENT_MOVE,
		.target = rename->to->mailbox,
		.name = op->new_name,
	};
	if (change.target == 0)
		return refuse(rename, EPERM);
	resolved_source(&rename->what, &change);
	return op_change(op, &change);
}

/* ---- a message within its mailbox ---- */

static fuse_ino_t inode_of_source(const Rename *rename)
{
	return fs_dir_inode(rename->op->fs, rename->from);
}

/* What names the message had that it has no longer: the kernel may know them. */
static void forget_names(const Rename *rename)
{
	const Op *op = rename->op;
	Fs *fs = op->fs;
	const Resolved *what = &rename->what;
	fuse_ino_t dir = inode_of_source(rename);
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, what->uid, what->uid);
	g_autofree char *before = aliases_instead(fs->aliases, what->gen, what->uid);
	char own[NAME_MESSAGE_BYTES];
	name_of_message(what->uid, own);
	if (before && strcmp(before, op->name) != 0)
		aliases_remove(fs->aliases, rename->from->id, before);
	if (before)
		fs_name_changed(fs, dir, before);
	fs_names_changed(fs, dir, what->gen, uids);
	fs_name_changed(fs, dir, own);
}

static bool is_own_name(const Rename *rename)
{
	Fs *fs = rename->op->fs;
	const char *name = rename->op->new_name;
	const Resolved *what = &rename->what;
	g_autofree char *readable =
		fs->names == FS_NAMES_SUBJECT
			? fields_name(fs, SUBJECT_BEHIND_UID, what->gen, what->uid)
			: NULL;
	return name_to_uid(name) == what->uid || g_strcmp0(name, readable) == 0;
}

static void give_name(const Rename *rename)
{
	const Op *op = rename->op;
	Fs *fs = op->fs;
	const Resolved *what = &rename->what;
	guint32 dir = rename->from->id;
	if (what->kind == RESOLVED_MESSAGE)
		forget_names(rename);
	/* The same alias, by which a file that is open still finds the message. */
	if (what->kind == RESOLVED_WAITING || what->aliased) {
		aliases_rename(fs->aliases, dir, op->name, op->new_name, true);
		fs_name_changed(fs, inode_of_source(rename), NULL);
		return;
	}
	/* It has its own name back. */
	if (is_own_name(rename))
		return;
	Alias alias = {.gen = what->gen, .uid = what->uid, .instead = true};
	aliases_set(fs->aliases, dir, op->new_name, &alias);
}

/* The alias is there before what it replaces is gone, and counts from then on: should that be
 * refused the other message keeps the name. */
static bool rename_message(const Rename *rename)
{
	Op *op = rename->op;
	const Resolved *there = &rename->there;
	bool replaces = is_message(there) && !is_same_message(&rename->what, there);
	bool edits = replaces || name_is_scratch(op->new_name);
	if (edits && !fs_may_edit(op->fs, rename->to))
		return refuse(rename, EPERM);
	if (there->kind == RESOLVED_STAGED)
		staged_unlink(there->staged);
	give_name(rename);
	if (rename->what.kind == RESOLVED_MESSAGE)
		staged_rename_over(op->fs, rename->from, rename->what.gen, rename->what.uid);
	if (!replaces)
		return refuse(rename, 0);
	EngineChange change = {.kind = INTENT_REMOVE};
	resolved_source(there, &change);
	return op_change(op, &change);
}

/* ---- a staged file ---- */

static bool upload(const Rename *rename)
{
	g_autoptr(Staged) staged = staged_ref(rename->what.staged);
	guint32 dir = rename->to->id;
	EngineChange replaced = {0};
	if (is_message(&rename->there))
		resolved_source(&rename->there, &replaced);
	rename->op->changed = true;
	Op *parked = op_park(rename->op);
	if (parked)
		staged_upload(staged, dir, parked->new_name, replaced.gen, replaced.uid,
			replaced.of, op_resume, parked);
	return parked != NULL;
}

static bool rename_staged(const Rename *rename)
{
	Op *op = rename->op;
	const Resolved *there = &rename->there;
	bool scratch = name_is_scratch(op->new_name);
	if (is_message(there) && (scratch || !fs_may_edit(op->fs, rename->to)))
		return refuse(rename, EPERM);
	if (scratch) {
		bool renamed = staged_rename(rename->what.staged, rename->to->id, op->new_name);
		return refuse(rename, renamed ? 0 : EBUSY);
	}
	if (rename->to->mailbox == 0)
		return refuse(rename, EPERM);
	if (there->kind == RESOLVED_STAGED && there->staged != rename->what.staged)
		staged_unlink(there->staged);
	return upload(rename);
}

/* ---- a mailbox ---- */

static bool rename_folder(const Rename *rename)
{
	Op *op = rename->op;
	Fs *fs = op->fs;
	const TreeDir *dir = rename->what.dir;
	if (dir->mailbox == 0)
		return refuse(rename, EPERM);
	if (rename->there.kind == RESOLVED_DIRECTORY)
		return refuse(rename,
			folder_is_empty(fs, rename->tree, rename->there.dir) ? EEXIST : ENOTEMPTY);
	if (rename->there.kind != RESOLVED_NOTHING)
		return refuse(rename, ENOTDIR);
	g_autofree char *wire = NULL;
	int errnum = folder_wire_name(fs, rename->tree, rename->to, op->new_name, &wire);
	if (errnum != 0)
		return refuse(rename, errnum);
	FsRename expected = {
		.mailbox = dir->mailbox,
		.wire = wire,
		.dir = dir->id,
		.parent = rename->to->id,
		.name = (char *)op->new_name,
	};
	fs_expect_rename(fs, &expected);
	op->changed = true;
	Op *parked = op_park(op);
	if (parked)
		engine_rename_mailbox(fs->engine, expected.mailbox, wire, op_resume, parked);
	return parked != NULL;
}

/* ---- the request ---- */

/* The kernel takes the old name for the new one, and what had that for removed. Both may be wrong:
 * another message that has the name keeps it. */
static void correct_kernel(const Op *op)
{
	Fs *fs = op->fs;
	Inode at;
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *to = inode_unpack(op->new_ino, &at) ? fs_dir(fs, tree, at) : NULL;
	if (!to)
		return;
	g_auto(Resolved) there = {0};
	resolve(fs, tree, to, op->new_name, &there);
	if (there.kind != RESOLVED_MESSAGE)
		return;
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, there.uid, there.uid);
	notify_child(fs->notify, op->new_ino, op->new_name);
	notify_attributes(fs->notify, there.gen, g_steal_pointer(&uids));
}

static bool dispatch(const Rename *rename)
{
	switch (rename->what.kind) {
	case RESOLVED_MESSAGE:
	case RESOLVED_WAITING:
		if (rename->there.kind == RESOLVED_DIRECTORY)
			return refuse(rename, EISDIR);
		/* It has another name until it has arrived. */
		if (rename->what.other && rename->from->id == rename->to->id)
			return refuse(rename, EBUSY);
		return rename->from->id == rename->to->id ? rename_message(rename)
							  : move_message(rename);
	case RESOLVED_STAGED:
		if (rename->there.kind == RESOLVED_DIRECTORY)
			return refuse(rename, EISDIR);
		return rename_staged(rename);
	case RESOLVED_DIRECTORY:
		return rename_folder(rename);
	case RESOLVED_NOTHING:
	case RESOLVED_UNREAD:
		break;
	}
	return refuse(rename, ENOENT);
}

/* A message that a view shows is renamed where it is. */
static bool resolve_both(Rename *rename, const GError *error, bool *ret_parked)
{
	Op *op = rename->op;
	if (!resolve_op(op, error, rename->tree, rename->from, &rename->what, ret_parked))
		return false;
	resolve(op->fs, rename->tree, rename->to, op->new_name, &rename->there);
	if (is_message(&rename->what))
		rename->from = rename->what.dir;
	return true;
}

static bool is_fixed(const Op *op, const Tree *tree, Inode dir, const char *name)
{
	bool queries = dir.kind == INODE_VIEW && dir.part == VIEW_SEARCH;
	return queries || fs_is_fixed(dir) || fs_is_reserved(op->fs, tree, dir, name);
}

static bool advance(Op *op, const GError *error)
{
	if (op->changed) {
		correct_kernel(op);
		kernel_reply_done(op->req, error);
		return false;
	}
	Fs *fs = op->fs;
	Inode to;
	g_autoptr(Tree) tree = fs_tree(fs);
	if (!inode_unpack(op->new_ino, &to)) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	Rename rename = {
		.op = op,
		.tree = tree,
		.from = fs_dir_behind(fs, tree, op->at),
		.to = fs_dir(fs, tree, to),
	};
	if (op->flags & ~(guint)NO_REPLACE)
		return refuse(&rename, EINVAL);
	if (strlen(op->new_name) > NAME_MAX_BYTES)
		return refuse(&rename, ENAMETOOLONG);
	if (is_fixed(op, tree, op->at, op->name) || is_fixed(op, tree, to, op->new_name))
		return refuse(&rename, EPERM);
	if (fs_shows_messages(to))
		return refuse(&rename, EPERM);
	if (!rename.from || !rename.to)
		return refuse(&rename, ESTALE);

	bool parked;
	if (!resolve_both(&rename, error, &parked)) {
		resolved_clear(&rename.what);
		return parked;
	}
	bool exists = rename.there.kind != RESOLVED_NOTHING && rename.there.kind != RESOLVED_UNREAD;
	bool waits = exists && op->flags & NO_REPLACE ? refuse(&rename, EEXIST) : dispatch(&rename);
	resolved_clear(&rename.what);
	resolved_clear(&rename.there);
	return waits;
}

void rename_request(fuse_req_t req, fuse_ino_t dir, const char *name, fuse_ino_t new_dir,
	const char *new_name, unsigned int flags)
{
	Op op = {
		.advance = advance,
		.fs = kernel_owner(req),
		.req = req,
		.ino = dir,
		.name = name,
		.new_ino = new_dir,
		.new_name = new_name,
		.flags = flags,
	};
	op_run(&op);
}
