/* Typed server responses: IMAP4rev1 (RFC 3501), IMAP4rev2 (RFC 9051) and the extensions that
 * imapfs speaks. Pure; a response is immutable and lives until the callback that shows it returns.
 */
#pragma once

#include "imap/set.h"

/* Response codes (RFC 3501 7.1, 5530, 4315, 7162, 5465, 8438, 9051). One table in code.c. */
typedef enum {
	IMAP_CODE_NONE,
	IMAP_CODE_OTHER, /* one we do not know */
	IMAP_CODE_ALERT,
	IMAP_CODE_ALREADYEXISTS,
	IMAP_CODE_APPENDUID,
	IMAP_CODE_AUTHENTICATIONFAILED,
	IMAP_CODE_AUTHORIZATIONFAILED,
	IMAP_CODE_BADCHARSET,
	IMAP_CODE_CANNOT,
	IMAP_CODE_CAPABILITY,
	IMAP_CODE_CLIENTBUG,
	IMAP_CODE_CLOSED,
	IMAP_CODE_CONTACTADMIN,
	IMAP_CODE_COPYUID,
	IMAP_CODE_CORRUPTION,
	IMAP_CODE_EXPIRED,
	IMAP_CODE_EXPUNGEISSUED,
	IMAP_CODE_HASCHILDREN,
	IMAP_CODE_HIGHESTMODSEQ,
	IMAP_CODE_INUSE,
	IMAP_CODE_LIMIT,
	IMAP_CODE_MAILBOXID,
	IMAP_CODE_MODIFIED,
	IMAP_CODE_NEWNAME,
	IMAP_CODE_NOMODSEQ,
	IMAP_CODE_NONEXISTENT,
	IMAP_CODE_NOPERM,
	IMAP_CODE_NOTIFICATIONOVERFLOW,
	IMAP_CODE_NOTSAVED,
	IMAP_CODE_OVERQUOTA,
	IMAP_CODE_PARSE,
	IMAP_CODE_PERMANENTFLAGS,
	IMAP_CODE_PRIVACYREQUIRED,
	IMAP_CODE_READ_ONLY,
	IMAP_CODE_READ_WRITE,
	IMAP_CODE_REFERRAL,
	IMAP_CODE_SERVERBUG,
	IMAP_CODE_THROTTLED,
	IMAP_CODE_TOOBIG,
	IMAP_CODE_TRYCREATE,
	IMAP_CODE_UIDNEXT,
	IMAP_CODE_UIDNOTSTICKY,
	IMAP_CODE_UIDVALIDITY,
	IMAP_CODE_UNAVAILABLE,
	IMAP_CODE_UNKNOWN_CTE,
	IMAP_CODE_UNSEEN,
} ImapCode;

/* Capabilities imapfs acts on; one table in capability.c. A set of them is a guint64 of bits. */
typedef enum {
	IMAP_CAP_IMAP4REV1,
	IMAP_CAP_IMAP4REV2,
	IMAP_CAP_STARTTLS,
	IMAP_CAP_LOGINDISABLED,
	IMAP_CAP_SASL_IR,
	IMAP_CAP_ID,
	IMAP_CAP_ENABLE,
	IMAP_CAP_IDLE,
	IMAP_CAP_NAMESPACE,
	IMAP_CAP_LITERAL_PLUS,
	IMAP_CAP_LITERAL_MINUS,
	IMAP_CAP_UIDPLUS,
	IMAP_CAP_UNSELECT,
	IMAP_CAP_MOVE,
	IMAP_CAP_CONDSTORE,
	IMAP_CAP_QRESYNC,
	IMAP_CAP_ESEARCH,
	IMAP_CAP_SEARCHRES,
	IMAP_CAP_LIST_EXTENDED,
	IMAP_CAP_LIST_STATUS,
	IMAP_CAP_SPECIAL_USE,
	IMAP_CAP_CREATE_SPECIAL_USE,
	IMAP_CAP_CHILDREN,
	IMAP_CAP_NOTIFY,
	IMAP_CAP_BINARY,
	IMAP_CAP_REPLACE,
	IMAP_CAP_QUOTA,
	IMAP_CAP_ACL,
	IMAP_CAP_COMPRESS_DEFLATE,
	IMAP_CAP_UTF8_ACCEPT,
	IMAP_CAP_OBJECTID,
	IMAP_CAP_STATUS_SIZE,
	IMAP_CAP_PARTIAL,
	IMAP_CAP_MULTISEARCH,
	IMAP_CAP_COUNT_
} ImapCap;

#define IMAP_CAP_BIT(cap) ((guint64)1 << (cap))

/* Either means that there are modification sequences (RFC 7162 3.2.3). */
#define IMAP_CAPS_MODSEQ (IMAP_CAP_BIT(IMAP_CAP_CONDSTORE) | IMAP_CAP_BIT(IMAP_CAP_QRESYNC))

typedef struct {
	guint64 caps; /* IMAP_CAP_BIT()s */
	const char *const *mechs; /* AUTH= mechanisms, upper case, NULL-terminated */
	guint64 append_limit; /* APPENDLIMIT=n (RFC 7889), 0 when none */
} ImapCapabilities;

/* System flags of RFC 3501 2.3.2 as bits; keywords beside them as text. */
enum {
	IMAP_FLAG_SEEN = 1 << 0,
	IMAP_FLAG_ANSWERED = 1 << 1,
	IMAP_FLAG_FLAGGED = 1 << 2,
	IMAP_FLAG_DELETED = 1 << 3,
	IMAP_FLAG_DRAFT = 1 << 4,
	IMAP_FLAG_ANY_KEYWORD = 1 << 5, /* \* in PERMANENTFLAGS */
};

typedef struct {
	guint system; /* IMAP_FLAG_* */
	const char *const *keywords; /* NULL-terminated, never NULL */
} ImapFlags;

/* The system flags by name, then the keywords (separated by spaces, or NULL), as a STORE would have
 * them without parentheses: "\Seen \Draft $Work". New string. */
char *imap_flags_text(guint system, const char *keywords);

/* The set that such a text names, in any order and with system flags in any case; \Recent, which
 * nobody can set, is left out. Keywords: each once, a new array. false: a word is no flag that can
 * be stored. */
bool imap_flags_parse(const char *text, guint *ret_system, char ***ret_keywords);

/* Keywords, separated by spaces, with those of `add` and without those of `remove` (NULL: none), in
 * any case. New string. */
char *imap_keywords_change(const char *keywords, const char *add, const char *remove);

/* A byte string of a response. data is NULL for NIL; not NUL-terminated. */
typedef struct {
	const char *data;
	gsize len;
} ImapBytes;

typedef enum {
	IMAP_STATUS_OK,
	IMAP_STATUS_NO,
	IMAP_STATUS_BAD,
	IMAP_STATUS_PREAUTH,
	IMAP_STATUS_BYE,
} ImapStatusKind;

/* OK NO BAD PREAUTH BYE, tagged or not. */
typedef struct {
	ImapStatusKind kind;
	ImapCode code;
	guint64 number; /* UIDNEXT, UIDVALIDITY, UNSEEN, HIGHESTMODSEQ, APPENDUID's and
			 * COPYUID's UIDVALIDITY; 0 when absent or out of range */
	const ImapSet *uids; /* APPENDUID, MODIFIED: the set. COPYUID: the source set */
	const ImapSet *target_uids; /* COPYUID: the target set, as many members as uids */
	const ImapCapabilities *caps; /* CAPABILITY */
	const ImapFlags *flags; /* PERMANENTFLAGS */
	ImapBytes text; /* human-readable; escape before showing */
} ImapStatus;

/* Attributes of LIST (RFC 3501 7.2.2, 5258, 6154). */
enum {
	IMAP_LIST_NOINFERIORS = 1 << 0,
	IMAP_LIST_NOSELECT = 1 << 1, /* \NonExistent too */
	IMAP_LIST_MARKED = 1 << 2,
	IMAP_LIST_UNMARKED = 1 << 3,
	IMAP_LIST_HASCHILDREN = 1 << 4,
	IMAP_LIST_HASNOCHILDREN = 1 << 5,
	IMAP_LIST_SUBSCRIBED = 1 << 6,
	IMAP_LIST_REMOTE = 1 << 7,
	IMAP_LIST_NONEXISTENT = 1 << 8,
	IMAP_LIST_ALL = 1 << 9,
	IMAP_LIST_ARCHIVE = 1 << 10,
	IMAP_LIST_DRAFTS = 1 << 11,
	IMAP_LIST_FLAGGED = 1 << 12,
	IMAP_LIST_JUNK = 1 << 13,
	IMAP_LIST_SENT = 1 << 14,
	IMAP_LIST_TRASH = 1 << 15,
};

/* LIST and LSUB. */
typedef struct {
	guint attributes; /* IMAP_LIST_* */
	char delimiter; /* 0 for NIL */
	ImapBytes name; /* the bytes on the wire, literal and quoted forms resolved */
	ImapBytes oldname; /* OLDNAME of RFC 5258/9051 extended data */
} ImapList;

/* STATUS. A field that did not come has its bit clear in `has`. */
enum {
	IMAP_HAS_MESSAGES = 1 << 0,
	IMAP_HAS_UIDNEXT = 1 << 1,
	IMAP_HAS_UIDVALIDITY = 1 << 2,
	IMAP_HAS_UNSEEN = 1 << 3,
	IMAP_HAS_HIGHESTMODSEQ = 1 << 4,
	IMAP_HAS_SIZE = 1 << 5,
	IMAP_HAS_DELETED = 1 << 6,
};

typedef struct {
	ImapBytes name;
	guint has;
	guint64 messages, uidnext, uidvalidity, unseen, highestmodseq, size, deleted;
} ImapMailboxStatus;

/* SEARCH and ESEARCH (RFC 4731, 7377, 9394). */
typedef struct {
	ImapBytes tag; /* the correlator of ESEARCH; data NULL for SEARCH */
	ImapBytes mailbox; /* MAILBOX of the correlator: what ESEARCH of many mailboxes found in
			    * this one; data NULL: it is about the selected one */
	guint32 uidvalidity; /* of that mailbox; 0: not told */
	bool uid; /* the UID indicator; always false for SEARCH */
	bool has_all, has_count; /* has_all: always of SEARCH; of ESEARCH when ALL came */
	const ImapSet *all; /* never NULL */
	guint64 count, modseq;
	guint32 min, max; /* 0 when absent */
} ImapSearch;

/* One body item of a FETCH. */
typedef enum {
	IMAP_BODY_NIL, /* BODY[] NIL: the server has nothing to say, not an empty message; or a
			* literal that no sink wanted */
	IMAP_BODY_INLINE, /* quoted string */
	IMAP_BODY_STREAMED, /* went through ImapStreamEvents.body_* */
} ImapBodyForm;

typedef struct {
	ImapBytes section; /* between the brackets: "", "HEADER", "1.2"... */
	bool binary; /* BINARY[] */
	bool has_origin; /* <n> was there */
	guint64 origin;
	ImapBodyForm form;
	ImapBytes data; /* INLINE */
	guint64 size; /* octets, also of a literal that no sink wanted; 0 of NIL itself */
} ImapBody;

/* Whether the section of an answer is the one that was asked for ("", "HEADER", "1.2"). Servers
 * write it in their own case, and list the names of HEADER.FIELDS in their own way or not at all:
 * those are not compared. */
bool imap_section_is(ImapBytes section, const char *asked);

/* BINARY.SIZE[section] (RFC 3516 4.3). */
typedef struct {
	ImapBytes section;
	guint64 size; /* octets, once decoded */
} ImapBodySize;

enum {
	IMAP_FETCH_UID = 1 << 0,
	IMAP_FETCH_FLAGS = 1 << 1,
	IMAP_FETCH_INTERNALDATE = 1 << 2,
	IMAP_FETCH_SIZE = 1 << 3,
	IMAP_FETCH_MODSEQ = 1 << 4,
	IMAP_FETCH_BODYSTRUCTURE = 1 << 5,
};

typedef struct {
	guint32 seq;
	guint has; /* IMAP_FETCH_* of the well-formed items that came */
	guint32 uid;
	ImapFlags flags;
	gint64 internaldate; /* seconds since 1970 UTC */
	guint64 size;
	guint64 modseq;
	const ImapBody *bodies;
	gsize n_bodies;
	const ImapBodySize *sizes;
	gsize n_sizes;
	ImapBytes bodystructure; /* the raw parenthesised text, literals inlined as quoted or {n}
				    text */
} ImapFetch;

/* NAMESPACE (RFC 2342): flattened. */
typedef struct {
	char kind; /* 'p'ersonal, 'o'ther users, 's'hared */
	ImapBytes prefix;
	char delimiter;
} ImapNamespace;

/* QUOTA (RFC 9208 5.1): one root's resources, in units of 1024 octets (STORAGE) or messages. */
typedef struct {
	ImapBytes root;
	bool has_storage, has_messages;
	guint64 storage_used, storage_limit;
	guint64 messages_used, messages_limit;
} ImapQuota;

/* QUOTAROOT (RFC 9208 5.2): which roots hold a mailbox. */
typedef struct {
	ImapBytes mailbox;
	const ImapBytes *roots;
	gsize n_roots;
} ImapQuotaRoot;

/* MYRIGHTS (RFC 4314 3.8). */
typedef struct {
	ImapBytes mailbox;
	ImapBytes rights; /* letters */
} ImapRights;

typedef enum {
	IMAP_RESPONSE_CONTINUATION, /* "+": text */
	IMAP_RESPONSE_TAGGED, /* tag, status */
	IMAP_RESPONSE_STATUS, /* untagged: status */
	IMAP_RESPONSE_CAPABILITY, /* caps */
	IMAP_RESPONSE_ENABLED, /* caps */
	IMAP_RESPONSE_NAMESPACE, /* namespaces, n_namespaces */
	IMAP_RESPONSE_LIST, /* list (LIST and LSUB) */
	IMAP_RESPONSE_MAILBOX_STATUS, /* mailbox_status */
	IMAP_RESPONSE_SEARCH, /* search (SEARCH and ESEARCH) */
	IMAP_RESPONSE_FLAGS, /* flags */
	IMAP_RESPONSE_EXISTS, /* number */
	IMAP_RESPONSE_RECENT, /* number */
	IMAP_RESPONSE_EXPUNGE, /* number: a sequence number */
	IMAP_RESPONSE_VANISHED, /* vanished, earlier */
	IMAP_RESPONSE_FETCH, /* fetch */
	IMAP_RESPONSE_QUOTA, /* quota */
	IMAP_RESPONSE_QUOTAROOT, /* quota_root */
	IMAP_RESPONSE_MYRIGHTS, /* rights */
	IMAP_RESPONSE_OTHER, /* unknown or malformed data of a known kind: to be skipped */
} ImapResponseKind;

typedef struct {
	ImapResponseKind kind;
	ImapBytes tag;
	ImapBytes text;
	ImapStatus status;
	ImapCapabilities caps;
	const ImapNamespace *namespaces;
	gsize n_namespaces;
	ImapList list;
	ImapMailboxStatus mailbox_status;
	ImapSearch search;
	ImapFlags flags;
	guint64 number;
	const ImapSet *vanished;
	bool earlier;
	ImapFetch fetch;
	ImapQuota quota;
	ImapQuotaRoot quota_root;
	ImapRights rights;
} ImapResponse;

/* The capability behind a word such as "SASL-IR", in any case; IMAP_CAP_COUNT_ when unknown. */
ImapCap imap_cap_from_name(const char *word, gsize len);
const char *imap_cap_name(ImapCap cap);

/* For logs; "" for NONE, "?" for OTHER. */
const char *imap_code_name(ImapCode code);
