#include "store/piece.h"

#include <xxhash.h>

PieceSum *piece_sum_new(void)
{
	XXH3_state_t *state = XXH3_createState();

	XXH3_64bits_reset(state);
	return (PieceSum *)state;
}

void piece_sum_add(PieceSum *sum, const void *bytes, gsize len)
{
	XXH3_64bits_update((XXH3_state_t *)sum, bytes, len);
}

guint64 piece_sum_end(const PieceSum *sum)
{
	return XXH3_64bits_digest((const XXH3_state_t *)sum);
}

void piece_sum_free(PieceSum *sum)
{
	XXH3_freeState((XXH3_state_t *)sum);
}

guint64 piece_hash(const void *bytes, gsize len)
{
	return XXH3_64bits(bytes, len);
}
