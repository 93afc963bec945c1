#include "engine/flush.h"

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <optional>

#include "system/abandonable_thread.h"
#include "system/current_call.h"
#include "system/sync.h"

namespace domino_vss::engine {

namespace {

using std::chrono::milliseconds;

/// How often the limits are checked while a flush runs.
constexpr milliseconds kLook{20};

/// One flush on its own thread, which may never return.
class Flush {
public:
    Flush(const std::string& directory, const FlushVolume& flush)
        : outcome_(std::make_shared<std::optional<Failure>>()),
          directory_(directory),
          thread_([directory, flush] { flush(directory); },
                  [outcome = outcome_](Failure&& failure) { *outcome = std::move(failure); }) {}

    void await(const Limits& limits) {
        CurrentCall::note("flush", directory_);
        while (!thread_.endsWithin(kLook)) {
            if (const char* reason = limits.exceeded())
                throw Failure(reason, Phase::prepare, "gave up flushing", directory_);
        }
    }

    /// Valid after the thread has ended.
    [[nodiscard]] const std::optional<Failure>& failure() const noexcept { return *outcome_; }

private:
    std::shared_ptr<std::optional<Failure>> outcome_;  // written by the thread; read after it has ended
    std::string directory_;
    AbandonableThread thread_;
};

}  // namespace

void flushVolumes(const std::vector<std::string>& directories, const Limits& limits, const FlushVolume& flush) {
    if (const char* reason = limits.exceeded()) throw Failure(reason, Phase::prepare, "gave up flushing");
    std::list<Flush> flushes;
    for (const std::string& directory : directories) flushes.emplace_back(directory, flush);
    for (Flush& one : flushes) one.await(limits);
    const auto failed = std::find_if(flushes.begin(), flushes.end(), [](const Flush& one) { return one.failure(); });
    if (failed != flushes.end()) throw *failed->failure();
}

void flushVolumes(const std::vector<std::string>& directories, const Limits& limits) {
    flushVolumes(directories, limits, [](const std::string& directory) { syncVolume(directory, Phase::prepare); });
}

}  // namespace domino_vss::engine
