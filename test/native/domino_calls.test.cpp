// Each call of a backup into the Domino C API: what it is given, what becomes of its results, and of each failure.

#include <array>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "domino/abandoned_backup.h"
#include "domino/canary.h"
#include "domino/database_identity.h"
#include "domino/domino_source.h"
#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "scripted_api.h"

namespace {

bool memoryIsFull = false;

}  // namespace

void* operator new(std::size_t bytes, const std::nothrow_t& /*tag*/) noexcept {
    return memoryIsFull ? nullptr : ::operator new(bytes);
}

namespace {

using namespace scripted;
using engine::EndMode;

constexpr std::uint64_t kSizeBytes = (1ULL << 32U) + 2;
const engine::DatabaseSpec kSpec{.path = "mail/a.nsf", .file = {}, .target = {}};

std::unique_ptr<engine::Database> opened(const Api& api) {
    std::unique_ptr<engine::Database> database;
    CHECK(DominoSource(api).open(kSpec, database).ok());
    return database;
}

void passesNumbersOf64Bits() {
    const Api api = scripted::api();
    const auto database = opened(api);
    std::uint64_t size = 0;
    std::uint64_t announced = 0;
    CHECK(database->start(size).ok() && size == kSizeBytes);
    CHECK(database->setHighWaterMark((5ULL << 32U) + 6).ok());
    CHECK(script().calls.back() == "NSFBackupSetHighWaterMark 146 6 5");
    CHECK(database->stop().ok() && database->changeInfoSize(announced).ok() && announced == kSizeBytes);
    std::array<char, 3> buffer{};
    std::uint32_t filled = 0;
    CHECK(database->nextChangeInfo(buffer, filled).ok() && filled == 3 && buffer[2] == 'c');
    CHECK(database->end(EndMode::complete).ok());
    CHECK(script().calls.back() == "NSFBackupEnd 146 0");
}

void knowsTheDatabaseByItsIds() {
    const Api api = scripted::api();
    const auto database = opened(api);
    engine::LogInfo log;
    CHECK(database->replicaId()[0] == 0x11 && database->replicaId()[4] == 0x12);
    CHECK(database->logInfo(log).ok() && log.logged && log.logId[4] == 2 && log.dbiid[0] == 9 && log.logExtent == 77);
    CHECK(database->modifiedTimes()[0] == 5 && database->modifiedTimes()[12] == 8);
}

/// A database that is not logged, or whose ids cannot be read, has none: whatever the call left in its outputs.
void takesNoIdsOfCallsThatFail() {
    Api api = scripted::api();
    const auto database = opened(api);
    engine::LogInfo log;
    script().logged = 0;
    CHECK(database->logInfo(log).ok() && !log.logged && log.logExtent == 0 && log.logId == decltype(log.logId){});
    script().logged = 1;
    script().answers["NSFDbGetLogInfo"] = {0x0103};
    CHECK(!database->logInfo(log).ok() && !log.logged && log.dbiid == decltype(log.dbiid){});
    script().answers["NSFDbReplicaInfoGet"] = {0x0103};
    CHECK((database->replicaId() == std::array<std::uint8_t, 8>{}));
    script().answers["NSFDbModifiedTime"] = {0x0103};
    CHECK(database->modifiedTimes() == engine::ModifiedTimes{});
    api.NSFDbModifiedTime = nullptr;
    CHECK(database->modifiedTimes() == engine::ModifiedTimes{});
}

void namesEachCallThatFails() {
    const Api api = scripted::api();
    std::uint64_t size = 0;
    std::array<char, 8> buffer{};
    std::uint32_t filled = 0;
    engine::LogInfo log;
    using Call = std::function<CallStatus(engine::Database&)>;
    const std::vector<std::pair<const char*, Call>> calls{
        {"NSFDbGetLogInfo", [&](engine::Database& one) { return one.logInfo(log); }},
        {"NSFBackupStart", [&](engine::Database& one) { return one.start(size); }},
        {"NSFBackupSetHighWaterMark", [&](engine::Database& one) { return one.setHighWaterMark(1); }},
        {"NSFBackupStop", [&](engine::Database& one) { return one.stop(); }},
        {"NSFBackupGetChangeInfoSize", [&](engine::Database& one) { return one.changeInfoSize(size); }},
        {"NSFBackupGetNextChangeInfo", [&](engine::Database& one) { return one.nextChangeInfo(buffer, filled); }},
        {"NSFBackupEnd", [&](engine::Database& one) { return one.end(EndMode::complete); }},
        {"NSFBackupEnd", [&](engine::Database& one) { return one.end(EndMode::abort); }},
    };
    const std::vector<std::pair<STATUS, const char*>> codes{{0x0103, code::kDominoCall},
                                                            {0x3810, code::kBackupEndedByDomino},
                                                            {0x2DD8, code::kBackupEndedByDomino},
                                                            {0x0EA7, code::kCorruptChangeInfo}};
    for (const auto& [name, call] : calls) {
        for (const auto& [number, expected] : codes) {
            script() = {};
            script().answers[name] = {static_cast<STATUS>(number | kFlags)};
            const auto database = opened(api);
            const CallStatus status = call(*database);
            CHECK(!status.ok() && status.code == std::string(expected) && status.operation == std::string(name));
            CHECK(status.domain == Domain::domino && status.status == number);
        }
        CHECK(script().openHandles == 0);
    }
}

void endsWhatItStartedAndNothingElse() {
    const Api api = scripted::api();
    std::uint64_t size = 0;
    script().answers["NSFBackupStart"] = {0x0EA4};
    CHECK(!opened(api)->start(size).ok());
    CHECK(script().count("NSFBackupEnd") == 0);

    CHECK(opened(api)->start(size).ok());
    CHECK(script().count("NSFBackupEnd 146 1") == 1 && script().backups == 0);

    const auto endIs = [&](std::deque<STATUS> answers, EndMode mode, bool ok, std::size_t ends) {
        script() = {};
        script().answers["NSFBackupEnd"] = std::move(answers);
        {
            const auto database = opened(api);
            CHECK(database->start(size).ok());
            CHECK(database->end(mode).ok() == ok);
        }
        CHECK(script().count("NSFBackupEnd") == ends);
        CHECK(script().openHandles == 0);
    };
    endIs({}, EndMode::complete, true, 1);
    endIs({0x0106}, EndMode::complete, false, 2);  // aborted afterwards
    endIs({0x0106}, EndMode::abort, false, 2);     // tried again
    endIs({0x0EA5}, EndMode::abort, true, 1);      // not doing backup: there is nothing left to abort
    endIs({0x0EA5}, EndMode::complete, false, 2);  // but also nothing that was completed
}

void opensNothingHalfway() {
    const Api api = scripted::api();
    DominoSource source(api);
    std::unique_ptr<engine::Database> database;
    script().answers["NSFDbOpen"] = {0x0238};
    const CallStatus refused = source.open(kSpec, database);
    CHECK(!database && refused.status == 0x0238 && refused.operation == std::string("NSFDbOpen"));

    script().translates = false;
    const CallStatus unspeakable = source.open({.path = "\xC3\xA4.nsf", .file = {}, .target = {}}, database);
    CHECK(unspeakable.code == std::string(code::kUnsupported) && unspeakable.operation == std::string("OSTranslate"));
    CHECK(!database && script().count("NSFDbOpen") == 1);

    bool threw = false;
    memoryIsFull = true;
    try {
        static_cast<void>(source.open(kSpec, database));
    } catch (const std::bad_alloc&) {
        threw = true;
    }
    memoryIsFull = false;
    CHECK(threw && !database && script().openHandles == 0);
}

void namesItsOperations() {
    const Api api = scripted::api();
    DominoSource source(api);
    using engine::Operation;
    const std::vector<std::pair<Operation, std::string>> names{
        {Operation::enterThread, "NotesInitThread"},
        {Operation::open, "NSFDbOpen"},
        {Operation::replicaId, "NSFDbReplicaInfoGet"},
        {Operation::logInfo, "NSFDbGetLogInfo"},
        {Operation::modifiedTimes, "NSFDbModifiedTime"},
        {Operation::start, "NSFBackupStart"},
        {Operation::copy, ""},
        {Operation::setHighWaterMark, "NSFBackupSetHighWaterMark"},
        {Operation::stop, "NSFBackupStop"},
        {Operation::changeInfoSize, "NSFBackupGetChangeInfoSize"},
        {Operation::nextChangeInfo, "NSFBackupGetNextChangeInfo"},
        {Operation::end, "NSFBackupEnd"},
        {Operation::close, "NSFDbClose"},
        {Operation::serverTime, "OSCurrentTIMEDATE"},
    };
    for (const auto& [operation, name] : names) CHECK(source.nameOf(operation) == name);
    CHECK(source.serverTime().innards[1] == 22 && source.serverTime().epochMs > 1.7e12);
    // The runtime is not open in this process.
    std::unique_ptr<engine::ThreadScope> scope;
    CHECK(source.enterThread(scope).code == std::string(code::kDominoNotOpen) && !scope);
}

void describesAStatus() {
    const Api api = scripted::api();
    DominoSource source(api);
    CHECK(source.describe(callStatus(0x0106, "x"), Phase::stop, "a").text == "no text for this status");
    script().text = "Disk is full";
    CHECK(source.describe(callStatus(0x0106, "x"), Phase::stop, "a").text == "Disk is full");
    CHECK(source.describe(engineStatus(code::kAborted), Phase::stop, "a").text == "aborted");
    CHECK(source.describe(callStatus(0x0117, "x"), Phase::stop, "a").text == ownText(0x0117));
    constexpr std::array<STATUS, 8> kOwn{0x0117, 0x0142, 0x0143, 0x019F, 0x01A5, 0x01BF, 0x01ED, 0x0217};
    for (const STATUS own : kOwn) {
        CHECK(!ownText(own).empty() && ownText(static_cast<STATUS>(own | kFlags)) == ownText(own));
        for (const STATUS other : kOwn) CHECK((ownText(own) == ownText(other)) == (own == other));
    }
    CHECK(ownText(0x0106).empty());
    CHECK(statusName(0x0102 | kFlags) == "ERR_PROTECTED" && statusName(0x3868) == "ERR_RM_LOG_READ_ONLY");
    CHECK(statusName(0x0101).empty() && statusName(0x0108).empty() && statusName(0x3869).empty());
}

void convertsTexts() {
    const Api api = scripted::api();
    CHECK(toLmbcs(api, "mail/a~ .nsf") == "mail/a~ .nsf" && script().calls.empty());
    for (const char* text : {"\x1F", "\x7F", "\xC3\xA4"}) {
        script() = {};
        CHECK(toLmbcs(api, text) == text && script().calls.front() == "OSTranslate 24");
        CHECK(fromLmbcs(api, text) == text && script().calls.back() == "OSTranslate 22");
    }
    const std::string longest((kMaxWord - 16) / 4, '\x7F');
    CHECK(toLmbcs(api, longest) == longest);
    const auto tooLong = failureOf([&] { static_cast<void>(toLmbcs(api, longest + "x")); });
    CHECK(tooLong && tooLong->code == std::string(code::kUnsupported) && tooLong->subject.size() == 80);
}

/// The states of one database whose calls are answered like this; with the failure, if it is told one.
struct Abandoned {
    AbandonedState state;
    std::optional<Failure> failure;
};

Abandoned abandoned(std::map<std::string, std::deque<STATUS>> answers) {
    script() = {};
    script().answers = std::move(answers);
    const Api api = scripted::api();
    const AbandonedBackups outcome = endAbandonedBackups(api, {"a.nsf"});
    CHECK(outcome.states.size() == 1 && outcome.failures.size() <= 1 && script().openHandles == 0);
    Abandoned one{static_cast<AbandonedState>(outcome.states[0]), {}};
    if (!outcome.failures.empty()) one.failure = outcome.failures[0].second;
    return one;
}

void endsBackupsOfTheDead() {
    CHECK(abandoned({}).state == AbandonedState::none);
    CHECK(script().count("NSFBackupEnd 146 1") == 1 && script().count("NSFBackupEnd 0 1") == 0);

    CHECK(abandoned({{"NSFBackupStart", {0x0EA4 | kFlags}}}).state == AbandonedState::ended);
    CHECK(script().count("NSFBackupEnd 0 1") == 1 && script().backups == 0);

    // Refused for another reason, which says nothing about backup mode.
    const Abandoned busy = abandoned({{"NSFBackupStart", {0x13AA}}});
    CHECK(busy.state == AbandonedState::left && busy.failure && busy.failure->status == 0x13AA);
    CHECK(script().count("NSFBackupEnd 0 1") == 0);

    const Abandoned still = abandoned({{"NSFBackupStart", {0x0EA4, 0x0EA4}}});
    CHECK(still.state == AbandonedState::left && still.failure && still.failure->operation == "NSFBackupStart");
    CHECK(still.failure->phase == Phase::end && still.failure->subject == "a.nsf");

    // Its own probe that cannot be ended says the same.
    const Abandoned own = abandoned({{"NSFBackupEnd", {0x0EA4, 0x0106, 0x0EA4, 0x0106}}});
    CHECK(own.state == AbandonedState::left && own.failure && own.failure->operation == "NSFBackupEnd");

    // Offline, corrupt, in use, or gone, which only the caller can see.
    for (const STATUS status : std::array<STATUS, 4>{0x13F9, 0x0102, 0x0104, 0x0103}) {
        const Abandoned closed = abandoned({{"NSFDbOpen", {status}}});
        CHECK(closed.state == AbandonedState::left && closed.failure && closed.failure->status == status);
        CHECK(closed.failure->operation == "NSFDbOpen");
    }
}

void readsIdentitiesOneByOne() {
    const Api api = scripted::api();
    script().answers["NSFDbOpen"] = {0, 0x0103};
    script().answers["NSFDbGetLogInfo"] = {0, 0x0238};
    const DatabaseIdentities found = readIdentities(api, {"a.nsf", "missing.nsf", "broken.nsf", "d.nsf"});
    CHECK(found.databases.size() == 4 && found.failures.size() == 2 && script().openHandles == 0);
    CHECK(found.databases[0].log.logged && found.databases[0].replicaId[0] == 0x11);
    CHECK(found.databases[3].modified[0] == 5);
    CHECK(!found.databases[1].log.logged && !found.databases[2].log.logged);
    CHECK(found.failures[0].first == 1 && found.failures[0].second.operation == "NSFDbOpen");
    CHECK(found.failures[1].first == 2 && found.failures[1].second.operation == "NSFDbGetLogInfo");
    CHECK(found.failures[1].second.subject == "broken.nsf");
}

void provesWithACanary() {
    const Api api = scripted::api();
    CHECK(runCanary(api, "Server", "canary.nsf") == kSizeBytes);
    CHECK(script().count("NSFDbCreate Server!!canary.nsf") == 1);
    CHECK(script().count("NSFDbDelete Server!!canary.nsf") == 1);
    CHECK(script().openHandles == 0 && script().backups == 0);
}

void leavesNoCanary() {
    const std::vector<std::pair<std::string, std::deque<STATUS>>> faults{
        {"OSPathNetConstruct", {0x0112}}, {"NSFDbCreate", {0x0104}},
        {"NSFDbOpen", {0x0103}},          {"NSFBackupStart", {0x0EA4}},
        {"NSFDbOpen", {0, 0x0246}},       {"NSFDbInfoSet", {0x0246}},
        {"NSFBackupStop", {0x3810}},      {"NSFBackupGetChangeInfoSize", {0x0EA6}},
        {"NSFBackupEnd", {0x0106}},
    };
    for (const auto& [name, answers] : faults) {
        script() = {};
        script().answers[name] = answers;
        const Api api = scripted::api();
        const auto failure = failureOf([&] { static_cast<void>(runCanary(api, "Server", "canary.nsf")); });
        CHECK(failure && failure->operation == name && failure->phase == Phase::probe);
        CHECK(failure->status == answers.back() && failure->subject == "canary.nsf");
        const bool isThere = name != "OSPathNetConstruct" && name != "NSFDbCreate";
        CHECK(script().count("NSFDbDelete") == (isThere ? 1 : 0));
        CHECK(script().openHandles == 0 && script().backups == 0);
    }
}

void refusesACanaryWithoutItsFunctions() {
    for (const int missing : {0, 1, 2}) {
        Api api = scripted::api();
        if (missing == 0) api.NSFDbCreate = nullptr;
        if (missing == 1) api.NSFDbDelete = nullptr;
        if (missing == 2) api.NSFDbInfoSet = nullptr;
        const auto failure = failureOf([&] { static_cast<void>(runCanary(api, "Server", "canary.nsf")); });
        CHECK(failure && failure->code == std::string(code::kUnsupported) && script().calls.empty());
    }
}

}  // namespace

int main() {
    return check::run({
        {"numbers of 64 bits are passed in two halves", fresh(passesNumbersOf64Bits)},
        {"a database is known by its ids", fresh(knowsTheDatabaseByItsIds)},
        {"no ids are taken from calls that fail", fresh(takesNoIdsOfCallsThatFail)},
        {"each call that fails is named, with its code", fresh(namesEachCallThatFails)},
        {"what was started is ended, and nothing else", fresh(endsWhatItStartedAndNothingElse)},
        {"nothing is opened halfway", fresh(opensNothingHalfway)},
        {"operations have the names of the API", fresh(namesItsOperations)},
        {"a status is described", fresh(describesAStatus)},
        {"texts are converted, or refused", fresh(convertsTexts)},
        {"backups of dead processes are ended", fresh(endsBackupsOfTheDead)},
        {"identities are read one by one", fresh(readsIdentitiesOneByOne)},
        {"a canary proves shared memory", fresh(provesWithACanary)},
        {"whatever fails, no canary is left", fresh(leavesNoCanary)},
        {"a canary is refused without its functions", fresh(refusesACanaryWithoutItsFunctions)},
    });
}
