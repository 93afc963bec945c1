// Requesters with writers that are programs: what they see of the writers and their states. The first argument selects
// one; exit code 0 and "ok" mean that everything behaved like the real service.

#include "requester.h"

namespace {

constexpr GUID kTestWriter{0x5f6d1a3e, 0x0c1b, 0x4c55, {0x9b, 0x1c, 0x7a, 0x1f, 0xb1, 0xd0, 0xc0, 0x01}};

void expectState(Backup& backup, VSS_WRITER_STATE state, HRESULT failure = S_OK) {
    const std::vector<WriterStatus> statuses = statusesOf(backup, kTestWriter);
    CHECK(!statuses.empty());
    const WriterStatus& status = statuses.back();
    GIVES(failure, status.failure);
    if (status.state != state) std::printf("state %d\n", status.state);
    CHECK(status.state == state);
}

/** Gathers the metadata and opens a set with C:; adds the component if requested. */
void open(Backup& backup, bool selectComponents) {
    VSS_ID set{};
    VSS_ID snapshot{};
    initialise(backup);
    OK(backup->SetBackupState(selectComponents, false, VSS_BT_FULL, false));
    gather(backup);
    if (selectComponents) {
        const auto instances = instancesOf(backup, kTestWriter);
        CHECK(instances.size() == 1);
        OK(backup->AddComponent(instances[0], kTestWriter, VSS_CT_FILEGROUP, L"Server", L"Databases"));
    }
    OK(backup->StartSnapshotSet(&set));
    OK(backup->AddToSnapshotSet(writable(L"C:\\"), GUID_NULL, &snapshot));
}

void complete(Backup& backup) {
    Ptr<IVssAsync> async;
    OK(backup->BackupComplete(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
}

void plain() {
    Backup backup;
    open(backup, false);
    expectState(backup, VSS_WS_STABLE);
    prepareAndDo(backup);
    expectState(backup, VSS_WS_WAITING_FOR_BACKUP_COMPLETE);
    complete(backup);
    expectState(backup, VSS_WS_STABLE);
}

void components() {
    Backup backup;
    open(backup, true);
    prepareAndDo(backup);
    complete(backup);
}

/** Prints the status of the test writer, if it exists. */
void printStatus(const char* when, Backup& backup) {
    const std::vector<WriterStatus> statuses = statusesOf(backup, kTestWriter);
    const WriterStatus status = statuses.empty() ? WriterStatus{} : statuses.back();
    std::printf("%s: there=%d state=%d failure=%08lx application=%ld message=%ls\n", when, !statuses.empty(),
                status.state, static_cast<unsigned long>(status.failure), status.application, status.message.c_str());
}

/** Prints the writer's status and the result of DoSnapshotSet. */
void report() {
    Backup backup;
    Ptr<IVssAsync> async;
    open(backup, false);
    OK(backup->PrepareForBackup(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    printStatus("prepared", backup);
    OK(backup->DoSnapshotSet(async.out()));
    std::printf("result=%08lx\n", static_cast<unsigned long>(finish(async)));
    printStatus("done", backup);
}

void abortPrepared() {
    Backup backup;
    Ptr<IVssAsync> async;
    open(backup, false);
    OK(backup->PrepareForBackup(async.out()));
    GIVES(VSS_S_ASYNC_FINISHED, finish(async));
    OK(backup->AbortBackup());
}

void abortCreated() {
    Backup backup;
    open(backup, false);
    prepareAndDo(backup);
    OK(backup->AbortBackup());
}

/** Prints the writer's metadata. */
void metadata() {
    Backup backup;
    initialise(backup);
    gather(backup);
    UINT count = 0;
    OK(backup->GetWriterMetadataCount(&count));
    bool isFound = false;
    for (UINT i = 0; i < count; ++i) {
        VSS_ID instance{};
        VSS_ID same{};
        VSS_ID writer{};
        BSTR name = nullptr;
        VSS_USAGE_TYPE usage{};
        VSS_SOURCE_TYPE source{};
        Ptr<IVssExamineWriterMetadata> metadata;
        OK(backup->GetWriterMetadata(i, &instance, metadata.out()));
        OK(metadata->GetIdentity(&same, &writer, &name, &usage, &source));
        if (IsEqualGUID(writer, kTestWriter)) {
            isFound = true;
            CHECK(std::wstring(name) == L"Test Writer" && IsEqualGUID(instance, same));
            CHECK(!IsEqualGUID(instance, writer));
            CHECK(usage == VSS_UT_USERDATA && source == VSS_ST_TRANSACTEDDB);
            UINT included = 0;
            UINT excluded = 0;
            UINT number = 0;
            OK(metadata->GetFileCounts(&included, &excluded, &number));
            CHECK(included == 0 && excluded == 1 && number == 1);
            Ptr<IVssWMComponent> component;
            OK(metadata->GetComponent(0, component.out()));
            PVSSCOMPONENTINFO info = nullptr;
            OK(component->GetComponentInfo(&info));
            CHECK(std::wstring(info->bstrLogicalPath) == L"Server");
            CHECK(std::wstring(info->bstrComponentName) == L"Databases");
            CHECK(std::wstring(info->bstrCaption) == L"All databases");
            CHECK(info->type == VSS_CT_FILEGROUP && info->cFileCount == 1 && info->bSelectable);
            CHECK(info->dwComponentFlags == VSS_CF_BACKUP_RECOVERY);
            OK(component->FreeComponentInfo(info));
            DWORD schema = 0;
            OK(metadata->GetBackupSchema(&schema));
            CHECK(schema == (VSS_BS_COPY | VSS_BS_TIMESTAMPED));
        }
        SysFreeString(name);
    }
    CHECK(isFound);
}

const Modes kModes{
    {"plain", plain},   {"components", components},        {"metadata", metadata},
    {"report", report}, {"abort-prepared", abortPrepared}, {"abort-created", abortCreated},
};

}  // namespace

int main(int argc, char** argv) {
    return runMode(kModes, argc, argv);
}
