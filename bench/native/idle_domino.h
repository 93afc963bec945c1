#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "engine/database.h"

namespace bench {

using namespace domino_vss;
using namespace domino_vss::engine;

/// A Domino that does nothing, or waits: what remains is the engine's own cost.
class IdleDomino final : public DatabaseSource {
public:
    IdleDomino(std::chrono::microseconds start, std::chrono::microseconds stop) : start_(start), stop_(stop) {}

    CallStatus enterThread(std::unique_ptr<ThreadScope>& scope) noexcept override {
        scope = std::make_unique<ThreadScope>();
        return {};
    }
    CallStatus open(const DatabaseSpec& spec, std::unique_ptr<Database>& database) noexcept override {
        database = std::make_unique<IdleDatabase>(*this, costFactor(spec.path));
        return {};
    }
    ServerTime serverTime() noexcept override { return {}; }
    Failure describe(const CallStatus& status, Phase phase, std::string subject) override {
        return describeStatus(status, phase, std::move(subject));
    }

    /// How many times as long the calls of a database take.
    static int costFactor(const std::string& path) { return path.starts_with("heavy/") ? 100 : 1; }

private:
    class IdleDatabase final : public Database {
    public:
        IdleDatabase(const IdleDomino& domino, int factor) : domino_(domino), factor_(factor) {}

        std::array<std::uint8_t, 8> replicaId() noexcept override { return {}; }
        CallStatus logInfo(LogInfo& info) noexcept override {
            info = {};
            return {};
        }
        CallStatus start(std::uint64_t& sizeBytes) noexcept override {
            sizeBytes = 4096;
            return wait(factor_ * domino_.start_);
        }
        CallStatus setHighWaterMark(std::uint64_t /*copiedBytes*/) noexcept override { return {}; }
        CallStatus stop() noexcept override { return wait(factor_ * domino_.stop_); }
        CallStatus changeInfoSize(std::uint64_t& sizeBytes) noexcept override {
            sizeBytes = 0;
            return {};
        }
        CallStatus nextChangeInfo(std::span<char> /*buffer*/, std::uint32_t& filled) noexcept override {
            filled = 0;
            return {};
        }
        CallStatus end(EndMode /*mode*/) noexcept override { return {}; }

    private:
        static CallStatus wait(std::chrono::microseconds time) noexcept {
            if (time.count() > 0) std::this_thread::sleep_for(time);
            return {};
        }

        const IdleDomino& domino_;
        int factor_;
    };

    std::chrono::microseconds start_;
    std::chrono::microseconds stop_;
};

}  // namespace bench
