/* From the command line, and the config file if it names an account, to options. */
#include "cli/options.h"
#include "cli/setting.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

/* ---- where settings come from ---- */

static void setting_clear(gpointer data)
{
	Setting *setting = data;
	g_free(setting->name);
	g_free(setting->value);
}

static GArray *settings_new(void)
{
	GArray *settings = g_array_new(FALSE, FALSE, sizeof(Setting));
	g_array_set_clear_func(settings, setting_clear);
	return settings;
}

static void add_setting(GArray *settings, const char *text)
{
	const char *equals = strchr(text, '=');
	Setting setting = {
		.name = equals ? g_strndup(text, (gsize)(equals - text)) : g_strdup(text),
		.value = equals ? g_strdup(equals + 1) : NULL,
	};
	g_array_append_val(settings, setting);
}

/* "a,b=c\,d": a comma ends an option unless a backslash stands before it; "\\" is one backslash. */
static void add_settings(GArray *settings, const char *list)
{
	g_autoptr(GString) text = g_string_new(NULL);
	for (;; list++) {
		if (*list == '\\' && (list[1] == ',' || list[1] == '\\')) {
			g_string_append_c(text, *++list);
		} else if (*list != ',' && *list != '\0') {
			g_string_append_c(text, *list);
		} else {
			if (text->len > 0)
				add_setting(settings, text->str);
			g_string_truncate(text, 0);
			if (*list == '\0')
				return;
		}
	}
}

/* "All paths set in these environment variables must be absolute. If an implementation encounters a
 * relative path [...] it should consider the path invalid and ignore it." (XDG Base Directory
 * Specification); GLib uses it. */
static char *xdg_dir(const char *dir, const char *below_home)
{
	if (g_path_is_absolute(dir))
		return g_strdup(dir);
	return g_build_filename(g_get_home_dir(), below_home, NULL);
}

static char *config_path(void)
{
	g_autofree char *dir = xdg_dir(g_get_user_config_dir(), ".config");
	return g_build_filename(dir, "imapfs", "config", NULL);
}

static char *default_cache(void)
{
	g_autofree char *dir = xdg_dir(g_get_user_cache_dir(), ".cache");
	return g_build_filename(dir, "imapfs", NULL);
}

/* Fills settings from the account's group, save its source, which is returned. */
static char *read_account(const char *name, GArray *settings, GError **error)
{
	g_autofree char *path = config_path();
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autoptr(GError) why = NULL;
	bool loaded = g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, &why);
	if (!loaded && !g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
		options_invalid(error, "%s: %s", path, why->message);
		return NULL;
	}
	if (!loaded || !g_key_file_has_group(file, name)) {
		options_invalid(error,
			"%s is neither a URL (imaps://user@host) nor an account of %s", name, path);
		return NULL;
	}
	g_auto(GStrv) keys = g_key_file_get_keys(file, name, NULL, NULL);
	g_autofree char *source = NULL;
	for (guint i = 0; keys[i]; i++) {
		Setting setting = {0};
		g_clear_error(&why);
		setting.value = g_key_file_get_string(file, name, keys[i], &why);
		if (!setting.value) {
			options_invalid(error, "%s: account %s: %s", path, name, why->message);
			return NULL;
		}
		if (strcmp(keys[i], "source") == 0) {
			g_free(source);
			source = setting.value;
			continue;
		}
		setting.name = g_strdup(keys[i]);
		g_array_append_val(settings, setting);
	}
	if (!source || !source_is_url(source)) {
		options_invalid(
			error, "%s: account %s has no source=imaps://user@host", path, name);
		return NULL;
	}
	return g_steal_pointer(&source);
}

/* ---- the command line ---- */

typedef struct {
	GArray *settings;
	GPtrArray *words; /* what is not an option, borrowed */
	bool foreground, debug, json, help, version;
} Line;

static bool read_letters(
	Line *line, const char *letters, const char *next, bool *ret_took_next, GError **error)
{
	for (; *letters; letters++) {
		switch (*letters) {
		case 'f':
			line->foreground = true;
			break;
		case 'd':
			line->debug = true;
			break;
		case 'h':
			line->help = true;
			break;
		case 'V':
			line->version = true;
			break;
		case 'o':
			*ret_took_next = letters[1] == '\0';
			if (*ret_took_next && !next)
				return options_invalid(error, "-o needs an argument");
			add_settings(line->settings, *ret_took_next ? next : letters + 1);
			return true;
		default:
			return options_invalid(error, "unknown option: -%c", *letters);
		}
	}
	return true;
}

static bool read_line(Line *line, int argc, char *const *argv, GError **error)
{
	bool options = true;
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		bool took_next = false;
		if (!options || word[0] != '-' || word[1] == '\0') {
			g_ptr_array_add(line->words, (char *)word);
		} else if (strcmp(word, "--") == 0) {
			options = false;
		} else if (strcmp(word, "--help") == 0) {
			line->help = true;
		} else if (strcmp(word, "--version") == 0) {
			line->version = true;
		} else if (strcmp(word, "--json") == 0) {
			line->json = true;
		} else if (word[1] == '-') {
			return options_invalid(error, "unknown option: %s", word);
		} else if (!read_letters(line, word + 1, i + 1 < argc ? argv[i + 1] : NULL,
				   &took_next, error)) {
			return false;
		}
		i += took_next;
	}
	return true;
}

static bool set_status(Options *options, const Line *line, GError **error)
{
	if (line->words->len != 2)
		return options_invalid(error, "status needs one MOUNTPOINT; see imapfs --help");
	if (line->settings->len > 0)
		return options_invalid(error, "status takes no -o");
	options->action = OPTIONS_STATUS;
	options->json = line->json;
	options->mountpoint = g_canonicalize_filename(line->words->pdata[1], NULL);
	return true;
}

static bool set_words(Options *options, const Line *line, GError **error)
{
	const char *const *words = (const char *const *)line->words->pdata;
	guint n = line->words->len;
	options->foreground = line->foreground || line->debug;
	options->debug = line->debug;
	if (n > 0 && strcmp(words[0], "status") == 0)
		return set_status(options, line, error);
	if (line->json)
		return options_invalid(error, "--json is for imapfs status");
	if (n > 0 && strcmp(words[0], "check") == 0) {
		options->action = OPTIONS_CHECK;
		if (n < 2)
			return options_invalid(error, "check needs one SOURCE; see imapfs --help");
		if (n > 2)
			return options_invalid(
				error, "check needs one SOURCE, not also %s", words[2]);
		options->name = g_strdup(words[1]);
		return true;
	}
	if (n < 2)
		return options_invalid(
			error, "SOURCE and MOUNTPOINT are needed; see imapfs --help");
	if (n > 2)
		return options_invalid(
			error, "SOURCE and MOUNTPOINT are expected, not also %s", words[2]);
	options->name = g_strdup(words[0]);
	options->mountpoint = g_canonicalize_filename(words[1], NULL);
	return true;
}

/* ---- all of it ---- */

static void set_defaults(Options *options)
{
	options->cache_size = (guint64)2 << 30;
	options->poll_s = 60;
	options->timeout_s = 20;
	options->connections = 4;
	options->owner_uid = getuid();
	options->owner_gid = getgid();
	options->fmask = 077;
	options->dmask = 077;
}

static bool sets_secret(const GArray *settings)
{
	for (guint i = 0; i < settings->len; i++) {
		const char *name = g_array_index(settings, Setting, i).name;
		if (strcmp(name, "passcmd") == 0 || strcmp(name, "passfile") == 0 ||
			strcmp(name, "tokencmd") == 0)
			return true;
	}
	return false;
}

/* What the command line says replaces what the account says, one source of the secret the other. */
static bool set_all(Options *options, const GArray *line, GError **error)
{
	g_autoptr(GArray) account = settings_new();
	g_autofree char *source = source_is_url(options->name)
					  ? g_strdup(options->name)
					  : read_account(options->name, account, error);
	if (!source || !source_parse(source, &options->source, error) ||
		!options_apply(options, account, error))
		return false;
	if (sets_secret(line)) {
		g_clear_pointer(&options->passcmd, g_free);
		g_clear_pointer(&options->passfile, g_free);
		g_clear_pointer(&options->tokencmd, g_free);
	}
	return options_apply(options, line, error);
}

static bool check(const Options *options, GError **error)
{
	const char *host = options->source.host;
	if (!!options->passcmd + !!options->passfile + !!options->tokencmd > 1)
		return options_invalid(
			error, "only one of passcmd, passfile and tokencmd can be given");
	if (options->source.tls == SESSION_TLS_NONE && !source_host_is_loopback(host))
		return options_invalid(error,
			"tls=none is only for this machine itself (localhost, 127.0.0.1, ::1): "
			"anyone on the way to %s could read the password and the mail",
			host);
	return true;
}

static void derive(Options *options)
{
	Source *source = &options->source;
	if (source->port == 0)
		source->port = source->tls == SESSION_TLS_IMPLICIT ? 993 : 143;
	bool literal = strchr(source->host, ':') != NULL;
	options->account = g_strdup_printf(
		literal ? "%s@[%s]:%u" : "%s@%s:%u", source->user, source->host, source->port);

	g_autofree char *parent = g_steal_pointer(&options->cachedir);
	if (!parent)
		parent = default_cache();
	g_autofree char *escaped = g_uri_escape_string(options->account, "@:[]", FALSE);
	g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, escaped, -1);
	const char *name = strlen(escaped) <= NAME_MAX ? escaped : hash;
	options->cachedir = g_build_filename(parent, name, NULL);
}

Options *options_parse(int argc, char *const *argv, GError **error)
{
	g_autoptr(GArray) settings = settings_new();
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	Line line = {.settings = settings, .words = words};
	if (!read_line(&line, argc, argv, error))
		return NULL;

	g_autoptr(Options) options = g_new0(Options, 1);
	if (line.help || line.version) {
		options->action = line.help ? OPTIONS_HELP : OPTIONS_VERSION;
		return g_steal_pointer(&options);
	}
	set_defaults(options);
	if (!set_words(options, &line, error))
		return NULL;
	if (options->action == OPTIONS_STATUS)
		return g_steal_pointer(&options);
	if (!set_all(options, settings, error) || !check(options, error))
		return NULL;
	derive(options);
	return g_steal_pointer(&options);
}
