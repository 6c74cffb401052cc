/* The engine against scripted servers: how it keeps right what was looked at, by IDLE, by NOTIFY
 * and by STATUS. */
#include "engine-fixture.h"

#define START_WITH(caps)                                                                           \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH " caps "] hi\n"                                \
	"C: A1 LIST *\n"                                                                           \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: A1 OK done\n"                                                                          \
	"= done start ok\n"

/* The mailbox holds 5, 6 and 7. */
#define SYNCED_WITH(words, name, examine, all, deleted, next)                                      \
	"> sync" words "\n"                                                                        \
	"C: " examine " EXAMINE \"" name "\"\n" SEARCHES(all, deleted) next                        \
	EXAMINE(examine, "1") SEARCHED(all, deleted, "5:7") "= done sync" words " ok\n"
#define SYNCED(words, name, examine, all, deleted)                                                 \
	SYNCED_WITH(words, name, examine, all, deleted, "")

#define IDLE(tag)                                                                                  \
	"C: " tag " IDLE\n"                                                                        \
	"S: + idling\n"

#define IDLE_ENDS(tag)                                                                             \
	"C: DONE\n"                                                                                \
	"S: " tag " OK done\n"

#define IDLING START_WITH("IDLE") SYNCED("", "INBOX", "A2", "A3", "A4") IDLE("A5")

#define NOT_CONNECTED(tag)                                                                         \
	"C: " tag " IDLE\n"                                                                        \
	"S: " tag " BAD not connected\n"

/* On a new connection. */
#define IDLING_AGAIN                                                                               \
	"@accept\n"                                                                                \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE] hi\n" LISTED(                            \
		"A11") "C: A12 EXAMINE \"INBOX\"\n" SEARCHES("A13", "A14") EXAMINE("A12", "1")     \
		SEARCHED("A13", "A14", "5:7") IDLE("A15")

/* What it told shows that IDLE runs. */
#define TOLD                                                                                       \
	IDLING "S: * 3 EXPUNGE\n"                                                                  \
	       "= names changed, gone: 7\n"

#define DOUBTED "= names changed, gone: unknown\n"

#define STATUS(tag, name) "C: " tag " STATUS \"" name "\" (MESSAGES UIDNEXT UIDVALIDITY)\n"

/* The one connection makes sure that the mailbox is still the one it has selected, and lists. */
#define SELECTED_ANEW(name, n, uids, examine, all, deleted, list)                                  \
	"C: " examine " EXAMINE \"" name                                                           \
	"\"\n" SEARCHES(all, deleted) "C: " list " LIST *\n"                                       \
				      "S: * " n " EXISTS\n"                                        \
				      "S: * OK [UIDVALIDITY 1] valid\n"                            \
				      "S: " examine " OK done\n" SEARCHED(all, deleted, uids)

#define VERIFIED(name, n, uids, examine, all, deleted, list)                                       \
	SELECTED_ANEW(name, n, uids, examine, all, deleted, list)                                  \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: " list " OK done\n"

/* INBOX was listed, then Other; INBOX is not selected any more. */
#define LEFT                                                                                       \
	START_WITH("")                                                                             \
	SYNCED_WITH("", "INBOX", "A2", "A3", "A4", "S: * OK [UIDNEXT 8] next\n")                   \
	SYNCED(" Other", "Other", "A6", "A7", "A8")

/* A login that the server takes and ends; no clock goes on before the engine knows. */
#define BRIEF                                                                                      \
	"@accept\n"                                                                                \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE] hi\\r\\n* BYE not you\n"                 \
	"@eof\n"                                                                                   \
	"@close\n"                                                                                 \
	"> turn\n"                                                                                 \
	"= turned\n"

#define CAPABLE "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE] hi\n"

#define LISTING_BREAKS(tags)                                                                       \
	"@close\n"                                                                                 \
	"@accept\n" CAPABLE                                                                        \
	LISTED(tags "1") "C: " tags "2 EXAMINE \"INBOX\"\n"

#define NOTIFY(tag)                                                                                \
	"C: " tag " NOTIFY SET (selected-delayed (MessageNew (UID FLAGS) MessageExpunge"           \
	" FlagChange)) (personal (MessageNew MessageExpunge FlagChange MailboxName"                \
	" SubscriptionChange))\n"

#define NOTIFIED                                                                                   \
	START_WITH("NOTIFY")                                                                       \
	NOTIFY("A2")                                                                               \
	"S: A2 OK done\n" SYNCED("", "INBOX", "A3", "A4", "A5")                                    \
		SYNCED(" Other", "Other", "A6", "A7", "A8")

/* Two connections in IDLE, on Other and on INBOX; the first is asked for INBOX. */
#define BOTH_IDLE                                                                                  \
	START_WITH("IDLE")                                                                         \
	SYNCED(" Other", "Other", "A2", "A3", "A4")                                                \
	"@accept\n" CAPABLE "C: A11 EXAMINE \"INBOX\"\n" SEARCHES("A12", "A13")                    \
		EXAMINE("A11", "1") SEARCHED("A12", "A13", "5:7")                                  \
			IDLE("A14") "@on 1\n" IDLE("A5") "> later 61\n" IDLE_ENDS("A5")            \
				STATUS("A6", "INBOX") LISTED("A7")

/* The extended LIST of RFC 5258, RFC 6154 and RFC 5819 that a mount begins with. */
#define LIST_FIRST(caps, command)                                                                  \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH " caps "] hi\n"                                \
	"C: A1 " command "\n"

static const Script scripts[] = {
	{"idle-covers-what-is-selected",
		/* Without any request it stays right beyond `poll`. */
		TOLD "> later 61\n" IDLE_ENDS("A5") VERIFIED(
			"INBOX", "2", "5:6", "A6", "A7", "A8", "A9") IDLE("A10") "> fresh\n"
										 "= fresh: yes\n"},
	{"idle-covers-nothing-when-mailboxes-come",
		/* What is selected may be another one: it is selected anew, and not when asked for.
		 */
		TOLD "> later 61\n" IDLE_ENDS("A5") SELECTED_ANEW(
			"INBOX", "2", "5:6", "A6", "A7", "A8", "A9") "S: * LIST () \"/\" INBOX\n"
								     "S: * LIST () \"/\" Old\n"
								     "S: * LIST () \"/\" Other\n"
								     "S: A9 OK done\n"
								     "= names doubted\n"
								     "C: A10 EXAMINE \"INBOX\"\n"},
	{"idle-covers-what-another-one-has-replaced",
		/* IDLE says nothing of it, but who has not selected it knows better. */
		BOTH_IDLE
		"S: * STATUS INBOX (MESSAGES 3 UIDNEXT 8 UIDVALIDITY 1)\n"
		"S: A6 OK done\n" IDLE("A8") "@on 2\n" IDLE_ENDS("A14") STATUS("A15",
			"Other") "S: * STATUS Other (MESSAGES 3 UIDNEXT 8 UIDVALIDITY 2)\n" DOUBTED
				 "S: A15 OK done\n"
				 "@on 1\n" IDLE_ENDS("A8") "C: A9 EXAMINE \"Other\"\n",
		.connections = 2},
	{"idle-goes-on-telling-when-status-is-refused",
		/* Nobody looks: what comes next is told all the same. */
		BOTH_IDLE "S: A6 NO not now\n" IDLE("A8") "@on 2\n" IDLE_ENDS("A14") STATUS("A15",
			"Other") "S: A15 OK done\n"
				 "C: A16 NOOP\nS: A16 OK done\n" IDLE(
					 "A17") "S: * 4 EXISTS\n" DOUBTED
					 IDLE_ENDS("A17") "C: A18 UID SEARCH RETURN (ALL) UID 8:*\n"
							  "S: * ESEARCH UID ALL 8\n"
							  "S: A18 OK done\n= names changed, gone: "
							  ", new: 8\n",
		.connections = 2},
	{"idle-tells-of-new-mail",
		IDLING "S: * 4 EXISTS\n" DOUBTED IDLE_ENDS(
			"A5") "C: A6 UID SEARCH RETURN (ALL) UID 8:*\n"
			      "S: * ESEARCH UID ALL 8\n"
			      "S: A6 OK done\n= names changed, gone: , new: 8\n" IDLE(
				      "A7") "> fresh\n"
					    "= fresh: yes\n"
					    "> listing\n"
					    "= listing 5:8\n"},
	{"idle-tells-of-expunges", IDLING "S: * 2 EXPUNGE\n"
					  "= names changed, gone: 6\n"
					  "> listing\n"
					  "= listing 5,7\n"},
	{"idle-tells-of-deletion-in-two-steps",
		/* Who is hidden since it is \\Deleted does not go once more. */
		IDLING "S: * 2 FETCH (FLAGS (\\\\Deleted))\n"
		       "= names changed, gone: 6\n"
		       "S: * 2 FETCH (FLAGS (\\\\Deleted \\\\Seen))\n"
		       "S: * 2 EXPUNGE\n"
		       "> turn\n"
		       "= turned\n"
		       "S: * 2 EXPUNGE\n"
		       "= names changed, gone: 7\n"
		       "> listing\n"
		       "= listing 5\n"},
	{"idle-tells-of-deletion-of-what-is-shown",
		IDLING "S: * 2 FETCH (FLAGS (\\\\Deleted))\n"
		       "= message 6 changed\n"
		       "S: * 2 EXPUNGE\n"
		       "= names changed, gone: 6\n",
		.show_deleted = true},
	{"idle-is-renewed-and-proved",
		TOLD "> later 301\n" IDLE_ENDS("A5") "C: A6 NOOP\n"
						     "S: A6 OK done\n" LISTED("A7") IDLE("A8")},
	{"idle-refused-is-not-tried-again",
		/* It is polled, also on the next connection. */
		START_WITH("IDLE") SYNCED("", "INBOX", "A2", "A3",
			"A4") "C: A5 IDLE\n"
			      "S: A5 BAD no\n"
			      "> later 61\n" LISTED(
				      "A6") "C: A7 NOOP\n"
					    "S: A7 OK done\n"
					    "@close\n"
					    "@accept\n"
					    "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE] "
					    "hi\n" LISTED("A8") SYNCED("", "INBOX", "A9", "A10",
						    "A11") "> later 61\n" LISTED("A12") "C: A13 "
											"NOOP\n"},
	{"idle-refused-after-it-worked-is-tried-again",
		/* On the next connection; LIST shows that the refusal was seen. */
		IDLING
		"> turn\n"
		"= turned\n"
		"> later 301\n" IDLE_ENDS("A5") "C: A6 NOOP\n"
						"S: A6 OK done\n" LISTED("A7")
							NOT_CONNECTED("A8") "> later 61\n" LISTED(
								"A9") "@close\n" IDLING_AGAIN},
	{"inbox-is-kept-beside-the-last",
		/* Somebody looks at Other: INBOX gets a connection of its own. */
		START_WITH("IDLE") SYNCED(" Other", "Other", "A2", "A3",
			"A4") "@accept\n"
			      "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE] hi\n"
			      "C: A11 EXAMINE \"INBOX\"\n" SEARCHES("A12", "A13")
				      EXAMINE("A11", "1") SEARCHED("A12", "A13", "5:7")
					      IDLE("A14") "> fresh\n"
							  "= fresh: yes\n",
		.connections = 2},
	{"inbox-that-cannot-be-selected-is-left",
		START_WITH("IDLE") SYNCED(" Other", "Other", "A2", "A3",
			"A4") "@accept\n"
			      "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE] hi\n"
			      "C: A11 EXAMINE \"INBOX\"\n" SEARCHES("A12",
				      "A13") "S: A11 NO [CANNOT] no\n"
					     "S: A12 BAD no\n"
					     "S: A13 BAD no\n" LISTED(
						     "A14") "> sync Other\n"
							    "@on 1\n" IDLE("A5") IDLE_ENDS(
								    "A5") "C: A6 NOOP\n"
									  "S: A6 OK done\n"
									  "= done sync Other ok\n"
									  "@on 2\n"
									  "@quiet\n",
		.connections = 2},
	{"inbox-that-cannot-be-listed-is-left",
		/* For a minute, so that others can be read: each attempt costs the connection. */
		START_WITH("IDLE") "> sync\n"
				   "C: A2 EXAMINE \"INBOX\"\n" LISTING_BREAKS("A1") LISTING_BREAKS(
					   "A2") "@close\n"
						 "= done sync UNAVAILABLE *\n"
						 "@accept\n" CAPABLE LISTED("A31") DOUBTED
		"> later 45\n" LISTED("A32") "> later 16\n"
					     "C: A33 EXAMINE "
					     "\"INBOX\"\n",
		.poll_s = 40},
	{"further-logins-that-do-not-last-are-few",
		/* INBOX does without a connection of its own for a while. */
		START_WITH("IDLE") SYNCED(" Other", "Other", "A2", "A3", "A4") BRIEF BRIEF
		"@on 1\n" IDLE("A5") "> later 61\n" IDLE_ENDS("A5")
			VERIFIED("Other", "3", "5:7", "A6", "A7", "A8", "A9") IDLE(
				"A10") "> later 61\n" IDLE_ENDS("A10") "C: A16 EXAMINE \"Other\"\n"
								       "@nobody\n",
		.connections = 2},
	{"lost-while-it-asks-is-asked-again",
		/* Nobody waits, and it is listed all the same. */
		START_WITH("") SYNCED("", "INBOX", "A2", "A3",
			"A4") "S: * 4 EXISTS\n" DOUBTED "C: A5 UID SEARCH RETURN (ALL) UID 8:*\n"
			      "@close\n"
			      "@accept\n"
			      "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n" LISTED(
				      "A11") "C: A12 EXAMINE \"INBOX\"\n" SEARCHES("A13",
				      "A14") "S: * 4 EXISTS\n"
					     "S: * OK [UIDVALIDITY 1] valid\n"
					     "S: A12 OK done\n" SEARCHED("A13", "A14",
						     "5:8") "= names changed, gone: , new: 8\n"},
	{"made-anew-beside-idle-is-selected-anew",
		/* IDLE says nothing of it. */
		IDLING "S: * STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 2)\n" DOUBTED IDLE_ENDS(
			"A5") "C: A6 EXAMINE \"INBOX\"\n"},
	{"lost-is-reconnected-and-listed-again",
		/* Nobody asks, but what was told by itself is to be right again soon. */
		IDLING "@close\n"
		       "@accept\n"
		       "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE] hi\n" LISTED(
			       "A11") "C: A12 EXAMINE \"INBOX\"\n" SEARCHES("A13",
			       "A14") "S: * 2 EXISTS\n"
				      "S: * OK [UIDVALIDITY 1] valid\n"
				      "S: A12 OK done\n" SEARCHED("A13", "A14",
					      "5,7") "= names changed, gone: 6\n" IDLE("A15")},
	{"status-confirms",
		LEFT "> later 61\n" STATUS("A9", "INBOX")
			LISTED("A10") "C: A11 NOOP\n"
				      "S: * STATUS INBOX (MESSAGES 3 UIDNEXT 8 UIDVALIDITY 1)\n"
				      "S: A9 OK done\n"
				      "S: A11 OK done\n"
				      "> turn\n"
				      "= turned\n"
				      "> fresh\n"
				      "= fresh: yes\n"
				      "> later 61\n" STATUS("A12", "INBOX")},
	{"status-contradicts",
		/* Whoever looks at it next has it listed. */
		LEFT "> later 61\n" STATUS("A9", "INBOX") LISTED(
			"A10") "C: A11 NOOP\n"
			       "S: * STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 1)\n" DOUBTED
			       "> fresh\n"
			       "= fresh: no\n"
			       "S: A9 OK done\n"
			       "S: A11 OK done\n"
			       "> sync\n"
			       "C: A12 EXAMINE \"INBOX\"\n"
			       "C: A13 UID SEARCH RETURN (ALL) DELETED\n"
			       "S: * OK [UIDNEXT 9] next\n" EXAMINE("A12",
				       "1") "S: * ESEARCH UID\n"
					    "S: A13 OK done\n" SEARCHES("A14", "A15") SEARCHED(
						    "A14", "A15",
						    "5:6,8") "= names changed, gone: 7, new: 8\n"
							     "= done sync ok\n"},
	{"status-of-another-uidvalidity",
		LEFT "> later 61\n" STATUS("A9", "INBOX") LISTED(
			"A10") "C: A11 NOOP\n"
			       "S: * STATUS INBOX (MESSAGES 3 UIDNEXT 8 UIDVALIDITY 2)\n" DOUBTED},
	{"status-of-fewer-messages",
		LEFT "> later 61\n" STATUS("A9", "INBOX") LISTED(
			"A10") "C: A11 NOOP\n"
			       "S: * STATUS INBOX (MESSAGES 2 UIDNEXT 8 UIDVALIDITY 1)\n" DOUBTED},
	{"status-refused", LEFT "> later 61\n" STATUS("A9", "INBOX")
				   LISTED("A10") "C: A11 NOOP\n"
						 "S: A9 NO not now\n" DOUBTED},
	{"status-is-believed-for-a-while",
		/* It does not tell who is \\Deleted. INBOX is listed although nobody looks. */
		LEFT "> later 601\n" STATUS("A9", "INBOX") LISTED(
			"A10") "C: A11 NOOP\n"
			       "S: * STATUS INBOX (MESSAGES 3 UIDNEXT 8 UIDVALIDITY 1)\n" DOUBTED
			       "S: A9 OK done\n"
			       "S: A11 OK done\n"
			       "C: A12 EXAMINE \"INBOX\"\n"},
	{"notify-tells-of-other-mailboxes",
		NOTIFIED "S: * STATUS INBOX (MESSAGES 4 UIDNEXT 9)\n" DOUBTED
			 "C: A9 EXAMINE \"INBOX\"\n" SEARCHES(
				 "A10", "A11") "S: * 4 EXISTS\n"
					       "S: * OK [UIDVALIDITY 1] valid\n"
					       "S: A9 OK done\n" SEARCHED("A10", "A11",
						       "5:8") "= names changed, gone: , new: 8\n"
							      "> turn\n"
							      "= turned\n"
							      "> fresh\n"
							      "= fresh: yes\n"
							      "> listing\n"
							      "= listing 5:8\n"
							      "@quiet\n"},
	{"notify-names-what-arrives",
		/* The FETCH that comes with EXISTS is all that is needed. */
		START_WITH("NOTIFY") NOTIFY("A2") "S: A2 OK done\n" SYNCED("", "INBOX", "A3", "A4",
			"A5") "S: * 4 EXISTS\\r\\n* 4 FETCH (UID 8 FLAGS ())\n" DOUBTED
			      "= names changed, gone: , new: 8\n> turn\n"
			      "= turned\n"
			      "> listing\n"
			      "= listing 5:8\n"
			      "> fresh\n"
			      "= fresh: yes\n"
			      "@quiet\n"},
	{"notify-names-what-arrives-before-it-is-there",
		/* A FETCH beyond EXISTS teaches nothing: it is asked for. */
		START_WITH("NOTIFY") NOTIFY("A2") "S: A2 OK done\n" SYNCED("", "INBOX", "A3", "A4",
			"A5") "S: * 4 FETCH (UID 8 FLAGS ())\\r\\n* 4 EXISTS\n" DOUBTED
			      "C: A6 UID SEARCH RETURN (ALL) UID 8:*\n"
			      "S: * ESEARCH UID ALL 8\n"
			      "S: A6 OK done\n= names changed, gone: , new: 8\n"},
	{"notify-tells-of-new-folders", NOTIFIED
		"S: * LIST () \"/\" New\n" LISTED("A9") "S: * LIST () \"/\" Newer\n" LISTED("A10")},
	{"notify-moves-to-another-connection",
		START_WITH("NOTIFY") NOTIFY("A2") "S: A2 OK done\n" SYNCED("", "INBOX", "A3", "A4",
			"A5") "> generation\n"
			      "> attributes 7\n"
			      "C: A6 UID FETCH *\n"
			      "> sync Other\n"
			      "@accept\n"
			      "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH NOTIFY] hi\n"
			      "C: A11 EXAMINE \"Other\"\n" SEARCHES("A12", "A13")
				      EXAMINE("A11", "1") SEARCHED("A12", "A13",
					      "5:7") "= done sync Other ok\n"
						     "@on 1\n" ATTRIBUTES("3", "7",
							     "10") "= done attributes 7 ok\n"
								   "@close\n"
								   "@on 2\n" NOTIFY("A14"),
		.connections = 2},
	{"notify-overflows",
		/* From there on it is as without, and what it covered is compared. */
		NOTIFIED "S: * OK [NOTIFICATIONOVERFLOW] too much\n"
			 "@eof\n"
			 "@close\n"
			 "@accept\n"
			 "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH NOTIFY] hi\n" LISTED("A9")
				 STATUS("A10", "INBOX") STATUS("A11", "Other")},
	{"notify-refused",
		START_WITH("NOTIFY IDLE") NOTIFY("A2") "S: A2 NO [BADEVENT] no\n" SYNCED(
			"", "INBOX", "A3", "A4", "A5")
			IDLE("A6") "@close\n"
				   "@accept\n"
				   "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH IDLE NOTIFY] "
				   "hi\n" LISTED("A11") "C: A12 EXAMINE \"INBOX\"\n"},
	{"slept-is-probed",
		/* Who does not answer soon is left, long before the timeout. */
		START_WITH("") SYNCED("", "INBOX", "A2", "A3", "A4") "> sleep 60\n"
								     "C: A5 NOOP\n"
								     "> turn\n"
								     "= turned\n"
								     "> later 4\n"
								     "@accept\n"},
	{"slept-but-alive", START_WITH("") SYNCED("", "INBOX", "A2", "A3", "A4") "> sleep 60\n"
										 "C: A5 NOOP\n"
										 "S: A5 OK done\n"
										 "> turn\n"
										 "= turned\n"
										 "> later 4\n"
										 "> sync\n"
										 "C: A6 NOOP\n"},
	{"slept-is-compared",
		/* The clock that counts did not go on. */
		LEFT "> sleep 3600\n"
		     "C: A9 NOOP\n" STATUS("A10", "INBOX") "> fresh\n"
							   "= fresh: no\n"},
	/* What is not asked for an extended LIST does not tell: neither uses nor children. */
	{"list-asks-for-uses",
		LIST_FIRST("LIST-EXTENDED SPECIAL-USE LIST-STATUS",
			"LIST \"\" \"*\" RETURN (CHILDREN SPECIAL-USE)") "S: A1 OK done\n"
									 "= done start ok\n"},
	{"list-asks-for-no-uses", LIST_FIRST("LIST-EXTENDED", "LIST \"\" \"*\" RETURN (CHILDREN)")},
	{"list-is-plain-without-extended", LIST_FIRST("SPECIAL-USE", "LIST \"\" \"*\"")},
	{"list-of-subscribed-asks-for-uses",
		LIST_FIRST("LIST-EXTENDED SPECIAL-USE",
			"LIST (SUBSCRIBED) \"\" \"*\" RETURN (CHILDREN SPECIAL-USE)"),
		.subscribed = true},
	/* LSUB is no command of it (RFC 9051, appendix E). */
	{"list-of-subscribed-of-rev2",
		LIST_FIRST("IMAP4rev2", "LIST (SUBSCRIBED) \"\" \"*\" RETURN (CHILDREN)"),
		.subscribed = true},
	{"list-extended-is-not-understood",
		LIST_FIRST("LIST-EXTENDED SPECIAL-USE", "LIST \"\" \"*\" RETURN (CHILDREN "
							"SPECIAL-USE)") "S: * LIST () \"/\" Half\n"
									"S: A1 BAD what is RETURN\n"
									"C: A2 LIST \"\" \"*\"\n"
									"S: * LIST () \"/\" "
									"INBOX\n"
									"S: A2 OK done\n"
									"= done start ok\n"
									"> mailboxes\n"
									"= mailboxes INBOX\n"
									"> later 61\n"
									"C: A3 LIST \"\" \"*\"\n"},
	{"list-is-refused", LIST_FIRST("LIST-EXTENDED",
				    "LIST \"\" \"*\" RETURN (CHILDREN)") "S: A1 NO not now\n"
									 "= done start *\n"},
	{"slept-while-away-is-tried-at-once", START_WITH("") "@close\n"
							     "@accept\n"
							     "@close\n"
							     "@accept\n"
							     "@close\n"
							     "> sleep 60\n"
							     "@accept 0 0\n"},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-push", scripts, G_N_ELEMENTS(scripts));
}
