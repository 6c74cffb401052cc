/* The disk under the cache: whether it takes what is written, and the room on it. The index is
 * small and tells what the bodies are, so they are worth nothing without it: where the disk gets
 * full they leave it a reserve, and go when that is gone. */
#include "store/db.h"
#include "store/private.h"

#include <errno.h>
#include <sys/statvfs.h>

enum {
	RESERVE_LEAST = 1 << 20,
	RESERVE_INDEXES = 2, /* of the index file: the log of a large save is as long as that */

	/* What is written before the file system is asked again. */
	ROOM_STEP = 8 << 20,
	ROOM_RETRY_US = 1000 * 1000, /* when there was none */

	BLOCK = 4096, /* what a file takes more than its bytes, at most */

	/* Half a block is lost with each body that goes from the middle of a file. */
	YIELD_ROUNDS = 4,
	YIELD_LEAST = 64 << 10,
	YIELD_RETRY_US = 60 * 1000 * 1000, /* after bodies went in vain */
};

void store_disk_init(Disk *disk)
{
	pthread_mutex_init(&disk->mutex, NULL);
}

void store_disk_clear(Disk *disk)
{
	for (int i = 0; i < DISK_CONTENTS_; i++)
		g_free(disk->trouble[i].why);
	pthread_mutex_destroy(&disk->mutex);
}

void store_disk_lacks(Store *store, DiskContent content, const char *why)
{
	Trouble *trouble = &store->disk.trouble[content];

	pthread_mutex_lock(&store->disk.mutex);
	if (!trouble->why)
		trouble->since_us = g_get_real_time();
	g_free(trouble->why);
	trouble->why = g_strdup(why);
	g_atomic_int_set(&trouble->there, 1);
	pthread_mutex_unlock(&store->disk.mutex);
}

void store_disk_failed(Store *store, DiskContent content, const char *why)
{
	store_disk_lacks(store, content, why);
	if (g_atomic_int_compare_and_exchange(&store->disk.warned, 0, 1))
		g_warning("cannot write to the cache directory: %s; what is new is kept in memory "
			  "for now",
			why);
}

/* What was there when it was opened, and is not there any more, is named. */
void store_disk_refused(Store *store, DiskContent content, int why)
{
	g_autofree char *gone = NULL;

	if (why == ENOENT)
		gone = g_strdup_printf("%s was deleted, or a part of it", store->dir->path);
	store_disk_failed(store, content, gone ? gone : g_strerror(why));
}

void store_disk_works(Store *store, DiskContent content)
{
	Trouble *trouble = &store->disk.trouble[content];

	if (!g_atomic_int_get(&trouble->there))
		return;
	pthread_mutex_lock(&store->disk.mutex);
	g_clear_pointer(&trouble->why, g_free);
	g_atomic_int_set(&trouble->there, 0);
	pthread_mutex_unlock(&store->disk.mutex);
}

/* The one that is there for longer. */
static const Trouble *oldest_locked(const Disk *disk)
{
	const Trouble *oldest = NULL;

	for (int i = 0; i < DISK_CONTENTS_; i++) {
		const Trouble *one = &disk->trouble[i];

		if (one->why && (!oldest || one->since_us < oldest->since_us))
			oldest = one;
	}
	return oldest;
}

char *store_unwritable(Store *store, gint64 *ret_since_us)
{
	char *why = NULL;

	pthread_mutex_lock(&store->disk.mutex);

	const Trouble *trouble = oldest_locked(&store->disk);

	if (trouble) {
		why = g_strdup(trouble->why);
		*ret_since_us = trouble->since_us;
	}
	pthread_mutex_unlock(&store->disk.mutex);
	return why;
}

/* ---- room ---- */

/* What other programs leave, and the reserve. false: the file system does not say. */
static bool measure(const Store *store, guint64 *ret_free, guint64 *ret_reserve)
{
	struct statvfs fs;

	if (fstatvfs(store->dir->bodies_fd, &fs) != 0 || fs.f_blocks == 0)
		return false;
	*ret_free = (guint64)fs.f_bavail * fs.f_frsize;
	*ret_reserve = MAX(RESERVE_LEAST, RESERVE_INDEXES * store_db_size(store->dir->fd));
	return true;
}

static bool went_in_vain(Disk *disk)
{
	pthread_mutex_lock(&disk->mutex);

	bool in_vain = g_get_monotonic_time() < disk->in_vain_until_us;

	pthread_mutex_unlock(&disk->mutex);
	return in_vain;
}

static void note_in_vain(Disk *disk)
{
	pthread_mutex_lock(&disk->mutex);
	disk->in_vain_until_us = g_get_monotonic_time() + YIELD_RETRY_US;
	pthread_mutex_unlock(&disk->mutex);
}

/* Where a snapshot of the file system keeps what is deleted, or the room comes later, bodies are
 * worth more than nothing. */
bool store_disk_yield(Store *store)
{
	guint64 left, reserve, before = 0;
	bool gone = false;

	if (went_in_vain(&store->disk))
		return false;
	for (int i = 0; i < YIELD_ROUNDS && measure(store, &left, &reserve) && left < reserve;
		i++) {
		if (gone && left <= before) {
			note_in_vain(&store->disk);
			return true;
		}
		before = left;
		gone |= store_bodies_shrink(store, MAX(reserve - left, YIELD_LEAST));
	}
	return gone;
}

/* How much bodies may take; less than bytes: nothing. */
static guint64 find_room(Store *store, guint64 bytes)
{
	guint64 left, reserve;

	if (!measure(store, &left, &reserve))
		return bytes + ROOM_STEP;
	if (left < reserve)
		store_disk_yield(store);
	return left < reserve + bytes ? 0 : MAX(bytes, MIN(left - reserve, ROOM_STEP));
}

bool store_disk_take(Store *store, guint64 bytes)
{
	Disk *disk = &store->disk;
	gint64 now_us = g_get_monotonic_time();

	bytes += BLOCK;
	if (disk->room < bytes && now_us >= disk->full_until_us) {
		disk->room = find_room(store, bytes);
		disk->full_until_us = disk->room < bytes ? now_us + ROOM_RETRY_US : 0;
	}
	if (disk->room < bytes) {
		errno = ENOSPC;
		return false;
	}
	disk->room -= bytes;
	return true;
}
