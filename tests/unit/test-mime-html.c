#include "mime/html.h"

#include <string.h>

typedef struct {
	const char *why, *html, *text;
} Case;

static void check(const Case *cases, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		g_autofree char *text = mime_html_text(cases[i].html, strlen(cases[i].html));

		if (strcmp(text, cases[i].text) != 0)
			g_error("%s: \"%s\", not \"%s\"", cases[i].why, text, cases[i].text);
	}
}

static void test_blocks(void)
{
	static const Case cases[] = {
		{"nothing", "", ""},
		{"no tags", "plain  text\nof lines ", "plain text of lines"},
		{"paragraphs", "<p>a b</p>\n<p>c</p>", "a b\n\nc"},
		{"paragraphs without ends", "<p>a<p>b", "a\n\nb"},
		{"lines", "a<br>b<br/>c<BR />d", "a\nb\nc\nd"},
		{"an empty line", "a<br><br>b<br><br><br><br>c", "a\n\nb\n\nc"},
		{"blocks", "<div>a</div><div>b</div>", "a\nb"},
		{"an empty block", "<div>a</div><div><br></div><div>b</div>", "a\n\nb"},
		{"a break at the end of one", "<div>a<br></div><div>b</div>", "a\nb"},
		{"a heading", "x<h1>Title</h1>y", "x\n\nTitle\n\ny"},
		{"a list", "x<ul><li>a</li><li>b<li>c</ul>y", "x\n- a\n- b\n- c\ny"},
		{"an item without text", "<ul><li></li><li>b</ul>y", "- b\ny"},
		{"inline", "a<b>b</b><i> c</i><u>d </u> e", "ab cd e"},
		{"white space around them", "a <b> b </b> c", "a b c"},
		{"no white space at line ends", "<p> a </p> <p> b </p>", "a\n\nb"},
		{"no-break spaces", "a&nbsp;&nbsp;b\xc2\xa0 c&nbsp", "a b c"},
		{"preformatted", "x<pre>\n a  b\n\n  c\n</pre>y", "x\n\n a  b\n\n  c\n\ny"},
		{"a title", "<head><title>T &amp; U</title></head><body>x", "T & U\n\nx"},
		{"a rule", "a<hr>b", "a\n\nb"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_tables(void)
{
	static const Case cases[] = {
		{"cells and rows",
			"<table><tr><th>a</th><th>b</th></tr><tr><td>c</td>\n<td>d</td></tr>"
			"</table>x",
			"a\tb\nc\td\nx"},
		{"without ends", "<table><tr><td>a<td>b<tr><td>c<td>d</table>x", "a\tb\nc\td\nx"},
		{"paragraphs in cells", "<tr><td><p>a</p></td><td><p>b</p></td></tr>", "a\tb"},
		{"lines in a cell", "<tr><td>a<br>b</td><td>c</td></tr>", "a\nb\tc"},
		{"one cell", "<table><tr><td>a</td></tr></table><table><tr><td>b", "a\nb"},
		{"an empty cell", "<tr><td> </td><td>a</td></tr>x", "a\nx"},
		{"in a cell", "<td>a<table><tr><td>b</td></tr></table></td><td>c</td>", "a\nb\nc"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_links(void)
{
	static const Case cases[] = {
		{"a link", "see <a href=\"http://x.org/y?a=1&amp;b=2\">here</a>.",
			"see here <http://x.org/y?a=1&b=2>."},
		{"the text is it", "<a href='http://x.org/y'>http://x.org/y</a>", "http://x.org/y"},
		{"but for the scheme", "<a href=https://x.org/>x.org</a>", "x.org"},
		{"in a list", "<li><a href=http://x.org>http://x.org</a>", "- http://x.org"},
		{"more than it", "<a href=http://x.org>x.or</a>", "x.or <http://x.org>"},
		{"mail", "<a href='MAILTO:a@b'>a@b</a> <a href=mailto:c@d>write</a>", "a@b write"},
		{"within the page", "<a href='#top'>up</a><a name=top>x</a>", "upx"},
		{"a program", "<a href='javascript:alert(1)'>x</a>", "x"},
		{"a picture", "<a href=http://x><img src=p alt='A  P'></a>", "A P <http://x>"},
		{"without text", "a <a href=http://x><img></a> b", "a <http://x> b"},
		{"without end", "<a href=http://x>y", "y <http://x>"},
		{"in a link", "<a href=http://x>y<a href=http://z>w</a>",
			"y <http://x>w <http://z>"},
		{"over blocks", "<a href=http://x><p>y</p></a><p>z", "y <http://x>\n\nz"},
		{"a sign that is no reference", "<a href='http://x?a&copy=1'>y</a>",
			"y <http://x?a&copy=1>"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_unseen(void)
{
	static const Case cases[] = {
		{"script", "a<script type=x>if (a</b) '<p>'</script >b", "ab"},
		{"style", "a<STYLE>p > a {}</Style>b", "ab"},
		{"script without end", "a<script>b", "a"},
		{"a comment", "a<!-- <p> > -->b<!---->c<!-->d", "abcd"},
		{"for one program", "<!--[if mso]><p>x</p><![endif]-->a<![if !mso]>b<![endif]>",
			"ab"},
		{"a comment without end", "a<!-- b > c", "a c"},
		{"instructions", "<?xml version='1.0'?><!DOCTYPE html>a", "a"},
		{"unknown tags", "<o:p>a</o:p><x-y z=\"1>2\">b", "ab"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

static void test_references(void)
{
	static const Case cases[] = {
		{"names", "&lt;&gt;&amp;&quot;&apos;&auml;&Auml;&hellip;&thetasym;", "<>&\"'äÄ…ϑ"},
		{"the last", "&zwnj;&AElig;&zwj;", "\xe2\x80\x8cÆ\xe2\x80\x8d"},
		{"numbers", "&#65;&#x42;&#X43;&#8364;&#x1F600;", "ABC€😀"},
		{"without ;", "&lt&auml &#65 &#x42", "<ä A B"},
		{"those that need it", "&hellip &unknown; & &; &# &#x; a&b",
			"&hellip &unknown; & &; &# &#x; a&b"},
		{"windows-1252", "&#128;&#150;&#129;", "€–\xef\xbf\xbd"},
		{"none", "&#0;&#xd800;&#x110000;&#99999999;",
			"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"in an attribute", "<img alt='&auml;&lt'>", "ä&lt"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

/* No text is lost for what is no HTML. */
static void test_broken(void)
{
	static const Case cases[] = {
		{"signs", "a < b > c <3 </3 <", "a < b > c <3 </3 <"},
		{"a tag without end", "a <b c d", "a <b c d"},
		{"a value without end", "a <b c=\"d>e <p>f", "a <b c=\"d>e <p>f"},
		{"nothing behind =", "a <b c= ", "a <b c="},
		{"an instruction without end", "a <!b c", "a <!b c"},
		{"an address", "A <a@b.org> wrote", "A <a@b.org> wrote"},
		{"a URL", "see <https://x.org/y>", "see <https://x.org/y>"},
		{"ends alone", "a</b></p></div>b</td></tr></pre></a></li>c", "a\n\nb\n\nc"},
		{"a tag in a tag", "<p <b>a", "a"},
		{"attributes", "<p =a b=c d = 'e' f/g \"h\">x", "x"},
	};

	check(cases, G_N_ELEMENTS(cases));
}

/* A megabyte of what makes parsers slow. */
static void test_linear(void)
{
	static const char *const pieces[][2] = {
		{"<div>", "</b>"},
		{"<b>", "</i>"},
		{"<a href=x>", "<a "},
		{"<!--", "<!--"},
		{"<a<a", "@"},
		{"&", "&#"},
		{"<script>", "</script"},
		{"<a b=\"", "<a b='"},
		{"<table><tr><td>", "</td>"},
		{"<li>", "<br>"},
		{"<", "</"},
		{"<![", "<?"},
		{"<pre>\n", "</pre>"},
		{"<a x=y ", "z=1 "},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		g_autoptr(GString) html = g_string_new(NULL);
		g_autofree char *text = NULL;

		while (html->len < 1 << 19)
			g_string_append(html, pieces[i][0]);
		while (html->len < 1 << 20)
			g_string_append(html, pieces[i][1]);
		text = mime_html_text(html->str, html->len);
		g_assert_cmpuint(strlen(text), <=, html->len);
	}
}

static void test_charset(void)
{
	static const char *const cases[][2] = {
		{"<html><head><meta charset=\"koi8-r\">", "koi8-r"},
		{"<META CHARSET = 'KOI8-R' />", "KOI8-R"},
		{"<meta name=x><meta http-equiv=Content-Type content='text/html; charset=gb2312'>",
			"gb2312"},
		{"<meta charset=utf-8", "utf-8"},
		{"<meta name=charset><p>charset=x", NULL},
		{"<meta charset=\"\">", NULL},
		{"<meta charset=", NULL},
		{"<meta charset=utf-16le>", NULL},
		{"charset=x", NULL},
		{"", NULL},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *charset = mime_html_charset(cases[i][0], strlen(cases[i][0]));

		g_assert_cmpstr(charset, ==, cases[i][1]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mime-html/blocks", test_blocks);
	g_test_add_func("/mime-html/tables", test_tables);
	g_test_add_func("/mime-html/links", test_links);
	g_test_add_func("/mime-html/unseen", test_unseen);
	g_test_add_func("/mime-html/references", test_references);
	g_test_add_func("/mime-html/broken", test_broken);
	g_test_add_func("/mime-html/linear", test_linear);
	g_test_add_func("/mime-html/charset", test_charset);
	return g_test_run();
}
