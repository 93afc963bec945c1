// Loaded into Wine's processes on the Unix side (LD_PRELOAD), for what no file system does by itself:
//   - nothing in a shadow can be changed while its directory has the sticky bit, which the stand-in sets and clears;
//   - the device of a shadow is only found with a trailing backslash: without it, the name is the device, not its root.
// Other programs, such as those that the stand-in starts to copy and remove, are not affected.
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
#include <unistd.h>

static const char kDevices[] = "/globalroot/Device/HarddiskVolumeShadowCopy";

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int isWine(void) {
    static int known = -1;
    if (known < 0) {
        char program[PATH_MAX];
        const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
        program[length < 0 ? 0 : length] = '\0';
        const char* slash = strrchr(program, '/');
        known = slash != NULL && strncmp(slash + 1, "wine", 4) == 0;
    }
    return known;
}

/** The end of `…/HarddiskVolumeShadowCopyN` in a path; NULL if it contains none. */
static const char* endOfDevice(const char* path) {
    const char* found = strstr(path, kDevices);
    if (found == NULL) return NULL;
    const char* digits = found + sizeof kDevices - 1;
    const size_t count = strspn(digits, "0123456789");
    const char* end = digits + count;
    return count > 0 && (*end == '\0' || *end == '/') ? end : NULL;
}

/** Whether the path is a device without its trailing backslash; sets errno. */
static int isBareDevice(const char* path) {
    if (!isWine()) return 0;
    const char* end = endOfDevice(path);
    if (end == NULL || *end != '\0') return 0;
    errno = ENOENT;
    return 1;
}

/** Whether this real path is in a write-protected shadow; sets errno. */
static int isProtectedPlace(const char* place) {
    const char* end = endOfDevice(place);
    if (end == NULL) return 0;
    char device[PATH_MAX];
    struct stat status;
    snprintf(device, sizeof device, "%.*s", (int)(end - place), place);
    if (NEXT(stat)(device, &status) != 0 || !(status.st_mode & S_ISVTX)) return 0;
    errno = EROFS;
    return 1;
}

/** Whether this directory entry is in such a shadow, also through an exposed drive or directory. */
static int isProtected(const char* path) {
    if (!isWine()) return 0;
    char directory[PATH_MAX];
    char place[PATH_MAX];
    if ((size_t)snprintf(directory, sizeof directory, "%s", path) >= sizeof directory) return 0;
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/') directory[--length] = '\0';
    char* slash = strrchr(directory, '/');
    if (slash == NULL) {
        strcpy(directory, ".");  // Wine's server changes its directory to that of the handle
    } else {
        slash[slash == directory ? 1 : 0] = '\0';
    }
    const int before = errno;
    const int result = realpath(directory, place) != NULL && isProtectedPlace(place);
    if (!result) errno = before;
    return result;
}

static int isProtectedFile(int file) {
    if (!isWine()) return 0;
    char name[64];
    char place[PATH_MAX];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(name, place, sizeof place - 1);
    if (length < 0) return 0;
    place[length] = '\0';
    return isProtectedPlace(place);
}

static int isWriting(int flags) {
    return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

/** Creating an existing file without writing to it is the same as opening it. */
static int isMaking(const char* path, int flags) {
    struct stat status;
    return flags & O_CREAT && (flags & O_EXCL || NEXT(stat)(path, &status) != 0);
}

int open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | __O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (isBareDevice(path)) return -1;
    if ((isWriting(flags) || isMaking(path, flags)) && isProtected(path)) return -1;
    return NEXT(open)(path, flags, mode);
}

int stat(const char* restrict path, struct stat* restrict status) {
    return isBareDevice(path) ? -1 : NEXT(stat)(path, status);
}

int lstat(const char* restrict path, struct stat* restrict status) {
    return isBareDevice(path) ? -1 : NEXT(lstat)(path, status);
}

int fstatat(int directory, const char* restrict path, struct stat* restrict status, int flags) {
    return isBareDevice(path) ? -1 : NEXT(fstatat)(directory, path, status, flags);
}

int mkdir(const char* path, mode_t mode) {
    return isProtected(path) ? -1 : NEXT(mkdir)(path, mode);
}

int unlink(const char* path) {
    return isProtected(path) ? -1 : NEXT(unlink)(path);
}

int rmdir(const char* path) {
    return isProtected(path) ? -1 : NEXT(rmdir)(path);
}

int rename(const char* from, const char* to) {
    return isProtected(from) || isProtected(to) ? -1 : NEXT(rename)(from, to);
}

int link(const char* from, const char* to) {
    return isProtected(to) ? -1 : NEXT(link)(from, to);
}

int symlink(const char* target, const char* path) {
    return isProtected(path) ? -1 : NEXT(symlink)(target, path);
}

int chmod(const char* path, mode_t mode) {
    return isProtected(path) ? -1 : NEXT(chmod)(path, mode);
}

int fchmod(int file, mode_t mode) {
    return isProtectedFile(file) ? -1 : NEXT(fchmod)(file, mode);
}

int futimens(int file, const struct timespec times[2]) {
    return isProtectedFile(file) ? -1 : NEXT(futimens)(file, times);
}

int ftruncate(int file, off_t length) {
    return isProtectedFile(file) ? -1 : NEXT(ftruncate)(file, length);
}
