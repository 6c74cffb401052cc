/* The engine's news, in the engine thread: what of it the kernel must forget is queued. */
#include <string.h>

#include "fs/given.h"
#include "fs/named.h"
#include "fs/query.h"
#include "fs/viewed.h"

static bool is_same_place(const TreeDir *a, const TreeDir *b)
{
	return a->parent == b->parent && strcmp(a->name, b->name) == 0;
}

/* A directory that is gone or shows another mailbox, and its parent's listing. */
static void tell_dir(Fs *fs, const Tree *before, const Tree *now, const TreeDir *dir)
{
	const TreeDir *after = tree_dir(now, dir->id);
	bool moved = after && !is_same_place(after, dir);
	if (!after || moved) {
		const TreeDir *parent = tree_dir(before, dir->parent);
		notify_child(fs->notify, fs_dir_inode(fs, parent), dir->name);
	}
	if (moved) {
		/* The kernel renamed its entry by itself. */
		const TreeDir *parent = tree_dir(now, after->parent);
		notify_listing(fs->notify, fs_dir_inode(fs, parent));
	} else if (after && after->mailbox != dir->mailbox) {
		Gen gen = dir->mailbox != 0 ? store_gen(fs->store, dir->mailbox) : 0;
		ImapSet *uids = gen != 0 ? shown_among(fs->shown, gen, NULL) : NULL;
		fs_names_changed(fs, fs_dir_inode(fs, dir), gen, NULL);
		notify_renumbered(fs->notify, fs_dir_inode(fs, dir), uids);
		viewed_renumbered(fs, dir->id, gen, false);
	}
}

static void tell_difference(Fs *fs, const Tree *before, const Tree *now)
{
	for (const TreeDir *dir = tree_dir_after(before, 0); dir;
		dir = tree_dir_after(before, dir->id))
		tell_dir(fs, before, now, dir);
	for (const TreeDir *dir = tree_dir_after(now, 0); dir; dir = tree_dir_after(now, dir->id)) {
		if (!tree_dir(before, dir->id))
			notify_listing(fs->notify, fs_dir_inode(fs, tree_dir(now, dir->parent)));
	}
}

void fs_expect_rename(Fs *fs, const FsRename *rename)
{
	FsRename copy = *rename;
	copy.wire = g_strdup(rename->wire);
	copy.name = g_strdup(rename->name);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->update_lock);
	/* Nothing came of it: it was refused. */
	for (guint i = fs->renames->len; i-- > 0;)
		if (g_array_index(fs->renames, FsRename, i).mailbox == rename->mailbox)
			g_array_remove_index(fs->renames, i);
	g_array_append_val(fs->renames, copy);
}

static void take_renames(Fs *fs)
{
	for (guint i = fs->renames->len; i-- > 0;) {
		const FsRename *rename = &g_array_index(fs->renames, FsRename, i);
		StoreMailbox mailbox;
		if (!store_mailbox(fs->store, rename->mailbox, &mailbox) ||
			strcmp(mailbox.name, rename->wire) != 0)
			continue;
		tree_ids_rename(fs->ids, rename->dir, rename->parent, rename->name);
		g_array_remove_index(fs->renames, i);
	}
}

void fs_tree_update(Fs *fs)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->update_lock);
	take_renames(fs);
	g_autoptr(GArray) mailboxes = store_mailboxes(fs->store);
	g_autoptr(Tree) now = tree_new(fs->ids, mailboxes);
	g_mutex_lock(&fs->tree_lock);
	g_autoptr(Tree) before = fs->tree;
	fs->tree = tree_ref(now);
	g_mutex_unlock(&fs->tree_lock);
	g_atomic_int_inc(&fs->news);
	if (before)
		tell_difference(fs, before, now);
}

static void mailboxes_changed(gpointer data)
{
	Fs *fs = data;
	fs_tree_update(fs);
	journal_folders(fs);
}

void fs_name_changed(Fs *fs, fuse_ino_t dir, const char *name)
{
	g_atomic_int_inc(&fs->news);
	if (dir == 0)
		return;
	if (name)
		notify_child(fs->notify, dir, name);
	else
		notify_listing(fs->notify, dir);
}

void fs_names_changed(Fs *fs, fuse_ino_t dir, Gen gen, const ImapSet *uids)
{
	g_autoptr(GPtrArray) names = named_take(fs->named, gen, uids);
	for (guint i = 0; dir != 0 && names && i < names->len; i++)
		notify_child(fs->notify, dir, g_ptr_array_index(names, i));
}

/* ---- messages ---- */

/* Open files of messages that are gone keep their pages and attributes and read on. What comes back
 * after it was refused to go has a link more than the kernel thinks. */
static void names_changed(
	MailboxId mailbox, Gen gen, const ImapSet *gone, const ImapSet *fresh, gpointer data)
{
	Fs *fs = data;
	g_atomic_int_inc(&fs->news);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree ? tree_of_mailbox(tree, mailbox) : NULL;
	ImapSet *back = fresh ? shown_among(fs->shown, gen, fresh) : NULL;
	if (gone)
		given_gone(fs, gen, gone);
	if (dir && (fresh || !gone))
		given_yield(fs, tree, dir, fresh);
	if (fresh || !gone)
		queries_doubt(fs->queries, mailbox);
	if (gone)
		fs_names_changed(fs, dir ? fs_dir_inode(fs, dir) : 0, gen, gone);
	if (dir)
		notify_messages(fs->notify, fs_dir_inode(fs, dir),
			gone ? shown_among(fs->shown, gen, gone) : NULL);
	if (dir)
		viewed_changed(fs, dir->id, gen, gone);
	if (back)
		notify_attributes(fs->notify, gen, back);
	journal_messages(fs, "gone", mailbox, gone);
	journal_messages(fs, "new", mailbox, fresh);
}

static void names_doubted(MailboxId mailbox, Gen gen, gpointer data)
{
	Fs *fs = data;
	g_atomic_int_inc(&fs->news);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree ? tree_of_mailbox(tree, mailbox) : NULL;
	given_doubt(fs, gen, NULL);
	queries_doubt(fs->queries, mailbox);
	fs_names_changed(fs, dir ? fs_dir_inode(fs, dir) : 0, gen, NULL);
	if (!dir)
		return;
	notify_messages(fs->notify, fs_dir_inode(fs, dir), shown_among(fs->shown, gen, NULL));
	viewed_doubted(fs, dir->id, gen);
}

static void generation_changed(MailboxId mailbox, Gen old, gpointer data)
{
	Fs *fs = data;
	g_atomic_int_inc(&fs->news);
	g_autoptr(ImapSet) uids = shown_take(fs->shown, old);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree ? tree_of_mailbox(tree, mailbox) : NULL;
	given_gone(fs, old, NULL);
	queries_doubt(fs->queries, mailbox);
	fs_names_changed(fs, dir ? fs_dir_inode(fs, dir) : 0, old, NULL);
	if (dir) {
		fuse_ino_t ino = fs_dir_inode(fs, dir);
		notify_renumbered(fs->notify, ino, g_steal_pointer(&uids));
		viewed_renumbered(fs, dir->id, old, true);
	}
	journal_mailbox(fs, "uidvalidity", mailbox);
}

/* Whether the kernel was told less than there is. Without a verified size more bytes came than were
 * announced, and how many there are is not known yet. */
static bool told_too_little(const Fs *fs, Gen gen, guint32 uid, guint64 told)
{
	StoreMessage message;
	StoreAnswer answer = store_try_message(fs->store, gen, uid, &message);
	return answer == STORE_MISS || (answer == STORE_HIT && message.size > told);
}

/* Nothing but the size can change in what stat shows; read.c says why it matters when. Where a READ
 * waits it is known whether the size was too small. Otherwise the first message that catches the
 * server is corrected at once; of the later ones the size was either verified before it was shown
 * or is forgotten already. */
static void message_changed(Gen gen, guint32 uid, bool size, gpointer data)
{
	Fs *fs = data;
	if (!size) {
		MailboxId mailbox = store_gen_mailbox(fs->store, gen);
		queries_doubt(fs->queries, mailbox);
		journal_message(fs, "flags", mailbox, uid);
		return;
	}
	fuse_ino_t ino = inode_message(gen, uid);
	guint64 told;
	bool now = kernel_reading(fs->kernel, ino, &told) ? told_too_little(fs, gen, uid, told)
							  : !fs->distrusted;
	if (now)
		notify_correct(fs->notify, ino);
	else
		notify_correct_later(fs->notify, ino);
}

static void flags_told(MailboxId mailbox, gpointer data)
{
	Fs *fs = data;
	queries_doubt(fs->queries, mailbox);
}

static void sizes_distrusted(gpointer data)
{
	Fs *fs = data;
	fs->distrusted = true;
	g_atomic_int_inc(&fs->news);
	g_autoptr(GArray) gens = shown_gens(fs->shown);
	for (guint i = 0; i < gens->len; i++) {
		Gen gen = g_array_index(gens, guint32, i);
		g_autoptr(ImapSet) uids = shown_among(fs->shown, gen, NULL);
		if (uids)
			notify_attributes(fs->notify, gen, g_steal_pointer(&uids));
	}
}

static void state_changed(EngineState state, const GError *why, gpointer data)
{
	journal_state(data, state, why ? why->message : NULL);
}

static const EngineEvents events = {
	.mailboxes_changed = mailboxes_changed,
	.names_made = given_made,
	.names_changed = names_changed,
	.names_doubted = names_doubted,
	.message_changed = message_changed,
	.flags_told = flags_told,
	.generation_changed = generation_changed,
	.sizes_distrusted = sizes_distrusted,
	.change_begun = given_begun,
	.change_ended = given_ended,
	.state_changed = state_changed,
};

const EngineEvents *fs_events(void)
{
	return &events;
}
