/* Two sets of UIDs, a line each: text and set say the same, and set algebra holds. */

#include "fuzz.h"

#include "imap/set.h"

#include <string.h>

static ImapSet *parse(const char *text, size_t len)
{
	ImapSet *set = imap_set_parse(text, len, 1000);

	return set ? set : imap_set_new();
}

static void check_text(const ImapSet *set)
{
	g_autofree char *text = imap_set_to_string(set);
	g_autoptr(ImapSet) again = parse(text, strlen(text));
	g_autoptr(ImapSet) ascending = imap_set_parse_ascending(text, strlen(text), 1000);

	g_assert_true(imap_set_equal(set, again));
	g_assert_true((ascending != NULL) == (imap_set_count(set) > 0));
}

static void check_positions(const ImapSet *set)
{
	guint64 count = imap_set_count(set);

	g_assert_cmpuint(imap_set_nth(set, 1), ==, imap_set_min(set));
	g_assert_cmpuint(imap_set_nth(set, count), ==, imap_set_max(set));
	g_assert_cmpuint(imap_set_nth(set, count + 1), ==, 0);
	for (guint64 n = 1; n <= count; n = n * 3 + 1)
		g_assert_true(imap_set_contains(set, imap_set_nth(set, n)));
}

static void check_take(const ImapSet *set, size_t len)
{
	g_autoptr(ImapSet) rest = imap_set_copy(set);
	g_autoptr(ImapSet) taken = imap_set_new();

	for (guint i = 0; i < 100; i++) {
		g_autofree char *text = imap_set_take(rest, 24 + len % 100, 1 + len * 1000);
		g_autoptr(ImapSet) part = NULL;

		if (!text)
			break;
		part = parse(text, strlen(text));
		g_assert_cmpuint(imap_set_count(part), >, 0);
		imap_set_union(taken, part);
	}
	g_assert_cmpuint(imap_set_count(taken) + imap_set_count(rest), ==, imap_set_count(set));
	imap_set_union(taken, rest);
	g_assert_true(imap_set_equal(taken, set));
}

static void check_algebra(const ImapSet *a, const ImapSet *b)
{
	g_autoptr(ImapSet) sum = imap_set_copy(a), rest = imap_set_copy(a);
	g_autoptr(ImapSet) one_by_one = imap_set_copy(a), back = NULL;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(b, &n);

	imap_set_union(sum, b);
	imap_set_subtract(rest, b);
	g_assert_cmpuint(imap_set_count(rest) + imap_set_count(b), ==, imap_set_count(sum));
	for (gsize i = 0; i < n; i++)
		imap_set_remove(one_by_one, ranges[i].lo, ranges[i].hi);
	g_assert_true(imap_set_equal(one_by_one, rest));
	check_positions(one_by_one);

	back = imap_set_copy(rest);
	for (gsize i = n; i-- > 0;)
		imap_set_add(back, ranges[i].hi, ranges[i].lo);
	g_assert_true(imap_set_equal(back, sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const uint8_t *newline = len ? memchr(bytes, '\n', len) : NULL;
	size_t first = newline ? (size_t)(newline - bytes) : len;
	size_t second = newline ? first + 1 : len;
	g_autoptr(ImapSet) a = parse((const char *)bytes, first);
	g_autoptr(ImapSet) b = parse((const char *)bytes + second, len - second);

	check_text(a);
	check_positions(a);
	check_take(a, len);
	check_algebra(a, b);
	return 0;
}
