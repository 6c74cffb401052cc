#include "fs/trees.h"

#include <string.h>

#include "base/limits.h"
#include "fs/lru.h"

typedef struct {
	MimeTree *tree;
	bool whole;
} Known;

struct Trees {
	GMutex lock;
	Lru *known; /* generation and UID to Known; lock */
};

static void known_free(gpointer data)
{
	Known *known = data;
	mime_tree_unref(known->tree);
	g_free(known);
}

Trees *trees_new(void)
{
	Trees *trees = g_new0(Trees, 1);
	g_mutex_init(&trees->lock);
	trees->known = lru_new(LIMIT_KNOWN_PARTS, known_free);
	return trees;
}

void trees_free(Trees *trees)
{
	if (!trees)
		return;
	lru_free(trees->known);
	g_mutex_clear(&trees->lock);
	g_free(trees);
}

void trees_answer_clear(TreesAnswer *answer)
{
	g_clear_pointer(&answer->tree, mime_tree_unref);
	g_clear_pointer(&answer->before, mime_tree_unref);
}

static guint64 key_of(Gen gen, guint32 uid)
{
	return (guint64)gen << 32 | uid;
}

static MimeTree *get(Trees *trees, guint64 key, bool whole)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&trees->lock);
	const Known *known = lru_get(trees->known, key);
	return known && known->whole == whole ? mime_tree_ref(known->tree) : NULL;
}

/* In what is shown of it. */
static bool is_same_part(const MimePart *a, const MimePart *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->type, b->type) == 0 &&
	       g_strcmp0(a->charset, b->charset) == 0 && a->encoding == b->encoding &&
	       a->octets == b->octets;
}

static bool is_same(const MimeTree *a, const MimeTree *b)
{
	if (mime_tree_count(a) != mime_tree_count(b))
		return false;
	for (guint i = 0; i < mime_tree_count(a); i++)
		if (!is_same_part(mime_tree_part(a, i), mime_tree_part(b, i)))
			return false;
	return true;
}

/* What was known of the message before, if that is something else. */
static MimeTree *put(Trees *trees, guint64 key, MimeTree *tree, bool whole)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&trees->lock);
	const Known *old = lru_get(trees->known, key);
	MimeTree *before = old && !is_same(old->tree, tree) ? mime_tree_ref(old->tree) : NULL;
	Known *known = g_new(Known, 1);
	*known = (Known){mime_tree_ref(tree), whole};
	lru_put(trees->known, key, known, 1 + mime_tree_count(tree));
	return before;
}

static MimeTree *parse(Store *store, Gen gen, guint32 uid, bool whole)
{
	g_autoptr(GBytes) bytes =
		store_try_whole(store, gen, uid, whole ? STORE_MESSAGE : STORE_STRUCTURE);
	if (!bytes)
		return NULL;
	gsize len;
	const void *text = g_bytes_get_data(bytes, &len);
	return whole ? mime_tree_of_message(text, len) : mime_tree_of_structure(text, len);
}

static bool find(Trees *trees, Store *store, Gen gen, guint32 uid, bool whole, TreesAnswer *ret)
{
	guint64 key = key_of(gen, uid);
	ret->whole = whole;
	ret->tree = get(trees, key, whole);
	if (ret->tree)
		return true;
	ret->tree = parse(store, gen, uid, whole);
	if (ret->tree)
		ret->before = put(trees, key, ret->tree, whole);
	return ret->tree != NULL;
}

void trees_find(Trees *trees, Store *store, Gen gen, guint32 uid, TreesAnswer *ret)
{
	*ret = (TreesAnswer){0};
	/* A message that is too long to be taken apart has a structure still. */
	bool whole = store_has_body(store, gen, uid, STORE_MESSAGE);
	if (!whole || !find(trees, store, gen, uid, true, ret))
		find(trees, store, gen, uid, false, ret);
}
