#include "imap/parser.h"

#include "base/limits.h"

/* quota-resource = resource-name SP resource-usage SP resource-limit (RFC 9208 section 7). What is
 * no number tells nothing of that resource, but the others stand. */
static bool read_resource(ImapLexer *lexer, ImapQuota *quota)
{
	guint64 used, limit;
	ImapBytes name;
	bool numbers;

	if (!imap_lex_word(lexer, IMAP_LEX_NO_STOP, &name))
		return false;
	numbers = imap_lex_number(lexer, G_MAXINT64, &used);
	if (!numbers && !imap_lex_skip(lexer, NULL, NULL))
		return false;
	if (!imap_lex_number(lexer, G_MAXINT64, &limit))
		return imap_lex_skip(lexer, NULL, NULL);
	if (numbers && imap_bytes_equal_case(name, "STORAGE")) {
		quota->has_storage = true;
		quota->storage_used = used;
		quota->storage_limit = limit;
	} else if (numbers && imap_bytes_equal_case(name, "MESSAGE")) {
		quota->has_messages = true;
		quota->messages_used = used;
		quota->messages_limit = limit;
	}
	return true;
}

/* quota-response = "QUOTA" SP quota-root-name SP quota-list; RFC 2087 section 5.1 has empty lists.
 */
bool imap_parse_quota(ImapParser *parser, ImapLexer *lexer)
{
	ImapQuota *quota = &parser->response.quota;
	ImapLex next;

	if (!imap_lex_mailbox(lexer, &quota->root) || !imap_lex_char(lexer, '('))
		return false;
	while ((next = imap_lex_list_next(lexer)) == IMAP_LEX_MORE) {
		if (!read_resource(lexer, quota))
			return false;
	}
	return next == IMAP_LEX_DONE;
}

/* quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name) */
bool imap_parse_quota_root(ImapParser *parser, ImapLexer *lexer)
{
	ImapQuotaRoot *answer = &parser->response.quota_root;
	ImapBytes root;

	if (!imap_lex_astring(lexer, &answer->mailbox))
		return false;
	while (parser->roots->len < LIMIT_LIST_ITEMS && imap_lex_astring(lexer, &root))
		g_array_append_val(parser->roots, root);
	answer->roots = (const ImapBytes *)(gpointer)parser->roots->data;
	answer->n_roots = parser->roots->len;
	return true;
}
