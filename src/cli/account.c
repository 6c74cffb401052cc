#include "cli/account.h"

#include "cli/secret.h"

struct Account {
	const Options *options;
	NetTrust *trust;
	Secret *secret;
};

Account *account_new(const Options *options, GError **error)
{
	g_autoptr(NetTrust) trust = net_trust_new(options->cafile, options->fingerprint, error);
	if (!trust)
		return NULL;
	Account *account = g_new0(Account, 1);
	account->options = options;
	account->trust = g_steal_pointer(&trust);
	account->secret = secret_new(options);
	return account;
}

void account_free(Account *account)
{
	if (!account)
		return;
	secret_free(account->secret);
	net_trust_free(account->trust);
	g_free(account);
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
				.secret = secret_get,
				.secret_data = account->secret,
				.trust = account->trust,
				.timeout_ms = timeout_ms,
			},
		.connections = options->connections,
		.poll_s = options->poll_s,
		.timeout_ms = timeout_ms,
		.folders = options->folders,
		.subscribed = options->subscribed,
	};
}

/* Shared by the waiting thread and the engine, whichever is later. */
typedef struct {
	gatomicrefcount refs;
	GMutex lock;
	GCond changed;
	bool done; /* lock */
	bool stopped; /* lock */
	GError *error; /* lock */
} Start;

static void start_unref(gpointer data)
{
	Start *start = data;
	if (!g_atomic_ref_count_dec(&start->refs))
		return;
	g_clear_error(&start->error);
	g_cond_clear(&start->changed);
	g_mutex_clear(&start->lock);
	g_free(start);
}

static void on_started(const GError *error, gpointer data)
{
	Start *start = data;
	g_mutex_lock(&start->lock);
	start->done = true;
	start->error = error ? g_error_copy(error) : NULL;
	g_cond_signal(&start->changed);
	g_mutex_unlock(&start->lock);
	start_unref(start);
}

static void on_stop(GCancellable *stop, gpointer data)
{
	Start *start = data;
	g_mutex_lock(&start->lock);
	start->stopped = true;
	g_cond_signal(&start->changed);
	g_mutex_unlock(&start->lock);
}

static bool wait_for(Start *start, GError **error)
{
	g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&start->lock);
	while (!start->done && !start->stopped)
		g_cond_wait(&start->changed, &start->lock);
	if (start->done && !start->error)
		return true;
	if (start->done)
		g_propagate_error(error, g_steal_pointer(&start->error));
	else
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_CANCELLED, "interrupted");
	return false;
}

bool account_start(Engine *engine, GCancellable *stop, GError **error)
{
	Start *start = g_new0(Start, 1);
	g_atomic_ref_count_init(&start->refs);
	g_atomic_ref_count_inc(&start->refs);
	g_mutex_init(&start->lock);
	g_cond_init(&start->changed);

	gulong handler = g_cancellable_connect(stop, G_CALLBACK(on_stop), start, NULL);
	engine_start(engine, on_started, start);
	bool started = wait_for(start, error);
	g_cancellable_disconnect(stop, handler);
	start_unref(start);
	return started;
}
