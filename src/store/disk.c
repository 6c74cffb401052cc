/* The disk under the cache: whether it takes what is written. */
#include "store/private.h"

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
