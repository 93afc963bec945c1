// Writers and components of a backup.

#include <algorithm>

#include "call.h"
#include "session.h"
#include "settings.h"
#include "writer_metadata.h"

namespace vss_simulator {

HRESULT Session::SetBackupState(bool selectComponents, bool bootableState, VSS_BACKUP_TYPE type, bool partialFiles) {
    return call("IVssBackupComponents::SetBackupState", [&]() -> HRESULT {
        if (type <= VSS_BT_UNDEFINED || type > VSS_BT_OTHER) return E_INVALIDARG;
        const Lock lock = enter();
        if (isRestore_) {
            // The documentation forbids this, but requesters that share their set-up between backup and restore do it.
            if (settings().flag("no_backup_state_in_restore", false) || phase_ != Phase::Initialised) {
                return VSS_E_BAD_STATE;
            }
            count(Counter::LenientBackupStateInRestore);
            return S_OK;
        }
        requirePhase({Phase::Initialised, Phase::SetOpen});
        document_->selectComponents = selectComponents;
        document_->bootableState = bootableState;
        document_->type = type;
        document_->partialFiles = partialFiles;
        isBackupStateSet_ = true;
        return S_OK;
    });
}

HRESULT Session::EnableWriterClasses(const VSS_ID* classes, UINT number) {
    return call("IVssBackupComponents::EnableWriterClasses", [&]() -> HRESULT {
        if (classes == nullptr || number == 0) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        if (isGathered_) return S_OK;  // without effect
        if (!enabledClasses_) enabledClasses_.emplace();
        enabledClasses_->insert(classes, classes + number);
        return S_OK;
    });
}

HRESULT Session::DisableWriterClasses(const VSS_ID* classes, UINT number) {
    return call("IVssBackupComponents::DisableWriterClasses", [&]() -> HRESULT {
        if (classes == nullptr || number == 0) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        if (isGathered_) return S_OK;  // without effect
        for (UINT i = 0; i < number; ++i) {
            disabledClasses_.insert(classes[i]);
            if (enabledClasses_) enabledClasses_->erase(classes[i]);
        }
        return S_OK;
    });
}

HRESULT Session::DisableWriterInstances(const VSS_ID* instances, UINT number) {
    return call("IVssBackupComponents::DisableWriterInstances", [&]() -> HRESULT {
        if (instances == nullptr || number == 0) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        if (!isGathered_) disabledInstances_.insert(instances, instances + number);
        return S_OK;
    });
}

bool Session::isEnabled(const WriterDescription& writer) const {
    if (disabledInstances_.contains(writer.instanceId)) return false;
    return enabledClasses_ ? enabledClasses_->contains(writer.classId) : !disabledClasses_.contains(writer.classId);
}

void Session::identifyWriters(Operation& operation) {
    if (isIdentified_) return;
    isIdentified_ = true;
    runs_.clear();
    for (WriterDescription& writer : machineWriters()) {
        if (isEnabled(writer)) {
            runs_.emplace_back();
            runs_.back().writer = std::move(writer);
        }
    }
    const auto isWanted = [&](const VSS_ID& classId, const VSS_ID& instanceId) {
        WriterDescription writer;
        writer.classId = classId;
        writer.instanceId = instanceId;
        return isEnabled(writer);
    };
    std::ranges::move(registeredWriters(isWanted), std::back_inserter(runs_));
    send(WriterEvent::Identify, operation);
    // For the requester, a writer that reports nothing does not exist; but the end of the session is sent to all that
    // were asked.
    for (const WriterRun& run : runs_) {
        if (run.registered) met_.push_back(run.registered);
    }
    std::erase_if(runs_, [](const WriterRun& run) { return run.isOut || run.isGone; });
}

SessionDetails Session::detailsFor(WriterEvent event) const {
    SessionDetails details;
    details.sessionId = guidFrom(id_);
    details.setId = setId_;
    details.context = context_;
    details.isRestore = isRestore_;
    details.restoreType = restoreType_;
    const bool isAfterPrepare = event >= WriterEvent::PrepareForSnapshot && event <= WriterEvent::Abort;
    if (!isAfterPrepare) return details;
    for (const Member& member : members_) details.volumes.push_back({member.volume.guidName, member.device});
    if (isAutoRecovered()) details.context |= VSS_VOLSNAP_ATTR_AUTORECOVER;
    return details;
}

void Session::send(WriterEvent event, Operation& operation) {
    deliver(event, runs_, operation);
    deliverToPrograms(event, runs_, detailsFor(event), *document_, operation);
}

void Session::sendLast(WriterEvent event) {
    deliverLast(event, runs_);
    deliverLastToPrograms(event, runs_, detailsFor(event), *document_);
}

HRESULT Session::GatherWriterMetadata(abi::IVssAsync** async) {
    return call("IVssBackupComponents::GatherWriterMetadata", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enterInitialised();
        if (phase_ != Phase::Initialised && phase_ != Phase::SetOpen) return VSS_E_BAD_STATE;
        if (isGathered_) return VSS_E_BAD_STATE;
        isGathered_ = true;
        return startOperation(async, "IVssBackupComponents::GatherWriterMetadata", [this](Operation& operation) {
            identifyWriters(operation);
            for (const WriterRun& run : runs_) metadata_.push_back(run.writer);
            hasMetadata_ = true;
            return S_OK;
        });
    });
}

HRESULT Session::GetWriterMetadataCount(UINT* number) {
    return call("IVssBackupComponents::GetWriterMetadataCount", [&]() -> HRESULT {
        if (number == nullptr) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        if (!hasMetadata_) return VSS_E_BAD_STATE;
        *number = static_cast<UINT>(metadata_.size());
        return S_OK;
    });
}

template <class Interface>
HRESULT Session::giveMetadata(UINT index, VSS_ID* instance, Interface** metadata) {
    if (instance == nullptr || metadata == nullptr) return E_INVALIDARG;
    *metadata = nullptr;
    const Lock lock = enterInitialised();
    if (!hasMetadata_) return VSS_E_BAD_STATE;
    if (index >= metadata_.size()) return VSS_E_OBJECT_NOT_FOUND;
    *instance = metadata_[index].instanceId;
    *metadata = makeWriterMetadata(metadata_[index]).detach();
    return S_OK;
}

HRESULT Session::GetWriterMetadata(UINT index, VSS_ID* instance, abi::IVssExamineWriterMetadata** metadata) {
    return call("IVssBackupComponents::GetWriterMetadata", [&] { return giveMetadata(index, instance, metadata); });
}

HRESULT Session::GetWriterMetadataEx(UINT index, VSS_ID* instance, abi::IVssExamineWriterMetadataEx** metadata) {
    return call("IVssBackupComponentsEx::GetWriterMetadataEx", [&] { return giveMetadata(index, instance, metadata); });
}

HRESULT Session::FreeWriterMetadata() {
    return call("IVssBackupComponents::FreeWriterMetadata", [&]() -> HRESULT {
        const Lock lock = enterInitialised();
        metadata_.clear();
        hasMetadata_ = false;
        return S_OK;
    });
}

HRESULT Session::AddComponent(VSS_ID instance, VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath,
                              LPCWSTR name) {
    return call("IVssBackupComponents::AddComponent", [&]() -> HRESULT {
        if (name == nullptr || (type != VSS_CT_DATABASE && type != VSS_CT_FILEGROUP)) return E_INVALIDARG;
        const Lock lock = enter();
        requirePhase({Phase::Initialised, Phase::SetOpen});
        if (!hasWriters()) return VSS_E_BAD_STATE;
        if (phase_ == Phase::SetOpen) {
            if (settings().flag("components_before_set", false)) return VSS_E_BAD_STATE;
            count(Counter::LenientAddComponentAfterStart);
        }
        if (isIdentified_) {
            const auto run = std::ranges::find_if(runs_, [&](const WriterRun& candidate) {
                return IsEqualGUID(candidate.writer.classId, writer) &&
                       IsEqualGUID(candidate.writer.instanceId, instance);
            });
            if (run == runs_.end()) return VSS_E_OBJECT_NOT_FOUND;
            const std::string path = logicalPath == nullptr ? "" : utf8(logicalPath);
            const bool isKnown = std::ranges::any_of(run->writer.components, [&](const WriterComponent& component) {
                return component.type == type && component.name == utf8(name) && component.logicalPath == path;
            });
            if (!isKnown) return VSS_E_OBJECT_NOT_FOUND;
        }
        if (document_->find(writer, type, logicalPath, name, &instance) != nullptr) return VSS_E_OBJECT_ALREADY_EXISTS;
        auto selection = std::ranges::find_if(document_->writers, [&](const WriterSelection& candidate) {
            return IsEqualGUID(candidate.instanceId, instance);
        });
        if (selection == document_->writers.end()) {
            selection = document_->writers.insert(selection, WriterSelection{writer, instance, {}});
        }
        SelectedComponent component;
        component.type = type;
        component.logicalPath = logicalPath == nullptr ? "" : utf8(logicalPath);
        component.name = utf8(name);
        selection->components.push_back(std::move(component));
        return S_OK;
    });
}

HRESULT Session::SetBackupSucceeded(VSS_ID instance, VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath,
                                    LPCWSTR name, bool succeeded) {
    return call("IVssBackupComponents::SetBackupSucceeded", [&]() -> HRESULT {
        if (name == nullptr) return E_INVALIDARG;
        const Lock lock = enter();
        requirePhase({Phase::Created});
        SelectedComponent* component = document_->find(writer, type, logicalPath, name, &instance);
        if (component == nullptr) return VSS_E_OBJECT_NOT_FOUND;
        component->backupSucceeded = succeeded;
        return S_OK;
    });
}

HRESULT Session::SetBackupOptions(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                  LPCWSTR options) {
    return call("IVssBackupComponents::SetBackupOptions", [&]() -> HRESULT {
        if (name == nullptr || options == nullptr) return E_INVALIDARG;
        const Lock lock = enter();
        requirePhase({Phase::Initialised, Phase::SetOpen});
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.backupOptions = utf8(options); });
    });
}

HRESULT Session::SetPreviousBackupStamp(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                        LPCWSTR stamp) {
    return call("IVssBackupComponents::SetPreviousBackupStamp", [&]() -> HRESULT {
        if (name == nullptr || stamp == nullptr) return E_INVALIDARG;
        const Lock lock = enter();
        requirePhase({Phase::Initialised, Phase::SetOpen});
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.previousBackupStamp = utf8(stamp); });
    });
}

void Session::selectParticipants() {
    if (!document_->selectComponents) return;
    for (WriterRun& run : runs_) {
        run.isLeftOut = std::ranges::none_of(document_->writers, [&](const WriterSelection& selection) {
            return IsEqualGUID(selection.classId, run.writer.classId) &&
                   IsEqualGUID(selection.instanceId, run.writer.instanceId);
        });
    }
}

HRESULT Session::PrepareForBackup(abi::IVssAsync** async) {
    return call("IVssBackupComponents::PrepareForBackup", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enter();
        requirePhase({Phase::SetOpen});
        if (!hasWriters() || !isBackupStateSet_) return VSS_E_BAD_STATE;
        if (!isGathered_) {
            if (settings().flag("gather_required", false)) return VSS_E_BAD_STATE;
            count(Counter::LenientNoGatherWriterMetadata);
        }
        phase_ = Phase::Prepared;
        return startOperation(
            async, "IVssBackupComponents::PrepareForBackup",
            [this](Operation& operation) {
                identifyWriters(operation);
                send(WriterEvent::PrepareForBackup, operation);
                selectParticipants();
                return S_OK;
            },
            [this] { phase_ = Phase::Failed; });
    });
}

HRESULT Session::AbortBackup() {
    return call("IVssBackupComponents::AbortBackup", [&]() -> HRESULT {
        if (settings().text("abort", "cancels") == "late" && isWorking()) return S_OK;
        cancelOperation();
        const Lock lock = enterInitialised();
        if (phase_ == Phase::Initialised || phase_ == Phase::Completed) return S_OK;  // nothing is in progress
        sendLast(WriterEvent::Abort);
        closeSet();
        phase_ = Phase::Aborted;
        return S_OK;
    });
}

HRESULT Session::BackupComplete(abi::IVssAsync** async) {
    return call("IVssBackupComponents::BackupComplete", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enter();
        requirePhase({Phase::Created});
        if (!hasWriters()) return VSS_E_BAD_STATE;
        phase_ = Phase::Completed;
        return startOperation(async, "IVssBackupComponents::BackupComplete", [this](Operation& operation) {
            send(WriterEvent::BackupComplete, operation);
            return S_OK;
        });
    });
}

HRESULT Session::GatherWriterStatus(abi::IVssAsync** async) {
    return call("IVssBackupComponents::GatherWriterStatus", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enterInitialised();
        return startOperation(async, "IVssBackupComponents::GatherWriterStatus", [this](Operation& operation) {
            identifyWriters(operation);
            refreshStates(runs_);
            status_ = runs_;
            std::erase_if(*status_, [](const WriterRun& run) { return run.isGone; });
            return S_OK;
        });
    });
}

HRESULT Session::GetWriterStatusCount(UINT* number) {
    return call("IVssBackupComponents::GetWriterStatusCount", [&]() -> HRESULT {
        if (number == nullptr) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        if (!status_) return VSS_E_BAD_STATE;
        *number = static_cast<UINT>(status_->size());
        return S_OK;
    });
}

const WriterRun& Session::statusAt(UINT index) const {
    if (!status_) throw Failure(VSS_E_BAD_STATE);
    if (index >= status_->size()) throw Failure(VSS_E_OBJECT_NOT_FOUND);
    return (*status_)[index];
}

HRESULT Session::giveStatus(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state,
                            HRESULT* failure) {
    if (!instance || !writer || !name || !state || !failure) return E_INVALIDARG;
    const Lock lock = enterInitialised();
    const WriterRun& run = statusAt(index);
    *instance = run.writer.instanceId;
    *writer = run.writer.classId;
    *state = run.state;
    *failure = run.failure;
    *name = newBstr(run.writer.name);
    return S_OK;
}

HRESULT Session::GetWriterStatus(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state,
                                 HRESULT* failure) {
    return call("IVssBackupComponents::GetWriterStatus",
                [&] { return giveStatus(index, instance, writer, name, state, failure); });
}

HRESULT Session::GetWriterStatusEx(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state,
                                   HRESULT* failure, HRESULT* application, BSTR* message) {
    return call("IVssBackupComponentsEx3::GetWriterStatusEx", [&]() -> HRESULT {
        const HRESULT result = giveStatus(index, instance, writer, name, state, failure);
        if (result != S_OK) return result;
        const Lock lock = enterInitialised();
        const WriterRun& run = statusAt(index);
        if (application != nullptr) *application = run.applicationFailure;
        if (message != nullptr) *message = run.applicationMessage.empty() ? nullptr : newBstr(run.applicationMessage);
        return S_OK;
    });
}

HRESULT Session::FreeWriterStatus() {
    return call("IVssBackupComponents::FreeWriterStatus", [&]() -> HRESULT {
        const Lock lock = enterInitialised();
        status_.reset();
        return S_OK;
    });
}

HRESULT Session::GetWriterComponentsCount(UINT* number) {
    return call("IVssBackupComponents::GetWriterComponentsCount", [&]() -> HRESULT {
        if (number == nullptr) return E_INVALIDARG;
        const Lock lock = enterInitialised();
        *number = static_cast<UINT>(document_->writers.size());
        return S_OK;
    });
}

HRESULT Session::GetWriterComponents(UINT index, abi::IVssWriterComponentsExt** writer) {
    return call("IVssBackupComponents::GetWriterComponents", [&]() -> HRESULT {
        if (writer == nullptr) return E_INVALIDARG;
        *writer = nullptr;
        const Lock lock = enterInitialised();
        if (index >= document_->writers.size()) return VSS_E_OBJECT_NOT_FOUND;
        *writer = makeWriterComponents(document_, index);
        return S_OK;
    });
}

}  // namespace vss_simulator
