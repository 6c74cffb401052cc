#include "imap/parser.h"

#include <stddef.h>

/* status-att-val (RFC 9051 section 9, RFC 7162, 8438): where each number goes and how large it is.
 */
static const struct {
	const char *name;
	guint bit;
	gsize offset;
	guint64 max;
} items[] = {
	{"MESSAGES", IMAP_HAS_MESSAGES, offsetof(ImapMailboxStatus, messages), G_MAXUINT32},
	{"UIDNEXT", IMAP_HAS_UIDNEXT, offsetof(ImapMailboxStatus, uidnext), G_MAXUINT32},
	{"UIDVALIDITY", IMAP_HAS_UIDVALIDITY, offsetof(ImapMailboxStatus, uidvalidity),
		G_MAXUINT32},
	{"UNSEEN", IMAP_HAS_UNSEEN, offsetof(ImapMailboxStatus, unseen), G_MAXUINT32},
	{"HIGHESTMODSEQ", IMAP_HAS_HIGHESTMODSEQ, offsetof(ImapMailboxStatus, highestmodseq),
		G_MAXINT64},
	{"SIZE", IMAP_HAS_SIZE, offsetof(ImapMailboxStatus, size), G_MAXINT64},
	{"DELETED", IMAP_HAS_DELETED, offsetof(ImapMailboxStatus, deleted), G_MAXUINT32},
};

/* The value behind a name; false when there is none at all. */
static bool read_value(ImapLexer *lexer, ImapBytes name, ImapMailboxStatus *status)
{
	for (guint i = 0; i < G_N_ELEMENTS(items); i++) {
		guint64 *field = (guint64 *)(gpointer)((char *)status + items[i].offset);

		if (!imap_bytes_equal_case(name, items[i].name))
			continue;
		if (!imap_lex_number(lexer, items[i].max, field))
			break;
		status->has |= items[i].bit;
		return true;
	}
	return imap_lex_skip(lexer, NULL, NULL);
}

bool imap_parse_mailbox_status(ImapParser *parser, ImapLexer *lexer)
{
	ImapMailboxStatus *status = &parser->response.mailbox_status;

	if (!imap_lex_mailbox(lexer, &status->name) || !imap_lex_char(lexer, '('))
		return false;
	while (imap_lex_list_next(lexer) == IMAP_LEX_MORE) {
		ImapBytes name;

		if (!imap_lex_word(lexer, IMAP_LEX_NO_STOP, &name) ||
			!read_value(lexer, name, status))
			break;
	}
	return true;
}
