/* base/log.h: what a line looks like, and how many there may be. */
#include "base/log.h"

#include <string.h>

static void test_escape(void)
{
	static const struct {
		const char *text;
		gsize len; /* 0: up to NUL */
		gsize max;
		const char *escaped;
	} cases[] = {
		{"", 0, 10, ""},
		{"plain text", 0, 100, "plain text"},
		{"gr\303\274n \360\237\230\200", 0, 100, "gr\303\274n \360\237\230\200"},
		{"a\r\nb\tc", 0, 100, "a\\x0d\\x0ab\\x09c"},
		{"\033[31mred\007", 0, 100, "\\x1b[31mred\\x07"},
		{"\302\233[31m", 0, 100, "\\xc2\\x9b[31m"}, /* CSI in one character */
		{"a\342\200\256b", 0, 100, "a\\xe2\\x80\\xaeb"}, /* right-to-left override */
		{"\377\303(\355\240\200", 0, 100, "\\xff\\xc3(\\xed\\xa0\\x80"}, /* invalid UTF-8 */
		{"a\0b", 3, 100, "a\\x00b"},
		{"\\x1b", 0, 100, "\\x1b"},
		{"abcdef", 0, 6, "abcdef"},
		{"abcdef", 0, 3, "abc..."},
		{"abcdef", 0, 0, "..."},
		{"ab\303\274", 0, 3, "ab..."}, /* no half characters */
		{"ab\303\274", 0, 4, "ab\303\274"},
		{"\200\200\200\200\200\200", 0, 5, "\\x80\\x80\\x80\\x80\\x80..."},
		{"\200\200", 0, 1, "\\x80..."},
		{"\303", 0, 10, "\\xc3"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		gsize len = cases[i].len ? cases[i].len : strlen(cases[i].text);
		/* Without the NUL, so that a read past the end is found. */
		g_autofree char *text = g_memdup2(cases[i].text, len);
		g_autofree char *escaped = log_escape(text, len, cases[i].max);
		g_assert_cmpstr(escaped, ==, cases[i].escaped);
	}
}

/* The result needs no second escape, and takes none. */
static void test_escape_is_idempotent(void)
{
	char all[256];

	for (guint i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	g_autofree char *once = log_escape(all, sizeof(all), sizeof(all));
	g_autofree char *twice = log_escape(once, strlen(once), strlen(once));
	g_assert_true(g_str_is_ascii(once));
	g_assert_cmpstr(once, ==, twice);
}

static void test_limit(void)
{
	LogLimit limit = {0};
	LogLimit other = {0};

	for (guint i = 0; i < 5; i++)
		g_assert_true(log_limit_ok(&limit));
	for (guint i = 0; i < 100; i++)
		g_assert_false(log_limit_ok(&limit));
	g_assert_true(log_limit_ok(&other));

	limit.window_start_us -= 59 * G_USEC_PER_SEC;
	g_assert_false(log_limit_ok(&limit));
	limit.window_start_us -= G_USEC_PER_SEC;
	for (guint i = 0; i < 5; i++)
		g_assert_true(log_limit_ok(&limit));
	g_assert_false(log_limit_ok(&limit));
}

static gpointer count_lines(gpointer limit)
{
	guint count = 0;

	for (guint i = 0; i < 1000; i++)
		count += log_limit_ok(limit) ? 1 : 0;
	return GUINT_TO_POINTER(count);
}

static void test_limit_threads(void)
{
	static LogLimit limit;
	GThread *threads[4];
	guint count = 0;

	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("limit", count_lines, &limit);
	for (guint i = 0; i < G_N_ELEMENTS(threads); i++)
		count += GPOINTER_TO_UINT(g_thread_join(threads[i]));
	g_assert_cmpuint(count, ==, 5);
}

static void say_something(void)
{
	g_debug("a detail");
	g_info("a fact");
	g_message("two\nlines");
	g_log("Library", G_LOG_LEVEL_INFO, "chatter");
	g_log("Library", G_LOG_LEVEL_MESSAGE, "news");
}

static void in_quiet(void)
{
	log_init(LOG_TO_STDERR, FALSE);
	say_something();
}

static void test_quiet(void)
{
	g_test_trap_subprocess("/log/stderr/subprocess/quiet", 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("imapfs: a fact\nimapfs: two\\x0alines\nimapfs: Library: news\n");
}

static void in_debug(void)
{
	log_init(LOG_TO_STDERR, TRUE);
	say_something();
}

static void test_debug(void)
{
	g_test_trap_subprocess("/log/stderr/subprocess/debug", 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("imapfs: ??:??:??.?????? a detail\n*a fact\n*lines\n"
				  "*Library: chatter\n*Library: news\n");
}

static void in_syslog(void)
{
	log_init(LOG_TO_STDERR, TRUE);
	g_message("before");
	log_retarget(LOG_TO_SYSLOG);
	g_message("between");
	log_retarget(LOG_TO_STDERR);
	g_message("after");
}

static void test_retarget(void)
{
	g_test_trap_subprocess("/log/subprocess/retarget", 0, 0);
	g_test_trap_assert_passed();
	g_test_trap_assert_stderr("*before*after*");
	g_test_trap_assert_stderr_unmatched("*between*");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log/escape/cases", test_escape);
	g_test_add_func("/log/escape/idempotent", test_escape_is_idempotent);
	g_test_add_func("/log/limit/window", test_limit);
	g_test_add_func("/log/limit/threads", test_limit_threads);
	g_test_add_func("/log/stderr/quiet", test_quiet);
	g_test_add_func("/log/stderr/debug", test_debug);
	g_test_add_func("/log/retarget", test_retarget);
	g_test_add_func("/log/stderr/subprocess/quiet", in_quiet);
	g_test_add_func("/log/stderr/subprocess/debug", in_debug);
	g_test_add_func("/log/subprocess/retarget", in_syslog);
	return g_test_run();
}
