/* Accounts get locked by clients that repeat a refused password: one that the server refused is not
 * sent again, only a different one (the password command may give it later). But servers say so too
 * when it is a fault of their own, so that the same one is tried now and then. */
#include <string.h>

#include "engine/private.h"

enum { SAME_AGAIN_S = 60 * 60 };

static char *sum_of(const char *secret)
{
	return g_compute_checksum_for_string(G_CHECKSUM_SHA256, secret, -1);
}

/* Nothing is tried until the answer is there: an error on the way to it refuses no secret. */
static void forget_tried(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	g_clear_pointer(&engine->tried_sum, g_free);
}

static bool may_try_locked(const Engine *engine, const char *sum)
{
	return g_strcmp0(sum, engine->refused_sum) != 0 ||
	       g_get_monotonic_time() - engine->sum_refused_us >=
		       (gint64)SAME_AGAIN_S * G_USEC_PER_SEC;
}

char *secret_ask(gpointer data, GCancellable *cancel, GError **error)
{
	Engine *engine = data;
	forget_tried(engine);
	char *secret =
		engine->config.session.secret(engine->config.session.secret_data, cancel, error);
	if (!secret)
		return NULL;
	g_autofree char *sum = sum_of(secret);
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	if (may_try_locked(engine, sum)) {
		g_free(engine->tried_sum);
		engine->tried_sum = g_steal_pointer(&sum);
		return secret;
	}
	explicit_bzero(secret, strlen(secret));
	g_free(secret);
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH,
		"%s refused the login before, and the password is still the same",
		engine->config.session.host);
	return NULL;
}

void secret_refused(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	if (!engine->tried_sum)
		return;
	g_free(engine->refused_sum);
	engine->refused_sum = g_steal_pointer(&engine->tried_sum);
	engine->sum_refused_us = g_get_monotonic_time();
}

bool secret_was_tried(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	return engine->tried_sum != NULL;
}

void secret_taken(Engine *engine)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	g_clear_pointer(&engine->refused_sum, g_free);
	g_clear_pointer(&engine->tried_sum, g_free);
}
