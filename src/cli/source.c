#include "cli/source.h"

#include <string.h>

typedef struct {
	const char *name;
	SessionTls tls;
} Scheme;

static const Scheme schemes[] = {
	{"imaps", SESSION_TLS_IMPLICIT},
	{"imap", SESSION_TLS_STARTTLS},
};

static bool invalid(GError **error, const char *text)
{
	g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_INVALID, text);
	return false;
}

bool source_is_url(const char *text)
{
	return strstr(text, "://") != NULL;
}

static const Scheme *find_scheme(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(schemes); i++) {
		if (strcmp(schemes[i].name, name) == 0)
			return &schemes[i];
	}
	return NULL;
}

static bool has_control(const char *text)
{
	for (; *text; text++) {
		if (g_ascii_iscntrl(*text))
			return true;
	}
	return false;
}

static bool check(GUri *uri, GError **error)
{
	const char *user = g_uri_get_user(uri);
	const char *host = g_uri_get_host(uri);
	if (g_uri_get_password(uri))
		return invalid(error, "SOURCE must not hold a password: any user of this machine "
				      "can read it there. Use passcmd or passfile");
	if (!find_scheme(g_uri_get_scheme(uri)))
		return invalid(error, "SOURCE must begin with imaps:// or imap://");
	if (!user || *user == '\0')
		return invalid(error, "SOURCE names no user: imaps://user@host");
	if (!host || *host == '\0')
		return invalid(error, "SOURCE names no host: imaps://user@host");
	if (has_control(user) || has_control(host) || has_control(g_uri_get_path(uri)))
		return invalid(error, "SOURCE holds a control character");
	if (g_uri_get_query(uri) || g_uri_get_fragment(uri))
		return invalid(error, "SOURCE must not have a query or a fragment; "
				      "write ? as %3F and # as %23");
	if (g_uri_get_port(uri) == 0)
		return invalid(error, "SOURCE has a port that is no number from 1 to 65535");
	return true;
}

/* "/Archive/2026/" is "Archive/2026"; NULL when nothing is left. */
static char *mailbox_of(const char *path)
{
	while (*path == '/')
		path++;
	gsize len = strlen(path);
	while (len > 0 && path[len - 1] == '/')
		len--;
	return len > 0 ? g_strndup(path, len) : NULL;
}

bool source_parse(const char *text, Source *ret, GError **error)
{
	g_autoptr(GError) why = NULL;
	g_autoptr(GUri) uri = g_uri_parse(text, G_URI_FLAGS_HAS_PASSWORD, &why);
	if (g_error_matches(why, G_URI_ERROR, G_URI_ERROR_BAD_PORT))
		return invalid(error, "SOURCE has a port that is no number from 1 to 65535");
	if (!uri)
		return invalid(error, "SOURCE is not a valid URL: write imaps://user@host with any "
				      "@, : and / of the user name as %40, %3A and %2F");
	if (!check(uri, error))
		return false;
	*ret = (Source){
		.host = g_strdup(g_uri_get_host(uri)),
		.port = g_uri_get_port(uri) > 0 ? (guint16)g_uri_get_port(uri) : 0,
		.user = g_strdup(g_uri_get_user(uri)),
		.mailbox = mailbox_of(g_uri_get_path(uri)),
		.tls = find_scheme(g_uri_get_scheme(uri))->tls,
	};
	return true;
}

void source_clear(Source *source)
{
	g_clear_pointer(&source->host, g_free);
	g_clear_pointer(&source->user, g_free);
	g_clear_pointer(&source->mailbox, g_free);
}

bool source_host_is_loopback(const char *host)
{
	if (g_ascii_strcasecmp(host, "localhost") == 0)
		return true;
	g_autoptr(GInetAddress) address = g_inet_address_new_from_string(host);
	return address && g_inet_address_get_is_loopback(address);
}
