#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <new>
#include <string>
#include <string_view>

namespace domino_vss {

/// The external call that a thread is making, and since when. So a call that never returns can be named, and
/// distinguished from long work that makes progress. Written by the thread that makes the call, read by others.
class CurrentCall {
public:
    /// `function` must have static storage. Does nothing on a thread without a Watch.
    static void note(const char* function, std::string_view subject = {}) noexcept {
        if (CurrentCall* const call = ofThread()) call->begin(function, subject);
    }

    /// While it lives, notes of the current thread go to `call`.
    class Watch {
    public:
        explicit Watch(CurrentCall& call) noexcept { setOfThread(&call); }
        Watch(const Watch&) = delete;
        Watch& operator=(const Watch&) = delete;
        ~Watch() { setOfThread(nullptr); }
    };

    /// The same as `note`, for the thread that posts the work.
    void begin(const char* function, std::string_view subject = {}) noexcept {
        since_.store(Clock::now().time_since_epoch());
        function_.store(function, std::memory_order_relaxed);
        try {
            const std::lock_guard lock(mutex_);
            subject_.assign(subject);
        } catch (const std::bad_alloc&) {
            // Reported without the subject.
        }
    }

    [[nodiscard]] const char* function() const noexcept { return function_.load(std::memory_order_relaxed); }
    /// The volume, shadow, file or database concerned; empty if none.
    [[nodiscard]] std::string subject() const {
        const std::lock_guard lock(mutex_);
        return subject_;
    }
    [[nodiscard]] std::chrono::milliseconds age() const noexcept {
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now().time_since_epoch() - since_.load());
    }

private:
    using Clock = std::chrono::steady_clock;

    /// Not a thread_local here, because of Windows: see current_call_windows.cpp.
    [[nodiscard]] static CurrentCall* ofThread() noexcept;
    static void setOfThread(CurrentCall* call) noexcept;

    std::atomic<const char*> function_ = "";
    mutable std::mutex mutex_;
    std::string subject_;  // guarded by mutex_
    std::atomic<Clock::duration> since_ = Clock::now().time_since_epoch();
};

}  // namespace domino_vss
