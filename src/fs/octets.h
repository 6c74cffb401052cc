/* The octets that files of `.text` and `.parts` are made of, as they are in the message: where the
 * store has them, and what it lacks. NULL and false: the Lack says what is missing, or why there
 * will be none. Never blocks but for the disk. */
#pragma once

#include "fs/excerpt.h"

/* Where they are kept: in an item of their own, or from `base` on in the message. */
typedef struct {
	EngineSection section;
	guint64 base;
} OctetsPlace;

/* Both return false. */
bool lack_of(Lack *ret, LackKind kind);
bool lack_failure(Lack *ret, int failed);

/* Of a part of the excerpt's message. decoded: as the server decodes it, if there is no whole
 * message. */
OctetsPlace octets_place(const Excerpt *excerpt, const MimePart *part, guint number, bool decoded);

/* len of them at an offset, fewer at the end only. */
bool octets_read_at(const Excerpt *excerpt, const OctetsPlace *place, guint64 offset, gsize len,
	void *ret_bytes, gsize *ret_n, Lack *ret_lack);

/* The same of the excerpt's part. */
bool octets_read(const Excerpt *excerpt, guint64 offset, gsize len, void *ret_bytes, gsize *ret_n,
	Lack *ret_lack);

/* Whether all of a part is here. */
bool octets_here(const Excerpt *excerpt, const MimePart *part, guint number);

/* Whether a part has some, or was seen to have none. The kernel reads nothing of a file without
 * bytes, so that it is none must not be the server's word alone. */
bool octets_proved(const Excerpt *excerpt, const MimePart *part, guint number, Lack *ret_lack);

/* All of a part; EFBIG: they are more than LIMIT_MIME_BYTES. */
GBytes *octets_of_part(const Excerpt *excerpt, const MimePart *part, guint number, Lack *ret_lack);

/* The header that a message which is here begins with. */
GBytes *octets_of_header(const Excerpt *excerpt, Lack *ret_lack);
