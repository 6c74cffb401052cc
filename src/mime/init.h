/* What GMime needs before its first use. */
#pragma once

/* Makes the functions of this layer usable; main() calls it, before there are other threads. */
void mime_init(void);
