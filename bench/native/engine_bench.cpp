// engine-bench [name=value …]: freeze windows of the engine alone; one JSON line a run.
//
//   databases=10000 shards=16 start-us=0 stop-us=0 shadow-ms=0 runs=5   a Domino that does nothing, or waits
//   program=DIR ini=FILE                                                the databases of a Domino instead
//   heavy=N known=0|1       one database in N takes 100 times as long; known: an earlier backup has measured it
//   zipf=S order=activity|none   what is written to the databases: the nth of them, in random order, 1 / n^S as much as
//                           the first; and whether the engine knows it
//   flush=DIR               write the file system of DIR back before the window
//   way=engine|one-by-one   the engine, or what it is compared with
//   clones=pipelined|first into=DIR   clones into a new directory instead of a wait; as the reflink provider does, or
//   all
//                                     of them before the first database leaves backup mode

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "clones_first.h"
#include "domino/catalog.h"
#include "domino/domino_source.h"
#include "domino/runtime.h"
#include "engine/flush.h"
#include "engine/session.h"
#include "idle_domino.h"
#include "one_by_one.h"
#include "shadow/reflink_provider.h"
#include "shadow/session_volume.h"

namespace {

using namespace bench;
using namespace std::chrono_literals;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class Arguments {
public:
    Arguments(int count, char** texts) {
        for (int i = 1; i < count; ++i) {
            const std::string text = texts[i];
            const auto equals = text.find('=');
            const auto known = values_.find(text.substr(0, equals));
            if (equals == std::string::npos || known == values_.end()) throw std::invalid_argument("what is " + text);
            known->second = text.substr(equals + 1);
        }
    }

    [[nodiscard]] const std::string& text(const char* name) const { return values_.at(name); }
    [[nodiscard]] long number(const char* name) const { return std::stol(values_.at(name)); }

private:
    std::map<std::string, std::string> values_{
        {"databases", "10000"}, {"shards", "16"},  {"start-us", "0"}, {"stop-us", "0"},
        {"shadow-ms", "0"},     {"runs", "5"},     {"program", ""},   {"ini", ""},
        {"flush", ""},          {"way", "engine"}, {"heavy", "0"},    {"known", "0"},
        {"clones", ""},         {"into", ""},      {"zipf", "0"},     {"order", "none"}};
};

constexpr std::uint32_t kSeed = 20261123;

/// Waits in place of making a shadow.
class WaitProvider final : public ShadowProvider {
public:
    WaitProvider(milliseconds time, std::string flush) : time_(time), flush_(std::move(flush)) {}

    [[nodiscard]] CaptureScope scope() const noexcept override { return CaptureScope::set; }
    void prepare(std::span<const DatabaseSpec> /*databases*/, const Limits& limits) override {
        if (flush_.empty()) return;
        domino_vss::engine::flushVolumes({flush_}, limits);
    }
    void commit(const Limits& /*limits*/) override {
        if (time_.count() > 0) std::this_thread::sleep_for(time_);
    }
    void remove() override {}

private:
    milliseconds time_;
    std::string flush_;
};

std::unique_ptr<ShadowProvider> makeProvider(const Arguments& arguments) {
    const std::string& clones = arguments.text("clones");
    if (clones.empty())
        return std::make_unique<WaitProvider>(milliseconds(arguments.number("shadow-ms")), arguments.text("flush"));
    const std::vector<domino_vss::shadow::SessionVolume> volumes{{arguments.text("flush"), arguments.text("into")}};
    if (clones == "pipelined") return std::make_unique<domino_vss::shadow::ReflinkProvider>(volumes);
    return std::make_unique<ClonesFirst>(volumes, static_cast<std::size_t>(arguments.number("shards")));
}

/// An empty directory for deltas, gone at the end.
class WorkDirectory {
public:
    WorkDirectory()
        : path(std::filesystem::temp_directory_path() / ("domino-vss-bench-" + std::to_string(::getpid()))) {
        std::filesystem::create_directories(path);
    }
    WorkDirectory(const WorkDirectory&) = delete;
    WorkDirectory& operator=(const WorkDirectory&) = delete;
    ~WorkDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }

    const std::filesystem::path path;
};

/// Bytes that the process really occupies.
std::int64_t residentBytes() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t total = 0;
    std::int64_t resident = 0;
    statm >> total >> resident;
    return resident * ::sysconf(_SC_PAGESIZE);
}

void print(const Window& window, long databases, long threads, double preparedToFirstStartUs, double bytesPerDatabase) {
    const double idealMs = (window.startSumMs + window.stopSumMs) / static_cast<double>(threads) + window.shadowMs;
    const double ownUs = (window.windowMs - idealMs) * 1000 * static_cast<double>(threads);
    std::printf(
        "{\"databases\":%ld,\"shards\":%ld,\"windowMs\":%.3f,\"idealMs\":%.3f,\"windowRatio\":%.4f,"
        "\"skewRatio\":%.4f,\"shadowMs\":%.3f,\"windowUsPerDatabase\":%.4f,\"ownUsPerDatabase\":%.4f,"
        "\"databaseMs\":%.3f,\"writeMs\":%.3f,\"preparedToFirstStartUs\":%.1f,\"bytesPerDatabase\":%.0f}\n",
        databases, threads, window.windowMs, idealMs, window.windowMs / idealMs,
        window.skewMs / (window.startSumMs / static_cast<double>(threads)), window.shadowMs,
        (window.windowMs - window.shadowMs) * 1000 / static_cast<double>(databases),
        ownUs / static_cast<double>(databases), window.databaseMs, window.writeMs, preparedToFirstStartUs,
        bytesPerDatabase);
    std::fflush(stdout);
}

/// Waits for a step of a session and throws what it failed with.
class Settled {
public:
    Session::Completion completion() {
        return [this](const Failure* failure) {
            if (failure != nullptr)
                promise_.set_exception(std::make_exception_ptr(*failure));
            else
                promise_.set_value();
        };
    }
    void wait() { promise_.get_future().get(); }

private:
    std::promise<void> promise_;
};

/// How much is written to each database: a few get most of it, wherever they stand in the list.
std::vector<double> makeWrites(std::size_t databases, double exponent) {
    std::vector<double> writes(databases);
    for (std::size_t i = 0; i < databases; ++i) writes[i] = std::pow(static_cast<double>(i + 1), -exponent);
    std::mt19937 random(kSeed);
    std::ranges::shuffle(writes, random);
    return writes;
}

void runEngine(std::unique_ptr<DatabaseSource> source, const std::vector<DatabaseSpec>& specs,
               const std::vector<double>& writes, const Arguments& arguments, const std::filesystem::path& deltas) {
    SessionOptions options;
    options.shards = static_cast<std::uint16_t>(arguments.number("shards"));
    options.deltaDirectory = deltas;
    const std::int64_t before = residentBytes();
    Session session(options, std::move(source), makeProvider(arguments));
    for (const DatabaseSpec& spec : specs) session.add(spec);
    Settled opened;
    session.open(10min, opened.completion());
    opened.wait();
    const std::int64_t grown = residentBytes() - before;

    // Both at once, so that the engine goes from one to the other by itself.
    Settled prepared;
    Settled captured;
    session.prepare(10min, prepared.completion());
    session.capture(10min, captured.completion());
    prepared.wait();
    captured.wait();

    std::vector<Times> times;
    for (const DatabaseRecord& record : session.records())
        times.push_back({record.startCalledNs, record.startReturnedNs, record.stopCalledNs, record.stopReturnedNs,
                         writes[times.size()]});
    double shadowMs = 0;
    std::int64_t preparedNs = 0;
    for (const PhaseSpan& span : session.phases()) {
        if (span.phase == Phase::prepare) preparedNs = span.endNs;
        if (span.phase == Phase::shadow) shadowMs = static_cast<double>(span.endNs - span.beginNs) / 1e6;
    }
    if (!session.failures().empty()) throw std::runtime_error("databases were left out");
    const Window window = measure(times, shadowMs);
    const auto count = static_cast<long>(specs.size());
    print(window, count, std::min(count, arguments.number("shards")),
          static_cast<double>(window.firstStartNs - preparedNs) / 1e3,
          static_cast<double>(grown) / static_cast<double>(count));
}

void run(const Arguments& arguments) {
    const WorkDirectory directory;
    std::vector<DatabaseSpec> specs;
    const bool real = !arguments.text("program").empty();
    if (real) {
        const auto info = domino_vss::domino::runtime::open({arguments.text("program"), arguments.text("ini")});
        for (const auto& entry : domino_vss::domino::findDatabases(info.dataDirectory, {}).entries)
            specs.push_back({entry.path, entry.file, arguments.text("into") + "/" + entry.path, 0, 0});
    } else {
        std::mt19937 random(kSeed);
        const auto heavy = static_cast<std::uint32_t>(arguments.number("heavy"));
        const long costUs = arguments.number("start-us") + arguments.number("stop-us");
        for (long i = 0; i < arguments.number("databases"); ++i) {
            const std::string folder = heavy > 0 && random() % heavy == 0 ? "heavy/" : "mail/";
            const std::string name = folder + "user" + std::to_string(i) + ".nsf";
            const long known = arguments.number("known") * costUs * IdleDomino::costFactor(name);
            specs.push_back({name, "/srv/domino/data/" + name, "", static_cast<std::uint32_t>(known), 0});
        }
    }
    const std::vector<double> writes = makeWrites(specs.size(), std::stod(arguments.text("zipf")));
    if (arguments.text("order") == "activity")
        for (std::size_t i = 0; i < specs.size(); ++i) specs[i].activity = writes[i];
    const auto source = [&]() -> std::unique_ptr<DatabaseSource> {
        if (real) return std::make_unique<domino_vss::domino::DominoSource>(domino_vss::domino::runtime::api());
        return std::make_unique<IdleDomino>(microseconds(arguments.number("start-us")),
                                            microseconds(arguments.number("stop-us")));
    };
    for (long i = 0; i < arguments.number("runs"); ++i) {
        if (arguments.text("way") == "one-by-one") {
            const auto domino = source();
            OneByOne comparison(*domino, specs, directory.path);
            print(comparison.run(milliseconds(arguments.number("shadow-ms"))), static_cast<long>(specs.size()), 1, 0,
                  0);
        } else {
            runEngine(source(), specs, writes, arguments, directory.path);
        }
    }
    domino_vss::domino::runtime::terminate(10s);
}

}  // namespace

int main(int count, char** texts) {
    try {
        run(Arguments(count, texts));
        return EXIT_SUCCESS;
    } catch (const Failure& failure) {
        std::fprintf(stderr, "engine-bench: %s: %s\n", failure.code, failure.text.c_str());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "engine-bench: %s\n", error.what());
    }
    return EXIT_FAILURE;
}
