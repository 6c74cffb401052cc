/* What the account may hold and holds (QUOTA, RFC 9208): asked for with the first LIST, and again
 * after changes. Of several roots that INBOX has the one with the least room counts. */
#include "engine/private.h"

static guint64 octets(guint64 units)
{
	/* RFC 9208 5.1: "STORAGE" is in units of 1024 octets. */
	return units > G_MAXUINT64 / 1024 ? G_MAXUINT64 : units * 1024;
}

static guint64 room(const QuotaFigure *figure)
{
	return figure->limit - MIN(figure->used, figure->limit);
}

/* A limit of 0 is how some servers say that there is none. */
static void take(QuotaFigure *best, guint64 used, guint64 limit)
{
	QuotaFigure figure = {used, limit};
	if (limit != 0 && (best->limit == 0 || room(&figure) < room(best)))
		*best = figure;
}

void quota_note(Engine *engine, const ImapQuota *quota)
{
	Quota *told = &engine->quota_told;
	take(&told->storage, octets(quota->storage_used), octets(quota->storage_limit));
	take(&told->messages, quota->messages_used, quota->messages_limit);
}

static void asked(const ImapStatus *status, const GError *error, gpointer data)
{
	Engine *engine = data;
	engine->quota_asked = false;
	engine->quota_due |= error != NULL;
	if (error)
		return;
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	engine->quota = engine->quota_told;
}

static void ask(Engine *engine, Conn *conn)
{
	if (engine->quota_asked || !(session_caps(conn->session) & IMAP_CAP_BIT(IMAP_CAP_QUOTA)))
		return;
	engine->quota_asked = true;
	engine->quota_due = false;
	engine->quota_us = g_get_monotonic_time();
	engine->quota_told = (Quota){0};
	ImapCommand *line = imap_command_new("GETQUOTAROOT");
	imap_command_mailbox(line, "INBOX", 5);
	session_submit(conn->session, SESSION_ANY, line, asked, engine);
}

void quota_ready(Conn *conn)
{
	ask(conn->engine, conn);
}

void quota_doubt(Engine *engine)
{
	engine->quota_due = true;
}

void quota_age(Engine *engine, gint64 now_us)
{
	Conn *conn = engine->quota_due ? pool_any(engine) : NULL;
	if (conn && now_us - engine->quota_us >= engine->config.poll_s * G_USEC_PER_SEC)
		ask(engine, conn);
}

static bool figure(Engine *engine, const QuotaFigure *from, guint64 *ret_used, guint64 *ret_limit)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&engine->inbox_lock);
	if (from->limit == 0)
		return false;
	*ret_used = from->used;
	*ret_limit = from->limit;
	return true;
}

bool engine_quota(Engine *engine, guint64 *ret_used_bytes, guint64 *ret_limit_bytes)
{
	return figure(engine, &engine->quota.storage, ret_used_bytes, ret_limit_bytes);
}

bool engine_quota_messages(Engine *engine, guint64 *ret_used, guint64 *ret_limit)
{
	return figure(engine, &engine->quota.messages, ret_used, ret_limit);
}
