#pragma once

#include "backup/database.h"
#include "domino/c_api.h"

namespace domino_vss::domino {

/// Databases of the running Domino, through the backup API.
class DominoSource final : public backup::DatabaseSource {
public:
    explicit DominoSource(const Api& api) noexcept : api_(api) {}

    [[nodiscard]] backup::CallStatus enterThread(std::unique_ptr<backup::ThreadScope>& scope) noexcept override;
    [[nodiscard]] backup::CallStatus open(const backup::DatabaseSpec& spec,
                                          std::unique_ptr<backup::Database>& database) noexcept override;
    [[nodiscard]] backup::ServerTime serverTime() noexcept override;
    [[nodiscard]] backup::Failure describe(const backup::CallStatus& status, backup::Phase phase,
                                           std::string subject) override;

private:
    const Api& api_;
};

/// An open database handle and, between start and end, its backup context: one handle, one context, one thread.
class DominoDatabase final : public backup::Database {
public:
    DominoDatabase(const Api& api, DBHANDLE handle) noexcept : api_(api), handle_(handle) {}
    DominoDatabase(const DominoDatabase&) = delete;
    DominoDatabase& operator=(const DominoDatabase&) = delete;
    ~DominoDatabase() override;

    [[nodiscard]] std::array<std::uint8_t, 8> replicaId() noexcept override;
    [[nodiscard]] backup::CallStatus logInfo(backup::LogInfo& info) noexcept override;
    [[nodiscard]] backup::CallStatus start(std::uint64_t& sizeBytes) noexcept override;
    [[nodiscard]] backup::CallStatus setHighWaterMark(std::uint64_t copiedBytes) noexcept override;
    [[nodiscard]] backup::CallStatus stop() noexcept override;
    [[nodiscard]] backup::CallStatus changeInfoSize(std::uint64_t& sizeBytes) noexcept override;
    [[nodiscard]] backup::CallStatus nextChangeInfo(std::span<char> buffer, std::uint32_t& filled) noexcept override;
    [[nodiscard]] backup::CallStatus end(backup::EndMode mode) noexcept override;

private:
    const Api& api_;
    DBHANDLE handle_;
    DHANDLE context_ = 0;
    bool inBackup_ = false;
};

}  // namespace domino_vss::domino
