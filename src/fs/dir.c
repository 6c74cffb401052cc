/* OPENDIR, READDIR and READDIRPLUS: child directories, then messages in order of UID.
 *
 * The server is asked for names by OPENDIR alone, for which the kernel holds no lock of the
 * directory, and what is opened stays with one generation: a listing shows either the messages of
 * before a change of UIDVALIDITY or those of after it, and the latter not before the kernel has
 * forgotten the former.
 *
 * The offset of an entry says what it is: 1 and 2 are `.` and `..`, 2 + id a directory, 3 + the
 * highest id `.imapfs`, generation * 2^32 + uid a message; in `.imapfs` 3 + i is the entry i.
 * Listing goes on after that, whatever came or went meanwhile: nothing is shown twice and nothing
 * that stayed is left out. The kernel, too, goes on after it, in what it keeps of whoever listed
 * the directory last: it asks us where it does not find it there, so for the offset of another
 * generation. */
#include <errno.h>

#include "fs/name.h"
#include "fs/op.h"

#define OFFSET_MESSAGES ((guint64)1 << 32) /* of the first generation */

/* The handle of an opened directory: the generation whose messages it shows; with this bit the
 * errno that its reader gets instead of them; 0: it has none. */
#define HANDLE_FAILED ((guint64)1 << 32)

enum {
	OFFSET_SELF = 1,
	OFFSET_PARENT = 2,
	OFFSET_OWN = OFFSET_PARENT + INODE_ID_MAX + 1,

	/* Rows asked of the store at a time. */
	ROWS = 128,
};

typedef struct {
	const Op *op;
	const Tree *tree;
	const TreeDir *dir;
	char *bytes;
	gsize used;
	Gen gen;
	ImapSet *uids; /* the messages that come with an entry */
} Listing;

/* false: it is full. */
static bool add(
	Listing *listing, const char *name, const struct fuse_entry_param *entry, guint64 offset)
{
	const Op *op = listing->op;
	char *at = listing->bytes + listing->used;
	gsize room = op->size - listing->used;
	gsize need =
		op->plus ? fuse_add_direntry_plus(op->req, at, room, name, entry, (off_t)offset)
			 : fuse_add_direntry(op->req, at, room, name, &entry->attr, (off_t)offset);
	if (need > room)
		return false;
	listing->used += need;
	return true;
}

static bool add_dots(Listing *listing)
{
	const TreeDir *parent = tree_dir(listing->tree, listing->dir->parent);
	struct fuse_entry_param entry = {0};
	if (listing->op->offset < OFFSET_SELF) {
		attr_of_dir(listing->op->fs, listing->tree, listing->dir, &entry.attr);
		if (!add(listing, ".", &entry, OFFSET_SELF))
			return false;
	}
	if (listing->op->offset < OFFSET_PARENT) {
		attr_of_dir(listing->op->fs, listing->tree, parent, &entry.attr);
		if (!add(listing, "..", &entry, OFFSET_PARENT))
			return false;
	}
	return true;
}

static bool add_children(Listing *listing)
{
	guint64 offset = listing->op->offset;
	if (offset >= OFFSET_MESSAGES)
		return true;
	guint32 after = offset > OFFSET_PARENT ? (guint32)(offset - OFFSET_PARENT) : 0;
	const TreeDir *child;
	while ((child = tree_child_after(listing->tree, listing->dir, after))) {
		struct fuse_entry_param entry = {
			.ino = fs_dir_inode(listing->op->fs, child),
			.attr_timeout = KERNEL_ENDLESS_S,
			.entry_timeout = KERNEL_ENDLESS_S,
		};
		attr_of_dir(listing->op->fs, listing->tree, child, &entry.attr);
		if (!add(listing, child->name, &entry, OFFSET_PARENT + child->id))
			return false;
		after = child->id;
	}
	return true;
}

static bool add_own_directory(Listing *listing)
{
	const Op *op = listing->op;
	Inode own = {.kind = INODE_OWN};
	if (op->at.kind != INODE_ROOT_KIND || op->offset >= OFFSET_OWN)
		return true;
	struct fuse_entry_param entry = {
		.ino = inode_pack(own),
		.attr_timeout = KERNEL_ENDLESS_S,
		.entry_timeout = KERNEL_ENDLESS_S,
	};
	own_attributes(op->fs, own, &entry.attr);
	return add(listing, OWN_NAME, &entry, OFFSET_OWN);
}

static bool add_message(Listing *listing, const StoreMessage *message)
{
	struct fuse_entry_param entry = {0};
	attr_of_message(listing->op->fs, listing->gen, message, &entry.attr);
	if (message->known) {
		/* Without an inode the kernel takes the name only, and asks when someone looks. */
		entry.ino = entry.attr.st_ino;
		entry.attr_timeout = KERNEL_ENDLESS_S;
		entry.entry_timeout = KERNEL_ENDLESS_S;
	}
	char name[NAME_MESSAGE_BYTES];
	name_of_message(message->uid, name);
	if (!add(listing, name, &entry, OFFSET_MESSAGES * listing->gen + message->uid))
		return false;
	if (listing->op->plus && entry.ino != 0)
		imap_set_add(listing->uids, message->uid, message->uid);
	return true;
}

/* Returns the first UID whose attributes are missing and wanted, otherwise 0. The kernel asks for
 * the first part of a listing with attributes whatever it is for, and for the further ones only
 * when they are used. */
static guint32 add_messages(Listing *listing)
{
	const Op *op = listing->op;
	bool wanted = op->plus && op->offset != 0 && !op->fetched;
	guint32 after = op->offset > OFFSET_MESSAGES ? (guint32)op->offset : 0;
	StoreMessage rows[ROWS];
	gsize n;
	do {
		n = store_list(op->fs->store, listing->gen, after, rows, ROWS);
		for (gsize i = 0; i < n; i++) {
			if (!add_message(listing, &rows[i]))
				return 0;
			if (wanted && !rows[i].known)
				return rows[i].uid;
			after = rows[i].uid;
		}
	} while (n == ROWS);
	return 0;
}

/* Answers. The listing may be older than news that the kernel has already: see fs_news(). */
static void reply(const Listing *listing, guint news)
{
	const Op *op = listing->op;
	Fs *fs = op->fs;
	if (listing->gen != 0 && !fs_shows(fs, listing->gen, listing->uids)) {
		/* A listing that breaks off must not look whole. */
		kernel_reply_errno(op->req, ESTALE);
		return;
	}
	kernel_reply_bytes(op->req, listing->bytes, listing->used);
	if (fs_news(fs) == news)
		return;

	bool entries = imap_set_count(listing->uids) > 0;
	if (entries)
		notify_attributes(fs->notify, listing->gen, imap_set_copy(listing->uids));
	notify_messages(fs->notify, op->ino, entries ? imap_set_copy(listing->uids) : NULL);
}

/* Whether a mailbox can be listed after all that was tried: as it was known before if the account
 * is away, but not when the server refused this mailbox. */
static bool may_list(const Op *op, Gen gen, const GError *error)
{
	bool refused = op->synced && error &&
		       mail_error_grade((MailError)error->code) != MAIL_GRADE_ACCOUNT;
	return !refused && gen != 0 && store_names_known(op->fs->store, gen);
}

static bool add_own_dots(Listing *listing)
{
	const Op *op = listing->op;
	g_autoptr(Tree) tree = fs_tree(op->fs);
	const TreeDir *root = tree_dir(tree, (guint32)g_atomic_int_get(&op->fs->root));
	struct fuse_entry_param entry = {0};
	if (op->offset < OFFSET_SELF) {
		own_attributes(op->fs, op->at, &entry.attr);
		if (!add(listing, ".", &entry, OFFSET_SELF))
			return false;
	}
	if (op->offset < OFFSET_PARENT && root) {
		attr_of_dir(op->fs, tree, root, &entry.attr);
		if (!add(listing, "..", &entry, OFFSET_PARENT))
			return false;
	}
	return true;
}

static void list_own(const Op *op)
{
	if (op->at.part != INODE_OWN_DIRECTORY) {
		kernel_reply_errno(op->req, ENOTDIR);
		return;
	}
	g_autofree char *bytes = g_malloc(op->size);
	Listing listing = {.op = op, .bytes = bytes};
	guint i = op->offset > OFFSET_PARENT ? (guint)(op->offset - OFFSET_PARENT) : 0;
	const char *name;
	struct fuse_entry_param entry;
	bool room = add_own_dots(&listing);
	for (; room && own_entry(op->fs, i, &name, &entry); i++)
		room = add(&listing, name, &entry, OFFSET_PARENT + 1 + i);
	kernel_reply_bytes(op->req, bytes, listing.used);
}

/* ---- OPENDIR ---- */

static void reply_open(const Op *op, guint64 handle)
{
	struct fuse_file_info info = {
		.fh = handle, .keep_cache = 1, .cache_readdir = !(handle & HANDLE_FAILED)};
	kernel_reply_open(op->req, &info);
}

static Gen opened_before(Fs *fs, MailboxId mailbox)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->open_lock);
	return GPOINTER_TO_UINT(g_hash_table_lookup(fs->opened, GUINT_TO_POINTER(mailbox)));
}

static void note_opened(Fs *fs, MailboxId mailbox, Gen gen)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->open_lock);
	g_hash_table_insert(fs->opened, GUINT_TO_POINTER(mailbox), GUINT_TO_POINTER(gen));
}

/* A generation that was not opened before may be so new that the engine has not told Notify of the
 * old one's end. It does in the turn that begins the new one, so not when it calls us. */
static bool advance_open(Op *op, const GError *error)
{
	Fs *fs = op->fs;
	g_autoptr(Tree) tree = fs_tree(fs);
	bool own = op->at.kind == INODE_OWN;
	const TreeDir *dir = own ? NULL : fs_dir(fs, tree, op->at);
	if (!dir && !own) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	if (own || dir->mailbox == 0) {
		reply_open(op, 0);
		return false;
	}
	if (!op->synced && !engine_names_fresh(fs->engine, dir->mailbox))
		return op_sync(op, dir->mailbox);
	/* After that look: names that are fresh have a generation. */
	Gen gen = store_gen(fs->store, dir->mailbox);
	if ((op->synced || op->turned) && !op->renumbered)
		note_opened(fs, dir->mailbox, gen);
	if (opened_before(fs, dir->mailbox) != gen) {
		op->synced = op->renumbered = false;
		return op_turn(op);
	}
	if (!may_list(op, gen, error)) {
		/* Child directories are shown; the error comes when the reader goes on. */
		if (tree_n_children(tree, dir) > 0)
			reply_open(op, HANDLE_FAILED | (guint64)kernel_errno(error));
		else
			kernel_reply_error(op->req, error);
		return false;
	}
	if (notify_renumbering(fs->notify, op->ino))
		return op_renumbered(op);
	reply_open(op, gen);
	return false;
}

void open_dir_request(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *info)
{
	Op op = {.advance = advance_open, .fs = kernel_owner(req), .req = req, .ino = ino};
	op_run(&op);
}

/* ---- READDIR ---- */

/* Whether the directory shows other messages by now than when it was opened, be it that there were
 * none: what the kernel keeps of this listing it shows to whoever opens it next. */
static bool is_outdated(const Op *op, MailboxId mailbox)
{
	if (op->failed != 0)
		return false;
	return op->gen == 0 ? mailbox != 0 : store_gen(op->fs->store, mailbox) != op->gen;
}

static bool advance(Op *op, const GError *error)
{
	if (op->at.kind == INODE_OWN) {
		list_own(op);
		return false;
	}
	Fs *fs = op->fs;
	guint news = fs_news(fs);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = fs_dir(fs, tree, op->at);
	if (!dir) {
		kernel_reply_errno(op->req, op->at.kind == INODE_MESSAGE ? ENOTDIR : ESTALE);
		return false;
	}
	if (is_outdated(op, dir->mailbox)) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}

	g_autofree char *bytes = g_malloc(op->size);
	g_autoptr(ImapSet) uids = imap_set_new();
	Listing listing = {
		.op = op, .tree = tree, .dir = dir, .bytes = bytes, .gen = op->gen, .uids = uids};
	bool room = add_dots(&listing) && add_children(&listing) && add_own_directory(&listing);
	guint32 unknown = room && op->gen != 0 ? add_messages(&listing) : 0;
	if (unknown != 0)
		return op_attributes(op, op->gen, unknown);
	if (op->failed != 0 && listing.used == 0)
		kernel_reply_errno(op->req, op->failed);
	else
		reply(&listing, news);
	return false;
}

static void request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, guint64 handle, bool plus)
{
	Op op = {
		.advance = advance,
		.fs = kernel_owner(req),
		.req = req,
		.ino = ino,
		.size = size,
		.offset = (guint64)offset,
		.plus = plus,
		.gen = handle & HANDLE_FAILED ? 0 : (Gen)handle,
		.failed = handle & HANDLE_FAILED ? (int)(guint32)handle : 0,
	};
	op_run(&op);
}

void dir_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
	request(req, ino, size, offset, info->fh, false);
}

void dir_plus_request(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *info)
{
	request(req, ino, size, offset, info->fh, true);
}
