#pragma once

#include "domino/c_api.h"
#include "engine/database.h"

namespace domino_vss::domino {

/// Databases of the running Domino server, accessed through the backup API.
class DominoSource final : public engine::DatabaseSource {
public:
    explicit DominoSource(const Api& api) noexcept : api_(api) {}

    [[nodiscard]] CallStatus enterThread(std::unique_ptr<engine::ThreadScope>& scope) noexcept override;
    [[nodiscard]] CallStatus open(const engine::DatabaseSpec& spec,
                                  std::unique_ptr<engine::Database>& database) override;
    [[nodiscard]] engine::ServerTime serverTime() noexcept override;
    [[nodiscard]] Failure describe(const CallStatus& status, Phase phase, std::string subject) override;
    [[nodiscard]] const char* nameOf(engine::Operation operation) const noexcept override;

private:
    const Api& api_;
};

/// An open database handle and, from start to end, its backup context. Used by one thread.
class DominoDatabase final : public engine::Database {
public:
    DominoDatabase(const Api& api, DBHANDLE handle) noexcept : api_(api), handle_(handle) {}
    DominoDatabase(const DominoDatabase&) = delete;
    DominoDatabase& operator=(const DominoDatabase&) = delete;
    ~DominoDatabase() override;

    [[nodiscard]] std::array<std::uint8_t, 8> replicaId() noexcept override;
    [[nodiscard]] CallStatus logInfo(engine::LogInfo& info) noexcept override;
    [[nodiscard]] engine::ModifiedTimes modifiedTimes() noexcept override;
    [[nodiscard]] CallStatus start(std::uint64_t& sizeBytes) noexcept override;
    [[nodiscard]] CallStatus setHighWaterMark(std::uint64_t copiedBytes) noexcept override;
    [[nodiscard]] CallStatus stop() noexcept override;
    [[nodiscard]] CallStatus changeInfoSize(std::uint64_t& sizeBytes) noexcept override;
    [[nodiscard]] CallStatus nextChangeInfo(std::span<char> buffer, std::uint32_t& filled) noexcept override;
    [[nodiscard]] CallStatus end(engine::EndMode mode) noexcept override;

private:
    const Api& api_;
    DBHANDLE handle_;
    DHANDLE context_ = 0;
    bool inBackup_ = false;
};

}  // namespace domino_vss::domino
