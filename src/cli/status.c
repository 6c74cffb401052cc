#include "cli/status.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "cli/mountpoint.h"
#include "cli/status-view.h"

enum {
	DEADLINE_MS = 3000, /* a mount that works answers in milliseconds */
	REFRESH_MS = 1000,
};

/* ---- reading: in a process of its own, since who reads from a mount that hangs hangs, too ---- */

static void copy(int from, int to)
{
	char buffer[4096];
	ssize_t n;
	while ((n = read(from, buffer, sizeof(buffer))) > 0)
		if (write(to, buffer, (size_t)n) != n)
			return;
}

static int open_status_above(const char *path)
{
	g_autofree char *mountpoint = mountpoint_of(path);
	if (!mountpoint)
		return -1;
	g_autofree char *status = g_build_filename(mountpoint, ".imapfs", "status", NULL);
	int fd = open(status, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		errno = ENXIO;
	return fd;
}

static bool is_link(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

/* The status of the mount that the path is in: where it leads, or, as with .imapfs/events, the link
 * itself. -1: with errno, ENOENT when there is no such path, ENXIO when nothing of ours is mounted
 * there. */
static int open_status(const char *path)
{
	int fd = open_status_above(path);
	int why = errno;
	if (fd >= 0 || !is_link(path))
		return fd;
	g_autofree char *parent = g_path_get_dirname(path);
	fd = open_status_above(parent);
	errno = why;
	return fd;
}

static void run_reader(const char *path, int to) __attribute__((noreturn));

/* Sends errno, 0 for success, then the text. */
static void run_reader(const char *path, int to)
{
	int fd = open_status(path);
	int error = fd < 0 ? errno : 0;
	if (write(to, &error, sizeof(error)) == sizeof(error) && fd >= 0)
		copy(fd, to);
	_exit(0);
}

/* The reader's process, or -1; *ret_fd is where it sends. */
static pid_t start_reader(const char *path, int *ret_fd)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid == 0)
		run_reader(path, ends[1]);
	close(ends[1]);
	if (pid > 0)
		*ret_fd = ends[0];
	else
		close(ends[0]);
	return pid;
}

/* All that comes until the end; false when that does not come in time. */
static bool receive(int fd, GString *to)
{
	gint64 deadline_us = g_get_monotonic_time() + DEADLINE_MS * 1000LL;
	char buffer[4096];
	for (;;) {
		gint64 left_us = deadline_us - g_get_monotonic_time();
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		if (left_us <= 0 || poll(&wait, 1, (int)(left_us / 1000) + 1) == 0)
			return false;
		ssize_t n = read(fd, buffer, sizeof(buffer));
		if (n == 0)
			return true;
		if (n > 0 && to->len + (gsize)n <= LIMIT_STATUS_TEXT)
			g_string_append_len(to, buffer, n);
		else if (n > 0 || errno != EINTR)
			return false;
	}
}

static bool fail(GError **error, MailError code, const char *mountpoint, const char *why)
{
	g_set_error(error, MAIL_ERROR, (gint)code, "%s: %s", mountpoint, why);
	return false;
}

/* Takes the reader's errno off. */
static bool opened(const char *mountpoint, GString *text, GError **error)
{
	int why;
	if (text->len < sizeof(why))
		return fail(error, MAIL_ERROR_IO, mountpoint, "cannot be read");
	memcpy(&why, text->str, sizeof(why));
	g_string_erase(text, 0, sizeof(why));
	if (why == ENOTCONN) {
		mountpoint_gone(mountpoint, error);
		return false;
	}
	if (why == ENXIO)
		return fail(error, MAIL_ERROR_NOT_FOUND, mountpoint, "imapfs is not mounted here");
	return why == 0 || fail(error, MAIL_ERROR_IO, mountpoint, g_strerror(why));
}

static bool read_text(const char *mountpoint, GString *to, GError **error)
{
	int fd = -1;
	pid_t pid = start_reader(mountpoint, &fd);
	if (pid < 0)
		return fail(error, MAIL_ERROR_IO, mountpoint, g_strerror(errno));
	bool whole = receive(fd, to);
	close(fd);
	/* One that hangs ends with the mount; nobody waits for it. */
	kill(pid, SIGKILL);
	if (!whole)
		return fail(error, MAIL_ERROR_TIMEOUT, mountpoint,
			"does not answer; is its imapfs process stopped?");
	return opened(mountpoint, to, error);
}

/* ---- showing ---- */

static bool show_json(const char *mountpoint, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (!read_text(mountpoint, text, error))
		return false;
	fputs(text->str, stdout);
	return true;
}

static char *read_view(const char *mountpoint, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (!read_text(mountpoint, text, error))
		return NULL;
	g_autoptr(JsonReader) reader = json_reader_new(text->str, text->len);
	if (reader && json_reader_text(reader, "imapfs"))
		return status_view(reader);
	fail(error, MAIL_ERROR_NOT_FOUND, mountpoint, "imapfs is not mounted here");
	return NULL;
}

/* Over what was shown before, no line longer and no more of them than the terminal takes, the last
 * one then with the number of those left out. Returns how many were drawn. */
static guint draw(const char *view, guint before)
{
	struct winsize size = {0};
	guint room = G_MAXUINT;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1)
		room = size.ws_row - 1;
	g_auto(GStrv) lines = g_strsplit(view, "\n", -1);
	guint all = g_strv_length(lines) - 1; /* the last one ends, too */
	guint drawn = MIN(all, room), whole = drawn < all ? drawn - 1 : all;
	if (before > 0)
		printf("\033[%uA", before);
	printf("\033[?7l");
	for (guint i = 0; i < whole; i++)
		printf("%s\033[K\n", lines[i]);
	if (whole < all)
		printf("... and %u more lines\033[K\n", all - whole);
	printf("\033[J\033[?7h");
	fflush(stdout);
	return drawn;
}

static bool show_live(const char *mountpoint, GError **error)
{
	guint shown = 0;
	for (;;) {
		g_autofree char *view = read_view(mountpoint, error);
		if (!view)
			return false;
		shown = draw(view, shown);
		if (ferror(stdout))
			return true;
		g_usleep(REFRESH_MS * 1000);
	}
}

bool status_show(const Options *options, GError **error)
{
	/* Readers that ended are nobody's business. */
	signal(SIGCHLD, SIG_IGN);
	if (options->json)
		return show_json(options->mountpoint, error);
	if (isatty(STDOUT_FILENO))
		return show_live(options->mountpoint, error);
	g_autofree char *view = read_view(options->mountpoint, error);
	if (view)
		fputs(view, stdout);
	return view != NULL;
}
