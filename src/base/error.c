#include "base/error.h"

GQuark mail_error_quark(void)
{
	return g_quark_from_static_string("mail-error-quark");
}

MailGrade mail_error_grade(MailError code)
{
	switch (code) {
	case MAIL_ERROR_TIMEOUT:
	case MAIL_ERROR_OFFLINE:
	case MAIL_ERROR_UNAVAILABLE:
	case MAIL_ERROR_AUTH:
	case MAIL_ERROR_TLS:
	case MAIL_ERROR_PROTOCOL:
		return MAIL_GRADE_ACCOUNT;
	case MAIL_ERROR_ACCESS:
	case MAIL_ERROR_QUOTA:
	case MAIL_ERROR_BUSY:
	case MAIL_ERROR_READ_ONLY:
		return MAIL_GRADE_MAILBOX;
	case MAIL_ERROR_IO:
	case MAIL_ERROR_NOT_FOUND:
	case MAIL_ERROR_EXISTS:
	case MAIL_ERROR_LIMIT:
	case MAIL_ERROR_STALE:
	case MAIL_ERROR_TOO_BIG:
	case MAIL_ERROR_INVALID:
	case MAIL_ERROR_CANCELLED:
	case MAIL_ERROR_DENIED:
	case MAIL_ERROR_NOT_EMPTY:
	case MAIL_ERROR_NO_SPACE:
		break;
	}
	return MAIL_GRADE_MESSAGE;
}
