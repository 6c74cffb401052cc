/* OPENDIR, READDIR and READDIRPLUS: child directories, then messages in order of UID.
 *
 * The server is asked for names by OPENDIR alone, for which the kernel holds no lock of the
 * directory, and what is opened stays with one generation: a listing shows either the messages of
 * before a change of UIDVALIDITY or those of after it, and the latter not before the kernel has
 * forgotten the former. */
#include <errno.h>

#include "fs/listing.h"
#include "fs/search.h"

/* The handle of an opened directory: the generation whose messages it shows; with this bit the
 * errno that its reader gets instead of them; 0: it has none. */
#define HANDLE_FAILED ((guint64)1 << 32)

static bool is_view(const Op *op)
{
	return op->at.kind == INODE_VIEW;
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
	/* It is not to be kept. */
	if (listing->provisional)
		notify_listing(fs->notify, op->ino);
	if (fs_news(fs) == news)
		return;

	bool entries = imap_set_count(listing->uids) > 0;
	if (entries)
		fs_names_changed(fs, op->ino, listing->gen, listing->uids);
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
	struct stat self, parent = {0};
	own_attributes(op->fs, op->at, &self);
	if (root)
		attr_of_dir(op->fs, tree, root, &parent);
	return listing_add_dots(listing, &self, &parent);
}

static void list_own(Op *op)
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
		room = listing_add(&listing, name, &entry, OFFSET_PARENT + 1 + i);
	kernel_reply_bytes(op->req, bytes, listing.used);
}

/* ---- `.parts/57` ---- */

static bool add_dots_of_parts(Listing *listing)
{
	const Op *op = listing->op;
	Fs *fs = op->fs;
	struct stat self = {.st_ino = op->ino, .st_mode = S_IFDIR}, parent = {.st_mode = S_IFDIR};
	MailboxId mailbox = store_gen_mailbox(fs->store, op->at.id);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree_of_mailbox(tree, mailbox);
	if (dir)
		parent.st_ino = inode_view(VIEW_PARTS, dir->id);
	return listing_add_dots(listing, &self, &parent);
}

/* The header, then the parts. */
static bool list_parts(Op *op, const GError *error)
{
	g_auto(Excerpt) excerpt = {0};
	Lack lack;
	if (!excerpt_open(op->fs, op->at, &excerpt, &lack))
		return op_lack(op, error, &excerpt, &lack);
	g_autofree char *bytes = g_malloc(op->size);
	Listing listing = {.op = op, .bytes = bytes};
	bool room = add_dots_of_parts(&listing);
	guint i = op->offset >= OFFSET_PARTS ? (guint)(op->offset - OFFSET_PARTS + 1) : 0;
	for (; room && i <= mime_tree_count(excerpt.parts.tree); i++) {
		const char *name =
			i == 0 ? PARTS_HEADER : mime_tree_part(excerpt.parts.tree, i - 1)->name;
		room = listing_add_name(&listing, name, inode_part(i, op->at.id, op->at.uid),
			S_IFREG, OFFSET_PARTS + i);
	}
	kernel_reply_bytes(op->req, bytes, listing.used);
	return false;
}

/* ---- OPENDIR ---- */

/* The mailbox whose messages are listed; 0: none are. */
static MailboxId mailbox_listed(const Op *op, const TreeDir *dir)
{
	return is_view(op) && op->at.part == VIEW_SEARCH ? 0 : dir->mailbox;
}

/* Of what a query found the kernel keeps nothing: it need not be told when that changes. */
static void reply_open(const Op *op, guint64 handle)
{
	bool kept = op->at.kind != INODE_QUERY;
	struct fuse_file_info info = {
		.fh = handle,
		.keep_cache = kept,
		.cache_readdir = kept && !(handle & HANDLE_FAILED),
	};
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

static bool open_query(Op *op, const GError *error, const TreeDir *dir)
{
	bool parked;
	g_autoptr(QueryResult) found = search_result(op, error, dir, SEARCH_NOW, &parked);
	if (!found)
		return parked;
	reply_open(op, 0);
	return false;
}

/* A generation that was not opened before may be so new that the engine has not told Notify of the
 * old one's end. It does in the turn that begins the new one, so not when it calls us. */
static bool advance_open(Op *op, const GError *error)
{
	Fs *fs = op->fs;
	g_autoptr(Tree) tree = fs_tree(fs);
	bool own = op->at.kind == INODE_OWN || op->at.kind == INODE_PARTS;
	const TreeDir *dir = own ? NULL : fs_dir_behind(fs, tree, op->at);
	if (!dir && !own) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}
	if (op->at.kind == INODE_QUERY)
		return open_query(op, error, dir);
	MailboxId mailbox = own ? 0 : mailbox_listed(op, dir);
	if (mailbox == 0) {
		reply_open(op, 0);
		return false;
	}
	if (!op->synced && !engine_names_fresh(fs->engine, mailbox))
		return op_sync(op, mailbox);
	/* After that look: names that are fresh have a generation. */
	Gen gen = store_gen(fs->store, mailbox);
	if ((op->synced || op->turned) && !op->renumbered)
		note_opened(fs, mailbox, gen);
	if (opened_before(fs, mailbox) != gen) {
		op->synced = op->renumbered = false;
		return op_turn(op);
	}
	if (!may_list(op, gen, error)) {
		/* Child directories are shown; the error comes when the reader goes on. */
		if (!is_view(op) && tree_n_children(tree, dir) > 0)
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

static bool advance_listing(Listing *listing, guint news)
{
	Op *op = listing->op;
	bool room = is_view(op) ? listing_add_first_of_view(listing) : listing_add_first(listing);
	guint32 unknown = room && op->gen != 0 ? listing_add_messages(listing) : 0;
	bool parked;
	if (unknown != 0)
		return op_attributes(op, op->gen, unknown);
	if (listing->unread != 0 && op_read_name(op, op->gen, listing->unread, &parked))
		return parked;
	if (op->failed != 0 && listing->used == 0)
		kernel_reply_errno(op->req, op->failed);
	else
		reply(listing, news);
	return false;
}

static bool advance_query(Listing *listing, const GError *error)
{
	Op *op = listing->op;
	bool parked;
	g_autoptr(QueryResult) found = search_result(op, error, listing->dir, SEARCH_KEPT, &parked);
	if (!found)
		return parked;
	if (listing_add_first_of_view(listing))
		listing_add_found(listing, found);
	if (listing->unread != 0 && op_read_name(op, listing->gen, listing->unread, &parked))
		return parked;
	kernel_reply_bytes(op->req, listing->bytes, listing->used);
	return false;
}

static bool advance(Op *op, const GError *error)
{
	if (op->at.kind == INODE_OWN) {
		list_own(op);
		return false;
	}
	Fs *fs = op->fs;
	if (op->offset == 0 && (is_view(op) || op->at.kind == INODE_PARTS))
		excerpt_listed(fs);
	if (op->at.kind == INODE_PARTS)
		return list_parts(op, error);
	guint news = fs_news(fs);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = fs_dir_behind(fs, tree, op->at);
	if (!dir) {
		kernel_reply_errno(op->req, op->at.kind == INODE_MESSAGE ? ENOTDIR : ESTALE);
		return false;
	}
	if (op->at.kind != INODE_QUERY && is_outdated(op, mailbox_listed(op, dir))) {
		kernel_reply_errno(op->req, ESTALE);
		return false;
	}

	g_autofree char *bytes = g_malloc(op->size);
	g_autoptr(ImapSet) uids = imap_set_new();
	Listing listing = {
		.op = op,
		.tree = tree,
		.dir = dir,
		.bytes = bytes,
		.gen = op->gen,
		.uids = uids,
		.away = op->outlined && error &&
			mail_error_grade((MailError)error->code) == MAIL_GRADE_ACCOUNT,
	};
	return op->at.kind == INODE_QUERY ? advance_query(&listing, error)
					  : advance_listing(&listing, news);
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
