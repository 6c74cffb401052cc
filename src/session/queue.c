#include <string.h>

#include "base/limits.h"
#include "session/private.h"

static void command_free(Command *command)
{
	imap_command_free(command->line);
	g_clear_pointer(&command->pieces, g_array_unref);
	if (command->target)
		g_free(command->target->name);
	g_free(command->target);
	g_free(command);
}

static bool waits_for_continuation(const Command *command)
{
	return command->handed < command->pieces->len;
}

static bool works_on_mailbox(const Command *command)
{
	return command->need == SESSION_SELECTED || command->need == SESSION_QUIET;
}

static bool mailbox_in_use(const Session *session)
{
	for (const GList *l = session->flying.head; l; l = l->next)
		if (((const Command *)l->data)->need != SESSION_ANY)
			return true;
	return false;
}

/* Whether the first queued command may go out now. */
static bool sendable(const Session *session, const Command *command)
{
	const Command *last = g_queue_peek_tail((GQueue *)&session->flying);
	if (!last)
		return !works_on_mailbox(command) || command->selection == session->selection;

	/* The rest of a command whose literal waits for "+" comes first (RFC 3501 4.3). */
	if (waits_for_continuation(last))
		return false;

	/* Within IDLE a client says DONE and nothing else (RFC 2177). */
	if (session->idle_step != IDLE_OFF)
		return false;

	/* Login, STARTTLS and LOGOUT change what every other answer means. */
	if (last->need == SESSION_ALONE || command->need == SESSION_ALONE)
		return false;

	/* Dovecot does not do all in order: see session.h. */
	if (command->need == SESSION_QUIET)
		return false;

	/* Answers to commands of the old mailbox must not be taken for the new one's, nor may what
	 * changes messages meet another mailbox's. */
	if (command->need == SESSION_SELECT && mailbox_in_use(session))
		return false;

	/* What EXAMINE may ask for depends on what was enabled, and nothing may be enabled once a
	 * mailbox is selected (RFC 5161 3.1). */
	if (command->need == SESSION_SELECT && session->enabling)
		return false;

	/* Behind its own EXAMINE a command needs no round trip of waiting: the server works in
	 * order (RFC 3501 5.5), and if the EXAMINE fails its answers are not believed. */
	if (works_on_mailbox(command) && command->selection != session->selection &&
		command->selection != session->selecting)
		return false;

	/* Beyond that STORE, COPY, MOVE, EXPUNGE and APPEND need no rule. RFC 3501 5.5 forbids
	 * message sequence numbers behind what may bring EXPUNGE, since they would name other
	 * messages then, but no command here has any; and where one depends on what another does
	 * the server must keep the order, so that UID EXPUNGE finds what UID STORE marked. Not
	 * whether it was done: who does the next only if (COPY, then STORE) waits for the answer.
	 */
	return session->flying.length < LIMIT_PIPELINE;
}

/* RFC 7888; IMAP4rev2 includes LITERAL- (RFC 9051 4.3). */
static bool takes_literals_at_once(const Session *session)
{
	return session->caps &
	       (IMAP_CAP_BIT(IMAP_CAP_LITERAL_PLUS) | IMAP_CAP_BIT(IMAP_CAP_LITERAL_MINUS) |
		       IMAP_CAP_BIT(IMAP_CAP_IMAP4REV2));
}

/* Whether the server owes us bytes: only then can silence be a fault. */
static bool waiting(const Session *session)
{
	switch (session->step) {
	case STEP_OVER:
	case STEP_SECRET:
		return false;
	case STEP_GREETING:
	case STEP_STARTTLS:
	case STEP_LOGOUT:
		return true;
	default:
		return session->flying.length > (session->idle_step == IDLE_RUNNING ? 1 : 0);
	}
}

static gboolean watchdog(gpointer data)
{
	Session *session = data;
	g_clear_pointer(&session->watchdog, g_source_unref);
	if (!waiting(session))
		return G_SOURCE_REMOVE;
	if (g_get_monotonic_time() - session->progress_us >= session->config.timeout_ms * 1000LL)
		session_failf(session, MAIL_ERROR_TIMEOUT, "no answer from %s for %u s",
			session->config.host, session->config.timeout_ms / 1000);
	else
		queue_watch(session);
	return G_SOURCE_REMOVE;
}

/* Arms the watchdog for the moment when silence becomes a timeout. */
void queue_watch(Session *session)
{
	if (session->watchdog || !waiting(session))
		return;
	gint64 idle_ms = (g_get_monotonic_time() - session->progress_us) / 1000;
	gint64 left_ms = MAX(1, session->config.timeout_ms - idle_ms);
	session->watchdog = g_timeout_source_new((guint)left_ms);
	g_source_set_callback(session->watchdog, watchdog, session, NULL);
	g_source_attach(session->watchdog, session->context);
}

/* As much as needs no further "+". */
static void send_pieces(Session *session, Command *command)
{
	do {
		session_send(
			session, g_array_index(command->pieces, ImapPiece, command->handed).bytes);
		command->handed++;
	} while (waits_for_continuation(command) &&
		 !g_array_index(command->pieces, ImapPiece, command->handed).waits);
	command->end = session->handed_bytes;
}

static void start(Session *session, Command *command)
{
	if (!waiting(session))
		session->progress_us = g_get_monotonic_time();
	g_snprintf(command->tag, sizeof(command->tag), "i%u", ++session->next_tag);
	if (command->need == SESSION_SELECT)
		selected_begin(session, command);
	command->pieces =
		imap_command_pieces(command->line, command->tag, takes_literals_at_once(session));
	g_autofree char *text = imap_command_transcript(command->line, command->tag);
	g_debug("%p C: %s", (void *)session, text);
	g_queue_push_tail(&session->flying, command);
	send_pieces(session, command);
}

void queue_pump(Session *session)
{
	while (session->step != STEP_OVER && session->queued.length > 0) {
		Command *next = g_queue_peek_head(&session->queued);
		if (session->flying.length == 0 && works_on_mailbox(next) &&
			(session->selection == 0 || next->selection != session->selection)) {
			/* Its EXAMINE failed, or another mailbox is selected by now. */
			g_autoptr(GError) error = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
				"the mailbox of %s could not be selected",
				imap_command_name(next->line));
			g_queue_pop_head(&session->queued);
			next->done(NULL, error, next->data);
			command_free(next);
			continue;
		}
		if (!sendable(session, next))
			break;
		start(session, g_queue_pop_head(&session->queued));
	}
	idle_settle(session);
	queue_watch(session);
}

void queue_submit(Session *session, SessionNeed need, ImapCommand *line, Target *target,
	SessionDone done, gpointer data)
{
	Command *command = g_new0(Command, 1);
	*command =
		(Command){.need = need, .line = line, .target = target, .done = done, .data = data};
	if (session->step == STEP_OVER || !imap_command_valid(line)) {
		g_autoptr(GError) error = session->step == STEP_OVER
						  ? g_error_new(MAIL_ERROR, MAIL_ERROR_OFFLINE,
							    "the connection is over")
						  : g_error_new(MAIL_ERROR, MAIL_ERROR_INVALID,
							    "%s: an argument has no valid form",
							    imap_command_name(line));
		done(NULL, error, data);
		command_free(command);
		return;
	}
	if (need == SESSION_SELECT)
		session->last_selection++;
	command->selection = session->last_selection;
	g_queue_push_tail(&session->queued, command);
	queue_pump(session);
}

/* "+" for the command whose literal is on its way; otherwise it means nothing to us. */
void queue_continue(Session *session)
{
	if (idle_continue(session))
		return;
	Command *last = g_queue_peek_tail(&session->flying);
	if (!last || !waits_for_continuation(last))
		return;
	send_pieces(session, last);
	if (!waits_for_continuation(last))
		queue_pump(session);
}

static GList *find_flying(const Session *session, const ImapBytes *tag)
{
	for (GList *l = session->flying.head; l; l = l->next) {
		const Command *command = l->data;
		if (strlen(command->tag) == tag->len &&
			memcmp(command->tag, tag->data, tag->len) == 0)
			return l;
	}
	return NULL;
}

gpointer session_tagged(const Session *session, ImapBytes tag)
{
	GList *link = tag.data ? find_flying(session, &tag) : NULL;
	return link ? ((Command *)link->data)->data : NULL;
}

/* Whether the command's mailbox is selected: else its answer is about nothing. */
static bool counts(const Session *session, const Command *command)
{
	return !works_on_mailbox(command) || command->selection == session->selection;
}

/* The error that a command ends with: the server's, or that its mailbox was never selected
 * although the server answered OK. */
static GError *outcome(const Session *session, const Command *command, const ImapStatus *status)
{
	GError *error = code_error(status, imap_command_name(command->line));
	if (!error && !counts(session, command))
		error = g_error_new(MAIL_ERROR, MAIL_ERROR_IO,
			"%s: answered without the mailbox being selected",
			imap_command_name(command->line));
	return error;
}

/* Whether the server can have it. NO may come before, in place of "+" or within a literal, whose
 * rest leaves all the same; an OK to what it does not have is no truth. */
static bool is_sent(const Session *session, const Command *command)
{
	return !waits_for_continuation(command) && session->traffic.sent >= command->end;
}

/* Ends the command with this tag. false: the session failed. */
bool queue_complete(Session *session, const ImapBytes *tag, const ImapStatus *status)
{
	GList *link = find_flying(session, tag);
	if (!link) {
		session_failf(session, MAIL_ERROR_PROTOCOL,
			"%s answered a command that was not sent", session->config.host);
		return false;
	}
	Command *command = link->data;
	if (!is_sent(session, command) && status->kind == IMAP_STATUS_OK) {
		session_failf(session, MAIL_ERROR_PROTOCOL,
			"%s answered OK to a command that was not sent completely",
			session->config.host);
		return false;
	}
	g_queue_delete_link(&session->flying, link);
	if (command->need == SESSION_SELECT)
		selected_end(session, command, status);
	g_autoptr(GError) error = outcome(session, command, status);
	command->done(counts(session, command) ? status : NULL, error, command->data);
	if (command->need == SESSION_SELECT)
		selected_forget_changes(session);
	command_free(command);
	if (session->step == STEP_OVER)
		return false;
	queue_pump(session);
	return true;
}

static void fail_queue(GQueue *queue, const GError *error)
{
	for (Command *command; (command = g_queue_pop_head(queue));) {
		command->done(NULL, error, command->data);
		command_free(command);
	}
}

static void stop_watching(Session *session)
{
	if (session->watchdog)
		g_source_destroy(session->watchdog);
	g_clear_pointer(&session->watchdog, g_source_unref);
}

/* Drops what is left without a word to anyone. */
void queue_free(Session *session)
{
	stop_watching(session);
	g_queue_clear_full(&session->flying, (GDestroyNotify)command_free);
	g_queue_clear_full(&session->queued, (GDestroyNotify)command_free);
}

void queue_fail_all(Session *session, const GError *error)
{
	stop_watching(session);
	fail_queue(&session->flying, error);
	fail_queue(&session->queued, error);
}
