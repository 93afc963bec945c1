/* What a test asks the operating system for. */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* For this process and those it starts; NULL removes it. */
void setEnvironment(const char* name, const char* value);
/* Domino refuses this user. */
int isRefusedUser(void);
/* The clock of the workload's log. */
int64_t monotonicNs(void);
/* A new file with the number of a deleted one can be told from it. */
int tellsReusedFileNumbers(void);
/* Or Western European. */
int nativeIsUtf8(void);
/* A path of the C API with the separators the tests are written with. */
char* withSlashes(char* path);

#ifdef __cplusplus
}
#endif
