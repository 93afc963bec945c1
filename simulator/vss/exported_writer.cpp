// The members of CVssWriter that vssapi.dll exports under their decorated names, for writers built before about 2008;
// newer headers have them inline. vssapi.def lists the names.

#include "writer_abi.h"

using namespace vss_simulator;
using abi::WriterObject;

extern "C" {

HRESULT STDAPICALLTYPE CreateWriter(WriterObject* writer, abi::IVssWriterImpl** impl);

/** The bodies of all events that are not pure. Their further arguments do not matter to the called function. */
bool STDMETHODCALLTYPE WriterAccepts(WriterObject*) {
    return true;
}

WriterObject* STDMETHODCALLTYPE WriterConstruct(WriterObject* self) {
    // The constructor of the derived class sets the real one.
    self->table = nullptr;
    self->impl = nullptr;
    return self;
}

void STDMETHODCALLTYPE WriterDestroy(WriterObject* self) {
    if (self->impl == nullptr) return;
    self->impl->Uninitialize();
    self->impl->Release();
    self->impl = nullptr;
}

HRESULT STDMETHODCALLTYPE WriterInitialize(WriterObject* self, VSS_ID id, LPCWSTR name, VSS_USAGE_TYPE usage,
                                           VSS_SOURCE_TYPE source, VSS_APPLICATION_LEVEL level, DWORD freezeTimeoutMs,
                                           VSS_ALTERNATE_WRITER_STATE alternate, bool ioThrottlingOnly,
                                           LPCWSTR instanceName) {
    if (self->impl != nullptr) return E_FAIL;
    HRESULT result = CreateWriter(self, &self->impl);
    if (FAILED(result)) return result;
    result = self->impl->Initialize(id, name, instanceName, 0, 0, usage, source, level, freezeTimeoutMs, alternate,
                                    ioThrottlingOnly);
    if (FAILED(result)) {
        self->impl->Release();
        self->impl = nullptr;
    }
    return result;
}

HRESULT STDMETHODCALLTYPE WriterSubscribe(WriterObject* self, DWORD flags) {
    return self->impl == nullptr ? E_FAIL : self->impl->Subscribe(0, flags);
}

HRESULT STDMETHODCALLTYPE WriterUnsubscribe(WriterObject* self) {
    if (self->impl == nullptr) return E_FAIL;
    self->impl->Unsubscribe();
    return S_OK;
}

HRESULT STDMETHODCALLTYPE WriterInstallAlternateWriter(WriterObject* self, VSS_ID id, CLSID classId) {
    return self->impl == nullptr ? E_FAIL : self->impl->InstallAlternateWriter(id, classId);
}

LPCWSTR* STDMETHODCALLTYPE WriterGetCurrentVolumeArray(WriterObject* self) {
    return self->impl == nullptr ? nullptr : self->impl->GetCurrentVolumeArray();
}

UINT STDMETHODCALLTYPE WriterGetCurrentVolumeCount(WriterObject* self) {
    return self->impl == nullptr ? 0 : self->impl->GetCurrentVolumeCount();
}

HRESULT STDMETHODCALLTYPE WriterGetSnapshotDeviceName(WriterObject* self, LPCWSTR volume, LPCWSTR* device) {
    return self->impl == nullptr ? E_FAIL : self->impl->GetSnapshotDeviceName(volume, device);
}

VSS_ID* STDMETHODCALLTYPE WriterGetCurrentSnapshotSetId(WriterObject* self, VSS_ID* result) {
    *result = GUID_NULL;
    return self->impl == nullptr ? result : self->impl->GetCurrentSnapshotSetId(result);
}

LONG STDMETHODCALLTYPE WriterGetContext(WriterObject* self) {
    return self->impl == nullptr ? 0 : self->impl->GetContext();
}

VSS_APPLICATION_LEVEL STDMETHODCALLTYPE WriterGetCurrentLevel(WriterObject* self) {
    return self->impl == nullptr ? VSS_APP_UNKNOWN : self->impl->GetCurrentLevel();
}

bool STDMETHODCALLTYPE WriterIsPathAffected(WriterObject* self, LPCWSTR path) {
    return self->impl != nullptr && self->impl->IsPathAffected(path);
}

bool STDMETHODCALLTYPE WriterIsBootableSystemStateBackedUp(WriterObject* self) {
    return self->impl != nullptr && self->impl->IsBootableSystemStateBackedUp();
}

bool STDMETHODCALLTYPE WriterAreComponentsSelected(WriterObject* self) {
    return self->impl != nullptr && self->impl->AreComponentsSelected();
}

VSS_BACKUP_TYPE STDMETHODCALLTYPE WriterGetBackupType(WriterObject* self) {
    return self->impl == nullptr ? VSS_BT_UNDEFINED : self->impl->GetBackupType();
}

VSS_RESTORE_TYPE STDMETHODCALLTYPE WriterGetRestoreType(WriterObject* self) {
    return self->impl == nullptr ? VSS_RTYPE_UNDEFINED : self->impl->GetRestoreType();
}

bool STDMETHODCALLTYPE WriterIsPartialFileSupportEnabled(WriterObject* self) {
    return self->impl != nullptr && self->impl->IsPartialFileSupportEnabled();
}

HRESULT STDMETHODCALLTYPE WriterSetWriterFailure(WriterObject* self, HRESULT failure) {
    return self->impl == nullptr ? E_FAIL : self->impl->SetWriterFailure(failure);
}

}  // extern "C"
