#pragma once
// Before-images: collected by every writer, streamed by the backup, applied to a copy.
//
// The stream is a head and records of (offset, length, old bytes), each with a checksum. The stream of a database that
// nobody wrote to is empty.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "environment.h"
#include "page.h"
#include "platform.h"

namespace domino_sim {

struct ChangeStreamHead {
    std::uint64_t magic;
    TimeDate databaseId;
    std::uint64_t backupId;
    std::uint64_t startBytes;
    std::uint64_t totalBytes;  // of the whole stream, including this head
    std::uint64_t checksum;
};

struct ChangeRecordHead {
    std::uint64_t offset;
    std::uint32_t lengthBytes;
    std::uint32_t reserved;
    std::uint64_t checksum;  // of offset and bytes
};

inline constexpr std::uint64_t kChangeStreamMagic = 0x31474843'4D495344;

/** The file that collects the before-images of a slot's current backup. */
std::string changeFilePath(Partition& partition, Slot& slot);

/**
 * Saves the page at `offset` before it is overwritten, if the slot's backup needs it. Call with the state lock held.
 */
void saveBeforeImage(Environment& environment, Slot& slot, const platform::File& database, std::uint64_t offset);

/** The size of the stream of a stopped backup. */
std::uint64_t changeStreamBytes(const BackupRecord& backup);

/** Reads the stream of a stopped backup from `position`; in complete records if `wholeRecords`. */
class ChangeStreamReader {
public:
    ChangeStreamReader(Partition& partition, Slot& slot, const TimeDate& databaseId);

    std::uint64_t totalBytes() const { return totalBytes_; }
    std::uint64_t position() const { return position_; }

    /**
     * Returns the number of bytes written to the buffer, 0 at the end. Throws StatusError(kOutOfMemory) if no complete
     * record fits.
     */
    std::size_t next(std::span<std::byte> buffer, bool wholeRecords);

private:
    ChangeStreamHead head_{};
    platform::File file_;
    std::uint64_t bitmapBytes_ = 0;
    std::uint64_t totalBytes_ = 0;
    std::uint64_t position_ = 0;
};

/** Receives decoded before-images. */
class ChangeSink {
public:
    virtual ~ChangeSink() = default;
    /**
     * Called once, before the first write. Throws StatusError(kCorruptChangeInfo) if the stream belongs to another
     * file.
     */
    virtual void begin(const ChangeStreamHead& head) = 0;
    virtual void write(std::uint64_t offset, std::span<std::byte> bytes) = 0;
};

/** Decodes a stream that arrives in pieces. */
class ChangeStreamDecoder {
public:
    ChangeStreamDecoder(ChangeSink& sink, std::uint64_t announcedBytes)
        : sink_(&sink), announcedBytes_(announcedBytes) {}

    void feed(std::span<const std::byte> piece, bool wholeRecords);
    bool isComplete() const { return takenBytes_ == announcedBytes_ && pending_.empty(); }

private:
    std::size_t decodeOne(std::span<std::byte> available);

    ChangeSink* sink_;
    std::uint64_t announcedBytes_;
    std::uint64_t takenBytes_ = 0;
    std::optional<ChangeStreamHead> head_;
    std::vector<std::byte> pending_;
};

}  // namespace domino_sim
