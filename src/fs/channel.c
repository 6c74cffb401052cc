/* Who looks into a folder holds its lock in the kernel until we answer, and an invalidation of an
 * entry waits for that lock, where no signal reaches it. A process killed then cannot end before
 * its thread is out of there, and as long as the thread shares the descriptors of the process, the
 * session's stays open, so that the kernel goes on waiting for answers which nobody will give: only
 * root's `umount -f` ends that.
 *
 * With a descriptor of its own for the thread the session's is closed as soon as the others are
 * dead. The kernel then fails all requests that were read through it, their locks are given back,
 * and the thread and with it the connection end.
 *
 * What is left: a request that holds such a lock and that no worker had read yet, which takes them
 * some microseconds, belongs to no descriptor. It lasts until the process that made it is killed;
 * unlike one that was read it does not keep that alive. */
#include "fs/channel.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FIRST = STDERR_FILENO + 1 };

int channel_open(struct fuse_session *session)
{
	uint32_t of = (uint32_t)fuse_session_fd(session);
	int channel = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (channel >= 0 && ioctl(channel, FUSE_DEV_IOC_CLONE, &of) == 0)
		return channel;
	if (channel >= 0)
		close(channel);
	return -1;
}

/* Not by the functions of the C library: sanitizers watch those, and know of one table only. */
static bool close_all(int from, int to, guint flags)
{
	return from > to || syscall(SYS_close_range, from, to, flags) == 0;
}

void channel_take(struct fuse_session *session, int channel, bool foreground)
{
	int fd = fuse_session_fd(session), first = foreground ? FIRST : 0;
	if (channel < 0 || !close_all(MAX(fd, channel) + 1, G_MAXINT, CLOSE_RANGE_UNSHARE))
		return;
	syscall(SYS_dup3, channel, fd, O_CLOEXEC);
	close_all(first, fd - 1, 0);
	close_all(MAX(first, fd + 1), channel, 0);
}
