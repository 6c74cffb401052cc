/* The table of staged files: their names, numbers and references. */
#include "fs/staging.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "fs/name.h"
#include "store/unsent.h"

enum {
	/* How long programs go on about a file that they have closed: `rsync --inplace`, `unzip`
	 * and file managers set times and permissions by its name then. */
	FRESH_US = 60 * G_USEC_PER_SEC,
};

typedef struct {
	guint64 ino;
	gint64 until_us;
} Fresh;

/* ---- references ---- */

Staged *staged_ref_locked(Staged *staged)
{
	staged->refs++;
	return staged;
}

Staged *staged_ref(Staged *staged)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	return staged_ref_locked(staged);
}

void staged_place_clear(StagedPlace *place)
{
	g_free(place->name);
	*place = (StagedPlace){0};
}

void staged_place_set(StagedPlace *place, guint32 dir, const char *name, StagedMessage replaces)
{
	char *copy = g_strdup(name);
	g_free(place->name);
	*place = (StagedPlace){.dir = dir, .name = copy, .replaces = replaces};
}

/* Whether nobody else has a text that is worth something, as when it could not be written to where
 * the engine would have taken it: then it stays for the next mount to find (store/unsent.h). */
static bool is_only_copy(const Staged *staged)
{
	bool invalid = staged->error && staged->error->code == MAIL_ERROR_INVALID;
	bool wanted = staged->over != 0 || (staged->at.name && !name_is_scratch(staged->at.name));
	return wanted && staged->size > 0 && staged->kept != staged->version &&
	       staged->refused == 0 && !invalid;
}

static void staged_free(Staged *staged)
{
	Store *store = staged->files->fs->store;
	if (staged->fd >= 0)
		close(staged->fd);
	if (staged->fd >= 0 && !is_only_copy(staged))
		store_unsent_drop(store, staged->file);
	staged_place_clear(&staged->at);
	staged_place_clear(&staged->before);
	staged_place_clear(&staged->to);
	g_clear_pointer(&staged->bytes, g_bytes_unref);
	g_strfreev(staged->names);
	g_free(staged->keywords);
	g_clear_error(&staged->error);
	g_array_unref(staged->waiters);
	g_free(staged);
}

void staged_unref(Staged *staged)
{
	if (!staged)
		return;
	StagedFiles *files = staged->files;
	g_mutex_lock(&files->lock);
	bool last = --staged->refs == 0;
	if (last) {
		g_hash_table_remove(files->by_number, GUINT_TO_POINTER(staged->number));
		files->descriptors -= staged->fd >= 0;
	}
	g_mutex_unlock(&files->lock);
	if (last)
		staged_free(staged);
}

/* ---- the table ---- */

StagedFiles *staged_files_new(Fs *fs)
{
	StagedFiles *files = g_new0(StagedFiles, 1);
	files->fs = fs;
	g_mutex_init(&files->lock);
	g_cond_init(&files->wake);
	files->by_number = g_hash_table_new(NULL, NULL);
	files->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	files->named = g_ptr_array_new();
	files->over = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, NULL);
	return files;
}

void staged_files_free(StagedFiles *files)
{
	if (!files)
		return;
	g_hash_table_remove_all(files->by_name);
	g_hash_table_remove_all(files->over);
	g_ptr_array_set_size(files->named, 0);
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		g_hash_table_iter_remove(&iter);
		staged_free(value);
	}
	g_hash_table_unref(files->by_number);
	g_hash_table_unref(files->by_name);
	g_hash_table_unref(files->over);
	g_ptr_array_unref(files->named);
	g_queue_clear_full(&files->fresh, g_free);
	g_cond_clear(&files->wake);
	g_mutex_clear(&files->lock);
	g_free(files);
}

Staged *staged_add_locked(StagedFiles *files)
{
	if (g_hash_table_size(files->by_number) >= LIMIT_STAGED || files->last == G_MAXUINT32) {
		errno = ENFILE;
		return NULL;
	}
	gint64 now_us = g_get_real_time();
	Staged *staged = g_new0(Staged, 1);
	*staged = (Staged){
		.files = files,
		.number = ++files->last,
		.refs = 1,
		.fd = -1,
		.date = {.tv_sec = now_us / G_USEC_PER_SEC,
			.tv_nsec = now_us % G_USEC_PER_SEC * 1000},
		.waiters = g_array_new(FALSE, FALSE, sizeof(StagedWaiter)),
	};
	g_hash_table_insert(files->by_number, GUINT_TO_POINTER(staged->number), staged);
	return staged;
}

/* ---- names ---- */

static char *place_key(guint32 dir, const char *name)
{
	return g_strdup_printf("%" G_GUINT32_FORMAT "/%s", dir, name);
}

Staged *staged_find_locked(StagedFiles *files, guint32 dir, const char *name)
{
	g_autofree char *key = place_key(dir, name);
	return g_hash_table_lookup(files->by_name, key);
}

/* Where the first of the directory with a number above `after` is, or would be. */
static guint position_locked(const StagedFiles *files, guint32 dir, guint32 after)
{
	guint lo = 0, hi = files->named->len;
	while (lo < hi) {
		guint middle = lo + (hi - lo) / 2;
		const Staged *staged = g_ptr_array_index(files->named, middle);
		if (staged->at.dir > dir || (staged->at.dir == dir && staged->number > after))
			hi = middle;
		else
			lo = middle + 1;
	}
	return lo;
}

static void unname_locked(Staged *staged)
{
	StagedFiles *files = staged->files;
	g_autofree char *key = place_key(staged->at.dir, staged->at.name);
	g_hash_table_remove(files->by_name, key);
	guint at = position_locked(files, staged->at.dir, staged->number - 1);
	g_ptr_array_remove_index(files->named, at);
	staged_place_clear(&staged->at);
}

Staged *staged_name_locked(Staged *staged, guint32 dir, const char *name)
{
	StagedFiles *files = staged->files;
	Staged *ousted = name ? staged_find_locked(files, dir, name) : NULL;
	if (ousted == staged)
		return NULL;
	if (ousted)
		unname_locked(ousted);
	bool had = staged->at.name != NULL;
	if (had)
		unname_locked(staged);
	if (!name)
		return had ? staged : NULL;
	if (!had)
		staged_ref_locked(staged);
	staged_place_set(&staged->at, dir, name, (StagedMessage){0});
	g_hash_table_insert(files->by_name, place_key(dir, name), staged);
	g_ptr_array_insert(files->named, (int)position_locked(files, dir, staged->number), staged);
	return ousted;
}

Staged *staged_create(StagedFiles *files, guint32 dir, const char *name, pid_t process)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	if (staged_find_locked(files, dir, name)) {
		errno = EEXIST;
		return NULL;
	}
	Staged *staged = staged_add_locked(files);
	if (!staged)
		return NULL;
	staged->owner = process;
	staged_name_locked(staged, dir, name);
	return staged;
}

Staged *staged_find(StagedFiles *files, guint32 dir, const char *name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	Staged *staged = staged_find_locked(files, dir, name);
	return staged ? staged_ref_locked(staged) : NULL;
}

void staged_step_locked(Staged *staged, StagedStep step)
{
	staged->files->n_asked += (step == STAGED_ASKED) - (staged->step == STAGED_ASKED);
	staged->step = step;
}

static bool is_going_to(const Staged *staged, guint32 dir, const char *name)
{
	if (staged->step != STAGED_ASKED || staged->to.dir != dir)
		return false;
	return g_strcmp0(staged->to.name, name) == 0 ||
	       (staged->names && g_strv_contains((const char *const *)staged->names, name));
}

Staged *staged_going(StagedFiles *files, guint32 dir, const char *name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	GHashTableIter iter;
	gpointer staged;
	if (files->n_asked == 0)
		return NULL;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &staged))
		if (is_going_to(staged, dir, name))
			return staged_ref_locked(staged);
	return NULL;
}

Staged *staged_get(StagedFiles *files, guint32 number)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	Staged *staged = g_hash_table_lookup(files->by_number, GUINT_TO_POINTER(number));
	return staged ? staged_ref_locked(staged) : NULL;
}

Staged *staged_after(StagedFiles *files, guint32 dir, guint32 after, char **ret_name)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	guint at = position_locked(files, dir, after);
	Staged *staged = at < files->named->len ? g_ptr_array_index(files->named, at) : NULL;
	if (!staged || staged->at.dir != dir)
		return NULL;
	*ret_name = g_strdup(staged->at.name);
	return staged_ref_locked(staged);
}

static Staged *find_sent_locked(StagedFiles *files, guint64 file)
{
	GHashTableIter iter;
	gpointer value;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Staged *staged = value;
		if (staged->sent == file)
			return staged_ref_locked(staged);
	}
	return NULL;
}

Staged *staged_of_text(StagedFiles *files, const Alias *alias)
{
	g_mutex_lock(&files->lock);
	Staged *staged = find_sent_locked(files, alias->file);
	g_mutex_unlock(&files->lock);
	if (staged)
		return staged;

	g_autoptr(GBytes) bytes = store_unsent_read(files->fs->store, alias->file);
	if (!bytes)
		return NULL;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	staged = find_sent_locked(files, alias->file);
	if (staged)
		return staged;
	staged = staged_add_locked(files);
	if (!staged)
		return NULL;
	staged->sent = alias->file;
	staged->intent = alias->intent;
	staged->step = STAGED_BEGUN;
	staged->size = g_bytes_get_size(bytes);
	staged->bytes = g_steal_pointer(&bytes);
	if (alias->date != 0)
		staged->date = (struct timespec){.tv_sec = alias->date};
	return staged;
}

bool staged_message(Staged *staged, Gen *ret_gen, guint32 *ret_uid, guint64 *ret_of)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	*ret_gen = staged->message.gen;
	*ret_uid = staged->message.uid;
	*ret_of = staged->step == STAGED_BEGUN ? staged->intent : 0;
	return *ret_uid != 0 || *ret_of != 0;
}

guint32 staged_number(const Staged *staged)
{
	return staged->number;
}

void staged_attributes(Staged *staged, struct stat *ret)
{
	g_mutex_lock(&staged->files->lock);
	guint64 size = staged->size;
	struct timespec date = staged->date;
	guint64 over = staged->over;
	g_mutex_unlock(&staged->files->lock);
	guint64 ino = over != 0 ? over : inode_staged(staged->number);
	attr_of_file(staged->files->fs, ino, size, date, ret);
}

/* The text that the server did not take: whoever unlinks the file does not want it either. */
static void drop_refused(Staged *staged)
{
	if (!staged)
		return;
	g_mutex_lock(&staged->files->lock);
	guint64 refused = staged->refused;
	staged->refused = 0;
	g_mutex_unlock(&staged->files->lock);
	if (refused != 0)
		store_unsent_drop(staged->files->fs->store, refused);
}

bool staged_rename(Staged *staged, guint32 dir, const char *name)
{
	StagedFiles *files = staged->files;
	g_mutex_lock(&files->lock);
	/* The name that it is on its way under is the one that it will have. */
	bool free = staged->at.name && !staged->busy;
	Staged *ousted = free ? staged_name_locked(staged, dir, name) : NULL;
	if (ousted)
		staged_abandon_locked(ousted);
	g_mutex_unlock(&files->lock);
	drop_refused(ousted);
	staged_unref(ousted);
	return free;
}

void staged_unlink(Staged *staged)
{
	StagedFiles *files = staged->files;
	g_mutex_lock(&files->lock);
	Staged *unnamed = staged_name_locked(staged, 0, NULL);
	staged_abandon_locked(staged);
	g_mutex_unlock(&files->lock);
	drop_refused(unnamed);
	staged_unref(unnamed);
}

/* ---- the kernel's lookups ---- */

void staged_looked_up(Staged *staged)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	if (staged->lookups++ == 0)
		staged_ref_locked(staged);
}

void staged_forget(StagedFiles *files, guint32 number, guint64 lookups)
{
	g_autoptr(Staged) staged = staged_get(files, number);
	if (!staged)
		return;
	g_mutex_lock(&files->lock);
	bool had = staged->lookups > 0;
	staged->lookups -= MIN(staged->lookups, lookups);
	bool last = had && staged->lookups == 0;
	g_mutex_unlock(&files->lock);
	if (!last)
		return;
	staged_send_rest(staged);
	staged_unref(staged);
}

/* ---- what is fresh ---- */

void staged_freshen(StagedFiles *files, guint64 ino)
{
	Fresh *fresh = g_new(Fresh, 1);
	*fresh = (Fresh){ino, g_get_monotonic_time() + FRESH_US};
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	g_queue_push_tail(&files->fresh, fresh);
	if (files->fresh.length > LIMIT_STAGED)
		g_free(g_queue_pop_head(&files->fresh));
}

bool staged_is_fresh(StagedFiles *files, guint64 ino)
{
	gint64 now_us = g_get_monotonic_time();
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	for (const GList *l = files->fresh.tail; l; l = l->prev) {
		const Fresh *fresh = l->data;
		if (fresh->until_us < now_us)
			return false;
		if (fresh->ino == ino)
			return true;
	}
	return false;
}
