#include "fs/listing.h"

#include "fs/fields.h"
#include "fs/given.h"
#include "fs/named.h"
#include "fs/resolve.h"
#include "fs/unlisted.h"
#include "fs/viewed.h"

enum { ROWS = 128 }; /* asked of the store at a time */

bool listing_add(
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

bool listing_add_dots(Listing *listing, const struct stat *self, const struct stat *parent)
{
	struct fuse_entry_param entry = {.attr = *self};
	if (listing->op->offset < OFFSET_SELF && !listing_add(listing, ".", &entry, OFFSET_SELF))
		return false;
	entry.attr = *parent;
	return listing->op->offset >= OFFSET_PARENT ||
	       listing_add(listing, "..", &entry, OFFSET_PARENT);
}

static bool add_dots_of_dir(Listing *listing)
{
	const Op *op = listing->op;
	const TreeDir *dir = listing->dir;
	struct stat self, parent;
	attr_of_dir(op->fs, listing->tree, dir, &self);
	attr_of_dir(op->fs, listing->tree, tree_dir(listing->tree, dir->parent), &parent);
	return listing_add_dots(listing, &self, &parent);
}

bool listing_add_first_of_view(Listing *listing)
{
	const Op *op = listing->op;
	const Inode search = {.kind = INODE_VIEW, .part = VIEW_SEARCH, .id = op->at.id};
	struct stat self, parent;
	attr_of_view(op->fs, listing->dir, op->at, &self);
	if (op->at.kind == INODE_QUERY)
		attr_of_view(op->fs, listing->dir, search, &parent);
	else
		attr_of_dir(op->fs, listing->tree, listing->dir, &parent);
	return listing_add_dots(listing, &self, &parent);
}

static bool add_children(Listing *listing)
{
	guint64 offset = listing->op->offset;
	if (offset >= OFFSET_OWN)
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
		if (!listing_add(listing, child->name, &entry, OFFSET_PARENT + child->id))
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
	return listing_add(listing, OWN_NAME, &entry, OFFSET_OWN);
}

/* With -o views. */
static bool add_views(Listing *listing)
{
	const Op *op = listing->op;
	ViewKind found;
	for (guint kind = 0; op->fs->lists_views && kind < VIEW_KINDS_; kind++) {
		if (op->offset >= OFFSET_VIEWS + kind ||
			!fs_find_view(op->fs, listing->dir, view_name(kind), &found))
			continue;
		Inode inode = {.kind = INODE_VIEW, .part = kind, .id = listing->dir->id};
		struct fuse_entry_param entry = {
			.ino = inode_pack(inode),
			.attr_timeout = KERNEL_ENDLESS_S,
			.entry_timeout = KERNEL_ENDLESS_S,
		};
		attr_of_view(op->fs, listing->dir, inode, &entry.attr);
		viewed_add(op->fs, kind, listing->dir->id);
		if (!listing_add(listing, view_name(kind), &entry, OFFSET_VIEWS + kind))
			return false;
	}
	return true;
}

bool listing_add_name(
	Listing *listing, const char *name, fuse_ino_t ino, mode_t type, guint64 offset)
{
	struct fuse_entry_param entry = {.attr = {.st_ino = ino, .st_mode = type}};
	return listing_add(listing, name, &entry, offset);
}

/* Whether looking for the name would find it: another one that has the same name may be shown
 * instead. */
static bool means(const Listing *listing, const char *name, ResolvedKind kind)
{
	g_auto(Resolved) meant = {0};
	resolve(listing->op->fs, listing->tree, listing->dir, name, &meant);
	return meant.kind == kind;
}

static bool add_staged(Listing *listing)
{
	const Op *op = listing->op;
	guint64 offset = op->offset;
	if (offset >= OFFSET_WAITING)
		return true;
	guint32 number = offset > OFFSET_STAGED ? (guint32)(offset - OFFSET_STAGED) : 0;
	char *found;
	Staged *next;
	while ((next = staged_after(op->fs->staged, listing->dir->id, number, &found))) {
		g_autoptr(Staged) staged = next;
		g_autofree char *name = found;
		number = staged_number(staged);
		if (means(listing, name, RESOLVED_STAGED) &&
			!listing_add_name(listing, name, inode_staged(number), S_IFREG,
				OFFSET_STAGED + number))
			return false;
	}
	return true;
}

static bool add_waiting(Listing *listing)
{
	const Op *op = listing->op;
	guint64 offset = op->offset;
	if (offset >= OFFSET_MESSAGES)
		return true;
	Alias alias = {.number = offset > OFFSET_WAITING ? (guint32)(offset - OFFSET_WAITING) : 0};
	char *found;
	while (aliases_waiting_after(
		op->fs->aliases, listing->dir->id, alias.number, &alias, &found)) {
		g_autofree char *name = found;
		if (means(listing, name, RESOLVED_WAITING) &&
			!listing_add_name(listing, name, alias_inode(&alias), S_IFREG,
				OFFSET_WAITING + alias.number))
			return false;
	}
	return true;
}

/* What came here by a change has its name by UID from now on: before anything is listed, so that
 * what is on its way does not have that name, too. */
static void reveal(const Listing *listing)
{
	const Op *op = listing->op;
	g_autoptr(ImapSet) uids = unlisted_take(op->fs->unlisted, listing->gen);
	if (uids)
		given_yield(op->fs, listing->tree, listing->dir, uids);
}

/* The same of one that came while the listing was under way, or that only a query lists. */
static void reveal_one(const Listing *listing, guint32 uid)
{
	if (!unlisted_remove(listing->op->fs->unlisted, listing->gen, uid))
		return;
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, uid, uid);
	given_yield(listing->op->fs, listing->tree, listing->dir, uids);
}

/* What a message is called in its folder, in ret or (*ret_long) a new string; *ret_unread: for want
 * of its fields. */
static const char *name_in_folder(const Listing *listing, const TreeDir *dir, guint32 uid,
	char ret[static NAME_MESSAGE_BYTES], char **ret_long, bool *ret_unread)
{
	Fs *fs = listing->op->fs;
	const char *shown = resolve_shown(fs, listing->gen, uid, ret, ret_long);
	*ret_unread = false;
	if (*ret_long || fs->names != FS_NAMES_SUBJECT)
		return shown;
	*ret_long = resolve_readable(fs, listing->tree, dir, listing->gen, uid, ret_unread);
	return *ret_long ? *ret_long : shown;
}

/* Whether a message whose readable name is not known is listed, by its UID: when all was tried. If
 * not, what comes before it is the answer for now. */
static bool may_add_unread(Listing *listing, guint32 uid)
{
	const Op *op = listing->op;
	bool tried = op->outlined && listing->used == 0;
	if (!listing->away && !tried) {
		listing->unread = listing->used == 0 ? uid : 0;
		return false;
	}
	listing->provisional = true;
	return true;
}

/* Without an inode the kernel takes the name only, and asks when someone looks. */
static bool add_message(Listing *listing, const StoreMessage *message)
{
	const Op *op = listing->op;
	bool unread;
	char own[NAME_MESSAGE_BYTES];
	g_autofree char *other = NULL;
	const char *name =
		name_in_folder(listing, listing->dir, message->uid, own, &other, &unread);
	if (unread && !may_add_unread(listing, message->uid))
		return false;
	struct fuse_entry_param entry = {0};
	attr_of_message(op->fs, listing->gen, message, &entry.attr);
	if (message->known) {
		bool kept = !other || !op->plus ||
			    named_add(op->fs->named, listing->gen, message->uid, other);
		entry.ino = entry.attr.st_ino;
		entry.attr_timeout = KERNEL_ENDLESS_S;
		entry.entry_timeout = kept ? KERNEL_ENDLESS_S : 0;
	}
	if (!listing_add(listing, name, &entry, OFFSET_MESSAGES * listing->gen + message->uid))
		return false;
	reveal_one(listing, message->uid);
	if (op->plus && entry.ino != 0)
		imap_set_add(listing->uids, message->uid, message->uid);
	return true;
}

/* Under the name that says most. */
static bool add_readable(Listing *listing, guint32 uid)
{
	const Op *op = listing->op;
	char own[NAME_MESSAGE_BYTES];
	g_autofree char *full = fields_name(op->fs, SUBJECT_FULL, listing->gen, uid);
	if (!full && !may_add_unread(listing, uid))
		return false;
	name_of_message(uid, own);
	return listing_add_name(listing, full ? full : own, inode_message(listing->gen, uid),
		S_IFREG, OFFSET_MESSAGES * listing->gen + uid);
}

static bool add_in_view(Listing *listing, guint32 uid)
{
	const Op *op = listing->op;
	if (op->at.part == VIEW_NAMES)
		return add_readable(listing, uid);
	ViewKind kind = op->at.part;
	Gen gen = listing->gen;
	char name[NAME_MESSAGE_BYTES];
	name_by_uid(uid, view_suffix(kind), name);
	bool directory = view_has_directories(kind);
	return listing_add_name(listing, name,
		directory ? inode_parts(gen, uid) : inode_text(gen, uid),
		directory ? S_IFDIR : S_IFREG, OFFSET_MESSAGES * gen + uid);
}

guint32 listing_add_messages(Listing *listing)
{
	const Op *op = listing->op;
	bool in_view = op->at.kind == INODE_VIEW;
	bool wanted = op->plus && op->offset != 0 && !op->fetched && !in_view;
	guint32 after = op->offset > OFFSET_MESSAGES ? (guint32)op->offset : 0;
	StoreMessage rows[ROWS];
	gsize n;
	do {
		n = store_list(op->fs->store, listing->gen, after, rows, ROWS);
		for (gsize i = 0; i < n; i++) {
			bool added = in_view ? add_in_view(listing, rows[i].uid)
					     : add_message(listing, &rows[i]);
			if (!added)
				return 0;
			if (wanted && !rows[i].known)
				return rows[i].uid;
			after = rows[i].uid;
		}
	} while (n == ROWS);
	return 0;
}

/* ---- what a query found ---- */

/* By its name alone, which the kernel is not to keep. path: its folder, in a search of all. */
static bool add_hit(Listing *listing, const TreeDir *dir, const char *path, guint32 uid)
{
	bool unread = false;
	char own[NAME_MESSAGE_BYTES];
	g_autofree char *other = NULL;
	const char *name = own;
	if (path) {
		name_of_message(uid, own);
	} else {
		reveal_one(listing, uid);
		name = name_in_folder(listing, dir, uid, own, &other, &unread);
	}
	if (unread && !may_add_unread(listing, uid))
		return false;
	g_autofree char *long_name = path ? g_strdup_printf("%s:%s", path, own) : NULL;
	return listing_add_name(listing, long_name ? long_name : name,
		inode_message(listing->gen, uid), S_IFREG, OFFSET_MESSAGES * listing->gen + uid);
}

/* Those of one mailbox that are listed there. false: it is full. */
static bool add_hits(Listing *listing, const QueryHits *hits)
{
	const Op *op = listing->op;
	const TreeDir *dir =
		tree_of_mailbox(listing->tree, store_gen_mailbox(op->fs->store, hits->gen));
	bool everywhere = listing->dir->mailbox == 0;
	g_autofree char *path = everywhere ? resolve_path(op->fs, listing->tree, hits->gen) : NULL;
	if (!dir || (everywhere && !path))
		return true;
	guint64 first = OFFSET_MESSAGES * hits->gen;
	guint32 after = op->offset > first ? (guint32)(op->offset - first) : 0;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(hits->uids, &n);
	listing->gen = hits->gen;
	for (gsize i = 0; i < n; i++) {
		for (guint64 uid = MAX(ranges[i].lo, (guint64)after + 1); uid <= ranges[i].hi;
			uid++) {
			StoreMessage message;
			if (store_try_message(op->fs->store, hits->gen, (guint32)uid, &message) !=
					STORE_ABSENT &&
				!add_hit(listing, dir, path, (guint32)uid))
				return false;
		}
	}
	return true;
}

void listing_add_found(Listing *listing, const QueryResult *found)
{
	const guint64 last = listing->op->offset / OFFSET_MESSAGES;
	bool room = true;
	for (guint i = 0; room && i < found->n; i++)
		if (found->hits[i].gen >= last)
			room = add_hits(listing, &found->hits[i]);
}

bool listing_add_first(Listing *listing)
{
	if (listing->op->offset == 0 && listing->gen != 0)
		reveal(listing);
	return add_dots_of_dir(listing) && add_children(listing) && add_own_directory(listing) &&
	       add_views(listing) && add_staged(listing) && add_waiting(listing);
}
