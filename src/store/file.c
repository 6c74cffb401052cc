#include "store/file.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

typedef struct {
	char text[64];
} FileName;

static FileName body_name(BodyFile file)
{
	FileName name;

	g_snprintf(name.text, sizeof name.text, "%u/%u-%" G_GUINT64_FORMAT, file.gen, file.uid,
		file.serial);
	return name;
}

static FileName gen_name(guint32 gen)
{
	FileName name;

	g_snprintf(name.text, sizeof name.text, "%u", gen);
	return name;
}

static FileName serial_name(const char *prefix, guint64 serial)
{
	FileName name;

	g_snprintf(name.text, sizeof name.text, "%s-%" G_GUINT64_FORMAT, prefix, serial);
	return name;
}

static FileName temp_name(guint64 serial)
{
	return serial_name("new", serial);
}

static FileName pack_name(guint64 serial)
{
	return serial_name("pack", serial);
}

void store_file_close(AutoFd fd)
{
	if (fd >= 0)
		close(fd);
}

bool store_file_make_dir(int at, const char *name)
{
	fault_point();
	return mkdirat(at, name, 0700) == 0 && fchmodat(at, name, 0700, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_file_make(int at, const char *name)
{
	fault_point();

	int fd = openat(at, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		fchmod(fd, 0600);
	return fd;
}

bool store_file_unlink(int at, const char *name, int flags)
{
	fault_point();
	return unlinkat(at, name, flags) == 0;
}

/* A new file for bytes of bodies. One of that name is nobody's: when the power went its mount was
 * lost from the index, and the number of it was given again. */
static int make_for_bodies(int bodies_fd, const char *name)
{
	int fd = store_file_make(bodies_fd, name);

	if (fd < 0 && errno == EEXIST && store_file_unlink(bodies_fd, name, 0))
		fd = store_file_make(bodies_fd, name);
	return fd;
}

static bool rename_within(int bodies_fd, const char *from, const char *to)
{
	fault_point();
	return renameat(bodies_fd, from, bodies_fd, to) == 0;
}

static bool make_gen(int bodies_fd, guint32 gen)
{
	return store_file_make_dir(bodies_fd, gen_name(gen).text);
}

int store_file_open_new(int bodies_fd, BodyFile file)
{
	FileName name = body_name(file);
	int fd = make_for_bodies(bodies_fd, name.text);

	/* The sweeper may take an empty folder away once. */
	for (int tries = 0; fd < 0 && errno == ENOENT && tries < 2; tries++)
		if (make_gen(bodies_fd, file.gen))
			fd = make_for_bodies(bodies_fd, name.text);
	return fd;
}

bool store_file_link(int bodies_fd, BodyFile from, BodyFile to)
{
	FileName old = body_name(from), new = body_name(to);
	int result = -1;

	errno = ENOENT;
	for (int tries = 0; result < 0 && errno == ENOENT && tries < 3; tries++) {
		if (tries > 0 && !make_gen(bodies_fd, to.gen))
			continue;
		fault_point();
		result = linkat(bodies_fd, old.text, bodies_fd, new.text, 0);
	}
	return result == 0;
}

int store_file_open_again(int bodies_fd, BodyFile file, guint64 min_size)
{
	int fd = openat(bodies_fd, body_name(file).text, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (guint64)st.st_size >= min_size)
		return fd;
	close(fd);
	errno = ESTALE;
	return -1;
}

bool store_file_read(int bodies_fd, BodyFile file, guint64 offset, void *buf, gsize len)
{
	g_auto(AutoFd) fd =
		openat(bodies_fd, body_name(file).text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && store_file_pread(fd, buf, len, offset);
}

void store_file_drop(int bodies_fd, BodyFile file)
{
	store_file_unlink(bodies_fd, body_name(file).text, 0);
}

void store_file_drop_gen(int bodies_fd, guint32 gen)
{
	store_file_unlink(bodies_fd, gen_name(gen).text, AT_REMOVEDIR);
}

int store_file_make_pack(int bodies_fd, guint64 serial)
{
	return make_for_bodies(bodies_fd, pack_name(serial).text);
}

int store_file_open_pack(int bodies_fd, guint64 serial)
{
	return openat(bodies_fd, pack_name(serial).text, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
}

void store_file_drop_pack(int bodies_fd, guint64 serial)
{
	store_file_unlink(bodies_fd, pack_name(serial).text, 0);
}

char *store_file_body_name(BodyFile file)
{
	FileName name = body_name(file);

	return g_path_get_basename(name.text);
}

char *store_file_pack_name(guint64 serial)
{
	return g_strdup(pack_name(serial).text);
}

int store_file_open_temp(int bodies_fd, guint64 serial)
{
	return make_for_bodies(bodies_fd, temp_name(serial).text);
}

bool store_file_adopt_temp(int bodies_fd, guint64 serial, BodyFile file)
{
	FileName from = temp_name(serial), to = body_name(file);

	return rename_within(bodies_fd, from.text, to.text) ||
	       (errno == ENOENT && make_gen(bodies_fd, file.gen) &&
		       rename_within(bodies_fd, from.text, to.text));
}

void store_file_drop_temp(int bodies_fd, guint64 serial)
{
	store_file_unlink(bodies_fd, temp_name(serial).text, 0);
}

bool store_file_pread(int fd, void *buf, gsize len, guint64 offset)
{
	for (gsize done = 0; done < len;) {
		gssize n = pread(fd, (char *)buf + done, len - done, (off_t)(offset + done));

		if (n > 0) {
			done += (gsize)n;
		} else if (n == 0 || errno != EINTR) {
			errno = n == 0 ? ESTALE : errno;
			return false;
		}
	}
	return true;
}

bool store_file_pwrite(int fd, const void *bytes, gsize len, guint64 offset)
{
	for (gsize done = 0; done < len;) {
		gsize part = done == 0 ? fault_part(len) : len - done;

		fault_point();

		gssize n = pwrite(fd, (const char *)bytes + done, part, (off_t)(offset + done));

		if (n >= 0)
			done += (gsize)n;
		else if (errno != EINTR)
			return false;
	}
	return true;
}
