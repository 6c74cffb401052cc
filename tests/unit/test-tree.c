#include "fs/tree.h"

#include <string.h>

#include "fs/inode.h"

static void clear_mailbox(gpointer data)
{
	g_free((char *)((StoreMailbox *)data)->name);
}

/* Mailboxes as "name", each with delimiter `/`; "name|." has another one, "name|" has none, and
 * "name|/|" is \Noselect. Ids count from 1. */
static GArray *mailboxes_of(const char *const *names)
{
	GArray *mailboxes = g_array_new(FALSE, FALSE, sizeof(StoreMailbox));

	g_array_set_clear_func(mailboxes, clear_mailbox);

	for (guint i = 0; names[i]; i++) {
		g_auto(GStrv) fields = g_strsplit(names[i], "|", 3);
		StoreMailbox mailbox = {
			.id = i + 1,
			.name = g_strdup(fields[0]),
			.delimiter = fields[1] ? fields[1][0] : '/',
			.attributes = fields[1] && fields[2] ? IMAP_LIST_NOSELECT : 0,
		};

		g_array_append_val(mailboxes, mailbox);
	}
	return mailboxes;
}

static Tree *tree_of(TreeIds *ids, const char *const *names)
{
	g_autoptr(GArray) mailboxes = mailboxes_of(names);

	return tree_new(ids, mailboxes);
}

#define TREE(...) tree_of(ids, (const char *const[]){__VA_ARGS__, NULL})

/* Every directory as "path=mailbox", in the order of listings, parents first. */
static void append_dirs(GString *text, const Tree *tree, const TreeDir *dir, const char *above)
{
	for (const TreeDir *child = tree_child_after(tree, dir, 0); child;
		child = tree_child_after(tree, dir, child->id)) {
		g_autofree char *path = g_strdup_printf("%s%s", above, child->name);
		g_autofree char *below = g_strdup_printf("%s/", path);

		g_string_append_printf(
			text, "%s%s=%u", text->len > 0 ? " " : "", path, child->mailbox);
		append_dirs(text, tree, child, below);
	}
}

static void assert_tree(const Tree *tree, const char *expected)
{
	g_autoptr(GString) text = g_string_new(NULL);

	append_dirs(text, tree, tree_dir(tree, 0), "");
	g_assert_cmpstr(text->str, ==, expected);
}

static void test_inbox_is_first(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("Archive", "Archive/2026", "INBOX", "Sent");

	assert_tree(tree, "INBOX=3 Archive=1 Archive/2026=2 Sent=4");
}

static void test_parents_that_nobody_listed(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("a/b/c", "p|/|", "p/child", "empty|/|");

	assert_tree(tree, "a=0 a/b=0 a/b/c=1 p=0 p/child=3 empty=0");
}

static void test_a_parent_listed_after_its_child(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("a/b", "a");

	assert_tree(tree, "a=2 a/b=1");
}

static void test_each_has_its_own_delimiter(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("a.b|.", "a/c", "x.y/z|", "p\\q|\\", "a/d.e");

	assert_tree(tree, "a=0 a/b=1 a/c=2 a/d.e=5 x.y%2Fz=3 p=0 p/q=4");
}

static void test_inbox_in_any_case_is_one(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("INBOX", "Inbox/a", "inbox.b|.", "a/inbox");

	assert_tree(tree, "INBOX=1 INBOX/a=2 INBOX/b=3 a=0 a/inbox=4");
}

static void test_one_path_twice_is_two_directories(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("a.b|.", "a/b", "a/b/c");
	const TreeDir *first = tree_of_mailbox(tree, 1);
	const TreeDir *second = tree_of_mailbox(tree, 2);

	g_assert_cmpstr(first->name, ==, "b");
	g_assert_true(g_str_has_prefix(second->name, "b~"));
	g_assert_cmpuint(first->parent, ==, second->parent);
	g_assert_cmpuint(first->id, !=, second->id);
	g_assert_true(tree_find(tree, "a/b/c") == tree_of_mailbox(tree, 3));
}

static void test_case_and_form_make_a_difference(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("Work", "work", "&APw-", "u&Awg-");

	assert_tree(tree, "Work=1 work=2 \303\274=3 u\314\210=4");
}

static void test_nonexistent_names_are_not_shown(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(GArray) mailboxes =
		mailboxes_of((const char *const[]){"gone|/|", "old|/|", "old/kept", NULL});

	for (guint i = 0; i < 2; i++)
		g_array_index(mailboxes, StoreMailbox, i).attributes |= IMAP_LIST_NONEXISTENT;
	g_autoptr(Tree) tree = tree_new(ids, mailboxes);

	assert_tree(tree, "old=0 old/kept=3");
}

static void test_ids_stay_with_the_path(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) before = TREE("INBOX", "a", "b/c");
	g_autoptr(Tree) without = TREE("INBOX", "b/c");
	g_autoptr(Tree) after = TREE("0", "INBOX", "a", "b/c", "b/d");
	guint32 id = tree_find(before, "a")->id;

	g_assert_null(tree_dir(without, id));
	g_assert_null(tree_find(without, "a"));
	g_assert_true(tree_dir(after, id) == tree_find(after, "a"));
	g_assert_cmpuint(tree_find(before, "b/c")->id, ==, tree_find(after, "b/c")->id);
	for (const TreeDir *dir = tree_dir_after(before, 0); dir;
		dir = tree_dir_after(before, dir->id)) {
		g_assert_cmpuint(tree_find(after, "0")->id, !=, dir->id);
		g_assert_cmpuint(tree_find(after, "b/d")->id, !=, dir->id);
	}
	/* What is new comes last, so that a listing under way shows nothing twice. */
	assert_tree(after, "INBOX=2 a=3 b=0 b/c=4 b/d=5 0=1");
}

static guint32 id_at(const Tree *tree, const char *path)
{
	const TreeDir *dir = tree_find(tree, path);

	return dir ? dir->id : 0;
}

static void test_ids_go_with_a_rename(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) before = TREE("a/b/c", "z");
	guint32 b = id_at(before, "a/b"), c = id_at(before, "a/b/c"), z = id_at(before, "z");

	tree_ids_rename(ids, b, z, "new");
	g_autoptr(Tree) after = TREE("z/new/c", "z", "a/b/c");
	assert_tree(after, "a=0 a/b=0 a/b/c=3 z=2 z/new=0 z/new/c=1");
	g_assert_cmpuint(id_at(after, "z/new"), ==, b);
	g_assert_cmpuint(id_at(after, "z/new/c"), ==, c);
	g_assert_cmpuint(tree_dir(after, b)->parent, ==, z);
	/* What is called so now is another directory than any before. */
	g_assert_null(tree_dir(before, id_at(after, "a/b")));
	g_assert_null(tree_dir(before, id_at(after, "a/b/c")));
}

static void test_a_rename_takes_the_place_of_another(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) before = TREE("a", "b/c", "b");
	guint32 a = id_at(before, "a");

	tree_ids_rename(ids, a, 0, "b");
	/* No directory has this id. */
	tree_ids_rename(ids, 99, 0, "c");
	g_autoptr(Tree) after = TREE("b", "b/c", "c");
	g_assert_cmpuint(id_at(after, "b"), ==, a);
	g_assert_null(tree_dir(before, id_at(after, "b/c")));
	g_assert_null(tree_dir(before, id_at(after, "c")));
	g_assert_cmpuint(id_at(after, "c"), !=, 99);
}

static void test_find(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("INBOX", "INBOX/Lists", "a/INBOX");

	g_assert_true(tree_find(tree, "") == tree_dir(tree, 0));
	g_assert_true(tree_find(tree, "inbox") == tree_of_mailbox(tree, 1));
	g_assert_true(tree_find(tree, "Inbox/Lists/") == tree_of_mailbox(tree, 2));
	g_assert_true(tree_find(tree, "a/INBOX") == tree_of_mailbox(tree, 3));
	g_assert_null(tree_find(tree, "a/inbox"));
	g_assert_null(tree_find(tree, "INBOX/lists"));
	g_assert_null(tree_find(tree, "INBOX/Lists/more"));
}

static void assert_path(const Tree *tree, guint32 from, const char *to, const char *expected)
{
	g_autofree char *path = tree_path(tree, from, tree_find(tree, to));

	g_assert_cmpstr(path, ==, expected);
}

static void test_path(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("INBOX", "a/b/&APw-", "c");
	guint32 a = tree_find(tree, "a")->id;

	assert_path(tree, 0, "a/b/\303\274", "a/b/\303\274");
	assert_path(tree, a, "a/b/\303\274", "b/\303\274");
	assert_path(tree, 0, "inbox", "INBOX");
	assert_path(tree, 0, "", ".");
	assert_path(tree, a, "a", ".");
	assert_path(tree, a, "c", NULL);
	assert_path(tree, a, "", NULL);
}

static void test_children(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(Tree) tree = TREE("a", "b", "b/c");
	const TreeDir *root = tree_dir(tree, 0);

	g_assert_cmpuint(tree_n_children(tree, root), ==, 2);
	g_assert_cmpuint(tree_n_children(tree, tree_find(tree, "a")), ==, 0);
	g_assert_null(tree_child_after(tree, tree_find(tree, "a"), 0));
	g_assert_true(tree_child(tree, root, "b") == tree_find(tree, "b"));
	g_assert_null(tree_child(tree, root, "c"));
	g_assert_null(tree_child(tree, root, ""));
	g_assert_null(tree_of_mailbox(tree, 4));
	g_assert_null(tree_dir(tree, 99));
}

static void test_depth_is_bounded(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(GString) name = g_string_new("d");

	for (guint i = 1; i < 2000; i++)
		g_string_append(name, "/d");
	g_autoptr(Tree) tree = TREE(name->str);
	const TreeDir *dir = tree_of_mailbox(tree, 1);
	guint depth = 0;

	g_assert_nonnull(dir);
	for (; dir->id != 0; dir = tree_dir(tree, dir->parent))
		depth++;
	g_assert_cmpuint(depth, ==, TREE_DEPTH);
}

static void test_more_directories_than_inode_numbers(void)
{
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	guint n = INODE_ID_MAX / 2 + 10;

	for (guint i = 0; i < n; i++)
		g_ptr_array_add(names, g_strdup_printf("%u/x", i));
	g_ptr_array_add(names, NULL);
	g_autoptr(Tree) tree = tree_of(ids, (const char *const *)names->pdata);

	g_assert_nonnull(tree_of_mailbox(tree, 1));
	g_assert_null(tree_of_mailbox(tree, n));
	g_assert_nonnull(tree_dir(tree, INODE_ID_MAX));
	g_assert_null(tree_dir(tree, INODE_ID_MAX + 1));
}

static void assert_wire(const Tree *tree, const char *path, const char *wire, char delimiter)
{
	const TreeDir *dir = tree_find(tree, path);

	g_assert_nonnull(dir);

	g_autofree char *found = g_strndup(dir->wire, dir->wire_len);

	g_assert_cmpstr(found, ==, wire);
	g_assert_cmpint(dir->delimiter, ==, delimiter);
}

/* What the names of new mailboxes begin with. */
static void test_names_on_the_wire(void)
{
	static const char *const names[] = {"Entw&APw-rfe.alt.tief|.", "INBOX", "#news/comp/lang|/",
		"Flat|", "Plain/Box", "Plain|/|", "inbox.sub|.", "a%b", NULL};
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(GArray) mailboxes = mailboxes_of(names);
	g_autoptr(Tree) tree = tree_new(ids, mailboxes);

	assert_wire(tree, "", "", '/');
	assert_wire(tree, "INBOX", "INBOX", '/');
	assert_wire(tree, "INBOX/sub", "inbox.sub", '.');
	assert_wire(tree, "Entw\303\274rfe", "Entw&APw-rfe", '.');
	assert_wire(tree, "Entw\303\274rfe/alt", "Entw&APw-rfe.alt", '.');
	assert_wire(tree, "Entw\303\274rfe/alt/tief", "Entw&APw-rfe.alt.tief", '.');
	assert_wire(tree, "#news/comp", "#news/comp", '/');
	assert_wire(tree, "Flat", "Flat", 0);
	assert_wire(tree, "Plain", "Plain", '/');
	assert_wire(tree, "a%25b", "a%b", '/');
}

static void test_delimiter_of_new_names(void)
{
	static const char *const names[] = {"INBOX|", "Lists.a|.", NULL};
	g_autoptr(TreeIds) ids = tree_ids_new();
	g_autoptr(GArray) mailboxes = mailboxes_of(names);
	g_autoptr(Tree) tree = tree_new(ids, mailboxes);

	assert_wire(tree, "", "", '.');
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/tree/inbox-first", test_inbox_is_first);
	g_test_add_func("/tree/parents", test_parents_that_nobody_listed);
	g_test_add_func("/tree/parent-after-child", test_a_parent_listed_after_its_child);
	g_test_add_func("/tree/delimiters", test_each_has_its_own_delimiter);
	g_test_add_func("/tree/inbox-any-case", test_inbox_in_any_case_is_one);
	g_test_add_func("/tree/path-twice", test_one_path_twice_is_two_directories);
	g_test_add_func("/tree/case-and-form", test_case_and_form_make_a_difference);
	g_test_add_func("/tree/nonexistent", test_nonexistent_names_are_not_shown);
	g_test_add_func("/tree/ids", test_ids_stay_with_the_path);
	g_test_add_func("/tree/renamed", test_ids_go_with_a_rename);
	g_test_add_func("/tree/renamed-over", test_a_rename_takes_the_place_of_another);
	g_test_add_func("/tree/find", test_find);
	g_test_add_func("/tree/path", test_path);
	g_test_add_func("/tree/children", test_children);
	g_test_add_func("/tree/depth", test_depth_is_bounded);
	g_test_add_func("/tree/too-many", test_more_directories_than_inode_numbers);
	g_test_add_func("/tree/wire", test_names_on_the_wire);
	g_test_add_func("/tree/wire-root", test_delimiter_of_new_names);
	return g_test_run();
}
