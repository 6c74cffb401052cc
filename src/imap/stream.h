/* The byte stream of a server cut into responses: fed in pieces of any size with the same
 * result, it shows each response once it is complete and hands body literals on as they
 * arrive, so that no message is ever held in memory. Pure. */
#pragma once

#include "imap/response.h"

typedef struct ImapStream ImapStream;

/* What is known of a body literal when its first byte arrives. */
typedef struct {
	guint32 seq;
	guint32 uid; /* 0 when the server names the UID after the body */
	ImapBytes section;
	bool binary, has_origin;
	guint64 origin;
	guint64 size; /* announced octets; nothing may be allocated on its word */
} ImapBodyStart;

typedef struct {
	/* A complete response; false stops feeding (imap_stream_feed returns false). */
	bool (*response)(const ImapResponse *response, gpointer data);

	/* A literal of a FETCH BODY[...] or BINARY[...] item begins. true: its bytes come through
	 * body_bytes and the item is shown as STREAMED in the response that ends it. false: the
	 * bytes are dropped and the item is shown as NIL. NULL: as false. */
	bool (*body_begin)(const ImapBodyStart *start, gpointer data);

	/* The next bytes of the accepted literal: at least 1. false as for response. */
	bool (*body_bytes)(const void *bytes, gsize len, gpointer data);
} ImapStreamEvents;

/* events must outlive the stream. */
ImapStream *imap_stream_new(const ImapStreamEvents *events, gpointer data);
void imap_stream_free(ImapStream *stream); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapStream, imap_stream_free)

/* Feeds len bytes. MAIL_ERROR_PROTOCOL when the bytes cannot be framed or pass a limit
 * (base/limits.h): the connection must be closed. A response that is framed but makes no sense
 * comes as IMAP_RESPONSE_OTHER. false without error: a callback returned false. After
 * either every further feeding fails. A callback must not free the stream. Linear in len. */
bool imap_stream_feed(ImapStream *stream, const void *bytes, gsize len, GError **error);

/* true between responses: an end of the connection here cuts nothing off. */
bool imap_stream_at_boundary(const ImapStream *stream);
