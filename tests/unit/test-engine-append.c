/* The engine against scripted servers: APPEND and REPLACE, and what became of them when the answer
 * was lost. */
#include "engine-change.h"

#define INBOX_STATUS(tag)                                                                          \
	"C: " tag " STATUS \"INBOX\" *\n"                                                          \
	"S: * STATUS INBOX (UIDNEXT 8 UIDVALIDITY 1)\n" OK(tag)

/* The literal waits for "+". */
#define TEXT_OF_NEW                                                                                \
	"S: + go\n"                                                                                \
	"C: Message-ID: <new>\n"                                                                   \
	"C: \n"                                                                                    \
	"C: \n"

#define REPLACING                                                                                  \
	CAPABLE("UIDPLUS REPLACE")                                                                 \
	"> answered append new INBOX 6\n" GONE("6") SELECT("A2") INBOX_STATUS("A3")
#define REPLACE(tag) "C: " tag " UID REPLACE 6 \"INBOX\" {*}\n" TEXT_OF_NEW
#define REPLACED                                                                                   \
	"= ended append 6 ok 8\n"                                                                  \
	"= done answered append new INBOX 6 ok\n"                                                  \
	"> unsent\n"                                                                               \
	"= unsent 0\n"                                                                             \
	"> listing\n"                                                                              \
	"= listing 5,7:8\n"

#define APPEND_INSTEAD(status, append)                                                             \
	INBOX_STATUS(status)                                                                       \
	"C: " append " APPEND \"INBOX\" {*}\n" TEXT_OF_NEW "S: " append                            \
	" OK [APPENDUID 1 8] done\n"                                                               \
	"= names changed, gone: unknown, new: 8\n"

#define SELECTED_AGAIN(tag, exists, uidnext)                                                       \
	"S: * " exists " EXISTS\n"                                                                 \
	"S: * OK [UIDVALIDITY 1] valid\n"                                                          \
	"S: * OK [UIDNEXT " uidnext "] next\n"                                                     \
	"S: " tag " OK [READ-WRITE] done\n"

/* A line of a transcript is a line here. */
/* clang-format off */
static const Script scripts[] = {
	/* ---- APPEND ---- */
	{"append",
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		APPEND("A3", "new")
		"S: A3 OK [APPENDUID 3 20] done\n"
		"= ended append 0 ok 20\n"
		"= done answered append new Other ok\n"
		"> unsent\n"
		"= unsent 0\n",
		KNOWN_INBOX},
	{"append-its-text-is-its-body",
		/* Nothing but its attributes is fetched. */
		FULL
		"> sync Other\n"
		"C: A2 EXAMINE \"Other\"\n"
		SEARCHES("A3", "A4")
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		"S: A2 OK done\n"
		SEARCHED("A3", "A4", "19")
		"= done sync Other ok\n"
		"> answered append new Other\n"
		STATUS("A5")
		APPEND("A6", "new")
		"S: A6 OK [APPENDUID 3 20] done\n"
		"= names changed, gone: unknown, new: 20\n"
		"= ended append 0 ok 20\n"
		"= done answered append new Other ok\n"
		"> generation Other\n"
		"> attributes 20\n"
		"C: A7 UID FETCH * (UID FLAGS INTERNALDATE RFC822.SIZE)\n"
		"S: * 2 EXISTS\n"
		"S: * 2 FETCH (UID 20 FLAGS () RFC822.SIZE 21 INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\n"
		OK("A7")
		"= names changed, gone: unknown\n"
		"= done attributes 20 ok\n"
		"> read 20 0 10\n"
		"= read hit Message-ID\n",
		KNOWN_INBOX},
	{"append-whose-end-cannot-be-kept",
		/* The server has it: that is no reason to tell otherwise. */
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		APPEND("A3", "new")
		"> full\n"
		"S: A3 OK [APPENDUID 3 20] done\n"
		"= ended append 0 ok 20\n"
		"= done answered append new Other ok\n"
		"> unsent\n"
		"= unsent 0\n",
		KNOWN_INBOX},
	{"append-that-cannot-be-kept",
		/* Nobody would know that it was sent. */
		FULL
		"> answered append new Other\n"
		"C: A2 STATUS *\n"
		"> full\n"
		OK("A2")
		"= ended append 0 other *cannot be kept*\n"
		"= done answered append new Other other *cannot be kept*\n"
		"> unsent\n"
		"= unsent 1\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"append-without-appenduid-is-looked-for",
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		APPEND("A3", "new")
		OK("A3")
		EXAMINE_OTHER("A4")
		LOOK("A5", "20:*")
		LOOKED("1", "20", "21", "other")
		LOOKED("2", "21", "21", "new")
		OK("A5")
		"= ended append 0 ok 21\n"
		"= done answered append new Other ok\n"
		"> unsent\n"
		"= unsent 0\n",
		KNOWN_INBOX},
	{"append-lost-after-it-was-done",
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		APPEND("A3", "new")
		"@close\n"
		AGAIN("UIDPLUS MOVE", "A4")
		EXAMINE_OTHER("A5")
		LOOK("A6", "20:*")
		LOOKED("1", "20", "21", "new")
		OK("A6")
		"= ended append 0 ok 20\n"
		"= done answered append new Other ok\n"
		"> unsent\n"
		"= unsent 0\n",
		KNOWN_INBOX},
	{"append-lost-in-the-literal",
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		"C: A3 APPEND *\n"
		"@close\n"
		AGAIN("UIDPLUS MOVE", "A4")
		EXAMINE_OTHER("A5")
		LOOK("A6", "20:*")
		OK("A6")
		LATER
		LOOK("A7", "20:*")
		OK("A7")
		STATUS("A8")
		APPEND("A9", "new")
		"S: A9 OK [APPENDUID 3 20] done\n"
		"= ended append 0 ok 20\n"
		"= done answered append new Other ok\n",
		KNOWN_INBOX},
	{"append-that-takes-the-server-long",
		/* It is not sent once more while the server may be about to finish it. */
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		APPEND("A3", "new")
		LATER
		"@eof\n"
		"= done answered append new Other ok\n"
		AGAIN("UIDPLUS MOVE", "A4")
		EXAMINE_OTHER("A5")
		LOOK("A6", "20:*")
		OK("A6")
		LATER
		LOOK("A7", "20:*")
		OK("A7")
		LATER
		LOOK("A8", "20:*")
		LOOKED("1", "20", "21", "new")
		OK("A8")
		"= ended append 0 ok 20\n"
		"> unsent\n"
		"= unsent 0\n",
		KNOWN_INBOX, .timeout_ms = SHORT_MS},
	{"append-of-what-is-large-keeps-nobody-waiting",
		FULL
		"> answered store 6 +seen\n"
		"= message 6 changed\n"
		SELECT("A2")
		"C: A3 UID STORE *\n"
		OK("A3")
		"= ended store 6 ok 0\n"
		"= done answered store 6 +seen ok\n"
		"> answered append large Other\n"
		STATUS("A4")
		"C: A5 APPEND \"Other\" {*}\n"
		"> answered remove 6\n"
		GONE("6")
		"@accept\n"
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		SELECT("A6")
		REMOVED("A7", "A8", "6")
		"= names changed, gone: unknown\n"
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n"
		"@on 1\n"
		"S: + go\n"
		"C: Message-ID: <large>\n"
		"C: \n"
		"@take 1048576\n"
		"C: \n"
		"S: A5 OK [APPENDUID 3 20] done\n"
		"= ended append 0 ok 20\n"
		"= done answered append large Other ok\n",
		KNOWN_INBOX, .connections = 2},
	{"append-of-the-same-twice",
		/* The second goes out when it is known what the first became. */
		FULL
		"> together append new Other; append new Other; settle\n"
		"= done append new Other ok\n"
		"= done append new Other ok\n"
		"C: A2 STATUS \"Other\" (UIDNEXT UIDVALIDITY)\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n"
		"S: * STATUS Other (UIDNEXT 20 UIDVALIDITY 3)\n"
		OK("A2")
		APPEND("A3", "new")
		"@close\n"
		AGAIN("UIDPLUS MOVE", "A4")
		EXAMINE_OTHER("A5")
		LOOK("A6", "20:*")
		LOOKED("1", "20", "21", "new")
		OK("A6")
		"= ended append 0 ok 20\n"
		STATUS("A7")
		APPEND("A8", "new")
		"S: A8 OK [APPENDUID 3 21] done\n"
		"= ended append 0 ok 21\n"
		"= done settle ok\n",
		KNOWN_INBOX},
	{"append-refused-keeps-the-text",
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		"C: A3 APPEND *\n"
		"S: A3 NO [OVERQUOTA] full\n"
		"= ended append 0 QUOTA *\n"
		"= done answered append new Other QUOTA *\n"
		"> unsent\n"
		"= unsent 1\n",
		KNOWN_INBOX},
	{"append-over-the-limit",
		CAPABLE("APPENDLIMIT=20")
		"> append new Other\n"
		"= done append new Other TOO_BIG *\n"
		"> unsent\n"
		"= unsent 1\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"append-in-place-of-another",
		/* The old one goes when the new one is there. */
		FULL
		"> answered append new INBOX 6\n"
		GONE("6")
		"C: A2 STATUS \"INBOX\" *\n"
		"S: * STATUS INBOX (UIDNEXT 8 UIDVALIDITY 1)\n"
		OK("A2")
		"C: A3 APPEND \"INBOX\" {*}\n"
		"S: + go\n"
		"C: Message-ID: <new>\n"
		"C: \n"
		"C: \n"
		"S: A3 OK [APPENDUID 1 8] done\n"
		"= names changed, gone: unknown, new: 8\n"
		"C: A4 SELECT \"INBOX\"\n"
		"S: * 4 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		"S: * OK [UIDNEXT 9] next\n"
		"S: A4 OK [READ-WRITE] done\n"
		REMOVED("A5", "A6", "6")
		"= ended append 6 ok 8\n"
		"= done answered append new INBOX 6 ok\n"
		"> listing\n"
		"= listing 5,7:8\n",
		KNOWN_INBOX},
	{"append-in-place-of-another-that-stays",
		/* The new one is there: it is not told that it is not. */
		FULL
		"> answered append new INBOX 6\n"
		GONE("6")
		"C: A2 STATUS \"INBOX\" *\n"
		"S: * STATUS INBOX (UIDNEXT 8 UIDVALIDITY 1)\n"
		OK("A2")
		"C: A3 APPEND \"INBOX\" {*}\n"
		"S: + go\n"
		"C: Message-ID: <new>\n"
		"C: \n"
		"C: \n"
		"S: A3 OK [APPENDUID 1 8] done\n"
		"= names changed, gone: unknown, new: 8\n"
		"C: A4 SELECT \"INBOX\"\n"
		"S: * 4 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		"S: * OK [UIDNEXT 9] next\n"
		"S: A4 OK [READ-WRITE] done\n"
		STORE("A5", "6")
		UID_EXPUNGE("A6", "6")
		"S: A5 NO [NOPERM] never\n"
		OK("A6")
		BACK_AGAIN("6")
		"= ended append 6 ok 8\n"
		"= done answered append new INBOX 6 ok\n"
		"> unsent\n"
		"= unsent 0\n",
		KNOWN_INBOX},
	{"append-confirmed-and-not-found",
		/* What it was to replace stays. */
		FULL
		"> answered append new INBOX 6\n"
		GONE("6")
		INBOX_STATUS("A2")
		"C: A3 APPEND \"INBOX\" {*}\n"
		TEXT_OF_NEW
		OK("A3")
		"C: A4 EXAMINE \"INBOX\"\n"
		SELECTED("A4", "3")
		LOOK("A5", "8:*")
		OK("A5")
		LATER
		LOOK("A6", "8:*")
		OK("A6")
		BACK_AGAIN("6")
		"= ended append 6 ok 0\n"
		"= done answered append new INBOX 6 ok\n"
		"> listing\n"
		"= listing 5:7\n"
		"@quiet\n",
		KNOWN_INBOX},

	/* ---- REPLACE (RFC 8508) ---- */
	{"replace",
		REPLACING
		REPLACE("A4")
		"S: * OK [APPENDUID 1 8] ready\n"
		"S: * 4 EXISTS\n"
		"S: * 2 EXPUNGE\n"
		OK("A4")
		GONE("unknown")
		"= names changed, gone: unknown, new: 8\n"
		REPLACED,
		KNOWN_INBOX},
	{"replace-with-the-uid-in-the-answer",
		REPLACING
		REPLACE("A4")
		"S: * VANISHED 6\n"
		"S: A4 OK [APPENDUID 1 8] done\n"
		"= names changed, gone: unknown, new: 8\n"
		REPLACED,
		KNOWN_INBOX},
	{"replace-without-a-word-of-the-uid",
		/* It is looked for, and found. */
		REPLACING
		REPLACE("A4")
		"S: * 4 EXISTS\n"
		"S: * 2 EXPUNGE\n"
		OK("A4")
		GONE("unknown")
		LOOK("A5", "8:*")
		LOOKED("3", "8", "21", "new")
		OK("A5")
		"= names changed, gone: unknown, new: 8\n"
		REPLACED,
		KNOWN_INBOX},
	{"replace-refused",
		/* The text is kept, and the old message shown again. */
		REPLACING
		REPLACE("A4")
		"S: A4 NO [OVERQUOTA] full\n"
		BACK_AGAIN("6")
		"= ended append 6 QUOTA *full\n"
		"= done answered append new INBOX 6 QUOTA *full\n"
		"> unsent\n"
		"= unsent 1\n"
		"> listing\n"
		"= listing 5:7\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"replace-that-cannot-be-is-an-append",
		REPLACING
		REPLACE("A4")
		"S: A4 NO [CANNOT] not here\n"
		APPEND_INSTEAD("A5", "A6")
		REMOVED("A7", "A8", "6")
		REPLACED,
		KNOWN_INBOX},
	{"replace-that-is-unknown-is-an-append",
		/* From then on no other is tried. */
		REPLACING
		"C: A4 UID REPLACE 6 \"INBOX\" {*}\n"
		"S: A4 BAD what\n"
		APPEND_INSTEAD("A5", "A6")
		REMOVED("A7", "A8", "6")
		REPLACED
		"> answered append newer INBOX 5\n"
		GONE("5")
		INBOX_STATUS("A9")
		"C: A10 APPEND *\n",
		KNOWN_INBOX},
	{"replace-of-what-went-meanwhile",
		/* The text is not lost. */
		REPLACING
		REPLACE("A4")
		"S: * 2 EXPUNGE\n"
		"S: A4 NO [NONEXISTENT] no such message\n"
		APPEND_INSTEAD("A5", "A6")
		REPLACED,
		KNOWN_INBOX},
	{"replace-of-what-is-known-to-be-gone",
		CAPABLE("UIDPLUS REPLACE")
		"> answered append new INBOX 6\n"
		GONE("6")
		"C: A2 SELECT \"INBOX\"\n"
		"S: * 2 EXISTS\n"
		"S: * OK [UIDVALIDITY 2] valid\n"
		"S: A2 OK [READ-WRITE] done\n"
		"= *\n"
		"C: A3 STATUS \"INBOX\" *\n"
		"S: * STATUS INBOX (UIDNEXT 8 UIDVALIDITY 2)\n"
		OK("A3")
		"C: A4 APPEND \"INBOX\" {*}\n",
		KNOWN_INBOX},
	{"replace-refused-although-it-was-made",
		/* It is looked for: what is there is not sent again, and the old one goes. */
		REPLACING
		REPLACE("A4")
		"S: * OK [APPENDUID 1 8] ready\n"
		"S: A4 NO [SERVERBUG] the old one is in the way\n"
		LOOK("A5", "8:*")
		LOOKED("4", "8", "21", "new")
		OK("A5")
		"= names changed, gone: unknown, new: 8\n"
		REMOVED("A6", "A7", "6")
		REPLACED,
		KNOWN_INBOX},
	{"replace-lost-after-it-was-done",
		REPLACING
		REPLACE("A4")
		"@close\n"
		AGAIN("UIDPLUS REPLACE", "A5")
		"C: A6 SELECT \"INBOX\"\n"
		SELECTED_AGAIN("A6", "3", "9")
		LOOK("A7", "8:*")
		LOOKED("3", "8", "21", "new")
		OK("A7")
		"= names changed, gone: unknown, new: 8\n"
		STORE("A8", "6")
		UID_EXPUNGE("A9", "6")
		OK("A8")
		OK("A9")
		REPLACED,
		KNOWN_INBOX},
	{"replace-lost-before-it-was-done",
		/* It is not found, twice, and is sent once more. */
		REPLACING
		REPLACE("A4")
		"@close\n"
		AGAIN("UIDPLUS REPLACE", "A5")
		"C: A6 SELECT \"INBOX\"\n"
		SELECTED_AGAIN("A6", "3", "8")
		LOOK("A7", "8:*")
		OK("A7")
		LATER
		LOOK("A8", "8:*")
		OK("A8")
		INBOX_STATUS("A9")
		REPLACE("A10")
		"S: * OK [APPENDUID 1 8] ready\n"
		"S: * 2 EXPUNGE\n"
		OK("A10")
		"= names changed, gone: unknown, new: 8\n"
		REPLACED,
		KNOWN_INBOX},

	/* ---- what was asked of them meanwhile ---- */
	{"append-removed-before-it-was-sent",
		FULL
		"> together append new Other; of 1 remove\n"
		"= done append new Other ok\n"
		"= ended append 0 CANCELLED *\n"
		"= done of 1 remove ok\n"
		"> unsent\n"
		"= unsent 0\n"
		"> settle\n"
		"= done settle ok\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"append-removed-on-its-way",
		FULL
		"> answered append new Other\n"
		STATUS("A2")
		"C: A3 APPEND *\n"
		"> answered of 1 remove\n"
		"S: + go\n"
		"C: Message-ID: <new>\n"
		"C: \n"
		"C: \n"
		"S: A3 OK [APPENDUID 3 20] done\n"
		"= ended append 0 ok 20\n"
		"= done answered append new Other ok\n"
		"C: A4 SELECT \"Other\"\n"
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		OK("A4")
		NOTICED("A5")
		STORE("A5", "20")
		UID_EXPUNGE("A6", "20")
		OK("A5")
		OK("A6")
		"= ended remove 20 ok 0\n"
		"= done answered of 1 remove ok\n",
		KNOWN_INBOX},
};
/* clang-format on */

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-append", scripts, G_N_ELEMENTS(scripts));
}
