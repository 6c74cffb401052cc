/* Fault points before each change that SQLite makes of its files. */
#include "store/sqlfile.h"
#include "base/fault.h"

#include <sqlite3.h>
#include <unistd.h>

static ssize_t torn_pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	size_t part = fault_part(len);

	fault_point();

	ssize_t n = pwrite(fd, bytes, part, offset);

	if (n < 0 || (size_t)n < part || part == len)
		return n;
	fault_point();

	ssize_t rest = pwrite(fd, (const char *)bytes + part, len - part, offset + (off_t)part);

	return rest < 0 ? n : n + rest;
}

static int late_ftruncate(int fd, off_t size)
{
	fault_point();
	return ftruncate(fd, size);
}

static int late_unlink(const char *path)
{
	fault_point();
	return unlink(path);
}

static gpointer add_faults(gpointer unused)
{
	/* SQLite calls the one or the other, as it was configured. */
	static const struct {
		const char *name;
		sqlite3_syscall_ptr function;
	} calls[] = {
		{"pwrite", (sqlite3_syscall_ptr)torn_pwrite},
		{"pwrite64", (sqlite3_syscall_ptr)torn_pwrite},
		{"ftruncate", (sqlite3_syscall_ptr)late_ftruncate},
		{"unlink", (sqlite3_syscall_ptr)late_unlink},
	};
	sqlite3_vfs *vfs = sqlite3_vfs_find("unix");

	for (gsize i = 0; i < G_N_ELEMENTS(calls); i++)
		vfs->xSetSystemCall(vfs, calls[i].name, calls[i].function);
	return NULL;
}

/* Once: another file may be in use in another thread. */
void store_sql_add_faults(void)
{
	static GOnce once = G_ONCE_INIT;

	g_once(&once, add_faults, NULL);
}
