#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

enum {
	LIMIT_LINES = 5,
	LIMIT_WINDOW_US = 60 * G_USEC_PER_SEC,

	/* A line longer than this helps nobody and is not ours. */
	LOG_LINE_BYTES = 8192,
};

static gint log_target = LOG_TO_STDERR;
static gint log_debug;

static int syslog_priority(GLogLevelFlags level)
{
	static const struct {
		GLogLevelFlags level;
		int priority;
	} map[] = {
		{G_LOG_LEVEL_ERROR, LOG_CRIT},
		{G_LOG_LEVEL_CRITICAL, LOG_ERR},
		{G_LOG_LEVEL_WARNING, LOG_WARNING},
		{G_LOG_LEVEL_MESSAGE, LOG_NOTICE},
		{G_LOG_LEVEL_INFO, LOG_INFO},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(map); i++) {
		if (level & map[i].level)
			return map[i].priority;
	}
	return LOG_DEBUG;
}

/* The libraries below us chat at the info level; that is for debugging only. */
static gboolean is_wanted(GLogLevelFlags level, const char *domain)
{
	if (g_atomic_int_get(&log_debug))
		return TRUE;
	if (level & G_LOG_LEVEL_INFO)
		return g_strcmp0(domain, G_LOG_DOMAIN) == 0;
	return !(level & G_LOG_LEVEL_DEBUG);
}

/* One write for one line, so that lines of several threads do not mix. */
static void write_line(const GString *line)
{
	gsize done = 0;

	while (done < line->len) {
		ssize_t n = write(STDERR_FILENO, line->str + done, line->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		done += (gsize)n;
	}
}

static void to_stderr(const char *text)
{
	g_autoptr(GString) line = g_string_new("imapfs: ");

	if (g_atomic_int_get(&log_debug)) {
		g_autoptr(GDateTime) now = g_date_time_new_now_local();
		g_autofree char *stamp = now ? g_date_time_format(now, "%H:%M:%S.%f ") : NULL;
		if (stamp)
			g_string_append(line, stamp);
	}
	g_string_append(line, text);
	g_string_append_c(line, '\n');
	write_line(line);
}

static gsize field_length(const GLogField *field)
{
	return field->length < 0 ? strlen(field->value) : (gsize)field->length;
}

static GLogWriterOutput log_writer(
	GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
	const GLogField *message = NULL;
	const char *domain = NULL;

	for (gsize i = 0; i < n_fields; i++) {
		if (strcmp(fields[i].key, "MESSAGE") == 0)
			message = &fields[i];
		else if (strcmp(fields[i].key, "GLIB_DOMAIN") == 0)
			domain = fields[i].value;
	}
	if (!message || !is_wanted(level, domain))
		return G_LOG_WRITER_HANDLED;

	/* Callers escape what a server said; a second pass changes nothing and keeps one message
	 * on one line whoever wrote it. */
	g_autofree char *escaped =
		log_escape(message->value, field_length(message), LOG_LINE_BYTES);
	gboolean foreign = domain && strcmp(domain, G_LOG_DOMAIN) != 0;
	g_autofree char *text =
		g_strconcat(foreign ? domain : "", foreign ? ": " : "", escaped, NULL);

	if (g_atomic_int_get(&log_target) == LOG_TO_SYSLOG)
		syslog(syslog_priority(level), "%s", text);
	else
		to_stderr(text);
	return G_LOG_WRITER_HANDLED;
}

void log_init(LogTarget target, gboolean debug)
{
	g_atomic_int_set(&log_debug, debug);
	log_retarget(target);
	g_log_set_writer_func(log_writer, NULL, NULL);
}

void log_retarget(LogTarget target)
{
	if (target == LOG_TO_SYSLOG)
		openlog("imapfs", LOG_PID, LOG_DAEMON);
	g_atomic_int_set(&log_target, target);
}

/* Length of the printable character at p, or 0. Format characters count as unprintable: they
 * reorder what a terminal shows (U+202E). */
static gsize printable(const char *p, gsize len)
{
	gunichar c = g_utf8_get_char_validated(p, (gssize)len);

	if (c == (gunichar)-1 || c == (gunichar)-2 || !g_unichar_isprint(c))
		return 0;
	return (gsize)(g_utf8_next_char(p) - p);
}

/* The longest prefix of at most max bytes that does not end within a character. */
static gsize cut(const char *text, gsize len, gsize max)
{
	if (len <= max)
		return len;
	for (gsize back = 0; back < 4 && back <= max; back++) {
		if (((guchar)text[max - back] & 0xc0) != 0x80)
			return max - back;
	}
	return max;
}

char *log_escape(const void *text, gsize len, gsize max)
{
	const char *p = text;
	gsize kept = cut(p, len, max);
	GString *out = g_string_sized_new(kept + 1);

	for (gsize i = 0; i < kept;) {
		gsize n = printable(p + i, kept - i);
		if (n > 0)
			g_string_append_len(out, p + i, (gssize)n);
		else
			g_string_append_printf(out, "\\x%02x", (guchar)p[i]);
		i += MAX(n, 1);
	}
	if (kept < len)
		g_string_append(out, "...");
	return g_string_free(out, FALSE);
}

gboolean log_limit_ok(LogLimit *limit)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	gint64 now = g_get_monotonic_time();

	pthread_mutex_lock(&lock);
	if (limit->count == 0 || now - limit->window_start_us >= LIMIT_WINDOW_US) {
		limit->window_start_us = now;
		limit->count = 0;
	}
	gboolean ok = limit->count < LIMIT_LINES;
	if (ok)
		limit->count++;
	pthread_mutex_unlock(&lock);
	return ok;
}
