/* `.imapfs/status`: how the mount stands, as JSON. Asks the store and the engine, which is waited
 * for no longer than a reader notices. */
#include "base/json.h"
#include "base/limits.h"
#include "fs/fs.h"
#include "fs/query.h"
#include "store/unsent.h"

const char *status_state_name(EngineState state)
{
	switch (state) {
	case ENGINE_CONNECTING:
		return "connecting";
	case ENGINE_ONLINE:
		return "online";
	case ENGINE_OFFLINE:
		return "offline";
	case ENGINE_REFUSED:
		return "refused";
	}
	return "unknown";
}

/* RFC 3339, in UTC. */
static void write_time(JsonWriter *json, const char *name, gint64 real_us)
{
	g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(real_us / G_USEC_PER_SEC);
	g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
	json_text(json, name, text);
}

/* Milliseconds since a moment of the monotonic clock. */
static void write_age(JsonWriter *json, const char *name, gint64 since_us)
{
	if (since_us == 0)
		json_text(json, name, NULL);
	else
		json_number(json, name, MAX(0, g_get_monotonic_time() - since_us) / 1000);
}

static void write_traffic(JsonWriter *json, SessionTraffic traffic)
{
	json_number(json, "received", (gint64)traffic.received);
	json_number(json, "sent", (gint64)traffic.sent);
	json_number(json, "commands", (gint64)traffic.commands);
}

static void write_error(JsonWriter *json, const EngineStatus *status)
{
	if (*status->reason == '\0') {
		json_text(json, "error", NULL);
		return;
	}
	json_open(json, "error", '{');
	write_time(json, "time", status->reason_us);
	json_text(json, "text", status->reason);
	json_close(json);
}

static void write_connection(JsonWriter *json, Fs *fs, const EngineConnection *one)
{
	g_autofree char *folder = one->mailbox != 0 ? fs_mailbox_path(fs, one->mailbox) : NULL;
	json_open(json, NULL, '{');
	json_text(json, "state", one->ready ? "ready" : "connecting");
	json_text(json, "folder", folder);
	json_bool(json, "idle", one->idle);
	json_number(json, "under_way", one->commands);
	json_number(json, "fetching", one->fetching);
	json_number(json, "fetching_bytes", (gint64)one->fetching_bytes);
	write_traffic(json, one->traffic);
	write_age(json, "quiet_ms", one->moved_us);
	json_close(json);
}

/* What the server has not confirmed, and the texts that it does not have. */
static void write_changes(JsonWriter *json, Fs *fs, const EngineStatus *status)
{
	const char *directory = store_directory(fs->store);
	g_autofree char *unsent = directory ? g_build_filename(directory, "unsent", NULL) : NULL;
	json_open(json, "changes", '{');
	json_number(json, "waiting", status->changes);
	json_number(json, "unsent", store_unsent_count(fs->store));
	json_text(json, "unsent_directory", unsent);
	json_close(json);
}

static void write_quota(JsonWriter *json, Fs *fs)
{
	guint64 used, limit;
	if (!engine_quota(fs->engine, &used, &limit)) {
		json_text(json, "quota", NULL);
		return;
	}
	json_open(json, "quota", '{');
	json_number(json, "used", (gint64)used);
	json_number(json, "limit", (gint64)limit);
	json_close(json);
}

/* Why it cannot be written and since when; null while it can. */
static void write_unwritable(JsonWriter *json, Fs *fs)
{
	gint64 since_us = 0;
	g_autofree char *why = store_unwritable(fs->store, &since_us);
	json_text(json, "unwritable", why);
	if (why)
		write_time(json, "unwritable_since", since_us);
	else
		json_text(json, "unwritable_since", NULL);
}

static void write_cache(JsonWriter *json, Fs *fs)
{
	guint64 bytes, limit;
	store_usage(fs->store, &bytes, &limit);
	json_open(json, "cache", '{');
	json_text(json, "directory", store_directory(fs->store));
	json_number(json, "bodies", store_bodies_count(fs->store));
	json_number(json, "bytes", (gint64)bytes);
	json_number(json, "memory_bytes", (gint64)store_memory_usage(fs->store));
	json_number(json, "limit", (gint64)limit);
	write_unwritable(json, fs);
	json_close(json);
}

/* The folders whose names are known. Returns how many did not fit. */
static guint write_folders(JsonWriter *json, Fs *fs)
{
	guint listed = 0, left_out = 0;
	guint32 root = (guint32)g_atomic_int_get(&fs->root);
	g_autoptr(Tree) tree = fs_tree(fs);
	const TreeDir *dir = tree_dir(tree, 0);
	json_open(json, "folders", '[');
	for (; dir; dir = tree_dir_after(tree, dir->id)) {
		Gen gen = dir->mailbox != 0 ? store_gen(fs->store, dir->mailbox) : 0;
		if (gen == 0 || !store_names_known(fs->store, gen))
			continue;
		g_autofree char *path = tree_path(tree, root, dir);
		if (!path || listed == LIMIT_STATUS_FOLDERS) {
			left_out += path != NULL;
			continue;
		}
		listed++;
		json_open(json, NULL, '{');
		json_text(json, "path", path);
		json_number(json, "messages", (gint64)store_count(fs->store, gen));
		write_age(json, "confirmed_ms", store_names_time(fs->store, gen));
		json_bool(json, "pushed", engine_tells(fs->engine, dir->mailbox));
		json_close(json);
	}
	json_close(json);
	return left_out;
}

/* What was asked for last in a `.search` that is no query. */
static void write_refused_query(JsonWriter *json, Fs *fs)
{
	gint64 real_us;
	g_autofree char *query = NULL, *why = NULL;
	if (!queries_refused(fs->queries, &real_us, &query, &why)) {
		json_text(json, "query_refused", NULL);
		return;
	}
	json_open(json, "query_refused", '{');
	write_time(json, "time", real_us);
	json_text(json, "query", query);
	json_text(json, "why", why);
	json_close(json);
}

char *status_text(Fs *fs)
{
	EngineStatus status;
	engine_status(fs->engine, &status);
	JsonWriter *json = json_writer_new(true);
	json_open(json, NULL, '{');
	json_text(json, "imapfs", IMAPFS_VERSION);
	json_text(json, "account", fs->account);
	json_text(json, "source", fs->source);
	write_time(json, "time", g_get_real_time());
	json_text(json, "state", status_state_name(status.state));
	write_time(json, "since", status.since_us);
	write_error(json, &status);
	if (status.retry_us == 0)
		json_text(json, "retry_ms", NULL);
	else
		json_number(
			json, "retry_ms", MAX(0, status.retry_us - g_get_monotonic_time()) / 1000);

	json_open(json, "connections", '[');
	for (guint i = 0; i < status.n_connections; i++)
		write_connection(json, fs, &status.connections[i]);
	json_close(json);

	json_open(json, "requests", '{');
	json_number(json, "waiting", status.waiting);
	write_age(json, "oldest_ms", status.oldest_us);
	json_close(json);

	write_changes(json, fs, &status);
	write_refused_query(json, fs);
	write_quota(json, fs);
	write_cache(json, fs);
	json_number(json, "folders_left_out", write_folders(json, fs));

	json_open(json, "traffic", '{');
	write_traffic(json, status.traffic);
	json_number(json, "attempts", status.attempts);
	json_number(json, "logins", status.logins);
	json_number(json, "failures", status.failures);
	json_close(json);
	json_close(json);
	g_autofree char *text = json_writer_finish(json);
	return g_strconcat(text, "\n", NULL);
}
