#include "mime/content.h"

#include <stdbool.h>
#include <string.h>

#include "mime/header.h"
#include "mime/text.h"

enum {
	/* Real ones have ten, or thirty where a long name comes in pieces. */
	PARAMS_MAX = 500,

	/* A value, and what the pieces of one make: file names are cut at 255 bytes anyway. */
	VALUE_MAX = 16 << 10,
};

typedef struct {
	char *name; /* lower case, "filename" of "filename*0*" */
	GString *value;
	guint piece;
	bool extended; /* percent-encoded */
	bool in_pieces; /* it has a number */
} Param;

struct MimeParams {
	GPtrArray *all; /* of Param */
};

static void param_free(gpointer data)
{
	Param *param = data;
	g_free(param->name);
	g_string_free(param->value, TRUE);
	g_free(param);
}

MimeParams *mime_params_new(void)
{
	MimeParams *params = g_new(MimeParams, 1);
	params->all = g_ptr_array_new_with_free_func(param_free);
	return params;
}

void mime_params_free(MimeParams *params)
{
	if (!params)
		return;
	g_ptr_array_unref(params->all);
	g_free(params);
}

/* regular-parameter-name [section] ["*"], section = "*" 1*DIGIT (RFC 2231 section 7) */
static void split_name(Param *param)
{
	char *star = strchr(param->name, '*');
	if (!star || star == param->name)
		return;
	*star++ = '\0';
	for (; g_ascii_isdigit(*star) && param->piece < PARAMS_MAX; star++) {
		param->piece = param->piece * 10 + (guint)g_ascii_digit_value(*star);
		param->in_pieces = true;
	}
	param->extended = !param->in_pieces || *star == '*';
}

void mime_params_add(
	MimeParams *params, const char *name, gsize name_len, const char *value, gsize len)
{
	if (params->all->len == PARAMS_MAX || name_len == 0)
		return;
	Param *param = g_new0(Param, 1);
	param->name = g_ascii_strdown(name, (gssize)MIN(name_len, VALUE_MAX));
	param->value = g_string_new_len(value, (gssize)MIN(len, VALUE_MAX));
	split_name(param);
	g_ptr_array_add(params->all, param);
}

/* ---- the value of a field ---- */

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks, line ends and comments. */
static const char *skip_cfws(const char *at, const char *end)
{
	for (guint depth = 0; at < end; at++) {
		if (depth > 0 && *at == '\\' && at + 1 < end)
			at++;
		else if (*at == '(')
			depth++;
		else if (depth > 0 && *at == ')')
			depth--;
		else if (depth == 0 && !is_space(*at))
			break;
	}
	return at;
}

static const char *skip_word(const char *at, const char *end, const char *stops)
{
	while (at < end && !is_space(*at) && (*at == '\0' || !strchr(stops, *at)))
		at++;
	return at;
}

/* A quoted string whose end is missing goes on to the end. */
static const char *read_quoted(const char *at, const char *end, GString *value)
{
	for (at++; at < end && *at != '"'; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
		if (*at != '\r' && *at != '\n')
			g_string_append_c(value, *at);
	}
	return at < end ? at + 1 : end;
}

/* Blanks are part of it, since file names come without quotes. */
static const char *read_unquoted(const char *at, const char *end, GString *value)
{
	for (; at < end && *at != ';'; at++) {
		if (*at != '\r' && *at != '\n')
			g_string_append_c(value, *at);
	}
	while (value->len > 0 && is_space(value->str[value->len - 1]))
		g_string_truncate(value, value->len - 1);
	return at;
}

/* parameter = attribute "=" value (RFC 2045 5.1) */
static const char *read_param(MimeParams *params, const char *at, const char *end)
{
	const char *name = at;
	const char *name_end = skip_word(at, end, "=;(\"");
	at = skip_cfws(name_end, end);
	if (at == end || *at != '=')
		return at > name ? at : at + 1;
	at = skip_cfws(at + 1, end);
	g_autoptr(GString) value = g_string_new(NULL);
	at = at < end && *at == '"' ? read_quoted(at, end, value) : read_unquoted(at, end, value);
	mime_params_add(params, name, (gsize)(name_end - name), value->str, value->len);
	return at;
}

char *mime_params_parse(MimeParams *params, const char *value, gsize len)
{
	const char *at = skip_cfws(value, value + len), *end = value + len;
	g_autoptr(GString) word = g_string_new(NULL);
	for (;;) {
		const char *stop = skip_word(at, end, ";(/\"");
		g_string_append_len(word, at, stop - at);
		at = skip_cfws(stop, end);
		if (at == end || *at != '/' || word->len > VALUE_MAX)
			break;
		g_string_append_c(word, '/');
		at = skip_cfws(at + 1, end);
	}
	while (at < end) {
		if (*at == ';' || is_space(*at) || *at == '(')
			at = *at == ';' ? at + 1 : skip_cfws(at, end);
		else
			at = read_param(params, at, end);
	}
	return g_ascii_strdown(word->str, (gssize)MIN(strlen(word->str), VALUE_MAX));
}

/* ---- values ---- */

const GString *mime_params_octets(const MimeParams *params, const char *name)
{
	for (guint i = 0; i < params->all->len; i++) {
		const Param *param = g_ptr_array_index(params->all, i);
		if (!param->extended && !param->in_pieces && strcmp(param->name, name) == 0)
			return param->value;
	}
	return NULL;
}

static gint compare_pieces(gconstpointer a, gconstpointer b)
{
	const Param *first = *(const Param *const *)a, *second = *(const Param *const *)b;
	return first->piece < second->piece ? -1 : first->piece > second->piece;
}

/* Those with a star, in order; each once, since some write a value in pieces and whole. */
static GPtrArray *pieces_of(const MimeParams *params, const char *name)
{
	GPtrArray *pieces = g_ptr_array_new();
	for (guint i = 0; i < params->all->len; i++) {
		Param *param = g_ptr_array_index(params->all, i);
		if ((param->extended || param->in_pieces) && strcmp(param->name, name) == 0)
			g_ptr_array_add(pieces, param);
	}
	g_ptr_array_sort(pieces, compare_pieces);
	for (guint i = 1; i < pieces->len;) {
		const Param *before = g_ptr_array_index(pieces, i - 1);
		const Param *param = g_ptr_array_index(pieces, i);
		if (param->piece == before->piece)
			g_ptr_array_remove_index(pieces, i);
		else
			i++;
	}
	return pieces;
}

static void append_percent_decoded(GString *to, const char *text)
{
	for (; *text; text++) {
		if (*text == '%' && g_ascii_isxdigit(text[1]) && g_ascii_isxdigit(text[2])) {
			g_string_append_c(to, (char)(g_ascii_xdigit_value(text[1]) * 16 +
						      g_ascii_xdigit_value(text[2])));
			text += 2;
		} else {
			g_string_append_c(to, *text);
		}
	}
}

/* Takes charset "'" [language] "'" from the first extended value (RFC 2231 section 4). */
static const char *take_charset(const char *value, char **ret_charset)
{
	const char *quote = strchr(value, '\'');
	const char *second = quote ? strchr(quote + 1, '\'') : NULL;
	if (!second)
		return value;
	*ret_charset = quote > value ? g_strndup(value, (gsize)(quote - value)) : NULL;
	return second + 1;
}

static char *text_of_pieces(const GPtrArray *pieces, guint *words)
{
	g_autoptr(GString) octets = g_string_new(NULL);
	g_autofree char *charset = NULL;
	bool extended = false;
	for (guint i = 0; i < pieces->len && octets->len < VALUE_MAX; i++) {
		const Param *param = g_ptr_array_index(pieces, i);
		const char *value = param->value->str;
		if (param->extended && !extended)
			value = take_charset(value, &charset);
		extended = extended || param->extended;
		if (param->extended)
			append_percent_decoded(octets, value);
		else
			g_string_append(octets, value);
	}
	if (!extended)
		return mime_header_decode(octets->str, octets->len, words);
	g_autofree char *text = mime_to_utf8(octets->str, octets->len, charset);
	return mime_header_plain(text, strlen(text));
}

/* Encoded words do not belong here (RFC 2047 section 5), and are common. */
char *mime_params_text(const MimeParams *params, const char *name, guint *words)
{
	g_autoptr(GPtrArray) pieces = pieces_of(params, name);
	if (pieces->len > 0)
		return text_of_pieces(pieces, words);
	const GString *octets = mime_params_octets(params, name);
	return octets ? mime_header_decode(octets->str, octets->len, words) : NULL;
}
