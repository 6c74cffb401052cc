#include "imap/date.h"

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

static bool month_number(const char *name, int *ret_month)
{
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

/* date-time = date-day-fixed "-" date-month "-" date-year SP time SP zone (RFC 9051 section 9), the
 * day with one or two digits, or a space before one. */
bool imap_date_parse(const char *text, gsize len, gint64 *ret_time)
{
	enum { AFTER_DAY = sizeof("-Jul-1996 02:44:25 -0700") - 1 };
	int day, month, year, hour, minute, second, zone_hour, zone_minute;
	gint64 seconds, zone;
	guint day_digits;

	if (len > 0 && text[0] == ' ') {
		text++;
		len--;
	}
	if (len != AFTER_DAY + 1 && len != AFTER_DAY + 2)
		return false;
	day_digits = (guint)(len - AFTER_DAY);
	if (!digits(text, day_digits, &day))
		return false;
	text += day_digits;
	if (text[0] != '-' || !month_number(text + 1, &month) || text[4] != '-' ||
		!digits(text + 5, 4, &year) || text[9] != ' ' || !digits(text + 10, 2, &hour) ||
		text[12] != ':' || !digits(text + 13, 2, &minute) || text[15] != ':' ||
		!digits(text + 16, 2, &second) || text[18] != ' ' ||
		(text[19] != '+' && text[19] != '-') || !digits(text + 20, 2, &zone_hour) ||
		!digits(text + 22, 2, &zone_minute))
		return false;
	/* A year 0 would need divisions that round down. */
	if (year < 1 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 ||
		second > 60 || zone_minute > 59)
		return false;

	zone = (zone_hour * 60 + zone_minute) * 60;
	seconds =
		(days_to_month(year, month) + day - 1) * 86400 + hour * 3600 + minute * 60 + second;
	*ret_time = text[19] == '-' ? seconds + zone : seconds - zone;
	return true;
}
