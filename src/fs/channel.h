/* A descriptor of the kernel's connection for one thread alone, so that a process that is killed
 * closes the session's while that thread waits in the kernel. */
#pragma once

#include "fs/kernel.h"

/* A further descriptor of the session's connection, which the caller closes once a thread took it.
 * -1: the system gives none. Any thread, never blocks. */
int channel_open(struct fuse_session *session);

/* The calling thread has a table of descriptors of its own from now on: this one under the number
 * of the session's, so that what libfuse sends from this thread goes through it, and, of a process
 * that stays in the foreground, those for standard input, output and error; of one that leaves them
 * they would keep whoever started it waiting for the end of its output. Where the system has no
 * such thing, or for -1, nothing changes. Such a thread must open nothing, and log nothing but to
 * standard error. */
void channel_take(struct fuse_session *session, int channel, bool foreground);
