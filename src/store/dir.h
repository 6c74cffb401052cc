/* The cache directory of one account: made private and locked against a second mount. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

typedef struct {
	char *path; /* absolute */
	int fd;
	int lock_fd; /* holds the flock */
	int bodies_fd; /* the directory of file.h */
	GHashTable *keep; /* the sweeper's: names of files that are in use */
	guint32 mount; /* the sweeper's: this one's number */
	GThread *sweeper; /* unlinks what earlier mounts left */
	gint closing; /* atomic: it shall end */
} StoreDir;

/* Makes (0700, with parents) or takes over the directory. MAIL_ERROR_ACCESS: it belongs to someone
 * else, is a symbolic link or is open to others; MAIL_ERROR_BUSY: another mount uses it;
 * MAIL_ERROR_IO: it cannot be made or written (read-only, full): go on without. */
StoreDir *store_dir_open(const char *path, GError **error);
void store_dir_close(StoreDir *dir); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreDir, store_dir_close)

/* Unlinks, in a thread of its own, the files of other mounts whose name is not among keep (a set of
 * strings, taken over). Once. */
void store_dir_sweep(StoreDir *dir, guint32 mount, GHashTable *keep);
