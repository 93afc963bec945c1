/*
 * Preloaded into a process (LD_PRELOAD): records, in their order, all operations that change files below RECORD_ROOT, with the
 * bytes, and the calls that make them durable. It stands below Node.js, the addon and the stand-in alike, so it sees what
 * the shipping code does and not what a test believes. RECORD_FILE is appended to; recording.ts reads it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* One operation at a time: the order in the record is the order in which they happened. */
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int record = -1;
static char root[PATH_MAX];

__attribute__((constructor)) static void begin(void) {
    const char* file = getenv("RECORD_FILE");
    const char* below = getenv("RECORD_ROOT");
    if (file == NULL || below == NULL) return;
    snprintf(root, sizeof root, "%s/", below);
    record = REAL(open)(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (record < 0) abort();
}

static int concerns(const char* path) {
    const size_t length = strlen(root);
    return record >= 0 && (strncmp(path, root, length) == 0 || (strncmp(path, root, length - 1) == 0 && path[length - 1] == '\0'));
}

/* The absolute path of a name that a call was given. */
static int resolve(int directory, const char* name, char* path) {
    char base[PATH_MAX] = "";
    if (name[0] != '/') {
        char link[64];
        snprintf(link, sizeof link, directory == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", directory);
        const ssize_t length = readlink(link, base, sizeof base - 2);
        if (length < 0) return 0;
        base[length] = '/';
        base[length + 1] = '\0';
    }
    if (snprintf(path, PATH_MAX, "%s%s", base, name) >= PATH_MAX) abort();
    return concerns(path);
}

static int pathOf(int descriptor, char* path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = '\0';
    return concerns(path);
}

/* `operation TAB path TAB other TAB inode TAB offset TAB length NEWLINE bytes`, in one write. */
static void note(const char* operation, const char* path, const char* other, ino_t inode, off_t offset, const void* bytes,
                 size_t length) {
    char head[2 * PATH_MAX + 128];
    const int size = snprintf(head, sizeof head, "%s\t%s\t%s\t%lu\t%lld\t%zu\n", operation, path, other, (unsigned long)inode,
                              (long long)offset, length);
    char* whole = malloc((size_t)size + length);
    if (whole == NULL) abort();
    memcpy(whole, head, (size_t)size);
    if (length > 0) memcpy(whole + size, bytes, length);
    if (REAL(write)(record, whole, (size_t)size + length) != (ssize_t)((size_t)size + length)) abort();
    free(whole);
}

static int openFile(int directory, const char* name, int flags, mode_t mode) {
    char path[PATH_MAX];
    const int changes = (flags & (O_CREAT | O_TRUNC)) != 0 && (flags & O_TMPFILE) != O_TMPFILE;
    if (!changes || !resolve(directory, name, path)) return REAL(openat)(directory, name, flags, mode);
    pthread_mutex_lock(&order);
    struct stat before, after;
    const int existed = lstat(path, &before) == 0;
    const int descriptor = REAL(openat)(directory, name, flags, mode);
    const int error = errno;
    if (descriptor >= 0 && fstat(descriptor, &after) == 0) {
        if (!existed) note("create", path, "", after.st_ino, 0, NULL, 0);
        else if ((flags & O_TRUNC) != 0 && before.st_size > 0) note("size", path, "", after.st_ino, 0, NULL, 0);
    }
    pthread_mutex_unlock(&order);
    errno = error;
    return descriptor;
}

/* They open their file within the C library, out of sight. */
#define TEMPORARY(name, parameters, arguments)                                            \
    int name parameters {                                                                \
        pthread_mutex_lock(&order);                                                       \
        const int descriptor = REAL(name) arguments;                                      \
        const int error = errno;                                                          \
        char path[PATH_MAX];                                                              \
        struct stat made;                                                                 \
        if (descriptor >= 0 && pathOf(descriptor, path) && fstat(descriptor, &made) == 0) \
            note("create", path, "", made.st_ino, 0, NULL, 0);                            \
        pthread_mutex_unlock(&order);                                                     \
        errno = error;                                                                    \
        return descriptor;                                                                \
    }
TEMPORARY(mkstemp, (char* name), (name))
TEMPORARY(mkstemp64, (char* name), (name))
TEMPORARY(mkostemp, (char* name, int flags), (name, flags))
TEMPORARY(mkostemp64, (char* name, int flags), (name, flags))

static mode_t modeOf(int flags, va_list rest) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name)                                       \
    int name(const char* path, int flags, ...) {         \
        va_list rest;                                    \
        va_start(rest, flags);                           \
        const mode_t mode = modeOf(flags, rest);         \
        va_end(rest);                                    \
        return openFile(AT_FDCWD, path, flags, mode);    \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                \
    int name(int directory, const char* path, int flags, ...) {     \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        const mode_t mode = modeOf(flags, rest);                    \
        va_end(rest);                                               \
        return openFile(directory, path, flags, mode);              \
    }
OPENAT(openat)
OPENAT(openat64)

/* What was written is read back: whatever call has written it, and wherever to. */
static void noteWritten(int descriptor, off_t offset, ssize_t length) {
    char path[PATH_MAX];
    struct stat found;
    if (length <= 0 || !pathOf(descriptor, path) || fstat(descriptor, &found) != 0 || !S_ISREG(found.st_mode)) return;
    char reader[64];
    snprintf(reader, sizeof reader, "/proc/self/fd/%d", descriptor);
    const int again = REAL(open)(reader, O_RDONLY | O_CLOEXEC);
    char* bytes = malloc((size_t)length);
    if (again < 0 || bytes == NULL || pread(again, bytes, (size_t)length, offset) != length) abort();
    close(again);
    note("write", path, "", found.st_ino, offset, bytes, (size_t)length);
    free(bytes);
}

/* Around a call that writes where the descriptor stands (at < 0), or at an offset. */
#define WRITING(call, descriptor, at)                                                             \
    if (record < 0) return call;                                                                  \
    pthread_mutex_lock(&order);                                                                   \
    const ssize_t result = call;                                                                  \
    const int error = errno;                                                                      \
    if (result > 0) noteWritten(descriptor, (at) < 0 ? lseek(descriptor, 0, SEEK_CUR) - result : (at), result); \
    pthread_mutex_unlock(&order);                                                                 \
    errno = error;                                                                                \
    return result

/* A write to a pipe may wait for its reader, and must not hold up the others. */
static int isOurs(int descriptor) {
    char path[PATH_MAX];
    return record >= 0 && pathOf(descriptor, path);
}

ssize_t write(int descriptor, const void* bytes, size_t length) {
    if (!isOurs(descriptor)) return REAL(write)(descriptor, bytes, length);
    WRITING(REAL(write)(descriptor, bytes, length), descriptor, (off_t)-1);
}
ssize_t writev(int descriptor, const struct iovec* parts, int count) {
    if (!isOurs(descriptor)) return REAL(writev)(descriptor, parts, count);
    WRITING(REAL(writev)(descriptor, parts, count), descriptor, (off_t)-1);
}
ssize_t pwrite(int descriptor, const void* bytes, size_t length, off_t at) {
    WRITING(REAL(pwrite)(descriptor, bytes, length, at), descriptor, at);
}
ssize_t pwrite64(int descriptor, const void* bytes, size_t length, off64_t at) {
    WRITING(REAL(pwrite64)(descriptor, bytes, length, at), descriptor, at);
}
ssize_t pwritev(int descriptor, const struct iovec* parts, int count, off_t at) {
    WRITING(REAL(pwritev)(descriptor, parts, count, at), descriptor, at);
}
ssize_t pwritev64(int descriptor, const struct iovec* parts, int count, off64_t at) {
    WRITING(REAL(pwritev64)(descriptor, parts, count, at), descriptor, at);
}
ssize_t copy_file_range(int from, off64_t* fromAt, int to, off64_t* toAt, size_t length, unsigned flags) {
    const off_t at = toAt == NULL ? -1 : *toAt;
    WRITING(REAL(copy_file_range)(from, fromAt, to, toAt, length, flags), to, at);
}
ssize_t sendfile(int to, int from, off_t* fromAt, size_t length) {
    if (!isOurs(to)) return REAL(sendfile)(to, from, fromAt, length);
    WRITING(REAL(sendfile)(to, from, fromAt, length), to, (off_t)-1);
}
ssize_t sendfile64(int to, int from, off64_t* fromAt, size_t length) {
    if (!isOurs(to)) return REAL(sendfile64)(to, from, fromAt, length);
    WRITING(REAL(sendfile64)(to, from, fromAt, length), to, (off_t)-1);
}

int ioctl(int descriptor, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void* argument = va_arg(rest, void*);
    va_end(rest);
    if (request != FICLONE || record < 0) return REAL(ioctl)(descriptor, request, argument);
    pthread_mutex_lock(&order);
    const int result = REAL(ioctl)(descriptor, request, argument);
    const int error = errno;
    struct stat found;
    if (result == 0 && fstat(descriptor, &found) == 0) noteWritten(descriptor, 0, found.st_size);
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

/* Around a call that succeeds with 0: whether it concerns us is asked before, the rest is noted after it. */
#define CHANGING(isOurs, call, remember, noting) \
    if (!(isOurs)) return call;                  \
    pthread_mutex_lock(&order);                  \
    remember;                                    \
    const int result = call;                     \
    const int error = errno;                     \
    if (result == 0) noting;                     \
    pthread_mutex_unlock(&order);                \
    errno = error;                               \
    return result

static void noteDescriptor(const char* operation, int descriptor, off_t size) {
    char path[PATH_MAX];
    struct stat found;
    if (pathOf(descriptor, path) && fstat(descriptor, &found) == 0) {
        note(S_ISDIR(found.st_mode) ? "sync-directory" : operation, path, "", found.st_ino, size, NULL, 0);
    }
}

int ftruncate(int descriptor, off_t size) {
    CHANGING(record >= 0, REAL(ftruncate)(descriptor, size), , noteDescriptor("size", descriptor, size));
}
int ftruncate64(int descriptor, off64_t size) {
    CHANGING(record >= 0, REAL(ftruncate64)(descriptor, size), , noteDescriptor("size", descriptor, size));
}
int fsync(int descriptor) {
    CHANGING(record >= 0, REAL(fsync)(descriptor), , noteDescriptor("sync", descriptor, 0));
}
int fdatasync(int descriptor) {
    CHANGING(record >= 0, REAL(fdatasync)(descriptor), , noteDescriptor("sync", descriptor, 0));
}

int syncfs(int descriptor) {
    char path[PATH_MAX];
    CHANGING(record >= 0, REAL(syncfs)(descriptor), , if (pathOf(descriptor, path)) note("sync-file-system", path, "", 0, 0, NULL, 0));
}

/* A call that this test knows nothing of must not go unnoticed where it could matter. */
int fallocate(int descriptor, int mode, off_t offset, off_t length) {
    if (isOurs(descriptor)) abort();
    return REAL(fallocate)(descriptor, mode, offset, length);
}
int posix_fallocate(int descriptor, off_t offset, off_t length) {
    if (isOurs(descriptor)) abort();
    return REAL(posix_fallocate)(descriptor, offset, length);
}

int renameat2(int fromDirectory, const char* from, int toDirectory, const char* to, unsigned flags) {
    char source[PATH_MAX], target[PATH_MAX];
    const int ours = resolve(fromDirectory, from, source) + resolve(toDirectory, to, target);
    CHANGING(ours, REAL(renameat2)(fromDirectory, from, toDirectory, to, flags), , note("rename", source, target, 0, 0, NULL, 0));
}
int renameat(int fromDirectory, const char* from, int toDirectory, const char* to) {
    return renameat2(fromDirectory, from, toDirectory, to, 0);
}
int rename(const char* from, const char* to) {
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}
int unlinkat(int directory, const char* name, int flags) {
    char path[PATH_MAX];
    CHANGING(resolve(directory, name, path), REAL(unlinkat)(directory, name, flags), , note("remove", path, "", 0, 0, NULL, 0));
}
int unlink(const char* name) {
    return unlinkat(AT_FDCWD, name, 0);
}
int rmdir(const char* name) {
    return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}
int mkdirat(int directory, const char* name, mode_t mode) {
    char path[PATH_MAX];
    CHANGING(resolve(directory, name, path), REAL(mkdirat)(directory, name, mode), , note("directory", path, "", 0, 0, NULL, 0));
}
int mkdir(const char* name, mode_t mode) {
    return mkdirat(AT_FDCWD, name, mode);
}
int symlinkat(const char* to, int directory, const char* name) {
    char path[PATH_MAX];
    CHANGING(resolve(directory, name, path), REAL(symlinkat)(to, directory, name), , note("link", path, to, 0, 0, NULL, 0));
}
int symlink(const char* to, const char* name) {
    return symlinkat(to, AT_FDCWD, name);
}
int linkat(int fromDirectory, const char* from, int toDirectory, const char* to, int flags) {
    char path[PATH_MAX];
    if (resolve(toDirectory, to, path)) abort();
    return REAL(linkat)(fromDirectory, from, toDirectory, to, flags);
}

/* The addon asks that a library of Domino finds its own symbols before ours: its writes would pass us by. */
void* dlopen(const char* file, int flags) {
    return REAL(dlopen)(file, flags & ~RTLD_DEEPBIND);
}
