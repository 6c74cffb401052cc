/* Every bound in imapfs and its reason. Past a bound the message or the connection fails
 * with a clear error, never the mount. */
#pragma once

#include <glib.h>

enum {
	/* One response without its streamed literals. A SEARCH answer names 10^6 UIDs in 11 MB. */
	LIMIT_RESPONSE_BYTES = 32 << 20,

	/* A literal that is kept in memory: mailbox names, header values, quoted text. */
	LIMIT_INLINE_LITERAL = 1 << 20,

	/* Literals in one response: a FETCH of all items has fewer than ten. */
	LIMIT_LITERALS = 4096,

	/* Keywords, mechanisms, namespaces or body items of one response; what goes beyond is not
	 * seen. Servers allow some hundred keywords in a mailbox. */
	LIMIT_LIST_ITEMS = 4096,

	/* Parenthesis depth. BODYSTRUCTURE of real mail stays below 20. */
	LIMIT_NESTING = 100,

	/* Untagged OK, NO and BAD in a row: "* OK Still here" every few seconds is patience, and an
	 * endless stream of them an attack on ours. */
	LIMIT_CHATTER = 10000,

	/* Changes that EXAMINE may report (RFC 7162), 16 bytes each, and the keywords in them: past
	 * it the mailbox is listed.
	 */
	LIMIT_CHANGES = 1 << 20,

	/* Bytes of untagged responses before the login is done: a CAPABILITY line and an ALERT. */
	LIMIT_BEFORE_LOGIN = 64 << 10,

	/* A command line without its literals: Yahoo takes 1,000 octets, Exchange 9,900. */
	LIMIT_COMMAND_LINE = 1000,

	/* UIDs that one command may name: Yahoo takes ranges of 2,000. */
	LIMIT_COMMAND_UIDS = 2000,

	/* Commands under way on one connection. */
	LIMIT_PIPELINE = 16,

	/* Mailboxes of one account: the folder field of an inode number has 18 bits. */
	LIMIT_MAILBOXES = (1 << 18) - 1,

	/* Octets of one mailbox name on the wire; no server takes more than 1,000. */
	LIMIT_MAILBOX_NAME = 4096,

	/* All mailbox names together: 256 octets for each of as many as there may be. */
	LIMIT_MAILBOX_NAMES = 64 << 20,

	/* Output of passcmd and tokencmd: an OAuth2 token has a few kilobytes. */
	LIMIT_SECRET = 64 << 10,

	/* SCRAM iterations: ten times what RFC 7677 successors recommend, a few seconds of CPU. */
	LIMIT_SCRAM_ITERATIONS = 6000000,

	/* A message of up to this size is fetched whole at its first read. */
	LIMIT_SMALL_BODY = 128 << 10,

	/* The first partial fetch of a larger message; it doubles while the reader goes on. */
	LIMIT_FIRST_RANGE = 64 << 10,
	LIMIT_LAST_RANGE = 4 << 20,

	/* A walking reader is fed whole messages of up to this size. */
	LIMIT_WALK_BODY = 8 << 20,

	/* What a message counts for at least, whatever size the server gives it. */
	LIMIT_LEAST_BODY = 4 << 10,

	/* Bytes that read-ahead may ask for ahead of a walking reader: bandwidth x delay of
	 * 1 Gbit/s at 100 ms. */
	LIMIT_WALK_AHEAD = 16 << 20,

	/* Generations of one mount (a mailbox under one UIDVALIDITY): the field of an inode number
	 * has 18 bits. A server without UIDVALIDITY uses one up with each SELECT. */
	LIMIT_GENERATIONS = (1 << 18) - 1,

	/* Messages of one mailbox whose attributes are kept: 16 bytes each, 256 MiB. A SEARCH
	 * answer of "1:4294967295" would ask for 64 GiB. */
	LIMIT_ROWS = 1 << 24,

	/* Keyword combinations of one mailbox, all together: a thousand of a line each. */
	LIMIT_KEYWORDS = 128 << 10,

	/* Changes that the server has not confirmed, 1 KiB each: all messages of a mailbox of a
	 * million may go at once. */
	LIMIT_INTENTS = 1 << 20,

	/* The journal of changes: 40,000 lines, and as many in the one before. */
	LIMIT_EVENTS_FILE = 4 << 20,

	/* Lines of the journal for one change: what goes beyond is counted. */
	LIMIT_EVENT_LINES = 1000,

	/* Bytes of these lines, but for one line more: a folder's path may take 24 kilobytes in
	 * each, and one change never takes the place of all others. */
	LIMIT_EVENT_BYTES = 1 << 20,

	/* Folders that the status names: a hundred kilobytes. */
	LIMIT_STATUS_FOLDERS = 1000,

	/* What `imapfs status` reads: ten times LIMIT_STATUS_FOLDERS with long names. */
	LIMIT_STATUS_TEXT = 4 << 20,

	/* A body on its way in stays in memory up to this size, then goes on in a file. */
	LIMIT_SINK_MEMORY = 1 << 20,

	/* Files that hold several bodies: each has a descriptor, and the usual bound is 1024. */
	LIMIT_PACKS = 256,

	/* Bodies in memory, when no file can be written: room for eight of LIMIT_WALK_BODY. */
	LIMIT_MEMORY_BODIES = 64 << 20,

	/* Bodies in the cache, of items each: the headers of a million messages, at 160 bytes of
	 * memory each. A mount reads so many from the index in two seconds. */
	LIMIT_BODIES = 1 << 20,

	/* Files that are written or wait for the server, with a name or in use by the kernel: half
	 * a kilobyte each. */
	LIMIT_STAGED = 1 << 14,

	/* Of these, those that have a text: each has a descriptor, as LIMIT_PACKS. */
	LIMIT_STAGED_TEXTS = 512,

	/* The text of one: a literal of IMAP4rev1 has 32 bits, and some servers take them as
	 * signed.
	 */
	LIMIT_STAGED_BYTES = G_MAXINT32,

	/* Without a cache directory: the texts that programs write, and as much again of those that
	 * wait for the server. As LIMIT_MEMORY_BODIES. */
	LIMIT_MEMORY_TEXTS = 64 << 20,

	/* Messages that were brought here and not listed since, at most 8 bytes each. */
	LIMIT_UNLISTED = 1 << 17,

	/* The header of a written message in which its date is looked for. */
	LIMIT_DATE_HEADER = 64 << 10,

	/* Leaf parts of one message that have a file: the field of an inode number has 10 bits. */
	LIMIT_PARTS = 1000,

	/* Parts whose text is put together in one file. */
	LIMIT_READABLE_PARTS = 16,

	/* A message, or a part that cannot be decoded in pieces, that is taken apart here: it is
	 * held in memory meanwhile, twice. */
	LIMIT_MIME_BYTES = 256 << 20,

	/* Parts of messages whose trees are kept, 300 bytes each, since a program that lists them
	 * asks for one after the other. */
	LIMIT_KNOWN_PARTS = 1 << 15,

	/* Contents made of messages that are kept: what a reader asks for in pieces, and a moment
	 * later another one. A longer one is kept alone. */
	LIMIT_RENDERED_BYTES = 32 << 20,

	/* Their lengths that are kept, 150 bytes each: as many as a program may look at before it
	 * comes back to the first. */
	LIMIT_RENDERED_SIZES = 1 << 16,

	/* Contents of up to so much are made for their length alone, when nothing is missing. */
	LIMIT_MEASURED_BYTES = 1 << 20,

	/* A search query: what a file name can hold. */
	LIMIT_QUERY = 255,

	/* Searches whose results are kept, and how many ranges of UIDs all of them have, 8 bytes
	 * each; of more than that the last one alone. */
	LIMIT_QUERIES = 256,
	LIMIT_QUERY_RANGES = 1 << 21,

	/* Names with a subject in them that the kernel may keep, about 150 bytes each: those beyond
	 * it asks for each time. */
	LIMIT_NAMED = 1 << 18,
};
