/* The error codes of imapfs. Every GError that crosses a layer is in MAIL_ERROR;
 * fs/kernel.c turns a code into an errno, mail_error_grade() says how far it reaches. */
#pragma once

#include <glib.h>

#define MAIL_ERROR (mail_error_quark())

typedef enum {
	MAIL_ERROR_IO, /* anything without a better name */
	MAIL_ERROR_NOT_FOUND, /* [NONEXISTENT], an unknown UID */
	MAIL_ERROR_EXISTS, /* [ALREADYEXISTS] */
	MAIL_ERROR_ACCESS, /* [NOPERM], [AUTHORIZATIONFAILED] */
	MAIL_ERROR_QUOTA, /* [OVERQUOTA] */
	MAIL_ERROR_LIMIT, /* [LIMIT], a bound of base/limits.h */
	MAIL_ERROR_BUSY, /* [INUSE] */
	MAIL_ERROR_STALE, /* [EXPUNGEISSUED], a message that is gone, an old UIDVALIDITY */
	MAIL_ERROR_READ_ONLY, /* [READ-ONLY] */
	MAIL_ERROR_TOO_BIG, /* [TOOBIG] */
	MAIL_ERROR_INVALID, /* [CANNOT], bad arguments and options */
	MAIL_ERROR_TIMEOUT, /* no progress for `timeout` seconds */
	MAIL_ERROR_OFFLINE, /* the account is known to be unreachable */
	MAIL_ERROR_UNAVAILABLE, /* the server asks to come back later: [UNAVAILABLE], BYE,
				   [THROTTLED] */
	MAIL_ERROR_AUTH, /* the login was refused: no retry with the same secret */
	MAIL_ERROR_TLS, /* certificate, host name, STARTTLS stripped or injected */
	MAIL_ERROR_PROTOCOL, /* the server broke the grammar: this connection is closed */
	MAIL_ERROR_CANCELLED, /* the caller gave up, the mount ends */
	MAIL_ERROR_DENIED, /* what imapfs itself does not do: `delete`, `edit`, `ro` */
	MAIL_ERROR_NOT_EMPTY, /* a mailbox with messages or mailboxes in it is not deleted */
	MAIL_ERROR_NO_SPACE, /* the local disk is full */
} MailError;

/* How far an error reaches. */
typedef enum {
	MAIL_GRADE_MESSAGE, /* this request only */
	MAIL_GRADE_MAILBOX, /* everything in this mailbox */
	MAIL_GRADE_ACCOUNT, /* this connection, and with it the account until it is back */
} MailGrade;

/* The GError domain. Any thread. */
GQuark mail_error_quark(void);

/* The blast radius of a code. Any thread. */
MailGrade mail_error_grade(MailError code);
