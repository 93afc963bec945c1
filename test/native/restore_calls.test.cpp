// Each call of a restore and of log archiving into the Domino C API, and each failure around it.

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "domino/archived_extents.h"
#include "domino/change_info.h"
#include "domino/log_archiver.h"
#include "domino/recovery.h"
#include "domino/status.h"
#include "scratch.h"
#include "scripted_api.h"

namespace {

using namespace scripted;

constexpr UNID kLog{{{1, 2}}, {{3, 4}}};
constexpr UNID kOtherLog{{{1, 2}}, {{3, 5}}};

RecoverOptions ofFiles(std::vector<std::string> files) {
    RecoverOptions options;
    options.files = std::move(files);
    return options;
}

std::optional<Failure> applied(const ChangeInfoFile& info) {
    const Api api = scripted::api();
    return failureOf([&] { applyChangeInfo(api, info); });
}

std::vector<std::string> pieces() {
    std::vector<std::string> found;
    constexpr std::string_view kName = "NSFBackupApplyNextChangeInfo ";
    for (const std::string& call : script().calls)
        if (call.starts_with(kName)) found.push_back(call.substr(kName.size()));
    return found;
}

void appliesThePiecesAsRecorded() {
    const scratch::Directory directory;
    const std::string delta = directory.at("a.delta");
    scratch::write(delta, "abcdefgh");
    const std::uint64_t announced = (3ULL << 32U) + 8;
    CHECK(!applied({"copy.nsf", delta, announced, 3, {}}));
    CHECK((pieces() == std::vector<std::string>{"abc", "def", "gh"}));
    CHECK(script().calls.front() == "NSFBackupStartApplyChangeInfo copy.nsf 8 3");
    CHECK(script().calls.back() == "NSFBackupEndApplyChangeInfo 146 0");

    script() = {};
    const std::array<std::uint32_t, 3> irregular{1, 5, 2};
    CHECK(!applied({"copy.nsf", delta, 8, 3, irregular}));
    CHECK((pieces() == std::vector<std::string>{"a", "bcdef", "gh"}));

    script() = {};
    scratch::write(delta, "");
    CHECK(!applied({"copy.nsf", delta, 0, 3, {}}));
    CHECK(pieces().empty() && script().calls.back() == "NSFBackupEndApplyChangeInfo 146 0");
}

void abortsWhatCouldNotBeApplied() {
    const scratch::Directory directory;
    const std::string delta = directory.at("a.delta");
    scratch::write(delta, "abcdefgh");
    const auto fails = [&](const char* function, std::deque<STATUS> answers) {
        script() = {};
        script().answers[function] = std::move(answers);
        const auto failure = applied({"copy.nsf", delta, 8, 3, {}});
        CHECK(failure && failure->operation == function && failure->phase == Phase::restore);
        CHECK(failure->subject == "copy.nsf");
        return *failure;
    };
    CHECK(fails("NSFBackupStartApplyChangeInfo", {0x0238}).status == 0x0238);
    CHECK(script().count("NSFBackupEndApplyChangeInfo") == 0);
    CHECK(fails("NSFBackupApplyNextChangeInfo", {0, 0x0EA7}).code == std::string(code::kCorruptChangeInfo));
    CHECK(pieces().size() == 2 && script().calls.back() == "NSFBackupEndApplyChangeInfo 146 1");
    static_cast<void>(fails("NSFBackupEndApplyChangeInfo", {0x0106}));
    CHECK(script().count("NSFBackupEndApplyChangeInfo") == 1);
}

void appliesNoFileThatCannotBeReadWhole() {
    const scratch::Directory directory;
    const auto isRefused = [](const ChangeInfoFile& info, const char* code, const char* operation) {
        script().calls.clear();
        const auto failure = applied(info);
        CHECK(failure && failure->code == std::string(code) && failure->operation == operation);
        CHECK(failure->subject == info.deltaFile && script().count("NSFBackupEndApplyChangeInfo 146 0") == 0);
        const bool wasStarted = script().count("NSFBackupStartApplyChangeInfo") > 0;
        CHECK(script().count("NSFBackupEndApplyChangeInfo 146 1") == (wasStarted ? 1 : 0));
        return wasStarted;
    };
    CHECK(!isRefused({"copy.nsf", directory.at("missing"), 8, 3, {}}, code::kCopy, "open"));
    CHECK(isRefused({"copy.nsf", scratch::kUnreadable, 8, 3, {}}, code::kCopy, "read"));

    const std::string delta = directory.at("a.delta");
    scratch::write(delta, "abcdefgh");
    const std::array<std::uint32_t, 2> endsEarly{3, 0};
    CHECK(isRefused({"copy.nsf", delta, 8, 3, endsEarly}, code::kCorruptChangeInfo, ""));
    script().during["NSFBackupApplyNextChangeInfo"] = [&] { std::filesystem::remove(delta); };
    CHECK(isRefused({"copy.nsf", delta, 8, 3, {}}, code::kCopy, "stat"));
}

void takesDatabasesOfflineAndBack() {
    const Api api = scripted::api();
    takeDatabaseOffline(api, "/d/a.nsf", std::chrono::milliseconds(1500));
    bringDatabaseOnline(api, "/d/a.nsf");
    // 1: the file is not deleted.
    CHECK((script().calls ==
           std::vector<std::string>{"NSFTakeDatabaseOffline /d/a.nsf 1500 1", "NSFBringDatabaseOnline /d/a.nsf"}));
    script().answers["NSFTakeDatabaseOffline"] = {0x13EA};
    script().answers["NSFBringDatabaseOnline"] = {0x0103};
    const auto inUse = failureOf([&] { takeDatabaseOffline(api, "/d/a.nsf", {}); });
    CHECK(inUse && inUse->operation == "NSFTakeDatabaseOffline" && inUse->status == 0x13EA);
    const auto missing = failureOf([&] { bringDatabaseOnline(api, "/d/a.nsf"); });
    CHECK(missing && missing->operation == "NSFBringDatabaseOnline" && missing->subject == "/d/a.nsf");
}

void recoversAllInOneScan() {
    const Api api = scripted::api();
    RecoverOptions options;
    options.files = {"/d/a.nsf", "/d/b.nsf"};
    CHECK(recoverDatabases(api, options).Innards[0] == 4711);
    CHECK(script().calls.back() == "NSFRecoverDatabases /d/a.nsf,/d/b.nsf,1 0");
    options.newDbiid = true;
    CHECK(recoverDatabases(api, options).Innards[0] == 4711);
    CHECK(script().calls.back() == "NSFRecoverDatabases /d/a.nsf,/d/b.nsf,3 0");
    options.newReplicaId = true;
    options.pointInTime = TIMEDATE{{99, 0}};
    CHECK(recoverDatabases(api, options).Innards[0] == 4711);
    CHECK(script().calls.back() == "NSFRecoverDatabases /d/a.nsf,/d/b.nsf,27 99");
    // Where extents are restored matters only if there are some.
    script().recoverPath = "/elsewhere";
    options = ofFiles({"/d/a.nsf"});
    CHECK(recoverDatabases(api, options).Innards[0] == 4711);
    CHECK(script().calls.back() == "NSFRecoverDatabases /d/a.nsf,1 0");
}

void namesTheFileThatFailed() {
    const Api api = scripted::api();
    const RecoverOptions options = ofFiles({"/d/a.nsf", "/d/b.nsf"});
    for (const auto& [index, subject] :
         std::vector<std::pair<WORD, std::string>>{{0, ""}, {1, "/d/a.nsf"}, {2, "/d/b.nsf"}, {3, ""}}) {
        script().answers["NSFRecoverDatabases"] = {0x0294};
        script().failingIndex = index;
        const auto failure = failureOf([&] { static_cast<void>(recoverDatabases(api, options)); });
        CHECK(failure && failure->subject == subject && failure->status == 0x0294);
        CHECK(failure->operation == "NSFRecoverDatabases");
    }
}

/// What Domino gets when it asks for an extent of the log.
STATUS asked(LOGRESTORECALLBACKFUNCTION bring, UNID log, DWORD number, std::string path) {
    return bring(&log, number, path.data());
}

void bringsAnExtent() {
    const scratch::Directory directory;
    const Api api = scripted::api();
    scratch::write(directory.at("archived"), "an extent");
    scratch::write(directory.at("to.domino-vss"), "of a killed one, longer than the extent");
    RecoverOptions options = ofFiles({"/d/a.nsf"});
    options.extents = {{kLog, 6, directory.at("none"), 9},
                       {kOtherLog, 7, directory.at("none"), 9},
                       {kLog, 7, directory.at("archived"), 9}};
    script().recover = [&](LOGRESTORECALLBACKFUNCTION bring) { return asked(bring, kLog, 7, directory.at("to")); };
    static_cast<void>(recoverDatabases(api, options));
    CHECK(scratch::read(directory.at("to")) == "an extent" && !scratch::exists(directory.at("to.domino-vss")));

    // In a directory of the administrator's choice, nobody else removes it.
    script().recoverPath = directory.at("");
    static_cast<void>(recoverDatabases(api, options));
    CHECK(!scratch::exists(directory.at("to")) && scratch::exists(directory.at("archived")));
    CHECK(script().calls.back() == "NSFRecoverDatabases /d/a.nsf,65 0");
}

void bringsAnExtentArchivedMeanwhile() {
    const scratch::Directory directory;
    const Api api = scripted::api();
    scratch::write(directory.at("S7.TXN"), "archived meanwhile");
    std::filesystem::create_directory(directory.at("log"));
    const ArchivedExtents extents(api, {}, {{kOtherLog, "/none"}, {kLog, directory.at("")}});
    CHECK(extents.callback() != nullptr);
    CHECK(asked(extents.callback(), kLog, 7, directory.at("log/S7.TXN")) == 0);
    CHECK(scratch::read(directory.at("log/S7.TXN")) == "archived meanwhile" && extents.refusal().empty());
    CHECK(ArchivedExtents(api, {}, {}).callback() == nullptr);
    CHECK(ArchivedExtents(api, {{kLog, 7, "x", {}}}, {}).callback() != nullptr);
}

void saysWhyAnExtentIsRefused() {
    const scratch::Directory directory;
    const Api api = scripted::api();
    const std::string archived = directory.at("archived");
    scratch::write(archived, "an extent");
    std::filesystem::create_directories(directory.at("busy/full"));
    const auto refusal = [&](const std::string& file, const std::string& to, std::uint64_t bytes) {
        RecoverOptions options = ofFiles({"/d/a.nsf"});
        options.extents = {{kLog, 7, file, bytes}};
        script().recover = [&](LOGRESTORECALLBACKFUNCTION bring) { return asked(bring, kLog, 7, to); };
        const auto failure = failureOf([&] { static_cast<void>(recoverDatabases(api, options)); });
        CHECK(failure && failure->status == 0x13E3 && !scratch::exists(to + ".domino-vss"));
        return failure->text;
    };
    const std::string to = directory.at("to");
    CHECK(refusal(directory.at("missing"), to, 9).find("(open of " + directory.at("missing")) != std::string::npos);
    CHECK(refusal(scratch::kUnreadable, to, 9).find("(read of /proc") != std::string::npos);
    CHECK(refusal(archived, directory.at("none/to"), 9).find("(creation of ") != std::string::npos);
    CHECK(refusal(archived, directory.at("busy"), 9).find("(renaming of ") != std::string::npos);
    CHECK(refusal(archived, to, 10).find(archived + " has 9 bytes and not 10") != std::string::npos);
    {
        const scratch::Limit limit(RLIMIT_FSIZE, 4);
        CHECK(refusal(archived, to, 9).find("(write of " + to) != std::string::npos);
    }
    CHECK(!scratch::exists(to));
    CHECK(refusal(archived, "\x8F" + to, 9).find("creation") != std::string::npos);
    script().translates = false;
    CHECK(refusal(archived, "\x8F", 9).find('(') == std::string::npos);
}

void refusesForTheRightRecovery() {
    const scratch::Directory directory;
    const Api api = scripted::api();
    const ArchivedExtents one(api, {{kLog, 7, directory.at("missing"), 9}}, {});
    const ArchivedExtents other(api, {{kLog, 8, directory.at("missing"), 9}}, {});
    CHECK(asked(one.callback(), kLog, 8, directory.at("to")) == error::kRecoveryLogError);
    CHECK(one.refusal().empty() && other.refusal().starts_with("open of "));
    // Nobody knows who asked for this one.
    CHECK(asked(one.callback(), kOtherLog, 8, directory.at("to")) == error::kRecoveryLogError);
    CHECK(one.refusal() == "extent 8 was requested but is not in the archive" && other.refusal() == one.refusal());
}

/// The recovery was given up while its callback hung.
void survivesTheEndOfItsRecovery() {
    const scratch::Directory directory;
    const Api api = scripted::api();
    scratch::write(directory.at("archived"), "an extent");
    auto extents = std::make_unique<ArchivedExtents>(
        api, std::vector{ArchivedExtent{kLog, 7, directory.at("archived"), 9}}, std::vector<LogArchiveDirectory>{});
    const ArchivedExtents another(api, {{kLog, 8, directory.at("missing"), 9}}, {});
    const LOGRESTORECALLBACKFUNCTION bring = extents->callback();
    script().during["OSTranslate"] = [&] { extents.reset(); };
    CHECK(asked(bring, kLog, 7, directory.at("\xC3\xA4")) == 0);
    CHECK(!extents && scratch::read(directory.at("\xC3\xA4")) == "an extent" && another.refusal().empty());
}

void archivesExtents() {
    const Api api = scripted::api();
    script().text = "/log/S0000003.TXN";
    {
        LogArchiver archiver(api);
        script().answers["NSFGetFirstLogToArchive"] = {0x0106};
        const auto failure = failureOf([&] { static_cast<void>(archiver.next()); });
        CHECK(failure && failure->operation == "NSFGetFirstLogToArchive" && failure->phase == Phase::archive);
        const LogExtent first = archiver.next();
        CHECK(first.waits && first.number == 3 && first.logId.Note.Innards[1] == 4 && first.file == script().text);
        archiver.done(first.logId, first.number);
        CHECK(script().calls.back() == "NSFDoneArchivingLog 3");
        script().answers["NSFGetNextLogToArchive"] = {0x13DE | kFlags, 0x0106};
        const LogExtent last = archiver.next();
        CHECK(!last.waits && last.number == 4);
        const auto next = failureOf([&] { static_cast<void>(archiver.next()); });
        CHECK(next && next->operation == "NSFGetNextLogToArchive");
        script().answers["NSFDoneArchivingLog"] = {0x13DC};
        const auto done = failureOf([&] { archiver.done(kLog, 9); });
        CHECK(done && done->operation == "NSFDoneArchivingLog" && done->status == 0x13DC);
        CHECK(script().count("NSFEndArchivingLogs") == 0);
    }
    CHECK(script().count("NSFEndArchivingLogs") == 1 && script().count("NSFBeginArchivingLogs") == 1);
}

void endsArchivingOnce() {
    const Api api = scripted::api();
    {
        LogArchiver archiver(api);
        script().answers["NSFEndArchivingLogs"] = {0x0106};
        const auto failure = failureOf([&] { archiver.end(); });
        CHECK(failure && failure->operation == "NSFEndArchivingLogs");
    }
    CHECK(script().count("NSFEndArchivingLogs") == 1);
    script() = {};
    script().answers["NSFBeginArchivingLogs"] = {0x0EAE};
    const auto begun = failureOf([&] { const LogArchiver archiver(api); });
    CHECK(begun && begun->status == 0x0EAE && begun->operation == "NSFBeginArchivingLogs");
    CHECK(script().count("NSFEndArchivingLogs") == 0);
}

void archivesOnlyWithAllFunctions() {
    const std::vector<std::function<void(Api&)>> without{
        [](Api& api) { api.NSFBeginArchivingLogs = nullptr; },   [](Api& api) { api.NSFEndArchivingLogs = nullptr; },
        [](Api& api) { api.NSFGetFirstLogToArchive = nullptr; }, [](Api& api) { api.NSFGetNextLogToArchive = nullptr; },
        [](Api& api) { api.NSFDoneArchivingLog = nullptr; },
    };
    for (const auto& remove : without) {
        Api api = scripted::api();
        remove(api);
        const auto failure = failureOf([&] { const LogArchiver archiver(api); });
        CHECK(failure && failure->code == std::string(code::kUnsupported) && script().calls.empty());
    }
}

}  // namespace

int main() {
    return check::run({
        {"change information is applied in the recorded pieces", fresh(appliesThePiecesAsRecorded)},
        {"an application that fails is aborted", fresh(abortsWhatCouldNotBeApplied)},
        {"a file that cannot be read whole is not applied", fresh(appliesNoFileThatCannotBeReadWhole)},
        {"databases go offline, and online again", fresh(takesDatabasesOfflineAndBack)},
        {"all databases are recovered in one scan", fresh(recoversAllInOneScan)},
        {"the file that failed is named", fresh(namesTheFileThatFailed)},
        {"Domino is brought the extent it asks for", fresh(bringsAnExtent)},
        {"also one that was archived meanwhile", fresh(bringsAnExtentArchivedMeanwhile)},
        {"it is told why an extent was refused", fresh(saysWhyAnExtentIsRefused)},
        {"the recovery that asked is told", fresh(refusesForTheRightRecovery)},
        {"a callback survives the end of its recovery", fresh(survivesTheEndOfItsRecovery)},
        {"extents are archived one after the other", fresh(archivesExtents)},
        {"archiving is ended once", fresh(endsArchivingOnce)},
        {"archiving needs all of its functions", fresh(archivesOnlyWithAllFunctions)},
    });
}
