/* The real Session against servers as the transcripts in cases/ play them.
 *
 * A case begins with settings, one a line: "tls: starttls" or "tls: implicit" (else none), "mech:",
 * "token: yes", "user:", "secret:", "timeout:" in milliseconds. What the client is told:
 *
 *	> examine NAME		session_select(), nothing known of it
 *	> select NAME		as examine, writable
 *	> resync NAME UIDVALIDITY MODSEQ	as examine, with that known; what came of it is news
 *	> any COMMAND		session_submit() with that need: any, selected, quiet or alone
 *	> argument NAME ARG	a command with one string argument, literal if need be
 *	> append NAME N		APPEND of a message of N octets 'x'
 *	> append8 NAME N	the same as literal8
 *	> idle yes, > idle no	session_idle()
 *	> show-idle		news of what became of IDLE
 *	> map SET		session_set_map()
 *	> show			news of what is selected
 *	> show-access		news of what may be changed in it
 *	> show-append-limit	news of that
 *	> logout, > close	session_logout(), session_close()
 *	> close-on-done, > close-on-body	session_close() within that callback
 *	> pause MS		"pause over" is news when that time has gone by on the wire
 */
#include <string.h>

#include "base/log.h"
#include "player.h"
#include "session/session.h"
#include "../unit/tls-peer.h"

enum { SECONDS = 20 };

typedef struct {
	Session *session;
	Player *player;
	GQueue events; /* char* */
	GHashTable *settings;
	GString *body;
	guint ended; /* how often closed came */
	bool close_on_done, close_on_body;
} Case;

/* A command and how often it ended. */
typedef struct {
	Case *self;
	char *name;
} Sent;

static const char *const ERRORS[] = {
	[MAIL_ERROR_IO] = "IO",
	[MAIL_ERROR_NOT_FOUND] = "NOT_FOUND",
	[MAIL_ERROR_EXISTS] = "EXISTS",
	[MAIL_ERROR_ACCESS] = "ACCESS",
	[MAIL_ERROR_QUOTA] = "QUOTA",
	[MAIL_ERROR_LIMIT] = "LIMIT",
	[MAIL_ERROR_BUSY] = "BUSY",
	[MAIL_ERROR_STALE] = "STALE",
	[MAIL_ERROR_READ_ONLY] = "READ_ONLY",
	[MAIL_ERROR_TOO_BIG] = "TOO_BIG",
	[MAIL_ERROR_INVALID] = "INVALID",
	[MAIL_ERROR_TIMEOUT] = "TIMEOUT",
	[MAIL_ERROR_OFFLINE] = "OFFLINE",
	[MAIL_ERROR_UNAVAILABLE] = "UNAVAILABLE",
	[MAIL_ERROR_AUTH] = "AUTH",
	[MAIL_ERROR_TLS] = "TLS",
	[MAIL_ERROR_PROTOCOL] = "PROTOCOL",
	[MAIL_ERROR_CANCELLED] = "CANCELLED",
	[MAIL_ERROR_DENIED] = "DENIED",
	[MAIL_ERROR_NOT_EMPTY] = "NOT_EMPTY",
	[MAIL_ERROR_NO_SPACE] = "NO_SPACE",
};

static Case *current; /* for the log */

/* ---- news ---- */

static void tell(Case *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void tell(Case *self, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	g_queue_push_tail(&self->events, g_strdup_vprintf(format, args));
	va_end(args);
	if (self->player)
		player_wake(self->player);
}

static char *outcome(const GError *error)
{
	if (!error)
		return g_strdup("ok");
	g_assert_cmpuint(error->domain, ==, MAIL_ERROR);
	return g_strdup_printf("%s %s", ERRORS[error->code], error->message);
}

static char *next_event(gpointer data)
{
	return g_queue_pop_head(&((Case *)data)->events);
}

static GLogWriterOutput on_log(
	GLogLevelFlags level, const GLogField *fields, gsize n, gpointer data)
{
	const char *text = "";

	for (gsize i = 0; i < n; i++)
		if (strcmp(fields[i].key, "MESSAGE") == 0)
			text = fields[i].value;
	if (current && level & (G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_WARNING))
		tell(current, "log %s", text);
	return level & (G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_ERROR)
		       ? g_log_writer_standard_streams(level, fields, n, NULL)
		       : G_LOG_WRITER_HANDLED;
}

static void close_with_error(Case *self)
{
	g_autoptr(GError) error = g_error_new_literal(MAIL_ERROR, MAIL_ERROR_CANCELLED, "enough");

	session_close(self->session, error);
}

static void on_ready(gpointer data)
{
	tell(data, "ready");
}

static void tell_fetch(Case *self, const ImapFetch *fetch)
{
	g_autoptr(GString) text = g_string_new("fetch");

	g_string_append_printf(text, " seq=%u uid=%u mapped=%u", fetch->seq, fetch->uid,
		session_uid(self->session, fetch->seq));
	for (gsize i = 0; i < fetch->n_bodies; i++) {
		static const char *const FORMS[] = {"nil", "inline", "streamed"};
		const ImapBody *body = &fetch->bodies[i];
		g_string_append_printf(
			text, " %s=%" G_GUINT64_FORMAT, FORMS[body->form], body->size);
		if (body->form == IMAP_BODY_STREAMED) {
			g_string_append_printf(text, ":%s", self->body->str);
			g_string_truncate(self->body, 0);
		}
	}
	tell(self, "%s", text->str);
}

static void tell_status(Case *self, const ImapStatus *status)
{
	if (status->code != IMAP_CODE_COPYUID || !status->uids)
		return;
	g_autofree char *from = imap_set_to_string(status->uids);
	g_autofree char *to = imap_set_to_string(status->target_uids);
	tell(self, "copyuid %" G_GUINT64_FORMAT " %s %s", status->number, from, to);
}

static void tell_quota(Case *self, const ImapQuota *quota)
{
	tell(self, "quota %.*s %" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, (int)quota->root.len,
		quota->root.data, quota->storage_used, quota->storage_limit);
}

static void tell_rights(Case *self, const ImapRights *rights)
{
	tell(self, "rights %.*s %.*s", (int)rights->mailbox.len, rights->mailbox.data,
		(int)rights->rights.len, rights->rights.data);
}

static void on_response(const ImapResponse *response, gpointer data)
{
	Case *self = data;
	g_autofree char *uids = NULL;

	g_assert_cmpuint(self->ended, ==, 0);
	switch (response->kind) {
	case IMAP_RESPONSE_EXISTS:
		tell(self, "exists %" G_GUINT64_FORMAT, response->number);
		break;
	case IMAP_RESPONSE_EXPUNGE:
		tell(self, "expunge %" G_GUINT64_FORMAT, response->number);
		break;
	case IMAP_RESPONSE_VANISHED:
		tell(self, "vanished");
		break;
	case IMAP_RESPONSE_LIST:
		tell(self, "list %.*s", (int)response->list.name.len, response->list.name.data);
		break;
	case IMAP_RESPONSE_SEARCH:
		uids = imap_set_to_string(response->search.all);
		tell(self, "search %s", uids);
		break;
	case IMAP_RESPONSE_STATUS:
		tell_status(self, &response->status);
		break;
	case IMAP_RESPONSE_QUOTAROOT:
		tell(self, "quota roots %" G_GSIZE_FORMAT, response->quota_root.n_roots);
		break;
	case IMAP_RESPONSE_QUOTA:
		tell_quota(self, &response->quota);
		break;
	case IMAP_RESPONSE_MYRIGHTS:
		tell_rights(self, &response->rights);
		break;
	case IMAP_RESPONSE_FETCH:
		tell_fetch(self, &response->fetch);
		break;
	default:
		break;
	}
}

static bool on_body_begin(const ImapBodyStart *start, gpointer data)
{
	Case *self = data;

	g_assert_cmpuint(self->ended, ==, 0);
	g_string_truncate(self->body, 0);
	if (self->close_on_body)
		close_with_error(self);
	return true;
}

static bool on_body_bytes(const void *bytes, gsize len, gpointer data)
{
	Case *self = data;

	g_assert_cmpuint(self->ended, ==, 0);
	g_string_append_len(self->body, bytes, (gssize)len);
	return true;
}

static void on_expunged(const ImapSet *uids, gpointer data)
{
	g_autofree char *text = uids ? imap_set_to_string(uids) : g_strdup("unknown");

	g_assert_cmpuint(((Case *)data)->ended, ==, 0);
	tell(data, "expunged %s", text);
}

static void on_closed(const GError *error, gpointer data)
{
	Case *self = data;
	g_autofree char *text = outcome(error);

	self->ended++;
	tell(self, "closed %s", text);
}

static const SessionEvents events = {
	.ready = on_ready,
	.response = on_response,
	.body_begin = on_body_begin,
	.body_bytes = on_body_bytes,
	.expunged = on_expunged,
	.closed = on_closed,
};

/* ---- actions ---- */

static void on_done(const ImapStatus *status, const GError *error, gpointer data)
{
	Sent *sent = data;
	g_autofree char *text = outcome(error);

	tell(sent->self, "done %s %s", sent->name, text);
	if (sent->self->close_on_done)
		close_with_error(sent->self);
	g_free(sent->name);
	g_free(sent);
}

static Sent *sent_new(Case *self, const char *name)
{
	Sent *sent = g_new(Sent, 1);

	*sent = (Sent){self, g_strdup(name)};
	return sent;
}

static void submit(Case *self, SessionNeed need, const char *text)
{
	session_submit(self->session, need, imap_command_new(text), on_done, sent_new(self, text));
}

static void submit_argument(Case *self, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	g_autofree char *argument = g_strcompress(words[1]);
	ImapCommand *line = imap_command_new(words[0]);

	imap_command_string(line, argument, strlen(argument));
	session_submit(self->session, SESSION_ANY, line, on_done, sent_new(self, words[0]));
}

static void append(Case *self, const char *text, bool binary)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	gsize len = (gsize)g_ascii_strtoull(words[1], NULL, 10);
	g_autoptr(GBytes) message = g_bytes_new_take(g_strnfill(len, 'x'), len);
	ImapCommand *line = imap_command_new("APPEND");

	imap_command_mailbox(line, words[0], strlen(words[0]));
	imap_command_literal(line, message, binary);
	session_submit(self->session, SESSION_ANY, line, on_done, sent_new(self, "APPEND"));
}

static void on_examined(const ImapStatus *status, const GError *error, gpointer data)
{
	Case *self = ((Sent *)data)->self;
	const SessionChanges *changes = error ? NULL : session_changes(self->session);

	if (changes) {
		g_autofree char *vanished = imap_set_to_string(changes->vanished);
		g_autoptr(GString) text = g_string_new(NULL);
		for (gsize i = 0; i < changes->n_changed; i++)
			g_string_append_printf(
				text, " %u:%x", changes->changed[i].uid, changes->changed[i].flags);
		tell(self, "changes %s vanished=%s changed=%s",
			changes->complete ? "complete" : "incomplete", vanished, text->str);
	}
	on_done(status, error, data);
}

static void examine(Case *self, bool writable, const char *text)
{
	g_auto(GStrv) words = g_strsplit(text, " ", 3);
	SessionKnown known = {.modseq = true};

	if (words[1]) {
		known.uidvalidity = (guint32)g_ascii_strtoull(words[1], NULL, 10);
		known.highestmodseq = g_ascii_strtoull(words[2], NULL, 10);
	}
	session_select(self->session, words[0], writable, &known, on_examined,
		sent_new(self, writable ? "SELECT" : "EXAMINE"));
}

static void set_map(Case *self, const char *text)
{
	g_autoptr(ImapSet) uids = imap_set_parse(text, strlen(text), 100);

	tell(self, "map %s", session_set_map(self->session, uids) ? "kept" : "refused");
}

static void show(Case *self)
{
	const SessionMailbox *box = session_selected(self->session);

	if (!box)
		tell(self, "selected nothing");
	else
		tell(self,
			"selected %s uidvalidity=%u uidnext=%u exists=%" G_GUINT64_FORMAT
			" map=%s last=%u",
			box->name, box->uidvalidity, box->uidnext, box->exists,
			session_has_map(self->session) ? "whole" : "none",
			session_uid(self->session, (guint32)MIN(box->exists, G_MAXUINT32)));
}

static void show_access(Case *self)
{
	const SessionMailbox *box = session_selected(self->session);
	g_autofree char *flags = imap_flags_text(box->permanent, NULL);
	g_autofree char *keywords = box->permanent_keywords
					    ? g_strjoinv(" ", (char **)box->permanent_keywords)
					    : g_strdup("unsaid");

	tell(self, "%s, flags %s, keywords %s", box->read_only ? "read-only" : "read-write", flags,
		keywords);
}

static gboolean pause_over(gpointer data)
{
	tell(data, "pause over");
	return G_SOURCE_REMOVE;
}

static void show_idle(Case *self)
{
	static const char *const STATES[] = {"untried", "works", "failed"};

	tell(self, "idle %s%s", STATES[session_idle_state(self->session)],
		session_idle_time(self->session) ? ", runs" : "");
}

static void act(const char *text, gpointer data)
{
	Case *self = data;
	g_auto(GStrv) words = g_strsplit(text, " ", 2);
	const char *rest = words[1] ? words[1] : "";

	if (g_str_equal(words[0], "examine") || g_str_equal(words[0], "resync"))
		examine(self, false, rest);
	else if (g_str_equal(words[0], "select"))
		examine(self, true, rest);
	else if (g_str_equal(words[0], "any"))
		submit(self, SESSION_ANY, rest);
	else if (g_str_equal(words[0], "selected"))
		submit(self, SESSION_SELECTED, rest);
	else if (g_str_equal(words[0], "quiet"))
		submit(self, SESSION_QUIET, rest);
	else if (g_str_equal(words[0], "alone"))
		submit(self, SESSION_ALONE, rest);
	else if (g_str_equal(words[0], "argument"))
		submit_argument(self, rest);
	else if (g_str_equal(words[0], "append") || g_str_equal(words[0], "append8"))
		append(self, rest, g_str_equal(words[0], "append8"));
	else if (g_str_equal(words[0], "idle"))
		session_idle(self->session, g_str_equal(rest, "yes"));
	else if (g_str_equal(words[0], "show-idle"))
		show_idle(self);
	else if (g_str_equal(words[0], "map"))
		set_map(self, rest);
	else if (g_str_equal(words[0], "show"))
		show(self);
	else if (g_str_equal(words[0], "show-access"))
		show_access(self);
	else if (g_str_equal(words[0], "show-append-limit"))
		tell(self, "append limit %" G_GUINT64_FORMAT, session_append_limit(self->session));
	else if (g_str_equal(words[0], "logout"))
		session_logout(self->session);
	else if (g_str_equal(words[0], "close"))
		close_with_error(self);
	else if (g_str_equal(words[0], "close-on-done"))
		self->close_on_done = true;
	else if (g_str_equal(words[0], "close-on-body"))
		self->close_on_body = true;
	else if (g_str_equal(words[0], "pause"))
		g_timeout_add((guint)g_ascii_strtoull(rest, NULL, 10), pause_over, self);
	else
		g_error("no such action: %s", text);
}

/* ---- cases ---- */

static const char *setting(Case *self, const char *name, const char *otherwise)
{
	const char *value = g_hash_table_lookup(self->settings, name);

	return value ? value : otherwise;
}

static gboolean take_setting(const GMatchInfo *match, GString *result, gpointer data)
{
	Case *self = data;

	g_hash_table_insert(
		self->settings, g_match_info_fetch(match, 1), g_match_info_fetch(match, 2));
	return FALSE;
}

/* Takes the "name: value" lines out; they stay as empty ones, so that line numbers hold. */
static char *take_settings(Case *self, const char *text)
{
	g_autoptr(GRegex) regex = g_regex_new("^([a-z]+): (.*)$", G_REGEX_MULTILINE, 0, NULL);

	return g_regex_replace_eval(regex, text, -1, 0, 0, take_setting, self, NULL);
}

static char *secret(gpointer data, GCancellable *cancel, GError **error)
{
	const char *text = setting(data, "secret", "pencil");

	if (*text)
		return g_strcompress(text);
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "there is no secret");
	return NULL;
}

static SessionTls tls_of(const char *name)
{
	if (g_str_equal(name, "starttls"))
		return SESSION_TLS_STARTTLS;
	if (g_str_equal(name, "implicit"))
		return SESSION_TLS_IMPLICIT;
	g_assert_cmpstr(name, ==, "none");
	return SESSION_TLS_NONE;
}

static void open_session(Case *self, NetTrust *trust)
{
	g_autofree char *user = g_strcompress(setting(self, "user", "user"));
	const SessionConfig config = {
		.host = "127.0.0.1",
		.port = player_port(self->player),
		.tls = tls_of(setting(self, "tls", "none")),
		.user = user,
		.mech = setting(self, "mech", NULL),
		.token = setting(self, "token", NULL) != NULL,
		.secret = secret,
		.secret_data = self,
		.trust = trust,
		.timeout_ms = (guint)g_ascii_strtoull(setting(self, "timeout", "20000"), NULL, 10),
	};

	self->session = session_open(g_main_context_default(), &config, &events, self);
}

static void test_case(gconstpointer path)
{
	static const PlayerHooks hooks = {act, next_event, NULL};
	g_autofree char *text = NULL;
	g_autofree char *name = g_path_get_basename(path);
	g_autoptr(NetTrust) trust = net_trust_new(player_cafile(), NULL, NULL);
	Case self = {.body = g_string_new(NULL)};

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	self.settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autofree char *transcript = take_settings(&self, text);
	self.player =
		player_new(g_main_context_default(), name, transcript, SECONDS, &hooks, &self);
	current = &self;
	open_session(&self, trust);
	player_run(self.player);

	/* What was not asked for is no news either; and every command ends. */
	g_assert_cmpstr((char *)g_queue_peek_head(&self.events), ==, NULL);
	if (self.ended == 0)
		close_with_error(&self);
	g_assert_cmpuint(self.ended, ==, 1);
	g_assert_cmpuint(session_pending(self.session), ==, 0);
	session_free(self.session);
	current = NULL;
	g_queue_clear_full(&self.events, g_free);
	player_free(self.player);
	g_hash_table_unref(self.settings);
	g_string_free(self.body, TRUE);
}

static int by_name(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The files of the folder that the first argument names. */
static GPtrArray *find_cases(const char *folder)
{
	GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

	g_assert_nonnull(dir);
	for (const char *name; (name = g_dir_read_name(dir));)
		if (g_str_has_suffix(name, ".txt"))
			g_ptr_array_add(paths, g_build_filename(folder, name, NULL));
	g_ptr_array_sort(paths, by_name);
	g_assert_cmpuint(paths->len, >, 0);
	return paths;
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_cmpint(argc, ==, 2);
	g_test_set_nonfatal_assertions();
	g_log_set_writer_func(on_log, NULL, NULL);
	g_autoptr(GPtrArray) paths = find_cases(argv[1]);
	for (guint i = 0; i < paths->len; i++) {
		g_autofree char *name = g_path_get_basename(g_ptr_array_index(paths, i));
		g_autofree char *path =
			g_strdup_printf("/session/%.*s", (int)strlen(name) - 4, name);
		g_test_add_data_func(path, g_ptr_array_index(paths, i), test_case);
	}
	int status = g_test_run();
	peer_forget_authority();
	return status;
}
