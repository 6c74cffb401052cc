#include "mime/tree.h"

#include <string.h>

#include "base/limits.h"
#include "mime-dump.h"
#include "mime/init.h"

/* ---- of structures ---- */

static char *dump_structure(const char *text, gsize len)
{
	g_autofree char *exact = g_memdup2(len > 0 ? text : "", MAX(len, 1));
	g_autoptr(MimeTree) tree = mime_tree_of_structure(exact, len);
	return mime_dump(tree);
}

static void test_structures(void)
{
	static const struct {
		const char *text, *dump;
	} cases[] = {
		/* one part */
		{"(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 12 1)",
			"1 1.txt text/plain utf-8 -t 12\n= 1"},
		{"(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 12 1 NIL NIL NIL "
		 "NIL)",
			"1 1.txt text/plain - -t 12\n= 1"},
		/* atoms, no lines, no parameters, no encoding */
		{"(TEXT HTML NIL NIL NIL NIL 12)", "1 1.html text/html - -t 12\n= 1"},
		{"(\"text\" \"plain\" () NIL NIL {6}\r\nBASE64 12 NIL (\"inline\" NIL))",
			"1 1.txt text/plain - bt 12\n= 1"},
		/* a text that is all there is, though attached */
		{"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 12 1 NIL (\"attachment\" (\"filename\" "
		 "\"a.txt\")) NIL NIL)",
			"1 1-a.txt text/plain - -ta 12\n= 1"},
		/* disposition and not languages; disposition where a server left out the rest */
		{"(\"image\" \"png\" NIL NIL NIL \"base64\" 9 NIL NIL (\"en\" "
		 "\"de\"))",
			"1 1.png image/png - b 9\n="},
		{"(\"image\" \"png\" NIL NIL NIL \"base64\" 9 (\"inline\" (\"filename\" "
		 "\"x.png\")))",
			"1 1-x.png image/png - b 9\n="},
		{"(\"image\" \"png\" NIL NIL NIL \"base64\" 9 NIL (\"attachment\"))",
			"1 1.png image/png - ba 9\n="},
		{"(\"image\" \"png\" NIL NIL NIL \"base64\" 9 NIL (\"x-odd\" NIL) NIL)",
			"1 1.png image/png - ba 9\n="},
		/* multiparts, with and without what may follow the subtype */
		{"((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)(\"text\" \"html\" NIL NIL NIL "
		 "\"7bit\" 2 1) \"alternative\" (\"boundary\" \"b\") NIL NIL)",
			"1 1.txt text/plain - -t 3\n2 2.html text/html - -t 2\n= 1"},
		{"(((\"text\" \"html\" NIL NIL NIL \"7bit\" 2 1)(\"image\" \"gif\" (\"NAME\" "
		 "\"a\") NIL "
		 "NIL \"base64\" 3) \"RELATED\") (\"application\" \"pdf\" NIL NIL NIL \"base64\" 4 "
		 "NIL "
		 "(\"attachment\" (\"filename\" \"report.pdf\")) NIL) \"MIXED\")",
			"1.1 1.1.html text/html - -t 2\n1.2 1.2-a image/gif - ba 3\n"
			"2 2-report.pdf application/pdf - ba 4\n= 1.1"},
		/* a message in a multipart, with one part and with several */
		{"((\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)(\"message\" \"rfc822\" NIL NIL "
		 "NIL "
		 "\"7bit\" 100 (NIL \"=?utf-8?q?Caf=C3=A9?=\" NIL NIL NIL NIL NIL NIL NIL NIL) "
		 "(\"text\" "
		 "\"plain\" NIL NIL NIL \"7bit\" 2 1) 9)(\"message\" \"rfc822\" (\"name\" "
		 "\"fwd.eml\") "
		 "NIL NIL NIL 200 (\"d\" NIL NIL NIL NIL NIL NIL NIL NIL NIL) ((\"text\" \"plain\" "
		 "NIL NIL "
		 "NIL \"7bit\" 3 1)(\"a\" \"b\" NIL NIL NIL NIL 4) \"mixed\") 9 NIL "
		 "(\"attachment\" "
		 "NIL)) \"mixed\")",
			"1 1.txt text/plain - -t 1\n2 2-Caf\303\251.eml message/rfc822 - -m 100\n"
			"2.1 2.1.txt text/plain - -t 2\n3 3-fwd.eml message/rfc822 - -am 200\n"
			"3.1 3.1.txt text/plain - -t 3\n3.2 3.2.bin a/b - - 4\n= 1"},
		/* a message that is all of the message, and one that the server did not look into
		 */
		{"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 90 (NIL \"S/T\" NIL NIL NIL NIL NIL "
		 "NIL NIL "
		 "NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 2 1) 9)",
			"1 1-S_T.eml message/rfc822 - -m 90\n1.1 1.1.txt text/plain - -t 2\n= 1.1"},
		{"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 90 NIL (\"attachment\" NIL) NIL)",
			"1 1.eml message/rfc822 - -am 90\n="},
		/* an encoded message has no parts of its own */
		{"(\"message\" \"rfc822\" NIL NIL NIL \"base64\" 90 (NIL NIL NIL NIL NIL NIL NIL "
		 "NIL NIL "
		 "NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 2 1) 9 NIL (\"attachment\" "
		 "(\"filename\" "
		 "\"m.eml\")))",
			"1 1-m.eml message/rfc822 - ba 90\n="},
		/* names as they come */
		{"(\"a\" \"b\" (\"name*0\" \"re\" \"name*1\" \"port.pdf\") NIL NIL NIL 1)",
			"1 1-report.pdf a/b - -a 1\n="},
		{"(\"a\" \"b\" (\"name*1*\" \"%AC.pdf\" \"name*0*\" \"UTF-8''%E2%82\") NIL NIL NIL "
		 "1)",
			"1 1-\342\202\254.pdf a/b - -a 1\n="},
		{"(\"a\" \"b\" (\"name\" {5}\r\n\"a)\\.) NIL NIL NIL 1)",
			"1 1-\"a)_. a/b - -a 1\n="},
		/* a part of type text, as it may not be */
		{"(\"text\" NIL NIL NIL NIL NIL 1)", "1 1.txt text/plain - -t 1\n= 1"},
		{"(\"te xt\" \"pl\\\"ain\" NIL NIL NIL NIL 1)", "1 1.txt text/plain - -t 1\n= 1"},
		{"(\"blorb\" \"\" NIL NIL NIL \"7bit\" 6 NIL NIL NIL NIL)",
			"1 1.txt text/plain - -t 6\n= 1"},
		{"(\"pdf\" \"\" (\"name\" \"a.pdf\") NIL NIL \"7bit\" 6 NIL NIL NIL NIL)",
			"1 1-a.pdf application/octet-stream - -a 6\n="},
		/* what is no structure, contradicts itself, or is no help */
		{"", "none"},
		{"NIL", "none"},
		{"()", "none"},
		{"(())", "none"},
		{"(NIL \"mixed\")", "none"},
		{"(\"text\" \"plain\" NIL NIL NIL \"7bit\" NIL 1)", "none"},
		{"(\"text\" \"plain\" NIL NIL NIL \"7bit\" -1 1)", "none"},
		{"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 99999999999999999999 1)", "none"},
		{"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1) x", "none"},
		{"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1", "none"},
		{"(\"text\" \"plain\" (\"charset\" {99999}\r\nutf-8) NIL NIL \"7bit\" 1 1)",
			"none"},
		{"(\"text\" \"plain\" (\"charset\" {99999999999999999999}\r\nutf-8) NIL NIL NIL 1)",
			"none"},
		{"(\"multipart\" \"mixed\" (\"boundary\" \"b\") NIL NIL \"7bit\" 1)", "none"},
		{"(\"\" \"\" NIL NIL NIL \"7bit\" 1)", "none"},
		/* multiparts in which the server found nothing */
		{"((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")",
			"none"},
		{"((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)((\"text\" \"plain\" NIL NIL NIL "
		 "\"7bit\" 0 0) \"mixed\") \"mixed\")",
			"none"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *dump = dump_structure(cases[i].text, strlen(cases[i].text));
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpstr(dump, ==, cases[i].dump);
	}
}

static void test_truncated_structures(void)
{
	static const char text[] =
		"((\"text\" \"plain\" (\"charset\" {5}\r\nutf-8) NIL NIL \"7bit\" 1 1)(\"message\" "
		"\"rfc822\" NIL NIL NIL \"7bit\" 100 (NIL \"s\" NIL) (\"text\" \"plain\" NIL NIL "
		"NIL "
		"\"7bit\" 2 1) 9 NIL (\"inline\" (\"filename\" \"a\\\"b\")) NIL) \"mixed\")";
	g_autofree char *whole = dump_structure(text, strlen(text));
	g_assert_cmpstr(whole, ==,
		"1 1.txt text/plain utf-8 -t 1\n2 2-a\"b message/rfc822 - -m 100\n"
		"2.1 2.1.txt text/plain - -t 2\n= 1");
	for (gsize len = 0; len < strlen(text); len++) {
		g_autofree char *dump = dump_structure(text, len);
		g_assert_cmpstr(dump, ==, "none");
	}
}

static GString *nested_structure(guint depth)
{
	GString *text = g_string_new(NULL);
	for (guint i = 0; i < depth; i++)
		g_string_append_c(text, '(');
	g_string_append(text, "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)");
	for (guint i = 0; i < depth; i++)
		g_string_append(text, " \"mixed\")");
	return text;
}

static void test_deep_structures(void)
{
	g_autoptr(GString) deep = nested_structure(20);
	g_autoptr(MimeTree) tree = mime_tree_of_structure(deep->str, deep->len);
	g_assert_cmpstr(
		mime_tree_part(tree, 0)->section, ==, "1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1");
	g_autoptr(GString) too_deep = nested_structure(100000);
	g_assert_null(mime_tree_of_structure(too_deep->str, too_deep->len));
}

static GString *wide_structure(guint parts)
{
	GString *text = g_string_new("(");
	for (guint i = 0; i < parts; i++)
		g_string_append(text, "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 1 1)");
	g_string_append(text, " \"mixed\")");
	return text;
}

static void test_wide_structures(void)
{
	g_autoptr(GString) wide = wide_structure(LIMIT_PARTS);
	g_autoptr(MimeTree) tree = mime_tree_of_structure(wide->str, wide->len);
	g_assert_cmpuint(mime_tree_count(tree), ==, LIMIT_PARTS);
	g_assert_cmpint(mime_tree_find(tree, "1000.txt"), ==, LIMIT_PARTS - 1);
	g_assert_cmpint(mime_tree_find(tree, "1001.txt"), ==, -1);
	guint n;
	mime_tree_readable(tree, &n);
	g_assert_cmpuint(n, ==, LIMIT_READABLE_PARTS);
	g_autoptr(GString) too_wide = wide_structure(LIMIT_PARTS + 1);
	g_assert_null(mime_tree_of_structure(too_wide->str, too_wide->len));
}

/* ---- of messages ---- */

/* Each part lies where it is said to. */
static void check_places(const MimeTree *tree, gsize len)
{
	const MimePart *part;
	for (guint i = 0; (part = mime_tree_part(tree, i)); i++) {
		g_assert_cmpuint(part->offset, <=, len);
		g_assert_cmpuint(part->octets, <=, len - part->offset);
	}
}

static char *dump_message(const char *message, gsize len)
{
	g_autofree char *exact = g_memdup2(len > 0 ? message : "", MAX(len, 1));
	g_autoptr(MimeTree) tree = mime_tree_of_message(exact, len);
	check_places(tree, len);
	return mime_dump(tree);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static void test_messages(void)
{
	static const struct {
		const char *message, *dump;
	} cases[] = {
		/* hardly a message */
		{"", "1 1.txt text/plain - -t 0\n= 1"},
		{"\n", "1 1.txt text/plain - -t 0\n= 1"},
		{"\r\nbody", "1 1.txt text/plain - -t 4\n= 1"},
		{"no header at all", "1 1.txt text/plain - -t 0\n= 1"},
		{"Subject: s\n", "1 1.txt text/plain - -t 0\n= 1"},
		{"From ada Mon Jan  1\nSubject: s\n\nbody\n", "1 1.txt text/plain - -t 5\n= 1"},
		/* one part */
		{"Content-Type: TEXT/HTML;\r\n charset=\"koi8-r\" "
		 "(c)\r\nContent-Transfer-Encoding: "
		 "Quoted-Printable (c)\r\n\r\nab",
			"1 1.html text/html koi8-r qt 2\n= 1"},
		{"content-type : image/png ; NAME = a "
		 "b.png\ncontent-transfer-encoding:x-uuencode\n\nab",
			"1 1-a b.png image/png - ua 2\n="},
		{"Content-Type: text\n\nab", "1 1.txt text/plain - -t 2\n= 1"},
		{"Content-Type: text/plain charset=utf-8\n\nab",
			"1 1.txt text/plain utf-8 -t 2\n= 1"},
		{"Content-Type: text/plain; charset=\"utf-8\n\nab",
			"1 1.txt text/plain utf-8 -t 2\n= 1"},
		{"Content-Type: ; name=a.zip\n\nab",
			"1 1-a.zip application/octet-stream - -a 2\n="},
		{"Content-Type: blorb\n\nab", "1 1.txt text/plain - -t 2\n= 1"},
		{"Content-Type: a/b/c\n\nab", "1 1.txt text/plain - -t 2\n= 1"},
		{"Content-Type: a/b\nContent-Type: text/plain\n\nab", "1 1.bin a/b - - 2\n="},
		/* multiparts: preamble, epilogue, white space behind the boundary */
		{MIXED "preamble\n--b \n\none\n--b\nContent-Type: a/b\n\ntwo\n--b--\nepilogue",
			"1 1.txt text/plain - -t 3\n2 2.bin a/b - - 3\n= 1"},
		{"Content-Type: multipart/mixed; boundary=\"\344\"\n\n--\344\n\none\n--\344--\n",
			"1 1.txt text/plain - -t 3\n= 1"},
		{MIXED "--b\r\n\r\none\r\n\r\n--b\r\n\r\n--b--\r\n",
			"1 1.txt text/plain - -t 5\n2 2.txt text/plain - -t 0\n= 1 2"},
		/* no end; no empty line; a boundary cut off */
		{MIXED "--b\n\none\n", "1 1.txt text/plain - -t 4\n= 1"},
		{MIXED "--b\nX: y\n--b\n\ntwo\n--b--", "1 1.txt text/plain - -t 0\n"
						       "2 2.txt text/plain - -t 3\n= 1 2"},
		{MIXED "--b\n\none\n--b", "1 1.txt text/plain - -t 3\n= 1"},
		/* a multipart that has no parts is a text */
		{MIXED "nothing\n", "1 1.txt text/plain - -t 8\n= 1"},
		{MIXED "--b--\n", "1 1.txt text/plain - -t 6\n= 1"},
		{"Content-Type: multipart/mixed\n\nnothing\n", "1 1.txt text/plain - -t 8\n= 1"},
		/* one in another, whose boundary begins with the outer one, and that has no end */
		{MIXED "--b\nContent-Type: multipart/alternative; "
		       "boundary=\"bb\"\n\n--bb\n\none\n--bb\n"
		       "Content-Type: text/html\n\ntwo\n--b\n\nthree\n--b--\n",
			"1.1 1.1.txt text/plain - -t 3\n1.2 1.2.html text/html - -t 3\n"
			"2 2.txt text/plain - -t 5\n= 1.1 2"},
		/* messages in it: with one part, with several, none at all */
		{MIXED "--b\nContent-Type: message/rfc822\n\nSubject: a\n "
		       "b\n\none\n--b\nContent-Type: "
		       "message/rfc822; name=x.eml\n\nContent-Type: multipart/mixed; "
		       "boundary=c\n\n--c\n\n"
		       "two\n--c\n\nthree\n--c--\n--b\nContent-Type: message/rfc822\n\n--b--\n",
			"1 1-a b.eml message/rfc822 - -m 18\n1.1 1.1.txt text/plain - -t 3\n"
			"2 2-x.eml message/rfc822 - -am 69\n2.1 2.1.txt text/plain - -t 3\n"
			"2.2 2.2.txt text/plain - -t 5\n3 3.eml message/rfc822 - -m 0\n"
			"3.1 3.1.txt text/plain - -t 0\n="},
		{"Content-Type: message/rfc822\n\nSubject: s\nContent-Type: multipart/mixed; "
		 "boundary=c\n\n--c\n\none\n--c--\n",
			"1 1-s.eml message/rfc822 - -m 69\n1.1 1.1.txt text/plain - -t 3\n= 1.1"},
		{"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nUzog",
			"1 1.eml message/rfc822 - b 4\n="},
		{"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: s\n\none\n--b--\n",
			"1 1-s.eml message/rfc822 - -m 15\n1.1 1.1.txt text/plain - -t 3\n="},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *dump = dump_message(cases[i].message, strlen(cases[i].message));
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpstr(dump, ==, cases[i].dump);
	}
}

static void test_readable(void)
{
	static const struct {
		const char *type, *second, *third, *readable;
	} cases[] = {
		{"mixed", "text/plain", "text/plain", "= 1 2 3"},
		{"mixed", "text/html", "image/png", "= 1 2"},
		{"mixed", "text/plain; name=a.txt", "text/plain", "= 1 3"},
		{"mixed", "text/plain\nContent-Disposition: attachment", "text/plain", "= 1 3"},
		{"mixed", "text/plain; name=a.txt\nContent-Disposition: inline", "text/x-diff",
			"= 1 2 3"},
		{"alternative", "text/html", "text/html", "= 1"},
		{"related", "text/html", "text/plain", "= 1"},
		{"signed", "application/pgp-signature", "a/b", "= 1"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message =
			g_strdup_printf("Content-Type: multipart/%s; "
					"boundary=b\n\n--b\n\none\n--b\nContent-Type: %s\n\ntwo\n"
					"--b\nContent-Type: %s\n\nthree\n--b--\n",
				cases[i].type, cases[i].second, cases[i].third);
		g_autofree char *dump = dump_message(message, strlen(message));
		g_assert_cmpstr(strchr(dump, '='), ==, cases[i].readable);
	}
	static const struct {
		const char *type, *first, *second, *readable;
	} pairs[] = {
		{"alternative", "text/calendar", "text/html", "= 2"},
		{"alternative", "text/html", "text/plain", "= 2"},
		{"related", "text/html", "text/plain", "= 1"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
		g_autofree char *message = g_strdup_printf(
			"Content-Type: multipart/%s; boundary=b\n\n--b\nContent-Type: %s\n\none\n"
			"--b\nContent-Type: %s\n\ntwo\n--b--\n",
			pairs[i].type, pairs[i].first, pairs[i].second);
		g_autofree char *dump = dump_message(message, strlen(message));
		g_assert_cmpstr(strchr(dump, '='), ==, pairs[i].readable);
	}
}

/* An alternative that says nothing does not take the place of one that does. */
static void test_blank_is_not_readable(void)
{
	static const struct {
		const char *type, *encoding, *body, *readable;
	} cases[] = {
		{"alternative", "7bit", "", "= 2"},
		{"alternative", "7bit", "\r\n", "= 2"},
		{"alternative", "base64", "DQo=\r\n", "= 2"},
		{"alternative", "quoted-printable", "=20\r\n", "= 2"},
		{"alternative", "7bit", "yes", "= 1"},
		{"alternative", "base64", "eWVzIQ==", "= 1"},
		{"mixed", "7bit", "\r\n", "= 1 2"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *message =
			g_strdup_printf("Content-Type: multipart/%s; boundary=b\n\n--b\n"
					"Content-Transfer-Encoding: %s\n\n%s\n"
					"--b\nContent-Type: text/html\n\n<p>two\n--b--\n",
				cases[i].type, cases[i].encoding, cases[i].body);
		g_autofree char *dump = dump_message(message, strlen(message));
		g_assert_cmpstr(strchr(dump, '='), ==, cases[i].readable);
	}
}

static void test_nul_bytes(void)
{
	static const char message[] = "Content-Type: text/plain; name=\"a\0b\"\0\n\0: x\n\n\0b\0";
	g_autofree char *dump = dump_message(message, sizeof(message) - 1);
	g_assert_nonnull(strstr(dump, " text/plain "));
	static const char structure[] = "(\"text\" \"pl\0in\" (\"name\" \"a\0b\") NIL NIL NIL 1)";
	g_autofree char *other = dump_structure(structure, sizeof(structure) - 1);
	g_assert_cmpstr(other, ==, "1 1-ab text/pl - -ta 1\n= 1");
}

/* What is too deep is one part; so is what comes behind as many as there may be. */
static void test_deep_messages(void)
{
	g_autoptr(GString) message = g_string_new(NULL);
	for (guint i = 0; i < 10000; i++)
		g_string_append_printf(
			message, "Content-Type: multipart/mixed; boundary=b%u.\n\n--b%u.\n", i, i);
	g_autoptr(MimeTree) tree = mime_tree_of_message(message->str, message->len);
	check_places(tree, message->len);
	const MimePart *part = mime_tree_part(tree, 0);
	g_assert_cmpuint(mime_tree_count(tree), ==, 1);
	g_assert_cmpuint(strlen(part->name), <, 200);
	g_assert_cmpuint(part->octets, >, 9900 * 40);
}

static void test_wide_messages(void)
{
	g_autoptr(GString) message = g_string_new(MIXED);
	for (guint i = 0; i <= LIMIT_PARTS; i++)
		g_string_append_printf(message, "--b\n\npart %u\n", i + 1);
	g_string_append(message, "--b--\nend");
	g_autoptr(MimeTree) tree = mime_tree_of_message(message->str, message->len);
	check_places(tree, message->len);
	g_assert_cmpuint(mime_tree_count(tree), ==, LIMIT_PARTS);
	const MimePart *last = mime_tree_part(tree, LIMIT_PARTS - 1);
	g_assert_true(g_str_has_prefix(message->str + last->offset, "part 1000\n"));
	g_assert_cmpuint(last->offset + last->octets, ==, message->len);
}

/* The first part has a decoded name, a late one not. */
static void check_words(const MimeTree *tree, guint late)
{
	g_assert_nonnull(strstr(mime_tree_part(tree, 0)->name, "ППП"));
	g_assert_nonnull(strstr(mime_tree_part(tree, late)->name, "=?koi8-r?q?=F0?="));
}

/* Who puts words of another charset into each of many names is not followed to the last. */
static void test_words_have_a_bound(void)
{
	enum { NAMED = 900, MESSAGES = 450 };
	g_autoptr(GString) words = g_string_new(NULL);
	g_autoptr(GString) named = g_string_new(MIXED);
	g_autoptr(GString) messages = g_string_new(MIXED);
	g_autoptr(GString) structure = g_string_new("(");
	for (guint i = 0; i < 20; i++)
		g_string_append(words, "=?koi8-r?q?=F0?= ");
	for (guint i = 0; i < NAMED; i++)
		g_string_append_printf(
			named, "--b\nContent-Type: a/b; name=\"%s\"\n\n", words->str);
	for (guint i = 0; i < MESSAGES; i++) {
		g_string_append_printf(messages,
			"--b\nContent-Type: message/rfc822\n\nSubject: %s\n\n", words->str);
		g_string_append_printf(structure,
			"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 9 (NIL \"%s\" NIL NIL NIL "
			"NIL NIL NIL NIL NIL) (\"text\" \"plain\" NIL NIL NIL \"7bit\" 0) 1)",
			words->str);
	}
	g_string_append(structure, " \"mixed\")");
	g_autoptr(MimeTree) of_names = mime_tree_of_message(named->str, named->len);
	g_autoptr(MimeTree) of_messages = mime_tree_of_message(messages->str, messages->len);
	g_autoptr(MimeTree) of_structure = mime_tree_of_structure(structure->str, structure->len);
	check_words(of_names, NAMED - 1);
	check_words(of_messages, 2 * (MESSAGES - 1));
	check_words(of_structure, 2 * (MESSAGES - 1));
}

/* Of a message that is well formed both trees are the same. */
static void test_both(void)
{
	static const char message[] =
		"Subject: all\r\nContent-Type: multipart/mixed; boundary=\"a\"\r\n\r\n--a\r\n"
		"Content-Type: multipart/alternative; "
		"boundary=\"b\"\r\n\r\n--b\r\n\r\none\r\n--b\r\n"
		"Content-Type: text/html; "
		"charset=utf-8\r\n\r\n<p>\r\n--b--\r\n\r\n--a\r\nContent-Type: "
		"image/png\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: "
		"attachment;\r\n "
		"filename*0*=utf-8''caf%C3;\r\n "
		"filename*1*=%A9.png\r\n\r\nAAAA\r\n--a\r\nContent-Type: "
		"message/rfc822\r\n\r\nSubject: =?utf-8?b?w7w=?=\r\n "
		"=?utf-8?q?ber?=\r\n\r\nin\r\n--a--"
		"\r\n";
	static const char structure[] =
		"(((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 3 0 NIL NIL NIL "
		"NIL)"
		"(\"text\" \"html\" (\"charset\" \"utf-8\") NIL NIL \"7bit\" 3 0 NIL NIL NIL NIL) "
		"\"alternative\" (\"boundary\" \"b\") NIL NIL NIL)(\"image\" \"png\" NIL NIL NIL "
		"\"base64\" 4 NIL (\"attachment\" (\"filename*\" \"utf-8''caf%C3%A9.png\")) NIL "
		"NIL)"
		"(\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 49 (NIL \"=?utf-8?b?w7w=?= "
		"=?utf-8?q?ber?=\" NIL NIL NIL NIL NIL NIL NIL NIL) (\"text\" \"plain\" "
		"(\"charset\" "
		"\"us-ascii\") NIL NIL \"7bit\" 2 0 NIL NIL NIL NIL) 4 NIL NIL NIL NIL) \"mixed\" "
		"(\"boundary\" \"a\") NIL NIL NIL)";
	g_autofree char *of_message = dump_message(message, strlen(message));
	g_autofree char *of_structure = dump_structure(structure, strlen(structure));
	g_assert_cmpstr(of_message, ==, of_structure);
	g_assert_cmpstr(of_message, ==,
		"1.1 1.1.txt text/plain - -t 3\n1.2 1.2.html text/html utf-8 -t 3\n"
		"2 2-caf\303\251.png image/png - ba 4\n3 3-\303\274ber.eml message/rfc822 - -m 49\n"
		"3.1 3.1.txt text/plain - -t 2\n= 1.1");
}

/* ---- names ---- */

static char *name_of(const char *disposition)
{
	g_autofree char *message =
		g_strdup_printf("Content-Type: application/pdf\nContent-Disposition: "
				"attachment; %s\n\nx",
			disposition);
	g_autoptr(MimeTree) tree = mime_tree_of_message(message, strlen(message));
	return g_strdup(mime_tree_part(tree, 0)->name);
}

static void test_names(void)
{
	static const char *const cases[][2] = {
		{"filename=report.pdf", "1-report.pdf"},
		{"filename=\"../../x\"", "1-.._.._x"},
		{"filename=/etc/passwd", "1-_etc_passwd"},
		{"filename=\"C:\\\\x\"", "1-C:_x"},
		{"filename=\"\"", "1.pdf"},
		{"filename=\".\"", "1.pdf"},
		{"filename=\" .. \"", "1.pdf"},
		{"filename=\"  a \t  b  \"", "1-a b"},
		{"filename=\".bashrc\"", "1-.bashrc"},
		{"filename*=utf-8''a%00b%0Ac%1b%7f.pdf", "1-ab c .pdf"},
		{"filename*=utf-8''a%E2%80%AEfdp.exe", "1-afdp.exe"},
		{"filename*=utf-8''%E2%81%A6a%E2%81%A9", "1-a"},
		{"filename*=utf-8''a%2Fb", "1-a_b"},
		{"filename*=iso-8859-15''%A4", "1-\342\202\254"},
		{"filename*=unknown''%E2%82%AC", "1-\342\202\254"},
		{"filename*=''caf%C3%A9", "1-caf\303\251"},
		{"filename*=%41", "1-A"},
		{"filename=\"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=.pdf\"", "1-\342\202\254.pdf"},
		{"filename*0=\"=?utf-8?Q?caf=C3\"; filename*1=\"=A9?=\"", "1-caf\303\251"},
		{"filename==?utf-8?Q?caf=C3=A9?=", "1-caf\303\251"},
		{"filename=\"caf\351\"", "1-caf\303\251"},
		{"filename=\"caf\303\251\"", "1-caf\303\251"},
		{"filename=\"caf\351.pdf\"", "1-caf\303\251.pdf"},
		{"filename*=utf-8''caf%E9", "1-caf\303\251"},
		{"filename*=shift_jis''%87%40", "1-\342\221\240"},
		{"filename*1*=%AC; filename*0*=utf-8''%E2%82", "1-\342\202\254"},
		{"filename*2=c; filename*0=a; filename*1*=%62; filename*1=x", "1-abc"},
		{"filename=plain; filename*=utf-8''better", "1-better"},
		{"filename=\"a;b\"", "1-a;b"},
		{"name=x.pdf", "1-x.pdf"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *name = name_of(cases[i][0]);
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpstr(name, ==, cases[i][1]);
	}
}

static void test_long_names(void)
{
	for (gsize length = 80; length < 100; length++) {
		g_autoptr(GString) given = g_string_new("filename=\"");
		for (gsize i = 0; i < length; i++)
			g_string_append(given, i % 2 ? "\342\202\254" : "a\302\242");
		g_string_append(given, ".docx\"");
		g_autofree char *name = name_of(given->str);
		g_assert_cmpuint(strlen(name), <=, 255);
		g_assert_cmpuint(strlen(name), >=, 240);
		g_assert_true(g_utf8_validate(name, -1, NULL));
		g_assert_true(g_str_has_suffix(name, ".docx"));
	}
}

static void test_twice(void)
{
	static const char message[] =
		MIXED "--b\nContent-Type: a/b; name=x\n\n--b\nContent-Type: a/b; "
		      "name=x\n\n--b--\n";
	g_autoptr(MimeTree) tree = mime_tree_of_message(message, strlen(message));
	g_assert_cmpint(mime_tree_find(tree, "1-x"), ==, 0);
	g_assert_cmpint(mime_tree_find(tree, "2-x"), ==, 1);
	g_assert_cmpint(mime_tree_find(tree, "x"), ==, -1);
	g_assert_null(mime_tree_part(tree, 2));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	mime_init();
	g_test_add_func("/mime-tree/structures", test_structures);
	g_test_add_func("/mime-tree/structures/truncated", test_truncated_structures);
	g_test_add_func("/mime-tree/structures/deep", test_deep_structures);
	g_test_add_func("/mime-tree/structures/wide", test_wide_structures);
	g_test_add_func("/mime-tree/messages", test_messages);
	g_test_add_func("/mime-tree/messages/readable", test_readable);
	g_test_add_func("/mime-tree/messages/blank", test_blank_is_not_readable);
	g_test_add_func("/mime-tree/messages/nul", test_nul_bytes);
	g_test_add_func("/mime-tree/messages/deep", test_deep_messages);
	g_test_add_func("/mime-tree/messages/wide", test_wide_messages);
	g_test_add_func("/mime-tree/both", test_both);
	g_test_add_func("/mime-tree/words", test_words_have_a_bound);
	g_test_add_func("/mime-tree/names", test_names);
	g_test_add_func("/mime-tree/names/long", test_long_names);
	g_test_add_func("/mime-tree/names/twice", test_twice);
	return g_test_run();
}
