/* The items of one message as those of another one. */
#include "store/body.h"
#include "base/limits.h"

#include <string.h>

/* A whole body in a file of its own, as that of another message: both have the same bytes, and
 * neither file is ever written to again. NULL: it is none. What is doubtful of it stays so. */
static Body *copy_of(Bodies *bodies, BodyFile from, BodyFile to, BodyFile *ret_from)
{
	Body *copy = NULL;

	pthread_mutex_lock(&bodies->mutex);

	const Body *body = store_body_find_locked(bodies, body_key_of(from));

	if (body && !body->ranges && !body->in_memory && !body->pack && !body->unreadable) {
		copy = g_new0(Body, 1);
		*copy = (Body){
			.key = body_key_of(to),
			.limit = body->limit,
			.doubtful = body->doubtful,
		};
		copy->n_pieces = body->n_pieces;
		if (body_is_plain(body))
			copy->hash = body->hash;
		else
			copy->pieces = g_memdup2(body->pieces, body->n_pieces * sizeof(Piece));
		*ret_from = body_file(body);
	}
	pthread_mutex_unlock(&bodies->mutex);
	return copy;
}

/* A second name for the file: messages that have one are large. false: the file system has no such
 * thing, or it is no such body. */
static bool copy_by_link(Store *store, BodyFile from, BodyFile to)
{
	BodyFile source;
	Body *copy = store->dir ? copy_of(store->bodies, from, to, &source) : NULL;

	if (!copy)
		return false;
	to.serial = copy->serial = ++store->last_serial;
	if (!store_file_link(store->dir->bodies_fd, source, to)) {
		store_body_free(copy);
		return false;
	}
	store_body_put_copy(store, copy);
	return true;
}

/* Through the hands of a reader, who proves them. */
static void copy_bytes(Store *store, BodyFile from, BodyFile to)
{
	g_autoptr(StoreSink) sink = store_sink_new(store);
	g_autofree guint8 *buffer = g_malloc(LIMIT_SINK_MEMORY);
	gsize n;

	do {
		if (store_try_read(store, from.gen, from.uid, from.item, store_sink_size(sink),
			    buffer, LIMIT_SINK_MEMORY, &n) != STORE_HIT)
			return;
		store_sink_write(sink, buffer, n);
	} while (n == LIMIT_SINK_MEMORY);
	store_sink_commit(g_steal_pointer(&sink), to.gen, to.uid, to.item, 0, 0, true);
}

/* Those that are whole. */
static GArray *whole_items(Bodies *bodies, Gen gen, guint32 uid)
{
	GArray *items = g_array_new(FALSE, FALSE, sizeof(StoreItem));

	pthread_mutex_lock(&bodies->mutex);
	for (const Body *body = store_body_first_locked(bodies, gen, uid); body;
		body = body->next) {
		StoreItem item = body_file(body).item;

		if (!body->ranges && !body->unreadable)
			g_array_append_val(items, item);
	}
	pthread_mutex_unlock(&bodies->mutex);
	return items;
}

static void copy_item(Store *store, BodyFile from, BodyFile to)
{
	if (!store_has_body(store, to.gen, to.uid, to.item) && !copy_by_link(store, from, to))
		copy_bytes(store, from, to);
}

void store_copy_body(Store *store, Gen gen, guint32 uid, Gen to_gen, guint32 to_uid)
{
	if (!store_index_has(store, to_gen, to_uid))
		return;

	g_autoptr(GArray) items = whole_items(store->bodies, gen, uid);

	for (guint i = 0; i < items->len; i++) {
		StoreItem item = g_array_index(items, StoreItem, i);

		copy_item(store, (BodyFile){.gen = gen, .uid = uid, .item = item},
			(BodyFile){.gen = to_gen, .uid = to_uid, .item = item});
	}
}
