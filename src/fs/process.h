/* The processes that the kernel names in its requests, as /proc shows them. They read files, which
 * waits for nothing. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The thread group of a thread; 0: nobody knows. */
pid_t process_of_thread(pid_t thread);

/* Whether it has not ended yet. */
bool process_lives(pid_t process);
