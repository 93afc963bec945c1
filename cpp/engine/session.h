#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "engine/failure_texts.h"
#include "engine/provider_thread.h"
#include "engine/session_core.h"
#include "engine/settlement.h"
#include "engine/shard_crew.h"
#include "system/abandonable_thread.h"

namespace domino_vss::engine {

struct SessionOptions {
    std::uint16_t shards = 4;
    /// Longest time for one call on a database. It is also the grace period of a provider call after its limits, up to
    /// ten seconds; after that, the call is abandoned.
    std::chrono::milliseconds databaseBudget{10'000};
    /// From the first start until the shadow is taken; with scope `file`, until the last database has left backup mode.
    std::chrono::milliseconds window{60'000};
    std::chrono::milliseconds lease{60'000};
    std::filesystem::path deltaDirectory;
};

struct Progress {
    Phase phase = Phase::idle;
    std::uint32_t done = 0;
    std::uint32_t total = 0;
};

struct PhaseSpan {
    Phase phase = Phase::idle;
    std::int64_t beginNs = 0;
    std::int64_t endNs = 0;
};

/// One backup, from opened databases to a drained shadow.
///
///   created ─open→ opened ─prepare→ prepared ─capture→ captured ─close→ closed
///
/// A step that fails first takes every database out of backup mode, closes it and removes the shadow; the session is
/// then closed. Between steps a lease runs, so a caller that disappears leaves nothing open.
///
/// The control thread executes the steps; databases belong to shard threads. Public functions may be called from any
/// thread, except where noted. Completions run on the control thread.
class Session {
public:
    using Completion = Settlement::Completion;

    Session(const SessionOptions& options, std::unique_ptr<DatabaseSource> source,
            std::unique_ptr<ShadowProvider> provider);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    /// Aborts the session and waits for it, except for threads that hang in a call.
    ~Session();

    /// Before `open` only. Databases with more activity start later and stop earlier.
    void add(DatabaseSpec spec);
    void open(std::chrono::milliseconds timeout, Completion done);
    void prepare(std::chrono::milliseconds timeout, Completion done);
    void capture(std::chrono::milliseconds timeout, Completion done);
    /// `succeeded`: report to the participants of the shadow (VSS writers) that the backup succeeded. `untold`: it
    /// succeeded, but report nothing to them.
    struct Closing {
        bool keepShadow = false;
        bool succeeded = false;
        std::vector<std::string> deletedShadows =
            {};  ///< that these are gone is no failure: the caller has deleted them
        bool untold = false;
    };
    void close(Closing closing, std::chrono::milliseconds timeout, Completion done);
    /// Restarts the lease.
    void renewLease();
    /// The running step gives up as soon as its databases are out of backup mode. Later steps fail.
    void cancel() noexcept;
    /// For process exit: cancels, closes without keeping the shadow, and waits.
    enum class Aborted : std::uint8_t { wasClosed, wasOpen, unanswered };
    Aborted abortAndWait(std::chrono::milliseconds timeout);

    [[nodiscard]] Progress progress() const noexcept;
    /// Stable between steps. Do not call it while a step runs.
    [[nodiscard]] const std::deque<DatabaseRecord>& records() const noexcept { return core_->records; }
    [[nodiscard]] std::vector<PhaseSpan> phases() const;
    [[nodiscard]] std::vector<DatabaseFailure> failures() const;
    [[nodiscard]] ServerTime afterLastStart() const;

private:
    enum class Stage : std::uint8_t { created, opened, prepared, captured, closed };
    using Step = std::function<void(const Limits&)>;

    struct Task {
        std::chrono::milliseconds timeout;
        Step step;
        Settlement done;
    };

    void post(std::chrono::milliseconds timeout, Step step, Completion done);
    void control();
    /// The control thread ends without having run every task. Those that are left, and those posted later, fail.
    void refuseTasks();
    void runStep(const Step& step, std::chrono::milliseconds timeout, Settlement done);
    void runAbandon();

    void requireStage(Stage stage) const;
    void openStep(const Limits& limits);
    void prepareStep(const Limits& limits);
    void captureStep(const Limits& limits);
    void captureSet(const Limits& limits);
    void captureFiles(const Limits& limits);
    void captureRolling(const Limits& limits);
    void closeStep(const Closing& closing, const Limits& limits);
    /// For a failed step: releases all databases and removes the shadow.
    void abandon();
    void settleShadow(const Closing& closing, const Limits& limits);
    /// Runs one step of the provider. Throws its Failure, or ERR_SHADOW_HANGS if it does not end; `afterwards` then
    /// runs if it ends later.
    void runInProvider(ProviderThread::Step step, const Limits& limits, ProviderThread::Step afterwards);
    [[nodiscard]] std::chrono::milliseconds providerGrace() const noexcept;

    void startAll(const Limits& limits);
    void drainAll(const Limits& limits);
    void enterPhase(Phase phase);
    void leavePhase();
    void describeFailures();

    SessionOptions options_;
    std::shared_ptr<SessionCore> core_;
    ShardCrew crew_;                            // control thread
    std::unique_ptr<ProviderThread> provider_;  // control thread; from open until the shadow is kept or removed
    Stage stage_ = Stage::created;              // control thread
    const char* closedReason_ = nullptr;        // control thread
    bool captured_ = false;                     // control thread: the shadow is complete
    bool completed_ = false;                    // control thread: success was reported to the provider
    bool shadowSettled_ = false;                // control thread: kept or removed

    std::stop_source stopSource_;
    mutable std::mutex mutex_;
    std::condition_variable taskPosted_;
    std::deque<Task> tasks_;                                      // guarded by mutex_
    bool exit_ = false;                                           // guarded by mutex_
    bool refuses_ = false;                                        // guarded by mutex_
    std::vector<PhaseSpan> phases_;                               // guarded by mutex_
    std::vector<DatabaseFailure> failures_;                       // guarded by mutex_
    std::optional<std::chrono::steady_clock::time_point> lease_;  // control thread
    AbandonableThread control_;                                   // last: its thread uses all other members
};

}  // namespace domino_vss::engine
