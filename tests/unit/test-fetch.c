#include "replay.h"

#include "imap/date.h"

static const Transcript items[] = {
	{"attributes",
		"* 12 FETCH (UID 57 FLAGS (\\Seen $Forwarded) INTERNALDATE \"17-Jul-1996 02:44:25 "
		"-0700\" "
		"RFC822.SIZE 4286 MODSEQ (624140003))\r\n",
		"FETCH seq=12 uid=57 flags=(\\Seen $Forwarded) date=837596665 size=4286 "
		"modseq=624140003\n"},
	{"lower-case-and-spaces", "* 1 fetch  (  uid  5\tflags ()  rfc822.size 1 ) \r\n",
		"FETCH seq=1 uid=5 flags=() size=1\n"},
	{"no-space-before-list", "* 1 FETCH(UID 5 FLAGS(\\Seen))\r\n",
		"FETCH seq=1 uid=5 flags=(\\Seen)\n"},
	{"courier-zero", "* 0 FETCH (UID 5)\r\n", "FETCH seq=0 uid=5\n"},
	{"uid-absurd",
		"* 1 FETCH (UID 0 RFC822.SIZE 1)\r\n* 1 FETCH (UID 4294967296 RFC822.SIZE 1)\r\n"
		"* 1 FETCH (UID 4294967295)\r\n* 1 FETCH (UID -1 RFC822.SIZE 1)\r\n",
		"FETCH seq=1 size=1\nFETCH seq=1 size=1\nFETCH seq=1 uid=4294967295\n"
		"FETCH seq=1 size=1\n"},
	{"size-absurd",
		"* 1 FETCH (RFC822.SIZE -5 UID 1)\r\n* 1 FETCH (RFC822.SIZE NIL UID 1)\r\n"
		"* 1 FETCH (RFC822.SIZE 9223372036854775808 UID 1)\r\n"
		"* 1 FETCH (RFC822.SIZE 5368709120 UID 1)\r\n* 1 FETCH (RFC822.SIZE (1) UID 1)\r\n",
		"FETCH seq=1 uid=1\nFETCH seq=1 uid=1\nFETCH seq=1 uid=1\n"
		"FETCH seq=1 uid=1 size=5368709120\nFETCH seq=1 uid=1\n"},
	{"modseq-absurd",
		"* 1 FETCH (MODSEQ (-1) UID 1)\r\n* 1 FETCH (MODSEQ (1.5) UID 1)\r\n"
		"* 1 FETCH (MODSEQ () UID 1)\r\n* 1 FETCH (MODSEQ NIL UID 1)\r\n"
		"* 1 FETCH (MODSEQ (0) UID 1)\r\n* 1 FETCH (MODSEQ (1 2) UID 1)\r\n",
		"FETCH seq=1 uid=1\nFETCH seq=1 uid=1\nFETCH seq=1 uid=1\nFETCH seq=1 uid=1\n"
		"FETCH seq=1 uid=1\nFETCH seq=1 uid=1\n"},
	{"date-absurd",
		"* 1 FETCH (INTERNALDATE NIL UID 1)\r\n* 1 FETCH (INTERNALDATE \"\" UID 1)\r\n"
		"* 1 FETCH (INTERNALDATE \"31-Feb-2026 00:00:00 +0000\" UID 1)\r\n"
		"* 1 FETCH (INTERNALDATE {26}\r\n 1-Jan-1970 00:00:00 +0000 UID 1)\r\n",
		"FETCH seq=1 uid=1\nFETCH seq=1 uid=1\nFETCH seq=1 uid=1\n"
		"FETCH seq=1 uid=1 date=0\n"},
	{"flags-odd",
		"* 1 FETCH (FLAGS NIL UID 1)\r\n* 1 FETCH (FLAGS (NIL \\Seen) UID 1)\r\n"
		"* 1 FETCH (FLAGS (a]b [c] \"d e\" {3}\r\nf g) UID 1)\r\n"
		"* 1 FETCH (FLAGS (\\Seen (x)) UID 1)\r\n* 1 FETCH (FLAGS \\Seen UID 1)\r\n",
		"FETCH seq=1 uid=1\nFETCH seq=1 uid=1 flags=(\\Seen)\n"
		"FETCH seq=1 uid=1 flags=(a]b [c] d e f g)\nFETCH seq=1 uid=1 flags=(\\Seen)\n"
		"FETCH seq=1 uid=1\n"},
	{"odd-count",
		"* 1 FETCH (UID)\r\n* 1 FETCH (UID 5 FLAGS)\r\n* 1 FETCH ()\r\n* 1 FETCH (UID 5\r\n"
		"* 1 FETCH\r\n* 1 FETCH NIL\r\n* 1 FETCH (UID 5 FLAGS (\\Seen\r\n"
		"* 1 FETCH (FLAGS RFC822.SIZE UID 5 MODSEQ)\r\n",
		"FETCH seq=1\nFETCH seq=1 uid=5\nFETCH seq=1\nFETCH seq=1 uid=5\nOTHER\nOTHER\n"
		"FETCH seq=1 uid=5\nFETCH seq=1 uid=5\n"},
	{"unknown-items",
		"* 1 FETCH (X-A 1 UID 5 X-B (a (b \"c)\" {1}\r\n() d) X-C \"]\\\"\" X-D NIL FLAGS "
		"())\r\n",
		"FETCH seq=1 uid=5 flags=()\n"},
	{"gmail",
		"* 1 FETCH (X-GM-THRID 1278455344230334865 X-GM-LABELS (\"\\\\Inbox\" \"a b\" "
		"\\Sent) "
		"UID 5)\r\n",
		"FETCH seq=1 uid=5\n"},
	{"twice-the-first-holds",
		"* 1 FETCH (UID 5 FLAGS (a) UID 6 FLAGS (b c RFC822.SIZE 1)\r\n"
		"* 1 FETCH (FLAGS (\\Seen) FLAGS (\\Draft))\r\n",
		"FETCH seq=1 uid=5 flags=(a)\nFETCH seq=1 flags=(\\Seen)\n"},
	{"envelope",
		"* 1 FETCH (ENVELOPE (\"Mon, 1 Jan 2026\" \"{5}\" ((\"A\" NIL \"a\" \"b\")) NIL "
		"NIL NIL "
		"NIL NIL NIL {5}\r\n<a@b>) UID 5)\r\n",
		"FETCH seq=1 uid=5\n"},
	{"bodystructure",
		"* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)(\"a\" "
		"{3}\r\n(b\" "
		"(\"x\" \")\")) \"mixed\") UID 5)\r\n",
		"FETCH seq=1 uid=5 structure=<((\"text\" \"plain\" NIL NIL NIL \"7bit\" 5 1)"
		"(\"a\" {3}%0D%0A(b\" (\"x\" \")\")) \"mixed\")>\n"},
	{"bodystructure-odd",
		"* 1 FETCH (BODYSTRUCTURE NIL UID 5)\r\n* 1 FETCH (BODY (\"text\") UID 5)\r\n"
		"* 1 FETCH (BODYSTRUCTURE (\"a\"\"b\") UID 5)\r\n* 1 FETCH (UID 5 BODYSTRUCTURE "
		"(\"a)\r\n",
		"FETCH seq=1 uid=5\nFETCH seq=1 uid=5\nFETCH seq=1 uid=5 structure=<(\"a\"\"b\")>\n"
		"FETCH seq=1 uid=5\n"},
};

static const Transcript bodies[] = {
	{"whole-uid-before", "* 1 FETCH (UID 5 BODY[] {13}\r\nA: b\r\n\r\n{5}\r\n)\r\n",
		"begin seq=1 uid=5 section=<> size=13\nbytes data=<A: b%0D%0A%0D%0A{5}%0D%0A>\n"
		"FETCH seq=1 uid=5 body section=<> streamed=13\n"},
	{"uid-after", "* 3 FETCH (BODY[] {2}\r\nhi UID 7 FLAGS (\\Seen))\r\n",
		"begin seq=3 uid=0 section=<> size=2\nbytes data=<hi>\n"
		"FETCH seq=3 uid=7 flags=(\\Seen) body section=<> streamed=2\n"},
	{"partial", "* 1 FETCH (UID 5 BODY[]<1024> {2}\r\nhi)\r\n",
		"begin seq=1 uid=5 section=<> origin=1024 size=2\nbytes data=<hi>\n"
		"FETCH seq=1 uid=5 body section=<> origin=1024 streamed=2\n"},
	{"several",
		"* 1 FETCH (BODY[HEADER] {4}\r\nA: b UID 5 BODY[1.2.MIME]<0> {1}\r\nx BINARY[3] "
		"~{3}\r\n"
		"y)\t)\r\n",
		"begin seq=1 uid=0 section=<HEADER> size=4\nbytes data=<A: b>\n"
		"begin seq=1 uid=5 section=<1.2.MIME> origin=0 size=1\nbytes data=<x>\n"
		"begin binary seq=1 uid=5 section=<3> size=3\nbytes data=<y)%09>\n"
		"FETCH seq=1 uid=5 body section=<HEADER> streamed=4 body section=<1.2.MIME> "
		"origin=0 "
		"streamed=1 binary section=<3> streamed=3\n"},
	{"header-fields",
		"* 1 FETCH (BODY[HEADER.FIELDS (\"FROM\" \"a]b\")] {2}\r\nhi UID 5)\r\n"
		"* 1 FETCH (BODY[HEADER.FIELDS ({4}\r\nFROM)] {2}\r\nhi)\r\n",
		"begin seq=1 uid=0 section=<HEADER.FIELDS (\"FROM\" \"a]b\")> size=2\nbytes "
		"data=<hi>\n"
		"FETCH seq=1 uid=5 body section=<HEADER.FIELDS (\"FROM\" \"a]b\")> streamed=2\n"
		"begin seq=1 uid=0 section=<HEADER.FIELDS ({4}%0D%0AFROM)> size=2\nbytes "
		"data=<hi>\n"
		"FETCH seq=1 body section=<HEADER.FIELDS ({4}%0D%0AFROM)> streamed=2\n"},
	{"after-escaped-quotes", "* 1 FETCH (X \"a\\\"(\" Y \"\\\\\" BODY[] {2}\r\nhi UID 5)\r\n",
		"begin seq=1 uid=0 section=<> size=2\nbytes data=<hi>\n"
		"FETCH seq=1 uid=5 body section=<> streamed=2\n"},
	{"after-a-value-without-name", "* 1 FETCH ((x) \"y\" UID 5 BODY[] {2}\r\nhi)\r\n",
		"begin seq=1 uid=5 section=<> size=2\nbytes data=<hi>\n"
		"FETCH seq=1 uid=5 body section=<> streamed=2\n"},
	{"lower-case", "* 1 fetch (uid 5 body[header] {2}\r\nhi)\r\n",
		"begin seq=1 uid=5 section=<header> size=2\nbytes data=<hi>\n"
		"FETCH seq=1 uid=5 body section=<header> streamed=2\n"},
	{"no-space-before-literal", "* 1 FETCH (UID 5 BODY[]{2}\r\nhi BODY[1]<7>{1}\r\nx)\r\n",
		"begin seq=1 uid=5 section=<> size=2\nbytes data=<hi>\n"
		"begin seq=1 uid=5 section=<1> origin=7 size=1\nbytes data=<x>\n"
		"FETCH seq=1 uid=5 body section=<> streamed=2 body section=<1> origin=7 "
		"streamed=1\n"},
	{"non-synchronising", "* 1 FETCH (BODY[] {2+}\r\nhi)\r\n",
		"begin seq=1 uid=0 section=<> size=2\nbytes data=<hi>\n"
		"FETCH seq=1 body section=<> streamed=2\n"},
	{"leading-zero-is-decimal", "* 1 FETCH (BODY[] {012}\r\n0123456789ab)\r\n",
		"begin seq=1 uid=0 section=<> size=12\nbytes data=<0123456789ab>\n"
		"FETCH seq=1 body section=<> streamed=12\n"},
	{"bare-line-feeds", "* 1 FETCH (BODY[] {2}\nhi UID 5)\n* 2 EXISTS\n",
		"begin seq=1 uid=0 section=<> size=2\nbytes data=<hi>\n"
		"FETCH seq=1 uid=5 body section=<> streamed=2\n EXISTS=2\n"},
	{"nil-and-empty",
		"* 1 FETCH (UID 5 BODY[] NIL)\r\n* 1 FETCH (UID 5 BODY[] {0}\r\n)\r\n"
		"* 1 FETCH (UID 5 BODY[] \"\")\r\n* 1 FETCH (UID 5 BODY[] \"q \\\"x\")\r\n"
		"* 1 FETCH (UID 5)\r\n",
		"FETCH seq=1 uid=5 body section=<> data=NIL\n"
		"begin seq=1 uid=5 section=<> size=0\nFETCH seq=1 uid=5 body section=<> "
		"streamed=0\n"
		"FETCH seq=1 uid=5 body section=<> data=<>\n"
		"FETCH seq=1 uid=5 body section=<> data=<q \"x>\nFETCH seq=1 uid=5\n"},
	{"refused", "* 1 FETCH (BODY[] {5}\r\nhello UID 5)\r\n* 2 EXISTS\r\n",
		"begin seq=1 uid=0 section=<> size=5\nFETCH seq=1 uid=5 body section=<> data=NIL\n"
		" EXISTS=2\n",
		.refuse_bodies = true},
	{"not-a-body",
		"* 1 FETCH (ENVELOPE (BODY[] {2}\r\nhi) X[] {2}\r\nhi BINARY.SIZE[1] 5 BODY.PEEK[] "
		"{2}\r\n"
		"hi RFC822 {2}\r\nhi UID 5)\r\n",
		"FETCH seq=1 uid=5 decoded=<1> size=5\n"},
	{"decoded-sizes",
		"* 1 FETCH (UID 5 BINARY.SIZE[1] 0 BINARY.SIZE[2.1] 5368709120 "
		"binary.size[3]4)\r\n",
		"FETCH seq=1 uid=5 decoded=<1> size=0 decoded=<2.1> size=5368709120 decoded=<3> "
		"size=4\n"},
	{"decoded-sizes-odd",
		"* 1 FETCH (BINARY.SIZE[1] NIL BINARY.SIZE[2] -1 BINARY.SIZE[3] \"4\" "
		"BINARY.SIZE[4] "
		"UID 5)\r\n* 1 FETCH (BINARY.SIZE[1] (2) UID 5 BINARY.SIZE[1)\r\n"
		"* 1 FETCH (BINARY.SIZE[1] 9223372036854775808 UID 5)\r\n",
		"FETCH seq=1 uid=5\nFETCH seq=1 uid=5\nFETCH seq=1 uid=5\n"},
	{"in-a-quoted-string",
		"* 1 FETCH (X \"BODY[] {2}\" UID 5)\r\n* 1 FETCH (X \"BODY[] {2}\r\n",
		"FETCH seq=1 uid=5\nFETCH seq=1\n"},
	{"of-another-response", "* LIST () \"/\" {2}\r\nhi\r\n* XFETCH (BODY[] {2}\r\nhi)\r\n",
		"LIST attributes=0 delimiter=%2F name=<hi>\nOTHER\n"},
	{"odd-value",
		"* 1 FETCH (BODY[] 7 UID 5)\r\n* 1 FETCH (BODY[] (x) UID 5)\r\n"
		"* 1 FETCH (BODY[]<x> {2}\r\nhi UID 5)\r\n* 1 FETCH (BODY[ UID 5)\r\n",
		"FETCH seq=1 uid=5\nFETCH seq=1 uid=5\nFETCH seq=1 uid=5\nFETCH seq=1\n"},
	{"cut-in-the-literal", "* 1 FETCH (BODY[] {500}\r\nhello",
		"begin seq=1 uid=0 section=<> size=500\nbytes data=<hello>\nCUT\n"},
	{"five-gibibytes", "* 1 FETCH (BODY[] {5368709120}\r\nhello",
		"begin seq=1 uid=0 section=<> size=5368709120\nbytes data=<hello>\nCUT\n"},
	{"largest", "* 1 FETCH (BODY[] {9223372036854775807}\r\nx",
		"begin seq=1 uid=0 section=<> size=9223372036854775807\nbytes data=<x>\nCUT\n"},
	{"with-nul-bytes", "* 1 FETCH (BODY[] {3}\r\na\0b UID 5)\r\n* 1 FETCH (X \0 UID 5)\r\n",
		"begin seq=1 uid=0 section=<> size=3\nbytes data=<a%00b>\n"
		"FETCH seq=1 uid=5 body section=<> streamed=3\nFETCH seq=1 uid=5\n",
		.len = sizeof("* 1 FETCH (BODY[] {3}\r\na\0b UID 5)\r\n* 1 FETCH (X \0 UID "
			      "5)\r\n") -
		       1},
};

static void test_date(void)
{
	static const struct {
		const char *text;
		gint64 time;
	} good[] = {
		{" 1-Jan-1970 00:00:00 +0000", 0},
		{"1-Jan-1970 00:00:00 +0000", 0},
		{"01-jan-1970 01:00:00 +0100", 0},
		{"31-Dec-1969 23:59:59 +0000", -1},
		{"29-Feb-2024 12:00:00 +0530", 1709188200},
		{"28-Feb-1900 00:00:00 +0000", -2203977600},
		{" 1-Mar-2000 00:00:00 -1200", 951912000},
		{"31-Dec-2016 23:59:60 +0000", 1483228800},
		{"31-Dec-9999 23:59:59 +0000", 253402300799},
		{" 1-Jan-0001 00:00:00 +0000", -62135596800},
	};
	static const char *const bad[] = {
		"",
		"1",
		"1-Jan-1970",
		" 1-Jan-1970 00:00:00",
		"32-Jan-1970 00:00:00 +0000",
		"00-Jan-1970 00:00:00 +0000",
		"29-Feb-2023 00:00:00 +0000",
		"29-Feb-1900 00:00:00 +0000",
		"01-Foo-1970 00:00:00 +0000",
		"01-Jan-1970 24:00:00 +0000",
		"01-Jan-1970 00:60:00 +0000",
		"01-Jan-1970 00:00:61 +0000",
		"01-Jan-1970 00:00:00 0000",
		"01-Jan-1970 00:00:00 +0060",
		"01-Jan-1970 00:00:00 GMT",
		"01-Jan-0000 00:00:00 +0000",
		"01/Jan/1970 00:00:00 +0000",
		" 01-Jan-1970 00:00:00 +00000",
		"01-Jan-1970T00:00:00 +0000",
		"-1-Jan-1970 00:00:00 +0000",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
		gint64 time = 12345;

		g_assert_true(imap_date_parse(good[i].text, strlen(good[i].text), &time));
		g_assert_cmpint(time, ==, good[i].time);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		gint64 time = 12345;

		g_assert_false(imap_date_parse(bad[i], strlen(bad[i]), &time));
		g_assert_cmpint(time, ==, 12345);
	}
}

/* What was asked for is known again in whatever way a server writes it. */
static void test_section(void)
{
	static const struct {
		const char *answered, *asked;
		bool is;
	} cases[] = {
		{"", "", true},
		{"", "1", false},
		{"1", "", false},
		{"1", "1.2", false},
		{"1.2", "1.2", true},
		{"header", "HEADER", true},
		{"HEADER", "HEADER.FIELDS (FROM TO)", false},
		{"HEADER.FIELDS", "HEADER.FIELDS (FROM TO)", true},
		{"HEADER.FIELDS (\"TO\" \"FROM\")", "HEADER.FIELDS (FROM TO)", true},
		{"Header.Fields(to {4}\r\nfrom)", "HEADER.FIELDS (FROM TO)", true},
		{"HEADER.FIELDS.NOT (FROM TO)", "HEADER.FIELDS (FROM TO)", false},
		{"1.HEADER.FIELDS (FROM TO)", "HEADER.FIELDS (FROM TO)", false},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		ImapBytes section = {cases[i].answered, strlen(cases[i].answered)};

		g_assert_cmpint(imap_section_is(section, cases[i].asked), ==, cases[i].is);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	replay_add("fetch", items, G_N_ELEMENTS(items));
	replay_add("body", bodies, G_N_ELEMENTS(bodies));
	g_test_add_func("/date", test_date);
	g_test_add_func("/section", test_section);
	return g_test_run();
}
