#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// A copy of an extent of the transaction log.
struct ArchivedExtent {
    UNID logId{};
    DWORD number = 0;
    std::string file;  // full path, UTF-8
    std::optional<std::uint64_t> sizeBytes;
};

/// Where copies of the extents of one log lie, under the names that Domino gives them.
struct LogArchiveDirectory {
    UNID logId{};
    std::string directory;  // full path, UTF-8
};

/// While it lives, a recovery can have these extents back through `callback`. The C API gives its callback no parameter
/// of ours, and does not say on which thread it runs: it looks through the extents of all recoveries of the process. An
/// extent of one log is the same whoever has archived it.
class ArchivedExtents {
public:
    /// In `directories` lie extents that are archived while the recovery runs.
    ArchivedExtents(const Api& api, std::vector<ArchivedExtent> extents, std::vector<LogArchiveDirectory> directories);
    ArchivedExtents(const ArchivedExtents&) = delete;
    ArchivedExtents& operator=(const ArchivedExtents&) = delete;
    ~ArchivedExtents();

    /// For NSFRecoverDatabases: copies the extent to the path that Domino names. nullptr when there are none.
    [[nodiscard]] LOGRESTORECALLBACKFUNCTION callback() const noexcept;
    /// Why the callback has refused an extent; empty when it has not.
    [[nodiscard]] std::string refusal() const;
    /// Removes what the callback has brought and Domino has left. For a directory that is not the log's own.
    void removeBrought() noexcept;

private:
    struct Offer {
        ArchivedExtents* by = nullptr;
        const Api* api = nullptr;
        ArchivedExtent extent;
    };
    static STATUS bring(UNID* logId, DWORD number, char* path) noexcept;
    [[nodiscard]] static std::optional<Offer> findOffer(const UNID& logId, DWORD number, const char* path);
    static void noteRefusal(const ArchivedExtents* by, const std::string& refusal);
    [[nodiscard]] static std::string copy(const ArchivedExtent& extent, const std::string& to);

    const Api& api_;
    const std::vector<ArchivedExtent> extents_;
    const std::vector<LogArchiveDirectory> directories_;
    std::string refusal_;               // guarded by the registry's mutex, as is the next one
    std::vector<std::string> brought_;  // full paths, UTF-8
};

}  // namespace domino_vss::domino
