#pragma once

#include "shadow/vss/headers.h"

namespace domino_vss::vss {

/// What vssapi.dll calls a CVssWriterEx: an object whose virtual table begins with the deleting destructor of
/// Microsoft's compiler and has the 16 events behind it. Declared by hand: mingw's header has no such class, and g++
/// gives a virtual destructor two places, so that every event would stand one too far. Windows only.
class WriterTable {
public:
    WriterTable(const WriterTable&) = delete;
    WriterTable& operator=(const WriterTable&) = delete;

    /// Bit 0 of the flags: the memory is to be freed as well.
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
    /// It stands at the place of IVssCreateWriterMetadata in the metadata of the Ex kind.
    virtual bool STDMETHODCALLTYPE OnIdentifyEx(IVssCreateWriterMetadata* metadata) = 0;

protected:
    WriterTable() = default;
    ~WriterTable() = default;
};

}  // namespace domino_vss::vss
