/* One IMAP connection: greeting, STARTTLS, login, command queue, selected mailbox. Everything
 * here runs in the thread of its GMainContext. */
#pragma once

#include "base/error.h"
#include "imap/command.h"
#include "imap/response.h"
#include "imap/stream.h"
#include "net/stream.h"

typedef enum {
	SESSION_TLS_IMPLICIT,
	SESSION_TLS_STARTTLS,
	SESSION_TLS_NONE, /* refused unless the peer is loopback */
} SessionTls;

/* Where the password or token comes from; asked at every login, in a thread of its own since
 * commands and prompts block. Returns a new string that the session clears and frees; NULL and an
 * error. */
typedef char *(*SessionSecret)(gpointer data, GCancellable *cancel, GError **error);

typedef struct {
	const char *host;
	guint16 port;
	SessionTls tls;
	const char *user;
	const char *mech; /* force this SASL mechanism, or NULL for the strongest offered */
	bool token; /* the secret is an OAuth2 access token */
	SessionSecret secret;
	gpointer secret_data;
	NetTrust *trust; /* outlives the session */
	guint timeout_ms;
} SessionConfig;

typedef struct Session Session;

/* What became of IDLE (RFC 2177) on a connection. */
typedef enum {
	SESSION_IDLE_UNTRIED,
	SESSION_IDLE_WORKS, /* the server took it once: the selected mailbox tells its changes */
	SESSION_IDLE_FAILED, /* refused, or no "+" came; it is not tried again here */
} SessionIdle;

/* What a queued command needs of the connection; sendable() in queue.c has the rules. */
typedef enum {
	SESSION_ANY, /* no mailbox: LIST, STATUS, NOOP, ID */
	SESSION_SELECT, /* SELECT, EXAMINE: through session_select(); UNSELECT */
	SESSION_SELECTED, /* works on the mailbox of the SESSION_SELECT queued last. What changes
			   * messages is not submitted before that was answered and UIDVALIDITY
			   * compared: their UIDs might be other messages' */
	SESSION_QUIET, /* as SESSION_SELECTED, and nothing may be under way before it: COPY and
			* MOVE, since Dovecot 2.3 may fall over them when they were sent behind
			* others (cmd-copy.c: o_stream_is_corked), and what is to see that which a
			* NOOP before it brings: while more commands come Dovecot puts that off */
	SESSION_ALONE, /* nothing may be under way beside it: login, STARTTLS, LOGOUT */
} SessionNeed;

/* The end of a command, exactly once. status: the tagged answer, NULL when none came, or its
 * mailbox was not selected. error: NULL after OK; made by the one table of code.c after NO and BAD;
 * else why the connection ended, or that the mailbox it needed could not be selected. */
typedef void (*SessionDone)(const ImapStatus *status, const GError *error, gpointer data);

/* Callbacks may submit commands and call session_close(), but not session_free(). */
typedef struct {
	/* Logged in, capabilities known. */
	void (*ready)(gpointer data);

	/* Untagged data after login, in order, after the session took its own note of it. FETCH,
	 * EXISTS, EXPUNGE, VANISHED and SEARCH only while a mailbox is selected; but ESEARCH that
	 * names its mailbox always. */
	void (*response)(const ImapResponse *response, gpointer data);

	/* As in imap/stream.h, only while a mailbox is selected. */
	bool (*body_begin)(const ImapBodyStart *start, gpointer data);
	bool (*body_bytes)(const void *bytes, gsize len, gpointer data);

	/* The selected mailbox lost these messages (EXPUNGE mapped to UIDs, VANISHED); NULL:
	 * something changed that the map cannot name, the mailbox must be listed again. */
	void (*expunged)(const ImapSet *uids, gpointer data);

	/* The connection is over, all commands ended before; called once, last. error: why, NULL
	 * after session_logout(). */
	void (*closed)(const GError *error, gpointer data);
} SessionEvents;

/* The selected mailbox as its last SELECT and the untagged data since have it. */
typedef struct {
	const char *name; /* as given to session_select() */
	guint32 uidvalidity; /* 0: none was given, or not a valid one */
	guint32 uidnext; /* 0: unknown */
	guint64 exists;
	guint64 highestmodseq; /* 0: none */
	bool read_only; /* selected to be looked at, or the server said [READ-ONLY] */
	guint permanent; /* IMAP_FLAG_* that can be changed for good (RFC 3501 7.1 PERMANENTFLAGS);
			  * IMAP_FLAG_ANY_KEYWORD: new keywords too; all bits when it was not said,
			  * and after EXAMINE, with which servers say that none can be */
	const char *const *permanent_keywords; /* those that can be; NULL: as all bits */
} SessionMailbox;

/* What is known of a mailbox that is about to be selected, so that the server can say what changed
 * since (RFC 7162). All zero: nothing, and modification sequences are of no use. */
typedef struct {
	bool modseq; /* HIGHESTMODSEQ is wanted: CONDSTORE is asked for where it is offered */
	guint32 uidvalidity;
	guint64 highestmodseq; /* what is known is as of then; 0: do not ask for changes */
} SessionKnown;

typedef struct {
	guint32 uid;
	guint flags; /* IMAP_FLAG_* */
	char **keywords; /* NULL: none */
} SessionChange;

/* What EXAMINE said of changes since SessionKnown: only hints until they add up with EXISTS. */
typedef struct {
	bool complete; /* false: past LIMIT_CHANGES, not well formed, or another mailbox's */
	const ImapSet *vanished; /* may name messages that were never known */
	const SessionChange *changed; /* new messages and new flags, in the server's order */
	gsize n_changed;
} SessionChanges;

/* Starts connecting in context. config is copied except for trust and secret_data, which outlive
 * the session, as events do. */
Session *session_open(GMainContext *context, const SessionConfig *config,
	const SessionEvents *events, gpointer data);

/* Ends it without a callback; commands that are left never complete. Accepts NULL. */
void session_free(Session *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Session, session_free)

/* Ends every command and the connection with this error (copied), then calls closed. */
void session_close(Session *session, const GError *error);

/* Sends LOGOUT once nothing is under way; closed(NULL) comes with the server's answer. */
void session_logout(Session *session);

/* Queues a command; takes line. On a session that is over done comes at once. */
void session_submit(
	Session *session, SessionNeed need, ImapCommand *line, SessionDone done, gpointer data);

/* What was given as data with the command under way that has this tag; NULL: none has it. */
gpointer session_tagged(const Session *session, ImapBytes tag);

/* Queues EXAMINE of a mailbox (wire bytes), or SELECT where something shall be changed (writable),
 * with the parameters of RFC 7162 that `known` and this connection allow. Commands queued after it
 * with SESSION_SELECTED may go out in the same flight; they fail if it fails. */
void session_select(Session *session, const char *mailbox, bool writable, const SessionKnown *known,
	SessionDone done, gpointer data);

/* What the EXAMINE that was answered OK just now said of changes: valid within its SessionDone.
 * NULL: it was not asked, or UIDVALIDITY is another one. */
const SessionChanges *session_changes(const Session *session);

/* Wanted, IDLE runs whenever a mailbox is selected and nothing was to be sent for a moment; a
 * command ends it and goes out after its tagged answer, which the watchdog waits for. Silence
 * within IDLE is no timeout: who wants to know submits a NOOP now and then, which renews it
 * too. */
void session_idle(Session *session, bool wanted);

SessionIdle session_idle_state(const Session *session);

/* Since when IDLE runs (g_get_monotonic_time); 0: it does not. */
gint64 session_idle_time(const Session *session);

/* Whether the server said since the last call that it is asked for too much ([THROTTLED], too many
 * connections), in whatever answer. */
bool session_take_throttled(Session *session);

/* Ready, and not over: commands may be submitted. */
bool session_is_ready(const Session *session);

/* Whether SessionSecret was asked and has not answered yet. */
bool session_asks_secret(const Session *session);

/* IMAP_CAP_BIT()s as of the last CAPABILITY. */
guint64 session_caps(const Session *session);

/* How large a message may be that is appended anywhere (APPENDLIMIT=n, RFC 7889), in octets; 0: not
 * known. */
guint64 session_append_limit(const Session *session);

/* Commands queued or under way, IDLE not among them. */
guint session_pending(const Session *session);

/* The mailbox that is selected now; NULL while none is, also between EXAMINE and its OK. */
const SessionMailbox *session_selected(const Session *session);

/* The UIDs of all messages of the selected mailbox, from a SEARCH answered just now: the
 * sequence-number map. Kept only when they add up with EXISTS; returns whether they do. */
bool session_set_map(Session *session, const ImapSet *uids);

/* Adds what a SEARCH for the messages behind the known ones named to the map. Kept only when it
 * adds up with EXISTS; returns whether the map is whole now. */
bool session_extend_map(Session *session, const ImapSet *uids);

/* The map as the UIDs of the first messages; NULL: not known. Until anything is received. */
const ImapSet *session_map(const Session *session);

/* Whether every sequence number can be turned into a UID. */
bool session_has_map(const Session *session);

/* The UID behind a sequence number of the selected mailbox, 0 when the map does not know. */
guint32 session_uid(const Session *session, guint32 seq);

/* What travelled so far, in bytes of the protocol: without TLS. */
typedef struct {
	guint64 received, sent;
	guint64 commands;
} SessionTraffic;

SessionTraffic session_traffic(const Session *session);

/* When bytes last moved in either direction (g_get_monotonic_time). */
gint64 session_progress_time(const Session *session);

/* For `check`: greeting, TLS, login mechanism, capabilities; a fact a line. New string. */
char *session_describe(const Session *session);
