#include "imap/set.h"

#include <stdio.h>

struct ImapSet {
	GArray *ranges; /* ImapRange, sorted, disjoint, never touching; the set starts at `first` */
	gsize first; /* ranges taken off the front are only skipped, so that EXPUNGE 1 again and
		      * again, and cutting a set into commands, cost nothing */
	guint64 count;

	/* ends[i]: members in the ranges up to and with i, plus `gone`; made when a position is
	 * asked for and valid for the indices it has. Members that leave at the front are counted
	 * in `gone`, which leaves the other entries right. */
	GArray *ends;
	guint64 gone;
};

static inline ImapRange *range_at(const ImapSet *set, gsize i)
{
	return &g_array_index(set->ranges, ImapRange, i);
}

static inline guint64 range_count(ImapRange range)
{
	return (guint64)range.hi - range.lo + 1;
}

ImapSet *imap_set_new(void)
{
	ImapSet *set = g_new0(ImapSet, 1);

	set->ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	set->ends = g_array_new(FALSE, FALSE, sizeof(guint64));
	return set;
}

ImapSet *imap_set_copy(const ImapSet *set)
{
	ImapSet *copy = imap_set_new();
	gsize n;
	const ImapRange *ranges = imap_set_ranges(set, &n);

	g_array_append_vals(copy->ranges, ranges, (guint)n);
	copy->count = set->count;
	return copy;
}

void imap_set_free(ImapSet *set)
{
	if (!set)
		return;
	g_array_unref(set->ranges);
	g_array_unref(set->ends);
	g_free(set);
}

/* Index of the first range that ends at or after uid. */
static gsize lower_bound(const ImapSet *set, guint32 uid)
{
	gsize lo = set->first, hi = set->ranges->len;

	while (lo < hi) {
		gsize mid = lo + (hi - lo) / 2;

		if (range_at(set, mid)->hi < uid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void forget_ends(ImapSet *set, gsize from)
{
	if (set->ends->len > from)
		g_array_set_size(set->ends, (guint)from);
}

/* Drops the skipped ranges once they are the greater part. */
static void compact(ImapSet *set)
{
	if (set->first < 64 || set->first < set->ranges->len / 2)
		return;
	g_array_remove_range(set->ranges, 0, (guint)set->first);
	forget_ends(set, 0);
	set->first = 0;
	set->gone = 0;
}

/* Puts n (at most 2) ranges in the place of the ranges [i, j). */
static void splice(ImapSet *set, gsize i, gsize j, const ImapRange *with, gsize n)
{
	if (i == set->first && n <= j - i)
		set->first = i = j - n;
	else if (n < j - i)
		g_array_remove_range(set->ranges, (guint)(i + n), (guint)(j - i - n));
	else if (n > j - i)
		g_array_insert_vals(set->ranges, (guint)j, with, (guint)(n - (j - i)));
	for (gsize k = 0; k < n; k++)
		*range_at(set, i + k) = with[k];
}

void imap_set_add(ImapSet *set, guint32 a, guint32 b)
{
	ImapRange range = {MIN(a, b), MAX(a, b)};
	guint64 merged = 0;
	gsize i, j;

	if (range.hi == 0)
		return;
	range.lo = MAX(range.lo, 1);

	i = set->ranges->len;
	if (i > set->first && range_at(set, i - 1)->hi >= range.lo - 1)
		i = lower_bound(set, range.lo - 1);
	for (j = i; j < set->ranges->len && range_at(set, j)->lo - 1 <= range.hi; j++) {
		range.lo = MIN(range.lo, range_at(set, j)->lo);
		range.hi = MAX(range.hi, range_at(set, j)->hi);
		merged += range_count(*range_at(set, j));
	}
	forget_ends(set, i);
	splice(set, i, j, &range, 1);
	set->count += range_count(range) - merged;
}

void imap_set_remove(ImapSet *set, guint32 a, guint32 b)
{
	guint32 lo = MIN(a, b), hi = MAX(a, b);
	gsize i = lower_bound(set, lo), j, n = 0;
	ImapRange keep[2];
	guint64 removed = 0;
	bool front;

	for (j = i; j < set->ranges->len && range_at(set, j)->lo <= hi; j++) {
		ImapRange range = *range_at(set, j);

		removed += range_count(range);
		if (range.lo < lo)
			keep[n++] = (ImapRange){range.lo, lo - 1};
		if (range.hi > hi)
			keep[n++] = (ImapRange){hi + 1, range.hi};
	}
	for (gsize k = 0; k < n; k++)
		removed -= range_count(keep[k]);
	if (removed == 0)
		return;

	front = i == set->first && (n == 0 || keep[0].lo > lo);
	if (front)
		set->gone += removed;
	else
		forget_ends(set, i);
	splice(set, i, j, keep, n);
	set->count -= removed;
	compact(set);
}

static void swap(ImapSet *a, ImapSet *b)
{
	ImapSet c = *a;

	*a = *b;
	*b = c;
}

static int compare_ranges(gconstpointer a, gconstpointer b)
{
	const ImapRange *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

ImapSet *imap_set_from_ranges(const ImapRange *ranges, gsize n)
{
	g_autoptr(GArray) sorted = NULL;
	ImapSet *set = imap_set_new();

	for (gsize i = 1; i < n && !sorted; i++) {
		if (ranges[i].lo >= ranges[i - 1].lo)
			continue;
		sorted = g_array_sized_new(FALSE, FALSE, sizeof(ImapRange), (guint)n);
		g_array_append_vals(sorted, ranges, (guint)n);
		g_array_sort(sorted, compare_ranges);
		ranges = (const ImapRange *)(gpointer)sorted->data;
	}
	for (gsize i = 0; i < n; i++)
		imap_set_add(set, ranges[i].lo, ranges[i].hi);
	return set;
}

void imap_set_union(ImapSet *set, const ImapSet *other)
{
	gsize n_a, n_b, i = 0, j = 0;
	const ImapRange *a = imap_set_ranges(set, &n_a), *b = imap_set_ranges(other, &n_b);
	g_autoptr(ImapSet) sum = NULL;

	if (n_b == 0)
		return;
	sum = imap_set_new();
	while (i < n_a || j < n_b) {
		ImapRange next = j == n_b || (i < n_a && a[i].lo <= b[j].lo) ? a[i++] : b[j++];

		imap_set_add(sum, next.lo, next.hi);
	}
	swap(set, sum);
}

void imap_set_subtract(ImapSet *set, const ImapSet *other)
{
	gsize n_a, n_b, j = 0;
	const ImapRange *a = imap_set_ranges(set, &n_a), *b = imap_set_ranges(other, &n_b);
	g_autoptr(ImapSet) rest = NULL;

	if (n_a == 0 || n_b == 0)
		return;
	rest = imap_set_new();
	for (gsize i = 0; i < n_a; i++) {
		guint64 lo = a[i].lo;

		while (j < n_b && b[j].hi < lo)
			j++;
		for (gsize k = j; lo <= a[i].hi; k++) {
			bool cut = k < n_b && b[k].lo <= a[i].hi;

			if (!cut || b[k].lo > lo)
				imap_set_add(rest, (guint32)lo, cut ? b[k].lo - 1 : a[i].hi);
			if (!cut)
				break;
			lo = (guint64)b[k].hi + 1;
			j = k;
		}
	}
	swap(set, rest);
}

bool imap_set_contains(const ImapSet *set, guint32 uid)
{
	gsize i = lower_bound(set, uid);

	return i < set->ranges->len && range_at(set, i)->lo <= uid;
}

bool imap_set_equal(const ImapSet *a, const ImapSet *b)
{
	gsize n_a, n_b;
	const ImapRange *x = imap_set_ranges(a, &n_a), *y = imap_set_ranges(b, &n_b);

	return n_a == n_b && (n_a == 0 || memcmp(x, y, n_a * sizeof(ImapRange)) == 0);
}

guint64 imap_set_count(const ImapSet *set)
{
	return set->count;
}

const ImapRange *imap_set_ranges(const ImapSet *set, gsize *ret_n)
{
	*ret_n = set->ranges->len - set->first;
	return set->ranges->len ? range_at(set, set->first) : NULL;
}

/* Extends ends[] until it reaches the member that is `target` by its count. */
static void extend_ends(const ImapSet *set, guint64 target)
{
	GArray *ends = set->ends;

	if (ends->len < set->first)
		g_array_set_size(ends, (guint)set->first); /* never read */
	for (gsize i = ends->len; i < set->ranges->len; i++) {
		guint64 end = i == set->first ? set->gone : g_array_index(ends, guint64, i - 1);

		if (i > set->first && end >= target)
			return;
		end += range_count(*range_at(set, i));
		g_array_append_val(ends, end);
	}
}

guint32 imap_set_nth(const ImapSet *set, guint64 n)
{
	guint64 target = set->gone + n;
	gsize lo = set->first, hi;

	if (n == 0 || n > set->count)
		return 0;
	extend_ends(set, target);
	hi = set->ends->len - 1;
	while (lo < hi) {
		gsize mid = lo + (hi - lo) / 2;

		if (g_array_index(set->ends, guint64, mid) < target)
			lo = mid + 1;
		else
			hi = mid;
	}
	return range_at(set, lo)->hi - (guint32)(g_array_index(set->ends, guint64, lo) - target);
}

guint32 imap_set_remove_nth(ImapSet *set, guint64 n)
{
	guint32 uid = imap_set_nth(set, n);

	if (uid)
		imap_set_remove(set, uid, uid);
	return uid;
}

guint32 imap_set_min(const ImapSet *set)
{
	return set->count ? range_at(set, set->first)->lo : 0;
}

guint32 imap_set_max(const ImapSet *set)
{
	return set->count ? range_at(set, set->ranges->len - 1)->hi : 0;
}

/* nz-number = digit-nz *DIGIT, of 32 bits */
static bool parse_uid(const char **at, const char *end, guint32 *ret_uid)
{
	const char *p = *at;
	guint64 uid = 0;

	for (; p < end && g_ascii_isdigit(*p); p++) {
		uid = uid * 10 + (guint64)(*p - '0');
		if (uid > G_MAXUINT32)
			return false;
	}
	if (uid == 0)
		return false;
	*at = p;
	*ret_uid = (guint32)uid;
	return true;
}

/* sequence-set = (seq-number / seq-range) ["," sequence-set] (RFC 9051 section 9) */
static GArray *parse_ranges(const char *text, gsize len, gsize max_ranges)
{
	g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	const char *p = text, *end = text + len;

	for (;; p++) {
		guint32 a, b;

		if (ranges->len >= max_ranges || !parse_uid(&p, end, &a))
			return NULL;
		b = a;
		if (p < end && *p == ':') {
			p++;
			if (!parse_uid(&p, end, &b))
				return NULL;
		}
		g_array_append_val(ranges, ((ImapRange){MIN(a, b), MAX(a, b)}));
		if (p == end)
			return g_steal_pointer(&ranges);
		if (*p != ',')
			return NULL;
	}
}

ImapSet *imap_set_parse(const char *text, gsize len, gsize max_ranges)
{
	g_autoptr(GArray) ranges = parse_ranges(text, len, max_ranges);

	if (!ranges)
		return NULL;
	return imap_set_from_ranges((const ImapRange *)(gpointer)ranges->data, ranges->len);
}

ImapSet *imap_set_parse_ascending(const char *text, gsize len, gsize max_ranges)
{
	g_autoptr(GArray) ranges = parse_ranges(text, len, max_ranges);
	const ImapRange *at;

	if (!ranges)
		return NULL;
	at = (const ImapRange *)(gpointer)ranges->data;
	for (gsize i = 1; i < ranges->len; i++) {
		if (at[i].lo <= at[i - 1].hi)
			return NULL;
	}
	return imap_set_from_ranges(at, ranges->len);
}

enum { RANGE_TEXT = sizeof("4294967295:4294967295") };

static gsize range_text(char text[RANGE_TEXT], guint32 lo, guint32 hi)
{
	int len = lo == hi ? snprintf(text, RANGE_TEXT, "%u", lo)
			   : snprintf(text, RANGE_TEXT, "%u:%u", lo, hi);

	return (gsize)len;
}

char *imap_set_take(ImapSet *set, gsize max_bytes, guint64 max_uids)
{
	g_autoptr(GString) out = g_string_new(NULL);

	while (set->count && max_uids) {
		ImapRange range = *range_at(set, set->first);
		gsize comma = out->len ? 1 : 0, len;
		char text[RANGE_TEXT];

		if (range_count(range) > max_uids)
			range.hi = (guint32)(range.lo + max_uids - 1);
		len = range_text(text, range.lo, range.hi);
		if (out->len + comma + len > max_bytes) {
			range.hi = range.lo;
			len = range_text(text, range.lo, range.hi);
		}
		/* One number always goes out, or the caller would never come to an end. */
		if (out->len && out->len + comma + len > max_bytes)
			break;
		if (comma)
			g_string_append_c(out, ',');
		g_string_append_len(out, text, (gssize)len);
		imap_set_remove(set, range.lo, range.hi);
		max_uids -= range_count(range);
	}
	return out->len ? g_string_free(g_steal_pointer(&out), FALSE) : NULL;
}

char *imap_set_to_string(const ImapSet *set)
{
	GString *out = g_string_new(NULL);

	for (gsize i = set->first; i < set->ranges->len; i++) {
		char text[RANGE_TEXT];
		gsize len = range_text(text, range_at(set, i)->lo, range_at(set, i)->hi);

		if (out->len)
			g_string_append_c(out, ',');
		g_string_append_len(out, text, (gssize)len);
	}
	return g_string_free(out, FALSE);
}
