/* The engine against scripted servers: how it knows which messages a mailbox holds, and when what
 * it knew is not true any more. */
#include "engine-fixture.h"

#define BEGUN                                                                                      \
	START "= done start ok\n"                                                                  \
	      "> sync\n"                                                                           \
	      "C: A2 EXAMINE \"INBOX\"\n" SEARCHES("A3", "A4") EXAMINE("A2", "1")

/* Once more in the oldest form; 6 is \Deleted. The selection is as good as before. */
#define PLAIN                                                                                      \
	"C: A5 NOOP\n"                                                                             \
	"C: A6 UID SEARCH ALL\n"                                                                   \
	"S: A5 OK done\n"                                                                          \
	"S: * SEARCH 7 5 6\n"                                                                      \
	"S: A6 OK done\n"                                                                          \
	"C: A7 UID SEARCH DELETED\n"                                                               \
	"S: * SEARCH 6\n"                                                                          \
	"S: A7 OK done\n"                                                                          \
	"= done sync ok\n"                                                                         \
	"> listing\n"                                                                              \
	"= listing 5,7\n"                                                                          \
	"> sync\n"                                                                                 \
	"C: A8 NOOP\n"

#define REFUSED_SEARCH(answer)                                                                     \
	BEGUN "S: A3 " answer "\n"                                                                 \
	      "S: A4 " answer "\n" PLAIN

#define REFUSED_BOTH                                                                               \
	BEGUN "S: A3 BAD no\n"                                                                     \
	      "S: A4 BAD no\n"                                                                     \
	      "C: A5 NOOP\n"                                                                       \
	      "C: A6 UID SEARCH ALL\n"

/* Two refusals in a row: the mailbox is selected anew. */
#define DOUBT(first, second)                                                                       \
	"> sync\n"                                                                                 \
	"C: " first " NOOP\n"                                                                      \
	"S: " first " NO not now\n"                                                                \
	"= done sync IO *\n"                                                                       \
	"> sync\n"                                                                                 \
	"C: " second " NOOP\n"                                                                     \
	"S: " second " NO not now\n"                                                               \
	"= done sync IO *\n"

#define NEW_UIDVALIDITY(examine, all, deleted, uidvalidity)                                        \
	"> sync\n"                                                                                 \
	"C: " examine " EXAMINE \"INBOX\"\n" SEARCHES(all, deleted)                                \
		EXAMINE(examine, uidvalidity) "= generation changed\n" SEARCHED(                   \
			all, deleted, "5:7") "= done sync ok\n"

/* An answer to LIST that has one mailbox more than before. */
#define WITH_OLD(tag)                                                                              \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST () \"/\" Old\n"                                                                 \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: " tag " OK done\n"

#define REFUSED_MAILBOX(examine, search, deleted, why)                                             \
	"C: " examine                                                                              \
	" EXAMINE \"INBOX\"\n" SEARCHES(search, deleted) "S: " examine " NO " why "\n"             \
							 "S: " search " BAD no mailbox\n"          \
							 "S: " deleted " BAD no mailbox\n"

static const Script scripts[] = {
	{"connection-lost-within-sync", START
		"= done start ok\n"
		"> sync\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		"C: A3 UID SEARCH RETURN (ALL) ALL\n"
		"C: A4 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE("A2", "1") "@close\n" RECONNECT(
			"A1") "C: A13 UID SEARCH RETURN (ALL) ALL\n"
			      "C: A14 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE(
				      "A12", "1") "S: * ESEARCH UID ALL 5:7\n"
						  "S: A13 OK done\n"
						  "S: * ESEARCH UID\n"
						  "S: A14 OK done\n"
						  "= done sync ok\n"},
	{"uidvalidity-changed", KNOWN
		"> body 5 0 10\n"
		"C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		"@close\n" RECONNECT(
			"A1") "C: A13 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n" EXAMINE("A12",
			"2") "= done body 5 0 10 STALE *\n"
			     "= generation changed\n"
			     "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\nother55555)\n"
			     "S: A13 OK done\n"
			     "> body 5 0 10\n"
			     "= done body 5 0 10 STALE *\n"
			     "> read 5 0 10\n"
			     "= read absent \n"
			     "> generation\n"
			     "> read 5 0 10\n"
			     "= read * \n"},
	{"search-does-not-add-up", START "= done start ok\n"
					 "> sync\n"
					 "C: A2 EXAMINE \"INBOX\"\n"
					 "C: A3 UID SEARCH RETURN (ALL) ALL\n"
					 "C: A4 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE(
						 "A2", "1") "S: * ESEARCH UID ALL 5\n"
							    "S: A3 OK done\n"
							    "S: A4 OK done\n"
							    "C: A5 NOOP\n"
							    "C: A6 UID SEARCH ALL\n"
							    "S: A5 OK done\n"
							    "S: A6 OK done\n"
							    "C: A7 UID SEARCH DELETED\n"
							    "S: A7 OK done\n"
							    "= done sync IO *does not say*\n"},
	{"mailbox-refused",
		/* It is listed all the same, and asked for once more. */
		START "= done start ok\n"
		      "> sync\n" REFUSED_MAILBOX("A2", "A3", "A4", "[NONEXISTENT] gone")
			      LISTED("A5") REFUSED_MAILBOX("A6", "A7", "A8",
				      "[NONEXISTENT] gone") "= done sync NOT_FOUND *gone*\n"
							    "> sync\n"
							    "C: A9 EXAMINE \"INBOX\"\n"},
	{"mailbox-refused-for-a-reason",
		START "= done start ok\n"
		      "> sync\n" REFUSED_MAILBOX("A2", "A3", "A4",
			      "[NOPERM] no") "= done sync ACCESS *no*\n" LISTED("A5")},
	{"mailbox-refused-is-gone",
		/* The server does not say why, but LIST does. */
		KNOWN
		"> sync Other\n"
		"C: A6 EXAMINE \"Other\"\n" SEARCHES("A7", "A8") EXAMINE("A6", "1") SEARCHED(
			"A7", "A8", "1:3") "= done sync Other ok\n"
					   "> body 6 0 10\n"
					   "C: A9 EXAMINE \"INBOX\"\n"
					   "C: A10 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"
					   "S: A9 NO no such mailbox\n"
					   "S: A10 BAD no mailbox\n"
					   "C: A11 LIST *\n"
					   "S: * LIST () \"/\" Other\n"
					   "S: A11 OK done\n"
					   "= names doubted\n"
					   "= names doubted\n"
					   "= done body 6 0 10 STALE *no such*\n"},
	{"mailbox-refused-while-listed",
		/* That LIST may be from before. */
		START "= done start ok\n"
		      "> later 61\n"
		      "C: A2 LIST *\n"
		      "> sync\n" REFUSED_MAILBOX("A3", "A4", "A5",
			      "no such mailbox") "S: * LIST () \"/\" INBOX\n"
						 "S: * LIST () \"/\" Other\n"
						 "S: A2 OK done\n"
						 "C: A6 LIST *\n"
						 "S: * LIST () \"/\" Other\n"
						 "S: A6 OK done\n"
						 "= done sync NOT_FOUND *no such*\n"},
	{"mailbox-refused-and-what-tells-is-lost",
		/* The LIST that went with its connection says nothing; the next one does. */
		START "= done start ok\n"
		      "> sync\n" REFUSED_MAILBOX("A2", "A3", "A4",
			      "no such mailbox") "C: A5 LIST *\n"
						 "@close\n"
						 "@accept\n"
						 "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n"
						 "C: A6 LIST *\n"
						 "S: * LIST () \"/\" Other\n"
						 "S: A6 OK done\n"
						 "= done sync NOT_FOUND *no such*\n"},
	{"new-mail",
		KNOWN "S: * 4 EXISTS\n"
		      "= names changed, gone: unknown\n"
		      "C: A6 UID SEARCH RETURN (ALL) UID 8:*\n"
		      "> sync\n"
		      "S: * ESEARCH UID ALL 8\n"
		      "S: A6 OK done\n"
		      "= names changed, gone: , new: 8\n"
		      "= done sync ok\n"
		      "> message 8\n"
		      "= message 8: unknown size 0\n"
		      "C: A7 UID FETCH 8 " ITEMS "\n" ATTRIBUTES("4", "8", "10") "S: A7 OK done\n"},
	{"new-mail-that-does-not-add-up",
		/* The last message is named by N:* even below N; then everything is asked for. */
		KNOWN "S: * 4 EXISTS\n"
		      "= names changed, gone: unknown\n"
		      "C: A6 UID SEARCH RETURN (ALL) UID 8:*\n"
		      "> sync\n"
		      "S: * ESEARCH UID ALL 7\n"
		      "S: A6 OK done\n" SEARCHES("A7", "A8")
			      SEARCHED("A7", "A8", "5:8") "= names changed, gone: , new: 8\n"
							  "= done sync ok\n"
							  "> listing\n"
							  "= listing 5:8\n"},
	{"new-mail-refused-is-searched-plainly", KNOWN "S: * 4 EXISTS\n"
						       "= names changed, gone: unknown\n"
						       "C: A6 UID SEARCH RETURN (ALL) UID 8:*\n"
						       "S: A6 BAD what is that\n"
						       "C: A7 NOOP\n"
						       "C: A8 UID SEARCH ALL\n"},
	{"new-mail-twice", KNOWN "S: * 4 EXISTS\n"
				 "= names changed, gone: unknown\n"
				 "C: A6 UID SEARCH RETURN (ALL) UID 8:*\n"
				 "> sync\n"
				 "S: * ESEARCH UID ALL 8\n"
				 "S: * 5 EXISTS\n"
				 "S: A6 OK done\n"
				 "C: A7 UID SEARCH RETURN (ALL) UID 9:*\n"
				 "S: * ESEARCH UID ALL 9\n"
				 "S: A7 OK done\n"
				 "= names changed, gone: , new: 8:9\n"
				 "= done sync ok\n"
				 "C: A8 UID FETCH 8:9 " ITEMS "\n"
				 "> listing\n"
				 "= listing 5:9\n"},
	{"new-mail-within-a-check",
		/* The map knows it by then, the listing does not. */
		KNOWN "> sync\n"
		      "C: A6 NOOP\n"
		      "S: * 4 EXISTS\n"
		      "S: * 4 FETCH (FLAGS () UID 8)\n"
		      "S: A6 OK done\n"
		      "= names changed, gone: , new: 8\n"
		      "= done sync ok\n"
		      "C: A7 UID FETCH 8 " ITEMS "\n"
		      "> listing\n"
		      "= listing 5:8\n"},
	{"new-mail-within-the-last-search",
		/* The answer came before it: shown, and looked at again at once. */
		REFUSED_BOTH "S: A5 OK done\n"
			     "S: * SEARCH 5 6 7\n"
			     "S: * 4 EXISTS\n"
			     "S: * 4 FETCH (FLAGS () UID 8)\n"
			     "S: A6 OK done\n"
			     "C: A7 UID SEARCH DELETED\n"
			     "S: * SEARCH\n"
			     "S: A7 OK done\n"
			     "= done sync ok\n"
			     "= names changed, gone: unknown\n"
			     "= names changed, gone: , new: 8\n"
			     "> turn\n"
			     "= turned\n"
			     "> fresh\n"
			     "= fresh: yes\n"},
	{"new-mail-before-the-answer",
		/* An answer that adds up is about all that was said before it. */
		BEGUN "S: * 4 EXISTS\n" SEARCHED("A3", "A4", "5:8") "= done sync ok\n"
								    "> fresh\n"
								    "= fresh: yes\n"},
	{"listed-anew-without-a-message",
		/* Nobody could name it when it went: its going is news once it is found out. */
		KNOWN "S: * 2 EXISTS\n"
		      "= names changed, gone: unknown\n"
		      "= names changed, gone: unknown\n"
		      "> sync\n"
		      "C: A6 UID SEARCH RETURN (ALL) ALL\n"
		      "C: A7 UID SEARCH RETURN (ALL) DELETED\n"
		      "S: * ESEARCH UID ALL 5,7\n"
		      "S: A6 OK done\n"
		      "S: A7 OK done\n"
		      "= names changed, gone: 6\n"
		      "= done sync ok\n"},
	{"search-plain-after-a-refused-one", REFUSED_SEARCH("BAD what is RETURN")},
	{"search-plain-after-one-answered-no", REFUSED_SEARCH("NO [CANNOT] not that")},
	{"search-plain-after-a-broken-answer", BEGUN "S: * ESEARCH (TAG \"A3\") UID ALL 5:x\n"
						     "S: A3 OK done\n"
						     "S: * ESEARCH (TAG \"A4\") UID ALL\n"
						     "S: A4 OK done\n" PLAIN},
	{"search-plain-counts-even-if-it-does-not-add-up",
		BEGUN SEARCHED("A3", "A4", "5:6") "C: A5 NOOP\n"
						  "C: A6 UID SEARCH ALL\n"
						  "S: A5 OK done\n"
						  "S: * SEARCH 5 6\n"
						  "S: A6 OK done\n"
						  "C: A7 UID SEARCH DELETED\n"
						  "S: * SEARCH\n"
						  "S: A7 OK done\n"
						  "= done sync ok\n"
						  "> listing\n"
						  "= listing 5:6\n"},
	{"search-refused-in-both-forms", REFUSED_BOTH "S: A5 OK done\n"
						      "S: A6 BAD no search here\n"
						      "= done sync IO *no search here*\n"},
	{"search-of-the-deleted-refused-in-both-forms",
		/* Who is there was told, but never put into the listing: a NOOP cannot prove it. */
		KNOWN "S: * 2 EXISTS\n"
		      "= names changed, gone: unknown\n"
		      "= names changed, gone: unknown\n" SEARCHES("A6",
			      "A7") "S: * ESEARCH UID ALL 5,8\n"
				    "S: A6 OK done\n"
				    "S: A7 NO not now\n"
				    "C: A8 NOOP\n"
				    "C: A9 UID SEARCH ALL\n"
				    "S: A8 OK done\n"
				    "S: * SEARCH 5 8\n"
				    "S: A9 OK done\n"
				    "C: A10 UID SEARCH DELETED\n"
				    "S: A10 NO not now\n"
				    "> turn\n"
				    "= turned\n"
				    "> sync\n"
				    "C: A11 NOOP\n"
				    "S: A11 OK done\n" SEARCHES("A12", "A13") SEARCHED("A12", "A13",
					    "5,8") "= names changed, gone: 6:7, new: 8\n"
						   "= done sync ok\n"
						   "> listing\n"
						   "= listing 5,8\n"},
	{"search-in-several-lines", REFUSED_BOTH "S: A5 OK done\n"
						 "S: * SEARCH 5 6\n"
						 "S: * SEARCH 7\n"
						 "S: A6 OK done\n"
						 "C: A7 UID SEARCH DELETED\n"
						 "S: * SEARCH 5\n"
						 "S: * SEARCH 7\n"
						 "S: A7 OK done\n"
						 "= done sync ok\n"
						 "> listing\n"
						 "= listing 6\n"},
	{"search-names-more-than-there-can-be",
		BEGUN "S: * 4294967295 EXISTS\n" SEARCHED(
			"A3", "A4", "1:4294967295") "= done sync IO *names more than*\n"},
	{"expunged-within-the-search",
		/* What the answer still named is gone by the time it counts. */
		BEGUN "S: * ESEARCH UID ALL 5:7\n"
		      "S: * 1 EXPUNGE\n"
		      "S: A3 OK done\n"
		      "S: * ESEARCH UID\n"
		      "S: A4 OK done\n"
		      "= done sync ok\n"
		      "> listing\n"
		      "= listing 6:7\n"},
	{"expunged-within-the-last-search", REFUSED_BOTH "S: A5 OK done\n"
							 "S: * SEARCH 5 6 7\n"
							 "S: * 1 EXPUNGE\n"
							 "S: A6 OK done\n"
							 "C: A7 UID SEARCH DELETED\n"
							 "S: * SEARCH\n"
							 "S: A7 OK done\n"
							 "= done sync ok\n"
							 "> listing\n"
							 "= listing 6:7\n"},
	{"expunged-for-a-new-one-within-the-search",
		/* The number is the same, the messages are not. */
		BEGUN "S: * ESEARCH UID ALL 5:7\n"
		      "S: * 1 EXPUNGE\n"
		      "S: * 3 EXISTS\n"
		      "S: A3 OK done\n"
		      "S: * ESEARCH UID\n"
		      "S: A4 OK done\n"
		      "C: A5 NOOP\n"
		      "C: A6 UID SEARCH ALL\n"
		      "S: A5 OK done\n"
		      "S: * SEARCH 6 7 8\n"
		      "S: A6 OK done\n"
		      "C: A7 UID SEARCH DELETED\n"
		      "S: * SEARCH\n"
		      "S: A7 OK done\n"
		      "= done sync ok\n"
		      "> listing\n"
		      "= listing 6:8\n"},
	{"expunged-nobody-knows-what-within-the-search",
		/* The listing is shown to who waits for it, and not trusted. */
		BEGUN "S: * ESEARCH UID ALL 5:7\n"
		      "S: * 9 EXPUNGE\n"
		      "= names changed, gone: unknown\n"
		      "S: A3 OK done\n"
		      "S: * ESEARCH UID\n"
		      "S: A4 OK done\n"
		      "= done sync ok\n"
		      "= names changed, gone: unknown\n"
		      "> fresh\n"
		      "= fresh: no\n"
		      "> sync\n" SEARCHES("A5", "A6") SEARCHED("A5", "A6", "5:7") "= done sync ok\n"
										  "> fresh\n"
										  "= fresh: yes\n"},
	{"expunges-in-one-go",
		/* What comes between two of them is about the messages that are left. */
		KNOWN "S: * 1 EXPUNGE\\r\\n* 1 FETCH (FLAGS (\\\\Seen))\\r\\n* 2 EXPUNGE\n"
		      "= message 6 changed\n"
		      "= names changed, gone: 5,7\n"
		      "> listing\n"
		      "= listing 6\n"
		      "> body 6 0 10\n"
		      "C: A6 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n"
		      "S: * 1 FETCH (BODY[] {10}\\r\\nsix6666666)\n"
		      "= done body 6 0 10 ok\n"
		      "> read 6 0 3\n"
		      "= read hit six\n"},
	{"expunges-before-the-answer", KNOWN "> sync\n"
					     "C: A6 NOOP\n"
					     "S: * 2 EXPUNGE\\r\\n* 2 EXPUNGE\\r\\nA6 OK done\n"
					     "= names changed, gone: 6:7\n"
					     "= done sync ok\n"
					     "> listing\n"
					     "= listing 5\n"},
	{"poll-renews-what-is-selected",
		/* What the NOOP brings is taken in, and searched for only when it must be named. */
		KNOWN "> later 6\n" LISTED(
			"A6") "C: A7 NOOP\n"
			      "S: * 2 EXPUNGE\n"
			      "= names changed, gone: 6\n"
			      "S: A7 OK done\n"
			      "> body 5 0 10\n"
			      "C: A8 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
			      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
			      "S: A8 OK done\n"
			      "= done body 5 0 10 ok\n"
			      "> fresh\n"
			      "= fresh: yes\n"
			      "> later 6\n" LISTED("A9") "C: A10 NOOP\n"
							 "> fresh\n"
							 "= fresh: no\n"
							 "S: * 3 EXISTS\n"
							 "S: A10 OK done\n"
							 "C: A11 UID SEARCH RETURN (ALL) UID 8:*\n"
							 "S: * ESEARCH UID ALL 8\n"
							 "S: A11 OK done\n"
							 "= names changed, gone: , new: 8\n"
							 "> listing\n"
							 "= listing 5,7:8\n"
							 "> fresh\n"
							 "= fresh: yes\n",
		.poll_s = 5},
	{"shown-while-away",
		/* The listing was shown without asking: the kernel must ask once it can be told. */
		KNOWN "@close\n"
		      "> body 5 0 10\n"
		      "@accept\n"
		      "@close\n"
		      "= done body 5 0 10 OFFLINE *\n"
		      "> fresh\n"
		      "= fresh: yes\n" BACK("@accept",
			      "A1") "= names changed, gone: unknown\n"
				    "> fresh\n"
				    "= fresh: no\n"
				    "> sync\n"
				    "C: A12 EXAMINE \"INBOX\"\n" SEARCHES("A13", "A14")
					    EXAMINE("A12", "1")
						    SEARCHED("A13", "A14", "5:7") "= done sync ok\n"
										  "> fresh\n"
										  "= fresh: yes\n"},
	{"shown-while-the-wire-is-silent",
		KNOWN "> body 5 0 10\n"
		      "C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		      "> turn\n"
		      "= turned\n"
		      "> later 70\n"
		      "C: A7 LIST *\n"
		      "C: A8 NOOP\n"
		      "> fresh\n"
		      "= fresh: yes\n"
		      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n0123456789)\n"
		      "= done body 5 0 10 ok\n"
		      "= names changed, gone: unknown\n"
		      "> fresh\n"
		      "= fresh: no\n",
		.timeout_ms = 300000},
	{"shown-when-a-listing-fails",
		/* Who asked was shown what was known before. */
		KNOWN "> sync\n"
		      "C: A6 NOOP\n"
		      "@close\n" RECONNECT("A1") "@close\n" RECONNECT(
			      "A2") "@close\n"
				    "= done sync UNAVAILABLE *\n" BACK(
					    "@accept", "A3") "= names changed, gone: unknown\n"
							     "> fresh\n"
							     "= fresh: no\n"},
	{"shown-when-a-listing-is-refused-for-now",
		/* The kernel asks when somebody looks; nobody asks again and again until then. */
		KNOWN "> sync\n"
		      "C: A6 NOOP\n"
		      "S: A6 NO [UNAVAILABLE] not now\n"
		      "= done sync UNAVAILABLE *\n"
		      "= names changed, gone: unknown\n"
		      "> turn\n"
		      "= turned\n"
		      "@quiet\n"
		      "> sync\n"
		      "C: A7 NOOP\n"
		      "S: A7 OK done\n"
		      "= done sync ok\n"},
	{"shown-when-connections-break",
		/* Which says no more of the mailbox than when they are closed. */
		KNOWN "> sync\n"
		      "C: A6 NOOP\n"
		      "@reset\n" RECONNECT("A1") "@reset\n" RECONNECT(
			      "A2") "@reset\n"
				    "= done sync UNAVAILABLE *broke*\n" BACK(
					    "@accept", "A3") "= names changed, gone: unknown\n"},
	{"shown-when-a-listing-is-late", KNOWN "> sync\n"
					       "C: A6 NOOP\n"
					       "> turn\n"
					       "= turned\n"
					       "> later 2\n"
					       "= done sync TIMEOUT *\n"
					       "= names changed, gone: unknown\n"
					       "> fresh\n"
					       "= fresh: no\n"
					       "S: A6 OK done\n"},
	{"mailbox-came-so-that-names-may-have-moved",
		/* RENAME INBOX Old; CREATE INBOX: only another name is seen to come. */
		KNOWN "> later 6\n"
		      "C: A6 LIST *\n"
		      "C: A7 NOOP\n"
		      "S: A7 OK done\n"
		      "> turn\n"
		      "= turned\n"
		      "> fresh\n"
		      "= fresh: yes\n" WITH_OLD(
			      "A6") "= names doubted\n"
				    "> fresh\n"
				    "= fresh: no\n"
				    "> sync\n"
				    "C: A8 EXAMINE \"INBOX\"\n" SEARCHES("A9", "A10")
					    EXAMINE("A8", "2") "= generation changed\n" SEARCHED(
						    "A9", "A10", "1:3") "= done sync ok\n"
									"> listing\n"
									"= listing 1:3\n",
		.poll_s = 5},
	{"mailbox-came-while-another-is-listed",
		/* What is being listed may be what had the name before: it is listed again. */
		KNOWN "> later 6\n"
		      "C: A6 LIST *\n"
		      "C: A7 NOOP\n"
		      "> sync\n"
		      "> turn\n"
		      "= turned\n" WITH_OLD(
			      "A6") "= names doubted\n"
				    "S: A7 OK done\n"
				    "C: A8 EXAMINE \"INBOX\"\n" SEARCHES("A9", "A10")
					    EXAMINE("A8", "2") "= generation changed\n" SEARCHED(
						    "A9", "A10", "1:3") "= done sync ok\n",
		.poll_s = 5},
	{"mailbox-came-while-a-body-comes",
		/* It is still taken in; the next one is not asked of the selection of before, which
		 * is made anew although nobody asks for names: INBOX stays one of which news is
		 * told. */
		KNOWN
		"> body 5 0 10\n"
		"C: A6 UID FETCH 5 (UID INTERNALDATE BODY.PEEK[])\n"
		"> turn\n"
		"= turned\n"
		"> later 6\n"
		"C: A7 LIST *\n"
		"C: A8 NOOP\n" WITH_OLD(
			"A7") "= names doubted\n"
			      "S: * 1 FETCH (UID 5 BODY[] {10}\\r\\n"
			      "0123456789)\n"
			      "= done body 5 0 10 ok\n"
			      "S: A6 OK done\n"
			      "S: A8 OK done\n"
			      "C: A9 EXAMINE \"INBOX\"\n" SEARCHES("A10",
				      "A11") "> body 6 0 10\n"
					     "C: A12 UID FETCH 6 (UID INTERNALDATE BODY.PEEK[])\n",
		.poll_s = 5},
	{"uidvalidity-flaps",
		/* Every EXAMINE gives a new one: after a few none is made that need not be. */
		KNOWN DOUBT("A6", "A7") NEW_UIDVALIDITY("A8", "A9", "A10", "2") DOUBT("A11", "A12")
			NEW_UIDVALIDITY("A13", "A14", "A15", "3") DOUBT("A16", "A17")
				NEW_UIDVALIDITY("A18", "A19", "A20", "4") DOUBT("A21", "A22")
					NEW_UIDVALIDITY("A23", "A24", "A25", "5")
						DOUBT("A26", "A27") "> sync\n"
								    "C: A28 NOOP\n"
								    "S: A28 OK done\n"
								    "= done sync ok\n"
								    "> listing\n"
								    "= listing 5:7\n"},
	{"uidvalidity-changed-on-another-connection",
		/* What the first one says is about messages that nobody can name any more. */
		CROWDED "> sync\n"
			"@on 1\n"
			"C: A8 NOOP\n"
			"> body 3 0 10\n"
			"@on 2\n"
			"C: A22 EXAMINE \"INBOX\"\n"
			"C: A23 UID FETCH 3 (UID INTERNALDATE BODY.PEEK[])\n" EXAMINE(
				"A22", "2") "= done body * STALE *\n"
					    "= done body * STALE *\n"
					    "= done body * STALE *\n"
					    "= done body * STALE *\n"
					    "= done body * STALE *\n"
					    "= done body * STALE *\n"
					    "= done body * STALE *\n"
					    "= generation changed\n"
					    "@on 1\n"
					    "S: A8 OK done\n"
					    "@on 2\n" SEARCHES("A24", "A25") SEARCHED(
						    "A24", "A25", "5:7") "= names changed, gone: \n"
									 "= done sync ok\n"
									 "> listing\n"
									 "= listing 5:7\n",
		.connections = 2},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-sync", scripts, G_N_ELEMENTS(scripts));
}
