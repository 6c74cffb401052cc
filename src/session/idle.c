/* IDLE (RFC 2177): the server says at once what becomes of the selected mailbox. It is begun when
 * nothing else is to be said, and a command that comes ends it first. */
#include "session/private.h"

enum {
	QUIET_MS = 80, /* bursts of commands do not toggle it */
	LASTED_MS = 10 * 1000, /* a server that ends each sooner does not mean it */
};

static bool offered(const Session *session)
{
	return session->caps & (IMAP_CAP_BIT(IMAP_CAP_IDLE) | IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
}

static bool may_begin(const Session *session)
{
	return session->idle_wanted && session->idle != SESSION_IDLE_FAILED && offered(session) &&
	       session->step == STEP_READY && session->selection != 0 &&
	       session->queued.length == 0 && session->flying.length == 0;
}

static void ended(const ImapStatus *status, const GError *error, gpointer data)
{
	Session *session = data;
	IdleStep step = session->idle_step;
	bool lasted = g_get_monotonic_time() - session->idle_us >= LASTED_MS * 1000LL;
	session->idle_step = IDLE_OFF;
	session->idle_us = 0;
	/* Refused, answered without "+", or ended again and again. */
	bool refused = status && (step == IDLE_ASKED || (step == IDLE_RUNNING && !lasted));
	bool never = step == IDLE_ASKED && g_error_matches(error, MAIL_ERROR, MAIL_ERROR_TIMEOUT);
	if (refused || never)
		session->idle = SESSION_IDLE_FAILED;
}

static gboolean begin(gpointer data)
{
	Session *session = data;
	g_clear_pointer(&session->idle_quiet, g_source_unref);
	if (!may_begin(session))
		return G_SOURCE_REMOVE;
	/* Set behind the command: nothing else may be sent from here on. */
	queue_submit(session, SESSION_SELECTED, imap_command_new("IDLE"), NULL, ended, session);
	if (session->flying.length > 0)
		session->idle_step = IDLE_ASKED;
	return G_SOURCE_REMOVE;
}

static void stop_waiting(Session *session)
{
	if (session->idle_quiet)
		g_source_destroy(session->idle_quiet);
	g_clear_pointer(&session->idle_quiet, g_source_unref);
}

static void wait_for_quiet(Session *session)
{
	if (session->idle_quiet)
		return;
	session->idle_quiet = g_timeout_source_new(QUIET_MS);
	g_source_set_callback(session->idle_quiet, begin, session, NULL);
	g_source_attach(session->idle_quiet, session->context);
}

/* The tagged answer comes before anything else is sent: some servers drop what they read together
 * with DONE. */
static void end(Session *session)
{
	g_autoptr(GBytes) done = g_bytes_new_static("DONE\r\n", 6);
	g_debug("%p C: DONE", (void *)session);
	session->idle_step = IDLE_ENDING;
	session->progress_us = g_get_monotonic_time();
	session_send(session, done);
}

void idle_settle(Session *session)
{
	if (session->idle_step == IDLE_RUNNING &&
		(session->queued.length > 0 || !session->idle_wanted))
		end(session);
	if (may_begin(session))
		wait_for_quiet(session);
	else
		stop_waiting(session);
}

bool idle_continue(Session *session)
{
	if (session->idle_step == IDLE_OFF)
		return false;
	if (session->idle_step == IDLE_ASKED) {
		session->idle_step = IDLE_RUNNING;
		session->idle = SESSION_IDLE_WORKS;
		session->idle_us = g_get_monotonic_time();
		queue_pump(session);
	}
	return true;
}

void idle_free(Session *session)
{
	stop_waiting(session);
}

void session_idle(Session *session, bool wanted)
{
	session->idle_wanted = wanted;
	if (session->step == STEP_READY)
		queue_pump(session);
}

SessionIdle session_idle_state(const Session *session)
{
	return session->idle;
}

gint64 session_idle_time(const Session *session)
{
	return session->idle_us;
}
