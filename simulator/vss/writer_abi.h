#pragma once
// The writer's half of the binary interface: the object that a writer passes, and the tables it gets back. Declared
// here for the same reasons as in abi.h.

#include "abi.h"

namespace vss_simulator::abi {

// clang-format off

struct IVssCreateWriterMetadata {  // not a COM interface
    virtual HRESULT STDMETHODCALLTYPE AddIncludeFiles(LPCWSTR path, LPCWSTR fileSpec, bool recursive, LPCWSTR alternateLocation) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddExcludeFiles(LPCWSTR path, LPCWSTR fileSpec, bool recursive) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddComponent(VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name, LPCWSTR caption, const BYTE* icon, UINT iconBytes, bool restoreMetadata, bool notifyOnBackupComplete, bool selectable, bool selectableForRestore, DWORD flags) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddDatabaseFiles(LPCWSTR logicalPath, LPCWSTR database, LPCWSTR path, LPCWSTR fileSpec, DWORD mask) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddDatabaseLogFiles(LPCWSTR logicalPath, LPCWSTR database, LPCWSTR path, LPCWSTR fileSpec, DWORD mask) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddFilesToFileGroup(LPCWSTR logicalPath, LPCWSTR group, LPCWSTR path, LPCWSTR fileSpec, bool recursive, LPCWSTR alternateLocation, DWORD mask) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetRestoreMethod(VSS_RESTOREMETHOD_ENUM method, LPCWSTR service, LPCWSTR userProcedure, VSS_WRITERRESTORE_ENUM writerRestore, bool reboot) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddAlternateLocationMapping(LPCWSTR path, LPCWSTR fileSpec, bool recursive, LPCWSTR destination) = 0;
    virtual HRESULT STDMETHODCALLTYPE AddComponentDependency(LPCWSTR forLogicalPath, LPCWSTR forName, VSS_ID onWriter, LPCWSTR onLogicalPath, LPCWSTR onName) = 0;
    virtual HRESULT STDMETHODCALLTYPE SetBackupSchema(DWORD schema) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetDocument(IXMLDOMDocument** document) = 0;
    virtual HRESULT STDMETHODCALLTYPE SaveAsXML(BSTR* xml) = 0;
};

// Two vtable pointers; IUnknown is the second.
struct IVssCreateWriterMetadataEx : IVssCreateWriterMetadata, IUnknown {
    virtual HRESULT STDMETHODCALLTYPE AddExcludeFilesFromSnapshot(LPCWSTR path, LPCWSTR fileSpec, bool recursive) = 0;
};

struct IVssWriterImpl : IUnknown {
    virtual HRESULT STDMETHODCALLTYPE Initialize(VSS_ID writer, LPCWSTR name, LPCWSTR instanceName, DWORD major, DWORD minor, VSS_USAGE_TYPE usage, VSS_SOURCE_TYPE source, VSS_APPLICATION_LEVEL level, DWORD freezeTimeoutMs, VSS_ALTERNATE_WRITER_STATE alternate, bool ioThrottlingOnly) = 0;
    virtual HRESULT STDMETHODCALLTYPE Subscribe(DWORD subscribeTimeoutMs, DWORD eventFlags) = 0;
    virtual HRESULT STDMETHODCALLTYPE Unsubscribe() = 0;
    virtual void STDMETHODCALLTYPE Uninitialize() = 0;
    virtual LPCWSTR* STDMETHODCALLTYPE GetCurrentVolumeArray() = 0;
    virtual UINT STDMETHODCALLTYPE GetCurrentVolumeCount() = 0;
    virtual HRESULT STDMETHODCALLTYPE GetSnapshotDeviceName(LPCWSTR volume, LPCWSTR* device) = 0;
    // MSVC passes the address of a returned structure after `this`, g++ before it, so it is declared explicitly as MSVC
    // does.
    virtual VSS_ID* STDMETHODCALLTYPE GetCurrentSnapshotSetId(VSS_ID* result) = 0;
    virtual LONG STDMETHODCALLTYPE GetContext() = 0;
    virtual VSS_APPLICATION_LEVEL STDMETHODCALLTYPE GetCurrentLevel() = 0;
    virtual bool STDMETHODCALLTYPE IsPathAffected(LPCWSTR path) = 0;
    virtual bool STDMETHODCALLTYPE IsBootableSystemStateBackedUp() = 0;
    virtual bool STDMETHODCALLTYPE AreComponentsSelected() = 0;
    virtual VSS_BACKUP_TYPE STDMETHODCALLTYPE GetBackupType() = 0;
    virtual VSS_RESTORE_TYPE STDMETHODCALLTYPE GetRestoreType() = 0;
    virtual HRESULT STDMETHODCALLTYPE SetWriterFailure(HRESULT failure) = 0;
    virtual bool STDMETHODCALLTYPE IsPartialFileSupportEnabled() = 0;
    virtual HRESULT STDMETHODCALLTYPE InstallAlternateWriter(VSS_ID writer, CLSID classId) = 0;
    virtual IVssExamineWriterMetadata* STDMETHODCALLTYPE GetIdentityInformation() = 0;
    virtual HRESULT STDMETHODCALLTYPE SetWriterFailureEx(HRESULT failure, HRESULT application, LPCWSTR message) = 0;
    virtual HRESULT STDMETHODCALLTYPE GetSessionId(VSS_ID* session) = 0;
    virtual bool STDMETHODCALLTYPE IsWriterShuttingDown() = 0;
};

struct WriterObject;

/** The vtable of a writer. Only the first 16 slots exist for CVssWriter. */
struct WriterTable {
    void*(STDMETHODCALLTYPE* deletingDestructor)(WriterObject*, unsigned flags);
    bool(STDMETHODCALLTYPE* OnIdentify)(WriterObject*, IVssCreateWriterMetadata*);
    bool(STDMETHODCALLTYPE* OnPrepareBackup)(WriterObject*, IVssWriterComponents*);
    bool(STDMETHODCALLTYPE* OnPrepareSnapshot)(WriterObject*);
    bool(STDMETHODCALLTYPE* OnFreeze)(WriterObject*);
    bool(STDMETHODCALLTYPE* OnThaw)(WriterObject*);
    bool(STDMETHODCALLTYPE* OnAbort)(WriterObject*);
    bool(STDMETHODCALLTYPE* OnBackupComplete)(WriterObject*, IVssWriterComponents*);
    bool(STDMETHODCALLTYPE* OnBackupShutdown)(WriterObject*, VSS_ID set);
    bool(STDMETHODCALLTYPE* OnPreRestore)(WriterObject*, IVssWriterComponents*);
    bool(STDMETHODCALLTYPE* OnPostRestore)(WriterObject*, IVssWriterComponents*);
    bool(STDMETHODCALLTYPE* OnPostSnapshot)(WriterObject*, IVssWriterComponents*);
    bool(STDMETHODCALLTYPE* OnBackOffIOOnVolume)(WriterObject*, VSS_PWSZ volume, VSS_ID snapshot, VSS_ID provider);
    bool(STDMETHODCALLTYPE* OnContinueIOOnVolume)(WriterObject*, VSS_PWSZ volume, VSS_ID snapshot, VSS_ID provider);
    bool(STDMETHODCALLTYPE* OnVSSShutdown)(WriterObject*);
    bool(STDMETHODCALLTYPE* OnVSSApplicationStartup)(WriterObject*);
    bool(STDMETHODCALLTYPE* OnIdentifyEx)(WriterObject*, IVssCreateWriterMetadataEx*);
};
// clang-format on
static_assert(sizeof(WriterTable) == 17 * sizeof(void*));

/** CVssWriter, CVssWriterEx, CVssWriterEx2. */
struct WriterObject {
    const WriterTable* table;
    IVssWriterImpl* impl;
};
static_assert(sizeof(WriterObject) == 16);

inline constexpr GUID kCreateWriterMetadataExId{
    0x9f21981d, 0xd469, 0x4349, {0xb8, 0x07, 0x39, 0xe6, 0x4e, 0x46, 0x74, 0xe1}};

}  // namespace vss_simulator::abi
