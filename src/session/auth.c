/* Login: the mechanism, the secret, the SASL exchange (RFC 3501 6.2.2, RFC 4959). Mechanisms come
 * from GNU SASL, the two OAuth ones (RFC 7628 and its forerunner) are a line each. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "session/private.h"

/* The strongest first; a token or a password decides which are eligible. */
static const struct {
	const char *name;
	bool token;
} ORDER[] = {
	{"OAUTHBEARER", true},
	{"XOAUTH2", true},
	{"SCRAM-SHA-256", false},
	{"SCRAM-SHA-1", false},
	{"PLAIN", false},
	{"LOGIN", false},
};

static void secret_free(gpointer secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	g_free(secret);
}

static bool offered(const Session *session, const char *mech)
{
	return session->mechs && g_strv_contains((const char *const *)session->mechs, mech);
}

/* Picks session->mech; NULL is the LOGIN command. */
bool auth_choose(Session *session, GError **error)
{
	const SessionConfig *config = &session->config;
	g_clear_pointer(&session->mech, g_free);
	if (config->mech) {
		session->mech = g_ascii_strup(config->mech, -1);
		if (offered(session, session->mech))
			return true;
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH,
			"%s does not offer the mechanism %s", config->host, session->mech);
		return false;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(ORDER); i++)
		if (ORDER[i].token == config->token && offered(session, ORDER[i].name)) {
			session->mech = g_strdup(ORDER[i].name);
			return true;
		}
	if (!config->token && !(session->caps & IMAP_CAP_BIT(IMAP_CAP_LOGINDISABLED)))
		return true;
	g_autofree char *list = session->mechs ? g_strjoinv(" ", session->mechs) : g_strdup("");
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH,
		"%s offers no login that a %s can be used for (it offers: %s)", config->host,
		config->token ? "token" : "password", *list ? list : "none");
	return false;
}

/* ---- the secret ---- */

struct SecretJob {
	Session *session;
	SessionSecret ask;
	gpointer data;
	GCancellable *cancel;
	GThread *thread;
	GSource *ready;
	char *secret;
	GError *error;
};

static gpointer secret_thread(gpointer data)
{
	SecretJob *job = data;
	job->secret = job->ask(job->data, job->cancel, &job->error);
	g_source_attach(job->ready, job->session->context);
	return NULL;
}

/* Joins the thread: once cancelled it ends at once, and nothing of it outlives the session. */
static void secret_job_free(SecretJob *job)
{
	g_cancellable_cancel(job->cancel);
	if (job->thread)
		g_thread_join(job->thread);
	g_source_destroy(job->ready);
	g_source_unref(job->ready);
	g_object_unref(job->cancel);
	g_clear_pointer(&job->secret, secret_free);
	g_clear_error(&job->error);
	g_free(job);
}

static gboolean secret_ready(gpointer data)
{
	Session *session = data;
	SecretJob *job = session->secret_job;
	g_thread_join(g_steal_pointer(&job->thread));
	session->secret = g_steal_pointer(&job->secret);
	g_autoptr(GError) error = g_steal_pointer(&job->error);
	g_clear_pointer(&session->secret_job, secret_job_free);
	if (session->secret)
		session_advance(session);
	else
		session_fail(session, g_steal_pointer(&error));
	return G_SOURCE_REMOVE;
}

/* Asks for the secret in a thread of its own: commands and prompts block. */
void auth_fetch_secret(Session *session)
{
	SecretJob *job = g_new0(SecretJob, 1);
	*job = (SecretJob){
		.session = session,
		.ask = session->config.secret,
		.data = session->config.secret_data,
		.cancel = g_cancellable_new(),
		.ready = g_idle_source_new(),
	};
	g_source_set_callback(job->ready, secret_ready, session, NULL);
	session->secret_job = job;
	g_autoptr(GError) why = NULL;
	job->thread = g_thread_try_new("secret", secret_thread, job, &why);
	/* No more processes or memory for this user, for now: this login fails, not the mount. */
	if (!job->thread)
		session_failf(session, MAIL_ERROR_UNAVAILABLE, "asking for the password: %s",
			why->message);
}

void auth_forget(Session *session)
{
	g_clear_pointer(&session->secret_job, secret_job_free);
	g_clear_pointer(&session->secret, secret_free);
	g_clear_pointer(&session->sasl, gsasl_finish);
	g_clear_pointer(&session->gsasl, gsasl_done);
}

/* ---- the exchange ---- */

static bool is_oauth(const char *mech)
{
	return strcmp(mech, "OAUTHBEARER") == 0 || strcmp(mech, "XOAUTH2") == 0;
}

/* RFC 7628 3.1; in the GS2 header ',' and '=' of the user are written =2C and =3D. */
static char *oauth_response(const Session *session)
{
	const SessionConfig *config = &session->config;
	/* Never moved, so that no copy of the token stays behind. */
	g_autoptr(GString) text = g_string_sized_new(
		strlen(session->secret) + 3 * strlen(config->user) + strlen(config->host) + 128);
	if (strcmp(session->mech, "XOAUTH2") == 0) {
		g_string_printf(
			text, "user=%s\001auth=Bearer %s\001\001", config->user, session->secret);
	} else {
		g_autoptr(GString) user = g_string_new(config->user);
		g_string_replace(user, "=", "=3D", 0);
		g_string_replace(user, ",", "=2C", 0);
		g_string_printf(text, "n,a=%s,\001host=%s\001port=%u\001auth=Bearer %s\001\001",
			user->str, config->host, config->port, session->secret);
	}
	char *encoded = g_base64_encode((const guchar *)text->str, text->len);
	explicit_bzero(text->str, text->len);
	return encoded;
}

static bool sasl_start(Session *session, GError **error)
{
	int rc = gsasl_init(&session->gsasl);
	if (rc == GSASL_OK)
		rc = gsasl_client_start(session->gsasl, session->mech, &session->sasl);
	if (rc != GSASL_OK) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "mechanism %s: %s", session->mech,
			gsasl_strerror(rc));
		return false;
	}
	const SessionConfig *config = &session->config;
	gsasl_property_set(session->sasl, GSASL_AUTHID, config->user);
	gsasl_property_set(session->sasl, GSASL_PASSWORD, session->secret);
	gsasl_property_set(session->sasl, GSASL_SERVICE, "imap");
	gsasl_property_set(session->sasl, GSASL_HOSTNAME, config->host);
	return true;
}

/* RFC 5802 5.1: "i=" in the server's first message; absurd counts are an attack on our CPU. */
static bool iterations_sane(const char *challenge)
{
	gsize len = 0;
	g_autofree guchar *raw = g_base64_decode(challenge, &len);
	g_autofree char *text = g_strndup((const char *)raw, len);
	const char *at = strstr(text, ",i=");
	return !at || g_ascii_strtoull(at + 3, NULL, 10) <= LIMIT_SCRAM_ITERATIONS;
}

static void set_unproven(const Session *session, GError **error)
{
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH,
		"mechanism %s: %s did not prove that it knows the password", session->mech,
		session->config.host);
}

/* Our next message for a challenge in base64 ("" for none); NULL and error. */
static char *sasl_step(Session *session, const char *challenge, GError **error)
{
	if (is_oauth(session->mech)) {
		if (!session->sasl_complete) {
			session->sasl_complete = true;
			return oauth_response(session);
		}
		/* The server explains a refusal and wants it acknowledged: RFC 7628 3.2.3. */
		return g_strdup(strcmp(session->mech, "XOAUTH2") == 0 ? "" : "AQ==");
	}
	if (g_str_has_prefix(session->mech, "SCRAM-") && !iterations_sane(challenge)) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_PROTOCOL,
			"%s asks for an absurd number of SCRAM iterations", session->config.host);
		return NULL;
	}
	char *out = NULL;
	int rc = gsasl_step64(session->sasl, challenge, &out);
	if (rc == GSASL_AUTHENTICATION_ERROR) {
		set_unproven(session, error);
		return NULL;
	}
	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "mechanism %s: %s", session->mech,
			gsasl_strerror(rc));
		return NULL;
	}
	session->sasl_complete = rc == GSASL_OK;
	char *copy = g_strdup(out);
	explicit_bzero(out, strlen(out));
	gsasl_free(out);
	return copy;
}

/* LOGIN and the like speak second: they have nothing to send with the command. */
static bool speaks_first(const char *mech)
{
	return is_oauth(mech) || g_str_has_prefix(mech, "SCRAM-") || strcmp(mech, "PLAIN") == 0 ||
	       strcmp(mech, "EXTERNAL") == 0;
}

static ImapCommand *authenticate(Session *session, GError **error)
{
	g_autoptr(ImapCommand) line = imap_command_new("AUTHENTICATE");
	imap_command_raw(line, session->mech);
	if (!is_oauth(session->mech) && !sasl_start(session, error))
		return NULL;
	if ((session->caps & IMAP_CAP_BIT(IMAP_CAP_SASL_IR)) && speaks_first(session->mech)) {
		g_autofree char *first = sasl_step(session, "", error);
		if (!first)
			return NULL;
		imap_command_secret_raw(line, *first ? first : "=");
		explicit_bzero(first, strlen(first));
	}
	return g_steal_pointer(&line);
}

void auth_login(Session *session)
{
	ImapCommand *line;
	if (session->mech) {
		GError *error = NULL;
		line = authenticate(session, &error);
		if (!line) {
			session_fail(session, error);
			return;
		}
	} else {
		line = imap_command_new("LOGIN");
		imap_command_string(line, session->config.user, strlen(session->config.user));
		imap_command_secret_string(line, session->secret, strlen(session->secret));
	}
	queue_submit(session, SESSION_ALONE, line, NULL, session_logged_in, session);
}

/* "+ challenge" while AUTHENTICATE is under way. */
void auth_challenge(Session *session, const ImapBytes *text)
{
	g_autofree char *challenge = g_strndup(text->data ? text->data : "", text->len);
	GError *error = NULL;
	g_autofree char *answer = sasl_step(session, g_strstrip(challenge), &error);
	if (!answer) {
		session_fail(session, error);
		return;
	}
	g_debug("%p C: <secret>", (void *)session);
	char *line = g_strconcat(answer, "\r\n", NULL);
	explicit_bzero(answer, strlen(answer));
	g_autoptr(GBytes) bytes = g_bytes_new_with_free_func(line, strlen(line), secret_free, line);
	session_send(session, bytes);
}

/* After the server's OK: whether the exchange came to its end, which of SCRAM includes that the
 * server proved to know the password too. */
bool auth_complete(const Session *session, GError **error)
{
	if (!session->mech || session->sasl_complete)
		return true;
	if (g_str_has_prefix(session->mech, "SCRAM-"))
		set_unproven(session, error);
	else
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_PROTOCOL,
			"%s answered OK before the %s exchange was over", session->config.host,
			session->mech);
	return false;
}
