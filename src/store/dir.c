/* Layout: the file `lock` and the folder `bodies` (file.h). Everything is reached from the
 * directory's own descriptor, and below it no symbolic link is ever followed. */
#include "store/dir.h"
#include "store/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_with_parents(const char *path)
{
	g_autofree char *prefix = g_strdup(path);

	for (char *slash = strchr(prefix + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		store_file_make_dir(AT_FDCWD, prefix);
		*slash = '/';
	}
	store_file_make_dir(AT_FDCWD, path);
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

/* Opens the directory `name` under `at` if it is ours alone; path is for messages. */
static int open_private(int at, const char *name, const char *path, GError **error)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		explain(at, name, path, errno, error);
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

/* Calls drop() for the entries of a directory whose names are ours (what somebody else put there
 * stays), until the directory is closed. */
static void each_entry(StoreDir *dir, int dir_fd, bool (*ours)(const char *name),
	void (*drop)(StoreDir *dir, int dir_fd, const char *name))
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd < 0 ? NULL : fdopendir(fd);

	if (!entries) {
		store_file_close(fd);
		return;
	}
	for (struct dirent *entry; !g_atomic_int_get(&dir->closing) && (entry = readdir(entries));)
		if (ours(entry->d_name))
			drop(dir, dir_fd, entry->d_name);
	closedir(entries);
}

static bool is_body_name(const char *name)
{
	return isdigit((guchar)name[0]) && name[strspn(name, "0123456789-")] == '\0';
}

static bool is_left_over_name(const char *name)
{
	return is_body_name(name) || g_str_has_prefix(name, "new-") ||
	       g_str_has_prefix(name, "pack-");
}

static bool is_retired_name(const char *name)
{
	return g_str_has_prefix(name, "old-");
}

static void drop_file(StoreDir *dir, int dir_fd, const char *name)
{
	unlinkat(dir_fd, name, 0);
}

/* A generation's folder, or a file or symbolic link in its place. Something mounted there is not
 * ours. */
static void drop_retired(StoreDir *dir, int bodies_fd, const char *name)
{
	struct stat above, here;
	g_auto(AutoFd) fd =
		openat(bodies_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		drop_file(dir, bodies_fd, name);
		return;
	}
	if (fstat(bodies_fd, &above) < 0 || fstat(fd, &here) < 0 || above.st_dev != here.st_dev)
		return;
	each_entry(dir, fd, is_body_name, drop_file);
	unlinkat(bodies_fd, name, AT_REMOVEDIR);
}

/* Gives it a name that this mount does not use; what is mounted there keeps its own. */
static void retire(StoreDir *dir, int bodies_fd, const char *name)
{
	char retired[32];

	g_snprintf(retired, sizeof(retired), "old-%08x%08x", g_random_int(), g_random_int());
	if (renameat(bodies_fd, name, bodies_fd, retired) < 0)
		drop_retired(dir, bodies_fd, name);
}

/* Unlinking 10^5 files takes seconds: no mount waits for it. What is left over is for the next. */
static gpointer sweep(gpointer data)
{
	StoreDir *dir = data;

	each_entry(dir, dir->bodies_fd, is_retired_name, drop_retired);
	return NULL;
}

static bool open_bodies(StoreDir *dir, int dir_fd, const char *path, GError **error)
{
	g_autofree char *bodies_path = g_build_filename(path, "bodies", NULL);

	store_file_make_dir(dir_fd, "bodies");
	dir->bodies_fd = open_private(dir_fd, "bodies", bodies_path, error);
	if (dir->bodies_fd < 0)
		return false;
	if (faccessat(dir->bodies_fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return fail(error, MAIL_ERROR_IO, bodies_path, g_strerror(errno));
	each_entry(dir, dir->bodies_fd, is_left_over_name, retire);
	dir->sweeper = g_thread_new("sweeper", sweep, dir);
	return true;
}

StoreDir *store_dir_open(const char *path, GError **error)
{
	/* Without a trailing slash, behind which a symbolic link would be followed. */
	g_autofree char *name = g_canonicalize_filename(path, NULL);
	g_autoptr(StoreDir) dir = g_new0(StoreDir, 1);

	*dir = (StoreDir){.fd = -1, .path = g_strdup(name), .lock_fd = -1, .bodies_fd = -1};
	make_with_parents(name);

	dir->fd = open_private(AT_FDCWD, name, name, error);
	if (dir->fd < 0 || !take_lock(dir, dir->fd, name, error) ||
		!open_bodies(dir, dir->fd, name, error))
		return NULL;
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
	g_free(dir->path);
	g_free(dir);
}
