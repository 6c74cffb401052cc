#include "fs/view.h"

#include "fs/name.h"

static void test_every_view_is_found_by_its_name(void)
{
	for (guint kind = 0; kind < VIEW_KINDS_; kind++) {
		ViewKind found = VIEW_KINDS_;
		g_assert_true(view_find(view_name(kind), &found));
		g_assert_cmpint(found, ==, kind);
	}
}

static void test_other_names_are_no_view(void)
{
	const char *const names[] = {"", ".", "text", ".Text", ".text ", ".texts", ".imapfs"};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		ViewKind found = VIEW_KINDS_;
		g_assert_false(view_find(names[i], &found));
		g_assert_cmpint(found, ==, VIEW_KINDS_);
	}
}

static void assert_entry(ViewKind kind, const char *name)
{
	char made[NAME_MESSAGE_BYTES];
	name_by_uid(G_MAXUINT32, view_suffix(kind), made);
	g_assert_cmpstr(made, ==, name);
	g_assert_cmpuint(name_to_uid_by(made, view_suffix(kind)), ==, G_MAXUINT32);
	g_assert_cmpuint(name_to_uid_by("57.eml", view_suffix(kind)), ==, 0);
	g_assert_cmpuint(name_to_uid_by("057", view_suffix(kind)), ==, 0);
}

static void test_messages_are_called_by_their_uid(void)
{
	assert_entry(VIEW_TEXT, "4294967295.txt");
	assert_entry(VIEW_PARTS, "4294967295");
	g_assert_null(view_suffix(VIEW_SEARCH));
	g_assert_null(view_suffix(VIEW_NAMES));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/view/names", test_every_view_is_found_by_its_name);
	g_test_add_func("/view/others", test_other_names_are_no_view);
	g_test_add_func("/view/entries", test_messages_are_called_by_their_uid);
	return g_test_run();
}
