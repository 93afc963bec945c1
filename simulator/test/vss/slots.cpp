// Compares the stand-in's declarations with mingw-w64's headers: every method in the same vtable slot, none missing.

#include "requester.h"

#include <cstring>
#include <set>

#include "../../vss/abi.h"

namespace {

namespace abi = vss_simulator::abi;

/** The vtable slot: in this ABI, a pointer to a virtual member function is 1 + the offset. */
template <class Method>
std::size_t slot(Method method) {
    std::ptrdiff_t parts[2];
    static_assert(sizeof parts == sizeof method);
    std::memcpy(parts, &method, sizeof parts);
    CHECK(parts[0] % 8 == 1 && parts[1] == 0);
    return static_cast<std::size_t>(parts[0] - 1) / 8;
}

std::set<std::size_t> seen;

void same(const char* name, std::size_t ours, std::size_t theirs) {
    if (ours != theirs) std::printf("%s: slot %zu here, %zu in the headers\n", name, ours, theirs);
    CHECK(ours == theirs);
    CHECK(seen.insert(ours).second);
}

/** Checks that the slots seen since the last call are first … last without a gap. */
void complete(std::size_t first, std::size_t last) {
    CHECK(seen.size() == last - first + 1 && *seen.begin() == first && *seen.rbegin() == last);
    seen.clear();
}

#define SAME(method) same(#method, slot(&abi::method), slot(&::method))

void asyncAndEnum() {
    SAME(IVssAsync::Cancel);
    SAME(IVssAsync::Wait);
    SAME(IVssAsync::QueryStatus);
    complete(3, 5);
    SAME(IVssEnumObject::Next);
    SAME(IVssEnumObject::Skip);
    SAME(IVssEnumObject::Reset);
    SAME(IVssEnumObject::Clone);
    complete(3, 6);
}

void metadata() {
    SAME(IVssExamineWriterMetadata::GetIdentity);
    SAME(IVssExamineWriterMetadata::GetFileCounts);
    SAME(IVssExamineWriterMetadata::GetIncludeFile);
    SAME(IVssExamineWriterMetadata::GetExcludeFile);
    SAME(IVssExamineWriterMetadata::GetComponent);
    SAME(IVssExamineWriterMetadata::GetRestoreMethod);
    SAME(IVssExamineWriterMetadata::GetAlternateLocationMapping);
    SAME(IVssExamineWriterMetadata::GetBackupSchema);
    SAME(IVssExamineWriterMetadata::GetDocument);
    SAME(IVssExamineWriterMetadata::SaveAsXML);
    SAME(IVssExamineWriterMetadata::LoadFromXML);
    SAME(IVssExamineWriterMetadataEx::GetIdentityEx);
    SAME(IVssExamineWriterMetadataEx2::GetVersion);
    SAME(IVssExamineWriterMetadataEx2::GetExcludeFromSnapshotCount);
    SAME(IVssExamineWriterMetadataEx2::GetExcludeFromSnapshotFile);
    complete(3, 17);
    SAME(IVssWMComponent::GetComponentInfo);
    SAME(IVssWMComponent::FreeComponentInfo);
    SAME(IVssWMComponent::GetFile);
    SAME(IVssWMComponent::GetDatabaseFile);
    SAME(IVssWMComponent::GetDatabaseLogFile);
    SAME(IVssWMComponent::GetDependency);
    complete(3, 8);
    SAME(IVssWMFiledesc::GetPath);
    SAME(IVssWMFiledesc::GetFilespec);
    SAME(IVssWMFiledesc::GetRecursive);
    SAME(IVssWMFiledesc::GetAlternateLocation);
    SAME(IVssWMFiledesc::GetBackupTypeMask);
    complete(3, 7);
    SAME(IVssWMDependency::GetWriterId);
    SAME(IVssWMDependency::GetLogicalPath);
    SAME(IVssWMDependency::GetComponentName);
    complete(3, 5);
}

void components() {
    SAME(IVssWriterComponents::GetComponentCount);
    SAME(IVssWriterComponents::GetWriterInfo);
    SAME(IVssWriterComponents::GetComponent);
    complete(0, 2);
    SAME(IVssComponent::GetLogicalPath);
    SAME(IVssComponent::GetComponentType);
    SAME(IVssComponent::GetComponentName);
    SAME(IVssComponent::GetBackupSucceeded);
    SAME(IVssComponent::GetAlternateLocationMappingCount);
    SAME(IVssComponent::GetAlternateLocationMapping);
    SAME(IVssComponent::SetBackupMetadata);
    SAME(IVssComponent::GetBackupMetadata);
    SAME(IVssComponent::AddPartialFile);
    SAME(IVssComponent::GetPartialFileCount);
    SAME(IVssComponent::GetPartialFile);
    SAME(IVssComponent::IsSelectedForRestore);
    SAME(IVssComponent::GetAdditionalRestores);
    SAME(IVssComponent::GetNewTargetCount);
    SAME(IVssComponent::GetNewTarget);
    SAME(IVssComponent::AddDirectedTarget);
    SAME(IVssComponent::GetDirectedTargetCount);
    SAME(IVssComponent::GetDirectedTarget);
    SAME(IVssComponent::SetRestoreMetadata);
    SAME(IVssComponent::GetRestoreMetadata);
    SAME(IVssComponent::SetRestoreTarget);
    SAME(IVssComponent::GetRestoreTarget);
    SAME(IVssComponent::SetPreRestoreFailureMsg);
    SAME(IVssComponent::GetPreRestoreFailureMsg);
    SAME(IVssComponent::SetPostRestoreFailureMsg);
    SAME(IVssComponent::GetPostRestoreFailureMsg);
    SAME(IVssComponent::SetBackupStamp);
    SAME(IVssComponent::GetBackupStamp);
    SAME(IVssComponent::GetPreviousBackupStamp);
    SAME(IVssComponent::GetBackupOptions);
    SAME(IVssComponent::GetRestoreOptions);
    SAME(IVssComponent::GetRestoreSubcomponentCount);
    SAME(IVssComponent::GetRestoreSubcomponent);
    SAME(IVssComponent::GetFileRestoreStatus);
    SAME(IVssComponent::AddDifferencedFilesByLastModifyTime);
    SAME(IVssComponent::AddDifferencedFilesByLastModifyLSN);
    SAME(IVssComponent::GetDifferencedFilesCount);
    SAME(IVssComponent::GetDifferencedFile);
    SAME(IVssComponentEx::SetPrepareForBackupFailureMsg);
    SAME(IVssComponentEx::SetPostSnapshotFailureMsg);
    SAME(IVssComponentEx::GetPrepareForBackupFailureMsg);
    SAME(IVssComponentEx::GetPostSnapshotFailureMsg);
    SAME(IVssComponentEx::GetAuthoritativeRestore);
    SAME(IVssComponentEx::GetRollForward);
    SAME(IVssComponentEx::GetRestoreName);
    SAME(IVssComponentEx2::SetFailure);
    SAME(IVssComponentEx2::GetFailure);
    complete(3, 49);
}

void backupComponents() {
    SAME(IVssBackupComponents::GetWriterComponentsCount);
    SAME(IVssBackupComponents::GetWriterComponents);
    SAME(IVssBackupComponents::InitializeForBackup);
    SAME(IVssBackupComponents::SetBackupState);
    SAME(IVssBackupComponents::InitializeForRestore);
    SAME(IVssBackupComponents::SetRestoreState);
    SAME(IVssBackupComponents::GatherWriterMetadata);
    SAME(IVssBackupComponents::GetWriterMetadataCount);
    SAME(IVssBackupComponents::GetWriterMetadata);
    SAME(IVssBackupComponents::FreeWriterMetadata);
    SAME(IVssBackupComponents::AddComponent);
    SAME(IVssBackupComponents::PrepareForBackup);
    SAME(IVssBackupComponents::AbortBackup);
    SAME(IVssBackupComponents::GatherWriterStatus);
    SAME(IVssBackupComponents::GetWriterStatusCount);
    SAME(IVssBackupComponents::FreeWriterStatus);
    SAME(IVssBackupComponents::GetWriterStatus);
    SAME(IVssBackupComponents::SetBackupSucceeded);
    SAME(IVssBackupComponents::SetBackupOptions);
    SAME(IVssBackupComponents::SetSelectedForRestore);
    SAME(IVssBackupComponents::SetRestoreOptions);
    SAME(IVssBackupComponents::SetAdditionalRestores);
    SAME(IVssBackupComponents::SetPreviousBackupStamp);
    SAME(IVssBackupComponents::SaveAsXML);
    SAME(IVssBackupComponents::BackupComplete);
    SAME(IVssBackupComponents::AddAlternativeLocationMapping);
    SAME(IVssBackupComponents::AddRestoreSubcomponent);
    SAME(IVssBackupComponents::SetFileRestoreStatus);
    SAME(IVssBackupComponents::AddNewTarget);
    SAME(IVssBackupComponents::SetRangesFilePath);
    SAME(IVssBackupComponents::PreRestore);
    SAME(IVssBackupComponents::PostRestore);
    SAME(IVssBackupComponents::SetContext);
    SAME(IVssBackupComponents::StartSnapshotSet);
    SAME(IVssBackupComponents::AddToSnapshotSet);
    SAME(IVssBackupComponents::DoSnapshotSet);
    SAME(IVssBackupComponents::DeleteSnapshots);
    SAME(IVssBackupComponents::ImportSnapshots);
    SAME(IVssBackupComponents::BreakSnapshotSet);
    SAME(IVssBackupComponents::GetSnapshotProperties);
    SAME(IVssBackupComponents::Query);
    SAME(IVssBackupComponents::IsVolumeSupported);
    SAME(IVssBackupComponents::DisableWriterClasses);
    SAME(IVssBackupComponents::EnableWriterClasses);
    SAME(IVssBackupComponents::DisableWriterInstances);
    SAME(IVssBackupComponents::ExposeSnapshot);
    SAME(IVssBackupComponents::RevertToSnapshot);
    SAME(IVssBackupComponents::QueryRevertStatus);
    SAME(IVssBackupComponentsEx::GetWriterMetadataEx);
    SAME(IVssBackupComponentsEx::SetSelectedForRestoreEx);
    SAME(IVssBackupComponentsEx2::UnexposeSnapshot);
    SAME(IVssBackupComponentsEx2::SetAuthoritativeRestore);
    SAME(IVssBackupComponentsEx2::SetRollForward);
    SAME(IVssBackupComponentsEx2::SetRestoreName);
    SAME(IVssBackupComponentsEx2::BreakSnapshotSetEx);
    SAME(IVssBackupComponentsEx2::PreFastRecovery);
    SAME(IVssBackupComponentsEx2::FastRecovery);
    SAME(IVssBackupComponentsEx3::GetWriterStatusEx);
    SAME(IVssBackupComponentsEx3::AddSnapshotToRecoverySet);
    SAME(IVssBackupComponentsEx3::RecoverSet);
    SAME(IVssBackupComponentsEx3::GetSessionId);
    SAME(IVssBackupComponentsEx4::GetRootAndLogicalPrefixPaths);
    complete(3, 64);
    // Confirmed on a real Windows.
    CHECK(slot(&abi::IVssBackupComponents::SetContext) * 8 == 280);
    CHECK(slot(&abi::IVssBackupComponents::DoSnapshotSet) * 8 == 304);
}

}  // namespace

int main() {
    asyncAndEnum();
    metadata();
    components();
    backupComponents();
    static_assert(sizeof(abi::ComponentInfo) == sizeof(VSS_COMPONENTINFO));
    static_assert(sizeof(VSS_SNAPSHOT_PROP) == 128 && sizeof(VSS_OBJECT_PROP) == 136);
    CHECK(IsEqualGUID(abi::kBackupComponentsEx4Id, __uuidof(IVssBackupComponentsEx4)));
    CHECK(IsEqualGUID(abi::kAsyncId, __uuidof(IVssAsync)));
    // The second base of IVssWriterComponentsExt is IUnknown.
    auto* both = reinterpret_cast<abi::IVssWriterComponentsExt*>(0x1000);
    CHECK(reinterpret_cast<char*>(static_cast<IUnknown*>(both)) - reinterpret_cast<char*>(both) == 8);
    std::puts("ok");
    return 0;
}
