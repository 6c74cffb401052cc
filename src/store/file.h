/* The files of bodies: bodies/<gen>/<uid>-<serial>, bodies/pack-<serial> for those that share one,
 * and bodies/new-<serial> for what has no place yet. A serial begins with the number of the mount
 * that gave it, in its upper half. All functions run in any thread and touch the
 * disk, so call them with no lock held; failures leave errno. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <unistd.h>

/* A descriptor that g_auto() closes; -1: none. */
typedef int AutoFd;
void store_file_close(AutoFd fd);
G_DEFINE_AUTO_CLEANUP_FREE_FUNC(AutoFd, store_file_close, -1)

/* A new directory, 0700, and a new file, 0600 and open for reading and writing, under any umask. */
bool store_file_make_dir(int at, const char *name);
int store_file_make(int at, const char *name);

/* unlinkat(): everything that goes from the cache goes through here. */
bool store_file_unlink(int at, const char *name, int flags);

/* A serial is never used twice: a name never comes to stand for other bytes, so that opening a
 * file that was dropped meanwhile can only fail. So it does not need the item, which the index
 * alone tells. */
typedef struct {
	guint32 gen, uid;
	guint16 item; /* StoreItem */
	guint64 serial;
} BodyFile;

/* Opens for writing pieces: a new file, or one that is still at least min_size long (a shorter one
 * was tampered with: ESTALE; writing behind its end would make up NUL bytes). */
int store_file_open_new(int bodies_fd, BodyFile file);
int store_file_open_again(int bodies_fd, BodyFile file, guint64 min_size);

/* Another name for the file of a body that no piece is missing of. */
bool store_file_link(int bodies_fd, BodyFile from, BodyFile to);

/* Reads exactly len bytes; ESTALE: the file is shorter. */
bool store_file_read(int bodies_fd, BodyFile file, guint64 offset, void *buf, gsize len);

void store_file_drop(int bodies_fd, BodyFile file);

/* Removes the folder of a generation that has no file left. */
void store_file_drop_gen(int bodies_fd, guint32 gen);

/* A file for bodies of several messages (pack.h), bodies/pack-<serial>: a new one, or one that is
 * there. */
int store_file_make_pack(int bodies_fd, guint64 serial);
int store_file_open_pack(int bodies_fd, guint64 serial);
void store_file_drop_pack(int bodies_fd, guint64 serial);

/* Their names without the folder, new strings. */
char *store_file_body_name(BodyFile file);
char *store_file_pack_name(guint64 serial);

/* A file for bytes whose body is not decided yet, and its move to where it belongs. */
int store_file_open_temp(int bodies_fd, guint64 serial);
bool store_file_adopt_temp(int bodies_fd, guint64 serial, BodyFile file);
void store_file_drop_temp(int bodies_fd, guint64 serial);

/* Exactly len bytes at offset; reading less is ESTALE. */
bool store_file_pread(int fd, void *buf, gsize len, guint64 offset);
bool store_file_pwrite(int fd, const void *bytes, gsize len, guint64 offset);
