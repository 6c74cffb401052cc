/* A body on its way in: up to LIMIT_SINK_MEMORY in a buffer, then to a file without a place yet;
 * where no file can be written, or it would be larger than the cache, to memory up to
 * LIMIT_MEMORY_BODIES. */
#include "store/private.h"
#include "store/piece.h"
#include "base/limits.h"

#include <errno.h>
#include <string.h>

struct StoreSink {
	Store *store;
	guint8 *buffer; /* of LIMIT_SINK_MEMORY; NULL until the first byte */
	gsize fill;
	guint64 flushed; /* bytes before those of the buffer: in one of the next two */
	int temp_fd;
	guint64 temp_serial;
	GByteArray *memory;
	bool lost; /* more than memory may hold: only counted from now on */
	PieceSum *sum; /* of the bytes flushed; NULL: none were */
};

/* ---- buffers ---- */

static guint8 *take_buffer(Store *store)
{
	return store->n_spare > 0 ? store->spare[--store->n_spare] : g_malloc(LIMIT_SINK_MEMORY);
}

static void give_buffer(Store *store, guint8 *buffer)
{
	if (buffer && store->n_spare < STORE_SPARE_BUFFERS)
		store->spare[store->n_spare++] = buffer;
	else
		g_free(buffer);
}

/* ---- writing ---- */

StoreSink *store_sink_new(Store *store)
{
	StoreSink *sink = g_new0(StoreSink, 1);

	sink->store = store;
	sink->temp_fd = -1;
	return sink;
}

static void drop_temp(StoreSink *sink)
{
	if (sink->temp_fd < 0)
		return;
	close(sink->temp_fd);
	store_file_drop_temp(sink->store->dir->bodies_fd, sink->temp_serial);
	sink->temp_fd = -1;
}

void store_sink_free(StoreSink *sink)
{
	if (!sink)
		return;
	drop_temp(sink);
	give_buffer(sink->store, sink->buffer);
	if (sink->memory)
		g_byte_array_unref(sink->memory);
	piece_sum_free(sink->sum);
	g_free(sink);
}

/* The server says when a body ends, so nothing else bounds the file. */
static bool fits_cache(const StoreSink *sink)
{
	guint64 used, limit;

	store_usage(sink->store, &used, &limit);
	return sink->flushed + sink->fill <= limit;
}

static bool flush_to_file(StoreSink *sink)
{
	Store *store = sink->store;

	if (!store->dir || sink->memory || !fits_cache(sink))
		return false;
	bool room = store_disk_take(store, sink->fill);
	if (room && sink->temp_fd < 0) {
		sink->temp_serial = ++store->last_serial;
		sink->temp_fd = store_file_open_temp(store->dir->bodies_fd, sink->temp_serial);
	}
	if (room && sink->temp_fd >= 0 &&
		store_file_pwrite(sink->temp_fd, sink->buffer, sink->fill, sink->flushed)) {
		store_disk_works(store, DISK_BODIES);
		return true;
	}
	store_disk_refused(store, DISK_BODIES, errno);
	return false;
}

/* Brings what was flushed to the file back into memory. */
static bool leave_file(StoreSink *sink)
{
	bool here = true;

	if (sink->memory)
		return true;
	sink->memory = g_byte_array_new();
	if (sink->temp_fd >= 0 && sink->flushed <= LIMIT_MEMORY_BODIES) {
		g_byte_array_set_size(sink->memory, (guint)sink->flushed);
		here = store_file_pread(sink->temp_fd, sink->memory->data, sink->memory->len, 0);
	}
	drop_temp(sink);
	return here;
}

static void lose(StoreSink *sink)
{
	sink->lost = true;
	drop_temp(sink);
	g_clear_pointer(&sink->memory, g_byte_array_unref);
}

/* The hash of all bytes. */
static guint64 hash_of(const StoreSink *sink)
{
	return sink->sum ? piece_sum_end(sink->sum) : piece_hash(sink->buffer, sink->fill);
}

static void flush(StoreSink *sink)
{
	if (!sink->sum)
		sink->sum = piece_sum_new();
	piece_sum_add(sink->sum, sink->buffer, sink->fill);
	if (!sink->lost && !flush_to_file(sink)) {
		if (sink->flushed + sink->fill > LIMIT_MEMORY_BODIES || !leave_file(sink))
			lose(sink);
		else
			g_byte_array_append(sink->memory, sink->buffer, (guint)sink->fill);
	}
	sink->flushed += sink->fill;
	sink->fill = 0;
}

void store_sink_write(StoreSink *sink, const void *bytes, gsize len)
{
	const guint8 *from = bytes;

	if (!sink->buffer)
		sink->buffer = take_buffer(sink->store);
	while (len > 0) {
		gsize n = MIN(len, LIMIT_SINK_MEMORY - sink->fill);

		memcpy(sink->buffer + sink->fill, from, n);
		sink->fill += n;
		from += n;
		len -= n;
		if (sink->fill == LIMIT_SINK_MEMORY)
			flush(sink);
	}
}

guint64 store_sink_size(const StoreSink *sink)
{
	return sink->flushed + sink->fill;
}

/* ---- committing ---- */

/* Puts everything in one place: the buffer alone, the file or the memory. */
static bool gather(StoreSink *sink)
{
	if (sink->flushed > 0 && sink->fill > 0)
		flush(sink);
	return !sink->lost;
}

static bool copy_temp(StoreSink *sink, int fd, guint64 origin)
{
	guint8 *buffer = take_buffer(sink->store);
	guint64 size = store_sink_size(sink), done = 0;
	bool ok = true;

	while (ok && done < size) {
		gsize n = (gsize)MIN(size - done, LIMIT_SINK_MEMORY);

		ok = store_file_pread(sink->temp_fd, buffer, n, done) &&
		     store_file_pwrite(fd, buffer, n, origin + done);
		done += n;
	}
	give_buffer(sink->store, buffer);
	return ok;
}

static bool copy_to(StoreSink *sink, int fd, guint64 origin)
{
	if (sink->temp_fd >= 0)
		return copy_temp(sink, fd, origin);
	if (sink->memory)
		return store_file_pwrite(fd, sink->memory->data, sink->memory->len, origin);
	return store_file_pwrite(fd, sink->buffer, sink->fill, origin);
}

static bool put_in_old_file(StoreSink *sink, BodyFile file, guint64 origin, guint64 min_size)
{
	g_auto(AutoFd) fd = store_file_open_again(sink->store->dir->bodies_fd, file, min_size);

	return fd >= 0 && store_disk_take(sink->store, store_sink_size(sink)) &&
	       copy_to(sink, fd, origin);
}

static bool put_in_new_file(StoreSink *sink, BodyFile file, guint64 origin)
{
	int bodies_fd = sink->store->dir->bodies_fd;

	if (sink->temp_fd >= 0 && origin == 0 &&
		store_file_adopt_temp(bodies_fd, sink->temp_serial, file)) {
		close(sink->temp_fd);
		sink->temp_fd = -1;
		return true;
	}

	bool room = store_disk_take(sink->store, store_sink_size(sink));
	g_auto(AutoFd) fd = room ? store_file_open_new(bodies_fd, file) : -1;

	if (fd >= 0 && copy_to(sink, fd, origin))
		return true;
	store_disk_refused(sink->store, DISK_BODIES, errno);
	if (fd >= 0)
		store_file_drop(bodies_fd, file);
	return false;
}

/* Everything as one block of memory, new; NULL when there is too much of it. */
static guint8 *take_bytes(StoreSink *sink)
{
	gsize size = (gsize)store_sink_size(sink);

	if (sink->flushed == 0)
		return g_memdup2(sink->buffer, size);
	if (size > LIMIT_MEMORY_BODIES || !leave_file(sink))
		return NULL;
	return g_realloc(g_byte_array_free(g_steal_pointer(&sink->memory), FALSE), size);
}

static bool put_in_memory(StoreSink *sink, BodyFile file, const BodyNews *news)
{
	guint8 *bytes = take_bytes(sink);

	if (!bytes && store_sink_size(sink) > 0)
		return false;
	store_bodies_put_memory(sink->store, file, bytes, news);
	return true;
}

/* Only what is whole and never will change. */
static bool put_in_pack(StoreSink *sink, BodyFile file, const BodyNews *news)
{
	Store *store = sink->store;
	Pack *pack;
	guint64 at;

	if (!store->packs || sink->flushed > 0 || news->start > 0 || news->end != news->limit ||
		!store_disk_take(store, sink->fill))
		return false;
	pack = store_packs_append(store->packs, sink->buffer, sink->fill, &at);
	if (!pack)
		return false;
	store_bodies_put_pack(store, file, pack, at, news);
	store_disk_works(store, DISK_BODIES);
	return true;
}

static bool put(StoreSink *sink, BodyFile file, const BodyPlace *place, const BodyNews *news)
{
	Store *store = sink->store;
	g_autofree guint8 *bytes = NULL;

	file.serial = place->serial;
	switch (place->kind) {
	case BODY_PLACE_KNOWN:
		return store_bodies_learn(store, file, news);
	case BODY_PLACE_MEMORY:
		bytes = take_bytes(sink);
		return bytes && store_bodies_extend_memory(store, file, bytes, news);
	case BODY_PLACE_FILE:
		if (put_in_old_file(sink, file, news->start, place->min_size) &&
			store_bodies_learn(store, file, news))
			return true;
		break;
	case BODY_PLACE_NEW:
		break;
	}

	file.serial = ++store->last_serial;
	if (put_in_pack(sink, file, news))
		return true;
	if (!store->dir || !put_in_new_file(sink, file, news->start))
		return put_in_memory(sink, file, news);
	store_bodies_put_file(store, file, news);
	store_disk_works(store, DISK_BODIES);
	return true;
}

/* An answer without a byte says nothing but that the message ends at origin or before. */
static BodyNews news_of(const StoreSink *sink, guint64 origin, bool ends)
{
	guint64 size = store_sink_size(sink);

	if (size == 0)
		return (BodyNews){.limit = origin};
	return (BodyNews){origin, origin + size, ends ? origin + size : G_MAXUINT64, hash_of(sink)};
}

bool store_sink_commit(StoreSink *sink, Gen gen, guint32 uid, StoreItem item, guint64 origin,
	guint64 asked, bool whole)
{
	g_autoptr(StoreSink) owned = sink;
	Store *store = owned->store;
	guint64 size = store_sink_size(owned);
	BodyFile file = {.gen = gen, .uid = uid, .item = item};
	BodyPlace place = {.kind = BODY_PLACE_NEW};

	if (!store_index_has(store, gen, uid) || !gather(owned))
		return false;
	if (whole ? origin != 0 : asked == 0 || size > asked || origin > G_MAXINT64 - size)
		return false;

	BodyNews news = news_of(owned, origin, whole || size < asked);

	if (!whole)
		place = store_bodies_place(store->bodies, file, &news);
	return put(owned, file, &place, &news);
}
