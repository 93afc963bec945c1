// The functions that vssapi.dll exports; vssapi.def lists all their names.

#include <cstring>

#include "abi.h"
#include "call.h"
#include "coordinator.h"
#include "document.h"
#include "enumeration.h"
#include "session.h"
#include "settings.h"
#include "shadows.h"
#include "text.h"
#include "writer_impl.h"
#include "writer_metadata.h"

namespace {

using namespace vss_simulator;

/** Pins the module when the first object is created: threads of operations outlive the objects. */
void settle() {
    static const bool isDone = [] {
        HMODULE self = nullptr;
        GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                           reinterpret_cast<LPCWSTR>(&settle), &self);
        reportAtExit(stateDirectory() / L"report.log");
        return true;
    }();
    static_cast<void>(isDone);
}

HRESULT newWriter(std::string_view function, abi::WriterObject* writer, abi::IVssWriterImpl** impl, bool isExtended) {
    return call(function, [&]() -> HRESULT {
        if (writer == nullptr || impl == nullptr) return E_INVALIDARG;
        *impl = nullptr;
        settle();
        *impl = makeObject<WriterImpl>(writer, isExtended).detach();
        return S_OK;
    });
}

}  // namespace

extern "C" {

HRESULT STDAPICALLTYPE CreateVssBackupComponentsInternal(abi::IVssBackupComponents** backup) {
    return call("CreateVssBackupComponents", [&]() -> HRESULT {
        if (backup == nullptr) return E_INVALIDARG;
        *backup = nullptr;
        if (!settings().flag("elevated", true)) return E_ACCESSDENIED;
        settle();
        *backup = makeObject<Session>().detach();
        return S_OK;
    });
}

HRESULT STDAPICALLTYPE CreateVssExamineWriterMetadataInternal(BSTR xml, abi::IVssExamineWriterMetadata** metadata) {
    return call("CreateVssExamineWriterMetadata", [&]() -> HRESULT {
        if (xml == nullptr || metadata == nullptr) return E_INVALIDARG;
        *metadata = nullptr;
        settle();
        *metadata = makeWriterMetadata(writerFromDocument(parseXml(utf8({xml, SysStringLen(xml)})))).detach();
        return S_OK;
    });
}

void STDAPICALLTYPE VssFreeSnapshotPropertiesInternal(VSS_SNAPSHOT_PROP* properties) {
    if (properties != nullptr) freeSnapshotProperties(*properties);
}

HRESULT STDAPICALLTYPE IsVolumeSnapshottedInternal(VSS_PWSZ name, BOOL* present, LONG* capability) {
    return call("IsVolumeSnapshotted", [&]() -> HRESULT {
        if (name == nullptr || present == nullptr || capability == nullptr) return E_INVALIDARG;
        *present = FALSE;
        *capability = 0;
        const auto volume = findVolume(name);
        if (!volume) return VSS_E_OBJECT_NOT_FOUND;
        for (const Shadow& shadow : allShadows()) {
            if (shadow.volume == volume->guidName) *present = TRUE;
        }
        return S_OK;
    });
}

HRESULT STDAPICALLTYPE ShouldBlockRevertInternal(LPCWSTR name, bool* block) {
    return call("ShouldBlockRevert", [&]() -> HRESULT {
        if (name == nullptr || block == nullptr) return E_INVALIDARG;
        *block = false;
        const auto volume = findVolume(name);
        if (!volume) return VSS_E_OBJECT_NOT_FOUND;
        *block = volume->flag("block_revert", false);
        return S_OK;
    });
}

HRESULT STDAPICALLTYPE GetProviderMgmtInterfaceInternal(VSS_ID, IID, IUnknown** management) {
    return call("GetProviderMgmtInterface", [&]() -> HRESULT {
        if (management != nullptr) *management = nullptr;
        return E_NOTIMPL;
    });
}

HRESULT STDAPICALLTYPE CreateWriter(abi::WriterObject* writer, abi::IVssWriterImpl** impl) {
    return newWriter("CreateWriter", writer, impl, false);
}

HRESULT STDAPICALLTYPE CreateWriterEx(abi::WriterObject* writer, abi::IVssWriterImpl** impl) {
    return newWriter("CreateWriterEx", writer, impl, true);
}

HRESULT STDAPICALLTYPE VssSimulatorUnsupported() {
    return E_NOTIMPL;
}

/**
 * Writes the report as a line of `name=number`. Returns its length without the terminating 0, whatever the size of the
 * buffer.
 */
DWORD STDAPICALLTYPE VssSimulatorReport(char* buffer, DWORD bytes) {
    const std::string text = report();
    if (buffer != nullptr && bytes > 0) {
        const std::size_t copied = std::min<std::size_t>(text.size(), bytes - 1);
        std::memcpy(buffer, text.data(), copied);
        buffer[copied] = '\0';
    }
    return static_cast<DWORD>(text.size());
}

HRESULT STDAPICALLTYPE SimulatorGetClassObject(REFCLSID classId, REFIID id, void** object) {
    return call("DllGetClassObject", [&]() -> HRESULT {
        if (object == nullptr) return E_INVALIDARG;
        *object = nullptr;
        if (!IsEqualGUID(classId, abi::kCoordinatorClassId)) return CLASS_E_CLASSNOTAVAILABLE;
        settle();
        return makeCoordinatorFactory()->QueryInterface(id, object);
    });
}

HRESULT STDAPICALLTYPE SimulatorCanUnloadNow() {
    return S_FALSE;
}

BOOL WINAPI DllMain(HINSTANCE, DWORD reason, LPVOID) {
    if (reason == DLL_PROCESS_DETACH) writeExitReport();
    return TRUE;
}

}  // extern "C"
