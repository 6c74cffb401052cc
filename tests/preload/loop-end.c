/* Loaded before libfuse: keeps its loop from returning once its workers are gone, so that a test
 * has time for what may come in this moment. Makes the file that IMAPFS_LOOP_END names, and waits
 * until the test removes it. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEP_US = 10 * 1000, STEPS = 6000 };

typedef int (*Loop)(void *session, void *config);

int fuse_session_loop_mt(void *session, void *config);

int fuse_session_loop_mt(void *session, void *config)
{
	Loop loop = (Loop)dlvsym(RTLD_NEXT, "fuse_session_loop_mt", "FUSE_3.12");
	int result = loop(session, config);
	const char *path = getenv("IMAPFS_LOOP_END");
	int fd = path ? open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;

	if (fd >= 0)
		close(fd);
	for (int i = 0; fd >= 0 && i < STEPS && access(path, F_OK) == 0; i++)
		usleep(STEP_US);
	return result;
}
