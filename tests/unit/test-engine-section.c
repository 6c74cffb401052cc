/* The engine against scripted servers where only parts of messages are asked for: which commands it
 * makes of it, what it believes of the answers, and when it takes the whole message instead. */
#include "engine-fixture.h"
#include "long-input.h"

#define FIELDS "BODY.PEEK[HEADER.FIELDS (FROM TO CC DATE SUBJECT MESSAGE-ID)]"
#define WITH "(UID INTERNALDATE "

/* Items: 1 the fields, 2 the structure, 3 the header, 4 + 2n the part with number n. */
#define PLAIN(octets) "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" " octets " 1)"
#define PDF(octets) "(\"APPLICATION\" \"PDF\" NIL NIL NIL \"BASE64\" " octets ")"
#define MIXED(a, b) "(" a b " \"MIXED\")"

#define ASK_OUTLINE(tag, uids) "C: " tag " UID FETCH " uids " " WITH "BODYSTRUCTURE " FIELDS ")\n"
#define OUTLINE(seq, uid, structure)                                                               \
	"S: * " seq " FETCH (UID " uid " BODYSTRUCTURE " structure                                 \
	" BODY[HEADER.FIELDS (from to)] {12}\\r\\nSubject: a\\r\\n)\n"
#define ASK_PART(tag, uids, section)                                                               \
	"C: " tag " UID FETCH " uids " " WITH "BODY.PEEK[" section "])\n"
#define ASK_MESSAGE(tag, uid) "C: " tag " UID FETCH " uid " " WITH "BODY.PEEK[])\n"
#define MESSAGE(seq, uid, tag)                                                                     \
	"S: * " seq " FETCH (UID " uid " BODY[] {10}\\r\\n0123456789)\n"                           \
	"S: " tag " OK done\n"

#define HUGE_PART                                                                                  \
	"S:+ * 1 FETCH (UID 5 BODY[1] {67108865}\\r\\n\n"                                          \
	"@bytes 67108865\n"                                                                        \
	"S: )\n"

/* After two refusals in a row the mailbox is selected anew. */
#define AGAIN(tag) "C: " tag " EXAMINE \"INBOX\"\n" EXAMINE(tag, "1")

#define TEXT(uid, outline, part)                                                                   \
	ASK_OUTLINE(outline, uid)                                                                  \
	OUTLINE(uid, uid, PLAIN("5"))                                                              \
	ASK_PART(part, uid, "1")                                                                   \
	"S: " outline " OK done\n"                                                                 \
	"S: * " uid " FETCH (UID " uid " BODY[1] {5}\\r\\nhello)\n"                                \
	"= done text " uid " ok\n"                                                                 \
	"S: " part " OK done\n"

/* 5 has a text of five octets and a PDF. */
#define OUTLINED                                                                                   \
	KNOWN "> outline 5\n" ASK_OUTLINE("A6", "5")                                               \
		OUTLINE("1", "5", MIXED(PLAIN("5"), PDF("20000000"))) "= done outline 5 ok\n"      \
								      "S: A6 OK done\n"

#define START_BINARY                                                                               \
	"S: * PREAUTH [CAPABILITY IMAP4rev1 ESEARCH BINARY] hi\n"                                  \
	"C: A1 LIST *\n"                                                                           \
	"S: * LIST () \"/\" INBOX\n"                                                               \
	"S: * LIST () \"/\" Other\n"                                                               \
	"S: A1 OK done\n"                                                                          \
	"= done start ok\n"                                                                        \
	"> sync\n"                                                                                 \
	"C: A2 EXAMINE \"INBOX\"\n" SEARCHES("A3", "A4") EXAMINE("A2", "1")                        \
		SEARCHED("A3", "A4", "5:7") "= done sync ok\n"                                     \
					    "> generation\n"                                       \
					    "> decodes\n"                                          \
					    "= decodes: yes\n"

/* The part of 5 as it is in the message, on a new connection. */
#define ENCODED(tag, select)                                                                       \
	"C: " tag " UID FETCH 5 " WITH                                                             \
	"BODY.PEEK[1])\n" EXAMINE(select, "1") "S: * 1 FETCH (UID 5 BODY[1] {8}\\r\\naGVsbG8=)\n"  \
					       "= done part * ok\n"                                \
					       "S: " tag " OK done\n"

static const Script scripts[] = {
	{"outline", OUTLINED "> items 5\n"
			     "= items 1 2\n"
			     "> item 5 1\n"
			     "= item hit Subject: a\\r\\n\n"
			     "> item 5 2\n"
			     "= item hit ((*\n"
			     "> together outline 5; fields 5\n"
			     "= done outline 5 ok\n"
			     "= done fields 5 ok\n"},
	{"fields", KNOWN "> fields 6\n"
			 "C: A6 UID FETCH 6 " WITH FIELDS ")\n"
			 "S: * 2 FETCH (UID 6 BODY[HEADER.FIELDS] \"Subject: a\")\n"
			 "= done fields 6 ok\n"
			 "S: A6 OK done\n"
			 "> items 6\n"
			 "= items 1\n"
			 /* The structure brings them again. */
			 "> outline 6\n" ASK_OUTLINE("A7", "6")},
	{"fields-of-none", KNOWN "> fields 6\n"
				 "C: A6 UID FETCH 6 " WITH FIELDS ")\n"
				 "S: * 2 FETCH (UID 6 BODY[HEADER.FIELDS (FROM)] {0}\\r\\n)\n"
				 "= done fields 6 ok\n"
				 "> items 6\n"
				 "= items 1\n"},
	{"requests-join",
		KNOWN "> together outline 6; fields 6; text 6; outline 7\n" ASK_OUTLINE("A6", "6:7")
			OUTLINE("2", "6",
				PLAIN("5")) "= done * 6 ok\n"
					    "= done * 6 ok\n" ASK_PART("A7", "6", "1") OUTLINE("3",
						    "7", PLAIN("5")) "= done outline 7 ok\n"
								     "S: A6 OK done\n"
								     "S: * 2 FETCH (UID 6 BODY[1] "
								     "{5}\\r\\nhello)\n"
								     "= done text 6 ok\n"
								     "S: A7 OK done\n"},
	{"outline-in-two-responses", KNOWN
		"> outline 5\n" ASK_OUTLINE("A6", "5") "S: * 1 FETCH (UID 5 BODYSTRUCTURE " PLAIN(
			"5") ")\n"
			     "S: * 1 FETCH (BODY[HEADER.FIELDS (FROM)] {4}\\r\\na: b UID 5)\n"
			     "= done outline 5 ok\n"
			     "S: A6 OK done\n"
			     "> items 5\n"
			     "= items 1 2\n"},
	{"outline-without-fields",
		/* They are asked for alone. */
		KNOWN
		"> outline 5\n" ASK_OUTLINE("A6", "5") "S: * 1 FETCH (UID 5 BODYSTRUCTURE " PLAIN(
			"5") ")\n"
			     "S: A6 OK done\n"
			     "C: A7 NOOP\n"
			     "C: A8 UID FETCH 5 " WITH FIELDS ")\n"
			     "S: A7 OK done\n"
			     "S: * 1 FETCH (UID 5 BODY[HEADER.FIELDS] {4}\\r\\na: b)\n"
			     "= done outline 5 ok\n"
			     "S: A8 OK done\n"},
	{"outline-without-structure",
		KNOWN "> outline 5\n" ASK_OUTLINE(
			"A6", "5") "S: * 1 FETCH (UID 5 BODYSTRUCTURE NIL BODY[HEADER.FIELDS] "
				   "{4}\\r\\na: b)\n"
				   "S: A6 OK done\n"
				   "C: A7 NOOP\n" ASK_MESSAGE("A8", "5") "S: A7 OK done\n" MESSAGE(
					   "1", "5", "A8") "= done outline 5 ok\n"
							   "> items 5\n"
							   "= items 0 1\n"},
	{"structure-that-cannot-be",
		KNOWN "> text 5\n" ASK_OUTLINE("A6", "5") OUTLINE("1", "5", "(((((\"x\")))))")
			ASK_MESSAGE("A7", "5") "S: A6 OK done\n" MESSAGE(
				"1", "5", "A7") "= done text 5 ok\n"
						"> items 5\n"
						"= items 0 1\n"
						"> part 5 1 5 0 5\n"
						"= done part * ok\n"},
	{"outline-refused",
		/* What the server cannot take apart it can give away, and the next need not ask. */
		KNOWN "> outline 5\n" ASK_OUTLINE("A6", "5") "S: A6 NO too odd\n" ASK_OUTLINE(
			"A7", "5") "S: A7 BAD too odd\n" AGAIN("A8") ASK_MESSAGE("A9", "5")
			MESSAGE("1", "5", "A9") "= done outline 5 ok\n"},
	{"outline-left-out", KNOWN "> outline 5\n" ASK_OUTLINE("A6",
				     "5") "S: A6 OK done\n"
					  "C: A7 NOOP\n" ASK_OUTLINE("A8",
						  "5") "S: A7 OK done\n"
						       "S: A8 OK done\n"
						       "C: A9 NOOP\n" ASK_MESSAGE("A10",
							       "5") "S: A9 OK done\n" MESSAGE("1",
							       "5", "A10") "= done outline 5 ok\n"},
	{"outline-of-what-is-gone",
		KNOWN "> outline 5\n" ASK_OUTLINE("A6",
			"5") "S: A6 OK done\n"
			     "C: A7 NOOP\n" ASK_OUTLINE("A8", "5") "S: * 1 EXPUNGE\n"
								   "= names changed, gone: 5\n"
								   "S: A7 OK done\n"
								   "S: A8 OK done\n"
								   "= done outline 5 STALE *\n"},
	{"outline-that-kills-the-connection", KNOWN
		"> outline 5\n" ASK_OUTLINE("A6", "5") "@close\n" RECONNECT("A1") ASK_OUTLINE("A13",
			"5") EXAMINE("A12", "1") "@close\n" RECONNECT("A2") ASK_OUTLINE("A23",
			"5") EXAMINE("A22", "1") "@close\n" RECONNECT("A3") ASK_MESSAGE("A33", "5")
			EXAMINE("A32", "1") MESSAGE("1", "5", "A33") "= done outline 5 ok\n"},
	{"outline-not-now", KNOWN
		"> outline 5\n" ASK_OUTLINE("A6", "5") "S: A6 NO [UNAVAILABLE] later\n" ASK_OUTLINE(
			"A7", "5") "S: A7 NO [UNAVAILABLE] later\n"
				   "= done outline 5 UNAVAILABLE *\n"},
	{"header-that-is-not-given", KNOWN
		"> fields 6\n"
		"C: A6 UID FETCH 6 " WITH FIELDS ")\n"
		"S: * 2 FETCH (UID 6 BODY[HEADER.FIELDS (FROM)] NIL)\n" ASK_MESSAGE("A7",
			"6") "S: A6 OK done\n" MESSAGE("2", "6", "A7") "= done fields 6 ok\n"},
	{"header", KNOWN "> header 5 100 10\n"
			 "C: A6 UID FETCH 5 " WITH "BODY.PEEK[HEADER])\n"
			 "S: * 1 FETCH (UID 5 BODY[header] {8}\\r\\na: b\\r\\n\\r\\n)\n"
			 "= done header 5 100 10 ok\n"
			 "S: A6 OK done\n"
			 "> item 5 3\n"
			 "= item hit a: b\\r\\n\\r\\n\n"},
	{"header-of-nothing", KNOWN
		"> header 5 0 10\n"
		"C: A6 UID FETCH 5 " WITH "BODY.PEEK[HEADER])\n"
		"S: * 1 FETCH (UID 5 BODY[HEADER] {0}\\r\\n)\n" ASK_MESSAGE("A7",
			"5") "S: A6 OK done\n" MESSAGE("1", "5", "A7") "= done header 5 0 10 ok\n"},
	{"text", OUTLINED "> text 5\n" ASK_PART(
			 "A7", "5", "1") "S: * 1 FETCH (UID 5 BODY[1] {5}\\r\\nhello)\n"
					 "= done text 5 ok\n"
					 "S: A7 OK done\n"
					 "> items 5\n"
					 "= items 1 2 4\n"
					 "> item 5 4\n"
					 "= item hit hello\n"
					 "> text 5\n"
					 "= done text 5 ok\n"},
	{"text-of-two-parts",
		/* Both are on their way at once, in commands of one section each. */
		KNOWN "> together text 5; text 6\n" ASK_OUTLINE("A6", "5:6") OUTLINE(
			"1", "5", MIXED(PLAIN("5"), PLAIN("3"))) ASK_PART("A7", "5", "1")
			ASK_PART("A8", "5", "2") OUTLINE("2", "6", MIXED(PDF("9"), PLAIN("3")))
				ASK_PART("A9", "6", "2") "S: A6 OK done\n"
							 "S: * 1 FETCH (UID 5 BODY[1] \"hello\")\n"
							 "S: A7 OK done\n"
							 "S: * 1 FETCH (UID 5 BODY[2] \"abc\")\n"
							 "= done text 5 ok\n"
							 "S: A8 OK done\n"
							 "S: * 2 FETCH (UID 6 BODY[2] \"def\")\n"
							 "= done text 6 ok\n"
							 "S: A9 OK done\n"
							 "> items 6\n"
							 "= items 1 2 6\n"},
	{"text-of-a-message-that-is-here",
		KNOWN "> body 5 0 10\n" ASK_MESSAGE("A6", "5")
			MESSAGE("1", "5", "A6") "= done body 5 0 10 ok\n"
						"> together text 5; outline 5; fields 5\n"
						"= done text 5 ok\n"
						"= done outline 5 ok\n"
						"= done fields 5 ok\n"
						"> part 5 2 5 0 5\n"
						"= done part * ok\n"
						"> header 5 0 5\n"
						"= done header 5 0 5 ok\n"},
#ifndef THREAD_SANITIZED /* With it the bytes alone take longer than a case has time. */
	/* LIMIT_MEMORY_BODIES: it is not fetched for ever. */
	{"part-that-is-not-kept", KNOWN
		"> text 5\n" ASK_OUTLINE("A6", "5") OUTLINE("1", "5", PLAIN("67108865")) ASK_PART(
			"A7", "5", "1") "S: A6 OK done\n" HUGE_PART ASK_PART("A8", "5",
			"1") "S: A7 OK done\n" HUGE_PART "= done text 5 IO *does not keep*\n"
			     "S: A8 OK done\n"
			     "@quiet\n"},
	/* LIMIT_MIME_BYTES: it cannot be taken apart here. */
	{"outline-of-a-message-that-is-too-long",
		KNOWN "> body 5 0 10\n" ASK_MESSAGE("A6",
			"5") "S:+ * 1 FETCH (UID 5 BODY[] {268435457}\\r\\n\n"
			     "@bytes 268435457\n"
			     "S: )\n"
			     "= message 5 changed, size\n"
			     "= sizes distrusted\n"
			     "= done body 5 0 10 ok\n"
			     "S: A6 OK done\n"
			     "> outline 5\n" ASK_OUTLINE("A7", "5") OUTLINE("1", "5",
				     MIXED(PLAIN("5"), PDF("20000000"))) "= done outline 5 ok\n",
		.cached = true},
#endif
	{"text-without-readable-parts", KNOWN "> text 5\n" ASK_OUTLINE("A6", "5") OUTLINE(
						"1", "5", PDF("20000000")) "= done text 5 ok\n"
									   "S: A6 OK done\n"},
	{"text-of-an-empty-part",
		KNOWN "> text 5\n" ASK_OUTLINE("A6", "5") OUTLINE("1", "5", PLAIN("0"))
			ASK_PART("A7", "5", "1") "S: A6 OK done\n"
						 "S: * 1 FETCH (UID 5 BODY[1] NIL)\n"
						 "= done text 5 ok\n"
						 "> items 5\n"
						 "= items 1 2 4\n"},
	{"part-nil", OUTLINED "> text 5\n" ASK_PART(
			     "A7", "5", "1") "S: * 1 FETCH (UID 5 BODY[1] NIL)\n" ASK_MESSAGE("A8",
			     "5") "S: A7 OK done\n" MESSAGE("1", "5", "A8") "= done text 5 ok\n"
									    "> items 5\n"
									    "= items 0 1 2\n"},
	{"part-empty",
		OUTLINED "> text 5\n" ASK_PART("A7", "5",
			"1") "S: * 1 FETCH (UID 5 BODY[1] {0}\\r\\n)\n" ASK_MESSAGE("A8", "5")},
	{"part-shorter",
		OUTLINED "> text 5\n" ASK_PART("A7", "5",
			"1") "S: * 1 FETCH (UID 5 BODY[1] {4}\\r\\nhell)\n" ASK_MESSAGE("A8", "5")},
	{"part-longer",
		OUTLINED "> text 5\n" ASK_PART("A7", "5",
			"1") "S: * 1 FETCH (UID 5 BODY[1] {6}\\r\\nhello!)\n" ASK_MESSAGE("A8",
			"5")},
	{"part-longer-of-nobody-knows-what",
		OUTLINED "> text 5\n" ASK_PART("A7", "5",
			"1") "S: * 1 FETCH (BODY[1] {6}\\r\\nhello! UID 5)\n" ASK_MESSAGE("A8",
			"5")},
	{"part-refused",
		OUTLINED "> text 5\n" ASK_PART("A7", "5", "1") "S: A7 NO broken\n" ASK_PART(
			"A8", "5", "1") "S: A8 NO broken\n" AGAIN("A9") ASK_MESSAGE("A10", "5")},
	{"part-of-another-section",
		/* Nothing that was not asked for is kept. */
		OUTLINED "> text 5\n" ASK_PART("A7", "5",
			"1") "S: * 1 FETCH (UID 5 BODY[2] {5}\\r\\nhello)\n"
			     "S: * 1 FETCH (UID 5 BINARY[1] {5}\\r\\nhello)\n"
			     "S: * 2 FETCH (UID 6 BODY[1] {5}\\r\\nhello)\n"
			     "S: * 1 FETCH (UID 5 BODY[] {5}\\r\\nhello)\n"
			     "S: * 1 FETCH (UID 5 BODY[HEADER.FIELDS (FROM)] {4}\\r\\nevil)\n"
			     "S: * 1 FETCH (BODY[2] {4}\\r\\nevil BODY[1] {5}\\r\\nright UID 5)\n"
			     "= done text 5 ok\n"
			     "S: A7 OK done\n"
			     "> items 5\n"
			     "= items 1 2 4\n"
			     "> item 5 4\n"
			     "= item hit right\n"
			     "> item 5 1\n"
			     "= item hit Subject: a\\r\\n\n"
			     "> items 6\n"
			     "= items\n"},
	{"unsolicited", KNOWN "S: * 1 FETCH (UID 5 BODYSTRUCTURE " PLAIN(
				"5") " BODY[HEADER.FIELDS (FROM)] {4}\\r\\nevil BODY[1] \"evil\")\n"
				     "> sync\n"
				     "C: A6 NOOP\n"
				     "S: A6 OK done\n"
				     "= done sync ok\n"
				     "> items 5\n"
				     "= items\n"},
	{"another-message-under-the-uid",
		OUTLINED "> text 5\n" ASK_PART("A7", "5",
			"1") "S: * 1 FETCH (UID 5 INTERNALDATE \"02-Jan-2020 00:00:00 +0000\" "
			     "BODY[1] {5}\\r\\nhello)\n"
			     "= done text 5 STALE *new UIDVALIDITY*\n"
			     "= generation changed\n"},
	{"new-uidvalidity",
		OUTLINED "> text 5\n" ASK_PART("A7", "5", "1") "@close\n" RECONNECT("A1")
			ASK_PART("A13", "5", "1")
				EXAMINE("A12", "2") "= done text 5 STALE *new UIDVALIDITY*\n"
						    "= generation changed\n"
						    "S: * 1 FETCH (UID 5 BODY[1] {5}\\r\\nhello)\n"
						    "S: A13 OK done\n"
						    "> generation\n"
						    "> items 5\n"
						    "= items\n"},
	{"connection-lost", OUTLINED "> text 5\n" ASK_PART("A7", "5",
				    "1") "S:+ * 1 FETCH (UID 5 BODY[1] {5}\\r\\nhel\n"
					 "@close\n" RECONNECT("A1") ASK_PART("A13", "5", "1")
						 EXAMINE("A12", "1") "S: * 1 FETCH (UID 5 "
								     "BODY[1] {5}\\r\\nhello)\n"
								     "= done text 5 ok\n"},
	{"expunged-within", OUTLINED "> text 5\n" ASK_PART(
				    "A7", "5", "1") "S: * 1 EXPUNGE\n"
						    "= names changed, gone: 5\n"
						    "S: * 1 FETCH (UID 5 BODY[1] {5}\\r\\nhello)\n"
						    "= done text 5 STALE *\n"
						    "S: A7 OK done\n"},
	{"range-of-a-part",
		/* Little at first, more as the reader goes on; the announced end is proved. */
		OUTLINED "> part 5 2 300000 0 1024\n"
			 "C: A7 UID FETCH 5 " WITH "BODY.PEEK[2]<0.4096>)\n"
			 "S:+ * 1 FETCH (UID 5 BODY[2]<0> {4096}\\r\\n\n"
			 "@bytes 4096\n"
			 "S: )\n"
			 "= done part * ok\n"
			 "S: A7 OK done\n"
			 "> part 5 2 300000 299000 1000\n"
			 "C: A8 UID FETCH 5 " WITH "BODY.PEEK[2]<299000.69632>)\n"
			 "S:+ * 1 FETCH (UID 5 BODY[2]<299000> {1000}\\r\\n\n"
			 "@bytes 1000\n"
			 "S: )\n"
			 "= done part * ok\n"
			 "S: A8 OK done\n"
			 "> part 5 2 300000 4096 131072\n"
			 "C: A9 UID FETCH 5 " WITH "BODY.PEEK[2]<4096.131072>)\n"
			 "S:+ * 1 FETCH (UID 5 BODY[2]<4096> {131072}\\r\\n\n"
			 "@bytes 131072\n"
			 "S: )\n"
			 "= done part * ok\n"
			 "S: A9 OK done\n"
			 /* Behind the end there is nothing to ask for. */
			 "> part 5 2 300000 300001 10\n"
			 "= done part * ok\n"},
	{"small-part-goes-whole", OUTLINED "> part 5 2 3 1 2\n" ASK_PART("A7", "5",
					  "2") "S: * 1 FETCH (UID 5 BODY[2] {3}\\r\\nabc)\n"
					       "= done part * ok\n"
					       "S: A7 OK done\n"
					       "> item 5 6\n"
					       "= item hit abc\n"},
	{"range-that-passes-the-end",
		OUTLINED "> part 5 2 300000 299000 1000\n"
			 "C: A7 UID FETCH 5 " WITH "BODY.PEEK[2]<299000.69632>)\n"
			 "S:+ * 1 FETCH (UID 5 BODY[2]<299000> {1001}\\r\\n\n"
			 "@bytes 1001\n"
			 "S: )\n" ASK_MESSAGE("A8", "5")},
	{"range-that-ends-early",
		/* Two answers that agree show it. */
		OUTLINED "> part 5 2 300000 0 10\n"
			 "C: A7 UID FETCH 5 " WITH "BODY.PEEK[2]<0.4096>)\n"
			 "S: * 1 FETCH (UID 5 BODY[2]<0> {5}\\r\\nshort)\n"
			 "C: A8 UID FETCH 5 " WITH "BODY.PEEK[2]<5.4096>)\n"
			 "S: A7 OK done\n"
			 "S: * 1 FETCH (UID 5 BODY[2]<5> {0}\\r\\n)\n" ASK_MESSAGE("A9", "5")},
	{"range-longer-than-asked",
		/* None of it is believed. */
		OUTLINED "> part 5 2 300000 0 10\n"
			 "C: A7 UID FETCH 5 " WITH "BODY.PEEK[2]<0.4096>)\n"
			 "S:+ * 1 FETCH (UID 5 BODY[2]<0> {4097}\\r\\n\n"
			 "@bytes 4097\n"
			 "S: )\n" ASK_MESSAGE("A8", "5") "S: A7 OK done\n" MESSAGE(
				 "1", "5", "A8") "= done part * ok\n"},
	{"decoded", START_BINARY "> sizes 5 1 2.1\n"
				 "C: A5 UID FETCH 5 " WITH "BINARY.SIZE[1] BINARY.SIZE[2.1])\n"
				 "S: * 1 FETCH (UID 5 BINARY.SIZE[2.1] 15000 BINARY.SIZE[1] 7)\n"
				 "S: A5 OK done\n"
				 "= sizes 7 15000\n"
				 "= done sizes 5 1 2.1 ok\n"
				 "> decoded 5 2.1 15000 0 10\n"
				 "C: A6 UID FETCH 5 " WITH "BINARY.PEEK[2.1]<0.4096>)\n"
				 "S:+ * 1 FETCH (UID 5 BINARY[2.1]<0> ~{4096}\\r\\n\n"
				 "@bytes 4096\n"
				 "S: )\n"
				 "= done decoded * ok\n"
				 "S: A6 OK done\n"
				 /* Of unknown length. */
				 "> decoded 6 1 0 0 10\n"
				 "C: A7 UID FETCH 6 " WITH "BINARY.PEEK[1]<0.4096>)\n"
				 "S: * 2 FETCH (UID 6 BINARY[1]<0> {5}\\r\\nhello)\n"
				 "C: A8 UID FETCH 6 " WITH "BINARY.PEEK[1]<5.4096>)\n"
				 "S: A7 OK done\n"
				 "S: * 2 FETCH (UID 6 BINARY[1]<5> \"\")\n"
				 "= done decoded * ok\n"
				 "S: A8 OK done\n"
				 "> item 6 7\n"
				 "= item hit hello\n"
				 "> decodes\n"
				 "= decodes: yes\n"},
	{"sizes-left-out", START_BINARY "> sizes 5 1 2\n"
					"C: A5 UID FETCH 5 *\n"
					"S: * 1 FETCH (UID 6 BINARY.SIZE[2] 9)\n"
					"S: * 1 FETCH (UID 5 BINARY.SIZE[1] 7)\n"
					"S: A5 OK done\n"
					"= sizes 7 -1\n"
					"= done sizes 5 1 2 ok\n"},
	{"sizes-refused", START_BINARY "> sizes 5 1 2\n"
				       "C: A5 UID FETCH 5 *\n"
				       "S: A5 NO [UNKNOWN-CTE] what is that\n"
				       "= done sizes * INVALID *\n"
				       "> decodes\n"
				       "= decodes: no\n"},
	{"sizes-refused-of-one", START_BINARY "> sizes 5 1 2\n"
					      "C: A5 UID FETCH 5 *\n"
					      "S: A5 NO [PARSE] no base64\n"
					      "= done sizes * INVALID *\n"
					      "> decodes\n"
					      "= decodes: yes\n"},
	{"sizes-of-what-is-gone", START_BINARY "> sizes 99 1\n"
					       "= done sizes 99 1 STALE *\n"},
	{"sizes-that-kill-the-connection",
		/* The same is not asked again. */
		START_BINARY "> sizes 5 1\n"
			     "C: A5 UID FETCH 5 *\n"
			     "@close\n"
			     "= done sizes 5 1 INVALID *\n"
			     "> decodes\n"
			     "= decodes: yes\n"
			     "> part 5 1 8 0 8\n" RECONNECT("A1") ENCODED("A13", "A12")},
	{"sizes-in-vain",
		START_BINARY "> sizes 5 1\n"
			     "C: A5 UID FETCH 5 *\n"
			     "> turn\n"
			     "= turned\n"
			     "> later 2\n"
			     "= done sizes 5 1 TIMEOUT *\n",
		SHORT_MS},
	{"sizes-when-it-stops", START_BINARY "> sizes 5 1\n"
					     "C: A5 UID FETCH 5 *\n"
					     "> stop\n"
					     "= done sizes 5 1 CANCELLED *\n"},
	{"decoding-refused",
		/* Once is enough for the mount. */
		START_BINARY "> decoded 5 1 5 0 5\n"
			     "C: A5 UID FETCH 5 " WITH "BINARY.PEEK[1])\n"
			     "S: A5 NO [UNKNOWN-CTE] what is that\n"
			     "C: A6 UID FETCH 5 " WITH "BINARY.PEEK[1])\n"
			     "S: A6 NO [UNKNOWN-CTE] what is that\n"
			     "= done decoded * INVALID *\n"
			     "> decodes\n"
			     "= decodes: no\n"
			     "> part 5 1 8 0 8\n" AGAIN("A7") ASK_PART("A8", "5", "1")},
	{"decoding-refused-of-one", START_BINARY "> decoded 5 1 5 0 5\n"
						 "C: A5 UID FETCH 5 " WITH "BINARY.PEEK[1])\n"
						 "S: A5 NO [PARSE] no base64\n"
						 "C: A6 UID FETCH 5 " WITH "BINARY.PEEK[1])\n"
						 "S: A6 NO [PARSE] no base64\n"
						 "= done decoded * INVALID *\n"
						 "> decodes\n"
						 "= decodes: yes\n"},
	{"decoding-that-kills-the-connection",
		START_BINARY "> decoded 5 1 5 0 5\n"
			     "C: A5 UID FETCH 5 " WITH "BINARY.PEEK[1])\n"
			     "@close\n"
			     "= done decoded * INVALID *\n"
			     "> decodes\n"
			     "= decodes: yes\n"
			     "> part 5 1 8 0 8\n" RECONNECT("A1") ENCODED("A13", "A12")},
	{"decoded-nil", START_BINARY "> decoded 5 1 5 0 5\n"
				     "C: A5 UID FETCH 5 " WITH "BINARY.PEEK[1])\n"
				     "S: * 1 FETCH (UID 5 BINARY[1] NIL)\n"
				     "= done decoded * INVALID *\n"
				     "> decodes\n"
				     "= decodes: no\n"},
	{"decoded-longer", START_BINARY "> decoded 5 1 5 0 5\n"
					"C: A5 UID FETCH 5 " WITH "BINARY.PEEK[1])\n"
					"S: * 1 FETCH (UID 5 BINARY[1] {6}\\r\\nhello!)\n"
					"= done decoded * INVALID *\n"},
	{"outlines-ahead",
		/* A reader that goes on gets more of them each time, and one that jumps none. */
		MANY "> outline 2\n" ASK_OUTLINE("A6", "2") OUTLINE("2", "2",
			PLAIN("5")) "= done outline 2 ok\n"
				    "S: A6 OK done\n"
				    "> outline 3\n" ASK_OUTLINE("A7", "3") ASK_OUTLINE(
					    "A8", "4:9") OUTLINE("3", "3",
					    PLAIN("5")) "= done outline 3 ok\n"
							"S: A7 OK done\n"
							"> outline 5\n" OUTLINE("5", "5",
								PLAIN("5")) "= done outline 5 "
									    "ok\n"},
	{"outlines-of-one-that-jumps",
		MANY "> outline 2\n" ASK_OUTLINE("A6", "2") OUTLINE("2", "2",
			PLAIN("5")) "= done outline 2 ok\n"
				    "S: A6 OK done\n"
				    "> outline 1\n" ASK_OUTLINE("A7", "1")
					    OUTLINE("1", "1", PLAIN("5")) "= done outline 1 ok\n"
									  "S: A7 OK done\n"
									  "> sync\n"
									  "C: A8 NOOP\n"},
	{"names-of-all", MANY "> fields 1\n"
			      "C: A6 UID FETCH 1 " WITH FIELDS ")\n"
			      "C: A7 UID FETCH 2:9 " WITH FIELDS ")\n"},
	{"texts-ahead",
		/* Outlines first, then the sections that they name, each in one command; the third
		 * is served from the store, and so are those behind it. */
		MANY "> text 1\n" TEXT("1", "A6", "A7") "> text 2\n" TEXT(
			"2", "A8", "A9") "> text 3\n" ASK_OUTLINE("A10", "3") ASK_OUTLINE("A11",
			"4:9") OUTLINE("3", "3", PLAIN("5")) ASK_PART("A12", "3",
			"1") "S: A10 OK done\n" OUTLINE("4", "4", PLAIN("5")) OUTLINE("5", "5",
			MIXED(PLAIN("5"), PDF("9"))) OUTLINE("6", "6",
			MIXED(PDF("9"), PLAIN("5"))) OUTLINE("7", "7", PDF("9000000")) OUTLINE("8",
			"8", PLAIN("9000000")) OUTLINE("9", "9",
			PLAIN("5")) "S: A11 OK "
				    "done\n" ASK_PART("A13", "4:5,9", "1") ASK_PART("A14", "6",
					    "2") "S: * 3 FETCH (UID 3 BODY[1] \"hello\")\n"
						 "= done text 3 ok\n"
						 "S: A12 OK done\n"
						 "S: * 4 FETCH (UID 4 BODY[1] \"hello\")\n"
						 "S: * 5 FETCH (UID 5 BODY[1] \"hello\")\n"
						 "S: * 9 FETCH (UID 9 BODY[1] \"hello\")\n"
						 "S: A13 OK done\n"
						 "S: * 6 FETCH (UID 6 BODY[2] \"hello\")\n"
						 "S: A14 OK done\n"
						 "> together text 4; text 5; text 6; text 7; text "
						 "9\n"
						 "= done text 4 ok\n"
						 "= done text 5 ok\n"
						 "= done text 6 ok\n"
						 "= done text 7 ok\n"
						 "= done text 9 ok\n"
						 /* It is too large to be fetched for nothing. */
						 "> text 8\n" ASK_PART("A15", "8", "1")},
	{"texts-ahead-of-a-lost-connection",
		MANY "> text 1\n" TEXT("1", "A6", "A7") "> text 2\n" TEXT(
			"2", "A8", "A9") "> text 3\n" ASK_OUTLINE("A10", "3")
			ASK_OUTLINE("A11", "4:9") "@close\n" RECONNECT("A2") ASK_OUTLINE("A23", "3")
				ASK_OUTLINE("A24", "4:9")},
	{"texts-ahead-are-not-refused",
		/* What was only read ahead and failed is asked for when somebody comes to it. */
		MANY "> text 1\n" TEXT("1", "A6", "A7") "> text 2\n" TEXT(
			"2", "A8", "A9") "> text 3\n" ASK_OUTLINE("A10", "3")
			ASK_OUTLINE("A11", "4:9") OUTLINE("3", "3", PLAIN("5"))
				ASK_PART("A12", "3", "1") "S: A10 OK done\n"
							  "S: A11 NO not these\n"
							  "S: * 3 FETCH (UID 3 BODY[1] \"hello\")\n"
							  "= done text 3 ok\n"
							  "S: A12 OK done\n"
							  "> text 4\n" ASK_OUTLINE("A13", "4")},
	{"text-in-vain",
		OUTLINED "> text 5\n" ASK_PART("A7", "5", "1") "> turn\n"
							       "= turned\n"
							       "> later 2\n"
							       "= done text 5 TIMEOUT *\n",
		SHORT_MS},
	{"stop-with-parts-under-way", OUTLINED "> together text 5; outline 6; header 7 0 10\n"
					       "C: A7 UID FETCH *\n"
					       "C: A8 UID FETCH *\n"
					       "C: A9 UID FETCH *\n"
					       "S:+ * 1 FETCH (UID 5 BODY[1] {5}\\r\\nhel\n"
					       "> stop\n"
					       "= done * CANCELLED *\n"
					       "= done * CANCELLED *\n"
					       "= done * CANCELLED *\n"},
};

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-section", scripts, G_N_ELEMENTS(scripts));
}
