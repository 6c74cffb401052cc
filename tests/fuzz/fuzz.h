/* The entry point that libFuzzer and fuzz-main.c call. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Aborts when the code under test breaks a promise; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
