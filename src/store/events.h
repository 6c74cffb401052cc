/* The file `events` of the cache directory: a journal of changes for programs that follow it (tail
 * -F, inotify). Bounded: past LIMIT_EVENTS_FILE it becomes `events.1`, and a new one begins. What
 * cannot be written is lost and harms nobody. Engine thread, save for the path. */
#pragma once

#include <glib.h>

typedef struct StoreEvents StoreEvents;

/* dir_fd outlives it; dir_path: where that is, absolute. Makes the file, so that it can be waited
 * on; NULL when there can be none. */
StoreEvents *store_events_new(int dir_fd, const char *dir_path);
void store_events_free(StoreEvents *events); /* accepts NULL */

/* Appends whole lines of LIMIT_EVENTS_FILE bytes at most in one write; none of them if they cannot
 * all be written. */
void store_events_write(StoreEvents *events, const char *lines, gsize len);
