#include "backup_document.h"

#include <stdexcept>

#include "call.h"
#include "text.h"
#include "writer_metadata.h"

namespace vss_simulator {

namespace {

std::string textOf(LPCWSTR text) {
    return text == nullptr ? std::string() : utf8(text);
}

VSS_ID idFrom(const Element& element, std::string_view attribute) {
    try {
        return guidFrom(element[attribute]);
    } catch (const std::invalid_argument&) {
        throw Failure(VSS_E_INVALID_XML_DOCUMENT);
    }
}

void printFiles(Element& parent, std::string_view name, const std::vector<FileSet>& files) {
    for (const FileSet& file : files) {
        parent.add(name)
            .set("path", file.path)
            .set("filespec", file.fileSpec)
            .setFlag("recursive", file.recursive)
            .set("alternatePath", file.alternateLocation);
    }
}

std::vector<FileSet> parseFiles(const Element& parent, std::string_view name) {
    std::vector<FileSet> files;
    for (const Element* element : parent.all(name)) {
        files.push_back(
            {(*element)["path"], (*element)["filespec"], element->flag("recursive"), (*element)["alternatePath"]});
    }
    return files;
}

void printComponent(Element& parent, const SelectedComponent& component) {
    Element& element = parent.add("COMPONENT");
    element.set("componentType", component.type == VSS_CT_DATABASE ? "database" : "filegroup");
    if (!component.logicalPath.empty()) element.set("logicalPath", component.logicalPath);
    element.set("componentName", component.name)
        .setFlag("backupSucceeded", component.backupSucceeded)
        .setFlag("selectedForRestore", component.selectedForRestore)
        .setFlag("additionalRestores", component.additionalRestores)
        .setFlag("authoritativeRestore", component.authoritative)
        .set("backupOptions", component.backupOptions)
        .set("restoreOptions", component.restoreOptions)
        .set("backupStamp", component.backupStamp)
        .set("previousBackupStamp", component.previousBackupStamp)
        .set("backupMetadata", component.backupMetadata)
        .set("restoreName", component.restoreName)
        .set("rollForward", std::to_string(component.rollForward))
        .set("rollForwardPoint", component.rollForwardPoint)
        .set("fileRestoreStatus", std::to_string(component.fileRestoreStatus));
    printFiles(element, "ALTERNATE_LOCATION_MAPPING", component.alternateMappings);
    printFiles(element, "RESTORE_TARGET", component.newTargets);
    for (const Subcomponent& sub : component.restoreSubcomponents) {
        element.add("RESTORE_SUBCOMPONENT")
            .set("logicalPath", sub.logicalPath)
            .set("componentName", sub.name)
            .setFlag("repair", sub.repair);
    }
}

SelectedComponent parseComponent(const Element& element) {
    SelectedComponent component;
    component.type = element["componentType"] == "database" ? VSS_CT_DATABASE : VSS_CT_FILEGROUP;
    component.logicalPath = element["logicalPath"];
    component.name = element["componentName"];
    component.backupSucceeded = element.flag("backupSucceeded");
    component.selectedForRestore = element.flag("selectedForRestore");
    component.additionalRestores = element.flag("additionalRestores");
    component.authoritative = element.flag("authoritativeRestore");
    component.backupOptions = element["backupOptions"];
    component.restoreOptions = element["restoreOptions"];
    component.backupStamp = element["backupStamp"];
    component.previousBackupStamp = element["previousBackupStamp"];
    component.backupMetadata = element["backupMetadata"];
    component.restoreName = element["restoreName"];
    component.rollForward = static_cast<VSS_ROLLFORWARD_TYPE>(element.number("rollForward"));
    component.rollForwardPoint = element["rollForwardPoint"];
    component.fileRestoreStatus = static_cast<VSS_FILE_RESTORE_STATUS>(element.number("fileRestoreStatus"));
    component.alternateMappings = parseFiles(element, "ALTERNATE_LOCATION_MAPPING");
    component.newTargets = parseFiles(element, "RESTORE_TARGET");
    for (const Element* sub : element.all("RESTORE_SUBCOMPONENT")) {
        component.restoreSubcomponents.push_back({(*sub)["logicalPath"], (*sub)["componentName"], sub->flag("repair")});
    }
    return component;
}

using Document = std::shared_ptr<const BackupDocument>;

class ComponentObject final : public ComObject<abi::IVssComponentEx2, ObjectKind::Component> {
public:
    ComponentObject(Document document, std::size_t writer, std::size_t component)
        : document_(std::move(document)), writer_(writer), component_(component) {}

    HRESULT STDMETHODCALLTYPE GetLogicalPath(BSTR* path) override {
        const HRESULT result = text("GetLogicalPath", path, &SelectedComponent::logicalPath);
        return result == S_FALSE ? S_OK : result;  // a component at the top has none
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
    HRESULT STDMETHODCALLTYPE SetBackupMetadata(LPCWSTR) override { return writersOnly("SetBackupMetadata"); }
    HRESULT STDMETHODCALLTYPE GetBackupMetadata(BSTR* data) override {
        return text("GetBackupMetadata", data, &SelectedComponent::backupMetadata);
    }
    HRESULT STDMETHODCALLTYPE AddPartialFile(LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR) override {
        return writersOnly("AddPartialFile");
    }
    HRESULT STDMETHODCALLTYPE GetPartialFileCount(UINT* count) override {
        return number("GetPartialFileCount", count, 0);
    }
    HRESULT STDMETHODCALLTYPE GetPartialFile(UINT, BSTR*, BSTR*, BSTR*, BSTR*) override {
        return none("GetPartialFile");
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
    HRESULT STDMETHODCALLTYPE AddDirectedTarget(LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR, LPCWSTR) override {
        return writersOnly("AddDirectedTarget");
    }
    HRESULT STDMETHODCALLTYPE GetDirectedTargetCount(UINT* count) override {
        return number("GetDirectedTargetCount", count, 0);
    }
    HRESULT STDMETHODCALLTYPE GetDirectedTarget(UINT, BSTR*, BSTR*, BSTR*, BSTR*, BSTR*, BSTR*) override {
        return none("GetDirectedTarget");
    }
    HRESULT STDMETHODCALLTYPE SetRestoreMetadata(LPCWSTR) override { return writersOnly("SetRestoreMetadata"); }
    HRESULT STDMETHODCALLTYPE GetRestoreMetadata(BSTR* data) override { return noText("GetRestoreMetadata", data); }
    HRESULT STDMETHODCALLTYPE SetRestoreTarget(VSS_RESTORE_TARGET) override { return writersOnly("SetRestoreTarget"); }
    HRESULT STDMETHODCALLTYPE GetRestoreTarget(VSS_RESTORE_TARGET* target) override {
        return call("IVssComponent::GetRestoreTarget", [&]() -> HRESULT {
            if (target == nullptr) return E_INVALIDARG;
            *target = VSS_RT_ORIGINAL;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE SetPreRestoreFailureMsg(LPCWSTR) override {
        return writersOnly("SetPreRestoreFailureMsg");
    }
    HRESULT STDMETHODCALLTYPE GetPreRestoreFailureMsg(BSTR* message) override {
        return noText("GetPreRestoreFailureMsg", message);
    }
    HRESULT STDMETHODCALLTYPE SetPostRestoreFailureMsg(LPCWSTR) override {
        return writersOnly("SetPostRestoreFailureMsg");
    }
    HRESULT STDMETHODCALLTYPE GetPostRestoreFailureMsg(BSTR* message) override {
        return noText("GetPostRestoreFailureMsg", message);
    }
    HRESULT STDMETHODCALLTYPE SetBackupStamp(LPCWSTR) override { return writersOnly("SetBackupStamp"); }
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
    HRESULT STDMETHODCALLTYPE AddDifferencedFilesByLastModifyTime(LPCWSTR, LPCWSTR, BOOL, FILETIME) override {
        return writersOnly("AddDifferencedFilesByLastModifyTime");
    }
    HRESULT STDMETHODCALLTYPE AddDifferencedFilesByLastModifyLSN(LPCWSTR, LPCWSTR, BOOL, BSTR) override {
        return writersOnly("AddDifferencedFilesByLastModifyLSN");
    }
    HRESULT STDMETHODCALLTYPE GetDifferencedFilesCount(UINT* count) override {
        return number("GetDifferencedFilesCount", count, 0);
    }
    HRESULT STDMETHODCALLTYPE GetDifferencedFile(UINT, BSTR*, BSTR*, BOOL*, BSTR*, FILETIME*) override {
        return none("GetDifferencedFile");
    }
    HRESULT STDMETHODCALLTYPE SetPrepareForBackupFailureMsg(LPCWSTR) override {
        return writersOnly("SetPrepareForBackupFailureMsg");
    }
    HRESULT STDMETHODCALLTYPE SetPostSnapshotFailureMsg(LPCWSTR) override {
        return writersOnly("SetPostSnapshotFailureMsg");
    }
    HRESULT STDMETHODCALLTYPE GetPrepareForBackupFailureMsg(BSTR* message) override {
        return noText("GetPrepareForBackupFailureMsg", message);
    }
    HRESULT STDMETHODCALLTYPE GetPostSnapshotFailureMsg(BSTR* message) override {
        return noText("GetPostSnapshotFailureMsg", message);
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
    HRESULT STDMETHODCALLTYPE SetFailure(HRESULT, HRESULT, LPCWSTR, DWORD) override {
        return writersOnly("SetFailure");
    }
    HRESULT STDMETHODCALLTYPE GetFailure(HRESULT* failure, HRESULT* application, BSTR* message,
                                         DWORD* reserved) override {
        return call("IVssComponentEx2::GetFailure", [&]() -> HRESULT {
            if (!failure || !application || !message) return E_INVALIDARG;
            *failure = S_OK;
            *application = S_OK;
            *message = nullptr;
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
    static HRESULT noText(std::string_view name, BSTR* place) {
        return call(method(name), [&]() -> HRESULT {
            if (place == nullptr) return E_INVALIDARG;
            *place = nullptr;
            return S_FALSE;
        });
    }
    static HRESULT none(std::string_view name) {
        return call(method(name), []() -> HRESULT { return VSS_E_OBJECT_NOT_FOUND; });
    }
    /** Only a writer may call it, and the writers here are inside. */
    static HRESULT writersOnly(std::string_view name) {
        return call(method(name), []() -> HRESULT { return E_NOTIMPL; });
    }

    const Document document_;
    const std::size_t writer_;
    const std::size_t component_;
};

// Two bases, so it cannot be a ComObject: IUnknown is not at the front.
class WriterComponents final : public abi::IVssWriterComponentsExt {
public:
    WriterComponents(Document document, std::size_t writer) : document_(std::move(document)), writer_(writer) {
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
            *component = makeObject<ComponentObject>(document_, writer_, index).detach();
            return S_OK;
        });
    }

private:
    const WriterSelection& get() const { return document_->writers[writer_]; }

    std::atomic<ULONG> references_{1};
    const Document document_;
    const std::size_t writer_;
};

}  // namespace

bool SelectedComponent::brings(const WriterComponent& component) const {
    if (component.name == name && component.logicalPath == logicalPath && component.type == type) return true;
    const std::string own = logicalPath.empty() ? name : logicalPath + '\\' + name;
    return component.logicalPath == own || component.logicalPath.starts_with(own + '\\');
}

SelectedComponent* BackupDocument::find(const VSS_ID& classId, VSS_COMPONENT_TYPE componentType, LPCWSTR logicalPath,
                                        LPCWSTR name, const VSS_ID* instanceId) {
    for (WriterSelection& writer : writers) {
        if (!IsEqualGUID(writer.classId, classId)) continue;
        if (instanceId != nullptr && !IsEqualGUID(writer.instanceId, *instanceId)) continue;
        for (SelectedComponent& component : writer.components) {
            if (component.type == componentType && component.logicalPath == textOf(logicalPath) &&
                component.name == textOf(name)) {
                return &component;
            }
        }
    }
    return nullptr;
}

Element describeDocument(const BackupDocument& document) {
    Element root{"BACKUP_COMPONENTS", {{"xmlns", "x-schema:#VssComponentMetadata"}, {"version", "1.2"}}, {}};
    root.set("backupType", std::to_string(document.type))
        .setFlag("selectComponents", document.selectComponents)
        .setFlag("bootableSystemStateBackup", document.bootableState)
        .setFlag("partialFileSupport", document.partialFiles);
    for (const WriterSelection& writer : document.writers) {
        Element& element = root.add("WRITER_COMPONENTS");
        element.set("writerId", guidText(writer.classId)).set("instanceId", guidText(writer.instanceId));
        for (const SelectedComponent& component : writer.components) printComponent(element, component);
    }
    if (!document.snapshotIds.empty()) {
        Element& set = root.add("SNAPSHOT_SET_DESCRIPTION");
        set.set("snapshotSetId", guidText(document.setId)).set("context", std::to_string(document.context));
        for (const VSS_ID& id : document.snapshotIds) {
            set.add("SNAPSHOT_DESCRIPTION").set("snapshotId", guidText(id));
        }
    }
    return root;
}

std::string printDocument(const BackupDocument& document) {
    return printXml(describeDocument(document));
}

BackupDocument parseDocument(BSTR xml) {
    return documentFrom(parseXml(utf8({xml, SysStringLen(xml)})));
}

BackupDocument documentFrom(const Element& root) {
    if (root.name != "BACKUP_COMPONENTS") throw Failure(VSS_E_INVALID_XML_DOCUMENT);
    BackupDocument document;
    document.type = static_cast<VSS_BACKUP_TYPE>(root.number("backupType"));
    document.selectComponents = root.flag("selectComponents");
    document.bootableState = root.flag("bootableSystemStateBackup");
    document.partialFiles = root.flag("partialFileSupport");
    for (const Element* writer : root.all("WRITER_COMPONENTS")) {
        WriterSelection selection{idFrom(*writer, "writerId"), idFrom(*writer, "instanceId"), {}};
        for (const Element* component : writer->all("COMPONENT")) {
            selection.components.push_back(parseComponent(*component));
        }
        document.writers.push_back(std::move(selection));
    }
    for (const Element* set : root.all("SNAPSHOT_SET_DESCRIPTION")) {
        document.setId = idFrom(*set, "snapshotSetId");
        document.context = static_cast<LONG>(set->number("context"));
        for (const Element* snapshot : set->all("SNAPSHOT_DESCRIPTION")) {
            document.snapshotIds.push_back(idFrom(*snapshot, "snapshotId"));
        }
    }
    return document;
}

abi::IVssWriterComponentsExt* makeWriterComponents(std::shared_ptr<const BackupDocument> document, std::size_t writer) {
    return std::make_unique<WriterComponents>(std::move(document), writer).release();
}

}  // namespace vss_simulator
