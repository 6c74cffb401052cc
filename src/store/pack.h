/* Packs: files that many small bodies share, one behind the other, since making a file costs more
 * than its bytes do. A place in a pack is written once and never again. The blocks of bodies that
 * went are given back at once, a pack without any left is unlinked; where the file system cannot
 * give back blocks in the middle of a file there are no packs. */
#pragma once

#include <glib.h>

/* One file, shared by those who read it and the bodies in it: reference counted. Any thread. */
typedef struct Pack Pack;

Pack *store_pack_ref(Pack *pack);
void store_pack_unref(Pack *pack);

/* The number in its file's name. */
guint64 store_pack_serial(const Pack *pack);

/* Exactly len bytes; ESTALE: the file is shorter. The bytes count only when the body was still here
 * afterwards: the blocks of one that goes read as NUL. Any thread. */
bool store_pack_read(Pack *pack, guint64 at, void *buf, gsize len);

/* The body at this place went: gives its blocks back. Any thread. */
void store_pack_release(Pack *pack, guint64 at, gsize len);

typedef struct Packs Packs;

/* Packs in the directory of file.h, big enough that few of them hold cache_size bytes. */
Packs *store_packs_new(int bodies_fd, guint64 cache_size);
void store_packs_free(Packs *packs); /* when all bodies are; accepts NULL */

/* Writes a body. Returns a reference to its pack, or NULL with errno: it needs a file of its own.
 * Engine thread. */
Pack *store_packs_append(Packs *packs, const void *bytes, gsize len, guint64 *ret_at);

/* The pack that an earlier mount wrote this body to, a reference; NULL: it is gone or too short.
 * Only before store_packs_settle(), which ends the taking over: what no body was restored from is
 * free, the latest pack grows on, and new ones get the serials behind last_serial. */
Pack *store_packs_restore(Packs *packs, guint64 serial, guint64 at, guint64 len);
void store_packs_settle(Packs *packs, guint64 last_serial);

/* Forgets those that were restored, whose bodies are no more. Before store_packs_settle(). */
void store_packs_clear(Packs *packs);
