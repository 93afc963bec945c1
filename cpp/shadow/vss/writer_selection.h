#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "shadow/vss/writer.h"

namespace domino_vss::vss {

/// The rules for which writers and components take part. Names are compared case-insensitively.
struct WriterRules {
    /// A writer by name, class id or instance id, or a component as `Writer:\logical\path\component`.
    std::vector<std::string> exclude;
    /// The same, for what must take part.
    std::vector<std::string> verify;
    /// Domino's own writer would start a second backup of databases that are in our backup mode.
    bool excludeDomino = false;
    bool componentMode = false;
    /// Whether the volume of a path from the writer's metadata is in the set.
    std::function<bool(const std::string& path)> inSet;
};

/// Whether the writer looks like Domino's own. Its name and ids are not documented; its server task is named
/// `backupvss`.
[[nodiscard]] bool isDominoWriter(const Writer& writer);

/// Whether the backup depends on this writer: it must be verified, or components of it were added individually.
[[nodiscard]] bool isCountedOn(const Writer& writer, const WriterRules& rules);

/// Marks the writers to be excluded as a whole: those requested, and Domino's own.
void excludeWriters(std::span<Writer> writers, const WriterRules& rules);

/// For component mode: marks the writers that cannot take part and selects the components to add, like vshadow and
/// diskshadow.
void selectComponents(std::span<Writer> writers, const WriterRules& rules);

/// The entries of `verify` that the selection does not fulfil.
[[nodiscard]] std::vector<std::string> unmetVerify(std::span<const Writer> writers, const WriterRules& rules);

/// The entries of `exclude` that match no writer or component of this machine, such as typing errors.
[[nodiscard]] std::vector<std::string> unknownExclusions(std::span<const Writer> writers, const WriterRules& rules);

/// The entries of `exclude` that name a component; only component mode can exclude components.
[[nodiscard]] std::vector<std::string> componentExclusions(const WriterRules& rules);

}  // namespace domino_vss::vss
