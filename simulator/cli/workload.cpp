#include "workload.h"

#include <algorithm>
#include <functional>
#include <stdexcept>

#include "enumerate.h"
#include "faults.h"

namespace domino_sim::cli {

namespace {

class LoggingObserver : public TransactionObserver {
public:
    explicit LoggingObserver(WorkloadLog& log) : log_(&log) {}

    void begin(const TransactionPlan& plan) override { log_->begin(plan, platform::monotonicNs()); }
    void pageWritten(std::size_t) override {}
    void end(const TransactionPlan& plan) override { log_->end(plan, platform::monotonicNs()); }

private:
    WorkloadLog* log_;
};

}  // namespace

class HeldTransaction {
public:
    HeldTransaction(Environment& environment, const ResolvedPath& path, WorkloadLog log, std::uint64_t seed,
                    std::size_t pages)
        : log_(std::move(log)), wanted_(pages) {
        thread_ = std::jthread([this, &environment, path, seed] { run(environment, path, seed); });
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return isHeld_ || isDone_; });
        if (!isHeld_) {
            throw StatusError(status_ == kNoError ? kValueFlags : status_);  // fewer pages than requested
        }
    }

    ~HeldTransaction() {
        const std::lock_guard lock(mutex_);
        isReleased_ = true;
        changed_.notify_all();
    }

private:
    class Observer final : public LoggingObserver {
    public:
        explicit Observer(HeldTransaction& owner) : LoggingObserver(owner.log_), owner_(&owner) {}
        void pageWritten(std::size_t count) override {
            if (count == owner_->wanted_) {
                owner_->hold();
            }
        }

    private:
        HeldTransaction* owner_;
    };

    void hold() {
        std::unique_lock lock(mutex_);
        isHeld_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return isReleased_; });
    }

    void run(Environment& environment, const ResolvedPath& path, std::uint64_t seed) {
        Status status = kNoError;
        try {
            Database database(environment, path, OpenPurpose::user);
            Observer observer(*this);
            const SuperblockState state = stateOf(database.readSuperblock());
            for (int attempt = 0; attempt < 1000 && planTransaction(state, seed).pages.size() <= wanted_; ++attempt) {
                seed = mix(seed, 1);  // a transaction with more pages than are to be written
            }
            runTransaction(database, seed, observer);
        } catch (...) {
            status = statusOfCurrentException();
        }
        const std::lock_guard lock(mutex_);
        status_ = status;
        isDone_ = true;
        changed_.notify_all();
    }

    WorkloadLog log_;
    std::size_t wanted_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool isHeld_ = false;
    bool isReleased_ = false;
    bool isDone_ = false;
    Status status_ = kNoError;
    std::jthread thread_;  // last, so that it is joined while the other members still exist
};

Workload::Workload(Environment& environment, WorkloadOptions options)
    : environment_(&environment),
      options_(std::move(options)),
      isPaused_(options_.isPaused),
      seeds_(mix(options_.seed, std::hash<std::string>()(options_.name))),
      controlLog_(options_.logDirectory, options_.name + "-control") {
    forEachDatabase(environment, [&](const DirectoryEntry& entry) {
        if (matchesGlob(options_.databaseGlob, withSlashes(entry.canonical))) {
            databases_.push_back({PathKind::database, entry.canonical, entry.expanded});
        }
    });
    for (unsigned number = 0; number < options_.threads && !databases_.empty(); ++number) {
        threads_.emplace_back([this, number](const std::stop_token& stop) { work(stop, number); });
    }
}

Workload::~Workload() {
    held_.clear();
}

std::uint64_t Workload::nextSeed() {
    return Random(seeds_.fetch_add(1)).next();
}

void Workload::pause() {
    isPaused_ = true;
    const std::unique_lock lock(running_);  // all transactions that saw the old value have ended
}

void Workload::resume() {
    isPaused_ = false;
}

/** Returns false when the thread is to end. */
bool Workload::waitForTurn(const std::stop_token& stop, std::int64_t& nextNs) const {
    constexpr std::int64_t kLongestSleepNs = 10'000'000;  // the delay until a stop or pause is noticed
    while (!stop.stop_requested()) {
        const std::int64_t waitNs = nextNs - platform::monotonicNs();
        if (isPaused_) {
            platform::sleepExactlyNs(kLongestSleepNs / 10);
        } else if (waitNs > 0) {
            platform::sleepExactlyNs(std::min(waitNs, kLongestSleepNs));
        } else {
            return true;
        }
    }
    return false;
}

void Workload::work(const std::stop_token& stop, unsigned number) {
    WorkloadLog log(options_.logDirectory, options_.name + "-" + std::to_string(number));
    LoggingObserver observer(log);
    Random random(mix(options_.seed, number) ^ std::hash<std::string>()(options_.name));
    const double intervalNs =
        options_.transactionsPerSecond > 0 ? 1e9 * options_.threads / options_.transactionsPerSecond : 0;
    std::int64_t nextNs = platform::monotonicNs();
    while (waitForTurn(stop, nextNs)) {
        // A delayed thread does not catch up in a burst.
        nextNs = std::max(nextNs, platform::monotonicNs() - 1'000'000'000) + static_cast<std::int64_t>(intervalNs);
        const std::shared_lock turn(running_);
        if (isPaused_) {
            continue;
        }
        try {
            const auto& path = databases_[random.below(static_cast<std::uint32_t>(databases_.size()))];
            auto database = std::make_unique<Database>(*environment_, path, OpenPurpose::user);
            runTransaction(*database, nextSeed(), observer);
            keepOpen(std::move(database));
            transactions_.fetch_add(1, std::memory_order_relaxed);
        } catch (...) {
            refused_.fetch_add(1, std::memory_order_relaxed);  // offline, replaced, being compacted, write refused
        }
    }
}

/** Keeps databases open, like a cache that a close does not affect. Each transaction opens its database again. */
void Workload::keepOpen(std::unique_ptr<Database> database) {
    const auto limit = static_cast<std::size_t>((*environment_)["SIM_SERVER_CACHE"_setting]);
    if (limit == 0) {
        return;
    }
    const std::lock_guard lock(cacheMutex_);
    const auto isSame = [&](const auto& cached) { return &cached->slot() == &database->slot(); };
    std::erase_if(cache_, isSame);
    cache_.push_back(std::move(database));
    while (cache_.size() > limit) {
        cache_.pop_front();
    }
}

void Workload::flushCache() {
    const std::lock_guard lock(cacheMutex_);
    cache_.clear();
}

void Workload::run(const std::string& database, std::uint64_t count) {
    const std::lock_guard lock(controlMutex_);
    auto open = std::make_unique<Database>(*environment_, resolvePath(*environment_, database), OpenPurpose::user);
    LoggingObserver observer(controlLog_);
    for (std::uint64_t i = 0; i < count; ++i) {
        runTransaction(*open, nextSeed(), observer);
        transactions_.fetch_add(1, std::memory_order_relaxed);
    }
    keepOpen(std::move(open));
}

void Workload::hold(const std::string& database, std::size_t pages) {
    const std::lock_guard lock(controlMutex_);
    if (held_.contains(database)) {
        throw std::runtime_error("already held: " + database);
    }
    const std::uint64_t seed = nextSeed();
    WorkloadLog log(options_.logDirectory, options_.name + "-hold-" + std::to_string(seed));
    held_.emplace(database, std::make_unique<HeldTransaction>(*environment_, resolvePath(*environment_, database),
                                                              std::move(log), seed, pages));
}

void Workload::release(const std::string& database) {
    const std::lock_guard lock(controlMutex_);
    if (held_.erase(database) == 0) {  // joins the thread, so the transaction is complete
        throw std::runtime_error("not held: " + database);
    }
}

}  // namespace domino_sim::cli
