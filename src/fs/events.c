/* The engine's news, in the engine thread: what of it the kernel must forget is queued. */
#include "fs/fs.h"

/* A directory that is gone or shows another mailbox, and its parent's listing. */
static void tell_dir(Fs *fs, const Tree *before, const Tree *now, const TreeDir *dir)
{
	const TreeDir *after = tree_dir(now, dir->id);
	if (!after) {
		const TreeDir *parent = tree_dir(before, dir->parent);
		notify_child(fs->notify, fs_dir_inode(fs, parent), dir->name);
	} else if (after->mailbox != dir->mailbox) {
		Gen gen = dir->mailbox != 0 ? store_gen(fs->store, dir->mailbox) : 0;
		ImapSet *uids = gen != 0 ? shown_among(fs->shown, gen, NULL) : NULL;
		notify_renumbered(fs->notify, fs_dir_inode(fs, dir), uids);
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

void fs_tree_update(Fs *fs)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->update_lock);
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

/* The directory that shows a mailbox; 0: none does. */
static fuse_ino_t inode_of_mailbox(Fs *fs, MailboxId mailbox)
{
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree ? tree_of_mailbox(tree, mailbox) : NULL;
	return dir ? fs_dir_inode(fs, dir) : 0;
}

/* Open files of messages that are gone keep their pages and attributes and read on. */
static void names_changed(
	MailboxId mailbox, Gen gen, const ImapSet *gone, const ImapSet *fresh, gpointer data)
{
	Fs *fs = data;
	g_atomic_int_inc(&fs->news);
	fuse_ino_t dir = inode_of_mailbox(fs, mailbox);
	if (dir != 0)
		notify_messages(fs->notify, dir, gone ? shown_among(fs->shown, gen, gone) : NULL);
	journal_messages(fs, "gone", mailbox, gone);
	journal_messages(fs, "new", mailbox, fresh);
}

static void names_doubted(MailboxId mailbox, Gen gen, gpointer data)
{
	Fs *fs = data;
	g_atomic_int_inc(&fs->news);
	fuse_ino_t dir = inode_of_mailbox(fs, mailbox);
	if (dir != 0)
		notify_messages(fs->notify, dir, shown_among(fs->shown, gen, NULL));
}

static void generation_changed(MailboxId mailbox, Gen old, gpointer data)
{
	Fs *fs = data;
	g_atomic_int_inc(&fs->news);
	ImapSet *uids = shown_take(fs->shown, old);
	fuse_ino_t dir = inode_of_mailbox(fs, mailbox);
	if (dir != 0)
		notify_renumbered(fs->notify, dir, uids);
	else
		imap_set_free(uids);
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
		journal_message(fs, "flags", store_gen_mailbox(fs->store, gen), uid);
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
	.names_changed = names_changed,
	.names_doubted = names_doubted,
	.message_changed = message_changed,
	.generation_changed = generation_changed,
	.sizes_distrusted = sizes_distrusted,
	.state_changed = state_changed,
};

const EngineEvents *fs_events(void)
{
	return &events;
}
