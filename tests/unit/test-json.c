#include "base/json.h"

#include <string.h>

static void assert_text(const char *bytes, const char *expected)
{
	JsonWriter *writer = json_writer_new(false);

	json_text(writer, NULL, bytes);
	g_autofree char *text = json_writer_finish(writer);

	g_assert_cmpstr(text, ==, expected);
}

static void test_strings(void)
{
	assert_text("", "\"\"");
	assert_text(NULL, "null");
	assert_text("a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
	assert_text("\1\t\n\x1b[31m\x7f", "\"\\u0001\\u0009\\u000a\\u001b[31m\\u007f\"");
	/* C1: U+009B begins what a terminal takes for an order, U+0080 and U+009F are the rims. */
	assert_text(
		"\302\233[31m \302\200\302\237\302\240", "\"\\u009b[31m \\u0080\\u009f\302\240\"");
	assert_text("\303\274 \360\237\223\247", "\"\303\274 \360\237\223\247\"");
	/* No UTF-8: a lone byte, a cut sequence, an overlong form, a surrogate. */
	assert_text("a\377b", "\"a\357\277\275b\"");
	assert_text("\303", "\"\357\277\275\"");
	assert_text("\300\257", "\"\357\277\275\357\277\275\"");
	assert_text("\355\240\200", "\"\357\277\275\357\277\275\357\277\275\"");
}

static void test_structure(void)
{
	JsonWriter *writer = json_writer_new(false);

	json_open(writer, NULL, '{');
	json_text(writer, "a\"", "b");
	json_open(writer, "list", '[');
	json_number(writer, NULL, G_MININT64);
	json_bool(writer, NULL, true);
	json_open(writer, NULL, '{');
	json_close(writer);
	json_open(writer, NULL, '[');
	json_close(writer);
	json_text(writer, NULL, NULL);
	json_close(writer);
	json_bool(writer, "last", false);
	json_close(writer);
	g_autofree char *text = json_writer_finish(writer);

	g_assert_cmpstr(text, ==,
		"{\"a\\\"\":\"b\",\"list\":[-9223372036854775808,true,{},[],null],"
		"\"last\":false}");
}

static void test_indented(void)
{
	JsonWriter *writer = json_writer_new(true);

	json_open(writer, NULL, '{');
	json_text(writer, "a", "b");
	json_open(writer, "list", '[');
	json_number(writer, NULL, 1);
	json_number(writer, NULL, 2);
	json_close(writer);
	json_open(writer, "none", '[');
	json_close(writer);
	json_close(writer);
	g_autofree char *text = json_writer_finish(writer);

	g_assert_cmpstr(text, ==,
		"{\n  \"a\": \"b\",\n  \"list\": [\n    1,\n    2\n  ],\n  \"none\": []\n}");
}

static JsonReader *read_text(const char *text)
{
	return json_reader_new(text, strlen(text));
}

static void test_reader(void)
{
	g_autoptr(JsonReader) reader =
		read_text(" { \"a\" : [ 1 , { \"b\" : \"x\\n\\u00fc\\\"\" } , null ] ,\n"
			  "\"t\": true, \"n\": -12, \"o\": {\"p\": {}} } ");

	g_assert_nonnull(reader);
	g_assert_cmpstr(json_reader_text(reader, "a.%d", 0), ==, "1");
	g_assert_cmpstr(json_reader_text(reader, "a.1.b"), ==, "x\n\303\274\"");
	g_assert_null(json_reader_text(reader, "a.2"));
	g_assert_null(json_reader_text(reader, "a.3"));
	g_assert_null(json_reader_text(reader, "a"));
	g_assert_cmpstr(json_reader_text(reader, "t"), ==, "true");
	g_assert_cmpint(json_reader_number(reader, 7, "n"), ==, -12);
	g_assert_cmpint(json_reader_number(reader, 7, "o.p"), ==, 7);
}

static void test_what_is_written_is_read(void)
{
	static const char bytes[] = "\1\"\\/\b\f\n\r\t\x7f \303\274 \360\237\223\247";
	JsonWriter *writer = json_writer_new(false);

	json_open(writer, NULL, '{');
	json_text(writer, "text", bytes);
	json_number(writer, "number", G_MAXINT64);
	json_close(writer);
	g_autofree char *text = json_writer_finish(writer);
	g_autoptr(JsonReader) reader = read_text(text);

	g_assert_cmpstr(json_reader_text(reader, "text"), ==, bytes);
	g_assert_cmpint(json_reader_number(reader, 0, "number"), ==, G_MAXINT64);
}

static void test_what_is_no_json(void)
{
	static const char *const wrong[] = {
		"",
		" ",
		"{",
		"[1,",
		"[1 2]",
		"[1,]",
		"{\"a\"}",
		"{\"a\":}",
		"{a:1}",
		"\"a",
		"\"\\",
		"\"\\x\"",
		"\"\\u12\"",
		"\"\\u12g4\"",
		"\"a\nb\"",
		"nul",
		"truefalse",
		"{} {}",
		"{}]",
		"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		/* Without the NUL behind it: a read past the end is seen by the sanitizer. */
		gsize len = strlen(wrong[i]);
		g_autofree char *bytes = g_malloc(MAX(len, 1));

		memcpy(bytes, wrong[i], len);
		if (json_reader_new(bytes, len))
			g_error("taken for JSON: %s", wrong[i]);
	}
	g_assert_null(json_reader_new("{\0}", 3));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/json/strings", test_strings);
	g_test_add_func("/json/structure", test_structure);
	g_test_add_func("/json/indented", test_indented);
	g_test_add_func("/json/reader", test_reader);
	g_test_add_func("/json/round-trip", test_what_is_written_is_read);
	g_test_add_func("/json/wrong", test_what_is_no_json);
	return g_test_run();
}
