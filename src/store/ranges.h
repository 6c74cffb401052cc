/* Which bytes of a body are here: sorted disjoint ranges with 64-bit bounds. Pure; a list belongs
 * to one thread at a time, or to a lock. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
	guint64 start, end; /* start < end; the byte at end is not in it */
} ByteRange;

typedef struct ByteRanges ByteRanges;

ByteRanges *store_ranges_new(void);
void store_ranges_free(ByteRanges *ranges); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ByteRanges, store_ranges_free)

/* Adds start..end, merging what it overlaps or touches. Nothing when start >= end. */
void store_ranges_add(ByteRanges *ranges, guint64 start, guint64 end);

/* Whether every byte of start..end is here; true of an empty range. O(log ranges). */
bool store_ranges_cover(const ByteRanges *ranges, guint64 start, guint64 end);

/* The first byte at or after pos that is not here. O(log ranges). */
guint64 store_ranges_gap(const ByteRanges *ranges, guint64 pos);

/* The range that the byte at pos, which is here, lies in. O(log ranges). */
ByteRange store_ranges_around(const ByteRanges *ranges, guint64 pos);

/* What is not here of the bytes before end. */
ByteRanges *store_ranges_gaps(const ByteRanges *ranges, guint64 end);

/* Number of bytes here. O(1). */
guint64 store_ranges_bytes(const ByteRanges *ranges);

/* The first byte that is here and the end of the last range; both 0 of an empty list. */
guint64 store_ranges_start(const ByteRanges *ranges);
guint64 store_ranges_end(const ByteRanges *ranges);
