/* A server's bytes: whatever they are, how they are cut makes no difference to what is shown. */

#include "fuzz.h"

#include "../unit/stream-dump.h"

typedef gsize (*NextPiece)(guint32 *state);

static gsize one(guint32 *state)
{
	return 1;
}

static gsize everything(guint32 *state)
{
	return G_MAXSIZE;
}

/* Mostly short pieces, some long. */
static gsize mixed(guint32 *state)
{
	*state = *state * 1664525 + 1013904223;
	return 1 + (*state >> 24) % (*state & 0x8000 ? 7 : 97);
}

static char *feed(const char *bytes, gsize len, guint32 seed, NextPiece next)
{
	StreamDump *dump = stream_dump_new(seed % 5 == 0);
	guint32 state = seed;

	for (gsize at = 0; at < len;) {
		gsize piece = next(&state);

		piece = MIN(piece, len - at);
		stream_dump_feed(dump, bytes + at, piece);
		at += piece;
	}
	return stream_dump_finish(dump);
}

static guint32 seed_from(const uint8_t *bytes, size_t len)
{
	guint32 hash = 5381;

	for (size_t i = 0; i < len; i++)
		hash = hash * 33 + bytes[i];
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const NextPiece ways[] = {one, mixed};
	guint32 seed = seed_from(bytes, len);
	g_autofree char *whole = feed((const char *)bytes, len, seed, everything);

	for (guint i = 0; i < G_N_ELEMENTS(ways); i++) {
		g_autofree char *pieces = feed((const char *)bytes, len, seed, ways[i]);

		g_assert_cmpstr(whole, ==, pieces);
	}
	return 0;
}
