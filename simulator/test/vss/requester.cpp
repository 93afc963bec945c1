// Requesters that know vsbackup.h but nothing about the stand-in, linked against the system's import library. The first
// argument selects one; exit code 0 and "ok" mean that everything behaved like the real service.

#include "requester.h"

#include <chrono>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

namespace {

constexpr GUID kSqlWriter{0xa65faa63, 0x5ea8, 0x4ebc, {0x9d, 0xbd, 0xa0, 0xc4, 0xdb, 0x26, 0x91, 0x2a}};
constexpr GUID kSystemProvider{0xb5946137, 0x7b9f, 0x4925, {0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5}};
constexpr GUID kUnknownProvider{0x11111111, 0, 0, {1}};

struct Status {
    VSS_WRITER_STATE state;
    HRESULT failure;
};

std::map<std::wstring, Status> writerStatus(Backup& backup) {
    std::map<std::wstring, Status> result;
    Ptr<IVssAsync> async;
    OK(backup->GatherWriterStatus(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    UINT count = 0;
    OK(backup->GetWriterStatusCount(&count));
    for (UINT i = 0; i < count; ++i) {
        VSS_ID instance{};
        VSS_ID writer{};
        BSTR name = nullptr;
        Status status{};
        OK(backup->GetWriterStatus(i, &instance, &writer, &name, &status.state, &status.failure));
        CHECK(!IsEqualGUID(instance, writer));
        result[name] = status;
        SysFreeString(name);
    }
    GIVES(VSS_E_OBJECT_NOT_FOUND, [&] {
        VSS_ID instance{};
        VSS_ID writer{};
        BSTR name = nullptr;
        Status status{};
        return backup->GetWriterStatus(count, &instance, &writer, &name, &status.state, &status.failure);
    }());
    OK(backup->FreeWriterStatus());
    return result;
}

/** All shadows visible to a new requester. */
std::vector<VSS_ID> shadowsSeen(LONG context) {
    Backup backup;
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(context));
    Ptr<IVssEnumObject> objects;
    const HRESULT result = backup->Query(GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT, objects.out());
    std::vector<VSS_ID> ids;
    while (true) {
        VSS_OBJECT_PROP object{};
        ULONG fetched = 7;
        CHECK(SUCCEEDED(objects->Next(1, &object, &fetched)));
        if (fetched == 0) break;
        CHECK(object.Type == VSS_OBJECT_SNAPSHOT);
        ids.push_back(object.Obj.Snap.m_SnapshotId);
        VssFreeSnapshotProperties(&object.Obj.Snap);
    }
    GIVES(ids.empty() ? S_FALSE : S_OK, result);
    return ids;
}

void noWriters() {
    writeFile(L"C:\\Data\\before.txt", "before");
    Backup backup;
    const VSS_ID snapshot = createShadow(backup, VSS_CTX_FILE_SHARE_BACKUP, L"c:\\");
    writeFile(L"C:\\Data\\before.txt", "after");
    writeFile(L"C:\\Data\\new.txt", "new");

    VSS_SNAPSHOT_PROP properties{};
    OK(backup->GetSnapshotProperties(snapshot, &properties));
    const std::wstring device = properties.m_pwszSnapshotDeviceObject;
    CHECK(device.starts_with(L"\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy"));
    CHECK(device.back() != L'\\');
    wchar_t name[64];
    CHECK(GetVolumeNameForVolumeMountPointW(L"C:\\", name, 64));
    CHECK(std::wcscmp(name, properties.m_pwszOriginalVolumeName) == 0);
    CHECK(properties.m_lSnapshotAttributes == (LONG{VSS_CTX_FILE_SHARE_BACKUP} | LONG{VSS_VOLSNAP_ATTR_DIFFERENTIAL}));
    CHECK(IsEqualGUID(properties.m_ProviderId, kSystemProvider));
    CHECK(properties.m_lSnapshotsCount == 1 && properties.m_eStatus == VSS_SS_CREATED);
    CHECK(properties.m_pwszExposedName == nullptr);
    VssFreeSnapshotProperties(&properties);

    CHECK(readFile(device + L"\\data\\BEFORE.txt") == "before");
    CHECK(readFile(device + L"\\Data\\new.txt") == "(none)");
    Ptr<IVssAsync> async;
    GIVES(VSS_E_BAD_STATE, backup->BackupComplete(async.out()));
    backup.reset();
    CHECK(readFile(device + L"\\Data\\before.txt") == "(none)");
    CHECK(shadowsSeen(static_cast<LONG>(VSS_CTX_ALL)).empty());
}

void writers() {
    Backup backup;
    Ptr<IVssAsync> async;
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetBackupState(true, false, VSS_BT_FULL, false));
    OK(backup->GatherWriterMetadata(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    GIVES(VSS_E_BAD_STATE, backup->GatherWriterMetadata(async.out()));

    UINT count = 0;
    OK(backup->GetWriterMetadataCount(&count));
    CHECK(count >= 4);
    VSS_ID sqlInstance{};
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
        CHECK(IsEqualGUID(instance, other) && !IsEqualGUID(instance, writer));
        SysFreeString(name);
        BSTR xml = nullptr;
        OK(metadata->SaveAsXML(&xml));
        CHECK(std::wcsstr(xml, L"x-schema:#VssWriterMetadataInfo") != nullptr);
        Ptr<IVssExamineWriterMetadata> again;
        OK(CreateVssExamineWriterMetadata(xml, again.out()));
        BSTR repeated = nullptr;
        OK(again->SaveAsXML(&repeated));
        CHECK(std::wcscmp(xml, repeated) == 0);
        SysFreeString(repeated);
        SysFreeString(xml);
        if (!IsEqualGUID(writer, kSqlWriter)) continue;
        sqlInstance = instance;
        UINT included = 0;
        UINT excluded = 0;
        UINT components = 0;
        OK(metadata->GetFileCounts(&included, &excluded, &components));
        CHECK(components == 4);
        Ptr<IVssWMComponent> component;
        OK(metadata->GetComponent(0, component.out()));
        PVSSCOMPONENTINFO info = nullptr;
        OK(component->GetComponentInfo(&info));
        CHECK(info->type == VSS_CT_DATABASE && info->cDatabases == 1 && info->cLogFiles == 1 && info->bSelectable);
        CHECK(std::wcscmp(info->bstrComponentName, L"master") == 0);
        CHECK(std::wcscmp(info->bstrLogicalPath, L"SERVER") == 0);
        Ptr<IVssWMFiledesc> file;
        OK(component->GetDatabaseFile(0, file.out()));
        BSTR spec = nullptr;
        OK(file->GetFilespec(&spec));
        CHECK(std::wcscmp(spec, L"master.mdf") == 0);
        SysFreeString(spec);
        GIVES(VSS_E_OBJECT_NOT_FOUND, component->GetDatabaseFile(1, file.out()));
        OK(component->FreeComponentInfo(info));
    }
    OK(backup->AddComponent(sqlInstance, kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales"));
    GIVES(VSS_E_OBJECT_ALREADY_EXISTS,
          backup->AddComponent(sqlInstance, kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales"));
    OK(backup->FreeWriterMetadata());

    VSS_ID set{};
    VSS_ID snapshot{};
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    GIVES(VSS_E_OBJECT_ALREADY_EXISTS, backup->AddToSnapshotSet(writable(L"c:\\"), GUID_NULL, &snapshot));
    OK(backup->PrepareForBackup(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    CHECK(writerStatus(backup)[L"SqlServerWriter"].state == VSS_WS_STABLE);
    OK(backup->DoSnapshotSet(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    auto status = writerStatus(backup);
    CHECK(status[L"SqlServerWriter"].state == VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
    CHECK(status[L"Registry Writer"].state == VSS_WS_STABLE);  // none of its components was selected
    OK(backup->SetBackupSucceeded(sqlInstance, kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales", true));
    OK(backup->BackupComplete(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    CHECK(writerStatus(backup)[L"SqlServerWriter"].state == VSS_WS_STABLE);
    BSTR document = nullptr;
    OK(backup->SaveAsXML(&document));
    LONG deleted = 0;
    VSS_ID notDeleted{};
    OK(backup->DeleteSnapshots(set, VSS_OBJECT_SNAPSHOT_SET, TRUE, &deleted, &notDeleted));
    CHECK(deleted == 1 && IsEqualGUID(notDeleted, GUID_NULL));
    backup.reset();

    // The restore, from the document.
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForRestore(document));
    OK(backup->GatherWriterMetadata(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    OK(backup->GetWriterComponentsCount(&count));
    CHECK(count == 1);
    IVssWriterComponentsExt* components = nullptr;
    OK(backup->GetWriterComponents(0, &components));
    VSS_ID instance{};
    VSS_ID writer{};
    OK(components->GetWriterInfo(&instance, &writer));
    CHECK(IsEqualGUID(writer, kSqlWriter) && IsEqualGUID(instance, sqlInstance));
    Ptr<IVssComponent> component;
    OK(components->GetComponent(0, component.out()));
    BSTR name = nullptr;
    OK(component->GetComponentName(&name));
    CHECK(std::wcscmp(name, L"sales") == 0);
    SysFreeString(name);
    boolean flag = 0;
    OK(component->GetBackupSucceeded(&flag));
    CHECK(flag == 1);
    OK(backup->SetSelectedForRestore(kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales", true));
    OK(component->IsSelectedForRestore(&flag));
    CHECK(flag == 1);
    // mingw-w64's class lacks the second base; IUnknown is at the second vtable pointer.
    auto* unknown = reinterpret_cast<IUnknown*>(reinterpret_cast<char*>(components) + sizeof(void*));
    CHECK(unknown->AddRef() == 2);
    CHECK(unknown->Release() == 1);
    CHECK(unknown->Release() == 0);
    GIVES(VSS_E_BAD_STATE, backup->PostRestore(async.out()));
    OK(backup->PreRestore(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    OK(backup->SetFileRestoreStatus(kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales", VSS_RS_ALL));
    OK(backup->PostRestore(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    SysFreeString(document);
}

/** The smallest possible backup: no metadata, no status, no end. */
void minimal() {
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(VSS_CTX_BACKUP));
    OK(backup->SetBackupState(false, false, VSS_BT_COPY, false));
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    OK(backup->PrepareForBackup(async.out()));
    OK(async->Wait(INFINITE));
    OK(backup->DoSnapshotSet(async.out()));
    OK(async->Wait(INFINITE));
    CHECK(deviceOf(backup, snapshot).size() > 40);
}

/** The settings allow it. */
void earlyDocument() {
    Backup backup;
    BSTR xml = nullptr;
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SaveAsXML(&xml));
    SysFreeString(xml);
}

void badStates() {
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID id{};
    UINT count = 0;
    BOOL supported = FALSE;
    LONG deleted = 0;
    BSTR xml = nullptr;
    VSS_SNAPSHOT_PROP properties{};
    Ptr<IVssEnumObject> objects;
    GIVES(E_INVALIDARG, CreateVssBackupComponents(nullptr));
    OK(CreateVssBackupComponents(backup.out()));

    // Before InitializeForBackup; NULL is an invalid argument even then.
    GIVES(E_INVALIDARG, backup->GetWriterComponentsCount(nullptr));
    GIVES(E_INVALIDARG, backup->StartSnapshotSet(nullptr));
    GIVES(VSS_E_BAD_STATE, backup->GetWriterComponentsCount(&count));
    GIVES(VSS_E_BAD_STATE, backup->SetContext(VSS_CTX_BACKUP));
    GIVES(VSS_E_BAD_STATE, backup->SetBackupState(false, false, VSS_BT_COPY, false));
    GIVES(VSS_E_BAD_STATE, backup->GatherWriterMetadata(async.out()));
    GIVES(VSS_E_BAD_STATE, backup->StartSnapshotSet(&id));
    GIVES(VSS_E_BAD_STATE, backup->AbortBackup());
    GIVES(VSS_E_BAD_STATE, backup->SaveAsXML(&xml));
    GIVES(VSS_E_BAD_STATE, backup->IsVolumeSupported(GUID_NULL, writable(L"C:\\"), &supported));
    GIVES(VSS_E_BAD_STATE, backup->Query(GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_SNAPSHOT, objects.out()));
    GIVES(VSS_E_BAD_STATE, backup->GetSnapshotProperties(id, &properties));
    GIVES(VSS_E_BAD_STATE, backup->DeleteSnapshots(id, VSS_OBJECT_SNAPSHOT, FALSE, &deleted, &id));

    OK(backup->InitializeForBackup(nullptr));
    GIVES(VSS_E_BAD_STATE, backup->InitializeForBackup(nullptr));
    GIVES(VSS_E_BAD_STATE, backup->SaveAsXML(&xml));  // writers would take part
    OK(backup->AbortBackup());
    GIVES(VSS_E_UNSUPPORTED_CONTEXT, backup->SetContext(VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY));
    OK(backup->SetContext(LONG{VSS_CTX_BACKUP} |
                          LONG{VSS_VOLSNAP_ATTR_NO_AUTORECOVERY}));  // the failed call did not count
    GIVES(VSS_E_BAD_STATE, backup->SetContext(VSS_CTX_BACKUP));
    GIVES(VSS_E_BAD_STATE, backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &id));
    GIVES(VSS_E_BAD_STATE, backup->PrepareForBackup(async.out()));
    GIVES(VSS_E_BAD_STATE, backup->DoSnapshotSet(async.out()));
    GIVES(VSS_E_BAD_STATE, backup->BackupComplete(async.out()));
    GIVES(VSS_E_BAD_STATE, backup->GetWriterMetadataCount(&count));
    GIVES(VSS_E_BAD_STATE, backup->GetWriterStatusCount(&count));
    GIVES(VSS_E_BAD_STATE, backup->PreRestore(async.out()));
    GIVES(E_INVALIDARG, backup->SetBackupState(false, false, VSS_BT_UNDEFINED, false));
    GIVES(E_INVALIDARG, backup->DoSnapshotSet(nullptr));

    VSS_ID set{};
    OK(backup->StartSnapshotSet(&set));
    GIVES(VSS_E_BAD_STATE, backup->StartSnapshotSet(&set));
    GIVES(VSS_E_BAD_STATE, backup->PrepareForBackup(async.out()));  // no SetBackupState yet
    OK(backup->SetBackupState(false, false, VSS_BT_COPY, false));
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->AddToSnapshotSet(writable(L"Q:\\"), GUID_NULL, &id));
    GIVES(VSS_E_PROVIDER_NOT_REGISTERED, backup->AddToSnapshotSet(writable(L"C:\\"), kUnknownProvider, &id));
    OK(backup->AddToSnapshotSet(writable(L"\\\\?\\Volume{00000000-0000-0000-0000-000000000043}\\"), GUID_NULL, &id));
    GIVES(VSS_E_BAD_STATE, backup->DoSnapshotSet(async.out()));  // not prepared
    GIVES(VSS_E_BAD_STATE, backup->SaveAsXML(&xml));
    OK(backup->PrepareForBackup(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    OK(backup->SaveAsXML(&xml));
    SysFreeString(xml);
    GIVES(VSS_E_BAD_STATE, backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &id));
    OK(backup->AbortBackup());
    OK(backup->AbortBackup());
    GIVES(VSS_E_BAD_STATE, backup->DoSnapshotSet(async.out()));
    GIVES(VSS_E_BAD_STATE, backup->StartSnapshotSet(&set));
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->GetSnapshotProperties(id, &properties));
    backup.reset();

    // Without writers.
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(VSS_CTX_NAS_ROLLBACK));
    OK(backup->SaveAsXML(&xml));
    SysFreeString(xml);
    OK(backup->StartSnapshotSet(&set));
    GIVES(VSS_E_BAD_STATE, backup->PrepareForBackup(async.out()));
    GIVES(VSS_E_BAD_STATE, backup->AddComponent(id, id, VSS_CT_DATABASE, L"", L"x"));
    backup.reset();

    // All contexts: administration only.
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(static_cast<LONG>(VSS_CTX_ALL)));
    GIVES(VSS_E_BAD_STATE, backup->StartSnapshotSet(&set));
    OK(backup->Query(GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_PROVIDER, objects.out()));
    VSS_OBJECT_PROP object{};
    ULONG fetched = 0;
    OK(objects->Next(1, &object, &fetched));
    CHECK(fetched == 1 && object.Obj.Prov.m_eProviderType == VSS_PROV_SYSTEM);
    CHECK(IsEqualGUID(object.Obj.Prov.m_ProviderId, kSystemProvider));
    CoTaskMemFree(object.Obj.Prov.m_pwszProviderName);
    CoTaskMemFree(object.Obj.Prov.m_pwszProviderVersion);
    GIVES(S_FALSE, objects->Next(1, &object, &fetched));
    CHECK(fetched == 0);
    GIVES(E_INVALIDARG, backup->Query(set, VSS_OBJECT_SNAPSHOT_SET, VSS_OBJECT_SNAPSHOT, objects.out()));
}

/** Opens a set and reports it. A second process must be refused until this one is killed or told to end. */
void holdSet() {
    Backup backup;
    VSS_ID set{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(VSS_CTX_FILE_SHARE_BACKUP));
    OK(backup->StartSnapshotSet(&set));
    writeFile(L"C:\\holding", "1");
    Sleep(INFINITE);
}

void expectInProgress() {
    Backup backup;
    VSS_ID set{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(VSS_CTX_FILE_SHARE_BACKUP));
    GIVES(VSS_E_SNAPSHOT_SET_IN_PROGRESS, backup->StartSnapshotSet(&set));
    DeleteFileW(L"C:\\holding");  // tells the script to kill the other process
    const ULONGLONG end = GetTickCount64() + 20'000;
    HRESULT result = VSS_E_SNAPSHOT_SET_IN_PROGRESS;
    while (result == VSS_E_SNAPSHOT_SET_IN_PROGRESS && GetTickCount64() < end) {
        Sleep(20);
        result = backup->StartSnapshotSet(&set);  // the same object may try again
    }
    OK(result);
}

/** Leaves a persistent shadow and a volatile one behind when the process is killed. */
void leaveBehind() {
    writeFile(L"C:\\Data\\kept.txt", "kept");
    Backup persistent;
    Backup temporary;
    createShadow(persistent, VSS_CTX_NAS_ROLLBACK, L"C:\\");
    createShadow(temporary, VSS_CTX_FILE_SHARE_BACKUP, L"C:\\");
    CHECK(shadowsSeen(static_cast<LONG>(VSS_CTX_ALL)).size() == 2);
    std::puts("ok");
    std::fflush(stdout);
    TerminateProcess(GetCurrentProcess(), 9);
}

void findLeft() {
    CHECK(shadowsSeen(VSS_CTX_APP_ROLLBACK).empty());  // another context
    const auto ids = shadowsSeen(VSS_CTX_NAS_ROLLBACK);
    CHECK(ids.size() == 1);
    CHECK(shadowsSeen(static_cast<LONG>(VSS_CTX_ALL)).size() == 1);
    Backup backup;
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(VSS_CTX_NAS_ROLLBACK));
    const std::wstring device = deviceOf(backup, ids[0]);
    CHECK(readFile(device + L"\\Data\\kept.txt") == "kept");

    // Exposed as a drive letter, then in a directory.
    VSS_PWSZ exposed = nullptr;
    GIVES(E_INVALIDARG,
          backup->ExposeSnapshot(ids[0], nullptr, VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, writable(L"C:"), &exposed));
    OK(backup->ExposeSnapshot(ids[0], nullptr, VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, writable(L"X:"), &exposed));
    CHECK(std::wcscmp(exposed, L"X:") == 0);
    CoTaskMemFree(exposed);
    CHECK(readFile(L"X:\\Data\\kept.txt") == "kept");
    Ptr<IVssBackupComponentsEx2> extended;
    OK(backup->QueryInterface(__uuidof(IVssBackupComponentsEx2), reinterpret_cast<void**>(extended.out())));
    OK(extended->UnexposeSnapshot(ids[0]));
    GIVES(VSS_E_OBJECT_NOT_FOUND, extended->UnexposeSnapshot(ids[0]));
    CHECK(readFile(L"X:\\Data\\kept.txt") == "(none)");
    CreateDirectoryW(L"C:\\Mounted", nullptr);
    OK(backup->ExposeSnapshot(ids[0], nullptr, VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, writable(L"C:\\Mounted\\"), &exposed));
    CoTaskMemFree(exposed);
    CHECK(readFile(L"C:\\Mounted\\Data\\kept.txt") == "kept");

    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->BreakSnapshotSet(ids[0]));
    VSS_SNAPSHOT_PROP properties{};
    OK(backup->GetSnapshotProperties(ids[0], &properties));
    CHECK(std::wcscmp(properties.m_pwszExposedName, L"C:\\Mounted\\") == 0);
    CHECK(properties.m_lSnapshotAttributes & VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY);
    GIVES(VSS_E_PROVIDER_VETO, backup->BreakSnapshotSet(properties.m_SnapshotSetId));
    VssFreeSnapshotProperties(&properties);

    LONG deleted = 0;
    VSS_ID notDeleted{};
    OK(backup->DeleteSnapshots(ids[0], VSS_OBJECT_SNAPSHOT, FALSE, &deleted, &notDeleted));
    CHECK(deleted == 1);
    CHECK(readFile(L"C:\\Mounted\\Data\\kept.txt") == "(none)");
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->DeleteSnapshots(ids[0], VSS_OBJECT_SNAPSHOT, FALSE, &deleted, &notDeleted));
    CHECK(deleted == 0 && IsEqualGUID(notDeleted, ids[0]));
}

/**
 * Writes the same content to two files, following the rule for writers, while shadows are made. The files must be equal
 * in every shadow.
 */
void atomicCut() {
    writeFile(L"C:\\Data\\one.txt", "0");
    writeFile(L"C:\\Data\\two.txt", "0");
    const HANDLE exclusive =
        CreateFileW(L"C:\\Data\\open.txt", GENERIC_READ | GENERIC_WRITE, 0, nullptr, CREATE_ALWAYS, 0, nullptr);
    DWORD wrote = 0;
    WriteFile(exclusive, "open", 4, &wrote, nullptr);
    CreateDirectoryW(L"C:\\ProgramData\\domino-vss-simulator\\state", nullptr);
    std::jthread writer([](std::stop_token stop) {
        const HANDLE lock =
            CreateFileW(L"C:\\ProgramData\\domino-vss-simulator\\state\\writes.lock", GENERIC_READ | GENERIC_WRITE,
                        FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_ALWAYS, 0, nullptr);
        CHECK(lock != INVALID_HANDLE_VALUE);
        for (int i = 1; !stop.stop_requested(); ++i) {
            OVERLAPPED gate{};
            OVERLAPPED writes{};
            writes.Offset = 1;
            CHECK(LockFileEx(lock, 0, 0, 1, 0, &gate));
            CHECK(LockFileEx(lock, 0, 0, 1, 0, &writes));
            UnlockFileEx(lock, 0, 1, 0, &gate);
            writeFile(L"C:\\Data\\one.txt", std::to_string(i));
            Sleep(1);
            writeFile(L"C:\\Data\\two.txt", std::to_string(i));
            UnlockFileEx(lock, 0, 1, 0, &writes);
        }
        CloseHandle(lock);
    });
    std::string last;
    for (int i = 0; i < 5; ++i) {
        Backup backup;
        const VSS_ID snapshot = createShadow(backup, VSS_CTX_FILE_SHARE_BACKUP, L"C:\\");
        const std::wstring device = deviceOf(backup, snapshot);
        const std::string one = readFile(device + L"\\Data\\one.txt");
        CHECK(one == readFile(device + L"\\Data\\two.txt"));
        CHECK(one != last && one != "(none)");
        CHECK(readFile(device + L"\\Data\\open.txt") == "open");  // although it cannot be opened otherwise
        last = one;
    }
    writer.request_stop();
    writer.join();
    CloseHandle(exclusive);
}

/** Prepares a set and returns the result of DoSnapshotSet. */
HRESULT attempt(LONG context = VSS_CTX_FILE_SHARE_BACKUP) {
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(context));
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    OK(backup->DoSnapshotSet(async.out()));
    const HRESULT result = finish(async);
    if (result != VSS_S_ASYNC_FINISHED) {
        VSS_SNAPSHOT_PROP properties{};
        GIVES(VSS_E_OBJECT_NOT_FOUND, backup->GetSnapshotProperties(snapshot, &properties));
        OK(backup->AbortBackup());
    }
    return result;
}

/** With the faults that the script has set: one after the other, then everything works again. */
void faults() {
    Backup backup;
    GIVES(E_ACCESSDENIED, CreateVssBackupComponents(backup.out()));
    GIVES(VSS_E_PROVIDER_VETO, attempt());
    GIVES(VSS_E_HOLD_WRITES_TIMEOUT, attempt());
    GIVES(VSS_E_FLUSH_WRITES_TIMEOUT, attempt());
    GIVES(VSS_S_ASYNC_FINISHED, attempt());
}

/** By the settings, Commit takes 400 ms. */
void asynchronous() {
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(VSS_CTX_FILE_SHARE_BACKUP));
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    OK(backup->DoSnapshotSet(async.out()));
    HRESULT status = S_OK;
    OK(async->QueryStatus(&status, nullptr));
    GIVES(VSS_S_ASYNC_PENDING, status);
    OK(async->Wait(1));  // the time is over, which is not a failure
    OK(async->QueryStatus(&status, nullptr));
    GIVES(VSS_S_ASYNC_PENDING, status);
    GIVES(VSS_E_BAD_STATE, backup->DoSnapshotSet(Ptr<IVssAsync>().out()));
    Ptr<IVssAsync> other;
    OK(async->QueryInterface(__uuidof(IVssAsync), reinterpret_cast<void**>(other.out())));
    OK(other->Cancel());
    OK(async->QueryStatus(&status, nullptr));
    GIVES(VSS_S_ASYNC_CANCELLED, status);
    GIVES(VSS_S_ASYNC_CANCELLED, other->Cancel());
    VSS_SNAPSHOT_PROP properties{};
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->GetSnapshotProperties(snapshot, &properties));
    backup.reset();  // the asynchronous object outlives it
    OK(async->QueryStatus(&status, nullptr));
    CHECK(shadowsSeen(static_cast<LONG>(VSS_CTX_ALL)).empty());
}

/** Writers that fail, enabled by the script. */
void troublemakers() {
    Backup backup;
    createShadow(backup, VSS_CTX_BACKUP, L"C:\\");  // their failure is not a failure of DoSnapshotSet
    auto status = writerStatus(backup);
    CHECK(status[L"Vetoing Writer"].state == VSS_WS_FAILED_AT_FREEZE);
    GIVES(VSS_E_WRITERERROR_NONRETRYABLE, status[L"Vetoing Writer"].failure);
    CHECK(status[L"Late Writer"].state == VSS_WS_FAILED_AT_FREEZE);
    GIVES(VSS_E_WRITERERROR_TIMEOUT, status[L"Late Writer"].failure);
    CHECK(status[L"Slow Writer"].state == VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
    CHECK(status[L"Lotus Domino"].state == VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
    Ptr<IVssAsync> async;
    OK(backup->BackupComplete(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
}

void disabledWriters() {
    Backup backup;
    Ptr<IVssAsync> async;
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->DisableWriterClasses(&kSqlWriter, 1));
    CHECK(!writerStatus(backup).contains(L"SqlServerWriter"));
    backup.reset();
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->EnableWriterClasses(&kSqlWriter, 1));
    OK(backup->GatherWriterMetadata(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    UINT count = 0;
    OK(backup->GetWriterMetadataCount(&count));
    CHECK(count == 1);
}

/** Two volumes, limits, a revert. The settings: volumes C and D; D has at most one shadow and is mounted in C:\\mnt. */
void revertAndLimits() {
    writeFile(L"D:\\Data.txt", "old");
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID first{};
    VSS_ID second{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(VSS_CTX_NAS_ROLLBACK));
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &first));
    OK(backup->AddToSnapshotSet(writable(L"C:\\mnt\\"), GUID_NULL, &second));
    VSS_ID refused{};
    GIVES(VSS_E_OBJECT_ALREADY_EXISTS, backup->AddToSnapshotSet(writable(L"D:\\"), GUID_NULL, &refused));
    OK(backup->DoSnapshotSet(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    writeFile(L"D:\\Data.txt", "new");
    writeFile(L"D:\\More.txt", "new");

    GIVES(VSS_E_VOLUME_IN_USE, backup->RevertToSnapshot(first, FALSE));
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->QueryRevertStatus(writable(L"D:\\"), async.out()));
    OK(backup->RevertToSnapshot(second, FALSE));
    const HRESULT running = backup->QueryRevertStatus(writable(L"D:\\"), async.out());
    if (running == S_OK) GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->QueryRevertStatus(writable(L"D:\\"), async.out()));
    CHECK(readFile(L"D:\\Data.txt") == "old" && readFile(L"D:\\More.txt") == "(none)");

    Backup other;
    VSS_ID otherSet{};
    VSS_ID snapshot{};
    OK(CreateVssBackupComponents(other.out()));
    OK(other->InitializeForBackup(nullptr));
    OK(other->SetContext(VSS_CTX_NAS_ROLLBACK));
    OK(other->StartSnapshotSet(&otherSet));
    GIVES(VSS_E_MAXIMUM_NUMBER_OF_SNAPSHOTS_REACHED, other->AddToSnapshotSet(writable(L"D:\\"), GUID_NULL, &snapshot));
    other.reset();
    LONG deleted = 0;
    VSS_ID notDeleted{};
    OK(backup->DeleteSnapshots(set, VSS_OBJECT_SNAPSHOT_SET, FALSE, &deleted, &notDeleted));
    CHECK(deleted == 2);
}

/** The settings provide a hardware provider that only supports volume C; the system provider also supports D. */
void transportable() {
    constexpr GUID kHardware{0x7669656c, 0x5f68, 0x4172, {0x84, 0x77, 0x61, 0x72, 0x65, 0x00, 0x00, 0x01}};
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(LONG{VSS_CTX_NAS_ROLLBACK} | LONG{VSS_VOLSNAP_ATTR_TRANSPORTABLE}));
    OK(backup->StartSnapshotSet(&set));
    GIVES(VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
          backup->AddToSnapshotSet(writable(L"C:\\"), kSystemProvider, &snapshot));
    GIVES(VSS_E_VOLUME_NOT_SUPPORTED, backup->AddToSnapshotSet(writable(L"D:\\"), GUID_NULL, &snapshot));
    GIVES(VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER, backup->AddToSnapshotSet(writable(L"D:\\"), kHardware, &snapshot));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    OK(backup->DoSnapshotSet(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    VSS_SNAPSHOT_PROP properties{};
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->GetSnapshotProperties(snapshot, &properties));
    BSTR document = nullptr;
    OK(backup->SaveAsXML(&document));
    backup.reset();

    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(document));
    OK(backup->SetContext(VSS_CTX_NAS_ROLLBACK));
    OK(backup->ImportSnapshots(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    OK(backup->GetSnapshotProperties(snapshot, &properties));
    CHECK(properties.m_lSnapshotAttributes & VSS_VOLSNAP_ATTR_IMPORTED);
    CHECK(IsEqualGUID(properties.m_ProviderId, kHardware));
    const std::wstring root = std::wstring(properties.m_pwszSnapshotDeviceObject) + L"\\";
    VssFreeSnapshotProperties(&properties);
    OK(backup->ImportSnapshots(async.out()));
    GIVES(VSS_E_NO_SNAPSHOTS_IMPORTED, finish(async));
    Ptr<IVssBackupComponentsEx2> extended;
    OK(backup->QueryInterface(IID_PPV_ARGS(extended.out())));
    constexpr DWORD kBothIdentities = VSS_BREAKEX_FLAG_REVERT_IDENTITY_ALL | VSS_BREAKEX_FLAG_REVERT_IDENTITY_NONE;
    GIVES(E_INVALIDARG, extended->BreakSnapshotSetEx(set, kBothIdentities, async.out()));
    CHECK(GetFileAttributesW(root.c_str()) != INVALID_FILE_ATTRIBUTES);
    OK(extended->BreakSnapshotSetEx(set, VSS_BREAKEX_FLAG_MASK_LUNS, async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    CHECK(GetFileAttributesW(root.c_str()) == INVALID_FILE_ATTRIBUTES);
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->BreakSnapshotSet(set));
    SysFreeString(document);

    BSTR broken = SysAllocString(L"<BACKUP_COMPONENTS><unclosed></BACKUP_COMPONENTS>");
    OK(CreateVssBackupComponents(backup.out()));
    GIVES(VSS_E_INVALID_XML_DOCUMENT, backup->InitializeForBackup(broken));
    SysFreeString(broken);
}

/** Without the apartment that main() entered, and in that of another thread. */
void withoutApartment() {
    CoUninitialize();
    Backup backup;
    GIVES(CO_E_NOTINITIALIZED, CreateVssBackupComponents(backup.out()));
    OK(CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForBackup(nullptr));
    OK(backup->SetContext(static_cast<LONG>(VSS_CTX_ALL)));
    Ptr<IVssEnumObject> objects;
    std::thread([&] {
        OK(backup->Query(GUID_NULL, VSS_OBJECT_NONE, VSS_OBJECT_PROVIDER, objects.out()));  // the implicit apartment
    }).join();
    CoUninitialize();
    VSS_OBJECT_PROP object{};
    ULONG fetched = 0;
    GIVES(CO_E_NOTINITIALIZED, objects->Next(1, &object, &fetched));
    GIVES(CO_E_NOTINITIALIZED, backup->AbortBackup());
    GIVES(CO_E_NOTINITIALIZED, backup->StartSnapshotSet(nullptr));
    objects.reset();
    backup.reset();  // release is always allowed
    OK(CoInitializeEx(nullptr, COINIT_APARTMENTTHREADED));
    OK(CreateVssBackupComponents(backup.out()));
}

/** The settings do not require an apartment. */
void apartmentNotRequired() {
    CoUninitialize();
    Backup backup;
    createShadow(backup, VSS_CTX_FILE_SHARE_BACKUP, L"C:\\");
    OK(CoInitializeEx(nullptr, COINIT_MULTITHREADED));
}

const Modes kModes{
    {"no-writers", noWriters},
    {"writers", writers},
    {"minimal", minimal},
    {"early-document", earlyDocument},
    {"bad-states", badStates},
    {"hold-set", holdSet},
    {"expect-in-progress", expectInProgress},
    {"leave-behind", leaveBehind},
    {"find-left", findLeft},
    {"atomic-cut", atomicCut},
    {"faults", faults},
    {"asynchronous", asynchronous},
    {"troublemakers", troublemakers},
    {"disabled-writers", disabledWriters},
    {"revert-and-limits", revertAndLimits},
    {"transportable", transportable},
    {"without-apartment", withoutApartment},
    {"apartment-not-required", apartmentNotRequired},
};

}  // namespace

int main(int argc, char** argv) {
    return runMode(kModes, argc, argv);
}
