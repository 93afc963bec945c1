// Restore with writers.

#include "accounting.h"
#include "call.h"
#include "session.h"

namespace vss_simulator {

HRESULT Session::SetRestoreState(VSS_RESTORE_TYPE type) {
    return call("IVssBackupComponents::SetRestoreState", [&]() -> HRESULT {
        if (type <= VSS_RTYPE_UNDEFINED || type > VSS_RTYPE_OTHER) return E_INVALIDARG;
        const Lock lock = enterRestore();
        restoreType_ = type;
        return S_OK;
    });
}

HRESULT Session::SetSelectedForRestore(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                       bool selected) {
    return call("IVssBackupComponents::SetSelectedForRestore", [&]() -> HRESULT {
        if (name == nullptr) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.selectedForRestore = selected; });
    });
}

HRESULT Session::SetSelectedForRestoreEx(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                         bool selected, VSS_ID instance) {
    return call("IVssBackupComponentsEx::SetSelectedForRestoreEx", [&]() -> HRESULT {
        if (name == nullptr) return E_INVALIDARG;
        const Lock lock = enterRestore();
        if (selected && !IsEqualGUID(instance, GUID_NULL)) restoreInstances_[guidText(writer)] = instance;
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.selectedForRestore = selected; });
    });
}

HRESULT Session::SetRestoreOptions(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                   LPCWSTR options) {
    return call("IVssBackupComponents::SetRestoreOptions", [&]() -> HRESULT {
        if (name == nullptr || options == nullptr) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.restoreOptions = utf8(options); });
    });
}

HRESULT Session::SetAdditionalRestores(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                       bool additional) {
    return call("IVssBackupComponents::SetAdditionalRestores", [&]() -> HRESULT {
        if (name == nullptr) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.additionalRestores = additional; });
    });
}

HRESULT Session::AddAlternativeLocationMapping(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath,
                                               LPCWSTR name, LPCWSTR path, LPCWSTR fileSpec, bool recursive,
                                               LPCWSTR destination) {
    return call("IVssBackupComponents::AddAlternativeLocationMapping", [&]() -> HRESULT {
        if (!name || !path || !fileSpec || !destination) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name, [&](SelectedComponent& component) {
            component.alternateMappings.push_back({utf8(path), utf8(fileSpec), recursive, utf8(destination)});
        });
    });
}

HRESULT Session::AddRestoreSubcomponent(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                        LPCWSTR subLogicalPath, LPCWSTR subName, bool repair) {
    return call("IVssBackupComponents::AddRestoreSubcomponent", [&]() -> HRESULT {
        if (!name || !subName) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name, [&](SelectedComponent& component) {
            component.restoreSubcomponents.push_back({textOf(subLogicalPath), utf8(subName), repair});
        });
    });
}

HRESULT Session::SetFileRestoreStatus(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                      VSS_FILE_RESTORE_STATUS status) {
    return call("IVssBackupComponents::SetFileRestoreStatus", [&]() -> HRESULT {
        if (name == nullptr || status < VSS_RS_NONE || status > VSS_RS_FAILED) return E_INVALIDARG;
        const Lock lock = enterRestore();
        if (status == VSS_RS_NONE) count(Counter::RestoreStatusNone);
        if (status == VSS_RS_FAILED) count(Counter::RestoreStatusFailed);
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.fileRestoreStatus = status; });
    });
}

HRESULT Session::AddNewTarget(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR path,
                              LPCWSTR file, bool recursive, LPCWSTR alternatePath) {
    return call("IVssBackupComponents::AddNewTarget", [&]() -> HRESULT {
        if (!name || !path || !file || !alternatePath) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name, [&](SelectedComponent& component) {
            component.newTargets.push_back({utf8(path), utf8(file), recursive, utf8(alternatePath)});
        });
    });
}

HRESULT Session::SetRangesFilePath(VSS_ID, VSS_COMPONENT_TYPE, LPCWSTR, LPCWSTR name, UINT, LPCWSTR rangesFile) {
    return call("IVssBackupComponents::SetRangesFilePath", [&]() -> HRESULT {
        if (name == nullptr || rangesFile == nullptr) return E_INVALIDARG;
        const Lock lock = enterRestore();
        // No writer has partial files.
        return VSS_E_OBJECT_NOT_FOUND;
    });
}

HRESULT Session::SetAuthoritativeRestore(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                         bool authoritative) {
    return call("IVssBackupComponentsEx2::SetAuthoritativeRestore", [&]() -> HRESULT {
        if (name == nullptr) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.authoritative = authoritative; });
    });
}

HRESULT Session::SetRollForward(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                VSS_ROLLFORWARD_TYPE rollType, LPCWSTR point) {
    return call("IVssBackupComponentsEx2::SetRollForward", [&]() -> HRESULT {
        if (name == nullptr || rollType <= VSS_RF_UNDEFINED || rollType > VSS_RF_PARTIAL) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name, [&](SelectedComponent& component) {
            component.rollForward = rollType;
            component.rollForwardPoint = textOf(point);
        });
    });
}

HRESULT Session::SetRestoreName(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                                LPCWSTR restoreName) {
    return call("IVssBackupComponentsEx2::SetRestoreName", [&]() -> HRESULT {
        if (name == nullptr) return E_INVALIDARG;
        const Lock lock = enterRestore();
        return changeComponent(writer, type, logicalPath, name,
                               [&](SelectedComponent& component) { component.restoreName = textOf(restoreName); });
    });
}

/** A writer has a new instance id after each start: uses the one that the requester names, or one of the same class. */
void Session::route(WriterSelection& selection) const {
    const auto chosen = restoreInstances_.find(guidText(selection.classId));
    if (chosen != restoreInstances_.end()) selection.instanceId = chosen->second;
    const WriterRun* other = nullptr;
    for (const WriterRun& run : runs_) {
        if (!IsEqualGUID(run.writer.classId, selection.classId)) continue;
        if (IsEqualGUID(run.writer.instanceId, selection.instanceId)) return;
        if (other == nullptr) other = &run;
    }
    if (other != nullptr) selection.instanceId = other->writer.instanceId;
}

HRESULT Session::PreRestore(abi::IVssAsync** async) {
    return call("IVssBackupComponents::PreRestore", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enterRestore();
        if (isPreRestored_) return VSS_E_BAD_STATE;
        isPreRestored_ = true;
        return startOperation(async, "IVssBackupComponents::PreRestore", [this](Operation& operation) {
            identifyWriters(operation);
            for (WriterSelection& selection : document_->writers) route(selection);
            // Only writers with a component to restore are notified.
            for (WriterRun& run : runs_) {
                run.isLeftOut = true;
                for (const WriterSelection& selection : document_->writers) {
                    if (!IsEqualGUID(selection.instanceId, run.writer.instanceId)) continue;
                    for (const SelectedComponent& component : selection.components) {
                        if (component.selectedForRestore) run.isLeftOut = false;
                    }
                }
            }
            send(WriterEvent::PreRestore, operation);
            return S_OK;
        });
    });
}

HRESULT Session::PostRestore(abi::IVssAsync** async) {
    return call("IVssBackupComponents::PostRestore", [&]() -> HRESULT {
        if (async == nullptr) return E_INVALIDARG;
        *async = nullptr;
        const Lock lock = enterRestore();
        if (!isPreRestored_) return VSS_E_BAD_STATE;
        return startOperation(async, "IVssBackupComponents::PostRestore", [this](Operation& operation) {
            send(WriterEvent::PostRestore, operation);
            return S_OK;
        });
    });
}

}  // namespace vss_simulator
