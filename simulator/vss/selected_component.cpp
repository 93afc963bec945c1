// IVssWriterComponentsExt and IVssComponent: the components of a writer in a Backup Components Document.

#include <cwchar>

#include "backup_document.h"
#include "call.h"
#include "text.h"
#include "writer_metadata.h"

namespace vss_simulator {

namespace {

bool isAny(LPCWSTR text) {
    return text != nullptr && *text != L'\0';
}

using Document = std::shared_ptr<BackupDocument>;

class ComponentObject final : public ComObject<abi::IVssComponentEx2, ObjectKind::Component> {
public:
    ComponentObject(Document document, std::size_t writer, std::size_t component, std::optional<WriterEvent> event)
        : document_(std::move(document)), writer_(writer), component_(component), event_(event) {}

    HRESULT STDMETHODCALLTYPE GetLogicalPath(BSTR* path) override {
        const HRESULT result = text("GetLogicalPath", path, &SelectedComponent::logicalPath);
        return result == S_FALSE ? S_OK : result;  // a top-level component has none
    }
    HRESULT STDMETHODCALLTYPE GetComponentType(VSS_COMPONENT_TYPE* type) override {
        return value("GetComponentType", type, &SelectedComponent::type);
    }
    HRESULT STDMETHODCALLTYPE GetComponentName(BSTR* name) override {
        return text("GetComponentName", name, &SelectedComponent::name);
    }
    HRESULT STDMETHODCALLTYPE GetBackupSucceeded(bool* succeeded) override {
        return value("GetBackupSucceeded", succeeded, &SelectedComponent::backupSucceeded);
    }
    HRESULT STDMETHODCALLTYPE GetAlternateLocationMappingCount(UINT* count) override {
        return number("GetAlternateLocationMappingCount", count, get().alternateMappings.size());
    }
    HRESULT STDMETHODCALLTYPE GetAlternateLocationMapping(UINT index, abi::IVssWMFiledesc** file) override {
        return fileAt("GetAlternateLocationMapping", get().alternateMappings, index, file);
    }
    HRESULT STDMETHODCALLTYPE SetBackupMetadata(LPCWSTR data) override {
        return setOnce("SetBackupMetadata", isInBackup(), &SelectedComponent::backupMetadata, data);
    }
    HRESULT STDMETHODCALLTYPE GetBackupMetadata(BSTR* data) override {
        return text("GetBackupMetadata", data, &SelectedComponent::backupMetadata);
    }
    HRESULT STDMETHODCALLTYPE AddPartialFile(LPCWSTR path, LPCWSTR name, LPCWSTR ranges, LPCWSTR metadata) override {
        return change("AddPartialFile", isInBackup(), [&](SelectedComponent& component) -> HRESULT {
            if (!isAny(path) || !isAny(name) || ranges == nullptr) return E_INVALIDARG;
            component.partialFiles.push_back({utf8(path), utf8(name), utf8(ranges), textOf(metadata)});
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetPartialFileCount(UINT* count) override {
        return number("GetPartialFileCount", count, get().partialFiles.size());
    }
    HRESULT STDMETHODCALLTYPE GetPartialFile(UINT index, BSTR* path, BSTR* name, BSTR* ranges,
                                             BSTR* metadata) override {
        return element("GetPartialFile", get().partialFiles, index, [&](const PartialFile& file) -> HRESULT {
            if (!path || !name || !ranges || !metadata) return E_INVALIDARG;
            *path = newBstr(file.path);
            *name = newBstr(file.name);
            *ranges = newBstr(file.ranges);
            *metadata = file.metadata.empty() ? nullptr : newBstr(file.metadata);
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE IsSelectedForRestore(bool* selected) override {
        return value("IsSelectedForRestore", selected, &SelectedComponent::selectedForRestore);
    }
    HRESULT STDMETHODCALLTYPE GetAdditionalRestores(bool* additional) override {
        return value("GetAdditionalRestores", additional, &SelectedComponent::additionalRestores);
    }
    HRESULT STDMETHODCALLTYPE GetNewTargetCount(UINT* count) override {
        return number("GetNewTargetCount", count, get().newTargets.size());
    }
    HRESULT STDMETHODCALLTYPE GetNewTarget(UINT index, abi::IVssWMFiledesc** file) override {
        return fileAt("GetNewTarget", get().newTargets, index, file);
    }
    HRESULT STDMETHODCALLTYPE AddDirectedTarget(LPCWSTR sourcePath, LPCWSTR sourceName, LPCWSTR sourceRanges,
                                                LPCWSTR path, LPCWSTR name, LPCWSTR ranges) override {
        return change("AddDirectedTarget", isInRestore(), [&](SelectedComponent& component) -> HRESULT {
            if (!isAny(sourcePath) || !isAny(sourceName) || !sourceRanges || !isAny(path) || !isAny(name) || !ranges) {
                return E_INVALIDARG;
            }
            component.directedTargets.push_back(
                {utf8(sourcePath), utf8(sourceName), utf8(sourceRanges), utf8(path), utf8(name), utf8(ranges)});
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetDirectedTargetCount(UINT* count) override {
        return number("GetDirectedTargetCount", count, get().directedTargets.size());
    }
    HRESULT STDMETHODCALLTYPE GetDirectedTarget(UINT index, BSTR* sourcePath, BSTR* sourceName, BSTR* sourceRanges,
                                                BSTR* path, BSTR* name, BSTR* ranges) override {
        return element("GetDirectedTarget", get().directedTargets, index, [&](const DirectedTarget& target) -> HRESULT {
            if (!sourcePath || !sourceName || !sourceRanges || !path || !name || !ranges) return E_INVALIDARG;
            *sourcePath = newBstr(target.sourcePath);
            *sourceName = newBstr(target.sourceName);
            *sourceRanges = newBstr(target.sourceRanges);
            *path = newBstr(target.path);
            *name = newBstr(target.name);
            *ranges = newBstr(target.ranges);
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE SetRestoreMetadata(LPCWSTR data) override {
        return setOnce("SetRestoreMetadata", event_ == WriterEvent::PreRestore, &SelectedComponent::restoreMetadata,
                       data);
    }
    HRESULT STDMETHODCALLTYPE GetRestoreMetadata(BSTR* data) override {
        return text("GetRestoreMetadata", data, &SelectedComponent::restoreMetadata);
    }
    HRESULT STDMETHODCALLTYPE SetRestoreTarget(VSS_RESTORE_TARGET target) override {
        return change("SetRestoreTarget", isInRestore(), [&](SelectedComponent& component) -> HRESULT {
            if (target <= VSS_RT_UNDEFINED || target > VSS_RT_ORIGINAL_LOCATION) return E_INVALIDARG;
            component.restoreTarget = target;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetRestoreTarget(VSS_RESTORE_TARGET* target) override {
        return value("GetRestoreTarget", target, &SelectedComponent::restoreTarget);
    }
    HRESULT STDMETHODCALLTYPE SetPreRestoreFailureMsg(LPCWSTR message) override {
        return set("SetPreRestoreFailureMsg", isInRestore(), &SelectedComponent::preRestoreFailure, message);
    }
    HRESULT STDMETHODCALLTYPE GetPreRestoreFailureMsg(BSTR* message) override {
        return text("GetPreRestoreFailureMsg", message, &SelectedComponent::preRestoreFailure);
    }
    HRESULT STDMETHODCALLTYPE SetPostRestoreFailureMsg(LPCWSTR message) override {
        return set("SetPostRestoreFailureMsg", isInRestore(), &SelectedComponent::postRestoreFailure, message);
    }
    HRESULT STDMETHODCALLTYPE GetPostRestoreFailureMsg(BSTR* message) override {
        return text("GetPostRestoreFailureMsg", message, &SelectedComponent::postRestoreFailure);
    }
    HRESULT STDMETHODCALLTYPE SetBackupStamp(LPCWSTR stamp) override {
        return set("SetBackupStamp", isInBackup(), &SelectedComponent::backupStamp, stamp);
    }
    HRESULT STDMETHODCALLTYPE GetBackupStamp(BSTR* stamp) override {
        return text("GetBackupStamp", stamp, &SelectedComponent::backupStamp);
    }
    HRESULT STDMETHODCALLTYPE GetPreviousBackupStamp(BSTR* stamp) override {
        return text("GetPreviousBackupStamp", stamp, &SelectedComponent::previousBackupStamp);
    }
    HRESULT STDMETHODCALLTYPE GetBackupOptions(BSTR* options) override {
        return text("GetBackupOptions", options, &SelectedComponent::backupOptions);
    }
    HRESULT STDMETHODCALLTYPE GetRestoreOptions(BSTR* options) override {
        return text("GetRestoreOptions", options, &SelectedComponent::restoreOptions);
    }
    HRESULT STDMETHODCALLTYPE GetRestoreSubcomponentCount(UINT* count) override {
        return number("GetRestoreSubcomponentCount", count, get().restoreSubcomponents.size());
    }
    HRESULT STDMETHODCALLTYPE GetRestoreSubcomponent(UINT index, BSTR* logicalPath, BSTR* name, bool* repair) override {
        return call("IVssComponent::GetRestoreSubcomponent", [&]() -> HRESULT {
            if (!logicalPath || !name || !repair) return E_INVALIDARG;
            if (index >= get().restoreSubcomponents.size()) return VSS_E_OBJECT_NOT_FOUND;
            const Subcomponent& sub = get().restoreSubcomponents[index];
            *logicalPath = newBstr(sub.logicalPath);
            *name = newBstr(sub.name);
            *repair = sub.repair;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetFileRestoreStatus(VSS_FILE_RESTORE_STATUS* status) override {
        return value("GetFileRestoreStatus", status, &SelectedComponent::fileRestoreStatus);
    }
    HRESULT STDMETHODCALLTYPE AddDifferencedFilesByLastModifyTime(LPCWSTR path, LPCWSTR fileSpec, BOOL recursive,
                                                                  FILETIME modified) override {
        const ULONGLONG time = (ULONGLONG{modified.dwHighDateTime} << 32) | modified.dwLowDateTime;
        return addDifferenced("AddDifferencedFilesByLastModifyTime", path, fileSpec, recursive, "", time);
    }
    HRESULT STDMETHODCALLTYPE AddDifferencedFilesByLastModifyLSN(LPCWSTR path, LPCWSTR fileSpec, BOOL recursive,
                                                                 BSTR lsn) override {
        return addDifferenced("AddDifferencedFilesByLastModifyLSN", path, fileSpec, recursive, textOf(lsn), 0);
    }
    HRESULT STDMETHODCALLTYPE GetDifferencedFilesCount(UINT* count) override {
        return number("GetDifferencedFilesCount", count, get().differencedFiles.size());
    }
    HRESULT STDMETHODCALLTYPE GetDifferencedFile(UINT index, BSTR* path, BSTR* fileSpec, BOOL* recursive, BSTR* lsn,
                                                 FILETIME* modified) override {
        return element("GetDifferencedFile", get().differencedFiles, index,
                       [&](const DifferencedFiles& files) -> HRESULT {
                           if (!path || !fileSpec || !recursive || !lsn || !modified) return E_INVALIDARG;
                           *path = newBstr(files.path);
                           *fileSpec = newBstr(files.fileSpec);
                           *recursive = files.recursive;
                           *lsn = files.lsn.empty() ? nullptr : newBstr(files.lsn);
                           modified->dwHighDateTime = static_cast<DWORD>(files.modified >> 32);
                           modified->dwLowDateTime = static_cast<DWORD>(files.modified);
                           return S_OK;
                       });
    }
    HRESULT STDMETHODCALLTYPE SetPrepareForBackupFailureMsg(LPCWSTR message) override {
        return set("SetPrepareForBackupFailureMsg", isInBackup(), &SelectedComponent::prepareForBackupFailure, message);
    }
    HRESULT STDMETHODCALLTYPE SetPostSnapshotFailureMsg(LPCWSTR message) override {
        return set("SetPostSnapshotFailureMsg", isInBackup(), &SelectedComponent::postSnapshotFailure, message);
    }
    HRESULT STDMETHODCALLTYPE GetPrepareForBackupFailureMsg(BSTR* message) override {
        return text("GetPrepareForBackupFailureMsg", message, &SelectedComponent::prepareForBackupFailure);
    }
    HRESULT STDMETHODCALLTYPE GetPostSnapshotFailureMsg(BSTR* message) override {
        return text("GetPostSnapshotFailureMsg", message, &SelectedComponent::postSnapshotFailure);
    }
    HRESULT STDMETHODCALLTYPE GetAuthoritativeRestore(bool* authoritative) override {
        return value("GetAuthoritativeRestore", authoritative, &SelectedComponent::authoritative);
    }
    HRESULT STDMETHODCALLTYPE GetRollForward(VSS_ROLLFORWARD_TYPE* type, BSTR* point) override {
        const HRESULT result = value("GetRollForward", type, &SelectedComponent::rollForward);
        return result == S_OK ? text("GetRollForward", point, &SelectedComponent::rollForwardPoint) : result;
    }
    HRESULT STDMETHODCALLTYPE GetRestoreName(BSTR* name) override {
        return text("GetRestoreName", name, &SelectedComponent::restoreName);
    }
    HRESULT STDMETHODCALLTYPE SetFailure(HRESULT failure, HRESULT application, LPCWSTR message, DWORD) override {
        return change("SetFailure", event_.has_value(), [&](SelectedComponent& component) -> HRESULT {
            if (failure != S_OK && !isWriterFailure(failure)) return E_INVALIDARG;
            component.failure = {failure, application, textOf(message)};
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetFailure(HRESULT* failure, HRESULT* application, BSTR* message,
                                         DWORD* reserved) override {
        return call("IVssComponentEx2::GetFailure", [&]() -> HRESULT {
            if (!failure || !application || !message) return E_INVALIDARG;
            *failure = get().failure.result;
            *application = get().failure.application;
            *message = get().failure.message.empty() ? nullptr : newBstr(get().failure.message);
            if (reserved != nullptr) *reserved = 0;
            return S_OK;
        });
    }

protected:
    bool answers(const GUID& id) const override {
        return IsEqualGUID(id, abi::kComponentId) || IsEqualGUID(id, abi::kComponentExId) ||
               IsEqualGUID(id, abi::kComponentEx2Id) || ComObject::answers(id);
    }

private:
    const SelectedComponent& get() const { return document_->writers[writer_].components[component_]; }

    static std::string method(std::string_view name) { return "IVssComponent::" + std::string(name); }

    HRESULT text(std::string_view name, BSTR* place, std::string SelectedComponent::*member) const {
        return call(method(name), [&]() -> HRESULT {
            if (place == nullptr) return E_INVALIDARG;
            *place = nullptr;
            if ((get().*member).empty()) return S_FALSE;
            *place = newBstr(get().*member);
            return S_OK;
        });
    }
    template <class T>
    HRESULT value(std::string_view name, T* place, T SelectedComponent::*member) const {
        return call(method(name), [&]() -> HRESULT {
            if (place == nullptr) return E_INVALIDARG;
            *place = get().*member;
            return S_OK;
        });
    }
    static HRESULT number(std::string_view name, UINT* place, std::size_t value) {
        return call(method(name), [&]() -> HRESULT {
            if (place == nullptr) return E_INVALIDARG;
            *place = static_cast<UINT>(value);
            return S_OK;
        });
    }
    static HRESULT fileAt(std::string_view name, const std::vector<FileSet>& files, UINT index,
                          abi::IVssWMFiledesc** place) {
        return call(method(name), [&]() -> HRESULT {
            if (place == nullptr) return E_INVALIDARG;
            *place = nullptr;
            if (index >= files.size()) return VSS_E_OBJECT_NOT_FOUND;
            *place = makeFiledesc(files[index]).detach();
            return S_OK;
        });
    }
    template <class List, class Give>
    static HRESULT element(std::string_view name, const List& list, UINT index, Give give) {
        return call(method(name),
                    [&]() -> HRESULT { return index < list.size() ? give(list[index]) : VSS_E_OBJECT_NOT_FOUND; });
    }

    bool isInBackup() const {
        return event_ && *event_ >= WriterEvent::PrepareForBackup && *event_ < WriterEvent::BackupComplete;
    }
    bool isInRestore() const { return event_ == WriterEvent::PreRestore || event_ == WriterEvent::PostRestore; }
    /** `isAllowed`: whether the caller is a writer during an event that permits the change. */
    template <class Body>
    HRESULT change(std::string_view name, bool isAllowed, Body body) {
        return call(method(name), [&]() -> HRESULT {
            if (!isAllowed) return VSS_E_BAD_STATE;
            return body(document_->writers[writer_].components[component_]);
        });
    }
    HRESULT set(std::string_view name, bool isAllowed, std::string SelectedComponent::*member, LPCWSTR value) {
        return change(name, isAllowed, [&](SelectedComponent& component) -> HRESULT {
            if (value == nullptr) return E_INVALIDARG;
            component.*member = utf8(value);
            return S_OK;
        });
    }
    HRESULT setOnce(std::string_view name, bool isAllowed, std::string SelectedComponent::*member, LPCWSTR value) {
        if (isAllowed && !(get().*member).empty()) {
            return call(method(name), []() -> HRESULT { return VSS_E_OBJECT_ALREADY_EXISTS; });
        }
        return set(name, isAllowed, member, value);
    }
    HRESULT addDifferenced(std::string_view name, LPCWSTR path, LPCWSTR fileSpec, BOOL recursive, std::string lsn,
                           ULONGLONG modified) {
        return change(name, isInBackup(), [&](SelectedComponent& component) -> HRESULT {
            if (!isAny(path) || !isAny(fileSpec) || std::wcschr(fileSpec, L'\\') != nullptr) return E_INVALIDARG;
            component.differencedFiles.push_back(
                {utf8(path), utf8(fileSpec), recursive != FALSE, std::move(lsn), modified});
            return S_OK;
        });
    }

    const Document document_;
    const std::size_t writer_;
    const std::size_t component_;
    const std::optional<WriterEvent> event_;
};

// Not a ComObject, because it has two bases and IUnknown is not the first.
class WriterComponents final : public abi::IVssWriterComponentsExt {
public:
    WriterComponents(Document document, std::size_t writer, std::optional<WriterEvent> event)
        : document_(std::move(document)), writer_(writer), event_(event) {
        objectMade(ObjectKind::WriterComponents);
    }
    WriterComponents(const WriterComponents&) = delete;
    WriterComponents& operator=(const WriterComponents&) = delete;
    ~WriterComponents() { objectGone(ObjectKind::WriterComponents); }

    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID id, void** object) override {
        if (object == nullptr) return E_POINTER;
        *object = nullptr;
        if (!IsEqualGUID(id, abi::kUnknownId)) return E_NOINTERFACE;
        AddRef();
        *object = static_cast<IUnknown*>(this);
        return S_OK;
    }
    ULONG STDMETHODCALLTYPE AddRef() override { return ++references_; }
    ULONG STDMETHODCALLTYPE Release() override {
        const ULONG left = --references_;
        if (left == 0) const std::unique_ptr<WriterComponents> last(this);
        return left;
    }
    HRESULT STDMETHODCALLTYPE GetComponentCount(UINT* number) override {
        return call("IVssWriterComponentsExt::GetComponentCount", [&]() -> HRESULT {
            if (number == nullptr) return E_INVALIDARG;
            *number = static_cast<UINT>(get().components.size());
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetWriterInfo(VSS_ID* instance, VSS_ID* writer) override {
        return call("IVssWriterComponentsExt::GetWriterInfo", [&]() -> HRESULT {
            if (!instance || !writer) return E_INVALIDARG;
            *instance = get().instanceId;
            *writer = get().classId;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetComponent(UINT index, abi::IVssComponent** component) override {
        return call("IVssWriterComponentsExt::GetComponent", [&]() -> HRESULT {
            if (component == nullptr) return E_INVALIDARG;
            *component = nullptr;
            if (index >= get().components.size()) return VSS_E_OBJECT_NOT_FOUND;
            *component = makeObject<ComponentObject>(document_, writer_, index, event_).detach();
            return S_OK;
        });
    }

private:
    const WriterSelection& get() const { return document_->writers[writer_]; }

    std::atomic<ULONG> references_{1};
    const Document document_;
    const std::size_t writer_;
    const std::optional<WriterEvent> event_;
};

}  // namespace

abi::IVssWriterComponentsExt* makeWriterComponents(std::shared_ptr<BackupDocument> document, std::size_t writer,
                                                   std::optional<WriterEvent> event) {
    return std::make_unique<WriterComponents>(std::move(document), writer, event).release();
}

}  // namespace vss_simulator
