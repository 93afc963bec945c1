#include "writers.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <stdexcept>

#include "call.h"
#include "settings.h"
#include "text.h"

namespace vss_simulator {

namespace {

std::string setting(const std::string& key, std::string_view name, std::string_view otherwise = "") {
    return settings().text("writer." + key + "." + std::string(name), otherwise);
}

// Instance ids differ from class ids, but are derived from them, so that they are the same in all processes.
VSS_ID instanceOf(VSS_ID classId) {
    classId.Data1 ^= 0x5a5a5a5a;
    classId.Data4[7] = static_cast<unsigned char>(classId.Data4[7] ^ 0xff);
    return classId;
}

WriterComponent fileGroup(std::string name, std::string caption, bool selectable, std::vector<FileSet> files) {
    WriterComponent component;
    component.name = std::move(name);
    component.caption = std::move(caption);
    component.selectable = selectable;
    component.files = std::move(files);
    return component;
}

WriterComponent database(const std::string& logicalPath, const std::string& name, const std::string& directory,
                         const std::string& dataSpec, const std::string& logSpec) {
    WriterComponent component;
    component.type = VSS_CT_DATABASE;
    component.logicalPath = logicalPath;
    component.name = name;
    component.caption = name;
    component.restoreMetadata = true;
    component.notifyOnBackupComplete = true;
    component.selectableForRestore = true;
    component.flags = VSS_CF_BACKUP_RECOVERY;
    component.databaseFiles = {{directory, dataSpec}};
    if (!logSpec.empty()) component.logFiles = {{directory, logSpec}};
    return component;
}

WriterDescription systemState(std::string key, std::string_view classId, std::string name, VSS_USAGE_TYPE usage,
                              std::vector<WriterComponent> components) {
    WriterDescription writer;
    writer.key = std::move(key);
    writer.classId = guidFrom(classId);
    writer.name = std::move(name);
    writer.usage = usage;
    writer.source = VSS_ST_NONTRANSACTEDDB;
    writer.restoreMethod = VSS_RME_RESTORE_AT_REBOOT;
    writer.rebootRequired = true;
    writer.components = std::move(components);
    return writer;
}

WriterDescription knownWriter(const std::string& key) {
    if (key == "system") {
        auto writer =
            systemState(key, "{e8132975-6f93-4464-a53e-1050253ae220}", "System Writer", VSS_UT_BOOTABLESYSTEMSTATE,
                        {fileGroup("System Files", "System Files", false,
                                   {{R"(%SystemRoot%\system32)", "*.dll"}, {R"(%SystemRoot%)", "*.exe"}})});
        writer.excludedFiles = {{R"(%SystemRoot%\Temp)", "*", true}};
        return writer;
    }
    if (key == "registry") {
        return systemState(key, "{afbab4a2-367d-4d15-a586-71dbb18f8485}", "Registry Writer", VSS_UT_BOOTABLESYSTEMSTATE,
                           {fileGroup("Registry", "Registry", false, {{R"(%SystemRoot%\system32\config)", "SYSTEM"}})});
    }
    if (key == "comreg") {
        return systemState(key, "{542da469-d3e1-473c-9f4f-7847f01fc64f}", "COM+ REGDB Writer",
                           VSS_UT_BOOTABLESYSTEMSTATE,
                           {fileGroup("COM+ REGDB", "COM+ REGDB", false, {{R"(%SystemRoot%\Registration)", "*"}})});
    }
    if (key == "wmi") {
        auto component = fileGroup("WMI", "Windows Management Instrumentation", true,
                                   {{R"(%SystemRoot%\system32\wbem\repository)", "*"}});
        return systemState(key, "{a6ad56c2-b509-4e6c-bb19-49d8f43532f0}", "WMI Writer", VSS_UT_USERDATA, {component});
    }
    if (key == "sql") {
        WriterDescription writer;
        writer.classId = guidFrom("{a65faa63-5ea8-4ebc-9dbd-a0c4db26912a}");
        writer.name = "SqlServerWriter";
        writer.instanceName = "SQL Server:SQLWriter";
        writer.usage = VSS_UT_USERDATA;
        writer.source = VSS_ST_TRANSACTEDDB;
        writer.writerRestore = VSS_WRE_ALWAYS;
        writer.backupSchema = VSS_BS_DIFFERENTIAL | VSS_BS_COPY | VSS_BS_TIMESTAMPED;
        const std::string directory = setting(key, "directory", R"(C:\SqlData)");
        for (const char* name : {"master", "model", "msdb", "sales"}) {
            writer.components.push_back(
                database("SERVER", name, directory, std::string(name) + ".mdf", std::string(name) + "log.ldf"));
        }
        return writer;
    }
    if (key == "domino") {
        // The name and ids of the real writer are not known for certain.
        WriterDescription writer;
        writer.classId = guidFrom("{d0371105-0b2c-4b77-8a6e-0d0000b17a55}");
        writer.name = "Lotus Domino";
        writer.instanceName = "backupvss";
        writer.usage = VSS_UT_USERDATA;
        writer.source = VSS_ST_TRANSACTEDDB;
        writer.writerRestore = VSS_WRE_IF_REPLACE_FAILS;
        const std::string directory = setting(key, "directory", R"(C:\Domino\Data)");
        auto component = fileGroup("Domino Data", "Domino databases", true, {{directory, "*", true}});
        component.selectableForRestore = true;
        writer.components = {component};
        return writer;
    }
    if (key == "veto" || key == "slow" || key == "timeout") {
        WriterDescription writer;
        writer.classId = guidFrom(key == "veto"   ? "{7e570001-7e57-4e57-8e57-7e5700000001}"
                                  : key == "slow" ? "{7e570002-7e57-4e57-8e57-7e5700000002}"
                                                  : "{7e570003-7e57-4e57-8e57-7e5700000003}");
        writer.name = key == "veto" ? "Vetoing Writer" : key == "slow" ? "Slow Writer" : "Late Writer";
        writer.components = {fileGroup("Files", "Files", true, {{R"(C:\Data)", "*", true}})};
        return writer;
    }
    // A writer defined only by the settings.
    WriterDescription writer;
    writer.classId = guidFrom(setting(key, "id"));
    writer.name = key;
    const std::string directory = setting(key, "directory");
    if (!directory.empty()) writer.components = {fileGroup("Files", "Files", true, {{directory, "*", true}})};
    return writer;
}

/** Adds as many file specifications as a large server has, 100 per component. */
void addFiles(WriterDescription& writer, long count) {
    constexpr long kFilesOfComponent = 100;
    const std::string directory = setting(writer.key, "directory", R"(C:\Data)");
    for (long i = 0; i < count; ++i) {
        if (i % kFilesOfComponent == 0) {
            const std::string number = std::to_string(i / kFilesOfComponent);
            writer.components.push_back(fileGroup("Files " + number, "Files, part " + number, true, {}));
        }
        writer.components.back().files.push_back({directory + R"(\)" + std::to_string(i), "*.dat"});
    }
}

HRESULT failureNamed(const std::string& word) {
    if (word == "retryable") return VSS_E_WRITERERROR_RETRYABLE;
    if (word == "nonretryable") return VSS_E_WRITERERROR_NONRETRYABLE;
    if (word == "timeout") return VSS_E_WRITERERROR_TIMEOUT;
    if (word == "outofresources") return VSS_E_WRITERERROR_OUTOFRESOURCES;
    if (word == "inconsistent") return VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT;
    if (word == "partial") return VSS_E_WRITERERROR_PARTIAL_FAILURE;
    if (word == "silent") return VSS_E_WRITER_NOT_RESPONDING;
    if (word == "unavailable") return VSS_E_WRITER_STATUS_NOT_AVAILABLE;
    throw std::invalid_argument("not a writer's failure: " + word);
}

/** The fault that is due; `fault_times` limits how often the writer fails in this process. */
std::string dueFault(const std::string& key, WriterEvent event) {
    const std::string otherwise = key == "veto" && event == WriterEvent::Freeze ? "nonretryable" : "";
    const std::string word = setting(key, "fault." + std::string(eventName(event)), otherwise);
    if (word.empty()) return word;
    static std::mutex mutex;
    static std::map<std::string, long> failed;
    const std::scoped_lock lock(mutex);
    const long times = std::stol(setting(key, "fault_times", "-1"));
    return times >= 0 && failed[key]++ >= times ? "" : word;
}

long latencyMs(const std::string& key, WriterEvent event) {
    const std::string otherwise = key == "slow" && event == WriterEvent::Freeze ? "3000" : "0";
    return std::stol(setting(key, "latency." + std::string(eventName(event)), otherwise));
}

void fail(WriterRun& run, VSS_WRITER_STATE state, HRESULT failure) {
    run.state = state;
    run.failure = failure;
    run.isOut = true;
    run.applicationFailure =
        static_cast<HRESULT>(std::stoul(setting(run.writer.key, "application_failure", "0"), nullptr, 0));
    run.applicationMessage = setting(run.writer.key, "application_message");
}

void receive(WriterRun& run, WriterEvent event) {
    const auto now = std::chrono::steady_clock::now();
    const auto [good, bad] = outcomeOf(event);
    if (event == WriterEvent::Freeze) {
        run.frozen = now - std::chrono::milliseconds(latencyMs(run.writer.key, event));
    }
    if (event == WriterEvent::Thaw) {
        const auto limit = std::chrono::milliseconds(
            std::stol(setting(run.writer.key, "freeze_limit_ms", run.writer.key == "timeout" ? "0" : "60000")));
        if (now - run.frozen > limit) {
            // It gave up by itself before it was thawed.
            fail(run, VSS_WS_FAILED_AT_FREEZE, VSS_E_WRITERERROR_TIMEOUT);
            return;
        }
    }
    const std::string fault = dueFault(run.writer.key, event);
    if (fault.empty()) {
        run.state = good;
    } else {
        fail(run, bad, failureNamed(fault));
    }
}

// The document.

void describeFiles(Element& parent, std::string_view name, const std::vector<FileSet>& files) {
    for (const FileSet& file : files) {
        Element& element = parent.add(name);
        element.set("path", file.path).set("filespec", file.fileSpec).setFlag("recursive", file.recursive);
        if (!file.alternateLocation.empty()) element.set("alternatePath", file.alternateLocation);
        element.set("filespecBackupType", std::to_string(file.backupTypeMask));
    }
}

std::vector<FileSet> filesFrom(const Element& parent, std::string_view name) {
    std::vector<FileSet> files;
    for (const Element* element : parent.all(name)) {
        files.push_back({(*element)["path"], (*element)["filespec"], element->flag("recursive"),
                         (*element)["alternatePath"], static_cast<DWORD>(element->number("filespecBackupType"))});
    }
    return files;
}

VSS_ID idFrom(const Element& element, std::string_view attribute) {
    try {
        return guidFrom(element[attribute]);
    } catch (const std::invalid_argument&) {
        throw Failure(VSS_E_INVALID_XML_DOCUMENT);
    }
}

void describeComponent(Element& parent, const WriterComponent& component) {
    const bool isDatabase = component.type == VSS_CT_DATABASE;
    Element& element = parent.add(isDatabase ? "DATABASE" : "FILE_GROUP");
    if (!component.logicalPath.empty()) element.set("logicalPath", component.logicalPath);
    element.set("componentName", component.name)
        .set("caption", component.caption)
        .setFlag("restoreMetadata", component.restoreMetadata)
        .setFlag("notifyOnBackupComplete", component.notifyOnBackupComplete)
        .setFlag("selectable", component.selectable)
        .setFlag("selectableForRestore", component.selectableForRestore)
        .set("componentFlags", std::to_string(component.flags));
    describeFiles(element, "FILE_LIST", component.files);
    describeFiles(element, "DATABASE_FILES", component.databaseFiles);
    describeFiles(element, "DATABASE_LOGFILES", component.logFiles);
    for (const Dependency& dependency : component.dependencies) {
        element.add("DEPENDENCY")
            .set("writerId", guidText(dependency.writerId))
            .set("logicalPath", dependency.logicalPath)
            .set("componentName", dependency.componentName);
    }
}

WriterComponent componentFrom(const Element& element) {
    WriterComponent component;
    component.type = element.name == "DATABASE" ? VSS_CT_DATABASE : VSS_CT_FILEGROUP;
    component.logicalPath = element["logicalPath"];
    component.name = element["componentName"];
    component.caption = element["caption"];
    component.restoreMetadata = element.flag("restoreMetadata");
    component.notifyOnBackupComplete = element.flag("notifyOnBackupComplete");
    component.selectable = element.flag("selectable");
    component.selectableForRestore = element.flag("selectableForRestore");
    component.flags = static_cast<DWORD>(element.number("componentFlags"));
    component.files = filesFrom(element, "FILE_LIST");
    component.databaseFiles = filesFrom(element, "DATABASE_FILES");
    component.logFiles = filesFrom(element, "DATABASE_LOGFILES");
    for (const Element* dependency : element.all("DEPENDENCY")) {
        component.dependencies.push_back(
            {idFrom(*dependency, "writerId"), (*dependency)["logicalPath"], (*dependency)["componentName"]});
    }
    return component;
}

}  // namespace

std::string_view eventName(WriterEvent event) {
    switch (event) {
        case WriterEvent::Identify: return "Identify";
        case WriterEvent::PrepareForBackup: return "PrepareForBackup";
        case WriterEvent::PrepareForSnapshot: return "PrepareForSnapshot";
        case WriterEvent::Freeze: return "Freeze";
        case WriterEvent::Thaw: return "Thaw";
        case WriterEvent::PostSnapshot: return "PostSnapshot";
        case WriterEvent::Abort: return "Abort";
        case WriterEvent::BackupComplete: return "BackupComplete";
        case WriterEvent::PreRestore: return "PreRestore";
        case WriterEvent::PostRestore: return "PostRestore";
        case WriterEvent::BackupShutdown: return "BackupShutdown";
    }
    return "";
}

WriterOutcome outcomeOf(WriterEvent event) {
    switch (event) {
        case WriterEvent::PrepareForBackup: return {VSS_WS_STABLE, VSS_WS_FAILED_AT_PREPARE_BACKUP};
        case WriterEvent::PrepareForSnapshot: return {VSS_WS_WAITING_FOR_FREEZE, VSS_WS_FAILED_AT_PREPARE_SNAPSHOT};
        case WriterEvent::Freeze: return {VSS_WS_WAITING_FOR_THAW, VSS_WS_FAILED_AT_FREEZE};
        case WriterEvent::Thaw: return {VSS_WS_WAITING_FOR_POST_SNAPSHOT, VSS_WS_FAILED_AT_THAW};
        case WriterEvent::PostSnapshot: return {VSS_WS_WAITING_FOR_BACKUP_COMPLETE, VSS_WS_FAILED_AT_POST_SNAPSHOT};
        case WriterEvent::BackupComplete: return {VSS_WS_STABLE, VSS_WS_FAILED_AT_BACKUP_COMPLETE};
        case WriterEvent::PreRestore: return {VSS_WS_STABLE, VSS_WS_FAILED_AT_PRE_RESTORE};
        case WriterEvent::PostRestore: return {VSS_WS_STABLE, VSS_WS_FAILED_AT_POST_RESTORE};
        case WriterEvent::Identify:
        case WriterEvent::Abort:
        case WriterEvent::BackupShutdown: return {VSS_WS_STABLE, VSS_WS_STABLE};
    }
    return {VSS_WS_UNKNOWN, VSS_WS_UNKNOWN};
}

bool isWriterFailure(HRESULT failure) {
    return failure == VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT || failure == VSS_E_WRITERERROR_OUTOFRESOURCES ||
           failure == VSS_E_WRITERERROR_TIMEOUT || failure == VSS_E_WRITERERROR_RETRYABLE ||
           failure == VSS_E_WRITERERROR_NONRETRYABLE;
}

bool takesPart(const WriterRun& run, WriterEvent event) {
    const bool isAlwaysSent = event <= WriterEvent::PrepareForBackup || event == WriterEvent::BackupShutdown;
    return !run.isGone && !run.isOut && (isAlwaysSent || !run.isLeftOut);
}

Element describe(const WriterDescription& writer) {
    Element root{"WRITER_METADATA", {{"xmlns", "x-schema:#VssWriterMetadataInfo"}, {"version", "1.1"}}, {}};
    root.add("IDENTIFICATION")
        .set("writerId", guidText(writer.classId))
        .set("instanceId", guidText(writer.instanceId))
        .set("friendlyName", writer.name)
        .set("instanceName", writer.instanceName)
        .set("majorVersion", std::to_string(writer.majorVersion))
        .set("minorVersion", std::to_string(writer.minorVersion))
        .set("usage", std::to_string(writer.usage))
        .set("dataSource", std::to_string(writer.source))
        .set("backupSchema", std::to_string(writer.backupSchema));
    Element& restore = root.add("RESTORE_METHOD");
    restore.set("method", std::to_string(writer.restoreMethod))
        .set("service", writer.service)
        .set("userProcedure", writer.userProcedure)
        .set("writerRestore", std::to_string(writer.writerRestore))
        .setFlag("rebootRequired", writer.rebootRequired);
    describeFiles(restore, "ALTERNATE_LOCATION_MAPPING", writer.alternateMappings);
    Element& locations = root.add("BACKUP_LOCATIONS");
    for (const WriterComponent& component : writer.components) describeComponent(locations, component);
    describeFiles(locations, "INCLUDE_FILES", writer.includedFiles);
    describeFiles(locations, "EXCLUDE_FILES", writer.excludedFiles);
    describeFiles(locations, "EXCLUDE_FILES_FROM_SNAPSHOT", writer.excludedFromSnapshot);
    return root;
}

WriterDescription writerFromDocument(const Element& document) {
    const auto identifications = document.all("IDENTIFICATION");
    const auto restores = document.all("RESTORE_METHOD");
    const auto locations = document.all("BACKUP_LOCATIONS");
    if (document.name != "WRITER_METADATA" || identifications.size() != 1 || restores.size() != 1 ||
        locations.size() != 1) {
        throw Failure(VSS_E_INVALID_XML_DOCUMENT);
    }
    const Element& identification = *identifications.front();
    const Element& restore = *restores.front();
    WriterDescription writer;
    writer.classId = idFrom(identification, "writerId");
    writer.instanceId = idFrom(identification, "instanceId");
    writer.name = identification["friendlyName"];
    writer.instanceName = identification["instanceName"];
    writer.majorVersion = static_cast<DWORD>(identification.number("majorVersion"));
    writer.minorVersion = static_cast<DWORD>(identification.number("minorVersion"));
    writer.usage = static_cast<VSS_USAGE_TYPE>(identification.number("usage"));
    writer.source = static_cast<VSS_SOURCE_TYPE>(identification.number("dataSource"));
    writer.backupSchema = static_cast<DWORD>(identification.number("backupSchema"));
    writer.restoreMethod = static_cast<VSS_RESTOREMETHOD_ENUM>(restore.number("method"));
    writer.service = restore["service"];
    writer.userProcedure = restore["userProcedure"];
    writer.writerRestore = static_cast<VSS_WRITERRESTORE_ENUM>(restore.number("writerRestore"));
    writer.rebootRequired = restore.flag("rebootRequired");
    writer.alternateMappings = filesFrom(restore, "ALTERNATE_LOCATION_MAPPING");
    for (const Element& element : locations.front()->children) {
        if (element.name == "DATABASE" || element.name == "FILE_GROUP") {
            writer.components.push_back(componentFrom(element));
        }
    }
    writer.includedFiles = filesFrom(*locations.front(), "INCLUDE_FILES");
    writer.excludedFiles = filesFrom(*locations.front(), "EXCLUDE_FILES");
    writer.excludedFromSnapshot = filesFrom(*locations.front(), "EXCLUDE_FILES_FROM_SNAPSHOT");
    return writer;
}

std::vector<WriterDescription> machineWriters() {
    std::vector<WriterDescription> writers;
    for (const std::string& key : settings().list("writers", "system,registry,comreg,wmi,sql,domino")) {
        WriterDescription writer = knownWriter(setting(key, "like", key));
        writer.key = key;
        if (const std::string id = setting(key, "id"); !id.empty()) writer.classId = guidFrom(id);
        writer.name = setting(key, "name", writer.name);
        writer.instanceName = setting(key, "instance_name", writer.instanceName);
        const std::string instance = setting(key, "instance");
        writer.instanceId = instance.empty() ? instanceOf(writer.classId) : guidFrom(instance);
        addFiles(writer, std::stol(setting(key, "files", "0")));
        writers.push_back(std::move(writer));
    }
    return writers;
}

void deliver(WriterEvent event, std::vector<WriterRun>& runs, Operation& operation) {
    const auto hears = [&](const WriterRun& run) { return !run.registered && takesPart(run, event); };
    long slowestMs = 0;
    for (const WriterRun& run : runs) {
        if (hears(run)) slowestMs = std::max(slowestMs, latencyMs(run.writer.key, event));
    }
    operation.pause(slowestMs);
    for (WriterRun& run : runs) {
        if (hears(run)) receive(run, event);
        if (!run.registered && setting(run.writer.key, "vanishes") == eventName(event)) run.isGone = true;
    }
}

void rejectVolumes(WriterRun& run) {
    if (run.registered || run.isGone || run.isFailed()) return;
    if (setting(run.writer.key, "checks_volumes", "1") == "0") return;
    fail(run, VSS_WS_FAILED_AT_PREPARE_SNAPSHOT, VSS_E_WRITERERROR_INCONSISTENTSNAPSHOT);
}

void deliverLast(WriterEvent event, std::vector<WriterRun>& runs) {
    for (WriterRun& run : runs) {
        if (!run.registered && takesPart(run, event)) run.state = VSS_WS_STABLE;
    }
}

}  // namespace vss_simulator
