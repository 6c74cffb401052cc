/* What the files of session/ share. Engine thread only. */
#pragma once

#include <gsasl.h>

#include "base/log.h"
#include "session/session.h"

typedef struct SecretJob SecretJob;

/* The mailbox of a SESSION_SELECT. */
typedef struct {
	char *name;
	bool writable; /* SELECT, not EXAMINE */
	SessionKnown known;
} Target;

/* One command on its way. */
typedef struct {
	SessionNeed need;
	ImapCommand *line;
	Target *target; /* SESSION_SELECT: what of; NULL: of nothing, UNSELECT */
	guint selection; /* the SESSION_SELECT it depends on, or is */
	char tag[16];
	GArray *pieces; /* ImapPiece; NULL while queued */
	guint handed; /* of them, to the stream */
	guint64 end; /* where the last of these ends in all that is sent */
	SessionDone done;
	gpointer data;
} Command;

/* Connection setup in order; one switch in setup.c advances it. */
typedef enum {
	STEP_GREETING,
	STEP_CLEAR_CAPABILITY, /* before STARTTLS: only to see whether it is offered */
	STEP_STARTTLS,
	STEP_CAPABILITY,
	STEP_SECRET, /* the password command runs */
	STEP_LOGIN,
	STEP_LOGGED_IN_CAPABILITY,
	STEP_READY,
	STEP_LOGOUT,
	STEP_OVER,
} Step;

/* Where IDLE is. */
typedef enum {
	IDLE_OFF,
	IDLE_ASKED, /* sent, "+" did not come yet */
	IDLE_RUNNING,
	IDLE_ENDING, /* DONE was sent */
} IdleStep;

struct Session {
	GMainContext *context;
	SessionConfig config; /* strings owned */
	const SessionEvents *events;
	gpointer data;

	NetStream *net;
	ImapStream *stream;
	Step step;
	bool secured; /* STARTTLS was answered OK: the clear part must end here */
	bool preauth; /* greeted as logged in already */
	bool caps_after_login; /* CAPABILITY came untagged with the login's answer */
	bool throttled; /* the server asked for less: session_take_throttled() */
	guint chatter; /* untagged statuses since the server said something of use */
	SessionTraffic traffic; /* without the commands: next_tag counts them */
	guint64 handed_bytes; /* to the stream: traffic.sent of them left */
	guint64 early_bytes; /* received before the login was done */
	char *greeting; /* escaped text, for session_describe() */
	LogLimit alert_limit;

	guint64 caps;
	guint64 append_limit; /* 0: none was said */
	bool caps_known; /* since the last change of trust: connect, TLS, login */
	char **mechs;
	bool enabling; /* ENABLE is not answered yet */
	bool qresync; /* ENABLED said so (RFC 7162 3.2.3) */

	/* queue.c */
	GQueue queued; /* Command*, not sent */
	GQueue flying; /* Command*, sent at least in part */
	guint next_tag;
	guint last_selection; /* number of the SESSION_SELECT queued last */
	GSource *watchdog;
	gint64 progress_us;

	/* idle.c */
	bool idle_wanted;
	IdleStep idle_step; /* not off: the command is the last and only one under way */
	SessionIdle idle;
	gint64 idle_us; /* when it began to run; 0: it does not */
	GSource *idle_quiet; /* while it waits for a quiet moment */

	/* selected.c */
	SessionMailbox box;
	char *box_name;
	bool writable; /* it is SELECT's, not EXAMINE's */
	char **permanent_keywords; /* of box */
	guint selecting; /* selection under way, 0: none */
	guint selection; /* selection in force, 0: none */
	ImapSet *map; /* UIDs by sequence number, of the first messages; NULL: unknown */
	SessionChanges changes; /* of the selection under way or answered just now */
	ImapSet *vanished; /* of changes; NULL: none were asked for */
	GArray *changed; /* of changes: SessionChange */
	gsize changed_keywords; /* how many are in it */
	bool closed_due; /* the server has yet to say where the old mailbox's data ends */

	/* auth.c */
	char *secret;
	char *mech; /* chosen; NULL: the LOGIN command */
	Gsasl *gsasl;
	Gsasl_session *sasl;
	bool sasl_complete; /* the exchange came to its end, but for the server's OK */
	SecretJob *secret_job; /* while the secret is being asked for */
};

/* Ends the session: all commands, then closed. Takes error. */
void session_fail(Session *session, GError *error);
void session_failf(Session *session, MailError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* All that is sent goes through here (session.c). */
void session_send(Session *session, GBytes *bytes);

/* setup.c */
/* The next step, once what the present one waits for is there. */
void session_advance(Session *session);
/* What the server says it offers. */
void setup_capabilities(Session *session, const ImapCapabilities *caps);

/* queue.c */
void queue_submit(Session *session, SessionNeed need, ImapCommand *line, Target *target,
	SessionDone done, gpointer data);
void queue_pump(Session *session);
void queue_continue(Session *session);
bool queue_complete(Session *session, const ImapBytes *tag, const ImapStatus *status);
void queue_fail_all(Session *session, const GError *error);
void queue_free(Session *session);
void queue_watch(Session *session);

/* idle.c */
/* Ends IDLE for what is queued, or has it begin soon when nothing is. */
void idle_settle(Session *session);
/* Whether "+" was IDLE's. */
bool idle_continue(Session *session);
void idle_free(Session *session);

/* selected.c */
void selected_begin(Session *session, const Command *select);
void selected_end(Session *session, const Command *select, const ImapStatus *status);
void selected_forget_changes(Session *session);
void selected_clear(Session *session);
bool selected_note(Session *session, const ImapResponse *response);

/* auth.c */
bool auth_choose(Session *session, GError **error);
void auth_fetch_secret(Session *session);
void auth_login(Session *session);
void auth_challenge(Session *session, const ImapBytes *text);
bool auth_complete(const Session *session, GError **error);
void auth_forget(Session *session);

/* The end of AUTHENTICATE or LOGIN (setup.c). */
void session_logged_in(const ImapStatus *status, const GError *error, gpointer data);

/* code.c: the error of a NO or BAD; NULL for OK. context names the command. */
GError *code_error(const ImapStatus *status, const char *context);
GError *code_bye_error(const ImapStatus *status, const char *host, bool in_login);
GError *code_login_error(const ImapStatus *status);
/* Whether it says that we ask for too much, or too much at once. */
bool code_is_throttled(const ImapStatus *status);
