#include "cli/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void wait_for_child(int child) __attribute__((noreturn));

static void wait_for_child(int child)
{
	char ready;
	ssize_t n;
	do
		n = read(child, &ready, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int daemon_fork(void)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	pid_t pid = fork();
	if (pid > 0) {
		/* The child ends by them, once the terminal is as it was; this one ends with it. */
		signal(SIGINT, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		close(ends[1]);
		wait_for_child(ends[0]);
	}
	close(ends[0]);
	if (pid == 0)
		return ends[1];
	close(ends[1]);
	return -1;
}

void daemon_ready(int parent)
{
	setsid();
	if (chdir("/") != 0)
		_exit(EXIT_FAILURE);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	if (null > STDERR_FILENO)
		close(null);
	while (write(parent, "", 1) < 0 && errno == EINTR)
		;
	close(parent);
}
