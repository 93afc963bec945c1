#pragma once

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

namespace domino_vss {

/// pthread_cond_clockwait for C libraries that lack it (glibc before 2.30). Waits for a time on any clock by using
/// CLOCK_REALTIME, the clock of an ordinary condition variable. If that clock is set forward meanwhile, the caller
/// wakes early, checks and waits again; if it is set back, the wait is longer by that amount.
inline int waitByClockOfDay(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock, const timespec* until) {
    constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
    const auto nanoseconds = [](const timespec& time) { return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec; };
    timespec now{};
    timespec day{};
    if (clock_gettime(clock, &now) != 0 || clock_gettime(CLOCK_REALTIME, &day) != 0) return EINVAL;
    const std::int64_t left = nanoseconds(*until) - nanoseconds(now);
    if (left <= 0) return ETIMEDOUT;

    const std::int64_t end = nanoseconds(day) + left;
    const timespec dayEnd{.tv_sec = end / kNanosecondsPerSecond, .tv_nsec = end % kNanosecondsPerSecond};
    const int result = pthread_cond_timedwait(condition, mutex, &dayEnd);
    if (result != ETIMEDOUT) return result;
    clock_gettime(clock, &now);
    return nanoseconds(now) < nanoseconds(*until) ? 0 : ETIMEDOUT;
}

}  // namespace domino_vss
