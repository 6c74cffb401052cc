#include "fs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "fs/alias.h"
#include "fs/named.h"
#include "fs/op.h"
#include "fs/query.h"
#include "fs/rendered.h"
#include "fs/trees.h"
#include "fs/unlisted.h"
#include "fs/viewed.h"
#include "fs/workers.h"
#include "imap/utf7.h"

enum {
	/* No worker waits for the server, so a few serve any number of readers. */
	WORKERS = 10,

	/* How often fs_stop() tries to wake the loop. */
	WAKE_US = G_USEC_PER_SEC / 50,

	/* How long unmounting waits for an invalidation that is under way, and between two looks
	 * for requests that keep it. */
	STOP_US = 2 * G_USEC_PER_SEC,
	STOP_STEP_US = G_USEC_PER_SEC / 100,

	/* All permissions that the tree has; the masks take away. */
	FILE_MODE = 0666,
	DIR_MODE = 0777,
	READ_ONLY_MASK = 0222,
};

/* Wakes the thread in fs_loop(); nothing else uses it. */
#define WAKE_SIGNAL SIGUSR2

Tree *fs_tree(Fs *fs)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->tree_lock);
	return fs->tree ? tree_ref(fs->tree) : NULL;
}

guint fs_news(Fs *fs)
{
	return (guint)g_atomic_int_get(&fs->news);
}

/* In this order: of a generation that ends after this look the engine takes all that were shown. */
bool fs_shows(Fs *fs, Gen gen, const ImapSet *uids)
{
	shown_add(fs->shown, gen, uids);
	return store_gen_mailbox(fs->store, gen) != 0;
}

const TreeDir *fs_dir(const Fs *fs, const Tree *tree, Inode inode)
{
	switch (inode.kind) {
	case INODE_ROOT_KIND:
		return tree_dir(tree, (guint32)g_atomic_int_get(&fs->root));
	case INODE_DIRECTORY:
		return tree_dir(tree, inode.id);
	default:
		return NULL;
	}
}

const TreeDir *fs_dir_behind(const Fs *fs, const Tree *tree, Inode inode)
{
	if (inode.kind != INODE_VIEW && inode.kind != INODE_QUERY)
		return fs_dir(fs, tree, inode);
	const TreeDir *dir = tree_dir(tree, inode.id);
	return dir && (dir->mailbox != 0 || fs_dir_inode(fs, dir) == INODE_ROOT) ? dir : NULL;
}

bool fs_find_view(const Fs *fs, const TreeDir *dir, const char *name, ViewKind *ret)
{
	ViewKind kind;
	if (!view_find(name, &kind))
		return false;
	bool at_root = kind == VIEW_SEARCH && fs_dir_inode(fs, dir) == INODE_ROOT;
	if (dir->mailbox == 0 && !at_root)
		return false;
	*ret = kind;
	return true;
}

bool fs_is_fixed(Inode inode)
{
	switch (inode.kind) {
	case INODE_OWN:
	case INODE_TEXT:
	case INODE_PARTS:
	case INODE_PART:
		return true;
	case INODE_VIEW:
		return view_is_fixed(inode.part);
	default:
		return false;
	}
}

bool fs_shows_messages(Inode inode)
{
	return inode.kind == INODE_QUERY ||
	       (inode.kind == INODE_VIEW && !view_is_fixed(inode.part));
}

bool fs_is_reserved(const Fs *fs, const Tree *tree, Inode dir, const char *name)
{
	ViewKind kind;
	const TreeDir *there = fs_dir(fs, tree, dir);
	return (dir.kind == INODE_ROOT_KIND && strcmp(name, OWN_NAME) == 0) ||
	       (there && fs_find_view(fs, there, name, &kind));
}

fuse_ino_t fs_dir_inode(const Fs *fs, const TreeDir *dir)
{
	/* What is above the root of the mount is not in the mount. */
	guint32 root = (guint32)g_atomic_int_get(&fs->root);
	return dir->id == root || dir->id == 0 ? INODE_ROOT : inode_directory(dir->id);
}

char *fs_mailbox_path(Fs *fs, MailboxId mailbox)
{
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree ? tree_of_mailbox(tree, mailbox) : NULL;
	return dir ? tree_path(tree, (guint32)g_atomic_int_get(&fs->root), dir) : NULL;
}

EngineUntil fs_until(const Fs *fs)
{
	return fs->sync ? ENGINE_UNTIL_DONE : ENGINE_UNTIL_KEPT;
}

bool fs_may_edit(const Fs *fs, const TreeDir *dir)
{
	StoreMailbox mailbox;
	if (fs->read_only || !store_mailbox(fs->store, dir->mailbox, &mailbox))
		return false;
	switch (fs->edit) {
	case FS_EDIT_DRAFTS:
		return mailbox.attributes & IMAP_LIST_DRAFTS;
	case FS_EDIT_ALL:
		return true;
	case FS_EDIT_NONE:
		break;
	}
	return false;
}

static bool reading(fuse_ino_t ino, gpointer data)
{
	const Fs *fs = data;
	return kernel_reading(fs->kernel, ino, NULL);
}

static void rename_clear(gpointer data)
{
	FsRename *rename = data;
	g_free(rename->wire);
	g_free(rename->name);
}

Fs *fs_new(Store *store, const FsConfig *config)
{
	Fs *fs = g_new0(Fs, 1);
	fs->store = store;
	fs->source = g_strdup(config->source);
	fs->account = g_strdup(config->account);
	fs->root_path = g_strdup(config->root);
	fs->allow_other = config->allow_other;
	fs->foreground = config->foreground;
	fs->owner_uid = config->owner_uid;
	fs->owner_gid = config->owner_gid;
	fs->read_only = config->read_only;
	fs->sync = config->sync;
	fs->lists_views = config->lists_views;
	fs->delete = config->delete;
	fs->edit = config->edit;
	fs->names = config->names;
	fs->poll_us = config->poll_s * G_USEC_PER_SEC;
	mode_t never = config->read_only ? READ_ONLY_MASK : 0;
	fs->file_mode = FILE_MODE & ~(config->fmask | never);
	fs->dir_mode = DIR_MODE & ~(config->dmask | never);
	fs->mounted_at = g_get_real_time() / G_USEC_PER_SEC;
	fs->kernel = kernel_new(fs);
	fs->notify = notify_new(reading, fs);
	fs->shown = shown_new();
	fs->snapshots = snapshots_new();
	fs->aliases = aliases_new();
	fs->staged = staged_files_new(fs);
	fs->unlisted = unlisted_new();
	fs->viewed = viewed_new();
	fs->named = named_new();
	fs->queries = queries_new();
	fs->trees = trees_new();
	fs->rendered = rendered_new();
	fs->workers = op_workers_new();
	fs->opened = g_hash_table_new(NULL, NULL);
	fs->ids = tree_ids_new();
	fs->renames = g_array_new(FALSE, FALSE, sizeof(FsRename));
	g_array_set_clear_func(fs->renames, rename_clear);
	g_mutex_init(&fs->open_lock);
	g_mutex_init(&fs->update_lock);
	g_mutex_init(&fs->tree_lock);
	g_mutex_init(&fs->loop_lock);
	g_cond_init(&fs->loop_ended);
	return fs;
}

void fs_free(Fs *fs)
{
	if (!fs)
		return;
	fs_unmount(fs);
	workers_free(fs->workers);
	g_clear_pointer(&fs->waker, g_thread_join);
	notify_free(fs->notify);
	g_clear_pointer(&fs->session, fuse_session_destroy);
	kernel_free(fs->kernel);
	shown_free(fs->shown);
	snapshots_free(fs->snapshots);
	aliases_free(fs->aliases);
	staged_files_free(fs->staged);
	unlisted_free(fs->unlisted);
	viewed_free(fs->viewed);
	named_free(fs->named);
	queries_free(fs->queries);
	trees_free(fs->trees);
	rendered_free(fs->rendered);
	g_hash_table_unref(fs->opened);
	tree_unref(fs->journaled);
	tree_unref(fs->tree);
	tree_ids_free(fs->ids);
	g_array_unref(fs->renames);
	g_cond_clear(&fs->loop_ended);
	g_mutex_clear(&fs->loop_lock);
	g_mutex_clear(&fs->tree_lock);
	g_mutex_clear(&fs->update_lock);
	g_mutex_clear(&fs->open_lock);
	g_free(fs->source);
	g_free(fs->account);
	g_free(fs->root_path);
	g_free(fs);
}

/* ---- mounting ---- */

/* The directory by its path in the tree or by the mailbox's own name. */
static const TreeDir *find_root(const Fs *fs, const Tree *tree)
{
	if (!fs->root_path)
		return tree_dir(tree, 0);
	const TreeDir *dir = tree_find(tree, fs->root_path);
	g_autofree char *wire = imap_utf7_encode(fs->root_path, strlen(fs->root_path));
	g_autoptr(GArray) mailboxes = store_mailboxes(fs->store);
	for (guint i = 0; !dir && wire && i < mailboxes->len; i++) {
		const StoreMailbox *mailbox = &g_array_index(mailboxes, StoreMailbox, i);
		if (strcmp(mailbox->name, wire) == 0)
			dir = tree_of_mailbox(tree, mailbox->id);
	}
	return dir;
}

bool fs_has_root(Fs *fs)
{
	g_autoptr(GArray) mailboxes = store_mailboxes(fs->store);
	if (mailboxes->len == 0)
		return false;
	fs_tree_update(fs);
	g_autoptr(Tree) tree = fs_tree(fs);
	if (!find_root(fs, tree))
		return false;
	/* What the first LIST shows otherwise changed since that mount. */
	journal_folders(fs);
	return true;
}

bool fs_set_root(Fs *fs, GError **error)
{
	fs_tree_update(fs);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *root = find_root(fs, tree);
	if (!root) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_NOT_FOUND,
			"the account has no mailbox \"%s\"", fs->root_path);
		return false;
	}
	g_atomic_int_set(&fs->root, (gint)root->id);
	return true;
}

/* Commas and backslashes end an option's value. */
static char *escape_option(const char *value)
{
	GString *escaped = g_string_new(NULL);
	for (; *value; value++) {
		if (*value == ',' || *value == '\\')
			g_string_append_c(escaped, '\\');
		g_string_append_c(escaped, *value);
	}
	return g_string_free(escaped, FALSE);
}

/* What libfuse says to nobody in particular. It calls this in the thread that failed: the last
 * words before a failure are its reason. */
static GPrivate last_words = G_PRIVATE_INIT(g_free);

static void on_fuse_log(enum fuse_log_level level, const char *format, va_list args)
	G_GNUC_PRINTF(2, 0);

static void on_fuse_log(enum fuse_log_level level, const char *format, va_list args)
{
	g_autofree char *text = g_strdup_vprintf(format, args);
	g_strchomp(text);
	g_debug("libfuse: %s", text);
	if (level <= FUSE_LOG_ERR)
		g_private_replace(&last_words, g_steal_pointer(&text));
}

/* Without last words it was fusermount3 that failed, which writes to our stderr by itself. */
static bool fail(GError **error, const char *mountpoint)
{
	const char *why = g_private_get(&last_words);
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_IO, "cannot mount on %s: %s", mountpoint,
		why ? why : "fusermount3 failed, for the reason it gave above");
	return false;
}

static struct fuse_session *session_new(Fs *fs)
{
	g_autofree char *source = escape_option(fs->source);
	g_autofree char *options =
		g_strdup_printf("default_permissions,%s,nosuid,nodev,noexec,subtype=imapfs,"
				"fsname=%s%s",
			fs->read_only ? "ro" : "rw", source, fs->allow_other ? ",allow_other" : "");
	char *argv[] = {"imapfs", "-o", options, NULL};
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct fuse_session *session =
		fuse_session_new(&args, &ops_table, sizeof(ops_table), fs->kernel);
	fuse_opt_free_args(&args);
	return session;
}

bool fs_mount(Fs *fs, Engine *engine, const char *mountpoint, GError **error)
{
	if (!fs_set_root(fs, error))
		return false;
	fs->engine = engine;
	fuse_set_log_func(on_fuse_log);
	struct fuse_session *session = session_new(fs);
	if (!session)
		return fail(error, mountpoint);
	if (fuse_session_mount(session, mountpoint) != 0) {
		fuse_session_destroy(session);
		return fail(error, mountpoint);
	}
	fs->mounted = true;
	notify_start(fs->notify, session, fs->foreground);
	g_mutex_lock(&fs->loop_lock);
	fs->session = session;
	g_mutex_unlock(&fs->loop_lock);
	return true;
}

/* false: there was none. */
static bool answer_one(Fs *fs, struct fuse_buf *buf)
{
	if (fuse_session_receive_buf(fs->session, buf) <= 0)
		return false;
	fuse_session_process_buf(fs->session, buf);
	kernel_close(fs->kernel);
	return true;
}

/* The news may wait in the kernel for a lock whose holder waits for us. Those that are parked were
 * answered; but a request may have come since the last worker left, and with a descriptor of its
 * own the news keeps the connection, which else would end such a request, open (channel.c). */
static void let_news_end(Fs *fs)
{
	struct fuse_buf buf = {0};
	bool more = true;
	gint64 end = g_get_monotonic_time() + STOP_US;
	fcntl(fuse_session_fd(fs->session), F_SETFL, O_RDWR | O_NONBLOCK);
	while (!notify_stopped(fs->notify, more ? 0 : STOP_STEP_US) && g_get_monotonic_time() < end)
		more = answer_one(fs, &buf);
	free(buf.mem);
}

void fs_unmount(Fs *fs)
{
	if (!fs->mounted)
		return;
	fs->mounted = false;
	kernel_close(fs->kernel);
	notify_stop(fs->notify);
	let_news_end(fs);
	fuse_session_unmount(fs->session);
	staged_files_close(fs->staged);
}

/* ---- the loop ---- */

static int loop(struct fuse_session *session)
{
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 12)
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	fuse_loop_cfg_set_clone_fd(config, 0);
	fuse_loop_cfg_set_max_threads(config, WORKERS);
	fuse_loop_cfg_set_idle_threads(config, WORKERS);
	int result = fuse_session_loop_mt(session, config);
	fuse_loop_cfg_destroy(config);
	return result;
#else
	struct fuse_loop_config config = {.clone_fd = 0, .max_idle_threads = WORKERS};
	return fuse_session_loop_mt(session, &config);
#endif
}

static void on_wake(int signal_number)
{
}

bool fs_loop(Fs *fs)
{
	struct sigaction wake = {.sa_handler = on_wake};
	struct sigaction before;
	sigaction(WAKE_SIGNAL, &wake, &before);

	g_mutex_lock(&fs->loop_lock);
	fs->looper = pthread_self();
	fs->looping = true;
	bool run = !fs->stopping;
	g_mutex_unlock(&fs->loop_lock);

	int result = run ? loop(fs->session) : 0;

	g_mutex_lock(&fs->loop_lock);
	fs->looping = false;
	g_cond_broadcast(&fs->loop_ended);
	g_mutex_unlock(&fs->loop_lock);
	sigaction(WAKE_SIGNAL, &before, NULL);
	/* A worker that is reading a request in the moment of the unmount gets that error. */
	return result >= 0 || result == -ECONNABORTED;
}

/* libfuse's loop sleeps on a semaphore until a worker leaves, and looks whether it shall end only
 * when a signal interrupts that. One that comes just before it sleeps is lost, so it is repeated.
 */
static gpointer wake_loop(gpointer data)
{
	Fs *fs = data;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->loop_lock);
	while (fs->looping) {
		pthread_kill(fs->looper, WAKE_SIGNAL);
		g_cond_wait_until(
			&fs->loop_ended, &fs->loop_lock, g_get_monotonic_time() + WAKE_US);
	}
	return NULL;
}

/* false: the caller must wake the loop. */
static bool begin_stop(Fs *fs)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&fs->loop_lock);
	if (fs->stopping)
		return true;
	fs->stopping = true;
	if (fs->session)
		fuse_session_exit(fs->session);
	fs->waker = g_thread_try_new("fs-waker", wake_loop, fs, NULL);
	return fs->waker != NULL;
}

void fs_stop(Fs *fs)
{
	if (!begin_stop(fs))
		wake_loop(fs);
}
