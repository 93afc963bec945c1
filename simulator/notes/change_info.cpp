#include "change_info.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace domino_sim {

namespace {

constexpr std::uint64_t kRecordBytes = sizeof(ChangeRecordHead) + kPageBytes;

std::uint64_t recordChecksum(const ChangeRecordHead& head, std::span<const std::byte> bytes) {
    return mix(checksumOf(bytes), head.offset);
}

std::uint64_t headChecksum(ChangeStreamHead head) {
    head.checksum = 0;
    return checksumOf(bytesOf(std::as_const(head)));
}

/** The change file begins with one bit per page of the start image: set if the page is saved. */
std::uint64_t bitmapBytesFor(std::uint64_t startBytes) {
    return startBytes / kPageBytes / 8 + 1;
}

[[noreturn]] void corrupt() {
    throw StatusError(kCorruptChangeInfo);
}

}  // namespace

std::string changeFilePath(Partition& partition, Slot& slot) {
    char name[64];
    std::snprintf(name, sizeof name, "changes-%u-%016llx", partition.numberOf(slot),
                  static_cast<unsigned long long>(slot.backup.id));
    return (partition.directory() / name).string();
}

void saveBeforeImage(Environment& environment, Slot& slot, const platform::File& database, std::uint64_t offset) {
    BackupRecord& backup = slot.backup;
    const bool isWanted = backup.state == BackupState::recording && backup.abortedWith == kNoError &&
                          offset < backup.startBytes &&
                          offset + kPageBytes > backup.highWaterMark.load(std::memory_order_acquire);
    if (!isWanted) {
        return;
    }
    const platform::File file(changeFilePath(*environment.partition, slot), platform::FileMode::createOrOpen);
    const std::uint64_t page = offset / kPageBytes;
    std::byte saved{};
    file.readAt(page / 8, std::span(&saved, 1));
    const std::byte bit = std::byte{1} << (page % 8);
    if ((saved & bit) != std::byte{}) {
        return;  // only the first overwrite since the start matters
    }
    const double limit = environment["SIM_CHANGE_INFO_LIMIT_BYTES"_setting];
    if (limit > 0 && static_cast<double>(backup.changeBytes + kRecordBytes) > limit) {
        if (environment.settings.is("SIM_CHANGE_INFO_OVERFLOW"_setting, "write")) {
            environment.partition->accounting().userWritesFailed.fetch_add(1);
            throw StatusError(kBackupRecordingFailed);
        }
        backup.abortedWith = kBackupAbortedOverload;
        return;
    }
    std::array<std::byte, kRecordBytes> record{};
    const std::span<std::byte> image(record.data() + sizeof(ChangeRecordHead), kPageBytes);
    database.readAt(offset, image);
    ChangeRecordHead head{offset, kPageBytes, 0, 0};
    head.checksum = recordChecksum(head, image);
    std::memcpy(record.data(), &head, sizeof head);
    file.writeAt(bitmapBytesFor(backup.startBytes) + backup.changeBytes, record);
    saved |= bit;
    file.writeAt(page / 8, std::span(&saved, 1));
    backup.changeBytes += kRecordBytes;  // last, so that a writer that dies earlier leaves no partial record
}

std::uint64_t changeStreamBytes(const BackupRecord& backup) {
    return backup.changeBytes == 0 ? 0 : sizeof(ChangeStreamHead) + backup.changeBytes;
}

ChangeStreamReader::ChangeStreamReader(Partition& partition, Slot& slot, const TimeDate& databaseId)
    : bitmapBytes_(bitmapBytesFor(slot.backup.startBytes)), totalBytes_(changeStreamBytes(slot.backup)) {
    if (totalBytes_ != 0) {
        head_ = {kChangeStreamMagic, databaseId, slot.backup.id, slot.backup.startBytes, totalBytes_, 0};
        head_.checksum = headChecksum(head_);
        file_ = platform::File(changeFilePath(partition, slot), platform::FileMode::read);
    }
}

std::size_t ChangeStreamReader::next(std::span<std::byte> buffer, bool wholeRecords) {
    std::uint64_t wanted = std::min<std::uint64_t>(buffer.size(), totalBytes_ - position_);
    if (wholeRecords && wanted < totalBytes_ - position_) {
        const std::uint64_t headBytes = position_ == 0 ? sizeof head_ : 0;
        wanted = wanted < headBytes ? 0 : headBytes + (wanted - headBytes) / kRecordBytes * kRecordBytes;
        if (wanted == 0) {
            throw StatusError(kOutOfMemory);
        }
    }
    std::size_t filled = 0;
    if (position_ < sizeof head_ && wanted > 0) {
        filled = static_cast<std::size_t>(std::min(wanted, sizeof head_ - position_));
        std::memcpy(buffer.data(), reinterpret_cast<const std::byte*>(&head_) + position_, filled);
    }
    if (filled < wanted) {
        const std::uint64_t inRecords = position_ + filled - sizeof head_;
        filled += file_.readAt(bitmapBytes_ + inRecords, buffer.subspan(filled, wanted - filled));
    }
    position_ += filled;
    return filled;
}

std::size_t ChangeStreamDecoder::decodeOne(std::span<std::byte> available) {
    if (!head_) {
        ChangeStreamHead head;
        if (available.size() < sizeof head) {
            return 0;
        }
        std::memcpy(&head, available.data(), sizeof head);
        if (head.magic != kChangeStreamMagic || head.checksum != headChecksum(head) ||
            head.totalBytes != announcedBytes_) {
            corrupt();
        }
        sink_->begin(head);
        head_ = head;
        return sizeof head;
    }
    ChangeRecordHead record;
    if (available.size() < sizeof record) {
        return 0;
    }
    std::memcpy(&record, available.data(), sizeof record);
    if (record.lengthBytes != kPageBytes || record.offset % kPageBytes != 0 || record.offset >= head_->startBytes) {
        corrupt();
    }
    if (available.size() < sizeof record + record.lengthBytes) {
        return 0;
    }
    const auto bytes = available.subspan(sizeof record, record.lengthBytes);
    if (record.checksum != recordChecksum(record, bytes)) {
        corrupt();
    }
    sink_->write(record.offset, bytes);
    return sizeof record + record.lengthBytes;
}

void ChangeStreamDecoder::feed(std::span<const std::byte> piece, bool wholeRecords) {
    takenBytes_ += piece.size();
    if (takenBytes_ > announcedBytes_) {
        corrupt();
    }
    pending_.insert(pending_.end(), piece.begin(), piece.end());
    std::size_t used = 0;
    while (used < pending_.size()) {
        const std::size_t step = decodeOne(std::span(pending_).subspan(used));
        if (step == 0) {
            break;
        }
        used += step;
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(used));
    if (wholeRecords && !pending_.empty()) {
        corrupt();
    }
}

}  // namespace domino_sim
