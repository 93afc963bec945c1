#pragma once
// Counts of what was handed out and what came back. The caller reads them as one line of `name=number`.

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
    /** Task-memory strings handed out, and those returned through VssFreeSnapshotProperties. */
    StringsMade,
    StringsFreed,
    ComponentInfosMade,
    ComponentInfosFreed,
    Calls,
    /** Calls that ended with VSS_E_BAD_STATE. */
    BadStates,
    /** Calls refused because their thread was in no COM apartment. */
    WithoutApartment,
    /** Volatile shadows removed after the death of their process. */
    OrphansSwept,
    /** Violations of documented rules that were tolerated. */
    LenientNoGatherWriterMetadata,
    LenientAddComponentAfterStart,
    LenientContextBeforeInitialize,
    LenientDocumentBeforePrepare,
    LenientNoBackupComplete,
    LenientNoAbortBackup,
    LenientWithoutApartment,
    /** The thread was in the multi-threaded apartment only implicitly, through another thread. */
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

/** Appends a report to `file` when the process ends. */
void reportAtExit(const std::wstring& file);
/** For DllMain: uses neither locks nor memory allocation, because other threads may have been stopped anywhere. */
void writeExitReport();

}  // namespace vss_simulator
