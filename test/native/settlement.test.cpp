// A completion is called exactly once, even if its step is never run.

#include "engine/settlement.h"

#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "check.h"

namespace {

using namespace domino_vss;
using domino_vss::engine::Settlement;

/// What a completion was called with: empty for success.
std::vector<std::string> called;

Settlement make() {
    called.clear();
    return Settlement([](const Failure* failure) { called.emplace_back(failure == nullptr ? "" : failure->code); });
}

void settlesOnce() {
    {
        Settlement settlement = make();
        settlement.settle(nullptr);
        CHECK(called == std::vector<std::string>{""});
        settlement.settle(nullptr);
    }
    CHECK(called == std::vector<std::string>{""});
}

void failsIfItIsNeverSettled() {
    {
        std::deque<Settlement> queue;
        queue.push_back(make());
        CHECK(called.empty());
    }
    CHECK(called == std::vector<std::string>{code::kInternal});
}

void failsIfItsOwnerThrows() {
    try {
        const Settlement settlement = make();
        throw std::runtime_error("before its step has run");
    } catch (const std::runtime_error&) {
        CHECK(called == std::vector<std::string>{code::kInternal});
    }
}

void survivesACompletionThatThrows() {
    Settlement settlement([](Failure*) { throw std::runtime_error("of the completion"); });
    settlement.settle(nullptr);
}

}  // namespace

int main() {
    settlesOnce();
    failsIfItIsNeverSettled();
    failsIfItsOwnerThrows();
    survivesACompletionThatThrows();
}
