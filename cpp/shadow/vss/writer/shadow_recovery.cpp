#include "shadow/vss/writer/shadow_recovery.h"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "engine/deadline.h"
#include "shadow/vss/writer/shadow_files.h"
#include "system/abandonable_thread.h"
#include "system/file_system.h"
#include "system/path.h"

namespace domino_vss::vss {

namespace {

using engine::Clock;

/// Shared with threads that may hang in a call, and outlive the recovery then.
class Recovery {
public:
    Recovery(ShadowRecoveryOptions options, std::vector<DatabaseInShadow> databases)
        : options_(std::move(options)),
          databases_(std::move(databases)),
          links_(options_.shadows.size()),
          slots_(databases_.size()) {}

    static std::vector<std::optional<Failure>> run(const std::shared_ptr<Recovery>& recovery) {
        const Clock::time_point end = Clock::now() + recovery->options_.timeout;
        std::vector<std::unique_ptr<AbandonableThread>> threads;
        const auto startThread = [&] {
            try {
                threads.push_back(std::make_unique<AbandonableThread>([recovery] { recovery->work(); },
                                                                      [](Failure&& /*of no database*/) {}));
                return true;
            } catch (const Failure&) {
                return false;  // those that there are do its work as well
            }
        };
        const std::size_t wanted = std::min<std::size_t>(recovery->options_.threads, recovery->databases_.size());
        while (threads.size() < wanted && startThread()) {
        }
        if (!threads.empty())
            for (std::size_t given = recovery->awaitStep(end); given > 0; given = recovery->awaitStep(end))
                for (std::size_t i = 0; i < given && startThread(); ++i) {
                }
        return recovery->close();
    }

private:
    struct Slot {
        bool done = false;
        Clock::time_point began;
        std::optional<Failure> failure;
    };

    void work() {
        std::unique_lock lock(mutex_);
        while (!closed_ && next_ < databases_.size()) {
            const std::size_t index = next_++;
            Slot& slot = slots_[index];
            slot.began = Clock::now();
            changed_.notify_all();
            lock.unlock();
            std::optional<Failure> failure = recover(databases_[index]);
            lock.lock();
            // Otherwise it was given up, and another thread works in the place of this one.
            if (slot.done) return;
            slot.done = true;
            slot.failure = std::move(failure);
            ++done_;
            changed_.notify_all();
        }
    }

    std::optional<Failure> recover(const DatabaseInShadow& database) noexcept {
        try {
            const std::string& root = options_.shadows.at(database.shadow);
            if (root.empty()) throw Failure(code::kShadow, Phase::end, "its volume has no shadow", database.path);
            cutInShadow(root, database.path, database.startSizeBytes);
            if (!database.deltaFile.empty()) apply(database, root);
            flushInShadow(root + kSeparator + database.path);
            return std::nullopt;
        } catch (...) {
            return failureInFlight(Phase::end);
        }
    }

    void apply(const DatabaseInShadow& database, const std::string& root) {
        try {
            options_.apply(root + kSeparator + database.path, database);
        } catch (const Failure& failure) {
            if (failure.domain != Domain::domino) throw;
            // Whether Domino takes the path of a device is not documented. Applying it once more is allowed.
            const std::string file = linkTo(database.shadow) + kSeparator + database.path;
            FileStatus status;
            if (readStatus(file, status) != 0) throw;
            options_.apply(file, database);
        }
    }

    [[nodiscard]] std::string linkOf(std::size_t shadow) const {
        return options_.linkDirectory + kSeparator + "shadow-" + std::to_string(shadow);
    }

    /// Makes the link without the lock: the call may hang, and the others must be able to give it up.
    std::string linkTo(std::size_t shadow) {
        std::string link = linkOf(shadow);
        {
            const std::lock_guard lock(mutex_);
            if (links_[shadow] || closed_) return link;
        }
        // Another thread may be faster; then the link is there already.
        if (!linkDirectory(link, options_.shadows[shadow])) return link;
        const std::lock_guard lock(mutex_);
        if (closed_)
            removeDirectoryLink(link);  // nobody else would
        else
            links_[shadow] = true;
        return link;
    }

    /// Waits until all databases are done, or some are given up because their calls hang; returns how many.
    std::size_t awaitStep(Clock::time_point end) {
        std::unique_lock lock(mutex_);
        for (;;) {
            if (done_ == databases_.size() || options_.stop.stop_requested() || Clock::now() >= end) return 0;
            Clock::time_point next = end;
            std::size_t given = 0;
            for (std::size_t i = 0; i < next_; ++i) {
                Slot& slot = slots_[i];
                if (slot.done) continue;
                const Clock::time_point late = slot.began + options_.databaseBudget;
                if (Clock::now() < late) {
                    next = std::min(next, late);
                    continue;
                }
                slot.failure = Failure(code::kDatabaseBudget, Phase::end,
                                       "applying its change information has not returned in time", databases_[i].path);
                slot.done = true;
                ++done_;
                ++given;
            }
            if (given > 0) return given;
            changed_.wait_until(lock, options_.stop, next,
                                [this, before = done_, begun = next_] { return done_ != before || next_ != begun; });
        }
    }

    std::vector<std::optional<Failure>> close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        for (std::size_t shadow = 0; shadow < links_.size(); ++shadow)
            if (links_[shadow]) removeDirectoryLink(linkOf(shadow));
        const bool stopped = options_.stop.stop_requested();
        std::vector<std::optional<Failure>> failures;
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            Slot& slot = slots_[i];
            if (!slot.done)
                slot.failure = Failure(stopped ? code::kAborted : code::kDeadline, Phase::end,
                                       "its change information was not applied in time", databases_[i].path);
            slot.done = true;
            failures.push_back(std::move(slot.failure));
        }
        return failures;
    }

    const ShadowRecoveryOptions options_;
    const std::vector<DatabaseInShadow> databases_;
    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<bool> links_;  // guarded by mutex_; whether a shadow has one
    std::vector<Slot> slots_;  // guarded by mutex_
    std::size_t next_ = 0;     // guarded by mutex_
    std::size_t done_ = 0;     // guarded by mutex_
    bool closed_ = false;      // guarded by mutex_
};

}  // namespace

std::vector<std::optional<Failure>> recoverInShadows(ShadowRecoveryOptions options,
                                                     std::vector<DatabaseInShadow> databases) {
    return Recovery::run(std::make_shared<Recovery>(std::move(options), std::move(databases)));
}

}  // namespace domino_vss::vss
