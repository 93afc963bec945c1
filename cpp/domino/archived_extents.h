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

/// The directory with the archived extents of one log, under the names that Domino gave them.
struct LogArchiveDirectory {
    UNID logId{};
    std::string directory;  // full path, UTF-8
};

/// Makes archived extents available to a recovery through `callback`, as long as this object lives. The C API passes no
/// user data to the callback and does not document its thread, so the callback searches the extents of all recoveries
/// in the process. An extent of a log has the same contents whoever archived it.
class ArchivedExtents {
public:
    /// `directories` is searched for extents that are archived while the recovery runs.
    ArchivedExtents(const Api& api, std::vector<ArchivedExtent> extents, std::vector<LogArchiveDirectory> directories);
    ArchivedExtents(const ArchivedExtents&) = delete;
    ArchivedExtents& operator=(const ArchivedExtents&) = delete;
    ~ArchivedExtents();

    /// For NSFRecoverDatabases: copies the extent to the path that Domino names. nullptr if there are no extents.
    [[nodiscard]] LOGRESTORECALLBACKFUNCTION callback() const noexcept;
    /// Why the callback refused an extent; empty if it did not.
    [[nodiscard]] std::string refusal() const;
    /// Removes the extents that the callback copied and Domino did not remove. Not for the log's own directory.
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
