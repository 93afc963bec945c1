#include "shadow/vss/requester.h"

#include <algorithm>
#include <utility>

#include "shadow/vss/administration.h"
#include "shadow/vss/com_apartment.h"
#include "shadow/vss/com_failure.h"
#include "shadow/vss/com_string.h"
#include "shadow/vss/storage_check.h"
#include "shadow/vss/thaw_signal.h"
#include "shadow/vss/volume_name.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/vssapi_library.h"
#include "shadow/vss/writer_metadata.h"
#include "system/path.h"

namespace domino_vss::vss {

using engine::Limits;
using std::chrono::milliseconds;

namespace {

/// Pauses between attempts while another requester creates a shadow.
constexpr milliseconds kFirstBackOff{250};
constexpr milliseconds kLongestBackOff{5'000};

/// Growing pauses between attempts.
class BackOff {
public:
    explicit BackOff(const Limits& limits) : limits_(limits) {}

    /// Throws when no time is left: `inProgress`, or that the wait was aborted.
    void pause(const Failure& inProgress) {
        const auto end = engine::Clock::now() + pause_;
        while (engine::Clock::now() < end && limits_.exceeded() == nullptr) ::Sleep(10);
        const char* const reason = limits_.exceeded();
        if (reason == code::kAborted)
            throw Failure(reason, Phase::prepare, "aborted while another shadow was being created");
        if (reason != nullptr) throw Failure(inProgress);
        pause_ = std::min(pause_ * 2, kLongestBackOff);
    }

private:
    const Limits& limits_;
    milliseconds pause_ = kFirstBackOff;
};

bool isNotFound(HRESULT result) {
    return static_cast<std::uint32_t>(result) == result::kObjectNotFound;
}

}  // namespace

Requester::Requester(RequesterOptions options) : options_(std::move(options)) {}

bool Requester::hasAttribute(std::uint32_t attribute) const noexcept {
    return (options_.context & attribute) != 0;
}

bool Requester::hasWriters() const noexcept {
    return !hasAttribute(VSS_VOLSNAP_ATTR_NO_WRITERS);
}

bool Requester::isTransportable() const noexcept {
    return hasAttribute(VSS_VOLSNAP_ATTR_TRANSPORTABLE);
}

bool Requester::isVolatile() const noexcept {
    return !hasAttribute(VSS_VOLSNAP_ATTR_PERSISTENT) && !isTransportable();
}

void Requester::begin(const Limits& limits) {
    nameVolumes();
    initialise(limits);
}

void Requester::initialise(const Limits& limits) {
    report_ = {};
    components_ = createBackupComponents();
    require([&] { return components_->InitializeForBackup(nullptr); }, "IVssBackupComponents::InitializeForBackup",
            Phase::open);
    if (options_.context != VSS_CTX_BACKUP)
        require([&] { return components_->SetContext(static_cast<LONG>(options_.context)); },
                "IVssBackupComponents::SetContext", Phase::open);
    requireSupported();
    report_.warnings = ComApartment::warnings();
    for (const std::string& volume : volumes_)
        for (Warning& warning : checkShadowStorage(volume)) report_.warnings.push_back(std::move(warning));
    if (!hasWriters()) return;

    require(
        [&] {
            return components_->SetBackupState(options_.componentMode, options_.bootableSystemState,
                                               static_cast<VSS_BACKUP_TYPE>(options_.backupType), false);
        },
        "IVssBackupComponents::SetBackupState", Phase::open);
    const WriterRules rules = writerRules();
    std::vector<Writer> disabled = disableWriters(rules, limits);
    report_.writers = gatherWriters(*components_.Get(), limits, Phase::open);
    selectWriters(rules);
    std::ranges::move(disabled, std::back_inserter(report_.writers));
    for (const std::string& name : unknownExclusions(report_.writers, rules))
        report_.warnings.push_back({warning_code::kWriterUnknown,
                                    "no writer or component is named \"" + name + "\", so it could not be excluded",
                                    name});
    if (const auto unmet = unmetVerify(report_.writers, rules); !unmet.empty())
        throw Failure(code::kVssWriterMissing, Phase::open, "does not take part", unmet.front());
}

void Requester::nameVolumes() {
    for (const std::string& volume : options_.volumes) {
        const std::string name = volumeNameOf(volume, Phase::open);
        const auto known = std::ranges::find(volumes_, name);
        indexOfVolume_.push_back(static_cast<std::size_t>(known - volumes_.begin()));
        if (known == volumes_.end()) volumes_.push_back(name);
    }
}

void Requester::requireSupported() {
    for (const std::string& volume : volumes_) {
        std::wstring name = toUtf16(volume);
        BOOL supported = FALSE;
        require([&] { return components_->IsVolumeSupported(vssId(options_.providerId), name.data(), &supported); },
                "IVssBackupComponents::IsVolumeSupported", Phase::open, volume);
        if (supported != FALSE) continue;
        const bool chosen = options_.providerId != Guid{};
        throw comFailure(
            static_cast<HRESULT>(chosen ? result::kVolumeNotSupportedByProvider : result::kVolumeNotSupported),
            "IVssBackupComponents::IsVolumeSupported", Phase::open, volume);
    }
}

WriterRules Requester::writerRules() const {
    WriterRules rules;
    rules.exclude = options_.excludeWriters;
    rules.verify = options_.verifyWriters;
    rules.excludeDomino = options_.excludeDomino;
    rules.componentMode = options_.componentMode;
    rules.inSet = [this](const std::string& path) {
        if (path.empty()) return true;
        try {
            return std::ranges::count(volumes_, volumeNameOf(path, Phase::open)) > 0;
        } catch (const Failure&) {
            return false;  // a path on no volume of this machine is not in the set
        }
    };
    return rules;
}

std::vector<Writer> Requester::disableWriters(const WriterRules& rules, const Limits& limits) {
    if (options_.onlyThawSignal) {
        const VSS_ID own = vssId(ThawSignal::kClassId);
        require([&] { return components_->EnableWriterClasses(&own, 1); }, "IVssBackupComponents::EnableWriterClasses",
                Phase::open);
        return {};
    }
    if (const auto components = componentExclusions(rules); !rules.componentMode && !components.empty())
        throw Failure(code::kUnsupported, Phase::open, "components can be excluded in component mode only",
                      components.front());
    if (rules.exclude.empty() && !rules.excludeDomino) return {};

    // Writers are known only after their metadata was gathered, which is too late to exclude them. So another object
    // looks them up first.
    std::vector<Writer> writers;
    {
        const ComPtr<IVssBackupComponents> lookUp = createBackupComponents();
        require([&] { return lookUp->InitializeForBackup(nullptr); }, "IVssBackupComponents::InitializeForBackup",
                Phase::open);
        writers = gatherWriters(*lookUp.Get(), limits, Phase::open);
    }
    excludeWriters(writers, rules);
    std::vector<VSS_ID> classes;
    std::vector<VSS_ID> instances;
    for (const Writer& writer : writers) {
        if (writer.exclusion == Exclusion::none) continue;
        const bool whole = std::ranges::none_of(
            writers, [&](const Writer& other) { return other.id == writer.id && other.exclusion == Exclusion::none; });
        // By class if that is equivalent: an instance gets a new id if its service restarts meanwhile.
        (whole ? classes : instances).push_back(vssId(whole ? writer.id : writer.instanceId));
    }
    if (!classes.empty())
        require([&] { return components_->DisableWriterClasses(classes.data(), static_cast<UINT>(classes.size())); },
                "IVssBackupComponents::DisableWriterClasses", Phase::open);
    if (!instances.empty())
        require(
            [&] { return components_->DisableWriterInstances(instances.data(), static_cast<UINT>(instances.size())); },
            "IVssBackupComponents::DisableWriterInstances", Phase::open);
    std::erase_if(writers, [](const Writer& writer) { return writer.exclusion == Exclusion::none; });
    return writers;
}

void Requester::selectWriters(const WriterRules& rules) {
    // In plain mode, a writer that appeared since the look-up takes part and can no longer be excluded.
    excludeWriters(report_.writers, rules);
    for (const Writer& writer : report_.writers)
        if (writer.exclusion != Exclusion::none && !rules.componentMode)
            throw Failure(code::kVssWriter, Phase::open, "appeared too late to be excluded; try again", writer.name);
    if (!rules.componentMode) return;
    selectComponents(report_.writers, rules);
    for (const Writer& writer : report_.writers)
        for (const std::size_t index : writer.added) {
            const WriterComponent& component = writer.metadata->components[index];
            require(
                [&] {
                    return components_->AddComponent(
                        vssId(writer.instanceId), vssId(writer.id), static_cast<VSS_COMPONENT_TYPE>(component.type),
                        toUtf16(component.logicalPath).c_str(), toUtf16(component.name).c_str());
                },
                "IVssBackupComponents::AddComponent", Phase::open, writer.name + ":" + component.fullPath());
        }
}

void Requester::openSet(const Limits& limits) {
    // Only one set can be created at a time on a machine, or in a cluster on all of its machines.
    for (BackOff backOff(limits);;) {
        try {
            startSet();
            addVolumes();
            break;
        } catch (const Failure& failure) {
            if (failure.status != result::kSnapshotSetInProgress) throw;
            if (setStarted_) {
                // Meanwhile, an open set would block other requesters; and an object cannot start a second set.
                abortWhereDue();
                letGo();
            }
            backOff.pause(failure);
        }
        if (!components_) initialise(limits);
    }
    if (!hasWriters()) return;
    prepared_ = true;
    AsyncOperation preparing("IVssBackupComponents::PrepareForBackup", Phase::prepare);
    CurrentCall::note("IVssBackupComponents::PrepareForBackup", setName_);
    require(components_->PrepareForBackup(preparing.put()), "IVssBackupComponents::PrepareForBackup", Phase::prepare);
    preparing.await(limits);
    requireWriters("IVssBackupComponents::PrepareForBackup", Phase::prepare, limits);
}

void Requester::startSet() {
    VSS_ID id{};
    require([&] { return components_->StartSnapshotSet(&id); }, "IVssBackupComponents::StartSnapshotSet",
            Phase::prepare);
    setStarted_ = true;
    report_.setId = guidOf(id);
    setName_ = formatGuid(report_.setId);
}

void Requester::addVolumes() {
    std::vector<Guid> ids;
    for (const std::string& volume : volumes_) {
        std::wstring name = toUtf16(volume);
        VSS_ID id{};
        require([&] { return components_->AddToSnapshotSet(name.data(), vssId(options_.providerId), &id); },
                "IVssBackupComponents::AddToSnapshotSet", Phase::prepare, volume);
        ids.push_back(guidOf(id));
    }
    for (const std::size_t index : indexOfVolume_) report_.shadowIds.push_back(ids[index]);
}

void Requester::create(const engine::CaptureWindow& window) {
    commit_.emplace("IVssBackupComponents::DoSnapshotSet", Phase::shadow);
    CurrentCall::note("IVssBackupComponents::DoSnapshotSet", setName_);
    require(components_->DoSnapshotSet(commit_->put()), "IVssBackupComponents::DoSnapshotSet", Phase::shadow);
    commit_->await(window, options_.cancelPatience);
    committed_ = true;
}

void Requester::inspect(const Limits& limits) {
    if (hasWriters()) requireWriters("IVssBackupComponents::DoSnapshotSet", Phase::shadow, limits);
    // Until a transportable shadow is imported, only its document describes it.
    if (!isTransportable())
        for (const Guid& id : report_.shadowIds) report_.shadows.push_back(shadowProperties(*components_.Get(), id));
    Bstr document;
    CurrentCall::note("IVssBackupComponents::SaveAsXML");
    const HRESULT saved = components_->SaveAsXML(document.put());
    if (hasWriters() || isTransportable()) require(saved, "IVssBackupComponents::SaveAsXML", Phase::shadow);
    if (SUCCEEDED(saved)) report_.componentsDocument = std::make_shared<const std::string>(document.utf8());
}

void Requester::requireWriters(const char* operation, Phase phase, const Limits& limits) {
    // The result of the operation does not show the failures of writers.
    gatherWriterStatus(*components_.Get(), report_.writers, limits, phase);
    const WriterRules rules = writerRules();
    for (const Writer& writer : report_.writers) {
        const bool takesPart =
            writer.exclusion == Exclusion::none && (!options_.componentMode || !writer.added.empty());
        if (!takesPart || !writer.failed()) continue;
        // A service may have ended. A writer that the backup does not depend on must not fail it.
        if (writer.vanished && !isCountedOn(writer, rules))
            warnOnce({warning_code::kWriterVanished,
                      writer.name + " has vanished since the backup began; its service has probably stopped",
                      writer.name});
        else if (writer.failure == result::kWriterStatusNotAvailable)
            warnOnce({warning_code::kWriterStateUnknown, writer.name + " has too many sessions to report its state",
                      writer.name});
        else
            throw writerFailure(writer, operation, phase);
    }
}

void Requester::warnOnce(Warning warning) {
    if (std::ranges::count(report_.warnings, warning.message, &Warning::message) == 0)
        report_.warnings.push_back(std::move(warning));
}

void Requester::complete(const std::vector<std::string>& deletedShadows, const Limits& limits) {
    completing_ = true;
    const auto isDeleted = [&](const Guid& id) { return std::ranges::count(deletedShadows, formatGuid(id)) > 0; };
    allDeleted_ = std::ranges::all_of(report_.shadowIds, isDeleted);
    if (!isTransportable())
        for (std::size_t i = 0; i < report_.shadowIds.size(); ++i) {
            if (isDeleted(report_.shadowIds[i])) continue;
            VSS_SNAPSHOT_PROP property{};
            CurrentCall::note("IVssBackupComponents::GetSnapshotProperties", options_.volumes[i]);
            const HRESULT result = components_->GetSnapshotProperties(vssId(report_.shadowIds[i]), &property);
            if (isNotFound(result)) {
                Failure failure =
                    comFailure(result, "IVssBackupComponents::GetSnapshotProperties", Phase::end, options_.volumes[i]);
                failure.code = code::kShadowVanished;
                failure.text = "the shadow vanished while it was in use";
                throw Failure(failure);
            }
            require(result, "IVssBackupComponents::GetSnapshotProperties", Phase::end, options_.volumes[i]);
            static_cast<void>(takeProperties(property));
        }
    if (!hasWriters()) {
        completed_ = true;
        return;
    }
    for (const Writer& writer : report_.writers)
        for (const std::size_t index : writer.added) {
            const WriterComponent& component = writer.metadata->components[index];
            require(
                [&] {
                    return components_->SetBackupSucceeded(
                        vssId(writer.instanceId), vssId(writer.id), static_cast<VSS_COMPONENT_TYPE>(component.type),
                        toUtf16(component.logicalPath).c_str(), toUtf16(component.name).c_str(), true);
                },
                "IVssBackupComponents::SetBackupSucceeded", Phase::end, writer.name + ":" + component.fullPath());
        }
    AsyncOperation completing("IVssBackupComponents::BackupComplete", Phase::end);
    CurrentCall::note("IVssBackupComponents::BackupComplete", setName_);
    require(components_->BackupComplete(completing.put()), "IVssBackupComponents::BackupComplete", Phase::end);
    completing.await(limits);
    completed_ = true;
    requireWriters("IVssBackupComponents::BackupComplete", Phase::end, limits);
}

void Requester::abortWhereDue() {
    if (!components_) return;
    const bool setIsOpen = setStarted_ && !committed_;
    const bool writersWait = prepared_ && !completed_ && !(committed_ && leftUntold_);
    if (!setIsOpen && !writersWait) return;
    CurrentCall::note("IVssBackupComponents::AbortBackup", setName_);
    const HRESULT result = components_->AbortBackup();
    setStarted_ = prepared_ = false;
    if (FAILED(result))
        report_.warnings.push_back(
            {warning_code::kAbortFailed, "AbortBackup: " + comFailure(result, "", Phase::end).text, {}});
}

void Requester::letGo() {
    CurrentCall::note("IVssBackupComponents::Release", setName_);
    components_.Reset();
}

void Requester::remove() {
    const bool expected = committed_ && (completed_ || !hasWriters()) && !allDeleted_;
    abortWhereDue();
    if (!commit_) {
        letGo();
        return;
    }
    takePlacesAway();
    // Also after a cancelled or failed operation, which may still have created shadows. First with our own object: only
    // that is sure to see non-persistent shadows.
    HRESULT deleted = E_ABORT;
    if (components_) {
        LONG count = 0;
        VSS_ID notDeleted{};
        CurrentCall::note("IVssBackupComponents::DeleteSnapshots", setName_);
        deleted =
            components_->DeleteSnapshots(vssId(report_.setId), VSS_OBJECT_SNAPSHOT_SET, TRUE, &count, &notDeleted);
    }
    if (isNotFound(deleted) && expected && !isTransportable())
        report_.warnings.push_back(
            {warning_code::kShadowVanished, "the shadow was gone before it was deleted", formatGuid(report_.setId)});
    if (FAILED(deleted) && !isNotFound(deleted)) deleteByAnotherObject();
    // Cancelled and abandoned, but still running. A volatile shadow that it creates vanishes with the object.
    if (commit_->runs() && !isVolatile())
        throw Failure(code::kShadow, Phase::end,
                      "DoSnapshotSet was cancelled and has not ended: its shadow may still appear",
                      formatGuid(report_.setId));
    commit_.reset();
    letGo();
    // VSS does not know a transportable set until it is imported.
    if (isTransportable() && committed_ && isNotFound(deleted) && !allDeleted_)
        throw Failure(code::kShadow, Phase::end,
                      "the set is transportable and cannot be deleted before it is imported; it may still be there",
                      formatGuid(report_.setId));
}

void Requester::takePlacesAway() {
    if (!committed_ || !hasAttribute(VSS_VOLSNAP_ATTR_PERSISTENT) || isTransportable()) return;
    try {
        for (const Failure& failure : unexposeSet(report_.setId))
            report_.warnings.push_back({warning_code::kExposureLeft,
                                        failure.subject + " still exposes the shadow: " + failure.text,
                                        failure.subject});
    } catch (const Failure& failure) {
        report_.warnings.push_back(
            {warning_code::kExposureLeft, "it is not known whether the shadow is exposed: " + failure.text, {}});
    }
}

void Requester::deleteByAnotherObject() {
    try {
        const Deletion deletion = deleteShadows(report_.setId, DeletionKind::set, true);
        if (deletion.failure) throw Failure(*deletion.failure);
    } catch (const Failure& failure) {
        if (!isVolatile()) throw;
        report_.warnings.push_back(
            {warning_code::kShadowNotDeleted,
             "DeleteSnapshots: " + failure.text + "; the shadow will be removed when the backup ends",
             formatGuid(report_.setId)});
    }
}

void Requester::keep() {
    // A good shadow is not aborted only because writers are not told of it: many of them would treat that as an error.
    if (completing_) abortWhereDue();
    commit_.reset();
    letGo();
}

}  // namespace domino_vss::vss
