// Lets the addon load with glibc 2.28 (Red Hat Enterprise Linux 8) although it is linked against a newer version.
//
// The linker binds a symbol to its newest version, in our code and in the static libstdc++. The definitions here take
// precedence and are not exported. They use the oldest version of the same function, a system call, or a value that is
// always safe. The libraries in which glibc 2.28 has these functions are named when the addon is linked.

#include <unistd.h>

#ifdef __GLIBC__

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

#include "system/clock_wait_linux.h"

#if defined(__x86_64__)
#define OLDEST_GLIBC "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define OLDEST_GLIBC "GLIBC_2.17"
#endif

#ifdef OLDEST_GLIBC

extern "C" {

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming,readability-inconsistent-declaration-parameter-name)

void* oldest_dlopen(const char* path, int mode);
void* oldest_dlsym(void* handle, const char* name);
int oldest_dlclose(void* handle);
char* oldest_dlerror();
int oldest_pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument);
int oldest_pthread_detach(pthread_t thread);
int oldest_pthread_join(pthread_t thread, void** result);
int oldest_pthread_once(pthread_once_t* control, void (*initialise)());

__asm__(".symver oldest_dlopen, dlopen@" OLDEST_GLIBC);
__asm__(".symver oldest_dlsym, dlsym@" OLDEST_GLIBC);
__asm__(".symver oldest_dlclose, dlclose@" OLDEST_GLIBC);
__asm__(".symver oldest_dlerror, dlerror@" OLDEST_GLIBC);
__asm__(".symver oldest_pthread_create, pthread_create@" OLDEST_GLIBC);
__asm__(".symver oldest_pthread_detach, pthread_detach@" OLDEST_GLIBC);
__asm__(".symver oldest_pthread_join, pthread_join@" OLDEST_GLIBC);
__asm__(".symver oldest_pthread_once, pthread_once@" OLDEST_GLIBC);

#pragma GCC visibility push(hidden)

void* dlopen(const char* path, int mode) noexcept {
    return oldest_dlopen(path, mode);
}
void* dlsym(void* handle, const char* name) noexcept {
    return oldest_dlsym(handle, name);
}
int dlclose(void* handle) noexcept {
    return oldest_dlclose(handle);
}
char* dlerror() noexcept {
    return oldest_dlerror();
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) noexcept {
    return oldest_pthread_create(thread, attributes, start, argument);
}
int pthread_detach(pthread_t thread) noexcept {
    return oldest_pthread_detach(thread);
}
int pthread_join(pthread_t thread, void** result) {
    return oldest_pthread_join(thread, result);
}
int pthread_once(pthread_once_t* control, void (*initialise)()) {
    return oldest_pthread_once(control, initialise);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
    using Wait = int (*)(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
    static const Wait own = reinterpret_cast<Wait>(oldest_dlsym(RTLD_DEFAULT, "pthread_cond_clockwait"));
    return own != nullptr ? own(condition, mutex, clock, until)
                          : domino_vss::waitByClockOfDay(condition, mutex, clock, until);
}

// On these processors, the kernel uses the same structure as glibc, under either name. A function named stat would hide
// the structure of that name.
int statByKernel(const char* path, void* facts) noexcept __asm__("stat");
int statByKernel(const char* path, void* facts) noexcept {
    return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, facts, 0));
}
int stat64ByKernel(const char* path, void* facts) noexcept __asm__("stat64");
int stat64ByKernel(const char* path, void* facts) noexcept {
    return statByKernel(path, facts);
}
int lstat(const char* path, void* facts) noexcept {
    return static_cast<int>(syscall(SYS_newfstatat, AT_FDCWD, path, facts, AT_SYMLINK_NOFOLLOW));
}
int lstat64(const char* path, void* facts) noexcept {
    return lstat(path, facts);
}
int fstat(int file, void* facts) noexcept {
    return static_cast<int>(syscall(SYS_fstat, file, facts));
}
int fstat64(int file, void* facts) noexcept {
    return fstat(file, facts);
}
int fstatat(int directory, const char* path, void* facts, int flags) noexcept {
    return static_cast<int>(syscall(SYS_newfstatat, directory, path, facts, flags));
}
int fstatat64(int directory, const char* path, void* facts, int flags) noexcept {
    return fstatat(directory, path, facts, flags);
}

/// True would let libstdc++ count references without atomic operations. This process always has several threads.
char __libc_single_threaded = 0;

#pragma GCC visibility pop

// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp,readability-identifier-naming,readability-inconsistent-declaration-parameter-name)

}  // extern "C"

#endif
#endif
