/* LOOKUP: a name in a directory. */
#include <errno.h>
#include <string.h>

#include "fs/named.h"
#include "fs/op.h"
#include "fs/resolve.h"
#include "fs/search.h"
#include "fs/subject.h"
#include "fs/viewed.h"

static bool advance(Op *op, const GError *error);

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

/* How long the kernel may keep the name of a message: in a view, where it is not told when what it
 * means changes, it asks each time. */
static double name_timeout(const Op *op, const Resolved *meant)
{
	bool in_view = op->at.kind == INODE_VIEW || op->at.kind == INODE_QUERY;
	bool told = !meant->readable || named_add(op->fs->named, meant->gen, meant->uid, op->name);
	return !in_view && told ? KERNEL_ENDLESS_S : 0;
}

/* Answers. The message may have been looked up while the mailbox changed: see fs_news(). */
static void reply_message(
	const Op *op, const Resolved *meant, const StoreMessage *message, guint news)
{
	Fs *fs = op->fs;
	Gen gen = meant->gen;
	struct fuse_entry_param entry = {
		.ino = inode_message(gen, message->uid),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = name_timeout(op, meant),
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
	notify_attributes(fs->notify, gen, g_steal_pointer(&uids));
	notify_child(fs->notify, op->ino, op->name);
}

/* What the name meant a moment ago has gone: what it means now. The kernel would ask for itself,
 * but only once. */
static bool look_again(Op *op, const GError *error)
{
	enum { MOST = 100 };
	op->fetched = false;
	if (op->looked++ < MOST)
		return advance(op, error);
	kernel_reply_errno(op->req, ESTALE);
	return false;
}

static bool advance_message(Op *op, const GError *error, const Resolved *meant, guint news)
{
	StoreMessage message;
	Gen gen = meant->gen;
	guint32 uid = meant->uid;
	switch (store_try_message(op->fs->store, gen, uid, &message)) {
	case STORE_HIT:
		reply_message(op, meant, &message, news);
		return false;
	case STORE_ABSENT:
		return look_again(op, error);
	case STORE_MISS:
		break;
	}
	if (!op->fetched)
		return op_attributes(op, gen, uid);
	reply_failure(op, gen, kernel_errno(error));
	return false;
}

/* Of a readable name that is right only if it is exactly the message's. */
static bool advance_unread(Op *op, const GError *error, const Resolved *meant)
{
	bool parked;
	if (op_read_name(op, meant->gen, meant->uid, &parked))
		return parked;
	reply_failure(op, meant->gen, error ? kernel_errno(error) : ENOENT);
	return false;
}

/* What can be changed at any moment is asked for each time. */
static void reply_staged(const Op *op, Staged *staged)
{
	struct fuse_entry_param entry = {.ino = inode_staged(staged_number(staged))};
	staged_attributes(staged, &entry.attr);
	staged_looked_up(staged);
	kernel_reply_entry(op->req, &entry);
}

static bool advance_text(Op *op, const GError *error, const Alias *alias)
{
	g_autoptr(Staged) staged = staged_of_text(op->fs->staged, alias);
	if (!staged)
		return look_again(op, error);
	reply_staged(op, staged);
	return false;
}

/* Its source has what there is to show, or (it is about to arrive) the change does. A moved one
 * keeps its inode until it has arrived. */
static bool advance_waiting(Op *op, const GError *error, const Alias *alias)
{
	Fs *fs = op->fs;
	StoreMessage message;
	bool found = store_peek_message(fs->store, alias->gen, alias->uid, &message);
	if (alias->file != 0)
		return advance_text(op, error, alias);
	if (found && !message.known && !op->fetched)
		return op_attributes(op, alias->gen, alias->uid);
	if (!found || !message.known)
		message =
			(StoreMessage){.uid = alias->uid, .size = alias->size, .date = alias->date};
	if (message.size == 0) {
		kernel_reply_error(op->req, error);
		return false;
	}
	struct fuse_entry_param entry = {.ino = alias_inode(alias)};
	if (alias->copied)
		attr_of_copy(fs, entry.ino, &message, &entry.attr);
	else
		attr_of_message(fs, alias->gen, &message, &entry.attr);
	entry.attr.st_ino = entry.ino;
	kernel_reply_entry(op->req, &entry);
	return false;
}

static void reply_child(const Op *op, const Tree *tree, const TreeDir *child)
{
	Fs *fs = op->fs;
	reply_dir(op, tree, child);
	g_autoptr(Tree) now = fs_tree(fs);
	const TreeDir *still = tree_dir(now, child->id);
	if (!still || still->parent != child->parent || strcmp(still->name, child->name) != 0)
		notify_child(fs->notify, op->ino, op->name);
}

/* Names of a mailbox that nobody confirmed in this mount. */
static bool is_doubtful(Fs *fs, MailboxId mailbox, Gen gen)
{
	return gen != 0 && store_names_known(fs->store, gen) &&
	       store_names_time(fs->store, gen) == 0 && !engine_names_fresh(fs->engine, mailbox);
}

/* Whether the server was asked for the names and refused this mailbox. */
static bool refused(const Op *op, const GError *error)
{
	return op->synced && !op->fetched && !op->outlined && error &&
	       mail_error_grade((MailError)error->code) != MAIL_GRADE_ACCOUNT;
}

/* Whether a name in a folder is that of some message, there or not. */
static bool has_uid(const Fs *fs, const char *name)
{
	return name_to_uid(name) != 0 ||
	       (fs->names == FS_NAMES_SUBJECT && subject_to_uid(SUBJECT_BEHIND_UID, name) != 0);
}

static bool advance_in(Op *op, const GError *error, const Tree *tree, const TreeDir *dir)
{
	Fs *fs = op->fs;
	guint news = fs_news(fs);
	Gen gen = dir->mailbox != 0 ? store_gen(fs->store, dir->mailbox) : 0;
	bool of_message = dir->mailbox != 0 && has_uid(fs, op->name);
	bool known = gen != 0 && store_names_known(fs->store, gen);
	g_auto(Resolved) meant = {0};
	resolve(fs, tree, dir, op->name, &meant);
	if (of_message || meant.kind == RESOLVED_MESSAGE) {
		bool doubtful = is_doubtful(fs, dir->mailbox, gen);
		if ((!known || doubtful) && !op->synced)
			return op_sync(op, dir->mailbox);
		bool lacking = !known || (doubtful && refused(op, error));
		if (lacking && (meant.kind == RESOLVED_NOTHING || meant.kind == RESOLVED_MESSAGE)) {
			reply_failure(op, gen, kernel_errno(error));
			return false;
		}
	}
	switch (meant.kind) {
	case RESOLVED_MESSAGE:
		return advance_message(op, error, &meant, news);
	case RESOLVED_UNREAD:
		return advance_unread(op, error, &meant);
	case RESOLVED_WAITING:
		return advance_waiting(op, error, &meant.alias);
	case RESOLVED_STAGED:
		reply_staged(op, meant.staged);
		return false;
	case RESOLVED_DIRECTORY:
		reply_child(op, tree, meant.dir);
		return false;
	case RESOLVED_NOTHING:
		break;
	}
	/* A name that is not there is not remembered: it may be there the next time. */
	if (of_message && !op->synced && !engine_names_fresh(fs->engine, dir->mailbox))
		return op_sync(op, dir->mailbox);
	reply_failure(op, gen, ENOENT);
	return false;
}

/* ---- views ---- */

static void reply_view(const Op *op, const TreeDir *dir, ViewKind kind)
{
	Inode inode = {.kind = INODE_VIEW, .part = kind, .id = dir->id};
	struct fuse_entry_param entry = {
		.ino = inode_pack(inode),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = KERNEL_ENDLESS_S,
	};
	attr_of_view(op->fs, dir, inode, &entry.attr);
	viewed_add(op->fs, kind, dir->id);
	kernel_reply_entry(op->req, &entry);
}

/* As reply_message(). bounded: whoever looks again, to read it, is to be told the true length. */
static void reply_made(const Op *op, ViewKind kind, Gen gen, guint32 uid, guint news,
	const struct stat *attributes, bool bounded)
{
	Fs *fs = op->fs;
	struct fuse_entry_param entry = {
		.ino = attributes->st_ino,
		.attr = *attributes,
		.attr_timeout = bounded ? 0 : KERNEL_ENDLESS_S,
		.entry_timeout = KERNEL_ENDLESS_S,
	};
	if (!viewed_shows(fs, kind, gen, uid)) {
		kernel_reply_errno(op->req, ESTALE);
		return;
	}
	kernel_reply_entry(op->req, &entry);
	if (fs_news(fs) != news)
		notify_child(fs->notify, op->ino, op->name);
}

static bool reply_in_view(
	Op *op, const GError *error, Gen gen, const StoreMessage *message, guint news)
{
	Fs *fs = op->fs;
	struct stat attributes;
	if (op->at.part == VIEW_PARTS) {
		attr_of_parts(fs, gen, message, &attributes);
		reply_made(op, VIEW_PARTS, gen, message->uid, news, &attributes, false);
		return false;
	}
	Inode text = {.kind = INODE_TEXT, .id = gen, .uid = message->uid};
	g_auto(Excerpt) excerpt = {0};
	Lack lack;
	guint64 size;
	if (!excerpt_open(fs, text, &excerpt, &lack) ||
		!excerpt_size(&excerpt, message, op->sized, &size, &lack))
		return op_lack(op, error, &excerpt, &lack);
	attr_of_excerpt(fs, excerpt.ino, size, message, &attributes);
	reply_made(op, VIEW_TEXT, gen, message->uid, news, &attributes, excerpt.bounded);
	return false;
}

/* Only the date is needed, so the size may be wrong. */
static bool advance_viewed(Op *op, const GError *error, Gen gen, guint32 uid, guint news)
{
	StoreMessage message;
	bool found = store_peek_message(op->fs->store, gen, uid, &message);
	if (found && message.known)
		return reply_in_view(op, error, gen, &message, news);
	if (found && !op->fetched)
		return op_attributes(op, gen, uid);
	reply_failure(op, gen, found ? kernel_errno(error) : ENOENT);
	return false;
}

/* A message itself, in a view or a query. */
static bool advance_resolved(Op *op, const GError *error, const Resolved *meant, guint news)
{
	if (meant->kind == RESOLVED_MESSAGE)
		return advance_message(op, error, meant, news);
	if (meant->kind == RESOLVED_UNREAD)
		return advance_unread(op, error, meant);
	kernel_reply_errno(op->req, ENOENT);
	return false;
}

/* Whether it is worth to search for what has this name. */
static bool may_be_found(Fs *fs, const Tree *tree, const TreeDir *dir, const char *name)
{
	const char *colon = strrchr(name, ':');
	g_auto(Resolved) meant = {0};
	if (dir->mailbox == 0)
		return colon && name_to_uid(colon + 1) != 0;
	resolve(fs, tree, dir, name, &meant);
	return has_uid(fs, name) || meant.kind == RESOLVED_MESSAGE;
}

/* What was not there a moment ago may be by now. */
static bool advance_in_query(Op *op, const GError *error, const Tree *tree, const TreeDir *dir)
{
	static const SearchAge ages[] = {SEARCH_RECENT, SEARCH_NOW};
	Fs *fs = op->fs;
	guint news = fs_news(fs);
	g_auto(Resolved) meant = {0};
	bool may = may_be_found(fs, tree, dir, op->name);
	for (guint i = 0; may && i < G_N_ELEMENTS(ages) && meant.kind == RESOLVED_NOTHING; i++) {
		bool parked;
		g_autoptr(QueryResult) found = search_result(op, error, dir, ages[i], &parked);
		if (!found)
			return parked;
		resolve_in_view(fs, tree, op->at, dir, found, op->name, &meant);
	}
	return advance_resolved(op, error, &meant, news);
}

static guint32 uid_in_view(ViewKind kind, const char *name)
{
	const char *suffix = view_suffix(kind);
	if (suffix)
		return name_to_uid_by(name, suffix);
	guint32 uid = name_to_uid(name);
	return uid != 0 ? uid : subject_to_uid(SUBJECT_FULL, name);
}

static bool advance_in_view(Op *op, const GError *error, const Tree *tree, const TreeDir *dir)
{
	Fs *fs = op->fs;
	guint news = fs_news(fs);
	guint32 uid = uid_in_view(op->at.part, op->name);
	Gen gen = store_gen(fs->store, dir->mailbox);
	StoreMessage message;
	if (uid == 0) {
		kernel_reply_errno(op->req, ENOENT);
		return false;
	}
	bool known = gen != 0 && store_names_known(fs->store, gen);
	bool doubtful = is_doubtful(fs, dir->mailbox, gen);
	if ((!known || doubtful) && !op->synced)
		return op_sync(op, dir->mailbox);
	if (!known || (doubtful && refused(op, error))) {
		reply_failure(op, gen, kernel_errno(error));
		return false;
	}
	bool there = store_try_message(fs->store, gen, uid, &message) != STORE_ABSENT;
	if (there && op->at.part == VIEW_NAMES) {
		g_auto(Resolved) meant = {0};
		resolve_in_view(fs, tree, op->at, dir, NULL, op->name, &meant);
		return advance_resolved(op, error, &meant, news);
	}
	if (there)
		return advance_viewed(op, error, gen, uid, news);
	if (!op->synced && !engine_names_fresh(fs->engine, dir->mailbox))
		return op_sync(op, dir->mailbox);
	reply_failure(op, gen, ENOENT);
	return false;
}

/* ---- `.parts/57` ---- */

/* false: the message has no such part. */
static bool find_in_parts(const Op *op, const MimeTree *tree, Inode *ret)
{
	*ret = (Inode){.kind = INODE_PART, .id = op->at.id, .uid = op->at.uid};
	if (strcmp(op->name, PARTS_HEADER) == 0)
		return true;
	int number = mime_tree_find(tree, op->name);
	ret->part = (guint)(number + 1);
	return number >= 0;
}

static bool reply_part(Op *op, const GError *error, Inode inode, const StoreMessage *message)
{
	Fs *fs = op->fs;
	guint news = fs_news(fs);
	g_auto(Excerpt) excerpt = {0};
	Lack lack;
	guint64 size;
	struct stat attributes;
	if (!excerpt_open(fs, inode, &excerpt, &lack) ||
		!excerpt_size(&excerpt, message, op->sized, &size, &lack))
		return op_lack(op, error, &excerpt, &lack);
	attr_of_excerpt(fs, excerpt.ino, size, message, &attributes);
	reply_made(op, VIEW_PARTS, inode.id, inode.uid, news, &attributes, excerpt.bounded);
	return false;
}

static bool advance_in_parts(Op *op, const GError *error)
{
	Fs *fs = op->fs;
	g_auto(Excerpt) excerpt = {0};
	Lack lack;
	Inode inode;
	StoreMessage message;
	if (!excerpt_open(fs, op->at, &excerpt, &lack))
		return op_lack(op, error, &excerpt, &lack);
	bool found = store_peek_message(fs->store, op->at.id, op->at.uid, &message);
	if (found && !message.known && !op->fetched)
		return op_attributes(op, op->at.id, op->at.uid);
	if (!found || !message.known)
		reply_failure(op, op->at.id, found ? kernel_errno(error) : ENOENT);
	else if (!find_in_parts(op, excerpt.parts.tree, &inode))
		kernel_reply_errno(op->req, ENOENT);
	else
		return reply_part(op, error, inode, &message);
	return false;
}

static bool is_file(Inode inode)
{
	return inode.kind == INODE_MESSAGE || inode.kind == INODE_TEXT || inode.kind == INODE_PART;
}

static bool advance(Op *op, const GError *error)
{
	Fs *fs = op->fs;
	ViewKind kind;
	if (op->at.kind == INODE_OWN ||
		(op->at.kind == INODE_ROOT_KIND && strcmp(op->name, OWN_NAME) == 0)) {
		own_lookup(op);
		return false;
	}
	if (op->at.kind == INODE_PARTS)
		return advance_in_parts(op, error);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = fs_dir_behind(fs, tree, op->at);
	if (!dir) {
		kernel_reply_errno(op->req, is_file(op->at) ? ENOTDIR : ESTALE);
		return false;
	}
	if (op->at.kind == INODE_VIEW && op->at.part == VIEW_SEARCH)
		return search_lookup(op, error, dir);
	if (op->at.kind == INODE_VIEW)
		return advance_in_view(op, error, tree, dir);
	if (op->at.kind == INODE_QUERY)
		return advance_in_query(op, error, tree, dir);
	if (!fs_find_view(fs, dir, op->name, &kind))
		return advance_in(op, error, tree, dir);
	reply_view(op, dir, kind);
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
