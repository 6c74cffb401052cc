/* A set of UIDs (RFC 3501 sequence-set without '*') kept as sorted disjoint ranges: 10^6
 * consecutive UIDs are one range. Pure; a set belongs to one thread at a time. */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct {
	guint32 lo, hi; /* inclusive, 1 <= lo <= hi */
} ImapRange;

typedef struct ImapSet ImapSet;

ImapSet *imap_set_new(void);
ImapSet *imap_set_copy(const ImapSet *set);

/* The set of ranges (lo <= hi) in any order, overlapping or not. O(n log n), O(n) when they ascend.
 */
ImapSet *imap_set_from_ranges(const ImapRange *ranges, gsize n);

void imap_set_free(ImapSet *set); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapSet, imap_set_free)

/* Adds lo..hi in either order, merging neighbours. Amortised O(1) at the end of the set,
 * O(log ranges + moved) elsewhere. 0 is ignored: it is no UID. */
void imap_set_add(ImapSet *set, guint32 lo, guint32 hi);

/* Takes lo..hi out. */
void imap_set_remove(ImapSet *set, guint32 lo, guint32 hi);

/* Adds or takes out every member of other. O(ranges of both). */
void imap_set_union(ImapSet *set, const ImapSet *other);
void imap_set_subtract(ImapSet *set, const ImapSet *other);

bool imap_set_contains(const ImapSet *set, guint32 uid);
bool imap_set_equal(const ImapSet *a, const ImapSet *b);

/* Number of members. O(1). */
guint64 imap_set_count(const ImapSet *set);

/* The ranges, ascending; *ret_n their number. Valid until the set changes. */
const ImapRange *imap_set_ranges(const ImapSet *set, gsize *ret_n);

/* The member at 1-based position n (a message sequence number), 0 beyond the end. O(log ranges)
 * after an O(ranges) preparation that a change behind position n leaves valid. */
guint32 imap_set_nth(const ImapSet *set, guint64 n);

/* Takes out the member at position n and returns it; 0 beyond the end. As imap_set_nth. */
guint32 imap_set_remove_nth(ImapSet *set, guint64 n);

/* Smallest and largest member; 0 of an empty set. */
guint32 imap_set_min(const ImapSet *set);
guint32 imap_set_max(const ImapSet *set);

/* Reads "1:3,7,12:9" of exactly len bytes. NULL for anything else, '*' included; at most
 * max_ranges ranges are read. Ranges may overlap and descend (RFC 9051 section 9). */
ImapSet *imap_set_parse(const char *text, gsize len, gsize max_ranges);

/* The same, but NULL also unless the ranges ascend without overlap: the order of two sets whose
 * members are paired one by one (COPYUID). */
ImapSet *imap_set_parse_ascending(const char *text, gsize len, gsize max_ranges);

/* Takes members from the front of set, as many whole ranges or parts of them as fit max_bytes of
 * text and max_uids members, and returns their text ("1:3,7"); NULL when set is empty. Used to cut
 * a set into command lines. */
char *imap_set_take(ImapSet *set, gsize max_bytes, guint64 max_uids);

/* The text of the whole set; "" when empty. */
char *imap_set_to_string(const ImapSet *set);
