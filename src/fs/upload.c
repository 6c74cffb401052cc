/* The way of a staged file to the server: who makes it go, what goes, and what becomes of it.
 *
 * A program may close a file many times (dup, fork), and each time the kernel sends a FLUSH; but
 * one message shall come of it. So a file is sent when it is closed by who opened it, or when that
 * one is no more; when the kernel says that it was the last close (RELEASE, since Linux 6.9 and for
 * what was opened by CREATE alone), or has forgotten it; and some time after the last change, where
 * none of these comes. What is written after that takes the place of the message. */
#include "fs/staging.h"

#include <errno.h>
#include <string.h>

#include "fs/alias.h"
#include "fs/name.h"
#include "fs/process.h"
#include "store/unsent.h"

enum {
	/* Without a sign that it was closed. */
	DEFER_US = 5 * G_USEC_PER_SEC,

	KEPT_FLAGS = IMAP_FLAG_SEEN | IMAP_FLAG_ANSWERED | IMAP_FLAG_FLAGGED | IMAP_FLAG_DRAFT,
};

/* ---- what is to be sent ---- */

/* Where it goes: under its name, or once more to where it went already; NULL: nowhere. */
static const StagedPlace *place_locked(const Staged *staged)
{
	if (staged->removed)
		return NULL;
	if (staged->at.name)
		return name_is_scratch(staged->at.name) ? NULL : &staged->at;
	return staged->to.name ? &staged->to : NULL;
}

static bool is_unsent_locked(const Staged *staged)
{
	return staged->size > 0 && staged->version != staged->kept &&
	       staged->version != staged->tried && place_locked(staged);
}

void staged_abandon_locked(Staged *staged)
{
	staged->removed = true;
	staged->due_us = 0;
}

/* ---- asking the engine ---- */

/* A version on its way; the name is owned. */
typedef struct {
	Staged *staged;
	StagedPlace place;
	StagedMessage copied;
	int fd;
	bool dated, awaited, durable;
	gint64 date;
	guint64 spare; /* file without a use from now on; 0: none */
} Upload;

static void upload_clear(Upload *upload)
{
	staged_place_clear(&upload->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Upload, upload_clear)

/* The text as it is now goes to this place. */
static void begin_locked(Staged *staged, const StagedPlace *place, Upload *ret)
{
	*ret = (Upload){
		.staged = staged,
		.copied = staged->copied,
		.fd = staged->fd,
		.dated = staged->dated,
		.date = staged->date.tv_sec,
		.awaited = staged->waiters->len > 0,
	};
	staged_place_set(&ret->place, place->dir, place->name, place->replaces);
	if (staged->message.uid != 0)
		ret->place.replaces = staged->message;
	else if (staged->intent != 0)
		ret->place.replaces = (StagedMessage){.of = staged->intent};
	for (guint i = 0; i < staged->waiters->len; i++)
		ret->durable |= g_array_index(staged->waiters, StagedWaiter, i).durable;
	staged->tried = staged->version;
	staged->due_us = 0;
	staged->busy = true;
	staged->again = false;
	staged->told = false;
	g_clear_error(&staged->error);
}

static void finish(Staged *staged, const GError *error);

/* Engine thread. */
static void on_done(const GError *error, gpointer data)
{
	Staged *staged = data;
	finish(staged, error);
	staged_unref(staged);
}

/* The engine has the text by its number, so that ours is of no use any more but for who has it
 * open. */
static bool commit(const Upload *upload, guint64 file, guint64 *ret_spare)
{
	Staged *staged = upload->staged;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	if (staged->removed)
		return false;
	const StagedPlace *place = &upload->place;
	staged_place_set(&staged->to, place->dir, place->name, place->replaces);
	staged_step_locked(staged, STAGED_ASKED);
	staged->sent = file;
	*ret_spare = staged->file;
	staged->file = 0;
	staged_ref_locked(staged);
	return true;
}

static EngineUntil until(const Upload *upload)
{
	const Fs *fs = upload->staged->files->fs;
	if (!upload->awaited)
		return ENGINE_UNTIL_KEPT;
	return upload->copied.uid == 0 && !fs->sync ? ENGINE_UNTIL_ANSWERED : fs_until(fs);
}

/* As the server has them or, of what is on its way, will. New string; NULL: not known. */
static char *flags_of(Fs *fs, StagedMessage of, guint *ret_flags)
{
	StoreMessage message;
	if (of.of != 0)
		return aliases_flags(fs->aliases, of.of, ret_flags);
	if (of.uid == 0 || !store_peek_message(fs->store, of.gen, of.uid, &message) ||
		!message.known)
		return NULL;
	*ret_flags = message.flags;
	return store_keywords(fs->store, of.gen, of.uid);
}

/* What takes the place of a message has its flags. */
static void take_flags(const Upload *upload, EngineChange *change, char **ret_keywords)
{
	Staged *staged = upload->staged;
	guint flags = 0;
	char *keywords = flags_of(staged->files->fs, upload->place.replaces, &flags);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	if (keywords) {
		g_free(staged->keywords);
		staged->keywords = keywords;
		staged->flags = flags & KEPT_FLAGS;
	}
	change->flags_add = staged->flags;
	change->keywords_add = *ret_keywords = g_strdup(staged->keywords);
}

static bool ask(const Upload *upload, MailboxId mailbox, GError **error)
{
	Fs *fs = upload->staged->files->fs;
	bool copy = upload->copied.uid != 0;
	StagedMessage message = copy ? upload->copied : upload->place.replaces;
	StagedText text = {0};
	if (!copy && !staged_keep_text(fs, upload->fd, upload->durable, &text, error))
		return false;
	guint64 spare = 0;
	if (!commit(upload, text.file, &spare)) {
		if (text.file != 0)
			store_unsent_drop(fs->store, text.file);
		return false;
	}
	if (spare != 0)
		store_unsent_drop(fs->store, spare);
	EngineChange change = {
		.kind = copy ? INTENT_COPY : INTENT_APPEND,
		.gen = message.gen,
		.uid = message.uid,
		.of = message.of,
		.target = mailbox,
		.name = upload->place.name,
		.file = text.file,
		.date = upload->dated ? upload->date : text.date,
	};
	g_autofree char *keywords = NULL;
	if (!copy)
		take_flags(upload, &change, &keywords);
	engine_change(fs->engine, &change, until(upload), on_done, upload->staged);
	return true;
}

/* Worker or sender: reads and writes files. */
static void send_upload(const Upload *upload)
{
	Fs *fs = upload->staged->files->fs;
	g_autoptr(GError) error = NULL;
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree_dir(tree, upload->place.dir);
	if (!dir || dir->mailbox == 0)
		g_set_error_literal(
			&error, MAIL_ERROR, MAIL_ERROR_NOT_FOUND, "its mailbox is gone");
	if (error || !ask(upload, dir->mailbox, &error))
		finish(upload->staged, error);
}

/* ---- the end of it ---- */

static void wake_locked(StagedFiles *files);

/* Takes those who wait for no more than was tried; all of them when there is nothing more to try.
 */
static GArray *take_waiters_locked(Staged *staged)
{
	GArray *taken = g_array_new(FALSE, FALSE, sizeof(StagedWaiter));
	bool more = is_unsent_locked(staged);
	for (guint i = 0; i < staged->waiters->len;) {
		const StagedWaiter *waiter = &g_array_index(staged->waiters, StagedWaiter, i);
		if (more && waiter->version > staged->tried) {
			i++;
			continue;
		}
		g_array_append_val(taken, *waiter);
		g_array_remove_index(staged->waiters, i);
	}
	return taken;
}

static void answer(const GArray *waiters, const GError *error)
{
	for (guint i = 0; i < waiters->len; i++) {
		const StagedWaiter *waiter = &g_array_index(waiters, StagedWaiter, i);
		waiter->done(error, waiter->data);
	}
}

/* Refused at once: nothing has begun. */
static void refuse_locked(Staged *staged, const GError *error)
{
	staged_step_locked(staged, STAGED_HERE);
	g_clear_error(&staged->error);
	staged->error = g_error_copy(error);
	if (staged->sent != 0)
		staged->refused = staged->sent;
	staged->sent = 0;
}

/* The kernel keeps the entry as long as it wants, and with it the inode and its text. */
static void let_go(Staged *staged)
{
	staged_uncover(staged);
	StagedFiles *files = staged->files;
	Fs *fs = files->fs;
	g_mutex_lock(&files->lock);
	guint32 in = staged->to.dir;
	g_autofree char *name = staged->at.name ? NULL : g_strdup(staged->to.name);
	g_mutex_unlock(&files->lock);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = name ? tree_dir(tree, in) : NULL;
	if (dir)
		notify_child(fs->notify, fs_dir_inode(fs, dir), name);
}

/* What was tried came to an end; any thread. */
static void finish(Staged *staged, const GError *error)
{
	StagedFiles *files = staged->files;
	g_mutex_lock(&files->lock);
	if (error && staged->step != STAGED_BEGUN && !staged->error)
		refuse_locked(staged, error);
	staged->busy = false;
	g_autoptr(GArray) waiters = take_waiters_locked(staged);
	if (staged->waiters->len > 0 || staged->again)
		wake_locked(files);
	g_mutex_unlock(&files->lock);
	if (!error || staged->over != 0)
		let_go(staged);
	answer(waiters, error);
}

/* Sends what is unsent; once more if it is on its way already, when that is over. The lock is held,
 * and is not any more when this returns. */
static void send_and_unlock(Staged *staged, bool at_once)
{
	g_auto(Upload) upload = {0};
	bool unsent = is_unsent_locked(staged), begin = unsent && (at_once || !staged->busy);
	staged->again = unsent && !begin;
	staged->due_us = 0;
	g_autoptr(GArray) waiters = NULL;
	if (begin)
		begin_locked(staged, place_locked(staged), &upload);
	else if (!staged->busy)
		waiters = take_waiters_locked(staged);
	g_mutex_unlock(&staged->files->lock);
	if (begin)
		send_upload(&upload);
	else if (waiters)
		answer(waiters, NULL);
	if (!begin && staged->over != 0)
		let_go(staged);
}

static void send_rest(Staged *staged, bool at_once)
{
	g_mutex_lock(&staged->files->lock);
	send_and_unlock(staged, at_once);
}

static bool is_of(const Staged *staged, const Intent *intent, guint32 dir)
{
	if (intent->kind == INTENT_APPEND)
		return staged->sent == intent->file;
	return intent->kind == INTENT_COPY && staged->sent == 0 && staged->to.dir == dir &&
	       g_strcmp0(staged->to.name, intent->name) == 0;
}

static Staged *find_locked(StagedFiles *files, const Intent *intent, guint32 dir, StagedStep step)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Staged *staged = value;
		if (staged->step == step && is_of(staged, intent, dir))
			return staged_ref_locked(staged);
	}
	return NULL;
}

static void ignore(const GError *error, gpointer data)
{
}

void staged_begun(StagedFiles *files, const Intent *intent, guint32 dir)
{
	g_mutex_lock(&files->lock);
	Staged *staged = find_locked(files, intent, dir, STAGED_ASKED);
	Staged *unnamed = NULL;
	bool removed = false;
	if (staged) {
		aliases_set_names(files->fs->aliases, intent->id, staged->names);
		staged_step_locked(staged, STAGED_BEGUN);
		staged->intent = intent->id;
		staged->message = (StagedMessage){0};
		staged->kept = staged->tried;
		const StagedPlace *at = &staged->at;
		staged_place_set(&staged->before, at->dir, at->name, at->replaces);
		unnamed = staged_name_locked(staged, 0, NULL);
		removed = staged->removed;
	}
	g_mutex_unlock(&files->lock);
	staged_unref(unnamed);
	staged_unref(staged);
	if (removed) {
		EngineChange change = {.kind = INTENT_REMOVE, .of = intent->id};
		engine_change(files->fs->engine, &change, ENGINE_UNTIL_KEPT, ignore, NULL);
	}
}

/* The name that it had, unless somebody has it by now. */
static void restore_locked(Staged *staged)
{
	const StagedPlace *before = &staged->before;
	if (!before->name || staged->removed ||
		staged_find_locked(staged->files, before->dir, before->name))
		return;
	staged_name_locked(staged, before->dir, before->name);
	staged->at.replaces = before->replaces;
}

void staged_ended(StagedFiles *files, const Intent *intent, guint32 dir, Gen gen, guint32 uid,
	const GError *error)
{
	guint64 spare = 0;
	g_auto(GStrv) names = aliases_names(files->fs->aliases, intent->id);
	g_mutex_lock(&files->lock);
	Staged *staged = find_locked(files, intent, dir, STAGED_BEGUN);
	if (staged && error) {
		/* Taken back without anybody who waits for it: it was removed. */
		staged->removed |= error->code == MAIL_ERROR_CANCELLED && !files->fs->sync;
		refuse_locked(staged, error);
		staged->kept = 0;
		staged->intent = 0;
		restore_locked(staged);
	} else if (staged) {
		staged_step_locked(staged, STAGED_HERE);
		staged->message = (StagedMessage){gen, uid};
		staged->sent = 0;
		spare = staged->refused;
		staged->refused = 0;
	}
	if (staged)
		staged_place_clear(&staged->before);
	g_mutex_unlock(&files->lock);
	if (!error && uid != 0)
		staged_freshen(files, inode_message(gen, uid));
	if (uid != 0)
		staged_keep_names(files->fs, dir, names, (StagedMessage){gen, uid});
	staged_unref(staged);
	if (spare != 0)
		store_unsent_drop(files->fs->store, spare);
}

/* ---- the sender: what nobody waits for, or was not finished in time for who does ---- */

static bool may_send_locked(const Staged *staged, gint64 now_us)
{
	bool due = staged->due_us != 0 && staged->due_us <= now_us;
	return !staged->busy && (due || staged->again || staged->waiters->len > 0);
}

/* One that is to be sent, a reference; otherwise NULL, and when the next one is, 0: none. */
static Staged *next_locked(StagedFiles *files, gint64 *ret_due_us)
{
	gint64 now_us = g_get_monotonic_time();
	GHashTableIter iter;
	gpointer value;
	*ret_due_us = 0;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Staged *staged = value;
		if (may_send_locked(staged, now_us))
			return staged_ref_locked(staged);
		gint64 due_us = staged->busy ? 0 : staged->due_us;
		if (due_us != 0 && (*ret_due_us == 0 || due_us < *ret_due_us))
			*ret_due_us = due_us;
	}
	return NULL;
}

static gpointer run_sender(gpointer data)
{
	StagedFiles *files = data;
	gint64 due_us;
	g_mutex_lock(&files->lock);
	while (!files->closed) {
		Staged *staged = next_locked(files, &due_us);
		if (staged) {
			g_mutex_unlock(&files->lock);
			send_rest(staged, false);
			staged_unref(staged);
			g_mutex_lock(&files->lock);
		} else if (due_us != 0) {
			g_cond_wait_until(&files->wake, &files->lock, due_us);
		} else {
			g_cond_wait(&files->wake, &files->lock);
		}
	}
	g_mutex_unlock(&files->lock);
	return NULL;
}

static void wake_locked(StagedFiles *files)
{
	if (!files->sender && !files->closed)
		files->sender = g_thread_try_new("sender", run_sender, files, NULL);
	g_cond_signal(&files->wake);
}

void staged_defer_locked(Staged *staged)
{
	StagedFiles *files = staged->files;
	bool released = staged->handles > 0 && files->fs->releases;
	if (released || files->closed || !place_locked(staged))
		return;
	/* The sender finds out by itself that it is later. */
	if (staged->due_us == 0)
		wake_locked(files);
	staged->due_us = g_get_monotonic_time() + DEFER_US;
}

void staged_files_close(StagedFiles *files)
{
	g_mutex_lock(&files->lock);
	files->closed = true;
	g_cond_signal(&files->wake);
	GThread *sender = g_steal_pointer(&files->sender);
	g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func((GDestroyNotify)staged_unref);
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_ptr_array_add(all, staged_ref_locked(value));
	g_mutex_unlock(&files->lock);
	if (sender)
		g_thread_join(sender);
	for (guint i = 0; i < all->len; i++)
		send_rest(g_ptr_array_index(all, i), true);
}

/* ---- who makes it go ---- */

void staged_send_rest(Staged *staged)
{
	send_rest(staged, false);
}

void staged_opened(Staged *staged)
{
	StagedFiles *files = staged->files;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	staged->handles++;
}

void staged_released(Staged *staged)
{
	g_mutex_lock(&staged->files->lock);
	staged->handles -= staged->handles > 0;
	bool last = staged->handles == 0;
	if (last)
		staged->owner = 0;
	g_mutex_unlock(&staged->files->lock);
	if (last)
		send_rest(staged, false);
}

bool staged_send_unused(Staged *staged, guint64 uses)
{
	g_mutex_lock(&staged->files->lock);
	if (staged->uses == uses) {
		send_and_unlock(staged, false);
		return true;
	}
	g_mutex_unlock(&staged->files->lock);
	return false;
}

bool staged_closes(Staged *staged, pid_t process)
{
	StagedFiles *files = staged->files;
	g_mutex_lock(&files->lock);
	staged->flushed = staged->version;
	pid_t owner = staged->owner;
	g_mutex_unlock(&files->lock);
	if (owner == 0 || process == 0 || owner == process || !process_lives(owner))
		return true;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	staged_defer_locked(staged);
	return false;
}

void staged_flush(Staged *staged, bool forced, EngineDone done, gpointer data)
{
	g_auto(Upload) upload = {0};
	g_autoptr(GError) error = NULL;
	g_mutex_lock(&staged->files->lock);
	if (forced && !staged->busy && staged->error)
		staged->tried = 0;
	bool unsent = is_unsent_locked(staged), wait = unsent || staged->busy;
	bool begin = unsent && !staged->busy;
	if (wait) {
		StagedWaiter waiter = {done, data, staged->version, forced};
		g_array_append_val(staged->waiters, waiter);
	} else if (staged->frozen && staged->size == 0) {
		error = staged_error(EPERM);
	} else if (staged->error && !staged->told && place_locked(staged)) {
		error = g_error_copy(staged->error);
	}
	if (begin)
		begin_locked(staged, place_locked(staged), &upload);
	/* fsync says so each time, and leaves it to be said by close, too. */
	staged->told |= !forced && (wait || error);
	g_mutex_unlock(&staged->files->lock);
	if (begin)
		send_upload(&upload);
	if (wait)
		return;
	/* An empty one leaves the message as it is. */
	if (staged->over != 0)
		let_go(staged);
	done(error, data);
}

/* Whoever has it open will close it. */
static bool rename_only(Staged *staged, const StagedPlace *place)
{
	g_mutex_lock(&staged->files->lock);
	bool only = staged->size == 0 || staged->flushed != staged->version;
	g_mutex_unlock(&staged->files->lock);
	if (!only || !staged_rename(staged, place->dir, place->name))
		return false;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	staged->at.replaces = place->replaces;
	staged->tried = 0;
	return true;
}

void staged_upload(Staged *staged, guint32 dir, const char *name, Gen gen, guint32 uid, guint64 of,
	EngineDone done, gpointer data)
{
	StagedPlace place = {.dir = dir, .name = (char *)name, .replaces = {gen, uid, of}};
	g_auto(Upload) upload = {0};
	if (rename_only(staged, &place)) {
		done(NULL, data);
		return;
	}
	g_mutex_lock(&staged->files->lock);
	bool busy = staged->busy;
	if (!busy) {
		StagedWaiter waiter = {done, data, staged->version, false};
		g_array_append_val(staged->waiters, waiter);
		begin_locked(staged, &place, &upload);
	}
	g_mutex_unlock(&staged->files->lock);
	if (!busy) {
		send_upload(&upload);
		return;
	}
	g_autoptr(GError) error = g_error_new_literal(
		MAIL_ERROR, MAIL_ERROR_BUSY, "it is on its way under another name");
	done(error, data);
}
