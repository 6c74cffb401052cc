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

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/store/mailboxes", test_mailboxes);
	g_test_add_func("/store/mailboxes/changes", test_mailbox_changes);
	g_test_add_func("/store/mailboxes/bytes-of-names", test_bytes_of_names);
	return g_test_run();
}
