#include "cli/status-view.h"

#include <string.h>

#include "base/log.h"

enum { TEXT_MAX = 1000 };

static char *size_text(gint64 bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double size = (double)MAX(bytes, 0);
	guint unit = 0;
	for (; size >= 1024 && unit + 1 < G_N_ELEMENTS(units); unit++)
		size /= 1024;
	return g_strdup_printf(unit > 0 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

static char *duration_text(gint64 ms)
{
	if (ms < 10 * 1000)
		return g_strdup_printf("%.1f s", (double)ms / 1000);
	if (ms < 2 * 60 * 1000)
		return g_strdup_printf("%" G_GINT64_FORMAT " s", ms / 1000);
	if (ms < 2 * 60 * 60 * 1000)
		return g_strdup_printf("%" G_GINT64_FORMAT " min", ms / 60000);
	return g_strdup_printf("%" G_GINT64_FORMAT " h", ms / 3600000);
}

/* Nothing that a server or a file said may move the cursor. */
static char *plain(const char *text)
{
	return text ? log_escape(text, strlen(text), TEXT_MAX) : g_strdup("?");
}

/* "16:02:11" and, when that was on another day than now, the day. */
static char *time_text(const JsonReader *reader, const char *path)
{
	const char *time = json_reader_text(reader, "%s", path);
	const char *now = json_reader_text(reader, "time");
	g_autoptr(GDateTime) utc = time ? g_date_time_new_from_iso8601(time, NULL) : NULL;
	g_autoptr(GDateTime) today = now ? g_date_time_new_from_iso8601(now, NULL) : NULL;
	g_autoptr(GDateTime) local = utc ? g_date_time_to_local(utc) : NULL;
	if (!local)
		return g_strdup("?");
	bool recent = today && g_date_time_difference(today, utc) < G_TIME_SPAN_DAY / 2;
	return g_date_time_format(local, recent ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S");
}

static void add(GString *to, const char *name, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void add(GString *to, const char *name, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_string_append_printf(to, "%-13s", name);
	g_string_append_vprintf(to, format, args);
	g_string_append_c(to, '\n');
	va_end(args);
}

/* "1 command", "2 commands". */
static char *count_text(gint64 n, const char *noun)
{
	return g_strdup_printf("%" G_GINT64_FORMAT " %s%s", n, noun, n == 1 ? "" : "s");
}

static void add_account(const JsonReader *reader, GString *to)
{
	g_autofree char *account = plain(json_reader_text(reader, "account"));
	g_autofree char *state = plain(json_reader_text(reader, "state"));
	g_autofree char *since = time_text(reader, "since");
	add(to, "account", "%s, %s since %s", account, state, since);
	const char *why = json_reader_text(reader, "error.text");
	if (!why)
		return;
	g_autofree char *text = plain(why);
	g_autofree char *time = time_text(reader, "error.time");
	add(to, "last error", "%s: %s", time, text);
}

/* Whether a connection is on its way. */
static bool is_trying(const JsonReader *reader)
{
	const char *state;
	for (guint i = 0; (state = json_reader_text(reader, "connections.%u.state", i)); i++)
		if (g_strcmp0(state, "connecting") == 0)
			return true;
	return false;
}

/* What comes by itself, and what can be done. */
static void add_next(const JsonReader *reader, GString *to)
{
	gint64 retry = json_reader_number(reader, -1, "retry_ms");
	g_autofree char *in = duration_text(retry);
	const char *state = json_reader_text(reader, "state");
	if (g_strcmp0(state, "refused") == 0)
		add(to, "what to do",
			"correct the password that passfile, passcmd or tokencmd gives; for "
			"one that was typed in, mount again");
	if (retry >= 0)
		add(to, "next try", "in %s", in);
	else if (g_strcmp0(state, "online") != 0 && is_trying(reader))
		add(to, "next try", "trying now");
}

static void add_requests(const JsonReader *reader, GString *to)
{
	gint64 waiting = json_reader_number(reader, 0, "requests.waiting");
	g_autofree char *oldest =
		duration_text(json_reader_number(reader, 0, "requests.oldest_ms"));
	if (waiting == 0)
		add(to, "requests", "none waits");
	else
		add(to, "requests", "%" G_GINT64_FORMAT " waiting, the oldest for %s", waiting,
			oldest);
}

/* What the server has to do yet, and what it does not have. */
static void add_changes(const JsonReader *reader, GString *to)
{
	gint64 waiting = json_reader_number(reader, 0, "changes.waiting");
	gint64 unsent = json_reader_number(reader, 0, "changes.unsent");
	const char *where = json_reader_text(reader, "changes.unsent_directory");
	g_autofree char *directory = where ? plain(where) : g_strdup("memory");
	g_autofree char *texts = count_text(unsent, "text");
	if (waiting == 0)
		add(to, "changes", "none waits");
	else
		add(to, "changes", "%" G_GINT64_FORMAT " waiting for the server", waiting);
	if (unsent > 0)
		add(to, "", "%s that the server does not have, in %s", texts, directory);
}

static void add_quota(const JsonReader *reader, GString *to)
{
	gint64 limit = json_reader_number(reader, -1, "quota.limit");
	g_autofree char *used = size_text(json_reader_number(reader, 0, "quota.used"));
	g_autofree char *all = size_text(limit);
	if (limit >= 0)
		add(to, "quota", "%s of %s", used, all);
}

static bool is_true(const char *value)
{
	return g_strcmp0(value, "true") == 0;
}

/* What a connection does now. */
static char *work_text(const JsonReader *reader, guint i)
{
	const char *state = json_reader_text(reader, "connections.%u.state", i);
	gint64 commands = json_reader_number(reader, 0, "connections.%u.under_way", i);
	gint64 messages = json_reader_number(reader, 0, "connections.%u.fetching", i);
	g_autofree char *bytes =
		size_text(json_reader_number(reader, 0, "connections.%u.fetching_bytes", i));
	if (g_strcmp0(state, "ready") != 0)
		return plain(state);
	g_autofree char *fetching = count_text(messages, "message");
	g_autofree char *under_way = count_text(commands, "command");
	if (messages > 0)
		return g_strdup_printf("%s on the way, %s to come", fetching, bytes);
	if (commands > 0)
		return g_strdup_printf("%s under way", under_way);
	if (is_true(json_reader_text(reader, "connections.%u.idle", i)))
		return g_strdup("waiting for news");
	return g_strdup("at rest");
}

static void add_connections(const JsonReader *reader, GString *to)
{
	guint i = 0;
	for (; json_reader_text(reader, "connections.%u.state", i); i++) {
		const char *in = json_reader_text(reader, "connections.%u.folder", i);
		g_autofree char *folder = in ? plain(in) : g_strdup("no folder");
		g_autofree char *work = work_text(reader, i);
		g_autofree char *received =
			size_text(json_reader_number(reader, 0, "connections.%u.received", i));
		g_autofree char *quiet =
			duration_text(json_reader_number(reader, 0, "connections.%u.quiet_ms", i));
		add(to, i == 0 ? "connections" : "", "%s: %s; %s received, quiet for %s", folder,
			work, received, quiet);
	}
	if (i == 0)
		add(to, "connections", "none");
}

/* What the directory does not have, and why. */
static void add_memory(const JsonReader *reader, GString *to)
{
	gint64 bytes = json_reader_number(reader, 0, "cache.memory_bytes");
	const char *unwritable = json_reader_text(reader, "cache.unwritable");
	if (bytes > 0 && json_reader_text(reader, "cache.directory")) {
		g_autofree char *size = size_text(bytes);
		add(to, "", "%s of that in memory only", size);
	}
	if (unwritable) {
		g_autofree char *since = time_text(reader, "cache.unwritable_since");
		g_autofree char *why = plain(unwritable);
		add(to, "", "cannot be written since %s: %s", since, why);
	}
}

static void add_cache(const JsonReader *reader, GString *to)
{
	const char *where = json_reader_text(reader, "cache.directory");
	g_autofree char *directory = where ? plain(where) : g_strdup("memory");
	g_autofree char *bytes = size_text(json_reader_number(reader, 0, "cache.bytes"));
	g_autofree char *limit = size_text(json_reader_number(reader, 0, "cache.limit"));
	g_autofree char *bodies =
		count_text(json_reader_number(reader, 0, "cache.bodies"), "message");
	add(to, "cache", "%s of %s, %s, in %s", bytes, limit, bodies, directory);
	add_memory(reader, to);
}

static void add_traffic(const JsonReader *reader, GString *to)
{
	g_autofree char *received = size_text(json_reader_number(reader, 0, "traffic.received"));
	g_autofree char *sent = size_text(json_reader_number(reader, 0, "traffic.sent"));
	g_autofree char *commands =
		count_text(json_reader_number(reader, 0, "traffic.commands"), "command");
	g_autofree char *logins =
		count_text(json_reader_number(reader, 0, "traffic.logins"), "connection");
	add(to, "traffic", "%s received, %s sent, %s, %s of %" G_GINT64_FORMAT " tried", received,
		sent, commands, logins, json_reader_number(reader, 0, "traffic.attempts"));
}

static char *freshness(gint64 age_ms, bool pushed)
{
	if (age_ms < 0)
		return g_strdup("to be asked again");
	g_autofree char *ago = duration_text(age_ms);
	return g_strdup_printf("right %s ago%s", ago, pushed ? ", changes are told" : "");
}

static void add_folders(const JsonReader *reader, GString *to)
{
	const char *path;
	guint i = 0;
	for (; (path = json_reader_text(reader, "folders.%u.path", i)); i++) {
		g_autofree char *folder = plain(path);
		gint64 age = json_reader_number(reader, -1, "folders.%u.confirmed_ms", i);
		bool pushed = is_true(json_reader_text(reader, "folders.%u.pushed", i));
		gint64 messages = json_reader_number(reader, 0, "folders.%u.messages", i);
		g_autofree char *fresh = freshness(age, pushed);
		add(to, i == 0 ? "folders" : "", "%10" G_GINT64_FORMAT "  %s, %s", messages, folder,
			fresh);
	}
	gint64 more = json_reader_number(reader, 0, "folders_left_out");
	if (more > 0)
		add(to, "", "and %" G_GINT64_FORMAT " more", more);
	if (i == 0)
		add(to, "folders", "none was looked at yet");
}

char *status_view(const JsonReader *reader)
{
	GString *text = g_string_new(NULL);
	add_account(reader, text);
	add_next(reader, text);
	add_requests(reader, text);
	add_changes(reader, text);
	add_connections(reader, text);
	add_traffic(reader, text);
	add_quota(reader, text);
	add_cache(reader, text);
	add_folders(reader, text);
	return g_string_free(text, FALSE);
}
