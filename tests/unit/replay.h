/* Exact wire transcripts as tests: each is fed whole, byte by byte, and cut in two at every place,
 * and must show the same every time. */
#pragma once

#include "stream-dump.h"

typedef struct {
	const char *name; /* of the quirk */
	const char *wire; /* without NUL, unless len says how long it is */
	const char *dump;
	gsize len;
	bool refuse_bodies;
} Transcript;

static inline char *replay_pieces(const Transcript *transcript, gsize len, gsize first, gsize piece)
{
	StreamDump *dump = stream_dump_new(transcript->refuse_bodies);

	stream_dump_feed(dump, transcript->wire, first);
	for (gsize at = first; at < len; at += piece)
		stream_dump_feed(dump, transcript->wire + at, MIN(piece, len - at));
	return stream_dump_finish(dump);
}

static inline void replay(gconstpointer data)
{
	const Transcript *transcript = data;
	gsize len = transcript->len ? transcript->len : strlen(transcript->wire);
	gsize step = len / 2000 + 1;
	g_autofree char *whole = replay_pieces(transcript, len, len, len);

	g_assert_cmpstr(whole, ==, transcript->dump);
	for (gsize piece = 1; piece <= 7; piece++) {
		g_autofree char *pieces = replay_pieces(transcript, len, 0, piece);

		g_assert_cmpstr(pieces, ==, transcript->dump);
	}
	for (gsize cut = 1; cut < len; cut += step) {
		g_autofree char *halves = replay_pieces(transcript, len, cut, len);

		g_assert_cmpstr(halves, ==, transcript->dump);
	}
}

static inline void replay_add(const char *group, const Transcript *transcripts, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *path = g_strdup_printf("/%s/%s", group, transcripts[i].name);

		g_test_add_data_func(path, &transcripts[i], replay);
	}
}
