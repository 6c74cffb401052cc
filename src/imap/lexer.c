#include "imap/lexer.h"

#include "base/limits.h"

#include <string.h>

void imap_lex_init(ImapLexer *lexer, const ImapFrame *frame, GStringChunk *unquoted)
{
	*lexer = (ImapLexer){.frame = frame, .unquoted = unquoted};
}

bool imap_bytes_equal_case(ImapBytes bytes, const char *word)
{
	return bytes.len == strlen(word) && g_ascii_strncasecmp(bytes.data, word, bytes.len) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The literal that starts at the cursor or the next one after it; NULL when there is none. */
static const ImapLiteral *next_literal(ImapLexer *lexer)
{
	const ImapFrame *frame = lexer->frame;

	while (lexer->literal < frame->n_literals &&
		frame->literals[lexer->literal].start < lexer->at)
		lexer->literal++;
	return lexer->literal < frame->n_literals ? &frame->literals[lexer->literal] : NULL;
}

/* Where a word or quoted string has to end: no literal is part of one. */
static gsize text_end(ImapLexer *lexer)
{
	const ImapLiteral *literal = next_literal(lexer);

	return literal ? literal->start : lexer->frame->len;
}

static const ImapLiteral *literal_here(ImapLexer *lexer)
{
	const ImapLiteral *literal = next_literal(lexer);

	return literal && literal->start == lexer->at ? literal : NULL;
}

static gsize literal_end(const ImapLiteral *literal)
{
	return literal->octets + (literal->form == IMAP_LITERAL_KEPT ? (gsize)literal->size : 0);
}

ImapLex imap_lex_space(ImapLexer *lexer)
{
	const ImapFrame *frame = lexer->frame;

	while (lexer->at < frame->len && is_space(frame->text[lexer->at]))
		lexer->at++;
	return lexer->at < frame->len ? IMAP_LEX_MORE : IMAP_LEX_DONE;
}

char imap_lex_peek(ImapLexer *lexer)
{
	return imap_lex_space(lexer) == IMAP_LEX_MORE ? lexer->frame->text[lexer->at] : 0;
}

bool imap_lex_char(ImapLexer *lexer, char c)
{
	if (imap_lex_space(lexer) == IMAP_LEX_DONE || lexer->frame->text[lexer->at] != c)
		return false;
	lexer->at++;
	return true;
}

ImapLex imap_lex_list_next(ImapLexer *lexer)
{
	if (imap_lex_char(lexer, ')'))
		return IMAP_LEX_DONE;
	return imap_lex_space(lexer) == IMAP_LEX_MORE ? IMAP_LEX_MORE : IMAP_LEX_BAD;
}

bool imap_lex_word(ImapLexer *lexer, char stop, ImapBytes *ret_word)
{
	const char *text = lexer->frame->text;
	gsize start, at, end;

	imap_lex_space(lexer);
	start = at = lexer->at;
	end = text_end(lexer);
	while (at < end) {
		char c = text[at];

		if (is_space(c) || c == '(' || c == ')' || c == stop)
			break;
		at++;
	}
	if (at == start)
		return false;
	lexer->at = at;
	*ret_word = (ImapBytes){text + start, at - start};
	return true;
}

bool imap_lex_keyword(ImapLexer *lexer, const char *word)
{
	ImapLexer mark = *lexer;
	ImapBytes found;

	if (imap_lex_word(lexer, IMAP_LEX_NO_STOP, &found) && imap_bytes_equal_case(found, word))
		return true;
	*lexer = mark;
	return false;
}

bool imap_bytes_to_number(ImapBytes word, guint64 max, guint64 *ret_number)
{
	guint64 number = 0;

	if (word.len == 0)
		return false;
	for (gsize i = 0; i < word.len; i++) {
		guint64 digit = (guint64)(word.data[i] - '0');

		if (!g_ascii_isdigit(word.data[i]) || number > (max - MIN(digit, max)) / 10)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return number <= max;
}

bool imap_lex_number(ImapLexer *lexer, guint64 max, guint64 *ret_number)
{
	ImapLexer mark = *lexer;
	ImapBytes word;

	if (imap_lex_word(lexer, ']', &word) && imap_bytes_to_number(word, max, ret_number))
		return true;
	*lexer = mark;
	return false;
}

bool imap_lex_nz_number(ImapLexer *lexer, guint32 *ret_number)
{
	ImapLexer mark = *lexer;
	guint64 number;

	if (imap_lex_number(lexer, G_MAXUINT32, &number) && number != 0) {
		*ret_number = (guint32)number;
		return true;
	}
	*lexer = mark;
	return false;
}

ImapSet *imap_lex_set(ImapLexer *lexer)
{
	ImapLexer mark = *lexer;
	ImapSet *set = NULL;
	ImapBytes word;

	/* A range takes at least two bytes, so the response's own limit bounds the set. */
	if (imap_lex_word(lexer, ']', &word))
		set = imap_set_parse(word.data, word.len, LIMIT_RESPONSE_BYTES / 2);
	if (!set)
		*lexer = mark;
	return set;
}

/* The bytes of a quoted string without its backslashes. */
static ImapBytes unescape(ImapLexer *lexer, gsize start, gsize end)
{
	g_autoptr(GString) plain = g_string_sized_new(end - start);
	const char *text = lexer->frame->text;

	for (gsize i = start; i < end; i++) {
		if (text[i] == '\\' && i + 1 < end)
			i++;
		g_string_append_c(plain, text[i]);
	}
	return (ImapBytes){
		g_string_chunk_insert_len(lexer->unquoted, plain->str, (gssize)plain->len),
		plain->len,
	};
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE; any byte but the escaped ones stands for itself. */
static bool lex_quoted(ImapLexer *lexer, ImapBytes *ret_bytes)
{
	const char *text = lexer->frame->text;
	gsize start = lexer->at + 1, end = text_end(lexer);
	bool escapes = false;

	for (gsize at = start; at < end; at++) {
		if (text[at] == '\\') {
			escapes = true;
			at++;
		} else if (text[at] == '"') {
			*ret_bytes = escapes ? unescape(lexer, start, at)
					     : (ImapBytes){text + start, at - start};
			lexer->at = at + 1;
			return true;
		}
	}
	return false;
}

static void lex_literal(ImapLexer *lexer, const ImapLiteral *literal, ImapString *ret_string)
{
	static const ImapStringForm forms[] = {
		[IMAP_LITERAL_KEPT] = IMAP_STRING_BYTES,
		[IMAP_LITERAL_STREAMED] = IMAP_STRING_STREAMED,
		[IMAP_LITERAL_DROPPED] = IMAP_STRING_DROPPED,
	};

	*ret_string = (ImapString){.form = forms[literal->form], .size = literal->size};
	if (literal->form == IMAP_LITERAL_KEPT)
		ret_string->bytes =
			(ImapBytes){lexer->frame->text + literal->octets, (gsize)literal->size};
	lexer->at = literal_end(literal);
}

bool imap_lex_nstring(ImapLexer *lexer, ImapString *ret_string)
{
	const ImapLiteral *literal;
	ImapBytes bytes;

	if (imap_lex_space(lexer) == IMAP_LEX_DONE)
		return false;
	literal = literal_here(lexer);
	if (literal) {
		lex_literal(lexer, literal, ret_string);
		return true;
	}
	if (lexer->frame->text[lexer->at] == '"') {
		if (!lex_quoted(lexer, &bytes))
			return false;
		*ret_string = (ImapString){IMAP_STRING_BYTES, bytes, bytes.len};
		return true;
	}
	if (!imap_lex_keyword(lexer, "NIL"))
		return false;
	*ret_string = (ImapString){.form = IMAP_STRING_NIL};
	return true;
}

/* string = quoted / literal, one that was kept */
static bool lex_string(ImapLexer *lexer, ImapBytes *ret_bytes)
{
	ImapString string;

	if (!imap_lex_nstring(lexer, &string) || string.form != IMAP_STRING_BYTES)
		return false;
	*ret_bytes = string.bytes;
	return true;
}

/* After spaces were skipped. */
static bool string_here(ImapLexer *lexer)
{
	return lexer->frame->text[lexer->at] == '"' || literal_here(lexer);
}

bool imap_lex_astring(ImapLexer *lexer, ImapBytes *ret_bytes)
{
	if (imap_lex_space(lexer) == IMAP_LEX_DONE)
		return false;
	return string_here(lexer) ? lex_string(lexer, ret_bytes)
				  : imap_lex_word(lexer, IMAP_LEX_NO_STOP, ret_bytes);
}

bool imap_lex_mailbox(ImapLexer *lexer, ImapBytes *ret_name)
{
	const char *text = lexer->frame->text;
	gsize start, at, end;

	if (imap_lex_space(lexer) == IMAP_LEX_DONE)
		return false;
	if (string_here(lexer))
		return lex_string(lexer, ret_name);
	start = at = lexer->at;
	end = text_end(lexer);
	while (at < end && !(text[at] == '(' && is_space(text[at - 1])))
		at++;
	lexer->at = at;
	while (at > start && is_space(text[at - 1]))
		at--;
	*ret_name = (ImapBytes){text + start, at - start};
	return at > start;
}

/* DQUOTE QUOTED-CHAR DQUOTE / nil; "" stands for NIL with some servers. */
bool imap_lex_delimiter(ImapLexer *lexer, char *ret_delimiter)
{
	ImapString string;
	ImapBytes bytes;

	if (imap_lex_nstring(lexer, &string))
		bytes = string.bytes;
	else if (!imap_lex_word(lexer, IMAP_LEX_NO_STOP, &bytes))
		return false;
	if (bytes.len > 1)
		return false;
	*ret_delimiter = bytes.len ? bytes.data[0] : 0;
	return true;
}

/* One string or word, for what is skipped. */
static bool skip_scalar(ImapLexer *lexer, bool *whole)
{
	ImapString string;
	ImapBytes word;

	if (string_here(lexer)) {
		if (!imap_lex_nstring(lexer, &string))
			return false;
		*whole = *whole && string.form == IMAP_STRING_BYTES;
		return true;
	}
	return imap_lex_word(lexer, IMAP_LEX_NO_STOP, &word);
}

bool imap_lex_skip(ImapLexer *lexer, guint *ret_depth, bool *ret_whole)
{
	ImapLexer mark = *lexer;
	guint depth = 0, deepest = 0;
	bool whole = true;

	do {
		bool ok = imap_lex_space(lexer) == IMAP_LEX_MORE;

		if (ok && imap_lex_char(lexer, '(')) {
			depth++;
			deepest = MAX(deepest, depth);
		} else if (ok && depth > 0 && imap_lex_char(lexer, ')')) {
			depth--;
		} else if (!ok || !skip_scalar(lexer, &whole)) {
			*lexer = mark;
			return false;
		}
	} while (depth > 0);
	if (ret_depth)
		*ret_depth = deepest;
	if (ret_whole)
		*ret_whole = whole;
	return true;
}

bool imap_lex_section(ImapLexer *lexer, ImapBytes *ret_section)
{
	const char *text = lexer->frame->text;
	ImapLexer mark = *lexer;
	gsize start;

	if (!imap_lex_char(lexer, '['))
		return false;
	start = lexer->at;
	while (imap_lex_space(lexer) == IMAP_LEX_MORE) {
		char c = text[lexer->at];
		ImapString string;
		ImapBytes word;
		bool ok = true;

		if (c == ']') {
			*ret_section = (ImapBytes){text + start, lexer->at++ - start};
			return true;
		}
		if (c == '"' || literal_here(lexer))
			ok = imap_lex_nstring(lexer, &string);
		else if (!imap_lex_char(lexer, '(') && !imap_lex_char(lexer, ')'))
			ok = imap_lex_word(lexer, ']', &word);
		if (!ok)
			break;
	}
	*lexer = mark;
	return false;
}

ImapBytes imap_lex_rest(ImapLexer *lexer)
{
	const char *text = lexer->frame->text;
	gsize end = lexer->frame->len;

	imap_lex_space(lexer);
	while (end > lexer->at && is_space(text[end - 1]))
		end--;
	return (ImapBytes){text + lexer->at, end - lexer->at};
}
