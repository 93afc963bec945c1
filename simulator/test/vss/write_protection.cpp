// What is possible in a shadow, and under which of its names, for programs without knowledge of the stand-in. The first
// argument selects one; exit code 0 and "ok" mean success.

#include "requester.h"

#include <string>

namespace {

constexpr GUID kSqlWriter{0xa65faa63, 0x5ea8, 0x4ebc, {0x9d, 0xbd, 0xa0, 0xc4, 0xdb, 0x26, 0x91, 0x2a}};
constexpr GUID kWmiWriter{0xa6ad56c2, 0xb509, 0x4e6c, {0xbb, 0x19, 0x49, 0xd8, 0xf4, 0x35, 0x32, 0xf0}};

/** Windows reports a write-protected medium; Wine reports all refusals with the other code. */
bool isRefusal(DWORD error) {
    return error == ERROR_WRITE_PROTECT || error == ERROR_ACCESS_DENIED;
}

/** The error code of creating a file; 0 if it succeeded. */
DWORD errorOfWriting(const std::wstring& name, DWORD disposition) {
    const HANDLE file = CreateFileW(name.c_str(), GENERIC_WRITE, 0, nullptr, disposition, 0, nullptr);
    const DWORD error = GetLastError();
    if (file == INVALID_HANDLE_VALUE) return error;
    CloseHandle(file);
    return 0;
}

void requireWriteProtected(const std::wstring& root) {
    CHECK(isRefusal(errorOfWriting(root + L"Data\\new.txt", CREATE_NEW)));
    CHECK(isRefusal(errorOfWriting(root + L"new.txt", CREATE_NEW)));
    CHECK(isRefusal(errorOfWriting(root + L"Data\\kept.txt", OPEN_EXISTING)));
    CHECK(isRefusal(errorOfWriting(root + L"data\\KEPT.txt", CREATE_ALWAYS)));
    CHECK(!CreateDirectoryW((root + L"Data\\directory").c_str(), nullptr) && isRefusal(GetLastError()));
    CHECK(!MoveFileW((root + L"Data\\kept.txt").c_str(), (root + L"Data\\moved.txt").c_str()));
    CHECK(!MoveFileW(L"C:\\Data\\outside.txt", (root + L"Data\\moved.txt").c_str()));
    DeleteFileW((root + L"Data\\kept.txt").c_str());
    RemoveDirectoryW((root + L"Data\\empty").c_str());
    CHECK(readFile(root + L"Data\\kept.txt") == "kept");
    CHECK(GetFileAttributesW((root + L"Data\\empty").c_str()) == FILE_ATTRIBUTE_DIRECTORY);
    // The attributes of the files are unchanged, so that copies do not inherit a read-only mark.
    CHECK(!(GetFileAttributesW((root + L"Data\\kept.txt").c_str()) & FILE_ATTRIBUTE_READONLY));
}

void writesIntoShadow() {
    writeFile(L"C:\\Data\\kept.txt", "kept");
    writeFile(L"C:\\Data\\outside.txt", "outside");
    CreateDirectoryW(L"C:\\Data\\empty", nullptr);
    Backup backup;
    const VSS_ID snapshot = createShadow(backup, VSS_CTX_NAS_ROLLBACK, L"C:\\");
    OK(expose(backup, snapshot, VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, L"Q:"));
    requireWriteProtected(deviceOf(backup, snapshot) + L"\\");
    requireWriteProtected(L"Q:\\");
    CHECK(CopyFileW(L"Q:\\Data\\kept.txt", L"C:\\Data\\copied.txt", TRUE));
    writeFile(L"C:\\Data\\copied.txt", "a copy can be written to");
    CHECK(readFile(L"C:\\Data\\outside.txt") == "outside");
    Ptr<IVssBackupComponentsEx2> extended;
    OK(backup->QueryInterface(IID_PPV_ARGS(extended.out())));
    OK(extended->UnexposeSnapshot(snapshot));
    deleteShadow(backup, snapshot);
}

/** The error code of writing to the shadow during the writers' PostSnapshot, which the settings prolong. */
DWORD errorOfWriter(LONG context, const GUID& writer, VSS_COMPONENT_TYPE type, const wchar_t* path,
                    const wchar_t* name) {
    Backup backup;
    Ptr<IVssAsync> async;
    VSS_ID set{};
    VSS_ID snapshot{};
    initialise(backup);
    OK(backup->SetContext(context));
    OK(backup->SetBackupState(true, false, VSS_BT_FULL, false));
    gather(backup);
    OK(backup->AddComponent(instancesOf(backup, writer).at(0), writer, type, path, name));
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    OK(backup->PrepareForBackup(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    OK(backup->DoSnapshotSet(async.out()));
    static int number = 0;
    const std::wstring root =
        L"\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy" + std::to_wstring(++number) + L"\\";
    while (GetFileAttributesW((root + L"Data\\kept.txt").c_str()) == INVALID_FILE_ATTRIBUTES) Sleep(5);
    Sleep(300);  // the copy is complete; PostSnapshot continues
    HRESULT status = S_OK;
    OK(async->QueryStatus(&status, nullptr));
    GIVES(VSS_S_ASYNC_PENDING, status);
    const DWORD error = errorOfWriting(root + L"Data\\recovered.txt", CREATE_NEW);
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    CHECK(root == deviceOf(backup, snapshot) + L"\\");
    requireWriteProtected(root);  // from now on, whatever was allowed before
    return error;
}

void autoRecovery() {
    writeFile(L"C:\\Data\\kept.txt", "kept");
    writeFile(L"C:\\Data\\outside.txt", "outside");
    CreateDirectoryW(L"C:\\Data\\empty", nullptr);
    constexpr LONG kForbidden = LONG{VSS_CTX_BACKUP} | LONG{VSS_VOLSNAP_ATTR_NO_AUTORECOVERY};
    const auto withSql = [](LONG context) {
        return errorOfWriter(context, kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales");
    };
    CHECK(withSql(VSS_CTX_BACKUP) == 0);
    CHECK(isRefusal(withSql(kForbidden)));
    // None of its components requires auto-recovery.
    CHECK(isRefusal(errorOfWriter(VSS_CTX_BACKUP, kWmiWriter, VSS_CT_FILEGROUP, nullptr, L"WMI")));
}

/** The settings provide the hardware provider. */
void writableAfterBreak() {
    writeFile(L"C:\\Data\\kept.txt", "kept");
    Backup backup;
    Ptr<IVssAsync> async;
    const VSS_ID snapshot = createShadow(backup, VSS_CTX_NAS_ROLLBACK, L"C:\\");
    VSS_SNAPSHOT_PROP properties{};
    OK(backup->GetSnapshotProperties(snapshot, &properties));
    const std::wstring kept = std::wstring(properties.m_pwszSnapshotDeviceObject) + L"\\Data\\kept.txt";
    const VSS_ID set = properties.m_SnapshotSetId;
    VssFreeSnapshotProperties(&properties);
    CHECK(isRefusal(errorOfWriting(kept, OPEN_EXISTING)));
    Ptr<IVssBackupComponentsEx2> extended;
    OK(backup->QueryInterface(IID_PPV_ARGS(extended.out())));
    OK(extended->BreakSnapshotSetEx(set, VSS_BREAKEX_FLAG_MAKE_READ_WRITE, async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    CHECK(errorOfWriting(kept, OPEN_EXISTING) == 0);
}

void forgottenBackslash() {
    BOOL isSupported = FALSE;
    writeFile(L"C:\\Data\\kept.txt", "kept");
    Backup backup;
    VSS_ID id{};
    initialise(backup);
    GIVES(VSS_E_OBJECT_NOT_FOUND, backup->IsVolumeSupported(GUID_NULL, writable(L"C:"), &isSupported));
    OK(backup->StartSnapshotSet(&id));
    GIVES(VSS_E_OBJECT_NOT_FOUND,
          backup->AddToSnapshotSet(writable(L"\\\\?\\Volume{00000000-0000-0000-0000-000000000043}"), GUID_NULL, &id));
    OK(backup->AbortBackup());

    const VSS_ID snapshot = createShadow(backup, VSS_CTX_FILE_SHARE_BACKUP, L"C:\\");
    const std::wstring device = deviceOf(backup, snapshot);
    const auto open = [](const std::wstring& name) {
        const HANDLE file = CreateFileW(name.c_str(), FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                        OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
        if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
        return file != INVALID_HANDLE_VALUE;
    };
    CHECK(GetFileAttributesW(device.c_str()) == INVALID_FILE_ATTRIBUTES);
    CHECK(!open(device));
    CHECK(GetFileAttributesW((device + L"\\").c_str()) == FILE_ATTRIBUTE_DIRECTORY);
    CHECK(open(device + L"\\"));
    CHECK(readFile(device + L"\\Data\\kept.txt") == "kept");
    CHECK(readFile(device + L"\\dATA\\Kept.TXT") == "kept");
    WIN32_FIND_DATAW found{};
    const HANDLE search = FindFirstFileW((device + L"\\*").c_str(), &found);
    CHECK(search != INVALID_HANDLE_VALUE);
    FindClose(search);
}

const Modes kModes{
    {"writes-into-shadow", writesIntoShadow},
    {"auto-recovery", autoRecovery},
    {"writable-after-break", writableAfterBreak},
    {"forgotten-backslash", forgottenBackslash},
};

}  // namespace

int main(int argc, char** argv) {
    return runMode(kModes, argc, argv);
}
