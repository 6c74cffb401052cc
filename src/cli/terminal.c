#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/error.h"
#include "base/limits.h"
#include "cli/first-line.h"

static void write_text(int fd, const char *text)
{
	/* A prompt that nobody sees is no reason not to read the answer. */
	ssize_t n = write(fd, text, strlen(text));
	(void)n;
}

/* The terminal hands out whole lines, each within its limit of 4096 bytes. */
static char *read_line(int fd, GCancellable *cancel, GError **error)
{
	char buffer[LIMIT_SECRET];
	ssize_t n;
	do {
		if (!first_line_wait(fd, -1, cancel, error))
			return NULL;
		n = read(fd, buffer, sizeof(buffer) - 1);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n > 0 && buffer[n - 1] == '\n')
		n--;
	char *line = n > 0 ? g_strndup(buffer, (gsize)n) : NULL;
	explicit_bzero(buffer, sizeof(buffer));
	if (!line)
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_AUTH, "no password was given");
	return line;
}

/* Also after the shell has taken the terminal back, which would stop or refuse us by SIGTTOU. */
static void restore(int fd, const struct termios *before)
{
	sigset_t set, old;
	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	tcsetattr(fd, TCSAFLUSH, before);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

char *terminal_ask(const char *prompt, GCancellable *cancel, GError **error)
{
	struct termios before;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0)
			close(fd);
		g_set_error_literal(error, MAIL_ERROR, MAIL_ERROR_AUTH,
			"no passcmd, passfile or tokencmd is given, and there is no terminal to "
			"ask "
			"for the password at");
		return NULL;
	}
	struct termios quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	quiet.c_lflag |= ICANON;
	tcsetattr(fd, TCSAFLUSH, &quiet);
	write_text(fd, prompt);
	char *line = read_line(fd, cancel, error);
	restore(fd, &before);
	write_text(fd, "\n");
	close(fd);
	return line;
}
