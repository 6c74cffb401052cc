/* What the parsers of the single responses share: the response they fill and the memory behind
 * it, reused from one response to the next. Internal to imap/. */
#pragma once

#include "imap/lexer.h"

typedef struct {
	ImapResponse response;

	/* What response points to; emptied before the next one. */
	GStringChunk *strings;
	GPtrArray *keywords; /* NULL-terminated, of strings */
	GPtrArray *mechs; /* as keywords */
	GArray *bodies; /* ImapBody */
	GArray *sizes; /* ImapBodySize */
	GArray *namespaces; /* ImapNamespace */
	GArray *roots; /* ImapBytes, of QUOTAROOT */
	GPtrArray *sets; /* owned */
	ImapSet *empty;
} ImapParser;

ImapParser *imap_parser_new(void);
void imap_parser_free(ImapParser *parser); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapParser, imap_parser_free)

/* Never fails: what makes no sense is IMAP_RESPONSE_OTHER. The result is valid until the next
 * call and as long as the frame's text. */
const ImapResponse *imap_parser_parse(ImapParser *parser, const ImapFrame *frame);

/* The parser frees the set after the response; returns it. */
const ImapSet *imap_parser_keep_set(ImapParser *parser, ImapSet *set);

/* Each reads what follows its keyword into parser->response. false: malformed. */
bool imap_parse_status(ImapParser *parser, ImapLexer *lexer, ImapStatusKind kind);
bool imap_parse_capabilities(ImapParser *parser, ImapLexer *lexer); /* up to "]" or the end */
bool imap_parse_namespaces(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_list(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_mailbox_status(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_search(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_esearch(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_vanished(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_quota(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_quota_root(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_rights(ImapParser *parser, ImapLexer *lexer);
bool imap_parse_fetch(ImapParser *parser, ImapLexer *lexer, guint32 seq);

/* "(" flags ")". */
bool imap_parse_flags(ImapParser *parser, ImapLexer *lexer, ImapFlags *ret_flags);
