// The events of the VSS writer in every order that VSS may deliver them, against a Domino that only keeps the rules.

#include "shadow/vss/writer/writer_events.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <random>
#include <thread>

#include "check.h"
#include "fake_domino.h"
#include "shadow/vss/vss_codes.h"

namespace {

using namespace domino_vss;
using namespace domino_vss::vss;
using fake::Server;
using std::chrono::milliseconds;

const Guid kSet{.data1 = 1};
const Guid kOtherSet{.data1 = 2};
constexpr Guid kSession{3, 0, 0, {}};
constexpr Guid kOtherSession{4, 0, 0, {}};

/// Where the four databases of the second volume are.
enum class Second { tree, mountedBelowTheFirst };

OwnComponents componentsOf(Second second) {
    OwnComponents components{{"", "data", "", ComponentKind::databases, {{"/one/data", "*.nsf", true}}}};
    if (second == Second::tree)
        components.push_back({"", "more", "", ComponentKind::databases, {{"/two/more", "*.nsf", true}}});
    components.push_back({"", "log", "", ComponentKind::transactionLog, {{"/one/logs", "*.txn", false}}});
    return components;
}

/// One writer of databases on two volumes: six in its first tree, four on the second volume.
class Fixture {
public:
    explicit Fixture(milliseconds window = milliseconds(20'000), WriterEvents::Policy policy = {},
                     Second second = Second::tree)
        : window_(window),
          second_(second),
          events(componentsOf(second), policy, [this](const WriterNotice& notice) { listen(notice); }) {
        directory_ = std::filesystem::temp_directory_path() /
                     ("domino-vss-writer-" + std::to_string(std::random_device{}()) + std::to_string(::getpid()));
        std::filesystem::create_directories(directory_ / "data");
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture() {
        events.close();
        backup.reset();
        server.releaseHanging();
        server.waitUntilQuiet();
        std::filesystem::remove_all(directory_);
    }

    void arm(std::uint32_t maxSkipped = UINT32_MAX, bool required = false) {
        PreparedBackupOptions options;
        options.id = "20260101T000000Z-123abc";
        options.session.shards = 3;
        options.session.window = window_;
        options.session.databaseBudget = milliseconds(300);
        options.session.deltaDirectory = directory_ / "backup" / "deltas";
        options.lockedDirectory = (directory_ / "data").string();
        options.moves = {{directory_ / "armed", directory_ / "backup"}};
        options.volumes = {"/one", "/two"};
        options.maxSkipped = maxSkipped;
        options.prepareTimeout = prepareTimeout;
        options.apply = apply;
        std::filesystem::create_directories(directory_ / "armed" / "deltas");
        auto made = std::make_shared<PreparedBackup>(options, std::make_unique<fake::FakeSource>(server));
        for (std::size_t i = 0; i < 10; ++i) {
            const std::size_t volume = i < 6 ? 0 : 1;
            const std::string name = "db" + std::to_string(i) + ".nsf";
            made->add({name, (volume == 0 ? "/one/data/" : "/two/more/") + name, name}, volume,
                      second_ == Second::tree ? volume : 0, required);
        }
        backup = made;
        events.arm(std::move(made));
    }
    /// As after a backup that has been completed: JavaScript closes it and lets go of the directory.
    void close() {
        backup->session()->abortAndWait(milliseconds(5'000));
        backup->unlock();
        std::filesystem::remove_all(directory_ / "backup");
    }
    /// Shadows that can be changed: one directory with all databases, as large as they were at the start.
    [[nodiscard]] NewShadows shadows() const {
        std::filesystem::create_directories(directory_ / "shadow");
        for (int i = 0; i < 10; ++i)
            std::ofstream(directory_ / "shadow" / ("db" + std::to_string(i) + ".nsf")) << std::string(4096, 'x');
        return {true, [this](const std::string&) { return (directory_ / "shadow").string(); }};
    }
    [[nodiscard]] std::string dataDirectory() const { return (directory_ / "data").string(); }
    [[nodiscard]] bool begun() const { return std::filesystem::exists(directory_ / "backup" / "deltas"); }

    [[nodiscard]] static SnapshotSet set(std::string volume, Guid id = kSet) {
        return {id, kSession,
                [volume = std::move(volume)](const std::string& path) { return path.starts_with(volume); }};
    }
    void listen(const WriterNotice& notice) {
        const std::lock_guard lock(mutex_);
        moments_.push_back(notice.moment);
        if (notice.failure) failures_.push_back(notice.failure->code);
    }
    [[nodiscard]] std::vector<WriterMoment> moments() {
        const std::lock_guard lock(mutex_);
        return moments_;
    }
    [[nodiscard]] std::vector<std::string> failures() {
        const std::lock_guard lock(mutex_);
        return failures_;
    }
    [[nodiscard]] std::size_t files() const {
        std::size_t count = 0;
        for (const auto& entry : std::filesystem::directory_iterator(directory_ / "backup" / "deltas"))
            count += entry.is_regular_file() ? 1 : 0;
        return count;
    }

private:
    milliseconds window_;
    Second second_;
    std::filesystem::path directory_;
    std::mutex mutex_;
    std::vector<WriterMoment> moments_;
    std::vector<std::string> failures_;

public:
    milliseconds prepareTimeout{10'000};
    ApplyChanges apply;
    Server server;
    WriterEvents events;
    std::shared_ptr<PreparedBackup> backup;
};

using Moments = std::vector<WriterMoment>;

void aSnapshotPasses() {
    Fixture fixture;
    fixture.server.changeInfo["db1.nsf"] = {"changed", "twice"};
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.server.open == 0 && !fixture.begun());
    const Verdict held = fixture.events.prepareSnapshot(Fixture::set("/"));
    CHECK(held.proceed && held.result == 0);
    CHECK(fixture.server.inBackup == 10 && fixture.begun());
    CHECK(fixture.events.freeze().proceed);
    CHECK(fixture.server.inBackup == 10);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).proceed);
    CHECK(fixture.server.inBackup == 0);
    CHECK(fixture.files() == 1);
    CHECK((fixture.moments() ==
           Moments{WriterMoment::begun, WriterMoment::held, WriterMoment::thawed, WriterMoment::completed}));
    fixture.events.backupShutdown(kSet, kSession);
    CHECK(fixture.moments().size() == 4);
    fixture.close();
    // And the next one.
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/", kOtherSet)).proceed);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).proceed);
    fixture.close();
}

void onlyTheVolumesOfTheSet() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/two")).proceed);
    CHECK(fixture.server.inBackup == 4);
    CHECK((fixture.backup->included() == std::vector<std::uint32_t>{6, 7, 8, 9}));
    fixture.events.abort();
}

void aSetWithoutOurs() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/elsewhere")).proceed);
    CHECK(fixture.events.freeze().proceed);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).proceed);
    CHECK(fixture.server.trace().empty() && !fixture.begun());
    CHECK((fixture.moments() == Moments{WriterMoment::uninvolved}));
    // The backup is still there for the next one.
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.server.inBackup == 10);
}

void onlySelectedComponents() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({true, {{"", "data"}}}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.server.inBackup == 6);
    fixture.events.abort();
    fixture.close();
    fixture.arm();
    CHECK(fixture.events.prepareBackup({true, {}}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.server.inBackup == 0);
    CHECK(fixture.moments().back() == WriterMoment::uninvolved);
}

/// Nobody names it: the databases of a tree may lie on other volumes than the tree itself.
void aVolumeMountedBelowATree() {
    Fixture fixture(milliseconds(20'000), {}, Second::mountedBelowTheFirst);
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/two")).proceed);
    CHECK(fixture.server.inBackup == 4);
    CHECK((fixture.backup->included() == std::vector<std::uint32_t>{6, 7, 8, 9}));
    fixture.events.abort();
    fixture.close();
    // What was known of them counts also while the next backup is being prepared.
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(!fixture.events.prepareSnapshot(Fixture::set("/two")).proceed);
    CHECK(fixture.moments().back() == WriterMoment::refused);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/elsewhere")).proceed);
    // Of the tree, half lies on no volume of the set.
    fixture.arm();
    CHECK(fixture.events.prepareBackup({true, {{"", "data"}}}).proceed);
    const Verdict verdict = fixture.events.prepareSnapshot(Fixture::set("/one"));
    CHECK(verdict.proceed && verdict.result == result::kWriterPartialFailure);
    CHECK((fixture.backup->outside() == std::vector<std::uint32_t>{6, 7, 8, 9}));
}

void aChosenComponentWithoutItsVolume() {
    struct {
        std::vector<std::pair<std::string, std::string>> chosen;
        std::uint32_t maxSkipped;
        bool required;
        bool veto;
        const char* code;
    } const cases[] = {
        {{{"", "data"}, {"", "more"}}, UINT32_MAX, false, true, ""},
        {{{"", "data"}, {"", "more"}}, 4, false, true, ""},
        {{{"", "data"}, {"", "more"}}, 3, false, true, code::kTooManySkipped},
        {{{"", "data"}, {"", "more"}}, UINT32_MAX, true, true, code::kRequiredDatabase},
        {{{"", "more"}}, UINT32_MAX, false, true, code::kWriterSnapshot},
        {{{"", "more"}}, UINT32_MAX, false, false, code::kWriterSnapshot},
    };
    for (const auto& [chosen, maxSkipped, required, veto, code] : cases) {
        Fixture fixture(milliseconds(20'000), {.veto = veto});
        fixture.arm(maxSkipped, required);
        CHECK(fixture.events.prepareBackup({true, chosen}).proceed);
        const Verdict verdict = fixture.events.prepareSnapshot(Fixture::set("/one"));
        if (*code != '\0') {
            CHECK(verdict.proceed == !veto && verdict.result == result::kWriterInconsistentSnapshot);
            CHECK(verdict.text.find("volumes") != std::string::npos);
            CHECK(fixture.failures() == std::vector<std::string>{code} && fixture.server.inBackup == 0);
            continue;
        }
        CHECK(verdict.proceed && verdict.result == result::kWriterPartialFailure);
        CHECK(verdict.text == "4 databases lie on volumes that are not in the snapshot, one of them is db6.nsf");
        CHECK(fixture.server.inBackup == 6);
        CHECK(fixture.events.thaw().proceed);
        CHECK(fixture.events.postSnapshot({}).result == result::kWriterPartialFailure);
        CHECK((fixture.backup->outside() == std::vector<std::uint32_t>{6, 7, 8, 9}));
        const std::vector<ComponentFailure> failed = fixture.events.failedComponents();
        CHECK(failed.size() == 1 && failed[0].component == 1);
        CHECK(failed[0].result == result::kWriterInconsistentSnapshot && failed[0].text == verdict.text);
        CHECK(fixture.events.prepareBackup({}).proceed);
        CHECK(fixture.events.failedComponents().empty());
    }
}

/// One component is not whole, and the requester can keep the other one.
void aComponentThatIsNotWhole() {
    Fixture fixture;
    for (const char* name : {"db6.nsf", "db7.nsf"}) fixture.server.faults[{"start", name}].fail = true;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({true, {{"", "data"}, {"", "more"}}}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).result == result::kWriterPartialFailure);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).result == result::kWriterPartialFailure);
    const std::vector<ComponentFailure> failed = fixture.events.failedComponents();
    CHECK(failed.size() == 1 && failed[0].component == 1);
    CHECK(failed[0].result == result::kWriterNonRetryable && failed[0].applicationResult == 0x0EA4);
    CHECK(failed[0].text == "2 databases could not be put into backup mode, one of them is db6.nsf (STATUS 0x0EA4)");
}

/// Databases without change information are complete as they are; of the others one cannot be completed.
void theShadowCanBeChanged() {
    Fixture fixture;
    for (const char* name : {"db1.nsf", "db7.nsf", "db8.nsf"}) fixture.server.changeInfo[name] = {"changed"};
    fixture.server.faults[{"start", "db2.nsf"}].fail = true;
    std::mutex mutex;
    std::vector<std::string> applied;
    fixture.apply = [&](const std::string& file, const DatabaseInShadow& database) {
        CHECK(std::filesystem::file_size(database.deltaFile) == 7 && database.announcedBytes == 7);
        if (database.path == "db7.nsf") {
            Failure failure(code::kDominoCall, Phase::restore, "refused", file);
            failure.domain = Domain::domino;
            failure.status = 0x0EA4;
            throw failure;
        }
        const std::lock_guard lock(mutex);
        applied.push_back(database.path);
    };
    fixture.arm();
    CHECK(fixture.events.prepareBackup({true, {{"", "data"}, {"", "more"}}}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.events.thaw().proceed);
    const Verdict verdict = fixture.events.postSnapshot(fixture.shadows());
    CHECK(verdict.proceed && verdict.result == result::kWriterPartialFailure);
    CHECK(fixture.moments().back() == WriterMoment::completed);
    std::ranges::sort(applied);
    CHECK((applied == std::vector<std::string>{"db1.nsf", "db8.nsf"}));
    const auto& inShadows = fixture.backup->inShadows();
    CHECK(inShadows.size() == 9 && !inShadows.contains(2));
    for (const auto& [record, failure] : inShadows) CHECK(failure.has_value() == (record == 7));
    const std::vector<ComponentFailure> failed = fixture.events.failedComponents();
    CHECK(failed.size() == 2 && failed[1].component == 1 && failed[1].applicationResult == 0x0EA4);
    CHECK(failed[1].text ==
          "1 database could not be completed in the snapshot and needs its delta file: db7.nsf "
          "(STATUS 0x0EA4)");
}

/// The requester ends while a database is being completed: then there is no backup, and nobody waits.
void theRequesterEndsInPostSnapshot() {
    Fixture fixture;
    fixture.server.changeInfo["db1.nsf"] = {"changed"};
    std::promise<void> entered;
    std::promise<void> release;
    std::promise<void> left;
    fixture.apply = [&, released = release.get_future().share()](const std::string&, const DatabaseInShadow&) {
        entered.set_value();
        released.wait();
        left.set_value();
    };
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.events.thaw().proceed);
    auto answer = std::async(std::launch::async, [&] { return fixture.events.postSnapshot(fixture.shadows()); });
    entered.get_future().wait();
    fixture.events.backupShutdown(kSet, kSession);
    CHECK(!answer.get().proceed);
    CHECK(fixture.moments().back() == WriterMoment::failed);
    CHECK(fixture.events.completedBackup().empty());
    release.set_value();
    left.get_future().wait();
    fixture.close();
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
}

/// The requester has died, or gives up, after each of the events.
void theSnapshotEndsInBetween() {
    for (const bool byAbort : {true, false}) {
        for (int after = 0; after < 4; ++after) {
            Fixture fixture;
            fixture.arm();
            if (after >= 0) CHECK(fixture.events.prepareBackup({}).proceed);
            if (after >= 1) CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
            if (after >= 2) CHECK(fixture.events.freeze().proceed);
            if (after >= 3) CHECK(fixture.events.thaw().proceed);
            if (byAbort)
                fixture.events.abort();
            else
                fixture.events.backupShutdown(after == 2 ? Guid{} : kSet, after == 1 ? Guid{} : kSession);
            CHECK(fixture.server.inBackup == 0);
            CHECK(fixture.failures().size() == (after >= 1 ? 1U : 0U));
            if (after >= 1) {
                CHECK(fixture.moments().back() == WriterMoment::failed);
                CHECK(fixture.failures()[0] == code::kWriterSnapshot);
                fixture.close();
            }
            fixture.arm();
            CHECK(fixture.events.prepareBackup({}).proceed);
            CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
            CHECK(fixture.server.inBackup == 10);
        }
    }
}

void theEndOfAnotherSessionIsNotOurs() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    fixture.events.backupShutdown(kOtherSet, kSession);
    CHECK(fixture.server.inBackup == 10);
    // Of a requester that has made no set, such as one that lists the writers.
    fixture.events.backupShutdown(Guid{}, kOtherSession);
    CHECK(fixture.server.inBackup == 10);
    CHECK(fixture.events.freeze().proceed);
}

void aSecondRequester() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    const Verdict second = fixture.events.prepareBackup({});
    CHECK(!second.proceed && second.result == result::kWriterRetryable);
    CHECK(!fixture.events.prepareSnapshot(Fixture::set("/", kOtherSet)).proceed);
    CHECK(fixture.server.inBackup == 10);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).proceed);
    CHECK(fixture.moments().back() == WriterMoment::completed);
}

void aRequesterThatIsGoneWithoutAWord() {
    // After the thaw it never asked for more; before the thaw the time of the window was over.
    for (const bool thawed : {true, false}) {
        Fixture fixture(milliseconds(300));
        fixture.arm();
        CHECK(fixture.events.prepareBackup({}).proceed);
        CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
        if (thawed) CHECK(fixture.events.thaw().proceed);
        for (int i = 0; i < 500 && fixture.backup->isUnderWay(); ++i) std::this_thread::sleep_for(milliseconds(10));
        CHECK(fixture.server.inBackup == 0);
        CHECK(fixture.events.prepareBackup({}).proceed);
        CHECK(fixture.moments().back() == WriterMoment::failed);
        fixture.close();
        fixture.arm();
        CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
        CHECK(fixture.server.inBackup == 10);
    }
}

void aBackupThatIsReplaced() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.arm(fixture.backup));
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(!fixture.events.arm(nullptr));
}

void notReady() {
    Fixture fixture;
    CHECK(fixture.events.prepareBackup({}).proceed);
    const Verdict refused = fixture.events.prepareSnapshot(Fixture::set("/one"));
    CHECK(!refused.proceed && refused.result == result::kWriterRetryable);
    CHECK((fixture.moments() == Moments{WriterMoment::refused}));
    // Whom it does not concern it does not hold up.
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/elsewhere")).proceed);
}

void databasesThatCannotTakePart() {
    struct {
        std::size_t failing;
        std::uint32_t maxSkipped;
        bool required;
        bool proceed;
        const char* code;
    } const cases[] = {
        {2, UINT32_MAX, false, true, ""},
        {2, 1, false, false, code::kTooManySkipped},
        {2, UINT32_MAX, true, false, code::kRequiredDatabase},
        {10, UINT32_MAX, false, false, code::kNoDatabases},
    };
    for (const auto& [failing, maxSkipped, required, proceed, code] : cases) {
        Fixture fixture;
        for (std::size_t i = 0; i < failing; ++i)
            fixture.server.faults[{"start", "db" + std::to_string(i) + ".nsf"}].fail = true;
        fixture.arm(maxSkipped, required);
        CHECK(fixture.events.prepareBackup({}).proceed);
        const Verdict verdict = fixture.events.prepareSnapshot(Fixture::set("/"));
        CHECK(verdict.proceed == proceed);
        CHECK(verdict.result == (proceed ? result::kWriterPartialFailure : result::kWriterNonRetryable));
        CHECK(verdict.text.find("STATUS 0x0EA4") != std::string::npos);
        CHECK(fixture.server.inBackup == (proceed ? 8 : 0));
        if (!proceed) CHECK(fixture.failures() == std::vector<std::string>{code});
        // After a veto VSS says that all is over.
        if (!proceed) fixture.events.abort();
        CHECK(fixture.failures().size() == (proceed ? 0U : 1U));
    }
}

void theDatabasesLeaveBackupModeByThemselves() {
    Fixture fixture(milliseconds(200));
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    for (int i = 0; i < 200 && fixture.server.inBackup != 0; ++i) std::this_thread::sleep_for(milliseconds(10));
    CHECK(fixture.server.inBackup == 0);
    // The last database is out a moment before the writer knows of it.
    Verdict late = fixture.events.freeze();
    for (int i = 0; i < 200 && late.proceed; ++i) {
        std::this_thread::sleep_for(milliseconds(10));
        late = fixture.events.freeze();
    }
    CHECK(!late.proceed && late.result == result::kWriterNonRetryable);
    CHECK(fixture.failures() == std::vector<std::string>{code::kWriterSnapshot});
    // Nothing that comes now makes a backup of it.
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).proceed);
    CHECK(fixture.moments().back() == WriterMoment::failed);
}

void aServerThatHangsAtTheStart() {
    Fixture fixture;
    fixture.prepareTimeout = milliseconds(600);
    for (int i = 0; i < 10; ++i) fixture.server.faults[{"open", "db" + std::to_string(i) + ".nsf"}].hang = true;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    const Verdict verdict = fixture.events.prepareSnapshot(Fixture::set("/"));
    CHECK(!verdict.proceed && verdict.result != 0);
    CHECK(fixture.moments().back() == WriterMoment::failed);
    fixture.server.releaseHanging();
}

void theDataDirectoryIsLocked() {
    Fixture fixture;
    fixture.arm();
    std::optional<DirectoryLock> other = DirectoryLock::tryTake(fixture.dataDirectory());
    CHECK(other.has_value());
    CHECK(fixture.events.prepareBackup({}).proceed);
    const Verdict verdict = fixture.events.prepareSnapshot(Fixture::set("/"));
    CHECK(!verdict.proceed && verdict.result == result::kWriterRetryable);
    CHECK(!fixture.begun() && fixture.server.trace().empty());
    CHECK(fixture.failures() == std::vector<std::string>{code::kLocked});
    other.reset();
    fixture.arm();
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(!DirectoryLock::tryTake(fixture.dataDirectory()).has_value());
}

void withoutVetoOthersGoOn() {
    Fixture fixture(milliseconds(20'000), {.veto = false});
    for (int i = 0; i < 10; ++i) fixture.server.faults[{"start", "db" + std::to_string(i) + ".nsf"}].fail = true;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    const Verdict verdict = fixture.events.prepareSnapshot(Fixture::set("/"));
    CHECK(verdict.proceed && verdict.result == result::kWriterNonRetryable);
    CHECK(fixture.events.freeze().proceed);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).proceed);
    CHECK(fixture.moments().back() == WriterMoment::failed);
}

void theWriterEndsWhileItHolds() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    fixture.events.close();
    CHECK(fixture.server.inBackup == 0);
    CHECK(fixture.moments().back() == WriterMoment::failed);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.postSnapshot({}).proceed);
    CHECK(fixture.moments().back() == WriterMoment::failed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.server.inBackup == 0);
}

void metadataInTheMiddleOfASession() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    static_cast<void>(fixture.events.identify());
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    static_cast<void>(fixture.events.identify());
    CHECK(fixture.server.inBackup == 10);
    CHECK(fixture.events.freeze().proceed);
}

void aFaultAtEveryCall() {
    for (const char* operation : {"enterThread", "open", "logInfo", "start", "stop", "changeInfoSize", "nextChangeInfo",
                                  "end", "logInfoAfter"}) {
        for (const bool outOfMemory : {false, true}) {
            Fixture fixture;
            const std::string path = std::string_view(operation) == "enterThread" ? "" : "db3.nsf";
            auto& fault = fixture.server.faults[{operation, path}];
            (outOfMemory ? fault.outOfMemory : fault.fail) = true;
            fixture.arm();
            CHECK(fixture.events.prepareBackup({}).proceed);
            const bool began = fixture.events.prepareSnapshot(Fixture::set("/")).proceed;
            if (began) {
                static_cast<void>(fixture.events.freeze());
                static_cast<void>(fixture.events.thaw());
                static_cast<void>(fixture.events.postSnapshot({}));
            } else {
                fixture.events.abort();
            }
            fixture.events.backupShutdown(kSet, kSession);
            CHECK(fixture.server.inBackup == 0);
            const WriterMoment last = fixture.moments().back();
            CHECK(last == WriterMoment::failed || last == WriterMoment::completed);
        }
    }
}

/// Keeps what it was asked.
struct NotedRestore final : RestoreWork {
    explicit NotedRestore(std::vector<std::string>& noted) : noted_(noted) {}
    RestoreVerdict preRestore(const RequestedRestore& restore) override {
        for (const RestoreComponent& component : restore.components) noted_.push_back("pre " + component.name);
        return {};
    }
    RestoreVerdict postRestore(const RequestedRestore& /*restore*/) override {
        noted_.emplace_back("post");
        Failure failure(code::kFileSystem, Phase::restore, "in use", "names.nsf");
        failure.domain = Domain::domino;
        failure.status = 0x13EA;
        throw failure;
    }
    void shutdown(const Guid& session) noexcept override {
        noted_.emplace_back(session == kSession ? "shutdown" : "another shutdown");
    }
    void close() noexcept override { noted_.emplace_back("close"); }

private:
    std::vector<std::string>& noted_;
};

void aRequesterRestores() {
    const auto requested = [](bool isElsewhere, FilesRestored status) {
        return RequestedRestore{{}, {{"data", "", isElsewhere, status}}};
    };
    std::vector<std::string> noted;
    {
        WriterEvents events({}, {}, {}, std::make_unique<NotedRestore>(noted));
        CHECK(events.takesPartInRestores());
        CHECK(events.preRestore({}).all.proceed && noted.empty());
        const RestoreVerdict elsewhere = events.preRestore(requested(true, FilesRestored::all));
        CHECK(!elsewhere.all.proceed && elsewhere.all.result == result::kWriterNonRetryable && noted.empty());
        CHECK(elsewhere.all.text.find("domino-vss restore") != std::string::npos);
        CHECK(events.preRestore(requested(false, FilesRestored::all)).all.proceed);
        const RestoreVerdict failed = events.postRestore(requested(false, FilesRestored::all));
        CHECK(!failed.all.proceed && failed.all.applicationResult == 0x13EA && failed.all.text == "names.nsf: in use");
        events.backupShutdown(Guid{}, kSession);
    }
    CHECK((noted == std::vector<std::string>{"pre data", "post", "shutdown", "close"}));
    WriterEvents without({}, {}, {});
    CHECK(!without.takesPartInRestores());
    CHECK(!without.preRestore(requested(false, FilesRestored::all)).all.proceed);
    // Whoever has replaced files all the same hears that they are not restored.
    for (const FilesRestored status : {FilesRestored::all, FilesRestored::failed})
        CHECK(!without.postRestore(requested(false, status)).all.proceed);
    CHECK(without.postRestore(requested(false, FilesRestored::none)).all.proceed);
}

void theLogIsNotRestoredAndAttachmentsNeedNobody() {
    const auto requested = [](const std::vector<std::string>& names) {
        RequestedRestore restore;
        for (const std::string& name : names) restore.components.push_back({name, "", false, FilesRestored::all});
        return restore;
    };
    std::vector<std::string> noted;
    WriterEvents events({{"", "data", "", ComponentKind::databases, {}},
                         {"", "log", "", ComponentKind::transactionLog, {}},
                         {"", "daos", "", ComponentKind::attachments, {}}},
                        {}, {}, std::make_unique<NotedRestore>(noted));
    const RestoreVerdict log = events.preRestore(requested({"data", "log"}));
    CHECK(!log.all.proceed && log.all.text.find("log") != std::string::npos && noted.empty());
    CHECK(events.preRestore(requested({"daos"})).all.proceed && noted.empty());
    CHECK(events.postRestore(requested({"daos"})).all.proceed && noted.empty());
    CHECK(events.preRestore(requested({"data", "daos"})).all.proceed);
    CHECK((noted == std::vector<std::string>{"pre data", "pre daos"}));
    // Without a part in restores attachments come back all the same: nobody has them open.
    WriterEvents without({{"", "daos", "", ComponentKind::attachments, {}}}, {}, {});
    CHECK(!without.preRestore(requested({"daos"})).all.proceed);
    CHECK(without.postRestore(requested({"daos"})).all.proceed);
}

void theLogAloneIsNoBackupOfDatabases() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({true, {{"", "log"}}}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.moments().back() == WriterMoment::uninvolved);
    fixture.close();
}

/// VSS resolves the paths of a set, which may hang: JavaScript must be able to use the writer meanwhile.
void aSlowQueryOfVssBlocksNobody() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    std::promise<void> returned;
    std::future<void> armed = returned.get_future();
    std::jthread javascript;
    SnapshotSet set = Fixture::set("/");
    set.contains = [&](const std::string& /*path*/) {
        if (javascript.joinable()) return true;
        javascript = std::jthread([&] {
            fixture.events.arm(fixture.backup);
            returned.set_value();
        });
        CHECK(armed.wait_for(std::chrono::seconds(5)) == std::future_status::ready);
        return true;
    };
    CHECK(fixture.events.prepareSnapshot(set).proceed);
    CHECK(fixture.server.inBackup == 10);
    fixture.events.abort();
    fixture.close();
}

void aCompletedBackupIsNamed() {
    Fixture fixture;
    fixture.arm();
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.prepareSnapshot(Fixture::set("/")).proceed);
    CHECK(fixture.events.thaw().proceed);
    CHECK(fixture.events.completedBackup().empty());
    CHECK(fixture.events.postSnapshot({}).proceed);
    CHECK(fixture.events.completedBackup() == fixture.backup->id());
    CHECK(fixture.events.prepareBackup({}).proceed);
    CHECK(fixture.events.completedBackup().empty());
    fixture.close();
}

}  // namespace

int main() {
    return check::run({
        {"a snapshot passes, and another", aSnapshotPasses},
        {"only databases on the volumes of the set take part", onlyTheVolumesOfTheSet},
        {"a set without any of the databases", aSetWithoutOurs},
        {"only databases of selected components take part", onlySelectedComponents},
        {"a volume that is mounted below a tree", aVolumeMountedBelowATree},
        {"a chosen component without its volume", aChosenComponentWithoutItsVolume},
        {"a component that is not whole", aComponentThatIsNotWhole},
        {"the shadow can be changed", theShadowCanBeChanged},
        {"the requester ends in PostSnapshot", theRequesterEndsInPostSnapshot},
        {"the snapshot ends after each event, by abort and by shutdown", theSnapshotEndsInBetween},
        {"the end of another session is not ours", theEndOfAnotherSessionIsNotOurs},
        {"a second requester at once", aSecondRequester},
        {"a requester that is gone without a word", aRequesterThatIsGoneWithoutAWord},
        {"a backup that is replaced, and one that has begun", aBackupThatIsReplaced},
        {"not ready", notReady},
        {"databases that cannot take part", databasesThatCannotTakePart},
        {"the log is not restored, and attachments need nobody", theLogIsNotRestoredAndAttachmentsNeedNobody},
        {"the log alone is no backup of databases", theLogAloneIsNoBackupOfDatabases},
        {"the databases leave backup mode by themselves", theDatabasesLeaveBackupModeByThemselves},
        {"a server that hangs at the start", aServerThatHangsAtTheStart},
        {"the data directory is locked", theDataDirectoryIsLocked},
        {"without veto others go on", withoutVetoOthersGoOn},
        {"the writer ends while it holds", theWriterEndsWhileItHolds},
        {"metadata in the middle of a session", metadataInTheMiddleOfASession},
        {"a requester restores", aRequesterRestores},
        {"a slow query of VSS blocks nobody", aSlowQueryOfVssBlocksNobody},
        {"a completed backup is named", aCompletedBackupIsNamed},
        {"a fault at every call", aFaultAtEveryCall},
    });
}
