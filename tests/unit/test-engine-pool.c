/* The engine against scripted servers: its connections, which of them serves what, when there is
 * another, and what they log in with. */
#include "engine-fixture.h"

#define BODY(seq, uid) "S: * " seq " FETCH (UID " uid " BODY[] {10}\\r\\n0123456789)\n"

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

/* When it may be asked for again. */
#define ASKED_LATER                                                                                \
	"> turn\n"                                                                                 \
	"= turned\n"                                                                               \
	"> later 31\n"                                                                             \
	"> sync\n"                                                                                 \
	"= done sync AUTH *\n"                                                                     \
	"@accept\n"

static const Script scripts[] = {
	{"reserved-for-who-would-starve",
		/* The only connection is INBOX's as long as bodies of it are under way; no more of
		 * them are asked for once another mailbox waits. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
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
						  "C: A11 UID FETCH 6 (UID BODY.PEEK[])\n" EXAMINE(
							  "A10", "1")
							  BODY("2", "6") "= done body 6 0 10 ok\n"},
	{"reserved-is-the-least-busy",
		CROWDED
		"> body 3 0 10\n"
		"C: A22 EXAMINE \"INBOX\"\n"
		"C: A23 UID FETCH 3 (UID BODY.PEEK[])\n"
		"S: * 9 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		"S: A22 OK done\n"
		"> sync Other\n"
		"> turn\n"
		"= turned\n"
		"> body 2 0 10\n"
		"@on 1\n"
		"C: A8 UID FETCH 2 (UID BODY.PEEK[])\n"
		"@on 2\n"
		"S:+ * 3 FETCH (UID 3 BODY[] {131072}\\r\\n\n"
		"@bytes 131072\n"
		"S: )\n"
		"= done body 3 0 10 ok\n"
		"S: A23 OK done\n"
		"C: A24 EXAMINE \"Other\"\n" SEARCHES("A25", "A26") EXAMINE("A24", "1")
			SEARCHED("A25", "A26", "1:3") "= done sync Other ok\n"
						      "> body 1 0 10\n"
						      "C: A27 EXAMINE \"INBOX\"\n"
						      "C: A28 UID FETCH 1 (UID BODY.PEEK[])\n",
		.connections = 2},
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
						  "> sync\n" BACK("@accept 0 1900",
							  "A4") "C: A42 EXAMINE \"INBOX\"\n"},
	{"refused-twice-is-selected-anew",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: A6 NO not connected\n"
		      "C: A7 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: A7 NO not connected\n"
		      "= done body 5 0 10 IO *not connected*\n"
		      "> body 6 0 10\n"
		      "C: A8 EXAMINE \"INBOX\"\n"
		      "C: A9 UID FETCH 6 (UID BODY.PEEK[])\n" EXAMINE("A8", "1")
			      BODY("2", "6") "= done body 6 0 10 ok\n"
					     "S: A9 OK done\n"
					     "> body 7 0 10\n"
					     "C: A10 UID FETCH 7 (UID BODY.PEEK[])\n"},
	{"refused-twice-but-not-in-a-row",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: A6 NO not now\n"
		      "C: A7 UID FETCH 5 (UID BODY.PEEK[])\n" BODY(
			      "1", "5") "= done body 5 0 10 ok\n"
					"S: A7 OK done\n"
					"> body 6 0 10\n"
					"C: A8 UID FETCH 6 (UID BODY.PEEK[])\n"
					"S: A8 NO not now\n"
					"C: A9 UID FETCH 6 (UID BODY.PEEK[])\n"},
	{"throttled-waits",
		/* Gmail says it at the end of the line. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: * NO slow down [THROTTLED]\nS: A6 NO [THROTTLED] slow down\n"
		      "> turn\n"
		      "= turned\n"
		      "> body 6 0 10\n"
		      "> turn\n"
		      "= turned\n"
		      "@quiet\n"
		      "> later 2\n"
		      "C: A7 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "C: A8 UID FETCH 6 (UID BODY.PEEK[])\n"},
	{"throttled-by-words-waits",
		/* Gmail says it at the end of the line. */
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "S: A6 NO limits exceeded. [THROTTLED]\n"
		      "> turn\n"
		      "= turned\n"
		      "> body 6 0 10\n"
		      "> turn\n"
		      "= turned\n"
		      "@quiet\n"
		      "> later 2\n"
		      "C: A7 UID FETCH 5 (UID BODY.PEEK[])\n"
		      "C: A8 UID FETCH 6 (UID BODY.PEEK[])\n"},
	{"secret-refused-is-not-offered-again",
		LOCKED_OUT ASKED_LATER GREETING "@eof\n"
						"@close\n"
						"> secret crayon\n" ASKED_LATER LOGIN_CRAYON("A4")},
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
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-pool", scripts, G_N_ELEMENTS(scripts));
}
