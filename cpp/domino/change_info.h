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
    /// Lengths of the pieces as Domino returned them; empty if all except the last have the length `pieceBytes`.
    std::span<const std::uint32_t> irregularPieces;
};

/// Applies change information, which turns a raw copy into the state at NSFBackupStart. Keeps the recorded piece
/// boundaries, because it is not documented whether Domino needs them. The thread must have entered the runtime. Throws
/// Failure; the copy is then unusable.
void applyChangeInfo(const Api& api, const ChangeInfoFile& info);

}  // namespace domino_vss::domino
