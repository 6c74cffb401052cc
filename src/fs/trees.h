/* The parts of the messages that were looked at last, as the store has them. Any thread. */
#pragma once

#include "fs/fs.h"
#include "mime/tree.h"

Trees *trees_new(void);
void trees_free(Trees *trees); /* accepts NULL */

typedef struct {
	MimeTree *tree; /* NULL: the store does not tell */
	bool whole; /* of the message, all of which is here, not of its BODYSTRUCTURE */
	MimeTree *before; /* was told until now, and has other parts; NULL: none was */
} TreesAnswer;

void trees_answer_clear(TreesAnswer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TreesAnswer, trees_answer_clear)

/* Reads and parses what is not known yet: from the disk, never from the network. ret: to be
 * cleared. */
void trees_find(Trees *trees, Store *store, Gen gen, guint32 uid, TreesAnswer *ret);
