#include <string.h>

#include "mime/build.h"
#include "mime/header.h"

/* body = "(" (body-type-1part / body-type-mpart) ")" (RFC 3501 section 9). Servers write atoms for
 * strings, NIL for what must not be NIL, and leave out what they don't know. What may be wrong
 * without harm is passed over; all else is refused, since then the message itself tells. */

typedef struct {
	const char *at, *end;
	MimeBuild *build;
	guint leaves;
	bool empty; /* the last one is an empty text */
} Reader;

static char peek(Reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
		reader->at++;
	return reader->at < reader->end ? *reader->at : '\0';
}

static bool take(Reader *reader, char c)
{
	if (peek(reader) != c || reader->at == reader->end)
		return false;
	reader->at++;
	return true;
}

/* quoted = DQUOTE *QUOTED-CHAR DQUOTE */
static bool read_quoted(Reader *reader, GString *value)
{
	const char *at = reader->at + 1;
	for (; at < reader->end && *at != '"'; at++) {
		if (*at == '\\' && at + 1 < reader->end)
			at++;
		g_string_append_c(value, *at);
	}
	if (at == reader->end)
		return false;
	reader->at = at + 1;
	return true;
}

/* literal = "{" number ["+"] "}" CRLF *CHAR8 */
static bool read_literal(Reader *reader, GString *value)
{
	const char *at = reader->at + 1;
	gsize size = 0;
	for (; at < reader->end && g_ascii_isdigit(*at); at++) {
		size = size * 10 + (gsize)g_ascii_digit_value(*at);
		if (size > (gsize)(reader->end - at))
			return false;
	}
	if (at < reader->end && *at == '+')
		at++;
	if (reader->end - at < 3 || memcmp(at, "}\r\n", 3) != 0)
		return false;
	at += 3;
	if (size > (gsize)(reader->end - at))
		return false;
	g_string_append_len(value, at, (gssize)size);
	reader->at = at + size;
	return true;
}

static bool read_atom(Reader *reader, GString *value)
{
	const char *start = reader->at;
	while (reader->at < reader->end && *reader->at && !strchr(" \t()\"", *reader->at))
		reader->at++;
	g_string_append_len(value, start, reader->at - start);
	return reader->at > start;
}

/* nstring; what is not there is "". */
static bool read_string(Reader *reader, GString *value)
{
	g_string_truncate(value, 0);
	switch (peek(reader)) {
	case '"':
		return read_quoted(reader, value);
	case '{':
		return read_literal(reader, value);
	case '~':
		if (reader->end - reader->at > 1 && reader->at[1] == '{') {
			reader->at++;
			return read_literal(reader, value);
		}
		break;
	default:
		break;
	}
	if (!read_atom(reader, value))
		return false;
	if (g_ascii_strcasecmp(value->str, "NIL") == 0)
		g_string_truncate(value, 0);
	return true;
}

/* number = 1*DIGIT; larger ones than any message are none. */
static bool read_number(Reader *reader, guint64 *ret_number)
{
	Reader mark = *reader;
	g_autoptr(GString) value = g_string_new(NULL);
	if (read_string(reader, value) && value->len > 0 && value->len < 19 &&
		strspn(value->str, "0123456789") == value->len) {
		*ret_number = g_ascii_strtoull(value->str, NULL, 10);
		return true;
	}
	*reader = mark;
	return false;
}

/* One value of any kind. */
static bool skip(Reader *reader)
{
	g_autoptr(GString) value = g_string_new(NULL);
	guint depth = 0;
	do {
		if (take(reader, '('))
			depth++;
		else if (depth > 0 && take(reader, ')'))
			depth--;
		else if (!read_string(reader, value))
			return false;
	} while (depth > 0);
	return true;
}

static bool skip_to_close(Reader *reader)
{
	while (!take(reader, ')')) {
		if (!skip(reader))
			return false;
	}
	return true;
}

/* body-fld-param = "(" string SP string *(SP string SP string) ")" / nil */
static bool read_params(Reader *reader, MimeParams *params)
{
	g_autoptr(GString) name = g_string_new(NULL);
	g_autoptr(GString) value = g_string_new(NULL);
	if (!take(reader, '('))
		return skip(reader);
	while (!take(reader, ')')) {
		if (!read_string(reader, name))
			return false;
		if (peek(reader) == ')')
			continue;
		if (peek(reader) == '(' ? !skip(reader) : !read_string(reader, value))
			return false;
		mime_params_add(params, name->str, name->len, value->str, value->len);
	}
	return true;
}

/* What follows the octets of a part and means something here. */
typedef struct {
	char *disposition; /* NULL: none */
	MimeParams *params;
	char *subject; /* NULL: it has no envelope */
} Tail;

static void tail_clear(Tail *tail)
{
	g_free(tail->disposition);
	mime_params_free(tail->params);
	g_free(tail->subject);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Tail, tail_clear)

/* body-fld-dsp = "(" string SP body-fld-param ")" / nil: told from a list of languages by its
 * second element, since what stands before it is left out by some. */
static bool read_disposition(Reader *reader, Tail *tail)
{
	Reader mark = *reader;
	g_autoptr(GString) word = g_string_new(NULL);
	if (tail->disposition || !take(reader, '(') || peek(reader) == '(' ||
		!read_string(reader, word))
		goto none;
	char next = peek(reader);
	bool named = g_ascii_strcasecmp(word->str, "attachment") == 0 ||
		     g_ascii_strcasecmp(word->str, "inline") == 0;
	bool nil = reader->end - reader->at >= 4 && g_ascii_strncasecmp(reader->at, "NIL)", 4) == 0;
	if (next != '(' && !nil && !named)
		goto none;
	tail->disposition = mime_params_parse(tail->params, word->str, word->len);
	return (next == ')' || read_params(reader, tail->params)) && skip_to_close(reader);
none:
	*reader = mark;
	return skip(reader);
}

/* The rest of a part up to its ")". */
static bool read_tail(Reader *reader, Tail *tail)
{
	while (!take(reader, ')')) {
		if (peek(reader) == '(' ? !read_disposition(reader, tail) : !skip(reader))
			return false;
	}
	return true;
}

/* envelope = "(" env-date SP env-subject SP ... ")" */
static bool read_envelope(Reader *reader, Tail *tail)
{
	g_autoptr(GString) subject = g_string_new(NULL);
	if (!take(reader, '(') || !skip(reader) || !read_string(reader, subject))
		return false;
	tail->subject =
		mime_header_decode(subject->str, subject->len, mime_build_words(reader->build));
	return skip_to_close(reader);
}

static bool read_body(Reader *reader);

/* body-type-msg = media-message SP body-fields SP envelope SP body SP body-fld-lines. Whoever does
 * not take messages apart sends neither of the two. */
static bool read_message(Reader *reader, Tail *tail)
{
	if (peek(reader) != '(')
		return true;
	if (!read_envelope(reader, tail) || peek(reader) != '(' ||
		!mime_build_enter_message(reader->build) || !read_body(reader))
		return false;
	mime_build_leave(reader->build, "");
	return true;
}

/* An encoded message is shown as one part, whatever the server makes of what is in it. */
static bool skip_message(Reader *reader, Tail *tail)
{
	if (peek(reader) != '(')
		return true;
	return read_envelope(reader, tail) && peek(reader) == '(' && skip(reader);
}

static bool read_rest(Reader *reader, MimeLeaf *leaf)
{
	g_auto(Tail) tail = {.params = mime_params_new()};
	bool message = strcmp(leaf->type, "message/rfc822") == 0 ||
		       strcmp(leaf->type, "message/global") == 0;
	int number = mime_build_add(reader->build);
	if (number < 0)
		return false;
	if (message && !(mime_leaf_is_message(leaf) ? read_message(reader, &tail)
						    : skip_message(reader, &tail)))
		return false;
	if (!read_tail(reader, &tail))
		return false;
	leaf->disposition = tail.disposition;
	leaf->disposition_params = tail.params;
	leaf->subject = tail.subject;
	mime_build_describe(reader->build, (guint)number, leaf);
	return true;
}

/* media-type SP subtype SP body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP
 * body-fld-octets ... ; a multipart has another form. */
static bool read_leaf(Reader *reader)
{
	g_autoptr(MimeParams) params = mime_params_new();
	g_autoptr(GString) type = g_string_new(NULL);
	g_autoptr(GString) subtype = g_string_new(NULL);
	g_autoptr(GString) encoding = g_string_new(NULL);
	MimeLeaf leaf = {.params = params};
	if (!read_string(reader, type) || !read_string(reader, subtype) ||
		!read_params(reader, params) || !skip(reader) || !skip(reader) ||
		!read_string(reader, encoding) || !read_number(reader, &leaf.octets))
		return false;
	if (type->len == 0 || g_ascii_strcasecmp(type->str, "multipart") == 0)
		return false;
	if (subtype->len > 0)
		g_string_append_printf(type, "/%s", subtype->str);
	g_string_ascii_down(type);
	g_string_ascii_down(encoding);
	leaf.type = type->str;
	leaf.encoding = encoding->str;
	if (!read_rest(reader, &leaf))
		return false;
	reader->leaves++;
	reader->empty = leaf.octets == 0 && strcmp(type->str, "text/plain") == 0;
	return true;
}

/* body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]. A multipart in which nothing was
 * found is given as one that holds an empty text, since the grammar has no other way: then there
 * may be more in it. */
static bool read_multipart(Reader *reader)
{
	g_autoptr(GString) subtype = g_string_new(NULL);
	guint leaves = reader->leaves;
	if (!mime_build_enter_multipart(reader->build))
		return false;
	while (peek(reader) == '(') {
		if (!read_body(reader))
			return false;
	}
	if (reader->leaves - leaves == 1 && reader->empty)
		return false;
	if (peek(reader) != ')' && !read_string(reader, subtype))
		return false;
	g_string_ascii_down(subtype);
	mime_build_leave(reader->build, subtype->str);
	return skip_to_close(reader);
}

static bool read_body(Reader *reader)
{
	if (!take(reader, '('))
		return false;
	return peek(reader) == '(' ? read_multipart(reader) : read_leaf(reader);
}

MimeTree *mime_tree_of_structure(const char *text, gsize len)
{
	g_autoptr(MimeBuild) build = mime_build_new();
	Reader reader = {.at = text, .end = text + len, .build = build};
	if (!read_body(&reader) || peek(&reader) != '\0' || reader.at != reader.end)
		return NULL;
	return mime_build_finish(build);
}
