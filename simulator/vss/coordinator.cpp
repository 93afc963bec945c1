#include "coordinator.h"

#include <unknwn.h>

#include "call.h"
#include "enumeration.h"
#include "volumes.h"

namespace vss_simulator {

namespace {

class Coordinator final : public ComObject<abi::IVssAdmin, ObjectKind::Admin> {
public:
    HRESULT STDMETHODCALLTYPE RegisterProvider(VSS_ID, CLSID, VSS_PWSZ, VSS_PROVIDER_TYPE, VSS_PWSZ, VSS_ID) override {
        return call("IVssAdmin::RegisterProvider", []() -> HRESULT { return E_NOTIMPL; });
    }
    HRESULT STDMETHODCALLTYPE UnregisterProvider(VSS_ID) override {
        return call("IVssAdmin::UnregisterProvider", []() -> HRESULT { return E_NOTIMPL; });
    }
    HRESULT STDMETHODCALLTYPE QueryProviders(abi::IVssEnumObject** found) override {
        return call("IVssAdmin::QueryProviders", [&]() -> HRESULT {
            if (found == nullptr) return E_INVALIDARG;
            std::vector<QueriedObject> objects;
            for (Provider& provider : providers()) objects.emplace_back(std::move(provider));
            *found = makeEnumeration(std::move(objects)).detach();
            return S_OK;
        });
    }
    HRESULT STDMETHODCALLTYPE AbortAllSnapshotsInProgress() override {
        return call("IVssAdmin::AbortAllSnapshotsInProgress", []() -> HRESULT { return E_NOTIMPL; });
    }

protected:
    bool answers(const GUID& id) const override { return IsEqualGUID(id, abi::kAdminId) || ComObject::answers(id); }
};

class Factory final : public ComObject<IClassFactory, ObjectKind::ClassFactory> {
public:
    HRESULT STDMETHODCALLTYPE CreateInstance(IUnknown* outer, REFIID id, void** object) override {
        return call("IClassFactory::CreateInstance", [&]() -> HRESULT {
            if (object == nullptr) return E_POINTER;
            *object = nullptr;
            if (outer != nullptr) return CLASS_E_NOAGGREGATION;
            return makeObject<Coordinator>()->QueryInterface(id, object);
        });
    }
    HRESULT STDMETHODCALLTYPE LockServer(BOOL) override { return S_OK; }

protected:
    bool answers(const GUID& id) const override {
        return IsEqualGUID(id, abi::kClassFactoryId) || ComObject::answers(id);
    }
};

}  // namespace

Ref<IClassFactory> makeCoordinatorFactory() {
    return Ref<IClassFactory>::adopt(makeObject<Factory>().detach());
}

}  // namespace vss_simulator
