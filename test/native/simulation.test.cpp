// The engine over a Domino and a provider of nothing but rules, in sessions that a seed makes up: numbers of databases
// and threads, scopes, limits, calls that fail, hang or run out of memory, interrupts, callers that vanish.
// SIMULATION_SEEDS says how many, SIMULATION_FIRST where they begin; the seed of a violation is the last one printed.

#include "engine/session.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "check.h"
#include "fake_domino.h"

namespace {

using namespace domino_vss;
using namespace domino_vss::engine;
using std::chrono::milliseconds;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Random {
public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}

    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(engine_); }
    bool once(std::size_t in) { return below(in) == 0; }
    template <typename Choices>
    auto oneOf(const Choices& choices) {
        return choices[below(std::size(choices))];
    }

private:
    std::mt19937_64 engine_;
};

constexpr std::array kOfDatabases{"open", "logInfo",      "logInfoAgain",   "start",          "capture",
                                  "stop", "logInfoAfter", "changeInfoSize", "nextChangeInfo", "end"};
constexpr std::array kOfProvider{"begin",       "prepare",  "commit", "finish", "afterWindow",
                                 "makeDurable", "complete", "keep",   "remove"};

std::string name(std::size_t index) {
    return "db" + std::to_string(index) + ".nsf";
}

class SimulatedSession {
public:
    explicit SimulatedSession(std::uint64_t seed)
        : random_(seed),
          scope_(random_.oneOf(std::array{CaptureScope::set, CaptureScope::file, CaptureScope::rolling})),
          databases_(random_.below(12) + 1) {
        directory_ = std::filesystem::temp_directory_path() /
                     ("domino-vss-simulation-" + std::to_string(::getpid()) + "-" + std::to_string(seed));
        std::filesystem::create_directories(directory_);
        makeUpFaults();
        SessionOptions options;
        options.shards = static_cast<std::uint16_t>(random_.below(4) + 1);
        options.databaseBudget = milliseconds(random_.below(40) + 20);
        options.window = milliseconds(random_.once(4) ? 30 : 5'000);
        options.lease = milliseconds(random_.once(8) ? 10 : 60'000);
        options.deltaDirectory = directory_;
        session_.emplace(options, std::make_unique<fake::FakeSource>(server),
                         std::make_unique<fake::FakeProvider>(server, scope_));
        for (std::size_t i = 0; i < databases_; ++i)
            session_->add({name(i), "/data/" + name(i), "", 0, static_cast<double>(random_.below(3))});
    }
    SimulatedSession(const SimulatedSession&) = delete;
    SimulatedSession& operator=(const SimulatedSession&) = delete;
    ~SimulatedSession() { std::filesystem::remove_all(directory_); }

    /// What is wrong; empty when all is well. `patience`: in hundredths of a second, for calls that were let go.
    std::string run(int patience = 1'000) {
        std::thread canceller;
        if (random_.once(3))
            canceller = std::thread([this, pause = milliseconds(random_.below(40))] {
                std::this_thread::sleep_for(pause);
                session_->cancel();
            });
        std::string wrong = runSteps();
        if (canceller.joinable()) canceller.join();
        session_.reset();
        server.releaseHanging();
        if (wrong.empty() && !comesToRest(patience))
            wrong = "open " + std::to_string(server.open) + ", in backup mode " + std::to_string(server.inBackup) +
                    ", threads " + std::to_string(server.threads);
        return wrong;
    }

    fake::Server server;

private:
    void makeUpFaults() {
        const auto fault = [this](bool hangs) -> fake::Fault {
            switch (random_.below(hangs ? 3 : 2)) {
                case 0: return {true, false, false};
                case 1: return {false, false, true};
                default: return {false, true, false};
            }
        };
        // One session in three goes well as far as Domino is concerned.
        if (!random_.once(3)) {
            for (std::size_t count = random_.below(3); count > 0; --count)
                server.faults[{random_.oneOf(kOfDatabases), name(random_.below(databases_))}] = fault(true);
            if (random_.once(6)) server.faults[{"abort", name(random_.below(databases_))}] = {false, true, false};
            if (random_.once(6))
                server.faults[{"enterThread", "#" + std::to_string(random_.below(4) + 1)}] = fault(true);
            if (random_.once(3)) server.faults[{random_.oneOf(kOfProvider), ""}] = {random_.once(2), random_.once(3)};
        }
        server.takenEarly = random_.once(2);
        for (std::size_t i = 0; i < databases_; ++i) {
            if (random_.once(2)) server.changeInfo[name(i)] = {std::string(random_.below(2'000) + 1, 'x')};
            if (random_.once(20)) server.replaced.push_back(name(i));
        }
    }

    using Step = void (Session::*)(milliseconds, Session::Completion);
    template <typename Start>
    static std::optional<Failure> await(Start start) {
        std::promise<std::optional<Failure>> answer;
        start([&](const Failure* failure) {
            answer.set_value(failure != nullptr ? std::optional<Failure>(*failure) : std::nullopt);
        });
        return answer.get_future().get();
    }

    std::string runSteps() {
        for (const Step step : {&Session::open, &Session::prepare, &Session::capture}) {
            const milliseconds timeout(random_.once(8) ? 15 : 5'000);
            const auto failure =
                await([&](Session::Completion done) { ((*session_).*step)(timeout, std::move(done)); });
            if (failure) return judgeFailure(*failure);
            if (random_.once(20)) std::this_thread::sleep_for(milliseconds(20));  // some leases end meanwhile
            if (random_.once(20)) return {};                                      // the caller vanishes
        }
        if (std::string wrong = judgeCapture(); !wrong.empty()) return wrong;
        const bool keep = random_.once(2);
        const Session::Closing closing{keep, random_.once(2)};
        const auto failure =
            await([&](Session::Completion done) { session_->close(closing, milliseconds(5'000), std::move(done)); });
        if (failure) return failure->code == nullptr ? "a failure without a code" : "";
        if (!keep && count("remove ") == 0) return "the shadow was not removed";
        if (keep && count("remove ") > 0) return "a shadow that was to be kept was removed";
        return {};
    }

    std::string judgeFailure(const Failure& failure) {
        if (failure.code == nullptr || std::string_view(failure.code).empty()) return "a failure without a code";
        if (server.inBackup == 0) return {};
        const bool told =
            std::ranges::any_of(session_->records(), [](const DatabaseRecord& one) { return one.stuck(); });
        return told ? "" : std::string("databases are in backup mode, and nobody says so: ") + failure.code;
    }

    std::string judgeCapture() {
        const auto failures = session_->failures();
        const auto& records = session_->records();
        for (std::size_t i = 0; i < records.size(); ++i) {
            const State state = records[i].state;
            const bool named = std::ranges::any_of(failures, [i](const auto& failed) { return failed.index == i; });
            if (state != State::captured && state != State::skipped)
                return name(i) + " is neither captured nor left out";
            if ((state == State::skipped) != named)
                return name(i) + " is left out without a reason, or has one and is not";
            if (state == State::captured && scope_ == CaptureScope::set && !isInOrder(i))
                return name(i) + " was captured outside of its backup mode";
            if (state == State::captured && records[i].deltaBytes != expectedDelta(i))
                return name(i) + " has other change information than Domino gave";
        }
        return {};
    }

    /// Started before the commit, stopped after it: what else the shadow has of it is torn.
    bool isInOrder(std::size_t index) {
        const auto trace = server.trace();
        const auto at = [&](const std::string& event) { return std::ranges::find(trace, event) - trace.begin(); };
        const auto commit = at("commit ");
        return at("started " + name(index)) < commit && at("stop " + name(index)) > commit;
    }

    [[nodiscard]] std::uint64_t expectedDelta(std::size_t index) const {
        const auto found = server.changeInfo.find(name(index));
        return found == server.changeInfo.end() ? 0 : found->second.front().size();
    }

    [[nodiscard]] std::size_t count(const std::string& event) {
        const auto trace = server.trace();
        return static_cast<std::size_t>(std::ranges::count(trace, event));
    }

    bool comesToRest(int tries) {
        for (int i = 0; i < tries; ++i) {
            if (server.open == 0 && server.inBackup == 0 && server.threads == 0) return true;
            std::this_thread::sleep_for(milliseconds(10));
        }
        return false;
    }

    Random random_;
    const CaptureScope scope_;
    const std::size_t databases_;
    std::filesystem::path directory_;
    std::optional<Session> session_;
};

void sessionsEndWell() {
    const std::uint64_t first = setting("SIMULATION_FIRST", 1);
    const std::uint64_t seeds = setting("SIMULATION_SEEDS", 100);
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        // Before: a broken rule of the fake ends the program.
        std::printf("\rseed %llu ", static_cast<unsigned long long>(seed));
        static_cast<void>(std::fflush(stdout));
        SimulatedSession session(seed);
        const std::string wrong = session.run();
        if (!wrong.empty())
            static_cast<void>(
                std::fprintf(stderr, "\nseed %llu: %s\n", static_cast<unsigned long long>(seed), wrong.c_str()));
        CHECK(wrong.empty());
    }
    std::printf("\n");
}

/// The canary: a database that nobody takes out of backup mode is noticed.
void aForgottenDatabaseIsNoticed() {
    SimulatedSession session(1);
    ++session.server.inBackup;
    CHECK(!session.run(10).empty());
    --session.server.inBackup;
}

}  // namespace

int main() {
    return check::run({
        {"a database that stays in backup mode is noticed", aForgottenDatabaseIsNoticed},
        {"sessions end well, whatever happens", sessionsEndWell},
    });
}
