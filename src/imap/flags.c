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

/* atom of RFC 3501: any CHAR except atom-specials, `]` among them. */
static bool is_atom(const char *word)
{
	for (const char *at = word; *at; at++)
		if (!g_ascii_isgraph(*at) || strchr("(){%*\"\\]", *at))
			return false;
	return *word != '\0';
}

static bool array_has(const GPtrArray *array, const char *word)
{
	for (guint i = 0; i < array->len; i++)
		if (g_ascii_strcasecmp(g_ptr_array_index(array, i), word) == 0)
			return true;
	return false;
}

bool imap_flags_parse(const char *text, guint *ret_system, char ***ret_keywords)
{
	guint system = 0;
	g_auto(GStrv) words = g_strsplit(text, " ", LIMIT_LIST_ITEMS);
	g_autoptr(GPtrArray) keywords = g_ptr_array_new_with_free_func(g_free);

	for (char **word = words; *word; word++) {
		guint flag =
			system_flag((ImapBytes){*word, strlen(*word)}) & ~IMAP_FLAG_ANY_KEYWORD;

		if (flag != 0 || **word == '\0' || g_ascii_strcasecmp(*word, "\\Recent") == 0)
			system |= flag;
		else if (!is_atom(*word))
			return false;
		else if (!array_has(keywords, *word))
			g_ptr_array_add(keywords, g_strdup(*word));
	}
	*ret_system = system;
	g_ptr_array_add(keywords, NULL);
	*ret_keywords = (char **)g_ptr_array_free(g_steal_pointer(&keywords), FALSE);
	return true;
}

static void add_words(GPtrArray *words, char *const *more, const GPtrArray *except)
{
	for (; *more; more++)
		if (**more && !array_has(words, *more) && !array_has(except, *more))
			g_ptr_array_add(words, *more);
}

char *imap_keywords_change(const char *keywords, const char *add, const char *remove)
{
	g_auto(GStrv) before = g_strsplit(keywords, " ", -1);
	g_auto(GStrv) added = g_strsplit(add ? add : "", " ", -1);
	g_auto(GStrv) removed = g_strsplit(remove ? remove : "", " ", -1);
	g_autoptr(GPtrArray) none = g_ptr_array_new();
	g_autoptr(GPtrArray) without = g_ptr_array_new();
	g_autoptr(GPtrArray) words = g_ptr_array_new();

	add_words(without, removed, none);
	add_words(words, before, without);
	add_words(words, added, none);
	g_ptr_array_add(words, NULL);
	return g_strjoinv(" ", (char **)words->pdata);
}
