/* What must be true of a mountpoint before anything is mounted on it. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A directory that can be reached, with the cache outside of it, where it would hide itself.
 * MAIL_ERROR_INVALID. */
bool mountpoint_check(const char *mountpoint, const char *cachedir, GError **error);
