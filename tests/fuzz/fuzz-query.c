/* A search query: what is taken makes one command, which says what the canonical text says. */

#include "fuzz.h"

#include "base/limits.h"
#include "imap/query.h"

#include <string.h>

/* The arguments of a command line or of a canonical text, one a line of `out`: parentheses and
 * strings as they are, each with its length before it, so that none can look like two. */
typedef struct {
	const char *at;
	GString *out;
} Reader;

static void add(Reader *reader, const char *bytes, gsize len)
{
	g_string_append_printf(reader->out, "%" G_GSIZE_FORMAT ":", len);
	g_string_append_len(reader->out, bytes, (gssize)len);
	g_string_append_c(reader->out, '\n');
}

static void read_quoted(Reader *reader)
{
	g_autoptr(GString) value = g_string_new(NULL);

	for (reader->at++; *reader->at != '"'; reader->at++) {
		if (*reader->at == '\\')
			reader->at++;
		g_assert_true(g_ascii_isprint(*reader->at) || (guchar)*reader->at >= 0x80);
		g_string_append_c(value, *reader->at);
	}
	reader->at++;
	add(reader, value->str, value->len);
}

/* "{n+}" CRLF *CHAR8 */
static void read_literal(Reader *reader)
{
	char *end;
	gsize len = g_ascii_strtoull(reader->at + 1, &end, 10);

	g_assert_true(g_str_has_prefix(end, "+}\r\n"));
	reader->at = end + strlen("+}\r\n");
	add(reader, reader->at, len);
	reader->at += len;
}

static void read_atom(Reader *reader)
{
	gsize len = strcspn(reader->at, " ()\"{\r\n\\");

	g_assert_cmpuint(len, >, 0);
	add(reader, reader->at, len);
	reader->at += len;
}

/* Of what ends with `end`. New string. */
static char *arguments(const char *text, const char *end)
{
	Reader reader = {text, g_string_new(NULL)};

	while (!g_str_equal(reader.at, end)) {
		if (*reader.at == ' ' || *reader.at == '(' || *reader.at == ')')
			g_string_append_c(reader.out, *reader.at++);
		else if (*reader.at == '"')
			read_quoted(&reader);
		else if (*reader.at == '{')
			read_literal(&reader);
		else
			read_atom(&reader);
	}
	return g_string_free(reader.out, FALSE);
}

static char *wire(const ImapQuery *query)
{
	g_autoptr(ImapCommand) command = imap_command_new("S");
	g_autoptr(GArray) pieces = NULL;
	GString *out = g_string_new(NULL);

	imap_query_append(query, command);
	g_assert_true(imap_command_valid(command));
	pieces = imap_command_pieces(command, "A", true);
	for (guint i = 0; i < pieces->len; i++) {
		const ImapPiece *piece = &g_array_index(pieces, ImapPiece, i);

		g_assert_false(piece->waits);
		g_string_append_len(out, g_bytes_get_data(piece->bytes, NULL),
			(gssize)g_bytes_get_size(piece->bytes));
	}
	return g_string_free(out, FALSE);
}

static void check_wire(const ImapQuery *query)
{
	g_autofree char *line = wire(query);
	const char *prefix = imap_query_is_ascii(query) ? "A S " : "A S CHARSET UTF-8 ";
	g_autofree char *sent = NULL;
	g_autofree char *meant = arguments(imap_query_text(query), "");

	g_assert_true(g_str_has_prefix(line, prefix));
	sent = arguments(line + strlen(prefix), "\r\n");
	g_assert_cmpstr(sent, ==, meant);
}

/* Canonical texts may be longer than what a user may write. */
static void check_text(const ImapQuery *query)
{
	const char *text = imap_query_text(query);
	g_autoptr(ImapQuery) again = imap_query_parse(text, NULL);

	g_assert_true(again || strlen(text) > LIMIT_QUERY);
	if (again)
		g_assert_cmpstr(imap_query_text(again), ==, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	g_autofree char *text = g_strndup((const char *)bytes, len);
	g_autoptr(GError) error = NULL;
	g_autoptr(ImapQuery) query = imap_query_parse(text, &error);

	g_assert_true((query == NULL) == (error != NULL));
	if (!query)
		return 0;
	check_wire(query);
	check_text(query);
	return 0;
}
