/* What the engine takes of an answer to LIST: the mailboxes that `folders` names, and no more bytes
 * of names than it may keep. */
#include <string.h>

#include "engine/private.h"

static Conn conn;

static void note(Engine *engine, const char *name, char delimiter)
{
	list_note(engine, &conn, &(ImapList){.delimiter = delimiter, .name = {name, strlen(name)}});
}

static Engine *engine_listing(const char *folders)
{
	Engine *engine = g_new0(Engine, 1);

	engine->config.folders = folders;
	engine->list_conn = &conn;
	engine->list_waiters = waiters_new();
	engine->listed = g_array_new(FALSE, FALSE, sizeof(ImapList));
	return engine;
}

static void end_listing(Engine *engine)
{
	for (guint i = 0; i < engine->listed->len; i++)
		g_free((char *)g_array_index(engine->listed, ImapList, i).name.data);
	g_array_unref(engine->listed);
	g_ptr_array_unref(engine->list_waiters);
	g_free(engine);
}

static bool shows(const char *folders, const char *name)
{
	Engine *engine = engine_listing(folders);

	note(engine, name, '/');
	bool shown = engine->listed->len == 1;
	end_listing(engine);
	return shown;
}

static void test_folders(void)
{
	static const struct {
		const char *folders, *name;
		bool shown;
	} cases[] = {
		{NULL, "any", true},
		{"INBOX", "INBOX", true},
		{"INBOX", "INBOX/a", false},
		{"INBO", "INBOX", false},
		{"*", "a/b/c", true},
		{"%", "a", true},
		{"%", "a/b", false},
		{"%/%", "a/b", true},
		{"%/%", "a/b/c", false},
		{"a*", "a", true},
		{"a*", "a/b", true},
		{"a*", "b", false},
		{"*b", "a/b/bb", true},
		{"*b", "bba", false},
		{"a/%", "a/", true},
		{"%a/*b%", "xa/1/2b/", false},
		{"%a/*b%", "xa/1/2b/b3", true},
		{"%b*", "a/b", false},
		{"*%b", "a/bab", true},
		{"[Gmail]/*", "[Gmail]/All Mail", true},
		{"[Gmail]/*", "G/All Mail", false},
		{"a?", "ab", false},
		{"a\\*", "a*", false},
		{"R\303\251%", "R&AOk-sum&AOk-", true}, /* the decoded name */
		{"*:!Spam", "Spam", false},
		{"*:!Spam", "Spam/a", true},
		{"!%/%", "a", true},
		{"!%/%", "a/b", false},
		{"a:b", "b", true},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_test_message("%s: %s", cases[i].folders, cases[i].name);
		g_assert_cmpint(shows(cases[i].folders, cases[i].name), ==, cases[i].shown);
	}
}

/* Whatever the server puts between levels. */
static void test_delimiter(void)
{
	Engine *engine = engine_listing("a/%");

	note(engine, "a.b", '.');
	note(engine, "a.b", '/');
	note(engine, "a.b", 0);
	g_assert_cmpuint(engine->listed->len, ==, 1);
	end_listing(engine);
}

/* A name made for the pattern costs no more than another. */
static void test_costly(void)
{
	char name[LIMIT_MAILBOX_NAME + 1];

	memset(name, 'a', LIMIT_MAILBOX_NAME);
	name[LIMIT_MAILBOX_NAME] = 0;
	g_assert_false(shows("*a%a*a%a*a%a*a%a*a%a*a%a*a%a*a%a*a%a*b", name));
}

static void test_bound(void)
{
	Engine *engine = engine_listing(NULL);
	char name[LIMIT_MAILBOX_NAME + 1];

	memset(name, 'x', LIMIT_MAILBOX_NAME);
	name[LIMIT_MAILBOX_NAME] = 0;
	for (guint i = 0; i < LIMIT_MAILBOX_NAMES / LIMIT_MAILBOX_NAME; i++)
		note(engine, name, '/');
	g_assert_cmpuint(engine->listed->len, ==, LIMIT_MAILBOX_NAMES / LIMIT_MAILBOX_NAME);
	note(engine, "x", '/');
	g_assert_cmpuint(engine->listed->len, ==, LIMIT_MAILBOX_NAMES / LIMIT_MAILBOX_NAME);
	end_listing(engine);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/engine-list/folders", test_folders);
	g_test_add_func("/engine-list/delimiter", test_delimiter);
	g_test_add_func("/engine-list/costly", test_costly);
	g_test_add_func("/engine-list/bound", test_bound);
	return g_test_run();
}
