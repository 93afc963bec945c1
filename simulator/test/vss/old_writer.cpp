// A writer as programs of 2003 are: its base class CVssWriter lives in vssapi.dll, whose decorated members it calls.
// Logs like writer.cpp.
//
//   old_writer.exe log=FILE [veto=1]
//
// Ends when FILE.stop exists.

#include <windows.h>
// after windows.h
#include <vss.h>
#include <vswriter.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

std::string logFile;
bool vetoes = false;

std::wstring wide(const std::string& text) {
    return {text.begin(), text.end()};
}

void log(const std::string& line) {
    const HANDLE file = CreateFileW(wide(logFile).c_str(), FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                    nullptr, OPEN_ALWAYS, 0, nullptr);
    const std::string text = line + "\n";
    DWORD wrote = 0;
    WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &wrote, nullptr);
    CloseHandle(file);
}

std::string hex(HRESULT result) {
    char text[16];
    std::snprintf(text, sizeof text, "%08lx", static_cast<unsigned long>(result));
    return text;
}

struct Object;

/** A member that the DLL exports, by its name and what follows the class in it. */
template <typename Result, typename... Arguments>
Result call(const char* name, const char* kind, Arguments... arguments) {
    const std::string decorated = std::string("?") + name + "@CVssWriter@@" + kind;
    using Function = Result(STDMETHODCALLTYPE*)(Arguments...);
    const auto function = reinterpret_cast<Function>(
        reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"vssapi.dll"), decorated.c_str())));
    if (function == nullptr) {
        log("missing " + decorated);
        std::exit(5);
    }
    return function(arguments...);
}

constexpr std::size_t kSlots = 16;

/** CVssWriter. */
struct Object {
    const std::array<void*, kSlots>* table;
    IVssWriterImpl* impl;
};
static_assert(sizeof(Object) == 16);

HRESULT initialise(Object* self) {
    VSS_ID id{0x5f6d1a3e, 0x0c1b, 0x4c55, {0x9b, 0x1c, 0x7a, 0x1f, 0xb1, 0xd0, 0xc0, 0x01}};
    return call<HRESULT, Object*, VSS_ID, LPCWSTR, VSS_USAGE_TYPE, VSS_SOURCE_TYPE, VSS_APPLICATION_LEVEL, DWORD,
                VSS_ALTERNATE_WRITER_STATE, bool, LPCWSTR>(
        "Initialize",
        "QEAAJU_GUID@@PEBGW4VSS_USAGE_TYPE@@W4VSS_SOURCE_TYPE@@W4_VSS_APPLICATION_LEVEL@@KW4VSS_ALTERNATE_WRITER_STATE@"
        "@_N1@Z",
        self, id, L"Old Writer", VSS_UT_USERDATA, VSS_ST_OTHER, VSS_APP_BACK_END, 60000, VSS_AWS_NO_ALTERNATE_WRITER,
        false, L"old");
}

HRESULT subscribe(Object* self) {
    return call<HRESULT, Object*, DWORD>("Subscribe", "QEAAJK@Z", self, 6);
}

HRESULT unsubscribe(Object* self) {
    return call<HRESULT, Object*>("Unsubscribe", "QEAAJXZ", self);
}

/** All that it can ask, in one line. */
void logEvent(const char* name, Object* self) {
    VSS_ID set{};
    // MSVC returns a structure through a hidden pointer after `this`.
    const VSS_ID* const returned =
        call<VSS_ID*, Object*, VSS_ID*>("GetCurrentSnapshotSetId", "IEBA?AU_GUID@@XZ", self, &set);
    LPCWSTR device = nullptr;
    const HRESULT found = call<HRESULT, Object*, LPCWSTR, LPCWSTR*>("GetSnapshotDeviceName", "IEBAJPEBGPEAPEBG@Z", self,
                                                                    L"C:\\", &device);
    LPCWSTR* const volumes = call<LPCWSTR*, Object*>("GetCurrentVolumeArray", "IEBAPEAPEBGXZ", self);
    char text[256];
    std::snprintf(
        text, sizeof text,
        " set=%d context=%lx volumes=%u array=%d affected=%d%d selected=%d system=%d partial=%d level=%d backup=%d "
        "restore=%d device=",
        returned == &set && !IsEqualGUID(set, GUID_NULL), call<LONG, Object*>("GetContext", "IEBAJXZ", self),
        call<UINT, Object*>("GetCurrentVolumeCount", "IEBAIXZ", self), volumes != nullptr,
        call<bool, Object*, LPCWSTR>("IsPathAffected", "IEBA_NPEBG@Z", self, L"C:\\Data"),
        call<bool, Object*, LPCWSTR>("IsPathAffected", "IEBA_NPEBG@Z", self, L"D:\\Data"),
        call<bool, Object*>("AreComponentsSelected", "IEBA_NXZ", self),
        call<bool, Object*>("IsBootableSystemStateBackedUp", "IEBA_NXZ", self),
        call<bool, Object*>("IsPartialFileSupportEnabled", "IEBA_NXZ", self),
        call<VSS_APPLICATION_LEVEL, Object*>("GetCurrentLevel", "IEBA?AW4_VSS_APPLICATION_LEVEL@@XZ", self),
        call<VSS_BACKUP_TYPE, Object*>("GetBackupType", "IEBA?AW4_VSS_BACKUP_TYPE@@XZ", self),
        call<VSS_RESTORE_TYPE, Object*>("GetRestoreType", "IEBA?AW4_VSS_RESTORE_TYPE@@XZ", self));
    log(name + std::string(text) + (found == S_OK ? "yes" : hex(found)));
}

bool STDMETHODCALLTYPE identify(Object*, IVssCreateWriterMetadata* metadata) {
    log("OnIdentify");
    return metadata->AddComponent(VSS_CT_FILEGROUP, L"Server", L"Databases", L"All databases", nullptr, 0, false, false,
                                  true, true, 0) == S_OK &&
           metadata->AddFilesToFileGroup(L"Server", L"Databases", L"C:\\Data", L"*.nsf", true, nullptr, 0xf0f) == S_OK;
}

bool STDMETHODCALLTYPE prepareSnapshot(Object* self) {
    logEvent("OnPrepareSnapshot", self);
    return true;
}

bool STDMETHODCALLTYPE freeze(Object* self) {
    logEvent("OnFreeze", self);
    if (vetoes) log("set " + hex(call<HRESULT, Object*, HRESULT>("SetWriterFailure", "IEAAJJ@Z", self, 0x800423f3)));
    return !vetoes;
}

bool STDMETHODCALLTYPE thaw(Object* self) {
    logEvent("OnThaw", self);
    return true;
}

bool STDMETHODCALLTYPE giveUp(Object* self) {
    logEvent("OnAbort", self);
    return true;
}

bool STDMETHODCALLTYPE postSnapshot(Object* self, IVssWriterComponents*) {
    logEvent("OnPostSnapshot", self);
    return true;
}

void* STDMETHODCALLTYPE destroy(Object* self, unsigned) {
    return self;
}

void* exported(const std::string& decorated) {
    void* const found = reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"vssapi.dll"), decorated.c_str()));
    if (found == nullptr) {
        log("missing " + decorated);
        std::exit(5);
    }
    return found;
}

/** An event with components whose body is in the DLL. */
void* inherited(const char* event) {
    return exported(std::string("?") + event + "@CVssWriter@@UEAA_NPEAVIVssWriterComponents@@@Z");
}

template <typename Function>
void* own(Function function) {
    return reinterpret_cast<void*>(function);
}

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        if (argument.starts_with("log=")) logFile = argument.substr(4);
        if (argument == "veto=1") vetoes = true;
    }
    CoInitializeEx(nullptr, COINIT_MULTITHREADED);
    LoadLibraryW(L"vssapi.dll");
    const std::array<void*, kSlots> table = {
        own(destroy),
        own(identify),
        inherited("OnPrepareBackup"),
        own(prepareSnapshot),
        own(freeze),
        own(thaw),
        own(giveUp),
        inherited("OnBackupComplete"),
        exported("?OnBackupShutdown@CVssWriter@@UEAA_NU_GUID@@@Z"),
        inherited("OnPreRestore"),
        inherited("OnPostRestore"),
        own(postSnapshot),
        exported("?OnBackOffIOOnVolume@CVssWriter@@UEAA_NPEAGU_GUID@@1@Z"),
        exported("?OnContinueIOOnVolume@CVssWriter@@UEAA_NPEAGU_GUID@@1@Z"),
        exported("?OnVSSShutdown@CVssWriter@@UEAA_NXZ"),
        exported("?OnVSSApplicationStartup@CVssWriter@@UEAA_NXZ"),
    };
    // These it overrides, like every writer, but a derived class may call them.
    inherited("OnPostSnapshot");
    exported("?OnIdentify@CVssWriter@@UEAA_NPEAVIVssCreateWriterMetadata@@@Z");
    exported("?InstallAlternateWriter@CVssWriter@@QEAAJU_GUID@@0@Z");

    Object object{nullptr, reinterpret_cast<IVssWriterImpl*>(1)};
    using Construct = Object*(STDMETHODCALLTYPE*)(Object*);
    using Destroy = void(STDMETHODCALLTYPE*)(Object*);
    const auto construct = reinterpret_cast<Construct>(exported("??0CVssWriter@@QEAA@XZ"));
    const auto destruct = reinterpret_cast<Destroy>(exported("??1CVssWriter@@UEAA@XZ"));
    if (construct(&object) != &object || object.impl != nullptr) return 6;
    object.table = &table;
    logEvent("before", &object);
    log("early " + hex(subscribe(&object)) + " " + hex(unsubscribe(&object)));
    const HRESULT first = initialise(&object);
    log("twice " + hex(first) + " " + hex(initialise(&object)));
    const HRESULT result = subscribe(&object);
    log("started " + hex(result));
    if (result != S_OK) return 1;
    const std::wstring stop = wide(logFile + ".stop");
    while (GetFileAttributesW(stop.c_str()) == INVALID_FILE_ATTRIBUTES) Sleep(10);
    log("unsubscribed " + hex(unsubscribe(&object)));
    destruct(&object);
    if (object.impl != nullptr) return 7;
    CoUninitialize();
    return 0;
}
