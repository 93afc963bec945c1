#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shadow/vss/guid.h"
#include "shadow/vss/writer/prepared_backup.h"
#include "shadow/vss/writer_handlers.h"

namespace domino_vss::vss {

enum class WriterMoment : std::uint8_t {
    identified,  ///< somebody has asked for the metadata: a snapshot may follow
    refused,     ///< a snapshot that the databases would have been part of was refused, nothing was begun
    begun,       ///< the databases are on their way into backup mode
    held,        ///< all are in backup mode
    thawed,
    completed,   ///< the change information is on the disk
    failed,      ///< the databases are out of backup mode, and there is no backup
    uninvolved,  ///< a snapshot passes that has none of the databases
};

/// What the listener is told.
struct WriterNotice {
    WriterMoment moment = WriterMoment::identified;
    /// From `begun` on.
    std::shared_ptr<PreparedBackup> backup;
    Guid set;
    std::optional<Failure> failure;
};

/// The events of a writer as VSS delivers them, one session at a time, and what becomes of the databases in each. The
/// handlers run on threads of VSS and decide by what is here: they never wait for JavaScript. None of them throws.
///
///   prepareBackup → prepareSnapshot → freeze → thaw → postSnapshot → backupShutdown
///
/// From prepareSnapshot on abort may come instead of the next one, and backupShutdown comes always, even when the
/// requester has died. Without either the engine takes the databases out by its own window.
class WriterEvents final : public WriterHandlers {
public:
    /// Is called on the threads of the handlers and must return at once.
    using Listener = std::function<void(const WriterNotice&)>;

    struct Policy {
        /// A backup that fails fails the snapshot; otherwise it goes on without a backup of the databases.
        bool veto = true;
    };

    /// Without `restore` no requester restores.
    WriterEvents(OwnComponents components, Policy policy, Listener listener,
                 std::unique_ptr<RestoreWork> restore = nullptr);
    ~WriterEvents() override;

    /// The backup for whoever asks next, instead of the one that was there; nullptr for none. Returns whether that one
    /// was still there, so that nothing will become of it.
    bool arm(std::shared_ptr<PreparedBackup> backup);
    /// A backup that has begun is taken back.
    void close() override;

    [[nodiscard]] const OwnComponents& components() const noexcept override { return components_; }

    [[nodiscard]] bool identify() noexcept override;
    [[nodiscard]] Verdict prepareBackup(Selection selection) noexcept override;
    [[nodiscard]] Verdict prepareSnapshot(const SnapshotSet& set) noexcept override;
    [[nodiscard]] Verdict freeze() noexcept override;
    [[nodiscard]] Verdict thaw() noexcept override;
    [[nodiscard]] Verdict postSnapshot() noexcept override;
    void abort() noexcept override;
    void backupShutdown(const Guid& set, const Guid& session) noexcept override;
    [[nodiscard]] std::string completedBackup() const override;
    [[nodiscard]] bool takesPartInRestores() const noexcept override;
    [[nodiscard]] RestoreVerdict preRestore(const RequestedRestore& restore) noexcept override;
    [[nodiscard]] RestoreVerdict postRestore(const RequestedRestore& restore) noexcept override;

private:
    enum class Stage : std::uint8_t { idle, held, thawed };

    [[nodiscard]] ComponentKind kindOf(const RestoreComponent& component) const;
    [[nodiscard]] bool areAttachments(const RequestedRestore& restore) const;
    [[nodiscard]] bool isSelected(const Selection& selection, std::size_t component) const;
    [[nodiscard]] Verdict start(const SnapshotSet& set);
    [[nodiscard]] Verdict settle(const std::shared_ptr<PreparedBackup>& backup);
    /// The backup of this session has failed: tells the listener, and says what VSS is to hear.
    [[nodiscard]] Verdict fail(const Failure& failure) noexcept;
    void takeBack(const char* reason) noexcept;
    void takeBack(const Failure& reason) noexcept;
    void takeBackOrThrow(const Failure& reason);
    void notify(WriterMoment moment, std::optional<Failure> failure = std::nullopt) noexcept;
    [[nodiscard]] Verdict verdictOn(const Failure& failure) const;
    [[nodiscard]] std::shared_ptr<PreparedBackup> current() const;
    [[nodiscard]] std::shared_ptr<PreparedBackup> current(Stage stage) const;

    const OwnComponents components_;
    const Policy policy_;
    const Listener listener_;
    const std::unique_ptr<RestoreWork> restore_;
    mutable std::mutex mutex_;
    std::shared_ptr<PreparedBackup> armed_;    // guarded by mutex_
    std::shared_ptr<PreparedBackup> running_;  // guarded by mutex_
    Selection selection_;                      // guarded by mutex_
    Guid set_;                                 // guarded by mutex_
    Guid session_;                             // guarded by mutex_; of the requester that makes the set
    std::string completed_;                    // guarded by mutex_
    Stage stage_ = Stage::idle;                // guarded by mutex_
    bool closed_ = false;                      // guarded by mutex_
};

}  // namespace domino_vss::vss
