#include "backup_document.h"

#include <cstdlib>
#include <stdexcept>

#include "call.h"
#include "text.h"

namespace vss_simulator {

namespace {

VSS_ID idFrom(const Element& element, std::string_view attribute) {
    try {
        return guidFrom(element[attribute]);
    } catch (const std::invalid_argument&) {
        throw Failure(VSS_E_INVALID_XML_DOCUMENT);
    }
}

void printFiles(Element& parent, std::string_view name, const std::vector<FileSet>& files) {
    for (const FileSet& file : files) {
        parent.add(name)
            .set("path", file.path)
            .set("filespec", file.fileSpec)
            .setFlag("recursive", file.recursive)
            .set("alternatePath", file.alternateLocation);
    }
}

std::vector<FileSet> parseFiles(const Element& parent, std::string_view name) {
    std::vector<FileSet> files;
    for (const Element* element : parent.all(name)) {
        files.push_back(
            {(*element)["path"], (*element)["filespec"], element->flag("recursive"), (*element)["alternatePath"]});
    }
    return files;
}

void printComponent(Element& parent, const SelectedComponent& component) {
    Element& element = parent.add("COMPONENT");
    element.set("componentType", component.type == VSS_CT_DATABASE ? "database" : "filegroup");
    if (!component.logicalPath.empty()) element.set("logicalPath", component.logicalPath);
    element.set("componentName", component.name)
        .setFlag("backupSucceeded", component.backupSucceeded)
        .setFlag("selectedForRestore", component.selectedForRestore)
        .setFlag("additionalRestores", component.additionalRestores)
        .setFlag("authoritativeRestore", component.authoritative)
        .set("backupOptions", component.backupOptions)
        .set("restoreOptions", component.restoreOptions)
        .set("backupStamp", component.backupStamp)
        .set("previousBackupStamp", component.previousBackupStamp)
        .set("backupMetadata", component.backupMetadata)
        .set("restoreMetadata", component.restoreMetadata)
        .set("prepareForBackupFailureMsg", component.prepareForBackupFailure)
        .set("postSnapshotFailureMsg", component.postSnapshotFailure)
        .set("preRestoreFailureMsg", component.preRestoreFailure)
        .set("postRestoreFailureMsg", component.postRestoreFailure)
        .set("failure", std::to_string(component.failure.result))
        .set("applicationFailure", std::to_string(component.failure.application))
        .set("applicationMessage", component.failure.message)
        .set("restoreTarget", std::to_string(component.restoreTarget))
        .set("restoreName", component.restoreName)
        .set("rollForward", std::to_string(component.rollForward))
        .set("rollForwardPoint", component.rollForwardPoint)
        .set("fileRestoreStatus", std::to_string(component.fileRestoreStatus));
    printFiles(element, "ALTERNATE_LOCATION_MAPPING", component.alternateMappings);
    printFiles(element, "RESTORE_TARGET", component.newTargets);
    for (const PartialFile& file : component.partialFiles) {
        element.add("PARTIAL_FILE")
            .set("path", file.path)
            .set("filename", file.name)
            .set("ranges", file.ranges)
            .set("metadata", file.metadata);
    }
    for (const DirectedTarget& target : component.directedTargets) {
        element.add("DIRECTED_TARGET")
            .set("sourcePath", target.sourcePath)
            .set("sourceFilename", target.sourceName)
            .set("sourceRanges", target.sourceRanges)
            .set("path", target.path)
            .set("filename", target.name)
            .set("ranges", target.ranges);
    }
    for (const DifferencedFiles& files : component.differencedFiles) {
        element.add("DIFFERENCED_FILES")
            .set("path", files.path)
            .set("filespec", files.fileSpec)
            .setFlag("recursive", files.recursive)
            .set("lastModifyLSN", files.lsn)
            .set("lastModifyTime", std::to_string(files.modified));
    }
    for (const Subcomponent& sub : component.restoreSubcomponents) {
        element.add("RESTORE_SUBCOMPONENT")
            .set("logicalPath", sub.logicalPath)
            .set("componentName", sub.name)
            .setFlag("repair", sub.repair);
    }
}

SelectedComponent parseComponent(const Element& element) {
    SelectedComponent component;
    component.type = element["componentType"] == "database" ? VSS_CT_DATABASE : VSS_CT_FILEGROUP;
    component.logicalPath = element["logicalPath"];
    component.name = element["componentName"];
    component.backupSucceeded = element.flag("backupSucceeded");
    component.selectedForRestore = element.flag("selectedForRestore");
    component.additionalRestores = element.flag("additionalRestores");
    component.authoritative = element.flag("authoritativeRestore");
    component.backupOptions = element["backupOptions"];
    component.restoreOptions = element["restoreOptions"];
    component.backupStamp = element["backupStamp"];
    component.previousBackupStamp = element["previousBackupStamp"];
    component.backupMetadata = element["backupMetadata"];
    component.restoreMetadata = element["restoreMetadata"];
    component.prepareForBackupFailure = element["prepareForBackupFailureMsg"];
    component.postSnapshotFailure = element["postSnapshotFailureMsg"];
    component.preRestoreFailure = element["preRestoreFailureMsg"];
    component.postRestoreFailure = element["postRestoreFailureMsg"];
    component.failure = {static_cast<HRESULT>(element.number("failure")),
                         static_cast<HRESULT>(element.number("applicationFailure")), element["applicationMessage"]};
    component.restoreTarget = static_cast<VSS_RESTORE_TARGET>(element.number("restoreTarget"));
    component.restoreName = element["restoreName"];
    component.rollForward = static_cast<VSS_ROLLFORWARD_TYPE>(element.number("rollForward"));
    component.rollForwardPoint = element["rollForwardPoint"];
    component.fileRestoreStatus = static_cast<VSS_FILE_RESTORE_STATUS>(element.number("fileRestoreStatus"));
    component.alternateMappings = parseFiles(element, "ALTERNATE_LOCATION_MAPPING");
    component.newTargets = parseFiles(element, "RESTORE_TARGET");
    for (const Element* file : element.all("PARTIAL_FILE")) {
        component.partialFiles.push_back(
            {(*file)["path"], (*file)["filename"], (*file)["ranges"], (*file)["metadata"]});
    }
    for (const Element* target : element.all("DIRECTED_TARGET")) {
        component.directedTargets.push_back({(*target)["sourcePath"], (*target)["sourceFilename"],
                                             (*target)["sourceRanges"], (*target)["path"], (*target)["filename"],
                                             (*target)["ranges"]});
    }
    for (const Element* files : element.all("DIFFERENCED_FILES")) {
        component.differencedFiles.push_back({(*files)["path"], (*files)["filespec"], files->flag("recursive"),
                                              (*files)["lastModifyLSN"],
                                              std::strtoull((*files)["lastModifyTime"].c_str(), nullptr, 10)});
    }
    for (const Element* sub : element.all("RESTORE_SUBCOMPONENT")) {
        component.restoreSubcomponents.push_back({(*sub)["logicalPath"], (*sub)["componentName"], sub->flag("repair")});
    }
    return component;
}

}  // namespace

bool SelectedComponent::brings(const WriterComponent& component) const {
    if (component.name == name && component.logicalPath == logicalPath && component.type == type) return true;
    const std::string own = logicalPath.empty() ? name : logicalPath + '\\' + name;
    return component.logicalPath == own || component.logicalPath.starts_with(own + '\\');
}

SelectedComponent* BackupDocument::find(const VSS_ID& classId, VSS_COMPONENT_TYPE componentType, LPCWSTR logicalPath,
                                        LPCWSTR name, const VSS_ID* instanceId) {
    for (WriterSelection& writer : writers) {
        if (!IsEqualGUID(writer.classId, classId)) continue;
        if (instanceId != nullptr && !IsEqualGUID(writer.instanceId, *instanceId)) continue;
        for (SelectedComponent& component : writer.components) {
            if (component.type == componentType && component.logicalPath == textOf(logicalPath) &&
                component.name == textOf(name)) {
                return &component;
            }
        }
    }
    return nullptr;
}

Element describeDocument(const BackupDocument& document) {
    Element root{"BACKUP_COMPONENTS", {{"xmlns", "x-schema:#VssComponentMetadata"}, {"version", "1.2"}}, {}};
    root.set("backupType", std::to_string(document.type))
        .setFlag("selectComponents", document.selectComponents)
        .setFlag("bootableSystemStateBackup", document.bootableState)
        .setFlag("partialFileSupport", document.partialFiles);
    for (const WriterSelection& writer : document.writers) {
        Element& element = root.add("WRITER_COMPONENTS");
        element.set("writerId", guidText(writer.classId)).set("instanceId", guidText(writer.instanceId));
        for (const SelectedComponent& component : writer.components) printComponent(element, component);
    }
    if (!document.snapshotIds.empty()) {
        Element& set = root.add("SNAPSHOT_SET_DESCRIPTION");
        set.set("snapshotSetId", guidText(document.setId)).set("context", std::to_string(document.context));
        for (const VSS_ID& id : document.snapshotIds) {
            set.add("SNAPSHOT_DESCRIPTION").set("snapshotId", guidText(id));
        }
    }
    return root;
}

std::string printDocument(const BackupDocument& document) {
    return printXml(describeDocument(document));
}

BackupDocument parseDocument(BSTR xml) {
    return documentFrom(parseXml(utf8({xml, SysStringLen(xml)})));
}

BackupDocument documentFrom(const Element& root) {
    if (root.name != "BACKUP_COMPONENTS") throw Failure(VSS_E_INVALID_XML_DOCUMENT);
    BackupDocument document;
    document.type = static_cast<VSS_BACKUP_TYPE>(root.number("backupType"));
    document.selectComponents = root.flag("selectComponents");
    document.bootableState = root.flag("bootableSystemStateBackup");
    document.partialFiles = root.flag("partialFileSupport");
    for (const Element* writer : root.all("WRITER_COMPONENTS")) {
        WriterSelection selection{idFrom(*writer, "writerId"), idFrom(*writer, "instanceId"), {}};
        for (const Element* component : writer->all("COMPONENT")) {
            selection.components.push_back(parseComponent(*component));
        }
        document.writers.push_back(std::move(selection));
    }
    for (const Element* set : root.all("SNAPSHOT_SET_DESCRIPTION")) {
        document.setId = idFrom(*set, "snapshotSetId");
        document.context = static_cast<LONG>(set->number("context"));
        for (const Element* snapshot : set->all("SNAPSHOT_DESCRIPTION")) {
            document.snapshotIds.push_back(idFrom(*snapshot, "snapshotId"));
        }
    }
    return document;
}

}  // namespace vss_simulator
