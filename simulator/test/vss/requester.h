#pragma once
// Shared by the test programs: mingw-w64's vsbackup.h, and failures that report their line.

#include <windows.h>
// after windows.h
#include <vsbackup.h>
#include <vss.h>
#include <vswriter.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

inline void require(bool isTrue, const char* text, int line) {
    if (isTrue) return;
    std::printf("line %d: %s\n", line, text);
    std::fflush(stdout);
    std::_Exit(1);
}

inline void requireResult(HRESULT expected, HRESULT actual, const char* text, int line) {
    if (actual == expected) return;
    std::printf("line %d: %s gave 0x%08lx, not 0x%08lx\n", line, text, static_cast<unsigned long>(actual),
                static_cast<unsigned long>(expected));
    std::fflush(stdout);
    std::_Exit(1);
}

#define CHECK(condition) require(condition, #condition, __LINE__)
#define GIVES(expected, expression) requireResult(static_cast<HRESULT>(expected), expression, #expression, __LINE__)
#define OK(expression) GIVES(S_OK, expression)

template <class T>
class Ptr {
public:
    Ptr() = default;
    Ptr(const Ptr&) = delete;
    Ptr& operator=(const Ptr&) = delete;
    ~Ptr() { reset(); }
    T** out() {
        reset();
        return &object_;
    }
    T* operator->() const { return object_; }
    T* get() const { return object_; }
    void reset() {
        if (object_) object_->Release();
        object_ = nullptr;
    }

private:
    T* object_ = nullptr;
};

using Backup = Ptr<IVssBackupComponents>;

/** Waits and returns the final result of QueryStatus. */
inline HRESULT finish(Ptr<IVssAsync>& async) {
    OK(async->Wait(INFINITE));
    HRESULT status = E_FAIL;
    OK(async->QueryStatus(&status, nullptr));
    CHECK(status != VSS_S_ASYNC_PENDING);
    return status;
}

inline wchar_t* writable(const wchar_t* text) {
    return const_cast<wchar_t*>(text);
}

inline std::string readFile(const std::wstring& name) {
    const HANDLE file = CreateFileW(name.c_str(), GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return "(none)";
    char text[4096];
    DWORD read = 0;
    ReadFile(file, text, sizeof text, &read, nullptr);
    CloseHandle(file);
    return {text, read};
}

inline void writeFile(const std::wstring& name, const std::string& text) {
    const HANDLE file = CreateFileW(name.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, 0, nullptr);
    CHECK(file != INVALID_HANDLE_VALUE);
    DWORD wrote = 0;
    CHECK(WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &wrote, nullptr));
    CloseHandle(file);
}

/** Performs all steps up to the created shadow. Returns its id. */
inline VSS_ID createShadow(Backup& backup, LONG context, const wchar_t* volume) {
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    if (context != VSS_CTX_BACKUP) OK(backup->SetContext(context));
    const bool hasWriters = !(context & VSS_VOLSNAP_ATTR_NO_WRITERS);
    if (hasWriters) {
        OK(backup->SetBackupState(false, false, VSS_BT_COPY, false));
        OK(backup->GatherWriterMetadata(async.out()));
        GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    }
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(volume), GUID_NULL, &snapshot));
    if (hasWriters) {
        OK(backup->PrepareForBackup(async.out()));
        GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    }
    OK(backup->DoSnapshotSet(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    return snapshot;
}

inline void initialise(Backup& backup) {
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
}

inline void gather(Backup& backup) {
    Ptr<IVssAsync> async;
    OK(backup->GatherWriterMetadata(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
}

inline void prepareAndDo(Backup& backup) {
    Ptr<IVssAsync> async;
    OK(backup->PrepareForBackup(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    OK(backup->DoSnapshotSet(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
}

inline BSTR documentOf(Backup& backup) {
    BSTR document = nullptr;
    OK(backup->SaveAsXML(&document));
    return document;
}

inline std::wstring deviceOf(Backup& backup, const VSS_ID& snapshot) {
    VSS_SNAPSHOT_PROP properties{};
    OK(backup->GetSnapshotProperties(snapshot, &properties));
    std::wstring device = properties.m_pwszSnapshotDeviceObject;
    VssFreeSnapshotProperties(&properties);
    return device;
}

/** The instance ids of a class, in the order of GetWriterMetadata. */
inline std::vector<VSS_ID> instancesOf(Backup& backup, const GUID& writerClass) {
    std::vector<VSS_ID> instances;
    UINT count = 0;
    OK(backup->GetWriterMetadataCount(&count));
    for (UINT i = 0; i < count; ++i) {
        VSS_ID instance{};
        VSS_ID other{};
        VSS_ID writer{};
        BSTR name = nullptr;
        VSS_USAGE_TYPE usage{};
        VSS_SOURCE_TYPE source{};
        Ptr<IVssExamineWriterMetadata> metadata;
        OK(backup->GetWriterMetadata(i, &instance, metadata.out()));
        OK(metadata->GetIdentity(&other, &writer, &name, &usage, &source));
        SysFreeString(name);
        if (IsEqualGUID(writer, writerClass)) instances.push_back(instance);
    }
    return instances;
}

/** The status of a writer, from IVssBackupComponentsEx3::GetWriterStatusEx. */
struct WriterStatus {
    VSS_WRITER_STATE state{};
    HRESULT failure = S_OK;
    HRESULT application = S_OK;
    std::wstring message;
};

/** The current statuses of all writers of a class. */
inline std::vector<WriterStatus> statusesOf(Backup& backup, const GUID& writerClass) {
    std::vector<WriterStatus> statuses;
    Ptr<IVssAsync> async;
    Ptr<IVssBackupComponentsEx3> extended;
    OK(backup->QueryInterface(IID_PPV_ARGS(extended.out())));
    OK(backup->GatherWriterStatus(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    UINT count = 0;
    OK(backup->GetWriterStatusCount(&count));
    for (UINT i = 0; i < count; ++i) {
        VSS_ID instance{};
        VSS_ID writer{};
        BSTR name = nullptr;
        BSTR message = nullptr;
        WriterStatus one;
        OK(extended->GetWriterStatusEx(i, &instance, &writer, &name, &one.state, &one.failure, &one.application,
                                       &message));
        if (message != nullptr) one.message = message;
        SysFreeString(name);
        SysFreeString(message);
        if (IsEqualGUID(writer, writerClass)) statuses.push_back(one);
    }
    OK(backup->FreeWriterStatus());
    return statuses;
}

inline HRESULT expose(Backup& backup, const VSS_ID& snapshot, LONG how, const wchar_t* place) {
    VSS_PWSZ exposed = nullptr;
    const HRESULT result = backup->ExposeSnapshot(snapshot, nullptr, how, writable(place), &exposed);
    CHECK((result == S_OK) == (exposed != nullptr));
    CoTaskMemFree(exposed);
    return result;
}

inline void deleteShadow(Backup& backup, const VSS_ID& snapshot) {
    LONG deleted = 0;
    VSS_ID notDeleted{};
    OK(backup->DeleteSnapshots(snapshot, VSS_OBJECT_SNAPSHOT, TRUE, &deleted, &notDeleted));
}

/** The modes of a program, by the first argument. */
using Modes = std::map<std::string, void (*)()>;

/** The common part of main(). */
inline int runMode(const Modes& modes, int argc, char** argv) {
    const auto mode = modes.find(argc == 2 ? argv[1] : "");
    CHECK(mode != modes.end());
    OK(CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    CreateDirectoryW(L"C:\\Data", nullptr);
    mode->second();
    CoUninitialize();
    std::puts("ok");
    return 0;
}
