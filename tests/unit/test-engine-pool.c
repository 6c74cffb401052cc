/* The engine against scripted servers: its connections, which of them serves what, when there is
 * another, and what they log in with. */
#include "engine-fixture.h"

#define BODY(seq, uid) "S: * " seq " FETCH (UID " uid " BODY[] {10}\\r\\n0123456789)\n"

#define WHOLE(uid)                                                                                 \
	"S:+ * " uid " FETCH (UID " uid " BODY[] {131072}\\r\\n\n"                                 \
	"@bytes 131072\n"                                                                          \
	"S: )\n"                                                                                   \
	"= done body " uid " 0 10 ok\n"

#define GREETING "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hi\n"
#define LOGIN_PENCIL(tag) GREETING "C: " tag " AUTHENTICATE PLAIN AHVzZXIAcGVuY2ls\n"
#define LOGIN_CRAYON(tag) GREETING "C: " tag " AUTHENTICATE PLAIN AHVzZXIAY3JheW9u\n"
#define TAKEN(tag) "S: " tag " OK [CAPABILITY IMAP4rev1 ESEARCH] in\n"
#define REFUSED(tag)                                                                               \
	"S: " tag " NO [AUTHENTICATIONFAILED] no\n"                                                \
	"= done sync AUTH *\n"

/* Logged in once with "pencil", cut off, and refused with it. */
#define LOCKED_OUT                                                                                 \
	LOGIN_PENCIL("A1")                                                                         \
	TAKEN("A1")                                                                                \
	LISTED("A2")                                                                               \
	"= done start ok\n"                                                                        \
	"@close\n"                                                                                 \
	"> sync\n"                                                                                 \
	"@accept\n" LOGIN_PENCIL("A3") REFUSED("A3")

#define FAILS_AT_ONCE                                                                              \
	"> sync\n"                                                                                 \
	"= done sync OFFLINE *\n"

/* When it may be asked for again. */
#define ASKED_LATER                                                                                \
	"> turn\n"                                                                                 \
	"= turned\n"                                                                               \
	"> later 31\n"                                                                             \
	"> sync\n"                                                                                 \
	"= done sync AUTH *\n"                                                                     \
	"@accept\n"

#define SLOWER                                                                                     \
	"S: * NO [THROTTLED] slow down\n"                                                          \
	"> turn\n"                                                                                 \
	"= turned\n"                                                                               \
	"> body 5 0 10\n"                                                                          \
	"> turn\n"                                                                                 \
	"= turned\n"
#define LATE "= done body 5 0 10 TIMEOUT *\n"

/* Logged in, and over. */
#define FAREWELL                                                                                   \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\\r\\n* BYE not now\n"                      \
	"@close\n"

#define NO_SUCH(examine, search, deleted)                                                          \
	"C: " examine " EXAMINE \"Other\"\n" SEARCHES(search, deleted) "S: " examine               \
								       " NO no such mailbox\n"

#define BUG(examine, search, deleted)                                                              \
	"C: " examine " EXAMINE \"Other\"\n" SEARCHES(search, deleted) "S: " examine               \
								       " NO [SERVERBUG] bug\n"
#define ANSWERED(search, deleted)                                                                  \
	"S: " search " BAD no\n"                                                                   \
	"S: " deleted " BAD no\n"

/* What an old connection refuses and lists is asked of a new one. */
#define LOST_ITS_WAY                                                                               \
	KNOWN "> sync Other\n" NO_SUCH("A6", "A7", "A8") "S: A7 BAD no\n"                          \
							 "S: A8 BAD no\n" LISTED("A9")             \
								 NO_SUCH("A10", "A11", "A12")      \
									 BACK("@accept", "A2")

static const Script scripts[] = {
	{"reserved-for-who-would-starve",
		/* The only connection is INBOX's as long as bodies of it are under way; no more of
		 * them are asked for once another mailbox waits. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "> sync Other\n"
		      "> turn\n"
		      "= turned\n"
		      "> body 6 0 10\n" BODY("1",
			      "5") "= done body 5 0 10 ok\n"
				   "S: A6 OK done\n"
				   "C: A7 EXAMINE \"Other\"\n" SEARCHES("A8", "A9") EXAMINE(
					   "A7", "1") SEARCHED("A8", "A9",
					   "1:3") "= done sync Other ok\n"
						  "C: A10 EXAMINE \"INBOX\"\n"
						  "C: A11 UID FETCH 6 (UID INTERNALDATE "
						  "BODY.PEEK[])\n" EXAMINE("A10", "1")
							  BODY("2", "6") "= done body 6 0 10 ok\n"},
	{"reserved-is-the-least-busy",
		CROWDED
		"> body 3 0 10\n"
		"C: A22 EXAMINE \"INBOX\"\n"
		"C: A23 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n"
		"S: * 9 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		"S: A22 OK done\n"
		"> sync Other\n"
		"> turn\n"
		"= turned\n"
		"> body 2 0 10\n"
		"@on 1\n"
		"C: A8 UID FETCH 2 (UID INTERNALDATE BODY.PEEK[])\n"
		"@on 2\n"
		"S:+ * 3 FETCH (UID 3 BODY[] {131072}\\r\\n\n"
		"@bytes 131072\n"
		"S: )\n"
		"= done body 3 0 10 ok\n"
		"S: A23 OK done\n"
		"C: A24 EXAMINE \"Other\"\n" SEARCHES("A25", "A26") EXAMINE("A24", "1") SEARCHED(
			"A25", "A26", "1:3") "= done sync Other ok\n"
					     "> body 1 0 10\n"
					     "C: A27 EXAMINE \"INBOX\"\n"
					     "C: A28 UID FETCH 1 (UID INTERNALDATE BODY.PEEK[])\n",
		.connections = 2},
	{"away-at-first",
		/* Who started is told what it is, and who asks for mail that there is no server. */
		"> sync\n"
		"> turn\n"
		"= turned\n"
		"S: HTTP/1.1 200 OK\n"
		"= done start other *no IMAP server*\n"
		"= done sync OFFLINE *\n",
		.known = {"5:7", 1, 8, 0, 10}},
	{"short-lives-are-taken-slowly",
		/* After a life that lasted the next login is at once again. */
		START "= done start ok\n"
		      "> sync\n"
		      "C: A2 EXAMINE \"INBOX\"\n"
		      "@close\n" RECONNECT("A1") "@close\n" BACK("@accept 500",
			      "A2") "C: A22 EXAMINE \"INBOX\"\n"
				    "@close\n"
				    "= done sync UNAVAILABLE *\n" BACK("@accept 1000",
					    "A3") "> later 11\n"
						  "@close\n"
						  "> sync\n" BACK("@accept 0 0",
							  "A4") "C: A42 EXAMINE \"INBOX\"\n"},
	{"further-examine-is-refused",
		/* The mailbox is well served where it is, and goes on there alone. */
		CROWDED "> together sync; body 3 0 10\n"
			"C: A22 EXAMINE \"INBOX\"\n" SEARCHES(
				"A23", "A24") "C: A25 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n"
					      "S: A22 NO [INUSE] one is enough\n"
					      "S: A23 BAD no mailbox\n"
					      "S: A24 BAD no mailbox\n"
					      "@on 1\n"
					      "C: A8 NOOP\n"
					      "@on 2\n"
					      "S: A25 BAD no mailbox\n"
					      "@on 1\n"
					      "C: A9 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n"
					      "S: A8 OK done\n"
					      "= done sync ok\n"
					      "> body 2 0 10\n"
					      "C: A10 UID FETCH 2 (UID INTERNALDATE BODY.PEEK[])\n"
					      "S:+ * 3 FETCH (UID 3 BODY[] {131072}\\r\\n\n"
					      "@bytes 131072\n"
					      "S: )\n"
					      "= done body 3 0 10 ok\n",
		.connections = 2},
	{"further-examine-is-refused-beside-a-reserved-one",
		/* What is at work for the mailbox counts, also if another one is to come next. */
		CROWDED
		"> together body 3 0 10; body 2 0 10; body 1 0 10\n"
		"C: A22 EXAMINE \"INBOX\"\n"
		"C: A23 UID FETCH 1:3 (UID INTERNALDATE BODY.PEEK[])\n"
		"@on 1\n" WHOLE("9") WHOLE("8") WHOLE("7") WHOLE("6") WHOLE(
			"5") "S: A6 OK done\n"
			     "> sync Other\n"
			     "> turn\n"
			     "= turned\n"
			     "@on 2\n"
			     "S: A22 NO [INUSE] one is enough\n"
			     "S: A23 BAD no mailbox\n"
			     "C: A24 EXAMINE \"Other\"\n" SEARCHES("A25", "A26") "@on 1\n" WHOLE(
				     "4") "C: A8 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n",
		.connections = 2},
	{"further-login-is-refused",
		/* Said once, not tried again beside a connection that is well, and again after a
		 * login that was taken. */
		CROWD "@accept\n" LOGIN_PENCIL(
			"A21") "S: A21 NO [AUTHENTICATIONFAILED] one is enough\n"
			       "@eof\n"
			       "@close\n"
			       "> turn\n"
			       "= turned\n"
			       "> later 301\n"
			       "> body 3 0 10\n"
			       "@on 1\n"
			       "C: A8 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n"
			       "> turn\n"
			       "= turned\n"
			       "@nobody\n"
			       "@close\n" RECONNECT("A3") "C: A33 UID FETCH *\n"
							  "C: A34 UID FETCH *\n"
							  "C: A35 UID FETCH *\n"
							  "C: A36 UID FETCH *\n"
							  "C: A37 UID FETCH *\n"
							  "C: A38 UID FETCH *\n"
							  "C: A39 UID FETCH *\n"
							  "> body 2 0 10\n"
							  "C: A40 UID FETCH *\n"
							  "@accept\n" LOGIN_PENCIL("A41"),
		.timeout_ms = 600000, .connections = 2, .poll_s = 3600},
	{"further-login-has-no-secret",
		/* Nothing was sent, so nothing was refused: tried again as after any other fault.
		 */
		CROWD "> secret\n"
		      "@accept\n" GREETING "@eof\n"
		      "@close\n"
		      "> secret pencil\n"
		      "> turn\n"
		      "= turned\n"
		      "> later 301\n"
		      "> body 3 0 10\n"
		      "@on 1\n"
		      "C: A8 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n"
		      "@accept\n" LOGIN_PENCIL("A31"),
		.timeout_ms = 600000, .connections = 2, .poll_s = 3600},
	{"progress-outlives-its-connection",
		/* Bytes came until a moment ago: logins that do not last are no reason to give up.
		 */
		KNOWN
		"> body 5 0 10\n"
		"C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		"> later 15\n"
		"S:+ * 1 FETCH (UID 5 BODY[] {10}\\r\\n01\n"
		"> later 15\n"
		"S:+ 23\n"
		"@close\n"
		"@accept\n" FAREWELL "@accept\n" FAREWELL RECONNECT(
			"A1") "C: A13 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n" EXAMINE("A12",
			"1") BODY("1", "5") "= done body 5 0 10 ok\n"},
	{"logins-alone-are-no-progress",
		/* A server that hangs up after each does not keep us waiting for ever. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "@close\n"
		      "@accept\n" FAREWELL "@accept\n"
		      "> later 15\n" FAREWELL "> later 6\n"
		      "= done body 5 0 10 TIMEOUT *\n"},
	{"short-lives-with-nobody-waiting",
		/* The longest pauses are for them, until somebody asks. */
		START
		"= done start ok\n"
		"> hurry 20\n"
		"> sync\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		"@close\n" RECONNECT("A1") "@close\n" RECONNECT(
			"A2") "@close\n"
			      "= done sync UNAVAILABLE *\n" BACK("@accept", "A3") "@close\n" BACK(
				      "@accept", "A4") "@close\n" BACK("@accept",
				      "A5") "@close\n" BACK("@accept 7800 32000",
				      "A6") "S: * BYE not now\n"
					    "@eof\n"
					    "@close\n"
					    "> sync\n" BACK("@accept 0 4000",
						    "A7") "C: A72 EXAMINE \"INBOX\"\n"},
	{"lost-its-way-is-left-once",
		/* Not again before the next LIST is due, whatever it cost already. */
		KNOWN "> sync Other\n" BUG("A6", "A7", "A8") BACK("@accept", "A2") BUG(
			"A22", "A23", "A24") ANSWERED("A23", "A24") LISTED("A25") BUG("A26", "A27",
			"A28") ANSWERED("A27",
			"A28") "= done sync Other *bug*\n"
			       "> sync\n"
			       "C: A29 EXAMINE \"INBOX\"\n" SEARCHES("A30", "A31") EXAMINE(
				       "A29", "1") SEARCHED("A30", "A31",
				       "5:7") "= done sync ok\n"
					      "> sync Other\n" BUG("A32", "A33", "A34") ANSWERED(
						      "A33", "A34") "= done sync Other *bug*\n"},
	{"lost-its-way-is-left", LOST_ITS_WAY "C: A22 EXAMINE \"Other\"\n"},
	{"refused-twice-is-selected-anew",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A6 NO not connected\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A7 NO not connected\n"
		      "= done body 5 0 10 IO *not connected*\n"
		      "> body 6 0 10\n"
		      "C: A8 EXAMINE \"INBOX\"\n"
		      "C: A9 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n" EXAMINE("A8", "1")
			      BODY("2", "6") "= done body 6 0 10 ok\n"
					     "S: A9 OK done\n"
					     "> body 7 0 10\n"
					     "C: A10 UID FETCH 7 (UID INTERNALDATE BODY.PEEK[])\n"},
	{"refused-twice-but-not-in-a-row",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A6 NO not now\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n" BODY(
			      "1", "5") "= done body 5 0 10 ok\n"
					"S: A7 OK done\n"
					"> body 6 0 10\n"
					"C: A8 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"
					"S: A8 NO not now\n"
					"C: A9 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"},
	{"too-many-leaves-the-others",
		/* The one that the server ended was the one too many. */
		CROWDED "> turn\n"
			"= turned\n"
			"@on 1\n"
			"S: * BYE Too many simultaneous connections\n"
			"@close\n"
			"@on 2\n"
			"> turn\n"
			"= turned\n"
			"@quiet\n"
			"> later 2\n"
			"C: A22 *\n",
		.connections = 2},
	{"too-many-at-the-greeting-leaves-the-others",
		/* Nor do they pause: the next one would be longer than this test waits. */
		MANY SLOWER SLOWER SLOWER SLOWER SLOWER SLOWER
		"> later 21\n" LATE LATE LATE LATE LATE LATE "> later 12\n"
		"C: A6 *\n"
		"> later 272\n"
		"> together body 9 0 10; body 8 0 10; body 7 0 10; body 6 0 10\n"
		"C: A7 *\n"
		"> body 4 0 10\n"
		"C: A8 *\n"
		"@accept\n"
		"S: * BYE Too many connections\n"
		"@eof\n"
		"@close\n"
		"> turn\n"
		"= turned\n"
		"@on 1\n"
		"> body 3 0 10\n"
		"C: A9 *\n",
		.connections = 2, .poll_s = 3600},
	{"too-many-and-then-none",
		/* While one logs out since there are too many, the last other one is lost. */
		CROWDED
		"> turn\n"
		"= turned\n"
		"@on 1\n"
		"S: * NO [THROTTLED] slow down\n"
		"> turn\n"
		"= turned\n"
		"> body 3 0 10\n"
		"@on 2\n"
		"C: A22 LOGOUT\n"
		"@on 1\n"
		"@close\n"
		"@accept\n"
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n" LISTED("A31") "> later 2\n"
										 "C: A32 *\n",
		.connections = 2},
	{"throttled-waits",
		/* Gmail says it at the end of the line. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * NO slow down [THROTTLED]\nS: A6 NO [THROTTLED] slow down\n"
		      "> turn\n"
		      "= turned\n"
		      "> body 6 0 10\n"
		      "> turn\n"
		      "= turned\n"
		      "@quiet\n"
		      "> later 2\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "C: A8 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"},
	{"throttled-at-the-end-waits",
		/* However long the connection lived. */
		START "= done start ok\n"
		      "> turn\n"
		      "= turned\n"
		      "> later 11\n"
		      "S: * BYE [THROTTLED] too much\n"
		      "@eof\n"
		      "@close\n"
		      "@accept 900 1001\n"},
	{"throttled-at-the-greeting-waits",
		/* Longer each time, whoever asks. */
		START "= done start ok\n"
		      "> turn\n"
		      "= turned\n"
		      "> later 11\n"
		      "@close\n"
		      "@accept\n"
		      "S: * BYE Too many connections\n"
		      "@close\n"
		      "@accept 900 1001\n"
		      "S: * BYE Too many connections\n"
		      "@close\n"
		      "> sync\n"
		      "= done sync OFFLINE *\n"
		      "@accept 1900 2001\n"},
	{"throttled-is-not-polled",
		/* Six times, so that the pause is longer than a request waits. */
		KNOWN SLOWER SLOWER SLOWER SLOWER SLOWER SLOWER
		"> later 6\n" LATE LATE LATE LATE LATE LATE "> turn\n"
		"= turned\n"
		"@quiet\n"
		"> later 33\n"
		"C: A6 *\n",
		.timeout_ms = 5000, .poll_s = 5},
	{"throttled-is-not-listed",
		/* Mailboxes that come or go are asked for once the pause is over, and then at once.
		 */
		"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH NOTIFY] hi\n" LISTED(
			"A1") "= done start ok\n"
			      "C: A2 NOTIFY SET *\n"
			      "S: A2 OK done\n"
			      "S: * NO [THROTTLED] slow down\n"
			      "> turn\n"
			      "= turned\n"
			      "S: * LIST () \"/\" New\n"
			      "> turn\n"
			      "= turned\n"
			      "@quiet\n"
			      "> later 2\n"
			      "C: A3 LIST *\n"},
	{"throttled-by-words-waits",
		/* Gmail says it at the end of the line. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: A6 NO limits exceeded. [THROTTLED]\n"
		      "> turn\n"
		      "= turned\n"
		      "> body 6 0 10\n"
		      "> turn\n"
		      "= turned\n"
		      "@quiet\n"
		      "> later 2\n"
		      "C: A7 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "C: A8 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"},
	{"secret-refused-is-not-offered-again",
		LOCKED_OUT ASKED_LATER GREETING "@eof\n"
						"@close\n"
						"> secret crayon\n" ASKED_LATER LOGIN_CRAYON("A4")},
	{"secret-is-looked-at-again",
		/* By itself, ever later, until there is another one. */
		"> hurry 100\n" LOCKED_OUT "@eof\n"
		"@close\n"
		"@accept 30000 30000\n" GREETING "@eof\n"
		"@close\n"
		"@accept 60000 60000\n" GREETING "@eof\n"
		"@close\n"
		"> secret crayon\n"
		"@accept 120000 120000\n" LOGIN_CRAYON("A4") TAKEN("A4") LISTED("A5")},
	{"secret-changed-is-looked-at-at-once",
		/* Not by somebody who asks for mail, and not twice. */
		LOCKED_OUT "@eof\n"
			   "@close\n"
			   "> turn\n"
			   "= turned\n"
			   "> secret crayon\n"
			   "> later 2\n"
			   "@accept\n"
			   "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\n"
			   "@eof\n"
			   "@close\n"
			   "> later 2\n"
			   "> sync\n"
			   "= done sync AUTH *\n"
			   "@nobody\n",
		.secret_is_told = true},
	{"secret-refused-is-offered-again-after-an-hour",
		LOCKED_OUT "@eof\n"
			   "@close\n"
			   "> turn\n"
			   "= turned\n"
			   "> later 3500\n"
			   "> sync\n"
			   "= done sync AUTH *\n"
			   "@accept\n" GREETING "@eof\n"
			   "@close\n"
			   "> turn\n"
			   "= turned\n"
			   "> later 101\n"
			   "> sync\n"
			   "= done sync AUTH *\n"
			   "@accept\n" LOGIN_PENCIL("A4") "S: A4 NO [AUTHENTICATIONFAILED] no\n"
							  "@eof\n"
							  "@close\n" ASKED_LATER GREETING "@eof\n"},
	{"secret-taken-clears-the-refused-one",
		/* A password that was changed there and back. */
		LOCKED_OUT "> secret crayon\n" ASKED_LATER LOGIN_CRAYON("A4") TAKEN("A4")
			LISTED("A5") "> secret pencil\n"
				     "@close\n"
				     "> sync\n"
				     "@accept\n" LOGIN_PENCIL("A6")},
	{"secret-taken-is-not-refused-by-other-errors",
		LOGIN_PENCIL("A1") TAKEN("A1")
			LISTED("A2") "= done start ok\n"
				     "@close\n"
				     "> sync\n"
				     "@accept\n"
				     "S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\n"
				     "= done sync AUTH *offers no login*\n"
				     "@close\n" ASKED_LATER LOGIN_PENCIL("A3")},
	{"secret-tried-is-not-refused-by-having-none",
		/* Whether it is right was not said before, and is not when there is none to try. */
		LOGIN_PENCIL("A1") TAKEN("A1") LISTED(
			"A2") "= done start ok\n"
			      "@close\n"
			      "> sync\n"
			      "@accept\n" LOGIN_PENCIL(
				      "A3") "S: A3 NO [UNAVAILABLE] later\n"
					    "= done sync OFFLINE *\n"
					    "@close\n"
					    "> secret\n"
					    "@accept\n" GREETING "@eof\n"
					    "@close\n"
					    "> secret pencil\n" ASKED_LATER LOGIN_PENCIL("A4")},
	{"secret-that-does-not-come",
		/* Requests wait no longer than the attempt may take, and later ones not at all. */
		LOGIN_PENCIL("A1") TAKEN("A1")
			LISTED("A2") "= done start ok\n"
				     "> no secret\n"
				     "@close\n"
				     "@accept\n" GREETING "= secret is asked for\n"
				     "> later 10\n"
				     "> sync\n"
				     "> turn\n"
				     "= turned\n"
				     "> later 11\n"
				     "= done sync TIMEOUT *password is still being waited for\n"
				     "> sync\n"
				     "= done sync TIMEOUT *did not answer\n"
				     "> later 2\n" FAILS_AT_ONCE},
	{"secret-that-does-not-come-at-first",
		/* Who started waits on: a person may be asked for it. */
		"> no secret\n" GREETING "= secret is asked for\n"
		"> later 15\n"
		"> generation\n"
		"> body 5 0 10\n"
		"> turn\n"
		"= turned\n"
		"> later 6\n"
		"= done body 5 0 10 TIMEOUT *\n"
		"> later 2\n" FAILS_AT_ONCE,
		.known = {"5:7", 1, 8, 0, 10}},
	{"late-login-is-waited-for-by-nobody",
		/* It goes on all the same. */
		LOGIN_PENCIL("A1") TAKEN("A1") LISTED(
			"A2") "= done start ok\n"
			      "@close\n"
			      "@accept\n"
			      "> later 15\n" LOGIN_PENCIL(
				      "A3") "> sync\n"
					    "> turn\n"
					    "= turned\n"
					    "> later 6\n"
					    "= done sync TIMEOUT *no answer*\n" TAKEN("A3")
						    LISTED("A4") "> sync\n"
								 "C: A5 EXAMINE \"INBOX\"\n"},
	{"attempt-that-was-waited-for-in-vain",
		/* However young it is: who asks again after that does not wait as long once more.
		 */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "> turn\n"
		      "= turned\n"
		      "> later 15\n"
		      "@close\n"
		      "@accept\n"
		      "> later 6\n"
		      "= done body 5 0 10 TIMEOUT *\n"
		      "> later 2\n" FAILS_AT_ONCE},
	{"secret-without-a-thread-to-ask-for-it",
		LOGIN_PENCIL("A1") TAKEN("A1") LISTED(
			"A2") "= done start ok\n"
			      "> threads none\n"
			      "@close\n"
			      "> sync\n"
			      "@accept\n" GREETING
			      "= done sync OFFLINE *asking for the password: no thread is left\n"
			      "@eof\n"
			      "@close\n"
			      "> threads\n"
			      "@accept\n" LOGIN_PENCIL("A3")},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-pool", scripts, G_N_ELEMENTS(scripts));
}
