/* Messages that are rewritten in place: `echo more >> 57.eml`, or an editor that saves into the
 * file. There is no OPEN, so it begins with the first change. What is shown instead of the message
 * is a staged file; when it is closed it is sent, and the message removed. */
#include <errno.h>

#include "fs/op.h"
#include "fs/process.h"
#include "fs/resolve.h"
#include "fs/staging.h"

Staged *staged_over(StagedFiles *files, guint64 ino)
{
	if (g_atomic_int_get(&files->n_over) == 0)
		return NULL;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	Staged *staged = g_hash_table_lookup(files->over, &ino);
	if (!staged)
		return NULL;
	staged->uses++;
	return staged_ref_locked(staged);
}

Staged *staged_rewrite(StagedFiles *files, Gen gen, const StoreMessage *message, guint32 dir,
	const GStrv names, bool frozen, pid_t process)
{
	StagedMessage replaces = {gen, message->uid};
	guint64 ino = inode_message(gen, message->uid);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	Staged *staged = g_hash_table_lookup(files->over, &ino);
	if (staged)
		return staged_ref_locked(staged);
	staged = staged_add_locked(files);
	if (!staged)
		return NULL;
	staged->over = ino;
	staged->copied = replaces;
	staged->size = message->size;
	staged->date = (struct timespec){.tv_sec = message->date};
	staged->names = g_strdupv(names);
	staged->frozen = frozen;
	staged->owner = process;
	staged_place_set(&staged->to, dir, names[0], replaces);
	g_hash_table_insert(files->over, &staged->over, staged_ref_locked(staged));
	g_atomic_int_inc(&files->n_over);
	return staged;
}

void staged_cover(Staged *staged, guint64 ino)
{
	StagedFiles *files = staged->files;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	staged->by_own |= ino == staged->over;
	if (staged->over == 0 || staged->once != 0 || g_hash_table_contains(files->over, &ino))
		return;
	staged->once = ino;
	g_hash_table_insert(files->over, &staged->once, staged_ref_locked(staged));
	g_atomic_int_inc(&files->n_over);
}

/* How many references that were to be dropped. */
static guint uncover_locked(const Staged *staged, guint64 ino)
{
	StagedFiles *files = staged->files;
	if (g_hash_table_lookup(files->over, &ino) != staged)
		return 0;
	g_hash_table_remove(files->over, &ino);
	g_atomic_int_add(&files->n_over, -1);
	return 1;
}

static void unref_times(Staged *staged, guint n)
{
	while (n-- > 0)
		staged_unref(staged);
}

static guint64 count_uses(Staged *staged)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	return staged->uses;
}

/* The directory of the message. */
static guint32 place_of(Staged *staged)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	return staged->to.dir;
}

/* false: it was asked for since it had been so often. */
static bool uncover_unused(Staged *staged, guint64 ino, guint64 uses)
{
	StagedFiles *files = staged->files;
	guint n = 0;
	g_mutex_lock(&files->lock);
	bool used = staged->uses != uses;
	/* What was refused is in the folder of unsent texts: the message is shown as it is again.
	 */
	if (!used && !staged->busy)
		n += uncover_locked(staged, ino);
	/* Of this one no end may ever come. */
	if (!used && !staged->busy && !staged->by_own)
		n += uncover_locked(staged, staged->over);
	g_mutex_unlock(&files->lock);
	unref_times(staged, n);
	return !used;
}

typedef struct {
	Staged *staged;
	guint64 ino, uses;
} Forgotten;

static void on_known(bool known, gpointer data);

static void ask_known(Forgotten *forgotten)
{
	Fs *fs = forgotten->staged->files->fs;
	forgotten->uses = count_uses(forgotten->staged);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree_dir(tree, place_of(forgotten->staged));
	notify_ask_known(fs->notify, dir ? fs_dir_inode(fs, dir) : INODE_ROOT, forgotten->ino,
		on_known, forgotten);
}

static void on_known(bool known, gpointer data)
{
	Forgotten *forgotten = data;
	if (!known && !uncover_unused(forgotten->staged, forgotten->ino, forgotten->uses)) {
		ask_known(forgotten);
		return;
	}
	staged_unref(forgotten->staged);
	g_free(forgotten);
}

/* The lookups of messages are not counted, and a FORGET may be met by what the kernel asked after
 * it had looked the message up anew: it is asked whether it knows it, and if it does another FORGET
 * will come. What it asks after that it asks for a use. What a LOOKUP was answered just now it may
 * not know yet: it is asked once more when that is over, since who appends to what was emptied goes
 * by the length that the LOOKUP told. */
void staged_forget_over(StagedFiles *files, guint64 ino)
{
	Staged *staged = staged_over(files, ino);
	guint64 uses;
	if (!staged)
		return;
	do {
		uses = count_uses(staged);
		if (notify_is_known(files->fs->notify, ino)) {
			staged_unref(staged);
			return;
		}
	} while (!staged_send_unused(staged, uses));
	Forgotten *forgotten = g_new(Forgotten, 1);
	*forgotten = (Forgotten){.staged = staged, .ino = ino};
	ask_known(forgotten);
}

bool staged_is_frozen(const Staged *staged)
{
	return staged->frozen;
}

void staged_note_read(Staged *staged)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	staged->was_read = true;
}

void staged_uncover(Staged *staged)
{
	StagedFiles *files = staged->files;
	guint n = 0;
	g_mutex_lock(&files->lock);
	guint64 once = staged->once;
	if (staged->frozen && !staged->was_read && !staged->busy) {
		n += uncover_locked(staged, staged->over);
		n += uncover_locked(staged, once);
	}
	g_mutex_unlock(&files->lock);
	if (n > 0)
		notify_correct(files->fs->notify, staged->over);
	if (n > 0 && once != 0)
		notify_correct(files->fs->notify, once);
	unref_times(staged, n);
}

/* With -o names=subject: what it is shown as; NULL: by its UID. */
static char *readable_name(Fs *fs, const TreeDir *dir, Gen gen, guint32 uid)
{
	bool unread;
	g_autoptr(Tree) tree = fs_tree(fs);
	return fs->names == FS_NAMES_SUBJECT ? resolve_readable(fs, tree, dir, gen, uid, &unread)
					     : NULL;
}

/* The name that is shown, then all others that lead to it. */
static GStrv names_of(Fs *fs, const TreeDir *dir, Gen gen, guint32 uid)
{
	char own[NAME_MESSAGE_BYTES];
	g_autofree char *alias = NULL;
	g_autoptr(ImapSet) uids = imap_set_new();
	imap_set_add(uids, uid, uid);
	g_autoptr(GArray) places = aliases_places(fs->aliases, gen, uids);
	GPtrArray *names = g_ptr_array_new();
	const char *shown = resolve_shown(fs, gen, uid, own, &alias);
	char *readable = alias ? NULL : readable_name(fs, dir, gen, uid);
	if (readable)
		g_ptr_array_add(names, readable);
	g_ptr_array_add(names, g_strdup(shown));
	for (guint i = 0; places && i < places->len; i++) {
		const AliasPlace *place = &g_array_index(places, AliasPlace, i);
		if (place->dir == dir->id)
			g_ptr_array_add(names, g_strdup(place->name));
	}
	g_ptr_array_add(names, NULL);
	return (GStrv)g_ptr_array_free(names, FALSE);
}

/* What became this message, and replaces it when more is written. */
static Staged *find_sent(StagedFiles *files, Gen gen, guint32 uid)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Staged *staged = value;
		if (staged->message.gen == gen && staged->message.uid == uid)
			return staged_ref_locked(value);
	}
	return NULL;
}

void staged_rename_over(Fs *fs, const TreeDir *dir, Gen gen, guint32 uid)
{
	Staged *over = staged_over(fs->staged, inode_message(gen, uid));
	g_autoptr(Staged) staged = over ? over : find_sent(fs->staged, gen, uid);
	if (!staged)
		return;
	g_auto(GStrv) names = names_of(fs, dir, gen, uid);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->staged->lock);
	if (over && !staged->names)
		return;
	staged_place_set(&staged->to, dir->id, names[0], staged->to.replaces);
	g_strfreev(staged->names);
	staged->names = g_steal_pointer(&names);
}

void staged_keep_names(Fs *fs, guint32 dir_id, const GStrv names, StagedMessage message)
{
	Alias alias = {.gen = message.gen, .uid = message.uid};
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree_dir(tree, dir_id);
	for (guint i = 0; dir && names && names[i]; i++) {
		g_auto(Resolved) there = {0};
		resolve(fs, tree, dir, names[i], &there);
		if (there.kind != RESOLVED_NOTHING && !there.other)
			continue;
		aliases_set(fs->aliases, dir_id, names[i], &alias);
		fs_name_changed(fs, fs_dir_inode(fs, dir), names[i]);
	}
}

/* `cp` onto a message that has the same name by its UID opens it with O_TRUNC first, and is to make
 * a message beside it: where -o edit refuses to write only what comes after that is refused. */
static bool may_if_frozen(const Op *op)
{
	bool writes = op->which == 0;
	return !writes && (!(op->which & FUSE_SET_ATTR_SIZE) || op->size == 0);
}

/* Answers, or parks: *ret_parked. */
static Staged *begin(Op *op, const GError *error, bool *ret_parked)
{
	Fs *fs = op->fs;
	Gen gen = op->at.id;
	StoreMessage message;
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree_of_mailbox(tree, store_gen_mailbox(fs->store, gen));
	bool frozen = dir && !fs_may_edit(fs, dir);
	if (!dir || (frozen && !may_if_frozen(op))) {
		kernel_reply_errno(op->req, dir ? EPERM : ESTALE);
		return NULL;
	}
	StoreAnswer answer = store_try_message(fs->store, gen, op->at.uid, &message);
	if (answer == STORE_MISS && !op->fetched) {
		*ret_parked = op_attributes(op, gen, op->at.uid);
		return NULL;
	}
	if (answer != STORE_HIT) {
		kernel_reply_errno(op->req, answer == STORE_MISS ? kernel_errno(error) : ESTALE);
		return NULL;
	}
	g_auto(GStrv) names = names_of(fs, dir, gen, message.uid);
	pid_t process = process_of_thread(fuse_req_ctx(op->req)->pid);
	Staged *staged = staged_rewrite(fs->staged, gen, &message, dir->id, names, frozen, process);
	if (!staged)
		kernel_reply_errno(op->req, errno);
	return staged;
}

/* What is shown instead of the message of `at`. NULL: nothing is. */
static Staged *find_writable(Op *op)
{
	Staged *staged = op_staged(op);
	bool moved = !staged && op->at.kind == INODE_MESSAGE && op->of == 0 && op_follow(op);
	return moved ? op_staged(op) : staged;
}

/* Whether what was waited for is there. Otherwise answers. */
static bool has_come(Op *op, const GError *error)
{
	guint64 source = inode_pack(op->at);
	bool over = op_find(op) && !op_waits(op);
	if (over)
		op_follow(op);
	if (over && inode_pack(op->at) != source)
		return true;
	kernel_reply_errno(op->req, error ? kernel_errno(error) : ESTALE);
	return false;
}

/* What is on its way cannot be replaced before it is known what it has become. Answers, or parks
 * until it is: *ret_parked. */
static Staged *await(Op *op, bool *ret_parked)
{
	Fs *fs = op->fs;
	guint32 id;
	if (!aliases_waits_in(fs->aliases, op->of, &id)) {
		op->settled = true;
		return op_writable(op, NULL, ret_parked);
	}
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree_dir(tree, id);
	if (dir && (fs_may_edit(fs, dir) || may_if_frozen(op)))
		*ret_parked = op_settle(op, dir->mailbox);
	else
		kernel_reply_errno(op->req, dir ? EPERM : ESTALE);
	return NULL;
}

Staged *op_writable(Op *op, const GError *error, bool *ret_parked)
{
	*ret_parked = false;
	if (op->settled && op->of != 0) {
		if (!has_come(op, error))
			return NULL;
		error = NULL;
	}
	Staged *staged = find_writable(op);
	bool refused = staged && staged_is_frozen(staged) && !may_if_frozen(op);
	if (staged && (error || refused)) {
		kernel_reply_errno(op->req, error ? kernel_errno(error) : EPERM);
		g_clear_pointer(&staged, staged_unref);
		return NULL;
	}
	if (!staged && op_waits(op))
		return await(op, ret_parked);
	if (!staged && op->at.kind == INODE_MESSAGE)
		staged = begin(op, error, ret_parked);
	else if (!staged)
		kernel_reply_errno(op->req, op->at.kind == INODE_STAGED ? ESTALE : EPERM);
	if (staged)
		staged_cover(staged, op->ino);
	return staged;
}
