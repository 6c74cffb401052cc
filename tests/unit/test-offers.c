#include "cli/offers.h"

#include <string.h>

#define BIT(name) IMAP_CAP_BIT(IMAP_CAP_##name)

/* Every line is there once, and has this word. */
static void assert_lines(guint64 caps, guint64 append_limit, const char *const *words)
{
	g_autofree char *text = offers_of_caps(caps, append_limit);
	g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
	guint n = g_strv_length(lines) - 1;

	g_assert_cmpuint(n, ==, g_strv_length((char **)words));
	for (guint i = 0; i < n; i++)
		if (!strstr(lines[i], words[i]))
			g_error("'%s' does not say %s", lines[i], words[i]);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_the_best_is_told(void)
{
	assert_lines(0, 0,
		WORDS("new mail: the server reports nothing", "coming back: messages are named",
			"large folders: each", "many folders: they", "deleting: a message",
			"moving: by copying", "rewriting: the new text", "new messages: each waits",
			"rights: what the server refuses", "quota: a full account"));
	assert_lines(BIT(NOTIFY) | BIT(IDLE) | BIT(QRESYNC) | BIT(CONDSTORE) | BIT(ESEARCH) |
			     BIT(LIST_STATUS) | BIT(UIDPLUS) | BIT(MOVE) | BIT(REPLACE) |
			     BIT(LITERAL_PLUS) | BIT(ACL) | BIT(QUOTA),
		0,
		WORDS("(NOTIFY)", "(QRESYNC)", "(ESEARCH)", "(LIST-STATUS)", "(UIDPLUS)", "(MOVE)",
			"(REPLACE)", "(LITERAL-)", "(ACL)", "(QUOTA)"));
	assert_lines(BIT(IDLE) | BIT(CONDSTORE) | BIT(LITERAL_MINUS), 0,
		WORDS("(IDLE)", "(CONDSTORE)", "each", "one by one", "UIDPLUS is missing",
			"MOVE is missing", "rewriting", "(LITERAL-)", "ACL is missing", "refused"));
	assert_lines(BIT(IMAP4REV2), 1000,
		WORDS("(IDLE)", "their flags", "(ESEARCH)", "(LIST-STATUS)", "(UIDPLUS)", "(MOVE)",
			"rewriting", "(LITERAL-)", "ACL is missing", "refused",
			"largest message: 1000 bytes"));
}

static void test_special_folders(void)
{
	const StoreMailbox all[] = {
		{.name = "Entw&APw-rfe", .attributes = IMAP_LIST_DRAFTS},
		{.name = "INBOX"},
		{.name = "Bin\x1b[2J", .attributes = IMAP_LIST_TRASH | IMAP_LIST_HASNOCHILDREN},
	};
	g_autoptr(GArray) mailboxes = g_array_new(FALSE, FALSE, sizeof(StoreMailbox));
	g_autofree char *none = offers_of_mailboxes(mailboxes);

	g_assert_cmpstr(none, ==, "");
	g_array_append_vals(mailboxes, all, G_N_ELEMENTS(all));
	g_autofree char *text = offers_of_mailboxes(mailboxes);

	g_assert_cmpstr(
		text, ==, "special folders: Entw\303\274rfe (drafts), Bin\\x1b[2J (trash)\n");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/offers/caps", test_the_best_is_told);
	g_test_add_func("/offers/special", test_special_folders);
	return g_test_run();
}
