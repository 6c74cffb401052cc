#include "fs/rendered.h"

#include "base/limits.h"
#include "fs/lru.h"

typedef struct {
	guint64 told;
	guint64 size;
	bool sized;
	bool gridded;
	bool encoded;
	MimeGrid grid;
	guint64 checked;
} Measure;

struct Rendered {
	GMutex lock;
	GCond made;
	Lru *contents; /* inode to GBytes; lock */
	Lru *measures; /* inode to Measure; lock */
	GHashTable *making; /* inode to whether it was forgotten meanwhile; lock */
};

static void content_free(gpointer data)
{
	g_bytes_unref(data);
}

Rendered *rendered_new(void)
{
	Rendered *rendered = g_new0(Rendered, 1);
	g_mutex_init(&rendered->lock);
	g_cond_init(&rendered->made);
	rendered->contents = lru_new(LIMIT_RENDERED_BYTES, content_free);
	rendered->measures = lru_new(LIMIT_RENDERED_SIZES, g_free);
	rendered->making = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
	return rendered;
}

void rendered_free(Rendered *rendered)
{
	if (!rendered)
		return;
	lru_free(rendered->contents);
	lru_free(rendered->measures);
	g_hash_table_unref(rendered->making);
	g_cond_clear(&rendered->made);
	g_mutex_clear(&rendered->lock);
	g_free(rendered);
}

static Measure *measure_locked(Rendered *rendered, fuse_ino_t ino)
{
	Measure *measure = lru_get(rendered->measures, ino);
	if (!measure) {
		measure = g_new0(Measure, 1);
		lru_put(rendered->measures, ino, measure, 1);
	}
	return measure;
}

/* ---- contents ---- */

GBytes *rendered_begin(Rendered *rendered, fuse_ino_t ino)
{
	guint64 key = ino;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	while (g_hash_table_contains(rendered->making, &key))
		g_cond_wait(&rendered->made, &rendered->lock);
	GBytes *bytes = lru_get(rendered->contents, key);
	if (bytes)
		return g_bytes_ref(bytes);
	g_hash_table_insert(rendered->making, g_memdup2(&key, sizeof(key)), GINT_TO_POINTER(false));
	return NULL;
}

void rendered_end(Rendered *rendered, fuse_ino_t ino, GBytes *bytes)
{
	guint64 key = ino;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	bool forgotten = GPOINTER_TO_INT(g_hash_table_lookup(rendered->making, &key));
	g_hash_table_remove(rendered->making, &key);
	g_cond_broadcast(&rendered->made);
	if (!bytes || forgotten)
		return;
	Measure *measure = measure_locked(rendered, ino);
	measure->size = g_bytes_get_size(bytes);
	measure->sized = true;
	lru_put(rendered->contents, key, g_bytes_ref(bytes), measure->size);
}

/* ---- measures ---- */

bool rendered_size(Rendered *rendered, fuse_ino_t ino, guint64 *ret_size)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	const Measure *measure = lru_get(rendered->measures, ino);
	if (!measure || !measure->sized)
		return false;
	if (ret_size)
		*ret_size = measure->size;
	return true;
}

void rendered_set_size(Rendered *rendered, fuse_ino_t ino, guint64 size)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	Measure *measure = measure_locked(rendered, ino);
	measure->size = size;
	measure->sized = true;
}

void rendered_forget(Rendered *rendered, fuse_ino_t ino)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	guint64 key = ino;
	Measure *measure = lru_get(rendered->measures, ino);
	lru_remove(rendered->contents, ino);
	if (g_hash_table_contains(rendered->making, &key))
		g_hash_table_insert(
			rendered->making, g_memdup2(&key, sizeof(key)), GINT_TO_POINTER(true));
	if (measure)
		*measure = (Measure){.told = measure->told};
}

guint64 rendered_told(Rendered *rendered, fuse_ino_t ino)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	const Measure *measure = lru_get(rendered->measures, ino);
	return measure ? measure->told : 0;
}

void rendered_tell(Rendered *rendered, fuse_ino_t ino, guint64 size)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	measure_locked(rendered, ino)->told = size;
}

bool rendered_grid(Rendered *rendered, fuse_ino_t ino, MimeGrid *ret)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	const Measure *measure = lru_get(rendered->measures, ino);
	if (!measure || !measure->gridded)
		return false;
	*ret = measure->grid;
	return true;
}

void rendered_set_grid(Rendered *rendered, fuse_ino_t ino, const MimeGrid *grid)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	Measure *measure = measure_locked(rendered, ino);
	measure->grid = *grid;
	measure->gridded = true;
	measure->checked = 0;
	measure->size = grid->size;
	measure->sized = grid->line != 0;
}

guint64 rendered_checked(Rendered *rendered, fuse_ino_t ino)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	const Measure *measure = lru_get(rendered->measures, ino);
	return measure ? measure->checked : 0;
}

void rendered_set_checked(Rendered *rendered, fuse_ino_t ino, guint64 from, guint64 to)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	Measure *measure = lru_get(rendered->measures, ino);
	if (measure && from <= measure->checked)
		measure->checked = MAX(measure->checked, to);
}

bool rendered_encoded(Rendered *rendered, fuse_ino_t ino)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	const Measure *measure = lru_get(rendered->measures, ino);
	return measure && measure->encoded;
}

void rendered_set_encoded(Rendered *rendered, fuse_ino_t ino)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&rendered->lock);
	Measure *measure = measure_locked(rendered, ino);
	measure->encoded = true;
	measure->sized = false;
}
