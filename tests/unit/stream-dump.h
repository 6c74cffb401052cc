/* Feeds a transcript to an ImapStream and writes down all that it shows, as text to compare:
 * a line for each response, a line for each streamed body. Shared by tests and fuzzers. */
#pragma once

#include "imap/stream.h"

#include <string.h>

typedef struct {
	ImapStream *stream;
	GString *out;
	GString *body; /* the streamed bytes since the last line */
	bool refuse_bodies;
	bool ended;
} StreamDump;

static inline void dump_bytes(GString *out, const char *label, ImapBytes bytes)
{
	g_string_append_printf(out, " %s=", label);
	if (!bytes.data) {
		g_string_append(out, "NIL");
		return;
	}
	g_string_append_c(out, '<');
	for (gsize i = 0; i < bytes.len; i++) {
		if (g_ascii_isprint(bytes.data[i]))
			g_string_append_c(out, bytes.data[i]);
		else
			g_string_append_printf(out, "%%%02X", (guchar)bytes.data[i]);
	}
	g_string_append_c(out, '>');
}

static inline void dump_number(GString *out, const char *label, guint64 number)
{
	g_string_append_printf(out, " %s=%" G_GUINT64_FORMAT, label, number);
}

static inline void dump_set(GString *out, const char *label, const ImapSet *set)
{
	g_autofree char *text = imap_set_to_string(set);

	g_string_append_printf(out, " %s=%s", label, text);
}

static inline void dump_flags(GString *out, const ImapFlags *flags)
{
	static const char *const names[] = {"Seen", "Answered", "Flagged", "Deleted", "Draft", "*"};
	const char *space = "";

	g_string_append(out, " flags=(");
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		if (flags->system & (1u << i)) {
			g_string_append_printf(out, "%s\\%s", space, names[i]);
			space = " ";
		}
	}
	for (const char *const *keyword = flags->keywords; *keyword; keyword++) {
		g_string_append_printf(out, "%s%s", space, *keyword);
		space = " ";
	}
	g_string_append_c(out, ')');
}

static inline void dump_caps(GString *out, const ImapCapabilities *caps)
{
	for (guint cap = 0; cap < IMAP_CAP_COUNT_; cap++) {
		if (caps->caps & IMAP_CAP_BIT(cap))
			g_string_append_printf(out, " %s", imap_cap_name((ImapCap)cap));
	}
	for (const char *const *mech = caps->mechs; *mech; mech++)
		g_string_append_printf(out, " AUTH=%s", *mech);
	if (caps->append_limit)
		dump_number(out, "APPENDLIMIT", caps->append_limit);
}

static inline void dump_status(GString *out, const ImapStatus *status)
{
	static const char *const kinds[] = {"OK", "NO", "BAD", "PREAUTH", "BYE"};

	g_string_append_printf(out, " %s", kinds[status->kind]);
	if (status->code != IMAP_CODE_NONE)
		g_string_append_printf(out, " [%s]", imap_code_name(status->code));
	if (status->number)
		dump_number(out, "number", status->number);
	if (status->uids)
		dump_set(out, "uids", status->uids);
	if (status->target_uids)
		dump_set(out, "target", status->target_uids);
	if (status->flags)
		dump_flags(out, status->flags);
	if (status->caps)
		dump_caps(out, status->caps);
	dump_bytes(out, "text", status->text);
}

static inline void dump_mailbox_status(GString *out, const ImapMailboxStatus *status)
{
	const struct {
		const char *label;
		guint64 value;
	} fields[] = {
		{"messages", status->messages},
		{"uidnext", status->uidnext},
		{"uidvalidity", status->uidvalidity},
		{"unseen", status->unseen},
		{"highestmodseq", status->highestmodseq},
		{"size", status->size},
		{"deleted", status->deleted},
	};

	dump_bytes(out, "name", status->name);
	for (guint i = 0; i < G_N_ELEMENTS(fields); i++) {
		if (status->has & (1u << i))
			dump_number(out, fields[i].label, fields[i].value);
	}
}

static inline void dump_quota(GString *out, const ImapQuota *quota)
{
	dump_bytes(out, "root", quota->root);
	if (quota->has_storage)
		g_string_append_printf(out, " storage=%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
			quota->storage_used, quota->storage_limit);
	if (quota->has_messages)
		g_string_append_printf(out, " messages=%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
			quota->messages_used, quota->messages_limit);
}

static inline void dump_list(GString *out, const ImapList *list)
{
	g_string_append_printf(out, " attributes=%x delimiter=", list->attributes);
	if (list->delimiter)
		g_string_append_printf(out, "%%%02X", (guchar)list->delimiter);
	else
		g_string_append(out, "NIL");
	dump_bytes(out, "name", list->name);
	if (list->oldname.data)
		dump_bytes(out, "oldname", list->oldname);
}

static inline void dump_search(GString *out, const ImapSearch *search)
{
	if (search->tag.data)
		dump_bytes(out, "tag", search->tag);
	if (search->mailbox.data)
		dump_bytes(out, "mailbox", search->mailbox);
	if (search->uidvalidity)
		dump_number(out, "uidvalidity", search->uidvalidity);
	if (search->uid)
		g_string_append(out, " uid");
	if (search->has_all)
		dump_set(out, "all", search->all);
	else
		g_assert_cmpuint(imap_set_count(search->all), ==, 0);
	if (search->has_count)
		dump_number(out, "count", search->count);
	if (search->min)
		dump_number(out, "min", search->min);
	if (search->max)
		dump_number(out, "max", search->max);
	if (search->modseq)
		dump_number(out, "modseq", search->modseq);
}

static inline void dump_body(GString *out, const ImapBody *body)
{
	g_string_append(out, body->binary ? " binary" : " body");
	dump_bytes(out, "section", body->section);
	if (body->has_origin)
		dump_number(out, "origin", body->origin);
	if (body->form == IMAP_BODY_STREAMED)
		dump_number(out, "streamed", body->size);
	else
		dump_bytes(out, "data", body->data);
	g_assert_true(body->form != IMAP_BODY_INLINE || body->size == body->data.len);
}

static inline void dump_fetch(GString *out, const ImapFetch *fetch)
{
	dump_number(out, "seq", fetch->seq);
	if (fetch->has & IMAP_FETCH_UID)
		dump_number(out, "uid", fetch->uid);
	if (fetch->has & IMAP_FETCH_FLAGS)
		dump_flags(out, &fetch->flags);
	if (fetch->has & IMAP_FETCH_INTERNALDATE)
		g_string_append_printf(out, " date=%" G_GINT64_FORMAT, fetch->internaldate);
	if (fetch->has & IMAP_FETCH_SIZE)
		dump_number(out, "size", fetch->size);
	if (fetch->has & IMAP_FETCH_MODSEQ)
		dump_number(out, "modseq", fetch->modseq);
	if (fetch->has & IMAP_FETCH_BODYSTRUCTURE)
		dump_bytes(out, "structure", fetch->bodystructure);
	for (gsize i = 0; i < fetch->n_bodies; i++)
		dump_body(out, &fetch->bodies[i]);
	for (gsize i = 0; i < fetch->n_sizes; i++) {
		dump_bytes(out, "decoded", fetch->sizes[i].section);
		dump_number(out, "size", fetch->sizes[i].size);
	}
}

/* Bytes come in pieces that depend on the cuts; their sum does not. */
static inline void dump_flush_body(StreamDump *dump)
{
	if (dump->body->len == 0)
		return;
	g_string_append(dump->out, "bytes");
	dump_bytes(dump->out, "data", (ImapBytes){dump->body->str, dump->body->len});
	g_string_append_c(dump->out, '\n');
	g_string_truncate(dump->body, 0);
}

static inline bool dump_on_response(const ImapResponse *response, gpointer data)
{
	StreamDump *dump = data;
	GString *out = dump->out;

	dump_flush_body(dump);
	g_assert_nonnull(response->flags.keywords);
	g_assert_nonnull(response->fetch.flags.keywords);
	g_assert_nonnull(response->caps.mechs);
	g_assert_nonnull(response->search.all);
	switch (response->kind) {
	case IMAP_RESPONSE_CONTINUATION:
		g_string_append(out, "CONTINUATION");
		dump_bytes(out, "text", response->text);
		break;
	case IMAP_RESPONSE_TAGGED:
		g_string_append(out, "TAGGED");
		dump_bytes(out, "tag", response->tag);
		dump_status(out, &response->status);
		break;
	case IMAP_RESPONSE_STATUS:
		g_string_append(out, "STATUS");
		dump_status(out, &response->status);
		break;
	case IMAP_RESPONSE_CAPABILITY:
		g_string_append(out, "CAPABILITY");
		dump_caps(out, &response->caps);
		break;
	case IMAP_RESPONSE_ENABLED:
		g_string_append(out, "ENABLED");
		dump_caps(out, &response->caps);
		break;
	case IMAP_RESPONSE_NAMESPACE:
		g_string_append(out, "NAMESPACE");
		for (gsize i = 0; i < response->n_namespaces; i++) {
			const ImapNamespace *space = &response->namespaces[i];
			char delimiter = space->delimiter ? space->delimiter : '0';

			g_string_append_printf(out, " %c%c", space->kind, delimiter);
			dump_bytes(out, "prefix", space->prefix);
		}
		break;
	case IMAP_RESPONSE_LIST:
		g_string_append(out, "LIST");
		dump_list(out, &response->list);
		break;
	case IMAP_RESPONSE_MAILBOX_STATUS:
		g_string_append(out, "MAILBOX");
		dump_mailbox_status(out, &response->mailbox_status);
		break;
	case IMAP_RESPONSE_SEARCH:
		g_string_append(out, "SEARCH");
		dump_search(out, &response->search);
		break;
	case IMAP_RESPONSE_FLAGS:
		g_string_append(out, "FLAGS");
		dump_flags(out, &response->flags);
		break;
	case IMAP_RESPONSE_EXISTS:
		dump_number(out, "EXISTS", response->number);
		break;
	case IMAP_RESPONSE_RECENT:
		dump_number(out, "RECENT", response->number);
		break;
	case IMAP_RESPONSE_EXPUNGE:
		dump_number(out, "EXPUNGE", response->number);
		break;
	case IMAP_RESPONSE_VANISHED:
		g_string_append(out, "VANISHED");
		dump_set(out, response->earlier ? "earlier" : "now", response->vanished);
		break;
	case IMAP_RESPONSE_FETCH:
		g_string_append(out, "FETCH");
		dump_fetch(out, &response->fetch);
		break;
	case IMAP_RESPONSE_QUOTA:
		g_string_append(out, "QUOTA");
		dump_quota(out, &response->quota);
		break;
	case IMAP_RESPONSE_QUOTAROOT:
		g_string_append(out, "QUOTAROOT");
		dump_bytes(out, "mailbox", response->quota_root.mailbox);
		for (gsize i = 0; i < response->quota_root.n_roots; i++)
			dump_bytes(out, "root", response->quota_root.roots[i]);
		break;
	case IMAP_RESPONSE_MYRIGHTS:
		g_string_append(out, "MYRIGHTS");
		dump_bytes(out, "mailbox", response->rights.mailbox);
		dump_bytes(out, "rights", response->rights.rights);
		break;
	case IMAP_RESPONSE_OTHER:
		g_string_append(out, "OTHER");
		break;
	}
	g_string_append_c(out, '\n');
	return true;
}

static inline bool dump_on_body_begin(const ImapBodyStart *start, gpointer data)
{
	StreamDump *dump = data;

	dump_flush_body(dump);
	g_string_append(dump->out, start->binary ? "begin binary" : "begin");
	dump_number(dump->out, "seq", start->seq);
	dump_number(dump->out, "uid", start->uid);
	dump_bytes(dump->out, "section", start->section);
	if (start->has_origin)
		dump_number(dump->out, "origin", start->origin);
	dump_number(dump->out, "size", start->size);
	g_string_append_c(dump->out, '\n');
	return !dump->refuse_bodies;
}

static inline bool dump_on_body_bytes(const void *bytes, gsize len, gpointer data)
{
	StreamDump *dump = data;

	g_assert_cmpuint(len, >, 0);
	g_assert_false(dump->refuse_bodies);
	g_string_append_len(dump->body, bytes, (gssize)len);
	return true;
}

static inline StreamDump *stream_dump_new(bool refuse_bodies)
{
	static const ImapStreamEvents events = {
		dump_on_response, dump_on_body_begin, dump_on_body_bytes};
	StreamDump *dump = g_new0(StreamDump, 1);

	dump->stream = imap_stream_new(&events, dump);
	dump->out = g_string_new(NULL);
	dump->body = g_string_new(NULL);
	dump->refuse_bodies = refuse_bodies;
	return dump;
}

/* Copies the piece to memory of exactly its size, so that a sanitizer sees a byte too many. */
static inline void stream_dump_feed(StreamDump *dump, const char *bytes, gsize len)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *copy = g_memdup2(bytes, len);

	if (dump->ended || imap_stream_feed(dump->stream, copy, len, &error))
		return;
	dump->ended = true;
	dump_flush_body(dump);
	g_string_append_printf(dump->out, "ERROR %s\n", error ? error->message : "none");
}

/* Frees the dump, returns its text; "CUT" at the end means that a response is not complete. */
static inline char *stream_dump_finish(StreamDump *dump)
{
	char *text;

	dump_flush_body(dump);
	if (!dump->ended && !imap_stream_at_boundary(dump->stream))
		g_string_append(dump->out, "CUT\n");
	imap_stream_free(dump->stream);
	g_string_free(dump->body, TRUE);
	text = g_string_free(dump->out, FALSE);
	g_free(dump);
	return text;
}
