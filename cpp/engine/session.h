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
#include "engine/shard_crew.h"
#include "system/abandonable_thread.h"

namespace domino_vss::engine {

struct SessionOptions {
    std::uint16_t shards = 4;
    /// Longest time for one call on a database. After its limits a call of the provider gets it once more, at most ten
    /// seconds, before it is left to itself.
    std::chrono::milliseconds databaseBudget{10'000};
    /// From the first start until the shadow is made; with scope `file` until the last database is out.
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
/// A step that fails has taken every database out of backup mode, closed it and removed the shadow before it reports;
/// the session is then closed. Between steps a lease runs: a caller who disappears leaves nothing open.
///
/// One control thread executes the steps; databases live on shard threads. Public functions may be called from any
/// thread; completions run on the control thread.
class Session {
public:
    /// nullptr = success. The failure may be moved from.
    using Completion = std::function<void(Failure*)>;

    Session(const SessionOptions& options, std::unique_ptr<DatabaseSource> source,
            std::unique_ptr<ShadowProvider> provider);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    /// Aborts what is open and waits for it, except for threads that hang in a call.
    ~Session();

    /// Before `open` only. Databases with more activity start later and stop earlier.
    void add(DatabaseSpec spec);
    void open(std::chrono::milliseconds timeout, Completion done);
    void prepare(std::chrono::milliseconds timeout, Completion done);
    void capture(std::chrono::milliseconds timeout, Completion done);
    /// `succeeded`: those who took part in the shadow are told that the backup is safe. `untold`: it is, and they are
    /// told nothing.
    struct Closing {
        bool keepShadow = false;
        bool succeeded = false;
        std::vector<std::string> deletedShadows =
            {};  ///< that these are gone is no failure: the caller has deleted them
        bool untold = false;
    };
    void close(Closing closing, std::chrono::milliseconds timeout, Completion done);
    /// The lease is counted anew: somebody is still there.
    void renewLease();
    /// The running step gives up as soon as its databases are out; no further step is possible.
    void cancel() noexcept;
    /// For the end of the process: cancels, closes without the shadow and waits.
    enum class Aborted : std::uint8_t { wasClosed, wasOpen, unanswered };
    Aborted abortAndWait(std::chrono::milliseconds timeout);

    [[nodiscard]] Progress progress() const noexcept;
    /// Stable between steps; call it when no step runs.
    [[nodiscard]] const std::deque<DatabaseRecord>& records() const noexcept { return core_->records; }
    [[nodiscard]] std::vector<PhaseSpan> phases() const;
    [[nodiscard]] std::vector<DatabaseFailure> failures() const;
    [[nodiscard]] ServerTime afterLastStart() const;

private:
    enum class Stage : std::uint8_t { created, opened, prepared, captured, closed };
    using Step = std::function<void(const Limits&)>;

    void post(std::chrono::milliseconds timeout, Step step, Completion done);
    void control();
    void runStep(const Step& step, std::chrono::milliseconds timeout, const Completion& done);

    void requireStage(Stage stage) const;
    void openStep(const Limits& limits);
    void prepareStep(const Limits& limits);
    void captureStep(const Limits& limits);
    void captureSet(const Limits& limits);
    void captureFiles(const Limits& limits);
    void captureRolling(const Limits& limits);
    void closeStep(const Closing& closing, const Limits& limits);
    /// For a step that fails: everything out, without the shadow.
    void abandon();
    void settleShadow(const Closing& closing, const Limits& limits);
    /// One step of the provider. Throws its Failure, and ERR_SHADOW_HANGS when it does not end; what is `afterwards` is
    /// done if it ever does.
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
    std::unique_ptr<ProviderThread> provider_;  // control thread; from the opening until the shadow is settled
    Stage stage_ = Stage::created;              // control thread
    const char* closedReason_ = nullptr;        // control thread
    bool captured_ = false;                     // control thread: the shadow is good
    bool completed_ = false;                    // control thread: the provider was told of the success
    bool shadowSettled_ = false;                // control thread: kept on purpose, or removed

    std::stop_source stopSource_;
    mutable std::mutex mutex_;
    std::condition_variable taskPosted_;
    std::deque<std::function<void()>> tasks_;                     // guarded by mutex_
    bool exit_ = false;                                           // guarded by mutex_
    std::vector<PhaseSpan> phases_;                               // guarded by mutex_
    std::vector<DatabaseFailure> failures_;                       // guarded by mutex_
    std::optional<std::chrono::steady_clock::time_point> lease_;  // control thread
    AbandonableThread control_;                                   // the last member: it uses the others from the start
};

}  // namespace domino_vss::engine
