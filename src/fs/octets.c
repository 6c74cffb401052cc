#include "fs/octets.h"

#include <errno.h>

#include "base/limits.h"
#include "mime/fields.h"

/* The first look for the end of a header; each further one is four times as long. */
enum { HEADER_FIRST = 16 << 10 };

bool lack_of(Lack *ret, LackKind kind)
{
	*ret = (Lack){.kind = kind};
	return false;
}

bool lack_failure(Lack *ret, int failed)
{
	*ret = (Lack){.kind = LACK_NOTHING, .failed = failed};
	return false;
}

OctetsPlace octets_place(const Excerpt *excerpt, const MimePart *part, guint number, bool decoded)
{
	if (excerpt->parts.whole)
		return (OctetsPlace){{.item = STORE_MESSAGE, .octets = G_MAXUINT64}, part->offset};
	return (OctetsPlace){{
		.item = store_part_item(number, decoded),
		.section = part->section,
		.octets = decoded ? G_MAXUINT64 : part->octets,
	}};
}

/* A whole message that went meanwhile is asked for as if it had never been there. */
bool octets_read_at(const Excerpt *excerpt, const OctetsPlace *place, guint64 offset, gsize len,
	void *ret_bytes, gsize *ret_n, Lack *ret_lack)
{
	switch (store_try_read(excerpt->fs->store, excerpt->at.id, excerpt->at.uid,
		place->section.item, place->base + offset, ret_bytes, len, ret_n)) {
	case STORE_HIT:
		return true;
	case STORE_ABSENT:
		return lack_failure(ret_lack, ESTALE);
	case STORE_MISS:
		break;
	}
	*ret_lack = (Lack){
		.kind = excerpt->parts.whole ? LACK_OUTLINE : LACK_SECTION,
		.section = place->section,
		.offset = offset,
		.len = (guint32)len,
	};
	return false;
}

bool octets_read(const Excerpt *excerpt, guint64 offset, gsize len, void *ret_bytes, gsize *ret_n,
	Lack *ret_lack)
{
	OctetsPlace place = octets_place(excerpt, excerpt->part, excerpt->number, false);
	return octets_read_at(excerpt, &place, offset, len, ret_bytes, ret_n, ret_lack);
}

bool octets_here(const Excerpt *excerpt, const MimePart *part, guint number)
{
	guint64 missing;
	OctetsPlace place = octets_place(excerpt, part, number, false);
	if (part->octets == 0)
		return excerpt->parts.whole || store_has_body(excerpt->fs->store, excerpt->at.id,
						       excerpt->at.uid, place.section.item);
	return store_first_missing(excerpt->fs->store, excerpt->at.id, excerpt->at.uid,
		       place.section.item, place.base, part->octets, &missing) == STORE_HIT;
}

bool octets_proved(const Excerpt *excerpt, const MimePart *part, guint number, Lack *ret_lack)
{
	if (part->octets > 0 || octets_here(excerpt, part, number))
		return true;
	OctetsPlace place = octets_place(excerpt, part, number, false);
	*ret_lack = (Lack){.kind = LACK_SECTION, .section = place.section, .len = 1};
	return false;
}

GBytes *octets_of_part(const Excerpt *excerpt, const MimePart *part, guint number, Lack *ret_lack)
{
	OctetsPlace place = octets_place(excerpt, part, number, false);
	gsize n = 0;
	if (part->octets > LIMIT_MIME_BYTES) {
		lack_failure(ret_lack, EFBIG);
		return NULL;
	}
	if (!octets_proved(excerpt, part, number, ret_lack))
		return NULL;
	g_autofree char *bytes = g_malloc(part->octets + 1);
	if (part->octets > 0 &&
		!octets_read_at(excerpt, &place, 0, part->octets, bytes, &n, ret_lack))
		return NULL;
	return g_bytes_new_take(g_steal_pointer(&bytes), n);
}

GBytes *octets_of_header(const Excerpt *excerpt, Lack *ret_lack)
{
	OctetsPlace message = {.section = {.item = STORE_MESSAGE}};
	for (gsize len = HEADER_FIRST;; len *= 4) {
		gsize n = 0;
		g_autofree char *bytes = g_malloc(len);
		if (!octets_read_at(excerpt, &message, 0, len, bytes, &n, ret_lack))
			return NULL;
		gsize end = mime_header_len(bytes, n);
		if (end < n || n < len || len >= LIMIT_MIME_BYTES)
			return g_bytes_new_take(g_steal_pointer(&bytes), end);
	}
}
