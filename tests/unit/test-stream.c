/* Framing beyond single transcripts: limits, refusals, time and memory that stay in proportion. */

#include "base/error.h"
#include "base/limits.h"

#include "replay.h"

static const Transcript errors[] = {
	{"literal-beyond-63-bits", "* 1 EXISTS\r\n* 1 FETCH (BODY[] {9223372036854775808}\r\n",
		" EXISTS=1\nERROR The server announced a literal of no possible size\n"},
	{"literal-of-20-digits", "* LIST () \"/\" {99999999999999999999}\r\n",
		"ERROR The server announced a literal of no possible size\n"},
	{"literal-of-100-digits",
		"* LIST () \"/\" {99999999999999999999999999999999999999999999999999"
		"99999999999999999999999999999999999999999999999999}\r\n",
		"ERROR The server announced a literal of no possible size\n"},
	{"literal-negative", "* 1 FETCH (BODY[] {-1}\r\n",
		"ERROR The server announced a literal of no possible size\n"},
	{"literal-with-plus-inside", "* 1 FETCH (BODY[] {1+1}\r\n",
		"ERROR The server announced a literal of no possible size\n"},
	{"literal-of-2-gibibytes-as-name", "* LIST () \"/\" {2147483647}\r\n",
		"ERROR The server sent a literal beyond all bounds\n"},
	{"literal-of-4-gibibytes-as-name", "* LIST () \"/\" {4294967296}\r\n",
		"ERROR The server sent a literal beyond all bounds\n"},
	{"nothing-after-an-error", "* LIST () \"/\" {-5}\r\n* 1 EXISTS\r\n",
		"ERROR The server announced a literal of no possible size\n"},
};

static const Transcript texts[] = {
	{"braces-that-are-no-literal",
		"* X {}\r\n* X {a}\r\n* X {+}\r\n* X {5\r\n* X 5}\r\n* X }\r\n}\r\n* X a{5}\r\n"
		"* X {5} \r\n* 1 EXISTS\r\n",
		"OTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\n EXISTS=1\n"},
	{"literal-at-the-start-of-a-list",
		"* LIST ({5}\r\n\\Sent) \"/\" ({1}\r\na\r\n* 1 EXISTS\r\n", "OTHER\n EXISTS=1\n"},
	{"response-after-response", "* 1 EXISTS\r\n* 2 EX", " EXISTS=1\nCUT\n"},
	{"carriage-return-alone", "* OK a\rb\r\n\r", "STATUS OK text=<a%0Db>\nCUT\n"},
};

static StreamDump *feed_all(const char *wire, gsize len, gsize piece)
{
	StreamDump *dump = stream_dump_new(false);

	for (gsize at = 0; at < len && !dump->ended; at += piece)
		stream_dump_feed(dump, wire + at, MIN(piece, len - at));
	return dump;
}

static GString *repeat(const char *text, gsize n)
{
	GString *out = g_string_new(NULL);

	for (gsize i = 0; i < n; i++)
		g_string_append(out, text);
	return out;
}

/* Feeds head, n times unit, tail, in two ways; both must show the same. */
static char *feed_long(const char *head, const char *unit, gsize n, const char *tail)
{
	g_autoptr(GString) wire = repeat(unit, n);
	g_autofree char *in_pieces = NULL;
	char *whole;

	g_string_prepend(wire, head);
	g_string_append(wire, tail);
	whole = stream_dump_finish(feed_all(wire->str, wire->len, wire->len));
	in_pieces = stream_dump_finish(feed_all(wire->str, wire->len, 61));
	g_assert_cmpstr(whole, ==, in_pieces);
	return whole;
}

static void test_endless_line(void)
{
	g_autofree char *dump =
		feed_long("* OK ", "0123456789abcdef", (LIMIT_RESPONSE_BYTES >> 4) + 1, "");

	g_assert_cmpstr(dump, ==, "ERROR The server sent a line beyond all bounds\n");
}

static void test_endless_untagged(void)
{
	g_autoptr(GString) wire = repeat("* 5 EXISTS\r\n", 200000);
	g_autofree char *text = stream_dump_finish(feed_all(wire->str, wire->len, 1000));

	g_assert_cmpuint(strlen(text), ==, 200000 * strlen(" EXISTS=5\n"));
}

static void test_tiny_literals(void)
{
	g_autofree char *few =
		feed_long("* 1 FETCH (X (", "{1}\r\na ", LIMIT_LITERALS, ") UID 5)\r\n");
	g_autofree char *many = feed_long("* 1 FETCH (X (", "{1}\r\na ", 1000000, ") UID 5)\r\n");

	g_assert_cmpstr(few, ==, "FETCH seq=1 uid=5\n");
	g_assert_cmpstr(many, ==, "ERROR The server sent too many literals in one response\n");
}

/* Each literal may look at what came before it only once. */
static void test_literals_after_much_text(void)
{
	g_autoptr(GString) text = repeat("(\"x\" y) ", 1 << 20);
	g_autofree char *dump = NULL;

	g_string_prepend(text, "* 1 FETCH (X (");
	dump = feed_long(text->str, "{1}\r\na ", LIMIT_LITERALS, ") UID 5)\r\n");
	g_assert_cmpstr(dump, ==, "FETCH seq=1 uid=5\n");
}

static void test_literals_in_sum(void)
{
	g_autoptr(GString) unit = repeat("x", LIMIT_INLINE_LITERAL);
	g_autofree char *head = g_strdup_printf("{%d}\r\n", LIMIT_INLINE_LITERAL);
	g_autofree char *dump = NULL;

	g_string_prepend(unit, head);
	dump = feed_long("* X ", unit->str, LIMIT_RESPONSE_BYTES / LIMIT_INLINE_LITERAL, "\r\n");
	g_assert_cmpstr(dump, ==, "ERROR The server sent a response beyond all bounds\n");
}

static void test_large_literal_of_one_message(void)
{
	g_autofree char *head =
		g_strdup_printf("* 1 FETCH (BODYSTRUCTURE (\"a\" {%d}\r\n", 2 << 20);
	g_autofree char *dump =
		feed_long(head, "abcdefgh", (2 << 20) / 8, ") UID 5)\r\n* 2 EXISTS\r\n");

	g_assert_cmpstr(dump, ==, "FETCH seq=1 uid=5\n EXISTS=2\n");
}

static char *nested(gsize depth)
{
	g_autoptr(GString) open = repeat("(", depth);
	g_autofree char *head = g_strdup_printf("* 1 FETCH (BODYSTRUCTURE %s", open->str);

	return feed_long(head, ")", depth, " UID 5)\r\n");
}

static void test_nesting(void)
{
	g_autofree char *shallow = nested(LIMIT_NESTING);
	g_autofree char *deep = nested(LIMIT_NESTING + 1);
	g_autofree char *absurd = nested(1000000);

	g_assert_nonnull(strstr(shallow, "structure="));
	g_assert_cmpstr(deep, ==, "FETCH seq=1 uid=5\n");
	g_assert_cmpstr(absurd, ==, "FETCH seq=1 uid=5\n");
}

static void test_many_items(void)
{
	g_autofree char *flags = feed_long("* FLAGS (", "k ", 1000000, ")\r\n");
	g_autofree char *bodies = feed_long("* 1 FETCH (", "BODY[] NIL ", 1000000, "UID 5)\r\n");
	g_autofree char *mechs = feed_long("* CAPABILITY", " AUTH=X", 1000000, " IDLE\r\n");
	g_autofree char *spaces =
		feed_long("* NAMESPACE (", "(\"\" \"/\")", 500000, ") NIL NIL\r\n");

	g_assert_cmpuint(strlen(flags), <, 2 * LIMIT_LIST_ITEMS + 100);
	g_assert_cmpuint(strlen(bodies), <, 30 * LIMIT_LIST_ITEMS);
	g_assert_nonnull(strstr(bodies, "uid=5"));
	g_assert_nonnull(strstr(mechs, " IDLE"));
	g_assert_cmpuint(strlen(spaces), <, 20 * LIMIT_LIST_ITEMS);
}

static void test_search_of_a_million(void)
{
	g_autoptr(GString) wire = g_string_new("* SEARCH");
	g_autofree char *dump = NULL;

	for (guint uid = 2000000; uid > 0; uid -= 2)
		g_string_append_printf(wire, " %u", uid);
	g_string_append(wire, "\r\n");
	g_assert_cmpuint(wire->len, <, LIMIT_RESPONSE_BYTES);
	dump = stream_dump_finish(feed_all(wire->str, wire->len, 100000));
	g_assert_true(g_str_has_prefix(dump, "SEARCH all=2,4,6,"));
	g_assert_true(g_str_has_suffix(dump, ",1999998,2000000\n"));
}

typedef struct {
	guint responses, bytes, begins, stop_after;
	const char *expected_at;
} Counter;

static bool count_response(const ImapResponse *response, gpointer data)
{
	Counter *counter = data;

	return ++counter->responses != counter->stop_after;
}

static bool count_begin(const ImapBodyStart *start, gpointer data)
{
	Counter *counter = data;

	counter->begins++;
	return true;
}

static bool count_bytes(const void *bytes, gsize len, gpointer data)
{
	Counter *counter = data;

	if (counter->expected_at)
		g_assert_true(bytes == counter->expected_at);
	counter->bytes += (guint)len;
	return counter->stop_after == 0;
}

static const ImapStreamEvents counting = {count_response, count_begin, count_bytes};

static void test_callback_stops(void)
{
	Counter counter = {.stop_after = 2};
	g_autoptr(ImapStream) stream = imap_stream_new(&counting, &counter);
	g_autoptr(GError) error = NULL;
	static const char wire[] = "* 1 EXISTS\r\n* 2 EXISTS\r\n* 3 EXISTS\r\n";

	g_assert_false(imap_stream_feed(stream, wire, strlen(wire), &error));
	g_assert_no_error(error);
	g_assert_cmpuint(counter.responses, ==, 2);
	g_assert_false(imap_stream_feed(stream, wire, strlen(wire), &error));
	g_assert_error(error, MAIL_ERROR, MAIL_ERROR_PROTOCOL);
	g_assert_cmpuint(counter.responses, ==, 2);
}

static void test_body_callback_stops(void)
{
	Counter counter = {.stop_after = 5};
	g_autoptr(ImapStream) stream = imap_stream_new(&counting, &counter);
	g_autoptr(GError) error = NULL;
	static const char wire[] = "* 1 FETCH (BODY[] {3}\r\nabc)\r\n";

	g_assert_false(imap_stream_feed(stream, wire, strlen(wire), &error));
	g_assert_no_error(error);
	g_assert_cmpuint(counter.begins, ==, 1);
	g_assert_cmpuint(counter.bytes, ==, 3);
	g_assert_cmpuint(counter.responses, ==, 0);
}

/* Body bytes are handed on where they lie. */
static void test_body_is_not_copied(void)
{
	Counter counter = {0};
	g_autoptr(ImapStream) stream = imap_stream_new(&counting, &counter);
	static const char wire[] = "* 1 FETCH (BODY[] {30000}\r\n";
	g_autofree char *body = g_malloc0(30000);

	g_assert_true(imap_stream_feed(stream, wire, strlen(wire), NULL));
	for (gsize at = 0; at < 30000; at += 10000) {
		counter.expected_at = body + at;
		g_assert_true(imap_stream_feed(stream, body + at, 10000, NULL));
	}
	g_assert_false(imap_stream_at_boundary(stream));
	g_assert_true(imap_stream_feed(stream, ")\r\n", 3, NULL));
	g_assert_true(imap_stream_at_boundary(stream));
	g_assert_cmpuint(counter.bytes, ==, 30000);
	g_assert_cmpuint(counter.responses, ==, 1);
}

static bool check_nil_body(const ImapResponse *response, gpointer data)
{
	guint *seen = data;

	g_assert_cmpint(response->kind, ==, IMAP_RESPONSE_FETCH);
	g_assert_cmpuint(response->fetch.n_bodies, ==, 1);
	g_assert_cmpint(response->fetch.bodies[0].form, ==, IMAP_BODY_NIL);
	++*seen;
	return true;
}

static void test_without_body_sink(void)
{
	static const ImapStreamEvents events = {.response = check_nil_body};
	guint seen = 0;
	g_autoptr(ImapStream) stream = imap_stream_new(&events, &seen);
	static const char wire[] =
		"* 1 FETCH (BODY[] {3}\r\nabc)\r\n* 1 FETCH (BODY[] {0}\r\n)\r\n";

	g_assert_true(imap_stream_feed(stream, wire, strlen(wire), NULL));
	g_assert_cmpuint(seen, ==, 2);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	replay_add("stream/error", errors, G_N_ELEMENTS(errors));
	replay_add("stream/text", texts, G_N_ELEMENTS(texts));
	g_test_add_func("/stream/endless-line", test_endless_line);
	g_test_add_func("/stream/endless-untagged", test_endless_untagged);
	g_test_add_func("/stream/tiny-literals", test_tiny_literals);
	g_test_add_func("/stream/literals-after-much-text", test_literals_after_much_text);
	g_test_add_func("/stream/literals-in-sum", test_literals_in_sum);
	g_test_add_func("/stream/large-literal-of-one-message", test_large_literal_of_one_message);
	g_test_add_func("/stream/nesting", test_nesting);
	g_test_add_func("/stream/many-items", test_many_items);
	g_test_add_func("/stream/search-of-a-million", test_search_of_a_million);
	g_test_add_func("/stream/callback-stops", test_callback_stops);
	g_test_add_func("/stream/body-callback-stops", test_body_callback_stops);
	g_test_add_func("/stream/body-is-not-copied", test_body_is_not_copied);
	g_test_add_func("/stream/without-body-sink", test_without_body_sink);
	return g_test_run();
}
