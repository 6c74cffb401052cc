#include "cli/account.h"

#include "cli/secret.h"

struct Account {
	const Options *options;
	NetTrust *trust;
	Secret *secret;

	GMutex lock;
	GCond changed;
	bool started, stopped; /* lock */
	bool left; /* lock: nobody waits for it any more */
	guint asking; /* lock: secrets that are being asked for */
	gint64 since_us; /* lock: that the server is waited for; g_get_monotonic_time() */
	GError *error; /* lock: why it did not start */
};

Account *account_new(const Options *options, GError **error)
{
	g_autoptr(NetTrust) trust = net_trust_new(options->cafile, options->fingerprint, error);
	if (!trust || !secret_check(options, error))
		return NULL;
	Account *account = g_new0(Account, 1);
	account->options = options;
	account->trust = g_steal_pointer(&trust);
	account->secret = secret_new(options);
	g_mutex_init(&account->lock);
	g_cond_init(&account->changed);
	return account;
}

void account_free(Account *account)
{
	if (!account)
		return;
	secret_free(account->secret);
	net_trust_free(account->trust);
	g_clear_error(&account->error);
	g_cond_clear(&account->changed);
	g_mutex_clear(&account->lock);
	g_free(account);
}

/* A SessionSecret. */
static char *get_secret(gpointer data, GCancellable *cancel, GError **error)
{
	Account *account = data;
	g_mutex_lock(&account->lock);
	account->asking++;
	g_cond_signal(&account->changed);
	g_mutex_unlock(&account->lock);

	char *secret = secret_get(account->secret, cancel, error);

	g_mutex_lock(&account->lock);
	account->asking--;
	account->since_us = g_get_monotonic_time();
	g_cond_signal(&account->changed);
	g_mutex_unlock(&account->lock);
	return secret;
}

static bool is_secret_changed(gpointer data)
{
	return secret_changed(((Account *)data)->secret);
}

EngineConfig account_engine_config(Account *account)
{
	const Options *options = account->options;
	guint timeout_ms = options->timeout_s * 1000;
	return (EngineConfig){
		.session =
			{
				.host = options->source.host,
				.port = options->source.port,
				.tls = options->source.tls,
				.user = options->source.user,
				.mech = options->auth,
				.token = options->tokencmd != NULL,
				.secret = get_secret,
				.secret_data = account,
				.trust = account->trust,
				.timeout_ms = timeout_ms,
			},
		.connections = options->connections,
		.poll_s = options->poll_s,
		.timeout_ms = timeout_ms,
		.folders = options->folders,
		.subscribed = options->subscribed,
		.read_only = options->ro,
		.secret_changed = is_secret_changed,
	};
}

static void on_started(const GError *error, gpointer data)
{
	Account *account = data;
	g_mutex_lock(&account->lock);
	account->started = true;
	account->error = error ? g_error_copy(error) : NULL;
	bool left = account->left;
	g_cond_signal(&account->changed);
	g_mutex_unlock(&account->lock);
	if (left && error && error->code != MAIL_ERROR_CANCELLED)
		g_message("%s", error->message);
}

static void on_stop(GCancellable *stop, gpointer data)
{
	Account *account = data;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&account->lock);
	account->stopped = true;
	g_cond_signal(&account->changed);
}

/* Until something changes; false: patience is at its end. */
static bool wait_locked(Account *account, guint patience_ms)
{
	if (patience_ms > 0 && account->asking == 0)
		return g_cond_wait_until(&account->changed, &account->lock,
			account->since_us + patience_ms * 1000LL);
	g_cond_wait(&account->changed, &account->lock);
	return true;
}

static bool wait_for_start(Account *account, guint patience_ms, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&account->lock);
	bool patient = true;
	while (!account->started && !account->stopped && patient)
		patient = wait_locked(account, patience_ms);
	account->left = true;
	if (account->started && !account->error)
		return true;
	if (account->started)
		g_propagate_error(error, g_error_copy(account->error));
	else if (account->stopped)
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_CANCELLED, "interrupted");
	else
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_TIMEOUT, "no answer from %s yet",
			account->options->source.host);
	return false;
}

bool account_start(
	Account *account, Engine *engine, guint patience_ms, GCancellable *stop, GError **error)
{
	account->since_us = g_get_monotonic_time();
	gulong handler = g_cancellable_connect(stop, G_CALLBACK(on_stop), account, NULL);
	engine_start(engine, on_started, account);
	bool started = wait_for_start(account, patience_ms, error);
	g_cancellable_disconnect(stop, handler);
	return started;
}
