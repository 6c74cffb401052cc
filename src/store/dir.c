/* Layout: the file `lock`, the index file (db.h) and the folder `bodies` (file.h). Everything is
 * reached from the directory's own descriptor, and below it no symbolic link is ever followed. */
#include "store/dir.h"
#include "store/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Why it cannot be made, an errno; 0: it is there. */
static int make_one(int at, const char *name)
{
	return store_file_make_dir(at, name) || errno == EEXIST ? 0 : errno;
}

/* The first reason is the one that counts: what is below has no place then. But an automounter may
 * refuse to make what is there. */
static int make_with_parents(const char *path)
{
	g_autofree char *prefix = g_strdup(path);
	int why = 0;

	for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int failure = make_one(AT_FDCWD, prefix);
		*slash = '/';
		why = why != 0 ? why : failure;
	}
	int failure = make_one(AT_FDCWD, path);
	return why != 0 ? why : failure;
}

static bool fail(GError **error, int code, const char *path, const char *why)
{
	g_set_error(error, MAIL_ERROR, code, "cache directory %s: %s", path, why);
	return false;
}

static bool check_private(int fd, const char *path, GError **error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(error, MAIL_ERROR_IO, path, g_strerror(errno));
	if (st.st_uid != geteuid())
		return fail(error, MAIL_ERROR_ACCESS, path, "belongs to another user");
	if (st.st_mode & 077)
		return fail(error, MAIL_ERROR_ACCESS, path,
			"is open to other users (its mode must be 0700)");
	return true;
}

/* Why the directory `name` under `at` cannot be opened: the unsafe reasons first. */
static void explain(int at, const char *name, const char *path, int open_errno, GError **error)
{
	struct stat st;

	if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		fail(error, MAIL_ERROR_ACCESS, path, "is a symbolic link");
	else if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid != geteuid())
		fail(error, MAIL_ERROR_ACCESS, path, "belongs to another user");
	else
		fail(error, MAIL_ERROR_IO, path, g_strerror(open_errno));
}

/* Opens the directory `name` under `at` if it is ours alone; path is for messages, and not_made why
 * it may be missing. */
static int open_private(int at, const char *name, const char *path, int not_made, GError **error)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		explain(at, name, path, errno == ENOENT && not_made != 0 ? not_made : errno, error);
		return -1;
	}
	if (!check_private(fd, path, error)) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool take_lock(StoreDir *dir, int dir_fd, const char *path, GError **error)
{
	dir->lock_fd = store_file_make(dir_fd, "lock");
	if (dir->lock_fd < 0 && errno == EEXIST)
		dir->lock_fd = openat(dir_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (dir->lock_fd < 0 && errno == ELOOP)
		return fail(error, MAIL_ERROR_ACCESS, path, "its lock file is a symbolic link");
	if (dir->lock_fd < 0)
		return fail(error, MAIL_ERROR_IO, path, g_strerror(errno));
	if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return fail(error, MAIL_ERROR_BUSY, path,
			"another mount is using it (cachedir= gives this one its own)");
	return fail(error, MAIL_ERROR_IO, path, g_strerror(errno));
}

/* Calls fn() for the entries of a directory, until the directory is closed. */
static void each_entry(
	StoreDir *dir, int dir_fd, void (*fn)(StoreDir *dir, int dir_fd, const char *name))
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);

	if (!entries) {
		store_file_close(fd);
		return;
	}
	for (struct dirent *entry; !g_atomic_int_get(&dir->closing) && (entry = readdir(entries));)
		fn(dir, dir_fd, entry->d_name);
	closedir(entries);
}

/* The number of the mount that made a file: "<uid>-<serial>", "pack-<serial>". */
static guint32 mount_of(const char *name)
{
	const char *dash = strchr(name, '-');
	guint64 serial = 0;

	if (!dash || !g_ascii_string_to_unsigned(dash + 1, 10, 1, G_MAXUINT64, &serial, NULL))
		return 0;
	return (guint32)(serial >> 32);
}

static bool is_ours(const char *name)
{
	return strspn(name, "0123456789-") == strlen(name) || g_str_has_prefix(name, "pack-") ||
	       g_str_has_prefix(name, "new-");
}

/* A file that an earlier mount left and nothing names: it crashed before it said so. */
static bool is_left_over(const StoreDir *dir, const char *name)
{
	return is_ours(name) && mount_of(name) != dir->mount &&
	       !g_hash_table_contains(dir->keep, name);
}

static void sweep_file(StoreDir *dir, int dir_fd, const char *name)
{
	if (is_left_over(dir, name))
		store_file_unlink(dir_fd, name, 0);
}

/* A generation's folder, or a file or symbolic link in its place. Something mounted there is not
 * ours. */
static void sweep_folder(StoreDir *dir, int bodies_fd, const char *name)
{
	struct stat above, here;
	g_auto(AutoFd) fd =
		openat(bodies_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		store_file_unlink(bodies_fd, name, 0);
		return;
	}
	if (fstat(bodies_fd, &above) < 0 || fstat(fd, &here) < 0 || above.st_dev != here.st_dev)
		return;
	each_entry(dir, fd, sweep_file);
	store_file_unlink(bodies_fd, name, AT_REMOVEDIR);
}

static void sweep_entry(StoreDir *dir, int bodies_fd, const char *name)
{
	if (name[strspn(name, "0123456789")] == '\0')
		sweep_folder(dir, bodies_fd, name);
	else
		sweep_file(dir, bodies_fd, name);
}

static gpointer sweep(gpointer data)
{
	StoreDir *dir = data;

	each_entry(dir, dir->bodies_fd, sweep_entry);
	return NULL;
}

/* Unlinking 10^5 files takes seconds: no mount waits for it. What is left, all where no thread can
 * be made, is for the next. */
void store_dir_sweep(StoreDir *dir, guint32 mount, GHashTable *keep)
{
	dir->mount = mount;
	dir->keep = keep;
	dir->sweeper = g_thread_try_new("sweeper", sweep, dir, NULL);
}

static bool open_bodies(StoreDir *dir, int dir_fd, const char *path, GError **error)
{
	g_autofree char *bodies_path = g_build_filename(path, "bodies", NULL);

	int not_made = make_one(dir_fd, "bodies");
	dir->bodies_fd = open_private(dir_fd, "bodies", bodies_path, not_made, error);
	if (dir->bodies_fd < 0)
		return false;
	if (faccessat(dir->bodies_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return fail(error, MAIL_ERROR_IO, bodies_path, g_strerror(errno));
	return true;
}

StoreDir *store_dir_open(const char *path, GError **error)
{
	/* Without a trailing slash, behind which a symbolic link would be followed. */
	g_autofree char *name = g_canonicalize_filename(path, NULL);
	g_autoptr(StoreDir) dir = g_new0(StoreDir, 1);

	*dir = (StoreDir){.fd = -1, .lock_fd = -1, .bodies_fd = -1};

	int not_made = make_with_parents(name);

	dir->fd = open_private(AT_FDCWD, name, name, not_made, error);
	if (dir->fd < 0 || !take_lock(dir, dir->fd, name, error) ||
		!open_bodies(dir, dir->fd, name, error))
		return NULL;
	dir->path = g_steal_pointer(&name);
	return g_steal_pointer(&dir);
}

void store_dir_close(StoreDir *dir)
{
	if (!dir)
		return;
	g_atomic_int_set(&dir->closing, 1);
	g_clear_pointer(&dir->sweeper, g_thread_join);
	store_file_close(dir->bodies_fd);
	store_file_close(dir->lock_fd);
	store_file_close(dir->fd);
	g_clear_pointer(&dir->keep, g_hash_table_unref);
	g_free(dir->path);
	g_free(dir);
}
