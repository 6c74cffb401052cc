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

	/* What a command may do after its first line, so that it is not ended by SIGPIPE and its
	 * status tells whether the line is good. */
	REST_US = 1 * G_USEC_PER_SEC,
	REST = 1 << 20,

	CHUNK = 4096,
};

/* Until one of two can be read; the second may be -1. */
static bool wait_for(int fd, int other, gint64 end, GCancellable *cancel, GError **error)
{
	GPollFD polls[3] = {{.fd = fd, .events = G_IO_IN}, {.fd = other, .events = G_IO_IN}};
	guint n = 2;
	if (cancel && g_cancellable_make_pollfd(cancel, &polls[2]))
		n = 3;
	int ready;
	do {
		gint64 left_ms = (end - g_get_monotonic_time()) / 1000 + 1;
		ready = g_poll(polls, n, end < 0 ? -1 : (int)CLAMP(left_ms, 0, G_MAXINT));
	} while (ready < 0 && errno == EINTR);
	if (n == 3)
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

bool first_line_wait(int fd, gint64 end, GCancellable *cancel, GError **error)
{
	return wait_for(fd, -1, end, cancel, error);
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

static bool is_readable(int fd)
{
	GPollFD poll = {.fd = fd, .events = G_IO_IN};
	return g_poll(&poll, 1, 0) > 0;
}

/* Until a line or all of it is there, or more than a secret has. writer: can be read once no more
 * comes from there, though others may hold the output open; -1: only its end tells. */
static bool read_some(int fd, int writer, gint64 end, char *buffer, gsize *ret_len,
	GCancellable *cancel, GError **error)
{
	gsize len = 0;
	bool done = false;
	while (!done && len < LIMIT_SECRET) {
		if (!wait_for(fd, writer, end, cancel, error))
			return false;
		if (writer >= 0 && !is_readable(fd))
			break;
		ssize_t n = read(fd, buffer + len, LIMIT_SECRET - len);
		if (n < 0 && errno != EINTR && errno != EAGAIN) {
			g_set_error(error, MAIL_ERROR, MAIL_ERROR_AUTH, "reading the password: %s",
				g_strerror(errno));
			return false;
		}
		done = n == 0 || (n > 0 && memchr(buffer + len, '\n', (gsize)n));
		len += n > 0 ? (gsize)n : 0;
	}
	*ret_len = len;
	return true;
}

static char *read_until(int fd, int writer, gint64 end, GCancellable *cancel, GError **error)
{
	char *buffer = g_malloc(LIMIT_SECRET);
	gsize len = 0;
	char *line = NULL;
	if (read_some(fd, writer, end, buffer, &len, cancel, error))
		line = take_line(buffer, len, error);
	explicit_bzero(buffer, LIMIT_SECRET);
	g_free(buffer);
	return line;
}

char *first_line_read(int fd, GCancellable *cancel, GError **error)
{
	return read_until(fd, -1, g_get_monotonic_time() + DEADLINE_US, cancel, error);
}

typedef struct {
	const char *name; /* in messages */
	GPid pid; /* the shell */
	int pidfd; /* can be read when it has ended; -1: kernels before 5.3 have none */
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

static bool has_ended(const Command *command)
{
	siginfo_t info = {0};
	return waitid(P_PID, (id_t)command->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == command->pid;
}

/* Reads what comes and drops it. Returns whether the command ended; what it left running may hold
 * its output open. */
static bool watch_end(const Command *command, GCancellable *cancel)
{
	gint64 end = g_get_monotonic_time() + REST_US;
	int output = command->output;
	for (gsize dropped = 0; !has_ended(command) && dropped < REST;) {
		char rest[CHUNK];
		if (!wait_for(command->pidfd, output, end, cancel, NULL))
			return false;
		if (output < 0 || has_ended(command))
			continue;
		ssize_t n = read(output, rest, sizeof(rest));
		explicit_bzero(rest, sizeof(rest));
		if (n > 0)
			dropped += (gsize)n;
		else if (n == 0 || errno != EINTR)
			output = -1;
	}
	return has_ended(command);
}

/* After all that is wanted of it has come. Returns whether it ended by itself. Without a pidfd it
 * is waited for. */
static bool let_end(const Command *command, GCancellable *cancel)
{
	if (command->pidfd < 0 || watch_end(command, cancel))
		return true;
	send_signal(command, SIGTERM);
	if (!watch_end(command, NULL))
		send_signal(command, SIGKILL);
	return false;
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
	char *line = read_until(command->output, command->pidfd, end, cancel, &why);
	bool by_itself = false;
	if (line || why->code == MAIL_ERROR_AUTH)
		by_itself = let_end(command, cancel);
	else
		send_signal(command, SIGKILL);

	/* Why a command failed says more than that nothing came of it. */
	g_autoptr(GError) status = NULL;
	bool failed = !check_exit(command, &status) && by_itself;
	if (line && !failed)
		return line;
	if (line) {
		explicit_bzero(line, strlen(line));
		g_free(line);
	}
	if (failed)
		g_propagate_error(error, g_steal_pointer(&status));
	else
		g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", command->name);
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
	command.pidfd = (int)syscall(SYS_pidfd_open, command.pid, 0);
	char *line = line_of(&command, cancel, error);
	if (command.pidfd >= 0)
		close(command.pidfd);
	close(command.output);
	return line;
}
