#include "replay.h"

static const Transcript conditions[] = {
	{"plain", "a1 OK done\r\n* NO careful\r\n* BAD what\r\n* BYE bye\r\n* PREAUTH hello\r\n",
		"TAGGED tag=<a1> OK text=<done>\nSTATUS NO text=<careful>\n"
		"STATUS BAD text=<what>\nSTATUS BYE text=<bye>\nSTATUS PREAUTH text=<hello>\n"},
	{"lower-case", "a1 ok done\r\n* bye\r\n",
		"TAGGED tag=<a1> OK text=<done>\nSTATUS BYE text=<>\n"},
	{"no-text", "a1 OK\r\na2 NO \r\n* OK [READ-ONLY]\r\n",
		"TAGGED tag=<a1> OK text=<>\nTAGGED tag=<a2> NO text=<>\n"
		"STATUS OK [READ-ONLY] text=<>\n"},
	{"continuation", "+ go on\r\n+\r\n+ \r\n+OK pop3 ready\r\n",
		"CONTINUATION text=<go on>\nCONTINUATION text=<>\nCONTINUATION text=<>\n"
		"CONTINUATION text=<OK pop3 ready>\n"},
	{"not-imap", "HTTP/1.1 400 Bad Request\r\nSSH-2.0-x\r\n", "OTHER\nOTHER\n"},
	{"text-is-no-literal",
		"* OK foo {5}\r\na1 NO bar {3+}\r\n* BAD [PARSE] {-1}\r\n+ {7}\r\n* BYE {9}\r\n",
		"STATUS OK text=<foo {5}>\nTAGGED tag=<a1> NO text=<bar {3+}>\n"
		"STATUS BAD [PARSE] text=<{-1}>\nCONTINUATION text=<{7}>\nSTATUS BYE text=<{9}>\n"},
	{"text-with-quote-and-escape", "* OK say \"x\r\n* NO \x1b[31mred\xff\r\n",
		"STATUS OK text=<say \"x>\nSTATUS NO text=<%1B[31mred%FF>\n"},
};

static const Transcript codes[] = {
	{"select",
		"* OK [UIDVALIDITY 3857529045] ok\r\n* OK [UIDNEXT 4392] ok\r\n* OK [UNSEEN 12] "
		"ok\r\n"
		"* OK [HIGHESTMODSEQ 715194045007] ok\r\n* OK [NOMODSEQ] ok\r\n"
		"* OK [PERMANENTFLAGS (\\Deleted \\Seen $Junk \\*)] ok\r\n"
		"a1 OK [READ-WRITE] done\r\n",
		"STATUS OK [UIDVALIDITY] number=3857529045 text=<ok>\n"
		"STATUS OK [UIDNEXT] number=4392 text=<ok>\n"
		"STATUS OK [UNSEEN] number=12 text=<ok>\n"
		"STATUS OK [HIGHESTMODSEQ] number=715194045007 text=<ok>\n"
		"STATUS OK [NOMODSEQ] text=<ok>\n"
		"STATUS OK [PERMANENTFLAGS] flags=(\\Seen \\Deleted \\* $Junk) text=<ok>\n"
		"TAGGED tag=<a1> OK [READ-WRITE] text=<done>\n"},
	{"uidvalidity-absurd",
		"* OK [UIDVALIDITY 0] a\r\n* OK [UIDVALIDITY 4294967296] b\r\n"
		"* OK [UIDVALIDITY] c\r\n* OK [UIDVALIDITY -5] d\r\n* OK [UIDVALIDITY 5x] e\r\n",
		"STATUS OK [UIDVALIDITY] text=<a>\nSTATUS OK [UIDVALIDITY] text=<b>\n"
		"STATUS OK [UIDVALIDITY] text=<c>\nSTATUS OK [UIDVALIDITY] text=<d>\n"
		"STATUS OK [UIDVALIDITY] text=<e>\n"},
	{"highestmodseq-absurd",
		"* OK [HIGHESTMODSEQ -1] a\r\n* OK [HIGHESTMODSEQ 1.5] b\r\n"
		"* OK [HIGHESTMODSEQ 9223372036854775807] c\r\n"
		"* OK [HIGHESTMODSEQ 9223372036854775808] d\r\n",
		"STATUS OK [HIGHESTMODSEQ] text=<a>\nSTATUS OK [HIGHESTMODSEQ] text=<b>\n"
		"STATUS OK [HIGHESTMODSEQ] number=9223372036854775807 text=<c>\n"
		"STATUS OK [HIGHESTMODSEQ] text=<d>\n"},
	{"uidnext-largest", "* OK [UIDNEXT 4294967295] x\r\n",
		"STATUS OK [UIDNEXT] number=4294967295 text=<x>\n"},
	{"appenduid", "a1 OK [APPENDUID 38505 3955] done\r\na2 OK [APPENDUID 7 1:3] done\r\n",
		"TAGGED tag=<a1> OK [APPENDUID] number=38505 uids=3955 text=<done>\n"
		"TAGGED tag=<a2> OK [APPENDUID] number=7 uids=1:3 text=<done>\n"},
	{"appenduid-truncated",
		"a1 OK [APPENDUID] a\r\na2 OK [APPENDUID 5] b\r\na3 OK [APPENDUID 5 x] c\r\n"
		"a4 OK [APPENDUID 0 5] d\r\na5 OK [APPENDUID 5 0] e\r\na6 OK [APPENDUID 5 7\r\n",
		"TAGGED tag=<a1> OK [APPENDUID] text=<a>\nTAGGED tag=<a2> OK [APPENDUID] text=<b>\n"
		"TAGGED tag=<a3> OK [APPENDUID] text=<c>\nTAGGED tag=<a4> OK [APPENDUID] text=<d>\n"
		"TAGGED tag=<a5> OK [APPENDUID] text=<e>\n"
		"TAGGED tag=<a6> OK [APPENDUID] number=5 uids=7 text=<>\n"},
	{"copyuid", "a1 OK [COPYUID 38505 304,319:320 3956:3958] done\r\n",
		"TAGGED tag=<a1> OK [COPYUID] number=38505 uids=304,319:320 target=3956:3958 "
		"text=<done>\n"},
	{"copyuid-of-everything", "* OK [COPYUID 1 1:4294967295 1:4294967295] x\r\n",
		"STATUS OK [COPYUID] number=1 uids=1:4294967295 target=1:4294967295 text=<x>\n"},
	{"copyuid-unequal",
		"a1 OK [COPYUID 1 1:2 5] a\r\na2 OK [COPYUID 1 1:4294967295 5:6] b\r\n"
		"a3 OK [COPYUID 1 1] c\r\na4 OK [COPYUID 1] d\r\na5 OK [COPYUID] e\r\n"
		"a6 OK [COPYUID 1 * 1] f\r\n",
		"TAGGED tag=<a1> OK [COPYUID] text=<a>\nTAGGED tag=<a2> OK [COPYUID] text=<b>\n"
		"TAGGED tag=<a3> OK [COPYUID] text=<c>\nTAGGED tag=<a4> OK [COPYUID] text=<d>\n"
		"TAGGED tag=<a5> OK [COPYUID] text=<e>\nTAGGED tag=<a6> OK [COPYUID] text=<f>\n"},
	{"copyuid-swapped", "a1 OK [COPYUID 1 3,1 10:11] a\r\na2 OK [COPYUID 1 1:2 11,10] b\r\n",
		"TAGGED tag=<a1> OK [COPYUID] text=<a>\nTAGGED tag=<a2> OK [COPYUID] text=<b>\n"},
	{"modified", "a1 OK [MODIFIED 7,9] conditional\r\n",
		"TAGGED tag=<a1> OK [MODIFIED] uids=7,9 text=<conditional>\n"},
	{"capability", "* OK [CAPABILITY IMAP4rev1 LITERAL+ AUTH=PLAIN auth=scram-sha-256] hi\r\n",
		"STATUS OK [CAPABILITY] IMAP4rev1 LITERAL+ AUTH=PLAIN AUTH=SCRAM-SHA-256 "
		"text=<hi>\n"},
	{"rfc5530",
		"a NO [UNAVAILABLE] x\r\na NO [AUTHENTICATIONFAILED] x\r\na NO "
		"[AUTHORIZATIONFAILED] x\r\n"
		"a NO [EXPIRED] x\r\na NO [PRIVACYREQUIRED] x\r\na NO [CONTACTADMIN] x\r\n"
		"a NO [NOPERM] x\r\na NO [INUSE] x\r\na NO [EXPUNGEISSUED] x\r\na NO [CORRUPTION] "
		"x\r\n"
		"a NO [SERVERBUG] x\r\na NO [CLIENTBUG] x\r\na NO [CANNOT] x\r\na NO [LIMIT] x\r\n"
		"a NO [OVERQUOTA] x\r\na NO [ALREADYEXISTS] x\r\na NO [NONEXISTENT] x\r\n",
		"TAGGED tag=<a> NO [UNAVAILABLE] text=<x>\n"
		"TAGGED tag=<a> NO [AUTHENTICATIONFAILED] text=<x>\n"
		"TAGGED tag=<a> NO [AUTHORIZATIONFAILED] text=<x>\n"
		"TAGGED tag=<a> NO [EXPIRED] text=<x>\nTAGGED tag=<a> NO [PRIVACYREQUIRED] "
		"text=<x>\n"
		"TAGGED tag=<a> NO [CONTACTADMIN] text=<x>\nTAGGED tag=<a> NO [NOPERM] text=<x>\n"
		"TAGGED tag=<a> NO [INUSE] text=<x>\nTAGGED tag=<a> NO [EXPUNGEISSUED] text=<x>\n"
		"TAGGED tag=<a> NO [CORRUPTION] text=<x>\nTAGGED tag=<a> NO [SERVERBUG] text=<x>\n"
		"TAGGED tag=<a> NO [CLIENTBUG] text=<x>\nTAGGED tag=<a> NO [CANNOT] text=<x>\n"
		"TAGGED tag=<a> NO [LIMIT] text=<x>\nTAGGED tag=<a> NO [OVERQUOTA] text=<x>\n"
		"TAGGED tag=<a> NO [ALREADYEXISTS] text=<x>\n"
		"TAGGED tag=<a> NO [NONEXISTENT] text=<x>\n"},
	{"rfc9051",
		"a NO [TRYCREATE] x\r\na NO [UIDNOTSTICKY] x\r\na NO [NOTSAVED] x\r\n"
		"a NO [HASCHILDREN] x\r\na NO [UNKNOWN-CTE] x\r\n* OK [CLOSED] x\r\n"
		"* OK [ALERT] x\r\na NO [BADCHARSET (UTF-8 \"a]b\")] x\r\na BAD [PARSE] x\r\n"
		"a NO [TOOBIG] x\r\n* OK [MAILBOXID (F2212ea87)] x\r\na NO [NEWNAME a b] x\r\n",
		"TAGGED tag=<a> NO [TRYCREATE] text=<x>\nTAGGED tag=<a> NO [UIDNOTSTICKY] "
		"text=<x>\n"
		"TAGGED tag=<a> NO [NOTSAVED] text=<x>\nTAGGED tag=<a> NO [HASCHILDREN] text=<x>\n"
		"TAGGED tag=<a> NO [UNKNOWN-CTE] text=<x>\nSTATUS OK [CLOSED] text=<x>\n"
		"STATUS OK [ALERT] text=<x>\nTAGGED tag=<a> NO [BADCHARSET] text=<b\")] x>\n"
		"TAGGED tag=<a> BAD [PARSE] text=<x>\nTAGGED tag=<a> NO [TOOBIG] text=<x>\n"
		"STATUS OK [MAILBOXID] text=<x>\nTAGGED tag=<a> NO [NEWNAME] text=<x>\n"},
	{"referral", "a NO [REFERRAL imap://user;AUTH=*@evil.example/] go there\r\n",
		"TAGGED tag=<a> NO [REFERRAL] text=<go there>\n"},
	{"unknown", "* OK [X-FOO (bar) 1] x\r\n* OK [] y\r\n* OK [ ALERT ] z\r\n",
		"STATUS OK [?] text=<x>\nSTATUS OK [?] text=<y>\nSTATUS OK [ALERT] text=<z>\n"},
	{"no-closing-bracket",
		"* OK [ALERT\r\n* OK [UIDVALIDITY 5\r\n* OK [UIDNEXT 7 next\r\n"
		"* OK [PERMANENTFLAGS (\\Seen\r\n* OK [CAPABILITY IDLE\r\n* OK [\r\n",
		"STATUS OK [ALERT] text=<>\nSTATUS OK [UIDVALIDITY] number=5 text=<>\n"
		"STATUS OK [UIDNEXT] number=7 text=<next>\n"
		"STATUS OK [PERMANENTFLAGS] text=<(\\Seen>\n"
		"STATUS OK [CAPABILITY] IDLE text=<>\nSTATUS OK [?] text=<>\n"},
	{"permanentflags-with-bracket",
		"* OK [PERMANENTFLAGS (\\Seen a]b [c] \\*)] ok\r\n* OK [PERMANENTFLAGS ()] none\r\n"
		"* OK [PERMANENTFLAGS NIL] nil\r\n",
		"STATUS OK [PERMANENTFLAGS] flags=(\\Seen \\* a]b [c]) text=<ok>\n"
		"STATUS OK [PERMANENTFLAGS] flags=() text=<none>\n"
		"STATUS OK [PERMANENTFLAGS] text=<nil>\n"},
	{"gmail-throttled",
		"a NO [THROTTLED] x\r\na NO Account exceeded bandwidth limits. [THROTTLED]\r\n"
		"a NO [ALERT] Slow down [THROTTLED]\r\n",
		"TAGGED tag=<a> NO [THROTTLED] text=<x>\n"
		"TAGGED tag=<a> NO [THROTTLED] text=<Account exceeded bandwidth limits. "
		"[THROTTLED]>\n"
		"TAGGED tag=<a> NO [ALERT] text=<Slow down [THROTTLED]>\n"},
};

static const Transcript capabilities[] = {
	{"dovecot",
		"* CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN "
		"STARTTLS LOGINDISABLED\r\n",
		"CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED SASL-IR ID ENABLE IDLE LITERAL+ "
		"AUTH=PLAIN\n"},
	{"all-that-we-know",
		"* CAPABILITY IMAP4rev1 IMAP4rev2 NAMESPACE LITERAL- UIDPLUS UNSELECT MOVE "
		"CONDSTORE "
		"QRESYNC ESEARCH SEARCHRES LIST-EXTENDED LIST-STATUS SPECIAL-USE "
		"CREATE-SPECIAL-USE "
		"CHILDREN NOTIFY BINARY REPLACE QUOTA ACL COMPRESS=DEFLATE UTF8=ACCEPT OBJECTID "
		"STATUS=SIZE PARTIAL MULTISEARCH APPENDLIMIT=35882577\r\n",
		"CAPABILITY IMAP4rev1 IMAP4rev2 NAMESPACE LITERAL- UIDPLUS UNSELECT MOVE CONDSTORE "
		"QRESYNC ESEARCH SEARCHRES LIST-EXTENDED LIST-STATUS SPECIAL-USE "
		"CREATE-SPECIAL-USE "
		"CHILDREN NOTIFY BINARY REPLACE QUOTA ACL COMPRESS=DEFLATE UTF8=ACCEPT OBJECTID "
		"STATUS=SIZE PARTIAL MULTISEARCH APPENDLIMIT=35882577\n"},
	{"odd",
		"* capability  imap4REV1\tidle  AUTH= AUTH=x AUTH APPENDLIMIT APPENDLIMIT=x "
		"IDLE2 (X) UTF8=ONLY \r\n",
		"CAPABILITY IMAP4rev1 IDLE UTF8=ACCEPT AUTH=X\n"},
	{"enabled", "* ENABLED CONDSTORE QRESYNC\r\n* ENABLED\r\n",
		"ENABLED CONDSTORE QRESYNC\nENABLED\n"},
};

static const Transcript lists[] = {
	{"names",
		"* LIST () \"/\" atom\r\n* LIST () \"/\" \"quo \\\"ted\\\\\"\r\n"
		"* LIST () \"/\" {7}\r\nlit{3}\"\r\n* LIST () \"/\" NIL\r\n* LIST () \"/\" "
		"\"\"\r\n",
		"LIST attributes=0 delimiter=%2F name=<atom>\n"
		"LIST attributes=0 delimiter=%2F name=<quo \"ted\\>\n"
		"LIST attributes=0 delimiter=%2F name=<lit{3}\">\n"
		"LIST attributes=0 delimiter=%2F name=<NIL>\n"
		"LIST attributes=0 delimiter=%2F name=<>\n"},
	{"raw-utf8-and-tab",
		"* LIST () \"/\" Entw\xc3\xbcrfe\r\n* LIST () \"/\" \"a\tb\"\r\n* LIST () \"/\" "
		"a\tb\r\n"
		"* LIST () \"/\" {3+}\r\na\r\n\r\n",
		"LIST attributes=0 delimiter=%2F name=<Entw%C3%BCrfe>\n"
		"LIST attributes=0 delimiter=%2F name=<a%09b>\n"
		"LIST attributes=0 delimiter=%2F name=<a%09b>\n"
		"LIST attributes=0 delimiter=%2F name=<a%0D%0A>\n"},
	{"unquoted-spaces",
		"* LIST (\\Sent) \"/\" Sent Items \r\n* LIST () \"/\" a b (\"X\" 1)\r\n",
		"LIST attributes=4000 delimiter=%2F name=<Sent Items>\n"
		"LIST attributes=0 delimiter=%2F name=<a b>\n"},
	{"quoted-with-brace",
		"* LIST () \"/\" \"a{5}\"\r\n* LIST () \"/\" a{5}\r\n* LIST () \"/\" \"a {5}\r\n",
		"LIST attributes=0 delimiter=%2F name=<a{5}>\n"
		"LIST attributes=0 delimiter=%2F name=<a{5}>\nOTHER\n"},
	{"delimiters",
		"* LIST () NIL a\r\n* LIST () nil a\r\n* LIST () \"\" a\r\n* LIST () \"\\\\\" a\r\n"
		"* LIST () \"%\" a\r\n* LIST () . a\r\n* LIST () \"ab\" a\r\n",
		"LIST attributes=0 delimiter=NIL name=<a>\nLIST attributes=0 delimiter=NIL "
		"name=<a>\n"
		"LIST attributes=0 delimiter=NIL name=<a>\nLIST attributes=0 delimiter=%5C "
		"name=<a>\n"
		"LIST attributes=0 delimiter=%25 name=<a>\nLIST attributes=0 delimiter=%2E "
		"name=<a>\n"
		"OTHER\n"},
	{"attributes",
		"* LIST (\\Noinferiors \\NOSELECT \\Marked \\Unmarked) \"/\" a\r\n"
		"* LIST (\\HasChildren \\HasNoChildren \\Subscribed \\Remote) \"/\" a\r\n"
		"* LIST (\\NonExistent) \"/\" a\r\n* LIST (\\All \\Archive \\Drafts \\Flagged) "
		"\"/\" a\r\n"
		"* LIST (\\Junk \\Sent \\Trash) \"/\" a\r\n* LIST (\\X-Odd () \"x\" y) \"/\" a\r\n"
		"* LIST NIL \"/\" a\r\n* LSUB () \".\" INBOX.a\r\n",
		"LIST attributes=f delimiter=%2F name=<a>\nLIST attributes=f0 delimiter=%2F "
		"name=<a>\n"
		"LIST attributes=102 delimiter=%2F name=<a>\n"
		"LIST attributes=1e00 delimiter=%2F name=<a>\n"
		"LIST attributes=e000 delimiter=%2F name=<a>\nLIST attributes=0 delimiter=%2F "
		"name=<a>\n"
		"LIST attributes=0 delimiter=%2F name=<a>\n"
		"LIST attributes=0 delimiter=%2E name=<INBOX.a>\n"},
	{"extended",
		"* LIST () \"/\" \"new\" (\"OLDNAME\" (\"old\"))\r\n"
		"* LIST () \"/\" Foo (CHILDINFO (\"SUBSCRIBED\") OLDNAME ({3}\r\nx y))\r\n"
		"* LIST () \"/\" Foo (\"OLDNAME\"\r\n",
		"LIST attributes=0 delimiter=%2F name=<new> oldname=<old>\n"
		"LIST attributes=0 delimiter=%2F name=<Foo> oldname=<x y>\n"
		"LIST attributes=0 delimiter=%2F name=<Foo>\n"},
	{"malformed",
		"* LIST\r\n* LIST ()\r\n* LIST () \"/\"\r\n* LIST (\r\n* LIST a b c\r\n* LIST () "
		"\"/\" \"a\r\n",
		"OTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\n"},
	{"namespace",
		"* NAMESPACE ((\"\" \"/\")) NIL ((\"#shared/\" \"/\")(\"#pub.\" \".\" \"X\" "
		"(\"y\")))\r\n"
		"* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n* NAMESPACE NIL NIL NIL\r\n"
		"* NAMESPACE ((\"\" NIL)) NIL NIL\r\n* NAMESPACE ((\"\"\r\n",
		"NAMESPACE p/ prefix=<> s/ prefix=<#shared/> s. prefix=<#pub.>\n"
		"NAMESPACE p. prefix=<INBOX.>\nNAMESPACE\nNAMESPACE p0 prefix=<>\nOTHER\n"},
};

static const Transcript statuses[] = {
	{"all",
		"* STATUS \"a b\" (MESSAGES 231 UIDNEXT 44292 UIDVALIDITY 5 UNSEEN 2 HIGHESTMODSEQ "
		"99 "
		"SIZE 4294967296 DELETED 3)\r\n",
		"MAILBOX name=<a b> messages=231 uidnext=44292 uidvalidity=5 unseen=2 "
		"highestmodseq=99 size=4294967296 deleted=3\n"},
	{"unquoted-name",
		"* STATUS Sent Items (MESSAGES 1)\r\n* STATUS {3}\r\na(b (MESSAGES 1)\r\n",
		"MAILBOX name=<Sent Items> messages=1\nMAILBOX name=<a(b> messages=1\n"},
	{"nil-name", "* STATUS NIL (MESSAGES 0)\r\n", "MAILBOX name=<NIL> messages=0\n"},
	{"odd-items",
		"* STATUS a (MESSAGES)\r\n* STATUS a (MAILBOXID (x y) APPENDLIMIT NIL UIDNEXT "
		"7)\r\n"
		"* STATUS a (MESSAGES -1 UIDNEXT 1.5 UNSEEN 99999999999 SIZE "
		"18446744073709551616)\r\n"
		"* STATUS a ()\r\n* STATUS a\r\n* STATUS a (UIDNEXT 5\r\n",
		"MAILBOX name=<a>\nMAILBOX name=<a> uidnext=7\nMAILBOX name=<a>\nMAILBOX name=<a>\n"
		"OTHER\nMAILBOX name=<a> uidnext=5\n"},
};

static const Transcript quotas[] = {
	{"quota",
		"* QUOTA \"\" (STORAGE 10 512)\r\n"
		"* QUOTA \"User quota\" (STORAGE 1 9223372036854775807 MESSAGE 7 20)\r\n"
		"* QUOTA {3}\r\na b (MESSAGE 0 0)\r\n* QUOTA #user/alice (storage 0 0)\r\n",
		"QUOTA root=<> storage=10/512\n"
		"QUOTA root=<User quota> storage=1/9223372036854775807 messages=7/20\n"
		"QUOTA root=<a b> messages=0/0\nQUOTA root=<#user/alice> storage=0/0\n"},
	{"quota-other-resources",
		"* QUOTA \"\" ()\r\n* QUOTA a (ANNOTATION-STORAGE 1 2 MAILBOX 3 4 STORAGE 5 6)\r\n",
		"QUOTA root=<>\nQUOTA root=<a> storage=5/6\n"},
	{"quota-without-limit",
		"* QUOTA a (STORAGE 5 -1 MESSAGE 1 2)\r\n* QUOTA a (STORAGE 5 NIL MESSAGE 1 2)\r\n"
		"* QUOTA a (STORAGE 1.5 6 MESSAGE 1 2)\r\n"
		"* QUOTA a (STORAGE 5 9223372036854775808 MESSAGE 1 2)\r\n",
		"QUOTA root=<a> messages=1/2\nQUOTA root=<a> messages=1/2\n"
		"QUOTA root=<a> messages=1/2\nQUOTA root=<a> messages=1/2\n"},
	{"quota-broken",
		"* QUOTA\r\n* QUOTA a\r\n* QUOTA a (\r\n* QUOTA a (STORAGE\r\n"
		"* QUOTA a (STORAGE 1)\r\n* QUOTA a (STORAGE 1 2\r\n* QUOTA (STORAGE 1 2)\r\n",
		"OTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\nOTHER\n"},
	{"quotaroot",
		"* QUOTAROOT INBOX \"\"\r\n* QUOTAROOT \"Sent Items\" \"User quota\" b {1}\r\nc\r\n"
		"* QUOTAROOT NIL\r\n* QUOTAROOT\r\n",
		"QUOTAROOT mailbox=<INBOX> root=<>\n"
		"QUOTAROOT mailbox=<Sent Items> root=<User quota> root=<b> root=<c>\n"
		"QUOTAROOT mailbox=<NIL>\nOTHER\n"},
};

static const Transcript rights[] = {
	{"myrights",
		"* MYRIGHTS INBOX lrswipkxtecda\r\n* myrights \"a b\" \"rwi\"\r\n"
		"* MYRIGHTS {1}\r\na {2}\r\nlr \r\n* MYRIGHTS a \"\"\r\n* MYRIGHTS NIL nil\r\n",
		"MYRIGHTS mailbox=<INBOX> rights=<lrswipkxtecda>\n"
		"MYRIGHTS mailbox=<a b> rights=<rwi>\nMYRIGHTS mailbox=<a> rights=<lr>\n"
		"MYRIGHTS mailbox=<a> rights=<>\nMYRIGHTS mailbox=<NIL> rights=<nil>\n"},
	{"myrights-broken",
		"* MYRIGHTS\r\n* MYRIGHTS a\r\n* MYRIGHTS Sent Items lrs\r\n* MYRIGHTS a (lrs)\r\n",
		"OTHER\nOTHER\nOTHER\nOTHER\n"},
};

static const Transcript searches[] = {
	{"search", "* SEARCH 2 84 882\r\n* SEARCH\r\n* SEARCH \r\n* SEARCH 1 2 3  \r\n",
		"SEARCH all=2,84,882\nSEARCH all=\nSEARCH all=\nSEARCH all=1:3\n"},
	{"search-modseq", "* SEARCH 2 5 6 7 (MODSEQ 917162500)\r\n* SEARCH 1 (MODSEQ -1)\r\n",
		"SEARCH all=2,5:7 modseq=917162500\nSEARCH all=1\n"},
	{"search-unsorted", "* SEARCH 9 8 7 1 2 2 8 4294967295\r\n",
		"SEARCH all=1:2,7:9,4294967295\n"},
	{"search-uid-zero", "* SEARCH 0 5 0\r\n", "SEARCH all=5\n"},
	{"search-broken", "* SEARCH 1 2 x\r\n* SEARCH 4294967296\r\n* SEARCH 1 -2\r\n",
		"OTHER\nOTHER\nOTHER\n"},
	{"esearch",
		"* ESEARCH (TAG \"A285\") UID MIN 7 MAX 3800 COUNT 15 ALL 7:20,3800 MODSEQ 11\r\n"
		"* ESEARCH (TAG a1) ALL 1\r\n* ESEARCH UID\r\n* ESEARCH\r\n"
		"* ESEARCH (TAG \"x\") UID COUNT 0\r\n",
		"SEARCH tag=<A285> uid all=7:20,3800 count=15 min=7 max=3800 modseq=11\n"
		"SEARCH tag=<a1> all=1\nSEARCH uid\nSEARCH\nSEARCH tag=<x> uid count=0\n"},
	{"esearch-multi-and-unknown",
		"* ESEARCH (TAG \"t\" MAILBOX \"f\" UIDVALIDITY 1) UID ALL 5 PARTIAL (1:9 3) X (a "
		"(b))\r\n* ESEARCH (X y MAILBOX a/b TAG t) UID ALL 5\r\n"
		"* ESEARCH (MAILBOX {3}\r\na b UIDVALIDITY 4294967295) UID\r\n"
		"* ESEARCH (UIDVALIDITY 0) UID\r\n",
		"SEARCH tag=<t> mailbox=<f> uidvalidity=1 uid all=5\n"
		"SEARCH tag=<t> mailbox=<a/b> uid all=5\n"
		"SEARCH mailbox=<a b> uidvalidity=4294967295 uid\nOTHER\n"},
	{"esearch-everything", "* ESEARCH UID ALL 1:4294967295\r\n",
		"SEARCH uid all=1:4294967295\n"},
	{"esearch-descending", "* ESEARCH UID ALL 20:7,3\r\n", "SEARCH uid all=3,7:20\n"},
	{"esearch-broken",
		"* ESEARCH UID ALL 1:*\r\n* ESEARCH UID ALL\r\n* ESEARCH (TAG \"a\r\n"
		"* ESEARCH UID COUNT x\r\n",
		"OTHER\nOTHER\nOTHER\nOTHER\n"},
	{"vanished",
		"* VANISHED (EARLIER) 300:310,405\r\n* VANISHED 5\r\n* VANISHED 1:4294967295 \r\n"
		"* VANISHED\r\n* VANISHED (EARLIER)\r\n* VANISHED (X) 1\r\n* VANISHED 0\r\n",
		"VANISHED earlier=300:310,405\nVANISHED now=5\nVANISHED now=1:4294967295\n"
		"OTHER\nOTHER\nOTHER\nOTHER\n"},
};

static const Transcript numbers[] = {
	{"exists", "* 23 EXISTS\r\n* 5 exists\r\n* 0 RECENT\r\n* 44 EXPUNGE\r\n* 0 EXPUNGE\r\n",
		" EXISTS=23\n EXISTS=5\n RECENT=0\n EXPUNGE=44\n EXPUNGE=0\n"},
	{"absurd",
		"* 4294967296 EXISTS\r\n* -1 EXISTS\r\n* EXISTS\r\n* 5\r\n* 5 FOO {1}\r\nx y\r\n",
		"OTHER\nOTHER\nOTHER\nOTHER\nOTHER\n"},
	{"flags",
		"* FLAGS (\\Answered \\Flagged \\Recent \\X $Junk NIL \"q r\")\r\n* FLAGS NIL\r\n"
		"* FLAGS (\\Seen\r\n",
		"FLAGS flags=(\\Answered \\Flagged $Junk q r)\nOTHER\nOTHER\n"},
	{"spaces", "*  12 \t EXISTS \r\n*   OK   hello  \r\n\t\r\n \r\n\r\n\n* 1 RECENT\n",
		" EXISTS=12\nSTATUS OK text=<hello>\n RECENT=1\n"},
	{"unknown",
		"* XFOO (a (b {2}\r\n)( c)) \"{3}\"\r\n* \r\n*\r\n* ID (\"name\" \"x\")\r\nfoo\r\n",
		"OTHER\nOTHER\nOTHER\nOTHER\nOTHER\n"},
};

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	replay_add("condition", conditions, G_N_ELEMENTS(conditions));
	replay_add("code", codes, G_N_ELEMENTS(codes));
	replay_add("capability", capabilities, G_N_ELEMENTS(capabilities));
	replay_add("list", lists, G_N_ELEMENTS(lists));
	replay_add("status", statuses, G_N_ELEMENTS(statuses));
	replay_add("quota", quotas, G_N_ELEMENTS(quotas));
	replay_add("rights", rights, G_N_ELEMENTS(rights));
	replay_add("search", searches, G_N_ELEMENTS(searches));
	replay_add("number", numbers, G_N_ELEMENTS(numbers));
	return g_test_run();
}
