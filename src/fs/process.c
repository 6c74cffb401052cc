#include "fs/process.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

/* The value of a line of /proc/PID/status; 0: there is none. A letter counts as its code. */
static gint64 process_field(pid_t pid, const char *name)
{
	char path[40], line[200];
	gint64 value = 0;
	gsize len = strlen(name);
	g_snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	while (value == 0 && fgets(line, sizeof line, file)) {
		if (strncmp(line, name, len) != 0)
			continue;
		const char *text = line + len + strspn(line + len, " \t");
		value = g_ascii_isalpha(*text) ? *text : g_ascii_strtoll(text, NULL, 10);
	}
	fclose(file);
	return value;
}

pid_t process_of_thread(pid_t thread)
{
	return thread > 0 ? (pid_t)process_field(thread, "Tgid:") : 0;
}

bool process_lives(pid_t process)
{
	gint64 state = process_field(process, "State:");
	return state != 0 && state != 'Z' && state != 'X';
}
