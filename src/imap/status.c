#include "imap/code.h"
#include "imap/parser.h"

/* append-uid and uid-set: the numbers count only when all is well-formed. */
static void read_uid_code(ImapParser *parser, ImapLexer *lexer, bool pairs)
{
	ImapStatus *status = &parser->response.status;
	g_autoptr(ImapSet) source = NULL, target = NULL;
	ImapBytes a, b;
	guint32 uidvalidity;

	if (!imap_lex_nz_number(lexer, &uidvalidity))
		return;
	if (!pairs) {
		source = imap_lex_set(lexer);
		if (!source)
			return;
	} else {
		if (!imap_lex_word(lexer, ']', &a) || !imap_lex_word(lexer, ']', &b))
			return;
		/* RFC 4315 section 3 pairs the sets in the order written; sets that are not
		 * ascending would pair the wrong messages here. */
		source = imap_set_parse_ascending(a.data, a.len, a.len);
		target = imap_set_parse_ascending(b.data, b.len, b.len);
		if (!source || !target || imap_set_count(source) != imap_set_count(target))
			return;
		status->target_uids = imap_parser_keep_set(parser, g_steal_pointer(&target));
	}
	status->uids = imap_parser_keep_set(parser, g_steal_pointer(&source));
	status->number = uidvalidity;
}

static void read_argument(ImapParser *parser, ImapLexer *lexer)
{
	ImapStatus *status = &parser->response.status;
	ImapCodeArgument argument = imap_code_argument(status->code);
	ImapLexer mark = *lexer;
	ImapSet *set;

	switch (argument) {
	case IMAP_CODE_WITH_NOTHING:
		break;
	case IMAP_CODE_WITH_NUMBER32:
		imap_lex_number(lexer, G_MAXUINT32, &status->number);
		break;
	case IMAP_CODE_WITH_NUMBER64:
		imap_lex_number(lexer, G_MAXINT64, &status->number);
		break;
	case IMAP_CODE_WITH_UID:
	case IMAP_CODE_WITH_UID_PAIRS:
		read_uid_code(parser, lexer, argument == IMAP_CODE_WITH_UID_PAIRS);
		break;
	case IMAP_CODE_WITH_SET:
		set = imap_lex_set(lexer);
		if (set)
			status->uids = imap_parser_keep_set(parser, set);
		break;
	case IMAP_CODE_WITH_FLAGS:
		if (imap_parse_flags(parser, lexer, &parser->response.flags))
			status->flags = &parser->response.flags;
		else
			*lexer = mark;
		break;
	case IMAP_CODE_WITH_CAPABILITIES:
		if (imap_parse_capabilities(parser, lexer))
			status->caps = &parser->response.caps;
		break;
	}
}

/* Up to and with the "]"; where a server forgot it the text begins here. */
static void close_code(ImapLexer *lexer)
{
	ImapBytes rest = imap_lex_rest(lexer);
	const char *bracket = rest.len ? memchr(rest.data, ']', rest.len) : NULL;

	if (bracket)
		lexer->at += (gsize)(bracket + 1 - rest.data);
}

/* resp-text-code = "[" atom [SP ...] "]" (RFC 3501 section 9) */
static void read_code(ImapParser *parser, ImapLexer *lexer)
{
	ImapStatus *status = &parser->response.status;
	ImapBytes name;

	if (!imap_lex_char(lexer, '['))
		return;
	status->code = IMAP_CODE_OTHER;
	if (imap_lex_word(lexer, ']', &name))
		status->code = imap_code_from_name(name.data, name.len);
	read_argument(parser, lexer);
	close_code(lexer);
}

/* Gmail: "NO Some text [THROTTLED]". */
static bool ends_throttled(ImapBytes text)
{
	static const char mark[] = "[THROTTLED]";
	gsize len = sizeof(mark) - 1;

	return text.len >= len && g_ascii_strncasecmp(text.data + text.len - len, mark, len) == 0;
}

bool imap_parse_status(ImapParser *parser, ImapLexer *lexer, ImapStatusKind kind)
{
	ImapStatus *status = &parser->response.status;

	status->kind = kind;
	read_code(parser, lexer);
	status->text = imap_lex_rest(lexer);
	if (status->code == IMAP_CODE_NONE && ends_throttled(status->text))
		status->code = IMAP_CODE_THROTTLED;
	return true;
}
