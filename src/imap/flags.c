#include "imap/parser.h"

#include "base/limits.h"

#include <string.h>

static const struct {
	const char *name;
	guint bit;
} system_flags[] = {
	{"\\Seen", IMAP_FLAG_SEEN},
	{"\\Answered", IMAP_FLAG_ANSWERED},
	{"\\Flagged", IMAP_FLAG_FLAGGED},
	{"\\Deleted", IMAP_FLAG_DELETED},
	{"\\Draft", IMAP_FLAG_DRAFT},
	{"\\*", IMAP_FLAG_ANY_KEYWORD},
};

/* 0 for \Recent and flag-extensions, which RFC 9051 section 2.3.2 wants accepted. */
static guint system_flag(ImapBytes name)
{
	for (guint i = 0; i < G_N_ELEMENTS(system_flags); i++) {
		if (imap_bytes_equal_case(name, system_flags[i].name))
			return system_flags[i].bit;
	}
	return 0;
}

static bool is_keyword(ImapBytes name)
{
	if (name.len == 0 || imap_bytes_equal_case(name, "NIL"))
		return false;
	for (gsize i = 0; i < name.len; i++) {
		if (g_ascii_iscntrl(name.data[i]))
			return false;
	}
	return true;
}

static void add_keyword(ImapParser *parser, ImapBytes name)
{
	GPtrArray *keywords = parser->keywords;

	if (!is_keyword(name) || keywords->len > LIMIT_LIST_ITEMS)
		return;
	keywords->pdata[keywords->len - 1] =
		g_string_chunk_insert_len(parser->strings, name.data, (gssize)name.len);
	g_ptr_array_add(keywords, NULL);
}

/* One flag: an atom by the grammar, but servers quote those that are none. */
static bool read_flag(ImapLexer *lexer, ImapBytes *ret_name)
{
	ImapString string;

	if (imap_lex_peek(lexer) == '(') {
		*ret_name = (ImapBytes){NULL, 0};
		return imap_lex_skip(lexer, NULL, NULL);
	}
	if (imap_lex_nstring(lexer, &string)) {
		*ret_name = string.bytes;
		return true;
	}
	return imap_lex_word(lexer, IMAP_LEX_NO_STOP, ret_name);
}

bool imap_parse_flags(ImapParser *parser, ImapLexer *lexer, ImapFlags *ret_flags)
{
	guint system = 0;
	ImapLex next;

	if (!imap_lex_char(lexer, '('))
		return false;
	g_ptr_array_set_size(parser->keywords, 0);
	g_ptr_array_add(parser->keywords, NULL);
	while ((next = imap_lex_list_next(lexer)) == IMAP_LEX_MORE) {
		ImapBytes name;

		if (!read_flag(lexer, &name))
			return false;
		if (name.len && name.data[0] == '\\')
			system |= system_flag(name);
		else
			add_keyword(parser, name);
	}
	if (next == IMAP_LEX_BAD)
		return false;
	ret_flags->system = system;
	ret_flags->keywords = (const char *const *)parser->keywords->pdata;
	return true;
}

char *imap_flags_text(guint system, const char *keywords)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < G_N_ELEMENTS(system_flags); i++) {
		if (system & system_flags[i].bit)
			g_string_append_printf(
				text, "%s%s", text->len > 0 ? " " : "", system_flags[i].name);
	}
	if (keywords && *keywords)
		g_string_append_printf(text, "%s%s", text->len > 0 ? " " : "", keywords);
	return g_string_free(text, FALSE);
}
