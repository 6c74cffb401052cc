#include "store/file.h"
#include "store/pack.h"
#include "store/ranges.h"
#include "base/fault.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

enum {
	BLOCK = 4096, /* of most file systems; on others fewer bytes come back at once */
	PACKS = 64, /* that hold all of the cache while nothing went */
	LEAST_PACK = 16 << 20, /* bytes */
};

struct Packs {
	int bodies_fd;
	guint64 size; /* of a pack; 0: the file system is not fit for any */
	guint64 last_serial;
	Pack *current; /* the one that grows */
	GHashTable *restored; /* serial to Pack, a reference: until store_packs_settle() */
	gint open; /* atomic: packs that have a descriptor */
};

struct Pack {
	gint refs; /* atomic */
	Packs *packs;
	int fd;
	guint64 serial;
	guint64 fill; /* engine thread */

	pthread_mutex_t mutex; /* guards the rest */
	guint64 bodies;
	bool full; /* gets no further body */
	ByteRanges
		*dead; /* what was released; of a restored one what is live, until it is settled */
};

/* ---- one pack ---- */

/* Takes over fd; -1: NULL. */
static Pack *pack_new(Packs *packs, guint64 serial, int fd)
{
	if (fd < 0)
		return NULL;

	Pack *pack = g_new0(Pack, 1);

	*pack = (Pack){.refs = 1, .packs = packs, .fd = fd, .serial = serial};
	pthread_mutex_init(&pack->mutex, NULL);
	pack->dead = store_ranges_new();
	g_atomic_int_inc(&packs->open);
	return pack;
}

Pack *store_pack_ref(Pack *pack)
{
	g_atomic_int_inc(&pack->refs);
	return pack;
}

void store_pack_unref(Pack *pack)
{
	if (!g_atomic_int_dec_and_test(&pack->refs))
		return;
	close(pack->fd);
	g_atomic_int_add(&pack->packs->open, -1);
	store_ranges_free(pack->dead);
	pthread_mutex_destroy(&pack->mutex);
	g_free(pack);
}

guint64 store_pack_serial(const Pack *pack)
{
	return pack->serial;
}

bool store_pack_read(Pack *pack, guint64 at, void *buf, gsize len)
{
	return store_file_pread(pack->fd, buf, len, at);
}

static bool make_hole(const Pack *pack, guint64 start, guint64 end)
{
	fault_point();
	return fallocate(pack->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)start,
		       (off_t)(end - start)) == 0;
}

/* The whole blocks of start..end, and those at its rims that nothing else needs: start >= end when
 * there is none. */
static ByteRange blocks_of(ByteRange dead, guint64 start, guint64 end)
{
	guint64 first = start / BLOCK * BLOCK, last = (end + BLOCK - 1) / BLOCK * BLOCK;

	if (first < dead.start)
		first += BLOCK;
	if (last > dead.end)
		last -= BLOCK;
	return (ByteRange){first, last};
}

static void punch(const Pack *pack, ByteRange dead, guint64 start, guint64 end)
{
	ByteRange blocks = blocks_of(dead, start, end);

	if (blocks.start < blocks.end)
		make_hole(pack, blocks.start, blocks.end);
}

static void unlink_pack(const Pack *pack)
{
	store_file_drop_pack(pack->packs->bodies_fd, pack->serial);
}

void store_pack_release(Pack *pack, guint64 at, gsize len)
{
	pthread_mutex_lock(&pack->mutex);

	bool empty = --pack->bodies == 0 && pack->full;
	ByteRange dead = {0};

	if (len > 0 && !empty) {
		store_ranges_add(pack->dead, at, at + len);
		dead = store_ranges_around(pack->dead, at);
	}
	pthread_mutex_unlock(&pack->mutex);

	if (empty)
		unlink_pack(pack);
	else if (len > 0)
		punch(pack, dead, at, at + len);
}

/* ---- all of them ---- */

Packs *store_packs_new(int bodies_fd, guint64 cache_size)
{
	Packs *packs = g_new0(Packs, 1);

	packs->bodies_fd = bodies_fd;
	packs->size = MAX(cache_size / PACKS, LEAST_PACK);
	packs->restored = g_hash_table_new_full(
		g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)store_pack_unref);
	return packs;
}

/* No further body goes to the current pack. */
static void close_current(Packs *packs)
{
	Pack *pack = g_steal_pointer(&packs->current);

	if (!pack)
		return;
	pthread_mutex_lock(&pack->mutex);
	pack->full = true;
	bool empty = pack->bodies == 0;
	pthread_mutex_unlock(&pack->mutex);
	if (empty)
		unlink_pack(pack);
	store_pack_unref(pack);
}

void store_packs_free(Packs *packs)
{
	if (!packs)
		return;
	close_current(packs);
	g_hash_table_destroy(packs->restored);
	g_free(packs);
}

/* ---- those of an earlier mount ---- */

static Pack *find_restored(Packs *packs, guint64 serial)
{
	Pack *pack = g_hash_table_lookup(packs->restored, &serial);
	struct stat st;

	if (pack || g_hash_table_size(packs->restored) == LIMIT_PACKS)
		return pack;
	pack = pack_new(packs, serial, store_file_open_pack(packs->bodies_fd, serial));
	if (pack && fstat(pack->fd, &st) == 0)
		pack->fill = (guint64)st.st_size;
	if (pack)
		g_hash_table_insert(packs->restored, &pack->serial, pack);
	return pack;
}

Pack *store_packs_restore(Packs *packs, guint64 serial, guint64 at, guint64 len)
{
	Pack *pack = find_restored(packs, serial);

	if (!pack || at > pack->fill || len > pack->fill - at)
		return NULL;
	pack->bodies++;
	store_ranges_add(pack->dead, at, at + len);
	return store_pack_ref(pack);
}

void store_packs_clear(Packs *packs)
{
	g_hash_table_remove_all(packs->restored);
}

/* Whether the file has any of these blocks, which come from blocks_of(). */
static bool is_allocated(const Pack *pack, ByteRange blocks)
{
	if (blocks.start >= blocks.end)
		return false;

	off_t data = lseek(pack->fd, (off_t)blocks.start, SEEK_DATA);

	return data < 0 ? errno != ENXIO : (guint64)data < blocks.end;
}

/* Most blocks between bodies were given back when those there went. The rest are of bodies that
 * could be read until the mount ended, whose mailbox is gone, or that were never named, since the
 * mount that wrote them crashed. */
static void give_back_gaps(const Pack *pack, const ByteRanges *live)
{
	guint64 at = store_ranges_gap(live, 0);

	while (at < pack->fill) {
		ByteRange dead = store_ranges_around(pack->dead, at);
		ByteRange blocks = blocks_of(dead, dead.start, dead.end);

		if (is_allocated(pack, blocks))
			make_hole(pack, blocks.start, blocks.end);
		at = store_ranges_gap(live, dead.end);
	}
}

/* What no body is in is dead. */
static void settle(Pack *pack)
{
	g_autoptr(ByteRanges) live = pack->dead;

	pack->dead = store_ranges_gaps(live, pack->fill);
	pack->full = true;
	if (pack->bodies == 0)
		unlink_pack(pack);
	else
		give_back_gaps(pack, live);
}

void store_packs_settle(Packs *packs, guint64 last_serial)
{
	Pack *latest = NULL;
	GHashTableIter iter;
	gpointer pack;

	g_hash_table_iter_init(&iter, packs->restored);
	while (g_hash_table_iter_next(&iter, NULL, &pack)) {
		settle(pack);
		if (!latest || ((Pack *)pack)->serial > latest->serial)
			latest = pack;
	}
	if (latest && latest->bodies > 0) {
		latest->full = false;
		packs->current = store_pack_ref(latest);
	}
	g_hash_table_remove_all(packs->restored);
	packs->last_serial = last_serial;
}

/* ---- appending ---- */

/* One that has room, and was not made shorter by somebody: bytes behind the end would make up NULs
 * before them. */
static bool fits(const Pack *pack, gsize len)
{
	struct stat st;

	return pack->fill + len <= pack->packs->size && fstat(pack->fd, &st) == 0 &&
	       (guint64)st.st_size >= pack->fill;
}

/* Whether blocks can be given back, tried on a new pack. */
static bool can_punch(const Pack *pack)
{
	return make_hole(pack, 0, BLOCK);
}

static bool next_pack(Packs *packs)
{
	close_current(packs);
	if (packs->size == 0 || g_atomic_int_get(&packs->open) >= LIMIT_PACKS) {
		errno = EMFILE;
		return false;
	}

	guint64 serial = ++packs->last_serial;

	packs->current = pack_new(packs, serial, store_file_make_pack(packs->bodies_fd, serial));
	if (!packs->current)
		return false;
	if (can_punch(packs->current))
		return true;

	int why = errno;

	packs->size = 0;
	close_current(packs);
	errno = why;
	return false;
}

/* Takes back a write that failed in the middle. */
static void drop_half(const Pack *pack)
{
	struct stat st;

	if (fstat(pack->fd, &st) < 0 || (guint64)st.st_size <= pack->fill)
		return;
	fault_point();
	if (ftruncate(pack->fd, (off_t)pack->fill) == 0)
		return;
	g_debug("cannot shorten a pack: %s", g_strerror(errno));
}

Pack *store_packs_append(Packs *packs, const void *bytes, gsize len, guint64 *ret_at)
{
	if ((!packs->current || !fits(packs->current, len)) && !next_pack(packs))
		return NULL;

	Pack *pack = packs->current;

	if (!store_file_pwrite(pack->fd, bytes, len, pack->fill)) {
		int why = errno;

		drop_half(pack);
		errno = why;
		return NULL;
	}
	*ret_at = pack->fill;
	pack->fill += len;
	pthread_mutex_lock(&pack->mutex);
	pack->bodies++;
	pthread_mutex_unlock(&pack->mutex);
	return store_pack_ref(pack);
}
