#pragma once
// The Backup Components Document: the selection, and the snapshot set for an import.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "com_object.h"
#include "document.h"
#include "writers.h"

namespace vss_simulator {

struct Subcomponent {
    std::string logicalPath;
    std::string name;
    bool repair = false;
};

struct PartialFile {
    std::string path;
    std::string name;
    std::string ranges;
    std::string metadata;
};

struct DirectedTarget {
    std::string sourcePath;
    std::string sourceName;
    std::string sourceRanges;
    std::string path;
    std::string name;
    std::string ranges;
};

struct DifferencedFiles {
    std::string path;
    std::string fileSpec;
    bool recursive = false;
    /** Either this or `modified`. */
    std::string lsn;
    ULONGLONG modified = 0;
};

struct ComponentFailure {
    HRESULT result = S_OK;
    HRESULT application = S_OK;
    std::string message;
};

struct SelectedComponent {
    VSS_COMPONENT_TYPE type = VSS_CT_UNDEFINED;
    std::string logicalPath;
    std::string name;
    bool backupSucceeded = false;
    bool selectedForRestore = false;
    bool additionalRestores = false;
    bool authoritative = false;
    std::string backupOptions;
    std::string restoreOptions;
    std::string backupStamp;
    std::string previousBackupStamp;
    std::string backupMetadata;
    std::string restoreMetadata;
    std::string prepareForBackupFailure;
    std::string postSnapshotFailure;
    std::string preRestoreFailure;
    std::string postRestoreFailure;
    ComponentFailure failure;
    VSS_RESTORE_TARGET restoreTarget = VSS_RT_ORIGINAL;
    std::string restoreName;
    VSS_ROLLFORWARD_TYPE rollForward = VSS_RF_UNDEFINED;
    std::string rollForwardPoint;
    VSS_FILE_RESTORE_STATUS fileRestoreStatus = VSS_RS_UNDEFINED;
    std::vector<FileSet> alternateMappings;
    std::vector<FileSet> newTargets;
    std::vector<Subcomponent> restoreSubcomponents;
    std::vector<PartialFile> partialFiles;
    std::vector<DirectedTarget> directedTargets;
    std::vector<DifferencedFiles> differencedFiles;

    /** Whether the component is this one or below it: subcomponents are included without being selected. */
    bool brings(const WriterComponent& component) const;
};

struct WriterSelection {
    VSS_ID classId{};
    VSS_ID instanceId{};
    std::vector<SelectedComponent> components;
};

struct BackupDocument {
    VSS_BACKUP_TYPE type = VSS_BT_UNDEFINED;
    bool selectComponents = false;
    bool bootableState = false;
    bool partialFiles = false;
    std::vector<WriterSelection> writers;
    /** The set, for ImportSnapshots. */
    VSS_ID setId{};
    LONG context = 0;
    std::vector<VSS_ID> snapshotIds;

    /** NULL if there is none. Without an instance id, returns the first one of the class. */
    SelectedComponent* find(const VSS_ID& classId, VSS_COMPONENT_TYPE type, LPCWSTR logicalPath, LPCWSTR name,
                            const VSS_ID* instanceId = nullptr);
};

Element describeDocument(const BackupDocument& document);
/** Throws VSS_E_INVALID_XML_DOCUMENT. */
BackupDocument documentFrom(const Element& root);
std::string printDocument(const BackupDocument& document);
/** Throws VSS_E_INVALID_XML_DOCUMENT. */
BackupDocument parseDocument(BSTR xml);

/**
 * IVssWriterComponentsExt and IVssComponent show the current document and keep it alive. A writer may change its
 * components during certain events; a requester, which has no `event`, may not.
 */
abi::IVssWriterComponentsExt* makeWriterComponents(std::shared_ptr<BackupDocument> document, std::size_t writer,
                                                   std::optional<WriterEvent> event = std::nullopt);

}  // namespace vss_simulator
