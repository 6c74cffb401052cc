#include "imap/query.h"

#include "base/error.h"
#include "base/limits.h"
#include "imap/date.h"
#include "imap/response.h"

#include <string.h>

/* It is kept as its canonical text: keys in capitals, what is not syntax in quotes. */
struct ImapQuery {
	bool ascii;
	char *text;
};

/* What follows a key. */
typedef enum {
	ARGUMENT_NONE,
	ARGUMENT_STRING,
	ARGUMENT_FIELD, /* the name of a header field, and a string */
	ARGUMENT_DATE,
	ARGUMENT_NUMBER,
	ARGUMENT_KEYWORD,
	ARGUMENT_UIDS,
	ARGUMENT_KEY,
	ARGUMENT_TWO_KEYS,
} Argument;

/* search-key of RFC 3501 section 9, all of which RFC 9051 has but for NEW, OLD and RECENT. Without
 * sequence-set: see imap_query_parse(). */
static const struct {
	const char *name;
	Argument argument;
} keys[] = {
	{"ALL", ARGUMENT_NONE},
	{"ANSWERED", ARGUMENT_NONE},
	{"BCC", ARGUMENT_STRING},
	{"BEFORE", ARGUMENT_DATE},
	{"BODY", ARGUMENT_STRING},
	{"CC", ARGUMENT_STRING},
	{"DELETED", ARGUMENT_NONE},
	{"DRAFT", ARGUMENT_NONE},
	{"FLAGGED", ARGUMENT_NONE},
	{"FROM", ARGUMENT_STRING},
	{"HEADER", ARGUMENT_FIELD},
	{"KEYWORD", ARGUMENT_KEYWORD},
	{"LARGER", ARGUMENT_NUMBER},
	{"NEW", ARGUMENT_NONE},
	{"NOT", ARGUMENT_KEY},
	{"OLD", ARGUMENT_NONE},
	{"ON", ARGUMENT_DATE},
	{"OR", ARGUMENT_TWO_KEYS},
	{"RECENT", ARGUMENT_NONE},
	{"SEEN", ARGUMENT_NONE},
	{"SENTBEFORE", ARGUMENT_DATE},
	{"SENTON", ARGUMENT_DATE},
	{"SENTSINCE", ARGUMENT_DATE},
	{"SINCE", ARGUMENT_DATE},
	{"SMALLER", ARGUMENT_NUMBER},
	{"SUBJECT", ARGUMENT_STRING},
	{"TEXT", ARGUMENT_STRING},
	{"TO", ARGUMENT_STRING},
	{"UID", ARGUMENT_UIDS},
	{"UNANSWERED", ARGUMENT_NONE},
	{"UNDELETED", ARGUMENT_NONE},
	{"UNDRAFT", ARGUMENT_NONE},
	{"UNFLAGGED", ARGUMENT_NONE},
	{"UNKEYWORD", ARGUMENT_KEYWORD},
	{"UNSEEN", ARGUMENT_NONE},
};

typedef enum {
	TOKEN_END,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_WORD,
	TOKEN_QUOTED,
	TOKEN_BAD, /* quotes that do not end, or that something follows at once */
} Token;

typedef struct {
	const char *at;
	GString *word; /* of the last WORD or QUOTED */
	GString *out; /* the canonical text so far */
	guint depth;
} Parser;

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_propagate_error(error, g_error_new_valist(MAIL_ERROR, MAIL_ERROR_INVALID, format, args));
	va_end(args);
	return false;
}

/* A `\` before anything but `"` and `\` is one. */
static Token next_quoted(Parser *parser)
{
	for (parser->at++; *parser->at != '"'; parser->at++) {
		if (*parser->at == '\\' && (parser->at[1] == '"' || parser->at[1] == '\\'))
			parser->at++;
		if (*parser->at == '\0')
			return TOKEN_BAD;
		g_string_append_c(parser->word, *parser->at);
	}
	parser->at++;
	return *parser->at == '\0' || strchr(" ()", *parser->at) ? TOKEN_QUOTED : TOKEN_BAD;
}

static Token next_token(Parser *parser)
{
	g_string_truncate(parser->word, 0);
	parser->at += strspn(parser->at, " ");
	switch (*parser->at) {
	case '\0':
		return TOKEN_END;
	case '(':
		parser->at++;
		return TOKEN_OPEN;
	case ')':
		parser->at++;
		return TOKEN_CLOSE;
	case '"':
		return next_quoted(parser);
	default:
		break;
	}
	gsize len = strcspn(parser->at, " ()");
	g_string_append_len(parser->word, parser->at, (gssize)len);
	parser->at += len;
	return TOKEN_WORD;
}

/* What comes next, and it still does afterwards. */
static Token peek_token(Parser *parser)
{
	const char *mark = parser->at;
	Token token = next_token(parser);

	parser->at = mark;
	return token;
}

static void add(Parser *parser, const char *text)
{
	gsize len = parser->out->len;

	if (len > 0 && parser->out->str[len - 1] != '(')
		g_string_append_c(parser->out, ' ');
	g_string_append(parser->out, text);
}

static void add_quoted(Parser *parser, const char *text)
{
	add(parser, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			g_string_append_c(parser->out, '\\');
		g_string_append_c(parser->out, *text);
	}
	g_string_append_c(parser->out, '"');
}

static int find_key(const char *word)
{
	for (guint i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_ascii_strcasecmp(keys[i].name, word) == 0)
			return (int)i;
	return -1;
}

/* The argument of a key, a word or quoted: it is parser->word. */
static bool take_argument(Parser *parser, const char *key, GError **error)
{
	switch (next_token(parser)) {
	case TOKEN_WORD:
	case TOKEN_QUOTED:
		return true;
	case TOKEN_BAD:
		return refuse(error, "%s: the quotes do not match", key);
	default:
		return refuse(error, "%s: what is to be searched for is missing", key);
	}
}

/* field-name of RFC 5322 2.2. */
static bool is_field_name(const char *word)
{
	for (const char *at = word; *at; at++)
		if (!g_ascii_isgraph(*at) || *at == ':')
			return false;
	return *word != '\0';
}

/* number of RFC 3501 section 9: 32 bits. */
static bool is_number(const char *word)
{
	guint64 number;

	return g_ascii_isdigit(*word) &&
	       g_ascii_string_to_unsigned(word, 10, 0, G_MAXUINT32, &number, NULL);
}

/* flag-keyword: an atom, no system flag. */
static bool is_keyword(const char *word)
{
	g_auto(GStrv) keywords = NULL;
	guint system;

	return !strchr(word, ' ') && imap_flags_parse(word, &system, &keywords) && system == 0 &&
	       g_strv_length(keywords) == 1;
}

/* seq-number = nz-number / "*" */
static bool is_uid(const char *word, gsize len)
{
	g_autofree char *text = g_strndup(word, len);

	return g_str_equal(text, "*") || (*text != '0' && is_number(text));
}

/* sequence-set = (seq-number / seq-range) *("," sequence-set) */
static bool is_uid_set(const char *word)
{
	for (;; word++) {
		gsize len = strcspn(word, ",");
		const char *colon = memchr(word, ':', len);
		gsize first = colon ? (gsize)(colon - word) : len;

		if (!is_uid(word, first) || (colon && !is_uid(colon + 1, len - first - 1)))
			return false;
		word += len;
		if (*word == '\0')
			return true;
	}
}

static bool parse_date(Parser *parser, const char *key, GError **error)
{
	g_autofree char *day = imap_date_day(parser->word->str);

	if (!day)
		return refuse(error, "%s: %s is no date such as 2026-01-01 or 1-Jan-2026", key,
			parser->word->str);
	add(parser, day);
	return true;
}

static bool parse_field(Parser *parser, const char *key, GError **error)
{
	if (!is_field_name(parser->word->str))
		return refuse(error, "%s: %s is no name of a header field", key, parser->word->str);
	add_quoted(parser, parser->word->str);
	if (!take_argument(parser, key, error))
		return false;
	add_quoted(parser, parser->word->str);
	return true;
}

/* What is sent as it stands. */
static bool parse_atom(
	Parser *parser, const char *key, bool valid, const char *wanted, GError **error)
{
	if (!valid)
		return refuse(error, "%s: %s is no %s", key, parser->word->str, wanted);
	add(parser, parser->word->str);
	return true;
}

static bool parse_key(Parser *parser, GError **error);

static bool parse_keys(Parser *parser, const char *key, guint n, GError **error)
{
	for (guint i = 0; i < n; i++) {
		Token next = peek_token(parser);

		if (next == TOKEN_END || next == TOKEN_CLOSE)
			return refuse(error, "%s: the key that it is about is missing", key);
		if (!parse_key(parser, error))
			return false;
	}
	return true;
}

static bool parse_argument(Parser *parser, const char *key, Argument argument, GError **error)
{
	const char *word;

	if (argument == ARGUMENT_NONE)
		return true;
	if (argument == ARGUMENT_KEY || argument == ARGUMENT_TWO_KEYS)
		return parse_keys(parser, key, argument == ARGUMENT_KEY ? 1 : 2, error);
	if (!take_argument(parser, key, error))
		return false;
	word = parser->word->str;
	switch (argument) {
	case ARGUMENT_FIELD:
		return parse_field(parser, key, error);
	case ARGUMENT_DATE:
		return parse_date(parser, key, error);
	case ARGUMENT_NUMBER:
		return parse_atom(parser, key, is_number(word), "number of octets", error);
	case ARGUMENT_KEYWORD:
		return parse_atom(parser, key, is_keyword(word), "keyword", error);
	case ARGUMENT_UIDS:
		return parse_atom(parser, key, is_uid_set(word), "set of UIDs", error);
	default:
		add_quoted(parser, word);
		return true;
	}
}

/* What stands where a key should. */
static bool refuse_word(const char *word, GError **error)
{
	if (is_uid_set(word))
		return refuse(error,
			"%s: message numbers change as mail comes and goes, \"uid %s\" does not",
			word, word);
	return refuse(error, "%s is no search key; words to be searched for stand in quotes", word);
}

/* "(" search-key *(SP search-key) ")" */
static bool parse_list(Parser *parser, GError **error)
{
	add(parser, "(");
	do {
		if (!parse_key(parser, error))
			return false;
	} while (peek_token(parser) != TOKEN_CLOSE);
	next_token(parser);
	g_string_append_c(parser->out, ')');
	return true;
}

static bool parse_one(Parser *parser, GError **error)
{
	int key;

	switch (next_token(parser)) {
	case TOKEN_WORD:
		break;
	case TOKEN_OPEN:
		return parse_list(parser, error);
	case TOKEN_QUOTED:
		return refuse_word(parser->word->str, error);
	case TOKEN_BAD:
		return refuse(error, "the quotes do not match");
	default:
		return refuse(error, "the parentheses do not match");
	}
	key = find_key(parser->word->str);
	if (key < 0)
		return refuse_word(parser->word->str, error);
	add(parser, keys[key].name);
	return parse_argument(parser, keys[key].name, keys[key].argument, error);
}

static bool parse_key(Parser *parser, GError **error)
{
	bool parsed;

	if (parser->depth == LIMIT_NESTING)
		return refuse(error, "the query is nested too deep");
	parser->depth++;
	parsed = parse_one(parser, error);
	parser->depth--;
	return parsed;
}

static bool has_control(const char *text)
{
	for (; *text; text++)
		if (g_ascii_iscntrl(*text))
			return true;
	return false;
}

/* The text of plain words; NULL: the first of them is a key. */
static char *plain_words(Parser *parser)
{
	g_autofree char *first = NULL;
	Parser rest = *parser;
	Token token = next_token(&rest);

	if (token == TOKEN_OPEN || (token == TOKEN_WORD && find_key(parser->word->str) >= 0))
		return NULL;
	first = g_strdup(parser->word->str);
	if (token == TOKEN_QUOTED && next_token(&rest) == TOKEN_END)
		return g_steal_pointer(&first);
	return g_strstrip(g_strdup(parser->at));
}

static bool parse(Parser *parser, GError **error)
{
	g_autofree char *plain = NULL;

	if (peek_token(parser) == TOKEN_END)
		return refuse(error, "the query is empty");
	plain = plain_words(parser);
	if (plain) {
		add(parser, "TEXT");
		add_quoted(parser, plain);
		return true;
	}
	do {
		if (!parse_key(parser, error))
			return false;
	} while (peek_token(parser) != TOKEN_END);
	return true;
}

ImapQuery *imap_query_parse(const char *text, GError **error)
{
	g_autoptr(GString) word = g_string_new(NULL);
	g_autoptr(GString) out = g_string_new(NULL);
	Parser parser = {.at = text, .word = word, .out = out};
	ImapQuery *query;

	if (strlen(text) > LIMIT_QUERY)
		refuse(error, "the query is longer than %d bytes", LIMIT_QUERY);
	else if (!g_utf8_validate(text, -1, NULL))
		refuse(error, "the query is no UTF-8");
	else if (has_control(text))
		refuse(error, "the query has control characters");
	else if (parse(&parser, error)) {
		query = g_new(ImapQuery, 1);
		*query = (ImapQuery){g_str_is_ascii(text), g_strdup(out->str)};
		return query;
	}
	return NULL;
}

ImapQuery *imap_query_copy(const ImapQuery *query)
{
	ImapQuery *copy = g_new(ImapQuery, 1);

	*copy = (ImapQuery){query->ascii, g_strdup(query->text)};
	return copy;
}

void imap_query_free(ImapQuery *query)
{
	if (!query)
		return;
	g_free(query->text);
	g_free(query);
}

bool imap_query_is_ascii(const ImapQuery *query)
{
	return query->ascii;
}

const char *imap_query_text(const ImapQuery *query)
{
	return query->text;
}

void imap_query_append(const ImapQuery *query, ImapCommand *command)
{
	g_autoptr(GString) word = g_string_new(NULL);
	Parser parser = {.at = query->text, .word = word};
	Token token;

	if (!query->ascii)
		imap_command_raw(command, "CHARSET UTF-8");
	while ((token = next_token(&parser)) != TOKEN_END) {
		if (token == TOKEN_OPEN)
			imap_command_open(command);
		else if (token == TOKEN_CLOSE)
			imap_command_close(command);
		else if (token == TOKEN_WORD)
			imap_command_raw(command, word->str);
		else
			imap_command_string(command, word->str, word->len);
	}
}
