/* The table of options: what each is called, takes and sets. */
#include "cli/options.h"
#include "cli/setting.h"

#include <string.h>

typedef enum {
	KIND_FLAG, /* bool */
	KIND_STRING, /* char * */
	KIND_FILE, /* char *, made absolute */
	KIND_NUMBER, /* guint */
	KIND_OCTAL, /* guint */
	KIND_SIZE, /* guint64, with K, M or G */
	KIND_CHOICE, /* an enum, in the order of its words */
} Kind;

typedef struct {
	const char *name;
	const char *value; /* what stands behind the `=`, or NULL */
	Kind kind;
	gsize offset;
	guint64 min, max;
	const char *help; /* with the default */
	const char *const *words; /* of KIND_CHOICE, NULL-terminated */
} Spec;

#define FIELD(name) G_STRUCT_OFFSET(Options, name)
#define MEBIBYTE (1 << 20)

static const char *const tls_words[] = {
	[SESSION_TLS_IMPLICIT] = "implicit",
	[SESSION_TLS_STARTTLS] = "starttls",
	[SESSION_TLS_NONE] = "none",
	NULL,
};

static const char *const delete_words[] = {
	[FS_DELETE_EXPUNGE] = "expunge",
	[FS_DELETE_TRASH] = "trash",
	[FS_DELETE_MARK] = "mark",
	[FS_DELETE_DENY] = "deny",
	NULL,
};

static const char *const edit_words[] = {
	[FS_EDIT_DRAFTS] = "drafts",
	[FS_EDIT_ALL] = "all",
	[FS_EDIT_NONE] = "none",
	NULL,
};

static const char *const names_words[] = {
	[FS_NAMES_UID] = "uid",
	[FS_NAMES_SUBJECT] = "subject",
	NULL,
};

static const Spec specs[] = {
	{"passcmd", "CMD", KIND_STRING, FIELD(passcmd), 0, 0,
		"command that prints the password (default: ask on the terminal)"},
	{"passfile", "FILE", KIND_FILE, FIELD(passfile), 0, 0, "file that holds the password"},
	{"tokencmd", "CMD", KIND_STRING, FIELD(tokencmd), 0, 0,
		"command that prints an OAuth2 access token"},
	{"auth", "MECH", KIND_STRING, FIELD(auth), 0, 0,
		"SASL mechanism (default: the strongest offered)"},
	{"tls", "MODE", KIND_CHOICE, FIELD(source.tls), 0, 0,
		"implicit, starttls or none (default: from SOURCE)", tls_words},
	{"cafile", "FILE", KIND_FILE, FIELD(cafile), 0, 0,
		"trusted certificates (default: the system's)"},
	{"fingerprint", "SHA256", KIND_STRING, FIELD(fingerprint), 0, 0,
		"trust exactly the certificate with this hash"},
	{"cachedir", "DIR", KIND_FILE, FIELD(cachedir), 0, 0,
		"where index and bodies are kept (default: $XDG_CACHE_HOME/imapfs)"},
	{"cache_size", "SIZE", KIND_SIZE, FIELD(cache_size), MEBIBYTE, G_MAXINT64,
		"how much of bodies, with K, M or G, at least 1M (default: 2G)"},
	{"ro", NULL, KIND_FLAG, FIELD(ro), 0, 0, "change nothing, neither mail nor folders"},
	{"delete", "HOW", KIND_CHOICE, FIELD(delete), 0, 0,
		"what rm does: expunge, trash, mark, deny (default: expunge)", delete_words},
	{"edit", "WHERE", KIND_CHOICE, FIELD(edit), 0, 0,
		"where mail is rewritten: drafts, all, none (default: drafts)", edit_words},
	{"sync", NULL, KIND_FLAG, FIELD(sync), 0, 0,
		"each change waits until the server has done it"},
	{"names", "HOW", KIND_CHOICE, FIELD(names), 0, 0,
		"what messages are called: uid, subject (default: uid)", names_words},
	{"views", NULL, KIND_FLAG, FIELD(views), 0, 0,
		"list the hidden directories, too: .text, .parts, .search, .names"},
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

bool options_invalid(GError **error, const char *format, ...)
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
		return options_invalid(error, "option %s takes no value", setting->name);
	return true;
}

static bool set_number(guint *field, const Spec *spec, const char *text, GError **error)
{
	guint64 number;
	if (!g_ascii_string_to_unsigned(text, 10, spec->min, spec->max, &number, NULL))
		return options_invalid(error,
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
		return options_invalid(error, "option %s must be an octal number from 0 to %o",
			spec->name, (guint)spec->max);
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
		return options_invalid(error, "option %s=%s: %s", spec->name, text,
			why->code == G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS
				? "this is too large"
				: "must be a size, such as 500M or 2G");
	if (number << shift < spec->min)
		return options_invalid(
			error, "option %s=%s: must be at least 1M", spec->name, text);
	*field = number << shift;
	return true;
}

/* The field is an enum of no negative value. */
static bool set_choice(guint *field, const Spec *spec, const char *text, GError **error)
{
	for (guint i = 0; spec->words[i]; i++) {
		if (strcmp(spec->words[i], text) == 0) {
			*field = i;
			return true;
		}
	}
	g_autofree char *words = g_strjoinv(", ", (char **)spec->words);
	return options_invalid(error, "option %s must be one of: %s", spec->name, words);
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
		return options_invalid(error, "unknown option: %s", setting->name);
	void *field = G_STRUCT_MEMBER_P(options, spec->offset);
	if (spec->kind == KIND_FLAG)
		return set_flag(field, setting, error);
	if (!setting->value || *setting->value == '\0')
		return options_invalid(error, "option %s needs a value: %s=%s", spec->name,
			spec->name, spec->value);

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
	case KIND_CHOICE:
		return set_choice(field, spec, setting->value, error);
	case KIND_FLAG:
		break;
	}
	g_return_val_if_reached(false);
}

bool options_apply(Options *options, const GArray *settings, GError **error)
{
	for (guint i = 0; i < settings->len; i++) {
		if (!apply(options, &g_array_index(settings, Setting, i), error))
			return false;
	}
	return true;
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
			     "       imapfs check [options] SOURCE         log in and say what the "
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
