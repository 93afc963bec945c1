// The engine against a Domino that only keeps the rules: orders of calls, failures at every call, hangs, limits.

#include "engine/session.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <optional>
#include <random>

#include "check.h"
#include "fake_domino.h"

namespace {

using namespace domino_vss;
using namespace domino_vss::engine;
using fake::Server;
using std::chrono::milliseconds;

constexpr milliseconds kPlenty{20'000};
constexpr std::size_t kDatabases = 10;

std::string name(std::size_t index) {
    return "db" + std::to_string(index) + ".nsf";
}

class Fixture {
public:
    explicit Fixture(CaptureScope scope, SessionOptions options = {}, std::size_t databases = kDatabases) {
        directory_ = std::filesystem::temp_directory_path() /
                     ("domino-vss-session-" + std::to_string(std::random_device{}()) + std::to_string(::getpid()));
        std::filesystem::create_directories(directory_);
        options.deltaDirectory = directory_;
        options.shards = 3;
        session.emplace(options, std::make_unique<fake::FakeSource>(server),
                        std::make_unique<fake::FakeProvider>(server, scope));
        for (std::size_t i = 0; i < databases; ++i) session->add({name(i), "/data/" + name(i), ""});
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture() {
        session.reset();
        server.releaseHanging();
        server.waitUntilQuiet();
        std::filesystem::remove_all(directory_);
    }

    using Step = void (Session::*)(milliseconds, Session::Completion);
    std::optional<Failure> run(Step step, milliseconds timeout = kPlenty) {
        return await([&](Session::Completion done) { ((*session).*step)(timeout, std::move(done)); });
    }
    std::optional<Failure> close(bool keepShadow, bool succeeded = false) {
        return await([&](Session::Completion done) {
            session->close({keepShadow, succeeded}, kPlenty, std::move(done));
        });
    }
    /// open, prepare, capture; the first failure.
    std::optional<Failure> backup(milliseconds captureTimeout = kPlenty) {
        if (auto failure = run(&Session::open)) return failure;
        if (auto failure = run(&Session::prepare)) return failure;
        return run(&Session::capture, captureTimeout);
    }
    [[nodiscard]] State state(std::size_t index) const { return session->records()[index].state; }
    [[nodiscard]] std::size_t captured() const {
        std::size_t count = 0;
        for (const DatabaseRecord& record : session->records()) count += record.state == State::captured ? 1 : 0;
        return count;
    }
    [[nodiscard]] std::size_t files() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(directory_), std::filesystem::directory_iterator{}));
    }
    [[nodiscard]] std::string delta(std::size_t index) const {
        std::ifstream file(directory_ / (std::to_string(index) + ".delta"), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void occupyDelta(std::size_t index) const {
        std::ofstream(directory_ / (std::to_string(index) + ".delta")) << "of another";
    }
    [[nodiscard]] std::size_t position(const std::string& event) {
        const auto trace = server.trace();
        const auto found = std::ranges::find(trace, event);
        CHECK(found != trace.end());
        return static_cast<std::size_t>(found - trace.begin());
    }
    [[nodiscard]] std::size_t count(const std::string& event) {
        const auto trace = server.trace();
        return static_cast<std::size_t>(std::ranges::count(trace, event));
    }

    template <typename Start>
    static std::optional<Failure> await(Start start) {
        std::promise<std::optional<Failure>> answer;
        start([&](const Failure* failure) {
            answer.set_value(failure != nullptr ? std::optional<Failure>(*failure) : std::nullopt);
        });
        return answer.get_future().get();
    }

    Server server;
    std::optional<Session> session;

private:
    std::filesystem::path directory_;
};

void keepsTheOrderOfASet() {
    Fixture fixture(CaptureScope::set);
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases);
    const std::size_t commit = fixture.position("commit ");
    for (std::size_t i = 0; i < kDatabases; ++i) {
        CHECK(fixture.position("start " + name(i)) < commit);
        CHECK(fixture.position("stop " + name(i)) > commit);
        CHECK(fixture.position("end " + name(i)) > fixture.position("stop " + name(i)));
    }
    // First in, last out within a shard: 0, 3, 6, 9 share one.
    CHECK(fixture.position("start " + name(0)) < fixture.position("start " + name(3)));
    CHECK(fixture.position("stop " + name(0)) > fixture.position("stop " + name(3)));
    CHECK(fixture.count("abort " + name(0)) == 0);
    CHECK(fixture.count("remove ") == 0);
    CHECK(!fixture.close(true));
    CHECK(fixture.count("remove ") == 0);
}

void whatIsWrittenMostIsShortestInBackupMode() {
    for (const CaptureScope scope : {CaptureScope::set, CaptureScope::file}) {
        Fixture fixture(scope, {}, 0);
        // Dealt from the most active on: 0, 3, 6 share a shard, and so on.
        for (std::size_t i = 0; i < 9; ++i)
            fixture.session->add({name(i), "/data/" + name(i), "", 0, static_cast<double>(9 - i)});
        CHECK(!fixture.backup());
        for (std::size_t i = 0; i < 6; ++i) {
            CHECK(fixture.position("start " + name(i)) > fixture.position("start " + name(i + 3)));
            CHECK(fixture.position("stop " + name(i)) < fixture.position("stop " + name(i + 3)));
        }
        CHECK(!fixture.close(false));
    }
}

void asksTheProviderInOrder() {
    for (const bool keepShadow : {true, false}) {
        Fixture fixture(CaptureScope::set);
        CHECK(!fixture.backup());
        CHECK(!fixture.close(keepShadow, true));
        CHECK(!fixture.close(keepShadow, true));
        CHECK(fixture.position("begin ") < fixture.position("open " + name(0)));
        CHECK(fixture.position("prepare ") > fixture.position("open " + name(9)));
        CHECK(fixture.position("afterWindow ") > fixture.position("end " + name(9)));
        CHECK(fixture.position("makeDurable ") > fixture.position("afterWindow "));
        CHECK(fixture.position("complete ") > fixture.position("makeDurable "));
        CHECK(fixture.count("complete ") == 1);
        CHECK(fixture.count("remove ") == (keepShadow ? 0 : 1));
        CHECK(fixture.count("keep ") == (keepShadow ? 1 : 0));
        if (!keepShadow) CHECK(fixture.position("remove ") > fixture.position("complete "));
    }
}

void completesOnlyWhatSucceeded() {
    for (const std::string step : {"begin", "prepare", "commit", "afterWindow", "makeDurable"}) {
        Fixture fixture(CaptureScope::set);
        fixture.server.faults[{step, ""}] = {true, false};
        const auto failure = fixture.backup();
        CHECK(failure && failure->text == step);
        CHECK(fixture.server.open == 0);
        CHECK(!fixture.close(true, true));  // nothing good is there that could be kept or completed
        CHECK(fixture.count("complete ") == 0);
        CHECK(fixture.count("remove ") == 1);
    }
}

void comesOutWhenTheCommitRunsOutOfMemory() {
    Fixture fixture(CaptureScope::set);
    fixture.server.outOfMemoryAtCommit = true;
    const auto failure = fixture.backup();
    CHECK(failure && failure->code == std::string(code::kInternal) && failure->text == "out of memory");
    CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
    CHECK(fixture.count("remove ") == 1);
}

/// Memory may run out in any call of a shard: the session fails, and its databases come out.
void comesOutWhenAShardRunsOutOfMemory() {
    const std::vector<std::string> operations{"open",           "logInfo",        "logInfoAgain", "start", "stop",
                                              "changeInfoSize", "nextChangeInfo", "logInfoAfter", "end"};
    for (const std::string& operation : operations) {
        for (const CaptureScope scope : {CaptureScope::set, CaptureScope::file, CaptureScope::rolling}) {
            Fixture fixture(scope);
            fixture.server.faults[{operation, name(4)}].outOfMemory = true;
            fixture.server.changeInfo[name(4)] = {"abc"};
            const auto failure = fixture.backup();
            CHECK(failure && failure->code == std::string(code::kInternal) && failure->text == "out of memory");
            CHECK(failure->subject == name(4));
            CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
            CHECK(fixture.state(4) == State::skipped);
            CHECK(!fixture.session->records()[4].stuck());
            CHECK(fixture.count("remove ") == 1);
            CHECK(fixture.files() == 0);  // no delta of a database that was not captured
            CHECK(!fixture.close(false));
        }
    }
}

void aRefusedWayOutByMemoryIsReported() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"stop", name(4)}].outOfMemory = true;
    fixture.server.faults[{"abort", name(4)}].outOfMemory = true;
    const auto failure = fixture.backup();
    CHECK(failure && failure->code == std::string(code::kInternal));
    CHECK(fixture.session->records()[4].stuck());
    CHECK(fixture.server.inBackup == 1 && fixture.server.open == 0);  // the others of its thread are out
    fixture.server.inBackup = 0;
}

void comesOutWhenAThreadRunsOutOfMemoryAsItEnters() {
    for (const std::string entry : {"#1", "#2", "#3"}) {
        Fixture fixture(CaptureScope::set);
        fixture.server.faults[{"enterThread", entry}].outOfMemory = true;
        const auto failure = fixture.backup();
        CHECK(failure && failure->code == std::string(code::kInternal));
        CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
        CHECK(fixture.captured() == 0);
        CHECK(!fixture.close(false));
    }
}

void aReliefThatRunsOutOfMemoryEndsTheSession() {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{"start", name(0)}] = {false, true};
    fixture.server.faults[{"enterThread", "#4"}].outOfMemory = true;  // of the relief, after the three shards
    const auto failure = fixture.backup();
    CHECK(failure && failure->code == std::string(code::kInternal));
    CHECK(fixture.count("commit ") == 0);
    CHECK(fixture.server.inBackup == 0);
    CHECK(fixture.session->records()[0].stuck());
    for (std::size_t i = 1; i < kDatabases; ++i) CHECK(!fixture.session->records()[i].stuck());
}

void theShadowGoesWhenTheCompletionRunsOutOfMemory() {
    Fixture fixture(CaptureScope::set);
    CHECK(!fixture.backup());
    fixture.server.outOfMemoryAtCompletion = true;
    const auto failure = fixture.close(false, true);
    CHECK(failure && failure->code == std::string(code::kInternal));
    CHECK(fixture.count("remove ") == 1);
}

void aFailedCompletionIsReportedOnce() {
    Fixture fixture(CaptureScope::set);
    CHECK(!fixture.backup());
    fixture.server.faults[{"complete", ""}] = {true, false};
    const auto failure = fixture.close(false, true);
    CHECK(failure && failure->text == "complete");
    CHECK(fixture.count("remove ") == 1);
    CHECK(!fixture.close(false, true));
    CHECK(fixture.count("complete ") == 1);
}

/// The caller tells the requester's end itself, so the provider is told nothing of it, but tidies up.
void anEndThatIsLeftUntold() {
    for (const bool succeeded : {false, true}) {
        Fixture fixture(CaptureScope::set);
        CHECK(!fixture.backup());
        CHECK(!fixture.await([&](Session::Completion done) {
            fixture.session->close({.succeeded = succeeded, .untold = true}, kPlenty, std::move(done));
        }));
        CHECK(fixture.position("leaveUntold ") < fixture.position("remove "));
        CHECK(fixture.count("complete ") == (succeeded ? 1 : 0));
    }
}

void tellsHowFarItIs() {
    Fixture fixture(CaptureScope::set);
    CHECK(fixture.session->phases().empty() && fixture.session->progress().total == 0);
    CHECK(!fixture.run(&Session::open));
    CHECK(fixture.session->progress().done == kDatabases && fixture.session->progress().total == kDatabases);
    CHECK(!fixture.run(&Session::prepare));
    CHECK(!fixture.run(&Session::capture));
    CHECK(fixture.session->afterLastStart().epochMs == 3.0);
    std::vector<Phase> order;
    for (const PhaseSpan& span : fixture.session->phases()) {
        CHECK(span.beginNs <= span.endNs);
        order.push_back(span.phase);
    }
    for (const Phase phase : {Phase::open, Phase::start, Phase::shadow, Phase::stop, Phase::drain})
        CHECK(std::ranges::count(order, phase) == 1);
}

/// The provider's thread needs COM, which may refuse it.
void aProviderWhoseThreadCannotBeEnteredMakesNoBackup() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"enterProvider", ""}] = {true, false};
    const auto failure = fixture.backup();
    CHECK(failure && failure->text == "enterProvider");
    CHECK(fixture.count("begin ") == 0 && fixture.count("start " + name(0)) == 0);
    CHECK(fixture.server.open == 0);
}

void aProviderThatHangsWithoutANameIsNamedAsSuch() {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{"enterProvider", ""}] = {false, true};
    const auto failure = fixture.run(&Session::open, milliseconds(200));
    CHECK(failure && failure->code == std::string(code::kShadowHangs) && failure->operation == "the provider");
    CHECK(fixture.server.open == 0);
}

void aCaptureWindowEndsWhenTheShadowIsTaken() {
    int woken = 0;
    const Clock::time_point past = Clock::now() - milliseconds(1);
    CaptureWindow window({{}, past, code::kWindowTimeout}, {}, [&] { ++woken; });
    CHECK(window.exceeded() == std::string_view(code::kWindowTimeout));
    window.taken();
    window.taken();
    CHECK(window.exceeded() == nullptr && woken == 1);
}

void capturesVolumesWithoutDatabases() {
    Fixture fixture(CaptureScope::set, {}, 0);
    CHECK(!fixture.backup());
    CHECK(fixture.count("commit ") == 1);
    CHECK(!fixture.close(false, true));
    CHECK(fixture.count("complete ") == 1 && fixture.count("remove ") == 1);
}

void aCommitThatNeverReturnsIsLeftToItself() {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{"commit", ""}] = {false, true};
    const auto begin = Clock::now();
    const auto failure = fixture.backup(milliseconds(200));
    CHECK(failure && failure->code == std::string(code::kShadowHangs) && failure->operation == "commit");
    CHECK(Clock::now() - begin < kPlenty / 2);
    CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
    const auto stays = fixture.close(false);
    CHECK(stays && stays->code == std::string(code::kShadowHangs));
    CHECK(fixture.count("remove ") == 0);  // not while somebody still makes it
    fixture.server.releaseHanging();
    for (int i = 0; i < 500 && fixture.close(false); ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(!fixture.close(false));
    CHECK(fixture.count("remove ") == 2);  // by its own thread, and by close
    CHECK(fixture.position("remove ") > fixture.position("commit "));
}

void aSessionMayEndBeforeItsCommit() {
    SessionOptions options;
    options.databaseBudget = milliseconds(50);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{"commit", ""}] = {false, true};
    CHECK(fixture.backup(milliseconds(100)));
    fixture.session.reset();
    fixture.server.releaseHanging();
    fixture.server.waitUntilQuiet();
    CHECK(fixture.count("remove ") == 1);
}

/// Each call of the provider before and after the window hangs in turn.
void aProviderThatHangsIsNamedAndLeftToItself(const char* step, bool aborted) {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{step, ""}] = {false, true};
    const std::string hanging = std::string(step) + " ";
    std::thread canceller([&] {
        while (aborted && fixture.count(hanging) == 0) std::this_thread::sleep_for(milliseconds(1));
        if (aborted) fixture.session->cancel();
    });
    const auto begin = Clock::now();
    const milliseconds timeout = aborted ? kPlenty : milliseconds(300);
    std::optional<Failure> failure = fixture.run(&Session::open, timeout);
    if (!failure) failure = fixture.run(&Session::prepare, timeout);
    if (!failure) failure = fixture.run(&Session::capture, timeout);
    canceller.join();
    CHECK(failure && failure->code == std::string(code::kShadowHangs) && failure->operation == step);
    CHECK(Clock::now() - begin < kPlenty / 2);
    CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
    const auto stays = fixture.close(false);
    CHECK(stays && stays->code == std::string(code::kShadowHangs) && stays->operation == step);
    CHECK(fixture.count("remove ") == 0);
    fixture.server.releaseHanging();
    for (int i = 0; i < 500 && fixture.close(false); ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(fixture.count("remove ") == 2);
}

/// At the end of a good backup: what was asked for is done when the call returns.
void anEndOfTheProviderThatHangsIsLeftToItself(const char* step, bool keep) {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    Fixture fixture(CaptureScope::set, options);
    CHECK(!fixture.backup());
    fixture.server.faults[{step, ""}] = {false, true};
    const auto close = [&] {
        return fixture.await([&](Session::Completion done) {
            fixture.session->close({.keepShadow = keep, .succeeded = true}, milliseconds(300), std::move(done));
        });
    };
    const auto begin = Clock::now();
    const auto failure = close();
    CHECK(failure && failure->code == std::string(code::kShadowHangs) && failure->operation == step);
    CHECK(Clock::now() - begin < kPlenty / 2);
    fixture.server.releaseHanging();
    for (int i = 0; i < 500 && close(); ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(fixture.count("complete ") == 1);
    CHECK((fixture.count("remove ") > 0) == !keep);
    CHECK((fixture.count("keep ") > 0) == keep);
}

void clonesOnlyWhenAllAreIn() {
    Fixture fixture(CaptureScope::file);
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases);
    for (std::size_t i = 0; i < kDatabases; ++i)
        for (std::size_t j = 0; j < kDatabases; ++j)
            CHECK(fixture.position("start " + name(i)) < fixture.position("capture " + name(j)));
}

void rollsOneDatabaseAtATimePerShard() {
    Fixture fixture(CaptureScope::rolling);
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases);
    CHECK(fixture.position("end " + name(0)) < fixture.position("start " + name(3)));
}

void aRefusedMarkLeavesOutOne() {
    Fixture fixture(CaptureScope::rolling);
    fixture.server.faults[{"mark", name(2)}] = {true, false};
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases - 1 && fixture.state(2) == State::skipped);
    CHECK(fixture.count("mark " + name(1)) == 1);
    CHECK(fixture.session->failures()[0].failure.operation == "mark");
}

/// Too early a position costs a few extents, too late a one the database.
void readsTheLogPositionBeforeTheStart() {
    for (const CaptureScope scope : {CaptureScope::set, CaptureScope::file, CaptureScope::rolling}) {
        Fixture fixture(scope);
        fixture.server.logExtent = 3;
        CHECK(!fixture.run(&Session::open));
        fixture.server.logExtent = 5;
        CHECK(!fixture.run(&Session::prepare));
        fixture.server.logExtent = 9;
        CHECK(!fixture.run(&Session::capture));
        CHECK(fixture.captured() == kDatabases);
        for (std::size_t i = 0; i < kDatabases; ++i) {
            CHECK(fixture.session->records()[i].log.logExtent == (scope == CaptureScope::rolling ? 9 : 5));
            CHECK(fixture.position("logInfoAgain " + name(i)) < fixture.position("start " + name(i)));
        }
    }
}

void keepsTheFirstLogPositionWithoutAnother() {
    for (const CaptureScope scope : {CaptureScope::set, CaptureScope::file, CaptureScope::rolling}) {
        Fixture fixture(scope);
        fixture.server.logExtent = 3;
        fixture.server.faults[{"logInfoAgain", name(4)}].fail = true;
        fixture.server.replacedEarly = {name(5)};
        CHECK(!fixture.run(&Session::open));
        fixture.server.logExtent = 5;
        CHECK(!fixture.run(&Session::prepare));
        CHECK(!fixture.run(&Session::capture));
        CHECK(fixture.state(4) == State::captured);
        CHECK(fixture.session->records()[4].log.logExtent == 3);
        CHECK(fixture.state(5) == State::skipped);
        CHECK(fixture.session->failures()[0].failure.code == std::string(code::kDatabaseReplaced));
    }
}

void leavesOutADatabaseThatFails() {
    const std::vector<std::string> operations{"open",           "logInfo",        "start",        "stop",
                                              "changeInfoSize", "nextChangeInfo", "logInfoAfter", "end"};
    for (const std::string& operation : operations) {
        for (const CaptureScope scope : {CaptureScope::set, CaptureScope::file, CaptureScope::rolling}) {
            Fixture fixture(scope);
            fixture.server.faults[{operation, name(4)}] = {true, false};
            fixture.server.changeInfo[name(4)] = {"abc"};
            CHECK(!fixture.backup());
            CHECK(fixture.captured() == kDatabases - 1);
            CHECK(fixture.state(4) == State::skipped);
            const auto failures = fixture.session->failures();
            CHECK(failures.size() == 1 && failures[0].index == 4);
            CHECK(failures[0].failure.code == std::string(code::kDominoCall));
            CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
            CHECK(fixture.files() == 0);  // no delta of a database that was left out
        }
    }
}

void aRefusedCaptureLeavesOutOne() {
    for (const CaptureScope scope : {CaptureScope::file, CaptureScope::rolling}) {
        Fixture fixture(scope);
        fixture.server.faults[{"capture", name(2)}] = {true, false};
        CHECK(!fixture.backup());
        CHECK(fixture.captured() == kDatabases - 1);
        CHECK(fixture.count("abort " + name(2)) == 1);
    }
}

void aFailedShadowTakesAllDatabasesOut() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"commit", ""}] = {true, false};
    const auto failure = fixture.backup();
    CHECK(failure && failure->code == std::string(code::kShadow));
    CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
    CHECK(fixture.count("remove ") == 1);
    CHECK(fixture.position("remove ") > fixture.position("abort " + name(9)));
}

/// Waits until all databases are out of backup mode while the commit goes on.
void awaitAllOut(Fixture& fixture) {
    for (int i = 0; i < 500 && (fixture.count("finish ") == 0 || fixture.server.inBackup != 0); ++i)
        std::this_thread::sleep_for(milliseconds(10));
    CHECK(fixture.count("finish ") == 1 && fixture.server.inBackup == 0);
    CHECK(fixture.count("afterWindow ") == 0);  // not while the commit goes on
}

void databasesComeOutAsSoonAsTheShadowIsTaken() {
    SessionOptions options;
    options.window = milliseconds(2'000);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.takenEarly = true;
    fixture.server.faults[{"finish", ""}] = {false, true};
    const auto begin = Clock::now();
    std::thread writer([&] {
        awaitAllOut(fixture);
        // The window has ended with the shadow: what the commit does afterwards may take longer.
        while (Clock::now() < begin + options.window + milliseconds(100)) std::this_thread::sleep_for(milliseconds(10));
        fixture.server.releaseHanging();
    });
    CHECK(!fixture.backup());
    writer.join();
    CHECK(fixture.captured() == kDatabases);
    CHECK(fixture.count("abort " + name(0)) == 0 && fixture.count("remove ") == 0);
    CHECK(!fixture.close(true));
}

void aCommitThatFailsAfterTheShadowIsTakenIsNoBackup() {
    Fixture fixture(CaptureScope::set);
    fixture.server.takenEarly = true;
    fixture.server.faults[{"finish", ""}] = {true, false};
    const auto failure = fixture.backup();
    CHECK(failure && failure->code == std::string(code::kShadow) && failure->text == "finish");
    CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
    CHECK(fixture.count("remove ") == 1);
}

void aCommitThatHangsAfterTheShadowIsTakenIsLeftToItself() {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.takenEarly = true;
    fixture.server.faults[{"finish", ""}] = {false, true};
    const auto failure = fixture.backup(milliseconds(300));
    CHECK(failure && failure->code == std::string(code::kShadowHangs) && failure->operation == "finish");
    CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
    CHECK(fixture.count("remove ") == 0);
    fixture.server.releaseHanging();
    for (int i = 0; i < 500 && fixture.close(false); ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(fixture.count("remove ") == 2);
}

/// A commit that comes back too late, but before it is given up: its own failure says more than that it was late.
void aLateCommitEndsTheBackup(const char* step, bool fails) {
    SessionOptions options;
    options.databaseBudget = kPlenty;
    Fixture fixture(CaptureScope::set, options);
    fixture.server.takenEarly = true;
    fixture.server.faults[{step, ""}] = {fails, true};
    constexpr milliseconds timeout{500};
    const auto begin = Clock::now();
    std::thread release([&] {
        while (Clock::now() < begin + timeout + milliseconds(300)) std::this_thread::sleep_for(milliseconds(10));
        fixture.server.releaseHanging();
    });
    const auto failure = fixture.backup(timeout);
    release.join();
    CHECK(failure && failure->code == std::string(fails ? code::kShadow : code::kDeadline));
    CHECK(fixture.server.inBackup == 0 && fixture.server.open == 0);
    CHECK(fixture.count("remove ") == 1);
}

void whatCannotBeRemovedIsReportedByClose() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"commit", ""}] = {true, false};
    fixture.server.faults[{"remove", ""}] = {true, false};
    CHECK(fixture.backup());
    CHECK(fixture.close(false));
    fixture.server.faults.erase({"remove", ""});
    CHECK(!fixture.close(false));
    CHECK(!fixture.close(false));
    CHECK(fixture.count("remove ") == 3);
}

void storesChangeInfoOnlyWhereThereIsSome() {
    Fixture fixture(CaptureScope::set);
    const std::string full(kPieceBytes, 'x');
    fixture.server.changeInfo[name(1)] = {full, full, "tail"};
    fixture.server.changeInfo[name(2)] = {"short", full, "tail"};
    CHECK(!fixture.backup());
    CHECK(fixture.files() == 2);
    CHECK(fixture.delta(1) == full + full + "tail");
    CHECK(fixture.session->records()[1].irregularPieces.empty());
    CHECK(fixture.session->records()[1].deltaBytes == 2 * kPieceBytes + 4);
    CHECK(fixture.session->records()[1].announcedBytes == 2 * kPieceBytes + 4);
    CHECK(fixture.delta(2) == "short" + full + "tail");
    CHECK((fixture.session->records()[2].irregularPieces == std::vector<std::uint32_t>{5, kPieceBytes, 4}));
}

void aDeltaThatCannotBeWrittenLeavesOutOne() {
    Fixture fixture(CaptureScope::set);
    for (const std::size_t index : {1U, 2U}) fixture.server.changeInfo[name(index)] = {"abc"};
    fixture.occupyDelta(1);
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases - 1 && fixture.state(1) == State::skipped);
    CHECK(fixture.session->failures()[0].failure.code == std::string(code::kDeltaWrite));
    CHECK(!fixture.session->records()[1].stuck() && fixture.server.inBackup == 0);
    CHECK(fixture.delta(1) == "of another" && fixture.delta(2) == "abc");
}

void noticesAReplacedDatabase() {
    Fixture fixture(CaptureScope::set);
    fixture.server.replaced = {name(7)};
    fixture.server.unloggedLater = {name(2)};
    fixture.server.inAnotherLog = {name(3)};
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases - 3);
    for (const std::size_t index : {2U, 3U, 7U}) CHECK(fixture.state(index) == State::skipped);
    for (const DatabaseFailure& each : fixture.session->failures())
        CHECK(each.failure.code == std::string(code::kDatabaseReplaced));
}

/// There is no position to read again, and nothing in the log that could say that the database was replaced.
void asksAnUnloggedDatabaseOnceBeforeItsStart() {
    Fixture fixture(CaptureScope::set);
    fixture.server.unlogged = {name(1)};
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases);
    CHECK(fixture.count("logInfoAgain " + name(1)) == 0 && fixture.count("logInfoAgain " + name(2)) == 1);
}

void aHangingStartHoldsNobodyUp() {
    SessionOptions options;
    options.databaseBudget = milliseconds(300);  // more than a call takes on a busy machine
    Fixture fixture(CaptureScope::file, options);
    fixture.server.faults[{"start", name(0)}] = {false, true};
    std::thread release([&] {
        // 3, 6 and 9 wait behind 0 on its shard; relief takes them over while 0 hangs.
        while (fixture.count("start " + name(9)) == 0) std::this_thread::sleep_for(milliseconds(5));
        std::this_thread::sleep_for(milliseconds(50));
        fixture.server.releaseHanging();
    });
    CHECK(!fixture.backup());
    release.join();
    CHECK(fixture.captured() == kDatabases - 1);
    CHECK(fixture.session->failures()[0].failure.code == std::string(code::kDatabaseBudget));
    CHECK(fixture.count("abort " + name(0)) == 1);  // it came back later and was ended
    CHECK(!fixture.session->records()[0].stuck());
    CHECK(fixture.count("open " + name(9)) == 2);
}

void aHangingOpenHoldsNobodyUp() {
    SessionOptions options;
    options.databaseBudget = milliseconds(300);  // more than a call takes on a busy machine
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{"open", name(0)}] = {false, true};
    CHECK(!fixture.run(&Session::open));
    CHECK(fixture.state(0) == State::skipped);
    for (std::size_t i = 1; i < kDatabases; ++i) CHECK(fixture.state(i) == State::open);
    fixture.server.releaseHanging();
    CHECK(!fixture.run(&Session::prepare));
    CHECK(!fixture.run(&Session::capture));
    CHECK(fixture.captured() == kDatabases - 1);
}

/// Every call on a database hangs in turn, within the budget of the test for ever.
void aCallThatHangsCostsOneDatabaseAndIsNamed(CaptureScope scope, bool returns) {
    struct Case {
        const char* operation;
        const char* named;  // in the failure
        CaptureScope scope;
    };
    const std::vector<Case> cases{
        {"open", "open", CaptureScope::set},
        {"logInfo", "logInfo", CaptureScope::set},
        {"logInfoAgain", "logInfo", CaptureScope::set},
        {"changeInfoSize", "changeInfoSize", CaptureScope::set},
        {"nextChangeInfo", "nextChangeInfo", CaptureScope::set},
        {"logInfoAfter", "logInfo", CaptureScope::set},
        {"end", "end", CaptureScope::set},
        {"logInfoAgain", "logInfo", CaptureScope::file},
        {"nextChangeInfo", "nextChangeInfo", CaptureScope::file},
        {"logInfoAgain", "logInfo", CaptureScope::rolling},
        {"start", "start", CaptureScope::rolling},
        {"capture", "copy", CaptureScope::rolling},
        {"stop", "stop", CaptureScope::rolling},
        {"changeInfoSize", "changeInfoSize", CaptureScope::rolling},
        {"nextChangeInfo", "nextChangeInfo", CaptureScope::rolling},
        {"logInfoAfter", "logInfo", CaptureScope::rolling},
        {"end", "end", CaptureScope::rolling},
    };
    for (const auto& [operation, named, scopeOfCase] : cases) {
        if (scopeOfCase != scope) continue;
        SessionOptions options;
        options.databaseBudget = milliseconds(300);  // more than a call takes on a busy machine
        Fixture fixture(scope, options);
        fixture.server.changeInfo[name(1)] = {"abc"};
        // The last of its thread: what its thread holds besides has come out before.
        constexpr std::size_t kVictim = 7;
        fixture.server.changeInfo[name(kVictim)] = {"abc"};
        fixture.server.faults[{operation, name(kVictim)}] = {false, true};
        CHECK(!fixture.backup());
        CHECK(fixture.state(kVictim) == State::skipped);
        CHECK(fixture.captured() == kDatabases - 1);
        const auto failures = fixture.session->failures();
        CHECK(failures.size() == 1 && failures[0].index == kVictim);
        CHECK(failures[0].failure.code == std::string(code::kDatabaseBudget));
        CHECK(failures[0].failure.operation == named);
        CHECK(failures[0].failure.subject == name(kVictim));
        if (returns) fixture.server.releaseHanging();
        CHECK(!fixture.close(true, true));
        if (!returns) continue;
        fixture.server.waitUntilQuiet();
        CHECK(fixture.files() == 1);  // no delta of a database that was left out
    }
}

/// The API binds handles and contexts to a thread: what a hanging thread holds in backup mode nobody else can take out.
void aHangingCallNamesWhatItsThreadHolds() {
    constexpr std::size_t kVictim = 7;  // of the thread that has 1 and 4
    const std::vector<std::pair<std::string, CaptureScope>> cases{
        {"start", CaptureScope::set}, {"stop", CaptureScope::set},     {"start", CaptureScope::file},
        {"stop", CaptureScope::file}, {"capture", CaptureScope::file},
    };
    for (const auto& [operation, scope] : cases) {
        SessionOptions options;
        options.databaseBudget = milliseconds(100);
        Fixture fixture(scope, options);
        fixture.server.faults[{operation, name(kVictim)}] = {false, true};
        CHECK(!fixture.backup());
        CHECK(fixture.captured() == kDatabases - 3);
        const auto failures = fixture.session->failures();
        CHECK(failures.size() == 3);
        for (const DatabaseFailure& failure : failures) {
            const bool isVictim = failure.index == kVictim;
            CHECK(failure.index % 3 == 1);
            CHECK(failure.failure.code == std::string(isVictim ? code::kDatabaseBudget : code::kDatabaseStuck));
            CHECK(failure.failure.operation == (operation == "capture" ? "copy" : operation));
            CHECK(fixture.session->records()[failure.index].stuck());
        }
        CHECK(!fixture.close(true, true));
        fixture.server.releaseHanging();
        fixture.server.waitUntilQuiet();  // it returns later, and takes out all that it holds
    }
}

void anAbortEnds(const std::string& operation, CaptureScope scope) {
    Fixture fixture(scope);  // with a budget that does not end within this test
    const bool ofThread = operation.ends_with("Thread");
    const std::string subject = ofThread ? "" : name(5);
    fixture.server.faults[{operation, subject}] = {false, true};
    std::thread canceller([&] {
        const std::string event = operation == "leaveThread" ? "end " + name(9) : operation + " " + subject;
        while (fixture.count(event) == 0) std::this_thread::sleep_for(milliseconds(1));
        fixture.session->cancel();
    });
    const auto begin = Clock::now();
    const auto failure = fixture.backup();
    static_cast<void>(fixture.close(false));
    CHECK(Clock::now() - begin < kPlenty / 2);
    CHECK(operation == "leaveThread" || (failure && failure->code == std::string(code::kAborted)));
    canceller.join();
}

void anAbortEndsWhateverHangs() {
    const std::vector<std::string> operations{"enterThread",    "open",         "logInfo", "logInfoAgain",
                                              "start",          "capture",      "stop",    "changeInfoSize",
                                              "nextChangeInfo", "logInfoAfter", "end",     "leaveThread"};
    std::vector<std::thread> cases;  // at once: each is waiting
    for (const std::string& operation : operations)
        for (const CaptureScope scope : {CaptureScope::set, CaptureScope::file, CaptureScope::rolling})
            if (operation != "capture" || scope != CaptureScope::set) cases.emplace_back(anAbortEnds, operation, scope);
    for (std::thread& running : cases) running.join();
}

/// Whatever was captured was in backup mode when the shadow was made.
void checkAllStartedBeforeCommit(Fixture& fixture) {
    const std::size_t commit = fixture.position("commit ");
    for (std::size_t i = 0; i < kDatabases; ++i)
        if (fixture.state(i) == State::captured) CHECK(fixture.position("started " + name(i)) < commit);
}

void aSlowOpenThatReturnsLaterTearsNothing() {
    for (const bool returnsBeforeCapture : {true, false}) {
        SessionOptions options;
        options.databaseBudget = milliseconds(100);
        Fixture fixture(CaptureScope::set, options);
        fixture.server.faults[{"open", name(3)}] = {false, true};
        CHECK(!fixture.run(&Session::open));
        if (returnsBeforeCapture) fixture.server.releaseHanging();
        CHECK(!fixture.run(&Session::prepare));
        std::thread release([&] {
            while (fixture.count("started " + name(1)) == 0) std::this_thread::sleep_for(milliseconds(1));
            fixture.server.releaseHanging();
        });
        CHECK(!fixture.run(&Session::capture));
        release.join();
        CHECK(fixture.captured() == kDatabases - 1);
        checkAllStartedBeforeCommit(fixture);
    }
}

void aSlowStartThatReturnsLaterTearsNothing() {
    for (int round = 0; round < 10; ++round) {
        SessionOptions options;
        options.databaseBudget = milliseconds(60);
        Fixture fixture(CaptureScope::set, options);
        fixture.server.faults[{"start", name(0)}] = {false, true};
        std::thread release([&] {
            while (fixture.count("open " + name(3)) < 2) std::this_thread::sleep_for(std::chrono::microseconds(100));
            fixture.server.releaseHanging();
        });
        CHECK(!fixture.backup());
        release.join();
        CHECK(fixture.state(0) == State::skipped);
        checkAllStartedBeforeCommit(fixture);
    }
}

void anOpenThatNeverReturnsCostsOneDatabase() {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{"open", name(6)}] = {false, true};
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases - 1);
    CHECK(fixture.session->failures()[0].index == 6);
}

void aStartThatNeverReturnsCostsItsShardAtMost() {
    SessionOptions options;
    options.databaseBudget = milliseconds(100);
    for (const CaptureScope scope : {CaptureScope::set, CaptureScope::file, CaptureScope::rolling}) {
        Fixture fixture(scope, options);
        fixture.server.faults[{"start", name(0)}] = {false, true};
        CHECK(!fixture.backup());
        CHECK(fixture.captured() == kDatabases - 1);
        CHECK(fixture.session->records()[0].stuck());
    }
}

void databasesComeOutWhileTheShadowHangs() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"commit", ""}] = {false, true};
    std::thread canceller([&] {
        while (fixture.count("commit ") == 0) std::this_thread::sleep_for(milliseconds(1));
        fixture.session->cancel();
        for (int i = 0; i < 500 && fixture.server.inBackup != 0; ++i) std::this_thread::sleep_for(milliseconds(10));
        CHECK(fixture.server.inBackup == 0);
        CHECK(fixture.count("remove ") == 0);  // not while somebody still makes it
        fixture.server.releaseHanging();
    });
    const auto failure = fixture.backup();
    canceller.join();
    CHECK(failure && failure->code == std::string(code::kAborted));
    CHECK(fixture.count("remove ") == 1);
}

void aRefusedAbortIsReported() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"stop", name(2)}] = {true, false};
    fixture.server.faults[{"abort", name(2)}] = {true, false};
    CHECK(!fixture.backup());
    CHECK(fixture.state(2) == State::skipped);
    CHECK(fixture.session->records()[2].stuck());
    CHECK(fixture.server.inBackup == 1);
    fixture.server.inBackup = 0;
}

void cancelEndsAHangingStop() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"stop", name(0)}] = {false, true};
    std::thread canceller([&] {
        while (fixture.count("stop " + name(0)) == 0) std::this_thread::sleep_for(milliseconds(1));
        fixture.session->cancel();
    });
    const auto begin = Clock::now();
    const auto failure = fixture.backup();
    canceller.join();
    CHECK(failure && failure->code == std::string(code::kAborted));
    CHECK(Clock::now() - begin < kPlenty / 2);
}

void theEndOfTheProcessDoesNotWaitForAShadowThatStays() {
    Fixture fixture(CaptureScope::set);
    CHECK(!fixture.backup());
    fixture.server.faults[{"remove", ""}] = {true, false};
    const auto begin = Clock::now();
    CHECK(fixture.session->abortAndWait(kPlenty) == Session::Aborted::wasOpen);
    CHECK(Clock::now() - begin < kPlenty / 2);
}

void aStopThatNeverReturnsEndsAtTheDeadline() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"stop", name(0)}] = {false, true};
    const auto failure = fixture.backup(milliseconds(200));
    CHECK(failure && failure->code == std::string(code::kDeadline));
    CHECK(fixture.session->records()[0].stuck());
    CHECK(fixture.session->records()[3].stuck());  // behind it on the same thread
    CHECK(!fixture.session->records()[1].stuck());
}

void anAbortThatNeverReturnsEndsAtTheDeadline() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"stop", name(0)}] = {true, false};
    fixture.server.faults[{"abort", name(0)}] = {false, true};
    const auto failure = fixture.backup(milliseconds(200));
    CHECK(failure && failure->code == std::string(code::kDeadline));
    CHECK(fixture.session->records()[0].stuck());
    CHECK(!fixture.session->records()[1].stuck());
}

void failuresAreToldInDominosWords() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"start", name(4)}] = {true, false};
    CHECK(!fixture.backup());
    CHECK(fixture.session->failures().at(0).failure.text == "as Domino says it");
}

void failuresAreToldWithoutDominoWhenItDoesNotAnswer(bool hangs) {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"start", name(4)}] = {true, false};
    fixture.server.faults[{"enterThread", "#4"}] = {!hangs, hangs};  // after the three shards
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases - 1);
    const auto failures = fixture.session->failures();
    CHECK(failures.size() == 1 && failures[0].failure.status == 0x0EA4);
    CHECK(failures[0].failure.text != "as Domino says it");
}

void aThreadThatCannotLeaveIsLeftToItself() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"leaveThread", ""}] = {false, true};
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == kDatabases);
    CHECK(!fixture.close(true));
}

void theDeadlineEndsAHangingStart() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"start", name(0)}] = {false, true};
    const auto failure = fixture.backup(milliseconds(200));
    CHECK(failure && failure->code == std::string(code::kDeadline));
    CHECK(fixture.count("commit ") == 0);
}

void cancelsAnywhere() {
    std::mt19937 random(20261123);
    for (int round = 0; round < 150; ++round) {
        const auto scope = static_cast<CaptureScope>(round % 3);
        Fixture fixture(scope);
        const auto delay = std::chrono::microseconds(random() % 1500);
        std::thread canceller([&] {
            std::this_thread::sleep_for(delay);
            fixture.session->cancel();
        });
        const auto failure = fixture.backup();
        canceller.join();
        CHECK(!failure || failure->code == std::string(code::kAborted));
        CHECK(fixture.server.inBackup == 0);
        CHECK(fixture.server.open == 0);
        if (failure) CHECK(fixture.count("remove ") >= 1);
        CHECK(!fixture.close(false));
    }
}

void theLeaseClosesWhatIsForgotten() {
    SessionOptions options;
    options.lease = milliseconds(50);
    Fixture fixture(CaptureScope::set, options);
    CHECK(!fixture.run(&Session::open));
    CHECK(fixture.server.open == static_cast<int>(kDatabases));
    for (int i = 0; i < 400 && fixture.server.open != 0; ++i) std::this_thread::sleep_for(milliseconds(5));
    CHECK(fixture.server.open == 0);
    const auto failure = fixture.run(&Session::prepare);
    CHECK(failure && failure->code == std::string(code::kLeaseExpired));
}

void aRenewedLeaseRunsAnew() {
    SessionOptions options;
    options.lease = milliseconds(400);
    Fixture fixture(CaptureScope::set, options);
    CHECK(!fixture.run(&Session::open));
    for (int i = 0; i < 8; ++i) {
        std::this_thread::sleep_for(milliseconds(100));
        fixture.session->renewLease();
    }
    CHECK(!fixture.run(&Session::prepare));
}

void refusesCallsOutOfOrder() {
    Fixture fixture(CaptureScope::set);
    const auto failure = fixture.run(&Session::capture);
    CHECK(failure && failure->code == std::string(code::kState));
    CHECK(!fixture.backup());
    const auto again = fixture.run(&Session::capture);
    CHECK(again && again->code == std::string(code::kState));
}

void abortsAndWaitsAtTheEndOfTheProcess() {
    Fixture fixture(CaptureScope::set);
    CHECK(!fixture.run(&Session::open));
    CHECK(fixture.session->abortAndWait(kPlenty) == Session::Aborted::wasOpen);
    CHECK(fixture.server.open == 0);
    CHECK(fixture.session->abortAndWait(kPlenty) == Session::Aborted::wasClosed);
}

void theEndOfTheProcessDoesNotWaitForWhatNeverReturns() {
    SessionOptions options;
    options.databaseBudget = kPlenty;
    Fixture fixture(CaptureScope::set, options);
    fixture.server.faults[{"begin", ""}] = {false, true};
    std::promise<void> opened;
    fixture.session->open(kPlenty, [&](Failure*) { opened.set_value(); });
    while (fixture.count("begin ") == 0) std::this_thread::sleep_for(milliseconds(1));
    CHECK(fixture.session->abortAndWait(milliseconds(50)) == Session::Aborted::unanswered);
    fixture.server.releaseHanging();
    opened.get_future().get();
}

void aThreadThatCannotEnterSkipsItsDatabases() {
    Fixture fixture(CaptureScope::set);
    fixture.server.faults[{"enterThread", ""}] = {true, false};
    CHECK(!fixture.backup());
    CHECK(fixture.captured() == 0);
    CHECK(fixture.session->failures().size() == kDatabases);
}

}  // namespace

int main() {
    return check::run({
        {"a set keeps its order", keepsTheOrderOfASet},
        {"what is written to most is shortest in backup mode", whatIsWrittenMostIsShortestInBackupMode},
        {"the provider is asked in order", asksTheProviderInOrder},
        {"only what succeeded is completed", completesOnlyWhatSucceeded},
        {"databases come out when the commit runs out of memory", comesOutWhenTheCommitRunsOutOfMemory},
        {"databases come out when a shard runs out of memory", comesOutWhenAShardRunsOutOfMemory},
        {"databases come out when a thread runs out of memory as it enters",
         comesOutWhenAThreadRunsOutOfMemoryAsItEnters},
        {"a way out that runs out of memory is reported", aRefusedWayOutByMemoryIsReported},
        {"a relief that runs out of memory ends the session", aReliefThatRunsOutOfMemoryEndsTheSession},
        {"the shadow goes when the completion runs out of memory", theShadowGoesWhenTheCompletionRunsOutOfMemory},
        {"a failed completion is reported once", aFailedCompletionIsReportedOnce},
        {"an end may be left untold", anEndThatIsLeftUntold},
        {"tells how far it is", tellsHowFarItIs},
        {"a provider whose thread cannot be entered makes no backup", aProviderWhoseThreadCannotBeEnteredMakesNoBackup},
        {"a provider that hangs without a name is named as such", aProviderThatHangsWithoutANameIsNamedAsSuch},
        {"a capture window ends when the shadow is taken", aCaptureWindowEndsWhenTheShadowIsTaken},
        {"volumes are captured without databases", capturesVolumesWithoutDatabases},
        {"a commit that never returns is left to itself", aCommitThatNeverReturnsIsLeftToItself},
        {"a session may end before its commit", aSessionMayEndBeforeItsCommit},
        {"a provider that hangs is named and left to itself",
         [] {
             for (const char* step : {"begin", "prepare", "commit", "afterWindow", "makeDurable"})
                 for (const bool aborted : {false, true}) aProviderThatHangsIsNamedAndLeftToItself(step, aborted);
         }},
        {"an end of the provider that hangs is left to itself",
         [] {
             anEndOfTheProviderThatHangsIsLeftToItself("complete", true);
             anEndOfTheProviderThatHangsIsLeftToItself("complete", false);
             anEndOfTheProviderThatHangsIsLeftToItself("keep", true);
             anEndOfTheProviderThatHangsIsLeftToItself("remove", false);
         }},
        {"files are cloned only when all databases are in backup mode", clonesOnlyWhenAllAreIn},
        {"rolling finishes one database before the next", rollsOneDatabaseAtATimePerShard},
        {"a refused high-water mark leaves out one database", aRefusedMarkLeavesOutOne},
        {"the log position is read before the start", readsTheLogPositionBeforeTheStart},
        {"the first log position is kept when there is no other one", keepsTheFirstLogPositionWithoutAnother},
        {"a database that fails is left out", leavesOutADatabaseThatFails},
        {"a refused capture leaves out one database", aRefusedCaptureLeavesOutOne},
        {"a failed shadow takes all databases out", aFailedShadowTakesAllDatabasesOut},
        {"databases come out as soon as the shadow is taken", databasesComeOutAsSoonAsTheShadowIsTaken},
        {"a commit that fails after the shadow is taken is no backup", aCommitThatFailsAfterTheShadowIsTakenIsNoBackup},
        {"a commit that hangs after the shadow is taken is left to itself",
         aCommitThatHangsAfterTheShadowIsTakenIsLeftToItself},
        {"a commit that returns too late ends the backup",
         [] {
             for (const bool fails : {false, true}) aLateCommitEndsTheBackup("finish", fails);
             aLateCommitEndsTheBackup("commit", true);
         }},
        {"what cannot be removed is reported by close", whatCannotBeRemovedIsReportedByClose},
        {"change info is stored only where there is some", storesChangeInfoOnlyWhereThereIsSome},
        {"a delta that cannot be written leaves out one database", aDeltaThatCannotBeWrittenLeavesOutOne},
        {"a replaced database is noticed", noticesAReplacedDatabase},
        {"a database without log is asked once before its start", asksAnUnloggedDatabaseOnceBeforeItsStart},
        {"a hanging start holds nobody up", aHangingStartHoldsNobodyUp},
        {"a hanging open holds nobody up", aHangingOpenHoldsNobodyUp},
        {"a slow open that returns later tears nothing", aSlowOpenThatReturnsLaterTearsNothing},
        {"a slow start that returns later tears nothing", aSlowStartThatReturnsLaterTearsNothing},
        {"an open that never returns costs one database", anOpenThatNeverReturnsCostsOneDatabase},
        {"a start that never returns costs its shard at most", aStartThatNeverReturnsCostsItsShardAtMost},
        {"a call that hangs costs one database and is named (set)",
         [] { aCallThatHangsCostsOneDatabaseAndIsNamed(CaptureScope::set, false); }},
        {"a call that hangs costs one database and is named (rolling)",
         [] { aCallThatHangsCostsOneDatabaseAndIsNamed(CaptureScope::rolling, false); }},
        {"a call that returns late costs one database and is named (set)",
         [] { aCallThatHangsCostsOneDatabaseAndIsNamed(CaptureScope::set, true); }},
        {"a call that returns late costs one database and is named (rolling)",
         [] { aCallThatHangsCostsOneDatabaseAndIsNamed(CaptureScope::rolling, true); }},
        {"a call that hangs or returns late costs one database and is named (file)",
         [] {
             for (const bool returns : {false, true})
                 aCallThatHangsCostsOneDatabaseAndIsNamed(CaptureScope::file, returns);
         }},
        {"a hanging call names what its thread holds", aHangingCallNamesWhatItsThreadHolds},
        {"an abort ends whatever hangs", anAbortEndsWhateverHangs},
        {"databases come out while the shadow hangs", databasesComeOutWhileTheShadowHangs},
        {"a refused abort is reported", aRefusedAbortIsReported},
        {"a cancel ends a hanging stop", cancelEndsAHangingStop},
        {"the end of the process does not wait for a shadow that stays",
         theEndOfTheProcessDoesNotWaitForAShadowThatStays},
        {"a stop that never returns ends at the deadline", aStopThatNeverReturnsEndsAtTheDeadline},
        {"an abort that never returns ends at the deadline", anAbortThatNeverReturnsEndsAtTheDeadline},
        {"failures are told in Domino's words", failuresAreToldInDominosWords},
        {"failures are told without Domino when it refuses",
         [] { failuresAreToldWithoutDominoWhenItDoesNotAnswer(false); }},
        {"failures are told without Domino when it hangs",
         [] { failuresAreToldWithoutDominoWhenItDoesNotAnswer(true); }},
        {"a thread that cannot leave is left to itself", aThreadThatCannotLeaveIsLeftToItself},
        {"the deadline ends a hanging start", theDeadlineEndsAHangingStart},
        {"cancels anywhere", cancelsAnywhere},
        {"the lease closes what is forgotten", theLeaseClosesWhatIsForgotten},
        {"a renewed lease runs anew", aRenewedLeaseRunsAnew},
        {"calls out of order are refused", refusesCallsOutOfOrder},
        {"the end of the process aborts and waits", abortsAndWaitsAtTheEndOfTheProcess},
        {"the end of the process does not wait for what never returns",
         theEndOfTheProcessDoesNotWaitForWhatNeverReturns},
        {"a thread that cannot enter skips its databases", aThreadThatCannotEnterSkipsItsDatabases},
    });
}
