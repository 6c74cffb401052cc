/* Where the mail is: the SOURCE of the command line as a URL. Pure. */
#pragma once

#include "session/session.h"

typedef struct {
	char *host;
	guint16 port; /* 0: the usual one of the TLS mode */
	char *user;
	char *mailbox; /* the mount's root, or NULL */
	SessionTls tls;
} Source;

/* Whether text is a URL; otherwise it is the name of an account. */
bool source_is_url(const char *text);

/* imaps://user@host[:port][/Mailbox], imap:// likewise, percent-decoded. MAIL_ERROR_INVALID; the
 * text of the URL is never in the message, since a password may be in it. */
bool source_parse(const char *text, Source *ret, GError **error);

void source_clear(Source *source);

/* Whether host is certainly this machine: "localhost" or a literal address of the loopback range.
 */
bool source_host_is_loopback(const char *host);
