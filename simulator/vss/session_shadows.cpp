// Shadows: creating, finding, exposing, deleting, breaking, importing, reverting.

#include <algorithm>

#include "call.h"
#include "capture.h"
#include "enumeration.h"
#include "session.h"
#include "settings.h"

namespace vss_simulator {

HRESULT Session::StartSnapshotSet(VSS_ID* set) {
    return call("IVssBackupComponents::StartSnapshotSet", [&]() -> HRESULT {
        if (set == nullptr) return E_INVALIDARG;
        *set = GUID_NULL;
        const Lock lock = enter();
        requirePhase({Phase::Initialised});
        if (static_cast<DWORD>(context_) == VSS_CTX_ALL) return VSS_E_BAD_STATE;
        creation_ = tryLockFile(stateDirectory() / L"creation.lock");
        if (!creation_.isOpen()) return VSS_E_SNAPSHOT_SET_IN_PROGRESS;
        setId_ = newGuid();
        *set = setId_;
        phase_ = Phase::SetOpen;
        return S_OK;
    });
}

HRESULT Session::IsVolumeSupported(VSS_ID provider, VSS_PWSZ volume, BOOL* supported) {
    return call("IVssBackupComponents::IsVolumeSupported", [&]() -> HRESULT {
        if (volume == nullptr || supported == nullptr) return E_INVALIDARG;
        *supported = FALSE;
        const Lock lock = enterInitialised();
        const auto found = findVolume(volume);
        if (!found) return VSS_E_OBJECT_NOT_FOUND;
        try {
            chooseProvider(*found, provider, context_);
            *supported = TRUE;
        } catch (const Failure& failure) {
            if (failure.result == VSS_E_PROVIDER_NOT_REGISTERED) throw;
        }
        return S_OK;
    });
}

HRESULT Session::AddToSnapshotSet(VSS_PWSZ volume, VSS_ID provider, VSS_ID* snapshot) {
    return call("IVssBackupComponents::AddToSnapshotSet", [&]() -> HRESULT {
        if (volume == nullptr || snapshot == nullptr) return E_INVALIDARG;
        *snapshot = GUID_NULL;
        const Lock lock = enter();
        requirePhase({Phase::SetOpen});
        const auto found = findVolume(volume);
        if (!found) return VSS_E_OBJECT_NOT_FOUND;
        Provider chosen = chooseProvider(*found, provider, context_);
        const auto isThis = [&](const Member& member) { return member.volume.guidName == found->guidName; };
        if (std::ranges::any_of(members_, isThis)) return VSS_E_OBJECT_ALREADY_EXISTS;
        if (static_cast<std::int64_t>(members_.size()) >= settings().number("max_volumes", 64)) {
            return VSS_E_MAXIMUM_NUMBER_OF_VOLUMES_REACHED;
        }
        std::int64_t all = 0;
        std::int64_t clientAccessible = 0;
        for (const Shadow& shadow : allShadows()) {
            if (shadow.volume != found->guidName) continue;
            ++all;
            if (shadow.attributes & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE) ++clientAccessible;
        }
        if (all >= found->number("max_shadows", 512) ||
            (context_ & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE &&
             clientAccessible >= found->number("max_client_accessible", 64))) {
            return VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED;
        }
        members_.push_back({*found, std::move(chosen), newGuid()});
        *snapshot = members_.back().snapshotId;
        return S_OK;
    });
}

HRESULT Session::DoSnapshotSet(abi::IVssAsync** async) {
    return call("IVssBackupComponents::DoSnapshotSet", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enter();
        requirePhase({hasWriters() ? Phase::Prepared : Phase::SetOpen});
        return startOperation(
            async, "IVssBackupComponents::DoSnapshotSet",
            [this](Operation& operation) {
                createShadows(operation);
                return S_OK;
            },
            [this] { undoCreation(); });
    });
}

void Session::createShadows(Operation& operation) {
    const auto tell = [&](WriterEvent event) {
        if (hasWriters()) send(event, operation);
    };
    for (const Member& member : members_) {
        if (member.volume.flag("insufficient_storage", false)) throw Failure(VSS_E_INSUFFICIENT_STORAGE);
    }
    tell(WriterEvent::PrepareForSnapshot);
    if (hasWriters()) failUncoveredWriters();
    passPhase("PrepareSnapshot", operation);
    tell(WriterEvent::Freeze);
    passPhase("PreCommit", operation);

    ownership_ = ownFile(sessionFile(id_));
    const bool isRecovered = isAutoRecovered();
    const bool isWritable = isRecovered && !settings().flag("recovery_read_only", false);
    std::vector<Shadow> shadows;
    std::vector<CaptureTarget> targets;
    for (Member& member : members_) {
        Shadow shadow;
        shadow.id = member.snapshotId;
        shadow.setId = setId_;
        shadow.setCount = static_cast<LONG>(members_.size());
        shadow.deviceNumber = newDeviceNumber();
        shadow.volume = member.volume.guidName;
        shadow.providerId = member.provider.id;
        shadow.attributes = context_;
        if (member.provider.isHardware()) shadow.attributes |= VSS_VOLSNAP_ATTR_HARDWARE_ASSISTED;
        if (!(context_ & VSS_VOLSNAP_ATTR_PLEX)) shadow.attributes |= VSS_VOLSNAP_ATTR_DIFFERENTIAL;
        shadow.owner = id_;
        if (isRecovered) shadow.attributes |= VSS_VOLSNAP_ATTR_AUTORECOVER;
        targets.push_back({member.volume, shadow.device(), isWritable});
        member.device = shadow.device();
        saveShadow(shadow);
        shadows.push_back(std::move(shadow));
    }
    const LONGLONG instant = capture(targets, operation);

    passPhase("PostCommit", operation);
    tell(WriterEvent::Thaw);
    tell(WriterEvent::PostSnapshot);
    passPhase("PostSnapshot", operation);
    if (isRecovered) {
        for (const Shadow& shadow : shadows) protectDevice(shadow);
    }

    document_->setId = setId_;
    document_->context = context_;
    for (Shadow& shadow : shadows) {
        shadow.createdFileTime = instant;
        // A transportable shadow belongs to the session that imports it.
        if (shadow.isPersistent() || !shadow.isSurfaced()) shadow.owner.clear();
        saveShadow(shadow);
        document_->snapshotIds.push_back(shadow.id);
    }
    for (WriterSelection& selection : document_->writers) {
        for (SelectedComponent& component : selection.components) component.backupStamp = guidText(setId_);
    }
    closeSet();
    phase_ = Phase::Created;
}

void Session::undoCreation() {
    sendLast(WriterEvent::Abort);
    for (const Shadow& shadow : allShadows()) {
        if (shadow.owner == id_ && IsEqualGUID(shadow.setId, setId_)) removeShadow(shadow);
    }
    closeSet();
    phase_ = Phase::Failed;
}

bool Session::isVisible(const Shadow& shadow) const {
    if (!shadow.isCreated() || !shadow.isSurfaced()) return false;
    return static_cast<DWORD>(context_) == VSS_CTX_ALL || settings().text("context_filter", "context") == "all" ||
           (shadow.attributes & kContextBits) == (context_ & kContextBits);
}

Shadow Session::visibleShadow(const VSS_ID& id) const {
    Shadow shadow = shadowById(id);
    if (!isVisible(shadow)) throw Failure(VSS_E_OBJECT_NOT_FOUND);
    return shadow;
}

HRESULT Session::GetSnapshotProperties(VSS_ID snapshot, VSS_SNAPSHOT_PROP* properties) {
    return call("IVssBackupComponents::GetSnapshotProperties", [&]() -> HRESULT {
        if (properties == nullptr) return E_INVALIDARG;
        *properties = {};
        const Lock lock = enterInitialised();
        fillSnapshotProperties(visibleShadow(snapshot), *properties);
        return S_OK;
    });
}

HRESULT Session::Query(VSS_ID queried, VSS_OBJECT_TYPE queriedType, VSS_OBJECT_TYPE returnedType,
                       abi::IVssEnumObject** objects) {
    return call("IVssBackupComponents::Query", [&]() -> HRESULT {
        if (objects == nullptr) return E_INVALIDARG;
        *objects = nullptr;
        if (!IsEqualGUID(queried, GUID_NULL) || queriedType != VSS_OBJECT_NONE) return E_INVALIDARG;
        if (returnedType != VSS_OBJECT_SNAPSHOT && returnedType != VSS_OBJECT_PROVIDER) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        std::vector<QueriedObject> found;
        if (returnedType == VSS_OBJECT_PROVIDER) {
            for (Provider& provider : providers()) found.emplace_back(std::move(provider));
        } else {
            for (Shadow& shadow : allShadows()) {
                if (isVisible(shadow)) found.emplace_back(std::move(shadow));
            }
        }
        const HRESULT result = found.empty() ? S_FALSE : S_OK;
        *objects = makeEnumeration(std::move(found)).detach();
        return result;
    });
}

HRESULT Session::DeleteSnapshots(VSS_ID source, VSS_OBJECT_TYPE type, BOOL, LONG* deleted, VSS_ID* notDeleted) {
    return call("IVssBackupComponents::DeleteSnapshots", [&]() -> HRESULT {
        if (deleted == nullptr || notDeleted == nullptr) return E_INVALIDARG;
        *deleted = 0;
        *notDeleted = GUID_NULL;
        if (type != VSS_OBJECT_SNAPSHOT && type != VSS_OBJECT_SNAPSHOT_SET) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        std::vector<Shadow> wanted;
        for (const Shadow& shadow : allShadows()) {
            const VSS_ID& id = type == VSS_OBJECT_SNAPSHOT ? shadow.id : shadow.setId;
            if (IsEqualGUID(id, source) && isVisible(shadow)) wanted.push_back(shadow);
        }
        if (wanted.empty()) {
            *notDeleted = source;
            return VSS_E_OBJECT_NOT_FOUND;
        }
        for (const Shadow& shadow : wanted) {
            const auto volume = findVolume(shadow.volume);
            const auto failure = volume ? static_cast<HRESULT>(volume->number("delete_fails", 0)) : S_OK;
            if (failure != S_OK) {
                *notDeleted = shadow.id;
                return failure;
            }
            removeShadow(shadow);
            ++*deleted;
        }
        return S_OK;
    });
}

namespace {

/** The rules of NetShareAdd. */
bool isShareName(std::wstring_view name) {
    constexpr std::size_t kLongest = 80;
    constexpr std::wstring_view kForbidden = L"\"/\\[]:|<>+=;,?*";
    const auto isForbidden = [&](wchar_t c) { return c < L' ' || kForbidden.find(c) != kForbidden.npos; };
    return !name.empty() && name.size() <= kLongest && std::ranges::none_of(name, isForbidden);
}

}  // namespace

HRESULT Session::ExposeSnapshot(VSS_ID snapshot, VSS_PWSZ pathFromRoot, LONG attributes, VSS_PWSZ expose,
                                VSS_PWSZ* exposed) {
    return call("IVssBackupComponents::ExposeSnapshot", [&]() -> HRESULT {
        if (exposed == nullptr) return E_INVALIDARG;
        *exposed = nullptr;
        const bool isLocal = attributes == VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY;
        if (!isLocal && attributes != VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY) return E_INVALIDARG;
        if (isLocal && (pathFromRoot != nullptr || expose == nullptr)) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        Shadow shadow = visibleShadow(snapshot);
        const bool isRefused = shadow.attributes & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE &&
                               !settings().flag("expose_client_accessible", false);
        if (!shadow.isPersistent() || isRefused || shadow.attributes & kExposedBits) return E_INVALIDARG;
        if (isLocal) {
            shadow.exposedName = expose;
            exposeLocally(shadow, shadow.exposedName);
        } else {
            // There is no file server; the share is only a name.
            if (expose != nullptr && !isShareName(expose)) return E_INVALIDARG;
            shadow.exposedName = expose != nullptr ? expose : L"Shadow" + std::to_wstring(shadow.deviceNumber);
            if (pathFromRoot != nullptr) shadow.exposedPath = pathFromRoot;
        }
        shadow.attributes |= attributes;
        saveShadow(shadow);
        *exposed = newTaskString(shadow.exposedName);
        return S_OK;
    });
}

HRESULT Session::UnexposeSnapshot(VSS_ID snapshot) {
    return call("IVssBackupComponentsEx2::UnexposeSnapshot", [&]() -> HRESULT {
        const Lock lock = enterInitialised();
        Shadow shadow = visibleShadow(snapshot);
        if (!(shadow.attributes & kExposedBits)) return VSS_E_OBJECT_NOT_FOUND;
        if (shadow.attributes & VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY) unexposeLocally(shadow.exposedName);
        shadow.attributes &= ~kExposedBits;
        shadow.exposedName.clear();
        shadow.exposedPath.clear();
        saveShadow(shadow);
        return S_OK;
    });
}

std::vector<Shadow> Session::setToBreak(const VSS_ID& set) const {
    std::vector<Shadow> shadows;
    for (const Shadow& shadow : allShadows()) {
        if (IsEqualGUID(shadow.setId, set) && isVisible(shadow)) shadows.push_back(shadow);
    }
    if (shadows.empty()) throw Failure(VSS_E_OBJECT_NOT_FOUND);
    return shadows;
}

namespace {

/** A software provider cannot break a shadow set. */
void breakSet(const std::vector<Shadow>& shadows, DWORD flags) {
    for (const Shadow& shadow : shadows) {
        if (!(shadow.attributes & VSS_VOLSNAP_ATTR_HARDWARE_ASSISTED)) throw Failure(VSS_E_PROVIDER_VETO);
    }
    for (const Shadow& shadow : shadows) {
        if (flags & VSS_BREAKEX_FLAG_MAKE_READ_WRITE) openDevice(shadow);
        if (flags & VSS_BREAKEX_FLAG_MASK_LUNS) hideDevice(shadow);
        forgetShadow(shadow);
    }
}

}  // namespace

HRESULT Session::BreakSnapshotSet(VSS_ID set) {
    return call("IVssBackupComponents::BreakSnapshotSet", [&]() -> HRESULT {
        const Lock lock = enterInitialised();
        breakSet(setToBreak(set), 0);
        return S_OK;
    });
}

HRESULT Session::BreakSnapshotSetEx(VSS_ID set, DWORD flags, abi::IVssAsync** async) {
    return call("IVssBackupComponentsEx2::BreakSnapshotSetEx", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        constexpr DWORD kAll = VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL;
        constexpr DWORD kNone = VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE;
        constexpr DWORD kKnown = VSS_BREAKEX_FLAG_MASK_LUNS | VSS_BREAKEX_FLAG_MAKE_READ_WRITE | kAll | kNone;
        if (flags & ~kKnown || (flags & (kAll | kNone)) == (kAll | kNone)) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        return startOperation(async, "IVssBackupComponentsEx2::BreakSnapshotSetEx",
                              [shadows = setToBreak(set), flags](Operation&) {
                                  breakSet(shadows, flags);
                                  return S_OK;
                              });
    });
}

HRESULT Session::ImportSnapshots(abi::IVssAsync** async) {
    return call("IVssBackupComponents::ImportSnapshots", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enter();
        requirePhase({Phase::Initialised});
        return startOperation(async, "IVssBackupComponents::ImportSnapshots", [this](Operation&) -> HRESULT {
            std::size_t imported = 0;
            for (Shadow& shadow : allShadows()) {
                const auto isThis = [&](const VSS_ID& id) { return IsEqualGUID(id, shadow.id); };
                if (shadow.isSurfaced() || std::ranges::none_of(document_->snapshotIds, isThis)) continue;
                shadow.attributes |= VSS_VOLSNAP_ATTR_IMPORTED;
                if (!shadow.isPersistent()) {
                    if (!ownership_.isOpen()) ownership_ = ownFile(sessionFile(id_));
                    shadow.owner = id_;
                }
                saveShadow(shadow);
                ++imported;
            }
            if (imported == 0) return VSS_E_NO_SNAPSHOTS_IMPORTED;
            return imported < document_->snapshotIds.size() ? VSS_S_SOME_SNAPSHOTS_NOT_IMPORTED : S_OK;
        });
    });
}

namespace {

std::mutex revertMutex;

std::map<std::wstring, std::shared_ptr<Operation>>& reverts() {
    // never destroyed: a revert may run while the process ends
    static auto& operations = *std::make_unique<std::map<std::wstring, std::shared_ptr<Operation>>>().release();
    return operations;
}

bool isSystemVolume(const Volume& volume) {
    return volume.letter == settings().text("system_volume", "C") ||
           findVolume(stateDirectory().root_path().native()).value_or(Volume{}).guidName == volume.guidName;
}

}  // namespace

std::shared_ptr<Operation> runningRevert(const std::wstring& volume) {
    const std::scoped_lock lock(revertMutex);
    const auto found = reverts().find(volume);
    const bool isRunning = found != reverts().end() && found->second->status() == VSS_S_ASYNC_PENDING;
    return isRunning ? found->second : nullptr;
}

void startRevert(const Shadow& shadow, const Volume& volume) {
    const std::scoped_lock lock(revertMutex);
    reverts()[volume.guidName] = Operation::start(
        "IVssBackupComponents::RevertToSnapshot",
        [target = CaptureTarget{volume, shadow.device()}](Operation&) {
            revert(target);
            return S_OK;
        },
        [] {});
}

HRESULT Session::RevertToSnapshot(VSS_ID snapshot, BOOL forceDismount) {
    return call("IVssBackupComponents::RevertToSnapshot", [&]() -> HRESULT {
        const Lock lock = enterInitialised();
        if (!settings().flag("server", true)) return E_NOTIMPL;
        const Shadow shadow = visibleShadow(snapshot);
        if (!shadow.isPersistent()) return VSS_E_UNSUPPORTED_CONTEXT;
        const auto volume = findVolume(shadow.volume);
        if (!volume) return VSS_E_OBJECT_NOT_FOUND;
        if (isSystemVolume(*volume)) return VSS_E_VOLUME_IN_USE;
        if (volume->flag("in_use", false) && !forceDismount) return VSS_E_VOLUME_IN_USE;
        if (runningRevert(volume->guidName)) return VSS_E_REVERT_IN_PROGRESS;
        startRevert(shadow, *volume);
        return S_OK;
    });
}

HRESULT Session::QueryRevertStatus(VSS_PWSZ volume, abi::IVssAsync** async) {
    return call("IVssBackupComponents::QueryRevertStatus", [&]() -> HRESULT {
        if (volume == nullptr || async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enterInitialised();
        const auto found = findVolume(volume);
        auto running = found ? runningRevert(found->guidName) : nullptr;
        if (!running) return VSS_E_OBJECT_NOT_FOUND;
        *async = makeAsync(std::move(running), false).detach();
        return S_OK;
    });
}

HRESULT Session::AddSnapshotToRecoverySet(VSS_ID snapshot, DWORD, VSS_PWSZ destination) {
    return call("IVssBackupComponentsEx3::AddSnapshotToRecoverySet", [&]() -> HRESULT {
        const Lock lock = enterInitialised();
        // By its id alone, because a restore sets no context.
        const Shadow shadow = shadowById(snapshot);
        if (!shadow.isCreated() || !shadow.isSurfaced()) return VSS_E_OBJECT_NOT_FOUND;
        if (!(shadow.attributes & VSS_VOLSNAP_ATTR_HARDWARE_ASSISTED)) return VSS_E_LEGACY_PROVIDER;
        if (destination != nullptr && !findVolume(destination)) return VSS_E_OBJECT_NOT_FOUND;
        const auto volume = findVolume(destination != nullptr ? std::wstring(destination) : shadow.volume);
        if (!volume || isSystemVolume(*volume)) return VSS_E_VOLUME_NOT_SUPPORTED;
        recoverySet_.emplace_back(shadow, *volume);
        return S_OK;
    });
}

HRESULT Session::RecoverSet(DWORD, abi::IVssAsync** async) {
    return call("IVssBackupComponentsEx3::RecoverSet", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enterInitialised();
        if (recoverySet_.empty()) return VSS_E_BAD_STATE;
        return startOperation(async, "IVssBackupComponentsEx3::RecoverSet", [this](Operation&) {
            for (const auto& [shadow, volume] : recoverySet_) revert({volume, shadow.device()});
            return S_OK;
        });
    });
}

HRESULT Session::PreFastRecovery(VSS_ID, DWORD, abi::IVssAsync**) {
    return call("IVssBackupComponentsEx2::PreFastRecovery", []() -> HRESULT { return E_NOTIMPL; });
}

HRESULT Session::FastRecovery(VSS_ID, DWORD, abi::IVssAsync**) {
    return call("IVssBackupComponentsEx2::FastRecovery", []() -> HRESULT { return E_NOTIMPL; });
}

}  // namespace vss_simulator
