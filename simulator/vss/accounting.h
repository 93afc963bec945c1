#pragma once
// What was handed out and what came back. The caller reads it as one line of `name=number`.

#include <windows.h>

#include <string>
#include <string_view>

namespace vss_simulator {

enum class ObjectKind {
    BackupComponents,
    Async,
    EnumObject,
    ExamineWriterMetadata,
    WmComponent,
    WmFiledesc,
    WmDependency,
    WriterComponents,
    Component,
    Admin,
    ClassFactory,
    WriterImpl,
    CreateWriterMetadata,
    Count
};

enum class Counter {
    BstrsMade,
    /** Task-memory strings handed out, and those that came back through VssFreeSnapshotProperties. */
    StringsMade,
    StringsFreed,
    ComponentInfosMade,
    ComponentInfosFreed,
    Calls,
    /** Calls that ended with VSS_E_BAD_STATE. */
    BadStates,
    /** Calls that were refused because their thread was in no COM apartment. */
    WithoutApartment,
    /** Volatile shadows taken away from a process that had died. */
    OrphansSwept,
    /** Rules of the documentation that were broken and let pass. */
    LenientNoGatherWriterMetadata,
    LenientAddComponentAfterStart,
    LenientContextBeforeInitialize,
    LenientDocumentBeforePrepare,
    LenientNoBackupComplete,
    LenientNoAbortBackup,
    LenientWithoutApartment,
    /** The thread was in the multi-threaded apartment only because another one was. */
    LenientImplicitApartment,
    LenientBackupStateInRestore,
    /** Components whose files were reported as not restored (SetFileRestoreStatus with VSS_RS_NONE, VSS_RS_FAILED). */
    RestoreStatusNone,
    RestoreStatusFailed,
    Count
};

void objectMade(ObjectKind kind);
void objectGone(ObjectKind kind);
void count(Counter counter);

std::string report();

/** From then on a report is appended to `file` when the process ends. */
void reportAtExit(const std::wstring& file);
/** For DllMain: takes no lock and no memory, as other threads may have been stopped anywhere. */
void writeExitReport();

}  // namespace vss_simulator
