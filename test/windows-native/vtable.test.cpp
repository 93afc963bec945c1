// The compiler's idea of the interfaces against the documented order of their functions: a call through a wrong slot
// does something else.

#include <array>
#include <bit>

#include "check.h"
#include "shadow/vss/headers.h"

namespace {

using namespace domino_vss::vss;

#ifdef __GNUC__
/// In this compiler's ABI a pointer to a virtual function is one more than its offset in the table.
template <typename Function>
std::size_t slot(Function function) {
    return static_cast<std::size_t>(std::bit_cast<std::array<std::intptr_t, 2>>(function)[0] - 1) / sizeof(void*);
}

void backupComponents() {
    using Base = IVssBackupComponents;
    CHECK(slot(&IUnknown::Release) == 2);
    CHECK(slot(&Base::GetWriterComponentsCount) == 3);
    CHECK(slot(&Base::GetWriterComponents) == 4);
    CHECK(slot(&Base::InitializeForBackup) == 5);
    CHECK(slot(&Base::SetBackupState) == 6);
    CHECK(slot(&Base::InitializeForRestore) == 7);
    CHECK(slot(&Base::GatherWriterMetadata) == 9);
    CHECK(slot(&Base::GetWriterMetadataCount) == 10);
    CHECK(slot(&Base::GetWriterMetadata) == 11);
    CHECK(slot(&Base::AddComponent) == 13);
    CHECK(slot(&Base::PrepareForBackup) == 14);
    CHECK(slot(&Base::AbortBackup) == 15);
    CHECK(slot(&Base::GatherWriterStatus) == 16);
    CHECK(slot(&Base::GetWriterStatusCount) == 17);
    CHECK(slot(&Base::FreeWriterStatus) == 18);
    CHECK(slot(&Base::GetWriterStatus) == 19);
    CHECK(slot(&Base::SetBackupSucceeded) == 20);
    CHECK(slot(&Base::SetSelectedForRestore) == 22);
    CHECK(slot(&Base::SaveAsXML) == 26);
    CHECK(slot(&Base::BackupComplete) == 27);
    CHECK(slot(&Base::PreRestore) == 33);
    CHECK(slot(&Base::PostRestore) == 34);
    CHECK(slot(&Base::SetContext) == 35);
    CHECK(slot(&Base::StartSnapshotSet) == 36);
    CHECK(slot(&Base::AddToSnapshotSet) == 37);
    CHECK(slot(&Base::DoSnapshotSet) == 38);
    CHECK(slot(&Base::DeleteSnapshots) == 39);
    CHECK(slot(&Base::ImportSnapshots) == 40);
    CHECK(slot(&Base::BreakSnapshotSet) == 41);
    CHECK(slot(&Base::GetSnapshotProperties) == 42);
    CHECK(slot(&Base::Query) == 43);
    CHECK(slot(&Base::IsVolumeSupported) == 44);
    CHECK(slot(&Base::DisableWriterClasses) == 45);
    CHECK(slot(&Base::DisableWriterInstances) == 47);
    CHECK(slot(&Base::ExposeSnapshot) == 48);
    CHECK(slot(&Base::RevertToSnapshot) == 49);
    CHECK(slot(&Base::QueryRevertStatus) == 50);
    CHECK(slot(&IVssBackupComponentsEx2::UnexposeSnapshot) == 53);
    CHECK(slot(&IVssBackupComponentsEx2::BreakSnapshotSetEx) == 57);
    CHECK(slot(&IVssBackupComponentsEx3::GetWriterStatusEx) == 60);
}

void others() {
    CHECK(slot(&IVssAsync::Cancel) == 3);
    CHECK(slot(&IVssAsync::Wait) == 4);
    CHECK(slot(&IVssAsync::QueryStatus) == 5);
    CHECK(slot(&IVssEnumObject::Next) == 3);
    CHECK(slot(&IVssExamineWriterMetadata::GetIdentity) == 3);
    CHECK(slot(&IVssExamineWriterMetadata::GetFileCounts) == 4);
    CHECK(slot(&IVssExamineWriterMetadata::GetExcludeFile) == 6);
    CHECK(slot(&IVssExamineWriterMetadata::GetComponent) == 7);
    CHECK(slot(&IVssExamineWriterMetadata::SaveAsXML) == 12);
    CHECK(slot(&IVssExamineWriterMetadataEx::GetIdentityEx) == 14);
    CHECK(slot(&IVssWMComponent::GetComponentInfo) == 3);
    CHECK(slot(&IVssWMComponent::FreeComponentInfo) == 4);
    CHECK(slot(&IVssWMComponent::GetFile) == 5);
    CHECK(slot(&IVssWMComponent::GetDatabaseLogFile) == 7);
    CHECK(slot(&IVssWMFiledesc::GetPath) == 3);
    CHECK(slot(&IVssWMFiledesc::GetRecursive) == 5);
    CHECK(slot(&IVssWriterComponents::GetComponentCount) == 0);
    CHECK(slot(&IVssWriterComponents::GetWriterInfo) == 1);
    CHECK(slot(&IVssWriterComponents::GetComponent) == 2);
    CHECK(slot(&IVssComponent::GetLogicalPath) == 3);
    CHECK(slot(&IVssComponent::GetComponentType) == 4);
    CHECK(slot(&IVssComponent::GetComponentName) == 5);
}
#endif

/// Its IUnknown is the second table.
void writerComponents() {
    alignas(WriterComponents) std::array<std::byte, sizeof(WriterComponents)> storage{};
    auto* const object = reinterpret_cast<WriterComponents*>(storage.data());
    CHECK(reinterpret_cast<std::byte*>(static_cast<IUnknown*>(object)) == storage.data() + sizeof(void*));
}

}  // namespace

int main() {
    return check::run({
#ifdef __GNUC__
        {"slots of IVssBackupComponents", backupComponents},
        {"slots of the other interfaces", others},
#endif
        {"IVssWriterComponentsExt has two tables", writerComponents},
    });
}
