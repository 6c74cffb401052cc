#include "engine/goal.h"

#include "engine/private.h"

void goal_clear(Goal *goal)
{
	g_clear_pointer(&goal->section, g_free);
}

void needs_clear(Needs *needs)
{
	g_clear_pointer(&needs->tree, mime_tree_unref);
}

Need need_message(void)
{
	return (Need){.item = STORE_MESSAGE, .octets = G_MAXUINT64, .whole = true};
}

static StoreAnswer add(Needs *needs, Need need)
{
	if (needs->n < G_N_ELEMENTS(needs->list))
		needs->list[needs->n++] = need;
	return STORE_MISS;
}

static StoreAnswer add_item(Needs *needs, StoreItem item)
{
	return add(needs, (Need){.item = item, .octets = G_MAXUINT64, .whole = true});
}

static bool has(const Box *box, Gen gen, guint32 uid, StoreItem item)
{
	return store_has_body(box->engine->store, gen, uid, item);
}

/* A part without octets is one when the server gives none. */
static StoreAnswer empty_missing(Box *box, Gen gen, guint32 uid, const Goal *goal, Needs *ret)
{
	if (has(box, gen, uid, goal->item))
		return STORE_HIT;
	if (imap_set_contains(box->unparted, uid))
		return add(ret, need_message());
	return add(ret, (Need){.item = goal->item, .section = goal->section, .whole = true});
}

static StoreAnswer range_missing(Box *box, Gen gen, guint32 uid, const Goal *goal, Needs *ret)
{
	guint64 end = MIN(goal->offset + goal->len, goal->octets), missing;
	if (goal->octets == 0 && goal->item >= STORE_PARTS)
		return empty_missing(box, gen, uid, goal, ret);
	if (goal->offset >= end)
		return STORE_HIT;
	StoreAnswer answer = store_first_missing(box->engine->store, gen, uid, goal->item,
		goal->offset, end - goal->offset, &missing);
	if (answer != STORE_MISS)
		return answer;
	if (goal->item == STORE_HEADER)
		return imap_set_contains(box->headless, uid) ? add(ret, need_message())
							     : add_item(ret, STORE_HEADER);
	if (goal->item != STORE_MESSAGE && imap_set_contains(box->unparted, uid))
		return add(ret, need_message());
	Need need = {.item = goal->item,
		.section = goal->section,
		.octets = goal->octets,
		.offset = missing,
		.len = end - missing};
	return add(ret, need);
}

static StoreAnswer fields_missing(const Box *box, Gen gen, guint32 uid, Needs *ret)
{
	if (has(box, gen, uid, STORE_FIELDS))
		return STORE_HIT;
	return imap_set_contains(box->headless, uid) ? add(ret, need_message())
						     : add_item(ret, STORE_FIELDS);
}

static StoreAnswer outline_missing(const Box *box, Gen gen, guint32 uid, Needs *ret)
{
	if (imap_set_contains(box->unparted, uid))
		return add(ret, need_message());
	if (!has(box, gen, uid, STORE_STRUCTURE))
		return add_item(ret, STORE_STRUCTURE);
	return fields_missing(box, gen, uid, ret);
}

static StoreAnswer parts_missing(
	const Box *box, Gen gen, guint32 uid, const MimeTree *tree, Needs *ret)
{
	guint n;
	const guint *readable = mime_tree_readable(tree, &n);
	for (guint i = 0; i < n; i++) {
		const MimePart *part = mime_tree_part(tree, readable[i]);
		StoreItem item = store_part_item(readable[i], false);
		if (!has(box, gen, uid, item))
			add(ret, (Need){.item = item,
					 .section = part->section,
					 .octets = part->octets,
					 .whole = true});
	}
	return ret->n > 0 ? STORE_MISS : STORE_HIT;
}

static StoreAnswer text_missing(Box *box, Gen gen, guint32 uid, Needs *ret)
{
	if (outline_missing(box, gen, uid, ret) == STORE_MISS)
		return STORE_MISS;
	g_autoptr(GBytes) text = store_try_whole(box->engine->store, gen, uid, STORE_STRUCTURE);
	if (!text)
		return add_item(ret, STORE_STRUCTURE);
	gsize len;
	const char *bytes = g_bytes_get_data(text, &len);
	ret->tree = mime_tree_of_structure(bytes, len);
	if (ret->tree)
		return parts_missing(box, gen, uid, ret->tree, ret);
	imap_set_add(box->unparted, uid, uid);
	return add(ret, need_message());
}

/* What is whole here is never fetched again in parts; but if it is too long to be taken apart its
 * parts are, as far as the server gives them. */
static bool is_enough(const Box *box, Gen gen, guint32 uid, const Goal *goal)
{
	guint64 length;
	if (!store_length(box->engine->store, gen, uid, STORE_MESSAGE, &length))
		return false;
	if (length <= LIMIT_MIME_BYTES || (goal->kind == GOAL_RANGE && goal->item == STORE_MESSAGE))
		return true;
	return imap_set_contains(box->unparted, uid) || imap_set_contains(box->headless, uid);
}

StoreAnswer goal_missing(Box *box, Gen gen, guint32 uid, const Goal *goal, Needs *ret)
{
	*ret = (Needs){0};
	if (is_enough(box, gen, uid, goal))
		return STORE_HIT;
	guint64 missing;
	if (store_first_missing(box->engine->store, gen, uid, STORE_MESSAGE, 0, 1, &missing) ==
		STORE_ABSENT)
		return STORE_ABSENT;
	switch (goal->kind) {
	case GOAL_RANGE:
		return range_missing(box, gen, uid, goal, ret);
	case GOAL_OUTLINE:
		return goal->structure ? outline_missing(box, gen, uid, ret)
				       : fields_missing(box, gen, uid, ret);
	case GOAL_TEXT:
		break;
	}
	return text_missing(box, gen, uid, ret);
}
