// Volumes are flushed all at the same time, and one that hangs ends nothing but the wait for it.

#include "engine/flush.h"

#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <stop_token>

#include "check.h"

namespace {

using namespace domino_vss;
using engine::Limits;
using std::chrono::milliseconds;

Limits plenty() {
    Limits limits;
    limits.deadline = engine::Clock::now() + milliseconds(20'000);
    return limits;
}

std::optional<Failure> failureOf(const std::vector<std::string>& directories, const Limits& limits,
                                 const engine::FlushVolume& flush) {
    try {
        engine::flushVolumes(directories, limits, flush);
    } catch (const Failure& failure) {
        return failure;
    }
    return std::nullopt;
}

void flushesAllAtTheSameTime() {
    // Each waits for the other two.
    const auto all = std::make_shared<std::latch>(3);
    CHECK(!failureOf({"/a", "/b", "/c"}, plenty(), [all](const std::string&) { all->arrive_and_wait(); }));
}

void endsAfterTheLastAndTellsTheFirstFailure() {
    const auto flushed = std::make_shared<std::atomic<int>>(0);
    const auto failure = failureOf({"/a", "/b", "/c"}, plenty(), [flushed](const std::string& directory) {
        if (directory == "/b") throw Failure(code::kShadow, Phase::prepare, "as thrown", directory);
        ++*flushed;
    });
    CHECK(failure && failure->code == std::string(code::kShadow) && failure->subject == "/b");
    CHECK(*flushed == 2);
}

void namesOneThatHangs() {
    const auto release = std::make_shared<std::promise<void>>();
    const auto released = std::make_shared<std::shared_future<void>>(release->get_future().share());
    const auto left = std::make_shared<std::promise<void>>();
    const Limits limits = plenty().within(milliseconds(60), code::kWindowTimeout);
    const auto failure = failureOf({"/a", "/hangs"}, limits, [released, left](const std::string& directory) {
        if (directory != "/hangs") return;
        released->wait();
        left->set_value();
    });
    CHECK(failure && failure->code == std::string(code::kWindowTimeout) && failure->subject == "/hangs");
    release->set_value();
    left->get_future().wait();
}

void endsWhenItIsAskedToStop() {
    std::stop_source stop;
    Limits limits = plenty();
    limits.stop = stop.get_token();
    const auto release = std::make_shared<std::promise<void>>();
    const auto left = std::make_shared<std::promise<void>>();
    const auto failure = failureOf({"/a"}, limits, [release, left, stop](const std::string&) mutable {
        stop.request_stop();
        release->get_future().wait();
        left->set_value();
    });
    CHECK(failure && failure->code == std::string(code::kAborted));
    CHECK(failureOf({"/a"}, limits, [](const std::string&) { CHECK(false); })->code == std::string(code::kAborted));
    release->set_value();
    left->get_future().wait();
}

void flushesWhatThereIs() {
    engine::flushVolumes({"/", "/tmp"}, plenty());
    const auto failure = [] {
        try {
            engine::flushVolumes({"/", "/no such directory"}, plenty());
        } catch (const Failure& thrown) {
            return std::optional(thrown);
        }
        return std::optional<Failure>();
    }();
    CHECK(failure && failure->subject == "/no such directory" && failure->operation == "open");
}

}  // namespace

int main() {
    return check::run({
        {"flushes all at the same time", flushesAllAtTheSameTime},
        {"ends after the last and tells the first failure", endsAfterTheLastAndTellsTheFirstFailure},
        {"names one that hangs", namesOneThatHangs},
        {"ends when it is asked to stop", endsWhenItIsAskedToStop},
        {"flushes what there is", flushesWhatThereIs},
    });
}
