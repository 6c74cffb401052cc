#include "fs/subject.h"

#include <string.h>

#include "fs/name.h"

enum { DAY = 1793577600 }; /* 2026-11-02 00:00:00 UTC */

static char *make(SubjectForm form, const char *from, const char *subject, gint64 date, guint32 uid)
{
	MimeFields fields = {.from_name = (char *)from, .subject = (char *)subject};
	return subject_name(form, &fields, date, uid);
}

static void test_forms(void)
{
	static const struct {
		const char *from, *subject, *full, *behind;
	} names[] = {
		{"Alice Example", "Quarterly report",
			"2026-11-02 Alice Example - Quarterly report [57].eml",
			"57 Quarterly report.eml"},
		{"", "Quarterly report", "2026-11-02 Quarterly report [57].eml",
			"57 Quarterly report.eml"},
		{"Alice", "", "2026-11-02 Alice [57].eml", "57.eml"},
		{"", "", "2026-11-02 [57].eml", "57.eml"},
		{" ", "\t\n", "2026-11-02 [57].eml", "57.eml"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *full =
			make(SUBJECT_FULL, names[i].from, names[i].subject, DAY, 57);
		g_autofree char *behind =
			make(SUBJECT_BEHIND_UID, names[i].from, names[i].subject, DAY, 57);
		g_assert_cmpstr(full, ==, names[i].full);
		g_assert_cmpstr(behind, ==, names[i].behind);
	}
}

/* The same everywhere, whatever the time zone. */
static void test_days(void)
{
	static const struct {
		gint64 date;
		const char *name;
	} days[] = {
		{DAY - 1, "2026-11-01 [1].eml"},
		{DAY, "2026-11-02 [1].eml"},
		{DAY + 86399, "2026-11-02 [1].eml"},
		{0, "1970-01-01 [1].eml"},
		{4294967295, "2106-02-07 [1].eml"},
		{G_MAXINT64, "0000-00-00 [1].eml"},
	};
	g_setenv("TZ", "Pacific/Kiritimati", TRUE);
	for (gsize i = 0; i < G_N_ELEMENTS(days); i++) {
		g_autofree char *name = make(SUBJECT_FULL, "", "", days[i].date, 1);
		g_assert_cmpstr(name, ==, days[i].name);
	}
}

static void test_hazards(void)
{
	static const char *const subjects[][2] = {
		{"../../x", "..-..-x"},
		{"/etc/passwd", "-etc-passwd"},
		{"C:\\x", "C:\\x"},
		{".", "."},
		{"..", ".."},
		{"  leading and trailing  ", "leading and trailing"},
		{"two\r\n lines\tof it", "two lines of it"},
		{"\001bell\a\177", "bell"},
		{"C1 \302\205 control", "C1 control"},
		{"line\342\200\250separator", "line separator"},
		{"no\302\240break", "no break"},
		{"invoice\342\200\256fdp.exe", "invoicefdp.exe"},
		{"\342\201\246isolated\342\201\251", "isolated"},
		{"\342\200\217right\342\200\216left\330\234", "rightleft"},
		{"zero\342\200\213width\357\273\277", "zerowidth"},
		{"-rf *", "-rf *"},
		{"$(reboot) `x` \"'", "$(reboot) `x` \"'"},
		{"%2F%00", "%2F%00"},
		{"not UTF-8 \377\376", "not UTF-8 \357\277\275\357\277\275"},
		{"cut in a character \303", "cut in a character \357\277\275"},
		{"Entw\303\274rfe \360\237\227\236", "Entw\303\274rfe \360\237\227\236"},
		/* An emoji of several is one character to who reads it. */
		{"\360\237\221\251\342\200\215\360\237\222\273",
			"\360\237\221\251\342\200\215\360\237\222\273"},
		{"57.eml", "57.eml"},
		{"x [58].eml", "x [58].eml"},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(subjects); i++) {
		g_autofree char *full = make(SUBJECT_FULL, "", subjects[i][0], DAY, 57);
		g_autofree char *behind = make(SUBJECT_BEHIND_UID, "", subjects[i][0], DAY, 57);
		g_autofree char *full_wanted =
			g_strdup_printf("2026-11-02 %s [57].eml", subjects[i][1]);
		g_autofree char *behind_wanted = g_strdup_printf("57 %s.eml", subjects[i][1]);
		g_assert_cmpstr(full, ==, full_wanted);
		g_assert_cmpstr(behind, ==, behind_wanted);
		g_autofree char *of_sender = make(SUBJECT_FULL, subjects[i][0], "", DAY, 57);
		g_assert_cmpstr(of_sender, ==, full_wanted);
	}
}

/* Every length, of characters of one to four bytes, with the longest UID. */
static void test_cut(void)
{
	static const char *const characters[] = {
		"x", "\303\274", "\342\202\254", "\360\237\227\236", "x "};
	for (gsize c = 0; c < G_N_ELEMENTS(characters); c++) {
		g_autoptr(GString) text = g_string_new(NULL);
		for (guint n = 0; n < 300; n++) {
			g_string_append(text, characters[c]);
			g_autofree char *full =
				make(SUBJECT_FULL, text->str, text->str, DAY, G_MAXUINT32);
			g_autofree char *behind =
				make(SUBJECT_BEHIND_UID, "", text->str, DAY, G_MAXUINT32);
			g_assert_cmpuint(strlen(full), <=, NAME_MAX_BYTES);
			g_assert_cmpuint(strlen(behind), <=, NAME_MAX_BYTES);
			g_assert_true(g_utf8_validate(full, -1, NULL));
			g_assert_true(g_utf8_validate(behind, -1, NULL));
			g_assert_true(g_str_has_suffix(full, " [4294967295].eml"));
			g_assert_true(g_str_has_suffix(behind, ".eml"));
			g_assert_null(strstr(full, "  "));
			g_assert_null(strstr(behind, " .eml"));
			if (n == 299) {
				g_assert_cmpuint(strlen(full), >, NAME_MAX_BYTES - 4);
				g_assert_cmpuint(strlen(behind), >, NAME_MAX_BYTES - 4);
			}
		}
	}
}

/* A long sender leaves room for the subject. */
static void test_long_sender(void)
{
	g_autofree char *sender = g_strnfill(300, 'a');
	g_autofree char *name = make(SUBJECT_FULL, sender, "Quarterly report", DAY, 57);
	g_assert_true(g_str_has_suffix(name, "aa - Quarterly report [57].eml"));
	g_assert_cmpuint(strlen(name), <=, 130);
}

static void test_uids(void)
{
	static const struct {
		const char *name;
		guint32 full, behind;
	} names[] = {
		{"2026-11-02 Alice - Report [57].eml", 57, 0},
		{"2026-11-02 [57].eml", 57, 0},
		{"57 Report.eml", 0, 57},
		{"57 Report [58].eml", 58, 57},
		{"4294967295 x.eml", 0, G_MAXUINT32},
		{"x [4294967295].eml", G_MAXUINT32, 0},
		{"4294967296 x.eml", 0, 0},
		{"x [4294967296].eml", 0, 0},
		{"99999999999999999999 x.eml", 0, 0},
		{"x [99999999999999999999].eml", 0, 0},
		{"057 x.eml", 0, 0},
		{"x [057].eml", 0, 0},
		{"0 x.eml", 0, 0},
		{"57.eml", 0, 0},
		{"57 x.EML", 0, 0},
		{"57 x", 0, 0},
		{" 57 x.eml", 0, 0},
		{"[].eml", 0, 0},
		{"].eml", 0, 0},
		{".eml", 0, 0},
		{"", 0, 0},
		{"x [5] [6 7].eml", 0, 0},
	};
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_assert_cmpuint(subject_to_uid(SUBJECT_FULL, names[i].name), ==, names[i].full);
		g_assert_cmpuint(
			subject_to_uid(SUBJECT_BEHIND_UID, names[i].name), ==, names[i].behind);
	}
}

/* Whatever a name is made of its UID is found. */
static void test_back(void)
{
	static const char *const texts[] = {"", "x", "[1]", "] [2].eml", "57 [", "/", " - "};
	static const guint32 uids[] = {1, 9, 10, 57, 1000000000, G_MAXUINT32};
	for (gsize t = 0; t < G_N_ELEMENTS(texts); t++) {
		for (gsize u = 0; u < G_N_ELEMENTS(uids); u++) {
			g_autofree char *full =
				make(SUBJECT_FULL, texts[t], texts[t], DAY, uids[u]);
			g_autofree char *behind =
				make(SUBJECT_BEHIND_UID, "", texts[t], DAY, uids[u]);
			guint32 uid = name_to_uid(behind);
			g_assert_cmpuint(subject_to_uid(SUBJECT_FULL, full), ==, uids[u]);
			g_assert_cmpuint(uid ? uid : subject_to_uid(SUBJECT_BEHIND_UID, behind), ==,
				uids[u]);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/subject/forms", test_forms);
	g_test_add_func("/subject/days", test_days);
	g_test_add_func("/subject/hazards", test_hazards);
	g_test_add_func("/subject/cut", test_cut);
	g_test_add_func("/subject/long-sender", test_long_sender);
	g_test_add_func("/subject/uids", test_uids);
	g_test_add_func("/subject/back", test_back);
	return g_test_run();
}
