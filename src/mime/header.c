#include "mime/header.h"

#include <string.h>

#include "mime/fields.h"
#include "mime/text.h"

enum {
	/* A charset's name with a language behind it: longer ones are none. */
	CHARSET_MAX = 80,

	/* Encoded words of one message: each may be in a charset of its own that has to be opened,
	 * which takes a third of a millisecond when its module is not loaded. A thousand recipients
	 * have two each. */
	WORDS_MAX = 5000,
};

static const char *line_after(const char *at, const char *end)
{
	const char *newline = at < end ? memchr(at, '\n', (gsize)(end - at)) : NULL;
	return newline ? newline + 1 : end;
}

static gsize empty_line(const char *at, const char *end)
{
	if (at < end && *at == '\n')
		return 1;
	return end - at >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* field-name = 1*ftext, and what may stand before the colon in obsolete syntax (RFC 5322 4.5.8). */
static gsize field_name_len(const char *line, const char *end)
{
	gsize n = 0;
	while (line + n < end && line[n] > ' ' && line[n] != ':' && line[n] != 0x7f)
		n++;
	gsize colon = n;
	while (line + colon < end && is_blank(line[colon]))
		colon++;
	return line + colon < end && line[colon] == ':' ? n : 0;
}

bool mime_header_next(const char **at, const char *end, MimeField *ret_field)
{
	const char *line = *at;
	if (line >= end || empty_line(line, end) > 0)
		return false;
	const char *next = line_after(line, end);
	while (next < end && is_blank(*next))
		next = line_after(next, end);
	*at = next;

	const char *stop = next;
	if (stop > line && stop[-1] == '\n')
		stop--;
	if (stop > line && stop[-1] == '\r')
		stop--;
	gsize name_len = field_name_len(line, stop);
	const char *value = line;
	if (name_len > 0)
		value = (const char *)memchr(
				line + name_len, ':', (gsize)(stop - line) - name_len) +
			1;
	*ret_field =
		(MimeField){name_len > 0 ? line : NULL, name_len, value, (gsize)(stop - value)};
	return true;
}

bool mime_field_is(const MimeField *field, const char *name)
{
	return field->name && field->name_len == strlen(name) &&
	       g_ascii_strncasecmp(field->name, name, field->name_len) == 0;
}

gsize mime_header_len(const void *bytes, gsize len)
{
	const char *start = bytes, *end = start + len;
	for (const char *at = start; at < end; at = line_after(at, end)) {
		gsize empty = empty_line(at, end);
		if (empty > 0)
			return (gsize)(at - start) + empty;
	}
	return len;
}

/* ---- encoded words ---- */

typedef struct {
	const char *charset, *text, *end; /* end: behind "?=" */
	gsize charset_len, text_len;
	char encoding; /* 'b' or 'q' */
} Word;

typedef struct {
	GString *out;
	GString *pending; /* decoded octets of words that stand side by side in one charset */
	char charset[CHARSET_MAX + 1];
	const char *terminator; /* the first "?=" not before where it was looked for last */
	guint *words;
} Decoder;

static void append_utf8(GString *out, const char *bytes, gsize len, const char *charset)
{
	if (len == 0)
		return;
	g_autofree char *text = mime_to_utf8(bytes, len, charset);
	g_string_append(out, text);
}

static void flush_words(Decoder *decoder)
{
	append_utf8(decoder->out, decoder->pending->str, decoder->pending->len, decoder->charset);
	g_string_truncate(decoder->pending, 0);
}

/* Each byte of the field is passed once, however many words it only begins. */
static const char *find_terminator(Decoder *decoder, const char *from, const char *end)
{
	if (decoder->terminator < from) {
		const char *found = from < end ? memmem(from, (gsize)(end - from), "?=", 2) : NULL;
		decoder->terminator = found ? found : end;
	}
	return decoder->terminator < end ? decoder->terminator : NULL;
}

/* encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
 * (RFC 2047 section 2, RFC 2231 section 5). Spaces in the text are taken as they are. */
static bool read_word(Decoder *decoder, const char *at, const char *end, Word *ret_word)
{
	if (end - at < 8 || at[0] != '=' || at[1] != '?')
		return false;
	const char *charset = at + 2;
	const char *mark = memchr(charset, '?', MIN((gsize)(end - charset), CHARSET_MAX));
	if (!mark || mark == charset || end - mark < 5 || mark[2] != '?')
		return false;
	char encoding = g_ascii_tolower(mark[1]);
	const char *text = mark + 3;
	const char *terminator = find_terminator(decoder, text, end);
	if ((encoding != 'b' && encoding != 'q') || !terminator)
		return false;
	const char *language = memchr(charset, '*', (gsize)(mark - charset));
	*ret_word = (Word){charset, text, terminator + 2,
		(gsize)((language ? language : mark) - charset), (gsize)(terminator - text),
		encoding};
	return true;
}

static void append_q(GString *to, const char *text, gsize len)
{
	for (gsize i = 0; i < len; i++) {
		bool hex = text[i] == '=' && i + 2 < len && g_ascii_isxdigit(text[i + 1]) &&
			   g_ascii_isxdigit(text[i + 2]);
		if (hex) {
			g_string_append_c(to, (char)(g_ascii_xdigit_value(text[i + 1]) * 16 +
						      g_ascii_xdigit_value(text[i + 2])));
			i += 2;
		} else {
			g_string_append_c(to, text[i] == '_' ? ' ' : text[i]);
		}
	}
}

static void append_b(GString *to, const char *text, gsize len)
{
	gsize at = to->len;
	gint state = 0;
	guint save = 0;
	g_string_set_size(to, at + len / 4 * 3 + 6);
	gsize n = g_base64_decode_step(text, len, (guchar *)to->str + at, &state, &save);
	/* What lacks its padding, or half of it, has octets left. */
	while (state != 0 && n < len)
		n += g_base64_decode_step("=", 1, (guchar *)to->str + at + n, &state, &save);
	g_string_truncate(to, at + n);
}

static void append_word(Decoder *decoder, const Word *word)
{
	bool same = strlen(decoder->charset) == word->charset_len &&
		    g_ascii_strncasecmp(decoder->charset, word->charset, word->charset_len) == 0;
	if (!same)
		flush_words(decoder);
	memcpy(decoder->charset, word->charset, word->charset_len);
	decoder->charset[word->charset_len] = '\0';
	if (word->encoding == 'b')
		append_b(decoder->pending, word->text, word->text_len);
	else
		append_q(decoder->pending, word->text, word->text_len);
}

static bool all_blank(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	return at == end;
}

/* Text between words is what it is, but blanks between two are nothing (RFC 2047 6.2). */
static void decode_words(Decoder *decoder, const char *at, const char *end)
{
	const char *plain = at;
	bool behind_word = false;
	while (at < end) {
		Word word;
		const char *mark = memchr(at, '=', (gsize)(end - at));
		if (!mark || *decoder->words == WORDS_MAX)
			break;
		if (!read_word(decoder, mark, end, &word)) {
			at = mark + 1;
			continue;
		}
		if (!behind_word || !all_blank(plain, mark)) {
			flush_words(decoder);
			append_utf8(decoder->out, plain, (gsize)(mark - plain), NULL);
		}
		append_word(decoder, &word);
		(*decoder->words)++;
		behind_word = true;
		at = plain = word.end;
	}
	flush_words(decoder);
	append_utf8(decoder->out, plain, (gsize)(end - plain), NULL);
}

/* ---- one line ---- */

/* A fold and the blanks around it are one blank. */
static GString *unfolded(const char *value, gsize len)
{
	GString *line = g_string_sized_new(len);
	for (gsize i = 0; i < len; i++) {
		bool fold = value[i] == '\r' || value[i] == '\n';
		if (!fold)
			g_string_append_c(line, value[i]);
		while (fold && i + 1 < len && (is_blank(value[i + 1]) || value[i + 1] == '\n'))
			i++;
		if (fold && line->len > 0 && !is_blank(line->str[line->len - 1]))
			g_string_append_c(line, ' ');
	}
	return line;
}

/* Of valid UTF-8. Takes the string. */
static char *tidied(GString *text)
{
	GString *line = g_string_sized_new(text->len);
	for (const char *at = text->str; *at; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);
		if (g_unichar_iscntrl(c))
			g_string_append_c(line, ' ');
		else
			g_string_append_len(line, at, g_utf8_next_char(at) - at);
	}
	g_string_free(text, TRUE);
	return g_strstrip(g_string_free(line, FALSE));
}

char *mime_header_decode(const char *value, gsize len, guint *words)
{
	g_autoptr(GString) line = unfolded(value, len);
	g_autoptr(GString) pending = g_string_new(NULL);
	Decoder decoder = {.out = g_string_new(NULL), .pending = pending, .words = words};
	decode_words(&decoder, line->str, line->str + line->len);
	return tidied(decoder.out);
}

char *mime_header_plain(const char *value, gsize len)
{
	g_autoptr(GString) line = unfolded(value, len);
	g_autofree char *text = mime_to_utf8(line->str, line->len, NULL);
	return tidied(g_string_new(text));
}
