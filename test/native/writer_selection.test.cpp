// Which writers and components take part: metadata as real machines show it.

#include "shadow/vss/writer_selection.h"

#include <algorithm>

#include "check.h"

namespace {

using namespace domino_vss::vss;

WriterComponent component(std::string logicalPath, std::string name, bool selectable, std::string path) {
    WriterComponent made;
    made.type = 2;
    made.logicalPath = std::move(logicalPath);
    made.name = std::move(name);
    made.selectable = selectable;
    if (!path.empty()) made.files.push_back({std::move(path), "*", true});
    return made;
}

Writer writer(const char* id, const char* instance, std::string name, std::vector<WriterComponent> components) {
    Writer made;
    made.id = *parseGuid(id);
    made.instanceId = *parseGuid(instance);
    made.name = std::move(name);
    made.metadata = std::make_shared<const WriterMetadata>(WriterMetadata{std::move(components), {}, {}});
    return made;
}

constexpr const char* kSystem = "{e8132975-6f93-4464-a53e-1050253ae220}";
constexpr const char* kSql = "{a65faa63-5ea8-4ebc-9dbd-a0c4db26912a}";
constexpr const char* kAsr = "{be000cbe-11fe-4426-9c58-531aa6355fc4}";

std::vector<Writer> machine() {
    return {
        writer(kSystem, "{00000000-0000-0000-0000-000000000001}", "System Writer",
               {component("", "System Files", false, "C:\\Windows\\System32")}),
        writer(kSql, "{00000000-0000-0000-0000-000000000002}", "SqlServerWriter",
               {component("SRV", "master", true, "C:\\SQL"), component("SRV", "sales", true, "D:\\SQL"),
                component("SRV\\sales", "filestream", false, "D:\\SQL\\fs")}),
        writer(kAsr, "{00000000-0000-0000-0000-000000000003}", "ASR Writer",
               {component("", "ASR", false, ""), component("Volumes", "Volume1", true, ""),
                component("BCD", "BCD", false, "E:\\Boot")}),
        writer("{11111111-2222-3333-4444-555555555555}", "{00000000-0000-0000-0000-000000000004}", "HCL Domino Writer",
               {component("", "Data", true, "D:\\Domino\\Data")}),
        writer("{22222222-2222-3333-4444-555555555555}", "{00000000-0000-0000-0000-000000000005}", "Empty Writer", {}),
    };
}

WriterRules rules(bool componentMode) {
    WriterRules made;
    made.componentMode = componentMode;
    made.inSet = [](const std::string& path) { return path.starts_with("C:") || path.starts_with("D:"); };
    return made;
}

std::vector<std::string> added(const Writer& writer) {
    std::vector<std::string> paths;
    for (const std::size_t index : writer.added) paths.push_back(writer.metadata->components[index].fullPath());
    return paths;
}

void selects(std::vector<Writer>& writers, const WriterRules& rules) {
    excludeWriters(writers, rules);
    if (rules.componentMode) selectComponents(writers, rules);
}

void takesWhatLiesInTheSet() {
    auto writers = machine();
    selects(writers, rules(true));
    CHECK(added(writers[0]) == std::vector<std::string>{"\\System Files"});
    CHECK((added(writers[1]) == std::vector<std::string>{"\\SRV\\master", "\\SRV\\sales"}));  // filestream is implied
    // Not selectable, at the top, and outside: as diskshadow leaves out the ASR writer for \BCD\BCD.
    CHECK(writers[2].exclusion == Exclusion::componentOutsideSet && writers[2].added.empty());
    CHECK(writers[3].exclusion == Exclusion::none);
    CHECK(writers[4].exclusion == Exclusion::nothingToInclude);
}

void leavesOutAncestorsOfWhatIsExcluded() {
    auto writers = machine();
    WriterRules asked = rules(true);
    asked.exclude = {"sqlserverwriter:\\srv\\SALES\\filestream"};
    selects(writers, asked);
    CHECK(added(writers[1]) == std::vector<std::string>{"\\SRV\\master"});
}

void leavesOutWritersByAnyOfTheirNames() {
    for (const std::string name : {"SYSTEM writer", "{E8132975-6F93-4464-A53E-1050253AE220}",
                                   "e8132975-6f93-4464-a53e-1050253ae220", "{00000000-0000-0000-0000-000000000001}"}) {
        auto writers = machine();
        WriterRules asked = rules(false);
        asked.exclude = {name};
        selects(writers, asked);
        CHECK(writers[0].exclusion == Exclusion::asked);
        CHECK(std::ranges::count(writers, Exclusion::none, &Writer::exclusion) == 4);
    }
}

void keepsDominosOwnWriterOut() {
    auto writers = machine();
    writers.push_back(writer("{33333333-2222-3333-4444-555555555555}", "{00000000-0000-0000-0000-000000000006}",
                             "Mail Backup", {component("", "BackupVSS", true, "D:\\Domino\\Data")}));
    writers.push_back(
        writer("{44444444-2222-3333-4444-555555555555}", "{00000000-0000-0000-0000-000000000007}", "Mail Writer", {}));
    writers.back().instanceName = "backupvss";
    WriterRules own = rules(false);
    selects(writers, own);
    CHECK(writers[3].exclusion == Exclusion::none);  // without databases in backup mode it may take part
    own.excludeDomino = true;
    selects(writers, own);
    CHECK(writers[3].exclusion == Exclusion::domino);
    CHECK(writers[5].exclusion == Exclusion::domino);
    CHECK(writers[6].exclusion == Exclusion::domino);
    CHECK(std::ranges::count(writers, Exclusion::none, &Writer::exclusion) == 4);
}

void aWriterWhoseComponentsAreAllLeftOutGoes() {
    auto writers = machine();
    WriterRules asked = rules(true);
    asked.exclude = {"SqlServerWriter:\\SRV\\master", "SqlServerWriter:\\SRV\\sales"};
    selects(writers, asked);
    // filestream is not selectable and below another component, so it cannot be added alone.
    CHECK(writers[1].exclusion == Exclusion::asked && writers[1].added.empty());
}

void verifies() {
    auto writers = machine();
    WriterRules asked = rules(true);
    asked.verify = {"SqlServerWriter", "SqlServerWriter:\\SRV\\sales\\filestream", "ASR Writer", "Nobody",
                    "SqlServerWriter:\\SRV\\nothing"};
    selects(writers, asked);
    CHECK((unmetVerify(writers, asked) ==
           std::vector<std::string>{"ASR Writer", "Nobody", "SqlServerWriter:\\SRV\\nothing"}));
}

void knowsWhatPlainModeCannotLeaveOut() {
    WriterRules asked = rules(false);
    asked.exclude = {"System Writer", "SqlServerWriter:\\SRV\\sales"};
    CHECK(componentExclusions(asked) == std::vector<std::string>{"SqlServerWriter:\\SRV\\sales"});
}

void knowsWhichExclusionsMeanNothing() {
    const auto writers = machine();
    WriterRules asked = rules(true);
    asked.exclude = {"system writer", kSql,          "SqlServerWriter:\\SRV\\sales", "SQLServerWriter:\\SRV\\sale",
                     "SqlWriter",     "Empty Writer"};
    CHECK((unknownExclusions(writers, asked) == std::vector<std::string>{"SQLServerWriter:\\SRV\\sale", "SqlWriter"}));
}

void tellsFailedWriters() {
    Writer one;
    CHECK(!one.failed());
    one.state = 5;
    CHECK(!one.failed());
    one.state = 9;
    CHECK(one.failed());
    one.state = 1;
    one.failure = 0x800423F4;
    CHECK(one.failed());
}

}  // namespace

int main() {
    return check::run({
        {"takes what lies in the set", takesWhatLiesInTheSet},
        {"leaves out ancestors of what is excluded", leavesOutAncestorsOfWhatIsExcluded},
        {"leaves out writers by any of their names", leavesOutWritersByAnyOfTheirNames},
        {"keeps Domino's own writer out", keepsDominosOwnWriterOut},
        {"a writer whose components are all left out goes", aWriterWhoseComponentsAreAllLeftOutGoes},
        {"verifies", verifies},
        {"knows what plain mode cannot leave out", knowsWhatPlainModeCannotLeaveOut},
        {"knows which exclusions mean nothing", knowsWhichExclusionsMeanNothing},
        {"tells failed writers", tellsFailedWriters},
    });
}
