/* Going to the background once it is known that the mount works. */
#pragma once

#include <stdbool.h>

/* Before any thread is started. Forks: returns in the child, which keeps the terminal, with what
 * daemon_ready() needs; -1: fork failed. The parent never returns: it exits with 0 at
 * daemon_ready(), or with 1 when the child ends before. */
int daemon_fork(void);

/* Leaves the terminal and the directory, and lets the parent exit. */
void daemon_ready(int parent);
