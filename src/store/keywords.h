/* The combinations of keywords that the messages of one mailbox have. A row holds the number of
 * its combination: mailboxes have few, however many messages. Pure; index.c holds the lock. */
#pragma once

#include <glib.h>

enum {
	/* What a row has bits for; 0 is the combination of none. */
	KEYWORDS_BITS = 10,
	KEYWORDS_MAX = (1 << KEYWORDS_BITS) - 1,
};

typedef struct Keywords Keywords;

Keywords *store_keywords_new(void);
void store_keywords_free(Keywords *keywords); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Keywords, store_keywords_free)

/* The combination as one string: sorted, each once, separated by spaces; "" for none. names is
 * NULL-terminated, or NULL for none; what is no atom (has a space) is left out. New string. */
char *store_keywords_join(const char *const *names);

/* The number of a joined combination; G_MAXUINT when it has none yet. */
guint store_keywords_find(const Keywords *keywords, const char *joined);

/* Gives a combination that has none a number. Past KEYWORDS_MAX combinations, or LIMIT_KEYWORDS
 * bytes of them, that is 0: such a message shows no keywords. */
guint store_keywords_add(Keywords *keywords, const char *joined);

/* All combinations by number. New vector of strings. */
char **store_keywords_texts(const Keywords *keywords);

/* The combination behind a number; lives as long as keywords. */
const char *store_keywords_text(const Keywords *keywords, guint number);
