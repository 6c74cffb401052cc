/* How long an input is for which the time must go with the length. */
#pragma once

/* Whether ThreadSanitizer is there: gcc says so in one way, clang in another. */
#ifdef __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZED
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define THREAD_SANITIZED
#endif

enum {
#ifdef THREAD_SANITIZED
	/* Here it cannot: at each call of iconv() and memmem() the sanitizer looks at all bytes
	 * that are left. */
	LONG_INPUT = 1 << 15,
#else
	LONG_INPUT = 1 << 19,
#endif
};
