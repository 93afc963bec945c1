#include "writer_metadata.h"

#include <memory>

#include "call.h"
#include "text.h"

namespace vss_simulator {

namespace {

/** Stores `value` for the caller; NULL is an invalid argument. */
template <class T, class U>
HRESULT give(T* place, U value) {
    if (place == nullptr) return E_INVALIDARG;
    *place = static_cast<T>(value);
    return S_OK;
}

HRESULT giveText(BSTR* place, const std::string& text) {
    if (place == nullptr) return E_INVALIDARG;
    *place = nullptr;
    *place = newBstr(text);
    return S_OK;
}

/** NULL for a missing text, as the real library returns for the logical path of a top-level component. */
BSTR optionalBstr(const std::string& text) {
    return text.empty() ? nullptr : newBstr(text);
}

class Filedesc final : public ComObject<abi::IVssWMFiledesc, ObjectKind::WmFiledesc> {
public:
    explicit Filedesc(FileSet file) : file_(std::move(file)) {}
    HRESULT STDMETHODCALLTYPE GetPath(BSTR* path) override {
        return call("IVssWMFiledesc::GetPath", [&] { return giveText(path, file_.path); });
    }
    HRESULT STDMETHODCALLTYPE GetFilespec(BSTR* fileSpec) override {
        return call("IVssWMFiledesc::GetFilespec", [&] { return giveText(fileSpec, file_.fileSpec); });
    }
    HRESULT STDMETHODCALLTYPE GetRecursive(bool* recursive) override {
        return call("IVssWMFiledesc::GetRecursive", [&] { return give(recursive, file_.recursive); });
    }
    HRESULT STDMETHODCALLTYPE GetAlternateLocation(BSTR* location) override {
        return call("IVssWMFiledesc::GetAlternateLocation", [&]() -> HRESULT {
            if (location == nullptr) return E_INVALIDARG;
            *location = optionalBstr(file_.alternateLocation);
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetBackupTypeMask(DWORD* mask) override {
        return call("IVssWMFiledesc::GetBackupTypeMask", [&] { return give(mask, file_.backupTypeMask); });
    }

private:
    const FileSet file_;
};

class DependencyObject final : public ComObject<abi::IVssWMDependency, ObjectKind::WmDependency> {
public:
    explicit DependencyObject(Dependency dependency) : dependency_(std::move(dependency)) {}
    HRESULT STDMETHODCALLTYPE GetWriterId(VSS_ID* writerId) override {
        return call("IVssWMDependency::GetWriterId", [&] { return give(writerId, dependency_.writerId); });
    }
    HRESULT STDMETHODCALLTYPE GetLogicalPath(BSTR* logicalPath) override {
        return call("IVssWMDependency::GetLogicalPath", [&] { return giveText(logicalPath, dependency_.logicalPath); });
    }
    HRESULT STDMETHODCALLTYPE GetComponentName(BSTR* name) override {
        return call("IVssWMDependency::GetComponentName", [&] { return giveText(name, dependency_.componentName); });
    }

private:
    const Dependency dependency_;
};

HRESULT giveFile(const std::vector<FileSet>& files, UINT index, abi::IVssWMFiledesc** place) {
    if (place == nullptr) return E_INVALIDARG;
    *place = nullptr;
    if (index >= files.size()) return VSS_E_OBJECT_NOT_FOUND;
    *place = makeFiledesc(files[index]).detach();
    return S_OK;
}

class Component final : public ComObject<abi::IVssWMComponent, ObjectKind::WmComponent> {
public:
    explicit Component(WriterComponent component) : component_(std::move(component)) {}

    HRESULT STDMETHODCALLTYPE GetComponentInfo(const abi::ComponentInfo** info) override {
        return call("IVssWMComponent::GetComponentInfo", [&]() -> HRESULT {
            if (info == nullptr) return E_INVALIDARG;
            auto made = std::make_unique<abi::ComponentInfo>();
            made->type = component_.type;
            made->logicalPath = optionalBstr(component_.logicalPath);
            made->componentName = newBstr(component_.name);
            made->caption = optionalBstr(component_.caption);
            made->restoreMetadata = component_.restoreMetadata;
            made->notifyOnBackupComplete = component_.notifyOnBackupComplete;
            made->selectable = component_.selectable;
            made->selectableForRestore = component_.selectableForRestore;
            made->componentFlags = component_.flags;
            made->fileCount = static_cast<UINT>(component_.files.size());
            made->databases = static_cast<UINT>(component_.databaseFiles.size());
            made->logFiles = static_cast<UINT>(component_.logFiles.size());
            made->dependencies = static_cast<UINT>(component_.dependencies.size());
            count(Counter::ComponentInfosMade);
            *info = made.release();  // returned through FreeComponentInfo
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE FreeComponentInfo(const abi::ComponentInfo* info) override {
        return call("IVssWMComponent::FreeComponentInfo", [&]() -> HRESULT {
            if (info == nullptr) return S_OK;
            const std::unique_ptr<const abi::ComponentInfo> owned(info);
            SysFreeString(owned->logicalPath);
            SysFreeString(owned->componentName);
            SysFreeString(owned->caption);
            count(Counter::ComponentInfosFreed);
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetFile(UINT index, abi::IVssWMFiledesc** file) override {
        return call("IVssWMComponent::GetFile", [&] { return giveFile(component_.files, index, file); });
    }
    HRESULT STDMETHODCALLTYPE GetDatabaseFile(UINT index, abi::IVssWMFiledesc** file) override {
        return call("IVssWMComponent::GetDatabaseFile",
                    [&] { return giveFile(component_.databaseFiles, index, file); });
    }
    HRESULT STDMETHODCALLTYPE GetDatabaseLogFile(UINT index, abi::IVssWMFiledesc** file) override {
        return call("IVssWMComponent::GetDatabaseLogFile", [&] { return giveFile(component_.logFiles, index, file); });
    }
    HRESULT STDMETHODCALLTYPE GetDependency(UINT index, abi::IVssWMDependency** dependency) override {
        return call("IVssWMComponent::GetDependency", [&]() -> HRESULT {
            if (dependency == nullptr) return E_INVALIDARG;
            *dependency = nullptr;
            if (index >= component_.dependencies.size()) return VSS_E_OBJECT_NOT_FOUND;
            *dependency = makeObject<DependencyObject>(component_.dependencies[index]).detach();
            return S_OK;
        });
    }

private:
    const WriterComponent component_;
};

class WriterMetadata final : public ComObject<abi::IVssExamineWriterMetadataEx2, ObjectKind::ExamineWriterMetadata> {
public:
    explicit WriterMetadata(WriterDescription writer) : writer_(std::move(writer)) {}

    HRESULT STDMETHODCALLTYPE GetIdentity(VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_USAGE_TYPE* usage,
                                          VSS_SOURCE_TYPE* source) override {
        return call("IVssExamineWriterMetadata::GetIdentity",
                    [&] { return identity(instance, writer, name, usage, source); });
    }
    HRESULT STDMETHODCALLTYPE GetFileCounts(UINT* included, UINT* excluded, UINT* components) override {
        return call("IVssExamineWriterMetadata::GetFileCounts", [&]() -> HRESULT {
            if (!included || !excluded || !components) return E_INVALIDARG;
            *included = static_cast<UINT>(writer_.includedFiles.size());
            *excluded = static_cast<UINT>(writer_.excludedFiles.size());
            *components = static_cast<UINT>(writer_.components.size());
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetIncludeFile(UINT index, abi::IVssWMFiledesc** file) override {
        return call("IVssExamineWriterMetadata::GetIncludeFile",
                    [&] { return giveFile(writer_.includedFiles, index, file); });
    }
    HRESULT STDMETHODCALLTYPE GetExcludeFile(UINT index, abi::IVssWMFiledesc** file) override {
        return call("IVssExamineWriterMetadata::GetExcludeFile",
                    [&] { return giveFile(writer_.excludedFiles, index, file); });
    }
    HRESULT STDMETHODCALLTYPE GetComponent(UINT index, abi::IVssWMComponent** component) override {
        return call("IVssExamineWriterMetadata::GetComponent", [&]() -> HRESULT {
            if (component == nullptr) return E_INVALIDARG;
            *component = nullptr;
            if (index >= writer_.components.size()) return VSS_E_OBJECT_NOT_FOUND;
            *component = makeObject<Component>(writer_.components[index]).detach();
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetRestoreMethod(VSS_RESTOREMETHOD_ENUM* method, BSTR* service, BSTR* procedure,
                                               VSS_WRITERRESTORE_ENUM* writerRestore, bool* reboot,
                                               UINT* mappings) override {
        return call("IVssExamineWriterMetadata::GetRestoreMethod", [&]() -> HRESULT {
            if (!method || !service || !procedure || !writerRestore || !reboot || !mappings) return E_INVALIDARG;
            *method = writer_.restoreMethod;
            *service = optionalBstr(writer_.service);
            *procedure = optionalBstr(writer_.userProcedure);
            *writerRestore = writer_.writerRestore;
            *reboot = writer_.rebootRequired;
            *mappings = static_cast<UINT>(writer_.alternateMappings.size());
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetAlternateLocationMapping(UINT index, abi::IVssWMFiledesc** file) override {
        return call("IVssExamineWriterMetadata::GetAlternateLocationMapping",
                    [&] { return giveFile(writer_.alternateMappings, index, file); });
    }
    HRESULT STDMETHODCALLTYPE GetBackupSchema(DWORD* schema) override {
        return call("IVssExamineWriterMetadata::GetBackupSchema", [&] { return give(schema, writer_.backupSchema); });
    }
    HRESULT STDMETHODCALLTYPE GetDocument(IXMLDOMDocument** document) override {
        return call("IVssExamineWriterMetadata::GetDocument", [&]() -> HRESULT {
            if (document != nullptr) *document = nullptr;
            return E_NOTIMPL;
        });
    }
    HRESULT STDMETHODCALLTYPE SaveAsXML(BSTR* xml) override {
        return call("IVssExamineWriterMetadata::SaveAsXML", [&] { return giveText(xml, printXml(describe(writer_))); });
    }
    HRESULT STDMETHODCALLTYPE LoadFromXML(BSTR xml) override {
        return call("IVssExamineWriterMetadata::LoadFromXML", [&]() -> HRESULT {
            if (xml == nullptr) return E_INVALIDARG;
            writer_ = writerFromDocument(parseXml(utf8({xml, SysStringLen(xml)})));
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetIdentityEx(VSS_ID* instance, VSS_ID* writer, BSTR* name, BSTR* instanceName,
                                            VSS_USAGE_TYPE* usage, VSS_SOURCE_TYPE* source) override {
        return call("IVssExamineWriterMetadataEx::GetIdentityEx", [&]() -> HRESULT {
            if (instanceName == nullptr) return E_INVALIDARG;
            const HRESULT result = identity(instance, writer, name, usage, source);
            return result == S_OK ? giveText(instanceName, writer_.instanceName) : result;
        });
    }
    HRESULT STDMETHODCALLTYPE GetVersion(DWORD* major, DWORD* minor) override {
        return call("IVssExamineWriterMetadataEx2::GetVersion", [&]() -> HRESULT {
            if (!major || !minor) return E_INVALIDARG;
            *major = writer_.majorVersion;
            *minor = writer_.minorVersion;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE GetExcludeFromSnapshotCount(UINT* number) override {
        return call("IVssExamineWriterMetadataEx2::GetExcludeFromSnapshotCount",
                    [&] { return give(number, writer_.excludedFromSnapshot.size()); });
    }
    HRESULT STDMETHODCALLTYPE GetExcludeFromSnapshotFile(UINT index, abi::IVssWMFiledesc** file) override {
        return call("IVssExamineWriterMetadataEx2::GetExcludeFromSnapshotFile",
                    [&] { return giveFile(writer_.excludedFromSnapshot, index, file); });
    }

protected:
    bool answers(const GUID& id) const override {
        return IsEqualGUID(id, abi::kExamineWriterMetadataId) || IsEqualGUID(id, abi::kExamineWriterMetadataExId) ||
               IsEqualGUID(id, abi::kExamineWriterMetadataEx2Id) || ComObject::answers(id);
    }

private:
    HRESULT identity(VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_USAGE_TYPE* usage,
                     VSS_SOURCE_TYPE* source) const {
        if (!instance || !writer || !name || !usage || !source) return E_INVALIDARG;
        *instance = writer_.instanceId;
        *writer = writer_.classId;
        *usage = writer_.usage;
        *source = writer_.source;
        return giveText(name, writer_.name);
    }

    WriterDescription writer_;
};

}  // namespace

Ref<abi::IVssExamineWriterMetadataEx2> makeWriterMetadata(WriterDescription writer) {
    return Ref<abi::IVssExamineWriterMetadataEx2>::adopt(makeObject<WriterMetadata>(std::move(writer)).detach());
}

Ref<abi::IVssWMFiledesc> makeFiledesc(FileSet file) {
    return Ref<abi::IVssWMFiledesc>::adopt(makeObject<Filedesc>(std::move(file)).detach());
}

}  // namespace vss_simulator
