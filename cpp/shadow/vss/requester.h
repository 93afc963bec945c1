#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/deadline.h"
#include "shadow/vss/async_operation.h"
#include "shadow/vss/shadow_properties.h"
#include "shadow/vss/warning.h"
#include "shadow/vss/writer_selection.h"

namespace domino_vss::vss {

struct RequesterOptions {
    std::uint32_t context = 0;  ///< VSS_SNAPSHOT_CONTEXT with attribute bits
    Guid providerId;            ///< GUID_NULL: VSS chooses
    std::int32_t backupType = VSS_BT_COPY;
    bool componentMode = false;
    bool bootableSystemState = false;
    std::vector<std::string> excludeWriters;
    std::vector<std::string> verifyWriters;
    std::vector<std::string> volumes;
    /// True if Domino's own writer must not start a second backup of databases that are in our backup mode, or if the
    /// server is stopped, which ends its writer.
    bool excludeDomino = false;
    /// Databases leave backup mode at Thaw, which our own writer reports (ThawSignal).
    bool stopAtThaw = false;
    /// No other writer takes part.
    bool onlyThawSignal = false;
    /// A cancelled DoSnapshotSet may still create its shadow. How long to wait for that, so that the shadow can be
    /// deleted.
    std::chrono::milliseconds cancelPatience{30'000};
};

/// What the requester knows so far. Cheap to copy, because it is copied while VSS's creation lock is held.
struct RequesterReport {
    Guid setId;
    std::vector<Guid> shadowIds;            ///< in the order of the requested volumes
    std::vector<ShadowProperties> shadows;  ///< the same
    std::vector<Writer> writers;
    std::shared_ptr<const std::string> componentsDocument;  ///< SaveAsXML after the window; nullptr before
    std::vector<Warning> warnings;
};

/// One backup through IVssBackupComponents: one object from creation to release, called in the order that Microsoft
/// documents, with or without writers. Call it in an apartment, from one thread at a time. All functions throw Failure;
/// after that, only `remove` may be called.
class Requester {
public:
    explicit Requester(RequesterOptions options);
    Requester(const Requester&) = delete;
    Requester& operator=(const Requester&) = delete;
    ~Requester() = default;

    /// Everything that does not need the machine-wide lock: context, state, the writers and their selection.
    void begin(const engine::Limits& limits);
    /// Takes the machine-wide creation lock, waiting for other requesters, and prepares the writers.
    void openSet(const engine::Limits& limits);
    /// Calls DoSnapshotSet.
    void create(const engine::CaptureWindow& window);
    /// After the shadow was taken: reads the states of the writers, the properties and the documents.
    void inspect(const engine::Limits& limits);
    /// The backup succeeded: checks that the shadows still exist, except those deleted by the caller, and reports
    /// success to the writers.
    void complete(const std::vector<std::string>& deletedShadows, const engine::Limits& limits);
    /// The backup succeeded, but the writers are not told, also not by AbortBackup: most of them would treat that as an
    /// error. They only learn that the session is over.
    void leaveUntold() noexcept { leftUntold_ = true; }
    /// Ends the session and deletes its shadows. Idempotent. Throws if a shadow that outlives the session exists or may
    /// still appear; it can be called again then.
    void remove();
    /// Ends the session and leaves the shadows. Non-persistent ones vanish with it. Writers that were not told of the
    /// success only learn that the session is over.
    void keep();

    [[nodiscard]] const RequesterReport& report() const noexcept { return report_; }

private:
    [[nodiscard]] bool hasAttribute(std::uint32_t attribute) const noexcept;
    [[nodiscard]] bool hasWriters() const noexcept;
    [[nodiscard]] bool isTransportable() const noexcept;
    /// Whether the shadows vanish with the object even if they cannot be deleted.
    [[nodiscard]] bool isVolatile() const noexcept;
    [[nodiscard]] WriterRules writerRules() const;
    void nameVolumes();
    /// Creates the object and does everything that does not need the machine-wide lock.
    void initialise(const engine::Limits& limits);
    void requireSupported();
    /// Excludes writers in VSS, which must be done before their metadata is gathered. Returns the excluded ones.
    [[nodiscard]] std::vector<Writer> disableWriters(const WriterRules& rules, const engine::Limits& limits);
    /// Applies the rules to the gathered writers; in component mode, adds their components.
    void selectWriters(const WriterRules& rules);
    /// Calls StartSnapshotSet.
    void startSet();
    /// Calls AddToSnapshotSet for each volume.
    void addVolumes();
    void requireWriters(const char* operation, Phase phase, const engine::Limits& limits);
    void warnOnce(Warning warning);
    void abortWhereDue();
    /// Releases the object; non-persistent shadows vanish with it.
    void letGo();
    /// Unexposes the shadows before they are deleted. It is not documented whether deletion does that. A failure is
    /// only a warning: a shadow that fills the disk is worse than a broken mount point.
    void takePlacesAway();
    /// Throws unless the shadows vanish with the object.
    void deleteByAnotherObject();

    RequesterOptions options_;
    RequesterReport report_;
    std::vector<std::string> volumes_;         // without duplicates
    std::vector<std::size_t> indexOfVolume_;   // index into volumes_ for each requested volume
    ComPtr<IVssBackupComponents> components_;  // nullptr before `begin` and after the end
    std::string setName_;                      // the id of the set as text
    bool setStarted_ = false;
    bool prepared_ = false;
    std::optional<AsyncOperation> commit_;  // DoSnapshotSet, from its call until its shadow is deleted or kept
    bool committed_ = false;
    bool leftUntold_ = false;
    bool completing_ = false;
    bool completed_ = false;
    bool allDeleted_ = false;  // by the caller
};

}  // namespace domino_vss::vss
