#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/session.h"
#include "shadow/hook_provider.h"
#include "system/directory_lock.h"

namespace domino_vss::vss {

struct PreparedBackupOptions {
    std::string id;
    engine::SessionOptions session;
    /// The data directory: one backup or restore of it at a time on this machine.
    std::string lockedDirectory;
    /// What JavaScript has written in advance under names that count for nothing, the journal and the directory of the
    /// backup, and what these are called from the moment at which the backup begins.
    struct Move {
        std::filesystem::path from;
        std::filesystem::path to;
    };
    std::vector<Move> moves;
    /// Top directories of the volumes that the databases lie on.
    std::vector<std::string> volumes;
    /// From the begin until all databases are in backup mode.
    std::chrono::milliseconds prepareTimeout{120'000};
    /// From the thaw until all change information is on the disk.
    std::chrono::milliseconds drainTimeout{300'000};
    /// How many databases may be left out before the backup fails.
    std::uint32_t maxSkipped = UINT32_MAX;
};

/// A backup that lies ready for a snapshot of somebody else: everything that takes JavaScript has been done. Nothing is
/// open, locked or named on the disk until it begins. Functions may be called from any thread; those that wait are
/// bounded.
class PreparedBackup {
public:
    /// Which databases the snapshot will contain: those that lie on its volumes, of the components that are selected.
    struct Coverage {
        std::function<bool(const std::string& volume)> volume;
        std::function<bool(std::size_t component)> component;
    };

    /// What could not be put into backup mode.
    struct LeftOut {
        std::size_t databases = 0;
        bool required = false;
        std::string first;         ///< path of one of them
        std::uint32_t status = 0;  ///< its reason, where that is a number
    };

    PreparedBackup(PreparedBackupOptions options, std::unique_ptr<engine::DatabaseSource> source);
    PreparedBackup(const PreparedBackup&) = delete;
    PreparedBackup& operator=(const PreparedBackup&) = delete;
    ~PreparedBackup() = default;

    /// Before it begins. `volume` counts those of the options, `component` those of the writer.
    void add(engine::DatabaseSpec spec, std::size_t volume, std::size_t component, bool required);
    /// Opens the databases that are covered and puts them into backup mode, on threads of their own. Returns whether
    /// there are any. Throws Failure.
    [[nodiscard]] bool begin(const Coverage& coverage);
    /// Waits until the databases are in backup mode. Otherwise they are out again.
    [[nodiscard]] std::optional<Failure> awaitHeld();
    /// Of a backup that is held.
    [[nodiscard]] LeftOut leftOut() const;
    [[nodiscard]] const std::string& id() const noexcept { return options_.id; }
    [[nodiscard]] std::uint32_t maxSkipped() const noexcept { return options_.maxSkipped; }
    /// Whether the databases are in backup mode now.
    [[nodiscard]] bool isHeld() const;
    /// Whether it has begun and not ended.
    [[nodiscard]] bool isUnderWay() const;
    /// The snapshot exists: the databases begin to leave backup mode. Returns at once.
    void thaw();
    /// Waits until the change information is on the disk.
    [[nodiscard]] std::optional<Failure> awaitEnd();
    /// How it has ended; a failure when it has not.
    [[nodiscard]] std::optional<Failure> outcome() const;
    /// There is no snapshot. Returns when the databases are out of backup mode, or after a while.
    void abort(const Failure& reason);
    /// The data directory is free for others.
    void unlock();

    [[nodiscard]] const std::shared_ptr<engine::Session>& session() const noexcept { return session_; }
    /// Which of the databases that were added take part, in the order of the session's records.
    [[nodiscard]] const std::vector<std::uint32_t>& included() const noexcept { return included_; }

private:
    struct Prepared {
        engine::DatabaseSpec spec;
        std::size_t volume = 0;
        std::size_t component = 0;
        bool required = false;
    };
    /// Shared with the session's control thread.
    struct Progress {
        mutable std::mutex mutex;
        std::condition_variable changed;
        bool begun = false;              // guarded by mutex
        bool held = false;               // guarded by mutex
        bool ended = false;              // guarded by mutex
        std::optional<Failure> failure;  // guarded by mutex

        void end(std::optional<Failure> failed);
    };

    void claimDirectory();
    [[nodiscard]] bool endsWithin(std::chrono::milliseconds patience) const;

    PreparedBackupOptions options_;
    std::shared_ptr<Progress> progress_ = std::make_shared<Progress>();
    shadow::HookProvider* snapshot_ = nullptr;  // owned by the session
    std::shared_ptr<engine::Session> session_;
    std::vector<Prepared> databases_;
    std::vector<std::uint32_t> included_;  // written before the session's steps
    std::mutex lockMutex_;
    std::optional<DirectoryLock> lock_;  // guarded by lockMutex_
};

}  // namespace domino_vss::vss
