/* What the tests of changes share, in the language of engine-fixture.h. */
#pragma once

#include "engine-fixture.h"

#define CAPABLE(caps)                                                                              \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH " caps "] hi\n"                                \
	"C: A1 LIST *\n"                                                                           \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: A1 OK done\n"                                                                          \
	"= done start ok\n"                                                                        \
	"> generation\n"

#define FULL CAPABLE("UIDPLUS MOVE")

/* INBOX is known: 5, 6 and 7, and of them `exists` are there still. */
#define SELECTED(tag, exists)                                                                      \
	"S: * " exists " EXISTS\n"                                                                 \
	"S: * OK [UIDVALIDITY 1] valid\n"                                                          \
	"S: * OK [UIDNEXT 8] next\n"                                                               \
	"S: " tag " OK [READ-WRITE] done\n"
#define SELECT(tag) "C: " tag " SELECT \"INBOX\"\n" SELECTED(tag, "3")

#define STORE(tag, uids) "C: " tag " UID STORE " uids " +FLAGS.SILENT (\\\\Deleted)\n"
#define UID_EXPUNGE(tag, uids) "C: " tag " UID EXPUNGE " uids "\n"
#define OK(tag) "S: " tag " OK done\n"
#define EXPUNGED(tag, uids) "S: * VANISHED " uids "\n" OK(tag)
#define REMOVED(store, expunge, uids)                                                              \
	STORE(store, uids) UID_EXPUNGE(expunge, uids) OK(store) EXPUNGED(expunge, uids)

#define STATUS(tag)                                                                                \
	"C: " tag " STATUS \"Other\" (UIDNEXT UIDVALIDITY)\n"                                      \
	"S: * STATUS Other (UIDNEXT 20 UIDVALIDITY 3)\n" OK(tag)

#define MOVE(tag, uids) "C: " tag " UID MOVE " uids " \"Other\"\n"
#define COPY(tag, uids) "C: " tag " UID COPY " uids " \"Other\"\n"
#define GONE(uids) "= names changed, gone: " uids "\n"
#define BACK_AGAIN(uids) "= names changed, gone: unknown, new: " uids "\n"

#define APPEND(tag, text)                                                                          \
	"C: " tag " APPEND \"Other\" {*}\n"                                                        \
	"S: + go\n"                                                                                \
	"C: Message-ID: <" text ">\n"                                                              \
	"C: \n"                                                                                    \
	"C: \n"

/* On the next connection. */
#define AGAIN(caps, list)                                                                          \
	"@accept\n"                                                                                \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH " caps "] hi\n" LISTED(list)

/* The server tells what came by other connections: its answer is waited for. */
#define NOTICED(tag)                                                                               \
	"C: " tag "00 NOOP\n"                                                                      \
	"S: " tag "00 OK done\n"

#define LOOK(tag, uids)                                                                            \
	NOTICED(tag)                                                                               \
	"C: " tag " UID FETCH " uids " (UID INTERNALDATE RFC822.SIZE"                              \
	" BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\n"
#define LOOKED(seq, uid, size, id)                                                                 \
	"S: * " seq " FETCH (UID " uid " RFC822.SIZE " size                                        \
	" INTERNALDATE \"01-Jan-1970 00:00:01 +0000\""                                             \
	" BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <" id ">\")\n"

/* It has no Message-ID, and ten octets. */
#define LOOKED_BARE(seq, uid)                                                                      \
	"S: * " seq " FETCH (UID " uid " RFC822.SIZE 10"                                           \
	" INTERNALDATE \"01-Jan-1970 00:00:01 +0000\""                                             \
	" BODY[HEADER.FIELDS (MESSAGE-ID)] \"\")\n"

/* Other holds one message at least. */
#define EXAMINE_OTHER(tag)                                                                         \
	"C: " tag " EXAMINE \"Other\"\n"                                                           \
	"S: * 1 EXISTS\n"                                                                          \
	"S: * OK [UIDVALIDITY 3] valid\n"                                                          \
	"S: " tag " OK done\n"

#define MOVE_LOST                                                                                  \
	FULL "> answered move 6 Other\n" GONE("6") SELECT("A2") STATUS("A3")                       \
		MOVE("A4", "6") "@close\n"

/* What was looked for in vain is looked for again. */
#define LATER                                                                                      \
	"> turn\n"                                                                                 \
	"= turned\n"                                                                               \
	"> later 2\n"

#define KILLED                                                                                     \
	"@close\n"                                                                                 \
	"@accept\n"                                                                                \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n" LISTED("A10")              \
		SELECT("A11") STORE("A12", "6") UID_EXPUNGE("A13", "6")

#define KNOWN_INBOX .known = {"5:7", 1, 8}
