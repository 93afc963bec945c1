#include "enumeration.h"

#include <array>

#include "call.h"
#include "text.h"

namespace vss_simulator {

namespace {

std::wstring computerName() {
    std::array<wchar_t, MAX_COMPUTERNAME_LENGTH + 1> name{};
    auto length = static_cast<DWORD>(name.size());
    if (!GetComputerNameW(name.data(), &length)) return L"localhost";
    return {name.data(), length};
}

LPWSTR optionalTaskString(const std::wstring& text) {
    return text.empty() ? nullptr : newTaskString(text);
}

void fill(const Shadow& shadow, VSS_OBJECT_PROP& object) {
    object.Type = VSS_OBJECT_SNAPSHOT;
    fillSnapshotProperties(shadow, object.Obj.Snap);
}

void fill(const Provider& provider, VSS_OBJECT_PROP& object) {
    object.Type = VSS_OBJECT_PROVIDER;
    VSS_PROVIDER_PROP& properties = object.Obj.Prov;
    properties.m_ProviderId = provider.id;
    properties.m_pwszProviderName = newTaskString(utf16(provider.name));
    properties.m_eProviderType = provider.type;
    properties.m_pwszProviderVersion = newTaskString(utf16(provider.version));
    properties.m_ProviderVersionId = provider.versionId;
    properties.m_ClassId = provider.classId;
}

class Enumeration final : public ComObject<abi::IVssEnumObject, ObjectKind::EnumObject> {
public:
    Enumeration(std::vector<QueriedObject> objects, std::size_t position)
        : objects_(std::move(objects)), position_(position) {}

    HRESULT STDMETHODCALLTYPE Next(ULONG wanted, VSS_OBJECT_PROP* objects, ULONG* fetched) override {
        return call("IVssEnumObject::Next", [&]() -> HRESULT {
            if (objects == nullptr || fetched == nullptr) return E_POINTER;
            *fetched = 0;
            while (*fetched < wanted && position_ < objects_.size()) {
                VSS_OBJECT_PROP object{};
                std::visit([&](const auto& source) { fill(source, object); }, objects_[position_++]);
                objects[(*fetched)++] = object;
            }
            return *fetched == wanted ? S_OK : S_FALSE;
        });
    }
    HRESULT STDMETHODCALLTYPE Skip(ULONG number) override {
        return call("IVssEnumObject::Skip", [&]() -> HRESULT {
            const std::size_t left = objects_.size() - position_;
            position_ += std::min<std::size_t>(number, left);
            return number <= left ? S_OK : S_FALSE;
        });
    }
    HRESULT STDMETHODCALLTYPE Reset() override {
        return call("IVssEnumObject::Reset", [&]() -> HRESULT {
            position_ = 0;
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE Clone(abi::IVssEnumObject** copy) override {
        return call("IVssEnumObject::Clone", [&]() -> HRESULT {
            if (copy == nullptr) return E_INVALIDARG;
            *copy = makeObject<Enumeration>(objects_, position_).detach();
            return S_OK;
        });
    }

protected:
    bool answers(const GUID& id) const override {
        return IsEqualGUID(id, abi::kEnumObjectId) || ComObject::answers(id);
    }

private:
    const std::vector<QueriedObject> objects_;
    std::size_t position_;
};

}  // namespace

Ref<abi::IVssEnumObject> makeEnumeration(std::vector<QueriedObject> objects) {
    return Ref<abi::IVssEnumObject>::adopt(makeObject<Enumeration>(std::move(objects), 0u).detach());
}

void fillSnapshotProperties(const Shadow& shadow, VSS_SNAPSHOT_PROP& properties) {
    const std::wstring machine = computerName();
    properties = {};
    properties.m_SnapshotId = shadow.id;
    properties.m_SnapshotSetId = shadow.setId;
    properties.m_lSnapshotsCount = shadow.setCount;
    properties.m_pwszSnapshotDeviceObject = newTaskString(shadow.device());
    properties.m_pwszOriginalVolumeName = newTaskString(shadow.volume);
    properties.m_pwszOriginatingMachine = newTaskString(machine);
    properties.m_pwszServiceMachine = newTaskString(machine);
    properties.m_pwszExposedName = optionalTaskString(shadow.exposedName);
    properties.m_pwszExposedPath = optionalTaskString(shadow.exposedPath);
    properties.m_ProviderId = shadow.providerId;
    properties.m_lSnapshotAttributes = shadow.attributes;
    properties.m_tsCreationTimestamp = shadow.createdFileTime;
    properties.m_eStatus = VSS_SS_CREATED;
}

void freeSnapshotProperties(VSS_SNAPSHOT_PROP& properties) {
    for (VSS_PWSZ* text : {&properties.m_pwszSnapshotDeviceObject, &properties.m_pwszOriginalVolumeName,
                           &properties.m_pwszOriginatingMachine, &properties.m_pwszServiceMachine,
                           &properties.m_pwszExposedName, &properties.m_pwszExposedPath}) {
        if (*text == nullptr) continue;
        CoTaskMemFree(*text);
        *text = nullptr;
        count(Counter::StringsFreed);
    }
}

}  // namespace vss_simulator
