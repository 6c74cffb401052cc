#include "base/json.h"

#include <string.h>

/* ---- writing ---- */

struct JsonWriter {
	GString *text;
	GString *open; /* the brackets that close what is open */
	bool first; /* of the innermost */
	bool indented;
};

JsonWriter *json_writer_new(bool indented)
{
	JsonWriter *writer = g_new(JsonWriter, 1);
	*writer = (JsonWriter){g_string_new(NULL), g_string_new(NULL), true, indented};
	return writer;
}

char *json_writer_finish(JsonWriter *writer)
{
	g_assert(writer->open->len == 0);
	char *text = g_string_free(writer->text, FALSE);
	g_string_free(writer->open, TRUE);
	g_free(writer);
	return text;
}

/* Control characters are escaped, also those that JSON has nothing against: `cat` shows these files
 * on terminals. */
static void append_character(GString *to, const char *at)
{
	gunichar c = g_utf8_get_char(at);
	if (c == '"' || c == '\\')
		g_string_append_c(to, '\\');
	if (g_unichar_iscntrl(c))
		g_string_append_printf(to, "\\u%04x", c);
	else
		g_string_append_len(to, at, g_utf8_skip[(guchar)*at]);
}

static void append_string(GString *to, const char *bytes)
{
	g_autofree char *text = g_utf8_make_valid(bytes, -1);
	g_string_append_c(to, '"');
	for (const char *at = text; *at; at = g_utf8_next_char(at))
		append_character(to, at);
	g_string_append_c(to, '"');
}

static void break_line(JsonWriter *writer)
{
	if (writer->indented)
		g_string_append_printf(writer->text, "\n%*s", (int)writer->open->len * 2, "");
}

/* What stands before a value. */
static void begin(JsonWriter *writer, const char *name)
{
	if (!writer->first)
		g_string_append_c(writer->text, ',');
	writer->first = false;
	if (writer->open->len > 0)
		break_line(writer);
	if (!name)
		return;
	append_string(writer->text, name);
	g_string_append(writer->text, writer->indented ? ": " : ":");
}

void json_open(JsonWriter *writer, const char *name, char bracket)
{
	begin(writer, name);
	g_string_append_c(writer->text, bracket);
	g_string_append_c(writer->open, bracket == '{' ? '}' : ']');
	writer->first = true;
}

void json_close(JsonWriter *writer)
{
	g_assert(writer->open->len > 0);
	char bracket = writer->open->str[writer->open->len - 1];
	g_string_truncate(writer->open, writer->open->len - 1);
	if (!writer->first)
		break_line(writer);
	g_string_append_c(writer->text, bracket);
	writer->first = false;
}

void json_text(JsonWriter *writer, const char *name, const char *text)
{
	begin(writer, name);
	if (text)
		append_string(writer->text, text);
	else
		g_string_append(writer->text, "null");
}

void json_number(JsonWriter *writer, const char *name, gint64 number)
{
	begin(writer, name);
	g_string_append_printf(writer->text, "%" G_GINT64_FORMAT, number);
}

void json_bool(JsonWriter *writer, const char *name, bool value)
{
	begin(writer, name);
	g_string_append(writer->text, value ? "true" : "false");
}

/* ---- reading ---- */

enum { READER_DEPTH = 16 };

struct JsonReader {
	GHashTable *values; /* path -> text, both owned */
};

typedef struct {
	const char *at, *end;
	GHashTable *values;
	GString *path;
	guint depth;
} Scan;

static bool scan_value(Scan *scan);

static void skip_space(Scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
}

static bool take(Scan *scan, char c)
{
	skip_space(scan);
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

static bool take_word(Scan *scan, const char *word)
{
	gsize len = strlen(word);
	if ((gsize)(scan->end - scan->at) < len || memcmp(scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

/* \uXXXX; the halves of a surrogate pair, which the writer never makes, are U+FFFD each. */
static bool scan_unicode(Scan *scan, GString *to)
{
	gunichar c = 0;
	if (scan->end - scan->at < 4)
		return false;
	for (int i = 0; i < 4; i++, scan->at++) {
		if (!g_ascii_isxdigit(*scan->at))
			return false;
		c = c << 4 | (gunichar)g_ascii_xdigit_value(*scan->at);
	}
	g_string_append_unichar(to, c >= 0xd800 && c < 0xe000 ? 0xfffd : c);
	return true;
}

static bool scan_escape(Scan *scan, GString *to)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	if (scan->at == scan->end)
		return false;
	char c = *scan->at++;
	if (c == 'u')
		return scan_unicode(scan, to);
	const char *letter = c ? strchr(letters, c) : NULL;
	if (!letter)
		return false;
	g_string_append_c(to, meanings[letter - letters]);
	return true;
}

/* New string, or NULL. */
static char *scan_string(Scan *scan)
{
	if (!take(scan, '"'))
		return NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	while (scan->at < scan->end && *scan->at != '"') {
		char c = *scan->at++;
		if ((guchar)c < 0x20)
			return NULL;
		if (c != '\\')
			g_string_append_c(text, c);
		else if (!scan_escape(scan, text))
			return NULL;
	}
	if (!take(scan, '"'))
		return NULL;
	return g_string_free(g_steal_pointer(&text), FALSE);
}

/* A member or an element, whose path goes on with name. */
static bool scan_inner(Scan *scan, const char *name)
{
	gsize len = scan->path->len;
	g_string_append_printf(scan->path, "%s%s", len > 0 ? "." : "", name);
	bool good = scan_value(scan);
	g_string_truncate(scan->path, len);
	return good;
}

static bool scan_object(Scan *scan)
{
	if (take(scan, '}'))
		return true;
	do {
		g_autofree char *name = scan_string(scan);
		if (!name || !take(scan, ':') || !scan_inner(scan, name))
			return false;
	} while (take(scan, ','));
	return take(scan, '}');
}

static bool scan_array(Scan *scan)
{
	if (take(scan, ']'))
		return true;
	guint i = 0;
	do {
		char name[16];
		g_snprintf(name, sizeof(name), "%u", i++);
		if (!scan_inner(scan, name))
			return false;
	} while (take(scan, ','));
	return take(scan, ']');
}

static void put(Scan *scan, char *text)
{
	g_hash_table_replace(scan->values, g_strdup(scan->path->str), text);
}

static bool scan_number(Scan *scan)
{
	const char *from = scan->at;
	while (scan->at < scan->end && *scan->at && strchr("+-.0123456789eE", *scan->at))
		scan->at++;
	if (scan->at == from)
		return false;
	put(scan, g_strndup(from, (gsize)(scan->at - from)));
	return true;
}

static bool scan_scalar(Scan *scan)
{
	if (take_word(scan, "null"))
		return true;
	bool yes = take_word(scan, "true");
	if (yes || take_word(scan, "false")) {
		put(scan, g_strdup(yes ? "true" : "false"));
		return true;
	}
	if (scan->at == scan->end || *scan->at != '"')
		return scan_number(scan);
	char *text = scan_string(scan);
	if (text)
		put(scan, text);
	return text != NULL;
}

static bool scan_value(Scan *scan)
{
	skip_space(scan);
	bool object = take(scan, '{');
	if (!object && !take(scan, '['))
		return scan_scalar(scan);
	if (++scan->depth > READER_DEPTH)
		return false;
	bool good = object ? scan_object(scan) : scan_array(scan);
	scan->depth--;
	return good;
}

JsonReader *json_reader_new(const char *text, gsize len)
{
	g_autoptr(GString) path = g_string_new(NULL);
	g_autoptr(JsonReader) reader = g_new(JsonReader, 1);
	reader->values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	Scan scan = {.at = text, .end = text + len, .values = reader->values, .path = path};
	if (!scan_value(&scan))
		return NULL;
	skip_space(&scan);
	return scan.at == scan.end ? g_steal_pointer(&reader) : NULL;
}

void json_reader_free(JsonReader *reader)
{
	if (!reader)
		return;
	g_hash_table_unref(reader->values);
	g_free(reader);
}

static const char *look_up(const JsonReader *reader, const char *format, va_list args)
	G_GNUC_PRINTF(2, 0);

static const char *look_up(const JsonReader *reader, const char *format, va_list args)
{
	g_autofree char *path = g_strdup_vprintf(format, args);
	return g_hash_table_lookup(reader->values, path);
}

const char *json_reader_text(const JsonReader *reader, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *text = look_up(reader, format, args);
	va_end(args);
	return text;
}

gint64 json_reader_number(const JsonReader *reader, gint64 missing, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const char *text = look_up(reader, format, args);
	va_end(args);
	return text ? g_ascii_strtoll(text, NULL, 10) : missing;
}
