#include "store/private.h"
#include "store/events.h"
#include "base/fault.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

static const char name[] = "events", old_name[] = "events.1";

struct StoreEvents {
	int dir_fd;
	int fd; /* -1: it could not be opened */
	char *path; /* constant */
};

/* O_NONBLOCK: what somebody put there may be a FIFO. */
static int open_file(int dir_fd)
{
	struct stat st;

	fault_point();

	int fd = openat(dir_fd, name,
		O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fchmod(fd, 0600) == 0)
		return fd;
	close(fd);
	return -1;
}

StoreEvents *store_events_new(int dir_fd, const char *dir_path)
{
	int fd = open_file(dir_fd);

	if (fd < 0) {
		g_debug("no journal of changes: %s", g_strerror(errno));
		return NULL;
	}

	StoreEvents *events = g_new(StoreEvents, 1);

	*events = (StoreEvents){dir_fd, fd, g_build_filename(dir_path, name, NULL)};
	return events;
}

void store_events_free(StoreEvents *events)
{
	if (!events)
		return;
	store_file_close(events->fd);
	g_free(events->path);
	g_free(events);
}

static void reopen(StoreEvents *events)
{
	store_file_close(events->fd);
	events->fd = open_file(events->dir_fd);
}

/* Makes sure that the file is the one that its name leads to and has room. Returns its size, -1
 * without a file. */
static gint64 prepare(StoreEvents *events, gsize len)
{
	struct stat st;

	if (events->fd < 0 || fstat(events->fd, &st) < 0 || st.st_nlink == 0)
		reopen(events);
	if (events->fd < 0 || fstat(events->fd, &st) < 0)
		return -1;
	if ((guint64)st.st_size + len <= LIMIT_EVENTS_FILE)
		return st.st_size;
	fault_point();
	if (renameat(events->dir_fd, name, events->dir_fd, old_name) < 0)
		return -1;
	reopen(events);
	return events->fd >= 0 ? 0 : -1;
}

void store_events_write(StoreEvents *events, const char *lines, gsize len)
{
	gint64 before = prepare(events, len);

	if (before < 0)
		return;

	fault_point();

	ssize_t written = write(events->fd, lines, len);

	if (written >= 0 && (gsize)written < len && ftruncate(events->fd, before) < 0)
		g_debug("a line of the journal of changes is cut: %s", g_strerror(errno));
}

void store_note(Store *store, const char *lines, gsize len)
{
	if (store->events)
		store_events_write(store->events, lines, len);
}

const char *store_notes_path(Store *store)
{
	return store->events ? store->events->path : NULL;
}
