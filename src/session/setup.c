/* From the greeting to a session that is ready: STARTTLS, capabilities, login, and what is said
 * right after it. */
#include "session/private.h"

void setup_capabilities(Session *session, const ImapCapabilities *caps)
{
	session->caps = caps->caps;
	session->append_limit = caps->append_limit;
	session->caps_known = true;
	g_strfreev(session->mechs);
	session->mechs = g_strdupv((char **)caps->mechs);
}

/* What was said before TLS or before the login does not count after it. */
static void forget_capabilities(Session *session)
{
	session->caps = 0;
	session->append_limit = 0;
	session->caps_known = false;
	g_clear_pointer(&session->mechs, g_strfreev);
}

static void capability_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Session *session = data;
	if (session->step == STEP_OVER)
		return;
	if (!error && session->caps_known)
		session_advance(session);
	else if (session->step == STEP_CLEAR_CAPABILITY)
		session_failf(session, MAIL_ERROR_TLS,
			"%s does not say what it offers before TLS; STARTTLS is required",
			session->config.host);
	else
		session_failf(session, MAIL_ERROR_PROTOCOL, "%s does not answer CAPABILITY",
			session->config.host);
}

static void ask_capability(Session *session, Step step)
{
	session->step = step;
	if (session->caps_known)
		session_advance(session);
	else
		queue_submit(session, SESSION_ALONE, imap_command_new("CAPABILITY"), NULL,
			capability_done, session);
}

static void starttls_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Session *session = data;
	if (session->step == STEP_OVER)
		return;
	if (!status || error) {
		session_failf(session, MAIL_ERROR_TLS, "%s refused STARTTLS", session->config.host);
		return;
	}
	session->secured = true;
	forget_capabilities(session);
	net_stream_start_tls(session->net);
}

static void send_starttls(Session *session)
{
	session->step = STEP_STARTTLS;
	if (session->caps & IMAP_CAP_BIT(IMAP_CAP_STARTTLS))
		queue_submit(session, SESSION_ALONE, imap_command_new("STARTTLS"), NULL,
			starttls_done, session);
	else
		session_failf(session, MAIL_ERROR_TLS,
			"%s does not offer STARTTLS, which is required on this port",
			session->config.host);
}

static void choose_login(Session *session)
{
	GError *error = NULL;
	if (!auth_choose(session, &error)) {
		session_fail(session, error);
		return;
	}
	session->step = STEP_SECRET;
	auth_fetch_secret(session);
}

void session_logged_in(const ImapStatus *status, const GError *error, gpointer data)
{
	Session *session = data;
	if (session->step == STEP_OVER)
		return;
	if (error) {
		session_fail(session, status ? code_login_error(status) : g_error_copy(error));
		return;
	}
	GError *unproved = NULL;
	if (!auth_complete(session, &unproved)) {
		session_fail(session, unproved);
		return;
	}
	auth_forget(session);
	/* RFC 3501 7.2.1: capabilities of before are void unless this answer brought new ones. */
	if (status->code != IMAP_CODE_CAPABILITY && !session->caps_after_login)
		forget_capabilities(session);
	session_advance(session);
}

static void ignore_done(const ImapStatus *status, const GError *error, gpointer data)
{
}

/* RFC 2971. Some servers want it before SELECT; nobody needs to wait for the answer. */
static void send_id(Session *session)
{
	if (!(session->caps & IMAP_CAP_BIT(IMAP_CAP_ID)))
		return;
	ImapCommand *line = imap_command_new("ID");
	imap_command_raw(line, "(\"name\" \"imapfs\" \"version\" \"" IMAPFS_VERSION "\")");
	queue_submit(session, SESSION_ANY, line, NULL, ignore_done, NULL);
}

static void enable_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Session *session = data;
	session->enabling = false;
}

/* RFC 7162 3.2.3. Only ENABLED tells whether it came about: some servers say OK and no more. */
static void send_enable(Session *session)
{
	static const guint64 needed =
		IMAP_CAP_BIT(IMAP_CAP_ENABLE) | IMAP_CAP_BIT(IMAP_CAP_QRESYNC);
	if ((session->caps & needed) != needed)
		return;
	session->enabling = true;
	ImapCommand *line = imap_command_new("ENABLE");
	imap_command_raw(line, "QRESYNC");
	queue_submit(session, SESSION_ANY, line, NULL, enable_done, session);
}

static void become_ready(Session *session)
{
	session->step = STEP_READY;
	send_id(session);
	send_enable(session);
	session->events->ready(session->data);
}

/* After the greeting: the TLS that the configuration demands comes before anything else. */
static void after_greeting(Session *session)
{
	const SessionConfig *config = &session->config;
	if (config->tls == SESSION_TLS_STARTTLS) {
		if (session->preauth)
			session_failf(session, MAIL_ERROR_TLS,
				"%s greets with PREAUTH, so that TLS cannot be started",
				config->host);
		else
			ask_capability(session, STEP_CLEAR_CAPABILITY);
		return;
	}
	ask_capability(session, session->preauth ? STEP_LOGGED_IN_CAPABILITY : STEP_CAPABILITY);
}

/* Called when what the present step waits for is there. */
void session_advance(Session *session)
{
	switch (session->step) {
	case STEP_GREETING:
		after_greeting(session);
		break;
	case STEP_CLEAR_CAPABILITY:
		send_starttls(session);
		break;
	case STEP_STARTTLS:
		ask_capability(session, STEP_CAPABILITY);
		break;
	case STEP_CAPABILITY:
		choose_login(session);
		break;
	case STEP_SECRET:
		session->step = STEP_LOGIN;
		auth_login(session);
		break;
	case STEP_LOGIN:
		ask_capability(session, STEP_LOGGED_IN_CAPABILITY);
		break;
	case STEP_LOGGED_IN_CAPABILITY:
		become_ready(session);
		break;
	case STEP_READY:
	case STEP_LOGOUT:
	case STEP_OVER:
		break;
	}
}
