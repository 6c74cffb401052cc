#include "cli/options.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

typedef enum {
	KIND_FLAG, /* bool */
	KIND_STRING, /* char * */
	KIND_FILE, /* char *, made absolute */
	KIND_NUMBER, /* guint */
	KIND_OCTAL, /* guint */
	KIND_SIZE, /* guint64, with K, M or G */
	KIND_TLS, /* SessionTls */
} Kind;

typedef struct {
	const char *name;
	const char *value; /* what stands behind the `=`, or NULL */
	Kind kind;
	gsize offset;
	guint64 min, max;
	const char *help; /* with the default */
} Spec;

#define FIELD(name) G_STRUCT_OFFSET(Options, name)
#define MEBIBYTE (1 << 20)

static const Spec specs[] = {
	{"passcmd", "CMD", KIND_STRING, FIELD(passcmd), 0, 0,
		"command that prints the password (default: ask on the terminal)"},
	{"passfile", "FILE", KIND_FILE, FIELD(passfile), 0, 0, "file that holds the password"},
	{"tokencmd", "CMD", KIND_STRING, FIELD(tokencmd), 0, 0,
		"command that prints an OAuth2 access token"},
	{"auth", "MECH", KIND_STRING, FIELD(auth), 0, 0,
		"SASL mechanism (default: the strongest offered)"},
	{"tls", "MODE", KIND_TLS, FIELD(source.tls), 0, 0,
		"implicit, starttls or none (default: from SOURCE)"},
	{"cafile", "FILE", KIND_FILE, FIELD(cafile), 0, 0,
		"trusted certificates (default: the system's)"},
	{"fingerprint", "SHA256", KIND_STRING, FIELD(fingerprint), 0, 0,
		"trust exactly the certificate with this hash"},
	{"cachedir", "DIR", KIND_FILE, FIELD(cachedir), 0, 0,
		"where index and bodies are kept (default: $XDG_CACHE_HOME/imapfs)"},
	{"cache_size", "SIZE", KIND_SIZE, FIELD(cache_size), MEBIBYTE, G_MAXINT64,
		"how much of bodies, with K, M or G, at least 1M (default: 2G)"},
	{"ro", NULL, KIND_FLAG, FIELD(ro), 0, 0, "change nothing (so far always)"},
	{"folders", "PATTERN[:!PATTERN...]", KIND_STRING, FIELD(folders), 0, 0,
		"mailboxes to show (default: all)"},
	{"subscribed", NULL, KIND_FLAG, FIELD(subscribed), 0, 0, "show only subscribed mailboxes"},
	{"poll", "SECONDS", KIND_NUMBER, FIELD(poll_s), 0, 86400,
		"how often what no push covers is compared (default: 60)"},
	{"timeout", "SECONDS", KIND_NUMBER, FIELD(timeout_s), 1, 3600,
		"how long to wait for a silent server (default: 20)"},
	{"connections", "N", KIND_NUMBER, FIELD(connections), 1, 64,
		"connections to the server at most (default: 4)"},
	{"show_deleted", NULL, KIND_FLAG, FIELD(show_deleted), 0, 0,
		"list messages that are flagged as deleted"},
	{"allow_other", NULL, KIND_FLAG, FIELD(allow_other), 0, 0,
		"let other users in, by owner and mode"},
	{"uid", "N", KIND_NUMBER, FIELD(owner_uid), 0, G_MAXUINT32 - 1,
		"owner of all files (default: you)"},
	{"gid", "N", KIND_NUMBER, FIELD(owner_gid), 0, G_MAXUINT32 - 1,
		"group of all files (default: yours)"},
	{"fmask", "OCTAL", KIND_OCTAL, FIELD(fmask), 0, 0777,
		"permissions that files lack (default: 077)"},
	{"dmask", "OCTAL", KIND_OCTAL, FIELD(dmask), 0, 0777,
		"permissions that directories lack (default: 077)"},
};

/* Options of mount(8), fstab(5) and FUSE that concern others or ask for what is so anyway; also
 * dev, suid and exec, which mount.fuse3(8) always adds and imapfs never grants. The man page lists
 * them. */
static const char *const tolerated[] = {
	"rw",
	"defaults",
	"dev",
	"suid",
	"exec",
	"auto",
	"noauto",
	"user",
	"nouser",
	"users",
	"owner",
	"group",
	"_netdev",
	"nofail",
	"nosuid",
	"nodev",
	"noexec",
	"async",
	"noatime",
	"nodiratime",
	"relatime",
	"default_permissions",
	"nonempty",
};

typedef struct {
	char *name;
	char *value; /* NULL: none given */
} Setting;

static void setting_clear(gpointer data)
{
	Setting *setting = data;
	g_free(setting->name);
	g_free(setting->value);
}

static bool invalid(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool invalid(GError **error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_INVALID, text);
	return false;
}

/* ---- one option ---- */

static const Spec *find_spec(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
		if (strcmp(specs[i].name, name) == 0)
			return &specs[i];
	}
	return NULL;
}

static bool is_tolerated(const Setting *setting)
{
	if (g_str_has_prefix(setting->name, "x-") || strcmp(setting->name, "comment") == 0)
		return true;
	/* mount(8) notes who may unmount as user=NAME. */
	if (setting->value && strcmp(setting->name, "user") != 0)
		return false;
	for (gsize i = 0; i < G_N_ELEMENTS(tolerated); i++) {
		if (strcmp(tolerated[i], setting->name) == 0)
			return true;
	}
	return false;
}

static bool set_flag(bool *field, const Setting *setting, GError **error)
{
	if (!setting->value || strcmp(setting->value, "true") == 0)
		*field = true;
	else if (strcmp(setting->value, "false") == 0)
		*field = false;
	else
		return invalid(error, "option %s takes no value", setting->name);
	return true;
}

static bool set_number(guint *field, const Spec *spec, const char *text, GError **error)
{
	guint64 number;
	if (!g_ascii_string_to_unsigned(text, 10, spec->min, spec->max, &number, NULL))
		return invalid(error,
			"option %s must be a number from %" G_GUINT64_FORMAT
			" to %" G_GUINT64_FORMAT,
			spec->name, spec->min, spec->max);
	*field = (guint)number;
	return true;
}

static bool set_octal(guint *field, const Spec *spec, const char *text, GError **error)
{
	guint64 number;
	if (!g_ascii_string_to_unsigned(text, 8, spec->min, spec->max, &number, NULL))
		return invalid(error, "option %s must be an octal number from 0 to %o", spec->name,
			(guint)spec->max);
	*field = (guint)number;
	return true;
}

static guint size_shift(char unit)
{
	static const char units[] = "KMG";
	const char *found = unit ? strchr(units, g_ascii_toupper(unit)) : NULL;
	return found ? (guint)(found - units + 1) * 10 : 0;
}

static bool set_size(guint64 *field, const Spec *spec, const char *text, GError **error)
{
	g_autoptr(GError) why = NULL;
	gsize len = strlen(text);
	guint shift = len > 0 ? size_shift(text[len - 1]) : 0;
	g_autofree char *digits = g_strndup(text, len - (shift > 0));
	guint64 number;
	if (!g_ascii_string_to_unsigned(digits, 10, 0, spec->max >> shift, &number, &why))
		return invalid(error, "option %s=%s: %s", spec->name, text,
			why->code == G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS
				? "this is too large"
				: "must be a size, such as 500M or 2G");
	if (number << shift < spec->min)
		return invalid(error, "option %s=%s: must be at least 1M", spec->name, text);
	*field = number << shift;
	return true;
}

static bool set_tls(SessionTls *field, const char *text, GError **error)
{
	static const char *const modes[] = {
		[SESSION_TLS_IMPLICIT] = "implicit",
		[SESSION_TLS_STARTTLS] = "starttls",
		[SESSION_TLS_NONE] = "none",
	};
	for (guint mode = 0; mode < G_N_ELEMENTS(modes); mode++) {
		if (strcmp(modes[mode], text) == 0) {
			*field = (SessionTls)mode;
			return true;
		}
	}
	return invalid(error, "option tls must be implicit, starttls or none");
}

static void set_string(char **field, char *value)
{
	g_free(*field);
	*field = value;
}

static bool apply(Options *options, const Setting *setting, GError **error)
{
	const Spec *spec = find_spec(setting->name);
	if (!spec && is_tolerated(setting))
		return true;
	if (!spec)
		return invalid(error, "unknown option: %s", setting->name);
	void *field = G_STRUCT_MEMBER_P(options, spec->offset);
	if (spec->kind == KIND_FLAG)
		return set_flag(field, setting, error);
	if (!setting->value || *setting->value == '\0')
		return invalid(error, "option %s needs a value: %s=%s", spec->name, spec->name,
			spec->value);

	switch (spec->kind) {
	case KIND_STRING:
		set_string(field, g_strdup(setting->value));
		return true;
	case KIND_FILE:
		set_string(field, g_canonicalize_filename(setting->value, NULL));
		return true;
	case KIND_NUMBER:
		return set_number(field, spec, setting->value, error);
	case KIND_OCTAL:
		return set_octal(field, spec, setting->value, error);
	case KIND_SIZE:
		return set_size(field, spec, setting->value, error);
	case KIND_TLS:
		return set_tls(field, setting->value, error);
	case KIND_FLAG:
		break;
	}
	g_return_val_if_reached(false);
}

static bool apply_all(Options *options, const GArray *settings, GError **error)
{
	for (guint i = 0; i < settings->len; i++) {
		if (!apply(options, &g_array_index(settings, Setting, i), error))
			return false;
	}
	return true;
}

/* ---- where settings come from ---- */

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
		invalid(error, "%s: %s", path, why->message);
		return NULL;
	}
	if (!loaded || !g_key_file_has_group(file, name)) {
		invalid(error, "%s is neither a URL (imaps://user@host) nor an account of %s", name,
			path);
		return NULL;
	}
	g_auto(GStrv) keys = g_key_file_get_keys(file, name, NULL, NULL);
	g_autofree char *source = NULL;
	for (guint i = 0; keys[i]; i++) {
		Setting setting = {0};
		g_clear_error(&why);
		setting.value = g_key_file_get_string(file, name, keys[i], &why);
		if (!setting.value) {
			invalid(error, "%s: account %s: %s", path, name, why->message);
			return NULL;
		}
		if (strcmp(keys[i], "source") == 0) {
			set_string(&source, setting.value);
			continue;
		}
		setting.name = g_strdup(keys[i]);
		g_array_append_val(settings, setting);
	}
	if (!source || !source_is_url(source)) {
		invalid(error, "%s: account %s has no source=imaps://user@host", path, name);
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
				return invalid(error, "-o needs an argument");
			add_settings(line->settings, *ret_took_next ? next : letters + 1);
			return true;
		default:
			return invalid(error, "unknown option: -%c", *letters);
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
			return invalid(error, "unknown option: %s", word);
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
		return invalid(error, "status needs one MOUNTPOINT; see imapfs --help");
	if (line->settings->len > 0)
		return invalid(error, "status takes no -o");
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
		return invalid(error, "--json is for imapfs status");
	if (n > 0 && strcmp(words[0], "check") == 0) {
		options->action = OPTIONS_CHECK;
		if (n < 2)
			return invalid(error, "check needs one SOURCE; see imapfs --help");
		if (n > 2)
			return invalid(error, "check needs one SOURCE, not also %s", words[2]);
		options->name = g_strdup(words[1]);
		return true;
	}
	if (n < 2)
		return invalid(error, "SOURCE and MOUNTPOINT are needed; see imapfs --help");
	if (n > 2)
		return invalid(error, "SOURCE and MOUNTPOINT are expected, not also %s", words[2]);
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
		!apply_all(options, account, error))
		return false;
	if (sets_secret(line)) {
		g_clear_pointer(&options->passcmd, g_free);
		g_clear_pointer(&options->passfile, g_free);
		g_clear_pointer(&options->tokencmd, g_free);
	}
	return apply_all(options, line, error);
}

static bool check(const Options *options, GError **error)
{
	const char *host = options->source.host;
	if (!!options->passcmd + !!options->passfile + !!options->tokencmd > 1)
		return invalid(error, "only one of passcmd, passfile and tokencmd can be given");
	if (options->source.tls == SESSION_TLS_NONE && !source_host_is_loopback(host))
		return invalid(error,
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

void options_free(Options *options)
{
	if (!options)
		return;
	source_clear(&options->source);
	for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
		if (specs[i].kind == KIND_STRING || specs[i].kind == KIND_FILE)
			g_free(*(char **)G_STRUCT_MEMBER_P(options, specs[i].offset));
	}
	g_free(options->name);
	g_free(options->account);
	g_free(options->mountpoint);
	g_free(options);
}

char *options_help(void)
{
	GString *text =
		g_string_new("Usage: imapfs [options] SOURCE MOUNTPOINT    mount an IMAP account\n"
			     "       imapfs check SOURCE                   log in and say what the "
			     "server offers\n"
			     "       imapfs status [--json] MOUNTPOINT     say how a mount "
			     "stands\n"
			     "       imapfs --help | --version\n"
			     "\n"
			     "SOURCE is imaps://user@host[:port][/Mailbox] (TLS), "
			     "imap://user@host[:port][/Mailbox]\n"
			     "(STARTTLS) or an account of $XDG_CONFIG_HOME/imapfs/config.\n"
			     "\n"
			     "  -f                    stay in the foreground\n"
			     "  -d                    stay there and say what is done\n"
			     "  -o OPTION[,OPTION...]\n");
	for (gsize i = 0; i < G_N_ELEMENTS(specs); i++) {
		const Spec *spec = &specs[i];
		g_autofree char *left = spec->value
						? g_strdup_printf("%s=%s", spec->name, spec->value)
						: g_strdup(spec->name);
		bool wide = strlen(left) > 19;
		g_string_append_printf(
			text, wide ? "    %s\n%24s%s\n" : "    %-19s %s%s\n", left, "", spec->help);
	}
	return g_string_free(text, FALSE);
}
