/* What tells the outcome of a change from other messages. */
#include "engine/match.h"

#include <string.h>

void match_row_clear(gpointer data)
{
	MatchRow *row = data;
	g_free(row->message_id);
	g_clear_pointer(&row->header, g_bytes_unref);
}

/* ---- Message-ID ---- */

/* The value of the field that begins here, up to where the next one does. */
static char *value_of(const char *at, const char *end)
{
	g_autoptr(GString) value = g_string_new(NULL);
	for (; at < end; at++) {
		bool ends = *at == '\n' && (at + 1 == end || (at[1] != ' ' && at[1] != '\t'));
		if (ends)
			break;
		if (!g_ascii_isspace(*at))
			g_string_append_c(value, *at);
	}
	return value->len > 0 ? g_string_free(g_steal_pointer(&value), FALSE) : NULL;
}

char *message_id_of(const char *header, gsize len)
{
	static const char field[] = "Message-ID:";
	const char *end = header + MIN(len, MATCH_HEADER_MOST);
	for (const char *line = header; line < end;) {
		gsize left = (gsize)(end - line);
		if (*line == '\r' || *line == '\n')
			return NULL;
		if (left > sizeof(field) - 1 &&
			g_ascii_strncasecmp(line, field, sizeof(field) - 1) == 0)
			return value_of(line + sizeof(field) - 1, end);
		const char *next = memchr(line, '\n', left);
		line = next ? next + 1 : end;
	}
	return NULL;
}

/* With the empty line behind it, as BODY[HEADER] has it. */
static gsize header_length(const char *text, gsize len)
{
	const char *end = g_strstr_len(text, (gssize)len, "\r\n\r\n");
	return end ? (gsize)(end - text) + 4 : len;
}

/* ---- one message and one change ---- */

/* CRs aside. */
static bool are_same(const char *a, gsize a_len, const char *b, gsize b_len)
{
	for (gsize i = 0, k = 0;; i++, k++) {
		while (i < a_len && a[i] == '\r')
			i++;
		while (k < b_len && b[k] == '\r')
			k++;
		if (i == a_len || k == b_len)
			return i == a_len && k == b_len;
		if (a[i] != b[k])
			return false;
	}
}

static bool is_header(const Change *change, const MatchRow *row)
{
	const Intent *intent = change->intent;
	g_autoptr(GBytes) text = store_unsent_read(change->engine->store, intent->file);
	gsize len = 0, n = 0;
	const char *bytes = text ? g_bytes_get_data(text, &len) : NULL;
	if (!bytes || !row->header)
		return false;
	const char *header = g_bytes_get_data(row->header, &n);
	return are_same(bytes, header_length(bytes, len), header, n);
}

guint64 match_slack(const Change *change)
{
	if (change->intent->kind != INTENT_APPEND)
		return 0;
	g_autoptr(GBytes) text = store_unsent_read(change->engine->store, change->intent->file);
	gsize len = 0;
	const char *bytes = text ? g_bytes_get_data(text, &len) : NULL;
	guint64 bare = 0;
	for (gsize i = 0; i < len; i++)
		bare += bytes[i] == '\r' && (i + 1 == len || bytes[i + 1] != '\n');
	return bare;
}

static bool has_size(const Change *change, const MatchRow *row, guint64 slack)
{
	guint64 size = change->intent->size;
	if (row->size == size)
		return true;
	return row->size < size && size - row->size <= slack && is_header(change, row);
}

/* The Message-ID tells a message from all others, as long as nobody copies it; without it the date
 * does among those of one size, and of what was uploaded the header. */
static bool is_certain(const Change *change, const MatchRow *row)
{
	const Intent *intent = change->intent;
	if (intent->message_id)
		return g_strcmp0(intent->message_id, row->message_id) == 0;
	return intent->kind == INTENT_APPEND && is_header(change, row);
}

/* Where it is not known what came since, what was there before may look the same: an earlier copy,
 * a draft before it was rewritten, the source itself. That is no proof for what would remove the
 * source, or the old text: rather there are two in the end. */
static bool may_be_older(const Change *change, guint32 uidvalidity)
{
	const Intent *intent = change->intent;
	bool known = intent->target_uidnext != 0 && intent->target_uidvalidity == uidvalidity;
	return !known && (change->there || (intent->kind == INTENT_APPEND && intent->uid != 0));
}

static bool matches(const Change *change, const MatchRow *row, guint32 uidvalidity, guint64 slack)
{
	const Intent *intent = change->intent;
	guint32 first = intent->target_uidvalidity == uidvalidity ? intent->target_uidnext : 1;
	if (row->claimed || row->uid < first || may_be_older(change, uidvalidity) ||
		!has_size(change, row, slack))
		return false;
	if (intent->message_id || intent->kind == INTENT_APPEND)
		return is_certain(change, row);
	return row->date == intent->date;
}

static bool are_alike(const Change *a, const Change *b)
{
	return b->intent->step == INTENT_SENT && a->target == b->target && !b->intent->message_id &&
	       a->intent->size == b->intent->size && a->intent->date == b->intent->date;
}

/* Where several look alike and one has no copy, nobody knows which: none is removed then. */
static bool is_enough(const GArray *rows, const Change *change, guint32 uidvalidity)
{
	GHashTableIter iter;
	gpointer other;
	guint alike = 0, changes = 0;
	if (change->intent->message_id || change->intent->kind != INTENT_MOVE || !change->there)
		return true;
	for (guint i = 0; i < rows->len; i++)
		alike += matches(change, &g_array_index(rows, MatchRow, i), uidvalidity, 0);
	g_hash_table_iter_init(&iter, change->engine->changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &other))
		changes += are_alike(change, other);
	return alike >= changes;
}

guint32 match_find(GArray *rows, const Change *change, guint32 uidvalidity)
{
	if (change->intent->size == 0 || !is_enough(rows, change, uidvalidity))
		return 0;
	guint64 slack = match_slack(change);
	for (guint i = 0; i < rows->len; i++) {
		MatchRow *row = &g_array_index(rows, MatchRow, i);
		if (row->taken || !matches(change, row, uidvalidity, slack))
			continue;
		row->taken = true;
		return row->uid;
	}
	return 0;
}

/* ---- what is not to be had ---- */

/* Messages of which it is known already what they are the outcome of. */
static ImapSet *claimed(Engine *engine, MailboxId target, Gen gen)
{
	guint32 uidvalidity = store_gen_uidvalidity(engine->store, gen);
	ImapSet *uids = imap_set_new();
	GHashTableIter iter;
	gpointer value;
	for (const GList *l = engine->changes->brought.head; l; l = l->next) {
		const Brought *one = l->data;
		if (one->gen == gen)
			imap_set_add(uids, one->uid, one->uid);
	}
	g_hash_table_iter_init(&iter, engine->changes->by_id);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const Change *change = value;
		const Intent *intent = change->intent;
		if (intent->step == INTENT_COPIED && change->target == target &&
			intent->target_uidvalidity == uidvalidity)
			imap_set_add(uids, intent->target_uid, intent->target_uid);
	}
	return uids;
}

void match_claim(GArray *rows, Engine *engine, MailboxId target, Gen gen)
{
	g_autoptr(ImapSet) uids = claimed(engine, target, gen);
	for (guint i = 0; i < rows->len; i++) {
		MatchRow *row = &g_array_index(rows, MatchRow, i);
		row->claimed = imap_set_contains(uids, row->uid);
		imap_set_add(uids, row->uid, row->uid);
	}
}
