#include "imap/parser.h"

#include "base/limits.h"

/* Namespace-Descr = "(" string SP (DQUOTE QUOTED-CHAR DQUOTE / nil) [extensions] ")" */
static bool read_description(ImapParser *parser, ImapLexer *lexer, char kind)
{
	ImapNamespace found = {.kind = kind};
	ImapString prefix;
	ImapLex next;

	if (!imap_lex_char(lexer, '(') || !imap_lex_nstring(lexer, &prefix) ||
		!imap_lex_delimiter(lexer, &found.delimiter))
		return false;
	while ((next = imap_lex_list_next(lexer)) == IMAP_LEX_MORE) {
		if (!imap_lex_skip(lexer, NULL, NULL))
			return false;
	}
	found.prefix = prefix.bytes;
	if (parser->namespaces->len < LIMIT_LIST_ITEMS)
		g_array_append_val(parser->namespaces, found);
	return next == IMAP_LEX_DONE;
}

/* Namespace = nil / "(" 1*Namespace-Descr ")" */
static bool read_kind(ImapParser *parser, ImapLexer *lexer, char kind)
{
	ImapLex next;

	if (imap_lex_keyword(lexer, "NIL"))
		return true;
	if (!imap_lex_char(lexer, '('))
		return false;
	while ((next = imap_lex_list_next(lexer)) == IMAP_LEX_MORE) {
		if (!read_description(parser, lexer, kind))
			return false;
	}
	return next == IMAP_LEX_DONE;
}

/* Namespace-Response = "*" SP "NAMESPACE" SP Namespace SP Namespace SP Namespace (RFC 2342) */
bool imap_parse_namespaces(ImapParser *parser, ImapLexer *lexer)
{
	ImapResponse *response = &parser->response;

	if (!read_kind(parser, lexer, 'p') || !read_kind(parser, lexer, 'o') ||
		!read_kind(parser, lexer, 's'))
		return false;
	response->namespaces = (const ImapNamespace *)(gpointer)parser->namespaces->data;
	response->n_namespaces = parser->namespaces->len;
	return true;
}
