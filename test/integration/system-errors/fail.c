/*
 * Preloaded into a process (LD_PRELOAD): calls on files whose path contains a text fail with an error of the system. It stands
 * below Node.js and the addon alike.
 *
 * FAIL_PATH=<text>     in the path
 * FAIL_ERRNO=<number>  or `hang`: the call never returns; or `die`: the process is killed in it
 * FAIL_CALL=<call>     one kind of call: open (but not only to read), read, write, fsync, mkdir or rename; all of them fail
 * FAIL_NTH=<n>         the n-th call of any kind
 * FAIL_COUNT=<file>    counts the calls of any kind instead; for the number, written at the exit
 * FAIL_LOG=<file>      for the n-th call and its path
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_int calls;

static void writeTo(const char* file, const char* text) {
    const int descriptor = REAL(openat)(AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return;
    if (REAL(write)(descriptor, text, strlen(text)) < 0) abort();
    close(descriptor);
}

__attribute__((destructor)) static void tellCount(void) {
    const char* file = getenv("FAIL_COUNT");
    char number[16];
    snprintf(number, sizeof number, "%d", calls);
    if (file != NULL) writeTo(file, number);
}

/* Whether it is the turn of this call, by its number. */
static int isTurn(const char* call, const char* path) {
    const char* nth = getenv("FAIL_NTH");
    if (nth == NULL && getenv("FAIL_COUNT") == NULL) return 0;
    if (atomic_fetch_add(&calls, 1) + 1 != (nth == NULL ? 0 : atoi(nth))) return 0;
    const char* log = getenv("FAIL_LOG");
    char line[PATH_MAX + 32];
    snprintf(line, sizeof line, "%s %s", call, path);
    if (log != NULL) writeTo(log, line);
    return 1;
}

/* Whether this call on this path is to fail; errno is set then. */
static int failsAt(const char* call, const char* path) {
    const char* wanted = getenv("FAIL_CALL");
    const char* text = getenv("FAIL_PATH");
    const char* number = getenv("FAIL_ERRNO");
    if (text == NULL || strstr(path, text) == NULL) return 0;
    if (wanted == NULL ? !isTurn(call, path) : strcmp(wanted, call) != 0) return 0;
    if (number == NULL) return 0;
    if (strcmp(number, "die") == 0) kill(getpid(), SIGKILL);
    while (strcmp(number, "hang") == 0) pause();
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

/* A path relative to an open directory. */
static int failsIn(const char* call, int directory, const char* name) {
    char link[64], path[2 * PATH_MAX];
    if (name[0] == '/' || directory == AT_FDCWD) return failsAt(call, name);
    snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
    const ssize_t length = readlink(link, path, PATH_MAX);
    if (length < 0) return 0;
    snprintf(path + length, sizeof path - (size_t)length, "/%s", name);
    return failsAt(call, path);
}

static int openFile(int directory, const char* path, int flags, mode_t mode) {
    const int isCounted = getenv("FAIL_CALL") == NULL || (flags & O_ACCMODE) != O_RDONLY;
    if (isCounted && failsIn("open", directory, path)) return -1;
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
int ioctl(int descriptor, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void* const argument = va_arg(rest, void*);
    va_end(rest);
    return fails("ioctl", descriptor) ? -1 : REAL(ioctl)(descriptor, request, argument);
}
int ftruncate(int descriptor, off_t length) {
    return fails("ftruncate", descriptor) ? -1 : REAL(ftruncate)(descriptor, length);
}
int ftruncate64(int descriptor, off64_t length) {
    return fails("ftruncate", descriptor) ? -1 : REAL(ftruncate64)(descriptor, length);
}
/* The file system of the databases, which is never the wrong one. */
int syncfs(int descriptor) {
    const char* text = getenv("FAIL_PATH");
    return text != NULL && failsAt("syncfs", text) ? -1 : REAL(syncfs)(descriptor);
}
int unlink(const char* path) {
    return failsAt("unlink", path) ? -1 : REAL(unlink)(path);
}
int unlinkat(int directory, const char* name, int flags) {
    return failsIn("unlinkat", directory, name) ? -1 : REAL(unlinkat)(directory, name, flags);
}
int rmdir(const char* path) {
    return failsAt("rmdir", path) ? -1 : REAL(rmdir)(path);
}
int mkdir(const char* path, mode_t mode) {
    return failsAt("mkdir", path) ? -1 : REAL(mkdir)(path, mode);
}
int rename(const char* from, const char* to) {
    return failsAt("rename", to) ? -1 : REAL(rename)(from, to);
}
