/* What the tests need from the operating system. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sets a variable for this process and its children; NULL removes it. */
void setEnvironment(const char* name, const char* value);
/* Whether Domino refuses this user. */
int isRefusedUser(void);
/* The clock of the workload's log. */
int64_t monotonicNs(void);
/* Whether a new file can be distinguished from a deleted one with the same number. */
int tellsReusedFileNumbers(void);
/* If not, the native character set is Western European. */
int nativeIsUtf8(void);
/* Replaces the separators in a path of the C API by those used in the tests. */
char* withSlashes(char* path);

#ifdef __cplusplus
}
#endif
