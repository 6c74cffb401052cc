/* The cache directory of one account: made private, locked against a second mount, and emptied of
 * the bodies of an earlier one. */
#pragma once

#include "base/error.h"

#include <stdbool.h>

typedef struct {
	int fd; /* the directory itself */
	char *path; /* of it; absolute */
	int lock_fd; /* holds the flock */
	int bodies_fd; /* the directory of file.h */
	GThread *sweeper; /* unlinks what an earlier mount left */
	gint closing; /* atomic: it shall end */
} StoreDir;

/* Makes (0700, with parents) or takes over the directory. MAIL_ERROR_ACCESS: it belongs to someone
 * else, is a symbolic link or is open to others; MAIL_ERROR_BUSY: another mount uses it;
 * MAIL_ERROR_IO: it cannot be made or written (read-only, full): go on without. */
StoreDir *store_dir_open(const char *path, GError **error);
void store_dir_close(StoreDir *dir); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreDir, store_dir_close)
