/* `.search`: its directories are queries (fs/query.h), of which the server is asked when somebody
 * looks into one, and again when what it found is in doubt. */
#pragma once

#include "fs/op.h"
#include "fs/query.h"

/* LOOKUP of a query in the `.search` of a directory: an OpAdvance. The server is not asked. */
bool search_lookup(Op *op, const GError *error, const TreeDir *dir);

/* How new what was found has to be. */
typedef enum {
	SEARCH_KEPT, /* whatever it was: for a listing that goes on, and to change what was found */
	SEARCH_RECENT, /* a moment ago will do: programs look at what they have just listed */
	SEARCH_NOW,
} SearchAge;

/* What the query of op->at found; dir: the directory behind it. The server is asked if that is not
 * there, or too old, which is better than nothing when the server is away. A reference; NULL:
 * answered, or (*ret_parked) asked. */
QueryResult *search_result(
	Op *op, const GError *error, const TreeDir *dir, SearchAge age, bool *ret_parked);
