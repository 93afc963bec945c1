#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "domino/c_api.h"

namespace domino_vss::domino {

struct ChangeInfoFile {
    std::string copyFile;
    std::string deltaFile;
    std::uint64_t announcedBytes = 0;
    std::uint32_t pieceBytes = 0;
    /// Lengths of the pieces as Domino handed them out; empty when all but the last were `pieceBytes` long.
    std::span<const std::uint32_t> irregularPieces;
};

/// Turns a raw copy into the state at NSFBackupStart. Pieces keep the boundaries they were recorded with: whether
/// Domino needs that is not documented. The thread must belong to the runtime. Throws Failure; the copy is then
/// worthless.
void applyChangeInfo(const Api& api, const ChangeInfoFile& info);

}  // namespace domino_vss::domino
