/* Texts that are on their way to the server or could not be brought there: the folder `unsent` of
 * the cache directory, a file for each, which keeps its text until the server is known to have it.
 * Without a directory they are in memory, up to LIMIT_MEMORY_TEXTS of those that are kept. Any
 * thread; all of it touches the disk. */
#pragma once

#include "store/store.h"

/* A new, empty one, open for reading and writing; the caller owns the descriptor. -1 with errno. It
 * is named `<number>.part`: what is left of it by a crash goes at the next mount. */
int store_unsent_new(Store *store, guint64 *ret_number);

/* It is to be sent as it is: `<number>.eml` from now on, which only store_unsent_drop() takes away.
 * fd: of store_unsent_new(); it stays the caller's. With `durable` its bytes are on the disk itself
 * before this returns. false with errno. */
bool store_unsent_keep(Store *store, guint64 number, int fd, bool durable);

/* The text of a kept one, all of it, mapped; NULL with errno. It stays valid when it is dropped. */
GBytes *store_unsent_read(Store *store, guint64 number);

/* It goes, kept or not. */
void store_unsent_drop(Store *store, guint64 number);

/* Where a kept one is, absolute: new string; NULL: in memory. */
char *store_unsent_path(Store *store, guint64 number);

/* How many kept ones there are, those on their way among them. */
guint store_unsent_count(Store *store);
