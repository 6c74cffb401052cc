/* What the tests of the engine share: the engine against scripted servers. See script/player.h for
 * the language; here
 *
 *	> sync [MAILBOX]		engine_sync(), of INBOX without a name
 *	> attributes UID		engine_attributes()
 *	> flags UID			engine_flags()
 *	> body UID OFFSET LENGTH	engine_body()
 *	> fields UID			engine_outline(), without structure
 *	> outline UID			with it
 *	> text UID			engine_text()
 *	> header UID OFFSET LENGTH	engine_section() of STORE_HEADER
 *	> part UID SECTION OCTETS OFFSET LENGTH	engine_section() of a part, which has number 1;
 *	> decoded UID SECTION OCTETS OFFSET LENGTH	OCTETS 0: not known
 *	> sizes UID SECTION...		engine_sizes()
 *	> items UID			what of it is whole in the store is news
 *	> item UID NUMBER		the first bytes of it, 0 being the message, are news
 *	> decodes			engine_decodes() is news
 *	> search MAILBOX QUERY		engine_search(), of all with "*": what it found, as in
 *					"INBOX 5:7, Other 3", follows the news of its end
 *	> create NAME			engine_create_mailbox()
 *	> delete MAILBOX		engine_delete_mailbox()
 *	> rename MAILBOX NAME		engine_rename_mailbox()
 *	> [WHEN] remove UID		engine_change() of INBOX, until WHEN: answered or done, else
 *	> [WHEN] mark UID			kept; what becomes of it is news
 *	> [WHEN] move UID MAILBOX
 *	> [WHEN] copy UID MAILBOX
 *	> [WHEN] store UID ±FLAG...		seen, flagged, deleted or keywords
 *	> [WHEN] append TEXT MAILBOX [UID]	the text is "Message-ID: <TEXT>", with a body of 1
 *					MiB if it is "large"; UID: what it replaces
 *	> [WHEN] of N ...			one of those, with UID 0: of what the Nth change is
 *to bring > each FIRST LAST remove	one of those for every UID of a range; their end is one news
 *	> settle [MAILBOX]		engine_settle(), of all without a name
 *	> unsent			how many texts are kept is news
 *	> together A; B; C		those requests at one moment
 *	> read UID OFFSET LENGTH	what the store has is news
 *	> message UID			what the store knows is news
 *	> row UID			what the store knows of its flags is news
 *	> mark				where INBOX would be resynchronised from is news
 *	> listing			the UIDs that INBOX is listed with are news
 *	> fresh				engine_names_fresh() of INBOX is news
 *	> mailboxes			the mailboxes that are listed are news
 *	> quota				engine_quota() and engine_quota_messages() are news
 *	> turn				that the engine sent what it could of the above is news
 *	> generation [MAILBOX]		its generation now is what requests are about
 *	> secret [TEXT]			the password from now on; none: asking for it fails
 *	> no secret			asking for it is news, and does not end
 *	> full				no step of a change can be written from now on
 *	> threads [none]		whether the program can make further threads
 *	> later SECONDS			the clock of the engine, which stands still, goes forward
 *	> hurry N			timers that are set from now on run N times as fast
 *	> sleep SECONDS			the machine sleeps: CLOCK_BOOTTIME alone goes forward
 *	> stop				engine_free()
 *	> stop beside			likewise while the script goes on; its end is news
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

enum { SHORT_MS = 1000 };

/* What the store knows of INBOX before the engine starts. */
typedef struct {
	const char *uids; /* all without flags; NULL: nothing is known */
	guint32 uidvalidity;
	guint32 uidnext;
	guint64 highestmodseq;
	guint64 size; /* of each; 0: 10 */
} Known;

typedef struct {
	const char *name;
	const char *text;
	guint timeout_ms; /* 0: 20 seconds */
	guint connections; /* 0: 1 */
	guint poll_s; /* 0: 60 */
	bool show_deleted;
	bool cached; /* in files: what is longer than the memory of the store is kept */
	bool secret_is_told; /* when it changes */
	bool read_only, subscribed;
	const char *folders;
	const char
		*intents; /* what an earlier mount left, in lines: KIND UID STEP UIDNEXT TARGET */
	Known known;
} Script;

/* Runs them as tests /SUITE/NAME: what main() returns. */
int engine_scripts_run(int argc, char **argv, const char *suite, const Script *scripts, gsize n);

#define START                                                                                      \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n"                                         \
	"C: A1 LIST *\n"                                                                           \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: A1 OK done\n"

#define EXAMINE(tag, uidvalidity)                                                                  \
	"S: * 3 EXISTS\n"                                                                          \
	"S: * OK [UIDVALIDITY " uidvalidity "] valid\n"                                            \
	"S: " tag " OK done\n"

/* INBOX holds 5, 6 and 7. */
#define SYNC                                                                                       \
	START "= done start ok\n"                                                                  \
	      "> sync\n"                                                                           \
	      "C: A2 EXAMINE \"INBOX\"\n"                                                          \
	      "C: A3 UID SEARCH RETURN (ALL) ALL\n"                                                \
	      "C: A4 UID SEARCH RETURN (ALL) DELETED\n" EXAMINE(                                   \
		      "A2", "1") "S: * ESEARCH (TAG \"A3\") UID ALL 5:7\n"                         \
				 "S: A3 OK done\n"                                                 \
				 "S: * ESEARCH (TAG \"A4\") UID\n"                                 \
				 "S: A4 OK done\n"                                                 \
				 "= done sync ok\n"                                                \
				 "> generation\n"

#define ITEMS "(UID FLAGS INTERNALDATE RFC822.SIZE)"
#define ATTRIBUTES(seq, uid, size)                                                                 \
	"S: * " seq " FETCH (UID " uid " FLAGS () RFC822.SIZE " size                               \
	" INTERNALDATE \"01-Jan-2020 00:00:00 +0000\")\n"

/* Waits for the last of them: only then are all known. */
#define ASK_ALL                                                                                    \
	SYNC "> together attributes 5; attributes 7\n"                                             \
	     "C: A5 UID FETCH 5:7 " ITEMS "\n"
#define ALL_ASKED                                                                                  \
	ATTRIBUTES("2", "6", "10")                                                                 \
	ATTRIBUTES("3", "7", "10")                                                                 \
	"S: A5 OK done\n"                                                                          \
	"= done attributes 5 ok\n"                                                                 \
	"= done attributes 7 ok\n"

/* They have ten bytes each. */
#define KNOWN ASK_ALL ATTRIBUTES("1", "5", "10") ALL_ASKED

/* The first has 300,000 bytes. */
#define LARGE ASK_ALL ATTRIBUTES("1", "5", "300000") ALL_ASKED

#define SEARCHES(all, deleted)                                                                     \
	"C: " all " UID SEARCH RETURN (ALL) ALL\n"                                                 \
	"C: " deleted " UID SEARCH RETURN (ALL) DELETED\n"

#define SEARCHED(all, deleted, uids)                                                               \
	"S: * ESEARCH UID ALL " uids "\n"                                                          \
	"S: " all " OK done\n"                                                                     \
	"S: * ESEARCH UID\n"                                                                       \
	"S: " deleted " OK done\n"

#define LISTED(tag)                                                                                \
	"C: " tag " LIST *\n"                                                                      \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: " tag " OK done\n"

#define BACK(accept, tags)                                                                         \
	accept "\n"                                                                                \
	       "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH] hi\n" LISTED(tags "1")

#define RECONNECT(tags) BACK("@accept", tags) "C: " tags "2 EXAMINE \"INBOX\"\n"

/* INBOX holds 1 to 9, each with 128 KiB: five on their way make a connection crowded. */
#define MANY                                                                                       \
	START "= done start ok\n"                                                                  \
	      "> sync\n"                                                                           \
	      "C: A2 EXAMINE \"INBOX\"\n" SEARCHES("A3",                                           \
		      "A4") "S: * 9 EXISTS\n"                                                      \
			    "S: * OK [UIDVALIDITY 1] valid\n"                                      \
			    "S: A2 OK done\n" SEARCHED("A3", "A4",                                 \
				    "1:9") "= done sync ok\n"                                      \
					   "> generation\n"                                        \
					   "> together attributes 1; attributes 9\n"               \
					   "C: A5 UID FETCH 1:9 " ITEMS                            \
					   "\n" ATTRIBUTES("1", "1", "131072") ATTRIBUTES(         \
						   "2", "2", "131072") ATTRIBUTES("3", "3",        \
						   "131072") ATTRIBUTES("4", "4", "131072")        \
						   ATTRIBUTES("5", "5", "131072") ATTRIBUTES(      \
							   "6", "6", "131072") ATTRIBUTES("7",     \
							   "7", "131072") ATTRIBUTES("8", "8",     \
							   "131072") ATTRIBUTES("9", "9",          \
							   "131072") "S: A5 OK done\n"             \
								     "= done attributes 1 ok\n"    \
								     "= done attributes 9 ok\n"

/* Six of them are under way: a second connection would help. */
#define CROWD                                                                                      \
	MANY "> together body 9 0 10; body 8 0 10; body 7 0 10; body 6 0 10; body 5 0 10\n"        \
	     "C: A6 UID FETCH 5:9 (UID INTERNALDATE BODY.PEEK[])\n"                                \
	     "> body 4 0 10\n"                                                                     \
	     "C: A7 UID FETCH 4 (UID INTERNALDATE BODY.PEEK[])\n"

/* It comes; its ID shows that it is ready. */
#define CROWDED                                                                                    \
	CROWD "@accept\n"                                                                          \
	      "S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH ID] hi\n"                                \
	      "C: A21 ID *\n"                                                                      \
	      "S: A21 OK done\n"
