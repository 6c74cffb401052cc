/* The engine against scripted servers, for what no mount can see: which commands it makes of which
 * requests for messages, and what it believes of the answers. */
#include "engine-fixture.h"

#define WALKED(seq, tag)                                                                           \
	"> body " seq " 0 10\n"                                                                    \
	"C: " tag " UID FETCH " seq " (UID INTERNALDATE BODY.PEEK[])\n"                            \
	"S:+ * " seq " FETCH (UID " seq " BODY[] {131072}\\r\\n\n"                                 \
	"@bytes 131072\n"                                                                          \
	"S: )\n"                                                                                   \
	"= done body " seq " 0 10 ok\n"                                                            \
	"S: " tag " OK done\n"

/* After three in a row the rest is asked for ahead. */
#define WALK                                                                                       \
	MANY WALKED("1", "A6")                                                                     \
		WALKED("2", "A7") "> body 3 0 10\n"                                                \
				  "C: A8 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n"             \
				  "C: A9 UID FETCH 4:9 (UID INTERNALDATE BODY.PEEK[])\n"           \
				  "S:+ * 3 FETCH (UID 3 BODY[] {131072}\\r\\n\n"                   \
				  "@bytes 131072\n"                                                \
				  "S: )\n"                                                         \
				  "= done body 3 0 10 ok\n"                                        \
				  "S: A8 OK done\n"

static const Script scripts[] = {
	{"start", SYNC},
	{"equal-requests-share-a-command",
		KNOWN "> together body 5 0 10; body 5 2 3; body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 *\n"
		      "= done body 5 *\n"
		      "= done body 5 *\n"
		      "S: A6 OK done\n"
		      "> read 5 2 3\n"
		      "= read hit 234\n"
		      "> body 5 0 10\n"
		      "= done body 5 0 10 ok\n"},
	{"equal-request-joins-what-flies",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "> body 5 4 1\n"
		      "> attributes 5\n"
		      "= done attributes 5 ok\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 * ok\n"
		      "= done body 5 * ok\n"
		      "S: A6 OK done\n"
		      "> sync\n"
		      "C: A7 NOOP\n"},
	{"neighbours-share-a-command", KNOWN "> together body 7 0 10; body 5 0 10; body 6 0 10\n"
					     "C: A6 UID FETCH 5:7 (UID INTERNALDATE BODY.PEEK[])\n"
					     "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\nsix6666666)\n"
					     "= done body 6 0 10 ok\n"
					     "S: * 3 FETCH (BODY[] {10}\\r\\nseven77777 UID 7)\n"
					     "= done body 7 0 10 ok\n"
					     "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nfive555555)\n"
					     "= done body 5 0 10 ok\n"
					     "S: A6 OK done\n"
					     "> read 5 0 4\n"
					     "= read hit five\n"
					     "> read 6 0 3\n"
					     "= read hit six\n"
					     "> read 7 0 5\n"
					     "= read hit seven\n"},
	{"body-without-uid-goes-by-the-map",
		KNOWN "> body 6 0 10\n"
		      "C: A6 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * 2 FETCH (BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 6 0 10 ok\n"},
	{"another-message-under-the-uid",
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 INTERNALDATE \"02-Jan-2020 00:00:00 +0000\" BODY[]<0> "
		      "{10}\\r\\nanother999)\n"
		      "= done body 5 0 10 STALE *new UIDVALIDITY*\n"
		      "= generation changed\n"
		      "> read 5 0 10\n"
		      "= read absent \n"},
	{"ok-without-fetch", KNOWN "> body 5 0 10\n"
				   "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
				   "S: A6 OK done\n"
				   "C: A7 NOOP\n"
				   "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
				   "S: A7 OK done\n"
				   "S: A8 OK done\n"
				   "= done body 5 0 10 IO *does not answer*\n"
				   "C: A9 NOOP\n"
				   "> read 5 0 10\n"
				   "= read miss \n"},
	{"ok-without-fetch-because-expunged",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A6 OK done\n"
		      "C: A7 NOOP\n"
		      "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * 1 EXPUNGE\n"
		      "= names changed, gone: 5\n"
		      "S: A7 OK done\n"
		      "S: A8 OK done\n"
		      "= done body 5 0 10 *\n"
		      "> message 5\n"
		      "= message 5: absent*\n"
		      "> message 6\n"
		      "= message 6: known*\n"},
	{"other-uid-than-asked", KNOWN "> body 5 0 10\n"
				       "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
				       "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\nsix6666666)\n"
				       "S: * 2 FETCH (UID 99 BODY[] {10}\\r\\nnew9999999)\n"
				       "S: * 2 FETCH (BODY[] {10}\\r\\nsix6666666 UID 6)\n"
				       "S: A6 OK done\n"
				       "C: A7 NOOP\n"
				       "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
				       "S: A7 OK done\n"
				       "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nfive555555)\n"
				       "= done body 5 0 10 ok\n"
				       "S: A8 OK done\n"
				       "> read 5 0 4\n"
				       "= read hit five\n"
				       "> read 6 0 3\n"
				       "= read miss \n"},
	{"unsolicited-body", KNOWN "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nevil555555)\n"
				   "S: * 1 FETCH (BODY[] {10}\\r\\nevil555555 UID 5)\n"
				   "S: * 1 FETCH (BODY[] {10}\\r\\nevil555555)\n"
				   "S: * 1 FETCH (UID 5 BODY[] \"evil\")\n"
				   "> sync\n"
				   "C: A6 NOOP\n"
				   "S: A6 OK done\n"
				   "= done sync ok\n"
				   "> read 5 0 10\n"
				   "= read miss \n"},
	{"body-of-nobody-knows-what",
		/* It may not stand in the way of the next. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * 9 FETCH (BODY[] {10}\\r\\nwhose99999)\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit 0123456789\n"},
	{"range-longer-than-asked",
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<0> {65537}\\r\\n\n"
		      "@bytes 65537\n"
		      "S: )\n"
		      "S: A6 OK done\n"
		      "C: A7 NOOP\n"
		      "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: A7 OK done\n"
		      "S: A8 OK done\n"
		      "= done body 5 0 10 IO *does not answer*\n"},
	{"range-longer-than-asked-behind-the-start",
		/* None of it is kept, and the message is asked for in the other form. */
		LARGE "> body 5 131072 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<131072.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<131072> {65537}\\r\\n\n"
		      "@bytes 65537\n"
		      "S: )\n"
		      "S: A6 OK done\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"},
	{"body-nil", KNOWN "> body 5 0 10\n"
			   "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
			   "S: * 1 FETCH (UID 5 BODY[] NIL)\n"
			   "S: A6 OK done\n"
			   "C: A7 NOOP\n"
			   "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
			   "S: A7 OK done\n"
			   "S: * 1 FETCH (UID 5 BODY[] NIL)\n"
			   "S: A8 OK done\n"
			   "= done body 5 0 10 IO *\n"
			   "> message 5\n"
			   "= message 5: known size 10\n"},
	{"body-empty-of-a-message-with-a-size",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * 1 FETCH (UID 5 BODY[] {0}\\r\\n)\n"
		      "S: A6 OK done\n"
		      "C: A7 NOOP\n"
		      "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A7 OK done\n"
		      "S: * 1 FETCH (UID 5 BODY[] \"\")\n"
		      "S: A8 OK done\n"
		      "= done body 5 0 10 IO *\n"},
	{"body-of-another-section",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * 1 FETCH (UID 5 BODY[HEADER] {4}\\r\\nhead BODY[]<4> {4}\\r\\npart)\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit 0123456789\n"},
	{"body-quoted", KNOWN "> body 5 0 10\n"
			      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
			      "S: * 1 FETCH (UID 5 BODY[] \"0123456789\")\n"
			      "= done body 5 0 10 ok\n"
			      "> read 5 0 10\n"
			      "= read hit 0123456789\n"},
	{"body-longer-than-its-size", KNOWN "> body 5 0 10\n"
					    "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
					    "S: * 1 FETCH (UID 5 BODY[] {12}\\r\\n0123456789ab)\n"
					    "= message 5 changed, size\n"
					    "= sizes distrusted\n"
					    "= done body 5 0 10 ok\n"
					    "> message 5\n"
					    "= message 5: known verified size 12\n"
					    "S: A6 OK done\n"
					    "> attributes 6\n"
					    "C: A7 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"
					    "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\n0123456789)\n"
					    "= done attributes 6 ok\n"
					    "> message 6\n"
					    "= message 6: known verified size 10\n"},
	{"body-shorter-than-its-size", KNOWN "> body 5 0 10\n"
					     "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
					     "S: * 1 FETCH (UID 5 BODY[] {3}\\r\\n012)\n"
					     "= message 5 changed, size\n"
					     "= sizes distrusted\n"
					     "= done body 5 0 10 ok\n"
					     "> read 5 0 10\n"
					     "= read hit 012\n"},
	{"size-zero-is-found-out",
		SYNC "> attributes 5\n"
		     "C: A5 UID FETCH 5:7 " ITEMS
		     "\n" ATTRIBUTES("1", "5", "0") ATTRIBUTES("2", "6", "10") ATTRIBUTES(
			     "3", "7", "10") "S: A5 OK done\n"
					     "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
					     "S: * 1 FETCH (UID 5 BODY[] {3}\\r\\n012)\n"
					     "= *\n"},
	{"fetch-refused",
		/* Together first, then each alone: only the one that is bad fails. */
		KNOWN "> together body 5 0 10; body 6 0 10\n"
		      "C: A6 UID FETCH 5:6 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A6 NO one of them is broken\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "C: A8 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A7 NO this one\n"
		      "= done body 5 0 10 IO *this one*\n"
		      "S: * 2 FETCH (UID 6 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 6 0 10 ok\n"
		      "S: A8 OK done\n"},
	{"expunge-within-fetch", KNOWN "> together body 5 0 10; body 7 0 10\n"
				       "C: A6 UID FETCH 5,7 (UID INTERNALDATE BODY.PEEK[])\n"
				       "S: * 2 EXPUNGE\n"
				       "= names changed, gone: 6\n"
				       "S: * 2 FETCH (BODY[] {10}\\r\\nseven77777)\n"
				       "= done body 7 0 10 ok\n"
				       "S: * 1 FETCH (BODY[] {10}\\r\\nfive555555)\n"
				       "= done body 5 0 10 ok\n"
				       "S: A6 OK done\n"
				       "> message 6\n"
				       "= message 6: absent*\n"},
	{"connection-lost-and-tried-again", KNOWN
		"> body 5 0 10\n"
		"C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		"S:+ * 1 FETCH (UID 5 BODY[] {10}\\r\\n01234\n"
		"@close\n" RECONNECT(
			"A1") "C: A13 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n" EXAMINE("A12",
			"1") "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
			     "= done body 5 0 10 ok\n"
			     "S: A13 OK done\n"
			     "> read 5 0 10\n"
			     "= read hit 0123456789\n"},
	{"connection-killed-by-a-command",
		/* Three times is enough. */
		KNOWN
		"> body 5 0 10\n"
		"C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		"@close\n" RECONNECT(
			"A1") "C: A13 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n" EXAMINE("A12",
			"1") "@close\n" RECONNECT("A2") "C: A23 UID FETCH 5 (UID "
							"INTERNALDATE BODY.PEEK[])\n" EXAMINE("A22",
								"1") "@close\n"
								     "= done body 5 0 10 *\n"},
	{"connection-lost-within-attributes", SYNC
		"> attributes 5\n"
		"C: A5 UID FETCH 5:7 " ITEMS "\n" ATTRIBUTES("2", "6", "10") "@close\n" RECONNECT(
			"A1") "C: A13 UID FETCH 5* " ITEMS "\n" EXAMINE("A12", "1")
			ATTRIBUTES("1", "5", "10") "= done attributes 5 ok\n"},
	{"walk-goes-on-after-a-lost-connection",
		/* What was read ahead is read ahead again, in one command. */
		WALK "@close\n"
		     "> body 4 0 10\n" RECONNECT("A1") "C: A13 UID FETCH 4 *\n"
						       "C: A14 UID FETCH 5:9 *\n"
						       "@close\n" RECONNECT(
							       "A2") "C: A23 UID FETCH 4 *\n"
								     "> sync\n"
								     "C: A24 UID SEARCH *\n"},
	{"walk-goes-on-after-the-server-was-away", WALK
		"@close\n"
		"> body 4 0 10\n"
		"@accept\n"
		"@close\n"
		"= done body 4 0 10 OFFLINE *\n" BACK("@accept", "A1") "> turn\n"
								       "= turned\n"
								       "> body 5 0 10\n"
								       "C: A12 EXAMINE \"INBOX\"\n"
								       "C: A13 UID FETCH 5 *\n"
								       "C: A14 UID FETCH 6:9 *\n"},
	{"whole-ones-share-by-their-size",
		/* Sizes that are not believed still say how much one command would carry. */
		ASK_ALL ATTRIBUTES("1", "5", "10") ATTRIBUTES("2", "6", "700000") ATTRIBUTES(
			"3", "7", "700000") "S: A5 OK done\n"
					    "= done attributes 5 ok\n"
					    "= done attributes 7 ok\n"
					    "> body 5 0 10\n"
					    "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
					    "S: * 1 FETCH (UID 5 BODY[] {3}\\r\\n012)\n"
					    "= message 5 changed, size\n"
					    "= sizes distrusted\n"
					    "= done body 5 0 10 ok\n"
					    "S: A6 OK done\n"
					    "> together attributes 6; attributes 7\n"
					    "C: A7 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"
					    "C: A8 UID FETCH 7 (UID INTERNALDATE BODY.PEEK[])\n"},
	{"whole-one-that-cannot-be-kept",
		/* More than was announced, and more than there is room for: its length is known
		 * then, and ranges of it can be had. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S:+ * 1 FETCH (UID 5 BODY[] {70000000}\\r\\n\n"
		      "@bytes 70000000\n"
		      "S: )\n"
		      "= message 5 changed, size\n"
		      "= sizes distrusted\n"
		      "S: A6 OK done\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<0> {65536}\\r\\n\n"
		      "@bytes 65536\n"
		      "S: )\n"
		      "= done body 5 0 10 ok\n"
		      "> message 5\n"
		      "= message 5: known verified size 70000000\n"},
	{"range-of-another-origin",
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<100> {4}\\r\\nevil)\n"
		      "S: A6 OK done\n"
		      "C: A7 NOOP\n"
		      "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: A7 OK done\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<0> {65536}\\r\\n\n"
		      "@bytes 65536\n"
		      "S: )\n"
		      "= done body 5 0 10 ok\n"
		      "S: A8 OK done\n"
		      "> read 5 65530 6\n"
		      "= read hit xxxxxx\n"
		      "> read 5 65536 1\n"
		      "= read miss \n"},
	{"range-that-ends-early",
		/* The announced size was too large: two answers that agree show the end. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> {5}\\r\\nshort)\n"
		      "S: A6 OK done\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<5.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<5> {0}\\r\\n)\n"
		      "= message 5 changed, size\n"
		      "= sizes distrusted\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit short\n"},
	{"range-longer-than-announced",
		/* What comes behind the announced end shows that the size is wrong, not how wrong.
		 */
		SYNC "> attributes 5\n"
		     "C: A5 UID FETCH 5:7 " ITEMS "\n" ATTRIBUTES("1", "5",
			     "140000") "S: A5 OK done\n"
				       "= done attributes 5 ok\n"
				       "> body 5 131072 10\n"
				       "C: A6 UID FETCH 5 (UID INTERNALDATE "
				       "BODY.PEEK[]<131072.131072>)\n"
				       "S:+ * 1 FETCH (UID 5 BODY[]<131072> {131072}\\r\\n\n"
				       "@bytes 131072\n"
				       "S: )\n"
				       "S: A6 OK done\n"
				       "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
				       "S:+ * 1 FETCH (UID 5 BODY[] {300000}\\r\\n\n"
				       "@bytes 300000\n"
				       "S: )\n"
				       "= message 5 changed, size\n"
				       "= sizes distrusted\n"
				       "= done body 5 131072 10 ok\n"},
	{"range-cut-short-once",
		/* One answer that is shorter than asked is no end. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> {5}\\r\\nshort)\n"
		      "S: A6 OK done\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<5.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<5> {65536}\\r\\n\n"
		      "@bytes 65536\n"
		      "S: )\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 0 10\n"
		      "= read hit shortxxxxx\n"},
	{"range-cut-short-once-without-a-size",
		/* Nor is it where the server told no size: the next answer goes on. */
		SYNC "> body 5 0 10\n"
		     "C: A5 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		     "S: * 1 FETCH (UID 5 BODY[]<0> {5}\\r\\nshort)\n"
		     "S: A5 OK done\n"
		     "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<5.65536>)\n"
		     "S: * 1 FETCH (UID 5 BODY[]<5> {5}\\r\\n56789)\n"
		     "= done body 5 0 10 ok\n"
		     "S: A6 OK done\n"
		     "> read 5 0 10\n"
		     "= read hit short56789\n"
		     "> body 5 0 20\n"
		     "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<10.65536>)\n"
		     "S: * 1 FETCH (UID 5 BODY[]<10> {0}\\r\\n)\n"
		     "= done body 5 0 20 ok\n"
		     "> read 5 0 20\n"
		     "= read hit short56789\n"},
	{"range-answered-by-nothing",
		/* Neither "" nor NIL makes an empty file of a large message. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> {0}\\r\\n)\n"
		      "S: A6 OK done\n"
		      "C: A7 NOOP\n"
		      "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S: A7 OK done\n"
		      "S: * 1 FETCH (UID 5 BODY[]<0> NIL)\n"
		      "S: A8 OK done\n"
		      "= done body 5 0 10 IO *does not answer*\n"
		      "> message 5\n"
		      "= message 5: known size 300000\n"},
	{"range-answered-by-all",
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[] {300000}\\r\\n\n"
		      "@bytes 300000\n"
		      "S: )\n"
		      "= done body 5 0 10 ok\n"
		      "> read 5 299999 10\n"
		      "= read hit x\n"
		      "> message 5\n"
		      "= message 5: known verified size 300000\n"},
	{"range-cut-off-by-the-connection",
		/* Nothing of it is believed: the end of the stream is not the end of the body. */
		LARGE "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]<0.65536>)\n"
		      "S:+ * 1 FETCH (UID 5 BODY[]<0> {65536}\\r\\nevil\n"
		      "@close\n" RECONNECT("A1") "C: A13 UID FETCH 5 *\n"
						 "> read 5 0 4\n"
						 "= read miss \n"},
	{"attributes-left-out", SYNC "> attributes 5\n"
				     "C: A5 UID FETCH 5:7 " ITEMS "\n"
				     "S: A5 OK done\n"
				     "C: A6 UID FETCH 5 " ITEMS "\n"
				     "S: A6 OK done\n"
				     "= done attributes 5 IO *does not answer*\n"},
	{"stop-with-requests-under-way",
		KNOWN "> together body 5 0 10; body 6 0 10; sync; attributes 99\n"
		      "= done attributes 99 NOT_FOUND *\n"
		      "C: A6 NOOP\n"
		      "C: A7 UID FETCH 5:6 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S:+ * 1 FETCH (UID 5 BODY[] {10}\\r\\n01234\n"
		      "> stop\n"
		      "= done * CANCELLED *\n"
		      "= done * CANCELLED *\n"
		      "= done * CANCELLED *\n"},
	{"stop-with-attributes-under-way", SYNC "> attributes 5\n"
						"C: A5 UID FETCH 5:7 " ITEMS "\n"
						"> stop\n"
						"= done attributes 5 CANCELLED *\n"},
	{"stop-within-sync", START "= done start ok\n"
				   "> sync\n"
				   "C: A2 EXAMINE \"INBOX\"\n"
				   "C: A3 UID SEARCH *\n"
				   "> stop\n"
				   "= done sync CANCELLED *\n"},
	{"stop-before-login", "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n"
			      "C: A1 AUTHENTICATE *\n"
			      "> stop\n"
			      "= done start CANCELLED *\n"},
	{"silence",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "> turn\n"
		      "= turned\n"
		      "> later 2\n"
		      "= done body 5 0 10 TIMEOUT *\n"
		      "@eof\n"
		      "> body 5 0 10\n"
		      "= done body 5 0 10 TIMEOUT *\n"
		      "> later 2\n"
		      "> body 5 0 10\n"
		      "= done body 5 0 10 OFFLINE *\n",
		SHORT_MS},
	{"silence-in-the-login",
		"S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n"
		"C: A1 AUTHENTICATE PLAIN *\n"
		"> turn\n"
		"= turned\n"
		"> later 2\n"
		"= done start TIMEOUT *\n",
		SHORT_MS},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine", scripts, G_N_ELEMENTS(scripts));
}
