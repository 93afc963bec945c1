#pragma once

#include "engine/database.h"

namespace domino_vss::engine {

/// Databases of a stopped Domino server: files that nobody writes to. Makes no API call; "backup mode" is a no-op.
class OfflineSource final : public DatabaseSource {
public:
    [[nodiscard]] CallStatus enterThread(std::unique_ptr<ThreadScope>& scope) noexcept override;
    [[nodiscard]] CallStatus open(const DatabaseSpec& spec, std::unique_ptr<Database>& database) override;
    [[nodiscard]] ServerTime serverTime() noexcept override;
    [[nodiscard]] Failure describe(const CallStatus& status, Phase phase, std::string subject) override;
};

}  // namespace domino_vss::engine
