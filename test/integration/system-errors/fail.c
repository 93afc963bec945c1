/*
 * Preloaded into a process (LD_PRELOAD): one kind of call on files whose path contains a text fails with an error of the
 * system. FAIL_CALL is open, read, write, fsync, mkdir or rename, FAIL_PATH the text, FAIL_ERRNO the number. It stands below
 * Node.js and the addon alike. Files that are only opened to be read stay untouched by a failing `open`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Whether this call on this path is to fail; errno is set then. */
static int failsAt(const char* call, const char* path) {
    const char* wanted = getenv("FAIL_CALL");
    const char* text = getenv("FAIL_PATH");
    const char* number = getenv("FAIL_ERRNO");
    if (wanted == NULL || text == NULL || number == NULL) return 0;
    if (strcmp(wanted, call) != 0 || strstr(path, text) == NULL) return 0;
    errno = atoi(number);
    return 1;
}

static int fails(const char* call, int descriptor) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    return failsAt(call, path);
}

static int openFile(int directory, const char* path, int flags, mode_t mode) {
    if ((flags & O_ACCMODE) != O_RDONLY && failsAt("open", path)) return -1;
    return REAL(openat)(directory, path, flags, mode);
}

#define MODE(flags)                                                         \
    va_list rest;                                                           \
    va_start(rest, flags);                                                  \
    const mode_t mode = ((flags) & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0; \
    va_end(rest)

int open(const char* path, int flags, ...) {
    MODE(flags);
    return openFile(AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
    MODE(flags);
    return openFile(AT_FDCWD, path, flags, mode);
}
int openat(int directory, const char* path, int flags, ...) {
    MODE(flags);
    return openFile(directory, path, flags, mode);
}
int openat64(int directory, const char* path, int flags, ...) {
    MODE(flags);
    return openFile(directory, path, flags, mode);
}

#define TRANSFER(name, call, parameters, arguments) \
    ssize_t name parameters {                       \
        if (fails(call, descriptor)) return -1;     \
        return REAL(name) arguments;                \
    }
TRANSFER(read, "read", (int descriptor, void* bytes, size_t length), (descriptor, bytes, length))
TRANSFER(pread, "read", (int descriptor, void* bytes, size_t length, off_t at), (descriptor, bytes, length, at))
TRANSFER(pread64, "read", (int descriptor, void* bytes, size_t length, off64_t at), (descriptor, bytes, length, at))
TRANSFER(preadv, "read", (int descriptor, const struct iovec* parts, int count, off_t at), (descriptor, parts, count, at))
TRANSFER(preadv64, "read", (int descriptor, const struct iovec* parts, int count, off64_t at),
         (descriptor, parts, count, at))
TRANSFER(write, "write", (int descriptor, const void* bytes, size_t length), (descriptor, bytes, length))
TRANSFER(pwrite, "write", (int descriptor, const void* bytes, size_t length, off_t at), (descriptor, bytes, length, at))
TRANSFER(pwrite64, "write", (int descriptor, const void* bytes, size_t length, off64_t at),
         (descriptor, bytes, length, at))
TRANSFER(writev, "write", (int descriptor, const struct iovec* parts, int count), (descriptor, parts, count))
TRANSFER(pwritev, "write", (int descriptor, const struct iovec* parts, int count, off_t at),
         (descriptor, parts, count, at))
TRANSFER(pwritev64, "write", (int descriptor, const struct iovec* parts, int count, off64_t at),
         (descriptor, parts, count, at))

int fsync(int descriptor) {
    return fails("fsync", descriptor) ? -1 : REAL(fsync)(descriptor);
}
int fdatasync(int descriptor) {
    return fails("fsync", descriptor) ? -1 : REAL(fdatasync)(descriptor);
}
int mkdir(const char* path, mode_t mode) {
    return failsAt("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}
int rename(const char* from, const char* to) {
    return failsAt("rename", to) ? -1 : REAL(rename)(from, to);
}
