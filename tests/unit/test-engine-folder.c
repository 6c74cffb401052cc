/* Mailboxes are made, deleted and renamed, against scripted servers: what is sent, when it is
 * refused, and what becomes of it when the connection goes at any point. Rights and quota, too. */
#include "engine-fixture.h"

#define LINE(name) "S: * LIST () \"/\" " name "\n"
#define LIST_OF(tag, lines) "C: " tag " LIST *\n" LINE("INBOX") lines "S: " tag " OK done\n"

#define BEGIN START "= done start ok\n"
#define BEGIN_WITH(caps, lines)                                                                    \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH " caps                                         \
	"] hi\n" LIST_OF("A1", lines) "= done start ok\n"

/* Where the connection is lost: the next one is there, and lists these. */
#define LOST_TO(lines)                                                                             \
	"@close\n"                                                                                 \
	"@accept\n"                                                                                \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n" LIST_OF("A91", lines)

#define HELD(lines)                                                                                \
	"> mailboxes\n"                                                                            \
	"= mailboxes INBOX" lines "\n"

#define BEGIN_WITH_QUOTA                                                                           \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS QUOTA] hi\n"                           \
	"C: A1 LIST *\n"                                                                           \
	"C: A2 GETQUOTAROOT \"INBOX\"\n" LINE("INBOX")                                             \
		LINE("Other") "S: A1 OK done\n"                                                    \
			      "= done start ok\n"                                                  \
			      "S: * QUOTA \"\" (STORAGE 10 512)\n"                                 \
			      "S: A2 OK done\n"

/* ---- CREATE ---- */

#define CREATE                                                                                     \
	"> create New\n"                                                                           \
	"C: A2 CREATE \"New\"\n"
#define CREATED CREATE "S: A2 OK done\n"
#define MADE LINE("New") LINE("Other")

#define REFUSED(tag, answer, error)                                                                \
	"> create New\n"                                                                           \
	"C: " tag " CREATE \"New\"\n"                                                              \
	"S: " tag " " answer "\n"                                                                  \
	"= done create New " error " CREATE: the server says: *\n"

/* ---- DELETE ---- */

#define DELETE_ASKED                                                                               \
	"> delete Other\n"                                                                         \
	"C: A2 STATUS \"Other\" (MESSAGES)\n"
#define DELETE                                                                                     \
	DELETE_ASKED                                                                               \
	"S: * STATUS Other (MESSAGES 0)\n"                                                         \
	"S: A2 OK done\n"                                                                          \
	"C: A3 DELETE \"Other\"\n"
#define DELETED DELETE "S: A3 OK done\n"

/* Other is selected, and was listed. */
#define LOOKED_AT(caps)                                                                            \
	BEGIN_WITH(caps, LINE("Other"))                                                            \
	"> sync Other\n"                                                                           \
	"C: A2 EXAMINE \"Other\"\n" SEARCHES("A3", "A4") EXAMINE("A2", "1")                        \
		SEARCHED("A3", "A4", "5:7") "= done sync Other ok\n"

#define KNOWN_IN(mailbox)                                                                          \
	"> generation " mailbox "\n"                                                               \
	"> together attributes 5; attributes 7\n"                                                  \
	"C: A5 UID FETCH 5:7 " ITEMS "\n" ATTRIBUTES("1", "5", "10") ALL_ASKED

/* ---- RENAME ---- */

#define RENAME_ASKED                                                                               \
	"> rename Other New\n"                                                                     \
	"C: A2 LSUB \"\" \"*\"\n"
#define RENAME                                                                                     \
	RENAME_ASKED                                                                               \
	"S: * LSUB () \"/\" INBOX\n"                                                               \
	"S: * LSUB () \"/\" Other\n"                                                               \
	"S: A2 OK done\n"                                                                          \
	"C: A3 RENAME \"Other\" \"New\"\n"
#define RENAMED RENAME "S: A3 OK done\n"

#define RIGHTS(letters)                                                                            \
	BEGIN_WITH("ACL", LINE("Other"))                                                           \
	"> sync Other\n"                                                                           \
	"C: A2 EXAMINE \"Other\"\n"                                                                \
	"C: A3 MYRIGHTS \"Other\"\n" SEARCHES("A4", "A5") EXAMINE(                                 \
		"A2", "1") "S: * MYRIGHTS Other " letters "\n"                                     \
			   "S: A3 OK done\n" SEARCHED("A4", "A5", "5:7") "= done sync Other ok\n"

static const Script scripts[] = {
	/* ---- CREATE ---- */

	{"create",
		/* Who is told of it knows it. */
		BEGIN CREATED "C: A3 SUBSCRIBE \"New\"\n" LIST_OF(
			"A4", MADE) "S: A3 OK done\n"
				    "= done create New ok\n" HELD(" New Other")},
	{"create-leaves-the-others-as-they-are",
		/* They need not be selected anew, and their names hold. */
		LOOKED_AT("") "> create New\n"
			      "C: A5 CREATE \"New\"\n"
			      "S: A5 OK done\n"
			      "C: A6 SUBSCRIBE \"New\"\n"
			      "S: A6 OK done\n" LIST_OF("A7", MADE) "= done create New ok\n"
								    "> sync Other\n"
								    "C: A8 NOOP\n"},
	{"create-beside-a-change-of-somebody-else",
		/* Then any name may be another mailbox's. */
		LOOKED_AT("") "> create New\n"
			      "C: A5 CREATE \"New\"\n"
			      "S: A5 OK done\n"
			      "C: A6 SUBSCRIBE \"New\"\n"
			      "S: A6 OK done\n" LIST_OF(
				      "A7", MADE LINE("More")) "= names doubted\n"
							       "= done create New ok\n"
							       "C: A8 EXAMINE \"Other\"\n"},
	{"create-beside-a-deletion-of-somebody-else",
		LOOKED_AT("") "> create New\n"
			      "C: A5 CREATE \"New\"\n"
			      "S: A5 OK done\n"
			      "C: A6 SUBSCRIBE \"New\"\n"
			      "S: A6 OK done\n" LIST_OF("A7", LINE("New") "S: * LIST "
									  "(\\\\Noselect) \"/\" "
									  "Other\n") "= names "
										     "doubted\n"
										     "= done "
										     "create "
										     "New ok\n"},
	{"listing-that-nobody-changed",
		/* Mailboxes may come and go between two answers that are alike but for this. */
		LOOKED_AT("") "> later 61\n"
			      "C: A5 LIST *\n" LINE(
				      "INBOX") "S: * LIST (\\\\HasChildren) \"/\" Other\n"
					       "S: A5 OK done\n"
					       "= names doubted\n"},
	{"create-without-subscription",
		/* That it is refused is no reason to fail. */
		BEGIN CREATED "C: A3 SUBSCRIBE \"New\"\n"
			      "S: A3 NO [NOPERM] never\n" LIST_OF(
				      "A4", MADE) "= done create New ok\n" HELD(" New Other")},
	{"create-what-is-there", BEGIN "> create Other\n"
				       "= done create Other EXISTS *\n"
				       "> create inbox\n"
				       "= done create inbox EXISTS *\n"
				       "@quiet\n"},
	{"create-what-cannot-be-selected",
		/* RFC 3501 6.3.3 would refuse an existing one; this has only those below it. */
		BEGIN_WITH("", "S: * LIST (\\\\Noselect) \"/\" New\n" LINE("New/below")) CREATED
		"C: A3 SUBSCRIBE \"New\"\n"
		"S: A3 OK done\n" LIST_OF(
			"A4", LINE("New") LINE("New/below")) "= done create New ok\n"},
	{"create-refused",
		BEGIN REFUSED("A2", "NO [ALREADYEXISTS] it is there", "EXISTS") REFUSED("A3",
			"NO [NOPERM] no", "ACCESS") REFUSED("A4", "NO [OVERQUOTA] no", "QUOTA")
			REFUSED("A5", "NO [LIMIT] no", "LIMIT") REFUSED(
				"A6", "NO [CANNOT] no", "INVALID") REFUSED("A7", "NO no", "IO")
				REFUSED("A8", "BAD no", "IO") REFUSED("A9", "NO [UNAVAILABLE] no",
					"UNAVAILABLE") REFUSED("A10", "NO [INUSE] no", "BUSY")
					REFUSED("A11", "NO [READ-ONLY] no", "READ_ONLY")
						HELD(" Other") "@quiet\n"},
	{"create-keeps-its-name-together", BEGIN "> create a\"\\r\n"
						 "C: A2 CREATE \"a\\\\\"\\\\\\\\r\"\n"},
	{"create-without-a-name", BEGIN "> create \n"
					"= done create  INVALID *\n"
					"@quiet\n"},
	{"create-what-folders-hides",
		BEGIN_WITH("", LINE("Other")) "> create New\n"
					      "= done create New DENIED *\n"
					      "@quiet\n",
		.folders = "INBOX:Other"},
	{"create-in-a-listing-of-subscriptions",
		/* The listing knows of it only behind its subscription. */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n"
		"C: A1 LSUB *\n"
		"S: * LSUB () \"/\" INBOX\n"
		"S: A1 OK done\n"
		"= done start ok\n" CREATED "C: A3 SUBSCRIBE \"New\"\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n"
		"> later 61\n"
		"C: A4 LSUB *\n"
		"S: A3 OK done\n"
		"S: * LSUB () \"/\" INBOX\n"
		"S: A4 OK done\n"
		"C: A5 LSUB *\n"
		"S: * LSUB () \"/\" INBOX\n"
		"S: * LSUB () \"/\" New\n"
		"S: A5 OK done\n"
		"= done create New ok\n" HELD(" New"),
		.subscribed = true, .timeout_ms = 300000},
	{"create-lost-and-done",
		BEGIN CREATE LOST_TO(MADE) "C: A92 SUBSCRIBE \"New\"\n"
					   "S: A92 OK done\n"
					   "= done create New ok\n" HELD(" New Other")},
	{"create-lost-and-not-done",
		/* Nobody knows what the server would do with a second one. */
		BEGIN CREATE LOST_TO(LINE("Other")) "= done create New UNAVAILABLE *\n" HELD(
			" Other") "@quiet\n"},
	{"create-lost-by-a-reset",
		/* That the connection broke says nothing of the mailbox. */
		BEGIN CREATE "@reset\n"
			     "@accept\n"
			     "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n" LIST_OF(
				     "A91", LINE("Other")) "= done create New UNAVAILABLE *\n"},
	{"create-lost-behind-its-answer",
		BEGIN CREATED "C: A3 SUBSCRIBE \"New\"\n" LOST_TO(
			MADE) "C: A92 SUBSCRIBE \"New\"\n"
			      "S: A92 OK done\n"
			      "= done create New ok\n" HELD(" New Other")},
	{"create-lost-before-the-listing", BEGIN CREATED
		"C: A3 SUBSCRIBE \"New\"\n"
		"S: A3 OK done\n"
		"C: A4 LIST *\n" LOST_TO(MADE) "= done create New ok\n" HELD(" New Other")},
	{"create-whose-listing-is-refused", BEGIN CREATED "C: A3 SUBSCRIBE \"New\"\n"
							  "S: A3 OK done\n"
							  "C: A4 LIST *\n"
							  "S: A4 NO not now\n"
							  "= done create New IO *\n"},
	{"create-behind-a-listing",
		/* Its answer is of before, whenever it comes; and none is asked for meanwhile: one
		 * does for all who want to know. */
		BEGIN "> later 61\n"
		      "C: A2 LIST *\n"
		      "> create New\n"
		      "> turn\n"
		      "= turned\n"
		      "@quiet\n" LINE("INBOX") LINE(
			      "Other") "S: A2 OK done\n"
				       "C: A3 CREATE \"New\"\n"
				       "> sync\n"
				       "C: A4 EXAMINE \"INBOX\"\n" SEARCHES("A5",
					       "A6") "S: A4 NO what is that\n"
						     "S: A5 BAD no\n"
						     "S: A6 BAD no\n"
						     "> turn\n"
						     "= turned\n"
						     "@quiet\n"
						     "S: A3 OK done\n"
						     "C: A7 SUBSCRIBE \"New\"\n"
						     "S: A7 OK done\n" LIST_OF("A8",
							     MADE) "= done create New ok\n"
								   "C: A9 EXAMINE \"INBOX\"\n"},
	{"create-one-after-the-other",
		BEGIN "> together create New; create New; create more\n"
		      "C: A2 CREATE \"New\"\n"
		      "S: A2 OK done\n"
		      "C: A3 SUBSCRIBE \"New\"\n"
		      "S: A3 OK done\n" LIST_OF("A4", MADE) "= done create New ok\n"
							    "= done create New EXISTS *\n"
							    "C: A5 CREATE \"more\"\n"},
	{"create-offline",
		/* At once, and nothing is left of it. */
		"S: HTTP/1.1 200 OK\n"
		"= done start other *no IMAP server*\n"
		"> create New\n"
		"= done create New OFFLINE *\n"
		"> delete Other\n"
		"= done delete Other OFFLINE *\n",
		.known = {"5:7", 1, 8, 0, 10}},
	{"create-without-an-answer",
		BEGIN CREATE "> turn\n"
			     "= turned\n"
			     "> later 3\n"
			     "= done create New TIMEOUT *\n"
			     "@accept\n"
			     "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n" LIST_OF(
				     "A91", MADE) "C: A92 SUBSCRIBE \"New\"\n"
						  "S: A92 OK done\n" HELD(" New Other"),
		.timeout_ms = 2000},
	{"read-only",
		BEGIN "> create New\n"
		      "= done create New READ_ONLY *\n"
		      "> delete Other\n"
		      "= done delete Other READ_ONLY *\n"
		      "> rename Other New\n"
		      "= done rename Other New READ_ONLY *\n"
		      "@quiet\n",
		.read_only = true},

	/* ---- DELETE ---- */

	{"delete", BEGIN DELETED
		"C: A4 UNSUBSCRIBE \"Other\"\n"
		"S: A4 NO it was not\n" LIST_OF("A5", "") "= done delete Other ok\n" HELD("")},
	{"delete-inbox", BEGIN "> delete INBOX\n"
			       "= done delete INBOX BUSY *\n"
			       "@quiet\n"},
	{"delete-unknown", BEGIN "> delete Nothing\n"
				 "= done delete Nothing NOT_FOUND *\n"
				 "@quiet\n"},
	{"delete-with-messages",
		BEGIN DELETE_ASKED "S: * STATUS \"Other\" (MESSAGES 1)\n"
				   "S: A2 OK done\n"
				   "= done delete Other NOT_EMPTY *\n" HELD(" Other") "@quiet\n"},
	{"delete-uncounted",
		/* What another mailbox holds says nothing. */
		BEGIN DELETE_ASKED "S: * STATUS Other (UIDNEXT 1)\n"
				   "S: * STATUS INBOX (MESSAGES 0)\n"
				   "S: A2 OK done\n"
				   "= done delete Other IO *\n"
				   "@quiet\n"},
	{"delete-uncounted-after-a-refusal",
		BEGIN DELETE_ASKED "S: A2 NO [NONEXISTENT] it is gone\n"
				   "= done delete Other NOT_FOUND *\n"
				   "@quiet\n"},
	{"delete-with-mailboxes-below",
		BEGIN_WITH("", LINE("Other") LINE("Other/below")
				       LINE("Others")) "> delete Other\n"
						       "= done delete Other NOT_EMPTY *\n"
						       "@quiet\n"
						       "> delete Other/below\n"
						       "C: A2 STATUS \"Other/below\" (MESSAGES)\n"},
	{"delete-with-names-below",
		/* Somebody subscribed to what is no more (RFC 5258). */
		BEGIN_WITH("",
			LINE("Other") "S: * LIST (\\\\NonExistent) \"/\" Other/gone\n") "> delete "
											"Other\n"
											"C: A2 "
											"STATUS "
											"\"Other\" "
											"(MESSAGES)"
											"\n"},
	{"delete-with-mailboxes-that-are-not-shown",
		BEGIN_WITH("", "S: * LIST (\\\\HasChildren) \"/\" Other\n" LINE(
				       "Other/below")) "> delete Other\n"
						       "= done delete Other NOT_EMPTY *\n"
						       "@quiet\n",
		.folders = "Other"},
	{"delete-what-cannot-be-selected",
		BEGIN_WITH(
			"", "S: * LIST (\\\\Noselect) \"/\" Other\n") "> delete Other\n"
								      "C: A2 DELETE \"Other\"\n"},
	{"delete-refused", BEGIN DELETE "S: A3 NO [HASCHILDREN] there are some\n"
					"= done delete Other NOT_EMPTY *\n"
					"> delete Other\n"
					"C: A4 STATUS \"Other\" (MESSAGES)\n"
					"S: * STATUS Other (MESSAGES 0)\n"
					"S: A4 OK done\n"
					"C: A5 DELETE \"Other\"\n"
					"S: A5 NO [NOPERM] no\n"
					"= done delete Other ACCESS *\n" HELD(" Other") "@quiet\n"},
	{"delete-what-is-selected",
		LOOKED_AT("UNSELECT") "> delete Other\n"
				      "C: A5 UNSELECT\n"
				      "> turn\n"
				      "= turned\n"
				      "@quiet\n"
				      "S: A5 OK done\n"
				      "C: A6 STATUS \"Other\" (MESSAGES)\n"
				      "S: * STATUS Other (MESSAGES 0)\n"
				      "S: A6 OK done\n"
				      "C: A7 DELETE \"Other\"\n"
				      /* Who looks meanwhile waits for what becomes of it. */
				      "> sync Other\n"
				      "> turn\n"
				      "= turned\n"
				      "@quiet\n"
				      "S: A7 OK done\n"
				      "C: A8 UNSUBSCRIBE \"Other\"\n"},
	{"delete-what-is-selected-without-unselect",
		/* CLOSE would expunge. */
		LOOKED_AT("") "> delete Other\n"
			      "C: A5 EXAMINE \"INBOX\"\n" EXAMINE(
				      "A5", "1") "C: A6 STATUS \"Other\" (MESSAGES)\n"
						 "S: * STATUS Other (MESSAGES 1)\n"
						 "S: A6 OK done\n"
						 "= done delete Other NOT_EMPTY *\n"
						 "> sync Other\n"
						 "C: A7 EXAMINE \"Other\"\n"},
	{"delete-what-is-read",
		/* What is under way comes to its end; what comes meanwhile waits. */
		LOOKED_AT("UNSELECT") "> generation Other\n"
				      "> together attributes 5; attributes 7\n"
				      "C: A5 UID FETCH 5:7 " ITEMS "\n" ATTRIBUTES("1", "5", "10")
					      ATTRIBUTES("2", "6", "10") ATTRIBUTES("3", "7",
						      "10") "S: A5 OK done\n"
							    "= done attributes 5 ok\n"
							    "= done attributes 7 ok\n"
							    "> body 5 0 10\n"
							    "C: A6 UID FETCH 5 *\n"
							    "> delete Other\n"
							    "> turn\n"
							    "= turned\n"
							    "> body 6 0 10\n"
							    "> turn\n"
							    "= turned\n"
							    "@quiet\n"
							    "S: * 1 FETCH (UID 5 BODY[] "
							    "{10}\\r\\n0123456789)\n"
							    "= done body 5 0 10 ok\n"
							    "S: A6 OK done\n"
							    "C: A7 UNSELECT\n"
							    "S: A7 OK done\n"
							    "C: A8 STATUS \"Other\" (MESSAGES)\n"
							    "S: * STATUS Other (MESSAGES 3)\n"
							    "S: A8 OK done\n"
							    "= done delete Other NOT_EMPTY *\n"
							    "C: A9 EXAMINE \"Other\"\n"},
	{"delete-that-nobody-waits-for",
		/* It was not begun, and is not when there would be time for it. */
		LOOKED_AT("UNSELECT") "> generation Other\n"
				      "> attributes 5\n"
				      "C: A5 UID FETCH *\n"
				      "> delete Other\n"
				      "> turn\n"
				      "= turned\n"
				      "> later 3\n"
				      "= done attributes 5 TIMEOUT *\n"
				      "= done delete Other TIMEOUT *\n" ATTRIBUTES(
					      "1", "5", "10") "S: A5 OK done\n"
							      "> create New\n"
							      "C: A6 CREATE \"New\"\n",
		.timeout_ms = 2000},
	{"delete-and-forget",
		/* Nobody asks for the mailbox that was looked at last any more. */
		LOOKED_AT("UNSELECT IDLE") "> delete Other\n"
					   "C: A5 UNSELECT\n"
					   "S: A5 OK done\n"
					   "C: A6 STATUS *\n"
					   "S: * STATUS Other (MESSAGES 0)\n"
					   "S: A6 OK done\n"
					   "C: A7 DELETE \"Other\"\n"
					   "S: A7 OK done\n"
					   "C: A8 UNSUBSCRIBE \"Other\"\n"
					   "S: A8 OK done\n" LIST_OF(
						   "A9", "") "= names doubted\n"
							     "= done delete Other ok\n"
							     "> turn\n"
							     "= turned\n"
							     "> later 61\n"
							     "C: A10 LIST *\n"},
	{"delete-behind-what-was-asked-before",
		/* A message that is on its way there comes first, and keeps it; one that sets out
		 * meanwhile, too. */
		BEGIN_WITH("UIDPLUS MOVE",
			LINE("Other")) "> generation\n"
				       "> move 6 Other\n"
				       "= names changed, gone: 6\n"
				       "= done move 6 Other ok\n"
				       "> delete Other\n"
				       "C: A2 SELECT \"INBOX\"\n"
				       "S: * 3 EXISTS\n"
				       "S: * OK [UIDVALIDITY 1] valid\n"
				       "S: * OK [UIDNEXT 8] next\n"
				       "S: A2 OK [READ-WRITE] done\n"
				       "C: A3 STATUS \"Other\" (UIDNEXT UIDVALIDITY)\n"
				       "S: * STATUS Other (UIDNEXT 20 UIDVALIDITY 3)\n"
				       "S: A3 OK done\n"
				       "C: A4 UID MOVE 6 \"Other\"\n"
				       "> move 7 Other\n"
				       "= names changed, gone: 7\n"
				       "= done move 7 Other ok\n"
				       "> turn\n"
				       "= turned\n"
				       "@quiet\n"
				       "S: * OK [COPYUID 3 6 20] moved\n"
				       "S: A4 OK done\n"
				       "= ended move 6 ok 20\n"
				       "C: A5 STATUS \"Other\" (UIDNEXT UIDVALIDITY)\n"
				       "S: * STATUS Other (UIDNEXT 21 UIDVALIDITY 3)\n"
				       "S: A5 OK done\n"
				       "C: A6 UID MOVE 7 \"Other\"\n"
				       "S: * OK [COPYUID 3 7 21] moved\n"
				       "S: A6 OK done\n"
				       "= ended move 7 ok 21\n"
				       "C: A7 STATUS \"Other\" (MESSAGES)\n"
				       "S: * STATUS Other (MESSAGES 2)\n"
				       "S: A7 OK done\n"
				       "= done delete Other NOT_EMPTY *\n",
		.known = {"5:7", 1, 8}},
	{"delete-lost-while-it-was-left",
		LOOKED_AT("UNSELECT") "> delete Other\n"
				      "C: A5 UNSELECT\n" LOST_TO(
					      LINE("Other")) "C: A92 STATUS \"Other\" (MESSAGES)\n"
							     "S: * STATUS Other (MESSAGES 0)\n"
							     "S: A92 OK done\n"
							     "C: A93 DELETE \"Other\"\n"},
	{"delete-lost-while-asking",
		BEGIN DELETE_ASKED LOST_TO(LINE("Other")) "C: A92 STATUS \"Other\" (MESSAGES)\n"
							  "S: * STATUS Other (MESSAGES 0)\n"
							  "S: A92 OK done\n"
							  "C: A93 DELETE \"Other\"\n"},
	{"delete-lost-again-and-again",
		/* What ends three connections is left alone. */
		BEGIN DELETE_ASKED LOST_TO(LINE(
			"Other")) "C: A92 STATUS *\n"
				  "@close\n"
				  "@accept\n"
				  "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n" LIST_OF("A81",
					  LINE("Other")) "C: A82 STATUS *\n"
							 "@close\n"
							 "= done delete Other UNAVAILABLE *\n"},
	{"delete-lost-and-done", BEGIN DELETE LOST_TO("") "C: A92 UNSUBSCRIBE \"Other\"\n"
							  "S: A92 OK done\n"
							  "= done delete Other ok\n" HELD("")},
	{"delete-lost-and-a-name-is-left",
		BEGIN DELETE LOST_TO(
			"S: * LIST (\\\\Noselect) \"/\" Other\n") "C: A92 UNSUBSCRIBE \"Other\"\n"
								  "S: A92 OK done\n"
								  "= done delete Other ok\n"},
	{"delete-lost-and-not-done",
		BEGIN DELETE LOST_TO(LINE("Other")) "= done delete Other UNAVAILABLE *\n" HELD(
			" Other") "@quiet\n"},
	{"delete-lost-behind-its-answer", BEGIN DELETED
		"C: A4 UNSUBSCRIBE \"Other\"\n" LOST_TO("") "C: A92 UNSUBSCRIBE \"Other\"\n"
							    "S: A92 OK done\n"
							    "= done delete Other ok\n" HELD("")},
	{"delete-lost-before-the-listing",
		BEGIN DELETED "C: A4 UNSUBSCRIBE \"Other\"\n"
			      "S: A4 OK done\n"
			      "C: A5 LIST *\n" LOST_TO("") "= done delete Other ok\n" HELD("")},

	/* ---- RENAME ---- */

	{"rename",
		/* With all that is below it, subscriptions among it; not with its neighbour. */
		BEGIN_WITH("", LINE("Other") LINE("Other/a") LINE("Others")) RENAME_ASKED
		"S: * LSUB () \"/\" INBOX\n"
		"S: * LSUB () \"/\" Other\n"
		"S: * LSUB () \"/\" Other/a\n"
		"S: * LSUB () \"/\" Others\n"
		"S: A2 OK done\n"
		"C: A3 RENAME \"Other\" \"New\"\n"
		"S: A3 OK done\n"
		"C: A4 UNSUBSCRIBE \"Other\"\n"
		"C: A5 SUBSCRIBE \"New\"\n"
		"C: A6 UNSUBSCRIBE \"Other/a\"\n"
		"C: A7 SUBSCRIBE \"New/a\"\n" LIST_OF("A8",
			LINE("New") LINE("New/a")
				LINE("Others")) "S: A4 OK done\n"
						"S: A5 OK done\n"
						"S: A6 NO never was\n"
						"S: A7 OK done\n"
						"= done rename Other New ok\n" HELD(
							" New New/a Others")},
	{"rename-extended",
		/* RFC 5258 says it in one LIST. */
		BEGIN_WITH("LIST-EXTENDED",
			LINE("Other")) "> rename Other New\n"
				       "C: A2 LIST (SUBSCRIBED) \"\" \"*\"\n"
				       "S: * LIST (\\\\Subscribed) \"/\" INBOX\n"
				       "S: A2 OK done\n"
				       "C: A3 RENAME \"Other\" \"New\"\n"
				       "S: A3 OK done\n" LIST_OF(
					       "A4", LINE("New")) "= done rename Other New ok\n"},
	{"rename-without-subscriptions", BEGIN RENAME_ASKED
		"S: A2 NO what is that\n"
		"C: A3 RENAME \"Other\" \"New\"\n"
		"S: A3 OK done\n" LIST_OF("A4", LINE("New")) "= done rename Other New ok\n"},
	{"rename-keeps-the-messages",
		/* They are the same under the new name, as long as UIDVALIDITY is. */
		LOOKED_AT("UNSELECT") KNOWN_IN(
			"Other") "> rename Other New\n"
				 "C: A6 UNSELECT\n"
				 "S: A6 OK done\n"
				 "C: A7 LSUB \"\" \"*\"\n"
				 "S: A7 OK done\n"
				 "C: A8 RENAME \"Other\" \"New\"\n"
				 "S: A8 OK done\n"
				 "C: A9 LIST *\n"
				 /* Before it is known what the name is it would be selected twice.
				  */
				 "> sync Other\n"
				 "> turn\n"
				 "= turned\n"
				 "@quiet\n" LINE("INBOX") LINE(
					 "New") "S: A9 OK done\n"
						"= names doubted\n"
						"= done rename Other New ok\n"
						"C: A10 EXAMINE \"New\"\n" SEARCHES("A11",
							"A12") EXAMINE("A10", "1") SEARCHED("A11",
							"A12",
							"5:7") "= done sync Other ok\n"
							       "> message 5\n"
							       "= message 5: known size 10\n" HELD(
								       " New")},
	/* clang-format off */
	{"rename-of-what-is-to-be-changed",
		/* What is asked for meanwhile waits for the new name, and is of it from then on. */
		LOOKED_AT("UNSELECT UIDPLUS")
		"> generation Other\n"
		"> rename Other New\n"
		"C: A5 UNSELECT\n"
		"S: A5 OK done\n"
		"C: A6 LSUB \"\" \"*\"\n"
		"S: A6 OK done\n"
		"C: A7 RENAME \"Other\" \"New\"\n"
		"> together remove 6; append x Other; settle\n"
		"= names changed, gone: 6\n"
		"= done remove 6 ok\n"
		"= done append x Other ok\n"
		"> turn\n"
		"= turned\n"
		"@quiet\n"
		"S: A7 OK done\n"
		LIST_OF("A8", LINE("New"))
		"= names doubted\n"
		"= done rename Other New ok\n"
		"C: A9 STATUS \"New\" *\n"
		"C: A10 SELECT \"New\"\n"
		"> remove 6\n"
		"= done remove 6 STALE *\n"},
	/* clang-format on */
	{"rename-refused",
		BEGIN RENAME "S: A3 NO [ALREADYEXISTS] it is there\n"
			     "= done rename Other New EXISTS *\n"
			     "> rename Other New\n"
			     "C: A4 LSUB *\n"
			     "S: A4 OK done\n"
			     "C: A5 RENAME *\n"
			     "S: A5 NO [NONEXISTENT] it is gone\n"
			     "= done rename Other New NOT_FOUND *\n" HELD(" Other") "@quiet\n"},
	{"rename-refused-in-advance",
		BEGIN_WITH("",
			LINE("Other") LINE("there")) "> rename INBOX New\n"
						     "= done rename INBOX New BUSY *\n"
						     "> rename Other there\n"
						     "= done rename Other there EXISTS *\n"
						     "> rename Other Other/below\n"
						     "= done rename Other Other/below INVALID *\n"
						     "> rename Other Hidden\n"
						     "= done rename Other Hidden DENIED *\n"
						     "> rename Nothing New\n"
						     "= done rename Nothing New NOT_FOUND *\n"
						     "@quiet\n",
		.folders = "*:!Hidden"},
	{"rename-lost-while-asking",
		BEGIN RENAME_ASKED LOST_TO(LINE("Other")) "C: A92 LSUB *\n"
							  "S: A92 OK done\n"
							  "C: A93 RENAME \"Other\" \"New\"\n"},
	{"rename-lost-and-done",
		BEGIN RENAME LOST_TO(LINE("New")) "C: A92 UNSUBSCRIBE \"Other\"\n"
						  "C: A93 SUBSCRIBE \"New\"\n"
						  "S: A92 OK done\n"
						  "S: A93 OK done\n"
						  "= done rename Other New ok\n" HELD(" New")},
	{"rename-lost-and-not-done",
		BEGIN RENAME LOST_TO(LINE("Other")) "= done rename Other New UNAVAILABLE *\n" HELD(
			" Other") "@quiet\n"},
	{"rename-lost-and-nothing-is-left",
		BEGIN RENAME LOST_TO("") "= done rename Other New UNAVAILABLE *\n"},
	{"rename-lost-and-gone-on-with",
		/* It is the same mailbox, to who waits for it. */
		BEGIN RENAME "> sync Other\n" LOST_TO(LINE("New")) "C: A92 UNSUBSCRIBE \"Other\"\n"
								   "C: A93 SUBSCRIBE \"New\"\n"
								   "S: A92 OK done\n"
								   "S: A93 OK done\n"
								   "= done rename Other New ok\n"
								   "C: A94 EXAMINE \"New\"\n"},
	{"rename-lost-and-copied",
		/* Half done is not done. */
		BEGIN RENAME LOST_TO(
			LINE("New") LINE("Other")) "= done rename Other New UNAVAILABLE *\n"},
	{"rename-lost-behind-its-answer", BEGIN RENAMED
		"C: A4 UNSUBSCRIBE \"Other\"\n"
		"C: A5 SUBSCRIBE \"New\"\n"
		"S: A4 OK done\n" LOST_TO(LINE("New")) "C: A92 UNSUBSCRIBE \"Other\"\n"
						       "C: A93 SUBSCRIBE \"New\"\n"
						       "S: A92 NO it was not\n"
						       "S: A93 OK done\n"
						       "= done rename Other New ok\n" HELD(" New")},
	{"rename-lost-before-the-listing", BEGIN RENAMED
		"C: A4 UNSUBSCRIBE \"Other\"\n"
		"C: A5 SUBSCRIBE \"New\"\n"
		"S: A4 OK done\n"
		"S: A5 OK done\n"
		"C: A6 LIST *\n" LOST_TO(LINE("New")) "= done rename Other New ok\n" HELD(" New")},

	/* ---- rights ---- */

	{"rights-are-missing",
		/* What is below INBOX is not the business of Other. */
		RIGHTS("lrsi") "> delete Other\n"
			       "= done delete Other ACCESS *\n"
			       "> rename Other New\n"
			       "= done rename Other New ACCESS *\n"
			       "> create Other/below\n"
			       "= done create Other/below ACCESS *\n"
			       "@quiet\n"
			       "> create Other/below/it\n"
			       "C: A6 CREATE \"Other/below/it\"\n"},
	{"rights-of-before",
		/* RFC 2086: "c" was the right to create, delete and rename. */
		RIGHTS("lrswipcda") "> create Other/below\n"
				    "C: A6 CREATE \"Other/below\"\n"
				    "S: A6 NO no\n"
				    "= done create Other/below IO *\n"
				    "> delete Other\n"
				    "C: A7 *\n"},
	{"rights-of-long-before",
		/* RFC 2086 left it open whether "c" or "d" was the one to delete. */
		RIGHTS("lrswipad") "> create Other/below\n"
				   "= done create Other/below ACCESS *\n"
				   "> delete Other\n"
				   "C: A6 EXAMINE \"INBOX\"\n"},
	{"rights-of-today",
		/* RFC 4314 2.1.1: "c" stands beside "x" for those who know no better. */
		RIGHTS("lrswipxc") "> create Other/below\n"
				   "= done create Other/below ACCESS *\n"
				   "@quiet\n"},
	{"rights-are-asked-once",
		RIGHTS("lrswikxtea") "> sync INBOX\n"
				     "C: A6 EXAMINE \"INBOX\"\n"
				     "C: A7 MYRIGHTS \"INBOX\"\n" SEARCHES("A8", "A9")
					     EXAMINE("A6", "1") "S: A7 NO who knows\n" SEARCHED(
						     "A8", "A9", "5:7") "= done sync INBOX ok\n"
									"> sync Other\n"
									"C: A10 EXAMINE \"Other\"\n"
									"C: A11 UID SEARCH *\n"},
	{"rights-that-are-missing-are-asked-again",
		RIGHTS("lr") "> sync INBOX\n"
			     "C: A6 EXAMINE \"INBOX\"\n"
			     "C: A7 MYRIGHTS \"INBOX\"\n" SEARCHES("A8", "A9")
				     EXAMINE("A6", "1") "S: A7 BAD no\n" SEARCHED(
					     "A8", "A9", "5:7") "= done sync INBOX ok\n"
								"> sync Other\n"
								"C: A10 EXAMINE \"Other\"\n"
								"C: A11 MYRIGHTS \"Other\"\n"},
	{"rights-are-nothing-to-a-reader",
		BEGIN_WITH("ACL", LINE("Other")) "> sync Other\n"
						 "C: A2 EXAMINE \"Other\"\n"
						 "C: A3 UID SEARCH *\n",
		.read_only = true},

	/* ---- quota ---- */

	{"quota",
		/* The root with the least room counts, for each of the two. */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH QUOTA] hi\n"
		"C: A1 LIST *\n"
		"C: A2 GETQUOTAROOT \"INBOX\"\n" LINE(
			"INBOX") "S: A1 OK done\n"
				 "= done start ok\n"
				 "S: * QUOTAROOT INBOX user site\n"
				 "S: * QUOTA user (STORAGE 10 512 MESSAGE 3 0)\n"
				 "S: * QUOTA site (STORAGE 1000 1400 MESSAGE 30 40)\n"
				 "S: * QUOTA other (STORAGE 0 5000 MESSAGE 9 0)\n"
				 "> quota\n"
				 "= quota 0 of 0, 0 of 0\n"
				 "S: A2 OK done\n"
				 "> turn\n"
				 "= turned\n"
				 "> quota\n"
				 "= quota 1024000 of 1433600, 30 of 40\n"},
	{"quota-after-changes",
		/* As often as `poll` says, and only when something changed. Two pauses in which
		 * changes are gathered are more than a tick, with which it is asked. */
		BEGIN_WITH_QUOTA "> generation\n"
				 "> later 61\n"
				 "C: A3 LIST *\n" LINE("INBOX") LINE(
					 "Other") "S: A3 OK done\n"
						  "> turn\n"
						  "= turned\n"
						  "@quiet\n"
						  "> answered remove 6\n"
						  "= names changed, gone: 6\n"
						  "C: A4 SELECT \"INBOX\"\n"
						  "S: * 3 EXISTS\n"
						  "S: * OK [UIDVALIDITY 1] valid\n"
						  "S: * OK [UIDNEXT 8] next\n"
						  "S: A4 OK [READ-WRITE] done\n"
						  "C: A5 UID STORE 6 *\n"
						  "C: A6 UID EXPUNGE 6\n"
						  "S: A5 OK done\n"
						  "S: * VANISHED 6\n"
						  "S: A6 OK done\n"
						  "= ended remove 6 ok 0\n"
						  "= done answered remove 6 ok\n"
						  "C: A7 GETQUOTAROOT \"INBOX\"\n"
						  "S: * QUOTA \"\" (STORAGE 9 512)\n"
						  "S: A7 OK done\n"
						  "> turn\n"
						  "= turned\n"
						  "> quota\n"
						  "= quota 9216 of 524288, 0 of 0\n"
						  "> remove 5\n"
						  "= names changed, gone: 5\n"
						  "= done remove 5 ok\n"
						  "C: A8 UID STORE 5 *\n"
						  "C: A9 UID EXPUNGE 5\n"
						  "S: A8 OK done\n"
						  "S: * VANISHED 5\n"
						  "S: A9 OK done\n"
						  "= ended remove 5 ok 0\n"
						  "> remove 7\n"
						  "= names changed, gone: 7\n"
						  "= done remove 7 ok\n"
						  "C: A10 UID STORE 7 *\n"
						  "C: A11 UID EXPUNGE 7\n"
						  "S: A10 OK done\n"
						  "S: * VANISHED 7\n"
						  "S: A11 OK done\n"
						  "= ended remove 7 ok 0\n"
						  "> later 61\n"
						  "C: A12 LIST *\n"
						  "C: A13 GETQUOTAROOT \"INBOX\"\n" LINE("INBOX")
							  LINE("Other") "S: A12 OK done\n"
									"S: A13 OK done\n"
									"> turn\n"
									"= turned\n"
									"> later 61\n"
									"C: A14 LIST *\n"
									"> turn\n"
									"= turned\n"
									"@quiet\n",
		.known = {"5:7", 1, 8}},
	{"quota-lost", BEGIN_WITH_QUOTA "@close\n"
					"> sync\n"
					"@accept\n"
					"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH QUOTA] hi\n"
					"C: A91 LIST *\n"
					"C: A92 GETQUOTAROOT \"INBOX\"\n"},
	{"quota-refused",
		/* It is asked for once more, later; what was told with a refusal is not believed.
		 */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH QUOTA] hi\n"
		"C: A1 LIST *\n"
		"C: A2 GETQUOTAROOT \"INBOX\"\n" LINE("INBOX") "S: A1 OK done\n"
							       "= done start ok\n"
							       "S: * QUOTA user (STORAGE 10 512)\n"
							       "S: A2 NO [NOPERM] no\n"
							       "> turn\n"
							       "= turned\n"
							       "> quota\n"
							       "= quota 0 of 0, 0 of 0\n"
							       "> later 61\n"
							       "C: A3 LIST *\n"
							       "C: A4 GETQUOTAROOT \"INBOX\"\n"},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-folder", scripts, G_N_ELEMENTS(scripts));
}
