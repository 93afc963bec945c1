#include "surroundings.h"

#include <string.h>

#include <windows.h>

void setEnvironment(const char* name, const char* value) {
    SetEnvironmentVariableA(name, value);
}

int isRefusedUser(void) {
    return 0;
}

int64_t monotonicNs(void) {
    LARGE_INTEGER now;
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    return now.QuadPart / frequency.QuadPart * 1000000000 +
           now.QuadPart % frequency.QuadPart * 1000000000 / frequency.QuadPart;
}

char* withSlashes(char* path) {
    for (char* at = strchr(path, '\\'); at != NULL; at = strchr(at, '\\')) {
        *at = '/';
    }
    return path;
}

int tellsReusedFileNumbers(void) {
    /* NTFS counts the reuse of a file number. Wine returns the numbers of the host system, and no birth time. */
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == NULL;
}

int nativeIsUtf8(void) {
    return GetACP() == CP_UTF8;
}
