#include "mime/fields.h"

#include <string.h>

#include "long-input.h"
#include "mime/init.h"

static char *decoded(const char *value)
{
	g_autofree char *header =
		g_strdup_printf("X: y\r\nSubject:%s\r\n\r\nSubject: no\r\n", value);
	g_autoptr(MimeFields) fields = mime_fields_of(header, strlen(header));
	return g_strdup(fields->subject);
}

static void test_values(void)
{
	static const char *const cases[][2] = {
		{" plain ", "plain"},
		{"", ""},
		{" a\r\n b\n\tc\r\n \r\n d", "a b c d"},
		{" two  blanks", "two  blanks"},
		{" a\033[31mb\001\177c\302\205d", "a [31mb  c d"},
		/* encoded words */
		{" =?utf-8?Q?caf=C3=A9_x?=", "caf\303\251 x"},
		{" =?UTF-8?b?w7xiZXI=?= =?utf-8?q?_alles?= x", "\303\274ber alles x"},
		{" =?utf-8?B?4oI=?=\r\n =?utf-8?B?rA==?=", "\342\202\254"},
		{" =?utf-8?B?4oKs?=x=?utf-8?B?4oKs?=", "\342\202\254x\342\202\254"},
		{" =?iso-8859-15*en?q?=A4?= =?utf-8?q?=E2=82=AC?=", "\342\202\254\342\202\254"},
		{" =?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=", "\346\227\245\346\234\254\350\252\236"},
		{" =?ISO-2022-JP?B?GyRCJWghPCVJGyhC?=\r\n =?ISO-2022-JP?B?GyRCMUcyaEhHGyhC?=",
			"\343\203\250\343\203\274\343\203\211\346\230\240\347\224\273\347\211\210"},
		{" =?iso-8859-1?Q?=93a=94?=", "\342\200\234a\342\200\235"},
		{" =?shift_jis?B?h0A=?=", "\342\221\240"},
		{" =?koi8_r?b?LvA=?=", ".\320\237"},
		{" =?gb2312?B?1tC5+g==?=", "\344\270\255\345\233\275"},
		{" =?utf-8?Q?a b?=", "a b"},
		{" =?utf-8?Q?=0A=0D=00x=1B?=", "x"},
		/* broken ones: nothing of them is lost */
		{" =?utf-8?B?w7w?=", "\303\274"},
		{" =?utf-8?B?VEVTVA=?=", "TEST"},
		{" =?utf-8?B?YWI=?= =?utf-8?B?Y2Q=?=", "abcd"},
		{" =?utf-8?B?VEVTVA?=", "TEST"},
		{" =?unknown-8bit?Q?caf=C3=A9?=", "caf\303\251"},
		{" =?us-ascii?Q?caf=E9?=", "caf\303\251"},
		{" =?utf-8?Q?caf=E9?=", "caf\303\251"},
		{" =?utf-8?Q?=zz=4?=", "=zz=4"},
		{" =?utf-8?X?abc?=", "=?utf-8?X?abc?="},
		{" =?utf-8?Q?abc", "=?utf-8?Q?abc"},
		{" =?utf-8?Q?abc?", "=?utf-8?Q?abc?"},
		{" =??Q?abc?=", "=??Q?abc?="},
		{" =?=?=?utf-8?Q?a?=", "=?=?a"},
		{" =?", "=?"},
		{" 1 = 2 ?= 3", "1 = 2 ?= 3"},
		/* raw */
		{" caf\303\251", "caf\303\251"},
		{" caf\351 \200", "caf\303\251 \342\202\254"},
		{" caf\351 =?utf-8?q?=C3=A9?=", "caf\303\251 \303\251"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = decoded(cases[i][0]);
		g_test_message("case %" G_GSIZE_FORMAT, i);
		g_assert_cmpstr(text, ==, cases[i][1]);
	}
}

static void test_from_names(void)
{
	static const char *const cases[][2] = {
		{"ada@example.org", "ada@example.org"},
		{"<ada@example.org>", "ada@example.org"},
		{"Ada Example <ada@example.org>", "Ada Example"},
		{"\"Example, Ada \\\"A\\\"\" <ada@example.org>", "Example, Ada \"A\""},
		{"=?utf-8?q?=C3=84da=2C_E=2E?= <ada@example.org>", "\303\204da, E."},
		{"\"=?utf-8?q?=C3=84da?=\" <ada@example.org>", "\303\204da"},
		{"ada@example.org (Ada Example)", "Ada Example"},
		{"ada@example.org (Ada (x) =?utf-8?q?=C3=84?=)", "Ada (x) \303\204"},
		{"\"a,b\"@example.org, bob@example.org", "\"a,b\"@example.org"},
		{"Ada <ada@example.org>, Bob <bob@example.org>", "Ada"},
		{", ,Ada <ada@example.org>", "Ada"},
		{"Friends: Ada <ada@example.org>, bob@example.org;", "Friends"},
		{"=?utf-8?q?=C3=84?=: ada@example.org;", "\303\204"},
		{"undisclosed-recipients:;", "undisclosed-recipients"},
		{"\"\" <ada@example.org>", "ada@example.org"},
		{"Ada <ada@example.org", "Ada"},
		{"Ada (unclosed <ada@example.org>", "Ada (unclosed <ada@example.org>"},
		{"\"unclosed <ada@example.org>", "unclosed"},
		{"=?shift_jis?B?h0A=?= <ada@example.org>", "\342\221\240"},
		{"=?utf-8?B?4oI=?= =?utf-8?B?rA==?= <ada@example.org>", "\342\202\254"},
		{"=?us-ascii?Q?caf=E9?= <ada@example.org>", "caf\303\251"},
		{"caf\351 <ada@example.org>", "caf\303\251"},
		{"Ada \303\204 <\303\244@example.org>", "Ada \303\204"},
		{"<>", "<>"},
		{";", ";"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *header = g_strdup_printf("From: %s\n", cases[i][0]);
		g_autoptr(MimeFields) fields = mime_fields_of(header, strlen(header));
		g_assert_cmpstr(fields->from_name, ==, cases[i][1]);
	}
}

static void test_fields(void)
{
	static const char header[] =
		"To: a@x\r\nFROM: =?utf-8?q?=C3=84da?= <ada@x>\r\nto : b@x\r\n"
		"From: second@x\r\nDate: Mon,\r\n\t2 Nov 2026 09:00:00 +0100 (CET)\r\n"
		"Cc:\r\nCc: c@x\r\nno field\r\nMessage-Id: <1@x> (added)\r\n"
		"Subject:\r\nSubject: two\r\n\r\n";
	g_autoptr(MimeFields) fields = mime_fields_of(header, strlen(header));
	g_assert_cmpstr(fields->from, ==, "\303\204da <ada@x>");
	g_assert_cmpstr(fields->from_name, ==, "\303\204da");
	g_assert_cmpstr(fields->to, ==, "a@x, b@x");
	g_assert_cmpstr(fields->cc, ==, "c@x");
	g_assert_cmpstr(fields->date, ==, "Mon, 2 Nov 2026 09:00:00 +0100 (CET)");
	g_assert_cmpstr(fields->subject, ==, "two");
	g_assert_cmpstr(fields->message_id, ==, "<1@x>");

	g_autoptr(GString) text = g_string_new(NULL);
	mime_fields_append(text, fields);
	g_assert_cmpstr(text->str, ==,
		"From: \303\204da <ada@x>\nTo: a@x, b@x\nCc: c@x\nDate: Mon, 2 Nov 2026 09:00:00 "
		"+0100 "
		"(CET)\nSubject: two\n\n");
}

static void test_no_fields(void)
{
	static const char *const headers[] = {
		"", "\r\n", "\r\nFrom: a@x\r\n", "no field", ": x\n", "\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(headers); i++) {
		g_autoptr(MimeFields) fields = mime_fields_of(headers[i], strlen(headers[i]));
		g_autoptr(GString) text = g_string_new(NULL);
		mime_fields_append(text, fields);
		g_assert_cmpstr(text->str, ==, "\n");
		g_assert_cmpstr(fields->from_name, ==, "");
		g_assert_cmpstr(fields->message_id, ==, "");
	}
	mime_fields_free(NULL);
}

static void test_header_text(void)
{
	static const char header[] =
		"From ada@x Mon Nov  2 09:00 2026\nX-Two: 1\nX-Two: =?utf-8?q?2?=\n"
		"Folded: a\n\tb\nEmpty:\nno field \351\nSubject : x\n\nBody: no\n";
	g_autofree char *text = mime_header_text(header, strlen(header));
	g_assert_cmpstr(text, ==,
		"From ada@x Mon Nov  2 09:00 2026\nX-Two: 1\nX-Two: 2\nFolded: a b\nEmpty: \nno "
		"field "
		"\303\251\nSubject: x\n");
	g_autofree char *nothing = mime_header_text("", 0);
	g_assert_cmpstr(nothing, ==, "");
}

static void test_header_len(void)
{
	static const struct {
		const char *bytes;
		gsize len;
	} cases[] = {
		{"", 0},
		{"\n", 1},
		{"\r\n", 2},
		{"\r", 1},
		{"A: b\r\n\r\nbody\r\n\r\n", 8},
		{"A: b\n\nbody", 6},
		{"A: b\n\r\nbody", 7},
		{"A: b\n \n\n", 8},
		{"A: b\r\n", 6},
		{"A: b", 4},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpuint(
			mime_header_len(cases[i].bytes, strlen(cases[i].bytes)), ==, cases[i].len);
}

/* Time goes with the length, whatever looks like the beginning of an encoded word. */
static void test_long_values(void)
{
	static const char *const pieces[] = {
		"=?a?q?", "=?", "=?x?q?=41?= ", "(", "\"", "<", ",", "a,", "\r\n "};
	for (gsize i = 0; i < G_N_ELEMENTS(pieces); i++) {
		g_autoptr(GString) header = g_string_new("From: ");
		while (header->len < 2 * LONG_INPUT)
			g_string_append(header, pieces[i]);
		gint64 start = g_get_monotonic_time();
		g_autoptr(MimeFields) fields = mime_fields_of(header->str, header->len);
		g_assert_cmpint(g_get_monotonic_time() - start, <, 10 * G_USEC_PER_SEC);
		g_assert_true(g_utf8_validate(fields->from, -1, NULL));
	}
}

/* Who puts a word of another charset into each of many fields is not followed to the last. */
static void test_words_have_a_bound(void)
{
	enum { MANY = 10000 };
	g_autoptr(GString) header = g_string_new(NULL);
	for (guint i = 0; i < MANY; i++)
		g_string_append(header, "To: =?koi8-r?q?=F0?=\n");
	g_autoptr(MimeFields) fields = mime_fields_of(header->str, header->len);
	g_assert_true(g_str_has_prefix(fields->to, "П, П, "));
	g_assert_true(g_str_has_suffix(fields->to, ", =?koi8-r?q?=F0?="));
	g_autofree char *text = mime_header_text(header->str, header->len);
	g_assert_true(g_str_has_prefix(text, "To: П\nTo: П\n"));
	g_assert_true(g_str_has_suffix(text, "\nTo: =?koi8-r?q?=F0?=\n"));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	mime_init();
	g_test_add_func("/mime-fields/values", test_values);
	g_test_add_func("/mime-fields/from-names", test_from_names);
	g_test_add_func("/mime-fields/fields", test_fields);
	g_test_add_func("/mime-fields/none", test_no_fields);
	g_test_add_func("/mime-fields/header-text", test_header_text);
	g_test_add_func("/mime-fields/header-len", test_header_len);
	g_test_add_func("/mime-fields/long", test_long_values);
	g_test_add_func("/mime-fields/words", test_words_have_a_bound);
	return g_test_run();
}
