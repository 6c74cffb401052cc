/* What one save writes: all that was unsaved at a moment. batch.c takes it off the store, save.c
 * brings it to the index file. */
#pragma once

#include "store/db.h"
#include "store/private.h"

/* The sets of a generation as the index file has them. */
typedef struct {
	ImapSet *at[DB_SETS_];
} Sets;

typedef struct {
	DbGeneration head;
	bool gone;
	Sets sets; /* owned */
	ImapSet *went; /* owned; whose rows of before go */
	GArray *rows; /* of Row; NULL: none */
	char **keywords; /* of the rows, by number */
} GenSave;

typedef struct {
	GArray *mailboxes; /* of StoreMailbox; NULL: they did not change */
	GArray *gens; /* of GenSave */
	GArray *bodies; /* of BodySave */
	bool distrusted;
} Batch;

/* All that is unsaved; from now on what changes is for the next one. One thread at a time, no lock
 * held. */
Batch *store_batch_take(Store *store);
void store_batch_free(Batch *batch); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Batch, store_batch_free)

void store_sets_free(Sets *sets);
