#include <string.h>

#include "base/log.h"
#include "session/private.h"

/* The one table: response code (RFC 5530 and friends) to error code. */
static const struct {
	ImapCode code;
	MailError error;
} TABLE[] = {
	{IMAP_CODE_ALREADYEXISTS, MAIL_ERROR_EXISTS},
	{IMAP_CODE_AUTHENTICATIONFAILED, MAIL_ERROR_AUTH},
	{IMAP_CODE_AUTHORIZATIONFAILED, MAIL_ERROR_ACCESS},
	{IMAP_CODE_CANNOT, MAIL_ERROR_INVALID},
	{IMAP_CODE_EXPIRED, MAIL_ERROR_AUTH},
	{IMAP_CODE_EXPUNGEISSUED, MAIL_ERROR_STALE},
	{IMAP_CODE_HASCHILDREN, MAIL_ERROR_NOT_EMPTY},
	{IMAP_CODE_INUSE, MAIL_ERROR_BUSY},
	{IMAP_CODE_LIMIT, MAIL_ERROR_LIMIT},
	{IMAP_CODE_NONEXISTENT, MAIL_ERROR_NOT_FOUND},
	{IMAP_CODE_NOPERM, MAIL_ERROR_ACCESS},
	{IMAP_CODE_OVERQUOTA, MAIL_ERROR_QUOTA},
	{IMAP_CODE_PRIVACYREQUIRED, MAIL_ERROR_TLS},
	{IMAP_CODE_READ_ONLY, MAIL_ERROR_READ_ONLY},
	{IMAP_CODE_THROTTLED, MAIL_ERROR_UNAVAILABLE},
	{IMAP_CODE_TOOBIG, MAIL_ERROR_TOO_BIG},
	{IMAP_CODE_TRYCREATE, MAIL_ERROR_NOT_FOUND},
	{IMAP_CODE_UNAVAILABLE, MAIL_ERROR_UNAVAILABLE},
};

static MailError error_of(const ImapStatus *status)
{
	for (gsize i = 0; i < G_N_ELEMENTS(TABLE); i++)
		if (TABLE[i].code == status->code)
			return TABLE[i].error;
	return MAIL_ERROR_IO;
}

/* The words may be anything, in any language: what the error was taken for shows in the code. */
static GError *says(MailError code, const ImapStatus *status, const char *context)
{
	g_autofree char *text = log_escape(status->text.data, status->text.len, 200);
	if (status->code == IMAP_CODE_NONE || status->code == IMAP_CODE_OTHER)
		return g_error_new(
			MAIL_ERROR, (gint)code, "%s: the server says: %s", context, text);
	return g_error_new(MAIL_ERROR, (gint)code, "%s: the server says: [%s] %s", context,
		imap_code_name(status->code), text);
}

GError *code_error(const ImapStatus *status, const char *context)
{
	if (status->kind == IMAP_STATUS_OK)
		return NULL;
	return says(error_of(status), status, context);
}

/* BYE ends the connection, whatever its code is about, and the next may fare better: except that
 * said to a login it can be the refusal. */
GError *code_bye_error(const ImapStatus *status, const char *host, bool in_login)
{
	bool refused = in_login && error_of(status) == MAIL_ERROR_AUTH;
	return says(refused ? MAIL_ERROR_AUTH : MAIL_ERROR_UNAVAILABLE, status, host);
}

/* Codes with which a login is refused for now, whatever the password. */
static bool is_transient(ImapCode code)
{
	switch (code) {
	case IMAP_CODE_UNAVAILABLE:
	case IMAP_CODE_INUSE:
	case IMAP_CODE_LIMIT:
	case IMAP_CODE_OVERQUOTA:
	case IMAP_CODE_THROTTLED:
	case IMAP_CODE_SERVERBUG:
		return true;
	default:
		return false;
	}
}

/* Gmail ([ALERT] Too many simultaneous connections) and others (Maximum number of connections from
 * user+IP exceeded) say it in words only. */
static bool says_too_many(const ImapStatus *status)
{
	static const char *const phrases[] = {"too many", "simultaneous", "number of connections"};
	if (status->code != IMAP_CODE_NONE && status->code != IMAP_CODE_OTHER &&
		status->code != IMAP_CODE_ALERT)
		return false;
	g_autofree char *text = g_ascii_strdown(
		status->text.data ? status->text.data : "", (gssize)status->text.len);
	for (gsize i = 0; i < G_N_ELEMENTS(phrases); i++)
		if (strstr(text, phrases[i]))
			return true;
	return false;
}

/* Gmail says it at the end of the line: "Account exceeded command or bandwidth limits.
 * [THROTTLED]" (hence no response code). */
bool code_is_throttled(const ImapStatus *status)
{
	static const char word[] = "[THROTTLED]";
	if (status->kind == IMAP_STATUS_OK || status->kind == IMAP_STATUS_PREAUTH)
		return false;
	if (status->code == IMAP_CODE_THROTTLED)
		return true;
	if (status->kind == IMAP_STATUS_BYE && says_too_many(status))
		return true;
	return status->text.data &&
	       g_strstr_len(status->text.data, (gssize)status->text.len, word) != NULL;
}

/* A NO to a login without a code that says otherwise means: this secret is wrong, do not try again
 * (accounts get locked). BAD means that the server did not come to judge it (RFC 9051 7.1.3). */
GError *code_login_error(const ImapStatus *status)
{
	GError *error = code_error(status, "login");
	if (!error)
		return NULL;
	bool judged = status->kind == IMAP_STATUS_NO || error->code == MAIL_ERROR_AUTH;
	if (!judged || is_transient(status->code) || says_too_many(status) ||
		code_is_throttled(status))
		error->code = MAIL_ERROR_UNAVAILABLE;
	else if (status->code != IMAP_CODE_PRIVACYREQUIRED)
		error->code = MAIL_ERROR_AUTH;
	return error;
}
