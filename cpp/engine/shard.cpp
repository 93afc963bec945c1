#include "engine/shard.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace domino_vss::engine {

namespace {

/// Time for a thread to end that has nothing left to do.
constexpr std::chrono::milliseconds kShortestPatience{1};

}  // namespace

struct Shard::Shared {
    Shared(std::shared_ptr<SessionCore> sessionCore, std::uint16_t shardIndex, std::vector<std::size_t> records)
        : core(std::move(sessionCore)), index(shardIndex), recordIndexes(std::move(records)) {}

    const std::shared_ptr<SessionCore> core;
    const std::uint16_t index;
    const std::vector<std::size_t> recordIndexes;

    std::mutex mutex;
    std::condition_variable messagePosted;
    std::deque<Message> messages;  // guarded by mutex
    bool finishing = false;        // guarded by mutex
    std::atomic<std::uint32_t> unfinished = 0;
    std::atomic<bool> failed = false;
    std::optional<Failure> failure;  // written before `failed`
    PresentCall present;

    [[nodiscard]] std::optional<Message> next() {
        std::unique_lock lock(mutex);
        messagePosted.wait(lock, [this] { return finishing || !messages.empty(); });
        if (messages.empty()) return std::nullopt;
        std::optional<Message> message = std::move(messages.front());
        messages.pop_front();
        return message;
    }
    void finished() noexcept {
        {
            const std::lock_guard lock(core->mutex);
            unfinished.fetch_sub(1, std::memory_order_acq_rel);
        }
        core->shardFinished.notify_one();
    }
    void fail(Failure&& thrown) noexcept {
        {
            const std::lock_guard lock(core->mutex);
            if (!failed) failure.emplace(std::move(thrown));
            present.began.store(kNever, std::memory_order_release);
            failed.store(true, std::memory_order_release);
        }
        core->shardFinished.notify_one();
    }
};

Shard::Shard(std::shared_ptr<SessionCore> core, std::uint16_t index, std::vector<std::size_t> records)
    : shared_(std::make_shared<Shared>(std::move(core), index, std::move(records))),
      thread_([shared = shared_] { serve(*shared); },
              [shared = shared_](Failure&& failure) { shared->fail(std::move(failure)); }) {}

Shard::~Shard() {
    const bool hanging = givenUp && !idle();
    finish();
    const auto patience = std::chrono::ceil<std::chrono::milliseconds>(leaveBy - Clock::now());
    static_cast<void>(
        thread_.endsWithin(hanging ? std::chrono::milliseconds(0) : std::max(patience, kShortestPatience)));
}

void Shard::post(ShardCommand command, const Limits& limits) {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->messages.push_back({command, limits});
        shared_->unfinished.fetch_add(1, std::memory_order_acq_rel);
    }
    shared_->messagePosted.notify_one();
}

void Shard::finish() noexcept {
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->finishing) return;
        shared_->finishing = true;
        shared_->unfinished.fetch_add(1, std::memory_order_acq_rel);
    }
    shared_->messagePosted.notify_one();
}

bool Shard::idle() const noexcept {
    return shared_->failed.load(std::memory_order_acquire) || shared_->unfinished.load(std::memory_order_acquire) == 0;
}

const std::optional<Failure>& Shard::failure() const noexcept {
    static const std::optional<Failure> kNone;
    return shared_->failed.load(std::memory_order_acquire) ? shared_->failure : kNone;
}

std::uint16_t Shard::index() const noexcept {
    return shared_->index;
}

const PresentCall& Shard::present() const noexcept {
    return shared_->present;
}

const std::vector<std::size_t>& Shard::records() const noexcept {
    return shared_->recordIndexes;
}

void Shard::serve(Shared& shared) {
    ShardWork work(*shared.core, shared.index, shared.recordIndexes, shared.present);
    while (const std::optional<Message> message = shared.next()) {
        try {
            work.execute(message->command, message->limits);
        } catch (...) {
            Failure failure = work.failureInFlight();
            work.giveUp();
            return shared.fail(std::move(failure));  // before the thread leaves the runtime, which may hang
        }
        shared.finished();
    }
    work.abort();
    shared.finished();
}

}  // namespace domino_vss::engine
