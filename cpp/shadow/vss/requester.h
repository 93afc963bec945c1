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
    /// Its databases are in our own backup mode, and Domino's own writer must not start a second one; or its server is
    /// stopped, and the writer with it.
    bool excludeDomino = false;
    /// Databases leave backup mode at Thaw, of which a writer of our own tells (ThawSignal).
    bool stopAtThaw = false;
    /// No other writer takes part.
    bool onlyThawSignal = false;
    /// A cancelled DoSnapshotSet may still make its shadow; so long it is waited for, so that the shadow can be
    /// deleted.
    std::chrono::milliseconds cancelPatience{30'000};
};

/// What is known of a requester, as far as it has got. Cheap to copy: that happens while the machine is locked.
struct RequesterReport {
    Guid setId;
    std::vector<Guid> shadowIds;            ///< in the order of the volumes asked for
    std::vector<ShadowProperties> shadows;  ///< the same
    std::vector<Writer> writers;
    std::shared_ptr<const std::string> componentsDocument;  ///< SaveAsXML after the window; nullptr before
    std::vector<Warning> warnings;
};

/// One backup through IVssBackupComponents: one object, from its creation to its release, in the order that Microsoft
/// documents with and without writers. In an apartment; from one thread at a time. All functions throw Failure; after
/// one of them only `remove` is left.
class Requester {
public:
    explicit Requester(RequesterOptions options);
    Requester(const Requester&) = delete;
    Requester& operator=(const Requester&) = delete;
    ~Requester() = default;

    /// Everything that needs no machine-wide lock: context, state, writers and their selection.
    void begin(const engine::Limits& limits);
    /// Takes the machine-wide creation lock, waiting for others, and prepares the writers.
    void openSet(const engine::Limits& limits);
    /// DoSnapshotSet.
    void create(const engine::CaptureWindow& window);
    /// After the shadow: states of the writers, properties, documents.
    void inspect(const engine::Limits& limits);
    /// The backup has succeeded: the shadows are still there, but for those that the caller has deleted, and the
    /// writers are told.
    void complete(const std::vector<std::string>& deletedShadows, const engine::Limits& limits);
    /// The backup has succeeded and the writers are not told: to most of them AbortBackup would be an error, and it is
    /// none. They learn only that the session is over.
    void leaveUntold() noexcept { leftUntold_ = true; }
    /// Ends the session and deletes what it made. Idempotent. Throws while a shadow that outlives the session is
    /// there or may still appear; it can be called again then.
    void remove();
    /// Ends the session and leaves the shadow; one that is not persistent vanishes with it. Writers that were not told
    /// of the success learn only that the session is over.
    void keep();

    [[nodiscard]] const RequesterReport& report() const noexcept { return report_; }

private:
    [[nodiscard]] bool hasAttribute(std::uint32_t attribute) const noexcept;
    [[nodiscard]] bool hasWriters() const noexcept;
    [[nodiscard]] bool isTransportable() const noexcept;
    /// Whether the shadows end with the object, also where they cannot be deleted.
    [[nodiscard]] bool isVolatile() const noexcept;
    [[nodiscard]] WriterRules writerRules() const;
    void nameVolumes();
    /// A new object, and everything that needs no machine-wide lock.
    void initialise(const engine::Limits& limits);
    void requireSupported();
    /// Tells VSS which writers are not to take part, which must come before their metadata is gathered. Returns them.
    [[nodiscard]] std::vector<Writer> disableWriters(const WriterRules& rules, const engine::Limits& limits);
    void selectWriters(const WriterRules& rules);
    /// StartSnapshotSet.
    void startSet();
    /// AddToSnapshotSet for each volume.
    void addVolumes();
    void requireWriters(const char* operation, Phase phase, const engine::Limits& limits);
    void warnOnce(Warning warning);
    void abortWhereDue();
    /// The last of the object: shadows that are not persistent end with it.
    void letGo();
    /// Whether a deleted shadow takes the places along where it is exposed is not documented. What cannot be taken away
    /// becomes a warning: a shadow that fills the disk is worse than a place that leads nowhere.
    void takePlacesAway();
    /// Throws unless the shadows go anyway.
    void deleteByAnotherObject();

    RequesterOptions options_;
    RequesterReport report_;
    std::vector<std::string> volumes_;         // distinct
    std::vector<std::size_t> indexOfVolume_;   // into volumes_, for each volume asked for
    ComPtr<IVssBackupComponents> components_;  // nullptr before `begin` and after the end
    std::string setName_;                      // the id of the set in words
    bool setStarted_ = false;
    bool prepared_ = false;
    std::optional<AsyncOperation> commit_;  // DoSnapshotSet, from its call until its shadow is gone or kept
    bool committed_ = false;
    bool leftUntold_ = false;
    bool completing_ = false;
    bool completed_ = false;
    bool allDeleted_ = false;  // by the caller
};

}  // namespace domino_vss::vss
