#include "fs/given.h"

#include <string.h>

#include "fs/resolve.h"
#include "fs/unlisted.h"

/* The directory of a place: 0: it is gone. */
static fuse_ino_t inode_of_dir(Fs *fs, guint32 id)
{
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree ? tree_dir(tree, id) : NULL;
	return dir ? fs_dir_inode(fs, dir) : 0;
}

void given_doubt(Fs *fs, Gen gen, const ImapSet *uids)
{
	g_autoptr(GArray) places = aliases_places(fs->aliases, gen, uids);
	for (guint i = 0; places && i < places->len; i++) {
		const AliasPlace *place = &g_array_index(places, AliasPlace, i);
		fs_name_changed(fs, inode_of_dir(fs, place->dir), place->name);
	}
}

/* Of messages that are gone, and not only about to go: what is refused comes back. */
static void forget_gone(Fs *fs, Gen gen, const ImapSet *uids)
{
	g_autoptr(ImapSet) names = store_names(fs->store, gen);
	g_autoptr(ImapSet) lost = imap_set_copy(uids);
	if (names)
		imap_set_subtract(lost, names);
	aliases_forget(fs->aliases, gen, lost);
}

void given_gone(Fs *fs, Gen gen, const ImapSet *uids)
{
	given_doubt(fs, gen, uids);
	if (uids)
		forget_gone(fs, gen, uids);
	else
		aliases_forget(fs->aliases, gen, NULL);
}

static void yield_name(Fs *fs, const Tree *tree, const TreeDir *dir, guint32 uid)
{
	char name[NAME_MESSAGE_BYTES];
	Alias alias;
	g_auto(Resolved) meant = {0};
	if (unlisted_has(fs->unlisted, store_gen(fs->store, dir->mailbox), uid))
		return;
	name_of_message(uid, name);
	fs_name_changed(fs, fs_dir_inode(fs, dir), name);
	if (!aliases_find(fs->aliases, dir->id, name, &alias) || alias.intent == 0)
		return;
	/* As long as the message has another name instead it does not want its own. */
	resolve(fs, tree, dir, name, &meant);
	if (meant.kind == RESOLVED_WAITING)
		return;
	g_autofree char *other = resolve_free_name(fs, tree, dir, name, false);
	aliases_rename(fs->aliases, dir->id, name, other, false);
}

/* The messages whose own names those have that wait: of a mailbox that was listed just now. */
static ImapSet *waiting_uids(Fs *fs, const TreeDir *dir)
{
	Gen gen = store_gen(fs->store, dir->mailbox);
	ImapSet *uids = imap_set_new();
	Alias alias = {0};
	char *found;
	while (aliases_waiting_after(fs->aliases, dir->id, alias.number, &alias, &found)) {
		g_autofree char *name = found;
		guint32 uid = name_to_uid(name);
		StoreMessage message;
		if (uid != 0 && store_try_message(fs->store, gen, uid, &message) != STORE_ABSENT)
			imap_set_add(uids, uid, uid);
	}
	return uids;
}

void given_yield(Fs *fs, const Tree *tree, const TreeDir *dir, const ImapSet *uids)
{
	g_autoptr(ImapSet) taken =
		uids ? aliases_like_uids(fs->aliases, dir->id, uids) : waiting_uids(fs, dir);
	gsize n = 0;
	const ImapRange *ranges = taken ? imap_set_ranges(taken, &n) : NULL;
	for (gsize i = 0; i < n; i++)
		for (guint64 uid = ranges[i].lo; uid <= ranges[i].hi; uid++)
			yield_name(fs, tree, dir, (guint32)uid);
}

/* ---- changes ---- */

/* The message that an intent is about, as it is known here; 0: it is not. */
static Gen source_gen(Fs *fs, const Intent *intent, MailboxId mailbox)
{
	Gen gen = mailbox != 0 && intent->uid != 0 ? store_gen(fs->store, mailbox) : 0;
	return gen != 0 && store_gen_uidvalidity(fs->store, gen) == intent->uidvalidity ? gen : 0;
}

static bool brings_message(const Intent *intent)
{
	return intent->kind == INTENT_MOVE || intent->kind == INTENT_COPY ||
	       intent->kind == INTENT_APPEND;
}

static bool is_written(const Intent *intent)
{
	return intent->kind == INTENT_COPY || intent->kind == INTENT_APPEND;
}

/* What is on its way is not where it was shown so far any more. */
static void leave_place(Fs *fs, guint64 of)
{
	guint32 dir;
	g_autofree char *name = NULL;
	if (aliases_settle(fs->aliases, of, 0, 0, &dir, &name))
		fs_name_changed(fs, inode_of_dir(fs, dir), name);
}

/* What is moved on keeps what is known of it. */
static bool pass_on(Fs *fs, const Intent *intent, guint32 dir, const char *name)
{
	guint32 left;
	g_autofree char *left_name = NULL;
	if (intent->kind != INTENT_MOVE || intent->of == 0 ||
		!aliases_pass_on(fs->aliases, intent->of, intent->id, dir, name, &left, &left_name))
		return false;
	fs_name_changed(fs, inode_of_dir(fs, left), left_name);
	return true;
}

/* While it waits it is listed under the name that it was given, or one like it that is free. */
static void show_waiting(
	Fs *fs, const Tree *tree, const TreeDir *dir, const Intent *intent, Gen gen)
{
	const char *given = intent->name && *intent->name ? intent->name : "message.eml";
	g_autofree char *name = resolve_free_name(fs, tree, dir, given, is_written(intent));
	fuse_ino_t ino = fs_dir_inode(fs, dir);
	Alias alias = {
		.intent = intent->id,
		.gen = gen,
		.uid = gen != 0 ? intent->uid : 0,
		.file = intent->file,
		.size = intent->size,
		.date = intent->date,
		.copied = intent->kind == INTENT_COPY,
	};
	if (!pass_on(fs, intent, dir->id, name))
		aliases_set(fs->aliases, dir->id, name, &alias);
	fs_name_changed(fs, ino, NULL);
	/* It is not what the kernel knows by that name. */
	if (strcmp(name, given) != 0)
		fs_name_changed(fs, ino, given);
}

/* What is copied has the flags that its source had then, what is moved leaves with them, and what
 * is written comes with its own. */
static void keep_flags(Fs *fs, const Intent *intent, Gen gen)
{
	StoreMessage message;
	if (intent->kind == INTENT_APPEND) {
		const char *keywords = intent->keywords_add ? intent->keywords_add : "";
		aliases_set_flags(fs->aliases, intent->id, intent->flags_add, keywords);
		return;
	}
	store_recall(fs->store, gen);
	if (!store_peek_message(fs->store, gen, intent->uid, &message) || !message.known)
		return;
	g_autofree char *keywords = store_keywords(fs->store, gen, intent->uid);
	aliases_set_flags(fs->aliases, intent->id, message.flags, keywords);
}

/* Of a message that is not there the store knows no flags. */
static void change_flags(Fs *fs, const Intent *intent)
{
	guint flags = 0;
	g_autofree char *had = aliases_flags(fs->aliases, intent->of, &flags);
	if (!had)
		return;
	g_autofree char *keywords =
		imap_keywords_change(had, intent->keywords_add, intent->keywords_remove);
	flags = (flags | intent->flags_add) & ~intent->flags_remove;
	aliases_set_flags(fs->aliases, intent->of, flags, keywords);
}

void given_begun(const Intent *intent, MailboxId mailbox, MailboxId target, gpointer data)
{
	Fs *fs = data;
	Gen gen = intent->kind == INTENT_APPEND ? 0 : source_gen(fs, intent, mailbox);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree && target != 0 ? tree_of_mailbox(tree, target) : NULL;
	bool stays = intent->kind == INTENT_COPY || intent->kind == INTENT_FLAGS ||
		     (intent->kind == INTENT_MOVE && dir);
	if (intent->of != 0 && !stays)
		leave_place(fs, intent->of);
	if (intent->kind == INTENT_FLAGS)
		change_flags(fs, intent);
	if (brings_message(intent) && dir)
		show_waiting(fs, tree, dir, intent, gen);
	if (intent->kind == INTENT_APPEND || (intent->kind != INTENT_FLAGS && gen != 0))
		keep_flags(fs, intent, gen);
	if (is_written(intent))
		staged_begun(fs->staged, intent, dir ? dir->id : 0);
}

void given_made(Gen gen, const ImapSet *uids, gpointer data)
{
	Fs *fs = data;
	g_autoptr(ImapSet) names = store_names(fs->store, gen);
	g_autoptr(ImapSet) made = imap_set_copy(uids);
	if (names)
		imap_set_subtract(made, names);
	unlisted_add(fs->unlisted, gen, made);
}

void given_ended(const Intent *intent, Gen gen, guint32 uid, const GError *error, gpointer data)
{
	Fs *fs = data;
	guint32 dir = 0;
	g_autofree char *name = NULL;
	if (is_written(intent)) {
		MailboxId target = store_find_mailbox(fs->store, intent->target);
		g_autoptr(Tree) tree = fs_tree(fs);
		const TreeDir *there = tree ? tree_of_mailbox(tree, target) : NULL;
		staged_ended(fs->staged, intent, there ? there->id : 0, gen, uid, error);
	}
	if (brings_message(intent) &&
		aliases_settle(fs->aliases, intent->id, gen, error ? 0 : uid, &dir, &name))
		fs_name_changed(fs, inode_of_dir(fs, dir), name);
	if (!error && uid != 0)
		aliases_follow(fs->aliases, intent->id, gen, uid);
	if (error && error->code != MAIL_ERROR_CANCELLED)
		journal_refused(fs, intent, error->message);
}
