/* The bytes of a body that came at once, with their hash: how they are known again when the mount
 * that reads them is not the one that fetched them. Pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
	guint64 start, end; /* start < end, or both 0: no byte */
	guint64 hash; /* of these bytes alone */
} Piece;

/* The hash of bytes that come in portions. */
typedef struct PieceSum PieceSum;
PieceSum *piece_sum_new(void);
void piece_sum_add(PieceSum *sum, const void *bytes, gsize len);
guint64 piece_sum_end(const PieceSum *sum); /* of all so far */
void piece_sum_free(PieceSum *sum); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PieceSum, piece_sum_free)

guint64 piece_hash(const void *bytes, gsize len);
