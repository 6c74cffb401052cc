#include "cli/offers.h"

#include <string.h>

#include "base/log.h"
#include "imap/utf7.h"

/* The first of a matter that the server offers is used. Where it says nothing (caps 0) the matter
 * ends. */
typedef struct {
	const char *matter;
	guint64 caps; /* any of them */
	const char *meaning;
} Offer;

#define BIT(name) IMAP_CAP_BIT(IMAP_CAP_##name)

/* RFC 9051 appendix E: what IMAP4rev2 includes needs no name of its own. */
static const Offer offers[] = {
	{"new mail", BIT(NOTIFY), "the server reports changes in all folders (NOTIFY)"},
	{"new mail", BIT(IDLE) | BIT(IMAP4REV2),
		"the server reports changes in folders that are in use (IDLE); others are asked "
		"every `poll` seconds"},
	{"new mail", 0,
		"the server reports nothing; folders in use are asked every `poll` seconds"},

	{"coming back", BIT(QRESYNC), "only what changed meanwhile is fetched (QRESYNC)"},
	{"coming back", BIT(CONDSTORE),
		"messages are named again, flags fetched where they changed (CONDSTORE)"},
	{"coming back", 0,
		"messages are named again, and their flags fetched as they are looked at"},

	{"large folders", BIT(ESEARCH) | BIT(IMAP4REV2),
		"messages are named in ranges (ESEARCH): one answer for a million"},
	{"large folders", 0, "each message is named by itself: some 8 MB for a million"},

	{"many folders", BIT(LIST_STATUS) | BIT(IMAP4REV2),
		"all are looked at with one command (LIST-STATUS)"},
	{"many folders", 0, "they are asked one by one"},

	{"deleting", BIT(UIDPLUS) | BIT(IMAP4REV2),
		"exactly the messages meant can be removed (UIDPLUS)"},
	{"deleting", 0,
		"a message is removed only while no other one is marked as deleted, else it stays "
		"there, hidden: UIDPLUS is missing"},

	{"moving", BIT(MOVE) | BIT(IMAP4REV2), "in one step (MOVE)"},
	{"moving", 0, "by copying and deleting: MOVE is missing"},

	{"rewriting", BIT(REPLACE), "in one step (REPLACE)"},
	{"rewriting", 0, "the new text is added, then the old one deleted"},

	{"new messages", BIT(LITERAL_PLUS) | BIT(LITERAL_MINUS) | BIT(IMAP4REV2),
		"those of up to 4 KiB are sent at once (LITERAL-)"},
	{"new messages", 0, "each waits until the server asks for it: a round trip more"},

	{"rights", BIT(ACL), "what the server would refuse is known and fails at once (ACL)"},
	{"rights", 0, "what the server refuses comes back then: ACL is missing"},

	{"quota", BIT(QUOTA), "the server tells it, df shows it (QUOTA)"},
	{"quota", 0, "a full account shows when something is refused; df shows the cache"},
};

char *offers_of_caps(guint64 caps, guint64 append_limit)
{
	GString *text = g_string_new(NULL);
	const char *told = NULL;
	for (gsize i = 0; i < G_N_ELEMENTS(offers); i++) {
		const Offer *offer = &offers[i];
		if (g_strcmp0(told, offer->matter) == 0 ||
			(offer->caps != 0 && !(caps & offer->caps)))
			continue;
		told = offer->matter;
		g_string_append_printf(text, "%s: %s\n", offer->matter, offer->meaning);
	}
	if (append_limit > 0)
		g_string_append_printf(text,
			"largest message: %" G_GUINT64_FORMAT
			" bytes; a larger one fails at once (APPENDLIMIT)\n",
			append_limit);
	return g_string_free(text, FALSE);
}

static const struct {
	guint attribute;
	const char *use;
} uses[] = {
	{IMAP_LIST_ALL, "all mail"},
	{IMAP_LIST_ARCHIVE, "archive"},
	{IMAP_LIST_DRAFTS, "drafts"},
	{IMAP_LIST_FLAGGED, "flagged"},
	{IMAP_LIST_JUNK, "junk"},
	{IMAP_LIST_SENT, "sent"},
	{IMAP_LIST_TRASH, "trash"},
};

char *offers_of_mailboxes(const GArray *mailboxes)
{
	GString *text = g_string_new(NULL);
	for (gsize u = 0; u < G_N_ELEMENTS(uses); u++) {
		for (guint i = 0; i < mailboxes->len; i++) {
			const StoreMailbox *mailbox = &g_array_index(mailboxes, StoreMailbox, i);
			if (!(mailbox->attributes & uses[u].attribute))
				continue;
			g_autofree char *decoded =
				imap_utf7_decode(mailbox->name, strlen(mailbox->name));
			const char *name = decoded ? decoded : mailbox->name;
			g_autofree char *plain = log_escape(name, strlen(name), 200);
			g_string_append_printf(text, "%s %s (%s)",
				text->len > 0 ? "," : "special folders:", plain, uses[u].use);
		}
	}
	if (text->len > 0)
		g_string_append_c(text, '\n');
	return g_string_free(text, FALSE);
}
