// The wait for a condition with a C library that knows no clock but that of the day.

#include "system/clock_wait_linux.h"

#include <chrono>
#include <thread>

#include "check.h"

namespace {

using namespace domino_vss;
using std::chrono::milliseconds;

struct Waited {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    bool told = false;
};

timespec in(milliseconds time) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const auto nanoseconds = now.tv_nsec + (std::chrono::nanoseconds(time).count());
    return {.tv_sec = now.tv_sec + nanoseconds / 1'000'000'000, .tv_nsec = nanoseconds % 1'000'000'000};
}

bool isBefore(const timespec& one, const timespec& other) {
    return one.tv_sec < other.tv_sec || (one.tv_sec == other.tv_sec && one.tv_nsec < other.tv_nsec);
}

void endsAtItsTimeAndNotBefore() {
    Waited waited;
    const timespec end = in(milliseconds(30));
    pthread_mutex_lock(&waited.mutex);
    int result = 0;
    while (result == 0) result = waitByClockOfDay(&waited.condition, &waited.mutex, CLOCK_MONOTONIC, &end);
    pthread_mutex_unlock(&waited.mutex);
    CHECK(result == ETIMEDOUT);
    CHECK(!isBefore(in(milliseconds(0)), end));
}

void endsAtOnceWhenItsTimeIsOver() {
    Waited waited;
    const timespec end = in(milliseconds(-1'000));
    pthread_mutex_lock(&waited.mutex);
    CHECK(waitByClockOfDay(&waited.condition, &waited.mutex, CLOCK_MONOTONIC, &end) == ETIMEDOUT);
    pthread_mutex_unlock(&waited.mutex);
}

void isWoken() {
    Waited waited;
    const timespec end = in(milliseconds(20'000));
    std::thread waker([&] {
        pthread_mutex_lock(&waited.mutex);
        waited.told = true;
        pthread_cond_signal(&waited.condition);
        pthread_mutex_unlock(&waited.mutex);
    });
    pthread_mutex_lock(&waited.mutex);
    while (!waited.told) {
        CHECK(waitByClockOfDay(&waited.condition, &waited.mutex, CLOCK_MONOTONIC, &end) == 0);
    }
    pthread_mutex_unlock(&waited.mutex);
    waker.join();
}

}  // namespace

int main() {
    return check::run({
        {"ends at its time and not before", endsAtItsTimeAndNotBefore},
        {"ends at once when its time is over", endsAtOnceWhenItsTimeIsOver},
        {"is woken", isWoken},
    });
}
