#include "imap/command.h"

#include <string.h>

/* The pieces joined by "|" where the sender waits for "+". */
static char *wire(const ImapCommand *command, ImapLiteralMode mode)
{
	g_autoptr(GPtrArray) pieces = imap_command_pieces(command, "A1", mode);
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < pieces->len; i++) {
		gsize len;
		const char *bytes = g_bytes_get_data(pieces->pdata[i], &len);

		if (i > 0)
			g_string_append_c(out, '|');
		g_string_append_len(out, bytes, (gssize)len);
	}
	return g_string_free(out, FALSE);
}

static void assert_wire(const ImapCommand *command, ImapLiteralMode mode, const char *expected)
{
	g_autofree char *text = wire(command, mode);

	g_assert_cmpstr(text, ==, expected);
}

static void test_plain(void)
{
	g_autoptr(ImapCommand) noop = imap_command_new("NOOP");
	g_autoptr(ImapCommand) fetch = imap_command_new("UID FETCH");

	imap_command_rawf(fetch, "%u:%u", 1, 5);
	imap_command_raw(fetch, "(UID FLAGS)");
	assert_wire(noop, IMAP_LITERAL_SYNC, "A1 NOOP\r\n");
	assert_wire(fetch, IMAP_LITERAL_SYNC, "A1 UID FETCH 1:5 (UID FLAGS)\r\n");
	g_assert_cmpstr(imap_command_name(fetch), ==, "UID FETCH");
	g_assert_true(imap_command_valid(fetch));
}

/* What a caller passes stays one argument, whatever is in it. */
static void test_strings(void)
{
	static const struct {
		const char *bytes, *string, *mailbox;
	} cases[] = {
		{"alice", "alice", "\"alice\""},
		{"a.b_c-d@e/f9", "a.b_c-d@e/f9", "\"a.b_c-d@e/f9\""},
		{"", "\"\"", "\"\""},
		{"NIL", "\"NIL\"", "\"NIL\""},
		{"nil", "\"nil\"", "\"nil\""},
		{"a b", "\"a b\"", "\"a b\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\""},
		{"x{5+}", "\"x{5+}\"", "\"x{5+}\""},
		{"{5}", "\"{5}\"", "\"{5}\""},
		{"*", "\"*\"", "\"*\""},
		{"(a)", "\"(a)\"", "\"(a)\""},
		{"&Jjo-", "\"&Jjo-\"", "\"&Jjo-\""},
		{"a\r\nA1 DELETE INBOX", "{18+}\r\na\r\nA1 DELETE INBOX",
			"{18+}\r\na\r\nA1 DELETE INBOX"},
		{"a\nb", "{3+}\r\na\nb", "{3+}\r\na\nb"},
		{"a\tb", "{3+}\r\na\tb", "{3+}\r\na\tb"},
		{"\xc3\xbc", "{2+}\r\n\xc3\xbc", "{2+}\r\n\xc3\xbc"},
		{"\x7f", "{1+}\r\n\x7f", "{1+}\r\n\x7f"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(ImapCommand) string = imap_command_new("X");
		g_autoptr(ImapCommand) mailbox = imap_command_new("X");
		g_autofree char *string_line = g_strdup_printf("A1 X %s\r\n", cases[i].string);
		g_autofree char *mailbox_line = g_strdup_printf("A1 X %s\r\n", cases[i].mailbox);

		imap_command_string(string, cases[i].bytes, strlen(cases[i].bytes));
		imap_command_mailbox(mailbox, cases[i].bytes, strlen(cases[i].bytes));
		assert_wire(string, IMAP_LITERAL_PLUS, string_line);
		assert_wire(mailbox, IMAP_LITERAL_PLUS, mailbox_line);
	}
}

static void test_literal_modes(void)
{
	g_autoptr(ImapCommand) command = imap_command_new("LOGIN");

	imap_command_string(command, "\xc3\xbc", 2);
	imap_command_secret_string(command, "p\xc3\xa4", 3);
	imap_command_raw(command, "x");
	assert_wire(
		command, IMAP_LITERAL_SYNC, "A1 LOGIN {2}\r\n|\xc3\xbc {3}\r\n|p\xc3\xa4 x\r\n");
	assert_wire(
		command, IMAP_LITERAL_MINUS, "A1 LOGIN {2+}\r\n\xc3\xbc {3+}\r\np\xc3\xa4 x\r\n");
	assert_wire(
		command, IMAP_LITERAL_PLUS, "A1 LOGIN {2+}\r\n\xc3\xbc {3+}\r\np\xc3\xa4 x\r\n");
}

static void test_long_strings(void)
{
	g_autofree char *text = g_strnfill(4097, 'a');
	g_autoptr(ImapCommand) longer = imap_command_new("X");
	g_autoptr(ImapCommand) shorter = imap_command_new("X");
	g_autofree char *expected = g_strdup_printf("A1 X {4097}\r\n|%s\r\n", text);
	g_autofree char *at_once = g_strdup_printf("A1 X {4097+}\r\n%s\r\n", text);
	g_autofree char *minus = g_strdup_printf("A1 X {4096+}\r\n%.4096s\r\n", text);

	imap_command_string(longer, text, 4097);
	imap_command_string(shorter, text, 4096);
	assert_wire(longer, IMAP_LITERAL_MINUS, expected);
	assert_wire(longer, IMAP_LITERAL_PLUS, at_once);
	assert_wire(shorter, IMAP_LITERAL_MINUS, minus);
}

static void test_nul(void)
{
	g_autoptr(ImapCommand) string = imap_command_new("X");
	g_autoptr(ImapCommand) mailbox = imap_command_new("X");
	g_autoptr(ImapCommand) secret = imap_command_new("X");

	imap_command_string(string, "a\0b", 3);
	imap_command_mailbox(mailbox, "\0", 1);
	imap_command_secret_string(secret, "a\0", 2);
	g_assert_false(imap_command_valid(string));
	g_assert_false(imap_command_valid(mailbox));
	g_assert_false(imap_command_valid(secret));
}

static void test_transcript(void)
{
	g_autoptr(ImapCommand) command = imap_command_new("LOGIN");
	g_autofree char *text = NULL;

	imap_command_string(command, "alice", 5);
	imap_command_secret_string(command, "hunter2", 7);
	imap_command_secret_string(command, "hunt\xc3\xa4r", 7);
	imap_command_secret_raw(command, "aHVudGVyMg==");
	imap_command_mailbox(command, "a\r\nb\x1b", 5);
	text = imap_command_transcript(command, "A1");
	g_assert_cmpstr(text, ==, "A1 LOGIN alice <secret> <secret> <secret> {5}a\\x0d\\x0ab\\x1b");
	assert_wire(command, IMAP_LITERAL_SYNC,
		"A1 LOGIN alice hunter2 {7}\r\n|hunt\xc3\xa4r aHVudGVyMg== {5}\r\n|a\r\nb\x1b\r\n");
}

typedef void (*Misuse)(void);

static void raw_with_newline(void)
{
	g_autoptr(ImapCommand) command = imap_command_new("X");

	imap_command_raw(command, "a\r\nb");
}

static void formatted_with_newline(void)
{
	g_autoptr(ImapCommand) command = imap_command_new("X");

	imap_command_rawf(command, "%s", "a\nb");
}

static void secret_with_newline(void)
{
	g_autoptr(ImapCommand) command = imap_command_new("X");

	imap_command_secret_raw(command, "a\rb");
}

static void name_with_newline(void)
{
	imap_command_free(imap_command_new("X\r\nY"));
}

static void invalid_is_sent(void)
{
	g_autoptr(ImapCommand) command = imap_command_new("X");

	imap_command_string(command, "\0", 1);
	g_ptr_array_unref(imap_command_pieces(command, "A1", IMAP_LITERAL_SYNC));
}

/* Our own syntax with a line break in it is a bug that must not reach the wire. */
static void test_misuse(gconstpointer data)
{
	const Misuse *misuse = data;

	if (g_test_subprocess()) {
		(*misuse)();
		return;
	}
	g_test_trap_subprocess(NULL, 0, 0);
	g_test_trap_assert_failed();
	g_test_trap_assert_stderr("*assertion failed*");
}

int main(int argc, char **argv)
{
	static const Misuse misuses[] = {raw_with_newline, formatted_with_newline,
		secret_with_newline, name_with_newline, invalid_is_sent};

	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/command/plain", test_plain);
	g_test_add_func("/command/strings", test_strings);
	g_test_add_func("/command/literal-modes", test_literal_modes);
	g_test_add_func("/command/long-strings", test_long_strings);
	g_test_add_func("/command/nul", test_nul);
	g_test_add_func("/command/transcript", test_transcript);
	g_test_add_data_func("/command/misuse/raw", &misuses[0], test_misuse);
	g_test_add_data_func("/command/misuse/formatted", &misuses[1], test_misuse);
	g_test_add_data_func("/command/misuse/secret", &misuses[2], test_misuse);
	g_test_add_data_func("/command/misuse/name", &misuses[3], test_misuse);
	g_test_add_data_func("/command/misuse/invalid", &misuses[4], test_misuse);
	return g_test_run();
}
