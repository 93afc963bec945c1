#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "shadow/vss/writer.h"

namespace domino_vss::vss {

/// Which writers and components take part. Names are compared without regard to case.
struct WriterRules {
    /// A writer by name, class id or instance id, or a component as `Writer:\logical\path\component`.
    std::vector<std::string> exclude;
    /// The same; what must take part.
    std::vector<std::string> verify;
    /// Domino's own writer would start a second backup of the databases that we hold in backup mode.
    bool excludeDomino = false;
    bool componentMode = false;
    /// Whether the volume of a path, as the writer wrote it, is in the set.
    std::function<bool(const std::string& path)> inSet;
};

/// Whether the writer looks like Domino's own. Its name and ids are not documented; its task is called `backupvss`.
[[nodiscard]] bool isDominoWriter(const Writer& writer);

/// Whether somebody counts on this writer: it is named to be verified, or components of it were added one by one.
[[nodiscard]] bool isCountedOn(const Writer& writer, const WriterRules& rules);

/// Marks the writers that are to be disabled as a whole: those asked for, and Domino's own.
void excludeWriters(std::span<Writer> writers, const WriterRules& rules);

/// Component mode: marks what cannot take part and chooses the components to add, as vshadow and diskshadow do.
void selectComponents(std::span<Writer> writers, const WriterRules& rules);

/// The entries of `verify` that are not met by what was selected.
[[nodiscard]] std::vector<std::string> unmetVerify(std::span<const Writer> writers, const WriterRules& rules);

/// The entries of `exclude` that name no writer and no component of this machine, mistyped for example.
[[nodiscard]] std::vector<std::string> unknownExclusions(std::span<const Writer> writers, const WriterRules& rules);

/// The entries of `exclude` that name a component, which plain mode cannot leave out.
[[nodiscard]] std::vector<std::string> componentExclusions(const WriterRules& rules);

}  // namespace domino_vss::vss
