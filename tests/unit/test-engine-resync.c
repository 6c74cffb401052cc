/* The engine against scripted servers: a mailbox that was known before the connection was, and how
 * what changed since is found out (RFC 7162). */
#include "engine-fixture.h"

#define LOGGED_IN(caps) "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH" caps "] hi\n"

#define LISTING(tag) LISTED(tag) "= done start ok\n"

/* ---- the three kinds of servers ---- */

#define PLAIN LOGGED_IN("") LISTING("A1") "> sync\n"
#define CONDSTORE LOGGED_IN(" CONDSTORE") LISTING("A1") "> sync\n"

#define ENABLE(tag)                                                                                \
	"C: " tag " ENABLE QRESYNC\n"                                                              \
	"S: * ENABLED QRESYNC\n"                                                                   \
	"S: " tag " OK done\n"
#define QRESYNC LOGGED_IN(" ENABLE CONDSTORE QRESYNC") ENABLE("A1") LISTING("A2") "> sync\n"

#define BACK_WITH(caps) "@close\n> sync\n@accept\n" LOGGED_IN(caps)

/* ---- what they say ---- */

#define ASK_QRESYNC(tag, modseq) "C: " tag " EXAMINE \"INBOX\" (QRESYNC (1 " modseq "))\n"
#define ASK_CONDSTORE(tag) "C: " tag " EXAMINE \"INBOX\" (CONDSTORE)\n"
#define ASK_PLAIN(tag, deleted)                                                                    \
	"C: " tag " EXAMINE \"INBOX\"\n"                                                           \
	"C: " deleted " UID SEARCH RETURN (ALL) DELETED\n"

#define STATE(exists, uidnext, modseq)                                                             \
	"S: * " exists " EXISTS\n"                                                                 \
	"S: * OK [UIDVALIDITY 1] valid\n"                                                          \
	"S: * OK [UIDNEXT " uidnext "] next\n"                                                     \
	"S: * OK [HIGHESTMODSEQ " modseq "] highest\n"

#define ASK_FLAGS(tag) "C: " tag " UID FETCH 1:7 (UID FLAGS) (CHANGEDSINCE 20)\n"
#define FLAGS(seq, uid, flags, modseq)                                                             \
	"S: * " seq " FETCH (UID " uid " FLAGS (" flags ") MODSEQ (" modseq "))\n"
#define SEEN "\\\\Seen"
#define DELETED "\\\\Deleted"
#define VANISHED(uids) "S: * VANISHED (EARLIER) " uids "\n"
#define NONE_DELETED "S: * ESEARCH UID\n"

#define DONE(tag) "S: " tag " OK done\n"

#define READ_5(tag) "C: " tag " UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
#define BODY_5(tag)                                                                                \
	"S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n" DONE(tag) "= done body 5 0 10 ok\n"

/* ---- what came of it ---- */

#define SYNCED "= done sync ok\n"
#define NEWS(gone, fresh) "= names changed, gone: " gone ", new: " fresh "\n"
#define GONE(uids) "= names changed, gone: " uids "\n"
#define HOLDS(uids) "> listing\n= listing " uids "\n"
#define MARK(mark) "> mark\n= mark " mark "\n"
#define ROW(uid, row) "> row " uid "\n= row " uid ": " row "\n"

/* The map is whole. */
#define THEN_NOOP(tag) "> sync\nC: " tag " NOOP\n"

/* What is known: 5, 6 and 7, as of modification sequence 20. */
#define KNOWN_BEFORE .known = {"5:7", 1, 8, 20}

/* A doubtful answer of QRESYNC: nothing goes before a listing says so. */
#define DOUBTED(answer)                                                                            \
	QRESYNC ASK_QRESYNC("A3", "20") answer DONE("A3") HOLDS("5:7") ASK_FLAGS("A4")             \
		SEARCHES("A5", "A6") DONE("A4")

#define NOTHING_GONE SEARCHED("A5", "A6", "5:7") SYNCED HOLDS("5:7") MARK("8 24") THEN_NOOP("A7")

#define DOUBTFUL_FLAGS                                                                             \
	PLAIN ASK_PLAIN("A2", "A3") STATE("3", "8", "20") DONE("A2") NONE_DELETED DONE("A3")       \
		SYNCED "> generation\n"

#define PLAIN_FLAGS(seq, uid, flags) "S: * " seq " FETCH (UID " uid " FLAGS (" flags "))\n"

static const Script scripts[] = {
	/* ---- QRESYNC ---- */
	{"qresync-unchanged",
		QRESYNC ASK_QRESYNC("A3", "20") STATE("3", "8", "20") DONE("A3") SYNCED HOLDS("5:7")
			ROW("6", "known flags 0")
				MARK("8 20") "> fresh\n= fresh: yes\n" THEN_NOOP("A4"),
		KNOWN_BEFORE},
	{"qresync-changed",
		/* 6 went, 7 was read, 9 came; 8 came and went. */
		QRESYNC ASK_QRESYNC("A3", "20") STATE("3", "10", "24") VANISHED("1:4,6,8")
			FLAGS("2", "7", SEEN, "22") FLAGS("3", "9", "", "24") DONE(
				"A3") "= message 7 changed\n" NEWS("6", "9") SYNCED HOLDS("5,7,9")
				ROW("7", "known flags 1") ROW("9", "unknown flags 0") MARK("10 24")
					THEN_NOOP("A4"),
		KNOWN_BEFORE},
	{"qresync-deleted",
		/* Marked, and so out of the listing; a new one is marked already. */
		QRESYNC ASK_QRESYNC("A3", "20") STATE("4", "9", "24") FLAGS("1", "5", DELETED, "22")
			FLAGS("4", "8", DELETED, "24") DONE("A3") GONE("5") SYNCED HOLDS("6:7")
				THEN_NOOP("A4"),
		KNOWN_BEFORE},
	{"qresync-map-reads-what-follows",
		QRESYNC ASK_QRESYNC("A3", "20") STATE("2", "8", "24") VANISHED("6") DONE("A3")
			GONE("6") SYNCED "S: * VANISHED 7\n" GONE("7") HOLDS("5"),
		KNOWN_BEFORE},
	{"qresync-emptied",
		QRESYNC ASK_QRESYNC("A3", "20") STATE("0", "8", "24") VANISHED("1:7") DONE("A3")
			GONE("5:7") SYNCED HOLDS("") THEN_NOOP("A4"),
		KNOWN_BEFORE},
	{"qresync-all-vanished-though-some-exist",
		DOUBTED(STATE("3", "8", "24") VANISHED("1:7")) NOTHING_GONE, KNOWN_BEFORE},
	{"qresync-too-few-vanished",
		DOUBTED(STATE("2", "8", "24")) SEARCHED("A5", "A6", "5,7") GONE("6")
			SYNCED HOLDS("5,7"),
		KNOWN_BEFORE},
	{"qresync-more-than-exist",
		DOUBTED(STATE("3", "10", "24") FLAGS("4", "9", "", "24"))
			SEARCHED("A5", "A6", "5:7") SYNCED HOLDS("5:7") MARK("10 24"),
		KNOWN_BEFORE},
	{"qresync-beyond-uidnext",
		DOUBTED(STATE("3", "8", "24") VANISHED("5") FLAGS("3", "9", "", "24")) NOTHING_GONE,
		KNOWN_BEFORE},
	{"qresync-odd-modseq",
		DOUBTED(STATE("3", "8", "24") FLAGS("1", "5", SEEN, "-1")) NOTHING_GONE,
		KNOWN_BEFORE},
	{"qresync-without-uid",
		DOUBTED(STATE("3", "8", "24") "S: * 1 FETCH (FLAGS () MODSEQ (22))\n") NOTHING_GONE,
		KNOWN_BEFORE},
	{"qresync-silent-about-what-came",
		/* As many as were known, but UIDNEXT grew: one came, and one went unsaid. */
		DOUBTED(STATE("3", "9", "24")) SEARCHED("A5", "A6", "5,7:8") NEWS("6", "8")
			SYNCED HOLDS("5,7:8") MARK("9 24"),
		KNOWN_BEFORE},
	{"qresync-off-after-two-faults",
		DOUBTED(STATE("3", "8", "24") VANISHED("1:7")) SEARCHED("A5", "A6",
			"5:7") SYNCED BACK_WITH(" ENABLE CONDSTORE QRESYNC") ENABLE("A11")
			LISTED("A12") ASK_QRESYNC("A13", "24") STATE("3", "8", "25") VANISHED("1:7")
				DONE("A13") "C: A14 UID FETCH 1:7 (UID FLAGS) "
					    "(CHANGEDSINCE 24)\n" SEARCHES("A15", "A16") DONE("A14")
						    SEARCHED("A15", "A16", "5:7") SYNCED BACK_WITH(
							    " ENABLE CONDSTORE QRESYNC")
							    ENABLE("A21") LISTED(
								    "A22") "C: A23 EXAMINE "
									   "\"INBOX\"\n" STATE("3",
										   "8",
										   "25") DONE("A23")
										   SYNCED THEN_NOOP(
											   "A24"),
		KNOWN_BEFORE},
	{"qresync-not-enabled",
		/* OK alone enables nothing: as CONDSTORE, which needs no ENABLE. */
		LOGGED_IN(" ENABLE CONDSTORE QRESYNC") "C: A1 ENABLE QRESYNC\n" LISTING(
			"A2") "> sync\n> turn\n= turned\n@quiet\nS: * ENABLED CONDSTORE\n" DONE("A"
												"1")
			ASK_CONDSTORE("A3") STATE("3", "8", "20") DONE("A3") SYNCED THEN_NOOP("A4"),
		KNOWN_BEFORE},
	{"qresync-uidvalidity-changed",
		/* What was asked for is about messages that nobody can name any more. */
		QRESYNC ASK_QRESYNC("A3", "20")
			STATE("3", "8", "20") "S: * OK [UIDVALIDITY 2] new\n" VANISHED("5")
				DONE("A3") "= generation changed\n" SEARCHES("A4", "A5")
					SEARCHED("A4", "A5", "5:7") SYNCED HOLDS("5:7")
						ROW("5", "unknown flags 0") MARK("8 20"),
		KNOWN_BEFORE},
	{"qresync-uidvalidity-changed-after-status",
		/* What STATUS told was about the old messages. */
		QRESYNC ASK_QRESYNC("A3", "20") STATE("3", "8", "20") DONE("A3") SYNCED
		"S: * STATUS INBOX (MESSAGES 3 UIDNEXT 8 UIDVALIDITY 1 HIGHESTMODSEQ 900)\n" GONE(
			"unknown") "C: A4 NOOP\n" DONE("A4") "> turn\n= turned\n" MARK("8 900")
			BACK_WITH(" ENABLE QRESYNC") ENABLE("A11") LISTED("A12") ASK_QRESYNC(
				"A13", "900")
				STATE("3", "8", "30") "S: * OK [UIDVALIDITY 2] new\n" DONE(
					"A13") "= generation changed\n" SEARCHES("A14", "A15")
					SEARCHED("A14", "A15", "5:7") GONE("") SYNCED MARK(
						"8 30") "> sync\nC: A16 NOOP\n" DONE("A16")
						SYNCED MARK("8 30"),
		KNOWN_BEFORE},
	{"qresync-on-reconnect",
		/* The mark is as of the first EXAMINE: what came since comes once more. */
		QRESYNC ASK_QRESYNC("A3", "20") STATE("3", "8", "22") DONE("A3") SYNCED
		"S: * VANISHED 6\n" GONE("6") BACK_WITH(" ENABLE QRESYNC") ENABLE("A11")
			LISTED("A12") ASK_QRESYNC("A13", "22") STATE("3", "9", "30") VANISHED("6")
				FLAGS("3", "8", "", "30") DONE("A13") NEWS("", "8")
					SYNCED HOLDS("5,7:8") MARK("9 30"),
		KNOWN_BEFORE},
	{"qresync-for-a-reader",
		/* Who wants a body brings the names up to date with it. */
		LOGGED_IN(" ENABLE QRESYNC") ENABLE("A1") LISTING(
			"A2") "> generation\n"
			      "> body 5 0 10\n" ASK_QRESYNC("A3",
				      "20") "C: A4 UID FETCH 5 (UID INTERNALDATE "
					    "BODY.PEEK[])\n" STATE("2", "8", "24") VANISHED("6")
						    DONE("A3") GONE(
							    "6") "S: * 1 FETCH (UID 5 BODY[] "
								 "{10}\\r\\n0123456789)\n" DONE(
									 "A4") "= done body 5 0 10 "
									       "ok\n> fresh\n= "
									       "fresh: yes\n",
		KNOWN_BEFORE},
	{"qresync-old-mailbox-speaks",
		/* What comes before [CLOSED] is about the other one. */
		LOGGED_IN(" ENABLE QRESYNC") ENABLE("A1") LISTING(
			"A2") "> sync Other\n"
			      "C: A3 EXAMINE \"Other\"\n" SEARCHES("A4", "A5") EXAMINE(
				      "A3", "9") SEARCHED("A4", "A5",
				      "1:3") "= done sync Other ok\n> sync\n" ASK_QRESYNC("A6",
				      "20") FLAGS("7", "9", "", "24")
				      VANISHED("5") "S: * OK [CLOSED] that was it\n" STATE(
					      "3", "8", "24") FLAGS("2", "6", SEEN, "24")
					      DONE("A6") "= message 6 changed\n" SYNCED HOLDS(
						      "5:7"),
		KNOWN_BEFORE},
	{"qresync-old-mailbox-never-closed",
		/* Any of it may be about the other one. */
		LOGGED_IN(" ENABLE QRESYNC") ENABLE("A1") LISTING(
			"A2") "> sync Other\n"
			      "C: A3 EXAMINE \"Other\"\n" SEARCHES("A4", "A5") EXAMINE(
				      "A3", "9") SEARCHED("A4", "A5",
				      "1:3") "= done sync Other ok\n> sync\n" ASK_QRESYNC("A6",
				      "20") FLAGS("7", "6", SEEN, "24") STATE("3", "8", "24")
				      DONE("A6") ASK_FLAGS("A7") SEARCHES("A8", "A9") DONE("A7")
					      SEARCHED("A8", "A9", "5:7")
						      SYNCED ROW("6", "known flags 0"),
		KNOWN_BEFORE},
	{"qresync-no-modseq",
		QRESYNC ASK_QRESYNC("A3",
			"20") "S: * 3 EXISTS\n"
			      "S: * OK [UIDVALIDITY 1] valid\n"
			      "S: * OK [UIDNEXT 8] next\n"
			      "S: * OK [NOMODSEQ] none\n" DONE(
				      "A3") "C: A4 UID SEARCH RETURN (ALL) DELETED\n" NONE_DELETED
				      DONE("A4") SYNCED ROW("5", "known flags 0 stale") MARK("8 0"),
		KNOWN_BEFORE},
	{"qresync-beside-another-connection",
		/* Who selects the mailbox beside one that hears of all changes asks for none. */
		LOGGED_IN(" ENABLE QRESYNC") ENABLE("A1") LISTING("A2") "> sync\n" ASK_QRESYNC(
			"A3", "20") STATE("9", "10", "20") DONE("A3") SYNCED
		"> generation\n"
		"> together body 9 0 10; body 8 0 10; body 7 0 10; body 6 0 "
		"10; body 5 0 10\n"
		"C: A4 UID FETCH 5:9 (UID INTERNALDATE BODY.PEEK[])\n"
		"> body 4 0 10\n"
		"C: A5 UID FETCH 4 (UID INTERNALDATE BODY.PEEK[])\n"
		"@accept\n" LOGGED_IN(" ENABLE QRESYNC")
			ENABLE("A21") "> body 3 0 10\n"
				      "C: A22 EXAMINE \"INBOX\"\n"
				      "C: A23 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n" STATE(
					      "9", "10", "24") DONE("A22") MARK("10 20"),
		.known = {"1:9", 1, 10, 20, 131072}, .connections = 2},

	{"qresync-on-two-connections-at-once",
		/* What the first one brought is not what the second one's answer begins from. */
		LOGGED_IN(" ENABLE QRESYNC") ENABLE("A1") LISTING(
			"A2") "> generation\n"
			      "> together body 9 0 10; body 8 0 10; body 7 0 10; body 6 0 10; body "
			      "5 0 10\n" ASK_QRESYNC("A3",
				      "20") "C: A4 UID FETCH 5:9 (UID INTERNALDATE BODY.PEEK[])\n"
					    "> body 4 0 10\n"
					    "C: A5 UID FETCH 4 (UID INTERNALDATE BODY.PEEK[])\n"
					    "@accept\n" LOGGED_IN(" ENABLE QRESYNC") ENABLE(
						    "A21") "> body 3 0 10\n" ASK_QRESYNC("A22",
						    "20") "C: A23 UID FETCH 3 (UID INTERNALDATE "
							  "BODY.PEEK[])\n"
							  "@on 1\n" STATE("8", "10", "24")
								  VANISHED("2") DONE("A3") GONE(
									  "2") "@on 2\n" STATE("7",
									  "10",
									  "25") VANISHED("1:2")
									  DONE("A22") "S: * 1 "
										      "FETCH (UID "
										      "3 BODY[] "
										      "{10}"
										      "\\r\\n012345"
										      "6789)\n"
										      "= message 3 "
										      "changed, "
										      "size\n= "
										      "sizes "
										      "distrusted\n"
										      "= done body "
										      "3 0 10 "
										      "ok\n" HOLDS(
											      "1,3:"
											      "9") ROW("3",
											      "know"
											      "n "
											      "flag"
											      "s 0 "
											      "stal"
											      "e"),
		.connections = 2, .known = {"1:9", 1, 10, 20, 131072}},

	/* ---- CONDSTORE ---- */
	{"condstore-unchanged",
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "8", "20") DONE("A2") SYNCED HOLDS("5:7")
			ROW("5", "known flags 0") THEN_NOOP("A3"),
		KNOWN_BEFORE},
	{"condstore-flags-changed",
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "8", "22") DONE("A2") ASK_FLAGS("A3")
			FLAGS("2", "6", SEEN, "22") "= message 6 changed\n" DONE("A3")
				SYNCED ROW("6", "known flags 1") MARK("8 22") THEN_NOOP("A4"),
		KNOWN_BEFORE},
	{"condstore-names-changed",
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "9", "24") DONE("A2") ASK_FLAGS("A3")
			SEARCHES("A4", "A5")
				FLAGS("1", "5", SEEN, "22") "= message 5 changed\n" DONE("A3")
					SEARCHED("A4", "A5", "5,7:8") NEWS("6", "8")
						SYNCED HOLDS("5,7:8") MARK("9 24") THEN_NOOP("A6"),
		KNOWN_BEFORE},
	{"condstore-arrival-during-the-flags",
		/* EXISTS behind EXAMINE: the names do not hold any more. */
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "8", "22") DONE("A2")
			ASK_FLAGS("A3") "S: * 4 EXISTS\n" DONE("A3") SEARCHES("A4", "A5") SEARCHED(
				"A4", "A5", "5:8") NEWS("", "8") SYNCED HOLDS("5:8") MARK("9 22"),
		KNOWN_BEFORE},
	{"condstore-expunge-during-the-flags",
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "8", "22") DONE("A2")
			ASK_FLAGS("A3") "S: * 2 EXPUNGE\n" GONE("6") DONE("A3") SYNCED HOLDS("5,7"),
		KNOWN_BEFORE},
	{"condstore-changedsince-refused",
		/* Flags are in doubt, and it is not asked again; who is \\Deleted is. */
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "8", "22") DONE("A2") ASK_FLAGS(
			"A3") "S: A3 BAD what?\n"
			      "C: A4 UID SEARCH RETURN (ALL) DELETED\n"
			      "S: * ESEARCH UID ALL 6\n" DONE("A4") GONE("6") SYNCED ROW("5",
				      "known flags 0 stale") BACK_WITH(" CONDSTORE") LISTED("A11")
				      ASK_PLAIN("A12", "A13") STATE("3", "8", "23") DONE(
					      "A12") "S: * ESEARCH UID ALL 6\n" DONE("A13") SYNCED,
		KNOWN_BEFORE},
	{"condstore-highestmodseq-falls",
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "8", "19")
			DONE("A2") "C: A3 UID SEARCH RETURN (ALL) DELETED\nS: * ESEARCH UID ALL "
				   "6\n" DONE("A3") GONE("6") SYNCED ROW("5", "known flags 0 stale")
					   MARK("8 0"),
		KNOWN_BEFORE},
	{"condstore-highestmodseq-negative",
		CONDSTORE ASK_CONDSTORE("A2") STATE("2", "8", "-1") DONE("A2") SEARCHES("A3", "A4")
			SEARCHED("A3", "A4", "5:6") GONE("7") SYNCED ROW("5", "known flags 0 stale")
				MARK("8 0"),
		KNOWN_BEFORE},
	{"condstore-parameter-refused",
		/* The mailbox itself is not: it is selected without. */
		CONDSTORE ASK_CONDSTORE("A2") "S: A2 BAD no parameters here\n" ASK_PLAIN("A3", "A4")
			STATE("3", "8", "20") DONE("A3") NONE_DELETED DONE("A4")
				SYNCED HOLDS("5:7"),
		KNOWN_BEFORE},
	{"condstore-flags-of-who-knows-whom",
		/* There was no map to read the number with. */
		CONDSTORE ASK_CONDSTORE("A2") STATE("3", "8", "20") DONE("A2") SYNCED
		"S: * 9 EXPUNGE\n" GONE("unknown") SEARCHES(
			"A3", "A4") "S: * 1 FETCH (FLAGS (\\\\Seen))\n" SEARCHED("A3", "A4", "5:7")
			GONE("unknown") ASK_FLAGS("A5")
				FLAGS("1", "5", SEEN, "22") "= message 5 changed\n" DONE(
					"A5") "> turn\n= turned\n" ROW("5", "known flags 1")
					THEN_NOOP("A6"),
		KNOWN_BEFORE},
	{"condstore-for-a-reader",
		/* Who wants a body asks for no flags: those that changed are left for the listing.
		 */
		LOGGED_IN(" CONDSTORE") LISTING("A1") "> generation\n> body 5 0 10\n" ASK_CONDSTORE(
			"A2") READ_5("A3") STATE("3", "8", "22") DONE("A2") BODY_5("A3")
			MARK("8 20") "> sync\n" ASK_FLAGS("A4") FLAGS("2", "6", DELETED, "22") GONE(
				"6") DONE("A4") SYNCED HOLDS("5,7") MARK("8 22") THEN_NOOP("A5"),
		KNOWN_BEFORE},
	{"condstore-for-a-reader-is-not-covered",
		/* IDLE tells nothing of what changed before. */
		LOGGED_IN(" CONDSTORE") LISTING("A1") "> sync\n" ASK_CONDSTORE("A2")
			STATE("3", "8", "20") DONE("A2") SYNCED
		"> generation\n"
		"> sync Other\n"
		"C: A3 EXAMINE \"Other\" (CONDSTORE)\n" SEARCHES("A4", "A5") EXAMINE(
			"A3", "9") SEARCHED("A4", "A5",
			"1:3") "= done sync Other ok\n"
			       "> body 5 0 10\n" ASK_CONDSTORE("A6") READ_5("A7") STATE("3", "8",
				       "22") "S: A6 OK [CAPABILITY IMAP4rev1 ESEARCH CONDSTORE "
					     "IDLE] in\n" BODY_5("A7") "C: A8 IDLE\n"
								       "S: + idling\n"
								       "> later 61\n"
								       "C: DONE\n"
								       "S: A8 OK done\n"
								       "C: A9 STATUS *\n"
								       "C: A10 LIST *\n" ASK_FLAGS(
									       "A11"),
		KNOWN_BEFORE},
	{"condstore-for-a-reader-beside-whom-it-is-listed",
		/* On a further connection, behind its EXAMINE: flags are asked for there. */
		LOGGED_IN(" CONDSTORE") LISTING(
			"A1") "> generation\n"
			      "> together body 9 0 10; body 8 0 10; body 7 0 10; body 6 0 10; body "
			      "5 "
			      "0 10\n" ASK_CONDSTORE(
				      "A2") "C: A3 UID FETCH 5:9 (UID INTERNALDATE "
					    "BODY.PEEK[])\n" STATE("9", "10", "22") DONE(
						    "A2") "> turn\n= turned\n"
							  "> body 4 0 10\n"
							  "C: A4 UID FETCH 4 *\n"
							  "@accept\n" LOGGED_IN(
								  " CONDSTORE ID") "C: A21 ID "
										   "*\n" DONE(
											   "A21") "> together sync; body 3 0 "
												  "10\n" ASK_CONDSTORE("A22") "C: A23 UID FETCH 1:9 (UID FLAGS) (CHANGEDSINCE 20)\n" SEARCHES(
													  "A24",
													  "A25") "C: A26 UID FETCH 3 *\n" STATE("9",
													  "10",
													  "22") DONE("A22") FLAGS("6",
													  "6",
													  SEEN,
													  "22") "= message 6 changed\n" DONE("A23")
													  SEARCHED(
														  "A24",
														  "A25",
														  "1:9") SYNCED
														  ROW("6",
															  "known flags 1"),
		.known = {"1:9", 1, 10, 20, 131072}, .connections = 2},
	{"condstore-first-listing",
		CONDSTORE ASK_CONDSTORE("A2") SEARCHES("A3", "A4") STATE("3", "8", "20") DONE("A2")
			SEARCHED("A3", "A4", "5:7") SYNCED MARK("8 20")},

	/* ---- neither ---- */
	{"plain-unchanged",
		PLAIN ASK_PLAIN("A2", "A3") STATE("3", "8", "20")
			DONE("A2") "S: * ESEARCH UID ALL 6\n" DONE("A3") GONE("6")
				SYNCED HOLDS("5,7") ROW("5", "known flags 0 stale") THEN_NOOP("A4"),
		KNOWN_BEFORE},
	{"plain-for-a-reader",
		LOGGED_IN("") LISTING(
			"A1") "> generation\n> body 5 0 10\n"
			      "C: A2 EXAMINE \"INBOX\"\n" READ_5("A3") STATE("3", "8", "20")
				      DONE("A2") BODY_5("A3") "> sync\n"
							      "C: A4 UID SEARCH RETURN (ALL) "
							      "DELETED\n"
							      "S: * ESEARCH UID ALL 6\n" DONE("A4")
								      GONE("6") SYNCED HOLDS("5,7")
									      THEN_NOOP("A5"),
		KNOWN_BEFORE},
	{"plain-as-many-but-others",
		/* One went and one came: EXISTS alone would not tell. */
		PLAIN ASK_PLAIN("A2", "A3") STATE("3", "9", "20") DONE("A2") NONE_DELETED DONE("A3")
			SEARCHES("A4", "A5") SEARCHED("A4", "A5", "5,7:8") NEWS("6", "8")
				SYNCED HOLDS("5,7:8") MARK("9 20"),
		KNOWN_BEFORE},
	{"plain-fewer",
		PLAIN ASK_PLAIN("A2", "A3") STATE("2", "8", "20") DONE("A2") NONE_DELETED DONE("A3")
			SEARCHES("A4", "A5") SEARCHED("A4", "A5", "5,7") GONE("6")
				SYNCED HOLDS("5,7"),
		KNOWN_BEFORE},
	{"plain-uidnext-missing",
		PLAIN ASK_PLAIN("A2", "A3") EXAMINE("A2", "1") NONE_DELETED DONE("A3")
			SEARCHES("A4", "A5") SEARCHED("A4", "A5", "5:7") SYNCED MARK("0 0"),
		.known = {"5:7", 1, 8, 0}},
	{"plain-expunge-during-the-search",
		PLAIN ASK_PLAIN("A2", "A3") STATE("3", "8", "20")
			DONE("A2") "S: * 2 EXPUNGE\n" NONE_DELETED GONE("6") DONE("A3")
				SYNCED HOLDS("5,7"),
		KNOWN_BEFORE},
	{"plain-arrival-during-the-search",
		PLAIN ASK_PLAIN("A2", "A3") STATE("3", "8", "20") DONE(
			"A2") "S: * 4 EXISTS\n" NONE_DELETED DONE("A3") SEARCHES("A4", "A5")
			SEARCHED("A4", "A5", "5:8") NEWS("", "8") SYNCED HOLDS("5:8") MARK("9 20"),
		KNOWN_BEFORE},
	{"plain-search-refused",
		PLAIN ASK_PLAIN("A2", "A3") STATE("3", "8", "20") DONE(
			"A2") "S: A3 BAD what is RETURN\n"
			      "C: A4 NOOP\n"
			      "C: A5 UID SEARCH ALL\n" DONE("A4") "S: * SEARCH 5 6 7\n" DONE(
				      "A5") "C: A6 UID SEARCH DELETED\nS: * SEARCH\n" DONE("A6")
				      SYNCED,
		KNOWN_BEFORE},
	{"flags-when-somebody-looks",
		/* All after the first one are asked for with it. What another client changed
		 * meanwhile is news. */
		DOUBTFUL_FLAGS
		"> together flags 5; flags 5; flags 6\n"
		"C: A4 UID FETCH 5:7 (UID FLAGS)\n" PLAIN_FLAGS(
			"1", "5", "") "= done flags 5 ok\n= done flags 5 ok\n" PLAIN_FLAGS("2", "6",
			SEEN) "= message 6 changed\n= done flags 6 ok\n> flags 7\n" PLAIN_FLAGS("3",
			"7", "") DONE("A4") "= done flags 7 ok\n" ROW("6", "known flags 1") ROW("7",
			"known flags 0") "> flags 5\n= done flags 5 ok\n> turn\n= turned\n@quiet\n",
		KNOWN_BEFORE},
	{"flags-of-a-message-that-went",
		DOUBTFUL_FLAGS "> flags 6\n"
			       "C: A4 UID FETCH 6:7 (UID FLAGS)\n" DONE(
				       "A4") "= done flags 6 IO *does not tell*\n"
					     "> flags 9\n= done flags 9 NOT_FOUND *\n",
		KNOWN_BEFORE},
	{"flags-after-a-lost-connection",
		/* Once more, and then it is given up. */
		DOUBTFUL_FLAGS "> flags 7\n"
			       "C: A4 UID FETCH 7 (UID FLAGS)\n@close\n@accept\n" LOGGED_IN("")
				       LISTED("A11") "C: A12 EXAMINE \"INBOX\"\n"
						     "C: A13 UID FETCH 7 (UID FLAGS)\n@close\n"
						     "= done flags 7 UNAVAILABLE *\n",
		KNOWN_BEFORE},
	{"flags-refused",
		DOUBTFUL_FLAGS "> flags 7\n"
			       "C: A4 UID FETCH 7 (UID FLAGS)\nS: A4 NO not now\n"
			       "= done flags 7 IO *not now*\n",
		KNOWN_BEFORE},
	{"flags-of-an-old-uidvalidity",
		DOUBTFUL_FLAGS "@close\n> flags 7\n@accept\n" LOGGED_IN("")
			LISTED("A11") "C: A12 EXAMINE \"INBOX\"\n"
				      "C: A13 UID FETCH 7 (UID FLAGS)\n" EXAMINE("A12",
					      "2") "= done flags 7 STALE *\n= generation changed\n",
		KNOWN_BEFORE},
	{"plain-lost-before-the-answer",
		PLAIN ASK_PLAIN("A2", "A3") "@close\n@accept\n" LOGGED_IN("") LISTED("A11")
			ASK_PLAIN("A12", "A13") STATE("3", "8", "20") DONE("A12")
				NONE_DELETED DONE("A13") SYNCED,
		KNOWN_BEFORE},
	{"qresync-lost-before-the-answer",
		QRESYNC ASK_QRESYNC("A3", "20") VANISHED("5:7") "@close\n@accept\n" LOGGED_IN(
			" ENABLE QRESYNC") ENABLE("A11") LISTED("A12") ASK_QRESYNC("A13", "20")
			STATE("3", "8", "20") DONE("A13") SYNCED HOLDS("5:7"),
		KNOWN_BEFORE},
	{"qresync-mailbox-refused",
		QRESYNC ASK_QRESYNC("A3", "20") "S: A3 NO [NOPERM] not you\n"
						"= done sync ACCESS *not you*\n" LISTED(
							"A4") "> sync\n" ASK_QRESYNC("A5", "20"),
		KNOWN_BEFORE},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-resync", scripts, G_N_ELEMENTS(scripts));
}
