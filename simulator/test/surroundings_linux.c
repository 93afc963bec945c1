#include "surroundings.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void setEnvironment(const char* name, const char* value) {
    if (value == NULL) {
        unsetenv(name);
    } else {
        setenv(name, value, 1);
    }
}

int isRefusedUser(void) {
    return geteuid() == 0;
}

int64_t monotonicNs(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

char* withSlashes(char* path) {
    return path;
}

int tellsReusedFileNumbers(void) {
    return 1;
}

int nativeIsUtf8(void) {
    return 1;
}
