#pragma once

#include "shadow/vss/headers.h"

namespace domino_vss::vss {

/// The CVssWriterEx that vssapi.dll expects: an object whose virtual table starts with the deleting destructor of
/// Microsoft's compiler, followed by the 16 events. Declared by hand: mingw's header lacks the class, and g++ would use
/// two slots for a virtual destructor, which would shift all events by one. Windows only.
class WriterTable {
public:
    WriterTable(const WriterTable&) = delete;
    WriterTable& operator=(const WriterTable&) = delete;

    /// Bit 0 of the flags means that the memory must be freed as well.
    virtual void* STDMETHODCALLTYPE deletingDestructor(unsigned flags) = 0;
    virtual bool STDMETHODCALLTYPE OnIdentify(IVssCreateWriterMetadata* metadata) = 0;
    virtual bool STDMETHODCALLTYPE OnPrepareBackup(IVssWriterComponents* components) = 0;
    virtual bool STDMETHODCALLTYPE OnPrepareSnapshot() = 0;
    virtual bool STDMETHODCALLTYPE OnFreeze() = 0;
    virtual bool STDMETHODCALLTYPE OnThaw() = 0;
    virtual bool STDMETHODCALLTYPE OnAbort() = 0;
    virtual bool STDMETHODCALLTYPE OnBackupComplete(IVssWriterComponents* components) = 0;
    virtual bool STDMETHODCALLTYPE OnBackupShutdown(VSS_ID snapshotSet) = 0;
    virtual bool STDMETHODCALLTYPE OnPreRestore(IVssWriterComponents* components) = 0;
    virtual bool STDMETHODCALLTYPE OnPostRestore(IVssWriterComponents* components) = 0;
    virtual bool STDMETHODCALLTYPE OnPostSnapshot(IVssWriterComponents* components) = 0;
    virtual bool STDMETHODCALLTYPE OnBackOffIOOnVolume(wchar_t* volume, VSS_ID snapshot, VSS_ID provider) = 0;
    virtual bool STDMETHODCALLTYPE OnContinueIOOnVolume(wchar_t* volume, VSS_ID snapshot, VSS_ID provider) = 0;
    virtual bool STDMETHODCALLTYPE OnVSSShutdown() = 0;
    virtual bool STDMETHODCALLTYPE OnVSSApplicationStartup() = 0;
    /// Receives an IVssCreateWriterMetadataEx in place of the IVssCreateWriterMetadata.
    virtual bool STDMETHODCALLTYPE OnIdentifyEx(IVssCreateWriterMetadata* metadata) = 0;

protected:
    WriterTable() = default;
    ~WriterTable() = default;
};

}  // namespace domino_vss::vss
