#include "imap/parser.h"

/* search-sort-mod-seq = "(" "MODSEQ" SP mod-sequence-value ")" (RFC 7162) */
static bool read_modseq(ImapLexer *lexer, ImapSearch *search)
{
	ImapLexer mark = *lexer;

	if (imap_lex_char(lexer, '(') && imap_lex_keyword(lexer, "MODSEQ")) {
		imap_lex_number(lexer, G_MAXINT64, &search->modseq);
		if (imap_lex_list_next(lexer) == IMAP_LEX_DONE)
			return true;
	}
	*lexer = mark;
	search->modseq = 0;
	return imap_lex_skip(lexer, NULL, NULL);
}

/* The numbers come in any order; sorting them once keeps a descending answer from costing n^2. */
bool imap_parse_search(ImapParser *parser, ImapLexer *lexer)
{
	ImapSearch *search = &parser->response.search;
	g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(ImapRange));
	ImapRange last = {0, 0};

	while (imap_lex_space(lexer) == IMAP_LEX_MORE) {
		guint64 number;

		if (!imap_lex_number(lexer, G_MAXUINT32, &number)) {
			/* Half an answer would make the rest of the mailbox look deleted. */
			if (imap_lex_peek(lexer) != '(' || !read_modseq(lexer, search))
				return false;
			continue;
		}
		if (last.lo && number == (guint64)last.hi + 1) {
			last.hi++;
			continue;
		}
		if (last.lo)
			g_array_append_val(found, last);
		last = (ImapRange){(guint32)number, (guint32)number};
	}
	if (last.lo)
		g_array_append_val(found, last);
	search->has_all = true;
	search->all = imap_parser_keep_set(
		parser, imap_set_from_ranges((const ImapRange *)(gpointer)found->data, found->len));
	return true;
}

static bool read_tag(ImapLexer *lexer, ImapBytes *ret_tag)
{
	ImapString tag;

	if (!imap_lex_nstring(lexer, &tag))
		return imap_lex_word(lexer, IMAP_LEX_NO_STOP, ret_tag);
	*ret_tag = tag.bytes;
	return true;
}

static bool read_correlate(ImapLexer *lexer, ImapSearch *search)
{
	if (imap_lex_keyword(lexer, "TAG"))
		return read_tag(lexer, &search->tag);
	if (imap_lex_keyword(lexer, "MAILBOX"))
		return imap_lex_astring(lexer, &search->mailbox);
	if (imap_lex_keyword(lexer, "UIDVALIDITY"))
		return imap_lex_nz_number(lexer, &search->uidvalidity);
	return imap_lex_skip(lexer, NULL, NULL);
}

/* search-correlator = SP "(" one-correlator *(SP one-correlator) ")"
 * one-correlator = ("TAG" SP tag-string) / ("MAILBOX" SP astring) / ("UIDVALIDITY" SP nz-number)
 * (RFC 7377 section 2.5) */
static bool read_correlator(ImapLexer *lexer, ImapSearch *search)
{
	ImapLex next;

	if (!imap_lex_char(lexer, '('))
		return true;
	while ((next = imap_lex_list_next(lexer)) == IMAP_LEX_MORE) {
		if (!read_correlate(lexer, search))
			return false;
	}
	return next == IMAP_LEX_DONE;
}

/* search-return-data of RFC 4731 and 7162. */
static bool read_return_data(ImapParser *parser, ImapLexer *lexer, ImapSearch *search)
{
	ImapBytes name;
	ImapSet *all;

	if (!imap_lex_word(lexer, IMAP_LEX_NO_STOP, &name))
		return false;
	if (imap_bytes_equal_case(name, "ALL")) {
		all = imap_lex_set(lexer);
		if (!all)
			return false;
		search->has_all = true;
		search->all = imap_parser_keep_set(parser, all);
		return true;
	}
	if (imap_bytes_equal_case(name, "COUNT")) {
		search->has_count = imap_lex_number(lexer, G_MAXUINT32, &search->count);
		return search->has_count;
	}
	if (imap_bytes_equal_case(name, "MIN"))
		return imap_lex_nz_number(lexer, &search->min);
	if (imap_bytes_equal_case(name, "MAX"))
		return imap_lex_nz_number(lexer, &search->max);
	if (imap_bytes_equal_case(name, "MODSEQ") &&
		imap_lex_number(lexer, G_MAXINT64, &search->modseq))
		return true;
	return imap_lex_skip(lexer, NULL, NULL);
}

/* esearch-response = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data) */
bool imap_parse_esearch(ImapParser *parser, ImapLexer *lexer)
{
	ImapSearch *search = &parser->response.search;

	if (!read_correlator(lexer, search))
		return false;
	search->uid = imap_lex_keyword(lexer, "UID");
	while (imap_lex_space(lexer) == IMAP_LEX_MORE) {
		if (!read_return_data(parser, lexer, search))
			return false;
	}
	return true;
}

/* expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids (RFC 7162 section 7) */
bool imap_parse_vanished(ImapParser *parser, ImapLexer *lexer)
{
	ImapResponse *response = &parser->response;
	ImapSet *set;

	if (imap_lex_char(lexer, '(')) {
		response->earlier = imap_lex_keyword(lexer, "EARLIER");
		if (!response->earlier || !imap_lex_char(lexer, ')'))
			return false;
	}
	set = imap_lex_set(lexer);
	if (!set)
		return false;
	response->vanished = imap_parser_keep_set(parser, set);
	return imap_lex_space(lexer) == IMAP_LEX_DONE;
}
