#include "imap/command.h"

#include <string.h>

enum { WAITING, AT_ONCE };

/* The pieces one after another, "|" where the sender waits for "+". */
static char *wire(const ImapCommand *command, bool at_once)
{
	g_autoptr(GArray) pieces = imap_command_pieces(command, "A1", at_once);
	GString *out = g_string_new(NULL);

	for (guint i = 0; i < pieces->len; i++) {
		const ImapPiece *piece = &g_array_index(pieces, ImapPiece, i);
		gsize len;
		const char *bytes = g_bytes_get_data(piece->bytes, &len);

		if (piece->waits)
			g_string_append_c(out, '|');
		g_string_append_len(out, bytes, (gssize)len);
	}
	return g_string_free(out, FALSE);
}

static void assert_wire(const ImapCommand *command, bool at_once, const char *expected)
{
	g_autofree char *text = wire(command, at_once);

	g_assert_cmpstr(text, ==, expected);
}

static void test_plain(void)
{
	g_autoptr(ImapCommand) noop = imap_command_new("NOOP");
	g_autoptr(ImapCommand) fetch = imap_command_new("UID FETCH");

	imap_command_rawf(fetch, "%u:%u", 1, 5);
	imap_command_raw(fetch, "(UID FLAGS)");
	assert_wire(noop, WAITING, "A1 NOOP\r\n");
	assert_wire(fetch, WAITING, "A1 UID FETCH 1:5 (UID FLAGS)\r\n");
	g_assert_cmpstr(imap_command_name(fetch), ==, "UID FETCH");
	g_assert_true(imap_command_valid(fetch));
}

static void test_lists(void)
{
	g_autoptr(ImapCommand) search = imap_command_new("SEARCH");
	g_autofree char *shown = NULL;

	imap_command_open(search);
	imap_command_open(search);
	imap_command_raw(search, "SEEN");
	imap_command_close(search);
	imap_command_raw(search, "TEXT");
	imap_command_string(search, "\xc3\xbc", 2);
	imap_command_close(search);
	imap_command_raw(search, "ALL");
	assert_wire(search, WAITING, "A1 SEARCH ((SEEN) TEXT {2}\r\n|\xc3\xbc) ALL\r\n");
	shown = imap_command_transcript(search, "A1");
	g_assert_cmpstr(shown, ==, "A1 SEARCH ((SEEN) TEXT {2}\xc3\xbc) ALL");
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
		assert_wire(string, AT_ONCE, string_line);
		assert_wire(mailbox, AT_ONCE, mailbox_line);
	}
}

static void test_literal_modes(void)
{
	g_autoptr(ImapCommand) command = imap_command_new("LOGIN");

	imap_command_string(command, "\xc3\xbc", 2);
	imap_command_secret_string(command, "p\xc3\xa4", 3);
	imap_command_raw(command, "x");
	assert_wire(command, WAITING, "A1 LOGIN {2}\r\n|\xc3\xbc {3}\r\n|p\xc3\xa4 x\r\n");
	assert_wire(command, AT_ONCE, "A1 LOGIN {2+}\r\n\xc3\xbc {3+}\r\np\xc3\xa4 x\r\n");
}

static void test_long_strings(void)
{
	g_autofree char *text = g_strnfill(4097, 'a');
	g_autoptr(ImapCommand) longer = imap_command_new("X");
	g_autoptr(ImapCommand) shorter = imap_command_new("X");
	g_autofree char *expected = g_strdup_printf("A1 X {4097}\r\n|%s\r\n", text);
	g_autofree char *at_once = g_strdup_printf("A1 X {4096+}\r\n%.4096s\r\n", text);

	imap_command_string(longer, text, 4097);
	imap_command_string(shorter, text, 4096);
	assert_wire(longer, AT_ONCE, expected);
	assert_wire(shorter, AT_ONCE, at_once);
}

static ImapCommand *append(GBytes *message, bool binary)
{
	ImapCommand *command = imap_command_new("APPEND");

	imap_command_mailbox(command, "A", 1);
	imap_command_literal(command, message, binary);
	return command;
}

static void test_message(void)
{
	static const char text[] = "a: b\r\n\r\n{3}\r\n";
	g_autoptr(GBytes) message = g_bytes_new_static(text, sizeof(text) - 1);
	g_autoptr(GBytes) nothing = g_bytes_new_static("", 0);
	g_autoptr(ImapCommand) command = append(message, false);
	g_autoptr(ImapCommand) binary = append(message, true);
	g_autoptr(ImapCommand) empty = append(nothing, false);
	g_autofree char *shown = imap_command_transcript(command, "A1");
	g_autofree char *shown_binary = imap_command_transcript(binary, "A1");

	imap_command_raw(command, "x");
	assert_wire(command, WAITING, "A1 APPEND \"A\" {13}\r\n|a: b\r\n\r\n{3}\r\n x\r\n");
	assert_wire(command, AT_ONCE, "A1 APPEND \"A\" {13+}\r\na: b\r\n\r\n{3}\r\n x\r\n");
	assert_wire(binary, AT_ONCE, "A1 APPEND \"A\" ~{13}\r\n|a: b\r\n\r\n{3}\r\n\r\n");
	assert_wire(empty, WAITING, "A1 APPEND \"A\" {0}\r\n|\r\n");
	g_assert_cmpstr(shown, ==, "A1 APPEND \"A\" {13}");
	g_assert_cmpstr(shown_binary, ==, "A1 APPEND \"A\" ~{13}");
}

/* A large one always waits, so that it can be refused, and is nowhere copied. */
static void test_large_message(void)
{
	enum { LEN = 1 << 20 };
	g_autoptr(GBytes) message = g_bytes_new_take(g_strnfill(LEN, 'a'), LEN);
	g_autoptr(ImapCommand) command = append(message, false);
	g_autoptr(GArray) pieces = imap_command_pieces(command, "A1", true);
	const ImapPiece *piece = (const ImapPiece *)(gpointer)pieces->data;

	g_assert_cmpuint(pieces->len, ==, 3);
	g_assert_true(piece[1].bytes == message);
	g_assert_false(piece[0].waits);
	g_assert_true(piece[1].waits);
	g_assert_false(piece[2].waits);
	g_assert_cmpuint(g_bytes_get_size(piece[2].bytes), ==, strlen("\r\n"));
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

static void test_message_with_nul(void)
{
	g_autoptr(GBytes) message = g_bytes_new_static("a\0b", 3);
	g_autoptr(ImapCommand) text = append(message, false);
	g_autoptr(ImapCommand) binary = append(message, true);

	g_assert_false(imap_command_valid(text));
	g_assert_true(imap_command_valid(binary));
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
	assert_wire(command, WAITING,
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
	g_array_unref(imap_command_pieces(command, "A1", false));
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
	g_test_add_func("/command/lists", test_lists);
	g_test_add_func("/command/strings", test_strings);
	g_test_add_func("/command/literal-modes", test_literal_modes);
	g_test_add_func("/command/long-strings", test_long_strings);
	g_test_add_func("/command/message", test_message);
	g_test_add_func("/command/large-message", test_large_message);
	g_test_add_func("/command/nul", test_nul);
	g_test_add_func("/command/message-with-nul", test_message_with_nul);
	g_test_add_func("/command/transcript", test_transcript);
	g_test_add_data_func("/command/misuse/raw", &misuses[0], test_misuse);
	g_test_add_data_func("/command/misuse/formatted", &misuses[1], test_misuse);
	g_test_add_data_func("/command/misuse/secret", &misuses[2], test_misuse);
	g_test_add_data_func("/command/misuse/name", &misuses[3], test_misuse);
	g_test_add_data_func("/command/misuse/invalid", &misuses[4], test_misuse);
	return g_test_run();
}
