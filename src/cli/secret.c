#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/first-line.h"
#include "cli/terminal.h"

struct Secret {
	const Options *options;
	GMutex lock; /* held across the prompt: of two logins one asks */
	char *kept; /* lock: what was typed, locked in memory; NULL: not asked yet */
	gsize kept_size;
	struct stat
		seen; /* lock: the passfile when it was looked at last; all 0: it was not there */
};

Secret *secret_new(const Options *options)
{
	Secret *secret = g_new0(Secret, 1);
	secret->options = options;
	g_mutex_init(&secret->lock);
	return secret;
}

void secret_free(Secret *secret)
{
	if (!secret)
		return;
	if (secret->kept) {
		explicit_bzero(secret->kept, secret->kept_size);
		munmap(secret->kept, secret->kept_size);
	}
	g_mutex_clear(&secret->lock);
	g_free(secret);
}

static char *fail(GError **error, MailError code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static char *fail(GError **error, MailError code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	g_autofree char *text = g_strdup_vprintf(format, args);
	va_end(args);
	g_set_error_literal(error, MAIL_ERROR, code, text);
	return NULL;
}

bool secret_check(const Options *options, GError **error)
{
	const char *path = options->passfile;
	if (!path || access(path, R_OK) == 0)
		return true;
	fail(error, MAIL_ERROR_INVALID, "passfile %s: %s", path, g_strerror(errno));
	return false;
}

/* Whatever is done to a file changes its ctime; the size is for two changes within a tick of it. */
static bool note_seen(Secret *secret, const struct stat *now)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&secret->lock);
	const struct stat before = secret->seen;
	secret->seen = *now;
	return now->st_dev != before.st_dev || now->st_ino != before.st_ino ||
	       now->st_size != before.st_size || now->st_ctim.tv_sec != before.st_ctim.tv_sec ||
	       now->st_ctim.tv_nsec != before.st_ctim.tv_nsec;
}

bool secret_changed(Secret *secret)
{
	const Options *options = secret->options;
	if (options->tokencmd || options->passcmd || !options->passfile)
		return false;
	struct stat now;
	return note_seen(secret, stat(options->passfile, &now) == 0 ? &now : &(struct stat){0});
}

static char *from_file(Secret *secret, GCancellable *cancel, GError **error)
{
	const char *path = secret->options->passfile;
	struct stat status = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int failed = fd < 0 || fstat(fd, &status) != 0 ? errno : 0;
	note_seen(secret, &status);
	if (fd < 0)
		return fail(error, MAIL_ERROR_AUTH, "passfile %s: %s", path, g_strerror(failed));
	if (failed || !(S_ISREG(status.st_mode) || S_ISFIFO(status.st_mode))) {
		close(fd);
		return fail(error, MAIL_ERROR_AUTH, "passfile %s is not a file", path);
	}
	if (status.st_mode & (S_IRWXG | S_IRWXO)) {
		close(fd);
		return fail(error, MAIL_ERROR_AUTH, "passfile %s is open to others: chmod 600 it",
			path);
	}
	char *line = first_line_read(fd, cancel, error);
	close(fd);
	return line;
}

/* Memory of its own, since only whole pages can be locked. Without a lock (RLIMIT_MEMLOCK) it is
 * kept all the same. */
static void keep_locked(Secret *secret, const char *text)
{
	gsize size = strlen(text) + 1;
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pages == MAP_FAILED)
		return;
	if (mlock(pages, size) != 0)
		g_debug("the password cannot be locked in memory: %s", g_strerror(errno));
	memcpy(pages, text, size);
	secret->kept = pages;
	secret->kept_size = size;
}

static char *from_terminal(Secret *secret, GCancellable *cancel, GError **error)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&secret->lock);
	if (secret->kept)
		return g_strdup(secret->kept);
	g_autofree char *prompt = g_strdup_printf("Password of %s: ", secret->options->account);
	char *text = terminal_ask(prompt, cancel, error);
	if (text)
		keep_locked(secret, text);
	return text;
}

char *secret_get(gpointer data, GCancellable *cancel, GError **error)
{
	Secret *secret = data;
	const Options *options = secret->options;
	if (options->tokencmd)
		return first_line_of_command("tokencmd", options->tokencmd, cancel, error);
	if (options->passcmd)
		return first_line_of_command("passcmd", options->passcmd, cancel, error);
	if (options->passfile)
		return from_file(secret, cancel, error);
	return from_terminal(secret, cancel, error);
}
