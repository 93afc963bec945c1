#include "engine/failure_texts.h"

#include <optional>
#include <string>
#include <utility>

#include "system/abandonable_thread.h"

namespace domino_vss::engine {

namespace {

template <typename Describe>
std::vector<DatabaseFailure> describeEach(const SessionCore& core, const std::vector<std::size_t>& indexes,
                                          Describe describe) {
    std::vector<DatabaseFailure> described;
    for (const std::size_t index : indexes) {
        const DatabaseRecord& record = core.records[index];
        described.push_back({index, describe(record.failure, record.failurePhase, record.spec.path)});
    }
    return described;
}

/// Without Domino's runtime.
Failure describeAlone(const CallStatus& status, Phase phase, std::string subject) {
    Failure failure = describeStatus(status, phase, std::move(subject));
    if (status.domain == Domain::domino) failure.text = "Domino's text for this status is not available";
    return failure;
}

/// Empty if the runtime rejects the thread or does not answer.
std::optional<std::vector<DatabaseFailure>> askDomino(const std::shared_ptr<SessionCore>& core,
                                                      const std::vector<std::size_t>& indexes,
                                                      std::chrono::milliseconds patience) {
    // Read only after the thread has ended.
    const auto answer = std::make_shared<std::optional<std::vector<DatabaseFailure>>>();
    AbandonableThread thread(
        [answer, core, indexes] {
            std::unique_ptr<ThreadScope> scope;
            if (!core->source->enterThread(scope).ok()) return;
            *answer = describeEach(*core, indexes, [&](const CallStatus& status, Phase phase, std::string path) {
                return core->source->describe(status, phase, std::move(path));
            });
        },
        [](Failure&& /*failure*/) {});  // describeFailures() then does without Domino's texts
    if (!thread.endsWithin(patience)) return std::nullopt;
    return std::move(*answer);
}

}  // namespace

std::vector<DatabaseFailure> describeFailures(const std::shared_ptr<SessionCore>& core,
                                              std::chrono::milliseconds patience) {
    std::vector<std::size_t> skipped;
    bool dominoKnowsMore = false;
    for (std::size_t i = 0; i < core->records.size(); ++i) {
        const DatabaseRecord& record = core->records[i];
        if (record.state.load(std::memory_order_acquire) != State::skipped) continue;
        skipped.push_back(i);
        dominoKnowsMore = dominoKnowsMore || record.failure.domain == Domain::domino;
    }
    if (dominoKnowsMore)
        if (auto described = askDomino(core, skipped, patience)) return std::move(*described);
    return describeEach(*core, skipped, describeAlone);
}

}  // namespace domino_vss::engine
