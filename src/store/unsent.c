/* The folder `unsent`, where `<number>.part` is still being written, `<number>.eml` is to be sent
 * and `<number>.lost` is what a mount that ended early had of a text. Numbers begin with that of
 * the mount, as the serials of file.h do, so that none is given twice. */
#include "store/unsent.h"
#include "store/private.h"
#include "base/fault.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static const char folder_name[] = "unsent";

struct Unsent {
	const StoreDir *dir; /* constant; NULL: in memory */

	pthread_mutex_t mutex; /* guards the rest */
	guint64 last;
	GHashTable *memory; /* number to Memory */
	guint64 memory_bytes; /* of those that are kept */
};

/* Without a directory. */
typedef struct {
	guint64 number;
	int fd; /* our own */
	bool kept;
	guint64 size; /* of a kept one */
} Memory;

typedef struct {
	char text[40];
} Name;

static Name name_of(guint64 number, const char *suffix)
{
	Name name;

	g_snprintf(name.text, sizeof name.text, "%" G_GUINT64_FORMAT ".%s", number, suffix);
	return name;
}

/* ---- the folder ---- */

/* It is opened each time: somebody may have deleted it. -1 with errno. */
static int open_folder(const StoreDir *dir)
{
	struct stat st;
	int fd = openat(dir->fd, folder_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0)
		return fd;
	close(fd);
	errno = EACCES;
	return -1;
}

static int make_folder(const StoreDir *dir)
{
	if (!store_file_make_dir(dir->fd, folder_name) && errno != EEXIST)
		return -1;
	return open_folder(dir);
}

static bool rename_in(int folder, Name from, Name to)
{
	fault_point();
	return renameat(folder, from.text, folder, to.text) == 0;
}

typedef struct {
	guint64 last; /* the highest number */
	guint kept; /* .eml and .lost */
	guint lost; /* those that became .lost now */
} Found;

/* What a mount that ended early was writing: mail, as far as it came. */
static void settle_part(int folder, guint64 number, Found *found)
{
	Name part = name_of(number, "part"), lost = name_of(number, "lost");
	struct stat st;

	if (fstatat(folder, part.text, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISREG(st.st_mode) && st.st_size == 0)
		store_file_unlink(folder, part.text, 0);
	else if (faccessat(folder, lost.text, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
		 rename_in(folder, part, lost))
		found->lost++;
}

static bool has_suffix(const char *name, guint64 number, const char *suffix)
{
	return strcmp(name, name_of(number, suffix).text) == 0;
}

static void look_at(int folder, const char *name, bool settle, Found *found)
{
	guint64 number = g_ascii_strtoull(name, NULL, 10);

	found->last = MAX(found->last, number);
	if (has_suffix(name, number, "eml") || has_suffix(name, number, "lost"))
		found->kept++;
	else if (settle && has_suffix(name, number, "part"))
		settle_part(folder, number, found);
}

/* settle: nobody writes to any of them. */
static Found look(const StoreDir *dir, bool settle)
{
	Found found = {0};
	int fd = open_folder(dir);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);

	if (!entries) {
		store_file_close(fd);
		return found;
	}
	for (struct dirent *entry; (entry = readdir(entries));)
		look_at(fd, entry->d_name, settle, &found);
	closedir(entries);
	return found;
}

/* ---- beginning and end ---- */

static void free_memory(gpointer data)
{
	Memory *memory = data;

	close(memory->fd);
	g_free(memory);
}

Unsent *store_unsent_open(const StoreDir *dir, guint64 last)
{
	Unsent *unsent = g_new0(Unsent, 1);
	Found found = dir ? look(dir, true) : (Found){0};

	*unsent = (Unsent){.dir = dir, .last = MAX(last, found.last)};
	pthread_mutex_init(&unsent->mutex, NULL);
	unsent->memory = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, free_memory);
	if (found.lost > 0)
		g_warning("%u messages that were being written when the last mount was cut off are "
			  "kept, as far as they came: %s/%s/*.lost",
			found.lost, dir->path, folder_name);
	return unsent;
}

void store_unsent_close(Unsent *unsent)
{
	if (!unsent)
		return;
	g_hash_table_destroy(unsent->memory);
	pthread_mutex_destroy(&unsent->mutex);
	g_free(unsent);
}

/* ---- in memory ---- */

static int new_in_memory(Unsent *unsent, guint64 number)
{
	int fd = memfd_create("unsent", MFD_CLOEXEC);
	int ours = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (ours < 0) {
		int why = errno;

		store_file_close(fd);
		errno = why;
		return -1;
	}

	Memory *memory = g_new(Memory, 1);

	*memory = (Memory){.number = number, .fd = ours};
	pthread_mutex_lock(&unsent->mutex);
	g_hash_table_insert(unsent->memory, &memory->number, memory);
	pthread_mutex_unlock(&unsent->mutex);
	return fd;
}

/* 0 or an errno. */
static int keep_in_memory_locked(Unsent *unsent, guint64 number)
{
	Memory *memory = g_hash_table_lookup(unsent->memory, &number);
	struct stat st;

	if (!memory || fstat(memory->fd, &st) < 0)
		return ENOENT;
	if (unsent->memory_bytes + (guint64)st.st_size > LIMIT_MEMORY_TEXTS)
		return ENOSPC;
	memory->kept = true;
	memory->size = (guint64)st.st_size;
	unsent->memory_bytes += memory->size;
	return 0;
}

static bool keep_in_memory(Unsent *unsent, guint64 number)
{
	pthread_mutex_lock(&unsent->mutex);

	int failed = keep_in_memory_locked(unsent, number);

	pthread_mutex_unlock(&unsent->mutex);
	errno = failed;
	return failed == 0;
}

static void drop_memory(Unsent *unsent, guint64 number)
{
	pthread_mutex_lock(&unsent->mutex);

	const Memory *memory = g_hash_table_lookup(unsent->memory, &number);

	if (memory)
		unsent->memory_bytes -= memory->size;
	g_hash_table_remove(unsent->memory, &number);
	pthread_mutex_unlock(&unsent->mutex);
}

/* A descriptor of the caller's. */
static int open_memory(Unsent *unsent, guint64 number)
{
	int fd = -1;

	errno = ENOENT;
	pthread_mutex_lock(&unsent->mutex);

	const Memory *memory = g_hash_table_lookup(unsent->memory, &number);

	if (memory && memory->kept)
		fd = fcntl(memory->fd, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&unsent->mutex);
	return fd;
}

static guint count_memory(Unsent *unsent)
{
	GHashTableIter iter;
	gpointer memory;
	guint n = 0;

	pthread_mutex_lock(&unsent->mutex);
	g_hash_table_iter_init(&iter, unsent->memory);
	while (g_hash_table_iter_next(&iter, NULL, &memory))
		n += ((const Memory *)memory)->kept;
	pthread_mutex_unlock(&unsent->mutex);
	return n;
}

/* ---- one text ---- */

static guint64 next_number(Unsent *unsent)
{
	pthread_mutex_lock(&unsent->mutex);

	guint64 number = ++unsent->last;

	pthread_mutex_unlock(&unsent->mutex);
	return number;
}

static int new_in_folder(const StoreDir *dir, guint64 number)
{
	g_auto(AutoFd) folder = make_folder(dir);

	return folder < 0 ? -1 : store_file_make(folder, name_of(number, "part").text);
}

int store_unsent_new(Store *store, guint64 *ret_number)
{
	Unsent *unsent = store->unsent;
	guint64 number = next_number(unsent);
	int fd = unsent->dir ? new_in_folder(unsent->dir, number) : new_in_memory(unsent, number);

	if (fd >= 0)
		*ret_number = number;
	return fd;
}

/* Its bytes, then its name, then that of the folder, which may be new. */
bool store_unsent_keep(Store *store, guint64 number, int fd, bool durable)
{
	const StoreDir *dir = store->unsent->dir;

	if (!dir)
		return keep_in_memory(store->unsent, number);

	g_auto(AutoFd) folder = open_folder(dir);

	if (folder < 0 || (durable && fsync(fd) < 0) ||
		!rename_in(folder, name_of(number, "part"), name_of(number, "eml")))
		return false;
	return !durable || (fsync(folder) == 0 && fsync(dir->fd) == 0);
}

static int open_kept(Unsent *unsent, guint64 number)
{
	if (!unsent->dir)
		return open_memory(unsent, number);

	g_auto(AutoFd) folder = open_folder(unsent->dir);

	if (folder < 0)
		return -1;
	return openat(folder, name_of(number, "eml").text,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

GBytes *store_unsent_read(Store *store, guint64 number)
{
	g_auto(AutoFd) fd = open_kept(store->unsent, number);

	if (fd < 0)
		return NULL;
	errno = EIO;

	g_autoptr(GMappedFile) file = g_mapped_file_new_from_fd(fd, FALSE, NULL);

	return file ? g_mapped_file_get_bytes(file) : NULL;
}

void store_unsent_drop(Store *store, guint64 number)
{
	Unsent *unsent = store->unsent;

	if (!unsent->dir) {
		drop_memory(unsent, number);
		return;
	}

	g_auto(AutoFd) folder = open_folder(unsent->dir);

	if (folder >= 0 && !store_file_unlink(folder, name_of(number, "eml").text, 0))
		store_file_unlink(folder, name_of(number, "part").text, 0);
}

char *store_unsent_path(Store *store, guint64 number)
{
	const StoreDir *dir = store->unsent->dir;

	return dir ? g_build_filename(dir->path, folder_name, name_of(number, "eml").text, NULL)
		   : NULL;
}

guint store_unsent_count(Store *store)
{
	Unsent *unsent = store->unsent;

	return unsent->dir ? look(unsent->dir, false).kept : count_memory(unsent);
}
