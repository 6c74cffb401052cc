#include "cli/options.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

/* The command line as words between single spaces. */
static Options *parse(const char *line, GError **error)
{
	g_autofree char *whole = g_strchomp(g_strconcat("imapfs ", line, NULL));
	g_auto(GStrv) words = g_strsplit(whole, " ", -1);

	return options_parse((int)g_strv_length(words), words, error);
}

static Options *parsed(const char *line)
{
	g_autoptr(GError) error = NULL;
	Options *options = parse(line, &error);

	g_assert_no_error(error);
	return options;
}

static void assert_refused(const char *line, const char *why)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Options) options = parse(line, &error);

	g_assert_null(options);
	g_assert_error(error, MAIL_ERROR, MAIL_ERROR_INVALID);
	if (!strstr(error->message, why))
		g_error("%s: \"%s\" does not say %s", line, error->message, why);
}

#define MOUNT "imaps://user@host.example /mnt "

static void test_defaults(void)
{
	g_autoptr(Options) options = parsed(MOUNT);

	g_assert_cmpint(options->action, ==, OPTIONS_MOUNT);
	g_assert_false(options->foreground);
	g_assert_false(options->debug);
	g_assert_cmpstr(options->name, ==, "imaps://user@host.example");
	g_assert_cmpstr(options->account, ==, "user@host.example:993");
	g_assert_cmpstr(options->mountpoint, ==, "/mnt");
	g_assert_null(options->source.mailbox);
	g_assert_cmpint(options->source.tls, ==, SESSION_TLS_IMPLICIT);
	g_assert_cmpuint(options->source.port, ==, 993);
	g_assert_null(options->passcmd);
	g_assert_cmpuint(options->cache_size, ==, (guint64)2 << 30);
	g_assert_cmpuint(options->poll_s, ==, 60);
	g_assert_cmpuint(options->timeout_s, ==, 20);
	g_assert_cmpuint(options->connections, ==, 4);
	g_assert_cmpuint(options->owner_uid, ==, getuid());
	g_assert_cmpuint(options->owner_gid, ==, getgid());
	g_assert_cmpuint(options->fmask, ==, 077);
	g_assert_cmpuint(options->dmask, ==, 077);
	g_assert_false(options->ro || options->sync || options->subscribed || options->views ||
		       options->show_deleted || options->allow_other);
	g_assert_cmpint(options->delete, ==, FS_DELETE_EXPUNGE);
	g_assert_cmpint(options->edit, ==, FS_EDIT_DRAFTS);
	g_assert_cmpint(options->names, ==, FS_NAMES_UID);

	g_autofree char *cache =
		g_build_filename(g_get_user_cache_dir(), "imapfs", "user@host.example:993", NULL);

	g_assert_cmpstr(options->cachedir, ==, cache);
}

static void test_every_option(void)
{
	g_autoptr(Options) options = parsed(
		"-o "
		"passcmd=pass,auth=PLAIN,tls=starttls,cafile=/ca,fingerprint=ab,cachedir=/c " MOUNT
		"-o cache_size=500M,ro,folders=*:!Spam,subscribed,poll=5,timeout=6,connections=7 "
		"-oshow_deleted,allow_other,uid=8,gid=9,fmask=133,dmask=0022 "
		"-o delete=trash,edit=none,sync,views,names=subject");

	g_assert_cmpstr(options->passcmd, ==, "pass");
	g_assert_cmpstr(options->auth, ==, "PLAIN");
	g_assert_cmpint(options->source.tls, ==, SESSION_TLS_STARTTLS);
	g_assert_cmpuint(options->source.port, ==, 143);
	g_assert_cmpstr(options->cafile, ==, "/ca");
	g_assert_cmpstr(options->fingerprint, ==, "ab");
	g_assert_cmpstr(options->cachedir, ==, "/c/user@host.example:143");
	g_assert_cmpuint(options->cache_size, ==, 500 << 20);
	g_assert_cmpstr(options->folders, ==, "*:!Spam");
	g_assert_cmpuint(options->poll_s, ==, 5);
	g_assert_cmpuint(options->timeout_s, ==, 6);
	g_assert_cmpuint(options->connections, ==, 7);
	g_assert_cmpuint(options->owner_uid, ==, 8);
	g_assert_cmpuint(options->owner_gid, ==, 9);
	g_assert_cmpuint(options->fmask, ==, 0133);
	g_assert_cmpuint(options->dmask, ==, 022);
	g_assert_true(options->ro && options->sync && options->subscribed && options->views &&
		      options->show_deleted && options->allow_other);
	g_assert_cmpint(options->delete, ==, FS_DELETE_TRASH);
	g_assert_cmpint(options->edit, ==, FS_EDIT_NONE);
	g_assert_cmpint(options->names, ==, FS_NAMES_SUBJECT);
}

static void test_choices(void)
{
	static const struct {
		const char *text;
		FsDelete delete;
		FsEdit edit;
	} choices[] = {
		{"delete=expunge,edit=drafts", FS_DELETE_EXPUNGE, FS_EDIT_DRAFTS},
		{"delete=trash,edit=all", FS_DELETE_TRASH, FS_EDIT_ALL},
		{"delete=mark,edit=none", FS_DELETE_MARK, FS_EDIT_NONE},
		{"delete=trash,delete=deny", FS_DELETE_DENY, FS_EDIT_DRAFTS},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(choices); i++) {
		g_autofree char *line = g_strconcat(MOUNT "-o ", choices[i].text, NULL);
		g_autoptr(Options) options = parsed(line);

		g_assert_cmpint(options->delete, ==, choices[i].delete);
		g_assert_cmpint(options->edit, ==, choices[i].edit);
	}
}

static void test_flags_anywhere(void)
{
	g_autoptr(Options) options = parsed("imap://u@h -fo ro /mnt");

	g_assert_true(options->foreground && options->ro);
	g_assert_false(options->debug);
	g_assert_cmpuint(options->source.port, ==, 143);

	g_autoptr(Options) debug = parsed(MOUNT "-d");

	g_assert_true(debug->foreground && debug->debug);

	g_autoptr(Options) after_end = parsed("-f -- imap://u@h -o");

	g_assert_cmpstr(after_end->mountpoint + strlen(after_end->mountpoint) - 3, ==, "/-o");
}

static void test_escapes_in_values(void)
{
	g_autoptr(Options) options = parsed(MOUNT "-o passcmd=a\\,b\\\\,ro");

	g_assert_cmpstr(options->passcmd, ==, "a,b\\");
	g_assert_true(options->ro);

	g_autoptr(Options) others = parsed(MOUNT "-o passcmd=s/\\t/=/");

	g_assert_cmpstr(others->passcmd, ==, "s/\\t/=/");
}

static void test_the_last_word_counts(void)
{
	g_autoptr(Options) options = parsed(MOUNT "-o poll=5,poll=6,passfile=/a,passfile=/b");

	g_assert_cmpuint(options->poll_s, ==, 6);
	g_assert_cmpstr(options->passfile, ==, "/b");
}

static void test_files_become_absolute(void)
{
	g_autoptr(Options) options = parsed("imap://u@h mnt -o passfile=x/../pass");
	g_autofree char *here = g_get_current_dir();
	g_autofree char *passfile = g_build_filename(here, "pass", NULL);
	g_autofree char *mountpoint = g_build_filename(here, "mnt", NULL);

	g_assert_cmpstr(options->passfile, ==, passfile);
	g_assert_cmpstr(options->mountpoint, ==, mountpoint);
}

static void test_options_of_fstab_are_tolerated(void)
{
	g_autoptr(Options) options = parsed(MOUNT
		"-o rw,defaults,noauto,user=me,users,_netdev,nofail,nosuid,nodev,noexec,dev,suid,"
		"noatime,async,default_permissions,nonempty,x-systemd.automount,x-systemd.idle-"
		"timeout="
		"60,comment=x,");

	g_assert_cmpstr(options->source.user, ==, "user");
	g_assert_false(options->sync || options->ro);
}

static void test_sizes(void)
{
	static const struct {
		const char *text;
		guint64 bytes;
	} sizes[] = {
		{"1048576", 1 << 20},
		{"1024K", 1 << 20},
		{"1m", 1 << 20},
		{"3G", (guint64)3 << 30},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
		g_autofree char *line = g_strconcat(MOUNT "-o cache_size=", sizes[i].text, NULL);
		g_autoptr(Options) options = parsed(line);

		g_assert_cmpuint(options->cache_size, ==, sizes[i].bytes);
	}
}

static void test_sources(void)
{
	static const struct {
		const char *url, *user, *host, *mailbox, *account;
	} sources[] = {
		{"imaps://a%40b.c@host", "a@b.c", "host", NULL, "a@b.c@host:993"},
		{"imaps://u@h:1234/", "u", "h", NULL, "u@h:1234"},
		{"imaps://u@h/INBOX", "u", "h", "INBOX", "u@h:993"},
		{"imaps://u@h/Archive/2026/", "u", "h", "Archive/2026", "u@h:993"},
		{"imaps://u@h/Entw%C3%BCrfe", "u", "h", "Entw\303\274rfe", "u@h:993"},
		{"imaps://u@[::1]:99", "u", "::1", NULL, "u@[::1]:99"},
		{"imap://dom%5Cu%3A%2F@127.0.0.1", "dom\\u:/", "127.0.0.1", NULL,
			"dom\\u:/@127.0.0.1:143"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
		g_autofree char *line = g_strconcat(sources[i].url, " /mnt", NULL);
		g_autoptr(Options) options = parsed(line);

		g_assert_cmpstr(options->source.user, ==, sources[i].user);
		g_assert_cmpstr(options->source.host, ==, sources[i].host);
		g_assert_cmpstr(options->source.mailbox, ==, sources[i].mailbox);
		g_assert_cmpstr(options->account, ==, sources[i].account);
	}
}

/* Whatever the account is called, its cache is one directory below the one for all. */
static void test_cache_of_any_account(void)
{
	static const char *const urls[] = {
		"imaps://..%2F..%2Fx@h", "imaps://a%2Fb@h", "imaps://.@h", "imap://u%0141@h"};

	for (gsize i = 0; i < G_N_ELEMENTS(urls); i++) {
		g_autofree char *line = g_strconcat(urls[i], " /mnt -o cachedir=/c", NULL);
		g_autoptr(Options) options = parse(line, NULL);

		if (!options)
			continue;
		g_assert_true(g_str_has_prefix(options->cachedir, "/c/"));
		g_assert_null(strchr(options->cachedir + 3, '/'));
	}
	g_autofree char *user = g_strnfill(300, 'u');
	g_autofree char *line = g_strdup_printf("imap://%s@h /mnt -o cachedir=/c", user);
	g_autoptr(Options) options = parsed(line);

	g_assert_cmpuint(strlen(options->cachedir), <, 255);
}

static void test_refused(void)
{
	static const char *const lines[][2] = {
		{"", "SOURCE"},
		{"imaps://u@h", "MOUNTPOINT"},
		{"imaps://u@h / more", "more"},
		{"check", "SOURCE"},
		{"check imaps://u@h more", "more"},
		{"-x imaps://u@h /", "-x"},
		{"-s imaps://u@h /", "-s"},
		{"--nonsense", "--nonsense"},
		{MOUNT "-o", "-o"},
		{"imaps:// /", "user"},
		{"imaps://h /", "user"},
		{"imaps://@h /", "user"},
		{"imaps://u@ /", "host"},
		{"imaps://u@h:0 /", "port"},
		{"imaps://u@h:65536 /", "port"},
		{"imaps://u@h:x /", "port"},
		{"imaps://u@h? /", "query"},
		{"imaps://u@h/a#b /", "fragment"},
		{"imaps://u%0Aa@h /", "control"},
		{"imaps://u%00a@h /", "URL"},
		{"pop3://u@h /", "imaps://"},
		{"imaps://u@h%zz /", "URL"},
		{"no-such-account /", "no-such-account"},
		{MOUNT "-o nonsense", "nonsense"},
		{MOUNT "-o password=x", "password"},
		{MOUNT "-o rw=x", "rw"},
		{MOUNT "-o nonempty=x", "nonempty"},
		{MOUNT "-o delete", "delete=HOW"},
		{MOUNT "-o delete=", "delete"},
		{MOUNT "-o delete=Deny", "delete must be one of: expunge, trash, mark, deny"},
		{MOUNT "-o edit=drafts:all", "edit must be one of: drafts, all, none"},
		{MOUNT "-o names=date", "names must be one of: uid, subject"},
		{MOUNT "-o sync=1", "sync"},
		{MOUNT "-o passfile", "passfile"},
		{MOUNT "-o passfile=", "passfile"},
		{MOUNT "-o ro=yes", "ro"},
		{MOUNT "-o tls=maybe", "tls"},
		{MOUNT "-o timeout=0", "timeout"},
		{MOUNT "-o timeout=-1", "timeout"},
		{MOUNT "-o timeout=1x", "timeout"},
		{MOUNT "-o timeout=99999999999999999999", "timeout"},
		{MOUNT "-o connections=0", "connections"},
		{MOUNT "-o cache_size=1K", "cache_size=1K: must be at least 1M"},
		{MOUNT "-o cache_size=0", "cache_size=0: must be at least 1M"},
		{MOUNT "-o cache_size=G", "cache_size=G: must be a size"},
		{MOUNT "-o cache_size=1T", "cache_size=1T: must be a size"},
		{MOUNT "-o cache_size=-1M", "cache_size=-1M: must be a size"},
		{MOUNT "-o cache_size=99999999999999G",
			"cache_size=99999999999999G: this is too large"},
		{MOUNT "-o cache_size=18446744073709551615G", "this is too large"},
		{MOUNT "-o cache_size=99999999999999999999", "this is too large"},
		{MOUNT "-o fmask=9", "fmask"},
		{MOUNT "-o dmask=1000", "dmask"},
		{MOUNT "-o passcmd=a,tokencmd=b", "only one"},
		{MOUNT "-o passcmd=a,passfile=b", "only one"},
		{MOUNT "-o tls=none", "tls=none"},
		{"imap://u@192.0.2.1 / -o tls=none", "tls=none"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++)
		assert_refused(lines[i][0], lines[i][1]);
}

static void test_clear_text_on_this_machine(void)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "127.1.2.3", "[::1]"};

	for (gsize i = 0; i < G_N_ELEMENTS(hosts); i++) {
		g_autofree char *line = g_strdup_printf("imap://u@%s /mnt -o tls=none", hosts[i]);
		g_autoptr(Options) options = parsed(line);

		g_assert_cmpint(options->source.tls, ==, SESSION_TLS_NONE);
		g_assert_cmpuint(options->source.port, ==, 143);
	}
}

static void test_no_password_in_messages(void)
{
	static const char *const lines[] = {
		"imaps://user:hush@h /mnt",
		"imaps://user:hush@h:x /mnt",
		"imaps://user:hush@ /mnt",
		"imaps://user:hush%zz@h /mnt",
		"imap://user:hush@h?x /mnt",
		"pop3://user:hush@h /mnt",
		"check imaps://user:hush@h",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(lines); i++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(Options) options = parse(lines[i], &error);

		g_assert_null(options);
		g_assert_null(strstr(error->message, "hush"));
	}
	assert_refused("imaps://user:hush@h /mnt", "password");
}

static void test_other_actions(void)
{
	g_autoptr(Options) help = parsed("--help");
	g_autoptr(Options) version = parsed("--version");
	g_autoptr(Options) check = parsed("check imaps://u@h -o poll=1");

	g_assert_cmpint(help->action, ==, OPTIONS_HELP);
	g_assert_cmpint(version->action, ==, OPTIONS_VERSION);
	g_assert_cmpint(check->action, ==, OPTIONS_CHECK);
	g_assert_null(check->mountpoint);
	g_assert_cmpuint(check->poll_s, ==, 1);
}

static void write_config(const char *text)
{
	g_autofree char *dir = g_build_filename(g_get_user_config_dir(), "imapfs", NULL);
	g_autofree char *path = g_build_filename(dir, "config", NULL);

	g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
	g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void remove_config(void)
{
	g_autofree char *dir = g_build_filename(g_get_user_config_dir(), "imapfs", NULL);
	g_autofree char *path = g_build_filename(dir, "config", NULL);

	g_remove(path);
	g_rmdir(dir);
}

static void test_accounts(void)
{
	write_config("[work]\n"
		     "source=imaps://me@host/Archive\n"
		     "passcmd=pass a,b\n"
		     "poll=5\n"
		     "ro=true\n"
		     "subscribed=false\n"
		     "[bare]\n"
		     "poll=5\n"
		     "[odd]\n"
		     "source=imaps://me@host\n"
		     "nonsense=1\n");
	g_autoptr(Options) options = parsed("work /mnt");

	g_assert_cmpstr(options->name, ==, "work");
	g_assert_cmpstr(options->source.user, ==, "me");
	g_assert_cmpstr(options->source.mailbox, ==, "Archive");
	g_assert_cmpstr(options->passcmd, ==, "pass a,b");
	g_assert_cmpuint(options->poll_s, ==, 5);
	g_assert_true(options->ro);
	g_assert_false(options->subscribed);

	g_autoptr(Options) other = parsed("work /mnt -o poll=6,passfile=/p");

	g_assert_cmpuint(other->poll_s, ==, 6);
	g_assert_null(other->passcmd);
	g_assert_cmpstr(other->passfile, ==, "/p");

	assert_refused("play /mnt", "play");
	assert_refused("bare /mnt", "source=");
	assert_refused("odd /mnt", "nonsense");
	write_config("not a key file");
	assert_refused("work /mnt", "config");
	remove_config();
}

static void test_help_fits_a_terminal(void)
{
	g_autofree char *help = options_help();
	g_auto(GStrv) lines = g_strsplit(help, "\n", -1);

	g_assert_nonnull(strstr(help, "\n    passfile=FILE "));
	g_assert_nonnull(strstr(help, "\n    ro "));
	for (guint i = 0; lines[i]; i++)
		g_assert_cmpuint(strlen(lines[i]), <=, 90);
}

int main(int argc, char **argv)
{
	g_autofree char *home = g_dir_make_tmp("imapfs-options-XXXXXX", NULL);

	g_setenv("XDG_CONFIG_HOME", home, TRUE);
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/options/defaults", test_defaults);
	g_test_add_func("/options/every", test_every_option);
	g_test_add_func("/options/flags", test_flags_anywhere);
	g_test_add_func("/options/escapes", test_escapes_in_values);
	g_test_add_func("/options/last", test_the_last_word_counts);
	g_test_add_func("/options/files", test_files_become_absolute);
	g_test_add_func("/options/fstab", test_options_of_fstab_are_tolerated);
	g_test_add_func("/options/choices", test_choices);
	g_test_add_func("/options/sizes", test_sizes);
	g_test_add_func("/options/sources", test_sources);
	g_test_add_func("/options/cache", test_cache_of_any_account);
	g_test_add_func("/options/refused", test_refused);
	g_test_add_func("/options/clear-text", test_clear_text_on_this_machine);
	g_test_add_func("/options/no-password", test_no_password_in_messages);
	g_test_add_func("/options/actions", test_other_actions);
	g_test_add_func("/options/accounts", test_accounts);
	g_test_add_func("/options/help", test_help_fits_a_terminal);
	int status = g_test_run();

	g_rmdir(home);
	return status;
}
