#include "session/session.h"

#include <string.h>

#include "base/limits.h"
#include "session/private.h"

static bool on_response(const ImapResponse *response, gpointer data);

/* ---- the end ---- */

/* Ends everything once; what is freed here is not in use by a caller further up the stack. */
void session_fail(Session *session, GError *error)
{
	g_autoptr(GError) reason = error;
	if (session->step == STEP_OVER)
		return;
	session->step = STEP_OVER;
	auth_forget(session);
	idle_free(session);
	selected_clear(session);
	g_clear_pointer(&session->net, net_stream_free);
	g_autoptr(GError) lost =
		reason ? g_error_copy(reason)
		       : g_error_new(MAIL_ERROR, MAIL_ERROR_CANCELLED, "logged out");
	queue_fail_all(session, lost);
	session->events->closed(reason, session->data);
}

void session_failf(Session *session, MailError code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	GError *error = g_error_new_valist(MAIL_ERROR, (gint)code, format, args);
	va_end(args);
	session_fail(session, error);
}

void session_close(Session *session, const GError *error)
{
	session_fail(session, g_error_copy(error));
}

void session_free(Session *session)
{
	if (!session)
		return;
	session->step = STEP_OVER;
	auth_forget(session);
	selected_clear(session);
	net_stream_free(session->net);
	imap_stream_free(session->stream);
	idle_free(session);
	queue_free(session);
	g_strfreev(session->mechs);
	g_free(session->mech);
	g_free(session->greeting);
	g_free((char *)session->config.host);
	g_free((char *)session->config.user);
	g_free((char *)session->config.mech);
	g_main_context_unref(session->context);
	g_free(session);
}

/* Until TLS is up what the server says may be anybody's words: they are not shown. */
static bool in_clear(const Session *session)
{
	return session->config.tls == SESSION_TLS_STARTTLS && !net_stream_is_secure(session->net);
}

static void fail_bye(Session *session, const ImapStatus *status)
{
	if (in_clear(session)) {
		session_failf(session, MAIL_ERROR_UNAVAILABLE, "%s: the server ends the connection",
			session->config.host);
		return;
	}
	session->throttled |= code_is_throttled(status);
	session_fail(
		session, code_bye_error(status, session->config.host, session->step == STEP_LOGIN));
}

/* ---- responses ---- */

static void show_alert(Session *session, const ImapStatus *status)
{
	if (status->code != IMAP_CODE_ALERT || in_clear(session) ||
		!log_limit_ok(&session->alert_limit))
		return;
	g_autofree char *text = log_escape(status->text.data, status->text.len, 300);
	g_message("%s says: %s", session->config.host, text);
}

static void take_greeting(Session *session, const ImapResponse *response)
{
	if (response->kind != IMAP_RESPONSE_STATUS ||
		(response->status.kind != IMAP_STATUS_OK &&
			response->status.kind != IMAP_STATUS_PREAUTH &&
			response->status.kind != IMAP_STATUS_BYE)) {
		session_failf(session, MAIL_ERROR_PROTOCOL, "%s port %u is no IMAP server",
			session->config.host, session->config.port);
		return;
	}
	if (response->status.kind == IMAP_STATUS_BYE) {
		fail_bye(session, &response->status);
		return;
	}
	show_alert(session, &response->status);
	if (response->status.caps)
		setup_capabilities(session, response->status.caps);
	session->preauth = response->status.kind == IMAP_STATUS_PREAUTH;
	if (!in_clear(session))
		session->greeting =
			log_escape(response->status.text.data, response->status.text.len, 200);
	session_advance(session);
}

/* Untagged data before the login: capabilities and nothing else (CVE-2021-38370). */
static bool believed_early(const ImapResponse *response)
{
	return response->kind == IMAP_RESPONSE_CAPABILITY || response->kind == IMAP_RESPONSE_STATUS;
}

static void take_status(Session *session, const ImapStatus *status)
{
	show_alert(session, status);
	session->throttled |= code_is_throttled(status);
	if (status->caps)
		setup_capabilities(session, status->caps);
	if (status->kind == IMAP_STATUS_BYE && session->step != STEP_LOGOUT)
		fail_bye(session, status);
}

static void limit_chatter(Session *session, ImapResponseKind kind)
{
	if (kind != IMAP_RESPONSE_STATUS)
		session->chatter = 0;
	else if (++session->chatter > LIMIT_CHATTER)
		session_failf(
			session, MAIL_ERROR_PROTOCOL, "%s talks without end", session->config.host);
}

static void take_untagged(Session *session, const ImapResponse *response)
{
	bool logged_in = session->step == STEP_READY || session->step == STEP_LOGOUT;
	if (!logged_in && !believed_early(response))
		return;
	if (response->kind == IMAP_RESPONSE_CAPABILITY) {
		setup_capabilities(session, &response->caps);
		session->caps_after_login = session->step == STEP_LOGIN;
	} else if (response->kind == IMAP_RESPONSE_ENABLED && session->enabling) {
		session->qresync |= (response->caps.caps & IMAP_CAP_BIT(IMAP_CAP_QRESYNC)) != 0;
	} else if (response->kind == IMAP_RESPONSE_STATUS) {
		take_status(session, &response->status);
	}
	limit_chatter(session, response->kind);
	if (logged_in && session->step != STEP_OVER && selected_note(session, response) &&
		session->step != STEP_OVER)
		session->events->response(response, session->data);
}

static void take_tagged(Session *session, const ImapResponse *response)
{
	session->chatter = 0;
	session->throttled |= code_is_throttled(&response->status);
	/* RFC 3501 7: resp-cond-state is all that a tag may stand before. */
	if (response->status.kind == IMAP_STATUS_PREAUTH ||
		response->status.kind == IMAP_STATUS_BYE) {
		session_failf(session, MAIL_ERROR_PROTOCOL,
			"%s answered a command with neither OK, NO nor BAD", session->config.host);
		return;
	}
	show_alert(session, &response->status);
	if (response->status.caps && response->status.kind == IMAP_STATUS_OK)
		setup_capabilities(session, response->status.caps);
	queue_complete(session, &response->tag, &response->status);
}

static bool on_response(const ImapResponse *response, gpointer data)
{
	Session *session = data;
	/* A body callback may have ended the session within this response. */
	if (session->step == STEP_OVER)
		return false;
	if (session->step == STEP_GREETING)
		take_greeting(session, response);
	else if (response->kind == IMAP_RESPONSE_TAGGED)
		take_tagged(session, response);
	else if (response->kind != IMAP_RESPONSE_CONTINUATION)
		take_untagged(session, response);
	else if (session->step == STEP_LOGIN && session->mech)
		auth_challenge(session, &response->text);
	else if (session->step == STEP_STARTTLS)
		session_failf(session, MAIL_ERROR_TLS, "%s answered STARTTLS with a continuation",
			session->config.host);
	else
		queue_continue(session);
	return session->step != STEP_OVER;
}

static bool on_body_begin(const ImapBodyStart *start, gpointer data)
{
	Session *session = data;
	return session->step == STEP_READY && session->selection != 0 &&
	       session->events->body_begin(start, session->data) && session->step == STEP_READY;
}

static bool on_body_bytes(const void *bytes, gsize len, gpointer data)
{
	Session *session = data;
	session->events->body_bytes(bytes, len, session->data);
	return session->step != STEP_OVER;
}

static const ImapStreamEvents stream_events = {
	.response = on_response,
	.body_begin = on_body_begin,
	.body_bytes = on_body_bytes,
};

/* ---- the byte stream ---- */

/* RFC 3501 6.1: without TLS only this machine may be spoken to. */
static bool clear_allowed(Session *session)
{
	return session->config.tls != SESSION_TLS_NONE || net_stream_is_loopback(session->net);
}

static void on_opened(gpointer data)
{
	Session *session = data;
	session->progress_us = g_get_monotonic_time();
	if (clear_allowed(session))
		queue_watch(session);
	else
		session_failf(session, MAIL_ERROR_TLS,
			"%s is not on this machine: tls=none is refused", session->config.host);
}

static void on_secured(gpointer data)
{
	Session *session = data;
	session->secured = false;
	session->progress_us = g_get_monotonic_time();
	g_clear_pointer(&session->stream, imap_stream_free);
	session->stream = imap_stream_new(&stream_events, session);
	session_advance(session);
}

static bool too_much_early(Session *session, gsize len)
{
	if (session->step == STEP_READY || session->step == STEP_LOGOUT)
		return false;
	session->early_bytes += len;
	return session->early_bytes > LIMIT_BEFORE_LOGIN;
}

/* How many bytes may be looked at together: while STARTTLS is under way a line at a time, since
 * nothing behind its answer may even be parsed (CVE-2021-22947). */
static gsize portion(const Session *session, const char *bytes, gsize len)
{
	const char *lf = in_clear(session) ? memchr(bytes, '\n', len) : NULL;
	return lf ? (gsize)(lf + 1 - bytes) : len;
}

static void feed(Session *session, const char *bytes, gsize len)
{
	GError *error = NULL;
	if (imap_stream_feed(session->stream, bytes, len, &error) || !error)
		return;
	g_prefix_error(&error, "%s: ", session->config.host);
	session_fail(session, error);
}

static void on_received(const void *bytes, gsize len, gpointer data)
{
	Session *session = data;
	session->progress_us = g_get_monotonic_time();
	session->traffic.received += len;
	if (too_much_early(session, len)) {
		session_failf(session, MAIL_ERROR_PROTOCOL, "%s sends too much before the login",
			session->config.host);
		return;
	}
	for (gsize done = 0, n; done < len && session->step != STEP_OVER; done += n) {
		const char *at = (const char *)bytes + done;
		n = portion(session, at, len - done);
		feed(session, at, n);
		if (session->step == STEP_STARTTLS && session->secured && done + n < len)
			session_failf(session, MAIL_ERROR_TLS,
				"%s sent data behind its answer to STARTTLS: somebody may have "
				"injected it",
				session->config.host);
	}
}

void session_send(Session *session, GBytes *bytes)
{
	session->handed_bytes += g_bytes_get_size(bytes);
	net_stream_send(session->net, bytes);
}

/* A long upload moves although the server cannot say anything yet; but what leaves behind a command
 * that it could answer proves nothing. */
static void on_sent(gsize len, gpointer data)
{
	Session *session = data;
	const Command *oldest = g_queue_peek_head(&session->flying);
	if (oldest && session->traffic.sent < oldest->end)
		session->progress_us = g_get_monotonic_time();
	session->traffic.sent += len;
}

static void on_closed(const GError *error, gpointer data)
{
	Session *session = data;
	/* A missing close_notify after LOGOUT harms nobody. */
	if (session->step == STEP_LOGOUT)
		session_fail(session, NULL);
	else if (error)
		session_fail(session, g_error_copy(error));
	else
		session_failf(session, MAIL_ERROR_UNAVAILABLE, "%s closed the connection",
			session->config.host);
}

static const NetStreamEvents net_events = {
	.opened = on_opened,
	.secured = on_secured,
	.received = on_received,
	.sent = on_sent,
	.closed = on_closed,
};

/* ---- the interface ---- */

Session *session_open(GMainContext *context, const SessionConfig *config,
	const SessionEvents *events, gpointer data)
{
	Session *session = g_new0(Session, 1);
	session->context = g_main_context_ref(context);
	session->config = *config;
	session->config.host = g_strdup(config->host);
	session->config.user = g_strdup(config->user);
	session->config.mech = g_strdup(config->mech);
	session->events = events;
	session->data = data;
	session->step = STEP_GREETING;
	session->stream = imap_stream_new(&stream_events, session);
	NetAddress address = {
		.host = config->host,
		.port = config->port,
		.tls = config->tls == SESSION_TLS_IMPLICIT ? NET_TLS_IMPLICIT : NET_TLS_LATER,
		.timeout_ms = config->timeout_ms,
	};
	session->net = net_stream_open(context, config->trust, &address, &net_events, session);
	return session;
}

void session_submit(
	Session *session, SessionNeed need, ImapCommand *line, SessionDone done, gpointer data)
{
	queue_submit(session, need, line, NULL, done, data);
}

void session_select(Session *session, const char *mailbox, bool writable, const SessionKnown *known,
	SessionDone done, gpointer data)
{
	ImapCommand *line = imap_command_new(writable ? "SELECT" : "EXAMINE");
	imap_command_mailbox(line, mailbox, strlen(mailbox));
	Target *target = g_new(Target, 1);
	*target = (Target){g_strdup(mailbox), writable, *known};
	queue_submit(session, SESSION_SELECT, line, target, done, data);
}

static void logout_done(const ImapStatus *status, const GError *error, gpointer data)
{
	session_fail(data, NULL);
}

void session_logout(Session *session)
{
	if (session->step != STEP_READY) {
		session_fail(session, NULL);
		return;
	}
	session->step = STEP_LOGOUT;
	queue_submit(
		session, SESSION_ALONE, imap_command_new("LOGOUT"), NULL, logout_done, session);
}

bool session_take_throttled(Session *session)
{
	bool throttled = session->throttled;
	session->throttled = false;
	return throttled;
}

bool session_is_ready(const Session *session)
{
	return session->step == STEP_READY;
}

guint64 session_caps(const Session *session)
{
	return session->caps;
}

guint64 session_append_limit(const Session *session)
{
	return session->append_limit;
}

guint session_pending(const Session *session)
{
	return session->queued.length + session->flying.length -
	       (session->idle_step == IDLE_OFF ? 0 : 1);
}

SessionTraffic session_traffic(const Session *session)
{
	SessionTraffic traffic = session->traffic;
	traffic.commands = session->next_tag;
	return traffic;
}

bool session_asks_secret(const Session *session)
{
	return session->step == STEP_SECRET;
}

gint64 session_progress_time(const Session *session)
{
	return session->progress_us;
}

char *session_describe(const Session *session)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree char *tls = session->net ? net_stream_describe(session->net) : g_strdup("");
	if (session->greeting && *session->greeting)
		g_string_append_printf(text, "greeting: %s\n", session->greeting);
	g_string_append_printf(text, "encryption: %s\n", *tls ? tls : "none");
	g_string_append_printf(text, "login: %s\n",
		session->preauth ? "not needed (PREAUTH)"
		: session->mech  ? session->mech
				 : "LOGIN command");
	g_string_append(text, "capabilities:");
	for (int cap = 0; cap < IMAP_CAP_COUNT_; cap++)
		if (session->caps & IMAP_CAP_BIT(cap))
			g_string_append_printf(text, " %s", imap_cap_name((ImapCap)cap));
	g_string_append_c(text, '\n');
	return g_string_free(g_steal_pointer(&text), FALSE);
}
