/* The table of mailboxes: which names have one, and which have not. */
#include "store-fixture.h"

static Fixture opened(void)
{
	Fixture f = {0};

	fixture_open(&f, false, 1 << 20, false);
	return f;
}

static void test_mailboxes(void)
{
	Fixture f = opened();
	ImapList two[] = {list_of("Sent"), list_of("inBoX")};
	ImapList more[] = {
		list_of("Archive/2026"), list_of("INBOX"), list_of("archive"), list_of("")};
	StoreMailbox mailbox;

	g_assert_true(store_set_mailboxes(f.store, two, 2));
	g_assert_false(store_set_mailboxes(f.store, two, 2));
	g_assert_cmpuint(id_of(f.store, "INBOX"), ==, f.mailbox);

	MailboxId sent = id_of(f.store, "Sent");

	g_assert_true(store_set_mailboxes(f.store, more, G_N_ELEMENTS(more)));
	g_autoptr(GArray) listed = store_mailboxes(f.store);

	g_assert_cmpuint(listed->len, ==, 3);
	g_assert_cmpstr(g_array_index(listed, StoreMailbox, 0).name, ==, "Archive/2026");
	g_assert_cmpstr(g_array_index(listed, StoreMailbox, 1).name, ==, "INBOX");
	g_assert_cmpstr(g_array_index(listed, StoreMailbox, 2).name, ==, "archive");

	/* No longer listed, still known, and the same when it is back. */
	g_assert_cmpuint(id_of(f.store, "Sent"), ==, 0);
	g_assert_true(store_mailbox(f.store, sent, &mailbox));
	g_assert_cmpstr(mailbox.name, ==, "Sent");
	g_assert_true(store_set_mailboxes(f.store, two, 2));
	g_assert_cmpuint(id_of(f.store, "Sent"), ==, sent);

	g_assert_false(store_mailbox(f.store, 0, &mailbox));
	g_assert_false(store_mailbox(f.store, 1000, &mailbox));
	fixture_close(&f);
}

static void test_mailbox_changes(void)
{
	Fixture f = opened();
	ImapList list = list_of("INBOX");
	ImapList broken[] = {{.name = {NULL, 0}}, {.name = {"a\0b", 3}}, list_of("INBOX")};
	ImapList twice[] = {list_of("inbox"), list_of("INBOX")};

	list.attributes = IMAP_LIST_MARKED;
	g_assert_false(store_set_mailboxes(f.store, &list, 1));
	list.attributes = IMAP_LIST_HASCHILDREN;
	g_assert_true(store_set_mailboxes(f.store, &list, 1));
	list.delimiter = '.';
	g_assert_true(store_set_mailboxes(f.store, &list, 1));
	g_assert_true(store_set_mailboxes(f.store, twice, 2));
	g_assert_false(store_set_mailboxes(f.store, broken, G_N_ELEMENTS(broken)));

	g_autoptr(GArray) listed = store_mailboxes(f.store);

	g_assert_cmpuint(listed->len, ==, 1);
	g_assert_true(store_set_mailboxes(f.store, NULL, 0));
	fixture_close(&f);
}

/* As many long names as can be kept, and one more. */
static void test_bytes_of_names(void)
{
	enum { N = LIMIT_MAILBOX_NAMES / LIMIT_MAILBOX_NAME };
	Fixture f = opened();
	g_autofree ImapList *lists = g_new0(ImapList, N);

	for (guint i = 0; i < N; i++) {
		char *name = g_strnfill(LIMIT_MAILBOX_NAME, 'x');

		g_snprintf(name, LIMIT_MAILBOX_NAME, "%06u", i);
		name[6] = 'x';
		lists[i] = (ImapList){.delimiter = '/', .name = {name, LIMIT_MAILBOX_NAME}};
	}
	store_set_mailboxes(f.store, lists, N);
	g_autoptr(GArray) listed = store_mailboxes(f.store);

	/* INBOX is known already. */
	g_assert_cmpuint(listed->len, ==, N - 1);
	for (guint i = 0; i < N; i++)
		g_free((char *)lists[i].name.data);
	fixture_close(&f);
}

/* ---- names that are looked for, and others that are given ---- */

static Fixture with_mailboxes(void)
{
	Fixture f = {0};
	ImapList lists[] = {list_of("INBOX"), list_of("a"), list_of("a/b"), list_of("a/b/c"),
		list_of("ab"), list_of("x"), list_of("x/b")};

	fixture_open(&f, true, 1 << 30, false);
	store_set_mailboxes(f.store, lists, G_N_ELEMENTS(lists));
	return f;
}

/* With a message of its own, whose UID and size are the number. */
static Gen fill(Fixture *f, const char *name, guint32 number)
{
	f->mailbox = store_find_mailbox(f->store, name);
	f->gen = store_gen_open(f->store, f->mailbox, number);

	g_autofree char *uids = g_strdup_printf("%u", number);

	set_names(f->store, f->gen, uids, "");
	put_message(f, number, number, 0);
	g_assert_true(commit_whole(f->store, f->gen, number, number));
	return f->gen;
}

static void assert_filled(Fixture *f, const char *name, guint32 number)
{
	f->mailbox = store_find_mailbox(f->store, name);
	g_assert_cmpuint(f->mailbox, !=, 0);
	f->gen = store_gen(f->store, f->mailbox);
	g_assert_cmpuint(store_gen_uidvalidity(f->store, f->gen), ==, number);
	assert_message(f, number, number, 0);
	assert_read(f->store, f->gen, number, 0, number, number);
}

static void assert_empty(const Fixture *f, const char *name)
{
	g_assert_cmpuint(store_gen(f->store, store_find_mailbox(f->store, name)), ==, 0);
}

static void list_as(const Fixture *f, const char *const *names)
{
	g_autoptr(GArray) lists = g_array_new(FALSE, FALSE, sizeof(ImapList));

	for (; *names; names++) {
		ImapList list = list_of(*names);

		g_array_append_val(lists, list);
	}
	store_set_mailboxes(f->store, (const ImapList *)(void *)lists->data, lists->len);
}

static void test_find(void)
{
	Fixture f = with_mailboxes();
	const char *const some[] = {"INBOX", "a", NULL};
	MailboxId x = store_find_mailbox(f.store, "x");

	g_assert_cmpuint(x, ==, id_of(f.store, "x"));
	g_assert_cmpuint(store_find_mailbox(f.store, "inBOX"), ==, id_of(f.store, "INBOX"));
	g_assert_cmpuint(store_find_mailbox(f.store, "A"), ==, 0);
	g_assert_cmpuint(store_find_mailbox(f.store, ""), ==, 0);
	list_as(&f, some);
	g_assert_cmpuint(store_find_mailbox(f.store, "x"), ==, x);
	fixture_close(&f);
}

static void test_rename(void)
{
	Fixture f = with_mailboxes();
	const char *const after[] = {
		"INBOX", "new/a", "new/a/b", "new/a/b/c", "ab", "x", "x/b", NULL};
	const char *const names[] = {"a", "a/b", "a/b/c", "ab"};
	MailboxId a = store_find_mailbox(f.store, "a"), b = store_find_mailbox(f.store, "a/b");
	StoreMailbox before, mailbox;

	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		fill(&f, names[i], 1000 + i);
	g_assert_true(store_mailbox(f.store, a, &before));
	store_rename_mailbox(f.store, a, "new/a");

	/* Who holds the old name may go on with it, and the listing is that of the server. */
	g_assert_cmpstr(before.name, ==, "a");
	g_assert_cmpuint(id_of(f.store, "a"), ==, a);
	g_assert_cmpuint(store_find_mailbox(f.store, "a"), ==, 0);
	g_assert_cmpuint(store_find_mailbox(f.store, "a/b"), ==, 0);
	g_assert_cmpuint(store_find_mailbox(f.store, "new/a/b"), ==, b);
	g_assert_true(store_mailbox(f.store, b, &mailbox));
	g_assert_cmpstr(mailbox.name, ==, "new/a/b");

	list_as(&f, after);
	g_assert_cmpuint(id_of(f.store, "new/a"), ==, a);
	g_assert_cmpuint(id_of(f.store, "a"), ==, 0);
	for (int mount = 0; mount < 2; mount++) {
		assert_filled(&f, "new/a", 1000);
		assert_filled(&f, "new/a/b", 1001);
		assert_filled(&f, "new/a/b/c", 1002);
		assert_filled(&f, "ab", 1003);
		open_again(&f);
	}
	fixture_close(&f);
}

/* A crash before the next LIST: the listing is the old one, what is known goes with the new name.
 */
static void test_rename_before_list(void)
{
	Fixture f = with_mailboxes();

	fill(&f, "a/b", 1001);
	open_again(&f);
	store_rename_mailbox(f.store, store_find_mailbox(f.store, "a"), "n");
	open_again(&f);
	assert_empty(&f, "a/b");
	assert_filled(&f, "n/b", 1001);
	fixture_close(&f);
}

/* Who had the new name has it no more, and nothing of what was known under it. */
static void test_rename_over(void)
{
	Fixture f = with_mailboxes();
	MailboxId old_x = store_find_mailbox(f.store, "x");
	const char *const after[] = {"INBOX", "x", "x/b", "x/b/c", "ab", NULL};

	fill(&f, "x", 1005);
	fill(&f, "x/b", 1006);
	fill(&f, "a", 1001);
	store_rename_mailbox(f.store, store_find_mailbox(f.store, "a"), "x");
	g_assert_cmpuint(store_find_mailbox(f.store, "x"), !=, old_x);
	g_assert_cmpuint(store_gen(f.store, old_x), ==, 0);
	list_as(&f, after);
	for (int mount = 0; mount < 2; mount++) {
		assert_filled(&f, "x", 1001);
		assert_empty(&f, "x/b");
		open_again(&f);
	}
	g_assert_cmpuint(store_bodies_count(f.store), ==, 1);
	fixture_close(&f);
}

/* It goes on as if it had never been: another renaming does not find it below what it lost. */
static void test_rename_over_and_on(void)
{
	Fixture f = with_mailboxes();

	fill(&f, "a/b", 1001);
	store_rename_mailbox(f.store, store_find_mailbox(f.store, "a"), "x");
	store_rename_mailbox(f.store, store_find_mailbox(f.store, "x"), "y");
	assert_filled(&f, "y/b", 1001);
	fixture_close(&f);
}

/* Names that go round: a becomes what a/b was, and a/b something else. */
static void test_rename_below_itself(void)
{
	Fixture f = with_mailboxes();

	fill(&f, "a", 1000);
	fill(&f, "a/b", 1001);
	store_rename_mailbox(f.store, store_find_mailbox(f.store, "a"), "a/b");
	assert_filled(&f, "a/b", 1000);
	assert_filled(&f, "a/b/b", 1001);
	g_assert_cmpuint(store_find_mailbox(f.store, "a"), ==, 0);
	fixture_close(&f);
}

/* There and back again: each name is the one mailbox's that has it. */
static void test_rename_back(void)
{
	Fixture f = with_mailboxes();
	MailboxId a = store_find_mailbox(f.store, "a");

	fill(&f, "a/b", 1001);
	for (int i = 0; i < 3; i++) {
		store_rename_mailbox(f.store, a, "n");
		store_rename_mailbox(f.store, a, "a");
	}
	g_assert_cmpuint(store_find_mailbox(f.store, "a"), ==, a);
	assert_filled(&f, "a/b", 1001);
	fixture_close(&f);
}

static void test_not_renamed(void)
{
	Fixture f = with_mailboxes();
	MailboxId inbox = store_find_mailbox(f.store, "INBOX"),
		  a = store_find_mailbox(f.store, "a");
	g_autofree char *late = g_strnfill(LIMIT_MAILBOX_NAME - 1, 'x');

	fill(&f, "a/b", 1001);
	store_rename_mailbox(f.store, inbox, "old");
	g_assert_cmpuint(store_find_mailbox(f.store, "INBOX"), ==, inbox);
	g_assert_cmpuint(store_find_mailbox(f.store, "old"), ==, 0);
	store_rename_mailbox(f.store, a, "inbox");
	store_rename_mailbox(f.store, a, "a");
	store_rename_mailbox(f.store, a, "");
	store_rename_mailbox(f.store, 99, "y");
	g_assert_cmpuint(store_find_mailbox(f.store, "a"), ==, a);
	assert_filled(&f, "a/b", 1001);

	/* One that fits, with another below it that does not: that is known no more. */
	store_rename_mailbox(f.store, a, late);
	g_assert_cmpuint(store_find_mailbox(f.store, late), ==, a);
	g_assert_cmpuint(store_find_mailbox(f.store, "a/b"), ==, 0);
	g_assert_cmpuint(store_gen_mailbox(f.store, f.gen), ==, 0);
	fixture_close(&f);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/mailboxes", test_mailboxes);
	g_test_add_func("/store/mailboxes/changes", test_mailbox_changes);
	g_test_add_func("/store/mailboxes/bytes-of-names", test_bytes_of_names);
	g_test_add_func("/store/mailboxes/find", test_find);
	g_test_add_func("/store/mailboxes/rename", test_rename);
	g_test_add_func("/store/mailboxes/rename-before-list", test_rename_before_list);
	g_test_add_func("/store/mailboxes/rename-over", test_rename_over);
	g_test_add_func("/store/mailboxes/rename-over-and-on", test_rename_over_and_on);
	g_test_add_func("/store/mailboxes/rename-below-itself", test_rename_below_itself);
	g_test_add_func("/store/mailboxes/rename-back", test_rename_back);
	g_test_add_func("/store/mailboxes/not-renamed", test_not_renamed);
	return g_test_run();
}
