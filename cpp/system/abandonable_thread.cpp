#include "system/abandonable_thread.h"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <utility>

namespace domino_vss {

struct AbandonableThread::Shared {
    Work work;
    Failed failed;
    std::mutex mutex;
    std::condition_variable end;
    bool ended = false;  // guarded by mutex

    void run() noexcept {
        try {
            work();
        } catch (...) {
            failed(failureInFlight(Phase::runtime));
        }
        // Destroy their captures on this thread, before the end is reported.
        work = nullptr;
        failed = nullptr;
        const std::lock_guard lock(mutex);
        ended = true;
        end.notify_all();
    }
};

AbandonableThread::AbandonableThread(Work work, Failed failed) : shared_(std::make_shared<Shared>()) {
    shared_->work = std::move(work);
    shared_->failed = std::move(failed);
    try {
        thread_ = std::thread([shared = shared_] { shared->run(); });
    } catch (const std::system_error& error) {
        throw Failure(code::kInternal, Phase::runtime, std::string("cannot create a thread: ") + error.what());
    }
}

AbandonableThread::~AbandonableThread() {
    abandon();
}

bool AbandonableThread::endsWithin(std::chrono::milliseconds patience) {
    if (!thread_.joinable()) return false;
    {
        std::unique_lock lock(shared_->mutex);
        if (!shared_->end.wait_for(lock, patience, [this] { return shared_->ended; })) return false;
    }
    thread_.join();
    return true;
}

void AbandonableThread::join() {
    if (thread_.joinable()) thread_.join();
}

void AbandonableThread::abandon() {
    if (!thread_.joinable()) return;
    {
        // The thread cannot end while this lock is held, so it is never detached after its end.
        const std::lock_guard lock(shared_->mutex);
        if (!shared_->ended) {
            thread_.detach();
            return;
        }
    }
    thread_.join();
}

}  // namespace domino_vss
