#include "imap/set.h"

#include <string.h>

static ImapSet *parse(const char *text)
{
	ImapSet *set = *text ? imap_set_parse(text, strlen(text), 1000) : imap_set_new();

	g_assert_nonnull(set);
	return set;
}

static void assert_set(const ImapSet *set, const char *expected)
{
	g_autofree char *text = imap_set_to_string(set);
	guint64 count = 0;
	gsize n;
	const ImapRange *ranges = imap_set_ranges(set, &n);

	g_assert_cmpstr(text, ==, expected);
	for (gsize i = 0; i < n; i++)
		count += (guint64)ranges[i].hi - ranges[i].lo + 1;
	g_assert_cmpuint(imap_set_count(set), ==, count);
}

static void test_parse(void)
{
	static const char *const good[][2] = {
		{"1", "1"},
		{"1:3,7,12:9", "1:3,7,9:12"},
		{"4294967295", "4294967295"},
		{"1:4294967295", "1:4294967295"},
		{"5,4,3,2,1", "1:5"},
		{"1:5,3:9,4", "1:9"},
		{"0001", "1"},
		{"3,1,2,9:8,8", "1:3,8:9"},
	};
	static const char *const bad[] = {
		"",
		"0",
		"*",
		"1:*",
		"1,",
		",1",
		"1:",
		":1",
		"1:2:3",
		"a",
		"1 ",
		" 1",
		"-1",
		"1,,2",
		"4294967296",
		"99999999999999999999",
		"1:0",
		"0:1",
		"1.5",
		"$",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(ImapSet) set = parse(good[i][0]);

		assert_set(set, good[i][1]);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_null(imap_set_parse(bad[i], strlen(bad[i]), 1000));
}

static void test_parse_limits(void)
{
	g_autoptr(ImapSet) part = imap_set_parse("1:3,7", 1, 1);

	assert_set(part, "1");
	g_assert_null(imap_set_parse("1,3,5", 5, 2));
	g_assert_null(imap_set_parse("1", 1, 0));
	g_assert_null(imap_set_parse("1\0002", 3, 9));
}

static void test_parse_ascending(void)
{
	static const char *const good[] = {"1", "1,2", "1:3,5:9", "3:1,5"};
	static const char *const bad[] = {"2,1", "1,1", "1:3,3", "5:9,1:3", "1:9,2", "x", ""};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(ImapSet) set = imap_set_parse_ascending(good[i], strlen(good[i]), 9);

		g_assert_nonnull(set);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++)
		g_assert_null(imap_set_parse_ascending(bad[i], strlen(bad[i]), 9));
}

static void test_add(void)
{
	g_autoptr(ImapSet) set = imap_set_new();

	imap_set_add(set, 5, 7);
	imap_set_add(set, 20, 10);
	assert_set(set, "5:7,10:20");
	imap_set_add(set, 8, 8);
	assert_set(set, "5:8,10:20");
	imap_set_add(set, 9, 9);
	assert_set(set, "5:20");
	imap_set_add(set, 0, 0);
	assert_set(set, "5:20");
	imap_set_add(set, 0, 2);
	assert_set(set, "1:2,5:20");
	imap_set_add(set, G_MAXUINT32, G_MAXUINT32);
	imap_set_add(set, G_MAXUINT32 - 1, G_MAXUINT32);
	assert_set(set, "1:2,5:20,4294967294:4294967295");
	imap_set_add(set, 12, 15);
	imap_set_add(set, 1, 30);
	assert_set(set, "1:30,4294967294:4294967295");
	imap_set_add(set, 1, G_MAXUINT32);
	assert_set(set, "1:4294967295");
	g_assert_cmpuint(imap_set_count(set), ==, G_MAXUINT32);
}

static void test_remove(void)
{
	g_autoptr(ImapSet) set = parse("1:10,20:30,40");

	imap_set_remove(set, 5, 5);
	assert_set(set, "1:4,6:10,20:30,40");
	imap_set_remove(set, 25, 22);
	assert_set(set, "1:4,6:10,20:21,26:30,40");
	imap_set_remove(set, 4, 20);
	assert_set(set, "1:3,21,26:30,40");
	imap_set_remove(set, 0, 1);
	assert_set(set, "2:3,21,26:30,40");
	imap_set_remove(set, 31, 39);
	imap_set_remove(set, 0, 0);
	assert_set(set, "2:3,21,26:30,40");
	imap_set_remove(set, 40, G_MAXUINT32);
	assert_set(set, "2:3,21,26:30");
	imap_set_remove(set, 0, G_MAXUINT32);
	assert_set(set, "");
	imap_set_remove(set, 1, 5);
	g_assert_cmpuint(imap_set_min(set), ==, 0);
	g_assert_cmpuint(imap_set_max(set), ==, 0);
	g_assert_cmpuint(imap_set_nth(set, 1), ==, 0);
}

static void test_union_subtract(void)
{
	static const struct {
		const char *a, *b, *sum, *rest;
	} cases[] = {
		{"1:5", "3:9", "1:9", "1:2"},
		{"1:5", "6:9", "1:9", "1:5"},
		{"1:9", "3,5:6", "1:9", "1:2,4,7:9"},
		{"3,5:6", "1:9", "1:9", ""},
		{"1,3,5", "2,4", "1:5", "1,3,5"},
		{"", "1:3", "1:3", ""},
		{"1:3", "", "1:3", "1:3"},
		{"1:4294967295", "1,4294967295", "1:4294967295", "2:4294967294"},
		{"1:10,20:30", "5:25", "1:30", "1:4,26:30"},
		{"1:4,6:9,11:14", "2:3,7:12", "1:4,6:14", "1,4,6,13:14"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(ImapSet) a = parse(cases[i].a), b = parse(cases[i].b);
		g_autoptr(ImapSet) sum = imap_set_copy(a), rest = imap_set_copy(a);

		imap_set_union(sum, b);
		assert_set(sum, cases[i].sum);
		imap_set_subtract(rest, b);
		assert_set(rest, cases[i].rest);
		assert_set(a, cases[i].a);
		g_assert_true(imap_set_equal(a, b) == (strcmp(cases[i].a, cases[i].b) == 0));
	}
}

static void test_take(void)
{
	static const struct {
		const char *set;
		gsize bytes;
		guint64 uids;
		const char *taken, *left;
	} cases[] = {
		{"1:3,7", 100, 100, "1:3,7", ""},
		{"1:3,7", 3, 100, "1:3", "7"},
		{"1:3,7", 4, 100, "1:3", "7"},
		{"1:3,7", 5, 100, "1:3,7", ""},
		{"1:3,7", 100, 2, "1:2", "3,7"},
		{"1:3,7,9", 100, 4, "1:3,7", "9"},
		{"10:99,200", 2, 100, "10", "11:99,200"},
		{"10:99,200", 1, 100, "10", "11:99,200"},
		{"5,100:200", 6, 100, "5,100", "101:200"},
		{"1:4294967295", 100, 2000, "1:2000", "2001:4294967295"},
		{"1:3", 100, 0, NULL, "1:3"},
		{"", 100, 100, NULL, ""},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(ImapSet) set = parse(cases[i].set);
		g_autofree char *taken = imap_set_take(set, cases[i].bytes, cases[i].uids);

		g_assert_cmpstr(taken, ==, cases[i].taken);
		assert_set(set, cases[i].left);
	}
}

/* Positions against a plain array, over changes of every kind and place. */
static void test_positions(void)
{
	enum { UIDS = 600, ROUNDS = 4000 };
	g_autoptr(ImapSet) set = imap_set_new();
	g_autofree bool *present = g_new0(bool, UIDS + 1);

	for (guint round = 0; round < ROUNDS; round++) {
		guint32 lo = (guint32)g_test_rand_int_range(1, UIDS + 1);
		guint32 last = lo + (guint32)g_test_rand_int_range(0, 9);
		guint32 hi = MIN(last, UIDS);
		guint32 nth = 0;

		switch (g_test_rand_int_range(0, 4)) {
		case 0:
			imap_set_add(set, lo, hi);
			memset(present + lo, true, hi - lo + 1);
			break;
		case 1:
			imap_set_remove(set, lo, hi);
			memset(present + lo, false, hi - lo + 1);
			break;
		case 2:
			present[imap_set_remove_nth(set, 1)] = false;
			break;
		default:
			present[imap_set_remove_nth(set, imap_set_count(set) / 2)] = false;
			break;
		}
		present[0] = false;
		for (guint32 uid = 1; uid <= UIDS; uid++) {
			g_assert_true(imap_set_contains(set, uid) == present[uid]);
			if (present[uid])
				g_assert_cmpuint(imap_set_nth(set, ++nth), ==, uid);
		}
		g_assert_cmpuint(imap_set_count(set), ==, nth);
		g_assert_cmpuint(imap_set_nth(set, nth + 1), ==, 0);
		g_assert_cmpuint(imap_set_nth(set, 0), ==, 0);
	}
}

/* Each of these costs minutes if a step copies the set. */
static void test_large(void)
{
	enum { RANGES = 500000 };
	g_autoptr(ImapSet) set = imap_set_new();
	g_autoptr(GArray) descending = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	g_autoptr(ImapSet) same = NULL;

	for (guint32 i = 1; i <= RANGES; i++)
		imap_set_add(set, 2 * i, 2 * i);
	for (guint32 i = RANGES; i >= 1; i--)
		g_array_append_val(descending, ((ImapRange){2 * i, 2 * i}));
	same = imap_set_from_ranges((const ImapRange *)(gpointer)descending->data, descending->len);
	g_assert_true(imap_set_equal(set, same));

	for (guint32 i = 1; i <= RANGES; i++) {
		g_assert_cmpuint(imap_set_nth(set, RANGES - i + 1), ==, 2 * RANGES);
		g_assert_cmpuint(imap_set_remove_nth(set, 1), ==, 2 * i);
	}
	g_assert_cmpuint(imap_set_count(set), ==, 0);
	while (imap_set_count(same)) {
		g_autofree char *text = imap_set_take(same, 1000, 2000);

		g_assert_cmpuint(strlen(text), <=, 1000);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/set/parse", test_parse);
	g_test_add_func("/set/parse-limits", test_parse_limits);
	g_test_add_func("/set/parse-ascending", test_parse_ascending);
	g_test_add_func("/set/add", test_add);
	g_test_add_func("/set/remove", test_remove);
	g_test_add_func("/set/union-subtract", test_union_subtract);
	g_test_add_func("/set/take", test_take);
	g_test_add_func("/set/positions", test_positions);
	g_test_add_func("/set/large", test_large);
	return g_test_run();
}
