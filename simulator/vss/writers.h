#pragma once
// The writers of the machine: their metadata, and how each of them goes through a backup or restore.

#include <windows.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "abi.h"
#include "document.h"
#include "operation.h"

namespace vss_simulator {

struct FileSet {
    std::string path;
    std::string fileSpec;
    bool recursive = false;
    std::string alternateLocation = {};
    DWORD backupTypeMask = VSS_FSBT_ALL_BACKUP_REQUIRED | VSS_FSBT_ALL_SNAPSHOT_REQUIRED;
};

struct Dependency {
    VSS_ID writerId;
    std::string logicalPath;
    std::string componentName;
};

struct WriterComponent {
    VSS_COMPONENT_TYPE type = VSS_CT_FILEGROUP;
    std::string logicalPath;
    std::string name;
    std::string caption;
    bool restoreMetadata = false;
    bool notifyOnBackupComplete = false;
    bool selectable = true;
    bool selectableForRestore = false;
    DWORD flags = 0;
    std::vector<FileSet> files;
    std::vector<FileSet> databaseFiles;
    std::vector<FileSet> logFiles;
    std::vector<Dependency> dependencies;
};

/** The contents of the writer's metadata document. */
struct WriterDescription {
    /** The name in the settings. */
    std::string key;
    VSS_ID classId{};
    VSS_ID instanceId{};
    std::string name;
    std::string instanceName;
    DWORD majorVersion = 1;
    DWORD minorVersion = 0;
    VSS_USAGE_TYPE usage = VSS_UT_USERDATA;
    VSS_SOURCE_TYPE source = VSS_ST_OTHER;
    VSS_RESTOREMETHOD_ENUM restoreMethod = VSS_RME_RESTORE_IF_CAN_REPLACE;
    VSS_WRITERRESTORE_ENUM writerRestore = VSS_WRE_NEVER;
    std::string service;
    std::string userProcedure;
    bool rebootRequired = false;
    DWORD backupSchema = 0;
    std::vector<FileSet> includedFiles;
    std::vector<FileSet> excludedFiles;
    std::vector<FileSet> excludedFromSnapshot;
    std::vector<FileSet> alternateMappings;
    std::vector<WriterComponent> components;
};

Element describe(const WriterDescription& writer);
/** Throws VSS_E_INVALID_XML_DOCUMENT. */
WriterDescription writerFromDocument(const Element& document);

/** The writers that are enabled. */
std::vector<WriterDescription> machineWriters();

enum class WriterEvent {
    Identify,
    PrepareForBackup,
    PrepareForSnapshot,
    Freeze,
    Thaw,
    PostSnapshot,
    Abort,
    BackupComplete,
    PreRestore,
    PostRestore,
    BackupShutdown
};

/** The name used by its settings and by the log. */
std::string_view eventName(WriterEvent event);

struct WriterOutcome {
    VSS_WRITER_STATE good;
    VSS_WRITER_STATE bad;
};

/** The state of a writer after the event. */
WriterOutcome outcomeOf(WriterEvent event);

/** Whether it is one of the codes that a writer may report. */
bool isWriterFailure(HRESULT failure);

class RegisteredWriter;

/** A writer in one session. */
struct WriterRun {
    WriterDescription writer;
    /** Set if a program has registered the writer; otherwise the settings describe it. */
    std::shared_ptr<RegisteredWriter> registered;
    VSS_WRITER_STATE state = VSS_WS_STABLE;
    HRESULT failure = S_OK;
    HRESULT applicationFailure = S_OK;
    std::string applicationMessage;
    /** None of its components was selected in component mode: it receives no events after PrepareForBackup. */
    bool isLeftOut = false;
    /** Its service has ended: it receives no events and is not reported. */
    bool isGone = false;
    /** It vetoed or is considered dead: it only receives the end of the session. */
    bool isOut = false;
    std::chrono::steady_clock::time_point frozen{};

    bool isFailed() const { return failure != S_OK; }
};

/** Whether it receives this event. */
bool takesPart(const WriterRun& run, WriterEvent event);

/** Sends the event to all participating writers that are not programs. Takes as long as the slowest. */
void deliver(WriterEvent event, std::vector<WriterRun>& runs, Operation& operation);
/** The set lacks volumes that the writer needs: it fails, unless its settings say that it does not check. */
void rejectVolumes(WriterRun& run);
/** Without waiting and failing, when nobody listens any more. */
void deliverLast(WriterEvent event, std::vector<WriterRun>& runs);

}  // namespace vss_simulator
