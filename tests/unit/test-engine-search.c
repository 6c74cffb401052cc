/* The engine against scripted servers: the server searches, in one mailbox and in all. */
#include "engine-fixture.h"

#define FOUND(tag, uids)                                                                           \
	"S: * ESEARCH (TAG \"" tag "\") UID" uids "\n"                                             \
	"S: " tag " OK done\n"

#define ALL_LISTED(tag)                                                                            \
	"C: " tag " LIST *\n"                                                                      \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST (\\\\Noselect) \"/\" Above\n"                                                   \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: " tag " OK done\n"

#define START_WITH(caps)                                                                           \
	"S: * PREAUTH [CAPABILITY IMAP4rev1" caps "] hi\n" ALL_LISTED("A1") "= done start ok\n"

/* INBOX holds 5, 6 and 7. */
#define SENT SYNC "> search INBOX needle\nC: A5 UID SEARCH RETURN (ALL) TEXT needle\n"

#define ALL_SENT                                                                                   \
	START_WITH(" ESEARCH")                                                                     \
	"> search * needle\n"                                                                      \
	"C: A2 EXAMINE \"INBOX\"\n"                                                                \
	"C: A3 UID SEARCH RETURN (ALL) TEXT needle\n"

#define MULTI_SENT                                                                                 \
	START_WITH(" ESEARCH MULTISEARCH")                                                         \
	"> search * needle\n"                                                                      \
	"C: A2 ESEARCH IN (mailboxes (\"INBOX\" \"Other\")) RETURN (ALL) TEXT needle\n"

#define LOST_AGAIN(tags)                                                                           \
	"@close\n" BACK("@accept", tags) "C: " tags "2 EXAMINE \"INBOX\"\n"                        \
					 "C: " tags "3 UID SEARCH RETURN (ALL) TEXT needle\n"

#define REFUSED_INBOX                                                                              \
	"S: A2 NO [NOPERM] no\n"                                                                   \
	"S: A3 BAD no\n" ALL_LISTED("A4") "C: A5 EXAMINE \"Other\"\n"                              \
					  "C: A6 UID SEARCH RETURN (ALL) TEXT needle\n"

static const Script scripts[] = {
	{"found", SENT FOUND("A5", " ALL 5,7") "= done search INBOX needle [INBOX 5,7] ok\n"},
	{"nothing-found", SENT FOUND("A5", "") "= done search INBOX needle [] ok\n"},
	/* One flight. */
	{"cold", START
		"= done start ok\n"
		"> search INBOX from alice unseen\n"
		"C: A2 EXAMINE \"INBOX\"\n" SEARCHES("A3",
			"A4") "C: A5 UID SEARCH RETURN (ALL) FROM alice UNSEEN\n" EXAMINE("A2", "1")
			SEARCHED("A3", "A4", "5:7") FOUND("A5",
				" ALL 6") "= done search INBOX from alice unseen [INBOX 6] ok\n"},
	/* A server may do what is quick before what takes long. */
	{"answered-in-another-order", START
		"= done start ok\n"
		"> search INBOX needle\n"
		"C: A2 EXAMINE \"INBOX\"\n" SEARCHES(
			"A3", "A4") "C: A5 UID SEARCH RETURN (ALL) TEXT needle\n" EXAMINE("A2", "1")
			FOUND("A4", " ALL 5") FOUND("A5", " ALL 5:6")
				FOUND("A3", " ALL 5:7") "= done search INBOX needle [INBOX 6] ok\n"
							"> listing\n"
							"= listing 6:7\n"},
	/* The answers of two could not be told apart. */
	{"cold-without-esearch",
		START_WITH("") "> search INBOX needle\n"
			       "C: A2 EXAMINE \"INBOX\"\n"
			       "C: A3 UID SEARCH ALL\n" EXAMINE(
				       "A2", "1") "S: * SEARCH 5 6 7\n"
						  "S: A3 OK done\n"
						  "C: A4 UID SEARCH DELETED\n"
						  "S: * SEARCH 7\n"
						  "S: A4 OK done\n"
						  "C: A5 UID SEARCH TEXT needle\n"
						  "S: * SEARCH 7\n"
						  "S: * SEARCH 5\n"
						  "S: A5 OK done\n"
						  "= done search INBOX needle [INBOX 5] ok\n"},
	{"listing-waits-without-esearch",
		START_WITH("") "> together search INBOX needle; sync\n"
			       "C: A2 EXAMINE \"INBOX\"\n"
			       "C: A3 UID SEARCH ALL\n" EXAMINE(
				       "A2", "1") "S: * SEARCH 5 6 7\n"
						  "S: A3 OK done\n"
						  "C: A4 UID SEARCH DELETED\n"
						  "S: A4 OK done\n"
						  "= done sync ok\n"
						  "C: A5 UID SEARCH TEXT needle\n"
						  "> sync\n"
						  "@quiet\n"
						  "S: * SEARCH 6\n"
						  "S: A5 OK done\n"
						  "C: A6 NOOP\n"
						  "= done search INBOX needle [INBOX 6] ok\n"
						  "S: A6 OK done\n"
						  "= done sync ok\n"},
	/* Its listing is refused as ESEARCH while the search is on its way: each has its own. */
	{"beside-a-plain-listing",
		START "= done start ok\n"
		      "> search INBOX needle\n"
		      "C: A2 EXAMINE \"INBOX\"\n" SEARCHES("A3",
			      "A4") "C: A5 UID SEARCH RETURN (ALL) TEXT needle\n" EXAMINE("A2",
			      "1") "S: A3 BAD no\n"
				   "S: A4 BAD no\n"
				   "C: A6 NOOP\n"
				   "C: A7 UID SEARCH ALL\n"
				   "S: * SEARCH 5 6 7\n"
				   "S: * ESEARCH (TAG \"A5\") UID ALL 6,7\n"
				   "S: A5 OK done\n"
				   "S: A6 OK done\n"
				   "S: A7 OK done\n"
				   "C: A8 UID SEARCH DELETED\n"
				   "S: * SEARCH 7\n"
				   "S: A8 OK done\n"
				   "= done search INBOX needle [INBOX 6] ok\n"
				   "> listing\n"
				   "= listing 5:6\n"},
	{"plain-answer", SENT "S: * SEARCH 5\n"
			      "S: * SEARCH 6\n"
			      "S: A5 OK done\n"
			      "= done search INBOX needle [INBOX 5:6] ok\n"},
	{"hidden", SENT "S: * 2 FETCH (UID 6 FLAGS (\\\\Deleted))\n"
			"= names changed, gone: 6\n" FOUND(
				"A5", " ALL 5:6") "= done search INBOX needle [INBOX 5] ok\n"},
	/* The listing is older than what was found. */
	{"arrived", SENT FOUND("A5", " ALL 5,9") "C: A6 NOOP\n"
						 "S: * 4 EXISTS\n"
						 "S: A6 OK done\n"
						 "C: A7 UID SEARCH RETURN (ALL) UID 8:*\n"
						 "S: * ESEARCH (TAG \"A7\") UID ALL 9\n"
						 "S: A7 OK done\n"
						 "= names changed, gone: , new: 9\n"
						 "= done search INBOX needle [INBOX 5,9] ok\n"},
	{"joined", SYNC "> together search INBOX needle; search INBOX text \"needle\"\n"
			"C: A5 UID SEARCH RETURN (ALL) TEXT needle\n" FOUND(
				"A5", " ALL 5") "= done search INBOX needle [INBOX 5] ok\n"
						"= done search INBOX text \"needle\" [INBOX 5] ok\n"
						"@quiet\n"},
	/* The first answer may be older than what the second asker knows. */
	{"not-joined-once-sent",
		SENT "> search INBOX needle\n"
		     "> turn\n= turned\n"
		     "@quiet\n" FOUND(
			     "A5", " ALL 5") "C: A6 UID SEARCH RETURN (ALL) TEXT needle\n"
					     "= done search INBOX needle [INBOX 5] ok\n" FOUND(
						     "A6", " ALL 5:6") "= done search INBOX needle "
								       "[INBOX 5:6] ok\n"},
	{"others-in-turn",
		SENT "> search INBOX other\n"
		     "> turn\n"
		     "= turned\n"
		     "@quiet\n" FOUND(
			     "A5", " ALL 5") "C: A6 UID SEARCH RETURN (ALL) TEXT other\n"
					     "= done search INBOX needle [INBOX 5] ok\n" FOUND(
						     "A6", "") "= done search INBOX other [] ok\n"},
	{"utf8", SYNC
		"> search INBOX subject f\xc3\xbcr unseen\n"
		"C: A5 UID SEARCH RETURN (ALL) CHARSET UTF-8 SUBJECT {4}\n"
		"S: + go on\n"
		"C: f\xc3\xbcr UNSEEN\n" FOUND("A5",
			" ALL 7") "= done search INBOX subject f\xc3\xbcr unseen [INBOX 7] ok\n"},
	{"charset-refused", SYNC "> search INBOX f\xc3\xbcr\n"
				 "C: A5 UID SEARCH RETURN (ALL) CHARSET UTF-8 TEXT {4}\n"
				 "S: + go on\n"
				 "C: f\xc3\xbcr\n"
				 "S: A5 NO [BADCHARSET (US-ASCII)] no\n"
				 "= done search INBOX f\xc3\xbcr INVALID *BADCHARSET*\n"
				 "@quiet\n"},
	{"return-refused", SENT "S: A5 BAD RETURN\n"
				"C: A6 UID SEARCH TEXT needle\n"
				"S: * SEARCH 5\n"
				"S: A6 OK done\n"
				"= done search INBOX needle [INBOX 5] ok\n"},
	{"query-refused", SENT "S: A5 BAD what\n"
			       "C: A6 UID SEARCH TEXT needle\n"
			       "S: A6 BAD what\n"
			       "= done search INBOX needle INVALID *what*\n"
			       "> sync\n"
			       "C: A7 NOOP\n"},
	{"refused", SENT "S: A5 NO [LIMIT] not now\n"
			 "= done search INBOX needle LIMIT *not now*\n"},
	{"lost", SENT LOST_AGAIN("A1") EXAMINE("A12", "1")
			 FOUND("A13", " ALL 5") "= done search INBOX needle [INBOX 5] ok\n"},
	{"lost-again-and-again", SENT LOST_AGAIN("A1") EXAMINE("A12", "1") LOST_AGAIN(
					 "A2") "@close\n"
					       "= done search INBOX needle UNAVAILABLE *\n"},
	{"mailbox-refused", START "= done start ok\n"
				  "> search INBOX needle\n"
				  "C: A2 EXAMINE \"INBOX\"\n" SEARCHES(
					  "A3", "A4") "C: A5 UID SEARCH RETURN (ALL) TEXT needle\n"
						      "S: A2 NO [NOPERM] no\n"
						      "S: A3 BAD no\n"
						      "S: A4 BAD no\n"
						      "S: A5 BAD no\n"
						      "= done search INBOX needle ACCESS *no*\n"},
	/* What is found there is another mailbox's. */
	{"uidvalidity-changed",
		SENT "@close\n" RECONNECT(
			"A1") "C: A13 UID SEARCH RETURN (ALL) TEXT needle\n" EXAMINE("A12",
			"2") "= generation changed\n" FOUND("A13", " ALL 6") SEARCHES("A14", "A15")
			SEARCHED("A14", "A15", "5:7") "= names changed*\n"
						      "= done search INBOX needle [INBOX 6] ok\n"},
	{"silent",
		SENT "> turn\n"
		     "= turned\n"
		     "> later 2\n"
		     "= done search INBOX needle TIMEOUT *\n"
		     "> search INBOX needle\n"
		     "= done search INBOX needle TIMEOUT *\n"
		     "> later 2\n"
		     "> search * needle\n"
		     "= done search * needle OFFLINE *\n",
		SHORT_MS},
	/* Others need not wait for its end. */
	{"others-go-elsewhere",
		SENT "> later 2\n"
		     "> body 5 0 10\n"
		     "@accept\n"
		     "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n"
		     "C: A11 EXAMINE \"INBOX\"\n"
		     "C: A12 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[]*\n"
		     "@on 1\n" FOUND("A5", " ALL 5") "= done search INBOX needle [INBOX 5] ok\n",
		.connections = 2},
	{"stopped", SENT "> stop\n"
			 "= done search INBOX needle CANCELLED *\n"},

	/* ---- all mailboxes ---- */

	/* The second one is listed when something is found in it. */
	{"all", ALL_SENT EXAMINE("A2", "1") FOUND("A3",
			"") "C: A4 EXAMINE \"Other\"\n"
			    "C: A5 UID SEARCH RETURN (ALL) TEXT needle\n" EXAMINE("A4", "1")
				    FOUND("A5", " ALL 1,3") SEARCHES("A6", "A7") SEARCHED("A6",
					    "A7", "1:3") "= done search * needle [Other 1,3] ok\n"},
	{"all-but-one", ALL_SENT REFUSED_INBOX EXAMINE("A5", "1")
				FOUND("A6", "") "= done search * needle [] ok\n"},
	{"all-refused", ALL_SENT REFUSED_INBOX "S: A5 NO [NOPERM] no\n"
					       "S: A6 BAD no\n"
					       "= done search * needle ACCESS *\n"},
	/* The next mailbox would refuse it, too. */
	{"all-query-refused",
		ALL_SENT EXAMINE("A2", "1") "S: A3 BAD what\n"
					    "C: A4 EXAMINE \"Other\"\n"
					    "C: A5 UID SEARCH TEXT needle\n" EXAMINE("A4",
						    "1") "S: A5 BAD what\n"
							 "= done search * needle INVALID *what*\n"
							 "@quiet\n"},
	{"all-stopped", ALL_SENT "> stop\n"
				 "= done search * needle CANCELLED *\n"},
	{"all-at-once", MULTI_SENT
		"S: * ESEARCH (TAG \"x\" MAILBOX INBOX UIDVALIDITY 1) UID ALL 5\n"
		"S: * ESEARCH (TAG \"x\" MAILBOX Unknown UIDVALIDITY 1) UID ALL 5\n"
		"S: A2 OK done\n"
		"C: A3 EXAMINE \"INBOX\"\n" SEARCHES("A4", "A5") EXAMINE("A3", "1") SEARCHED("A4",
			"A5",
			"5:7") "= done search * needle [INBOX 5] ok\n"
			       "> search * needle\n"
			       "C: A6 ESEARCH IN (mailboxes (\"INBOX\" \"Other\")) RETURN (ALL) "
			       "TEXT needle\n"
			       "S: * ESEARCH (TAG \"x\" MAILBOX INBOX UIDVALIDITY 1) UID ALL 6\n"
			       "S: A6 OK done\n"
			       "= done search * needle [INBOX 6] ok\n"},
	{"all-at-once-nothing", MULTI_SENT "S: A2 OK done\n"
					   "= done search * needle [] ok\n"},
	/* Nobody knows which messages it is about. */
	{"all-at-once-other-uidvalidity", MULTI_SENT
		"S: * ESEARCH (TAG \"x\" MAILBOX INBOX UIDVALIDITY 9) UID ALL 5\n"
		"S: A2 OK done\n"
		"C: A3 EXAMINE \"INBOX\"\n" SEARCHES("A4", "A5") EXAMINE("A3", "1") SEARCHED(
			"A4", "A5", "5:7") "C: A6 UID SEARCH RETURN (ALL) TEXT needle\n" FOUND("A6",
			" ALL 7") "= done search * needle [INBOX 7] ok\n"},
	{"all-at-once-refused", MULTI_SENT
		"S: * ESEARCH (TAG \"x\" MAILBOX INBOX UIDVALIDITY 1) UID ALL 5\n"
		"S: A2 BAD what\n"
		"C: A3 EXAMINE \"INBOX\"\n"
		"C: A4 UID SEARCH RETURN (ALL) TEXT needle\n" EXAMINE("A3", "1") FOUND("A4",
			"") "C: A5 EXAMINE \"Other\"\n"
			    "C: A6 UID SEARCH RETURN (ALL) TEXT needle\n" EXAMINE("A5", "1")
				    FOUND("A6", "") "= done search * needle [] ok\n"
						    "> search * needle\n"
						    "C: A7 EXAMINE \"INBOX\"\n"
						    "C: A8 UID SEARCH RETURN (ALL) TEXT needle\n"},
	{"all-at-once-stopped", MULTI_SENT "> stop\n"
					   "= done search * needle CANCELLED *\n"},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-search", scripts, G_N_ELEMENTS(scripts));
}
