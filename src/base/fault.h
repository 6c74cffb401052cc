/* Fault points: where a test ends the program as a power switch would, to see what the next one
 * makes of the files left behind. Builds configured with -Dfaults=true have them; in all others
 * they are nothing. */
#pragma once

#include <glib.h>

#if IMAPFS_FAULTS

/* Stands before each change of a file of the cache. The pass whose number, counted from 1 over all
 * threads, is in the environment variable IMAPFS_FAULT_AT ends the process with SIGKILL; without
 * the variable none does. Any thread. */
void fault_point(void);

/* How many of len bytes to write before the next fault point: half, so that the write is torn. */
static inline gsize fault_part(gsize len)
{
	return (len + 1) / 2;
}

#else

static inline void fault_point(void)
{
}

static inline gsize fault_part(gsize len)
{
	return len;
}

#endif
