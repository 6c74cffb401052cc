#include "store/ranges.h"

#include <string.h>

struct ByteRanges {
	ByteRange *at;
	gsize n, room;
	guint64 bytes;
};

ByteRanges *store_ranges_new(void)
{
	return g_new0(ByteRanges, 1);
}

void store_ranges_free(ByteRanges *ranges)
{
	if (!ranges)
		return;
	g_free(ranges->at);
	g_free(ranges);
}

/* Index of the first range that ends at or after pos. */
static gsize first_reaching(const ByteRanges *ranges, guint64 pos)
{
	gsize lo = 0, hi = ranges->n;

	while (lo < hi) {
		gsize mid = lo + (hi - lo) / 2;

		if (ranges->at[mid].end < pos)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void store_ranges_add(ByteRanges *ranges, guint64 start, guint64 end)
{
	if (start >= end)
		return;

	gsize first = first_reaching(ranges, start);
	gsize after = first;
	ByteRange merged = {start, end};

	for (; after < ranges->n && ranges->at[after].start <= end; after++) {
		merged.start = MIN(merged.start, ranges->at[after].start);
		merged.end = MAX(merged.end, ranges->at[after].end);
		ranges->bytes -= ranges->at[after].end - ranges->at[after].start;
	}
	if (after == first && ranges->n == ranges->room) {
		ranges->room = MAX(1, ranges->room * 2);
		ranges->at = g_renew(ByteRange, ranges->at, ranges->room);
	}
	memmove(ranges->at + first + 1, ranges->at + after,
		(ranges->n - after) * sizeof(ByteRange));
	ranges->at[first] = merged;
	ranges->n = ranges->n - (after - first) + 1;
	ranges->bytes += merged.end - merged.start;
}

bool store_ranges_cover(const ByteRanges *ranges, guint64 start, guint64 end)
{
	if (start >= end)
		return true;

	gsize i = first_reaching(ranges, end);

	return i < ranges->n && ranges->at[i].start <= start;
}

guint64 store_ranges_gap(const ByteRanges *ranges, guint64 pos)
{
	gsize i = first_reaching(ranges, pos);

	return i < ranges->n && ranges->at[i].start <= pos ? ranges->at[i].end : pos;
}

ByteRange store_ranges_around(const ByteRanges *ranges, guint64 pos)
{
	return ranges->at[first_reaching(ranges, pos + 1)];
}

ByteRanges *store_ranges_gaps(const ByteRanges *ranges, guint64 end)
{
	ByteRanges *gaps = store_ranges_new();
	guint64 pos = 0;

	for (gsize i = 0; i < ranges->n; i++) {
		store_ranges_add(gaps, pos, MIN(ranges->at[i].start, end));
		pos = ranges->at[i].end;
	}
	store_ranges_add(gaps, pos, end);
	return gaps;
}

guint64 store_ranges_bytes(const ByteRanges *ranges)
{
	return ranges->bytes;
}

guint64 store_ranges_start(const ByteRanges *ranges)
{
	return ranges->n ? ranges->at[0].start : 0;
}

guint64 store_ranges_end(const ByteRanges *ranges)
{
	return ranges->n ? ranges->at[ranges->n - 1].end : 0;
}
