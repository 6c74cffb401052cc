#include "imap/date.h"

#include <string.h>

/* Exactly n digits. */
static bool digits(const char *text, guint n, int *ret_value)
{
	int value = 0;

	for (guint i = 0; i < n; i++) {
		if (!g_ascii_isdigit(text[i]))
			return false;
		value = value * 10 + (text[i] - '0');
	}
	*ret_value = value;
	return true;
}

static const char months[12][4] = {
	"Jan",
	"Feb",
	"Mar",
	"Apr",
	"May",
	"Jun",
	"Jul",
	"Aug",
	"Sep",
	"Oct",
	"Nov",
	"Dec",
};

static bool month_number(const char *name, int *ret_month)
{
	for (int i = 0; i < 12; i++) {
		if (g_ascii_strncasecmp(name, months[i], 3) == 0) {
			*ret_month = i + 1;
			return true;
		}
	}
	return false;
}

/* Days from 1970-01-01 to the first of a month of the Gregorian calendar. The year is taken to
 * begin in March, so that the leap day is its last. */
static gint64 days_to_month(int year, int month)
{
	gint64 y = month > 2 ? year : year - 1;
	gint64 m = month > 2 ? month - 3 : month + 9;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 - 719468;
}

static gint64 days_in_month(int year, int month)
{
	int next_year = month == 12 ? year + 1 : year;

	return days_to_month(next_year, month % 12 + 1) - days_to_month(year, month);
}

/* What a date says of itself. */
typedef struct {
	int day, month, year, hour, minute, second;
	int zone_s; /* east of UTC */
} Fields;

static bool time_of(const Fields *at, gint64 *ret_time)
{
	/* A year 0 would need divisions that round down. */
	if (at->year < 1 || at->month < 1 || at->month > 12 || at->day < 1 ||
		at->day > days_in_month(at->year, at->month) || at->hour > 23 || at->minute > 59 ||
		at->second > 60)
		return false;
	*ret_time = (days_to_month(at->year, at->month) + at->day - 1) * 86400 + at->hour * 3600 +
		    at->minute * 60 + at->second - at->zone_s;
	return true;
}

/* "-0700" */
static bool zone_offset(const char *text, int *ret_zone_s)
{
	int hour, minute;

	if ((text[0] != '+' && text[0] != '-') || !digits(text + 1, 2, &hour) ||
		!digits(text + 3, 2, &minute) || minute > 59)
		return false;
	*ret_zone_s = (hour * 60 + minute) * (text[0] == '-' ? -60 : 60);
	return true;
}

/* date-time = date-day-fixed "-" date-month "-" date-year SP time SP zone (RFC 9051 section 9), the
 * day with one or two digits, or a space before one. */
bool imap_date_parse(const char *text, gsize len, gint64 *ret_time)
{
	enum { AFTER_DAY = sizeof("-Jul-1996 02:44:25 -0700") - 1 };
	Fields at;
	guint day_digits;

	if (len > 0 && text[0] == ' ') {
		text++;
		len--;
	}
	if (len != AFTER_DAY + 1 && len != AFTER_DAY + 2)
		return false;
	day_digits = (guint)(len - AFTER_DAY);
	if (!digits(text, day_digits, &at.day))
		return false;
	text += day_digits;
	if (text[0] != '-' || !month_number(text + 1, &at.month) || text[4] != '-' ||
		!digits(text + 5, 4, &at.year) || text[9] != ' ' ||
		!digits(text + 10, 2, &at.hour) || text[12] != ':' ||
		!digits(text + 13, 2, &at.minute) || text[15] != ':' ||
		!digits(text + 16, 2, &at.second) || text[18] != ' ' ||
		!zone_offset(text + 19, &at.zone_s))
		return false;
	return time_of(&at, ret_time);
}

/* date-text = date-day "-" date-month "-" date-year; date-day = 1*2DIGIT */
static bool parse_date_text(const char *text, Fields *ret)
{
	enum { AFTER_DAY = sizeof("-Jan-2026") - 1 };
	gsize len = strlen(text);
	guint day_digits = len == AFTER_DAY + 1 ? 1 : 2;

	if (len != AFTER_DAY + day_digits || !digits(text, day_digits, &ret->day))
		return false;
	text += day_digits;
	return text[0] == '-' && month_number(text + 1, &ret->month) && text[4] == '-' &&
	       digits(text + 5, 4, &ret->year);
}

/* full-date = 4DIGIT "-" 2DIGIT "-" 2DIGIT (RFC 3339, 5.6) */
static bool parse_full_date(const char *text, Fields *ret)
{
	return strlen(text) == sizeof("2026-01-01") - 1 && digits(text, 4, &ret->year) &&
	       text[4] == '-' && digits(text + 5, 2, &ret->month) && text[7] == '-' &&
	       digits(text + 8, 2, &ret->day);
}

char *imap_date_day(const char *text)
{
	Fields at = {0};
	gint64 time;

	if ((!parse_date_text(text, &at) && !parse_full_date(text, &at)) || !time_of(&at, &time))
		return NULL;
	return g_strdup_printf("%d-%s-%04d", at.day, months[at.month - 1], at.year);
}
