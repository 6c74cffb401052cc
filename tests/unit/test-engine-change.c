/* The engine against scripted servers: removal of messages, their flags, the order of changes and
 * who waits for them. */
#include "engine-change.h"

/* A line of a transcript is a line here. */
/* clang-format off */
static const Script scripts[] = {
	/* ---- removal ---- */
	{"remove",
		FULL
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		OK("A3")
		"S: * 2 EXPUNGE\n"
		OK("A4")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n"
		"> listing\n"
		"= listing 5,7\n",
		KNOWN_INBOX},
	{"remove-is-told-once",
		/* That it is \\Deleted is no news. */
		FULL
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		"S: * 2 FETCH (UID 6 FLAGS (\\\\Deleted))\n"
		OK("A3")
		EXPUNGED("A4", "6")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n",
		KNOWN_INBOX},
	{"remove-that-was-not-done-is-done-again",
		/* OK to UID EXPUNGE, and not a word of a message that is gone. */
		FULL
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		OK("A3")
		OK("A4")
		UID_EXPUNGE("A5", "6")
		EXPUNGED("A5", "6")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n",
		KNOWN_INBOX},
	{"remove-is-gathered",
		/* Nobody waits: what comes within 200 ms goes along. */
		FULL
		"> together remove 5; remove 7\n"
		GONE("5")
		"= done remove 5 ok\n"
		GONE("7")
		"= done remove 7 ok\n"
		SELECT("A2")
		REMOVED("A3", "A4", "5,7")
		"= ended remove 5 ok 0\n"
		"= ended remove 7 ok 0\n",
		KNOWN_INBOX},
	{"remove-many",
		FULL
		"> each 1 1000 remove\n"
		"> settle\n"
		"C: A2 SELECT \"INBOX\"\n"
		"S: * 1000 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		"S: * OK [UIDNEXT 1001] next\n"
		"S: A2 OK done\n"
		REMOVED("A3", "A4", "1:1000")
		"= ended all\n"
		"= done settle ok\n",
		.known = {"1:1000", 1, 1001}},
	{"remove-is-not-sent-before-uidvalidity-is-known",
		FULL
		"> answered remove 6\n"
		GONE("6")
		"C: A2 SELECT \"INBOX\"\n"
		"S: * 3 EXISTS\n"
		"S: * OK [UIDVALIDITY 2] valid\n"
		"@quiet\n"
		OK("A2")
		"= generation changed\n"
		"= ended remove 6 STALE *new UIDVALIDITY\n"
		"= done answered remove 6 STALE *new UIDVALIDITY\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"remove-without-uidplus",
		CAPABLE("")
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		OK("A3")
		"C: A4 UID SEARCH RETURN (ALL) DELETED\n"
		"S: * ESEARCH (TAG \"A4\") UID ALL 6\n"
		OK("A4")
		"C: A5 EXPUNGE\n"
		"S: * 2 EXPUNGE\n"
		OK("A5")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n",
		KNOWN_INBOX},
	{"remove-without-uidplus-beside-others",
		/* 5 is somebody else's: 6 stays, hidden, until it is alone. */
		CAPABLE("")
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		OK("A3")
		"C: A4 UID SEARCH RETURN (ALL) DELETED\n"
		"S: * ESEARCH (TAG \"A4\") UID ALL 5:6\n"
		OK("A4")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n"
		"> listing\n"
		"= listing 5,7\n"
		"> answered remove 7\n"
		GONE("7")
		STORE("A5", "7")
		OK("A5")
		"C: A6 UID SEARCH RETURN (ALL) DELETED\n"
		"S: * ESEARCH (TAG \"A6\") UID ALL 6:7\n"
		OK("A6")
		"C: A7 EXPUNGE\n"
		OK("A7")
		"= ended remove 7 ok 0\n"
		"= done answered remove 7 ok\n",
		KNOWN_INBOX},
	{"remove-without-uidplus-with-expunge-refused",
		/* 6 was told to be removed, and stays hidden. */
		CAPABLE("")
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		OK("A3")
		"C: A4 UID SEARCH RETURN (ALL) DELETED\n"
		"S: * ESEARCH (TAG \"A4\") UID ALL 5:6\n"
		OK("A4")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n"
		"> answered remove 7\n"
		GONE("7")
		STORE("A5", "7")
		OK("A5")
		"C: A6 UID SEARCH RETURN (ALL) DELETED\n"
		"S: * ESEARCH (TAG \"A6\") UID ALL 6:7\n"
		OK("A6")
		"C: A7 EXPUNGE\n"
		"S: A7 NO [NOPERM] never\n"
		"C: A8 UID STORE 7 -FLAGS.SILENT (\\\\Deleted)\n"
		OK("A8")
		BACK_AGAIN("7")
		"= ended remove 7 ACCESS *never\n"
		"= done answered remove 7 ACCESS *never\n"
		"> listing\n"
		"= listing 5,7\n",
		KNOWN_INBOX},
	{"remove-with-expunge-refused",
		/* No other expunge is tried; the message comes back. */
		FULL
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		OK("A3")
		"S: A4 NO [NOPERM] never\n"
		"C: A5 UID STORE 6 -FLAGS.SILENT (\\\\Deleted)\n"
		OK("A5")
		BACK_AGAIN("6")
		"= ended remove 6 ACCESS *never\n"
		"= done answered remove 6 ACCESS *never\n"
		"> listing\n"
		"= listing 5:7\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"remove-with-expunge-refused-after-it-was-told",
		/* What it is now the server is asked. */
		FULL
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		"S: * 2 FETCH (UID 6 FLAGS (\\\\Deleted))\n"
		OK("A3")
		"S: A4 NO [NOPERM] never\n"
		"C: A5 UID STORE 6 -FLAGS.SILENT (\\\\Deleted)\n"
		OK("A5")
		"= ended remove 6 ACCESS *never\n"
		"= done answered remove 6 ACCESS *never\n"
		"C: A6 UID FETCH 6 (UID FLAGS)\n"
		"S: * 2 FETCH (UID 6 FLAGS ())\n"
		BACK_AGAIN("6")
		OK("A6")
		"> listing\n"
		"= listing 5:7\n",
		KNOWN_INBOX},
	{"remove-refused-is-split",
		/* 6 is at fault. */
		FULL
		"> together remove 5; remove 6; remove 7; settle\n"
		GONE("5")
		"= done remove 5 ok\n"
		GONE("6")
		"= done remove 6 ok\n"
		GONE("7")
		"= done remove 7 ok\n"
		SELECT("A2")
		STORE("A3", "5:7")
		UID_EXPUNGE("A4", "5:7")
		"S: A3 NO not that\n"
		OK("A4")
		STORE("A5", "5:6")
		UID_EXPUNGE("A6", "5:6")
		STORE("A7", "7")
		UID_EXPUNGE("A8", "7")
		"S: A5 NO not that\n"
		OK("A6")
		OK("A7")
		EXPUNGED("A8", "7")
		"= ended remove 7 ok 0\n"
		STORE("A9", "5")
		UID_EXPUNGE("A10", "5")
		STORE("A11", "6")
		UID_EXPUNGE("A12", "6")
		OK("A9")
		EXPUNGED("A10", "5")
		"= ended remove 5 ok 0\n"
		"S: A11 NO not that\n"
		OK("A12")
		BACK_AGAIN("6")
		"= ended remove 6 IO *not that\n"
		"= done settle IO *not that\n",
		KNOWN_INBOX},
	{"remove-without-uidplus-lost-while-it-waits-to-search",
		/* Nothing of it is left: the connection is free for the other mailbox. */
		CAPABLE("")
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		"C: A3 UID STORE *\n"
		"> sync\n"
		"> turn\n"
		"= turned\n"
		"C: A4 UID SEARCH RETURN (ALL) DELETED\n"
		OK("A3")
		"> turn\n"
		"= turned\n"
		"@quiet\n"
		"@close\n"
		AGAIN("", "A5")
		SELECT("A6")
		"C: A7 UID SEARCH RETURN (ALL) DELETED\n"
		"C: A8 UID STORE *\n"
		"S: * ESEARCH UID\n"
		OK("A7")
		"= done sync ok\n"
		OK("A8")
		"C: A9 UID SEARCH RETURN (ALL) DELETED\n"
		"S: * ESEARCH UID ALL 6\n"
		OK("A9")
		"C: A10 EXPUNGE\n"
		"S: * 2 EXPUNGE\n"
		OK("A10")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n"
		"> sync Other\n"
		"C: A11 EXAMINE \"Other\"\n",
		KNOWN_INBOX, .connections = 2},
	{"remove-lost-is-done-again",
		FULL
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		OK("A3")
		"@close\n"
		AGAIN("UIDPLUS MOVE", "A5")
		SELECT("A6")
		REMOVED("A7", "A8", "6")
		"= ended remove 6 ok 0\n"
		"= done answered remove 6 ok\n",
		KNOWN_INBOX},
	{"remove-in-a-read-only-mailbox",
		FULL
		"> answered remove 6\n"
		GONE("6")
		"C: A2 SELECT \"INBOX\"\n"
		"S: * 3 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		"S: A2 OK [READ-ONLY] done\n"
		BACK_AGAIN("6")
		"= ended remove 6 READ_ONLY *\n"
		"= done answered remove 6 READ_ONLY *\n"
		"> remove 5\n"
		"= done remove 5 READ_ONLY *\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"remove-in-a-read-only-mount",
		FULL
		"> remove 6\n"
		"= done remove 6 READ_ONLY *\n",
		KNOWN_INBOX, .read_only = true},
	{"remove-of-none",
		FULL
		"> remove 8\n"
		"= done remove 8 STALE *\n",
		KNOWN_INBOX},
	{"mark",
		FULL
		"> answered mark 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		OK("A3")
		"= ended mark 6 ok 0\n"
		"= done answered mark 6 ok\n"
		"> listing\n"
		"= listing 5,7\n"
		"> row 6\n"
		"= row 6: known flags 8 stale\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"mark-of-what-is-shown",
		FULL
		"> answered mark 6\n"
		"= message 6 changed\n"
		SELECT("A2")
		STORE("A3", "6")
		OK("A3")
		"= ended mark 6 ok 0\n"
		"= done answered mark 6 ok\n"
		"> listing\n"
		"= listing 5:7\n",
		KNOWN_INBOX, .show_deleted = true},

	/* ---- flags ---- */
	{"store",
		FULL
		"> together store 5 +seen +Work; store 6 +seen +Work; store 7 -flagged; settle\n"
		"= message 5 changed\n"
		"= done store 5 +seen +Work ok\n"
		"= message 6 changed\n"
		"= done store 6 +seen +Work ok\n"
		"= done store 7 -flagged ok\n"
		SELECT("A2")
		"C: A3 UID STORE 5:6 +FLAGS.SILENT (\\\\Seen Work)\n"
		"C: A4 UID STORE 7 -FLAGS.SILENT (\\\\Flagged)\n"
		OK("A3")
		"= ended store 5 ok 0\n"
		"= ended store 6 ok 0\n"
		OK("A4")
		"= ended store 7 ok 0\n"
		"= done settle ok\n"
		"> row 6\n"
		"= row 6: known flags 1 stale\n",
		KNOWN_INBOX},
	{"store-stays-over-what-fetch-brings",
		FULL
		"> answered store 6 +seen\n"
		"= message 6 changed\n"
		SELECT("A2")
		"C: A3 UID STORE 6 +FLAGS.SILENT (\\\\Seen)\n"
		"S: * 2 FETCH (UID 6 FLAGS (\\\\Flagged))\n"
		"= message 6 changed\n"
		"> row 6\n"
		"= row 6: known flags 5\n"
		OK("A3")
		"= ended store 6 ok 0\n"
		"= done answered store 6 +seen ok\n",
		KNOWN_INBOX},
	{"store-refused-is-taken-back",
		FULL
		"> answered store 6 +seen\n"
		"= message 6 changed\n"
		SELECT("A2")
		"C: A3 UID STORE 6 +FLAGS.SILENT (\\\\Seen)\n"
		"S: A3 NO [NOPERM] no\n"
		"= ended store 6 ACCESS *\n"
		"= done answered store 6 +seen ACCESS *\n"
		"C: A4 UID FETCH 6 (UID FLAGS)\n"
		"S: * 2 FETCH (UID 6 FLAGS ())\n"
		"= message 6 changed\n"
		OK("A4")
		"> row 6\n"
		"= row 6: known flags 0\n",
		KNOWN_INBOX},
	{"store-of-what-is-not-kept",
		/* At first it shows with SELECT, from then on at once. */
		FULL
		"> answered store 6 +Work\n"
		"= message 6 changed\n"
		"C: A2 SELECT \"INBOX\"\n"
		"S: * OK [PERMANENTFLAGS (\\\\Seen Home)] some\n"
		SELECTED("A2", "3")
		"= ended store 6 DENIED *\n"
		"= done answered store 6 +Work DENIED *\n"
		"C: A3 UID FETCH 6 (UID FLAGS)\n"
		OK("A3")
		"> store 6 +flagged\n"
		"= done store 6 +flagged DENIED *\n"
		"> answered store 6 +home\n"
		"= message 6 changed\n"
		"C: A4 UID STORE 6 +FLAGS.SILENT (home)\n"
		OK("A4")
		"= ended store 6 ok 0\n"
		"= done answered store 6 +home ok\n",
		KNOWN_INBOX},
	{"store-of-no-keyword",
		FULL
		"> store 6 +a{3}\n"
		"= done store 6 +a{3} INVALID *\n"
		"@quiet\n",
		KNOWN_INBOX},

	/* ---- order ---- */
	{"order-of-one-message",
		FULL
		"> together store 6 +seen; remove 6; remove 5; settle\n"
		"= message 6 changed\n"
		"= done store 6 +seen ok\n"
		GONE("6")
		"= done remove 6 ok\n"
		GONE("5")
		"= done remove 5 ok\n"
		SELECT("A2")
		"C: A3 UID STORE 6 +FLAGS.SILENT (\\\\Seen)\n"
		STORE("A4", "5")
		UID_EXPUNGE("A5", "5")
		OK("A3")
		"= ended store 6 ok 0\n"
		STORE("A6", "6")
		UID_EXPUNGE("A7", "6")
		OK("A4")
		EXPUNGED("A5", "5")
		"= ended remove 5 ok 0\n"
		OK("A6")
		EXPUNGED("A7", "6")
		"= ended remove 6 ok 0\n"
		"= done settle ok\n",
		KNOWN_INBOX},
	{"order-of-a-message-that-goes-on",
		/* What is asked of it is done where it is then. */
		FULL
		"> together move 6 Other; of 1 store 0 +seen; of 1 move 0 INBOX; settle\n"
		GONE("6")
		"= done move 6 Other ok\n"
		"= done of 1 store 0 +seen ok\n"
		"= done of 1 move 0 INBOX ok\n"
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "6")
		"S: * OK [COPYUID 3 6 20] moved\n"
		"S: * 2 EXPUNGE\n"
		OK("A4")
		"= ended move 6 ok 20\n"
		"C: A5 SELECT \"Other\"\n"
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		OK("A5")
		NOTICED("A6")
		"C: A6 UID STORE 20 +FLAGS.SILENT (\\\\Seen)\n"
		OK("A6")
		"= ended store 20 ok 0\n"
		"C: A7 STATUS \"INBOX\" *\n"
		"S: * STATUS INBOX (UIDNEXT 8 UIDVALIDITY 1)\n"
		OK("A7")
		"C: A8 UID MOVE 20 \"INBOX\"\n"
		"S: * OK [COPYUID 1 20 8] moved\n"
		"= names changed, gone: unknown, new: 8\n"
		OK("A8")
		"= ended move 20 ok 8\n"
		"= done settle ok\n",
		KNOWN_INBOX},
	{"order-of-messages-that-go-on-together",
		/* What is asked of the first waits for the NOOP of the second, too. */
		FULL
		"> together move 6 Other; move 7 Other; of 1 remove; of 2 store 0 +seen\n"
		GONE("6")
		"= done move 6 Other ok\n"
		GONE("7")
		"= done move 7 Other ok\n"
		"= done of 1 remove ok\n"
		"= done of 2 store 0 +seen ok\n"
		"C: A2 SELECT \"INBOX\"\n"
		SELECTED("A2", "3")
		STATUS("A3")
		MOVE("A4", "6:7")
		"S: * OK [COPYUID 3 6:7 20:21] moved\n"
		OK("A4")
		"= ended move 7 ok 21\n"
		"= ended move 6 ok 20\n"
		"C: A5 SELECT \"Other\"\n"
		"S: * 2 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		OK("A5")
		"C: A6 NOOP\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n"
		OK("A6")
		"C: A7 UID STORE 21 +FLAGS.SILENT (\\\\Seen)\n"
		STORE("A8", "20")
		UID_EXPUNGE("A9", "20")
		OK("A7")
		"= ended store 21 ok 0\n"
		OK("A8")
		EXPUNGED("A9", "20")
		GONE("unknown")
		"= ended remove 20 ok 0\n",
		KNOWN_INBOX},
	{"order-ends-with-what-it-waits-for",
		FULL
		"> together move 6 Other; of 1 store 0 +seen; settle\n"
		GONE("6")
		"= done move 6 Other ok\n"
		"= done of 1 store 0 +seen ok\n"
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "6")
		"S: A4 NO [OVERQUOTA] full\n"
		BACK_AGAIN("6")
		"= ended move 6 QUOTA *\n"
		"= ended store 0 QUOTA *\n"
		"= done settle QUOTA *\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"order-of-a-copy",
		/* The copy is removed, not what it was made of. */
		FULL
		"> answered copy 6 Other\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		SELECTED("A2", "3")
		STATUS("A3")
		COPY("A4", "6")
		"> answered of 1 remove\n"
		"> turn\n"
		"= turned\n"
		"S: A4 OK [COPYUID 3 6 20] copied\n"
		"= ended copy 6 ok 20\n"
		"= done answered copy 6 Other ok\n"
		"C: A5 SELECT \"Other\"\n"
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		OK("A5")
		NOTICED("A6")
		STORE("A6", "20")
		UID_EXPUNGE("A7", "20")
		OK("A6")
		OK("A7")
		"= ended remove 20 ok 0\n"
		"= done answered of 1 remove ok\n"
		"> listing\n"
		"= listing 5:7\n",
		KNOWN_INBOX},
	{"order-of-a-copy-that-was-named-by-its-uid",
		/* Another connection told of it before the answer came: what is asked of it by its
		 * UID is on its way then, and does not go out a second time. */
		FULL
		"> answered copy 6 Other\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		SELECTED("A2", "3")
		STATUS("A3")
		COPY("A4", "6")
		"> answered of 1 store 0 +seen\n"
		"> sync Other\n"
		"@accept\n"
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		"C: A21 EXAMINE \"Other\"\n"
		SEARCHES("A22", "A23")
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		OK("A21")
		SEARCHED("A22", "A23", "20")
		"= done sync Other ok\n"
		"> generation Other\n"
		"> answered store 20 +flagged\n"
		"C: A24 SELECT \"Other\"\n"
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		OK("A24")
		NOTICED("A25")
		"C: A25 UID STORE 20 +FLAGS.SILENT (\\\\Flagged)\n"
		"@on 1\n"
		"S: A4 OK [COPYUID 3 6 20] copied\n"
		"= ended copy 6 ok 20\n"
		"= message 20 changed\n"
		"= done answered copy 6 Other ok\n"
		"> turn\n"
		"= turned\n"
		"@on 2\n"
		"@quiet\n"
		OK("A25")
		"= ended store 20 ok 0\n"
		"= done answered store 20 +flagged ok\n"
		"C: A26 UID STORE 20 +FLAGS.SILENT (\\\\Seen)\n"
		OK("A26")
		"= ended store 20 ok 0\n"
		"= done answered of 1 store 0 +seen ok\n",
		KNOWN_INBOX, .connections = 2},
	{"order-after-its-end",
		FULL
		"> answered copy 6 Other\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		SELECTED("A2", "3")
		STATUS("A3")
		COPY("A4", "6")
		"S: A4 OK [COPYUID 3 6 20] copied\n"
		"= ended copy 6 ok 20\n"
		"= done answered copy 6 Other ok\n"
		"> answered of 1 remove\n"
		"C: A5 SELECT \"Other\"\n",
		KNOWN_INBOX},
	{"order-after-removal",
		FULL
		"> together remove 6; store 6 +seen; remove 6\n"
		GONE("6")
		"= done remove 6 ok\n"
		"= done store 6 +seen STALE *\n"
		"= done remove 6 STALE *\n",
		KNOWN_INBOX},

	/* ---- who waits ---- */
	{"settle-with-nothing-to-do",
		FULL
		"> settle\n"
		"= done settle ok\n",
		KNOWN_INBOX},
	{"settle-of-another-mailbox",
		FULL
		"> together remove 6; settle Other\n"
		GONE("6")
		"= done remove 6 ok\n"
		"= done settle Other ok\n",
		KNOWN_INBOX},
	{"away-is-kept-and-done-later",
		FULL
		"@close\n"
		"@accept\n"
		"@close\n"
		"> answered remove 6\n"
		GONE("6")
		"= done answered remove 6 ok\n"
		"> settle\n"
		"= done settle OFFLINE *\n"
		"> done remove 5\n"
		"= done done remove 5 OFFLINE *\n"
		AGAIN("UIDPLUS MOVE", "A2")
		SELECT("A3")
		REMOVED("A4", "A5", "6")
		"= ended remove 6 ok 0\n",
		KNOWN_INBOX},
	{"away-before-it-was-sent-is-taken-back",
		/* Who waits is told that it is not done, and it is not. */
		FULL
		"@close\n"
		"> done remove 6\n"
		GONE("6")
		"@accept\n"
		"@close\n"
		BACK_AGAIN("6")
		"= ended remove 6 *\n"
		"= done done remove 6 *\n"
		AGAIN("UIDPLUS MOVE", "A2")
		"> settle\n"
		"= done settle ok\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"away-behind-another-of-its-message",
		/* The one before it is on its way, and goes out once. */
		FULL
		"> store 6 +seen\n"
		"= message 6 changed\n"
		"= done store 6 +seen ok\n"
		"> done remove 6\n"
		GONE("6")
		SELECT("A2")
		"C: A3 UID STORE 6 +FLAGS.SILENT (\\\\Seen)\n"
		"> turn\n"
		"= turned\n"
		"> later 6\n"
		BACK_AGAIN("6")
		"= ended remove 6 TIMEOUT *\n"
		"= done done remove 6 TIMEOUT *\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n"
		OK("A3")
		"= ended store 6 ok 0\n",
		KNOWN_INBOX, .timeout_ms = 5 * SHORT_MS},
	{"away-after-it-was-marked",
		/* Nobody is told that it is not removed: the server may have marked it. */
		FULL
		"> done remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		"@close\n"
		"@accept\n"
		"@close\n"
		"= done done remove 6 TIMEOUT *\n"
		AGAIN("UIDPLUS MOVE", "A5")
		SELECT("A6")
		REMOVED("A7", "A8", "6")
		"= ended remove 6 ok 0\n",
		KNOWN_INBOX},
	{"away-after-it-was-sent",
		/* Nobody knows, and it is found out later. */
		FULL
		"> done move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "6")
		"@close\n"
		"@accept\n"
		"@close\n"
		"= done done move 6 Other TIMEOUT *\n"
		AGAIN("UIDPLUS MOVE", "A5")
		"C: A6 SELECT \"INBOX\"\n"
		SELECTED("A6", "2")
		LOOK("A7", "6")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "20:*")
		LOOKED("1", "20", "10", "x")
		OK("A9")
		"= ended move 6 ok 20\n",
		KNOWN_INBOX},
	{"killed-by-it-again-and-again",
		/* It is given up, and comes back. */
		FULL
		"> answered remove 6\n"
		GONE("6")
		SELECT("A2")
		STORE("A3", "6")
		UID_EXPUNGE("A4", "6")
		"> hurry 1000\n"
		KILLED
		KILLED
		KILLED
		KILLED
		KILLED
		KILLED
		KILLED
		"@close\n"
		BACK_AGAIN("6")
		"= ended remove 6 IO *\n"
		"= done answered remove 6 IO *\n",
		KNOWN_INBOX},
	{"stop-waits-for-what-is-pending",
		FULL
		"> remove 6\n"
		GONE("6")
		"= done remove 6 ok\n"
		"> stop beside\n"
		SELECT("A2")
		REMOVED("A3", "A4", "6")
		"= ended remove 6 ok 0\n"
		"C: A5 LOGOUT\n"
		"S: A5 OK bye\n"
		"@close\n"
		"= stopped\n",
		KNOWN_INBOX},

	/* ---- what an earlier mount left ---- */
	{"left-to-be-removed",
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		GONE("6")
		"= begun remove 6\n"
		LISTED("A1")
		"= done start ok\n"
		SELECT("A2")
		REMOVED("A3", "A4", "6")
		"= ended remove 6 ok 0\n",
		KNOWN_INBOX, .intents = "remove 6 0 0 -"},
	{"left-to-a-read-only-mount",
		/* It stays for one that may change something. */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		LISTED("A1")
		"= done start ok\n"
		"> generation\n"
		"> listing\n"
		"= listing 5:7\n"
		"> settle\n"
		"= done settle ok\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n",
		KNOWN_INBOX, .read_only = true, .intents = "remove 6 0 0 -"},
	{"left-of-an-old-uidvalidity",
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		"= begun remove 6\n"
		LISTED("A1")
		"= done start ok\n"
		"C: A2 SELECT \"INBOX\"\n"
		"S: * 3 EXISTS\n"
		"S: * OK [UIDVALIDITY 2] valid\n"
		OK("A2")
		"= ended remove 6 STALE *\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n",
		.known = {"5:7", 2, 8}, .intents = "remove 6 0 0 -"},
	{"left-when-it-was-sent",
		/* It is looked for before it is sent again. */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		"= begun append 0\n"
		LISTED("A1")
		"= done start ok\n"
		"C: A2 EXAMINE \"Other\"\n"
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		OK("A2")
		LOOK("A3", "20:*")
		LOOKED("1", "20", "22", "left")
		OK("A3")
		"= ended append 0 ok 20\n"
		"> unsent\n"
		"= unsent 0\n",
		KNOWN_INBOX, .intents = "append 0 1 20 Other"},
	{"left-when-it-was-uploaded",
		/* Nothing but to say so. */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		"= begun append 0\n"
		"= ended append 0 ok 0\n"
		LISTED("A1")
		"= done start ok\n",
		KNOWN_INBOX, .intents = "append 0 2 20 Other"},
	{"left-and-changed-since",
		/* What came after it goes after it. */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		GONE("6")
		"= begun move 6\n"
		LISTED("A1")
		"= done start ok\n"
		"C: A2 SELECT \"INBOX\"\n"
		"> generation\n"
		"> answered remove 6\n"
		"= begun remove 0\n"
		"> turn\n"
		"= turned\n"
		SELECTED("A2", "3")
		STATUS("A3")
		MOVE("A4", "6")
		"S: * OK [COPYUID 3 6 20] moved\n"
		OK("A4")
		"= ended move 6 ok 20\n"
		"C: A5 SELECT \"Other\"\n"
		"S: * 1 EXISTS\n"
		"S: * OK [UIDVALIDITY 3] valid\n"
		OK("A5")
		NOTICED("A6")
		STORE("A6", "20")
		UID_EXPUNGE("A7", "20")
		OK("A6")
		OK("A7")
		"= ended remove 20 ok 0\n"
		"= done answered remove 6 ok\n",
		KNOWN_INBOX, .intents = "move 6 0 0 Other"},
	{"left-when-it-was-copied",
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hi\n"
		GONE("6")
		"= begun move 6\n"
		LISTED("A1")
		"= done start ok\n"
		SELECT("A2")
		REMOVED("A3", "A4", "6")
		"= ended move 6 ok 0\n",
		KNOWN_INBOX, .intents = "move 6 2 20 Other"},
};
/* clang-format on */

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-change", scripts, G_N_ELEMENTS(scripts));
}
