#include "cli/mountpoint.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/error.h"

/* The real path of the part that exists, with the rest as it is. */
static char *resolve(const char *path)
{
	char real[PATH_MAX];
	if (realpath(path, real))
		return g_strdup(real);
	g_autofree char *parent = g_path_get_dirname(path);
	if (strcmp(parent, path) == 0)
		return g_strdup(path);
	g_autofree char *name = g_path_get_basename(path);
	g_autofree char *above = resolve(parent);
	return g_build_filename(above, name, NULL);
}

static bool is_within(const char *path, const char *dir)
{
	gsize len = strlen(dir);
	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static bool check_cache(const char *mountpoint, const char *cachedir, GError **error)
{
	g_autofree char *dir = resolve(mountpoint);
	g_autofree char *cache = resolve(cachedir);
	if (!is_within(cache, dir))
		return true;
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_INVALID,
		"the cache %s would be inside the mountpoint %s", cache, dir);
	return false;
}

void mountpoint_gone(const char *mountpoint, GError **error)
{
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_INVALID,
		"the program behind the mount on %s is gone; end it with fusermount3 -u",
		mountpoint);
}

char *mountpoint_of(const char *path)
{
	struct stat here, above;
	char real[PATH_MAX];
	if (!realpath(path, real) || lstat(real, &here) != 0)
		return NULL;
	for (;;) {
		g_autofree char *parent = g_path_get_dirname(real);
		if (strcmp(parent, real) == 0 || lstat(parent, &above) != 0 ||
			above.st_dev != here.st_dev)
			return g_strdup(real);
		g_strlcpy(real, parent, sizeof(real));
	}
}

bool mountpoint_check(const char *mountpoint, const char *cachedir, GError **error)
{
	struct stat status;
	struct statvfs fs;
	/* The kernel may remember what stat() says of a root whose program is gone. */
	int failure = stat(mountpoint, &status) != 0 || statvfs(mountpoint, &fs) != 0 ? errno : 0;
	if (failure == ENOTCONN)
		mountpoint_gone(mountpoint, error);
	else if (failure != 0)
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_INVALID, "mountpoint %s: %s", mountpoint,
			g_strerror(failure));
	else if (!S_ISDIR(status.st_mode))
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_INVALID,
			"mountpoint %s is not a directory", mountpoint);
	else
		return check_cache(mountpoint, cachedir, error);
	return false;
}
