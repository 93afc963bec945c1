// Change information that is applied in shadows, which are directories here, by a Domino that only appends it.

#include "shadow/vss/writer/shadow_recovery.h"

#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <mutex>
#include <random>
#include <set>
#include <string_view>

#include "check.h"
#include "engine/deadline.h"

namespace {

using namespace domino_vss;
using namespace domino_vss::vss;
using std::chrono::milliseconds;

constexpr std::uint64_t kStartSize = 100;
constexpr std::uint32_t kRefused = 0x0113;

/// Two shadows with a live volume beside them.
class Fixture {
public:
    Fixture() {
        directory_ = std::filesystem::temp_directory_path() /
                     ("domino-vss-shadows-" + std::to_string(std::random_device{}()) + std::to_string(::getpid()));
        for (const char* name : {"one", "two/mail", "live", "links"})
            std::filesystem::create_directories(directory_ / name);
        options.shadows = {at("one"), at("two")};
        options.linkDirectory = at("links");
        options.threads = 2;
        options.databaseBudget = milliseconds(60'000);
        options.timeout = milliseconds(60'000);
        options.apply = [this](const std::string& file, const DatabaseInShadow& database) {
            const Inside inside(*this);
            if (hanging.contains(database.path)) released_.wait();
            const bool isDevice = file.starts_with(at("one")) || file.starts_with(at("two"));
            if (failing.contains(database.path) || (isDevice ? refusesDevices : refusesLinks)) {
                Failure failure(code::kDominoCall, Phase::restore, "refused", file);
                failure.domain = Domain::domino;
                failure.status = kRefused;
                throw failure;
            }
            std::ofstream(file, std::ios::app) << database.deltaFile;
        };
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
    ~Fixture() {
        release_.set_value();
        std::unique_lock lock(mutex_);
        left_.wait(lock, [this] { return inside_ == 0; });
        std::filesystem::remove_all(directory_);
    }

    /// A file that has grown since the start.
    void make(const std::string& name, std::size_t size = 150) const {
        std::ofstream(directory_ / name) << std::string(size, 'x');
    }
    [[nodiscard]] std::string at(const std::string& name) const { return (directory_ / name).string(); }
    [[nodiscard]] std::string contents(const std::string& name) const {
        std::ifstream file(directory_ / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    [[nodiscard]] bool isWhole(const std::string& name, const std::string& delta) const {
        return contents(name) == std::string(kStartSize, 'x') + delta;
    }
    [[nodiscard]] bool hasLinks() const { return !std::filesystem::is_empty(directory_ / "links"); }
    [[nodiscard]] static DatabaseInShadow database(std::size_t shadow, std::string path, std::string delta = "d") {
        return {shadow, std::move(path), std::move(delta), kStartSize, 1, {}};
    }
    [[nodiscard]] std::size_t applied() {
        const std::lock_guard lock(mutex_);
        return applied_;
    }
    [[nodiscard]] std::vector<std::optional<Failure>> recover(std::vector<DatabaseInShadow> databases) const {
        return recoverInShadows(options, std::move(databases));
    }

    ShadowRecoveryOptions options;
    std::set<std::string> failing;
    std::set<std::string> hanging;
    bool refusesDevices = false;
    bool refusesLinks = false;

private:
    /// A call that hangs still uses this object.
    class Inside {
    public:
        explicit Inside(Fixture& fixture) : fixture_(fixture) {
            const std::lock_guard lock(fixture_.mutex_);
            ++fixture_.applied_;
            ++fixture_.inside_;
        }
        Inside(const Inside&) = delete;
        Inside& operator=(const Inside&) = delete;
        ~Inside() {
            const std::lock_guard lock(fixture_.mutex_);
            --fixture_.inside_;
            fixture_.left_.notify_all();
        }

    private:
        Fixture& fixture_;
    };

    std::filesystem::path directory_;
    std::mutex mutex_;
    std::condition_variable left_;
    std::size_t applied_ = 0;  // guarded by mutex_
    int inside_ = 0;           // guarded by mutex_
    std::promise<void> release_;
    std::shared_future<void> released_ = release_.get_future().share();
};

void allAreCompleted() {
    Fixture fixture;
    std::vector<DatabaseInShadow> databases;
    for (int i = 0; i < 20; ++i) {
        const std::string path = (i % 2 == 0 ? "" : "mail/") + std::to_string(i) + ".nsf";
        fixture.make((i % 2 == 0 ? "one/" : "two/") + path);
        databases.push_back(Fixture::database(i % 2, path, i == 6 ? "" : "d" + std::to_string(i)));
    }
    for (const std::optional<Failure>& failure : fixture.recover(databases)) CHECK(!failure);
    for (int i = 0; i < 20; ++i)
        CHECK(fixture.isWhole((i % 2 == 0 ? "one/" : "two/mail/") + std::to_string(i) + ".nsf",
                              i == 6 ? "" : "d" + std::to_string(i)));
    CHECK(fixture.applied() == 19 && !fixture.hasLinks());
    CHECK(fixture.recover({}).empty());
}

/// Each of them alone; the others are whole.
void someFail() {
    Fixture fixture;
    for (const char* name : {"one/good.nsf", "one/failing.nsf", "live/live.nsf"}) fixture.make(name);
    fixture.make("one/short.nsf", kStartSize - 1);
    std::filesystem::create_symlink(fixture.at("live/live.nsf"), fixture.at("one/link.nsf"));
    std::filesystem::create_directory_symlink(fixture.at("live"), fixture.at("one/linked"));
    fixture.failing = {"failing.nsf"};
    fixture.options.shadows[1].clear();
    const auto failures = fixture.recover({
        Fixture::database(0, "good.nsf"),
        Fixture::database(0, "failing.nsf"),
        Fixture::database(0, "short.nsf"),
        Fixture::database(0, "link.nsf"),
        Fixture::database(0, "linked/live.nsf"),
        Fixture::database(0, "missing.nsf"),
        Fixture::database(1, "mail/other.nsf"),
    });
    CHECK(failures.size() == 7 && !failures[0]);
    CHECK(failures[1] && failures[1]->domain == Domain::domino && failures[1]->status == kRefused);
    for (std::size_t i = 2; i < 7; ++i) CHECK(failures[i] && std::string_view(failures[i]->code) == code::kShadow);
    CHECK(fixture.isWhole("one/good.nsf", "d"));
    // What is not in the shadow is not touched.
    CHECK(fixture.contents("live/live.nsf") == std::string(150, 'x'));
    CHECK(fixture.contents("one/short.nsf").size() == kStartSize - 1);
}

/// A Domino that does not take the path of a device gets another one, for as long as it is needed.
void aPathThatIsRefused() {
    Fixture fixture;
    fixture.refusesDevices = true;
    for (const char* name : {"one/a.nsf", "one/b.nsf", "two/mail/c.nsf"}) fixture.make(name);
    const std::vector<DatabaseInShadow> all = {Fixture::database(0, "a.nsf"), Fixture::database(0, "b.nsf"),
                                               Fixture::database(1, "mail/c.nsf")};
    for (const std::optional<Failure>& failure : fixture.recover(all)) CHECK(!failure);
    CHECK(fixture.isWhole("one/a.nsf", "d") && fixture.isWhole("one/b.nsf", "d"));
    CHECK(fixture.isWhole("two/mail/c.nsf", "d"));
    CHECK(!fixture.hasLinks());

    fixture.refusesLinks = true;
    for (const std::optional<Failure>& failure : fixture.recover(all)) CHECK(failure && failure->status == kRefused);
    CHECK(!fixture.hasLinks());

    // Where no link can be made, the first failure is told.
    fixture.options.linkDirectory = fixture.at("nowhere");
    for (const std::optional<Failure>& failure : fixture.recover(all))
        CHECK(failure && failure->subject.starts_with(fixture.at("")));
}

/// Two databases hang, as many as there are threads; the others are completed nevertheless.
void someHang() {
    Fixture fixture;
    fixture.options.databaseBudget = milliseconds(200);
    fixture.hanging = {"0.nsf", "1.nsf"};
    std::vector<DatabaseInShadow> databases;
    for (int i = 0; i < 6; ++i) {
        fixture.make("one/" + std::to_string(i) + ".nsf");
        databases.push_back(Fixture::database(0, std::to_string(i) + ".nsf"));
    }
    const auto failures = fixture.recover(databases);
    for (std::size_t i = 0; i < 6; ++i) {
        if (i < 2)
            CHECK(failures[i] && std::string_view(failures[i]->code) == code::kDatabaseBudget);
        else
            CHECK(!failures[i] && fixture.isWhole("one/" + std::to_string(i) + ".nsf", "d"));
    }
}

void allHang() {
    Fixture fixture;
    fixture.options.timeout = milliseconds(200);
    fixture.hanging = {"0.nsf", "1.nsf", "2.nsf"};
    std::vector<DatabaseInShadow> databases;
    for (const std::string& path : fixture.hanging) {
        fixture.make("one/" + path);
        databases.push_back(Fixture::database(0, path));
    }
    for (const std::optional<Failure>& failure : fixture.recover(databases))
        CHECK(failure && std::string_view(failure->code) == code::kDeadline);
    CHECK(fixture.applied() == 2);
}

void itIsStopped() {
    Fixture fixture;
    fixture.hanging = {"0.nsf"};
    fixture.options.threads = 1;
    fixture.make("one/0.nsf");
    fixture.make("one/1.nsf");
    std::stop_source stop;
    fixture.options.stop = stop.get_token();
    const auto apply = fixture.options.apply;
    fixture.options.apply = [&stop, apply](const std::string& file, const DatabaseInShadow& database) {
        stop.request_stop();
        apply(file, database);
    };
    const auto failures = fixture.recover({Fixture::database(0, "0.nsf"), Fixture::database(0, "1.nsf")});
    for (const std::optional<Failure>& failure : failures)
        CHECK(failure && std::string_view(failure->code) == code::kAborted);
    CHECK(fixture.contents("one/1.nsf").size() == 150);
}

}  // namespace

int main() {
    return check::run({
        {"all databases are completed", allAreCompleted},
        {"some fail", someFail},
        {"a path that is refused", aPathThatIsRefused},
        {"some hang", someHang},
        {"all hang", allHang},
        {"it is stopped", itIsStopped},
    });
}
