#include "create_writer_metadata.h"

#include <algorithm>
#include <array>

#include "call.h"
#include "text.h"

namespace vss_simulator {

namespace {

bool isAny(LPCWSTR text) {
    return text != nullptr && *text != L'\0';
}

/** Methods that restart a service need its name. */
bool needsService(VSS_RESTOREMETHOD_ENUM method) {
    return method == VSS_RME_STOP_RESTORE_START || method == VSS_RME_RESTORE_STOP_START;
}

}  // namespace

// Not a ComObject, because it has two bases and IUnknown is not the first.
class CreateWriterMetadata final : public abi::IVssCreateWriterMetadataEx {
public:
    explicit CreateWriterMetadata(WriterDescription identity) : writer_(std::move(identity)) {
        writer_.restoreMethod = VSS_RME_UNDEFINED;
        writer_.writerRestore = VSS_WRE_UNDEFINED;
        objectMade(ObjectKind::CreateWriterMetadata);
    }
    CreateWriterMetadata(const CreateWriterMetadata&) = delete;
    CreateWriterMetadata& operator=(const CreateWriterMetadata&) = delete;
    ~CreateWriterMetadata() { objectGone(ObjectKind::CreateWriterMetadata); }

    const WriterDescription& description() const { return writer_; }

    HRESULT STDMETHODCALLTYPE QueryInterface(REFIID id, void** object) override {
        if (object == nullptr) return E_POINTER;
        *object = nullptr;
        if (IsEqualGUID(id, abi::kUnknownId)) {
            *object = static_cast<IUnknown*>(this);
        } else if (IsEqualGUID(id, abi::kCreateWriterMetadataExId)) {
            *object = static_cast<abi::IVssCreateWriterMetadataEx*>(this);
        } else {
            return E_NOINTERFACE;
        }
        AddRef();
        return S_OK;
    }
    ULONG STDMETHODCALLTYPE AddRef() override { return ++references_; }
    ULONG STDMETHODCALLTYPE Release() override {
        const ULONG left = --references_;
        if (left == 0) const std::unique_ptr<CreateWriterMetadata> last(this);
        return left;
    }

    HRESULT STDMETHODCALLTYPE AddIncludeFiles(LPCWSTR path, LPCWSTR fileSpec, bool recursive,
                                              LPCWSTR alternateLocation) override {
        return add("AddIncludeFiles", writer_.includedFiles, path, fileSpec, recursive, alternateLocation);
    }
    HRESULT STDMETHODCALLTYPE AddExcludeFiles(LPCWSTR path, LPCWSTR fileSpec, bool recursive) override {
        return add("AddExcludeFiles", writer_.excludedFiles, path, fileSpec, recursive, nullptr);
    }
    HRESULT STDMETHODCALLTYPE AddExcludeFilesFromSnapshot(LPCWSTR path, LPCWSTR fileSpec, bool recursive) override {
        return add("AddExcludeFilesFromSnapshot", writer_.excludedFromSnapshot, path, fileSpec, recursive, nullptr);
    }
    HRESULT STDMETHODCALLTYPE AddComponent(VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR caption,
                                           const BYTE* icon, UINT iconBytes, bool restoreMetadata,
                                           bool notifyOnBackupComplete, bool selectable, bool selectableForRestore,
                                           DWORD flags) override {
        return method("AddComponent", [&]() -> HRESULT {
            constexpr DWORD kFlags = VSS_CF_BACKUP_RECOVERY | VSS_CF_APP_ROLLBACK_RECOVERY | VSS_CF_NOT_SYSTEM_STATE;
            if (type != VSS_CT_DATABASE && type != VSS_CT_FILEGROUP) return E_INVALIDARG;
            if (!isAny(name) || std::wcschr(name, L'\\') != nullptr || flags & ~kFlags) return E_INVALIDARG;
            if (icon == nullptr && iconBytes != 0) return E_INVALIDARG;
            if (find(logicalPath, name) != nullptr) return VSS_E_OBJECT_ALREADY_EXISTS;
            WriterComponent component;
            component.type = type;
            component.logicalPath = textOf(logicalPath);
            component.name = utf8(name);
            component.caption = textOf(caption);
            component.restoreMetadata = restoreMetadata;
            component.notifyOnBackupComplete = notifyOnBackupComplete;
            component.selectable = selectable;
            component.selectableForRestore = selectableForRestore;
            component.flags = flags;
            writer_.components.push_back(std::move(component));
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE AddDatabaseFiles(LPCWSTR logicalPath, LPCWSTR database, LPCWSTR path, LPCWSTR fileSpec,
                                               DWORD mask) override {
        return addTo("AddDatabaseFiles", VSS_CT_DATABASE, &WriterComponent::databaseFiles, logicalPath, database, path,
                     fileSpec, false, nullptr, mask);
    }
    HRESULT STDMETHODCALLTYPE AddDatabaseLogFiles(LPCWSTR logicalPath, LPCWSTR database, LPCWSTR path, LPCWSTR fileSpec,
                                                  DWORD mask) override {
        return addTo("AddDatabaseLogFiles", VSS_CT_DATABASE, &WriterComponent::logFiles, logicalPath, database, path,
                     fileSpec, false, nullptr, mask);
    }
    HRESULT STDMETHODCALLTYPE AddFilesToFileGroup(LPCWSTR logicalPath, LPCWSTR group, LPCWSTR path, LPCWSTR fileSpec,
                                                  bool recursive, LPCWSTR alternateLocation, DWORD mask) override {
        return addTo("AddFilesToFileGroup", VSS_CT_FILEGROUP, &WriterComponent::files, logicalPath, group, path,
                     fileSpec, recursive, alternateLocation, mask);
    }
    HRESULT STDMETHODCALLTYPE SetRestoreMethod(VSS_RESTOREMETHOD_ENUM restoreMethod, LPCWSTR service,
                                               LPCWSTR userProcedure, VSS_WRITERRESTORE_ENUM writerRestore,
                                               bool reboot) override {
        return method("SetRestoreMethod", [&]() -> HRESULT {
            if (restoreMethod <= VSS_RME_UNDEFINED || restoreMethod > VSS_RME_RESTORE_STOP_START) return E_INVALIDARG;
            if (writerRestore <= VSS_WRE_UNDEFINED || writerRestore > VSS_WRE_ALWAYS) return E_INVALIDARG;
            if (needsService(restoreMethod) && !isAny(service)) return E_INVALIDARG;
            if (writer_.restoreMethod != VSS_RME_UNDEFINED) return VSS_E_OBJECT_ALREADY_EXISTS;
            writer_.restoreMethod = restoreMethod;
            writer_.service = textOf(service);
            writer_.userProcedure = textOf(userProcedure);
            writer_.writerRestore = writerRestore;
            writer_.rebootRequired = reboot;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE AddAlternateLocationMapping(LPCWSTR path, LPCWSTR fileSpec, bool recursive,
                                                          LPCWSTR destination) override {
        return method("AddAlternateLocationMapping", [&]() -> HRESULT {
            if (!isAny(path) || !isAny(fileSpec) || !isAny(destination)) return E_INVALIDARG;
            writer_.alternateMappings.push_back({utf8(path), utf8(fileSpec), recursive, utf8(destination)});
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE AddComponentDependency(LPCWSTR forLogicalPath, LPCWSTR forName, VSS_ID onWriter,
                                                     LPCWSTR onLogicalPath, LPCWSTR onName) override {
        return method("AddComponentDependency", [&]() -> HRESULT {
            if (!isAny(forName) || !isAny(onName)) return E_INVALIDARG;
            WriterComponent* component = find(forLogicalPath, forName);
            if (component == nullptr) return VSS_E_OBJECT_NOT_FOUND;
            component->dependencies.push_back({onWriter, textOf(onLogicalPath), utf8(onName)});
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE SetBackupSchema(DWORD schema) override {
        return method("SetBackupSchema", [&]() -> HRESULT {
            writer_.backupSchema = schema;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetDocument(IXMLDOMDocument** document) override {
        return method("GetDocument", [&]() -> HRESULT {
            if (document != nullptr) *document = nullptr;
            return E_NOTIMPL;
        });
    }
    HRESULT STDMETHODCALLTYPE SaveAsXML(BSTR* xml) override {
        return method("SaveAsXML", [&]() -> HRESULT {
            if (xml == nullptr) return E_INVALIDARG;
            *xml = newBstr(printXml(describe(writer_)));
            return S_OK;
        });
    }

private:
    template <class Body>
    static HRESULT method(std::string_view name, Body body) {
        return call("IVssCreateWriterMetadata::" + std::string(name), body);
    }

    static HRESULT add(std::string_view name, std::vector<FileSet>& files, LPCWSTR path, LPCWSTR fileSpec,
                       bool recursive, LPCWSTR alternateLocation) {
        return method(name, [&]() -> HRESULT {
            if (!isAny(path) || !isAny(fileSpec)) return E_INVALIDARG;
            files.push_back({utf8(path), utf8(fileSpec), recursive, textOf(alternateLocation)});
            return S_OK;
        });
    }

    HRESULT addTo(std::string_view name, VSS_COMPONENT_TYPE type, std::vector<FileSet> WriterComponent::*files,
                  LPCWSTR logicalPath, LPCWSTR componentName, LPCWSTR path, LPCWSTR fileSpec, bool recursive,
                  LPCWSTR alternateLocation, DWORD mask) {
        return method(name, [&]() -> HRESULT {
            if (!isAny(componentName) || !isAny(path) || !isAny(fileSpec)) return E_INVALIDARG;
            WriterComponent* component = find(logicalPath, componentName);
            if (component == nullptr || component->type != type) return VSS_E_OBJECT_NOT_FOUND;
            (component->*files).push_back({utf8(path), utf8(fileSpec), recursive, textOf(alternateLocation), mask});
            return S_OK;
        });
    }

    /** Component names are unique across types. */
    WriterComponent* find(LPCWSTR logicalPath, LPCWSTR name) {
        const auto found = std::ranges::find_if(writer_.components, [&](const WriterComponent& component) {
            return component.logicalPath == textOf(logicalPath) && component.name == textOf(name);
        });
        return found == writer_.components.end() ? nullptr : &*found;
    }

    std::atomic<ULONG> references_{1};
    WriterDescription writer_;
};

MetadataInMaking::MetadataInMaking(WriterDescription identity)
    : object_(std::make_unique<CreateWriterMetadata>(std::move(identity)).release()) {}

MetadataInMaking::~MetadataInMaking() {
    object_->Release();
}

abi::IVssCreateWriterMetadataEx* MetadataInMaking::object() const {
    return object_;
}

const WriterDescription& MetadataInMaking::description() const {
    return object_->description();
}

}  // namespace vss_simulator
