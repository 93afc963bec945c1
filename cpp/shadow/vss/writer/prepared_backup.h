#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/session.h"
#include "shadow/hook_provider.h"
#include "shadow/vss/writer/shadow_recovery.h"
#include "shadow/vss/writer_handlers.h"
#include "system/directory_lock.h"

namespace domino_vss::vss {

struct PreparedBackupOptions {
    std::string id;
    engine::SessionOptions session;
    /// The data directory. Only one backup or restore of it runs at a time on this machine.
    std::string lockedDirectory;
    /// Files that JavaScript has written in advance under provisional names, the journal and the directory of the
    /// backup, and their final names, which they get when the backup begins.
    struct Move {
        std::filesystem::path from;
        std::filesystem::path to;
    };
    std::vector<Move> moves;
    /// Root directories of the volumes that contain the databases.
    std::vector<std::string> volumes;
    /// From begin() until all databases are in backup mode.
    std::chrono::milliseconds prepareTimeout{120'000};
    /// From thaw() until all change information is on disk and, where shadows can be changed, applied in them.
    std::chrono::milliseconds drainTimeout{300'000};
    ApplyChanges apply;
    /// How many databases may be skipped before the backup fails.
    std::uint32_t maxSkipped = UINT32_MAX;
};

/// A backup prepared for a snapshot that another requester makes: all work that needs JavaScript is done. Nothing is
/// open, locked or has its final name before it begins. Functions may be called from any thread; all waits are bounded.
class PreparedBackup {
public:
    /// Which databases the snapshot will contain: those on its volumes whose components are selected.
    struct Coverage {
        std::function<bool(const std::string& volume)> volume;
        std::function<bool(std::size_t component)> component;
        /// The requester has chosen components and wants all that is in them; otherwise what lies on its volumes.
        bool chosen = false;
    };

    /// Databases that are not in the backup and should be.
    struct LeftOut {
        std::size_t databases = 0;
        std::size_t outside = 0;   ///< those of them that lie on no volume of the snapshot
        std::size_t torn = 0;      ///< those of them that are in it, but could not be completed there
        std::string first;         ///< path of one of them
        std::uint32_t status = 0;  ///< the reason, if it is a Domino STATUS
    };
    struct AllLeftOut : LeftOut {
        bool required = false;
        std::map<std::size_t, LeftOut> components;  ///< those that lack any
    };

    PreparedBackup(PreparedBackupOptions options, std::unique_ptr<engine::DatabaseSource> source);
    PreparedBackup(const PreparedBackup&) = delete;
    PreparedBackup& operator=(const PreparedBackup&) = delete;
    ~PreparedBackup() = default;

    /// Before begin(). `volume` is an index into the volumes of the options, `component` one into the writer's
    /// components. The target is the path in the shadow of the volume.
    void add(engine::DatabaseSpec spec, std::size_t volume, std::size_t component, bool required);
    /// Where databases lie: the top directory of a volume, and a component of it.
    using Places = std::set<std::pair<std::string, std::size_t>>;
    [[nodiscard]] Places places() const;
    /// Opens the databases that are covered and puts them into backup mode, on threads of their own. Throws Failure.
    void begin(const Coverage& coverage);
    /// Waits until the databases are in backup mode. If it returns a failure, they are out again.
    [[nodiscard]] std::optional<Failure> awaitHeld();
    /// Valid while the backup is held, and after it has ended.
    [[nodiscard]] AllLeftOut leftOut() const;
    [[nodiscard]] const std::string& id() const noexcept { return options_.id; }
    [[nodiscard]] std::uint32_t maxSkipped() const noexcept { return options_.maxSkipped; }
    /// Whether the databases are in backup mode now.
    [[nodiscard]] bool isHeld() const;
    /// Whether it has begun and not yet ended.
    [[nodiscard]] bool isUnderWay() const;
    /// The snapshot exists: makes the databases leave backup mode. Returns at once.
    void thaw();
    /// Waits until the change information is on disk.
    [[nodiscard]] std::optional<Failure> awaitEnd();
    /// After a successful awaitEnd(): applies the change information to the databases in the shadows, within what is
    /// left of the time for it. A failure is one of that database; its delta file is still good.
    void completeInShadows(const NewShadows& shadows, engine::Clock::time_point thawed);
    /// The result: nullopt for success. A failure if the backup has not ended.
    [[nodiscard]] std::optional<Failure> outcome() const;
    /// There will be no snapshot. Returns when the databases are out of backup mode, or after ten seconds.
    void abort(const Failure& reason);
    /// Releases the lock on the data directory.
    void unlock();

    [[nodiscard]] const std::shared_ptr<engine::Session>& session() const noexcept { return session_; }
    /// Indexes of the added databases that take part, in the order of the session's records.
    [[nodiscard]] const std::vector<std::uint32_t>& included() const noexcept { return included_; }
    /// Which of them the requester has chosen, and its volumes do not contain.
    [[nodiscard]] const std::vector<std::uint32_t>& outside() const noexcept { return outside_; }
    /// By the number of a record: nullopt for a database that is complete in its shadow. Empty if shadows could not be
    /// changed. Valid after completeInShadows().
    [[nodiscard]] const std::map<std::size_t, std::optional<Failure>>& inShadows() const noexcept { return inShadows_; }

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
    std::vector<std::uint32_t> included_;  // written before the session's first step
    std::vector<std::uint32_t> outside_;   // likewise
    std::map<std::size_t, std::optional<Failure>> inShadows_;
    std::stop_source stop_;
    std::mutex lockMutex_;
    std::optional<DirectoryLock> lock_;  // guarded by lockMutex_
};

}  // namespace domino_vss::vss
