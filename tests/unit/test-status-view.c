#include "cli/status-view.h"

#include <string.h>

static void assert_view(const char *text, const char *expected)
{
	g_autoptr(JsonReader) reader = json_reader_new(text, strlen(text));

	g_assert_nonnull(reader);
	g_autofree char *view = status_view(reader);

	g_assert_cmpstr(view, ==, expected);
}

static void test_all_of_it(void)
{
	assert_view(
		"{\"imapfs\":\"1\",\"account\":\"ada@host:993\",\"time\":\"2026-01-02T10:00:00Z\","
		"\"state\":\"online\",\"since\":\"2026-01-02T09:59:00Z\","
		"\"error\":{\"time\":\"2025-12-24T01:02:03Z\",\"text\":\"no answer\"},"
		"\"connections\":["
		"{\"state\":\"ready\",\"folder\":\"INBOX\",\"under_way\":2,\"fetching\":3,"
		"\"fetching_bytes\":1572864,\"received\":1023,\"quiet_ms\":1234},"
		"{\"state\":\"ready\",\"folder\":null,\"under_way\":1,\"received\":1024,"
		"\"quiet_ms\":119999},"
		"{\"state\":\"ready\",\"folder\":\"a\",\"idle\":true,\"quiet_ms\":7199999},"
		"{\"state\":\"connecting\",\"quiet_ms\":7200000}],"
		"\"requests\":{\"waiting\":5,\"oldest_ms\":9999},"
		"\"changes\":{\"waiting\":1000,\"unsent\":2,\"unsent_directory\":\"/c/unsent\"},"
		"\"quota\":{\"used\":1536,\"limit\":1073741824},"
		"\"cache\":{\"directory\":\"/c\",\"bodies\":7,\"bytes\":4096,\"memory_bytes\":1024,"
		"\"limit\":2147483648,\"unwritable\":\"No space left on device\","
		"\"unwritable_since\":\"2026-01-02T09:58:00Z\"},"
		"\"folders\":[{\"path\":\"INBOX\",\"messages\":12,\"confirmed_ms\":500},"
		"{\"path\":\"b\",\"messages\":3,\"confirmed_ms\":500,\"pushed\":true},"
		"{\"path\":\"a/b\",\"messages\":1000000,\"confirmed_ms\":null}],"
		"\"folders_left_out\":9,"
		"\"traffic\":{\"received\":2048,\"sent\":10,\"commands\":4,\"attempts\":3,"
		"\"logins\":2}}",
		"account      ada@host:993, online since 09:59:00\n"
		"last error   2025-12-24 01:02:03: no answer\n"
		"requests     5 waiting, the oldest for 10.0 s\n"
		"changes      1000 waiting for the server\n"
		"             2 texts that the server does not have, in /c/unsent\n"
		"connections  INBOX: 3 messages on the way, 1.5 MiB to come; 1023 B received, "
		"quiet for "
		"1.2 s\n"
		"             no folder: 1 command under way; 1.0 KiB received, quiet for 119 s\n"
		"             a: waiting for news; 0 B received, quiet for 119 min\n"
		"             no folder: connecting; 0 B received, quiet for 2 h\n"
		"traffic      2.0 KiB received, 10 B sent, 4 commands, 2 connections of 3 tried\n"
		"quota        1.5 KiB of 1.0 GiB\n"
		"cache        4.0 KiB of 2.0 GiB, 7 messages, in /c\n"
		"             1.0 KiB of that in memory only\n"
		"             cannot be written since 09:58:00: No space left on device\n"
		"folders              12  INBOX, right 0.5 s ago\n"
		"                      3  b, right 0.5 s ago, changes are told\n"
		"                1000000  a/b, to be asked again\n"
		"             and 9 more\n");
}

#define NOTHING                                                                                    \
	"requests     none waits\n"                                                                \
	"changes      none waits\n"                                                                \
	"connections  none\n"                                                                      \
	"traffic      0 B received, 0 B sent, 0 commands, 0 connections of 0 tried\n"              \
	"cache        0 B of 0 B, 0 messages, in memory\n"                                         \
	"folders      none was looked at yet\n"

static void test_nothing(void)
{
	assert_view("{\"imapfs\":\"1\"}", "account      ?, ? since ?\n" NOTHING);
}

static void test_one_of_each(void)
{
	assert_view("{\"imapfs\":\"1\",\"connections\":[{\"state\":\"ready\",\"fetching\":1}],"
		    "\"changes\":{\"waiting\":1,\"unsent\":1,\"unsent_directory\":null},"
		    "\"cache\":{\"bodies\":1},"
		    "\"traffic\":{\"commands\":1,\"attempts\":1,\"logins\":1}}",
		"account      ?, ? since ?\n"
		"requests     none waits\n"
		"changes      1 waiting for the server\n"
		"             1 text that the server does not have, in memory\n"
		"connections  no folder: 1 message on the way, 0 B to come; 0 B received, quiet "
		"for 0.0 s\n"
		"traffic      0 B received, 0 B sent, 1 command, 1 connection of 1 tried\n"
		"cache        0 B of 0 B, 1 message, in memory\n"
		"folders      none was looked at yet\n");
}

static void test_next_try(void)
{
	assert_view("{\"imapfs\":\"1\",\"state\":\"offline\",\"retry_ms\":1500}",
		"account      ?, offline since ?\n"
		"next try     in 1.5 s\n" NOTHING);
	assert_view("{\"imapfs\":\"1\",\"state\":\"refused\",\"retry_ms\":null}",
		"account      ?, refused since ?\n"
		"what to do   correct the password that passfile, passcmd or tokencmd gives; for "
		"one that was typed in, mount again\n" NOTHING);
}

/* While an attempt is under way none is to come. */
static void test_trying_now(void)
{
	static const char *const states[] = {"connecting", "offline", "refused"};

	for (gsize i = 0; i < G_N_ELEMENTS(states); i++) {
		g_autofree char *text =
			g_strdup_printf("{\"state\":\"%s\",\"retry_ms\":null,"
					"\"connections\":[{\"state\":\"connecting\"}]}",
				states[i]);
		g_autoptr(JsonReader) reader = json_reader_new(text, strlen(text));
		g_autofree char *view = status_view(reader);

		g_assert_nonnull(strstr(view, "\nnext try     trying now\n"));
	}
}

/* A folder's name or an error may hold what a terminal obeys. */
static void test_no_control_characters(void)
{
	static const char text[] =
		"{\"account\":\"\\u001b[2Jx\",\"state\":\"\\u0007\","
		"\"error\":{\"text\":\"a\\nb\"},"
		"\"connections\":[{\"state\":\"\\u001b[1A\",\"folder\":\"\\r\"}],"
		"\"changes\":{\"unsent\":1,\"unsent_directory\":\"\\u001b[2J\"},"
		"\"cache\":{\"directory\":\"\\u009b1A\",\"unwritable\":\"\\u001b[2J\"},"
		"\"folders\":[{\"path\":\"\\u001b]0;x\\u0007\"}]}";
	g_autoptr(JsonReader) reader = json_reader_new(text, strlen(text));
	g_autofree char *view = status_view(reader);

	for (const char *at = view; *at; at = g_utf8_next_char(at))
		g_assert_true(*at == '\n' || !g_unichar_iscntrl(g_utf8_get_char(at)));
	g_assert_nonnull(strstr(view, "]0;x"));
}

int main(int argc, char **argv)
{
	g_setenv("TZ", "UTC", TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/status-view/all", test_all_of_it);
	g_test_add_func("/status-view/nothing", test_nothing);
	g_test_add_func("/status-view/one", test_one_of_each);
	g_test_add_func("/status-view/next-try", test_next_try);
	g_test_add_func("/status-view/trying-now", test_trying_now);
	g_test_add_func("/status-view/control", test_no_control_characters);
	return g_test_run();
}
