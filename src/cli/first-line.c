#include "cli/first-line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"

enum {
	/* A command may ask its user for something: a PIN, a touch of a key. */
	DEADLINE_US = 120 * G_USEC_PER_SEC,

	/* Output of a command is read to its end, so that it is not killed by SIGPIPE, but not
	 * without one. */
	OUTPUT = 1 << 20,

	CHUNK = 4096,
};

bool first_line_wait(int fd, gint64 end, GCancellable *cancel, GError **error)
{
	GPollFD polls[2] = {{.fd = fd, .events = G_IO_IN}};
	guint n = 1;
	if (cancel && g_cancellable_make_pollfd(cancel, &polls[1]))
		n = 2;
	int ready;
	do {
		gint64 left_ms = (end - g_get_monotonic_time()) / 1000 + 1;
		ready = g_poll(polls, n, end < 0 ? -1 : (int)CLAMP(left_ms, 0, G_MAXINT));
	} while (ready < 0 && errno == EINTR);
	if (n == 2)
		g_cancellable_release_fd(cancel);

	if (g_cancellable_is_cancelled(cancel)) {
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_CANCELLED, "cancelled");
		return false;
	}
	if (ready == 0) {
		g_set_error_literal(
			error, MAIL_ERROR, MAIL_ERROR_TIMEOUT, "no password came in time");
		return false;
	}
	return true;
}

static char *refuse(GError **error, const char *text)
{
	g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_AUTH, text);
	return NULL;
}

/* buffer has len bytes and room for a NUL. */
static char *take_line(const char *buffer, gsize len, GError **error)
{
	const char *newline = memchr(buffer, '\n', len);
	gsize n = newline ? (gsize)(newline - buffer) : len;
	if (n > 0 && buffer[n - 1] == '\r')
		n--;
	if (n == 0)
		return refuse(error, "the password is empty");
	if (n >= LIMIT_SECRET)
		return refuse(error, "the password is too long");
	if (memchr(buffer, '\0', n))
		return refuse(error, "the password holds a NUL byte");
	return g_strndup(buffer, n);
}

static bool fail_io(GError **error, const char *why)
{
	g_set_error(error, MAIL_ERROR, MAIL_ERROR_IO, "reading the password: %s", why);
	return false;
}

/* What does not fit is read and dropped. */
static bool read_all(
	int fd, gint64 end, char *buffer, gsize *ret_len, GCancellable *cancel, GError **error)
{
	gsize len = 0;
	gsize dropped = 0;
	while (dropped < OUTPUT) {
		char rest[CHUNK];
		gsize room = LIMIT_SECRET - len;
		if (!first_line_wait(fd, end, cancel, error))
			return false;
		ssize_t n = room > 0 ? read(fd, buffer + len, room) : read(fd, rest, sizeof(rest));
		explicit_bzero(rest, sizeof(rest));
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return fail_io(error, g_strerror(errno));
		if (n > 0 && room > 0)
			len += (gsize)n;
		else if (n > 0)
			dropped += (gsize)n;
		if (n == 0) {
			*ret_len = len;
			return true;
		}
	}
	return fail_io(error, "there is no end to it");
}

static char *read_until(int fd, gint64 end, GCancellable *cancel, GError **error)
{
	char *buffer = g_malloc(LIMIT_SECRET);
	gsize len = 0;
	char *line = NULL;
	if (read_all(fd, end, buffer, &len, cancel, error))
		line = take_line(buffer, len, error);
	explicit_bzero(buffer, LIMIT_SECRET);
	g_free(buffer);
	return line;
}

char *first_line_read(int fd, GCancellable *cancel, GError **error)
{
	return read_until(fd, g_get_monotonic_time() + DEADLINE_US, cancel, error);
}

typedef struct {
	const char *name; /* in messages */
	GPid pid; /* the shell */
	bool has_group; /* of its own, with all that the shell starts */
	int output;
} Command;

/* In the child before exec: what main() blocks is not for the command. */
static void set_up_child(gpointer data)
{
	const Command *command = data;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (command->has_group)
		setpgid(0, 0);
}

/* What a shell started is not ended with it; a process group is. But at a terminal a group of its
 * own would be in the background, where SIGTTIN and SIGTTOU stop who asks for a passphrase, as
 * pinentry-curses does; there the command stays in our group, and Ctrl-C reaches all of it. */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno != ENXIO;
	close(fd);
	return true;
}

/* Not reaped yet, so that the number is nobody else's. */
static void send_signal(const Command *command, int signal_number)
{
	kill(command->has_group ? -command->pid : command->pid, signal_number);
}

/* A command may close its output and go on. Kernels before 5.3 have no pidfd: there it is waited
 * for. */
static void kill_when_late(const Command *command, gint64 end, GCancellable *cancel)
{
	int pidfd = (int)syscall(SYS_pidfd_open, command->pid, 0);
	if (pidfd < 0)
		return;
	if (!first_line_wait(pidfd, end, cancel, NULL))
		send_signal(command, SIGKILL);
	close(pidfd);
}

static bool check_exit(const Command *command, GError **error)
{
	int status;
	while (waitpid(command->pid, &status, 0) < 0) {
		if (errno != EINTR) {
			g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "%s: %s", command->name,
				g_strerror(errno));
			return false;
		}
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFEXITED(status))
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "%s exited with status %d",
			command->name, WEXITSTATUS(status));
	else
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "%s was killed by signal %d",
			command->name, WTERMSIG(status));
	return false;
}

/* Reaps it. */
static char *line_of(const Command *command, GCancellable *cancel, GError **error)
{
	gint64 end = g_get_monotonic_time() + DEADLINE_US;
	g_autoptr(GError) why = NULL;
	char *line = read_until(command->output, end, cancel, &why);
	bool refused = !line && why->code == MAIL_ERROR_AUTH;
	if (line || refused)
		kill_when_late(command, end, cancel);
	else
		send_signal(command, SIGKILL);

	/* Why a command failed says more than that nothing came of it. */
	bool succeeded = check_exit(command, line || refused ? error : NULL);
	if (line && succeeded)
		return line;
	if (line) {
		explicit_bzero(line, strlen(line));
		g_free(line);
	} else if (succeeded || !refused) {
		g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", command->name);
	}
	return NULL;
}

char *first_line_of_command(
	const char *name, const char *text, GCancellable *cancel, GError **error)
{
	char *argv[] = {"/bin/sh", "-c", (char *)text, NULL};
	Command command = {.name = name, .has_group = !has_terminal()};
	g_autoptr(GError) why = NULL;
	if (!g_spawn_async_with_pipes("/", argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, set_up_child,
		    &command, &command.pid, NULL, &command.output, NULL, &why)) {
		g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "%s: %s", name, why->message);
		return NULL;
	}
	char *line = line_of(&command, cancel, error);
	close(command.output);
	return line;
}
