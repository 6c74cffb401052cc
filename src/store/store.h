/* What is known of the account: mailboxes, their messages and the bodies fetched so far. Readers
 * are many threads that never block on I/O other than the local disk; writers are the engine thread
 * unless a function says otherwise.
 *
 * A mailbox id lives as long as the mount. A generation id stands for one (mailbox, UIDVALIDITY):
 * when the server's UIDVALIDITY changes the mailbox gets a new generation, and everything kept
 * under the old one is unreachable at once. Both ids fit 18 bits, start at 1 and are never reused.
 */
#pragma once

#include "base/error.h"
#include "base/limits.h"
#include "imap/response.h"

typedef struct Store Store;

typedef guint32 MailboxId;
typedef guint32 Gen;

/* The answer of a store_try_ function. */
typedef enum {
	STORE_HIT, /* answered */
	STORE_MISS, /* not known: ask the engine */
	STORE_ABSENT, /* known not to exist */
} StoreAnswer;

/* cachedir: this account's own directory, made 0700 with parents; NULL: bodies in memory only.
 * cache_size: bound on body bytes. What an earlier mount knew is known again, with names that are
 * not confirmed, and bodies that are proved when they are read first. Refused with
 * MAIL_ERROR_ACCESS when the directory belongs to someone else, is a symbolic link or is open to
 * others, with MAIL_ERROR_BUSY when another mount uses it. If files cannot be written, now or
 * later, or the index not be opened or read, bodies are kept in memory (LIMIT_MEMORY_BODIES) and
 * that is logged once. SIGXFSZ must be ignored. */
Store *store_new(const char *cachedir, guint64 cache_size, bool show_deleted, GError **error);
void store_free(Store *store); /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Store, store_free)

/* ---- mailboxes (mailbox.c) ---- */

typedef struct {
	MailboxId id;
	const char *name; /* the bytes of the wire, NUL-terminated; lives as long as the store */
	char delimiter; /* 0: none */
	guint attributes; /* IMAP_LIST_* */
} StoreMailbox;

/* Takes the whole answer of LIST: known names keep their id, new ones get one, missing ones are
 * no longer listed. Names that are empty, have a NUL byte or pass LIMIT_MAILBOX_NAME, and what
 * passes LIMIT_MAILBOXES or LIMIT_MAILBOX_NAMES, are left out. INBOX in any case is one mailbox,
 * named "INBOX"; of a name that comes twice the later entry counts. Returns whether anything but
 * \Marked and \Unmarked changed. */
bool store_set_mailboxes(Store *store, const ImapList *lists, gsize n);

/* The listed mailboxes in the byte order of their names, as an array of StoreMailbox. Any thread.
 */
GArray *store_mailboxes(Store *store);

/* The mailbox of this name (wire bytes, INBOX in any case), listed or not; 0: none is known. Engine
 * thread. */
MailboxId store_find_mailbox(Store *store, const char *name);

/* The server renamed a mailbox, and with it those below it (RFC 3501 6.3.5): they keep their ids,
 * generations and bodies. A mailbox that had the new name before loses it. The listing is as before
 * until the next store_set_mailboxes(). Engine thread. */
void store_rename_mailbox(Store *store, MailboxId mailbox, const char *name);

/* One mailbox by id, listed or not. false when there is no such id. Any thread. */
bool store_mailbox(Store *store, MailboxId id, StoreMailbox *ret);

/* ---- generations and messages (index.c) ---- */

/* The generation of the mailbox now; 0 while it was never selected. Any thread. */
Gen store_gen(Store *store, MailboxId mailbox);

/* The mailbox of a generation, 0 when there is none or it is not the current one. Any thread. */
MailboxId store_gen_mailbox(Store *store, Gen gen);

/* SELECT said this UIDVALIDITY (0: none was given; such a generation ends with the selection, so
 * each call makes a new one). Returns the generation, a new one when it changed; 0 for an unknown
 * mailbox and past LIMIT_GENERATIONS. */
Gen store_gen_open(Store *store, MailboxId mailbox, guint32 uidvalidity);

/* UIDVALIDITY as store_gen_open() was told; 0: none, or an old generation. Any thread. */
guint32 store_gen_uidvalidity(Store *store, Gen gen);

typedef struct {
	guint32 uid;
	bool known; /* size, date and flags below are known */
	bool flags_stale; /* flags, but for \Deleted, may have changed since: store_flags_doubt() */
	bool leaving; /* store_set_leaving() */
	bool gone; /* store_peek_gone() */
	bool size_verified; /* size is the length of the body, seen */
	guint64 size;
	gint64 date; /* seconds since 1970 */
	guint flags; /* IMAP_FLAG_* */
} StoreMessage;

/* All UIDs of the mailbox as of now, and those flagged \Deleted (NULL: not asked, as before). Rows
 * already known keep their attributes; rows no longer there go, and their bodies as with
 * store_remove_names(). *ret_gone, if not NULL, gets the UIDs that are listed no longer, *ret_new
 * the ones that are listed newly; both stay untouched when gen is old. Marks the names known, at
 * time now. Past LIMIT_ROWS messages names only are kept: refuse such an answer. */
void store_set_names(Store *store, Gen gen, const ImapSet *uids, const ImapSet *deleted,
	ImapSet **ret_gone, ImapSet **ret_new);

/* One message, or several, went between two store_set_names(); ignored before the first. A whole
 * body of a removed message can be read on (open files) until its room is needed, and goes first
 * then; one in pieces goes now. Costs what changed, and a pass over the rows behind it. *ret_gone
 * is as with store_set_names(): those that were hidden, or not known, are not in it. */
void store_remove_names(Store *store, Gen gen, const ImapSet *uids, ImapSet **ret_gone);

/* Messages that the server is known to have since it said so of our own APPEND, COPY or MOVE: ahead
 * of the listing that will name them. *ret_new, if not NULL, gets those that were not known.
 * Ignored while the names are not known. */
void store_add_names(Store *store, Gen gen, const ImapSet *uids, ImapSet **ret_new);

/* A change that removes these messages waits for the server (leaving), or was refused: until then
 * they are not listed, as if they were gone, but can be peeked at and read. Not kept beyond the
 * mount. *ret_changed, if not NULL, gets those that were listed before and are not now, or the
 * other way round. Engine thread. */
void store_set_leaving(
	Store *store, Gen gen, const ImapSet *uids, bool leaving, ImapSet **ret_changed);

/* Whether messages that are \Deleted are listed as others are. Any thread. */
bool store_shows_deleted(const Store *store);

/* All UIDs of the mailbox, hidden ones too, as a new set; NULL: not known, or gen is old. Any
 * thread.
 */
ImapSet *store_names(Store *store, Gen gen);

/* Takes out of the set what is not listed: hidden messages, and those that are not there. Any
 * thread. */
void store_keep_listed(Store *store, Gen gen, ImapSet *uids);

/* What the server said of the mailbox at a moment when names and flags were as they are here: where
 * a resynchronisation begins (RFC 7162). */
typedef struct {
	guint32 uidnext; /* 0: unknown */
	guint64 highestmodseq; /* 0: none */
} StoreMark;

/* Engine thread, as all that writes. Ignored for an old generation. */
void store_set_mark(Store *store, Gen gen, StoreMark mark);

/* All zero when there is none. Any thread. */
StoreMark store_mark(Store *store, Gen gen);

/* The flags of all messages may have changed meanwhile, and only asking for them tells:
 * store_set_attributes() with flags makes those of one message good again. */
void store_flags_doubt(Store *store, Gen gen);

/* Reads the attributes that an earlier mount kept back into memory, if that was not done yet: a
 * listing begins with the names alone. Takes the disk 0.3 s for 10^6 messages. Engine thread. */
void store_recall(Store *store, Gen gen);

/* Whether store_set_names() was ever called: there is a listing, right or not. Any thread. */
bool store_names_known(Store *store, Gen gen);

/* How many messages are listed; 0 while the names are not known. Any thread. */
guint64 store_count(Store *store, Gen gen);

/* When the names were last known to be right (g_get_monotonic_time), 0: never. Any thread. */
gint64 store_names_time(Store *store, Gen gen);

/* The names are right as of now (a NOOP or STATUS confirmed them), or (FALSE) not to be trusted. */
void store_names_confirm(Store *store, Gen gen, bool right);

/* Attributes that FETCH brought. has_flags/has_size/has_date say which fields of message count,
 * known and size_verified do not; a row is known once all three came. Unknown UIDs are ignored. A
 * verified size is never overwritten by RFC822.SIZE. keywords come with flags. Dates are clamped to
 * 1970..2106, sizes to 16 TiB. *ret_flags_changed, if not NULL, tells whether \Deleted (and with it
 * the listing), or flags or keywords that were known, changed. ahead: the flags are what they will
 * be once a change of ours is made; what else of them may have changed (flags_stale) stays so, and
 * where none were known they may be others. */
typedef struct {
	bool has_flags, has_size, has_date;
	const char *const *keywords; /* NULL-terminated; NULL: none */
	bool ahead;
} StoreFields;
void store_set_attributes(Store *store, Gen gen, const StoreMessage *message, StoreFields fields,
	bool *ret_flags_changed);

/* The true length of a body. Returns true when the row said otherwise: the server was caught, and
 * from now on no size is shown that was not verified. A row without a size, or with 0, was never
 * shown and said nothing. */
bool store_verify_size(Store *store, Gen gen, guint32 uid, guint64 size);

/* One message. MISS: it exists but is not known, or its size must be verified before it is shown
 * (0, missing, or sizes are distrusted). ABSENT: no such UID listed (only while names are known),
 * or old gen. Any thread. */
StoreAnswer store_try_message(Store *store, Gen gen, guint32 uid, StoreMessage *ret);

/* One row as it is, hidden or not, ready to be shown or not (known: all three attributes came).
 * false when there is no such UID, the names are unknown or gen is old. Any thread. */
bool store_peek_message(Store *store, Gen gen, guint32 uid, StoreMessage *ret);

/* A message that went and of which something can be read on: its date, and its size if all of it is
 * here (size_verified), else 0. false: nothing is left, or it is not gone. Any thread. */
bool store_peek_gone(Store *store, Gen gen, guint32 uid, StoreMessage *ret);

/* The keywords of a message, sorted, separated by spaces: "" while none are known. NULL as
 * store_peek_message() is false. New string. Any thread. */
char *store_keywords(Store *store, Gen gen, guint32 uid);

/* Up to max listed rows with UID > after, ascending; returns their number. Rows whose attributes
 * are not ready to be shown (see store_try_message) come with known == false and nothing but their
 * UID. Any thread. */
gsize store_list(Store *store, Gen gen, guint32 after, StoreMessage *ret, gsize max);

/* As store_list(), with the rows as they are: known says only that the server told their
 * attributes, true or not. Any thread. */
gsize store_list_rows(Store *store, Gen gen, guint32 after, StoreMessage *ret, gsize max);

/* Listed rows with UID >= from whose attributes are unknown, at most max of them; a new set. Any
 * thread. */
ImapSet *store_unknown(Store *store, Gen gen, guint32 from, gsize max);

/* ---- bodies (body.c) ---- */

/* What is kept of a message, each with a body of its own: bytes that never change. */
typedef guint16 StoreItem;
enum {
	STORE_MESSAGE, /* the message itself */
	STORE_FIELDS, /* BODY[HEADER.FIELDS (...)], of MIME_FIELDS_WANTED */
	STORE_STRUCTURE, /* the text of BODYSTRUCTURE */
	STORE_HEADER, /* BODY[HEADER] */
	STORE_PARTS, /* the first of the parts */
	STORE_ITEMS = STORE_PARTS + 2 * LIMIT_PARTS,
};

/* A part, by its number in BODYSTRUCTURE from 0 on. decoded: as BINARY[section] (RFC 3516) has it,
 * else as BODY[section] does. */
static inline StoreItem store_part_item(guint number, bool decoded)
{
	return (StoreItem)(STORE_PARTS + 2 * number + decoded);
}

/* Reads up to len bytes at offset. HIT: *ret_n bytes, fewer than len only at the end of the
 * item (0 past it); also of a removed message, of items that are still whole here. MISS: a byte of
 * the range is not here, or cannot be read for now, which makes it missing for the next two as well
 * until a read succeeds or it is committed anew. ABSENT: old gen, or no such UID; a hidden message
 * is there. Any thread. */
StoreAnswer store_try_read(Store *store, Gen gen, guint32 uid, StoreItem item, guint64 offset,
	void *buf, gsize len, gsize *ret_n);

/* As store_try_read() would answer, without reading: on MISS *ret_missing is the first byte of the
 * range that is not here. Any thread. */
StoreAnswer store_first_missing(Store *store, Gen gen, guint32 uid, StoreItem item, guint64 offset,
	guint64 len, guint64 *ret_missing);

/* Whether the whole item is here, as far as its file was not tampered with. Any thread. */
bool store_has_body(Store *store, Gen gen, guint32 uid, StoreItem item);

/* The same; then *ret_length is how long it is. */
bool store_length(Store *store, Gen gen, guint32 uid, StoreItem item, guint64 *ret_length);

/* All bytes of an item, new; NULL: they are not all here, or are more than LIMIT_MIME_BYTES. Any
 * thread. */
GBytes *store_try_whole(Store *store, Gen gen, guint32 uid, StoreItem item);

/* A body on its way in: bytes go to memory while they are few, then to a file of their own. Engine
 * thread; ends before the store does. */
typedef struct StoreSink StoreSink;
StoreSink *store_sink_new(Store *store);
void store_sink_write(StoreSink *sink, const void *bytes, gsize len);

/* Of all bytes that were written, kept or not: past cache_size and LIMIT_MEMORY_BODIES they are
 * only counted, and nothing can be committed. */
guint64 store_sink_size(const StoreSink *sink);
void store_sink_free(StoreSink *sink); /* drops it; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreSink, store_sink_free)

/* The sink's bytes are those of an item from origin on; consumes the sink. whole: they are all of
 * it (origin 0). Otherwise, when fewer than asked bytes came they reach its end; when none came the
 * end is known to be at origin or before, no more: reads before origin stay a MISS unless the bytes
 * up to origin are here. What contradicts the bytes that are here replaces them all. Dropped when
 * gen is not current, the UID is unknown, or more than asked came. Returns whether the body is
 * kept. */
bool store_sink_commit(StoreSink *sink, Gen gen, guint32 uid, StoreItem item, guint64 origin,
	guint64 asked, bool whole);

/* What is here of one message is of another one too: it was copied or moved there. Only items that
 * are whole here, and not there. Engine thread. */
void store_copy_body(Store *store, Gen gen, guint32 uid, Gen to_gen, guint32 to_uid);

/* ---- the journal of changes (events.c) ---- */

/* Appends lines, each whole and ended, to the account's journal of changes, if there is one: fewer
 * than LIMIT_EVENTS_FILE bytes. Engine thread. */
void store_note(Store *store, const char *lines, gsize len);

/* Its absolute path; NULL: there is none, for want of a cache directory. Lives as long as the
 * store. Any thread. */
const char *store_notes_path(Store *store);

/* For statfs and status: bytes held in bodies, their bound. Any thread. */
void store_usage(Store *store, guint64 *ret_bytes, guint64 *ret_limit);

/* How many of these bytes are in memory, and so will not outlive the mount. Any thread. */
guint64 store_memory_usage(Store *store);

/* Why the cache directory, or a part of it, cannot be written, and since when
 * (g_get_real_time()): a new string; NULL: it can, as far as was tried, or there shall be none. Any
 * thread. */
char *store_unwritable(Store *store, gint64 *ret_since_us);

/* How many messages have an item here, or a part of one. Any thread. */
guint store_bodies_count(Store *store);

/* The account's cache directory, absolute; NULL: bodies are in memory. Lives as long as the store.
 * Any thread. */
const char *store_directory(Store *store);
