#pragma once
// The binary interface of vssapi.dll: vtables, slot by slot, as in the real one. Declared here because mingw-w64's
// vsbackup.h lacks the IUnknown base of IVssWriterComponentsExt and the C++ `bool`. Data types and constants come from
// the system headers, where they are identical.

#include <windows.h>
// after windows.h
#include <objbase.h>
#include <oleauto.h>
#include <vss.h>
#include <vsserror.h>
#include <vswriter.h>

#include <cstddef>

struct IXMLDOMDocument;

namespace vss_simulator::abi {

// clang-format off

struct ComponentInfo {  // VSS_COMPONENTINFO
    VSS_COMPONENT_TYPE type;
    BSTR logicalPath;
    BSTR componentName;
    BSTR caption;
    BYTE* icon;
    UINT iconBytes;
    bool restoreMetadata;
    bool notifyOnBackupComplete;
    bool selectable;
    bool selectableForRestore;
    DWORD componentFlags;
    UINT fileCount;
    UINT databases;
    UINT logFiles;
    UINT dependencies;
};
static_assert(sizeof(ComponentInfo) == 72 && offsetof(ComponentInfo, restoreMetadata) == 44);

struct IVssAsync : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Cancel() = 0;
    virtual HRESULT STDMETHODCALLTYPE Wait(DWORD milliseconds) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryStatus(HRESULT* status, INT* reserved) = 0;
};

struct IVssEnumObject : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Next(ULONG wanted, VSS_OBJECT_PROP* objects, ULONG* fetched) = 0;
    virtual HRESULT STDMETHODCALLTYPE Skip(ULONG count) = 0;
    virtual HRESULT STDMETHODCALLTYPE Reset() = 0;
    virtual HRESULT STDMETHODCALLTYPE Clone(IVssEnumObject** copy) = 0;
};

struct IVssWMFiledesc : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetPath(BSTR* path) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFilespec(BSTR* fileSpec) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRecursive(bool* recursive) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAlternateLocation(BSTR* location) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBackupTypeMask(DWORD* mask) = 0;
};

struct IVssWMDependency : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetWriterId(VSS_ID* writerId) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetLogicalPath(BSTR* logicalPath) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetComponentName(BSTR* name) = 0;
};

struct IVssWMComponent : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetComponentInfo(const ComponentInfo** info) = 0;
    virtual HRESULT STDMETHODCALLTYPE FreeComponentInfo(const ComponentInfo* info) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFile(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDatabaseFile(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDatabaseLogFile(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDependency(UINT index, IVssWMDependency** dependency) = 0;
};

struct IVssExamineWriterMetadata : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetIdentity(VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_USAGE_TYPE* usage, VSS_SOURCE_TYPE* source) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFileCounts(UINT* included, UINT* excluded, UINT* components) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetIncludeFile(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetExcludeFile(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetComponent(UINT index, IVssWMComponent** component) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRestoreMethod(VSS_RESTOREMETHOD_ENUM* method, BSTR* service, BSTR* procedure, VSS_WRITERRESTORE_ENUM* writerRestore, bool* reboot, UINT* mappings) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAlternateLocationMapping(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBackupSchema(DWORD* schema) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDocument(IXMLDOMDocument** document) = 0;
    virtual HRESULT STDMETHODCALLTYPE SaveAsXML(BSTR* xml) = 0;
    virtual HRESULT STDMETHODCALLTYPE LoadFromXML(BSTR xml) = 0;
};

struct IVssExamineWriterMetadataEx : IVssExamineWriterMetadata {
    virtual HRESULT STDMETHODCALLTYPE GetIdentityEx(VSS_ID* instance, VSS_ID* writer, BSTR* name, BSTR* instanceName, VSS_USAGE_TYPE* usage, VSS_SOURCE_TYPE* source) = 0;
};

struct IVssExamineWriterMetadataEx2 : IVssExamineWriterMetadataEx {
    virtual HRESULT STDMETHODCALLTYPE GetVersion(DWORD* major, DWORD* minor) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetExcludeFromSnapshotCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetExcludeFromSnapshotFile(UINT index, IVssWMFiledesc** file) = 0;
};

struct IVssComponent : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetLogicalPath(BSTR* path) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetComponentType(VSS_COMPONENT_TYPE* type) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetComponentName(BSTR* name) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBackupSucceeded(bool* succeeded) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAlternateLocationMappingCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAlternateLocationMapping(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetBackupMetadata(LPCWSTR data) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBackupMetadata(BSTR* data) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddPartialFile(LPCWSTR path, LPCWSTR name, LPCWSTR ranges, LPCWSTR metadata) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetPartialFileCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetPartialFile(UINT index, BSTR* path, BSTR* name, BSTR* range, BSTR* metadata) = 0;
    virtual HRESULT STDMETHODCALLTYPE IsSelectedForRestore(bool* selected) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAdditionalRestores(bool* additional) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetNewTargetCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetNewTarget(UINT index, IVssWMFiledesc** file) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddDirectedTarget(LPCWSTR sourcePath, LPCWSTR sourceName, LPCWSTR sourceRanges, LPCWSTR path, LPCWSTR name, LPCWSTR ranges) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDirectedTargetCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDirectedTarget(UINT index, BSTR* sourcePath, BSTR* sourceName, BSTR* sourceRanges, BSTR* path, BSTR* name, BSTR* ranges) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRestoreMetadata(LPCWSTR data) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRestoreMetadata(BSTR* data) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRestoreTarget(VSS_RESTORE_TARGET target) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRestoreTarget(VSS_RESTORE_TARGET* target) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetPreRestoreFailureMsg(LPCWSTR message) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetPreRestoreFailureMsg(BSTR* message) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetPostRestoreFailureMsg(LPCWSTR message) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetPostRestoreFailureMsg(BSTR* message) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetBackupStamp(LPCWSTR stamp) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBackupStamp(BSTR* stamp) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetPreviousBackupStamp(BSTR* stamp) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetBackupOptions(BSTR* options) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRestoreOptions(BSTR* options) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRestoreSubcomponentCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRestoreSubcomponent(UINT index, BSTR* logicalPath, BSTR* name, bool* repair) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFileRestoreStatus(VSS_FILE_RESTORE_STATUS* status) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddDifferencedFilesByLastModifyTime(LPCWSTR path, LPCWSTR fileSpec, BOOL recursive, FILETIME modified) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddDifferencedFilesByLastModifyLSN(LPCWSTR path, LPCWSTR fileSpec, BOOL recursive, BSTR lsn) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDifferencedFilesCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDifferencedFile(UINT index, BSTR* path, BSTR* fileSpec, BOOL* recursive, BSTR* lsn, FILETIME* modified) = 0;
};

struct IVssComponentEx : IVssComponent {
    virtual HRESULT STDMETHODCALLTYPE SetPrepareForBackupFailureMsg(LPCWSTR message) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetPostSnapshotFailureMsg(LPCWSTR message) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetPrepareForBackupFailureMsg(BSTR* message) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetPostSnapshotFailureMsg(BSTR* message) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetAuthoritativeRestore(bool* authoritative) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRollForward(VSS_ROLLFORWARD_TYPE* type, BSTR* point) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetRestoreName(BSTR* name) = 0;
};

struct IVssComponentEx2 : IVssComponentEx {
    virtual HRESULT STDMETHODCALLTYPE SetFailure(HRESULT failure, HRESULT application, LPCWSTR message, DWORD reserved) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetFailure(HRESULT* failure, HRESULT* application, BSTR* message, DWORD* reserved) = 0;
};

struct IVssWriterComponents {  // not a COM interface
    virtual HRESULT STDMETHODCALLTYPE GetComponentCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetWriterInfo(VSS_ID* instance, VSS_ID* writer) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetComponent(UINT index, IVssComponent** component) = 0;
};

// Two vtable pointers; IUnknown is the second.
struct IVssWriterComponentsExt : IVssWriterComponents, IUnknown {};

struct IVssBackupComponents : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE GetWriterComponentsCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetWriterComponents(UINT index, IVssWriterComponentsExt** writer) = 0;
    virtual HRESULT STDMETHODCALLTYPE InitializeForBackup(BSTR xml) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetBackupState(bool selectComponents, bool bootableState, VSS_BACKUP_TYPE type, bool partialFiles) = 0;
    virtual HRESULT STDMETHODCALLTYPE InitializeForRestore(BSTR xml) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRestoreState(VSS_RESTORE_TYPE type) = 0;
    virtual HRESULT STDMETHODCALLTYPE GatherWriterMetadata(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetWriterMetadataCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetWriterMetadata(UINT index, VSS_ID* instance, IVssExamineWriterMetadata** metadata) = 0;
    virtual HRESULT STDMETHODCALLTYPE FreeWriterMetadata() = 0;
    virtual HRESULT STDMETHODCALLTYPE AddComponent(VSS_ID instance, VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name) = 0;
    virtual HRESULT STDMETHODCALLTYPE PrepareForBackup(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE AbortBackup() = 0;
    virtual HRESULT STDMETHODCALLTYPE GatherWriterStatus(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetWriterStatusCount(UINT* count) = 0;
    virtual HRESULT STDMETHODCALLTYPE FreeWriterStatus() = 0;
    virtual HRESULT STDMETHODCALLTYPE GetWriterStatus(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state, HRESULT* failure) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetBackupSucceeded(VSS_ID instance, VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool succeeded) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetBackupOptions(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR options) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetSelectedForRestore(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool selected) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRestoreOptions(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR options) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetAdditionalRestores(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool additional) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetPreviousBackupStamp(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR stamp) = 0;
    virtual HRESULT STDMETHODCALLTYPE SaveAsXML(BSTR* xml) = 0;
    virtual HRESULT STDMETHODCALLTYPE BackupComplete(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddAlternativeLocationMapping(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR path, LPCWSTR fileSpec, bool recursive, LPCWSTR destination) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddRestoreSubcomponent(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR subLogicalPath, LPCWSTR subName, bool repair) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetFileRestoreStatus(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, VSS_FILE_RESTORE_STATUS status) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddNewTarget(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR path, LPCWSTR file, bool recursive, LPCWSTR alternatePath) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRangesFilePath(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, UINT partialFile, LPCWSTR rangesFile) = 0;
    virtual HRESULT STDMETHODCALLTYPE PreRestore(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE PostRestore(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetContext(LONG context) = 0;
    virtual HRESULT STDMETHODCALLTYPE StartSnapshotSet(VSS_ID* set) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddToSnapshotSet(VSS_PWSZ volume, VSS_ID provider, VSS_ID* snapshot) = 0;
    virtual HRESULT STDMETHODCALLTYPE DoSnapshotSet(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE DeleteSnapshots(VSS_ID source, VSS_OBJECT_TYPE type, BOOL force, LONG* deleted, VSS_ID* notDeleted) = 0;
    virtual HRESULT STDMETHODCALLTYPE ImportSnapshots(IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE BreakSnapshotSet(VSS_ID set) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetSnapshotProperties(VSS_ID snapshot, VSS_SNAPSHOT_PROP* properties) = 0;
    virtual HRESULT STDMETHODCALLTYPE Query(VSS_ID queried, VSS_OBJECT_TYPE queriedType, VSS_OBJECT_TYPE returnedType, IVssEnumObject** objects) = 0;
    virtual HRESULT STDMETHODCALLTYPE IsVolumeSupported(VSS_ID provider, VSS_PWSZ volume, BOOL* supported) = 0;
    virtual HRESULT STDMETHODCALLTYPE DisableWriterClasses(const VSS_ID* classes, UINT count) = 0;
    virtual HRESULT STDMETHODCALLTYPE EnableWriterClasses(const VSS_ID* classes, UINT count) = 0;
    virtual HRESULT STDMETHODCALLTYPE DisableWriterInstances(const VSS_ID* instances, UINT count) = 0;
    virtual HRESULT STDMETHODCALLTYPE ExposeSnapshot(VSS_ID snapshot, VSS_PWSZ pathFromRoot, LONG attributes, VSS_PWSZ expose, VSS_PWSZ* exposed) = 0;
    virtual HRESULT STDMETHODCALLTYPE RevertToSnapshot(VSS_ID snapshot, BOOL forceDismount) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryRevertStatus(VSS_PWSZ volume, IVssAsync** async) = 0;
};

struct IVssBackupComponentsEx : IVssBackupComponents {
    virtual HRESULT STDMETHODCALLTYPE GetWriterMetadataEx(UINT index, VSS_ID* instance, IVssExamineWriterMetadataEx** metadata) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetSelectedForRestoreEx(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool selected, VSS_ID instance) = 0;
};

struct IVssBackupComponentsEx2 : IVssBackupComponentsEx {
    virtual HRESULT STDMETHODCALLTYPE UnexposeSnapshot(VSS_ID snapshot) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetAuthoritativeRestore(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, bool authoritative) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRollForward(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, VSS_ROLLFORWARD_TYPE rollType, LPCWSTR point) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRestoreName(VSS_ID writer, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR restoreName) = 0;
    virtual HRESULT STDMETHODCALLTYPE BreakSnapshotSetEx(VSS_ID set, DWORD flags, IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE PreFastRecovery(VSS_ID set, DWORD flags, IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE FastRecovery(VSS_ID set, DWORD flags, IVssAsync** async) = 0;
};

struct IVssBackupComponentsEx3 : IVssBackupComponentsEx2 {
    virtual HRESULT STDMETHODCALLTYPE GetWriterStatusEx(UINT index, VSS_ID* instance, VSS_ID* writer, BSTR* name, VSS_WRITER_STATE* state, HRESULT* failure, HRESULT* application, BSTR* message) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddSnapshotToRecoverySet(VSS_ID snapshot, DWORD flags, VSS_PWSZ destination) = 0;
    virtual HRESULT STDMETHODCALLTYPE RecoverSet(DWORD flags, IVssAsync** async) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetSessionId(VSS_ID* session) = 0;
};

struct IVssBackupComponentsEx4 : IVssBackupComponentsEx3 {
    virtual HRESULT STDMETHODCALLTYPE GetRootAndLogicalPrefixPaths(VSS_PWSZ path, VSS_PWSZ* root, VSS_PWSZ* logicalPrefix, BOOL normalizeFqdn) = 0;
};

struct IVssAdmin : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE RegisterProvider(VSS_ID provider, CLSID classId, VSS_PWSZ name, VSS_PROVIDER_TYPE type, VSS_PWSZ version, VSS_ID versionId) = 0;
    virtual HRESULT STDMETHODCALLTYPE UnregisterProvider(VSS_ID provider) = 0;
    virtual HRESULT STDMETHODCALLTYPE QueryProviders(IVssEnumObject** providers) = 0;
    virtual HRESULT STDMETHODCALLTYPE AbortAllSnapshotsInProgress() = 0;
};
// clang-format on

inline constexpr GUID kUnknownId{0, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
inline constexpr GUID kClassFactoryId{1, 0, 0, {0xc0, 0, 0, 0, 0, 0, 0, 0x46}};
inline constexpr GUID kBackupComponentsId{0x665c1d5f, 0xc218, 0x414d, {0xa0, 0x5d, 0x7f, 0xef, 0x5f, 0x9d, 0x5c, 0x86}};
inline constexpr GUID kBackupComponentsExId{
    0x963f03ad, 0x9e4c, 0x4a34, {0xac, 0x15, 0xe4, 0xb6, 0x17, 0x4e, 0x50, 0x36}};
inline constexpr GUID kBackupComponentsEx2Id{
    0xacfe2b3a, 0x22c9, 0x4ef8, {0xbd, 0x03, 0x2f, 0x9c, 0xa2, 0x30, 0x08, 0x4e}};
inline constexpr GUID kBackupComponentsEx3Id{
    0xc191bfbc, 0xb602, 0x4675, {0x8b, 0xd1, 0x67, 0xd6, 0x42, 0xf5, 0x29, 0xd5}};
inline constexpr GUID kBackupComponentsEx4Id{
    0xf434c2fd, 0xb553, 0x4961, {0xa9, 0xf9, 0xa8, 0xe9, 0x0b, 0x67, 0x3e, 0x53}};
inline constexpr GUID kAsyncId{0x507c37b4, 0xcf5b, 0x4e95, {0xb0, 0xaf, 0x14, 0xeb, 0x97, 0x67, 0x46, 0x7e}};
inline constexpr GUID kEnumObjectId{0xae1c7110, 0x2f60, 0x11d3, {0x8a, 0x39, 0x00, 0xc0, 0x4f, 0x72, 0xd8, 0xe3}};
inline constexpr GUID kExamineWriterMetadataId{
    0x902fcf7f, 0xb7fd, 0x42f8, {0x81, 0xf1, 0xb2, 0xe4, 0x00, 0xb1, 0xe5, 0xbd}};
inline constexpr GUID kExamineWriterMetadataExId{
    0x0c0e5ec0, 0xca44, 0x472b, {0xb7, 0x02, 0xe6, 0x52, 0xdb, 0x1c, 0x04, 0x51}};
inline constexpr GUID kExamineWriterMetadataEx2Id{
    0xce115780, 0xa611, 0x431b, {0xb5, 0x7f, 0xc3, 0x83, 0x03, 0xab, 0x6a, 0xee}};
inline constexpr GUID kComponentId{0xd2c72c96, 0xc121, 0x4518, {0xb6, 0x27, 0xe5, 0xa9, 0x3d, 0x01, 0x0e, 0xad}};
inline constexpr GUID kComponentExId{0x156c8b5e, 0xf131, 0x4bd7, {0x9c, 0x97, 0xd1, 0x92, 0x3b, 0xe7, 0xe1, 0xfa}};
inline constexpr GUID kComponentEx2Id{0x3b5be0f2, 0x07a9, 0x4e4b, {0xbd, 0xd3, 0xcf, 0xdc, 0x8e, 0x2c, 0x0d, 0x2d}};
inline constexpr GUID kAdminId{0x77ed5996, 0x2f63, 0x11d3, {0x8a, 0x39, 0x00, 0xc0, 0x4f, 0x72, 0xd8, 0xe3}};
inline constexpr GUID kCoordinatorClassId{0xe579ab5f, 0x1cc4, 0x44b4, {0xbe, 0xd9, 0xde, 0x09, 0x91, 0xff, 0x06, 0x23}};

}  // namespace vss_simulator::abi
