/* Mountpoints: what must be true of one before anything is mounted on it, and which one a path is
 * in. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* A directory that can be reached, with the cache outside of it, where it would hide itself.
 * MAIL_ERROR_INVALID. */
bool mountpoint_check(const char *mountpoint, const char *cachedir, GError **error);

/* Sets MAIL_ERROR_INVALID: what is mounted there ended without unmounting (ENOTCONN). */
void mountpoint_gone(const char *mountpoint, GError **error);

/* The root of the mount that a path is in, a new string; NULL with errno. Waits as long as what is
 * mounted there makes it. */
char *mountpoint_of(const char *path);
