#include "imap/parser.h"

/* mbx-list-flags (RFC 3501 section 9), child-mbox and RFC 5258 attributes, RFC 6154 use. */
static const struct {
	const char *name;
	guint bits;
} attributes[] = {
	{"\\Noinferiors", IMAP_LIST_NOINFERIORS},
	{"\\Noselect", IMAP_LIST_NOSELECT},
	{"\\NonExistent", IMAP_LIST_NONEXISTENT | IMAP_LIST_NOSELECT},
	{"\\Marked", IMAP_LIST_MARKED},
	{"\\Unmarked", IMAP_LIST_UNMARKED},
	{"\\HasChildren", IMAP_LIST_HASCHILDREN},
	{"\\HasNoChildren", IMAP_LIST_HASNOCHILDREN},
	{"\\Subscribed", IMAP_LIST_SUBSCRIBED},
	{"\\Remote", IMAP_LIST_REMOTE},
	{"\\All", IMAP_LIST_ALL},
	{"\\AllMail", IMAP_LIST_ALL}, /* Gmail before RFC 6154 */
	{"\\Archive", IMAP_LIST_ARCHIVE},
	{"\\Drafts", IMAP_LIST_DRAFTS},
	{"\\Flagged", IMAP_LIST_FLAGGED},
	{"\\Starred", IMAP_LIST_FLAGGED}, /* Gmail before RFC 6154 */
	{"\\Junk", IMAP_LIST_JUNK},
	{"\\Spam", IMAP_LIST_JUNK}, /* Gmail before RFC 6154 */
	{"\\Sent", IMAP_LIST_SENT},
	{"\\Trash", IMAP_LIST_TRASH},
};

static guint attribute_bits(ImapBytes name)
{
	for (guint i = 0; i < G_N_ELEMENTS(attributes); i++) {
		if (imap_bytes_equal_case(name, attributes[i].name))
			return attributes[i].bits;
	}
	return 0;
}

static bool read_attributes(ImapLexer *lexer, guint *ret_bits)
{
	ImapLex next;

	*ret_bits = 0;
	if (imap_lex_keyword(lexer, "NIL"))
		return true;
	if (!imap_lex_char(lexer, '('))
		return false;
	while ((next = imap_lex_list_next(lexer)) == IMAP_LEX_MORE) {
		ImapBytes name;

		if (imap_lex_word(lexer, IMAP_LEX_NO_STOP, &name))
			*ret_bits |= attribute_bits(name);
		else if (!imap_lex_skip(lexer, NULL, NULL))
			return false;
	}
	return next == IMAP_LEX_DONE;
}

/* mbox-list-extended-item = tag SP value; OLDNAME has a list of one name (RFC 9051 6.3.9.7). */
static void read_extended(ImapLexer *lexer, ImapList *list)
{
	if (!imap_lex_char(lexer, '('))
		return;
	while (imap_lex_list_next(lexer) == IMAP_LEX_MORE) {
		ImapLexer mark;
		ImapString tag, name;
		ImapBytes word;

		if (imap_lex_nstring(lexer, &tag))
			word = tag.bytes;
		else if (!imap_lex_word(lexer, IMAP_LEX_NO_STOP, &word))
			return;
		mark = *lexer;
		if (word.len && imap_bytes_equal_case(word, "OLDNAME") &&
			imap_lex_char(lexer, '(') && imap_lex_nstring(lexer, &name))
			list->oldname = name.bytes;
		*lexer = mark;
		if (!imap_lex_skip(lexer, NULL, NULL))
			return;
	}
}

bool imap_parse_list(ImapParser *parser, ImapLexer *lexer)
{
	ImapList *list = &parser->response.list;

	if (!read_attributes(lexer, &list->attributes) ||
		!imap_lex_delimiter(lexer, &list->delimiter) ||
		!imap_lex_mailbox(lexer, &list->name))
		return false;
	read_extended(lexer, list);
	return true;
}
