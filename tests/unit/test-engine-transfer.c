/* The engine against scripted servers: MOVE and COPY, and what became of them when the answer was
 * lost. */
#include "engine-change.h"

/* A line of a transcript is a line here. */
/* clang-format off */
static const Script scripts[] = {
	{"move",
		FULL
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "6")
		"S: * OK [COPYUID 3 6 20] moved\n"
		"S: * 2 EXPUNGE\n"
		OK("A4")
		"= ended move 6 ok 20\n"
		"= done answered move 6 Other ok\n"
		"> generation Other\n"
		"> listing\n"
		"= listing 5,7\n",
		KNOWN_INBOX},
	{"move-many",
		FULL
		"> each 1 1000 move Other\n"
		"> settle\n"
		"C: A2 SELECT \"INBOX\"\n"
		"S: * 1000 EXISTS\n"
		"S: * OK [UIDVALIDITY 1] valid\n"
		"S: * OK [UIDNEXT 1001] next\n"
		"S: A2 OK done\n"
		STATUS("A3")
		MOVE("A4", "1:1000")
		"S: * OK [COPYUID 3 1:1000 20:1019] moved\n"
		"S: * VANISHED 1:1000\n"
		OK("A4")
		"= ended all\n"
		"= done settle ok\n",
		.known = {"1:1000", 1, 1001}},
	{"move-without-move",
		/* The source is marked when the copy is confirmed. */
		CAPABLE("UIDPLUS")
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		COPY("A4", "6")
		"@quiet\n"
		"S: A4 OK [COPYUID 3 6 20] copied\n"
		REMOVED("A5", "A6", "6")
		"= ended move 6 ok 20\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"move-that-cannot-be-is-a-copy",
		FULL
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "6")
		"S: A4 NO [CANNOT] not there\n"
		STATUS("A5")
		COPY("A6", "6")
		"S: A6 OK [COPYUID 3 6 20] copied\n"
		REMOVED("A7", "A8", "6")
		"= ended move 6 ok 20\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"move-that-is-unknown-is-a-copy",
		FULL
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "6")
		"S: A4 BAD what\n"
		STATUS("A5")
		COPY("A6", "6")
		"S: A6 OK [COPYUID 3 6 20] copied\n"
		REMOVED("A7", "A8", "6")
		"= ended move 6 ok 20\n"
		"= done answered move 6 Other ok\n"
		"> answered move 5 Other\n"
		GONE("5")
		STATUS("A9")
		COPY("A10", "5"),
		KNOWN_INBOX},
	{"move-to-a-mailbox-that-is-gone",
		FULL
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		"C: A3 STATUS *\n"
		"S: A3 NO [NONEXISTENT] gone\n"
		MOVE("A4", "6")
		"S: A4 NO [TRYCREATE] gone\n"
		BACK_AGAIN("6")
		"= ended move 6 NOT_FOUND *gone\n"
		"= done answered move 6 Other NOT_FOUND *gone\n"
		LISTED("A5")
		"> listing\n"
		"= listing 5:7\n",
		KNOWN_INBOX},
	{"move-of-which-some-are-gone",
		FULL
		"> together move 5 Other; move 6 Other; settle\n"
		GONE("5")
		"= done move 5 Other ok\n"
		GONE("6")
		"= done move 6 Other ok\n"
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "5:6")
		"S: * OK [COPYUID 3 5 20] moved\n"
		"S: * 1 EXPUNGE\n"
		OK("A4")
		"= ended move 5 ok 20\n"
		BACK_AGAIN("6")
		"= ended move 6 STALE *\n"
		"= done settle STALE *\n",
		KNOWN_INBOX},
	{"move-refused-after-some",
		/* RFC 6851 3.3. */
		FULL
		"> together move 5 Other; move 6 Other; settle\n"
		GONE("5")
		"= done move 5 Other ok\n"
		GONE("6")
		"= done move 6 Other ok\n"
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "5:6")
		"S: * OK [COPYUID 3 5 20] moved\n"
		"S: * 1 EXPUNGE\n"
		"S: A4 NO [OVERQUOTA] full\n"
		"= ended move 5 ok 20\n"
		BACK_AGAIN("6")
		"= ended move 6 QUOTA *\n"
		"= done settle QUOTA *\n",
		KNOWN_INBOX},
	{"move-lost-before-it-was-sent",
		FULL
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		"C: A3 STATUS *\n"
		"@close\n"
		AGAIN("UIDPLUS MOVE", "A4")
		SELECT("A5")
		STATUS("A6")
		MOVE("A7", "6")
		"S: * OK [COPYUID 3 6 20] moved\n"
		"S: * 2 EXPUNGE\n"
		OK("A7")
		"= ended move 6 ok 20\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"move-lost-after-it-was-done",
		/* The source is gone, and what arrived since UIDNEXT is it. */
		MOVE_LOST
		AGAIN("UIDPLUS MOVE", "A5")
		"C: A6 SELECT \"INBOX\"\n"
		SELECTED("A6", "2")
		LOOK("A7", "6")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "20:*")
		LOOKED("1", "20", "10", "x")
		OK("A9")
		"= ended move 6 ok 20\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"move-lost-before-it-was-done",
		/* It is not found, twice, and is sent once more. */
		MOVE_LOST
		AGAIN("UIDPLUS MOVE", "A5")
		SELECT("A6")
		LOOK("A7", "6")
		LOOKED("2", "6", "10", "six")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "20:*")
		LOOKED("1", "19", "10", "six")
		OK("A9")
		LATER
		LOOK("A10", "20:*")
		OK("A10")
		SELECT("A11")
		STATUS("A12")
		MOVE("A13", "6")
		"S: * OK [COPYUID 3 6 20] moved\n"
		"S: * 2 EXPUNGE\n"
		OK("A13")
		"= ended move 6 ok 20\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"move-lost-when-half-done",
		/* It was a copy: what is left is to remove the source. */
		CAPABLE("UIDPLUS")
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		COPY("A4", "6")
		"@close\n"
		AGAIN("UIDPLUS", "A5")
		SELECT("A6")
		LOOK("A7", "6")
		LOOKED("2", "6", "10", "six")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "20:*")
		LOOKED("1", "20", "10", "other")
		LOOKED("2", "21", "10", "six")
		OK("A9")
		SELECT("A10")
		REMOVED("A11", "A12", "6")
		"= ended move 6 ok 21\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"move-lost-of-two-that-look-the-same",
		/* What came is the one whose source is gone; the other one's is not removed for it. */
		FULL
		"> together move 5 Other; move 6 Other\n"
		GONE("5")
		"= done move 5 Other ok\n"
		GONE("6")
		"= done move 6 Other ok\n"
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "5:6")
		"@close\n"
		AGAIN("UIDPLUS MOVE", "A5")
		"C: A6 SELECT \"INBOX\"\n"
		SELECTED("A6", "2")
		LOOK("A7", "5:6")
		LOOKED("1", "5", "10", "same")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "20:*")
		LOOKED("1", "20", "10", "same")
		OK("A9")
		"= ended move 6 ok 20\n"
		LATER
		LOOK("A10", "20:*")
		LOOKED("1", "20", "10", "same")
		OK("A10")
		"C: A11 SELECT \"INBOX\"\n"
		SELECTED("A11", "2")
		STATUS("A12")
		MOVE("A13", "5"),
		KNOWN_INBOX},
	{"move-lost-of-two-without-message-id",
		/* Each is one of the two that came. */
		CAPABLE("UIDPLUS")
		"> together move 5 Other; move 6 Other\n"
		GONE("5")
		"= done move 5 Other ok\n"
		GONE("6")
		"= done move 6 Other ok\n"
		SELECT("A2")
		STATUS("A3")
		COPY("A4", "5:6")
		"@close\n"
		AGAIN("UIDPLUS", "A5")
		SELECT("A6")
		LOOK("A7", "5:6")
		LOOKED_BARE("1", "5")
		LOOKED_BARE("2", "6")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "20:*")
		LOOKED_BARE("1", "20")
		LOOKED_BARE("1", "20")
		LOOKED_BARE("2", "21")
		OK("A9")
		SELECT("A10")
		REMOVED("A11", "A12", "5:6")
		"= ended move 5 ok 20\n"
		"= ended move 6 ok 21\n",
		KNOWN_INBOX},
	{"move-lost-where-uidnext-is-not-told",
		/* 3 may have been there before. */
		CAPABLE("UIDPLUS")
		"> move 6 Other\n"
		GONE("6")
		"= done move 6 Other ok\n"
		SELECT("A2")
		"C: A3 STATUS *\n"
		"S: A3 NO [NOPERM] no\n"
		COPY("A4", "6")
		"@close\n"
		AGAIN("UIDPLUS", "A5")
		SELECT("A6")
		LOOK("A7", "6")
		LOOKED("2", "6", "10", "six")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "1:*")
		LOOKED("1", "3", "10", "six")
		OK("A9")
		LATER
		LOOK("A10", "1:*")
		LOOKED("1", "3", "10", "six")
		OK("A10")
		SELECT("A11")
		STATUS("A12")
		COPY("A13", "6"),
		KNOWN_INBOX},
	{"move-without-copyuid",
		FULL
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		MOVE("A4", "6")
		"S: * 2 EXPUNGE\n"
		OK("A4")
		EXAMINE_OTHER("A5")
		LOOK("A6", "20:*")
		LOOKED("1", "25", "10", "x")
		OK("A6")
		"= ended move 6 ok 25\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"copy-without-copyuid-is-confirmed-before-the-source-goes",
		CAPABLE("")
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		COPY("A4", "6")
		OK("A4")
		LOOK("A5", "6")
		LOOKED("2", "6", "10", "six")
		OK("A5")
		EXAMINE_OTHER("A6")
		LOOK("A7", "20:*")
		LOOKED("1", "22", "10", "six")
		OK("A7")
		SELECT("A8")
		STORE("A9", "6")
		OK("A9")
		"C: A10 UID SEARCH RETURN (ALL) DELETED\n"
		"S: * ESEARCH (TAG \"A10\") UID ALL 6\n"
		OK("A10")
		"C: A11 EXPUNGE\n"
		OK("A11")
		"= ended move 6 ok 22\n"
		"= done answered move 6 Other ok\n",
		KNOWN_INBOX},
	{"copy-that-is-not-found-keeps-the-source",
		CAPABLE("")
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		COPY("A4", "6")
		OK("A4")
		LOOK("A5", "6")
		LOOKED("2", "6", "10", "six")
		OK("A5")
		EXAMINE_OTHER("A6")
		LOOK("A7", "20:*")
		LOOKED("1", "22", "10", "other")
		OK("A7")
		LATER
		LOOK("A8", "20:*")
		OK("A8")
		BACK_AGAIN("6")
		"= ended move 6 IO *no copy\n"
		"= done answered move 6 Other IO *no copy\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"copyuid-that-does-not-fit-is-ignored",
		/* Of another message, of another UIDVALIDITY, of one that was there before. */
		CAPABLE("UIDPLUS")
		"> answered copy 6 Other\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		SELECTED("A2", "3")
		STATUS("A3")
		COPY("A4", "6")
		"S: * OK [COPYUID 3 7 20] hm\n"
		"S: * OK [COPYUID 4 6 20] hm\n"
		"S: * OK [COPYUID 3 6 19] hm\n"
		"S: * OK [COPYUID 3 6 20:21] hm\n"
		OK("A4")
		LOOK("A5", "6")
		LOOKED("2", "6", "10", "six")
		OK("A5")
		EXAMINE_OTHER("A6")
		LOOK("A7", "20:*")
		LOOKED("1", "20", "10", "six")
		OK("A7")
		"= ended copy 6 ok 20\n"
		"= done answered copy 6 Other ok\n",
		KNOWN_INBOX},
	{"copyuid-of-a-copy-that-failed-is-ignored",
		/* The source stays. */
		CAPABLE("UIDPLUS")
		"> answered move 6 Other\n"
		GONE("6")
		SELECT("A2")
		STATUS("A3")
		COPY("A4", "6")
		"S: * OK [COPYUID 3 6 20] copied\n"
		"S: A4 NO [OVERQUOTA] full\n"
		BACK_AGAIN("6")
		"= ended move 6 QUOTA *\n"
		"= done answered move 6 Other QUOTA *\n"
		"@quiet\n",
		KNOWN_INBOX},
	{"copy-of-what-is-gone",
		/* OK is all that a server says (RFC 3501 6.4.8). */
		FULL
		"> answered copy 6 Other\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		SELECTED("A2", "3")
		STATUS("A3")
		COPY("A4", "6")
		OK("A4")
		LOOK("A5", "6")
		OK("A5")
		GONE("6")
		EXAMINE_OTHER("A6")
		LOOK("A7", "20:*")
		OK("A7")
		LATER
		LOOK("A8", "20:*")
		OK("A8")
		"= ended copy 6 STALE *gone\n"
		"= done answered copy 6 Other STALE *gone\n",
		KNOWN_INBOX},
	{"move-lost-before-it-was-done-and-renumbered",
		/* Whether it is there still nobody knows. */
		MOVE_LOST
		AGAIN("UIDPLUS MOVE", "A5")
		"C: A6 SELECT \"INBOX\"\n"
		"S: * 3 EXISTS\n"
		"S: * OK [UIDVALIDITY 2] valid\n"
		OK("A6")
		"= generation changed\n"
		LOOK("A7", "6")
		OK("A7")
		EXAMINE_OTHER("A8")
		LOOK("A9", "20:*")
		OK("A9")
		LATER
		LOOK("A10", "20:*")
		OK("A10")
		"= ended move 6 STALE *gone\n"
		"= done answered move 6 Other STALE *gone\n",
		KNOWN_INBOX},
	{"copy",
		/* Nothing in the source changes: it is looked at only. */
		FULL
		"> answered copy 6 Other\n"
		"C: A2 EXAMINE \"INBOX\"\n"
		SELECTED("A2", "3")
		STATUS("A3")
		COPY("A4", "6")
		"S: A4 OK [COPYUID 3 6 20] copied\n"
		"= ended copy 6 ok 20\n"
		"= done answered copy 6 Other ok\n"
		"> listing\n"
		"= listing 5:7\n",
		KNOWN_INBOX},
};
/* clang-format on */

int main(int argc, char **argv)
{
	return engine_scripts_run(argc, argv, "engine-transfer", scripts, G_N_ELEMENTS(scripts));
}
