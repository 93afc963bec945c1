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
    identified,  ///< a requester asked for the metadata; a snapshot may follow
    refused,     ///< a snapshot that includes databases was refused; nothing was started
    begun,       ///< databases are entering backup mode
    held,        ///< all databases are in backup mode
    thawed,
    completed,   ///< the change information is on disk, and applied in shadows that can be changed
    failed,      ///< the databases are out of backup mode; there is no backup
    uninvolved,  ///< a snapshot contains none of the databases
};

/// A report to the listener.
struct WriterNotice {
    WriterMoment moment = WriterMoment::identified;
    /// Set from `begun` on.
    std::shared_ptr<PreparedBackup> backup;
    Guid set;
    std::optional<Failure> failure;
};

/// The events of a writer as VSS delivers them, one session at a time, and their effect on the databases. The handlers
/// run on VSS threads and never wait for JavaScript. None of them throws.
///
///   prepareBackup → prepareSnapshot → freeze → thaw → postSnapshot → backupShutdown
///
/// After prepareSnapshot, abort may come instead of the next event. backupShutdown always comes, even if the requester
/// has died. If neither comes, the engine takes the databases out of backup mode when its window times out.
class WriterEvents final : public WriterHandlers {
public:
    /// Called on the threads of the handlers; must return at once.
    using Listener = std::function<void(const WriterNotice&)>;

    struct Policy {
        /// True: a failed backup fails the snapshot. False: the snapshot continues without a backup of the databases.
        bool veto = true;
    };

    /// Without `restore`, restores by requesters are refused.
    WriterEvents(OwnComponents components, Policy policy, Listener listener,
                 std::unique_ptr<RestoreWork> restore = nullptr);
    ~WriterEvents() override;

    /// Sets the backup for the next requester, replacing the previous one; nullptr for none. Returns true if the
    /// previous one was still unused; it will not be used any more.
    bool arm(std::shared_ptr<PreparedBackup> backup);
    /// Aborts a backup that is in progress. Later events are refused.
    void close() override;

    [[nodiscard]] const OwnComponents& components() const noexcept override { return components_; }

    [[nodiscard]] bool identify() noexcept override;
    [[nodiscard]] Verdict prepareBackup(Selection selection) noexcept override;
    [[nodiscard]] Verdict prepareSnapshot(const SnapshotSet& set) noexcept override;
    [[nodiscard]] Verdict freeze() noexcept override;
    [[nodiscard]] Verdict thaw() noexcept override;
    [[nodiscard]] Verdict postSnapshot(const NewShadows& shadows) noexcept override;
    void abort() noexcept override;
    void backupShutdown(const Guid& set, const Guid& session) noexcept override;
    [[nodiscard]] std::string completedBackup() const override;
    [[nodiscard]] std::vector<ComponentFailure> failedComponents() const override;
    [[nodiscard]] bool takesPartInRestores() const noexcept override;
    [[nodiscard]] RestoreVerdict preRestore(const RequestedRestore& restore) noexcept override;
    [[nodiscard]] RestoreVerdict postRestore(const RequestedRestore& restore) noexcept override;

private:
    enum class Stage : std::uint8_t { idle, held, thawed };

    [[nodiscard]] ComponentKind kindOf(const RestoreComponent& component) const;
    [[nodiscard]] bool areAttachments(const RequestedRestore& restore) const;
    /// Whether databases of selected components are on a volume of the set. Calls VSS.
    [[nodiscard]] bool concerns(const SnapshotSet& set, const Selection& selection) const;
    [[nodiscard]] bool isSelected(const Selection& selection, std::size_t component) const;
    [[nodiscard]] Verdict start(const SnapshotSet& set);
    [[nodiscard]] Verdict settle(const std::shared_ptr<PreparedBackup>& backup);
    /// After a failure of this session's backup: aborts it, reports it to the listener, and returns the verdict for
    /// VSS.
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
    PreparedBackup::Places places_;            // guarded by mutex_; of the databases, as far as they are known
    Selection selection_;                      // guarded by mutex_
    Guid set_;                                 // guarded by mutex_
    Guid session_;                             // guarded by mutex_; the requester that makes the set
    std::string completed_;                    // guarded by mutex_
    std::vector<ComponentFailure> lacking_;    // guarded by mutex_; what that backup lacks
    Stage stage_ = Stage::idle;                // guarded by mutex_
    bool closed_ = false;                      // guarded by mutex_
};

}  // namespace domino_vss::vss
