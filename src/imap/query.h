/* Search queries as a user writes them: keys of SEARCH (RFC 3501 6.4.4, RFC 9051 6.4.4), or plain
 * words. Checked here, so that the server is asked nothing that it would refuse, and sent with each
 * argument encoded by the command builder. Pure; a query never changes. */
#pragma once

#include "imap/command.h"

typedef struct ImapQuery ImapQuery;

/* "from alice since 1-Jan-2026 unseen", "text \"two words\"", "or from a (to b not seen)". When the
 * first word is no key all of it is one TEXT, of what stands in the quotes if it is one quoted
 * string: 57 and "from here" are words to be found. Keys in any case, arguments as words or quoted
 * (\" and \\ within), dates also as 2026-01-01. Of the text, which must be UTF-8 without control
 * characters, NULL with MAIL_ERROR_INVALID and the reason: an unknown key behind others, a message
 * sequence number, which means nothing to who does not see the mailbox as it is now (UID does), a
 * bad date, number, set or flag, an argument missing, parentheses or quotes that do not match, past
 * LIMIT_QUERY or LIMIT_NESTING. */
ImapQuery *imap_query_parse(const char *text, GError **error);
ImapQuery *imap_query_copy(const ImapQuery *query);
void imap_query_free(ImapQuery *query); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ImapQuery, imap_query_free)

/* Whether it can be asked of every server: others need not know UTF-8 (RFC 3501 6.4.4). */
bool imap_query_is_ascii(const ImapQuery *query);

/* Adds CHARSET UTF-8, where an argument needs it, and the keys. */
void imap_query_append(const ImapQuery *query, ImapCommand *command);

/* Equal queries have an equal canonical text, which is a query with the same meaning. Lives as long
 * as the query. */
const char *imap_query_text(const ImapQuery *query);
