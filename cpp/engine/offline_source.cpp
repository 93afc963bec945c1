#include "engine/offline_source.h"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss::engine {

namespace {

class OfflineDatabase final : public Database {
public:
    explicit OfflineDatabase(std::filesystem::path file) : file_(std::move(file)) {}

    std::array<std::uint8_t, 8> replicaId() noexcept override { return {}; }
    CallStatus logInfo(LogInfo& info) noexcept override {
        info = {};
        return {};
    }
    CallStatus start(std::uint64_t& sizeBytes) noexcept override {
        std::error_code error;
        sizeBytes = std::filesystem::file_size(file_, error);
        return error ? systemStatus(code::kCopy, "stat", systemErrorOf(error)) : CallStatus{};
    }
    CallStatus setHighWaterMark(std::uint64_t /*copiedBytes*/) noexcept override { return {}; }
    CallStatus stop() noexcept override { return {}; }
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
    std::filesystem::path file_;
};

}  // namespace

CallStatus OfflineSource::enterThread(std::unique_ptr<ThreadScope>& /*scope*/) noexcept {
    return {};
}

CallStatus OfflineSource::open(const DatabaseSpec& spec, std::unique_ptr<Database>& database) {
    database = std::make_unique<OfflineDatabase>(pathOf(spec.file));
    return {};
}

ServerTime OfflineSource::serverTime() noexcept {
    const std::chrono::duration<double, std::milli> epoch = std::chrono::system_clock::now().time_since_epoch();
    return {{}, epoch.count()};
}

Failure OfflineSource::describe(const CallStatus& status, Phase phase, std::string subject) {
    return describeStatus(status, phase, std::move(subject));
}

}  // namespace domino_vss::engine
