/* A search under way, for the files that share it: search.c is about the verb and single mailboxes,
 * multisearch.c about one command for many. */
#pragma once

#include "engine/private.h"

struct Search {
	Engine *engine;
	MailboxId mailbox; /* 0: all */
	ImapQuery *query;
	GPtrArray *waiters; /* their data is an Asker */
	bool plain; /* the server did not understand RETURN */
	bool begun; /* something was sent: who comes now may know of something newer */
	GArray *targets; /* of all mailboxes, or those that one command did not settle */
	guint next; /* of these */
	bool decided; /* whether one command is to ask for all */
	GPtrArray *chunks; /* Chunk, those under way */
	GPtrArray *parts; /* Part, those under way */
	GArray *hits; /* EngineHits with sets of their own */
	bool answered; /* some mailbox was searched */
	GError *error; /* the first that left a mailbox out */
	bool failed; /* with that: it is about all of them */
	GList link; /* in Engine.searches */
};

/* A mailbox whose turn will come. */
typedef struct {
	MailboxId mailbox;
	ImapSet *found; /* NULL: it has to be searched */
	guint32 uidvalidity; /* of what was found; 0: it cannot be used */
} Target;

/* Of Target, each with what was found in it. */
GArray *search_targets_new(void);

/* Of Search.chunks. */
void search_chunk_free(gpointer chunk);

/* Sends one command for all targets, or leaves them where the server does not offer that. Nothing
 * happens while no connection is free to tell. */
void multisearch_decide(Search *search);
