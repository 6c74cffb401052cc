/* The text of a staged file, as programs write it and read it back. */
#include "fs/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "fs/name.h"
#include "store/file.h"
#include "store/unsent.h"

GError *staged_error(int errnum)
{
	static const struct {
		int errnum;
		MailError code;
	} codes[] = {
		{ENOSPC, MAIL_ERROR_NO_SPACE},
		{EDQUOT, MAIL_ERROR_QUOTA},
		{EFBIG, MAIL_ERROR_TOO_BIG},
		{ESTALE, MAIL_ERROR_STALE},
		{EPERM, MAIL_ERROR_DENIED},
	};
	MailError code = MAIL_ERROR_IO;
	for (gsize i = 0; i < G_N_ELEMENTS(codes); i++)
		if (codes[i].errnum == errnum)
			code = codes[i].code;
	return g_error_new_literal(MAIL_ERROR, code, g_strerror(errnum));
}

/* Its descriptor; -1: none. It stays open as long as the caller's reference. */
static int descriptor(Staged *staged)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	return staged->fd;
}

/* Takes fd unless there is one already. Returns what there is; -1: there are too many. */
static int adopt_locked(Staged *staged, int fd, guint64 file)
{
	if (staged->fd >= 0)
		return staged->fd;
	if (staged->files->descriptors >= LIMIT_STAGED_TEXTS)
		return -1;
	staged->files->descriptors++;
	staged->fd = fd;
	staged->file = file;
	return fd;
}

int staged_descriptor(Staged *staged)
{
	int there = descriptor(staged);
	if (there >= 0)
		return there;
	Store *store = staged->files->fs->store;
	guint64 file;
	int fd = store_unsent_new(store, &file);
	if (fd < 0)
		return -1;
	g_mutex_lock(&staged->files->lock);
	there = adopt_locked(staged, fd, file);
	g_mutex_unlock(&staged->files->lock);
	if (there == fd)
		return fd;
	close(fd);
	store_unsent_drop(store, file);
	errno = ENFILE;
	return there;
}

bool staged_is_copy(Staged *staged, Gen *ret_gen, guint32 *ret_uid)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	if (staged->copied.uid == 0)
		return false;
	*ret_gen = staged->copied.gen;
	*ret_uid = staged->copied.uid;
	return true;
}

guint64 staged_size(Staged *staged)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	return staged->size;
}

gsize staged_read_all(int fd, guint64 offset, char *buf, gsize len)
{
	gsize done = 0;
	while (done < len) {
		ssize_t n = pread(fd, buf + done, len - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return 0;
		if (n == 0)
			break;
		done += (gsize)n;
	}
	errno = 0;
	return done;
}

int staged_read(Staged *staged, guint64 offset, char *buf, gsize len, gsize *ret_n)
{
	g_mutex_lock(&staged->files->lock);
	int fd = staged->fd;
	guint64 size = staged->size;
	const GBytes *bytes = staged->bytes;
	g_mutex_unlock(&staged->files->lock);

	len = (gsize)MIN(len, size - MIN(size, offset));
	*ret_n = 0;
	if (len == 0)
		return 0;
	if (fd >= 0) {
		gsize n = staged_read_all(fd, offset, buf, len);
		if (n == 0 && errno != 0)
			return errno;
		*ret_n = n;
		return 0;
	}
	if (bytes) {
		memcpy(buf, (const char *)g_bytes_get_data((GBytes *)bytes, NULL) + offset, len);
		*ret_n = len;
	}
	return 0;
}

int staged_write_all(int fd, const char *bytes, gsize len, guint64 offset)
{
	return store_file_pwrite(fd, bytes, len, offset) ? 0 : errno;
}

/* The text is another one now. */
static void changed_locked(Staged *staged, guint64 size)
{
	gint64 now_us = g_get_real_time();
	staged->size = size;
	staged->version++;
	staged->dated = false;
	staged->date = (struct timespec){
		.tv_sec = now_us / G_USEC_PER_SEC, .tv_nsec = now_us % G_USEC_PER_SEC * 1000};
	staged_defer_locked(staged);
}

/* Whether the text may be so long: in memory not all that is written may be. */
static bool has_room(const Staged *staged, guint64 size)
{
	StagedFiles *files = staged->files;
	GHashTableIter iter;
	gpointer value;
	if (store_directory(files->fs->store))
		return true;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&files->lock);
	if (staged->fd >= 0 && size <= staged->size)
		return true;
	g_hash_table_iter_init(&iter, files->by_number);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Staged *other = value;
		size += other != staged && other->fd >= 0 ? other->size : 0;
	}
	return size <= LIMIT_MEMORY_TEXTS;
}

int staged_write(Staged *staged, const char *bytes, gsize len, guint64 offset)
{
	if (offset > LIMIT_STAGED_BYTES || len > LIMIT_STAGED_BYTES - offset)
		return EFBIG;
	if (staged->bytes)
		return EPERM;
	guint64 size = staged_size(staged);
	if (!has_room(staged, MAX(size, offset + len)))
		return ENOSPC;
	int fd = staged_descriptor(staged);
	if (fd < 0)
		return errno;
	int failed = staged_write_all(fd, bytes, len, offset);
	if (failed != 0) {
		/* What is past the end now must not be seen when the file grows. */
		if (ftruncate(fd, (off_t)size) != 0)
			g_debug("a staged file keeps bytes past its end");
		return failed;
	}
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	changed_locked(staged, MAX(staged->size, offset + len));
	return 0;
}

/* 0; EAGAIN: a copy was given its bytes meanwhile, which must go; or an errno. */
static int truncate_text(Staged *staged, guint64 size, pid_t process)
{
	Gen gen;
	guint32 uid;
	bool copy = staged_is_copy(staged, &gen, &uid);
	int fd = size > 0 ? staged_descriptor(staged) : descriptor(staged);
	if (size > 0 && fd < 0)
		return errno;
	if (fd >= 0 && ftruncate(fd, (off_t)size) != 0)
		return errno;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	if (copy && staged->copied.uid == 0)
		return EAGAIN;
	staged->copied = (StagedMessage){0};
	if (size == 0)
		staged->owner = process;
	changed_locked(staged, size);
	return 0;
}

int staged_truncate(Staged *staged, guint64 size, pid_t process)
{
	int failed;
	if (size > LIMIT_STAGED_BYTES)
		return EFBIG;
	if (staged->bytes)
		return EPERM;
	if (!has_room(staged, size))
		return ENOSPC;
	do {
		failed = truncate_text(staged, size, process);
	} while (failed == EAGAIN);
	return failed;
}

void staged_set_date(Staged *staged, struct timespec date, bool given)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	staged->date = date;
	staged->dated = given;
}

/* A message that is rewritten stays what it is: as with rename() the copy does not take the place
 * of one that has the same name by its UID. */
static bool may_be_copy_locked(const Staged *staged)
{
	if (staged->over != 0)
		return staged->size == 0 && staged->kept == 0;
	return staged->size == 0 && staged->at.name && !name_is_scratch(staged->at.name);
}

bool staged_copy(Staged *staged, Gen gen, guint32 uid, guint64 size)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	if (!may_be_copy_locked(staged))
		return false;
	staged->copied = (StagedMessage){.gen = gen, .uid = uid};
	staged->to.replaces = (StagedMessage){0};
	g_clear_pointer(&staged->names, g_strfreev);
	changed_locked(staged, size);
	return true;
}

/* ---- a copy that gets a text of its own ---- */

enum { FILL_STEP = 1 << 20 };

typedef struct {
	Staged *staged;
	StagedMessage from;
	int fd; /* its own, for whoever asked may be gone and the file be written anew; -1: none */
	guint64 file; /* of the descriptor, in store/unsent.h; 0: none */
	guint64 at;
	bool asked; /* the engine, for the bytes there */
	EngineDone done;
	gpointer data;
	char bytes[FILL_STEP];
} Fill;

static void fill_end(Fill *fill, int failed, const GError *error)
{
	g_autoptr(GError) local = failed != 0 ? staged_error(failed) : NULL;
	if (fill->fd >= 0)
		close(fill->fd);
	if (fill->file != 0)
		store_unsent_drop(fill->staged->files->fs->store, fill->file);
	fill->done(error ? error : local, fill->data);
	staged_unref(fill->staged);
	g_free(fill);
}

/* Its own becomes that of the text; or its bytes do, since that one may be in use just now, and
 * what it was goes. An errno. */
static int adopt_fill_locked(Fill *fill)
{
	Staged *staged = fill->staged;
	int fd = adopt_locked(staged, fill->fd, fill->file);
	guint64 spare = 0;
	if (fd < 0)
		return ENFILE;
	if (fd != fill->fd) {
		if (dup3(fill->fd, fd, O_CLOEXEC) < 0)
			return errno;
		spare = staged->file;
		staged->file = fill->file;
	} else {
		fill->fd = -1;
	}
	fill->file = spare;
	staged->copied = (StagedMessage){0};
	staged->size = fill->at;
	return 0;
}

/* Unless somebody was faster, or truncated it. An errno. */
static int fill_settle(Fill *fill)
{
	const Staged *staged = fill->staged;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&staged->files->lock);
	if (staged->copied.gen != fill->from.gen || staged->copied.uid != fill->from.uid)
		return 0;
	return adopt_fill_locked(fill);
}

/* 0, EAGAIN: the bytes are not here; or an errno. *ret_n: fewer than FILL_STEP at the end. */
static int fill_step(Fill *fill, gsize *ret_n)
{
	Store *store = fill->staged->files->fs->store;
	switch (store_try_read(store, fill->from.gen, fill->from.uid, STORE_MESSAGE, fill->at,
		fill->bytes, FILL_STEP, ret_n)) {
	case STORE_MISS:
		return EAGAIN;
	case STORE_ABSENT:
		return ESTALE;
	case STORE_HIT:
		break;
	}
	return staged_write_all(fill->fd, fill->bytes, *ret_n, fill->at);
}

/* Worker at first, then engine thread. */
static void fill_advance(const GError *error, gpointer data)
{
	Fill *fill = data;
	gsize n = FILL_STEP;
	int failed = 0;
	while (!error && failed == 0 && n == FILL_STEP) {
		failed = fill_step(fill, &n);
		if (failed == EAGAIN && !fill->asked) {
			fill->asked = true;
			engine_body(fill->staged->files->fs->engine, fill->from.gen, fill->from.uid,
				fill->at, FILL_STEP, fill_advance, fill);
			return;
		}
		fill->at += failed == 0 ? n : 0;
		fill->asked = false;
	}
	if (!error && failed == 0)
		failed = fill_settle(fill);
	fill_end(fill, failed, error);
}

void staged_fill(Staged *staged, EngineDone done, gpointer data)
{
	Fill *fill = g_new0(Fill, 1);
	g_mutex_lock(&staged->files->lock);
	fill->staged = staged_ref_locked(staged);
	fill->from = staged->copied;
	g_mutex_unlock(&staged->files->lock);
	fill->done = done;
	fill->data = data;
	bool room = has_room(staged, staged_size(staged));
	fill->fd = room ? store_unsent_new(staged->files->fs->store, &fill->file) : -1;
	if (fill->fd >= 0)
		fill_advance(NULL, fill);
	else
		fill_end(fill, room ? errno : ENOSPC, NULL);
}
