// Small requesters modelled on programs in use. Each does one thing that the stand-in once handled differently from
// Windows. The first argument selects one; exit code 0 and "ok" mean success.

#include "requester.h"

#include <map>
#include <string>
#include <thread>

namespace {

constexpr GUID kSqlWriter{0xa65faa63, 0x5ea8, 0x4ebc, {0x9d, 0xbd, 0xa0, 0xc4, 0xdb, 0x26, 0x91, 0x2a}};
constexpr GUID kSystemProvider{0xb5946137, 0x7b9f, 0x4925, {0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5}};
constexpr GUID kHardwareProvider{0x7669656c, 0x5f68, 0x4172, {0x84, 0x77, 0x61, 0x72, 0x65, 0x00, 0x00, 0x01}};
// Set by run.js.
constexpr GUID kSecondInstance{0x22222222, 0, 0, {0, 0, 0, 0, 0, 0, 0, 2}};

/** For requesters that share one set-up function between backup and restore. */
void backupStateInRestore() {
    Backup backup;
    createShadow(backup, VSS_CTX_BACKUP, L"C:\\");
    BSTR document = documentOf(backup);
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForRestore(document));
    OK(backup->SetBackupState(true, true, VSS_BT_FULL, false));
    gather(backup);
    SysFreeString(document);
}

/** The settings enforce the rule of the documentation. */
void backupStateInRestoreRefused() {
    Backup backup;
    createShadow(backup, VSS_CTX_BACKUP, L"C:\\");
    BSTR document = documentOf(backup);
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForRestore(document));
    GIVES(VSS_E_BAD_STATE, backup->SetBackupState(true, true, VSS_BT_FULL, false));
    SysFreeString(document);
}

/** The settings provide the hardware provider. */
void recoverWithoutContext() {
    writeFile(L"D:\\Data.txt", "old");
    Backup backup;
    const VSS_ID snapshot = createShadow(backup, VSS_CTX_APP_ROLLBACK, L"D:\\");
    BSTR document = documentOf(backup);
    writeFile(L"D:\\Data.txt", "new");

    Ptr<IVssAsync> async;
    OK(CreateVssBackupComponents(backup.out()));
    OK(backup->InitializeForRestore(document));
    Ptr<IVssBackupComponentsEx3> extended;
    OK(backup->QueryInterface(IID_PPV_ARGS(extended.out())));
    OK(extended->AddSnapshotToRecoverySet(snapshot, 0, nullptr));
    OK(extended->RecoverSet(0, async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    CHECK(readFile(L"D:\\Data.txt") == "old");
    writeFile(L"D:\\Data.txt", "and it can be written to");
    SysFreeString(document);
}

/** The settings provide two instances of one writer class. */
void instancesAreApart() {
    Backup backup;
    initialise(backup);
    OK(backup->SetBackupState(true, false, VSS_BT_FULL, false));
    gather(backup);
    const auto instances = instancesOf(backup, kSqlWriter);
    CHECK(instances.size() == 2 && IsEqualGUID(instances[1], kSecondInstance));
    OK(backup->AddComponent(instances[0], kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales"));
    OK(backup->AddComponent(instances[1], kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales"));
    GIVES(VSS_E_OBJECT_ALREADY_EXISTS,
          backup->AddComponent(instances[1], kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales"));

    initialise(backup);
    OK(backup->SetBackupState(true, false, VSS_BT_FULL, false));
    gather(backup);
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(backup->AddComponent(instances[0], kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales"));
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    prepareAndDo(backup);
    GIVES(VSS_E_OBJECT_NOT_FOUND,
          backup->SetBackupSucceeded(instances[1], kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales", true));
    OK(backup->SetBackupSucceeded(instances[0], kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales", true));
}

/** The result of each writer, by name, when `sales` (on C:) is selected and `volume` is in the set. */
std::map<std::wstring, std::pair<VSS_WRITER_STATE, HRESULT>> statusWith(const wchar_t* volume) {
    Backup backup;
    initialise(backup);
    OK(backup->SetBackupState(true, false, VSS_BT_FULL, false));
    gather(backup);
    const auto instances = instancesOf(backup, kSqlWriter);
    CHECK(instances.size() == 1);
    OK(backup->AddComponent(instances[0], kSqlWriter, VSS_CT_DATABASE, L"SERVER", L"sales"));
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(volume), GUID_NULL, &snapshot));
    prepareAndDo(backup);
    std::map<std::wstring, std::pair<VSS_WRITER_STATE, HRESULT>> result;
    Ptr<IVssAsync> async;
    OK(backup->GatherWriterStatus(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    UINT count = 0;
    OK(backup->GetWriterStatusCount(&count));
    for (UINT i = 0; i < count; ++i) {
        VSS_ID instance{};
        VSS_ID writer{};
        BSTR name = nullptr;
        VSS_WRITER_STATE state{};
        HRESULT failure = S_OK;
        OK(backup->GetWriterStatus(i, &instance, &writer, &name, &state, &failure));
        result[name] = {state, failure};
        SysFreeString(name);
    }
    return result;
}

void componentsOfAnotherVolume() {
    auto status = statusWith(L"D:\\");
    GIVES(VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT, status[L"SqlServerWriter"].second);
    CHECK(status[L"SqlServerWriter"].first == VSS_WS_FAILED_AT_PREPARE_SNAPSHOT);
    OK(status[L"Registry Writer"].second);  // none of its components is selected
    status = statusWith(L"C:\\");
    OK(status[L"SqlServerWriter"].second);
}

/** By the settings, this writer does not check the volumes. */
void volumesNotLookedAt() {
    OK(statusWith(L"D:\\")[L"SqlServerWriter"].second);
}

/** The settings provide the hardware provider. */
void clientAccessibleByTheSystem() {
    Backup backup;
    initialise(backup);
    OK(backup->SetContext(VSS_CTX_CLIENT_ACCESSIBLE));
    BOOL isSupported = TRUE;
    OK(backup->IsVolumeSupported(kHardwareProvider, writable(L"C:\\"), &isSupported));
    CHECK(!isSupported);
    VSS_ID set{};
    VSS_ID snapshot{};
    OK(backup->StartSnapshotSet(&set));
    GIVES(VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER,
          backup->AddToSnapshotSet(writable(L"C:\\"), kHardwareProvider, &snapshot));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
    Ptr<IVssAsync> async;
    OK(backup->DoSnapshotSet(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    VSS_SNAPSHOT_PROP properties{};
    OK(backup->GetSnapshotProperties(snapshot, &properties));
    CHECK(IsEqualGUID(properties.m_ProviderId, kSystemProvider));
    VssFreeSnapshotProperties(&properties);
    LONG deleted = 0;
    VSS_ID notDeleted{};
    OK(backup->DeleteSnapshots(set, VSS_OBJECT_SNAPSHOT_SET, TRUE, &deleted, &notDeleted));
}

void shareNames() {
    Backup backup;
    const VSS_ID snapshot = createShadow(backup, VSS_CTX_NAS_ROLLBACK, L"C:\\");
    const std::wstring long80(80, L'x');
    for (const std::wstring& name :
         {std::wstring(L"C:"), std::wstring(L"a\\b"), std::wstring(L"a*"), std::wstring(L""), long80 + L'x'}) {
        GIVES(E_INVALIDARG, expose(backup, snapshot, VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY, name.c_str()));
    }
    OK(expose(backup, snapshot, VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY, long80.c_str()));
    deleteShadow(backup, snapshot);
}

/** B: was linked into the prefix after Wine had started. */
void takenDrive() {
    Backup backup;
    const VSS_ID snapshot = createShadow(backup, VSS_CTX_NAS_ROLLBACK, L"C:\\");
    CHECK(readFile(L"B:\\mine.txt") == "mine");
    GIVES(E_INVALIDARG, expose(backup, snapshot, VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY, L"B:"));
    CHECK(readFile(L"B:\\mine.txt") == "mine");
    deleteShadow(backup, snapshot);
}

/**
 * One thread enters COM, creates a shadow and leaves; then another one deletes it, like a program whose runtime moves
 * work between threads. With `isAnotherInside`, another thread is in the multi-threaded apartment meanwhile.
 */
HRESULT deletedAfterLeaving(bool isAnotherInside) {
    CoUninitialize();
    Backup backup;
    VSS_ID snapshot{};
    std::thread([&] {
        OK(CoInitializeEx(nullptr, COINIT_MULTITHREADED));
        snapshot = createShadow(backup, VSS_CTX_NAS_ROLLBACK, L"C:\\");
        CoUninitialize();
    }).join();
    const HANDLE inside = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    const HANDLE enough = CreateEventW(nullptr, TRUE, FALSE, nullptr);
    std::thread other([&] {
        if (isAnotherInside) OK(CoInitializeEx(nullptr, COINIT_MULTITHREADED));
        SetEvent(inside);
        WaitForSingleObject(enough, INFINITE);
        if (isAnotherInside) CoUninitialize();
    });
    WaitForSingleObject(inside, INFINITE);
    LONG deleted = 0;
    VSS_ID notDeleted{};
    const HRESULT result = backup->DeleteSnapshots(snapshot, VSS_OBJECT_SNAPSHOT, TRUE, &deleted, &notDeleted);
    SetEvent(enough);
    other.join();
    CloseHandle(inside);
    CloseHandle(enough);
    OK(CoInitializeEx(nullptr, COINIT_MULTITHREADED));
    if (FAILED(result)) deleteShadow(backup, snapshot);
    return result;
}

void leftApartment() {
    OK(deletedAfterLeaving(true));
    GIVES(CO_E_NOTINITIALIZED, deletedAfterLeaving(false));
}

/** The settings require each thread to enter an apartment itself. */
void leftApartmentStrictly() {
    GIVES(CO_E_NOTINITIALIZED, deletedAfterLeaving(true));
    GIVES(CO_E_NOTINITIALIZED, deletedAfterLeaving(false));
}

/** The settings do not require an apartment. */
void leftApartmentLeniently() {
    OK(deletedAfterLeaving(true));
    OK(deletedAfterLeaving(false));
}

const Modes kModes{
    {"backup-state-in-restore", backupStateInRestore},
    {"backup-state-in-restore-refused", backupStateInRestoreRefused},
    {"recover-without-context", recoverWithoutContext},
    {"instances-are-apart", instancesAreApart},
    {"components-of-another-volume", componentsOfAnotherVolume},
    {"volumes-not-looked-at", volumesNotLookedAt},
    {"client-accessible-by-the-system", clientAccessibleByTheSystem},
    {"share-names", shareNames},
    {"taken-drive", takenDrive},
    {"left-apartment", leftApartment},
    {"left-apartment-strictly", leftApartmentStrictly},
    {"left-apartment-leniently", leftApartmentLeniently},
};

}  // namespace

int main(int argc, char** argv) {
    return runMode(kModes, argc, argv);
}
