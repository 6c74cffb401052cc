#include "fs/inode.h"

static const Inode addresses[] = {
	{.kind = INODE_ROOT_KIND},
	{.kind = INODE_DIRECTORY, .id = 1},
	{.kind = INODE_DIRECTORY, .id = INODE_ID_MAX},
	{.kind = INODE_MESSAGE, .id = 1, .uid = 1},
	{.kind = INODE_MESSAGE, .id = INODE_ID_MAX, .uid = 1},
	{.kind = INODE_MESSAGE, .id = 1, .uid = G_MAXUINT32},
	{.kind = INODE_MESSAGE, .id = INODE_ID_MAX, .uid = G_MAXUINT32},
	{.kind = INODE_STAGED, .uid = 1},
	{.kind = INODE_STAGED, .uid = G_MAXUINT32},
	{.kind = INODE_WAITING, .uid = 1},
	{.kind = INODE_WAITING, .uid = G_MAXUINT32},
	{.kind = INODE_VIEW, .part = VIEW_TEXT, .id = 1},
	{.kind = INODE_VIEW, .part = VIEW_NAMES, .id = INODE_ID_MAX},
	{.kind = INODE_VIEW, .part = VIEW_SEARCH},
	{.kind = INODE_QUERY, .uid = 1},
	{.kind = INODE_QUERY, .id = INODE_ID_MAX, .uid = G_MAXUINT32},
	{.kind = INODE_TEXT, .id = 1, .uid = 1},
	{.kind = INODE_TEXT, .id = INODE_ID_MAX, .uid = G_MAXUINT32},
	{.kind = INODE_PARTS, .id = 1, .uid = 1},
	{.kind = INODE_PARTS, .id = INODE_ID_MAX, .uid = G_MAXUINT32},
	{.kind = INODE_PART, .id = 1, .uid = 1},
	{.kind = INODE_PART, .part = 1, .id = 1, .uid = 1},
	{.kind = INODE_PART, .part = 1023, .id = INODE_ID_MAX, .uid = G_MAXUINT32},
	{.kind = INODE_OWN, .part = INODE_OWN_DIRECTORY},
	{.kind = INODE_OWN, .part = INODE_OWN_EVENTS},
	{.kind = INODE_OWN, .part = INODE_OWN_STATUS, .uid = 1},
	{.kind = INODE_OWN, .part = INODE_OWN_STATUS, .uid = G_MAXUINT32},
};

static void test_round_trip(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		Inode back;

		g_assert_true(inode_unpack(inode_pack(addresses[i]), &back));
		g_assert_cmpint(back.kind, ==, addresses[i].kind);
		g_assert_cmpuint(back.part, ==, addresses[i].part);
		g_assert_cmpuint(back.id, ==, addresses[i].id);
		g_assert_cmpuint(back.uid, ==, addresses[i].uid);
	}
}

static void test_no_two_are_equal(void)
{
	for (gsize i = 0; i < G_N_ELEMENTS(addresses); i++) {
		for (gsize k = 0; k < i; k++)
			g_assert_cmpuint(inode_pack(addresses[i]), !=, inode_pack(addresses[k]));
	}
}

static void test_root_is_what_fuse_says(void)
{
	g_assert_cmpuint(inode_pack((Inode){.kind = INODE_ROOT_KIND}), ==, 1);
}

static void test_short_forms(void)
{
	Inode inode;

	g_assert_true(inode_unpack(inode_message(7, 57), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_MESSAGE);
	g_assert_cmpuint(inode.id, ==, 7);
	g_assert_cmpuint(inode.uid, ==, 57);
	g_assert_true(inode_unpack(inode_directory(7), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_DIRECTORY);
	g_assert_cmpuint(inode.id, ==, 7);
	g_assert_true(inode_unpack(inode_view(VIEW_PARTS, 7), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_VIEW);
	g_assert_cmpuint(inode.part, ==, VIEW_PARTS);
	g_assert_cmpuint(inode.id, ==, 7);
	g_assert_true(inode_unpack(inode_query(7, 9), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_QUERY);
	g_assert_cmpuint(inode.uid, ==, 9);
	g_assert_true(inode_unpack(inode_text(7, 57), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_TEXT);
	g_assert_true(inode_unpack(inode_parts(7, 57), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_PARTS);
	g_assert_true(inode_unpack(inode_part(3, 7, 57), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_PART);
	g_assert_cmpuint(inode.part, ==, 3);
	g_assert_true(inode_unpack(inode_own(INODE_OWN_STATUS, 9), &inode));
	g_assert_cmpint(inode.kind, ==, INODE_OWN);
	g_assert_cmpuint(inode.part, ==, INODE_OWN_STATUS);
	g_assert_cmpuint(inode.uid, ==, 9);
}

static void test_other_numbers_mean_nothing(void)
{
	const guint64 wrong[] = {
		0,
		2,
		inode_directory(7) | 1, /* a directory with a UID */
		inode_directory(7) & ~((guint64)7 << 32), /* without an id */
		inode_message(7, 57) & ~(guint64)57, /* a message without a UID */
		inode_message(7, 57) & ~((guint64)7 << 32), /* without a generation */
		inode_message(7, 57) | (guint64)1 << 50, /* of a part */
		inode_staged(7) & ~(guint64)7, /* no staged file */
		inode_waiting(7) | (guint64)1 << 32, /* a copy with an id */
		inode_own(INODE_OWN_STATUS, 7) & ~(guint64)7, /* no snapshot */
		inode_own(INODE_OWN_EVENTS, 0) | 7, /* a snapshot of what has none */
		inode_own(INODE_OWN_STATUS, 7) | (guint64)3 << 50, /* none of our parts */
		inode_own(INODE_OWN_STATUS, 7) | (guint64)1 << 32, /* with an id */
		inode_view(VIEW_TEXT, 7) | 1, /* a view with a UID */
		inode_view(VIEW_TEXT, 7) | (guint64)VIEW_KINDS_ << 50, /* none of our views */
		inode_query(7, 9) & ~(guint64)9, /* no query */
		inode_text(7, 57) | (guint64)1 << 50, /* a text in parts */
		inode_parts(7, 57) & ~((guint64)7 << 32), /* without a generation */
		inode_part(3, 7, 57) & ~(guint64)57, /* of no message */
		(guint64)INODE_KINDS_ << 60 | (guint64)1 << 32 | 1, /* of no kind */
		G_MAXUINT64,
	};

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		Inode inode = {.uid = 99};

		g_assert_false(inode_unpack(wrong[i], &inode));
		g_assert_cmpuint(inode.uid, ==, 99);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/inode/round-trip", test_round_trip);
	g_test_add_func("/inode/distinct", test_no_two_are_equal);
	g_test_add_func("/inode/root", test_root_is_what_fuse_says);
	g_test_add_func("/inode/short-forms", test_short_forms);
	g_test_add_func("/inode/others", test_other_numbers_mean_nothing);
	return g_test_run();
}
