#include "mime/text.h"

#include <string.h>

typedef struct {
	const char *why, *type, *charset;
	MimeEncoding encoding;
	const char *octets, *expected;
} Case;

static MimePart part_of(const Case *c)
{
	return (MimePart){.section = "1",
		.name = "1.x",
		.type = c->type,
		.charset = c->charset,
		.encoding = c->encoding,
		.text = g_str_has_prefix(c->type, "text/"),
		.octets = strlen(c->octets)};
}

static void check_content(const Case *c, GBytes *content)
{
	gsize n;
	const char *bytes = g_bytes_get_data(content, &n);
	MimePart part = part_of(c);

	if (n != strlen(c->expected) || (n && memcmp(bytes, c->expected, n) != 0))
		g_error("%s: \"%.*s\", not \"%s\"", c->why, (int)n, bytes, c->expected);
	g_assert_cmpuint(n, <=, mime_part_content_bound(&part));
}

static const char bin[] = "application/x", plain[] = "text/plain", html[] = "text/html";

#define NONE MIME_ENCODING_NONE
#define BASE64 MIME_ENCODING_BASE64
#define QP MIME_ENCODING_QUOTED_PRINTABLE
#define UU MIME_ENCODING_UUENCODE

static void test_content(void)
{
	static const Case cases[] = {
		{"nothing", bin, NULL, NONE, "", ""},
		{"nothing, encoded", bin, NULL, BASE64, "", ""},
		{"as it is", bin, NULL, NONE, "a\r\n\xff\x1b", "a\r\n\xff\x1b"},
		{"text", plain, "koi8-r", NONE, "\xf0\r\nb\rc\n", "П\nb\rc\n"},
		{"base64", bin, NULL, BASE64, "YWJj\r\nZGVm\r\n", "abcdef"},
		{"padding of one", bin, NULL, BASE64, "YWI=\r\n", "ab"},
		{"padding of two", bin, NULL, BASE64, "YQ==", "a"},
		{"without padding", bin, NULL, BASE64, "YWJjYQ", "abca"},
		{"cut", bin, NULL, BASE64, "YWJjYWI", "abcab"},
		{"quads over lines", bin, NULL, BASE64, "YW\r\nJjZ\r\nGVm", "abcdef"},
		{"noise", bin, NULL, BASE64, "YWJjYWJjYWJjYWJjYWJj!YWJj", "abcabcabcabcabcabc"},
		{"behind the padding", bin, NULL, BASE64, "YQ==\r\nfooter", "a"},
		{"a footer", plain, NULL, BASE64, "YQ==\r\n-- \r\nlist\r\n", "a\r\n-- \r\nlist"},
		{"not base64 at all", bin, NULL, BASE64, "This is no base64.",
			"This is no base64."},
		{"text of base64", plain, "koi8-r", BASE64, "8A0K", "П\r\n"},
		{"quoted-printable", bin, NULL, QP, "=C3=a4=\r\nb=\nc =20\r\n", "äbc  \r\n"},
		{"blanks behind =", bin, NULL, QP, "a= \t\r\nb=", "ab"},
		{"no quoted-printable", bin, NULL, QP, "a=zz =4 ==41=", "a=zz =4 =A"},
		{"an end that is none", bin, NULL, QP, "1 = 2 =4", "1 = 2 =4"},
		{"a line before the end", bin, NULL, QP, "a\r\n=", "a\r\n"},
		{"no line end", bin, NULL, QP, "a=\rb=\r", "a=\rb"},
		{"text of it", plain, "iso-8859-1", QP, "=E4=0D=0A\r\n\xe4", "ä\n\nä"},
		{"uuencode", bin, NULL, UU,
			"x\r\nbegin 644 a b\r\n#86)C\r\n$9&5F9P``\r\n`\r\nend\r\n", "abcdefg"},
		{"with LF and blanks", bin, NULL, UU, "begin 644 a\n#86)C\n \nend\n", "abc"},
		{"uuencode without begin", bin, NULL, UU, "#86)C\n", "#86)C\n"},
		{"its end alone", bin, NULL, UU, "begin 644 a\n#86)C\nend\n#86)C\n", "abc"},
		{"HTML is text here", html, "iso-8859-1", NONE, "<p>\xe4\r\n", "<p>ä\n"},
		{"its own charset", html, NULL, NONE, "<meta charset=koi8-r>\xf0",
			"<meta charset=koi8-r>П"},
		{"but the part's first", html, "koi8-u", NONE, "<meta charset=latin1>\xa4",
			"<meta charset=latin1>є"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MimePart part = part_of(&cases[i]);
		g_autoptr(GBytes) content =
			mime_part_content(&part, cases[i].octets, strlen(cases[i].octets));

		check_content(&cases[i], content);
	}
}

/* The zeros at a line's end have been lost with its blanks; but not more than a line has. */
static void test_uu_blanks(void)
{
	static const Case cases[] = {
		{"", bin, NULL, UU, "begin 644 a\n&86)C\n!80\n`\nend\n", ""},
		{"", bin, NULL, UU, "begin 644 a\nM\nM\nM\nM\nM\nM\n", ""},
	};
	MimePart part = part_of(&cases[0]);
	g_autoptr(GBytes) content = mime_part_content(&part, cases[0].octets, part.octets);
	g_autoptr(GBytes) expected = g_bytes_new_static("abc\0\0\0a", 7);

	g_assert_true(g_bytes_equal(content, expected));
	part = part_of(&cases[1]);
	g_bytes_unref(content);
	content = mime_part_content(&part, cases[1].octets, part.octets);
	g_assert_cmpuint(g_bytes_get_size(content), <=, mime_part_content_bound(&part));
}

/* What has a NUL is no text, unless its charset makes some. */
static void test_binary(void)
{
	static const Case cases[] = {
		{"no text", plain, "koi8-r", BASE64, "8AA=", "\xf0"},
		{"text with NUL", plain, "koi8-r", QP, "=F0=00", "П"},
		{"wide", plain, "utf-16le", BASE64, "8AA=", "ð"},
		{"wide by its mark", plain, NULL, BASE64, "//7wAA==", "ð"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MimePart part = part_of(&cases[i]);
		g_autoptr(GBytes) content =
			mime_part_content(&part, cases[i].octets, strlen(cases[i].octets));

		if (i == 0)
			g_assert_cmpuint(g_bytes_get_size(content), ==, 2);
		else
			check_content(&cases[i], content);
	}
}

static void test_decoded(void)
{
	static const Case cases[] = {
		{"bytes", bin, NULL, BASE64, "YQ==\r\n", "YQ==\r\n"},
		{"text", plain, "koi8-r", QP, "\xf0=41\r\n", "П=41\n"},
		{"text of base64", plain, "koi8-r", BASE64, "\xf0\r\n", "П\r\n"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MimePart part = part_of(&cases[i]);
		g_autoptr(GBytes) content =
			mime_part_content_decoded(&part, cases[i].octets, strlen(cases[i].octets));

		check_content(&cases[i], content);
	}
}

static void test_exact(void)
{
	static const Case cases[] = {
		{"yes", bin, NULL, NONE, "", ""},
		{"", bin, NULL, BASE64, "", ""},
		{"", plain, NULL, NONE, "", ""},
		{"yes", "message/rfc822", NULL, NONE, "", ""},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MimePart part = part_of(&cases[i]);

		g_assert_cmpint(mime_part_is_exact(&part), ==, *cases[i].why != '\0');
	}
}

static void test_text(void)
{
	static const Case cases[] = {
		{"nothing", plain, NULL, NONE, "", ""},
		{"lines", plain, NULL, NONE, "a\r\nb\nc\rd\r\n", "a\nb\nc\nd\n"},
		{"no line end", plain, NULL, NONE, "a", "a\n"},
		{"base64 too", plain, NULL, BASE64, "YQ0KYg0K", "a\nb\n"},
		{"controls", plain, NULL, NONE,
			"\x1b[31ma\a\b\x7f"
			"b\tc\xc2\x9b"
			"d",
			"[31mab\tcd\n"},
		{"C1 of its own charset", plain, "iso-8859-5", NONE,
			"\x9b"
			"31m",
			"31m\n"},
		{"what looks like it", plain, NULL, NONE, "Â \xc2\xa0 \xc3\x9b", "Â \xc2\xa0 Û\n"},
		{"only controls", plain, NULL, NONE, "\x1b\a", ""},
		{"HTML", html, NULL, QP, "<p>=E4<p><a href=3Dhttp://x>y</a>",
			"ä\n\ny <http://x>\n"},
		{"controls in references", html, NULL, NONE, "a&#27;&#x9b;b&#13;c", "a›b c\n"},
		{"its own charset", html, NULL, NONE, "<meta charset=koi8-r>\xf0", "П\n"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MimePart part = part_of(&cases[i]);
		g_autoptr(GString) text = g_string_new(NULL);

		mime_text_append(text, &part, cases[i].octets, strlen(cases[i].octets));
		if (strcmp(text->str, cases[i].expected) != 0)
			g_error("%s: \"%s\", not \"%s\"", cases[i].why, text->str,
				cases[i].expected);
		g_assert_cmpuint(text->len, <=, mime_text_bound(&part));
	}
}

/* Each after an empty line, but for the first, and for those without text. */
static void test_several(void)
{
	static const Case cases[] = {
		{"", plain, NULL, NONE, "a", ""},
		{"", plain, NULL, NONE, "", ""},
		{"", plain, NULL, NONE, "b\r\n", ""},
		{"", plain, NULL, NONE, "c\r\n\r\n", ""},
		{"", html, NULL, NONE, "<p>d", ""},
	};
	g_autoptr(GString) text = g_string_new(NULL);
	g_autoptr(GString) message = g_string_new("From: x\n\n");
	g_autoptr(GString) bare = g_string_new("\n");

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		MimePart part = part_of(&cases[i]);

		mime_text_append(text, &part, cases[i].octets, strlen(cases[i].octets));
		mime_text_append(message, &part, cases[i].octets, strlen(cases[i].octets));
		mime_text_append(bare, &part, cases[i].octets, strlen(cases[i].octets));
	}
	g_assert_cmpstr(text->str, ==, "a\n\nb\n\nc\n\nd\n");
	g_assert_cmpstr(message->str, ==, "From: x\n\na\n\nb\n\nc\n\nd\n");
	g_assert_cmpstr(bare->str, ==, "\na\n\nb\n\nc\n\nd\n");
}

/* Each byte may become three. */
static void test_bounds(void)
{
	static const Case worst = {"", plain, NULL, NONE, "\x80\x81\x80", "€\xef\xbf\xbd€"};
	MimePart part = part_of(&worst);
	g_autoptr(GBytes) content = mime_part_content(&part, worst.octets, 3);
	g_autoptr(GString) text = g_string_new("x\n");

	check_content(&worst, content);
	g_assert_cmpuint(g_bytes_get_size(content), ==, mime_part_content_bound(&part));
	mime_text_append(text, &part, worst.octets, 3);
	g_assert_cmpuint(text->len - strlen("x\n"), ==, mime_text_bound(&part));
	part.octets = G_MAXUINT64;
	g_assert_cmpuint(mime_part_content_bound(&part), >, G_MAXINT64 / 2);
	g_assert_cmpuint(mime_text_bound(&part), <, G_MAXINT64);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mime-text/content", test_content);
	g_test_add_func("/mime-text/uu-blanks", test_uu_blanks);
	g_test_add_func("/mime-text/binary", test_binary);
	g_test_add_func("/mime-text/decoded", test_decoded);
	g_test_add_func("/mime-text/exact", test_exact);
	g_test_add_func("/mime-text/text", test_text);
	g_test_add_func("/mime-text/several", test_several);
	g_test_add_func("/mime-text/bounds", test_bounds);
	return g_test_run();
}
