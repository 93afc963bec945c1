// A writer without knowledge of the stand-in: its class has the layout that MSVC gives CVssWriterEx, the two functions
// come from GetProcAddress, the interfaces from mingw-w64's vswriter.h. Writes a line to its log for every event.
//
//   writer.exe log=FILE [id={…}] [instance=NAME] [level=N] [timeout=MS] [flags=N] [base=1] [OnEvent=ACTION] …
//
// ACTION: veto:CODE, warn:CODE, elsewhere:CODE (on another thread), sleep:MS, die, false, unsubscribe. Ends when
// FILE.stop exists.

#include <windows.h>
// after windows.h
#include <vss.h>
#include <vswriter.h>

#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace {

std::map<std::string, std::string> options;

std::string option(const std::string& name, const char* otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
}

std::wstring wide(const std::string& text) {
    return {text.begin(), text.end()};
}

std::string narrow(const wchar_t* text) {
    if (text == nullptr) return "(null)";
    const std::wstring whole(text);
    return {whole.begin(), whole.end()};
}

void log(const std::string& line) {
    const HANDLE file = CreateFileW(wide(option("log", "")).c_str(), FILE_APPEND_DATA,
                                    FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_ALWAYS, 0, nullptr);
    const std::string text = line + "\n";
    DWORD wrote = 0;
    WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &wrote, nullptr);
    CloseHandle(file);
}

std::string guid(const GUID& id) {
    wchar_t text[40];
    StringFromGUID2(id, text, 40);
    return narrow(text);
}

std::string hex(HRESULT result) {
    char text[16];
    std::snprintf(text, sizeof text, "%08lx", static_cast<unsigned long>(result));
    return text;
}

/** CVssWriterEx as MSVC lays it out: one slot for the destructor, then the events. */
class Writer {
public:
    virtual void* STDMETHODCALLTYPE deletingDestructor(unsigned) { return this; }
    virtual bool STDMETHODCALLTYPE OnIdentify(IVssCreateWriterMetadata* metadata) {
        return identify("OnIdentify", metadata);
    }
    virtual bool STDMETHODCALLTYPE OnPrepareBackup(IVssWriterComponents* components) {
        return event("OnPrepareBackup", components);
    }
    virtual bool STDMETHODCALLTYPE OnPrepareSnapshot() { return event("OnPrepareSnapshot"); }
    virtual bool STDMETHODCALLTYPE OnFreeze() { return event("OnFreeze"); }
    virtual bool STDMETHODCALLTYPE OnThaw() { return event("OnThaw"); }
    virtual bool STDMETHODCALLTYPE OnAbort() { return event("OnAbort"); }
    virtual bool STDMETHODCALLTYPE OnBackupComplete(IVssWriterComponents* components) {
        return event("OnBackupComplete", components);
    }
    virtual bool STDMETHODCALLTYPE OnBackupShutdown(VSS_ID set) {
        return event("OnBackupShutdown", nullptr, " told=" + guid(set));
    }
    virtual bool STDMETHODCALLTYPE OnPreRestore(IVssWriterComponents* components) {
        return event("OnPreRestore", components);
    }
    virtual bool STDMETHODCALLTYPE OnPostRestore(IVssWriterComponents* components) {
        return event("OnPostRestore", components);
    }
    virtual bool STDMETHODCALLTYPE OnPostSnapshot(IVssWriterComponents* components) {
        LPCWSTR device = nullptr;
        const HRESULT result = impl_->GetSnapshotDeviceName(L"C:\\", &device);
        return event("OnPostSnapshot", components, " device=" + (result == S_OK ? narrow(device) : hex(result)));
    }
    virtual bool STDMETHODCALLTYPE OnBackOffIOOnVolume(VSS_PWSZ, VSS_ID, VSS_ID) { return true; }
    virtual bool STDMETHODCALLTYPE OnContinueIOOnVolume(VSS_PWSZ, VSS_ID, VSS_ID) { return true; }
    virtual bool STDMETHODCALLTYPE OnVSSShutdown() { return true; }
    virtual bool STDMETHODCALLTYPE OnVSSApplicationStartup() { return true; }
    virtual bool STDMETHODCALLTYPE OnIdentifyEx(IVssCreateWriterMetadataEx* metadata) {
        return identify("OnIdentifyEx", metadata) &&
               metadata->AddExcludeFilesFromSnapshot(L"C:\\Data", L"*.tmp", true) == S_OK;
    }

    HRESULT start() {
        using Create = HRESULT(STDMETHODCALLTYPE*)(Writer*, IVssWriterImpl**);
        const HMODULE library = LoadLibraryW(L"vssapi.dll");
        const char* name = options.contains("base") ? "CreateWriter" : "CreateWriterEx";
        const auto create = reinterpret_cast<Create>(reinterpret_cast<void*>(GetProcAddress(library, name)));
        HRESULT result = create == nullptr ? E_NOTIMPL : create(this, &impl_);
        if (result != S_OK) return result;
        GUID id{};
        CLSIDFromString(wide(option("id", "{5f6d1a3e-0c1b-4c55-9b1c-7a1fb1d0c001}")).c_str(), &id);
        const std::wstring instance = wide(option("instance", ""));
        result = impl_->Initialize(
            id, L"Test Writer", instance.empty() ? nullptr : instance.c_str(), 3, 4, VSS_UT_USERDATA,
            VSS_ST_TRANSACTEDDB, static_cast<VSS_APPLICATION_LEVEL>(std::stoi(option("level", "3"))),
            static_cast<DWORD>(std::stoul(option("timeout", "60000"))), VSS_AWS_NO_ALTERNATE_WRITER, false);
        if (result != S_OK) return result;
        return impl_->Subscribe(0, static_cast<DWORD>(std::stoul(option("flags", "6"))));
    }

    void stop() {
        log("unsubscribed " + hex(impl_->Unsubscribe()));
        impl_->Uninitialize();
        impl_->Release();
    }

private:
    /** Logs the data passed with the event and does what the option for this event says. */
    bool event(const std::string& name, IVssWriterComponents* components = nullptr, const std::string& more = "") {
        UINT count = 0;
        if (components != nullptr) components->GetComponentCount(&count);
        const VSS_ID set = impl_->GetCurrentSnapshotSetId();
        char text[256];
        std::snprintf(text, sizeof text, " context=%lx volumes=%u selected=%d affected=%d%d components=%s",
                      impl_->GetContext(), impl_->GetCurrentVolumeCount(), impl_->AreComponentsSelected(),
                      impl_->IsPathAffected(L"C:\\Data"), impl_->IsPathAffected(L"D:\\Data"),
                      components == nullptr ? "none" : std::to_string(count).c_str());
        log(name + " tid=" + std::to_string(GetCurrentThreadId()) + " set=" + guid(set) + text + more);
        const bool result = act(option(name, ""));
        log(name + " ends");
        return result;
    }

    bool act(const std::string& action) {
        const std::size_t colon = action.find(':');
        const std::string what = action.substr(0, colon);
        const std::string value = colon == std::string::npos ? "" : action.substr(colon + 1);
        if (what == "die") TerminateProcess(GetCurrentProcess(), 9);
        if (what == "sleep") Sleep(static_cast<DWORD>(std::stoul(value)));
        if (what == "veto" || what == "warn") {
            const auto code = static_cast<HRESULT>(std::stoul(value, nullptr, 16));
            log("set " + hex(impl_->SetWriterFailureEx(code, 3748, L"a database is busy")));
        }
        if (what == "elsewhere") {
            const auto code = static_cast<HRESULT>(std::stoul(value, nullptr, 16));
            std::thread([&] {
                CoInitializeEx(nullptr, COINIT_MULTITHREADED);
                VSS_ID session{};
                log("set elsewhere " + hex(impl_->SetWriterFailure(code)) + " " + hex(impl_->GetSessionId(&session)) +
                    " volumes=" + std::to_string(impl_->GetCurrentVolumeCount()));
                CoUninitialize();
            }).join();
        }
        if (what == "unsubscribe") log("unsubscribed inside " + hex(impl_->Unsubscribe()));
        return what != "veto" && what != "false";
    }

    bool identify(const std::string& name, IVssCreateWriterMetadata* metadata) {
        log(name + " tid=" + std::to_string(GetCurrentThreadId()));
        if (metadata->AddComponent(VSS_CT_FILEGROUP, L"Server", L"Databases", L"All databases", nullptr, 0, false,
                                   false, true, true, VSS_CF_BACKUP_RECOVERY) != S_OK ||
            metadata->AddFilesToFileGroup(L"Server", L"Databases", L"C:\\Data", L"*.nsf", true, nullptr, 0xf0f) !=
                S_OK ||
            metadata->AddExcludeFiles(L"C:\\Data", L"*.tmp", true) != S_OK ||
            metadata->SetRestoreMethod(VSS_RME_RESTORE_IF_CAN_REPLACE, nullptr, nullptr, VSS_WRE_ALWAYS, false) !=
                S_OK ||
            metadata->SetBackupSchema(VSS_BS_COPY | VSS_BS_TIMESTAMPED) != S_OK) {
            log("the metadata were refused");
            return false;
        }
        return act(option(name, ""));
    }

    IVssWriterImpl* impl_ = nullptr;
};
static_assert(sizeof(Writer) == 16);

}  // namespace

int main(int argc, char** argv) {
    for (int i = 1; i < argc; ++i) {
        const std::string argument = argv[i];
        const std::size_t equals = argument.find('=');
        options[argument.substr(0, equals)] = argument.substr(equals + 1);
    }
    CoInitializeEx(nullptr, COINIT_MULTITHREADED);
    Writer writer;
    const HRESULT result = writer.start();
    log("started " + hex(result) + " tid=" + std::to_string(GetCurrentThreadId()));
    if (result != S_OK) return 1;
    const std::wstring stop = wide(option("log", "") + ".stop");
    while (GetFileAttributesW(stop.c_str()) == INVALID_FILE_ATTRIBUTES) Sleep(10);
    writer.stop();
    CoUninitialize();
    return 0;
}
