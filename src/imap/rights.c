#include "imap/parser.h"

/* myrights-data = "MYRIGHTS" SP mailbox SP rights (RFC 4314 section 7). Where more follows it is
 * unclear what the name is: rights that are another word's letters would allow anything. */
bool imap_parse_rights(ImapParser *parser, ImapLexer *lexer)
{
	ImapRights *mine = &parser->response.rights;

	return imap_lex_astring(lexer, &mine->mailbox) && imap_lex_astring(lexer, &mine->rights) &&
	       imap_lex_space(lexer) == IMAP_LEX_DONE;
}
