#include "imap/parser.h"

#include <string.h>

#include "base/limits.h"
#include "imap/date.h"

/* Each reader of a value takes it and fills its field, or returns false for one that is not well
 * formed; then it is skipped, and the item counts as absent. */

static bool read_uid(ImapParser *parser, ImapLexer *lexer, ImapFetch *fetch)
{
	return imap_lex_nz_number(lexer, &fetch->uid);
}

static bool read_flags(ImapParser *parser, ImapLexer *lexer, ImapFetch *fetch)
{
	return imap_parse_flags(parser, lexer, &fetch->flags);
}

static bool read_internaldate(ImapParser *parser, ImapLexer *lexer, ImapFetch *fetch)
{
	ImapString date;

	return imap_lex_nstring(lexer, &date) && date.bytes.data &&
	       imap_date_parse(date.bytes.data, date.bytes.len, &fetch->internaldate);
}

static bool read_size(ImapParser *parser, ImapLexer *lexer, ImapFetch *fetch)
{
	return imap_lex_number(lexer, G_MAXINT64, &fetch->size);
}

/* fetch-mod-resp = "MODSEQ" SP "(" permsg-modsequence ")" (RFC 7162 section 7) */
static bool read_modseq(ImapParser *parser, ImapLexer *lexer, ImapFetch *fetch)
{
	guint64 modseq;

	if (!imap_lex_char(lexer, '(') || !imap_lex_number(lexer, G_MAXINT64, &modseq) ||
		modseq == 0 || !imap_lex_char(lexer, ')'))
		return false;
	fetch->modseq = modseq;
	return true;
}

/* Kept as text for whoever wants it, who may recurse: so not too deep. */
static bool read_bodystructure(ImapParser *parser, ImapLexer *lexer, ImapFetch *fetch)
{
	guint depth;
	bool whole;
	gsize start;

	if (imap_lex_peek(lexer) != '(')
		return false;
	start = lexer->at;
	if (!imap_lex_skip(lexer, &depth, &whole) || depth > LIMIT_NESTING || !whole)
		return false;
	fetch->bodystructure = (ImapBytes){lexer->frame->text + start, lexer->at - start};
	return true;
}

static const struct {
	const char *name;
	guint bit;
	bool (*read)(ImapParser *parser, ImapLexer *lexer, ImapFetch *fetch);
} items[] = {
	{"UID", IMAP_FETCH_UID, read_uid},
	{"FLAGS", IMAP_FETCH_FLAGS, read_flags},
	{"RFC822.SIZE", IMAP_FETCH_SIZE, read_size},
	{"INTERNALDATE", IMAP_FETCH_INTERNALDATE, read_internaldate},
	{"MODSEQ", IMAP_FETCH_MODSEQ, read_modseq},
	{"BODYSTRUCTURE", IMAP_FETCH_BODYSTRUCTURE, read_bodystructure},
};

/* "BODY" section ["<" number ">"] SP nstring, "BINARY" likewise with literal8 */
static bool read_body(ImapParser *parser, ImapLexer *lexer, ImapBody body)
{
	ImapString value;

	if (!imap_lex_nstring(lexer, &value))
		return false;
	switch (value.form) {
	case IMAP_STRING_NIL:
	case IMAP_STRING_DROPPED:
		body.form = IMAP_BODY_NIL;
		body.size = value.size;
		break;
	case IMAP_STRING_BYTES:
		body.form = IMAP_BODY_INLINE;
		body.data = value.bytes;
		body.size = value.size;
		break;
	case IMAP_STRING_STREAMED:
		body.form = IMAP_BODY_STREAMED;
		body.size = value.size;
		break;
	}
	if (parser->bodies->len < LIMIT_LIST_ITEMS)
		g_array_append_val(parser->bodies, body);
	return true;
}

static bool read_origin(ImapLexer *lexer, ImapBody *body)
{
	ImapBytes origin;

	if (imap_lex_peek(lexer) != '<')
		return true;
	if (!imap_lex_word(lexer, IMAP_LEX_NO_STOP, &origin) || origin.len < 3 ||
		origin.data[origin.len - 1] != '>')
		return false;
	body->has_origin = imap_bytes_to_number(
		(ImapBytes){origin.data + 1, origin.len - 2}, G_MAXINT64, &body->origin);
	return body->has_origin;
}

/* A name where a value should be: the value was left out. */
static bool is_next_name(ImapLexer *lexer)
{
	ImapLexer ahead = *lexer;

	return g_ascii_isalpha(imap_lex_peek(&ahead)) && !imap_lex_keyword(&ahead, "NIL");
}

/* Of an item that comes twice the first holds. */
static bool read_value(ImapParser *parser, ImapLexer *lexer, ImapBytes name)
{
	ImapFetch *fetch = &parser->response.fetch;
	ImapLexer mark = *lexer;

	for (guint i = 0; i < G_N_ELEMENTS(items); i++) {
		if (!imap_bytes_equal_case(name, items[i].name))
			continue;
		if (fetch->has & items[i].bit)
			break;
		if (items[i].read(parser, lexer, fetch)) {
			fetch->has |= items[i].bit;
			return true;
		}
		*lexer = mark;
		if (is_next_name(lexer))
			return true;
		break;
	}
	return imap_lex_skip(lexer, NULL, NULL);
}

/* "BINARY.SIZE" section-binary SP number */
static bool read_body_size(ImapParser *parser, ImapLexer *lexer)
{
	ImapBodySize size;
	ImapLexer mark;

	if (!imap_lex_section(lexer, &size.section))
		return false;
	mark = *lexer;
	if (imap_lex_number(lexer, G_MAXINT64, &size.size)) {
		if (parser->sizes->len < LIMIT_LIST_ITEMS)
			g_array_append_val(parser->sizes, size);
		return true;
	}
	*lexer = mark;
	return is_next_name(lexer) || imap_lex_skip(lexer, NULL, NULL);
}

/* An item whose name goes on with "[". */
static bool read_sectioned(ImapParser *parser, ImapLexer *lexer, ImapBytes name)
{
	if (imap_bytes_equal_case(name, "BINARY.SIZE"))
		return read_body_size(parser, lexer);

	ImapBody body = {.binary = imap_bytes_equal_case(name, "BINARY")};
	bool known = body.binary || imap_bytes_equal_case(name, "BODY");
	ImapLexer mark;

	if (!imap_lex_section(lexer, &body.section))
		return false;
	known = read_origin(lexer, &body) && known;
	mark = *lexer;
	if (known && read_body(parser, lexer, body))
		return true;
	*lexer = mark;
	return imap_lex_skip(lexer, NULL, NULL);
}

/* section-spec without the list of names (RFC 3501 9). */
static gsize section_name_len(ImapBytes section)
{
	gsize len = 0;

	while (len < section.len && section.data[len] != ' ' && section.data[len] != '(')
		len++;
	return len;
}

bool imap_section_is(ImapBytes section, const char *asked)
{
	ImapBytes name = {section.data, section_name_len(section)};
	gsize len = section_name_len((ImapBytes){asked, strlen(asked)});

	return name.len == len && g_ascii_strncasecmp(name.data, asked, len) == 0;
}

/* msg-att = "(" (msg-att-dynamic / msg-att-static) *(SP ...) ")". Where an item breaks off, those
 * before it hold. */
bool imap_parse_fetch(ImapParser *parser, ImapLexer *lexer, guint32 seq)
{
	ImapFetch *fetch = &parser->response.fetch;

	if (!imap_lex_char(lexer, '('))
		return false;
	fetch->seq = seq;
	while (imap_lex_list_next(lexer) == IMAP_LEX_MORE) {
		ImapBytes name;

		if (imap_lex_peek(lexer) == '"' || !imap_lex_word(lexer, '[', &name)) {
			if (!imap_lex_skip(lexer, NULL, NULL))
				break;
			continue;
		}
		if (lexer->at < lexer->frame->len && lexer->frame->text[lexer->at] == '['
				? !read_sectioned(parser, lexer, name)
				: !read_value(parser, lexer, name))
			break;
	}
	fetch->bodies = (const ImapBody *)(gpointer)parser->bodies->data;
	fetch->n_bodies = parser->bodies->len;
	fetch->sizes = (const ImapBodySize *)(gpointer)parser->sizes->data;
	fetch->n_sizes = parser->sizes->len;
	return true;
}
